#include "instant.h"

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

/* Rounded down, as what lies before the epoch needs it. */
static int64_t instant_divide(int64_t number, int64_t by)
{
	return number / by - (number % by < 0);
}

static char *instant_put_two(char *to, int number)
{
	*to++ = (char)('0' + number / 10);
	*to++ = (char)('0' + number % 10);
	return to;
}

/* Four digits, or as many as it takes. */
static char *instant_put_year(char *to, int64_t year)
{
	char digits[20];
	int count = 0;

	if (year < 0)
		*to++ = '-';
	year = year < 0 ? -year : year;
	do
		digits[count++] = (char)('0' + year % 10);
	while ((year /= 10) || count < 4);
	while (count)
		*to++ = digits[--count];
	return to;
}

/* The date of a day since the epoch, in years that begin in March, so that the day a leap year has
 * more is the last of its year (H. Hinnant, "chrono-Compatible Low-Level Date Algorithms"). */
static char *instant_put_date(char *to, int64_t day)
{
	const int64_t since = day + 719468, era = instant_divide(since, 146097);
	const int in_era = (int)(since - era * 146097);
	const int of_era = (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
	const int in_year = in_era - (365 * of_era + of_era / 4 - of_era / 100);
	const int march = (5 * in_year + 2) / 153, month = march < 10 ? march + 3 : march - 9;

	to = instant_put_year(to, of_era + era * 400 + (month <= 2));
	*to++ = '-';
	to = instant_put_two(to, month);
	*to++ = '-';
	return instant_put_two(to, in_year - (153 * march + 2) / 5 + 1);
}

void instant_format(int64_t instant, bool with_ms, char text_r[INSTANT_TEXT_SIZE])
{
	const int64_t day = instant_divide(instant, INSTANT_DAY);
	const int of_day = (int)((instant % INSTANT_DAY + INSTANT_DAY) % INSTANT_DAY);
	const int seconds = of_day / 1000;
	char *to = instant_put_date(text_r, day);

	*to++ = 'T';
	to = instant_put_two(to, seconds / 3600);
	*to++ = ':';
	to = instant_put_two(to, seconds / 60 % 60);
	*to++ = ':';
	to = instant_put_two(to, seconds % 60);
	if (with_ms) {
		*to++ = '.';
		*to++ = (char)('0' + of_day % 1000 / 100);
		to = instant_put_two(to, of_day % 100);
	}
	*to++ = 'Z';
	*to = '\0';
}
