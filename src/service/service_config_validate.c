/* Whether a provider's settings and credentials work, found out at the provider itself. */
#include <json-c/json.h>
#include <string.h>

#include "instant.h"
#include "provider_breaker.h"
#include "service_config_private.h"
#include "service_private.h"

/* Of the time there is, what is kept for deleting the meeting that was made. */
enum { VALIDATE_DELETE_MS = 8 * 1000 };

#define CHECK(member, type) MODEL_FIELD(struct provider_check, member, type, MODEL_SHOWN, .max = 0)

static const struct model_field check_fields[] = {
	CHECK(name, MODEL_STRING),
	CHECK(ok, MODEL_BOOL),
	CHECK(detail, MODEL_STRING),
};

static const struct model check_model = MODEL(struct provider_check, "check", check_fields);

struct validation {
	bool ok;
	struct model_list checks; /* struct provider_check */
};

static const struct model_field validation_fields[] = {
	MODEL_FIELD(struct validation, ok, MODEL_BOOL, MODEL_SHOWN, .max = 0),
	MODEL_FIELD(struct validation, checks, MODEL_LIST, MODEL_SHOWN, .of = &check_model),
};

static const struct model validation_model =
	MODEL(struct validation, "validation", validation_fields);

static void validation_add(struct arena *arena, struct validation *validation, const char *name,
	bool ok, const char *detail)
{
	struct provider_check *check = model_list_add(arena, &validation->checks, sizeof(*check));

	*check = (struct provider_check){
		.name = name, .ok = ok, .detail = arena_strdup(arena, detail)};
}

static bool validation_holds(const struct validation *validation)
{
	MODEL_FOREACH (&validation->checks, struct provider_check, check) {
		if (!check->ok)
			return false;
	}
	return true;
}

/* A meeting of tomorrow that belongs to no request. Nobody can be reached at its address
 * (RFC 2606 section 2), should a provider want to invite. */
static struct provider_plan validation_plan(
	const struct service_call *call, const struct security *security)
{
	const int64_t start = call->now / INSTANT_MINUTE * INSTANT_MINUTE + INSTANT_DAY;
	struct person *person = arena_alloc(call->arena, sizeof(*person));
	char *id = arena_alloc(call->arena, ID_SIZE), *key = arena_alloc(call->arena, ID_SIZE);

	id_random(id);
	id_random(key);
	*person = (struct person){.id = call->caller.id,
		.name = "meetlink validation",
		.email = "validation@meetlink.invalid"};
	return (struct provider_plan){.request_id = id,
		.provider_key = key,
		.title = "meetlink validation",
		.starts_at = start,
		.ends_at = start + 30 * INSTANT_MINUTE,
		.timezone = "UTC",
		.expires_at = start + 30 * INSTANT_MINUTE,
		.security = security,
		.people = {person, person}};
}

static void validation_delete(const struct provider_call *asked, const char *provider_key,
	const struct meeting_link *link, struct validation *validation)
{
	const struct provider_target target = {
		.provider_key = provider_key,
		.external_id = link->external_id,
		.account = link->account,
	};
	struct err_info info = {0};
	const char *detail;
	enum err err;

	err = provider_remove(asked, &target, &info);
	detail = err != ERR_OK             ? arena_printf(asked->arena,
						     "The test meeting \"meetlink validation\" may still be at "
								 "the provider; please delete it there. %s",
						     info.detail)
		 : asked->provider->remove ? "The test meeting was deleted again."
					   : "This provider keeps nothing that is to be deleted.";
	validation_add(asked->arena, validation, "delete", err == ERR_OK, detail);
}

/* Makes a meeting and deletes it again. A breaker that is open does not keep a person from trying.
 */
static void validation_go_deep(const struct service_call *call, const struct provider_call *given,
	struct validation *validation)
{
	struct provider_call asked = *given;
	const struct provider_plan plan = validation_plan(call, given->config->policy->security);
	struct meeting_link link = {0};
	struct err_info info = {0};
	enum err err;

	asked.breakers = NULL;
	asked.until_us -= VALIDATE_DELETE_MS * 1000;
	err = provider_create(&asked, &plan, false, &link, &info);
	validation_add(call->arena, validation, "create", err == ERR_OK,
		err == ERR_OK ? "A test meeting was made." : info.detail);
	asked.until_us = given->until_us;
	if (err == ERR_OK || err == ERR_OUTCOME_UNKNOWN || err == ERR_STILL_PENDING ||
		link.external_id)
		validation_delete(&asked, plan.provider_key, &link, validation);
}

/* Asks the provider. What it grants a person closes its breaker. */
static enum err validation_ask(const struct service *service, const struct service_call *call,
	const struct config *config, const struct provider *provider, bool deep,
	struct validation *validation, struct err_info *info)
{
	struct provider_call asked;
	enum err err;

	err = service_provider_call(
		service, call, config, provider, SERVICE_CONFIG_VALIDATE_MS, &asked, info);
	if (err != ERR_OK)
		return err;
	if (provider->validate)
		provider->validate(&asked, &validation->checks);
	if (deep && validation_holds(validation))
		validation_go_deep(call, &asked, validation);
	if (validation_holds(validation) && !provider->local)
		breaker_leave(service->breakers, provider_credential_id(&asked), call->now, ERR_OK,
			0, "");
	service_provider_done(service, &asked);
	return ERR_OK;
}

enum err service_config_provider_validate(const struct service *service,
	const struct service_call *call, const char *name, struct json_object *given,
	struct service_config_answer *answer_r, struct err_info *info)
{
	struct validation validation = {0};
	const struct provider *provider;
	struct provider_input input;
	struct config *config;
	bool changed = false;
	enum err err;

	err = service_config_provider_find(name, &provider, info);
	if (err == ERR_OK)
		err = provider_input_read(call->arena, provider, given, "deep", &input, info);
	if (err == ERR_OK)
		err = store_config_load(service->store, call->arena, &config, info);
	if (err == ERR_OK)
		err = provider_input_apply(
			&input, call->arena, NULL, config, false, &changed, info);
	if (err == ERR_OK)
		err = provider->check(service->conf, config, info);
	if (err != ERR_OK)
		return err;
	validation_add(call->arena, &validation, "settings", true,
		"Settings and credentials are complete and well-formed.");
	if (provider->validate || input.flag)
		err = validation_ask(
			service, call, config, provider, input.flag, &validation, info);
	if (err != ERR_OK)
		return err;
	validation.ok = validation_holds(&validation);
	answer_r->reply = service_config_text(
		call->arena, model_to_json(&validation_model, &validation, MODEL_SHOWN));
	answer_r->version = NULL;
	return ERR_OK;
}
