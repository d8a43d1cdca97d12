#include "provider.h"

#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "id.h"
#include "log.h"
#include "metrics.h"
#include "provider_breaker.h"
#include "provider_http.h"
#include "utf8.h"

/* What a document should hold of one text of a provider. */
enum { PROVIDER_MAX_TEXT = 2048 };

/* As it will be called: with a name in place of `{tenant}`. */
static bool provider_endpoint_valid(const char *url)
{
	static const char tenant[] = "{tenant}";
	const char *place = strstr(url, tenant);
	char named[PROVIDER_MAX_TEXT];

	if (!place)
		return rest_url_valid(url, 0);
	return snprintf(named, sizeof(named), "%.*stenant%s", (int)(place - url), url,
		       place + strlen(tenant)) < (int)sizeof(named) &&
	       rest_url_valid(named, 0);
}

enum err provider_check_endpoints(const struct conf *conf, struct err_info *info)
{
	const struct provider *const *provider;
	const struct provider_endpoint *endpoint;
	const char *url;

	for (provider = provider_table; *provider; provider++)
		for (endpoint = (*provider)->endpoints; endpoint->name; endpoint++) {
			url = *(char *const *)((const char *)conf + endpoint->offset);
			if (!provider_endpoint_valid(url))
				return err_set(info, ERR_CONFIG,
					"%s must begin with https:// (http:// only for loopback), "
					"without credentials, query, fragment or a slash at its "
					"end.",
					endpoint->name);
		}
	return ERR_OK;
}

struct provider_plan provider_plan(const struct request *request)
{
	const struct meeting *meeting = request->meeting;

	return (struct provider_plan){
		.request_id = request->id,
		.provider_key = meeting->provider_key,
		.title = request->title,
		.starts_at = meeting->starts_at,
		.ends_at = meeting->ends_at,
		.timezone = meeting->timezone,
		.expires_at = meeting->expires_at,
		.security = meeting->security,
		.people = {request->side[PARTY_CLIENT].person, request->side[PARTY_LAWYER].person},
		.external_id = meeting->external_id,
		.account = meeting->account,
		.url = meeting->provider_url,
		.passcode = meeting->passcode,
		.warnings = meeting->warnings,
	};
}

const char *provider_text(const struct provider_call *call, const char *name)
{
	return config_text(call->config, call->provider->name, name);
}

bool provider_end(const struct config *config, const struct provider *provider, int64_t *end_r)
{
	const char *day = config_text(config, provider->name, PROVIDER_END);
	char text[INSTANT_TEXT_SIZE];
	const int len = day ? snprintf(text, sizeof(text), "%sT00:00:00Z", day) : 0;

	*end_r = 0;
	return !day || (len < (int)sizeof(text) && instant_parse(text, end_r));
}

enum err provider_complete(const struct conf *conf, const struct config *config,
	const struct provider *provider, struct err_info *info)
{
	if (provider->check(conf, config, NULL) != ERR_OK)
		return err_set(info, ERR_UNAVAILABLE,
			"%s: Its settings or credentials are not complete.", provider->title);
	return ERR_OK;
}

enum err provider_usable(const struct conf *conf, const struct config *config,
	const struct provider *provider, struct err_info *info)
{
	if (!config_enabled(config, provider->name))
		return err_set(info, ERR_UNAVAILABLE, "%s: It is not enabled.", provider->title);
	return provider_complete(conf, config, provider, info);
}

void provider_warn(
	struct arena *arena, struct meeting_link *link, const char *setting, const char *detail)
{
	struct warning *warning = model_list_add(arena, &link->warnings, sizeof(*warning));

	warning->code = "setting_not_granted";
	warning->detail = arena_printf(arena, "%s: %s", setting, detail);
}

const char *provider_told(struct arena *arena, const struct err_info *info)
{
	return info->reason[0]
		       ? arena_printf(arena, "%s It says: \"%s\"", info->detail, info->reason)
		       : arena_strdup(arena, info->detail);
}

/* Whether one before it in the list has words for the same setting. */
static bool provider_is_noted(
	const struct model_list *left_out, const struct provider_option *const *option)
{
	MODEL_FOREACH (left_out, const struct provider_option *, before) {
		if (before == option)
			return false;
		if ((*before)->words && strcmp((*before)->setting, (*option)->setting) == 0)
			return true;
	}
	return false;
}

/* Once for each setting, whatever its members are. */
static void provider_warn_left_out(const struct provider_call *call,
	const struct model_list *left_out, struct meeting_link *link)
{
	MODEL_FOREACH (left_out, const struct provider_option *, option) {
		if ((*option)->words && !provider_is_noted(left_out, option))
			provider_warn(call->arena, link, (*option)->setting, (*option)->words);
	}
}

const char *provider_credential_id(const struct provider_call *call)
{
	char *id = arena_alloc(call->arena, HASH_SIZE);
	const struct provider_field *field;
	const char *value;

	hash_texts(id, call->provider->name, NULL);
	for (field = call->provider->fields; field->name; field++) {
		value = provider_text(call, field->name);
		if (value && field->secret && !field->inbound)
			hash_texts(id, id, field->name, value, NULL);
	}
	return id;
}

const char *provider_changes_id(const struct provider_call *call)
{
	return arena_printf(call->arena, "%s/changes", provider_credential_id(call));
}

const char *const provider_operation_names[] = {
	[PROVIDER_CREATE] = "create",
	[PROVIDER_UPDATE] = "update",
	[PROVIDER_REMOVE] = "remove",
	[PROVIDER_READ] = "read",
	[PROVIDER_HOST_URL] = "host_url",
	NULL,
};

/* One call that the breaker guards. */
struct provider_guard {
	enum provider_operation operation;
	const char *key;     /* NULL: there is no breaker */
	const char *changes; /* that of what creates and changes; NULL: not concerned */
	int64_t began_us;
	struct err_info *info, own; /* the caller's, or else our own */
};

void provider_health(const struct provider_call *call, struct breaker_health *health_r)
{
	const char *key = provider_credential_id(call);
	struct breaker_health changes;

	breaker_read(call->breakers, key, call->now, health_r);
	if (health_r->state != BREAKER_CLOSED)
		return;
	breaker_read(call->breakers, provider_changes_id(call), call->now, &changes);
	if (changes.state == BREAKER_CLOSED)
		return;
	changes.last_ok_at = health_r->last_ok_at;
	*health_r = changes;
}

/*
 * A caller without time has asked nobody, and the breaker learns nothing from that. What creates
 * and changes meetings has limits of its own: when they are used up, meetings can still be read,
 * entered and deleted. So it has a breaker of its own, too, which opens however well those others
 * go.
 */
static enum err provider_enter(const struct provider_call *call, enum provider_operation operation,
	struct provider_guard *guard_r, struct err_info *info)
{
	const bool changes = operation == PROVIDER_CREATE || operation == PROVIDER_UPDATE;
	struct err_info why;
	enum err err = ERR_OK;

	guard_r->operation = operation;
	guard_r->key = guard_r->changes = NULL;
	guard_r->began_us = clock_monotonic_us();
	guard_r->info = info ? info : &guard_r->own;
	err_clear(guard_r->info);
	if (call->provider->local || !call->breakers)
		return ERR_OK;
	if (provider_time_left_ms(call) == 0)
		return err_set(guard_r->info, ERR_TEMPORARY,
			"%s: There was no time left to ask it.", call->provider->title);
	guard_r->key = provider_credential_id(call);
	guard_r->changes = changes ? provider_changes_id(call) : NULL;
	if (guard_r->changes)
		err = breaker_enter(call->breakers, guard_r->changes, call->now, &why);
	if (err == ERR_OK) {
		err = breaker_enter(call->breakers, guard_r->key, call->now, &why);
		if (err != ERR_OK && guard_r->changes)
			breaker_leave(
				call->breakers, guard_r->changes, call->now, ERR_INTERNAL, 0, "");
	}
	if (err != ERR_OK) {
		err_set(guard_r->info, err, "%s: %s", call->provider->title, why.detail);
		guard_r->info->retry_after_s = why.retry_after_s;
	}
	return err;
}

static enum err provider_leave(
	const struct provider_call *call, const struct provider_guard *guard, enum err err)
{
	const int64_t us = clock_monotonic_us() - guard->began_us, now = call->now + us / 1000;
	const int64_t retry_after_s = err == ERR_OK ? 0 : guard->info->retry_after_s;
	const char *detail = err == ERR_OK ? "" : provider_told(call->arena, guard->info);
	const size_t provider = provider_index(call->provider);

	if (!call->provider->local) {
		metrics_count(METRIC_PROVIDER_CALLS, provider, guard->operation, err);
		metrics_time(METRIC_PROVIDER_TIME, us, provider, guard->operation);
	}
	if (!guard->key)
		return err;
	if (guard->changes)
		breaker_leave(call->breakers, guard->changes, now, err, retry_after_s, detail);
	breaker_leave(call->breakers, guard->key, now, err,
		err == ERR_UNAVAILABLE ? 0 : retry_after_s, detail);
	return err;
}

static bool provider_text_sane(const char *text)
{
	return !text || (strlen(text) <= PROVIDER_MAX_TEXT && !utf8_has_control(text, false));
}

static bool provider_link_sane(const struct meeting_link *link)
{
	MODEL_FOREACH (&link->dial_in, const char *, number) {
		if (!provider_text_sane(*number))
			return false;
	}
	return (!link->url || rest_url_valid(link->url, REST_URL_LINK)) &&
	       provider_text_sane(link->external_id) && provider_text_sane(link->passcode);
}

/* What a provider says it made must be fit to be stored, shown and mailed. */
static enum err provider_unfit(const struct provider_call *call, const struct provider_plan *plan,
	enum err err, struct err_info *info)
{
	err_clear(info);
	log_error("provider %s: no usable link for request %s", call->provider->name,
		plan->request_id);
	return err_set(info, err, "%s: It gave no usable link.", call->provider->title);
}

enum err provider_create(const struct provider_call *call, const struct provider_plan *plan,
	bool repeated, struct meeting_link *link_r, struct err_info *info)
{
	struct model_list left_out = {0};
	struct provider_call asked = *call;
	struct provider_guard guard;
	enum err err = provider_enter(call, PROVIDER_CREATE, &guard, info);

	*link_r = (struct meeting_link){0};
	if (err != ERR_OK)
		return err;
	asked.left_out = &left_out;
	err = call->provider->create(&asked, plan, repeated, link_r, guard.info);
	provider_warn_left_out(call, &left_out, link_r);
	/* It may have made something all the same. */
	if (err == ERR_OK && (!link_r->url || !provider_link_sane(link_r)))
		err = provider_unfit(call, plan, ERR_OUTCOME_UNKNOWN, guard.info);
	if (err == ERR_OK && call->provider->account)
		link_r->account = call->provider->account(call);
	return provider_leave(call, &guard, err);
}

enum err provider_update(const struct provider_call *call, const struct provider_plan *plan,
	struct meeting_link *link_r, struct err_info *info)
{
	struct model_list left_out = {0};
	struct provider_call asked = *call;
	struct provider_guard guard;
	enum err err;

	*link_r = (struct meeting_link){0};
	if (!call->provider->update)
		return ERR_OK;
	err = provider_enter(call, PROVIDER_UPDATE, &guard, info);
	if (err != ERR_OK)
		return err;
	asked.left_out = &left_out;
	err = call->provider->update(&asked, plan, link_r, guard.info);
	provider_warn_left_out(call, &left_out, link_r);
	if (err == ERR_OK && !provider_link_sane(link_r))
		err = provider_unfit(call, plan, ERR_OUTCOME_UNKNOWN, guard.info);
	return provider_leave(call, &guard, err);
}

enum err provider_remove(const struct provider_call *call, const struct provider_target *target,
	struct err_info *info)
{
	struct provider_guard guard;
	enum err err;

	if (!call->provider->remove)
		return ERR_OK;
	err = provider_enter(call, PROVIDER_REMOVE, &guard, info);
	if (err != ERR_OK)
		return err;
	return provider_leave(call, &guard, call->provider->remove(call, target, guard.info));
}

enum err provider_read(const struct provider_call *call, const struct provider_plan *plan,
	struct provider_state *state_r, struct err_info *info)
{
	struct provider_guard guard;
	enum err err;

	if (!call->provider->read)
		return err_set(info, ERR_NOT_FOUND, "%s: It cannot be asked about a meeting.",
			call->provider->title);
	err = provider_enter(call, PROVIDER_READ, &guard, info);
	*state_r = (struct provider_state){0};
	if (err != ERR_OK)
		return err;
	return provider_leave(call, &guard, call->provider->read(call, plan, state_r, guard.info));
}

enum err provider_host_url(const struct provider_call *call, const struct provider_plan *plan,
	const char **url_r, struct err_info *info)
{
	struct provider_guard guard;
	enum err err;

	if (!call->provider->host_url)
		return err_set(
			info, ERR_NOT_FOUND, "%s: It has no host links.", call->provider->title);
	err = provider_enter(call, PROVIDER_HOST_URL, &guard, info);
	if (err != ERR_OK)
		return err;
	err = call->provider->host_url(call, plan, url_r, guard.info);
	if (err == ERR_OK && !rest_url_valid(*url_r, REST_URL_LINK))
		err = provider_unfit(call, plan, ERR_UNAVAILABLE, guard.info);
	return provider_leave(call, &guard, err);
}

enum err provider_personal_url(const struct provider_call *call, const struct provider_plan *plan,
	enum party party, const char **url_r, struct err_info *info)
{
	if (call->provider->personal_url)
		return call->provider->personal_url(call, plan, party, url_r, info);
	*url_r = plan->url;
	return ERR_OK;
}
