#include <curl/curl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "buf.h"
#include "clock.h"
#include "json.h"
#include "log.h"
#include "rest_private.h"
#include "xalloc.h"

enum {
	REST_MAX_HEAD = 64 * 1024,
	REST_MAX_IDLE_S = 30, /* less than any provider keeps a connection */
	REST_RETRY_AFTER_SIZE = 64,
	REST_SHOWN_PATH = 160,
	REST_SHOWN_SEGMENT = 20,
};

struct rest {
	CURL *curl; /* keeps the last connection */
};

/* What one call has sent and heard so far. */
struct rest_transfer {
	bool repeatable;
	bool sent; /* perhaps only in part */
	bool head_whole;
	size_t head_len; /* of all responses, the provisional ones too */
	char retry_after[REST_RETRY_AFTER_SIZE];
	size_t most; /* of the body, the rest is left; 0: all is wanted */
	bool enough;
	struct buf body;
	struct rest_guard guard;
};

static const char *const rest_methods[] = {
	[REST_GET] = "GET",
	[REST_POST] = "POST",
	[REST_PUT] = "PUT",
	[REST_PATCH] = "PATCH",
	[REST_DELETE] = "DELETE",
};

static void *rest_must(void *made)
{
	if (!made) {
		log_error("libcurl is out of memory");
		abort();
	}
	return made;
}

struct rest *rest_new(void)
{
	struct rest *rest = xcalloc(1, sizeof(*rest));

	rest->curl = rest_must(curl_easy_init());
	return rest;
}

void rest_free(struct rest **rest)
{
	if (!*rest)
		return;
	curl_easy_cleanup((*rest)->curl);
	free(*rest);
	*rest = NULL;
}

/*
 * The connection stands, TLS included, and libcurl is about to write the request. If a kept
 * connection then breaks before a byte of the answer, libcurl writes the request once more on a
 * new one: the peer may have read both, so only idempotent methods may go on (RFC 9110 section
 * 9.2.2).
 */
static int rest_about_to_send(
	void *data, char *peer_address, char *own_address, int peer_port, int own_port)
{
	struct rest_transfer *transfer = data;
	const bool again = transfer->sent;

	(void)peer_address;
	(void)own_address;
	(void)peer_port;
	(void)own_port;
	transfer->sent = true;
	return again && !transfer->repeatable ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK;
}

static void rest_keep_retry_after(struct rest_transfer *transfer, const char *value, size_t len)
{
	while (len > 0 && strchr(" \t\r\n", value[len - 1]))
		len--;
	while (len > 0 && (*value == ' ' || *value == '\t')) {
		value++;
		len--;
	}
	if (len >= REST_RETRY_AFTER_SIZE)
		len = 0;
	memcpy(transfer->retry_after, value, len);
	transfer->retry_after[len] = '\0';
}

/* One line of a response's head. A provisional response (1xx) comes before the final one. */
static size_t rest_hear_head(char *line, size_t size, size_t count, void *data)
{
	static const char status_line[] = "HTTP/", retry_after[] = "Retry-After:";
	const size_t len = size * count, name_len = strlen(retry_after);
	struct rest_transfer *transfer = data;

	transfer->head_len += len;
	if (transfer->head_len > REST_MAX_HEAD)
		return 0;
	if (len > strlen(status_line) && memcmp(line, status_line, strlen(status_line)) == 0) {
		transfer->head_whole = false;
		transfer->retry_after[0] = '\0';
	} else if (line[0] == '\r' || line[0] == '\n') {
		transfer->head_whole = true;
	} else if (len > name_len && strncasecmp(line, retry_after, name_len) == 0) {
		rest_keep_retry_after(transfer, line + name_len, len - name_len);
	}
	return len;
}

static size_t rest_hear_body(char *bytes, size_t size, size_t count, void *data)
{
	struct rest_transfer *transfer = data;

	if (transfer->most && transfer->body.len + size * count > transfer->most) {
		transfer->enough = true;
		buf_add(&transfer->body, bytes, transfer->most - transfer->body.len);
		return 0;
	}
	buf_add(&transfer->body, bytes, size * count);
	return transfer->body.overflow ? 0 : size * count;
}

static void rest_line_add(struct curl_slist **lines, const char *line)
{
	*lines = rest_must(curl_slist_append(*lines, line));
}

/* False when a line would become two. */
static bool rest_lines(
	struct curl_slist **lines_r, struct arena *arena, const struct rest_request *request)
{
	const char *const *header;
	struct curl_slist *line;

	*lines_r = NULL;
	rest_line_add(lines_r, "Expect:");
	rest_line_add(lines_r, request->content_type ? arena_printf(arena, "Content-Type: %s",
							       request->content_type)
						     : "Content-Type:");
	if (request->bearer)
		rest_line_add(
			lines_r, arena_printf(arena, "Authorization: Bearer %s", request->bearer));
	if (request->trace_id)
		rest_line_add(lines_r, arena_printf(arena, "X-Request-Id: %s", request->trace_id));
	for (header = request->headers; header && *header; header++)
		rest_line_add(lines_r, *header);
	for (line = *lines_r; line; line = line->next)
		if (strpbrk(line->data, "\r\n"))
			return false;
	return true;
}

static void rest_set_message(
	CURL *curl, const struct rest_request *request, struct curl_slist *lines)
{
	const bool empty = !request->content_type;

	if (!empty || (request->method != REST_GET && request->method != REST_DELETE)) {
		curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE,
			(curl_off_t)(empty ? 0 : strlen(request->body)));
		curl_easy_setopt(curl, CURLOPT_POSTFIELDS, empty ? "" : request->body);
	}
	curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, rest_methods[request->method]);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, lines);
	curl_easy_setopt(curl, CURLOPT_USERAGENT, "meetlink");
	if (request->user) {
		curl_easy_setopt(curl, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
		curl_easy_setopt(curl, CURLOPT_USERNAME, request->user);
		curl_easy_setopt(curl, CURLOPT_PASSWORD, request->password);
	}
}

/*
 * What a peer sent unasked would be taken for the answer to the next request: libcurl 7.88 looks
 * only whether a kept connection was closed. The socket of the last one can be seen, so no other is
 * kept (CURLOPT_MAXCONNECTS), and all is begun anew if it has bytes to read or is gone.
 */
static void rest_renew(struct rest *rest)
{
	struct pollfd kept = {.fd = CURL_SOCKET_BAD, .events = POLLIN};

	curl_easy_getinfo(rest->curl, CURLINFO_ACTIVESOCKET, &kept.fd);
	if (kept.fd != CURL_SOCKET_BAD && poll(&kept, 1, 0) == 0)
		return;
	curl_easy_cleanup(rest->curl);
	rest->curl = rest_must(curl_easy_init());
}

/* One request at a time needs no HTTP/2, whose streams may be refused and sent again. */
static void rest_set_connection(CURL *curl, const struct rest_url *url, int64_t timeout_ms)
{
	curl_easy_setopt(curl, CURLOPT_CURLU, url->parsed);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, url->scheme);
	curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
	curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L);
	curl_easy_setopt(curl, CURLOPT_MAXCONNECTS, 1L);
	curl_easy_setopt(curl, CURLOPT_MAXAGE_CONN, (long)REST_MAX_IDLE_S);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	/* A name server that hangs is left behind when time is up, and not waited for. */
	curl_easy_setopt(curl, CURLOPT_QUICK_EXIT, 1L);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)timeout_ms);
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS,
		(long)(timeout_ms < REST_CONNECT_MS ? timeout_ms : REST_CONNECT_MS));
}

static void rest_set_transfer(CURL *curl, struct rest_transfer *transfer)
{
	curl_easy_setopt(curl, CURLOPT_PREREQFUNCTION, rest_about_to_send);
	curl_easy_setopt(curl, CURLOPT_PREREQDATA, transfer);
	curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, rest_hear_head);
	curl_easy_setopt(curl, CURLOPT_HEADERDATA, transfer);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, rest_hear_body);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, transfer);
}

static void rest_set_guard(CURL *curl, struct rest_guard *guard)
{
	curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, rest_guard_open);
	curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, guard);
}

static const char *rest_words(CURLcode result)
{
	switch (result) {
	case CURLE_COULDNT_RESOLVE_HOST:
		return "its name is not known";
	case CURLE_COULDNT_CONNECT:
		return "it does not accept connections";
	case CURLE_PEER_FAILED_VERIFICATION:
		return "its certificate cannot be trusted";
	case CURLE_OPERATION_TIMEDOUT:
		return "it did not answer in time";
	case CURLE_WRITE_ERROR:
		return "its answer is too large";
	default:
		return "the connection broke";
	}
}

static enum err rest_verdict(CURLcode result, const struct rest_transfer *transfer,
	const char *host, struct err_info *info)
{
	if ((result == CURLE_OK || transfer->enough) && transfer->head_whole)
		return ERR_OK;
	if (!transfer->sent && transfer->guard.refused)
		return err_set(info, ERR_FORBIDDEN, "%s is not on the public Internet.", host);
	if (!transfer->sent)
		return err_set(info, ERR_TEMPORARY, "%s could not be reached: %s.", host,
			rest_words(result));
	return err_set(info, ERR_OUTCOME_UNKNOWN, "There is no whole answer from %s: %s.", host,
		rest_words(result));
}

static void rest_read_reply(CURL *curl, struct arena *arena, const struct rest_transfer *transfer,
	struct rest_reply *reply_r)
{
	long status = 0;
	char *body;

	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	body = arena_alloc(arena, transfer->body.len + 1);
	memcpy(body, transfer->body.bytes, transfer->body.len);
	reply_r->status = (int)status;
	reply_r->body = body;
	reply_r->body_len = transfer->body.len;
	reply_r->retry_after_s = rest_retry_after_s(transfer->retry_after, clock_now_ms());
	json_parse(arena, body, transfer->body.len, &reply_r->json, NULL);
}

/* The path without what names a thing: ids may be as good as links. */
static void rest_path_shown(const char *path, char shown_r[REST_SHOWN_PATH])
{
	size_t len, used = 0;

	for (; *path && used + REST_SHOWN_SEGMENT + 2 < REST_SHOWN_PATH; path += len) {
		path += strspn(path, "/");
		len = strcspn(path, "/");
		used += (size_t)snprintf(shown_r + used, REST_SHOWN_PATH - used, "/%.*s",
			len <= REST_SHOWN_SEGMENT ? (int)len : 1,
			len <= REST_SHOWN_SEGMENT ? path : "*");
	}
	shown_r[used] = '\0';
}

static void rest_log(CURL *curl, const struct rest_request *request, const struct rest_url *url,
	const char *outcome)
{
	char path[REST_SHOWN_PATH];
	curl_off_t total_us = 0;
	long status = 0;

	rest_path_shown(url->path, path);
	curl_easy_getinfo(curl, CURLINFO_TOTAL_TIME_T, &total_us);
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	log_debug("%s %s%s: %s, status %ld, %lld ms", rest_methods[request->method], url->host,
		path, outcome, status, (long long)total_us / 1000);
}

enum err rest_call(struct rest *rest, struct arena *arena, const struct rest_request *request,
	struct rest_reply *reply_r, struct err_info *info)
{
	const bool repeatable = request->method != REST_POST && request->method != REST_PATCH;
	struct rest_transfer transfer = {.repeatable = repeatable, .most = request->most_reply};
	const unsigned allowed = request->reach == REST_LISTED ? REST_URL_HTTP : 0;
	struct curl_slist *lines = NULL;
	struct rest_url url;
	CURLcode result;
	enum err err;

	*reply_r = (struct rest_reply){0};
	buf_init(&transfer.body, REST_MAX_REPLY);
	if (!rest_url_read(&url, request->url, allowed)) {
		err = err_set(info, ERR_CONFIG, "The address to call is not a valid https URL.");
		goto out;
	}
	if (!rest_lines(&lines, arena, request)) {
		err = err_set(info, ERR_CONFIG, "A header for %s has a line break.", url.host);
		goto out;
	}
	if (request->timeout_ms <= 0) { /* which libcurl would take for "none" */
		err = err_set(info, ERR_TEMPORARY, "There was no time left to call %s.", url.host);
		goto out;
	}
	rest_renew(rest);
	rest_set_connection(rest->curl, &url, request->timeout_ms);
	rest_set_message(rest->curl, request, lines);
	rest_set_transfer(rest->curl, &transfer);
	if (request->reach == REST_PUBLIC)
		rest_set_guard(rest->curl, &transfer.guard);
	result = curl_easy_perform(rest->curl);
	err = rest_verdict(result, &transfer, url.host, info);
	if (err == ERR_OK)
		rest_read_reply(rest->curl, arena, &transfer, reply_r);
	rest_log(rest->curl, request, &url, err_code(err));
	curl_easy_reset(rest->curl); /* but for the connection */
out:
	curl_slist_free_all(lines);
	rest_url_fini(&url);
	buf_fini(&transfer.body);
	return err;
}

enum err rest_check_reach(const char *text, int64_t timeout_ms, struct err_info *info)
{
	struct rest_guard guard = {.probing = true};
	CURL *curl = rest_must(curl_easy_init());
	struct rest_url url;
	enum err err = ERR_OK;

	if (rest_url_read(&url, text, REST_URL_HTTP)) {
		rest_set_connection(curl, &url, timeout_ms);
		rest_set_guard(curl, &guard);
		curl_easy_perform(curl);
	}
	curl_easy_cleanup(curl);
	if (guard.refused)
		err = err_set(info, ERR_INVALID, "%s is not on the public Internet", url.host);
	else if (!guard.met)
		err = err_set(info, ERR_TEMPORARY, "its host is not known");
	rest_url_fini(&url);
	return err;
}
