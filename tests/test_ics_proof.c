#include "ics_proof.h"

#include <stdio.h>
#include <stdlib.h>

#include "buf.h"
#include "unit_templates.h"

enum { TEXT_CEILING = 512 * 1024 };

/* A shipped template, as it is on disk; the caller frees. */
static char *read_template(const char *name)
{
	const char *srcdir = getenv("srcdir");
	char path[4096], *text = calloc(1, 65536);
	FILE *file;

	snprintf(path, sizeof(path), "%s/templates/%s", srcdir ? srcdir : ".", name);
	file = fopen(path, "r");
	CU_ASSERT_FATAL(file != NULL);
	CU_ASSERT_FATAL(fread(text, 1, 65535, file) > 0);
	fclose(file);
	return text;
}

/* Both templates of calendars, one of them with `was` in it become `is`. */
static struct tmpl_set *edited(const char *name, const char *was, const char *is)
{
	static const char *const names[] = {"ics/event.ics", "ics/feed.ics"};
	struct tmpl_set *templates = tmpl_set_new();
	struct buf result;
	char *text, *at;
	size_t i;

	for (i = 0; i < 2; i++) {
		text = read_template(names[i]);
		at = strcmp(names[i], name) == 0 ? strstr(text, was) : text;
		CU_ASSERT_FATAL(at != NULL);
		buf_init(&result, TEXT_CEILING);
		buf_add(&result, text, (size_t)(at - text));
		if (at > text) {
			buf_add_text(&result, is);
			at += strlen(was);
		}
		buf_add_text(&result, at);
		CU_ASSERT_EQUAL_FATAL(
			tmpl_set_add(templates, names[i], TMPL_ICAL, result.bytes, NULL), ERR_OK);
		buf_fini(&result);
		free(text);
	}
	return templates;
}

/* `words`: that the refusal must have, or NULL when the edit is a good one. */
static void check_edit(const char *name, const char *was, const char *is, const char *words)
{
	struct tmpl_set *templates = edited(name, was, is);
	struct err_info info;
	bool as_told;

	err_clear(&info);
	ics_prove(templates, &info);
	as_told = words ? info.err == ERR_CONFIG && strstr(info.detail, words) &&
				  strncmp(info.detail, name, strlen(name)) == 0 &&
				  !strstr(info.detail, "/join/")
			: info.err == ERR_OK;
	if (!as_told)
		printf("\n    `%s` -> `%s`: %s ", was, is, info.detail);
	CU_ASSERT(as_told);
	tmpl_set_free(&templates);
}

static void the_shipped_ones(void)
{
	struct tmpl_set *templates = unit_templates();

	CU_ASSERT_EQUAL(ics_prove(templates, NULL), ERR_OK);
	tmpl_set_free(&templates);
}

/* Edits of the shipped template: `was` becomes `is`; the words that the error must have, or NULL
 * when the edit is a good one. */
static const struct {
	const char *was, *is, *words;
} edits[] = {
	{"PRODID:-//meetlink//meetlink//EN", "PRODID:-//ours//EN\nX-WR-CALNAME:Ours", NULL},
	{"SUMMARY:",
		"CATEGORIES:Law,Meeting\nCLASS:PRIVATE\nX-MICROSOFT-CDO-BUSYSTATUS:BUSY\nSUMMARY:",
		NULL},
	{"SUMMARY:", "SUMMARY;LANGUAGE=de:Termin\\, ", NULL},
	{"CONFERENCE;VALUE=URI;FEATURE=AUDIO,VIDEO{{#label}};LABEL={{{label}}}{{/label}}:"
	 "{{{join_url}}}\n",
		"", NULL},
	{"DTSTART:", "DTSART:", "may not have DTSART"},
	{"DTSTART:{{dtstart}}\n", "", "has 0 of DTSTART"},
	{"DTSTART:{{dtstart}}", "DTSTART:tomorrow", "DTSTART"},
	{"DTSTART:{{dtstart}}", "DTSTART:20200101T000000Z", "DTSTART"},
	{"DTSTART:{{dtstart}}", "DTSTART;TZID=Europe/Berlin:20261201T090000", "DTSTART"},
	{"DTSTART:{{dtstart}}", "DTSTART;TZID=Europe/Berlin:{{dtstart}}", "DTSTART"},
	{"DTEND:{{dtend}}", "DTEND;VALUE=DATE-TIME:{{dtend}}", "DTEND"},
	{"UID:{{uid}}", "UID;X-A=b:{{uid}}", "UID"},
	{"DTEND:{{dtend}}", "DURATION:PT30M", "may not have DURATION"},
	{"DTSTAMP:{{dtstamp}}", "DTSTAMP:{{dtstart}}", "DTSTAMP"},
	{"UID:{{uid}}", "UID:1", "UID"},
	{"UID:{{uid}}", "UID:{{uid}}\nUID:{{uid}}", "has 2 of UID"},
	{"SEQUENCE:{{sequence}}", "SEQUENCE:0", "SEQUENCE"},
	{"STATUS:{{status}}\n", "", "STATUS"},
	{"STATUS:{{status}}", "STATUS:CONFIRMED", "STATUS"},
	{"STATUS:{{status}}", "STATUS:CANCELLED", "STATUS"},
	{"METHOD:{{method}}", "METHOD:PUBLISH", "METHOD"},
	{"METHOD:{{method}}", "METHOD:REQUEST", "METHOD"},
	{"{{#method}}\nMETHOD:{{method}}\n{{/method}}", "METHOD:PUBLISH", "METHOD"},
	{"{{#method}}\nMETHOD:{{method}}\n{{/method}}", "", "METHOD"},
	{"UID:{{uid}}", "UID:{{uid}}\nMETHOD:{{method}}", "VEVENT may not have METHOD"},
	{"VERSION:2.0", "VERSION:1.0", "VERSION"},
	{"VERSION:2.0\n", "", "VERSION"},
	{":{{{mailto}}}", ":mailto:x@example.com", "ORGANIZER"},
	{":{{{mailto}}}", ":{{{uid}}}", "ORGANIZER"},
	{"{{#attendees}}", "{{^attendees}}", "has 0 of ATTENDEE"},
	{"{{#attendees}}", "ATTENDEE:mailto:x@example.com\n{{#attendees}}", "ATTENDEE"},
	{"TRANSP:OPAQUE", "RRULE:FREQ=DAILY", "may not have RRULE"},
	{"TRANSP:OPAQUE", "ATTACH:https://example.com/x", "may not have ATTACH"},
	{"TRANSP:OPAQUE", "X-LIC-ERROR:surprise", "may not have X-LIC-ERROR"},
	{"TRANSP:OPAQUE", "no colon at all", "begins with no name: no colon at all"},
	{"URL:{{{page_url}}}", "URL:", "URL does not parse"},
	{"ACTION:DISPLAY", "ACTION:EMAIL", "ACTION"},
	{"TRANSP:OPAQUE", "TRANSP:FREE", "TRANSP has a value"},
	{"TRANSP:OPAQUE", "TRANSP:OPAQ", "TRANSP has a value"},
	{"SUMMARY:", "CLASS:SECRET\nSUMMARY:", "CLASS has a value"},
	{"URL:{{{page_url}}}", "URL:{{{page_url}}}}", "URL has a value"},
	{":{{{join_url}}}", ":{{{join_url}}}\\", "CONFERENCE has a value"},
	{"CALSCALE:GREGORIAN", "CALSCALE:JULIAN", "CALSCALE has a value"},
	{"PRODID:-//meetlink//", "PRODID:-//meet\\nlink//", "PRODID has a value"},
	{"FEATURE=AUDIO,VIDEO", "FEATURE=AUDIO,IDEO", "CONFERENCE has a value"},
	{"FEATURE=AUDIO,VIDEO", "FEATURE=SCREEN", NULL},
	{"CUTYPE=INDIVIDUAL", "CUTYPE=PERSON", "ATTENDEE has a value"},
	{"ROLE=REQ-PARTICIPANT", "ROLE=\"CHAIR\"", "ATTENDEE has a value"},
	{"CN={{{cn}}}", "CN=={{{cn}}}", "ORGANIZER has a value"},
	{"ACTION:DISPLAY", "ACTION:DISPLAY\nREPEAT:2", "may not have REPEAT"},
	{"TRIGGER:-PT{{alarm_minutes}}M", "TRIGGER:soon", "TRIGGER"},
	{"TRANSP:TRANSPARENT",
		"BEGIN:VALARM\nACTION:DISPLAY\nTRIGGER:-PT5M\nDESCRIPTION:x\nEND:VALARM",
		"may not have an alarm"},
	{"END:VALARM\n", "", "ends VEVENT where VALARM is open"},
	{"END:VEVENT\n", "", "ends VCALENDAR where VEVENT is open"},
	{"END:VCALENDAR\n", "", "one VCALENDAR"},
	{"END:VCALENDAR", "END:VCALENDAR\nBEGIN:VCALENDAR\nEND:VCALENDAR",
		"one VCALENDAR too many"},
	{"BEGIN:VEVENT", "BEGIN:VTODO", "may not hold VTODO"},
	{"END:VEVENT\n", "END:VEVENT\nBEGIN:VEVENT\nEND:VEVENT\n", "one VEVENT too many"},
	{"END:VEVENT\n", "BEGIN:VEVENT\nUID:2\nEND:VEVENT\nEND:VEVENT\n", "may not hold VEVENT"},
	{"SUMMARY:{{summary}}", "SUMMARY:\x07{{summary}}", "control character in SUMMARY"},
	{"CN={{{cn}}}", "CN=a{{{cn}}}b:c;d", "ORGANIZER"},
	/* what people write, where it is not escaped as it has to be there */
	{"SUMMARY:{{summary}}", "SUMMARY:{{{summary}}}", "SUMMARY"},
	{"COMMENT:{{comment}}", "COMMENT:{{{comment}}}", "COMMENT"},
	{"SUMMARY:{{summary}}", "SUMMARY;X-NAME={{summary}}:x", "SUMMARY"},
	{"SUMMARY:{{summary}}", "X-{{summary}}:x\nSUMMARY:x", "begins with no name"},
	{"SUMMARY:{{summary}}", "X-NAME:{{{with}}}\nSUMMARY:x", "X-NAME"},
	{"SUMMARY:{{summary}}", "X-NAME:{{uid}}{{#with}} / {{with}}{{/with}}\nSUMMARY:x", NULL},
	{"CN={{{cn}}}", "CN={{cn}}", NULL},
	{"CN={{{cn}}}", "CN=\"{{{cn}}}\"", "ORGANIZER"},
	{"LABEL={{{label}}}", "LABEL={{join_label}}", "CONFERENCE"},
	{"LOCATION:{{join_url}}", "LOCATION:{{{join_url}}}", "LOCATION"},
	{"SUMMARY:{{summary}}", "CATEGORIES:{{{summary}}}\nSUMMARY:x", "CATEGORIES"},
	{"SUMMARY:{{summary}}", "CATEGORIES:Law{{#summary}},{{summary}}{{/summary}}\nSUMMARY:x",
		"CATEGORIES"},
	{"SUMMARY:{{summary}}", "PRIORITY:{{summary}}\nSUMMARY:x", "PRIORITY"},
	{"SUMMARY:{{summary}}", "SUMMARY:a\n  b{{summary}}", NULL},
	{"SUMMARY:{{summary}}", "summary:{{summary}}", "may not have summary"},
	{"SUMMARY:{{summary}}", "SUMMARY :{{summary}}", "begins with no name"},
	{"SUMMARY:{{summary}}", "SUMMARY;:{{summary}}", "SUMMARY"},
	{"BEGIN:VEVENT", "BEGIN:VEVENT ", "may not hold VEVENT"},
	{"TRANSP:OPAQUE", "TRANSP:OPAQUE ", "TRANSP"},
	{"TRANSP:OPAQUE",
		"{{#with}}{{^summary}}{{#page_url}}RRULE:FREQ=DAILY{{/page_url}}{{/summary}}"
		"{{/with}}",
		"may not have RRULE"},
	{"TRANSP:OPAQUE",
		"TRANSP:OPAQUE\n{{#sequence}}{{^label}}{{^alarm_minutes}}x{{/alarm_minutes}}"
		"{{/label}}{{/sequence}}",
		"begins with no name"},
};

static void edits_of_the_event(void)
{
	size_t i;

	for (i = 0; i < sizeof(edits) / sizeof(edits[0]); i++)
		check_edit("ics/event.ics", edits[i].was, edits[i].is, edits[i].words);
}

static void edits_of_the_feed(void)
{
	static const char *const feeds[][3] = {
		{"COLOR:steelblue\n", "", NULL},
		{"COLOR:steelblue", "DESCRIPTION:Of {{name}}\nX-WR-TIMEZONE:Europe/Berlin", NULL},
		{"NAME:{{name}}", "NAME:{{{name}}}", "NAME"},
		{"VERSION:2.0\n", "", "has 0 of VERSION"},
		{"COLOR:steelblue", "METHOD:PUBLISH", "METHOD"},
		{"COLOR:steelblue", "BEGIN:VEVENT\nEND:VEVENT", "one VEVENT too many"},
		{"COLOR:steelblue", "BEGIN:VTIMEZONE\nEND:VTIMEZONE", "may not hold VTIMEZONE"},
		{"END:VCALENDAR", "", "one VCALENDAR"},
		{"END:VCALENDAR", "END:VCALENDAR\nX-A:b", "outside of VCALENDAR"},
		{"COLOR:steelblue", "REFRESH-INTERVAL;VALUE=DURATION:PT2H",
			"has 2 of REFRESH-INTERVAL"},
	};
	size_t i;

	for (i = 0; i < sizeof(feeds) / sizeof(feeds[0]); i++)
		check_edit("ics/feed.ics", feeds[i][0], feeds[i][1], feeds[i][2]);
}

static void templates_that_are_not_there(void)
{
	struct tmpl_set *templates = tmpl_set_new();
	struct err_info info;

	err_clear(&info);
	CU_ASSERT_EQUAL(ics_prove(templates, &info), ERR_CONFIG);
	tmpl_set_free(&templates);
}

static const struct unit_case cases[] = {
	{"the shipped ones", the_shipped_ones},
	{"edits of the event", edits_of_the_event},
	{"edits of the feed", edits_of_the_feed},
	{"templates that are not there", templates_that_are_not_there},
};

UNIT_MAIN("ics_proof", cases)
