/* Filing a request. */
#include <string.h>

#include "fault.h"
#include "id.h"
#include "service_private.h"

/*
 * The id of a new request follows from caller and key, so that a repeat finds the first one. Keys
 * are kept for 24 h, so the day is part of it and a repeat looks under yesterday's too; a trace id
 * never comes back.
 */
static const char *service_new_id(
	const struct service *service, const struct service_call *call, int64_t day)
{
	const char *text =
		arena_printf(call->arena, "%s/%lld", service_answer_key(call, "create", ""),
			call->idempotency_key ? (long long)day : -1);
	char *id = arena_alloc(call->arena, ID_SIZE);
	unsigned char mac[SECRET_MAC_BYTES];

	secret_mac_oldest(service->ring, SECRET_REQUEST, text, strlen(text), mac);
	id_encode(mac, id);
	return id;
}

/* ERR_NOT_FOUND when nothing was created under the id within the last 24 h. */
static enum err service_replay_create(const struct service *service,
	const struct service_call *call, const char *id, struct service_answer *answer_r,
	struct err_info *info)
{
	const struct request_answer *stored;
	struct request *request;
	enum err err;

	err = store_request_load(service->store, call->arena, id, STORE_WHOLE, &request, info);
	if (err != ERR_OK)
		return err;
	if (call->now - request->created_at >= REQUEST_ANSWER_KEPT)
		return ERR_NOT_FOUND;
	stored = request_answer_find(request, service_answer_key(call, "create", ""), call->now);
	if (stored)
		return service_replay(service, call, stored, request, answer_r, info);
	/* Later answers have pushed it out: the request stands all the same. */
	*answer_r = (struct service_answer){
		.status = call->status,
		.reply = call->render(service, call, request),
		.tag = call->tag(service, call, request),
		.request_id = request->id,
		.replayed = call->idempotency_key != NULL,
	};
	return ERR_OK;
}

static enum err service_create(const struct service *service, const struct service_call *call,
	struct request_draft *draft, const char *id, struct service_answer *answer_r,
	struct err_info *info)
{
	struct request request;
	struct cause cause;
	enum err err;

	service_cause_init(call, call->arena, SOURCE_API, NULL, &cause);
	err = request_open(&cause, draft, id, &request, info);
	if (err != ERR_OK)
		return err;
	service_answer(
		service, call, &cause, &request, service_answer_key(call, "create", ""), answer_r);
	fault_pass(FAULT_CREATE_BEFORE_SAVE);
	err = store_request_insert(service->store, call->arena, &request, info);
	if (err == ERR_OK)
		fault_pass(FAULT_CREATE_AFTER_SAVE);
	return err;
}

enum err service_request_create(const struct service *service, const struct service_call *call,
	struct request_draft *draft, struct service_answer *answer_r, struct err_info *info)
{
	const int64_t today = call->now / INSTANT_DAY;
	const char *id = service_new_id(service, call, today);
	struct err_info refused;
	enum err err;

	service_check_draft(call->arena, draft, info);
	if (info->err != ERR_OK)
		return info->err;
	if (call->idempotency_key) {
		err = service_replay_create(
			service, call, service_new_id(service, call, today - 1), answer_r, info);
		if (err != ERR_NOT_FOUND)
			return err;
		err_clear(info);
	}
	err = service_create(service, call, draft, id, answer_r, info);
	if (err != ERR_CONFLICT && err != ERR_INVALID)
		return err;
	/* What was created under this key stays so, even if it were refused now. */
	refused = *info;
	err_clear(info);
	if (service_replay_create(service, call, id, answer_r, info) != ERR_NOT_FOUND)
		return info->err;
	*info = refused;
	return err;
}
