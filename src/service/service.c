#include "service.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "clock.h"
#include "fault.h"
#include "http_exchange.h"
#include "mail_address.h"
#include "provision.h"
#include "service_private.h"
#include "wake.h"

enum { SERVICE_MAX_TRIES = 64, SERVICE_PAUSE_MS = 20, SERVICE_ANSWER_TRIES = 8 };

void service_cause_init(const struct service_call *call, enum source source, struct cause *cause_r)
{
	char email[MAIL_EMAIL_SIZE];

	*cause_r = (struct cause){
		.arena = call->arena,
		.now = call->now,
		.actor = call->caller,
		.source = source,
		.trace_id = call->trace_id,
	};
	/* A token vouches for an address only if that is one. */
	cause_r->actor.email = NULL;
	if (call->caller.email && mail_email_to_ascii(call->caller.email, email))
		cause_r->actor.email = arena_strdup(call->arena, email);
	id_seed(cause_r->seed, sizeof(cause_r->seed));
}

static void service_wake(const struct service *service, const struct request *request, int64_t now)
{
	if (request->due && request->due <= now)
		wake_signal(service->wake_fd);
}

/* Hash of the caller's key (or trace id) for an action on a request; "" for creation. */
static const char *service_answer_key(
	const struct service_call *call, const char *action, const char *request_id)
{
	char *key = arena_alloc(call->arena, HASH_SIZE);

	hash_texts(key, action, request_id, role_names[call->caller.role], call->caller.id,
		call->idempotency_key ? "key" : "trace",
		call->idempotency_key ? call->idempotency_key : call->trace_id, NULL);
	return key;
}

/* A creation that this thread performs once the change is stored. */
struct service_creation {
	struct rest *rest; /* NULL: there is none */
	char lease[ID_SIZE];
	int64_t until_us;
};

/* A creation that needs no network is part of the transition: accepted and ready in one write. */
static void service_create_local(const struct service *service, struct cause *cause,
	const struct config *config, const struct provider *provider, struct request *request,
	struct effect *create)
{
	const struct provider_call call = {
		.arena = cause->arena,
		.conf = service->conf,
		.config = config,
		.provider = provider,
		.now = cause->now,
	};
	const struct provider_plan plan = provider_plan(request);
	struct effect_outcome outcome = {.err = ERR_OK};
	struct meeting_link link = {0};
	struct err_info info = {0};

	create->attempts++;
	outcome.err = provider_usable(service->conf, config, provider, &info);
	if (outcome.err == ERR_OK)
		outcome.err = provider_create(&call, &plan, false, &link, &info);
	outcome.detail = arena_strdup(cause->arena, info.detail);
	provision_created(cause, request, create, &outcome, &link, config->policy);
}

/* Any other is leased to this thread, while not too many ask providers already. */
static void service_begin_creation(const struct service *service, struct cause *cause,
	const struct config *config, struct request *request, struct service_creation *creation_r)
{
	struct effect *create = meeting_effect(request, EFFECT_MEETING_CREATE);
	const int64_t wait_ms = config->policy->inline_wait_ms;
	const struct provider *provider;

	if (!create || create->state != EFFECT_DUE || create->lease || create->due > cause->now)
		return;
	provider = provider_find(request->meeting->provider);
	if (provider && provider->local) {
		service_create_local(service, cause, config, provider, request, create);
		return;
	}
	if (wait_ms > 0)
		creation_r->rest = rest_pool_take(service->rests);
	if (!creation_r->rest)
		return;
	id_random(creation_r->lease);
	creation_r->until_us = clock_monotonic_us() + wait_ms * 1000;
	if (!effect_claim_one(request, create, cause->now, creation_r->lease, EFFECT_LEASE_MS)) {
		rest_pool_give(service->rests, creation_r->rest);
		creation_r->rest = NULL;
	}
}

/* Of an answer whose text is not kept any more, the status is as it was, the request as it is. */
static enum err service_replay(const struct service *service, const struct service_call *call,
	const struct request_answer *stored, const struct request *request,
	struct service_answer *answer_r, struct err_info *info)
{
	char input[HASH_SIZE];

	hash_hex(call->body, call->body_len, input);
	if (strcmp(stored->input, input) != 0)
		return err_set(info, ERR_KEY_REUSED,
			"This Idempotency-Key came with another body before.");
	*answer_r = (struct service_answer){
		.status = (int)stored->status,
		.reply = stored->reply ? stored->reply : call->render(service, call, request),
		.request_id = request->id,
		.replayed = call->idempotency_key != NULL,
	};
	return ERR_OK;
}

/* Renders the answer and keeps it in the request, to be saved with the change. */
static void service_answer(const struct service *service, const struct service_call *call,
	struct cause *cause, struct request *request, const char *key, int status,
	struct service_answer *answer_r)
{
	char *input = arena_alloc(call->arena, HASH_SIZE);

	hash_hex(call->body, call->body_len, input);
	*answer_r = (struct service_answer){.status = status, .request_id = request->id};
	answer_r->reply = call->render(service, call, request);
	request_answer_keep(cause, request,
		&(struct request_answer){
			.key = key,
			.input = input,
			.status = status,
			.reply = answer_r->reply,
			.until = call->now + (call->idempotency_key ? REQUEST_ANSWER_KEPT
								    : REQUEST_ANSWER_KEPT_REPEAT),
		});
}

enum err service_request_get(const struct service *service, const struct service_call *call,
	const char *id, enum store_depth depth, struct request **request_r, struct err_info *info)
{
	enum err err = ERR_NOT_FOUND;

	if (id_valid(id))
		err = store_request_load(service->store, call->arena, id, depth, request_r, info);
	if (err == ERR_OK && request_standing(*request_r, &call->caller) == STANDING_NONE)
		err = ERR_NOT_FOUND;
	if (err == ERR_NOT_FOUND)
		return err_set(info, err, "There is no such request, or it is not yours.");
	return err;
}

static enum err service_check_if_match(const struct service *service,
	const struct service_call *call, const struct request *request, struct err_info *info)
{
	const char *shown;

	if (!call->if_match)
		return ERR_OK;
	shown = call->render(service, call, request);
	if (http_etag_listed(call->if_match, http_etag(call->arena, shown, strlen(shown)), false))
		return ERR_OK;
	return err_set(info, ERR_PRECONDITION_FAILED,
		"The request is not what If-Match says; load it again.");
}

/* What a caller sees who waited for the link. Kept under the caller's key, if there is one. */
static enum err service_answer_again(const struct service *service, const struct service_call *call,
	const char *key, struct service_answer *answer_r)
{
	struct err_info info = {0};
	struct request *request;
	struct cause cause;
	enum err err;

	err = store_request_load(
		service->store, call->arena, answer_r->request_id, STORE_WHOLE, &request, &info);
	if (err != ERR_OK)
		return err;
	service_cause_init(call, SOURCE_API, &cause);
	service_answer(service, call, &cause, request, key, answer_r->status, answer_r);
	return call->idempotency_key
		       ? store_request_replace(service->store, call->arena, request, &info)
		       : ERR_OK;
}

static void service_finish_creation(const struct service *service, const struct service_call *call,
	const struct request *request, const char *key, struct service_creation *creation,
	struct service_answer *answer_r)
{
	int tries;

	service->perform(
		service->performer, creation->rest, request, creation->lease, creation->until_us);
	rest_pool_give(service->rests, creation->rest);
	/* If this fails, the answer of before is true all the same: the link is on its way. */
	for (tries = 0; tries < SERVICE_ANSWER_TRIES; tries++)
		if (service_answer_again(service, call, key, answer_r) != ERR_CONFLICT)
			return;
}

static enum err service_try_change(const struct service *service, const struct service_call *call,
	const char *id, const struct service_action *action, const void *input,
	const struct config *config, struct service_answer *answer_r, struct err_info *info)
{
	const char *key = service_answer_key(call, action->name, id);
	struct service_creation creation = {0};
	const struct request_answer *stored;
	struct request *request;
	struct cause cause;
	bool changed = true;
	enum err err;

	err = service_request_get(service, call, id, STORE_WHOLE, &request, info);
	if (err != ERR_OK)
		return err;
	stored = request_answer_find(request, key, call->now);
	if (stored)
		return service_replay(service, call, stored, request, answer_r, info);
	err = service_check_if_match(service, call, request, info);
	if (err != ERR_OK)
		return err;
	service_cause_init(call, SOURCE_API, &cause);
	err = action->rule(service, &cause, request, input, config, &changed, info);
	if (err != ERR_OK)
		return err;
	if (changed)
		service_begin_creation(service, &cause, config, request, &creation);
	service_answer(service, call, &cause, request, key, 200, answer_r);
	/* Nothing to store, but that an answer was given under a key. */
	if (!changed && !call->idempotency_key)
		return ERR_OK;
	fault_pass(FAULT_CHANGE_BEFORE_SAVE);
	err = store_request_replace(service->store, call->arena, request, info);
	if (err != ERR_OK) {
		if (creation.rest)
			rest_pool_give(service->rests, creation.rest);
		return err;
	}
	fault_pass(FAULT_CHANGE_AFTER_SAVE);
	service_wake(service, request, call->now);
	if (creation.rest)
		service_finish_creation(service, call, request, key, &creation, answer_r);
	fault_pass(FAULT_CHANGE_BEFORE_REPLY);
	return ERR_OK;
}

void service_pause(void)
{
	struct timespec pause = {.tv_nsec = (long)id_random_below(SERVICE_PAUSE_MS) * 1000000};

	nanosleep(&pause, NULL);
}

enum err service_change(const struct service *service, const struct service_call *call,
	const char *id, const struct service_action *action, const void *input,
	struct service_answer *answer_r, struct err_info *info)
{
	struct config *config;
	enum err err;
	int tries;

	err = service_config_load(service, call, &config, info);
	if (err != ERR_OK)
		return err;
	for (tries = 0; tries < SERVICE_MAX_TRIES; tries++) {
		err_clear(info);
		err = service_try_change(service, call, id, action, input, config, answer_r, info);
		if (err != ERR_CONFLICT)
			return err;
		service_pause();
	}
	return err;
}

/*
 * The id of a new request follows from caller and key, so that a repeat finds the first one. Keys
 * are kept for 24 h, so the day is part of it and a repeat looks under yesterday's too; a trace id
 * never comes back.
 */
static const char *service_new_id(
	const struct service *service, const struct service_call *call, int64_t day)
{
	const char *text =
		arena_printf(call->arena, "%s/%lld", service_answer_key(call, "create", ""),
			call->idempotency_key ? (long long)day : -1);
	char *id = arena_alloc(call->arena, ID_SIZE);
	unsigned char mac[SECRET_MAC_BYTES];

	secret_mac_oldest(service->ring, "request", text, strlen(text), mac);
	id_encode(mac, id);
	return id;
}

/* ERR_NOT_FOUND when nothing was created under the id within the last 24 h. */
static enum err service_replay_create(const struct service *service,
	const struct service_call *call, const char *id, struct service_answer *answer_r,
	struct err_info *info)
{
	const struct request_answer *stored;
	struct request *request;
	enum err err;

	err = store_request_load(service->store, call->arena, id, STORE_WHOLE, &request, info);
	if (err != ERR_OK)
		return err;
	if (call->now - request->created_at >= REQUEST_ANSWER_KEPT)
		return ERR_NOT_FOUND;
	stored = request_answer_find(request, service_answer_key(call, "create", ""), call->now);
	if (stored)
		return service_replay(service, call, stored, request, answer_r, info);
	/* Later answers have pushed it out: the request stands all the same. */
	*answer_r = (struct service_answer){
		.status = 201,
		.reply = call->render(service, call, request),
		.request_id = request->id,
		.replayed = call->idempotency_key != NULL,
	};
	return ERR_OK;
}

static enum err service_create(const struct service *service, const struct service_call *call,
	const struct request_draft *draft, const char *id, struct service_answer *answer_r,
	struct err_info *info)
{
	struct request request;
	struct cause cause;
	enum err err;

	service_cause_init(call, SOURCE_API, &cause);
	err = request_open(&cause, draft, id, &request, info);
	if (err != ERR_OK)
		return err;
	service_answer(service, call, &cause, &request, service_answer_key(call, "create", ""), 201,
		answer_r);
	fault_pass(FAULT_CREATE_BEFORE_SAVE);
	err = store_request_insert(service->store, call->arena, &request, info);
	if (err == ERR_OK)
		fault_pass(FAULT_CREATE_AFTER_SAVE);
	return err;
}

enum err service_request_create(const struct service *service, const struct service_call *call,
	const struct request_draft *draft, struct service_answer *answer_r, struct err_info *info)
{
	const int64_t today = call->now / INSTANT_DAY;
	const char *id = service_new_id(service, call, today);
	struct err_info refused;
	enum err err;

	service_check_draft(call->arena, draft, info);
	if (info->err != ERR_OK)
		return info->err;
	if (call->idempotency_key) {
		err = service_replay_create(
			service, call, service_new_id(service, call, today - 1), answer_r, info);
		if (err != ERR_NOT_FOUND)
			return err;
		err_clear(info);
	}
	err = service_create(service, call, draft, id, answer_r, info);
	if (err != ERR_CONFLICT && err != ERR_INVALID)
		return err;
	/* What was created under this key stays so, even if it were refused now. */
	refused = *info;
	err_clear(info);
	if (service_replay_create(service, call, id, answer_r, info) != ERR_NOT_FOUND)
		return info->err;
	*info = refused;
	return err;
}
