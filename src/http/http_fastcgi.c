#include "http_fastcgi.h"

#include <errno.h>
#include <fastcgi.h>
#include <fcgiapp.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "clock.h"
#include "xalloc.h"

enum {
	FASTCGI_MAX_DRAINED = 1024 * 1024, /* of a body that is too large */
	FASTCGI_BUFFER = 8 * 1024,         /* libfcgi's */
	FASTCGI_RECORD = 64 * 1024 - 8,    /* no record holds more (in whole words) */
	FASTCGI_PATIENCE_US = 5000 * 1000, /* for all of a body, and all of a response */
	FASTCGI_STREAM_US = 30000 * 1000,  /* for all of one that is made while it is sent */
};

struct http_fastcgi {
	FCGX_Request request;
};

/* CONTENT_LENGTH: absent or empty is 0; false when it is not a number. */
static bool fastcgi_content_length(const struct http_exchange *exchange, uintmax_t *length_r)
{
	const char *text = http_variable(exchange, "CONTENT_LENGTH");

	*length_r = 0;
	if (!text)
		return true;
	if (text[strspn(text, "0123456789")] != '\0')
		return false;
	*length_r = strtoumax(text, NULL, 10);
	return true;
}

/* Reads what is left of the input, so that the connection can be kept; otherwise it is closed. */
static void fastcgi_drain(FCGX_Request *request)
{
	const int64_t until_us = clock_monotonic_us() + FASTCGI_PATIENCE_US;
	const FCGX_Stream *in = request->in;
	size_t drained;

	for (drained = 0; FCGX_GetChar(request->in) != EOF; drained++) {
		if (drained == FASTCGI_MAX_DRAINED ||
			(in->rdNext == in->stop && clock_monotonic_us() > until_us)) {
			request->keepConnection = 0;
			return;
		}
	}
}

static void fastcgi_read_body(FCGX_Request *request, struct http_exchange *exchange)
{
	uintmax_t length;
	char *body;
	int got;

	if (!fastcgi_content_length(exchange, &length)) {
		exchange->body_broken = true;
		fastcgi_drain(request);
		return;
	}
	if (length > HTTP_MAX_BODY) {
		exchange->body_too_large = true;
		fastcgi_drain(request);
		return;
	}
	/* One byte more than announced is asked for: it also reads the end of the stream, which
	 * would else be taken for the next request's beginning. */
	body = arena_alloc(exchange->arena, (size_t)length + 2);
	got = FCGX_GetStr(body, (int)length + 1, request->in);
	body[got] = '\0';
	if ((uintmax_t)got > length)
		fastcgi_drain(request);
	exchange->body_broken = (uintmax_t)got != length;
	exchange->body = body;
	exchange->body_len = (size_t)got;
}

/* RFC 9110 section 15; nginx 1.22 passes a status without words on as a malformed line. */
static const char *fastcgi_reason(int status)
{
	static const struct {
		int status;
		const char *reason;
	} reasons[] = {
		{200, "OK"},
		{201, "Created"},
		{202, "Accepted"},
		{204, "No Content"},
		{302, "Found"},
		{303, "See Other"},
		{304, "Not Modified"},
		{400, "Bad Request"},
		{401, "Unauthorized"},
		{403, "Forbidden"},
		{404, "Not Found"},
		{405, "Method Not Allowed"},
		{406, "Not Acceptable"},
		{409, "Conflict"},
		{410, "Gone"},
		{412, "Precondition Failed"},
		{413, "Content Too Large"},
		{415, "Unsupported Media Type"},
		{422, "Unprocessable Content"},
		{429, "Too Many Requests"},
		{500, "Internal Server Error"},
		{503, "Service Unavailable"},
	};
	size_t i;

	for (i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (reasons[i].status == status)
			return reasons[i].reason;
	return "Other";
}

static void fastcgi_put_header(FCGX_Stream *out, const char *name, const char *value)
{
	FCGX_PutS(name, out);
	FCGX_PutS(": ", out);
	FCGX_PutS(value, out);
	FCGX_PutS("\r\n", out);
}

struct fastcgi_body {
	FCGX_Request *request;
	int64_t until_us;
};

/* Not begun after its time, so that a peer that reads too slowly is given up. */
static bool fastcgi_send(const struct fastcgi_body *body, const void *bytes, size_t len)
{
	const char *at = bytes;
	ssize_t sent;

	for (; len > 0; at += sent, len -= (size_t)sent) {
		if (clock_monotonic_us() > body->until_us)
			return false;
		sent = send(body->request->ipcFd, at, len, MSG_NOSIGNAL);
		if (sent < 0 && errno != EINTR && errno != EAGAIN)
			return false;
		if (sent < 0)
			sent = 0;
	}
	return true;
}

/* From where it is, in the longest records (FastCGI specification, sections 3.3 and 5.3): libfcgi
 * copies it into records as long as its buffer, and each is a write of its own. */
static bool fastcgi_write_long(const struct fastcgi_body *body, const char *bytes, size_t len)
{
	const int id = body->request->requestId;
	FCGI_Header header = {
		.version = FCGI_VERSION_1,
		.type = FCGI_STDOUT,
		.requestIdB1 = (unsigned char)(id >> 8),
		.requestIdB0 = (unsigned char)id,
	};
	bool sent = FCGX_FFlush(body->request->out) == 0 && !FCGX_GetError(body->request->out);
	size_t size;

	for (; sent && len > 0; bytes += size, len -= size) {
		size = len < FASTCGI_RECORD ? len : FASTCGI_RECORD;
		header.contentLengthB1 = (unsigned char)(size >> 8);
		header.contentLengthB0 = (unsigned char)size;
		sent = fastcgi_send(body, &header, sizeof(header)) &&
		       fastcgi_send(body, bytes, size);
	}
	return sent;
}

/* What libfcgi's buffer holds goes through it. */
static bool fastcgi_write_piece(void *to, const char *bytes, size_t len)
{
	const struct fastcgi_body *body = to;

	if (len > FASTCGI_BUFFER)
		return fastcgi_write_long(body, bytes, len);
	FCGX_PutStr(bytes, (int)len, body->request->out);
	return !FCGX_GetError(body->request->out);
}

/* A body that is not whole ends with the connection: without FCGI_END_REQUEST nginx does not end
 * its chunks either, so that nobody takes a part for all of it. */
static void fastcgi_write_body(FCGX_Request *request, struct http_exchange *exchange)
{
	struct fastcgi_body body = {request, clock_monotonic_us()};
	bool whole;

	if (exchange->stream) {
		body.until_us += FASTCGI_STREAM_US;
		whole = exchange->stream(
			exchange, exchange->stream_data, fastcgi_write_piece, &body);
	} else {
		body.until_us += FASTCGI_PATIENCE_US;
		whole = fastcgi_write_piece(&body, exchange->reply, exchange->reply_len);
	}
	if (whole)
		return;
	request->keepConnection = 0;
	shutdown(request->ipcFd, SHUT_RDWR);
}

static void fastcgi_write(FCGX_Request *request, struct http_exchange *exchange)
{
	FCGX_Stream *out = request->out;
	char status[64], length[24];
	size_t i;

	snprintf(status, sizeof(status), "%d %s", exchange->status,
		fastcgi_reason(exchange->status));
	fastcgi_put_header(out, "Status", status);
	for (i = 0; i < exchange->header_count; i++)
		fastcgi_put_header(out, exchange->headers[i].name, exchange->headers[i].value);
	if (exchange->content_type)
		fastcgi_put_header(out, "Content-Type", exchange->content_type);
	/* RFC 9110 section 8.6: not with 204, and a 304 has no length of its own. */
	if (exchange->status != 204 && exchange->status != 304 && !exchange->stream) {
		snprintf(length, sizeof(length), "%zu", exchange->reply_len);
		fastcgi_put_header(out, "Content-Length", length);
	}
	FCGX_PutS("\r\n", out);
	if (exchange->method != HTTP_HEAD)
		fastcgi_write_body(request, exchange);
}

bool http_fastcgi_read(
	struct http_fastcgi *fastcgi, int fd, struct arena *arena, struct http_exchange *exchange_r)
{
	FCGX_Request *request = &fastcgi->request;

	/* With a descriptor it reads from that; when that fails it closes it and would accept
	 * another, which fails at once without a socket to do so from. */
	request->ipcFd = fd;
	request->keepConnection = 1; /* or it would finish the last request by closing this */
	/* So that closing does not wait for the peer to do the same. */
	FCGX_Detach(request);
	if (FCGX_Accept_r(request) != 0)
		return false;
	http_exchange_init(exchange_r, arena, (const char *const *)request->envp, clock_now_ms());
	fastcgi_read_body(request, exchange_r);
	return true;
}

bool http_fastcgi_answer(struct http_fastcgi *fastcgi, struct http_exchange *exchange, bool keep)
{
	FCGX_Request *request = &fastcgi->request;
	bool kept;

	fastcgi_write(request, exchange);
	if (!keep)
		request->keepConnection = 0;
	/* What else it has to say is not waited for a second and a third time. */
	if (FCGX_GetError(request->out))
		shutdown(request->ipcFd, SHUT_RDWR);
	FCGX_Finish_r(request);
	kept = request->ipcFd >= 0;
	request->ipcFd = -1;
	return kept;
}

/* FCGX_Init() installs handlers of its own for signals that are at their default or ignored. */
void http_fastcgi_init(void)
{
	static const int signals[] = {SIGUSR1, SIGTERM};
	struct sigaction before[2];
	size_t i;

	for (i = 0; i < 2; i++)
		sigaction(signals[i], NULL, &before[i]);
	FCGX_Init();
	for (i = 0; i < 2; i++)
		sigaction(signals[i], &before[i], NULL);
	signal(SIGPIPE, SIG_IGN);
}

struct http_fastcgi *http_fastcgi_new(void)
{
	struct http_fastcgi *fastcgi = xcalloc(1, sizeof(*fastcgi));

	FCGX_InitRequest(&fastcgi->request, -1, FCGI_FAIL_ACCEPT_ON_INTR);
	return fastcgi;
}

void http_fastcgi_free(struct http_fastcgi **fastcgi)
{
	free(*fastcgi);
	*fastcgi = NULL;
}
