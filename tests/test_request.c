#include "core_unit.h"

enum { ANSWERS_CAP = 16, KEYS_CAP = 256 };

/* ---- open ---- */

static void test_request_open_cases(void)
{
	const int64_t farthest = 5 * 365 * INSTANT_DAY;
	const struct {
		const char *name;
		int64_t starts_after;
		enum role role;
		const char *caller, *lawyer_id;
		const char *timezone, *lawyer_timezone;
		enum err err;
		const char *pointer; /* of ERR_INVALID */
		const char *expected_timezone;
	} cases[] = {
		{"client for itself", INSTANT_DAY, ROLE_CLIENT, "client-1", "lawyer-1",
			"Europe/Berlin", "America/Vancouver", ERR_OK, NULL, "Europe/Berlin"},
		{"service for anyone", INSTANT_DAY, ROLE_SERVICE, "shop", "lawyer-1",
			"Europe/Berlin", NULL, ERR_OK, NULL, "Europe/Berlin"},
		{"admin for anyone", INSTANT_DAY, ROLE_ADMIN, "root", "lawyer-1", "Europe/Berlin",
			NULL, ERR_OK, NULL, "Europe/Berlin"},
		{"zone of the lawyer by default", INSTANT_DAY, ROLE_CLIENT, "client-1", "lawyer-1",
			NULL, "America/Vancouver", ERR_OK, NULL, "America/Vancouver"},
		{"UTC when nobody has a zone", INSTANT_DAY, ROLE_CLIENT, "client-1", "lawyer-1",
			NULL, NULL, ERR_OK, NULL, "UTC"},
		{"client for somebody else", INSTANT_DAY, ROLE_CLIENT, "client-2", "lawyer-1", NULL,
			NULL, ERR_FORBIDDEN, NULL, NULL},
		{"client whose id only begins alike", INSTANT_DAY, ROLE_CLIENT, "client-10",
			"lawyer-1", NULL, NULL, ERR_FORBIDDEN, NULL, NULL},
		{"with oneself", INSTANT_DAY, ROLE_CLIENT, "client-1", "client-1", NULL, NULL,
			ERR_INVALID, "/lawyer/id", NULL},
		{"in a moment", 1, ROLE_CLIENT, "client-1", "lawyer-1", "UTC", NULL, ERR_OK, NULL,
			"UTC"},
		{"now", 0, ROLE_CLIENT, "client-1", "lawyer-1", "UTC", NULL, ERR_INVALID,
			"/starts_at", NULL},
		{"long ago", -CORE_NOW, ROLE_CLIENT, "client-1", "lawyer-1", "UTC", NULL,
			ERR_INVALID, "/starts_at", NULL},
		{"farthest ahead", farthest, ROLE_CLIENT, "client-1", "lawyer-1", "UTC", NULL,
			ERR_OK, NULL, "UTC"},
		{"too far ahead", farthest + 1, ROLE_CLIENT, "client-1", "lawyer-1", "UTC", NULL,
			ERR_INVALID, "/starts_at", NULL},
	};
	struct arena *arena = arena_new();
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct cause cause = core_cause(arena, CORE_NOW, cases[i].role, cases[i].caller);
		struct request_draft draft = core_draft();
		struct person lawyer = core_lawyer;
		struct err_info info = {0};
		struct request request;
		enum err err;

		lawyer.id = cases[i].lawyer_id;
		lawyer.timezone = cases[i].lawyer_timezone;
		draft.person[PARTY_LAWYER] = &lawyer;
		draft.starts_at = CORE_NOW + cases[i].starts_after;
		draft.timezone = cases[i].timezone;
		err = request_open(&cause, &draft, CORE_ID, &request, &info);
		if (err != cases[i].err)
			printf("%s: %s\n", cases[i].name, err_code(err));
		CU_ASSERT_EQUAL(err, cases[i].err);
		CU_ASSERT_EQUAL(info.err, cases[i].err);
		if (cases[i].pointer)
			CU_ASSERT_STRING_EQUAL(info.fields[0].pointer, cases[i].pointer);
		if (err == ERR_OK)
			CU_ASSERT_STRING_EQUAL(request.timezone, cases[i].expected_timezone);
	}
	arena_free(&arena);
}

/* One mailbox for both people. Hosts have come as lower-case A-labels by then. */
static void test_request_needs_two_addresses(void)
{
	static const struct {
		const char *client, *lawyer;
		bool same;
	} cases[] = {
		{"ada@client.test", "bo@lawyer.test", false},
		{"ada@client.test", "ada@client.test", true},
		{"Ada.Ex@client.test", "aDA.eX@client.test", true},
		{"ada@client.test", "ada@other.test", false},
		{"ada@client.test", "ada+x@client.test", false},
		{"ada@client.test", "a.da@client.test", false},
		{"ada@xn--bcher-kva.test", "ADA@xn--bcher-kva.test", true},
	};
	struct arena *arena = arena_new();
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct cause cause = core_cause(arena, CORE_NOW, ROLE_SERVICE, "shop");
		struct person client = core_client, lawyer = core_lawyer;
		struct request_draft draft = core_draft();
		struct err_info info = {0};
		struct request request;

		client.email = cases[i].client;
		lawyer.email = cases[i].lawyer;
		draft.person[PARTY_CLIENT] = &client;
		draft.person[PARTY_LAWYER] = &lawyer;
		request_open(&cause, &draft, CORE_ID, &request, &info);
		UNIT_CHECK(info.err == (cases[i].same ? ERR_INVALID : ERR_OK), cases[i].lawyer);
		if (cases[i].same)
			CU_ASSERT_STRING_EQUAL(info.fields[0].pointer, "/lawyer/email");
	}
	arena_free(&arena);
}

/* A token of the lawyer's that vouches for the address of the client, or a body that gives it. */
static void test_request_accept_needs_two_addresses(void)
{
	struct arena *arena = arena_new();
	struct request *request = core_open(arena);
	struct cause cause = core_cause(arena, CORE_NOW, ROLE_LAWYER, "lawyer-1");
	struct err_info info = {0};
	struct request_response response = core_accept;
	bool changed = true;

	cause.actor.email = "ADA@client.test";
	CU_ASSERT_EQUAL(
		request_respond(&cause, request, &core_accept, &changed, &info), ERR_INVALID);
	CU_ASSERT_STRING_EQUAL(info.fields[0].pointer, "");
	response.lawyer_email = "ada@CLIENT.test";
	err_clear(&info);
	CU_ASSERT_EQUAL(request_respond(&cause, request, &response, &changed, &info), ERR_INVALID);
	CU_ASSERT_STRING_EQUAL(info.fields[0].pointer, "/lawyer_email");
	CU_ASSERT_STRING_EQUAL(request->side[PARTY_LAWYER].person->email, core_lawyer.email);
	CU_ASSERT_EQUAL(request->status, REQUEST_OPEN);
	arena_free(&arena);
}

static void test_request_opens_owing_its_lapse(void)
{
	struct arena *arena = arena_new();
	const struct request *request = core_open(arena);

	CU_ASSERT_STRING_EQUAL(request->id, CORE_ID);
	CU_ASSERT_EQUAL(request->rev, 0);
	CU_ASSERT_EQUAL(request->status, REQUEST_OPEN);
	CU_ASSERT_EQUAL(request->starts_at, CORE_START);
	CU_ASSERT_EQUAL(request->ends_at, CORE_END);
	CU_ASSERT_EQUAL(request->created_at, CORE_NOW);
	CU_ASSERT_EQUAL(request->updated_at, CORE_NOW);
	CU_ASSERT_PTR_NULL(request->meeting);
	CU_ASSERT_STRING_EQUAL(core_owed(arena, request), "L");
	/* The lawyer is told, but for one who answers at once. */
	CU_ASSERT_PTR_NOT_NULL(core_effect(request, EFFECT_MAIL_REQUEST_RECEIVED, PARTY_LAWYER));
	CU_ASSERT_EQUAL(effect_next_due(request), CORE_NOW + 5 * INSTANT_SECOND);
	CU_ASSERT_EQUAL(request->events.count, 1);
	arena_free(&arena);
}

/* ---- every command in every state ---- */

enum command { ACCEPT, ACCEPT_OTHERWISE, DECLINE, DECLINE_WITH_TIME, CANCEL, COMMANDS };

static enum err request_command(struct arena *arena, struct request *request, enum command command,
	int64_t now, bool *changed_r)
{
	const struct request_response otherwise = {
		.decision = DECISION_ACCEPT, .starts_at = CORE_START + INSTANT_DAY};
	const struct request_response with_time = {
		.decision = DECISION_DECLINE, .starts_at = CORE_START + INSTANT_DAY};

	*changed_r = true;
	switch (command) {
	case ACCEPT:
		return core_respond(arena, request, now, &core_accept, changed_r);
	case ACCEPT_OTHERWISE:
		return core_respond(arena, request, now, &otherwise, changed_r);
	case DECLINE:
		return core_respond(arena, request, now, &core_decline, changed_r);
	case DECLINE_WITH_TIME:
		return core_respond(arena, request, now, &with_time, changed_r);
	default:
		return core_cancel(arena, request, now);
	}
}

static void test_request_every_command_in_every_state(void)
{
	enum {
		OK = ERR_OK,
		SAME = -1,
		CANCELLED = ERR_ALREADY_CANCELLED,
		INVALID = ERR_INVALID,
		DECIDED = ERR_ALREADY_DECIDED,
		LAPSED = ERR_LAPSED,
		PAST = ERR_STARTS_IN_PAST,
		OVER = ERR_MEETING_OVER
	};
	/* OK: done, and saved. SAME: fine, but there is nothing to save. */
	static const struct {
		enum core_state state;
		const char *name;
		int64_t now;
		int expected[COMMANDS];
	} cases[] = {
		{CORE_OPEN, "open", CORE_NOW, {OK, OK, OK, INVALID, OK}},
		{CORE_OPEN, "open, to start in a moment", CORE_START - 1,
			{OK, OK, OK, INVALID, OK}},
		{CORE_OPEN, "open, its time has come", CORE_START, {PAST, OK, OK, INVALID, OK}},
		{CORE_OPEN, "open, both times have passed", CORE_START + INSTANT_DAY,
			{PAST, INVALID, OK, INVALID, OK}},
		{CORE_PENDING, "accepted, pending", CORE_NOW,
			{SAME, DECIDED, DECIDED, DECIDED, OK}},
		{CORE_READY, "accepted, ready", CORE_NOW, {SAME, DECIDED, DECIDED, DECIDED, OK}},
		{CORE_READY, "accepted, about to end", CORE_END - 1,
			{SAME, DECIDED, DECIDED, DECIDED, OK}},
		{CORE_READY, "accepted, over", CORE_END, {SAME, DECIDED, DECIDED, DECIDED, OVER}},
		{CORE_PENDING, "accepted, over without a link", CORE_END,
			{SAME, DECIDED, DECIDED, DECIDED, OVER}},
		{CORE_FAILED, "accepted, failed", CORE_NOW, {SAME, DECIDED, DECIDED, DECIDED, OK}},
		{CORE_DECLINED, "declined", CORE_NOW,
			{DECIDED, DECIDED, DECIDED, DECIDED, DECIDED}},
		{CORE_LAPSED, "lapsed", CORE_START, {LAPSED, LAPSED, LAPSED, LAPSED, LAPSED}},
		{CORE_CANCELLED, "cancelled when open", CORE_NOW,
			{DECIDED, DECIDED, DECIDED, DECIDED, CANCELLED}},
		{CORE_CANCELLED_PENDING, "cancelled when pending", CORE_NOW,
			{DECIDED, DECIDED, DECIDED, DECIDED, CANCELLED}},
		{CORE_CANCELLED_READY, "cancelled when ready", CORE_END,
			{DECIDED, DECIDED, DECIDED, DECIDED, CANCELLED}},
		{CORE_COMPLETED, "completed", CORE_NOW, {DECIDED, DECIDED, DECIDED, DECIDED, OVER}},
	};
	static const enum request_status after[COMMANDS] = {REQUEST_ACCEPTED, REQUEST_ACCEPTED,
		REQUEST_DECLINED, REQUEST_DECLINED, REQUEST_CANCELLED};
	struct arena *arena;
	size_t i, events;
	int command;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		for (command = 0; command < COMMANDS; command++) {
			const int expected = cases[i].expected[command];
			struct request *request;
			const char *before;
			bool changed;
			enum err err;

			arena = arena_new();
			request = core_in_state(arena, cases[i].state);
			before = core_saved(arena, request);
			events = request->events.count;
			err = request_command(arena, request, command, cases[i].now, &changed);
			if (err != (expected == SAME ? ERR_OK : (enum err)expected))
				printf("%s, command %d: %s\n", cases[i].name, command,
					err_code(err));
			CU_ASSERT_EQUAL(err, expected == SAME ? ERR_OK : (enum err)expected);
			if (expected == OK) {
				CU_ASSERT_TRUE(changed);
				CU_ASSERT_EQUAL(request->status, (int)after[command]);
				CU_ASSERT_EQUAL(request->updated_at, cases[i].now);
				CU_ASSERT(request->events.count > events);
			} else {
				CU_ASSERT_STRING_EQUAL(core_saved(arena, request), before);
			}
			if (expected == SAME)
				CU_ASSERT_FALSE(changed);
			CU_ASSERT_EQUAL(audit_verify(NULL, &request->events, request->id), -1);
			arena_free(&arena);
		}
}

/* ---- nobody answers ---- */

static void test_request_lapses_when_its_time_comes(void)
{
	struct arena *arena = arena_new();
	struct request *request = core_open(arena);
	const struct audit_event *event;
	const struct effect *mail;

	/* A clock that was set back does not end what still has its time. */
	core_claim(request, CORE_START, "theirs", EFFECT_LEASE_MS);
	core_lapse(arena, request, CORE_START - 1);
	CU_ASSERT_EQUAL(request->status, REQUEST_OPEN);
	CU_ASSERT_EQUAL(effect_next_due(request), CORE_START);
	core_lapse(arena, request, CORE_START);
	CU_ASSERT_EQUAL(request->status, REQUEST_LAPSED);
	CU_ASSERT_EQUAL(request->updated_at, CORE_START);
	CU_ASSERT_PTR_NULL(request->meeting);
	event = core_last_event(request);
	CU_ASSERT_STRING_EQUAL(event->action, "request.lapsed");
	CU_ASSERT_STRING_EQUAL(event->from, "open");
	CU_ASSERT_STRING_EQUAL(event->to, "lapsed");
	CU_ASSERT_STRING_EQUAL(core_owed(arena, request), "l");
	mail = core_effect(request, EFFECT_MAIL_REQUEST_LAPSED, PARTY_CLIENT);
	CU_ASSERT_EQUAL(mail->give_up_at, CORE_START + 3 * INSTANT_DAY);
	CU_ASSERT_TRUE(effect_is_whole(request, mail));
	CU_ASSERT_EQUAL(audit_verify(NULL, &request->events, request->id), -1);
	arena_free(&arena);
}

/* A lawyer whose address only the client has named is written to by nobody. */
static void test_request_lapse_tells_whom(void)
{
	static const struct {
		enum role filed_by;
		enum lawyer_addresses addresses;
		bool lawyer;
	} cases[] = {
		{ROLE_CLIENT, LAWYER_ADDRESSES_TRUSTED, false},
		{ROLE_CLIENT, LAWYER_ADDRESSES_ANY, true},
		{ROLE_SERVICE, LAWYER_ADDRESSES_TRUSTED, true},
		{ROLE_ADMIN, LAWYER_ADDRESSES_TRUSTED, true},
	};
	struct arena *arena = arena_new();
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct policy policy = policy_default;
		struct cause cause = core_system(arena, CORE_START);
		struct request *request = core_open(arena);

		policy.lawyer_addresses = (int)cases[i].addresses;
		core_under(&cause, &policy);
		MODEL_AT(&request->events, struct audit_event, 0)->actor->role = cases[i].filed_by;
		request_lapse(&cause, request, meeting_effect(request, EFFECT_REQUEST_LAPSE));
		CU_ASSERT_PTR_NOT_NULL(
			core_effect(request, EFFECT_MAIL_REQUEST_LAPSED, PARTY_CLIENT));
		CU_ASSERT_EQUAL(
			core_effect(request, EFFECT_MAIL_REQUEST_LAPSED, PARTY_LAWYER) != NULL,
			cases[i].lawyer);
	}
	arena_free(&arena);
}

/* What nobody looked after for days is no news to anybody. */
static void test_request_lapses_in_silence_after_a_day(void)
{
	struct arena *arena = arena_new();
	int late;

	for (late = 0; late < 2; late++) {
		struct request *request = core_open(arena);

		core_lapse(arena, request, CORE_START + INSTANT_DAY + late);
		CU_ASSERT_EQUAL(request->status, REQUEST_LAPSED);
		CU_ASSERT_EQUAL(request->effects.count == 0, late == 1);
	}
	arena_free(&arena);
}

/* Whoever answers first wins, though a dispatcher has the lapse in its hand already. */
static void test_request_answered_does_not_lapse(void)
{
	static const enum request_status after[COMMANDS] = {
		[ACCEPT_OTHERWISE] = REQUEST_ACCEPTED,
		[DECLINE] = REQUEST_DECLINED,
		[CANCEL] = REQUEST_CANCELLED,
	};
	struct arena *arena = arena_new();
	struct request *request;
	int command;
	bool changed;

	for (command = 0; command < COMMANDS; command++) {
		if (!after[command])
			continue;
		request = core_open(arena);
		core_claim(request, CORE_START, "theirs", EFFECT_LEASE_MS);
		CU_ASSERT_EQUAL(request_command(arena, request, (enum command)command, CORE_START,
					&changed),
			ERR_OK);
		CU_ASSERT_EQUAL(request->status, (int)after[command]);
		CU_ASSERT_PTR_NULL(meeting_effect(request, EFFECT_REQUEST_LAPSE));
	}
	arena_free(&arena);
}

/* ---- what was given up is tried again ---- */

static enum err request_again(struct arena *arena, struct request *request, bool *changed_r)
{
	struct cause cause = core_as_lawyer(arena, CORE_NOW + INSTANT_MINUTE);

	request->failed_at = effect_first_failed(request); /* as the store does */
	return request_retry(&cause, request, NULL, changed_r, NULL);
}

/* Fails for good, with that outcome for everything else of its kind. */
static void request_give_up(struct arena *arena, struct request *request, struct effect *effect)
{
	const struct effect_outcome outcome = {.err = ERR_PERMANENT, .detail = "Zoom: No. (400)"};
	struct cause cause = core_system(arena, CORE_NOW);

	effect->attempts++;
	if (effect->mail)
		news_settled(&cause, request, effect, &outcome);
	else if (effect->removal)
		provision_deleted(&cause, request, effect, &outcome);
	else
		provision_updated(&cause, request, effect, &outcome, &(struct meeting_link){0});
}

static void request_succeed(struct arena *arena, struct request *request, struct effect *effect)
{
	const struct effect_outcome outcome = {.err = ERR_OK, .detail = ""};
	struct cause cause = core_system(arena, CORE_NOW + INSTANT_HOUR);

	if (effect->mail)
		news_settled(&cause, request, effect, &outcome);
	else if (effect->removal)
		provision_deleted(&cause, request, effect, &outcome);
	else
		provision_updated(&cause, request, effect, &outcome, &(struct meeting_link){0});
}

static struct request *request_owing(struct arena *arena, enum effect_kind kind)
{
	struct request *request;

	if (kind == EFFECT_MAIL_REQUEST_DECLINED)
		return core_in_state(arena, CORE_DECLINED);
	if (kind == EFFECT_MAIL_REQUEST_LAPSED)
		return core_in_state(arena, CORE_LAPSED);
	request = core_at_zoom(arena);
	if (kind == EFFECT_MAIL_MEETING_READY)
		return request;
	core_settle_mail(arena, request,
		core_effect(request, EFFECT_MAIL_MEETING_READY, PARTY_CLIENT), CORE_NOW, ERR_OK,
		"");
	if (kind == EFFECT_MEETING_UPDATE || kind == EFFECT_MAIL_MEETING_UPDATED)
		core_move(arena, request, CORE_NOW, CORE_START + INSTANT_HOUR);
	else
		core_cancel(arena, request, CORE_NOW);
	return request;
}

static void test_request_retry_of_what_was_given_up(void)
{
	static const struct {
		enum effect_kind kind;
		const char *warning, *detail; /* NULL: there is no meeting to warn of */
	} cases[] = {
		{EFFECT_MEETING_UPDATE, "provider_not_updated",
			"zoom does not have the latest time and settings: Zoom: No. (400) Retry, "
			"or "
			"change them there."},
		{EFFECT_MEETING_DELETE, "provider_orphan",
			"zoom may still have a meeting that has ended here; it has to be deleted "
			"there by hand."},
		{EFFECT_MAIL_MEETING_READY, "client_not_told",
			"The client could not be sent the mail \"meeting_ready\": tell them, and "
			"retry once their address can be reached."},
		{EFFECT_MAIL_MEETING_UPDATED, "client_not_told",
			"The client could not be sent the mail \"meeting_updated\": tell them, and "
			"retry once their address can be reached."},
		{EFFECT_MAIL_MEETING_CANCELLED, "client_not_told",
			"The client could not be sent the mail \"meeting_cancelled\": tell them, "
			"and retry once their address can be reached."},
		{EFFECT_MAIL_REQUEST_DECLINED, NULL, NULL},
		{EFFECT_MAIL_REQUEST_LAPSED, NULL, NULL},
	};
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct arena *arena = arena_new();
		const char *name = effect_kind_names[cases[i].kind];
		struct request *request = request_owing(arena, cases[i].kind);
		struct effect *effect = core_effect(request, cases[i].kind, PARTY_CLIENT);
		const char *warning;
		bool changed;

		CU_ASSERT_PTR_NOT_NULL_FATAL(effect);
		UNIT_CHECK(request_again(arena, request, &changed) != ERR_OK, name);
		request_give_up(arena, request, effect);
		warning = cases[i].warning ? meeting_warning(request->meeting, cases[i].warning)
					   : NULL;
		UNIT_CHECK(!cases[i].warning || (warning && strcmp(warning, cases[i].detail) == 0),
			name);
		UNIT_CHECK(request_again(arena, request, &changed) == ERR_OK && changed, name);
		UNIT_CHECK(strcmp(core_last_event(request)->action, "meeting.retried") == 0, name);
		UNIT_CHECK(strcmp(core_last_event(request)->detail, name) == 0, name);
		effect = core_effect(request, cases[i].kind, PARTY_CLIENT);
		UNIT_CHECK(effect && effect->state == EFFECT_DUE &&
				   effect->due == CORE_NOW + INSTANT_MINUTE,
			name);
		request_succeed(arena, request, effect);
		UNIT_CHECK(
			!cases[i].warning || !meeting_warning(request->meeting, cases[i].warning),
			name);
		UNIT_CHECK(effect_first_failed(request) == 0, name);
		UNIT_CHECK(request_again(arena, request, &changed) != ERR_OK, name);
		UNIT_CHECK(audit_verify(NULL, &request->events, request->id) == -1, name);
		arena_free(&arena);
	}
}

/* One that is retried already is hurried; one that is being made is left alone. */
static void test_request_retry_of_an_update_that_waits(void)
{
	const struct effect_outcome outcome = {.err = ERR_TEMPORARY, .detail = "words"};
	struct arena *arena = arena_new();
	struct request *request = request_owing(arena, EFFECT_MEETING_UPDATE);
	struct cause cause = core_system(arena, CORE_NOW);
	struct effect *update = meeting_effect(request, EFFECT_MEETING_UPDATE);
	bool changed;

	update->attempts = 20;
	provision_updated(&cause, request, update, &outcome, &(struct meeting_link){0});
	CU_ASSERT_EQUAL(request_again(arena, request, &changed), ERR_OK);
	CU_ASSERT_TRUE(changed);
	update = meeting_effect(request, EFFECT_MEETING_UPDATE);
	CU_ASSERT_EQUAL(update->due, CORE_NOW + INSTANT_MINUTE);
	CU_ASSERT_TRUE(effect_claim_one(
		request, update, CORE_NOW + INSTANT_MINUTE, "theirs", EFFECT_LEASE_MS));
	CU_ASSERT_EQUAL(request_again(arena, request, &changed), ERR_OK);
	CU_ASSERT_FALSE(changed);
	arena_free(&arena);
}

/* The warning of a change that never came there is none of another link, or of none. */
static void test_request_not_updated_ends_with_the_link(void)
{
	struct arena *arena = arena_new();
	enum { CANCEL_MEETING, REGENERATE, REMAKE, COMPLETE, WAYS } way;

	for (way = 0; way < WAYS; way++) {
		struct request *request = request_owing(arena, EFFECT_MEETING_UPDATE);
		struct cause cause = core_system(arena, CORE_NOW);

		request_give_up(arena, request, meeting_effect(request, EFFECT_MEETING_UPDATE));
		if (way == CANCEL_MEETING)
			core_cancel_meeting(arena, request, CORE_NOW);
		else if (way == REGENERATE)
			core_regenerate(arena, request, CORE_NOW);
		else if (way == REMAKE)
			meeting_remake(&cause, request);
		else
			request_complete(&cause, request);
		CU_ASSERT_PTR_NULL(meeting_warning(request->meeting, WARNING_NOT_UPDATED));
		CU_ASSERT_PTR_NULL(meeting_effect(request, EFFECT_MEETING_UPDATE));
		MODEL_FOREACH (&request->meetings, struct meeting, ended) {
			CU_ASSERT_PTR_NULL(meeting_warning(ended, WARNING_NOT_UPDATED));
		}
	}
	arena_free(&arena);
}

/* An old link that may still live is said of whatever link there is now. */
static void test_request_orphan_outlives_its_link(void)
{
	struct arena *arena = arena_new();
	struct request *request = core_at_zoom(arena);

	core_regenerate(arena, request, CORE_NOW);
	request_give_up(arena, request, meeting_effect(request, EFFECT_MEETING_DELETE));
	core_regenerate(arena, request, CORE_NOW + 1);
	CU_ASSERT_PTR_NOT_NULL(meeting_warning(request->meeting, WARNING_ORPHAN));
	arena_free(&arena);
}

/* ---- accept and decline ---- */

static void test_request_accept_takes_over_what_is_given(void)
{
	static const struct {
		const char *name;
		struct request_response response;
		int64_t starts_at, ends_at;
		const char *timezone, *provider, *message;
	} cases[] = {
		{"nothing", {0}, CORE_START, CORE_END, "Europe/Berlin", "jitsi", NULL},
		{"start", {.starts_at = CORE_START + 7000}, CORE_START + 7000, CORE_END + 7000,
			"Europe/Berlin", "jitsi", NULL},
		{"duration", {.duration_minutes = 5}, CORE_START, CORE_START + 5 * INSTANT_MINUTE,
			"Europe/Berlin", "jitsi", NULL},
		{"all",
			{.starts_at = CORE_NOW + 1,
				.duration_minutes = 1440,
				.timezone = "Asia/Tokyo",
				.provider = "zoom",
				.message = "hello"},
			CORE_NOW + 1, CORE_NOW + 1 + INSTANT_DAY, "Asia/Tokyo", "zoom", "hello"},
	};
	struct arena *arena = arena_new();
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct request *request = core_open(arena);
		bool changed;

		CU_ASSERT_EQUAL(
			core_respond(arena, request, CORE_NOW, &cases[i].response, &changed),
			ERR_OK);
		CU_ASSERT_EQUAL(request->starts_at, cases[i].starts_at);
		CU_ASSERT_EQUAL(request->ends_at, cases[i].ends_at);
		CU_ASSERT_EQUAL(request->meeting->starts_at, cases[i].starts_at);
		CU_ASSERT_EQUAL(request->meeting->ends_at, cases[i].ends_at);
		CU_ASSERT_STRING_EQUAL(request->timezone, cases[i].timezone);
		CU_ASSERT_STRING_EQUAL(request->meeting->timezone, cases[i].timezone);
		CU_ASSERT_STRING_EQUAL(request->meeting->provider, cases[i].provider);
		CU_ASSERT(cases[i].message ? strcmp(request->message, cases[i].message) == 0
					   : request->message == NULL);
	}
	arena_free(&arena);
}

/* What was asked for is kept where another time or length was accepted, and only there. */
static void test_request_keeps_what_was_asked_for(void)
{
	static const struct {
		const char *name;
		struct request_response response;
		bool kept;
	} cases[] = {
		{"nothing given", {0}, false},
		{"the same",
			{.starts_at = CORE_START,
				.duration_minutes = 60,
				.timezone = "Europe/Berlin"},
			false},
		{"start", {.starts_at = CORE_START + 1000}, true},
		{"duration", {.duration_minutes = 90}, true},
		{"the same time in another zone", {.timezone = "Asia/Tokyo"}, false},
	};
	struct arena *arena = arena_new();
	size_t i;
	bool changed;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct request *request = core_open(arena);
		const struct asked *asked;

		core_respond(arena, request, CORE_NOW, &cases[i].response, &changed);
		core_move(arena, request, CORE_NOW, CORE_START + INSTANT_DAY);
		asked = request->asked;
		UNIT_CHECK((asked != NULL) == cases[i].kept, cases[i].name);
		UNIT_CHECK(!asked || (asked->starts_at == CORE_START &&
					     asked->duration_minutes == 60 &&
					     strcmp(asked->timezone, "Europe/Berlin") == 0),
			cases[i].name);
	}
	arena_free(&arena);
}

static void test_request_only_the_same_accept_is_repeated(void)
{
	static const struct request_response first = {
		.starts_at = CORE_START + 1,
		.duration_minutes = 30,
		.timezone = "UTC",
		.provider = "jitsi",
		.message = "hello",
	};
	static const struct {
		const char *name;
		struct request_response response;
	} others[] = {
		{"no start", {0, 0, 30, "UTC", "jitsi", "hello", NULL, false}},
		{"other start", {0, CORE_START + 2, 30, "UTC", "jitsi", "hello", NULL, false}},
		{"other duration", {0, CORE_START + 1, 31, "UTC", "jitsi", "hello", NULL, false}},
		{"other zone", {0, CORE_START + 1, 30, "Etc/UTC", "jitsi", "hello", NULL, false}},
		{"no zone", {0, CORE_START + 1, 30, NULL, "jitsi", "hello", NULL, false}},
		{"other provider", {0, CORE_START + 1, 30, "UTC", "zoom", "hello", NULL, false}},
		{"no message", {0, CORE_START + 1, 30, "UTC", "jitsi", NULL, NULL, false}},
		{"text in another field",
			{0, CORE_START + 1, 30, "UTCj", "itsi", "hello", NULL, false}},
		{"an overlap allowed",
			{0, CORE_START + 1, 30, "UTC", "jitsi", "hello", NULL, true}},
		{"decline", {DECISION_DECLINE, 0, 0, NULL, NULL, "hello", NULL, false}},
	};
	static const int64_t later[] = {
		CORE_NOW, CORE_NOW + INSTANT_HOUR, CORE_END, CORE_END + 90 * INSTANT_DAY};
	struct arena *arena = arena_new();
	struct request *request = core_open(arena);
	const char *before;
	bool changed;
	size_t i;

	CU_ASSERT_EQUAL(core_respond(arena, request, CORE_NOW, &first, &changed), ERR_OK);
	CU_ASSERT_TRUE(changed);
	before = core_saved(arena, request);
	for (i = 0; i < sizeof(later) / sizeof(later[0]); i++) {
		CU_ASSERT_EQUAL(core_respond(arena, request, later[i], &first, &changed), ERR_OK);
		CU_ASSERT_FALSE(changed);
	}
	for (i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		CU_ASSERT_EQUAL(
			core_respond(arena, request, CORE_NOW, &others[i].response, &changed),
			ERR_ALREADY_DECIDED);
	CU_ASSERT_STRING_EQUAL(core_saved(arena, request), before);
	arena_free(&arena);
}

static void test_request_decline_tells_the_client(void)
{
	struct arena *arena = arena_new();
	struct request *request = core_in_state(arena, CORE_DECLINED);
	const struct effect *mail =
		core_effect(request, EFFECT_MAIL_REQUEST_DECLINED, PARTY_CLIENT);

	CU_ASSERT_EQUAL(request->effects.count, 1);
	CU_ASSERT_PTR_NOT_NULL_FATAL(mail);
	CU_ASSERT_EQUAL(mail->due, CORE_NOW);
	CU_ASSERT_EQUAL(mail->give_up_at, CORE_NOW + 3 * INSTANT_DAY);
	CU_ASSERT_STRING_EQUAL(request->message, "Not my field.");
	CU_ASSERT_PTR_NULL(request->meeting);
	arena_free(&arena);
}

static void test_request_decline_sets_no_time(void)
{
	static const struct request_response responses[] = {
		{DECISION_DECLINE, CORE_START, 0, NULL, NULL, NULL, NULL, false},
		{DECISION_DECLINE, 0, 30, NULL, NULL, NULL, NULL, false},
		{DECISION_DECLINE, 0, 0, "UTC", NULL, NULL, NULL, false},
		{DECISION_DECLINE, 0, 0, NULL, "jitsi", NULL, NULL, false},
		{DECISION_DECLINE, 0, 0, NULL, NULL, NULL, "bo@lawyer.test", false},
		{DECISION_DECLINE, 0, 0, NULL, NULL, NULL, NULL, true},
	};
	struct arena *arena = arena_new();
	struct request *request = core_open(arena);
	const char *before = core_saved(arena, request);
	bool changed;
	size_t i;

	for (i = 0; i < sizeof(responses) / sizeof(responses[0]); i++)
		CU_ASSERT_EQUAL(core_respond(arena, request, CORE_NOW, &responses[i], &changed),
			ERR_INVALID);
	CU_ASSERT_STRING_EQUAL(core_saved(arena, request), before);
	arena_free(&arena);
}

/* ---- who is who ---- */

static void test_request_standings(void)
{
	static const struct {
		enum role role;
		const char *id;
		enum standing standing;
	} cases[] = {
		{ROLE_CLIENT, "client-1", STANDING_CLIENT},
		{ROLE_CLIENT, "client-2", STANDING_NONE},
		{ROLE_CLIENT, "client-", STANDING_NONE},
		{ROLE_CLIENT, "CLIENT-1", STANDING_NONE},
		{ROLE_CLIENT, "lawyer-1", STANDING_NONE},
		{ROLE_LAWYER, "lawyer-1", STANDING_LAWYER},
		{ROLE_LAWYER, "lawyer-2", STANDING_NONE},
		{ROLE_LAWYER, "client-1", STANDING_NONE},
		{ROLE_ADMIN, "client-1", STANDING_ADMIN},
		{ROLE_ADMIN, "root", STANDING_ADMIN},
		{ROLE_SERVICE, "shop", STANDING_SERVICE},
		{ROLE_SYSTEM, NULL, STANDING_NONE},
	};
	struct arena *arena = arena_new();
	const struct request *request = core_open(arena);
	enum party party;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct actor actor = {.id = cases[i].id, .role = cases[i].role};

		CU_ASSERT_EQUAL(request_standing(request, &actor), cases[i].standing);
		CU_ASSERT_EQUAL(request_party(request, &actor, &party),
			cases[i].standing == STANDING_CLIENT ||
				cases[i].standing == STANDING_LAWYER);
		if (request_party(request, &actor, &party))
			CU_ASSERT_STRING_EQUAL(request->side[party].person->id, actor.id);
	}
	arena_free(&arena);
}

/* ---- mails ---- */

static void test_request_mail_outcomes(void)
{
	static const struct {
		const char *name;
		enum err err;
		int64_t at; /* after CORE_NOW; the mail is given up 3 days after it */
		const char *action;
		bool left;
		enum effect_state state;
	} cases[] = {
		{"sent", ERR_OK, 1, "mail.sent", false, 0},
		{"temporary", ERR_TEMPORARY, 1, "mail.retried", true, EFFECT_DUE},
		{"permanent", ERR_PERMANENT, 1, "mail.failed", true, EFFECT_FAILED},
		{"temporary for too long", ERR_TEMPORARY, 3 * INSTANT_DAY, "mail.failed", true,
			EFFECT_FAILED},
		{"sent late", ERR_OK, 9 * INSTANT_DAY, "mail.sent", false, 0},
	};
	struct arena *arena = arena_new();
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct request *request = core_in_state(arena, CORE_DECLINED);
		const int64_t at = CORE_NOW + cases[i].at;
		const struct effect *mail;

		core_claim(request, CORE_NOW, "ours", INSTANT_MINUTE);
		core_settle_mail(arena, request,
			core_effect(request, EFFECT_MAIL_REQUEST_DECLINED, PARTY_CLIENT), at,
			cases[i].err, "words");
		CU_ASSERT_STRING_EQUAL(core_last_event(request)->action, cases[i].action);
		CU_ASSERT_STRING_EQUAL(core_last_event(request)->to, "client");
		mail = core_effect(request, EFFECT_MAIL_REQUEST_DECLINED, PARTY_CLIENT);
		CU_ASSERT_EQUAL(mail != NULL, cases[i].left);
		/* A mail changes nothing that people see of the request. */
		CU_ASSERT_EQUAL(request->updated_at, CORE_NOW);
		if (!mail)
			continue;
		CU_ASSERT_EQUAL(mail->state, (int)cases[i].state);
		CU_ASSERT_EQUAL(mail->attempts, 1);
		CU_ASSERT_PTR_NULL(mail->lease);
		CU_ASSERT_STRING_EQUAL(mail->last_error->code, err_code(cases[i].err));
		CU_ASSERT_STRING_EQUAL(mail->last_error->detail, "words");
		CU_ASSERT_EQUAL(mail->last_error->at, at);
		CU_ASSERT_EQUAL(
			effect_next_due(request), cases[i].state == EFFECT_FAILED ? 0 : mail->due);
		/* Mails: first within 15 s. */
		CU_ASSERT(mail->due > at - 1 && (mail->state || mail->due <= at + 15000));
	}
	arena_free(&arena);
}

/* An invitation that was leased, and found to be pointless before anybody was asked. */
static void test_request_mail_that_never_left(void)
{
	static const struct {
		const char *name;
		int64_t attempts;
		bool skipped, told;
	} cases[] = {
		{"nothing has left", 1, true, false},
		{"an earlier attempt may have arrived", 2, true, true},
		{"this attempt may have arrived", 1, false, true},
	};
	struct arena *arena = arena_new();
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct effect_outcome outcome = {.err = ERR_PERMANENT,
			.detail = "The meeting is cancelled.",
			.skipped = cases[i].skipped};
		struct request *request = core_in_state(arena, CORE_READY);
		struct cause cause = core_system(arena, CORE_NOW + 2);
		struct effect *invitation;

		core_claim(request, CORE_NOW, "ours", INSTANT_MINUTE);
		CU_ASSERT_EQUAL(core_cancel(arena, request, CORE_NOW + 1), ERR_OK);
		invitation = core_effect(request, EFFECT_MAIL_MEETING_READY, PARTY_CLIENT);
		invitation->attempts = cases[i].attempts;
		news_settled(&cause, request, invitation, &outcome);
		UNIT_CHECK(!core_effect(request, EFFECT_MAIL_MEETING_READY, PARTY_CLIENT),
			cases[i].name);
		UNIT_CHECK((core_effect(request, EFFECT_MAIL_MEETING_CANCELLED, PARTY_CLIENT) !=
				   NULL) == cases[i].told,
			cases[i].name);
		UNIT_CHECK(core_effect(request, EFFECT_MAIL_MEETING_CANCELLED, PARTY_LAWYER),
			cases[i].name);
	}
	arena_free(&arena);
}

/* Whose address is trusted: of somebody that a client named, only what a token or the accepting
 * call vouches for. */
static void test_request_accept_needs_a_trusted_address(void)
{
	static const struct {
		const char *name;
		enum role filed_by, accepted_by;
		enum lawyer_addresses policy;
		const char *token, *given, *expected; /* NULL: refused */
	} cases[] = {
		{"the lawyer's own token", ROLE_CLIENT, ROLE_LAWYER, LAWYER_ADDRESSES_TRUSTED,
			"own@law.test", NULL, "own@law.test"},
		{"a token without an address", ROLE_CLIENT, ROLE_LAWYER, LAWYER_ADDRESSES_TRUSTED,
			NULL, NULL, NULL},
		{"a token without an address, and one given", ROLE_CLIENT, ROLE_LAWYER,
			LAWYER_ADDRESSES_TRUSTED, NULL, "given@law.test", "given@law.test"},
		{"what is given before the token's", ROLE_CLIENT, ROLE_LAWYER,
			LAWYER_ADDRESSES_TRUSTED, "own@law.test", "given@law.test",
			"given@law.test"},
		{"filed by the host application", ROLE_SERVICE, ROLE_LAWYER,
			LAWYER_ADDRESSES_TRUSTED, "own@law.test", NULL, "lawyer@stored.test"},
		{"filed by an administrator", ROLE_ADMIN, ROLE_LAWYER, LAWYER_ADDRESSES_TRUSTED,
			NULL, NULL, "lawyer@stored.test"},
		{"accepted by the host application", ROLE_CLIENT, ROLE_SERVICE,
			LAWYER_ADDRESSES_TRUSTED, "bot@host.test", NULL, NULL},
		{"accepted by an administrator", ROLE_CLIENT, ROLE_ADMIN, LAWYER_ADDRESSES_TRUSTED,
			"admin@host.test", NULL, NULL},
		{"given by the host application", ROLE_CLIENT, ROLE_SERVICE,
			LAWYER_ADDRESSES_TRUSTED, "bot@host.test", "given@law.test",
			"given@law.test"},
		{"filed and accepted by the host application", ROLE_SERVICE, ROLE_SERVICE,
			LAWYER_ADDRESSES_TRUSTED, "bot@host.test", NULL, "lawyer@stored.test"},
		{"any, accepted by the host application", ROLE_CLIENT, ROLE_SERVICE,
			LAWYER_ADDRESSES_ANY, "bot@host.test", NULL, "lawyer@stored.test"},
		{"any, a token without an address", ROLE_CLIENT, ROLE_LAWYER, LAWYER_ADDRESSES_ANY,
			NULL, NULL, "lawyer@stored.test"},
		{"any, the lawyer's own token", ROLE_CLIENT, ROLE_LAWYER, LAWYER_ADDRESSES_ANY,
			"own@law.test", NULL, "own@law.test"},
	};
	struct arena *arena = arena_new();
	bool changed;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct request *request = core_open(arena);
		struct cause cause =
			core_cause(arena, CORE_NOW, cases[i].accepted_by, core_lawyer.id);
		struct request_response response = core_accept;
		struct person stored = *request->side[PARTY_LAWYER].person;
		struct policy policy = policy_default;
		struct config config = core_config;
		const enum err expected = cases[i].expected ? ERR_OK : ERR_LAWYER_UNCONFIRMED;

		policy.lawyer_addresses = cases[i].policy;
		config.policy = &policy;
		cause.config = &config;
		stored.email = "lawyer@stored.test";
		request->side[PARTY_LAWYER].person = &stored;
		MODEL_AT(&request->events, struct audit_event, 0)->actor->role = cases[i].filed_by;
		cause.actor.email = cases[i].token;
		response.lawyer_email = cases[i].given;
		UNIT_CHECK(request_respond(&cause, request, &response, &changed, NULL) == expected,
			cases[i].name);
		UNIT_CHECK(!cases[i].expected || strcmp(request->side[PARTY_LAWYER].person->email,
							 cases[i].expected) == 0,
			cases[i].name);
		UNIT_CHECK(strcmp(stored.email, "lawyer@stored.test") == 0, cases[i].name);
	}
	arena_free(&arena);
}

static void test_request_effects_that_are_wanted(void)
{
	static const struct {
		const char *name;
		enum effect_kind kind;
		enum meeting_status status;
		int64_t generation, after_ms;
		enum err err;
	} cases[] = {
		{"creation, pending", EFFECT_MEETING_CREATE, MEETING_PENDING, 1, 0, ERR_OK},
		{"creation, last moment", EFFECT_MEETING_CREATE, MEETING_PENDING, 1, 1000, ERR_OK},
		{"creation, too late", EFFECT_MEETING_CREATE, MEETING_PENDING, 1, 1001,
			ERR_PERMANENT},
		{"creation, cancelled", EFFECT_MEETING_CREATE, MEETING_CANCELLED, 1, 0,
			ERR_PERMANENT},
		{"creation, made by another", EFFECT_MEETING_CREATE, MEETING_READY, 1, 0,
			ERR_PERMANENT},
		{"creation, of before", EFFECT_MEETING_CREATE, MEETING_PENDING, 2, 0,
			ERR_PERMANENT},
		{"invitation, ready", EFFECT_MAIL_MEETING_READY, MEETING_READY, 1, 0, ERR_OK},
		{"invitation, too late", EFFECT_MAIL_MEETING_READY, MEETING_READY, 1, 1001,
			ERR_PERMANENT},
		{"invitation, cancelled", EFFECT_MAIL_MEETING_READY, MEETING_CANCELLED, 1, 0,
			ERR_PERMANENT},
		{"cancellation", EFFECT_MAIL_MEETING_CANCELLED, MEETING_CANCELLED, 1, 0, ERR_OK},
		{"cancellation, too late", EFFECT_MAIL_MEETING_CANCELLED, MEETING_CANCELLED, 1,
			1001, ERR_PERMANENT},
		{"deletion, too late", EFFECT_MEETING_DELETE, MEETING_CANCELLED, 1, 1001, ERR_OK},
		{"creation, everything was down", EFFECT_MEETING_CREATE, MEETING_PENDING, 1,
			-INSTANT_MINUTE, ERR_OK},
	};
	struct arena *arena = arena_new();
	struct request *request = core_open(arena);
	const int64_t end = request->ends_at - 1000;
	struct err_info info;
	struct effect effect;
	bool changed;
	size_t i;

	CU_ASSERT_EQUAL(core_respond(arena, request, CORE_NOW, &core_accept, &changed), ERR_OK);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		request->meeting->status = cases[i].status;
		request->meeting->generation = cases[i].generation;
		effect = (struct effect){
			.kind = cases[i].kind, .generation = 1, .give_up_at = end + 1000};
		if (cases[i].after_ms < 0)
			effect.give_up_at = end - INSTANT_HOUR;
		err_clear(&info);
		UNIT_CHECK(effect_check_wanted(request, &effect, end + cases[i].after_ms, &info) ==
				   cases[i].err,
			cases[i].name);
		UNIT_CHECK((info.detail[0] == '\0') == (cases[i].err == ERR_OK), cases[i].name);
	}
	arena_free(&arena);
}

/* ---- idempotency ---- */

static void keep(struct cause *cause, struct request *request, const char *key, const char *input,
	int status, const char *reply)
{
	const struct request_answer answer = {.key = key,
		.input = input,
		.status = status,
		.reply = reply,
		.until = cause->now + REQUEST_ANSWER_KEPT};

	request_answer_keep(cause, request, &answer);
}

static void test_request_answers_are_kept_a_day(void)
{
	static const struct {
		const char *name, *key;
		int64_t after;
		bool found;
	} cases[] = {
		{"at once", "key-1", 0, true},
		{"clock a little behind", "key-1", -500, true},
		{"just within 24 h", "key-1", INSTANT_DAY - 1, true},
		{"after 24 h", "key-1", INSTANT_DAY, false},
		{"other key", "key-2", 0, false},
		{"longer key", "key-10", 0, false},
	};
	struct arena *arena = arena_new();
	struct request *request = core_open(arena);
	struct cause cause = core_cause(arena, CORE_NOW, ROLE_CLIENT, core_client.id);
	const struct request_answer *answer;
	size_t i;

	CU_ASSERT_PTR_NULL(request_answer_find(request, "key-1", CORE_NOW));
	keep(&cause, request, "key-1", "body", 201, "{\"a\":1}");
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		answer = request_answer_find(request, cases[i].key, CORE_NOW + cases[i].after);
		CU_ASSERT_EQUAL(answer != NULL, cases[i].found);
		if (!answer)
			continue;
		CU_ASSERT_STRING_EQUAL(answer->input, "body");
		CU_ASSERT_EQUAL(answer->status, 201);
		CU_ASSERT_STRING_EQUAL(answer->reply, "{\"a\":1}");
	}
	arena_free(&arena);
}

static void test_request_answers_are_capped(void)
{
	struct arena *arena = arena_new();
	struct request *request = core_open(arena);
	struct cause cause = core_cause(arena, CORE_NOW, ROLE_CLIENT, core_client.id);
	int i;

	for (i = 0; i < KEYS_CAP + 3; i++) {
		cause.now = CORE_NOW + i;
		keep(&cause, request, arena_printf(arena, "key-%d", i), "body", 200, "{}");
	}
	for (i = 0; i < KEYS_CAP + 3; i++) {
		const struct request_answer *answer =
			request_answer_find(request, arena_printf(arena, "key-%d", i), cause.now);

		CU_ASSERT_EQUAL(answer != NULL, i >= 3);
		CU_ASSERT_EQUAL(answer && answer->reply, i >= KEYS_CAP + 3 - ANSWERS_CAP);
	}
	CU_ASSERT_EQUAL(request->answers.count, KEYS_CAP);
	arena_free(&arena);
}

/* The second an hour after the first. */
static void keep_two(struct cause *cause, struct request *request)
{
	keep(cause, request, "a", "body", 200, "1");
	cause->now += INSTANT_HOUR;
	keep(cause, request, "b", "body", 200, "2");
}

static void test_request_answers_that_are_old_leave(void)
{
	struct arena *arena = arena_new();
	struct request *request = core_open(arena);
	struct cause cause = core_cause(arena, CORE_NOW, ROLE_CLIENT, core_client.id);

	keep_two(&cause, request);
	cause.now = CORE_NOW + INSTANT_DAY;
	/* The key may be used afresh. */
	keep(&cause, request, "a", "other body", 200, "3");
	CU_ASSERT_EQUAL(request->answers.count, 2);
	CU_ASSERT_STRING_EQUAL(request_answer_find(request, "a", cause.now)->reply, "3");
	CU_ASSERT_STRING_EQUAL(request_answer_find(request, "b", cause.now)->reply, "2");
	arena_free(&arena);
}

static void test_request_answers_are_forgotten(void)
{
	struct arena *arena = arena_new();
	struct request *request = core_open(arena);
	struct cause cause = core_cause(arena, CORE_NOW, ROLE_CLIENT, core_client.id);

	keep_two(&cause, request);
	request_answer_forget(request, CORE_NOW + INSTANT_DAY - 1);
	CU_ASSERT_EQUAL(request->answers.count, 2);
	request_answer_forget(request, CORE_NOW + INSTANT_DAY);
	CU_ASSERT_EQUAL_FATAL(request->answers.count, 1);
	CU_ASSERT_STRING_EQUAL(MODEL_AT(&request->answers, struct request_answer, 0)->key, "b");
	request_answer_forget(request, CORE_NOW + 2 * INSTANT_DAY);
	CU_ASSERT_EQUAL(request->answers.count, 0);
	arena_free(&arena);
}

/* Calls without a key are remembered for a proxy's repeat only, and never push out keyed ones. */
static void test_request_answers_of_repeats_leave_first(void)
{
	struct arena *arena = arena_new();
	struct request *request = core_open(arena);
	struct cause cause = core_cause(arena, CORE_NOW, ROLE_CLIENT, core_client.id);
	int i;

	keep(&cause, request, "keyed", "body", 200, "{}");
	for (i = 0; i < 3 * ANSWERS_CAP; i++) {
		const struct request_answer answer = {.key = arena_printf(arena, "trace-%d", i),
			.input = "body",
			.status = 200,
			.reply = "{}",
			.until = CORE_NOW + i + REQUEST_ANSWER_KEPT_REPEAT};

		cause.now = CORE_NOW + i;
		request_answer_keep(&cause, request, &answer);
	}
	CU_ASSERT_PTR_NOT_NULL(request_answer_find(request, "keyed", cause.now)->reply);
	CU_ASSERT_PTR_NULL(request_answer_find(request, "trace-0", cause.now)->reply);
	arena_free(&arena);
}

static const struct unit_case cases[] = {
	{"open: cases", test_request_open_cases},
	{"lapses in silence after a day", test_request_lapses_in_silence_after_a_day},
	{"opens owing its lapse", test_request_opens_owing_its_lapse},
	{"lapses when its time comes", test_request_lapses_when_its_time_comes},
	{"lapse tells whom", test_request_lapse_tells_whom},
	{"answered does not lapse", test_request_answered_does_not_lapse},
	{"keeps what was asked for", test_request_keeps_what_was_asked_for},
	{"retry of what was given up", test_request_retry_of_what_was_given_up},
	{"retry of an update that waits", test_request_retry_of_an_update_that_waits},
	{"not updated ends with the link", test_request_not_updated_ends_with_the_link},
	{"orphan outlives its link", test_request_orphan_outlives_its_link},
	{"every command in every state", test_request_every_command_in_every_state},
	{"accept takes over what is given", test_request_accept_takes_over_what_is_given},
	{"only the same accept is repeated", test_request_only_the_same_accept_is_repeated},
	{"decline tells the client", test_request_decline_tells_the_client},
	{"decline sets no time", test_request_decline_sets_no_time},
	{"standings", test_request_standings},
	{"mail that never left", test_request_mail_that_never_left},
	{"accept needs a trusted address", test_request_accept_needs_a_trusted_address},
	{"two addresses for two people", test_request_needs_two_addresses},
	{"two addresses of a token, too", test_request_accept_needs_two_addresses},
	{"effects that are wanted", test_request_effects_that_are_wanted},
	{"mail outcomes", test_request_mail_outcomes},
	{"answers are kept a day", test_request_answers_are_kept_a_day},
	{"answers are forgotten", test_request_answers_are_forgotten},
	{"answers of repeats leave first", test_request_answers_of_repeats_leave_first},
	{"answers are capped", test_request_answers_are_capped},
	{"answers that are old leave", test_request_answers_that_are_old_leave},
};

UNIT_MAIN("request", cases)
