/* The calendar event that holds a Meet link: what we write, and what we make of Google's answer. */
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "id.h"
#include "instant.h"
#include "provider_google_private.h"
#include "provider_http.h"
#include "utf8.h"

enum { GOOGLE_MAX_LABEL = 128, GOOGLE_MAX_ENTRIES = 16 };

const char *provider_google_member(struct json_object *json, const char *name)
{
	struct json_object *value;

	return json_object_object_get_ex(json, name, &value) &&
			       json_object_is_type(value, json_type_string)
		       ? json_object_get_string(value)
		       : "";
}

/* 32 lower-case hex digits: Google takes 0-9a-v, and so a key's 16 bytes keep their 128 bits. */
enum err provider_google_event_id(
	struct arena *arena, const char *provider_key, const char **id_r, struct err_info *info)
{
	char *hex = arena_alloc(arena, 2 * ID_BYTES + 1);
	unsigned char bytes[ID_BYTES];

	if (!provider_key || !id_decode(provider_key, bytes))
		return err_set(info, ERR_PERMANENT, "The meeting has no valid name for Google.");
	hex_encode(bytes, sizeof(bytes), hex);
	*id_r = hex;
	return ERR_OK;
}

static void google_add(struct json_object *json, const char *name, const char *text)
{
	json_object_object_add(json, name, json_object_new_string(text));
}

static struct json_object *google_add_object(struct json_object *json, const char *name)
{
	struct json_object *member = json_object_new_object();

	json_object_object_add(json, name, member);
	return member;
}

static void google_release(void *json)
{
	json_object_put(json);
}

static void google_add_time(
	struct json_object *json, const char *name, int64_t instant, const char *timezone)
{
	struct json_object *when = google_add_object(json, name);
	char text[INSTANT_TEXT_SIZE];

	instant_format(instant, false, text);
	google_add(when, "dateTime", text);
	google_add(when, "timeZone", timezone);
}

static struct json_object *google_schedule(struct arena *arena, const struct provider_plan *plan)
{
	struct json_object *json = json_object_new_object();

	arena_defer(arena, google_release, json);
	google_add(json, "summary", plan->title);
	google_add_time(json, "start", plan->starts_at, plan->timezone);
	google_add_time(json, "end", plan->ends_at, plan->timezone);
	return json;
}

const char *provider_google_schedule(struct arena *arena, const struct provider_plan *plan)
{
	return json_object_to_json_string(google_schedule(arena, plan));
}

/* What the client wrote about the case stays here: the event is there to hold the link, and people
 * read of the meeting in our mails. So it has no attendees either. */
const char *provider_google_whole(struct arena *arena, const struct provider_plan *plan,
	const char *event_id, const char *conference)
{
	struct json_object *json = google_schedule(arena, plan), *member;

	if (event_id)
		google_add(json, "id", event_id);
	google_add(json, "description",
		arena_printf(arena,
			"Made by meetlink for request %s. Move or cancel it there: the people "
			"invited do not hear of changes made here.",
			plan->request_id));
	google_add(json, "status", "confirmed");
	google_add(json, "visibility", "private");
	json_object_object_add(json, "guestsCanModify", json_object_new_boolean(false));
	member = google_add_object(json, "reminders");
	json_object_object_add(member, "useDefault", json_object_new_boolean(false));
	member = google_add_object(google_add_object(json, "extendedProperties"), "private");
	google_add(member, "bookingId", plan->request_id);
	google_add(member, "meetlinkKey", plan->provider_key);
	member = google_add_object(google_add_object(json, "conferenceData"), "createRequest");
	google_add(member, "requestId", conference);
	google_add(google_add_object(member, "conferenceSolutionKey"), "type", "hangoutsMeet");
	return json_object_to_json_string(json);
}

bool provider_google_is_ours(
	struct arena *arena, struct json_object *event, const struct provider_plan *plan)
{
	const char *booking =
		provider_json_text(arena, event, "extendedProperties.private.bookingId");
	const char *key =
		provider_json_text(arena, event, "extendedProperties.private.meetlinkKey");

	return booking && key && strcmp(booking, plan->request_id) == 0 &&
	       strcmp(key, plan->provider_key) == 0;
}

bool provider_google_is_cancelled(struct json_object *event)
{
	return strcmp(provider_google_member(event, "status"), "cancelled") == 0;
}

/* RFC 3339 with an offset; 0 for anything else. */
static int64_t google_instant(const char *text)
{
	char utc[] = "YYYY-MM-DDTHH:MM:SSZ", sign;
	int hours, minutes;
	int64_t at;

	if (strlen(text) < sizeof(utc) - 1)
		return 0;
	memcpy(utc, text, sizeof(utc) - 2);
	if (!instant_parse(utc, &at))
		return 0;
	text += sizeof(utc) - 2;
	if (*text == '.')
		text += 1 + strspn(text + 1, "0123456789");
	if (strcmp(text, "Z") == 0)
		return at;
	if (sscanf(text, "%c%2d:%2d", &sign, &hours, &minutes) != 3 || !strchr("+-", sign))
		return 0;
	return at - (sign == '-' ? -1 : 1) * (hours * INSTANT_HOUR + minutes * INSTANT_MINUTE);
}

static int64_t google_time(struct json_object *event, const char *name)
{
	struct json_object *when;

	return json_object_object_get_ex(event, name, &when)
		       ? google_instant(provider_google_member(when, "dateTime"))
		       : 0;
}

void provider_google_times(struct json_object *event, int64_t *starts_at_r, int64_t *ends_at_r)
{
	*starts_at_r = google_time(event, "start");
	*ends_at_r = google_time(event, "end");
}

static bool google_is_label(const char *text)
{
	return text[0] && strlen(text) <= GOOGLE_MAX_LABEL && !utf8_has_control(text, false);
}

static void google_read_phone(
	struct arena *arena, struct json_object *entry, struct meeting_link *link_r)
{
	const char *number = provider_google_member(entry, "label"),
		   *pin = provider_google_member(entry, "pin");

	if (!number[0])
		number = provider_google_member(entry, "uri");
	if (strncmp(number, "tel:", 4) == 0)
		number += 4;
	if (!google_is_label(number))
		return;
	*(const char **)model_list_add(arena, &link_r->dial_in, sizeof(number)) =
		google_is_label(pin) ? arena_printf(arena, "%s, PIN %s", number, pin) : number;
}

/* The way in, of a conference that is ready; url stays NULL when there is none. */
static void google_read_link(
	struct arena *arena, struct json_object *event, struct meeting_link *link_r)
{
	struct json_object *conference, *entries, *entry;
	const char *kind, *text;
	size_t i, count = 0;

	*link_r = (struct meeting_link){0};
	if (json_object_object_get_ex(event, "conferenceData", &conference) &&
		json_object_object_get_ex(conference, "entryPoints", &entries) &&
		json_object_is_type(entries, json_type_array))
		count = json_object_array_length(entries);
	for (i = 0; i < count && i < GOOGLE_MAX_ENTRIES; i++) {
		entry = json_object_array_get_idx(entries, i);
		kind = provider_google_member(entry, "entryPointType");
		if (strcmp(kind, "phone") == 0)
			google_read_phone(arena, entry, link_r);
		if (strcmp(kind, "video") != 0)
			continue;
		text = provider_google_member(entry, "uri");
		if (rest_url_valid(text, REST_URL_LINK))
			link_r->url = text;
		text = provider_google_member(entry, "passcode");
		if (google_is_label(text))
			link_r->passcode = text;
	}
	text = provider_google_member(event, "hangoutLink");
	if (!link_r->url && rest_url_valid(text, REST_URL_LINK))
		link_r->url = text;
}

enum google_conference provider_google_conference(
	struct arena *arena, struct json_object *event, struct meeting_link *link_r)
{
	const char *status =
		provider_json_text(arena, event, "conferenceData.createRequest.status.statusCode");

	google_read_link(arena, event, link_r);
	if (provider_google_is_cancelled(event) || (status && strcmp(status, "failure") == 0))
		return GOOGLE_NONE;
	if (status && strcmp(status, "pending") == 0)
		return GOOGLE_PENDING;
	return link_r->url ? GOOGLE_READY : GOOGLE_NONE;
}
