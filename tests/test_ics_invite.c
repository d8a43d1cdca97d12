#include "ics_invite.h"

#include "core_unit.h"
#include "unit_templates.h"

/* What a person gets, its folded lines whole; the caller frees. */
static char *rendered(const struct request *request, enum party party, enum ics_method method)
{
	const struct ics_invite invite = {
		.request = request,
		.party = party,
		.method = method,
		.dtstamp = CORE_NOW + INSTANT_HOUR,
		.sequence = request->meeting->sequence,
		.join_url = "https://meet.test/join/x",
		.organizer_name = "Meetings",
		.organizer_email = "meetings@meet.test",
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

static bool says(
	const struct request *request, enum party party, enum ics_method method, const char *words)
{
	char *text = rendered(request, party, method);
	const bool found = strstr(text, words) != NULL;

	free(text);
	return found;
}

static struct meeting ready(void)
{
	return (struct meeting){
		.id = CORE_ID,
		.generation = 1,
		.status = MEETING_READY,
		.starts_at = CORE_START,
		.ends_at = CORE_END,
	};
}

static void test_reader(void)
{
	struct meeting meeting = ready();
	const struct request request = {.title = "Lease",
		.side = {{&core_client, NULL}, {&core_lawyer, NULL}},
		.meeting = &meeting};

	CU_ASSERT(says(&request, PARTY_CLIENT, ICS_REQUEST,
		"\r\nDESCRIPTION:Teilnehmen: https://meet.test/join/x\r\n"));
	CU_ASSERT(says(&request, PARTY_CLIENT, ICS_SNAPSHOT, ";LABEL=Teilnehmen:https:"));
	CU_ASSERT(says(&request, PARTY_LAWYER, ICS_REQUEST,
		"\r\nDESCRIPTION:Join: https://meet.test/join/x\r\n"));
	CU_ASSERT(says(&request, PARTY_LAWYER, ICS_SNAPSHOT, ";LABEL=Join:https:"));
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
	CU_ASSERT(says(&request, PARTY_LAWYER, ICS_REQUEST, "\r\nCREATED:20270301T140000Z\r\n"));
	CU_ASSERT(says(&request, PARTY_LAWYER, ICS_CANCEL, "\r\nCREATED:20270301T140000Z\r\n"));
	CU_ASSERT(says(&request, PARTY_LAWYER, ICS_SNAPSHOT, "\r\nCREATED:20270301T140000Z\r\n"));
}

static void test_reason(void)
{
	struct meeting meeting = ready();
	const struct request request = {.title = "Lease",
		.side = {{&core_client, NULL}, {&core_lawyer, NULL}},
		.meeting = &meeting};

	CU_ASSERT(!says(&request, PARTY_CLIENT, ICS_REQUEST, "COMMENT"));
	meeting.status = MEETING_CANCELLED;
	CU_ASSERT(!says(&request, PARTY_CLIENT, ICS_CANCEL, "COMMENT"));
	meeting.ended_reason = "Ill; sorry";
	CU_ASSERT(says(&request, PARTY_CLIENT, ICS_CANCEL, "\r\nCOMMENT:Ill\\; sorry\r\n"));
	CU_ASSERT(says(&request, PARTY_CLIENT, ICS_SNAPSHOT, "\r\nCOMMENT:Ill\\; sorry\r\n"));
	CU_ASSERT(!says(&request, PARTY_CLIENT, ICS_CANCEL, "/join/"));
}

static const struct unit_case cases[] = {
	{"the link in the reader's language", test_reader},
	{"created with the request", test_created},
	{"why it was cancelled", test_reason},
};

UNIT_MAIN("ics_invite", cases)
