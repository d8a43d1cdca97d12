/* meeting.overlaps: the second look at a lawyer's other meetings (core/overlap.h). */
#include <string.h>

#include "dispatch_private.h"
#include "log.h"
#include "store_change.h"
#include "store_taken.h"

enum { OVERLAPS_PAUSE_MS = 10 * 1000 };

/* Another request is told to look, too. */
struct overlaps_poke {
	const char *by; /* says that it overlaps it; NULL: it does not any more */
};

static enum err overlaps_poke_rule(void *data, struct arena *arena, struct request *request,
	bool *changed_r, struct err_info *info)
{
	const struct overlaps_poke *poke = data;
	struct cause cause;

	(void)info;
	dispatch_cause_init(arena, NULL, &cause);
	*changed_r = request->meeting != NULL;
	if (*changed_r)
		overlap_owe(&cause, request, poke->by, cause.now);
	return ERR_OK;
}

/* One that is gone, or cannot be read, looks at nothing. */
static enum err overlaps_poke(const struct dispatch *dispatch, struct arena *arena, const char *id,
	const char *by, struct err_info *info)
{
	struct overlaps_poke poke = {by};
	const struct store_change change = {
		.store = dispatch->store,
		.wake_fd = dispatch->wake_fd,
		.id = id,
		.depth = STORE_WHOLE,
		.rule = overlaps_poke_rule,
		.data = &poke,
		.before_save = FAULT_CHANGE_BEFORE_SAVE,
		.after_save = FAULT_CHANGE_AFTER_SAVE,
	};
	const enum err err = store_request_change(&change, arena, NULL, info);

	return err == ERR_NOT_FOUND || err == ERR_UNREADABLE ? ERR_OK : err;
}

static bool overlaps_lists(const struct model_list *found, const char *id)
{
	MODEL_FOREACH (found, struct taken, other) {
		if (strcmp(other->id, id) == 0)
			return true;
	}
	return false;
}

/* Before this one says so itself: who is said to overlap another knows. */
static enum err overlaps_poke_all(const struct dispatch *dispatch, struct arena *arena,
	const struct request *request, const struct model_list *found, struct err_info *info)
{
	enum err err = ERR_OK;

	MODEL_FOREACH (found, struct taken, other) {
		if (err == ERR_OK && !overlap_lists(&other->overlaps, request->id))
			err = overlaps_poke(dispatch, arena, other->id, request->id, info);
	}
	MODEL_FOREACH (&request->overlaps, const char *, id) {
		if (err == ERR_OK && !overlaps_lists(found, *id))
			err = overlaps_poke(dispatch, arena, *id, NULL, info);
	}
	return err;
}

static enum err overlaps_look(const struct dispatch *dispatch, struct arena *arena,
	const struct request *request, struct model_list *found_r, struct err_info *info)
{
	const struct span span = overlap_span(request);
	struct model_list others = {0};
	enum err err = ERR_OK;

	if (span.from < span.to)
		err = store_taken_list(dispatch->store, arena,
			request->side[PARTY_LAWYER].person->id, &span, OVERLAP_MOST, &others, info);
	*found_r = overlap_find(arena, request, &others);
	return err == ERR_OK ? overlaps_poke_all(dispatch, arena, request, found_r, info) : err;
}

static void overlaps_at_claim(const struct dispatch *dispatch, struct cause *cause,
	struct request *request, struct effect *effect)
{
	struct model_list found;
	struct err_info info = {0};

	if (overlaps_look(dispatch, cause->arena, request, &found, &info) == ERR_OK) {
		overlap_note(cause, request, &found);
		return;
	}
	log_warning("request %s: other meetings were not looked at: %s", request->id, info.detail);
	effect->due = cause->now + OVERLAPS_PAUSE_MS;
}

const struct dispatch_effect dispatch_overlaps = {
	.config = CONFIG_UNUSED, .at_claim = overlaps_at_claim};
