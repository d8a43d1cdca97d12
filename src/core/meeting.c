#include "meeting.h"

#include <assert.h>
#include <string.h>

#include "audit.h"
#include "calendar_link.h"
#include "config.h"
#include "instant.h"
#include "news.h"
#include "notice.h"
#include "request.h"

/* A call whose outcome is not known may still be under way at the provider: what it may have made
 * is deleted a little later. */
#define MEETING_REMOVAL_DELAY INSTANT_MINUTE

/* How often a live meeting is compared with what the provider has. */
#define MEETING_VERIFY_EVERY (6 * INSTANT_HOUR)

const char *const meeting_status_names[] = {
	[MEETING_PENDING] = "pending",
	[MEETING_READY] = "ready",
	[MEETING_FAILED] = "failed",
	[MEETING_CANCELLED] = "cancelled",
	[MEETING_EXPIRED] = "expired",
	[MEETING_REPLACED] = "replaced",
	NULL,
};

#define OUTCOME_CLIENT_NO_SHOW "client_no_show"
#define OUTCOME_LAWYER_NO_SHOW "lawyer_no_show"

const char *const meeting_outcome_names[] = {
	"held", OUTCOME_CLIENT_NO_SHOW, OUTCOME_LAWYER_NO_SHOW, NULL};

const char *const attendance_names[] = {
	[ATTENDANCE_UNKNOWN] = "unknown",
	[ATTENDANCE_ACCEPTED] = "accepted",
	[ATTENDANCE_TENTATIVE] = "tentative",
	[ATTENDANCE_DECLINED] = "declined",
	NULL,
};

#define ATTENDANCE(field_name, member, party, ...)                                                 \
	{                                                                                          \
		.name = #field_name,                                                               \
		.offset = offsetof(struct attendance, member) +                                    \
			  (party) * sizeof(((struct attendance *)NULL)->member[0]),                \
		__VA_ARGS__                                                                        \
	}
#define ATTENDANCE_STATE(name, party)                                                              \
	ATTENDANCE(name, state, party, .type = MODEL_ENUM, .flags = MODEL_STORED | MODEL_SHOWN,    \
		.names = attendance_names)
#define ATTENDANCE_AT(name, party)                                                                 \
	ATTENDANCE(name, at, party, .type = MODEL_INSTANT, .flags = MODEL_STORED | MODEL_SPARSE)

static const struct model_field attendance_fields[] = {
	ATTENDANCE_STATE(client, PARTY_CLIENT),
	ATTENDANCE_STATE(lawyer, PARTY_LAWYER),
	ATTENDANCE_AT(client_at, PARTY_CLIENT),
	ATTENDANCE_AT(lawyer_at, PARTY_LAWYER),
};

static const struct model attendance_model =
	MODEL(struct attendance, "attendance", attendance_fields);

static const struct model_field warning_fields[] = {
	MODEL_FIELD(
		struct warning, code, MODEL_STRING, MODEL_STORED | MODEL_SHOWN | MODEL_REQUIRED),
	MODEL_FIELD(struct warning, detail, MODEL_STRING, MODEL_STORED | MODEL_SHOWN),
};

static const struct model warning_model = MODEL(struct warning, "warning", warning_fields);

#define REPORT(type, member, flags)                                                                \
	MODEL_FIELD(struct meeting_report, member, type, MODEL_STORED | (flags))

static const struct model_field report_fields[] = {
	REPORT(MODEL_STRING, digest, MODEL_REQUIRED),
	REPORT(MODEL_INSTANT, at, MODEL_REQUIRED),
	REPORT(MODEL_BOOL, looked, MODEL_SPARSE),
};

static const struct model report_model = MODEL(struct meeting_report, "report", report_fields);

static const struct model_field link_uses_fields[] = {
	MODEL_FIELD(struct link_uses, count, MODEL_INT, MODEL_STORED),
	MODEL_FIELD(struct link_uses, last_at, MODEL_INSTANT, MODEL_STORED),
};

const struct model link_uses_model = MODEL(struct link_uses, "uses", link_uses_fields);

#define FIELD(type, member, flags, ...)                                                            \
	MODEL_FIELD(struct meeting, member, type, flags, __VA_ARGS__)
#define BOTH (MODEL_STORED | MODEL_SHOWN)
#define MUST (BOTH | MODEL_REQUIRED)

#define USES(field_name, link)                                                                     \
	{                                                                                          \
		.name = #field_name, .type = MODEL_OBJECT, .of = &link_uses_model,                 \
		.flags = MODEL_STORED | MODEL_SPARSE,                                              \
		.offset = offsetof(struct meeting, uses) + (link) * sizeof(struct link_uses *)     \
	}

static const struct model_field meeting_fields[] = {
	FIELD(MODEL_STRING, id, MUST),
	FIELD(MODEL_INT, generation, MUST),
	FIELD(MODEL_ENUM, status, MUST, .names = meeting_status_names),
	FIELD(MODEL_STRING, provider, MUST),
	FIELD(MODEL_STRING, requested_provider, MUST),
	FIELD(MODEL_STRING, provider_key, MODEL_STORED | MODEL_SEALED | MODEL_HEAVY),
	FIELD(MODEL_STRING, external_id, MODEL_STORED | MODEL_SEALED | MODEL_SPARSE | MODEL_HEAVY),
	FIELD(MODEL_STRING, external_mark, MODEL_STORED | MODEL_SPARSE | MODEL_HEAVY),
	FIELD(MODEL_STRING, account, MODEL_STORED | MODEL_SEALED | MODEL_SPARSE | MODEL_HEAVY),
	FIELD(MODEL_STRING, provider_url, MODEL_STORED | MODEL_SEALED | MODEL_HEAVY),
	FIELD(MODEL_STRING, join_url, MODEL_SHOWN),
	FIELD(MODEL_STRING, passcode, BOTH | MODEL_SEALED),
	FIELD(MODEL_STRINGS, dial_in, BOTH | MODEL_SEALED),
	FIELD(MODEL_INSTANT, starts_at, MUST),
	FIELD(MODEL_INSTANT, ends_at, MUST),
	FIELD(MODEL_STRING, timezone, MUST),
	FIELD(MODEL_INSTANT, opens_at, MUST),
	FIELD(MODEL_INSTANT, expires_at, MUST),
	FIELD(MODEL_INSTANT, changes_until, MODEL_STORED | MODEL_SPARSE),
	FIELD(MODEL_BOOL, direct, MODEL_STORED),
	FIELD(MODEL_STRING, direct_url, MODEL_STORED | MODEL_SEALED | MODEL_SPARSE),
	FIELD(MODEL_OBJECT, security, MUST, .of = &security_model),
	FIELD(MODEL_LIST, warnings, BOTH, .of = &warning_model),
	FIELD(MODEL_OBJECT, last_error, BOTH, .of = &failure_model),
	FIELD(MODEL_INT, attempts, BOTH),
	FIELD(MODEL_INSTANT, next_attempt_at, BOTH),
	FIELD(MODEL_STRING, change_reason, MODEL_STORED | MODEL_SPARSE),
	FIELD(MODEL_STRING, ended_reason, BOTH),
	FIELD(MODEL_STRING, outcome, BOTH),
	FIELD(MODEL_OBJECT, attendance, BOTH, .of = &attendance_model),
	FIELD(MODEL_STRING, calendar_url, MODEL_SHOWN),
	FIELD(MODEL_OBJECT, add_to_calendar, MODEL_SHOWN, .of = &calendar_links_model),
	FIELD(MODEL_INT, sequence, BOTH),
	FIELD(MODEL_INSTANT, created_at, BOTH),
	FIELD(MODEL_INSTANT, ready_at, BOTH),
	FIELD(MODEL_INSTANT, ended_at, BOTH),
	FIELD(MODEL_INSTANT, held_from, MODEL_STORED | MODEL_SPARSE),
	FIELD(MODEL_INSTANT, held_until, MODEL_STORED | MODEL_SPARSE),
	FIELD(MODEL_INTS, reported, MODEL_STORED | MODEL_SPARSE | MODEL_HEAVY),
	FIELD(MODEL_LIST, reports, MODEL_STORED | MODEL_SPARSE | MODEL_HEAVY, .of = &report_model),
	USES(client_uses, LINK_CLIENT),
	USES(lawyer_uses, LINK_LAWYER),
	USES(host_uses, LINK_HOST),
};

const struct model meeting_model = MODEL(struct meeting, "meeting", meeting_fields);

void meeting_set_status(struct cause *cause, struct request *request, enum meeting_status status,
	const char *action, const char *detail)
{
	const char *from = meeting_status_names[request->meeting->status];

	request->meeting->status = status;
	request->updated_at = cause->now;
	audit_add(cause, request, action, from, meeting_status_names[status], detail);
	news_withdraw_notices(cause, request);
}

struct effect *meeting_effect(const struct request *request, enum effect_kind kind)
{
	MODEL_FOREACH (&request->effects, struct effect, effect) {
		if (effect->kind == (int)kind)
			return effect;
	}
	return NULL;
}

struct effect *meeting_creation(const struct request *request)
{
	MODEL_FOREACH (&request->effects, struct effect, effect) {
		if (effect->kind == EFFECT_MEETING_CREATE &&
			effect->generation == request->meeting->generation)
			return effect;
	}
	return NULL;
}

bool meeting_missed_by(const struct meeting *meeting, enum party *party_r)
{
	const char *outcome = meeting->outcome ? meeting->outcome : "";
	const bool lawyer = strcmp(outcome, OUTCOME_LAWYER_NO_SHOW) == 0;

	*party_r = lawyer ? PARTY_LAWYER : PARTY_CLIENT;
	return lawyer || strcmp(outcome, OUTCOME_CLIENT_NO_SHOW) == 0;
}

const char *meeting_warning(const struct meeting *meeting, const char *code)
{
	MODEL_FOREACH (&meeting->warnings, struct warning, warning) {
		if (strcmp(warning->code, code) == 0)
			return warning->detail;
	}
	return NULL;
}

void meeting_warn(
	struct cause *cause, struct meeting *meeting, const char *code, const char *detail)
{
	struct warning *warning;
	size_t i;

	for (i = meeting->warnings.count; i-- > 0;)
		if (strcmp(MODEL_AT(&meeting->warnings, struct warning, i)->code, code) == 0)
			model_list_remove(&meeting->warnings, sizeof(struct warning), i);
	if (!detail)
		return;
	warning = model_list_add(cause->arena, &meeting->warnings, sizeof(*warning));
	*warning = (struct warning){.code = code, .detail = detail};
}

struct model_list meeting_warnings_for(
	struct arena *arena, const struct meeting *meeting, enum role role)
{
	struct model_list shown = {0};

	if (role != ROLE_CLIENT || !meeting_warning(meeting, WARNING_OVERLAPS))
		return meeting->warnings;
	MODEL_FOREACH (&meeting->warnings, struct warning, warning) {
		if (strcmp(warning->code, WARNING_OVERLAPS) != 0)
			*(struct warning *)model_list_add(arena, &shown, sizeof(*warning)) =
				*warning;
	}
	return shown;
}

/* What stands whatever a provider says of the link that it has now. */
static void meeting_carry_warnings(
	struct cause *cause, const struct model_list *before, struct meeting *meeting)
{
	static const char *const codes[] = {WARNING_ORPHAN, WARNING_FAILOVER,
		WARNING_CLIENT_NOT_TOLD, WARNING_LAWYER_NOT_TOLD, WARNING_OVERLAPS};
	size_t i;

	MODEL_FOREACH (before, struct warning, warning) {
		for (i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
			if (strcmp(warning->code, codes[i]) == 0)
				meeting_warn(cause, meeting, warning->code, warning->detail);
	}
}

/* ---- what is owed to the provider ---- */

struct effect *meeting_owe_creation(struct cause *cause, struct request *request)
{
	request->meeting->next_attempt_at = cause->now;
	return effect_owe(cause, request, EFFECT_MEETING_CREATE);
}

static void meeting_owe_expiry(struct cause *cause, struct request *request)
{
	struct effect *expire = meeting_effect(request, EFFECT_MEETING_EXPIRE);

	if (!expire)
		expire = effect_owe(cause, request, EFFECT_MEETING_EXPIRE);
	expire->generation = request->meeting->generation;
	expire->due = request->meeting->expires_at;
	expire->lease = NULL;
}

void meeting_owe_verification(struct cause *cause, struct request *request)
{
	const struct meeting *meeting = request->meeting;
	struct effect *verify = meeting_effect(request, EFFECT_MEETING_VERIFY);

	if (!verify)
		verify = effect_owe(cause, request, EFFECT_MEETING_VERIFY);
	verify->generation = meeting->generation;
	verify->due = cause->now + MEETING_VERIFY_EVERY;
	/* Once more just before people come. */
	if (cause->now < meeting->opens_at && verify->due > meeting->opens_at)
		verify->due = meeting->opens_at;
	verify->give_up_at = effect_give_up_at(cause, request, EFFECT_MEETING_VERIFY);
	verify->lease = NULL;
}

void meeting_owe_update(struct cause *cause, struct request *request)
{
	struct effect *update;
	size_t i;

	for (i = request->effects.count; i-- > 0;) {
		update = MODEL_AT(&request->effects, struct effect, i);
		if (update->kind == EFFECT_MEETING_UPDATE && !effect_is_running(update, cause->now))
			effect_drop(request, update);
	}
	effect_owe(cause, request, EFFECT_MEETING_UPDATE);
}

void meeting_owe_removal(
	struct cause *cause, struct request *request, const struct removal *removal)
{
	struct effect *effect = effect_owe(cause, request, EFFECT_MEETING_DELETE);

	*effect->removal = *removal;
	if (!removal->external_id)
		effect->due += MEETING_REMOVAL_DELAY;
}

void meeting_owe_removals(
	struct cause *cause, struct request *request, const struct model_list *removals)
{
	MODEL_FOREACH (removals, struct removal, removal) {
		meeting_owe_removal(cause, request, removal);
	}
}

/*
 * The present generation ends: what it owes the provider is taken back, and what the provider has,
 * or may have, made is deleted. A call that is under way compensates for itself when it is settled,
 * or claimed again; so does one of an earlier generation.
 */
static void meeting_leave_provider(struct cause *cause, struct request *request)
{
	struct meeting *meeting = request->meeting;
	const struct removal removal = {
		.provider = meeting->provider,
		.provider_key = meeting->provider_key,
		.external_id = meeting->external_id,
		.account = meeting->account,
	};
	bool made = meeting->external_id != NULL;
	struct model_list maybe_made = {0};
	size_t i;

	for (i = request->effects.count; i-- > 0;) {
		const struct effect *effect = MODEL_AT(&request->effects, struct effect, i);

		if (!effect_row(effect)->ends_with_link ||
			effect->generation != meeting->generation ||
			effect_is_running(effect, cause->now))
			continue;
		if (effect->creation) {
			made |= effect->creation->begun;
			maybe_made = effect->creation->maybe_made;
		}
		effect_drop(request, effect);
	}
	/* What the provider still shows matters no longer. */
	meeting_warn(cause, meeting, WARNING_NOT_UPDATED, NULL);
	if (made)
		meeting_owe_removal(cause, request, &removal);
	meeting_owe_removals(cause, request, &maybe_made);
}

/* ---- its life ---- */

struct attendance *meeting_unanswered(struct arena *arena)
{
	struct attendance *attendance = arena_alloc(arena, sizeof(*attendance));

	attendance->state[PARTY_LAWYER] = ATTENDANCE_ACCEPTED;
	return attendance;
}

char *meeting_uid(struct arena *arena, const struct meeting *meeting)
{
	return arena_printf(arena, "%s@meetlink", meeting->id);
}

static struct meeting *meeting_new(
	struct cause *cause, struct request *request, const char *provider)
{
	const struct policy *policy = cause->config->policy;
	struct meeting *meeting = arena_alloc(cause->arena, sizeof(*meeting));

	*meeting = (struct meeting){
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
		.direct = policy->join_links == JOIN_DIRECT,
		.security = arena_alloc(cause->arena, sizeof(struct security)),
		.attendance = meeting_unanswered(cause->arena),
		.created_at = cause->now,
	};
	*meeting->security = *policy->security;
	if (policy->change_until_minutes_before)
		meeting->changes_until =
			request->starts_at - policy->change_until_minutes_before * INSTANT_MINUTE;
	return meeting;
}

void meeting_begin(struct cause *cause, struct request *request, const char *provider)
{
	request->meeting = meeting_new(cause, request, provider);
	request->meeting->id = cause_id(cause);
	audit_add(cause, request, "meeting.requested", NULL, meeting_status_names[MEETING_PENDING],
		provider);
	meeting_owe_creation(cause, request);
	meeting_owe_expiry(cause, request);
	notice_plan(cause, request);
}

void meeting_replace(
	struct cause *cause, struct request *request, const char *provider, const char *reason)
{
	struct meeting *old = request->meeting, *meeting;

	if (old->status != MEETING_CANCELLED) {
		meeting_leave_provider(cause, request);
		news_withdraw(cause, request);
		old->ended_at = cause->now;
		old->ended_reason = reason;
		old->next_attempt_at = 0;
		meeting_set_status(cause, request, MEETING_REPLACED, "meeting.replaced", NULL);
	}
	*(struct meeting *)model_list_add(cause->arena, &request->meetings, sizeof(*old)) = *old;

	meeting = meeting_new(cause, request, provider);
	meeting->id = old->id;
	meeting->generation = old->generation + 1;
	meeting->sequence = old->sequence + 1;
	meeting_carry_warnings(cause, &old->warnings, meeting);
	meeting_warn(cause, meeting, WARNING_FAILOVER, NULL);
	/* Who has said to come at that time will, by whatever link. */
	if (old->status == MEETING_REPLACED)
		*meeting->attendance = *old->attendance;
	request->meeting = meeting;
	request->updated_at = cause->now;
	audit_add(cause, request, "meeting.regenerated", meeting_status_names[old->status],
		meeting_status_names[MEETING_PENDING], provider);
	meeting_owe_creation(cause, request);
	meeting_owe_expiry(cause, request);
	notice_plan(cause, request);
}

void meeting_move(struct cause *cause, struct request *request)
{
	struct meeting *meeting = request->meeting;
	const int64_t before = meeting->starts_at - meeting->opens_at;
	const int64_t after = meeting->expires_at - meeting->ends_at;
	const int64_t notice = meeting->starts_at - meeting->changes_until;
	struct effect *create = meeting_creation(request);

	meeting->starts_at = request->starts_at;
	meeting->ends_at = request->ends_at;
	meeting->timezone = request->timezone;
	meeting->opens_at = meeting->starts_at - before;
	meeting->expires_at = meeting->ends_at + after;
	if (meeting->changes_until)
		meeting->changes_until = meeting->starts_at - notice;
	meeting->sequence++;
	/* How it went was how it went at that time, and who comes is who comes then. */
	meeting->outcome = NULL;
	meeting->attendance = meeting_unanswered(cause->arena);
	meeting->held_from = meeting->held_until = 0;
	if (request->proposal) {
		request->proposal = NULL;
		news_withdraw_notices(cause, request);
	}
	if (create)
		create->give_up_at = effect_give_up_at(cause, request, EFFECT_MEETING_CREATE);
	meeting_owe_expiry(cause, request);
	if (meeting->external_id) {
		meeting_owe_update(cause, request);
		meeting_owe_verification(cause, request);
	}
	notice_plan(cause, request);
	news_owe_change(cause, request);
}

void meeting_remake(struct cause *cause, struct request *request)
{
	struct meeting *meeting = request->meeting;

	news_remember(cause, request);
	meeting_leave_provider(cause, request);
	meeting->provider = meeting->requested_provider;
	meeting->provider_key = cause_id(cause);
	meeting->external_id = meeting->account = NULL;
	meeting->provider_url = meeting->direct_url = meeting->passcode = NULL;
	meeting->dial_in = (struct model_list){0};
	meeting_warn(cause, meeting, WARNING_FAILOVER, NULL);
	meeting->ready_at = 0;
	meeting->sequence++;
	news_withdraw(cause, request);
	meeting_set_status(cause, request, MEETING_PENDING, "provider.drift_repaired", "gone");
	meeting_owe_creation(cause, request);
}

void meeting_set_granted(
	struct cause *cause, struct request *request, const struct meeting_link *link)
{
	struct meeting *meeting = request->meeting;
	const struct model_list before = meeting->warnings;
	/* Numbers and passcode of another room lead nowhere, or to strangers. */
	const bool moved = link->url && (!meeting->provider_url ||
						strcmp(link->url, meeting->provider_url) != 0);

	news_remember(cause, request);
	if (link->url)
		meeting->provider_url = link->url;
	meeting->direct_url = meeting->direct ? meeting->provider_url : NULL;
	if (moved || link->passcode)
		meeting->passcode = link->passcode;
	if (!cause->config->policy->show_dial_in)
		meeting->dial_in = (struct model_list){0};
	else if (moved || link->dial_in.count)
		meeting->dial_in = link->dial_in;
	meeting->warnings = link->warnings;
	meeting_carry_warnings(cause, &before, meeting);
	if (strcmp(meeting->provider, meeting->requested_provider) == 0)
		meeting_warn(cause, meeting, WARNING_FAILOVER, NULL);
	else if (!meeting_warning(meeting, WARNING_FAILOVER))
		meeting_warn(cause, meeting, WARNING_FAILOVER,
			arena_printf(cause->arena, "%s was used, because %s could not.",
				meeting->provider, meeting->requested_provider));
}

void meeting_withhold(struct cause *cause, struct request *request)
{
	struct meeting *meeting = request->meeting;

	if (cause->config->policy->show_dial_in || !meeting->dial_in.count)
		return;
	news_remember(cause, request);
	meeting->dial_in = (struct model_list){0};
	news_owe_change(cause, request);
}

void meeting_forgive(struct meeting *meeting)
{
	const struct failure *last = meeting->last_error;

	if (last && last->provider && strcmp(last->provider, meeting->provider) != 0 &&
		strcmp(meeting->requested_provider, meeting->provider) != 0)
		return;
	meeting->last_error = NULL;
}

void meeting_made(struct cause *cause, struct request *request, const struct meeting_link *link)
{
	struct meeting *meeting = request->meeting;

	assert(link->url);
	meeting->external_id = link->external_id;
	meeting->account = link->account;
	meeting_set_granted(cause, request, link);
	meeting->ready_at = cause->now;
	meeting->next_attempt_at = 0;
	meeting_forgive(meeting);
	meeting_set_status(cause, request, MEETING_READY, "meeting.ready", meeting->provider);
	if (meeting->external_id)
		meeting_owe_verification(cause, request);
	notice_plan(cause, request);
	news_owe_link(cause, request);
}

void meeting_cancel(struct cause *cause, struct request *request, const char *reason)
{
	struct meeting *meeting = request->meeting;

	meeting->ended_at = cause->now;
	meeting->ended_reason = reason;
	meeting->next_attempt_at = 0;
	meeting->sequence++;
	request->proposal = NULL;
	meeting_set_status(cause, request, MEETING_CANCELLED, "meeting.cancelled", NULL);
	meeting_leave_provider(cause, request);
	news_owe_cancellation(cause, request);
}

void meeting_expire(struct cause *cause, struct request *request)
{
	struct meeting *meeting = request->meeting;

	meeting->ended_at = cause->now;
	meeting->next_attempt_at = 0;
	meeting_set_status(cause, request, MEETING_EXPIRED, "meeting.expired", NULL);
	meeting_leave_provider(cause, request);
	news_withdraw(cause, request);
}
