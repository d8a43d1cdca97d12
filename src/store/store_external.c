/* Requests by what a provider calls their meeting. */
#include <string.h>

#include "id.h"
#include "store_private.h"

enum { STORE_SAME_NUMBERS = 20 }; /* that are looked at, of meetings that had one number */

/* How many meetings of all times are looked at that had the same id. */
enum { STORE_MARKED = 20 };

/* What stands in the database for a provider's id, under the key of that index; NULL when there are
 * no more keys. */
static const char *store_mark(struct store *store, struct arena *arena, size_t index,
	const char *provider, const char *external_id)
{
	const char *text = arena_printf(arena, "%s/%s", provider, external_id);
	char *mark = arena_alloc(arena, ID_SIZE);
	unsigned char mac[SECRET_MAC_BYTES];

	if (!secret_mac_by(store->ring, index, SECRET_EXTERNAL, text, strlen(text), mac))
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

/* Whether the meeting of a document is alive: providers use their numbers again, years later. */
static bool store_is_live(const bson_t *bson)
{
	bson_iter_t iter, status;

	return bson_iter_init(&iter, bson) &&
	       bson_iter_find_descendant(&iter, "meeting.status", &status) &&
	       store_text_is(&status, meeting_status_names[MEETING_READY]);
}

/* *request_r stays as it is when there is none. */
static enum err store_find_marked(struct store_session *session, struct arena *arena,
	const char *mark, struct request **request_r, struct err_info *info)
{
	bson_t *filter = BCON_NEW("meeting.external_mark", BCON_UTF8(mark));
	bson_t *options = BCON_NEW("limit", BCON_INT64(STORE_MARKED));
	enum err err = ERR_OK;
	mongoc_cursor_t *cursor;
	bson_error_t error;
	const bson_t *bson;

	cursor = store_find(store_requests(session), filter, options);
	while (err == ERR_OK && !*request_r && mongoc_cursor_next(cursor, &bson))
		if (store_is_live(bson))
			err = store_request_read(
				session->store, arena, bson, STORE_WHOLE, request_r, info);
	if (mongoc_cursor_error(cursor, &error))
		err = store_error(&error, "find request by meeting", info);
	mongoc_cursor_destroy(cursor);
	bson_destroy(options);
	bson_destroy(filter);
	return err;
}

/* Under whichever key it was made. */
enum err store_request_by_external_id(struct store *store, struct arena *arena,
	const char *provider, const char *external_id, struct request **request_r,
	struct err_info *info)
{
	struct store_session session;
	const char *mark;
	size_t i;
	enum err err;

	*request_r = NULL;
	err = store_session_begin(store, &session, info);
	if (err != ERR_OK)
		return err;
	for (i = 0; err == ERR_OK && !*request_r; i++) {
		mark = store_mark(store, arena, i, provider, external_id);
		if (!mark)
			break;
		err = store_find_marked(&session, arena, mark, request_r, info);
	}
	if (err == ERR_OK && !*request_r)
		err = err_set(info, ERR_NOT_FOUND, "No request has such a meeting.");
	return store_session_end(&session, err);
}
