#ifndef PROVIDER_TOKEN_H
#define PROVIDER_TOKEN_H
/*
 * Access tokens: one for each (provider, credentials) in the whole installation, kept sealed in the
 * database and in the process's memory, renewed PROVIDER_TOKEN_EARLY_MS before it ends by one
 * process at a time. provider/ does not see the store: the functions are given to it.
 */
#include "provider.h"

enum {
	PROVIDER_TOKEN_EARLY_MS = 5 * 60 * 1000,
	PROVIDER_TOKEN_LEASE_MS = 15 * 1000, /* what one refresh may take */
};

struct provider_token {
	const char *access_token;
	const char *refresh_token; /* the newest rotated one, or NULL */
	const char *base_url;      /* or NULL */
	const char *scope;         /* as granted, or NULL */
	int64_t expires_at;        /* ms; 0: there is none, or it was refused */
	int64_t rev;               /* of the stored document; 0 = not stored yet */
};

struct provider_token_store {
	void *data;
	/* Reads the token; with nothing stored *token_r is zeroed and ERR_OK. */
	enum err (*load)(void *data, struct arena *arena, const char *id,
		struct provider_token *token_r, struct err_info *info);
	/* Takes the right to refresh until `until`, if nobody holds it at `now` and the document
	 * still has that rev. ERR_CONFLICT: somebody else does, or it has changed. Raises
	 * token->rev. Its holder shortens it by giving its end as `now`. */
	enum err (*lease)(void *data, const char *id, struct provider_token *token, int64_t now,
		int64_t until, struct err_info *info);
	/* Stores a refreshed (or refused: expires_at 0) token and ends the lease, guarded by rev.
	 * ERR_CONFLICT when somebody was faster. */
	enum err (*save)(void *data, struct arena *arena, const char *id,
		struct provider_token *token, struct err_info *info);
};

/*
 * A token that is valid now, refreshed if need be; waits for another thread or process that is
 * refreshing, until call->until_us. ERR_TEMPORARY, ERR_CREDENTIAL, ERR_UNAVAILABLE as `grant` says
 * (never ERR_OUTCOME_UNKNOWN nor ERR_GONE); trouble of our own as the store says it
 * (ERR_DATABASE_AWAY). The refresh token is not given away: token_r->refresh_token is NULL.
 */
enum err provider_token_get(
	const struct provider_call *call, struct provider_token *token_r, struct err_info *info);

/* The provider refused this one: unless the stored token is another by now, it is not used again.
 */
void provider_token_refused(const struct provider_call *call, const char *access_token);

/* Forgets what this process remembers, for tests. */
void provider_token_forget(void);
#endif
