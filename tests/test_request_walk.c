/*
 * Random lives of a request: people answer and cancel, dispatchers claim, perform, crash and settle
 * late, the clock jumps; after every step the promises of core/ are checked.
 * WALK_SEQUENCES in the environment says how many lives (20,000 by default).
 */
#include "core_unit.h"
#include "gate.h"

enum {
	WALK_SEQUENCES = 20000,
	WALK_MAX_BROKEN = 10, /* lives; more would say the same */
	WALK_STEPS = 40,
	WALK_TASKS = 8,
	WALK_OWED = 64,
	WALK_LEASE_MS = 90 * 1000,
	WALK_LONGEST_MS = 65 * 1000, /* nobody begins what may outlive its lease */
};

/* An effect that a dispatcher has claimed; `performed` when only settling is left. */
struct walk_task {
	char effect_id[ID_SIZE], lease[ID_SIZE];
	int64_t lease_until;
	bool performed;
	enum err err;
};

/* Every effect that was ever owed, to see one owed twice. */
struct walk_owed {
	const char *id;
	int kind, party;
	int64_t sequence;
};

struct walk {
	uint64_t random;
	int number, step;
	bool broken;
	struct arena *arena;
	struct request *request;
	int64_t now;
	struct walk_task tasks[WALK_TASKS];
	size_t task_count;
	struct walk_owed owed[WALK_OWED];
	size_t owed_count;
	/* By party: what reached the person, and whether an invitation ever was in a hand. */
	bool invited[2], told[2], declined[2], handed[2];
	/* Of the step before. */
	size_t events;
	int64_t sequence;
	const char *meeting_id;
};

/* How often something happened in all lives, to know that the walk goes everywhere. */
static struct {
	size_t ready, failed, withdrawn, cancelled_creating, late_answers, given_up, lost_leases,
		uncertain, told;
} walk_seen;

static void walk_check(struct walk *walk, bool holds, const char *promise)
{
	if (!holds && !walk->broken) {
		printf("life %d, step %d: %s\n", walk->number, walk->step, promise);
		CU_FAIL("a promise is broken");
	}
	walk->broken |= !holds;
}

/* xorshift64*: the same lives on every machine. */
static uint64_t walk_random(struct walk *walk, uint64_t bound)
{
	walk->random ^= walk->random >> 12;
	walk->random ^= walk->random << 25;
	walk->random ^= walk->random >> 27;
	return (walk->random * UINT64_C(2685821657736338717) >> 32) % bound;
}

/* ---- what must hold ---- */

static int64_t walk_next_due(const struct request *request)
{
	bool seen[3] = {false};
	int64_t due = 0;
	int lane;

	MODEL_FOREACH (&request->effects, struct effect, effect) {
		lane = effect->kind == EFFECT_MEETING_CREATE ? 2 : effect->party;
		if (effect->state == EFFECT_FAILED || seen[lane])
			continue;
		seen[lane] = true;
		if (!due || effect->due < due)
			due = effect->due;
	}
	return due;
}

static void walk_check_owed_once(struct walk *walk, const struct effect *effect)
{
	struct walk_owed *owed;

	for (owed = walk->owed; owed < walk->owed + walk->owed_count; owed++) {
		if (strcmp(owed->id, effect->id) == 0)
			return;
		walk_check(walk,
			owed->kind != effect->kind || owed->party != effect->party ||
				owed->sequence != effect->sequence,
			"no effect is owed twice");
	}
	if (walk->owed_count == WALK_OWED) {
		walk_check(walk, false, "few effects are owed");
		return;
	}
	*owed = (struct walk_owed){effect->id, effect->kind, effect->party, effect->sequence};
	walk->owed_count++;
}

static void walk_check_effects(struct walk *walk)
{
	const struct request *request = walk->request;
	bool waiting[3] = {false};
	int lane;

	MODEL_FOREACH (&request->effects, struct effect, effect) {
		walk_check_owed_once(walk, effect);
		lane = effect->kind == EFFECT_MEETING_CREATE ? 2 : effect->party;
		walk_check(walk, !effect->lease || effect->state == EFFECT_DUE,
			"nobody performs what was given up");
		walk_check(walk, !effect->lease || !waiting[lane],
			"nothing is performed before what stands first in its lane");
		waiting[lane] |= effect->state == EFFECT_DUE;
		if (effect->kind == EFFECT_MAIL_MEETING_READY)
			walk_check(walk, request->meeting && request->meeting->ready_at,
				"an invitation exists only when the meeting was ready");
		if (effect->kind == EFFECT_MAIL_MEETING_CANCELLED)
			walk_check(walk,
				request->meeting->status == MEETING_CANCELLED &&
					walk->handed[effect->party],
				"cancellations go to those who may have been invited");
	}
	walk_check(walk, effect_next_due(request) == walk_next_due(request),
		"due is the earliest of the lanes' first");
}

static void walk_check_meeting(struct walk *walk)
{
	const struct request *request = walk->request;
	const struct meeting *meeting = request->meeting;
	const struct effect *create = core_creation(request);

	walk_check(walk, core_count_events(request, "meeting.requested") == (meeting != NULL),
		"at most one meeting begins");
	walk_check(walk, core_count_events(request, "request.accepted") == (meeting != NULL),
		"accepted is: the meeting began");
	if (!meeting) {
		walk_check(walk, request->status != REQUEST_ACCEPTED, "accepted has a meeting");
		return;
	}
	walk_check(walk, !walk->meeting_id || strcmp(walk->meeting_id, meeting->id) == 0,
		"the meeting keeps its id");
	walk_check(walk, meeting->sequence >= walk->sequence, "SEQUENCE never falls");
	walk->meeting_id = meeting->id;
	walk->sequence = meeting->sequence;
	walk_check(walk,
		(request->status == REQUEST_CANCELLED) == (meeting->status == MEETING_CANCELLED),
		"request and meeting are cancelled together");
	walk_check(walk, (meeting->status == MEETING_PENDING) == (meeting->next_attempt_at != 0),
		"a pending meeting has a next attempt");
	switch (meeting->status) {
	case MEETING_PENDING:
		walk_check(walk, create && create->state == EFFECT_DUE, "pending owes a link");
		break;
	case MEETING_FAILED:
		walk_check(walk, create && create->state == EFFECT_FAILED && meeting->last_error,
			"failed says what failed");
		break;
	case MEETING_READY:
		walk_check(walk, !create && meeting->provider_url && meeting->ready_at,
			"ready has its link");
		break;
	default:
		walk_check(walk, !create || create->lease,
			"only a creation in somebody's hand outlives its meeting");
		walk_check(walk, meeting->ended_at != 0, "ended says when");
	}
}

static void walk_check_all(struct walk *walk)
{
	walk_check(walk, walk->request->events.count >= walk->events, "the trail only grows");
	walk->events = walk->request->events.count;
	walk_check_meeting(walk);
	walk_check_effects(walk);
}

/* ---- dispatchers ---- */

static void walk_claim(struct walk *walk)
{
	struct walk_task *task;
	char *lease = arena_alloc(walk->arena, ID_SIZE);
	unsigned char bytes[ID_BYTES] = {0};

	if (walk->task_count + 3 > WALK_TASKS)
		return;
	memcpy(bytes, &walk->step, sizeof(walk->step));
	id_encode(bytes, lease);
	MODEL_FOREACH (&walk->request->effects, struct effect, effect) {
		walk_seen.lost_leases += effect->lease && effect->due <= walk->now;
	}
	effect_claim(walk->request, walk->now, lease, WALK_LEASE_MS);
	MODEL_FOREACH (&walk->request->effects, struct effect, effect) {
		if (!effect->lease || strcmp(effect->lease, lease) != 0)
			continue;
		task = &walk->tasks[walk->task_count++];
		*task = (struct walk_task){.lease_until = walk->now + WALK_LEASE_MS};
		snprintf(task->effect_id, sizeof(task->effect_id), "%s", effect->id);
		snprintf(task->lease, sizeof(task->lease), "%s", lease);
		if (effect->kind == EFFECT_MAIL_MEETING_READY)
			walk->handed[effect->party] = true;
	}
}

/* NULL when the lease was lost. */
static struct effect *walk_task_effect(struct walk *walk, const struct walk_task *task)
{
	struct effect *effect = effect_find(walk->request, task->effect_id);

	return effect && effect->lease && strcmp(effect->lease, task->lease) == 0 ? effect : NULL;
}

static void walk_deliver(struct walk *walk, const struct effect *mail)
{
	switch (mail->kind) {
	case EFFECT_MAIL_MEETING_READY:
		walk_check(walk, !walk->told[mail->party],
			"an invitation never follows its cancellation");
		walk->invited[mail->party] = true;
		break;
	case EFFECT_MAIL_MEETING_CANCELLED:
		walk->told[mail->party] = true;
		break;
	case EFFECT_MAIL_REQUEST_DECLINED:
		walk->declined[mail->party] = true;
		break;
	}
}

/* `luck` 0: all goes well. Of a temporary failure nobody knows whether the mail arrived. */
static void walk_perform(struct walk *walk, struct walk_task *task, uint64_t luck)
{
	const struct effect *effect = walk_task_effect(walk, task);

	if (!effect || walk->now + WALK_LONGEST_MS > task->lease_until) {
		*task = walk->tasks[--walk->task_count];
		return;
	}
	task->performed = true;
	task->err = luck < 3 ? ERR_OK : luck < 6 ? ERR_TEMPORARY : ERR_PERMANENT;
	if (task->err == ERR_OK || (task->err == ERR_TEMPORARY && luck == 3)) {
		walk_deliver(walk, effect);
		walk_seen.uncertain += task->err != ERR_OK;
	}
}

static void walk_settle(struct walk *walk, struct walk_task *task)
{
	struct cause cause = core_system(walk->arena, walk->now);
	struct effect *effect = walk_task_effect(walk, task);
	const struct effect_outcome outcome = {
		.err = task->err,
		.detail = "words",
		.retry_after_s = walk_random(walk, 8) ? 0 : (int64_t)walk_random(walk, 7200),
	};
	const struct meeting_link link = {.url = "https://meet.test/room"};

	*task = walk->tasks[--walk->task_count];
	if (!effect)
		return;
	if (effect->kind == EFFECT_MEETING_CREATE) {
		walk_seen.late_answers += walk->request->meeting->status == MEETING_CANCELLED;
		request_creation_settled(
			&cause, walk->request, effect, &outcome, &link, &policy_default);
		walk_seen.ready += walk->request->meeting->status == MEETING_READY;
		walk_seen.failed += walk->request->meeting->status == MEETING_FAILED;
	} else {
		request_mail_settled(&cause, walk->request, effect, &outcome);
	}
}

static void walk_dispatch(struct walk *walk)
{
	struct walk_task *task;

	if (walk->task_count == 0 || walk_random(walk, 3) == 0) {
		walk_claim(walk);
		return;
	}
	task = &walk->tasks[walk_random(walk, walk->task_count)];
	if (walk_random(walk, 12) == 0) /* it dies, performed or not */
		*task = walk->tasks[--walk->task_count];
	else if (task->performed)
		walk_settle(walk, task);
	else
		walk_perform(walk, task, walk_random(walk, 7));
}

/* ---- people and time ---- */

static void walk_respond(struct walk *walk)
{
	static const struct request_response responses[] = {
		{.decision = DECISION_ACCEPT},
		{.decision = DECISION_ACCEPT, .message = "hello"},
		{.decision = DECISION_ACCEPT, .starts_at = CORE_START + INSTANT_HOUR},
		{.decision = DECISION_DECLINE},
	};
	bool changed;

	core_respond(walk->arena, walk->request, walk->now,
		&responses[walk_random(walk, sizeof(responses) / sizeof(responses[0]))], &changed);
}

static void walk_cancel(struct walk *walk)
{
	const struct request *request = walk->request;
	const struct effect *create = core_creation(request);
	const struct effect *mail = core_effect(request, EFFECT_MAIL_MEETING_READY, PARTY_CLIENT);
	const bool withdrawn = mail && !mail->lease && mail->attempts == 0;
	const bool creating = create && create->lease;

	if (core_cancel(walk->arena, walk->request, walk->now) == ERR_OK) {
		walk_seen.withdrawn += withdrawn;
		walk_seen.cancelled_creating += creating;
	}
}

static void walk_join(struct walk *walk)
{
	struct cause cause = core_cause(walk->arena, walk->now, ROLE_SYSTEM, NULL);

	cause.source = SOURCE_GATE;
	if (walk->request->meeting && gate_state(walk->request, 1, walk->now) == GATE_OPEN)
		gate_joined(&cause, walk->request, (enum party)walk_random(walk, 2));
}

static void walk_wait(struct walk *walk)
{
	static const int64_t longest[] = {INSTANT_SECOND, 20 * INSTANT_SECOND, 2 * INSTANT_MINUTE,
		2 * INSTANT_HOUR, INSTANT_DAY};

	walk->now += (int64_t)walk_random(
		walk, (uint64_t)longest[walk_random(walk, walk_random(walk, 8) ? 3 : 5)]);
}

static void walk_step(struct walk *walk)
{
	const uint64_t what = walk_random(walk, 20);

	if (what < 11)
		walk_dispatch(walk);
	else if (what < 16)
		walk_wait(walk);
	else if (what < 17)
		walk_join(walk);
	else if (what < 18 && walk->step > 5)
		walk_cancel(walk);
	else
		walk_respond(walk);
}

/* ---- a life ---- */

static bool walk_has_failed(const struct request *request, enum effect_kind kind, int party)
{
	const struct effect *effect = core_effect(request, kind, (enum party)party);

	return effect && effect->state == EFFECT_FAILED;
}

/* From here on all goes well; in the end everything is done, or shown as failed. */
static void walk_drain(struct walk *walk)
{
	const struct request *request = walk->request;
	int rounds;

	walk->task_count = 0;
	for (rounds = 0; effect_next_due(request) && rounds < 100; rounds++) {
		if (walk->now < effect_next_due(request))
			walk->now = effect_next_due(request);
		walk->step++;
		walk_claim(walk);
		while (walk->task_count > 0) {
			walk_perform(walk, walk->tasks, 0);
			if (walk->task_count > 0)
				walk_settle(walk, walk->tasks);
			walk_check_all(walk);
		}
	}
	walk_check(walk, effect_next_due(request) == 0, "all that is owed is done one day");
}

static void walk_check_end(struct walk *walk)
{
	const struct request *request = walk->request;
	const struct meeting *meeting = request->meeting;
	int party;

	walk_check(walk, audit_verify(&request->events, request->id) == -1, "the audit chain is whole");
	if (request->status == REQUEST_DECLINED)
		walk_check(walk,
			walk->declined[PARTY_CLIENT] ||
				walk_has_failed(
					request, EFFECT_MAIL_REQUEST_DECLINED, PARTY_CLIENT),
			"the client is told of a refusal");
	if (!meeting)
		return;
	walk_check(walk, meeting->status != MEETING_PENDING, "no meeting stays pending");
	for (party = PARTY_CLIENT; party <= PARTY_LAWYER; party++) {
		if (meeting->status == MEETING_READY)
			walk_check(walk,
				walk->invited[party] ||
					walk_has_failed(request, EFFECT_MAIL_MEETING_READY, party),
				"both are invited to what is ready");
		if (meeting->status == MEETING_CANCELLED && walk->invited[party]) {
			walk_check(walk,
				walk->told[party] || walk_has_failed(request,
							     EFFECT_MAIL_MEETING_CANCELLED, party),
				"who was invited is told of the cancellation");
			walk_seen.told += walk->told[party];
		}
	}
	walk_seen.given_up += walk_has_failed(request, EFFECT_MEETING_CREATE, PARTY_CLIENT) &&
			      strcmp(meeting->last_error->code, "temporary") == 0;
}

static int walk_sequences(void)
{
	const char *wanted = getenv("WALK_SEQUENCES");

	return wanted ? atoi(wanted) : WALK_SEQUENCES;
}

static void test_walk_promises_hold(void)
{
	const int sequences = walk_sequences();
	struct walk walk;
	int number, broken = 0;

	for (number = 1; number <= sequences && broken < WALK_MAX_BROKEN; number++) {
		walk = (struct walk){
			.number = number,
			.random = (uint64_t)number * UINT64_C(0x9e3779b97f4a7c15),
			.arena = arena_new(),
			.now = CORE_NOW + 1,
		};
		walk.request = core_open(walk.arena);
		for (walk.step = 0; walk.step < WALK_STEPS; walk.step++) {
			walk_step(&walk);
			walk_check_all(&walk);
		}
		walk_drain(&walk);
		walk_check_end(&walk);
		broken += walk.broken;
		arena_free(&walk.arena);
	}
}

static void test_walk_went_everywhere(void)
{
	/* A few lives, as under a debugger, need not have seen all. */
	if (walk_sequences() < WALK_SEQUENCES)
		return;
	CU_ASSERT(walk_seen.ready > 0);
	CU_ASSERT(walk_seen.failed > 0);
	CU_ASSERT(walk_seen.withdrawn > 0);
	CU_ASSERT(walk_seen.cancelled_creating > 0);
	CU_ASSERT(walk_seen.late_answers > 0);
	CU_ASSERT(walk_seen.lost_leases > 0);
	CU_ASSERT(walk_seen.uncertain > 0);
	CU_ASSERT(walk_seen.told > 0);
	CU_ASSERT(walk_seen.given_up > 0);
}

static const struct unit_case cases[] = {
	{"promises hold in random lives", test_walk_promises_hold},
	{"the lives went everywhere", test_walk_went_everywhere},
};

UNIT_MAIN("request walk", cases)
