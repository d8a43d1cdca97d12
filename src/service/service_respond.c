/* The answers to a request: accept or decline, and cancel. */
#include "service_private.h"

static enum err service_rule_respond(const struct service *service, struct cause *cause,
	struct request *request, const void *input, const struct config *config, bool *changed_r,
	struct err_info *info)
{
	const struct request_response *response = input;
	const enum err err =
		request_respond(cause, request, response, config->policy, changed_r, info);

	if (err == ERR_OK && *changed_r && response->provider)
		return service_check_provider(service, config, response->provider, info);
	return err;
}

enum err service_request_respond(const struct service *service, const struct service_call *call,
	const char *id, const struct request_response *response, struct service_answer *answer_r,
	struct err_info *info)
{
	static const struct service_action respond = {"respond", service_rule_respond};

	service_check_zone(response->timezone, "/timezone", info);
	if (info->err != ERR_OK)
		return info->err;
	return service_change(service, call, id, &respond, response, answer_r, info);
}

static enum err service_rule_cancel(const struct service *service, struct cause *cause,
	struct request *request, const void *input, const struct config *config, bool *changed_r,
	struct err_info *info)
{
	(void)service;
	(void)config;
	(void)changed_r;
	return request_cancel(cause, request, input, info);
}

enum err service_request_cancel(const struct service *service, const struct service_call *call,
	const char *id, const struct request_cancellation *cancellation,
	struct service_answer *answer_r, struct err_info *info)
{
	static const struct service_action cancel = {"cancel", service_rule_cancel};

	return service_change(service, call, id, &cancel, cancellation, answer_r, info);
}
