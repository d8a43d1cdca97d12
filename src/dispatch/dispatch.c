/* One claimer, and performers of each queue. */
#include "dispatch.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "clock.h"
#include "dispatch_alert.h"
#include "dispatch_chore.h"
#include "dispatch_courier.h"
#include "dispatch_observe.h"
#include "dispatch_periodic.h"
#include "dispatch_private.h"
#include "wake.h"
#include "xalloc.h"

enum { DISPATCH_POLL_MS = 1000, DISPATCH_PASS_ON_US = DISPATCH_POLL_MS * 1000 };

static atomic_bool dispatch_stopping;
static atomic_int dispatch_own_fd = -1; /* what the claimer waits on, and nobody else */

void dispatch_stop(void)
{
	atomic_store(&dispatch_stopping, true);
	wake_signal(atomic_load(&dispatch_own_fd));
}

static void dispatch_pools_put(void *data, size_t pool, const struct dispatch_task *task)
{
	struct dispatch_pool **pools = data;

	dispatch_pool_put(pools[pool], task);
}

/* Looks where there is room; false when there is none at all. */
static bool dispatch_look_for_room(struct dispatch_claimer *claimer, struct dispatch_pool **pools)
{
	const struct dispatch_queue *queue;
	bool any = false;
	size_t i;

	for (i = 0; i < claimer->queues.count; i++) {
		queue = MODEL_AT(&claimer->queues, struct dispatch_queue, i);
		claimer->room[i] = 0;
		if (pools[i])
			claimer->room[i] = dispatch_pool_room(pools[i],
				queue->class == CLASS_MAIL ? dispatch_mail_limit(claimer->dispatch)
							   : SIZE_MAX);
		any |= claimer->room[i] > 0;
	}
	return any;
}

/* One dispatcher takes the signal, and another one may have the room that this one has not. As they
 * may pass it to and fro, each does so no more often than it would look anyway. */
static void dispatch_pass_on(
	const struct dispatch_claimer *claimer, struct dispatch_pool **pools, int64_t *passed_on_us)
{
	const int64_t now_us = clock_monotonic_us();
	size_t i;

	if (now_us - *passed_on_us < DISPATCH_PASS_ON_US)
		return;
	for (i = 0; i < claimer->queues.count; i++) {
		if (!pools[i] || claimer->room[i] > 0)
			continue;
		*passed_on_us = now_us;
		wake_signal(claimer->dispatch->wake_fd);
		return;
	}
}

static void dispatch_loop(
	struct dispatch_claimer *claimer, struct dispatch_pool **pools, int freed_fd)
{
	int64_t passed_on_us = 0;
	bool idle;

	while (!atomic_load(&dispatch_stopping)) {
		idle = !dispatch_look_for_room(claimer, pools) || dispatch_claim(claimer) == 0;
		/* Other hosts cannot wake us, so look now and then. */
		if (!wake_wait(claimer->dispatch->wake_fd, freed_fd, idle ? DISPATCH_POLL_MS : 0))
			continue;
		dispatch_claim_woken(claimer);
		dispatch_pass_on(claimer, pools, &passed_on_us);
	}
}

enum err dispatch_run(const struct dispatch *given, int threads, struct err_info *info)
{
	struct arena *arena = arena_new();
	struct dispatch started = *given;
	const struct dispatch *const dispatch = &started;
	struct dispatch_claimer claimer = {
		.dispatch = dispatch, .queues = dispatch_queues(arena), .give = dispatch_pools_put};
	const size_t count = claimer.queues.count;
	struct dispatch_pool **pools = arena_alloc(arena, count * sizeof(struct dispatch_pool *));
	const int freed_fd = wake_open();
	struct dispatch_alerts *alerts = NULL;
	struct dispatch_periodic *observer;
	struct dispatch_chores *chores;
	enum err err = ERR_OK;
	size_t i;
	int own;

	atomic_store(&dispatch_own_fd, freed_fd);
	claimer.room = arena_alloc(arena, count * sizeof(*claimer.room));
	claimer.backlogs = arena_alloc(arena, count * sizeof(*claimer.backlogs));
	claimer.data = pools;
	started.couriers = dispatch_couriers_start(dispatch);
	for (i = 0; i < count && err == ERR_OK; i++) {
		own = dispatch_queue_threads(&claimer.queues, i, threads);
		if (own > 0)
			err = dispatch_pool_start(dispatch,
				MODEL_AT(&claimer.queues, struct dispatch_queue, i)->class, own,
				freed_fd, &pools[i], info);
	}
	chores = dispatch_chores_start(dispatch);
	observer = dispatch_observe_start(dispatch);
	if (err == ERR_OK && (!chores || !observer || !started.couriers))
		err = err_set(info, ERR_INTERNAL, "A thread cannot be started.");
	if (err == ERR_OK)
		err = dispatch_alerts_start(dispatch, &alerts, info);
	if (err == ERR_OK)
		dispatch_loop(&claimer, pools, freed_fd);
	dispatch_alerts_stop(&alerts);
	dispatch_periodic_stop(&observer);
	for (i = 0; i < count; i++)
		if (pools[i])
			dispatch_pool_close(pools[i]);
	dispatch_chores_stop(&chores);
	for (i = 0; i < count; i++) {
		dispatch_pool_free(&pools[i]);
		arena_free(&claimer.backlogs[i].arena);
	}
	dispatch_couriers_stop(&started.couriers);
	atomic_store(&dispatch_own_fd, -1);
	if (freed_fd >= 0)
		close(freed_fd);
	arena_free(&arena);
	return err;
}
