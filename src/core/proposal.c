#include "proposal.h"

#include <string.h>

#include "command.h"
#include "news.h"

const char *const proposal_status_names[] = {
	[PROPOSAL_OPEN] = "open",
	[PROPOSAL_DECLINED] = "declined",
	NULL,
};

#define BOTH (MODEL_STORED | MODEL_SHOWN)

#define FIELD(type, member, flags, ...)                                                            \
	MODEL_FIELD(struct proposal, member, type, BOTH | (flags), __VA_ARGS__)

static const struct model_field proposal_fields[] = {
	FIELD(MODEL_ENUM, status, MODEL_REQUIRED, .names = proposal_status_names),
	FIELD(MODEL_INSTANT, starts_at, MODEL_REQUIRED),
	FIELD(MODEL_INT, duration_minutes, MODEL_REQUIRED),
	FIELD(MODEL_STRING, message, 0),
	FIELD(MODEL_STRING, answer, 0),
	FIELD(MODEL_INSTANT, created_at, 0),
	FIELD(MODEL_INSTANT, answered_at, 0),
};

const struct model proposal_model = MODEL(struct proposal, "proposal", proposal_fields);

#define DRAFT(type, member, flags, ...)                                                            \
	MODEL_FIELD(struct proposal_draft, member, type, flags, __VA_ARGS__)

static const struct model_field draft_fields[] = {
	DRAFT(MODEL_INSTANT, starts_at, MODEL_REQUIRED),
	DRAFT(MODEL_INT, duration_minutes, 0, .min = 5, .max = 1440),
	DRAFT(MODEL_STRING, message, MODEL_MULTILINE, .min = 0, .max = 2000),
};

const struct model proposal_draft_model =
	MODEL(struct proposal_draft, "proposal_draft", draft_fields);

#define RESPONSE(type, member, flags, ...)                                                         \
	MODEL_FIELD(struct proposal_response, member, type, flags, __VA_ARGS__)

static const struct model_field response_fields[] = {
	RESPONSE(MODEL_ENUM, decision, MODEL_REQUIRED, .names = decision_names),
	RESPONSE(MODEL_STRING, message, MODEL_MULTILINE, .min = 0, .max = 2000),
	RESPONSE(MODEL_BOOL, allow_overlap, 0),
};

const struct model proposal_response_model =
	MODEL(struct proposal_response, "proposal_response", response_fields);

int64_t proposal_until(const struct request *request)
{
	return request->proposal ? instant_earlier(request->proposal->starts_at, request->ends_at)
				 : 0;
}

struct proposal *proposal_now(const struct request *request, int64_t now)
{
	return now < proposal_until(request) ? request->proposal : NULL;
}

bool proposal_is_open(const struct request *request, int64_t now)
{
	const struct proposal *proposal = proposal_now(request, now);

	return proposal && proposal->status == PROPOSAL_OPEN;
}

static bool proposal_is_same(
	const struct request *request, const struct proposal *proposal, int64_t now)
{
	const struct proposal *old = request->proposal;

	return proposal_is_open(request, now) && old->starts_at == proposal->starts_at &&
	       old->duration_minutes == proposal->duration_minutes &&
	       strcmp(old->message ? old->message : "",
		       proposal->message ? proposal->message : "") == 0;
}

enum err proposal_make(struct cause *cause, struct request *request, const void *input,
	bool *changed_r, struct err_info *info)
{
	const struct proposal_draft *draft = input;
	struct proposal *proposal = arena_alloc(cause->arena, sizeof(*proposal));
	enum err err;

	*proposal = (struct proposal){
		.status = PROPOSAL_OPEN,
		.starts_at = draft->starts_at,
		.duration_minutes = draft->duration_minutes ? draft->duration_minutes
							    : request->duration_minutes,
		.message = draft->message,
		.created_at = cause->now,
	};
	*changed_r = false;
	if (proposal_is_same(request, proposal, cause->now))
		return ERR_OK;
	err = command_check(COMMAND_PROPOSE, cause->actor.role, request, cause->now, info);
	if (err != ERR_OK)
		return err;
	if (request_check_start(cause, proposal->starts_at, info) != ERR_OK)
		return ERR_INVALID;
	if (proposal->starts_at == request->starts_at &&
		proposal->duration_minutes == request->duration_minutes)
		return err_add_field(info, "/starts_at", "is when the meeting is");
	*changed_r = true;
	request->proposal = proposal;
	request->updated_at = cause->now;
	audit_add(cause, request, "meeting.proposed", request_start_text(cause, request->starts_at),
		request_start_text(cause, proposal->starts_at), NULL);
	news_withdraw_notices(cause, request);
	news_owe_proposal(cause, request);
	return ERR_OK;
}

enum err proposal_withdraw(struct cause *cause, struct request *request, const void *input,
	bool *changed_r, struct err_info *info)
{
	const enum err err = command_check(
		COMMAND_WITHDRAW_PROPOSAL, cause->actor.role, request, cause->now, info);

	(void)input;
	(void)changed_r;
	if (err != ERR_OK)
		return err;
	audit_add(cause, request, "meeting.proposal_withdrawn",
		request_start_text(cause, request->proposal->starts_at), NULL, NULL);
	request->proposal = NULL;
	request->updated_at = cause->now;
	news_withdraw_notices(cause, request);
	return ERR_OK;
}

static void proposal_decline(struct cause *cause, struct request *request, const char *answer)
{
	struct proposal *proposal = request->proposal;

	proposal->status = PROPOSAL_DECLINED;
	proposal->answer = answer;
	proposal->answered_at = cause->now;
	request->updated_at = cause->now;
	audit_add(cause, request, "meeting.proposal_declined",
		request_start_text(cause, proposal->starts_at), NULL, NULL);
	news_withdraw_notices(cause, request);
	news_owe_proposal_refusal(cause, request);
}

enum err proposal_respond(struct cause *cause, struct request *request, const void *input,
	bool *changed_r, struct err_info *info)
{
	const struct proposal_response *response = input;
	const enum err err = command_check(
		COMMAND_DECIDE_PROPOSAL, cause->actor.role, request, cause->now, info);
	const struct proposal *proposal = request->proposal;

	(void)changed_r;
	if (err != ERR_OK)
		return err;
	if (response->decision == DECISION_ACCEPT) {
		request_move(cause, request,
			&(struct move){
				.starts_at = proposal->starts_at,
				.duration_minutes = proposal->duration_minutes,
				.timezone = request->timezone,
				.reason = response->message ? response->message : proposal->message,
				.detail = "as proposed",
			});
		return ERR_OK;
	}
	if (response->allow_overlap)
		return err_add_field(info, "/allow_overlap", "may be set with accept only");
	proposal_decline(cause, request, response->message);
	return ERR_OK;
}
