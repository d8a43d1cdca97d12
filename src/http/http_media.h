#ifndef HTTP_MEDIA_H
#define HTTP_MEDIA_H
/* Media types of RFC 9110: Accept (section 12.5.1) and Content-Type (8.3). */
#include <stdbool.h>

/* Whether an Accept value admits `type` ("application/json"): the most specific range that names
 * it decides, by a weight above 0. Parameters are not looked at. NULL and "" admit everything. */
bool http_media_accepted(const char *accept, const char *type);

/* Whether a Content-Type value (may be NULL) is application/json, in UTF-8 if it says so. */
bool http_media_is_json(const char *content_type);
#endif
