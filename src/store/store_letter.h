#ifndef STORE_LETTER_H
#define STORE_LETTER_H
/*
 * Letters from one person of a request to the other: collection "letters", one document each, from
 * before the request owes it until it has left. What nobody owes any more the database removes
 * itself (`expire_at`). Blocks as store.h says.
 */
#include "model.h"
#include "store.h"

struct letter {
	const char *id; /* the same whenever the same message comes again */
	const char *request_id;
	int64_t expire_at;
	const char *message; /* as it is to leave; sealed */
};

extern const struct model letter_model;

/* ERR_OK, too, when it is there already. */
enum err store_letter_insert(struct store *store, struct arena *arena, const struct letter *letter,
	struct err_info *info);

/* ERR_NOT_FOUND, ERR_UNREADABLE. */
enum err store_letter_load(struct store *store, struct arena *arena, const char *id,
	struct letter **letter_r, struct err_info *info);

/* Writes it again, under the newest key. Nobody changes one. */
enum err store_letter_save(struct store *store, struct arena *arena, const struct letter *letter,
	struct err_info *info);

/* It has left. */
enum err store_letter_remove(struct store *store, const char *id, struct err_info *info);

/* All of a request, whoever wrote them. */
enum err store_letter_remove_of(struct store *store, const char *request_id, struct err_info *info);
#endif
