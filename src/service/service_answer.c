/* Idempotency: the answers that are kept with a change, and given again to its repeat. */
#include <string.h>

#include "id.h"
#include "service_private.h"

const char *service_answer_key(
	const struct service_call *call, const char *action, const char *request_id)
{
	char *key = arena_alloc(call->arena, HASH_SIZE);

	hash_texts(key, action, request_id, role_names[call->caller.role],
		call->caller.id ? call->caller.id : "", call->idempotency_key ? "key" : "trace",
		call->idempotency_key ? call->idempotency_key : call->trace_id, NULL);
	return key;
}

/* Of an answer whose text is not kept any more, the status is as it was, the request as it is. */
enum err service_replay(const struct service *service, const struct service_call *call,
	const struct request_answer *stored, const struct request *request,
	struct service_answer *answer_r, struct err_info *info)
{
	char input[HASH_SIZE];

	hash_hex(call->body, call->body_len, input);
	if (strcmp(stored->input, input) != 0)
		return err_set(info, ERR_KEY_REUSED,
			"This Idempotency-Key came with another body before.");
	*answer_r = (struct service_answer){
		.status = (int)stored->status,
		.reply = stored->reply ? stored->reply : call->render(service, call, request),
		.tag = stored->reply ? stored->tag : call->tag(service, call, request),
		.request_id = request->id,
		.replayed = call->idempotency_key != NULL,
	};
	return ERR_OK;
}

void service_answer(const struct service *service, const struct service_call *call,
	struct cause *cause, struct request *request, const char *key,
	struct service_answer *answer_r)
{
	char *input = arena_alloc(call->arena, HASH_SIZE);

	hash_hex(call->body, call->body_len, input);
	*answer_r = (struct service_answer){.status = call->status, .request_id = request->id};
	answer_r->reply = call->render(service, call, request);
	answer_r->tag = call->tag(service, call, request);
	request_answer_keep(cause, request,
		&(struct request_answer){
			.key = key,
			.input = input,
			.status = call->status,
			.reply = answer_r->reply,
			.tag = answer_r->tag,
			.until = call->now + (call->idempotency_key ? REQUEST_ANSWER_KEPT
								    : REQUEST_ANSWER_KEPT_REPEAT),
		});
}
