#ifndef INSTANT_H
#define INSTANT_H
/* Instants are Unix times in milliseconds. Their text is RFC 3339 in UTC with `Z` (API.md). */
#include <stdbool.h>
#include <stdint.h>

#define INSTANT_SECOND ((int64_t)1000)
#define INSTANT_MINUTE (60 * INSTANT_SECOND)
#define INSTANT_HOUR   (60 * INSTANT_MINUTE)
#define INSTANT_DAY    (24 * INSTANT_HOUR)

enum { INSTANT_TEXT_SIZE = 32 };

static inline int64_t instant_earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* Reads `YYYY-MM-DDTHH:MM:SSZ`, years 1970 to 9999, and drops a fraction of one to nine zeros, as
 * browsers write it; false for anything else, offsets, other fractions and leap seconds included.
 */
bool instant_parse(const char *text, int64_t *instant_r);

/* Writes whole seconds, or milliseconds too when `with_ms`. */
void instant_format(int64_t instant, bool with_ms, char text_r[INSTANT_TEXT_SIZE]);
#endif
