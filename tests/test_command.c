#include "command.h"

#include "core_unit.h"
#include "proposal.h"

/* It has begun and is not over, so that time refuses nothing. */
#define NOW (CORE_START + INSTANT_MINUTE)

/* The other answer to a request: it is refused as the first is. */
enum { DECLINE = COMMAND_COUNT };

static const struct command_row *command_row(enum command command)
{
	return &command_table[(int)command == DECLINE ? COMMAND_RESPOND : command];
}

static enum err command_respond(
	struct cause *cause, struct request *request, enum decision decision, struct err_info *info)
{
	const struct request_response response = {.decision = decision,
		.starts_at = decision == DECISION_ACCEPT ? CORE_START + INSTANT_DAY : 0};
	bool changed;

	return request_respond(cause, request, &response, &changed, info);
}

static enum err command_reschedule(
	struct cause *cause, struct request *request, struct err_info *info)
{
	const struct meeting_rescheduling rescheduling = {.starts_at = CORE_START + INSTANT_DAY};
	bool changed;

	return request_reschedule(cause, request, &rescheduling, &changed, info);
}

static enum err command_command(
	struct cause *cause, struct request *request, enum command command, struct err_info *info)
{
	const struct meeting_regeneration regeneration = {.provider = "zoom"};
	const struct meeting_verdict verdict = {.outcome = 1};
	const struct proposal_draft draft = {.starts_at = CORE_START + INSTANT_DAY};
	const struct proposal_response response = {.decision = DECISION_DECLINE};
	bool changed;

	switch ((int)command) {
	case COMMAND_RESPOND:
		return command_respond(cause, request, DECISION_ACCEPT, info);
	case DECLINE:
		return command_respond(cause, request, DECISION_DECLINE, info);
	case COMMAND_CANCEL:
		return request_cancel(cause, request, &core_cancellation, &(bool){true}, info);
	case COMMAND_CANCEL_MEETING:
		return request_cancel_meeting(
			cause, request, &core_cancellation, &(bool){true}, info);
	case COMMAND_REGENERATE:
		return request_regenerate(cause, request, &regeneration, &(bool){true}, info);
	case COMMAND_RESCHEDULE:
		return command_reschedule(cause, request, info);
	case COMMAND_RETRY:
		return request_retry(cause, request, NULL, &changed, info);
	case COMMAND_PROPOSE:
		return proposal_make(cause, request, &draft, &changed, info);
	case COMMAND_WITHDRAW_PROPOSAL:
		return proposal_withdraw(cause, request, NULL, &changed, info);
	case COMMAND_DECIDE_PROPOSAL:
		return proposal_respond(cause, request, &response, &changed, info);
	default:
		return request_note_outcome(cause, request, &verdict, &changed, info);
	}
}

enum { NO_MEETING = MEETING_REPLACED + 1 };

/* Another time is asked for, where a command is about that. */
static void command_propose(struct arena *arena, struct request *request, enum command command)
{
	if ((int)command == DECLINE || command_table[command].proposal < COMMAND_OPEN_PROPOSAL)
		return;
	request->proposal = arena_alloc(arena, sizeof(*request->proposal));
	*request->proposal = (struct proposal){.starts_at = CORE_END, .duration_minutes = 60};
}

/* In these statuses, reachable or not; it owes what it would. */
static struct request *command_request(
	struct arena *arena, enum request_status status, int meeting_status)
{
	struct request *request = core_open(arena);
	bool changed;

	if (meeting_status != NO_MEETING) {
		core_respond(arena, request, CORE_NOW, &core_accept, &changed);
		if (meeting_status != MEETING_PENDING)
			core_settle_creation(arena, request, CORE_NOW,
				meeting_status == MEETING_FAILED ? ERR_PERMANENT : ERR_OK);
		request->meeting->status = meeting_status;
	}
	request->status = (int)status;
	return request;
}

static enum err command_expected(
	enum command command, enum request_status status, int meeting_status)
{
	const struct command_row *row = command_row(command);
	const enum err err = row->on_request[status];

	if (err != ERR_OK || meeting_status == NO_MEETING)
		return err;
	return row->on_meeting[meeting_status];
}

static void pair_check(enum command command, enum request_status status, int meeting_status)
{
	struct arena *arena = arena_new();
	struct request *request = command_request(arena, status, meeting_status);
	const enum err expected = command_expected(command, status, meeting_status);
	const char *name = arena_printf(arena, "%s, %s, %s", command_row(command)->name,
		request_status_names[status],
		meeting_status == NO_MEETING ? "no meeting" : meeting_status_names[meeting_status]);
	struct cause cause = core_as_lawyer(arena, NOW);
	struct err_info info = {0};
	const char *before;
	enum err err;

	command_propose(arena, request, command);
	before = core_saved(arena, request);
	err = command_command(&cause, request, command, &info);

	if (err != expected)
		printf("%s: %s\n", name, err_code(err));
	UNIT_CHECK(err == expected, name);
	UNIT_CHECK(info.err == expected, name);
	UNIT_CHECK((strcmp(core_saved(arena, request), before) == 0) == (expected != ERR_OK), name);
	UNIT_CHECK(audit_verify(NULL, &request->events, request->id) == -1, name);
	arena_free(&arena);
}

static void test_command_every_pair(void)
{
	int command, status, meeting_status;

	for (command = 0; command <= DECLINE; command++)
		for (status = REQUEST_OPEN; status <= REQUEST_COMPLETED; status++)
			for (meeting_status = 0; meeting_status <= NO_MEETING; meeting_status++) {
				/* Accepted is: it has a meeting. */
				if (meeting_status == NO_MEETING &&
					(status == REQUEST_ACCEPTED || status == REQUEST_COMPLETED))
					continue;
				pair_check((enum command)command, (enum request_status)status,
					meeting_status);
			}
}

/* What an accepted request allows once the time of its meeting is over, in each status of that. */
static void test_command_when_its_time_is_over(void)
{
	static const enum meeting_status statuses[] = {
		MEETING_PENDING, MEETING_READY, MEETING_FAILED, MEETING_CANCELLED};
	struct arena *arena = arena_new();
	size_t i;
	int command;

	for (i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++)
		for (command = COMMAND_CANCEL; command < COMMAND_COUNT; command++) {
			struct request *request =
				command_request(arena, REQUEST_ACCEPTED, (int)statuses[i]);
			const char *before = core_saved(arena, request);
			struct cause cause = core_as_lawyer(arena, CORE_END);
			enum err expected = command_expected(
				(enum command)command, REQUEST_ACCEPTED, (int)statuses[i]);

			if (expected == ERR_OK && command != COMMAND_OUTCOME)
				expected = ERR_MEETING_OVER;
			UNIT_CHECK(command_command(&cause, request, (enum command)command, NULL) ==
					   expected,
				command_table[command].name);
			UNIT_CHECK((strcmp(core_saved(arena, request), before) == 0) ==
					   (expected != ERR_OK),
				command_table[command].name);
		}
	arena_free(&arena);
}

static void test_command_refusals_have_words(void)
{
	struct arena *arena = arena_new();
	struct request *request = command_request(arena, REQUEST_ACCEPTED, MEETING_CANCELLED);
	struct err_info info = {0};

	CU_ASSERT_EQUAL(command_check(COMMAND_RESCHEDULE, ROLE_LAWYER, request, NOW, &info),
		ERR_MEETING_ENDED);
	CU_ASSERT_STRING_EQUAL(info.detail, "The meeting is cancelled.");
	request->status = REQUEST_DECLINED;
	CU_ASSERT_EQUAL(command_check(COMMAND_RESCHEDULE, ROLE_LAWYER, request, NOW, NULL),
		ERR_NOT_ACCEPTED);
	CU_ASSERT_EQUAL(command_check(COMMAND_CANCEL, ROLE_LAWYER, request, NOW, &info),
		ERR_ALREADY_DECIDED);
	CU_ASSERT_STRING_EQUAL(info.detail, "The request is declined.");
	arena_free(&arena);
}

/* Shortly before the start, to the client alone; who moves the meeting has moved that, too. */
static void test_command_closes_to_the_client(void)
{
	struct policy policy = policy_default;
	struct arena *arena = arena_new();
	struct request *request = core_open(arena);
	struct cause cause = core_as_lawyer(arena, CORE_NOW);
	const int64_t until = CORE_START - 2 * INSTANT_HOUR;
	struct err_info info = {0};
	bool changed;
	int command;

	policy.change_until_minutes_before = 120;
	core_under(&cause, &policy);
	CU_ASSERT_EQUAL(request_respond(&cause, request, &core_accept, &changed, NULL), ERR_OK);
	CU_ASSERT_EQUAL(request->meeting->changes_until, until);
	for (command = 0; command < COMMAND_COUNT; command++) {
		command_propose(arena, request, (enum command)command);
		CU_ASSERT_NOT_EQUAL(
			command_check((enum command)command, ROLE_CLIENT, request, until - 1, NULL),
			ERR_TOO_LATE);
		UNIT_CHECK((command_check((enum command)command, ROLE_CLIENT, request, until,
				    NULL) == ERR_TOO_LATE) == command_table[command].closes,
			command_table[command].name);
		CU_ASSERT_NOT_EQUAL(
			command_check((enum command)command, ROLE_LAWYER, request, until, NULL),
			ERR_TOO_LATE);
		request->proposal = NULL;
	}
	command_check(COMMAND_CANCEL, ROLE_CLIENT, request, until, &info);
	CU_ASSERT_STRING_EQUAL(info.detail,
		"This was possible until 120 minutes before the start: please call your lawyer.");
	core_move(arena, request, CORE_NOW, CORE_START + INSTANT_DAY);
	CU_ASSERT_EQUAL(request->meeting->changes_until, until + INSTANT_DAY);
	/* Without a meeting there is nothing to be late for. */
	core_cancel_meeting(arena, request, CORE_NOW);
	CU_ASSERT_EQUAL(command_check(COMMAND_CANCEL, ROLE_CLIENT, request,
				CORE_START + INSTANT_DAY - 1, NULL),
		ERR_OK);
	arena_free(&arena);
}

/* By status, time, role and proposal: no answer is one that the description does not have. */
static void refusals_check(struct request *request, int command, uint64_t *met)
{
	static const int64_t times[] = {CORE_NOW, CORE_START - 1, CORE_START, CORE_END};
	const uint64_t said = command_refusals((enum command)command);
	enum role role;
	enum err err;
	size_t i;

	for (i = 0; i < sizeof(times) / sizeof(times[0]); i++)
		for (role = ROLE_CLIENT; role < ROLE_SYSTEM; role++) {
			err = command_check((enum command)command, role, request, times[i], NULL);
			UNIT_CHECK(err == ERR_OK || said & UINT64_C(1) << err,
				command_table[command].name);
			*met |= UINT64_C(1) << err;
		}
}

static void test_command_refusals_are_said(void)
{
	struct proposal proposals[] = {{.status = PROPOSAL_OPEN, .starts_at = CORE_END},
		{.status = PROPOSAL_DECLINED, .starts_at = CORE_END}};
	struct arena *arena = arena_new();
	struct request *request;
	int command, status, meeting;
	uint64_t met = 0;
	size_t i;

	for (status = REQUEST_OPEN; status <= REQUEST_COMPLETED; status++)
		for (meeting = 0; meeting < NO_MEETING; meeting++) {
			request = command_request(arena, (enum request_status)status, meeting);
			request->meeting->changes_until = CORE_START - INSTANT_HOUR;
			for (i = 0; i <= 2; i++) {
				request->proposal = i < 2 ? &proposals[i] : NULL;
				for (command = 0; command < COMMAND_COUNT; command++)
					refusals_check(request, command, &met);
			}
		}
	CU_ASSERT_TRUE(met & ERR_SET(TOO_LATE));
	CU_ASSERT_TRUE(met & ERR_SET(ALREADY_PROPOSED));
	CU_ASSERT_TRUE(met & ERR_SET(NO_PROPOSAL));
	CU_ASSERT_TRUE(met & ERR_SET(NOT_STARTED));
	CU_ASSERT_TRUE(met & ERR_SET(MEETING_OVER));
	/* Who lets a meeting be where another is says so. */
	for (command = 0; command < COMMAND_COUNT; command++) {
		if (!command_table[command].body)
			continue;
		MODEL_FOREACH_FIELD (command_table[command].body, field) {
			UNIT_CHECK(
				strcmp(field->name, "allow_overlap") != 0 ||
					command_refusals((enum command)command) & ERR_SET(OVERLAPS),
				command_table[command].name);
		}
	}
	arena_free(&arena);
}

/* Within any hour, and what ends something always. */
static void test_command_counts_changes(void)
{
	struct policy policy = policy_default;
	struct config config = core_config;
	struct arena *arena = arena_new();
	struct request *request = command_request(arena, REQUEST_ACCEPTED, MEETING_READY);
	struct cause cause = core_system(arena, CORE_NOW);
	const struct command_row *move = &command_table[COMMAND_RESCHEDULE];
	struct err_info info = {0};
	int i;

	policy.max_changes_per_hour = 3;
	config.policy = &policy;
	cause.config = &config;
	for (i = 0; i < 3; i++) {
		CU_ASSERT_EQUAL(command_count(&cause, move, request, &info), ERR_OK);
		cause.now += 10 * INSTANT_MINUTE;
	}
	CU_ASSERT_EQUAL(command_count(&cause, move, request, &info), ERR_TOO_MANY_CHANGES);
	CU_ASSERT_EQUAL(info.retry_after_s, 30 * 60 + 1);
	for (i = 0; i < COMMAND_COUNT; i++)
		CU_ASSERT_EQUAL(command_count(&cause, &command_table[i], request, &info),
			command_table[i].ends ? ERR_OK : ERR_TOO_MANY_CHANGES);
	cause.now = CORE_NOW + INSTANT_HOUR;
	CU_ASSERT_EQUAL(command_count(&cause, move, request, &info), ERR_OK);
	CU_ASSERT_EQUAL(command_count(&cause, move, request, &info), ERR_TOO_MANY_CHANGES);
	CU_ASSERT_EQUAL(request->changes.count, 3);
	/* A policy that allows less looks at the latest ones. */
	policy.max_changes_per_hour = 1;
	CU_ASSERT_EQUAL(command_count(&cause, move, request, &info), ERR_TOO_MANY_CHANGES);
	CU_ASSERT_EQUAL(info.retry_after_s, 60 * 60 + 1);
	arena_free(&arena);
}

static void test_command_rows_are_whole(void)
{
	const struct command_row *row;

	for (row = command_table; row < command_table + COMMAND_COUNT; row++) {
		CU_ASSERT_PTR_NOT_NULL(row->name);
		CU_ASSERT_PTR_NOT_NULL(row->link);
		CU_ASSERT_EQUAL(row->path[0], '/');
		CU_ASSERT_PTR_NOT_NULL(row->rule);
		CU_ASSERT_NOT_EQUAL(row->roles, 0);
	}
}

static const struct unit_case cases[] = {
	{"every pair", test_command_every_pair},
	{"when its time is over", test_command_when_its_time_is_over},
	{"refusals have words", test_command_refusals_have_words},
	{"refusals are said", test_command_refusals_are_said},
	{"closes to the client", test_command_closes_to_the_client},
	{"counts changes", test_command_counts_changes},
	{"rows are whole", test_command_rows_are_whole},
};

UNIT_MAIN("command", cases)
