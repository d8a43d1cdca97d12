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
	REQUEST_CANCELLED,
	REQUEST_COMPLETED,
};

struct person {
	const char *id, *name, *email;
	const char *timezone, *locale; /* may be NULL */
};

/* An answer given before, kept so that a repeat of the call gets the same one. */
struct request_answer {
	const char *key;   /* hash of caller, action and key */
	const char *input; /* hash of the body */
	int64_t status;
	const char *reply; /* sealed at rest: it may hold a join link; NULL: not kept any more */
	int64_t until;     /* kept until then */
};

/* How long: under a key of the client's (API.md), or for a proxy that repeats a call by itself. */
#define REQUEST_ANSWER_KEPT        INSTANT_DAY
#define REQUEST_ANSWER_KEPT_REPEAT INSTANT_MINUTE

/* What a person was told by mail, or may have been: the invitation in that person's calendar. */
struct person_news {
	bool told;
	const char *thread; /* "<generation>.<sequence>" of the first that left, or may have */
	int64_t starts_at, ends_at, generation;
	const char *provider;
};

struct request {
	const char *id;
	int64_t rev; /* of the stored document; 0 = not stored yet */
	int status;  /* enum request_status */
	const char *title, *description;
	struct person *client, *lawyer;
	int64_t starts_at, ends_at, duration_minutes;
	const char *timezone;
	const char *message;  /* the lawyer's */
	const char *decision; /* hash of the accepting input, to know an identical one */
	struct meeting *meeting;
	struct model_list meetings; /* struct meeting: the ended generations, oldest first */
	struct person_news *client_news, *lawyer_news; /* NULL: nothing yet */
	struct model_list events;                      /* struct audit_event */
	const char *audit_seal;                        /* audit.h; the store makes it */
	struct model_list effects;                     /* struct effect */
	struct model_list answers;                     /* struct request_answer */
	int64_t due; /* effect_next_due() as stored, for the index */
	int64_t created_at, updated_at;
};

extern const char *const request_status_names[];
extern const struct model person_news_model;
extern const struct model request_model;

/* POST /api/requests */
struct request_draft {
	const char *title, *description;
	struct person *client, *lawyer;
	int64_t starts_at, duration_minutes;
	const char *timezone;
};
extern const struct model request_draft_model;

/* POST /api/requests/{id}/respond */
enum decision { DECISION_ACCEPT, DECISION_DECLINE };
struct request_response {
	int decision; /* enum decision */
	int64_t starts_at, duration_minutes;
	const char *timezone, *provider, *message;
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
};
extern const struct model meeting_regeneration_model;

/* POST /api/requests/{id}/meeting/reschedule */
struct meeting_rescheduling {
	int64_t starts_at, duration_minutes;
	const char *timezone, *reason;
};
extern const struct model meeting_rescheduling_model;

/* POST /api/requests/{id}/meeting/outcome */
struct meeting_verdict {
	int outcome; /* index into meeting_outcome_names */
};
extern const struct model meeting_verdict_model;

/* How a caller stands to a request. */
enum standing { STANDING_NONE, STANDING_CLIENT, STANDING_LAWYER, STANDING_ADMIN, STANDING_SERVICE };
enum standing request_standing(const struct request *request, const struct actor *actor);

/* The person a mail or link is for. */
const struct person *request_person(const struct request *request, enum party party);

/* What that person was told, or NULL when nothing yet. */
const struct person_news *request_news(const struct request *request, enum party party);

/* A new open request under the given id. ERR_INVALID for a start that has passed or lies more than
 * five years ahead; ERR_FORBIDDEN when a client files for somebody else. */
enum err request_open(struct cause *cause, const struct request_draft *draft, const char *id,
	struct request *request_r, struct err_info *info);

/*
 * Accepts (the meeting begins, its creation is owed) or declines (the client is told).
 * The same accept again changes nothing and is ERR_OK with *changed_r false; any other answer to a
 * decided request is ERR_ALREADY_DECIDED.
 */
enum err request_respond(struct cause *cause, struct request *request,
	const struct request_response *response, const struct policy *policy, bool *changed_r,
	struct err_info *info);

/*
 * The commands on a decided request. Which is refused when, and with what error, is in
 * transition_table.h; beyond that ERR_MEETING_OVER once the time of the meeting has passed, and
 * what is said here.
 */

/* Cancels the request and its meeting. */
enum err request_cancel(struct cause *cause, struct request *request,
	const struct request_cancellation *cancellation, struct err_info *info);

/* Cancels the meeting alone: the request stays accepted, and may get a new link. */
enum err request_cancel_meeting(struct cause *cause, struct request *request,
	const struct request_cancellation *cancellation, struct err_info *info);

/* A new link in place of the present one. ERR_TOO_MANY_GENERATIONS. While the first is still being
 * made only another provider is a reason: ERR_STILL_PENDING. */
enum err request_regenerate(struct cause *cause, struct request *request,
	const struct meeting_regeneration *regeneration, const struct policy *policy,
	struct err_info *info);

/* New times, the same link. ERR_INVALID for a start that has passed or is too far ahead; times as
 * they are: *changed_r false. */
enum err request_reschedule(struct cause *cause, struct request *request,
	const struct meeting_rescheduling *rescheduling, const struct policy *policy,
	bool *changed_r, struct err_info *info);

/* The creation that waits or was given up is tried again now, from the requested provider on. */
enum err request_retry(struct cause *cause, struct request *request, const struct policy *policy,
	bool *changed_r, struct err_info *info);

/* How it went. ERR_NOT_STARTED before the start. */
enum err request_note_outcome(struct cause *cause, struct request *request,
	const struct meeting_verdict *verdict, bool *changed_r, struct err_info *info);

/* Its time is over: meeting expired, request completed. */
void request_complete(struct cause *cause, struct request *request);

/* Whether there is still a point in performing an effect: ERR_PERMANENT says why not, when it is
 * too late or its meeting has moved on since it was owed. */
enum err request_effect_wanted(const struct request *request, const struct effect *effect,
	int64_t now, struct err_info *info);

/* Idempotency: the kept answer under a key, or NULL; and keeping one. */
const struct request_answer *request_answer_find(
	const struct request *request, const char *key, int64_t now);
void request_answer_keep(
	struct cause *cause, struct request *request, const struct request_answer *answer);
#endif
