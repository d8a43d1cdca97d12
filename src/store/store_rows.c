/*
 * Finds whose documents fit into one reply. They are sent as the command that they are: the
 * driver's cursor costs as much processor time as all the rest of reading a request.
 */
#include "store_private.h"

enum err store_rows_find(const struct store_session *session, const struct store_rows_query *find,
	const char *doing, struct store_rows *rows_r, struct err_info *info)
{
	bson_t command = BSON_INITIALIZER;
	bson_error_t error;
	enum err err = ERR_OK;
	bson_iter_t iter, batch;

	BSON_APPEND_UTF8(&command, "find", find->collection);
	BSON_APPEND_DOCUMENT(&command, "filter", find->filter);
	if (find->sort)
		BSON_APPEND_DOCUMENT(&command, "sort", find->sort);
	if (find->projection)
		BSON_APPEND_DOCUMENT(&command, "projection", find->projection);
	BSON_APPEND_INT64(&command, "limit", find->limit);
	BSON_APPEND_INT64(&command, "batchSize", find->limit);
	BSON_APPEND_BOOL(&command, "singleBatch", true);
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
