#include "core_unit.h"

enum { LEASE_MS = 90 * 1000 };

#define CREATE EFFECT_MEETING_CREATE
#define UPDATE EFFECT_MEETING_UPDATE
#define DELETE EFFECT_MEETING_DELETE
#define EXPIRE EFFECT_MEETING_EXPIRE
#define VERIFY EFFECT_MEETING_VERIFY
#define NOW    (CORE_NOW + INSTANT_SECOND)
#define OPENS  (CORE_START - 15 * INSTANT_MINUTE)

/* Accepted with zoom; `unknown`: a call was made, and nobody knows what became of it. */
static struct request *provision_pending(struct arena *arena, bool unknown)
{
	const struct request_response accept = {.decision = DECISION_ACCEPT, .provider = "zoom"};
	struct request *request = core_open(arena);
	bool changed;

	core_respond(arena, request, CORE_NOW, &accept, &changed);
	core_creation(request)->creation->begun = unknown;
	return request;
}

static void provision_claim(struct request *request, struct effect *effect, int64_t now)
{
	effect->due = now;
	CU_ASSERT_TRUE_FATAL(effect_claim_one(request, effect, now, "ours", LEASE_MS));
}

static void provision_settle_creation(struct arena *arena, struct request *request,
	const struct effect_outcome *outcome, const struct policy *policy)
{
	struct cause cause = core_system(arena, NOW);

	core_under(&cause, policy);
	provision_created(&cause, request, core_creation(request), outcome, &core_link);
}

/* Claimed, tried, settled. */
static void provision_try(
	struct arena *arena, struct request *request, enum err err, const struct policy *policy)
{
	const struct effect_outcome outcome = {.err = err, .detail = "words"};

	provision_claim(request, core_creation(request), NOW);
	provision_settle_creation(arena, request, &outcome, policy);
}

static bool provision_same(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

static const char *provision_warning(const struct request *request, const char *code)
{
	MODEL_FOREACH (&request->meeting->warnings, struct warning, warning) {
		if (strcmp(warning->code, code) == 0)
			return warning->detail;
	}
	return NULL;
}

/* ---- a creation that fails: class x try x failover x unknown before ---- */

struct provision_case {
	const char *name;
	enum err err;
	int64_t retry_after_s;
	int try;          /* 1 or 2, at this provider */
	size_t failovers; /* in the policy */
	bool unknown;     /* an earlier call's outcome */
};

static void provision_check_same_provider(const struct provision_case *row,
	const struct request *request, const char *key, int64_t latest)
{
	const struct meeting *meeting = request->meeting;
	const struct effect *create = core_creation(request);

	UNIT_CHECK(meeting->status == MEETING_PENDING, row->name);
	UNIT_CHECK(provision_same(meeting->provider, "zoom"), row->name);
	UNIT_CHECK(provision_same(meeting->provider_key, key), row->name);
	UNIT_CHECK(create->due >= NOW && create->due <= latest, row->name);
	UNIT_CHECK(meeting->next_attempt_at == create->due, row->name);
	UNIT_CHECK(create->creation->begun == (row->unknown || row->err == ERR_OUTCOME_UNKNOWN),
		row->name);
	UNIT_CHECK(!core_effect(request, DELETE, 0), row->name);
}

/* What may have been made under that key is owed to be deleted, and only that. */
static void provision_check_removal(
	const struct provision_case *row, const struct request *request, const char *key)
{
	const struct effect *removal = core_effect(request, DELETE, 0);
	const bool owed = row->unknown || row->err == ERR_OUTCOME_UNKNOWN;

	UNIT_CHECK(core_count_effects(request, DELETE) == owed, row->name);
	if (!removal)
		return;
	UNIT_CHECK(provision_same(removal->removal->provider, "zoom"), row->name);
	UNIT_CHECK(provision_same(removal->removal->provider_key, key), row->name);
	UNIT_CHECK(!removal->removal->external_id, row->name);
	UNIT_CHECK(removal->due == NOW + INSTANT_MINUTE, row->name);
	UNIT_CHECK(!provision_same(request->meeting->provider_key, key), row->name);
}

static void provision_check_failed_over(
	const struct provision_case *row, const struct request *request, const char *key)
{
	const struct meeting *meeting = request->meeting;
	const struct effect *create = core_creation(request);

	UNIT_CHECK(meeting->status == MEETING_PENDING, row->name);
	UNIT_CHECK(provision_same(meeting->provider, "google"), row->name);
	UNIT_CHECK(provision_same(meeting->requested_provider, "zoom"), row->name);
	UNIT_CHECK(!provision_same(meeting->provider_key, key), row->name);
	UNIT_CHECK(create->due == NOW && meeting->next_attempt_at == NOW, row->name);
	UNIT_CHECK(!create->creation->begun && create->creation->tries == 0, row->name);
	UNIT_CHECK(core_count_events(request, "provider.failed_over") == 1, row->name);
	/* Its turn comes again, so nothing is deleted yet. */
	UNIT_CHECK(core_count_effects(request, DELETE) == 0, row->name);
	UNIT_CHECK(create->creation->maybe_made.count ==
			   (row->unknown || row->err == ERR_OUTCOME_UNKNOWN),
		row->name);
	MODEL_FOREACH (&create->creation->maybe_made, struct removal, left) {
		UNIT_CHECK(provision_same(left->provider, "zoom"), row->name);
		UNIT_CHECK(provision_same(left->provider_key, key), row->name);
	}
}

static void provision_check_given_up(
	const struct provision_case *row, const struct request *request, const char *key)
{
	UNIT_CHECK(request->meeting->status == MEETING_FAILED, row->name);
	UNIT_CHECK(request->meeting->next_attempt_at == 0, row->name);
	UNIT_CHECK(core_creation(request)->state == EFFECT_FAILED, row->name);
	UNIT_CHECK(!core_creation(request)->creation->begun, row->name);
	UNIT_CHECK(core_count_events(request, "meeting.failed") == 1, row->name);
	provision_check_removal(row, request, key);
}

static void provision_check_failure(const struct provision_case *row)
{
	const struct effect_outcome outcome = {
		.err = row->err, .detail = "words", .retry_after_s = row->retry_after_s};
	const struct policy policy = core_policy(row->failovers);
	const bool brief = row->err == ERR_OUTCOME_UNKNOWN || row->err == ERR_TEMPORARY;
	const bool hope = row->err != ERR_PERMANENT || row->try == 2;
	struct arena *arena = arena_new();
	struct request *request = provision_pending(arena, row->unknown);
	struct effect *create = core_creation(request);
	const char *key = request->meeting->provider_key;

	if (row->try == 2) {
		create->creation->tries = 1;
		create->creation->recoverable =
			true; /* the first was not permanent, or there were no second */
	}
	provision_claim(request, create, NOW);
	provision_settle_creation(arena, request, &outcome, &policy);
	UNIT_CHECK(
		provision_same(request->meeting->last_error->code, err_code(row->err)), row->name);
	UNIT_CHECK(provision_same(request->meeting->last_error->provider, "zoom"), row->name);
	UNIT_CHECK(!core_creation(request)->lease, row->name);
	UNIT_CHECK(core_count_events(request, "provider.attempt_failed") == 1, row->name);
	if (brief && row->try == 1 && row->retry_after_s <= 1)
		provision_check_same_provider(row, request, key, NOW + 1000);
	else if (row->failovers > 0)
		provision_check_failed_over(row, request, key);
	else if (hope)
		provision_check_same_provider(row, request, key,
			NOW + (row->retry_after_s > 5 ? row->retry_after_s : 5) * INSTANT_SECOND);
	else
		provision_check_given_up(row, request, key);
	UNIT_CHECK(audit_verify(NULL, &request->events, request->id) == -1, row->name);
	arena_free(&arena);
}

static void test_provision_creations_that_fail(void)
{
	static const struct {
		const char *name;
		enum err err;
		int64_t retry_after_s;
	} classes[] = {
		{"temporary", ERR_TEMPORARY, 0},
		{"temporary, in a second", ERR_TEMPORARY, 1},
		{"temporary, in a minute", ERR_TEMPORARY, 60},
		{"unknown", ERR_OUTCOME_UNKNOWN, 0},
		{"unknown, in a minute", ERR_OUTCOME_UNKNOWN, 60},
		{"unavailable", ERR_UNAVAILABLE, 0},
		{"credential", ERR_CREDENTIAL, 0},
		{"permanent", ERR_PERMANENT, 0},
	};
	struct arena *arena = arena_new();
	struct provision_case row;
	size_t i;

	for (i = 0; i < sizeof(classes) / sizeof(classes[0]); i++)
		for (row.try = 1; row.try <= 2; row.try++)
			for (row.failovers = 0; row.failovers <= 2; row.failovers++) {
				row.err = classes[i].err;
				row.retry_after_s = classes[i].retry_after_s;
				row.name = arena_printf(arena, "%s, try %d, %zu others",
					classes[i].name, row.try, row.failovers);
				row.unknown = false;
				provision_check_failure(&row);
				row.unknown = true;
				provision_check_failure(&row);
			}
	arena_free(&arena);
}

/* Two tries each, then from the requested one on, later, each under its own key. What the others
 * may have made is deleted once one of them has made it. */
static void test_provision_goes_round(void)
{
	static const char *const providers[] = {
		"zoom", "zoom", "google", "google", "teams", "teams", "zoom"};
	const struct effect_outcome made = {.err = ERR_OK, .detail = ""};
	const struct policy policy = core_policy(2);
	struct arena *arena = arena_new();
	struct request *request = provision_pending(arena, false);
	const char *keys[8];
	size_t i, j;

	for (i = 0; i < 7; i++) {
		UNIT_CHECK(provision_same(request->meeting->provider, providers[i]), providers[i]);
		keys[i] = request->meeting->provider_key;
		for (j = 0; j < i; j++)
			CU_ASSERT_EQUAL(provision_same(keys[i], keys[j]),
				provision_same(providers[i], providers[j]));
		CU_ASSERT_EQUAL(request->meeting->status, MEETING_PENDING);
		CU_ASSERT_EQUAL(core_count_effects(request, CREATE), 1);
		CU_ASSERT_EQUAL(core_count_effects(request, DELETE), 0);
		if (i == 6) {
			CU_ASSERT(core_creation(request)->due >= NOW + 100);
			CU_ASSERT(core_creation(request)->creation->begun);
		}
		provision_try(arena, request, ERR_OUTCOME_UNKNOWN, &policy);
	}
	CU_ASSERT_EQUAL(core_count_events(request, "provider.failed_over"), 2);
	provision_claim(request, core_creation(request), NOW);
	provision_settle_creation(arena, request, &made, &policy);
	CU_ASSERT_EQUAL(request->meeting->status, MEETING_READY);
	CU_ASSERT_EQUAL(core_count_effects(request, DELETE), 2);
	i = 2;
	MODEL_FOREACH (&request->effects, struct effect, effect) {
		if (effect->kind != DELETE)
			continue;
		CU_ASSERT_STRING_EQUAL(effect->removal->provider, providers[i]);
		CU_ASSERT_STRING_EQUAL(effect->removal->provider_key, keys[i]);
		CU_ASSERT_EQUAL(effect->due, NOW + INSTANT_MINUTE);
		i += 2;
	}
	arena_free(&arena);
}

/* What two providers may have made is owed to be deleted, however the round ends. */
static void test_provision_forgets_nobody(void)
{
	static const struct {
		const char *name;
		bool cancelled, late; /* while somebody asks */
	} cases[] = {
		{"given up", false, false},
		{"cancelled", true, false},
		{"cancelled while the next is asked", true, true},
	};
	const struct policy policy = core_policy(1);
	struct arena *arena = arena_new();
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct request *request = provision_pending(arena, false);
		const char *keys[2] = {request->meeting->provider_key};

		provision_try(arena, request, ERR_OUTCOME_UNKNOWN, &policy);
		provision_try(arena, request, ERR_OUTCOME_UNKNOWN, &policy);
		keys[1] = request->meeting->provider_key;
		provision_try(arena, request, ERR_OUTCOME_UNKNOWN, &policy);
		UNIT_CHECK(core_count_effects(request, DELETE) == 0, cases[i].name);
		core_creation(request)->give_up_at = NOW;
		if (cases[i].late)
			provision_claim(request, core_creation(request), NOW);
		if (cases[i].cancelled)
			UNIT_CHECK(
				core_cancel_meeting(arena, request, NOW) == ERR_OK, cases[i].name);
		if (cases[i].late)
			provision_settle_creation(arena, request,
				&(struct effect_outcome){.err = ERR_OUTCOME_UNKNOWN, .detail = ""},
				&policy);
		if (!cases[i].cancelled)
			provision_try(arena, request, ERR_UNAVAILABLE, &policy);
		UNIT_CHECK(core_count_effects(request, DELETE) == 2, cases[i].name);
		MODEL_FOREACH (&request->effects, struct effect, effect) {
			if (effect->kind == DELETE)
				UNIT_CHECK(provision_same(effect->removal->provider_key, keys[0]) ||
						   provision_same(
							   effect->removal->provider_key, keys[1]),
					cases[i].name);
		}
		/* Neither key is used again. */
		if (request->meeting->status == MEETING_FAILED)
			UNIT_CHECK(!provision_same(request->meeting->provider_key, keys[0]) &&
					   !provision_same(request->meeting->provider_key, keys[1]),
				cases[i].name);
	}
	arena_free(&arena);
}

/* The round begins again as soon as one of the providers may be able to. */
static void test_provision_waits_for_the_first(void)
{
	static const struct {
		const char *name;
		enum err first, second;
		int64_t first_s, second_s, least_s, most_s;
	} cases[] = {
		{"one does not say", ERR_UNAVAILABLE, ERR_UNAVAILABLE, 0, 36000, 0, 5},
		{"the other does not say", ERR_UNAVAILABLE, ERR_UNAVAILABLE, 36000, 0, 0, 5},
		{"both say", ERR_UNAVAILABLE, ERR_UNAVAILABLE, 600, 60, 60, 60},
		{"one has no hope", ERR_PERMANENT, ERR_UNAVAILABLE, 0, 60, 60, 60},
		{"longer than we try: once more at the end", ERR_UNAVAILABLE, ERR_UNAVAILABLE,
			1000000, 1000000, 3600, 3600},
	};
	const struct policy policy = core_policy(1);
	struct arena *arena = arena_new();
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct request *request = provision_pending(arena, false);
		const struct effect_outcome outcomes[] = {
			{.err = cases[i].first, .detail = "", .retry_after_s = cases[i].first_s},
			{.err = cases[i].second, .detail = "", .retry_after_s = cases[i].second_s},
		};
		size_t j;

		core_creation(request)->give_up_at = NOW + INSTANT_HOUR;
		for (j = 0; j < 2; j++) {
			provision_claim(request, core_creation(request), NOW);
			provision_settle_creation(arena, request, &outcomes[j], &policy);
		}
		UNIT_CHECK(request->meeting->status == MEETING_PENDING, cases[i].name);
		UNIT_CHECK(core_creation(request)->due >= NOW + cases[i].least_s * INSTANT_SECOND,
			cases[i].name);
		UNIT_CHECK(core_creation(request)->due <= NOW + cases[i].most_s * INSTANT_SECOND,
			cases[i].name);
	}
	arena_free(&arena);
}

/* Who wanted another provider gets the default one before nothing, unless there is no failover. */
static void test_provision_ends_at_the_default(void)
{
	const struct policy none = {.default_provider = "jitsi", .retry = policy_default.retry};
	struct policy policy = core_policy(1);
	struct arena *arena = arena_new();
	struct request *request = provision_pending(arena, false);

	policy.default_provider = "jitsi";
	provision_try(arena, request, ERR_UNAVAILABLE, &policy);
	CU_ASSERT_STRING_EQUAL(request->meeting->provider, "google");
	provision_try(arena, request, ERR_UNAVAILABLE, &policy);
	CU_ASSERT_STRING_EQUAL(request->meeting->provider, "jitsi");
	provision_try(arena, request, ERR_UNAVAILABLE, &policy);
	CU_ASSERT_STRING_EQUAL(request->meeting->provider, "zoom");
	provision_try(arena, request, ERR_UNAVAILABLE, &none);
	CU_ASSERT_STRING_EQUAL(request->meeting->provider, "zoom");
	arena_free(&arena);
}

/* A conference that the provider is making is looked at for a minute before another is asked. */
static void test_provision_waits_for_what_is_being_made(void)
{
	static const int64_t pauses_s[] = {1, 2, 4, 8, 16};
	const struct policy policy = core_policy(1);
	struct arena *arena = arena_new();
	struct request *request = provision_pending(arena, false);
	const char *key = request->meeting->provider_key;
	size_t i;

	for (i = 0; i < sizeof(pauses_s) / sizeof(pauses_s[0]); i++) {
		provision_try(arena, request, ERR_STILL_PENDING, &policy);
		CU_ASSERT_STRING_EQUAL(request->meeting->provider_key, key);
		CU_ASSERT(core_creation(request)->creation->begun);
		CU_ASSERT_EQUAL(
			request->meeting->next_attempt_at - request->meeting->last_error->at,
			pauses_s[i] * INSTANT_SECOND);
	}
	provision_try(arena, request, ERR_STILL_PENDING, &policy);
	CU_ASSERT_STRING_NOT_EQUAL(request->meeting->provider_key, key);
	CU_ASSERT_STRING_EQUAL(
		MODEL_AT(&core_creation(request)->creation->maybe_made, struct removal, 0)
			->provider_key,
		key);
	arena_free(&arena);
}

/* A list that names the requested provider, or one twice, asks each once in a round. */
static void test_provision_asks_each_once_in_a_round(void)
{
	static const char *names[] = {"zoom", "google", "google"};
	struct policy policy = core_policy(0);
	struct arena *arena = arena_new();
	struct request *request = provision_pending(arena, false);

	policy.failover = (struct model_list){.items = names, .count = 3};
	provision_try(arena, request, ERR_UNAVAILABLE, &policy);
	CU_ASSERT_STRING_EQUAL(request->meeting->provider, "google");
	provision_try(arena, request, ERR_PERMANENT, &policy);
	CU_ASSERT_STRING_EQUAL(request->meeting->provider, "zoom");
	CU_ASSERT_EQUAL(request->meeting->status, MEETING_PENDING);
	CU_ASSERT_EQUAL(core_count_events(request, "provider.failed_over"), 1);
	/* Now neither has any hope. */
	provision_try(arena, request, ERR_PERMANENT, &policy);
	provision_try(arena, request, ERR_PERMANENT, &policy);
	CU_ASSERT_EQUAL(request->meeting->status, MEETING_FAILED);
	CU_ASSERT_STRING_EQUAL(core_last_event(request)->detail, "google: permanent");
	CU_ASSERT_EQUAL(core_count_effects(request, DELETE), 0);
	arena_free(&arena);
}

static void test_provision_gives_up_in_time(void)
{
	static const struct {
		const char *name;
		int64_t left_ms; /* until it is given up */
		bool skipped, begun, failed;
	} cases[] = {
		{"time for another", 10 * INSTANT_SECOND, false, false, false},
		{"a last one at the end", 50, false, false, false},
		{"no time for another", 0, false, false, true},
		{"no time, and something may have been made", 0, false, true, true},
		{"too late already", -1, true, false, true},
		{"too late, and something may have been made", -1, true, true, true},
	};
	const struct policy policy = core_policy(0);
	struct arena *arena = arena_new();
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct request *request = provision_pending(arena, cases[i].begun);
		const char *key = request->meeting->provider_key;
		const struct effect_outcome outcome = {
			.err = cases[i].skipped ? ERR_PERMANENT : ERR_UNAVAILABLE,
			.detail = "",
			.skipped = cases[i].skipped};
		struct effect *create = core_creation(request);

		create->give_up_at = NOW + cases[i].left_ms;
		provision_claim(request, create, NOW);
		provision_settle_creation(arena, request, &outcome, &policy);
		UNIT_CHECK((request->meeting->status == MEETING_FAILED) == cases[i].failed,
			cases[i].name);
		UNIT_CHECK(cases[i].failed || create->due <= create->give_up_at, cases[i].name);
		UNIT_CHECK(
			core_count_effects(request, DELETE) == (cases[i].failed && cases[i].begun),
			cases[i].name);
		UNIT_CHECK(provision_same(request->meeting->provider_key, key) ==
				   !(cases[i].failed && cases[i].begun),
			cases[i].name);
	}
	arena_free(&arena);
}

/* What is due now is done with providers that do not answer, and then are left alone for a while.
 */
static void provision_sick(
	struct arena *arena, struct request *request, int64_t now, const struct policy *policy)
{
	const struct effect_outcome silent = {.err = ERR_OUTCOME_UNKNOWN, .detail = "words"};
	const struct effect_outcome away = {
		.err = ERR_UNAVAILABLE, .detail = "words", .retry_after_s = 30};
	struct cause cause = core_system(arena, now);

	core_under(&cause, policy);
	MODEL_FOREACH (&request->effects, struct effect, effect) {
		if (!effect_claim_one(request, effect, now, "ours", LEASE_MS))
			continue;
		if (effect->kind == CREATE)
			provision_created(&cause, request, effect,
				effect->creation->tries ? &away : &silent, NULL);
		else if (effect->kind == EFFECT_MEETING_NOTICE)
			notice_settled(&cause, request, effect);
		else if (effect->mail)
			news_settled(&cause, request, effect, &(struct effect_outcome){0});
		else
			provision_deleted(&cause, request, effect, &away);
		return;
	}
}

/* However long providers are sick, little is owed, and the document stays small. */
static void test_provision_a_sick_week(void)
{
	const struct request_response accept = {.decision = DECISION_ACCEPT, .provider = "zoom"};
	const struct policy policy = core_policy(1);
	struct arena *arena = arena_new();
	struct request *request = core_open(arena);
	int64_t now = CORE_NOW;
	size_t calls = 0;
	bool changed;

	request->starts_at += 20 * INSTANT_DAY;
	request->ends_at += 20 * INSTANT_DAY;
	core_respond(arena, request, now, &accept, &changed);
	while (now < CORE_NOW + 10 * INSTANT_DAY && calls < 10000) {
		calls++;
		provision_sick(arena, request, now, &policy);
		CU_ASSERT_FATAL(core_count_effects(request, DELETE) <= 2);
		now = effect_next_due(request) > now ? effect_next_due(request) : now;
	}
	CU_ASSERT_EQUAL(request->meeting->status, MEETING_FAILED);
	CU_ASSERT(calls > 2000);
	CU_ASSERT_EQUAL(core_count_effects(request, DELETE), 2);
	CU_ASSERT_EQUAL(core_effect(request, DELETE, 0)->state, EFFECT_FAILED);
	CU_ASSERT(request->events.count < 2000);
	arena_free(&arena);
}

/* ---- retry ---- */

static bool provision_ask_again(struct arena *arena, struct request *request, int64_t now)
{
	const struct policy policy = core_policy(2);
	struct cause cause = core_as_lawyer(arena, now);
	bool changed;

	core_under(&cause, &policy);
	CU_ASSERT_EQUAL(request_retry(&cause, request, NULL, &changed, NULL), ERR_OK);
	return changed;
}

/* What was given up may be deleted at any moment: a new creation goes under another key. */
static void test_provision_retry_after_giving_up(void)
{
	const struct policy policy = core_policy(0);
	struct arena *arena = arena_new();
	struct request *request = provision_pending(arena, true);
	const struct effect *create = core_creation(request);
	const struct effect *removal;

	provision_try(arena, request, ERR_PERMANENT, &policy);
	CU_ASSERT_EQUAL(request->meeting->status, MEETING_FAILED);
	CU_ASSERT_TRUE(provision_ask_again(arena, request, NOW + INSTANT_HOUR));
	CU_ASSERT_EQUAL(request->meeting->status, MEETING_PENDING);
	CU_ASSERT_STRING_EQUAL(core_owed(arena, request), "CED");
	create = core_creation(request);
	CU_ASSERT_EQUAL(create->state, EFFECT_DUE);
	CU_ASSERT_EQUAL(create->due, NOW + INSTANT_HOUR);
	CU_ASSERT(!create->creation->begun && !create->creation->recoverable &&
		  create->creation->tries == 0);
	CU_ASSERT_EQUAL(create->creation->tried.count, 0);
	removal = core_effect(request, DELETE, 0);
	CU_ASSERT_STRING_NOT_EQUAL(removal->removal->provider_key, request->meeting->provider_key);
	arena_free(&arena);
}

static void test_provision_retry_begins_at_the_requested_one(void)
{
	static const bool unknown[] = {false, true};
	const struct policy policy = core_policy(2);
	struct arena *arena = arena_new();
	size_t i;

	for (i = 0; i < 2; i++) {
		struct request *request = provision_pending(arena, false);
		const char *key;

		provision_try(arena, request, ERR_UNAVAILABLE, &policy);
		key = request->meeting->provider_key;
		CU_ASSERT_STRING_EQUAL(request->meeting->provider, "google");
		/* Somebody asks google, and is not heard of again. */
		if (unknown[i])
			provision_claim(request, core_creation(request), NOW);
		CU_ASSERT_EQUAL(provision_ask_again(arena, request, NOW + 1), !unknown[i]);
		CU_ASSERT_EQUAL(provision_ask_again(arena, request, NOW + LEASE_MS), true);
		CU_ASSERT_STRING_EQUAL(request->meeting->provider, "zoom");
		CU_ASSERT_EQUAL(core_count_effects(request, DELETE), 0);
		CU_ASSERT_EQUAL(core_creation(request)->creation->maybe_made.count, unknown[i]);
		/* A late answer of google's is not taken for zoom's. */
		CU_ASSERT_PTR_NULL(core_creation(request)->lease);
		CU_ASSERT_FALSE(core_creation(request)->creation->begun);
		if (unknown[i])
			CU_ASSERT_STRING_EQUAL(
				MODEL_AT(&core_creation(request)->creation->maybe_made,
					struct removal, 0)
					->provider_key,
				key);
	}
	arena_free(&arena);
}

/* ---- answers that come when the request has moved on ---- */

enum provision_moved { CANCELLED, CANCELLED_ALONE, REGENERATED, EXPIRED, MOVED };

static void provision_move_on(
	struct arena *arena, struct request *request, enum provision_moved moved)
{
	const struct meeting_regeneration regeneration = {.provider = "google"};
	struct cause cause = core_as_lawyer(arena, NOW);

	switch (moved) {
	case CANCELLED:
		core_cancel(arena, request, NOW);
		break;
	case CANCELLED_ALONE:
		core_cancel_meeting(arena, request, NOW);
		break;
	case REGENERATED:
		CU_ASSERT_EQUAL(
			request_regenerate(&cause, request, &regeneration, &(bool){true}, NULL),
			ERR_OK);
		break;
	case EXPIRED:
		request_complete(&cause, request);
		break;
	case MOVED:
		core_move(arena, request, NOW, CORE_START + INSTANT_DAY);
	}
}

static void test_provision_late_answers(void)
{
	static const struct {
		const char *name;
		struct effect_outcome outcome;
		bool external_id;
		bool once, repeated; /* to be deleted: after the only call, after a second one */
	} answers[] = {
		{"made", {.err = ERR_OK}, true, true, true},
		{"made, without a trace there", {.err = ERR_OK}, false, false, false},
		{"unknown", {.err = ERR_OUTCOME_UNKNOWN}, false, true, true},
		{"temporary", {.err = ERR_TEMPORARY}, false, false, true},
		{"permanent", {.err = ERR_PERMANENT}, false, false, true},
		{"nobody was asked", {.err = ERR_PERMANENT, .skipped = true}, false, false, true},
	};
	struct arena *arena = arena_new();
	size_t i;
	int moved, repeated;

	for (i = 0; i < sizeof(answers) / sizeof(answers[0]); i++)
		for (moved = CANCELLED; moved <= EXPIRED; moved++)
			for (repeated = 0; repeated < 2; repeated++) {
				struct request *request = provision_pending(arena, repeated);
				const char *key = request->meeting->provider_key, *before;
				const char *name = arena_printf(
					arena, "%s, %d, %d", answers[i].name, moved, repeated);
				struct cause cause = core_system(arena, NOW + 1);
				struct meeting_link link = core_link;
				const struct effect *removal;

				provision_claim(request, core_creation(request), CORE_NOW);
				provision_move_on(arena, request, moved);
				UNIT_CHECK(!core_effect(request, DELETE, 0), name);
				before = core_stored(arena, &meeting_model, request->meeting);
				if (!answers[i].external_id)
					link.external_id = link.account = NULL;
				provision_created(&cause, request, core_creation(request),
					&answers[i].outcome, &link);
				UNIT_CHECK(provision_same(core_stored(arena, &meeting_model,
								  request->meeting),
						   before),
					name);
				UNIT_CHECK(core_count_effects(request, CREATE) ==
						   (moved == REGENERATED),
					name);
				removal = core_effect(request, DELETE, 0);
				UNIT_CHECK((removal != NULL) == (repeated ? answers[i].repeated
									  : answers[i].once),
					name);
				if (!removal)
					continue;
				UNIT_CHECK(
					provision_same(removal->removal->provider, "zoom"), name);
				UNIT_CHECK(
					provision_same(removal->removal->provider_key, key), name);
				UNIT_CHECK(provision_same(
						   removal->removal->external_id, link.external_id),
					name);
			}
	arena_free(&arena);
}

/* It may have been made with the times of before, so they are told to the provider. */
static void test_provision_made_while_it_moved(void)
{
	static const char *const external_ids[] = {"ext-1", NULL};
	const struct effect_outcome outcome = {.err = ERR_OK};
	struct arena *arena = arena_new();
	size_t i;

	for (i = 0; i < 2; i++) {
		struct request *request = provision_pending(arena, false);
		struct cause cause = core_system(arena, NOW + 1);
		struct meeting_link link = core_link;

		link.external_id = external_ids[i];
		provision_claim(request, core_creation(request), CORE_NOW);
		provision_move_on(arena, request, MOVED);
		provision_created(&cause, request, core_creation(request), &outcome, &link);
		CU_ASSERT_EQUAL(request->meeting->status, MEETING_READY);
		CU_ASSERT_STRING_EQUAL(core_owed(arena, request), external_ids[i] ? "EVrU" : "Er");
	}
	arena_free(&arena);
}

static void test_provision_made_loudly_elsewhere(void)
{
	const struct policy policy = core_policy(2);
	struct arena *arena = arena_new();
	struct request *request = provision_pending(arena, true);
	const struct meeting *meeting = request->meeting;

	provision_try(arena, request, ERR_UNAVAILABLE, &policy);
	provision_try(arena, request, ERR_OK, &policy);
	CU_ASSERT_EQUAL(meeting->status, MEETING_READY);
	CU_ASSERT_STRING_EQUAL(meeting->provider, "google");
	CU_ASSERT_STRING_EQUAL(meeting->requested_provider, "zoom");
	CU_ASSERT_EQUAL(meeting->attempts, 2);
	CU_ASSERT_STRING_EQUAL(provision_warning(request, "provider_failover"),
		"google was used, because zoom could not. words");
	/* Why it is not there is still to be seen. */
	CU_ASSERT_PTR_NOT_NULL_FATAL(meeting->last_error);
	CU_ASSERT_STRING_EQUAL(meeting->last_error->provider, "zoom");
	CU_ASSERT_STRING_EQUAL(meeting->last_error->detail, "words");
	CU_ASSERT_STRING_EQUAL(core_owed(arena, request), "EVrD");
	arena_free(&arena);
}

/* What went wrong is seen while it is why the meeting is elsewhere, and no longer. */
static void test_provision_forgives_what_is_over(void)
{
	static const struct {
		const char *name, *failed, *made, *wanted;
		bool kept;
	} rows[] = {
		{"at the same one", "zoom", "zoom", "zoom", false},
		{"at the one that was asked for", "zoom", "google", "zoom", true},
		{"at one on the way", "jitsi", "google", "zoom", true},
		{"at the other one, once", "google", "google", "zoom", false},
		{"at another, before it was here after all", "google", "zoom", "zoom", false},
	};
	struct failure failure = {.code = "temporary", .detail = "words"};
	struct meeting meeting;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		failure.provider = rows[i].failed;
		meeting = (struct meeting){.provider = rows[i].made,
			.requested_provider = rows[i].wanted,
			.last_error = &failure};
		meeting_forgive(&meeting);
		UNIT_CHECK((meeting.last_error != NULL) == rows[i].kept, rows[i].name);
	}
}

/* ---- update ---- */

static struct effect *provision_owe_update(struct arena *arena, struct request *request)
{
	struct effect *update;

	core_move(arena, request, CORE_NOW, CORE_START + INSTANT_DAY);
	update = core_effect(request, UPDATE, 0);
	provision_claim(request, update, CORE_NOW);
	return update;
}

static void test_provision_updates(void)
{
	static const struct {
		const char *name;
		enum err err;
		enum meeting_status status;
		const char *owed;
		bool warned;
	} cases[] = {
		{"done", ERR_OK, MEETING_READY, "EVr", false},
		{"gone: made anew", ERR_GONE, MEETING_PENDING, "EDC", false},
		{"temporary", ERR_TEMPORARY, MEETING_READY, "EVUr", true},
		{"unknown", ERR_OUTCOME_UNKNOWN, MEETING_READY, "EVUr", true},
		{"credential", ERR_CREDENTIAL, MEETING_READY, "EVUr", true},
		{"permanent", ERR_PERMANENT, MEETING_READY, "EVUr", true},
	};
	struct arena *arena = arena_new();
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct effect_outcome outcome = {.err = cases[i].err, .detail = "words"};
		const struct meeting_link link = {.passcode = "0815"};
		struct request *request = core_at_zoom(arena);
		struct cause cause = core_system(arena, NOW);
		const struct effect *update = provision_owe_update(arena, request);

		provision_updated(&cause, request, (struct effect *)update, &outcome, &link);
		UNIT_CHECK(request->meeting->status == (int)cases[i].status, cases[i].name);
		UNIT_CHECK(provision_same(core_owed(arena, request), cases[i].owed), cases[i].name);
		UNIT_CHECK((provision_warning(request, "provider_not_updated") != NULL) ==
				   cases[i].warned,
			cases[i].name);
		UNIT_CHECK(
			(request->meeting->last_error != NULL) == cases[i].warned, cases[i].name);
		update = core_effect(request, UPDATE, 0);
		if (update)
			UNIT_CHECK(
				(update->state == EFFECT_FAILED) == (cases[i].err == ERR_PERMANENT),
				cases[i].name);
		if (cases[i].err == ERR_OK) {
			UNIT_CHECK(
				provision_same(request->meeting->passcode, "0815"), cases[i].name);
			UNIT_CHECK(provision_same(request->meeting->provider_url, core_link.url),
				cases[i].name);
		}
	}
	arena_free(&arena);
}

static void test_provision_update_done_takes_the_warning_away(void)
{
	static const enum err errs[] = {ERR_TEMPORARY, ERR_OK};
	struct arena *arena = arena_new();
	struct request *request = core_at_zoom(arena);
	struct cause cause = core_system(arena, NOW);
	size_t i;

	provision_owe_update(arena, request);
	for (i = 0; i < 2; i++) {
		const struct effect_outcome outcome = {.err = errs[i], .detail = "words"};

		CU_ASSERT_EQUAL(provision_warning(request, "provider_not_updated") != NULL, i == 1);
		provision_updated(
			&cause, request, core_effect(request, UPDATE, 0), &outcome, &core_link);
	}
	CU_ASSERT_EQUAL(request->meeting->warnings.count, 0);
	CU_ASSERT_PTR_NULL(request->meeting->last_error);
	arena_free(&arena);
}

/* What its reply draws anew is news to both, as far as they see it. */
static void test_provision_update_tells_what_people_see(void)
{
	static const struct {
		const char *name;
		enum join_links links;
		struct meeting_link link;
		bool news;
	} cases[] = {
		{"gate, as before", JOIN_GATE, {.passcode = "4711"}, false},
		{"gate, nothing said", JOIN_GATE, {0}, false},
		{"gate, another link", JOIN_GATE,
			{.url = "https://meet.test/new", .passcode = "4711"}, false},
		{"gate, another link without a passcode", JOIN_GATE,
			{.url = "https://meet.test/new"}, true},
		{"gate, another passcode", JOIN_GATE, {.passcode = "0815"}, true},
		{"direct, as before", JOIN_DIRECT, {.url = "https://meet.test/room"}, false},
		{"direct, another link", JOIN_DIRECT, {.url = "https://meet.test/new"}, true},
		{"direct, another passcode", JOIN_DIRECT, {.passcode = "0815"}, true},
	};
	const struct effect_outcome done = {.err = ERR_OK};
	struct arena *arena = arena_new();
	size_t i;
	int party;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct request *request = core_at_zoom(arena);
		struct cause cause = core_system(arena, NOW);
		int64_t sequence;

		request->meeting->direct = cases[i].links == JOIN_DIRECT;
		if (request->meeting->direct)
			request->meeting->direct_url = request->meeting->provider_url;
		news_owe_change(&cause, request);
		for (party = PARTY_CLIENT; party <= PARTY_LAWYER; party++)
			core_settle_mail(arena, request,
				core_effect(request, EFFECT_MAIL_MEETING_READY, (enum party)party),
				NOW, ERR_OK, "");
		sequence = request->meeting->sequence;
		meeting_owe_update(&cause, request);
		provision_updated(
			&cause, request, core_effect(request, UPDATE, 0), &done, &cases[i].link);
		UNIT_CHECK(request->meeting->sequence == sequence + cases[i].news, cases[i].name);
		for (party = PARTY_CLIENT; party <= PARTY_LAWYER; party++)
			UNIT_CHECK((core_effect(request, EFFECT_MAIL_MEETING_UPDATED,
					    (enum party)party) != NULL) == cases[i].news,
				cases[i].name);
	}
	arena_free(&arena);
}

/* A conference that is made anew is news where its link is what people have. */
static void test_provision_remade_tells_what_people_see(void)
{
	static const struct {
		const char *name;
		bool direct, news;
		struct meeting_link link;
	} cases[] = {
		{"gate", false, false, {.url = "https://meet.test/new", .passcode = "4711"}},
		{"gate, passcode", false, true, {.url = "https://meet.test/new", .passcode = "1"}},
		{"direct", true, true, {.url = "https://meet.test/new", .passcode = "4711"}},
	};
	const struct effect_outcome done = {.err = ERR_OK};
	struct arena *arena = arena_new();
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct request *request = core_at_zoom(arena);
		struct cause cause = core_system(arena, NOW);

		request->meeting->direct = cases[i].direct;
		core_settle_mail(arena, request,
			core_effect(request, EFFECT_MAIL_MEETING_READY, PARTY_CLIENT), NOW, ERR_OK,
			"");
		meeting_remake(&cause, request);
		provision_created(
			&cause, request, meeting_creation(request), &done, &cases[i].link);
		UNIT_CHECK((core_effect(request, EFFECT_MAIL_MEETING_UPDATED, PARTY_CLIENT) !=
				   NULL) == cases[i].news,
			cases[i].name);
		UNIT_CHECK(request->meeting->sequence == 1, cases[i].name);
	}
	arena_free(&arena);
}

static void test_provision_late_updates_change_nothing(void)
{
	static const enum err errs[] = {ERR_OK, ERR_GONE, ERR_TEMPORARY, ERR_PERMANENT};
	struct arena *arena = arena_new();
	size_t i;
	int moved;

	for (i = 0; i < sizeof(errs) / sizeof(errs[0]); i++)
		for (moved = CANCELLED; moved <= EXPIRED; moved++) {
			const struct effect_outcome outcome = {.err = errs[i], .detail = "words"};
			struct request *request = core_at_zoom(arena);
			struct cause cause = core_system(arena, NOW);
			const char *before;

			provision_owe_update(arena, request);
			provision_move_on(arena, request, moved);
			before = core_stored(arena, &meeting_model, request->meeting);
			provision_updated(&cause, request, core_effect(request, UPDATE, 0),
				&outcome, &core_link);
			CU_ASSERT_STRING_EQUAL(
				core_stored(arena, &meeting_model, request->meeting), before);
			CU_ASSERT_PTR_NULL(core_effect(request, UPDATE, 0));
		}
	arena_free(&arena);
}

/* ---- delete ---- */

static void provision_settle_removal(
	struct arena *arena, struct request *request, struct effect *removal, enum err err)
{
	const struct effect_outcome outcome = {.err = err, .detail = "words"};
	struct cause cause = core_system(arena, NOW);

	provision_claim(request, removal, NOW);
	provision_deleted(&cause, request, removal, &outcome);
}

static void test_provision_deletions(void)
{
	static const struct {
		const char *name;
		enum err err;
		bool left, failed;
	} cases[] = {
		{"done", ERR_OK, false, false},
		{"not there any more", ERR_GONE, false, false},
		{"temporary", ERR_TEMPORARY, true, false},
		{"unknown", ERR_OUTCOME_UNKNOWN, true, false},
		{"unavailable", ERR_UNAVAILABLE, true, false},
		{"credential", ERR_CREDENTIAL, true, false},
		{"permanent", ERR_PERMANENT, true, true},
	};
	struct arena *arena = arena_new();
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct request *request = core_at_zoom(arena);
		const struct effect *removal;

		core_cancel(arena, request, CORE_NOW);
		provision_settle_removal(
			arena, request, core_effect(request, DELETE, 0), cases[i].err);
		removal = core_effect(request, DELETE, 0);
		UNIT_CHECK((removal != NULL) == cases[i].left, cases[i].name);
		UNIT_CHECK((provision_warning(request, "provider_orphan") != NULL) == cases[i].left,
			cases[i].name);
		UNIT_CHECK(core_count_events(request, "provider.orphan_deleted") == !cases[i].left,
			cases[i].name);
		if (!removal)
			continue;
		UNIT_CHECK((removal->state == EFFECT_FAILED) == cases[i].failed, cases[i].name);
		UNIT_CHECK(removal->give_up_at == CORE_NOW + 7 * INSTANT_DAY, cases[i].name);
		UNIT_CHECK(!removal->lease && removal->due > NOW, cases[i].name);
		/* It is still to be deleted once another link is there, and is said so. */
		if (cases[i].failed)
			continue;
		provision_settle_removal(arena, request, core_effect(request, DELETE, 0), ERR_OK);
		UNIT_CHECK(!provision_warning(request, "provider_orphan"), cases[i].name);
	}
	arena_free(&arena);
}

/* The last one that is deleted takes the warning away, and a change at the provider does not. */
static void test_provision_orphans_stay_visible(void)
{
	const struct effect_outcome done = {.err = ERR_OK, .detail = ""};
	const struct policy policy = core_policy(2);
	struct arena *arena = arena_new();
	struct request *request = provision_pending(arena, true);
	struct cause cause = core_system(arena, NOW);

	provision_try(arena, request, ERR_UNAVAILABLE, &policy);
	core_creation(request)->creation->begun = true;
	provision_try(arena, request, ERR_UNAVAILABLE, &policy);
	provision_try(arena, request, ERR_OK, &policy);
	CU_ASSERT_EQUAL(request->meeting->status, MEETING_READY);
	CU_ASSERT_EQUAL(core_count_effects(request, DELETE), 2);
	CU_ASSERT_PTR_NULL(provision_warning(request, "provider_orphan"));
	provision_settle_removal(arena, request, core_effect(request, DELETE, 0), ERR_TEMPORARY);
	CU_ASSERT_STRING_EQUAL(provision_warning(request, "provider_orphan"),
		"zoom may still have a meeting that has ended here; it is being deleted.");
	core_under(&cause, &policy);
	provision_updated(&cause, request, provision_owe_update(arena, request), &done, &core_link);
	CU_ASSERT_PTR_NOT_NULL(provision_warning(request, "provider_orphan"));
	CU_ASSERT_PTR_NOT_NULL(provision_warning(request, "provider_failover"));
	provision_settle_removal(arena, request, core_effect(request, DELETE, 0), ERR_PERMANENT);
	CU_ASSERT_STRING_EQUAL(provision_warning(request, "provider_orphan"),
		"zoom may still have a meeting that has ended here; it has to be deleted there by "
		"hand.");
	effect_drop(request, core_effect(request, DELETE, 0));
	provision_settle_removal(arena, request, core_effect(request, DELETE, 0), ERR_OK);
	CU_ASSERT_PTR_NULL(provision_warning(request, "provider_orphan"));
	arena_free(&arena);
}

/* ---- verify ---- */

static void provision_verify(struct arena *arena, struct request *request, int64_t now,
	enum err err, const struct provision_state *state)
{
	const struct effect_outcome outcome = {.err = err, .detail = "words"};
	struct cause cause = core_system(arena, now);
	struct effect *verify = core_effect(request, VERIFY, 0);

	provision_claim(request, verify, now);
	provision_verified(&cause, request, verify, &outcome, state);
}

/* What the policy does not let anybody know any more goes with the next comparison. */
static void test_provision_verified_under_another_policy(void)
{
	static const char *numbers[] = {"+49 30 1234"};
	const struct provision_state state = {CORE_START, CORE_END, false};
	const struct effect_outcome outcome = {.err = ERR_OK, .detail = ""};
	struct policy policy = policy_default;
	struct config config = core_config;
	struct arena *arena = arena_new();
	struct request *request = core_at_zoom(arena);
	struct cause cause = core_system(arena, CORE_NOW);
	struct effect *verify;
	int round;

	config.policy = &policy;
	cause.config = &config;
	for (round = 0; round < 2; round++) {
		policy.show_dial_in = round == 0;
		request->meeting->dial_in = (struct model_list){.items = numbers, .count = 1};
		verify = core_effect(request, VERIFY, 0);
		provision_claim(request, verify, CORE_NOW);
		provision_verified(&cause, request, verify, &outcome, &state);
		CU_ASSERT_EQUAL(request->meeting->dial_in.count, round == 0);
	}
	arena_free(&arena);
}

static void test_provision_verifications(void)
{
	static const struct {
		const char *name;
		enum err err;
		struct provision_state state;
		const char *owed, *repaired;
	} cases[] = {
		{"as it should be", ERR_OK, {CORE_START, CORE_END, false}, "ErV", NULL},
		{"says no times", ERR_OK, {0, 0, false}, "ErV", NULL},
		{"another start", ERR_OK, {CORE_START + 1, CORE_END, false}, "ErVU", "moved"},
		{"another end", ERR_OK, {CORE_START, CORE_END - 1, false}, "ErVU", "moved"},
		{"only an end", ERR_OK, {0, CORE_END - 1, false}, "ErVU", "moved"},
		{"other settings", ERR_OK, {CORE_START, CORE_END, true}, "ErVU", "settings"},
		{"gone", ERR_GONE, {0, 0, false}, "EDC", "gone"},
		{"cannot say", ERR_TEMPORARY, {0, 0, true}, "ErV", NULL},
		{"must not say", ERR_CREDENTIAL, {0, 0, false}, "ErV", NULL},
		{"will never say", ERR_PERMANENT, {0, 0, false}, "ErV", NULL},
	};
	struct arena *arena = arena_new();
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct request *request = core_at_zoom(arena);

		provision_verify(arena, request, NOW, cases[i].err, &cases[i].state);
		UNIT_CHECK(provision_same(core_owed(arena, request), cases[i].owed), cases[i].name);
		UNIT_CHECK(core_count_events(request, "provider.drift_repaired") ==
				   (cases[i].repaired != NULL),
			cases[i].name);
		if (cases[i].repaired)
			UNIT_CHECK(
				provision_same(core_last_event(request)->detail, cases[i].repaired),
				cases[i].name);
	}
	arena_free(&arena);
}

/* A comparison that failed is repeated soon, and still when the meeting opens; after one that told
 * something there is time. */
static void test_provision_verification_is_repeated(void)
{
	static const struct {
		const char *name;
		enum err err;
		int64_t now, wait;
	} cases[] = {
		{"told", ERR_OK, NOW, 6 * INSTANT_HOUR},
		{"failed", ERR_TEMPORARY, NOW, 15 * INSTANT_MINUTE},
		{"refused", ERR_CREDENTIAL, NOW, 15 * INSTANT_MINUTE},
		{"failed before people come", ERR_TEMPORARY, OPENS - 1, 1},
		{"failed as people come", ERR_TEMPORARY, OPENS, 15 * INSTANT_MINUTE},
		{"told as people come", ERR_OK, OPENS, 6 * INSTANT_HOUR},
	};
	static const struct provision_state right = {CORE_START, CORE_END, false};
	struct arena *arena = arena_new();
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct request *request = core_at_zoom(arena);

		CU_ASSERT_EQUAL_FATAL(request->meeting->opens_at, OPENS);
		provision_verify(arena, request, cases[i].now, cases[i].err, &right);
		UNIT_CHECK(core_effect(request, VERIFY, 0)->due == cases[i].now + cases[i].wait,
			cases[i].name);
	}
	arena_free(&arena);
}

/* What is being updated may be seen half done; what could not be is tried again. */
static void test_provision_verified_while_it_is_updated(void)
{
	const struct provision_state old = {CORE_START, CORE_END, false};
	struct arena *arena = arena_new();
	struct request *request = core_at_zoom(arena);
	struct effect *update = provision_owe_update(arena, request);

	provision_verify(arena, request, NOW, ERR_OK, &old);
	CU_ASSERT_STRING_EQUAL(core_owed(arena, request), "EUrV");
	update = core_effect(request, UPDATE, 0);
	update->lease = NULL;
	update->state = EFFECT_FAILED;
	provision_verify(arena, request, NOW, ERR_OK, &old);
	CU_ASSERT_STRING_EQUAL(core_owed(arena, request), "ErVU");
	CU_ASSERT_EQUAL(core_effect(request, UPDATE, 0)->state, EFFECT_DUE);
	/* Somebody did there by hand what could not be done. */
	update = core_effect(request, UPDATE, 0);
	update->state = EFFECT_FAILED;
	*(struct warning *)model_list_add(arena, &request->meeting->warnings,
		sizeof(struct warning)) = (struct warning){WARNING_NOT_UPDATED, "Retry."};
	provision_verify(arena, request, NOW, ERR_OK,
		&(struct provision_state){
			request->meeting->starts_at, request->meeting->ends_at, false});
	CU_ASSERT_STRING_EQUAL(core_owed(arena, request), "ErV");
	CU_ASSERT_PTR_NULL(meeting_warning(request->meeting, WARNING_NOT_UPDATED));
	arena_free(&arena);
}

static void test_provision_verification_ends_with_the_meeting(void)
{
	static const struct provision_state drifted = {1, 2, true};
	static const enum err errs[] = {ERR_OK, ERR_GONE, ERR_TEMPORARY};
	struct arena *arena = arena_new();
	size_t i;
	int moved;

	for (i = 0; i < 3; i++) {
		struct request *request = core_at_zoom(arena);

		provision_verify(arena, request, CORE_END, errs[i], &drifted);
		CU_ASSERT_STRING_EQUAL(core_owed(arena, request), "Er");
		for (moved = CANCELLED; moved <= EXPIRED; moved++) {
			const struct effect_outcome outcome = {.err = errs[i], .detail = ""};
			struct cause cause = core_system(arena, NOW);

			request = core_at_zoom(arena);
			provision_claim(request, core_effect(request, VERIFY, 0), CORE_NOW);
			provision_move_on(arena, request, moved);
			provision_verified(&cause, request, core_effect(request, VERIFY, 0),
				&outcome, &drifted);
			CU_ASSERT_PTR_NULL(core_effect(request, VERIFY, 0));
			CU_ASSERT_PTR_NULL(core_effect(request, UPDATE, 0));
			CU_ASSERT_EQUAL(core_count_events(request, "provider.drift_repaired"), 0);
		}
	}
	arena_free(&arena);
}

/* ---- expiry ---- */

static void provision_expire(struct arena *arena, struct request *request, int64_t now)
{
	const struct effect_outcome outcome = {.err = ERR_OK};
	struct cause cause = core_system(arena, now);
	struct effect *expire = core_effect(request, EXPIRE, 0);

	provision_claim(request, expire, now);
	provision_expired(&cause, request, expire, &outcome);
}

static void test_provision_expires(void)
{
	static const struct {
		const char *name;
		enum core_state state;
		bool alone; /* its meeting was cancelled alone */
		enum meeting_status status;
	} cases[] = {
		{"ready", CORE_READY, false, MEETING_EXPIRED},
		{"pending", CORE_PENDING, false, MEETING_EXPIRED},
		{"failed", CORE_FAILED, false, MEETING_EXPIRED},
		{"cancelled alone", CORE_READY, true, MEETING_CANCELLED},
	};
	struct arena *arena = arena_new();
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct request *request = core_in_state(arena, cases[i].state);
		const int64_t at = request->meeting->expires_at;

		if (cases[i].alone)
			core_cancel_meeting(arena, request, NOW);
		provision_expire(arena, request, at);
		UNIT_CHECK(request->status == REQUEST_COMPLETED, cases[i].name);
		UNIT_CHECK(request->meeting->status == (int)cases[i].status, cases[i].name);
		UNIT_CHECK(
			request->meeting->ended_at == (cases[i].alone ? NOW : at), cases[i].name);
		UNIT_CHECK(request->effects.count == 0, cases[i].name);
		UNIT_CHECK(provision_same(core_last_event(request)->action, "request.completed"),
			cases[i].name);
	}
	arena_free(&arena);
}

static void test_provision_expiry_closes_the_link_at_the_provider(void)
{
	struct arena *arena = arena_new();
	struct request *request = core_at_zoom(arena);

	provision_expire(arena, request, request->meeting->expires_at);
	CU_ASSERT_STRING_EQUAL(core_owed(arena, request), "D");
	CU_ASSERT_STRING_EQUAL(core_effect(request, DELETE, 0)->removal->external_id, "ext-1");
	arena_free(&arena);
}

/* The meeting was moved while somebody was at its expiry, or a clock is ahead. */
static void test_provision_expiry_waits_for_its_time(void)
{
	struct arena *arena = arena_new();
	struct request *request = core_at_zoom(arena);

	provision_expire(arena, request, request->meeting->expires_at - 1);
	CU_ASSERT_EQUAL(request->status, REQUEST_ACCEPTED);
	CU_ASSERT_EQUAL(core_effect(request, EXPIRE, 0)->due, request->meeting->expires_at);
	CU_ASSERT_PTR_NULL(core_effect(request, EXPIRE, 0)->lease);
	/* Whoever holds its lease when it is moved has lost it. */
	provision_claim(request, core_effect(request, EXPIRE, 0), NOW);
	core_move(arena, request, NOW, CORE_START + INSTANT_DAY);
	CU_ASSERT_PTR_NULL(core_effect(request, EXPIRE, 0)->lease);
	CU_ASSERT_EQUAL(core_effect(request, EXPIRE, 0)->due, request->meeting->expires_at);
	arena_free(&arena);
}

static const struct unit_case cases[] = {
	{"creations that fail", test_provision_creations_that_fail},
	{"goes round", test_provision_goes_round},
	{"forgets nobody", test_provision_forgets_nobody},
	{"waits for the first", test_provision_waits_for_the_first},
	{"ends at the default", test_provision_ends_at_the_default},
	{"a sick week", test_provision_a_sick_week},
	{"waits for what is being made", test_provision_waits_for_what_is_being_made},
	{"asks each once in a round", test_provision_asks_each_once_in_a_round},
	{"gives up in time", test_provision_gives_up_in_time},
	{"retry after giving up", test_provision_retry_after_giving_up},
	{"retry begins at the requested one", test_provision_retry_begins_at_the_requested_one},
	{"late answers", test_provision_late_answers},
	{"made while it moved", test_provision_made_while_it_moved},
	{"made loudly elsewhere", test_provision_made_loudly_elsewhere},
	{"forgives what is over", test_provision_forgives_what_is_over},
	{"updates", test_provision_updates},
	{"update done takes the warning away", test_provision_update_done_takes_the_warning_away},
	{"update tells what people see", test_provision_update_tells_what_people_see},
	{"remade tells what people see", test_provision_remade_tells_what_people_see},
	{"late updates change nothing", test_provision_late_updates_change_nothing},
	{"deletions", test_provision_deletions},
	{"orphans stay visible", test_provision_orphans_stay_visible},
	{"verifications", test_provision_verifications},
	{"verification is repeated", test_provision_verification_is_repeated},
	{"verified under another policy", test_provision_verified_under_another_policy},
	{"verified while it is updated", test_provision_verified_while_it_is_updated},
	{"verification ends with the meeting", test_provision_verification_ends_with_the_meeting},
	{"expires", test_provision_expires},
	{"expiry closes the link at the provider",
		test_provision_expiry_closes_the_link_at_the_provider},
	{"expiry waits for its time", test_provision_expiry_waits_for_its_time},
};

UNIT_MAIN("provision", cases)
