/* What callers see of requests and meetings. */
#include "calendar_link.h"
#include "command.h"
#include "handler_private.h"
#include "json_write.h"
#include "proposal.h"
#include "provider.h"

static char *handler_gate_url(const struct service *service, const struct service_call *call,
	const struct request *request, enum gate_purpose purpose, enum party party)
{
	return gate_url(
		call->arena, service->ring, purpose, service->conf->public_url, request, party);
}

/* Whether its link leads anywhere, now or later. */
static bool handler_is_joinable(const struct meeting *meeting, int64_t now)
{
	return meeting->status == MEETING_READY && now < meeting->expires_at;
}

/* The meeting with the caller's own links: nobody is shown the other person's. */
static struct meeting *handler_personal_meeting(const struct service *service,
	const struct service_call *call, const struct request *request)
{
	struct meeting *meeting = arena_alloc(call->arena, sizeof(*meeting));
	enum party party;

	*meeting = *request->meeting;
	meeting->warnings = meeting_warnings_for(call->arena, meeting, call->caller.role);
	if (request_party(request, &call->caller, &party)) {
		meeting->calendar_url =
			handler_gate_url(service, call, request, GATE_CALENDAR, party);
		if (handler_is_joinable(meeting, call->now)) {
			meeting->join_url =
				handler_gate_url(service, call, request, GATE_JOIN, party);
			meeting->add_to_calendar =
				calendar_links(call->arena, request, party, meeting->join_url);
		}
	}
	return meeting;
}

/* A link to what is below an address. */
static void handler_write_link(
	struct buf *out, const char *address, const char *name, const char *path)
{
	json_write_name(out, name);
	json_write_joined(out, address, path, NULL);
}

/* The host application gets both people's links, to show each to its own. */
static void handler_write_join_links(struct buf *out, const struct service *service,
	const struct service_call *call, const struct request *request,
	const struct meeting *personal)
{
	if (personal->join_url) {
		json_write_member(out, "join", personal->join_url);
	} else if (call->caller.role == ROLE_SERVICE && handler_is_joinable(personal, call->now)) {
		json_write_member(out, "join_client",
			handler_gate_url(service, call, request, GATE_JOIN, PARTY_CLIENT));
		json_write_member(out, "join_lawyer",
			handler_gate_url(service, call, request, GATE_JOIN, PARTY_LAWYER));
	}
}

/* What the caller may do to the request as it is now. */
static void handler_write_commands(struct buf *out, const struct service_call *call,
	const struct request *request, const char *address)
{
	const struct command_row *row;

	for (row = command_table; row < command_table + COMMAND_COUNT; row++)
		if ((row->roles & ROLE_SET(call->caller.role)) &&
			command_check((enum command)(row - command_table), call->caller.role,
				request, call->now, NULL) == ERR_OK)
			handler_write_link(out, address, row->link, row->path);
}

/* The caller's own page: that of the marketplace, where it has pages. */
static void handler_write_page_link(struct buf *out, const struct service *service,
	const struct service_call *call, const struct request *request)
{
	const char *url = conf_request_url(service->conf, call->arena, request->id);
	enum party party;

	if (!request_party(request, &call->caller, &party))
		return;
	if (!url)
		url = gate_page_url(
			call->arena, service->ring, service->conf->public_url, request, party);
	if (url)
		json_write_member(out, "page_url", url);
}

static bool handler_has_host_link(const struct service_call *call, const struct request *request)
{
	const struct provider *provider = provider_find(request->meeting->provider);

	return call->caller.role == ROLE_LAWYER && provider && provider->host_url &&
	       handler_is_joinable(request->meeting, call->now);
}

/* `personal`: its meeting as the caller sees it; NULL: there is none. */
static void handler_write_links(struct buf *out, const struct service *service,
	const struct service_call *call, const struct request *request,
	const struct meeting *personal)
{
	const char *address = arena_concat(
		call->arena, service->conf->public_url, "/api/requests/", request->id, NULL);

	json_write_name(out, "links");
	json_write_open(out, '{');
	handler_write_link(out, address, "self", "");
	handler_write_commands(out, call, request, address);
	if (personal) {
		handler_write_link(out, address, "meeting", "/meeting");
		if (personal->calendar_url)
			handler_write_link(out, address, "calendar", "/calendar.ics");
		handler_write_join_links(out, service, call, request, personal);
		if (handler_has_host_link(call, request))
			handler_write_link(out, address, "host", "/meeting/host");
	}
	handler_write_page_link(out, service, call, request);
	handler_write_link(out, address, "audit", "/audit");
	json_write_close(out, '}');
}

void handler_write_request_members(struct buf *out, const struct service *service,
	const struct service_call *call, const struct request *request)
{
	struct request shown = *request;

	shown.proposal = proposal_now(request, call->now);
	if (request->meeting)
		shown.meeting = handler_personal_meeting(service, call, request);
	model_write_members(&request_model, &shown, MODEL_SHOWN, out);
	handler_write_links(out, service, call, request, shown.meeting);
}

void handler_write_request(struct buf *out, const struct service *service,
	const struct service_call *call, const struct request *request)
{
	json_write_open(out, '{');
	handler_write_request_members(out, service, call, request);
	json_write_close(out, '}');
}

void handler_write_meeting(struct buf *out, const struct service *service,
	const struct service_call *call, const struct request *request)
{
	model_write(
		&meeting_model, handler_personal_meeting(service, call, request), MODEL_SHOWN, out);
}

void handler_begin_page(struct buf *out)
{
	json_write_open(out, '{');
	json_write_name(out, "items");
	json_write_open(out, '[');
}

void handler_end_page(struct buf *out, const char *next_cursor)
{
	json_write_close(out, ']');
	json_write_member(out, "next_cursor", next_cursor);
	json_write_close(out, '}');
}
