#include "http_exchange.h"
#include "unit.h"

static void test_etag_is_strong_hash(void)
{
	struct arena *arena = arena_new();
	const char *one = http_etag(arena, "one", 3), *two = http_etag(arena, "two", 3);

	CU_ASSERT_EQUAL(strlen(one), 34);
	CU_ASSERT(one[0] == '"' && one[33] == '"');
	CU_ASSERT_STRING_EQUAL(one, http_etag(arena, "one", 3));
	CU_ASSERT_STRING_NOT_EQUAL(one, two);
	CU_ASSERT_STRING_NOT_EQUAL(http_etag(arena, "", 0), http_etag(arena, "\0", 1));
	arena_free(&arena);
}

static void test_etag_listed(void)
{
	static const struct {
		const char *name, *value;
		bool strong, weak; /* whether `"a"` is listed by each comparison */
	} cases[] = {
		{"same", "\"a\"", true, true},
		{"other", "\"b\"", false, false},
		{"weak prefix", "W/\"a\"", false, true},
		{"any", "*", true, true},
		{"any, with spaces", " * ", true, true},
		{"any is not part of a list", "*, \"a\"", false, false},
		{"in a list", "\"b\", \"a\"", true, true},
		{"in a list without spaces", "\"b\",\"a\",\"c\"", true, true},
		{"weak in a list", "W/\"b\" , W/\"a\"", false, true},
		{"empty elements", ", ,\"a\",", true, true},
		{"comma inside a tag", "\"b,\\\"\", \"a\"", false, false},
		{"comma inside a tag, well formed", "\"b,c\", \"a\"", true, true},
		{"prefix of a tag", "\"ab\"", false, false},
		{"empty tag", "\"\"", false, false},
		{"no quotes", "a", false, false},
		{"unclosed", "\"a", false, false},
		{"lower-case w", "w/\"a\"", false, false},
		{"found before junk", "\"a\" junk", true, true},
		{"not found behind junk", "junk, \"a\"", false, false},
		{"space inside a tag", "\"x y\", \"a\"", false, false},
		{"empty", "", false, false},
		{"only commas", ",,,", false, false},
	};
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (http_etag_listed(cases[i].value, "\"a\"", false) != cases[i].strong)
			CU_FAIL(cases[i].name);
		if (http_etag_listed(cases[i].value, "\"a\"", true) != cases[i].weak)
			CU_FAIL(cases[i].name);
	}
}

static void test_part_listed(void)
{
	static const struct {
		const char *name, *value;
		bool listed; /* whether one is whose first part is `a` */
	} cases[] = {
		{"same", "\"a-x\"", true},
		{"another second part", "\"a-y-z\"", true},
		{"no second part", "\"a\"", false},
		{"an empty second part", "\"a-\"", true},
		{"another first part", "\"b-x\"", false},
		{"a longer first part", "\"aa-x\"", false},
		{"weak", "W/\"a-x\"", false},
		{"in a list", "\"b-x\", \"a-x\"", true},
		{"within another", "\"b,a-x\"", false},
		{"unclosed", "\"a-x", false},
		{"any", "*", true},
		{"empty", "", false},
	};
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		UNIT_CHECK(http_etag_part_listed(cases[i].value, "\"a-") == cases[i].listed,
			cases[i].name);
}

static const struct unit_case cases[] = {
	{"an entity tag is a strong hash of the bytes", test_etag_is_strong_hash},
	{"lists of entity tags", test_etag_listed},
	{"first parts of entity tags", test_part_listed},
};

UNIT_MAIN("http_etag", cases)
