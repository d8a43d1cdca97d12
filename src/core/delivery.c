#include "delivery.h"

#include "backoff.h"
#include "id.h"

enum { DELIVERY_FIRST_S = 5, DELIVERY_MAX_S = 60 * 60 };

const char *const delivery_state_names[] = {
	[DELIVERY_DUE] = "due",
	[DELIVERY_DELIVERED] = "delivered",
	[DELIVERY_FAILED] = "failed",
	NULL,
};

#define FIELD(type, member, flags, ...)                                                            \
	MODEL_FIELD(struct delivery, member, type, MODEL_STORED | (flags), __VA_ARGS__)

static const struct model_field delivery_fields[] = {
	FIELD(MODEL_STRING, id, MODEL_KEY | MODEL_SHOWN),
	FIELD(MODEL_INT, rev, MODEL_REQUIRED),
	FIELD(MODEL_STRING, webhook_id, MODEL_REQUIRED),
	FIELD(MODEL_STRING, request_id, MODEL_REQUIRED | MODEL_SHOWN),
	FIELD(MODEL_STRING, lane, MODEL_REQUIRED),
	FIELD(MODEL_INT, serial, MODEL_REQUIRED),
	FIELD(MODEL_STRING, event_id, MODEL_REQUIRED | MODEL_SHOWN),
	FIELD(MODEL_STRING, type, MODEL_REQUIRED | MODEL_SHOWN),
	FIELD(MODEL_ENUM, state, MODEL_REQUIRED | MODEL_SHOWN, .names = delivery_state_names),
	FIELD(MODEL_INSTANT, due, MODEL_SPARSE | MODEL_SHOWN),
	FIELD(MODEL_STRING, lease, MODEL_SPARSE),
	FIELD(MODEL_INT, attempts, MODEL_SHOWN),
	FIELD(MODEL_INSTANT, created_at, MODEL_REQUIRED | MODEL_SHOWN),
	FIELD(MODEL_INSTANT, give_up_at, MODEL_SHOWN),
	FIELD(MODEL_INSTANT, ended_at, MODEL_SPARSE | MODEL_SHOWN),
	FIELD(MODEL_INT, status, MODEL_SHOWN),
	FIELD(MODEL_OBJECT, last_error, MODEL_SPARSE | MODEL_SHOWN, .of = &failure_model),
	FIELD(MODEL_STRING, body, MODEL_SPARSE | MODEL_SEALED),
	FIELD(MODEL_STRING, asked, MODEL_SPARSE),
	FIELD(MODEL_INSTANT, purge_at, MODEL_REQUIRED),
};

const struct model delivery_model = MODEL(struct delivery, "delivery", delivery_fields);

struct delivery delivery_begun(struct arena *arena, const char *request_id, const char *webhook_id,
	const struct announced *event, const char *body, int64_t now)
{
	char *id = arena_alloc(arena, ID_SIZE);

	id_derive(id, NULL, 0, "delivery", event->id, webhook_id, NULL);
	return (struct delivery){
		.id = id,
		.rev = 1,
		.webhook_id = webhook_id,
		.request_id = request_id,
		.lane = request_id,
		.serial = event->serial,
		.event_id = event->id,
		.type = event->type,
		.state = DELIVERY_DUE,
		.due = now,
		.created_at = now,
		.give_up_at = now + DELIVERY_TRIED,
		.body = body,
		.purge_at = now + DELIVERY_KEPT,
	};
}

bool delivery_is_running(const struct delivery *delivery, int64_t now)
{
	return delivery->lease && delivery->due > now;
}

void delivery_claim(struct delivery *delivery, const char *lease, int64_t now)
{
	delivery->lease = lease;
	delivery->attempts++;
	delivery->due = now + DELIVERY_LEASE_MS;
}

static void delivery_end(struct delivery *delivery, enum delivery_state state, int64_t now)
{
	delivery->state = state;
	delivery->due = 0;
	delivery->ended_at = now;
}

void delivery_settled(struct arena *arena, struct delivery *delivery,
	const struct effect_outcome *outcome, int64_t status, int64_t now, int64_t random)
{
	delivery->lease = NULL;
	delivery->status = status;
	delivery->last_error = NULL;
	if (outcome->err == ERR_OK) {
		delivery_end(delivery, DELIVERY_DELIVERED, now);
		return;
	}
	delivery->last_error = arena_alloc(arena, sizeof(struct failure));
	*delivery->last_error = (struct failure){
		.code = err_code(outcome->err), .detail = outcome->detail, .at = now};
	delivery->due = now + backoff_delay_ms(delivery->attempts, DELIVERY_FIRST_S, DELIVERY_MAX_S,
				      outcome->retry_after_s, random);
	/* Once more when the time is over, however long it was asked to wait. */
	delivery->due = instant_earlier(delivery->due, delivery->give_up_at);
	if (outcome->err == ERR_PERMANENT || now >= delivery->give_up_at)
		delivery_end(delivery, DELIVERY_FAILED, now);
}

enum err delivery_again(
	struct delivery *delivery, const char *asked, int64_t now, struct err_info *info)
{
	if (delivery_is_running(delivery, now))
		return err_set(info, ERR_EFFECT_RUNNING, "It is being sent at this moment.");
	if (!delivery->body)
		return err_set(info, ERR_GONE, "What it said has been erased.");
	if (delivery->state != DELIVERY_DUE)
		delivery->lane = delivery->id;
	delivery->state = DELIVERY_DUE;
	delivery->asked = asked;
	delivery->lease = NULL;
	delivery->due = now;
	delivery->give_up_at = now + DELIVERY_TRIED;
	delivery->ended_at = 0;
	delivery->purge_at = now + DELIVERY_KEPT;
	return ERR_OK;
}
