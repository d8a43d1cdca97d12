#include "model.h"

#include <assert.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "instant.h"
#include "json_write.h"
#include "utf8.h"

enum { MODEL_POINTER_SIZE = 128, MODEL_MAX_TEXT = 64 * 1024 * 1024 };

static void model_write_list(const struct model_field *field, const struct model_list *list,
	unsigned flags, struct buf *out)
{
	size_t i;

	json_write_open(out, '[');
	for (i = 0; i < list->count; i++) {
		if (field->type == MODEL_LIST)
			model_write(field->of, (const char *)list->items + i * field->of->size,
				flags, out);
		else if (field->type == MODEL_STRINGS)
			json_write_text(out, *MODEL_AT(list, const char *, i));
		else
			json_write_int(out, *MODEL_AT(list, int64_t, i));
	}
	json_write_close(out, ']');
}

static void model_write_map(const struct model_list *map, struct buf *out)
{
	json_write_open(out, '{');
	MODEL_FOREACH (map, struct model_pair, pair) {
		json_write_key(out, pair->name);
		json_write_text(out, pair->value);
	}
	json_write_close(out, '}');
}

static void model_write_value(
	const struct model_field *field, const void *at, unsigned flags, struct buf *out)
{
	switch (field->type) {
	case MODEL_STRING:
		json_write_text(out, *(const char *const *)at);
		break;
	case MODEL_INT:
		json_write_int(out, *(const int64_t *)at);
		break;
	case MODEL_BOOL:
		json_write_bool(out, *(const bool *)at);
		break;
	case MODEL_INSTANT:
		json_write_instant(out, *(const int64_t *)at, field->flags & MODEL_MS);
		break;
	case MODEL_ENUM:
		json_write_text(out, field->names[*(const int *)at]);
		break;
	case MODEL_OBJECT:
		if (*(void *const *)at)
			model_write(field->of, *(void *const *)at, flags, out);
		else
			json_write_text(out, NULL);
		break;
	case MODEL_LIST:
	case MODEL_STRINGS:
	case MODEL_INTS:
		model_write_list(field, at, flags, out);
		break;
	case MODEL_MAP:
		model_write_map(at, out);
		break;
	case MODEL_TIMES: /* only stored */
		json_write_text(out, NULL);
		break;
	}
}

static bool model_is_null(const struct model_field *field, const void *at)
{
	switch (field->type) {
	case MODEL_STRING:
	case MODEL_OBJECT:
		return !*(const void *const *)at;
	case MODEL_INSTANT:
		return !*(const int64_t *)at;
	case MODEL_TIMES:
		return true;
	default:
		return false;
	}
}

void model_write_members(
	const struct model *model, const void *object, unsigned flags, struct buf *out)
{
	const void *at;

	MODEL_FOREACH_FIELD (model, field) {
		at = (const char *)object + field->offset;
		if (!(field->flags & flags) ||
			((field->flags & MODEL_SPARSE) && model_is_null(field, at)))
			continue;
		json_write_name(out, field->name);
		model_write_value(field, at, flags, out);
	}
}

void model_write(const struct model *model, const void *object, unsigned flags, struct buf *out)
{
	json_write_open(out, '{');
	model_write_members(model, object, flags, out);
	json_write_close(out, '}');
}

char *model_text(struct arena *arena, const struct model *model, const void *object, unsigned flags)
{
	struct buf out;

	buf_init(&out, MODEL_MAX_TEXT);
	model_write(model, object, flags, &out);
	assert(!out.overflow);
	return buf_keep(&out, arena);
}

/* NULL for another type, and for a NUL, which can still come as the escape \u0000. */
static const char *model_given_text(struct json_object *json)
{
	const char *text = json_object_get_string(json);

	return json_object_is_type(json, json_type_string) &&
			       strlen(text) == (size_t)json_object_get_string_len(json)
		       ? text
		       : NULL;
}

static enum err model_string_from_json(const struct model_field *field, struct arena *arena,
	struct json_object *json, const char *pointer, const char **text_r, struct err_info *info)
{
	const char *text = model_given_text(json), *refusal;
	size_t count = 0;

	if (!json_object_is_type(json, json_type_string))
		return err_add_field(info, pointer, "must be a string");
	if (!text)
		return err_add_field(info, pointer, "must not contain control characters");
	refusal = utf8_refusal(text, field->flags & MODEL_MULTILINE);
	if (refusal)
		return err_add_field(info, pointer, "%s", refusal);
	utf8_valid(text, strlen(text), &count);
	if (field->max && ((int64_t)count < field->min || (int64_t)count > field->max))
		return err_add_field(info, pointer,
			"must have %" PRId64 " to %" PRId64 " characters", field->min, field->max);
	if (field->min > 0 && utf8_is_blank(text))
		return err_add_field(info, pointer, "must not be blank");
	*text_r = arena_strdup(arena, text);
	return ERR_OK;
}

static enum err model_int_from_json(const struct model_field *field, struct json_object *json,
	const char *pointer, int64_t *value_r, struct err_info *info)
{
	int64_t value = json_object_get_int64(json);

	if (!json_object_is_type(json, json_type_int))
		return err_add_field(info, pointer, "must be a whole number");
	if ((field->min || field->max) && (value < field->min || value > field->max))
		return err_add_field(info, pointer, "must be between %" PRId64 " and %" PRId64,
			field->min, field->max);
	/* json-c turns what lies beyond 64 bits into the extremes. */
	if (value == INT64_MAX || value == INT64_MIN)
		return err_add_field(info, pointer, "is too large a number");
	*value_r = value;
	return ERR_OK;
}

static enum err model_enum_from_json(const struct model_field *field, struct json_object *json,
	const char *pointer, int *value_r, struct err_info *info)
{
	const char *text = model_given_text(json);
	const int value = text ? model_enum_value(field->names, text) : -1;
	char known[160] = "";
	size_t i, used;

	if (value >= 0) {
		*value_r = value;
		return ERR_OK;
	}
	for (i = 0; field->names[i]; i++) {
		used = strlen(known);
		snprintf(
			known + used, sizeof(known) - used, "%s%s", i ? ", " : "", field->names[i]);
	}
	return err_add_field(info, pointer, "must be one of: %s", known);
}

static enum err model_value_from_json(const struct model_field *field, struct arena *arena,
	struct json_object *json, const char *pointer, void *at, struct err_info *info);

struct model_field model_item_field(const struct model_field *field)
{
	struct model_field item = {
		.type = MODEL_STRING, .flags = field->flags, .min = 1, .max = 200};

	if (field->type == MODEL_INTS)
		item = (struct model_field){
			.type = MODEL_INT, .min = field->min, .max = field->max};
	return item;
}

bool model_counts_items(const struct model_field *field)
{
	return field->type != MODEL_INTS && field->max;
}

static enum err model_list_from_json(const struct model_field *field, struct arena *arena,
	struct json_object *json, const char *pointer, struct model_list *list,
	struct err_info *info)
{
	const bool objects = field->type == MODEL_LIST;
	const size_t item_size = objects                        ? field->of->size
				 : field->type == MODEL_STRINGS ? sizeof(const char *)
								: sizeof(int64_t);
	const bool counted = model_counts_items(field);
	const int64_t least = counted ? field->min : 0;
	const int64_t most = counted ? field->max : MODEL_MAX_ITEMS;
	const struct model_field item_field = model_item_field(field);
	char item_pointer[MODEL_POINTER_SIZE];
	struct json_object *item;
	size_t i, count;
	void *at;

	if (!json_object_is_type(json, json_type_array))
		return err_add_field(info, pointer, "must be a list");
	count = json_object_array_length(json);
	if ((int64_t)count < least || (int64_t)count > most)
		return err_add_field(
			info, pointer, "must have %" PRId64 " to %" PRId64 " items", least, most);
	for (i = 0; i < count; i++) {
		item = json_object_array_get_idx(json, i);
		at = model_list_add(arena, list, item_size);
		snprintf(item_pointer, sizeof(item_pointer), "%s/%zu", pointer, i);
		if (objects)
			model_from_json(field->of, arena, item, item_pointer, at, info);
		else
			model_value_from_json(&item_field, arena, item, item_pointer, at, info);
	}
	return info->err;
}

static enum err model_value_from_json(const struct model_field *field, struct arena *arena,
	struct json_object *json, const char *pointer, void *at, struct err_info *info)
{
	const char *text;

	switch (field->type) {
	case MODEL_STRING:
		return model_string_from_json(field, arena, json, pointer, at, info);
	case MODEL_INT:
		return model_int_from_json(field, json, pointer, at, info);
	case MODEL_BOOL:
		if (!json_object_is_type(json, json_type_boolean))
			return err_add_field(info, pointer, "must be true or false");
		*(bool *)at = json_object_get_boolean(json);
		return ERR_OK;
	case MODEL_INSTANT:
		text = model_given_text(json);
		/* The very first instant is how a struct says "none". */
		if (!text || !instant_parse(text, at) || !*(int64_t *)at)
			return err_add_field(info, pointer,
				"must be an instant in UTC like 2027-03-01T14:00:00Z");
		return ERR_OK;
	case MODEL_ENUM:
		return model_enum_from_json(field, json, pointer, at, info);
	case MODEL_OBJECT:
		*(void **)at = arena_alloc(arena, field->of->size);
		return model_from_json(field->of, arena, json, pointer, *(void **)at, info);
	case MODEL_LIST:
	case MODEL_STRINGS:
	case MODEL_INTS:
		return model_list_from_json(field, arena, json, pointer, at, info);
	case MODEL_MAP: /* no input has one as yet */
	case MODEL_TIMES:
		break;
	}
	return ERR_INTERNAL;
}

static const struct model_field *model_find(const struct model *model, const char *name)
{
	size_t i;

	for (i = 0; i < model->field_count; i++)
		if (strcmp(model->fields[i].name, name) == 0)
			return &model->fields[i];
	return NULL;
}

/* RFC 6901: ~ and / inside a name are written ~0 and ~1. */
static void model_pointer(const char *base, const char *name, char pointer_r[MODEL_POINTER_SIZE])
{
	size_t used = (size_t)snprintf(pointer_r, MODEL_POINTER_SIZE, "%s/", base);

	for (; *name && used + 3 < MODEL_POINTER_SIZE; name++) {
		if (*name == '~' || *name == '/') {
			pointer_r[used++] = '~';
			pointer_r[used++] = *name == '~' ? '0' : '1';
		} else {
			pointer_r[used++] = *name;
		}
	}
	pointer_r[used < MODEL_POINTER_SIZE ? used : MODEL_POINTER_SIZE - 1] = '\0';
	/* A name cut in the middle must not end in half a character or half an escape. */
	used = utf8_prefix(pointer_r, MODEL_POINTER_SIZE - 4);
	if (pointer_r[used - 1] == '~')
		used--;
	pointer_r[used] = '\0';
}

enum err model_from_json(const struct model *model, struct arena *arena, struct json_object *json,
	const char *base, void *object, struct err_info *info)
{
	char pointer[MODEL_POINTER_SIZE];
	struct json_object *value;

	if (!json_object_is_type(json, json_type_object))
		return err_add_field(info, base, "must be an object");
	json_object_object_foreach(json, name, unused)
	{
		(void)unused;
		if (!model_find(model, name)) {
			model_pointer(base, name, pointer);
			err_add_field(info, pointer, "is not a known field");
		}
	}
	MODEL_FOREACH_FIELD (model, field) {
		model_pointer(base, field->name, pointer);
		json_object_object_get_ex(json, field->name, &value);
		if (value)
			model_value_from_json(
				field, arena, value, pointer, (char *)object + field->offset, info);
		else if (field->flags & MODEL_REQUIRED)
			err_add_field(info, pointer, "is required");
	}
	return info->err;
}
