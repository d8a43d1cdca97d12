/* meeting.overlaps: the second look at a lawyer's other meetings (core/overlap.h). */
#include <string.h>

#include "clock.h"
#include "dispatch_private.h"
#include "id.h"
#include "store_change.h"
#include "store_taken.h"

/* Another request is told to look, too. */
struct overlaps_poke {
	const char *by; /* says that it overlaps it; NULL: it does not any more */
};

static enum err overlaps_poke_rule(void *data, struct arena *arena, struct request *request,
	bool *changed_r, struct err_info *info)
{
	const struct overlaps_poke *poke = data;
	struct cause cause = {
		.arena = arena,
		.now = clock_now_ms(),
		.actor = {.role = ROLE_SYSTEM},
		.source = SOURCE_DISPATCHER,
	};

	(void)info;
	id_seed(cause.seed, sizeof(cause.seed));
	*changed_r = request->meeting != NULL;
	if (*changed_r)
		overlap_owe(&cause, request, poke->by);
	return ERR_OK;
}

/* One that is gone, or cannot be read, looks at nothing. */
static enum err overlaps_poke(const struct dispatch_work *work, const char *id, const char *by,
	struct err_info *info)
{
	const struct dispatch *dispatch = work->performer->dispatch;
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
	const enum err err = store_request_change(&change, work->arena, NULL, info);

	return err == ERR_NOT_FOUND || err == ERR_UNREADABLE ? ERR_OK : err;
}

static bool overlaps_found(const struct overlap_found *found, const char *id)
{
	MODEL_FOREACH (&found->now, struct taken, other) {
		if (strcmp(other->id, id) == 0)
			return true;
	}
	return false;
}

/* Before this one says so itself: who is said to overlap another knows. */
static enum err overlaps_poke_all(
	const struct dispatch_work *work, const struct overlap_found *found, struct err_info *info)
{
	const struct request *request = work->request;
	enum err err = ERR_OK;

	MODEL_FOREACH (&found->now, struct taken, other) {
		if (err == ERR_OK && !overlap_lists(&other->overlaps, request->id))
			err = overlaps_poke(work, other->id, request->id, info);
	}
	MODEL_FOREACH (&found->known, const char *, id) {
		if (err == ERR_OK && !overlaps_found(found, *id))
			err = overlaps_poke(work, *id, NULL, info);
	}
	return err;
}

static enum err overlaps_perform(
	const struct dispatch_work *work, struct dispatch_result *result_r, struct err_info *info)
{
	const struct request *request = work->request;
	const struct span span = overlap_span(request);
	struct model_list others = {0};
	enum err err = ERR_OK;

	if (span.from < span.to)
		err = store_taken_list(work->performer->dispatch->store, work->arena,
			request->side[PARTY_LAWYER].person->id, &span, OVERLAP_MOST, &others, info);
	if (err != ERR_OK)
		return err;
	result_r->overlaps = overlap_find(work->arena, request, &others);
	return overlaps_poke_all(work, &result_r->overlaps, info);
}

static void overlaps_settle(struct cause *cause, struct request *request, struct effect *effect,
	const struct effect_outcome *outcome, const struct dispatch_result *result)
{
	overlap_looked(cause, request, effect, outcome, &result->overlaps);
}

const struct dispatch_effect dispatch_overlaps = {
	.config = CONFIG_UNUSED, .perform = overlaps_perform, .settle = overlaps_settle};
