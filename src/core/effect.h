#ifndef EFFECT_H
#define EFFECT_H
/*
 * Effects a request owes to the world: provider calls and mails. They are stored with the change
 * that owes them, leased while somebody performs them, and leave the document when done.
 */
#include <stdbool.h>
#include <stdint.h>

#include "cause.h"
#include "err.h"
#include "instant.h"
#include "model.h"

struct request;

enum effect_kind {
#define EFFECT(name, kind, lane, handler) EFFECT_##name,
#include "effect_table.h"
#undef EFFECT
	EFFECT_KIND_COUNT
};

enum effect_lane { LANE_PROVIDER, LANE_MAIL };

enum effect_state {
	EFFECT_DUE,    /* to be done at `due`, or leased until then */
	EFFECT_FAILED, /* given up; a person must act */
};

enum party { PARTY_CLIENT, PARTY_LAWYER };

/* What went wrong last, in words a lawyer understands; never a secret. */
struct failure {
	const char *code, *detail, *provider;
	int64_t at;
};

struct effect {
	const char *id;
	int kind;  /* enum effect_kind */
	int state; /* enum effect_state */
	int party; /* enum party: whose mail; the lane of a mail */
	int64_t generation;
	int64_t sequence; /* iCalendar SEQUENCE at the time it was owed */
	int64_t created_at, due, give_up_at;
	int64_t attempts;  /* begun: how often it was leased, lost leases included */
	const char *lease; /* token of who performs it, NULL when nobody does */
	struct failure *last_error;
};

extern const char *const effect_kind_names[];
extern const char *const effect_state_names[];
extern const char *const party_names[];
extern const struct model effect_model;
extern const struct model failure_model;

/* How performing an effect went. */
struct effect_outcome {
	enum err err;          /* ERR_OK, ERR_TEMPORARY or ERR_PERMANENT */
	const char *detail;    /* of a failure, for people */
	int64_t retry_after_s; /* what the peer asked for; 0 = nothing */
	bool skipped;          /* nobody was asked: it had lost its point */
};

/* How long a mail is tried at most (RFC 5321 section 4.5.4.1 speaks of days). */
#define EFFECT_MAIL_GIVE_UP (3 * INSTANT_DAY)

/* Owes an effect from now on. Returns it, to be completed; stale after the next one is owed. */
struct effect *effect_owe(struct cause *cause, struct request *request, enum effect_kind kind);

/* NULL when there is none (any more). */
struct effect *effect_find(struct request *request, const char *id);

void effect_drop(struct request *request, const struct effect *effect);

/* Whether somebody is performing it now: leased, and the lease is not over. */
bool effect_is_running(const struct effect *effect, int64_t now);

/* When the earliest effect that may run is due; 0 when nothing is owed. */
int64_t effect_next_due(const struct request *request);

/*
 * Leases every effect that may run now under `lease` for lease_ms: the first of each lane that is
 * due. An expired lease counts as due. Returns how many.
 */
size_t effect_claim(struct request *request, int64_t now, const char *lease, int64_t lease_ms);

/* Notes a failed attempt. After a temporary one: the next attempt, or giving up when that would be
 * too late. After a permanent one: giving up. */
void effect_failed(struct cause *cause, struct effect *effect, const struct effect_outcome *outcome,
	int64_t first_s, int64_t max_s);
#endif
