#include "rest.h"
#include "unit.h"

static void retry_after(void)
{
	static const int64_t now = INT64_C(784111777) * 1000; /* Sun, 06 Nov 1994 08:49:37 GMT */
	static const struct {
		const char *value;
		int64_t later_ms, seconds;
	} rows[] = {
		{"0", 0, 0},
		{"1", 0, 1},
		{"120", 0, 120},
		{"0017", 0, 17},
		{"86400", 0, 86400},
		{"86401", 0, 86400},
		{"99999999999999999999999999999999", 0, 86400},
		{"", 0, 0},
		{"-5", 0, 0},
		{"+5", 0, 0},
		{"1.5", 0, 0},
		{"5 s", 0, 0},
		{"0x10", 0, 0},
		{"soon", 0, 0},
		{"Sun", 0, 0},
		{"Sun, 06 Nov 1994 08:49:38 GMT", 0, 1},
		{"Sun, 06 Nov 1994 08:49:38 GMT", 1, 1},
		{"Sun, 06 Nov 1994 08:49:38 GMT", 999, 1},
		{"Sun, 06 Nov 1994 08:49:38 GMT", 1000, 0},
		{"Sun, 06 Nov 1994 08:49:37 GMT", 0, 0},
		{"Sun, 06 Nov 1994 08:00:00 GMT", 0, 0},
		{"Sunday, 06-Nov-94 08:50:37 GMT", 0, 60},
		{"Sun Nov  6 08:50:37 1994", 0, 60},
		{"Sun, 66 Nov 1994 08:49:38 GMT", 0, 0},
		{"Tue, 08 Nov 1994 08:49:37 GMT", 0, 86400},
		{"Fri, 31 Dec 9999 23:59:59 GMT", 0, 86400},
		{"1994-11-06T08:50:37Z", 0, 60},
		{"1994-11-06T08:50:37Z", 500, 60},
		{"1994-11-06T08:49:37Z", 0, 0},
		{"9999-12-31T23:59:59Z", 0, 86400},
		{"1994-11-06", 0, 0},
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		UNIT_CHECK(rest_retry_after_s(rows[i].value, now + rows[i].later_ms) ==
				   rows[i].seconds,
			rows[i].value);
}

static void escape(void)
{
	static const struct {
		const char *text, *escaped;
	} rows[] = {
		{"", ""},
		{"AZaz09-._~", "AZaz09-._~"},
		{"a b", "a%20b"},
		{"/?#[]@!$&'()*+,;=:%",
			"%2F%3F%23%5B%5D%40%21%24%26%27%28%29%2A%2B%2C%3B%3D%3A%25"},
		{"\"<>\\^`{|}", "%22%3C%3E%5C%5E%60%7B%7C%7D"},
		{"\r\n\t\x01\x7f", "%0D%0A%09%01%7F"},
		{"ä€😀", "%C3%A4%E2%82%AC%F0%9F%98%80"},
		{"\xff", "%FF"},
	};
	struct arena *arena = arena_new();
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		UNIT_CHECK(strcmp(rest_escape(arena, rows[i].text), rows[i].escaped) == 0,
			rows[i].escaped);
	arena_free(&arena);
}

static void form(void)
{
	struct arena *arena = arena_new();

	CU_ASSERT_STRING_EQUAL(rest_form(arena, NULL), "");
	CU_ASSERT_STRING_EQUAL(rest_form(arena, "a", "b", NULL), "a=b");
	CU_ASSERT_STRING_EQUAL(rest_form(arena, "a", "", "b", "", NULL), "a=&b=");
	CU_ASSERT_STRING_EQUAL(rest_form(arena, "a b", "c&d=e", "f", "+ä\n", NULL),
		"a%20b=c%26d%3De&f=%2B%C3%A4%0A");
	CU_ASSERT_STRING_EQUAL(rest_form(arena, "grant_type", "client_credentials", "scope",
				       "https://graph.microsoft.com/.default", NULL),
		"grant_type=client_credentials&scope=https%3A%2F%2Fgraph.microsoft.com%2F.default");
	arena_free(&arena);
}

static const struct unit_case cases[] = {
	{"Retry-After", retry_after},
	{"percent encoding", escape},
	{"forms", form},
};

UNIT_MAIN("rest_text", cases)
