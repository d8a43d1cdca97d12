/* What Microsoft refuses, and what a meeting can do without. */
#include <json-c/json.h>

#include "provider_teams_private.h"
#include "rest.h"

/* What is read back tells of the lobby (teams_warn). */
const struct provider_option provider_teams_options[] = {
	{.path = "lobbyBypassSettings.isDialInBypassEnabled",
		.setting = "dial_in",
		.words = "Teams decides itself whether people wait who dial in."},
	{.path = "lobbyBypassSettings"},
	{.path = "allowedPresenters",
		.setting = "presenters",
		.words = "Teams lets others than the organizer present."},
	{.path = NULL},
};

static const char *teams_string(struct json_object *json, const char *name)
{
	struct json_object *value;

	return json_object_object_get_ex(json, name, &value) &&
			       json_object_is_type(value, json_type_string)
		       ? json_object_get_string(value)
		       : "";
}

static void teams_read_target(struct json_object *json, struct provider_error *error)
{
	if (teams_string(json, "target")[0] && error->refused_count < PROVIDER_MAX_REFUSED)
		error->refused[error->refused_count++] = (struct provider_refused){
			teams_string(json, "target"), teams_string(json, "message")};
}

/* {"error": …, "error_description": …, "error_codes": [AADSTS number]} of the token endpoint. */
static void teams_read_token_error(
	struct arena *arena, struct json_object *json, struct provider_error *error)
{
	struct json_object *codes, *code;

	error->code = teams_string(json, "error");
	error->text = teams_string(json, "error_description");
	if (!json_object_object_get_ex(json, "error_codes", &codes) ||
		!json_object_is_type(codes, json_type_array) ||
		json_object_array_length(codes) == 0)
		return;
	code = json_object_array_get_idx(codes, 0);
	if (!json_object_is_type(code, json_type_int))
		return;
	error->text = arena_printf(arena, "%s: %s", error->code, error->text);
	error->code = json_object_get_string(code);
}

/* {"error": {"code", "message", "target", "details": [{"code", "message", "target"}]}} of Graph
 * (Microsoft REST API guidelines section 7.10.2). */
void provider_teams_read_error(
	struct arena *arena, const struct rest_reply *reply, struct provider_error *error_r)
{
	struct json_object *error, *details = NULL;
	size_t i;

	if (!json_object_object_get_ex(reply->json, "error", &error))
		return;
	if (!json_object_is_type(error, json_type_object)) {
		teams_read_token_error(arena, reply->json, error_r);
		return;
	}
	error_r->code = teams_string(error, "code");
	error_r->text = teams_string(error, "message");
	json_object_object_get_ex(error, "details", &details);
	for (i = 0; json_object_is_type(details, json_type_array) &&
		    i < json_object_array_length(details);
		i++)
		teams_read_target(json_object_array_get_idx(details, i), error_r);
	if (!error_r->refused_count)
		teams_read_target(error, error_r);
}
