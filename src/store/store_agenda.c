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
static struct store_stretch store_agenda_stretch(const struct store_filter *whose,
	enum store_agenda agenda, int64_t now, int64_t limit, bson_t *prefix)
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
		.low = row->past ? 0 : now + 1,
		.high = row->past ? now + 1 : INT64_MAX,
		.descending = row->past,
		.limit = limit,
		.now = now,
	};
}

struct store_agenda_rows {
	struct store *store;
	struct arena *arena;
	struct model_list *list;
	size_t seen;
};

static bool store_agenda_take(void *data, const bson_t *row)
{
	struct store_agenda_rows *rows = data;

	rows->seen++;
	store_add_row(rows->store, rows->arena, row, STORE_CURRENT, rows->list);
	return true;
}

enum err store_agenda_list(struct store *store, struct arena *arena,
	const struct store_filter *whose, enum store_agenda agenda, int64_t now, int64_t limit,
	struct model_list *list_r, bool *whole_r, struct err_info *info)
{
	struct store_agenda_rows rows = {store, arena, list_r, 0};
	bson_t prefix;
	struct store_stretch stretch;
	struct store_session session;
	enum err err;

	err = store_session_begin(store, &session, info);
	if (err != ERR_OK)
		return err;
	stretch = store_agenda_stretch(whose, agenda, now, limit, &prefix);
	err = store_stretch_read(&session, &stretch, store_projection(store, STORE_CURRENT),
		store_agenda_take, &rows, "list a dashboard", whole_r, info);
	*whole_r &= list_r->count == rows.seen;
	bson_destroy(&prefix);
	return store_session_end(&session, err);
}

enum err store_agenda_count(struct store *store, const struct store_filter *whose,
	enum store_agenda agenda, int64_t now, int64_t limit, int64_t *count_r,
	struct err_info *info)
{
	struct store_stretch stretch;
	struct store_session session;
	bson_t prefix;
	enum err err;

	*count_r = 0;
	err = store_session_begin(store, &session, info);
	if (err != ERR_OK)
		return err;
	stretch = store_agenda_stretch(whose, agenda, now, limit, &prefix);
	err = store_stretch_count(&session, &stretch, count_r, info);
	bson_destroy(&prefix);
	return store_session_end(&session, err);
}
