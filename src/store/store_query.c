#include "store_query.h"

#include <assert.h>

#include "store_private.h"

mongoc_cursor_t *store_find(
	mongoc_collection_t *collection, const bson_t *filter, const bson_t *options)
{
	assert(store_is_served(mongoc_collection_get_name(collection), filter, options));
	return mongoc_collection_find_with_opts(collection, filter, options, NULL);
}

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
