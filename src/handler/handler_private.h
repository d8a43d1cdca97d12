#ifndef HANDLER_PRIVATE_H
#define HANDLER_PRIVATE_H
#include "handler.h"
#include "ics_invite.h"

struct json_object;

const struct handler_context *handler_context(const struct http_exchange *exchange);

/* The call of a use case that this exchange makes. */
struct service_call handler_call(const struct http_exchange *exchange);

/* The answer to a change, replayed or not. */
enum err handler_reply_answer(struct http_exchange *exchange, const struct service_answer *answer);

/* A request as the caller may see it, with the links the caller may use. Owned by the caller. */
struct json_object *handler_request_json(const struct service *service,
	const struct service_call *call, const struct request *request);

/* Its meeting alone; the request has one. */
struct json_object *handler_meeting_json(const struct service *service,
	const struct service_call *call, const struct request *request);

/* The event of its meeting for one of its two people: no METHOD, DTSTAMP is the last change (RFC
 * 5545 section 3.8.7.2). The request has a meeting. */
struct ics_invite handler_snapshot(struct arena *arena, const struct handler_context *context,
	const struct request *request, enum party party, bool with_link);

/* {"items": [...], "next_cursor": ...} of a page of requests. */
struct json_object *handler_page_json(const struct service *service,
	const struct service_call *call, const struct model_list *requests,
	const struct store_position *next);

/* The position that the cursor of a page names; false for a text that is not one of ours. */
bool handler_cursor_read(
	struct arena *arena, const char *text, int64_t *starts_at_r, const char **id_r);
#endif
