#include "service_private.h"

enum { SERVICE_GATE_TRIES = 16 };

static enum err service_gate_record(const struct service *service, const struct service_call *call,
	struct request *request, enum party party, struct err_info *info)
{
	struct cause cause;

	service_cause_init(call, SOURCE_GATE, &cause);
	if (!gate_joined(&cause, request, party))
		return ERR_OK;
	return store_request_replace(service->store, call->arena, request, info);
}

/* Where the provider wants this person to go. */
static enum err service_gate_url(const struct service *service, const struct service_call *call,
	const struct request *request, enum party party, const char **url_r, struct err_info *info)
{
	struct provider_call provider_call = {
		.arena = call->arena,
		.conf = service->conf,
		.provider = provider_find(request->meeting->provider),
		.now = call->now,
	};
	const struct provider_plan plan = provider_plan(request);
	struct config *config;
	enum err err;

	*url_r = request->meeting->provider_url;
	if (!provider_call.provider)
		return err_set(info, ERR_INTERNAL, "The provider %s is not known any more.",
			request->meeting->provider);
	if (!provider_call.provider->personal_url)
		return ERR_OK;
	err = service_config_load(service, call, &config, info);
	if (err != ERR_OK)
		return err;
	provider_call.config = config;
	return provider_personal_url(&provider_call, &plan, party, url_r, info);
}

static enum err service_gate_try(const struct service *service, const struct service_call *call,
	const struct gate_pass *pass, bool entering, struct service_gate *gate_r,
	struct err_info *info)
{
	struct request *request;
	enum err err;

	err = store_request_load(
		service->store, call->arena, pass->request_id, STORE_WHOLE, &request, info);
	if (err != ERR_OK)
		return err;
	if (!request->meeting)
		return err_set(info, ERR_NOT_FOUND, "This link is not known.");
	*gate_r = (struct service_gate){
		.state = gate_state(request, pass->generation, call->now),
		.party = pass->party,
		.request = request,
	};
	if (gate_r->state != GATE_OPEN)
		return ERR_OK;
	err = service_gate_url(service, call, request, pass->party, &gate_r->url, info);
	if (err == ERR_OK && entering)
		err = service_gate_record(service, call, request, pass->party, info);
	return err;
}

enum err service_gate_open(const struct service *service, const struct service_call *call,
	const char *token, bool entering, struct service_gate *gate_r, struct err_info *info)
{
	struct gate_pass pass;
	enum err err;
	int tries;

	if (!gate_token_read(service->ring, GATE_JOIN, token, &pass))
		return err_set(info, ERR_NOT_FOUND, "This link is not known.");
	for (tries = 0; tries < SERVICE_GATE_TRIES; tries++) {
		err_clear(info);
		err = service_gate_try(service, call, &pass, entering, gate_r, info);
		if (err != ERR_CONFLICT)
			return err;
		service_pause();
	}
	return err_set(info, ERR_OVERLOADED, "The request changes too often just now.");
}

enum err service_calendar_open(const struct service *service, const struct service_call *call,
	const char *token, struct request **request_r, enum party *party_r, bool *current_r,
	struct err_info *info)
{
	struct gate_pass pass;
	enum err err;

	if (!gate_token_read(service->ring, GATE_CALENDAR, token, &pass))
		return err_set(info, ERR_NOT_FOUND, "This link is not known.");
	err = store_request_load(
		service->store, call->arena, pass.request_id, STORE_CURRENT, request_r, info);
	if (err != ERR_OK)
		return err;
	if (!(*request_r)->meeting)
		return err_set(info, ERR_NO_MEETING, "The request has no meeting.");
	*party_r = pass.party;
	*current_r = pass.generation == (*request_r)->meeting->generation;
	return ERR_OK;
}
