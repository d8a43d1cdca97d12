/* Claim -> perform -> settle, and THE EFFECT TABLE. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "clock.h"
#include "dispatch_private.h"
#include "fault.h"
#include "id.h"
#include "log.h"
#include "store_config.h"
#include "wake.h"

enum {
	DISPATCH_SETTLE_TRIES = 64,
	DISPATCH_PAUSE_MS = 50,
	DISPATCH_AWAY_PAUSE_MS = 1000,
	DISPATCH_ASIDE_MS = 5 * 60 * 1000,
	DISPATCH_WORTHWHILE_MS = 300, /* less time than this is not worth another call */
};

static const struct dispatch_effect *const dispatch_effects[EFFECT_KIND_COUNT] = {
#define EFFECT(name, kind, lane, handler) [EFFECT_##name] = &handler,
#include "effect_table.h"
#undef EFFECT
};

static void dispatch_pause(int64_t ms)
{
	struct timespec pause = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

	nanosleep(&pause, NULL);
}

static void dispatch_cause_init(struct arena *arena, struct cause *cause_r)
{
	*cause_r = (struct cause){
		.arena = arena,
		.now = clock_now_ms(),
		.actor = {.role = ROLE_SYSTEM},
		.source = SOURCE_DISPATCHER,
	};
	id_seed(cause_r->seed, sizeof(cause_r->seed));
}

/* ---- claim ---- */

/* Leases what may run now, and stores that. *claimed_r false: another dispatcher was faster. */
static enum err dispatch_lease(const struct dispatch *dispatch, struct arena *arena, const char *id,
	int64_t now, const char *lease, struct request **request_r, bool *claimed_r,
	struct err_info *info)
{
	enum err err;

	*claimed_r = false;
	err = store_request_load(dispatch->store, arena, id, STORE_WHOLE, request_r, info);
	if (err != ERR_OK)
		return err;
	if (effect_claim(*request_r, now, lease, EFFECT_LEASE_MS) == 0 &&
		effect_next_due(*request_r) == (*request_r)->due)
		return ERR_OK;
	fault_pass(FAULT_CLAIM_BEFORE_SAVE);
	err = store_request_replace(dispatch->store, arena, *request_r, info);
	if (err != ERR_OK)
		return err;
	fault_pass(FAULT_CLAIM_AFTER_SAVE);
	*claimed_r = true;
	return ERR_OK;
}

static bool dispatch_claim_one(const struct dispatch *dispatch, const char *id,
	void (*give)(void *data, const struct dispatch_task *task), void *data)
{
	struct arena *arena = arena_new();
	struct err_info info = {0};
	struct dispatch_task task;
	struct request *request;
	int64_t now = clock_now_ms();
	bool claimed;
	enum err err;

	id_random(task.lease);
	task.lease_until = now + EFFECT_LEASE_MS;
	err = dispatch_lease(dispatch, arena, id, now, task.lease, &request, &claimed, &info);
	/* What cannot be read or written here must not stand in the way of the others. */
	if (err == ERR_UNREADABLE || err == ERR_INTERNAL) {
		log_error("request %s is set aside for a while: %s", id, info.detail);
		store_request_postpone(dispatch->store, id, now, now + DISPATCH_ASIDE_MS, &info);
	}
	if (claimed) {
		MODEL_FOREACH (&request->effects, struct effect, effect) {
			if (!effect->lease || strcmp(effect->lease, task.lease) != 0)
				continue;
			snprintf(task.request_id, sizeof(task.request_id), "%s", request->id);
			snprintf(task.effect_id, sizeof(task.effect_id), "%s", effect->id);
			give(data, &task);
		}
	}
	arena_free(&arena);
	return claimed;
}

size_t dispatch_claim(const struct dispatch *dispatch, int64_t limit,
	void (*give)(void *data, const struct dispatch_task *task), void *data)
{
	struct arena *arena = arena_new();
	struct model_list due = {0};
	struct err_info info = {0};
	size_t left, claimed = 0;

	if (store_request_due(dispatch->store, arena, clock_now_ms(), limit, &due, &info) != ERR_OK)
		dispatch_pause(DISPATCH_AWAY_PAUSE_MS);
	/* In random order, so that dispatchers do not fight for the same documents. */
	for (left = due.count; left > 0; left--) {
		struct store_due *chosen =
			MODEL_AT(&due, struct store_due, id_random_below((uint32_t)left));

		claimed += dispatch_claim_one(dispatch, chosen->id, give, data);
		*chosen = *MODEL_AT(&due, struct store_due, left - 1);
	}
	arena_free(&arena);
	return claimed;
}

/* The effect of the task while that lease holds, or NULL. */
static struct effect *dispatch_find_leased(
	struct request *request, const struct dispatch_task *task, const char *lease)
{
	struct effect *effect = effect_find(request, task->effect_id);

	return effect && effect->lease && strcmp(effect->lease, lease) == 0 ? effect : NULL;
}

/* ---- settle ---- */

/*
 * Somebody waits for the link: what is due again within moments (a second look, or the next
 * provider) is leased again with the same write, under `next`: should the database's answer be
 * lost, the settling that is tried again must not take it for what was just settled. Returns how
 * long to pause before, or -1.
 */
static int64_t dispatch_lease_again(const struct dispatch_performer *performer,
	const struct dispatch_task *task, const char *next, struct request *request, int64_t now)
{
	struct effect *effect = effect_find(request, task->effect_id);
	int64_t pause;

	if (!performer->until_us || !effect || effect->state != EFFECT_DUE)
		return -1;
	pause = effect->due > now ? effect->due - now : 0;
	if (clock_monotonic_us() + (pause + DISPATCH_WORTHWHILE_MS) * 1000 > performer->until_us ||
		!effect_claim_one(request, effect, now + pause, next, EFFECT_LEASE_MS))
		return -1;
	return pause;
}

static enum err dispatch_settle_once(const struct dispatch_performer *performer,
	struct arena *arena, const struct dispatch_task *task, const char *next,
	const struct effect_outcome *outcome, const struct dispatch_result *result,
	const struct config *config, int64_t *pause_r, struct err_info *info)
{
	const struct dispatch *dispatch = performer->dispatch;
	struct request *request;
	struct effect *effect;
	struct cause cause;
	enum err err;

	*pause_r = -1;
	err = store_request_load(
		dispatch->store, arena, task->request_id, STORE_WHOLE, &request, info);
	if (err != ERR_OK)
		return err;
	effect = dispatch_find_leased(request, task, task->lease);
	if (!effect && dispatch_find_leased(request, task, next)) {
		*pause_r = 0; /* settled already: the answer was lost */
		return ERR_OK;
	}
	if (!effect) {
		log_warning("request %s: the lease of effect %s was lost", task->request_id,
			task->effect_id);
		return ERR_OK;
	}
	dispatch_cause_init(arena, &cause);
	dispatch_effects[effect->kind]->settle(&cause, request, effect, outcome, result, config);
	*pause_r = dispatch_lease_again(performer, task, next, request, cause.now);
	fault_pass(FAULT_SETTLE_BEFORE_SAVE);
	err = store_request_replace(dispatch->store, arena, request, info);
	if (err != ERR_OK)
		return err;
	fault_pass(FAULT_SETTLE_AFTER_SAVE);
	if (request->due && request->due <= cause.now)
		wake_signal(dispatch->wake_fd);
	return ERR_OK;
}

/* Whether nobody should be kept waiting for a database that is away: what was done is found again
 * by whoever leases the effect next. */
static bool dispatch_is_late(const struct dispatch_performer *performer, enum err err)
{
	return performer->until_us && err != ERR_CONFLICT &&
	       clock_monotonic_us() > performer->until_us;
}

/* Returns after how many ms the effect is to be performed again by this thread, under the task's
 * new lease, or -1. */
static int64_t dispatch_settle(const struct dispatch_performer *performer,
	struct dispatch_task *task, const struct effect_outcome *outcome,
	const struct dispatch_result *result, const struct config *config)
{
	char next[sizeof(task->lease)];
	struct err_info info = {0};
	struct arena *arena;
	int64_t pause = -1;
	enum err err;
	int tries;

	id_random(next);
	for (tries = 0; tries < DISPATCH_SETTLE_TRIES; tries++) {
		arena = arena_new();
		err = dispatch_settle_once(
			performer, arena, task, next, outcome, result, config, &pause, &info);
		arena_free(&arena);
		if (!err_retryable(err) || dispatch_is_late(performer, err))
			break;
		dispatch_pause(err == ERR_CONFLICT ? id_random_below(DISPATCH_PAUSE_MS)
						   : DISPATCH_AWAY_PAUSE_MS);
	}
	if (err == ERR_OK) {
		memcpy(task->lease, next, sizeof(next));
		return pause;
	}
	log_error("request %s: effect %s cannot be settled: %s", task->request_id, task->effect_id,
		info.detail);
	return -1;
}

/* ---- perform ---- */

/* What is not an error of the effect's own is tried again. */
static enum err dispatch_outcome(enum err err)
{
	switch (err) {
	case ERR_OK:
	case ERR_PERMANENT:
	case ERR_OUTCOME_UNKNOWN:
	case ERR_STILL_PENDING:
	case ERR_UNAVAILABLE:
	case ERR_CREDENTIAL:
	case ERR_GONE:
		return err;
	case ERR_INVALID:
		return ERR_PERMANENT;
	default:
		return ERR_TEMPORARY;
	}
}

static void dispatch_log(const struct dispatch_work *work, const struct effect_outcome *outcome)
{
	const char *kind = effect_kind_names[work->effect->kind];

	if (outcome->err == ERR_OK)
		log_info("request %s: %s done", work->request->id, kind);
	else
		log_at((enum log_level)err_log_level(outcome->err), "request %s: %s: %s: %s",
			work->request->id, kind, err_code(outcome->err), outcome->detail);
}

/* Loads what the work is about. ERR_NOT_FOUND when the lease is not ours any more. */
static enum err dispatch_work_load(
	struct dispatch_work *work, const struct dispatch_task *task, struct err_info *info)
{
	struct store *store = work->performer->dispatch->store;
	struct request *request;
	struct config *config;
	enum err err;

	err = store_request_load(store, work->arena, task->request_id, STORE_WHOLE, &request, info);
	if (err != ERR_OK)
		return err;
	work->request = request;
	work->effect = dispatch_find_leased(request, task, task->lease);
	if (!work->effect)
		return ERR_NOT_FOUND;
	if (!dispatch_effects[work->effect->kind]->asks_provider)
		return ERR_OK;
	err = store_config_load(store, work->arena, &config, info);
	work->config = config;
	return err;
}

static int64_t dispatch_perform_once(
	struct dispatch_performer *performer, struct dispatch_task *task)
{
	struct dispatch_work work = {.performer = performer, .arena = arena_new()};
	struct effect_outcome outcome = {0};
	const struct dispatch_effect *kind;
	struct dispatch_result result = {0};
	struct err_info info = {0};
	int64_t pause = -1;
	enum err err;

	err = dispatch_work_load(&work, task, &info);
	if (err != ERR_OK && err != ERR_NOT_FOUND)
		log_error("request %s: effect %s waits for its next lease: %s", task->request_id,
			task->effect_id, info.detail);
	if (err != ERR_OK)
		goto out;
	kind = dispatch_effects[work.effect->kind];
	err = request_effect_wanted(work.request, work.effect, clock_now_ms(), &info);
	outcome.skipped = err != ERR_OK;
	if (err == ERR_OK && kind->perform) {
		fault_pass(FAULT_EFFECT_BEFORE);
		err = kind->perform(&work, &result, &info);
		fault_pass(FAULT_EFFECT_AFTER);
	}
	outcome.err = dispatch_outcome(err);
	outcome.detail = arena_strdup(work.arena, info.detail);
	outcome.retry_after_s = info.retry_after_s;
	dispatch_log(&work, &outcome);
	pause = dispatch_settle(performer, task, &outcome, &result, work.config);
out:
	arena_free(&work.arena);
	return pause;
}

void dispatch_perform(struct dispatch_performer *performer, struct dispatch_task *task)
{
	int64_t pause;

	/* What waited too long may be leased to somebody else before we are done. */
	if (clock_now_ms() + DISPATCH_LONGEST_MS > task->lease_until)
		return;
	while ((pause = dispatch_perform_once(performer, task)) >= 0)
		dispatch_pause(pause);
}

void dispatch_inline(void *data, struct rest *rest, const struct request *request,
	const char *lease, int64_t until_us)
{
	struct dispatch_performer performer = {
		.dispatch = data, .rest = rest, .until_us = until_us};
	const struct effect *create = meeting_effect(request, EFFECT_MEETING_CREATE);
	struct dispatch_task task = {.lease_until = create->due};

	snprintf(task.request_id, sizeof(task.request_id), "%s", request->id);
	snprintf(task.effect_id, sizeof(task.effect_id), "%s", create->id);
	snprintf(task.lease, sizeof(task.lease), "%s", lease);
	dispatch_perform(&performer, &task);
}
