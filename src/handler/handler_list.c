/* Lists: requests, the dashboard. */
#include <json-c/json.h>
#include <string.h>

#include "handler_private.h"
#include "instant.h"

enum { HANDLER_DASHBOARD_ROWS = 20 };

static const char *const status_filters[] = {
	"any", "open", "accepted", "declined", "lapsed", "cancelled", "completed", NULL};
static const char *const meeting_status_filters[] = {
	"any", "pending", "ready", "failed", "cancelled", "expired", "replaced", NULL};
static const char *const orders[] = {"desc", "asc", NULL};

#define QUERY(type, member, ...)                                                                   \
	MODEL_FIELD(struct handler_list_query, member, type, 0, __VA_ARGS__)

static const struct model_field list_query_fields[] = {
	QUERY(MODEL_ENUM, status, .names = status_filters),
	QUERY(MODEL_ENUM, meeting_status, .names = meeting_status_filters),
	QUERY(MODEL_INSTANT, from),
	QUERY(MODEL_INSTANT, to),
	QUERY(MODEL_INT, limit, .min = 1, .max = 200),
	QUERY(MODEL_ENUM, order, .names = orders),
	QUERY(MODEL_STRING, cursor, .min = 1, .max = 64),
};

const struct model handler_list_query_model =
	MODEL(struct handler_list_query, "query", list_query_fields);

enum err handler_request_list(struct http_exchange *exchange, struct err_info *info)
{
	const struct service *service = &handler_context(exchange)->service;
	const struct handler_list_query *query = exchange->query;
	const struct service_call call = handler_call(exchange);
	const int64_t limit = query->limit ? query->limit : HANDLER_LIMIT;
	struct store_filter filter = {
		.statuses = query->status ? 1u << (query->status - 1) : 0,
		.meeting_statuses = query->meeting_status ? 1u << (query->meeting_status - 1) : 0,
		.starts_from = query->from,
		.starts_before = query->to,
		.ascending = query->order == 1,
		.limit = limit,
	};
	struct model_list requests = {0};
	struct store_position next;
	struct json_object *page;
	enum err err;

	if (query->cursor && !handler_cursor_read(exchange->arena, query->cursor,
				     &filter.after_start, &filter.after_id))
		return err_add_field(info, "/cursor", "is not a cursor of this service");
	err = service_request_list(service, &call, filter, &requests, &next, info);
	if (err != ERR_OK)
		return err;
	page = handler_page_json(service, &call, &requests, &next);
	http_reply_json(exchange, 200, page);
	json_object_put(page);
	return ERR_OK;
}

/* One list of the dashboard. */
static enum err dashboard_add_rows(const struct service *service, const struct service_call *call,
	struct store_filter filter, const char *name, struct json_object *dashboard,
	struct err_info *info)
{
	struct model_list requests = {0};
	struct json_object *rows = json_object_new_array();
	enum err err;

	json_object_object_add(dashboard, name, rows);
	filter.limit = HANDLER_DASHBOARD_ROWS;
	err = service_request_list(service, call, filter, &requests, NULL, info);
	if (err != ERR_OK)
		return err;
	MODEL_FOREACH (&requests, struct request *, request) {
		json_object_array_add(rows, handler_request_json(service, call, *request));
	}
	return ERR_OK;
}

static enum err dashboard_add_counts(const struct service *service, const struct service_call *call,
	struct json_object *dashboard, struct err_info *info)
{
	struct json_object *counts = json_object_new_object();
	struct store_counts counted;
	enum err err;
	int i;

	json_object_object_add(dashboard, "counts", counts);
	err = service_request_count(service, call, &counted, info);
	for (i = 0; err == ERR_OK && request_status_names[i]; i++)
		json_object_object_add(counts, request_status_names[i],
			json_object_new_int64(counted.by_status[i]));
	if (err != ERR_OK)
		return err;
	json_object_object_add(counts, "meetings_pending",
		json_object_new_int64(counted.by_meeting_status[MEETING_PENDING]));
	json_object_object_add(counts, "meetings_failed",
		json_object_new_int64(counted.by_meeting_status[MEETING_FAILED]));
	return ERR_OK;
}

/* What waits for the caller: a lawyer answers open requests; a failed meeting needs a lawyer or
 * the administrator; a client has nothing to do but can see what failed. */
static struct store_filter dashboard_needs_action(const struct service_call *call)
{
	struct store_filter filter = {
		.ascending = true, .ends_after = call->now, .starts_from = call->now - INSTANT_DAY};

	if (call->caller.role == ROLE_LAWYER)
		filter.open_or_failed = true;
	else
		filter.meeting_statuses = 1u << MEETING_FAILED;
	return filter;
}

enum err handler_dashboard_get(struct http_exchange *exchange, struct err_info *info)
{
	const struct service *service = &handler_context(exchange)->service;
	const struct service_call call = handler_call(exchange);
	const struct store_filter upcoming = {.ascending = true,
		.ends_after = call.now,
		.starts_from = call.now - INSTANT_DAY,
		.statuses = 1u << REQUEST_ACCEPTED};
	const struct store_filter recent = {.ended = true, .ends_before = call.now};
	struct json_object *dashboard = json_object_new_object();
	char now[INSTANT_TEXT_SIZE];
	enum err err;

	json_object_object_add(
		dashboard, "role", json_object_new_string(role_names[call.caller.role]));
	instant_format(call.now, false, now);
	json_object_object_add(dashboard, "now", json_object_new_string(now));
	err = dashboard_add_counts(service, &call, dashboard, info);
	if (err == ERR_OK)
		err = dashboard_add_rows(service, &call, dashboard_needs_action(&call),
			"needs_action", dashboard, info);
	if (err == ERR_OK)
		err = dashboard_add_rows(service, &call, upcoming, "upcoming", dashboard, info);
	if (err == ERR_OK)
		err = dashboard_add_rows(service, &call, recent, "recent", dashboard, info);
	if (err == ERR_OK)
		http_reply_json(exchange, 200, dashboard);
	json_object_put(dashboard);
	return err;
}
