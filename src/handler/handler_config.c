/* The configuration of the installation. */
#include <string.h>

#include "handler_private.h"
#include "service_config.h"

/* Also the answer to a PUT: what holds now, with its entity tag. */
static enum err config_reply(
	struct http_exchange *exchange, enum err err, const struct service_config_answer *answer)
{
	if (err != ERR_OK)
		return err;
	http_reply(exchange, 200, "application/json", answer->reply, strlen(answer->reply));
	if (answer->etag)
		http_set_header(exchange, "ETag", "%s", answer->etag);
	return ERR_OK;
}

enum err handler_config_policy_get(struct http_exchange *exchange, struct err_info *info)
{
	const struct service_call call = handler_call(exchange);
	struct service_config_answer answer;

	return config_reply(exchange,
		service_config_policy_get(
			&handler_context(exchange)->service, &call, &answer, info),
		&answer);
}

enum err handler_config_policy_put(struct http_exchange *exchange, struct err_info *info)
{
	const struct service_call call = handler_call(exchange);
	struct service_config_answer answer;

	return config_reply(exchange,
		service_config_policy_put(
			&handler_context(exchange)->service, &call, exchange->json, &answer, info),
		&answer);
}

enum err handler_config_provider_list(struct http_exchange *exchange, struct err_info *info)
{
	const struct handler_audit_query *query = exchange->query;
	const struct service_call call = handler_call(exchange);
	struct service_config_answer answer;

	return config_reply(exchange,
		service_config_provider_list(&handler_context(exchange)->service, &call,
			(size_t)(query->limit ? query->limit : HANDLER_LIMIT), query->cursor,
			&answer, info),
		&answer);
}

enum err handler_config_provider_get(struct http_exchange *exchange, struct err_info *info)
{
	const struct service_call call = handler_call(exchange);
	struct service_config_answer answer;

	return config_reply(exchange,
		service_config_provider_get(&handler_context(exchange)->service, &call,
			exchange->params[0], &answer, info),
		&answer);
}

enum err handler_config_provider_put(struct http_exchange *exchange, struct err_info *info)
{
	const struct service_call call = handler_call(exchange);
	struct service_config_answer answer;

	return config_reply(exchange,
		service_config_provider_put(&handler_context(exchange)->service, &call,
			exchange->params[0], exchange->json, &answer, info),
		&answer);
}

enum err handler_config_provider_delete(struct http_exchange *exchange, struct err_info *info)
{
	const struct service_call call = handler_call(exchange);
	enum err err;

	err = service_config_provider_delete(
		&handler_context(exchange)->service, &call, exchange->params[0], info);
	if (err == ERR_OK)
		http_reply(exchange, 204, NULL, NULL, 0);
	return err;
}

enum err handler_config_provider_validate(struct http_exchange *exchange, struct err_info *info)
{
	const struct service_call call = handler_call(exchange);
	struct service_config_answer answer;

	return config_reply(exchange,
		service_config_provider_validate(&handler_context(exchange)->service, &call,
			exchange->params[0], exchange->json, &answer, info),
		&answer);
}
