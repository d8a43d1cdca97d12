#ifndef STORE_FEED_H
#define STORE_FEED_H
/* Calendar feeds: who has one, what has changed of a person's requests, and all of them. Blocks as
 * store.h says, for each batch of what is read. */
#include "feed.h"
#include "store.h"

/* ERR_NOT_FOUND when there is none. */
enum err store_feed_load(struct store *store, struct arena *arena, const char *id,
	struct feed **feed_r, struct err_info *info);

/* Stores a feed in place of `former` (NULL: there is none). ERR_CONFLICT when that is not what is
 * stored: load again and decide again. */
enum err store_feed_save(struct store *store, struct arena *arena, const struct feed *feed,
	const struct feed *former, struct err_info *info);

/* Stores `seen_at` of a feed that is as it was loaded; else it is left. */
enum err store_feed_note(struct store *store, const struct feed *feed, struct err_info *info);

/* Nothing is wrong when there is none. */
enum err store_feed_remove(struct store *store, const char *id, struct err_info *info);

/* The latest changes of what a feed is made of, at most FEED_CHANGES, from `since` on (0: all):
 * struct feed_change, the latest first. */
enum err store_feed_changes(struct store *store, struct arena *arena, const struct feed *feed,
	int64_t since, struct model_list *list_r, struct err_info *info);

/* Takes one request, for showing only, which lives as long as `arena`: until it returns. False: no
 * more is wanted. */
typedef bool store_feed_row(void *data, struct arena *arena, const struct request *request);

/* Gives all requests that start from `from` on, in that order, to `row`. Memory is bounded by a
 * batch of the cursor, and what the database has to look through at a time by a window of some
 * hundred requests, but where the one before had few. One that cannot be read is logged and
 * counted; one that is moved meanwhile may come twice or not at all, and then the feed has another
 * version. */
enum err store_feed_read(struct store *store, const struct feed *feed, int64_t from,
	store_feed_row *row, void *data, int64_t *left_out_r, struct err_info *info);
#endif
