#ifndef HTTP_FASTCGI_H
#define HTTP_FASTCGI_H
/*
 * FastCGI requests of connections that somebody else accepted and waits for. The only module that
 * sees libfcgi.
 */
#include "http_exchange.h"

/* What one thread needs to read and answer, one request at a time. */
struct http_fastcgi;

/* Once in a process, before the first of the others. SIGPIPE is ignored from here on, other
 * dispositions are left alone. */
void http_fastcgi_init(void);

struct http_fastcgi *http_fastcgi_new(void);
void http_fastcgi_free(struct http_fastcgi **fastcgi);

/* Reads the request that waits on `fd`, whose timeouts bound each read and write. The exchange
 * lives in `arena` and until it is answered. False when there is none, and `fd` is closed. */
bool http_fastcgi_read(struct http_fastcgi *fastcgi, int fd, struct arena *arena,
	struct http_exchange *exchange_r);

/* Sends the response. Returns whether the connection may bring another request; else its descriptor
 * is closed. `keep`: whether we want one. */
bool http_fastcgi_answer(struct http_fastcgi *fastcgi, struct http_exchange *exchange, bool keep);
#endif
