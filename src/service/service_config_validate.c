/* Whether a provider's settings and credentials work, found out at the provider itself. */
#include <string.h>

#include "fault.h"
#include "instant.h"
#include "log.h"
#include "provider_breaker.h"
#include "service_config_private.h"
#include "service_private.h"
#include "store_chore.h"

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

const struct model service_validation_model =
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

/* That it has to go is stored before it is made, with all that deleting it takes: the settings and
 * credentials may be nowhere else. */
static enum err validation_owe(const struct service *service, const struct service_call *call,
	const struct provider_call *asked, const struct provider_plan *plan, struct chore *chore_r,
	struct err_info *info)
{
	const struct provider *provider = asked->provider;
	const struct provider_field *field;
	struct cause cause;
	enum err err;

	service_cause_init(call, call->arena, SOURCE_API, asked->config, &cause);
	*chore_r = chore_begun(&cause, CHORE_TEST_MEETING);
	chore_r->provider = provider->name;
	chore_r->provider_key = plan->provider_key;
	for (field = provider->fields; field->name; field++)
		config_set_text(call->arena,
			field->secret ? &chore_r->credentials : &chore_r->settings, provider->name,
			field->name, provider_text(asked, field->name));
	err = store_chore_insert(service->store, call->arena, chore_r, info);
	if (err == ERR_OK)
		fault_pass(FAULT_CHORE_AFTER_SAVE);
	return err;
}

static void validation_forget(const struct service *service, const struct chore *chore)
{
	struct err_info info = {0};

	fault_pass(FAULT_CHORE_BEFORE_FORGET);
	/* Then a dispatcher finds nothing to delete, and forgets it. */
	if (store_chore_remove(service->store, chore->id, &info) != ERR_OK)
		log_warning("chore %s: it is not forgotten yet: %s", chore->id, info.detail);
}

/* Whether it is certain that nothing is there any more. */
static bool validation_delete(
	const struct provider_call *asked, const struct chore *chore, struct validation *validation)
{
	const struct provider_target target = {
		.provider_key = chore->provider_key,
		.external_id = chore->external_id,
		.account = chore->account,
	};
	struct err_info info = {0};
	const char *detail;
	enum err err;

	err = provider_remove(asked, &target, &info);
	detail = err == ERR_OK
			 ? "The test meeting was deleted again."
			 : arena_printf(asked->arena,
				   "The test meeting \"meetlink validation\" may still be at the "
				   "provider; deleting it is tried again in the background. %s",
				   provider_told(asked->arena, &info));
	validation_add(asked->arena, validation, "delete", err == ERR_OK, detail);
	return err == ERR_OK;
}

/* What was not granted belongs to what a person wants to know. */
static const char *validation_made(struct arena *arena, const struct meeting_link *link)
{
	const char *words = "A test meeting was made.";

	MODEL_FOREACH (&link->warnings, struct warning, warning) {
		words = arena_printf(arena, "%s Not granted: %s", words, warning->detail);
	}
	return words;
}

/* Makes a meeting; whether there is, or may be, one to delete. */
static bool validation_create(const struct provider_call *given, const struct provider_plan *plan,
	struct meeting_link *link_r, bool *certain_r, struct validation *validation)
{
	struct provider_call asked = *given;
	struct err_info info = {0};
	enum err err;

	asked.until_us -= VALIDATE_DELETE_MS * 1000;
	err = provider_create(&asked, plan, false, link_r, &info);
	validation_add(given->arena, validation, "create", err == ERR_OK,
		err == ERR_OK ? validation_made(given->arena, link_r)
			      : provider_told(given->arena, &info));
	*certain_r = err == ERR_OK || link_r->external_id;
	return *certain_r || err == ERR_OUTCOME_UNKNOWN || err == ERR_STILL_PENDING;
}

/* Makes a meeting and deletes it again. A breaker that is open does not keep a person from trying.
 */
static enum err validation_go_deep(const struct service *service, const struct service_call *call,
	const struct provider_call *given, struct validation *validation, struct err_info *info)
{
	const struct provider_plan plan = validation_plan(call, given->config->policy->security);
	struct provider_call asked = *given;
	struct meeting_link link = {0};
	struct chore chore;
	bool made, certain;
	enum err err;

	asked.breakers = NULL;
	if (!given->provider->remove) {
		if (validation_create(&asked, &plan, &link, &certain, validation))
			validation_add(call->arena, validation, "delete", true,
				"This provider keeps nothing that is to be deleted.");
		return ERR_OK;
	}
	err = validation_owe(service, call, &asked, &plan, &chore, info);
	if (err != ERR_OK)
		return err;
	made = validation_create(&asked, &plan, &link, &certain, validation);
	fault_pass(FAULT_CHORE_AFTER_STEP);
	chore.external_id = link.external_id;
	chore.account = link.account;
	if (!made || (validation_delete(&asked, &chore, validation) && certain)) {
		validation_forget(service, &chore);
		return ERR_OK;
	}
	/* What could not be seen may appear yet, so a dispatcher looks later in any case. */
	if (certain && store_chore_save(service->store, call->arena, &chore, NULL) != ERR_OK)
		log_warning("chore %s: the meeting has to be found by its key", chore.id);
	return ERR_OK;
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
		err = validation_go_deep(service, call, &asked, validation, info);
	if (validation_holds(validation) && !provider->local)
		breaker_leave(service->breakers, provider_credential_id(&asked), call->now, ERR_OK,
			0, "");
	service_provider_done(service, &asked);
	return err;
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
	answer_r->reply =
		model_text(call->arena, &service_validation_model, &validation, MODEL_SHOWN);
	answer_r->version = NULL;
	return ERR_OK;
}
