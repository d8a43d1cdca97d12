#ifndef STORE_DELIVERY_H
#define STORE_DELIVERY_H
/*
 * Deliveries to subscribers: collection "deliveries", one document each, removed by the database a
 * month later. Every search is of one subscriber, or of one request. Blocks as store.h says.
 */
#include "delivery.h"
#include "store.h"

/* ERR_CONFLICT when it is there already. */
enum err store_delivery_insert(struct store *store, struct arena *arena,
	const struct delivery *delivery, struct err_info *info);

/* ERR_NOT_FOUND, ERR_UNREADABLE. */
enum err store_delivery_load(struct store *store, struct arena *arena, const char *id,
	struct delivery **delivery_r, struct err_info *info);

/* Replaces it if it still has delivery->rev, with rev + 1. ERR_CONFLICT when it has not. */
enum err store_delivery_save(
	struct store *store, struct arena *arena, struct delivery *delivery, struct err_info *info);

/* That of a subscriber which is due for longest; ERR_NOT_FOUND: nothing is; ERR_UNREADABLE: it is
 * set aside for a while. */
enum err store_delivery_due(struct store *store, struct arena *arena, const char *webhook_id,
	int64_t now, struct delivery **delivery_r, struct err_info *info);

/* The first of a lane that is not over; ERR_NOT_FOUND: all are. */
enum err store_delivery_first(struct store *store, struct arena *arena, const char *webhook_id,
	const char *lane, struct delivery **delivery_r, struct err_info *info);

/* The latest, or with `since` the earliest, that ended so after `since`; ERR_NOT_FOUND. */
enum err store_delivery_ended(struct store *store, struct arena *arena, const char *webhook_id,
	enum delivery_state state, int64_t since, struct delivery **delivery_r,
	struct err_info *info);

/* The one that waits for longest of those that are not over; ERR_NOT_FOUND. */
enum err store_delivery_oldest(struct store *store, struct arena *arena, const char *webhook_id,
	struct delivery **delivery_r, struct err_info *info);

/* A page of the log, newest first: struct delivery. */
struct store_delivery_page {
	const char *webhook_id;
	int64_t before; /* the cursor: continue behind this creation and id; 0: the newest */
	const char *before_id;
	int64_t limit;
};

/* What cannot be read is logged and left out, so a page may be short though there is a next one;
 * next_r->before_id is NULL where it is the last. */
enum err store_delivery_list(struct store *store, struct arena *arena,
	const struct store_delivery_page *page, struct model_list *list_r,
	struct store_delivery_page *next_r, struct err_info *info);

/* Forgets what those of a request say; what has not been sent is not sent any more. */
enum err store_delivery_erase(
	struct store *store, const char *request_id, int64_t now, struct err_info *info);

/* The same for one of them. */
enum err store_delivery_erase_one(
	struct store *store, const char *id, int64_t now, struct err_info *info);
#endif
