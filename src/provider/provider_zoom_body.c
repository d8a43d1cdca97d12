#include <json-c/json.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "id.h"
#include "instant.h"
#include "provider_zoom_private.h"
#include "utf8.h"

/* Zoom's limits in characters and minutes, and ours for what comes back. */
enum {
	ZOOM_MAX_TOPIC = 200,
	ZOOM_MAX_MINUTES = 1440,
	ZOOM_PASSCODE_SIZE = 11,
	ZOOM_MAX_ID_DIGITS = 19,
	ZOOM_MAX_DIAL_IN = 20,
	ZOOM_MAX_NUMBER = 120,
};

/* What we ask for, by our name, Zoom's name and for people. */
struct zoom_switch {
	const char *setting, *key, *words;
	bool asked;
};

enum { ZOOM_SWITCHES = 5 };

static void zoom_switches(const struct provider_call *call, const struct provider_plan *plan,
	struct zoom_switch switches_r[ZOOM_SWITCHES])
{
	const struct security *security = plan->security;
	const char *authentication = provider_zoom_setting(call, "authentication");
	const struct zoom_switch switches[ZOOM_SWITCHES] = {
		{.setting = "waiting_room",
			.key = "waiting_room",
			.words = "the waiting room",
			.asked = security->waiting_room},
		/* Zoom: a waiting room keeps everybody out until the host is there. */
		{.setting = "join_before_host",
			.key = "join_before_host",
			.words = "joining before the host",
			.asked = security->join_before_host && !security->waiting_room},
		{.setting = "mute_on_entry",
			.key = "mute_upon_entry",
			.words = "muting on entry",
			.asked = security->mute_on_entry},
		{.setting = "host_video",
			.key = "host_video",
			.words = "the host's video",
			.asked = security->host_video},
		{.setting = "authentication",
			.key = "meeting_authentication",
			.words = "signing in before joining",
			.asked = authentication && strcmp(authentication, "signed_in") == 0},
	};

	memcpy(switches_r, switches, sizeof(switches));
}

/* At most `limit` characters, as UTF-16 counts them: whoever counts otherwise counts fewer. */
static char *zoom_cut(struct arena *arena, const char *text, size_t limit)
{
	const unsigned char *c = (const unsigned char *)text;
	size_t units = 0;

	for (; *c; c++) {
		units += (*c & 0xc0) != 0x80 ? *c >= 0xf0 ? 2 : 1 : 0;
		if (units > limit)
			break;
	}
	return arena_strndup(arena, text, (size_t)((const char *)c - text));
}

/* Made of the key, but not the key itself, which others may not learn from the agenda. */
const char *provider_zoom_mark(struct arena *arena, const char *provider_key)
{
	char id[ID_SIZE];

	id_derive(id, NULL, 0, "zoom mark", provider_key, NULL);
	return arena_printf(arena, "Ref: %s", id);
}

bool provider_zoom_is_marked(struct json_object *meeting, const char *mark)
{
	struct json_object *agenda;

	return json_object_object_get_ex(meeting, "agenda", &agenda) &&
	       json_object_is_type(agenda, json_type_string) &&
	       strstr(json_object_get_string(agenda), mark);
}

static char *zoom_topic(struct arena *arena, const struct provider_plan *plan)
{
	return zoom_cut(arena, plan->title, ZOOM_MAX_TOPIC);
}

static int64_t zoom_minutes(const struct provider_plan *plan)
{
	const int64_t minutes =
		(plan->ends_at - plan->starts_at + INSTANT_MINUTE - 1) / INSTANT_MINUTE;

	return minutes < 1 ? 1 : minutes > ZOOM_MAX_MINUTES ? ZOOM_MAX_MINUTES : minutes;
}

/* The number in `bytes`, base 256, is divided by `count`; the remainder picks a character. */
static char zoom_pick(unsigned char bytes[ID_BYTES], const char *from, size_t count)
{
	size_t remainder = 0, i;

	for (i = 0; i < ID_BYTES; i++) {
		remainder = remainder << 8 | bytes[i];
		bytes[i] = (unsigned char)(remainder / count);
		remainder %= count;
	}
	return from[remainder];
}

/* Whether Zoom takes it as a passcode: another provider may have given it. */
static bool zoom_is_passcode(const char *text)
{
	const size_t len = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
					"0123456789@_*-");

	return len > 0 && len < ZOOM_PASSCODE_SIZE && !text[len];
}

/*
 * The passcode that people were told, or the same one at every attempt to make the meeting: drawn
 * from the key, which is sealed at rest. Accounts may demand both cases and a digit; no character
 * is taken for another.
 */
static const char *zoom_passcode(struct arena *arena, const struct provider_plan *plan)
{
	static const char all[] = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnpqrstuvwxyz23456789";
	enum { UPPER = 24, LOWER = 24, DIGITS = 8, ALL = UPPER + LOWER + DIGITS };
	unsigned char bytes[ID_BYTES];
	char id[ID_SIZE], *passcode;
	size_t i;

	if (plan->passcode && zoom_is_passcode(plan->passcode))
		return plan->passcode;
	id_derive(id, NULL, 0, "zoom passcode", plan->provider_key, NULL);
	id_decode(id, bytes);
	passcode = arena_alloc(arena, ZOOM_PASSCODE_SIZE);
	passcode[0] = zoom_pick(bytes, all, UPPER);
	passcode[1] = zoom_pick(bytes, all + UPPER, LOWER);
	passcode[2] = zoom_pick(bytes, all + UPPER + LOWER, DIGITS);
	for (i = 3; i < ZOOM_PASSCODE_SIZE - 1; i++)
		passcode[i] = zoom_pick(bytes, all, ALL);
	return passcode;
}

static void zoom_add_text(struct json_object *json, const char *name, const char *text)
{
	json_object_object_add(json, name, json_object_new_string(text));
}

static void zoom_add_bool(struct json_object *json, const char *name, bool on)
{
	json_object_object_add(json, name, json_object_new_boolean(on));
}

static struct json_object *zoom_settings(
	const struct provider_call *call, const struct provider_plan *plan)
{
	const char *hosts = provider_zoom_setting(call, "alternative_hosts");
	struct json_object *settings = json_object_new_object();
	struct zoom_switch switches[ZOOM_SWITCHES];
	size_t i;

	zoom_switches(call, plan, switches);
	for (i = 0; i < ZOOM_SWITCHES; i++)
		zoom_add_bool(settings, switches[i].key, switches[i].asked);
	zoom_add_bool(settings, "participant_video", false);
	zoom_add_bool(settings, "use_pmi", false);
	zoom_add_bool(settings, "email_notification", false);
	zoom_add_bool(settings, "alternative_hosts_email_notification", false);
	json_object_object_add(settings, "approval_type", json_object_new_int(2));
	zoom_add_text(settings, "auto_recording", "none");
	zoom_add_text(settings, "audio", "both");
	if (hosts)
		zoom_add_text(settings, "alternative_hosts", hosts);
	return settings;
}

static void zoom_release(void *json)
{
	json_object_put(json);
}

struct json_object *provider_zoom_body(
	const struct provider_call *call, const struct provider_plan *plan)
{
	struct json_object *body = json_object_new_object();
	char start[INSTANT_TEXT_SIZE];

	arena_defer(call->arena, zoom_release, body);
	instant_format(plan->starts_at, false, start);
	zoom_add_text(body, "topic", zoom_topic(call->arena, plan));
	/* What the client wrote about the case stays here. */
	zoom_add_text(body, "agenda", provider_zoom_mark(call->arena, plan->provider_key));
	json_object_object_add(body, "type", json_object_new_int(2));
	zoom_add_text(body, "start_time", start);
	zoom_add_text(body, "timezone", plan->timezone);
	json_object_object_add(body, "duration", json_object_new_int64(zoom_minutes(plan)));
	/* What Zoom drew for it and would not be sent stays as it is. */
	if (plan->security->passcode_required &&
		!(plan->external_id && plan->passcode && !zoom_is_passcode(plan->passcode)))
		zoom_add_text(body, "password", zoom_passcode(call->arena, plan));
	json_object_object_add(body, "settings", zoom_settings(call, plan));
	return body;
}

const char *provider_zoom_id(struct arena *arena, struct json_object *meeting)
{
	const char *id = provider_json_text(arena, meeting, "id");
	const size_t digits = id ? strspn(id, "0123456789") : 0;

	return digits > 0 && digits <= ZOOM_MAX_ID_DIGITS && !id[digits] ? id : NULL;
}

const char *provider_zoom_link(struct arena *arena, struct json_object *meeting, const char *name)
{
	const char *link = provider_json_text(arena, meeting, name);

	return rest_url_valid(link, REST_URL_LINK) ? link : NULL;
}

void provider_zoom_times(
	struct arena *arena, struct json_object *meeting, int64_t *starts_at_r, int64_t *ends_at_r)
{
	const char *start = provider_json_text(arena, meeting, "start_time");
	int64_t minutes;

	*starts_at_r = *ends_at_r = 0;
	if (!start || !instant_parse(start, starts_at_r))
		return;
	if (provider_json_int(meeting, "duration", &minutes) && minutes > 0 &&
		minutes <= ZOOM_MAX_MINUTES)
		*ends_at_r = *starts_at_r + minutes * INSTANT_MINUTE;
}

bool provider_zoom_is_current(const struct provider_call *call, const struct provider_plan *plan,
	struct json_object *meeting)
{
	const char *topic = provider_json_text(call->arena, meeting, "topic");
	int64_t starts_at, ends_at;

	provider_zoom_times(call->arena, meeting, &starts_at, &ends_at);
	return topic && strcmp(topic, zoom_topic(call->arena, plan)) == 0 &&
	       starts_at == plan->starts_at &&
	       ends_at == plan->starts_at + zoom_minutes(plan) * INSTANT_MINUTE;
}

static void zoom_add_gap(struct arena *arena, struct model_list *gaps, const char *setting,
	bool unsaid, const char *detail)
{
	struct provider_zoom_gap *gap = model_list_add(arena, gaps, sizeof(*gap));

	*gap = (struct provider_zoom_gap){.setting = setting, .detail = detail, .unsaid = unsaid};
}

static void zoom_compare_switch(struct arena *arena, const struct zoom_switch *asked,
	struct json_object *meeting, struct model_list *gaps)
{
	bool on;

	if (!provider_json_bool(meeting, arena_printf(arena, "settings.%s", asked->key), &on))
		zoom_add_gap(arena, gaps, asked->setting, true,
			arena_printf(arena, "Zoom does not say whether it set %s.", asked->words));
	else if (on != asked->asked)
		zoom_add_gap(arena, gaps, asked->setting, false,
			arena_printf(arena,
				on ? "Zoom switched on %s, which was not asked for."
				   : "Zoom did not switch on %s.",
				asked->words));
}

/* Whether a list with ; between its items has this one, in whatever order, spacing and case. */
static bool zoom_has_host(const char *list, const char *host, size_t len)
{
	for (; *list; list += strcspn(list, ";, "), list += strspn(list, ";, "))
		if (strcspn(list, ";, ") == len && strncasecmp(list, host, len) == 0)
			return true;
	return false;
}

static void zoom_compare_hosts(struct arena *arena, const char *asked, struct json_object *meeting,
	struct model_list *gaps)
{
	const char *list = provider_json_text(arena, meeting, "settings.alternative_hosts");
	size_t len;

	for (; *asked; asked += len + (asked[len] == ';')) {
		len = strcspn(asked, ";");
		if (list && zoom_has_host(list, asked, len))
			continue;
		zoom_add_gap(arena, gaps, "alternative_hosts", !list,
			"Zoom did not accept every alternative host.");
		return;
	}
}

/* Asked for or not: people go by the passcode they were told, also by one that the account drew. */
static void zoom_compare_passcode(struct arena *arena, const struct provider_plan *plan,
	struct json_object *json, struct model_list *gaps)
{
	const char *passcode = provider_json_text(arena, json, "password");

	if (!passcode || !passcode[0]) {
		if (plan->security->passcode_required)
			zoom_add_gap(arena, gaps, "passcode_required", !passcode,
				"Zoom set no passcode.");
	} else if (plan->passcode && strcmp(plan->passcode, passcode) != 0)
		zoom_add_gap(arena, gaps, "passcode_required", false,
			"Zoom has another passcode than people were told.");
}

static void zoom_compare_link(struct arena *arena, const struct provider_plan *plan,
	struct json_object *meeting, struct model_list *gaps)
{
	const char *link = provider_zoom_link(arena, meeting, "join_url");

	if (plan->url && link && strcmp(plan->url, link) != 0)
		zoom_add_gap(arena, gaps, "join_url", false,
			"Zoom has another link than people were told.");
}

void provider_zoom_compare(const struct provider_call *call, const struct provider_plan *plan,
	struct json_object *meeting, struct model_list *gaps)
{
	const char *hosts = provider_zoom_setting(call, "alternative_hosts");
	struct zoom_switch switches[ZOOM_SWITCHES];
	size_t i;

	zoom_switches(call, plan, switches);
	for (i = 0; i < ZOOM_SWITCHES; i++)
		zoom_compare_switch(call->arena, &switches[i], meeting, gaps);
	zoom_compare_passcode(call->arena, plan, meeting, gaps);
	zoom_compare_link(call->arena, plan, meeting, gaps);
	if (hosts)
		zoom_compare_hosts(call->arena, hosts, meeting, gaps);
}

/* "+49 69 7104 9922 (Germany), ID 81234567890, PIN 123456": who calls is asked for both, and people
 * of any language read them. `pin`: the passcode's numeric form; NULL: there is none. */
static void zoom_add_dial_in(struct arena *arena, struct json_object *number, const char *id,
	const char *pin, struct model_list *dial_in)
{
	const char *digits = provider_json_text(arena, number, "number");
	const char *country = provider_json_text(arena, number, "country_name"), *text;

	if (!digits)
		return;
	text = country ? arena_printf(arena, "%s (%s)", digits, country) : digits;
	if (id)
		text = arena_printf(arena, "%s, ID %s", text, id);
	if (id && pin)
		text = arena_printf(arena, "%s, PIN %s", text, pin);
	if (strlen(text) <= ZOOM_MAX_NUMBER && !utf8_has_control(text, false))
		*(const char **)model_list_add(arena, dial_in, sizeof(text)) = text;
}

void provider_zoom_fill(
	const struct provider_call *call, struct json_object *meeting, struct meeting_link *link_r)
{
	const char *passcode = provider_json_text(call->arena, meeting, "password");
	const char *pin = provider_json_text(call->arena, meeting, "pstn_password");
	struct json_object *settings, *numbers = NULL;
	size_t i, count;

	link_r->url = provider_zoom_link(call->arena, meeting, "join_url");
	link_r->external_id = provider_zoom_id(call->arena, meeting);
	link_r->account = provider_zoom_account(call);
	link_r->passcode = passcode && passcode[0] ? passcode : NULL;
	link_r->dial_in = (struct model_list){0};
	if (pin && (!pin[0] || pin[strspn(pin, "0123456789")]))
		pin = NULL;
	if (json_object_object_get_ex(meeting, "settings", &settings))
		json_object_object_get_ex(settings, "global_dial_in_numbers", &numbers);
	count = json_object_is_type(numbers, json_type_array) ? json_object_array_length(numbers)
							      : 0;
	for (i = 0; i < count && link_r->dial_in.count < ZOOM_MAX_DIAL_IN; i++)
		zoom_add_dial_in(call->arena, json_object_array_get_idx(numbers, i),
			link_r->external_id, pin, &link_r->dial_in);
}
