#ifndef STORE_ERASE_H
#define STORE_ERASE_H
/* A person leaves every request. Blocks as store.h says, for each of them. */
#include <stdatomic.h>

#include "cause.h"
#include "store.h"

struct store_erasure {
	struct store *store;
	int wake_fd; /* eventfd of the dispatchers of this host */
	const char *person_id;
	int64_t asked_at; /* by the clock of who took the order */
	/* The person is told and knows of nothing filed later: of those requests nothing is taken.
	 * False: whatever is there was filed before. */
	bool only_filed_before;
	const atomic_bool *stop; /* NULL, or whether to leave the rest to somebody else */
	struct actor actor;
	enum source source;
	const char *trace_id;
};

/*
 * Closes the person's calendar feeds, then erases the person in every request, each in one guarded
 * write, and says how many there are. In a request that this order has reached already nothing
 * happens, whatever was written in it since. ERR_UNREADABLE when some could not be, and then all
 * others are. ERR_STILL_PENDING when it was stopped.
 */
enum err store_person_erase(
	const struct store_erasure *erasure, int64_t *requests_r, struct err_info *info);
#endif
