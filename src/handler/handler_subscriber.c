/* Subscribers, and what was delivered to them. */
#include <stdio.h>
#include <string.h>

#include "delivery.h"
#include "handler_private.h"
#include "service_subscriber.h"

static enum err subscriber_reply(
	struct http_exchange *exchange, enum err err, int status, const char *reply, bool replayed)
{
	if (err != ERR_OK)
		return err;
	if (replayed && exchange->idempotency_key)
		http_set_header(exchange, "Idempotency-Replayed", "true");
	http_reply(exchange, status, "application/json", reply, strlen(reply));
	return ERR_OK;
}

enum err handler_subscriber_list(struct http_exchange *exchange, struct err_info *info)
{
	const struct handler_audit_query *query = exchange->query;
	const struct service_call call = handler_call(exchange);
	const char *reply = NULL;
	enum err err;

	err = service_subscriber_list(&handler_context(exchange)->service, &call,
		(size_t)(query->limit ? query->limit : HANDLER_LIMIT), query->cursor, &reply, info);
	return subscriber_reply(exchange, err, 200, reply, false);
}

enum err handler_subscriber_register(struct http_exchange *exchange, struct err_info *info)
{
	const struct service_call call = handler_call(exchange);
	const char *reply = NULL;
	bool replayed = false;
	enum err err;

	err = service_subscriber_register(&handler_context(exchange)->service, &call,
		exchange->input, &reply, &replayed, info);
	return subscriber_reply(exchange, err, 201, reply, replayed);
}

enum err handler_subscriber_rotate(struct http_exchange *exchange, struct err_info *info)
{
	const struct service_call call = handler_call(exchange);
	const char *reply = NULL;
	bool replayed = false;
	enum err err;

	err = service_subscriber_rotate(&handler_context(exchange)->service, &call,
		exchange->params[0], &reply, &replayed, info);
	return subscriber_reply(exchange, err, 200, reply, replayed);
}

enum err handler_subscriber_remove(struct http_exchange *exchange, struct err_info *info)
{
	const struct service_call call = handler_call(exchange);
	enum err err;

	err = service_subscriber_remove(
		&handler_context(exchange)->service, &call, exchange->params[0], info);
	if (err == ERR_OK)
		http_reply(exchange, 204, NULL, NULL, 0);
	return err;
}

/* ---- deliveries ---- */

/* "<time>.<id>" of the last one of the page before. */
static const char *delivery_cursor(struct arena *arena, const struct service_delivery_page *next)
{
	return next->after ? arena_printf(arena, "%lld.%s", (long long)next->before, next->after)
			   : NULL;
}

static bool delivery_cursor_read(
	struct arena *arena, const char *text, struct service_delivery_page *page)
{
	char id[ID_SIZE] = "";
	long long at;

	if (sscanf(text, "%18lld.%22[A-Za-z0-9_-]", &at, id) != 2)
		return false;
	page->before = at;
	page->after = arena_strdup(arena, id);
	return strcmp(arena_printf(arena, "%lld.%s", at, id), text) == 0;
}

enum err handler_delivery_list(struct http_exchange *exchange, struct err_info *info)
{
	const struct handler_audit_query *query = exchange->query;
	const struct service_call call = handler_call(exchange);
	struct service_delivery_page wanted = {
		.limit = query->limit ? query->limit : HANDLER_LIMIT};
	struct service_delivery_page next;
	struct model_list list = {0};
	struct buf *out;
	enum err err;

	if (query->cursor && !delivery_cursor_read(exchange->arena, query->cursor, &wanted))
		return err_add_field(info, "/cursor", "is not a cursor of this service");
	err = service_delivery_list(&handler_context(exchange)->service, &call, exchange->params[0],
		&wanted, &list, &next, info);
	if (err != ERR_OK)
		return err;
	out = http_reply_buf(exchange);
	handler_begin_page(out);
	MODEL_FOREACH (&list, struct delivery, delivery) {
		model_write(&delivery_model, delivery, MODEL_SHOWN, out);
	}
	handler_end_page(out, delivery_cursor(exchange->arena, &next));
	return http_reply_json(exchange, 200, out, info);
}

enum err handler_delivery_again(struct http_exchange *exchange, struct err_info *info)
{
	const struct service_call call = handler_call(exchange);
	const char *reply = NULL;
	bool replayed = false;
	enum err err;

	err = service_delivery_again(&handler_context(exchange)->service, &call,
		exchange->params[0], exchange->params[1], &reply, &replayed, info);
	return subscriber_reply(exchange, err, 200, reply, replayed);
}
