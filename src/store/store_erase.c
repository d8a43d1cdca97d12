#include "store_erase.h"

#include "clock.h"
#include "erase.h"
#include "id.h"
#include "log.h"
#include "store_change.h"
#include "store_delivery.h"
#include "store_feed.h"
#include "store_letter.h"

/* One request, and whether the order is about it. */
struct store_erase_work {
	const struct store_erasure *erasure;
	bool meant;
};

static enum err store_erase_rule(void *data, struct arena *arena, struct request *request,
	bool *changed_r, struct err_info *info)
{
	struct store_erase_work *work = data;
	const struct store_erasure *erasure = work->erasure;
	struct cause cause = {
		.arena = arena,
		.now = clock_now_ms(),
		.actor = erasure->actor,
		.source = erasure->source,
		.trace_id = erasure->trace_id,
	};

	(void)info;
	id_seed(cause.seed, sizeof(cause.seed));
	work->meant = !(erasure->only_filed_before && request->created_at > erasure->asked_at);
	*changed_r = work->meant &&
		     !erase_was_done(request, erasure->person_id, erasure->asked_at) &&
		     erase_person(&cause, request, erasure->person_id);
	return ERR_OK;
}

/* Each in an arena of its own: there may be many. */
static enum err store_erase_in(
	const struct store_erasure *erasure, const char *id, struct err_info *info)
{
	struct store_erase_work work = {.erasure = erasure};
	const struct store_change change = {
		.store = erasure->store,
		.wake_fd = erasure->wake_fd,
		.id = id,
		.depth = STORE_WHOLE,
		.rule = store_erase_rule,
		.data = &work,
		.before_save = FAULT_CHANGE_BEFORE_SAVE,
		.after_save = FAULT_CHANGE_AFTER_SAVE,
	};
	struct arena *arena = arena_new();
	enum err err = store_request_change(&change, arena, NULL, info);

	arena_free(&arena);
	if (err == ERR_OK && work.meant)
		err = store_letter_remove_of(erasure->store, id, info);
	if (err == ERR_OK && work.meant)
		err = store_delivery_erase(erasure->store, id, clock_now_ms(), info);
	if (err == ERR_OK)
		fault_pass(FAULT_CHORE_AFTER_STEP);
	return err;
}

static enum err store_erase_feeds(const struct store_erasure *erasure, struct err_info *info)
{
	enum err err = ERR_OK;
	char id[ID_SIZE];
	int party;

	for (party = PARTY_CLIENT; err == ERR_OK && party < PARTY_COUNT; party++) {
		feed_id((enum party)party, erasure->person_id, id);
		err = store_feed_remove(erasure->store, id, info);
	}
	return err;
}

enum err store_person_erase(
	const struct store_erasure *erasure, int64_t *requests_r, struct err_info *info)
{
	struct arena *arena = arena_new();
	struct err_info left = {0};
	struct model_list ids = {0};
	enum err err;

	err = store_erase_feeds(erasure, info);
	if (err == ERR_OK)
		err = store_request_of_person(
			erasure->store, arena, erasure->person_id, &ids, info);
	MODEL_FOREACH (&ids, const char *, id) {
		if (err == ERR_OK && erasure->stop && atomic_load(erasure->stop))
			err = err_set(info, ERR_STILL_PENDING, "It is not done in all requests.");
		if (err != ERR_OK)
			break;
		err = store_erase_in(erasure, *id, info);
		if (err == ERR_UNREADABLE)
			log_error("request %s: its people cannot be erased: %s", *id, info->detail);
		if (err == ERR_UNREADABLE || err == ERR_BUSY)
			left = *info;
		if (err == ERR_UNREADABLE || err == ERR_BUSY || err == ERR_NOT_FOUND)
			err = ERR_OK;
	}
	if (err == ERR_OK && left.err != ERR_OK) {
		*info = left;
		err = left.err;
	}
	*requests_r = (int64_t)ids.count;
	arena_free(&arena);
	return err;
}
