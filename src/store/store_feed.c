#include "store_feed.h"

#include "log.h"
#include "store_private.h"

enum {
	FEED_BATCH = 64,    /* requests of a cursor's batch: some 200 KiB */
	FEED_WINDOW = 96,   /* that a window should have */
	FEED_AT_ONCE = 128, /* of a window, that come in one reply */
	FEED_FEW = 48       /* in one: all that is behind it is the next */
};

/* The first window: most people's meetings, past and to come. */
#define FEED_FIRST_WIDTH (150 * INSTANT_DAY)

/* ---- who has one ---- */

enum err store_feed_load(struct store *store, struct arena *arena, const char *id,
	struct feed **feed_r, struct err_info *info)
{
	const bson_t *bson;
	bson_iter_t iter;
	enum err err = store_document_load(store, arena, "feeds", id, &bson, info);

	if (err != ERR_OK)
		return err;
	if (!bson || !bson_iter_init(&iter, bson))
		return err_set(info, ERR_NOT_FOUND, "There is no such feed.");
	*feed_r = arena_alloc(arena, sizeof(**feed_r));
	return store_bson_read(store, arena, &feed_model, &iter, id, *feed_r, info);
}

enum err store_feed_save(struct store *store, struct arena *arena, const struct feed *feed,
	const struct feed *former, struct err_info *info)
{
	bson_t bson = BSON_INITIALIZER, *filter, reply;
	struct store_collection feeds;
	bson_error_t error;
	enum err err;
	bool done;

	err = store_collection_begin(store, "feeds", &feeds, info);
	if (err != ERR_OK)
		return err;
	store_bson_write(store, arena, &feed_model, feed, feed->id, &bson);
	if (former) {
		filter = BCON_NEW("_id", BCON_UTF8(feed->id), "nonce", BCON_UTF8(former->nonce));
		done = mongoc_collection_replace_one(
			feeds.collection, filter, &bson, NULL, &reply, &error);
		if (done && !store_matched(&reply))
			err = err_set(info, ERR_CONFLICT, "The feed was changed at the same time.");
		bson_destroy(&reply);
		bson_destroy(filter);
	} else {
		done = mongoc_collection_insert_one(feeds.collection, &bson, NULL, NULL, &error);
	}
	if (!done)
		err = store_error(&error, "store feed", info);
	bson_destroy(&bson);
	return store_collection_end(&feeds, err);
}

enum err store_feed_note(struct store *store, const struct feed *feed, struct err_info *info)
{
	bson_t *filter, *update;
	struct store_collection feeds;
	bson_error_t error;
	enum err err;

	err = store_collection_begin(store, "feeds", &feeds, info);
	if (err != ERR_OK)
		return err;
	filter = BCON_NEW("_id", BCON_UTF8(feed->id), "nonce", BCON_UTF8(feed->nonce));
	update = BCON_NEW("$set", "{", "seen_at", BCON_DATE_TIME(feed->seen_at), "}");
	if (!mongoc_collection_update_one(feeds.collection, filter, update, NULL, NULL, &error))
		err = store_error(&error, "note feed", info);
	bson_destroy(update);
	bson_destroy(filter);
	return store_collection_end(&feeds, err);
}

enum err store_feed_remove(struct store *store, const char *id, struct err_info *info)
{
	struct store_collection feeds;
	bson_error_t error;
	bson_t *filter;
	enum err err;

	err = store_collection_begin(store, "feeds", &feeds, info);
	if (err != ERR_OK)
		return err;
	filter = BCON_NEW("_id", BCON_UTF8(id));
	if (!mongoc_collection_delete_one(feeds.collection, filter, NULL, NULL, &error))
		err = store_error(&error, "remove feed", info);
	bson_destroy(filter);
	return store_collection_end(&feeds, err);
}

/* ---- what it is made of ---- */

/* An instant in [low, high); 0: open. */
static void store_append_range(bson_t *filter, const char *key, int64_t low, int64_t high)
{
	bson_t range;

	BSON_APPEND_DOCUMENT_BEGIN(filter, key, &range);
	BSON_APPEND_DATE_TIME(&range, "$gte", low);
	if (high)
		BSON_APPEND_DATE_TIME(&range, "$lt", high);
	bson_append_document_end(filter, &range);
}

/* The person's requests with `field` in [since, until); 0: open. */
static void store_feed_filter(
	bson_t *filter, const struct feed *feed, const char *field, int64_t since, int64_t until)
{
	const struct store_filter whose = {
		.client_id = feed->party == PARTY_CLIENT ? feed->person_id : NULL,
		.lawyer_id = feed->party == PARTY_LAWYER ? feed->person_id : NULL,
	};

	store_append_party(filter, &whose);
	store_append_range(filter, field, since, until);
}

static void store_add_feed_change(struct arena *arena, const bson_t *bson, struct model_list *list)
{
	struct feed_change *change;
	bson_iter_t iter;

	change = model_list_add(arena, list, sizeof(*change));
	change->id = "";
	if (bson_iter_init_find(&iter, bson, "_id") && BSON_ITER_HOLDS_UTF8(&iter))
		change->id = arena_strdup(arena, bson_iter_utf8(&iter, NULL));
	if (bson_iter_init_find(&iter, bson, "rev"))
		change->rev = bson_iter_as_int64(&iter);
	if (bson_iter_init_find(&iter, bson, "updated_at") && BSON_ITER_HOLDS_DATE_TIME(&iter))
		change->at = bson_iter_date_time(&iter);
}

enum err store_feed_changes(struct store *store, struct arena *arena, const struct feed *feed,
	int64_t since, struct model_list *list_r, struct err_info *info)
{
	bson_t filter = BSON_INITIALIZER, *sort, *projection;
	struct store_search search = {
		.collection = "requests", .filter = &filter, .limit = FEED_CHANGES};
	struct store_session session;
	struct store_rows rows;
	const bson_t *row;
	enum err err;

	*list_r = (struct model_list){0};
	err = store_session_begin(store, &session, info);
	if (err != ERR_OK)
		return err;
	store_feed_filter(&filter, feed, "updated_at", since, 0);
	search.sort = sort = BCON_NEW("updated_at", BCON_INT32(-1), "_id", BCON_INT32(-1));
	search.projection = projection =
		BCON_NEW("rev", BCON_INT32(1), "updated_at", BCON_INT32(1));
	err = store_rows_find(&session, &search, "find changes", &rows, info);
	while ((row = store_rows_next(&rows)))
		store_add_feed_change(arena, row, list_r);
	store_rows_end(&rows);
	bson_destroy(projection);
	bson_destroy(sort);
	bson_destroy(&filter);
	return store_session_end(&session, err);
}

/* One pass through a feed. */
struct store_feed_pass {
	struct store *store;
	const struct feed *feed;
	store_feed_row *row;
	void *data;
	bool ended; /* no more is wanted */
	int64_t rows, left_out;
};

static void store_feed_give(struct store_feed_pass *pass, const bson_t *bson)
{
	struct arena *arena = arena_new();
	struct err_info unreadable;
	struct request *request;

	err_clear(&unreadable);
	pass->rows++;
	if (store_request_read(pass->store, arena, bson, STORE_CURRENT, &request, &unreadable) ==
		ERR_OK) {
		pass->ended = !pass->row(pass->data, arena, request);
	} else {
		pass->left_out++;
		log_error("left out of a feed: %s", unreadable.detail);
	}
	arena_free(&arena);
}

/* Those of a window that are few enough for one reply: false, and nothing was given, where they are
 * not. */
static bool store_feed_give_few(struct store_feed_pass *pass, struct store_session *session,
	const bson_t *filter, const bson_t *sort, enum err *err_r, struct err_info *info)
{
	const struct store_search search = {
		.collection = "requests",
		.filter = filter,
		.sort = sort,
		.projection = store_projection(pass->store, STORE_CURRENT),
		.limit = FEED_AT_ONCE + 1,
	};
	struct store_rows rows, counted;
	const bson_t *row;
	int count = 0;

	*err_r = store_rows_find(session, &search, "read feed", &rows, info);
	for (counted = rows; store_rows_next(&counted); count++)
		continue;
	while (count <= FEED_AT_ONCE && !pass->ended && (row = store_rows_next(&rows)))
		store_feed_give(pass, row);
	store_rows_end(&rows);
	return count <= FEED_AT_ONCE;
}

static enum err store_feed_give_many(struct store_feed_pass *pass, struct store_session *session,
	const bson_t *filter, const bson_t *sort, struct err_info *info)
{
	bson_t *options =
		BCON_NEW("sort", BCON_DOCUMENT(sort), "batchSize", BCON_INT64(FEED_BATCH));
	mongoc_cursor_t *cursor;
	enum err err = ERR_OK;
	const bson_t *bson;
	bson_error_t error;

	store_append_projection(options, pass->store, STORE_CURRENT);
	cursor = store_find(store_requests(session), filter, options);
	while (!pass->ended && mongoc_cursor_next(cursor, &bson))
		store_feed_give(pass, bson);
	if (mongoc_cursor_error(cursor, &error))
		err = store_error(&error, "read feed", info);
	mongoc_cursor_destroy(cursor);
	bson_destroy(options);
	return err;
}

static enum err store_feed_window(
	struct store_feed_pass *pass, int64_t from, int64_t until, struct err_info *info)
{
	bson_t filter = BSON_INITIALIZER, *sort;
	struct store_session session;
	enum err err;

	err = store_session_begin(pass->store, &session, info);
	if (err != ERR_OK)
		return err;
	store_feed_filter(&filter, pass->feed, "starts_at", from, until);
	sort = BCON_NEW("starts_at", BCON_INT32(1), "_id", BCON_INT32(1));
	if (!store_feed_give_few(pass, &session, &filter, sort, &err, info))
		err = store_feed_give_many(pass, &session, &filter, sort, info);
	bson_destroy(sort);
	bson_destroy(&filter);
	return store_session_end(&session, err);
}

enum err store_feed_read(struct store *store, const struct feed *feed, int64_t from,
	store_feed_row *row, void *data, int64_t *left_out_r, struct err_info *info)
{
	struct store_feed_pass pass = {.store = store, .feed = feed, .row = row, .data = data};
	int64_t at = from, until = from + FEED_FIRST_WIDTH, width = FEED_FIRST_WIDTH;
	enum err err;

	for (;;) {
		pass.rows = 0;
		err = store_feed_window(&pass, at, until, info);
		if (err != ERR_OK || pass.ended || !until)
			break;
		at = until;
		/* As many as one should have. */
		width = width * FEED_WINDOW / (pass.rows + 1) + INSTANT_MINUTE;
		until = pass.rows < FEED_FEW ? 0 : at + width;
	}
	*left_out_r = pass.left_out;
	return err;
}
