#define _GNU_SOURCE /* strcasestr */
#include "ics_reply.h"

#include <libical/ical.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "instant.h"
#include "utf8.h"

enum {
	REPLY_MAX_TEXT = 256 * 1024,
	REPLY_MAX_NESTED = 100, /* components: libical frees what is nested by recursion */
	REPLY_MAX_WORDS = 2000, /* characters */
};

/* What a calendar answers in the words of who uses it. Others copy the DESCRIPTION of the
 * invitation; Outlook and Exchange put there what was typed. */
#define REPLY_TYPES_DESCRIPTION "Microsoft"

static const char *reply_value(icalcomponent *component, icalproperty_kind kind)
{
	icalproperty *property = icalcomponent_get_first_property(component, kind);

	return property ? icalproperty_get_value_as_string(property) : NULL;
}

/* How often a word stands in a text, in any case of its letters. */
static int reply_count(const char *text, const char *word)
{
	int count = 0;

	while ((text = strcasestr(text, word)) != NULL) {
		count++;
		text += strlen(word);
	}
	return count;
}

/* Whether no END comes before its BEGIN, of which libical complains on standard error, and nothing
 * is nested so deep that it takes too long to be taken apart. */
static bool reply_is_nested(const char *text)
{
	int begun = 0, depth = 0;

	for (; text; text = strchr(text, '\n'), text += text != NULL) {
		if (strncasecmp(text, "BEGIN:", strlen("BEGIN:")) == 0) {
			begun++;
			depth++;
		} else if (strncasecmp(text, "END:", strlen("END:")) == 0 && --depth < 0) {
			return false;
		}
	}
	return begun <= REPLY_MAX_NESTED;
}

/* No rule that libical would have to walk through for long. */
static bool reply_rules_are_yearly(const char *text)
{
	return reply_count(text, "FREQ") == reply_count(text, "FREQ=YEARLY") &&
	       !strcasestr(text, "RDATE");
}

static int64_t reply_instant(icalproperty *property, icalcomponent *calendar, bool zones)
{
	struct icaltimetype time;
	const icaltimezone *zone;

	if (!property)
		return 0;
	if (icalproperty_get_first_parameter(property, ICAL_TZID_PARAMETER) && !zones)
		return 0;
	time = icalproperty_get_datetime_with_component(property, calendar);
	zone = icaltime_get_timezone(time);
	if (icaltime_is_null_time(time) || !icaltime_is_valid_time(time) || time.is_date || !zone)
		return 0;
	return (int64_t)icaltime_as_timet_with_zone(time, zone) * INSTANT_SECOND;
}

static void reply_read_times(
	icalcomponent *calendar, icalcomponent *event, const char *text, struct ics_reply *reply_r)
{
	const bool zones = reply_rules_are_yearly(text);

	reply_r->starts_at = reply_instant(
		icalcomponent_get_first_property(event, ICAL_DTSTART_PROPERTY), calendar, zones);
	reply_r->ends_at = reply_instant(
		icalcomponent_get_first_property(event, ICAL_DTEND_PROPERTY), calendar, zones);
	if (reply_r->starts_at <= 0 || reply_r->ends_at <= reply_r->starts_at)
		reply_r->starts_at = reply_r->ends_at = 0;
}

/* "MAILTO:a@b" without the scheme; NULL for what is no address. */
static const char *reply_email(icalproperty *attendee)
{
	const char *value = icalproperty_get_attendee(attendee);

	return value && strncasecmp(value, "mailto:", strlen("mailto:")) == 0
		       ? value + strlen("mailto:")
		       : NULL;
}

static void reply_read_attendee(
	struct arena *arena, icalcomponent *event, const char *email, struct ics_reply *reply_r)
{
	icalproperty *attendee, *found = NULL;
	icalparameter *partstat;
	const char *own;
	int count = 0;

	for (attendee = icalcomponent_get_first_property(event, ICAL_ATTENDEE_PROPERTY); attendee;
		attendee = icalcomponent_get_next_property(event, ICAL_ATTENDEE_PROPERTY)) {
		own = reply_email(attendee);
		if (count++ == 0 || (own && utf8_same_but_case(own, email)))
			found = attendee;
	}
	own = found ? reply_email(found) : NULL;
	if (!found || (count > 1 && !(own && utf8_same_but_case(own, email))))
		return;
	reply_r->attendee = arena_strdup(arena, own);
	partstat = icalproperty_get_first_parameter(found, ICAL_PARTSTAT_PARAMETER);
	if (partstat)
		reply_r->partstat = arena_strdup(
			arena, icalparameter_enum_to_string(icalparameter_get_partstat(partstat)));
}

/* What may be written, without blanks around it; NULL when that is nothing. */
static const char *reply_clean(struct arena *arena, const char *text)
{
	char *clean;
	size_t i, count = 0;

	while (text && strchr(" \t\r\n", *text) && *text)
		text++;
	if (!text || utf8_refusal(text, true) || utf8_is_blank(text))
		return NULL;
	for (i = 0; text[i] && count < REPLY_MAX_WORDS; i++)
		count += ((unsigned char)text[i] & 0xc0) != 0x80;
	clean = arena_strndup(arena, text, utf8_prefix(text, i));
	for (i = strlen(clean); i > 0 && strchr(" \t\r\n", clean[i - 1]); i--)
		clean[i - 1] = '\0';
	return clean;
}

static void reply_read_words(struct arena *arena, icalcomponent *calendar, icalcomponent *event,
	struct ics_reply *reply_r)
{
	icalproperty *property = icalcomponent_get_first_property(event, ICAL_COMMENT_PROPERTY);
	const char *program = reply_value(calendar, ICAL_PRODID_PROPERTY);

	if (property)
		reply_r->words = reply_clean(arena, icalproperty_get_comment(property));
	property = icalcomponent_get_first_property(event, ICAL_DESCRIPTION_PROPERTY);
	if (!reply_r->words && property && program && strstr(program, REPLY_TYPES_DESCRIPTION))
		reply_r->words = reply_clean(arena, icalproperty_get_description(property));
}

static bool reply_read_event(struct arena *arena, icalcomponent *calendar, const char *text,
	const char *email, struct ics_reply *reply_r)
{
	const icalproperty_method method = icalcomponent_get_method(calendar);
	icalcomponent *event = icalcomponent_get_first_component(calendar, ICAL_VEVENT_COMPONENT);
	icalproperty *stamp;

	if ((method != ICAL_METHOD_REPLY && method != ICAL_METHOD_COUNTER) || !event ||
		icalcomponent_get_next_component(calendar, ICAL_VEVENT_COMPONENT))
		return false;
	reply_r->uid = arena_strdup(arena, icalcomponent_get_uid(event));
	reply_r->sequence = icalcomponent_get_sequence(event);
	reply_r->part = icalcomponent_get_first_property(event, ICAL_RECURRENCEID_PROPERTY) != NULL;
	stamp = icalcomponent_get_first_property(event, ICAL_DTSTAMP_PROPERTY);
	reply_r->stamped_at = reply_instant(stamp, calendar, false);
	if (reply_r->stamped_at < 0)
		reply_r->stamped_at = 0;
	reply_read_attendee(arena, event, email, reply_r);
	reply_read_words(arena, calendar, event, reply_r);
	if (method == ICAL_METHOD_COUNTER)
		reply_read_times(calendar, event, text, reply_r);
	return reply_r->uid != NULL;
}

bool ics_reply_read(
	struct arena *arena, const char *text, const char *email, struct ics_reply *reply_r)
{
	icalcomponent *calendar;
	bool read;

	*reply_r = (struct ics_reply){0};
	if (strlen(text) > REPLY_MAX_TEXT || !reply_is_nested(text))
		return false;
	calendar = icalparser_parse_string(text);
	if (!calendar)
		return false;
	read = icalcomponent_isa(calendar) == ICAL_VCALENDAR_COMPONENT &&
	       reply_read_event(arena, calendar, text, email, reply_r);
	icalcomponent_free(calendar);
	return read;
}
