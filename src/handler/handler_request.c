#include <json-c/json.h>
#include <string.h>

#include "handler_private.h"

const struct handler_context *handler_context(const struct http_exchange *exchange)
{
	return exchange->app;
}

/* The answer to a change: the request as its caller sees it. */
static const char *handler_render_request(const struct service *service,
	const struct service_call *call, const struct request *request)
{
	struct json_object *json = handler_request_json(service, call, request);
	const char *text;

	text = arena_strdup(
		call->arena, json_object_to_json_string_ext(json,
				     JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(json);
	return text;
}

struct service_call handler_call(const struct http_exchange *exchange)
{
	return (struct service_call){
		.arena = exchange->arena,
		.now = exchange->now,
		.caller = exchange->caller,
		.trace_id = exchange->request_id,
		.idempotency_key = exchange->idempotency_key,
		.if_match = exchange->if_match,
		.body = exchange->body ? exchange->body : "",
		.body_len = exchange->body_len,
		.render = handler_render_request,
	};
}

enum err handler_reply_answer(
	struct http_exchange *exchange, enum err err, const struct service_answer *answer)
{
	if (err != ERR_OK)
		return err;
	if (answer->replayed)
		http_set_header(exchange, "Idempotency-Replayed", "true");
	http_reply(
		exchange, answer->status, "application/json", answer->reply, strlen(answer->reply));
	http_set_header(exchange, "ETag", "%s",
		http_etag(exchange->arena, answer->reply, strlen(answer->reply)));
	return ERR_OK;
}

enum err handler_request_create(struct http_exchange *exchange, struct err_info *info)
{
	const struct service *service = &handler_context(exchange)->service;
	const struct service_call call = handler_call(exchange);
	struct service_answer answer;
	enum err err;

	err = service_request_create(service, &call, exchange->input, &answer, info);
	if (err != ERR_OK)
		return err;
	handler_reply_answer(exchange, err, &answer);
	http_set_header(exchange, "Location", "%s/api/requests/%s", service->conf->public_url,
		answer.request_id);
	return ERR_OK;
}

enum err handler_request_respond(struct http_exchange *exchange, struct err_info *info)
{
	const struct service_call call = handler_call(exchange);
	struct service_answer answer;
	enum err err;

	err = service_request_respond(&handler_context(exchange)->service, &call,
		exchange->params[0], exchange->input, &answer, info);
	return handler_reply_answer(exchange, err, &answer);
}

enum err handler_request_cancel(struct http_exchange *exchange, struct err_info *info)
{
	const struct service_call call = handler_call(exchange);
	struct service_answer answer;
	enum err err;

	err = service_request_cancel(&handler_context(exchange)->service, &call,
		exchange->params[0], exchange->input, &answer, info);
	return handler_reply_answer(exchange, err, &answer);
}

enum err handler_request_get(struct http_exchange *exchange, struct err_info *info)
{
	const struct service *service = &handler_context(exchange)->service;
	const struct service_call call = handler_call(exchange);
	struct request *request;
	const char *shown;
	enum err err;

	err = service_request_get(
		service, &call, exchange->params[0], STORE_CURRENT, &request, info);
	if (err != ERR_OK)
		return err;
	shown = handler_render_request(service, &call, request);
	http_reply(exchange, 200, "application/json", shown, strlen(shown));
	return ERR_OK;
}
