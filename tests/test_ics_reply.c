#include "ics_reply.h"
#include "unit.h"

#define REPLY(method, lines)                                                                       \
	"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nMETHOD:" method "\r\nBEGIN:VEVENT\r\n"      \
	"UID:u@x\r\nSEQUENCE:3\r\nDTSTAMP:20270301T140000Z\r\n" lines                              \
	"END:VEVENT\r\nEND:VCALENDAR\r\n"
#define ADA "ATTENDEE;PARTSTAT=DECLINED:mailto:ada@client.test\r\n"
#define BO  "ATTENDEE;PARTSTAT=ACCEPTED:MAILTO:bo@lawyer.test\r\n"

static const char *text_of(const char *text)
{
	return text ? text : "-";
}

static void test_what_is_read(void)
{
	static const struct {
		const char *name, *text, *attendee, *partstat, *words; /* "-": none */
	} rows[] = {
		{"a reply", REPLY("REPLY", ADA), "ada@client.test", "DECLINED", "-"},
		{"of whoever answers", REPLY("REPLY", BO), "bo@lawyer.test", "ACCEPTED", "-"},
		{"ours among several", REPLY("REPLY", BO ADA), "ada@client.test", "DECLINED", "-"},
		{"none of several", REPLY("REPLY", BO BO), "-", "-", "-"},
		{"nobody's", REPLY("REPLY", ""), "-", "-", "-"},
		{"no address", REPLY("REPLY", "ATTENDEE;PARTSTAT=ACCEPTED:urn:x\r\n"), "-",
			"ACCEPTED", "-"},
		{"with words", REPLY("REPLY", ADA "COMMENT: I am\\, ill.\\n \\n\r\n"),
			"ada@client.test", "DECLINED", "I am, ill."},
		{"with none", REPLY("REPLY", ADA "COMMENT:\\n\r\n"), "ada@client.test", "DECLINED",
			"-"},
		{"with what nobody may write",
			REPLY("REPLY", ADA "COMMENT:a\xe2\x80\xae"
					   "b\r\n"),
			"ada@client.test", "DECLINED", "-"},
		{"with the invitation's", REPLY("REPLY", ADA "DESCRIPTION:Join here\r\n"),
			"ada@client.test", "DECLINED", "-"},
	};
	struct arena *arena = arena_new();
	struct ics_reply reply;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		UNIT_CHECK(ics_reply_read(arena, rows[i].text, "ada@CLIENT.test", &reply),
			rows[i].name);
		UNIT_CHECK(strcmp(reply.uid, "u@x") == 0 && reply.sequence == 3, rows[i].name);
		UNIT_CHECK(reply.stamped_at == INT64_C(1803909600000), rows[i].name);
		UNIT_CHECK(strcmp(text_of(reply.attendee), rows[i].attendee) == 0, rows[i].name);
		UNIT_CHECK(strcmp(text_of(reply.partstat), rows[i].partstat) == 0, rows[i].name);
		UNIT_CHECK(strcmp(text_of(reply.words), rows[i].words) == 0, rows[i].name);
		UNIT_CHECK(!reply.part && !reply.starts_at, rows[i].name);
	}
	arena_free(&arena);
}

static void test_what_is_not(void)
{
	static const char *const rows[] = {"", "x", "BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n",
		"END:VCALENDAR\r\n", REPLY("REQUEST", ADA), REPLY("CANCEL", ADA),
		REPLY("REPLY", ADA "END:VEVENT\r\nBEGIN:VEVENT\r\nUID:v\r\n"),
		"BEGIN:VEVENT\r\nUID:u\r\nEND:VEVENT\r\n",
		"BEGIN:VCALENDAR\r\nMETHOD:REPLY\r\nBEGIN:VEVENT\r\nEND:VEVENT\r\nEND:"
		"VCALENDAR\r\n"};
	struct arena *arena = arena_new();
	struct ics_reply reply;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		UNIT_CHECK(!ics_reply_read(arena, rows[i], "ada@client.test", &reply), rows[i]);
	CU_ASSERT(ics_reply_read(
		arena, REPLY("REPLY", ADA "RECURRENCE-ID:20270301T140000Z\r\n"), "x", &reply));
	CU_ASSERT(reply.part);
	arena_free(&arena);
}

#define ZONE(rule)                                                                                 \
	"BEGIN:VTIMEZONE\r\nTZID:W. Europe Standard Time\r\nBEGIN:STANDARD\r\n"                    \
	"DTSTART:16010101T030000\r\nTZOFFSETFROM:+0200\r\nTZOFFSETTO:+0100\r\n"                    \
	"RRULE:FREQ=" rule ";BYDAY=-1SU;BYMONTH=10\r\nEND:STANDARD\r\nBEGIN:DAYLIGHT\r\n"          \
	"DTSTART:16010101T020000\r\nTZOFFSETFROM:+0100\r\nTZOFFSETTO:+0200\r\n"                    \
	"RRULE:FREQ=" rule ";BYDAY=-1SU;BYMONTH=3\r\nEND:DAYLIGHT\r\nEND:VTIMEZONE\r\n"

/* Another time, in whatever zone the program writes it. */
static void test_times(void)
{
	static const struct {
		const char *name, *zone, *start, *end;
		int64_t starts_at;
	} rows[] = {
		{"UTC", "", ":20270702T080000Z", ":20270702T090000Z", INT64_C(1814515200000)},
		{"summer", ZONE("YEARLY"), ";TZID=W. Europe Standard Time:20270702T100000",
			";TZID=W. Europe Standard Time:20270702T110000", INT64_C(1814515200000)},
		{"winter", ZONE("YEARLY"), ";TZID=W. Europe Standard Time:20270301T150000",
			";TZID=W. Europe Standard Time:20270301T160000", INT64_C(1803909600000)},
		{"a rule that takes long", ZONE("SECONDLY"),
			";TZID=W. Europe Standard Time:20270702T100000",
			";TZID=W. Europe Standard Time:20270702T110000", 0},
		{"a far day", ZONE("YEARLY"), ";TZID=W. Europe Standard Time:99991231T100000",
			";TZID=W. Europe Standard Time:99991231T090000", 0},
		{"no zone", "", ":20270702T100000", ":20270702T110000", 0},
		{"a day", "", ";VALUE=DATE:20270702", ";VALUE=DATE:20270703", 0},
		{"backwards", "", ":20270702T090000Z", ":20270702T080000Z", 0},
	};
	struct arena *arena = arena_new();
	struct ics_reply reply;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *text = arena_printf(arena,
			"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nMETHOD:COUNTER\r\n%s"
			"BEGIN:VEVENT\r\nUID:u\r\nDTSTART%s\r\nDTEND%s\r\n" ADA
			"END:VEVENT\r\nEND:VCALENDAR\r\n",
			rows[i].zone, rows[i].start, rows[i].end);

		UNIT_CHECK(ics_reply_read(arena, text, "ada@client.test", &reply), rows[i].name);
		UNIT_CHECK(reply.starts_at == rows[i].starts_at, rows[i].name);
		UNIT_CHECK(reply.ends_at == (rows[i].starts_at ? rows[i].starts_at + 3600000 : 0),
			rows[i].name);
	}
	arena_free(&arena);
}

static const struct unit_case cases[] = {
	{"what is read", test_what_is_read},
	{"what is not", test_what_is_not},
	{"times", test_times},
};

UNIT_MAIN("ics_reply", cases)
