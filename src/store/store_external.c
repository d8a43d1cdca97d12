/* Requests by what a provider calls their meeting. */
#include <string.h>

#include "id.h"
#include "store_private.h"

enum { STORE_SAME_NUMBERS = 20 }; /* that are looked at, of meetings that had one number */

/* What stands in the database for a provider's id, under the key of that index; NULL when there are
 * no more keys. */
static const char *store_mark(struct store *store, struct arena *arena, size_t index,
	const char *provider, const char *external_id)
{
	const char *text = arena_printf(arena, "%s/%s", provider, external_id);
	char *mark = arena_alloc(arena, ID_SIZE);
	unsigned char mac[SECRET_MAC_BYTES];

	if (!secret_mac_by(store->ring, index, "external", text, strlen(text), mac))
		return NULL;
	id_encode(mac, mark);
	return mark;
}

void store_mark_meeting(struct store *store, struct arena *arena, struct meeting *meeting)
{
	if (meeting)
		meeting->external_mark = meeting->external_id
						 ? store_mark(store, arena, 0, meeting->provider,
							   meeting->external_id)
						 : NULL;
}

/* Under whichever key it was made. */
static bson_t *store_marks(
	struct store *store, struct arena *arena, const char *provider, const char *external_id)
{
	bson_t *filter = bson_new();
	bson_t mark, any;
	const char *key, *text;
	char digits[16];
	uint32_t i;

	bson_append_document_begin(filter, "meeting.external_mark", -1, &mark);
	bson_append_array_begin(&mark, "$in", -1, &any);
	for (i = 0; (text = store_mark(store, arena, i, provider, external_id)) != NULL; i++) {
		bson_uint32_to_string(i, &key, digits, sizeof(digits));
		bson_append_utf8(&any, key, -1, text, -1);
	}
	bson_append_array_end(&mark, &any);
	bson_append_document_end(filter, &mark);
	return filter;
}

static bool store_is_live(const bson_t *bson)
{
	bson_iter_t iter, status;

	return bson_iter_init(&iter, bson) &&
	       bson_iter_find_descendant(&iter, "meeting.status", &status) &&
	       BSON_ITER_HOLDS_UTF8(&status) &&
	       strcmp(bson_iter_utf8(&status, NULL), meeting_status_names[MEETING_READY]) == 0;
}

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
	/* Providers use their numbers again, years later: only a live meeting is meant. Its status
	 * is looked at here: asked for in the filter, it lets a database go by all that are ready.
	 */
	filter = store_marks(store, arena, provider, external_id);
	options = BCON_NEW("limit", BCON_INT64(STORE_SAME_NUMBERS), "singleBatch", BCON_BOOL(true));
	cursor = mongoc_collection_find_with_opts(session.requests, filter, options, NULL);
	err = ERR_NOT_FOUND;
	while (err == ERR_NOT_FOUND && mongoc_cursor_next(cursor, &bson)) {
		if (store_is_live(bson))
			err = store_request_read(store, arena, bson, STORE_WHOLE, request_r, info);
	}
	if (mongoc_cursor_error(cursor, &error))
		err = store_error(&error, "find request by meeting", info);
	else if (err == ERR_NOT_FOUND)
		err = err_set(info, ERR_NOT_FOUND, "No request has such a meeting.");
	mongoc_cursor_destroy(cursor);
	bson_destroy(options);
	bson_destroy(filter);
	return store_session_end(&session, err);
}
