#include "incident.h"

#include <string.h>

#include "backoff.h"
#include "config.h"

/* What comes and goes by itself is no incident; and it is over when no host has seen it for a
 * while. Hosts need not say that they still see it more often than that. */
#define INCIDENT_PATIENCE (2 * INSTANT_MINUTE)
#define INCIDENT_QUIET    (3 * INSTANT_MINUTE)
#define INCIDENT_REFRESH  (30 * INSTANT_SECOND)

#define INCIDENT_LEASE   (90 * INSTANT_SECOND)
#define INCIDENT_GIVE_UP (3 * INSTANT_DAY)
/* Of what is over: as long as its mails are owed, the next one of its target is not noticed. */
#define INCIDENT_OVER_GIVE_UP INSTANT_HOUR

enum { INCIDENT_FIRST_S = 15, INCIDENT_MAX_S = 600 };

static const char *const incident_kind_names[] = {[INCIDENT_CREDENTIALS] = "credentials",
	[INCIDENT_AWAY] = "away",
	[INCIDENT_OVERDUE] = "overdue",
	[INCIDENT_EXPIRING] = "expiring",
	NULL};

#define MAIL(type, member, ...)                                                                    \
	MODEL_FIELD(struct incident_mail, member, type, MODEL_STORED | MODEL_REQUIRED)

static const struct model_field incident_mail_fields[] = {
	MAIL(MODEL_STRING, address),
	MAIL(MODEL_BOOL, over),
	MAIL(MODEL_INSTANT, owed_at),
	MAIL(MODEL_INSTANT, due),
	MAIL(MODEL_INT, attempts),
};

static const struct model incident_mail_model =
	MODEL(struct incident_mail, "mail", incident_mail_fields);

#define FIELD(type, member, flags, ...)                                                            \
	MODEL_FIELD(struct incident, member, type, MODEL_STORED | (flags), __VA_ARGS__)

static const struct model_field incident_fields[] = {
	FIELD(MODEL_STRING, id, MODEL_KEY),
	FIELD(MODEL_INT, rev, MODEL_REQUIRED),
	FIELD(MODEL_ENUM, kind, MODEL_REQUIRED, .names = incident_kind_names),
	FIELD(MODEL_STRING, detail, MODEL_SPARSE),
	FIELD(MODEL_INSTANT, since, MODEL_REQUIRED),
	FIELD(MODEL_INSTANT, seen_at, MODEL_REQUIRED),
	FIELD(MODEL_INSTANT, well_at, MODEL_SPARSE),
	FIELD(MODEL_INSTANT, told_at, MODEL_SPARSE),
	FIELD(MODEL_INSTANT, over_at, MODEL_SPARSE),
	FIELD(MODEL_LIST, owed, MODEL_SPARSE, .of = &incident_mail_model),
};

const struct model incident_model = MODEL(struct incident, "incident", incident_fields);

bool incident_see(
	const struct cause *cause, struct incident *incident, const struct incident_sign *sign)
{
	/* The mails of one that is over leave first: they tell of its times. */
	if (incident->over_at ||
		(incident->id && cause->now - incident->seen_at < INCIDENT_REFRESH))
		return false;
	if (!incident->id)
		*incident = (struct incident){.id = sign->target, .since = sign->since};
	/* People were told what it was then. */
	if (!incident->told_at) {
		incident->kind = sign->kind;
		incident->detail = sign->detail;
	}
	incident->seen_at = cause->now;
	incident->well_at = 0;
	return true;
}

bool incident_see_well(const struct cause *cause, struct incident *incident)
{
	if (!incident->id || incident->over_at || incident->well_at)
		return false;
	incident->well_at = cause->now;
	return true;
}

static void incident_owe(struct cause *cause, struct incident *incident, bool over)
{
	struct incident_mail *mail;

	MODEL_FOREACH (&cause->config->policy->alerts, const char *, address) {
		mail = model_list_add(cause->arena, &incident->owed, sizeof(*mail));
		*mail = (struct incident_mail){.address = *address,
			.over = over,
			.owed_at = cause->now,
			.due = cause->now};
	}
}

bool incident_tend(struct cause *cause, struct incident *incident)
{
	if (incident->over_at)
		return false;
	if (cause->now - incident->seen_at >= INCIDENT_QUIET) {
		incident->over_at = cause->now;
		/* Who ends the use of credentials, or their last day, knows it. */
		if (incident->told_at && (incident->well_at || incident->kind != INCIDENT_EXPIRING))
			incident_owe(cause, incident, true);
		return true;
	}
	if (incident->told_at || (incident->kind == INCIDENT_AWAY &&
					 cause->now - incident->since < INCIDENT_PATIENCE))
		return false;
	incident->told_at = cause->now;
	incident_owe(cause, incident, false);
	return true;
}

bool incident_is_done(const struct incident *incident)
{
	return incident->over_at && !incident->owed.count;
}

/* Whether nothing stands before it that the same address is to be told first. */
static bool incident_is_first(const struct incident *incident, const struct incident_mail *mail)
{
	MODEL_FOREACH (&incident->owed, struct incident_mail, before) {
		if (before == mail)
			return true;
		if (strcmp(before->address, mail->address) == 0)
			return false;
	}
	return true;
}

struct incident_mail *incident_claim(struct incident *incident, int64_t now)
{
	MODEL_FOREACH (&incident->owed, struct incident_mail, mail) {
		if (mail->due > now || !incident_is_first(incident, mail))
			continue;
		mail->due = now + INCIDENT_LEASE;
		mail->attempts++;
		return mail;
	}
	return NULL;
}

void incident_sent(struct cause *cause, struct incident *incident, const struct incident_mail *mail,
	enum err err)
{
	size_t i;

	for (i = 0; i < incident->owed.count; i++) {
		struct incident_mail *owed = MODEL_AT(&incident->owed, struct incident_mail, i);

		if (owed->over != mail->over || strcmp(owed->address, mail->address) != 0)
			continue;
		if (err == ERR_TEMPORARY && cause->now - owed->owed_at < INCIDENT_GIVE_UP &&
			(!incident->over_at ||
				cause->now - incident->over_at < INCIDENT_OVER_GIVE_UP))
			owed->due = cause->now + backoff_delay_ms(owed->attempts, INCIDENT_FIRST_S,
							 INCIDENT_MAX_S, 0,
							 cause_jitter(cause, BACKOFF_SPREAD));
		else
			model_list_remove(&incident->owed, sizeof(*owed), i);
		return;
	}
}
