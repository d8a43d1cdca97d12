#include "ics_event.h"

#include <libical/ical.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "instant.h"
#include "unit.h"
#include "utf8.h"

enum { OUT_CEILING = 512 * 1024, START = 1796115600 /* 2026-12-01T09:00:00Z */ };

static const struct ics_attendee people[] = {
	{"Anna Client", "anna@example.com", .asked = true},
	{"Law, Bob; Esq.", "bob@example.com", .accepted = true},
};

static const struct ics_event meeting = {
	.method = ICS_REQUEST,
	.uid = "abcDEF_123@meet.example.com",
	.sequence = 3,
	.dtstamp = (START - 7200) * INSTANT_SECOND,
	.created = (START - 86400) * INSTANT_SECOND,
	.last_modified = (START - 3600) * INSTANT_SECOND,
	.starts_at = START * INSTANT_SECOND,
	.ends_at = (START + 1800) * INSTANT_SECOND,
	.summary = "Consultation",
	.with = "Anna Client",
	.description = "Bring the contract.",
	.join_url = "https://meet.example.com/join/abc,d;e?f=1",
	.join_label = "Join",
	.page_url = "https://meet.example.com/requests/1?a=b,c;d",
	.organizer_name = "Meetings",
	.organizer_email = "meetings@example.com",
	.attendees = people,
	.attendee_count = 2,
	.alarm_minutes = 15,
};

static char *read_template(void)
{
	const char *srcdir = getenv("srcdir");
	char path[4096], *text = calloc(1, 65536);
	FILE *file;

	snprintf(path, sizeof(path), "%s/templates/ics/event.ics", srcdir ? srcdir : ".");
	file = fopen(path, "r");
	CU_ASSERT_FATAL(file != NULL);
	CU_ASSERT_FATAL(fread(text, 1, 65535, file) > 0);
	fclose(file);
	return text;
}

static struct tmpl_set *templates_of(const char *text)
{
	struct tmpl_set *templates = tmpl_set_new();

	CU_ASSERT_EQUAL_FATAL(
		tmpl_set_add(templates, "ics/event.ics", TMPL_ICAL, text, NULL), ERR_OK);
	return templates;
}

static struct tmpl_set *shipped_templates(void)
{
	char *text = read_template();
	struct tmpl_set *templates = templates_of(text);

	free(text);
	return templates;
}

static void render(const struct ics_event *event, struct buf *out)
{
	struct tmpl_set *templates = shipped_templates();
	struct err_info info;

	err_clear(&info);
	buf_init(out, OUT_CEILING);
	if (ics_event_render(templates, event, out, &info) != ERR_OK)
		printf("\n    %s ", info.detail);
	CU_ASSERT_EQUAL(info.err, ERR_OK);
	tmpl_set_free(&templates);
}

/* Lines end with CRLF, hold 1 to 75 octets of whole characters, and no control character. */
static void check_lines(const struct buf *out)
{
	char *at = out->bytes, *end, *line;

	CU_ASSERT_EQUAL(strlen(out->bytes), out->len);
	for (; (end = strstr(at, "\r\n")); at = end + 2) {
		line = strndup(at, (size_t)(end - at));
		CU_ASSERT(end > at && end - at <= 75);
		CU_ASSERT(utf8_valid(line, strlen(line), NULL));
		CU_ASSERT(!utf8_has_control(line, false));
		free(line);
	}
	CU_ASSERT_EQUAL(*at, '\0');
}

static bool has_line(const struct buf *out, const char *line)
{
	struct buf plain, wanted;
	const char *in;
	bool found;

	buf_init(&plain, OUT_CEILING);
	buf_init(&wanted, OUT_CEILING);
	buf_add_text(&plain, "\r\n");
	for (in = out->bytes; *in; in++) {
		if (strncmp(in, "\r\n ", 3) == 0)
			in += 2;
		else
			buf_add_char(&plain, *in);
	}
	buf_addf(&wanted, "\r\n%s\r\n", line);
	found = strstr(plain.bytes, wanted.bytes) != NULL;
	if (!found)
		printf("\n    no `%s` ", line);
	buf_fini(&wanted);
	buf_fini(&plain);
	return found;
}

static void check_has(const struct ics_event *event, const char *const *lines)
{
	struct buf out;

	render(event, &out);
	check_lines(&out);
	for (; *lines; lines++)
		CU_ASSERT(has_line(&out, *lines));
	buf_fini(&out);
}

static int count_of(const struct ics_event *event, const char *text)
{
	struct buf out;
	const char *at;
	int count = 0;

	render(event, &out);
	for (at = out.bytes; (at = strstr(at, text)); at++)
		count++;
	buf_fini(&out);
	return count;
}

static void an_invitation(void)
{
	static const char *const lines[] = {"BEGIN:VCALENDAR", "VERSION:2.0",
		"PRODID:-//meetlink//meetlink//EN", "CALSCALE:GREGORIAN", "METHOD:REQUEST",
		"BEGIN:VEVENT", "UID:abcDEF_123@meet.example.com", "DTSTAMP:20261201T070000Z",
		"CREATED:20261130T090000Z", "LAST-MODIFIED:20261201T080000Z", "SEQUENCE:3",
		"DTSTART:20261201T090000Z", "DTEND:20261201T093000Z", "STATUS:CONFIRMED",
		"TRANSP:OPAQUE", "SUMMARY:Consultation – Anna Client",
		"DESCRIPTION:Join: https://meet.example.com/join/abc\\,d\\;e?f=1\\n\\n"
		"Bring the contract.",
		"LOCATION:https://meet.example.com/join/abc\\,d\\;e?f=1",
		"CONFERENCE;VALUE=URI;FEATURE=AUDIO,VIDEO;LABEL=Join:"
		"https://meet.example.com/join/abc,d;e?f=1",
		"URL:https://meet.example.com/requests/1?a=b,c;d",
		"ORGANIZER;CN=Meetings:mailto:meetings@example.com",
		"ATTENDEE;CN=Anna Client;CUTYPE=INDIVIDUAL;ROLE=REQ-PARTICIPANT;"
		"PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:anna@example.com",
		"ATTENDEE;CN=\"Law, Bob; Esq.\";CUTYPE=INDIVIDUAL;ROLE=REQ-PARTICIPANT;"
		"PARTSTAT=ACCEPTED:mailto:bob@example.com",
		"BEGIN:VALARM", "ACTION:DISPLAY", "TRIGGER:-PT15M",
		"DESCRIPTION:Consultation – Anna Client", "END:VALARM", "END:VEVENT", NULL};

	check_has(&meeting, lines);
	CU_ASSERT_EQUAL(count_of(&meeting, "METHOD:"), 1);
}

static void a_cancellation(void)
{
	static const char *const lines[] = {"METHOD:CANCEL", "STATUS:CANCELLED",
		"UID:abcDEF_123@meet.example.com", "SEQUENCE:3",
		"ORGANIZER;CN=Meetings:mailto:meetings@example.com",
		"SUMMARY:Consultation – Anna Client", "DTSTART:20261201T090000Z",
		"TRANSP:TRANSPARENT", "COMMENT:I am ill\\, sorry.\\nNext week?", NULL};
	struct ics_event event = meeting;

	event.method = ICS_CANCEL;
	event.comment = "I am ill, sorry.\r\nNext week?";
	check_has(&event, lines);
	CU_ASSERT_EQUAL(count_of(&event, "VALARM"), 0);
	CU_ASSERT_EQUAL(count_of(&event, "RSVP"), 0);
	CU_ASSERT_EQUAL(count_of(&event, "\r\nATTENDEE"), 2);
}

static void a_snapshot(void)
{
	static const char *const lines[] = {"STATUS:CONFIRMED", "BEGIN:VALARM", NULL};
	static const char *const cancelled[] = {"STATUS:CANCELLED", NULL};
	struct ics_event event = meeting;

	event.method = ICS_SNAPSHOT;
	check_has(&event, lines);
	CU_ASSERT_EQUAL(count_of(&event, "METHOD"), 0);
	event.cancelled = true;
	check_has(&event, cancelled);
	CU_ASSERT_EQUAL(count_of(&event, "VALARM"), 0);
}

static void the_link_in_the_readers_words(void)
{
	static const char *const lines[] = {
		"DESCRIPTION:Raum 1\\, hier: https://meet.example.com/join/abc\\,d\\;e?f=1\\n\\n"
		"Bring the contract.",
		"CONFERENCE;VALUE=URI;FEATURE=AUDIO,VIDEO;LABEL=\"Raum 1, hier\":"
		"https://meet.example.com/join/abc,d;e?f=1",
		NULL};
	static const char *const nameless[] = {
		"DESCRIPTION:https://meet.example.com/join/abc\\,d\\;e?f=1\\n\\n"
		"Bring the contract.",
		"CONFERENCE;VALUE=URI;FEATURE=AUDIO,VIDEO:"
		"https://meet.example.com/join/abc,d;e?f=1",
		NULL};
	struct ics_event event = meeting;

	event.join_label = "Raum 1, hier";
	check_has(&event, lines);
	event.join_label = " ";
	check_has(&event, nameless);
}

static void what_is_not_there_is_left_out(void)
{
	static const char *const lines[] = {"SUMMARY:Meeting",
		"ORGANIZER:mailto:meetings@example.com",
		"ATTENDEE;CUTYPE=INDIVIDUAL;ROLE=REQ-PARTICIPANT;PARTSTAT=NEEDS-ACTION:"
		"mailto:anna@example.com",
		"CREATED:20261201T070000Z", "LAST-MODIFIED:20261201T070000Z", NULL};
	static const struct ics_attendee nameless[] = {{.email = "anna@example.com"}};
	static const char *const absent[] = {
		"DESCRIPTION", "LOCATION", "CONFERENCE", "URL", "VALARM", "CN=", "COMMENT"};
	struct ics_event event = meeting;
	size_t i;

	event.summary = " \t ";
	event.with = NULL;
	event.description = "\r\n";
	event.join_url = event.page_url = event.organizer_name = NULL;
	event.created = event.last_modified = event.alarm_minutes = 0;
	event.attendees = nameless;
	event.attendee_count = 1;
	check_has(&event, lines);
	for (i = 0; i < sizeof(absent) / sizeof(absent[0]); i++)
		CU_ASSERT_EQUAL(count_of(&event, absent[i]), 0);
	event.description = "Only this";
	CU_ASSERT_EQUAL(count_of(&event, "\r\nDESCRIPTION:Only this\r\n"), 1);
}

static const char *const hostile[] = {
	"x\r\nATTENDEE:mailto:evil@example.com",
	"x\nBEGIN:VEVENT\nUID:1\nEND:VEVENT",
	"x\r\n ATTENDEE:mailto:evil@example.com",
	"x\rSTATUS:CANCELLED",
	"END:VEVENT\r\nEND:VCALENDAR\r\nBEGIN:VCALENDAR",
	"\\nATTENDEE:mailto:evil@example.com",
	"\\",
	"\\\\",
	"a\\",
	"a\\\\;",
	"\\\"",
	"\"",
	"\"\"",
	"\";X=\"",
	"\":mailto:evil@example.com",
	"^",
	"^n",
	"^^n",
	"^'",
	"^^'",
	":",
	";",
	",",
	"a:b;c,d",
	"a=b",
	"=",
	"CN=x",
	"{{uid}}",
	"{{{join_url}}}",
	"{{/attendees}}",
	"{{!",
	"}}",
	"%0D%0A",
	"&#10;",
	"tab\there",
	"bell\x07 esc\x1b[0m del\x7f",
	"nel\xc2\x85ls\xe2\x80\xa8ps\xe2\x80\xa9",
	"\xef\xbb\xbf"
	"bom",
	"\u00e9\u6f22\u5b57\U0001f600",
	"\u202e"
	"rtl",
	"  spaces  ",
	"x ",
	"trailing newline\n",
	"\n\nleading",
	"X-LIC-ERROR:x",
};

static icalproperty *only(icalcomponent *event, icalproperty_kind kind)
{
	CU_ASSERT_EQUAL(icalcomponent_count_properties(event, kind), 1);
	return icalcomponent_get_first_property(event, kind);
}

/* Those are dropped. */
static bool has_forbidden(const char *text)
{
	while (*text && !utf8_forbidden(text))
		text++;
	return *text;
}

/* The one that was rendered holds the same properties as a harmless one, each in its place. */
static void check_contained(const struct ics_event *hostile_event, const char *word)
{
	icalcomponent *calendar, *event;
	icalproperty *attendee;
	struct buf out;

	render(hostile_event, &out);
	check_lines(&out);
	calendar = icalparser_parse_string(out.bytes);
	CU_ASSERT_FATAL(calendar != NULL);
	event = icalcomponent_get_inner(calendar);
	CU_ASSERT_EQUAL(icalcomponent_count_errors(calendar), 0);
	CU_ASSERT_EQUAL(icalcomponent_count_components(calendar, ICAL_ANY_COMPONENT), 1);
	CU_ASSERT_EQUAL(icalcomponent_count_components(event, ICAL_ANY_COMPONENT), 1);
	CU_ASSERT_EQUAL(icalcomponent_count_properties(calendar, ICAL_ANY_PROPERTY), 4);
	CU_ASSERT_EQUAL(icalcomponent_count_properties(event, ICAL_ANY_PROPERTY), 17);
	CU_ASSERT_EQUAL(icalcomponent_count_properties(event, ICAL_ATTENDEE_PROPERTY), 2);
	CU_ASSERT_STRING_EQUAL(icalproperty_get_uid(only(event, ICAL_UID_PROPERTY)), meeting.uid);
	CU_ASSERT_STRING_EQUAL(icalproperty_get_organizer(only(event, ICAL_ORGANIZER_PROPERTY)),
		"mailto:meetings@example.com");
	attendee = icalcomponent_get_first_property(event, ICAL_ATTENDEE_PROPERTY);
	CU_ASSERT_STRING_EQUAL(icalproperty_get_attendee(attendee), "mailto:anna@example.com");
	CU_ASSERT_EQUAL(icalproperty_count_parameters(attendee), 5);
	if (word && !utf8_has_control(word, false) && !has_forbidden(word) && *word != ' ' &&
		word[strlen(word) - 1] != ' ') {
		CU_ASSERT_STRING_EQUAL(
			icalproperty_get_summary(only(event, ICAL_SUMMARY_PROPERTY)), word);
		if (!strpbrk(word, "\\^\""))
			CU_ASSERT_STRING_EQUAL(
				icalparameter_get_cn(icalproperty_get_first_parameter(
					attendee, ICAL_CN_PARAMETER)),
				word);
	}
	icalcomponent_free(calendar);
	buf_fini(&out);
}

static void hostile_words_stay_in_their_place(void)
{
	struct ics_attendee attendees[2];
	struct ics_event event = meeting;
	size_t i;

	event.attendees = attendees;
	for (i = 0; i < sizeof(hostile) / sizeof(hostile[0]); i++) {
		attendees[0] = (struct ics_attendee){hostile[i], "anna@example.com", false, true};
		attendees[1] = (struct ics_attendee){hostile[i], "bob@example.com", true, false};
		event.with = NULL;
		event.organizer_name = event.summary = event.description = hostile[i];
		event.join_label = hostile[i];
		check_contained(&event, hostile[i]);
	}
}

static void hostile_reasons_stay_in_their_place(void)
{
	struct ics_event event = meeting;
	icalcomponent *calendar, *inner;
	struct buf out;
	size_t i;

	event.method = ICS_CANCEL;
	for (i = 0; i < sizeof(hostile) / sizeof(hostile[0]); i++) {
		event.comment = hostile[i];
		render(&event, &out);
		check_lines(&out);
		calendar = icalparser_parse_string(out.bytes);
		CU_ASSERT_FATAL(calendar != NULL);
		inner = icalcomponent_get_inner(calendar);
		CU_ASSERT_EQUAL(icalcomponent_count_errors(calendar), 0);
		CU_ASSERT_EQUAL(icalcomponent_count_components(inner, ICAL_ANY_COMPONENT), 0);
		CU_ASSERT_EQUAL(icalcomponent_count_properties(inner, ICAL_ANY_PROPERTY), 15);
		CU_ASSERT_EQUAL(icalcomponent_count_properties(inner, ICAL_COMMENT_PROPERTY), 1);
		icalcomponent_free(calendar);
		buf_fini(&out);
	}
}

/* Of a feed: between the lines of a calendar, and nothing of one. */
static void an_event_alone(void)
{
	struct tmpl_set *templates = shipped_templates();
	struct ics_event event = meeting;
	struct buf out, whole;

	event.method = ICS_SNAPSHOT;
	buf_init(&out, OUT_CEILING);
	buf_init(&whole, OUT_CEILING);
	CU_ASSERT_EQUAL(ics_event_render(templates, &event, &whole, NULL), ERR_OK);
	event.bare = true;
	buf_add_text(&out, "before\r\n");
	CU_ASSERT_EQUAL(ics_event_render(templates, &event, &out, NULL), ERR_OK);
	CU_ASSERT_EQUAL(strncmp(out.bytes, "before\r\nBEGIN:VEVENT\r\nUID:", 26), 0);
	CU_ASSERT_STRING_EQUAL(out.bytes + out.len - 12, "END:VEVENT\r\n");
	CU_ASSERT_PTR_NOT_NULL(strstr(whole.bytes, out.bytes + 8));
	CU_ASSERT_PTR_NULL(strstr(out.bytes, "VCALENDAR"));
	buf_fini(&whole);
	buf_fini(&out);
	tmpl_set_free(&templates);
}

/* Lengths at which lines fold, and parsers change from one buffer to another. */
static void words_of_every_length(void)
{
	static const char *const fills[] = {
		"x", "\u00fc", "\u6f22", "\U0001f600", "a ", ";", "\\", "\"", "^", ","};
	struct ics_attendee attendees[2] = {
		{NULL, "anna@example.com", false, true}, {NULL, "bob@example.com", true, false}};
	struct ics_event event = meeting;
	char word[1200], *at;
	size_t f, n, i;

	event.attendees = attendees;
	event.with = NULL;
	for (f = 0; f < sizeof(fills) / sizeof(fills[0]); f++) {
		for (n = 1; n < 170; n++) {
			for (at = word, i = 0; i < n; i++)
				at = stpcpy(at, fills[f]);
			if (at[-1] == ' ')
				at[-1] = 'z';
			attendees[0].name = event.organizer_name = word;
			event.summary = event.description = word;
			check_contained(&event, word);
		}
	}
}

static void the_longest_description(void)
{
	struct ics_event event = meeting;
	char *text = calloc(4000, 4), *back;
	icalcomponent *calendar;
	struct buf out;
	size_t i;

	for (i = 0; i < 4000; i++)
		memcpy(text + i * 4 - i / 4000, "\U0001f600", 4);
	text[4 * 3999] = '\0';
	event.description = text;
	render(&event, &out);
	check_lines(&out);
	calendar = icalparser_parse_string(out.bytes);
	CU_ASSERT_FATAL(calendar != NULL);
	back = strstr(icalcomponent_get_description(icalcomponent_get_inner(calendar)), "\n\n");
	CU_ASSERT_FATAL(back != NULL);
	CU_ASSERT_STRING_EQUAL(back + 2, text);
	icalcomponent_free(calendar);
	buf_fini(&out);
	free(text);
}

static void the_same_event_is_the_same_bytes(void)
{
	struct buf first, again;

	render(&meeting, &first);
	render(&meeting, &again);
	CU_ASSERT_EQUAL(first.len, again.len);
	CU_ASSERT_STRING_EQUAL(first.bytes, again.bytes);
	buf_fini(&first);
	buf_fini(&again);
}

static void events_that_cannot_be(void)
{
	struct ics_event events[12];
	struct tmpl_set *templates = shipped_templates();
	struct err_info info;
	struct buf out;
	size_t i;

	for (i = 0; i < 12; i++)
		events[i] = meeting;
	events[0].ends_at = meeting.starts_at;
	events[1].ends_at = meeting.starts_at - 1;
	events[2].cancelled = true;
	events[3].join_url = "integrations:zoom";
	events[4].join_url = "https://x/\r\nATTENDEE:mailto:evil@example.com";
	events[5].page_url = "javascript:alert(1)";
	events[6].organizer_email = NULL;
	events[7].attendee_count = 0;
	events[8].uid = "";
	events[9].dtstamp = 0;
	events[10].summary = "not UTF-8: \xff";
	events[11].organizer_name = "not UTF-8: \xc3";
	for (i = 0; i < 12; i++) {
		buf_init(&out, OUT_CEILING);
		err_clear(&info);
		CU_ASSERT_EQUAL(ics_event_render(templates, &events[i], &out, &info), ERR_INTERNAL);
		CU_ASSERT_EQUAL(out.len, 0);
		CU_ASSERT(info.detail[0] != '\0');
		CU_ASSERT_PTR_NULL(strstr(info.detail, "join/"));
		buf_fini(&out);
	}
	tmpl_set_free(&templates);
}

static void a_full_buffer(void)
{
	struct tmpl_set *templates = shipped_templates();
	struct err_info info;
	struct buf out;

	err_clear(&info);
	buf_init(&out, 100);
	CU_ASSERT_EQUAL(ics_event_render(templates, &meeting, &out, &info), ERR_INTERNAL);
	CU_ASSERT_STRING_EQUAL(info.detail, "The calendar is too large.");
	buf_fini(&out);
	tmpl_set_free(&templates);
}

static struct tmpl_set *shared_templates;
static struct buf shared_expected;
static atomic_int differences;

static void *render_many(void *unused)
{
	struct buf out;
	int i;

	for (i = 0; i < 100; i++) {
		buf_init(&out, OUT_CEILING);
		if (ics_event_render(shared_templates, &meeting, &out, NULL) != ERR_OK ||
			strcmp(out.bytes, shared_expected.bytes) != 0)
			differences++;
		buf_fini(&out);
	}
	return unused;
}

static void many_threads(void)
{
	pthread_t threads[8];
	size_t i;

	shared_templates = shipped_templates();
	buf_init(&shared_expected, OUT_CEILING);
	CU_ASSERT_EQUAL(
		ics_event_render(shared_templates, &meeting, &shared_expected, NULL), ERR_OK);
	for (i = 0; i < 8; i++)
		pthread_create(&threads[i], NULL, render_many, NULL);
	for (i = 0; i < 8; i++)
		pthread_join(threads[i], NULL);
	CU_ASSERT_EQUAL(differences, 0);
	buf_fini(&shared_expected);
	tmpl_set_free(&shared_templates);
}

static const struct unit_case cases[] = {
	{"many threads", many_threads},
	{"an invitation", an_invitation},
	{"a cancellation", a_cancellation},
	{"a snapshot", a_snapshot},
	{"the link in the reader's words", the_link_in_the_readers_words},
	{"what is not there is left out", what_is_not_there_is_left_out},
	{"hostile words stay in their place", hostile_words_stay_in_their_place},
	{"hostile reasons stay in their place", hostile_reasons_stay_in_their_place},
	{"an event alone", an_event_alone},
	{"words of every length", words_of_every_length},
	{"the longest description", the_longest_description},
	{"the same event is the same bytes", the_same_event_is_the_same_bytes},
	{"events that cannot be", events_that_cannot_be},
	{"a full buffer", a_full_buffer},
};

UNIT_MAIN("ics_event", cases)
