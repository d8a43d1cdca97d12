/* meeting.*: what providers are asked to do; and what only time does. */
#include "clock.h"
#include "dispatch_private.h"
#include "notice.h"
#include "provider.h"

/* What one HTTP call may take: in the background, and while somebody waits for the answer, where
 * the second look at an unknown outcome is shorter than the first try. */
enum {
	DISPATCH_ATTEMPT_MS = 15 * 1000,
	DISPATCH_FIRST_ATTEMPT_MS = 2000,
	DISPATCH_NEXT_ATTEMPT_MS = 1000,
	DISPATCH_TOTAL_MS = 45 * 1000,
};

static enum err dispatch_call_init(const struct dispatch_work *work, const char *provider_name,
	struct provider_call *call_r, struct err_info *info)
{
	const struct dispatch *dispatch = work->performer->dispatch;
	const struct provider *provider = provider_find(provider_name);
	const struct effect_wait *wait = work->performer->wait;

	if (!provider)
		return err_set(info, ERR_PERMANENT, "The provider %s is not known.", provider_name);
	*call_r = (struct provider_call){
		.arena = work->arena,
		.conf = dispatch->conf,
		.config = work->config,
		.provider = provider,
		.rest = work->performer->rest,
		.tokens = dispatch->tokens,
		.breakers = dispatch->breakers,
		.now = clock_now_ms(),
		.trace_id = work->effect->trace_id,
		.until_us = wait ? wait->until_us : clock_monotonic_us() + DISPATCH_TOTAL_MS * 1000,
		.attempt_ms = DISPATCH_ATTEMPT_MS,
	};
	if (wait)
		call_r->attempt_ms = work->effect->creation->tries ? DISPATCH_NEXT_ATTEMPT_MS
								   : DISPATCH_FIRST_ATTEMPT_MS;
	return provider_complete(dispatch->conf, work->config, provider, info);
}

static enum err creation_perform(
	const struct dispatch_work *work, struct dispatch_result *result_r, struct err_info *info)
{
	const struct provider_plan plan = provider_plan(work->request);
	struct provider_call call;
	enum err err;

	err = dispatch_call_init(work, work->request->meeting->provider, &call, info);
	if (err == ERR_OK)
		err = provider_usable(call.conf, call.config, call.provider, info);
	return err == ERR_OK ? provider_create(&call, &plan, work->effect->creation->repeated,
				       &result_r->link, info)
			     : err;
}

static void creation_settle(struct cause *cause, struct request *request, struct effect *effect,
	const struct effect_outcome *outcome, const struct dispatch_result *result)
{
	provision_created(cause, request, effect, outcome, &result->link);
}

static enum err update_perform(
	const struct dispatch_work *work, struct dispatch_result *result_r, struct err_info *info)
{
	const struct meeting *meeting = work->request->meeting;
	const struct provider_plan plan = provider_plan(work->request);
	struct provider_call call;
	enum err err;

	err = dispatch_call_init(work, meeting->provider, &call, info);
	return err == ERR_OK ? provider_update(&call, &plan, &result_r->link, info) : err;
}

static void update_settle(struct cause *cause, struct request *request, struct effect *effect,
	const struct effect_outcome *outcome, const struct dispatch_result *result)
{
	provision_updated(cause, request, effect, outcome, &result->link);
}

static enum err deletion_perform(
	const struct dispatch_work *work, struct dispatch_result *result_r, struct err_info *info)
{
	const struct removal *owed = work->effect->removal;
	const struct provider_target target = {
		.provider_key = owed->provider_key,
		.external_id = owed->external_id,
		.account = owed->account,
	};
	struct provider_call call;
	enum err err;

	(void)result_r;
	err = dispatch_call_init(work, owed->provider, &call, info);
	return err == ERR_OK ? provider_remove(&call, &target, info) : err;
}

static void deletion_settle(struct cause *cause, struct request *request, struct effect *effect,
	const struct effect_outcome *outcome, const struct dispatch_result *result)
{
	(void)result;
	provision_deleted(cause, request, effect, outcome);
}

static enum err verification_perform(
	const struct dispatch_work *work, struct dispatch_result *result_r, struct err_info *info)
{
	const struct meeting *meeting = work->request->meeting;
	const struct provider_plan plan = provider_plan(work->request);
	struct provider_state state = {0};
	struct provider_call call;
	enum err err;

	err = dispatch_call_init(work, meeting->provider, &call, info);
	if (err == ERR_OK)
		err = provider_read(&call, &plan, &state, info);
	result_r->state = (struct provision_state){
		.starts_at = state.starts_at,
		.ends_at = state.ends_at,
		.settings_differ = state.drift.count > 0,
	};
	return err;
}

static void verification_settle(struct cause *cause, struct request *request, struct effect *effect,
	const struct effect_outcome *outcome, const struct dispatch_result *result)
{
	provision_verified(cause, request, effect, outcome, &result->state);
}

static void expiry_settle(struct cause *cause, struct request *request, struct effect *effect,
	const struct effect_outcome *outcome, const struct dispatch_result *result)
{
	(void)result;
	provision_expired(cause, request, effect, outcome);
}

static void lapse_settle(struct cause *cause, struct request *request, struct effect *effect,
	const struct effect_outcome *outcome, const struct dispatch_result *result)
{
	(void)outcome;
	(void)result;
	request_lapse(cause, request, effect);
}

static void notice_settle(struct cause *cause, struct request *request, struct effect *effect,
	const struct effect_outcome *outcome, const struct dispatch_result *result)
{
	(void)outcome;
	(void)result;
	notice_settled(cause, request, effect);
}

const struct dispatch_effect dispatch_creation = {
	.perform = creation_perform, .settle = creation_settle};
const struct dispatch_effect dispatch_update = {.perform = update_perform, .settle = update_settle};
const struct dispatch_effect dispatch_deletion = {
	.perform = deletion_perform, .settle = deletion_settle};
const struct dispatch_effect dispatch_verification = {
	.perform = verification_perform, .settle = verification_settle};
const struct dispatch_effect dispatch_lapse = {.settle = lapse_settle};
const struct dispatch_effect dispatch_notice = {.settle = notice_settle};
const struct dispatch_effect dispatch_expiry = {.config = CONFIG_UNUSED, .settle = expiry_settle};
