#include "request.h"

#include <stdio.h>
#include <string.h>

#include "id.h"

enum { REQUEST_YEARS_AHEAD = 5, REQUEST_MAX_ANSWERS = 16 };

/* Mails: quick at first, since a meeting may be near, then hourly (PROVIDERS.md section 6). */
enum { REQUEST_MAIL_FIRST_S = 15, REQUEST_MAIL_MAX_S = 3600 };

enum standing request_standing(const struct request *request, const struct actor *actor)
{
	switch (actor->role) {
	case ROLE_ADMIN:
		return STANDING_ADMIN;
	case ROLE_SERVICE:
		return STANDING_SERVICE;
	case ROLE_CLIENT:
		return strcmp(actor->id, request->client->id) == 0 ? STANDING_CLIENT
								   : STANDING_NONE;
	case ROLE_LAWYER:
		return strcmp(actor->id, request->lawyer->id) == 0 ? STANDING_LAWYER
								   : STANDING_NONE;
	case ROLE_SYSTEM:
		break;
	}
	return STANDING_NONE;
}

const struct person *request_person(const struct request *request, enum party party)
{
	return party == PARTY_CLIENT ? request->client : request->lawyer;
}

static enum err request_check_start(
	const struct cause *cause, int64_t starts_at, struct err_info *info)
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

	request->status = status;
	request->updated_at = cause->now;
	audit_add(cause, request, action, from, request_status_names[status], NULL);
}

enum err request_open(struct cause *cause, const struct request_draft *draft, const char *id,
	struct request *request_r, struct err_info *info)
{
	const char *timezone = draft->timezone;

	if (request_check_start(cause, draft->starts_at, info) != ERR_OK)
		return ERR_INVALID;
	if (cause->actor.role == ROLE_CLIENT && strcmp(cause->actor.id, draft->client->id) != 0)
		return err_set(info, ERR_FORBIDDEN, "A client files requests only for itself.");
	if (strcmp(draft->client->id, draft->lawyer->id) == 0)
		return err_add_field(info, "/lawyer/id", "must be somebody else than the client");
	if (!timezone)
		timezone = draft->lawyer->timezone ? draft->lawyer->timezone : "UTC";
	*request_r = (struct request){
		.id = id,
		.status = REQUEST_OPEN,
		.title = draft->title,
		.description = draft->description,
		.client = draft->client,
		.lawyer = draft->lawyer,
		.timezone = timezone,
		.created_at = cause->now,
		.updated_at = cause->now,
	};
	request_set_times(request_r, draft->starts_at, draft->duration_minutes);
	audit_add(cause, request_r, "request.created", NULL, request_status_names[REQUEST_OPEN],
		NULL);
	return ERR_OK;
}

/* What makes two accepting inputs the same: every field that the input may hold. */
static const char *request_decision(struct cause *cause, const struct request_response *response)
{
	char starts_at[24], duration[24], *hash = arena_alloc(cause->arena, HASH_SIZE);

	snprintf(starts_at, sizeof(starts_at), "%lld", (long long)response->starts_at);
	snprintf(duration, sizeof(duration), "%lld", (long long)response->duration_minutes);
	hash_texts(hash, starts_at, duration, response->timezone ? response->timezone : "",
		response->provider ? response->provider : "",
		response->message ? response->message : "", NULL);
	return hash;
}

/*
 * A client names its lawyer in its own words: whoever accepts with a token is told at the address
 * that the token vouches for, so that nobody can have a lawyer's invitation sent elsewhere. The
 * host application (`service`) knows its lawyers and is believed.
 */
static void request_trust_lawyer(struct cause *cause, struct request *request)
{
	const struct audit_event *filed = MODEL_AT(&request->events, struct audit_event, 0);
	struct person *lawyer;

	if (cause->actor.role != ROLE_LAWYER || !cause->actor.email ||
		filed->actor->role != ROLE_CLIENT)
		return;
	lawyer = arena_alloc(cause->arena, sizeof(*lawyer));
	*lawyer = *request->lawyer;
	lawyer->email = cause->actor.email;
	if (cause->actor.name)
		lawyer->name = cause->actor.name;
	request->lawyer = lawyer;
}

static enum err request_accept(struct cause *cause, struct request *request,
	const struct request_response *response, const struct policy *policy, struct err_info *info)
{
	int64_t starts_at = response->starts_at ? response->starts_at : request->starts_at;
	int64_t minutes =
		response->duration_minutes ? response->duration_minutes : request->duration_minutes;

	if (response->starts_at && request_check_start(cause, starts_at, info) != ERR_OK)
		return ERR_INVALID;
	if (starts_at <= cause->now)
		return err_set(info, ERR_STARTS_IN_PAST,
			"The time asked for has passed: accept with a new starts_at.");
	request_set_times(request, starts_at, minutes);
	if (response->timezone)
		request->timezone = response->timezone;
	request_trust_lawyer(cause, request);
	request->message = response->message;
	request->decision = request_decision(cause, response);
	request_set_status(cause, request, REQUEST_ACCEPTED, "request.accepted");
	meeting_begin(cause, request, policy,
		response->provider ? response->provider : policy->default_provider);
	return ERR_OK;
}

static enum err request_decline(struct cause *cause, struct request *request,
	const struct request_response *response, struct err_info *info)
{
	struct effect *mail;

	const char *set = response->starts_at          ? "/starts_at"
			  : response->duration_minutes ? "/duration_minutes"
			  : response->timezone         ? "/timezone"
			  : response->provider         ? "/provider"
						       : NULL;

	if (set)
		return err_add_field(info, set, "may be set with accept only");
	request->message = response->message;
	request_set_status(cause, request, REQUEST_DECLINED, "request.declined");
	mail = effect_owe(cause, request, EFFECT_MAIL_REQUEST_DECLINED);
	mail->party = PARTY_CLIENT;
	mail->give_up_at = cause->now + EFFECT_MAIL_GIVE_UP;
	return ERR_OK;
}

enum err request_respond(struct cause *cause, struct request *request,
	const struct request_response *response, const struct policy *policy, bool *changed_r,
	struct err_info *info)
{
	*changed_r = request->status == REQUEST_OPEN;
	if (request->status == REQUEST_ACCEPTED && response->decision == DECISION_ACCEPT &&
		strcmp(request->decision, request_decision(cause, response)) == 0)
		return ERR_OK;
	if (request->status != REQUEST_OPEN)
		return err_set(info, ERR_ALREADY_DECIDED, "The request is already %s.",
			request_status_names[request->status]);
	return response->decision == DECISION_ACCEPT
		       ? request_accept(cause, request, response, policy, info)
		       : request_decline(cause, request, response, info);
}

enum err request_cancel(struct cause *cause, struct request *request,
	const struct request_cancellation *cancellation, struct err_info *info)
{
	switch (request->status) {
	case REQUEST_CANCELLED:
		return err_set(info, ERR_ALREADY_CANCELLED, "The request was cancelled before.");
	case REQUEST_DECLINED:
		return err_set(info, ERR_ALREADY_DECIDED, "A declined request has no meeting.");
	case REQUEST_COMPLETED:
		return err_set(info, ERR_MEETING_OVER, "The meeting has been held.");
	default:
		break;
	}
	if (request->status == REQUEST_ACCEPTED && request->ends_at <= cause->now)
		return err_set(info, ERR_MEETING_OVER, "The time of the meeting has passed.");
	request_set_status(cause, request, REQUEST_CANCELLED, "request.cancelled");
	if (request->meeting)
		meeting_cancel(cause, request, cancellation->reason);
	return ERR_OK;
}

enum err request_effect_wanted(const struct request *request, const struct effect *effect,
	int64_t now, struct err_info *info)
{
	const struct meeting *meeting = request->meeting;
	bool current = true;

	if (effect->kind == EFFECT_MAIL_MEETING_READY)
		current = meeting->status == MEETING_READY;
	if (effect->kind == EFFECT_MEETING_CREATE)
		current = meeting->status == MEETING_PENDING &&
			  meeting->generation == effect->generation;
	if (!current)
		return err_set(info, ERR_PERMANENT, "The meeting is %s.",
			meeting_status_names[meeting->status]);
	if (effect->give_up_at < now)
		return err_set(info, ERR_PERMANENT, "It is too late.");
	return ERR_OK;
}

/* An invitation that was leaving while its meeting was cancelled. */
static bool request_mail_is_stale(const struct request *request, const struct effect *effect)
{
	return effect->kind == EFFECT_MAIL_MEETING_READY &&
	       request->meeting->status == MEETING_CANCELLED;
}

/* Nothing of an invitation has ever left, so its cancellation need not either. */
static void request_withdraw_cancellation(
	struct cause *cause, struct request *request, enum party party)
{
	MODEL_FOREACH (&request->effects, struct effect, effect) {
		if (effect->kind == EFFECT_MAIL_MEETING_CANCELLED && effect->party == (int)party &&
			effect->attempts == 0) {
			effect_drop(request, effect);
			audit_add(cause, request, "mail.discarded", NULL, party_names[party],
				"meeting_cancelled");
			return;
		}
	}
}

void request_mail_settled(struct cause *cause, struct request *request, struct effect *effect,
	const struct effect_outcome *outcome)
{
	const char *what = effect_kind_names[effect->kind] + strlen("mail.");
	const enum party party = (enum party)effect->party;
	const bool never_left = outcome->skipped && effect->attempts == 1;

	if (outcome->err == ERR_OK || request_mail_is_stale(request, effect)) {
		audit_add(cause, request, outcome->err == ERR_OK ? "mail.sent" : "mail.discarded",
			NULL, party_names[party], what);
		effect_drop(request, effect);
		if (never_left)
			request_withdraw_cancellation(cause, request, party);
		return;
	}
	effect_failed(cause, effect, outcome, REQUEST_MAIL_FIRST_S, REQUEST_MAIL_MAX_S);
	audit_add(cause, request, effect->state == EFFECT_FAILED ? "mail.failed" : "mail.retried",
		NULL, party_names[party],
		arena_printf(cause->arena, "%s: %s", what, err_code(outcome->err)));
}

void request_creation_settled(struct cause *cause, struct request *request, struct effect *effect,
	const struct effect_outcome *outcome, const struct meeting_link *link,
	const struct policy *policy)
{
	/* The request moved on while the provider was asked: the answer comes too late. */
	if (request->meeting->status != MEETING_PENDING ||
		request->meeting->generation != effect->generation) {
		effect_drop(request, effect);
		return;
	}
	request->updated_at = cause->now;
	request->meeting->attempts = effect->attempts;
	if (outcome->err == ERR_OK) {
		effect_drop(request, effect);
		meeting_made(cause, request, link);
		return;
	}
	effect_failed(cause, effect, outcome, policy->retry_first_s, policy->retry_max_s);
	meeting_attempt_failed(cause, request, effect, outcome);
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

/* The answer that ends first, or NULL. */
static struct request_answer *request_answer_first(const struct request *request)
{
	struct request_answer *first = NULL;

	MODEL_FOREACH (&request->answers, struct request_answer, answer) {
		if (!first || answer->until < first->until)
			first = answer;
	}
	return first;
}

void request_answer_keep(
	struct cause *cause, struct request *request, const struct request_answer *answer)
{
	struct model_list *answers = &request->answers;
	struct request_answer *first;

	while ((first = request_answer_first(request)) != NULL &&
		(first->until <= cause->now || answers->count >= REQUEST_MAX_ANSWERS))
		model_list_remove(answers, sizeof(*first),
			(size_t)(first - MODEL_AT(answers, struct request_answer, 0)));
	*(struct request_answer *)model_list_add(cause->arena, answers, sizeof(*answer)) = *answer;
}
