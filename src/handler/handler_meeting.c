/* The meeting of a request. */
#include <json-c/json.h>

#include "handler_private.h"

enum err handler_meeting_get(struct http_exchange *exchange, struct err_info *info)
{
	const struct service *service = &handler_context(exchange)->service;
	const struct service_call call = handler_call(exchange);
	struct json_object *json;
	struct request *request;
	enum err err;

	err = service_request_get(
		service, &call, exchange->params[0], STORE_CURRENT, &request, info);
	if (err != ERR_OK)
		return err;
	if (!request->meeting)
		return err_set(info, ERR_NO_MEETING, "The request has not been accepted.");
	json = handler_meeting_json(service, &call, request);
	http_reply_json(exchange, 200, json);
	json_object_put(json);
	return ERR_OK;
}

enum err handler_meeting_list(struct http_exchange *exchange, struct err_info *info)
{
	const struct service *service = &handler_context(exchange)->service;
	const struct service_call call = handler_call(exchange);
	struct json_object *page, *items;
	struct request *request;
	struct meeting ended;
	enum err err;
	size_t i;

	err = service_request_get(service, &call, exchange->params[0], STORE_WHOLE, &request, info);
	if (err != ERR_OK)
		return err;
	page = json_object_new_object();
	items = json_object_new_array();
	if (request->meeting)
		json_object_array_add(items, handler_meeting_json(service, &call, request));
	for (i = request->meetings.count; i-- > 0;) {
		ended = *MODEL_AT(&request->meetings, struct meeting, i);
		ended.warnings = meeting_warnings_for(call.arena, &ended, call.caller.role);
		json_object_array_add(items, model_to_json(&meeting_model, &ended, MODEL_SHOWN));
	}
	json_object_object_add(page, "items", items);
	json_object_object_add(page, "next_cursor", NULL);
	http_reply_json(exchange, 200, page);
	json_object_put(page);
	return ERR_OK;
}

/* Made for this click: nothing of the link is kept here or on the way. A HEAD is no click. */
enum err handler_meeting_host(struct http_exchange *exchange, struct err_info *info)
{
	const struct service_call call = handler_call(exchange);
	const bool entering = exchange->method == HTTP_GET;
	const char *url;
	enum err err;

	err = service_meeting_host(&handler_context(exchange)->service, &call, exchange->params[0],
		entering, &url, info);
	if (err != ERR_OK)
		return err;
	http_reply(exchange, 302, "text/plain", "", 0);
	if (entering)
		http_set_header(exchange, "Location", "%s", url);
	http_set_header(exchange, "Cache-Control", "no-store");
	http_set_header(exchange, "Referrer-Policy", "no-referrer");
	return ERR_OK;
}
