#include "instant.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum { INSTANT_MAX_FRACTION = 9 };

static bool instant_digits(const char *text, int count, int *value_r)
{
	int i, value = 0;

	for (i = 0; i < count; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		value = value * 10 + (text[i] - '0');
	}
	*value_r = value;
	return true;
}

/* Nothing, or a fraction of nothing: nanoseconds are the most that any language prints. */
static bool instant_fraction_is_zero(const char *text)
{
	const size_t zeros = text[0] == '.' ? strspn(text + 1, "0") : 0;

	return zeros ? zeros <= INSTANT_MAX_FRACTION && strcmp(text + 1 + zeros, "Z") == 0
		     : strcmp(text, "Z") == 0;
}

bool instant_parse(const char *text, int64_t *instant_r)
{
	struct tm tm = {0}, back;
	time_t seconds;

	if (strlen(text) < 20 || text[4] != '-' || text[7] != '-' || text[10] != 'T' ||
		text[13] != ':' || text[16] != ':' || !instant_fraction_is_zero(text + 19))
		return false;
	if (!instant_digits(text, 4, &tm.tm_year) || !instant_digits(text + 5, 2, &tm.tm_mon) ||
		!instant_digits(text + 8, 2, &tm.tm_mday) ||
		!instant_digits(text + 11, 2, &tm.tm_hour) ||
		!instant_digits(text + 14, 2, &tm.tm_min) ||
		!instant_digits(text + 17, 2, &tm.tm_sec))
		return false;
	if (tm.tm_year < 1970)
		return false;
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	back = tm;
	seconds = timegm(&back);
	/* timegm repairs 30 February and 24:00; we refuse them. */
	if (back.tm_year != tm.tm_year || back.tm_mon != tm.tm_mon || back.tm_mday != tm.tm_mday ||
		back.tm_hour != tm.tm_hour || back.tm_min != tm.tm_min || back.tm_sec != tm.tm_sec)
		return false;
	*instant_r = (int64_t)seconds * INSTANT_SECOND;
	return true;
}

void instant_format(int64_t instant, bool with_ms, char text_r[INSTANT_TEXT_SIZE])
{
	int64_t ms = ((instant % 1000) + 1000) % 1000;
	time_t seconds = (time_t)(instant / 1000 - (instant % 1000 < 0));
	struct tm tm;
	size_t len;

	gmtime_r(&seconds, &tm);
	len = strftime(text_r, INSTANT_TEXT_SIZE, "%Y-%m-%dT%H:%M:%S", &tm);
	if (with_ms)
		snprintf(text_r + len, INSTANT_TEXT_SIZE - len, ".%03dZ", (int)ms);
	else
		snprintf(text_r + len, INSTANT_TEXT_SIZE - len, "Z");
}
