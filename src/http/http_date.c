#define _GNU_SOURCE /* strptime, timegm */
#include "http_date.h"

#include <string.h>
#include <time.h>

#include "instant.h"

static struct tm date_parts(int64_t instant)
{
	const time_t seconds = instant / INSTANT_SECOND;
	struct tm tm;

	gmtime_r(&seconds, &tm);
	return tm;
}

char *http_date(struct arena *arena, int64_t instant)
{
	const struct tm tm = date_parts(instant);
	char text[40];

	strftime(text, sizeof(text), "%a, %d %b %Y %H:%M:%S GMT", &tm);
	return arena_strdup(arena, text);
}

/* The year that two digits mean: the latest that is not more than fifty years ahead. */
static int date_year(int year, int64_t now)
{
	const int latest = date_parts(now).tm_year + 50;

	year = year % 100 + latest / 100 * 100;
	return year > latest ? year - 100 : year;
}

/* Whether it is as it is in the calendar. */
static bool date_exists(const struct tm *tm, int64_t instant)
{
	const struct tm is = date_parts(instant);

	return is.tm_wday == tm->tm_wday && is.tm_mday == tm->tm_mday && is.tm_mon == tm->tm_mon &&
	       is.tm_year == tm->tm_year && is.tm_sec == tm->tm_sec;
}

bool http_date_parse(const char *text, int64_t now, int64_t *instant_r)
{
	static const struct {
		const char *form;
		bool short_year;
	} forms[] = {
		{"%a, %d %b %Y %H:%M:%S GMT", false},
		{"%A, %d-%b-%y %H:%M:%S GMT", true},
		{"%a %b %e %H:%M:%S %Y", false},
	};
	const char *end;
	struct tm tm, normal;
	size_t i;

	for (i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		memset(&tm, 0, sizeof(tm));
		end = strptime(text, forms[i].form, &tm);
		if (!end || *end)
			continue;
		if (forms[i].short_year)
			tm.tm_year = date_year(tm.tm_year, now);
		normal = tm;
		*instant_r = (int64_t)timegm(&normal) * INSTANT_SECOND;
		return date_exists(&tm, *instant_r);
	}
	return false;
}

void http_set_last_modified(struct http_exchange *exchange, int64_t instant)
{
	const int64_t over = exchange->now - exchange->now % INSTANT_SECOND - INSTANT_SECOND;

	http_set_header(exchange, "Last-Modified", "%s",
		http_date(exchange->arena, instant_earlier(instant, over)));
}
