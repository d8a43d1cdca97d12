/* Lists of requests. */
#include <string.h>

#include "buf.h"
#include "handler_private.h"

/* No request starts further from the epoch. */
#define LIST_FURTHEST (INT64_C(10000) * 366 * INSTANT_DAY)

enum { LIST_CURSOR_BYTES = 8 + ID_BYTES, LIST_CURSOR_SIZE = 33 };

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

static char *list_cursor(struct arena *arena, const struct store_position *position)
{
	unsigned char bytes[LIST_CURSOR_BYTES] = {0};
	char *text = arena_alloc(arena, LIST_CURSOR_SIZE);

	memcpy(bytes, &position->starts_at, sizeof(position->starts_at));
	id_decode(position->id, bytes + sizeof(position->starts_at));
	base64url_encode(bytes, sizeof(bytes), text, LIST_CURSOR_SIZE);
	return text;
}

static bool list_cursor_read(
	struct arena *arena, const char *text, int64_t *starts_at_r, const char **id_r)
{
	unsigned char bytes[LIST_CURSOR_BYTES];
	char *id = arena_alloc(arena, ID_SIZE);

	if (!base64url_decode(text, bytes, sizeof(bytes)))
		return false;
	memcpy(starts_at_r, bytes, sizeof(*starts_at_r));
	if (*starts_at_r < -LIST_FURTHEST || *starts_at_r > LIST_FURTHEST)
		return false;
	id_encode(bytes + sizeof(*starts_at_r), id);
	*id_r = id;
	return true;
}

static const char *list_tag(const struct service *service, const struct service_call *call,
	const struct model_list *requests, const struct store_position *next)
{
	struct buf basis;

	handler_tag_begin(&basis, call, "requests");
	MODEL_FOREACH (requests, struct request *, request) {
		handler_tag_add(&basis, service, call, *request);
	}
	buf_add_text(&basis, next->id ? list_cursor(call->arena, next) : "");
	return handler_tag_end(&basis, service, call);
}

/* Whether all of them have what a tag needs. */
static bool list_has_fingerprints(const struct model_list *requests)
{
	MODEL_FOREACH (requests, struct request *, request) {
		if (!(*request)->fingerprint)
			return false;
	}
	return true;
}

/* Whether the client has the page already; then it is told so. */
static enum err list_revalidate(struct http_exchange *exchange, const struct service_call *call,
	struct store_filter filter, bool *known_r, struct err_info *info)
{
	const struct service *service = &handler_context(exchange)->service;
	struct model_list requests = {0};
	struct store_position next;
	enum err err;

	*known_r = false;
	filter.depth = STORE_TAG;
	err = service_request_list(service, call, filter, &requests, &next, info);
	if (err != ERR_OK || !list_has_fingerprints(&requests))
		return err;
	http_set_header(exchange, "ETag", "%s", list_tag(service, call, &requests, &next));
	*known_r = http_reply_known(exchange);
	return ERR_OK;
}

/* A page of requests as their caller sees them. */
static enum err list_reply(struct http_exchange *exchange, const struct service_call *call,
	const struct model_list *requests, const struct store_position *next, struct err_info *info)
{
	const struct service *service = &handler_context(exchange)->service;
	struct buf *out = http_reply_buf(exchange);

	http_set_header(exchange, "ETag", "%s", list_tag(service, call, requests, next));
	handler_begin_page(out);
	MODEL_FOREACH (requests, struct request *, request) {
		handler_write_request(out, service, call, *request);
	}
	handler_end_page(out, next->id ? list_cursor(call->arena, next) : NULL);
	return http_reply_json(exchange, 200, out, info);
}

enum err handler_request_list(struct http_exchange *exchange, struct err_info *info)
{
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
	bool known = false;
	enum err err = ERR_OK;

	if (query->cursor && !list_cursor_read(exchange->arena, query->cursor, &filter.after_start,
				     &filter.after_id))
		return err_add_field(info, "/cursor", "is not a cursor of this service");
	if (http_is_conditional(exchange))
		err = list_revalidate(exchange, &call, filter, &known, info);
	if (err != ERR_OK || known)
		return err;
	err = service_request_list(
		&handler_context(exchange)->service, &call, filter, &requests, &next, info);
	return err == ERR_OK ? list_reply(exchange, &call, &requests, &next, info) : err;
}
