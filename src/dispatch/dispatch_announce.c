/* webhook: the events of a change are put down, one delivery for each subscriber. Safe to repeat:
 * the id of a delivery follows from event and subscriber. */
#include "announce.h"
#include "clock.h"
#include "delivery.h"
#include "dispatch_courier.h"
#include "dispatch_private.h"
#include "erase.h"
#include "store_delivery.h"

/* `put_r` gains the ids of what is stored by now: strings. */
static enum err announcement_put_down(const struct dispatch_work *work,
	const struct announced *event, struct model_list *put_r, struct err_info *info)
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
		*(const char **)model_list_add(work->arena, put_r, sizeof(const char *)) =
			delivery.id;
	}
	return ERR_OK;
}

static bool announcement_is_of_erased(
	const struct dispatch_work *work, const struct request *present)
{
	int party;

	for (party = PARTY_CLIENT; party < PARTY_COUNT; party++)
		if (erase_is_done(present->side[party].person) &&
			!erase_is_done(work->request->side[party].person))
			return true;
	return false;
}

/* An erasure forgets the deliveries that it finds, and what would become one. What was put down
 * behind it shows the person as we had loaded them, and is forgotten here; or, if that fails or we
 * die, by the second pass of the erasure, when our lease is over. */
static enum err announcement_take_back(
	const struct dispatch_work *work, const struct model_list *put, struct err_info *info)
{
	struct store *store = work->performer->dispatch->store;
	struct request *present;
	enum err err;

	err = store_request_load(
		store, work->arena, work->request->id, STORE_CURRENT, &present, info);
	if (err != ERR_OK || !announcement_is_of_erased(work, present))
		return err;
	MODEL_FOREACH (put, const char *, id) {
		if (err == ERR_OK)
			err = store_delivery_erase_one(store, *id, clock_now_ms(), info);
	}
	return err;
}

static enum err announcement_perform(
	const struct dispatch_work *work, struct dispatch_result *result_r, struct err_info *info)
{
	struct model_list put = {0};
	enum err err = ERR_OK;

	(void)result_r;
	MODEL_FOREACH (&work->effect->announcement->events, struct announced, event) {
		if (err == ERR_OK)
			err = announcement_put_down(work, event, &put, info);
	}
	if (err == ERR_OK)
		err = announcement_take_back(work, &put, info);
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
