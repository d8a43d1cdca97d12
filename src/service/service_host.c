/* The link that makes the lawyer the host. */
#include "provision.h"
#include "service_private.h"

enum {
	SERVICE_HOST_MS = 10 * 1000,
	SERVICE_HOST_REFUSED_S = 60, /* as long as the breaker stays open */
};

/* A change that goes with a click on the host link; false: there is nothing to save. */
typedef bool service_host_rule(struct cause *cause, struct request *request);

struct service_host_work {
	const struct service_call *call;
	const struct config *config;
	service_host_rule *rule;
};

static enum err service_host_decide(void *data, struct arena *arena, struct request *request,
	bool *changed_r, struct err_info *info)
{
	const struct service_host_work *work = data;
	struct cause cause;

	(void)info;
	service_cause_init(work->call, arena, SOURCE_API, work->config, &cause);
	*changed_r = work->rule(&cause, request);
	return ERR_OK;
}

static enum err service_host_save(const struct service *service, const struct service_call *call,
	const struct config *config, const char *id, service_host_rule *rule,
	enum store_depth depth, struct err_info *info)
{
	struct service_host_work work = {.call = call, .config = config, .rule = rule};
	struct store_change change = service_change(service, id);

	change.depth = depth;
	change.rule = service_host_decide;
	change.data = &work;
	return store_request_change(&change, call->arena, NULL, info);
}

/* That the host link was fetched, not which one. */
static bool service_host_used(struct cause *cause, struct request *request)
{
	return gate_use(cause, request, LINK_HOST);
}

static enum err service_fetch_host_url(const struct service *service,
	const struct service_call *call, const struct config *config, const struct request *request,
	bool entering, const char **url_r, struct err_info *info)
{
	const struct provider *provider = provider_find(request->meeting->provider);
	const struct provider_plan plan = provider_plan(request);
	struct provider_call provider_call;
	enum err err;

	if (!provider || !provider->host_url)
		return err_set(info, ERR_NO_HOST_LINK,
			"%s has no host link: join with the lawyer's own link.",
			provider ? provider->title : request->meeting->provider);
	err = provider_usable(service->conf, config, provider, info);
	if (err != ERR_OK || !entering)
		return err;
	err = service_provider_call(
		service, call, config, provider, SERVICE_HOST_MS, &provider_call, info);
	if (err != ERR_OK)
		return err;
	err = provider_host_url(&provider_call, &plan, url_r, info);
	service_provider_done(service, &provider_call);
	return err;
}

/* What a lawyer who waits can do about it: try again, or enter by the own link. What only an
 * administrator can mend is said in the provider's health. */
static enum err service_host_failed(const struct service *service, const struct service_call *call,
	const struct config *config, const struct request *request, enum err err,
	struct err_info *info)
{
	switch (err) {
	case ERR_GONE:
		err = service_host_save(
			service, call, config, request->id, provision_lost, STORE_WHOLE, info);
		if (err != ERR_OK)
			return err;
		return call->now < request->meeting->ends_at
			       ? err_set(info, ERR_STILL_PENDING,
					 "The provider has lost the meeting: it is being made "
					 "anew.")
			       : err_set(info, ERR_MEETING_OVER, "The provider has ended it.");
	case ERR_CREDENTIAL:
	case ERR_PERMANENT:
		info->retry_after_s = SERVICE_HOST_REFUSED_S;
		return info->err = ERR_UNAVAILABLE;
	default:
		return err;
	}
}

static enum err service_host_check(
	const struct service_call *call, const struct request *request, struct err_info *info)
{
	static const struct {
		enum err err;
		const char *words;
	} closed[] = {
		[GATE_OPEN] = {ERR_OK, NULL},
		[GATE_EARLY] = {ERR_OK, NULL},
		[GATE_PENDING] = {ERR_STILL_PENDING, "The meeting has no link yet."},
		[GATE_FAILED] = {ERR_STILL_PENDING, "The meeting has no link yet."},
		[GATE_OVER] = {ERR_MEETING_OVER, "The links of the meeting have expired."},
		[GATE_CANCELLED] = {ERR_MEETING_ENDED, "The meeting has been cancelled."},
		[GATE_REPLACED] = {ERR_MEETING_ENDED, "The meeting has been replaced."},
		[GATE_RENEWING] = {ERR_MEETING_ENDED, "The meeting has been replaced."},
	};
	enum gate gate;

	if (!request->meeting)
		return err_set(info, ERR_NO_MEETING, "The request has not been accepted.");
	gate = gate_state(request, request->meeting->generation, call->now);
	return closed[gate].err == ERR_OK
		       ? ERR_OK
		       : err_set(info, closed[gate].err, "%s", closed[gate].words);
}

enum err service_meeting_host(const struct service *service, const struct service_call *call,
	const char *id, bool entering, const char **url_r, struct err_info *info)
{
	struct request *request;
	const struct config *config;
	enum err err;

	err = service_request_get(service, call, id, STORE_END, &request, info);
	if (err == ERR_OK)
		err = service_host_check(call, request, info);
	if (err == ERR_OK)
		err = service_config_load(service, call, &config, info);
	if (err != ERR_OK)
		return err;
	err = service_fetch_host_url(service, call, config, request, entering, url_r, info);
	if (err != ERR_OK)
		return service_host_failed(service, call, config, request, err, info);
	return !entering ? ERR_OK
			 : service_host_save(
				   service, call, config, id, service_host_used, STORE_END, info);
}
