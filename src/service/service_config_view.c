/* The providers' settings and credentials, as an administrator sees them. */
#include <string.h>

#include "buf.h"
#include "json_write.h"
#include "provider_breaker.h"
#include "service_config_private.h"

enum { PROVIDER_MAX_TEXT = 16 * 1024 * 1024 };

enum err service_config_provider_find(
	const char *name, const struct provider **provider_r, struct err_info *info)
{
	*provider_r = provider_find(name);
	return *provider_r ? ERR_OK
			   : err_set(info, ERR_NOT_FOUND, "There is no provider of this name.");
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
static void provider_write_health(struct buf *out, const struct service *service,
	const struct service_call *call, const struct config *config,
	const struct provider *provider)
{
	const struct provider_call asked = {.arena = call->arena,
		.conf = service->conf,
		.config = config,
		.provider = provider,
		.breakers = service->breakers,
		.now = call->now};
	struct breaker_health health;

	provider_health(&asked, &health);
	json_write_name(out, "health");
	json_write_open(out, '{');
	json_write_member(out, "state", provider_state_word(service, config, provider, &health));
	json_write_name(out, "last_ok_at");
	json_write_instant(out, health.last_ok_at, false);
	json_write_name(out, "last_error");
	if (health.last_error_at) {
		json_write_open(out, '{');
		json_write_member(out, "code", err_code(health.last_error));
		json_write_member(out, "detail", health.last_error_detail);
		json_write_name(out, "at");
		json_write_instant(out, health.last_error_at, false);
		json_write_close(out, '}');
	} else {
		json_write_text(out, NULL);
	}
	json_write_member(out, "breaker", breaker_state_names[health.state]);
	json_write_close(out, '}');
}

static void provider_write_values(struct buf *out, struct arena *arena, const struct config *config,
	const struct provider *provider, bool secret)
{
	const struct provider_field *field;
	const char *value;

	json_write_name(out, secret ? "credentials" : "settings");
	json_write_open(out, '{');
	for (field = provider->fields; field->name; field++) {
		value = config_text(config, provider->name, field->name);
		if (field->secret != secret || !value)
			continue;
		json_write_member(out, field->name,
			secret ? config_masked(arena, value, !field->multi_line) : value);
	}
	json_write_close(out, '}');
}

/* What it takes, for whoever makes a form of it. */
static void provider_write_fields(struct buf *out, const struct provider *provider)
{
	const struct provider_field *field;
	const char *const *word;

	json_write_name(out, "fields");
	json_write_open(out, '[');
	for (field = provider->fields; field->name; field++) {
		json_write_open(out, '{');
		json_write_member(out, "name", field->name);
		json_write_name(out, "secret");
		json_write_bool(out, field->secret);
		json_write_name(out, "multi_line");
		json_write_bool(out, field->multi_line);
		json_write_name(out, "choices");
		json_write_open(out, '[');
		for (word = field->choices; word && *word; word++)
			json_write_text(out, *word);
		json_write_close(out, ']');
		json_write_member(out, "help", field->help);
		json_write_close(out, '}');
	}
	json_write_close(out, ']');
}

/* Without its health: what changes only when somebody changes it. */
static void provider_write_members(struct buf *out, const struct service *service,
	struct arena *arena, const struct config *config, const struct provider *provider)
{
	const char *const *word;

	json_write_member(out, "name", provider->name);
	json_write_member(out, "title", provider->title);
	json_write_name(out, "enabled");
	json_write_bool(out, config_enabled(config, provider->name));
	json_write_name(out, "configured");
	json_write_bool(out, provider->check(service->conf, config, NULL) == ERR_OK);
	provider_write_values(out, arena, config, provider, false);
	provider_write_values(out, arena, config, provider, true);
	provider_write_fields(out, provider);
	json_write_name(out, "capabilities");
	json_write_open(out, '[');
	for (word = provider->capabilities; *word; word++)
		json_write_text(out, *word);
	json_write_close(out, ']');
}

static void provider_write(struct buf *out, const struct service *service,
	const struct service_call *call, const struct config *config,
	const struct provider *provider)
{
	json_write_open(out, '{');
	provider_write_members(out, service, call->arena, config, provider);
	provider_write_health(out, service, call, config, provider);
	json_write_close(out, '}');
}

const char *provider_version(const struct service *service, struct arena *arena,
	const struct config *config, const struct provider *provider)
{
	struct buf out;

	buf_init(&out, PROVIDER_MAX_TEXT);
	json_write_open(&out, '{');
	provider_write_members(&out, service, arena, config, provider);
	json_write_close(&out, '}');
	return buf_keep(&out, arena);
}

struct service_config_answer provider_answer(const struct service *service,
	const struct service_call *call, const struct config *config,
	const struct provider *provider)
{
	struct buf out;

	buf_init(&out, PROVIDER_MAX_TEXT);
	provider_write(&out, service, call, config, provider);
	return (struct service_config_answer){
		.reply = buf_keep(&out, call->arena),
		.version = provider_version(service, call->arena, config, provider),
	};
}

enum err service_config_provider_get(const struct service *service, const struct service_call *call,
	const char *name, struct service_config_answer *answer_r, struct err_info *info)
{
	const struct provider *provider;
	const struct config *config;
	enum err err;

	err = service_config_provider_find(name, &provider, info);
	if (err == ERR_OK)
		err = store_config_current(service->store, call->arena, &config, info);
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
	const struct config *config;
	struct buf out;
	enum err err;

	if (!row)
		return err_add_field(info, "/cursor", "is not a cursor of this service");
	err = store_config_current(service->store, call->arena, &config, info);
	if (err != ERR_OK)
		return err;
	buf_init(&out, PROVIDER_MAX_TEXT);
	json_write_open(&out, '{');
	json_write_name(&out, "items");
	json_write_open(&out, '[');
	for (; *row && limit; row++, limit--)
		provider_write(&out, service, call, config, *row);
	json_write_close(&out, ']');
	json_write_member(&out, "next_cursor", *row ? row[-1]->name : NULL);
	json_write_close(&out, '}');
	answer_r->reply = buf_keep(&out, call->arena);
	answer_r->version = answer_r->reply;
	return ERR_OK;
}
