/* yajl: straight into its buffer, as ours. */
#include <stdlib.h>
#include <string.h>
#include <yajl/yajl_gen.h>

#include "json_writer.h"

void (*json_format_instant)(int64_t instant, bool with_ms, char *text_r);

static void object_out(yajl_gen gen, const struct model *model, const void *object, unsigned flags);

static void text_out(yajl_gen gen, const char *text)
{
	if (text)
		yajl_gen_string(gen, (const unsigned char *)text, strlen(text));
	else
		yajl_gen_null(gen);
}

static void list_out(yajl_gen gen, const struct model_field *field, const struct model_list *list,
	unsigned flags)
{
	size_t i;

	yajl_gen_array_open(gen);
	for (i = 0; i < list->count; i++) {
		if (field->type == MODEL_LIST)
			object_out(gen, field->of, (const char *)list->items + i * field->of->size,
				flags);
		else if (field->type == MODEL_STRINGS)
			text_out(gen, *MODEL_AT(list, const char *, i));
		else
			yajl_gen_integer(gen, *MODEL_AT(list, int64_t, i));
	}
	yajl_gen_array_close(gen);
}

static void value_out(yajl_gen gen, const struct model_field *field, const void *at, unsigned flags)
{
	char text[32];

	switch (field->type) {
	case MODEL_STRING:
		text_out(gen, *(const char *const *)at);
		break;
	case MODEL_INT:
		yajl_gen_integer(gen, *(const int64_t *)at);
		break;
	case MODEL_BOOL:
		yajl_gen_bool(gen, *(const bool *)at);
		break;
	case MODEL_INSTANT:
		if (*(const int64_t *)at)
			json_format_instant(*(const int64_t *)at, field->flags & MODEL_MS, text);
		text_out(gen, *(const int64_t *)at ? text : NULL);
		break;
	case MODEL_ENUM:
		text_out(gen, field->names[*(const int *)at]);
		break;
	case MODEL_OBJECT:
		if (*(void *const *)at)
			object_out(gen, field->of, *(void *const *)at, flags);
		else
			text_out(gen, NULL);
		break;
	case MODEL_LIST:
	case MODEL_STRINGS:
	case MODEL_INTS:
		list_out(gen, field, at, flags);
		break;
	default:
		text_out(gen, NULL);
		break;
	}
}

static void object_out(yajl_gen gen, const struct model *model, const void *object, unsigned flags)
{
	yajl_gen_map_open(gen);
	MODEL_FOREACH_FIELD (model, field) {
		if (!(field->flags & flags))
			continue;
		text_out(gen, field->name);
		value_out(gen, field, (const char *)object + field->offset, flags);
	}
	yajl_gen_map_close(gen);
}

const char *json_write(const struct model *model, const void *object, unsigned flags, bool *owned_r)
{
	yajl_gen gen = yajl_gen_alloc(NULL);
	const unsigned char *bytes;
	char *text;
	size_t len;

	object_out(gen, model, object, flags);
	yajl_gen_get_buf(gen, &bytes, &len);
	text = memcpy(malloc(len + 1), bytes, len);
	text[len] = '\0';
	yajl_gen_free(gen);
	*owned_r = true;
	return text;
}
