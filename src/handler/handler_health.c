#include <inttypes.h>

#include "handler_private.h"
#include "ics_zone.h"
#include "instant.h"
#include "json_write.h"
#include "metrics.h"

/* Owed effects older than this mean that nobody performs them. */
#define HEALTH_OUTBOX_AGE (15 * INSTANT_MINUTE)

enum err handler_health(struct http_exchange *exchange, struct err_info *info)
{
	struct buf *out = http_reply_buf(exchange);

	json_write_open(out, '{');
	json_write_member(out, "status", "alive");
	json_write_close(out, '}');
	return http_reply_json(exchange, 200, out, info);
}

/* The templates are loaded before a worker accepts anything, so the database is what may be away,
 * and the dispatchers what may be stuck. */
enum err handler_ready(struct http_exchange *exchange, struct err_info *info)
{
	const struct service_call call = handler_call(exchange);
	struct buf *out = http_reply_buf(exchange);
	char tzdata[ICS_ZONE_VERSION_SIZE];
	int64_t age;
	enum err err;

	err = service_backlog(&handler_context(exchange)->service, &call, &age, info);
	if (err != ERR_OK)
		return err;
	if (age > HEALTH_OUTBOX_AGE)
		return err_set(info, ERR_OVERLOADED,
			"The oldest owed effect has waited for %" PRId64 " minutes.",
			age / INSTANT_MINUTE);
	ics_zone_version(tzdata);
	json_write_open(out, '{');
	json_write_member(out, "status", "ready");
	json_write_member(out, "tzdata", tzdata);
	json_write_close(out, '}');
	return http_reply_json(exchange, 200, out, info);
}

/* It waits for nothing, so that it tells of an overload, too: what is owed a dispatcher looks at.
 */
enum err handler_metrics(struct http_exchange *exchange, struct err_info *info)
{
	struct buf *out = http_reply_buf(exchange);

	(void)info;
	metrics_set(METRIC_SCRAPED_AT, exchange->now / INSTANT_SECOND, 0, 0);
	metrics_write(out);
	http_reply(exchange, 200, "text/plain; version=0.0.4; charset=utf-8", out->bytes, out->len);
	return ERR_OK;
}
