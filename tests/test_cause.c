#include "cause.h"

#include <stdlib.h>
#include <string.h>

#include "id.h"
#include "unit.h"

enum { CAUSE_DRAWS = 4000, CAUSE_BUCKETS = 8 };

static void test_cause_ids_follow_from_the_seed(void)
{
	struct arena *arena = arena_new();
	struct cause one = {.arena = arena}, same = {.arena = arena}, other = {.arena = arena};
	int i;

	other.seed[CAUSE_SEED_BYTES - 1] = 1;
	for (i = 0; i < 100; i++) {
		const char *id = cause_id(&one);

		CU_ASSERT(id_valid(id));
		CU_ASSERT_STRING_EQUAL(id, cause_id(&same));
		CU_ASSERT_STRING_NOT_EQUAL(id, cause_id(&other));
	}
	arena_free(&arena);
}

static int cause_compare(const void *a, const void *b)
{
	return memcmp(a, b, ID_SIZE);
}

static void test_cause_ids_are_distinct(void)
{
	static char ids[CAUSE_DRAWS][ID_SIZE];
	struct arena *arena = arena_new();
	struct cause cause = {.arena = arena};
	size_t i;

	for (i = 0; i < CAUSE_DRAWS; i++)
		memcpy(ids[i], cause_id(&cause), ID_SIZE);
	qsort(ids, CAUSE_DRAWS, ID_SIZE, cause_compare);
	for (i = 1; i < CAUSE_DRAWS; i++)
		CU_ASSERT_STRING_NOT_EQUAL(ids[i - 1], ids[i]);
	arena_free(&arena);
}

static void test_cause_jitter_stays_in_bounds(void)
{
	static const int64_t bounds[] = {INT64_MIN, -1, 0, 1, 2, 1 << 20, INT64_MAX};
	struct arena *arena = arena_new();
	struct cause cause = {.arena = arena};
	int64_t jitter;
	size_t i;
	int n;

	for (i = 0; i < sizeof(bounds) / sizeof(bounds[0]); i++)
		for (n = 0; n < 200; n++) {
			jitter = cause_jitter(&cause, bounds[i]);
			CU_ASSERT(jitter >= 0);
			CU_ASSERT(jitter <= (bounds[i] > 0 ? bounds[i] : 0));
		}
	arena_free(&arena);
}

static void test_cause_jitter_is_uniform(void)
{
	struct arena *arena = arena_new();
	struct cause cause = {.arena = arena};
	int counts[CAUSE_BUCKETS] = {0}, i;

	for (i = 0; i < CAUSE_DRAWS; i++)
		counts[cause_jitter(&cause, CAUSE_BUCKETS - 1)]++;
	/* 500 each are expected; 5 standard deviations are 105. The seed is fixed. */
	for (i = 0; i < CAUSE_BUCKETS; i++)
		CU_ASSERT(counts[i] > 395 && counts[i] < 605);
	arena_free(&arena);
}

static const struct unit_case cases[] = {
	{"ids follow from the seed", test_cause_ids_follow_from_the_seed},
	{"ids are distinct", test_cause_ids_are_distinct},
	{"jitter stays in bounds", test_cause_jitter_stays_in_bounds},
	{"jitter is uniform", test_cause_jitter_is_uniform},
};

UNIT_MAIN("cause", cases)
