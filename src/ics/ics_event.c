#include "ics_event.h"

#include <json-c/json.h>
#include <libical/ical.h>
#include <pthread.h>
#include <stdlib.h>

#include "arena.h"
#include "ics_check.h"
#include "ics_text.h"
#include "rest.h"
#include "utf8.h"

#define EVENT_TEMPLATE "ics/event.ics"

enum { EVENT_CEILING = 256 * 1024 };

static pthread_once_t event_library_once = PTHREAD_ONCE_INIT;

/* The parser switches this global state on and off again without a lock, and the UTC zone is made
 * when it is first needed: both are settled before threads can meet there. */
static void event_library_init(void)
{
	icalerror_set_errors_are_fatal(0);
	icalerror_set_error_state(ICAL_MALFORMEDDATA_ERROR, ICAL_ERROR_NONFATAL);
	icaltimezone_get_utc_timezone();
}

/* What is NULL is left out, so that the template's {{#name}} is false. */
static void event_add_text(struct json_object *values, const char *name, const char *text)
{
	if (text)
		json_object_object_add(values, name, json_object_new_string(text));
}

static void event_add_time(
	struct arena *arena, struct json_object *values, const char *name, int64_t instant)
{
	if (instant)
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
	json_object_object_add(
		person, "rsvp", json_object_new_boolean(attendee->asked && method == ICS_REQUEST));
}

static void event_add_people(
	struct arena *arena, struct json_object *values, const struct ics_event *event)
{
	struct json_object *organizer = json_object_new_array(),
			   *attendees = json_object_new_array();
	size_t i;

	json_object_object_add(values, "organizer", organizer);
	json_object_object_add(values, "attendees", attendees);
	if (event->organizer_email)
		event_add_person(arena, organizer, event->organizer_name, event->organizer_email);
	for (i = 0; i < event->attendee_count; i++)
		event_add_attendee(arena, attendees, &event->attendees[i], event->method);
}

/* The names that templates/ics/event.ics explains, and two that are only checked against: version
 * and alarm_action. Caller frees with json_object_put. */
static struct json_object *event_values(struct arena *arena, const struct ics_event *event)
{
	static const char *const methods[] = {
		[ICS_REQUEST] = "REQUEST",
		[ICS_CANCEL] = "CANCEL",
	};
	struct json_object *values = json_object_new_object();
	bool cancelled = event->cancelled || event->method == ICS_CANCEL;

	event_add_text(values, "version", "2.0");
	if (event->method != ICS_SNAPSHOT)
		event_add_text(values, "method", methods[event->method]);
	json_object_object_add(values, "cancelled", json_object_new_boolean(cancelled));
	event_add_text(values, "status", cancelled ? "CANCELLED" : "CONFIRMED");
	event_add_text(values, "uid", ics_text_line(arena, event->uid));
	json_object_object_add(values, "sequence", json_object_new_int64(event->sequence));
	event_add_time(arena, values, "dtstamp", event->dtstamp);
	event_add_time(arena, values, "created", event->created);
	event_add_time(arena, values, "last_modified", event->last_modified);
	event_add_time(arena, values, "dtstart", event->starts_at);
	event_add_time(arena, values, "dtend", event->ends_at);
	event_add_text(values, "summary", ics_text_line(arena, event->summary));
	event_add_text(values, "with", ics_text_line(arena, event->with));
	event_add_text(values, "description", ics_text_escaped(arena, event->description));
	event_add_text(values, "comment", ics_text_lines(arena, event->comment));
	event_add_text(values, "join_url", event->join_url);
	event_add_text(values, "join_label", ics_text_line(arena, event->join_label));
	event_add_text(values, "label", ics_text_param(arena, event->join_label));
	event_add_text(values, "page_url", event->page_url);
	event_add_people(arena, values, event);
	if (event->alarm_minutes > 0 && !cancelled) {
		json_object_object_add(
			values, "alarm_minutes", json_object_new_int64(event->alarm_minutes));
		event_add_text(values, "alarm_action", "DISPLAY");
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

static enum err event_check_input(const struct ics_event *event, struct err_info *info)
{
	const unsigned link = REST_URL_LINK | REST_URL_HTTP;

	if (event->ends_at <= event->starts_at)
		return err_set(info, ERR_INTERNAL, "The event ends before it starts.");
	if (event->method == ICS_REQUEST && event->cancelled)
		return err_set(info, ERR_INTERNAL, "A cancelled event cannot be an invitation.");
	if ((event->join_url && !rest_url_valid(event->join_url, link)) ||
		(event->page_url && !rest_url_valid(event->page_url, link)))
		return err_set(info, ERR_INTERNAL, "The event's link is not an http or https URL.");
	return ERR_OK;
}

enum err ics_event_render(const struct tmpl_set *templates, const struct ics_event *event,
	struct buf *out, struct err_info *info)
{
	struct arena *arena = arena_new();
	struct json_object *values = event_values(arena, event);
	icalcomponent *calendar = NULL;
	struct buf rendered, folded;
	char *lines = NULL;
	enum err err;

	pthread_once(&event_library_once, event_library_init);
	buf_init(&rendered, EVENT_CEILING);
	buf_init(&folded, EVENT_CEILING);
	err = event_check_input(event, info);
	if (err)
		goto out;
	err = tmpl_render(templates, EVENT_TEMPLATE, values, &rendered, info);
	if (err)
		goto out;
	if (!utf8_valid(rendered.bytes, rendered.len, NULL)) {
		err = err_set(info, ERR_INTERNAL, "The calendar is not UTF-8.");
		goto out;
	}
	calendar = icalparser_parse_string(rendered.bytes);
	err = ics_check(calendar, event->method, values, info);
	if (err)
		goto out;
	lines = icalcomponent_as_ical_string_r(calendar);
	err = ics_text_fold(lines, &folded, info);
	if (err)
		goto out;
	buf_add(out, folded.bytes, folded.len);
	if (folded.overflow || out->overflow)
		err = err_set(info, ERR_INTERNAL, "The calendar is too large.");
out:
	free(lines);
	if (calendar)
		icalcomponent_free(calendar);
	buf_fini(&folded);
	buf_fini(&rendered);
	json_object_put(values);
	arena_free(&arena);
	return err;
}
