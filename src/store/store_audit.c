#include "store_audit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "instant.h"
#include "log.h"
#include "store_archive.h"
#include "store_private.h"

/*
 * A search looks at the last five minutes first and then further and further back, until the page
 * is full: so it reads little more than it shows, however long the trails have grown.
 */
#define STORE_AUDIT_FIRST (5 * INSTANT_MINUTE)

enum {
	STORE_AUDIT_FACTOR = 16,
	STORE_AUDIT_PAGE = 50,
	STORE_AUDIT_SPARE = 50,      /* rows more than a page, for those at the cursor's instant */
	STORE_AUDIT_TIME_LIMIT = 50, /* the server's code for what took longer than maxTimeMS */
};

const char *const store_audit_names[] = {"config", "requests", NULL};

/* Where events are: in the documents, and in what has left them. */
static const char *const store_audit_places[] = {"config", "requests", "archives"};

/* An event of the database; NULL when it cannot be read. */
struct store_audit_row {
	struct store_audit_position position;
	struct audit_event *event;
};

/* What a filter asks of an event, whose members have that prefix. */
static void store_audit_conditions(
	bson_t *bson, const char *prefix, const struct store_audit_filter *filter, int64_t low)
{
	char key[32];
	bson_t range;

	snprintf(key, sizeof(key), "%sactor.id", prefix);
	if (filter->actor_id)
		BSON_APPEND_UTF8(bson, key, filter->actor_id);
	snprintf(key, sizeof(key), "%sat", prefix);
	bson_append_document_begin(bson, key, -1, &range);
	BSON_APPEND_DATE_TIME(&range, "$gte", low);
	if (filter->to)
		BSON_APPEND_DATE_TIME(&range, "$lt", filter->to);
	if (filter->after)
		BSON_APPEND_DATE_TIME(&range, "$lte", filter->after->at);
	bson_append_document_end(bson, &range);
	snprintf(key, sizeof(key), "%saction", prefix);
	if (filter->action)
		BSON_APPEND_UTF8(bson, key, filter->action);
}

/* The documents that have such events: once for the indexes, which are by path, and once for the
 * very event. Documents whose id is no text are none of ours. What narrows most comes first: some
 * databases take the first condition that an index has. */
static bson_t *store_audit_documents(
	const struct store_audit_filter *filter, bool archives, int64_t low)
{
	const char *id = archives ? "document_id" : "_id";
	bson_t *match = bson_new(), events, element;

	if (filter->request_id)
		BSON_APPEND_UTF8(match, id, filter->request_id);
	store_audit_conditions(match, "events.", filter, low);
	if (!filter->request_id)
		BCON_APPEND(match, id, "{", "$gt", "", "}");
	BSON_APPEND_DOCUMENT_BEGIN(match, "events", &events);
	BSON_APPEND_DOCUMENT_BEGIN(&events, "$elemMatch", &element);
	store_audit_conditions(&element, "", filter, low);
	bson_append_document_end(&events, &element);
	bson_append_document_end(match, &events);
	return match;
}

static bson_t *store_audit_pipeline(
	const struct store_audit_filter *filter, bool archives, int64_t low, int64_t limit)
{
	bson_t *documents = store_audit_documents(filter, archives, low), *pipeline;
	bson_t *events = bson_new();

	store_audit_conditions(events, "events.", filter, low);
	pipeline = BCON_NEW("pipeline", "[", "{", "$match", BCON_DOCUMENT(documents), "}", "{",
		"$project", "{", "events", BCON_INT32(1), "document_id", BCON_INT32(1),
		"before.count", BCON_INT32(1), "archived.count", BCON_INT32(1), "}", "}", "{",
		"$unwind", "{", "path", "$events", "includeArrayIndex", "index", "}", "}", "{",
		"$match", BCON_DOCUMENT(events), "}", "{", "$sort", "{", "events.at",
		BCON_INT32(-1), "_id", BCON_INT32(-1), "index", BCON_INT32(-1), "}", "}", "{",
		"$limit", BCON_INT64(limit), "}", "]");
	bson_destroy(events);
	bson_destroy(documents);
	return pipeline;
}

/* A number at that path, or 0. */
static int64_t store_audit_number(const bson_t *bson, const char *path)
{
	bson_iter_t iter, number;

	return bson_iter_init(&iter, bson) && bson_iter_find_descendant(&iter, path, &number)
		       ? bson_iter_as_int64(&number)
		       : 0;
}

/* Where an event of a row stands in the trail of its document; false when that cannot be said. */
static bool store_audit_place(
	struct arena *arena, const bson_t *bson, struct store_audit_position *position_r)
{
	bson_iter_t id, at, iter;

	if ((!bson_iter_init_find(&id, bson, "document_id") &&
		    !bson_iter_init_find(&id, bson, "_id")) ||
		!BSON_ITER_HOLDS_UTF8(&id) || !bson_iter_init(&iter, bson) ||
		!bson_iter_find_descendant(&iter, "events.at", &at))
		return false;
	position_r->id = arena_strdup(arena, bson_iter_utf8(&id, NULL));
	position_r->at = bson_iter_date_time(&at);
	position_r->index = store_audit_number(bson, "index") +
			    store_audit_number(bson, "before.count") +
			    store_audit_number(bson, "archived.count");
	return true;
}

/* Newest first. */
static int store_audit_compare(const void *a, const void *b)
{
	const struct store_audit_position *x = &((const struct store_audit_row *)a)->position;
	const struct store_audit_position *y = &((const struct store_audit_row *)b)->position;
	const int by_id = strcmp(y->id, x->id);

	if (x->at != y->at)
		return x->at < y->at ? 1 : -1;
	if (by_id != 0)
		return by_id;
	return (x->index < y->index) - (x->index > y->index);
}

static void store_audit_add_row(
	struct store *store, struct arena *arena, const bson_t *bson, struct model_list *rows)
{
	struct store_audit_row row = {.event = arena_alloc(arena, sizeof(*row.event))};
	struct err_info unreadable = {0};
	bson_iter_t events, event;

	if (!store_audit_place(arena, bson, &row.position) ||
		!bson_iter_init_find(&events, bson, "events") ||
		!bson_iter_recurse(&events, &event))
		return;
	if (store_bson_read(store, arena, &audit_event_model, &event, row.position.id, row.event,
		    &unreadable) != ERR_OK) {
		log_error("left out of the audit events: %s", unreadable.detail);
		row.event = NULL;
	}
	*(struct store_audit_row *)model_list_add(arena, rows, sizeof(row)) = row;
}

/* A search that takes too long says nothing about the database: nobody else is refused for it. */
static enum err store_audit_too_long(struct err_info *info)
{
	err_clear(info);
	return err_set(
		info, ERR_OVERLOADED, "The search takes too long; narrow it with from and to.");
}

static enum err store_audit_search(struct store_session *session, struct arena *arena,
	const char *place, const struct store_audit_filter *filter, int64_t low, int64_t limit,
	struct model_list *rows, struct err_info *info)
{
	const bool archives = strcmp(place, "archives") == 0;
	bson_t *pipeline = store_audit_pipeline(filter, archives, low, limit);
	bson_t *options = BCON_NEW("maxTimeMS", BCON_INT64(STORE_AUDIT_MS));
	mongoc_collection_t *collection =
		mongoc_client_get_collection(session->client, session->store->database, place);
	mongoc_cursor_t *cursor =
		mongoc_collection_aggregate(collection, MONGOC_QUERY_NONE, pipeline, options, NULL);
	const int64_t begun_us = clock_monotonic_us();
	enum err err = ERR_OK;
	bson_error_t error;
	const bson_t *bson;

	while (mongoc_cursor_next(cursor, &bson))
		store_audit_add_row(session->store, arena, bson, rows);
	if (mongoc_cursor_error(cursor, &error)) {
		if ((error.domain == MONGOC_ERROR_SERVER && error.code == STORE_AUDIT_TIME_LIMIT) ||
			clock_monotonic_us() - begun_us > STORE_AUDIT_MS * 1000)
			err = store_audit_too_long(info);
		else
			err = store_error(&error, "search audit events", info);
	}
	mongoc_cursor_destroy(cursor);
	mongoc_collection_destroy(collection);
	bson_destroy(options);
	bson_destroy(pipeline);
	return err;
}

/* In order, each once (one that is just being archived is in two places), and behind the cursor. */
static void store_audit_order(const struct store_audit_filter *filter, struct model_list *rows)
{
	struct store_audit_row *items = rows->items;
	const struct store_audit_row after = {
		.position = filter->after ? *filter->after : (struct store_audit_position){0}};
	size_t i, count = 0;

	if (!rows->count)
		return;
	qsort(items, rows->count, sizeof(*items), store_audit_compare);
	for (i = 0; i < rows->count; i++) {
		if ((filter->after && store_audit_compare(&after, &items[i]) >= 0) ||
			(count && store_audit_compare(&items[count - 1], &items[i]) == 0))
			continue;
		items[count++] = items[i];
	}
	rows->count = count;
}

/* Leaves out what is behind the horizon: there, a place may have more than it was asked for. */
static void store_audit_see(const struct store_audit_row *horizon, struct model_list *rows)
{
	while (horizon->position.id && rows->count &&
		store_audit_compare(
			horizon, MODEL_AT(rows, struct store_audit_row, rows->count - 1)) < 0)
		rows->count--;
}

/* The newest events since `low` of all places; *full_r: a page of them, and more. */
static enum err store_audit_since(struct store_session *session, struct arena *arena,
	const struct store_audit_filter *filter, int64_t low, int64_t until_us,
	struct model_list *rows_r, bool *full_r, struct err_info *info)
{
	int64_t limit = filter->limit + STORE_AUDIT_SPARE;
	struct store_audit_row horizon, last;
	enum err err = ERR_OK;
	size_t i, seen;

	do {
		*rows_r = (struct model_list){0};
		horizon = (struct store_audit_row){0};
		for (i = 0; err == ERR_OK && i < sizeof(store_audit_places) / sizeof(char *); i++) {
			if (clock_monotonic_us() > until_us)
				return store_audit_too_long(info);
			seen = rows_r->count;
			err = store_audit_search(session, arena, store_audit_places[i], filter, low,
				limit, rows_r, info);
			if (rows_r->count - seen < (size_t)limit)
				continue;
			last = *MODEL_AT(rows_r, struct store_audit_row, rows_r->count - 1);
			if (!horizon.position.id || store_audit_compare(&last, &horizon) < 0)
				horizon = last;
		}
		store_audit_order(filter, rows_r);
		store_audit_see(&horizon, rows_r);
		*full_r = rows_r->count > (size_t)filter->limit;
		/* So many at the very instant of the cursor that they hid what follows. */
		limit *= 2;
	} while (err == ERR_OK && horizon.position.id && !*full_r);
	if (*full_r)
		rows_r->count = (size_t)filter->limit;
	return err;
}

enum err store_audit_list(struct store *store, struct arena *arena,
	const struct store_audit_filter *filter, struct model_list *list_r,
	struct store_audit_position *next_r, struct err_info *info)
{
	const int64_t newest = filter->after ? filter->after->at
			       : filter->to  ? filter->to
					     : filter->now;
	const int64_t until_us = clock_monotonic_us() + STORE_AUDIT_TOTAL_MS * 1000;
	int64_t low, span = STORE_AUDIT_FIRST;
	struct store_session session;
	struct model_list rows = {0};
	bool full = false;
	enum err err;

	err = store_session_begin(store, &session, info);
	if (err != ERR_OK)
		return err;
	do {
		low = newest - span > filter->from ? newest - span : filter->from;
		span *= STORE_AUDIT_FACTOR;
		err = store_audit_since(&session, arena, filter, low, until_us, &rows, &full, info);
	} while (err == ERR_OK && !full && low > filter->from);
	*next_r = (struct store_audit_position){0};
	MODEL_FOREACH (&rows, struct store_audit_row, row) {
		if (row->event)
			*(struct audit_event *)model_list_add(arena, list_r, sizeof(*row->event)) =
				*row->event;
		if (full)
			*next_r = row->position;
	}
	return store_session_end(&session, err);
}

static void store_audit_add_trail(
	struct store *store, struct arena *arena, const bson_t *bson, struct store_audit_page *page)
{
	struct audit_trail *trail = model_list_add(arena, &page->trails, sizeof(*trail));
	struct err_info info = {0};
	bson_iter_t id, iter;

	if (bson_iter_init_find(&id, bson, "_id"))
		page->last_id = arena_strdup(arena, bson_iter_utf8(&id, NULL));
	bson_iter_init(&iter, bson);
	if (store_bson_read(store, arena, &audit_seal_model, &iter, page->last_id, trail, NULL) !=
		ERR_OK)
		trail->audit_seal = NULL;
	bson_iter_init(&iter, bson);
	if (store_bson_read(store, arena, &audit_trail_model, &iter, page->last_id, trail, &info) !=
		ERR_OK)
		trail->unreadable = arena_strdup(arena, info.detail);
	trail->id = page->last_id;
}

/* Puts what has left a document before what is in it. */
static enum err store_audit_add_archives(
	struct store *store, struct arena *arena, struct audit_trail *trail, struct err_info *info)
{
	const struct model_list kept = trail->events;
	struct err_info unreadable = {0};
	enum err err;

	if (!trail->archived)
		return ERR_OK;
	trail->events = (struct model_list){0};
	err = store_archive_events(
		store, arena, trail->id, 0, trail->archived->count, &trail->events, &unreadable);
	if (err == ERR_UNREADABLE) {
		trail->unreadable = arena_strdup(arena, unreadable.detail);
	} else if (err != ERR_OK) {
		*info = unreadable;
		return err;
	}
	MODEL_FOREACH (&kept, struct audit_event, event) {
		*(struct audit_event *)model_list_add(arena, &trail->events, sizeof(*event)) =
			*event;
	}
	return ERR_OK;
}

enum err store_audit_walk(struct store *store, struct arena *arena, const char *collection,
	const char *after_id, const char *id, struct store_audit_page *page_r,
	struct err_info *info)
{
	mongoc_collection_t *documents;
	struct store_session session;
	bson_t *filter, *options;
	mongoc_cursor_t *cursor;
	const bson_t *bson;
	bson_error_t error;
	enum err err;

	*page_r = (struct store_audit_page){0};
	err = store_session_begin(store, &session, info);
	if (err != ERR_OK)
		return err;
	documents = mongoc_client_get_collection(session.client, store->database, collection);
	filter = id ? BCON_NEW("_id", BCON_UTF8(id))
		    : BCON_NEW("_id", "{", "$gt", BCON_UTF8(after_id), "}");
	/* One batch: a server cuts it where a message would be too large. */
	options = BCON_NEW("sort", "{", "_id", BCON_INT32(1), "}", "limit",
		BCON_INT64(STORE_AUDIT_PAGE), "singleBatch", BCON_BOOL(true), "projection", "{",
		"events", BCON_INT32(1), "archived", BCON_INT32(1), "audit_seal", BCON_INT32(1),
		"}");
	cursor = store_find(documents, filter, options);
	while (mongoc_cursor_next(cursor, &bson))
		store_audit_add_trail(store, arena, bson, page_r);
	if (mongoc_cursor_error(cursor, &error))
		err = store_error(&error, "walk audit trails", info);
	mongoc_cursor_destroy(cursor);
	bson_destroy(options);
	bson_destroy(filter);
	mongoc_collection_destroy(documents);
	err = store_session_end(&session, err);
	MODEL_FOREACH (&page_r->trails, struct audit_trail, trail) {
		if (err == ERR_OK)
			err = store_audit_add_archives(store, arena, trail, info);
	}
	return err;
}
