#ifndef HTTP_DATE_H
#define HTTP_DATE_H
/* Dates of HTTP headers (RFC 9110 section 5.6.7); instants are milliseconds. */
#include <stdbool.h>
#include <stdint.h>

#include "http_exchange.h"

/* "Sun, 06 Nov 1994 08:49:37 GMT" (IMF-fixdate), in the arena. */
char *http_date(struct arena *arena, int64_t instant);

/* Reads that form and the two obsolete ones, whose year of two digits is at most fifty years ahead
 * of `now`; false for what is
 * no date. */
bool http_date_parse(const char *text, int64_t now, int64_t *instant_r);

/*
 * Sets Last-Modified, by which the router answers If-Modified-Since. A second that is not over yet
 * may see another change, which nobody could tell from this one: until then it is the one before.
 */
void http_set_last_modified(struct http_exchange *exchange, int64_t instant);
#endif
