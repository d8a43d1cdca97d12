/* THE ROUTE TABLE: method, path, handler, who may, flags, body, query. API.md is its contract. */
#include "app.h"
#include "delivery.h"
#include "handler.h"
#include "outbox.h"
#include "policy.h"
#include "proposal.h"
#include "request.h"
#include "service_audit.h"
#include "service_config.h"
#include "subscriber.h"

#define ANYONE 0

/* What they answer. */
#define JSON                 "application/json"
#define ICS                  "text/calendar"
#define HTML                 "text/html"
#define FORM                 "application/x-www-form-urlencoded"
#define ANSWER(status, what) .answers = {{(status), JSON, (what)}}
#define CALENDAR             .answers = {{200, ICS, NULL}}
#define NOTHING              .answers = {{204, NULL, NULL}}

/* How a decision on what is owed is refused. */
#define DECIDED                                                                                    \
	(ERR_SET(KEY_REUSED) | ERR_SET(BUSY) | ERR_SET(NOT_FAILED) | ERR_SET(EFFECT_RUNNING))

/* What stands for the {} of their paths, where it is no id of ours. */
static const struct model_field
	id_param = {.name = "id", .type = MODEL_STRING, .flags = MODEL_TOKEN},
	delivery_param = {.name = "delivery_id", .type = MODEL_STRING, .flags = MODEL_TOKEN},
	actor_param = {.name = "id", .type = MODEL_STRING, .flags = MODEL_ACTOR},
	provider_param = {.name = "name", .type = MODEL_STRING, .flags = MODEL_PROVIDER},
	token_param = {.name = "token", .type = MODEL_STRING, .flags = MODEL_TOKEN};

const struct http_route app_routes[] = {
	{HTTP_POST, "/api/requests", handler_request_create, FOR_CLIENT | FOR_SERVICE | FOR_ADMIN,
		0, &request_draft_model, NULL, "File a request",
		.answers = {{201, JSON, &handler_request_answer, .location = true}},
		.errors = ERR_SET(KEY_REUSED)},
	{HTTP_GET, "/api/requests", handler_request_list, FOR_ALL, 0, NULL,
		&handler_list_query_model, "List your requests",
		ANSWER(200, &handler_request_page)},
	{HTTP_GET, "/api/requests/{}", handler_request_get, FOR_ALL, 0, NULL, NULL,
		"One request with its meeting", ANSWER(200, &handler_request_answer)},
#define COMMAND(command, words, method, below, input, optional, callers, summary, ...)             \
	{HTTP_##method, "/api/requests/{}" below, handler_command_##command, (callers),            \
		HTTP_IF_MATCH | ((optional) ? HTTP_BODY_OPTIONAL : 0), (input), NULL, summary,     \
		ANSWER(200, &handler_request_answer)},
#include "command_table.h"
#undef COMMAND
	{HTTP_GET, "/api/requests/{}/meeting", handler_meeting_get, FOR_ALL, 0, NULL, NULL,
		"The current meeting", ANSWER(200, &meeting_model), .errors = ERR_SET(NO_MEETING)},
	{HTTP_GET, "/api/requests/{}/meetings", handler_meeting_list, FOR_ALL, 0, NULL, NULL,
		"Every generation of the meeting", ANSWER(200, &handler_meeting_page)},
	{HTTP_GET, "/api/requests/{}/meeting/host", handler_meeting_host, FOR_LAWYER,
		HTTP_PAGE | HTTP_NO_ETAG | HTTP_FIRST, NULL, NULL, "Enter as the host",
		.answers = {{302, NULL, NULL, .location = true}, {200, JSON, &handler_host_answer}},
		.errors = ERR_SET(NO_MEETING) | ERR_SET(NO_HOST_LINK) | ERR_SET(STILL_PENDING) |
			  ERR_SET(MEETING_OVER) | ERR_SET(MEETING_ENDED) | ERR_SET(BUSY) |
			  ERR_SET(TEMPORARY) | ERR_SET(OUTCOME_UNKNOWN) | ERR_SET(UNAVAILABLE)},
	{HTTP_GET, "/api/requests/{}/calendar.ics", handler_calendar_get, FOR_CLIENT | FOR_LAWYER,
		HTTP_PAGE, NULL, NULL, "The meeting as a calendar file", CALENDAR,
		.errors = ERR_SET(NO_MEETING)},
	{HTTP_GET, "/api/requests/{}/audit", handler_audit_get, FOR_ALL, 0, NULL,
		&handler_audit_query_model, "The audit trail", ANSWER(200, &handler_audit_page)},
	{HTTP_GET, "/api/requests/{}/audit/verify", handler_audit_verify, FOR_ADMIN,
		HTTP_NO_ETAG | HTTP_LAST, NULL, NULL, "Whether the audit trail is whole",
		ANSWER(200, &service_verdict_model)},
	{HTTP_GET, "/api/audit", handler_audit_list, FOR_ADMIN, HTTP_LAST, NULL,
		&handler_trail_query_model, "The events of all audit trails",
		ANSWER(200, &handler_audit_page)},
	{HTTP_POST, "/api/people/{}/erase", handler_person_erase, FOR_ADMIN | FOR_SERVICE,
		HTTP_BODY_OPTIONAL | HTTP_LAST, NULL, NULL, "Erase a person's name and address",
		ANSWER(200, &handler_erasure_answer), .errors = ERR_SET(BUSY),
		.params = {&actor_param}},
	{HTTP_GET, "/api/dashboard", handler_dashboard_get, FOR_CLIENT | FOR_LAWYER | FOR_ADMIN, 0,
		NULL, NULL, "What matters now", ANSWER(200, &handler_dashboard_answer)},
	{HTTP_GET, "/api/lawyers/{}/busy", handler_busy_get, FOR_LAWYER | FOR_ADMIN | FOR_SERVICE,
		HTTP_PAGE, NULL, &handler_busy_query_model, "When a lawyer has meetings",
		.answers = {{200, JSON, &handler_busy_answer}, {200, ICS, NULL}},
		.errors = ERR_SET(NOT_ACCEPTABLE), .params = {&actor_param}},
	{HTTP_GET, "/api/config/meetings", handler_config_policy_get, FOR_ADMIN, 0, NULL, NULL,
		"The policy for meetings", ANSWER(200, &policy_model)},
	{HTTP_PUT, "/api/config/meetings", handler_config_policy_put, FOR_ADMIN,
		HTTP_BODY_JSON | HTTP_IF_MATCH, &policy_model, NULL, "Change the policy",
		ANSWER(200, &policy_model), .errors = ERR_SET(BUSY)},
	{HTTP_GET, "/api/config/providers", handler_config_provider_list, FOR_ADMIN, 0, NULL,
		&handler_audit_query_model, "Every known provider",
		ANSWER(200, &handler_provider_page)},
	{HTTP_GET, "/api/config/providers/{}", handler_config_provider_get, FOR_ADMIN, 0, NULL,
		NULL, "One provider", ANSWER(200, &handler_provider_answer),
		.params = {&provider_param}},
	{HTTP_PUT, "/api/config/providers/{}", handler_config_provider_put, FOR_ADMIN,
		HTTP_BODY_JSON | HTTP_IF_MATCH, NULL, NULL,
		"Change a provider's settings and credentials",
		ANSWER(200, &handler_provider_answer), .errors = ERR_SET(BUSY),
		.params = {&provider_param}, .bodies = handler_provider_changes},
	{HTTP_DELETE, "/api/config/providers/{}", handler_config_provider_delete, FOR_ADMIN,
		HTTP_IF_MATCH, NULL, NULL, "Remove a provider's settings and credentials", NOTHING,
		.errors = ERR_SET(BUSY), .params = {&provider_param}},
	{HTTP_POST, "/api/config/providers/{}/validate", handler_config_provider_validate,
		FOR_ADMIN, HTTP_BODY_JSON | HTTP_BODY_OPTIONAL, NULL, NULL,
		"Ask a provider whether its settings and credentials work",
		ANSWER(200, &service_validation_model), .params = {&provider_param},
		.bodies = handler_provider_validations},
	{HTTP_GET, "/api/outbox", handler_outbox_list, FOR_ADMIN, 0, NULL,
		&handler_outbox_query_model, "What is owed, and what was given up",
		ANSWER(200, &handler_outbox_page)},
	{HTTP_GET, "/api/figures", handler_figures, FOR_ADMIN, HTTP_NO_ETAG, NULL, NULL,
		"What the host that answers has counted since its start",
		ANSWER(200, &handler_figures_answer)},
	{HTTP_POST, "/api/outbox/{}/retry", handler_outbox_retry, FOR_ADMIN, HTTP_BODY_OPTIONAL,
		NULL, NULL, "Try again what was given up", ANSWER(200, &handler_request_answer),
		.errors = DECIDED},
	{HTTP_POST, "/api/outbox/{}/discard", handler_outbox_discard, FOR_ADMIN, HTTP_BODY_OPTIONAL,
		NULL, NULL, "Never try again what was given up",
		ANSWER(200, &handler_request_answer), .errors = DECIDED},
	{HTTP_POST, "/api/outbox/{}/readdress", handler_outbox_readdress, FOR_ADMIN, 0,
		&outbox_readdressing_model, NULL, "Send a mail to another address",
		ANSWER(200, &handler_request_answer), .errors = DECIDED | ERR_SET(GONE)},
	{HTTP_GET, "/api/config/webhooks", handler_subscriber_list, FOR_ADMIN, 0, NULL,
		&handler_audit_query_model, "Who is told what happens",
		ANSWER(200, &handler_webhook_page)},
	{HTTP_POST, "/api/config/webhooks", handler_subscriber_register, FOR_ADMIN, 0,
		&subscriber_draft_model, NULL, "Have a program told what happens",
		ANSWER(201, &handler_webhook_answer),
		.errors = ERR_SET(KEY_REUSED) | ERR_SET(TOO_MANY_WEBHOOKS) | ERR_SET(BUSY)},
	{HTTP_DELETE, "/api/config/webhooks/{}", handler_subscriber_remove, FOR_ADMIN, 0, NULL,
		NULL, "Tell a program nothing more", NOTHING, .errors = ERR_SET(BUSY)},
	{HTTP_POST, "/api/config/webhooks/{}/rotate", handler_subscriber_rotate, FOR_ADMIN,
		HTTP_BODY_OPTIONAL, NULL, NULL, "A new secret, beside the one of before for a day",
		ANSWER(200, &handler_webhook_answer),
		.errors = ERR_SET(BUSY) | ERR_SET(TOO_MANY_CHANGES)},
	{HTTP_GET, "/api/config/webhooks/{}/deliveries", handler_delivery_list, FOR_ADMIN, 0, NULL,
		&handler_audit_query_model, "What a program was told",
		ANSWER(200, &handler_delivery_page)},
	{HTTP_POST, "/api/config/webhooks/{}/deliveries/{}/redeliver", handler_delivery_again,
		FOR_ADMIN, HTTP_BODY_OPTIONAL, NULL, NULL, "Tell it once more",
		ANSWER(200, &delivery_model),
		.errors = ERR_SET(EFFECT_RUNNING) | ERR_SET(GONE) | ERR_SET(BUSY),
		.params = {&id_param, &delivery_param}},
	{HTTP_GET, "/calendar/event/{}.ics", handler_calendar_event_get, ANYONE,
		HTTP_PAGE | HTTP_MAILED, NULL, NULL,
		"The calendar file for the holder of a mailed link", CALENDAR,
		.errors = ERR_SET(NO_MEETING), .params = {&token_param}},
	{HTTP_POST, "/api/calendar/feed", handler_feed_create, FOR_CLIENT | FOR_LAWYER,
		HTTP_BODY_OPTIONAL, NULL, NULL, "Get a calendar feed of your own, or a new address",
		ANSWER(200, &handler_feed_answer), .errors = ERR_SET(BUSY)},
	{HTTP_DELETE, "/api/calendar/feed", handler_feed_delete, FOR_CLIENT | FOR_LAWYER, 0, NULL,
		NULL, "Close your calendar feed", NOTHING},
	{HTTP_GET, "/calendar/feed/{}.ics", handler_feed_get, ANYONE, HTTP_PAGE | HTTP_LAST, NULL,
		NULL, "All meetings, for the calendar program that has the address", CALENDAR,
		.params = {&token_param}},
	{HTTP_GET, "/join/{}", handler_gate_enter, ANYONE,
		HTTP_PAGE | HTTP_MAILED | HTTP_NO_ETAG | HTTP_FIRST, NULL, NULL, "The join gate",
		.answers = {{302, NULL, NULL, .location = true}, {200, HTML, NULL},
			{403, HTML, NULL}, {410, HTML, NULL}},
		.params = {&token_param}},
	{HTTP_GET, "/m/{}", handler_page_get, ANYONE,
		HTTP_PAGE | HTTP_MAILED | HTTP_NO_ETAG | HTTP_FIRST, NULL, NULL,
		"A person's page of a request", .answers = {{200, HTML, NULL}},
		.params = {&token_param}},
	{HTTP_POST, "/m/{}", handler_page_post, ANYONE,
		HTTP_PAGE | HTTP_MAILED | HTTP_NO_ETAG | HTTP_BODY_RAW, NULL, NULL,
		"What that page's forms do",
		.answers = {{303, NULL, NULL, .location = true}, {403, HTML, NULL},
			{409, HTML, NULL}, {422, HTML, NULL}, {429, HTML, NULL}},
		.params = {&token_param}, .body_type = FORM},
	{HTTP_GET, "/api/openapi.json", handler_openapi, ANYONE, 0, NULL, NULL,
		"This description, for programs", ANSWER(200, NULL)},
	{HTTP_GET, "/api/docs", handler_docs, ANYONE, HTTP_PAGE, NULL, NULL,
		"This description, for people", .answers = {{200, HTML, NULL}}},
	{HTTP_POST, "/api/webhooks/{}", handler_webhook, ANYONE, HTTP_BODY_RAW | HTTP_NO_ETAG, NULL,
		NULL, "What a provider reports", ANSWER(200, NULL),
		.errors = ERR_SET(UNAUTHENTICATED) | ERR_SET(UNSUPPORTED_MEDIA),
		.params = {&provider_param}},
	{HTTP_GET, "/healthz", handler_health, ANYONE, HTTP_NO_ETAG | HTTP_UNQUEUED, NULL, NULL,
		"Alive", ANSWER(200, &handler_health_answer)},
	{HTTP_GET, "/readyz", handler_ready, ANYONE, HTTP_NO_ETAG | HTTP_PROBE, NULL, NULL,
		"Ready to serve", ANSWER(200, &handler_ready_answer),
		.errors = ERR_SET(DATABASE_AWAY)},
	{HTTP_GET, "/metrics", handler_metrics, ANYONE, HTTP_PAGE | HTTP_NO_ETAG | HTTP_UNQUEUED,
		NULL, NULL, "What all processes of the host have counted; nginx lets loopback ask",
		.answers = {{200, "text/plain", NULL}}},
};

const size_t app_route_count = sizeof(app_routes) / sizeof(app_routes[0]);
