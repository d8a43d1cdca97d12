/* jansson: a tree, and its text. */
#include <jansson.h>

#include "json_writer.h"

void (*json_format_instant)(int64_t instant, bool with_ms, char *text_r);

static json_t *tree(const struct model *model, const void *object, unsigned flags);

static json_t *array(const struct model_field *field, const struct model_list *list, unsigned flags)
{
	json_t *items = json_array();
	size_t i;

	for (i = 0; i < list->count; i++)
		json_array_append_new(items,
			field->type == MODEL_LIST
				? tree(field->of, (const char *)list->items + i * field->of->size,
					  flags)
			: field->type == MODEL_STRINGS
				? json_string_nocheck(*MODEL_AT(list, const char *, i))
				: json_integer(*MODEL_AT(list, int64_t, i)));
	return items;
}

static json_t *value(const struct model_field *field, const void *at, unsigned flags)
{
	char text[32];

	switch (field->type) {
	case MODEL_STRING:
		return *(const char *const *)at ? json_string_nocheck(*(const char *const *)at)
						: json_null();
	case MODEL_INT:
		return json_integer(*(const int64_t *)at);
	case MODEL_BOOL:
		return json_boolean(*(const bool *)at);
	case MODEL_INSTANT:
		if (!*(const int64_t *)at)
			return json_null();
		json_format_instant(*(const int64_t *)at, field->flags & MODEL_MS, text);
		return json_string_nocheck(text);
	case MODEL_ENUM:
		return json_string_nocheck(field->names[*(const int *)at]);
	case MODEL_OBJECT:
		return *(void *const *)at ? tree(field->of, *(void *const *)at, flags)
					  : json_null();
	case MODEL_LIST:
	case MODEL_STRINGS:
	case MODEL_INTS:
		return array(field, at, flags);
	default:
		return json_null();
	}
}

static json_t *tree(const struct model *model, const void *object, unsigned flags)
{
	json_t *json = json_object();

	MODEL_FOREACH_FIELD (model, field) {
		if (field->flags & flags)
			json_object_set_new_nocheck(json, field->name,
				value(field, (const char *)object + field->offset, flags));
	}
	return json;
}

const char *json_write(const struct model *model, const void *object, unsigned flags, bool *owned_r)
{
	json_t *json = tree(model, object, flags);
	const char *text = json_dumps(json, JSON_COMPACT);

	json_decref(json);
	*owned_r = true;
	return text;
}
