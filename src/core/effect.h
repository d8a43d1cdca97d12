#ifndef EFFECT_H
#define EFFECT_H
/*
 * Effects a request owes to the world: provider calls, mails, what subscribers are told. They are
 * stored with the change that owes them, leased while somebody performs them, and leave the
 * document when done.
 */
#include <stdbool.h>
#include <stdint.h>

#include "cause.h"
#include "err.h"
#include "instant.h"
#include "model.h"

struct request;

enum effect_kind {
#define EFFECT(name, ...) EFFECT_##name,
#include "effect_table.h"
#undef EFFECT
	EFFECT_KIND_COUNT
};

enum effect_state {
	EFFECT_DUE,    /* to be done at `due`, or leased until then */
	EFFECT_FAILED, /* given up; a person must act */
};

/* What went wrong last, in words a lawyer understands; never a secret. */
struct failure {
	const char *code, *detail, *provider;
	int64_t at;
};

/* A meeting at a provider that has to go. */
struct removal {
	const char *provider, *provider_key, *external_id, *account;
};

/* How far the making of a meeting has come. */
struct creation {
	/* A call may be under way, or its outcome was never learnt; `repeated`: that was so when it
	 * was claimed. */
	bool begun, repeated;
	int64_t tries;                /* failures at the present provider in a row */
	struct model_list tried;      /* strings: providers that could not, in this round */
	struct model_list maybe_made; /* struct removal: what others of them may have made */
	bool recoverable;             /* one of them may be able to later */
	int64_t wait_s;               /* and the first of those asks us to wait that long */
	const char *why;              /* the requested provider could not, when it was asked last */
};

/* A mail to one of the two people. */
struct mail {
	int party;                  /* enum party */
	int64_t starts_at, ends_at; /* the times that it tells, */
	const char *timezone;       /* the zone it tells them in, */
	const char *provider;       /* the provider that it names, */
	const char *facts;          /* and all that it shows: told.h; sealed */
	/* What the other person has answered: of attendance_names; another time (0: none), and in
	 * which words (may be NULL; sealed). The last two are also those of a proposal. */
	const char *attendance;
	int64_t proposed_at, proposed_until;
	const char *words;
	const char *letter;        /* id of the other person's letter, which is stored by itself */
	struct model_list offsets; /* as of person_news, once it has left; never stored here */
};

/* An event of the trail that subscribers are to be told of. */
struct announced {
	const char *id, *type;
	int64_t at;
	int64_t serial;       /* its place in the trail */
	struct model_list to; /* strings: the subscribers */
};

/* What other programs are to be told of one change. */
struct announcement {
	struct model_list events; /* struct announced */
	const char *view;         /* the request as it was then, JSON; sealed */
	const char *previous;     /* what a move or a new link replaced, JSON; or NULL */
};

struct effect {
	const char *id;
	int kind;  /* enum effect_kind */
	int state; /* enum effect_state */
	/* Of the meeting at the time it was owed; 0: there was none. */
	int64_t generation, sequence;
	int64_t created_at, due;
	int64_t give_up_at;   /* 0: never */
	int64_t attempts;     /* begun: how often it was leased, lost leases included */
	const char *lease;    /* token of who performs it, NULL when nobody does */
	const char *trace_id; /* X-Request-Id of the call that made it owed; or NULL */
	struct failure *last_error;

	/* What its kind carries; the others are NULL. */
	struct creation *creation;
	struct removal *removal;
	struct mail *mail;
	struct announcement *announcement;
};

/* By whom it is done: threads of each class, and in it of each provider, are their own, and so is
 * the index by which they find what is due. What hangs keeps nobody else waiting. */
enum effect_class {
	CLASS_LOCAL,    /* needs no network */
	CLASS_PROVIDER, /* asks a provider: a person waits for it, or a link has to die */
	CLASS_WATCH,    /* asks a provider, and nobody waits for it */
	CLASS_MAIL,
};
extern const char *const effect_class_names[];

enum effect_lane {
	LANE_ALONE,    /* waits for nothing but its time */
	LANE_PROVIDER, /* in order */
	LANE_PERSON,   /* in order, for each person */
	LANE_EVENTS,   /* in order */
};

/* What a mail does to the calendar of who gets it (RFC 5546). */
enum effect_calendar { CALENDAR_NONE, CALENDAR_REQUEST, CALENDAR_CANCEL };

/* What a mail's templates are told besides people, times and title. */
enum effect_tells {
	TELLS_MEETING = 1 << 0,   /* the link, and how to join */
	TELLS_CHANGES = 1 << 1,   /* what is not as the person was told before */
	TELLS_CANCELLER = 1 << 2, /* who cancelled */
	TELLS_ASKED = 1 << 3,     /* what was asked for, where it is not what was accepted */
	TELLS_TIME_LEFT = 1 << 4, /* how long it is until the start */
	TELLS_FAILURE = 1 << 5,   /* why there is no link */
	TELLS_ANSWER = 1 << 6,    /* what the other person has answered */
	TELLS_PROPOSAL = 1 << 7,  /* another time that the client asks for */
};

#define EFFECT_BY_POLICY INT64_C(-1)

/* A kind. */
struct effect_row {
	const char *words;               /* for people */
	size_t payload_at, payload_size; /* what it carries, in struct effect; size 0: nothing */
	enum effect_class class;
	enum effect_lane lane;
	const char *(*key)(const struct effect *effect); /* of the lane; NULL: it has none */
	bool without_meeting;                            /* it is of a request that may have none */
	bool needs_link;                                 /* waits while the meeting has no link */
	bool ends_with_link; /* has no point when another link takes the place of this one */
	/* Whether the meeting still is what it was owed for; NULL: it always has a point. */
	bool (*wanted)(const struct request *request, const struct effect *effect);
	int64_t give_up;   /* ms after it was owed; 0: never; or EFFECT_BY_POLICY */
	bool until_end;    /* and no later than `after_end` ms after the end of the meeting, */
	int64_t after_end; /* when it is too late for it */
	bool until_start;  /* has no point once the meeting has started */
	bool until_proposal_ends; /* nor once what the client proposed has ended by itself */
	bool notice;     /* a mail that tells, once, what is so at its time: no version of the
			  * invitation, and dropped when it is not so any more */
	bool to_claimed; /* goes to a lawyer's address, too, that only the client has named: without
			  * the client's own words then, for anybody may be behind it */
	bool written;    /* a mail that is stored as a whole, and has no templates */
	enum effect_calendar calendar;
	unsigned tells; /* set of enum effect_tells */
};

extern const struct effect_row effect_table[EFFECT_KIND_COUNT];
extern const char *const effect_kind_names[];
extern const char *const effect_state_names[];
extern const struct model effect_model;
extern const struct model failure_model;

static inline const struct effect_row *effect_row(const struct effect *effect)
{
	return &effect_table[effect->kind];
}

/* The name of its templates: "meeting_ready". For mails only. */
const char *effect_mail_name(const struct effect *effect);

/* Whether it has what its kind carries, and the meeting that it is about: rules take that for
 * granted. */
bool effect_is_whole(const struct request *request, const struct effect *effect);

/* How performing an effect went. */
struct effect_outcome {
	enum err err;          /* ERR_OK; mails: ERR_TEMPORARY or ERR_PERMANENT; calls of
				* providers: the classes of provider/provider.h */
	const char *detail;    /* of a failure, for people */
	int64_t retry_after_s; /* what the peer asked for; 0 = nothing */
	bool skipped;          /* nobody was asked: it had lost its point */
};

/* Somebody waits for a creation, which is performed on the request as it was loaded for that. */
struct effect_wait {
	struct arena *arena;     /* outlives the waiting */
	struct request *request; /* afterwards: as it is stored by then; NULL: not known */
	const struct config *config;
	const char *lease; /* of the creation: the waiting thread's */
	int64_t until_us;  /* clock_monotonic_us() */
	/* Adds to every write that settles it. */
	void (*settled)(void *data, struct cause *cause, struct request *request);
	void *data;
};

/* How long who has leased an effect may take: a process that dies costs this time. */
enum { EFFECT_LEASE_MS = 90 * 1000 };

/* Owes an effect from now on. Returns it, to be completed; stale after the next one is owed. */
struct effect *effect_owe(struct cause *cause, struct request *request, enum effect_kind kind);

/* When an effect that is owed now is given up; 0: never. */
int64_t effect_give_up_at(
	const struct cause *cause, const struct request *request, enum effect_kind kind);

/* NULL when there is none (any more). */
struct effect *effect_find(struct request *request, const char *id);

void effect_drop(struct request *request, const struct effect *effect);

/* Whether there is still a point in performing it: ERR_PERMANENT says why not, when it is too late
 * or its meeting has moved on since it was owed. */
enum err effect_check_wanted(const struct request *request, const struct effect *effect,
	int64_t now, struct err_info *info);

/* Whether somebody is performing it now: leased, and the lease is not over. */
bool effect_is_running(const struct effect *effect, int64_t now);

/* Whether nothing in its lane is to be done before it, and it has the link that it needs. What was
 * owed first is done first, but that a mail which waits for its time lets those pass that are due
 * sooner. Giving up on one frees the lane. */
bool effect_is_head(const struct request *request, const struct effect *effect);

/* Owes again what was given up; false where what comes after it in its lane is being performed. */
bool effect_again(const struct cause *cause, struct request *request, struct effect *effect);

/* The queue of a class, and of one provider where it asks one: "provider_zoom", "mail". */
const char *effect_queue_name(struct arena *arena, enum effect_class class, const char *provider);

/* The queue that an effect is in. */
const char *effect_queue(
	struct arena *arena, const struct request *request, const struct effect *effect);

/* When the earliest effect that may run is due; 0 when none is owed. */
int64_t effect_next_due(const struct request *request);

/* The same for each queue that it owes something: struct model_time, in the arena. */
struct model_list effect_owed(struct arena *arena, const struct request *request);

/* When the first of those failed that were given up; 0 when none was. */
int64_t effect_first_failed(const struct request *request);

/* Leases an effect under `lease` (borrowed) for lease_ms if it may run now: the first of its lane,
 * and due. An expired lease counts as due. */
bool effect_claim_one(struct request *request, struct effect *effect, int64_t now,
	const char *lease, int64_t lease_ms);

/* Gives back a lease under which nothing was begun: it is due at once. For no creation. */
void effect_give_back(struct effect *effect, int64_t now);

/* How performing failed, remembered with the effect. */
void effect_note_failure(
	struct cause *cause, struct effect *effect, const struct effect_outcome *outcome);

/* Notes a failed attempt, and when the next one is: full-jitter backoff between first_s and max_s.
 * Gives up after ERR_PERMANENT, or when the next one would be too late. */
void effect_failed(struct cause *cause, struct effect *effect, const struct effect_outcome *outcome,
	int64_t first_s, int64_t max_s);
#endif
