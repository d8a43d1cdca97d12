/* One delivery: send -> settle, and what follows when it is given up. */
#include "dispatch_delivery.h"

#include <string.h>

#include "backoff.h"
#include "clock.h"
#include "config.h"
#include "fault.h"
#include "id.h"
#include "log.h"
#include "metrics.h"
#include "store_change.h"
#include "store_config.h"
#include "store_delivery.h"

/* What one may take, well within its lease; and how much of the answer is read. */
enum { DELIVERY_TIMEOUT_MS = 15 * 1000, DELIVERY_MOST_REPLY = 16 * 1024 };

/* ---- send ---- */

static void delivery_sign(
	struct arena *arena, const char *signed_text, const char *secret, const char **header)
{
	char mac[SECRET_HMAC_SIZE];

	secret_hmac_sha256_hex(secret, signed_text, strlen(signed_text), mac);
	*header = arena_printf(arena, "%s,v1=%s", *header, mac);
}

/* "t=<unix>,v1=<hex>", and for a day after a rotation one more of the secret before. */
static const char *delivery_signature(const struct delivery_work *work, int64_t now)
{
	const struct subscriber *subscriber = work->subscriber;
	const long long at = (long long)(now / INSTANT_SECOND);
	const char *signed_text = arena_printf(work->arena, "%lld.%s", at, work->delivery->body);
	const char *header = arena_printf(work->arena, "Meetlink-Signature: t=%lld", at);

	delivery_sign(work->arena, signed_text, subscriber->secret, &header);
	if (subscriber->former_secret && now < subscriber->former_until)
		delivery_sign(work->arena, signed_text, subscriber->former_secret, &header);
	MODEL_FOREACH (&subscriber->older, struct subscriber_secret, older) {
		if (now < older->until)
			delivery_sign(work->arena, signed_text, older->secret, &header);
	}
	return header;
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
	const struct conf *conf = work->dispatch->conf;
	struct rest_request request = {
		.method = REST_POST,
		.url = work->subscriber->url,
		.content_type = "application/json",
		.body = work->delivery->body,
		.reach = rest_url_listed(work->subscriber->url, conf->webhooks_allow) ? REST_LISTED
										      : REST_PUBLIC,
		.most_reply = DELIVERY_MOST_REPLY,
		.timeout_ms = DELIVERY_TIMEOUT_MS,
	};
	struct rest_reply reply;
	enum err err;

	if (!work->delivery->body)
		return err_set(info, ERR_PERMANENT, "What it said has been erased.");
	request.headers = (const char *const[]){delivery_signature(work, clock_now_ms()), NULL};
	fault_pass(FAULT_DELIVERY_BEFORE);
	err = rest_call(work->rest, work->arena, &request, &reply, info);
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
		work->dispatch->store, work->arena, id, DELIVERY_DELIVERED, 0, &arrived, &info);
	if (err == ERR_OK)
		since = arrived->ended_at;
	if (err == ERR_OK || err == ERR_NOT_FOUND)
		err = store_delivery_ended(work->dispatch->store, work->arena, id, DELIVERY_FAILED,
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
	if (store_config_change(work->dispatch->store, work->arena, delivery_disable_rule, id,
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
		.store = work->dispatch->store,
		.wake_fd = work->dispatch->wake_fd,
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

void dispatch_delivery_perform(const struct delivery_work *work)
{
	struct delivery *delivery = work->delivery;
	struct effect_outcome outcome = {0};
	struct err_info info = {0};
	int64_t status = 0, now;
	enum err err;

	outcome.err = delivery_send(work, &status, &info);
	metrics_count(METRIC_WEBHOOKS, outcome.err, 0, 0);
	outcome.detail = arena_strdup(work->arena, info.detail);
	outcome.retry_after_s = info.retry_after_s;
	now = clock_now_ms();
	delivery_settled(
		work->arena, delivery, &outcome, status, now, id_random_below(BACKOFF_SPREAD));
	if (outcome.err != ERR_OK)
		log_info(
			"webhook %s: %s: %s", delivery->webhook_id, delivery->type, outcome.detail);
	err = store_delivery_save(work->dispatch->store, work->arena, delivery, &info);
	if (err != ERR_OK)
		log_warning("delivery %s is sent again: %s", delivery->id, info.detail);
	else
		fault_pass(FAULT_DELIVERY_SETTLED);
	if (err != ERR_OK || delivery->state != DELIVERY_FAILED)
		return;
	delivery_note_failed(work);
	delivery_give_up_on(work, now);
}
