#ifndef REQUEST_H
#define REQUEST_H
/*
 * The aggregate: a client's request to a lawyer, with its meeting, its audit events and the effects
 * it owes. Every rule is a function (request, input, cause) -> request: it changes the loaded copy
 * in place or refuses and leaves it to be thrown away. Strings of the inputs are borrowed.
 */
#include "audit.h"
#include "cause.h"
#include "effect.h"
#include "err.h"
#include "instant.h"
#include "meeting.h"
#include "model.h"
#include "policy.h"

enum request_status {
	REQUEST_OPEN,
	REQUEST_ACCEPTED,
	REQUEST_DECLINED,
	REQUEST_LAPSED, /* open until its time had passed */
	REQUEST_CANCELLED,
	REQUEST_COMPLETED,
};

struct person {
	const char *id, *name, *email;
	const char *timezone, *locale; /* may be NULL */
	int64_t undeliverable; /* since when mail to the address has come back; 0: it has not */
};

/* An answer given before, kept so that a repeat of the call gets the same one. */
struct request_answer {
	const char *key;   /* hash of caller, action, request and key */
	const char *input; /* hash of the body */
	int64_t status;
	const char *reply; /* sealed at rest: it may hold a join link; NULL: not kept any more */
	const char *tag;   /* its entity tag; NULL: not known, or not kept any more */
	int64_t until;     /* kept until then */
};

/* A message of a person's that did something, to know it again. */
struct reply_note {
	const char *digest;
	int64_t at;
	int party; /* enum party */
};

/* How long: under a key of the client's (API.md), or for a proxy that repeats a call by itself. */
#define REQUEST_ANSWER_KEPT        INSTANT_DAY
#define REQUEST_ANSWER_KEPT_REPEAT INSTANT_MINUTE

/* What a person was told by mail, or may have been: the invitation in that person's calendar. */
struct person_news {
	bool invited;       /* holds an invitation, or may */
	bool uncertain;     /* nobody knows whether the latest of what follows arrived */
	const char *thread; /* "<generation>.<sequence>" of the first that left, or may have */
	int64_t starts_at, ends_at, generation, sequence;
	const char *timezone, *provider;
	const char
		*facts; /* all that was told: told.h; sealed, for it has a digest of the passcode */
	struct model_list offsets; /* int64_t: how far, in seconds, the person's clock was said to
				    * be east of UTC at start and end; none: not known */
	struct model_list mailed;  /* int64_t: when mails left, the latest last; as many as count */
	int64_t changed_at;        /* when the last one left that said what has changed */
};

/* One of the two people, and what that person was told. */
struct side {
	struct person *person;
	struct person_news *news; /* NULL: nothing yet */
};

/* The time that a client asked for, where the lawyer accepted for another one. */
struct asked {
	int64_t starts_at, duration_minutes;
	const char *timezone;
};

struct proposal; /* proposal.h */

/* What it was when it was loaded or stored last, as far as a change wants to know. */
struct request_before {
	size_t events; /* of those at hand */
	int64_t starts_at, ends_at;
	const char *timezone;
	int64_t generation; /* 0: it had no meeting */
	const char *provider;
};

struct request {
	const char *id;
	int64_t rev; /* of the stored document; 0 = not stored yet */
	int status;  /* enum request_status */
	const char *title, *description;
	struct side side[PARTY_COUNT]; /* stored and shown as client, lawyer, client_news, … */
	int64_t starts_at, ends_at, duration_minutes;
	const char *timezone;
	struct asked *asked;       /* NULL: this is what was asked for */
	struct proposal *proposal; /* another time that the client asks for; or NULL */
	const char *message;       /* the lawyer's */
	const char *decision;      /* hash of the accepting input, to know an identical one */
	struct meeting *meeting;
	struct model_list meetings;  /* struct meeting: the ended generations, oldest first */
	struct audit_head *archived; /* what has moved into archives; NULL: nothing */
	/* What precedes `events`: the archived ones, or all where only the end was loaded. */
	struct audit_head before;
	struct model_list events;  /* struct audit_event */
	const char *audit_seal;    /* audit.h; the store makes it */
	struct model_list effects; /* struct effect */
	struct model_list answers; /* struct request_answer */
	struct model_list replies; /* struct reply_note: the latest, oldest first */
	struct model_list changes; /* int64_t: when people changed it within the last hour */
	/* Ids of others of its lawyer (overlap.h): which it overlaps, or which say that they
	 * overlap it; and those that it may overlap. */
	struct model_list overlaps, overlaps_allowed;
	/* For the indexes, as effect.h has them: the next due of all effects and of each queue
	 * (struct model_time), and the first that failed. */
	int64_t due, failed_at;
	struct model_list owed;
	struct model_list owes; /* strings: outbox_marks() */
	/* As agenda.h has them: the shelf of a list, when the request is over, or will be if
	 * nothing happens, and until when it waits for the client, the lawyer and an administrator,
	 * and has an open proposal (0: it does not).
	 */
	const char *shelf;
	int64_t over_at, client_until, lawyer_until, admin_until, proposed_until;
	/* Of what is shown: fingerprint.h; the store makes it. NULL: the version before stored it.
	 */
	const char *fingerprint;
	int64_t created_at, updated_at;
	struct request_before was; /* never stored; all zero: it is new */
};

extern const char *const request_status_names[];
extern const struct model person_model;
extern const struct model person_news_model;
extern const struct model request_model;

/* POST /api/requests */
struct request_draft {
	const char *title, *description;
	struct person *person[PARTY_COUNT];
	int64_t starts_at, duration_minutes;
	const char *timezone;
};
extern const struct model request_draft_model;

/* POST /api/requests/{id}/respond */
enum decision { DECISION_ACCEPT, DECISION_DECLINE };
extern const char *const decision_names[];
struct request_response {
	int decision; /* enum decision */
	int64_t starts_at, duration_minutes;
	const char *timezone, *provider, *message, *lawyer_email;
	bool allow_overlap;
};
extern const struct model request_response_model;

/* POST /api/requests/{id}/cancel */
struct request_cancellation {
	const char *reason;
};
extern const struct model request_cancellation_model;

/* POST /api/requests/{id}/meeting/regenerate */
struct meeting_regeneration {
	const char *reason, *provider;
	bool allow_overlap; /* of a cancelled one, whose time is taken again */
};
extern const struct model meeting_regeneration_model;

/* POST /api/requests/{id}/meeting/reschedule */
struct meeting_rescheduling {
	int64_t starts_at, duration_minutes;
	const char *timezone, *reason;
	bool allow_overlap;
};
extern const struct model meeting_rescheduling_model;

/* POST /api/requests/{id}/meeting/outcome */
struct meeting_verdict {
	int outcome; /* index into meeting_outcome_names */
};
extern const struct model meeting_verdict_model;

/* Notes what it is. */
void request_remember(struct request *request);

/* How a caller stands to a request. */
enum standing { STANDING_NONE, STANDING_CLIENT, STANDING_LAWYER, STANDING_ADMIN, STANDING_SERVICE };
enum standing request_standing(const struct request *request, const struct actor *actor);

/* Which of the two people the actor is; false for anybody else. */
bool request_party(const struct request *request, const struct actor *actor, enum party *party_r);

/* Whether the address of an open request's lawyer is the client's word alone. */
bool request_lawyer_is_claimed(const struct request *request);

/* ERR_INVALID for a start that has passed or lies more than five years ahead. */
enum err request_check_start(const struct cause *cause, int64_t starts_at, struct err_info *info);

/* A start, and how the audit trail names it. */
const char *request_start_text(struct cause *cause, int64_t instant);

/* A new open request under the given id. ERR_INVALID for a start that has passed or lies more than
 * five years ahead, and for one id or one address on both sides; ERR_FORBIDDEN when a client files
 * for somebody else. */
enum err request_open(struct cause *cause, const struct request_draft *draft, const char *id,
	struct request *request_r, struct err_info *info);

/*
 * The rules of THE COMMANDS. `input` is of the command's body model; *changed_r, true before, says
 * false when nothing is to be saved. Each refuses as command_check() says, and as said here.
 */
typedef enum err command_rule(struct cause *cause, struct request *request, const void *input,
	bool *changed_r, struct err_info *info);

/*
 * struct request_response: accepts (the meeting begins, its creation is owed) or declines (the
 * client is told). The same accept again changes nothing and is ERR_OK; any other answer to a
 * decided request is ERR_ALREADY_DECIDED. ERR_LAWYER_UNCONFIRMED: the lawyer's address is nothing
 * but the client's word; ERR_INVALID: the lawyer would get the client's.
 */
command_rule request_respond;

/* struct request_cancellation: cancels request and meeting. */
command_rule request_cancel;

/* struct request_cancellation: the meeting alone. The request stays accepted, and may get a new
 * link. */
command_rule request_cancel_meeting;

/* struct meeting_regeneration: a new link in place of the present one. ERR_TOO_MANY_GENERATIONS.
 * While the first is still being made only another provider is a reason: ERR_STILL_PENDING. */
command_rule request_regenerate;

/* struct meeting_rescheduling: new times, the same link. ERR_INVALID for a start that has passed or
 * is too far ahead. */
command_rule request_reschedule;

/* The meeting has another time, whoever decided it. */
struct move {
	int64_t starts_at, duration_minutes;
	const char *timezone, *reason;
	const char *detail; /* of the event; or NULL */
};
void request_move(struct cause *cause, struct request *request, const struct move *move);

/* Owes one thing again that was given up; false while what it would meet is being done. `effect` is
 * stale then. */
bool request_retry_effect(struct cause *cause, struct request *request, struct effect *effect);

/* No input: the creation that waits or was given up is tried again now, from the requested provider
 * on; and so is whatever else was given up (command_given_up()). */
command_rule request_retry;

/* struct meeting_verdict: how it went. */
command_rule request_note_outcome;

/* Its time is over: meeting expired, request completed. */
void request_complete(struct cause *cause, struct request *request);

/* The time asked for has come, which settles the effect: a request that is still open lapses, and
 * both people are told; but a lawyer whose address only the client has named is not written to. */
void request_lapse(struct cause *cause, struct request *request, struct effect *effect);

/* Idempotency: the kept answer under a key, or NULL; keeping one, and letting go of what nobody is
 * given any more. */
const struct request_answer *request_answer_find(
	const struct request *request, const char *key, int64_t now);
void request_answer_keep(
	struct cause *cause, struct request *request, const struct request_answer *answer);
void request_answer_forget(struct request *request, int64_t now);
#endif
