#include "service_subscriber.h"

#include <string.h>

#include "buf.h"
#include "delivery.h"
#include "id.h"
#include "json_write.h"
#include "rest.h"
#include "service_config_private.h"
#include "service_private.h"
#include "store_delivery.h"

enum {
	SECRET_BYTES = 32,
	SECRET_TEXT_SIZE = 48,
	DELIVERY_TRIES = 3,
	SUBSCRIBER_MAX_TEXT = 1024 * 1024
};

static enum err subscriber_unknown(struct err_info *info)
{
	return err_set(info, ERR_NOT_FOUND, "There is no such webhook.");
}

/* ---- shown ---- */

static const char *health_state(const struct subscriber *subscriber, const struct delivery *arrived,
	const struct delivery *waiting)
{
	if (subscriber->disabled_at)
		return "disabled";
	if (waiting && waiting->last_error)
		return "failing";
	return arrived ? "ok" : "unknown";
}

/* Read from the log: what arrived last, and what has waited for longest. */
static void subscriber_write_health(struct buf *out, const struct service *service,
	const struct service_call *call, const struct subscriber *subscriber)
{
	struct delivery *arrived, *waiting;
	struct err_info info = {0};

	if (store_delivery_ended(service->store, call->arena, subscriber->id, DELIVERY_DELIVERED, 0,
		    &arrived, &info) != ERR_OK)
		arrived = NULL;
	if (store_delivery_oldest(service->store, call->arena, subscriber->id, &waiting, &info) !=
		ERR_OK)
		waiting = NULL;
	json_write_open(out, '{');
	json_write_member(out, "state", health_state(subscriber, arrived, waiting));
	json_write_name(out, "last_ok_at");
	json_write_instant(out, arrived ? arrived->ended_at : 0, false);
	json_write_name(out, "waiting_since");
	json_write_instant(out, waiting ? waiting->created_at : 0, false);
	json_write_name(out, "last_error");
	if (waiting && waiting->last_error)
		model_write(&failure_model, waiting->last_error, MODEL_SHOWN, out);
	else
		json_write_text(out, NULL);
	json_write_close(out, '}');
}

/* With its secret, for who has just had it made. */
static const char *subscriber_text(
	struct arena *arena, const struct subscriber *subscriber, const char *secret)
{
	struct buf out;

	buf_init(&out, SUBSCRIBER_MAX_TEXT);
	json_write_open(&out, '{');
	model_write_members(&subscriber_model, subscriber, MODEL_SHOWN, &out);
	json_write_member(&out, "secret", secret);
	json_write_close(&out, '}');
	return buf_keep(&out, arena);
}

/* From the one behind `after` on; NULL when there is no such id. */
static const struct subscriber *subscriber_behind(const struct config *config, const char *after)
{
	const struct subscriber *first = config->subscribers.items;

	if (after) {
		first = subscriber_find(config, after);
		first = first ? first + 1 : NULL;
	}
	return first;
}

enum err service_subscriber_list(const struct service *service, const struct service_call *call,
	size_t limit, const char *after, const char **reply_r, struct err_info *info)
{
	const struct subscriber *subscriber, *end;
	const struct config *config;
	const char *next = NULL;
	struct buf out;
	enum err err = store_config_current(service->store, call->arena, &config, info);

	if (err != ERR_OK)
		return err;
	subscriber = subscriber_behind(config, after);
	if (after && !subscriber)
		return err_add_field(info, "/cursor", "is not a cursor of this service");
	end = MODEL_AT(&config->subscribers, struct subscriber, config->subscribers.count);
	buf_init(&out, SUBSCRIBER_MAX_TEXT);
	json_write_open(&out, '{');
	json_write_name(&out, "items");
	json_write_open(&out, '[');
	for (; subscriber && subscriber < end && limit > 0; subscriber++, limit--) {
		json_write_open(&out, '{');
		model_write_members(&subscriber_model, subscriber, MODEL_SHOWN, &out);
		json_write_name(&out, "health");
		subscriber_write_health(&out, service, call, subscriber);
		json_write_close(&out, '}');
		next = subscriber + 1 < end ? subscriber->id : NULL;
	}
	json_write_close(&out, ']');
	json_write_member(&out, "next_cursor", next);
	json_write_close(&out, '}');
	*reply_r = buf_keep(&out, call->arena);
	return ERR_OK;
}

/* ---- changed ---- */

struct subscriber_work {
	const struct subscriber_draft *draft;
	const char *id, *secret, *asked;
	const char *id_before; /* of the day before, under which a repeat looks, too */
	bool *replayed_r;
};

static const char *subscriber_new_secret(struct arena *arena)
{
	unsigned char bytes[SECRET_BYTES];
	char text[SECRET_TEXT_SIZE];

	id_seed(bytes, sizeof(bytes));
	base64url_encode(bytes, sizeof(bytes), text, sizeof(text));
	return arena_printf(arena, "whsec_%s", text);
}

/* Whether a name leads to where webhooks may go. */
static enum err subscriber_check_url(
	const struct service *service, const char *url, struct err_info *info)
{
	const bool listed = rest_url_listed(url, service->conf->webhooks_allow);
	struct err_info why = {0};
	struct rest *turn;
	enum err err;

	if (!rest_url_valid(url, REST_URL_LINK | (listed ? REST_URL_HTTP : 0)) ||
		strchr(url, '#') || (!listed && strncmp(url, "https:", strlen("https:")) != 0))
		return err_add_field(info, "/url", "must be an https:// URL without credentials");
	if (listed)
		return ERR_OK;
	turn = rest_pool_take(service->rests);
	if (!turn)
		return err_set(info, ERR_OVERLOADED, "Too many addresses are being looked up.");
	err = rest_check_reach(url, SERVICE_REACH_MS, &why);
	rest_pool_give(service->rests, turn);
	return err == ERR_OK ? ERR_OK
			     : err_add_field(info, "/url", "leads nowhere: %s", why.detail);
}

static bool subscriber_is_of(
	const struct subscriber *subscriber, const struct subscriber_draft *draft)
{
	size_t i;

	if (strcmp(subscriber->url, draft->url) != 0 ||
		subscriber->events.count != draft->events.count)
		return false;
	for (i = 0; i < draft->events.count; i++)
		if (strcmp(*MODEL_AT(&subscriber->events, const char *, i),
			    *MODEL_AT(&draft->events, const char *, i)) != 0)
			return false;
	return true;
}

/* What was registered under the key within the time that keys are kept, or NULL. */
static struct subscriber *subscriber_registered(
	const struct config *config, const struct subscriber_work *work, int64_t now)
{
	struct subscriber *known = subscriber_find(config, work->id);

	if (!known)
		known = subscriber_find(config, work->id_before);
	return known && now - known->created_at < REQUEST_ANSWER_KEPT ? known : NULL;
}

/* The id follows from the call's key and the day, as that of a request does. */
static const char *subscriber_new_id(const struct service *service, const struct service_call *call,
	const char *asked, int64_t day)
{
	const char *text = arena_printf(call->arena, "%s/%lld", asked, (long long)day);
	char *id = arena_alloc(call->arena, ID_SIZE);
	unsigned char mac[SECRET_MAC_BYTES];

	secret_mac_oldest(service->ring, SECRET_WEBHOOK, text, strlen(text), mac);
	id_encode(mac, id);
	return id;
}

static enum err subscriber_register_rule(const struct service *service,
	const struct service_call *call, struct cause *cause, struct config *config,
	const void *input, bool *changed_r, struct err_info *info)
{
	const struct subscriber_work *work = input;
	const struct subscriber *known = subscriber_registered(config, work, call->now);

	(void)service;
	*work->replayed_r = known != NULL;
	if (known)
		return subscriber_is_of(known, work->draft)
			       ? ERR_OK
			       : err_set(info, ERR_KEY_REUSED,
					 "This Idempotency-Key came with another body before.");
	*changed_r = true;
	return subscriber_register(
		cause, config, work->draft, work->id, work->secret, work->asked, info);
}

enum err service_subscriber_register(const struct service *service, const struct service_call *call,
	const struct subscriber_draft *draft, const char **reply_r, bool *replayed_r,
	struct err_info *info)
{
	const char *asked = service_answer_key(call, "webhook", "");
	const int64_t today = call->now / INSTANT_DAY;
	const struct subscriber_work work = {
		.draft = draft,
		.id = subscriber_new_id(service, call, asked, today),
		.id_before = subscriber_new_id(service, call, asked, today - 1),
		.secret = subscriber_new_secret(call->arena),
		.asked = asked,
		.replayed_r = replayed_r,
	};
	const struct subscriber *subscriber;
	struct config *config;
	enum err err;

	err = subscriber_check_url(service, draft->url, info);
	if (err == ERR_OK)
		err = service_config_change(
			service, call, subscriber_register_rule, &work, &config, info);
	if (err != ERR_OK)
		return err;
	subscriber = subscriber_registered(config, &work, call->now);
	/* A secret that came after it was shown to who asked for that one. */
	*reply_r = subscriber_text(call->arena, subscriber,
		strcmp(subscriber->asked, asked) == 0 ? subscriber->secret : NULL);
	return ERR_OK;
}

static enum err subscriber_rotate_rule(const struct service *service,
	const struct service_call *call, struct cause *cause, struct config *config,
	const void *input, bool *changed_r, struct err_info *info)
{
	const struct subscriber_work *work = input;
	struct subscriber *subscriber = subscriber_find(config, work->id);

	(void)service;
	if (!subscriber)
		return subscriber_unknown(info);
	/* As long as keys are kept: so long does the secret of before sign. */
	*work->replayed_r = subscriber->asked && strcmp(subscriber->asked, work->asked) == 0 &&
			    call->now < subscriber->former_until;
	*changed_r = !*work->replayed_r;
	return *changed_r ? subscriber_rotate(
				    cause, config, subscriber, work->secret, work->asked, info)
			  : ERR_OK;
}

enum err service_subscriber_rotate(const struct service *service, const struct service_call *call,
	const char *id, const char **reply_r, bool *replayed_r, struct err_info *info)
{
	const struct subscriber_work work = {
		.id = id,
		.secret = subscriber_new_secret(call->arena),
		.asked = service_answer_key(call, "rotate", id),
		.replayed_r = replayed_r,
	};
	const struct subscriber *subscriber;
	struct config *config;
	enum err err;

	err = service_config_change(service, call, subscriber_rotate_rule, &work, &config, info);
	if (err != ERR_OK)
		return err;
	subscriber = subscriber_find(config, id);
	*reply_r = subscriber_text(call->arena, subscriber, subscriber->secret);
	return ERR_OK;
}

static enum err subscriber_remove_rule(const struct service *service,
	const struct service_call *call, struct cause *cause, struct config *config,
	const void *input, bool *changed_r, struct err_info *info)
{
	const struct subscriber *subscriber = subscriber_find(config, input);

	(void)service;
	(void)call;
	if (!subscriber)
		return subscriber_unknown(info);
	*changed_r = true;
	subscriber_remove(cause, config, subscriber);
	return ERR_OK;
}

enum err service_subscriber_remove(const struct service *service, const struct service_call *call,
	const char *id, struct err_info *info)
{
	struct config *config;

	return service_config_change(service, call, subscriber_remove_rule, id, &config, info);
}

/* ---- deliveries ---- */

static enum err subscriber_check_known(const struct service *service,
	const struct service_call *call, const char *id, struct err_info *info)
{
	struct config *config;
	enum err err = store_config_load(service->store, call->arena, &config, info);

	if (err != ERR_OK)
		return err;
	return subscriber_find(config, id) ? ERR_OK : subscriber_unknown(info);
}

enum err service_delivery_list(const struct service *service, const struct service_call *call,
	const char *webhook_id, const struct service_delivery_page *page, struct model_list *list_r,
	struct service_delivery_page *next_r, struct err_info *info)
{
	const struct store_delivery_page wanted = {
		.webhook_id = webhook_id,
		.before = page->before,
		.before_id = page->after,
		.limit = page->limit,
	};
	struct store_delivery_page next = {0};
	enum err err = subscriber_check_known(service, call, webhook_id, info);

	if (err == ERR_OK)
		err = store_delivery_list(
			service->store, call->arena, &wanted, list_r, &next, info);
	*next_r = (struct service_delivery_page){
		.before = next.before, .after = next.before_id, .limit = page->limit};
	return err;
}

static enum err delivery_try_again(const struct service *service, const struct service_call *call,
	const char *webhook_id, const char *id, const char **reply_r, bool *replayed_r,
	struct err_info *info)
{
	const char *asked = service_answer_key(call, "redeliver", id);
	struct delivery *delivery;
	enum err err;

	err = store_delivery_load(service->store, call->arena, id, &delivery, info);
	if (err == ERR_OK && strcmp(delivery->webhook_id, webhook_id) != 0)
		err = err_set(info, ERR_NOT_FOUND, "There is no such delivery.");
	*replayed_r = err == ERR_OK && delivery->asked && strcmp(delivery->asked, asked) == 0;
	if (err == ERR_OK && !*replayed_r)
		err = delivery_again(delivery, asked, call->now, info);
	if (err == ERR_OK && !*replayed_r)
		err = store_delivery_save(service->store, call->arena, delivery, info);
	if (err == ERR_OK)
		*reply_r = model_text(call->arena, &delivery_model, delivery, MODEL_SHOWN);
	return err;
}

enum err service_delivery_again(const struct service *service, const struct service_call *call,
	const char *webhook_id, const char *id, const char **reply_r, bool *replayed_r,
	struct err_info *info)
{
	enum err err = subscriber_check_known(service, call, webhook_id, info);
	int tries;

	for (tries = 0; err == ERR_OK && tries < DELIVERY_TRIES; tries++) {
		err = delivery_try_again(service, call, webhook_id, id, reply_r, replayed_r, info);
		if (err != ERR_CONFLICT)
			return err;
		err_clear(info);
		err = ERR_OK;
	}
	return err == ERR_OK ? err_set(info, ERR_BUSY, "It is being sent at this moment.") : err;
}
