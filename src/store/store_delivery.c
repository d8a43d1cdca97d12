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

/* What a search has found, in its order. */
struct store_delivery_rows {
	struct model_list *list; /* struct delivery: but for what cannot be read, which is logged */
	int64_t most, seen;      /* of them; 0: as many as the search asks for */
	bool more;               /* there is one behind those */
	const char *unreadable;  /* the id of one */
	/* Of the last one, read or not. */
	int64_t last_created;
	const char *last_id;
};

static void store_delivery_add(struct store *store, struct arena *arena, const bson_t *row,
	struct store_delivery_rows *rows)
{
	struct err_info unreadable = {0};
	struct delivery *delivery = NULL;
	bson_iter_t id;

	if (rows->most && rows->seen == rows->most) {
		rows->more = true;
		return;
	}
	rows->seen++;
	rows->last_created = store_instant_of(row, "created_at");
	rows->last_id = bson_iter_init_find(&id, row, "_id") && BSON_ITER_HOLDS_UTF8(&id)
				? arena_strdup(arena, bson_iter_utf8(&id, NULL))
				: "";
	if (store_delivery_read(store, arena, row, &delivery, &rows->unreadable, &unreadable) ==
		ERR_OK)
		*(struct delivery *)model_list_add(arena, rows->list, sizeof(*delivery)) =
			*delivery;
	else
		log_error("left out: %s", unreadable.detail);
}

/* Takes filter and sort over. */
static enum err store_delivery_find(struct store *store, struct arena *arena, bson_t *filter,
	bson_t *sort, int64_t limit, struct store_delivery_rows *rows, struct err_info *info)
{
	const struct store_search search = {
		.collection = "deliveries", .filter = filter, .sort = sort, .limit = limit};
	struct store_session session;
	struct store_rows found;
	const bson_t *row;
	enum err err = store_session_begin(store, &session, info);

	if (err == ERR_OK) {
		err = store_rows_find(&session, &search, "find deliveries", &found, info);
		while (err == ERR_OK && (row = store_rows_next(&found)))
			store_delivery_add(store, arena, row, rows);
		store_rows_end(&found);
		err = store_session_end(&session, err);
	}
	bson_destroy(sort);
	bson_destroy(filter);
	return err;
}

static enum err store_delivery_find_one(struct store *store, struct arena *arena, bson_t *filter,
	bson_t *sort, struct delivery **delivery_r, struct err_info *info)
{
	struct model_list list = {0};
	struct store_delivery_rows rows = {.list = &list};
	const enum err err = store_delivery_find(store, arena, filter, sort, 1, &rows, info);

	if (err == ERR_OK && rows.unreadable)
		return err_set(
			info, ERR_UNREADABLE, "Delivery %s cannot be read.", rows.unreadable);
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
	struct store_delivery_rows rows = {.list = &list};
	enum err err;

	err = store_delivery_find(store, arena,
		BCON_NEW("webhook_id", BCON_UTF8(webhook_id), "due", "{", "$lte",
			BCON_DATE_TIME(now), "}"),
		BCON_NEW("due", BCON_INT32(1)), 1, &rows, info);
	/* It must not stand in the way of the others. */
	if (err == ERR_OK && rows.unreadable)
		err = store_delivery_update(store, BCON_NEW("_id", BCON_UTF8(rows.unreadable)),
			BCON_NEW("$set", "{", "due", BCON_DATE_TIME(now + STORE_ASIDE_MS), "}"),
			info);
	if (err == ERR_OK && rows.unreadable)
		return err_set(info, ERR_UNREADABLE, "Delivery %s is set aside.", rows.unreadable);
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
	const struct store_delivery_page *page, struct model_list *list_r,
	struct store_delivery_page *next_r, struct err_info *info)
{
	struct store_delivery_rows rows = {.list = list_r, .most = page->limit};
	bson_t *filter;
	enum err err = ERR_OK;

	*next_r = *page;
	next_r->before_id = NULL;
	/* What was put down in one instant first, and then what was before it. */
	if (page->before)
		err = store_delivery_find(store, arena,
			BCON_NEW("webhook_id", BCON_UTF8(page->webhook_id), "created_at",
				BCON_DATE_TIME(page->before), "_id", "{", "$lt",
				BCON_UTF8(page->before_id), "}"),
			BCON_NEW("_id", BCON_INT32(-1)), page->limit + 1, &rows, info);
	if (err == ERR_OK && !rows.more) {
		filter = page->before
				 ? BCON_NEW("webhook_id", BCON_UTF8(page->webhook_id), "created_at",
					   "{", "$lt", BCON_DATE_TIME(page->before), "}")
				 : BCON_NEW("webhook_id", BCON_UTF8(page->webhook_id));
		err = store_delivery_find(store, arena, filter,
			BCON_NEW("created_at", BCON_INT32(-1), "_id", BCON_INT32(-1)),
			page->limit - rows.seen + 1, &rows, info);
	}
	/* Behind one that does not say when it was put down are such alone: no page begins there.
	 */
	if (err == ERR_OK && rows.more && rows.last_created) {
		next_r->before = rows.last_created;
		next_r->before_id = rows.last_id;
	}
	return err;
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
