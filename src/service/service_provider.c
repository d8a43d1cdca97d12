/* What the use cases need to ask a provider. */
#include "clock.h"
#include "service_private.h"
#include "store_config.h"

enum { SERVICE_ATTEMPT_MS = 10 * 1000 };

enum err service_config_load(const struct service *service, const struct service_call *call,
	const struct config **config_r, struct err_info *info)
{
	return store_config_current(service->store, call->arena, config_r, info);
}

enum err service_provider_call(const struct service *service, const struct service_call *call,
	const struct config *config, const struct provider *provider, int64_t budget_ms,
	struct provider_call *call_r, struct err_info *info)
{
	struct rest *rest = rest_pool_take(service->rests);

	if (!rest)
		return err_set(info, ERR_OVERLOADED, "Too many calls of providers at the moment.");
	*call_r = (struct provider_call){
		.arena = call->arena,
		.conf = service->conf,
		.config = config,
		.provider = provider,
		.rest = rest,
		.tokens = service->tokens,
		.breakers = service->breakers,
		.now = call->now,
		.trace_id = call->trace_id,
		.until_us = clock_monotonic_us() + budget_ms * 1000,
		.attempt_ms = SERVICE_ATTEMPT_MS,
	};
	return ERR_OK;
}

void service_provider_done(const struct service *service, struct provider_call *call)
{
	rest_pool_give(service->rests, call->rest);
	call->rest = NULL;
}
