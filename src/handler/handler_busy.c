/* GET /api/lawyers/{id}/busy: when a lawyer has meetings. */
#include <string.h>

#include "handler_private.h"
#include "http_media.h"
#include "ics_busy.h"
#include "id.h"
#include "instant.h"
#include "json_write.h"
#include "overlap.h"

enum { BUSY_MAX_CALENDAR = 512 * 1024 };

#define QUERY(member) MODEL_FIELD(struct handler_busy_query, member, MODEL_INSTANT, MODEL_REQUIRED)

static const struct model_field busy_query_fields[] = {QUERY(from), QUERY(to)};

const struct model handler_busy_query_model =
	MODEL(struct handler_busy_query, "query", busy_query_fields);

static enum err busy_reply_json(
	struct http_exchange *exchange, const struct model_list *taken, struct err_info *info)
{
	struct buf *out = http_reply_buf(exchange);

	json_write_open(out, '{');
	json_write_name(out, "items");
	json_write_open(out, '[');
	MODEL_FOREACH (taken, struct taken, one) {
		json_write_open(out, '{');
		json_write_name(out, "starts_at");
		json_write_instant(out, one->starts_at, false);
		json_write_name(out, "ends_at");
		json_write_instant(out, one->ends_at, false);
		json_write_member(out, "request_id", one->id);
		json_write_close(out, '}');
	}
	json_write_close(out, ']');
	json_write_close(out, '}');
	return http_reply_json(exchange, 200, out, info);
}

/* The same for the same lawyer and time, so that a calendar replaces what it had of it. */
static const char *busy_uid(struct arena *arena, const char *lawyer_id, const struct span *span)
{
	char id[ID_SIZE];

	id_derive(id, NULL, 0, "busy", lawyer_id,
		arena_printf(arena, "%lld", (long long)span->from),
		arena_printf(arena, "%lld", (long long)span->to), NULL);
	return arena_printf(arena, "%s@meetlink", id);
}

/* DTSTAMP says when it was last revised (RFC 5545 section 3.8.7.2), and not when it is answered,
 * which would make each answer another one: not of a lawyer who never had a meeting, either. */
static enum err busy_reply_calendar(struct http_exchange *exchange, const struct span *span,
	const struct model_list *taken, int64_t changed_at, struct err_info *info)
{
	struct ics_period *periods =
		arena_alloc(exchange->arena, (taken->count + 1) * sizeof(*periods));
	const struct ics_busy busy = {
		.uid = busy_uid(exchange->arena, exchange->params[0], span),
		.dtstamp = changed_at ? changed_at : span->from,
		.from = span->from,
		.to = span->to,
		.periods = periods,
		.period_count = taken->count,
	};
	struct buf *out = http_reply_buf_of(exchange, BUSY_MAX_CALENDAR);
	enum err err;
	size_t i;

	for (i = 0; i < taken->count; i++)
		periods[i] = (struct ics_period){MODEL_AT(taken, struct taken, i)->starts_at,
			MODEL_AT(taken, struct taken, i)->ends_at};
	err = ics_busy_render(&busy, out, info);
	if (err == ERR_OK)
		http_reply(exchange, 200, "text/calendar; charset=utf-8", out->bytes, out->len);
	return err;
}

enum err handler_busy_get(struct http_exchange *exchange, struct err_info *info)
{
	const struct handler_busy_query *query = exchange->query;
	const char *accept = http_variable(exchange, "HTTP_ACCEPT");
	const struct service_call call = handler_call(exchange);
	const struct span span = {query->from, query->to};
	const bool json = http_media_accepted(accept, "application/json");
	const struct service *service = &handler_context(exchange)->service;
	struct model_list taken = {0};
	int64_t changed_at = 0;
	enum err err;

	if (!json && !http_media_accepted(accept, "text/calendar"))
		return err_set(info, ERR_NOT_ACCEPTABLE,
			"Accept must admit application/json or text/calendar.");
	err = service_busy(service, &call, exchange->params[0], &span, &taken, info);
	if (err == ERR_OK && !json)
		err = service_busy_changed(service, &call, exchange->params[0], &changed_at, info);
	if (err != ERR_OK)
		return err;
	http_set_header(exchange, "Vary", "Accept");
	if (!json)
		return busy_reply_calendar(exchange, &span, &taken, changed_at, info);
	return busy_reply_json(exchange, &taken, info);
}
