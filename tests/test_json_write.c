/* What is written is, byte for byte, what json-c makes of the same tree. */
#include <inttypes.h>
#include <json-c/json.h>

#include "arena.h"
#include "instant.h"
#include "json_write.h"
#include "unit.h"

enum { WRITE_CEILING = 1024 * 1024, WRITE_DOCUMENTS = 20000, WRITE_DEPTH = 5 };

static const char *by_json_c(struct json_object *json)
{
	return json_object_to_json_string_ext(
		json, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
}

static void test_commas(void)
{
	struct buf out;

	buf_init(&out, WRITE_CEILING);
	json_write_open(&out, '{');
	json_write_name(&out, "nothing");
	json_write_open(&out, '[');
	json_write_close(&out, ']');
	json_write_name(&out, "empty");
	json_write_open(&out, '{');
	json_write_close(&out, '}');
	json_write_name(&out, "items");
	json_write_open(&out, '[');
	json_write_text(&out, "one");
	json_write_text(&out, NULL);
	json_write_int(&out, 2);
	json_write_bool(&out, true);
	json_write_open(&out, '[');
	json_write_bool(&out, false);
	json_write_close(&out, ']');
	json_write_open(&out, '{');
	json_write_member(&out, "a", "");
	json_write_member(&out, "b", NULL);
	json_write_close(&out, '}');
	json_write_close(&out, ']');
	/* Where the byte before could be taken for the structure's. */
	json_write_member(&out, "ends with [", "[");
	json_write_member(&out, "ends with {", "{");
	json_write_member(&out, "ends with :", ":");
	json_write_joined(&out, "joi", "", "n\"ed", NULL);
	json_write_close(&out, '}');
	CU_ASSERT_STRING_EQUAL(out.bytes,
		"{\"nothing\":[],\"empty\":{},\"items\":[\"one\",null,2,true,[false],"
		"{\"a\":\"\",\"b\":null}],\"ends with [\":\"[\",\"ends with {\":\"{\","
		"\"ends with :\":\":\",\"join\\\"ed\"}");
	buf_fini(&out);
}

static void check_text(const char *text, const char *name)
{
	struct json_object *json = json_object_new_string(text);
	struct buf out;

	buf_init(&out, WRITE_CEILING);
	json_write_text(&out, text);
	UNIT_CHECK(strcmp(out.bytes, by_json_c(json)) == 0, name);
	out.len = 0;
	json_write_joined(&out, text, "", NULL);
	UNIT_CHECK(strcmp(out.bytes, by_json_c(json)) == 0, name);
	json_object_put(json);
	buf_fini(&out);
}

/* Alone, first, last, doubled and between others. What is no UTF-8 passes as it is. */
static void test_every_byte(void)
{
	static const char *const forms[] = {"?", "?b", "a?", "a?b", "??", "a?b?c"};
	char text[16], name[32], *at;
	size_t i;
	int c;

	for (c = 1; c < 256; c++) {
		for (i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
			strcpy(text, forms[i]);
			for (at = text; *at; at++)
				*at = *at == '?' ? (char)c : *at;
			snprintf(name, sizeof(name), "byte %02x in \"%s\"", (unsigned)c, forms[i]);
			check_text(text, name);
		}
	}
}

static const int64_t extremes[] = {0, 1, -1, 9, 10, -10, 99, 100, INT32_MAX, INT32_MIN,
	INT64_C(9007199254740993), INT64_MAX, INT64_MIN, INT64_MIN + 1};

static void test_numbers(void)
{
	char text[32];
	struct buf out;
	size_t i;

	for (i = 0; i < sizeof(extremes) / sizeof(extremes[0]); i++) {
		buf_init(&out, WRITE_CEILING);
		json_write_int(&out, extremes[i]);
		snprintf(text, sizeof(text), "%" PRId64, extremes[i]);
		UNIT_CHECK(strcmp(out.bytes, text) == 0, text);
		buf_fini(&out);
	}
}

static void test_instants(void)
{
	struct buf out;

	buf_init(&out, WRITE_CEILING);
	json_write_open(&out, '[');
	json_write_instant(&out, INT64_C(1803909600123), false);
	json_write_instant(&out, INT64_C(1803909600123), true);
	json_write_instant(&out, 0, true);
	json_write_close(&out, ']');
	CU_ASSERT_STRING_EQUAL(
		out.bytes, "[\"2027-03-01T14:00:00Z\",\"2027-03-01T14:00:00.123Z\",null]");
	buf_fini(&out);
}

/* Text that people or broken databases may hold. */
static const char *random_text(struct arena *arena, unsigned *seed)
{
	static const char *const pieces[] = {"a", "\"", "\\", "\\u0000", "/", "</script>", "\n",
		"\r\n", "\t", "\x01", "\x1f", "\x7f", "\xc3\xa4", "\xe2\x80\xae",
		"\xf0\x9f\x98\x80", "\xff", "\xc3", "\xed\xa0\x80", "{", "}", "[", ",", ":", " ",
		"null", "Lena M\xc3\xbcller", "https://meet.test/join?a=b&c=d#e"};
	const char *text = "";
	int count = rand_r(seed) % 8;

	while (count-- > 0)
		text = arena_printf(arena, "%s%s", text,
			pieces[(size_t)rand_r(seed) % (sizeof(pieces) / sizeof(pieces[0]))]);
	return text;
}

/* Draws a value, and makes it both ways. */
static struct json_object *random_value(
	struct arena *arena, unsigned *seed, int depth, struct buf *out)
{
	const int kind = rand_r(seed) % (depth > 0 ? 7 : 5);
	struct json_object *json = NULL;
	const char *text;
	int64_t number;
	int i, count;

	switch (kind) {
	case 0:
		json_write_text(out, NULL);
		return NULL;
	case 1:
		number = rand_r(seed) % 2;
		json_write_bool(out, number);
		return json_object_new_boolean(number);
	case 2:
		number = extremes[(size_t)rand_r(seed) % (sizeof(extremes) / sizeof(extremes[0]))];
		json_write_int(out, number);
		return json_object_new_int64(number);
	case 3:
	case 4:
		text = random_text(arena, seed);
		json_write_text(out, text);
		return json_object_new_string(text);
	default:
		break;
	}
	count = rand_r(seed) % 5;
	json = kind == 5 ? json_object_new_array() : json_object_new_object();
	json_write_open(out, kind == 5 ? '[' : '{');
	for (i = 0; i < count; i++) {
		if (kind == 5) {
			json_object_array_add(json, random_value(arena, seed, depth - 1, out));
			continue;
		}
		text = arena_printf(arena, "%d%s", i, random_text(arena, seed));
		json_write_key(out, text);
		json_object_object_add(json, text, random_value(arena, seed, depth - 1, out));
	}
	json_write_close(out, kind == 5 ? ']' : '}');
	return json;
}

static void test_random_documents(void)
{
	unsigned seed = 20270301;
	struct json_object *json;
	struct arena *arena;
	struct buf out;
	int i, wrong = 0;

	for (i = 0; i < WRITE_DOCUMENTS; i++) {
		arena = arena_new();
		buf_init(&out, WRITE_CEILING);
		json = random_value(arena, &seed, WRITE_DEPTH, &out);
		wrong += strcmp(out.bytes, json ? by_json_c(json) : "null") != 0;
		json_object_put(json);
		buf_fini(&out);
		arena_free(&arena);
	}
	CU_ASSERT_EQUAL(wrong, 0);
}

/* Whatever is asked for: no byte behind the ceiling, and it is told. */
static void test_too_long(void)
{
	struct json_object *json;
	struct arena *arena = arena_new();
	struct buf out;
	unsigned seed;
	size_t ceiling;

	for (ceiling = 0; ceiling < 200; ceiling++) {
		seed = 4711;
		buf_init(&out, ceiling);
		json_write_open(&out, '[');
		while (!out.overflow) {
			json = random_value(arena, &seed, 2, &out);
			json_object_put(json);
		}
		json_write_close(&out, ']');
		CU_ASSERT(out.overflow && out.len <= ceiling);
		buf_fini(&out);
	}
	arena_free(&arena);
}

static const struct unit_case cases[] = {
	{"commas", test_commas},
	{"every byte", test_every_byte},
	{"numbers", test_numbers},
	{"instants", test_instants},
	{"random documents", test_random_documents},
	{"too long", test_too_long},
};

UNIT_MAIN("json_write", cases)
