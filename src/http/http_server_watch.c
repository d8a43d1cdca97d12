/*
 * Watching: accepting, seeing requests arrive, and putting them where they wait. All idle threads
 * wait in one epoll set, and the kernel wakes the one that came last; the poller is among them and
 * is alone when all are busy. Nothing here reads anything away, or blocks but in epoll_wait().
 */
#define _GNU_SOURCE /* accept4() */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "clock.h"
#include "http_glimpse.h"
#include "http_server_private.h"
#include "log.h"
#include "xalloc.h"

enum {
	WATCH_BATCH = 64,               /* connections that are accepted at a time */
	WATCH_GLIMPSE = 112 * 1024,     /* a request that is longer is looked at no further */
	WATCH_ARRIVAL_US = 2000 * 1000, /* for the rest of a request that began */
	WATCH_YIELD_US = 2 * 1000,      /* in which a worker with idle threads goes first */
	WATCH_PAUSE_US = 100 * 1000,    /* after an accept() that lacked resources */
	WATCH_TICK_US = 50 * 1000,      /* from one look of the poller at everything to the next */
	WATCH_DRAIN_US = 10 * 1000,     /* and while draining */
	WATCH_HAND_OVER_US = 50,
	WATCH_IO_S = 1 /* for one read or write of a thread */
};

/* What an event is of when not of a connection. */
static const uint64_t watch_listen = UINT64_MAX, watch_work = UINT64_MAX - 1;

struct watcher {
	struct server *server;
	bool polls;   /* it serves nothing itself */
	bool yielded; /* the poller's: other workers had their turn */
	int64_t now_us;
	unsigned char bytes[WATCH_GLIMPSE];
};

struct watcher *watcher_new(struct server *server)
{
	struct watcher *watcher = xmalloc(sizeof(*watcher));

	watcher->server = server;
	watcher->polls = watcher->yielded = false;
	return watcher;
}

void watcher_free(struct watcher **watcher)
{
	free(*watcher);
	*watcher = NULL;
}

static bool watch_add(struct server *server, int operation, int fd, uint32_t events, uint64_t data)
{
	struct epoll_event event = {.events = events, .data.u64 = data};

	return epoll_ctl(server->epoll, operation, fd, &event) == 0;
}

static bool watch_connection(
	struct server *server, int operation, const struct connection *connection)
{
	return watch_add(server, operation, connection->fd, EPOLLIN | EPOLLRDHUP | EPOLLET,
		(uint64_t)connection->life << 32 | (uint32_t)(connection - server->connections));
}

bool server_watch(struct server *server, int stop_fd)
{
	return watch_add(server, EPOLL_CTL_ADD, server->work_fd, EPOLLIN | EPOLLET, watch_work) &&
	       watch_add(server, EPOLL_CTL_ADD, stop_fd, EPOLLIN | EPOLLET, watch_work);
}

void server_kick(struct server *server)
{
	const uint64_t one = 1;

	if (write(server->work_fd, &one, sizeof(one)) < 0)
		log_debug("the counter is full: everybody has been woken");
}

void server_kick_all(struct server *server)
{
	watch_add(server, EPOLL_CTL_MOD, server->work_fd, EPOLLIN, watch_work);
	server_kick(server);
}

void server_forget(struct server *server, struct connection *connection)
{
	if (connection->arrival_until_us)
		server->arriving--;
	connection->arrival_until_us = 0;
	connection->state = CONNECTION_FREE;
	connection->life++;
	connection->next = server->free;
	server->free = connection;
	server->open--;
}

void server_give_back(struct server *server, struct connection *connection)
{
	connection->state = CONNECTION_WAITS;
	if (connection->again) /* of which nobody is told twice, unless he asks */
		watch_connection(server, EPOLL_CTL_MOD, connection);
}

/* Under the lock. Without EPOLLEXCLUSIVE: all workers are told of a connection, for one that leaves
 * it to the others cannot tell them. */
static void watch_listen_again(struct server *server)
{
	server->listening =
		watch_add(server, EPOLL_CTL_ADD, server->listen_fd, EPOLLIN, watch_listen);
}

static void watch_unlisten(struct server *server, int64_t until_us)
{
	if (server->listening)
		epoll_ctl(server->epoll, EPOLL_CTL_DEL, server->listen_fd, NULL);
	server->listening = false;
	server->listen_at_us = until_us;
}

/* Under the lock: whether it has a place where its class waits. */
static bool watch_place(struct watcher *watcher, struct connection *connection,
	const struct http_glimpse *glimpse, enum http_class class)
{
	struct server *server = watcher->server;

	if (class == HTTP_CLASS_NONE)
		return false;
	if (class != HTTP_CLASS_PROBE)
		return http_queue_push(server->queue, &connection->item, class, glimpse->address,
			glimpse->token, watcher->now_us);
	if (server->probes.count == SERVER_PROBES)
		return false;
	connection->item.ready_us = watcher->now_us;
	server_line_add(&server->probes, connection);
	return true;
}

static void watch_close(struct watcher *watcher, struct connection *connection)
{
	close(connection->fd);
	pthread_mutex_lock(&watcher->server->lock);
	server_forget(watcher->server, connection);
	pthread_mutex_unlock(&watcher->server->lock);
}

/* `hung_up`: nothing more will be told of this connection, so it is looked at again. */
static void watch_enqueue(struct watcher *watcher, struct connection *connection,
	const struct http_glimpse *glimpse, bool hung_up)
{
	struct server *server = watcher->server;
	const enum http_class class = http_router_class(server->router, glimpse->method,
		glimpse->method_len, glimpse->uri, glimpse->uri_len);

	pthread_mutex_lock(&server->lock);
	if (connection->arrival_until_us)
		server->arriving--;
	connection->arrival_until_us = 0;
	connection->state = CONNECTION_BUSY;
	connection->again |= hung_up;
	if (!watch_place(watcher, connection, glimpse, class))
		server_line_add(&server->refused, connection);
	pthread_mutex_unlock(&server->lock);
}

/* There is no whole request yet. Returns whether something came meanwhile. */
static bool watch_wait_on(struct watcher *watcher, struct connection *connection, bool arriving)
{
	struct server *server = watcher->server;
	bool again;

	pthread_mutex_lock(&server->lock);
	if (arriving && !connection->arrival_until_us) {
		connection->arrival_until_us = watcher->now_us + WATCH_ARRIVAL_US;
		server->arriving++;
	}
	again = connection->again;
	connection->again = false;
	if (!again)
		connection->state = CONNECTION_WAITS;
	pthread_mutex_unlock(&server->lock);
	return again;
}

/* Looks at what has come on a connection that is seen by this thread. */
static void watch_look(struct watcher *watcher, struct connection *connection, bool hung_up)
{
	struct http_glimpse glimpse;
	enum http_arrival arrival;
	ssize_t got;

	do {
		got = recv(connection->fd, watcher->bytes, sizeof(watcher->bytes),
			MSG_PEEK | MSG_DONTWAIT);
		if (got < 0 && errno == EAGAIN && !hung_up)
			continue;
		if (got <= 0) {
			watch_close(watcher, connection);
			return;
		}
		arrival = http_glimpse(watcher->bytes, (size_t)got, &glimpse);
		if (arrival == HTTP_ARRIVED || got == sizeof(watcher->bytes)) {
			watch_enqueue(watcher, connection, &glimpse, hung_up);
			return;
		}
		if (arrival == HTTP_NO_REQUEST || hung_up) {
			watch_close(watcher, connection);
			return;
		}
	} while (watch_wait_on(watcher, connection, got > 0));
}

/* Whether it is this thread's to look at; whoever has it else looks once more. */
static bool watch_claim(struct server *server, struct connection *connection, uint32_t life)
{
	bool claimed;

	pthread_mutex_lock(&server->lock);
	claimed = connection->life == life && connection->state == CONNECTION_WAITS;
	if (claimed)
		connection->state = CONNECTION_SEEN;
	if (connection->life == life)
		connection->again = !claimed;
	pthread_mutex_unlock(&server->lock);
	return claimed;
}

static void watch_add_connection(struct watcher *watcher, int fd)
{
	const struct timeval patience = {.tv_sec = WATCH_IO_S};
	struct server *server = watcher->server;
	struct connection *connection;

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	pthread_mutex_lock(&server->lock);
	connection = server->free;
	if (connection) {
		server->free = connection->next;
		server->open++;
		connection->fd = fd;
		connection->state = CONNECTION_WAITS;
		if (!watch_connection(server, EPOLL_CTL_ADD, connection)) {
			server_forget(server, connection);
			connection = NULL;
		}
	}
	pthread_mutex_unlock(&server->lock);
	if (!connection)
		close(fd);
}

/* False when no more can be accepted now. */
static bool watch_accept_one(struct watcher *watcher)
{
	struct server *server = watcher->server;
	int fd = accept4(server->listen_fd, NULL, NULL, SOCK_CLOEXEC);

	if (fd >= 0) {
		watch_add_connection(watcher, fd);
		return true;
	}
	if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED) {
		log_warning("cannot accept a connection: %s", strerror(errno));
		pthread_mutex_lock(&server->lock);
		watch_unlisten(server, watcher->now_us + WATCH_PAUSE_US);
		pthread_mutex_unlock(&server->lock);
	}
	return false;
}

/* How many connections to accept now; 0: the socket leaves the set, for a moment or for good. */
static size_t watch_may_accept(struct watcher *watcher)
{
	struct server *server = watcher->server;
	const bool idle = !watcher->polls || server->idle;
	size_t room = server->room - server->open;

	if (server_is_stopping()) {
		watch_unlisten(server, INT64_MAX);
		return 0;
	}
	if (room == 0 || (!idle && !watcher->yielded)) {
		watch_unlisten(server, watcher->now_us + WATCH_YIELD_US);
		watcher->yielded = true;
		return 0;
	}
	watcher->yielded = false;
	if (idle)
		return 1;
	return room < WATCH_BATCH ? room : WATCH_BATCH;
}

/*
 * A worker with idle threads accepts one at a time, so that all get about as many. One that has
 * none first leaves the others time to take what has come, then takes it after all: nobody is left
 * in the socket's backlog, where no clock runs for him. One that stops leaves it to those that
 * follow.
 */
static void watch_accept(struct watcher *watcher)
{
	struct server *server = watcher->server;
	size_t count, i;

	pthread_mutex_lock(&server->lock);
	count = watch_may_accept(watcher);
	pthread_mutex_unlock(&server->lock);
	for (i = 0; i < count && watch_accept_one(watcher); i++)
		continue;
}

static void watch_one(struct watcher *watcher, int timeout_ms)
{
	struct server *server = watcher->server;
	struct connection *connection;
	struct epoll_event event;
	int count;

	count = epoll_wait(server->epoll, &event, 1, timeout_ms);
	watcher->now_us = clock_monotonic_us();
	if (count < 1 || event.data.u64 == watch_work)
		return;
	if (event.data.u64 == watch_listen) {
		watch_accept(watcher);
		return;
	}
	connection = &server->connections[(uint32_t)event.data.u64];
	if (watch_claim(server, connection, (uint32_t)(event.data.u64 >> 32)))
		watch_look(watcher, connection, event.events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR));
}

void watcher_wait(struct watcher *watcher)
{
	watch_one(watcher, -1);
}

/* What the poller put into the queue while a thread was idle is that thread's: it is woken, and has
 * taken it before the poller waits for events again, which would take the kick from it. */
static void poll_hand_over(struct watcher *poller)
{
	struct server *server = poller->server;
	bool owed, kicked = false;

	do {
		pthread_mutex_lock(&server->lock);
		owed = server->idle && http_queue_ready(server->queue);
		pthread_mutex_unlock(&server->lock);
		if (owed && !kicked)
			server_kick(server);
		if (owed)
			usleep(WATCH_HAND_OVER_US);
		kicked = true;
	} while (owed);
}

/* What has waited for too long goes from its place to who refuses. */
static void poll_refuse_overdue(struct watcher *poller)
{
	struct server *server = poller->server;
	const int64_t before_us = poller->now_us - server->queue_us;
	struct http_queue_item *item;

	pthread_mutex_lock(&server->lock);
	while ((item = http_queue_overdue(server->queue, before_us)))
		server_line_add(&server->refused, (struct connection *)item);
	while (server->probes.first && server->probes.first->item.ready_us <= before_us)
		server_line_add(&server->refused, server_line_take(&server->probes));
	pthread_mutex_unlock(&server->lock);
}

/* Closes connections whose request does not arrive, and, when it is time, all that are kept. */
static void poll_sweep(struct watcher *poller)
{
	struct server *server = poller->server;
	const bool closing = atomic_load(&server->closing);
	struct connection *connection;

	for (connection = server->connections; connection < server->connections + server->room;
		connection++) {
		pthread_mutex_lock(&server->lock);
		if (connection->state == CONNECTION_WAITS &&
			(connection->arrival_until_us
					? poller->now_us >= connection->arrival_until_us
					: closing)) {
			connection->state = CONNECTION_SEEN;
			pthread_mutex_unlock(&server->lock);
			shutdown(connection->fd, SHUT_RD);
			watch_look(poller, connection, true);
		} else {
			pthread_mutex_unlock(&server->lock);
		}
	}
}

/* Until when nothing has to be done unless something happens. */
static int poll_timeout_ms(struct watcher *poller)
{
	struct server *server = poller->server;
	int64_t next, oldest;

	next = poller->now_us + (server_is_stopping() ? WATCH_DRAIN_US : WATCH_TICK_US);
	pthread_mutex_lock(&server->lock);
	if (!server->listening && !server_is_stopping() && server->listen_at_us < next)
		next = server->listen_at_us;
	oldest = http_queue_oldest_us(server->queue);
	pthread_mutex_unlock(&server->lock);
	if (oldest != INT64_MAX && oldest + server->queue_us < next)
		next = oldest + server->queue_us;
	return next > poller->now_us ? (int)((next - poller->now_us + 999) / 1000) : 0;
}

/*
 * FastCGI has no way to say that a connection will close, and nginx repeats a POST whose connection
 * closes under it only if told to (fastcgi_next_upstream non_idempotent). So while draining, kept
 * connections have some time in which nginx may close those it has used often enough (its
 * keepalive_requests). Then one in use is closed right behind its response, and an idle one after
 * shutdown(), which makes a write that comes too late fail over there, and shows here the request
 * that came just in time.
 */
static bool poll_drain(struct watcher *poller)
{
	struct server *server = poller->server;
	bool open;

	if (server_linger_us() <= 0)
		atomic_store(&server->closing, true);
	pthread_mutex_lock(&server->lock);
	watch_unlisten(server, INT64_MAX);
	open = server->open > 0;
	pthread_mutex_unlock(&server->lock);
	return open;
}

static void poll_listen(struct watcher *poller)
{
	struct server *server = poller->server;

	pthread_mutex_lock(&server->lock);
	if (!server->listening && poller->now_us >= server->listen_at_us)
		watch_listen_again(server);
	pthread_mutex_unlock(&server->lock);
}

static bool poll_somebody_arrives(struct server *server)
{
	bool arriving;

	pthread_mutex_lock(&server->lock);
	arriving = server->arriving > 0;
	pthread_mutex_unlock(&server->lock);
	return arriving;
}

void server_poll(struct server *server)
{
	struct watcher *poller = watcher_new(server);
	int64_t sweep_at_us = 0;
	bool stopping;

	poller->polls = true;
	poller->now_us = clock_monotonic_us();
	do {
		stopping = server_is_stopping();
		if (!stopping)
			poll_listen(poller);
		watch_one(poller, poll_timeout_ms(poller));
		poll_hand_over(poller);
		poll_refuse_overdue(poller);
		if (poller->now_us >= sweep_at_us) {
			sweep_at_us = poller->now_us + (stopping ? WATCH_DRAIN_US : WATCH_TICK_US);
			if (stopping || poll_somebody_arrives(server))
				poll_sweep(poller);
		}
	} while (!stopping || poll_drain(poller));
	watcher_free(&poller);
}
