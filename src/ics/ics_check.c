#include "ics_check.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "xalloc.h"

/*
 * How often a property may stand in a component, by method (RFC 5546 section 3.2, and stricter
 * where calendar programs need more): 0, 1, ? at most one, * any, + at least one. What has no row
 * is refused: recurrence, attachments and the like have no place in a single meeting.
 * `value` names the template value that the property must equal.
 */
struct check_row {
	icalproperty_kind kind;
	char presence[4]; /* snapshot, request, cancel: as enum ics_method */
	const char *value;
};

static const struct check_row calendar_rows[] = {
	{ICAL_VERSION_PROPERTY, "111", "version"},
	{ICAL_PRODID_PROPERTY, "111", NULL},
	{ICAL_CALSCALE_PROPERTY, "???", NULL},
	{ICAL_METHOD_PROPERTY, "011", "method"},
	{ICAL_X_PROPERTY, "***", NULL},
};

static const struct check_row event_rows[] = {
	{ICAL_UID_PROPERTY, "111", "uid"},
	{ICAL_DTSTAMP_PROPERTY, "111", "dtstamp"},
	{ICAL_SEQUENCE_PROPERTY, "111", "sequence"},
	{ICAL_DTSTART_PROPERTY, "111", "dtstart"},
	{ICAL_DTEND_PROPERTY, "111", "dtend"},
	{ICAL_STATUS_PROPERTY, "111", "status"},
	{ICAL_SUMMARY_PROPERTY, "111", NULL},
	{ICAL_ORGANIZER_PROPERTY, "?11", "organizer"},
	{ICAL_ATTENDEE_PROPERTY, "*+*", "attendees"},
	{ICAL_CREATED_PROPERTY, "???", "created"},
	{ICAL_LASTMODIFIED_PROPERTY, "???", "last_modified"},
	{ICAL_DESCRIPTION_PROPERTY, "???", NULL},
	{ICAL_LOCATION_PROPERTY, "???", NULL},
	{ICAL_URL_PROPERTY, "???", NULL},
	{ICAL_CONFERENCE_PROPERTY, "***", NULL},
	{ICAL_TRANSP_PROPERTY, "???", NULL},
	{ICAL_CLASS_PROPERTY, "???", NULL},
	{ICAL_PRIORITY_PROPERTY, "???", NULL},
	{ICAL_COLOR_PROPERTY, "???", NULL},
	{ICAL_CATEGORIES_PROPERTY, "***", NULL},
	{ICAL_COMMENT_PROPERTY, "***", NULL},
	{ICAL_CONTACT_PROPERTY, "***", NULL},
	{ICAL_X_PROPERTY, "***", NULL},
};

static const struct check_row alarm_rows[] = {
	{ICAL_ACTION_PROPERTY, "111", "alarm_action"},
	{ICAL_TRIGGER_PROPERTY, "111", NULL},
	{ICAL_DESCRIPTION_PROPERTY, "111", NULL},
	{ICAL_X_PROPERTY, "***", NULL},
};

#define ROWS(array) (array), sizeof(array) / sizeof((array)[0])

static bool check_count(char presence, int count)
{
	switch (presence) {
	case '0':
		return count == 0;
	case '1':
		return count == 1;
	case '?':
		return count <= 1;
	case '+':
		return count >= 1;
	default:
		return true;
	}
}

/* TEXT without its escapes, anything else as it is written. */
static char *check_text(icalproperty *property)
{
	icalvalue *value = icalproperty_get_value(property);

	if (icalvalue_isa(value) == ICAL_TEXT_VALUE)
		return xstrdup(icalvalue_get_text(value));
	return icalvalue_as_ical_string_r(value);
}

/* Lists hold people, whose properties must stand in the same order. */
static const char *check_expected(struct json_object *value, int index)
{
	if (!json_object_is_type(value, json_type_array))
		return json_object_get_string(value);
	value = json_object_array_get_idx(value, (size_t)index);
	return json_object_get_string(json_object_object_get(value, "mailto"));
}

static enum err check_value(icalproperty *property, const struct check_row *row, int index,
	struct json_object *values, struct err_info *info)
{
	const char *expected = check_expected(json_object_object_get(values, row->value), index);
	char *text = check_text(property);
	bool same = text && expected && strcmp(text, expected) == 0;

	free(text);
	if (!same)
		return err_set(info, ERR_INTERNAL, "The calendar's %s is not the meeting's.",
			icalproperty_kind_to_string(row->kind));
	return ERR_OK;
}

static enum err check_row(icalcomponent *component, const struct check_row *row,
	enum ics_method method, struct json_object *values, struct err_info *info)
{
	icalproperty *property;
	int count = 0;
	enum err err;

	for (property = icalcomponent_get_first_property(component, row->kind); property;
		property = icalcomponent_get_next_property(component, row->kind)) {
		err = row->value ? check_value(property, row, count, values, info) : ERR_OK;
		if (err)
			return err;
		count++;
	}
	if (!check_count(row->presence[method], count))
		return err_set(info, ERR_INTERNAL, "The calendar's %s has %d of %s.",
			icalcomponent_kind_to_string(icalcomponent_isa(component)), count,
			icalproperty_kind_to_string(row->kind));
	return ERR_OK;
}

static enum err check_component(icalcomponent *component, const struct check_row *rows,
	size_t row_count, enum ics_method method, struct json_object *values, struct err_info *info)
{
	icalproperty *property;
	enum err err;
	size_t i;

	for (property = icalcomponent_get_first_property(component, ICAL_ANY_PROPERTY); property;
		property = icalcomponent_get_next_property(component, ICAL_ANY_PROPERTY)) {
		for (i = 0; i < row_count && rows[i].kind != icalproperty_isa(property); i++)
			;
		if (i == row_count)
			return err_set(info, ERR_INTERNAL, "The calendar's %s may not have %s.",
				icalcomponent_kind_to_string(icalcomponent_isa(component)),
				icalproperty_get_property_name(property));
	}
	for (i = 0; i < row_count; i++) {
		err = check_row(component, &rows[i], method, values, info);
		if (err)
			return err;
	}
	return ERR_OK;
}

/* libical notes what it could not parse as X-LIC-ERROR, its words before a colon and the line at
 * fault after it. The line is left out, as it may hold a join link, unless it is only a name. */
static enum err check_complaint(icalcomponent *component, struct err_info *info)
{
	icalproperty *property =
		icalcomponent_get_first_property(component, ICAL_XLICERROR_PROPERTY);
	icalparameter *type;
	icalcomponent *inner;
	const char *words;
	size_t len;
	enum err err;

	if (property) {
		words = icalproperty_get_xlicerror(property);
		type = icalproperty_get_first_parameter(property, ICAL_XLICERRORTYPE_PARAMETER);
		len = strcspn(words, ":");
		if (type && icalparameter_get_xlicerrortype(type) ==
				    ICAL_XLICERRORTYPE_PROPERTYPARSEERROR)
			len = strlen(words);
		return err_set(
			info, ERR_INTERNAL, "The calendar does not parse: %.*s.", (int)len, words);
	}
	for (inner = icalcomponent_get_first_component(component, ICAL_ANY_COMPONENT); inner;
		inner = icalcomponent_get_next_component(component, ICAL_ANY_COMPONENT)) {
		err = check_complaint(inner, info);
		if (err)
			return err;
	}
	return ERR_OK;
}

static enum err check_alarms(icalcomponent *event, enum ics_method method,
	struct json_object *values, struct err_info *info)
{
	icalcomponent *alarm;
	enum err err;

	for (alarm = icalcomponent_get_first_component(event, ICAL_ANY_COMPONENT); alarm;
		alarm = icalcomponent_get_next_component(event, ICAL_ANY_COMPONENT)) {
		if (icalcomponent_isa(alarm) != ICAL_VALARM_COMPONENT)
			return err_set(info, ERR_INTERNAL, "The calendar's VEVENT may not hold %s.",
				icalcomponent_kind_to_string(icalcomponent_isa(alarm)));
		if (!json_object_object_get(values, "alarm_minutes"))
			return err_set(info, ERR_INTERNAL, "This event may not have an alarm.");
		err = check_component(alarm, ROWS(alarm_rows), method, values, info);
		if (err)
			return err;
	}
	return ERR_OK;
}

enum err ics_check(icalcomponent *calendar, enum ics_method method, struct json_object *values,
	struct err_info *info)
{
	icalcomponent *event;
	enum err err;

	if (!calendar || icalcomponent_isa(calendar) != ICAL_VCALENDAR_COMPONENT)
		return err_set(info, ERR_INTERNAL, "The template does not make one VCALENDAR.");
	err = check_complaint(calendar, info);
	if (err)
		return err;
	event = icalcomponent_get_first_component(calendar, ICAL_VEVENT_COMPONENT);
	if (!event || icalcomponent_count_components(calendar, ICAL_ANY_COMPONENT) != 1)
		return err_set(
			info, ERR_INTERNAL, "The calendar does not hold exactly one VEVENT.");
	err = check_component(calendar, ROWS(calendar_rows), method, values, info);
	if (!err)
		err = check_component(event, ROWS(event_rows), method, values, info);
	if (!err)
		err = check_alarms(event, method, values, info);
	if (!err && !icalrestriction_check(calendar)) {
		check_complaint(calendar, info);
		err = ERR_INTERNAL;
	}
	return err;
}
