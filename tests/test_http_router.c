#include <json-c/json.h>

#include "conf.h"
#include "http_date.h"
#include "http_router.h"
#include "instant.h"
#include "json_write.h"
#include "unit.h"
#include "utf8.h"

static const int64_t now = INT64_C(1900000000) * 1000;
static char secret[] = "0123456789abcdef0123456789abcdef", service[] = "meetlink", empty[] = "",
	    hs256[] = "HS256";

struct note {
	const char *title;
	int64_t limit;
};

static const struct model_field note_fields[] = {
	{.name = "title",
		.type = MODEL_STRING,
		.offset = offsetof(struct note, title),
		.flags = MODEL_REQUIRED,
		.min = 1,
		.max = 20},
};
static const struct model note_model = MODEL(struct note, "note", note_fields);
static const struct model_field list_fields[] = {
	{.name = "limit",
		.type = MODEL_INT,
		.offset = offsetof(struct note, limit),
		.min = 1,
		.max = 200},
};
static const struct model list_model = MODEL(struct note, "list", list_fields);

/* What the handlers left behind, reset by each request. */
static struct {
	int calls;
	const struct http_exchange *exchange;
} seen;

static enum err handle_json(struct http_exchange *exchange, struct err_info *info)
{
	struct buf *out = http_reply_buf(exchange);

	seen.calls++;
	json_write_open(out, '{');
	json_write_member(out, "path", "a/b");
	json_write_close(out, '}');
	return http_reply_json(exchange, 200, out, info);
}

static enum err handle_created(struct http_exchange *exchange, struct err_info *info)
{
	handle_json(exchange, info);
	exchange->status = 201;
	http_set_header(exchange, "Location", "/notes/%s", "1");
	return ERR_OK;
}

static enum err handle_gone(struct http_exchange *exchange, struct err_info *info)
{
	(void)info;
	seen.calls++;
	http_reply(exchange, 204, NULL, NULL, 0);
	return ERR_OK;
}

static int64_t page_modified;

static enum err handle_page(struct http_exchange *exchange, struct err_info *info)
{
	(void)info;
	seen.calls++;
	http_set_header(exchange, "Cache-Control", "no-store");
	http_set_header(exchange, "ETag", "\"mine\"");
	http_set_last_modified(exchange, page_modified);
	http_reply(exchange, 200, "text/calendar; charset=utf-8", "BEGIN", 5);
	return ERR_OK;
}

static enum err handle_failure(struct http_exchange *exchange, struct err_info *info)
{
	static const struct {
		const char *name;
		enum err err;
		int retry_after_s;
	} failures[] = {
		{"conflict", ERR_CONFLICT, 0},
		{"internal", ERR_INTERNAL, 0},
		{"config", ERR_CONFIG, 0},
		{"permanent", ERR_PERMANENT, 0},
		{"database", ERR_DATABASE_AWAY, 0},
		{"overloaded", ERR_OVERLOADED, 7},
		{"invalid", ERR_INVALID, 0},
	};
	char long_text[600];
	size_t i;

	http_set_header(exchange, "Location", "/half-done");
	for (i = 0; strcmp(exchange->params[0], failures[i].name) != 0; i++)
		continue;
	info->retry_after_s = failures[i].retry_after_s;
	if (failures[i].err != ERR_INVALID)
		return err_set(info, failures[i].err, "detail of /var/lib/x");
	memset(long_text, 'a', sizeof(long_text));
	/* The buffers of struct err_info cut this in the middle of the character. */
	memcpy(long_text + 190, "\xc3\xa9", 3);
	return err_add_field(info, "/title", "%s", long_text);
}

static const struct http_route routes[] = {
	{HTTP_GET, "/open", handle_json, 0, 0, NULL, NULL, .summary = ""},
	{HTTP_GET, "/notes", handle_json, ROLE_SET(ROLE_CLIENT), 0, NULL, &list_model,
		.summary = ""},
	{HTTP_POST, "/notes", handle_created, ROLE_SET(ROLE_CLIENT), HTTP_IF_MATCH, &note_model,
		NULL, .summary = ""},
	{HTTP_GET, "/notes/{}", handle_json, ROLE_SET(ROLE_CLIENT), HTTP_NO_ETAG, NULL, NULL,
		.summary = ""},
	{HTTP_PUT, "/notes/{}", handle_json, ROLE_SET(ROLE_CLIENT),
		HTTP_BODY_OPTIONAL | HTTP_IF_MATCH, &list_model, NULL, .summary = ""},
	{HTTP_DELETE, "/notes/{}", handle_gone, ROLE_SET(ROLE_CLIENT), 0, NULL, NULL,
		.summary = ""},
	{HTTP_POST, "/notes/{}/parts/{}", handle_created, ROLE_SET(ROLE_CLIENT), 0, NULL, NULL,
		.summary = ""},
	{HTTP_POST, "/hook", handle_json, 0, HTTP_BODY_RAW, NULL, NULL, .summary = ""},
	{HTTP_PUT, "/free", handle_json, 0, HTTP_BODY_JSON, NULL, NULL, .summary = ""},
	{HTTP_POST, "/free", handle_json, 0, HTTP_BODY_JSON | HTTP_BODY_OPTIONAL, NULL, NULL,
		.summary = ""},
	{HTTP_GET, "/feed/{}.ics", handle_page, 0, HTTP_PAGE, NULL, NULL, .summary = ""},
	{HTTP_GET, "/mailed/{}.ics", handle_json, 0, HTTP_PAGE | HTTP_MAILED, NULL, NULL,
		.summary = ""},
	{HTTP_GET, "/broken/{}", handle_failure, 0, HTTP_PAGE | HTTP_MAILED, NULL, NULL,
		.summary = ""},
	{HTTP_GET, "/fail/{}", handle_failure, 0, 0, NULL, NULL, .summary = ""},
	{HTTP_GET, "/alive", handle_json, 0, HTTP_UNQUEUED, NULL, NULL, .summary = ""},
	{HTTP_GET, "/enter/{}", handle_page, 0, HTTP_PAGE | HTTP_MAILED | HTTP_FIRST, NULL, NULL,
		.summary = ""},
	{HTTP_GET, "/ready", handle_json, 0, HTTP_PROBE, NULL, NULL, .summary = ""},
	{HTTP_GET, "/search", handle_json, ROLE_SET(ROLE_ADMIN), HTTP_LAST, NULL, NULL,
		.summary = ""},
	{HTTP_POST, "/search", handle_json, ROLE_SET(ROLE_ADMIN), HTTP_LAST, NULL, NULL,
		.summary = ""},
};

static enum err error_page(struct http_exchange *exchange, struct err_info *info)
{
	if (info->err == ERR_CONFLICT)
		return ERR_INTERNAL;
	http_reply(exchange, err_status(info->err), "text/html; charset=utf-8", "page", 4);
	return ERR_OK;
}

static struct http_token_rules *rules;

/* A client's token, or a lawyer's. */
static const char *bearer(struct arena *arena, enum role role)
{
	const struct actor actor = {.id = "c|1", .role = role};
	struct err_info info;
	char *token = NULL;

	http_token_mint(rules, arena, &actor, now, 60, &token, &info);
	return arena_printf(arena, "HTTP_AUTHORIZATION=Bearer %s", token);
}

/*
 * Serves "METHOD /path?query" with more CGI variables, separated by '|'. A body of its own;
 * `role` -1 sends no token.
 */
static struct http_exchange *serve_by(
	void (*answer)(const struct http_router *router, struct http_exchange *exchange),
	struct arena *arena, const char *line, int role, const char *variables, const char *body)
{
	const struct http_router router = {
		routes, sizeof(routes) / sizeof(routes[0]), rules, &seen, error_page};
	struct http_exchange *exchange = arena_alloc(arena, sizeof(*exchange));
	const char **environment = arena_alloc(arena, 16 * sizeof(*environment));
	const size_t method_len = strcspn(line, " ");
	const char *uri = line + method_len + 1;
	size_t count = 0, len;

	environment[count++] = "SCRIPT_NAME=";
	environment[count++] = arena_printf(arena, "REQUEST_METHOD=%.*s", (int)method_len, line);
	environment[count++] = arena_printf(arena, "REQUEST_URI=%s", uri);
	environment[count++] = arena_printf(
		arena, "QUERY_STRING=%s", strchr(uri, '?') ? strchr(uri, '?') + 1 : "");
	environment[count++] = "REQUEST_ID=0123-abc";
	if (role >= 0)
		environment[count++] = bearer(arena, (enum role)role);
	for (; *variables; variables += len + (variables[len] == '|')) {
		len = strcspn(variables, "|");
		environment[count++] = arena_strndup(arena, variables, len);
	}
	seen.calls = 0;
	http_exchange_init(exchange, arena, environment, now);
	exchange->body = body;
	exchange->body_len = strlen(body);
	answer(&router, exchange);
	seen.exchange = exchange;
	return exchange;
}

static struct http_exchange *serve(
	struct arena *arena, const char *line, int role, const char *variables, const char *body)
{
	return serve_by(http_router_serve, arena, line, role, variables, body);
}

static const char *header(const struct http_exchange *exchange, const char *name)
{
	size_t i;

	for (i = 0; i < exchange->header_count; i++)
		if (strcmp(exchange->headers[i].name, name) == 0)
			return exchange->headers[i].value;
	return "";
}

static struct json_object *problem(const struct http_exchange *exchange, const char *member)
{
	struct json_object *json = json_tokener_parse(exchange->reply);
	struct json_object *value = json_object_get(json_object_object_get(json, member));

	CU_ASSERT_STRING_EQUAL(exchange->content_type, "application/problem+json");
	json_object_put(json);
	return value;
}

static void check_problem(
	const struct http_exchange *exchange, const char *member, const char *expected)
{
	struct json_object *value = problem(exchange, member);

	CU_ASSERT_STRING_EQUAL(json_object_get_string(value), expected);
	json_object_put(value);
}

#define JSON     "CONTENT_TYPE=application/json"
#define TITLE    "{\"title\": \"a\"}"
#define BAD_HTML "HTTP_ACCEPT=text/html|CONTENT_TYPE=text/plain|HTTP_IDEMPOTENCY_KEY="

/* Each case fails by all that follows in the order of policy, too. */
static void test_policy(void)
{
	static const struct {
		const char *name, *line;
		int role;
		const char *variables, *body;
		int status;
		const char *code; /* "" when the handler was to run */
	} cases[] = {
		{"unknown path", "POST /nothing?x=1", -1, BAD_HTML, "x", 404, "not_found"},
		{"unknown method", "PATCH /notes?x=1", -1, BAD_HTML, "x", 405,
			"method_not_allowed"},
		{"no token", "POST /notes?x=1", -1, BAD_HTML, "x", 401, "unauthenticated"},
		{"bad token", "POST /notes?x=1", -1, "HTTP_AUTHORIZATION=Bearer x|" BAD_HTML, "x",
			401, "unauthenticated"},
		{"wrong role", "POST /notes?x=1", ROLE_LAWYER, BAD_HTML, "x", 403, "forbidden"},
		{"not acceptable", "POST /notes?x=1", ROLE_CLIENT, BAD_HTML, "x", 406,
			"not_acceptable"},
		{"media type", "POST /notes?x=1", ROLE_CLIENT,
			"CONTENT_TYPE=text/plain|HTTP_IDEMPOTENCY_KEY=", "x", 415,
			"unsupported_media_type"},
		{"no media type", "POST /notes", ROLE_CLIENT, "", TITLE, 415,
			"unsupported_media_type"},
		{"another charset", "POST /notes", ROLE_CLIENT,
			"CONTENT_TYPE=application/json; charset=utf-16", TITLE, 415,
			"unsupported_media_type"},
		{"compressed", "POST /notes", ROLE_CLIENT, JSON "|HTTP_CONTENT_ENCODING=gzip",
			"\x1f\x8b", 415, "unsupported_media_type"},
		{"compressed twice", "PUT /free", -1, JSON "|HTTP_CONTENT_ENCODING=identity, br",
			"{}", 415, "unsupported_media_type"},
		{"not compressed", "POST /notes", ROLE_CLIENT,
			JSON "|HTTP_CONTENT_ENCODING=Identity", TITLE, 201, ""},
		{"compressed, of a provider's", "POST /hook", -1, "HTTP_CONTENT_ENCODING=gzip", "x",
			200, ""},
		{"bad idempotency key", "POST /notes?x=1", ROLE_CLIENT,
			JSON "|HTTP_IDEMPOTENCY_KEY=", "x", 400, "malformed"},
		{"bad query", "POST /notes?x=1", ROLE_CLIENT, JSON, "x", 422, "invalid"},
		{"undecodable query", "GET /notes?limit=%", ROLE_CLIENT, "", "", 400, "malformed"},
		{"malformed body", "POST /notes", ROLE_CLIENT, JSON, "x", 400, "malformed"},
		{"no body", "POST /notes", ROLE_CLIENT, "", "", 400, "malformed"},
		{"invalid body", "POST /notes", ROLE_CLIENT, JSON, "{\"title\": 1}", 422,
			"invalid"},
		{"all well", "POST /notes", ROLE_CLIENT, JSON "|HTTP_IDEMPOTENCY_KEY=\"k\"", TITLE,
			201, ""},
		{"problem+json is enough", "GET /notes", ROLE_CLIENT,
			"HTTP_ACCEPT=application/problem+json", "", 200, ""},
		{"open route", "GET /open", -1, "", "", 200, ""},
		{"open route, bad token", "GET /open", -1, "HTTP_AUTHORIZATION=Bearer x", "", 200,
			""},
		{"body of GET is not looked at", "GET /open", -1, "", "x", 200, ""},
		{"idempotency key of GET is not looked at", "GET /open", -1,
			"HTTP_IDEMPOTENCY_KEY=", "", 200, ""},
		{"body where none is expected", "POST /notes/1/parts/2", ROLE_CLIENT, JSON, TITLE,
			422, "invalid"},
		{"empty object where none is expected", "POST /notes/1/parts/2", ROLE_CLIENT, JSON,
			"{}", 201, ""},
		{"none where none is expected", "POST /notes/1/parts/2", ROLE_CLIENT, "", "", 201,
			""},
		{"optional body", "PUT /notes/1", ROLE_CLIENT, "", "", 200, ""},
		{"raw body", "POST /hook", -1, "CONTENT_TYPE=text/plain", "x", 200, ""},
		{"free body", "PUT /free", -1, JSON, "{\"x\": [1]}", 200, ""},
		{"free body that is no object", "PUT /free", -1, JSON, "[1]", 200, ""},
		{"no free body", "PUT /free", -1, JSON, "", 400, "malformed"},
		{"free body of another type", "PUT /free", -1, "CONTENT_TYPE=text/plain", "{}", 415,
			"unsupported_media_type"},
		{"free body with a name twice", "PUT /free", -1, JSON, "{\"x\": 1, \"x\": 1}", 400,
			"malformed"},
		{"more than a free body", "PUT /free", -1, JSON, "{} {}", 400, "malformed"},
		{"optional free body", "POST /free", -1, "", "", 200, ""},
		{"malformed optional free body", "POST /free", -1, JSON, " ", 400, "malformed"},
		{"page", "GET /feed/abc.ics?utm_source=x", -1, "HTTP_ACCEPT=text/calendar", "", 200,
			""},
		{"delete", "DELETE /notes/1", ROLE_CLIENT, "", "", 204, ""},
	};
	struct http_exchange *exchange;
	struct arena *arena;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		arena = arena_new();
		exchange = serve(
			arena, cases[i].line, cases[i].role, cases[i].variables, cases[i].body);
		if (exchange->status != cases[i].status || seen.calls != !*cases[i].code)
			CU_FAIL(cases[i].name);
		if (*cases[i].code)
			check_problem(exchange, "code", cases[i].code);
		arena_free(&arena);
	}
}

static void test_size(void)
{
	const struct http_router router = {
		routes, sizeof(routes) / sizeof(routes[0]), rules, NULL, NULL};
	static const char *const environment[] = {
		"REQUEST_METHOD=POST", "REQUEST_URI=/notes", NULL};
	struct arena *arena = arena_new();
	struct http_exchange exchange;

	/* Before the token is looked at */
	http_exchange_init(&exchange, arena, environment, now);
	exchange.body_too_large = true;
	http_router_serve(&router, &exchange);
	CU_ASSERT_EQUAL(exchange.status, 413);
	http_exchange_init(&exchange, arena, environment, now);
	exchange.body_broken = true;
	http_router_serve(&router, &exchange);
	CU_ASSERT_EQUAL(exchange.status, 400);
	arena_free(&arena);
}

static void test_paths(void)
{
	static const struct {
		const char *name, *path;
		int status;
		const char *param; /* the first */
	} cases[] = {
		{"one segment", "/notes/abc", 200, "abc"},
		{"decoded", "/notes/a%20%C3%A9", 200, "a \xc3\xa9"},
		{"decoded once", "/notes/%2541", 200, "%41"},
		{"encoded literal", "/%6eotes/abc", 200, "abc"},
		{"query", "/notes/abc?", 200, "abc"},
		{"question mark in the query", "/notes/abc??", 422, NULL},
		{"empty segment", "/notes/", 404, NULL},
		{"two slashes", "//notes/abc", 404, NULL},
		{"slash behind", "/notes/abc/", 404, NULL},
		{"too many segments", "/notes/a/b", 404, NULL},
		{"encoded slash", "/notes/a%2Fb", 200, "a/b"},
		{"encoded slash of a slash", "/notes/a%252Fb", 200, "a%2Fb"},
		{"address", "/notes/a@b.example", 200, "a@b.example"},
		{"name space", "/notes/urn:x:1%7C2", 200, "urn:x:1|2"},
		{"encoded slash for one", "/notes%2Fabc", 404, NULL},
		{"turned text", "/notes/a%E2%80%AEb", 404, NULL},
		{"NUL", "/notes/a%00", 404, NULL},
		{"line break", "/notes/a%0ab", 404, NULL},
		{"DEL", "/notes/%7f", 404, NULL},
		{"broken escape", "/notes/%4", 404, NULL},
		{"not UTF-8", "/notes/%ff", 404, NULL},
		{"dot", "/notes/.", 404, NULL},
		{"two dots", "/notes/..", 404, NULL},
		{"encoded dots", "/notes/%2e%2E", 404, NULL},
		{"dots first", "/../notes/a", 404, NULL},
		{"three dots", "/notes/...", 200, "..."},
		{"no slash", "notes/abc", 404, NULL},
		{"other case", "/Notes/abc", 404, NULL},
		{"prefix of a literal", "/note", 404, NULL},
		{"literal with more", "/notesx", 404, NULL},
		{"empty", "", 404, NULL},
		{"suffix", "/feed/abc.ics", 200, "abc"},
		{"suffix twice", "/feed/abc.ics.ics", 200, "abc.ics"},
		{"nothing before the suffix", "/feed/.ics", 404, NULL},
		{"no suffix", "/feed/abc", 404, NULL},
		{"other suffix", "/feed/abc.icz", 404, NULL},
	};
	struct http_exchange *exchange;
	struct arena *arena;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		arena = arena_new();
		exchange = serve(
			arena, arena_printf(arena, "GET %s", cases[i].path), ROLE_CLIENT, "", "");
		if (exchange->status != cases[i].status)
			CU_FAIL(cases[i].name);
		if (cases[i].param &&
			(!exchange->params[0] || strcmp(exchange->params[0], cases[i].param) != 0))
			CU_FAIL(cases[i].name);
		arena_free(&arena);
	}
}

static void test_input_arrives(void)
{
	struct arena *arena = arena_new();
	struct http_exchange *exchange;

	exchange = serve(arena, "POST /notes", ROLE_CLIENT,
		JSON "|HTTP_IDEMPOTENCY_KEY=\"k 1\"|HTTP_IF_MATCH=\"v1\"", TITLE);
	CU_ASSERT_STRING_EQUAL(((const struct note *)exchange->input)->title, "a");
	CU_ASSERT_STRING_EQUAL(exchange->idempotency_key, "k 1");
	CU_ASSERT_STRING_EQUAL(exchange->if_match, "\"v1\"");
	CU_ASSERT_STRING_EQUAL(exchange->caller.id, "c|1");
	CU_ASSERT_PTR_EQUAL(exchange->app, &seen);
	CU_ASSERT_STRING_EQUAL(header(exchange, "Location"), "/notes/1");

	exchange = serve(arena, "GET /notes?limit=7", ROLE_CLIENT, "HTTP_IF_MATCH=\"v1\"", "");
	CU_ASSERT_PTR_NULL(exchange->if_match);
	CU_ASSERT_EQUAL(((const struct note *)exchange->query)->limit, 7);
	CU_ASSERT_PTR_NULL(exchange->input);
	exchange = serve(arena, "GET /open", ROLE_CLIENT, "", "");
	CU_ASSERT_PTR_NULL(exchange->caller.id);

	exchange = serve(arena, "PUT /free", -1, JSON, "{\"x\": {\"y\": 1}}");
	CU_ASSERT_STRING_EQUAL(
		json_object_to_json_string_ext(exchange->json, JSON_C_TO_STRING_PLAIN),
		"{\"x\":{\"y\":1}}");
	CU_ASSERT_PTR_NULL(exchange->input);
	exchange = serve(arena, "POST /free", -1, "", "");
	CU_ASSERT_STRING_EQUAL(json_object_to_json_string(exchange->json), "{ }");
	exchange = serve(arena, "POST /free", -1, JSON, "null");
	CU_ASSERT_PTR_NULL(exchange->json);

	exchange = serve(arena, "POST /notes/a/parts/b", ROLE_CLIENT, "", "");
	CU_ASSERT_STRING_EQUAL(exchange->params[0], "a");
	CU_ASSERT_STRING_EQUAL(exchange->params[1], "b");
	CU_ASSERT_PTR_NULL(exchange->params[2]);
	arena_free(&arena);
}

static void test_if_match_has_a_ceiling(void)
{
	struct arena *arena = arena_new();
	char tag[1100];

	memset(tag, 'x', sizeof(tag));
	tag[1024] = '\0';
	CU_ASSERT_EQUAL(serve(arena, "PUT /notes/1", ROLE_CLIENT,
				arena_printf(arena, "HTTP_IF_MATCH=%s", tag), "")
				->status,
		200);
	tag[1024] = 'x';
	tag[1025] = '\0';
	CU_ASSERT_EQUAL(serve(arena, "PUT /notes/1", ROLE_CLIENT,
				arena_printf(arena, "HTTP_IF_MATCH=%s", tag), "")
				->status,
		400);
	arena_free(&arena);
}

static void test_allow(void)
{
	static const struct {
		const char *line, *allow;
	} cases[] = {
		{"DELETE /open", "GET, HEAD"},
		{"DELETE /notes", "GET, HEAD, POST"},
		{"POST /notes/1", "GET, HEAD, PUT, DELETE"},
		{"OPTIONS /notes/1", "GET, HEAD, PUT, DELETE"},
		{"get /hook", "POST"},
		{"HEAD /hook", "POST"},
	};
	struct arena *arena = arena_new();
	struct http_exchange *exchange;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		exchange = serve(arena, cases[i].line, -1, "", "");
		CU_ASSERT_EQUAL(exchange->status, 405);
		CU_ASSERT_STRING_EQUAL(header(exchange, "Allow"), cases[i].allow);
	}
	arena_free(&arena);
}

static void test_authenticate(void)
{
	struct arena *arena = arena_new();

	CU_ASSERT_STRING_EQUAL(header(serve(arena, "GET /notes", -1, "", ""), "WWW-Authenticate"),
		"Bearer realm=\"meetlink\"");
	CU_ASSERT_STRING_EQUAL(
		header(serve(arena, "GET /notes", -1, "HTTP_AUTHORIZATION=Bearer secret", ""),
			"WWW-Authenticate"),
		"Bearer realm=\"meetlink\", error=\"invalid_token\"");
	CU_ASSERT_PTR_NULL(strstr(seen.exchange->reply, "secret"));
	arena_free(&arena);
}

static void test_head(void)
{
	struct arena *arena = arena_new();
	struct http_exchange *get = serve(arena, "GET /open", -1, "", "");
	struct http_exchange *head = serve(arena, "HEAD /open", -1, "", "");

	/* The server leaves the body out and keeps its length. */
	CU_ASSERT_EQUAL(head->status, 200);
	CU_ASSERT_EQUAL(head->method, HTTP_HEAD);
	CU_ASSERT_EQUAL(head->reply_len, get->reply_len);
	CU_ASSERT_STRING_EQUAL(header(head, "ETag"), header(get, "ETag"));
	CU_ASSERT_EQUAL(
		serve(arena, "HEAD /open", -1,
			arena_printf(arena, "HTTP_IF_NONE_MATCH=%s", header(get, "ETag")), "")
			->status,
		304);
	arena_free(&arena);
}

static void test_etag(void)
{
	struct arena *arena = arena_new();
	struct http_exchange *first = serve(arena, "GET /open", -1, "", ""), *exchange;

	CU_ASSERT_STRING_EQUAL(first->reply, "{\"path\":\"a/b\"}");
	CU_ASSERT_STRING_EQUAL(
		header(first, "ETag"), http_etag(arena, first->reply, first->reply_len));

	exchange = serve(arena, "GET /open", -1,
		arena_printf(arena, "HTTP_IF_NONE_MATCH=W/%s", header(first, "ETag")), "");
	CU_ASSERT_EQUAL(exchange->status, 304);
	CU_ASSERT_EQUAL(exchange->reply_len, 0);
	CU_ASSERT_PTR_NULL(exchange->content_type);
	CU_ASSERT_STRING_EQUAL(header(exchange, "ETag"), header(first, "ETag"));
	CU_ASSERT_STRING_EQUAL(header(exchange, "Cache-Control"), "private, no-cache");

	exchange = serve(arena, "GET /open", -1, "HTTP_IF_NONE_MATCH=\"x\"", "");
	CU_ASSERT_EQUAL(exchange->status, 200);

	/* The handler's own tag and caching win. */
	exchange = serve(arena, "GET /feed/a.ics", -1, "HTTP_IF_NONE_MATCH=\"mine\"", "");
	CU_ASSERT_EQUAL(exchange->status, 304);
	CU_ASSERT_STRING_EQUAL(header(exchange, "Cache-Control"), "no-store");

	/* None without the flag, for what is not a GET, and for errors. */
	exchange = serve(arena, "GET /notes/1", ROLE_CLIENT, "HTTP_IF_NONE_MATCH=*", "");
	CU_ASSERT_EQUAL(exchange->status, 200);
	CU_ASSERT_STRING_EQUAL(header(exchange, "ETag"), "");
	exchange = serve(arena, "PUT /notes/1", ROLE_CLIENT, "HTTP_IF_NONE_MATCH=*", "");
	CU_ASSERT_EQUAL(exchange->status, 200);
	CU_ASSERT_STRING_EQUAL(header(exchange, "ETag"), "");
	exchange = serve(arena, "GET /nothing", -1, "HTTP_IF_NONE_MATCH=*", "");
	CU_ASSERT_EQUAL(exchange->status, 404);
	arena_free(&arena);
}

/* The page was changed two seconds ago, or in this one. */
static void test_modified_since(void)
{
	static const struct {
		const char *name, *variables;
		int64_t ago;
		int status;
	} rows[] = {
		{"since then", "HTTP_IF_MODIFIED_SINCE=Sun, 17 Mar 2030 17:46:38 GMT", 2, 304},
		{"since later", "HTTP_IF_MODIFIED_SINCE=Sun, 17 Mar 2030 17:46:39 GMT", 2, 304},
		{"since a day to come", "HTTP_IF_MODIFIED_SINCE=Mon, 18 Mar 2030 17:46:39 GMT", 2,
			304},
		{"since earlier", "HTTP_IF_MODIFIED_SINCE=Sun, 17 Mar 2030 17:46:37 GMT", 2, 200},
		{"in RFC 850's form", "HTTP_IF_MODIFIED_SINCE=Sunday, 17-Mar-30 17:46:38 GMT", 2,
			304},
		{"in asctime's form", "HTTP_IF_MODIFIED_SINCE=Sun Mar 17 17:46:38 2030", 2, 304},
		{"no date", "HTTP_IF_MODIFIED_SINCE=2030-03-17T17:46:38Z", 2, 200},
		{"an empty date", "HTTP_IF_MODIFIED_SINCE=", 2, 200},
		{"the tag decides: changed",
			"HTTP_IF_MODIFIED_SINCE=Sun, 17 Mar 2030 17:46:38 "
			"GMT|HTTP_IF_NONE_MATCH=\"x\"",
			2, 200},
		{"the tag decides: not changed",
			"HTTP_IF_MODIFIED_SINCE=Sun, 17 Mar 2030 17:46:37 GMT|"
			"HTTP_IF_NONE_MATCH=\"mine\"",
			2, 304},
		{"in this very second", "HTTP_IF_MODIFIED_SINCE=Sun, 17 Mar 2030 17:46:40 GMT", 0,
			304},
		{"the one before was said", "HTTP_IF_MODIFIED_SINCE=Sun, 17 Mar 2030 17:46:39 GMT",
			0, 304},
	};
	static const char *const methods[] = {"GET", "HEAD"};
	struct arena *arena = arena_new();
	const struct http_exchange *exchange;
	size_t i, j;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		for (j = 0; j < 2; j++) {
			page_modified = now - rows[i].ago * INSTANT_SECOND;
			exchange = serve(arena, arena_printf(arena, "%s /feed/a.ics", methods[j]),
				-1, rows[i].variables, "");
			UNIT_CHECK(exchange->status == rows[i].status, rows[i].name);
			UNIT_CHECK(strcmp(header(exchange, "Last-Modified"),
					   rows[i].ago ? "Sun, 17 Mar 2030 17:46:38 GMT"
						       : "Sun, 17 Mar 2030 17:46:39 GMT") == 0,
				rows[i].name);
		}
	/* Nobody promised to tell what has no date. */
	CU_ASSERT_EQUAL(serve(arena, "GET /open", -1,
				"HTTP_IF_MODIFIED_SINCE=Mon, 18 Mar 2030 17:46:39 GMT", "")
				->status,
		200);
	arena_free(&arena);
}

/* What people are mailed: cut as text programs glue, and with pages for errors. */
static void test_mailed_links(void)
{
	static const struct {
		const char *name, *line, *accept;
		int status;
		const char *param; /* of the handler; NULL: a page */
		bool problem;      /* and not a page */
	} rows[] = {
		{"as mailed", "GET /mailed/a-_.ics", "", 200, "a-_", false},
		{"a full stop", "GET /mailed/a.ics.", "", 200, "a", false},
		{"a bracket", "GET /mailed/a.ics)", "", 200, "a", false},
		{"several", "GET /mailed/a.ics%3E),.", "", 200, "a", false},
		{"of a sentence", "GET /mailed/a.ics;:!", "", 200, "a", false},
		{"in quotes", "GET /mailed/a.ics%22%27", "", 200, "a", false},
		{"in brackets", "GET /mailed/a.ics%5D%7D]", "", 200, "a", false},
		{"in an apostrophe", "GET /mailed/a.ics%E2%80%99", "", 200, "a", false},
		{"in German quotes", "GET /mailed/a.ics%E2%80%9C%C2%AB.", "", 200, "a", false},
		{"before a space", "GET /mailed/a.ics%20%C2%A0", "", 200, "a", false},
		{"before a query", "GET /mailed/a.ics.?utm_source=x", "", 200, "a", false},
		{"a turn of direction", "GET /mailed/a.ics%E2%81%A9", "", 200, "a", false},
		{"another", "GET /mailed/a.ics%E2%80%AC?x=%zz", "", 200, "a", false},
		{"U+FEFF and more", "GET /mailed/a.ics.%EF%BB%BF)%22", "", 200, "a", false},
		{"half a character", "GET /mailed/a.ics%BB", "", 200, "a", false},
		{"a raw half", "GET /mailed/a.ics\xbb", "", 200, "a", false},
		{"a control character", "GET /mailed/a.ics%C2%85", "", 200, "a", false},
		{"half an escape", "GET /mailed/a.ics%E2%8", "", 404, NULL, false},
		{"what cannot be read, inside", "GET /mailed/a%BB.ics", "", 404, NULL, false},
		{"the same, to a program", "GET /mailed/a%BB.ics", "application/json", 404, NULL,
			true},
		{"nothing but what cannot be read", "GET /mailed/%BB", "", 404, NULL, false},
		{"no mailed link that cannot be read", "GET /feed/a.ics%BB", "", 404, NULL, true},
		{"half of it", "GET /mailed/a.ic", "", 404, NULL, false},
		{"another character", "GET /mailed/a.ics=", "", 404, NULL, false},
		{"glue inside", "GET /mailed/a.ics.x", "", 404, NULL, false},
		{"nothing but glue", "GET /mailed/.ics.", "", 404, NULL, false},
		{"another method", "POST /mailed/a.ics", "", 405, NULL, false},
		{"a browser", "GET /mailed/a", "text/html,*/*;q=0.8", 404, NULL, false},
		{"a program", "GET /mailed/a", "application/json", 404, NULL, true},
		{"another program", "GET /mailed/a", "text/calendar", 404, NULL, true},
		{"an error of the handler's", "GET /broken/internal", "", 500, NULL, false},
		{"an overload", "GET /broken/overloaded", "", 503, NULL, false},
		{"no page can be made", "GET /broken/conflict", "", 409, NULL, true},
		{"no mailed link", "GET /feed/a.ics.", "", 404, NULL, true},
		{"elsewhere", "GET /nothing", "text/html", 404, NULL, true},
	};
	struct arena *arena = arena_new();
	const struct http_exchange *exchange;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		exchange = serve(arena, rows[i].line, -1,
			*rows[i].accept ? arena_printf(arena, "HTTP_ACCEPT=%s", rows[i].accept)
					: "",
			"");
		UNIT_CHECK(exchange->status == rows[i].status, rows[i].name);
		if (rows[i].param)
			UNIT_CHECK(strcmp(exchange->params[0], rows[i].param) == 0, rows[i].name);
		else
			UNIT_CHECK(strcmp(exchange->content_type,
					   rows[i].problem ? "application/problem+json"
							   : "text/html; charset=utf-8") == 0,
				rows[i].name);
	}
	CU_ASSERT_STRING_EQUAL(
		header(serve(arena, "POST /mailed/a.ics", -1, "", ""), "Allow"), "GET, HEAD");
	arena_free(&arena);
}

static void test_coding_is_refused_in_words(void)
{
	struct arena *arena = arena_new();
	const struct http_exchange *exchange = serve(
		arena, "POST /notes", ROLE_CLIENT, JSON "|HTTP_CONTENT_ENCODING=gzip", "\x1f\x8b");

	CU_ASSERT_STRING_EQUAL(header(exchange, "Accept-Encoding"), "identity");
	check_problem(
		exchange, "detail", "The body must be sent as it is, without Content-Encoding.");
	arena_free(&arena);
}

static void test_headers(void)
{
	static const char *const lines[] = {"GET /open", "GET /nothing", "GET /feed/a.ics",
		"DELETE /notes/1", "GET /fail/internal"};
	struct arena *arena = arena_new();
	struct http_exchange *exchange;
	size_t i;

	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		exchange = serve(arena, lines[i], ROLE_CLIENT, "", "");
		CU_ASSERT_STRING_EQUAL(header(exchange, "X-Request-Id"), "0123-abc");
		CU_ASSERT_STRING_EQUAL(header(exchange, "X-Content-Type-Options"), "nosniff");
		CU_ASSERT_STRING_EQUAL(header(exchange, "Cache-Control"),
			i == 2 ? "no-store" : "private, no-cache");
	}
	arena_free(&arena);
}

static void test_problem(void)
{
	static const struct {
		const char *name;
		int status;
		const char *code, *retry_after, *detail;
	} cases[] = {
		{"conflict", 409, "conflict", "", "detail of /var/lib/x"},
		{"internal", 500, "internal", "",
			"The request id tells our operators what happened."},
		{"config", 500, "internal", "",
			"The request id tells our operators what happened."},
		{"permanent", 500, "internal", "",
			"The request id tells our operators what happened."},
		{"database", 503, "database_unavailable", "2", "detail of /var/lib/x"},
		{"overloaded", 503, "overloaded", "7", "detail of /var/lib/x"},
	};
	struct arena *arena = arena_new();
	struct http_exchange *exchange;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		exchange = serve(
			arena, arena_printf(arena, "GET /fail/%s", cases[i].name), -1, "", "");
		CU_ASSERT_EQUAL(exchange->status, cases[i].status);
		CU_ASSERT_STRING_EQUAL(header(exchange, "Retry-After"), cases[i].retry_after);
		CU_ASSERT_STRING_EQUAL(header(exchange, "Location"), "");
		check_problem(exchange, "code", cases[i].code);
		check_problem(exchange, "type",
			arena_printf(arena, "urn:meetlink:problem:%s", cases[i].code));
		check_problem(exchange, "status", arena_printf(arena, "%d", cases[i].status));
		check_problem(exchange, "detail", cases[i].detail);
		check_problem(exchange, "instance", "urn:meetlink:request:0123-abc");
		CU_ASSERT_PTR_NULL(problem(exchange, "errors"));
	}
	arena_free(&arena);
}

static void test_problem_fields(void)
{
	struct arena *arena = arena_new();
	struct http_exchange *exchange;
	struct json_object *errors, *error;
	const char *detail;

	exchange = serve(arena, "GET /fail/invalid", -1, "", "");
	CU_ASSERT_EQUAL(exchange->status, 422);
	errors = problem(exchange, "errors");
	CU_ASSERT_EQUAL(json_object_array_length(errors), 1);
	error = json_object_array_get_idx(errors, 0);
	CU_ASSERT_STRING_EQUAL(
		json_object_get_string(json_object_object_get(error, "pointer")), "/title");
	detail = json_object_get_string(json_object_object_get(error, "detail"));
	CU_ASSERT(strlen(detail) > 180 && utf8_valid(detail, strlen(detail), NULL));
	json_object_put(errors);

	exchange = serve(arena, "POST /notes", ROLE_CLIENT, JSON, "{\"x\": 1}");
	errors = problem(exchange, "errors");
	CU_ASSERT_EQUAL(json_object_array_length(errors), 2);
	json_object_put(errors);
	arena_free(&arena);
}

static void test_request_id(void)
{
	static const struct {
		const char *variable;
		bool taken;
	} cases[] = {
		{"REQUEST_ID=0af7651916cd43dd8448eb211c80319c", true},
		{"REQUEST_ID=", false},
		{"REQUEST_ID=a b", false},
		{"REQUEST_ID=a\r\nSet-Cookie: x", false},
		{"REQUEST_ID=0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
			true},
		{"REQUEST_ID=0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdefx",
			false},
		{"HTTP_X_REQUEST_ID=abc", false},
	};
	struct arena *arena = arena_new();
	struct http_exchange exchange;
	const char *given;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *const environment[] = {cases[i].variable, NULL};

		http_exchange_init(&exchange, arena, environment, now);
		given = strchr(cases[i].variable, '=') + 1;
		CU_ASSERT_EQUAL(strcmp(exchange.request_id, given) == 0, cases[i].taken);
		CU_ASSERT(cases[i].taken || strlen(exchange.request_id) == ID_SIZE - 1);
		CU_ASSERT_EQUAL(exchange.method, HTTP_OTHER);
		CU_ASSERT_STRING_EQUAL(exchange.path, "");
	}
	arena_free(&arena);
}

static void test_classes(void)
{
	static const struct {
		const char *line;
		enum http_class class;
	} rows[] = {
		{"GET /notes", HTTP_CLASS_NEXT},
		{"HEAD /notes/1", HTTP_CLASS_NEXT},
		{"POST /notes", HTTP_CLASS_FIRST},
		{"PUT /notes/1", HTTP_CLASS_FIRST},
		{"DELETE /notes/1?now", HTTP_CLASS_FIRST},
		{"GET /enter/abc", HTTP_CLASS_FIRST},
		{"GET /search?q=a", HTTP_CLASS_LAST},
		{"GET /ready", HTTP_CLASS_PROBE},
		{"GET /%73earch", HTTP_CLASS_LAST},
		{"HEAD /search", HTTP_CLASS_LAST},
		{"POST /search", HTTP_CLASS_LAST},
		{"GET /alive", HTTP_CLASS_NONE},
		{"HEAD /alive?", HTTP_CLASS_NONE},
		/* What has no route is refused by whoever has time. */
		{"POST /alive", HTTP_CLASS_NEXT},
		{"GET /nowhere", HTTP_CLASS_NEXT},
		{"BREW /notes", HTTP_CLASS_NEXT},
		{"GET /%zz", HTTP_CLASS_NEXT},
		{"GET ", HTTP_CLASS_NEXT},
		{" ", HTTP_CLASS_NEXT},
	};
	const struct http_router router = {
		routes, sizeof(routes) / sizeof(routes[0]), rules, &seen, error_page};
	size_t i, method;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		method = strcspn(rows[i].line, " ");
		UNIT_CHECK(
			http_router_class(&router, rows[i].line, method, rows[i].line + method + 1,
				strlen(rows[i].line + method + 1)) == rows[i].class,
			rows[i].line);
	}
	CU_ASSERT_EQUAL(http_router_class(&router, NULL, 0, NULL, 0), HTTP_CLASS_NEXT);
}

/* Without a look at who asks, and with the headers of every response. */
static void test_refusals(void)
{
	static const char *const lines[] = {
		"GET /notes", "POST /notes", "GET /nowhere", "DELETE /open", "GET /search"};
	struct arena *arena = arena_new();
	struct http_exchange *exchange;
	size_t i;

	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		exchange = serve_by(http_router_refuse, arena, lines[i], -1, JSON, "");
		UNIT_CHECK(exchange->status == 503 && seen.calls == 0, lines[i]);
		UNIT_CHECK(strcmp(header(exchange, "Retry-After"), "2") == 0, lines[i]);
		UNIT_CHECK(strcmp(header(exchange, "X-Request-Id"), "0123-abc") == 0, lines[i]);
		UNIT_CHECK(strcmp(header(exchange, "X-Content-Type-Options"), "nosniff") == 0,
			lines[i]);
		check_problem(exchange, "code", "overloaded");
	}
	exchange = serve_by(http_router_refuse, arena, "GET /enter/a", -1, "", "");
	CU_ASSERT_EQUAL(exchange->status, 503);
	CU_ASSERT_STRING_EQUAL(exchange->content_type, "text/html; charset=utf-8");
	exchange = serve(arena, "GET /enter/a", -1, "", "");
	CU_ASSERT_EQUAL(exchange->status, 200);
	exchange = serve_by(http_router_refuse, arena, "GET /alive", -1, "", "");
	CU_ASSERT_EQUAL(exchange->status, 200);
	CU_ASSERT_EQUAL(seen.calls, 1);
	arena_free(&arena);
}

static const struct unit_case cases[] = {
	{"policy is applied in order", test_policy},
	{"size comes before the token", test_size},
	{"paths", test_paths},
	{"input arrives", test_input_arrives},
	{"If-Match has a ceiling", test_if_match_has_a_ceiling},
	{"405 lists what is allowed", test_allow},
	{"401 says how to authenticate", test_authenticate},
	{"HEAD is served by GET", test_head},
	{"ETag and 304", test_etag},
	{"Last-Modified and 304", test_modified_since},
	{"mailed links", test_mailed_links},
	{"a coding is refused in words", test_coding_is_refused_in_words},
	{"headers of every response", test_headers},
	{"problems", test_problem},
	{"problems name the fields", test_problem_fields},
	{"the request id", test_request_id},
	{"what waits behind what", test_classes},
	{"what is refused without a look", test_refusals},
};

int main(void)
{
	const struct conf conf = {.jwt_algorithm = hs256,
		.jwt_secret = secret,
		.jwt_public_key_file = empty,
		.jwt_issuer = service,
		.jwt_audience = service};
	int status;

	if (http_token_rules_load(&conf, &rules, NULL) != ERR_OK)
		return 2;
	status = unit_run("http_router", cases, sizeof(cases) / sizeof(cases[0]));
	http_token_rules_free(&rules);
	return status;
}
