#include "request.h"

#include <stdio.h>
#include <string.h>

#include "command.h"
#include "config.h"
#include "id.h"
#include "news.h"
#include "provision.h"
#include "utf8.h"

enum { REQUEST_YEARS_AHEAD = 5, REQUEST_MAX_ANSWERS = 16, REQUEST_MAX_KEYS = 256 };

/* How long after its time people are told that a request has lapsed. */
#define REQUEST_LAPSE_TOLD INSTANT_DAY

void request_remember(struct request *request)
{
	const struct meeting *meeting = request->meeting;

	request->was = (struct request_before){
		.events = request->events.count,
		.starts_at = request->starts_at,
		.ends_at = request->ends_at,
		.timezone = request->timezone,
		.generation = meeting ? meeting->generation : 0,
		.provider = meeting ? meeting->provider : NULL,
	};
}

enum standing request_standing(const struct request *request, const struct actor *actor)
{
	switch (actor->role) {
	case ROLE_ADMIN:
		return STANDING_ADMIN;
	case ROLE_SERVICE:
		return STANDING_SERVICE;
	case ROLE_CLIENT:
		return strcmp(actor->id, request->side[PARTY_CLIENT].person->id) == 0
			       ? STANDING_CLIENT
			       : STANDING_NONE;
	case ROLE_LAWYER:
		return strcmp(actor->id, request->side[PARTY_LAWYER].person->id) == 0
			       ? STANDING_LAWYER
			       : STANDING_NONE;
	case ROLE_SYSTEM:
		break;
	}
	return STANDING_NONE;
}

bool request_party(const struct request *request, const struct actor *actor, enum party *party_r)
{
	const enum standing standing = request_standing(request, actor);

	*party_r = standing == STANDING_LAWYER ? PARTY_LAWYER : PARTY_CLIENT;
	return standing == STANDING_CLIENT || standing == STANDING_LAWYER;
}

enum err request_check_start(const struct cause *cause, int64_t starts_at, struct err_info *info)
{
	if (starts_at <= cause->now)
		return err_add_field(info, "/starts_at", "must be in the future");
	if (starts_at > cause->now + REQUEST_YEARS_AHEAD * 365 * INSTANT_DAY)
		return err_add_field(info, "/starts_at", "must be within the next %d years",
			REQUEST_YEARS_AHEAD);
	return ERR_OK;
}

static void request_set_times(struct request *request, int64_t starts_at, int64_t duration_minutes)
{
	request->starts_at = starts_at;
	request->duration_minutes = duration_minutes;
	request->ends_at = starts_at + duration_minutes * INSTANT_MINUTE;
}

static void request_set_status(struct cause *cause, struct request *request,
	enum request_status status, const char *action)
{
	const char *from = request_status_names[request->status];
	const struct effect *lapse = meeting_effect(request, EFFECT_REQUEST_LAPSE);

	if (lapse)
		effect_drop(request, lapse);
	request->status = status;
	request->updated_at = cause->now;
	audit_add(cause, request, action, from, request_status_names[status], NULL);
	news_withdraw_notices(cause, request);
}

/* Whether two addresses, with hosts as A-labels, may reach one mailbox: no mail server in use tells
 * local parts apart by their case (RFC 5321 section 2.4 would let it). */
static bool request_same_email(const char *one, const char *other)
{
	return utf8_same_but_case(one, other);
}

enum err request_open(struct cause *cause, const struct request_draft *draft, const char *id,
	struct request *request_r, struct err_info *info)
{
	const char *timezone = draft->timezone;

	if (request_check_start(cause, draft->starts_at, info) != ERR_OK)
		return ERR_INVALID;
	if (cause->actor.role == ROLE_CLIENT &&
		strcmp(cause->actor.id, draft->person[PARTY_CLIENT]->id) != 0)
		return err_set(info, ERR_FORBIDDEN, "A client files requests only for itself.");
	if (strcmp(draft->person[PARTY_CLIENT]->id, draft->person[PARTY_LAWYER]->id) == 0)
		return err_add_field(info, "/lawyer/id", "must be somebody else than the client");
	if (request_same_email(
		    draft->person[PARTY_CLIENT]->email, draft->person[PARTY_LAWYER]->email))
		return err_add_field(info, "/lawyer/email", "must not be the client's address");
	if (!timezone)
		timezone = draft->person[PARTY_LAWYER]->timezone;
	*request_r = (struct request){
		.id = id,
		.status = REQUEST_OPEN,
		.title = draft->title,
		.description = draft->description,
		.side = {{draft->person[PARTY_CLIENT], NULL}, {draft->person[PARTY_LAWYER], NULL}},
		.timezone = timezone ? timezone : "UTC",
		.created_at = cause->now,
		.updated_at = cause->now,
	};
	request_set_times(request_r, draft->starts_at, draft->duration_minutes);
	audit_add(cause, request_r, "request.created", NULL, request_status_names[REQUEST_OPEN],
		NULL);
	effect_owe(cause, request_r, EFFECT_REQUEST_LAPSE)->due = request_r->starts_at;
	news_owe_received(cause, request_r);
	return ERR_OK;
}

/* What makes two accepting inputs the same: every field that the input may hold. */
static const char *request_decision(struct cause *cause, const struct request_response *response)
{
	char starts_at[24], duration[24], *hash = arena_alloc(cause->arena, HASH_SIZE);
	const char *overlap = response->allow_overlap ? "allow_overlap" : NULL;

	snprintf(starts_at, sizeof(starts_at), "%lld", (long long)response->starts_at);
	snprintf(duration, sizeof(duration), "%lld", (long long)response->duration_minutes);
	hash_texts(hash, starts_at, duration, response->timezone ? response->timezone : "",
		response->provider ? response->provider : "",
		response->message ? response->message : "",
		/* Behind all others: without them, the hash is that of versions before. No address
		 * is without @. */
		response->lawyer_email ? response->lawyer_email : overlap,
		response->lawyer_email ? overlap : NULL, NULL);
	return hash;
}

/* Who has filed is the first event, and no open request has so many that it has left the document.
 */
bool request_lawyer_is_claimed(const struct request *request)
{
	return !request->events.count ||
	       MODEL_AT(&request->events, struct audit_event, 0)->actor->role == ROLE_CLIENT;
}

/*
 * A client names its lawyer in its own words: the invitation, with the lawyer's own link, goes to
 * an address that the lawyer's token vouches for or that the accepting call gives, so that nobody
 * can have it sent elsewhere. What the host application (`service`) filed is believed.
 */
static enum err request_confirm_lawyer(struct cause *cause, struct request *request,
	const struct request_response *response, struct err_info *info)
{
	const bool own = cause->actor.role == ROLE_LAWYER && cause->actor.email;
	const bool claimed = request_lawyer_is_claimed(request);
	struct person *lawyer;

	if (!response->lawyer_email && !(own && claimed)) {
		if (!claimed || cause->config->policy->lawyer_addresses == LAWYER_ADDRESSES_ANY)
			return ERR_OK;
		return err_set(info, ERR_LAWYER_UNCONFIRMED,
			"Only the client has named the lawyer's address: give lawyer_email.");
	}
	lawyer = arena_alloc(cause->arena, sizeof(*lawyer));
	*lawyer = *request->side[PARTY_LAWYER].person;
	lawyer->email = response->lawyer_email ? response->lawyer_email : cause->actor.email;
	lawyer->undeliverable = 0;
	if (request_same_email(lawyer->email, request->side[PARTY_CLIENT].person->email))
		return err_add_field(info, response->lawyer_email ? "/lawyer_email" : "",
			"would give the lawyer the client's address");
	if (own && claimed && cause->actor.name)
		lawyer->name = cause->actor.name;
	request->side[PARTY_LAWYER].person = lawyer;
	return ERR_OK;
}

/* What was asked for is kept where it is not what is accepted. */
static void request_keep_asked(
	struct cause *cause, struct request *request, const struct asked *asked)
{
	if (asked->starts_at == request->starts_at &&
		asked->duration_minutes == request->duration_minutes)
		return;
	request->asked = arena_alloc(cause->arena, sizeof(*asked));
	*request->asked = *asked;
}

static enum err request_accept(struct cause *cause, struct request *request,
	const struct request_response *response, struct err_info *info)
{
	int64_t starts_at = response->starts_at ? response->starts_at : request->starts_at;
	int64_t minutes =
		response->duration_minutes ? response->duration_minutes : request->duration_minutes;
	const struct asked asked = {
		request->starts_at, request->duration_minutes, request->timezone};
	enum err err;

	if (response->starts_at && request_check_start(cause, starts_at, info) != ERR_OK)
		return ERR_INVALID;
	if (starts_at <= cause->now)
		return err_set(info, ERR_STARTS_IN_PAST,
			"The time asked for has passed: accept with a new starts_at.");
	err = request_confirm_lawyer(cause, request, response, info);
	if (err != ERR_OK)
		return err;
	request_set_times(request, starts_at, minutes);
	if (response->timezone)
		request->timezone = response->timezone;
	request_keep_asked(cause, request, &asked);
	request->message = response->message;
	request->decision = request_decision(cause, response);
	request_set_status(cause, request, REQUEST_ACCEPTED, "request.accepted");
	meeting_begin(cause, request,
		response->provider ? response->provider : cause->config->policy->default_provider);
	return ERR_OK;
}

static enum err request_decline(struct cause *cause, struct request *request,
	const struct request_response *response, struct err_info *info)
{
	const char *set = response->starts_at          ? "/starts_at"
			  : response->duration_minutes ? "/duration_minutes"
			  : response->timezone         ? "/timezone"
			  : response->provider         ? "/provider"
			  : response->lawyer_email     ? "/lawyer_email"
			  : response->allow_overlap    ? "/allow_overlap"
						       : NULL;

	if (set)
		return err_add_field(info, set, "may be set with accept only");
	request->message = response->message;
	request_set_status(cause, request, REQUEST_DECLINED, "request.declined");
	news_owe_refusal(cause, request);
	return ERR_OK;
}

enum err request_respond(struct cause *cause, struct request *request, const void *input,
	bool *changed_r, struct err_info *info)
{
	const struct request_response *response = input;
	const bool accept = response->decision == DECISION_ACCEPT;
	enum err err;

	*changed_r = false;
	if (request->status == REQUEST_ACCEPTED && accept && request->decision &&
		strcmp(request->decision, request_decision(cause, response)) == 0)
		return ERR_OK;
	err = command_check(COMMAND_RESPOND, cause->actor.role, request, cause->now, info);
	if (err != ERR_OK)
		return err;
	*changed_r = true;
	return accept ? request_accept(cause, request, response, info)
		      : request_decline(cause, request, response, info);
}

/* An accepted request ends: nothing is left to be watched. */
static void request_close(struct cause *cause, struct request *request, enum request_status status,
	const char *action)
{
	const struct effect *expire = meeting_effect(request, EFFECT_MEETING_EXPIRE);

	if (expire)
		effect_drop(request, expire);
	request->proposal = NULL;
	request_set_status(cause, request, status, action);
}

static bool request_meeting_ended(const struct request *request)
{
	return request->meeting->status == MEETING_CANCELLED ||
	       request->meeting->status == MEETING_EXPIRED;
}

enum err request_cancel(struct cause *cause, struct request *request, const void *input,
	bool *changed_r, struct err_info *info)
{
	const struct request_cancellation *cancellation = input;
	const enum err err =
		command_check(COMMAND_CANCEL, cause->actor.role, request, cause->now, info);
	const bool open = request->status == REQUEST_OPEN;

	(void)changed_r;
	if (err != ERR_OK)
		return err;
	request_close(cause, request, REQUEST_CANCELLED, "request.cancelled");
	if (request->meeting && !request_meeting_ended(request))
		meeting_cancel(cause, request, cancellation->reason);
	if (open)
		news_owe_withdrawal(cause, request);
	return ERR_OK;
}

enum err request_cancel_meeting(struct cause *cause, struct request *request, const void *input,
	bool *changed_r, struct err_info *info)
{
	const struct request_cancellation *cancellation = input;
	const enum err err =
		command_check(COMMAND_CANCEL_MEETING, cause->actor.role, request, cause->now, info);

	(void)changed_r;
	if (err == ERR_OK)
		meeting_cancel(cause, request, cancellation->reason);
	return err;
}

enum err request_regenerate(struct cause *cause, struct request *request, const void *input,
	bool *changed_r, struct err_info *info)
{
	const enum err err =
		command_check(COMMAND_REGENERATE, cause->actor.role, request, cause->now, info);
	const struct policy *policy = cause->config->policy;
	const struct meeting_regeneration *regeneration = input;
	const struct meeting *meeting = request->meeting;
	const char *provider = regeneration->provider;

	(void)changed_r;
	if (err != ERR_OK)
		return err;
	if (meeting->generation >= policy->max_generations)
		return err_set(info, ERR_TOO_MANY_GENERATIONS,
			"The policy allows %lld links for one request.",
			(long long)policy->max_generations);
	/* The old link is not given up for one that its provider cannot make any more. */
	if (!provider)
		provider = config_enabled(cause->config, meeting->requested_provider)
				   ? meeting->requested_provider
				   : policy->default_provider;
	if (meeting->status == MEETING_PENDING &&
		strcmp(provider, meeting->requested_provider) == 0)
		return err_set(info, ERR_STILL_PENDING,
			"The link is still being made; name another provider, or retry.");
	meeting_replace(cause, request, provider, regeneration->reason);
	return ERR_OK;
}

const char *request_start_text(struct cause *cause, int64_t instant)
{
	char *text = arena_alloc(cause->arena, INSTANT_TEXT_SIZE);

	instant_format(instant, false, text);
	return text;
}

/* A meeting that waits, or was given up, is tried again now; false while somebody is trying. */
static bool request_retry_creation(struct cause *cause, struct request *request)
{
	if (!provision_retry(cause, request))
		return false;
	meeting_set_status(cause, request, MEETING_PENDING, "meeting.requested", "tried again");
	return true;
}

void request_move(struct cause *cause, struct request *request, const struct move *move)
{
	const char *before = request_start_text(cause, request->starts_at);

	request_set_times(request, move->starts_at, move->duration_minutes);
	request->timezone = move->timezone;
	request->updated_at = cause->now;
	request->meeting->change_reason = move->reason;
	audit_add(cause, request, "meeting.rescheduled", before,
		request_start_text(cause, request->starts_at), move->detail);
	meeting_move(cause, request);
	if (request->meeting->status == MEETING_FAILED)
		request_retry_creation(cause, request);
}

enum err request_reschedule(struct cause *cause, struct request *request, const void *input,
	bool *changed_r, struct err_info *info)
{
	const struct meeting_rescheduling *rescheduling = input;
	const int64_t minutes = rescheduling->duration_minutes ? rescheduling->duration_minutes
							       : request->duration_minutes;
	const char *timezone = rescheduling->timezone ? rescheduling->timezone : request->timezone;
	const int64_t before = request->starts_at;
	const enum err err =
		command_check(COMMAND_RESCHEDULE, cause->actor.role, request, cause->now, info);

	*changed_r = false;
	if (err != ERR_OK)
		return err;
	/* A meeting that is running may be made longer. */
	if (rescheduling->starts_at != before &&
		request_check_start(cause, rescheduling->starts_at, info) != ERR_OK)
		return ERR_INVALID;
	if (before + minutes * INSTANT_MINUTE <= cause->now && rescheduling->starts_at == before)
		return err_add_field(info, "/duration_minutes", "must end in the future");
	if (rescheduling->starts_at == before && minutes == request->duration_minutes &&
		strcmp(timezone, request->timezone) == 0)
		return ERR_OK;
	*changed_r = true;
	request_move(cause, request,
		&(struct move){
			.starts_at = rescheduling->starts_at,
			.duration_minutes = minutes,
			.timezone = timezone,
			.reason = rescheduling->reason,
		});
	return ERR_OK;
}

/* Whatever else was given up, and an update that waits; false when there is nothing of it. */
static bool request_retry_rest(struct cause *cause, struct request *request)
{
	const struct effect *update = meeting_effect(request, EFFECT_MEETING_UPDATE);
	const char *kinds = NULL;

	/* With the times of now, and once. */
	if (update && update->last_error && !effect_is_running(update, cause->now)) {
		kinds = effect_kind_names[update->kind];
		meeting_owe_update(cause, request);
	}
	MODEL_FOREACH (&request->effects, struct effect, effect) {
		if (effect->state != EFFECT_FAILED || effect->creation ||
			!effect_again(cause, request, effect))
			continue;
		kinds = arena_printf(cause->arena, "%s%s%s", kinds ? kinds : "", kinds ? ", " : "",
			effect_kind_names[effect->kind]);
	}
	if (!kinds)
		return false;
	request->updated_at = cause->now;
	audit_add(cause, request, "meeting.retried", NULL, NULL, kinds);
	return true;
}

bool request_retry_effect(struct cause *cause, struct request *request, struct effect *effect)
{
	if (effect == meeting_creation(request) && request->status == REQUEST_ACCEPTED &&
		(request->meeting->status == MEETING_PENDING ||
			request->meeting->status == MEETING_FAILED))
		return request_retry_creation(cause, request);
	if (effect->kind != EFFECT_MEETING_UPDATE)
		return effect_again(cause, request, effect);
	meeting_owe_update(cause, request);
	return true;
}

enum err request_retry(struct cause *cause, struct request *request, const void *input,
	bool *changed_r, struct err_info *info)
{
	const enum err err =
		command_check(COMMAND_RETRY, cause->actor.role, request, cause->now, info);

	(void)input;
	*changed_r = false;
	if (err != ERR_OK)
		return err;
	if (request->meeting && (request->meeting->status == MEETING_PENDING ||
					request->meeting->status == MEETING_FAILED))
		*changed_r = request_retry_creation(cause, request);
	*changed_r |= request_retry_rest(cause, request);
	return ERR_OK;
}

enum err request_note_outcome(struct cause *cause, struct request *request, const void *input,
	bool *changed_r, struct err_info *info)
{
	const struct meeting_verdict *verdict = input;
	const char *outcome = meeting_outcome_names[verdict->outcome];
	const enum err err =
		command_check(COMMAND_OUTCOME, cause->actor.role, request, cause->now, info);
	struct meeting *meeting = request->meeting;

	if (err != ERR_OK)
		return err;
	*changed_r = !meeting->outcome || strcmp(meeting->outcome, outcome) != 0;
	if (!*changed_r)
		return ERR_OK;
	audit_add(cause, request, "meeting.outcome", meeting->outcome, outcome, NULL);
	meeting->outcome = outcome;
	request->updated_at = cause->now;
	news_withdraw_notices(cause, request);
	news_owe_missed(cause, request);
	return ERR_OK;
}

void request_complete(struct cause *cause, struct request *request)
{
	if (!request_meeting_ended(request))
		meeting_expire(cause, request);
	request_close(cause, request, REQUEST_COMPLETED, "request.completed");
}

void request_lapse(struct cause *cause, struct request *request, struct effect *effect)
{
	if (cause->now < request->starts_at) {
		effect->lease = NULL;
		effect->due = request->starts_at;
		return;
	}
	effect_drop(request, effect);
	if (request->status != REQUEST_OPEN)
		return;
	request_set_status(cause, request, REQUEST_LAPSED, "request.lapsed");
	/* Nobody waits any more for what lapsed in the version before, or through a long outage. */
	if (cause->now > request->starts_at + REQUEST_LAPSE_TOLD)
		return;
	news_owe_lapse(cause, request, PARTY_CLIENT);
	if (!request_lawyer_is_claimed(request) ||
		cause->config->policy->lawyer_addresses == LAWYER_ADDRESSES_ANY)
		news_owe_lapse(cause, request, PARTY_LAWYER);
}

const struct request_answer *request_answer_find(
	const struct request *request, const char *key, int64_t now)
{
	MODEL_FOREACH (&request->answers, struct request_answer, answer) {
		if (strcmp(answer->key, key) == 0 && now < answer->until)
			return answer;
	}
	return NULL;
}

/* The kept answer that ends first, or NULL; `whole`: among those that have their text. */
static struct request_answer *request_answer_first(const struct request *request, bool whole)
{
	struct request_answer *first = NULL;

	MODEL_FOREACH (&request->answers, struct request_answer, answer) {
		if ((answer->reply || !whole) && (!first || answer->until < first->until))
			first = answer;
	}
	return first;
}

/* Down to `most` that are still to be given again. */
static void request_answer_drop(struct request *request, size_t most, int64_t now)
{
	struct model_list *answers = &request->answers;
	struct request_answer *first;

	while ((first = request_answer_first(request, false)) != NULL &&
		(first->until <= now || answers->count > most))
		model_list_remove(answers, sizeof(*first),
			(size_t)(first - MODEL_AT(answers, struct request_answer, 0)));
}

void request_answer_forget(struct request *request, int64_t now)
{
	request_answer_drop(request, REQUEST_MAX_KEYS, now);
}

/* Makes room for another: the texts are heavy, the keys are not. */
static void request_answer_make_room(struct request *request, int64_t now)
{
	struct model_list *answers = &request->answers;
	size_t whole = 0;

	request_answer_drop(request, REQUEST_MAX_KEYS - 1, now);
	MODEL_FOREACH (answers, struct request_answer, answer) {
		whole += answer->reply != NULL;
	}
	if (whole >= REQUEST_MAX_ANSWERS)
		request_answer_first(request, true)->reply = NULL;
}

void request_answer_keep(
	struct cause *cause, struct request *request, const struct request_answer *answer)
{
	struct model_list *answers = &request->answers;

	MODEL_FOREACH (answers, struct request_answer, old) {
		if (strcmp(old->key, answer->key) == 0) {
			*old = *answer;
			return;
		}
	}
	request_answer_make_room(request, cause->now);
	*(struct request_answer *)model_list_add(cause->arena, answers, sizeof(*answer)) = *answer;
}
