#include <json-c/json.h>
#include <string.h>

#include "handler_private.h"

const struct handler_context *handler_context(const struct http_exchange *exchange)
{
	return exchange->app;
}

const char *handler_render_request(const struct service *service, const struct service_call *call,
	const struct request *request)
{
	struct json_object *json = handler_request_json(service, call, request);
	const char *text;

	text = arena_strdup(
		call->arena, json_object_to_json_string_ext(json,
				     JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(json);
	return text;
}

const char *handler_view(
	void *data, struct arena *arena, const struct request *request, int64_t now)
{
	const struct service_call call = {
		.arena = arena, .now = now, .caller = {.id = "", .role = ROLE_SERVICE}};

	return handler_render_request(data, &call, request);
}

static bool handler_precondition(const struct service_call *call, const char *shown)
{
	return http_etag_listed(
		call->if_match, http_etag(call->arena, shown, strlen(shown)), false);
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
		.status = 200,
	};
}

enum err handler_reply_answer(struct http_exchange *exchange, const struct service_answer *answer)
{
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
