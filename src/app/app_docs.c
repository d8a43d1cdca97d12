/* The API for people: Markdown (docs/api.md is what this prints), and that as a page. */
#include <inttypes.h>
#include <string.h>

#include "app.h"
#include "app_openapi.h"
#include "buf.h"
#include "id.h"

enum { DOCS_MAX = 4 * 1024 * 1024 };

/* ---- Markdown ---- */

static const char *docs_range(
	struct arena *arena, const struct model_field *field, enum openapi_use use, const char *of)
{
	if (use == OPENAPI_SHOWN || (!field->min && !field->max))
		return "";
	return arena_printf(arena, ", %" PRId64 " to %" PRId64 "%s", field->min, field->max, of);
}

static const char *docs_string(
	struct arena *arena, const struct model_field *field, enum openapi_use use)
{
	const char *kind = "text";

	if (field->flags & MODEL_EMAIL)
		kind = "an e-mail address";
	else if (field->flags & MODEL_ZONE)
		kind = "an IANA time zone";
	else if (field->flags & MODEL_PROVIDER)
		kind = "a provider";
	else if (field->flags & MODEL_ACTOR)
		kind = "the id of a person or program";
	else if (field->flags & MODEL_LOCALE)
		kind = "a language tag";
	else if (field->flags & MODEL_TOKEN)
		kind = "letters, digits, `-` and `_`";
	else if (field->flags & MODEL_MULTILINE)
		kind = "text of several lines";
	return arena_printf(arena, "%s%s", kind, docs_range(arena, field, use, " characters"));
}

static const char *docs_names(struct arena *arena, const char *const *names)
{
	const char *text = "";

	for (; *names; names++)
		text = arena_printf(arena, "%s%s`%s`", text, *text ? ", " : "", *names);
	return text;
}

static const char *docs_type(
	struct arena *arena, const struct model_field *field, enum openapi_use use)
{
	const struct model_field item = model_item_field(field);

	switch (field->type) {
	case MODEL_STRING:
		return docs_string(arena, field, use);
	case MODEL_INT:
		return arena_printf(arena, "a whole number%s", docs_range(arena, field, use, ""));
	case MODEL_BOOL:
		return "`true` or `false`";
	case MODEL_INSTANT:
		return field->flags & MODEL_MS ? "an instant, with milliseconds" : "an instant";
	case MODEL_ENUM:
		return docs_names(arena, field->names);
	case MODEL_OBJECT:
		return arena_printf(arena, "`%s`", openapi_name(arena, field->of, use));
	case MODEL_LIST:
		return arena_printf(arena, "a list of `%s`", openapi_name(arena, field->of, use));
	case MODEL_STRINGS:
	case MODEL_INTS:
		return arena_printf(arena, "a list%s: %s",
			model_counts_items(field) ? docs_range(arena, field, use, " items") : "",
			field->names ? docs_names(arena, field->names)
				     : docs_type(arena, &item, use));
	case MODEL_MAP:
	case MODEL_TIMES:
		break;
	}
	return "texts by their names";
}

static const char *docs_presence(const struct model_field *field, enum openapi_use use)
{
	if (use == OPENAPI_SHOWN)
		return !openapi_is_required(field, use)  ? "where there is one"
		       : openapi_is_nullable(field, use) ? "or `null`"
							 : "";
	return openapi_is_required(field, use) ? "must be given" : "";
}

static void docs_fields(
	struct buf *out, struct arena *arena, const struct model *model, enum openapi_use use)
{
	if (model->base)
		docs_fields(out, arena, model->base, use);
	MODEL_FOREACH_FIELD (model, field) {
		if (openapi_has_field(field, use))
			buf_addf(out, "| `%s` | %s | %s |\n", field->name,
				docs_type(arena, field, use), docs_presence(field, use));
	}
}

static void docs_schema(struct buf *out, struct arena *arena, const struct openapi_schema *schema)
{
	buf_addf(out, "\n### `%s`\n\n", openapi_name(arena, schema->model, schema->use));
	if (!schema->model->base && !schema->model->field_count) {
		buf_add_text(out, "Nothing.\n");
		return;
	}
	buf_add_text(out, "| Member | | |\n|---|---|---|\n");
	docs_fields(out, arena, schema->model, schema->use);
}

static const char *docs_callers(struct arena *arena, unsigned roles)
{
	const char *text = "";
	int role;

	for (role = 0; role < ROLE_SYSTEM; role++)
		if (roles & ROLE_SET(role))
			text = arena_printf(
				arena, "%s%s%s", text, *text ? ", " : "", role_names[role]);
	return *text ? text : "anyone";
}

static const char *docs_body(struct arena *arena, const struct http_route *route)
{
	const enum openapi_use use = route->flags & HTTP_BODY_JSON ? OPENAPI_CHANGED : OPENAPI_READ;
	const struct model *model;
	const char *text = "";
	size_t i;

	if (route->body)
		text = arena_printf(arena, "`%s`", openapi_name(arena, route->body, use));
	else if (route->body_type)
		text = route->body_type;
	for (i = 0; route->bodies && (model = route->bodies(arena, i)); i++)
		text = arena_printf(arena, "%s%s`%s`", text, i ? " or " : "", model->name);
	return !*text ? ""
		      : arena_printf(arena, " Body: %s%s.", text,
				route->flags & HTTP_BODY_OPTIONAL ? ", or none" : "");
}

static void docs_parameters(struct buf *out, struct arena *arena, const struct http_route *route)
{
	const struct model_field *param;
	int i;

	if (!openapi_param(route, 0) && !route->query)
		return;
	buf_add_text(out, "\n| Parameter | | |\n|---|---|---|\n");
	for (i = 0; (param = openapi_param(route, i)); i++)
		buf_addf(out, "| `{%s}` | %s | |\n", param->name,
			docs_type(arena, param, OPENAPI_ASKED));
	if (route->query)
		docs_fields(out, arena, route->query, OPENAPI_ASKED);
}

static const char *docs_answer(struct arena *arena, const struct http_answer *answer)
{
	const char *text = "";

	if (answer->model)
		text = arena_printf(
			arena, "`%s`", openapi_name(arena, answer->model, OPENAPI_SHOWN));
	else if (answer->type)
		text = answer->type;
	return answer->location ? arena_printf(arena, "%s%s`Location`", text, *text ? ", " : "")
				: text;
}

static void docs_answers(struct buf *out, struct arena *arena, const struct http_route *route)
{
	const struct http_answer *answer;
	const char *text;
	uint64_t errors;
	int status, err;

	buf_add_text(out, "\n| Answer | |\n|---|---|\n");
	for (answer = route->answers; answer < route->answers + HTTP_MAX_ANSWERS && answer->status;
		answer++)
		buf_addf(out, "| %d | %s |\n", answer->status, docs_answer(arena, answer));
	for (status = 400; status < 600; status++) {
		errors = openapi_errors_of(route, status);
		text = "";
		for (err = 0; err < ERR_COUNT; err++)
			if (errors & UINT64_C(1) << err)
				text = arena_printf(arena, "%s%s`%s`", text, *text ? ", " : "",
					err_code((enum err)err));
		if (*text)
			buf_addf(out, "| %d | %s |\n", status, text);
	}
}

static void docs_example(struct buf *out, struct arena *arena, const struct http_route *route)
{
	struct buf example;

	buf_init(&example, DOCS_MAX);
	openapi_write_body_example(&example, route->body, NULL);
	buf_addf(out, "\n```json\n%s\n```\n", buf_keep(&example, arena));
}

static void docs_call(struct buf *out, struct arena *arena, const struct http_route *route)
{
	buf_addf(out, "\n### `%s %s`\n\n%s. For: %s.%s", http_method_name(route->method),
		openapi_path(arena, route), route->summary, docs_callers(arena, route->roles),
		docs_body(arena, route));
	if (route->flags & HTTP_IF_MATCH)
		buf_add_text(out, " Heeds `If-Match`.");
	if (http_route_has_tag(route))
		buf_add_text(out, " Heeds `If-None-Match` (304).");
	buf_add_char(out, '\n');
	docs_parameters(out, arena, route);
	if (route->body && !(route->flags & HTTP_BODY_JSON))
		docs_example(out, arena, route);
	docs_answers(out, arena, route);
}

char *app_docs(struct arena *arena)
{
	struct model_list schemas;
	struct buf out;
	size_t i;

	app_openapi(arena, &schemas);
	buf_init(&out, DOCS_MAX);
	buf_addf(&out,
		"# API\n\n%s\n\nEvery `POST` of somebody with a token heeds `Idempotency-Key`. "
		"Printed by `meetlink check api` from the tables that the program obeys; "
		"`meetlink check openapi` prints the same as OpenAPI 3.1, which is served at "
		"`/api/openapi.json`.\n\n## Calls\n",
		app_api_words);
	for (i = 0; i < app_route_count; i++)
		docs_call(&out, arena, &app_routes[i]);
	buf_add_text(&out, "\n## Bodies and answers\n");
	MODEL_FOREACH (&schemas, struct openapi_schema, schema) {
		docs_schema(&out, arena, schema);
	}
	return buf_keep(&out, arena);
}

/* ---- that as HTML: headings, paragraphs, tables and code, which is all there is ---- */

static void docs_add_html(struct buf *out, const char *text, size_t len)
{
	bool code = false;

	for (; len > 0; text++, len--) {
		if (*text == '`')
			buf_add_text(out, (code = !code) ? "<code>" : "</code>");
		else if (*text == '<' || *text == '>' || *text == '&')
			buf_addf(out, "&#%d;", *text);
		else
			buf_add_char(out, *text);
	}
}

/* "| a | b |" */
static void docs_add_row(struct buf *out, const char *line, size_t len, const char *cell)
{
	size_t width;

	buf_add_text(out, "<tr>");
	for (line++, len--; len > 0; line += width + 1, len -= width + 1) {
		width = (size_t)((const char *)memchr(line, '|', len) - line);
		buf_addf(out, "<%s>", cell);
		docs_add_html(out, line, width);
		buf_addf(out, "</%s>", cell);
	}
	buf_add_text(out, "</tr>\n");
}

struct docs_page {
	struct buf *out;
	const char *open; /* what has been begun and is to be closed: "table", "pre"; or "" */
};

static void docs_turn_to(struct docs_page *page, const char *element)
{
	if (*page->open)
		buf_addf(page->out, "</%s>\n", page->open);
	if (*element)
		buf_addf(page->out, "<%s>\n", element);
	page->open = element;
}

static void docs_add_line(struct docs_page *page, const char *line, size_t len)
{
	const size_t level = strspn(line, "#");
	const bool in_table = strcmp(page->open, "table") == 0,
		   in_code = strcmp(page->open, "pre") == 0;

	if (len >= 3 && strncmp(line, "```", 3) == 0) {
		docs_turn_to(page, in_code ? "" : "pre");
	} else if (in_code) {
		docs_add_html(page->out, line, len);
	} else if (strncmp(line, "|---", 4) == 0) {
		return;
	} else if (*line == '|') {
		if (!in_table)
			docs_turn_to(page, "table");
		docs_add_row(page->out, line, len, in_table ? "td" : "th");
	} else if (len > 0) {
		docs_turn_to(page, "");
		buf_addf(page->out, level ? "<h%zu>" : "<p>", level);
		docs_add_html(page->out, line + level, len - level);
		buf_addf(page->out, level ? "</h%zu>\n" : "</p>\n", level);
	}
}

static const char docs_style[] =
	"\n"
	":root{color-scheme:light dark}\n"
	"body{margin:2rem auto;max-width:60rem;padding:0 1rem;"
	"font:1rem/1.5 system-ui,sans-serif}\n"
	"h3{margin-top:2.5rem}\n"
	"table{border-collapse:collapse;margin:.75rem 0}\n"
	"td,th{padding:.2rem .9rem .2rem 0;text-align:left;vertical-align:top;"
	"border-bottom:1px solid #8884;overflow-wrap:anywhere}\n"
	"pre{overflow-x:auto}\n";

/* Nothing but that style. */
static const char *docs_policy(struct arena *arena)
{
	char hash[HASH_SHA256_SIZE];

	hash_sha256_base64(docs_style, strlen(docs_style), hash);
	return arena_concat(arena, "default-src 'none'; style-src 'sha256-", hash,
		"'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'", NULL);
}

char *app_docs_page(struct arena *arena, const char **policy_r)
{
	const char *line = app_docs(arena);
	struct buf out;
	struct docs_page page = {&out, ""};
	size_t len;

	buf_init(&out, DOCS_MAX);
	buf_add_text(&out,
		"<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
		"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
		"<title>meetlink: API</title>\n<style>");
	buf_add_text(&out, docs_style);
	buf_add_text(&out, "</style>\n</head>\n<body>\n<main>\n");
	for (; *line; line += len + (line[len] == '\n')) {
		len = strcspn(line, "\n");
		docs_add_line(&page, line, len);
	}
	docs_turn_to(&page, "");
	buf_add_text(&out, "</main>\n</body>\n</html>\n");
	*policy_r = docs_policy(arena);
	return buf_keep(&out, arena);
}
