#include "service_webhook.h"

#include "service_private.h"
#include "wake.h"

enum { SERVICE_WEBHOOK_TRIES = 16 };

static enum err service_report_once(const struct service *service, const struct service_call *call,
	const char *provider, const struct report *report, struct err_info *info)
{
	struct request *request;
	struct cause cause;
	enum err err;

	err = store_request_by_external_id(
		service->store, call->arena, provider, report->external_id, &request, info);
	if (err != ERR_OK)
		return err == ERR_NOT_FOUND ? ERR_OK : err;
	service_cause_init(call, SOURCE_PROVIDER, &cause);
	cause.actor = (struct actor){.role = ROLE_SYSTEM};
	if (!report_apply(&cause, request, report))
		return ERR_OK;
	err = store_request_replace(service->store, call->arena, request, info);
	if (err == ERR_OK && request->due && request->due <= call->now)
		wake_signal(service->wake_fd);
	return err;
}

static enum err service_report(const struct service *service, const struct service_call *call,
	const char *provider, const struct report *report, struct err_info *info)
{
	enum err err = ERR_CONFLICT;
	int tries;

	if (report->kind == REPORT_OTHER)
		return ERR_OK;
	for (tries = 0; err == ERR_CONFLICT && tries < SERVICE_WEBHOOK_TRIES; tries++) {
		err_clear(info);
		err = service_report_once(service, call, provider, report, info);
	}
	/* A conflict would be for the sender to solve: this is to be sent again. */
	if (err == ERR_CONFLICT)
		err = err_set(info, ERR_OVERLOADED, "The request changes too often just now.");
	return err;
}

enum err service_webhook(const struct service *service, const struct service_call *call,
	const struct provider *provider, const struct provider_message *message,
	const char **reply_r, struct err_info *info)
{
	struct provider_call provider_call = {
		.arena = call->arena,
		.conf = service->conf,
		.provider = provider,
		.now = call->now,
	};
	struct provider_event event = {0};
	struct config *config;
	enum err err;

	err = service_config_load(service, call, &config, info);
	if (err != ERR_OK)
		return err;
	provider_call.config = config;
	err = provider->webhook(&provider_call, message, &event, info);
	if (err != ERR_OK)
		return err;
	*reply_r = event.reply;
	return service_report(service, call, provider->name, &event.report, info);
}
