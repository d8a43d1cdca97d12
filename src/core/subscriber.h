#ifndef SUBSCRIBER_H
#define SUBSCRIBER_H
/*
 * Subscribers: other programs that are told what happens to requests (API.md, "outgoing webhooks").
 * They are a part of the configuration and change with it, in one guarded write, audited.
 */
#include <stdbool.h>
#include <stdint.h>

#include "cause.h"
#include "err.h"
#include "model.h"

struct config;

enum { SUBSCRIBER_MOST = 10, SUBSCRIBER_MOST_EVENTS = 32 };

/* How many secrets of before one may have, beside the last of them. */
enum { SUBSCRIBER_MOST_OLDER = 3 };

/* How long the secret of before signs, too. */
#define SUBSCRIBER_SECRETS_OVERLAP INSTANT_DAY

/* For how long nothing may arrive before it is disabled. */
#define SUBSCRIBER_PATIENCE (3 * INSTANT_DAY)

struct subscriber_secret {
	const char *secret; /* sealed at rest */
	int64_t until;
};

struct subscriber {
	const char *id, *url;
	struct model_list events;           /* strings: types, or all of a family: "meeting.*" */
	const char *secret, *former_secret; /* what is sent is signed with; sealed at rest */
	int64_t former_until;
	struct model_list older; /* struct subscriber_secret: those before that one, which sign, too
				  */
	const char *asked; /* the call that its secret was made for: a repeat gets the same one */
	int64_t created_at, disabled_at; /* 0: it is not disabled */
};

extern const struct model subscriber_model;

/* POST /api/config/webhooks */
struct subscriber_draft {
	const char *url;
	struct model_list events;
};
extern const struct model subscriber_draft_model;

/* THE EVENTS that can be subscribed to; NULL-terminated. */
extern const char *const subscriber_events[];

/* Whether it is to be told of that type of event. */
bool subscriber_wants(const struct subscriber *subscriber, const char *type);

/* Borrowed; NULL when there is none. */
struct subscriber *subscriber_find(const struct config *config, const char *id);

/* Adds one. `id`, `secret` and `asked` are borrowed. ERR_INVALID names events that do not exist;
 * ERR_TOO_MANY_WEBHOOKS. Where its URL leads is for those to check who can look it up. */
enum err subscriber_register(struct cause *cause, struct config *config,
	const struct subscriber_draft *draft, const char *id, const char *secret, const char *asked,
	struct err_info *info);

/* A new secret, beside which the present one signs for a while; enables what was disabled.
 * ERR_TOO_MANY_CHANGES, with when to come again, rather than that a secret which somebody may
 * still use stops signing early. */
enum err subscriber_rotate(struct cause *cause, struct config *config,
	struct subscriber *subscriber, const char *secret, const char *asked,
	struct err_info *info);

void subscriber_disable(struct cause *cause, struct config *config, struct subscriber *subscriber);
void subscriber_remove(
	struct cause *cause, struct config *config, const struct subscriber *subscriber);

/* Its URL without what may be a secret. */
const char *subscriber_shown_url(struct arena *arena, const struct subscriber *subscriber);
#endif
