/* Audit events, and erasing a person. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "handler_private.h"
#include "json_write.h"
#include "service_audit.h"

/* GET …/audit: in the order of the chain. */
static const struct model_field audit_query_fields[] = {
	MODEL_FIELD(struct handler_audit_query, limit, MODEL_INT, 0, .min = 1, .max = 200),
	MODEL_FIELD(struct handler_audit_query, cursor, MODEL_STRING, 0, .min = 1, .max = 64),
};

const struct model handler_audit_query_model =
	MODEL(struct handler_audit_query, "query", audit_query_fields);

#define TRAIL(type, member, ...)                                                                   \
	MODEL_FIELD(struct handler_trail_query, member, type, 0, __VA_ARGS__)

static const struct model_field trail_query_fields[] = {
	TRAIL(MODEL_INSTANT, from),
	TRAIL(MODEL_INSTANT, to),
	TRAIL(MODEL_STRING, actor, .min = 1, .max = 128),
	TRAIL(MODEL_STRING, action, .min = 1, .max = 64),
	TRAIL(MODEL_STRING, request_id, .min = 1, .max = 64),
	TRAIL(MODEL_INT, limit, .min = 1, .max = 200),
	TRAIL(MODEL_STRING, cursor, .min = 1, .max = 64),
};

const struct model handler_trail_query_model =
	MODEL(struct handler_trail_query, "query", trail_query_fields);

static enum err audit_reply(struct http_exchange *exchange, const struct model_list *events,
	const char *next, struct err_info *info)
{
	struct buf *out = http_reply_buf(exchange);

	handler_begin_page(out);
	MODEL_FOREACH (events, struct audit_event, event) {
		model_write(&audit_event_model, event, MODEL_SHOWN, out);
	}
	handler_end_page(out, next);
	return http_reply_json(exchange, 200, out, info);
}

/* A cursor is the number of events before it: they never change. */
static bool audit_cursor_read(const char *text, int64_t *from_r)
{
	*from_r = 0;
	if (!text)
		return true;
	if (strspn(text, "0123456789") != strlen(text) || strlen(text) > 9 || *text == '0')
		return false;
	*from_r = strtoll(text, NULL, 10);
	return true;
}

enum err handler_audit_get(struct http_exchange *exchange, struct err_info *info)
{
	const struct handler_audit_query *query = exchange->query;
	const struct service_call call = handler_call(exchange);
	struct service_trail trail = {.limit = query->limit ? query->limit : HANDLER_LIMIT};
	const char *next = NULL;
	enum err err;

	if (!audit_cursor_read(query->cursor, &trail.from))
		return err_add_field(info, "/cursor", "is not a cursor of this trail");
	err = service_trail_get(
		&handler_context(exchange)->service, &call, exchange->params[0], &trail, info);
	if (err != ERR_OK)
		return err;
	if (trail.from > trail.total)
		return err_add_field(info, "/cursor", "is not a cursor of this trail");
	if (trail.from + (int64_t)trail.events.count < trail.total)
		next = arena_printf(exchange->arena, "%lld",
			(long long)trail.from + (long long)trail.events.count);
	return audit_reply(exchange, &trail.events, next, info);
}

/* Found anew each time: who asks has a reason to. */
enum err handler_audit_verify(struct http_exchange *exchange, struct err_info *info)
{
	const struct service_call call = handler_call(exchange);
	struct service_verdict verdict;
	struct buf *out;
	enum err err;

	err = service_trail_verify(
		&handler_context(exchange)->service, &call, exchange->params[0], &verdict, info);
	if (err != ERR_OK)
		return err;
	http_set_header(exchange, "Cache-Control", "no-store");
	out = http_reply_buf(exchange);
	model_write(&service_verdict_model, &verdict, MODEL_SHOWN, out);
	return http_reply_json(exchange, 200, out, info);
}

static const char *trail_cursor(struct arena *arena, const struct store_audit_position *position)
{
	return arena_printf(arena, "%lld.%lld.%s", (long long)position->at,
		(long long)position->index, position->id);
}

/* False for a text that is not a cursor of ours. */
static bool trail_cursor_read(
	struct arena *arena, const char *text, struct store_audit_position *position_r)
{
	char id[ID_SIZE] = "";
	long long at, index;

	if (sscanf(text, "%18lld.%9lld.%22[A-Za-z0-9_-]", &at, &index, id) != 3)
		return false;
	*position_r = (struct store_audit_position){
		.at = at, .id = arena_strdup(arena, id), .index = index};
	return strcmp(trail_cursor(arena, position_r), text) == 0;
}

enum err handler_audit_list(struct http_exchange *exchange, struct err_info *info)
{
	const struct handler_trail_query *query = exchange->query;
	const struct service_call call = handler_call(exchange);
	struct store_audit_position after, next;
	struct store_audit_filter filter = {
		.from = query->from,
		.to = query->to,
		.actor_id = query->actor,
		.action = query->action,
		.request_id = query->request_id,
		.limit = query->limit ? query->limit : HANDLER_LIMIT,
	};
	struct model_list events = {0};
	enum err err;

	if (query->cursor && !trail_cursor_read(exchange->arena, query->cursor, &after))
		return err_add_field(info, "/cursor", "is not a cursor of this service");
	if (query->cursor)
		filter.after = &after;
	err = service_audit_list(
		&handler_context(exchange)->service, &call, filter, &events, &next, info);
	if (err != ERR_OK)
		return err;
	return audit_reply(
		exchange, &events, next.id ? trail_cursor(exchange->arena, &next) : NULL, info);
}

enum err handler_person_erase(struct http_exchange *exchange, struct err_info *info)
{
	const struct service_call call = handler_call(exchange);
	const char *id = exchange->params[0];
	struct buf *out;
	int64_t requests;
	enum err err;

	err = service_person_erase(&handler_context(exchange)->service, &call, id, &requests, info);
	if (err != ERR_OK)
		return err;
	out = http_reply_buf(exchange);
	json_write_open(out, '{');
	json_write_member(out, "id", id);
	json_write_name(out, "requests");
	json_write_int(out, requests);
	json_write_close(out, '}');
	return http_reply_json(exchange, 200, out, info);
}
