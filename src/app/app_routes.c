/* THE ROUTE TABLE: method, path, handler, who may, flags, body, query. API.md is its contract. */
#include "app.h"
#include "handler.h"
#include "outbox.h"
#include "request.h"
#include "subscriber.h"

#define ANYONE 0

const struct http_route app_routes[] = {
	{HTTP_POST, "/api/requests", handler_request_create, FOR_CLIENT | FOR_SERVICE | FOR_ADMIN,
		0, &request_draft_model, NULL, "File a request"},
	{HTTP_GET, "/api/requests", handler_request_list, FOR_ALL, 0, NULL,
		&handler_list_query_model, "List your requests"},
	{HTTP_GET, "/api/requests/{}", handler_request_get, FOR_ALL, 0, NULL, NULL,
		"One request with its meeting"},
#define COMMAND(command, words, below, input, optional, callers, summary, ...)                     \
	{HTTP_POST, "/api/requests/{}" below, handler_command_##command, (callers),                \
		(optional) ? HTTP_BODY_OPTIONAL : 0, (input), NULL, summary},
#include "command_table.h"
#undef COMMAND
	{HTTP_GET, "/api/requests/{}/meeting", handler_meeting_get, FOR_ALL, 0, NULL, NULL,
		"The current meeting"},
	{HTTP_GET, "/api/requests/{}/meetings", handler_meeting_list, FOR_ALL, 0, NULL, NULL,
		"Every generation of the meeting"},
	{HTTP_GET, "/api/requests/{}/meeting/host", handler_meeting_host, FOR_LAWYER,
		HTTP_PAGE | HTTP_NO_ETAG | HTTP_FIRST, NULL, NULL, "Enter as the host"},
	{HTTP_GET, "/api/requests/{}/calendar.ics", handler_calendar_get, FOR_CLIENT | FOR_LAWYER,
		HTTP_PAGE, NULL, NULL, "The meeting as a calendar file"},
	{HTTP_GET, "/api/requests/{}/audit", handler_audit_get, FOR_ALL, 0, NULL,
		&handler_audit_query_model, "The audit trail"},
	{HTTP_GET, "/api/audit", handler_audit_list, FOR_ADMIN, HTTP_LAST, NULL,
		&handler_trail_query_model, "The events of all audit trails"},
	{HTTP_POST, "/api/people/{}/erase", handler_person_erase, FOR_ADMIN | FOR_SERVICE,
		HTTP_BODY_OPTIONAL | HTTP_LAST, NULL, NULL, "Erase a person's name and address"},
	{HTTP_GET, "/api/dashboard", handler_dashboard_get, FOR_CLIENT | FOR_LAWYER | FOR_ADMIN, 0,
		NULL, NULL, "What matters now"},
	{HTTP_GET, "/api/config/meetings", handler_config_policy_get, FOR_ADMIN, 0, NULL, NULL,
		"The policy for meetings"},
	{HTTP_PUT, "/api/config/meetings", handler_config_policy_put, FOR_ADMIN, HTTP_BODY_JSON,
		NULL, NULL, "Change the policy"},
	{HTTP_GET, "/api/config/providers", handler_config_provider_list, FOR_ADMIN, 0, NULL,
		&handler_audit_query_model, "Every known provider"},
	{HTTP_GET, "/api/config/providers/{}", handler_config_provider_get, FOR_ADMIN, 0, NULL,
		NULL, "One provider"},
	{HTTP_PUT, "/api/config/providers/{}", handler_config_provider_put, FOR_ADMIN,
		HTTP_BODY_JSON, NULL, NULL, "Change a provider's settings and credentials"},
	{HTTP_DELETE, "/api/config/providers/{}", handler_config_provider_delete, FOR_ADMIN, 0,
		NULL, NULL, "Remove a provider's settings and credentials"},
	{HTTP_POST, "/api/config/providers/{}/validate", handler_config_provider_validate,
		FOR_ADMIN, HTTP_BODY_JSON | HTTP_BODY_OPTIONAL, NULL, NULL,
		"Ask a provider whether its settings and credentials work"},
	{HTTP_GET, "/api/outbox", handler_outbox_list, FOR_ADMIN, 0, NULL,
		&handler_outbox_query_model, "What is owed, and what was given up"},
	{HTTP_POST, "/api/outbox/{}/retry", handler_outbox_retry, FOR_ADMIN, HTTP_BODY_OPTIONAL,
		NULL, NULL, "Try again what was given up"},
	{HTTP_POST, "/api/outbox/{}/discard", handler_outbox_discard, FOR_ADMIN, HTTP_BODY_OPTIONAL,
		NULL, NULL, "Never try again what was given up"},
	{HTTP_POST, "/api/outbox/{}/readdress", handler_outbox_readdress, FOR_ADMIN, 0,
		&outbox_readdressing_model, NULL, "Send a mail to another address"},
	{HTTP_GET, "/api/config/webhooks", handler_subscriber_list, FOR_ADMIN, 0, NULL,
		&handler_audit_query_model, "Who is told what happens"},
	{HTTP_POST, "/api/config/webhooks", handler_subscriber_register, FOR_ADMIN, 0,
		&subscriber_draft_model, NULL, "Have a program told what happens"},
	{HTTP_DELETE, "/api/config/webhooks/{}", handler_subscriber_remove, FOR_ADMIN, 0, NULL,
		NULL, "Tell a program nothing more"},
	{HTTP_POST, "/api/config/webhooks/{}/rotate", handler_subscriber_rotate, FOR_ADMIN,
		HTTP_BODY_OPTIONAL, NULL, NULL, "A new secret, beside the one of before for a day"},
	{HTTP_GET, "/api/config/webhooks/{}/deliveries", handler_delivery_list, FOR_ADMIN, 0, NULL,
		&handler_audit_query_model, "What a program was told"},
	{HTTP_POST, "/api/config/webhooks/{}/deliveries/{}/redeliver", handler_delivery_again,
		FOR_ADMIN, HTTP_BODY_OPTIONAL, NULL, NULL, "Tell it once more"},
	{HTTP_GET, "/calendar/event/{}.ics", handler_calendar_event_get, ANYONE,
		HTTP_PAGE | HTTP_MAILED, NULL, NULL,
		"The calendar file for the holder of a mailed link"},
	{HTTP_GET, "/join/{}", handler_gate_enter, ANYONE,
		HTTP_PAGE | HTTP_MAILED | HTTP_NO_ETAG | HTTP_FIRST, NULL, NULL, "The join gate"},
	{HTTP_POST, "/api/webhooks/{}", handler_webhook, ANYONE, HTTP_BODY_RAW | HTTP_NO_ETAG, NULL,
		NULL, "What a provider reports"},
	{HTTP_GET, "/healthz", handler_health, ANYONE, HTTP_NO_ETAG | HTTP_UNQUEUED, NULL, NULL,
		"Alive"},
	{HTTP_GET, "/readyz", handler_ready, ANYONE, HTTP_NO_ETAG | HTTP_FIRST, NULL, NULL,
		"Ready to serve"},
};

const size_t app_route_count = sizeof(app_routes) / sizeof(app_routes[0]);
