/* Lists of requests. */
#include <json-c/json.h>

#include "handler_private.h"

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
		.status = query->status,
		.meeting_status = query->meeting_status,
		.starts_from = query->from,
		.starts_before = query->to,
		.ascending = query->order == 1,
		.limit = limit,
		.now = call.now,
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
