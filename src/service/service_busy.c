/* When a lawyer has meetings. */
#include <string.h>

#include "service_private.h"
#include "store_feed.h"
#include "store_taken.h"

enum { BUSY_DAYS = 62, BUSY_MOST = 5000 };

enum err service_busy(const struct service *service, const struct service_call *call,
	const char *lawyer_id, const struct span *span, struct model_list *list_r,
	struct err_info *info)
{
	bool whole;
	enum err err;

	if (call->caller.role == ROLE_LAWYER && strcmp(call->caller.id, lawyer_id) != 0)
		return err_set(info, ERR_NOT_FOUND, "There is no such lawyer, or it is not you.");
	if (span->to <= span->from)
		return err_add_field(info, "/to", "must be later than from");
	if (span->to > span->from + BUSY_DAYS * INSTANT_DAY)
		return err_add_field(info, "/to", "must be at most %d days after from", BUSY_DAYS);
	err = store_taken_busy(
		service->store, call->arena, lawyer_id, span, BUSY_MOST, list_r, &whole, info);
	if (err == ERR_OK && !whole)
		return err_add_field(info, "/to",
			"there are more than %d meetings until then: "
			"ask for less time",
			BUSY_MOST);
	return err;
}

enum err service_busy_changed(const struct service *service, const struct service_call *call,
	const char *lawyer_id, int64_t *at_r, struct err_info *info)
{
	const struct feed lawyers = {.party = PARTY_LAWYER, .person_id = lawyer_id};
	struct model_list changes;
	const enum err err =
		store_feed_changes(service->store, call->arena, &lawyers, 0, &changes, info);

	*at_r = changes.count ? MODEL_AT(&changes, struct feed_change, 0)->at : 0;
	return err;
}
