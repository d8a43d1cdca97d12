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

enum err store_chore_load(struct store *store, struct arena *arena, const char *id,
	struct chore **chore_r, struct err_info *info)
{
	const bson_t *bson;
	enum err err = store_document_load(store, arena, "chores", id, &bson, info);

	if (err == ERR_OK && !bson)
		err = err_set(info, ERR_NOT_FOUND, "There is no such chore.");
	return err == ERR_OK ? store_chore_read(store, arena, bson, chore_r, info) : err;
}

/* The first that is due; ERR_NOT_FOUND. */
static enum err store_chore_due(struct store_collection *chores, struct arena *arena, int64_t now,
	const bson_t **bson_r, struct err_info *info)
{
	bson_t *filter = BCON_NEW("due", "{", "$lte", BCON_DATE_TIME(now), "}"),
	       *sort = BCON_NEW("due", BCON_INT32(1));
	const struct store_search search = {
		.collection = "chores", .filter = filter, .sort = sort, .limit = 1};
	struct store_rows rows;
	const bson_t *row;
	enum err err = store_rows_find(&chores->session, &search, "find chore", &rows, info);

	if (err == ERR_OK) {
		row = store_rows_next(&rows);
		*bson_r = row ? store_row_copy(arena, row) : NULL;
		err = row ? ERR_OK : ERR_NOT_FOUND;
	}
	store_rows_end(&rows);
	bson_destroy(sort);
	bson_destroy(filter);
	return err;
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
	const bson_t *bson = NULL;
	enum err err = store_collection_begin(store, "chores", &chores, info);

	if (err != ERR_OK)
		return err;
	err = store_chore_due(&chores, arena, now, &bson, info);
	if (err == ERR_OK)
		err = store_chore_take(&chores, bson, until, info);
	if (err == ERR_OK)
		err = store_chore_read(store, arena, bson, chore_r, info);
	if (err == ERR_OK) {
		(*chore_r)->due = until;
		(*chore_r)->rev++;
		(*chore_r)->attempts++;
	}
	return store_collection_end(&chores, err);
}
