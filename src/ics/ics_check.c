#define _GNU_SOURCE /* asprintf */
#include "ics_check.h"

#include <json-c/json.h>
#include <libical/ical.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/*
 * How often a property may stand in a component, by the calendar's form (RFC 5546 section 3.2, RFC
 * 7986 section 5, and stricter where calendar programs need more): 0, 1, ? at most one, * any, + at
 * least one. What has no row is refused: recurrence, attachments and the like have no place in a
 * single meeting. `value` names the template value that the property must equal.
 */
struct check_row {
	const char *name;
	char presence[5]; /* snapshot, request, cancel, feed: as enum ics_form */
	const char *value;
};

static const struct check_row calendar_rows[] = {
	{"VERSION", "1111", "version"},
	{"PRODID", "1111", NULL},
	{"CALSCALE", "????", NULL},
	{"METHOD", "0110", "method"},
	{"NAME", "000?", NULL},
	{"DESCRIPTION", "000?", NULL},
	{"REFRESH-INTERVAL", "000?", NULL},
	{"COLOR", "000?", NULL},
	{"X-", "****", NULL},
};

static const struct check_row event_rows[] = {
	{"UID", "111", "uid"},
	{"DTSTAMP", "111", "dtstamp"},
	{"SEQUENCE", "111", "sequence"},
	{"DTSTART", "111", "dtstart"},
	{"DTEND", "111", "dtend"},
	{"STATUS", "111", "status"},
	{"SUMMARY", "111", NULL},
	{"ORGANIZER", "?11", "organizer"},
	{"ATTENDEE", "*+*", "attendees"},
	{"CREATED", "???", "created"},
	{"LAST-MODIFIED", "???", "last_modified"},
	{"DESCRIPTION", "???", NULL},
	{"LOCATION", "???", NULL},
	{"URL", "???", NULL},
	{"CONFERENCE", "***", NULL},
	{"TRANSP", "???", NULL},
	{"CLASS", "???", NULL},
	{"PRIORITY", "???", NULL},
	{"COLOR", "???", NULL},
	{"CATEGORIES", "***", NULL},
	{"COMMENT", "***", NULL},
	{"CONTACT", "***", NULL},
	{"X-", "***", NULL},
};

static const struct check_row alarm_rows[] = {
	{"ACTION", "111", "alarm_action"},
	{"TRIGGER", "111", NULL},
	{"DESCRIPTION", "111", NULL},
	{"X-", "***", NULL},
};

/*
 * Properties and parameters of which calendar programs know no other values than these, though RFC
 * 5545 and RFC 7986 section 6.3 leave room for more: ical4j refuses all of a calendar for one.
 * NULL: a text of one line. "": a URI.
 */
static const struct check_choice {
	const char *name, *values;
} check_choices[] = {
	{"CALSCALE", "GREGORIAN"},
	{"CLASS", "PUBLIC PRIVATE CONFIDENTIAL"},
	{"PRODID", NULL},
	{"TRANSP", "OPAQUE TRANSPARENT"},
	{"CONFERENCE", ""},
	{"URL", ""},
	{"CUTYPE", "INDIVIDUAL GROUP RESOURCE ROOM UNKNOWN"},
	{"FEATURE", "AUDIO CHAT FEED MODERATOR PHONE SCREEN VIDEO"},
	{"PARTSTAT", "NEEDS-ACTION ACCEPTED DECLINED TENTATIVE DELEGATED"},
	{"ROLE", "CHAIR REQ-PARTICIPANT OPT-PARTICIPANT NON-PARTICIPANT"},
	{"RSVP", "TRUE FALSE"},
};

#define ROWS(array) (array), sizeof(array) / sizeof((array)[0])

enum { CHECK_DEPTH = 3, CHECK_MAX_ROWS = 32 };

/* Each component may hold those of the next row. */
static const struct {
	const char *name;
	const struct check_row *rows;
	size_t row_count;
} check_components[CHECK_DEPTH] = {
	{"VCALENDAR", ROWS(calendar_rows)},
	{"VEVENT", ROWS(event_rows)},
	{"VALARM", ROWS(alarm_rows)},
};

struct check {
	enum ics_form form;
	struct json_object *values, *known;
	int depth; /* of components that are open */
	int began[CHECK_DEPTH];
	int counts[CHECK_DEPTH][CHECK_MAX_ROWS];
};

/* ---- what libical reads in a line ---- */

/* Without folds, and without quotes: libical puts them around parameters where there need be none,
 * and leaves them out where they may be. */
static char *check_plain(char *text)
{
	char *in, *out = text;

	for (in = text; *in; in++) {
		if (strncmp(in, "\r\n ", 3) == 0)
			in += 2;
		else if (*in != '"' && *in != '\r' && *in != '\n')
			*out++ = *in;
	}
	*out = '\0';
	return text;
}

/* What libical has read, as it would write it; NULL when it could not, of which it leaves a note as
 * X-LIC-ERROR. Of a list it makes a property each. The caller frees. */
static char *check_printed(icalcomponent *component)
{
	icalproperty *property = icalcomponent_get_first_property(component, ICAL_ANY_PROPERTY);
	char *value, *printed, *longer;

	if (!property || icalcomponent_count_errors(component))
		return NULL;
	printed = icalproperty_as_ical_string_r(property);
	check_plain(printed);
	while ((property = icalcomponent_get_next_property(component, ICAL_ANY_PROPERTY))) {
		value = icalvalue_as_ical_string_r(icalproperty_get_value(property));
		if (asprintf(&longer, "%s,%s", printed, check_plain(value)) < 0)
			abort();
		free(value);
		free(printed);
		printed = longer;
	}
	return printed;
}

static enum err check_read(
	icalcomponent *component, const char *name, const char *line, struct err_info *info)
{
	char *printed = component ? check_printed(component) : NULL;
	char *plain = strdup(line);
	enum err err = ERR_OK;

	if (!printed)
		err = err_set(info, ERR_INTERNAL, "The calendar's %s does not parse.", name);
	else if (strcmp(check_plain(plain), printed) != 0)
		err = err_set(info, ERR_INTERNAL,
			"The calendar's %s is not read as it is meant: something is not escaped, "
			"or stands where it may not.",
			name);
	free(printed);
	free(plain);
	return err;
}

/* What is not in any standard is a text (RFC 5545 section 3.8.8.2), and libical reads it as one
 * under a name that it knows. */
static char *check_as_text(const char *name, const char *line)
{
	char *text;

	if (asprintf(&text, "COMMENT%s", line + strlen(name)) < 0)
		abort();
	return text;
}

static enum err check_line(
	struct check *check, const char *name, const char *line, struct err_info *info)
{
	const char *within = check_components[check->depth - 1].name;
	icalcomponent *component;
	char *text, *comment = NULL;
	enum err err;

	if (json_object_object_get_ex(check->known, line, NULL))
		return ERR_OK;
	json_object_object_add(check->known, line, NULL);
	if (strncmp(name, "X-", 2) == 0)
		line = comment = check_as_text(name, line);
	if (asprintf(&text, "BEGIN:%s\r\n%s\r\nEND:%s\r\n", within, line, within) < 0)
		abort();
	component = icalparser_parse_string(text);
	err = check_read(component, name, line, info);
	if (component)
		icalcomponent_free(component);
	free(text);
	free(comment);
	return err;
}

/* ---- what a property may say ---- */

/* Behind the first colon that is not within quotes. */
static const char *check_value_of(const char *line)
{
	bool quoted = false;

	for (; *line && (quoted || *line != ':'); line++)
		quoted ^= *line == '"';
	return *line ? line + 1 : line;
}

/* Whether a property is what the receiver acts on: `value` is what it must be. Lists hold people,
 * whose properties must stand in the same order. Others take no parameter: a TZID beside a time in
 * UTC asks for a VTIMEZONE. */
static bool check_is(struct json_object *value, int index, const char *name, const char *line)
{
	const bool people = json_object_is_type(value, json_type_array);
	const char *expected;

	if (people)
		value = json_object_object_get(
			json_object_array_get_idx(value, (size_t)index), "mailto");
	expected = json_object_get_string(value);
	return expected && strcmp(expected, check_value_of(line)) == 0 &&
	       (people || line[strlen(name)] == ':');
}

static bool check_is_listed(const char *values, const char *value, size_t len)
{
	size_t word;

	for (; *values; values += word + (values[word] == ' ')) {
		word = strcspn(values, " ");
		if (word == len && strncmp(values, value, len) == 0)
			return true;
	}
	return false;
}

static bool check_is_of(const struct check_choice *row, const char *value, size_t len)
{
	if (!row->values)
		return !strstr(value, "\\n");
	return *row->values ? check_is_listed(row->values, value, len)
			    : !strpbrk(value, " \"<>\\^`{|}"); /* RFC 3986 section 2 */
}

/* Whether a property or parameter may have the value. */
static bool check_may_be(const char *name, size_t name_len, const char *value, size_t len)
{
	const struct check_choice *row = check_choices;
	const struct check_choice *end = row + sizeof(check_choices) / sizeof(check_choices[0]);

	for (; row < end; row++)
		if (strlen(row->name) == name_len && strncasecmp(row->name, name, name_len) == 0)
			return check_is_of(row, value, len);
	return true;
}

/* Where one of the values of a parameter ends. */
static const char *check_value_end(const char *at)
{
	bool quoted = false;

	for (; *at && (quoted || !strchr(";:,", *at)); at++)
		quoted ^= *at == '"';
	return at;
}

/* Of its parameters and of the property itself. A value that begins with = is legal, but is not
 * what ical4j expects there. */
static enum err check_words(const char *name, const char *line, struct err_info *info)
{
	const char *at = line + strlen(name), *parameter = name, *end = at;
	size_t len = 0;
	bool known = true;

	for (; known && (*at == ';' || *at == ','); at = end) {
		if (*at++ == ';') {
			parameter = at;
			len = strcspn(at, "=:");
			at += len + (at[len] == '=');
		}
		end = check_value_end(at);
		known = *at != '=' && check_may_be(parameter, len, at, (size_t)(end - at));
	}
	at = check_value_of(line);
	if (known && check_may_be(name, strlen(name), at, strlen(at)))
		return ERR_OK;
	return err_set(info, ERR_INTERNAL,
		"The calendar's %s has a value that calendar programs do not know.", name);
}

static const struct check_row *check_row_of(int depth, const char *name)
{
	const struct check_row *row = check_components[depth].rows;
	const struct check_row *end = row + check_components[depth].row_count;

	if (strncmp(name, "X-LIC-", 6) == 0) /* libical's own */
		return NULL;
	for (; row < end; row++)
		if (strcmp(row->name, name) == 0 ||
			(strcmp(row->name, "X-") == 0 && strncmp(name, "X-", 2) == 0))
			return row;
	return NULL;
}

static enum err check_property(
	struct check *check, const char *name, const char *line, struct err_info *info)
{
	const int depth = check->depth - 1;
	const struct check_row *row = check_row_of(depth, name);
	enum err err;
	int *count;

	if (!row)
		return err_set(info, ERR_INTERNAL, "The calendar's %s may not have %s.",
			check_components[depth].name, name);
	count = &check->counts[depth][row - check_components[depth].rows];
	if (row->value &&
		!check_is(json_object_object_get(check->values, row->value), *count, name, line))
		return err_set(info, ERR_INTERNAL, "The calendar's %s is not the meeting's.", name);
	++*count;
	err = check_words(name, line, info);
	return err == ERR_OK ? check_line(check, name, line, info) : err;
}

/* ---- components ---- */

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

static enum err check_begin(struct check *check, const char *name, struct err_info *info)
{
	const int depth = check->depth;
	const int most[CHECK_DEPTH] = {1, check->form != ICS_FORM_FEED, CHECK_MAX_ROWS};

	if (depth == CHECK_DEPTH || strcmp(name, check_components[depth].name) != 0)
		return err_set(info, ERR_INTERNAL, "The calendar's %s may not hold %s.",
			depth ? check_components[depth - 1].name : "file", name);
	if (++check->began[depth] > most[depth])
		return err_set(info, ERR_INTERNAL, "The calendar has one %s too many.", name);
	if (depth == 2 && !json_object_object_get_ex(check->values, "alarm_minutes", NULL))
		return err_set(info, ERR_INTERNAL, "This event may not have an alarm.");
	memset(check->counts[depth], 0, sizeof(check->counts[depth]));
	check->depth++;
	return ERR_OK;
}

static enum err check_end(struct check *check, const char *name, struct err_info *info)
{
	const int depth = check->depth - 1;
	const struct check_row *rows = check_components[depth].rows;
	size_t i;

	if (strcmp(name, check_components[depth].name) != 0)
		return err_set(info, ERR_INTERNAL, "The calendar ends %s where %s is open.", name,
			check_components[depth].name);
	for (i = 0; i < check_components[depth].row_count; i++)
		if (!check_count(rows[i].presence[check->form], check->counts[depth][i]))
			return err_set(info, ERR_INTERNAL, "The calendar's %s has %d of %s.", name,
				check->counts[depth][i], rows[i].name);
	check->depth--;
	return ERR_OK;
}

static enum err check_content(struct check *check, const char *line, struct err_info *info)
{
	const size_t len = strcspn(line, ":;");
	char name[64];

	snprintf(name, sizeof(name), "%.*s", (int)len, line);
	if (strcmp(name, "BEGIN") == 0 && line[len] == ':')
		return check_begin(check, line + len + 1, info);
	if (!check->depth)
		return err_set(
			info, ERR_INTERNAL, "The calendar has %s outside of VCALENDAR.", name);
	if (strcmp(name, "END") == 0 && line[len] == ':')
		return check_end(check, line + len + 1, info);
	return check_property(check, name, line, info);
}

/* The next content line without its folds, to be freed; NULL at the end. */
static char *check_next(const char **at)
{
	const char *end;
	struct buf line;

	if (!**at)
		return NULL;
	buf_init(&line, strlen(*at));
	do {
		end = strstr(*at, "\r\n");
		buf_add(&line, *at, (size_t)(end - *at));
		*at = end + strlen("\r\n");
	} while (**at == ' ' && ++*at);
	return line.bytes;
}

enum err ics_check(const char *calendar, enum ics_form form, struct json_object *values,
	struct json_object *known, struct err_info *info)
{
	struct check check = {.form = form, .values = values, .known = known};
	enum err err = ERR_OK;
	char *line;

	while (err == ERR_OK && (line = check_next(&calendar))) {
		err = check_content(&check, line, info);
		free(line);
	}
	if (err == ERR_OK && (check.depth || !check.began[0]))
		err = err_set(info, ERR_INTERNAL, "The template does not make one VCALENDAR.");
	if (err == ERR_OK && form != ICS_FORM_FEED && !check.began[1])
		err = err_set(info, ERR_INTERNAL, "The calendar holds no VEVENT.");
	return err;
}
