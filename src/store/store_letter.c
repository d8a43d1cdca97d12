#include "store_letter.h"

#include "store_private.h"

#define FIELD(type, member, flags) MODEL_FIELD(struct letter, member, type, MODEL_STORED | (flags))

static const struct model_field letter_fields[] = {
	FIELD(MODEL_STRING, id, MODEL_KEY),
	FIELD(MODEL_STRING, request_id, MODEL_REQUIRED),
	FIELD(MODEL_INSTANT, expire_at, MODEL_REQUIRED),
	FIELD(MODEL_STRING, message, MODEL_REQUIRED | MODEL_SEALED),
};

const struct model letter_model = MODEL(struct letter, "letter", letter_fields);

static bson_t *store_letter_bson(
	struct store *store, struct arena *arena, const struct letter *letter)
{
	bson_t *bson = bson_new();

	arena_defer(arena, store_release_bson, bson);
	store_bson_write(store, arena, &letter_model, letter, letter->id, bson);
	return bson;
}

enum err store_letter_insert(struct store *store, struct arena *arena, const struct letter *letter,
	struct err_info *info)
{
	const bson_t *bson = store_letter_bson(store, arena, letter);
	struct store_collection letters;
	bson_error_t error;
	enum err err = store_collection_begin(store, "letters", &letters, info);

	if (err != ERR_OK)
		return err;
	if (!mongoc_collection_insert_one(letters.collection, bson, NULL, NULL, &error))
		err = store_error(&error, "insert letter", info);
	if (err == ERR_CONFLICT) {
		err_clear(info);
		err = ERR_OK;
	}
	return store_collection_end(&letters, err);
}

enum err store_letter_load(struct store *store, struct arena *arena, const char *id,
	struct letter **letter_r, struct err_info *info)
{
	bson_iter_t iter;
	const bson_t *bson;
	enum err err = store_document_load(store, arena, "letters", id, &bson, info);

	*letter_r = arena_alloc(arena, sizeof(**letter_r));
	if (err == ERR_OK && !bson)
		err = err_set(info, ERR_NOT_FOUND, "There is no such letter.");
	if (err != ERR_OK)
		return err;
	bson_iter_init(&iter, bson);
	return store_bson_read(store, arena, &letter_model, &iter, id, *letter_r, info);
}

enum err store_letter_save(struct store *store, struct arena *arena, const struct letter *letter,
	struct err_info *info)
{
	const bson_t *bson = store_letter_bson(store, arena, letter);
	struct store_collection letters;
	bson_error_t error;
	bson_t *filter;
	enum err err = store_collection_begin(store, "letters", &letters, info);

	if (err != ERR_OK)
		return err;
	filter = BCON_NEW("_id", BCON_UTF8(letter->id));
	if (!mongoc_collection_replace_one(letters.collection, filter, bson, NULL, NULL, &error))
		err = store_error(&error, "replace letter", info);
	bson_destroy(filter);
	return store_collection_end(&letters, err);
}

static enum err store_letters_delete(
	struct store *store, const char *field, const char *value, struct err_info *info)
{
	struct store_collection letters;
	bson_error_t error;
	bson_t *filter;
	enum err err = store_collection_begin(store, "letters", &letters, info);

	if (err != ERR_OK)
		return err;
	filter = BCON_NEW(field, BCON_UTF8(value));
	if (!mongoc_collection_delete_many(letters.collection, filter, NULL, NULL, &error))
		err = store_error(&error, "remove letters", info);
	bson_destroy(filter);
	return store_collection_end(&letters, err);
}

enum err store_letter_remove(struct store *store, const char *id, struct err_info *info)
{
	return store_letters_delete(store, "_id", id, info);
}

enum err store_letter_remove_of(struct store *store, const char *request_id, struct err_info *info)
{
	return store_letters_delete(store, "request_id", request_id, info);
}
