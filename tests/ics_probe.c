/*
 * What calendars are made of, for the tests in Python.
 *
 *   ics_probe zones                  standard input: lines of ZONE SECONDS; prints OFFSET DST
 * LETTERS ics_probe mutants SEED COUNT     that many mutated templates, each refused or made
 * calendars of, which go to standard output with a NUL behind each; what became of them goes to
 * standard error
 */
#include <inttypes.h>
#include <json-c/json.h>
#include <libical/ical.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ics_event.h"
#include "ics_feed.h"
#include "ics_invite.h"
#include "ics_proof.h"
#include "ics_when.h"
#include "ics_zone.h"
#include "instant.h"

enum { PROBE_TEXT = 64 * 1024, PROBE_CEILING = 512 * 1024, PROBE_EVENTS = 3 };

static uint64_t probe_state;

/* xorshift64*: the same mutants for the same seed, everywhere. */
static size_t probe_below(size_t bound)
{
	probe_state ^= probe_state >> 12;
	probe_state ^= probe_state << 25;
	probe_state ^= probe_state >> 27;
	return (size_t)((probe_state * UINT64_C(2685821657736338717)) >> 33) % bound;
}

static int probe_zones(void)
{
	struct ics_zone_local local;
	char line[256], zone[128];
	int64_t seconds;

	while (fgets(line, sizeof(line), stdin)) {
		if (sscanf(line, "%127s %" SCNd64, zone, &seconds) != 2)
			return 1;
		if (ics_zone_local(zone, seconds * INSTANT_SECOND, &local))
			printf("%d %d %s\n", local.offset_s, local.tm.tm_isdst, local.abbreviation);
		else
			puts("none");
	}
	return 0;
}

/* ---- templates ---- */

static void probe_read(const char *name, char *text)
{
	const char *srcdir = getenv("srcdir");
	char path[4096];
	FILE *file;
	size_t len;

	snprintf(path, sizeof(path), "%s/templates/%s", srcdir ? srcdir : ".", name);
	file = fopen(path, "r");
	if (!file) {
		perror(path);
		exit(1);
	}
	len = fread(text, 1, PROBE_TEXT - 1, file);
	text[len] = '\0';
	fclose(file);
}

static void probe_replace(char *text, size_t at, size_t len, const char *with)
{
	char *tail = strdup(text + at + len);

	snprintf(text + at, PROBE_TEXT - at, "%s%s", with, tail);
	free(tail);
}

/* Where a random line of the calendar begins. */
static size_t probe_line(const char *text)
{
	const char *body = strstr(text, "BEGIN:VCALENDAR\n");
	const size_t from = body ? (size_t)(body - text) + strlen("BEGIN:VCALENDAR\n") : 0;
	size_t at = from + probe_below(strlen(text + from) + 1);

	while (at > from && text[at - 1] != '\n')
		at--;
	return at;
}

static void probe_mutate(char *text)
{
	static const char *const pieces[] = {";", ":", ",", "\"", "\\", "{", "}", "{{", "}}", "\n",
		" ", "\t", "=", "^", "A", "-", "\\n", "\x07", "\u00e9", "\r", "{{!x}}", "&",
		"{{summary}}", "{{{comment}}}", "{{{with}}}", "{{uid}}", "{{{description}}}",
		"{{join_url}}", "{{cn}}", "{{{label}}}", "{{sequence}}", "RRULE:FREQ=DAILY\n",
		"BEGIN:VALARM\n", "END:VEVENT\n", "X-A:{{{with}}}\n",
		"X-A;B={{with}}:{{{summary}}}\n", "\n ", "COMMENT:{{{comment}}}\n",
		"CATEGORIES:{{{summary}}}\n", "{{^summary}}", "{{#with}}", "{{/summary}}",
		"DURATION:PT1H\n", "DESCRIPTION:x\n", "PRIORITY:{{sequence}}\n",
		"COLOR:{{summary}}\n", "CONTACT:{{with}}\n", "CLASS:{{{summary}}}\n"};
	static const char *const swaps[][2] = {{"{{{", "{{"}, {"}}}", "}}"}, {"{{", "{{{"},
		{"{{#", "{{^"}, {"{{^", "{{#"}, {":", ";"}, {";", ":"},
		{":", ";TZID=Europe/Berlin:"}, {"VEVENT", "VTODO"}, {"dtstart", "dtend"},
		{"summary", "comment"}, {"cn", "mailto"}, {"with", "uid"},
		{"join_url", "description"}, {"mailto", "cn"}, {"label", "join_label"}};
	size_t at = probe_line(text), end = at, i = 0;
	char line[PROBE_TEXT], *found;

	while (text[end] && text[end++] != '\n')
		continue;
	snprintf(line, sizeof(line), "%.*s", (int)(end - at), text + at);
	switch (probe_below(6)) {
	case 0:
		probe_replace(text, at, end - at, "");
		break;
	case 1:
		probe_replace(text, at, 0, line);
		break;
	case 2: /* elsewhere */
		probe_replace(text, at, end - at, "");
		probe_replace(text, probe_line(text), 0, line);
		break;
	case 3:
		at += probe_below(end - at + 1);
		if (text[at])
			probe_replace(text, at, 1, "");
		break;
	case 4:
		at += probe_below(end - at + 1);
		probe_replace(text, at, 0, pieces[probe_below(sizeof(pieces) / sizeof(pieces[0]))]);
		break;
	default:
		i = probe_below(sizeof(swaps) / sizeof(swaps[0]));
		found = strstr(text + at, swaps[i][0]);
		if (found)
			probe_replace(
				text, (size_t)(found - text), strlen(swaps[i][0]), swaps[i][1]);
	}
}

/* The templates that a calendar is made with; one of the first of them is mutated. */
static const struct {
	const char *name;
	enum tmpl_kind kind;
} probe_files[] = {
	{"ics/event.ics", TMPL_ICAL},
	{"ics/feed.ics", TMPL_ICAL},
	{"text/en/event.ics", TMPL_ICAL},
	{"text/en/feed.txt", TMPL_TEXT},
	{"text/en/join.txt", TMPL_TEXT},
	{"text/en/date.txt", TMPL_TEXT},
	{"text/en/time.txt", TMPL_TEXT},
	{"text/en/instant.txt", TMPL_TEXT},
};

enum { PROBE_FILES = sizeof(probe_files) / sizeof(probe_files[0]), PROBE_MUTATED = 4 };

static char probe_texts[PROBE_FILES][PROBE_TEXT];

/* NULL when they are refused, as they would be when they are loaded. */
static struct tmpl_set *probe_templates(size_t mutated, const char *text)
{
	struct tmpl_set *templates = tmpl_set_new();
	enum err err = ERR_OK;
	size_t i;

	for (i = 0; err == ERR_OK && i < PROBE_FILES; i++)
		err = tmpl_set_add(templates, probe_files[i].name, probe_files[i].kind,
			i == mutated ? text : probe_texts[i], NULL);
	if (err != ERR_OK || ics_check_templates(templates, NULL) != ERR_OK ||
		ics_prove(templates, NULL) != ERR_OK)
		tmpl_set_free(&templates);
	return templates;
}

/* ---- events ---- */

static const char *probe_words(char *words)
{
	static const char *const pieces[] = {"a", " ", "b c", ";", ":", ",", "\"", "\\", "^n", "=",
		"\n", "\r\n", "\\n", "%0A", "{{uid}}", "BEGIN:VEVENT", "END:VCALENDAR", "\u00fc",
		"\u6f22", "\U0001f600", "\u05d0", "'", "x-y", "RRULE:FREQ=DAILY", "\t", "--",
		"long long words"};
	size_t count = probe_below(14), i;

	words[0] = '\0';
	for (i = 0; i < count; i++)
		strcat(words, pieces[probe_below(sizeof(pieces) / sizeof(pieces[0]))]);
	return count ? words : NULL;
}

/* Whether a calendar is one, to libical too. */
static bool probe_judge(const char *calendar)
{
	icalcomponent *parsed = icalparser_parse_string(calendar);
	bool good = parsed && icalcomponent_isa(parsed) == ICAL_VCALENDAR_COMPONENT &&
		    icalcomponent_count_errors(parsed) == 0 &&
		    icalcomponent_count_components(parsed, ICAL_ANY_COMPONENT) == 1 &&
		    icalcomponent_count_components(parsed, ICAL_VEVENT_COMPONENT) == 1 &&
		    icalcomponent_count_properties(
			    icalcomponent_get_inner(parsed), ICAL_RRULE_PROPERTY) == 0;

	if (parsed)
		icalcomponent_free(parsed);
	return good;
}

static void probe_value(struct json_object *values, const char *name, const char *text)
{
	if (text)
		json_object_object_add(values, name, json_object_new_string(text));
}

/* Of people's words, as ics_invite_render() has it. */
static const char *probe_description(const struct tmpl_set *templates, struct arena *arena)
{
	struct json_object *values = json_object_new_object();
	const char *text = NULL;
	char words[1024];

	probe_value(values, "client", probe_words(words));
	probe_value(values, "message", probe_words(words));
	probe_value(values, "description", probe_words(words));
	if (ics_when_text(templates, arena, "en", "event.ics", values, &text, NULL) != ERR_OK)
		text = NULL;
	json_object_put(values);
	return text;
}

/* As a feed of one event, or the event alone. */
static enum err probe_add_calendar(
	const struct tmpl_set *templates, const struct ics_event *event, struct buf *out)
{
	enum err err = ERR_OK;

	if (event->bare)
		err = ics_feed_begin(templates, "en", out, NULL);
	if (err == ERR_OK)
		err = ics_event_render(templates, event, out, NULL);
	if (err == ERR_OK && event->bare)
		ics_feed_end(out);
	return err;
}

static bool probe_render(const struct tmpl_set *templates, bool feed)
{
	static char words[7][1024];
	const struct ics_attendee attendees[] = {
		{probe_words(words[0]), "anna@example.com", probe_below(2), probe_below(2)},
		{probe_words(words[1]), "b'o+b@example.com", probe_below(2), probe_below(2)},
	};
	const enum ics_method method = feed ? ICS_SNAPSHOT : (enum ics_method)probe_below(3);
	const bool cancelled = method == ICS_CANCEL || (method == ICS_SNAPSHOT && probe_below(2));
	struct arena *arena = arena_new();
	const struct ics_event event = {
		.method = method,
		.bare = feed,
		.uid = "abcDEF_123@meetlink",
		.sequence = (int64_t)probe_below(3),
		.dtstamp = INT64_C(1796108400000),
		.starts_at = INT64_C(1796115600000),
		.ends_at = INT64_C(1796117400000),
		.summary = probe_words(words[2]),
		.with = probe_words(words[3]),
		.description = probe_description(templates, arena),
		.comment = probe_words(words[4]),
		.join_url = probe_below(3) ? "https://meet.example/join/a,b;c?d=e&f" : NULL,
		.join_label = probe_words(words[5]),
		.page_url = probe_below(2) ? "https://meet.example/m/x" : NULL,
		.organizer_name = probe_words(words[6]),
		.organizer_email = "meetings@example.com",
		.attendees = attendees,
		.attendee_count = 1 + probe_below(2),
		.alarm_minutes = (int64_t)probe_below(2) * 15,
		.cancelled = cancelled,
	};
	struct buf out;
	bool good;

	buf_init(&out, PROBE_CEILING);
	good = probe_add_calendar(templates, &event, &out) == ERR_OK && probe_judge(out.bytes);
	fwrite(out.bytes, 1, out.len + 1, stdout);
	buf_fini(&out);
	arena_free(&arena);
	return good;
}

static int probe_mutants(uint64_t seed, long count)
{
	long refused = 0, kept = 0, broken = 0, i;
	struct tmpl_set *templates;
	char text[PROBE_TEXT];
	size_t edits, file;
	int event;

	for (file = 0; file < PROBE_FILES; file++)
		probe_read(probe_files[file].name, probe_texts[file]);
	icalerror_set_errors_are_fatal(0);
	for (i = 0; i < count; i++) {
		probe_state = seed + (uint64_t)i * UINT64_C(0x9e3779b97f4a7c15) + 1;
		/* Mostly the first, which makes most of a calendar. */
		file = probe_below(2) ? 0 : probe_below(PROBE_MUTATED);
		memcpy(text, probe_texts[file], sizeof(text));
		for (edits = probe_below(4) ? 1 : 2; edits > 0; edits--)
			probe_mutate(text);
		templates = probe_templates(file, text);
		if (!templates) {
			refused++;
			continue;
		}
		kept++;
		for (event = 0; event < PROBE_EVENTS; event++)
			if (!probe_render(templates, event == 0)) {
				broken++;
				fprintf(stderr, "mutant %ld of %s makes a broken calendar:\n%s\n",
					i, probe_files[file].name, text);
			}
		tmpl_set_free(&templates);
	}
	fprintf(stderr, "%ld mutants, %ld refused, %ld kept, %ld broken\n", count, refused, kept,
		broken);
	return broken ? 1 : 0;
}

/* ---- what libical reads ---- */

static void probe_add(struct json_object *read, const char *name, icalproperty *property)
{
	const char *text = property ? icalproperty_get_value_as_string(property) : NULL;

	if (property && icalvalue_isa(icalproperty_get_value(property)) == ICAL_TEXT_VALUE)
		text = icalvalue_get_text(icalproperty_get_value(property));
	json_object_object_add(read, name, text ? json_object_new_string(text) : NULL);
}

static struct json_object *probe_parameter(icalproperty *property, icalparameter_kind kind)
{
	icalparameter *parameter = icalproperty_get_first_parameter(property, kind);

	if (!parameter)
		return NULL;
	return json_object_new_string(
		kind == ICAL_CN_PARAMETER
			? icalparameter_get_cn(parameter)
			: icalparameter_enum_to_string(icalparameter_get_partstat(parameter)));
}

static void probe_print(const char *calendar)
{
	static const struct {
		const char *name;
		icalproperty_kind kind;
	} fields[] = {{"uid", ICAL_UID_PROPERTY}, {"summary", ICAL_SUMMARY_PROPERTY},
		{"start", ICAL_DTSTART_PROPERTY}, {"end", ICAL_DTEND_PROPERTY},
		{"sequence", ICAL_SEQUENCE_PROPERTY}, {"status", ICAL_STATUS_PROPERTY},
		{"location", ICAL_LOCATION_PROPERTY}, {"description", ICAL_DESCRIPTION_PROPERTY},
		{"organizer", ICAL_ORGANIZER_PROPERTY}};
	struct json_object *read = json_object_new_object(), *people = json_object_new_array(),
			   *names = json_object_new_array(), *answers = json_object_new_array();
	icalcomponent *parsed = icalparser_parse_string(calendar);
	icalcomponent *event = parsed ? icalcomponent_get_inner(parsed) : NULL;
	icalproperty *person;
	size_t i;

	for (i = 0; event && i < sizeof(fields) / sizeof(fields[0]); i++)
		probe_add(read, fields[i].name,
			icalcomponent_get_first_property(event, fields[i].kind));
	for (person = event ? icalcomponent_get_first_property(event, ICAL_ATTENDEE_PROPERTY)
			    : NULL;
		person; person = icalcomponent_get_next_property(event, ICAL_ATTENDEE_PROPERTY)) {
		json_object_array_add(
			people, json_object_new_string(icalproperty_get_attendee(person)));
		json_object_array_add(names, probe_parameter(person, ICAL_CN_PARAMETER));
		json_object_array_add(answers, probe_parameter(person, ICAL_PARTSTAT_PARAMETER));
	}
	json_object_object_add(read, "attendees", people);
	json_object_object_add(read, "names", names);
	json_object_object_add(read, "answers", answers);
	puts(json_object_to_json_string_ext(read, JSON_C_TO_STRING_PLAIN));
	json_object_put(read);
	if (parsed)
		icalcomponent_free(parsed);
}

static int probe_read_all(void)
{
	char *calendar = NULL;
	size_t size = 0;

	while (getdelim(&calendar, &size, '\0', stdin) > 0)
		probe_print(calendar);
	free(calendar);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "zones") == 0)
		return probe_zones();
	if (argc == 4 && strcmp(argv[1], "mutants") == 0)
		return probe_mutants(strtoull(argv[2], NULL, 10), strtol(argv[3], NULL, 10));
	if (argc == 2 && strcmp(argv[1], "read") == 0)
		return probe_read_all();
	fputs("usage: ics_probe zones | mutants SEED COUNT | read\n", stderr);
	return 2;
}
