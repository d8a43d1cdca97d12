#define _GNU_SOURCE /* pthread_cond_clockwait */
#include "dispatch_courier.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "clock.h"
#include "config.h"
#include "dispatch_delivery.h"
#include "id.h"
#include "store_config.h"
#include "store_delivery.h"
#include "xalloc.h"

/* How often another host may have put something down, or registered somebody. What is put down here
 * leaves from here, at once. */
enum { COURIER_POLL_S = 1, COURIER_IDLE_POLL_S = 10 };

struct dispatch_courier {
	struct dispatch_couriers *all;
	size_t index; /* whose: the subscriber of that place */
	struct rest *rest;
	pthread_t thread;
};

struct dispatch_couriers {
	const struct dispatch *dispatch;
	pthread_mutex_t mutex; /* of what follows */
	pthread_cond_t changed;
	unsigned woken; /* how often */
	bool stopping;
	size_t started;
	struct dispatch_courier each[SUBSCRIBER_MOST];
};

/* ---- claim ---- */

static enum err delivery_lease(const struct delivery_work *work, struct err_info *info)
{
	char *lease = arena_alloc(work->arena, ID_SIZE);

	id_random(lease);
	delivery_claim(work->delivery, lease, clock_now_ms());
	return store_delivery_save(work->dispatch->store, work->arena, work->delivery, info);
}

/* Behind the one that goes before it, and found again when that may be tried, or soon if somebody
 * sends it now. */
static void delivery_put_behind(
	const struct delivery_work *work, const struct delivery *first, int64_t now)
{
	work->delivery->due = first->lease ? now + COURIER_POLL_S * INSTANT_SECOND : first->due + 1;
	store_delivery_save(work->dispatch->store, work->arena, work->delivery, NULL);
}

/* The next of its subscriber that may leave; false when there is none now. *wait_r false: there may
 * be at once. */
static bool delivery_take(struct delivery_work *work, bool *wait_r)
{
	const char *id = work->subscriber->id;
	struct store *store = work->dispatch->store;
	const int64_t now = clock_now_ms();
	struct err_info info = {0};
	struct delivery *first;
	enum err err;

	err = store_delivery_due(store, work->arena, id, now, &work->delivery, &info);
	*wait_r = err != ERR_OK && err != ERR_UNREADABLE;
	if (err != ERR_OK)
		return false;
	err = store_delivery_first(store, work->arena, id, work->delivery->lane, &first, &info);
	if (err == ERR_OK && strcmp(first->id, work->delivery->id) != 0) {
		if (first->due > now) {
			delivery_put_behind(work, first, now);
			return false;
		}
		work->delivery = first;
	}
	return delivery_lease(work, &info) == ERR_OK;
}

/* What goes next in the lane of what has just arrived, whenever it was to be tried. */
static bool delivery_follow(struct delivery_work *work)
{
	const char *lane = work->delivery->lane;
	struct err_info info = {0};

	return work->delivery->state != DELIVERY_DUE &&
	       store_delivery_first(work->dispatch->store, work->arena, work->subscriber->id, lane,
		       &work->delivery, &info) == ERR_OK &&
	       !delivery_is_running(work->delivery, clock_now_ms()) &&
	       !work->delivery->last_error && delivery_lease(work, &info) == ERR_OK;
}

static bool couriers_stopping(struct dispatch_couriers *couriers)
{
	bool stopping;

	pthread_mutex_lock(&couriers->mutex);
	stopping = couriers->stopping;
	pthread_mutex_unlock(&couriers->mutex);
	return stopping;
}

/* In how many seconds there may be something to do; 0: there may be more. */
static int courier_do_one(struct dispatch_courier *courier)
{
	struct delivery_work work = {
		.dispatch = courier->all->dispatch, .rest = courier->rest, .arena = arena_new()};
	struct store *store = work.dispatch->store;
	struct err_info info = {0};
	struct config *config;
	bool wait = true;
	int pause_s = 0;

	if (store_config_load(store, work.arena, &config, &info) == ERR_OK &&
		courier->index < config->subscribers.count)
		work.subscriber = MODEL_AT(&config->subscribers, struct subscriber, courier->index);
	if (work.subscriber && !work.subscriber->disabled_at && delivery_take(&work, &wait)) {
		dispatch_delivery_perform(&work);
		wait = false;
		while (!couriers_stopping(courier->all) && delivery_follow(&work))
			dispatch_delivery_perform(&work);
	}
	if (wait)
		pause_s = work.subscriber ? COURIER_POLL_S : COURIER_IDLE_POLL_S;
	arena_free(&work.arena);
	return pause_s;
}

/* ---- the threads ---- */

/* Until there may be something to do; false: it is to end. */
static bool courier_wait(struct dispatch_courier *courier, int pause_s, unsigned *seen)
{
	struct dispatch_couriers *couriers = courier->all;
	struct timespec until;
	bool going_on;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += pause_s;
	pthread_mutex_lock(&couriers->mutex);
	while (pause_s && !couriers->stopping && couriers->woken == *seen &&
		pthread_cond_clockwait(
			&couriers->changed, &couriers->mutex, CLOCK_MONOTONIC, &until) == 0)
		continue;
	*seen = couriers->woken;
	going_on = !couriers->stopping;
	pthread_mutex_unlock(&couriers->mutex);
	return going_on;
}

static void *courier_run(void *data)
{
	struct dispatch_courier *courier = data;
	unsigned seen = 0;

	while (courier_wait(courier, courier_do_one(courier), &seen))
		continue;
	return NULL;
}

struct dispatch_couriers *dispatch_couriers_start(const struct dispatch *dispatch)
{
	struct dispatch_couriers *couriers = xcalloc(1, sizeof(*couriers));
	struct dispatch_courier *courier;
	size_t i;

	couriers->dispatch = dispatch;
	pthread_mutex_init(&couriers->mutex, NULL);
	pthread_cond_init(&couriers->changed, NULL);
	for (i = 0; i < SUBSCRIBER_MOST; i++) {
		courier = &couriers->each[i];
		*courier =
			(struct dispatch_courier){.all = couriers, .index = i, .rest = rest_new()};
		if (pthread_create(&courier->thread, NULL, courier_run, courier) != 0) {
			rest_free(&courier->rest);
			dispatch_couriers_stop(&couriers);
			return NULL;
		}
		couriers->started++;
	}
	return couriers;
}

void dispatch_couriers_wake(struct dispatch_couriers *couriers)
{
	pthread_mutex_lock(&couriers->mutex);
	couriers->woken++;
	pthread_cond_broadcast(&couriers->changed);
	pthread_mutex_unlock(&couriers->mutex);
}

void dispatch_couriers_stop(struct dispatch_couriers **couriers)
{
	size_t i;

	if (!*couriers)
		return;
	pthread_mutex_lock(&(*couriers)->mutex);
	(*couriers)->stopping = true;
	pthread_cond_broadcast(&(*couriers)->changed);
	pthread_mutex_unlock(&(*couriers)->mutex);
	for (i = 0; i < (*couriers)->started; i++) {
		pthread_join((*couriers)->each[i].thread, NULL);
		rest_free(&(*couriers)->each[i].rest);
	}
	free(*couriers);
	*couriers = NULL;
}
