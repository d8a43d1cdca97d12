#include "meeting.h"

#include <assert.h>

#include "audit.h"
#include "instant.h"
#include "request.h"

const char *const meeting_status_names[] = {
	[MEETING_PENDING] = "pending",
	[MEETING_READY] = "ready",
	[MEETING_FAILED] = "failed",
	[MEETING_CANCELLED] = "cancelled",
	[MEETING_EXPIRED] = "expired",
	[MEETING_REPLACED] = "replaced",
	NULL,
};

static const struct model_field warning_fields[] = {
	MODEL_FIELD(struct warning, code, MODEL_STRING, MODEL_STORED | MODEL_SHOWN),
	MODEL_FIELD(struct warning, detail, MODEL_STRING, MODEL_STORED | MODEL_SHOWN),
};

static const struct model warning_model = MODEL(struct warning, "warning", warning_fields);

#define FIELD(type, member, flags, ...)                                                            \
	MODEL_FIELD(struct meeting, member, type, flags, __VA_ARGS__)
#define BOTH (MODEL_STORED | MODEL_SHOWN)
#define MUST (BOTH | MODEL_REQUIRED)

static const struct model_field meeting_fields[] = {
	FIELD(MODEL_STRING, id, MUST),
	FIELD(MODEL_INT, generation, MUST),
	FIELD(MODEL_ENUM, status, MUST, .names = meeting_status_names),
	FIELD(MODEL_STRING, provider, MUST),
	FIELD(MODEL_STRING, requested_provider, MUST),
	FIELD(MODEL_STRING, provider_key, MODEL_STORED | MODEL_SEALED | MODEL_HEAVY),
	FIELD(MODEL_STRING, provider_url, MODEL_STORED | MODEL_SEALED | MODEL_HEAVY),
	FIELD(MODEL_STRING, join_url, MODEL_SHOWN),
	FIELD(MODEL_STRING, passcode, BOTH | MODEL_SEALED),
	FIELD(MODEL_STRINGS, dial_in, BOTH),
	FIELD(MODEL_INSTANT, starts_at, MUST),
	FIELD(MODEL_INSTANT, ends_at, MUST),
	FIELD(MODEL_STRING, timezone, MUST),
	FIELD(MODEL_INSTANT, opens_at, MUST),
	FIELD(MODEL_INSTANT, expires_at, MUST),
	FIELD(MODEL_OBJECT, security, MUST, .of = &security_model),
	FIELD(MODEL_LIST, warnings, BOTH, .of = &warning_model),
	FIELD(MODEL_OBJECT, last_error, BOTH, .of = &failure_model),
	FIELD(MODEL_INT, attempts, BOTH),
	FIELD(MODEL_INSTANT, next_attempt_at, BOTH),
	FIELD(MODEL_STRING, ended_reason, BOTH),
	FIELD(MODEL_STRING, outcome, BOTH),
	FIELD(MODEL_STRING, calendar_url, MODEL_SHOWN),
	FIELD(MODEL_INT, sequence, BOTH),
	FIELD(MODEL_INSTANT, created_at, BOTH),
	FIELD(MODEL_INSTANT, ready_at, BOTH),
	FIELD(MODEL_INSTANT, ended_at, BOTH),
};

const struct model meeting_model = MODEL(struct meeting, "meeting", meeting_fields);

static void meeting_set_status(struct cause *cause, struct request *request,
	enum meeting_status status, const char *action, const char *detail)
{
	const char *from = meeting_status_names[request->meeting->status];

	request->meeting->status = status;
	audit_add(cause, request, action, from, meeting_status_names[status], detail);
}

void meeting_begin(struct cause *cause, struct request *request, const struct policy *policy,
	const char *provider)
{
	const int64_t give_up_at = cause->now + policy->retry_give_up_s * INSTANT_SECOND;
	struct meeting *meeting = arena_alloc(cause->arena, sizeof(*meeting));
	struct effect *create;

	*meeting = (struct meeting){
		.id = cause_id(cause),
		.generation = 1,
		.status = MEETING_PENDING,
		.provider = provider,
		.requested_provider = provider,
		.provider_key = cause_id(cause),
		.starts_at = request->starts_at,
		.ends_at = request->ends_at,
		.timezone = request->timezone,
		.opens_at = request->starts_at - policy->opens_minutes_before * INSTANT_MINUTE,
		.expires_at = request->ends_at + policy->expires_minutes_after * INSTANT_MINUTE,
		.security = arena_alloc(cause->arena, sizeof(struct security)),
		.next_attempt_at = cause->now,
		.created_at = cause->now,
	};
	*meeting->security = policy->security;
	request->meeting = meeting;
	audit_add(cause, request, "meeting.requested", NULL, meeting_status_names[MEETING_PENDING],
		provider);
	create = effect_owe(cause, request, EFFECT_MEETING_CREATE);
	create->give_up_at = give_up_at < meeting->ends_at ? give_up_at : meeting->ends_at;
}

static void meeting_owe_mail(struct cause *cause, struct request *request, enum effect_kind kind,
	enum party party, int64_t give_up_at)
{
	struct effect *mail = effect_owe(cause, request, kind);

	mail->party = party;
	mail->give_up_at = give_up_at;
}

void meeting_made(struct cause *cause, struct request *request, const struct meeting_link *link)
{
	struct meeting *meeting = request->meeting;
	int64_t give_up_at = cause->now + EFFECT_MAIL_GIVE_UP;

	assert(link->url);
	meeting->provider_url = link->url;
	meeting->passcode = link->passcode;
	meeting->dial_in = link->dial_in;
	meeting->warnings = link->warnings;
	meeting->ready_at = cause->now;
	meeting->next_attempt_at = 0;
	meeting->last_error = NULL;
	meeting_set_status(cause, request, MEETING_READY, "meeting.ready", meeting->provider);
	/* An invitation is of no use once the meeting is over. */
	if (give_up_at > meeting->ends_at)
		give_up_at = meeting->ends_at;
	meeting_owe_mail(cause, request, EFFECT_MAIL_MEETING_READY, PARTY_CLIENT, give_up_at);
	meeting_owe_mail(cause, request, EFFECT_MAIL_MEETING_READY, PARTY_LAWYER, give_up_at);
}

void meeting_attempt_failed(struct cause *cause, struct request *request,
	const struct effect *effect, const struct effect_outcome *outcome)
{
	struct meeting *meeting = request->meeting;
	const char *detail;

	meeting->last_error = arena_alloc(cause->arena, sizeof(struct failure));
	*meeting->last_error = *effect->last_error;
	meeting->last_error->provider = meeting->provider;
	meeting->next_attempt_at = effect->state == EFFECT_FAILED ? 0 : effect->due;
	detail = arena_printf(cause->arena, "%s: %s", meeting->provider, err_code(outcome->err));
	audit_add(cause, request, "provider.attempt_failed", NULL, NULL, detail);
	if (effect->state == EFFECT_FAILED)
		meeting_set_status(cause, request, MEETING_FAILED, "meeting.failed", detail);
}

/*
 * Withdraws an invitation that is not leaving at this moment; true when the person has been told,
 * or may have been: of a lost lease or a failed attempt nobody knows whether the mail arrived.
 */
static bool meeting_withdraw_invitation(struct request *request, enum party party, int64_t now)
{
	bool told;

	MODEL_FOREACH (&request->effects, struct effect, effect) {
		if (effect->kind != EFFECT_MAIL_MEETING_READY || effect->party != (int)party)
			continue;
		told = effect->attempts > 0;
		if (!effect_is_running(effect, now))
			effect_drop(request, effect);
		return told;
	}
	return request->meeting->ready_at != 0;
}

static void meeting_withdraw_creation(struct request *request, int64_t now)
{
	MODEL_FOREACH (&request->effects, struct effect, effect) {
		if (effect->kind == EFFECT_MEETING_CREATE && !effect_is_running(effect, now)) {
			effect_drop(request, effect);
			return;
		}
	}
}

void meeting_cancel(struct cause *cause, struct request *request, const char *reason)
{
	struct meeting *meeting = request->meeting;
	int party;

	meeting->ended_at = cause->now;
	meeting->ended_reason = reason;
	meeting->next_attempt_at = 0;
	meeting->sequence++;
	meeting_set_status(cause, request, MEETING_CANCELLED, "meeting.cancelled", NULL);
	meeting_withdraw_creation(request, cause->now);
	for (party = PARTY_CLIENT; party <= PARTY_LAWYER; party++)
		if (meeting_withdraw_invitation(request, party, cause->now))
			meeting_owe_mail(cause, request, EFFECT_MAIL_MEETING_CANCELLED, party,
				meeting->ends_at + INSTANT_DAY);
}
