#ifndef HTTP_SERVER_PRIVATE_H
#define HTTP_SERVER_PRIVATE_H
/* Between the threads of the server (http_server.c) and how they watch (http_server_watch.c). */
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "http_queue.h"
#include "http_router.h"

/* Waiting for a request, being looked at by one thread, and then in a queue or with a thread. */
enum connection_state { CONNECTION_FREE, CONNECTION_WAITS, CONNECTION_SEEN, CONNECTION_BUSY };

struct connection {
	struct http_queue_item item; /* the first member: what is popped is a connection */
	int fd;
	enum connection_state state;
	bool again;               /* something came while it was seen or busy */
	uint32_t life;            /* the slot's: events of an earlier one are stale */
	int64_t arrival_until_us; /* of the rest of a request that began; 0: none did */
	struct connection *next;  /* among the free ones, or in a line */
};

/* Those that wait for a thread of their own, beside the queue. */
struct server_line {
	pthread_cond_t filled;
	struct connection *first, **last;
	size_t count;
};

enum { SERVER_PROBES = 16 }; /* that may wait for each other */

struct server {
	int listen_fd, epoll, work_fd;
	int64_t queue_us;
	const struct http_router *router;
	atomic_bool closing; /* kept connections are closed behind their response */

	pthread_mutex_t lock; /* of all that follows, and of the connections but their bytes */
	struct http_queue *queue;
	struct server_line refused, probes;
	struct connection *connections, *free; /* one slot for each that may be open */
	size_t room, open, arriving;           /* slots, those in use, those with half a request */
	size_t idle;                           /* threads that wait for an event */
	bool listening;                        /* the socket is in the set */
	int64_t listen_at_us;                  /* when it is put there again */
	bool ended;
};

/* What a thread watches with. */
struct watcher;
struct watcher *watcher_new(struct server *server);
void watcher_free(struct watcher **watcher);

/* Waits for one event and does what it asks for. */
void watcher_wait(struct watcher *watcher);

/* Puts the stop event and the one that wakes idle threads into the set. */
bool server_watch(struct server *server, int stop_fd);

/* The life of the thread that watches when all others are busy, until the last connection is closed
 * after http_server_stop(). */
void server_poll(struct server *server);

/* Wakes an idle thread: there is work; or all of them, for good: there is none any more. */
void server_kick(struct server *server);
void server_kick_all(struct server *server);

/* Whether it is time to end, and how long kept connections still serve then. */
bool server_is_stopping(void);
int64_t server_linger_us(void);

/* Under the lock: who waits last, and who has waited longest (NULL: nobody). */
void server_line_add(struct server_line *line, struct connection *connection);
struct connection *server_line_take(struct server_line *line);

/* Under the lock: the slot has no connection any more, or its connection waits again. */
void server_forget(struct server *server, struct connection *connection);
void server_give_back(struct server *server, struct connection *connection);
#endif
