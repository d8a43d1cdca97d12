/* What callers see of many requests. */
#include "service_private.h"

void service_filter_own(const struct service_call *call, struct store_filter *filter)
{
	if (call->caller.role == ROLE_CLIENT)
		filter->client_id = call->caller.id;
	if (call->caller.role == ROLE_LAWYER)
		filter->lawyer_id = call->caller.id;
}

enum err service_request_list(const struct service *service, const struct service_call *call,
	struct store_filter filter, struct model_list *list_r, struct store_position *next_r,
	struct err_info *info)
{
	service_filter_own(call, &filter);
	return store_request_list(service->store, call->arena, &filter, list_r, next_r, info);
}

enum err service_backlog(const struct service *service, const struct service_call *call,
	int64_t *age_ms_r, struct err_info *info)
{
	struct model_list due = {0};
	enum err err;

	err = store_request_due(service->store, call->arena, false, call->now, 1, &due, info);
	if (err == ERR_OK)
		*age_ms_r = due.count ? call->now - MODEL_AT(&due, struct store_due, 0)->due : 0;
	return err;
}
