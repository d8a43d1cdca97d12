#include <string.h>

#include "buf.h"
#include "handler_private.h"

const struct handler_context *handler_context(const struct http_exchange *exchange)
{
	return exchange->app;
}

const char *handler_render_request(const struct service *service, const struct service_call *call,
	const struct request *request)
{
	struct buf out;

	buf_init(&out, HTTP_MAX_REPLY);
	handler_write_request(&out, service, call, request);
	return buf_keep(&out, call->arena);
}

const char *handler_view(
	void *data, struct arena *arena, const struct request *request, int64_t now)
{
	const struct service_call call = {
		.arena = arena, .now = now, .caller = {.id = "", .role = ROLE_SERVICE}};

	return handler_render_request(data, &call, request);
}

struct service_call handler_call(const struct http_exchange *exchange)
{
	return (struct service_call){
		.arena = exchange->arena,
		.now = exchange->now,
		.caller = exchange->caller,
		.trace_id = exchange->request_id,
		.idempotency_key = exchange->idempotency_key,
		.precondition = exchange->if_match ? handler_precondition : NULL,
		.if_match = exchange->if_match,
		.body = exchange->body ? exchange->body : "",
		.body_len = exchange->body_len,
		.render = handler_render_request,
		.tag = handler_request_tag,
		.status = 200,
	};
}

enum err handler_reply_answer(struct http_exchange *exchange, const struct service_answer *answer)
{
	if (answer->replayed)
		http_set_header(exchange, "Idempotency-Replayed", "true");
	http_reply(
		exchange, answer->status, "application/json", answer->reply, strlen(answer->reply));
	if (answer->tag)
		http_set_header(exchange, "ETag", "%s", answer->tag);
	return ERR_OK;
}

enum err handler_request_create(struct http_exchange *exchange, struct err_info *info)
{
	const struct service *service = &handler_context(exchange)->service;
	struct service_call call = handler_call(exchange);
	struct service_answer answer;
	enum err err;

	call.status = 201;
	err = service_request_create(service, &call, exchange->input, &answer, info);
	if (err != ERR_OK)
		return err;
	handler_reply_answer(exchange, &answer);
	http_set_header(exchange, "Location", "%s/api/requests/%s", service->conf->public_url,
		answer.request_id);
	return ERR_OK;
}

static enum err handler_command(
	struct http_exchange *exchange, enum command command, struct err_info *info)
{
	const struct service_call call = handler_call(exchange);
	struct service_answer answer;
	enum err err;

	err = service_command(&handler_context(exchange)->service, &call, command,
		exchange->params[0], exchange->input, &answer, info);
	return err == ERR_OK ? handler_reply_answer(exchange, &answer) : err;
}

#define COMMAND(command, ...)                                                                      \
	enum err handler_command_##command(struct http_exchange *exchange, struct err_info *info)  \
	{                                                                                          \
		return handler_command(exchange, COMMAND_##command, info);                         \
	}
#include "command_table.h"
#undef COMMAND

enum err handler_request_get(struct http_exchange *exchange, struct err_info *info)
{
	const struct service *service = &handler_context(exchange)->service;
	const struct service_call call = handler_call(exchange);
	const struct request *request;
	struct buf *out;
	enum err err;

	err = handler_load(exchange, &call, HANDLER_REQUEST, &request, info);
	if (!request)
		return err;
	out = http_reply_buf(exchange);
	handler_write_request(out, service, &call, request);
	return http_reply_json(exchange, 200, out, info);
}
