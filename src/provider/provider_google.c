#include "provider_google.h"

#include <json-c/json.h>
#include <string.h>

#include "clock.h"
#include "id.h"
#include "provider_google_private.h"
#include "provider_http.h"
#include "provider_refusal.h"
#include "provider_token.h"

enum {
	GOOGLE_GET_MS = 300,  /* less time than that is not worth a question */
	GOOGLE_HOLD_S = 3600, /* after a quota is used up */
	GOOGLE_LOOKS = 3,     /* an event made just now is not seen at once */
};

static const struct provider_field google_fields[] = {
	{.name = "service_account_json",
		.secret = true,
		.multi_line = true,
		.help = "the JSON file of a service account's key, whole; the account needs "
			"domain-wide delegation"},
	{.name = "subject", .secret = true, .help = "the Google user it acts for: an address"},
	{.name = "client_id",
		.secret = true,
		.help = "of an OAuth client, in place of a service account"},
	{.name = "client_secret", .secret = true, .help = "of the OAuth client"},
	{.name = "refresh_token", .secret = true, .help = "a user's consent for calendar.events"},
	{.name = "calendar_id", .help = "the calendar's address; \"primary\" when not set"},
	{.name = PROVIDER_END, .help = "YYYY-MM-DD, where the key has a last day"},
	{0},
};

/* Guests from outside knock before they come in: a waiting room, as Meet has it. */
static const char *const google_capabilities[] = {"waiting_room", "update", "dial_in", NULL};

/* PROVIDERS.md section 1.2; what has no row is as provider_http.h says. */
static const struct provider_rule google_rules[] = {
	{400, NULL, "Invalid conference type value", ERR_UNAVAILABLE,
		"This Google account cannot make Meet links."},
	{400, "timeRangeEmpty", NULL, ERR_PERMANENT, "Google refuses these times."},
	{403, "userRateLimitExceeded", NULL, ERR_TEMPORARY, NULL},
	{403, "rateLimitExceeded", NULL, ERR_TEMPORARY, NULL},
	{403, "RESOURCE_EXHAUSTED", NULL, ERR_TEMPORARY, NULL},
	{403, "quotaExceeded", NULL, ERR_UNAVAILABLE, "This calendar's quota is used up."},
	{403, "dailyLimitExceeded", NULL, ERR_UNAVAILABLE, "The day's quota is used up."},
	{403, "accessNotConfigured", NULL, ERR_CREDENTIAL,
		"The Calendar API is not enabled in the Google Cloud project."},
	{403, "forbiddenForServiceAccounts", NULL, ERR_CREDENTIAL,
		"The service account needs domain-wide delegation."},
	{403, "insufficientPermissions", NULL, ERR_CREDENTIAL,
		"The consent does not cover calendar.events."},
	{403, "requiredAccessLevel", NULL, ERR_CREDENTIAL,
		"The account may not change this calendar."},
	/* The event is there: ours, or (never yet seen) somebody else's. */
	{409, "duplicate", NULL, ERR_CONFLICT, "The event is there already."},
	{409, "ALREADY_EXISTS", NULL, ERR_CONFLICT, "The event is there already."},
	{409, NULL, NULL, ERR_TEMPORARY, NULL},
	{412, NULL, NULL, ERR_TEMPORARY, NULL},
	{0, NULL, NULL, ERR_OK, NULL},
};

static const char *google_calendar(const struct config *config)
{
	const char *calendar = provider_google_text(config, "calendar_id");

	return calendar ? calendar : "primary";
}

static const char *google_account(const struct provider_call *call)
{
	const char *who = provider_google_text(call->config, "subject");

	if (!who)
		who = provider_google_text(call->config, "client_id");
	return arena_printf(call->arena, "%s/%s", who ? who : "", google_calendar(call->config));
}

static bool google_is_quota(const struct provider_call *call, const struct rest_reply *reply)
{
	struct provider_error error;

	provider_refusal_read(call, reply, &error);
	return strcmp(error.code, "quotaExceeded") == 0 ||
	       strcmp(error.code, "dailyLimitExceeded") == 0;
}

/* The event is there, or may be: whatever went wrong now, it has to be looked up. */
static enum err google_unknown(struct err_info *info)
{
	if (info)
		info->err = ERR_OUTCOME_UNKNOWN;
	return ERR_OUTCOME_UNKNOWN;
}

/* `suffix` follows …/events. *json_r is left alone unless the answer is ERR_OK; NULL: no JSON is
 * wanted. */
static enum err google_send(const struct provider_call *call, enum rest_method method,
	const char *suffix, const char *body, struct json_object **json_r, struct err_info *info)
{
	struct rest_request request = {
		.method = method,
		.content_type = body ? "application/json" : NULL,
		.body = body,
	};
	const char *path = arena_printf(call->arena, "/calendars/%s/events%s",
		rest_escape(call->arena, google_calendar(call->config)), suffix);
	struct rest_reply reply = {0};
	enum err err = provider_send(call, call->conf->google_api_url, path, &request,
		json_r != NULL, google_rules, &reply, info);

	if (err == ERR_OK && json_r)
		*json_r = reply.json;
	if (err == ERR_UNAVAILABLE && info && google_is_quota(call, &reply) &&
		info->retry_after_s < GOOGLE_HOLD_S)
		info->retry_after_s = GOOGLE_HOLD_S;
	/* What Google could not finish may be there. */
	if (err == ERR_TEMPORARY && method == REST_POST && reply.status == 503)
		return google_unknown(info);
	if (err == ERR_GONE && suffix[0] == '?')
		return err_set(info, ERR_CREDENTIAL,
			"Google Meet: There is no such calendar for this account.");
	return err;
}

/* `sendUpdates=none`: nobody hears of it from Google, the invitations are ours. Without
 * conferenceDataVersion a conference is ignored without a word. */
static enum err google_event(const struct provider_call *call, enum rest_method method,
	const char *event_id, const char *body, struct json_object **event_r, struct err_info *info)
{
	struct json_object *event = NULL;
	const char *query = "";
	enum err err;

	if (method == REST_DELETE)
		query = "?sendUpdates=none";
	else if (method != REST_GET)
		query = "?conferenceDataVersion=1&sendUpdates=none";
	err = google_send(call, method,
		method == REST_POST ? query
				    : arena_printf(call->arena, "/%s%s",
					      rest_escape(call->arena, event_id), query),
		body, event_r ? &event : NULL, info);
	if (err == ERR_CONFLICT && method != REST_POST)
		return err_set(info, ERR_TEMPORARY, "Google Meet: It is changing the event.");
	if (err != ERR_OK || !event_r)
		return err;
	if (strcmp(provider_google_member(event, "id"), event_id) != 0)
		return err_set(info, method == REST_POST ? ERR_OUTCOME_UNKNOWN : ERR_TEMPORARY,
			"Google Meet: Its answer is about another event.");
	*event_r = event;
	return ERR_OK;
}

static enum err google_id_of(struct arena *arena, const char *external_id, const char *provider_key,
	const char **id_r, struct err_info *info)
{
	*id_r = external_id;
	return external_id ? ERR_OK : provider_google_event_id(arena, provider_key, id_r, info);
}

/* Waits before the next question; false when there is no time for one. */
static bool google_pause(const struct provider_call *call, size_t turn)
{
	static const int pauses_ms[] = {200, 1000, 2000, 4000};
	const int64_t ms = pauses_ms[turn < 3 ? turn : 3];

	if ((call->until_us - clock_monotonic_us()) / 1000 < ms + GOOGLE_GET_MS)
		return false;
	clock_sleep_ms(ms);
	return true;
}

/* Nothing may be left behind when another provider is to do it; keeps the words of `info`. */
static enum err google_give_up(
	const struct provider_call *call, const char *event_id, enum err err, struct err_info *info)
{
	const enum err removed = google_event(call, REST_DELETE, event_id, NULL, NULL, NULL);

	return removed == ERR_OK || removed == ERR_GONE ? err : google_unknown(info);
}

/* Asks for a conference (again), and brings a deleted event back. The requestId follows the event's
 * version: the same when the call is repeated after it was lost, another once it had an effect. */
static enum err google_ask(const struct provider_call *call, const struct provider_plan *plan,
	const char *event_id, struct json_object **event, struct err_info *info)
{
	char conference[ID_SIZE];
	const char *body;
	enum err err;

	id_derive(conference, NULL, 0, plan->provider_key, provider_google_member(*event, "etag"),
		NULL);
	body = provider_google_whole(call->arena, plan, NULL, conference);
	err = google_event(call, REST_PATCH, event_id, body, event, info);
	if (err == ERR_UNAVAILABLE || err == ERR_CREDENTIAL || err == ERR_PERMANENT)
		return google_give_up(call, event_id, err, info);
	return err == ERR_OK ? ERR_OK : google_unknown(info);
}

/*
 * From an event to its link. A conference is made in Google's own time: then the event is asked for
 * again, never inserted again. One that failed, or went missing, is asked for once more.
 */
static enum err google_settle(const struct provider_call *call, const struct provider_plan *plan,
	const char *event_id, struct json_object *event, struct meeting_link *link_r,
	struct err_info *info)
{
	enum google_conference conference;
	bool asked = false;
	size_t turn = 0;
	enum err err;

	while ((conference = provider_google_conference(call->arena, event, link_r)) !=
		GOOGLE_READY) {
		if (conference == GOOGLE_PENDING) {
			if (!google_pause(call, turn++))
				return err_set(info, ERR_STILL_PENDING,
					"Google Meet: The link is still being made.");
			err = google_event(call, REST_GET, event_id, NULL, &event, info);
			if (err != ERR_OK && err != ERR_GONE)
				return google_unknown(info);
		} else if (!asked) {
			asked = true;
			err = google_ask(call, plan, event_id, &event, info);
			if (err != ERR_OK)
				return err;
		} else {
			err_set(info, ERR_UNAVAILABLE, "Google Meet: It could not make a link.");
			return google_give_up(call, event_id, ERR_UNAVAILABLE, info);
		}
	}
	link_r->external_id = event_id;
	link_r->account = google_account(call);
	provider_google_secure(call, plan, link_r);
	return ERR_OK;
}

/* An event of an earlier call, which may have been about other times. */
static enum err google_adopt(const struct provider_call *call, const struct provider_plan *plan,
	const char *event_id, struct json_object *event, struct meeting_link *link_r,
	struct err_info *info)
{
	int64_t starts_at, ends_at;
	const char *schedule;

	if (!provider_google_is_ours(call->arena, event, plan))
		return err_set(info, ERR_UNAVAILABLE,
			"Google Meet: Another event has the name of this one.");
	provider_google_times(event, &starts_at, &ends_at);
	if (!provider_google_is_cancelled(event) &&
		(starts_at != plan->starts_at || ends_at != plan->ends_at)) {
		schedule = provider_google_schedule(call->arena, plan);
		if (google_event(call, REST_PATCH, event_id, schedule, &event, info) != ERR_OK)
			return google_unknown(info);
	}
	return google_settle(call, plan, event_id, event, link_r, info);
}

/* The insert is idempotent by the event's id. Looking first is for safety: Google does not promise
 * to notice each collision. */
static enum err google_create(const struct provider_call *call, const struct provider_plan *plan,
	bool repeated, struct meeting_link *link_r, struct err_info *info)
{
	struct json_object *event = NULL;
	const char *event_id, *body;
	enum err err;
	size_t turn;

	err = provider_google_event_id(call->arena, plan->provider_key, &event_id, info);
	if (err != ERR_OK)
		return err;
	err = repeated ? google_event(call, REST_GET, event_id, NULL, &event, info) : ERR_GONE;
	if (err == ERR_OK)
		return google_adopt(call, plan, event_id, event, link_r, info);
	if (err != ERR_GONE)
		return err;
	body = provider_google_whole(call->arena, plan, event_id, event_id);
	err = google_event(call, REST_POST, event_id, body, &event, info);
	if (err == ERR_OK)
		return google_settle(call, plan, event_id, event, link_r, info);
	if (err != ERR_CONFLICT)
		return err;
	for (turn = 0; turn < GOOGLE_LOOKS; turn++) {
		err = google_event(call, REST_GET, event_id, NULL, &event, info);
		if (err == ERR_OK)
			return google_adopt(call, plan, event_id, event, link_r, info);
		if (err != ERR_GONE || !google_pause(call, turn))
			break;
	}
	return google_unknown(info);
}

/* In another calendar a meeting would not be found, and pass for deleted. */
static bool google_is_another(const struct provider_call *call, const char *account)
{
	return account && strcmp(account, google_account(call)) != 0;
}

static enum err google_is_elsewhere(struct err_info *info)
{
	return err_set(info, ERR_PERMANENT,
		"Google Meet: Another account made this meeting than the one that is set up now.");
}

static enum err google_update(const struct provider_call *call, const struct provider_plan *plan,
	struct meeting_link *link_r, struct err_info *info)
{
	struct json_object *event = NULL;
	const char *event_id;
	enum err err;

	err = google_id_of(call->arena, plan->external_id, plan->provider_key, &event_id, info);
	if (err == ERR_OK)
		err = google_event(call, REST_PATCH, event_id,
			provider_google_schedule(call->arena, plan), &event, info);
	if (err == ERR_GONE && google_is_another(call, plan->account))
		return google_is_elsewhere(info);
	if (err != ERR_OK)
		return err;
	if (provider_google_is_cancelled(event))
		return err_set(info, ERR_GONE, "Google Meet: The event was deleted there.");
	return google_settle(call, plan, event_id, event, link_r, info);
}

static enum err google_remove(const struct provider_call *call,
	const struct provider_target *target, struct err_info *info)
{
	const char *event_id;
	size_t turn = 0;
	enum err err;

	if (google_is_another(call, target->account))
		return google_is_elsewhere(info);
	err = google_id_of(call->arena, target->external_id, target->provider_key, &event_id, info);
	if (err == ERR_OK)
		err = google_event(call, REST_DELETE, event_id, NULL, NULL, info);
	/* That it was made is known, so not to find it may only be too early. */
	while (err == ERR_GONE && target->external_id && ++turn < GOOGLE_LOOKS &&
		google_pause(call, turn - 1))
		err = google_event(call, REST_DELETE, event_id, NULL, NULL, info);
	return err == ERR_GONE ? ERR_OK : err;
}

static enum err google_read(const struct provider_call *call, const struct provider_plan *plan,
	struct provider_state *state_r, struct err_info *info)
{
	enum google_conference conference;
	const char *event_id, *drift = NULL;
	struct json_object *event = NULL;
	struct meeting_link link;
	enum err err;

	err = google_id_of(call->arena, plan->external_id, plan->provider_key, &event_id, info);
	if (err == ERR_OK)
		err = google_event(call, REST_GET, event_id, NULL, &event, info);
	if (err == ERR_GONE && google_is_another(call, plan->account))
		return google_is_elsewhere(info);
	if (err != ERR_OK)
		return err;
	if (provider_google_is_cancelled(event))
		return err_set(info, ERR_GONE, "Google Meet: The event was deleted there.");
	*state_r = (struct provider_state){0};
	provider_google_times(event, &state_r->starts_at, &state_r->ends_at);
	conference = provider_google_conference(call->arena, event, &link);
	if (conference == GOOGLE_NONE ||
		(conference == GOOGLE_READY && plan->url && strcmp(plan->url, link.url) != 0))
		drift = "conference";
	else if (conference == GOOGLE_READY && provider_google_is_unsecured(call, plan, link.url))
		drift = "security";
	if (drift)
		*(const char **)model_list_add(call->arena, &state_r->drift, sizeof(char *)) =
			drift;
	return ERR_OK;
}

static bool google_checked(const struct provider_call *call, struct model_list *checks,
	const char *name, bool ok, const char *detail)
{
	struct provider_check *check = model_list_add(call->arena, checks, sizeof(*check));

	*check = (struct provider_check){name, ok, arena_strdup(call->arena, detail)};
	return ok;
}

/* Whether a service account was granted the scope since its token was; a consent stays what it is.
 * Then another token is taken by everybody. */
static bool google_was_granted_since(
	const struct provider_call *call, const struct provider_token *token)
{
	struct provider_grant grant;

	if (!provider_google_text(call->config, "service_account_json") ||
		provider_google_grant(call, NULL, &grant, NULL) != ERR_OK ||
		!provider_google_is_meet_scope(grant.scope))
		return false;
	provider_token_refused(call, token->access_token);
	return true;
}

/* Nothing is wrong without that scope, but there is more to have. */
static void google_check_scope(const struct provider_call *call, const struct provider_token *token,
	struct model_list *checks)
{
	const bool granted = provider_google_is_meet_scope(token->scope) ||
			     google_was_granted_since(call, token);

	google_checked(call, checks, "meet_settings", true,
		granted ? "Who may enter, and who is the host, is set for each meeting."
			: "The account's own defaults say who may enter. To have it set for each "
			  "meeting, grant the scope " GOOGLE_MEET_SCOPE
			  " too, and enable the Google Meet REST API.");
}

/* To list events needs what writing them needs, but for the right to write: accessRole tells. */
static void google_validate(const struct provider_call *call, struct model_list *checks)
{
	struct json_object *list = NULL;
	struct provider_token token;
	struct err_info info = {0};
	const char *role;
	enum err err;

	err = provider_token_get(call, &token, &info);
	if (!google_checked(call, checks, "token", err == ERR_OK,
		    err == ERR_OK ? google_account(call) : provider_told(call->arena, &info)))
		return;
	err = google_send(call, REST_GET, "?maxResults=1", NULL, &list, &info);
	role = provider_google_member(list, "accessRole");
	if (err == ERR_OK && role[0] && strcmp(role, "owner") != 0 && strcmp(role, "writer") != 0)
		err = err_set(&info, ERR_CREDENTIAL,
			"Google Meet: The account may read this calendar but not write to it.");
	if (google_checked(call, checks, "permissions", err == ERR_OK,
		    err == ERR_OK ? google_calendar(call->config)
				  : provider_told(call->arena, &info)))
		google_check_scope(call, &token, checks);
}

const struct provider provider_google = {
	.name = GOOGLE_NAME,
	.title = "Google Meet",
	.fields = google_fields,
	.endpoints = {PROVIDER_ENDPOINT(google, api_url), PROVIDER_ENDPOINT(google, meet_url),
		PROVIDER_ENDPOINT(google, token_url)},
	.capabilities = google_capabilities,
	.check = provider_google_check,
	.account = google_account,
	.grant = provider_google_grant,
	.read_error = provider_google_read_error,
	.options = provider_google_options,
	.create = google_create,
	.update = google_update,
	.remove = google_remove,
	.read = google_read,
	.validate = google_validate,
};
