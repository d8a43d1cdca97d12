#include <json-c/json.h>

#include "buf.h"
#include "json_write.h"
#include "model.h"
#include "unit.h"
#include "utf8.h"

#define TURNED                                                                                     \
	"must not contain characters that turn the direction of text, U+FEFF or noncharacters"

static const char *const colour_names[] = {"red", "green", "blue", NULL};

struct part {
	const char *name;
	int64_t weight;
	struct part *inner;
};

struct thing {
	const char *title, *notes, *any;
	int64_t count, number, starts_at;
	bool open;
	int colour;
	struct part *part;
	struct model_list parts; /* struct part */
	struct model_list tags;  /* strings */
	struct model_list sizes; /* int64_t */
	struct model_list names; /* map */
};

static const struct model part_model;
static const struct model_field part_fields[] = {
	{.name = "name",
		.type = MODEL_STRING,
		.offset = offsetof(struct part, name),
		.flags = MODEL_SHOWN | MODEL_REQUIRED,
		.min = 1,
		.max = 5},
	{.name = "weight",
		.type = MODEL_INT,
		.offset = offsetof(struct part, weight),
		.flags = MODEL_STORED},
	{.name = "inner",
		.type = MODEL_OBJECT,
		.offset = offsetof(struct part, inner),
		.flags = MODEL_SHOWN | MODEL_SPARSE,
		.of = &part_model},
};
static const struct model part_model = MODEL(struct part, "part", part_fields);

#define FIELD(field, kind, field_flags, ...)                                                       \
	{                                                                                          \
		.name = #field, .type = kind, .offset = offsetof(struct thing, field),             \
		.flags = MODEL_SHOWN | (field_flags), __VA_ARGS__                                  \
	}

static const struct model_field thing_fields[] = {
	FIELD(title, MODEL_STRING, MODEL_REQUIRED, .min = 2, .max = 4),
	FIELD(notes, MODEL_STRING, MODEL_MULTILINE | MODEL_SPARSE, .min = 0, .max = 40),
	FIELD(any, MODEL_STRING, MODEL_SPARSE, .max = 0),
	FIELD(count, MODEL_INT, 0, .min = -5, .max = 5),
	FIELD(number, MODEL_INT, MODEL_STORED, .max = 0),
	FIELD(starts_at, MODEL_INSTANT, MODEL_MS, .max = 0),
	FIELD(open, MODEL_BOOL, 0, .max = 0),
	FIELD(colour, MODEL_ENUM, 0, .names = colour_names),
	FIELD(part, MODEL_OBJECT, 0, .of = &part_model),
	FIELD(parts, MODEL_LIST, 0, .of = &part_model, .min = 0, .max = 3),
	FIELD(tags, MODEL_STRINGS, 0, .min = 1, .max = 20),
	FIELD(sizes, MODEL_INTS, 0, .min = 5, .max = 60),
};
static const struct model thing_model = MODEL(struct thing, "thing", thing_fields);

/* Reads with json-c alone: what json_parse refuses first must not be needed here. */
static enum err read_thing(struct arena *arena, const char *text, const char *base,
	struct thing *thing_r, struct err_info *info)
{
	struct json_object *json = json_tokener_parse(text);
	enum err err;

	memset(thing_r, 0, sizeof(*thing_r));
	err_clear(info);
	err = model_from_json(&thing_model, arena, json, base, thing_r, info);
	json_object_put(json);
	return err;
}

static void test_values(void)
{
	struct arena *arena = arena_new();
	struct err_info info;
	struct thing thing;

	CU_ASSERT_EQUAL(read_thing(arena,
				"{\"title\": \"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80z\","
				"\"notes\": \"a\\r\\n\\tb\", \"any\": \"\", \"count\": -5,"
				"\"number\": -9007199254740993, \"starts_at\": "
				"\"2027-03-01T14:00:00Z\", \"open\": true, \"colour\": \"blue\","
				"\"part\": {\"name\": \"p\", \"weight\": 3, \"inner\": {\"name\": "
				"\"q\"}}, \"parts\": [{\"name\": \"r\"}, {\"name\": \"s\"}],"
				"\"tags\": [\"x\", \"y\", \"z\"], \"sizes\": [60, 5, 60]}",
				"", &thing, &info),
		ERR_OK);
	CU_ASSERT_STRING_EQUAL(thing.title, "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80z");
	CU_ASSERT_STRING_EQUAL(thing.notes, "a\r\n\tb");
	CU_ASSERT_STRING_EQUAL(thing.any, "");
	CU_ASSERT_EQUAL(thing.count, -5);
	CU_ASSERT_EQUAL(thing.number, INT64_C(-9007199254740993));
	CU_ASSERT_EQUAL(thing.starts_at, INT64_C(1803909600000));
	CU_ASSERT(thing.open);
	CU_ASSERT_EQUAL(thing.colour, 2);
	CU_ASSERT_STRING_EQUAL(thing.part->name, "p");
	CU_ASSERT_EQUAL(thing.part->weight, 3);
	CU_ASSERT_STRING_EQUAL(thing.part->inner->name, "q");
	CU_ASSERT_PTR_NULL(thing.part->inner->inner);
	CU_ASSERT_EQUAL(thing.parts.count, 2);
	CU_ASSERT_STRING_EQUAL(MODEL_AT(&thing.parts, struct part, 1)->name, "s");
	CU_ASSERT_EQUAL(thing.tags.count, 3);
	CU_ASSERT_STRING_EQUAL(*MODEL_AT(&thing.tags, const char *, 2), "z");
	CU_ASSERT_EQUAL(thing.sizes.count, 3);
	CU_ASSERT_EQUAL(*MODEL_AT(&thing.sizes, int64_t, 0), 60);
	CU_ASSERT_EQUAL(*MODEL_AT(&thing.sizes, int64_t, 1), 5);

	/* What is left out or null keeps the value it had. */
	CU_ASSERT_EQUAL(read_thing(arena, "{\"title\": \"ab\", \"part\": null, \"count\": null}",
				"", &thing, &info),
		ERR_OK);
	CU_ASSERT_PTR_NULL(thing.part);
	CU_ASSERT(!thing.notes && thing.count == 0 && thing.parts.count == 0);
	arena_free(&arena);
}

#define X5   "xxxxx"
#define X40  X5 X5 X5 X5 X5 X5 X5 X5
#define X200 X40 X40 X40 X40 X40

static void test_fields(void)
{
	static const struct {
		const char *name, *member; /* beside a valid title, or instead of it */
		const char *pointer;       /* of the field at fault; NULL: accepted */
		const char *detail;
	} rows[] = {
		{"shortest", "\"title\": \"ab\"", NULL, NULL},
		{"longest, in code points", "\"title\": \"\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\"", NULL,
			NULL},
		{"too short", "\"title\": \"a\"", "/title", "must have 2 to 4 characters"},
		{"too long", "\"title\": \"abcde\"", "/title", "must have 2 to 4 characters"},
		{"empty", "\"title\": \"\"", "/title", "must have 2 to 4 characters"},
		{"missing", "\"open\": true", "/title", "is required"},
		{"null", "\"title\": null", "/title", "is required"},
		{"number for text", "\"title\": 12", "/title", "must be a string"},
		{"list for text", "\"title\": [\"ab\"]", "/title", "must be a string"},
		{"bool for text", "\"title\": true", "/title", "must be a string"},
		{"object for text", "\"title\": {}", "/title", "must be a string"},
		{"newline", "\"title\": \"a\\nb\"", "/title",
			"must not contain control characters"},
		{"C1", "\"title\": \"a\\u0085\"", "/title", "must not contain control characters"},
		{"line separator", "\"title\": \"a\\u2028\"", "/title",
			"must not contain control characters"},
		{"NUL", "\"title\": \"ab\\u0000\"", "/title",
			"must not contain control characters"},
		{"NUL in many lines", "\"notes\": \"a\\u0000b\"", "/notes",
			"must not contain control characters"},
		{"escape in many lines", "\"notes\": \"a\\u001bb\"", "/notes",
			"must not contain control characters"},
		{"turned text", "\"title\": \"a\\u202eb\"", "/title", TURNED},
		{"turned text in many lines", "\"notes\": \"a\\nb\\u2067\"", "/notes", TURNED},
		{"longest notes", "\"notes\": \"" X40 "\"", NULL, NULL},
		{"too long notes", "\"notes\": \"" X40 "x\"", "/notes",
			"must have 0 to 40 characters"},
		{"any length", "\"any\": \"" X200 X200 "\"", NULL, NULL},

		{"least", "\"count\": -5", NULL, NULL},
		{"greatest", "\"count\": 5", NULL, NULL},
		{"too small", "\"count\": -6", "/count", "must be between -5 and 5"},
		{"too great", "\"count\": 6", "/count", "must be between -5 and 5"},
		{"fraction", "\"count\": 1.0", "/count", "must be a whole number"},
		{"exponent", "\"count\": 1e0", "/count", "must be a whole number"},
		{"text for a number", "\"count\": \"1\"", "/count", "must be a whole number"},
		{"bool for a number", "\"count\": true", "/count", "must be a whole number"},
		{"beyond 64 bits, bounded", "\"count\": 18446744073709551617", "/count",
			"must be between -5 and 5"},
		{"64 bits", "\"number\": 9223372036854775806", NULL, NULL},
		{"64 bits, negative", "\"number\": -9223372036854775807", NULL, NULL},
		{"beyond 64 bits", "\"number\": 9223372036854775808", "/number",
			"is too large a number"},
		{"far beyond 64 bits", "\"number\": 99999999999999999999999", "/number",
			"is too large a number"},
		{"beyond 64 bits, negative", "\"number\": -9223372036854775809", "/number",
			"is too large a number"},

		{"false", "\"open\": false", NULL, NULL},
		{"text for a bool", "\"open\": \"true\"", "/open", "must be true or false"},
		{"number for a bool", "\"open\": 1", "/open", "must be true or false"},

		{"instant", "\"starts_at\": \"2027-03-01T14:00:00Z\"", NULL, NULL},
		{"instant with an offset", "\"starts_at\": \"2027-03-01T14:00:00+01:00\"",
			"/starts_at", "must be an instant in UTC like 2027-03-01T14:00:00Z"},
		{"30 February", "\"starts_at\": \"2027-02-30T14:00:00Z\"", "/starts_at",
			"must be an instant in UTC like 2027-03-01T14:00:00Z"},
		{"number for an instant", "\"starts_at\": 1803909600", "/starts_at",
			"must be an instant in UTC like 2027-03-01T14:00:00Z"},
		{"NUL behind an instant", "\"starts_at\": \"2027-03-01T14:00:00Z\\u0000x\"",
			"/starts_at", "must be an instant in UTC like 2027-03-01T14:00:00Z"},

		{"enum", "\"colour\": \"green\"", NULL, NULL},
		{"unknown name", "\"colour\": \"pink\"", "/colour",
			"must be one of: red, green, blue"},
		{"name of another case", "\"colour\": \"Red\"", "/colour",
			"must be one of: red, green, blue"},
		{"part of a name", "\"colour\": \"re\"", "/colour",
			"must be one of: red, green, blue"},
		{"NUL behind a name", "\"colour\": \"red\\u0000\"", "/colour",
			"must be one of: red, green, blue"},
		{"number for a name", "\"colour\": 0", "/colour",
			"must be one of: red, green, blue"},

		{"text for an object", "\"part\": \"x\"", "/part", "must be an object"},
		{"list for an object", "\"part\": []", "/part", "must be an object"},
		{"empty object", "\"part\": {}", "/part/name", "is required"},
		{"fault within", "\"part\": {\"name\": \"toolong\"}", "/part/name",
			"must have 1 to 5 characters"},
		{"fault deep within",
			"\"part\": {\"name\": \"p\", \"inner\": {\"name\": \"q\", \"inner\": {}}}",
			"/part/inner/inner/name", "is required"},
		{"unknown within", "\"part\": {\"name\": \"p\", \"colour\": 1}", "/part/colour",
			"is not a known field"},

		{"empty list", "\"parts\": []", NULL, NULL},
		{"longest list",
			"\"parts\": [{\"name\": \"1\"}, {\"name\": \"2\"}, {\"name\": \"3\"}]",
			NULL, NULL},
		{"too long a list", "\"parts\": [{}, {}, {}, {}]", "/parts",
			"must have 0 to 3 items"},
		{"object for a list", "\"parts\": {}", "/parts", "must be a list"},
		{"text in a list of objects", "\"parts\": [{\"name\": \"1\"}, \"2\"]", "/parts/1",
			"must be an object"},
		{"null in a list of objects", "\"parts\": [null]", "/parts/0", "must be an object"},
		{"fault in a list", "\"parts\": [{\"name\": \"1\"}, {\"name\": 2}]",
			"/parts/1/name", "must be a string"},

		{"too few strings", "\"tags\": []", "/tags", "must have 1 to 20 items"},
		{"text for a list", "\"tags\": \"x\"", "/tags", "must be a list"},
		{"number in a list of strings", "\"tags\": [\"x\", 1]", "/tags/1",
			"must be a string"},
		{"null in a list of strings", "\"tags\": [null]", "/tags/0", "must be a string"},
		{"empty string in a list", "\"tags\": [\"\"]", "/tags/0",
			"must have 1 to 200 characters"},
		{"longest string in a list", "\"tags\": [\"" X200 "\"]", NULL, NULL},
		{"too long a string in a list", "\"tags\": [\"" X200 "x\"]", "/tags/0",
			"must have 1 to 200 characters"},

		{"no numbers", "\"sizes\": []", NULL, NULL},
		{"number for numbers", "\"sizes\": 5", "/sizes", "must be a list"},
		{"object for numbers", "\"sizes\": {}", "/sizes", "must be a list"},
		{"text in numbers", "\"sizes\": [5, \"6\"]", "/sizes/1", "must be a whole number"},
		{"null in numbers", "\"sizes\": [null]", "/sizes/0", "must be a whole number"},
		{"fraction in numbers", "\"sizes\": [5.5]", "/sizes/0", "must be a whole number"},
		{"number too small", "\"sizes\": [60, 4]", "/sizes/1", "must be between 5 and 60"},
		{"number too great", "\"sizes\": [61]", "/sizes/0", "must be between 5 and 60"},
		{"number beyond 64 bits", "\"sizes\": [9223372036854775808]", "/sizes/0",
			"must be between 5 and 60"},

		{"unknown", "\"page\": 1", "/page", "is not a known field"},
		{"unknown and null", "\"page\": null", "/page", "is not a known field"},
		{"unknown without a name", "\"\": 1", "/", "is not a known field"},
		{"a slash in a name", "\"a/b\": 1", "/a~1b", "is not a known field"},
		{"a tilde in a name", "\"a~b\": 1", "/a~0b", "is not a known field"},
		{"an escape in a name", "\"~1/~0\": 1", "/~01~1~00", "is not a known field"},
		{"part of a name of ours", "\"titl\": 1", "/titl", "is not a known field"},
	};
	struct arena *arena = arena_new();
	struct err_info info;
	struct thing thing;
	char text[1024];
	bool titled;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		titled = rows[i].pointer && strcmp(rows[i].pointer, "/title") == 0;
		titled |= strncmp(rows[i].member, "\"title\"", 7) == 0;
		snprintf(text, sizeof(text), "{%s%s}", titled ? "" : "\"title\": \"ab\", ",
			rows[i].member);
		UNIT_CHECK(read_thing(arena, text, "", &thing, &info) ==
				   (rows[i].pointer ? ERR_INVALID : ERR_OK),
			rows[i].name);
		UNIT_CHECK(info.field_count == (rows[i].pointer ? 1 : 0), rows[i].name);
		if (!rows[i].pointer)
			continue;
		UNIT_CHECK(strcmp(info.fields[0].pointer, rows[i].pointer) == 0, rows[i].name);
		UNIT_CHECK(strcmp(info.fields[0].detail, rows[i].detail) == 0, rows[i].name);
	}
	arena_free(&arena);
}

static void test_body(void)
{
	static const char *const bodies[] = {"[]", "\"text\"", "7", "null", "true"};
	struct arena *arena = arena_new();
	struct err_info info;
	struct thing thing;
	size_t i;

	for (i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		UNIT_CHECK(
			read_thing(arena, bodies[i], "", &thing, &info) == ERR_INVALID, bodies[i]);
		UNIT_CHECK(info.field_count == 1 && info.fields[0].pointer[0] == '\0', bodies[i]);
	}
	CU_ASSERT_EQUAL(read_thing(arena, "[]", "/a/b", &thing, &info), ERR_INVALID);
	CU_ASSERT_STRING_EQUAL(info.fields[0].pointer, "/a/b");
	CU_ASSERT_EQUAL(read_thing(arena, "{}", "/a/b", &thing, &info), ERR_INVALID);
	CU_ASSERT_STRING_EQUAL(info.fields[0].pointer, "/a/b/title");
	arena_free(&arena);
}

/* Everything at fault is noted at once, but no more than sixteen. */
static void test_many_faults(void)
{
	struct arena *arena = arena_new();
	struct err_info info;
	struct thing thing;

	CU_ASSERT_EQUAL(read_thing(arena,
				"{\"title\": 1, \"count\": \"x\", \"open\": 0, \"colour\": [],"
				"\"part\": {\"x\": 1}, \"tags\": [1, 2]}",
				"", &thing, &info),
		ERR_INVALID);
	CU_ASSERT_EQUAL(info.field_count, 8);
	CU_ASSERT_EQUAL(read_thing(arena,
				"{\"tags\": [1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20]}",
				"", &thing, &info),
		ERR_INVALID);
	CU_ASSERT_EQUAL(info.field_count, ERR_MAX_FIELDS);
	CU_ASSERT_STRING_EQUAL(info.fields[0].pointer, "/title");
	CU_ASSERT_STRING_EQUAL(info.fields[15].pointer, "/tags/14");
	arena_free(&arena);
}

/* A pointer to a long name is cut, but stays UTF-8 and a JSON pointer. */
static void test_long_names(void)
{
	static const char *const units[] = {
		"x", "~", "/", "\xc3\xa4", "\xe2\x82\xac", "\xf0\x9f\x98\x80"};
	struct arena *arena = arena_new();
	struct err_info info;
	struct thing thing;
	const char *pointer;
	char text[2048];
	size_t i, shift, n;

	for (i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		for (shift = 0; shift < 5; shift++) {
			snprintf(text, sizeof(text), "{\"title\": \"ab\", \"%.*s", (int)shift,
				"sssss");
			for (n = 0; n < 200; n++)
				strcat(text, units[i]);
			strcat(text, "\": 1}");
			UNIT_CHECK(read_thing(arena, text, "", &thing, &info) == ERR_INVALID,
				units[i]);
			pointer = info.fields[0].pointer;
			UNIT_CHECK(strlen(pointer) > 115 && strlen(pointer) < 128, units[i]);
			UNIT_CHECK(utf8_valid(pointer, strlen(pointer), NULL), units[i]);
			for (; (pointer = strchr(pointer, '~')); pointer++)
				UNIT_CHECK(pointer[1] == '0' || pointer[1] == '1', units[i]);
		}
	}
	/* Even behind a base that leaves no room. */
	memset(text, 'b', 200);
	text[0] = '/';
	text[200] = '\0';
	CU_ASSERT_EQUAL(read_thing(arena, "{\"title\": \"ab\", \"zz\": 1, \"tags\": [1]}", text,
				&thing, &info),
		ERR_INVALID);
	CU_ASSERT_EQUAL(info.field_count, 2);
	arena_free(&arena);
}

static void test_write(void)
{
	struct part inner = {.name = "q"}, part = {.name = "p", .weight = 3, .inner = &inner};
	struct thing thing = {.title = "t \"\xc3\xa4\"",
		.count = 1,
		.number = INT64_C(9007199254740993),
		.starts_at = INT64_C(1803909600123),
		.open = true,
		.colour = 1,
		.part = &part};
	struct arena *arena = arena_new();
	struct buf out;

	((struct part *)model_list_add(arena, &thing.parts, sizeof(struct part)))->name = "r";
	*(const char **)model_list_add(arena, &thing.tags, sizeof(const char *)) = "x";
	CU_ASSERT_STRING_EQUAL(model_text(arena, &thing_model, &thing, MODEL_SHOWN),
		"{\"title\":\"t \\\"\xc3\xa4\\\"\",\"count\":1,\"number\":9007199254740993,"
		"\"starts_at\":\"2027-03-01T14:00:00.123Z\",\"open\":true,\"colour\":\"green\","
		"\"part\":{\"name\":\"p\",\"inner\":{\"name\":\"q\"}},"
		"\"parts\":[{\"name\":\"r\"}],\"tags\":[\"x\"],\"sizes\":[]}");

	/* Only what has one of the flags, at every level. */
	CU_ASSERT_STRING_EQUAL(model_text(arena, &thing_model, &thing, MODEL_STORED),
		"{\"number\":9007199254740993}");
	CU_ASSERT_STRING_EQUAL(model_text(arena, &part_model, &part, MODEL_STORED | MODEL_SHOWN),
		"{\"name\":\"p\",\"weight\":3,\"inner\":{\"name\":\"q\",\"weight\":0}}");

	/* Null is written, but for the sparse. */
	CU_ASSERT_STRING_EQUAL(model_text(arena, &thing_model, &(struct thing){0}, MODEL_SHOWN),
		"{\"title\":null,\"count\":0,\"number\":0,\"starts_at\":null,\"open\":false,"
		"\"colour\":\"red\",\"part\":null,\"parts\":[],\"tags\":[],\"sizes\":[]}");

	/* The members alone, among others. */
	buf_init(&out, 1000);
	json_write_open(&out, '{');
	json_write_member(&out, "before", "b");
	model_write_members(&part_model, &inner, MODEL_SHOWN, &out);
	json_write_member(&out, "after", NULL);
	json_write_close(&out, '}');
	CU_ASSERT_STRING_EQUAL(out.bytes, "{\"before\":\"b\",\"name\":\"q\",\"after\":null}");
	buf_fini(&out);
	arena_free(&arena);
}

/* A list of numbers may have 200, whatever each may be. */
static void test_many_numbers(void)
{
	struct arena *arena = arena_new();
	struct err_info info;
	struct thing thing;
	const char *numbers = "5";
	size_t i;

	for (i = 1; i < 200; i++)
		numbers = arena_printf(arena, "%s,5", numbers);
	CU_ASSERT_EQUAL(
		read_thing(arena,
			arena_printf(arena, "{\"title\": \"ab\", \"sizes\": [%s]}", numbers), "",
			&thing, &info),
		ERR_OK);
	CU_ASSERT_EQUAL(thing.sizes.count, 200);
	CU_ASSERT_EQUAL(
		read_thing(arena,
			arena_printf(arena, "{\"title\": \"ab\", \"sizes\": [%s,5]}", numbers), "",
			&thing, &info),
		ERR_INVALID);
	CU_ASSERT_STRING_EQUAL(info.fields[0].pointer, "/sizes");
	arena_free(&arena);
}

static void test_maps(void)
{
	static const struct model_field field[] = {
		FIELD(names, MODEL_MAP, 0, .max = 0), FIELD(sizes, MODEL_INTS, 0, .max = 0)};
	static const struct model model = MODEL(struct thing, "thing", field);
	struct arena *arena = arena_new();
	struct thing thing = {0};

	CU_ASSERT_PTR_NULL(model_map_get(&thing.names, "a"));
	model_map_set(arena, &thing.names, "a", NULL);
	CU_ASSERT_EQUAL(thing.names.count, 0);
	model_map_set(arena, &thing.names, "a", "1");
	model_map_set(arena, &thing.names, "b/c", "2 \"\xc3\xa4\"");
	model_map_set(arena, &thing.names, "d", "3");
	model_map_set(arena, &thing.names, "a", "4");
	CU_ASSERT_EQUAL(thing.names.count, 3);
	CU_ASSERT_STRING_EQUAL(model_map_get(&thing.names, "a"), "4");
	CU_ASSERT_STRING_EQUAL(model_map_get(&thing.names, "d"), "3");
	CU_ASSERT_PTR_NULL(model_map_get(&thing.names, "b"));
	model_map_set(arena, &thing.names, "d", NULL);
	*(int64_t *)model_list_add(arena, &thing.sizes, sizeof(int64_t)) = -7;
	CU_ASSERT_STRING_EQUAL(model_text(arena, &model, &thing, MODEL_SHOWN),
		"{\"names\":{\"a\":\"4\",\"b/c\":\"2 \\\"\xc3\xa4\\\"\"},\"sizes\":[-7]}");
	model_map_set(arena, &thing.names, "a", NULL);
	model_map_set(arena, &thing.names, "b/c", NULL);
	thing.sizes.count = 0;
	CU_ASSERT_STRING_EQUAL(
		model_text(arena, &model, &thing, MODEL_SHOWN), "{\"names\":{},\"sizes\":[]}");
	arena_free(&arena);
}

static void test_enum_value(void)
{
	CU_ASSERT_EQUAL(model_enum_value(colour_names, "red"), 0);
	CU_ASSERT_EQUAL(model_enum_value(colour_names, "blue"), 2);
	CU_ASSERT_EQUAL(model_enum_value(colour_names, "RED"), -1);
	CU_ASSERT_EQUAL(model_enum_value(colour_names, ""), -1);
}

/* Whether the list holds the numbers of `model`. */
static bool same(const struct model_list *list, const int64_t *numbers, size_t count)
{
	return list->count == count &&
	       (count == 0 || memcmp(list->items, numbers, count * sizeof(*numbers)) == 0);
}

static void test_list(void)
{
#define TURNED                                                                                     \
	"must not contain characters that turn the direction of text, U+FEFF or noncharacters"

	enum { LENGTH = 1000 };
	struct arena *arena = arena_new();
	struct model_list list = {0};
	int64_t numbers[LENGTH], *item, sum = 0;
	size_t i;
	bool zeroed = true;

	for (i = 0; i < LENGTH; i++) {
		item = model_list_add(arena, &list, sizeof(*item));
		zeroed &= *item == 0;
		*item = numbers[i] = (int64_t)i + 1;
	}
	CU_ASSERT(zeroed);
	CU_ASSERT(same(&list, numbers, LENGTH));
	MODEL_FOREACH (&list, int64_t, number)
		sum += *number;
	CU_ASSERT_EQUAL(sum, 500500);
	list = (struct model_list){0};
	MODEL_FOREACH (&list, int64_t, number)
		sum = 0;
	CU_ASSERT_EQUAL(sum, 500500);
	arena_free(&arena);
}

/* Adds and removes at every count from 1 to 1000: the room that is not remembered must be there. */
static void test_list_with_removes(void)
{
	enum { LENGTH = 1000 };
	struct arena *arena = arena_new();
	struct model_list list = {0};
	int64_t numbers[LENGTH + 8], *item, next = 1;
	size_t count = 0, index, step, target;
	bool held = true, zeroed = true;

	for (target = 1; target <= LENGTH; target++) {
		while (count < target + 3) {
			item = model_list_add(arena, &list, sizeof(*item));
			zeroed &= *item == 0;
			*item = numbers[count++] = next++;
		}
		for (step = 0; step < 3; step++) {
			index = step == 0 ? 0 : step == 1 ? count - 1 : count / 2;
			model_list_remove(&list, sizeof(*item), index);
			memmove(numbers + index, numbers + index + 1,
				(count - index - 1) * sizeof(*numbers));
			count--;
		}
		held &= same(&list, numbers, count);
	}
	CU_ASSERT(held);
	CU_ASSERT(zeroed);
	while (count > 0)
		model_list_remove(&list, sizeof(*item), --count);
	CU_ASSERT_EQUAL(list.count, 0);
	item = model_list_add(arena, &list, sizeof(*item));
	CU_ASSERT(*item == 0 && list.count == 1);
	arena_free(&arena);
}

static const struct unit_case cases[] = {
	{"every type is read", test_values},
	{"fields", test_fields},
	{"bodies that are no object", test_body},
	{"many faults", test_many_faults},
	{"pointers to long names", test_long_names},
	{"what is written, and to whom", test_write},
	{"many numbers", test_many_numbers},
	{"maps", test_maps},
	{"names of enums", test_enum_value},
	{"lists grow", test_list},
	{"lists grow and shrink", test_list_with_removes},
};

UNIT_MAIN("model", cases)
