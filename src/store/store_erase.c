#include "store_erase.h"

#include "clock.h"
#include "erase.h"
#include "id.h"
#include "log.h"
#include "store_change.h"
#include "store_letter.h"

static enum err store_erase_rule(void *data, struct arena *arena, struct request *request,
	bool *changed_r, struct err_info *info)
{
	const struct store_erasure *erasure = data;
	struct cause cause = {
		.arena = arena,
		.now = clock_now_ms(),
		.actor = erasure->actor,
		.source = erasure->source,
		.trace_id = erasure->trace_id,
	};

	(void)info;
	id_seed(cause.seed, sizeof(cause.seed));
	*changed_r = !(erasure->only_filed_before && request->created_at > erasure->asked_at) &&
		     !erase_was_done(request, erasure->person_id, erasure->asked_at) &&
		     erase_person(&cause, request, erasure->person_id);
	return ERR_OK;
}

/* Each in an arena of its own: there may be many. */
static enum err store_erase_in(
	const struct store_erasure *erasure, const char *id, struct err_info *info)
{
	struct store_erasure given = *erasure;
	const struct store_change change = {
		.store = erasure->store,
		.wake_fd = erasure->wake_fd,
		.id = id,
		.depth = STORE_WHOLE,
		.rule = store_erase_rule,
		.data = &given,
		.before_save = FAULT_CHANGE_BEFORE_SAVE,
		.after_save = FAULT_CHANGE_AFTER_SAVE,
	};
	struct arena *arena = arena_new();
	enum err err = store_request_change(&change, arena, NULL, info);

	if (err == ERR_OK)
		err = store_letter_remove_of(erasure->store, id, info);
	arena_free(&arena);
	if (err == ERR_OK)
		fault_pass(FAULT_CHORE_AFTER_STEP);
	return err;
}

enum err store_person_erase(
	const struct store_erasure *erasure, int64_t *requests_r, struct err_info *info)
{
	struct arena *arena = arena_new();
	struct err_info left = {0};
	struct model_list ids = {0};
	enum err err;

	err = store_request_of_person(erasure->store, arena, erasure->person_id, &ids, info);
	MODEL_FOREACH (&ids, const char *, id) {
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
