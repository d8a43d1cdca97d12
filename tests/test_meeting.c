#include "core_unit.h"

enum { LEASE_MS = 90 * 1000 };

#define INVITE EFFECT_MAIL_MEETING_READY
#define CANCEL EFFECT_MAIL_MEETING_CANCELLED

static void test_meeting_begins_pending(void)
{
	struct arena *arena = arena_new();
	struct request *request = core_in_state(arena, CORE_PENDING);
	const struct meeting *meeting = request->meeting;
	const struct effect *create = core_creation(request);

	CU_ASSERT_EQUAL(meeting->status, MEETING_PENDING);
	CU_ASSERT_EQUAL(meeting->generation, 1);
	CU_ASSERT_EQUAL(meeting->sequence, 0);
	CU_ASSERT_STRING_EQUAL(meeting->provider, "jitsi");
	CU_ASSERT_STRING_EQUAL(meeting->requested_provider, "jitsi");
	CU_ASSERT_STRING_NOT_EQUAL(meeting->id, meeting->provider_key);
	CU_ASSERT_STRING_NOT_EQUAL(meeting->id, request->id);
	CU_ASSERT_EQUAL(meeting->starts_at, CORE_START);
	CU_ASSERT_EQUAL(meeting->ends_at, CORE_END);
	CU_ASSERT_EQUAL(meeting->opens_at, CORE_START - 15 * INSTANT_MINUTE);
	CU_ASSERT_EQUAL(meeting->expires_at, CORE_END + 60 * INSTANT_MINUTE);
	CU_ASSERT_STRING_EQUAL(meeting->timezone, "Europe/Berlin");
	CU_ASSERT(meeting->security->waiting_room && !meeting->security->join_before_host);
	CU_ASSERT_EQUAL(meeting->next_attempt_at, CORE_NOW);
	CU_ASSERT_EQUAL(meeting->created_at, CORE_NOW);
	CU_ASSERT_EQUAL(meeting->ready_at, 0);
	CU_ASSERT_PTR_NULL(meeting->provider_url);
	CU_ASSERT_EQUAL_FATAL(request->effects.count, 1);
	CU_ASSERT_EQUAL(create->generation, 1);
	CU_ASSERT_EQUAL(create->due, CORE_NOW);
	arena_free(&arena);
}

static void test_meeting_creation_is_given_up_when_it_is_over(void)
{
	static const struct {
		const char *name;
		int64_t starts_after, minutes, give_up_after;
	} cases[] = {
		{"far ahead: after the policy's time", 30 * INSTANT_DAY, 60, INSTANT_DAY},
		{"soon: when the meeting ends", INSTANT_HOUR, 60, 2 * INSTANT_HOUR},
		{"in a moment", 1, 5, 5 * INSTANT_MINUTE + 1},
	};
	struct arena *arena = arena_new();
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct request *request = core_open(arena);
		const struct request_response response = {
			.starts_at = CORE_NOW + cases[i].starts_after,
			.duration_minutes = cases[i].minutes,
		};
		bool changed;

		CU_ASSERT_EQUAL(
			core_respond(arena, request, CORE_NOW, &response, &changed), ERR_OK);
		CU_ASSERT_EQUAL(
			core_creation(request)->give_up_at, CORE_NOW + cases[i].give_up_after);
	}
	arena_free(&arena);
}

static void test_meeting_made_is_ready(void)
{
	const enum party parties[] = {PARTY_CLIENT, PARTY_LAWYER};
	struct arena *arena = arena_new();
	struct request *request = core_in_state(arena, CORE_PENDING);
	size_t i;

	core_settle_creation(arena, request, CORE_NOW + 1, ERR_TEMPORARY);
	core_settle_creation(arena, request, CORE_NOW + 2, ERR_OK);
	CU_ASSERT_EQUAL(request->meeting->status, MEETING_READY);
	CU_ASSERT_EQUAL(request->meeting->ready_at, CORE_NOW + 2);
	CU_ASSERT_EQUAL(request->meeting->attempts, 2);
	CU_ASSERT_EQUAL(request->meeting->next_attempt_at, 0);
	CU_ASSERT_PTR_NULL(request->meeting->last_error);
	CU_ASSERT_STRING_EQUAL(request->meeting->provider_url, "https://meet.test/room");
	CU_ASSERT_STRING_EQUAL(request->meeting->passcode, "4711");
	CU_ASSERT_EQUAL(request->updated_at, CORE_NOW + 2);
	CU_ASSERT_PTR_NULL(core_creation(request));
	CU_ASSERT_EQUAL(request->effects.count, 2);
	for (i = 0; i < 2; i++) {
		const struct effect *mail = core_effect(request, INVITE, parties[i]);

		CU_ASSERT_PTR_NOT_NULL_FATAL(mail);
		CU_ASSERT_EQUAL(mail->due, CORE_NOW + 2);
		CU_ASSERT_EQUAL(mail->give_up_at, CORE_END);
		CU_ASSERT_EQUAL(mail->sequence, 0);
	}
	arena_free(&arena);
}

static void test_meeting_attempts_that_fail(void)
{
	static const struct {
		const char *name;
		enum err err;
		int64_t at;
		enum meeting_status status;
		enum effect_state state;
		const char *code;
		size_t failed_events;
	} cases[] = {
		{"temporary", ERR_TEMPORARY, 1, MEETING_PENDING, EFFECT_DUE, "temporary", 0},
		{"permanent", ERR_PERMANENT, 1, MEETING_FAILED, EFFECT_FAILED, "permanent", 1},
		{"temporary, too late for another", ERR_TEMPORARY, INSTANT_DAY, MEETING_FAILED,
			EFFECT_FAILED, "temporary", 1},
	};
	struct arena *arena = arena_new();
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct request *request = core_in_state(arena, CORE_PENDING);
		const int64_t at = CORE_NOW + cases[i].at;
		const struct meeting *meeting = request->meeting;
		const struct effect *create;

		effect_claim(request, CORE_NOW, "ours", LEASE_MS);
		core_settle_creation(arena, request, at, cases[i].err);
		create = core_creation(request);
		CU_ASSERT_EQUAL(meeting->status, (int)cases[i].status);
		CU_ASSERT_EQUAL(meeting->attempts, 1);
		CU_ASSERT_STRING_EQUAL(meeting->last_error->code, cases[i].code);
		CU_ASSERT_STRING_EQUAL(meeting->last_error->detail, "The provider is away.");
		CU_ASSERT_STRING_EQUAL(meeting->last_error->provider, "jitsi");
		CU_ASSERT_EQUAL(meeting->last_error->at, at);
		CU_ASSERT_EQUAL(create->state, (int)cases[i].state);
		CU_ASSERT_PTR_NULL(create->lease);
		CU_ASSERT_EQUAL(meeting->next_attempt_at,
			cases[i].state == EFFECT_FAILED ? 0 : create->due);
		CU_ASSERT_EQUAL(core_count_events(request, "provider.attempt_failed"), 1);
		CU_ASSERT_EQUAL(
			core_count_events(request, "meeting.failed"), cases[i].failed_events);
		CU_ASSERT_EQUAL(request->effects.count, 1);
		CU_ASSERT_EQUAL(request->status, REQUEST_ACCEPTED);
	}
	arena_free(&arena);
}

/* How far the client's invitation has come when the meeting is cancelled. */
enum invitation {
	INVITATION_OWED,
	INVITATION_LEAVING,   /* leased, somebody is sending it */
	INVITATION_LOST,      /* leased, but the lease is over */
	INVITATION_UNCERTAIN, /* an attempt failed: it may have arrived nevertheless */
	INVITATION_SENT,
	INVITATION_REFUSED, /* for good */
};

static void meeting_bring_invitation(
	struct arena *arena, struct request *request, enum invitation state)
{
	struct effect *mail = core_effect(request, INVITE, PARTY_CLIENT);

	switch (state) {
	case INVITATION_OWED:
		break;
	case INVITATION_LEAVING:
	case INVITATION_LOST:
		mail->lease = "ours";
		mail->attempts = 1;
		mail->due = CORE_NOW + (state == INVITATION_LEAVING ? 11 : 10);
		break;
	case INVITATION_UNCERTAIN:
		core_settle_mail(arena, request, mail, CORE_NOW, ERR_TEMPORARY, "broken off");
		break;
	case INVITATION_SENT:
		core_settle_mail(arena, request, mail, CORE_NOW, ERR_OK, "");
		break;
	case INVITATION_REFUSED:
		core_settle_mail(arena, request, mail, CORE_NOW, ERR_PERMANENT, "unknown");
		break;
	}
}

static void test_meeting_cancel_tells_those_who_were_told(void)
{
	static const struct {
		const char *name;
		enum invitation state;
		bool invited, told; /* what is owed to the client afterwards */
	} cases[] = {
		{"invitation has not left", INVITATION_OWED, false, false},
		{"invitation is leaving", INVITATION_LEAVING, true, true},
		{"whoever sent the invitation is lost", INVITATION_LOST, false, true},
		{"invitation may have arrived", INVITATION_UNCERTAIN, false, true},
		{"invitation was sent", INVITATION_SENT, false, true},
		{"invitation was refused, perhaps after it had arrived", INVITATION_REFUSED, false,
			true},
	};
	struct arena *arena = arena_new();
	const struct effect *told;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct request *request = core_in_state(arena, CORE_READY);

		meeting_bring_invitation(arena, request, cases[i].state);
		CU_ASSERT_EQUAL(core_cancel(arena, request, CORE_NOW + 10), ERR_OK);
		told = core_effect(request, CANCEL, PARTY_CLIENT);
		if ((told != NULL) != cases[i].told)
			printf("%s\n", cases[i].name);
		CU_ASSERT_EQUAL(told != NULL, cases[i].told);
		CU_ASSERT_EQUAL(
			core_effect(request, INVITE, PARTY_CLIENT) != NULL, cases[i].invited);
		/* The lawyer's invitation had not left in any of the cases. */
		CU_ASSERT_PTR_NULL(core_effect(request, INVITE, PARTY_LAWYER));
		CU_ASSERT_PTR_NULL(core_effect(request, CANCEL, PARTY_LAWYER));
		CU_ASSERT_EQUAL(
			request->effects.count, (size_t)cases[i].invited + (size_t)cases[i].told);
		if (told) {
			CU_ASSERT_EQUAL(told->sequence, 1);
			CU_ASSERT_EQUAL(told->give_up_at, CORE_END + INSTANT_DAY);
		}
		CU_ASSERT_EQUAL(request->meeting->status, MEETING_CANCELLED);
		CU_ASSERT_EQUAL(request->meeting->sequence, 1);
		CU_ASSERT_EQUAL(request->meeting->ended_at, CORE_NOW + 10);
		CU_ASSERT_STRING_EQUAL(request->meeting->ended_reason, core_cancellation.reason);
	}
	arena_free(&arena);
}

/* Its invitation was leaving when the meeting was cancelled: nobody tries that a second time. */
static void test_meeting_stale_invitation_is_not_tried_again(void)
{
	static const struct {
		const char *name;
		enum err err;
		const char *action;
	} cases[] = {
		{"it left", ERR_OK, "mail.sent"},
		{"it may have left", ERR_TEMPORARY, "mail.discarded"},
		{"it was refused", ERR_PERMANENT, "mail.discarded"},
	};
	struct arena *arena = arena_new();
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct request *request = core_in_state(arena, CORE_READY);

		effect_claim(request, CORE_NOW, "ours", LEASE_MS);
		core_cancel(arena, request, CORE_NOW + 1);
		CU_ASSERT_EQUAL(request->effects.count, 4);
		core_settle_mail(arena, request, core_effect(request, INVITE, PARTY_CLIENT),
			CORE_NOW + 2, cases[i].err, "x");
		CU_ASSERT_STRING_EQUAL(core_last_event(request)->action, cases[i].action);
		CU_ASSERT_PTR_NULL(core_effect(request, INVITE, PARTY_CLIENT));
		CU_ASSERT_PTR_NOT_NULL(core_effect(request, CANCEL, PARTY_CLIENT));
		CU_ASSERT_EQUAL(effect_claim(request, CORE_NOW + 2, "next", LEASE_MS), 1);
		CU_ASSERT_STRING_EQUAL(core_effect(request, CANCEL, PARTY_CLIENT)->lease, "next");
	}
	arena_free(&arena);
}

static void test_meeting_cancel_withdraws_its_creation(void)
{
	static const struct {
		const char *name;
		enum core_state state;
		int64_t leased_until; /* after CORE_NOW; 0: nobody is at it */
		bool left;
	} cases[] = {
		{"not begun", CORE_PENDING, 0, false},
		{"being asked for", CORE_PENDING, 11, true},
		{"whoever asked is lost", CORE_PENDING, 10, false},
		{"failed", CORE_FAILED, 0, false},
	};
	struct arena *arena = arena_new();
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct request *request = core_in_state(arena, cases[i].state);

		if (cases[i].leased_until)
			effect_claim(request, CORE_NOW, "ours", cases[i].leased_until);
		CU_ASSERT_EQUAL(core_cancel(arena, request, CORE_NOW + 10), ERR_OK);
		if ((core_creation(request) != NULL) != cases[i].left)
			printf("%s\n", cases[i].name);
		CU_ASSERT_EQUAL(core_creation(request) != NULL, cases[i].left);
		CU_ASSERT_EQUAL(request->effects.count, cases[i].left);
	}
	arena_free(&arena);
}

/* The request moved on while the provider was asked: the answer does not bring the meeting back. */
static void test_meeting_late_answer_changes_nothing(void)
{
	static const enum err answers[] = {ERR_OK, ERR_TEMPORARY, ERR_PERMANENT};
	struct arena *arena = arena_new();
	const char *before;
	size_t i;

	for (i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		struct request *request = core_in_state(arena, CORE_PENDING);

		effect_claim(request, CORE_NOW, "ours", LEASE_MS);
		core_cancel(arena, request, CORE_NOW + 1);
		before = core_stored(arena, &meeting_model, request->meeting);
		core_settle_creation(arena, request, CORE_NOW + 2, answers[i]);
		CU_ASSERT_STRING_EQUAL(
			core_stored(arena, &meeting_model, request->meeting), before);
		CU_ASSERT_EQUAL(request->effects.count, 0);
		CU_ASSERT_EQUAL(request->status, REQUEST_CANCELLED);
		CU_ASSERT_STRING_EQUAL(core_last_event(request)->action, "meeting.cancelled");
	}
	for (i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		struct request *request = core_in_state(arena, CORE_PENDING);

		request->meeting->generation = 2;
		before = core_stored(arena, &meeting_model, request->meeting);
		core_settle_creation(arena, request, CORE_NOW + 2, answers[i]);
		CU_ASSERT_STRING_EQUAL(
			core_stored(arena, &meeting_model, request->meeting), before);
		CU_ASSERT_EQUAL(request->effects.count, 0);
	}
	arena_free(&arena);
}

static const struct unit_case cases[] = {
	{"begins pending", test_meeting_begins_pending},
	{"creation is given up when it is over", test_meeting_creation_is_given_up_when_it_is_over},
	{"made is ready", test_meeting_made_is_ready},
	{"attempts that fail", test_meeting_attempts_that_fail},
	{"cancel tells those who were told", test_meeting_cancel_tells_those_who_were_told},
	{"stale invitation is not tried again", test_meeting_stale_invitation_is_not_tried_again},
	{"cancel withdraws its creation", test_meeting_cancel_withdraws_its_creation},
	{"late answer changes nothing", test_meeting_late_answer_changes_nothing},
};

UNIT_MAIN("meeting", cases)
