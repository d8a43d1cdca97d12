#include <inttypes.h>
#include <json-c/json.h>

#include "handler_private.h"
#include "instant.h"

/* Owed effects older than this mean that nobody performs them. */
#define HEALTH_OUTBOX_AGE (15 * INSTANT_MINUTE)

static void health_reply(struct http_exchange *exchange, const char *status)
{
	struct json_object *json = json_object_new_object();

	json_object_object_add(json, "status", json_object_new_string(status));
	http_reply_json(exchange, 200, json);
	json_object_put(json);
}

enum err handler_health(struct http_exchange *exchange, struct err_info *info)
{
	(void)info;
	health_reply(exchange, "alive");
	return ERR_OK;
}

/* The templates are loaded before a worker accepts anything, so the database is what may be away,
 * and the dispatchers what may be stuck. */
enum err handler_ready(struct http_exchange *exchange, struct err_info *info)
{
	const struct service_call call = handler_call(exchange);
	int64_t age;
	enum err err;

	err = service_backlog(&handler_context(exchange)->service, &call, &age, info);
	if (err != ERR_OK)
		return err;
	if (age > HEALTH_OUTBOX_AGE)
		return err_set(info, ERR_OVERLOADED,
			"The oldest owed effect has waited for %" PRId64 " minutes.",
			age / INSTANT_MINUTE);
	health_reply(exchange, "ready");
	return ERR_OK;
}
