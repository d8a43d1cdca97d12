/* THE ROUTE TABLE: method, path, handler, who may, flags, body, query. API.md is its contract. */
#include "app.h"
#include "handler.h"
#include "request.h"

#define CLIENT  ROLE_SET(ROLE_CLIENT)
#define LAWYER  ROLE_SET(ROLE_LAWYER)
#define ADMIN   ROLE_SET(ROLE_ADMIN)
#define SERVICE ROLE_SET(ROLE_SERVICE)
#define ANYONE  0
#define ALL     (CLIENT | LAWYER | ADMIN | SERVICE)

const struct http_route app_routes[] = {
	{HTTP_POST, "/api/requests", handler_request_create, CLIENT | SERVICE | ADMIN, 0,
		&request_draft_model, NULL, "File a request"},
	{HTTP_GET, "/api/requests", handler_request_list, ALL, 0, NULL, &handler_list_query_model,
		"List your requests"},
	{HTTP_GET, "/api/requests/{}", handler_request_get, ALL, 0, NULL, NULL,
		"One request with its meeting"},
	{HTTP_POST, "/api/requests/{}/respond", handler_request_respond, LAWYER | SERVICE | ADMIN,
		0, &request_response_model, NULL, "Accept or decline"},
	{HTTP_POST, "/api/requests/{}/cancel", handler_request_cancel, ALL, HTTP_BODY_OPTIONAL,
		&request_cancellation_model, NULL, "Cancel request and meeting"},
	{HTTP_GET, "/api/requests/{}/meeting", handler_meeting_get, ALL, 0, NULL, NULL,
		"The current meeting"},
	{HTTP_GET, "/api/requests/{}/calendar.ics", handler_calendar_get, CLIENT | LAWYER,
		HTTP_PAGE, NULL, NULL, "The meeting as a calendar file"},
	{HTTP_GET, "/api/requests/{}/audit", handler_audit_get, ALL, 0, NULL,
		&handler_audit_query_model, "The audit trail"},
	{HTTP_GET, "/api/dashboard", handler_dashboard_get, CLIENT | LAWYER | ADMIN, 0, NULL, NULL,
		"What matters now"},
	{HTTP_GET, "/calendar/event/{}.ics", handler_calendar_event_get, ANYONE, HTTP_PAGE, NULL,
		NULL, "The calendar file for the holder of a mailed link"},
	{HTTP_GET, "/join/{}", handler_gate_enter, ANYONE, HTTP_PAGE | HTTP_NO_ETAG, NULL, NULL,
		"The join gate"},
	{HTTP_GET, "/healthz", handler_health, ANYONE, HTTP_NO_ETAG, NULL, NULL, "Alive"},
	{HTTP_GET, "/readyz", handler_ready, ANYONE, HTTP_NO_ETAG, NULL, NULL, "Ready to serve"},
};

const size_t app_route_count = sizeof(app_routes) / sizeof(app_routes[0]);
