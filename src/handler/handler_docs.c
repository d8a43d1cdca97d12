/* The description of the API. It is made once, at start, and asks nobody. */
#include <string.h>

#include "handler_private.h"

enum err handler_openapi(struct http_exchange *exchange, struct err_info *info)
{
	const char *text = handler_context(exchange)->openapi;

	(void)info;
	http_reply(exchange, 200, "application/json", text, strlen(text));
	return ERR_OK;
}

enum err handler_docs(struct http_exchange *exchange, struct err_info *info)
{
	const char *text = handler_context(exchange)->docs;

	(void)info;
	http_reply(exchange, 200, "text/html; charset=utf-8", text, strlen(text));
	http_set_header(
		exchange, "Content-Security-Policy", "%s", handler_context(exchange)->docs_policy);
	return ERR_OK;
}
