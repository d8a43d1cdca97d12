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

struct warning {
	const char *code, *detail;
};

struct meeting {
	const char *id; /* the same for every generation; the calendar UID is made of it */
	int64_t generation;
	int status; /* enum meeting_status */
	const char *provider, *requested_provider;
	/* Our identity for the provider, random, stored before the first call. */
	const char *provider_key;
	const char *provider_url;  /* where the gate leads; sealed at rest */
	const char *join_url;      /* the caller's own gate link; never stored */
	const char *passcode;      /* sealed at rest */
	struct model_list dial_in; /* strings */
	int64_t starts_at, ends_at;
	const char *timezone;
	int64_t opens_at, expires_at;
	struct security *security;
	struct model_list warnings; /* struct warning */
	struct failure *last_error;
	int64_t attempts, next_attempt_at;
	const char *ended_reason, *outcome;
	const char *calendar_url; /* never stored */
	int64_t sequence;         /* iCalendar SEQUENCE */
	int64_t created_at, ready_at, ended_at;
};

extern const char *const meeting_status_names[];
extern const struct model meeting_model;

/* What a provider made. */
struct meeting_link {
	const char *url; /* never NULL: a meeting without a link is not made */
	const char *passcode;
	struct model_list dial_in;  /* strings */
	struct model_list warnings; /* struct warning */
};

/* The first generation for an accepted request, pending, its creation owed. */
void meeting_begin(struct cause *cause, struct request *request, const struct policy *policy,
	const char *provider);

/* The provider has made it: ready, and the invitations are owed. */
void meeting_made(struct cause *cause, struct request *request, const struct meeting_link *link);

/* An attempt failed. The meeting has failed too when the effect was given up. */
void meeting_attempt_failed(struct cause *cause, struct request *request,
	const struct effect *effect, const struct effect_outcome *outcome);

/* Ends the meeting as cancelled, and owes the news to those who were, or may have been, told. */
void meeting_cancel(struct cause *cause, struct request *request, const char *reason);
#endif
