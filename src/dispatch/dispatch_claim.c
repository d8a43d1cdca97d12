/* Finds what is due, and leases it for the threads that have room for it. */
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "dispatch_private.h"
#include "fault.h"
#include "log.h"
#include "store_change.h"

enum {
	DISPATCH_BATCH = 64,
	DISPATCH_SWEEP_US = 1000 * 1000,
	DISPATCH_AWAY_PAUSE_MS = 1000,
	DISPATCH_ASIDE_MS = 5 * 60 * 1000,
};

struct dispatch_lease {
	const struct dispatch_claimer *claimer;
	const char *lease;
	int64_t now;
};

/* The version before, or another reading of the rules, has stored it otherwise: it is written as it
 * is found from now on. */
static bool dispatch_is_filed_wrongly(struct arena *arena, const struct request *request)
{
	const struct model_list owed = effect_owed(arena, request);
	const struct model_time *stored = request->owed.items;

	if (effect_next_due(request) != request->due || owed.count != request->owed.count)
		return true;
	MODEL_FOREACH (&owed, struct model_time, time) {
		if (time->at != stored->at || strcmp(time->name, stored->name) != 0)
			return true;
		stored++;
	}
	return false;
}

static size_t *dispatch_room(const struct dispatch_claimer *claimer, const char *queue)
{
	return &claimer->room[dispatch_queue_pool(&claimer->queues, queue)];
}

/* What needs no lease; whether there was anything. */
static bool dispatch_do_at_once(
	const struct dispatch *dispatch, struct arena *arena, struct request *request)
{
	struct cause cause;

	MODEL_FOREACH (&request->effects, struct effect, effect) {
		if (!dispatch_effect_of(effect)->at_claim)
			continue;
		dispatch_cause_init(arena, NULL, &cause);
		cause.trace_id = effect->trace_id;
		dispatch_effect_of(effect)->at_claim(dispatch, &cause, request, effect);
		return true; /* the list is another now */
	}
	return false;
}

/* Of what one request owes to a pool only that is leased which can begin at once, and half of the
 * room at most: a lease that waits runs out, and the others want their turn. */
static enum err dispatch_lease(void *data, struct arena *arena, struct request *request,
	bool *changed_r, struct err_info *info)
{
	const struct dispatch_lease *lease = data;
	const struct model_list *queues = &lease->claimer->queues;
	size_t *share = arena_alloc(arena, queues->count * sizeof(*share));
	size_t i;

	(void)info;
	for (i = 0; i < queues->count; i++)
		share[i] = (lease->claimer->room[i] + 1) / 2;
	*changed_r = dispatch_is_filed_wrongly(arena, request) |
		     dispatch_do_at_once(lease->claimer->dispatch, arena, request);
	MODEL_FOREACH (&request->effects, struct effect, effect) {
		if (dispatch_effect_of(effect)->at_claim)
			continue;
		i = dispatch_queue_pool(queues, effect_queue(arena, request, effect));
		if (share[i] == 0 || !effect_claim_one(request, effect, lease->now, lease->lease,
					     EFFECT_LEASE_MS))
			continue;
		share[i]--;
		*changed_r = true;
	}
	return ERR_OK;
}

/* Hands out what has the lease; whether there was anything. */
static bool dispatch_give(struct dispatch_claimer *claimer, struct arena *arena,
	const struct request *request, struct dispatch_task *task)
{
	bool given = false;
	size_t pool;

	MODEL_FOREACH (&request->effects, struct effect, effect) {
		if (!effect->lease || strcmp(effect->lease, task->lease) != 0)
			continue;
		snprintf(task->request_id, sizeof(task->request_id), "%s", request->id);
		snprintf(task->effect_id, sizeof(task->effect_id), "%s", effect->id);
		pool = dispatch_queue_pool(&claimer->queues, effect_queue(arena, request, effect));
		claimer->room[pool]--;
		claimer->give(claimer->data, pool, task);
		given = true;
	}
	return given;
}

/* False when there was nothing to claim, or another dispatcher was faster. */
static bool dispatch_claim_one(struct dispatch_claimer *claimer, const char *id)
{
	const struct dispatch *dispatch = claimer->dispatch;
	struct arena *arena = arena_new();
	struct err_info info = {0};
	struct dispatch_task task;
	struct dispatch_lease lease = {
		.claimer = claimer, .lease = task.lease, .now = clock_now_ms()};
	const struct store_change change = {
		.store = dispatch->store,
		.wake_fd = dispatch->wake_fd,
		.id = id,
		.depth = STORE_WHOLE,
		.rule = dispatch_lease,
		.data = &lease,
		.before_save = FAULT_CLAIM_BEFORE_SAVE,
		.after_save = FAULT_CLAIM_AFTER_SAVE,
		.tries = 1,
	};
	struct request *request;
	bool claimed = false;
	enum err err;

	id_random(task.lease);
	task.lease_until = lease.now + EFFECT_LEASE_MS;
	err = store_request_change(&change, arena, &request, &info);
	/* What cannot be read or written here must not stand in the way of the others. */
	if (err == ERR_UNREADABLE || err == ERR_INTERNAL) {
		log_error("request %s is set aside for a while: %s", id, info.detail);
		store_request_postpone(
			dispatch->store, id, lease.now, lease.now + DISPATCH_ASIDE_MS, &info);
	}
	if (err == ERR_OK)
		claimed = dispatch_give(claimer, arena, request, &task);
	arena_free(&arena);
	return claimed;
}

/* Whether there is room for anything that it owes by now, or it does not say what that is. */
static bool dispatch_has_room(
	const struct dispatch_claimer *claimer, const struct store_due *found, int64_t now)
{
	bool told = false;

	MODEL_FOREACH (&found->owed, struct model_time, time) {
		if (time->at > now)
			continue;
		if (*dispatch_room(claimer, time->name) > 0)
			return true;
		told = true;
	}
	return !told;
}

/* In random order, so that dispatchers do not fight for the same documents. */
static size_t dispatch_claim_all(
	struct dispatch_claimer *claimer, const struct model_list *found, int64_t now)
{
	size_t left, claimed = 0;

	for (left = found->count; left > 0; left--) {
		struct store_due *chosen =
			MODEL_AT(found, struct store_due, id_random_below((uint32_t)left));

		if (dispatch_has_room(claimer, chosen, now))
			claimed += dispatch_claim_one(claimer, chosen->id);
		*chosen = *MODEL_AT(found, struct store_due, left - 1);
	}
	return claimed;
}

/* Notes where the search for all goes on: behind what it has found, of which many may be due at the
 * same moment. */
static void dispatch_go_on(struct dispatch_claimer *claimer, const struct model_list *found)
{
	const int64_t last = MODEL_AT(found, struct store_due, found->count - 1)->due;

	if (last != claimer->after)
		claimer->passed = 0;
	claimer->after = last;
	MODEL_FOREACH (found, struct store_due, one) {
		claimer->passed += one->due == last;
	}
}

/* Claims what the search finds in a queue, or among all; returns how many requests. */
static size_t dispatch_claim_by(struct dispatch_claimer *claimer, const char *queue, int64_t limit)
{
	struct arena *arena = arena_new();
	const struct store_due_search search = {.queue = queue,
		.from = queue ? 0 : claimer->after,
		.skip = queue ? 0 : claimer->passed,
		.now = clock_now_ms(),
		.limit = limit};
	struct model_list found = {0};
	struct err_info info = {0};
	size_t claimed;
	enum err err;

	err = store_request_due(claimer->dispatch->store, arena, &search, &found, &info);
	if (!queue && err == ERR_OK && (int64_t)found.count == limit)
		dispatch_go_on(claimer, &found);
	else if (!queue || err != ERR_OK)
		claimer->after = claimer->passed = 0;
	if (err != ERR_OK)
		clock_sleep_ms(DISPATCH_AWAY_PAUSE_MS);
	claimed = dispatch_claim_all(claimer, &found, search.now);
	arena_free(&arena);
	return claimed;
}

/* What each queue with room is owed, whatever stands before it in the others; until the database is
 * away. */
static size_t dispatch_claim_queues(struct dispatch_claimer *claimer)
{
	size_t claimed = 0;

	MODEL_FOREACH (&claimer->queues, struct dispatch_queue, queue) {
		const int64_t room = (int64_t)claimer->room[queue->pool];

		if (room > 0 && claimer->after > 0)
			claimed += dispatch_claim_by(claimer, queue->name, room);
	}
	return claimed;
}

/*
 * One search finds all that is due, as long as that is not much. Where there is more, each queue
 * with room is asked for its own; and now and then the search for all goes on, for the sake of
 * those documents that do not say to which queues they owe. (It may cost in proportion to all that
 * is due: the Rust database reads the whole range of an index before it limits.)
 */
size_t dispatch_claim(struct dispatch_claimer *claimer)
{
	const bool crowded = claimer->after > 0;
	size_t claimed = 0;

	if (crowded)
		claimed += dispatch_claim_queues(claimer);
	if (crowded && clock_monotonic_us() - claimer->searched_us < DISPATCH_SWEEP_US)
		return claimed;
	claimed += dispatch_claim_by(claimer, NULL, DISPATCH_BATCH);
	claimer->searched_us = clock_monotonic_us();
	if (!crowded && claimer->after > 0)
		claimed += dispatch_claim_queues(claimer);
	return claimed;
}
