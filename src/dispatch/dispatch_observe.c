#include "dispatch_observe.h"

#include "clock.h"
#include "dispatch_periodic.h"
#include "instant.h"
#include "metrics.h"
#include "provider.h"
#include "store_config.h"
#include "store_outbox.h"

/* How often it may look, and how far it counts. */
enum { OBSERVE_POLL_S = 1, OBSERVE_EVERY_S = 2, OBSERVE_MOST = 1001 };

/* One look. */
struct observation {
	const struct dispatch *dispatch;
	struct arena *arena;
	int64_t now;
	enum err err; /* the first one */
};

static int64_t observe_count(struct observation *look, struct store_outbox_search search)
{
	int64_t count = 0;

	search.limit = OBSERVE_MOST;
	if (look->err == ERR_OK)
		look->err = store_outbox_count(
			look->dispatch->store, look->arena, &search, &count, NULL);
	return count;
}

/* How long the first has been due, or given up, in ms; -1: none is. */
static int64_t observe_age(struct observation *look, bool failed)
{
	const struct store_outbox_search search = {
		.failed = failed, .until = look->now, .limit = 1};
	struct model_list found = {0};
	struct store_outbox_seen seen = {0};

	if (look->err == ERR_OK)
		look->err = store_outbox_list(
			look->dispatch->store, look->arena, &search, &found, &seen, NULL);
	/* One that cannot be read is owed all the same. */
	return look->err == ERR_OK && seen.count ? look->now - seen.at : -1;
}

static void observe_owed(struct observation *look, bool failed)
{
	const int64_t age = observe_age(look, failed);
	int64_t count;
	int kind;

	for (kind = 0; kind < EFFECT_KIND_COUNT; kind++) {
		count = 0;
		if (!failed || age >= 0)
			count = observe_count(look, (struct store_outbox_search){.failed = failed,
							    .kind = effect_kind_names[kind]});
		if (look->err == ERR_OK)
			metrics_set(METRIC_OWED, count, (size_t)kind, failed);
	}
	if (look->err == ERR_OK)
		metrics_set(METRIC_OWED_AGE, age > 0 ? age / INSTANT_SECOND : 0, failed, 0);
}

static enum breaker_state observe_breaker(const struct observation *look, const char *key)
{
	struct breaker_health health;

	breaker_read(look->dispatch->breakers, key, look->now, &health);
	return health.state;
}

/* Whether it can be asked, and to change something. One that is not enabled is not asked. */
static enum breaker_state observe_provider(
	const struct observation *look, const struct provider_call *asked)
{
	enum breaker_state state;

	if (!config_enabled(asked->config, asked->provider->name))
		return BREAKER_CLOSED;
	state = observe_breaker(look, provider_credential_id(asked));
	return state == BREAKER_CLOSED ? observe_breaker(look, provider_changes_id(asked)) : state;
}

static void observe_breakers(struct observation *look)
{
	struct provider_call asked = {
		.arena = look->arena, .conf = look->dispatch->conf, .now = look->now};
	size_t i;

	look->err = store_config_current(look->dispatch->store, look->arena, &asked.config, NULL);
	for (i = 0; provider_table[i]; i++) {
		asked.provider = provider_table[i];
		if (asked.provider->local || look->err != ERR_OK)
			continue;
		metrics_set(METRIC_BREAKERS, observe_provider(look, &asked), i, 0);
	}
	metrics_set(METRIC_BREAKERS, observe_breaker(look, BREAKER_MAIL), i, 0);
}

static bool observe_work(void *data, const atomic_bool *stopping)
{
	const int64_t now = clock_now_ms(), second = now / INSTANT_SECOND;
	const int64_t before = metrics_get(METRIC_OBSERVED_AT);
	struct observation look = {.dispatch = data, .now = now};

	(void)stopping; /* it is soon done */
	if (metrics_get(METRIC_SCRAPED_AT) <= before || second < before + OBSERVE_EVERY_S)
		return false;
	look.arena = arena_new();
	observe_breakers(&look);
	observe_owed(&look, false);
	observe_owed(&look, true);
	if (look.err == ERR_OK)
		metrics_set(METRIC_OBSERVED_AT, second, 0, 0);
	arena_free(&look.arena);
	return false;
}

struct dispatch_periodic *dispatch_observe_start(const struct dispatch *dispatch)
{
	return dispatch_periodic_start(observe_work, (void *)dispatch, OBSERVE_POLL_S);
}
