#define _GNU_SOURCE /* pthread_cond_clockwait */
#include "dispatch_delivery.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "backoff.h"
#include "clock.h"
#include "config.h"
#include "fault.h"
#include "id.h"
#include "log.h"
#include "store_change.h"
#include "store_config.h"
#include "store_delivery.h"
#include "subscriber.h"
#include "xalloc.h"

/* What one may take, well within its lease; and how much of the answer is read. */
enum { DELIVERY_TIMEOUT_MS = 15 * 1000, DELIVERY_MOST_REPLY = 16 * 1024 };
/* How often another host may have put something down, or registered somebody. What is put down here
 * leaves from here, at once. */
enum { DELIVERY_POLL_S = 1, DELIVERY_IDLE_POLL_S = 10 };

struct dispatch_courier {
	struct dispatch_deliveries *deliveries;
	size_t index; /* whose: the subscriber of that place */
	struct rest *rest;
	pthread_t thread;
};

struct dispatch_deliveries {
	const struct dispatch *dispatch;
	pthread_mutex_t mutex; /* of what follows */
	pthread_cond_t changed;
	unsigned woken; /* how often */
	bool stopping;
	size_t started;
	struct dispatch_courier couriers[SUBSCRIBER_MOST];
};

/* One that is being sent. */
struct delivery_work {
	const struct dispatch_courier *courier;
	struct arena *arena;
	const struct subscriber *subscriber;
	struct delivery *delivery;
};

static struct store *delivery_store(const struct delivery_work *work)
{
	return work->courier->deliveries->dispatch->store;
}

/* ---- send ---- */

/* "t=<unix>,v1=<hex>", and for a day after a rotation the one of the secret before. */
static const char *delivery_signature(const struct delivery_work *work, int64_t now)
{
	const struct subscriber *subscriber = work->subscriber;
	const long long at = (long long)(now / INSTANT_SECOND);
	const char *signed_text = arena_printf(work->arena, "%lld.%s", at, work->delivery->body);
	const char *header;
	char mac[SECRET_HMAC_SIZE];

	secret_hmac_sha256_hex(subscriber->secret, signed_text, strlen(signed_text), mac);
	header = arena_printf(work->arena, "Meetlink-Signature: t=%lld,v1=%s", at, mac);
	if (!subscriber->former_secret || now >= subscriber->former_until)
		return header;
	secret_hmac_sha256_hex(subscriber->former_secret, signed_text, strlen(signed_text), mac);
	return arena_printf(work->arena, "%s,v1=%s", header, mac);
}

static enum err delivery_verdict(const struct rest_reply *reply, struct err_info *info)
{
	if (reply->status >= 200 && reply->status < 300)
		return ERR_OK;
	if (info)
		info->retry_after_s = (int)reply->retry_after_s;
	if (reply->status == 410)
		return err_set(info, ERR_PERMANENT, "It wants to hear nothing more (410).");
	return err_set(info, ERR_TEMPORARY, "It answered %d%s.", reply->status,
		reply->status >= 300 && reply->status < 400 ? ", and redirects are not followed"
							    : "");
}

static enum err delivery_send(
	const struct delivery_work *work, int64_t *status_r, struct err_info *info)
{
	const struct conf *conf = work->courier->deliveries->dispatch->conf;
	const char *const headers[] = {delivery_signature(work, clock_now_ms()), NULL};
	const struct rest_request request = {
		.method = REST_POST,
		.url = work->subscriber->url,
		.content_type = "application/json",
		.body = work->delivery->body,
		.headers = headers,
		.reach = rest_url_listed(work->subscriber->url, conf->webhooks_allow) ? REST_LISTED
										      : REST_PUBLIC,
		.most_reply = DELIVERY_MOST_REPLY,
		.timeout_ms = DELIVERY_TIMEOUT_MS,
	};
	struct rest_reply reply;
	enum err err;

	fault_pass(FAULT_DELIVERY_BEFORE);
	err = rest_call(work->courier->rest, work->arena, &request, &reply, info);
	fault_pass(FAULT_DELIVERY_AFTER);
	*status_r = reply.status;
	return err == ERR_OK ? delivery_verdict(&reply, info) : err;
}

/* ---- what comes of it ---- */

static enum err delivery_disable_rule(void *data, struct arena *arena, struct config *config,
	bool *changed_r, struct err_info *info)
{
	struct subscriber *subscriber = subscriber_find(config, data);
	struct cause cause = {
		.arena = arena,
		.now = clock_now_ms(),
		.actor = {.role = ROLE_SYSTEM},
		.source = SOURCE_DISPATCHER,
		.config = config,
	};

	(void)info;
	id_seed(cause.seed, sizeof(cause.seed));
	*changed_r = subscriber && !subscriber->disabled_at;
	if (*changed_r)
		subscriber_disable(&cause, config, subscriber);
	return ERR_OK;
}

/* Whether nothing has arrived since the first of those that were given up was put down. */
static bool delivery_is_hopeless(const struct delivery_work *work, int64_t now)
{
	const char *id = work->subscriber->id;
	struct delivery *arrived, *failed;
	struct err_info info = {0};
	int64_t since = work->subscriber->created_at;
	enum err err;

	err = store_delivery_ended(
		delivery_store(work), work->arena, id, DELIVERY_DELIVERED, 0, &arrived, &info);
	if (err == ERR_OK)
		since = arrived->ended_at;
	if (err == ERR_OK || err == ERR_NOT_FOUND)
		err = store_delivery_ended(delivery_store(work), work->arena, id, DELIVERY_FAILED,
			since, &failed, &info);
	return err == ERR_OK && failed->created_at <= now - SUBSCRIBER_PATIENCE;
}

/* A person has to look after it: it says so in its health. */
static void delivery_alert(const struct delivery_work *work)
{
	log_error("webhook %s is disabled: nothing has reached %s for three days",
		work->subscriber->id, subscriber_shown_url(work->arena, work->subscriber));
}

static void delivery_give_up_on(const struct delivery_work *work, int64_t now)
{
	char *id = arena_strdup(work->arena, work->subscriber->id);
	struct err_info info = {0};
	struct config *config;

	if (!delivery_is_hopeless(work, now))
		return;
	if (store_config_change(delivery_store(work), work->arena, delivery_disable_rule, id,
		    &config, &info) == ERR_OK)
		delivery_alert(work);
	else
		log_error("webhook %s cannot be disabled: %s", id, info.detail);
}

/* The trail of its request says that somebody was not told. */
static enum err delivery_note_rule(void *data, struct arena *arena, struct request *request,
	bool *changed_r, struct err_info *info)
{
	const struct delivery *delivery = data;
	struct cause cause = {
		.arena = arena,
		.now = clock_now_ms(),
		.actor = {.role = ROLE_SYSTEM},
		.source = SOURCE_DISPATCHER,
	};

	(void)info;
	id_seed(cause.seed, sizeof(cause.seed));
	*changed_r = audit_add_bounded(&cause, request, "webhook.failed", NULL,
		arena_strdup(arena, delivery->webhook_id), arena_strdup(arena, delivery->type));
	return ERR_OK;
}

static void delivery_note_failed(const struct delivery_work *work)
{
	const struct store_change change = {
		.store = delivery_store(work),
		.wake_fd = work->courier->deliveries->dispatch->wake_fd,
		.id = work->delivery->request_id,
		.depth = STORE_WHOLE,
		.rule = delivery_note_rule,
		.data = work->delivery,
		.before_save = FAULT_SETTLE_BEFORE_SAVE,
		.after_save = FAULT_SETTLE_AFTER_SAVE,
	};
	struct err_info info = {0};

	if (store_request_change(&change, work->arena, NULL, &info) != ERR_OK)
		log_warning("request %s: that a webhook was given up is in the log alone: %s",
			work->delivery->request_id, info.detail);
}

static void delivery_perform(const struct delivery_work *work)
{
	struct delivery *delivery = work->delivery;
	struct effect_outcome outcome = {0};
	struct err_info info = {0};
	int64_t status = 0, now;
	enum err err;

	outcome.err = delivery_send(work, &status, &info);
	outcome.detail = arena_strdup(work->arena, info.detail);
	outcome.retry_after_s = info.retry_after_s;
	now = clock_now_ms();
	delivery_settled(
		work->arena, delivery, &outcome, status, now, id_random_below(BACKOFF_SPREAD));
	if (outcome.err != ERR_OK)
		log_info(
			"webhook %s: %s: %s", delivery->webhook_id, delivery->type, outcome.detail);
	err = store_delivery_save(delivery_store(work), work->arena, delivery, &info);
	if (err != ERR_OK)
		log_warning("delivery %s is sent again: %s", delivery->id, info.detail);
	else
		fault_pass(FAULT_DELIVERY_SETTLED);
	if (err != ERR_OK || delivery->state != DELIVERY_FAILED)
		return;
	delivery_note_failed(work);
	delivery_give_up_on(work, now);
}

/* ---- claim ---- */

static enum err delivery_lease(const struct delivery_work *work, struct err_info *info)
{
	char *lease = arena_alloc(work->arena, ID_SIZE);

	id_random(lease);
	delivery_claim(work->delivery, lease, clock_now_ms());
	return store_delivery_save(delivery_store(work), work->arena, work->delivery, info);
}

/* Behind the one that goes before it, and found again when that may be tried, or soon if somebody
 * sends it now. */
static void delivery_put_behind(
	const struct delivery_work *work, const struct delivery *first, int64_t now)
{
	work->delivery->due =
		first->lease ? now + DELIVERY_POLL_S * INSTANT_SECOND : first->due + 1;
	store_delivery_save(delivery_store(work), work->arena, work->delivery, NULL);
}

/* The next of its subscriber that may leave; false when there is none now. *wait_r false: there may
 * be at once. */
static bool delivery_take(struct delivery_work *work, bool *wait_r)
{
	const char *id = work->subscriber->id;
	struct store *store = delivery_store(work);
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
	       store_delivery_first(delivery_store(work), work->arena, work->subscriber->id, lane,
		       &work->delivery, &info) == ERR_OK &&
	       !delivery_is_running(work->delivery, clock_now_ms()) &&
	       !work->delivery->last_error && delivery_lease(work, &info) == ERR_OK;
}

static bool deliveries_stopping(struct dispatch_deliveries *deliveries)
{
	bool stopping;

	pthread_mutex_lock(&deliveries->mutex);
	stopping = deliveries->stopping;
	pthread_mutex_unlock(&deliveries->mutex);
	return stopping;
}

/* In how many seconds there may be something to do; 0: there may be more. */
static int courier_do_one(struct dispatch_courier *courier)
{
	struct delivery_work work = {.courier = courier, .arena = arena_new()};
	struct store *store = delivery_store(&work);
	struct err_info info = {0};
	struct config *config;
	bool wait = true;
	int pause_s = 0;

	if (store_config_load(store, work.arena, &config, &info) == ERR_OK &&
		courier->index < config->subscribers.count)
		work.subscriber = MODEL_AT(&config->subscribers, struct subscriber, courier->index);
	if (work.subscriber && !work.subscriber->disabled_at && delivery_take(&work, &wait)) {
		delivery_perform(&work);
		wait = false;
		while (!deliveries_stopping(courier->deliveries) && delivery_follow(&work))
			delivery_perform(&work);
	}
	if (wait)
		pause_s = work.subscriber ? DELIVERY_POLL_S : DELIVERY_IDLE_POLL_S;
	arena_free(&work.arena);
	return pause_s;
}

/* ---- the threads ---- */

/* Until there may be something to do; false: it is to end. */
static bool courier_wait(struct dispatch_courier *courier, int pause_s, unsigned *seen)
{
	struct dispatch_deliveries *deliveries = courier->deliveries;
	struct timespec until;
	bool going_on;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += pause_s;
	pthread_mutex_lock(&deliveries->mutex);
	while (pause_s && !deliveries->stopping && deliveries->woken == *seen &&
		pthread_cond_clockwait(
			&deliveries->changed, &deliveries->mutex, CLOCK_MONOTONIC, &until) == 0)
		continue;
	*seen = deliveries->woken;
	going_on = !deliveries->stopping;
	pthread_mutex_unlock(&deliveries->mutex);
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

struct dispatch_deliveries *dispatch_deliveries_start(const struct dispatch *dispatch)
{
	struct dispatch_deliveries *deliveries = xcalloc(1, sizeof(*deliveries));
	struct dispatch_courier *courier;
	size_t i;

	deliveries->dispatch = dispatch;
	pthread_mutex_init(&deliveries->mutex, NULL);
	pthread_cond_init(&deliveries->changed, NULL);
	for (i = 0; i < SUBSCRIBER_MOST; i++) {
		courier = &deliveries->couriers[i];
		*courier = (struct dispatch_courier){
			.deliveries = deliveries, .index = i, .rest = rest_new()};
		if (pthread_create(&courier->thread, NULL, courier_run, courier) != 0) {
			rest_free(&courier->rest);
			dispatch_deliveries_stop(&deliveries);
			return NULL;
		}
		deliveries->started++;
	}
	return deliveries;
}

void dispatch_deliveries_wake(struct dispatch_deliveries *deliveries)
{
	pthread_mutex_lock(&deliveries->mutex);
	deliveries->woken++;
	pthread_cond_broadcast(&deliveries->changed);
	pthread_mutex_unlock(&deliveries->mutex);
}

void dispatch_deliveries_stop(struct dispatch_deliveries **deliveries)
{
	size_t i;

	if (!*deliveries)
		return;
	pthread_mutex_lock(&(*deliveries)->mutex);
	(*deliveries)->stopping = true;
	pthread_cond_broadcast(&(*deliveries)->changed);
	pthread_mutex_unlock(&(*deliveries)->mutex);
	for (i = 0; i < (*deliveries)->started; i++) {
		pthread_join((*deliveries)->couriers[i].thread, NULL);
		rest_free(&(*deliveries)->couriers[i].rest);
	}
	free(*deliveries);
	*deliveries = NULL;
}
