/* The commands on the meeting of an accepted request. */
#include <string.h>

#include "service_private.h"
#include "wake.h"

static enum err service_rule_cancel(const struct service *service, struct cause *cause,
	struct request *request, const void *input, const struct config *config, bool *changed_r,
	struct err_info *info)
{
	(void)service;
	(void)config;
	(void)changed_r;
	return request_cancel_meeting(cause, request, input, info);
}

enum err service_meeting_cancel(const struct service *service, const struct service_call *call,
	const char *id, const struct request_cancellation *cancellation,
	struct service_answer *answer_r, struct err_info *info)
{
	static const struct service_action cancel = {"meeting/cancel", service_rule_cancel};

	return service_change(service, call, id, &cancel, cancellation, answer_r, info);
}

static enum err service_rule_regenerate(const struct service *service, struct cause *cause,
	struct request *request, const void *input, const struct config *config, bool *changed_r,
	struct err_info *info)
{
	struct meeting_regeneration regeneration = *(const struct meeting_regeneration *)input;
	struct err_info unusable = {0};
	enum err err;

	(void)changed_r;
	/* The old link is not given up for one that its provider cannot make any more. */
	if (!regeneration.provider && request->meeting &&
		service_check_provider(
			service, config, request->meeting->requested_provider, &unusable) != ERR_OK)
		regeneration.provider = config->policy->default_provider;
	err = request_regenerate(cause, request, &regeneration, config->policy, info);
	if (err == ERR_OK && regeneration.provider)
		err = service_check_provider(service, config, regeneration.provider, info);
	return err;
}

enum err service_meeting_regenerate(const struct service *service, const struct service_call *call,
	const char *id, const struct meeting_regeneration *regeneration,
	struct service_answer *answer_r, struct err_info *info)
{
	static const struct service_action regenerate = {
		"meeting/regenerate", service_rule_regenerate};

	return service_change(service, call, id, &regenerate, regeneration, answer_r, info);
}

static enum err service_rule_reschedule(const struct service *service, struct cause *cause,
	struct request *request, const void *input, const struct config *config, bool *changed_r,
	struct err_info *info)
{
	(void)service;
	return request_reschedule(cause, request, input, config->policy, changed_r, info);
}

enum err service_meeting_reschedule(const struct service *service, const struct service_call *call,
	const char *id, const struct meeting_rescheduling *rescheduling,
	struct service_answer *answer_r, struct err_info *info)
{
	static const struct service_action reschedule = {
		"meeting/reschedule", service_rule_reschedule};

	service_check_zone(rescheduling->timezone, "/timezone", info);
	if (info->err != ERR_OK)
		return info->err;
	return service_change(service, call, id, &reschedule, rescheduling, answer_r, info);
}

static enum err service_rule_retry(const struct service *service, struct cause *cause,
	struct request *request, const void *input, const struct config *config, bool *changed_r,
	struct err_info *info)
{
	(void)service;
	(void)input;
	return request_retry(cause, request, config->policy, changed_r, info);
}

enum err service_meeting_retry(const struct service *service, const struct service_call *call,
	const char *id, struct service_answer *answer_r, struct err_info *info)
{
	static const struct service_action retry = {"meeting/retry", service_rule_retry};

	return service_change(service, call, id, &retry, NULL, answer_r, info);
}

static enum err service_rule_outcome(const struct service *service, struct cause *cause,
	struct request *request, const void *input, const struct config *config, bool *changed_r,
	struct err_info *info)
{
	(void)service;
	(void)config;
	return request_note_outcome(cause, request, input, changed_r, info);
}

enum err service_meeting_outcome(const struct service *service, const struct service_call *call,
	const char *id, const struct meeting_verdict *verdict, struct service_answer *answer_r,
	struct err_info *info)
{
	static const struct service_action outcome = {"meeting/outcome", service_rule_outcome};

	return service_change(service, call, id, &outcome, verdict, answer_r, info);
}

enum {
	SERVICE_HOST_MS = 10 * 1000,
	SERVICE_HOST_TRIES = 16,
	SERVICE_HOST_MAX_EVENTS = 200,
	SERVICE_HOST_REFUSED_S = 60, /* as long as the breaker stays open */
};

/* A change that goes with a click on the host link; false: there is nothing to save. */
typedef bool service_host_note(struct cause *cause, struct request *request);

static enum err service_host_try(const struct service *service, const struct service_call *call,
	const char *id, service_host_note *note, struct err_info *info)
{
	struct request *request;
	struct cause cause;
	enum err err;

	err = store_request_load(service->store, call->arena, id, STORE_WHOLE, &request, info);
	if (err != ERR_OK)
		return err;
	service_cause_init(call, SOURCE_API, &cause);
	if (!note(&cause, request))
		return ERR_OK;
	err = store_request_replace(service->store, call->arena, request, info);
	if (err == ERR_OK && request->due && request->due <= call->now)
		wake_signal(service->wake_fd);
	return err;
}

static enum err service_host_save(const struct service *service, const struct service_call *call,
	const char *id, service_host_note *note, struct err_info *info)
{
	enum err err;
	int tries;

	for (tries = 0; tries < SERVICE_HOST_TRIES; tries++) {
		err_clear(info);
		err = service_host_try(service, call, id, note, info);
		if (err != ERR_CONFLICT)
			return err;
		service_pause();
	}
	return err_set(info, ERR_OVERLOADED, "The request changes too often just now.");
}

/* That somebody became host, not by which link. Every click up to 200 for a generation, then one a
 * minute, as at the gate: nobody can grow the document without bound. */
static bool service_host_joined(struct cause *cause, struct request *request)
{
	int64_t last = 0;
	size_t clicks = 0;

	MODEL_FOREACH (&request->events, struct audit_event, event) {
		if (event->source == SOURCE_API && event->at >= request->meeting->created_at &&
			strcmp(event->action, "meeting.host_joined") == 0) {
			clicks++;
			last = event->at;
		}
	}
	if (clicks >= SERVICE_HOST_MAX_EVENTS && cause->now - last < INSTANT_MINUTE)
		return false;
	audit_add(cause, request, "meeting.host_joined", NULL, NULL, NULL);
	return true;
}

/* The provider has lost the meeting: it is compared now and not hours later, which makes it anew. A
 * comparison that is under way is left to find out. */
static bool service_host_gone(struct cause *cause, struct request *request)
{
	struct effect *verify = meeting_effect(request, EFFECT_MEETING_VERIFY);

	if (request->meeting->status != MEETING_READY || cause->now >= request->meeting->ends_at ||
		(verify && (verify->due <= cause->now || effect_is_running(verify, cause->now))))
		return false;
	meeting_owe_verification(cause, request);
	meeting_effect(request, EFFECT_MEETING_VERIFY)->due = cause->now;
	return true;
}

static enum err service_fetch_host_url(const struct service *service,
	const struct service_call *call, const struct request *request, bool entering,
	const char **url_r, struct err_info *info)
{
	const struct provider *provider = provider_find(request->meeting->provider);
	const struct provider_plan plan = provider_plan(request);
	struct provider_call provider_call;
	struct config *config;
	enum err err;

	if (!provider || !provider->host_url)
		return err_set(info, ERR_NO_HOST_LINK,
			"%s has no host link: join with the lawyer's own link.",
			provider ? provider->title : request->meeting->provider);
	err = service_config_load(service, call, &config, info);
	if (err == ERR_OK)
		err = provider_usable(service->conf, config, provider, info);
	if (err != ERR_OK || !entering)
		return err;
	err = service_provider_call(
		service, call, config, provider, SERVICE_HOST_MS, &provider_call, info);
	if (err != ERR_OK)
		return err;
	err = provider_host_url(&provider_call, &plan, url_r, info);
	service_provider_done(service, &provider_call);
	return err;
}

/* What a lawyer who waits can do about it: try again, or enter by the own link. What only an
 * administrator can mend is said in the provider's health. */
static enum err service_host_failed(const struct service *service, const struct service_call *call,
	const struct request *request, enum err err, struct err_info *info)
{
	switch (err) {
	case ERR_GONE:
		err = service_host_save(service, call, request->id, service_host_gone, info);
		if (err != ERR_OK)
			return err;
		return call->now < request->meeting->ends_at
			       ? err_set(info, ERR_STILL_PENDING,
					 "The provider has lost the meeting: it is being made "
					 "anew.")
			       : err_set(info, ERR_MEETING_OVER, "The provider has ended it.");
	case ERR_CREDENTIAL:
	case ERR_PERMANENT:
		info->retry_after_s = SERVICE_HOST_REFUSED_S;
		return info->err = ERR_UNAVAILABLE;
	default:
		return err;
	}
}

static enum err service_host_check(
	const struct service_call *call, const struct request *request, struct err_info *info)
{
	static const struct {
		enum err err;
		const char *words;
	} closed[] = {
		[GATE_OPEN] = {ERR_OK, NULL},
		[GATE_EARLY] = {ERR_OK, NULL},
		[GATE_PENDING] = {ERR_STILL_PENDING, "The meeting has no link yet."},
		[GATE_FAILED] = {ERR_STILL_PENDING, "The meeting has no link yet."},
		[GATE_OVER] = {ERR_MEETING_OVER, "The links of the meeting have expired."},
		[GATE_CANCELLED] = {ERR_MEETING_ENDED, "The meeting has been cancelled."},
		[GATE_REPLACED] = {ERR_MEETING_ENDED, "The meeting has been replaced."},
		[GATE_RENEWING] = {ERR_MEETING_ENDED, "The meeting has been replaced."},
	};
	enum gate gate;

	if (!request->meeting)
		return err_set(info, ERR_NO_MEETING, "The request has not been accepted.");
	gate = gate_state(request, request->meeting->generation, call->now);
	return closed[gate].err == ERR_OK
		       ? ERR_OK
		       : err_set(info, closed[gate].err, "%s", closed[gate].words);
}

enum err service_meeting_host(const struct service *service, const struct service_call *call,
	const char *id, bool entering, const char **url_r, struct err_info *info)
{
	struct request *request;
	enum err err;

	err = service_request_get(service, call, id, STORE_WHOLE, &request, info);
	if (err == ERR_OK)
		err = service_host_check(call, request, info);
	if (err != ERR_OK)
		return err;
	err = service_fetch_host_url(service, call, request, entering, url_r, info);
	if (err != ERR_OK)
		return service_host_failed(service, call, request, err, info);
	return !entering ? ERR_OK : service_host_save(service, call, id, service_host_joined, info);
}
