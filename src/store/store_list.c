/* Pages and counts of requests. */
#include <string.h>

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

static void store_append_range(bson_t *filter, const char *key, const char *low_operator,
	int64_t low, const char *high_operator, int64_t high)
{
	bson_t range;

	if (!low && !high)
		return;
	BSON_APPEND_DOCUMENT_BEGIN(filter, key, &range);
	if (low)
		bson_append_date_time(&range, low_operator, -1, low);
	if (high)
		bson_append_date_time(&range, high_operator, -1, high);
	bson_append_document_end(filter, &range);
}

static void store_append_party(bson_t *bson, const struct store_filter *filter)
{
	if (filter->client_id)
		BSON_APPEND_UTF8(bson, "client.id", filter->client_id);
	if (filter->lawyer_id)
		BSON_APPEND_UTF8(bson, "lawyer.id", filter->lawyer_id);
}

static void store_append_part(bson_t *and, uint32_t *count, bson_t *part)
{
	const char *key;
	char digits[16];

	bson_uint32_to_string((*count)++, &key, digits, sizeof(digits));
	bson_append_document(and, key, -1, part);
	bson_destroy(part);
}

/* Alternatives that may stand together: the cursor, "ended", and "open or failed". */
static void store_append_alternatives(bson_t *bson, const struct store_filter *filter)
{
	const char *compare = filter->ascending ? "$gt" : "$lt";
	uint32_t count = 0;
	bson_t and;

	BSON_APPEND_ARRAY_BEGIN(bson, "$and", &and);
	if (filter->after_id)
		store_append_part(&and, &count,
			BCON_NEW("$or", "[", "{", "starts_at", "{", compare,
				BCON_DATE_TIME(filter->after_start), "}", "}", "{", "starts_at",
				BCON_DATE_TIME(filter->after_start), "_id", "{", compare,
				BCON_UTF8(filter->after_id), "}", "}", "]"));
	if (filter->ended)
		store_append_part(&and, &count,
			BCON_NEW("$or", "[", "{", "ends_at", "{", "$lte",
				BCON_DATE_TIME(filter->ends_before), "}", "}", "{", "status", "{",
				"$in", "[", request_status_names[REQUEST_DECLINED],
				request_status_names[REQUEST_LAPSED],
				request_status_names[REQUEST_CANCELLED],
				request_status_names[REQUEST_COMPLETED], "]", "}", "}", "]"));
	if (filter->open_or_failed)
		store_append_part(&and, &count,
			BCON_NEW("$or", "[", "{", "status", request_status_names[REQUEST_OPEN], "}",
				"{", "meeting.status", meeting_status_names[MEETING_FAILED], "}",
				"]"));
	bson_append_array_end(bson, &and);
}

static void store_filter_bson(const struct store_filter *filter, bson_t *bson)
{
	store_append_party(bson, filter);
	store_append_set(bson, "status", filter->statuses, request_status_names);
	store_append_set(bson, "meeting.status", filter->meeting_statuses, meeting_status_names);
	store_append_range(
		bson, "starts_at", "$gte", filter->starts_from, "$lt", filter->starts_before);
	store_append_range(bson, "ends_at", "$gt", filter->ends_after, "$lte",
		filter->ended ? 0 : filter->ends_before);
	if (filter->after_id || filter->ended || filter->open_or_failed)
		store_append_alternatives(bson, filter);
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

static void store_add_row(
	struct store *store, struct arena *arena, const bson_t *bson, struct model_list *list)
{
	struct err_info unreadable = {0};
	struct request *request;

	/* One row that cannot be read must not hide the others. */
	if (store_request_read(store, arena, bson, STORE_CURRENT, &request, &unreadable) == ERR_OK)
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
	store_append_projection(options, STORE_CURRENT);
	cursor = mongoc_collection_find_with_opts(session.requests, &match, options, NULL);
	for (rows = 0; mongoc_cursor_next(cursor, &bson); rows++) {
		if (rows == filter->limit) {
			next = last;
			continue;
		}
		last = store_position_of(arena, bson);
		store_add_row(store, arena, bson, list_r);
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

enum err store_request_of_person(struct store *store, struct arena *arena, const char *person_id,
	struct model_list *list_r, struct err_info *info)
{
	struct store_session session;
	bson_t *filter, *options;
	mongoc_cursor_t *cursor;
	const bson_t *bson;
	bson_error_t error;
	bson_iter_t id;
	enum err err;

	err = store_session_begin(store, &session, info);
	if (err != ERR_OK)
		return err;
	filter = BCON_NEW("$or", "[", "{", "client.id", BCON_UTF8(person_id), "}", "{", "lawyer.id",
		BCON_UTF8(person_id), "}", "]");
	options = BCON_NEW("projection", "{", "_id", BCON_INT32(1), "}");
	cursor = mongoc_collection_find_with_opts(session.requests, filter, options, NULL);
	while (mongoc_cursor_next(cursor, &bson)) {
		if (bson_iter_init_find(&id, bson, "_id") && BSON_ITER_HOLDS_UTF8(&id))
			*(const char **)model_list_add(arena, list_r, sizeof(const char *)) =
				arena_strdup(arena, bson_iter_utf8(&id, NULL));
	}
	if (mongoc_cursor_error(cursor, &error))
		err = store_error(&error, "find a person's requests", info);
	mongoc_cursor_destroy(cursor);
	bson_destroy(options);
	bson_destroy(filter);
	return store_session_end(&session, err);
}

static void store_add_count(const bson_t *group, struct store_counts *counts)
{
	bson_iter_t iter, value;
	int64_t count = 0;
	int status;

	if (bson_iter_init_find(&iter, group, "count"))
		count = bson_iter_as_int64(&iter);
	bson_iter_init(&iter, group);
	if (bson_iter_find_descendant(&iter, "_id.status", &value) &&
		BSON_ITER_HOLDS_UTF8(&value)) {
		status = model_enum_value(request_status_names, bson_iter_utf8(&value, NULL));
		if (status >= 0)
			counts->by_status[status] += count;
	}
	bson_iter_init(&iter, group);
	if (bson_iter_find_descendant(&iter, "_id.meeting", &value) &&
		BSON_ITER_HOLDS_UTF8(&value)) {
		status = model_enum_value(meeting_status_names, bson_iter_utf8(&value, NULL));
		if (status >= 0)
			counts->by_meeting_status[status] += count;
	}
}

enum err store_request_count(struct store *store, const struct store_filter *filter,
	struct store_counts *counts_r, struct err_info *info)
{
	bson_t match = BSON_INITIALIZER, *pipeline;
	struct store_session session;
	mongoc_cursor_t *cursor;
	const bson_t *bson;
	bson_error_t error;
	enum err err;

	memset(counts_r, 0, sizeof(*counts_r));
	err = store_session_begin(store, &session, info);
	if (err != ERR_OK)
		return err;
	store_append_party(&match, filter);
	pipeline = BCON_NEW("pipeline", "[", "{", "$match", BCON_DOCUMENT(&match), "}", "{",
		"$group", "{", "_id", "{", "status", "$status", "meeting", "$meeting.status", "}",
		"count", "{", "$sum", BCON_INT32(1), "}", "}", "}", "]");
	cursor = mongoc_collection_aggregate(
		session.requests, MONGOC_QUERY_NONE, pipeline, NULL, NULL);
	while (mongoc_cursor_next(cursor, &bson))
		store_add_count(bson, counts_r);
	if (mongoc_cursor_error(cursor, &error))
		err = store_error(&error, "count requests", info);
	mongoc_cursor_destroy(cursor);
	bson_destroy(pipeline);
	bson_destroy(&match);
	return store_session_end(&session, err);
}
