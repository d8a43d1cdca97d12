/* Signs -> incidents -> mails. */
#include "dispatch_alert.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "dispatch_periodic.h"
#include "dispatch_private.h"
#include "incident.h"
#include "log.h"
#include "provider.h"
#include "store_config.h"
#include "store_incident.h"
#include "xalloc.h"

enum { ALERT_POLL_S = 2, ALERT_LOOK_US = 5 * 1000 * 1000, ALERT_TRIES = 5 };

/* What has failed last and was not asked for so long may work again: nobody knows. (Credentials
 * that were refused do not become right by themselves.) */
#define ALERT_UNASKED INSTANT_HOUR

struct dispatch_alerts {
	const struct dispatch *dispatch;
	struct mail_transport *transport;
	struct dispatch_periodic *thread;
	int64_t looked_us; /* when it looked last; 0: never */
};

/* One look. */
struct alert_round {
	const struct dispatch *dispatch;
	struct arena *arena;
	struct cause cause;
	struct model_list incidents; /* struct incident, as stored */
};

/* ---- signs ---- */

/* What is seen of a target. */
enum alert_sight {
	ALERT_NOTHING, /* nobody has asked it */
	ALERT_WELL,
	ALERT_BAD, /* there is a sign */
};

/* What a breaker that is not closed says; false: nothing. */
static bool alert_breaker_sign(const struct alert_round *round, const struct breaker_health *health,
	const char *target, struct incident_sign *sign_r)
{
	if (health->state == BREAKER_CLOSED ||
		(health->state == BREAKER_HALF_OPEN && health->last_error != ERR_CREDENTIAL &&
			round->cause.now - health->last_error_at > ALERT_UNASKED))
		return false;
	*sign_r = (struct incident_sign){
		.target = target,
		.kind = health->last_error == ERR_CREDENTIAL ? INCIDENT_CREDENTIALS : INCIDENT_AWAY,
		.since = round->cause.now,
		.detail = arena_strdup(round->arena, health->last_error_detail),
	};
	return true;
}

/* Whether it has answered since the incident was seen last. */
static bool alert_has_answered(const struct breaker_health *health, const struct incident *incident)
{
	return health->state == BREAKER_CLOSED &&
	       (health->last_ok_at >= incident->seen_at ||
		       (health->last_error == ERR_PERMANENT &&
			       health->last_error_at >= incident->seen_at));
}

/* What waits in a queue for too long; false: nothing does. */
static bool alert_queue_sign(const struct alert_round *round, const char *queue, const char *target,
	struct incident_sign *sign_r)
{
	const struct store_due_search search = {
		.queue = queue, .now = round->cause.now - INCIDENT_OVERDUE_AFTER, .limit = 1};
	struct model_list found = {0};
	struct err_info info = {0};

	if (store_request_due(round->dispatch->store, round->arena, &search, &found, &info) !=
			ERR_OK ||
		!found.count)
		return false;
	*sign_r = (struct incident_sign){
		.target = target, .kind = INCIDENT_OVERDUE, .since = round->cause.now};
	MODEL_FOREACH (&MODEL_AT(&found, struct store_due, 0)->owed, struct model_time, time) {
		if (strcmp(time->name, queue) == 0)
			sign_r->since = time->at;
	}
	return true;
}

static enum alert_sight alert_see_provider(const struct alert_round *round,
	const struct provider *provider, const struct incident *incident,
	struct incident_sign *sign_r)
{
	const struct provider_call asked = {.arena = round->arena,
		.conf = round->dispatch->conf,
		.config = round->cause.config,
		.provider = provider,
		.breakers = round->dispatch->breakers,
		.now = round->cause.now};
	struct breaker_health health;

	if (provider->local || !config_enabled(round->cause.config, provider->name))
		return ALERT_NOTHING;
	provider_health(&asked, &health);
	if (alert_breaker_sign(round, &health, provider->name, sign_r) ||
		alert_queue_sign(round,
			effect_queue_name(round->arena, CLASS_PROVIDER, provider->name),
			provider->name, sign_r))
		return ALERT_BAD;
	return incident->id && (incident->kind == INCIDENT_OVERDUE ||
				       alert_has_answered(&health, incident))
		       ? ALERT_WELL
		       : ALERT_NOTHING;
}

/* Whether its credentials end before long. */
static enum alert_sight alert_see_expiry(const struct alert_round *round,
	const struct provider *provider, struct incident_sign *sign_r)
{
	const struct config *config = round->cause.config;
	char day[INSTANT_TEXT_SIZE];
	int64_t end;

	if (!config_enabled(config, provider->name) || !provider_end(config, provider, &end) ||
		!end)
		return ALERT_NOTHING;
	if (end - INCIDENT_EXPIRY_AHEAD > round->cause.now)
		return ALERT_WELL;
	instant_format(end, false, day);
	sign_r->kind = INCIDENT_EXPIRING;
	sign_r->since = round->cause.now;
	sign_r->detail = arena_strndup(round->arena, day, strlen("YYYY-MM-DD"));
	return ALERT_BAD;
}

/* The mail that it is in order says so by arriving. */
static enum alert_sight alert_see_mail(
	const struct alert_round *round, struct incident_sign *sign_r)
{
	const char *mail = effect_class_names[CLASS_MAIL];
	struct breaker_health health;

	breaker_read(round->dispatch->breakers, BREAKER_MAIL, round->cause.now, &health);
	return alert_breaker_sign(round, &health, mail, sign_r) ||
			       alert_queue_sign(round, mail, mail, sign_r)
		       ? ALERT_BAD
		       : ALERT_WELL;
}

static enum alert_sight alert_see_local(
	const struct alert_round *round, struct incident_sign *sign_r)
{
	const char *local = effect_class_names[CLASS_LOCAL];

	return alert_queue_sign(round, local, local, sign_r) ? ALERT_BAD : ALERT_WELL;
}

/* ---- incidents ---- */

/* NULL: there is none of that target. */
static struct incident *alert_find(const struct alert_round *round, const char *target)
{
	MODEL_FOREACH (&round->incidents, struct incident, incident) {
		if (strcmp(incident->id, target) == 0)
			return incident;
	}
	return NULL;
}

/* Another dispatcher may have been faster: then it has said what we would have. */
static bool alert_store(const struct alert_round *round, struct incident *incident)
{
	struct store *store = round->dispatch->store;
	struct err_info info = {0};

	if (incident_is_done(incident))
		return store_incident_remove(store, incident, &info) == ERR_OK;
	return store_incident_save(store, round->arena, incident, &info) == ERR_OK;
}

static void alert_log(const struct incident *incident, bool was_told)
{
	if (incident->told_at && !was_told && incident->kind == INCIDENT_EXPIRING)
		log_warning("%s: the credentials end on %s", incident->id, incident->detail);
	else if (incident->told_at && !was_told)
		log_warning("%s is out of order: %s", incident->id,
			incident->detail ? incident->detail : "what is owed there is overdue");
	if (incident->over_at && incident->told_at)
		log_info("%s %s", incident->id,
			incident->well_at ? "is in order again" : "may be in order again");
}

/* What a target has, with what is seen of it now. */
static void alert_tend(struct alert_round *round, struct incident *incident, enum alert_sight sight,
	const struct incident_sign *sign)
{
	const bool was_told = incident->told_at != 0;
	bool changed = false;

	if (sight == ALERT_BAD)
		changed = incident_see(&round->cause, incident, sign);
	else if (sight == ALERT_WELL)
		changed = incident_see_well(&round->cause, incident);
	if (!incident->id)
		return;
	changed |= incident_tend(&round->cause, incident);
	if (changed && alert_store(round, incident))
		alert_log(incident, was_told);
}

/* As it is stored, or zeroed. */
static struct incident *alert_of(const struct alert_round *round, const char *target)
{
	struct incident *incident = alert_find(round, target);

	return incident ? incident : arena_alloc(round->arena, sizeof(*incident));
}

static void alert_look(struct alert_round *round)
{
	const struct provider *const *provider;
	struct incident *incident;
	struct incident_sign sign;

	for (provider = provider_table; *provider; provider++) {
		incident = alert_of(round, (*provider)->name);
		alert_tend(round, incident, alert_see_provider(round, *provider, incident, &sign),
			&sign);
		sign.target =
			arena_printf(round->arena, INCIDENT_EXPIRY_OF "%s", (*provider)->name);
		alert_tend(round, alert_of(round, sign.target),
			alert_see_expiry(round, *provider, &sign), &sign);
	}
	alert_tend(round, alert_of(round, effect_class_names[CLASS_MAIL]),
		alert_see_mail(round, &sign), &sign);
	alert_tend(round, alert_of(round, effect_class_names[CLASS_LOCAL]),
		alert_see_local(round, &sign), &sign);
}

static enum err alert_load(struct alert_round *round)
{
	struct err_info info = {0};

	return store_incident_list(round->dispatch->store, round->arena, &round->incidents, &info);
}

/* What came of a mail, written into whatever the incident has become meanwhile. */
static void alert_settle(struct alert_round *round, const char *target,
	const struct incident_mail *sent, enum err err)
{
	struct incident *incident;
	int tries;

	for (tries = 0; tries < ALERT_TRIES && alert_load(round) == ERR_OK; tries++) {
		incident = alert_find(round, target);
		if (!incident)
			return;
		incident_sent(&round->cause, incident, sent, err);
		if (alert_store(round, incident))
			return;
	}
}

static enum err alert_send(struct alert_round *round, struct mail_transport *transport,
	const struct incident *incident, const struct incident_mail *mail)
{
	const struct dispatch *dispatch = round->dispatch;
	struct mail_message message;
	struct err_info info = {0};
	struct buf buf;
	enum err err;

	buf_init(&buf, MAIL_MAX_MESSAGE);
	err = dispatch_alert_compose(dispatch, round->arena, incident, mail,
		dispatch->conf->mail_alert_locale, &message, &buf, &info);
	if (err == ERR_OK)
		err = dispatch_mail_deliver(dispatch, transport, &message, &buf, &info);
	buf_fini(&buf);
	if (err != ERR_OK)
		log_warning("the alert about %s was not sent: %s", incident->id, info.detail);
	return err;
}

/* One mail, if one may leave: like any other it tries the server, or waits while it does not
 * answer. */
static bool alert_send_one(struct alert_round *round, struct mail_transport *transport)
{
	struct incident_mail *claimed, mail;
	struct incident copy;
	enum err err;

	if (dispatch_mail_limit(round->dispatch) == 0 || alert_load(round) != ERR_OK)
		return false;
	MODEL_FOREACH (&round->incidents, struct incident, incident) {
		claimed = incident_claim(incident, round->cause.now);
		if (!claimed)
			continue;
		mail = *claimed;
		if (!alert_store(round, incident))
			return true;
		copy = *incident;
		err = alert_send(round, transport, &copy, &mail);
		round->cause.now = clock_now_ms();
		alert_settle(round, copy.id, &mail, err);
		return true;
	}
	return false;
}

/* ---- the thread ---- */

/* Looking costs a search for each queue, so it is done less often than mails are sent. */
static bool alert_is_to_look(struct dispatch_alerts *alerts)
{
	const int64_t now = clock_monotonic_us();

	if (alerts->looked_us && now - alerts->looked_us < ALERT_LOOK_US)
		return false;
	alerts->looked_us = now;
	return true;
}

static bool alert_work(void *data, const atomic_bool *stopping)
{
	struct dispatch_alerts *alerts = data;
	struct alert_round round = {.dispatch = alerts->dispatch, .arena = arena_new()};
	struct err_info info = {0};
	struct config *config;
	bool more = false;

	(void)stopping; /* one incident is soon done with */
	round.cause = (struct cause){
		.arena = round.arena, .now = clock_now_ms(), .source = SOURCE_DISPATCHER};
	id_seed(round.cause.seed, sizeof(round.cause.seed));
	if (store_config_load(alerts->dispatch->store, round.arena, &config, &info) == ERR_OK &&
		alert_load(&round) == ERR_OK &&
		(config->policy->alerts.count || round.incidents.count)) {
		round.cause.config = config;
		if (alert_is_to_look(alerts))
			alert_look(&round);
		more = alert_send_one(&round, alerts->transport);
	}
	arena_free(&round.arena);
	return more;
}

enum err dispatch_alerts_start(
	const struct dispatch *dispatch, struct dispatch_alerts **alerts_r, struct err_info *info)
{
	struct dispatch_alerts *alerts = xcalloc(1, sizeof(*alerts));
	enum err err = dispatch_mail_open(dispatch, &alerts->transport, info);

	alerts->dispatch = dispatch;
	if (err == ERR_OK) {
		alerts->thread = dispatch_periodic_start(alert_work, alerts, ALERT_POLL_S);
		if (!alerts->thread)
			err = err_set(info, ERR_INTERNAL, "A thread cannot be started.");
	}
	if (err != ERR_OK)
		dispatch_alerts_stop(&alerts);
	*alerts_r = alerts;
	return err;
}

void dispatch_alerts_stop(struct dispatch_alerts **alerts)
{
	if (!*alerts)
		return;
	dispatch_periodic_stop(&(*alerts)->thread);
	mail_transport_close(&(*alerts)->transport);
	free(*alerts);
	*alerts = NULL;
}
