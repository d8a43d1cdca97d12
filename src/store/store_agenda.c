/* The lists of dashboards. Each is an equality prefix and one range of one index (store_index.c),
 * in its order, and bounded. */
#include "agenda.h"
#include "store_private.h"

struct store_agenda_row {
	const char *field, *value; /* what its requests have in common; NULL: nothing */
	const char *at;            /* the instant that it is in the order of */
	bool past;                 /* up to now, latest first; or from now on, soonest first */
};

static const struct store_agenda_row store_agenda_table[] = {
	[STORE_NEEDS_LAWYER] = {.at = "lawyer_until"},
	[STORE_NEEDS_ADMIN] = {.at = "admin_until"},
	[STORE_OPEN] = {"shelf", AGENDA_OPEN, "over_at", false},
	[STORE_UPCOMING] = {"shelf", AGENDA_UPCOMING, "over_at", false},
	[STORE_PENDING] = {"meeting.status", "pending", "over_at", false},
	[STORE_FAILED] = {"meeting.status", "failed", "over_at", false},
	[STORE_RECENT] = {.at = "over_at", .past = true},
};

static void store_agenda_filter(const struct store_filter *whose,
	const struct store_agenda_row *row, int64_t now, bson_t *filter)
{
	bson_t range;

	store_append_party(filter, whose);
	if (row->field)
		BSON_APPEND_UTF8(filter, row->field, row->value);
	bson_append_document_begin(filter, row->at, -1, &range);
	bson_append_date_time(&range, row->past ? "$lte" : "$gt", -1, now);
	bson_append_document_end(filter, &range);
}

enum err store_agenda_list(struct store *store, struct arena *arena,
	const struct store_filter *whose, enum store_agenda agenda, int64_t now, int64_t limit,
	struct model_list *list_r, bool *whole_r, struct err_info *info)
{
	const struct store_agenda_row *row = &store_agenda_table[agenda];
	const int direction = row->past ? -1 : 1;
	bson_t filter = BSON_INITIALIZER, *options;
	struct store_session session;
	mongoc_cursor_t *cursor;
	const bson_t *bson;
	bson_error_t error;
	int64_t seen = 0;
	enum err err;

	err = store_session_begin(store, &session, info);
	if (err != ERR_OK)
		return err;
	store_agenda_filter(whose, row, now, &filter);
	options =
		BCON_NEW("sort", "{", row->at, BCON_INT32(direction), "_id", BCON_INT32(direction),
			"}", "limit", BCON_INT64(limit), "singleBatch", BCON_BOOL(true));
	store_append_projection(options, store, STORE_CURRENT);
	cursor = mongoc_collection_find_with_opts(session.requests, &filter, options, NULL);
	for (; mongoc_cursor_next(cursor, &bson); seen++)
		store_add_row(store, arena, bson, STORE_CURRENT, list_r);
	if (mongoc_cursor_error(cursor, &error))
		err = store_error(&error, "list a dashboard", info);
	*whole_r = seen < limit && (int64_t)list_r->count == seen;
	mongoc_cursor_destroy(cursor);
	bson_destroy(options);
	bson_destroy(&filter);
	return store_session_end(&session, err);
}

/* The command, and not the driver's function, which asks for an aggregate. */
enum err store_agenda_count(struct store *store, const struct store_filter *whose,
	enum store_agenda agenda, int64_t now, int64_t limit, int64_t *count_r,
	struct err_info *info)
{
	bson_t filter = BSON_INITIALIZER, *command, reply;
	struct store_session session;
	bson_error_t error;
	bson_iter_t n;
	enum err err;

	*count_r = 0;
	err = store_session_begin(store, &session, info);
	if (err != ERR_OK)
		return err;
	store_agenda_filter(whose, &store_agenda_table[agenda], now, &filter);
	command = BCON_NEW(
		"count", "requests", "query", BCON_DOCUMENT(&filter), "limit", BCON_INT64(limit));
	if (!mongoc_client_command_simple(
		    session.client, store->database, command, NULL, &reply, &error))
		err = store_error(&error, "count for a dashboard", info);
	else if (bson_iter_init_find(&n, &reply, "n"))
		*count_r = bson_iter_as_int64(&n);
	bson_destroy(&reply);
	bson_destroy(command);
	bson_destroy(&filter);
	return store_session_end(&session, err);
}
