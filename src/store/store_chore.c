#include "store_chore.h"

#include "store_private.h"

/* ERR_CONFLICT unless it matched. */
static enum err store_chore_matched(const bson_t *reply, struct err_info *info)
{
	if (store_matched(reply))
		return ERR_OK;
	return err_set(info, ERR_CONFLICT, "The chore was changed at the same time.");
}

/* ---- read ---- */

static enum err store_chore_read(struct store *store, struct arena *arena, const bson_t *bson,
	struct chore **chore_r, struct err_info *info)
{
	struct chore *chore = arena_alloc(arena, sizeof(*chore));
	bson_iter_t iter;
	const char *id;

	if (!bson_iter_init_find(&iter, bson, "_id") || !BSON_ITER_HOLDS_UTF8(&iter))
		return err_set(info, ERR_UNREADABLE, "A chore has no id.");
	id = arena_strdup(arena, bson_iter_utf8(&iter, NULL));
	bson_iter_init(&iter, bson);
	*chore_r = chore;
	return store_bson_read(store, arena, &chore_model, &iter, id, chore, info);
}

/* The first in the order of `due`; *bson_r is NULL when there is none. */
static enum err store_chore_find(struct store_collection *chores, struct arena *arena,
	const bson_t *filter, bson_t **bson_r, struct err_info *info)
{
	bson_t *options = BCON_NEW("limit", BCON_INT64(1), "singleBatch", BCON_BOOL(true), "sort",
		"{", "due", BCON_INT32(1), "}");
	mongoc_cursor_t *cursor;
	const bson_t *bson;
	bson_error_t error;
	enum err err = ERR_OK;

	*bson_r = NULL;
	cursor = store_find(chores->collection, filter, options);
	if (mongoc_cursor_next(cursor, &bson)) {
		*bson_r = bson_copy(bson);
		arena_defer(arena, store_release_bson, *bson_r);
	} else if (mongoc_cursor_error(cursor, &error)) {
		err = store_error(&error, "find chore", info);
	}
	mongoc_cursor_destroy(cursor);
	bson_destroy(options);
	return err;
}

enum err store_chore_load(struct store *store, struct arena *arena, const char *id,
	struct chore **chore_r, struct err_info *info)
{
	struct store_collection chores;
	bson_t *filter, *bson;
	enum err err = store_collection_begin(store, "chores", &chores, info);

	if (err != ERR_OK)
		return err;
	filter = BCON_NEW("_id", BCON_UTF8(id));
	err = store_chore_find(&chores, arena, filter, &bson, info);
	if (err == ERR_OK)
		err = bson ? store_chore_read(store, arena, bson, chore_r, info)
			   : err_set(info, ERR_NOT_FOUND, "There is no such chore.");
	bson_destroy(filter);
	return store_collection_end(&chores, err);
}

/* ---- write ---- */

static bson_t *store_chore_bson(struct store *store, struct arena *arena, const struct chore *chore)
{
	bson_t *bson = bson_new();

	store_bson_write(store, arena, &chore_model, chore, chore->id, bson);
	return bson;
}

enum err store_chore_insert(
	struct store *store, struct arena *arena, struct chore *chore, struct err_info *info)
{
	struct store_collection chores;
	bson_error_t error;
	bson_t *bson;
	enum err err = store_collection_begin(store, "chores", &chores, info);

	if (err != ERR_OK)
		return err;
	chore->rev = 1;
	bson = store_chore_bson(store, arena, chore);
	if (!mongoc_collection_insert_one(chores.collection, bson, NULL, NULL, &error))
		err = store_error(&error, "insert chore", info);
	bson_destroy(bson);
	return store_collection_end(&chores, err);
}

enum err store_chore_save(
	struct store *store, struct arena *arena, struct chore *chore, struct err_info *info)
{
	struct store_collection chores;
	bson_t *filter, *bson, reply;
	bson_error_t error;
	enum err err = store_collection_begin(store, "chores", &chores, info);

	if (err != ERR_OK)
		return err;
	filter = BCON_NEW("_id", BCON_UTF8(chore->id), "rev", BCON_INT64(chore->rev));
	chore->rev++;
	bson = store_chore_bson(store, arena, chore);
	if (!mongoc_collection_replace_one(chores.collection, filter, bson, NULL, &reply, &error))
		err = store_error(&error, "replace chore", info);
	else
		err = store_chore_matched(&reply, info);
	bson_destroy(&reply);
	bson_destroy(bson);
	bson_destroy(filter);
	return store_collection_end(&chores, err);
}

enum err store_chore_remove(struct store *store, const char *id, struct err_info *info)
{
	struct store_collection chores;
	bson_error_t error;
	bson_t *filter;
	enum err err = store_collection_begin(store, "chores", &chores, info);

	if (err != ERR_OK)
		return err;
	filter = BCON_NEW("_id", BCON_UTF8(id));
	if (!mongoc_collection_delete_one(chores.collection, filter, NULL, NULL, &error))
		err = store_error(&error, "remove chore", info);
	bson_destroy(filter);
	return store_collection_end(&chores, err);
}

/* Moves `due` on, if nobody has done so since it was found. Guarded by what is in the document, not
 * by what can be read of it: a chore that nobody can read must not be met again at once. */
static enum err store_chore_take(
	struct store_collection *chores, const bson_t *bson, int64_t until, struct err_info *info)
{
	bson_t filter = BSON_INITIALIZER, *update, reply;
	bson_error_t error;
	bson_iter_t iter;
	enum err err;

	if (bson_iter_init_find(&iter, bson, "_id"))
		BSON_APPEND_VALUE(&filter, "_id", bson_iter_value(&iter));
	if (bson_iter_init_find(&iter, bson, "due"))
		BSON_APPEND_VALUE(&filter, "due", bson_iter_value(&iter));
	update = BCON_NEW("$set", "{", "due", BCON_DATE_TIME(until), "}", "$inc", "{", "rev",
		BCON_INT64(1), "attempts", BCON_INT64(1), "}");
	if (!mongoc_collection_update_one(
		    chores->collection, &filter, update, NULL, &reply, &error))
		err = store_error(&error, "claim chore", info);
	else
		err = store_chore_matched(&reply, info);
	bson_destroy(&reply);
	bson_destroy(update);
	bson_destroy(&filter);
	return err;
}

enum err store_chore_claim(struct store *store, struct arena *arena, int64_t now, int64_t until,
	struct chore **chore_r, struct err_info *info)
{
	struct store_collection chores;
	bson_t *filter, *bson;
	enum err err = store_collection_begin(store, "chores", &chores, info);

	if (err != ERR_OK)
		return err;
	filter = BCON_NEW("due", "{", "$lte", BCON_DATE_TIME(now), "}");
	err = store_chore_find(&chores, arena, filter, &bson, info);
	if (err == ERR_OK && !bson)
		err = ERR_NOT_FOUND;
	if (err == ERR_OK)
		err = store_chore_take(&chores, bson, until, info);
	if (err == ERR_OK)
		err = store_chore_read(store, arena, bson, chore_r, info);
	if (err == ERR_OK) {
		(*chore_r)->due = until;
		(*chore_r)->rev++;
		(*chore_r)->attempts++;
	}
	bson_destroy(filter);
	return store_collection_end(&chores, err);
}
