#ifndef HANDLER_PRIVATE_H
#define HANDLER_PRIVATE_H
#include "handler.h"
#include "ics_invite.h"

struct buf;
struct json_object;

const struct handler_context *handler_context(const struct http_exchange *exchange);

/* The call of a use case that this exchange makes. */
struct service_call handler_call(const struct http_exchange *exchange);

/* The answer to a change, replayed or not. */
enum err handler_reply_answer(struct http_exchange *exchange, const struct service_answer *answer);

/* What is shown of one request, and has an entity tag that follows from the request. */
enum handler_resource { HANDLER_REQUEST, HANDLER_MEETING, HANDLER_CALENDAR };

/* Loads the request of the path for showing that, and sets the headers by which it is known again.
 * *request_r NULL: an error, ERR_NO_MEETING among them; or the client has it already, which is
 * answered then, and nothing else of the request was loaded or opened. */
enum err handler_load(struct http_exchange *exchange, const struct service_call *call,
	enum handler_resource resource, const struct request **request_r, struct err_info *info);

service_precondition handler_precondition;

/* One of several requests, and of whatever else the caller adds to the basis, which is released. */
void handler_tag_begin(struct buf *basis, const struct service_call *call, const char *resource);
void handler_tag_add(struct buf *basis, const struct service *service,
	const struct service_call *call, const struct request *request);
const char *handler_tag_end(
	struct buf *basis, const struct service *service, const struct service_call *call);

/* Writes a request as the caller may see it, with the links the caller may use; the members alone
 * where others follow in the same object. */
void handler_write_request(struct buf *out, const struct service *service,
	const struct service_call *call, const struct request *request);
void handler_write_request_members(struct buf *out, const struct service *service,
	const struct service_call *call, const struct request *request);

/* Writes its meeting alone; the request has one. */
void handler_write_meeting(struct buf *out, const struct service *service,
	const struct service_call *call, const struct request *request);

/* The event of its meeting for one of its two people: no METHOD, DTSTAMP is the last change (RFC
 * 5545 section 3.8.7.2). The request has a meeting. */
struct ics_invite handler_snapshot(struct arena *arena, const struct handler_context *context,
	const struct request *request, enum party party, bool with_link);

/* ---- pages of people who follow a mailed link, handler_gate.c ---- */

void handler_add_flag(struct json_object *values, const char *name, bool flag);
void handler_add_text(struct json_object *values, const char *name, const char *text);

/* The range that visitors like best of the languages that have that page; NULL when any will do. */
const char *handler_visitor_language(const struct http_exchange *exchange, const char *file);

/* Replies with pages/<locale>/<file>, which may do nothing but post its own forms. */
enum err handler_reply_page(struct http_exchange *exchange, int status, const char *file,
	const char *language, struct json_object *values, struct err_info *info);

/* Has the page load itself again. Refresh has no RFC; every browser knows it (html.spec.whatwg.org,
 * "Refresh"). Pages that wait for one moment come a few seconds apart, by `token`; 0: never. */
void handler_set_refresh(struct http_exchange *exchange, const char *token, int64_t seconds);

/* For an error after which to come again; `seconds` 0: it was not said when. */
void handler_set_retry_after(struct http_exchange *exchange, enum err err, int seconds);

enum err handler_page_check_templates(const struct tmpl_set *templates, struct err_info *info);

/* ---- lists ---- */

/* A page is {"items": [...], "next_cursor": ...}: what is before its items, and behind them. */
void handler_begin_page(struct buf *out);
void handler_end_page(struct buf *out, const char *next_cursor);
#endif
