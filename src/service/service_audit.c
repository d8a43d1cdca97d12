#include "service_audit.h"

#include "fault.h"
#include "service_private.h"
#include "store_archive.h"
#include "store_chore.h"
#include "store_erase.h"

static const struct model_field verdict_fields[] = {
	MODEL_FIELD(struct service_verdict, whole, MODEL_BOOL, MODEL_SHOWN | MODEL_REQUIRED),
	MODEL_FIELD(struct service_verdict, events, MODEL_INT, MODEL_SHOWN | MODEL_REQUIRED),
	MODEL_FIELD(struct service_verdict, reason, MODEL_STRING, MODEL_SHOWN),
};

const struct model service_verdict_model =
	MODEL(struct service_verdict, "audit_verdict", verdict_fields);

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

enum err service_trail_verify(const struct service *service, const struct service_call *call,
	const char *id, struct service_verdict *verdict_r, struct err_info *info)
{
	const struct audit_trail *trail;
	struct store_audit_page page;
	struct request *request;
	const char *flaw;
	long index;
	enum err err;

	/* Without its events: should they be unreadable, that is for the verdict to say. */
	err = service_request_get(service, call, id, STORE_CURRENT, &request, info);
	if (err == ERR_OK)
		err = store_audit_walk(
			service->store, call->arena, "requests", "", request->id, &page, info);
	if (err != ERR_OK)
		return err;
	if (!page.trails.count)
		return service_no_request(info);
	trail = MODEL_AT(&page.trails, struct audit_trail, 0);
	flaw = audit_flaw(trail, &index);
	*verdict_r = (struct service_verdict){
		.whole = !flaw,
		.events = (int64_t)trail->events.count,
		.reason = flaw,
	};
	/* Behind the last event it is the end that is wrong. */
	if (flaw && index < (long)trail->events.count)
		verdict_r->reason = arena_printf(call->arena, "event %ld: %s", index, flaw);
	return ERR_OK;
}

enum err service_audit_list(const struct service *service, const struct service_call *call,
	struct store_audit_filter filter, struct model_list *list_r,
	struct store_audit_position *next_r, struct err_info *info)
{
	filter.now = call->now;
	return store_audit_list(service->store, call->arena, &filter, list_r, next_r, info);
}

enum err service_person_erase(const struct service *service, const struct service_call *call,
	const char *person_id, int64_t *requests_r, struct err_info *info)
{
	const struct store_erasure erasure = {
		.store = service->store,
		.wake_fd = service->wake_fd,
		.person_id = person_id,
		.asked_at = call->now,
		.actor = call->caller,
		.source = SOURCE_API,
		.trace_id = call->trace_id,
	};
	struct cause cause;
	struct chore chore;
	enum err err;

	service_cause_init(call, call->arena, SOURCE_API, NULL, &cause);
	chore = chore_begun(&cause, CHORE_ERASE);
	chore.person_id = person_id;
	err = store_chore_insert(service->store, call->arena, &chore, info);
	if (err != ERR_OK)
		return err;
	fault_pass(FAULT_CHORE_AFTER_SAVE);
	/* The chore stays: a dispatcher looks once more, for what was being filed meanwhile. */
	return store_person_erase(&erasure, requests_r, info);
}
