#ifndef REST_PRIVATE_H
#define REST_PRIVATE_H
#include <curl/curl.h>

#include "rest.h"

/* A URL that a call may go to, or people. */
struct rest_url {
	CURLU *parsed;
	char *scheme, *host, *port, *path;
};

/* False when nobody may go there; rest_url_fini() in any case. Of `allowed` only REST_URL_HTTP
 * matters. */
bool rest_url_read(struct rest_url *url, const char *text, unsigned allowed);
void rest_url_fini(struct rest_url *url);

/* What was found of the addresses of a host. */
struct rest_guard {
	bool probing; /* none is connected to */
	bool met, refused;
};

/* CURLOPT_OPENSOCKETFUNCTION with a struct rest_guard *: no socket for an address that is not
 * public. */
curl_socket_t rest_guard_open(void *guard, curlsocktype purpose, struct curl_sockaddr *address);
#endif
