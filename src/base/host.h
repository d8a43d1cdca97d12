#ifndef HOST_H
#define HOST_H
#include <stdbool.h>

/* Whether the host part of a URL, as libcurl gives it, is this machine itself: "localhost", an
 * address of 127.0.0.0/8, or "[::1]" however it is spelled. No name is looked up. */
bool host_is_loopback(const char *host);
#endif
