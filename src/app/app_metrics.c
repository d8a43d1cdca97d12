/* What the values of THE METRICS' labels are called. */
#include <errno.h>
#include <string.h>

#include "app.h"
#include "buf.h"
#include "clock.h"
#include "effect.h"
#include "gate.h"
#include "ics_zone.h"
#include "metrics.h"
#include "provider.h"

const char *const app_role_names[] = {"worker", "dispatcher", NULL};

static const char *const metrics_statuses[] = {"none", "1xx", "2xx", "3xx", "4xx", "5xx"};
static const char *const metrics_owed_states[] = {"owed", "failed", NULL};
static const char *const metrics_builds[] = {APP_VERSION};

static void metrics_write_route(struct buf *out, size_t value)
{
	if (value == app_route_count)
		buf_add_text(out, "none");
	else
		buf_addf(out, "%s %s", http_method_name(app_routes[value].method),
			app_routes[value].pattern);
}

static void metrics_write_outcome(struct buf *out, size_t value)
{
	buf_add_text(out, err_code((enum err)value));
}

static void metrics_write_provider(struct buf *out, size_t value)
{
	buf_add_text(out, provider_table[value]->name);
}

/* What has a breaker: the providers, and behind them the mail server. */
static void metrics_write_target(struct buf *out, size_t value)
{
	buf_add_text(out, provider_table[value] ? provider_table[value]->name : BREAKER_MAIL);
}

static void metrics_write_tzdata(struct buf *out, size_t value)
{
	char version[ICS_ZONE_VERSION_SIZE];

	(void)value;
	ics_zone_version(version);
	buf_add_text(out, version);
}

static size_t metrics_count_names(const char *const *names)
{
	size_t count = 0;

	while (names[count])
		count++;
	return count;
}

static struct metrics_values metrics_named(const char *const *names)
{
	return (struct metrics_values){metrics_count_names(names), .names = names};
}

enum err app_metrics_open(const struct conf *conf, struct err_info *info)
{
	static struct metrics_values values[METRICS_LABEL_COUNT];
	size_t providers = 0;

	while (provider_table[providers])
		providers++;
	values[METRICS_ROUTE] =
		(struct metrics_values){app_route_count + 1, .write = metrics_write_route};
	values[METRICS_STATUS] = (struct metrics_values){
		sizeof(metrics_statuses) / sizeof(metrics_statuses[0]), .names = metrics_statuses};
	values[METRICS_COMMAND] = metrics_named(store_command_names);
	values[METRICS_OUTCOME] =
		(struct metrics_values){ERR_COUNT, .write = metrics_write_outcome};
	values[METRICS_EFFECT] = metrics_named(effect_kind_names);
	values[METRICS_OWED_STATE] = metrics_named(metrics_owed_states);
	values[METRICS_PROVIDER] =
		(struct metrics_values){providers, .write = metrics_write_provider};
	values[METRICS_OPERATION] = metrics_named(provider_operation_names);
	values[METRICS_TARGET] =
		(struct metrics_values){providers + 1, .write = metrics_write_target};
	values[METRICS_GATE] = metrics_named(gate_state_names);
	values[METRICS_ROLE] = metrics_named(app_role_names);
	values[METRICS_BUILD] = (struct metrics_values){1, .names = metrics_builds};
	values[METRICS_TZDATA] = (struct metrics_values){1, .write = metrics_write_tzdata};
	if (!metrics_open(values, (size_t)(conf->server_workers + conf->server_dispatchers)))
		return err_set(info, ERR_CONFIG, "No memory for metrics: %s.", strerror(errno));
	metrics_set(METRIC_STARTED_AT, clock_now_ms() / 1000, 0, 0);
	metrics_set(METRIC_BUILD, 1, 0, 0);
	metrics_set(METRIC_TZDATA, 1, 0, 0);
	return ERR_OK;
}
