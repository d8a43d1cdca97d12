/* What callers see of many requests. */
#include <string.h>

#include "effect.h"
#include "service_private.h"

/* One mail tries it all the time, and takes a minute at most. */
#define SERVICE_MAIL_TRIED (2 * INSTANT_MINUTE)

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

/* While the mail server was tried and did not answer, mails wait for it: nobody is stuck. */
static bool service_mail_is_away(const struct service *service, int64_t now)
{
	struct breaker_health health;

	breaker_read(service->breakers, BREAKER_MAIL, now, &health);
	return health.state != BREAKER_CLOSED && now - health.last_error_at < SERVICE_MAIL_TRIED;
}

static int64_t service_due_in(const struct store_due *found, const char *queue)
{
	MODEL_FOREACH (&found->owed, struct model_time, time) {
		if (queue && strcmp(time->name, queue) == 0)
			return time->at;
	}
	return found->due;
}

/* Raises the age to that of what has waited longest in a queue; NULL: in any. */
static enum err service_queue_age(const struct service *service, const struct service_call *call,
	const char *queue, int64_t *age_ms, struct err_info *info)
{
	const struct store_due_search search = {.queue = queue, .now = call->now, .limit = 1};
	struct model_list due = {0};
	enum err err;

	err = store_request_due(service->store, call->arena, &search, &due, info);
	MODEL_FOREACH (&due, struct store_due, first) {
		if (call->now - service_due_in(first, queue) > *age_ms)
			*age_ms = call->now - service_due_in(first, queue);
	}
	return err;
}

enum err service_backlog(const struct service *service, const struct service_call *call,
	int64_t *age_ms_r, struct err_info *info)
{
	const char *const *queue;
	enum err err;

	*age_ms_r = 0;
	if (!service_mail_is_away(service, call->now))
		return service_queue_age(service, call, NULL, age_ms_r, info);
	for (queue = service->queues, err = ERR_OK; err == ERR_OK && *queue; queue++)
		if (strcmp(*queue, effect_class_names[CLASS_MAIL]) != 0)
			err = service_queue_age(service, call, *queue, age_ms_r, info);
	return err;
}
