#ifndef HTTP_EXCHANGE_H
#define HTTP_EXCHANGE_H
/*
 * One HTTP request and its response. Everything it points to lives in its arena, the caller's
 * identity and the body included; an exchange belongs to one thread.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "actor.h"
#include "arena.h"
#include "err.h"
#include "id.h"

struct buf;
struct json_object;

enum http_method { HTTP_GET, HTTP_HEAD, HTTP_POST, HTTP_PUT, HTTP_DELETE, HTTP_OTHER };

enum {
	HTTP_MAX_PARAMS = 4,
	HTTP_MAX_HEADERS = 16,
	HTTP_MAX_BODY = 64 * 1024,
	HTTP_MAX_REPLY = 64 * 1024 * 1024,
};

struct http_exchange;

/* Takes a piece of a body; false: the peer is gone, or reads too slowly. May block. */
typedef bool http_write(void *to, const char *bytes, size_t len);

/* Writes a body piece by piece. False: it cannot be finished, and the peer will see that. */
typedef bool http_stream(struct http_exchange *exchange, void *data, http_write *write, void *to);

struct http_header {
	const char *name, *value;
};

struct http_exchange {
	struct arena *arena;
	void *app; /* what the handlers were given at start */

	/* Request */
	const char *const *environment; /* CGI variables, "NAME=value", NULL-terminated */
	enum http_method method;
	const char *path; /* percent-decoded once; "" when that cannot be, and then no route's */
	const char *request_id;
	const char *body; /* NUL behind it */
	size_t body_len;
	bool body_too_large;
	bool body_broken; /* not as long as CONTENT_LENGTH says */
	int64_t now;

	/* What the router found out, by the route's flags */
	const char *params[HTTP_MAX_PARAMS]; /* the `{}` of the pattern, in order */
	struct actor caller;
	void *input;                 /* the body, as the route's model */
	struct json_object *json;    /* the body, of a route with HTTP_BODY_JSON */
	const void *query;           /* the query string, as the route's model */
	const char *idempotency_key; /* NULL when the client sent none */
	const char *if_match;        /* NULL when the client sent none */

	/* Response */
	int status;
	const char *content_type;
	struct http_header headers[HTTP_MAX_HEADERS];
	size_t header_count;
	const char *reply;
	size_t reply_len;
	http_stream *stream; /* in place of `reply` */
	void *stream_data;
};

/*
 * Starts an exchange without a body: method, path and request id come from the CGI variables
 * REQUEST_METHOD, REQUEST_URI (raw, so that it is decoded once, here) and REQUEST_ID (nginx's
 * $request_id; a random id in place of one that is not [A-Za-z0-9-]{1,64}).
 */
void http_exchange_init(struct http_exchange *exchange, struct arena *arena,
	const char *const *environment, int64_t now);

enum http_method http_method_of(const char *name); /* NULL: HTTP_OTHER */

/* The path of a raw URI as it is in an exchange; "" when it has none that can be a route's. */
const char *http_path_of(struct arena *arena, const char *uri);

/* The CGI variable of that name ("HTTP_IF_MATCH", "QUERY_STRING"), or NULL. Borrowed. */
const char *http_variable(const struct http_exchange *exchange, const char *name);

const char *http_method_name(enum http_method method);

/* The value set for a header of the response, or NULL. */
const char *http_header_get(const struct http_exchange *exchange, const char *name);

/* Sets the header, in place of an earlier value. `name` is a literal, the value is copied; one
 * with a control character is a mistake of ours and is asserted. The engine needs up to 6 of the
 * HTTP_MAX_HEADERS. */
void http_set_header(struct http_exchange *exchange, const char *name, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* `bytes` must live as long as the arena; content_type is a literal. */
void http_reply(struct http_exchange *exchange, int status, const char *content_type,
	const char *bytes, size_t len);

/* The same of a body whose length nobody knows yet. It is written only once the answer is known to
 * have one: neither to HEAD nor in place of a 304. `data` lives as long as the arena. */
void http_reply_stream(struct http_exchange *exchange, int status, const char *content_type,
	http_stream *stream, void *data);

/* An empty buffer to write a reply into, of at most so many bytes, or HTTP_MAX_REPLY (for
 * json_write.h). Released with the arena. */
struct buf *http_reply_buf_of(struct http_exchange *exchange, size_t ceiling);
struct buf *http_reply_buf(struct http_exchange *exchange);

/* Replies with the JSON that was written into such a buffer. ERR_INTERNAL when it is too long. */
enum err http_reply_json(
	struct http_exchange *exchange, int status, const struct buf *json, struct err_info *info);

/* Whether the client asks for what it may have already. */
bool http_is_conditional(const struct http_exchange *exchange);

/* Replies 304 when the client has what ETag and Last-Modified, as set so far, are of: false
 * otherwise. */
bool http_reply_known(struct http_exchange *exchange);

/* The strong entity tag of a representation: quoted hash of its bytes, or of all that they follow
 * from. */
char *http_etag(struct arena *arena, const char *bytes, size_t len);

/* Whether an If-Match or If-None-Match value (a list, or *) names the tag; what follows something
 * that is no entity tag is not read. `weak`: W/ prefixes are ignored (If-None-Match); otherwise
 * they never match (If-Match). RFC 9110 section 13.1. */
bool http_etag_listed(const char *value, const char *etag, bool weak);

/* The same of If-Match for a tag of two parts, `"<first>-<second>"`, whose first one says what it
 * is of: `part` is `"<first>-`. */
bool http_etag_part_listed(const char *value, const char *part);
#endif
