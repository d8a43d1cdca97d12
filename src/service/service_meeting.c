/* The commands on the meeting of an accepted request. */
#include "service_private.h"

static enum err service_rule_cancel(const struct service *service, struct cause *cause,
	struct request *request, const void *input, const struct config *config, bool *changed_r,
	struct err_info *info)
{
	(void)service;
	(void)config;
	(void)changed_r;
	return request_cancel_meeting(cause, request, input, info);
}

enum err service_meeting_cancel(const struct service *service, const struct service_call *call,
	const char *id, const struct request_cancellation *cancellation,
	struct service_answer *answer_r, struct err_info *info)
{
	static const struct service_action cancel = {"meeting/cancel", service_rule_cancel};

	return service_change(service, call, id, &cancel, cancellation, answer_r, info);
}

static enum err service_rule_regenerate(const struct service *service, struct cause *cause,
	struct request *request, const void *input, const struct config *config, bool *changed_r,
	struct err_info *info)
{
	const struct meeting_regeneration *regeneration = input;
	const enum err err = request_regenerate(cause, request, regeneration, config->policy, info);

	(void)changed_r;
	if (err == ERR_OK && regeneration->provider)
		return service_check_provider(service, config, regeneration->provider, info);
	return err;
}

enum err service_meeting_regenerate(const struct service *service, const struct service_call *call,
	const char *id, const struct meeting_regeneration *regeneration,
	struct service_answer *answer_r, struct err_info *info)
{
	static const struct service_action regenerate = {
		"meeting/regenerate", service_rule_regenerate};

	return service_change(service, call, id, &regenerate, regeneration, answer_r, info);
}

static enum err service_rule_reschedule(const struct service *service, struct cause *cause,
	struct request *request, const void *input, const struct config *config, bool *changed_r,
	struct err_info *info)
{
	(void)service;
	return request_reschedule(cause, request, input, config->policy, changed_r, info);
}

enum err service_meeting_reschedule(const struct service *service, const struct service_call *call,
	const char *id, const struct meeting_rescheduling *rescheduling,
	struct service_answer *answer_r, struct err_info *info)
{
	static const struct service_action reschedule = {
		"meeting/reschedule", service_rule_reschedule};

	service_check_zone(rescheduling->timezone, "/timezone", info);
	if (info->err != ERR_OK)
		return info->err;
	return service_change(service, call, id, &reschedule, rescheduling, answer_r, info);
}

static enum err service_rule_retry(const struct service *service, struct cause *cause,
	struct request *request, const void *input, const struct config *config, bool *changed_r,
	struct err_info *info)
{
	(void)service;
	(void)input;
	return request_retry(cause, request, config->policy, changed_r, info);
}

enum err service_meeting_retry(const struct service *service, const struct service_call *call,
	const char *id, struct service_answer *answer_r, struct err_info *info)
{
	static const struct service_action retry = {"meeting/retry", service_rule_retry};

	return service_change(service, call, id, &retry, NULL, answer_r, info);
}

static enum err service_rule_outcome(const struct service *service, struct cause *cause,
	struct request *request, const void *input, const struct config *config, bool *changed_r,
	struct err_info *info)
{
	(void)service;
	(void)config;
	return request_note_outcome(cause, request, input, changed_r, info);
}

enum err service_meeting_outcome(const struct service *service, const struct service_call *call,
	const char *id, const struct meeting_verdict *verdict, struct service_answer *answer_r,
	struct err_info *info)
{
	static const struct service_action outcome = {"meeting/outcome", service_rule_outcome};

	return service_change(service, call, id, &outcome, verdict, answer_r, info);
}

enum { SERVICE_HOST_MS = 10 * 1000, SERVICE_HOST_TRIES = 16 };

static enum err service_fetch_host_url(const struct service *service,
	const struct service_call *call, const struct request *request, const char **url_r,
	struct err_info *info)
{
	const struct provider *provider = provider_find(request->meeting->provider);
	struct provider_call provider_call;
	struct config *config;
	enum err err;

	if (!provider || !provider->host_url)
		return err_set(info, ERR_NO_HOST_LINK,
			"%s has no host link: join with the lawyer's own link.",
			provider ? provider->title : request->meeting->provider);
	err = service_config_load(service, call, &config, info);
	if (err == ERR_OK)
		err = service_provider_call(
			service, call, config, provider, SERVICE_HOST_MS, &provider_call, info);
	if (err != ERR_OK)
		return err;
	err = provider_host_url(&provider_call, request, url_r, info);
	service_provider_done(service, &provider_call);
	return err;
}

/* That somebody became host is recorded, not by which link. */
static enum err service_record_host(
	const struct service *service, const struct service_call *call, const char *id)
{
	struct err_info info = {0};
	struct request *request;
	struct cause cause;
	enum err err;

	err = store_request_load(service->store, call->arena, id, STORE_WHOLE, &request, &info);
	if (err != ERR_OK)
		return err;
	service_cause_init(call, SOURCE_API, &cause);
	audit_add(&cause, request, "meeting.host_joined", NULL, NULL, NULL);
	return store_request_replace(service->store, call->arena, request, &info);
}

enum err service_meeting_host(const struct service *service, const struct service_call *call,
	const char *id, const char **url_r, struct err_info *info)
{
	struct request *request;
	enum gate gate;
	enum err err;
	int tries;

	err = service_request_get(service, call, id, STORE_WHOLE, &request, info);
	if (err != ERR_OK)
		return err;
	if (!request->meeting)
		return err_set(info, ERR_NO_MEETING, "The request has not been accepted.");
	gate = gate_state(request, request->meeting->generation, call->now);
	if (gate != GATE_OPEN && gate != GATE_EARLY)
		return err_set(info, gate == GATE_PENDING ? ERR_STILL_PENDING : ERR_MEETING_OVER,
			"The meeting is %s.", meeting_status_names[request->meeting->status]);
	err = service_fetch_host_url(service, call, request, url_r, info);
	if (err != ERR_OK)
		return err;
	for (tries = 0, err = ERR_CONFLICT; err == ERR_CONFLICT && tries < SERVICE_HOST_TRIES;
		tries++)
		err = service_record_host(service, call, id);
	return err;
}
