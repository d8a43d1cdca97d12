#ifndef STORE_TAKEN_H
#define STORE_TAKEN_H
/* What of a lawyer's time is taken. Blocks as store.h says. */
#include "overlap.h"
#include "store.h"

/* What takes time within the span and is not over: struct taken, those that begin first, no more
 * than `limit`. */
enum err store_taken_list(struct store *store, struct arena *arena, const char *lawyer_id,
	const struct span *span, int64_t limit, struct model_list *list_r, struct err_info *info);

/* The same with what is over; *whole_r: these are all. In the order of their starts. */
enum err store_taken_busy(struct store *store, struct arena *arena, const char *lawyer_id,
	const struct span *span, int64_t limit, struct model_list *list_r, bool *whole_r,
	struct err_info *info);
#endif
