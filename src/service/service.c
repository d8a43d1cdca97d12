/* What the use cases share. */
#include "id.h"
#include "mail_address.h"
#include "service_private.h"

void service_cause_init(const struct service_call *call, struct arena *arena, enum source source,
	const struct config *config, struct cause *cause_r)
{
	char email[MAIL_EMAIL_SIZE];

	*cause_r = (struct cause){
		.arena = arena,
		.now = call->now,
		.actor = call->caller,
		.source = source,
		.config = config,
		.trace_id = call->trace_id,
	};
	/* A token vouches for an address only if that is one. */
	cause_r->actor.email = NULL;
	if (call->caller.email && mail_email_to_ascii(call->caller.email, email))
		cause_r->actor.email = arena_strdup(arena, email);
	id_seed(cause_r->seed, sizeof(cause_r->seed));
}

enum err service_no_request(struct err_info *info)
{
	return err_set(info, ERR_NOT_FOUND, "There is no such request, or it is not yours.");
}

enum err service_check_visible(
	const struct service_call *call, const struct request *request, struct err_info *info)
{
	return request_standing(request, &call->caller) == STANDING_NONE ? service_no_request(info)
									 : ERR_OK;
}

enum err service_request_get(const struct service *service, const struct service_call *call,
	const char *id, enum store_depth depth, struct request **request_r, struct err_info *info)
{
	enum err err = ERR_NOT_FOUND;

	if (id_valid(id))
		err = store_request_load(service->store, call->arena, id, depth, request_r, info);
	if (err == ERR_OK)
		return service_check_visible(call, *request_r, info);
	return err == ERR_NOT_FOUND ? service_no_request(info) : err;
}

struct store_change service_change(const struct service *service, const char *id)
{
	return (struct store_change){
		.store = service->store,
		.wake_fd = service->wake_fd,
		.id = id,
		.depth = STORE_WHOLE,
		.before_save = FAULT_CHANGE_BEFORE_SAVE,
		.after_save = FAULT_CHANGE_AFTER_SAVE,
	};
}
