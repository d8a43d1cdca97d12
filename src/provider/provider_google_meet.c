/*
 * Who may enter a Meet conference, and who opens the door: what the Calendar API cannot say, the
 * Meet API can, to whom was granted its scope (Meet REST API v2, spaces; PROVIDERS.md section 1.3).
 *
 * The meeting exists already, so nothing that goes wrong here is an error of it: it is a warning,
 * and tried again with the next update, which the next comparison asks for.
 */
#include <json-c/json.h>
#include <string.h>

#include "log.h"
#include "provider_google_private.h"
#include "provider_http.h"
#include "provider_token.h"

enum { MEET_MAX_NAME = 128 };

static const struct provider_rule meet_rules[] = {
	{403, "accessNotConfigured", NULL, ERR_CREDENTIAL,
		"The Meet API is not enabled in the Google Cloud project."},
	{403, NULL, "has not been used in project", ERR_CREDENTIAL,
		"The Meet API is not enabled in the Google Cloud project."},
	{403, "rateLimitExceeded", NULL, ERR_TEMPORARY, NULL},
	{403, "RESOURCE_EXHAUSTED", NULL, ERR_TEMPORARY, NULL},
	{409, NULL, NULL, ERR_TEMPORARY, NULL},
	{412, NULL, NULL, ERR_TEMPORARY, NULL},
	{0, NULL, NULL, ERR_OK, NULL},
};

/* Who is let in is the host's to decide, and may then talk, write and show what there is to show,
 * whatever the account's own defaults are. */
static const struct {
	const char *path, *value;
} meet_moderation[] = {
	{"config.moderation", "ON"},
	{"config.moderationRestrictions.chatRestriction", "NO_RESTRICTION"},
	{"config.moderationRestrictions.reactionRestriction", "NO_RESTRICTION"},
	{"config.moderationRestrictions.presentRestriction", "NO_RESTRICTION"},
	{"config.moderationRestrictions.defaultJoinAsViewerType", "OFF"},
};

/* A space as Google describes it. */
struct meet_space {
	const char *name;   /* spaces/…; NULL: it is not known */
	const char *access; /* accessType; NULL: it does not say, or was not asked */
	struct json_object *json;
};

static bool meet_is(const struct meet_space *space, const char *access)
{
	return space->access && strcmp(space->access, access) == 0;
}

bool provider_google_is_meet_scope(const char *scope)
{
	return scope && strstr(scope, GOOGLE_MEET_SCOPE);
}

/* ---- what is missing ---- */

/* "waiting_room" and "join_before_host": what a space says of entering. */
static void meet_warn_of_entry(struct arena *arena, const struct security *security,
	const struct meet_space *space, struct meeting_link *link)
{
	const bool open = meet_is(space, "OPEN");

	if (security->waiting_room && open)
		provider_warn(arena, link, "waiting_room",
			"everybody who has the link enters Google Meet without knocking.");
	if (security->waiting_room && space->access &&
		strcmp(provider_google_member(
			       json_object_object_get(space->json, "config"), "moderation"),
			"ON") != 0)
		provider_warn(arena, link, "waiting_room",
			"Google Meet lets others than the host open the door.");
	if (security->join_before_host && !open)
		provider_warn(arena, link, "join_before_host",
			"Google Meet lets people from outside knock.");
	/* A waiting room says all there is to say of entering before the host. */
	if (security->join_before_host || security->waiting_room)
		return;
	if (open)
		provider_warn(arena, link, "join_before_host",
			"everybody who has the link can enter before the host.");
	else if (!meet_is(space, "RESTRICTED"))
		provider_warn(arena, link, "join_before_host",
			"members of the Google organisation can enter before the host; others "
			"knock.");
}

/* What neither API can be asked for. */
static void meet_warn_of_rest(
	struct arena *arena, const struct security *security, struct meeting_link *link)
{
	if (security->mute_on_entry)
		provider_warn(arena, link, "mute_on_entry",
			"Google Meet leaves the microphone to each person.");
	if (security->host_video)
		provider_warn(
			arena, link, "host_video", "Google Meet leaves the camera to each person.");
	if (security->passcode_required)
		provider_warn(arena, link, "passcode_required", "Google Meet has no passcodes.");
}

/* ---- asking ---- */

static void meet_release(void *json)
{
	json_object_put(json);
}

/* With a name that cannot be another path. */
static bool meet_is_name(const char *name)
{
	static const char alphabet[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	const size_t len = strspn(name, alphabet);

	return len > 0 && len <= MEET_MAX_NAME && !name[len];
}

/* `name` is a space's or a meeting code. */
static enum err meet_send(const struct provider_call *call, enum rest_method method,
	const char *name, const char *query, const char *body, struct meet_space *space,
	struct err_info *info)
{
	struct rest_request request = {
		.method = method,
		.content_type = body ? "application/json" : NULL,
		.body = body,
	};
	const char *path = arena_printf(call->arena, "/v2/spaces/%s%s", name, query);
	struct rest_reply reply = {0};
	const char *found;
	enum err err = provider_send(
		call, call->conf->google_meet_url, path, &request, true, meet_rules, &reply, info);

	if (err != ERR_OK)
		return err;
	found = provider_google_member(reply.json, "name");
	if (strncmp(found, "spaces/", 7) != 0 || !meet_is_name(found + 7))
		return err_set(
			info, ERR_TEMPORARY, "Google Meet: Its answer is about no meeting space.");
	*space = (struct meet_space){
		.name = found + 7,
		.access = provider_json_text(call->arena, reply.json, "config.accessType"),
		.json = reply.json,
	};
	return ERR_OK;
}

/* A space is looked up by the code in its link, but is changed by its name alone. */
static enum err meet_find(const struct provider_call *call, const char *url,
	struct meet_space *space_r, struct err_info *info)
{
	const char *slash = strrchr(url, '/'), *code = slash ? slash + 1 : "";

	code = arena_printf(call->arena, "%.*s", (int)strcspn(code, "?#"), code);
	if (!meet_is_name(code))
		return err_set(info, ERR_PERMANENT, "Google Meet: Its link holds no meeting code.");
	return meet_send(call, REST_GET, code, "", NULL, space_r, info);
}

/* Sets one member of the change, and adds it to the mask. */
static void meet_change(struct arena *arena, struct json_object *json, const char **mask,
	const char *path, const char *value)
{
	const char *dot;

	*mask = arena_printf(arena, "%s%s%s", *mask, (*mask)[0] ? "," : "", path);
	while ((dot = strchr(path, '.')) != NULL) {
		const char *name = arena_printf(arena, "%.*s", (int)(dot - path), path);
		struct json_object *member = json_object_object_get(json, name);

		if (!member) {
			member = json_object_new_object();
			json_object_object_add(json, name, member);
		}
		json = member;
		path = dot + 1;
	}
	json_object_object_add(json, path, json_object_new_string(value));
}

/* What a space's accessType has to become; NULL: it may stay. Both TRUSTED and RESTRICTED make
 * strangers knock; only the first lets in a lawyer of the organisation who is not the account. */
static const char *meet_wanted_access(
	const struct security *security, const struct meet_space *space)
{
	if (security->join_before_host)
		return meet_is(space, "OPEN") ? NULL : "OPEN";
	return meet_is(space, "TRUSTED") || meet_is(space, "RESTRICTED") ? NULL : "TRUSTED";
}

/* Makes the change that the policy asks for, as far as something is to change; *space is as it is
 * then. `moderation`: that too, not only who may enter. */
static enum err meet_patch(const struct provider_call *call, const struct security *security,
	bool moderation, struct meet_space *space, struct err_info *info)
{
	const char *access = meet_wanted_access(security, space), *mask = "", *now;
	struct json_object *json = json_object_new_object();
	size_t i;

	arena_defer(call->arena, meet_release, json);
	if (access)
		meet_change(call->arena, json, &mask, "config.accessType", access);
	for (i = 0; moderation && i < sizeof(meet_moderation) / sizeof(meet_moderation[0]); i++) {
		now = provider_json_text(call->arena, space->json, meet_moderation[i].path);
		if (!now || strcmp(now, meet_moderation[i].value) != 0)
			meet_change(call->arena, json, &mask, meet_moderation[i].path,
				meet_moderation[i].value);
	}
	if (!mask[0])
		return ERR_OK;
	return meet_send(call, REST_PATCH, space->name,
		arena_printf(call->arena, "?updateMask=%s", rest_escape(call->arena, mask)),
		json_object_to_json_string(json), space, info);
}

static bool meet_is_refusal(enum err err)
{
	return err == ERR_CREDENTIAL || err == ERR_PERMANENT;
}

/* Not every account has moderation: then at least who may enter is set. */
static enum err meet_set(const struct provider_call *call, const struct provider_plan *plan,
	const char *url, struct meet_space *space_r, struct err_info *info)
{
	const struct security *security = plan->security;
	enum err err = meet_find(call, url, space_r, info);

	if (err != ERR_OK)
		return err;
	err = meet_patch(call, security, security->waiting_room, space_r, info);
	if (meet_is_refusal(err) && security->waiting_room && meet_wanted_access(security, space_r))
		err = meet_patch(call, security, false, space_r, info);
	return err;
}

void provider_google_secure(const struct provider_call *call, const struct provider_plan *plan,
	struct meeting_link *link)
{
	const struct security *security = plan->security;
	struct meet_space space = {0};
	struct provider_token token;
	struct err_info info = {0};
	enum err err = ERR_OK;

	if (provider_token_get(call, &token, NULL) == ERR_OK &&
		provider_google_is_meet_scope(token.scope))
		err = meet_set(call, plan, link->url, &space, &info);
	meet_warn_of_entry(call->arena, security, &space, link);
	if (err != ERR_OK)
		log_warning("request %s: who may enter could not be set: %s", plan->request_id,
			info.detail);
	/* What a refusal leaves as it was is in the warnings already, if that is known. */
	if (err != ERR_OK && (!meet_is_refusal(err) || !space.access))
		provider_warn(call->arena, link,
			security->waiting_room ? "waiting_room" : "join_before_host",
			meet_is_refusal(err)
				? "Google does not let it be set, so the account's own default "
				  "holds."
				: "it could not be set at Google yet, and is tried again.");
	meet_warn_of_rest(call->arena, security, link);
}

/* ---- comparing ---- */

static bool meet_is_of_entry(const struct warning *warning)
{
	return strcmp(warning->code, "setting_not_granted") == 0 &&
	       (strncmp(warning->detail, "waiting_room:", 13) == 0 ||
		       strncmp(warning->detail, "join_before_host:", 17) == 0);
}

/* Whether `others` has all that `list` says of entering. */
static bool meet_has_all(const struct model_list *list, const struct model_list *others)
{
	MODEL_FOREACH (list, struct warning, warning) {
		bool found = !meet_is_of_entry(warning);

		MODEL_FOREACH (others, struct warning, other) {
			found |= strcmp(other->detail, warning->detail) == 0;
		}
		if (!found)
			return false;
	}
	return true;
}

bool provider_google_is_unsecured(
	const struct provider_call *call, const struct provider_plan *plan, const char *url)
{
	struct meet_space space = {0};
	struct meeting_link link = {0};
	struct provider_token token;

	if (provider_token_get(call, &token, NULL) != ERR_OK ||
		!provider_google_is_meet_scope(token.scope) ||
		meet_find(call, url, &space, NULL) != ERR_OK || !space.access)
		return false;
	meet_warn_of_entry(call->arena, plan->security, &space, &link);
	return !meet_has_all(&link.warnings, &plan->warnings) ||
	       !meet_has_all(&plan->warnings, &link.warnings);
}
