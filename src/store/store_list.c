/* Pages of requests. */
#include "log.h"
#include "store_private.h"

static void store_append_set(
	bson_t *filter, const char *key, unsigned set, const char *const *names)
{
	bson_t in, array;
	const char *index;
	char digits[16];
	uint32_t count = 0;
	int i;

	if (!set)
		return;
	BSON_APPEND_DOCUMENT_BEGIN(filter, key, &in);
	BSON_APPEND_ARRAY_BEGIN(&in, "$in", &array);
	for (i = 0; names[i]; i++) {
		if (!(set & 1u << i))
			continue;
		bson_uint32_to_string(count++, &index, digits, sizeof(digits));
		bson_append_utf8(&array, index, -1, names[i], -1);
	}
	bson_append_array_end(&in, &array);
	bson_append_document_end(filter, &in);
}

static void store_append_range(bson_t *filter, const char *key, int64_t low, int64_t high)
{
	bson_t range;

	if (!low && !high)
		return;
	BSON_APPEND_DOCUMENT_BEGIN(filter, key, &range);
	if (low)
		BSON_APPEND_DATE_TIME(&range, "$gte", low);
	if (high)
		BSON_APPEND_DATE_TIME(&range, "$lt", high);
	bson_append_document_end(filter, &range);
}

void store_append_party(bson_t *bson, const struct store_filter *filter)
{
	if (filter->client_id)
		BSON_APPEND_UTF8(bson, "client.id", filter->client_id);
	if (filter->lawyer_id)
		BSON_APPEND_UTF8(bson, "lawyer.id", filter->lawyer_id);
}

/* The cursor: behind that start, or at it and behind that id. */
static void store_append_after(bson_t *bson, const struct store_filter *filter)
{
	const char *compare = filter->ascending ? "$gt" : "$lt";

	BCON_APPEND(bson, "$or", "[", "{", "starts_at", "{", compare,
		BCON_DATE_TIME(filter->after_start), "}", "}", "{", "starts_at",
		BCON_DATE_TIME(filter->after_start), "_id", "{", compare,
		BCON_UTF8(filter->after_id), "}", "}", "]");
}

static void store_filter_bson(const struct store_filter *filter, bson_t *bson)
{
	store_append_party(bson, filter);
	store_append_set(bson, "status", filter->statuses, request_status_names);
	store_append_set(bson, "meeting.status", filter->meeting_statuses, meeting_status_names);
	store_append_range(bson, "starts_at", filter->starts_from, filter->starts_before);
	if (filter->after_id)
		store_append_after(bson, filter);
}

static struct store_position store_position_of(struct arena *arena, const bson_t *bson)
{
	struct store_position position = {0};
	bson_iter_t iter;

	if (bson_iter_init_find(&iter, bson, "starts_at") && BSON_ITER_HOLDS_DATE_TIME(&iter))
		position.starts_at = bson_iter_date_time(&iter);
	if (bson_iter_init_find(&iter, bson, "_id") && BSON_ITER_HOLDS_UTF8(&iter))
		position.id = arena_strdup(arena, bson_iter_utf8(&iter, NULL));
	return position;
}

void store_add_row(struct store *store, struct arena *arena, const bson_t *bson,
	enum store_depth depth, struct model_list *list)
{
	struct err_info unreadable = {0};
	struct request *request;

	/* One row that cannot be read must not hide the others. */
	if (store_request_read(store, arena, bson, depth, &request, &unreadable) == ERR_OK)
		*(struct request **)model_list_add(arena, list, sizeof(request)) = request;
	else
		log_error("left out of a list: %s", unreadable.detail);
}

enum err store_request_list(struct store *store, struct arena *arena,
	const struct store_filter *filter, struct model_list *list_r, struct store_position *next_r,
	struct err_info *info)
{
	bson_t match = BSON_INITIALIZER, *options;
	const int direction = filter->ascending ? 1 : -1;
	struct store_position last = {0}, next = {0};
	struct store_session session;
	mongoc_cursor_t *cursor;
	const bson_t *bson;
	bson_error_t error;
	int64_t rows;
	enum err err;

	err = store_session_begin(store, &session, info);
	if (err != ERR_OK)
		return err;
	store_filter_bson(filter, &match);
	options = BCON_NEW("sort", "{", "starts_at", BCON_INT32(direction), "_id",
		BCON_INT32(direction), "}", "limit", BCON_INT64(filter->limit + 1));
	store_append_projection(options, store, filter->depth);
	cursor = mongoc_collection_find_with_opts(session.requests, &match, options, NULL);
	for (rows = 0; mongoc_cursor_next(cursor, &bson); rows++) {
		if (rows == filter->limit) {
			next = last;
			continue;
		}
		last = store_position_of(arena, bson);
		store_add_row(store, arena, bson, filter->depth, list_r);
	}
	if (mongoc_cursor_error(cursor, &error))
		err = store_error(&error, "list requests", info);
	if (next_r)
		*next_r = next;
	mongoc_cursor_destroy(cursor);
	bson_destroy(options);
	bson_destroy(&match);
	return store_session_end(&session, err);
}

enum err store_request_ids(struct store *store, struct arena *arena, const bson_t *filter,
	const bson_t *options, const char *doing, struct model_list *list_r, struct err_info *info)
{
	struct store_session session;
	mongoc_cursor_t *cursor;
	const bson_t *bson;
	bson_error_t error;
	bson_iter_t id;
	enum err err;

	err = store_session_begin(store, &session, info);
	if (err != ERR_OK)
		return err;
	cursor = mongoc_collection_find_with_opts(session.requests, filter, options, NULL);
	while (mongoc_cursor_next(cursor, &bson)) {
		if (bson_iter_init_find(&id, bson, "_id") && BSON_ITER_HOLDS_UTF8(&id))
			*(const char **)model_list_add(arena, list_r, sizeof(const char *)) =
				arena_strdup(arena, bson_iter_utf8(&id, NULL));
	}
	if (mongoc_cursor_error(cursor, &error))
		err = store_error(&error, doing, info);
	mongoc_cursor_destroy(cursor);
	return store_session_end(&session, err);
}

enum err store_request_of_person(struct store *store, struct arena *arena, const char *person_id,
	struct model_list *list_r, struct err_info *info)
{
	bson_t *filter = BCON_NEW("$or", "[", "{", "client.id", BCON_UTF8(person_id), "}", "{",
		"lawyer.id", BCON_UTF8(person_id), "}", "]");
	bson_t *options = BCON_NEW("projection", "{", "_id", BCON_INT32(1), "}");
	const enum err err = store_request_ids(
		store, arena, filter, options, "find a person's requests", list_r, info);

	bson_destroy(options);
	bson_destroy(filter);
	return err;
}
