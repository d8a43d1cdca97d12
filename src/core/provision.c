#include "provision.h"

#include <string.h>

#include "audit.h"
#include "backoff.h"
#include "config.h"
#include "news.h"
#include "notice.h"

/* Calls of one provider in a row before the next one is asked (PROVIDERS.md section 8), and how
 * long the second waits at most. What asks us to wait longer is left at once. */
enum { PROVISION_TRIES = 2, PROVISION_PAUSE_S = 1 };

/* How often a meeting that is being made is looked at: after 1, 2, 4, 8 and 16 s, about a minute
 * with the time that the calls take (PROVIDERS.md section 1.2). */
enum { PROVISION_POLLS = 6 };

/* When a comparison that failed is repeated. */
#define PROVISION_VERIFY_RETRY (15 * INSTANT_MINUTE)

static struct removal provision_removal(const struct meeting *meeting)
{
	return (struct removal){
		.provider = meeting->provider, .provider_key = meeting->provider_key};
}

/* The provider and key a creation of that generation worked with. */
static struct removal provision_removal_of(
	const struct request *request, const struct effect *effect)
{
	MODEL_FOREACH (&request->meetings, struct meeting, ended) {
		if (ended->generation == effect->generation)
			return provision_removal(ended);
	}
	return provision_removal(request->meeting);
}

/* A failure for the trail, in words of ours: people read it. */
static const char *provision_told(
	struct cause *cause, const char *what, const struct effect_outcome *outcome)
{
	char words[CLEAN_SIZE];

	if (!outcome->detail || !outcome->detail[0])
		return arena_printf(cause->arena, "%s: %s", what, err_code(outcome->err));
	clean_text(outcome->detail, strlen(outcome->detail), words);
	return arena_printf(cause->arena, "%s: %s: %s", what, err_code(outcome->err), words);
}

static void provision_note_failure(
	struct cause *cause, struct request *request, const struct effect_outcome *outcome)
{
	struct meeting *meeting = request->meeting;

	meeting->last_error = arena_alloc(cause->arena, sizeof(struct failure));
	*meeting->last_error = (struct failure){
		.code = err_code(outcome->err),
		.detail = outcome->detail,
		.provider = meeting->provider,
		.at = cause->now,
	};
	request->updated_at = cause->now;
	audit_add_bounded(cause, request, "provider.attempt_failed", NULL, NULL,
		provision_told(cause, meeting->provider, outcome));
}

static bool provision_may_be_made(const struct effect_outcome *outcome)
{
	return outcome->err == ERR_OUTCOME_UNKNOWN || outcome->err == ERR_STILL_PENDING;
}

/* The answer comes too late: the request has moved on. */
static void provision_discard(struct cause *cause, struct request *request, struct effect *effect,
	const struct effect_outcome *outcome, const struct meeting_link *link)
{
	struct removal removal = provision_removal_of(request, effect);
	const struct creation creation = *effect->creation;
	bool made = provision_may_be_made(outcome) || creation.repeated;

	if (outcome->err == ERR_OK) {
		removal.external_id = link->external_id;
		removal.account = link->account;
		made = link->external_id != NULL;
	}
	effect_drop(request, effect);
	if (made)
		meeting_owe_removal(cause, request, &removal);
	meeting_owe_removals(cause, request, &creation.maybe_made);
}

static bool provision_was_tried(const struct creation *creation, const char *provider)
{
	MODEL_FOREACH (&creation->tried, const char *, tried) {
		if (strcmp(*tried, provider) == 0)
			return true;
	}
	return false;
}

/* The next provider in the policy's order that has not been asked in this round, or NULL. Where
 * there is failover at all, the default provider is the last resort of who wanted another. */
static const char *provision_next(const struct creation *creation, const struct policy *policy)
{
	MODEL_FOREACH (&policy->failover, const char *, name) {
		if (!provision_was_tried(creation, *name))
			return *name;
	}
	return policy->failover.count && !provision_was_tried(creation, policy->default_provider)
		       ? policy->default_provider
		       : NULL;
}

/* The key to ask a provider with: the one under which it may have made the meeting in an earlier
 * round, or else a new one. */
static void provision_take_key(struct cause *cause, struct meeting *meeting,
	struct creation *creation, const char *provider)
{
	size_t i;

	meeting->provider = provider;
	meeting->provider_key = NULL;
	for (i = creation->maybe_made.count; i-- > 0;) {
		const struct removal *made = MODEL_AT(&creation->maybe_made, struct removal, i);

		if (strcmp(made->provider, provider) != 0)
			continue;
		meeting->provider_key = made->provider_key;
		model_list_remove(&creation->maybe_made, sizeof(*made), i);
	}
	creation->begun = meeting->provider_key != NULL;
	if (!creation->begun)
		meeting->provider_key = cause_id(cause);
}

/* Goes on with another provider. What the one before may have made stays known, until its turn
 * comes again or it is not needed any more. */
static void provision_switch(struct cause *cause, struct request *request,
	struct creation *creation, const char *provider, const char *why)
{
	struct meeting *meeting = request->meeting;

	if (why)
		audit_add_bounded(
			cause, request, "provider.failed_over", meeting->provider, provider, why);
	if (creation->begun)
		*(struct removal *)model_list_add(cause->arena, &creation->maybe_made,
			sizeof(struct removal)) = provision_removal(meeting);
	provision_take_key(cause, meeting, creation, provider);
	creation->repeated = false;
	creation->tries = 0;
}

/* A key under which something may have been made is deleted, so it is not used again. */
static void provision_give_up(struct cause *cause, struct request *request, struct effect *effect)
{
	const struct removal removal = provision_removal(request->meeting);
	const struct creation creation = *effect->creation;

	effect->state = EFFECT_FAILED;
	effect->creation->begun = false;
	effect->creation->maybe_made = (struct model_list){0};
	request->meeting->next_attempt_at = 0;
	meeting_set_status(cause, request, MEETING_FAILED, "meeting.failed",
		arena_printf(cause->arena, "%s: %s", removal.provider,
			request->meeting->last_error->code));
	if (creation.begun) {
		request->meeting->provider_key = cause_id(cause);
		meeting_owe_removal(cause, request, &removal);
	}
	meeting_owe_removals(cause, request, &creation.maybe_made);
	news_owe_failure(cause, request);
}

static void provision_begin_round(struct creation *creation)
{
	creation->tries = 0;
	creation->recoverable = false;
	creation->tried = (struct model_list){0};
}

/* Every provider has been asked: later again, from the requested one on. */
static void provision_end_round(struct cause *cause, struct request *request, struct effect *effect)
{
	const struct policy_retry *retry = cause->config->policy->retry;
	struct creation *creation = effect->creation;
	const int64_t rounds = (effect->attempts + PROVISION_TRIES - 1) / PROVISION_TRIES;
	struct meeting *meeting = request->meeting;
	int64_t delay_ms;

	if (!creation->recoverable || cause->now >= effect->give_up_at) {
		provision_give_up(cause, request, effect);
		return;
	}
	delay_ms = backoff_delay_ms(rounds, retry->first_s, retry->max_s, creation->wait_s,
		cause_jitter(cause, BACKOFF_SPREAD));
	effect->due = instant_earlier(cause->now + delay_ms, effect->give_up_at);
	provision_begin_round(creation);
	meeting->next_attempt_at = effect->due;
	if (strcmp(meeting->provider, meeting->requested_provider) != 0)
		provision_switch(cause, request, creation, meeting->requested_provider, NULL);
}

/* Whether the same provider is asked again before any other one. */
static bool provision_stays(const struct creation *creation, const struct effect_outcome *outcome)
{
	switch (outcome->err) {
	case ERR_STILL_PENDING:
		return creation->tries < PROVISION_POLLS;
	case ERR_TEMPORARY:
	case ERR_OUTCOME_UNKNOWN:
		return creation->tries < PROVISION_TRIES &&
		       outcome->retry_after_s <= PROVISION_PAUSE_S;
	default:
		return false;
	}
}

static void provision_failed(struct cause *cause, struct request *request, struct effect *effect,
	const struct effect_outcome *outcome)
{
	struct creation *creation = effect->creation;
	struct meeting *meeting = request->meeting;
	const char *next;

	effect_note_failure(cause, effect, outcome);
	provision_note_failure(cause, request, outcome);
	if (strcmp(meeting->provider, meeting->requested_provider) == 0)
		creation->why = outcome->detail;
	/* Only success tells what became of an earlier one. */
	creation->begun = provision_may_be_made(outcome) || creation->repeated;
	if (outcome->err != ERR_PERMANENT &&
		(!creation->recoverable || outcome->retry_after_s < creation->wait_s))
		creation->wait_s = outcome->retry_after_s;
	creation->recoverable |= outcome->err != ERR_PERMANENT;
	creation->tries++;
	if (provision_stays(creation, outcome)) {
		/* An unknown outcome is looked up at once: the answer may just have been late. */
		effect->due = cause->now;
		if (outcome->err == ERR_STILL_PENDING)
			effect->due += INSTANT_SECOND << (creation->tries - 1);
		else if (outcome->err == ERR_TEMPORARY)
			effect->due += backoff_delay_ms(1, PROVISION_PAUSE_S, PROVISION_PAUSE_S,
				outcome->retry_after_s, cause_jitter(cause, BACKOFF_SPREAD));
		meeting->next_attempt_at = effect->due;
		return;
	}
	*(const char **)model_list_add(cause->arena, &creation->tried, sizeof(const char *)) =
		meeting->provider;
	next = provision_next(creation, cause->config->policy);
	if (!next) {
		provision_end_round(cause, request, effect);
		return;
	}
	effect->due = cause->now;
	meeting->next_attempt_at = effect->due;
	provision_switch(cause, request, creation, next, err_code(outcome->err));
}

void provision_created(struct cause *cause, struct request *request, struct effect *effect,
	const struct effect_outcome *outcome, const struct meeting_link *link)
{
	struct meeting *meeting = request->meeting;
	struct model_list maybe_made;
	const char *why;
	int64_t sequence;

	if (!effect_row(effect)->wanted(request, effect)) {
		provision_discard(cause, request, effect, outcome, link);
		return;
	}
	request->meeting->attempts = effect->attempts;
	/* Too late, and nobody was asked. */
	if (outcome->skipped) {
		effect->creation->begun = effect->creation->repeated;
		effect_note_failure(cause, effect, outcome);
		provision_note_failure(cause, request, outcome);
		provision_give_up(cause, request, effect);
		return;
	}
	if (outcome->err != ERR_OK) {
		provision_failed(cause, request, effect, outcome);
		return;
	}
	sequence = effect->sequence;
	maybe_made = effect->creation->maybe_made;
	why = effect->creation->why;
	effect_drop(request, effect);
	meeting_made(cause, request, link);
	if (why && why[0] && strcmp(meeting->provider, meeting->requested_provider) != 0)
		meeting_warn(cause, meeting, WARNING_FAILOVER,
			arena_printf(cause->arena, "%s was used, because %s could not. %s",
				meeting->provider, meeting->requested_provider, why));
	/* It may have been made, by this call or one before, with the times of then. */
	if (sequence < request->meeting->sequence && link->external_id)
		meeting_owe_update(cause, request);
	meeting_owe_removals(cause, request, &maybe_made);
}

static void provision_retry_later(
	struct cause *cause, struct effect *effect, const struct effect_outcome *outcome)
{
	const struct policy_retry *retry = cause->config->policy->retry;

	effect_failed(cause, effect, outcome, retry->first_s, retry->max_s);
}

void provision_updated(struct cause *cause, struct request *request, struct effect *effect,
	const struct effect_outcome *outcome, const struct meeting_link *link)
{
	if (!effect_row(effect)->wanted(request, effect)) {
		effect_drop(request, effect);
		return;
	}
	if (outcome->err == ERR_OK) {
		effect_drop(request, effect);
		meeting_set_granted(cause, request, link);
		news_owe_change(cause, request);
		meeting_forgive(request->meeting);
		request->updated_at = cause->now;
		return;
	}
	if (outcome->err == ERR_GONE) {
		effect_drop(request, effect);
		meeting_remake(cause, request);
		return;
	}
	provision_retry_later(cause, effect, outcome);
	provision_note_failure(cause, request, outcome);
	meeting_warn(cause, request->meeting, WARNING_NOT_UPDATED,
		effect->state == EFFECT_FAILED
			? arena_printf(cause->arena,
				  "%s does not have the latest time and settings: %s Retry, or "
				  "change them there.",
				  request->meeting->provider, outcome->detail)
			: arena_printf(cause->arena,
				  "%s does not have the latest time and settings yet.",
				  request->meeting->provider));
}

void provision_deleted(struct cause *cause, struct request *request, struct effect *effect,
	const struct effect_outcome *outcome)
{
	const char *provider = effect->removal->provider;

	if (outcome->err == ERR_OK || outcome->err == ERR_GONE) {
		audit_add(cause, request, "provider.orphan_deleted", NULL, NULL, provider);
		effect_drop(request, effect);
		if (!meeting_effect(request, EFFECT_MEETING_DELETE))
			meeting_warn(cause, request->meeting, WARNING_ORPHAN, NULL);
		return;
	}
	provision_retry_later(cause, effect, outcome);
	audit_add_bounded(cause, request, "provider.attempt_failed", NULL, NULL,
		provision_told(cause, arena_printf(cause->arena, "%s: delete", provider), outcome));
	meeting_warn(cause, request->meeting, WARNING_ORPHAN,
		arena_printf(cause->arena, "%s may still have a meeting that has ended here; %s.",
			provider,
			effect->state == EFFECT_FAILED ? "it has to be deleted there by hand"
						       : "it is being deleted"));
}

/* What could not be changed there was changed by somebody else. */
static void provision_forget_update(
	struct cause *cause, struct request *request, const struct effect *update)
{
	effect_drop(request, update);
	meeting_warn(cause, request->meeting, WARNING_NOT_UPDATED, NULL);
	meeting_forgive(request->meeting);
}

void provision_verified(struct cause *cause, struct request *request, struct effect *effect,
	const struct effect_outcome *outcome, const struct provision_state *state)
{
	const struct meeting *meeting = request->meeting;
	const struct effect *update;
	struct effect *next;
	bool moved;

	if (!effect_row(effect)->wanted(request, effect) || meeting->ends_at <= cause->now) {
		effect_drop(request, effect);
		return;
	}
	effect_drop(request, effect);
	if (outcome->err == ERR_GONE) {
		meeting_remake(cause, request);
		return;
	}
	meeting_owe_verification(cause, request);
	/* What the version before made ready knows of no reminders. */
	if (!meeting_effect(request, EFFECT_MEETING_NOTICE))
		notice_plan(cause, request);
	if (outcome->err != ERR_OK) {
		next = meeting_effect(request, EFFECT_MEETING_VERIFY);
		next->due = instant_earlier(next->due, cause->now + PROVISION_VERIFY_RETRY);
		return;
	}
	meeting_withhold(cause, request);
	update = meeting_effect(request, EFFECT_MEETING_UPDATE);
	/* What is being updated may well be seen half done. */
	if (update && update->state == EFFECT_DUE)
		return;
	moved = (state->starts_at && state->starts_at != meeting->starts_at) ||
		(state->ends_at && state->ends_at != meeting->ends_at);
	if (!moved && !state->settings_differ) {
		if (update && state->starts_at && state->ends_at)
			provision_forget_update(cause, request, update);
		return;
	}
	audit_add(cause, request, "provider.drift_repaired", NULL, NULL,
		moved ? "moved" : "settings");
	meeting_owe_update(cause, request);
}

void provision_expired(struct cause *cause, struct request *request, struct effect *effect,
	const struct effect_outcome *outcome)
{
	(void)outcome;
	if (request->status == REQUEST_ACCEPTED && cause->now < request->meeting->expires_at) {
		effect->lease = NULL;
		effect->due = request->meeting->expires_at;
		return;
	}
	effect_drop(request, effect);
	if (request->status == REQUEST_ACCEPTED)
		request_complete(cause, request);
}

bool provision_retry(struct cause *cause, struct request *request)
{
	struct meeting *meeting = request->meeting;
	struct effect *create = meeting_creation(request);

	if (create && effect_is_running(create, cause->now))
		return false;
	if (!create)
		create = meeting_owe_creation(cause, request);
	if (strcmp(meeting->provider, meeting->requested_provider) != 0)
		provision_switch(
			cause, request, create->creation, meeting->requested_provider, NULL);
	create->state = EFFECT_DUE;
	create->lease = NULL; /* a lost one, whose answer may be of the provider before */
	create->due = cause->now;
	create->give_up_at = effect_give_up_at(cause, request, EFFECT_MEETING_CREATE);
	provision_begin_round(create->creation);
	meeting->next_attempt_at = cause->now;
	return true;
}

bool provision_lost(struct cause *cause, struct request *request)
{
	struct effect *verify = meeting_effect(request, EFFECT_MEETING_VERIFY);

	if (request->meeting->status != MEETING_READY || cause->now >= request->meeting->ends_at ||
		(verify && (verify->due <= cause->now || effect_is_running(verify, cause->now))))
		return false;
	meeting_owe_verification(cause, request);
	meeting_effect(request, EFFECT_MEETING_VERIFY)->due = cause->now;
	return true;
}
