/* The providers' settings and credentials: changed, removed. */
#include <json-c/json.h>

#include "service_config_private.h"

static enum err provider_check_version(const struct service *service,
	const struct service_call *call, const struct config *config,
	const struct provider *provider, struct err_info *info)
{
	return service_config_check_version(
		call, provider_version(service, call->arena, config, provider), info);
}

static bool provider_switch(
	struct cause *cause, struct config *config, const struct provider *provider, bool on)
{
	const bool was = config_enabled(config, provider->name);

	if (was == on)
		return false;
	config_set_enabled(cause->arena, config, provider->name, on);
	config_note(cause, config,
		arena_printf(cause->arena, "/providers/%s/enabled", provider->name),
		was ? "true" : "false", on ? "true" : "false");
	return true;
}

/* The policy must not name what does not work. */
static enum err provider_check_reliance(const struct service *service, const struct config *config,
	const struct provider *provider, struct err_info *info)
{
	const char *reliance = config_reliance(config->policy, provider->name);

	if (!reliance || provider_usable(service->conf, config, provider, NULL) == ERR_OK)
		return ERR_OK;
	return err_add_field(info, "/enabled",
		"the meeting policy (/api/config/meetings) has %s as %s: choose another there "
		"first",
		provider->name, reliance);
}

static enum err provider_put(const struct service *service, const struct service_call *call,
	struct cause *cause, struct config *config, const void *given, bool *changed_r,
	struct err_info *info)
{
	const struct provider_input *input = given;
	const struct provider *provider = input->provider;
	enum err err;

	err = provider_check_version(service, call, config, provider, info);
	if (err == ERR_OK)
		err = provider_input_apply(
			input, call->arena, cause, config, true, changed_r, info);
	if (err != ERR_OK)
		return err;
	if (input->flag_given)
		*changed_r |= provider_switch(cause, config, provider, input->flag);
	if (config_enabled(config, provider->name) || input->credential_comes)
		err = provider->check(service->conf, config, info);
	if (err == ERR_OK)
		err = provider_check_reliance(service, config, provider, info);
	return err;
}

enum err service_config_provider_put(const struct service *service, const struct service_call *call,
	const char *name, struct json_object *given, struct service_config_answer *answer_r,
	struct err_info *info)
{
	static const char *const fixed[] = {
		"name", "title", "configured", "fields", "capabilities", "health"};
	const struct provider *provider;
	struct provider_input input;
	struct config *config;
	enum err err;
	size_t i;

	err = service_config_provider_find(name, &provider, info);
	if (err != ERR_OK)
		return err;
	if (json_object_is_type(given, json_type_object))
		for (i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++)
			json_object_object_del(given, fixed[i]);
	err = provider_input_read(call->arena, provider, given, "enabled", &input, info);
	if (err == ERR_OK)
		err = service_config_change(service, call, provider_put, &input, &config, info);
	if (err == ERR_OK)
		*answer_r = provider_answer(service, call, config, provider);
	return err;
}

static enum err provider_forget(const struct service *service, const struct service_call *call,
	struct cause *cause, struct config *config, const void *given, bool *changed_r,
	struct err_info *info)
{
	const struct provider *provider = given;
	enum err err;

	err = provider_check_version(service, call, config, provider, info);
	if (err != ERR_OK)
		return err;
	*changed_r = provider_remove_values(cause, config, provider);
	*changed_r |= provider_switch(cause, config, provider, false);
	return provider_check_reliance(service, config, provider, info);
}

enum err service_config_provider_delete(const struct service *service,
	const struct service_call *call, const char *name, struct err_info *info)
{
	const struct provider *provider;
	struct config *config;
	enum err err;

	err = service_config_provider_find(name, &provider, info);
	if (err == ERR_OK)
		err = service_config_change(
			service, call, provider_forget, provider, &config, info);
	return err;
}
