/* The providers' settings and credentials, as an administrator sees them. */
#include <json-c/json.h>
#include <string.h>

#include "instant.h"
#include "provider_breaker.h"
#include "service_config_private.h"

enum err service_config_provider_find(
	const char *name, const struct provider **provider_r, struct err_info *info)
{
	*provider_r = provider_find(name);
	return *provider_r ? ERR_OK
			   : err_set(info, ERR_NOT_FOUND, "There is no provider of this name.");
}

static void json_add_instant(struct json_object *json, const char *name, int64_t at)
{
	char text[INSTANT_TEXT_SIZE];

	instant_format(at, false, text);
	json_object_object_add(json, name, at ? json_object_new_string(text) : NULL);
}

static const char *provider_state_word(const struct service *service, const struct config *config,
	const struct provider *provider, const struct breaker_health *health)
{
	if (!config_enabled(config, provider->name))
		return "disabled";
	if (provider->check(service->conf, config, NULL) != ERR_OK)
		return "incomplete";
	if (provider->local)
		return "ok";
	if (health->state != BREAKER_CLOSED || health->last_error_at > health->last_ok_at)
		return "failing";
	return health->last_ok_at ? "ok" : "unknown";
}

/* As this host's processes have found it. */
static struct json_object *provider_health_json(const struct service *service,
	const struct service_call *call, const struct config *config,
	const struct provider *provider)
{
	const struct provider_call asked = {.arena = call->arena,
		.conf = service->conf,
		.config = config,
		.provider = provider,
		.now = call->now};
	struct json_object *json = json_object_new_object(), *error = NULL;
	struct breaker_health health;

	breaker_read(service->breakers, provider_credential_id(&asked), call->now, &health);
	json_object_object_add(json, "state",
		json_object_new_string(provider_state_word(service, config, provider, &health)));
	json_add_instant(json, "last_ok_at", health.last_ok_at);
	if (health.last_error_at) {
		error = json_object_new_object();
		json_object_object_add(
			error, "code", json_object_new_string(err_code(health.last_error)));
		json_object_object_add(
			error, "detail", json_object_new_string(health.last_error_detail));
		json_add_instant(error, "at", health.last_error_at);
	}
	json_object_object_add(json, "last_error", error);
	json_object_object_add(
		json, "breaker", json_object_new_string(breaker_state_names[health.state]));
	return json;
}

static struct json_object *provider_values_json(struct arena *arena, const struct config *config,
	const struct provider *provider, bool secret)
{
	struct json_object *json = json_object_new_object();
	const struct provider_field *field;
	const char *value;

	for (field = provider->fields; field->name; field++) {
		value = config_text(config, provider->name, field->name);
		if (field->secret != secret || !value)
			continue;
		if (secret)
			value = config_masked(arena, value, !field->multi_line);
		json_object_object_add(json, field->name, json_object_new_string(value));
	}
	return json;
}

/* Without its health: what changes only when somebody changes it. */
static struct json_object *provider_json(const struct service *service, struct arena *arena,
	const struct config *config, const struct provider *provider)
{
	struct json_object *json = json_object_new_object(), *capabilities;
	const bool configured = provider->check(service->conf, config, NULL) == ERR_OK;
	const char *const *word;

	json_object_object_add(json, "name", json_object_new_string(provider->name));
	json_object_object_add(json, "title", json_object_new_string(provider->title));
	json_object_object_add(
		json, "enabled", json_object_new_boolean(config_enabled(config, provider->name)));
	json_object_object_add(json, "configured", json_object_new_boolean(configured));
	json_object_object_add(
		json, "settings", provider_values_json(arena, config, provider, false));
	json_object_object_add(
		json, "credentials", provider_values_json(arena, config, provider, true));
	capabilities = json_object_new_array();
	for (word = provider->capabilities; *word; word++)
		json_object_array_add(capabilities, json_object_new_string(*word));
	json_object_object_add(json, "capabilities", capabilities);
	return json;
}

static struct json_object *provider_shown_json(const struct service *service,
	const struct service_call *call, const struct config *config,
	const struct provider *provider)
{
	struct json_object *json = provider_json(service, call->arena, config, provider);

	json_object_object_add(
		json, "health", provider_health_json(service, call, config, provider));
	return json;
}

const char *provider_version(const struct service *service, struct arena *arena,
	const struct config *config, const struct provider *provider)
{
	return service_config_text(arena, provider_json(service, arena, config, provider));
}

struct service_config_answer provider_answer(const struct service *service,
	const struct service_call *call, const struct config *config,
	const struct provider *provider)
{
	return (struct service_config_answer){
		.reply = service_config_text(
			call->arena, provider_shown_json(service, call, config, provider)),
		.version = provider_version(service, call->arena, config, provider),
	};
}

enum err service_config_provider_get(const struct service *service, const struct service_call *call,
	const char *name, struct service_config_answer *answer_r, struct err_info *info)
{
	const struct provider *provider;
	struct config *config;
	enum err err;

	err = service_config_provider_find(name, &provider, info);
	if (err == ERR_OK)
		err = store_config_load(service->store, call->arena, &config, info);
	if (err == ERR_OK)
		*answer_r = provider_answer(service, call, config, provider);
	return err;
}

/* The table from the one behind `after` on; NULL when there is no such name. */
static const struct provider *const *provider_rows_behind(const char *after)
{
	const struct provider *const *row = provider_table;

	if (!after)
		return row;
	while (*row && strcmp((*row)->name, after) != 0)
		row++;
	return *row ? row + 1 : NULL;
}

enum err service_config_provider_list(const struct service *service,
	const struct service_call *call, size_t limit, const char *after,
	struct service_config_answer *answer_r, struct err_info *info)
{
	const struct provider *const *row = provider_rows_behind(after);
	struct json_object *page, *items;
	struct config *config;
	const char *next;
	enum err err;

	if (!row)
		return err_add_field(info, "/cursor", "is not a cursor of this service");
	err = store_config_load(service->store, call->arena, &config, info);
	if (err != ERR_OK)
		return err;
	page = json_object_new_object();
	items = json_object_new_array();
	for (; *row && json_object_array_length(items) < limit; row++)
		json_object_array_add(items, provider_shown_json(service, call, config, *row));
	next = *row ? row[-1]->name : NULL;
	json_object_object_add(page, "items", items);
	json_object_object_add(page, "next_cursor", next ? json_object_new_string(next) : NULL);
	answer_r->reply = service_config_text(call->arena, page);
	answer_r->version = answer_r->reply;
	return ERR_OK;
}
