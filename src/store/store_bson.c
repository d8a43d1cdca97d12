/* One description of a field, two directions: struct -> BSON -> struct. */
#include <assert.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "store_private.h"

const char *store_field_key(const struct model_field *field)
{
	return field->flags & MODEL_KEY ? "_id" : field->name;
}

/* Binds a sealed value to its place, so that it does not open in another document, field or, with
 * `name`, place of a map. (The word in front is part of all that was ever sealed.) */
static const char *store_seal_context(
	struct arena *arena, const char *id, const struct model_field *field, const char *name)
{
	return arena_concat(
		arena, "requests/", id, "/", field->name, name ? "/" : "", name ? name : "", NULL);
}

/* A text as the field keeps it. */
static const char *store_text(struct store *store, struct arena *arena,
	const struct model_field *field, const char *name, const char *text, const char *id)
{
	if (!(field->flags & MODEL_SEALED))
		return text;
	return secret_seal(store->ring, arena, store_seal_context(arena, id, field, name), text);
}

static void store_write_map(struct store *store, struct arena *arena,
	const struct model_field *field, const struct model_list *map, const char *id, bson_t *bson)
{
	bson_t child;

	bson_append_document_begin(bson, field->name, -1, &child);
	MODEL_FOREACH (map, struct model_pair, pair) {
		bson_append_utf8(&child, pair->name, -1,
			store_text(store, arena, field, pair->name, pair->value, id), -1);
	}
	bson_append_document_end(bson, &child);
}

static void store_write_times(
	const struct model_field *field, const struct model_list *times, bson_t *bson)
{
	bson_t child;

	bson_append_document_begin(bson, field->name, -1, &child);
	MODEL_FOREACH (times, struct model_time, time) {
		bson_append_date_time(&child, time->name, -1, time->at);
	}
	bson_append_document_end(bson, &child);
}

static void store_write_list(struct store *store, struct arena *arena,
	const struct model_field *field, const struct model_list *list, const char *id,
	bson_t *bson)
{
	bson_t array, item;
	const char *key;
	char digits[16];
	size_t i;

	bson_append_array_begin(bson, field->name, -1, &array);
	for (i = 0; i < list->count; i++) {
		bson_uint32_to_string((uint32_t)i, &key, digits, sizeof(digits));
		if (field->type == MODEL_STRINGS) {
			bson_append_utf8(&array, key, -1,
				store_text(store, arena, field, NULL,
					*MODEL_AT(list, const char *, i), id),
				-1);
			continue;
		}
		if (field->type == MODEL_INTS) {
			bson_append_int64(&array, key, -1, *MODEL_AT(list, int64_t, i));
			continue;
		}
		bson_append_document_begin(&array, key, -1, &item);
		store_bson_write(store, arena, field->of,
			(const char *)list->items + i * field->of->size, id, &item);
		bson_append_document_end(&array, &item);
	}
	bson_append_array_end(bson, &array);
}

static bool store_is_null(const struct model_field *field, const void *at)
{
	switch (field->type) {
	case MODEL_STRING:
	case MODEL_OBJECT:
		return *(const void *const *)at == NULL;
	case MODEL_INSTANT:
		return *(const int64_t *)at == 0;
	case MODEL_INT:
		return (field->flags & MODEL_SPARSE) && *(const int64_t *)at == 0;
	case MODEL_BOOL:
		return (field->flags & MODEL_SPARSE) && !*(const bool *)at;
	case MODEL_LIST:
	case MODEL_STRINGS:
	case MODEL_INTS:
	case MODEL_MAP:
	case MODEL_TIMES:
		return (field->flags & MODEL_SPARSE) && ((const struct model_list *)at)->count == 0;
	default:
		return false;
	}
}

static void store_write_field(struct store *store, struct arena *arena,
	const struct model_field *field, const void *at, const char *id, bson_t *bson)
{
	const char *key = store_field_key(field);
	bson_t child;

	switch (field->type) {
	case MODEL_STRING:
		bson_append_utf8(bson, key, -1,
			store_text(store, arena, field, NULL, *(const char *const *)at, id), -1);
		break;
	case MODEL_INT:
		bson_append_int64(bson, key, -1, *(const int64_t *)at);
		break;
	case MODEL_BOOL:
		bson_append_bool(bson, key, -1, *(const bool *)at);
		break;
	case MODEL_INSTANT:
		bson_append_date_time(bson, key, -1, *(const int64_t *)at);
		break;
	case MODEL_ENUM:
		bson_append_utf8(bson, key, -1, field->names[*(const int *)at], -1);
		break;
	case MODEL_OBJECT:
		bson_append_document_begin(bson, key, -1, &child);
		store_bson_write(store, arena, field->of, *(void *const *)at, id, &child);
		bson_append_document_end(bson, &child);
		break;
	case MODEL_LIST:
	case MODEL_STRINGS:
	case MODEL_INTS:
		store_write_list(store, arena, field, at, id, bson);
		break;
	case MODEL_MAP:
		store_write_map(store, arena, field, at, id, bson);
		break;
	case MODEL_TIMES:
		store_write_times(field, at, bson);
		break;
	}
}

void store_bson_write(struct store *store, struct arena *arena, const struct model *model,
	const void *object, const char *id, bson_t *bson)
{
	const void *at;

	MODEL_FOREACH_FIELD (model, field) {
		if (!(field->flags & MODEL_STORED))
			continue;
		at = (const char *)object + field->offset;
		if (!store_is_null(field, at))
			store_write_field(store, arena, field, at, id, bson);
		else if (!(field->flags & MODEL_SPARSE))
			bson_append_null(bson, store_field_key(field), -1);
	}
}

static enum err store_bad_field(const struct model *model, const struct model_field *field,
	const char *id, struct err_info *info)
{
	return err_set(info, ERR_UNREADABLE, "Document %s: %s.%s is missing or cannot be read.", id,
		model->name, field->name);
}

/* NULL for what is no text, or has a NUL inside, which BSON allows: what is behind it would go
 * unseen. */
static const char *store_value_text(const bson_iter_t *iter)
{
	uint32_t len = 0;
	const char *text = bson_iter_utf8(iter, &len);

	return BSON_ITER_HOLDS_UTF8(iter) && strlen(text) == len ? text : NULL;
}

static enum err store_read_string(const struct store_reading *reading, const struct model *model,
	const struct model_field *field, bson_iter_t *iter, const char *name, const char **text_r,
	struct err_info *info)
{
	const char *text = store_value_text(iter);

	if (text && (field->flags & MODEL_SEALED))
		text = secret_open(reading->store->ring, reading->arena,
			store_seal_context(reading->arena, reading->id, field, name), text);
	else if (text && !reading->lasting)
		text = arena_strdup(reading->arena, text);
	*text_r = text;
	return text ? ERR_OK : store_bad_field(model, field, reading->id, info);
}

static enum err store_read_map(const struct store_reading *reading, const struct model *model,
	const struct model_field *field, bson_iter_t *iter, struct model_list *map,
	struct err_info *info)
{
	struct model_pair *pair;
	enum err err = ERR_OK;
	bson_iter_t items;

	if (!BSON_ITER_HOLDS_DOCUMENT(iter) || !bson_iter_recurse(iter, &items))
		return store_bad_field(model, field, reading->id, info);
	while (err == ERR_OK && bson_iter_next(&items)) {
		pair = model_list_add(reading->arena, map, sizeof(*pair));
		pair->name = arena_strdup(reading->arena, bson_iter_key(&items));
		err = store_read_string(
			reading, model, field, &items, pair->name, &pair->value, info);
	}
	return err;
}

static enum err store_read_times(const struct store_reading *reading, const struct model *model,
	const struct model_field *field, bson_iter_t *iter, struct model_list *times,
	struct err_info *info)
{
	bson_iter_t items;

	if (!BSON_ITER_HOLDS_DOCUMENT(iter) || !bson_iter_recurse(iter, &items))
		return store_bad_field(model, field, reading->id, info);
	while (bson_iter_next(&items)) {
		if (!BSON_ITER_HOLDS_DATE_TIME(&items))
			return store_bad_field(model, field, reading->id, info);
		*(struct model_time *)model_list_add(
			reading->arena, times, sizeof(struct model_time)) = (struct model_time){
			.name = arena_strdup(reading->arena, bson_iter_key(&items)),
			.at = bson_iter_date_time(&items),
		};
	}
	return ERR_OK;
}

static enum err store_read_list(const struct store_reading *reading, const struct model *model,
	const struct model_field *field, bson_iter_t *iter, struct model_list *list,
	struct err_info *info)
{
	struct arena *arena = reading->arena;
	bson_iter_t items, item;
	enum err err = ERR_OK;

	if (!BSON_ITER_HOLDS_ARRAY(iter) || !bson_iter_recurse(iter, &items))
		return store_bad_field(model, field, reading->id, info);
	while (err == ERR_OK && bson_iter_next(&items)) {
		if (field->type == MODEL_STRINGS) {
			err = store_read_string(reading, model, field, &items, NULL,
				model_list_add(arena, list, sizeof(const char *)), info);
			continue;
		}
		if (field->type == MODEL_INTS) {
			if (!BSON_ITER_HOLDS_INT(&items))
				return store_bad_field(model, field, reading->id, info);
			*(int64_t *)model_list_add(arena, list, sizeof(int64_t)) =
				bson_iter_as_int64(&items);
			continue;
		}
		if (!BSON_ITER_HOLDS_DOCUMENT(&items) || !bson_iter_recurse(&items, &item))
			return store_bad_field(model, field, reading->id, info);
		err = store_bson_read_some(reading, field->of, &item,
			model_list_add(arena, list, field->of->size), info);
	}
	return err;
}

static enum err store_read_field(const struct store_reading *reading, const struct model *model,
	const struct model_field *field, bson_iter_t *iter, void *at, struct err_info *info)
{
	const char *text;
	bson_iter_t child;
	int value;

	switch (field->type) {
	case MODEL_STRING:
		return store_read_string(reading, model, field, iter, NULL, at, info);
	case MODEL_INT:
		if (!BSON_ITER_HOLDS_INT(iter))
			break;
		*(int64_t *)at = bson_iter_as_int64(iter);
		return ERR_OK;
	case MODEL_BOOL:
		if (!BSON_ITER_HOLDS_BOOL(iter))
			break;
		*(bool *)at = bson_iter_bool(iter);
		return ERR_OK;
	case MODEL_INSTANT:
		if (!BSON_ITER_HOLDS_DATE_TIME(iter))
			break;
		*(int64_t *)at = bson_iter_date_time(iter);
		return ERR_OK;
	case MODEL_ENUM:
		text = store_value_text(iter);
		value = text ? model_enum_value(field->names, text) : -1;
		if (value < 0)
			break;
		*(int *)at = value;
		return ERR_OK;
	case MODEL_OBJECT:
		if (!BSON_ITER_HOLDS_DOCUMENT(iter) || !bson_iter_recurse(iter, &child))
			break;
		*(void **)at = arena_alloc(reading->arena, field->of->size);
		return store_bson_read_some(reading, field->of, &child, *(void **)at, info);
	case MODEL_LIST:
	case MODEL_STRINGS:
	case MODEL_INTS:
		return store_read_list(reading, model, field, iter, at, info);
	case MODEL_MAP:
		return store_read_map(reading, model, field, iter, at, info);
	case MODEL_TIMES:
		return store_read_times(reading, model, field, iter, at, info);
	}
	return store_bad_field(model, field, reading->id, info);
}

/* Most names differ in their first letter, which is no call. */
static bool store_is_key(const struct model_field *field, const char *key)
{
	const char *own = store_field_key(field);

	return (field->flags & MODEL_STORED) && own[0] == key[0] && strcmp(own, key) == 0;
}

/* Which field came behind which the last time. Documents have the order of their model, but not
 * all fields, and a database may give what it projects in another order: always the same. */
enum { STORE_FOLLOWERS = 4096 };
static _Atomic(uint8_t) store_followers[STORE_FOLLOWERS];

static _Atomic(uint8_t) *store_follower(const struct model *model, size_t last)
{
	const size_t hash = (uintptr_t)model / sizeof(*model) * 64 + last;

	return &store_followers[hash % STORE_FOLLOWERS];
}

/* `last` is where the one before is, or how many there are. */
static const struct model_field *store_find_field(
	const struct model *model, const char *key, size_t *last)
{
	_Atomic(uint8_t) *follower = store_follower(model, *last);
	size_t i, index = atomic_load_explicit(follower, memory_order_relaxed);

	for (i = 0; i < model->field_count; i++, index++) {
		if (index >= model->field_count)
			index = 0;
		if (!store_is_key(&model->fields[index], key))
			continue;
		if (i)
			atomic_store_explicit(follower, (uint8_t)index, memory_order_relaxed);
		*last = index;
		return &model->fields[index];
	}
	return NULL;
}

bool store_omits(const struct store_omission *omission, const struct model_field *field)
{
	return (field->flags & omission->flags) &&
	       !(omission->but_texts && field->type == MODEL_STRING) &&
	       !(omission->but && field->of == omission->but);
}

enum err store_bson_read_some(const struct store_reading *reading, const struct model *model,
	bson_iter_t *iter, void *object, struct err_info *info)
{
	const struct model_field *field;
	enum err err = ERR_OK;
	size_t i, last = model->field_count;
	uint64_t seen = 0;

	assert(model->field_count <= 64);
	while (err == ERR_OK && bson_iter_next(iter)) {
		field = store_find_field(model, bson_iter_key(iter), &last);
		if (!field || store_omits(&reading->omission, field) || BSON_ITER_HOLDS_NULL(iter))
			continue;
		seen |= UINT64_C(1) << (field - model->fields);
		err = store_read_field(
			reading, model, field, iter, (char *)object + field->offset, info);
	}
	for (i = 0; err == ERR_OK && i < model->field_count; i++)
		if ((model->fields[i].flags & MODEL_STORED) &&
			(model->fields[i].flags & MODEL_REQUIRED) && !(seen >> i & 1))
			err = store_bad_field(model, &model->fields[i], reading->id, info);
	return err;
}

enum err store_bson_read(struct store *store, struct arena *arena, const struct model *model,
	bson_iter_t *iter, const char *id, void *object, struct err_info *info)
{
	const struct store_reading reading = {.store = store, .arena = arena, .id = id};

	return store_bson_read_some(&reading, model, iter, object, info);
}

static bool store_value_is_newest(
	struct store *store, const struct model_field *field, const bson_iter_t *iter)
{
	bson_iter_t child;

	if (BSON_ITER_HOLDS_UTF8(iter))
		return !(field->flags & MODEL_SEALED) ||
		       secret_is_newest(store->ring, bson_iter_utf8(iter, NULL));
	if ((!BSON_ITER_HOLDS_DOCUMENT(iter) && !BSON_ITER_HOLDS_ARRAY(iter)) ||
		!bson_iter_recurse(iter, &child))
		return true;
	if (field->of && BSON_ITER_HOLDS_DOCUMENT(iter))
		return store_bson_is_newest(store, field->of, &child);
	while (bson_iter_next(&child))
		if (!store_value_is_newest(store, field, &child))
			return false;
	return true;
}

bool store_bson_is_newest(struct store *store, const struct model *model, bson_iter_t *iter)
{
	const struct model_field *field;
	size_t last = model->field_count;

	while (bson_iter_next(iter)) {
		field = store_find_field(model, bson_iter_key(iter), &last);
		if (field && !store_value_is_newest(store, field, iter))
			return false;
	}
	return true;
}
