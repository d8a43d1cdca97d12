#include "http_server.h"

#include <errno.h>
#include <fcgiapp.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "log.h"
#include "xalloc.h"

enum {
	SERVER_MAX_DRAINED = 1024 * 1024, /* of a body that is too large */
	SERVER_LINGER_MS = 500,           /* of kept connections, while draining */
	SERVER_PAUSE_US = 100 * 1000,     /* after an accept() that lacked resources */
};

struct server {
	int fd;
	int epoll; /* the listening socket and the stop event, shared by the threads */
	const struct http_router *router;
};

/* Stopping is final for a process, so none is ever reset. */
static atomic_bool server_stopping;
static atomic_int server_stop_fd = -1;
static _Atomic int64_t server_stopped_us;

/* How long kept connections still serve after http_server_stop(). */
static int server_linger_ms(void)
{
	const int64_t left_us =
		atomic_load(&server_stopped_us) + SERVER_LINGER_MS * 1000 - clock_monotonic_us();

	return left_us > 0 ? (int)(left_us / 1000) : 0;
}

/* CONTENT_LENGTH: absent or empty is 0; false when it is not a number. */
static bool server_content_length(const struct http_exchange *exchange, uintmax_t *length_r)
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
static void server_drain(FCGX_Request *request)
{
	char trash[8192];
	size_t drained;
	int got;

	for (drained = 0; drained < SERVER_MAX_DRAINED; drained += (size_t)got) {
		got = FCGX_GetStr(trash, sizeof(trash), request->in);
		if (got < (int)sizeof(trash))
			return;
	}
	request->keepConnection = 0;
}

static void server_read_body(FCGX_Request *request, struct http_exchange *exchange)
{
	uintmax_t length;
	char *body;
	int got;

	if (!server_content_length(exchange, &length)) {
		exchange->body_broken = true;
		server_drain(request);
		return;
	}
	if (length > HTTP_MAX_BODY) {
		exchange->body_too_large = true;
		server_drain(request);
		return;
	}
	/* One byte more than announced is asked for: it also reads the end of the stream, which
	 * would else be taken for the next request's beginning. */
	body = arena_alloc(exchange->arena, (size_t)length + 2);
	got = FCGX_GetStr(body, (int)length + 1, request->in);
	body[got] = '\0';
	if ((uintmax_t)got > length)
		server_drain(request);
	exchange->body_broken = (uintmax_t)got != length;
	exchange->body = body;
	exchange->body_len = (size_t)got;
}

/* RFC 9110 section 15; nginx 1.22 passes a status without words on as a malformed line. */
static const char *server_reason(int status)
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

static void server_put_header(FCGX_Stream *out, const char *name, const char *value)
{
	FCGX_PutS(name, out);
	FCGX_PutS(": ", out);
	FCGX_PutS(value, out);
	FCGX_PutS("\r\n", out);
}

static void server_write(FCGX_Stream *out, const struct http_exchange *exchange)
{
	char status[64], length[24];
	size_t i;

	snprintf(
		status, sizeof(status), "%d %s", exchange->status, server_reason(exchange->status));
	server_put_header(out, "Status", status);
	for (i = 0; i < exchange->header_count; i++)
		server_put_header(out, exchange->headers[i].name, exchange->headers[i].value);
	if (exchange->content_type)
		server_put_header(out, "Content-Type", exchange->content_type);
	/* RFC 9110 section 8.6: not with 204, and a 304 has no length of its own. */
	if (exchange->status != 204 && exchange->status != 304) {
		snprintf(length, sizeof(length), "%zu", exchange->reply_len);
		server_put_header(out, "Content-Length", length);
	}
	FCGX_PutS("\r\n", out);
	if (exchange->reply_len && exchange->method != HTTP_HEAD)
		FCGX_PutStr(exchange->reply, (int)exchange->reply_len, out);
}

static void server_serve(const struct server *server, FCGX_Request *request)
{
	struct arena *arena = arena_new();
	struct http_exchange exchange;

	http_exchange_init(&exchange, arena, (const char *const *)request->envp, clock_now_ms());
	server_read_body(request, &exchange);
	http_router_serve(server->router, &exchange);
	server_write(request->out, &exchange);
	if (atomic_load(&server_stopping) && server_linger_ms() == 0)
		request->keepConnection = 0;
	FCGX_Finish_r(request);
	arena_free(&arena);
}

/*
 * Waits on a kept connection; false when it is to be closed without another request.
 *
 * FastCGI has no way to say that a connection will close, and nginx does not repeat a POST whose
 * connection closes under it. So while draining, kept connections have SERVER_LINGER_MS in which
 * nginx may close those it has used often enough (its keepalive_requests). Then one in use is
 * closed right behind its response, and an idle one after shutdown(), which makes a write that
 * comes too late fail over there, and shows here the request that came just in time.
 */
static bool server_wait_kept(int fd)
{
	struct pollfd fds[] = {{.fd = fd, .events = POLLIN},
		{.fd = atomic_load(&server_stop_fd), .events = POLLIN}};
	char byte;

	while (!atomic_load(&server_stopping) && poll(fds, 2, -1) < 0 && errno == EINTR)
		continue;
	if (!atomic_load(&server_stopping) || poll(fds, 1, server_linger_ms()) == 1)
		return true;
	shutdown(fd, SHUT_RD);
	return recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 1;
}

/* Waits for a request or a connection; false when it is time to end. libfcgi itself would wait in
 * read() or accept(), where only a signal reaches it. */
static bool server_wait(const struct server *server, const FCGX_Request *request)
{
	struct epoll_event event;

	if (request->ipcFd >= 0)
		return server_wait_kept(request->ipcFd);
	while (!atomic_load(&server_stopping) && epoll_wait(server->epoll, &event, 1, -1) < 1)
		continue;
	return !atomic_load(&server_stopping);
}

static void *server_thread(void *argument)
{
	const struct server *server = argument;
	FCGX_Request request;
	int result;

	FCGX_InitRequest(&request, server->fd, FCGI_FAIL_ACCEPT_ON_INTR);
	while (server_wait(server, &request)) {
		result = FCGX_Accept_r(&request);
		if (result == 0) {
			server_serve(server, &request);
		} else if (result != -EAGAIN) {
			log_warning("cannot accept a connection: %s", strerror(-result));
			usleep(SERVER_PAUSE_US);
		}
	}
	FCGX_Free(&request, 1);
	return NULL;
}

/* Watches the listening socket, by which one thread of all processes is woken, and the stop event,
 * which wakes them all. */
static enum err server_watch(struct server *server, struct err_info *info)
{
	struct epoll_event connection = {.events = EPOLLIN | EPOLLEXCLUSIVE};
	struct epoll_event stop = {.events = EPOLLIN};
	int stop_fd;

	server->epoll = epoll_create1(EPOLL_CLOEXEC);
	stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (server->epoll < 0 || stop_fd < 0 ||
		epoll_ctl(server->epoll, EPOLL_CTL_ADD, server->fd, &connection) < 0 ||
		epoll_ctl(server->epoll, EPOLL_CTL_ADD, stop_fd, &stop) < 0)
		return err_set(info, ERR_INTERNAL, "Cannot watch the socket: %s.", strerror(errno));
	atomic_store(&server_stop_fd, stop_fd);
	return ERR_OK;
}

/* FCGX_Init() installs handlers of its own for signals that are at their default or ignored. */
static void server_init_library(void)
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

/* Threads inherit a mask that leaves every signal to the rest of the process. */
static int server_start(struct server *server, pthread_t *threads, int count)
{
	sigset_t all, before;
	int started = 0;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	while (started < count &&
		pthread_create(&threads[started], NULL, server_thread, server) == 0)
		started++;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return started;
}

enum err http_server_run(
	int fd, int threads, const struct http_router *router, struct err_info *info)
{
	struct server server = {.fd = fd, .router = router};
	pthread_t *ids = xcalloc((size_t)threads, sizeof(*ids));
	int i, started;
	enum err err;

	err = server_watch(&server, info);
	if (err != ERR_OK)
		goto out;
	server_init_library();
	started = server_start(&server, ids, threads);
	if (started < threads) {
		err = err_set(
			info, ERR_INTERNAL, "Only %d of %d threads started.", started, threads);
		http_server_stop();
	}
	for (i = 0; i < started; i++)
		pthread_join(ids[i], NULL);
out:
	if (server.epoll >= 0)
		close(server.epoll);
	free(ids);
	return err;
}

void http_server_stop(void)
{
	const uint64_t one = 1;
	int fd;

	atomic_store(&server_stopped_us, clock_monotonic_us());
	atomic_store(&server_stopping, true);
	fd = atomic_load(&server_stop_fd);
	if (fd >= 0 && write(fd, &one, sizeof(one)) < 0)
		return;
}
