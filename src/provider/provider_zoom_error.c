/* What Zoom refuses, and what a meeting can do without. */
#include <json-c/json.h>
#include <string.h>

#include "provider_zoom_private.h"

#define ZOOM_OPTION(member, ...)                                                                   \
	{                                                                                          \
		.path = "settings." #member, .setting = #member, __VA_ARGS__                       \
	}
#define ZOOM_SET "Zoom does not let this be set."

/* What Zoom draws itself, and settings that an account may lock. What zoom_compare reads back has
 * no words here. */
const struct provider_option provider_zoom_options[] = {
	{.path = "password",
		.name = "passcode",
		.setting = "passcode_required",
		.words = "Zoom takes no passcode of ours.",
		.flag = "default_password"},
	{.path = "default_password"},
	{.path = "timezone",
		.name = "time zone",
		.setting = "timezone",
		.words = "Zoom does not know the time zone; there the times are in UTC.",
		.instead = "UTC"},
	ZOOM_OPTION(waiting_room, .name = "waiting room"),
	ZOOM_OPTION(join_before_host, .name = "join before host"),
	ZOOM_OPTION(mute_upon_entry),
	ZOOM_OPTION(host_video),
	ZOOM_OPTION(meeting_authentication),
	ZOOM_OPTION(alternative_hosts, .name = "alternative hosts"),
	ZOOM_OPTION(participant_video, .words = ZOOM_SET),
	ZOOM_OPTION(use_pmi, .words = ZOOM_SET),
	ZOOM_OPTION(email_notification, .words = ZOOM_SET),
	ZOOM_OPTION(alternative_hosts_email_notification, .words = ZOOM_SET),
	ZOOM_OPTION(approval_type, .words = ZOOM_SET),
	ZOOM_OPTION(auto_recording, .words = ZOOM_SET),
	ZOOM_OPTION(audio, .words = ZOOM_SET),
	{.path = NULL},
};

static const char *zoom_string(struct json_object *json, const char *name)
{
	struct json_object *value;

	return json_object_object_get_ex(json, name, &value) &&
			       json_object_is_type(value, json_type_string)
		       ? json_object_get_string(value)
		       : "";
}

static void zoom_add_refused(struct provider_error *error, const char *name, const char *text)
{
	if (error->refused_count < PROVIDER_MAX_REFUSED)
		error->refused[error->refused_count++] = (struct provider_refused){name, text};
}

/* The text of the next element of this name in *xml, which is moved behind it; NULL: there is none.
 */
static const char *zoom_element(struct arena *arena, const char **xml, const char *name)
{
	const char *begin = strstr(*xml, arena_printf(arena, "<%s>", name)), *end;

	end = begin ? strstr(begin, arena_printf(arena, "</%s>", name)) : NULL;
	if (!end)
		return NULL;
	*xml = end;
	begin += strlen(name) + 2;
	return arena_strndup(arena, begin, (size_t)(end - begin));
}

/* Validation may answer <result><code>300</code><message>…</message><errors><field>…</field>
 * <message>…</message></errors></result>, whatever was asked for (calcom/cal.diy#26148). */
static void zoom_read_xml(struct arena *arena, const char *xml, struct provider_error *error)
{
	const char *code, *text, *field;

	if (!xml || strncmp(xml, "<?xml", strlen("<?xml")) != 0)
		return;
	code = zoom_element(arena, &xml, "code");
	text = zoom_element(arena, &xml, "message");
	error->code = code ? code : "";
	error->text = text ? text : "";
	while ((field = zoom_element(arena, &xml, "field"))) {
		const char *rest = xml;

		text = zoom_element(arena, &rest, "message");
		zoom_add_refused(error, field, text ? text : "");
	}
}

/* {"code": 3001, "message": …, "errors": [{"field": …, "message": …}]} of the API, {"error": …,
 * "reason": …} of the token endpoint. */
void provider_zoom_read_error(
	struct arena *arena, const struct rest_reply *reply, struct provider_error *error)
{
	struct json_object *code = NULL, *errors = NULL, *one;
	size_t i;

	if (!reply->json)
		zoom_read_xml(arena, reply->body, error);
	if (!json_object_is_type(reply->json, json_type_object))
		return;
	if (!json_object_object_get_ex(reply->json, "code", &code))
		json_object_object_get_ex(reply->json, "error", &code);
	if (json_object_is_type(code, json_type_int) || json_object_is_type(code, json_type_string))
		error->code = json_object_get_string(code);
	error->text = zoom_string(reply->json, "message");
	if (!error->text[0])
		error->text = zoom_string(reply->json, "reason");
	json_object_object_get_ex(reply->json, "errors", &errors);
	for (i = 0; json_object_is_type(errors, json_type_array) &&
		    i < json_object_array_length(errors);
		i++) {
		one = json_object_array_get_idx(errors, i);
		if (zoom_string(one, "field")[0])
			zoom_add_refused(
				error, zoom_string(one, "field"), zoom_string(one, "message"));
	}
}
