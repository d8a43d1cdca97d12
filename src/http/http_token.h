#ifndef HTTP_TOKEN_H
#define HTTP_TOKEN_H
/*
 * Bearer tokens (JWT, RFC 7519, rules of RFC 8725; libjwt). The algorithm is pinned by
 * configuration, never taken from the token.
 */
#include <stdint.h>

#include "actor.h"
#include "arena.h"
#include "err.h"

struct conf;
struct http_token_rules;

/* Reads jwt.*: HS256 needs a secret of 32 bytes or more, RS256 and ES256 a public key file.
 * ERR_CONFIG otherwise. Read only afterwards, shared by threads. */
enum err http_token_rules_load(
	const struct conf *conf, struct http_token_rules **rules_r, struct err_info *info);
void http_token_rules_free(struct http_token_rules **rules);

/* `authorization` is the header's value or NULL. ERR_UNAUTHENTICATED says what is wrong with it
 * without repeating it. `now` in ms; nbf and iat may be 60 s ahead of it, exp not behind. */
enum err http_token_verify(const struct http_token_rules *rules, struct arena *arena,
	const char *authorization, int64_t now, struct actor *caller_r, struct err_info *info);

/* Mints a token with the HS256 secret (`meetlink token`); ERR_CONFIG for other algorithms,
 * ERR_INVALID when http_token_verify() would refuse it. */
enum err http_token_mint(const struct http_token_rules *rules, struct arena *arena,
	const struct actor *actor, int64_t now, int64_t ttl_s, char **token_r,
	struct err_info *info);
#endif
