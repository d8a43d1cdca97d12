#ifndef HTTP_GLIMPSE_H
#define HTTP_GLIMPSE_H
/*
 * A look at the bytes of a FastCGI connection before anybody reads them: whether a whole request is
 * there, so that reading it holds no thread, and what it is, so that it waits in the right place.
 * https://fastcgi-archives.github.io/FastCGI_Specification.html, sections 3.3, 3.4 and 5.
 */
#include <stddef.h>
#include <stdint.h>

enum http_arrival {
	HTTP_ARRIVES, /* more has to come */
	HTTP_ARRIVED,
	HTTP_NO_REQUEST /* whatever comes, it is none */
};

/* Each the value of a variable, not NUL-terminated; NULL when it does not stand in the first
 * record of parameters. */
struct http_glimpse {
	const char *method, *uri;
	size_t method_len, uri_len;
	uint32_t address, token; /* hashes: of where it comes from, and of its credentials */
};

enum http_arrival http_glimpse(
	const unsigned char *bytes, size_t len, struct http_glimpse *glimpse_r);
#endif
