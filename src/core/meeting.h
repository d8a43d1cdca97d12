#ifndef MEETING_H
#define MEETING_H
/* The meeting of a request: one generation of its link. */
#include "effect.h"
#include "model.h"
#include "policy.h"

enum meeting_status {
	MEETING_PENDING, /* accepted, no link yet */
	MEETING_READY,
	MEETING_FAILED, /* gave up; a person must act */
	MEETING_CANCELLED,
	MEETING_EXPIRED,
	MEETING_REPLACED,
};

/* What people should know of a meeting. `code` is of the API; these are ours, the others of those
 * who speak with a provider. */
struct warning {
	const char *code, *detail;
};

#define WARNING_FAILOVER        "provider_failover"
#define WARNING_NOT_UPDATED     "provider_not_updated"
#define WARNING_ORPHAN          "provider_orphan"
#define WARNING_CLIENT_NOT_TOLD "client_not_told"
#define WARNING_LAWYER_NOT_TOLD "lawyer_not_told"
#define WARNING_OVERLAPS        "overlaps" /* hidden from the client: it names another's */

/* A report of the provider's, to know it again. */
struct meeting_report {
	const char *digest;
	int64_t at;
	bool looked; /* it was a reason to look at the provider */
};

/* How often a link was used, as far as the audit trail has it. */
struct link_uses {
	int64_t count, last_at;
};

/* Whose link: that of a party, with its number, or the one that makes the lawyer the host. */
enum link_use {
	LINK_CLIENT = PARTY_CLIENT,
	LINK_LAWYER = PARTY_LAWYER,
	LINK_HOST = PARTY_COUNT,
	LINK_USES,
};

struct calendar_links;

/* Whether the two people will come, as far as they have said. */
enum attendance_state {
	ATTENDANCE_UNKNOWN,
	ATTENDANCE_ACCEPTED,
	ATTENDANCE_TENTATIVE,
	ATTENDANCE_DECLINED,
};

struct attendance {
	int state[PARTY_COUNT];  /* enum attendance_state */
	int64_t at[PARTY_COUNT]; /* when it was said, by the clock of who said it; 0: it was not */
};

struct meeting {
	const char *id; /* the same for every generation; the calendar UID is made of it */
	int64_t generation;
	int status; /* enum meeting_status */
	const char *provider, *requested_provider;
	/* Our identity for the provider, random, stored before the first call. */
	const char *provider_key;
	const char *external_id;   /* the provider's identity for it; NULL: none, or not known */
	const char *external_mark; /* a keyed hash of it, to find it by; the store makes it */
	const char *account;       /* the provider's account that made it; sealed, like the id: with
				    * some providers the two are the link */
	const char *provider_url;  /* where the gate leads; sealed at rest */
	const char *join_url;      /* the caller's own gate link; never stored */
	const char *passcode;      /* sealed at rest */
	struct model_list dial_in; /* strings */
	int64_t starts_at, ends_at;
	const char *timezone;
	int64_t opens_at, expires_at;
	int64_t changes_until;  /* how long the client may cancel or propose; 0: until the end */
	bool direct;            /* links lead to the provider at once, not to the gate */
	const char *direct_url; /* and this is where: provider_url; sealed at rest */
	struct security *security;
	struct model_list warnings; /* struct warning */
	struct failure *last_error;
	int64_t attempts, next_attempt_at;
	const char *change_reason; /* of the last reschedule */
	const char *ended_reason;
	const char *outcome; /* meeting_outcome_names, or NULL */
	struct attendance *attendance;
	const char *calendar_url;               /* never stored */
	struct calendar_links *add_to_calendar; /* the caller's own; never stored */
	int64_t sequence;                       /* iCalendar SEQUENCE */
	int64_t created_at, ready_at, ended_at;
	int64_t held_from, held_until;     /* as the provider reports; 0: not reported */
	struct model_list reported;        /* int64_t: events by enum report_kind */
	struct model_list reports;         /* struct meeting_report: the latest, oldest first */
	struct link_uses *uses[LINK_USES]; /* of this generation's links; NULL: none */
};

extern const char *const meeting_status_names[];
extern const char *const meeting_outcome_names[];
extern const char *const attendance_names[]; /* NULL-terminated, by enum attendance_state */
extern const struct model meeting_model;
extern const struct model link_uses_model;

/* What a provider made. */
struct meeting_link {
	const char *url; /* never NULL of one that was made; of an update, NULL: as before */
	const char *external_id, *account;
	const char *passcode;
	struct model_list dial_in;  /* strings */
	struct model_list warnings; /* struct warning */
};

/* The first generation for an accepted request: pending, its creation owed. */
void meeting_begin(struct cause *cause, struct request *request, const char *provider);

/* The next generation: the present one goes to the history, dead at the provider and at the gate;
 * the calendar's UID stays. */
void meeting_replace(
	struct cause *cause, struct request *request, const char *provider, const char *reason);

/* The request has new times: so has its meeting, here, at the provider and in the calendars. */
void meeting_move(struct cause *cause, struct request *request);

/* The provider has lost it: it is made anew behind the same links of ours. */
void meeting_remake(struct cause *cause, struct request *request);

/* A provider has made it: ready, and the invitations are owed. */
void meeting_made(struct cause *cause, struct request *request, const struct meeting_link *link);

/* What the provider grants of it now. */
void meeting_set_granted(
	struct cause *cause, struct request *request, const struct meeting_link *link);

/* Who did not come, as its outcome says; false: nobody is said not to have come. */
bool meeting_missed_by(const struct meeting *meeting, enum party *party_r);

/* Of a meeting that nobody has answered: the lawyer's own entry says ACCEPTED when it is sent. */
struct attendance *meeting_unanswered(struct arena *arena);

/* The UID of its calendar entry. */
char *meeting_uid(struct arena *arena, const struct meeting *meeting);

/* The detail of a warning, or NULL. */
const char *meeting_warning(const struct meeting *meeting, const char *code);

/* The warnings that somebody of that role is shown. */
struct model_list meeting_warnings_for(
	struct arena *arena, const struct meeting *meeting, enum role role);

/* Takes away telephone numbers that the policy does not let anybody know any more, and says so. */
void meeting_withhold(struct cause *cause, struct request *request);

/* What went wrong at the meeting's provider is over; what went wrong at another stays to be seen
 * while it is why the meeting is not at the one that was asked for. */
void meeting_forgive(struct meeting *meeting);

/* Notes a warning, in place of an earlier one with that code; without detail takes it away. */
void meeting_warn(
	struct cause *cause, struct meeting *meeting, const char *code, const char *detail);

/* Ends the meeting as cancelled, and owes the news to those who were, or may have been, told. */
void meeting_cancel(struct cause *cause, struct request *request, const char *reason);

/* Its time is over: the link is closed, at the provider too. */
void meeting_expire(struct cause *cause, struct request *request);

void meeting_set_status(struct cause *cause, struct request *request, enum meeting_status status,
	const char *action, const char *detail);

/* Owes that what was, or may have been, made under a provider and key of ours is deleted there.
 * `removals` are struct removal. */
void meeting_owe_removal(
	struct cause *cause, struct request *request, const struct removal *removal);
void meeting_owe_removals(
	struct cause *cause, struct request *request, const struct model_list *removals);

/* Owes its creation, and that it is compared with what the provider has. */
struct effect *meeting_owe_creation(struct cause *cause, struct request *request);
void meeting_owe_verification(struct cause *cause, struct request *request);

/* Owes that the provider is told the present times: once, however often they changed. */
void meeting_owe_update(struct cause *cause, struct request *request);

/* The first effect of a kind, or NULL. */
struct effect *meeting_effect(const struct request *request, enum effect_kind kind);

/* The creation of the present generation, or NULL. That of an ended one may still be under way. */
struct effect *meeting_creation(const struct request *request);
#endif
