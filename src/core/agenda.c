#include "agenda.h"

#include <string.h>

#include "attention.h"
#include "proposal.h"

/* When it came to its present status. The trail says so, until that part of it is archived: then it
 * has been noted. */
static int64_t agenda_status_at(const struct request *request)
{
	const char *status = request_status_names[request->status];
	const struct audit_event *event;
	size_t i;

	for (i = request->events.count; i-- > 0;) {
		event = MODEL_AT(&request->events, struct audit_event, i);
		if (event->to && strcmp(event->to, status) == 0 &&
			strncmp(event->action, "request.", strlen("request.")) == 0)
			return event->at;
	}
	return request->over_at ? request->over_at : request->updated_at;
}

static bool agenda_has_cancelled_meeting(const struct request *request)
{
	return request->meeting && request->meeting->status == MEETING_CANCELLED;
}

static int64_t agenda_over_at(const struct request *request)
{
	switch ((enum request_status)request->status) {
	case REQUEST_OPEN:
	case REQUEST_LAPSED:
		return request->starts_at;
	case REQUEST_ACCEPTED:
	case REQUEST_COMPLETED:
		return agenda_has_cancelled_meeting(request) && request->meeting->ended_at
			       ? request->meeting->ended_at
			       : request->ends_at;
	case REQUEST_DECLINED:
	case REQUEST_CANCELLED:
		break;
	}
	return agenda_status_at(request);
}

/* What waits for somebody does so until one of the request's two times, or for good. What is open
 * has no proposal, and a proposal ends no later than the meeting. */
static int64_t agenda_needed_until(const struct request *request, enum role role)
{
	int64_t last;

	if (request_attention(request, role, AGENDA_ALWAYS - 1))
		return AGENDA_ALWAYS;
	if (request_attention(request, role, request->ends_at - 1))
		return request->ends_at;
	last = request->proposal ? proposal_until(request) : request->starts_at;
	return request_attention(request, role, last - 1) ? last : 0;
}

void agenda_set(struct request *request)
{
	request->shelf = NULL;
	if (request->status == REQUEST_OPEN)
		request->shelf = AGENDA_OPEN;
	else if (request->status == REQUEST_ACCEPTED && !agenda_has_cancelled_meeting(request))
		request->shelf = AGENDA_UPCOMING;
	request->over_at = agenda_over_at(request);
	request->client_until = agenda_needed_until(request, ROLE_CLIENT);
	request->lawyer_until = agenda_needed_until(request, ROLE_LAWYER);
	request->admin_until = agenda_needed_until(request, ROLE_ADMIN);
	request->proposed_until = proposal_is_open(request, 0) ? proposal_until(request) : 0;
}
