#include "store_query.h"

#include <assert.h>
#include <string.h>

#include "store_private.h"

mongoc_cursor_t *store_find(
	mongoc_collection_t *collection, const bson_t *filter, const bson_t *options)
{
	assert(store_is_served(mongoc_collection_get_name(collection), filter, options));
	return mongoc_collection_find_with_opts(collection, filter, options, NULL);
}

/* ---- of one reply ---- */

enum err store_rows_find(const struct store_session *session, const struct store_search *search,
	const char *doing, struct store_rows *rows_r, struct err_info *info)
{
	bson_t command = BSON_INITIALIZER;
	bson_error_t error;
	enum err err = ERR_OK;
	bson_iter_t iter, batch;

	BSON_APPEND_UTF8(&command, "find", search->collection);
	BSON_APPEND_DOCUMENT(&command, "filter", search->filter);
	if (search->sort)
		BSON_APPEND_DOCUMENT(&command, "sort", search->sort);
	if (search->projection)
		BSON_APPEND_DOCUMENT(&command, "projection", search->projection);
	BSON_APPEND_INT64(&command, "limit", search->limit);
	BSON_APPEND_INT64(&command, "batchSize", search->limit);
	BSON_APPEND_BOOL(&command, "singleBatch", true);
	assert(store_is_served(search->collection, search->filter, &command));
	rows_r->any = false;
	if (!mongoc_client_command_simple(session->client, session->store->database, &command, NULL,
		    &rows_r->reply, &error))
		err = store_error(&error, doing, info);
	else if (bson_iter_init(&iter, &rows_r->reply) &&
		 bson_iter_find_descendant(&iter, "cursor.firstBatch", &batch))
		rows_r->any = bson_iter_recurse(&batch, &rows_r->iter);
	bson_destroy(&command);
	return err;
}

const bson_t *store_rows_next(struct store_rows *rows)
{
	const uint8_t *bytes;
	uint32_t len;

	if (!rows->any || !bson_iter_next(&rows->iter) || !BSON_ITER_HOLDS_DOCUMENT(&rows->iter))
		return NULL;
	bson_iter_document(&rows->iter, &len, &bytes);
	return bson_init_static(&rows->row, bytes, len) ? &rows->row : NULL;
}

void store_rows_end(struct store_rows *rows)
{
	bson_destroy(&rows->reply);
}

const bson_t *store_row_copy(struct arena *arena, const bson_t *row)
{
	uint8_t *bytes = arena_alloc(arena, row->len);
	bson_t *copy = arena_alloc(arena, sizeof(*copy));

	memcpy(bytes, bson_get_data(row), row->len);
	return bson_init_static(copy, bytes, row->len) ? copy : NULL;
}

enum err store_document_load(struct store *store, struct arena *arena, const char *collection,
	const char *id, const bson_t **bson_r, struct err_info *info)
{
	bson_t filter = BSON_INITIALIZER;
	const struct store_search search = {
		.collection = collection, .filter = &filter, .limit = 1};
	struct store_session session;
	struct store_rows rows;
	const bson_t *row;
	enum err err;

	*bson_r = NULL;
	err = store_session_begin(store, &session, info);
	if (err != ERR_OK)
		return err;
	BSON_APPEND_UTF8(&filter, "_id", id);
	err = store_rows_find(&session, &search, collection, &rows, info);
	if (err == ERR_OK && (row = store_rows_next(&rows)))
		*bson_r = store_row_copy(arena, row);
	store_rows_end(&rows);
	bson_destroy(&filter);
	return store_session_end(&session, err);
}

/* ---- counts ---- */

enum err store_count(struct store_session *session, const bson_t *filter, int64_t limit,
	int64_t *count_r, struct err_info *info)
{
	bson_t *command, reply;
	enum err err = ERR_OK;
	bson_error_t error;
	bson_iter_t n;

	assert(store_is_served("requests", filter, NULL));
	*count_r = 0;
	command = BCON_NEW(
		"count", "requests", "query", BCON_DOCUMENT(filter), "limit", BCON_INT64(limit));
	/* The command, and not the driver's function, which asks for an aggregate. */
	if (!mongoc_client_command_simple(
		    session->client, session->store->database, command, NULL, &reply, &error))
		err = store_error(&error, "count requests", info);
	else if (bson_iter_init_find(&n, &reply, "n"))
		*count_r = bson_iter_as_int64(&n);
	bson_destroy(&reply);
	bson_destroy(command);
	return err;
}
