#include <ctype.h>
#include <curl/curl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "instant.h"
#include "rest.h"

/* Writes at `to`, which has room for three bytes a byte; returns where the text ends. */
static char *rest_escape_to(char *to, const char *text)
{
	static const char unreserved[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
					 "0123456789-._~";
	static const char hex[] = "0123456789ABCDEF";
	const unsigned char *p;

	for (p = (const unsigned char *)text; *p; p++) {
		if (strchr(unreserved, *p)) {
			*to++ = (char)*p;
		} else {
			*to++ = '%';
			*to++ = hex[*p >> 4];
			*to++ = hex[*p & 15];
		}
	}
	return to;
}

char *rest_escape(struct arena *arena, const char *text)
{
	char *escaped = arena_alloc(arena, 3 * strlen(text) + 1);

	rest_escape_to(escaped, text);
	return escaped;
}

/* What the form parser of the URL standard reads back: a blank may be %20 as well as +. */
char *rest_form(struct arena *arena, ...)
{
	const char *text;
	va_list args;
	size_t size = 1;
	char *form, *to;
	bool name = true;

	va_start(args, arena);
	while ((text = va_arg(args, const char *)))
		size += 3 * strlen(text) + 1;
	va_end(args);

	form = to = arena_alloc(arena, size);
	va_start(args, arena);
	while ((text = va_arg(args, const char *))) {
		if (to != form)
			*to++ = name ? '&' : '=';
		to = rest_escape_to(to, text);
		name = !name;
	}
	va_end(args);
	return form;
}

/* RFC 9110 section 10.2.3. All three forms of an HTTP-date (section 5.6.7) begin with the day of
 * the week; curl_getdate would make dates of lesser texts too. */
int64_t rest_retry_after_s(const char *value, int64_t now_ms)
{
	const int64_t day_s = INSTANT_DAY / INSTANT_SECOND;
	int64_t at, seconds = 0;

	if (value[0] != '\0' && strspn(value, "0123456789") == strlen(value)) {
		seconds = strtoll(value, NULL, 10); /* what is too large becomes the largest */
	} else {
		at = isalpha((unsigned char)value[0]) ? curl_getdate(value, NULL) * INSTANT_SECOND
						      : 0;
		if ((at > 0 || instant_parse(value, &at)) && at > now_ms)
			seconds = (at - now_ms + INSTANT_SECOND - 1) / INSTANT_SECOND;
	}
	return seconds < day_s ? seconds : day_s;
}
