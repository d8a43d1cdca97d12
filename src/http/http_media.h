#ifndef HTTP_MEDIA_H
#define HTTP_MEDIA_H
/* What RFC 9110 has on the forms of content: Accept (section 12.5.1), Accept-Language (12.5.4) and
 * Content-Type (8.3). */
#include <stdbool.h>
#include <stddef.h>

#include "arena.h"

/* Whether an Accept value admits `type` ("application/json"): the most specific range that names
 * it decides, by a weight above 0. Parameters are not looked at. NULL and "" admit everything. */
bool http_media_accepted(const char *accept, const char *type);

enum { HTTP_MAX_LANGUAGES = 32 };

struct http_language {
	const char *range; /* "de", "de-CH", "*" */
	int weight;        /* 1 to 1000; 0: not wanted */
};

/* The ranges of an Accept-Language value (may be NULL), the highest weight first, equals in their
 * order; returns their number. What is no range (RFC 4647 section 2.1) is passed over, and so is
 * what follows the first HTTP_MAX_LANGUAGES. */
size_t http_media_languages(struct arena *arena, const char *accept,
	struct http_language languages_r[HTTP_MAX_LANGUAGES]);

/* Whether a Content-Type value (may be NULL) is application/json, in UTF-8 if it says so. */
bool http_media_is_json(const char *content_type);
#endif
