#include "agenda.h"

#include "core_unit.h"
#include "proposal.h"

#define HALF (CORE_NOW + INSTANT_HOUR)

static void test_agenda_of_every_state(void)
{
	static const struct {
		const char *name;
		enum core_state state;
		const char *shelf;
		int64_t over_at, lawyer_until, admin_until;
	} rows[] = {
		{"open", CORE_OPEN, AGENDA_OPEN, CORE_START, CORE_START, 0},
		{"pending", CORE_PENDING, AGENDA_UPCOMING, CORE_END, 0, 0},
		{"ready", CORE_READY, AGENDA_UPCOMING, CORE_END, 0, 0},
		{"failed", CORE_FAILED, AGENDA_UPCOMING, CORE_END, CORE_END, CORE_END},
		{"declined", CORE_DECLINED, NULL, CORE_NOW, 0, 0},
		{"lapsed", CORE_LAPSED, NULL, CORE_START, 0, 0},
		{"cancelled", CORE_CANCELLED, NULL, CORE_NOW, 0, 0},
		{"cancelled while pending", CORE_CANCELLED_PENDING, NULL, CORE_NOW, 0, 0},
		{"cancelled while ready", CORE_CANCELLED_READY, NULL, CORE_NOW, 0, 0},
		{"completed", CORE_COMPLETED, NULL, CORE_END, 0, 0},
	};
	size_t i;

	CU_ASSERT_EQUAL(sizeof(rows) / sizeof(rows[0]), CORE_STATES);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct arena *arena = arena_new();
		struct request *request = core_in_state(arena, rows[i].state);

		request->shelf = "of before";
		agenda_set(request);
		UNIT_CHECK(request->shelf == rows[i].shelf ||
				   (request->shelf && rows[i].shelf &&
					   strcmp(request->shelf, rows[i].shelf) == 0),
			rows[i].name);
		UNIT_CHECK(request->over_at == rows[i].over_at, rows[i].name);
		UNIT_CHECK(request->lawyer_until == rows[i].lawyer_until, rows[i].name);
		UNIT_CHECK(request->admin_until == rows[i].admin_until, rows[i].name);
		arena_free(&arena);
	}
}

/* It is over for those who look back, and can get a new link until its end. */
static void test_agenda_of_a_cancelled_meeting(void)
{
	struct arena *arena = arena_new();
	struct request *request = core_in_state(arena, CORE_READY);

	core_cancel_meeting(arena, request, HALF);
	agenda_set(request);
	CU_ASSERT_PTR_NULL(request->shelf);
	CU_ASSERT_EQUAL(request->over_at, HALF);
	CU_ASSERT_EQUAL(request->lawyer_until, CORE_END);
	CU_ASSERT_EQUAL(request->admin_until, 0);
	core_regenerate(arena, request, HALF + 1);
	agenda_set(request);
	CU_ASSERT_STRING_EQUAL(request->shelf, AGENDA_UPCOMING);
	CU_ASSERT_EQUAL(request->over_at, CORE_END);
	CU_ASSERT_EQUAL(request->lawyer_until, 0);
	arena_free(&arena);
}

/* What is done to a request later does not bring it back to the top. */
static void test_agenda_keeps_when_it_ended(void)
{
	struct arena *arena = arena_new();
	struct request *request = core_in_state(arena, CORE_DECLINED);

	request->updated_at = HALF;
	agenda_set(request);
	CU_ASSERT_EQUAL(request->over_at, CORE_NOW);
	request->events.count = 0;
	agenda_set(request);
	CU_ASSERT_EQUAL(request->over_at, CORE_NOW);
	request->over_at = 0;
	agenda_set(request);
	CU_ASSERT_EQUAL(request->over_at, HALF);
	arena_free(&arena);
}

/* An open proposal waits for the lawyer, a declined one for the client; both until its time, or the
 * meeting's end. */
static void test_agenda_of_a_proposal(void)
{
	static const struct {
		int64_t starts_at, until;
	} rows[] = {
		{CORE_START - INSTANT_HOUR, CORE_START - INSTANT_HOUR},
		{CORE_START + INSTANT_MINUTE, CORE_START + INSTANT_MINUTE},
		{CORE_END + INSTANT_DAY, CORE_END},
	};
	struct arena *arena = arena_new();
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct request *request = core_in_state(arena, CORE_READY);
		struct proposal proposal = {.starts_at = rows[i].starts_at};

		request->proposal = &proposal;
		agenda_set(request);
		CU_ASSERT_EQUAL(request->lawyer_until, rows[i].until);
		CU_ASSERT_EQUAL(request->proposed_until, rows[i].until);
		CU_ASSERT_EQUAL(request->client_until, 0);
		proposal.status = PROPOSAL_DECLINED;
		agenda_set(request);
		CU_ASSERT_EQUAL(request->lawyer_until, 0);
		CU_ASSERT_EQUAL(request->proposed_until, 0);
		CU_ASSERT_EQUAL(request->client_until, rows[i].until);
	}
	arena_free(&arena);
}

static const struct unit_case cases[] = {
	{"of every state", test_agenda_of_every_state},
	{"of a cancelled meeting", test_agenda_of_a_cancelled_meeting},
	{"of a proposal", test_agenda_of_a_proposal},
	{"keeps when it ended", test_agenda_keeps_when_it_ended},
};

UNIT_MAIN("agenda", cases)
