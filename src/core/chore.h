#ifndef CHORE_H
#define CHORE_H
/*
 * Chores: what the installation owes and no request can, because it belongs to none or to many. One
 * small document each, stored before its work begins and removed when all of it is done; whoever
 * begins it does what it can at once, and a dispatcher does the rest.
 */
#include "cause.h"
#include "instant.h"
#include "model.h"

enum chore_kind {
	CHORE_ERASE,        /* a person leaves every request that was filed by then */
	CHORE_TEST_MEETING, /* a validation's test meeting goes from its provider */
	CHORE_KIND_COUNT
};

extern const char *const chore_kind_names[]; /* NULL-terminated, indexed by enum chore_kind */

/* Nobody else touches it for so long after it was begun or claimed. A request that was decided
 * before that is stored by then. */
enum { CHORE_LEASE_MS = 90 * 1000 };

struct chore {
	const char *id;
	int64_t rev; /* of the stored document; 0 = not stored yet */
	int kind;    /* enum chore_kind */
	int64_t created_at, due;
	int64_t give_up_at; /* 0: never */
	int64_t attempts;   /* of dispatchers */

	/* Who asked for it, as events name people, and in which call. */
	const char *actor_id;
	int actor_role; /* enum role */
	const char *trace_id;

	const char *person_id; /* CHORE_ERASE */

	/* CHORE_TEST_MEETING: what it is known by, and what its provider is asked with, which may
	 * be stored nowhere else. */
	const char *provider, *provider_key, *external_id, *account;
	struct model_list settings;    /* map: "<provider>/<name>" -> value */
	struct model_list credentials; /* map, sealed: "<provider>/<name>" -> value */
};

extern const struct model chore_model;

/* A chore that `cause` begins; its fields are borrowed, and what else it needs is for the caller.
 */
struct chore chore_begun(struct cause *cause, enum chore_kind kind);

/* Who asked for it. */
struct actor chore_actor(const struct chore *chore);

/* When it is tried again; false: it is given up. `random` as for backoff_delay_ms(). */
bool chore_put_off(struct chore *chore, int64_t now, int64_t random);
#endif
