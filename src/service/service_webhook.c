#include "service_webhook.h"

#include "service_private.h"

/* A report, and the call that brought it. */
struct service_report {
	const struct service_call *call;
	const struct config *config;
	const struct report *report;
};

static enum err service_note_report(void *data, struct arena *arena, struct request *request,
	bool *changed_r, struct err_info *info)
{
	const struct service_report *work = data;
	struct cause cause;

	(void)info;
	service_cause_init(work->call, arena, SOURCE_PROVIDER, work->config, &cause);
	cause.actor = (struct actor){.role = ROLE_SYSTEM};
	*changed_r = report_apply(&cause, request, work->report);
	return ERR_OK;
}

static enum err service_report(const struct service *service, const struct service_call *call,
	const struct config *config, const struct report *report, struct err_info *info)
{
	struct service_report work = {.call = call, .config = config, .report = report};
	struct store_change change = service_change(service, NULL);
	enum err err;

	if (report->kind == REPORT_OTHER)
		return ERR_OK;
	err = store_request_by_external_id(service->store, call->arena, report->provider,
		report->external_id, &change.loaded, info);
	if (err != ERR_OK)
		return err == ERR_NOT_FOUND ? ERR_OK : err;
	change.id = change.loaded->id;
	change.config = config;
	change.rule = service_note_report;
	change.data = &work;
	err = store_request_change(&change, call->arena, NULL, info);
	/* A sender comes again after a 5xx only. */
	return err == ERR_BUSY ? err_set(info, ERR_OVERLOADED, "It is being changed.") : err;
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
	const struct config *config;
	enum err err;

	err = service_config_load(service, call, &config, info);
	if (err != ERR_OK)
		return err;
	provider_call.config = config;
	err = provider->webhook(&provider_call, message, &event, info);
	if (err != ERR_OK)
		return err;
	*reply_r = event.reply;
	event.report.provider = provider->name;
	return service_report(service, call, config, &event.report, info);
}
