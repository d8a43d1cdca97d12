#include "http_date.h"
#include "unit.h"

/* 6 November 1994, 08:49:37, the example of RFC 9110. */
#define THEN INT64_C(784111777000)
#define NOW  INT64_C(1900000000000) /* in 2030 */

static void test_parse(void)
{
	static const struct {
		const char *text;
		int64_t instant; /* -1: no date */
	} rows[] = {
		{"Sun, 06 Nov 1994 08:49:37 GMT", THEN},
		{"Sunday, 06-Nov-94 08:49:37 GMT", THEN},
		{"Sun Nov  6 08:49:37 1994", THEN},
		{"Wed Nov 16 08:49:37 1994", THEN + 10 * INT64_C(86400000)},
		{"Thu, 01 Jan 1970 00:00:00 GMT", 0},
		{"Thursday, 01-Jan-70 00:00:00 GMT", INT64_C(-1)},
		{"Wednesday, 01-Jan-70 00:00:00 GMT", INT64_C(3155760000000)},
		{"Wednesday, 01-Jan-80 00:00:00 GMT", INT64_C(-1)},
		{"Monday, 01-Jan-80 00:00:00 GMT", INT64_C(3471292800000)},
		{"Thursday, 01-Jan-81 00:00:00 GMT", INT64_C(347155200000)},
		{"Sat, 06 Nov 1994 08:49:37 GMT", -1},
		/* As it is not to be written, but may be read. */
		{"Sun, 6 Nov 1994 08:49:37 GMT", THEN},
		{"sun, 06 nov 1994 08:49:37 gmt", -1},
		{"Sun, 06 Nov 1994 08:49:37 UTC", -1},
		{"Sun, 06 Nov 1994 08:49:37 +0000", -1},
		{"Sun, 06 Nov 1994 08:49:37", -1},
		{" Sun, 06 Nov 1994 08:49:37 GMT", -1},
		{"Sun, 06 Nov 1994 08:49:37 GMT ", -1},
		{"Sun, 06 Nov 1994 08:49:37 GMT, Sun, 06 Nov 1994 08:49:37 GMT", -1},
		{"Sun, 06 Nov 1994 24:00:00 GMT", -1},
		{"Wed, 30 Feb 1994 08:49:37 GMT", -1},
		{"1994-11-06T08:49:37Z", -1},
		{"784111777", -1},
		{"", -1},
	};
	int64_t instant;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (!http_date_parse(rows[i].text, NOW, &instant))
			instant = -1;
		UNIT_CHECK(instant == rows[i].instant, rows[i].text);
	}
}

static void test_format(void)
{
	struct arena *arena = arena_new();

	CU_ASSERT_STRING_EQUAL(http_date(arena, THEN + 999), "Sun, 06 Nov 1994 08:49:37 GMT");
	arena_free(&arena);
}

static const struct unit_case cases[] = {
	{"three forms of a date, and nothing else", test_parse},
	{"one form is written", test_format},
};

UNIT_MAIN("http_date", cases)
