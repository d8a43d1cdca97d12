#include "store_outbox.h"

#include "log.h"
#include "store_private.h"

static const char *store_outbox_field(const struct store_outbox_search *search)
{
	return search->failed ? "failed_at" : "due";
}

static void store_outbox_filter(
	struct arena *arena, const struct store_outbox_search *search, bson_t *filter)
{
	bson_t range;

	BSON_APPEND_UTF8(filter, "owes", outbox_mark(arena, search->failed, search->kind));
	bson_append_document_begin(filter, store_outbox_field(search), -1, &range);
	BSON_APPEND_DATE_TIME(&range, "$gt", search->after);
	if (search->until)
		BSON_APPEND_DATE_TIME(&range, "$lte", search->until);
	bson_append_document_end(filter, &range);
}

static void store_outbox_add(
	struct store *store, struct arena *arena, const bson_t *bson, struct model_list *list)
{
	struct err_info unreadable = {0};
	struct request *request;

	if (store_request_read(store, arena, bson, STORE_OWED, &request, &unreadable) == ERR_OK)
		*(struct request **)model_list_add(arena, list, sizeof(request)) = request;
	else
		log_error("left out of the outbox: %s", unreadable.detail);
}

/* Takes the filter over. */
static enum err store_outbox_find(struct store *store, struct arena *arena, bson_t *filter,
	const bson_t *sort, int64_t limit, struct model_list *list, int64_t *seen,
	struct err_info *info)
{
	bson_t *options = BCON_NEW("sort", BCON_DOCUMENT(sort), "limit", BCON_INT64(limit),
		"singleBatch", BCON_BOOL(true));
	struct store_session session;
	mongoc_cursor_t *cursor;
	const bson_t *bson;
	bson_error_t error;
	enum err err;

	store_append_projection(options, store, STORE_OWED);
	err = store_session_begin(store, &session, info);
	if (err == ERR_OK) {
		cursor = store_find(session.requests, filter, options);
		for (; mongoc_cursor_next(cursor, &bson); (*seen)++)
			store_outbox_add(store, arena, bson, list);
		if (mongoc_cursor_error(cursor, &error))
			err = store_error(&error, "list the outbox", info);
		mongoc_cursor_destroy(cursor);
		err = store_session_end(&session, err);
	}
	bson_destroy(options);
	bson_destroy(filter);
	return err;
}

enum err store_outbox_list(struct store *store, struct arena *arena,
	const struct store_outbox_search *search, struct model_list *list_r, int64_t *seen_r,
	struct err_info *info)
{
	const char *field = store_outbox_field(search);
	struct store_outbox_search rest = *search;
	enum err err = ERR_OK;
	bson_t *filter, *sort;

	*seen_r = 0;
	/* What is left of the instant at which the last page ended, and then what is behind it. */
	if (search->from_id) {
		rest.after = search->at;
		sort = BCON_NEW("_id", BCON_INT32(1));
		filter = BCON_NEW("owes",
			BCON_UTF8(outbox_mark(arena, search->failed, search->kind)), field,
			BCON_DATE_TIME(search->at), "_id", "{", "$gte", BCON_UTF8(search->from_id),
			"}");
		err = store_outbox_find(
			store, arena, filter, sort, search->limit, list_r, seen_r, info);
		bson_destroy(sort);
	}
	if (err != ERR_OK || *seen_r >= search->limit)
		return err;
	filter = bson_new();
	store_outbox_filter(arena, &rest, filter);
	sort = BCON_NEW(field, BCON_INT32(1), "_id", BCON_INT32(1));
	err = store_outbox_find(
		store, arena, filter, sort, search->limit - *seen_r, list_r, seen_r, info);
	bson_destroy(sort);
	return err;
}

enum err store_outbox_count(struct store *store, struct arena *arena,
	const struct store_outbox_search *search, int64_t *count_r, struct err_info *info)
{
	bson_t filter = BSON_INITIALIZER;
	struct store_session session;
	enum err err;

	*count_r = 0;
	err = store_session_begin(store, &session, info);
	if (err != ERR_OK)
		return err;
	store_outbox_filter(arena, search, &filter);
	err = store_count(&session, &filter, search->limit, count_r, info);
	bson_destroy(&filter);
	return store_session_end(&session, err);
}
