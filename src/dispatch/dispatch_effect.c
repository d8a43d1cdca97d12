/* Perform -> settle. */
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "dispatch_private.h"
#include "dispatch_table.h"
#include "fault.h"
#include "id.h"
#include "log.h"
#include "metrics.h"
#include "store_change.h"
#include "store_config.h"

enum {
	DISPATCH_WORTHWHILE_MS = 300,    /* less time than this is not worth another call */
	DISPATCH_AT_HAND_MS = 5 * 1000,  /* how long a thread goes on with one request */
	DISPATCH_TOGETHER = PARTY_COUNT, /* what is under one lease: a mail to each person */
	DISPATCH_TOGETHER_MS = 200, /* after which nothing more is begun before that is settled */
};

static const struct dispatch_effect *const dispatch_effects[EFFECT_KIND_COUNT] = {
#define EFFECT(name, ...) [EFFECT_##name] = &PERFORM_##name,
#include "effect_table.h"
#undef EFFECT
};

const struct dispatch_effect *dispatch_effect_of(const struct effect *effect)
{
	return dispatch_effects[effect->kind];
}

void dispatch_cause_init(struct arena *arena, const struct config *config, struct cause *cause_r)
{
	*cause_r = (struct cause){
		.arena = arena,
		.now = clock_now_ms(),
		.actor = {.role = ROLE_SYSTEM},
		.source = SOURCE_DISPATCHER,
		.config = config,
	};
	id_seed(cause_r->seed, sizeof(cause_r->seed));
}

static bool dispatch_is_under(const struct effect *effect, const char *lease)
{
	return effect->lease && strcmp(effect->lease, lease) == 0;
}

/* An effect while that lease of it holds, or NULL. */
static struct effect *dispatch_find_leased(
	struct request *request, const char *effect_id, const char *lease)
{
	struct effect *effect = effect_find(request, effect_id);

	return effect && dispatch_is_under(effect, lease) ? effect : NULL;
}

/* ---- settle ---- */

/* An effect that was performed, and what came of it. */
struct dispatch_done {
	const char *effect_id;
	struct effect_outcome outcome;
	struct dispatch_result result;
};

/* What is settled. */
struct dispatch_settling {
	const struct dispatch_performer *performer;
	struct dispatch_task *task;
	/* What follows: a lease, and of what, when the thread is to go on. */
	char next[ID_SIZE], next_effect[ID_SIZE];
	const struct config *config;
	const struct dispatch_done *done;
	size_t count;
	int64_t pause_ms; /* until this thread is to go on with that; -1: it is not */
};

/*
 * Somebody waits for the link: what is due again within moments (a second look, or the next
 * provider) is leased again with the same write, under `next`: should the database's answer be
 * lost, the settling that is tried again must not take it for what was just settled.
 */
static int64_t dispatch_renew_lease(const struct dispatch_settling *settling, struct arena *arena,
	struct request *request, int64_t now)
{
	const struct effect_wait *wait = settling->performer->wait;
	struct effect *effect = effect_find(request, settling->task->effect_id);
	int64_t pause;

	if (!effect || effect->state != EFFECT_DUE)
		return -1;
	pause = effect->due > now ? effect->due - now : 0;
	if (clock_monotonic_us() + (pause + DISPATCH_WORTHWHILE_MS) * 1000 > wait->until_us ||
		!effect_claim_one(request, effect, now + pause, arena_strdup(arena, settling->next),
			EFFECT_LEASE_MS))
		return -1;
	return pause;
}

/*
 * What else is owed to the same queue is leased with the same write, and done next by this thread,
 * which has the request at hand: as long as that goes well, and the others do not wait for long.
 */
static int64_t dispatch_lease_next(const struct dispatch_settling *settling, struct arena *arena,
	struct request *request, const char *queue, int64_t now)
{
	const int64_t leased_at = settling->task->lease_until - EFFECT_LEASE_MS;
	const struct effect_outcome *last = &settling->done[settling->count - 1].outcome;

	if ((last->err != ERR_OK && !last->skipped) || now - leased_at > DISPATCH_AT_HAND_MS)
		return -1;
	MODEL_FOREACH (&request->effects, struct effect, effect) {
		if (!dispatch_effect_of(effect)->at_claim &&
			strcmp(effect_queue(arena, request, effect), queue) == 0 &&
			effect_claim_one(request, effect, now, arena_strdup(arena, settling->next),
				EFFECT_LEASE_MS))
			return 0;
	}
	return -1;
}

/* Whether something has the lease that follows; it is noted what. */
static bool dispatch_has_next(struct dispatch_settling *settling, const struct request *request)
{
	MODEL_FOREACH (&request->effects, struct effect, effect) {
		if (!dispatch_is_under(effect, settling->next))
			continue;
		snprintf(settling->next_effect, sizeof(settling->next_effect), "%s", effect->id);
		return true;
	}
	return false;
}

static bool dispatch_was_done(const struct dispatch_settling *settling, const char *effect_id)
{
	size_t i;

	for (i = 0; i < settling->count; i++)
		if (strcmp(settling->done[i].effect_id, effect_id) == 0)
			return true;
	return false;
}

/* The queue of what was settled last; NULL when no lease held any more. What was leased with it and
 * not begun is given back. *changed_r: there was either. */
static const char *dispatch_settle_all(const struct dispatch_settling *settling,
	struct cause *cause, struct request *request, bool *changed_r)
{
	const char *lease = settling->task->lease, *queue = NULL;
	size_t i;

	*changed_r = false;
	for (i = 0; i < settling->count; i++) {
		const struct dispatch_done *done = &settling->done[i];
		struct effect *effect = dispatch_find_leased(request, done->effect_id, lease);

		if (!effect)
			continue;
		*changed_r = true;
		queue = effect_queue(cause->arena, request, effect);
		cause->trace_id = effect->trace_id;
		dispatch_effects[effect->kind]->settle(
			cause, request, effect, &done->outcome, &done->result);
	}
	MODEL_FOREACH (&request->effects, struct effect, effect) {
		if (!dispatch_is_under(effect, lease) || dispatch_was_done(settling, effect->id))
			continue;
		*changed_r = true;
		effect_give_back(effect, cause->now);
	}
	return queue;
}

static enum err dispatch_settle_rule(void *data, struct arena *arena, struct request *request,
	bool *changed_r, struct err_info *info)
{
	struct dispatch_settling *settling = data;
	const struct effect_wait *wait = settling->performer->wait;
	const struct dispatch_task *task = settling->task;
	struct cause cause;
	const char *queue;

	(void)info;
	dispatch_cause_init(arena, settling->config, &cause);
	queue = dispatch_settle_all(settling, &cause, request, changed_r);
	*changed_r |= wait != NULL;
	settling->pause_ms = -1;
	if (queue) {
		settling->pause_ms =
			wait ? dispatch_renew_lease(settling, arena, request, cause.now)
			     : dispatch_lease_next(settling, arena, request, queue, cause.now);
		dispatch_has_next(settling, request);
	} else if (dispatch_has_next(settling, request)) {
		settling->pause_ms = 0; /* settled already: the answer was lost */
	} else {
		metrics_count(METRIC_LEASES_LOST, 0, 0, 0);
		log_warning("request %s: the lease of effect %s was lost", task->request_id,
			task->effect_id);
	}
	if (wait)
		wait->settled(wait->data, &cause, request);
	return ERR_OK;
}

/* Returns after how many ms this thread is to go on with the task, which has a new lease and maybe
 * another effect by then, or -1. work->request is as stored then. */
static int64_t dispatch_settle(struct dispatch_work *work, struct dispatch_task *task,
	const struct dispatch_done *done, size_t count)
{
	const struct dispatch_performer *performer = work->performer;
	struct dispatch_settling settling = {
		.performer = performer,
		.task = task,
		.config = work->config,
		.done = done,
		.count = count,
	};
	/* Nobody is kept waiting for a database that is away: what was done is found again by
	 * whoever leases the effect next. */
	const struct store_change change = {
		.store = performer->dispatch->store,
		.wake_fd = performer->dispatch->wake_fd,
		.id = task->request_id,
		.loaded = work->request,
		.config = work->config,
		.depth = STORE_WHOLE,
		.rule = dispatch_settle_rule,
		.data = &settling,
		.before_save = FAULT_SETTLE_BEFORE_SAVE,
		.after_save = FAULT_SETTLE_AFTER_SAVE,
		.patient = true,
		.until_us = performer->wait ? performer->wait->until_us : 0,
	};
	struct err_info info = {0};
	enum err err;

	id_random(settling.next);
	err = store_request_change(&change, work->arena, &work->request, &info);
	if (err == ERR_OK && settling.pause_ms >= 0) {
		memcpy(task->lease, settling.next, sizeof(settling.next));
		memcpy(task->effect_id, settling.next_effect, sizeof(settling.next_effect));
	}
	if (err == ERR_OK)
		return settling.pause_ms;
	log_error("request %s: effect %s cannot be settled: %s", task->request_id, task->effect_id,
		info.detail);
	work->request = NULL; /* what was decided on it is not stored */
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

/* `reason` is what the peer said, cleaned: for the log alone. */
static void dispatch_log(
	const struct dispatch_work *work, const struct effect_outcome *outcome, const char *reason)
{
	const char *kind = effect_kind_names[work->effect->kind];

	if (outcome->err == ERR_OK)
		log_info("request %s: %s done", work->request->id, kind);
	else
		log_at((enum log_level)err_log_level(outcome->err), "request %s: %s: %s: %s%s%s",
			work->request->id, kind, err_code(outcome->err), outcome->detail,
			reason[0] ? " It says: " : "", reason);
}

/* Loads what the work is about, as far as it is not at hand. ERR_NOT_FOUND when the lease is not
 * ours any more. */
static enum err dispatch_work_load(
	struct dispatch_work *work, const struct dispatch_task *task, struct err_info *info)
{
	enum err err = ERR_OK;

	if (!work->request)
		err = store_request_load(work->performer->dispatch->store, work->arena,
			task->request_id, STORE_WHOLE, &work->request, info);
	if (err != ERR_OK)
		return err;
	work->effect = dispatch_find_leased(work->request, task->effect_id, task->lease);
	return work->effect ? ERR_OK : ERR_NOT_FOUND;
}

static enum err dispatch_work_config(struct dispatch_work *work, struct err_info *info)
{
	const enum dispatch_config wanted = dispatch_effects[work->effect->kind]->config;
	const struct config *config;
	enum err err;

	if (work->config || wanted == CONFIG_UNUSED)
		return ERR_OK;
	err = store_config_current(work->performer->dispatch->store, work->arena, &config, info);
	if (err == ERR_OK)
		work->config = config;
	if (wanted == CONFIG_NEEDED)
		return err;
	err_clear(info);
	return ERR_OK;
}

/* After ERR_UNAVAILABLE: whether the effect is still owed to whom it was. */
static bool dispatch_waits(
	const struct dispatch_work *work, const char *effect_id, const char *queue)
{
	const struct effect *effect = work->request ? effect_find(work->request, effect_id) : NULL;

	return effect && effect->state == EFFECT_DUE &&
	       strcmp(effect_queue(work->arena, work->request, effect), queue) == 0;
}

/* Ties the log of this thread to the call that made the effect owed; that of a worker is tied to
 * the call that waits. */
static void dispatch_trace(const struct dispatch_work *work, struct dispatch_task *task)
{
	const char *trace_id = work->effect->trace_id;

	if (work->performer->wait)
		return;
	snprintf(task->trace_id, sizeof(task->trace_id), "%s", trace_id ? trace_id : "");
	log_set_request(trace_id ? task->trace_id : NULL);
}

static void dispatch_perform_effect(
	struct dispatch_work *work, struct dispatch_task *task, struct dispatch_done *done_r)
{
	const struct dispatch_effect *kind = dispatch_effects[work->effect->kind];
	struct effect_outcome *outcome = &done_r->outcome;
	struct err_info info = {0};
	enum err err;

	dispatch_trace(work, task);
	*done_r = (struct dispatch_done){.effect_id = work->effect->id};
	err = effect_check_wanted(work->request, work->effect, clock_now_ms(), &info);
	outcome->skipped = err != ERR_OK;
	if (err == ERR_OK && kind->perform) {
		fault_pass(FAULT_EFFECT_BEFORE);
		err = kind->perform(work, &done_r->result, &info);
		fault_pass(FAULT_EFFECT_AFTER);
	}
	outcome->err = dispatch_outcome(err);
	outcome->detail = arena_strdup(work->arena, info.detail);
	outcome->retry_after_s = info.retry_after_s;
	metrics_count(METRIC_EFFECTS, (size_t)work->effect->kind, outcome->err, 0);
	dispatch_log(work, outcome, info.reason);
}

/* What else is under the same lease, after what went well; NULL: there is nothing. */
static const struct effect *dispatch_under_same_lease(
	const struct dispatch_work *work, const struct dispatch_done *done, const char *lease)
{
	const struct model_list *effects = &work->request->effects;
	const struct effect *effect = work->effect + 1;

	if (done->outcome.err != ERR_OK)
		return NULL;
	for (; effect < MODEL_AT(effects, struct effect, effects->count); effect++)
		if (dispatch_is_under(effect, lease))
			return effect;
	return NULL;
}

static int64_t dispatch_perform_once(struct dispatch_work *work, struct dispatch_task *task)
{
	const int64_t began_us = clock_monotonic_us();
	struct dispatch_done done[DISPATCH_TOGETHER];
	const struct dispatch_done *last;
	struct err_info info = {0};
	const char *queue;
	size_t count = 0;
	int64_t pause;
	enum err err;

	err = dispatch_work_load(work, task, &info);
	if (err == ERR_OK)
		err = dispatch_work_config(work, &info);
	if (err != ERR_OK && err != ERR_NOT_FOUND)
		log_error("request %s: effect %s waits for its next lease: %s", task->request_id,
			task->effect_id, info.detail);
	if (err != ERR_OK)
		return -1;
	queue = effect_queue(work->arena, work->request, work->effect);
	do {
		last = &done[count];
		dispatch_perform_effect(work, task, &done[count++]);
		work->effect = dispatch_under_same_lease(work, last, task->lease);
	} while (work->effect && count < DISPATCH_TOGETHER &&
		 clock_monotonic_us() - began_us < DISPATCH_TOGETHER_MS * 1000 &&
		 dispatch_work_config(work, &info) == ERR_OK);
	pause = dispatch_settle(work, task, done, count);
	work->waits = last->outcome.err == ERR_UNAVAILABLE &&
		      dispatch_waits(work, last->effect_id, queue);
	return pause;
}

static void dispatch_perform_work(struct dispatch_work *work, struct dispatch_task *task)
{
	int64_t pause;

	while ((pause = dispatch_perform_once(work, task)) >= 0)
		clock_sleep_ms(pause);
}

bool dispatch_perform(struct dispatch_performer *performer, struct dispatch_task *task)
{
	struct dispatch_work work = {
		.performer = performer,
		.arena = task->arena ? task->arena : arena_new(),
		.request = task->request,
	};

	/* What waited too long may be leased to somebody else before we are done. */
	if (clock_now_ms() + DISPATCH_LONGEST_MS <= task->lease_until)
		dispatch_perform_work(&work, task);
	log_set_request(NULL);
	arena_free(&work.arena);
	return work.waits;
}

void dispatch_inline(void *data, struct rest *rest, struct effect_wait *wait)
{
	struct dispatch_performer performer = {.dispatch = data, .rest = rest, .wait = wait};
	const struct effect *create = meeting_effect(wait->request, EFFECT_MEETING_CREATE);
	struct dispatch_work work = {
		.performer = &performer,
		.arena = wait->arena,
		.request = wait->request,
		.config = wait->config,
	};
	struct dispatch_task task = {.lease_until = create->due};

	snprintf(task.request_id, sizeof(task.request_id), "%s", wait->request->id);
	snprintf(task.effect_id, sizeof(task.effect_id), "%s", create->id);
	snprintf(task.lease, sizeof(task.lease), "%s", wait->lease);
	dispatch_perform_work(&work, &task);
	wait->request = work.request;
}
