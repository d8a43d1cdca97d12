/* The commands on a request, and the creation of its meeting while the caller waits. */
#include <string.h>

#include "clock.h"
#include "id.h"
#include "overlap.h"
#include "provision.h"
#include "service_private.h"
#include "store_taken.h"

/* A creation that this thread performs once the change is stored. */
struct service_creation {
	struct rest *rest; /* NULL: there is none */
	char lease[ID_SIZE];
	int64_t until_us;
};

/* A command under way. */
struct service_work {
	const struct service *service;
	const struct service_call *call;
	const struct command_row *row;
	const char *key; /* of its answer */
	const void *input;
	const struct config *config;
	struct service_creation creation;
	struct service_answer *answer_r;
};

/* A creation that needs no network is part of the transition: accepted and ready in one write. */
static void service_create_local(const struct service *service, struct cause *cause,
	const struct provider *provider, struct request *request, struct effect *create)
{
	const struct provider_call call = {
		.arena = cause->arena,
		.conf = service->conf,
		.config = cause->config,
		.provider = provider,
		.now = cause->now,
	};
	const struct provider_plan plan = provider_plan(request);
	struct effect_outcome outcome = {.err = ERR_OK};
	struct meeting_link link = {0};
	struct err_info info = {0};

	create->attempts++;
	outcome.err = provider_usable(service->conf, cause->config, provider, &info);
	if (outcome.err == ERR_OK)
		outcome.err = provider_create(&call, &plan, false, &link, &info);
	outcome.detail = arena_strdup(cause->arena, info.detail);
	provision_created(cause, request, create, &outcome, &link);
}

static void service_give_rest(struct service_work *work)
{
	if (work->creation.rest)
		rest_pool_give(work->service->rests, work->creation.rest);
	work->creation.rest = NULL;
}

/* Any other is leased to this thread, while not too many ask providers already. */
static void service_begin_creation(
	struct service_work *work, struct cause *cause, struct request *request)
{
	const struct service *service = work->service;
	struct effect *create = meeting_effect(request, EFFECT_MEETING_CREATE);
	const int64_t wait_ms = work->config->policy->inline_wait_ms;
	struct service_creation *creation = &work->creation;
	const struct provider *provider;

	if (!create || create->state != EFFECT_DUE || create->lease || create->due > cause->now)
		return;
	provider = provider_find(request->meeting->provider);
	if (provider && provider->local) {
		service_create_local(service, cause, provider, request, create);
		return;
	}
	if (wait_ms > 0)
		creation->rest = rest_pool_take(service->rests);
	if (!creation->rest)
		return;
	id_random(creation->lease);
	creation->until_us = clock_monotonic_us() + wait_ms * 1000;
	if (!effect_claim_one(request, create, cause->now, creation->lease, EFFECT_LEASE_MS))
		service_give_rest(work);
}

/* The call with its results in the arena of this try. */
static struct service_call service_call_in(const struct service_work *work, struct arena *arena)
{
	struct service_call call = *work->call;

	call.arena = arena;
	return call;
}

/* That a provider can be used which the caller names, or whose link is to take the place of
 * another: that one is not given up for a link that cannot be made. */
static enum err service_check_providers(const struct service_work *work,
	const struct request *request, int64_t before, struct err_info *info)
{
	const struct command_row *row = work->row;
	enum err err = ERR_OK;

	if (row->body)
		err = service_check_named(
			work->service, work->config, row->body, work->input, info);
	if (err == ERR_OK && before && request->meeting->generation > before)
		err = service_check_provider(work->service, work->config,
			request->meeting->requested_provider, "/provider", info);
	return err;
}

/* Whether the body says that the time may overlap that of another meeting. */
static bool service_allows_overlap(const struct service_work *work)
{
	if (work->row->body)
		MODEL_FOREACH_FIELD (work->row->body, field) {
			if (strcmp(field->name, "allow_overlap") == 0)
				return *(const bool *)((const char *)work->input + field->offset);
		}
	return false;
}

/* Whatever it was that gave the meeting its time. */
static enum err service_check_overlaps(const struct service_work *work, struct cause *cause,
	struct request *request, const struct span *before, struct err_info *info)
{
	const struct span span = overlap_span(request);
	struct model_list others = {0};
	enum err err = ERR_OK;

	if (overlap_takes_more(before, request))
		err = store_taken_list(work->service->store, cause->arena,
			request->side[PARTY_LAWYER].person->id, &span, OVERLAP_MOST, &others, info);
	return err == ERR_OK ? overlap_check(cause, request, before, &others,
				       service_allows_overlap(work), info)
			     : err;
}

void service_note_change(struct request *request)
{
	request->failed_at = effect_first_failed(request);
	request->fingerprint = NULL;
}

static enum err service_decide(void *data, struct arena *arena, struct request *request,
	bool *changed_r, struct err_info *info)
{
	struct service_work *work = data;
	const struct service_call call = service_call_in(work, arena);
	const struct request_answer *stored;
	struct cause cause;
	struct span span;
	int64_t before;
	enum err err;

	service_give_rest(work); /* of a try that somebody else was faster than */
	err = service_check_visible(&call, request, info);
	if (err != ERR_OK)
		return err;
	stored = request_answer_find(request, work->key, call.now);
	if (stored) {
		*changed_r = false;
		return service_replay(work->service, &call, stored, request, work->answer_r, info);
	}
	if (call.precondition && !call.precondition(&call, call.tag(work->service, &call, request)))
		return err_set(info, ERR_PRECONDITION_FAILED,
			"The request is not what If-Match says; load it again.");
	service_cause_init(&call, arena, call.source, work->config, &cause);
	before = request->meeting ? request->meeting->generation : 0;
	span = overlap_span(request);
	err = work->row->rule(&cause, request, work->input, changed_r, info);
	if (err == ERR_OK && *changed_r)
		err = command_count(&cause, work->row, request, info);
	if (err == ERR_OK && *changed_r)
		err = service_check_providers(work, request, before, info);
	if (err == ERR_OK && *changed_r)
		err = service_check_overlaps(work, &cause, request, &span, info);
	if (err != ERR_OK)
		return err;
	if (*changed_r) {
		service_begin_creation(work, &cause, request);
		service_note_change(request);
	}
	service_answer(work->service, &call, &cause, request, work->key, work->answer_r);
	/* Nothing to store, but that an answer was given under a key. */
	*changed_r |= call.idempotency_key != NULL;
	return ERR_OK;
}

static void service_settled(void *data, struct cause *cause, struct request *request)
{
	struct service_work *work = data;
	const struct service_call call = service_call_in(work, cause->arena);

	service_note_change(request);
	service_answer(work->service, &call, cause, request, work->key, work->answer_r);
}

/* Who waited for the link sees what came of it, and so does a repeat. */
static void service_finish_creation(struct service_work *work, struct request *request)
{
	const struct service *service = work->service;
	const struct service_call *call = work->call;
	struct service_answer first = *work->answer_r;
	const struct request_answer *kept;
	struct effect_wait wait = {
		.arena = call->arena,
		.request = request,
		.config = work->config,
		.lease = work->creation.lease,
		.until_us = work->creation.until_us,
		.settled = service_settled,
		.data = work,
	};

	service->perform(service->performer, work->creation.rest, &wait);
	/* What could not be stored is not said: the answer of before is true all the same. */
	kept = wait.request ? request_answer_find(wait.request, work->key, call->now) : NULL;
	if (kept && kept->reply) {
		first.reply = kept->reply;
		first.tag = kept->tag;
	}
	*work->answer_r = first;
}

static enum err service_check_input(struct arena *arena, const struct command_row *row, void *input,
	const char *id, struct err_info *info)
{
	if (row->body)
		service_check_fields(arena, row->body, input, "", info);
	if (info->err != ERR_OK)
		return info->err;
	return id_valid(id) ? ERR_OK : service_no_request(info);
}

enum err service_command(const struct service *service, const struct service_call *call,
	enum command command, const char *id, void *input, struct service_answer *answer_r,
	struct err_info *info)
{
	const struct command_row *row = &command_table[command];
	struct service_work work = {
		.service = service,
		.call = call,
		.row = row,
		.key = service_answer_key(call, row->path + 1, id),
		.input = input,
		.answer_r = answer_r,
	};
	struct store_change change = service_change(service, id);
	struct request *request;
	const struct config *config;
	enum err err;

	err = service_check_input(call->arena, row, input, id, info);
	if (err == ERR_OK)
		err = service_config_load(service, call, &config, info);
	if (err != ERR_OK)
		return err;
	work.config = config;
	change.config = config;
	change.rule = service_decide;
	change.data = &work;
	err = store_request_change(&change, call->arena, &request, info);
	if (err == ERR_OK) {
		if (work.creation.rest)
			service_finish_creation(&work, request);
		fault_pass(FAULT_CHANGE_BEFORE_REPLY);
	}
	service_give_rest(&work);
	return err == ERR_NOT_FOUND ? service_no_request(info) : err;
}
