#ifndef STORE_AUDIT_H
#define STORE_AUDIT_H
/*
 * The audit trails of all documents: events by filter, and whole trails for checking. Blocks as
 * store.h says, but for the search: STORE_AUDIT_MS for each of its steps, of which none begins
 * after STORE_AUDIT_TOTAL_MS.
 */
#include "audit.h"
#include "store.h"

enum { STORE_AUDIT_MS = 1500, STORE_AUDIT_TOTAL_MS = 3000 };

/* The collections whose documents have a trail; NULL-terminated. */
extern const char *const store_audit_names[];

/* Where an event stands: newest first, those of one instant by document and against the order of
 * their chain. */
struct store_audit_position {
	int64_t at;
	const char *id; /* of the document; NULL: nowhere */
	int64_t index;
};

struct store_audit_filter {
	int64_t from, to;                           /* [from, to); 0 = open */
	const char *actor_id, *action, *request_id; /* NULL: any */
	const struct store_audit_position *after;   /* NULL: from the newest */
	int64_t limit, now;
};

/* A page of events, newest first. Items are struct audit_event. One that cannot be read is logged
 * and left out. *next_r says behind which event it goes on. ERR_OVERLOADED when the search takes
 * too long: it wants a narrower filter. */
enum err store_audit_list(struct store *store, struct arena *arena,
	const struct store_audit_filter *filter, struct model_list *list_r,
	struct store_audit_position *next_r, struct err_info *info);

/* Some documents of a collection, in the order of their ids. */
struct store_audit_page {
	struct model_list trails; /* struct audit_trail: as far as each can be read */
	const char *last_id;      /* NULL: there is nothing more */
};

/* The documents behind `after_id` ("": the first ones), or the one with `id`, if that is not NULL.
 */
enum err store_audit_walk(struct store *store, struct arena *arena, const char *collection,
	const char *after_id, const char *id, struct store_audit_page *page_r,
	struct err_info *info);
#endif
