#ifndef HTTP_SERVER_H
#define HTTP_SERVER_H
/*
 * Connections and threads are different things: idle threads wait for all connections together,
 * and those with a whole request on them queue for a thread that serves (http_queue.h).
 */
#include "err.h"
#include "http_router.h"

/* Opens the listening unix socket, mode 0660, group `group` unless "" (master, before forking).
 * A socket file that nobody listens on is replaced; one that answers is ERR_CONFIG ("in use"), and
 * so is a folder that does not exist. The descriptor does not block: threads wait by polling. */
enum err http_server_listen(const char *path, const char *group, int *fd_r, struct err_info *info);

/*
 * Serves with `threads` threads until http_server_stop() is called from another thread, then lets
 * requests that run or wait finish, closes kept connections half a second later and returns. What
 * has waited for `queue_ms` or finds the queue full is refused (http_router_refuse()) by a thread
 * of its own, which also serves what is HTTP_UNQUEUED. Another serves what is HTTP_PROBE, one
 * after the other.
 *
 * The threads block all signals; SIGPIPE is ignored from here on. The number of descriptors the
 * process may have is raised as far as it goes: it bounds the connections.
 *
 * nginx's upstream has a small `keepalive_requests` (100; its default is 1,000), so that
 * connections in much use end by themselves in that half second, and a reload closes hardly any
 * under a request.
 */
enum err http_server_run(
	int fd, int threads, int queue_ms, const struct http_router *router, struct err_info *info);

/* Once in the life of a process, possibly before http_server_run(). Async-signal-safe. */
void http_server_stop(void);
#endif
