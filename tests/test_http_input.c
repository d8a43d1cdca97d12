#include "http_input.h"
#include "buf.h"
#include "http_media.h"
#include "instant.h"
#include "unit.h"

static const char *const order_names[] = {"desc", "asc", NULL};

struct listing {
	int64_t limit, from;
	bool all;
	int order;
	const char *cursor;
};

static const struct model_field listing_fields[] = {
	{.name = "limit",
		.type = MODEL_INT,
		.offset = offsetof(struct listing, limit),
		.min = 1,
		.max = 200},
	{.name = "from", .type = MODEL_INSTANT, .offset = offsetof(struct listing, from)},
	{.name = "all", .type = MODEL_BOOL, .offset = offsetof(struct listing, all)},
	{.name = "order",
		.type = MODEL_ENUM,
		.offset = offsetof(struct listing, order),
		.names = order_names},
	{.name = "cursor",
		.type = MODEL_STRING,
		.offset = offsetof(struct listing, cursor),
		.min = 1,
		.max = 8},
};
static const struct model listing_model = MODEL(struct listing, "listing", listing_fields);

static void test_decode(void)
{
	static const struct {
		const char *name, *text;
		enum http_decode decode;
		const char *plain; /* NULL: refused */
	} cases[] = {
		{"plain", "/a/b", HTTP_DECODE_PATH, "/a/b"},
		{"upper and lower hex", "%c3%A9", HTTP_DECODE_PATH, "\xc3\xa9"},
		{"once, not twice", "%2541", HTTP_DECODE_SEGMENT, "%41"},
		{"slash in a path", "a%2Fb", HTTP_DECODE_PATH, "a%2Fb"},
		{"small slash in a path", "a%2fb", HTTP_DECODE_PATH, "a%2fb"},
		{"percent in a path", "%2541", HTTP_DECODE_PATH, "%2541"},
		{"slash in a segment", "a%2Fb", HTTP_DECODE_SEGMENT, "a/b"},
		{"slash in a form", "a%2Fb", HTTP_DECODE_FORM, "a/b"},
		{"plus in a path", "a+b", HTTP_DECODE_PATH, "a+b"},
		{"plus in a form", "a+b%2B", HTTP_DECODE_FORM, "a b+"},
		{"NUL", "a%00b", HTTP_DECODE_FORM, NULL},
		{"no digits", "a%", HTTP_DECODE_FORM, NULL},
		{"one digit", "a%4", HTTP_DECODE_FORM, NULL},
		{"not hex", "%zz", HTTP_DECODE_FORM, NULL},
		{"sign", "%+1", HTTP_DECODE_FORM, NULL},
		{"overlong slash", "%c0%af", HTTP_DECODE_PATH, NULL},
		{"surrogate", "%ed%a0%80", HTTP_DECODE_FORM, NULL},
		{"raw Latin-1", "\xe9", HTTP_DECODE_FORM, NULL},
		{"empty", "", HTTP_DECODE_FORM, ""},
	};
	struct arena *arena = arena_new();
	const char *plain;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		plain = http_percent_decode(
			arena, cases[i].text, strlen(cases[i].text), cases[i].decode);
		if (!plain != !cases[i].plain || (plain && strcmp(plain, cases[i].plain) != 0))
			CU_FAIL(cases[i].name);
	}
	/* What stands behind the given length is not looked at. */
	CU_ASSERT_PTR_NULL(http_percent_decode(arena, "a%41", 3, HTTP_DECODE_FORM));
	arena_free(&arena);
}

static void test_query(void)
{
	static const struct {
		const char *name, *query;
		enum err err;
		const char *pointer; /* of the first field at fault */
	} cases[] = {
		{"empty", "", ERR_OK, ""},
		{"all", "limit=10&from=2027-03-01T14%3A00%3A00Z&all=true&order=asc&cursor=x",
			ERR_OK, ""},
		{"empty pieces", "&&limit=10&", ERR_OK, ""},
		{"encoded name", "l%69mit=10", ERR_OK, ""},
		{"unknown", "page=1", ERR_INVALID, "/page"},
		{"unknown with pointer characters", "a%2Fb~=1", ERR_INVALID, "/a~1b~0"},
		{"no name", "=1", ERR_INVALID, "/"},
		{"twice", "limit=10&limit=10", ERR_INVALID, "/limit"},
		{"out of range", "limit=201", ERR_INVALID, "/limit"},
		{"not a number", "limit=ten", ERR_INVALID, "/limit"},
		{"fraction", "limit=1.5", ERR_INVALID, "/limit"},
		{"exponent", "limit=1e1", ERR_INVALID, "/limit"},
		{"hexadecimal", "limit=0x10", ERR_INVALID, "/limit"},
		{"leading space", "limit=+10", ERR_INVALID, "/limit"},
		{"two signs", "limit=--1", ERR_INVALID, "/limit"},
		{"beyond 64 bits", "limit=99999999999999999999", ERR_INVALID, "/limit"},
		{"no value", "limit", ERR_INVALID, "/limit"},
		{"empty value", "limit=", ERR_INVALID, "/limit"},
		{"bool in words", "all=yes", ERR_INVALID, "/all"},
		{"the first instant", "from=1970-01-01T00:00:00Z", ERR_OK, ""},
		{"the first of a browser", "from=1970-01-01T00:00:00.000Z", ERR_OK, ""},
		{"instant of a browser", "from=2027-03-01T14:00:00.000Z", ERR_OK, ""},
		{"half a second", "from=2027-03-01T14:00:00.500Z", ERR_INVALID, "/from"},
		{"turned text", "cursor=a%E2%80%AEb", ERR_INVALID, "/cursor"},
		{"before the first instant", "from=1969-12-31T23:59:59Z", ERR_INVALID, "/from"},
		{"instant with offset", "from=2027-03-01T14:00:00%2B01:00", ERR_INVALID, "/from"},
		{"enum of another case", "order=ASC", ERR_INVALID, "/order"},
		{"too long", "cursor=123456789", ERR_INVALID, "/cursor"},
		{"control character", "cursor=a%0Ab", ERR_INVALID, "/cursor"},
		{"equals sign in a value", "cursor=a=b", ERR_OK, ""},
		{"broken escape", "cursor=%4", ERR_MALFORMED, ""},
		{"broken escape in a name", "%4=1", ERR_MALFORMED, ""},
		{"NUL", "order=asc%00x", ERR_MALFORMED, ""},
		{"not UTF-8", "%ff=1", ERR_MALFORMED, ""},
	};
	struct arena *arena = arena_new();
	struct err_info info;
	const void *query;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		err_clear(&info);
		if (http_query_read(arena, cases[i].query, &listing_model, &query, &info) !=
			cases[i].err)
			CU_FAIL(cases[i].name);
		if (*cases[i].pointer && (info.field_count < 1 || strcmp(info.fields[0].pointer,
									  cases[i].pointer) != 0))
			CU_FAIL(cases[i].name);
	}
	arena_free(&arena);
}

static void test_query_values(void)
{
	struct arena *arena = arena_new();
	struct err_info info = {0};
	const struct listing *listing;
	const void *query = NULL;

	CU_ASSERT_EQUAL(http_query_read(arena,
				"limit=10&from=2027-03-01T14:00:00Z&all=true&order=asc&cursor=a+b",
				&listing_model, &query, &info),
		ERR_OK);
	listing = query;
	CU_ASSERT_EQUAL(listing->limit, 10);
	CU_ASSERT_EQUAL(listing->from, INT64_C(1803909600000));
	CU_ASSERT(listing->all);
	CU_ASSERT_EQUAL(listing->order, 1);
	CU_ASSERT_STRING_EQUAL(listing->cursor, "a b");

	CU_ASSERT_EQUAL(http_query_read(arena, "", &listing_model, &query, &info), ERR_OK);
	listing = query;
	CU_ASSERT(listing->limit == 0 && !listing->cursor);
	CU_ASSERT_EQUAL(listing->from, 0);
	CU_ASSERT_EQUAL(
		http_query_read(arena, "from=1970-01-01T00:00:00Z", &listing_model, &query, &info),
		ERR_OK);
	listing = query;
	CU_ASSERT_EQUAL(listing->from, INSTANT_SECOND);
	arena_free(&arena);
}

static void test_query_limits(void)
{
	struct arena *arena = arena_new();
	struct err_info info = {0};
	const void *query;
	char text[8192];

	memset(text, '&', sizeof(text) - 1);
	text[4096] = '\0';
	CU_ASSERT_EQUAL(http_query_read(arena, text, &listing_model, &query, &info), ERR_OK);
	text[4096] = '&';
	text[4097] = '\0';
	CU_ASSERT_EQUAL(http_query_read(arena, text, &listing_model, &query, &info), ERR_MALFORMED);
	err_clear(&info);
	CU_ASSERT_EQUAL(http_query_read(arena, "", NULL, &query, &info), ERR_OK);
	CU_ASSERT_EQUAL(http_query_read(arena, "a=1", NULL, &query, &info), ERR_INVALID);
	arena_free(&arena);
}

static void test_body(void)
{
	static const struct {
		const char *name, *body;
		const struct model *model;
		bool optional;
		enum err err;
	} cases[] = {
		{"object", "{\"limit\": 10}", &listing_model, false, ERR_OK},
		{"unknown field", "{\"page\": 1}", &listing_model, false, ERR_INVALID},
		{"wrong type", "{\"limit\": \"10\"}", &listing_model, false, ERR_INVALID},
		{"list", "[]", &listing_model, false, ERR_INVALID},
		{"null", "null", &listing_model, false, ERR_INVALID},
		{"not JSON", "limit=10", &listing_model, false, ERR_MALFORMED},
		{"cut", "{\"limit\": 1", &listing_model, false, ERR_MALFORMED},
		{"two values", "{} {}", &listing_model, false, ERR_MALFORMED},
		{"field twice", "{\"limit\": 1, \"limit\": 2}", &listing_model, false,
			ERR_MALFORMED},
		{"byte order mark", "\xef\xbb\xbf{}", &listing_model, false, ERR_MALFORMED},
		{"empty", "", &listing_model, false, ERR_MALFORMED},
		{"empty, optional", "", &listing_model, true, ERR_OK},
		{"spaces, optional", "  ", &listing_model, true, ERR_MALFORMED},
		{"none expected, none sent", "", NULL, true, ERR_OK},
		{"none expected, empty object", "{}", NULL, true, ERR_OK},
		{"none expected, something sent", "{\"a\": 1}", NULL, true, ERR_INVALID},
	};
	struct arena *arena = arena_new();
	struct err_info info;
	void *input;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		err_clear(&info);
		if (http_body_read(arena, cases[i].body, strlen(cases[i].body), cases[i].model,
			    cases[i].optional, &input, &info) != cases[i].err)
			CU_FAIL(cases[i].name);
	}
	arena_free(&arena);
}

#define KEY_16  "0123456789abcdef"
#define KEY_128 KEY_16 KEY_16 KEY_16 KEY_16 KEY_16 KEY_16 KEY_16 KEY_16

static void test_idempotency_key(void)
{
	static const struct {
		const char *name, *value;
		const char *key; /* NULL: refused */
	} cases[] = {
		{"quoted", "\"8e03978e\"", "8e03978e"},
		{"bare", "8e03978e", "8e03978e"},
		{"bare with spaces and quotes", "a \"b\"", "a \"b\""},
		{"escapes", "\"a\\\"b\\\\c\"", "a\"b\\c"},
		{"other escape", "\"a\\nb\"", NULL},
		{"unclosed", "\"abc", NULL},
		{"only a quote", "\"", NULL},
		{"escape at the end", "\"abc\\", NULL},
		{"parameters", "\"abc\";v=1", NULL},
		{"two strings", "\"a\", \"b\"", NULL},
		{"empty", "", NULL},
		{"empty string", "\"\"", NULL},
		{"control character", "a\tb", NULL},
		{"DEL", "a\x7f", NULL},
		{"not ASCII", "caf\xc3\xa9", NULL},
		{"not ASCII, quoted", "\"caf\xc3\xa9\"", NULL},
		{"longest", KEY_128, KEY_128},
		{"longest, quoted", "\"" KEY_128 "\"", KEY_128},
		{"too long", KEY_128 "x", NULL},
		{"too long, quoted", "\"" KEY_128 "x\"", NULL},
		{"far too long, quoted", "\"" KEY_128 KEY_128 KEY_16 "\"", NULL},
	};
	struct arena *arena = arena_new();
	struct err_info info = {0};
	const char *key;
	enum err err;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		err = http_idempotency_key_read(arena, cases[i].value, &key, &info);
		if (err != (cases[i].key ? ERR_OK : ERR_MALFORMED) ||
			(err == ERR_OK && strcmp(key, cases[i].key) != 0))
			CU_FAIL(cases[i].name);
	}
	arena_free(&arena);
}

static void test_accept(void)
{
	static const struct {
		const char *accept;
		bool accepted;
	} cases[] = {
		{NULL, true},
		{"", true},
		{"*/*", true},
		{"application/*", true},
		{"application/json", true},
		{"Application/JSON", true},
		{"application/json;charset=utf-8", true},
		{"text/html, application/xhtml+xml, */*;q=0.8", true},
		{"text/html", false},
		{"text/*", false},
		{"application/json;q=0", false},
		{"application/json; q=0.000", false},
		{"application/json;Q=0", false},
		{"application/json;q=0.001", true},
		{"application/json;q=0, */*", false},
		{"*/*, application/json;q=0", false},
		{"application/*;q=0, */*;q=1", false},
		{"application/json, application/*;q=0", true},
		{"*/*;q=0", false},
		{"application/json;q=2", false},
		{"application/json;q=-1", false},
		{"application/json;q=", false},
		{"application/jsonx", false},
		{"application/jso", false},
		{"application", false},
		{"application/", false},
		{"*", false},
		{"*/json", false},
		{",,application/json,", true},
		{"text/plain;x=\"a,application/json\"", false},
		{"text/plain;x=\"\\\",application/json", false},
		{"text/plain;x=\";q=0\", application/json", true},
		{";q=1,,;", false},
	};
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (http_media_accepted(cases[i].accept, "application/json") != cases[i].accepted)
			CU_FAIL(cases[i].accept);
}

static void test_accept_language(void)
{
	static const struct {
		const char *accept, *ranges; /* "range=weight" of each */
	} cases[] = {
		{NULL, ""},
		{"", ""},
		{" ,, ,", ""},
		{"de", "de=1000"},
		{"DE", "DE=1000"},
		{"de-DE,de;q=0.9,en;q=0.5", "de-DE=1000 de=900 en=500"},
		{"en;q=0.5,de;q=0.9,de-DE", "de-DE=1000 de=900 en=500"},
		{"fr, de;q=0.8", "fr=1000 de=800"},
		{"de;q=0, en", "en=1000 de=0"},
		{"de;q=0.000,en;q=0.001", "en=1 de=0"},
		{"de ; q=0.3\t,\ten;Q=1.000", "en=1000 de=300"},
		{"a, b;q=0.5, c, d;q=0.5", "a=1000 c=1000 b=500 d=500"},
		{"*, de;q=0.1", "*=1000 de=100"},
		{"zh-Hant-TW, es-419, sl-1994", "zh-Hant-TW=1000 es-419=1000 sl-1994=1000"},
		{"de;q=2, en;q=-1, fr;q=, it;q=0.1234, es;q=x", ""},
		{"de_DE, ../de, de/x, \"de\", d\xc3\xa9, *-de, de en, ;q=1, nl", "nl=1000"},
		{"\"de, en", ""},
		{"abcdefghijklmnopqrstuvwxyzabcdefghi;q=0.1, abcdefghijklmnopqrstuvwxyzabcdefghij",
			"abcdefghijklmnopqrstuvwxyzabcdefghi=100"},
	};
	struct http_language languages[HTTP_MAX_LANGUAGES];
	struct arena *arena = arena_new();
	size_t i, n, count;
	char many[1000];
	struct buf told;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		buf_init(&told, 1000);
		count = http_media_languages(arena, cases[i].accept, languages);
		for (n = 0; n < count; n++)
			buf_addf(&told, "%s%s=%d", n ? " " : "", languages[n].range,
				languages[n].weight);
		UNIT_CHECK(strcmp(told.bytes, cases[i].ranges) == 0, told.bytes);
		buf_fini(&told);
	}
	for (i = 0; i + 3 < sizeof(many); i += 3)
		memcpy(many + i, "xx,", 4);
	memcpy(many, "de", 2);
	CU_ASSERT_EQUAL(http_media_languages(arena, many, languages), HTTP_MAX_LANGUAGES);
	CU_ASSERT_STRING_EQUAL(languages[0].range, "de");
	arena_free(&arena);
}

static void test_content_type(void)
{
	static const struct {
		const char *type;
		bool json;
	} cases[] = {
		{"application/json", true},
		{"APPLICATION/JSON", true},
		{"application/json;charset=utf-8", true},
		{"application/json; charset=UTF-8", true},
		{"application/json ; charset=\"utf-8\"", true},
		{"application/json; profile=x; charset=utf-8", true},
		{"application/json;", true},
		{"application/json; charset=latin1", false},
		{"application/json; charset=utf-16", false},
		{"application/json; charset=", false},
		{"application/json, text/plain", false},
		{"application/jsonp", false},
		{"application/problem+json", false},
		{"text/json", false},
		{"application/x-www-form-urlencoded", false},
		{"", false},
		{NULL, false},
	};
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (http_media_is_json(cases[i].type) != cases[i].json)
			CU_FAIL(cases[i].type);
}

static const struct unit_case cases[] = {
	{"percent-decoding", test_decode},
	{"query strings", test_query},
	{"query values arrive in the model", test_query_values},
	{"query limits", test_query_limits},
	{"bodies", test_body},
	{"Idempotency-Key", test_idempotency_key},
	{"Accept", test_accept},
	{"Accept-Language", test_accept_language},
	{"Content-Type", test_content_type},
};

UNIT_MAIN("http_input", cases)
