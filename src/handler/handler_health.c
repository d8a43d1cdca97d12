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

/* ---- what is counted ---- */

struct figures {
	int64_t at, started_at;
	int64_t requests, requests_failed, requests_us;
	int64_t meetings_made, provider_calls_failed, mails_sent, mails_failed;
};

#define FIGURE(type, member, flags)                                                                \
	MODEL_FIELD(struct figures, member, type, MODEL_SHOWN | MODEL_REQUIRED | (flags), )

static const struct model_field figures_fields[] = {
	FIGURE(MODEL_INSTANT, at, MODEL_MS),
	FIGURE(MODEL_INSTANT, started_at, 0),
	FIGURE(MODEL_INT, requests, 0),
	FIGURE(MODEL_INT, requests_failed, 0),
	FIGURE(MODEL_INT, requests_us, 0),
	FIGURE(MODEL_INT, meetings_made, 0),
	FIGURE(MODEL_INT, provider_calls_failed, 0),
	FIGURE(MODEL_INT, mails_sent, 0),
	FIGURE(MODEL_INT, mails_failed, 0),
};

const struct model handler_figures_answer = MODEL(struct figures, "figures", figures_fields);

/* That a provider has no such meeting, or works on it, is an answer as good as any. */
enum err handler_figures(struct http_exchange *exchange, struct err_info *info)
{
	const uint64_t ok = ERR_SET(OK), answered = ok | ERR_SET(GONE) | ERR_SET(STILL_PENDING);
	const struct figures figures = {
		.at = exchange->now,
		.started_at = metrics_get(METRIC_STARTED_AT) * INSTANT_SECOND,
		.requests = (int64_t)metrics_sum(METRIC_HTTP_REQUESTS, METRICS_ANY),
		.requests_failed =
			(int64_t)metrics_sum(METRIC_HTTP_REQUESTS, UINT64_C(1) << 5 /* 5xx */),
		.requests_us = (int64_t)metrics_sum(METRIC_HTTP_TIME, METRICS_ANY),
		.meetings_made = (int64_t)metrics_sum(METRIC_MEETINGS, METRICS_ANY),
		.provider_calls_failed = (int64_t)metrics_sum(METRIC_PROVIDER_CALLS, ~answered),
		.mails_sent = (int64_t)metrics_sum(METRIC_MAILS, ok),
		.mails_failed = (int64_t)metrics_sum(METRIC_MAILS, ~ok),
	};
	struct buf *out = http_reply_buf(exchange);

	http_set_header(exchange, "Cache-Control", "no-store");
	model_write(&handler_figures_answer, &figures, MODEL_SHOWN, out);
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
