#ifndef STORE_CHORE_H
#define STORE_CHORE_H
/*
 * Chores: collection "chores", one document each. `due` is the lease as well: whoever claims one
 * moves it on, and who dies with it costs that time. Blocks as store.h says.
 */
#include "chore.h"
#include "store.h"

/* Stores a new one, before anything is done of it. */
enum err store_chore_insert(
	struct store *store, struct arena *arena, struct chore *chore, struct err_info *info);

/* The one that is due for longest, claimed until `until`. ERR_NOT_FOUND: nothing is due;
 * ERR_CONFLICT: somebody was faster; ERR_UNREADABLE: it is set aside until then. */
enum err store_chore_claim(struct store *store, struct arena *arena, int64_t now, int64_t until,
	struct chore **chore_r, struct err_info *info);

/* Replaces it if it still has chore->rev, with rev + 1. ERR_CONFLICT when it has not. */
enum err store_chore_save(
	struct store *store, struct arena *arena, struct chore *chore, struct err_info *info);

/* All of it is done, whoever has claimed it by now. */
enum err store_chore_remove(struct store *store, const char *id, struct err_info *info);

/* ERR_NOT_FOUND, ERR_UNREADABLE. */
enum err store_chore_load(struct store *store, struct arena *arena, const char *id,
	struct chore **chore_r, struct err_info *info);
#endif
