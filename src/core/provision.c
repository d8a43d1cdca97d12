#include "provision.h"

#include <string.h>

#include "audit.h"
#include "backoff.h"

/* Calls of one provider in a row before the next one is asked (PROVIDERS.md section 8), and how
 * long the second waits at most. What asks us to wait longer is left at once. */
enum { PROVISION_TRIES = 2, PROVISION_PAUSE_S = 1 };

/* How often a meeting that is being made is looked at: after 1, 2, 4, 8 and 16 s, about a minute
 * with the time that the calls take (PROVIDERS.md section 1.2). */
enum { PROVISION_POLLS = 6 };

/* When a comparison that failed is repeated. */
#define PROVISION_VERIFY_AGAIN (15 * INSTANT_MINUTE)

/* Whether an effect is of the meeting as it is now. */
static bool provision_is_current(
	const struct request *request, const struct effect *effect, enum meeting_status status)
{
	return request->meeting->status == (int)status &&
	       request->meeting->generation == effect->generation;
}

static struct effect_target provision_target(const struct meeting *meeting)
{
	return (struct effect_target){
		.provider = meeting->provider, .provider_key = meeting->provider_key};
}

/* The provider and key a creation of that generation worked with. */
static struct effect_target provision_target_of(
	const struct request *request, const struct effect *effect)
{
	MODEL_FOREACH (&request->meetings, struct meeting, ended) {
		if (ended->generation == effect->generation)
			return provision_target(ended);
	}
	return provision_target(request->meeting);
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
	audit_add_again(cause, request, "provider.attempt_failed", NULL, NULL,
		arena_printf(cause->arena, "%s: %s", meeting->provider, err_code(outcome->err)));
}

static bool provision_may_be_made(const struct effect_outcome *outcome)
{
	return outcome->err == ERR_OUTCOME_UNKNOWN || outcome->err == ERR_STILL_PENDING;
}

/* The answer comes too late: the request has moved on. */
static void provision_discard(struct cause *cause, struct request *request, struct effect *effect,
	const struct effect_outcome *outcome, const struct meeting_link *link)
{
	struct effect_target target = provision_target_of(request, effect);
	const struct model_list left = effect->left;
	bool made = provision_may_be_made(outcome) || effect->repeated;

	if (outcome->err == ERR_OK) {
		target.external_id = link->external_id;
		target.account = link->account;
		made = link->external_id != NULL;
	}
	effect_drop(request, effect);
	if (made)
		meeting_owe_removal(cause, request, &target);
	meeting_owe_removals(cause, request, &left);
}

static bool provision_was_tried(const struct effect *effect, const char *provider)
{
	MODEL_FOREACH (&effect->tried, const char *, tried) {
		if (strcmp(*tried, provider) == 0)
			return true;
	}
	return false;
}

/* The next provider in the policy's order that has not been asked in this round, or NULL. Where
 * there is failover at all, the default provider is the last resort of who wanted another. */
static const char *provision_next(const struct effect *effect, const struct policy *policy)
{
	MODEL_FOREACH (&policy->failover, const char *, name) {
		if (!provision_was_tried(effect, *name))
			return *name;
	}
	return policy->failover.count && !provision_was_tried(effect, policy->default_provider)
		       ? policy->default_provider
		       : NULL;
}

/* The key to ask a provider with: the one under which it may have made the meeting in an earlier
 * round, or else a new one. */
static void provision_take_key(
	struct cause *cause, struct meeting *meeting, struct effect *effect, const char *provider)
{
	size_t i;

	meeting->provider = provider;
	meeting->provider_key = NULL;
	for (i = effect->left.count; i-- > 0;) {
		const struct effect_target *left = MODEL_AT(&effect->left, struct effect_target, i);

		if (strcmp(left->provider, provider) != 0)
			continue;
		meeting->provider_key = left->provider_key;
		model_list_remove(&effect->left, sizeof(*left), i);
	}
	effect->begun = meeting->provider_key != NULL;
	if (!effect->begun)
		meeting->provider_key = cause_id(cause);
}

/* Goes on with another provider. What the one before may have made stays known, until its turn
 * comes again or it is not needed any more. */
static void provision_switch(struct cause *cause, struct request *request, struct effect *effect,
	const char *provider, const char *why)
{
	struct meeting *meeting = request->meeting;

	if (why)
		audit_add_again(
			cause, request, "provider.failed_over", meeting->provider, provider, why);
	if (effect->begun)
		*(struct effect_target *)model_list_add(cause->arena, &effect->left,
			sizeof(struct effect_target)) = provision_target(meeting);
	provision_take_key(cause, meeting, effect, provider);
	effect->repeated = false;
	effect->tries = 0;
}

/* A key under which something may have been made is deleted, so it is not used again. */
static void provision_give_up(struct cause *cause, struct request *request, struct effect *effect)
{
	const struct effect_target target = provision_target(request->meeting);
	const struct model_list left = effect->left;
	const bool begun = effect->begun;

	effect->state = EFFECT_FAILED;
	effect->begun = false;
	effect->left = (struct model_list){0};
	request->meeting->next_attempt_at = 0;
	meeting_set_status(cause, request, MEETING_FAILED, "meeting.failed",
		arena_printf(cause->arena, "%s: %s", target.provider,
			request->meeting->last_error->code));
	if (begun) {
		request->meeting->provider_key = cause_id(cause);
		meeting_owe_removal(cause, request, &target);
	}
	meeting_owe_removals(cause, request, &left);
}

/* Every provider has been asked: later again, from the requested one on. */
static void provision_end_round(struct cause *cause, struct request *request, struct effect *effect,
	const struct policy *policy)
{
	const int64_t rounds = (effect->attempts + PROVISION_TRIES - 1) / PROVISION_TRIES;
	struct meeting *meeting = request->meeting;
	int64_t delay_ms;

	if (!effect->hope || cause->now >= effect->give_up_at) {
		provision_give_up(cause, request, effect);
		return;
	}
	delay_ms = backoff_delay_ms(rounds, policy->retry->first_s, policy->retry->max_s,
		effect->wait_s, cause_jitter(cause, BACKOFF_SPREAD));
	effect->due = instant_earlier(cause->now + delay_ms, effect->give_up_at);
	effect->tries = 0;
	effect->hope = false;
	effect->tried = (struct model_list){0};
	meeting->next_attempt_at = effect->due;
	if (strcmp(meeting->provider, meeting->requested_provider) != 0)
		provision_switch(cause, request, effect, meeting->requested_provider, NULL);
}

/* Whether the same provider is asked again before any other one. */
static bool provision_stays(const struct effect *effect, const struct effect_outcome *outcome)
{
	switch (outcome->err) {
	case ERR_STILL_PENDING:
		return effect->tries < PROVISION_POLLS;
	case ERR_TEMPORARY:
	case ERR_OUTCOME_UNKNOWN:
		return effect->tries < PROVISION_TRIES &&
		       outcome->retry_after_s <= PROVISION_PAUSE_S;
	default:
		return false;
	}
}

static void provision_failed(struct cause *cause, struct request *request, struct effect *effect,
	const struct effect_outcome *outcome, const struct policy *policy)
{
	struct meeting *meeting = request->meeting;
	const char *next;

	effect_note_failure(cause, effect, outcome);
	provision_note_failure(cause, request, outcome);
	/* Only success tells what became of an earlier one. */
	effect->begun = provision_may_be_made(outcome) || effect->repeated;
	if (outcome->err != ERR_PERMANENT &&
		(!effect->hope || outcome->retry_after_s < effect->wait_s))
		effect->wait_s = outcome->retry_after_s;
	effect->hope |= outcome->err != ERR_PERMANENT;
	effect->tries++;
	if (provision_stays(effect, outcome)) {
		/* An unknown outcome is looked up at once: the answer may just have been late. */
		effect->due = cause->now;
		if (outcome->err == ERR_STILL_PENDING)
			effect->due += INSTANT_SECOND << (effect->tries - 1);
		else if (outcome->err == ERR_TEMPORARY)
			effect->due += backoff_delay_ms(1, PROVISION_PAUSE_S, PROVISION_PAUSE_S,
				outcome->retry_after_s, cause_jitter(cause, BACKOFF_SPREAD));
		meeting->next_attempt_at = effect->due;
		return;
	}
	*(const char **)model_list_add(cause->arena, &effect->tried, sizeof(const char *)) =
		meeting->provider;
	next = provision_next(effect, policy);
	if (!next) {
		provision_end_round(cause, request, effect, policy);
		return;
	}
	effect->due = cause->now;
	meeting->next_attempt_at = effect->due;
	provision_switch(cause, request, effect, next, err_code(outcome->err));
}

void provision_created(struct cause *cause, struct request *request, struct effect *effect,
	const struct effect_outcome *outcome, const struct meeting_link *link,
	const struct policy *policy)
{
	struct model_list left;
	int64_t sequence;

	if (!provision_is_current(request, effect, MEETING_PENDING)) {
		provision_discard(cause, request, effect, outcome, link);
		return;
	}
	request->meeting->attempts = effect->attempts;
	/* Too late, and nobody was asked. */
	if (outcome->skipped) {
		effect->begun = effect->repeated;
		effect_note_failure(cause, effect, outcome);
		provision_note_failure(cause, request, outcome);
		provision_give_up(cause, request, effect);
		return;
	}
	if (outcome->err != ERR_OK) {
		provision_failed(cause, request, effect, outcome, policy);
		return;
	}
	sequence = effect->sequence;
	left = effect->left;
	effect_drop(request, effect);
	meeting_made(cause, request, link);
	/* It may have been made, by this call or one before, with the times of then. */
	if (sequence < request->meeting->sequence && link->external_id)
		meeting_owe_update(cause, request);
	meeting_owe_removals(cause, request, &left);
}

void provision_updated(struct cause *cause, struct request *request, struct effect *effect,
	const struct effect_outcome *outcome, const struct meeting_link *link,
	const struct policy *policy)
{
	if (!provision_is_current(request, effect, MEETING_READY)) {
		effect_drop(request, effect);
		return;
	}
	if (outcome->err == ERR_OK) {
		effect_drop(request, effect);
		meeting_set_granted(cause, request, link);
		request->meeting->last_error = NULL;
		request->updated_at = cause->now;
		return;
	}
	if (outcome->err == ERR_GONE) {
		effect_drop(request, effect);
		meeting_remake(cause, request, policy);
		return;
	}
	effect_failed(cause, effect, outcome, policy->retry->first_s, policy->retry->max_s);
	provision_note_failure(cause, request, outcome);
	meeting_warn(cause, request->meeting, "provider_not_updated",
		arena_printf(cause->arena, "%s does not have the latest time and settings yet.",
			request->meeting->provider));
}

void provision_deleted(struct cause *cause, struct request *request, struct effect *effect,
	const struct effect_outcome *outcome, const struct policy *policy)
{
	const char *provider = effect->target->provider;

	if (outcome->err == ERR_OK || outcome->err == ERR_GONE) {
		audit_add(cause, request, "provider.orphan_deleted", NULL, NULL, provider);
		effect_drop(request, effect);
		if (!meeting_effect(request, EFFECT_MEETING_DELETE))
			meeting_warn(cause, request->meeting, "provider_orphan", NULL);
		return;
	}
	effect_failed(cause, effect, outcome, policy->retry->first_s, policy->retry->max_s);
	audit_add_again(cause, request, "provider.attempt_failed", NULL, NULL,
		arena_printf(cause->arena, "%s: delete: %s", provider, err_code(outcome->err)));
	meeting_warn(cause, request->meeting, "provider_orphan",
		arena_printf(cause->arena, "%s may still have a meeting that has ended here; %s.",
			provider,
			effect->state == EFFECT_FAILED ? "it has to be deleted there by hand"
						       : "it is being deleted"));
}

void provision_verified(struct cause *cause, struct request *request, struct effect *effect,
	const struct effect_outcome *outcome, const struct provision_state *state,
	const struct policy *policy)
{
	const struct meeting *meeting = request->meeting;
	const struct effect *update;
	struct effect *next;
	bool moved;

	if (!provision_is_current(request, effect, MEETING_READY) ||
		meeting->ends_at <= cause->now) {
		effect_drop(request, effect);
		return;
	}
	effect_drop(request, effect);
	if (outcome->err == ERR_GONE) {
		meeting_remake(cause, request, policy);
		return;
	}
	meeting_owe_verification(cause, request);
	if (outcome->err != ERR_OK) {
		next = meeting_effect(request, EFFECT_MEETING_VERIFY);
		next->due = instant_earlier(next->due, cause->now + PROVISION_VERIFY_AGAIN);
		return;
	}
	update = meeting_effect(request, EFFECT_MEETING_UPDATE);
	/* What is being updated may well be seen half done. */
	if (update && update->state == EFFECT_DUE)
		return;
	moved = (state->starts_at && state->starts_at != meeting->starts_at) ||
		(state->ends_at && state->ends_at != meeting->ends_at);
	if (!moved && !state->settings_differ)
		return;
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

bool provision_retry(struct cause *cause, struct request *request, const struct policy *policy)
{
	struct meeting *meeting = request->meeting;
	struct effect *create = meeting_creation(request);

	if (create && effect_is_running(create, cause->now))
		return false;
	if (!create)
		create = meeting_owe_creation(cause, request, policy);
	if (strcmp(meeting->provider, meeting->requested_provider) != 0)
		provision_switch(cause, request, create, meeting->requested_provider, NULL);
	create->state = EFFECT_DUE;
	create->lease = NULL; /* a lost one, whose answer may be of the provider before */
	create->due = cause->now;
	create->give_up_at = meeting_give_up_at(cause, request, policy);
	create->tries = 0;
	create->hope = false;
	create->tried = (struct model_list){0};
	meeting->next_attempt_at = cause->now;
	return true;
}
