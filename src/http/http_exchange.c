#include "http_exchange.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "buf.h"
#include "cause.h"
#include "http_input.h"
#include "utf8.h"

enum { HTTP_MAX_PATH = 2048 };

static const char *const http_method_names[] = {
	[HTTP_GET] = "GET",
	[HTTP_HEAD] = "HEAD",
	[HTTP_POST] = "POST",
	[HTTP_PUT] = "PUT",
	[HTTP_DELETE] = "DELETE",
	[HTTP_OTHER] = "OTHER",
};

const char *http_method_name(enum http_method method)
{
	return http_method_names[method];
}

enum http_method http_method_of(const char *name)
{
	int method = HTTP_GET;

	while (method < HTTP_OTHER && (!name || strcmp(name, http_method_names[method]) != 0))
		method++;
	return (enum http_method)method;
}

/* No segment is "." or "..", which nginx resolves before it chooses a location. */
static bool http_path_is_plain(const char *path)
{
	size_t len;

	while (*path == '/') {
		len = strcspn(++path, "/");
		if ((len == 1 || len == 2) && strncmp(path, "..", len) == 0)
			return false;
		path += len;
	}
	return *path == '\0';
}

const char *http_path_of(struct arena *arena, const char *uri)
{
	const size_t len = uri ? strcspn(uri, "?") : 0;
	const char *path;

	if (len == 0 || len > HTTP_MAX_PATH)
		return "";
	path = http_percent_decode(arena, uri, len, HTTP_DECODE_PATH);
	if (!path || utf8_refusal(path, false) || !http_path_is_plain(path))
		return "";
	return path;
}

static const char *http_request_id_of(struct arena *arena, const char *given)
{
	static const char allowed[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-";
	char random[ID_SIZE];
	size_t len = given ? strlen(given) : 0;

	if (len >= 1 && len < TRACE_ID_SIZE && strspn(given, allowed) == len)
		return given;
	id_random(random);
	return arena_strdup(arena, random);
}

void http_exchange_init(struct http_exchange *exchange, struct arena *arena,
	const char *const *environment, int64_t now)
{
	*exchange = (struct http_exchange){
		.arena = arena, .environment = environment, .body = "", .now = now};
	exchange->method = http_method_of(http_variable(exchange, "REQUEST_METHOD"));
	exchange->path = http_path_of(arena, http_variable(exchange, "REQUEST_URI"));
	exchange->request_id = http_request_id_of(arena, http_variable(exchange, "REQUEST_ID"));
}

const char *http_variable(const struct http_exchange *exchange, const char *name)
{
	const size_t len = strlen(name);
	const char *const *entry;

	for (entry = exchange->environment; *entry; entry++)
		if (strncmp(*entry, name, len) == 0 && (*entry)[len] == '=')
			return *entry + len + 1;
	return NULL;
}

const char *http_header_get(const struct http_exchange *exchange, const char *name)
{
	size_t i;

	for (i = 0; i < exchange->header_count; i++)
		if (strcasecmp(exchange->headers[i].name, name) == 0)
			return exchange->headers[i].value;
	return NULL;
}

void http_set_header(struct http_exchange *exchange, const char *name, const char *format, ...)
{
	va_list args;
	char *value;
	size_t i;

	va_start(args, format);
	value = arena_vprintf(exchange->arena, format, args);
	va_end(args);
	assert(!utf8_has_control(value, false));
	for (i = 0; i < exchange->header_count; i++)
		if (strcasecmp(exchange->headers[i].name, name) == 0)
			break;
	assert(i < HTTP_MAX_HEADERS);
	if (i == exchange->header_count)
		exchange->header_count++;
	exchange->headers[i] = (struct http_header){name, value};
}

void http_reply(struct http_exchange *exchange, int status, const char *content_type,
	const char *bytes, size_t len)
{
	exchange->status = status;
	exchange->content_type = content_type;
	exchange->reply = bytes;
	exchange->reply_len = len;
	exchange->stream = NULL;
}

void http_reply_stream(struct http_exchange *exchange, int status, const char *content_type,
	http_stream *stream, void *data)
{
	http_reply(exchange, status, content_type, NULL, 0);
	exchange->stream = stream;
	exchange->stream_data = data;
}

static void http_release_buf(void *handle)
{
	buf_fini(handle);
}

struct buf *http_reply_buf_of(struct http_exchange *exchange, size_t ceiling)
{
	struct buf *buf = arena_alloc(exchange->arena, sizeof(*buf));

	buf_init(buf, ceiling);
	arena_defer(exchange->arena, http_release_buf, buf);
	return buf;
}

struct buf *http_reply_buf(struct http_exchange *exchange)
{
	return http_reply_buf_of(exchange, HTTP_MAX_REPLY);
}

enum err http_reply_json(
	struct http_exchange *exchange, int status, const struct buf *json, struct err_info *info)
{
	if (json->overflow)
		return err_set(info, ERR_INTERNAL, "The answer is too long.");
	http_reply(exchange, status, "application/json", json->bytes, json->len);
	return ERR_OK;
}
