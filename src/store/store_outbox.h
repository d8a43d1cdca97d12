#ifndef STORE_OUTBOX_H
#define STORE_OUTBOX_H
/* The requests that owe something. Each search is one mark (outbox.h) and one range of one index,
 * in its order, and bounded: it costs the same however much is owed. Blocks as store.h says. */
#include "outbox.h"
#include "store_request.h"

/* In the order of the earliest that is due, or of what failed first; those of one instant by id. */
struct store_outbox_search {
	bool failed;
	const char *kind; /* NULL: any */
	/* Instants in (after, until]; 0: open. */
	int64_t after, until;
	/* The cursor: at that instant, from that id on; NULL: none. */
	int64_t at;
	const char *from_id;
	int64_t limit;
};

/* What a search has come past: those that could not be read and were left out, too. */
struct store_outbox_seen {
	int64_t count;
	int64_t at; /* of the last one, */
	const char *id;
};

/* Items are struct request *, with their effects, for showing only. */
enum err store_outbox_list(struct store *store, struct arena *arena,
	const struct store_outbox_search *search, struct model_list *list_r,
	struct store_outbox_seen *seen_r, struct err_info *info);

/* How many requests there are of them; no more than search->limit are counted. */
enum err store_outbox_count(struct store *store, struct arena *arena,
	const struct store_outbox_search *search, int64_t *count_r, struct err_info *info);
#endif
