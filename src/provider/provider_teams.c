#include "provider_teams.h"

#include <json-c/json.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "id.h"
#include "instant.h"
#include "provider_http.h"
#include "provider_refusal.h"
#include "provider_teams_private.h"
#include "provider_token.h"

/* Who waits in the lobby: with a waiting room all but the organizer, without one nobody; clients
 * are outside of the organization, so nothing in between is of use. */
#define TEAMS_LOBBY_ALL  "organizer"
#define TEAMS_LOBBY_NONE "everyone"

#define TEAMS_NO_ORGANIZER "Microsoft Teams: The organizer that is set does not exist there."

/* Real ids have about 150 characters. */
enum { TEAMS_MAX_ID = 1024 };

/* Decided by status: Graph's codes differ from service to service. What is not here is as for all
 * providers (provider_http.h); 504 too, because a POST may then have been done. */
static const struct provider_rule teams_rules[] = {
	{.status = 402,
		.class = ERR_CREDENTIAL,
		.words = "The organizer lacks a licence for this."},
	{.status = 403,
		.class = ERR_CREDENTIAL,
		.words = "The app may not do this for the organizer: it needs the permission "
			 "OnlineMeetings.ReadWrite.All, and an application access policy that is "
			 "granted to the organizer."},
	{.status = 409, .class = ERR_TEMPORARY},
	{.status = 412, .class = ERR_TEMPORARY},
	{.status = 423, .class = ERR_TEMPORARY},
	{.status = 509, .class = ERR_TEMPORARY},
	{.class = ERR_OK},
};

static const char *teams_account(const struct provider_call *call)
{
	return arena_printf(call->arena, "%s/%s", provider_text(call, "tenant_id"),
		provider_text(call, "organizer"));
}

/* The organizer of a meeting that `account` made (NULL: the one that is set). Another tenant would
 * say that it has no such meeting, and that would not be true. */
static enum err teams_organizer(const struct provider_call *call, const char *account,
	const char **organizer_r, struct err_info *info)
{
	const char *tenant = provider_text(call, "tenant_id");
	const size_t len = tenant ? strlen(tenant) : 0;

	*organizer_r = provider_text(call, "organizer");
	if (!tenant || !*organizer_r)
		return err_set(info, ERR_CREDENTIAL,
			"Microsoft Teams: Its settings or credentials are not complete.");
	if (!account)
		return ERR_OK;
	if (strncasecmp(account, tenant, len) != 0 || account[len] != '/')
		return err_set(info, ERR_CREDENTIAL,
			"Microsoft Teams: The meeting was made in another tenant than the one "
			"that is set now.");
	*organizer_r = account + len + 1;
	return ERR_OK;
}

/* Under the organizer's meetings: `what` is an action or an id, which may hold any character. */
static const char *teams_path(
	const struct provider_call *call, const char *organizer, const char *what)
{
	return arena_printf(call->arena, "/users/%s/onlineMeetings/%s",
		rest_escape(call->arena, organizer), rest_escape(call->arena, what));
}

/* Sends `body` (taken; NULL: none). `json`: whether a meeting is to come back. */
static enum err teams_send(const struct provider_call *call, enum rest_method method,
	const char *path, struct json_object *body, bool json, struct rest_reply *reply_r,
	struct err_info *info)
{
	struct rest_request request = {.method = method};

	*reply_r = (struct rest_reply){0};
	if (body) {
		request.content_type = "application/json";
		request.body = arena_strdup(
			call->arena, json_object_to_json_string_ext(body, JSON_C_TO_STRING_PLAIN));
		json_object_put(body);
	}
	return provider_send(
		call, call->conf->teams_api_url, path, &request, json, teams_rules, reply_r, info);
}

static struct json_object *teams_schedule(const struct provider_plan *plan)
{
	struct json_object *body = json_object_new_object();
	char starts_at[INSTANT_TEXT_SIZE], ends_at[INSTANT_TEXT_SIZE];

	instant_format(plan->starts_at, false, starts_at);
	instant_format(plan->ends_at, false, ends_at);
	json_object_object_add(body, "subject", json_object_new_string(plan->title));
	json_object_object_add(body, "startDateTime", json_object_new_string(starts_at));
	json_object_object_add(body, "endDateTime", json_object_new_string(ends_at));
	return body;
}

static const char *teams_lobby(const struct security *security)
{
	return security->waiting_room ? TEAMS_LOBBY_ALL : TEAMS_LOBBY_NONE;
}

static void teams_add_options(struct json_object *body, const struct security *security)
{
	struct json_object *lobby = json_object_new_object();

	json_object_object_add(lobby, "scope", json_object_new_string(teams_lobby(security)));
	json_object_object_add(lobby, "isDialInBypassEnabled", json_object_new_boolean(false));
	json_object_object_add(body, "lobbyBypassSettings", lobby);
	json_object_object_add(body, "allowedPresenters", json_object_new_string("organizer"));
}

/* The meeting with our externalId, made if it is not there; `body` (taken) says what it shall be
 * then. Says its id. */
static enum err teams_create_or_get(const struct provider_call *call, const char *organizer,
	const char *provider_key, struct json_object *body, const char **id_r,
	struct rest_reply *reply_r, struct err_info *info)
{
	enum err err;

	if (!provider_key || !id_valid(provider_key)) {
		json_object_put(body);
		return err_set(info, ERR_PERMANENT,
			"Microsoft Teams: The meeting has no valid key of ours.");
	}
	json_object_object_add(body, "externalId",
		json_object_new_string(arena_printf(call->arena, "meetlink-%s", provider_key)));
	err = teams_send(call, REST_POST, teams_path(call, organizer, "createOrGet"), body, true,
		reply_r, info);
	if (err == ERR_GONE)
		return err_set(info, ERR_CREDENTIAL, TEAMS_NO_ORGANIZER);
	/* A gateway that gives up does not know what became of it. */
	if (err == ERR_TEMPORARY && reply_r->status == 503) {
		err = ERR_OUTCOME_UNKNOWN;
		if (info)
			info->err = err;
	}
	if (err != ERR_OK)
		return err;
	*id_r = provider_json_text(call->arena, reply_r->json, "id");
	if (!*id_r || !(*id_r)[0] || (*id_r)[0] == '.' || strlen(*id_r) > TEAMS_MAX_ID)
		return err_set(info, ERR_OUTCOME_UNKNOWN,
			"Microsoft Teams: Its answer does not say which meeting it made.");
	return ERR_OK;
}

static bool teams_refused(enum err err)
{
	return err == ERR_PERMANENT || err == ERR_CREDENTIAL;
}

/* Brings an existing meeting to title, times and options; without the options when a policy of the
 * tenant refuses those. The reply is the meeting as it is then. */
static enum err teams_patch(const struct provider_call *call, const char *path,
	const struct provider_plan *plan, struct rest_reply *reply_r, struct err_info *info)
{
	struct json_object *body = teams_schedule(plan);
	enum err err;

	teams_add_options(body, plan->security);
	err = teams_send(call, REST_PATCH, path, body, true, reply_r, info);
	if (teams_refused(err))
		err = teams_send(call, REST_PATCH, path, teams_schedule(plan), true, reply_r, info);
	return err;
}

static const char *teams_lobby_of(const struct provider_call *call, struct json_object *json)
{
	const char *scope = provider_json_text(call->arena, json, "lobbyBypassSettings.scope");

	return scope ? scope : "";
}

/* What was asked for and is not so, by what Teams says the meeting is. joinMeetingIdSettings can
 * be set neither by createOrGet nor later, so a passcode is there or it is not. */
static void teams_warn(const struct provider_call *call, const struct security *security,
	struct json_object *json, struct meeting_link *link)
{
	if (strcmp(teams_lobby_of(call, json), teams_lobby(security)) != 0)
		provider_warn(call->arena, link, "waiting_room",
			security->waiting_room
				? "Teams did not grant it for everybody; who waits in the lobby "
				  "is as the organization has set it."
				: "Teams lets some people wait in the lobby all the same, as the "
				  "organization has set it.");
	if (security->waiting_room == security->join_before_host)
		provider_warn(call->arena, link, "join_before_host",
			security->waiting_room
				? "In Teams everybody waits in the lobby until the organizer "
				  "lets them in."
				: "Without a waiting room Teams lets people in before the host.");
	if (security->mute_on_entry)
		provider_warn(call->arena, link, "mute_on_entry",
			"Teams does not mute people as they enter; the organizer can mute them "
			"in the meeting.");
	if (security->host_video)
		provider_warn(call->arena, link, "host_video",
			"In Teams the host's camera is on only when the host turns it on.");
	if (security->passcode_required && !link->passcode)
		provider_warn(call->arena, link, "passcode_required",
			"Teams gave this meeting no passcode; its link cannot be guessed.");
}

/* What people need to enter, from a meeting as Graph shows it. */
static void teams_read_link(
	const struct provider_call *call, struct json_object *json, struct meeting_link *link_r)
{
	const char *url = provider_json_text(call->arena, json, "joinWebUrl");
	const char *passcode =
		provider_json_text(call->arena, json, "joinMeetingIdSettings.passcode");
	const char *number = provider_json_text(call->arena, json, "audioConferencing.tollNumber");
	const char *room = provider_json_text(call->arena, json, "audioConferencing.conferenceId");

	if (rest_url_valid(url, REST_URL_LINK))
		link_r->url = url;
	if (passcode && passcode[0])
		link_r->passcode = passcode;
	if (number && number[0] && room && room[0])
		*(const char **)model_list_add(
			call->arena, &link_r->dial_in, sizeof(const char *)) =
			arena_printf(call->arena, "%s, conference ID %s", number, room);
}

/* createOrGet looks up and makes in one, and needs not be told `repeated`; but while it does not
 * answer, an earlier call may have made the meeting. */
static enum err teams_create(const struct provider_call *call, const struct provider_plan *plan,
	bool repeated, struct meeting_link *link_r, struct err_info *info)
{
	struct rest_reply made, patched;
	const char *organizer;
	enum err err = teams_organizer(call, NULL, &organizer, info);

	if (err == ERR_OK)
		err = teams_create_or_get(call, organizer, plan->provider_key, teams_schedule(plan),
			&link_r->external_id, &made, info);
	if (err == ERR_TEMPORARY && repeated)
		return err_set(info, ERR_OUTCOME_UNKNOWN,
			"Microsoft Teams: It does not say yet whether the meeting was made.");
	if (err != ERR_OK)
		return err;
	teams_read_link(call, made.json, link_r);
	if (!link_r->url)
		return err_set(info, ERR_OUTCOME_UNKNOWN,
			"Microsoft Teams: It made a meeting without a link.");
	/* createOrGet takes no options, and an existing meeting keeps its title and times. */
	err = teams_patch(
		call, teams_path(call, organizer, link_r->external_id), plan, &patched, info);
	if (teams_refused(err))
		patched = made; /* usable as it is; the warnings say what it lacks */
	else if (err != ERR_OK)
		return err_set(info, ERR_OUTCOME_UNKNOWN,
			"Microsoft Teams: It made the meeting and did not finish its settings.");
	teams_warn(call, plan->security, patched.json, link_r);
	return ERR_OK;
}

static enum err teams_update(const struct provider_call *call, const struct provider_plan *plan,
	struct meeting_link *link_r, struct err_info *info)
{
	struct rest_reply reply;
	const char *organizer;
	enum err err = teams_organizer(call, plan->account, &organizer, info);

	if (err == ERR_OK)
		err = teams_patch(
			call, teams_path(call, organizer, plan->external_id), plan, &reply, info);
	if (err != ERR_OK)
		return err;
	teams_read_link(call, reply.json, link_r);
	teams_warn(call, plan->security, reply.json, link_r);
	return ERR_OK;
}

static enum err teams_remove(const struct provider_call *call, const struct provider_target *target,
	struct err_info *info)
{
	const char *organizer, *id = target->external_id;
	struct rest_reply reply;
	enum err err = teams_organizer(call, target->account, &organizer, info);

	/* Only createOrGet finds a meeting by our externalId. When there is none it makes one, for
	 * the next hour and known to nobody, which is deleted at once. */
	if (err == ERR_OK && !id)
		err = teams_create_or_get(call, organizer, target->provider_key,
			json_object_new_object(), &id, &reply, info);
	if (err == ERR_OK)
		err = teams_send(call, REST_DELETE, teams_path(call, organizer, id), NULL, false,
			&reply, info);
	return err == ERR_GONE ? ERR_OK : err;
}

/* Graph writes UTC with seven digits of fractions; 0 for anything else. */
static int64_t teams_instant(
	const struct provider_call *call, struct json_object *json, const char *name)
{
	const char *text = provider_json_text(call->arena, json, name);
	char seconds[INSTANT_TEXT_SIZE];
	int64_t instant;

	if (!text || strlen(text) < 20)
		return 0;
	snprintf(seconds, sizeof(seconds), "%.19sZ", text);
	text += 19;
	if (*text == '.')
		text += 1 + strspn(text + 1, "0123456789");
	if (strcmp(text, "Z") != 0 && strcmp(text, "+00:00") != 0)
		return 0;
	return instant_parse(seconds, &instant) ? instant : 0;
}

static bool teams_was_warned(const struct provider_plan *plan, const char *words)
{
	MODEL_FOREACH (&plan->warnings, struct warning, warning) {
		if (strncmp(warning->detail, words, strlen(words)) == 0)
			return true;
	}
	return false;
}

static enum err teams_read(const struct provider_call *call, const struct provider_plan *plan,
	struct provider_state *state_r, struct err_info *info)
{
	struct rest_reply reply;
	const char *organizer;
	enum err err = teams_organizer(call, plan->account, &organizer, info);

	if (err == ERR_OK)
		err = teams_send(call, REST_GET, teams_path(call, organizer, plan->external_id),
			NULL, true, &reply, info);
	if (err != ERR_OK)
		return err;
	state_r->starts_at = teams_instant(call, reply.json, "startDateTime");
	state_r->ends_at = teams_instant(call, reply.json, "endDateTime");
	/* What Teams never granted has not drifted, and is not to be asked for again and again. */
	if (strcmp(teams_lobby_of(call, reply.json), teams_lobby(plan->security)) != 0 &&
		!teams_was_warned(plan, "waiting_room:"))
		*(const char **)model_list_add(call->arena, &state_r->drift, sizeof(const char *)) =
			"waiting_room";
	return ERR_OK;
}

static void teams_add_check(const struct provider_call *call, struct model_list *checks,
	const char *name, bool ok, const char *detail)
{
	struct provider_check *check = model_list_add(call->arena, checks, sizeof(*check));

	*check = (struct provider_check){
		.name = name, .ok = ok, .detail = arena_strdup(call->arena, detail)};
}

/* The id of a meeting that nobody has made, in the form that Graph's ids have. */
static const char *teams_made_up_id(const struct provider_call *call, const char *organizer)
{
	const char *text =
		arena_printf(call->arena, "1*%s*0**19:meeting_%048d@thread.v2", organizer, 0);
	const size_t len = strlen(text), size = 4 * (len + 2) / 3 + 1;
	char *id = arena_alloc(call->arena, size);

	base64url_encode(text, len, id, size);
	return id;
}

/* Asking for a meeting that does not exist changes nothing, and is answered "not found" only to an
 * app that may act for the organizer. */
static void teams_validate_permissions(const struct provider_call *call, struct model_list *checks)
{
	const char *organizer = provider_text(call, "organizer");
	const char *path = teams_path(call, organizer, teams_made_up_id(call, organizer));
	struct provider_error error = {.code = ""};
	struct err_info info = {0};
	struct rest_reply reply;
	enum err err = teams_send(call, REST_GET, path, NULL, true, &reply, &info);

	if (err == ERR_GONE)
		provider_refusal_read(call, &reply, &error);
	if (strcmp(error.code, "ResourceNotFound") == 0 ||
		strcmp(error.code, "Request_ResourceNotFound") == 0)
		err = err_set(&info, ERR_CREDENTIAL, TEAMS_NO_ORGANIZER);
	if (err == ERR_GONE || err == ERR_OK)
		teams_add_check(call, checks, "permissions", true,
			"The app may act for the organizer's meetings.");
	else
		teams_add_check(
			call, checks, "permissions", false, provider_told(call->arena, &info));
}

static void teams_validate(const struct provider_call *call, struct model_list *checks)
{
	struct err_info info = {0};
	struct provider_token token;
	const bool ok = provider_token_get(call, &token, &info) == ERR_OK;

	teams_add_check(call, checks, "token", ok,
		ok ? "Microsoft gave an access token." : provider_told(call->arena, &info));
	if (ok)
		teams_validate_permissions(call, checks);
}

static const struct provider_field teams_fields[] = {
	{.name = "tenant_id", .secret = true, .help = "directory (tenant) ID or domain"},
	{.name = "client_id", .secret = true, .help = "application (client) ID"},
	{.name = "client_secret",
		.secret = true,
		.help = "value of a client secret of the app; the app needs the application "
			"permission OnlineMeetings.ReadWrite.All"},
	{.name = "organizer",
		.help = "object ID or address of the user who hosts the meetings and lets people "
			"in from the waiting room; needs an application access policy for the app"},
	{.name = PROVIDER_END, .help = "YYYY-MM-DD, the last day of the client secret"},
	{.name = NULL},
};

static const char *const teams_capabilities[] = {"waiting_room", "dial_in", "update", NULL};

const struct provider provider_teams = {
	.name = "teams",
	.title = "Microsoft Teams",
	.fields = teams_fields,
	.endpoints = {PROVIDER_ENDPOINT(teams, api_url), PROVIDER_ENDPOINT(teams, token_url)},
	.capabilities = teams_capabilities,
	.check = provider_teams_check,
	.account = teams_account,
	.grant = provider_teams_grant,
	.read_error = provider_teams_read_error,
	.options = provider_teams_options,
	.create = teams_create,
	.update = teams_update,
	.remove = teams_remove,
	.read = teams_read,
	.validate = teams_validate,
};
