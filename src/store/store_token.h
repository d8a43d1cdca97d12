#ifndef STORE_TOKEN_H
#define STORE_TOKEN_H
/*
 * Access tokens of providers, sealed; collection "tokens". The document's `rev` guards every write;
 * `lease_until` says until when somebody has the right to refresh. Blocks as store.h says.
 */
#include "store.h"

struct store_token {
	/* May be NULL; the tokens are sealed at rest. */
	const char *access_token, *refresh_token, *base_url, *scope;
	int64_t expires_at;
	int64_t rev; /* 0 = not stored yet */
};

/* Zeroed and ERR_OK when there is none. What cannot be opened counts as none, but has its rev.
 * ERR_UNREADABLE without one. */
enum err store_token_load(struct store *store, struct arena *arena, const char *id,
	struct store_token *token_r, struct err_info *info);

/* ERR_CONFLICT: another process holds the lease at `now`, or rev has moved. A lease that ends more
 * than a minute after `now` is of a clock that was wrong, and free. */
enum err store_token_lease(struct store *store, const char *id, struct store_token *token,
	int64_t now, int64_t until, struct err_info *info);

/* Stores it and ends the lease. ERR_CONFLICT when rev has moved. */
enum err store_token_save(struct store *store, struct arena *arena, const char *id,
	struct store_token *token, struct err_info *info);
#endif
