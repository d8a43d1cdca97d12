/* What providers report of their own accord. */
#include <string.h>

#include "handler_private.h"
#include "http_media.h"
#include "service_webhook.h"

enum err handler_webhook_zoom(struct http_exchange *exchange, struct err_info *info)
{
	const struct service_call call = handler_call(exchange);
	const struct provider_zoom_message message = {
		.signature = http_variable(exchange, "HTTP_X_ZM_SIGNATURE"),
		.timestamp = http_variable(exchange, "HTTP_X_ZM_REQUEST_TIMESTAMP"),
		.body = call.body,
		.body_len = call.body_len,
	};
	const bool is_json = http_media_is_json(http_variable(exchange, "CONTENT_TYPE")) &&
			     !http_variable(exchange, "HTTP_CONTENT_ENCODING");
	const char *reply;
	enum err err;

	err = service_webhook_zoom(
		&handler_context(exchange)->service, &call, &message, is_json, &reply, info);
	if (err == ERR_OK)
		http_reply(exchange, 200, "application/json", reply, strlen(reply));
	return err;
}
