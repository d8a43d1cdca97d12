#include "dispatch_chore.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "backoff.h"
#include "clock.h"
#include "config.h"
#include "dispatch_periodic.h"
#include "fault.h"
#include "id.h"
#include "log.h"
#include "provider.h"
#include "store_chore.h"
#include "store_erase.h"
#include "xalloc.h"

/* What deleting one meeting may take. Well within the lease. */
enum { CHORE_TOTAL_MS = 45 * 1000, CHORE_ATTEMPT_MS = 15 * 1000, CHORE_POLL_S = 1 };

/* One that is being done. */
struct chore_work {
	const struct dispatch *dispatch;
	struct arena *arena;
	struct rest *rest;
	const struct chore *chore;
	const atomic_bool *stop; /* whether the process ends */
};

/* What was filed when the order was given, and stored only after the first pass, is met here. */
static enum err chore_erase(const struct chore_work *work, struct err_info *info)
{
	const struct chore *chore = work->chore;
	const struct store_erasure erasure = {
		.store = work->dispatch->store,
		.wake_fd = work->dispatch->wake_fd,
		.person_id = chore->person_id,
		.asked_at = chore->created_at,
		.only_filed_before = true,
		.stop = work->stop,
		.actor = chore_actor(chore),
		.source = SOURCE_DISPATCHER,
		.trace_id = chore->trace_id,
	};
	int64_t requests;

	if (!chore->person_id)
		return err_set(info, ERR_UNREADABLE, "It does not say whom.");
	return store_person_erase(&erasure, &requests, info);
}

static enum err chore_delete_test_meeting(const struct chore_work *work, struct err_info *info)
{
	const struct dispatch *dispatch = work->dispatch;
	const struct chore *chore = work->chore;
	const struct provider_target target = {
		.provider_key = chore->provider_key,
		.external_id = chore->external_id,
		.account = chore->account,
	};
	struct provider_call call = {
		.arena = work->arena,
		.conf = dispatch->conf,
		.rest = work->rest,
		.tokens = dispatch->tokens,
		.breakers = dispatch->breakers,
		.now = clock_now_ms(),
		.trace_id = chore->trace_id,
		.until_us = clock_monotonic_us() + CHORE_TOTAL_MS * 1000,
		.attempt_ms = CHORE_ATTEMPT_MS,
	};
	struct config config;
	enum err err;

	config_init(work->arena, &config);
	config.settings = chore->settings;
	config.credentials = chore->credentials;
	call.config = &config;
	call.provider = chore->provider ? provider_find(chore->provider) : NULL;
	if (!call.provider || !chore->provider_key)
		return err_set(info, ERR_UNREADABLE, "It does not say which.");
	err = provider_remove(&call, &target, info);
	return err == ERR_GONE ? ERR_OK : err;
}

/* How each kind is done; safe to repeat. */
static enum err (*const chore_performers[CHORE_KIND_COUNT])(
	const struct chore_work *work, struct err_info *info) = {
	[CHORE_ERASE] = chore_erase,
	[CHORE_TEST_MEETING] = chore_delete_test_meeting,
};

/* What cannot be written down is done again by whoever claims it next. */
static void chore_settle(
	const struct chore_work *work, struct chore *chore, enum err err, const char *detail)
{
	const char *kind = chore_kind_names[chore->kind];
	struct store *store = work->dispatch->store;
	struct err_info info = {0};
	enum err stored;

	if (err == ERR_OK)
		fault_pass(FAULT_CHORE_BEFORE_FORGET);
	else
		log_warning("chore %s: %s: %s", chore->id, kind, detail);
	if (err == ERR_OK) {
		stored = store_chore_remove(store, chore->id, &info);
	} else if (err == ERR_STILL_PENDING) {
		chore->due = clock_now_ms();
		stored = store_chore_save(store, work->arena, chore, &info);
	} else if (chore_put_off(chore, clock_now_ms(), id_random_below(BACKOFF_SPREAD + 1))) {
		stored = store_chore_save(store, work->arena, chore, &info);
	} else {
		log_error("chore %s: %s is given up: %s", chore->id, kind, detail);
		stored = store_chore_remove(store, chore->id, &info);
	}
	if (stored != ERR_OK)
		log_warning("chore %s: %s cannot be settled: %s", chore->id, kind, info.detail);
	else if (err == ERR_OK)
		log_info("chore %s: %s done", chore->id, kind);
}

/* Whether there may be more. */
static bool chore_do_one(
	const struct dispatch *dispatch, struct rest *rest, const atomic_bool *stop)
{
	struct chore_work work = {
		.dispatch = dispatch, .arena = arena_new(), .rest = rest, .stop = stop};
	const int64_t now = clock_now_ms();
	struct err_info info = {0};
	struct chore *chore;
	enum err err;

	err = store_chore_claim(
		dispatch->store, work.arena, now, now + CHORE_LEASE_MS, &chore, &info);
	if (err == ERR_UNREADABLE)
		log_error("a chore is set aside for a while: %s", info.detail);
	if (err == ERR_OK) {
		work.chore = chore;
		err = chore_performers[chore->kind](&work, &info);
		chore_settle(&work, chore, err, info.detail);
		err = ERR_OK;
	}
	arena_free(&work.arena);
	return err == ERR_OK || err == ERR_CONFLICT || err == ERR_UNREADABLE;
}

/* ---- the thread ---- */

struct dispatch_chores {
	const struct dispatch *dispatch;
	struct rest *rest;
	struct dispatch_periodic *thread;
};

static bool chores_do_one(void *data, const atomic_bool *stopping)
{
	const struct dispatch_chores *chores = data;

	return chore_do_one(chores->dispatch, chores->rest, stopping);
}

struct dispatch_chores *dispatch_chores_start(const struct dispatch *dispatch)
{
	struct dispatch_chores *chores = xcalloc(1, sizeof(*chores));

	chores->dispatch = dispatch;
	chores->rest = rest_new();
	chores->thread = dispatch_periodic_start(chores_do_one, chores, CHORE_POLL_S);
	if (!chores->thread)
		dispatch_chores_stop(&chores);
	return chores;
}

void dispatch_chores_stop(struct dispatch_chores **chores)
{
	if (!*chores)
		return;
	dispatch_periodic_stop(&(*chores)->thread);
	rest_free(&(*chores)->rest);
	free(*chores);
	*chores = NULL;
}
