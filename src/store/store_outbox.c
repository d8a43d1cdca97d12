#include "store_outbox.h"

#include "log.h"
#include "store_private.h"

static const char *store_outbox_field(const struct store_outbox_search *search)
{
	return search->failed ? "failed_at" : "due";
}

static void store_outbox_filter(
	struct arena *arena, const struct store_outbox_search *search, bson_t *filter)
{
	bson_t range;

	BSON_APPEND_UTF8(filter, "owes", outbox_mark(arena, search->failed, search->kind));
	bson_append_document_begin(filter, store_outbox_field(search), -1, &range);
	BSON_APPEND_DATE_TIME(&range, "$gt", search->after);
	if (search->until)
		BSON_APPEND_DATE_TIME(&range, "$lte", search->until);
	bson_append_document_end(filter, &range);
}

static void store_outbox_add(struct store *store, struct arena *arena, const bson_t *bson,
	const char *field, struct model_list *list, struct store_outbox_seen *seen)
{
	struct err_info unreadable = {0};
	struct request *request;
	bson_iter_t id;

	seen->count++;
	seen->at = store_instant_of(bson, field);
	if (bson_iter_init_find(&id, bson, "_id") && BSON_ITER_HOLDS_UTF8(&id))
		seen->id = arena_strdup(arena, bson_iter_utf8(&id, NULL));
	if (store_request_read(store, arena, bson, STORE_OWED, &request, &unreadable) == ERR_OK)
		*(struct request **)model_list_add(arena, list, sizeof(request)) = request;
	else
		log_error("left out of the outbox: %s", unreadable.detail);
}

/* Takes the filter over. */
static enum err store_outbox_find(struct store *store, struct arena *arena, bson_t *filter,
	const bson_t *sort, int64_t limit, const char *field, struct model_list *list,
	struct store_outbox_seen *seen, struct err_info *info)
{
	const struct store_search search = {
		.collection = "requests",
		.filter = filter,
		.sort = sort,
		.projection = store_projection(store, STORE_OWED),
		.limit = limit,
	};
	struct store_session session;
	struct store_rows rows;
	const bson_t *row;
	enum err err = store_session_begin(store, &session, info);

	if (err == ERR_OK) {
		err = store_rows_find(&session, &search, "list the outbox", &rows, info);
		while (err == ERR_OK && (row = store_rows_next(&rows)))
			store_outbox_add(store, arena, row, field, list, seen);
		store_rows_end(&rows);
		err = store_session_end(&session, err);
	}
	bson_destroy(filter);
	return err;
}

enum err store_outbox_list(struct store *store, struct arena *arena,
	const struct store_outbox_search *search, struct model_list *list_r,
	struct store_outbox_seen *seen_r, struct err_info *info)
{
	const char *field = store_outbox_field(search);
	struct store_outbox_search rest = *search;
	enum err err = ERR_OK;
	bson_t *filter, *sort;

	*seen_r = (struct store_outbox_seen){.id = ""};
	/* What is left of the instant at which the last page ended, and then what is behind it. */
	if (search->from_id) {
		rest.after = search->at;
		sort = BCON_NEW("_id", BCON_INT32(1));
		filter = BCON_NEW("owes",
			BCON_UTF8(outbox_mark(arena, search->failed, search->kind)), field,
			BCON_DATE_TIME(search->at), "_id", "{", "$gte", BCON_UTF8(search->from_id),
			"}");
		err = store_outbox_find(
			store, arena, filter, sort, search->limit, field, list_r, seen_r, info);
		bson_destroy(sort);
	}
	if (err != ERR_OK || seen_r->count >= search->limit)
		return err;
	filter = bson_new();
	store_outbox_filter(arena, &rest, filter);
	sort = BCON_NEW(field, BCON_INT32(1), "_id", BCON_INT32(1));
	err = store_outbox_find(store, arena, filter, sort, search->limit - seen_r->count, field,
		list_r, seen_r, info);
	bson_destroy(sort);
	return err;
}

enum err store_outbox_count(struct store *store, struct arena *arena,
	const struct store_outbox_search *search, int64_t *count_r, struct err_info *info)
{
	bson_t filter = BSON_INITIALIZER;
	struct store_session session;
	enum err err;

	*count_r = 0;
	err = store_session_begin(store, &session, info);
	if (err != ERR_OK)
		return err;
	store_outbox_filter(arena, search, &filter);
	err = store_count(&session, &filter, search->limit, count_r, info);
	bson_destroy(&filter);
	return store_session_end(&session, err);
}
