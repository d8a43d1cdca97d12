/* json-c: a tree, and its text. */
#include <json-c/json.h>

#include "json_writer.h"

void (*json_format_instant)(int64_t instant, bool with_ms, char *text_r);

static struct json_object *tree(const struct model *model, const void *object, unsigned flags);

static struct json_object *array(
	const struct model_field *field, const struct model_list *list, unsigned flags)
{
	struct json_object *items = json_object_new_array_ext((int)list->count);
	size_t i;

	for (i = 0; i < list->count; i++)
		json_object_array_add(items,
			field->type == MODEL_LIST
				? tree(field->of, (const char *)list->items + i * field->of->size,
					  flags)
			: field->type == MODEL_STRINGS
				? json_object_new_string(*MODEL_AT(list, const char *, i))
				: json_object_new_int64(*MODEL_AT(list, int64_t, i)));
	return items;
}

static struct json_object *value(const struct model_field *field, const void *at, unsigned flags)
{
	char text[32];

	switch (field->type) {
	case MODEL_STRING:
		return *(const char *const *)at ? json_object_new_string(*(const char *const *)at)
						: NULL;
	case MODEL_INT:
		return json_object_new_int64(*(const int64_t *)at);
	case MODEL_BOOL:
		return json_object_new_boolean(*(const bool *)at);
	case MODEL_INSTANT:
		if (!*(const int64_t *)at)
			return NULL;
		json_format_instant(*(const int64_t *)at, field->flags & MODEL_MS, text);
		return json_object_new_string(text);
	case MODEL_ENUM:
		return json_object_new_string(field->names[*(const int *)at]);
	case MODEL_OBJECT:
		return *(void *const *)at ? tree(field->of, *(void *const *)at, flags) : NULL;
	case MODEL_LIST:
	case MODEL_STRINGS:
	case MODEL_INTS:
		return array(field, at, flags);
	default:
		return NULL;
	}
}

static struct json_object *tree(const struct model *model, const void *object, unsigned flags)
{
	struct json_object *json = json_object_new_object();

	MODEL_FOREACH_FIELD (model, field) {
		if (field->flags & flags)
			json_object_object_add_ex(json, field->name,
				value(field, (const char *)object + field->offset, flags),
				JSON_C_OBJECT_ADD_KEY_IS_NEW | JSON_C_OBJECT_KEY_IS_CONSTANT);
	}
	return json;
}

const char *json_write(const struct model *model, const void *object, unsigned flags, bool *owned_r)
{
	static struct json_object *json;

	json_object_put(json);
	json = tree(model, object, flags);
	*owned_r = false;
	return json_object_to_json_string_ext(
		json, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
}
