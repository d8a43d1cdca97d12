#include "service_audit.h"

#include "erase.h"
#include "fault.h"
#include "log.h"
#include "service_private.h"
#include "wake.h"

enum { SERVICE_ERASE_TRIES = 64 };

enum err service_audit_list(const struct service *service, const struct service_call *call,
	struct store_audit_filter filter, struct model_list *list_r,
	struct store_audit_position *next_r, struct err_info *info)
{
	filter.now = call->now;
	return store_audit_list(service->store, call->arena, &filter, list_r, next_r, info);
}

static enum err service_erase_once(const struct service *service, const struct service_call *call,
	const char *id, const char *person_id, struct err_info *info)
{
	struct request *request;
	struct cause cause;
	enum err err;

	err = store_request_load(service->store, call->arena, id, STORE_WHOLE, &request, info);
	if (err != ERR_OK)
		return err;
	service_cause_init(call, SOURCE_API, &cause);
	if (!erase_person(&cause, request, person_id))
		return ERR_OK;
	fault_pass(FAULT_CHANGE_BEFORE_SAVE);
	err = store_request_replace(service->store, call->arena, request, info);
	if (err != ERR_OK)
		return err;
	fault_pass(FAULT_CHANGE_AFTER_SAVE);
	if (request->due && request->due <= call->now)
		wake_signal(service->wake_fd);
	return ERR_OK;
}

static enum err service_erase_in(const struct service *service, const struct service_call *call,
	const char *id, const char *person_id, struct err_info *info)
{
	struct service_call once = *call;
	enum err err = ERR_CONFLICT;
	int tries;

	for (tries = 0; err == ERR_CONFLICT && tries < SERVICE_ERASE_TRIES; tries++) {
		err_clear(info);
		once.arena = arena_new();
		err = service_erase_once(service, &once, id, person_id, info);
		arena_free(&once.arena);
		if (err == ERR_CONFLICT)
			service_pause();
	}
	return err;
}

enum err service_person_erase(const struct service *service, const struct service_call *call,
	const char *person_id, int64_t *requests_r, struct err_info *info)
{
	struct err_info unreadable = {0};
	struct model_list ids = {0};
	enum err err;

	err = store_request_of_person(service->store, call->arena, person_id, &ids, info);
	MODEL_FOREACH (&ids, const char *, id) {
		if (err != ERR_OK)
			break;
		err = service_erase_in(service, call, *id, person_id, info);
		if (err == ERR_UNREADABLE) {
			log_error("request %s: its people cannot be erased: %s", *id, info->detail);
			unreadable = *info;
		}
		if (err == ERR_UNREADABLE || err == ERR_NOT_FOUND)
			err = ERR_OK;
	}
	if (err == ERR_OK && unreadable.err != ERR_OK) {
		*info = unreadable;
		err = unreadable.err;
	}
	*requests_r = (int64_t)ids.count;
	return err;
}
