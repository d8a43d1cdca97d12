#include "http_router.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "clock.h"
#include "http_input.h"
#include "http_link.h"
#include "http_media.h"
#include "log.h"
#include "metrics.h"

enum { HTTP_MAX_IF_MATCH = 1024 };

struct router_span {
	const char *start;
	size_t len;
};

/* Whether the path has the pattern's form; its variable parts are noted in order. */
static bool router_matches(
	const char *pattern, const char *path, struct router_span spans[HTTP_MAX_PARAMS])
{
	size_t count = 0, suffix, segment;

	while (*pattern) {
		if (strncmp(pattern, "{}", 2) != 0) {
			if (*pattern++ != *path++)
				return false;
			continue;
		}
		pattern += 2;
		suffix = strcspn(pattern, "/");
		segment = strcspn(path, "/");
		if (segment <= suffix || strncmp(path + segment - suffix, pattern, suffix) != 0)
			return false;
		assert(count < HTTP_MAX_PARAMS);
		spans[count++] = (struct router_span){path, segment - suffix};
		pattern += suffix;
		path += segment;
	}
	return *path == '\0';
}

/* Whether a path can have the form, as far as that is the same for all. */
static bool router_begins(const char *pattern, const char *path)
{
	for (; *pattern && *pattern != '{'; pattern++, path++)
		if (*pattern != *path)
			return false;
	return true;
}

/* The path as the route is to see it. */
static const char *router_path(
	struct arena *arena, const char *path, const struct http_route *route)
{
	return route->flags & HTTP_MAILED ? http_link_cut(arena, path) : path;
}

/* Whether it begins as a mailed link does. */
static bool router_is_mailed_path(const struct http_router *router, const char *path)
{
	const struct http_route *route;

	for (route = router->routes; route < router->routes + router->route_count; route++)
		if ((route->flags & HTTP_MAILED) && router_begins(route->pattern, path))
			return true;
	return false;
}

/* The path of a raw URI. What was glued to a mailed link may be all that cannot be read of it. */
static const char *router_read_path(
	const struct http_router *router, struct arena *arena, const char *uri)
{
	const char *path = http_path_of(arena, uri);

	return !*path && uri && router_is_mailed_path(router, uri)
		       ? http_path_of(arena, http_link_cut_raw(arena, uri))
		       : path;
}

static void router_take_path(const struct http_router *router, struct http_exchange *exchange)
{
	if (!*exchange->path)
		exchange->path = router_read_path(
			router, exchange->arena, http_variable(exchange, "REQUEST_URI"));
}

static void router_set_params(struct http_exchange *exchange, const struct http_route *route)
{
	struct router_span spans[HTTP_MAX_PARAMS] = {0};
	size_t i;

	router_matches(route->pattern, router_path(exchange->arena, exchange->path, route), spans);
	for (i = 0; i < HTTP_MAX_PARAMS && spans[i].start; i++)
		exchange->params[i] = http_percent_decode(
			exchange->arena, spans[i].start, spans[i].len, HTTP_DECODE_SEGMENT);
}

/* The methods of a set of `1 << HTTP_...`, as Allow lists them. */
static const char *router_methods(struct arena *arena, unsigned allowed)
{
	const char *list = "";
	int method;

	for (method = HTTP_GET; method < HTTP_OTHER; method++)
		if (allowed & 1u << method)
			list = arena_printf(arena, "%s%s%s", list, *list ? ", " : "",
				http_method_name((enum http_method)method));
	return list;
}

/* The route, or NULL and the methods that the path has instead. */
static const struct http_route *router_lookup(const struct http_router *router, struct arena *arena,
	enum http_method method, const char *path, unsigned *allowed_r)
{
	struct router_span spans[HTTP_MAX_PARAMS];
	const struct http_route *route;

	*allowed_r = 0;
	if (method == HTTP_HEAD)
		method = HTTP_GET;
	for (route = router->routes; route < router->routes + router->route_count; route++) {
		if (!router_begins(route->pattern, path) ||
			!router_matches(route->pattern, router_path(arena, path, route), spans))
			continue;
		if (route->method == method)
			return route;
		*allowed_r |= 1u << route->method;
	}
	return NULL;
}

static enum err router_find(const struct http_router *router, struct http_exchange *exchange,
	const struct http_route **route_r, struct err_info *info)
{
	unsigned allowed;

	*route_r =
		router_lookup(router, exchange->arena, exchange->method, exchange->path, &allowed);
	if (*route_r) {
		router_set_params(exchange, *route_r);
		return ERR_OK;
	}
	if (!allowed)
		return err_set(info, ERR_NOT_FOUND, "There is nothing at this address.");
	if (allowed & 1u << HTTP_GET)
		allowed |= 1u << HTTP_HEAD;
	http_set_header(exchange, "Allow", "%s", router_methods(exchange->arena, allowed));
	return err_set(info, ERR_METHOD_NOT_ALLOWED, "Allowed here: %s.",
		router_methods(exchange->arena, allowed));
}

static enum err router_check_size(const struct http_exchange *exchange, struct err_info *info)
{
	if (exchange->body_too_large)
		return err_set(info, ERR_TOO_LARGE, "The body may have %d bytes.", HTTP_MAX_BODY);
	if (exchange->body_broken)
		return err_set(info, ERR_MALFORMED, "The body is not as long as announced.");
	return ERR_OK;
}

static enum err router_check_caller(const struct http_router *router,
	const struct http_route *route, struct http_exchange *exchange, struct err_info *info)
{
	enum err err;

	if (!route->roles)
		return ERR_OK;
	err = http_token_verify(router->tokens, exchange->arena,
		http_variable(exchange, "HTTP_AUTHORIZATION"), exchange->now, &exchange->caller,
		info);
	if (err == ERR_OK && !(route->roles & ROLE_SET(exchange->caller.role)))
		err = err_set(info, ERR_FORBIDDEN, "The role %s may not do this.",
			role_names[exchange->caller.role]);
	return err;
}

bool http_route_takes_body(const struct http_route *route)
{
	return route->method != HTTP_GET;
}

bool http_route_has_tag(const struct http_route *route)
{
	return route->method == HTTP_GET && !(route->flags & HTTP_NO_ETAG);
}

/* RFC 9110 section 15.5.16: what is refused for its coding is told which one is taken. */
static enum err router_check_coding(struct http_exchange *exchange, struct err_info *info)
{
	const char *coding = http_variable(exchange, "HTTP_CONTENT_ENCODING");

	if (!coding || !*coding || strcasecmp(coding, "identity") == 0)
		return ERR_OK;
	http_set_header(exchange, "Accept-Encoding", "identity");
	return err_set(info, ERR_UNSUPPORTED_MEDIA,
		"The body must be sent as it is, without Content-Encoding.");
}

static enum err router_check_media(
	const struct http_route *route, struct http_exchange *exchange, struct err_info *info)
{
	const char *accept = http_variable(exchange, "HTTP_ACCEPT");
	enum err err;

	if (!(route->flags & HTTP_PAGE) && !http_media_accepted(accept, "application/json") &&
		!http_media_accepted(accept, "application/problem+json"))
		return err_set(info, ERR_NOT_ACCEPTABLE, "Accept must admit application/json.");
	if (!http_route_takes_body(route) || exchange->body_len == 0 ||
		(route->flags & HTTP_BODY_RAW))
		return ERR_OK;
	err = router_check_coding(exchange, info);
	if (err == ERR_OK && !http_media_is_json(http_variable(exchange, "CONTENT_TYPE")))
		err = err_set(info, ERR_UNSUPPORTED_MEDIA,
			"Content-Type must be application/json, in UTF-8.");
	return err;
}

static enum err router_read_headers(
	const struct http_route *route, struct http_exchange *exchange, struct err_info *info)
{
	const char *key = http_variable(exchange, "HTTP_IDEMPOTENCY_KEY");

	if (route->flags & HTTP_IF_MATCH)
		exchange->if_match = http_variable(exchange, "HTTP_IF_MATCH");
	if (exchange->if_match && strlen(exchange->if_match) > HTTP_MAX_IF_MATCH)
		return err_set(info, ERR_MALFORMED, "If-Match is too long.");
	if (!key || exchange->method != HTTP_POST)
		return ERR_OK;
	return http_idempotency_key_read(exchange->arena, key, &exchange->idempotency_key, info);
}

static enum err router_read_input(
	const struct http_route *route, struct http_exchange *exchange, struct err_info *info)
{
	const char *query = http_variable(exchange, "QUERY_STRING");
	enum err err;

	if (route->query || !(route->flags & HTTP_PAGE)) {
		err = http_query_read(
			exchange->arena, query ? query : "", route->query, &exchange->query, info);
		if (err != ERR_OK)
			return err;
	}
	if (!http_route_takes_body(route) || (route->flags & HTTP_BODY_RAW))
		return ERR_OK;
	if (route->flags & HTTP_BODY_JSON)
		return http_json_read(exchange->arena, exchange->body, exchange->body_len,
			route->flags & HTTP_BODY_OPTIONAL, &exchange->json, info);
	return http_body_read(exchange->arena, exchange->body, exchange->body_len, route->body,
		!route->body || (route->flags & HTTP_BODY_OPTIONAL), &exchange->input, info);
}

/* All that comes before the handler, in the order that http_router.h promises. */
static enum err router_admit(const struct http_router *router, struct http_exchange *exchange,
	const struct http_route **route_r, struct err_info *info)
{
	enum err err;

	err = router_find(router, exchange, route_r, info);
	if (err == ERR_OK)
		err = router_check_size(exchange, info);
	if (err == ERR_OK)
		err = router_check_caller(router, *route_r, exchange, info);
	if (err == ERR_OK)
		err = router_check_media(*route_r, exchange, info);
	if (err == ERR_OK)
		err = router_read_headers(*route_r, exchange, info);
	if (err == ERR_OK)
		err = router_read_input(*route_r, exchange, info);
	return err;
}

/* Gives a representation its entity tag, or 304 in its place when the client has it already. */
static void router_revalidate(const struct http_route *route, struct http_exchange *exchange)
{
	if (!http_route_has_tag(route) || exchange->status != 200)
		return;
	/* What is still to be written has the tag that its handler knows, or none. */
	if (exchange->stream && !http_header_get(exchange, "ETag"))
		return;
	if (!http_header_get(exchange, "ETag"))
		http_set_header(exchange, "ETag", "%s",
			http_etag(exchange->arena, exchange->reply, exchange->reply_len));
	http_reply_known(exchange);
}

/* Whether a page is due: to who follows a mailed link, or what is left of one, and does not ask for
 * JSON alone. */
static bool router_is_mailed(const struct http_router *router, const struct http_exchange *exchange)
{
	const char *uri = http_variable(exchange, "REQUEST_URI");

	return router->error_page &&
	       http_media_accepted(http_variable(exchange, "HTTP_ACCEPT"), "text/html") &&
	       router_is_mailed_path(router, *exchange->path || !uri ? exchange->path : uri);
}

/* A caller's id as one word of a log line, without what has a meaning there. */
static const char *router_logged_id(struct arena *arena, const char *id)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				    "0123456789-_.:@|/+~";
	char *word = arena_alloc(arena, 3 * strlen(id) + 1);
	size_t used = 0;

	for (; *id; id++) {
		if (strchr(plain, *id))
			word[used++] = *id;
		else
			used += (size_t)sprintf(word + used, "%%%02X", (unsigned char)*id);
	}
	word[used] = '\0';
	return word;
}

static void router_log(
	const struct http_route *route, const struct http_exchange *exchange, int64_t us)
{
	const struct actor *caller = &exchange->caller;
	const size_t bytes = exchange->method == HTTP_HEAD ? 0 : exchange->reply_len;
	/* The pattern and not the path, which may hold a join or calendar token. */
	const struct log_field fields[] = {
		{"method", .text = http_method_name(exchange->method)},
		{"route", .text = route ? route->pattern : "-"},
		{"status", .number = exchange->status},
		{"bytes", .number = (int64_t)bytes},
		{"us", .number = us},
		{"caller_role", .text = caller->id ? role_names[caller->role] : "-"},
		{"caller",
			.text = caller->id ? router_logged_id(exchange->arena, caller->id) : "-"},
	};

	log_fields(LOG_LEVEL_INFO, "http", fields, sizeof(fields) / sizeof(fields[0]));
}

/* What has no route is counted as one more. */
static void router_count(const struct http_router *router, const struct http_route *route,
	const struct http_exchange *exchange, int64_t us)
{
	const size_t index = route ? (size_t)(route - router->routes) : router->route_count;

	metrics_count(METRIC_HTTP_REQUESTS, index, (size_t)exchange->status / 100, 0);
	metrics_time(METRIC_HTTP_TIME, us, index, 0);
}

/* What every answer has; then it is counted and logged. */
static void router_finish(const struct http_router *router, const struct http_route *route,
	struct http_exchange *exchange, int64_t started_us)
{
	const int64_t us = clock_monotonic_us() - started_us;

	assert(exchange->status);
	if (!http_header_get(exchange, "Cache-Control"))
		http_set_header(exchange, "Cache-Control", "private, no-cache");
	http_set_header(exchange, "X-Content-Type-Options", "nosniff");
	http_set_header(exchange, "X-Request-Id", "%s", exchange->request_id);
	router_count(router, route, exchange, us);
	router_log(route, exchange, us);
	log_set_request(NULL);
}

static void router_reply_error(const struct http_router *router, struct http_exchange *exchange,
	enum err err, struct err_info *info)
{
	info->err = err;
	if (!router_is_mailed(router, exchange) || router->error_page(exchange, info) != ERR_OK)
		http_reply_problem(exchange, info);
}

void http_log_error(enum err err, const struct err_info *info)
{
	if (err_status(err) >= 500)
		log_at((enum log_level)err_log_level(err), "%s: %s", err_code(err), info->detail);
}

void http_router_serve(const struct http_router *router, struct http_exchange *exchange)
{
	const int64_t started_us = clock_monotonic_us();
	const struct http_route *route = NULL;
	struct err_info info;
	enum err err;

	err_clear(&info);
	log_set_request(exchange->request_id);
	exchange->app = router->app;
	router_take_path(router, exchange);
	err = router_admit(router, exchange, &route, &info);
	if (err == ERR_OK) {
		err = route->handle(exchange, &info);
		if (err == ERR_OK)
			router_revalidate(route, exchange);
		else
			exchange->header_count = 0;
	}
	if (err != ERR_OK) {
		router_reply_error(router, exchange, err, &info);
		http_log_error(err, &info);
	}
	router_finish(router, route, exchange, started_us);
}

void http_router_refuse(const struct http_router *router, struct http_exchange *exchange)
{
	const int64_t started_us = clock_monotonic_us();
	const struct http_route *route;
	struct err_info info;
	unsigned allowed;
	enum err err;

	router_take_path(router, exchange);
	route = router_lookup(router, exchange->arena, exchange->method, exchange->path, &allowed);
	if (route && (route->flags & HTTP_UNQUEUED)) {
		http_router_serve(router, exchange);
		return;
	}
	err_clear(&info);
	log_set_request(exchange->request_id);
	exchange->app = router->app;
	err = err_set(&info, ERR_OVERLOADED, "More is asked than can be answered; try again soon.");
	router_reply_error(router, exchange, err, &info);
	router_finish(router, route, exchange, started_us);
}

uint64_t http_route_refusals(const struct http_route *route)
{
	const bool variable = strchr(route->pattern, '{') != NULL;
	uint64_t set = ERR_SET(INTERNAL);

	if (route->roles)
		set |= ERR_SET(UNAUTHENTICATED) | ERR_SET(FORBIDDEN);
	if (variable)
		set |= ERR_SET(NOT_FOUND);
	if (!(route->flags & HTTP_PAGE))
		set |= ERR_SET(NOT_ACCEPTABLE);
	if (route->query || !(route->flags & HTTP_PAGE))
		set |= ERR_SET(MALFORMED) | ERR_SET(INVALID);
	if (http_route_takes_body(route))
		set |= ERR_SET(MALFORMED) | ERR_SET(TOO_LARGE);
	if (http_route_takes_body(route) && !(route->flags & HTTP_BODY_RAW))
		set |= ERR_SET(UNSUPPORTED_MEDIA);
	if (route->flags & HTTP_IF_MATCH)
		set |= ERR_SET(MALFORMED) | ERR_SET(PRECONDITION_FAILED);
	if (!(route->flags & HTTP_UNQUEUED))
		set |= ERR_SET(OVERLOADED);
	if (route->roles || variable)
		set |= ERR_SET(DATABASE_AWAY);
	return set;
}

enum http_class http_route_class(const struct http_route *route)
{
	if (route->flags & HTTP_UNQUEUED)
		return HTTP_CLASS_NONE;
	if (route->flags & HTTP_PROBE)
		return HTTP_CLASS_PROBE;
	if (route->flags & HTTP_LAST)
		return HTTP_CLASS_LAST;
	return route->flags & HTTP_FIRST || route->method != HTTP_GET ? HTTP_CLASS_FIRST
								      : HTTP_CLASS_NEXT;
}

enum http_class http_router_class(const struct http_router *router, const char *method,
	size_t method_len, const char *uri, size_t uri_len)
{
	struct arena *arena = arena_new();
	const struct http_route *route;
	unsigned allowed;

	route = router_lookup(router, arena,
		http_method_of(method ? arena_strndup(arena, method, method_len) : NULL),
		router_read_path(router, arena, uri ? arena_strndup(arena, uri, uri_len) : NULL),
		&allowed);
	arena_free(&arena);
	return route ? http_route_class(route) : HTTP_CLASS_NEXT;
}
