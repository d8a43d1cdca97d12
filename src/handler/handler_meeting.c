/* The meeting of a request. */
#include "buf.h"
#include "handler_private.h"
#include "http_media.h"
#include "json_write.h"

enum err handler_meeting_get(struct http_exchange *exchange, struct err_info *info)
{
	const struct service *service = &handler_context(exchange)->service;
	const struct service_call call = handler_call(exchange);
	const struct request *request;
	struct buf *out;
	enum err err;

	err = handler_load(exchange, &call, HANDLER_MEETING, &request, info);
	if (!request)
		return err;
	out = http_reply_buf(exchange);
	handler_write_meeting(out, service, &call, request);
	return http_reply_json(exchange, 200, out, info);
}

enum err handler_meeting_list(struct http_exchange *exchange, struct err_info *info)
{
	const struct service *service = &handler_context(exchange)->service;
	const struct service_call call = handler_call(exchange);
	struct request *request;
	struct meeting ended;
	struct buf *out;
	enum err err;
	size_t i;

	err = service_request_get(
		service, &call, exchange->params[0], STORE_HISTORY, &request, info);
	if (err != ERR_OK)
		return err;
	out = http_reply_buf(exchange);
	handler_begin_page(out);
	if (request->meeting)
		handler_write_meeting(out, service, &call, request);
	for (i = request->meetings.count; i-- > 0;) {
		ended = *MODEL_AT(&request->meetings, struct meeting, i);
		ended.warnings = meeting_warnings_for(call.arena, &ended, call.caller.role);
		model_write(&meeting_model, &ended, MODEL_SHOWN, out);
	}
	handler_end_page(out, NULL);
	return http_reply_json(exchange, 200, out, info);
}

/* A page's script is not shown where a redirect leads: who wants JSON alone is told. */
static enum err host_reply_json(
	struct http_exchange *exchange, const char *url, struct err_info *info)
{
	struct buf *out = http_reply_buf(exchange);

	json_write_open(out, '{');
	json_write_member(out, "url", url);
	json_write_close(out, '}');
	return http_reply_json(exchange, 200, out, info);
}

/* Made for this click: nothing of the link is kept here or on the way. A HEAD is no click. */
enum err handler_meeting_host(struct http_exchange *exchange, struct err_info *info)
{
	const struct service_call call = handler_call(exchange);
	const char *accept = http_variable(exchange, "HTTP_ACCEPT");
	const bool entering = exchange->method == HTTP_GET;
	const char *url;
	enum err err;

	err = service_meeting_host(&handler_context(exchange)->service, &call, exchange->params[0],
		entering, &url, info);
	if (err != ERR_OK)
		return err;
	http_set_header(exchange, "Cache-Control", "no-store");
	http_set_header(exchange, "Referrer-Policy", "no-referrer");
	if (entering && !http_media_accepted(accept, "text/html") &&
		http_media_accepted(accept, "application/json"))
		return host_reply_json(exchange, url, info);
	http_reply(exchange, 302, "text/plain", "", 0);
	if (entering)
		http_set_header(exchange, "Location", "%s", url);
	return ERR_OK;
}
