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
	DISPATCH_BACKLOG = 256,
	DISPATCH_SWEEP_US = 1000 * 1000,
	DISPATCH_AWAY_PAUSE_MS = 1000,
	DISPATCH_ASIDE_MS = 5 * 60 * 1000,
};

/* What one thread is given of a request. */
struct dispatch_portion {
	size_t pool;
	const char *lease, *effect_id; /* of the first */
};

struct dispatch_lease {
	const struct dispatch_claimer *claimer;
	int64_t now;
	struct model_list portions; /* struct dispatch_portion */
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

/* Where others wait for a thread, one of them does the mails of a request to both people, and
 * writes down what came of them at once. NULL: there is no such portion (yet). */
static const struct dispatch_portion *dispatch_portion_to_join(
	const struct dispatch_lease *lease, const struct effect *effect)
{
	if (!lease->claimer->rush || effect_row(effect)->class != CLASS_MAIL)
		return NULL;
	MODEL_FOREACH (&lease->portions, struct dispatch_portion, portion) {
		if (MODEL_AT(&lease->claimer->queues, struct dispatch_queue, portion->pool)->class
			== CLASS_MAIL)
			return portion;
	}
	return NULL;
}

/* Of what one request owes to a pool only that is leased which can begin at once, and half of the
 * room at most: a lease that waits runs out, and the others want their turn. */
static enum err dispatch_lease(void *data, struct arena *arena, struct request *request,
	bool *changed_r, struct err_info *info)
{
	struct dispatch_lease *lease = data;
	const struct model_list *queues = &lease->claimer->queues;
	size_t *room = arena_alloc(arena, queues->count * sizeof(*room));
	const struct dispatch_portion *joined;
	char *own;
	size_t i;

	(void)info;
	for (i = 0; i < queues->count; i++)
		room[i] = (lease->claimer->room[i] + 1) / 2;
	*changed_r = dispatch_is_filed_wrongly(arena, request) |
		     dispatch_do_at_once(lease->claimer->dispatch, arena, request);
	MODEL_FOREACH (&request->effects, struct effect, effect) {
		if (dispatch_effect_of(effect)->at_claim)
			continue;
		i = dispatch_queue_pool(queues, effect_queue(arena, request, effect));
		joined = dispatch_portion_to_join(lease, effect);
		if (!joined && room[i] == 0)
			continue;
		own = arena_alloc(arena, ID_SIZE);
		id_random(own);
		if (!effect_claim_one(request, effect, lease->now, joined ? joined->lease : own,
			    EFFECT_LEASE_MS))
			continue;
		*changed_r = true;
		if (joined)
			continue;
		room[i]--;
		*(struct dispatch_portion *)model_list_add(
			arena, &lease->portions, sizeof(struct dispatch_portion)) =
			(struct dispatch_portion){.pool = i, .lease = own, .effect_id = effect->id};
	}
	return ERR_OK;
}

/* Hands out what is leased; the last thread gets the request with it. Takes the arena over. */
static bool dispatch_give(struct dispatch_claimer *claimer, struct arena *arena,
	const struct dispatch_lease *lease, struct request *request)
{
	size_t left = lease->portions.count;

	if (left == 0)
		arena_free(&arena);
	MODEL_FOREACH (&lease->portions, struct dispatch_portion, portion) {
		const size_t pool = portion->pool;
		struct dispatch_task task = {.lease_until = lease->now + EFFECT_LEASE_MS};

		snprintf(task.request_id, sizeof(task.request_id), "%s", request->id);
		snprintf(task.effect_id, sizeof(task.effect_id), "%s", portion->effect_id);
		snprintf(task.lease, sizeof(task.lease), "%s", portion->lease);
		if (--left == 0) {
			task.request = request;
			task.arena = arena;
		}
		claimer->room[pool]--;
		claimer->give(claimer->data, pool, &task);
		if (left == 0)
			return true; /* the list is not ours any more */
	}
	return false;
}

/* False when there was nothing to claim, or another dispatcher was faster. */
static bool dispatch_claim_one(struct dispatch_claimer *claimer, const char *id)
{
	const struct dispatch *dispatch = claimer->dispatch;
	struct arena *arena = arena_new();
	struct err_info info = {0};
	struct dispatch_lease lease = {.claimer = claimer, .now = clock_now_ms()};
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
	enum err err;

	err = store_request_change(&change, arena, &request, &info);
	/* What cannot be read or written here must not stand in the way of the others. */
	if (err == ERR_UNREADABLE || err == ERR_INTERNAL) {
		log_error("request %s is set aside for a while: %s", id, info.detail);
		store_request_postpone(
			dispatch->store, id, lease.now, lease.now + DISPATCH_ASIDE_MS, &info);
	}
	if (err == ERR_OK)
		return dispatch_give(claimer, arena, &lease, request);
	arena_free(&arena);
	return false;
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

/* Whether more requests owe mails by now than there are threads for. */
static bool dispatch_is_rush(
	const struct dispatch_claimer *claimer, const struct model_list *found, int64_t now)
{
	const char *mail = effect_class_names[CLASS_MAIL];
	size_t waiting = 0;

	MODEL_FOREACH (found, struct store_due, one) {
		MODEL_FOREACH (&one->owed, struct model_time, time) {
			waiting += time->at <= now && strcmp(time->name, mail) == 0;
		}
	}
	return waiting > *dispatch_room(claimer, mail);
}

/* In random order, so that dispatchers do not fight for the same documents. */
static size_t dispatch_claim_all(
	struct dispatch_claimer *claimer, const struct model_list *found, int64_t now)
{
	size_t left, claimed = 0;

	claimer->rush = dispatch_is_rush(claimer, found, now);
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

static enum err dispatch_search(const struct dispatch_claimer *claimer, struct arena *arena,
	const struct store_due_search *search, struct model_list *found)
{
	struct err_info info = {0};
	const enum err err =
		store_request_due(claimer->dispatch->store, arena, search, found, &info);

	if (err != ERR_OK)
		clock_sleep_ms(DISPATCH_AWAY_PAUSE_MS);
	return err;
}

/* Claims what the search among all finds; returns how many requests. */
static size_t dispatch_claim_any(struct dispatch_claimer *claimer)
{
	struct arena *arena = arena_new();
	const struct store_due_search search = {.from = claimer->after,
		.skip = claimer->passed,
		.now = clock_now_ms(),
		.limit = DISPATCH_BATCH};
	struct model_list found = {0};
	size_t claimed;

	if (dispatch_search(claimer, arena, &search, &found) == ERR_OK &&
		found.count == DISPATCH_BATCH)
		dispatch_go_on(claimer, &found);
	else
		claimer->after = claimer->passed = 0;
	claimed = dispatch_claim_all(claimer, &found, search.now);
	arena_free(&arena);
	return claimed;
}

/* ---- by queue ---- */

/* Looks anew; when the database is away, among all the next time. */
static void dispatch_backlog_search(
	struct dispatch_claimer *claimer, const char *queue, struct dispatch_backlog *backlog)
{
	const struct store_due_search search = {
		.queue = queue, .now = clock_now_ms(), .limit = DISPATCH_BACKLOG};

	arena_free(&backlog->arena);
	*backlog = (struct dispatch_backlog){.arena = arena_new()};
	if (dispatch_search(claimer, backlog->arena, &search, &backlog->found) != ERR_OK)
		claimer->after = claimer->passed = 0;
	backlog->full = backlog->found.count == DISPATCH_BACKLOG;
	backlog->searched_us = clock_monotonic_us();
}

static bool dispatch_backlog_is_stale(const struct dispatch_backlog *backlog)
{
	return !backlog->searched_us ||
	       clock_monotonic_us() - backlog->searched_us > DISPATCH_SWEEP_US;
}

/* Claims the first of them, as far as there is room; returns how many. In random order, as above.
 */
static size_t dispatch_claim_from(struct dispatch_claimer *claimer,
	const struct dispatch_queue *queue, struct dispatch_backlog *backlog)
{
	const size_t *room = &claimer->room[queue->pool];
	struct model_list *found = &backlog->found;
	size_t claimed = 0, chosen;
	const char *id;

	while (found->count > 0 && *room > 0) {
		claimer->rush =
			queue->class == CLASS_MAIL && (backlog->full || found->count > *room);
		chosen = id_random_below(
			(uint32_t)(found->count < DISPATCH_BATCH ? found->count : DISPATCH_BATCH));
		id = MODEL_AT(found, struct store_due, chosen)->id;
		model_list_remove(found, sizeof(struct store_due), chosen);
		claimed += dispatch_claim_one(claimer, id);
	}
	return claimed;
}

/* What each queue with room is owed, whatever stands before it in the others; until the database is
 * away. */
static size_t dispatch_claim_queues(struct dispatch_claimer *claimer)
{
	struct dispatch_backlog *backlog = claimer->backlogs;
	size_t claimed = 0;

	MODEL_FOREACH (&claimer->queues, struct dispatch_queue, queue) {
		if (!dispatch_backlog_is_stale(backlog))
			claimed += dispatch_claim_from(claimer, queue, backlog);
		if (claimer->room[queue->pool] > 0 && claimer->after > 0 &&
			(backlog->full || dispatch_backlog_is_stale(backlog))) {
			dispatch_backlog_search(claimer, queue->name, backlog);
			claimed += dispatch_claim_from(claimer, queue, backlog);
		}
		backlog++;
	}
	return claimed;
}

/* What is new stands behind all that a full list holds, but not behind the end of another. */
void dispatch_claim_woken(struct dispatch_claimer *claimer)
{
	size_t i;

	for (i = 0; i < claimer->queues.count; i++)
		if (!claimer->backlogs[i].full)
			claimer->backlogs[i].searched_us = 0;
}

/*
 * One search finds all that is due, as long as that is not much. Where there is more, each queue
 * with room is asked for its own, and what is found is claimed as threads become free; and now and
 * then the search for all goes on, for the sake of those documents that do not say to which queues
 * they owe. (A search may cost in proportion to all that is due: the Rust database reads the whole
 * range of an index before it limits.)
 */
size_t dispatch_claim(struct dispatch_claimer *claimer)
{
	const bool crowded = claimer->after > 0;
	size_t claimed = 0;

	if (crowded)
		claimed += dispatch_claim_queues(claimer);
	if (crowded && clock_monotonic_us() - claimer->searched_us < DISPATCH_SWEEP_US)
		return claimed;
	claimed += dispatch_claim_any(claimer);
	claimer->searched_us = clock_monotonic_us();
	if (!crowded && claimer->after > 0)
		claimed += dispatch_claim_queues(claimer);
	return claimed;
}
