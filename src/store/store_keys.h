#ifndef STORE_KEYS_H
#define STORE_KEYS_H
/*
 * What is sealed at rest, and under which key: for putting a new key in the place of an old one
 * while the service runs. Blocks as store.h says.
 */
#include "model.h"
#include "store.h"

/* Where sealed values are. */
enum store_sealed {
	STORE_SEALED_CONFIG,
	STORE_SEALED_REQUESTS,
	STORE_SEALED_ARCHIVES,
	STORE_SEALED_TOKENS,
	STORE_SEALED_CHORES,
	STORE_SEALED_DELIVERIES,
	STORE_SEALED_LETTERS
};

extern const char *const store_sealed_names[]; /* of the collections; NULL-terminated */

/* Some documents of a collection, in the order of their ids. */
struct store_keys_page {
	int64_t seen;
	struct model_list outdated; /* strings: ids of those with a value that needs an older key,
				     * or of a former form */
	const char *last_id;        /* NULL: there is nothing more */
};

/* The documents behind `after_id` (NULL: the first ones). */
enum err store_keys_list(struct store *store, struct arena *arena, enum store_sealed where,
	const char *after_id, struct store_keys_page *page_r, struct err_info *info);

/* Seals a document's values under the newest key, by a guarded write that changes nothing else.
 * ERR_CONFLICT: it is being changed, so come again; ERR_NOT_FOUND: it is gone; ERR_UNREADABLE: no
 * key of the ring opens it. */
enum err store_keys_reseal(struct store *store, struct arena *arena, enum store_sealed where,
	const char *id, int64_t now, struct err_info *info);
#endif
