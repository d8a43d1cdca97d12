#include "ics_event.h"

#include <json-c/json.h>
#include <string.h>

#include "ics_text.h"
#include "utf8.h"

#define EVENT_TEMPLATE "ics/event.ics"
#define EVENT_BEGIN    "\r\nBEGIN:VEVENT\r\n"
#define EVENT_END      "\r\nEND:VEVENT\r\n"

enum { EVENT_CEILING = 256 * 1024 };

/* A new member of an object under a name that it has not, which is a literal. */
static void event_add(struct json_object *object, const char *name, struct json_object *value)
{
	json_object_object_add_ex(
		object, name, value, JSON_C_OBJECT_ADD_KEY_IS_NEW | JSON_C_OBJECT_KEY_IS_CONSTANT);
}

/* What is NULL is left out, so that the template's {{#name}} is false. */
static void event_add_text(struct json_object *values, const char *name, const char *text)
{
	if (text)
		event_add(values, name, json_object_new_string(text));
}

static void event_add_time(
	struct arena *arena, struct json_object *values, const char *name, int64_t instant)
{
	event_add_text(values, name, ics_text_time(arena, instant));
}

static struct json_object *event_add_person(
	struct arena *arena, struct json_object *people, const char *name, const char *email)
{
	struct json_object *person = json_object_new_object();

	event_add_text(person, "cn", ics_text_param(arena, name));
	event_add_text(person, "mailto", ics_text_mailto(arena, email));
	json_object_array_add(people, person);
	return person;
}

static void event_add_attendee(struct arena *arena, struct json_object *people,
	const struct ics_attendee *attendee, enum ics_method method)
{
	struct json_object *person =
		event_add_person(arena, people, attendee->name, attendee->email);

	event_add_text(person, "partstat", attendee->accepted ? "ACCEPTED" : "NEEDS-ACTION");
	event_add(
		person, "rsvp", json_object_new_boolean(attendee->asked && method == ICS_REQUEST));
}

static void event_add_people(
	struct arena *arena, struct json_object *values, const struct ics_event *event)
{
	struct json_object *organizer = json_object_new_array(),
			   *attendees = json_object_new_array();
	size_t i;

	event_add(values, "organizer", organizer);
	event_add(values, "attendees", attendees);
	event_add_person(arena, organizer, event->organizer_name, event->organizer_email);
	for (i = 0; i < event->attendee_count; i++)
		event_add_attendee(arena, attendees, &event->attendees[i], event->method);
}

static bool event_is_off(const struct ics_event *event)
{
	return event->cancelled || event->method == ICS_CANCEL;
}

static void event_add_links(
	struct arena *arena, struct json_object *values, const struct ics_event *event)
{
	event_add_text(values, "page_url", event->page_url);
	if (!event->join_url)
		return;
	event_add_text(values, "join_url", event->join_url);
	event_add_text(values, "join_label", ics_text_line(arena, event->join_label));
	event_add_text(values, "label", ics_text_param(arena, event->join_label));
}

struct json_object *ics_event_values(struct arena *arena, const struct ics_event *event)
{
	static const char *const methods[] = {
		[ICS_REQUEST] = "REQUEST",
		[ICS_CANCEL] = "CANCEL",
	};
	struct json_object *values = json_object_new_object();
	const bool off = event_is_off(event);

	event_add_text(values, "version", "2.0");
	if (event->method != ICS_SNAPSHOT)
		event_add_text(values, "method", methods[event->method]);
	event_add(values, "cancelled", json_object_new_boolean(off));
	event_add_text(values, "status", off ? "CANCELLED" : "CONFIRMED");
	event_add_text(values, "uid", event->uid);
	/* As a text, for a number that is 0 would be false. */
	event_add_text(values, "sequence", arena_printf(arena, "%lld", (long long)event->sequence));
	event_add_time(arena, values, "dtstamp", event->dtstamp);
	event_add_time(arena, values, "created", event->created ? event->created : event->dtstamp);
	event_add_time(arena, values, "last_modified",
		event->last_modified ? event->last_modified : event->dtstamp);
	event_add_time(arena, values, "dtstart", event->starts_at);
	event_add_time(arena, values, "dtend", event->ends_at);
	event_add_text(values, "summary", ics_text_line(arena, event->summary));
	event_add_text(values, "with", ics_text_line(arena, event->with));
	event_add_text(values, "description", ics_text_escaped(arena, event->description));
	event_add_people(arena, values, event);
	if (off) {
		event_add_text(values, "comment", ics_text_lines(arena, event->comment));
	} else {
		event_add_links(arena, values, event);
		if (event->alarm_minutes > 0) {
			event_add(values, "alarm_minutes",
				json_object_new_int64(event->alarm_minutes));
			event_add_text(values, "alarm_action", "DISPLAY");
		}
	}
	return values;
}

static const char *const event_names[] = {"version", "method", "cancelled", "status", "uid",
	"sequence", "dtstamp", "created", "last_modified", "dtstart", "dtend", "summary", "with",
	"description", "comment", "join_url", "join_label", "label", "page_url", "organizer.cn",
	"organizer.mailto", "attendees.cn", "attendees.mailto", "attendees.partstat",
	"attendees.rsvp", "alarm_minutes", "alarm_action", NULL};

enum err ics_event_check_template(const struct tmpl_set *templates, struct err_info *info)
{
	static const char *const *const names[] = {event_names, NULL};

	return tmpl_check_names(templates, EVENT_TEMPLATE, names, info);
}

/* RFC 3986 section 2: nothing that would end the link where it stands. */
static bool event_is_link(const char *url)
{
	const size_t len = strlen(url);

	return (strncmp(url, "https://", 8) == 0 || strncmp(url, "http://", 7) == 0) &&
	       utf8_plain(url, len) == len && !strpbrk(url, " \"<>\\^`{|}");
}

static enum err event_check_input(const struct ics_event *event, struct err_info *info)
{
	if (event->ends_at <= event->starts_at)
		return err_set(info, ERR_INTERNAL, "The event ends before it starts.");
	if (!event->uid[0] || !event->dtstamp)
		return err_set(info, ERR_INTERNAL, "The event has no UID, or no DTSTAMP.");
	if (event->method == ICS_REQUEST && event->cancelled)
		return err_set(info, ERR_INTERNAL, "A cancelled event cannot be an invitation.");
	if (!event->organizer_email || !event->attendee_count)
		return err_set(info, ERR_INTERNAL, "The event has no organizer, or no attendee.");
	if ((event->join_url && !event_is_link(event->join_url)) ||
		(event->page_url && !event_is_link(event->page_url)))
		return err_set(info, ERR_INTERNAL, "The event's link is not an http or https URL.");
	return ERR_OK;
}

/* Leaves of what was appended behind `before` the VEVENT alone, which the proof has found there. */
static enum err event_strip(struct buf *out, size_t before, struct err_info *info)
{
	char *begin = strstr(out->bytes + before, EVENT_BEGIN);
	char *end = begin ? strstr(begin, EVENT_END) : NULL;
	size_t len;

	if (!end)
		return err_set(info, ERR_INTERNAL, "The calendar holds no VEVENT.");
	begin += strlen("\r\n");
	len = (size_t)(end + strlen(EVENT_END) - begin);
	memmove(out->bytes + before, begin, len);
	buf_cut(out, before + len);
	return ERR_OK;
}

static enum err event_fold(const struct ics_event *event, const struct buf *rendered,
	struct buf *out, struct err_info *info)
{
	const size_t before = out->len;
	enum err err;

	if (!utf8_valid(rendered->bytes, rendered->len, NULL))
		return err_set(info, ERR_INTERNAL, "The calendar is not UTF-8.");
	err = ics_text_fold(rendered->bytes, out, info);
	return err == ERR_OK && event->bare ? event_strip(out, before, info) : err;
}

enum err ics_event_render(const struct tmpl_set *templates, const struct ics_event *event,
	struct buf *out, struct err_info *info)
{
	struct json_object *values;
	struct arena *arena;
	struct buf rendered;
	enum err err;

	err = event_check_input(event, info);
	if (err != ERR_OK)
		return err;
	arena = arena_new();
	values = ics_event_values(arena, event);
	buf_init(&rendered, EVENT_CEILING);
	err = tmpl_render(templates, EVENT_TEMPLATE, values, &rendered, info);
	if (err == ERR_OK)
		err = event_fold(event, &rendered, out, info);
	buf_fini(&rendered);
	json_object_put(values);
	arena_free(&arena);
	return err;
}
