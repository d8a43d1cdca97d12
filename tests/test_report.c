#include <stdio.h>

#include "instant.h"
#include "provision.h"
#include "core_unit.h"
#include "report.h"
#include "unit.h"

#define NOW    INT64_C(1803909600000) /* 2027-03-01T14:00:00Z */
#define START  (NOW + INSTANT_DAY)
#define NUMBER "85746065432"
#define PERIOD (6 * INSTANT_HOUR)

enum { LEASE_MS = 90 * 1000, MOST_EVENTS = 200, KEPT = 32, MOST_KEPT = 256 };

static struct person client = {.id = "client-1", .name = "Ada", .email = "ada@client.test"};
static struct person lawyer = {.id = "lawyer-1", .name = "Bo", .email = "bo@lawyer.test"};

struct bench {
	struct arena *arena;
	struct request request;
	int64_t now;
	unsigned char drawn;
};

static struct cause cause_of(struct bench *bench, enum source source)
{
	struct cause cause = {
		.arena = bench->arena,
		.now = bench->now,
		.actor = {.role = ROLE_SYSTEM},
		.source = source,
		.config = &core_config,
	};

	cause.seed[0] = ++bench->drawn;
	return cause;
}

static void settle(struct bench *bench, enum effect_kind kind, enum err err,
	const struct provision_state *state)
{
	const struct meeting_link link = {
		.url = "https://us05web.zoom.us/j/" NUMBER, .external_id = NUMBER};
	const struct effect_outcome outcome = {.err = err, .detail = ""};
	struct cause cause = cause_of(bench, SOURCE_DISPATCHER);
	struct effect *effect = meeting_effect(&bench->request, kind);

	CU_ASSERT_PTR_NOT_NULL_FATAL(effect);
	effect->attempts++;
	if (kind == EFFECT_MEETING_CREATE)
		provision_created(&cause, &bench->request, effect, &outcome, &link);
	else if (kind == EFFECT_MEETING_UPDATE)
		provision_updated(&cause, &bench->request, effect, &outcome, &link);
	else
		provision_verified(&cause, &bench->request, effect, &outcome, state);
}

/* A request with a meeting at Zoom, ready when `made`. */
static void bench_init(struct bench *bench, bool made)
{
	const struct request_draft draft = {
		.title = "Lease dispute",
		.person = {&client, &lawyer},
		.starts_at = START,
		.duration_minutes = 60,
		.timezone = "Europe/Berlin",
	};
	const struct request_response accept = {.decision = DECISION_ACCEPT, .provider = "zoom"};
	struct cause cause;
	bool changed;

	*bench = (struct bench){.arena = arena_new(), .now = NOW};
	cause = cause_of(bench, SOURCE_API);
	cause.actor = (struct actor){.id = client.id, .role = ROLE_CLIENT};
	CU_ASSERT_EQUAL_FATAL(
		request_open(&cause, &draft, "AAECAwQFBgcICQoLDA0ODw", &bench->request, NULL),
		ERR_OK);
	cause = cause_of(bench, SOURCE_API);
	cause.actor = (struct actor){.id = lawyer.id, .role = ROLE_LAWYER, .email = lawyer.email};
	CU_ASSERT_EQUAL_FATAL(
		request_respond(&cause, &bench->request, &accept, &changed, NULL), ERR_OK);
	if (made)
		settle(bench, EFFECT_MEETING_CREATE, ERR_OK, NULL);
}

static bool apply(struct bench *bench, enum report_kind kind, const char *digest, int64_t at)
{
	const struct report report = {.kind = kind,
		.provider = "zoom",
		.external_id = NUMBER,
		.digest = digest,
		.at = at};
	struct cause cause = cause_of(bench, SOURCE_PROVIDER);

	return report_apply(&cause, &bench->request, &report);
}

/* The same with a digest that never was before. */
static bool apply_new(struct bench *bench, enum report_kind kind)
{
	static unsigned serial;

	return apply(bench, kind, arena_printf(bench->arena, "new-%u", serial++), bench->now);
}

static struct effect *verify(const struct bench *bench)
{
	return meeting_effect(&bench->request, EFFECT_MEETING_VERIFY);
}

static const struct audit_event *last_event(const struct bench *bench)
{
	return MODEL_AT(
		&bench->request.events, struct audit_event, bench->request.events.count - 1);
}

static size_t count_events(const struct bench *bench, const char *action)
{
	size_t count = 0;

	MODEL_FOREACH (&bench->request.events, struct audit_event, event) {
		count += strcmp(event->action, action) == 0;
	}
	return count;
}

static void test_what_is_noted(void)
{
	static const struct {
		const char *name;
		enum report_kind kind;
		int64_t at, from, until;
		const char *action, *detail; /* NULL: nothing changes */
	} cases[] = {
		{"started", REPORT_STARTED, START + 5, START + 5, 0, "meeting.started",
			"zoom: 2027-03-02T14:00:00Z"},
		{"ended", REPORT_ENDED, START + INSTANT_HOUR, 0, START + INSTANT_HOUR,
			"meeting.ended", "zoom: 2027-03-02T15:00:00Z"},
		{"joined", REPORT_JOINED, START, 0, 0, "meeting.joined",
			"zoom: 2027-03-02T14:00:00Z"},
		{"the host joined", REPORT_HOST_JOINED, START, 0, 0, "meeting.host_joined",
			"zoom: 2027-03-02T14:00:00Z"},
		{"no time is said", REPORT_STARTED, 0, START + INSTANT_HOUR, 0, "meeting.started",
			"zoom: 2027-03-02T15:00:00Z"},
		{"later than now", REPORT_ENDED, INT64_MAX, 0, START + INSTANT_HOUR,
			"meeting.ended", "zoom: 2027-03-02T15:00:00Z"},
		{"before there was a meeting", REPORT_STARTED, 1, NOW, 0, "meeting.started",
			"zoom: 2027-03-01T14:00:00Z"},
		{"a time below zero", REPORT_STARTED, INT64_MIN, NOW, 0, "meeting.started",
			"zoom: 2027-03-01T14:00:00Z"},
		{"of no concern", REPORT_OTHER, START, 0, 0, NULL, NULL},
	};
	struct bench bench;
	size_t i, events;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		bench_init(&bench, true);
		bench.now = START + INSTANT_HOUR;
		events = bench.request.events.count;
		UNIT_CHECK(
			apply(&bench, cases[i].kind, "d", cases[i].at) == (cases[i].action != NULL),
			cases[i].name);
		UNIT_CHECK(bench.request.meeting->held_from == cases[i].from, cases[i].name);
		UNIT_CHECK(bench.request.meeting->held_until == cases[i].until, cases[i].name);
		UNIT_CHECK(bench.request.events.count == events + (cases[i].action != NULL),
			cases[i].name);
		if (cases[i].action) {
			UNIT_CHECK(strcmp(last_event(&bench)->action, cases[i].action) == 0,
				cases[i].name);
			UNIT_CHECK(strcmp(last_event(&bench)->detail, cases[i].detail) == 0,
				cases[i].name);
			UNIT_CHECK(last_event(&bench)->source == SOURCE_PROVIDER, cases[i].name);
			UNIT_CHECK(last_event(&bench)->at == bench.now, cases[i].name);
		}
		UNIT_CHECK(audit_verify(NULL, &bench.request.events, bench.request.id) == -1,
			cases[i].name);
		arena_free(&bench.arena);
	}
}

/* Ended, started again, and all of it in any order, twice: the same in the end. */
static void test_order_does_not_matter(void)
{
	static const struct {
		enum report_kind kind;
		int64_t at;
	} reports[] = {
		{REPORT_STARTED, START + 60},
		{REPORT_ENDED, START + 200},
		{REPORT_STARTED, START + 500},
		{REPORT_ENDED, START + 900},
	};
	static const int orders[][4] = {
		{0, 1, 2, 3}, {3, 2, 1, 0}, {2, 3, 0, 1}, {1, 0, 3, 2}, {3, 0, 2, 1}};
	static const char *const digests[] = {"a", "b", "c", "d"};
	struct bench bench;
	size_t i, j;

	for (i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
		bench_init(&bench, true);
		bench.now = START + 1000;
		for (j = 0; j < 8; j++) {
			const int k = orders[i][j % 4];

			CU_ASSERT_EQUAL(
				apply(&bench, reports[k].kind, digests[k], reports[k].at), j < 4);
		}
		CU_ASSERT_EQUAL(bench.request.meeting->held_from, START + 60);
		CU_ASSERT_EQUAL(bench.request.meeting->held_until, START + 900);
		CU_ASSERT_EQUAL(count_events(&bench, "meeting.started"), 2);
		CU_ASSERT_EQUAL(count_events(&bench, "meeting.ended"), 2);
		arena_free(&bench.arena);
	}
}

/* Whatever its age. */
static void test_a_repeat_is_known_among_the_latest(void)
{
	struct bench bench;
	int i;

	bench_init(&bench, true);
	CU_ASSERT(apply(&bench, REPORT_JOINED, "first", NOW));
	for (i = 0; i < KEPT - 1; i++)
		CU_ASSERT(apply_new(&bench, REPORT_JOINED));
	bench.now += REPORT_KNOWN_FOR + INSTANT_HOUR;
	CU_ASSERT(!apply(&bench, REPORT_JOINED, "first", NOW));
	CU_ASSERT_EQUAL(bench.request.meeting->reports.count, KEPT);
	CU_ASSERT(apply_new(&bench, REPORT_JOINED));
	CU_ASSERT_EQUAL(bench.request.meeting->reports.count, KEPT);
	CU_ASSERT(apply(&bench, REPORT_JOINED, "first", NOW));
	arena_free(&bench.arena);
}

/* As long as its signature is good, however many came since. */
static void test_a_repeat_is_known_for_a_while(void)
{
	struct bench bench;
	int i;

	bench_init(&bench, true);
	CU_ASSERT(apply(&bench, REPORT_CHANGED, "first", NOW));
	for (i = 1; i < MOST_KEPT; i++) {
		bench.now = NOW + i * REPORT_KNOWN_FOR / (MOST_KEPT - 1);
		CU_ASSERT(apply_new(&bench, REPORT_CHANGED));
		CU_ASSERT(!apply(&bench, REPORT_CHANGED, "first", NOW));
	}
	CU_ASSERT_EQUAL(bench.now, NOW + REPORT_KNOWN_FOR);
	CU_ASSERT_EQUAL(bench.request.meeting->reports.count, MOST_KEPT);
	/* Full: nothing is forgotten for what is new, until the first may be. */
	CU_ASSERT(!apply_new(&bench, REPORT_CHANGED));
	CU_ASSERT(!apply_new(&bench, REPORT_ENDED));
	CU_ASSERT(!apply(&bench, REPORT_CHANGED, "first", NOW));
	CU_ASSERT_EQUAL(bench.request.meeting->reports.count, MOST_KEPT);
	CU_ASSERT_EQUAL(count_events(&bench, "meeting.ended"), 0);
	bench.now++;
	CU_ASSERT(apply_new(&bench, REPORT_ENDED));
	CU_ASSERT_EQUAL(bench.request.meeting->reports.count, MOST_KEPT);
	CU_ASSERT(!apply_new(&bench, REPORT_CHANGED));
	/* When it is quiet again there are no more than the latest. */
	bench.now += REPORT_KNOWN_FOR;
	CU_ASSERT(apply_new(&bench, REPORT_ENDED));
	bench.now++;
	CU_ASSERT(apply_new(&bench, REPORT_ENDED));
	CU_ASSERT_EQUAL(bench.request.meeting->reports.count, KEPT);
	arena_free(&bench.arena);
}

static void test_nobody_grows_a_document(void)
{
	struct bench bench;
	size_t events;
	int i;

	bench_init(&bench, true);
	for (i = 0; i < MOST_EVENTS; i++)
		CU_ASSERT(apply_new(&bench, REPORT_JOINED));
	events = bench.request.events.count;
	for (i = 0; i < 50; i++)
		CU_ASSERT(!apply_new(&bench, REPORT_JOINED));
	CU_ASSERT_EQUAL(bench.request.events.count, events);
	CU_ASSERT_EQUAL(bench.request.meeting->reports.count, MOST_EVENTS);
	/* The others are still noted: that it was held matters more than who looked in. */
	CU_ASSERT(apply_new(&bench, REPORT_STARTED));
	CU_ASSERT(apply_new(&bench, REPORT_HOST_JOINED));
	arena_free(&bench.arena);
}

static void test_a_change_makes_us_look(void)
{
	struct bench bench;

	bench_init(&bench, true);
	bench.now += INSTANT_MINUTE;
	CU_ASSERT_EQUAL(verify(&bench)->due, NOW + PERIOD);
	CU_ASSERT(apply(&bench, REPORT_CHANGED, "gone", bench.now));
	CU_ASSERT_EQUAL(verify(&bench)->due, bench.now);
	CU_ASSERT_EQUAL(bench.request.meeting->status, MEETING_READY);
	CU_ASSERT_EQUAL(count_events(&bench, "meeting.cancelled"), 0);

	/* It is true: made anew, and what is reported of the old one is nobody's. */
	settle(&bench, EFFECT_MEETING_VERIFY, ERR_GONE, NULL);
	CU_ASSERT_EQUAL(bench.request.meeting->status, MEETING_PENDING);
	CU_ASSERT_PTR_NULL(bench.request.meeting->external_id);
	CU_ASSERT(!apply_new(&bench, REPORT_CHANGED));
	settle(&bench, EFFECT_MEETING_CREATE, ERR_OK, NULL);
	CU_ASSERT(!apply(&bench, REPORT_CHANGED, "gone", bench.now));
	arena_free(&bench.arena);
}

/* What is under way may have seen what was before: its answer is not waited for. */
static void test_a_change_while_we_look(void)
{
	struct bench bench;

	bench_init(&bench, true);
	verify(&bench)->due = bench.now;
	CU_ASSERT(effect_claim_one(&bench.request, verify(&bench), bench.now, "lease", LEASE_MS));
	bench.now += INSTANT_SECOND;
	CU_ASSERT(apply_new(&bench, REPORT_CHANGED));
	CU_ASSERT_PTR_NULL(verify(&bench)->lease);
	CU_ASSERT_EQUAL(verify(&bench)->due, bench.now);
	CU_ASSERT_EQUAL(effect_next_due(&bench.request), NOW); /* the mails' */
	arena_free(&bench.arena);
}

/* A repair of ours is reported while it is under way: the watch goes on all the same. */
static void test_the_echo_of_a_repair(void)
{
	const struct provision_state moved = {
		.starts_at = START + INSTANT_HOUR, .ends_at = START + 2 * INSTANT_HOUR};
	const struct provision_state right = {.starts_at = START, .ends_at = START + INSTANT_HOUR};
	struct bench bench;

	bench_init(&bench, true);
	CU_ASSERT(apply_new(&bench, REPORT_CHANGED));
	settle(&bench, EFFECT_MEETING_VERIFY, ERR_OK, &moved);
	CU_ASSERT_PTR_NOT_NULL(meeting_effect(&bench.request, EFFECT_MEETING_UPDATE));
	CU_ASSERT_EQUAL(verify(&bench)->due, bench.now + PERIOD);
	bench.now += INSTANT_SECOND;
	CU_ASSERT(apply_new(&bench, REPORT_CHANGED));
	settle(&bench, EFFECT_MEETING_VERIFY, ERR_OK, &moved);
	CU_ASSERT_EQUAL(count_events(&bench, "provider.drift_repaired"), 1);
	CU_ASSERT_PTR_NOT_NULL_FATAL(verify(&bench));
	settle(&bench, EFFECT_MEETING_UPDATE, ERR_OK, NULL);
	settle(&bench, EFFECT_MEETING_VERIFY, ERR_OK, &right);
	CU_ASSERT_EQUAL(verify(&bench)->due, bench.now + PERIOD);
	CU_ASSERT_PTR_NULL(meeting_effect(&bench.request, EFFECT_MEETING_UPDATE));
	arena_free(&bench.arena);
}

/* A repair that never holds, each reported by the provider at once, over a day. */
static void test_a_circle_slows_down(void)
{
	const struct provision_state moved = {.starts_at = START + INSTANT_HOUR};
	struct bench bench;
	int64_t last = 0;
	int looks = 0;

	bench_init(&bench, true);
	while (bench.now < NOW + 20 * INSTANT_HOUR) {
		apply_new(&bench, REPORT_CHANGED);
		CU_ASSERT_FATAL(verify(&bench)->due <= bench.now + PERIOD);
		bench.now = verify(&bench)->due > bench.now ? verify(&bench)->due : bench.now + 1;
		settle(&bench, EFFECT_MEETING_VERIFY, ERR_OK, &moved);
		settle(&bench, EFFECT_MEETING_UPDATE, ERR_OK, NULL);
		looks++;
		last = bench.now;
	}
	CU_ASSERT(looks < 40);
	CU_ASSERT_EQUAL(count_events(&bench, "provider.drift_repaired"), (size_t)looks);
	/* After a quiet time it is believed at once again. */
	bench.now = last + PERIOD + INSTANT_MINUTE;
	bench.request.meeting->ends_at = bench.now + INSTANT_DAY;
	CU_ASSERT(apply_new(&bench, REPORT_CHANGED));
	CU_ASSERT(verify(&bench)->due <= bench.now);
	arena_free(&bench.arena);
}

static void test_what_comes_too_late(void)
{
	static const struct {
		const char *name;
		bool made, cancelled, completed;
		int64_t now;
	} cases[] = {
		{"still being made", false, false, false, NOW},
		{"cancelled by us: its deletion is reported", true, true, false, NOW},
		{"completed", true, false, true, START + 2 * INSTANT_HOUR},
	};
	static const enum report_kind kinds[] = {
		REPORT_CHANGED, REPORT_STARTED, REPORT_ENDED, REPORT_JOINED, REPORT_HOST_JOINED};
	struct bench bench;
	struct cause cause;
	size_t i, j, events, effects;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		bench_init(&bench, cases[i].made);
		bench.now = cases[i].now;
		cause = cause_of(&bench, SOURCE_API);
		if (cases[i].cancelled)
			request_cancel(&cause, &bench.request,
				&(struct request_cancellation){.reason = "No."}, &(bool){true},
				NULL);
		if (cases[i].completed)
			request_complete(&cause, &bench.request);
		events = bench.request.events.count;
		effects = bench.request.effects.count;
		for (j = 0; j < sizeof(kinds) / sizeof(kinds[0]); j++)
			UNIT_CHECK(!apply_new(&bench, kinds[j]), cases[i].name);
		UNIT_CHECK(bench.request.events.count == events, cases[i].name);
		UNIT_CHECK(bench.request.effects.count == effects, cases[i].name);
		UNIT_CHECK(bench.request.meeting->reports.count == 0, cases[i].name);
		arena_free(&bench.arena);
	}
	/* Over, but still open: nothing is to be repaired any more. */
	bench_init(&bench, true);
	bench.now = START + 61 * INSTANT_MINUTE;
	CU_ASSERT(!apply_new(&bench, REPORT_CHANGED));
	CU_ASSERT(apply_new(&bench, REPORT_ENDED));
	arena_free(&bench.arena);
}

/* A new link is a new meeting: what was reported of the old one stays with it. */
static void test_a_new_generation_begins_anew(void)
{
	struct bench bench;
	struct cause cause;

	bench_init(&bench, true);
	CU_ASSERT(apply_new(&bench, REPORT_STARTED));
	cause = cause_of(&bench, SOURCE_API);
	CU_ASSERT_EQUAL(
		request_regenerate(&cause, &bench.request,
			&(struct meeting_regeneration){.reason = "Leaked."}, &(bool){true}, NULL),
		ERR_OK);
	CU_ASSERT_EQUAL(bench.request.meeting->held_from, 0);
	CU_ASSERT_EQUAL(bench.request.meeting->reports.count, 0);
	CU_ASSERT_EQUAL(MODEL_AT(&bench.request.meetings, struct meeting, 0)->held_from, bench.now);
	arena_free(&bench.arena);
}

static const struct unit_case cases[] = {
	{"what is noted", test_what_is_noted},
	{"order does not matter", test_order_does_not_matter},
	{"a repeat is known among the latest", test_a_repeat_is_known_among_the_latest},
	{"a repeat is known for a while", test_a_repeat_is_known_for_a_while},
	{"nobody grows a document", test_nobody_grows_a_document},
	{"a change makes us look", test_a_change_makes_us_look},
	{"a change while we look", test_a_change_while_we_look},
	{"the echo of a repair", test_the_echo_of_a_repair},
	{"a circle slows down", test_a_circle_slows_down},
	{"what comes too late", test_what_comes_too_late},
	{"a new generation begins anew", test_a_new_generation_begins_anew},
};

UNIT_MAIN("report", cases)
