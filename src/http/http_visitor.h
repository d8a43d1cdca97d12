#ifndef HTTP_VISITOR_H
#define HTTP_VISITOR_H
/* Who follows a link: a person, or a program that previews, scans or fetches ahead. */
#include "http_exchange.h"

/*
 * Whether the request may be a person's navigation. It is not when it says that it fetches ahead
 * (Sec-Purpose, Purpose, X-Purpose, X-Moz), when the browser says that it loads something else than
 * a page (Fetch Metadata, w3.org/TR/fetch-metadata: Sec-Fetch-Mode, Sec-Fetch-Dest), or when its
 * User-Agent is not a browser's. A browser that keeps its name to itself is known by its
 * Sec-Fetch-Mode; one whose name says nothing, by a click (Sec-Fetch-User), unless it names a
 * program.
 */
bool http_visitor_is_person(const struct http_exchange *exchange);
#endif
