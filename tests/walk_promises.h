#ifndef WALK_PROMISES_H
#define WALK_PROMISES_H
/* A random life of a request, and what must hold after every step of it. */
#include "agenda.h"
#include "attention.h"
#include "core_unit.h"
#include "proposal.h"
#include "told.h"
#include "walk_world.h"

enum { WALK_TASKS = 16, WALK_REMOVALS = 64 };

enum walk_stage {
	WALK_CLAIMED,
	WALK_LOADED, /* decided to do it, with the request as it was then */
	WALK_DONE,   /* only settling is left */
};

/* An effect that a dispatcher has claimed. */
struct walk_task {
	const char *effect_id, *lease;
	int64_t lease_until;
	enum walk_stage stage;
	/* As loaded. */
	struct effect effect;
	struct meeting meeting;
	/* As it went. */
	struct effect_outcome outcome;
	struct meeting_link link;
	struct provision_state state;
};

struct walk {
	uint64_t random;
	int number, step;
	bool broken, healthy;
	struct arena *arena;
	struct request *request;
	struct policy policy;
	struct policy_retry retry;
	int64_t now;
	unsigned leases;
	struct world world;
	struct walk_task tasks[WALK_TASKS];
	size_t task_count;
	/* Every deletion that was ever owed: its effect, and the key. */
	struct {
		const char *id, *key;
	} removals[WALK_REMOVALS];
	size_t removal_count;
	/* Of the step before. */
	size_t events;
	int64_t sequence;
	const char *meeting_id;
	const char *shown; /* what calendars show, as a digest; NULL: there was no meeting */
	int64_t updated_at;
};

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

/* One in so many, and never once all goes well. */
static bool walk_bad_luck(struct walk *walk, uint64_t one_in)
{
	return !walk->healthy && walk_random(walk, one_in) == 0;
}

static bool walk_is_ended(const struct meeting *meeting)
{
	return meeting->status == MEETING_CANCELLED || meeting->status == MEETING_EXPIRED;
}

/* ---- what must hold: effects ---- */

enum walk_lane { WALK_TO_CLIENT, WALK_TO_LAWYER, WALK_AT_PROVIDER, WALK_ALONE };

static enum walk_lane walk_lane(const struct effect *effect)
{
	switch (effect->kind) {
	case EFFECT_MEETING_CREATE:
	case EFFECT_MEETING_UPDATE:
		return WALK_AT_PROVIDER;
	case EFFECT_MEETING_DELETE:
	case EFFECT_REQUEST_LAPSE:
	case EFFECT_MEETING_NOTICE:
	case EFFECT_MEETING_EXPIRE:
	case EFFECT_MEETING_OVERLAPS:
	case EFFECT_MEETING_VERIFY:
		return WALK_ALONE;
	default:
		return (enum walk_lane)effect->mail->party;
	}
}

static bool walk_waits_for_link(const struct request *request, const struct effect *effect)
{
	return (effect->kind == EFFECT_MAIL_MEETING_READY ||
		       effect->kind == EFFECT_MAIL_MEETING_UPDATED ||
		       effect->kind == EFFECT_MAIL_MEETING_REMINDER) &&
	       (request->meeting->status == MEETING_PENDING ||
		       request->meeting->status == MEETING_FAILED);
}

/* Whether the queue of an effect says that there is something to do by then. */
static bool walk_is_found(const struct model_list *owed, struct arena *arena,
	const struct request *request, const struct effect *effect)
{
	const char *queue = effect_queue(arena, request, effect);

	MODEL_FOREACH (owed, struct model_time, time) {
		if (strcmp(time->name, queue) == 0)
			return time->at <= effect->due;
	}
	return false;
}

/* What each lane does first: what was owed first; of a person's mails what was tried, else what is
 * due first. What waits for its link passes nobody. */
static void walk_find_first(const struct request *request, const struct effect **first_r)
{
	MODEL_FOREACH (&request->effects, struct effect, effect) {
		const enum walk_lane lane = walk_lane(effect);
		const struct effect *first = first_r[lane];

		if (effect->state == EFFECT_FAILED)
			continue;
		if (!first || (lane <= WALK_TO_LAWYER && first->attempts == 0 &&
				      !walk_waits_for_link(request, effect) &&
				      (effect->attempts > 0 || effect->due < first->due)))
			first_r[lane] = effect;
	}
}

/* Lanes in order, and what is due first. */
static void walk_check_lanes(struct walk *walk)
{
	const struct request *request = walk->request;
	const struct effect *first[WALK_ALONE + 1] = {NULL};
	const struct model_list owed = effect_owed(walk->arena, request);
	int64_t due = 0, failed = 0;
	int lane;

	walk_find_first(request, first);
	MODEL_FOREACH (&request->effects, struct effect, effect) {
		lane = walk_lane(effect);
		walk_check(walk, !effect->lease || effect->state == EFFECT_DUE,
			"nobody performs what was given up");
		walk_check(walk, !effect->lease || lane == WALK_ALONE || effect == first[lane],
			"nothing is performed before what stands first in its lane");
		if (effect->state == EFFECT_FAILED && (!failed || effect->last_error->at < failed))
			failed = effect->last_error->at;
		if (effect->state == EFFECT_FAILED || walk_waits_for_link(request, effect) ||
			(lane != WALK_ALONE && effect != first[lane]))
			continue;
		if (!due || effect->due < due)
			due = effect->due;
		walk_check(walk, walk_is_found(&owed, walk->arena, request, effect),
			"what may run is found in its queue");
	}
	walk_check(walk, effect_first_failed(request) == failed, "what was given up is found");
	walk_check(
		walk, effect_next_due(request) == due, "due is the earliest of the lanes' first");
}

/* Of each key at most one deletion is ever owed, and never of the one in use. */
static void walk_check_removal(struct walk *walk, const struct effect *removal)
{
	const struct meeting *meeting = walk->request->meeting;
	const char *key = removal->removal->provider_key;
	size_t i;

	walk_check(walk, walk_is_ended(meeting) || strcmp(meeting->provider_key, key) != 0,
		"what is in use is not deleted");
	for (i = 0; i < walk->removal_count; i++) {
		if (strcmp(walk->removals[i].id, removal->id) == 0)
			return;
		walk_check(
			walk, strcmp(walk->removals[i].key, key) != 0, "nothing is deleted twice");
	}
	if (walk->removal_count == WALK_REMOVALS) {
		walk_check(walk, false, "few deletions are owed");
		return;
	}
	walk->removals[walk->removal_count].id = removal->id;
	walk->removals[walk->removal_count++].key = key;
}

/* What is told once, at its time. */
static void walk_check_notice(struct walk *walk, const struct effect *mail)
{
	size_t same = 0;

	MODEL_FOREACH (&walk->request->effects, struct effect, other) {
		same += other->kind == mail->kind && other->mail->party == mail->mail->party &&
			other->attempts == 0;
	}
	walk_check(walk, same <= 1, "no notice waits beside another one of its kind");
	walk_check(walk,
		mail->kind != EFFECT_MAIL_MEETING_REMINDER ||
			walk->world.calendars[mail->mail->party].handed,
		"nobody is reminded of what nobody told them");
	walk_check(walk,
		(mail->kind != EFFECT_MAIL_REQUEST_RECEIVED &&
			mail->kind != EFFECT_MAIL_MEETING_FAILED) ||
			mail->mail->party == PARTY_LAWYER,
		"what the lawyer has to do is told to the lawyer");
}

static void walk_check_mail(struct walk *walk, const struct effect *mail)
{
	const struct request *request = walk->request;
	size_t open = 0;

	if (effect_row(mail)->notice)
		walk_check_notice(walk, mail);
	if (effect_row(mail)->calendar == CALENDAR_NONE)
		return;
	walk_check(walk, request->meeting, "mails are about a meeting");
	if (mail->kind == EFFECT_MAIL_MEETING_READY)
		walk_check(walk,
			mail->attempts > 0 || request->meeting->status != MEETING_CANCELLED,
			"no invitation leaves for what is cancelled");
	else
		walk_check(walk, walk->world.calendars[mail->mail->party].handed,
			"news go only to who may have been invited");
	MODEL_FOREACH (&request->effects, struct effect, other) {
		open += other->mail && other->mail->party == mail->mail->party &&
			other->attempts == 0 &&
			(other->kind == EFFECT_MAIL_MEETING_READY ||
				other->kind == EFFECT_MAIL_MEETING_UPDATED);
	}
	walk_check(walk, open <= 1, "what has not left is one mail");
}

static void walk_check_counts(struct walk *walk)
{
	const struct request *request = walk->request;
	const struct meeting *meeting = request->meeting;
	size_t counts[EFFECT_KIND_COUNT] = {0}, creations = 0;

	MODEL_FOREACH (&request->effects, struct effect, effect) {
		counts[effect->kind]++;
		if (effect->kind != EFFECT_MEETING_CREATE)
			continue;
		if (effect->generation == meeting->generation)
			creations++;
		else
			walk_check(walk, effect->lease != NULL,
				"only a creation in somebody's hand outlives its generation");
	}
	walk_check(walk, creations <= 1, "at most one creation is under way");
	walk_check(walk, counts[EFFECT_MEETING_UPDATE] <= 2, "few updates are owed");
	walk_check(walk, counts[EFFECT_MEETING_VERIFY] <= 1, "one verification is owed");
	walk_check(walk, counts[EFFECT_MEETING_NOTICE] <= 1, "one notice is waited for");
	walk_check(walk, counts[EFFECT_MEETING_EXPIRE] == (request->status == REQUEST_ACCEPTED),
		"what is accepted ends one day");
	walk_check(walk, counts[EFFECT_REQUEST_LAPSE] == (request->status == REQUEST_OPEN),
		"what is open lapses one day");
	walk_check(walk,
		(request->status == REQUEST_LAPSED) ==
			(core_count_events(request, "request.lapsed") == 1),
		"what has lapsed says so once");
	if (meeting && meeting->status == MEETING_READY && meeting->external_id &&
		walk->now < meeting->ends_at)
		walk_check(
			walk, counts[EFFECT_MEETING_VERIFY] == 1, "what is ready is looked after");
}

static void walk_check_effects(struct walk *walk)
{
	MODEL_FOREACH (&walk->request->effects, struct effect, effect) {
		if (effect->kind == EFFECT_MEETING_DELETE)
			walk_check_removal(walk, effect);
		else if (walk_lane(effect) <= WALK_TO_LAWYER)
			walk_check_mail(walk, effect);
	}
	walk_check_counts(walk);
	walk_check_lanes(walk);
}

/* ---- what must hold: the meeting, providers and calendars ---- */

static void walk_check_status(struct walk *walk)
{
	const struct request *request = walk->request;
	const struct meeting *meeting = request->meeting;
	const struct effect *create = meeting_creation(request);

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
		walk_check(walk, world_keeps(meeting->provider) == (meeting->external_id != NULL),
			"link and provider belong together");
		break;
	default:
		walk_check(walk, !create || create->lease,
			"only a creation in somebody's hand outlives its meeting");
		walk_check(walk, meeting->ended_at != 0, "ended says when");
	}
}

static void walk_check_meeting(struct walk *walk)
{
	const struct request *request = walk->request;
	const struct meeting *meeting = request->meeting;

	if (!meeting) {
		walk_check(walk, request->status != REQUEST_ACCEPTED, "accepted has a meeting");
		return;
	}
	walk_check(walk, !walk->meeting_id || strcmp(walk->meeting_id, meeting->id) == 0,
		"the meeting keeps its id");
	walk_check(walk, meeting->sequence >= walk->sequence, "SEQUENCE never falls");
	walk->meeting_id = meeting->id;
	walk->sequence = meeting->sequence;
	walk_check(walk, meeting->generation == (int64_t)request->meetings.count + 1,
		"every generation is kept");
	walk_check(walk, request->status == REQUEST_ACCEPTED || walk_is_ended(meeting),
		"a request that is over has no meeting");
	walk_check_status(walk);
}

/* The key that a creation of that generation works with. */
static const char *walk_key_of(const struct request *request, int64_t generation)
{
	MODEL_FOREACH (&request->meetings, struct meeting, ended) {
		if (ended->generation == generation)
			return ended->provider_key;
	}
	return request->meeting->provider_key;
}

static bool walk_is_accounted_for(const struct request *request, const struct world_meeting *live)
{
	const struct meeting *meeting = request->meeting;

	if (!walk_is_ended(meeting) && strcmp(meeting->provider_key, live->key) == 0)
		return strcmp(meeting->provider, live->provider) == 0;
	MODEL_FOREACH (&request->effects, struct effect, effect) {
		if (effect->kind == EFFECT_MEETING_DELETE &&
			strcmp(effect->removal->provider_key, live->key) == 0)
			return strcmp(effect->removal->provider, live->provider) == 0;
		if (effect->kind == EFFECT_MEETING_CREATE && effect->creation->begun &&
			strcmp(walk_key_of(request, effect->generation), live->key) == 0)
			return true;
		if (!effect->creation)
			continue;
		MODEL_FOREACH (&effect->creation->maybe_made, struct removal, made) {
			if (strcmp(made->provider_key, live->key) == 0)
				return strcmp(made->provider, live->provider) == 0;
		}
	}
	return false;
}

static void walk_check_world(struct walk *walk)
{
	const struct request *request = walk->request;
	size_t i;
	int party;

	for (i = 0; i < walk->world.live_count; i++)
		walk_check(walk, walk_is_accounted_for(request, &walk->world.live[i]),
			"no meeting of a provider's is forgotten");
	for (party = PARTY_CLIENT; party <= PARTY_LAWYER; party++) {
		const struct person_news *news = request->side[party].news;
		bool known = !walk->world.calendars[party].invited || (news && news->invited);

		MODEL_FOREACH (&request->effects, struct effect, effect) {
			known |= walk_lane(effect) == (enum walk_lane)party && effect->attempts > 0;
			known |= effect->kind == EFFECT_MAIL_MEETING_CANCELLED &&
				 effect->mail->party == party;
		}
		walk_check(walk, known, "who was invited is known");
	}
}

static void walk_check_proposal(struct walk *walk)
{
	const struct request *request = walk->request;

	walk_check(walk,
		!request->proposal ||
			(request->status == REQUEST_ACCEPTED && !walk_is_ended(request->meeting)),
		"another time is asked for of what takes place");
	walk_check(walk,
		!proposal_is_open(request, walk->now) ||
			request->proposal->starts_at != request->starts_at ||
			request->proposal->duration_minutes != request->duration_minutes,
		"and is another one");
}

/* What a dashboard finds by index is what reading every request would say. */
static void walk_check_agenda(struct walk *walk)
{
	struct request *request = walk->request;
	const int64_t proposed = request->proposal ? proposal_until(request) : walk->now;
	const int64_t times[] = {walk->now, request->starts_at - 1, request->starts_at,
		request->ends_at - 1, request->ends_at, request->ends_at + INSTANT_HOUR,
		proposed - 1, proposed};
	const bool open = request->status == REQUEST_OPEN,
		   accepted = request->status == REQUEST_ACCEPTED;
	const int meeting = request->meeting ? request->meeting->status : MEETING_REPLACED;
	size_t i;

	request->failed_at = effect_first_failed(request);
	agenda_set(request);
	for (i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		const int64_t now = times[i];
		const bool over = request->over_at <= now;

		walk_check(walk,
			(request->client_until > now) ==
				(request_attention(request, ROLE_CLIENT, now) != 0),
			"what waits for the client is found");
		walk_check(walk,
			request->client_until <= now ||
				(request->shelf && strcmp(request->shelf, AGENDA_UPCOMING) == 0 &&
					!over),
			"what waits for the client is upcoming");
		walk_check(walk, (request->proposed_until > now) == proposal_is_open(request, now),
			"what is proposed is found");
		walk_check(walk,
			(request->lawyer_until > now) ==
				(request_attention(request, ROLE_LAWYER, now) != 0),
			"what waits for the lawyer is found");
		walk_check(walk,
			(request->admin_until > now) ==
				(request_attention(request, ROLE_ADMIN, now) != 0),
			"what waits for an administrator is found");
		walk_check(walk,
			(request->shelf && strcmp(request->shelf, AGENDA_OPEN) == 0 && !over) ==
				(open && now < request->starts_at),
			"what is open is found");
		walk_check(walk,
			(request->shelf && strcmp(request->shelf, AGENDA_UPCOMING) == 0 && !over) ==
				(accepted && meeting <= MEETING_FAILED && now < request->ends_at),
			"what is upcoming is found");
		if (now >= walk->now)
			walk_check(walk,
				over == (open ? now >= request->starts_at
						: accepted && meeting != MEETING_CANCELLED
							? now >= request->ends_at
							: true),
				"what is over is found");
	}
}

/* All that the calendar of one of the two shows (ics_invite.c), but for when it was changed. */
static const char *walk_shown(struct arena *arena, const struct request *request)
{
	const struct meeting *meeting = request->meeting;

	return arena_printf(arena, "%s%s%d %lld %lld %lld %s %lld",
		told_now(arena, request, PARTY_CLIENT), told_now(arena, request, PARTY_LAWYER),
		meeting->status, (long long)meeting->generation, (long long)meeting->sequence,
		(long long)meeting->starts_at, meeting->ended_reason ? meeting->ended_reason : "-",
		(long long)meeting->ended_at);
}

/* Feeds, entity tags and DTSTAMP go by it. In every eighth life, for it is slow. */
static void walk_check_shown(struct walk *walk)
{
	const struct request *request = walk->request;
	const char *shown = request->meeting ? walk_shown(walk->arena, request) : NULL;

	if (shown && (!walk->shown || strcmp(shown, walk->shown) != 0))
		walk_check(walk,
			request->updated_at == walk->now || request->updated_at > walk->updated_at,
			"what calendars show is dated");
	walk->shown = shown;
	walk->updated_at = request->updated_at;
}

static void walk_check_all(struct walk *walk)
{
	if (walk->number % 8 == 0)
		walk_check_shown(walk);
	walk_check(walk, walk->request->events.count >= walk->events, "the trail only grows");
	walk->events = walk->request->events.count;
	walk_check_meeting(walk);
	walk_check_effects(walk);
	walk_check_world(walk);
	walk_check_agenda(walk);
	walk_check_proposal(walk);
}
#endif
