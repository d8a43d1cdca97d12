#ifndef HTTP_SERVER_H
#define HTTP_SERVER_H
/*
 * FastCGI (libfcgi): threads that accept, read, serve and reply. The only module that sees fcgi.
 */
#include "err.h"
#include "http_router.h"

/* Opens the listening unix socket, mode 0660, group `group` unless "" (master, before forking).
 * A socket file that nobody listens on is replaced; one that answers is ERR_CONFIG ("in use"), and
 * so is a folder that does not exist. The descriptor does not block: threads wait by polling. */
enum err http_server_listen(const char *path, const char *group, int *fd_r, struct err_info *info);

/*
 * Serves until http_server_stop() is called from another thread, then lets requests that run
 * finish, closes kept connections half a second later and returns. `threads` threads call
 * FCGX_Accept_r without a lock around it (keep-alive connections would deadlock behind one). They
 * block all signals; SIGPIPE is ignored from here on, other dispositions are left alone.
 *
 * A reload loses no POST when nginx's upstream has a small `keepalive_requests` (100).
 */
enum err http_server_run(
	int fd, int threads, const struct http_router *router, struct err_info *info);

/* Once in the life of a process, possibly before http_server_run(). Async-signal-safe. */
void http_server_stop(void);
#endif
