/* What providers report of their own accord. */
#include <string.h>

#include "handler_private.h"
#include "http_media.h"
#include "service_webhook.h"

enum err handler_webhook(struct http_exchange *exchange, struct err_info *info)
{
	const struct provider *provider = provider_find(exchange->params[0]);
	const struct service_call call = handler_call(exchange);
	struct provider_message message = {
		.body = call.body,
		.body_len = call.body_len,
		.is_json = http_media_is_json(http_variable(exchange, "CONTENT_TYPE")) &&
			   !http_variable(exchange, "HTTP_CONTENT_ENCODING"),
	};
	const char *reply;
	enum err err;
	size_t i;

	if (!provider || !provider->webhook)
		return err_set(info, ERR_NOT_FOUND, "There is nothing at this address.");
	for (i = 0; i < PROVIDER_MAX_HEADERS && provider->webhook_headers[i]; i++)
		message.headers[i] = http_variable(exchange, provider->webhook_headers[i]);
	err = service_webhook(
		&handler_context(exchange)->service, &call, provider, &message, &reply, info);
	if (err == ERR_OK)
		http_reply(exchange, 200, "application/json", reply, strlen(reply));
	return err;
}
