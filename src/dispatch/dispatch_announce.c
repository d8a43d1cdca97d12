/* webhook: the events of a change are put down, one delivery for each subscriber. Safe to repeat:
 * the id of a delivery follows from event and subscriber. */
#include "announce.h"
#include "clock.h"
#include "delivery.h"
#include "dispatch_courier.h"
#include "dispatch_private.h"
#include "store_delivery.h"

static enum err announcement_put_down(
	const struct dispatch_work *work, const struct announced *event, struct err_info *info)
{
	const char *body = announce_body(work->arena, work->effect->announcement, event);
	struct delivery delivery;
	enum err err = ERR_OK;

	MODEL_FOREACH (&event->to, const char *, webhook_id) {
		delivery = delivery_begun(
			work->arena, work->request->id, *webhook_id, event, body, clock_now_ms());
		err = store_delivery_insert(
			work->performer->dispatch->store, work->arena, &delivery, info);
		if (err != ERR_OK && err != ERR_CONFLICT)
			return err;
	}
	return ERR_OK;
}

static enum err announcement_perform(
	const struct dispatch_work *work, struct dispatch_result *result_r, struct err_info *info)
{
	enum err err = ERR_OK;

	(void)result_r;
	MODEL_FOREACH (&work->effect->announcement->events, struct announced, event) {
		if (err == ERR_OK)
			err = announcement_put_down(work, event, info);
	}
	if (work->performer->dispatch->couriers)
		dispatch_couriers_wake(work->performer->dispatch->couriers);
	return err;
}

static void announcement_settle(struct cause *cause, struct request *request, struct effect *effect,
	const struct effect_outcome *outcome, const struct dispatch_result *result)
{
	(void)result;
	announce_settled(cause, request, effect, outcome);
}

const struct dispatch_effect dispatch_announcement = {
	.config = CONFIG_UNUSED, .perform = announcement_perform, .settle = announcement_settle};
