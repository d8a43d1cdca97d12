#ifndef INCIDENT_H
#define INCIDENT_H
/*
 * Incidents: what is out of order and belongs to no request: a provider, the mail server, work that
 * nobody does. One small document for each target, however many hosts see it; it owes the mails
 * about itself, to each address of the policy's `alerts`: one when it has begun, one when it is
 * over, which says whether somebody has seen it in order since. Then it goes.
 */
#include "cause.h"
#include "err.h"
#include "instant.h"
#include "model.h"

enum incident_kind {
	INCIDENT_CREDENTIALS, /* refused */
	INCIDENT_AWAY,        /* does not answer, or with errors alone */
	INCIDENT_OVERDUE,     /* what is owed there waits longer than INCIDENT_OVERDUE_AFTER */
	INCIDENT_EXPIRING,    /* its credentials end within INCIDENT_EXPIRY_AHEAD */
};

/* A person has to be told of what waits for so long. */
#define INCIDENT_OVERDUE_AFTER (10 * INSTANT_MINUTE)

/* And this long before credentials end, by a target of its own: meanwhile the provider itself may
 * be out of order as well. */
#define INCIDENT_EXPIRY_AHEAD (30 * INSTANT_DAY)
#define INCIDENT_EXPIRY_OF    "expiry_" /* and the name of the provider */

/* That it is out of order, as a host sees it now. */
struct incident_sign {
	const char *target; /* the name of a provider, or of a queue; or INCIDENT_EXPIRY_OF … */
	enum incident_kind kind;
	int64_t since;
	const char *detail; /* for administrators, or NULL; INCIDENT_EXPIRING: the day */
};

struct incident_mail {
	const char *address;
	bool over;       /* says that it is over; else that it has begun */
	int64_t owed_at, /* ms */
		due;     /* the lease as well */
	int64_t attempts;
};

struct incident {
	const char *id; /* the target */
	int64_t rev;    /* of the stored document; 0 = not stored yet */
	int kind;       /* enum incident_kind */
	const char *detail;
	int64_t since, seen_at;
	int64_t well_at;        /* when it was seen to be in order, after seen_at; 0: not yet */
	int64_t told_at;        /* when the mails that it has begun were owed; 0: not yet */
	int64_t over_at;        /* 0: it goes on */
	struct model_list owed; /* struct incident_mail, of one address in order */
};

extern const struct model incident_model;

/* Takes a sign into account; `incident` is zeroed where there is none yet. False: it need not be
 * stored. */
bool incident_see(
	const struct cause *cause, struct incident *incident, const struct incident_sign *sign);

/* The same for who sees that it is in order; not for who knows nothing of it. */
bool incident_see_well(const struct cause *cause, struct incident *incident);

/* What time does to it: mails are owed. False: nothing. */
bool incident_tend(struct cause *cause, struct incident *incident);

/* Whether it can be forgotten. */
bool incident_is_done(const struct incident *incident);

/* Leases the first mail that may leave, or NULL. */
struct incident_mail *incident_claim(struct incident *incident, int64_t now);

/* How sending went: done, given up, or tried again later. */
void incident_sent(struct cause *cause, struct incident *incident, const struct incident_mail *mail,
	enum err err);
#endif
