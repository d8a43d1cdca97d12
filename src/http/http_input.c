#include "http_input.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "instant.h"
#include "json.h"
#include "utf8.h"

enum { HTTP_MAX_QUERY = 4096, HTTP_MAX_IDEMPOTENCY_KEY = 128 };

static const struct model http_no_fields = {.name = "nothing", .size = 1};

static int http_hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

char *http_percent_decode(
	struct arena *arena, const char *text, size_t len, enum http_decode decode)
{
	char *plain = arena_alloc(arena, len + 1);
	size_t i, used = 0;
	int high, low;

	for (i = 0; i < len; i++) {
		if (text[i] != '%') {
			plain[used++] =
				text[i] == '+' && decode == HTTP_DECODE_FORM ? ' ' : text[i];
			continue;
		}
		high = i + 2 < len ? http_hex_digit(text[i + 1]) : -1;
		low = high >= 0 ? http_hex_digit(text[i + 2]) : -1;
		if (low < 0)
			return NULL;
		plain[used] = (char)(high << 4 | low);
		if (plain[used] == '\0')
			return NULL;
		if (decode == HTTP_DECODE_PATH && (plain[used] == '/' || plain[used] == '%')) {
			memcpy(plain + used, text + i, 3);
			used += 2;
		}
		used++;
		i += 2;
	}
	return utf8_valid(plain, used, NULL) ? plain : NULL;
}

static const struct model_field *http_parameter_find(const struct model *model, const char *name)
{
	size_t i;

	for (i = 0; i < model->field_count; i++)
		if (strcmp(model->fields[i].name, name) == 0)
			return &model->fields[i];
	return NULL;
}

/* The very first instant is how a struct says "none". Nothing here is as old as the next one, which
 * therefore bounds a search in the same place. */
static const char http_second_instant[] = "1970-01-01T00:00:01Z";

/* What is not of the field's type stays a string, and the model says what is wrong with it. */
static struct json_object *http_parameter_to_json(
	const struct model_field *field, const char *value)
{
	const enum model_type type = field ? field->type : MODEL_STRING;
	long long number;
	int64_t instant;
	char *end;

	if (type == MODEL_BOOL && (strcmp(value, "true") == 0 || strcmp(value, "false") == 0))
		return json_object_new_boolean(*value == 't');
	if (type == MODEL_INT && *value && value[strspn(value, "-0123456789")] == '\0') {
		errno = 0;
		number = strtoll(value, &end, 10);
		if (errno == 0 && *end == '\0')
			return json_object_new_int64(number);
	}
	if (type == MODEL_INSTANT && instant_parse(value, &instant) && instant == 0)
		value = http_second_instant;
	return json_object_new_string(value);
}

static enum err http_query_to_json(struct arena *arena, const char *query,
	const struct model *model, struct json_object *json, struct err_info *info)
{
	const struct model_field *field;
	size_t len, name_len;
	char *name, *value;

	for (; *query; query += len + (query[len] == '&')) {
		len = strcspn(query, "&");
		if (len == 0)
			continue;
		name_len = strcspn(query, "=&");
		name = http_percent_decode(arena, query, name_len, HTTP_DECODE_FORM);
		value = http_percent_decode(arena, query + name_len + (name_len < len),
			len - name_len - (name_len < len), HTTP_DECODE_FORM);
		if (!name || !value)
			return err_set(info, ERR_MALFORMED, "The query string cannot be decoded.");
		field = http_parameter_find(model, name);
		if (!json_object_object_get_ex(json, name, NULL))
			json_object_object_add(json, name, http_parameter_to_json(field, value));
		else if (field)
			err_add_field(info, arena_printf(arena, "/%s", field->name),
				"is given more than once");
	}
	return ERR_OK;
}

enum err http_query_read(struct arena *arena, const char *query, const struct model *model,
	const void **query_r, struct err_info *info)
{
	struct json_object *json;
	void *object;
	enum err err;

	if (!model)
		model = &http_no_fields;
	if (strlen(query) > HTTP_MAX_QUERY)
		return err_set(info, ERR_MALFORMED, "The query string is too long.");
	json = json_object_new_object();
	err = http_query_to_json(arena, query, model, json, info);
	if (err != ERR_OK)
		goto out;
	object = arena_alloc(arena, model->size);
	err = model_from_json(model, arena, json, "", object, info);
	if (err == ERR_OK)
		*query_r = object;
out:
	json_object_put(json);
	return err;
}

enum err http_json_read(struct arena *arena, const char *body, size_t len, bool optional,
	struct json_object **json_r, struct err_info *info)
{
	if (len == 0 && !optional)
		return err_set(info, ERR_MALFORMED, "A JSON body is needed.");
	return len == 0 ? json_parse(arena, "{}", 2, json_r, info)
			: json_parse(arena, body, len, json_r, info);
}

enum err http_body_read(struct arena *arena, const char *body, size_t len,
	const struct model *model, bool optional, void **input_r, struct err_info *info)
{
	struct json_object *json;
	void *object;
	enum err err;

	if (!model)
		model = &http_no_fields;
	err = http_json_read(arena, body, len, optional, &json, info);
	if (err != ERR_OK)
		return err;
	object = arena_alloc(arena, model->size);
	err = model_from_json(model, arena, json, "", object, info);
	if (err == ERR_OK)
		*input_r = object;
	return err;
}

/* The text between the quotes, or NULL when it is not exactly one quoted string. */
static char *http_unquote(struct arena *arena, const char *value)
{
	char *plain = arena_alloc(arena, strlen(value));
	size_t used = 0;

	for (value++; *value && *value != '"'; value++) {
		if (*value == '\\' && *++value != '"' && *value != '\\')
			return NULL;
		plain[used++] = *value;
	}
	return strcmp(value, "\"") == 0 ? plain : NULL;
}

enum err http_idempotency_key_read(
	struct arena *arena, const char *value, const char **key_r, struct err_info *info)
{
	const char *key = value, *c;
	size_t len = strlen(value);

	/* In quotes every character may be escaped. */
	if (*value == '"')
		key = len <= 2 * HTTP_MAX_IDEMPOTENCY_KEY + 2 ? http_unquote(arena, value) : NULL;
	for (c = key; c && *c >= 0x20 && *c < 0x7f; c++)
		continue;
	if (!key || *c || c == key || c - key > HTTP_MAX_IDEMPOTENCY_KEY)
		return err_set(info, ERR_MALFORMED,
			"Idempotency-Key must be 1 to %d printable ASCII characters.",
			HTTP_MAX_IDEMPOTENCY_KEY);
	*key_r = key;
	return ERR_OK;
}
