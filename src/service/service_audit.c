#include "service_audit.h"

#include "erase.h"
#include "log.h"
#include "service_private.h"
#include "store_archive.h"

static int64_t service_least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

enum err service_trail_get(const struct service *service, const struct service_call *call,
	const char *id, struct service_trail *trail, struct err_info *info)
{
	struct request *request;
	int64_t archived, until, i;
	enum err err;

	err = service_request_get(service, call, id, STORE_WHOLE, &request, info);
	if (err != ERR_OK)
		return err;
	archived = request->before.count;
	trail->total = archived + (int64_t)request->events.count;
	until = service_least(trail->total, trail->from + trail->limit);
	err = store_archive_events(service->store, call->arena, request->id, trail->from,
		service_least(until, archived), &trail->events, info);
	for (i = trail->from > archived ? trail->from : archived; err == ERR_OK && i < until; i++)
		*(struct audit_event *)model_list_add(
			call->arena, &trail->events, sizeof(struct audit_event)) =
			*MODEL_AT(&request->events, struct audit_event, (size_t)(i - archived));
	return err;
}

enum err service_audit_list(const struct service *service, const struct service_call *call,
	struct store_audit_filter filter, struct model_list *list_r,
	struct store_audit_position *next_r, struct err_info *info)
{
	filter.now = call->now;
	return store_audit_list(service->store, call->arena, &filter, list_r, next_r, info);
}

struct service_erasure {
	const struct service_call *call;
	const char *person_id;
};

static enum err service_erase(void *data, struct arena *arena, struct request *request,
	bool *changed_r, struct err_info *info)
{
	const struct service_erasure *erasure = data;
	struct cause cause;

	(void)info;
	service_cause_init(erasure->call, arena, SOURCE_API, NULL, &cause);
	*changed_r = erase_person(&cause, request, erasure->person_id);
	return ERR_OK;
}

/* Each in an arena of its own: there may be many. */
static enum err service_erase_in(const struct service *service, const char *id,
	struct service_erasure *erasure, struct err_info *info)
{
	struct store_change change = service_change(service, id);
	struct arena *arena = arena_new();
	enum err err;

	change.rule = service_erase;
	change.data = erasure;
	err = store_request_change(&change, arena, NULL, info);
	arena_free(&arena);
	return err;
}

enum err service_person_erase(const struct service *service, const struct service_call *call,
	const char *person_id, int64_t *requests_r, struct err_info *info)
{
	struct err_info unreadable = {0};
	struct service_erasure erasure = {.call = call, .person_id = person_id};
	struct model_list ids = {0};
	enum err err;

	err = store_request_of_person(service->store, call->arena, person_id, &ids, info);
	MODEL_FOREACH (&ids, const char *, id) {
		if (err != ERR_OK)
			break;
		err = service_erase_in(service, *id, &erasure, info);
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
