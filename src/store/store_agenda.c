/* The lists of dashboards: stretches of indexes. */
#include "agenda.h"
#include "store_private.h"

struct store_agenda_row {
	const char *field, *value; /* what its requests have in common; NULL: nothing */
	const char *at;            /* the instant that it is in the order of */
	bool past;                 /* up to now, latest first; or from now on, soonest first */
};

static const struct store_agenda_row store_agenda_table[] = {
	[STORE_NEEDS_CLIENT] = {.at = "client_until"},
	[STORE_NEEDS_LAWYER] = {.at = "lawyer_until"},
	[STORE_NEEDS_ADMIN] = {.at = "admin_until"},
	[STORE_OPEN] = {"shelf", AGENDA_OPEN, "over_at", false},
	[STORE_UPCOMING] = {"shelf", AGENDA_UPCOMING, "over_at", false},
	[STORE_PENDING] = {"meeting.status", "pending", "over_at", false},
	[STORE_FAILED] = {"meeting.status", "failed", "over_at", false},
	[STORE_PROPOSED] = {.at = "proposed_until"},
	[STORE_RECENT] = {.at = "over_at", .past = true},
};

/* `prefix` is to be destroyed. */
static struct store_stretch store_agenda_stretch(
	const struct store_filter *whose, enum store_agenda agenda, int64_t limit, bson_t *prefix)
{
	const struct store_agenda_row *row = &store_agenda_table[agenda];

	bson_init(prefix);
	store_append_party(prefix, whose);
	if (row->field)
		BSON_APPEND_UTF8(prefix, row->field, row->value);
	return (struct store_stretch){
		.prefix = prefix,
		.at = row->at,
		.everybody = !whose->client_id && !whose->lawyer_id,
		.low = row->past ? 0 : whose->now + 1,
		.high = row->past ? whose->now + 1 : INT64_MAX,
		.descending = row->past,
		.limit = limit,
		.now = whose->now,
	};
}

struct store_agenda_rows {
	struct store *store;
	struct arena *arena;
	const struct store_filter *whose;
	struct model_list *list;
	struct store_tally *tally;
};

/* In one pass: to read a request takes ten times as long. */
static void store_tally_add(struct store_tally *tally, const bson_t *row, int64_t now)
{
	bson_iter_t iter, status;

	tally->rows++;
	bson_iter_init(&iter, row);
	while (bson_iter_next(&iter)) {
		const char *key = bson_iter_key(&iter);

		if (key[0] == 's' && strcmp(key, "status") == 0)
			tally->open += store_text_is(&iter, request_status_names[REQUEST_OPEN]);
		if (key[0] == 'p' && strcmp(key, "proposed_until") == 0)
			tally->proposed += BSON_ITER_HOLDS_DATE_TIME(&iter) &&
					   bson_iter_date_time(&iter) > now;
		if (key[0] != 'm' || strcmp(key, "meeting") != 0 ||
			!BSON_ITER_HOLDS_DOCUMENT(&iter) || !bson_iter_recurse(&iter, &status) ||
			!bson_iter_find(&status, "status"))
			continue;
		tally->pending += store_text_is(&status, meeting_status_names[MEETING_PENDING]);
		tally->failed += store_text_is(&status, meeting_status_names[MEETING_FAILED]);
	}
}

static bool store_agenda_take(void *data, const bson_t *row)
{
	const struct store_agenda_rows *rows = data;

	if (rows->tally->rows < rows->whose->limit)
		store_add_row(rows->store, rows->arena, row, STORE_CURRENT, rows->list);
	store_tally_add(rows->tally, row, rows->whose->now);
	return true;
}

enum err store_agenda_list(struct store *store, struct arena *arena,
	const struct store_filter *whose, enum store_agenda agenda, int64_t most,
	struct model_list *list_r, struct store_tally *tally_r, struct err_info *info)
{
	struct store_agenda_rows rows = {store, arena, whose, list_r, tally_r};
	bson_t prefix, *projection;
	struct store_stretch stretch;
	struct store_session session;
	enum err err;

	*tally_r = (struct store_tally){0};
	err = store_session_begin(store, &session, info);
	if (err != ERR_OK)
		return err;
	stretch = store_agenda_stretch(whose, agenda, most, &prefix);
	projection = bson_copy(store_projection(store, STORE_CURRENT));
	BSON_APPEND_INT32(projection, stretch.at, 1);
	BSON_APPEND_INT32(projection, "proposed_until", 1);
	err = store_stretch_read(&session, &stretch, projection, store_agenda_take, &rows,
		"list a dashboard", &tally_r->whole, info);
	bson_destroy(projection);
	bson_destroy(&prefix);
	return store_session_end(&session, err);
}

enum err store_agenda_count(struct store *store, const struct store_filter *whose,
	enum store_agenda agenda, int64_t limit, int64_t *count_r, struct err_info *info)
{
	struct store_stretch stretch;
	struct store_session session;
	bson_t prefix;
	enum err err;

	*count_r = 0;
	err = store_session_begin(store, &session, info);
	if (err != ERR_OK)
		return err;
	stretch = store_agenda_stretch(whose, agenda, limit, &prefix);
	err = store_stretch_count(&session, &stretch, count_r, info);
	bson_destroy(&prefix);
	return store_session_end(&session, err);
}
