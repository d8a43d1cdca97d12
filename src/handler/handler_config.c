/* The configuration of the installation. */
#include <string.h>

#include "handler_private.h"
#include "service_config.h"

enum { CONFIG_TAG_PART = 32 };

/* The first part of an entity tag that has two, with the quote before and the hyphen behind it. */
static const char *config_tag_part(struct arena *arena, const char *version)
{
	return arena_printf(
		arena, "%.*s-", 1 + CONFIG_TAG_PART, http_etag(arena, version, strlen(version)));
}

/* Of a version, or of a version and all that is shown, which changes by itself. */
static const char *config_tag(struct arena *arena, const struct service_config_answer *answer)
{
	const char *tag = http_etag(arena, answer->reply, strlen(answer->reply));

	return strcmp(answer->reply, answer->version) == 0
		       ? tag
		       : arena_printf(
				 arena, "%s%s", config_tag_part(arena, answer->version), tag + 1);
}

/* Whether If-Match has the version, or its part of a tag. */
static bool config_precondition(const struct service_call *call, const char *version)
{
	return http_etag_listed(
		       call->if_match, http_etag(call->arena, version, strlen(version)), false) ||
	       http_etag_part_listed(call->if_match, config_tag_part(call->arena, version));
}

static struct service_call config_call(const struct http_exchange *exchange)
{
	struct service_call call = handler_call(exchange);

	call.precondition = exchange->if_match ? config_precondition : NULL;
	return call;
}

/* Also the answer to a PUT: what holds now, with its entity tag. */
static enum err config_reply(
	struct http_exchange *exchange, enum err err, const struct service_config_answer *answer)
{
	if (err != ERR_OK)
		return err;
	http_reply(exchange, 200, "application/json", answer->reply, strlen(answer->reply));
	if (answer->version)
		http_set_header(exchange, "ETag", "%s", config_tag(exchange->arena, answer));
	return ERR_OK;
}

enum err handler_config_policy_get(struct http_exchange *exchange, struct err_info *info)
{
	const struct service_call call = config_call(exchange);
	struct service_config_answer answer;

	return config_reply(exchange,
		service_config_policy_get(
			&handler_context(exchange)->service, &call, &answer, info),
		&answer);
}

enum err handler_config_policy_put(struct http_exchange *exchange, struct err_info *info)
{
	const struct service_call call = config_call(exchange);
	struct service_config_answer answer;

	return config_reply(exchange,
		service_config_policy_put(
			&handler_context(exchange)->service, &call, exchange->json, &answer, info),
		&answer);
}

enum err handler_config_provider_list(struct http_exchange *exchange, struct err_info *info)
{
	const struct handler_audit_query *query = exchange->query;
	const struct service_call call = config_call(exchange);
	struct service_config_answer answer;

	return config_reply(exchange,
		service_config_provider_list(&handler_context(exchange)->service, &call,
			(size_t)(query->limit ? query->limit : HANDLER_LIMIT), query->cursor,
			&answer, info),
		&answer);
}

enum err handler_config_provider_get(struct http_exchange *exchange, struct err_info *info)
{
	const struct service_call call = config_call(exchange);
	struct service_config_answer answer;

	return config_reply(exchange,
		service_config_provider_get(&handler_context(exchange)->service, &call,
			exchange->params[0], &answer, info),
		&answer);
}

enum err handler_config_provider_put(struct http_exchange *exchange, struct err_info *info)
{
	const struct service_call call = config_call(exchange);
	struct service_config_answer answer;

	return config_reply(exchange,
		service_config_provider_put(&handler_context(exchange)->service, &call,
			exchange->params[0], exchange->json, &answer, info),
		&answer);
}

enum err handler_config_provider_delete(struct http_exchange *exchange, struct err_info *info)
{
	const struct service_call call = config_call(exchange);
	enum err err;

	err = service_config_provider_delete(
		&handler_context(exchange)->service, &call, exchange->params[0], info);
	if (err == ERR_OK)
		http_reply(exchange, 204, NULL, NULL, 0);
	return err;
}

enum err handler_config_provider_validate(struct http_exchange *exchange, struct err_info *info)
{
	const struct service_call call = config_call(exchange);
	struct service_config_answer answer;

	return config_reply(exchange,
		service_config_provider_validate(&handler_context(exchange)->service, &call,
			exchange->params[0], exchange->json, &answer, info),
		&answer);
}
