#include "log.h"
#include "metrics.h"
#include "news.h"
#include "service_private.h"

/* Where the provider wants this person to go. */
static enum err service_gate_url(const struct service *service, const struct service_call *call,
	struct arena *arena, const struct request *request, enum party party, const char **url_r,
	struct err_info *info)
{
	struct provider_call provider_call = {
		.arena = arena,
		.conf = service->conf,
		.provider = provider_find(request->meeting->provider),
		.now = call->now,
	};
	const struct provider_plan plan = provider_plan(request);
	const struct config *config;
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

enum { SERVICE_GATE_TRIES = 32 };

/* A link that is opened. */
struct service_gate_work {
	const struct service *service;
	const struct service_call *call;
	struct gate_pass pass;
	bool entering;
	struct service_gate *gate_r;
};

static enum err service_gate_decide(void *data, struct arena *arena, struct request *request,
	bool *changed_r, struct err_info *info)
{
	const struct service_gate_work *work = data;
	const struct gate_pass *pass = &work->pass;
	struct service_gate *gate_r = work->gate_r;
	struct cause cause;
	enum err err;

	*changed_r = false;
	if (!request->meeting)
		return err_set(info, ERR_NOT_FOUND, "This link is not known.");
	*gate_r = (struct service_gate){
		.state = gate_state(request, pass->generation, work->call->now),
		.party = pass->party,
		.current = pass->generation == request->meeting->generation,
		.request = request,
	};
	if (gate_r->state != GATE_OPEN)
		return ERR_OK;
	err = service_gate_url(
		work->service, work->call, arena, request, pass->party, &gate_r->url, info);
	if (err != ERR_OK || !work->entering)
		return err;
	service_cause_init(work->call, arena, SOURCE_GATE, NULL, &cause);
	*changed_r = gate_use(&cause, request, (enum link_use)pass->party);
	return ERR_OK;
}

const struct actor *service_find_canceller(
	const struct service *service, struct arena *arena, const struct request **request)
{
	const struct request *was = *request;
	struct request *whole;
	struct err_info info;

	err_clear(&info);
	if (store_request_load(service->store, arena, was->id, STORE_WHOLE, &whole, &info) !=
		ERR_OK) {
		log_warning("the page of a cancelled meeting is without who cancelled: %s",
			info.detail);
		return NULL;
	}
	if (whole->status != was->status ||
		(whole->meeting && whole->meeting->status != MEETING_CANCELLED))
		return NULL;
	*request = whole;
	return news_canceller(whole);
}

enum err service_gate_open(const struct service *service, const struct service_call *call,
	const char *token, bool entering, struct service_gate *gate_r, struct err_info *info)
{
	struct service_gate_work work = {
		.service = service, .call = call, .entering = entering, .gate_r = gate_r};
	struct store_change change = service_change(service, work.pass.request_id);
	enum err err;

	if (!gate_token_read(service->ring, GATE_JOIN, token, &work.pass))
		return err_set(info, ERR_NOT_FOUND, "This link is not known.");
	change.depth = STORE_END;
	/* Who waits at the door is not sent away because others knock; and it is a small write. */
	change.tries = SERVICE_GATE_TRIES;
	change.rule = service_gate_decide;
	change.data = &work;
	err = store_request_change(&change, call->arena, NULL, info);
	if (err == ERR_OK && entering)
		metrics_count(METRIC_GATE_USES, gate_r->state, 0, 0);
	if (err == ERR_OK && gate_r->state == GATE_CANCELLED && gate_r->current)
		gate_r->canceller = service_find_canceller(service, call->arena, &gate_r->request);
	return err;
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
