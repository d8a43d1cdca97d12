#include <json-c/json.h>

#include "json.h"
#include "unit.h"

/* The text is given in a piece of its own, so that a read behind its NUL is found. */
static enum err parse(const char *text, size_t len, struct json_object **json_r,
	struct arena *arena, struct err_info *info)
{
	char *bytes = malloc(len + 1);
	enum err err;

	memcpy(bytes, text, len);
	bytes[len] = '\0';
	err_clear(info);
	err = json_parse(arena, bytes, len, json_r, info);
	free(bytes);
	return err;
}

struct text_case {
	const char *name, *text;
};

static void check_texts(const struct text_case *rows, size_t count, enum err expected)
{
	struct arena *arena = arena_new();
	struct err_info info;
	struct json_object *json;
	size_t i;

	for (i = 0; i < count; i++) {
		UNIT_CHECK(
			parse(rows[i].text, strlen(rows[i].text), &json, arena, &info) == expected,
			rows[i].name);
		UNIT_CHECK(expected == ERR_OK || (!json && info.err == expected && info.detail[0]),
			rows[i].name);
	}
	arena_free(&arena);
}

#define CHECK_TEXTS(rows, expected) check_texts(rows, sizeof(rows) / sizeof((rows)[0]), expected)

static void test_accepted(void)
{
	static const struct text_case rows[] = {
		{"object", "{}"},
		{"array", "[]"},
		{"string", "\"\""},
		{"number", "0"},
		{"true", "true"},
		{"false", "false"},
		{"null", "null"},
		{"white space around", " \t\r\n{ \"a\" : 1 , \"b\" : [ ] } \t\r\n"},
		{"number at the end", "17"},
		{"number and a newline", "17\n"},
		{"negative", "-1"},
		{"negative zero", "-0"},
		{"fraction", "-12.50"},
		{"exponents", "[1e5, 1E5, 1e+5, 1E-5, 0e0, 1.5e300]"},
		{"64 bits", "[9223372036854775807, -9223372036854775808]"},
		{"beyond 64 bits", "[123456789012345678901234567890, 1e999]"},
		{"every escape", "\"\\\" \\\\ \\/ \\b \\f \\n \\r \\t \\u00e4 \\uAbCd\""},
		{"a pair of surrogates", "\"\\ud83d\\ude00\""},
		{"NUL in a value", "{\"a\": \"\\u0000\"}"},
		{"DEL and C1", "\"\x7f\xc2\x80\""},
		{"UTF-8 in names and values", "{\"\xc3\xa4\": \"\xf0\x9f\x98\x80\"}"},
		{"empty name", "{\"\": 1}"},
		{"quotes and braces in strings", "[\"{\", \"]\", \"\\\"\", \"'\"]"},
		{"colons in strings",
			"{\"a:b\": \"c:d\", \"e\": [\":\", \"\\\":\\\"\", \"\\\\\"]}"},
		{"colons behind escaped quotes", "{\"a\\\"\": \"\\\\\\\":\", \"b\": \":\\\\\"}"},
	};

	CHECK_TEXTS(rows, ERR_OK);
}

static void test_refused(void)
{
	static const struct text_case rows[] = {
		{"empty", ""},
		{"only white space", " \n"},
		{"bytes after an object", "{} x"},
		{"bytes after a number", "1 x"},
		{"bytes after a string", "\"a\"b"},
		{"two objects", "{}{}"},
		{"two numbers", "1 2"},
		{"a comma after it", "{},"},
		{"one bracket too many", "[1]]"},
		{"byte order mark", "\xef\xbb\xbf{}"},
		{"form feed", "\f1"},
		{"no-break space", "\xc2\xa0"
				   "1"},
		{"cut object", "{\"a\": 1"},
		{"cut name", "{\"a"},
		{"cut before the colon", "{\"a\""},
		{"cut before the value", "{\"a\":"},
		{"cut array", "["},
		{"cut string", "\"a"},
		{"cut in an escape", "\"a\\"},
		{"cut in a code", "\"\\u00"},
		{"cut literal", "tru"},
		{"comma before }", "{\"a\": 1,}"},
		{"comma before ]", "[1,]"},
		{"only a comma", "[,]"},
		{"no comma", "[1 2]"},
		{"no colon", "{\"a\" 1}"},
		{"two colons", "{\"a\":: 1}"},
		{"three parts", "{\"a\": 1: 2}"},
		{"colon in an array", "[1: 2]"},
		{"wrong bracket", "[1}"},
		{"no value", "{\"a\": }"},
		{"name without quotes", "{a: 1}"},
		{"number as a name", "{1: 1}"},
		{"name in single quotes", "{'a': 1}"},
		{"string in single quotes", "['a']"},
		{"block comment", "/* a */ {}"},
		{"line comment", "{} // a"},
		{"comment within", "{\"a\": /*:*/ 1}"},
		{"other case", "TRUE"},
		{"two literals", "truefalse"},
		{"longer literal", "nullx"},
		{"NaN", "NaN"},
		{"NaN within", "[NaN]"},
		{"Infinity", "Infinity"},
		{"-Infinity within", "{\"a\": -Infinity}"},
		{"undefined", "undefined"},
		{"plus", "+1"},
		{"only a minus", "-"},
		{"two minuses", "--1"},
		{"minus in the middle", "1-1"},
		{"leading zero", "01"},
		{"two zeros", "00"},
		{"negative leading zero", "-01"},
		{"leading zero within", "[01]"},
		{"no digit before the point", ".5"},
		{"no digit behind the point", "1."},
		{"no digit behind the point, within", "[1., 2]"},
		{"no digit before the exponent", "1.e5"},
		{"no digit in the exponent", "1e"},
		{"only a sign in the exponent", "1e+"},
		{"two points", "1.5.5"},
		{"hexadecimal", "0x10"},
		{"a letter behind a number", "1a"},
		{"a string behind a number", "[1\"a\"]"},
		{"a list behind a number", "[1[2]]"},
		{"raw newline in a string", "\"a\nb\""},
		{"raw tab in a string", "\"a\tb\""},
		{"raw U+001F in a name", "{\"a\x1f\": 1}"},
		{"unknown escape", "\"\\x41\""},
		{"capital escape", "\"\\U0041\""},
		{"escaped single quote", "\"\\'\""},
		{"three digits", "\"\\u123\""},
		{"a digit that is none", "\"\\u12g4\""},
		{"a sign as a digit", "\"\\u+123\""},
		{"high surrogate alone", "\"\\ud800\""},
		{"high surrogate and text", "\"\\ud800abcdef\""},
		{"high surrogate and another escape", "\"\\ud800\\n\""},
		{"high surrogate and a letter", "\"\\ud800\\u0041\""},
		{"two high surrogates", "\"\\ud800\\ud800\""},
		{"low surrogate alone", "\"\\udc00\""},
		{"surrogates the wrong way round", "\"\\udc00\\ud800\""},
		{"lone surrogate in a name", "{\"\\udfff\": 1}"},
		/* json-c would cut it and take the field for `a`. */
		{"NUL in a name", "{\"a\\u0000b\": 1}"},
		{"NUL at the end of a name", "{\"a\\u0000\" : 1}"},
		{"invalid UTF-8", "\"\xff\""},
		{"overlong UTF-8", "\"\xc0\xaf\""},
		{"surrogate in UTF-8", "\"\xed\xa0\x80\""},
		{"cut UTF-8", "\"\xe2\x82\""},
		{"Latin-1", "\"caf\xe9\""},
	};

	CHECK_TEXTS(rows, ERR_MALFORMED);
}

static void test_duplicates(void)
{
	static const struct text_case rows[] = {
		{"next to each other", "{\"a\": 1, \"a\": 1}"},
		{"apart", "{\"a\": 1, \"b\": 2, \"a\": 3}"},
		{"empty names", "{\"\": 1, \"\": 2}"},
		{"null values", "{\"a\": null, \"a\": null}"},
		{"nested", "{\"x\": {\"a\": 1, \"a\": 2}}"},
		{"in an array", "[{\"a\": 1}, {\"a\": 1, \"a\": 2}]"},
		{"deep", "[[{\"x\": [{\"y\": {\"a\": 1, \"a\": 2}}]}]]"},
		{"the kept one is larger", "{\"a\": 1, \"a\": {\"b\": 1, \"c\": 2}}"},
		{"the lost one is larger", "{\"a\": {\"b\": 1, \"c\": [{\"d\": 2}]}, \"a\": 1}"},
		{"escaped", "{\"a\": 1, \"\\u0061\": 2}"},
		{"escaped otherwise", "{\"\xc3\xa4\": 1, \"\\u00e4\": 2, \"\\u00E4\": 3}"},
		{"colons in strings", "{\"a\": \":\", \"b\": \"::\", \"a\": \"\"}"},
		{"escaped quotes before colons", "{\"a\": \"\\\":\", \"a\": \"\\\\\"}"},
		{"a single quote hides a colon", "{\"a\": 1, \"a\": 2, '\"': \"\"}"},
		{"a NUL makes them equal", "{\"a\": 1, \"a\\u0000b\": 2}"},
	};
	static const struct text_case different[] = {
		{"in different objects", "{\"a\": {\"a\": {\"a\": [{\"a\": 1}, {\"a\": 1}]}}}"},
		{"other case", "{\"a\": 1, \"A\": 2}"},
		{"not normalised", "{\"\xc3\xa4\": 1, \"a\xcc\x88\": 2}"},
	};

	CHECK_TEXTS(rows, ERR_MALFORMED);
	CHECK_TEXTS(different, ERR_OK);
}

static void test_depth(void)
{
	static const struct {
		const char *name, *open, *close;
	} rows[] = {
		{"arrays", "[", "]"},
		{"objects", "{\"a\":", "}"},
	};
	struct arena *arena = arena_new();
	struct err_info info;
	struct json_object *json;
	char text[512];
	size_t i;
	int depth, level;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for (depth = 15; depth <= 18; depth++) {
			text[0] = '\0';
			for (level = 0; level < depth; level++)
				strcat(text, rows[i].open);
			strcat(text, "1");
			for (level = 0; level < depth; level++)
				strcat(text, rows[i].close);
			UNIT_CHECK(parse(text, strlen(text), &json, arena, &info) ==
					   (depth <= 16 ? ERR_OK : ERR_MALFORMED),
				rows[i].name);
		}
	}
	/* Depth is what is open at once, not what was opened. */
	text[0] = '\0';
	for (i = 0; i < 100; i++)
		strcat(text, i ? ",[]" : "[[]");
	strcat(text, "]");
	CU_ASSERT_EQUAL(parse(text, strlen(text), &json, arena, &info), ERR_OK);
	arena_free(&arena);
}

static void test_large(void)
{
	enum { LEN = 65536 };
	struct arena *arena = arena_new();
	struct err_info info;
	struct json_object *json;
	char *text = malloc(LEN + 1);

	memset(text, '[', LEN);
	CU_ASSERT_EQUAL(parse(text, LEN, &json, arena, &info), ERR_MALFORMED);
	memset(text, ']', LEN);
	CU_ASSERT_EQUAL(parse(text, LEN, &json, arena, &info), ERR_MALFORMED);
	memset(text, '9', LEN);
	CU_ASSERT_EQUAL(parse(text, LEN, &json, arena, &info), ERR_OK);
	memset(text, '"', LEN);
	CU_ASSERT_EQUAL(parse(text, LEN, &json, arena, &info), ERR_MALFORMED);
	memset(text, '\\', LEN);
	CU_ASSERT_EQUAL(parse(text, LEN, &json, arena, &info), ERR_MALFORMED);
	memset(text, ':', LEN);
	CU_ASSERT_EQUAL(parse(text, LEN, &json, arena, &info), ERR_MALFORMED);
	memset(text, 'a', LEN);
	text[0] = text[LEN - 1] = '"';
	CU_ASSERT_EQUAL(parse(text, LEN, &json, arena, &info), ERR_OK);
	CU_ASSERT_EQUAL(json_object_get_string_len(json), LEN - 2);
	free(text);
	arena_free(&arena);
}

static void test_nul_byte(void)
{
	static const struct {
		const char *name, *bytes;
		size_t len;
	} rows[] = {
		{"at the end", "{}\0", 3},
		{"at the start", "\0{}", 3},
		{"in a string", "\"a\0b\"", 5},
		{"behind a number", "1\0", 2},
		{"alone", "\0", 1},
	};
	struct arena *arena = arena_new();
	struct err_info info;
	struct json_object *json;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		UNIT_CHECK(parse(rows[i].bytes, rows[i].len, &json, arena, &info) == ERR_MALFORMED,
			rows[i].name);
	arena_free(&arena);
}

static void test_values(void)
{
	struct arena *arena = arena_new();
	struct err_info info;
	struct json_object *json, *value;
	const char *text = "{\"a\": \"x\\u0000y\", \"b\": 9007199254740993, \"c\": [null, true]}";

	CU_ASSERT_EQUAL(parse(text, strlen(text), &json, arena, &info), ERR_OK);
	value = json_object_object_get(json, "a");
	CU_ASSERT_EQUAL(json_object_get_string_len(value), 3);
	value = json_object_object_get(json, "b");
	CU_ASSERT_EQUAL(json_object_get_int64(value), INT64_C(9007199254740993));
	CU_ASSERT_EQUAL(json_object_array_length(json_object_object_get(json, "c")), 2);
	/* `null` is a value, and in json-c a NULL. */
	CU_ASSERT_EQUAL(parse("null", 4, &json, arena, &info), ERR_OK);
	CU_ASSERT_PTR_NULL(json);
	CU_ASSERT_EQUAL(json_parse(arena, "{", 1, &json, NULL), ERR_MALFORMED);
	arena_free(&arena);
}

static const struct unit_case cases[] = {
	{"what is JSON", test_accepted},
	{"what is not", test_refused},
	{"names that come twice", test_duplicates},
	{"depth 16 and 17", test_depth},
	{"64 KiB of the same", test_large},
	{"NUL bytes", test_nul_byte},
	{"values arrive whole", test_values},
};

UNIT_MAIN("json", cases)
