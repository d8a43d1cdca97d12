#include "core_unit.h"

enum { LEASE_MS = 90 * 1000 };

#define INVITE EFFECT_MAIL_MEETING_READY

#define VERIFY_EVERY (6 * INSTANT_HOUR)

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
	CU_ASSERT_STRING_EQUAL(core_owed(arena, request), "CE");
	CU_ASSERT_EQUAL(create->generation, 1);
	CU_ASSERT_EQUAL(create->due, CORE_NOW);
	CU_ASSERT_EQUAL(core_effect(request, EFFECT_MEETING_EXPIRE, 0)->due, meeting->expires_at);
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
	CU_ASSERT_EQUAL(request->effects.count, 4);
	for (i = 0; i < 2; i++) {
		const struct effect *mail = core_effect(request, INVITE, parties[i]);

		CU_ASSERT_PTR_NOT_NULL_FATAL(mail);
		CU_ASSERT_EQUAL(mail->due, CORE_NOW + 2);
		CU_ASSERT_EQUAL(mail->give_up_at, CORE_END);
		CU_ASSERT_EQUAL(mail->sequence, 0);
	}
	arena_free(&arena);
}

/* What is owed when a meeting that zoom has made ends, or changes. */
static void test_meeting_ends_and_changes(void)
{
	static const struct {
		const char *name;
		char what; /* x: cancel, m: cancel the meeting alone, g: regenerate, t: move */
		const char *owed;
	} cases[] = {
		{"cancelled", 'x', "D"},
		{"cancelled alone: the request still ends", 'm', "ED"},
		{"regenerated", 'g', "EDC"},
		{"moved: a new update, a new invitation", 't', "EVUr"},
		{"moved and cancelled", 'T', "D"},
		{"cancelled alone and regenerated: deleted once", 'M', "EDC"},
		{"regenerated and moved: nobody need be told twice", 'G', "EDC"},
	};
	struct arena *arena = arena_new();
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct request *request = core_at_zoom(arena);
		const char *key = request->meeting->provider_key;
		const struct effect *removal;

		switch (cases[i].what) {
		case 'x':
			core_cancel(arena, request, CORE_NOW);
			break;
		case 'm':
			core_cancel_meeting(arena, request, CORE_NOW);
			break;
		case 'M':
			core_cancel_meeting(arena, request, CORE_NOW);
			/* fall through */
		case 'g':
			core_regenerate(arena, request, CORE_NOW);
			break;
		case 'G':
			core_regenerate(arena, request, CORE_NOW);
			/* fall through */
		case 't':
			core_move(arena, request, CORE_NOW, CORE_START + INSTANT_HOUR);
			break;
		default:
			core_move(arena, request, CORE_NOW, CORE_START + INSTANT_HOUR);
			core_cancel(arena, request, CORE_NOW);
		}
		UNIT_CHECK(strcmp(core_owed(arena, request), cases[i].owed) == 0, cases[i].name);
		removal = core_effect(request, EFFECT_MEETING_DELETE, 0);
		if (!removal)
			continue;
		UNIT_CHECK(strcmp(removal->removal->provider, "zoom") == 0, cases[i].name);
		UNIT_CHECK(strcmp(removal->removal->provider_key, key) == 0, cases[i].name);
		UNIT_CHECK(strcmp(removal->removal->external_id, "ext-1") == 0, cases[i].name);
		UNIT_CHECK(
			strcmp(removal->removal->account, core_link.account) == 0, cases[i].name);
		UNIT_CHECK(removal->due == CORE_NOW, cases[i].name);
	}
	arena_free(&arena);
}

static void test_meeting_replaced_keeps_the_calendar(void)
{
	struct arena *arena = arena_new();
	struct request *request = core_at_zoom(arena);
	const struct meeting first = *request->meeting, *old, *meeting;

	CU_ASSERT_EQUAL(core_regenerate(arena, request, CORE_NOW + 5), ERR_OK);
	meeting = request->meeting;
	CU_ASSERT_EQUAL_FATAL(request->meetings.count, 1);
	old = MODEL_AT(&request->meetings, struct meeting, 0);
	CU_ASSERT_EQUAL(old->status, MEETING_REPLACED);
	CU_ASSERT_EQUAL(old->ended_at, CORE_NOW + 5);
	CU_ASSERT_STRING_EQUAL(old->ended_reason, core_regeneration.reason);
	CU_ASSERT_STRING_EQUAL(old->provider_key, first.provider_key);
	CU_ASSERT_STRING_EQUAL(meeting->id, first.id);
	CU_ASSERT_EQUAL(meeting->generation, 2);
	CU_ASSERT_EQUAL(meeting->sequence, first.sequence + 1);
	CU_ASSERT_EQUAL(meeting->status, MEETING_PENDING);
	CU_ASSERT_STRING_NOT_EQUAL(meeting->provider_key, first.provider_key);
	CU_ASSERT_STRING_EQUAL(meeting->provider, "zoom");
	CU_ASSERT_PTR_NULL(meeting->external_id);
	CU_ASSERT_PTR_NULL(meeting->provider_url);
	CU_ASSERT_EQUAL(core_creation(request)->generation, 2);
	CU_ASSERT_EQUAL(core_effect(request, EFFECT_MEETING_EXPIRE, 0)->generation, 2);
	CU_ASSERT_STRING_EQUAL(core_last_event(request)->action, "meeting.regenerated");
	arena_free(&arena);
}

/* One that was cancelled alone goes to the history as what it was, and ended when it did. */
static void test_meeting_replaced_after_its_cancellation(void)
{
	struct arena *arena = arena_new();
	struct request *request = core_at_zoom(arena);
	const struct meeting *old;

	core_cancel_meeting(arena, request, CORE_NOW + 1);
	CU_ASSERT_EQUAL(core_regenerate(arena, request, CORE_NOW + 5), ERR_OK);
	old = MODEL_AT(&request->meetings, struct meeting, 0);
	CU_ASSERT_EQUAL(old->status, MEETING_CANCELLED);
	CU_ASSERT_EQUAL(old->ended_at, CORE_NOW + 1);
	CU_ASSERT_STRING_EQUAL(old->ended_reason, core_meeting_cancellation.reason);
	CU_ASSERT_EQUAL(request->meeting->sequence, 2);
	CU_ASSERT_EQUAL(core_count_events(request, "meeting.replaced"), 0);
	arena_free(&arena);
}

static void test_meeting_moves_with_its_times(void)
{
	const int64_t later = CORE_START + INSTANT_DAY;
	struct arena *arena = arena_new();
	struct request *request = core_at_zoom(arena);
	const struct meeting first = *request->meeting, *meeting = request->meeting;
	const struct effect *update;

	CU_ASSERT_EQUAL(core_move(arena, request, CORE_NOW + 1, later), ERR_OK);
	CU_ASSERT_EQUAL(core_move(arena, request, CORE_NOW + 2, later + 7000), ERR_OK);
	CU_ASSERT_EQUAL(meeting->starts_at, later + 7000);
	CU_ASSERT_EQUAL(meeting->ends_at, later + 7000 + INSTANT_HOUR);
	CU_ASSERT_EQUAL(meeting->starts_at - meeting->opens_at, first.starts_at - first.opens_at);
	CU_ASSERT_EQUAL(meeting->expires_at - meeting->ends_at, first.expires_at - first.ends_at);
	CU_ASSERT_EQUAL(meeting->sequence, first.sequence + 2);
	CU_ASSERT_STRING_EQUAL(meeting->provider_key, first.provider_key);
	CU_ASSERT_STRING_EQUAL(meeting->change_reason, "The court moved.");
	CU_ASSERT_EQUAL(core_count_effects(request, EFFECT_MEETING_UPDATE), 1);
	update = core_effect(request, EFFECT_MEETING_UPDATE, 0);
	CU_ASSERT_EQUAL(update->give_up_at, update->created_at + INSTANT_DAY);
	CU_ASSERT_EQUAL(core_effect(request, EFFECT_MEETING_EXPIRE, 0)->due, meeting->expires_at);
	arena_free(&arena);
}

/* An update that is under way may have the old times: one more is owed, and never a third. */
static void test_meeting_moved_while_it_is_updated(void)
{
	struct arena *arena = arena_new();
	struct request *request = core_at_zoom(arena);
	int64_t at = CORE_NOW;
	int i;

	core_move(arena, request, at, CORE_START + 1000);
	CU_ASSERT(core_claim(request, at, "theirs", LEASE_MS) > 0);
	for (i = 2; i < 5; i++) {
		core_move(arena, request, ++at, CORE_START + i * 1000);
		CU_ASSERT_EQUAL(core_count_effects(request, EFFECT_MEETING_UPDATE), 2);
	}
	core_move(arena, request, CORE_NOW + LEASE_MS, CORE_START + 9000);
	CU_ASSERT_EQUAL(core_count_effects(request, EFFECT_MEETING_UPDATE), 1);
	arena_free(&arena);
}

/* What is pending has nothing to be updated, and longer to be made; what was given up is tried
 * again. */
/* A meeting to which nobody came may be moved: how it went was then. */
static void test_meeting_moves_after_its_outcome(void)
{
	const struct meeting_verdict no_show = {.outcome = 1};
	struct arena *arena = arena_new();
	struct request *request = core_at_zoom(arena);
	struct cause cause = core_as_lawyer(arena, CORE_START + INSTANT_MINUTE);
	bool changed;

	CU_ASSERT_EQUAL(request_note_outcome(&cause, request, &no_show, &changed, NULL), ERR_OK);
	request->meeting->held_from = CORE_START;
	CU_ASSERT_EQUAL(core_move(arena, request, cause.now, CORE_START + INSTANT_DAY), ERR_OK);
	CU_ASSERT_PTR_NULL(request->meeting->outcome);
	CU_ASSERT_EQUAL(request->meeting->held_from, 0);
	CU_ASSERT_EQUAL(core_count_events(request, "meeting.outcome"), 1);
	arena_free(&arena);
}

/* While it is running it may be made longer or shorter, but not end in the past. */
static void test_meeting_is_made_longer_while_it_runs(void)
{
	static const struct {
		const char *name;
		int64_t starts_at, minutes;
		enum err err;
	} cases[] = {
		{"longer", CORE_START, 120, ERR_OK},
		{"shorter", CORE_START, 40, ERR_OK},
		{"ends now", CORE_START, 30, ERR_INVALID},
		{"began earlier", CORE_START - INSTANT_MINUTE, 120, ERR_INVALID},
		{"began later", CORE_START + INSTANT_MINUTE, 120, ERR_INVALID},
	};
	struct arena *arena = arena_new();
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct request *request = core_at_zoom(arena);
		struct cause cause = core_as_lawyer(arena, CORE_START + 30 * INSTANT_MINUTE);
		const struct meeting_rescheduling longer = {
			.starts_at = cases[i].starts_at, .duration_minutes = cases[i].minutes};
		bool changed;

		UNIT_CHECK(request_reschedule(&cause, request, &longer, &changed, NULL) ==
				   cases[i].err,
			cases[i].name);
		UNIT_CHECK(changed == (cases[i].err == ERR_OK), cases[i].name);
		UNIT_CHECK(!changed || request->meeting->ends_at ==
					       CORE_START + cases[i].minutes * INSTANT_MINUTE,
			cases[i].name);
	}
	arena_free(&arena);
}

static void test_meeting_moves_without_a_link(void)
{
	static const enum core_state states[] = {CORE_PENDING, CORE_FAILED};
	const int64_t later = CORE_START + 10 * INSTANT_DAY;
	const int64_t now = CORE_START - INSTANT_HOUR;
	struct arena *arena = arena_new();
	size_t i;

	for (i = 0; i < 2; i++) {
		struct request *request = core_in_state(arena, states[i]);

		CU_ASSERT_EQUAL(core_move(arena, request, now, later), ERR_OK);
		CU_ASSERT_STRING_EQUAL(core_owed(arena, request), "CE");
		CU_ASSERT_EQUAL(core_creation(request)->give_up_at, now + INSTANT_DAY);
		CU_ASSERT_EQUAL(request->meeting->status, MEETING_PENDING);
		CU_ASSERT_EQUAL(request->meeting->sequence, 1);
	}
	arena_free(&arena);
}

/* The creation of an ended generation may still be under way: it is not the present one's. */
static void test_meeting_creation_is_the_present_one(void)
{
	const struct meeting_regeneration regeneration = {.provider = "google"};
	struct arena *arena = arena_new();
	struct request *request = core_in_state(arena, CORE_PENDING);
	struct cause cause = core_as_lawyer(arena, CORE_NOW + 1);
	int64_t stale;

	core_claim(request, CORE_NOW, "theirs", LEASE_MS);
	stale = core_creation(request)->give_up_at;
	CU_ASSERT_EQUAL(
		request_regenerate(&cause, request, &regeneration, &(bool){true}, NULL), ERR_OK);
	CU_ASSERT_STRING_EQUAL(core_owed(arena, request), "CEC");
	core_move(arena, request, CORE_NOW + 2, CORE_START + 10 * INSTANT_DAY);
	CU_ASSERT_EQUAL(core_creation(request)->give_up_at, stale);
	CU_ASSERT_EQUAL(meeting_creation(request)->generation, 2);
	CU_ASSERT_EQUAL(meeting_creation(request)->give_up_at, CORE_NOW + 2 + INSTANT_DAY);
	arena_free(&arena);
}

/* Whoever was making an ended generation is lost, and it may exist: its creation stays until
 * somebody has found that out, whatever becomes of the present one. */
static void test_meeting_lost_creation_of_before_is_kept(void)
{
	const struct meeting_regeneration regeneration = {.provider = "google"};
	struct arena *arena = arena_new();
	struct request *request = core_in_state(arena, CORE_PENDING);
	struct cause cause = core_as_lawyer(arena, CORE_NOW + 1);
	const char *key = request->meeting->provider_key;
	const struct effect_outcome outcome = {.err = ERR_PERMANENT, .skipped = true};
	struct effect *create;

	core_claim(request, CORE_NOW, "lost", LEASE_MS);
	request_regenerate(&cause, request, &regeneration, &(bool){true}, NULL);
	core_cancel(arena, request, CORE_NOW + LEASE_MS);
	CU_ASSERT_STRING_EQUAL(core_owed(arena, request), "C");
	create = core_creation(request);
	CU_ASSERT_TRUE(effect_claim_one(request, create, CORE_NOW + LEASE_MS, "next", LEASE_MS));
	provision_created(&cause, request, create, &outcome, NULL);
	CU_ASSERT_STRING_EQUAL(core_owed(arena, request), "D");
	CU_ASSERT_STRING_EQUAL(
		core_effect(request, EFFECT_MEETING_DELETE, 0)->removal->provider_key, key);
	arena_free(&arena);
}

static void test_meeting_remade_behind_the_same_links(void)
{
	struct arena *arena = arena_new();
	struct request *request = core_at_zoom(arena);
	struct cause cause = core_system(arena, CORE_NOW + 1);
	const struct meeting first = *request->meeting, *meeting = request->meeting;

	request->meeting->provider = "google"; /* where it had failed over to */
	meeting_remake(&cause, request);
	CU_ASSERT_EQUAL(meeting->status, MEETING_PENDING);
	CU_ASSERT_EQUAL(meeting->generation, first.generation);
	CU_ASSERT_EQUAL(meeting->sequence, first.sequence + 1);
	CU_ASSERT_STRING_EQUAL(meeting->provider, "zoom");
	CU_ASSERT_STRING_NOT_EQUAL(meeting->provider_key, first.provider_key);
	CU_ASSERT(!meeting->external_id && !meeting->account && !meeting->provider_url &&
		  !meeting->passcode && meeting->ready_at == 0);
	CU_ASSERT_EQUAL(meeting->next_attempt_at, CORE_NOW + 1);
	CU_ASSERT_STRING_EQUAL(core_owed(arena, request), "EDC");
	CU_ASSERT_STRING_EQUAL(
		core_effect(request, EFFECT_MEETING_DELETE, 0)->removal->provider, "google");
	CU_ASSERT_STRING_EQUAL(core_last_event(request)->action, "provider.drift_repaired");
	arena_free(&arena);
}

static void test_meeting_is_verified_while_it_lives(void)
{
	static const struct {
		const char *name;
		int64_t now, due;
	} cases[] = {
		{"long before", CORE_NOW, CORE_NOW + VERIFY_EVERY},
		{"once more before people come", CORE_START - INSTANT_HOUR,
			CORE_START - 15 * INSTANT_MINUTE},
		{"when they come", CORE_START - 15 * INSTANT_MINUTE,
			CORE_START - 15 * INSTANT_MINUTE + VERIFY_EVERY},
	};
	struct arena *arena = arena_new();
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct request *request = core_at_zoom(arena);
		struct cause cause = core_system(arena, cases[i].now);
		const struct effect *verify;

		core_effect(request, EFFECT_MEETING_VERIFY, 0)->lease = "theirs";
		meeting_owe_verification(&cause, request);
		verify = core_effect(request, EFFECT_MEETING_VERIFY, 0);
		UNIT_CHECK(core_count_effects(request, EFFECT_MEETING_VERIFY) == 1, cases[i].name);
		UNIT_CHECK(verify->due == cases[i].due && !verify->lease, cases[i].name);
		UNIT_CHECK(verify->give_up_at == CORE_END, cases[i].name);
	}
	arena_free(&arena);
}

static void test_meeting_warnings(void)
{
	struct arena *arena = arena_new();
	struct request *request = core_at_zoom(arena);
	struct cause cause = core_system(arena, CORE_NOW);
	struct meeting *meeting = request->meeting;
	struct meeting_link link = core_link;

	meeting_warn(&cause, meeting, "a", "one");
	meeting_warn(&cause, meeting, "b", "two");
	meeting_warn(&cause, meeting, "a", "three");
	meeting_warn(&cause, meeting, "c", NULL);
	CU_ASSERT_EQUAL_FATAL(meeting->warnings.count, 2);
	CU_ASSERT_STRING_EQUAL(MODEL_AT(&meeting->warnings, struct warning, 1)->detail, "three");
	meeting_warn(&cause, meeting, "b", NULL);
	CU_ASSERT_EQUAL(meeting->warnings.count, 1);
	/* What the provider grants now is all there is to say, but for what it has to delete. */
	meeting_warn(&cause, meeting, "provider_orphan", "still there");
	meeting->provider = "google";
	link.url = NULL;
	link.passcode = NULL;
	meeting_set_granted(&cause, request, &link);
	CU_ASSERT_EQUAL_FATAL(meeting->warnings.count, 2);
	CU_ASSERT_STRING_EQUAL(
		MODEL_AT(&meeting->warnings, struct warning, 0)->code, "provider_orphan");
	CU_ASSERT_STRING_EQUAL(
		MODEL_AT(&meeting->warnings, struct warning, 0)->detail, "still there");
	CU_ASSERT_STRING_EQUAL(MODEL_AT(&meeting->warnings, struct warning, 1)->detail,
		"google was used, because zoom could not.");
	CU_ASSERT_STRING_EQUAL(meeting->provider_url, core_link.url);
	CU_ASSERT_STRING_EQUAL(meeting->passcode, core_link.passcode);
	arena_free(&arena);
}

/* What an answer leaves out stays with the room that people know, and goes with that room. */
static void test_meeting_keeps_what_belongs_to_its_link(void)
{
	static const struct {
		const char *name, *url, *passcode, *number; /* that the provider says now */
		const char *passcode_kept, *number_kept;
	} cases[] = {
		{"nothing is said", NULL, NULL, NULL, "4711", "+49 1"},
		{"the same link", "https://meet.test/room", NULL, NULL, "4711", "+49 1"},
		{"the same link, the rest anew", "https://meet.test/room", "12", "+49 2", "12",
			"+49 2"},
		{"another link", "https://meet.test/other", NULL, NULL, NULL, NULL},
		{"another link, all of it", "https://meet.test/other", "12", "+49 2", "12",
			"+49 2"},
		{"another link, with a passcode", "https://meet.test/other", "12", NULL, "12",
			NULL},
	};
	struct arena *arena = arena_new();
	struct cause cause = core_system(arena, CORE_NOW);
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct request *request = core_at_zoom(arena);
		struct meeting *meeting = request->meeting;
		const char *before = "+49 1", *now = cases[i].number;
		struct meeting_link link = {.url = cases[i].url,
			.passcode = cases[i].passcode,
			.dial_in = {.items = &now, .count = now != NULL}};

		meeting->dial_in = (struct model_list){.items = &before, .count = 1};
		meeting_set_granted(&cause, request, &link);
		UNIT_CHECK(cases[i].passcode_kept
				   ? meeting->passcode &&
					     strcmp(meeting->passcode, cases[i].passcode_kept) == 0
				   : !meeting->passcode,
			cases[i].name);
		UNIT_CHECK(meeting->dial_in.count == (cases[i].number_kept != NULL), cases[i].name);
		if (cases[i].number_kept && meeting->dial_in.count)
			UNIT_CHECK(strcmp(*MODEL_AT(&meeting->dial_in, const char *, 0),
					   cases[i].number_kept) == 0,
				cases[i].name);
	}
	arena_free(&arena);
}

static void test_meeting_links_lead_where_the_policy_says(void)
{
	struct arena *arena = arena_new();
	struct policy policy = policy_default;
	struct request *request = core_open(arena);
	struct cause cause = core_as_lawyer(arena, CORE_NOW);
	bool changed;

	CU_ASSERT_PTR_NULL(core_at_zoom(arena)->meeting->direct_url);
	policy.join_links = JOIN_DIRECT;
	core_under(&cause, &policy);
	request_respond(&cause, request, &core_accept, &changed, NULL);
	CU_ASSERT_PTR_NULL(request->meeting->direct_url);
	core_settle_creation(arena, request, CORE_NOW, ERR_OK);
	CU_ASSERT_STRING_EQUAL(request->meeting->direct_url, core_link.url);
	arena_free(&arena);
}

static void test_meeting_cancel_withdraws_its_creation(void)
{
	static const struct {
		const char *name;
		enum core_state state;
		int64_t leased_until; /* after CORE_NOW; 0: nobody is at it */
		const char *owed;
	} cases[] = {
		{"not begun", CORE_PENDING, 0, ""},
		{"being asked for", CORE_PENDING, 11, "C"},
		{"whoever asked is lost, and may have made it", CORE_PENDING, 10, "D"},
		{"failed", CORE_FAILED, 0, ""},
	};
	struct arena *arena = arena_new();
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct request *request = core_in_state(arena, cases[i].state);

		if (cases[i].leased_until)
			core_claim(request, CORE_NOW, "ours", cases[i].leased_until);
		CU_ASSERT_EQUAL(core_cancel(arena, request, CORE_NOW + 10), ERR_OK);
		UNIT_CHECK(strcmp(core_owed(arena, request), cases[i].owed) == 0, cases[i].name);
	}
	arena_free(&arena);
}

static const struct unit_case cases[] = {
	{"begins pending", test_meeting_begins_pending},
	{"creation is given up when it is over", test_meeting_creation_is_given_up_when_it_is_over},
	{"made is ready", test_meeting_made_is_ready},
	{"ends and changes", test_meeting_ends_and_changes},
	{"replaced keeps the calendar", test_meeting_replaced_keeps_the_calendar},
	{"replaced after its cancellation", test_meeting_replaced_after_its_cancellation},
	{"moves with its times", test_meeting_moves_with_its_times},
	{"moved while it is updated", test_meeting_moved_while_it_is_updated},
	{"moves after its outcome", test_meeting_moves_after_its_outcome},
	{"is made longer while it runs", test_meeting_is_made_longer_while_it_runs},
	{"moves without a link", test_meeting_moves_without_a_link},
	{"creation is the present one", test_meeting_creation_is_the_present_one},
	{"lost creation of before is kept", test_meeting_lost_creation_of_before_is_kept},
	{"remade behind the same links", test_meeting_remade_behind_the_same_links},
	{"is verified while it lives", test_meeting_is_verified_while_it_lives},
	{"warnings", test_meeting_warnings},
	{"keeps what belongs to its link", test_meeting_keeps_what_belongs_to_its_link},
	{"links lead where the policy says", test_meeting_links_lead_where_the_policy_says},
	{"cancel withdraws its creation", test_meeting_cancel_withdraws_its_creation},
};

UNIT_MAIN("meeting", cases)
