#ifndef HANDLER_H
#define HANDLER_H
/* HTTP in -> use case -> HTTP out. One function for each row of THE ROUTE TABLE. */
#include "http_router.h"
#include "mail_address.h"
#include "model.h"
#include "service.h"
#include "tmpl.h"

/* What the handlers work with: `app` of every exchange. Read only after start. */
struct handler_context {
	struct service service;
	const struct tmpl_set *templates;
	struct mail_address organizer; /* of calendar events */
	const char *calendar_version;  /* of what calendars follow from beside the meetings */
	const char *openapi, *docs;    /* the description of the API: JSON, and as a page */
	const char *docs_policy;       /* the page's Content-Security-Policy */
};

/* Whether the templates of pages name no value that they are not given. */
enum err handler_check_templates(const struct tmpl_set *templates, struct err_info *info);

/* The answer to a change: the request as its caller sees it. */
service_render handler_render_request;
service_tag handler_request_tag; /* its entity tag */

/* store_view: a request as the host application sees it. `data` is a struct service. */
const char *handler_view(
	void *data, struct arena *arena, const struct request *request, int64_t now);

/* An error of a link that people are mailed, as a page in their language. */
http_handler handler_error_page;

http_handler handler_request_create;
http_handler handler_request_list;
http_handler handler_request_get;
#define COMMAND(command, ...) http_handler handler_command_##command;
#include "command_table.h"
#undef COMMAND
http_handler handler_meeting_get;
http_handler handler_meeting_list;
http_handler handler_meeting_host;
http_handler handler_audit_get;
http_handler handler_audit_verify;
http_handler handler_audit_list;
http_handler handler_person_erase;
http_handler handler_busy_get;
http_handler handler_dashboard_get;
http_handler handler_calendar_get;
http_handler handler_calendar_event_get;
http_handler handler_feed_create;
http_handler handler_feed_delete;
http_handler handler_feed_get;
http_handler handler_gate_enter;
http_handler handler_page_get;
http_handler handler_page_post;
http_handler handler_config_policy_get;
http_handler handler_config_policy_put;
http_handler handler_config_provider_list;
http_handler handler_config_provider_get;
http_handler handler_config_provider_put;
http_handler handler_config_provider_delete;
http_handler handler_config_provider_validate;
http_handler handler_outbox_list;
http_handler handler_outbox_retry;
http_handler handler_outbox_discard;
http_handler handler_outbox_readdress;
http_handler handler_subscriber_list;
http_handler handler_subscriber_register;
http_handler handler_subscriber_rotate;
http_handler handler_subscriber_remove;
http_handler handler_delivery_list;
http_handler handler_delivery_again;
http_handler handler_webhook;
http_handler handler_health;
http_handler handler_ready;
http_handler handler_figures;
http_handler handler_openapi;
http_handler handler_docs;

/* What answers are that are no object of one model, for the description (handler_answer.c). */
extern const struct model handler_request_answer, handler_request_page, handler_meeting_page,
	handler_audit_page, handler_dashboard_answer, handler_busy_answer, handler_erasure_answer,
	handler_feed_answer, handler_health_answer, handler_ready_answer, handler_figures_answer,
	handler_host_answer, handler_provider_answer, handler_provider_page, handler_outbox_page,
	handler_webhook_page, handler_webhook_answer, handler_delivery_page;

/* The bodies that change, and validate, the i-th provider; NULL behind the last. */
const struct model *handler_provider_changes(struct arena *arena, size_t i);
const struct model *handler_provider_validations(struct arena *arena, size_t i);
http_handler handler_metrics;

/* The query of GET /api/requests. */
struct handler_list_query {
	int status, meeting_status; /* 0 = any, else 1 + enum */
	int64_t from, to, limit;
	int order;
	const char *cursor;
};
extern const struct model handler_list_query_model;

/* The query of GET /api/lawyers/{id}/busy. */
struct handler_busy_query {
	int64_t from, to;
};
extern const struct model handler_busy_query_model;

/* The query of GET /api/requests/{id}/audit. */
struct handler_audit_query {
	int64_t limit;
	const char *cursor;
};
extern const struct model handler_audit_query_model;

/* The query of GET /api/outbox. */
struct handler_outbox_query {
	int kind, state; /* 0 = any, else 1 + enum */
	int64_t limit;
	const char *cursor;
};
extern const struct model handler_outbox_query_model;

/* The query of GET /api/audit. */
struct handler_trail_query {
	int64_t from, to, limit;
	const char *actor, *action, *request_id, *cursor;
};
extern const struct model handler_trail_query_model;

enum { HANDLER_LIMIT = 50 }; /* items of a page when the client does not say */
#endif
