#include "core_unit.h"

enum { LEASE_MS = 90 * 1000, EFFECT_MAX = 5 };

#define CREATE    EFFECT_MEETING_CREATE
#define UPDATE    EFFECT_MEETING_UPDATE
#define DELETE    EFFECT_MEETING_DELETE
#define EXPIRE    EFFECT_MEETING_EXPIRE
#define VERIFY    EFFECT_MEETING_VERIFY
#define INVITE    EFFECT_MAIL_MEETING_READY
#define NEWS      EFFECT_MAIL_MEETING_UPDATED
#define CANCEL    EFFECT_MAIL_MEETING_CANCELLED
#define ANSWERED  EFFECT_MAIL_MEETING_ANSWERED
#define TO_CLIENT PARTY_CLIENT
#define TO_LAWYER PARTY_LAWYER

/* Times here are milliseconds after CORE_NOW. */
struct effect_case {
	enum effect_kind kind;
	enum party party;
	enum effect_state state;
	int64_t due;
	bool leased;
};

/* With a link, and owing nothing. */
static struct request *effect_request(struct arena *arena)
{
	struct request *request = core_in_state(arena, CORE_READY);

	request->effects = (struct model_list){0};
	return request;
}

static void effect_add_rows(
	struct arena *arena, struct request *request, const struct effect_case *rows, size_t count)
{
	struct cause cause = core_system(arena, CORE_NOW);
	struct effect *effect;
	size_t i;

	for (i = 0; i < count; i++) {
		effect = effect_owe(&cause, request, rows[i].kind);
		if (effect->mail)
			effect->mail->party = rows[i].party;
		effect->state = rows[i].state;
		effect->due = CORE_NOW + rows[i].due;
		effect->lease = rows[i].leased ? "lease of another" : NULL;
		effect->attempts = rows[i].leased;
	}
}

static void test_effect_claim_takes_due_heads(void)
{
	static const struct {
		const char *name;
		struct effect_case rows[EFFECT_MAX];
		size_t count;
		int64_t next_due; /* -1: nothing is owed */
		int64_t now;
		const char *claimed; /* one letter a row: x = leased to us */
	} cases[] = {
		{"nothing owed", {{0}}, 0, -1, 0, ""},
		{"one, due", {{CREATE, 0, 0, 0, 0}}, 1, 0, 0, "x"},
		{"one, due a moment ago", {{CREATE, 0, 0, 0, 0}}, 1, 0, 1, "x"},
		{"one, due in a moment", {{CREATE, 0, 0, 1, 0}}, 1, 1, 0, "."},
		{"lease of another runs", {{CREATE, 0, 0, LEASE_MS, 1}}, 1, LEASE_MS, LEASE_MS - 1,
			"."},
		{"lease of another is over", {{CREATE, 0, 0, LEASE_MS, 1}}, 1, LEASE_MS, LEASE_MS,
			"x"},
		{"mails to two people do not wait for each other",
			{{INVITE, TO_CLIENT, 0, 0, 0}, {INVITE, TO_LAWYER, 0, 0, 0}}, 2, 0, 0,
			"xx"},
		{"mail does not wait for the provider's lane",
			{{CREATE, 0, 0, 100, 0}, {INVITE, TO_CLIENT, 0, 0, 0}}, 2, 0, 0, ".x"},
		{"cancellation waits for the invitation",
			{{INVITE, TO_CLIENT, 0, 0, 0}, {CANCEL, TO_CLIENT, 0, 0, 0}}, 2, 0, 0,
			"x."},
		{"a mail that waits for its time lets another pass",
			{{ANSWERED, TO_CLIENT, 0, 500, 0}, {CANCEL, TO_CLIENT, 0, 0, 0}}, 2, 0, 0,
			".x"},
		{"and waits for it",
			{{ANSWERED, TO_CLIENT, 0, 500, 0}, {CANCEL, TO_CLIENT, 0, LEASE_MS, 1}}, 2,
			LEASE_MS, 500, ".."},
		{"what waits for its time at the provider keeps its turn",
			{{CREATE, 0, 0, 500, 0}, {UPDATE, 0, 0, 0, 0}}, 2, 500, 499, ".."},
		{"cancellation waits for an invitation being sent",
			{{INVITE, TO_CLIENT, 0, LEASE_MS, 1}, {CANCEL, TO_CLIENT, 0, 0, 0}}, 2,
			LEASE_MS, 0, ".."},
		{"the other person's lane goes on",
			{{INVITE, TO_CLIENT, 0, LEASE_MS, 1}, {INVITE, TO_LAWYER, 0, 7, 0},
				{CANCEL, TO_CLIENT, 0, 0, 0}, {CANCEL, TO_LAWYER, 0, 7, 0}},
			4, 7, 7, ".x.."},
		{"failed frees the lane",
			{{INVITE, TO_CLIENT, EFFECT_FAILED, 0, 0}, {CANCEL, TO_CLIENT, 0, 0, 0}}, 2,
			0, 0, ".x"},
		{"what stands alone waits for nothing",
			{{DELETE, 0, 0, 500, 0}, {DELETE, 0, 0, 0, 0}, {VERIFY, 0, 0, 0, 0},
				{EXPIRE, 0, 0, 0, 0}},
			4, 0, 0, ".xxx"},
		{"update waits for the creation before it",
			{{CREATE, 0, 0, LEASE_MS, 1}, {UPDATE, 0, 0, 0, 0}}, 2, LEASE_MS, 0, ".."},
		{"failed is never due", {{INVITE, TO_CLIENT, EFFECT_FAILED, 0, 0}}, 1, -1, 0, "."},
		{"failed does not hide the next due",
			{{CREATE, 0, EFFECT_FAILED, 0, 0}, {INVITE, TO_LAWYER, 0, 300, 0}}, 2, 300,
			299, ".."},
		{"earliest head counts",
			{{CREATE, 0, 0, 900, 0}, {INVITE, TO_CLIENT, 0, 800, 0},
				{INVITE, TO_LAWYER, 0, 700, 0}, {CANCEL, TO_CLIENT, 0, 800, 0}},
			4, 700, 800, ".xx."},
	};
	struct arena *arena;
	struct request *request;
	size_t i, j, expected;
	bool ours;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		arena = arena_new();
		request = effect_request(arena);
		effect_add_rows(arena, request, cases[i].rows, cases[i].count);
		CU_ASSERT_EQUAL(effect_next_due(request),
			cases[i].next_due < 0 ? 0 : CORE_NOW + cases[i].next_due);
		expected = 0;
		for (j = 0; j < cases[i].count; j++)
			expected += cases[i].claimed[j] == 'x';
		CU_ASSERT_EQUAL(
			core_claim(request, CORE_NOW + cases[i].now, "ours", LEASE_MS), expected);
		for (j = 0; j < cases[i].count; j++) {
			const struct effect *effect = MODEL_AT(&request->effects, struct effect, j);

			ours = effect->lease && strcmp(effect->lease, "ours") == 0;
			if (ours != (cases[i].claimed[j] == 'x'))
				printf("%s: row %zu\n", cases[i].name, j);
			CU_ASSERT_EQUAL(ours, cases[i].claimed[j] == 'x');
			CU_ASSERT_EQUAL(effect->due,
				CORE_NOW + (ours ? cases[i].now + LEASE_MS : cases[i].rows[j].due));
		}
		arena_free(&arena);
	}
}

static void test_effect_mails_wait_for_their_link(void)
{
	static const struct {
		enum effect_kind kind;
		enum meeting_status status;
		bool waits;
	} cases[] = {
		{INVITE, MEETING_PENDING, true},
		{INVITE, MEETING_FAILED, true},
		{INVITE, MEETING_READY, false},
		{INVITE, MEETING_CANCELLED, false},
		{NEWS, MEETING_PENDING, true},
		{NEWS, MEETING_FAILED, true},
		{NEWS, MEETING_READY, false},
		{CANCEL, MEETING_PENDING, false},
		{CANCEL, MEETING_FAILED, false},
	};
	struct arena *arena = arena_new();
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct effect_case row = {.kind = cases[i].kind};
		struct request *request = effect_request(arena);

		effect_add_rows(arena, request, &row, 1);
		request->meeting->status = cases[i].status;
		UNIT_CHECK((effect_next_due(request) == 0) == cases[i].waits,
			effect_kind_names[cases[i].kind]);
		UNIT_CHECK((core_claim(request, CORE_NOW, "ours", LEASE_MS) == 0) == cases[i].waits,
			effect_kind_names[cases[i].kind]);
	}
	arena_free(&arena);
}

/* It is due sooner, but nobody knows when its link will be there. */
static void test_effect_what_waits_for_its_link_passes_nobody(void)
{
	static const struct effect_case rows[] = {
		{ANSWERED, TO_CLIENT, 0, 500, 0}, {INVITE, TO_CLIENT, 0, 0, 0}};
	struct arena *arena = arena_new();
	struct request *request = effect_request(arena);

	effect_add_rows(arena, request, rows, 2);
	request->meeting->status = MEETING_PENDING;
	CU_ASSERT_EQUAL(effect_next_due(request), CORE_NOW + 500);
	MODEL_AT(&request->effects, struct effect, 1)->attempts = 1;
	CU_ASSERT_EQUAL(effect_next_due(request), CORE_NOW + 500);
	request->meeting->status = MEETING_READY;
	CU_ASSERT_EQUAL(effect_next_due(request), CORE_NOW);
	arena_free(&arena);
}

/* Whether a call may have been under way before is known from the claim on. */
static void test_effect_claim_of_a_creation_knows_what_was_before(void)
{
	struct arena *arena = arena_new();
	struct request *request = core_in_state(arena, CORE_PENDING);
	struct effect *create = core_creation(request);

	CU_ASSERT_TRUE(effect_claim_one(request, create, CORE_NOW, "a", LEASE_MS));
	CU_ASSERT(create->creation->begun && !create->creation->repeated);
	CU_ASSERT_FALSE(effect_claim_one(request, create, CORE_NOW, "b", LEASE_MS));
	CU_ASSERT(effect_is_running(create, CORE_NOW + LEASE_MS - 1));
	CU_ASSERT_FALSE(effect_is_running(create, CORE_NOW + LEASE_MS));
	CU_ASSERT_TRUE(effect_claim_one(request, create, CORE_NOW + LEASE_MS, "b", LEASE_MS));
	CU_ASSERT(create->creation->begun && create->creation->repeated);
	CU_ASSERT_EQUAL(create->attempts, 2);
	CU_ASSERT_STRING_EQUAL(create->lease, "b");
	arena_free(&arena);
}

static void test_effect_second_claim_finds_nothing(void)
{
	struct arena *arena = arena_new();
	struct request *request = core_in_state(arena, CORE_READY);

	CU_ASSERT_EQUAL(core_claim(request, CORE_NOW, "a", LEASE_MS), 2);
	CU_ASSERT_EQUAL(core_claim(request, CORE_NOW, "b", LEASE_MS), 0);
	CU_ASSERT_EQUAL(core_claim(request, CORE_NOW + LEASE_MS - 1, "b", LEASE_MS), 0);
	CU_ASSERT_EQUAL(core_claim(request, CORE_NOW + LEASE_MS, "b", LEASE_MS), 2);
	CU_ASSERT_EQUAL(effect_next_due(request), CORE_NOW + 2 * LEASE_MS);
	arena_free(&arena);
}

/* What is first in its lane is found by its queue; what waits for it is not. */
static void test_effect_owed_is_by_queue(void)
{
	static const struct effect_case rows[] = {
		{VERIFY, 0, 0, 50, 0},
		{EXPIRE, 0, 0, 900, 0},
		{CREATE, 0, 0, 70, 0},
		{UPDATE, 0, 0, 1, 0},
		{INVITE, TO_CLIENT, 0, 30, 0},
		{CANCEL, TO_CLIENT, 0, 32, 0},
		{INVITE, TO_LAWYER, 0, 20, 0},
		{DELETE, 0, EFFECT_FAILED, 3, 0},
		{DELETE, 0, 0, 60, 0},
		{DELETE, 0, 0, 40, 0},
	};
	static const struct model_time expected[] = {
		{"watch_jitsi", 50},
		{"local", 900},
		{"provider_jitsi", 70},
		{"mail", 20},
		{"provider_zoom", 40},
	};
	struct arena *arena = arena_new();
	struct request *request = effect_request(arena);
	struct model_list owed;
	size_t i;

	effect_add_rows(arena, request, rows, sizeof(rows) / sizeof(rows[0]));
	request->meeting->provider = "jitsi";
	for (i = 7; i < 10; i++)
		MODEL_AT(&request->effects, struct effect, i)->removal->provider = "zoom";
	owed = effect_owed(arena, request);
	CU_ASSERT_EQUAL_FATAL(owed.count, sizeof(expected) / sizeof(expected[0]));
	for (i = 0; i < owed.count; i++) {
		const struct model_time *time = MODEL_AT(&owed, struct model_time, i);

		CU_ASSERT_STRING_EQUAL(time->name, expected[i].name);
		UNIT_CHECK(time->at == CORE_NOW + expected[i].at, expected[i].name);
	}
	CU_ASSERT_EQUAL(effect_next_due(request), CORE_NOW + 20);
	arena_free(&arena);
}

/* As if it had not been claimed. */
static void test_effect_given_back_is_due_at_once(void)
{
	struct arena *arena = arena_new();
	struct request *request = core_in_state(arena, CORE_READY);
	struct effect *mail = MODEL_AT(&request->effects, struct effect, 0);

	while (!mail->mail)
		mail++;
	CU_ASSERT_TRUE(effect_claim_one(request, mail, CORE_NOW, "a", LEASE_MS));
	effect_give_back(mail, CORE_NOW + 7);
	CU_ASSERT_FALSE(effect_is_running(mail, CORE_NOW));
	CU_ASSERT_EQUAL(mail->attempts, 0);
	CU_ASSERT_FALSE(effect_claim_one(request, mail, CORE_NOW + 6, "b", LEASE_MS));
	CU_ASSERT_TRUE(effect_claim_one(request, mail, CORE_NOW + 7, "b", LEASE_MS));
	CU_ASSERT_EQUAL(mail->attempts, 1);
	arena_free(&arena);
}

static void test_effect_owe_notes_the_meeting(void)
{
	struct arena *arena = arena_new();
	struct cause cause = core_system(arena, CORE_NOW + 5);
	struct request *request = core_open(arena);
	struct effect *effect = effect_owe(&cause, request, EFFECT_MAIL_REQUEST_DECLINED);

	CU_ASSERT_EQUAL(effect->generation, 0);
	CU_ASSERT_EQUAL(effect->due, CORE_NOW + 5);
	CU_ASSERT_EQUAL(effect->created_at, CORE_NOW + 5);
	CU_ASSERT_EQUAL(effect->state, EFFECT_DUE);
	CU_ASSERT_EQUAL(effect->attempts, 0);
	CU_ASSERT_PTR_NULL(effect->lease);
	request = core_in_state(arena, CORE_READY);
	request->meeting->generation = 3;
	request->meeting->sequence = 7;
	effect = effect_owe(&cause, request, CANCEL);
	CU_ASSERT_EQUAL(effect->generation, 3);
	CU_ASSERT_EQUAL(effect->sequence, 7);
	arena_free(&arena);
}

static void test_effect_find_and_drop(void)
{
	const struct effect_case rows[] = {
		{CREATE, 0, 0, 0, 0}, {INVITE, TO_CLIENT, 0, 0, 0}, {INVITE, TO_LAWYER, 0, 0, 0}};
	struct arena *arena = arena_new();
	struct request *request = effect_request(arena);
	const char *ids[3];
	size_t i, drop;

	for (drop = 0; drop < 3; drop++) {
		request->effects = (struct model_list){0};
		effect_add_rows(arena, request, rows, 3);
		for (i = 0; i < 3; i++)
			ids[i] = MODEL_AT(&request->effects, struct effect, i)->id;
		effect_drop(request, effect_find(request, ids[drop]));
		CU_ASSERT_EQUAL(request->effects.count, 2);
		for (i = 0; i < 3; i++)
			CU_ASSERT_EQUAL(effect_find(request, ids[i]) == NULL, i == drop);
	}
	CU_ASSERT_PTR_NULL(effect_find(request, "no such effect"));
	arena_free(&arena);
}

static void test_effect_retry_or_give_up(void)
{
	static const struct {
		const char *name;
		int64_t attempts, retry_after_s, left_ms; /* until it is given up */
		enum effect_state state;
		int64_t least_ms, most_ms;
	} cases[] = {
		{"first", 1, 0, INSTANT_DAY, EFFECT_DUE, 100, 5000},
		{"fourth", 4, 0, INSTANT_DAY, EFFECT_DUE, 100, 40000},
		{"at the ceiling", 30, 0, INSTANT_DAY, EFFECT_DUE, 100, 600000},
		{"Retry-After", 1, 900, INSTANT_DAY, EFFECT_DUE, 900000, 900000},
		{"next try just in time", 1, 900, 900000, EFFECT_DUE, 900000, 900000},
		{"next try a moment too late", 1, 900, 899999, EFFECT_FAILED, 900000, 900000},
		{"too late already", 1, 0, 0, EFFECT_FAILED, 100, 5000},
	};
	struct arena *arena = arena_new();
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct cause cause = core_system(arena, CORE_NOW);
		struct effect effect = {
			.kind = CREATE,
			.lease = "ours",
			.attempts = cases[i].attempts,
			.give_up_at = CORE_NOW + cases[i].left_ms,
		};
		const struct effect_outcome outcome = {.err = ERR_TEMPORARY,
			.detail = "away",
			.retry_after_s = cases[i].retry_after_s};

		effect_failed(&cause, &effect, &outcome, 5, 600);
		if (effect.state != (int)cases[i].state)
			printf("%s: %s\n", cases[i].name, effect_state_names[effect.state]);
		CU_ASSERT_EQUAL(effect.state, (int)cases[i].state);
		CU_ASSERT_PTR_NULL(effect.lease);
		CU_ASSERT_EQUAL(effect.attempts, cases[i].attempts);
		CU_ASSERT_STRING_EQUAL(effect.last_error->detail, "away");
		CU_ASSERT(effect.due >= CORE_NOW + cases[i].least_ms);
		CU_ASSERT(effect.due <= CORE_NOW + cases[i].most_ms);
	}
	arena_free(&arena);
}

/* What a document may lack, so that no rule is met with it. */
static void test_effect_is_whole_or_not(void)
{
	struct creation creation = {0};
	struct removal removal = {.provider = "zoom", .provider_key = "key"}, keyless = {0};
	struct mail mail = {0};
	const struct {
		struct effect effect;
		bool with_meeting, whole;
	} cases[] = {
		{{.kind = CREATE, .creation = &creation}, true, true},
		{{.kind = CREATE, .creation = &creation}, false, false},
		{{.kind = CREATE, .removal = &removal, .mail = &mail}, true, false},
		{{.kind = DELETE, .removal = &removal}, true, true},
		{{.kind = DELETE, .removal = &removal}, false, false},
		{{.kind = DELETE, .creation = &creation}, true, false},
		{{.kind = DELETE, .removal = &keyless}, true, false},
		{{.kind = UPDATE}, true, true},
		{{.kind = UPDATE}, false, false},
		{{.kind = EXPIRE}, true, true},
		{{.kind = EXPIRE}, false, false},
		{{.kind = VERIFY}, false, false},
		{{.kind = INVITE, .mail = &mail}, true, true},
		{{.kind = INVITE, .mail = &mail}, false, false},
		{{.kind = INVITE, .removal = &removal}, true, false},
		{{.kind = EFFECT_MAIL_REQUEST_DECLINED, .mail = &mail}, false, true},
		{{.kind = EFFECT_MAIL_REQUEST_DECLINED}, false, false},
	};
	struct arena *arena = arena_new();
	const struct request *with = effect_request(arena), *without = core_open(arena);
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		UNIT_CHECK(effect_is_whole(cases[i].with_meeting ? with : without,
				   &cases[i].effect) == cases[i].whole,
			effect_kind_names[cases[i].effect.kind]);
	arena_free(&arena);
}

static const struct unit_case cases[] = {
	{"claim takes due heads", test_effect_claim_takes_due_heads},
	{"what is owed is filed by queue", test_effect_owed_is_by_queue},
	{"mails wait for their link", test_effect_mails_wait_for_their_link},
	{"what waits for its link passes nobody",
		test_effect_what_waits_for_its_link_passes_nobody},
	{"claim of a creation knows what was before",
		test_effect_claim_of_a_creation_knows_what_was_before},
	{"second claim finds nothing", test_effect_second_claim_finds_nothing},
	{"what is given back is due at once", test_effect_given_back_is_due_at_once},
	{"owe notes the meeting", test_effect_owe_notes_the_meeting},
	{"find and drop", test_effect_find_and_drop},
	{"retry or give up", test_effect_retry_or_give_up},
	{"is whole or not", test_effect_is_whole_or_not},
};

UNIT_MAIN("effect", cases)
