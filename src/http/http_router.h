#ifndef HTTP_ROUTER_H
#define HTTP_ROUTER_H
/*
 * The router engine: it is given THE ROUTE TABLE and knows no handler. Policy is applied before a
 * handler runs, in this order: path (404), method (405 + Allow; HEAD is served by GET), size (413),
 * bearer token (401), role (403), media types (406, 415), Idempotency-Key form, query and body
 * (400, 422). After it: ETag and 304 on a GET that answered 200, problem+json for any error, or a
 * page for a person who followed a link.
 */
#include "http_exchange.h"
#include "http_queue.h"
#include "http_token.h"
#include "model.h"

enum http_route_flag {
	HTTP_BODY_OPTIONAL = 1 << 0, /* an empty body is an empty object */
	HTTP_PAGE = 1 << 1, /* not JSON: Accept is not looked at, nor a query without model */
	HTTP_NO_ETAG = 1 << 2,
	HTTP_BODY_RAW = 1 << 3,  /* the handler reads exchange->body, of any media type, itself */
	HTTP_BODY_JSON = 1 << 4, /* any JSON value, in exchange->json, where no model fits; with a
				  * model: members that are left out stay as they are */
	HTTP_MAILED = 1 << 5,    /* people are mailed this link: what is glued behind it is cut, and
				  * below what comes before its {} errors are pages */
	/* Its class where that does not follow from the method: what changes something is of the
	 * first, what reads of the next. */
	HTTP_FIRST = 1 << 6,
	HTTP_LAST = 1 << 7,
	HTTP_UNQUEUED = 1 << 8, /* never waits for anything, nor may its handler */
	HTTP_PROBE = 1 << 9, /* has a thread of its own, so that it is answered when all are busy */
	HTTP_IF_MATCH = 1 << 10, /* its handler goes by If-Match; it is not read for others */
};

typedef enum err http_handler(struct http_exchange *exchange, struct err_info *info);

/* What a route answers when it is not an error. */
struct http_answer {
	int status;
	const char *type;          /* its media type; NULL: it has no body */
	const struct model *model; /* of JSON; NULL: any */
	bool location;
};

enum { HTTP_MAX_ANSWERS = 6 };

struct http_route {
	enum http_method method;
	const char *pattern; /* "/api/requests/{}/respond", "/feed/{}.ics"; {} is not empty */
	http_handler *handle;
	unsigned roles; /* ROLE_SET()s; 0 = anyone, no token looked at */
	unsigned flags;
	const struct model *body;  /* NULL: none is expected, so empty or {} */
	const struct model *query; /* NULL: no query parameter is known */
	const char *summary;
	/* For the description (app_openapi.c), beside what follows from the columns above: */
	struct http_answer answers[HTTP_MAX_ANSWERS];      /* ends with one without status */
	uint64_t errors;                                   /* ERR_SET()s of its handler */
	const struct model_field *params[HTTP_MAX_PARAMS]; /* NULL: an id of ours */
	/* HTTP_BODY_JSON: the models that the body may have, i of them; NULL behind the last. */
	const struct model *(*bodies)(struct arena *arena, size_t i);
	const char *body_type; /* of HTTP_BODY_RAW: its media type; NULL: JSON */
};

struct http_router {
	const struct http_route *routes;
	size_t route_count;
	const struct http_token_rules *tokens;
	void *app;
	/* Replies to an error (`info`, not to be changed) with a page; anything but ERR_OK leaves
	 * it to be a problem. NULL: there are no pages. */
	http_handler *error_page;
};

/* Logs an error that is no fault of the caller's. */
void http_log_error(enum err err, const struct err_info *info);

/* Fills the response of an exchange whose request part is set. Never fails. Logs one line. */
void http_router_serve(const struct http_router *router, struct http_exchange *exchange);

/* The same for one that was given no thread: serves what is HTTP_UNQUEUED, and refuses all else as
 * ERR_OVERLOADED, for which neither the caller is looked at nor the database asked. */
void http_router_refuse(const struct http_router *router, struct http_exchange *exchange);

/* The errors by which the engine refuses a call before its handler, and what any handler may meet:
 * ERR_SET()s. */
uint64_t http_route_refusals(const struct http_route *route);

bool http_route_takes_body(const struct http_route *route);

/* Whether its answers have entity tags, and If-None-Match is heeded. */
bool http_route_has_tag(const struct http_route *route);

/* Its flags' class, or its method's. */
enum http_class http_route_class(const struct http_route *route);

/* What a request waits for, by its method and its raw URI; HTTP_CLASS_NEXT when it has no route. */
enum http_class http_router_class(const struct http_router *router, const char *method,
	size_t method_len, const char *uri, size_t uri_len);

/*
 * Writes an error as application/problem+json (RFC 9457): `type` is urn:meetlink:problem:<code>,
 * `instance` is urn:meetlink:request:<request id>, since a path may hold a secret. Adds
 * WWW-Authenticate to 401, Retry-After where `info` says one and to every 429 and 503. What is our
 * own fault keeps its detail to the log.
 */
void http_reply_problem(struct http_exchange *exchange, const struct err_info *info);
extern const struct model http_problem_model; /* for the description */
#endif
