/* What Google refuses, and what a meeting can do without. */
#include <json-c/json.h>
#include <string.h>

#include "provider_google_private.h"
#include "rest.h"

#define GOOGLE_OPTION(member)                                                                      \
	{                                                                                          \
		.path = #member, .setting = #member, .words = "Google does not let this be set."   \
	}
#define GOOGLE_ZONE(time)                                                                          \
	{                                                                                          \
		.path = time ".timeZone", .name = "time zone", .setting = "timezone",              \
		.words = "Google does not know the time zone; there the times are in UTC.",        \
		.instead = "UTC"                                                                   \
	}

const struct provider_option provider_google_options[] = {
	GOOGLE_ZONE("start"),
	GOOGLE_ZONE("end"),
	GOOGLE_OPTION(description),
	GOOGLE_OPTION(visibility),
	GOOGLE_OPTION(guestsCanModify),
	GOOGLE_OPTION(reminders),
	{.path = NULL},
};

/* google.rpc.BadRequest: which members are wrong, where an error says so (AIP-193). */
static void google_read_violations(struct json_object *error, struct provider_error *error_r)
{
	struct json_object *details = NULL, *violations, *one;
	size_t i, j;

	json_object_object_get_ex(error, "details", &details);
	for (i = 0; json_object_is_type(details, json_type_array) &&
		    i < json_object_array_length(details);
		i++) {
		violations = NULL;
		json_object_object_get_ex(
			json_object_array_get_idx(details, i), "fieldViolations", &violations);
		for (j = 0; json_object_is_type(violations, json_type_array) &&
			    j < json_object_array_length(violations) &&
			    error_r->refused_count < PROVIDER_MAX_REFUSED;
			j++) {
			one = json_object_array_get_idx(violations, j);
			if (provider_google_member(one, "field")[0])
				error_r->refused[error_r->refused_count++] =
					(struct provider_refused){
						provider_google_member(one, "field"),
						provider_google_member(one, "description")};
		}
	}
}

/* A location is a member of what was sent, a parameter of the query or a header. */
static void google_read_first(struct json_object *one, struct provider_error *error_r)
{
	const char *location = provider_google_member(one, "location");

	error_r->code = provider_google_member(one, "reason");
	if (location[0] && strcmp(provider_google_member(one, "locationType"), "header") != 0)
		error_r->refused[error_r->refused_count++] =
			(struct provider_refused){location, provider_google_member(one, "message")};
}

/* {"error":"code","error_description":"…"} from the token endpoint (RFC 6749 section 5.2),
 * {"error":{"errors":[{"reason","message"}],"status","message"}} from the API. */
void provider_google_read_error(
	struct arena *arena, const struct rest_reply *reply, struct provider_error *error_r)
{
	struct json_object *error, *errors;

	(void)arena;
	if (!json_object_object_get_ex(reply->json, "error", &error))
		return;
	if (json_object_is_type(error, json_type_string)) {
		error_r->code = json_object_get_string(error);
		error_r->text = provider_google_member(reply->json, "error_description");
		return;
	}
	error_r->text = provider_google_member(error, "message");
	if (json_object_object_get_ex(error, "errors", &errors) &&
		json_object_is_type(errors, json_type_array))
		google_read_first(json_object_array_get_idx(errors, 0), error_r);
	if (!error_r->code[0])
		error_r->code = provider_google_member(error, "status");
	google_read_violations(error, error_r);
}
