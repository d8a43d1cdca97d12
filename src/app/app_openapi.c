#include "app_openapi.h"

#include <assert.h>
#include <string.h>

#include "app.h"
#include "buf.h"
#include "command.h"
#include "handler.h"
#include "json_write.h"
#include "provider.h"
#include "utf8.h"

enum { OPENAPI_MAX = 4 * 1024 * 1024 };

#define INSTANT_PATTERN                                                                            \
	"^(19[7-9][0-9]|[2-9][0-9]{3})-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T"                  \
	"([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\\.0{1,9})?Z$"
/* actor_id_valid(): printable, without spaces, and neither "." nor "..". */
#define ACTOR_PATTERN  "^([!-\\-/-~]|\\.[!-\\-/-~]|\\.\\.[!-~])[!-~]*$"
#define LOCALE_PATTERN "^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$"
#define TOKEN_PATTERN  "^[A-Za-z0-9_-]+$"
/* http_idempotency_key_read(): as it is, or in quotes. */
#define KEY_PATTERN "^([!#-~]([ -~]{0,126}[!-~])?|\"([ !#-\\[\\]-~]|\\\\[\"\\\\]){1,128}\")$"

const char app_api_words[] =
	"Requests of clients to lawyers, and the meetings that come of them. Input is strict: what "
	"is not described here is refused. Instants are RFC 3339 in UTC, time zones IANA names. "
	"Errors are application/problem+json (RFC 9457); what stands in front of the service may "
	"answer 429 (`rate_limited`), 502, 503 and 504 (`unavailable`) in the same form. GET is "
	"answered for HEAD too.";

/* Of characters: what one line may hold, or several, and what is not blank. */
enum openapi_class { OPENAPI_LINE, OPENAPI_LINES, OPENAPI_VISIBLE, OPENAPI_CLASSES };

enum { OPENAPI_POINTS = 0x110000 }; /* of Unicode */

/* The document under way. */
struct openapi {
	struct arena *arena;
	struct buf *out;
	struct model_list schemas; /* struct openapi_schema: all that were referred to */
	const char *classes[OPENAPI_CLASSES];
};

/* ---- what the rows say ---- */

static const struct model_field openapi_id = {
	.name = "id", .type = MODEL_STRING, .flags = MODEL_TOKEN};

static int openapi_param_count(const char *pattern)
{
	int count = 0;

	while ((pattern = strstr(pattern, "{}"))) {
		count++;
		pattern += 2;
	}
	return count;
}

const struct model_field *openapi_param(const struct http_route *route, int i)
{
	if (i >= openapi_param_count(route->pattern))
		return NULL;
	return route->params[i] ? route->params[i] : &openapi_id;
}

const char *openapi_path(struct arena *arena, const struct http_route *route)
{
	const char *pattern = route->pattern, *place, *path = "";
	int i;

	for (i = 0; (place = strstr(pattern, "{}")); i++, pattern = place + 2)
		path = arena_printf(arena, "%s%.*s{%s}", path, (int)(place - pattern), pattern,
			openapi_param(route, i)->name);
	return arena_printf(arena, "%s%s", path, pattern);
}

/* The words of its path, and what stands at its end: one of many is named after its id. */
const char *openapi_operation(struct arena *arena, const struct http_route *route)
{
	const char *method = http_method_name(route->method), *path = openapi_path(arena, route);
	char *id = arena_alloc(arena, strlen(method) + strlen(path) + 2), *end = id;
	size_t len;

	for (; *method; method++)
		*end++ = (char)(*method | 0x20);
	if (strncmp(path, "/api/", strlen("/api/")) == 0)
		path += strlen("/api");
	for (; *path; path += len) {
		len = 1 + strcspn(path + 1, "/");
		if (path[1] == '{' && path[len])
			continue;
		*end++ = '_';
		for (size_t i = 1; i < len; i++)
			if (path[i] != '{' && path[i] != '}')
				*end++ = path[i] == '.' ? '_' : path[i];
	}
	*end = '\0';
	return id;
}

uint64_t openapi_errors(const struct http_route *route)
{
	static http_handler *const commands[COMMAND_COUNT] = {
#define COMMAND(command, ...) [COMMAND_##command] = handler_command_##command,
#include "command_table.h"
#undef COMMAND
	};
	uint64_t set = route->errors | http_route_refusals(route);
	int i;

	for (i = 0; i < COMMAND_COUNT; i++)
		if (route->handle == commands[i])
			set |= command_refusals((enum command)i);
	/* A key is read of a POST alone. */
	return route->method == HTTP_POST ? set : set & ~ERR_SET(KEY_REUSED);
}

const char *openapi_name(struct arena *arena, const struct model *model, enum openapi_use use)
{
	return use == OPENAPI_CHANGED ? arena_printf(arena, "%s_change", model->name) : model->name;
}

bool openapi_has_field(const struct model_field *field, enum openapi_use use)
{
	return use != OPENAPI_SHOWN || field->flags & MODEL_SHOWN;
}

bool openapi_is_required(const struct model_field *field, enum openapi_use use)
{
	if (use == OPENAPI_SHOWN)
		return !(field->flags & MODEL_SPARSE);
	return use != OPENAPI_CHANGED && field->flags & MODEL_REQUIRED;
}

bool openapi_is_nullable(const struct model_field *field, enum openapi_use use)
{
	if (use == OPENAPI_READ)
		return !(field->flags & MODEL_REQUIRED);
	return use == OPENAPI_SHOWN && !(field->flags & (MODEL_REQUIRED | MODEL_KEY)) &&
	       (field->type == MODEL_STRING || field->type == MODEL_OBJECT ||
		       field->type == MODEL_INSTANT);
}

/* ---- examples ---- */

static void openapi_write_string_example(
	struct buf *out, const struct model_field *field, const char *of)
{
	if (field->example)
		json_write_text(out, field->example);
	else if (field->flags & MODEL_ACTOR)
		json_write_joined(out, of ? of : "person", "-1", NULL);
	else if (field->flags & MODEL_EMAIL)
		json_write_joined(out, of ? of : "person", "@example.org", NULL);
	else if (field->flags & MODEL_ZONE)
		json_write_text(out, "Europe/Berlin");
	else if (field->flags & MODEL_PROVIDER)
		json_write_text(out, provider_table[0]->name);
	else
		json_write_text(out, field->name);
}

void openapi_write_example(struct buf *out, const struct model_field *field, const char *of)
{
	struct model_field item = model_item_field(field);

	switch (field->type) {
	case MODEL_STRING:
		openapi_write_string_example(out, field, of);
		break;
	case MODEL_INT:
		json_write_int(out, field->min <= 60 && field->max >= 60 ? 60 : field->min);
		break;
	case MODEL_BOOL:
		json_write_bool(out, true);
		break;
	case MODEL_INSTANT:
		json_write_text(out, "2027-03-01T14:00:00Z");
		break;
	case MODEL_ENUM:
		json_write_text(out, field->names[0]);
		break;
	case MODEL_OBJECT:
		openapi_write_body_example(out, field->of, field->name);
		break;
	case MODEL_STRINGS:
	case MODEL_INTS:
		json_write_open(out, '[');
		item.example = field->example;
		openapi_write_example(out, &item, of);
		json_write_close(out, ']');
		break;
	case MODEL_LIST:
	case MODEL_MAP:
	case MODEL_TIMES: /* no body has one */
		json_write_text(out, NULL);
		break;
	}
}

void openapi_write_body_example(struct buf *out, const struct model *model, const char *of)
{
	json_write_open(out, '{');
	MODEL_FOREACH_FIELD (model, field) {
		if (!(field->flags & MODEL_REQUIRED) && !field->example)
			continue;
		json_write_name(out, field->name);
		openapi_write_example(out, field, of);
	}
	json_write_close(out, '}');
}

/* ---- schemas ---- */

static void openapi_write_reference(
	struct openapi *api, const struct model *model, enum openapi_use use)
{
	const char *name = openapi_name(api->arena, model, use);
	struct openapi_schema *added;
	bool known = false;

	MODEL_FOREACH (&api->schemas, struct openapi_schema, schema) {
		if (strcmp(openapi_name(api->arena, schema->model, schema->use), name) != 0)
			continue;
		assert(schema->use == use && schema->model->field_count == model->field_count);
		known = true;
	}
	if (!known) {
		added = model_list_add(api->arena, &api->schemas, sizeof(*added));
		*added = (struct openapi_schema){model, use};
	}
	json_write_name(api->out, "$ref");
	json_write_joined(api->out, "#/components/schemas/", name, NULL);
}

static void openapi_write_type(struct buf *out, const char *type, bool nullable)
{
	json_write_name(out, "type");
	if (nullable)
		json_write_open(out, '[');
	json_write_text(out, type);
	if (nullable) {
		json_write_text(out, "null");
		json_write_close(out, ']');
	}
}

static void openapi_write_words(
	struct buf *out, const char *name, const char *const *words, bool nullable)
{
	json_write_name(out, name);
	json_write_open(out, '[');
	for (; *words; words++)
		json_write_text(out, *words);
	if (nullable)
		json_write_text(out, NULL);
	json_write_close(out, ']');
}

static void openapi_write_providers(struct buf *out, bool nullable)
{
	const struct provider *const *row;

	json_write_name(out, "enum");
	json_write_open(out, '[');
	for (row = provider_table; *row; row++)
		json_write_text(out, (*row)->name);
	if (nullable)
		json_write_text(out, NULL);
	json_write_close(out, ']');
}

/* The bytes of a character, a surrogate's among them, which is none. */
static size_t openapi_put(unsigned point, char text_r[5])
{
	size_t len = 0;

	if (point < 0x80) {
		text_r[len++] = (char)point;
	} else if (point < 0x800) {
		text_r[len++] = (char)(0xc0 | point >> 6);
	} else if (point < 0x10000) {
		text_r[len++] = (char)(0xe0 | point >> 12);
		text_r[len++] = (char)(0x80 | (point >> 6 & 0x3f));
	} else {
		text_r[len++] = (char)(0xf0 | point >> 18);
		text_r[len++] = (char)(0x80 | (point >> 12 & 0x3f));
		text_r[len++] = (char)(0x80 | (point >> 6 & 0x3f));
	}
	if (point >= 0x80)
		text_r[len++] = (char)(0x80 | (point & 0x3f));
	text_r[len] = '\0';
	return len;
}

/* Whether the readers of texts take that character. */
static bool openapi_takes(unsigned point, enum openapi_class class)
{
	char text[5];

	openapi_put(point, text);
	return !utf8_refusal(text, class == OPENAPI_LINES) &&
	       (class != OPENAPI_VISIBLE || !utf8_is_blank(text));
}

/* Above the first plane nothing differs within a block of 256, but at the end of each plane. */
static unsigned openapi_next_point(unsigned point)
{
	return point < 0x10000 || (point & 0xff00) == 0xff00 ? point + 1 : point + 0x100;
}

/* From `point` on, the first that is taken, or is not. */
static unsigned openapi_find_point(unsigned point, enum openapi_class class, bool taken)
{
	while (point < OPENAPI_POINTS && openapi_takes(point, class) != taken)
		point = openapi_next_point(point);
	return point;
}

static void openapi_add_point(struct buf *pattern, unsigned point)
{
	char text[5];

	if (point < 0x10000)
		buf_addf(pattern, "\\u%04x", point);
	else
		buf_add(pattern, text, openapi_put(point, text));
}

/* As regular expressions have it (ECMA-262). */
static const char *openapi_class_text(struct arena *arena, enum openapi_class class)
{
	unsigned point = 0, first;
	struct buf text;

	buf_init(&text, OPENAPI_MAX);
	buf_add_char(&text, '[');
	while ((first = openapi_find_point(point + 1, class, true)) < OPENAPI_POINTS) {
		point = openapi_find_point(first, class, false);
		openapi_add_point(&text, first);
		buf_add_char(&text, '-');
		openapi_add_point(&text, point - 1);
	}
	buf_add_char(&text, ']');
	return buf_keep(&text, arena);
}

static void openapi_write_text_pattern(struct openapi *api, const struct model_field *field)
{
	const char *any =
		api->classes[field->flags & MODEL_MULTILINE ? OPENAPI_LINES : OPENAPI_LINE];

	json_write_member(api->out, "pattern",
		field->min > 0 ? arena_printf(api->arena, "^%s*%s%s*$", any,
					 api->classes[OPENAPI_VISIBLE], any)
			       : arena_printf(api->arena, "^%s*$", any));
}

static void openapi_write_string(
	struct openapi *api, const struct model_field *field, enum openapi_use use)
{
	struct buf *out = api->out;

	if (use == OPENAPI_SHOWN)
		return;
	if (field->flags & MODEL_PROVIDER) {
		openapi_write_providers(out, openapi_is_nullable(field, use));
		return;
	}
	if (field->flags & MODEL_EMAIL)
		json_write_member(out, "format", "email");
	else if (field->flags & MODEL_ZONE)
		json_write_member(out, "format", "time-zone");
	else if (field->flags & MODEL_ACTOR)
		json_write_member(out, "pattern", ACTOR_PATTERN);
	else if (field->flags & MODEL_LOCALE)
		json_write_member(out, "pattern", LOCALE_PATTERN);
	else if (field->flags & MODEL_TOKEN)
		json_write_member(out, "pattern", TOKEN_PATTERN);
	else
		openapi_write_text_pattern(api, field);
	if (!field->max)
		return;
	json_write_name(out, "minLength");
	json_write_int(out, field->min);
	json_write_name(out, "maxLength");
	json_write_int(out, field->max);
}

static void openapi_write_field(
	struct openapi *api, const struct model_field *field, enum openapi_use use);

static void openapi_write_list(
	struct openapi *api, const struct model_field *field, enum openapi_use use)
{
	struct model_field item = model_item_field(field);
	const bool counted = model_counts_items(field);

	json_write_name(api->out, "items");
	if (field->type == MODEL_LIST) {
		json_write_open(api->out, '{');
		openapi_write_reference(api, field->of, use);
		json_write_close(api->out, '}');
	} else if (field->names) {
		json_write_open(api->out, '{');
		openapi_write_words(api->out, "enum", field->names, false);
		json_write_close(api->out, '}');
	} else {
		item.flags |= MODEL_REQUIRED;
		openapi_write_field(api, &item, use);
	}
	if (use == OPENAPI_SHOWN)
		return;
	json_write_name(api->out, "minItems");
	json_write_int(api->out, counted ? field->min : 0);
	json_write_name(api->out, "maxItems");
	json_write_int(api->out, counted ? field->max : MODEL_MAX_ITEMS);
}

static void openapi_write_object(
	struct openapi *api, const struct model_field *field, enum openapi_use use)
{
	if (!openapi_is_nullable(field, use)) {
		openapi_write_reference(api, field->of, use);
		return;
	}
	json_write_name(api->out, "anyOf");
	json_write_open(api->out, '[');
	json_write_open(api->out, '{');
	openapi_write_reference(api, field->of, use);
	json_write_close(api->out, '}');
	json_write_open(api->out, '{');
	json_write_member(api->out, "type", "null");
	json_write_close(api->out, '}');
	json_write_close(api->out, ']');
}

static void openapi_write_number(
	struct buf *out, const struct model_field *field, enum openapi_use use)
{
	json_write_member(out, "format", "int64");
	if (use == OPENAPI_SHOWN || (!field->min && !field->max))
		return;
	json_write_name(out, "minimum");
	json_write_int(out, field->min);
	json_write_name(out, "maximum");
	json_write_int(out, field->max);
}

static const char *const openapi_types[] = {
	[MODEL_STRING] = "string",
	[MODEL_INT] = "integer",
	[MODEL_BOOL] = "boolean",
	[MODEL_INSTANT] = "string",
	[MODEL_ENUM] = "string",
	[MODEL_LIST] = "array",
	[MODEL_STRINGS] = "array",
	[MODEL_INTS] = "array",
	[MODEL_MAP] = "object",
	[MODEL_TIMES] = "object",
};

static void openapi_write_field(
	struct openapi *api, const struct model_field *field, enum openapi_use use)
{
	const bool nullable = openapi_is_nullable(field, use);
	struct buf *out = api->out;

	json_write_open(out, '{');
	if (field->type != MODEL_OBJECT)
		openapi_write_type(out, openapi_types[field->type], nullable);
	switch (field->type) {
	case MODEL_STRING:
		openapi_write_string(api, field, use);
		break;
	case MODEL_INT:
		openapi_write_number(out, field, use);
		break;
	case MODEL_INSTANT:
		/* Not every date-time is taken: programs would write an offset. */
		if (use == OPENAPI_SHOWN)
			json_write_member(out, "format", "date-time");
		else
			json_write_member(out, "pattern", INSTANT_PATTERN);
		break;
	case MODEL_ENUM:
		openapi_write_words(out, "enum", field->names, nullable);
		break;
	case MODEL_OBJECT:
		openapi_write_object(api, field, use);
		break;
	case MODEL_LIST:
	case MODEL_STRINGS:
	case MODEL_INTS:
		openapi_write_list(api, field, use);
		break;
	case MODEL_MAP:
		json_write_name(out, "additionalProperties");
		json_write_open(out, '{');
		json_write_member(out, "type", "string");
		json_write_close(out, '}');
		break;
	case MODEL_BOOL:
	case MODEL_TIMES:
		break;
	}
	json_write_close(out, '}');
}

static void openapi_write_fields(
	struct openapi *api, const struct model *model, enum openapi_use use)
{
	if (model->base)
		openapi_write_fields(api, model->base, use);
	MODEL_FOREACH_FIELD (model, field) {
		if (!openapi_has_field(field, use))
			continue;
		json_write_name(api->out, field->name);
		openapi_write_field(api, field, use);
	}
}

static void openapi_write_required(struct buf *out, const struct model *model, enum openapi_use use)
{
	if (model->base)
		openapi_write_required(out, model->base, use);
	MODEL_FOREACH_FIELD (model, field) {
		if (openapi_has_field(field, use) && openapi_is_required(field, use))
			json_write_text(out, field->name);
	}
}

static void openapi_write_schema(
	struct openapi *api, const struct model *model, enum openapi_use use)
{
	json_write_open(api->out, '{');
	json_write_member(api->out, "type", "object");
	json_write_name(api->out, "properties");
	json_write_open(api->out, '{');
	openapi_write_fields(api, model, use);
	json_write_close(api->out, '}');
	json_write_name(api->out, "required");
	json_write_open(api->out, '[');
	openapi_write_required(api->out, model, use);
	json_write_close(api->out, ']');
	if (use != OPENAPI_SHOWN) {
		json_write_name(api->out, "additionalProperties");
		json_write_bool(api->out, false);
	}
	json_write_close(api->out, '}');
}

/* ---- requests ---- */

static void openapi_write_parameter(struct openapi *api, const struct model_field *field,
	const char *in, enum openapi_use use, bool required)
{
	json_write_open(api->out, '{');
	json_write_member(api->out, "name", field->name);
	json_write_member(api->out, "in", in);
	json_write_name(api->out, "required");
	json_write_bool(api->out, required);
	json_write_name(api->out, "schema");
	openapi_write_field(api, field, use);
	json_write_close(api->out, '}');
}

static void openapi_write_common(struct buf *out, const char *kind, const char *name)
{
	json_write_open(out, '{');
	json_write_name(out, "$ref");
	json_write_joined(out, "#/components/", kind, "/", name, NULL);
	json_write_close(out, '}');
}

static void openapi_write_parameters(struct openapi *api, const struct http_route *route)
{
	const struct model_field *param;
	int i;

	json_write_name(api->out, "parameters");
	json_write_open(api->out, '[');
	for (i = 0; (param = openapi_param(route, i)); i++)
		openapi_write_parameter(api, param, "path", OPENAPI_ASKED, true);
	if (route->query)
		MODEL_FOREACH_FIELD (route->query, field) {
			openapi_write_parameter(
				api, field, "query", OPENAPI_ASKED, field->flags & MODEL_REQUIRED);
		}
	if (route->method == HTTP_POST && route->roles)
		openapi_write_common(api->out, "parameters", "idempotency_key");
	if (route->flags & HTTP_IF_MATCH)
		openapi_write_common(api->out, "parameters", "if_match");
	if (http_route_has_tag(route))
		openapi_write_common(api->out, "parameters", "if_none_match");
	json_write_close(api->out, ']');
}

static void openapi_write_bodies(struct openapi *api, const struct http_route *route)
{
	const struct model *model;
	size_t i;

	json_write_name(api->out, "anyOf");
	json_write_open(api->out, '[');
	for (i = 0; (model = route->bodies(api->arena, i)); i++) {
		json_write_open(api->out, '{');
		openapi_write_reference(api, model, OPENAPI_READ);
		json_write_close(api->out, '}');
	}
	json_write_close(api->out, ']');
}

static void openapi_write_body(struct openapi *api, const struct http_route *route)
{
	const bool change = route->flags & HTTP_BODY_JSON;

	if (!route->body && !route->bodies && !(route->flags & HTTP_BODY_RAW))
		return;
	json_write_name(api->out, "requestBody");
	json_write_open(api->out, '{');
	json_write_name(api->out, "required");
	json_write_bool(api->out, !(route->flags & HTTP_BODY_OPTIONAL));
	json_write_name(api->out, "content");
	json_write_open(api->out, '{');
	json_write_name(api->out, route->body_type ? route->body_type : "application/json");
	json_write_open(api->out, '{');
	json_write_name(api->out, "schema");
	json_write_open(api->out, '{');
	if (route->body_type)
		json_write_member(api->out, "type", "object");
	else if (route->bodies)
		openapi_write_bodies(api, route);
	else if (route->body)
		openapi_write_reference(api, route->body, change ? OPENAPI_CHANGED : OPENAPI_READ);
	json_write_close(api->out, '}');
	if (route->body && !change) {
		json_write_name(api->out, "example");
		openapi_write_body_example(api->out, route->body, NULL);
	}
	json_write_close(api->out, '}');
	json_write_close(api->out, '}');
	json_write_close(api->out, '}');
}

/* ---- links ---- */

static bool openapi_has(const struct model *model, const char *name)
{
	for (; model; model = model->base)
		MODEL_FOREACH_FIELD (model, field) {
			if (strcmp(field->name, name) == 0)
				return true;
		}
	return false;
}

/* Where a call and its answer say what the path of another route wants at its place i; or NULL. */
static const char *openapi_source(struct arena *arena, const struct http_route *from, int i)
{
	const struct model_field *param = openapi_param(from, i);
	const struct model *model = from->answers[0].model;

	if (param)
		return arena_printf(arena, "$request.path.%s", param->name);
	return model && openapi_has(model, "id") ? "$response.body#/id" : NULL;
}

/* What can be done next: below what was asked, with one more id at most, which the answer has. */
static bool openapi_leads(
	struct arena *arena, const struct http_route *from, const struct http_route *to)
{
	const size_t len = strlen(from->pattern);
	const int count = openapi_param_count(from->pattern),
		  more = openapi_param_count(to->pattern);

	if (from == to || strncmp(from->pattern, to->pattern, len) != 0)
		return false;
	if (more == count)
		return count > 0 && (to->pattern[len] == '/' || !to->pattern[len]);
	return more == count + 1 && strncmp(to->pattern + len, "/{}", 3) == 0 &&
	       openapi_source(arena, from, count);
}

static void openapi_write_links(struct openapi *api, const struct http_route *from)
{
	const struct http_route *to;
	bool any = false;
	int i;

	for (to = app_routes; to < app_routes + app_route_count; to++) {
		if (!openapi_leads(api->arena, from, to))
			continue;
		if (!any) {
			json_write_name(api->out, "links");
			json_write_open(api->out, '{');
		}
		any = true;
		json_write_name(api->out, openapi_operation(api->arena, to));
		json_write_open(api->out, '{');
		json_write_member(api->out, "operationId", openapi_operation(api->arena, to));
		json_write_name(api->out, "parameters");
		json_write_open(api->out, '{');
		for (i = 0; openapi_param(to, i); i++)
			json_write_member(api->out, openapi_param(to, i)->name,
				openapi_source(api->arena, from, i));
		json_write_close(api->out, '}');
		json_write_close(api->out, '}');
	}
	if (any)
		json_write_close(api->out, '}');
}

/* ---- answers ---- */

static void openapi_write_header(struct buf *out, const char *name, const char *common)
{
	json_write_name(out, name);
	openapi_write_common(out, "headers", common);
}

static void openapi_write_headers(
	struct buf *out, const struct http_route *route, int status, bool location)
{
	json_write_name(out, "headers");
	json_write_open(out, '{');
	openapi_write_header(out, "X-Request-Id", "request_id");
	if (location)
		openapi_write_header(out, "Location", "location");
	if (status == 200 && (http_route_has_tag(route) || route->flags & HTTP_IF_MATCH))
		openapi_write_header(out, "ETag", "etag");
	if (status < 300 && route->method == HTTP_POST && route->roles)
		openapi_write_header(out, "Idempotency-Replayed", "replayed");
	if (status == 401)
		openapi_write_header(out, "WWW-Authenticate", "authenticate");
	if (status == 429 || status == 503)
		openapi_write_header(out, "Retry-After", "retry_after");
	json_write_close(out, '}');
}

static void openapi_write_content(
	struct openapi *api, const char *type, const struct model *model, uint64_t errors)
{
	int err;

	json_write_name(api->out, type);
	json_write_open(api->out, '{');
	json_write_name(api->out, "schema");
	json_write_open(api->out, '{');
	if (model)
		openapi_write_reference(api, model, OPENAPI_SHOWN);
	else if (strncmp(type, "text/", strlen("text/")) == 0)
		json_write_member(api->out, "type", "string");
	if (errors) {
		json_write_name(api->out, "properties");
		json_write_open(api->out, '{');
		json_write_name(api->out, "code");
		json_write_open(api->out, '{');
		json_write_name(api->out, "enum");
		json_write_open(api->out, '[');
		for (err = 0; err < ERR_COUNT; err++)
			if (errors & UINT64_C(1) << err)
				json_write_text(api->out, err_code((enum err)err));
		json_write_close(api->out, ']');
		json_write_close(api->out, '}');
		json_write_close(api->out, '}');
	}
	json_write_close(api->out, '}');
	json_write_close(api->out, '}');
}

uint64_t openapi_errors_of(const struct http_route *route, int status)
{
	const uint64_t errors = openapi_errors(route);
	uint64_t set = 0;
	int err;

	for (err = 0; err < ERR_COUNT; err++)
		if (errors & UINT64_C(1) << err && err_status((enum err)err) == status)
			set |= UINT64_C(1) << err;
	return set;
}

static const char *openapi_status_words(
	struct arena *arena, const struct http_route *route, uint64_t errors, bool answered)
{
	const char *words = answered ? route->summary : "";
	int err;

	for (err = 0; err < ERR_COUNT; err++)
		if (errors & UINT64_C(1) << err)
			words = arena_printf(arena, "%s%s%s", words, *words ? ". " : "",
				err_title((enum err)err));
	return words;
}

static void openapi_write_status(struct openapi *api, const struct http_route *route, int status)
{
	const uint64_t errors = openapi_errors_of(route, status);
	bool location = false, answered = false, html = false;
	const struct http_answer *answer;

	for (answer = route->answers; answer < route->answers + HTTP_MAX_ANSWERS; answer++) {
		answered = answered || answer->status == status;
		location = location || (answer->status == status && answer->location);
	}
	if (!answered && !errors)
		return;
	json_write_name(api->out, arena_printf(api->arena, "%d", status));
	json_write_open(api->out, '{');
	json_write_member(
		api->out, "description", openapi_status_words(api->arena, route, errors, answered));
	openapi_write_headers(api->out, route, status, location);
	json_write_name(api->out, "content");
	json_write_open(api->out, '{');
	for (answer = route->answers; answer < route->answers + HTTP_MAX_ANSWERS; answer++) {
		if (answer->status != status || !answer->type)
			continue;
		openapi_write_content(api, answer->type, answer->model, 0);
		html = html || strcmp(answer->type, "text/html") == 0;
	}
	if (errors)
		openapi_write_content(api, "application/problem+json", &http_problem_model, errors);
	if (errors && route->flags & HTTP_MAILED && !html)
		openapi_write_content(api, "text/html", NULL, 0);
	json_write_close(api->out, '}');
	if (answered && status < 300)
		openapi_write_links(api, route);
	json_write_close(api->out, '}');
}

static void openapi_write_answers(struct openapi *api, const struct http_route *route)
{
	int status;

	json_write_name(api->out, "responses");
	json_write_open(api->out, '{');
	for (status = 200; status < 600; status++) {
		openapi_write_status(api, route, status);
		if (status != 304 || !http_route_has_tag(route))
			continue;
		json_write_name(api->out, "304");
		json_write_open(api->out, '{');
		json_write_member(
			api->out, "description", "The client has it already, by If-None-Match");
		openapi_write_headers(api->out, route, status, false);
		json_write_close(api->out, '}');
	}
	json_write_close(api->out, '}');
}

/* ---- the whole ---- */

static void openapi_write_roles(struct buf *out, const struct http_route *route)
{
	int role;

	json_write_name(out, "security");
	json_write_open(out, '[');
	for (role = 0; role < ROLE_SYSTEM; role++) {
		if (!(route->roles & ROLE_SET(role)))
			continue;
		json_write_open(out, '{');
		json_write_name(out, "bearer");
		json_write_open(out, '[');
		json_write_text(out, role_names[role]);
		json_write_close(out, ']');
		json_write_close(out, '}');
	}
	json_write_close(out, ']');
}

static void openapi_write_operation(struct openapi *api, const struct http_route *route)
{
	const char *path = route->pattern, *method = http_method_name(route->method);
	char *name = arena_strdup(api->arena, method), *c;

	for (c = name; *c; c++)
		*c |= 0x20;
	if (strncmp(path, "/api/", strlen("/api/")) == 0)
		path += strlen("/api");
	json_write_name(api->out, name);
	json_write_open(api->out, '{');
	json_write_member(api->out, "operationId", openapi_operation(api->arena, route));
	json_write_name(api->out, "tags");
	json_write_open(api->out, '[');
	json_write_text(api->out, arena_strndup(api->arena, path + 1, strcspn(path + 1, "/.")));
	json_write_close(api->out, ']');
	json_write_member(api->out, "summary", route->summary);
	openapi_write_roles(api->out, route);
	openapi_write_parameters(api, route);
	openapi_write_body(api, route);
	openapi_write_answers(api, route);
	json_write_close(api->out, '}');
}

static void openapi_write_paths(struct openapi *api)
{
	const struct http_route *route, *other, *end = app_routes + app_route_count;

	json_write_name(api->out, "paths");
	json_write_open(api->out, '{');
	for (route = app_routes; route < end; route++) {
		for (other = app_routes; strcmp(other->pattern, route->pattern) != 0; other++)
			continue;
		if (other != route)
			continue;
		json_write_name(api->out, openapi_path(api->arena, route));
		json_write_open(api->out, '{');
		for (; other < end; other++)
			if (strcmp(other->pattern, route->pattern) == 0)
				openapi_write_operation(api, other);
		json_write_close(api->out, '}');
	}
	json_write_close(api->out, '}');
}

struct openapi_row {
	const char *key, *name, *words, *pattern;
	int64_t max;
};

/* Headers: of requests where they have a name here, else of answers. */
static void openapi_write_rows(
	struct buf *out, const char *kind, const struct openapi_row *row, size_t count)
{
	json_write_name(out, kind);
	json_write_open(out, '{');
	for (; count > 0; row++, count--) {
		json_write_name(out, row->key);
		json_write_open(out, '{');
		if (row->name) {
			json_write_member(out, "name", row->name);
			json_write_member(out, "in", "header");
		}
		json_write_member(out, "description", row->words);
		json_write_name(out, "schema");
		json_write_open(out, '{');
		json_write_member(out, "type", "string");
		if (row->pattern)
			json_write_member(out, "pattern", row->pattern);
		if (row->max) {
			json_write_name(out, "maxLength");
			json_write_int(out, row->max);
		}
		json_write_close(out, '}');
		json_write_close(out, '}');
	}
	json_write_close(out, '}');
}

static void openapi_write_components(struct openapi *api)
{
	static const struct openapi_row parameters[] = {
		{"idempotency_key", "Idempotency-Key",
			"A repeat with the same key and body gets the same answer, for 24 h",
			KEY_PATTERN, 258},
		{"if_match", "If-Match", "Only if it still has this entity tag", NULL, 1024},
		{"if_none_match", "If-None-Match", "304 if it still has this entity tag", NULL, 0},
	};
	static const struct openapi_row headers[] = {
		{"request_id", NULL, "Names this request in logs and the audit trail",
			"^[A-Za-z0-9-]{1,64}$", 0},
		{"location", NULL, "Where it is", NULL, 0},
		{"etag", NULL, "The strong entity tag of what is shown", "^\"[^\"]+\"$", 0},
		{"replayed", NULL, "The stored answer to an Idempotency-Key", "^true$", 0},
		{"authenticate", NULL, "RFC 6750", "^Bearer ", 0},
		{"retry_after", NULL, "Seconds", "^[0-9]+$", 0},
	};
	struct openapi_schema schema;
	size_t i;

	json_write_name(api->out, "components");
	json_write_open(api->out, '{');
	json_write_name(api->out, "securitySchemes");
	json_write_open(api->out, '{');
	json_write_name(api->out, "bearer");
	json_write_open(api->out, '{');
	json_write_member(api->out, "type", "http");
	json_write_member(api->out, "scheme", "bearer");
	json_write_member(api->out, "bearerFormat", "JWT");
	json_write_close(api->out, '}');
	json_write_close(api->out, '}');
	openapi_write_rows(
		api->out, "parameters", parameters, sizeof(parameters) / sizeof(parameters[0]));
	openapi_write_rows(api->out, "headers", headers, sizeof(headers) / sizeof(headers[0]));
	json_write_name(api->out, "schemas");
	json_write_open(api->out, '{');
	/* One may refer to others, which are added. */
	for (i = 0; i < api->schemas.count; i++) {
		schema = *MODEL_AT(&api->schemas, struct openapi_schema, i);
		json_write_name(api->out, openapi_name(api->arena, schema.model, schema.use));
		openapi_write_schema(api, schema.model, schema.use);
	}
	json_write_close(api->out, '}');
	json_write_close(api->out, '}');
}

char *app_openapi(struct arena *arena, struct model_list *schemas_r)
{
	struct openapi api = {.arena = arena};
	struct buf out;
	int class;

	for (class = 0; class < OPENAPI_CLASSES; class ++)
		api.classes[class] = openapi_class_text(arena, (enum openapi_class) class);
	buf_init(&out, OPENAPI_MAX);
	api.out = &out;
	json_write_open(&out, '{');
	json_write_member(&out, "openapi", "3.1.0");
	json_write_name(&out, "info");
	json_write_open(&out, '{');
	json_write_member(&out, "title", "meetlink");
	json_write_member(&out, "version", APP_VERSION);
	json_write_member(&out, "description", app_api_words);
	json_write_close(&out, '}');
	openapi_write_paths(&api);
	openapi_write_components(&api);
	json_write_close(&out, '}');
	*schemas_r = api.schemas;
	return buf_keep(&out, arena);
}
