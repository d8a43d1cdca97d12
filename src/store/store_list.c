/* Pages of requests. */
#include "log.h"
#include "store_private.h"

/* How many rows are looked at for a page where no index says which of them are wanted. */
enum { STORE_PAGE_READ = 250 };

void store_append_party(bson_t *bson, const struct store_filter *filter)
{
	if (filter->client_id)
		BSON_APPEND_UTF8(bson, "client.id", filter->client_id);
	if (filter->lawyer_id)
		BSON_APPEND_UTF8(bson, "lawyer.id", filter->lawyer_id);
}

/* By what of it an index finds them: the status of a meeting says more than that of its request. */
static void store_list_prefix(const struct store_filter *filter, bson_t *prefix)
{
	store_append_party(prefix, filter);
	if (filter->meeting_status)
		BSON_APPEND_UTF8(
			prefix, "meeting.status", meeting_status_names[filter->meeting_status - 1]);
	else if (filter->status)
		BSON_APPEND_UTF8(prefix, "status", request_status_names[filter->status - 1]);
}

bool store_text_is(const bson_iter_t *iter, const char *text)
{
	return BSON_ITER_HOLDS_UTF8(iter) && strcmp(bson_iter_utf8(iter, NULL), text) == 0;
}

int64_t store_instant_of(const bson_t *row, const char *field)
{
	bson_iter_t iter;

	return bson_iter_init_find(&iter, row, field) && BSON_ITER_HOLDS_DATE_TIME(&iter)
		       ? bson_iter_date_time(&iter)
		       : 0;
}

static struct store_position store_position_of(struct arena *arena, const bson_t *bson)
{
	struct store_position position = {0};
	bson_iter_t iter;

	position.starts_at = store_instant_of(bson, "starts_at");
	if (bson_iter_init_find(&iter, bson, "_id") && BSON_ITER_HOLDS_UTF8(&iter))
		position.id = arena_strdup(arena, bson_iter_utf8(&iter, NULL));
	return position;
}

void store_add_row(struct store *store, struct arena *arena, const bson_t *bson,
	enum store_depth depth, struct model_list *list)
{
	struct err_info unreadable = {0};
	struct request *request;

	/* One row that cannot be read must not hide the others. */
	if (store_request_read(store, arena, bson, depth, &request, &unreadable) == ERR_OK)
		*(struct request **)model_list_add(arena, list, sizeof(request)) = request;
	else
		log_error("left out of a list: %s", unreadable.detail);
}

/* A page that is being read. */
struct store_page {
	struct store *store;
	struct arena *arena;
	const struct store_filter *filter;
	struct model_list *list;
	struct store_position last;
	int64_t rows;
	bool more; /* there is something behind it */
};

/* Both statuses are asked for: one is looked for in the index, the other here. */
static bool store_page_wants(const struct store_page *page, const bson_t *row)
{
	const struct store_filter *filter = page->filter;
	bson_iter_t status;

	return !filter->meeting_status || !filter->status ||
	       (bson_iter_init_find(&status, row, "status") &&
		       store_text_is(&status, request_status_names[filter->status - 1]));
}

static bool store_page_take(void *data, const bson_t *row)
{
	struct store_page *page = data;

	if (page->rows == page->filter->limit) {
		page->more = true;
		return true;
	}
	page->last = store_position_of(page->arena, row);
	if (!store_page_wants(page, row))
		return false;
	page->rows++;
	store_add_row(page->store, page->arena, row, page->filter->depth, page->list);
	return true;
}

/* The rows that begin when the page before ended, behind its last one. */
static enum err store_page_read_ties(struct store_session *session, struct store_page *page,
	const bson_t *prefix, struct err_info *info)
{
	const struct store_filter *filter = page->filter;
	const char *compare = filter->ascending ? "$gt" : "$lt";
	bson_t *ties = bson_copy(prefix),
	       *sort = BCON_NEW("_id", BCON_INT32(filter->ascending ? 1 : -1));
	const struct store_search search = {
		.collection = "requests",
		.filter = ties,
		.sort = sort,
		.projection = store_projection(page->store, filter->depth),
		.limit = filter->limit + 1,
	};
	struct store_rows rows;
	const bson_t *row;
	int64_t seen = 0;
	enum err err;

	BCON_APPEND(ties, "starts_at", BCON_DATE_TIME(filter->after_start), "_id", "{", compare,
		BCON_UTF8(filter->after_id), "}");
	err = store_rows_find(session, &search, "list requests", &rows, info);
	for (; !page->more && (row = store_rows_next(&rows)); seen++)
		store_page_take(page, row);
	page->more |= seen > filter->limit;
	store_rows_end(&rows);
	bson_destroy(sort);
	bson_destroy(ties);
	return err;
}

static enum err store_page_read(struct store_session *session, struct store_page *page,
	const bson_t *prefix, struct err_info *info)
{
	const struct store_filter *filter = page->filter;
	struct store_stretch stretch = {
		.prefix = prefix,
		.at = "starts_at",
		.everybody = !filter->client_id && !filter->lawyer_id,
		.low = filter->starts_from,
		.high = filter->starts_before ? filter->starts_before : INT64_MAX,
		.descending = !filter->ascending,
		.most = filter->status && filter->meeting_status ? STORE_PAGE_READ : 0,
		.now = filter->now,
	};
	bool whole = true;
	enum err err = ERR_OK;

	if (filter->after_id && filter->after_start >= stretch.low &&
		filter->after_start < stretch.high)
		err = store_page_read_ties(session, page, prefix, info);
	if (filter->after_id && filter->ascending && filter->after_start >= stretch.low)
		stretch.low = filter->after_start + 1;
	if (filter->after_id && !filter->ascending && filter->after_start < stretch.high)
		stretch.high = filter->after_start;
	stretch.limit = filter->limit + 1 - page->rows;
	if (err == ERR_OK && !page->more && stretch.low < stretch.high)
		err = store_stretch_read(session, &stretch,
			store_projection(page->store, filter->depth), store_page_take, page,
			"list requests", &whole, info);
	page->more |= !whole;
	return err;
}

enum err store_request_list(struct store *store, struct arena *arena,
	const struct store_filter *filter, struct model_list *list_r, struct store_position *next_r,
	struct err_info *info)
{
	struct store_page page = {.store = store, .arena = arena, .filter = filter, .list = list_r};
	bson_t prefix = BSON_INITIALIZER;
	struct store_session session;
	enum err err;

	err = store_session_begin(store, &session, info);
	if (err != ERR_OK)
		return err;
	store_list_prefix(filter, &prefix);
	err = store_page_read(&session, &page, &prefix, info);
	*next_r = page.more ? page.last : (struct store_position){0};
	bson_destroy(&prefix);
	return store_session_end(&session, err);
}

enum err store_request_ids(struct store *store, struct arena *arena, const bson_t *filter,
	const bson_t *options, const char *doing, struct model_list *list_r, struct err_info *info)
{
	struct store_session session;
	mongoc_cursor_t *cursor;
	const bson_t *bson;
	bson_error_t error;
	bson_iter_t id;
	enum err err;

	err = store_session_begin(store, &session, info);
	if (err != ERR_OK)
		return err;
	cursor = store_find(store_requests(&session), filter, options);
	while (mongoc_cursor_next(cursor, &bson)) {
		if (bson_iter_init_find(&id, bson, "_id") && BSON_ITER_HOLDS_UTF8(&id))
			*(const char **)model_list_add(arena, list_r, sizeof(const char *)) =
				arena_strdup(arena, bson_iter_utf8(&id, NULL));
	}
	if (mongoc_cursor_error(cursor, &error))
		err = store_error(&error, doing, info);
	mongoc_cursor_destroy(cursor);
	return store_session_end(&session, err);
}

/* All of them, in batches: who is erased is in each. */
enum err store_request_of_person(struct store *store, struct arena *arena, const char *person_id,
	struct model_list *list_r, struct err_info *info)
{
	bson_t *options = BCON_NEW("projection", "{", "_id", BCON_INT32(1), "}");
	static const char *const sides[] = {"client.id", "lawyer.id"};
	enum err err = ERR_OK;
	bson_t *filter;
	size_t i;

	for (i = 0; err == ERR_OK && i < sizeof(sides) / sizeof(sides[0]); i++) {
		filter = BCON_NEW(sides[i], BCON_UTF8(person_id));
		err = store_request_ids(
			store, arena, filter, options, "find a person's requests", list_r, info);
		bson_destroy(filter);
	}
	bson_destroy(options);
	return err;
}
