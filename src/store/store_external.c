/* Requests by what a provider calls their meeting. */
#include "store_private.h"

enum err store_request_by_external_id(struct store *store, struct arena *arena,
	const char *provider, const char *external_id, struct request **request_r,
	struct err_info *info)
{
	bson_t *filter, *options;
	struct store_session session;
	mongoc_cursor_t *cursor;
	const bson_t *bson;
	bson_error_t error;
	enum err err;

	err = store_session_begin(store, &session, info);
	if (err != ERR_OK)
		return err;
	/* Providers use their numbers again, years later: only a live meeting is meant. */
	filter = BCON_NEW("meeting.external_id", BCON_UTF8(external_id), "meeting.provider",
		BCON_UTF8(provider), "meeting.status",
		BCON_UTF8(meeting_status_names[MEETING_READY]));
	options = BCON_NEW("limit", BCON_INT64(1), "singleBatch", BCON_BOOL(true));
	cursor = mongoc_collection_find_with_opts(session.requests, filter, options, NULL);
	if (mongoc_cursor_next(cursor, &bson))
		err = store_request_read(store, arena, bson, STORE_WHOLE, request_r, info);
	else if (mongoc_cursor_error(cursor, &error))
		err = store_error(&error, "find request by meeting", info);
	else
		err = err_set(info, ERR_NOT_FOUND, "No request has such a meeting.");
	mongoc_cursor_destroy(cursor);
	bson_destroy(options);
	bson_destroy(filter);
	return store_session_end(&session, err);
}
