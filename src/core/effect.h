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

enum effect_lane {
	LANE_PROVIDER, /* in order */
	LANE_MAIL,     /* in order, for each person */
	LANE_ALONE,    /* waits for nothing but its time */
};

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

/* A meeting at a provider that has to go. */
struct effect_target {
	const char *provider, *provider_key, *external_id, *account;
};

struct effect {
	const char *id;
	int kind;  /* enum effect_kind */
	int state; /* enum effect_state */
	int party; /* enum party: whose mail; the lane of a mail */
	int64_t generation;
	int64_t sequence; /* iCalendar SEQUENCE at the time it was owed */
	int64_t created_at, due;
	int64_t give_up_at; /* 0: never */
	int64_t attempts;   /* begun: how often it was leased, lost leases included */
	const char *lease;  /* token of who performs it, NULL when nobody does */
	struct failure *last_error;

	/* meeting.create: a call may be under way, or its outcome was never learnt; `repeated`:
	 * that was so when it was claimed. */
	bool begun, repeated;
	int64_t tries;           /* failures at the present provider in a row */
	struct model_list tried; /* strings: providers that could not, in this round */
	struct model_list left;  /* struct effect_target: what others of them may have made */
	bool hope;               /* one of them may be able to later */
	int64_t wait_s;          /* and the first of those asks us to wait that long */

	int64_t starts_at, ends_at;   /* mails: the times that they tell */
	const char *provider;         /* mails: the provider that they name */
	struct effect_target *target; /* meeting.delete */
};

extern const char *const effect_kind_names[];
extern const char *const effect_state_names[];
extern const char *const party_names[];
extern const struct model effect_model;
extern const struct model failure_model;

/* How performing an effect went. */
struct effect_outcome {
	enum err err;          /* ERR_OK; mails: ERR_TEMPORARY or ERR_PERMANENT; calls of
				* providers: the classes of provider/provider.h */
	const char *detail;    /* of a failure, for people */
	int64_t retry_after_s; /* what the peer asked for; 0 = nothing */
	bool skipped;          /* nobody was asked: it had lost its point */
};

/* How long who has leased an effect may take: a process that dies costs this time. */
enum { EFFECT_LEASE_MS = 90 * 1000 };

/* How performing failed, remembered with the effect. */
void effect_note_failure(
	struct cause *cause, struct effect *effect, const struct effect_outcome *outcome);

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

/* The same for one effect that may run now; false when it may not. */
bool effect_claim_one(struct request *request, struct effect *effect, int64_t now,
	const char *lease, int64_t lease_ms);

/* Notes a failed attempt, and when the next one is: full-jitter backoff between first_s and max_s.
 * Gives up after ERR_PERMANENT, or when the next one would be too late. */
void effect_failed(struct cause *cause, struct effect *effect, const struct effect_outcome *outcome,
	int64_t first_s, int64_t max_s);
#endif
