#include "attention.h"

#include "proposal.h"

static bool attention_meeting_is(const struct request *request, enum meeting_status status)
{
	return request->status == REQUEST_ACCEPTED && request->meeting->status == (int)status;
}

static bool attention_warned(const struct request *request, const char *code)
{
	return request->meeting && meeting_warning(request->meeting, code);
}

static bool attention_open(const struct request *request, int64_t now)
{
	return request->status == REQUEST_OPEN && now < request->starts_at;
}

static bool attention_failed(const struct request *request, int64_t now)
{
	return attention_meeting_is(request, MEETING_FAILED) && now < request->ends_at;
}

static bool attention_cancelled(const struct request *request, int64_t now)
{
	return attention_meeting_is(request, MEETING_CANCELLED) && now < request->ends_at;
}

/* The warnings stand from the first failure on; a person has to act when it was the last. */
static bool attention_not_updated(const struct request *request, int64_t now)
{
	return attention_meeting_is(request, MEETING_READY) && now < request->ends_at &&
	       request->failed_at && attention_warned(request, WARNING_NOT_UPDATED);
}

static bool attention_not_deleted(const struct request *request, int64_t now)
{
	(void)now;
	return request->failed_at && attention_warned(request, WARNING_ORPHAN);
}

static bool attention_declined(const struct request *request, int64_t now)
{
	return request->status == REQUEST_ACCEPTED && now < request->ends_at &&
	       request->meeting->status != MEETING_CANCELLED &&
	       request->meeting->attendance->state[PARTY_CLIENT] == ATTENDANCE_DECLINED;
}

/* Whoever is to be there cannot be written to. */
static bool attention_undeliverable(const struct request *request)
{
	return request->status == REQUEST_ACCEPTED &&
	       (request->side[PARTY_CLIENT].person->undeliverable ||
		       request->side[PARTY_LAWYER].person->undeliverable);
}

/* Without a meeting, a mail is all that can have failed. */
static bool attention_not_told(const struct request *request, int64_t now)
{
	if (attention_undeliverable(request) && now < request->ends_at)
		return true;
	return request->failed_at && now < request->ends_at &&
	       (!request->meeting || attention_warned(request, WARNING_CLIENT_NOT_TOLD) ||
		       attention_warned(request, WARNING_LAWYER_NOT_TOLD));
}

static bool attention_overlaps(const struct request *request, int64_t now)
{
	return request->status == REQUEST_ACCEPTED && now < request->ends_at &&
	       attention_warned(request, WARNING_OVERLAPS);
}

static bool attention_proposal_declined(const struct request *request, int64_t now)
{
	return proposal_now(request, now) && !proposal_is_open(request, now);
}

static const struct {
	unsigned roles;
	bool (*stands)(const struct request *request, int64_t now);
} attention_table[ATTENTION_COUNT] = {
	[ATTENTION_OPEN] = {FOR_LAWYER, attention_open},
	[ATTENTION_FAILED] = {FOR_LAWYER | FOR_ADMIN, attention_failed},
	[ATTENTION_CANCELLED] = {FOR_LAWYER, attention_cancelled},
	[ATTENTION_NOT_UPDATED] = {FOR_LAWYER | FOR_ADMIN, attention_not_updated},
	[ATTENTION_NOT_DELETED] = {FOR_LAWYER | FOR_ADMIN, attention_not_deleted},
	[ATTENTION_NOT_TOLD] = {FOR_LAWYER | FOR_ADMIN, attention_not_told},
	[ATTENTION_OVERLAPS] = {FOR_LAWYER, attention_overlaps},
	[ATTENTION_DECLINED] = {FOR_LAWYER, attention_declined},
	[ATTENTION_PROPOSAL] = {FOR_LAWYER, proposal_is_open},
	[ATTENTION_PROPOSAL_DECLINED] = {FOR_CLIENT, attention_proposal_declined},
};

const char *const attention_names[] = {
	[ATTENTION_OPEN] = "open",
	[ATTENTION_FAILED] = "failed",
	[ATTENTION_CANCELLED] = "cancelled",
	[ATTENTION_NOT_UPDATED] = "not_updated",
	[ATTENTION_NOT_DELETED] = "not_deleted",
	[ATTENTION_NOT_TOLD] = "not_told",
	[ATTENTION_OVERLAPS] = "overlaps",
	[ATTENTION_DECLINED] = "declined",
	[ATTENTION_PROPOSAL] = "proposal",
	[ATTENTION_PROPOSAL_DECLINED] = "proposal_declined",
	NULL,
};

unsigned request_attention(const struct request *request, enum role role, int64_t now)
{
	unsigned reasons = 0;
	int reason;

	for (reason = 0; reason < ATTENTION_COUNT; reason++)
		if ((attention_table[reason].roles & ROLE_SET(role)) &&
			attention_table[reason].stands(request, now))
			reasons |= 1u << reason;
	return reasons;
}
