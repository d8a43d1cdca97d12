/* What callers see of requests and meetings. */
#include <json-c/json.h>
#include <string.h>

#include "calendar_link.h"
#include "command.h"
#include "handler_private.h"
#include "provider.h"

enum { HANDLER_CURSOR_BYTES = 8 + ID_BYTES, HANDLER_CURSOR_SIZE = 33 };

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

static void handler_add_link(struct json_object *links, const char *name, const char *url)
{
	json_object_object_add(links, name, json_object_new_string(url));
}

static void handler_add_action(const struct service *service, const struct service_call *call,
	const struct request *request, struct json_object *links, const char *name,
	const char *suffix)
{
	handler_add_link(links, name,
		arena_printf(call->arena, "%s/api/requests/%s%s", service->conf->public_url,
			request->id, suffix));
}

/* The host application gets both people's links, to show each to its own. */
static void handler_add_join_links(const struct service *service, const struct service_call *call,
	const struct request *request, struct json_object *links)
{
	enum party party;

	if (!handler_is_joinable(request->meeting, call->now))
		return;
	if (request_party(request, &call->caller, &party)) {
		handler_add_link(
			links, "join", handler_gate_url(service, call, request, GATE_JOIN, party));
	} else if (call->caller.role == ROLE_SERVICE) {
		handler_add_link(links, "join_client",
			handler_gate_url(service, call, request, GATE_JOIN, PARTY_CLIENT));
		handler_add_link(links, "join_lawyer",
			handler_gate_url(service, call, request, GATE_JOIN, PARTY_LAWYER));
	}
}

/* What the caller may do to the request as it is now. */
static void handler_add_commands(const struct service *service, const struct service_call *call,
	const struct request *request, struct json_object *links)
{
	const struct command_row *row;

	for (row = command_table; row < command_table + COMMAND_COUNT; row++)
		if ((row->roles & ROLE_SET(call->caller.role)) &&
			command_check((enum command)(row - command_table), request, call->now,
				NULL) == ERR_OK)
			handler_add_action(service, call, request, links, row->link, row->path);
}

static bool handler_has_host_link(const struct service_call *call, const struct request *request)
{
	const struct provider *provider = provider_find(request->meeting->provider);

	return call->caller.role == ROLE_LAWYER && provider && provider->host_url &&
	       handler_is_joinable(request->meeting, call->now);
}

static struct json_object *handler_links(const struct service *service,
	const struct service_call *call, const struct request *request)
{
	struct json_object *links = json_object_new_object();
	enum party party;

	handler_add_action(service, call, request, links, "self", "");
	handler_add_commands(service, call, request, links);
	if (request->meeting) {
		handler_add_action(service, call, request, links, "meeting", "/meeting");
		if (request_party(request, &call->caller, &party))
			handler_add_action(
				service, call, request, links, "calendar", "/calendar.ics");
		handler_add_join_links(service, call, request, links);
		if (handler_has_host_link(call, request))
			handler_add_action(service, call, request, links, "host", "/meeting/host");
	}
	handler_add_action(service, call, request, links, "audit", "/audit");
	return links;
}

struct json_object *handler_request_json(const struct service *service,
	const struct service_call *call, const struct request *request)
{
	struct request shown = *request;
	struct json_object *json;

	if (request->meeting)
		shown.meeting = handler_personal_meeting(service, call, request);
	json = model_to_json(&request_model, &shown, MODEL_SHOWN);
	json_object_object_add(json, "links", handler_links(service, call, request));
	return json;
}

struct json_object *handler_meeting_json(const struct service *service,
	const struct service_call *call, const struct request *request)
{
	return model_to_json(
		&meeting_model, handler_personal_meeting(service, call, request), MODEL_SHOWN);
}

static char *handler_cursor(struct arena *arena, const struct store_position *position)
{
	unsigned char bytes[HANDLER_CURSOR_BYTES] = {0};
	char *text = arena_alloc(arena, HANDLER_CURSOR_SIZE);

	memcpy(bytes, &position->starts_at, sizeof(position->starts_at));
	id_decode(position->id, bytes + sizeof(position->starts_at));
	base64url_encode(bytes, sizeof(bytes), text, HANDLER_CURSOR_SIZE);
	return text;
}

struct json_object *handler_page_json(const struct service *service,
	const struct service_call *call, const struct model_list *requests,
	const struct store_position *next)
{
	struct json_object *page = json_object_new_object();
	struct json_object *items = json_object_new_array();

	MODEL_FOREACH (requests, struct request *, request) {
		json_object_array_add(items, handler_request_json(service, call, *request));
	}
	json_object_object_add(page, "items", items);
	json_object_object_add(page, "next_cursor",
		next->id ? json_object_new_string(handler_cursor(call->arena, next)) : NULL);
	return page;
}

bool handler_cursor_read(
	struct arena *arena, const char *text, int64_t *starts_at_r, const char **id_r)
{
	unsigned char bytes[HANDLER_CURSOR_BYTES];
	char *id = arena_alloc(arena, ID_SIZE);

	if (!base64url_decode(text, bytes, sizeof(bytes)))
		return false;
	memcpy(starts_at_r, bytes, sizeof(*starts_at_r));
	id_encode(bytes + sizeof(*starts_at_r), id);
	*id_r = id;
	return true;
}
