#include "store_change.h"

#include "clock.h"
#include "id.h"
#include "store_config.h"
#include "store_private.h"
#include "wake.h"

/* Who collides draws a pause from 0 to 10, 20, 40, … ms: eight tries fit into a second or so, and
 * nobody holds a thread for longer; but on a machine that is that slow, one collision is no crowd.
 */
enum {
	CHANGE_TRIES = 8,
	CHANGE_PATIENT_TRIES = 64, /* of who has something to store that was done already */
	CHANGE_PAUSE_MS = 10,
	CHANGE_MAX_DOUBLINGS = 5,
	CHANGE_FIRST_TRIES = 3,
	CHANGE_LONGEST_US = 1000 * 1000, /* no try begins later, but for those */
	CHANGE_AWAY_MS = 1000,
	CHANGE_RETRY_AFTER_S = 1,
};

static void change_free_arena(void *arena)
{
	struct arena *freed = arena;

	arena_free(&freed);
}

static int64_t change_pause_ms(int tried)
{
	const int doublings = tried <= CHANGE_MAX_DOUBLINGS ? tried - 1 : CHANGE_MAX_DOUBLINGS;

	return id_random_below((uint32_t)CHANGE_PAUSE_MS << doublings);
}

/* What is tried until nobody else is faster. */
typedef enum err change_attempt(void *data, struct arena *arena, struct err_info *info);

/* Each try has an arena of its own; that of the last becomes a part of the caller's. */
static enum err change_repeat(change_attempt *attempt, void *data, int tries, bool patient,
	int64_t until_us, struct arena *arena, struct err_info *info)
{
	const int64_t late_us = clock_monotonic_us() + CHANGE_LONGEST_US;
	struct err_info own;
	struct arena *tried;
	enum err err;
	int i;

	for (i = 1;; i++) {
		info = info ? info : &own;
		err_clear(info);
		tried = arena_new();
		err = attempt(data, tried, info);
		if (i == tries ||
			(!patient && i >= CHANGE_FIRST_TRIES && clock_monotonic_us() > late_us) ||
			(err != ERR_CONFLICT && !(patient && err_retryable(err))) ||
			(err != ERR_CONFLICT && until_us && clock_monotonic_us() > until_us))
			break;
		arena_free(&tried);
		clock_sleep_ms(err == ERR_CONFLICT ? change_pause_ms(i) : CHANGE_AWAY_MS);
	}
	arena_defer(arena, change_free_arena, tried);
	if (err != ERR_CONFLICT || tries == 1)
		return err;
	info->retry_after_s = CHANGE_RETRY_AFTER_S;
	return err_set(info, ERR_BUSY, "Others are changing it at this very moment.");
}

/* ---- a request ---- */

struct change_request {
	const struct store_change *change;
	struct request *loaded, *stored;
};

static int change_tries(const struct store_change *change)
{
	if (change->tries)
		return change->tries;
	return change->patient ? CHANGE_PATIENT_TRIES : CHANGE_TRIES;
}

static enum err change_decide(const struct store_change *change, struct arena *arena,
	struct request *request, struct err_info *info)
{
	bool changed = true;
	enum err err = change->rule(change->data, arena, request, &changed, info);

	if (err != ERR_OK || !changed)
		return err;
	if (change->depth == STORE_WHOLE)
		err = store_announce(change->store, arena, change->config, request, info);
	if (err != ERR_OK)
		return err;
	fault_pass(change->before_save);
	err = store_request_save(change->store, arena, request, info);
	if (err != ERR_OK)
		return err;
	fault_pass(change->after_save);
	if (request->due && request->due <= clock_now_ms())
		wake_signal(change->wake_fd);
	return ERR_OK;
}

static enum err change_try_request(void *data, struct arena *arena, struct err_info *info)
{
	struct change_request *work = data;
	const struct store_change *change = work->change;
	struct request *request = work->loaded;
	enum err err = ERR_OK;

	work->loaded = NULL;
	if (!request)
		err = store_request_load(
			change->store, arena, change->id, change->depth, &request, info);
	if (err != ERR_OK)
		return err;
	work->stored = request;
	return change_decide(change, arena, request, info);
}

enum err store_request_change(const struct store_change *change, struct arena *arena,
	struct request **request_r, struct err_info *info)
{
	struct change_request work = {.change = change, .loaded = change->loaded};
	const enum err err = change_repeat(change_try_request, &work, change_tries(change),
		change->patient, change->until_us, arena, info);

	if (err == ERR_OK && request_r)
		*request_r = work.stored;
	return err;
}

/* ---- the configuration ---- */

struct change_config {
	struct store *store;
	store_config_rule *rule;
	void *data;
	struct config *stored;
};

static enum err change_try_config(void *data, struct arena *arena, struct err_info *info)
{
	struct change_config *work = data;
	bool changed = false;
	enum err err;

	err = store_config_load_whole(work->store, arena, &work->stored, info);
	if (err == ERR_OK)
		err = work->rule(work->data, arena, work->stored, &changed, info);
	return err == ERR_OK && changed ? store_config_save(work->store, arena, work->stored, info)
					: err;
}

enum err store_config_change(struct store *store, struct arena *arena, store_config_rule *rule,
	void *data, struct config **config_r, struct err_info *info)
{
	struct change_config work = {.store = store, .rule = rule, .data = data};
	const enum err err =
		change_repeat(change_try_config, &work, CHANGE_TRIES, false, 0, arena, info);

	if (err == ERR_OK)
		*config_r = work.stored;
	return err;
}
