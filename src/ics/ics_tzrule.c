#include "ics_tzrule.h"

#include <ctype.h>
#include <stddef.h>
#include <string.h>

enum { TZ_DAY_S = 86400, TZ_MAX_OFFSET_HOURS = 24, TZ_MAX_TIME_HOURS = 167 };

/* Skips `expected` when it comes next. */
static bool tzrule_skip(const char **p, char expected)
{
	if (**p != expected)
		return false;
	++*p;
	return true;
}

static bool tzrule_number(const char **p, int min, int max, int *value_r)
{
	int value = 0;

	if (!isdigit((unsigned char)**p))
		return false;
	for (; isdigit((unsigned char)**p) && value <= max; ++*p)
		value = value * 10 + (**p - '0');
	*value_r = value;
	return value >= min && value <= max;
}

/* [+-]hh[:mm[:ss]] */
static bool tzrule_time(const char **p, int max_hours, int *seconds_r)
{
	int hours, minutes = 0, seconds = 0, sign = 1;

	if (tzrule_skip(p, '-'))
		sign = -1;
	else
		tzrule_skip(p, '+');
	if (!tzrule_number(p, 0, max_hours, &hours))
		return false;
	if (tzrule_skip(p, ':')) {
		if (!tzrule_number(p, 0, 59, &minutes))
			return false;
		if (tzrule_skip(p, ':') && !tzrule_number(p, 0, 59, &seconds))
			return false;
	}
	*seconds_r = sign * (hours * 3600 + minutes * 60 + seconds);
	return true;
}

/* Letters, or anything between < and >. */
static bool tzrule_name(const char **p, struct ics_tztype *type)
{
	bool quoted = tzrule_skip(p, '<');
	const char *start = *p;
	size_t len;

	while (quoted ? **p && **p != '>' : isalpha((unsigned char)**p))
		++*p;
	len = (size_t)(*p - start);
	if (len < 3 || len >= sizeof(type->abbreviation))
		return false;
	memcpy(type->abbreviation, start, len);
	return !quoted || tzrule_skip(p, '>');
}

/* POSIX counts offsets west of Greenwich. */
static bool tzrule_offset(const char **p, struct ics_tztype *type)
{
	if (!tzrule_time(p, TZ_MAX_OFFSET_HOURS, &type->offset_s))
		return false;
	type->offset_s = -type->offset_s;
	return true;
}

/* date[/time] */
static bool tzrule_change(const char **p, struct ics_tzchange *change)
{
	bool ok;

	change->time_s = 2 * 3600;
	if (tzrule_skip(p, 'J')) {
		change->kind = ICS_TZ_JULIAN;
		ok = tzrule_number(p, 1, 365, &change->day);
	} else if (tzrule_skip(p, 'M')) {
		change->kind = ICS_TZ_WEEKDAY;
		ok = tzrule_number(p, 1, 12, &change->month) && tzrule_skip(p, '.') &&
		     tzrule_number(p, 1, 5, &change->week) && tzrule_skip(p, '.') &&
		     tzrule_number(p, 0, 6, &change->day);
	} else {
		change->kind = ICS_TZ_ZERO_BASED;
		ok = tzrule_number(p, 0, 365, &change->day);
	}
	if (ok && tzrule_skip(p, '/'))
		ok = tzrule_time(p, TZ_MAX_TIME_HOURS, &change->time_s);
	return ok;
}

bool ics_tzrule_parse(const char *text, struct ics_tzrule *rule_r)
{
	const char *p = text;

	*rule_r = (struct ics_tzrule){.daylight = {.dst = true}};
	if (!tzrule_name(&p, &rule_r->standard) || !tzrule_offset(&p, &rule_r->standard))
		return false;
	if (!*p)
		return true;
	rule_r->has_daylight = true;
	if (!tzrule_name(&p, &rule_r->daylight))
		return false;
	rule_r->daylight.offset_s = rule_r->standard.offset_s + 3600;
	if (*p != ',' && !tzrule_offset(&p, &rule_r->daylight))
		return false;
	return tzrule_skip(&p, ',') && tzrule_change(&p, &rule_r->to_daylight) &&
	       tzrule_skip(&p, ',') && tzrule_change(&p, &rule_r->to_standard) && !*p;
}

static bool tzrule_leap(int64_t year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

/* Days from 1970-01-01 to the first of a month of the Gregorian calendar. Counting years from
 * March puts the leap day last. */
static int64_t tzrule_first(int64_t year, int month)
{
	int64_t y = month <= 2 ? year - 1 : year;
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	int64_t of_era = y - era * 400;
	int64_t of_year = (153 * ((month + 9) % 12) + 2) / 5;

	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static int64_t tzrule_year(int64_t seconds)
{
	int64_t day = seconds / TZ_DAY_S - (seconds % TZ_DAY_S < 0);
	int64_t year = 1970 + day * 400 / 146097; /* off by one at most */

	while (tzrule_first(year + 1, 1) <= day)
		year++;
	while (tzrule_first(year, 1) > day)
		year--;
	return year;
}

/* The wall clock's seconds since 1970 at which a change happens in a year. */
static int64_t tzrule_change_at(const struct ics_tzchange *change, int64_t year)
{
	int64_t day = tzrule_first(year, 1);
	int64_t next;

	switch (change->kind) {
	case ICS_TZ_JULIAN: /* 29 February is never counted */
		day += change->day - 1 + (tzrule_leap(year) && change->day >= 60);
		break;
	case ICS_TZ_ZERO_BASED:
		day += change->day;
		break;
	case ICS_TZ_WEEKDAY: /* day d of week w; week 5 is the last; 1970-01-01 was a Thursday */
		day = tzrule_first(year, change->month);
		day += (change->day - (day % 7 + 7 + 4) % 7 + 7) % 7 + (change->week - 1) * 7;
		next = tzrule_first(change->month == 12 ? year + 1 : year, change->month % 12 + 1);
		if (day >= next)
			day -= 7;
		break;
	}
	return day * TZ_DAY_S + change->time_s;
}

const struct ics_tztype *ics_tzrule_at(const struct ics_tzrule *rule, int64_t at)
{
	int64_t year, start, end;
	bool daylight;

	if (!rule->has_daylight)
		return &rule->standard;
	year = tzrule_year(at + rule->standard.offset_s);
	start = tzrule_change_at(&rule->to_daylight, year) - rule->standard.offset_s;
	end = tzrule_change_at(&rule->to_standard, year) - rule->daylight.offset_s;
	daylight = start < end ? at >= start && at < end : at >= start || at < end;
	return daylight ? &rule->daylight : &rule->standard;
}
