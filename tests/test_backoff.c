#include "backoff.h"
#include "unit.h"

static void test_backoff_cases(void)
{
	static const struct {
		const char *name;
		int64_t attempts, first_s, max_s, retry_after_s, random, delay_ms;
	} cases[] = {
		{"first, longest", 1, 5, 600, 0, BACKOFF_SPREAD, 5000},
		{"first, half", 1, 5, 600, 0, BACKOFF_SPREAD / 2, 2500},
		{"never under 100 ms", 1, 5, 600, 0, 0, 100},
		{"99 ms is under 100", 1, 5, 600, 0, 20762, 100},
		{"101 ms is not", 1, 5, 600, 0, 21182, 101},
		{"second", 2, 5, 600, 0, BACKOFF_SPREAD, 10000},
		{"seventh", 7, 5, 600, 0, BACKOFF_SPREAD, 320000},
		{"eighth meets the ceiling", 8, 5, 600, 0, BACKOFF_SPREAD, 600000},
		{"ceiling for ever", 100000, 5, 600, 0, BACKOFF_SPREAD, 600000},
		{"ceiling under the first step", 1, 60, 10, 0, BACKOFF_SPREAD, 10000},
		{"no attempt yet counts as the first", 0, 5, 600, 0, BACKOFF_SPREAD, 5000},
		{"Retry-After wins over shorter", 1, 5, 600, 30, BACKOFF_SPREAD, 30000},
		{"Retry-After wins over the ceiling", 9, 5, 600, 3600, BACKOFF_SPREAD, 3600000},
		{"Retry-After does not shorten", 8, 5, 600, 1, BACKOFF_SPREAD, 600000},
		{"a day, no overflow", 60, 1, 86400, 0, BACKOFF_SPREAD, 86400000},
	};
	int64_t delay;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		delay = backoff_delay_ms(cases[i].attempts, cases[i].first_s, cases[i].max_s,
			cases[i].retry_after_s, cases[i].random);
		if (delay != cases[i].delay_ms)
			printf("%s: %lld ms\n", cases[i].name, (long long)delay);
		CU_ASSERT_EQUAL(delay, cases[i].delay_ms);
	}
}

/* Full jitter: the delay grows with the random number, from the floor to the whole ceiling. */
static void test_backoff_spreads_evenly(void)
{
	int64_t attempts, random, delay, before, ceiling = 2;

	for (attempts = 1; attempts <= 12; attempts++) {
		before = 0;
		for (random = 0; random <= BACKOFF_SPREAD; random += BACKOFF_SPREAD / 64) {
			delay = backoff_delay_ms(attempts, 2, 300, 0, random);
			CU_ASSERT(delay >= 100 && delay <= ceiling * 1000);
			CU_ASSERT(delay >= before);
			before = delay;
		}
		CU_ASSERT_EQUAL(before, ceiling * 1000);
		ceiling = 2 * ceiling < 300 ? 2 * ceiling : 300;
	}
}

static const struct unit_case cases[] = {
	{"cases", test_backoff_cases},
	{"spreads evenly", test_backoff_spreads_evenly},
};

UNIT_MAIN("backoff", cases)
