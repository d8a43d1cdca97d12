#ifndef STORE_QUERY_H
#define STORE_QUERY_H
/*
 * The searches. All of them go through here, and each has to be served by an index as
 * store_is_served() says; one that is not ends the process, which is our own mistake. The database
 * is asked for no more than it can find by walking one stretch of one index.
 */
#include <mongoc/mongoc.h>

#include "arena.h"
#include "err.h"

struct store;
struct store_session;

/*
 * Whether a search is an equality prefix and at most one range of one index of the collection, and
 * asks for the order of that index, if for any. What is found by its `_id` alone is.
 */
bool store_is_served(const char *collection, const bson_t *filter, const bson_t *options);

mongoc_cursor_t *store_find(
	mongoc_collection_t *collection, const bson_t *filter, const bson_t *options);

/* One of a bounded number of documents, which fit into one reply (16 MB). It is sent as the command
 * that it is: the driver's cursor costs as much processor time as all the rest of reading a
 * request. `sort` and `projection` may be NULL. */
struct store_search {
	const char *collection;
	const bson_t *filter, *sort, *projection;
	int64_t limit;
};

struct store_rows {
	bson_t reply, row;
	bson_iter_t iter;
	bool any;
};

/* `doing` goes to the log. The rows are to be ended whatever it returns. */
enum err store_rows_find(const struct store_session *session, const struct store_search *search,
	const char *doing, struct store_rows *rows_r, struct err_info *info);

/* The next one, borrowed from the rows until the one after it; NULL behind the last. */
const bson_t *store_rows_next(struct store_rows *rows);
void store_rows_end(struct store_rows *rows);

/* In the arena. */
const bson_t *store_row_copy(struct arena *arena, const bson_t *row);

/* The document of that id, copied into the arena; *bson_r is NULL when there is none. */
enum err store_document_load(struct store *store, struct arena *arena, const char *collection,
	const char *id, const bson_t **bson_r, struct err_info *info);

/* How many requests a filter finds; no more than `limit` are counted. */
enum err store_count(struct store_session *session, const bson_t *filter, int64_t limit,
	int64_t *count_r, struct err_info *info);

/*
 * A stretch of an index of `requests` that is read from one end: what has `prefix` in common, in
 * the order of an instant and then of `_id`.
 *
 * A database may read the whole stretch before it looks at `limit`. So it is asked for a window of
 * it, as wide as held a page the last time (which a process remembers for as long as it lives), and
 * for the next, wider ones only where that was not enough.
 */
struct store_stretch {
	const bson_t *prefix; /* equalities */
	const char *at;       /* the instant */
	bool everybody;       /* of all people, whose rows are many */
	int64_t low, high;    /* of it, [low, high); 0 and INT64_MAX: open */
	bool descending;
	int64_t limit; /* of rows that are wanted */
	int64_t most;  /* of rows that are read; 0: `limit` */
	int64_t now;
};

/* What is done with each row in turn; whether it is one of those that are wanted. */
typedef bool store_take(void *data, const bson_t *row);

/* Where nothing is left to be read, *whole_r says so. `projection` may be NULL; `doing` goes to the
 * log. */
enum err store_stretch_read(struct store_session *session, const struct store_stretch *stretch,
	const bson_t *projection, store_take *take, void *data, const char *doing, bool *whole_r,
	struct err_info *info);

/* How many rows there are; no more than `limit` are counted. */
enum err store_stretch_count(struct store_session *session, const struct store_stretch *stretch,
	int64_t *count_r, struct err_info *info);
#endif
