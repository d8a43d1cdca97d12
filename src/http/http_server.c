#include "http_server.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include "clock.h"
#include "http_fastcgi.h"
#include "http_server_private.h"
#include "xalloc.h"

enum {
	SERVER_LINGER_US = 500 * 1000, /* of kept connections, while draining */
	SERVER_MAX_CONNECTIONS = 4096,
	SERVER_OTHER_FILES = 128,  /* that the process needs besides connections, */
	SERVER_THREAD_FILES = 4,   /* and for each thread: database, provider */
	SERVER_QUEUE_A_THREAD = 64 /* requests that may wait */
};

/* Stopping is final for a process, so none is ever reset. */
static atomic_bool server_stopping;
static atomic_int server_stop_fd = -1;
static _Atomic int64_t server_stopped_us;

bool server_is_stopping(void)
{
	return atomic_load(&server_stopping);
}

int64_t server_linger_us(void)
{
	return atomic_load(&server_stopped_us) + SERVER_LINGER_US - clock_monotonic_us();
}

void server_line_add(struct server_line *line, struct connection *connection)
{
	connection->next = NULL;
	*line->last = connection;
	line->last = &connection->next;
	line->count++;
	pthread_cond_signal(&line->filled);
}

struct connection *server_line_take(struct server_line *line)
{
	struct connection *connection = line->first;

	if (!connection)
		return NULL;
	line->first = connection->next;
	if (!line->first)
		line->last = &line->first;
	line->count--;
	return connection;
}

typedef void server_answer(const struct http_router *router, struct http_exchange *exchange);

/* Returns whether the connection stays open. */
static bool server_serve(struct server *server, struct http_fastcgi *fastcgi,
	const struct connection *connection, server_answer *answer)
{
	struct arena *arena = arena_new();
	struct http_exchange exchange;
	bool kept = false;

	if (http_fastcgi_read(fastcgi, connection->fd, arena, &exchange)) {
		answer(server->router, &exchange);
		kept = http_fastcgi_answer(fastcgi, &exchange, !atomic_load(&server->closing));
	}
	arena_free(&arena);
	return kept;
}

static void server_settle(struct server *server, struct connection *connection, bool kept)
{
	if (kept)
		server_give_back(server, connection);
	else
		server_forget(server, connection);
}

/* The next request for this thread, which waits for events until there is one; NULL at the end. */
static struct connection *server_next(struct server *server, struct watcher *watcher)
{
	struct http_queue_item *item;

	pthread_mutex_lock(&server->lock);
	while (!(item = http_queue_pop(server->queue)) && !server->ended) {
		server->idle++;
		pthread_mutex_unlock(&server->lock);
		watcher_wait(watcher);
		pthread_mutex_lock(&server->lock);
		server->idle--;
	}
	/* One kick may have been for several requests. */
	if (server->idle && http_queue_ready(server->queue))
		server_kick(server);
	pthread_mutex_unlock(&server->lock);
	return (struct connection *)item;
}

static void *server_thread(void *argument)
{
	struct http_fastcgi *fastcgi = http_fastcgi_new();
	struct server *server = argument;
	struct watcher *watcher = watcher_new(server);
	struct connection *connection;
	bool kept;

	while ((connection = server_next(server, watcher)) != NULL) {
		kept = server_serve(server, fastcgi, connection, http_router_serve);
		pthread_mutex_lock(&server->lock);
		http_queue_done(server->queue, &connection->item);
		server_settle(server, connection, kept);
		pthread_mutex_unlock(&server->lock);
	}
	watcher_free(&watcher);
	http_fastcgi_free(&fastcgi);
	return NULL;
}

/* Whether the peer has read what it was sent: whoever does not is not waited for. */
static bool server_may_write(int fd)
{
	struct pollfd pollfd = {.fd = fd, .events = POLLOUT};

	return poll(&pollfd, 1, 0) == 1 && (pollfd.revents & POLLOUT);
}

/* The life of a thread that has a line of its own. */
static void server_attend(struct server *server, struct server_line *line, server_answer *answer)
{
	struct http_fastcgi *fastcgi = http_fastcgi_new();
	struct connection *connection;
	bool kept;

	pthread_mutex_lock(&server->lock);
	while (!server->ended) {
		connection = server_line_take(line);
		if (!connection) {
			pthread_cond_wait(&line->filled, &server->lock);
			continue;
		}
		pthread_mutex_unlock(&server->lock);
		kept = server_may_write(connection->fd);
		if (kept)
			kept = server_serve(server, fastcgi, connection, answer);
		else
			close(connection->fd);
		pthread_mutex_lock(&server->lock);
		server_settle(server, connection, kept);
	}
	pthread_mutex_unlock(&server->lock);
	http_fastcgi_free(&fastcgi);
}

static void *server_refuser(void *argument)
{
	struct server *server = argument;

	server_attend(server, &server->refused, http_router_refuse);
	return NULL;
}

static void *server_prober(void *argument)
{
	struct server *server = argument;

	server_attend(server, &server->probes, http_router_serve);
	return NULL;
}

/* Those beside the ones that serve the queue. */
static void *(*const server_others[])(void *) = {server_refuser, server_prober};

enum { SERVER_OTHERS = sizeof(server_others) / sizeof(server_others[0]) };

/* How many connections there may be beside what else needs descriptors. */
static size_t server_room(size_t threads)
{
	const rlim_t others = SERVER_OTHER_FILES + SERVER_THREAD_FILES * threads;
	const rlim_t wanted = SERVER_MAX_CONNECTIONS + others;
	struct rlimit files = {0};

	getrlimit(RLIMIT_NOFILE, &files);
	if (files.rlim_cur < wanted) {
		files.rlim_cur = files.rlim_max < wanted ? files.rlim_max : wanted;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	if (files.rlim_cur >= wanted)
		return SERVER_MAX_CONNECTIONS;
	return files.rlim_cur > 2 * others ? files.rlim_cur - others : others;
}

static void server_line_init(struct server_line *line)
{
	pthread_cond_init(&line->filled, NULL);
	line->last = &line->first;
}

static void server_open(struct server *server, size_t threads)
{
	size_t i;

	pthread_mutex_init(&server->lock, NULL);
	server_line_init(&server->refused);
	server_line_init(&server->probes);
	server->queue = http_queue_new(threads, SERVER_QUEUE_A_THREAD * threads);
	server->room = server_room(threads);
	server->connections = xcalloc(server->room, sizeof(*server->connections));
	for (i = server->room; i-- > 0;) {
		server->connections[i].next = server->free;
		server->free = &server->connections[i];
	}
}

static void server_close(struct server *server)
{
	if (server->epoll >= 0)
		close(server->epoll);
	if (server->work_fd >= 0)
		close(server->work_fd);
	free(server->connections);
	http_queue_free(&server->queue);
	pthread_cond_destroy(&server->refused.filled);
	pthread_cond_destroy(&server->probes.filled);
	pthread_mutex_destroy(&server->lock);
}

static enum err server_open_events(struct server *server, struct err_info *info)
{
	int stop_fd;

	server->epoll = epoll_create1(EPOLL_CLOEXEC);
	server->work_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (server->epoll < 0 || server->work_fd < 0 || stop_fd < 0 ||
		!server_watch(server, stop_fd))
		return err_set(info, ERR_INTERNAL, "Cannot watch the socket: %s.", strerror(errno));
	atomic_store(&server_stop_fd, stop_fd);
	return ERR_OK;
}

/* Threads inherit a mask that leaves every signal to the rest of the process. */
static int server_start(struct server *server, pthread_t *threads, int count)
{
	sigset_t all, before;
	int started = 0;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	while (started < count &&
		pthread_create(&threads[started], NULL,
			started < SERVER_OTHERS ? server_others[started] : server_thread,
			server) == 0)
		started++;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return started;
}

static void server_end(struct server *server, const pthread_t *threads, int count)
{
	int i;

	pthread_mutex_lock(&server->lock);
	server->ended = true;
	server_kick_all(server);
	pthread_cond_signal(&server->refused.filled);
	pthread_cond_signal(&server->probes.filled);
	pthread_mutex_unlock(&server->lock);
	for (i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
}

enum err http_server_run(
	int fd, int threads, int queue_ms, const struct http_router *router, struct err_info *info)
{
	struct server server = {.listen_fd = fd, .router = router, .queue_us = queue_ms * 1000LL};
	const int count = threads + SERVER_OTHERS;
	pthread_t *ids = xcalloc((size_t)count, sizeof(*ids));
	enum err err;
	int started;

	server_open(&server, (size_t)threads);
	err = server_open_events(&server, info);
	if (err != ERR_OK)
		goto out;
	http_fastcgi_init();
	started = server_start(&server, ids, count);
	if (started < count)
		err = err_set(info, ERR_INTERNAL, "Only %d of %d threads started.", started, count);
	else
		server_poll(&server);
	server_end(&server, ids, started);
out:
	server_close(&server);
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
