#include "ics_invite.h"

#include "core_unit.h"
#include "unit_templates.h"

static bool answers_are_read;

/* What a person gets, its folded lines whole; the caller frees. */
static char *rendered(
	const struct request *request, enum party party, enum ics_method method, bool link)
{
	const struct ics_invite invite = {
		.request = request,
		.party = party,
		.method = method,
		.dtstamp = CORE_NOW + INSTANT_HOUR,
		.sequence = request->meeting->sequence,
		.join_url = link ? "https://meet.test/join/x" : NULL,
		.organizer_name = "Meetings",
		.organizer_email = "meetings@meet.test",
		.answers_are_read = answers_are_read,
	};
	struct tmpl_set *templates = unit_templates();
	char *text, *in, *out;
	struct buf buf;

	buf_init(&buf, 64 * 1024);
	CU_ASSERT_EQUAL(ics_invite_render(templates, &invite, &buf, NULL), ERR_OK);
	text = out = strdup(buf.bytes);
	for (in = text; *in; in++)
		if (strncmp(in, "\r\n ", 3) == 0)
			in += 2;
		else
			*out++ = *in;
	*out = '\0';
	buf_fini(&buf);
	tmpl_set_free(&templates);
	return text;
}

static bool says(const struct request *request, enum party party, enum ics_method method, bool link,
	const char *words)
{
	char *text = rendered(request, party, method, link);
	const bool found = strstr(text, words) != NULL;

	free(text);
	return found;
}

static struct attendance attendance = {.state = {[PARTY_LAWYER] = ATTENDANCE_ACCEPTED}};

static struct meeting ready(void)
{
	return (struct meeting){
		.id = CORE_ID,
		.generation = 1,
		.status = MEETING_READY,
		.attendance = &attendance,
		.starts_at = CORE_START,
		.ends_at = CORE_END,
	};
}

/* What each of the two is told, in the reader's language. */
static void test_reader(void)
{
	static const char *numbers[] = {"+49 30 1234, PIN 7", "+1 646 558"};
	static const struct {
		enum party party;
		enum ics_method method;
		bool link;
		const char *words;
	} cases[] = {
		{PARTY_CLIENT, ICS_REQUEST, true, "\r\nSUMMARY:Lease – Bo Lawyer\r\n"},
		{PARTY_LAWYER, ICS_REQUEST, true, "\r\nSUMMARY:Lease – Ada Client\r\n"},
		{PARTY_LAWYER, ICS_CANCEL, false, "\r\nSUMMARY:Lease – Ada Client\r\n"},
		{PARTY_LAWYER, ICS_SNAPSHOT, false, "\r\nSUMMARY:Lease – Ada Client\r\n"},
		{PARTY_LAWYER, ICS_SNAPSHOT, true, "\r\nDESCRIPTION:Lease – Ada Client\r\n"},
		{PARTY_CLIENT, ICS_REQUEST, true,
			"\r\nDESCRIPTION:Teilnehmen: https://meet.test/join/x\\n\\n"
			"Gespräch von Ada Client mit Bo Lawyer\\n\\n"
			"Kenncode\\, falls danach gefragt wird: 4711\\n\\n"
			"Per Telefon:\\n+49 30 1234\\, PIN 7\\n+1 646 558\\n\\n"
			"Nachricht von Bo Lawyer:\\nSee you\\; there.\\n\\n"
			"Zur Anfrage:\\nThe deposit\\,\\nplease.\r\n"},
		{PARTY_LAWYER, ICS_SNAPSHOT, true,
			"\r\nDESCRIPTION:Join: https://meet.test/join/x\\n\\n"
			"Client: Ada Client\\nLawyer: Bo Lawyer\\n\\n"
			"Passcode\\, should you be asked for one: 4711\\n\\n"
			"By telephone:\\n+49 30 1234\\, PIN 7\\n+1 646 558\\n\\n"
			"Message from Bo Lawyer:\\nSee you\\; there.\\n\\n"
			"About the request:\\nThe deposit\\,\\nplease.\r\n"},
		/* What opens the meeting goes with the link. */
		{PARTY_LAWYER, ICS_SNAPSHOT, false,
			"\r\nDESCRIPTION:Client: Ada Client\\nLawyer: Bo Lawyer\\n\\n"
			"Message from Bo Lawyer:\\nSee you\\; there.\\n\\n"
			"About the request:\\nThe deposit\\,\\nplease.\r\n"},
		{PARTY_LAWYER, ICS_CANCEL, true,
			"\r\nDESCRIPTION:Client: Ada Client\\nLawyer: Bo "
			"Lawyer\\n\\nMessage from"},
		{PARTY_CLIENT, ICS_SNAPSHOT, true, ";LABEL=Teilnehmen:https:"},
		{PARTY_LAWYER, ICS_SNAPSHOT, true, ";LABEL=Join:https:"},
	};
	struct meeting meeting = ready();
	const struct request request = {.title = "Lease",
		.description = "The deposit,\r\nplease.",
		.message = "See you; there.",
		.side = {{&core_client, NULL}, {&core_lawyer, NULL}},
		.meeting = &meeting};
	size_t i;

	meeting.passcode = "4711";
	meeting.dial_in = (struct model_list){.items = numbers, .count = 2};
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		UNIT_CHECK(says(&request, cases[i].party, cases[i].method, cases[i].link,
				   cases[i].words),
			cases[i].words);
}

/* RFC 5546 section 3.2.2: the lawyer has accepted, and nobody reads what calendars answer. */
static void test_people(void)
{
	static struct person client = {.name = "\"Ada\" \u202e^x", .email = "a/da=x+y@client.test"};
	struct meeting meeting = ready();
	const struct request request = {.title = "Lease",
		.side = {{&client, NULL}, {&core_lawyer, NULL}},
		.meeting = &meeting};
	static const enum ics_method methods[] = {ICS_REQUEST, ICS_CANCEL, ICS_SNAPSHOT};
	int party;
	size_t i;

	for (i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		for (party = PARTY_CLIENT; party <= PARTY_LAWYER; party++) {
			CU_ASSERT(says(&request, party, methods[i], true,
				"\r\nATTENDEE;CN=\u201cAda\u201d \u02c6x;CUTYPE=INDIVIDUAL;"
				"ROLE=REQ-PARTICIPANT;PARTSTAT=NEEDS-ACTION:"
				"mailto:a/da=x+y@client.test\r\n"));
			CU_ASSERT(says(&request, party, methods[i], true,
				"\r\nATTENDEE;CN=Bo Lawyer;CUTYPE=INDIVIDUAL;ROLE=REQ-PARTICIPANT;"
				"PARTSTAT=ACCEPTED:mailto:"));
			CU_ASSERT(!says(&request, party, methods[i], true, "RSVP"));
		}
}

/* Where answers are read the client is asked, and what was answered is in the entry. */
static void test_answers(void)
{
	static const struct {
		enum attendance_state client, lawyer;
		const char *client_is, *lawyer_is;
	} rows[] = {
		{ATTENDANCE_UNKNOWN, ATTENDANCE_ACCEPTED, "NEEDS-ACTION", "ACCEPTED"},
		{ATTENDANCE_ACCEPTED, ATTENDANCE_ACCEPTED, "ACCEPTED", "ACCEPTED"},
		{ATTENDANCE_TENTATIVE, ATTENDANCE_ACCEPTED, "NEEDS-ACTION", "ACCEPTED"},
		{ATTENDANCE_DECLINED, ATTENDANCE_DECLINED, "NEEDS-ACTION", "NEEDS-ACTION"},
	};
	struct meeting meeting = ready();
	const struct request request = {.title = "Lease",
		.side = {{&core_client, NULL}, {&core_lawyer, NULL}},
		.meeting = &meeting};
	struct attendance answered = {0};
	char words[128];
	size_t i;

	answers_are_read = true;
	meeting.attendance = &answered;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		answered.state[PARTY_CLIENT] = rows[i].client;
		answered.state[PARTY_LAWYER] = rows[i].lawyer;
		snprintf(words, sizeof(words), "PARTSTAT=%s;RSVP=TRUE:mailto:ada@client.test",
			rows[i].client_is);
		UNIT_CHECK(says(&request, PARTY_CLIENT, ICS_REQUEST, true, words), words);
		CU_ASSERT(!says(&request, PARTY_CLIENT, ICS_SNAPSHOT, true, "RSVP"));
		snprintf(words, sizeof(words), "PARTSTAT=%s:mailto:bo@lawyer.test",
			rows[i].lawyer_is);
		UNIT_CHECK(says(&request, PARTY_CLIENT, ICS_REQUEST, true, words), words);
	}
	answers_are_read = false;
}

/* A name that is written from right to left turns nothing around it, and nor does one that tries.
 */
static void test_isolation(void)
{
	static struct person client = {.name = "\u05e2\u05d3\u05d4", .email = "a@client.test"};
	static struct person lawyer = {.name = "Bo\u202e\u2067", .email = "b@lawyer.test"};
	struct meeting meeting = ready();
	const struct request request = {.title = "\u0639 1\u202e",
		.message = "\u0645\u0631\u062d\u0628\u0627\u202e",
		.side = {{&client, NULL}, {&lawyer, NULL}},
		.meeting = &meeting};

	CU_ASSERT(says(&request, PARTY_LAWYER, ICS_REQUEST, true,
		"\r\nSUMMARY:\u2068\u0639 1\u2069 – \u2068\u05e2\u05d3\u05d4\u2069\r\n"));
	CU_ASSERT(says(&request, PARTY_CLIENT, ICS_REQUEST, true,
		"\r\nSUMMARY:\u2068\u0639 1\u2069 – Bo\r\n"));
	CU_ASSERT(says(&request, PARTY_LAWYER, ICS_SNAPSHOT, true,
		"Client: \u2068\u05e2\u05d3\u05d4\u2069\\nLawyer: Bo\\n\\nMessage from Bo:\\n"
		"\u0645\u0631\u062d\u0628\u0627\r\n"));
	CU_ASSERT(says(&request, PARTY_LAWYER, ICS_REQUEST, true, ";CN=\u05e2\u05d3\u05d4;"));
	CU_ASSERT(!says(&request, PARTY_LAWYER, ICS_REQUEST, true, "\u202e"));
	CU_ASSERT(!says(&request, PARTY_LAWYER, ICS_REQUEST, true, "\u2067"));
}

/* However often the meeting was made anew. */
static void test_created(void)
{
	struct meeting meeting = ready();
	const struct request request = {.title = "Lease",
		.side = {{&core_client, NULL}, {&core_lawyer, NULL}},
		.meeting = &meeting,
		.created_at = CORE_NOW};

	meeting.created_at = CORE_NOW + INSTANT_HOUR;
	CU_ASSERT(says(
		&request, PARTY_LAWYER, ICS_REQUEST, true, "\r\nCREATED:20270301T140000Z\r\n"));
	CU_ASSERT(
		says(&request, PARTY_LAWYER, ICS_CANCEL, true, "\r\nCREATED:20270301T140000Z\r\n"));
	CU_ASSERT(says(
		&request, PARTY_LAWYER, ICS_SNAPSHOT, true, "\r\nCREATED:20270301T140000Z\r\n"));
}

static void test_reason(void)
{
	struct meeting meeting = ready();
	const struct request request = {.title = "Lease",
		.side = {{&core_client, NULL}, {&core_lawyer, NULL}},
		.meeting = &meeting};

	CU_ASSERT(!says(&request, PARTY_CLIENT, ICS_REQUEST, true, "COMMENT"));
	meeting.status = MEETING_CANCELLED;
	CU_ASSERT(!says(&request, PARTY_CLIENT, ICS_CANCEL, true, "COMMENT"));
	meeting.ended_reason = "Ill; sorry";
	CU_ASSERT(says(&request, PARTY_CLIENT, ICS_CANCEL, true, "\r\nCOMMENT:Ill\\; sorry\r\n"));
	CU_ASSERT(says(&request, PARTY_CLIENT, ICS_SNAPSHOT, true, "\r\nCOMMENT:Ill\\; sorry\r\n"));
	CU_ASSERT(!says(&request, PARTY_CLIENT, ICS_CANCEL, true, "/join/"));
}

static const struct unit_case cases[] = {
	{"each in the reader's language", test_reader},
	{"the two people", test_people},
	{"answers", test_answers},
	{"right to left", test_isolation},
	{"created with the request", test_created},
	{"why it was cancelled", test_reason},
};

UNIT_MAIN("ics_invite", cases)
