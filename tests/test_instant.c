#include <stdio.h>

#include "instant.h"
#include "unit.h"

static void test_parse(void)
{
	static const struct {
		const char *name, *text;
		int64_t instant; /* -1: refused */
	} cases[] = {
		{"the first", "1970-01-01T00:00:00Z", 0},
		{"a second later", "1970-01-01T00:00:01Z", 1000},
		{"leap day", "2028-02-29T12:00:00Z", INT64_C(1835438400000)},
		{"leap day of a leap century", "2000-02-29T00:00:00Z", INT64_C(951782400000)},
		{"beyond 32 bits", "2038-01-19T03:14:08Z", INT64_C(2147483648000)},
		{"the last", "9999-12-31T23:59:59Z", INT64_C(253402300799000)},
		{"no leap day", "2027-02-29T00:00:00Z", -1},
		{"no leap day in a century", "2100-02-29T00:00:00Z", -1},
		{"30 February", "2028-02-30T00:00:00Z", -1},
		{"31 April", "2027-04-31T00:00:00Z", -1},
		{"day 0", "2027-03-00T00:00:00Z", -1},
		{"day 32", "2027-03-32T00:00:00Z", -1},
		{"month 0", "2027-00-01T00:00:00Z", -1},
		{"month 13", "2027-13-01T00:00:00Z", -1},
		{"24:00", "2027-03-01T24:00:00Z", -1},
		{"minute 60", "2027-03-01T00:60:00Z", -1},
		{"leap second", "2016-12-31T23:59:60Z", -1},
		{"before 1970", "1969-12-31T23:59:59Z", -1},
		{"year 0", "0000-01-01T00:00:00Z", -1},
		{"offset", "2027-03-01T14:00:00+00:00", -1},
		{"no zone", "2027-03-01T14:00:00", -1},
		{"small t and z", "2027-03-01t14:00:00z", -1},
		{"space for T", "2027-03-01 14:00:00Z", -1},
		{"of a browser", "2027-03-01T14:00:00.000Z", INT64_C(1803909600000)},
		{"a tenth of nothing", "2027-03-01T14:00:00.0Z", INT64_C(1803909600000)},
		{"nanoseconds", "2027-03-01T14:00:00.000000000Z", INT64_C(1803909600000)},
		{"the first of a browser", "1970-01-01T00:00:00.000Z", 0},
		{"longer than nanoseconds", "2027-03-01T14:00:00.0000000000Z", -1},
		{"a millisecond", "2027-03-01T14:00:00.001Z", -1},
		{"half a second", "2027-03-01T14:00:00.5Z", -1},
		{"no digits of a fraction", "2027-03-01T14:00:00.Z", -1},
		{"comma", "2027-03-01T14:00:00,000Z", -1},
		{"two fractions", "2027-03-01T14:00:00.0.0Z", -1},
		{"fraction without zone", "2027-03-01T14:00:00.000", -1},
		{"fraction and offset", "2027-03-01T14:00:00.000+00:00", -1},
		{"something behind a fraction", "2027-03-01T14:00:00.000Zx", -1},
		{"fraction of another script", "2027-03-01T14:00:00.\xd9\xa0Z", -1},
		{"leap second of a browser", "2016-12-31T23:59:60.000Z", -1},
		{"24:00 of a browser", "2027-03-01T24:00:00.000Z", -1},
		{"no seconds", "2027-03-01T14:00Z", -1},
		{"five-digit year", "12027-03-01T14:00:00Z", -1},
		{"signed year", "+027-03-01T14:00:00Z", -1},
		{"negative year", "-027-03-01T14:00:00Z", -1},
		{"signed minute", "2027-03-01T14:+1:00Z", -1},
		{"space as digit", "2027-03- 1T14:00:00Z", -1},
		{"digits of another script", "2027-03-01T14:00:0\xd9\xa1", -1},
		{"leading space", " 2027-03-01T14:00:00Z", -1},
		{"trailing newline", "2027-03-01T14:00:00Z\n", -1},
		{"other separators", "2027/03/01T14.00.00Z", -1},
		{"words", "tomorrow at noon sha", -1},
		{"empty", "", -1},
	};
	char again[INSTANT_TEXT_SIZE];
	int64_t instant;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		instant = -1;
		UNIT_CHECK(instant_parse(cases[i].text, &instant) == (cases[i].instant >= 0),
			cases[i].name);
		UNIT_CHECK(instant == cases[i].instant, cases[i].name);
		if (instant < 0)
			continue;
		instant_format(instant, false, again);
		UNIT_CHECK(strncmp(again, cases[i].text, 19) == 0, cases[i].name);
		UNIT_CHECK(strcmp(again + 19, "Z") == 0, cases[i].name);
	}
}

static void test_every_day_of_every_year(void)
{
	static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	int64_t expected = 0, instant;
	char text[INSTANT_TEXT_SIZE], again[INSTANT_TEXT_SIZE];
	int year, month, day, length, wrong = 0;

	for (year = 1970; year <= 9999; year++) {
		for (month = 1; month <= 12; month++) {
			length = lengths[month - 1];
			if (month == 2 && year % 4 == 0 && (year % 100 != 0 || year % 400 == 0))
				length = 29;
			/* The ends of the month, and the day that is not in it any more. */
			for (day = 1; day <= length + 1; day += day == 1 ? length - 1 : 1) {
				snprintf(text, sizeof(text), "%04d-%02d-%02dT23:59:59Z", year,
					month, day);
				if (instant_parse(text, &instant) != (day <= length))
					wrong++;
				if (day > length)
					continue;
				wrong += instant != expected + day * INSTANT_DAY - INSTANT_SECOND;
				instant_format(instant, false, again);
				wrong += strcmp(again, text) != 0;
			}
			expected += length * INSTANT_DAY;
		}
	}
	CU_ASSERT_EQUAL(wrong, 0);
}

static void test_format(void)
{
	static const struct {
		const char *name;
		int64_t instant;
		const char *text, *text_ms;
	} cases[] = {
		{"epoch", 0, "1970-01-01T00:00:00Z", "1970-01-01T00:00:00.000Z"},
		{"milliseconds are cut, not rounded", 1999, "1970-01-01T00:00:01Z",
			"1970-01-01T00:00:01.999Z"},
		{"before the epoch", -1, "1969-12-31T23:59:59Z", "1969-12-31T23:59:59.999Z"},
		{"a second before", -1000, "1969-12-31T23:59:59Z", "1969-12-31T23:59:59.000Z"},
		/* What a broken database could hold is printed, not undefined. */
		{"the latest", INT64_MAX, "292278994-08-17T07:12:55Z",
			"292278994-08-17T07:12:55.807Z"},
		{"the earliest", INT64_MIN, "-292275055-05-16T16:47:04Z",
			"-292275055-05-16T16:47:04.192Z"},
	};
	char text[INSTANT_TEXT_SIZE];
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		instant_format(cases[i].instant, false, text);
		UNIT_CHECK(strcmp(text, cases[i].text) == 0, cases[i].name);
		instant_format(cases[i].instant, true, text);
		UNIT_CHECK(strcmp(text, cases[i].text_ms) == 0, cases[i].name);
	}
}

static const struct unit_case cases[] = {
	{"what is read and what is refused", test_parse},
	{"both ends of every month, there and back", test_every_day_of_every_year},
	{"what is written", test_format},
};

UNIT_MAIN("instant", cases)
