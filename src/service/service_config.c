/* The policy, and how the configuration is changed. */
#include "service_config.h"

#include <json-c/json.h>
#include <string.h>

#include "json.h"
#include "mail_address.h"
#include "service_config_private.h"
#include "service_private.h"

enum err service_config_check_version(
	const struct service_call *call, const char *version, struct err_info *info)
{
	if (!call->precondition || call->precondition(call, version))
		return ERR_OK;
	return err_set(info, ERR_PRECONDITION_FAILED,
		"The configuration is not what If-Match says; load it again.");
}

struct service_config_work {
	const struct service *service;
	const struct service_call *call;
	service_config_rule *rule;
	const void *input;
};

static enum err service_config_decide(void *data, struct arena *arena, struct config *config,
	bool *changed_r, struct err_info *info)
{
	const struct service_config_work *work = data;
	struct service_call call = *work->call;
	struct cause cause;

	call.arena = arena;
	service_cause_init(&call, arena, SOURCE_API, config, &cause);
	return work->rule(work->service, &call, &cause, config, work->input, changed_r, info);
}

enum err service_config_change(const struct service *service, const struct service_call *call,
	service_config_rule *rule, const void *input, struct config **config_r,
	struct err_info *info)
{
	struct service_config_work work = {
		.service = service, .call = call, .rule = rule, .input = input};

	return store_config_change(
		service->store, call->arena, service_config_decide, &work, config_r, info);
}

static struct service_config_answer policy_answer(struct arena *arena, const struct config *config)
{
	const char *text = model_text(arena, &policy_model, config->policy, MODEL_SHOWN);

	return (struct service_config_answer){.reply = text, .version = text};
}

enum err service_config_policy_get(const struct service *service, const struct service_call *call,
	struct service_config_answer *answer_r, struct err_info *info)
{
	const struct config *config;
	enum err err = store_config_current(service->store, call->arena, &config, info);

	if (err == ERR_OK)
		*answer_r = policy_answer(call->arena, config);
	return err;
}

/* What is shown, to lay the given members over it. Released with the arena. */
static struct json_object *policy_json(struct arena *arena, const struct config *config)
{
	const char *text = policy_answer(arena, config).reply;
	struct json_object *json;

	json_parse(arena, text, strlen(text), &json, NULL);
	return json;
}

/* Objects member by member; anything else takes the place of what was there. */
static void policy_merge(struct json_object *into, struct json_object *given)
{
	struct json_object *old;

	json_object_object_foreach(given, name, value)
	{
		if (json_object_object_get_ex(into, name, &old) &&
			json_object_is_type(old, json_type_object) &&
			json_object_is_type(value, json_type_object))
			policy_merge(old, value);
		else
			json_object_object_add(into, name, json_object_get(value));
	}
}

static const char *policy_value_text(struct arena *arena, struct json_object *value)
{
	if (json_object_is_type(value, json_type_string))
		return arena_strdup(arena, json_object_get_string(value));
	return arena_strdup(
		arena, json_object_to_json_string_ext(
			       value, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
}

/* Audits every value in which the two differ; whether there is one. */
static bool policy_note(struct cause *cause, struct config *config, const char *pointer,
	struct json_object *before, struct json_object *after)
{
	struct json_object *old;
	bool changed = false;
	const char *path;

	json_object_object_foreach(after, name, value)
	{
		old = json_object_object_get(before, name);
		path = arena_printf(cause->arena, "%s/%s", pointer, name);
		if (json_object_is_type(value, json_type_object)) {
			changed |= policy_note(cause, config, path, old, value);
		} else if (!json_object_equal(old, value)) {
			config_note(cause, config, path, policy_value_text(cause->arena, old),
				policy_value_text(cause->arena, value));
			changed = true;
		}
	}
	return changed;
}

static void policy_check_provider(const struct service *service, const struct config *config,
	const char *name, const char *pointer, struct err_info *info)
{
	const struct provider *provider = provider_find(name);
	struct err_info why = {0};

	if (!provider)
		err_add_field(info, pointer, "is not a provider that is known here");
	else if (provider_usable(service->conf, config, provider, &why) != ERR_OK)
		err_add_field(info, pointer, "cannot be used. %s", why.detail);
}

static void policy_check_providers(const struct service *service, struct arena *arena,
	const struct config *config, struct err_info *info)
{
	const struct model_list *failover = &config->policy->failover;
	size_t i;

	policy_check_provider(
		service, config, config->policy->default_provider, "/default_provider", info);
	for (i = 0; i < failover->count; i++)
		policy_check_provider(service, config, *MODEL_AT(failover, const char *, i),
			arena_printf(arena, "/failover/%zu", i), info);
}

static void policy_check_reply_to(const char *reply_to, struct err_info *info)
{
	if (strcmp(reply_to, REPLY_TO_OTHER_PARTY) != 0 && strcmp(reply_to, REPLY_TO_FROM) != 0 &&
		!mail_email_valid(reply_to))
		err_add_field(info, "/reply_to",
			"must be " REPLY_TO_OTHER_PARTY ", " REPLY_TO_FROM " or an e-mail address");
}

static void policy_check_alerts(
	struct arena *arena, const struct model_list *alerts, struct err_info *info)
{
	size_t i;

	for (i = 0; i < alerts->count; i++)
		if (!mail_email_valid(*MODEL_AT(alerts, const char *, i)))
			err_add_field(info, arena_printf(arena, "/alerts/%zu", i),
				"must be an e-mail address");
}

/* `merged` is a whole policy; it becomes the configuration's if it holds. */
static enum err policy_take(const struct service *service, struct arena *arena,
	struct config *config, struct json_object *merged, struct err_info *info)
{
	struct policy *policy = arena_alloc(arena, sizeof(*policy));
	enum err err = model_from_json(&policy_model, arena, merged, "", policy, info);

	if (err != ERR_OK)
		return err;
	config->policy = policy;
	config_check_policy(policy, info);
	policy_check_providers(service, arena, config, info);
	policy_check_reply_to(policy->reply_to, info);
	policy_check_alerts(arena, &policy->alerts, info);
	return info->err;
}

static enum err policy_put(const struct service *service, const struct service_call *call,
	struct cause *cause, struct config *config, const void *input, bool *changed_r,
	struct err_info *info)
{
	struct json_object *const *given = input, *before, *merged;
	enum err err;

	err = service_config_check_version(call, policy_answer(call->arena, config).version, info);
	if (err != ERR_OK)
		return err;
	before = policy_json(call->arena, config);
	merged = policy_json(call->arena, config);
	policy_merge(merged, *given);
	err = policy_take(service, call->arena, config, merged, info);
	if (err == ERR_OK)
		*changed_r = policy_note(cause, config, "/policy", before, merged);
	return err;
}

enum err service_config_policy_put(const struct service *service, const struct service_call *call,
	struct json_object *given, struct service_config_answer *answer_r, struct err_info *info)
{
	struct config *config;
	enum err err;

	if (!json_object_is_type(given, json_type_object))
		return err_add_field(info, "", "must be an object");
	err = service_config_change(service, call, policy_put, &given, &config, info);
	if (err == ERR_OK)
		*answer_r = policy_answer(call->arena, config);
	return err;
}
