#ifndef REST_H
#define REST_H
/*
 * HTTP calls to providers and subscribers (libcurl): https only (plain http for loopback), no
 * redirects, verified TLS, no proxy from the environment, a timeout for every call, a ceiling for
 * every reply. A client belongs to one thread at a time and keeps its last connection from call to
 * call.
 */
#include <stdbool.h>
#include <stdint.h>

#include "arena.h"
#include "err.h"

struct json_object;
struct rest;

enum { REST_MAX_REPLY = 1024 * 1024, REST_MAX_URL = 2048, REST_CONNECT_MS = 3000 };

struct rest *rest_new(void);
void rest_free(struct rest **rest);

/* Where a call may go, beside what its URL says. */
enum rest_reach {
	REST_PEER,   /* wherever its name leads: who named it has to know */
	REST_PUBLIC, /* only to addresses of the public Internet, looked at when it is connected to:
		      * a name that leads elsewhere by then leads nowhere */
	REST_LISTED, /* wherever its name leads, and over plain http, too */
};

enum rest_method { REST_GET, REST_POST, REST_PUT, REST_PATCH, REST_DELETE };

struct rest_request {
	enum rest_method method;
	const char *url;
	const char *bearer;          /* access token, or NULL */
	const char *user, *password; /* Basic authentication (RFC 7617), or NULL */
	const char *content_type;    /* of the body; NULL: no body */
	const char *body;
	const char *trace_id;       /* sent as X-Request-Id; or NULL */
	const char *const *headers; /* more lines "Name: value", NULL-terminated; or NULL */
	enum rest_reach reach;
	size_t most_reply; /* bytes of the reply's body that are read, the rest is left; 0: a longer
			    * one than REST_MAX_REPLY is an error */
	int64_t timeout_ms; /* of the whole call, connecting included; <= 0: ERR_TEMPORARY */
};

struct rest_reply {
	int status;
	const char *body; /* in the arena, a NUL behind it */
	size_t body_len;
	struct json_object *json; /* NULL when the body is not one JSON value (HTML, cut short) */
	int64_t retry_after_s;    /* Retry-After as seconds, HTTP-date or ISO 8601; 0 = not said */
};

/*
 * One call. ERR_OK whenever a whole reply came, of whatever status. Otherwise:
 * ERR_TEMPORARY       nothing reached the peer (name, connection, TLS): certainly not done.
 * ERR_OUTCOME_UNKNOWN it may have been done: timeout or broken connection after connecting, a reply
 *                     that breaks off or is larger than REST_MAX_REPLY.
 * ERR_FORBIDDEN       not sent: no address of the name is where the call may go.
 * ERR_CONFIG          not sent: the URL is not https (http for loopback), has credentials or a path
 *                     segment of dots only, or a header or token has a line break.
 * POST and PATCH go out once at most; the others again if a kept connection proves to be closed.
 * The words say what happened, without URL parts that could be secret and nothing of the peer's.
 */
enum err rest_call(struct rest *rest, struct arena *arena, const struct rest_request *request,
	struct rest_reply *reply_r, struct err_info *info);

/*
 * Whether all addresses that the URL's host has now are where the call may go; nobody is connected
 * to. ERR_INVALID says that one is not, ERR_TEMPORARY that the name is not known, or that it was
 * not found out within timeout_ms.
 */
enum err rest_check_reach(const char *url, int64_t timeout_ms, struct err_info *info);

struct sockaddr;

/* Whether an address is of the public Internet: not this machine's, a private network's, a link's,
 * a group's or one that is set aside (IANA's special-purpose registries, RFC 6890), however it is
 * wrapped in an IPv6 address. */
bool rest_address_is_public(const struct sockaddr *address);

/* Whether the URL's host, or host:port, is one of a list with spaces or commas between; in any
 * case of its letters. */
bool rest_url_listed(const char *url, const char *list);

enum {
	REST_URL_LINK = 1, /* for people: query, fragment and a slash at the end, too */
	REST_URL_HTTP = 2, /* http:// to any host */
};

/*
 * Whether it is https://host…, or http:// to a loopback host, as `allowed` widens it: without
 * credentials, path segments of dots only and whatever else libcurl does not take; at most
 * REST_MAX_URL bytes of the ASCII that a URL is made of (RFC 3986 appendix A), so that it cannot
 * break out of a header, a page or a calendar. False for NULL.
 */
bool rest_url_valid(const char *url, unsigned allowed);

/* Percent-encodes all but unreserved characters (RFC 3986 section 2.3). As a path segment "." and
 * ".." keep their meaning: rest_call refuses them. */
char *rest_escape(struct arena *arena, const char *text);

/* application/x-www-form-urlencoded from name, value, name, value, …, NULL. */
char *rest_form(struct arena *arena, ...) __attribute__((sentinel));

/* Seconds from `now_ms` that a Retry-After value asks for: delta seconds, HTTP-date or ISO 8601
 * (Zoom); 0 for what is neither or has passed; a day at most. */
int64_t rest_retry_after_s(const char *value, int64_t now_ms);
#endif
