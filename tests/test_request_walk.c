/*
 * Random lives of a request: people answer, move, regenerate, retry and cancel; dispatchers claim,
 * perform, crash and settle late; providers fail, lose meetings and answer too late; the clock
 * jumps. After every step the promises of core/ are checked, and once more after all has settled.
 * WALK_SEQUENCES in the environment says how many lives (20,000 by default).
 */
#include "gate.h"
#include "told.h"
#include "walk_promises.h"
#include "walk_shown.h"

enum {
	WALK_SEQUENCES = 20000,
	WALK_UNDER_VALGRIND = 1000,
	WALK_MAX_BROKEN = 10, /* lives; more would say the same */
	WALK_STEPS = 60,
	WALK_LONGEST_MS = 65 * 1000,          /* nobody begins what may outlive its lease */
	WALK_SETTLED_MS = 9 * 60 * 60 * 1000, /* the longest Retry-After, and a verification */
};

/* How often something happened in all lives, to know that the walk goes everywhere. */
static struct {
	size_t ready, failed, failed_over, moved, regenerated, replaced_creating, remade, retried,
		cancelled_creating, cancelled_alone, late_answers, discarded, lost_leases,
		lost_meetings, uncertain, made_unheard, updated, redrawn, lapsed, expired, told,
		withdrawn, removed, settled_ready, reminded, delayed, missed, proposed,
		proposal_mails, taken, refused, taken_back, too_late;
} walk_seen;

/* ---- dispatchers: claim ---- */

static void walk_add_task(
	struct walk *walk, const struct effect *effect, const char *lease, int64_t lease_until)
{
	if (walk->task_count == WALK_TASKS)
		return; /* as if that dispatcher had died at once */
	walk->tasks[walk->task_count++] = (struct walk_task){
		.effect_id = effect->id, .lease = lease, .lease_until = lease_until};
	if (effect->kind == EFFECT_MAIL_MEETING_READY)
		walk->world.calendars[effect->mail->party].handed = true;
}

static void walk_claim(struct walk *walk)
{
	const char *lease = arena_printf(walk->arena, "lease %u", ++walk->leases);

	MODEL_FOREACH (&walk->request->effects, struct effect, effect) {
		walk_seen.lost_leases += effect->lease && effect->due <= walk->now;
	}
	if (core_claim(walk->request, walk->now, lease, EFFECT_LEASE_MS) == 0)
		return;
	MODEL_FOREACH (&walk->request->effects, struct effect, effect) {
		if (effect->lease == lease)
			walk_add_task(walk, effect, lease, walk->now + EFFECT_LEASE_MS);
	}
}

static void walk_forget(struct walk *walk, struct walk_task *task)
{
	*task = walk->tasks[--walk->task_count];
}

/* NULL when the lease was lost. */
static struct effect *walk_task_effect(struct walk *walk, const struct walk_task *task)
{
	struct effect *effect = effect_find(walk->request, task->effect_id);

	return effect && effect->lease && strcmp(effect->lease, task->lease) == 0 ? effect : NULL;
}

/* ---- dispatchers: perform ---- */

static void walk_load(struct walk *walk, struct walk_task *task)
{
	const struct effect *effect = walk_task_effect(walk, task);

	if (!effect || walk->now + WALK_LONGEST_MS > task->lease_until) {
		walk_forget(walk, task);
		return;
	}
	task->effect = *effect;
	if (walk->request->meeting)
		task->meeting = *walk->request->meeting;
	task->outcome.err = effect_check_wanted(walk->request, effect, walk->now, NULL);
	task->outcome.skipped = task->outcome.err != ERR_OK;
	task->stage = task->outcome.skipped ? WALK_DONE : WALK_LOADED;
}

/* How a call goes that is not lost: in the words of provider.h. */
static enum err walk_luck(struct walk *walk)
{
	static const enum err errs[] = {ERR_TEMPORARY, ERR_TEMPORARY, ERR_OUTCOME_UNKNOWN,
		ERR_OUTCOME_UNKNOWN, ERR_UNAVAILABLE, ERR_CREDENTIAL, ERR_PERMANENT};

	return walk_bad_luck(walk, 2) ? errs[walk_random(walk, sizeof(errs) / sizeof(errs[0]))]
				      : ERR_OK;
}

static void walk_create(struct walk *walk, struct walk_task *task)
{
	const struct meeting *meeting = &task->meeting;
	struct world *world = &walk->world;
	struct world_meeting *live = NULL;
	enum err err = walk_luck(walk);

	walk_check(walk, world_use_key(world, meeting->provider, meeting->provider_key),
		"no key is used at two providers");
	walk_check(walk,
		task->effect.creation->repeated ||
			!world_find(world, meeting->provider, meeting->provider_key),
		"what may have been made is looked up first");
	if (!world_keeps(meeting->provider))
		err = err == ERR_OUTCOME_UNKNOWN ? ERR_UNAVAILABLE : err;
	else if (err == ERR_OK || (err == ERR_OUTCOME_UNKNOWN && walk_random(walk, 2)))
		live = world_make(world, meeting->provider, meeting->provider_key,
			meeting->starts_at, meeting->ends_at);
	walk_seen.made_unheard += live && err != ERR_OK;
	task->outcome.err = err;
	task->link = (struct meeting_link){.url = "https://meet.test/room"};
	if (live && err == ERR_OK)
		task->link.external_id = live->external_id;
}

/* The meeting that a call about an existing one finds. */
static struct world_meeting *walk_known(struct walk *walk, const struct meeting *meeting)
{
	struct world_meeting *live =
		world_find(&walk->world, meeting->provider, meeting->provider_key);

	return live && strcmp(live->external_id, meeting->external_id) == 0 ? live : NULL;
}

static void walk_update(struct walk *walk, struct walk_task *task)
{
	struct world_meeting *live = walk_known(walk, &task->meeting);
	enum err err = walk_luck(walk);

	if (err == ERR_OK && !live)
		err = ERR_GONE;
	if (live && (err == ERR_OK || (err == ERR_OUTCOME_UNKNOWN && walk_random(walk, 2)))) {
		live->starts_at = task->meeting.starts_at;
		live->ends_at = task->meeting.ends_at;
	}
	task->outcome.err = err;
	/* Some providers draw another link or passcode now and then. */
	task->link = (struct meeting_link){0};
	if (walk_random(walk, 2))
		task->link.passcode = walk_random(walk, 2) ? "4711" : "0815";
	if (walk_random(walk, 4) == 0)
		task->link.url =
			walk_random(walk, 2) ? "https://meet.test/room" : "https://meet.test/other";
}

static void walk_verify(struct walk *walk, struct walk_task *task)
{
	const struct world_meeting *live = walk_known(walk, &task->meeting);
	enum err err = walk_luck(walk);

	if (err == ERR_OK && !live)
		err = ERR_GONE;
	if (err == ERR_OK)
		task->state = (struct provision_state){
			.starts_at = live->starts_at, .ends_at = live->ends_at};
	task->outcome.err = err;
}

static void walk_delete(struct walk *walk, struct walk_task *task)
{
	const struct removal *target = task->effect.removal;
	const enum err err = walk_luck(walk);

	if (err == ERR_OK || (err == ERR_OUTCOME_UNKNOWN && walk_random(walk, 2)))
		world_remove(&walk->world,
			world_find(&walk->world, target->provider, target->provider_key));
	task->outcome.err = err;
}

/* Of a temporary failure nobody knows whether the mail arrived. */
static void walk_mail(struct walk *walk, struct walk_task *task)
{
	const struct effect *mail = &task->effect;
	struct request shown = *walk->request;
	const char *wrong = NULL;

	shown.meeting = &task->meeting;
	shown.timezone = task->meeting.timezone;
	if (mail->kind == EFFECT_MAIL_MEETING_REMINDER)
		walk_check(walk,
			task->meeting.status == MEETING_READY && task->meeting.provider_url &&
				mail->mail->starts_at == task->meeting.starts_at,
			"a reminder tells the truth");
	if (walk_bad_luck(walk, 2))
		task->outcome.err = walk_random(walk, 4) ? ERR_TEMPORARY : ERR_PERMANENT;
	if (task->outcome.err == ERR_OK ||
		(task->outcome.err == ERR_TEMPORARY && walk_random(walk, 3) == 0)) {
		wrong = world_deliver(&walk->world, mail);
		walk_seen.uncertain += task->outcome.err != ERR_OK;
		walk_seen.reminded += mail->kind == EFFECT_MAIL_MEETING_REMINDER;
		walk_seen.delayed += mail->kind == EFFECT_MAIL_MEETING_DELAYED;
		walk_seen.missed += mail->kind == EFFECT_MAIL_MEETING_MISSED;
		walk_seen.proposal_mails += mail->kind == EFFECT_MAIL_MEETING_PROPOSED ||
					    mail->kind == EFFECT_MAIL_PROPOSAL_DECLINED;
	}
	walk_check(walk, !wrong, wrong);
	if (mail->kind == EFFECT_MAIL_MEETING_READY || mail->kind == EFFECT_MAIL_MEETING_UPDATED)
		walk_check(walk,
			mail->mail->starts_at == task->meeting.starts_at &&
				strcmp(mail->mail->facts, told_now(walk->arena, &shown,
								  (enum party)mail->mail->party)) ==
					0 &&
				strcmp(mail->mail->provider, task->meeting.provider) == 0 &&
				task->meeting.provider_url,
			"a mail tells the truth");
}

static void walk_act(struct walk *walk, struct walk_task *task)
{
	/* Calls have a timeout: nothing happens any more once the lease is over. */
	if (walk->now >= task->lease_until) {
		walk_forget(walk, task);
		return;
	}
	task->stage = WALK_DONE;
	task->outcome.detail = "words";
	switch (task->effect.kind) {
	case EFFECT_MEETING_CREATE:
		walk_create(walk, task);
		break;
	case EFFECT_MEETING_UPDATE:
		walk_update(walk, task);
		break;
	case EFFECT_MEETING_DELETE:
		walk_delete(walk, task);
		break;
	case EFFECT_MEETING_VERIFY:
		walk_verify(walk, task);
		break;
	case EFFECT_REQUEST_LAPSE:
	case EFFECT_MEETING_NOTICE:
	case EFFECT_MEETING_EXPIRE:
		break;
	default:
		walk_mail(walk, task);
	}
	if (task->outcome.err != ERR_OK && walk_bad_luck(walk, 8))
		task->outcome.retry_after_s = (int64_t)walk_random(walk, 7200);
}

/* ---- dispatchers: settle ---- */

static void walk_settle_creation(
	struct walk *walk, struct cause *cause, struct effect *effect, const struct walk_task *task)
{
	const struct request *request = walk->request;
	const bool late = effect->generation != request->meeting->generation ||
			  request->meeting->status != MEETING_PENDING;
	const size_t failed_over = core_count_events(request, "provider.failed_over");

	provision_created(cause, walk->request, effect, &task->outcome, &task->link);
	walk_seen.late_answers += late;
	walk_seen.discarded += late && task->link.external_id;
	walk_seen.ready += !late && request->meeting->status == MEETING_READY;
	walk_seen.failed += !late && request->meeting->status == MEETING_FAILED;
	walk_seen.failed_over += core_count_events(request, "provider.failed_over") - failed_over;
}

static void walk_settle_effect(
	struct walk *walk, struct effect *effect, const struct walk_task *task)
{
	struct cause cause = core_system(walk->arena, walk->now);
	struct request *request = walk->request;
	const int status = request->meeting ? request->meeting->status : -1;
	int64_t sequence;

	core_under(&cause, &walk->policy);
	switch (effect->kind) {
	case EFFECT_REQUEST_LAPSE:
		request_lapse(&cause, request, effect);
		walk_seen.lapsed += request->status == REQUEST_LAPSED;
		return;
	case EFFECT_MEETING_NOTICE:
		notice_settled(&cause, request, effect);
		break;
	case EFFECT_MEETING_CREATE:
		walk_settle_creation(walk, &cause, effect, task);
		return;
	case EFFECT_MEETING_UPDATE:
		walk_seen.updated += task->outcome.err == ERR_OK;
		sequence = request->meeting->sequence;
		provision_updated(&cause, request, effect, &task->outcome, &task->link);
		walk_seen.redrawn += request->meeting->sequence > sequence;
		break;
	case EFFECT_MEETING_DELETE:
		walk_seen.removed += task->outcome.err == ERR_OK;
		provision_deleted(&cause, request, effect, &task->outcome);
		break;
	case EFFECT_MEETING_VERIFY:
		provision_verified(&cause, request, effect, &task->outcome, &task->state);
		break;
	case EFFECT_MEETING_EXPIRE:
		provision_expired(&cause, request, effect, &task->outcome);
		walk_seen.expired += request->status == REQUEST_COMPLETED;
		break;
	default:
		news_settled(&cause, request, effect, &task->outcome);
	}
	walk_seen.remade += status == MEETING_READY && request->meeting->status == MEETING_PENDING;
}

/* Whoever waits for the link goes on at once, under the same lease. */
static void walk_settle(struct walk *walk, struct walk_task *task)
{
	const struct walk_task settled = *task;
	struct effect *effect = walk_task_effect(walk, task);

	walk_forget(walk, task);
	if (!effect)
		return;
	walk_settle_effect(walk, effect, &settled);
	effect = effect_find(walk->request, settled.effect_id);
	if (effect && effect->kind == EFFECT_MEETING_CREATE && walk_random(walk, 2)) {
		const int64_t then = effect->due > walk->now ? effect->due : walk->now;

		if (then < walk->now + 2 * INSTANT_SECOND &&
			effect_claim_one(
				walk->request, effect, then, settled.lease, EFFECT_LEASE_MS))
			walk_add_task(walk, effect, settled.lease, then + EFFECT_LEASE_MS);
	}
}

static void walk_work(struct walk *walk, struct walk_task *task)
{
	if (task->stage == WALK_CLAIMED)
		walk_load(walk, task);
	else if (task->stage == WALK_LOADED)
		walk_act(walk, task);
	else
		walk_settle(walk, task);
}

static void walk_dispatch(struct walk *walk)
{
	struct walk_task *task;

	if (walk->task_count == 0 || walk_random(walk, 4) == 0) {
		walk_claim(walk);
		return;
	}
	task = &walk->tasks[walk_random(walk, walk->task_count)];
	if (walk_random(walk, 16) == 0) /* it dies, whatever it has done */
		walk_forget(walk, task);
	else
		walk_work(walk, task);
}

/* ---- people and time ---- */

static const char *walk_provider(struct walk *walk)
{
	static const char *const names[] = {"zoom", "google", "jitsi", NULL};

	return names[walk_random(walk, sizeof(names) / sizeof(names[0]))];
}

static void walk_respond(struct walk *walk)
{
	const struct request_response response = {
		.decision = walk_random(walk, 10) ? DECISION_ACCEPT : DECISION_DECLINE,
		.provider = walk_provider(walk)};
	const struct request_response decline = {.decision = DECISION_DECLINE};
	struct cause cause = core_as_lawyer(walk->arena, walk->now);
	bool changed;

	core_under(&cause, &walk->policy);
	request_respond(&cause, walk->request,
		response.decision == DECISION_ACCEPT ? &response : &decline, &changed, NULL);
}

/* Whether somebody is asking for the present link. */
static bool walk_is_creating(const struct walk *walk)
{
	const struct effect *create =
		walk->request->meeting ? meeting_creation(walk->request) : NULL;

	return create && effect_is_running(create, walk->now);
}

static void walk_cancel(struct walk *walk)
{
	const struct effect *mail =
		core_effect(walk->request, EFFECT_MAIL_MEETING_READY, PARTY_CLIENT);
	const bool withdrawn = mail && mail->attempts == 0, creating = walk_is_creating(walk);
	const bool alone = walk_random(walk, 3) > 0;
	enum err err;

	if (alone)
		err = core_cancel_meeting(walk->arena, walk->request, walk->now);
	else
		err = core_cancel(walk->arena, walk->request, walk->now);
	if (err != ERR_OK)
		return;
	walk_seen.withdrawn += withdrawn;
	walk_seen.cancelled_creating += creating;
	walk_seen.cancelled_alone += alone;
	walk_check(walk,
		!walk->request->meeting || walk->request->meeting->sequence > walk->sequence ||
			!alone,
		"SEQUENCE rises with every change");
}

static void walk_regenerate(struct walk *walk)
{
	const struct meeting_regeneration regeneration = {.provider = walk_provider(walk)};
	struct cause cause = core_as_lawyer(walk->arena, walk->now);
	const bool creating = walk_is_creating(walk);

	core_under(&cause, &walk->policy);
	if (request_regenerate(&cause, walk->request, &regeneration, &(bool){true}, NULL) != ERR_OK)
		return;
	walk_seen.regenerated++;
	walk_seen.replaced_creating += creating;
	walk_check(walk, walk->request->meeting->sequence > walk->sequence,
		"SEQUENCE rises with every change");
}

static void walk_move(struct walk *walk)
{
	const int64_t ahead = (int64_t)walk_random(walk, 3 * INSTANT_DAY);
	const int64_t before = walk->request->starts_at;

	if (core_move(walk->arena, walk->request, walk->now, walk->now + 1 + ahead) != ERR_OK ||
		walk->request->starts_at == before)
		return;
	walk_seen.moved++;
	walk_check(walk, walk->request->meeting->sequence > walk->sequence,
		"SEQUENCE rises with every change");
}

static void walk_retry(struct walk *walk)
{
	struct cause cause = core_as_lawyer(walk->arena, walk->now);
	bool changed = true;

	core_under(&cause, &walk->policy);
	walk->request->failed_at = effect_first_failed(walk->request); /* as the store does */
	walk_seen.retried +=
		request_retry(&cause, walk->request, NULL, &changed, NULL) == ERR_OK && changed;
}

static void walk_judge(struct walk *walk)
{
	const struct meeting_verdict verdict = {.outcome = (int)walk_random(walk, 3)};
	struct cause cause = core_as_lawyer(walk->arena, walk->now);
	bool changed;

	request_note_outcome(&cause, walk->request, &verdict, &changed, NULL);
}

static void walk_propose(struct walk *walk)
{
	const struct proposal_draft draft = {
		.starts_at = walk->now + 1 + (int64_t)walk_random(walk, 2 * INSTANT_DAY)};
	struct cause cause = core_cause(walk->arena, walk->now, ROLE_CLIENT, core_client.id);
	const int64_t sequence = walk->request->meeting ? walk->request->meeting->sequence : 0;
	bool changed;
	enum err err;

	core_under(&cause, &walk->policy);
	if (walk_random(walk, 3) == 0) {
		walk_seen.taken_back +=
			proposal_withdraw(&cause, walk->request, NULL, &changed, NULL) == ERR_OK;
		return;
	}
	err = proposal_make(&cause, walk->request, &draft, &changed, NULL);
	walk_seen.proposed += err == ERR_OK;
	walk_seen.too_late += err == ERR_TOO_LATE;
	walk_check(walk, err != ERR_OK || walk->request->meeting->sequence == sequence,
		"to ask for another time moves nothing");
}

static void walk_decide(struct walk *walk)
{
	const struct proposal_response response = {
		.decision = walk_random(walk, 2) ? DECISION_ACCEPT : DECISION_DECLINE};
	struct cause cause = core_as_lawyer(walk->arena, walk->now);
	const struct proposal *proposal = walk->request->proposal;
	bool changed;

	core_under(&cause, &walk->policy);
	if (proposal_respond(&cause, walk->request, &response, &changed, NULL) != ERR_OK)
		return;
	if (response.decision == DECISION_DECLINE) {
		walk_seen.refused++;
		return;
	}
	walk_seen.taken++;
	walk_check(walk,
		walk->request->starts_at == proposal->starts_at && !walk->request->proposal &&
			walk->request->meeting->sequence > walk->sequence,
		"what is accepted is what was asked for");
}

static void walk_join(struct walk *walk)
{
	struct cause cause = core_cause(walk->arena, walk->now, ROLE_SYSTEM, NULL);
	const struct meeting *meeting = walk->request->meeting;

	cause.source = SOURCE_GATE;
	if (meeting && gate_state(walk->request, meeting->generation, walk->now) == GATE_OPEN)
		gate_use(&cause, walk->request, (enum link_use)walk_random(walk, 2));
}

/* Somebody deletes or moves a meeting in the provider's own pages. */
static void walk_meddle(struct walk *walk)
{
	struct world_meeting *live;

	if (walk->world.live_count == 0)
		return;
	live = &walk->world.live[walk_random(walk, walk->world.live_count)];
	if (walk_random(walk, 2)) {
		live->starts_at += INSTANT_MINUTE;
		return;
	}
	world_remove(&walk->world, live);
	walk_seen.lost_meetings++;
}

static void walk_wait(struct walk *walk)
{
	static const int64_t longest[] = {INSTANT_SECOND, 20 * INSTANT_SECOND, 2 * INSTANT_MINUTE,
		2 * INSTANT_HOUR, 6 * INSTANT_HOUR, INSTANT_DAY};

	walk->now += (int64_t)walk_random(
		walk, (uint64_t)longest[walk_random(walk, walk_random(walk, 8) ? 3 : 6)]);
}

static void walk_step(struct walk *walk)
{
	static void (*const rarely[])(struct walk *) = {walk_cancel, walk_regenerate,
		walk_regenerate, walk_move, walk_move, walk_move, walk_retry, walk_retry,
		walk_judge, walk_judge, walk_join, walk_meddle, walk_respond, walk_propose,
		walk_propose, walk_decide};
	const uint64_t what = walk_random(walk, 20);

	if (walk->step == 0 && walk->number % 16)
		walk_respond(walk);
	else if (what < 12)
		walk_dispatch(walk);
	else if (what < 17)
		walk_wait(walk);
	else
		rarely[walk_random(walk, sizeof(rarely) / sizeof(rarely[0]))](walk);
}

/* ---- a life ---- */

static bool walk_has_failed(const struct request *request, enum effect_kind kind, int party)
{
	MODEL_FOREACH (&request->effects, struct effect, effect) {
		if (effect->kind == (int)kind && effect->mail->party == party &&
			effect->state == EFFECT_FAILED)
			return true;
	}
	return false;
}

/* All dispatchers are new, and from here on all goes well. */
static void walk_drain(struct walk *walk, int64_t until)
{
	const struct request *request = walk->request;
	int64_t due;
	int rounds;

	walk->healthy = true;
	walk->task_count = 0;
	for (rounds = 0; rounds < 200; rounds++) {
		due = effect_next_due(request);
		if (!due || due > until)
			break;
		walk->now = walk->now < due ? due : walk->now;
		walk->step++;
		walk_claim(walk);
		while (walk->task_count > 0) {
			walk_work(walk, &walk->tasks[walk->task_count - 1]);
			walk_check_all(walk);
		}
	}
	walk_check(walk, rounds < 200, "all that is owed is done one day");
}

/* Each person holds what is true, or it is shown that the mail could not be delivered. */
static void walk_check_calendar(struct walk *walk, enum party party)
{
	const struct world_calendar *calendar = &walk->world.calendars[party];
	const struct request *request = walk->request;
	const struct meeting *meeting = request->meeting;

	if (meeting->status == MEETING_READY)
		walk_check(walk,
			(calendar->invited && calendar->sequence <= meeting->sequence &&
				strcmp(calendar->facts, told_now(walk->arena, request, party)) ==
					0 &&
				calendar->starts_at == meeting->starts_at &&
				strcmp(calendar->provider, meeting->provider) == 0) ||
				walk_has_failed(request, EFFECT_MAIL_MEETING_READY, party) ||
				walk_has_failed(request, EFFECT_MAIL_MEETING_UPDATED, party),
			"both are told what is true of what is ready");
	if (meeting->status == MEETING_CANCELLED) {
		walk_check(walk,
			!calendar->invited ||
				walk_has_failed(request, EFFECT_MAIL_MEETING_CANCELLED, party),
			"who was invited is told of the cancellation");
		walk_seen.told += calendar->mail && !calendar->invited;
	}
}

/* What lives at the providers: the one meeting, and what is shown as not deletable. */
static void walk_check_live(struct walk *walk)
{
	const struct meeting *meeting = walk->request->meeting;
	size_t i, live = 0, orphans = 0;

	for (i = 0; i < walk->world.live_count; i++)
		live += strcmp(walk->world.live[i].key, meeting->provider_key) == 0;
	MODEL_FOREACH (&walk->request->effects, struct effect, effect) {
		orphans += effect->kind == EFFECT_MEETING_DELETE &&
			   effect->state == EFFECT_FAILED &&
			   world_find(&walk->world, effect->removal->provider,
				   effect->removal->provider_key);
	}
	if (meeting->status != MEETING_READY) {
		walk_check(walk, walk->world.live_count == orphans, "nothing is left alive");
		return;
	}
	walk_check(walk, live == world_keeps(meeting->provider), "one meeting is alive");
	walk_check(walk, walk->world.live_count == live + orphans, "and no other");
	if (!live)
		return;
	walk_seen.settled_ready++;
	walk_check(walk, walk_known(walk, meeting) != NULL, "it is the one that the link leads to");
	walk_check(walk, walk_known(walk, meeting)->starts_at == meeting->starts_at,
		"it has the time that people were told");
}

/* Hours later, everything has settled; then its time passes. */
static void walk_end(struct walk *walk)
{
	const struct request *request = walk->request;
	const struct meeting *meeting;
	int party;

	walk_drain(walk, walk->now + WALK_SETTLED_MS);
	meeting = request->meeting;
	if (meeting && !walk->broken) {
		walk_check(walk, meeting->status != MEETING_PENDING, "no meeting stays pending");
		for (party = PARTY_CLIENT; party <= PARTY_LAWYER; party++)
			walk_check_calendar(walk, (enum party)party);
		walk_check_live(walk);
	}
	walk_drain(walk, INT64_MAX);
	walk_check(walk, audit_verify(NULL, &request->events, request->id) == -1,
		"the audit chain is whole");
	walk_check(walk, request->status != REQUEST_ACCEPTED && request->status != REQUEST_OPEN,
		"all ends one day");
	for (party = PARTY_CLIENT; party <= PARTY_LAWYER; party++)
		walk_check(walk,
			request->status != REQUEST_LAPSED || walk->world.lapsed[party] ||
				(party == PARTY_LAWYER && walk->policy.lawyer_addresses ==
								  LAWYER_ADDRESSES_TRUSTED) ||
				walk_has_failed(request, EFFECT_MAIL_REQUEST_LAPSED, party),
			"both are told that it lapsed");
	walk_check(walk,
		request->status != REQUEST_CANCELLED || request->meeting || !walk->world.asked ||
			walk->world.withdrawn ||
			walk_has_failed(request, EFFECT_MAIL_REQUEST_CANCELLED, PARTY_LAWYER),
		"a lawyer who was asked is told that the request was withdrawn");
	if (request->status == REQUEST_DECLINED)
		walk_check(walk,
			walk->world.refused || walk_has_failed(request,
						       EFFECT_MAIL_REQUEST_DECLINED, PARTY_CLIENT),
			"the client is told of a refusal");
	if (meeting && !walk->broken)
		walk_check_live(walk);
}

static void walk_begin(struct walk *walk, int number)
{
	*walk = (struct walk){
		.number = number,
		.random = (uint64_t)number * UINT64_C(0x9e3779b97f4a7c15),
		.arena = arena_new(),
		.now = CORE_NOW + 1,
	};
	walk->world.arena = walk->arena;
	walk->policy = core_policy(walk_random(walk, 3));
	walk->retry = *policy_default.retry;
	walk->policy.lawyer_addresses =
		walk_random(walk, 2) ? LAWYER_ADDRESSES_ANY : LAWYER_ADDRESSES_TRUSTED;
	walk->policy.join_links = walk_random(walk, 2) ? JOIN_DIRECT : JOIN_GATE;
	if (walk_random(walk, 4) == 0)
		walk->policy.change_until_minutes_before = 12 * 60;
	if (walk_random(walk, 3) == 0)
		walk->retry.give_up_s = 60;
	walk->policy.retry = &walk->retry;
	walk->request = core_open(walk->arena);
}

static int walk_sequences(void)
{
	const char *wanted = getenv("WALK_SEQUENCES");

	if (wanted)
		return atoi(wanted);
	return getenv("UNIT_UNDER_VALGRIND") ? WALK_UNDER_VALGRIND : WALK_SEQUENCES;
}

static void test_walk_promises_hold(void)
{
	const int sequences = walk_sequences();
	struct walk walk;
	int number, broken = 0;

	for (number = 1; number <= sequences && broken < WALK_MAX_BROKEN; number++) {
		walk_begin(&walk, number);
		for (walk.step = 0; walk.step < WALK_STEPS; walk.step++) {
			walk_step(&walk);
			walk_check_all(&walk);
			walk_check_answers(&walk);
		}
		walk_end(&walk);
		broken += walk.broken;
		arena_free(&walk.arena);
	}
}

static void test_walk_went_everywhere(void)
{
	/* A few lives, as under a debugger, need not have seen all. */
	if (walk_sequences() < WALK_SEQUENCES)
		return;
#define WALK_SAW(what) UNIT_CHECK(walk_seen.what > 100, #what)
	WALK_SAW(ready);
	WALK_SAW(failed);
	WALK_SAW(failed_over);
	WALK_SAW(moved);
	WALK_SAW(regenerated);
	WALK_SAW(replaced_creating);
	WALK_SAW(remade);
	WALK_SAW(retried);
	WALK_SAW(cancelled_creating);
	WALK_SAW(cancelled_alone);
	WALK_SAW(late_answers);
	WALK_SAW(discarded);
	WALK_SAW(lost_leases);
	WALK_SAW(lost_meetings);
	WALK_SAW(uncertain);
	WALK_SAW(made_unheard);
	WALK_SAW(updated);
	WALK_SAW(expired);
	WALK_SAW(redrawn);
	WALK_SAW(lapsed);
	WALK_SAW(told);
	WALK_SAW(withdrawn);
	WALK_SAW(removed);
	WALK_SAW(settled_ready);
	WALK_SAW(reminded);
	WALK_SAW(delayed);
	WALK_SAW(missed);
	WALK_SAW(proposed);
	WALK_SAW(proposal_mails);
	WALK_SAW(taken);
	WALK_SAW(refused);
	WALK_SAW(taken_back);
	WALK_SAW(too_late);
	UNIT_CHECK(shown_seen.tags > 1000 && shown_seen.answers > 2 * shown_seen.tags, "shown");
}

static const struct unit_case cases[] = {
	{"promises hold in random lives", test_walk_promises_hold},
	{"the lives went everywhere", test_walk_went_everywhere},
};

UNIT_MAIN("request walk", cases)
