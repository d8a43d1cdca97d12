#include "proposal.h"

#include "core_unit.h"

#define ASKED (CORE_START + INSTANT_DAY)

static const struct proposal_draft draft = {.starts_at = ASKED, .message = "I am in court."};
static const struct proposal_response accept = {.decision = DECISION_ACCEPT};
static const struct proposal_response decline = {
	.decision = DECISION_DECLINE, .message = "I am away."};

static enum err propose_at(struct arena *arena, struct request *request,
	const struct proposal_draft *input, int64_t now, bool *changed_r, struct err_info *info)
{
	struct cause cause = core_cause(arena, now, ROLE_CLIENT, core_client.id);

	return proposal_make(&cause, request, input, changed_r, info);
}

static void propose(struct arena *arena, struct request *request)
{
	bool changed = false;

	CU_ASSERT_EQUAL(propose_at(arena, request, &draft, CORE_NOW, &changed, NULL), ERR_OK);
	CU_ASSERT_TRUE(changed);
}

static enum err decide(struct arena *arena, struct request *request,
	const struct proposal_response *response, int64_t now)
{
	struct cause cause = core_as_lawyer(arena, now);

	return proposal_respond(&cause, request, response, &(bool){true}, NULL);
}

static void test_it_is_asked_for(void)
{
	struct arena *arena = arena_new();
	struct request *request = core_in_state(arena, CORE_READY);
	const int64_t sequence = request->meeting->sequence;
	const struct effect *mail;

	propose(arena, request);
	CU_ASSERT_EQUAL(request->proposal->starts_at, ASKED);
	CU_ASSERT_EQUAL(request->proposal->duration_minutes, 60);
	CU_ASSERT_STRING_EQUAL(request->proposal->message, "I am in court.");
	CU_ASSERT_EQUAL(request->starts_at, CORE_START);
	CU_ASSERT_EQUAL(request->meeting->sequence, sequence);
	CU_ASSERT_STRING_EQUAL(core_last_event(request)->action, "meeting.proposed");
	CU_ASSERT_STRING_EQUAL(core_last_event(request)->to, "2027-03-03T14:00:00Z");
	mail = core_effect(request, EFFECT_MAIL_MEETING_PROPOSED, PARTY_LAWYER);
	CU_ASSERT_PTR_NOT_NULL_FATAL(mail);
	CU_ASSERT_EQUAL(mail->mail->proposed_at, ASKED);
	CU_ASSERT_EQUAL(mail->mail->proposed_until, ASKED + INSTANT_HOUR);
	CU_ASSERT_STRING_EQUAL(mail->mail->words, "I am in court.");
	CU_ASSERT_PTR_NULL(core_effect(request, EFFECT_MAIL_MEETING_PROPOSED, PARTY_CLIENT));
	arena_free(&arena);
}

static void test_what_is_refused(void)
{
	static const struct {
		const char *name;
		struct proposal_draft draft;
		enum err err;
	} rows[] = {
		{"in the past", {.starts_at = CORE_NOW}, ERR_INVALID},
		{"too far ahead", {.starts_at = CORE_NOW + 6 * 365 * INSTANT_DAY}, ERR_INVALID},
		{"the same time", {.starts_at = CORE_START}, ERR_INVALID},
		{"the same length, said", {.starts_at = CORE_START, .duration_minutes = 60},
			ERR_INVALID},
		{"longer", {.starts_at = CORE_START, .duration_minutes = 90}, ERR_OK},
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct arena *arena = arena_new();
		struct request *request = core_in_state(arena, CORE_READY);
		struct err_info info = {0};
		bool changed;

		UNIT_CHECK(propose_at(arena, request, &rows[i].draft, CORE_NOW, &changed, &info) ==
				   rows[i].err,
			rows[i].name);
		UNIT_CHECK(rows[i].err == ERR_OK || info.field_count == 1, rows[i].name);
		UNIT_CHECK((request->proposal != NULL) == (rows[i].err == ERR_OK), rows[i].name);
		arena_free(&arena);
	}
}

static void test_there_is_one_at_a_time(void)
{
	struct arena *arena = arena_new();
	struct request *request = core_in_state(arena, CORE_READY);
	const struct proposal_draft other = {.starts_at = ASKED + INSTANT_HOUR};
	const char *before;
	bool changed;

	propose(arena, request);
	before = core_saved(arena, request);
	CU_ASSERT_EQUAL(propose_at(arena, request, &draft, CORE_NOW + 1, &changed, NULL), ERR_OK);
	CU_ASSERT_FALSE(changed);
	CU_ASSERT_EQUAL(
		propose_at(arena, request, &other, CORE_NOW, &changed, NULL), ERR_ALREADY_PROPOSED);
	CU_ASSERT_STRING_EQUAL(core_saved(arena, request), before);
	CU_ASSERT_EQUAL(decide(arena, request, &decline, CORE_NOW), ERR_OK);
	CU_ASSERT_EQUAL(propose_at(arena, request, &other, CORE_NOW, &changed, NULL), ERR_OK);
	CU_ASSERT_EQUAL(request->proposal->status, PROPOSAL_OPEN);
	CU_ASSERT_PTR_NULL(request->proposal->answer);
	arena_free(&arena);
}

static void test_it_is_accepted(void)
{
	struct arena *arena = arena_new();
	struct request *request = core_in_state(arena, CORE_READY);

	propose(arena, request);
	CU_ASSERT_EQUAL(decide(arena, request, &accept, CORE_NOW), ERR_OK);
	CU_ASSERT_PTR_NULL(request->proposal);
	CU_ASSERT_EQUAL(request->starts_at, ASKED);
	CU_ASSERT_EQUAL(request->meeting->starts_at, ASKED);
	CU_ASSERT_STRING_EQUAL(request->meeting->change_reason, "I am in court.");
	CU_ASSERT_STRING_EQUAL(core_last_event(request)->action, "meeting.rescheduled");
	CU_ASSERT_STRING_EQUAL(core_last_event(request)->detail, "as proposed");
	/* It had not left: what would be news of it is told by the move. */
	CU_ASSERT_EQUAL(core_count_effects(request, EFFECT_MAIL_MEETING_PROPOSED), 0);
	CU_ASSERT_EQUAL(decide(arena, request, &accept, CORE_NOW), ERR_NO_PROPOSAL);
	arena_free(&arena);
}

static void test_it_is_declined(void)
{
	struct arena *arena = arena_new();
	struct request *request = core_in_state(arena, CORE_READY);
	const struct proposal_response wrong = {
		.decision = DECISION_DECLINE, .allow_overlap = true};
	const struct effect *mail;

	propose(arena, request);
	CU_ASSERT_EQUAL(decide(arena, request, &wrong, CORE_NOW), ERR_INVALID);
	CU_ASSERT_EQUAL(decide(arena, request, &decline, CORE_NOW), ERR_OK);
	CU_ASSERT_EQUAL(request->starts_at, CORE_START);
	CU_ASSERT_EQUAL(request->proposal->status, PROPOSAL_DECLINED);
	CU_ASSERT_STRING_EQUAL(request->proposal->answer, "I am away.");
	CU_ASSERT_STRING_EQUAL(core_last_event(request)->action, "meeting.proposal_declined");
	CU_ASSERT_EQUAL(core_count_effects(request, EFFECT_MAIL_MEETING_PROPOSED), 0);
	mail = core_effect(request, EFFECT_MAIL_PROPOSAL_DECLINED, PARTY_CLIENT);
	CU_ASSERT_PTR_NOT_NULL_FATAL(mail);
	CU_ASSERT_STRING_EQUAL(mail->mail->words, "I am away.");
	CU_ASSERT_EQUAL(decide(arena, request, &accept, CORE_NOW), ERR_NO_PROPOSAL);
	arena_free(&arena);
}

static void test_it_is_taken_back(void)
{
	struct arena *arena = arena_new();
	struct request *request = core_in_state(arena, CORE_READY);
	struct cause cause = core_cause(arena, CORE_NOW, ROLE_CLIENT, core_client.id);

	propose(arena, request);
	CU_ASSERT_EQUAL(proposal_withdraw(&cause, request, NULL, &(bool){true}, NULL), ERR_OK);
	CU_ASSERT_PTR_NULL(request->proposal);
	CU_ASSERT_EQUAL(core_count_effects(request, EFFECT_MAIL_MEETING_PROPOSED), 0);
	CU_ASSERT_STRING_EQUAL(core_last_event(request)->action, "meeting.proposal_withdrawn");
	CU_ASSERT_EQUAL(
		proposal_withdraw(&cause, request, NULL, &(bool){true}, NULL), ERR_NO_PROPOSAL);
	arena_free(&arena);
}

/* Nobody is asked to decide on what has ended by itself. */
static void test_it_is_not_told_too_late(void)
{
	static const struct {
		const char *name;
		int64_t starts_at, until;
	} rows[] = {
		{"before the meeting", CORE_START - INSTANT_HOUR, CORE_START - INSTANT_HOUR},
		{"after the meeting", ASKED, CORE_END},
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct proposal_draft input = {.starts_at = rows[i].starts_at};
		const int64_t now = rows[i].until - INSTANT_HOUR;
		struct arena *arena = arena_new();
		struct request *request = core_in_state(arena, CORE_READY);
		struct effect *mail;

		CU_ASSERT_EQUAL(
			propose_at(arena, request, &input, now, &(bool){false}, NULL), ERR_OK);
		mail = core_effect(request, EFFECT_MAIL_MEETING_PROPOSED, PARTY_LAWYER);
		CU_ASSERT_PTR_NOT_NULL_FATAL(mail);
		UNIT_CHECK(mail->give_up_at == rows[i].until, rows[i].name);
		UNIT_CHECK(effect_check_wanted(request, mail, rows[i].until - 1, NULL) == ERR_OK,
			rows[i].name);
		UNIT_CHECK(effect_check_wanted(request, mail, rows[i].until, NULL) == ERR_PERMANENT,
			rows[i].name);
		arena_free(&arena);
	}
}

/* What moves or ends the meeting ends what was asked for; a new link does not. */
static void test_what_ends_it(void)
{
	struct arena *arena = arena_new();
	struct request *moved = core_in_state(arena, CORE_READY);
	struct request *renewed = core_in_state(arena, CORE_READY);
	struct request *off = core_in_state(arena, CORE_READY);
	struct request *cancelled = core_in_state(arena, CORE_READY);
	struct request *over = core_in_state(arena, CORE_READY);
	struct cause cause = core_system(arena, CORE_END);

	propose(arena, moved);
	core_move(arena, moved, CORE_NOW, CORE_START + 2 * INSTANT_DAY);
	CU_ASSERT_PTR_NULL(moved->proposal);
	CU_ASSERT_EQUAL(core_count_effects(moved, EFFECT_MAIL_MEETING_PROPOSED), 0);
	propose(arena, renewed);
	core_regenerate(arena, renewed, CORE_NOW);
	CU_ASSERT_TRUE(proposal_is_open(renewed, CORE_NOW));
	propose(arena, off);
	core_cancel_meeting(arena, off, CORE_NOW);
	CU_ASSERT_PTR_NULL(off->proposal);
	CU_ASSERT_EQUAL(core_count_effects(off, EFFECT_MAIL_MEETING_PROPOSED), 0);
	propose(arena, cancelled);
	core_cancel(arena, cancelled, CORE_NOW);
	CU_ASSERT_PTR_NULL(cancelled->proposal);
	propose(arena, over);
	CU_ASSERT_TRUE(proposal_is_open(over, CORE_END - 1));
	CU_ASSERT_FALSE(proposal_is_open(over, CORE_END));
	CU_ASSERT_PTR_NULL(proposal_now(over, CORE_END));
	request_complete(&cause, over);
	CU_ASSERT_PTR_NULL(over->proposal);
	arena_free(&arena);
}

/* Its time can come before that of the meeting. */
static void test_its_time_passes(void)
{
	struct arena *arena = arena_new();
	struct request *request = core_in_state(arena, CORE_READY);
	const struct proposal_draft earlier = {.starts_at = CORE_START - INSTANT_HOUR};
	bool changed;

	CU_ASSERT_EQUAL(propose_at(arena, request, &earlier, CORE_NOW, &changed, NULL), ERR_OK);
	CU_ASSERT_EQUAL(proposal_until(request), CORE_START - INSTANT_HOUR);
	CU_ASSERT_EQUAL(
		decide(arena, request, &accept, CORE_START - INSTANT_HOUR), ERR_NO_PROPOSAL);
	CU_ASSERT_EQUAL(
		propose_at(arena, request, &draft, CORE_START - INSTANT_HOUR, &changed, NULL),
		ERR_OK);
	arena_free(&arena);
}

static const struct unit_case cases[] = {
	{"it is asked for", test_it_is_asked_for},
	{"what is refused", test_what_is_refused},
	{"there is one at a time", test_there_is_one_at_a_time},
	{"it is accepted", test_it_is_accepted},
	{"it is declined", test_it_is_declined},
	{"it is taken back", test_it_is_taken_back},
	{"it is not told too late", test_it_is_not_told_too_late},
	{"what ends it", test_what_ends_it},
	{"its time passes", test_its_time_passes},
};

UNIT_MAIN("proposal", cases)
