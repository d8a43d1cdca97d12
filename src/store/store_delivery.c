#include "store_delivery.h"

#include "log.h"
#include "store_private.h"

enum { STORE_ASIDE_MS = 5 * 60 * 1000 };

/* Takes filter and update over. */
static enum err store_delivery_update(
	struct store *store, bson_t *filter, bson_t *update, struct err_info *info)
{
	struct store_collection deliveries;
	bson_error_t error;
	enum err err = store_collection_begin(store, "deliveries", &deliveries, info);

	if (err == ERR_OK) {
		if (!mongoc_collection_update_many(
			    deliveries.collection, filter, update, NULL, NULL, &error))
			err = store_error(&error, "update deliveries", info);
		err = store_collection_end(&deliveries, err);
	}
	bson_destroy(update);
	bson_destroy(filter);
	return err;
}

/* ---- read ---- */

static enum err store_delivery_read(struct store *store, struct arena *arena, const bson_t *bson,
	struct delivery **delivery_r, const char **unreadable_r, struct err_info *info)
{
	struct delivery *delivery = arena_alloc(arena, sizeof(*delivery));
	bson_iter_t iter;
	const char *id;
	enum err err;

	if (!bson_iter_init_find(&iter, bson, "_id") || !BSON_ITER_HOLDS_UTF8(&iter))
		return err_set(info, ERR_UNREADABLE, "A delivery has no id.");
	id = arena_strdup(arena, bson_iter_utf8(&iter, NULL));
	bson_iter_init(&iter, bson);
	*delivery_r = delivery;
	err = store_bson_read(store, arena, &delivery_model, &iter, id, delivery, info);
	if (err != ERR_OK)
		*unreadable_r = id;
	return err;
}

/* Adds what is found to a list of struct delivery; what cannot be read is logged and left out, and
 * *unreadable_r is the id of one. Takes filter and sort over. */
static enum err store_delivery_find(struct store *store, struct arena *arena, bson_t *filter,
	bson_t *sort, int64_t limit, struct model_list *list_r, const char **unreadable_r,
	struct err_info *info)
{
	bson_t *options = BCON_NEW("sort", BCON_DOCUMENT(sort), "limit", BCON_INT64(limit),
		"singleBatch", BCON_BOOL(true));
	struct store_collection deliveries;
	struct err_info unreadable = {0};
	struct delivery *delivery = NULL;
	mongoc_cursor_t *cursor;
	const bson_t *bson;
	bson_error_t error;
	enum err err;

	err = store_collection_begin(store, "deliveries", &deliveries, info);
	if (err != ERR_OK)
		goto out;
	cursor = store_find(deliveries.collection, filter, options);
	while (mongoc_cursor_next(cursor, &bson)) {
		if (store_delivery_read(store, arena, bson, &delivery, unreadable_r, &unreadable) ==
			ERR_OK)
			*(struct delivery *)model_list_add(arena, list_r, sizeof(*delivery)) =
				*delivery;
		else
			log_error("left out: %s", unreadable.detail);
	}
	if (mongoc_cursor_error(cursor, &error))
		err = store_error(&error, "find deliveries", info);
	mongoc_cursor_destroy(cursor);
	err = store_collection_end(&deliveries, err);
out:
	bson_destroy(options);
	bson_destroy(sort);
	bson_destroy(filter);
	return err;
}

static enum err store_delivery_find_one(struct store *store, struct arena *arena, bson_t *filter,
	bson_t *sort, struct delivery **delivery_r, struct err_info *info)
{
	struct model_list list = {0};
	const char *unreadable = NULL;
	const enum err err =
		store_delivery_find(store, arena, filter, sort, 1, &list, &unreadable, info);

	if (err == ERR_OK && unreadable)
		return err_set(info, ERR_UNREADABLE, "Delivery %s cannot be read.", unreadable);
	if (err == ERR_OK && !list.count)
		return err_set(info, ERR_NOT_FOUND, "There is no such delivery.");
	*delivery_r = list.items;
	return err;
}

enum err store_delivery_load(struct store *store, struct arena *arena, const char *id,
	struct delivery **delivery_r, struct err_info *info)
{
	return store_delivery_find_one(store, arena, BCON_NEW("_id", BCON_UTF8(id)),
		BCON_NEW("_id", BCON_INT32(1)), delivery_r, info);
}

enum err store_delivery_due(struct store *store, struct arena *arena, const char *webhook_id,
	int64_t now, struct delivery **delivery_r, struct err_info *info)
{
	struct model_list list = {0};
	const char *unreadable = NULL;
	enum err err;

	err = store_delivery_find(store, arena,
		BCON_NEW("webhook_id", BCON_UTF8(webhook_id), "due", "{", "$lte",
			BCON_DATE_TIME(now), "}"),
		BCON_NEW("due", BCON_INT32(1)), 1, &list, &unreadable, info);
	/* It must not stand in the way of the others. */
	if (err == ERR_OK && unreadable)
		err = store_delivery_update(store, BCON_NEW("_id", BCON_UTF8(unreadable)),
			BCON_NEW("$set", "{", "due", BCON_DATE_TIME(now + STORE_ASIDE_MS), "}"),
			info);
	if (err == ERR_OK && unreadable)
		return err_set(info, ERR_UNREADABLE, "Delivery %s is set aside.", unreadable);
	if (err == ERR_OK && !list.count)
		return err_set(info, ERR_NOT_FOUND, "Nothing is due.");
	*delivery_r = list.items;
	return err;
}

enum err store_delivery_first(struct store *store, struct arena *arena, const char *webhook_id,
	const char *lane, struct delivery **delivery_r, struct err_info *info)
{
	return store_delivery_find_one(store, arena,
		BCON_NEW("webhook_id", BCON_UTF8(webhook_id), "lane", BCON_UTF8(lane), "state",
			BCON_UTF8(delivery_state_names[DELIVERY_DUE])),
		BCON_NEW("serial", BCON_INT32(1)), delivery_r, info);
}

enum err store_delivery_ended(struct store *store, struct arena *arena, const char *webhook_id,
	enum delivery_state state, int64_t since, struct delivery **delivery_r,
	struct err_info *info)
{
	return store_delivery_find_one(store, arena,
		BCON_NEW("webhook_id", BCON_UTF8(webhook_id), "state",
			BCON_UTF8(delivery_state_names[state]), "ended_at", "{", "$gt",
			BCON_DATE_TIME(since), "}"),
		BCON_NEW("ended_at", BCON_INT32(since ? 1 : -1)), delivery_r, info);
}

enum err store_delivery_oldest(struct store *store, struct arena *arena, const char *webhook_id,
	struct delivery **delivery_r, struct err_info *info)
{
	return store_delivery_find_one(store, arena,
		BCON_NEW("webhook_id", BCON_UTF8(webhook_id), "state",
			BCON_UTF8(delivery_state_names[DELIVERY_DUE]), "created_at", "{", "$gt",
			BCON_DATE_TIME(0), "}"),
		BCON_NEW("created_at", BCON_INT32(1)), delivery_r, info);
}

enum err store_delivery_list(struct store *store, struct arena *arena,
	const struct store_delivery_page *page, struct model_list *list_r, struct err_info *info)
{
	const char *unreadable;
	bson_t *filter;
	enum err err = ERR_OK;

	/* What was put down in one instant first, and then what was before it. */
	if (page->before)
		err = store_delivery_find(store, arena,
			BCON_NEW("webhook_id", BCON_UTF8(page->webhook_id), "created_at",
				BCON_DATE_TIME(page->before), "_id", "{", "$lt",
				BCON_UTF8(page->before_id), "}"),
			BCON_NEW("_id", BCON_INT32(-1)), page->limit, list_r, &unreadable, info);
	if (err != ERR_OK || (int64_t)list_r->count >= page->limit)
		return err;
	filter = page->before ? BCON_NEW("webhook_id", BCON_UTF8(page->webhook_id), "created_at",
					"{", "$lt", BCON_DATE_TIME(page->before), "}")
			      : BCON_NEW("webhook_id", BCON_UTF8(page->webhook_id));
	return store_delivery_find(store, arena, filter,
		BCON_NEW("created_at", BCON_INT32(-1), "_id", BCON_INT32(-1)),
		page->limit - (int64_t)list_r->count, list_r, &unreadable, info);
}

/* ---- write ---- */

enum err store_delivery_insert(struct store *store, struct arena *arena,
	const struct delivery *delivery, struct err_info *info)
{
	struct store_collection deliveries;
	bson_error_t error;
	bson_t *bson;
	enum err err = store_collection_begin(store, "deliveries", &deliveries, info);

	if (err != ERR_OK)
		return err;
	bson = bson_new();
	store_bson_write(store, arena, &delivery_model, delivery, delivery->id, bson);
	if (!mongoc_collection_insert_one(deliveries.collection, bson, NULL, NULL, &error))
		err = store_error(&error, "insert delivery", info);
	bson_destroy(bson);
	return store_collection_end(&deliveries, err);
}

enum err store_delivery_save(
	struct store *store, struct arena *arena, struct delivery *delivery, struct err_info *info)
{
	struct store_collection deliveries;
	bson_t *filter, *bson, reply;
	bson_error_t error;
	enum err err = store_collection_begin(store, "deliveries", &deliveries, info);

	if (err != ERR_OK)
		return err;
	filter = BCON_NEW("_id", BCON_UTF8(delivery->id), "rev", BCON_INT64(delivery->rev));
	delivery->rev++;
	bson = bson_new();
	store_bson_write(store, arena, &delivery_model, delivery, delivery->id, bson);
	if (!mongoc_collection_replace_one(
		    deliveries.collection, filter, bson, NULL, &reply, &error))
		err = store_error(&error, "replace delivery", info);
	else if (!store_matched(&reply))
		err = err_set(info, ERR_CONFLICT, "The delivery was changed at the same time.");
	bson_destroy(&reply);
	bson_destroy(bson);
	bson_destroy(filter);
	return store_collection_end(&deliveries, err);
}

/* Of those whose `key` is `value`: what is owed is over, and nothing says any more what it was. */
static enum err store_delivery_silence(
	struct store *store, const char *key, const char *value, int64_t now, struct err_info *info)
{
	enum err err;

	err = store_delivery_update(store,
		BCON_NEW(key, BCON_UTF8(value), "state",
			BCON_UTF8(delivery_state_names[DELIVERY_DUE])),
		BCON_NEW("$set", "{", "state", BCON_UTF8(delivery_state_names[DELIVERY_FAILED]),
			"ended_at", BCON_DATE_TIME(now), "}", "$unset", "{", "due", BCON_BOOL(true),
			"lease", BCON_BOOL(true), "}", "$inc", "{", "rev", BCON_INT64(1), "}"),
		info);
	if (err == ERR_OK)
		err = store_delivery_update(store, BCON_NEW(key, BCON_UTF8(value)),
			BCON_NEW("$unset", "{", "body", BCON_BOOL(true), "last_error",
				BCON_BOOL(true), "}", "$inc", "{", "rev", BCON_INT64(1), "}"),
			info);
	return err;
}

enum err store_delivery_erase(
	struct store *store, const char *request_id, int64_t now, struct err_info *info)
{
	return store_delivery_silence(store, "request_id", request_id, now, info);
}

enum err store_delivery_erase_one(
	struct store *store, const char *id, int64_t now, struct err_info *info)
{
	return store_delivery_silence(store, "_id", id, now, info);
}
