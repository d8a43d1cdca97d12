#define _GNU_SOURCE /* strcasestr, strptime, timegm */
#include "ics_when.h"

#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "ics_zone.h"
#include "instant.h"

#define WHEN_LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

enum { ICS_MAX_TEXT = 64 * 1024 };

const char *const ics_when_names[] = {"date", "end_date", "start_time", "end_time", "zone",
	"zone_abbreviation", "end_zone_abbreviation", "utc_start", "duration_minutes", NULL};

static const char *const when_date_names[] = {"weekday_0", "weekday_1", "weekday_2", "weekday_3",
	"weekday_4", "weekday_5", "weekday_6", "month_1", "month_2", "month_3", "month_4",
	"month_5", "month_6", "month_7", "month_8", "month_9", "month_10", "month_11", "month_12",
	"day", "first", "year", NULL};
static const char *const when_time_names[] = {
	"time", "clock_12", "hour", "hour_12", "minute", "morning", NULL};
static const char *const when_instant_names[] = {"date", "time", "zone_abbreviation", NULL};

const char *ics_when_locale_find(const struct tmpl_set *templates, struct arena *arena,
	const char *locale, const char *folder, const char *file)
{
	const char *found;
	char name[256];
	size_t len;

	for (len = locale ? strlen(locale) : 0; len > 0 && len < 64;) {
		snprintf(name, sizeof(name), "%s/%.*s/%s", folder, (int)len, locale, file);
		found = tmpl_set_find(templates, name);
		if (found)
			return arena_strndup(arena, found + strlen(folder) + 1, len);
		while (len > 0 && locale[--len] != '-')
			;
	}
	return NULL;
}

const char *ics_when_locale(const struct tmpl_set *templates, struct arena *arena,
	const char *locale, const char *folder, const char *file)
{
	const char *found = ics_when_locale_find(templates, arena, locale, folder, file);

	return found ? found : "en";
}

enum err ics_when_check(const struct tmpl_set *templates, const char *folder, const char *file,
	const char *const *const *names, struct err_info *info)
{
	char pattern[256];
	enum err err;

	snprintf(pattern, sizeof(pattern), "%s/en/%s", folder, file);
	err = tmpl_check_names(templates, pattern, names, info);
	if (err != ERR_OK)
		return err;
	snprintf(pattern, sizeof(pattern), "%s/*/%s", folder, file);
	return tmpl_check_names(templates, pattern, names, info);
}

enum err ics_when_check_templates(const struct tmpl_set *templates, struct err_info *info)
{
	static const char *const *const date[] = {when_date_names, NULL};
	static const char *const *const time[] = {when_time_names, NULL};
	static const char *const *const instant[] = {when_instant_names, NULL};
	enum err err = ics_when_check(templates, "text", "date.txt", date, info);

	if (err == ERR_OK)
		err = ics_when_check(templates, "text", "time.txt", time, info);
	return err ? err : ics_when_check(templates, "text", "instant.txt", instant, info);
}

enum err ics_when_text(const struct tmpl_set *templates, struct arena *arena, const char *locale,
	const char *file, struct json_object *values, const char **text_r, struct err_info *info)
{
	char name[128];
	struct buf buf;
	enum err err;

	snprintf(name, sizeof(name), "text/%s/%s",
		ics_when_locale(templates, arena, locale, "text", file), file);
	buf_init(&buf, ICS_MAX_TEXT);
	err = tmpl_render(templates, name, values, &buf, info);
	if (err == ERR_OK)
		*text_r = arena_strndup(arena, buf.bytes, buf.len);
	buf_fini(&buf);
	return err;
}

enum err ics_when_words(const struct tmpl_set *templates, struct arena *arena, const char *locale,
	const char *file, struct json_object *values, const char **text_r, struct err_info *info)
{
	enum err err = ics_when_text(templates, arena, locale, file, values, text_r, info);

	if (err == ERR_OK)
		*text_r = arena_strndup(arena, *text_r, strcspn(*text_r, "\n"));
	return err;
}

static void ics_when_add_text(struct json_object *values, const char *name, const char *text)
{
	json_object_object_add(values, name, json_object_new_string(text));
}

static const char *ics_when_zone(const struct request *request, const struct person *person)
{
	return person->timezone ? person->timezone : request->timezone;
}

/* The region of a language tag (RFC 5646 section 2.1): two letters or three digits, before any
 * extension. "" where there is none. */
static void ics_when_region(const char *locale, char region_r[4])
{
	const char *p = locale + strcspn(locale, "-");
	size_t len;

	region_r[0] = '\0';
	for (; *p == '-'; p += len) {
		len = strcspn(++p, "-");
		if (len == 1)
			return;
		if ((len == 2 && strspn(p, WHEN_LETTERS) >= 2) ||
			(len == 3 && strspn(p, "0123456789") >= 3)) {
			memcpy(region_r, p, len);
			region_r[len] = '\0';
			return;
		}
	}
}

/*
 * Whether people of that language and region tell the time by a 12-hour clock: CLDR 46, short time
 * formats of the locales en-*. English of no region is that of the United States there. Of other
 * languages we have no words for it, and who named none gets the clock that everybody reads.
 */
static bool ics_when_clock_12(const char *locale)
{
	static const char regions[] =
		" 001 AE AG AS AU BB BM BS CA CY DM ER FJ FM GD GH GM GU GY HK IN JM KI KN KY LC "
		"LR LS MH MO MP MW MY NA NZ PG PH PK PR PW SB SD SG SL SS SZ TC TO TT UM US VC VG "
		"VI VU WS ";
	char region[4], word[8];

	if (!locale || strncasecmp(locale, "en", 2) != 0 || (locale[2] && locale[2] != '-'))
		return false;
	ics_when_region(locale, region);
	snprintf(word, sizeof(word), " %s ", region);
	return !region[0] || strcasestr(regions, word) != NULL;
}

/* "14:45", or "2:45 PM". */
static enum err ics_when_time(const struct tmpl_set *templates, struct arena *arena,
	const char *locale, const struct tm *tm, const char **time_r, struct err_info *info)
{
	struct json_object *values = json_object_new_object();
	char text[16];
	enum err err;

	strftime(text, sizeof(text), "%H:%M", tm);
	ics_when_add_text(values, "time", text);
	ics_when_add_text(values, "minute", text + 3);
	json_object_object_add(
		values, "clock_12", json_object_new_boolean(ics_when_clock_12(locale)));
	json_object_object_add(values, "hour", json_object_new_int(tm->tm_hour));
	json_object_object_add(values, "hour_12", json_object_new_int((tm->tm_hour + 11) % 12 + 1));
	json_object_object_add(values, "morning", json_object_new_boolean(tm->tm_hour < 12));
	err = ics_when_words(templates, arena, locale, "time.txt", values, time_r, info);
	json_object_put(values);
	return err;
}

/* "CET"; "UTC\u221203:00" of a zone to which tzdata gives no letters. */
static const char *ics_when_letters(struct arena *arena, const struct ics_zone_local *local)
{
	const int minutes = abs(local->offset_s) / 60;

	if (local->abbreviation[0] && strchr(WHEN_LETTERS, local->abbreviation[0]))
		return arena_strdup(arena, local->abbreviation);
	return arena_printf(arena, "UTC%s%02d:%02d", local->offset_s < 0 ? "\u2212" : "+",
		minutes / 60, minutes % 60);
}

/* The names of days and months are in the template: it is told which ones to show. */
static enum err ics_when_date(const struct tmpl_set *templates, struct arena *arena,
	const char *locale, const struct tm *tm, const char **date_r, struct err_info *info)
{
	struct json_object *values = json_object_new_object();
	char name[32];
	enum err err;

	snprintf(name, sizeof(name), "weekday_%d", tm->tm_wday);
	json_object_object_add(values, name, json_object_new_boolean(true));
	snprintf(name, sizeof(name), "month_%d", tm->tm_mon + 1);
	json_object_object_add(values, name, json_object_new_boolean(true));
	json_object_object_add(values, "day", json_object_new_int(tm->tm_mday));
	json_object_object_add(values, "first", json_object_new_boolean(tm->tm_mday == 1));
	json_object_object_add(values, "year", json_object_new_int(tm->tm_year + 1900));
	err = ics_when_words(templates, arena, locale, "date.txt", values, date_r, info);
	json_object_put(values);
	return err;
}

enum err ics_when_add(const struct tmpl_set *templates, struct arena *arena,
	const struct request *request, const struct person *person, struct json_object *values,
	struct err_info *info)
{
	const char *zone = ics_when_zone(request, person), *text, *start_letters, *end_letters;
	const char *const locale = person->locale;
	struct ics_zone_local start, end, utc;
	char utc_start[64];
	enum err err;

	if (!ics_zone_local(zone, request->starts_at, &start) ||
		!ics_zone_local(zone, request->ends_at, &end) ||
		!ics_zone_local("UTC", request->starts_at, &utc))
		return err_set(info, ERR_INTERNAL, "The zone %s is not known here.", zone);
	err = ics_when_date(templates, arena, locale, &start.tm, &text, info);
	if (err != ERR_OK)
		return err;
	ics_when_add_text(values, "date", text);
	if (start.tm.tm_yday != end.tm.tm_yday || start.tm.tm_year != end.tm.tm_year) {
		err = ics_when_date(templates, arena, locale, &end.tm, &text, info);
		if (err != ERR_OK)
			return err;
		ics_when_add_text(values, "end_date", text);
	}
	if ((err = ics_when_time(templates, arena, locale, &start.tm, &text, info)) != ERR_OK)
		return err;
	ics_when_add_text(values, "start_time", text);
	if ((err = ics_when_time(templates, arena, locale, &end.tm, &text, info)) != ERR_OK)
		return err;
	ics_when_add_text(values, "end_time", text);
	start_letters = ics_when_letters(arena, &start);
	end_letters = ics_when_letters(arena, &end);
	ics_when_add_text(values, "zone", zone);
	ics_when_add_text(values, "zone_abbreviation", start_letters);
	if (strcmp(start_letters, end_letters) != 0)
		ics_when_add_text(values, "end_zone_abbreviation", end_letters);
	strftime(utc_start, sizeof(utc_start), "%Y-%m-%d %H:%M UTC", &utc.tm);
	ics_when_add_text(values, "utc_start", utc_start);
	json_object_object_add(
		values, "duration_minutes", json_object_new_int64(request->duration_minutes));
	return ERR_OK;
}

static const char *ics_when_local(const struct tmpl_set *templates, struct arena *arena,
	const char *locale, const struct ics_zone_local *local)
{
	const char *date, *time, *words = NULL;
	struct json_object *values;

	if (ics_when_date(templates, arena, locale, &local->tm, &date, NULL) != ERR_OK ||
		ics_when_time(templates, arena, locale, &local->tm, &time, NULL) != ERR_OK)
		return NULL;
	values = json_object_new_object();
	ics_when_add_text(values, "date", date);
	ics_when_add_text(values, "time", time);
	ics_when_add_text(values, "zone_abbreviation", ics_when_letters(arena, local));
	if (ics_when_words(templates, arena, locale, "instant.txt", values, &words, NULL) != ERR_OK)
		words = NULL;
	json_object_put(values);
	return words;
}

const char *const ics_when_left_names[] = {"in_days", "in_hours", "in_minutes", "in_moments", NULL};

void ics_when_add_time_left(int64_t left, struct json_object *values)
{
	const int64_t unit = left >= 36 * INSTANT_HOUR     ? INSTANT_DAY
			     : left >= 90 * INSTANT_MINUTE ? INSTANT_HOUR
							   : INSTANT_MINUTE;
	const char *name = unit == INSTANT_DAY    ? "in_days"
			   : unit == INSTANT_HOUR ? "in_hours"
						  : "in_minutes";

	if (left < 2 * INSTANT_MINUTE)
		json_object_object_add(values, "in_moments", json_object_new_boolean(true));
	else
		json_object_object_add(
			values, name, json_object_new_int64((left + unit / 2) / unit));
}

/* ---- fields of forms: HTML, "Local dates and times" ---- */

#define WHEN_FIELD "%Y-%m-%dT%H:%M"

const char *ics_when_field(struct arena *arena, const struct request *request,
	const struct person *person, int64_t instant)
{
	struct ics_zone_local local;
	char text[32];

	if (!ics_zone_local(ics_when_zone(request, person), instant, &local))
		return NULL;
	strftime(text, sizeof(text), WHEN_FIELD, &local.tm);
	return arena_strdup(arena, text);
}

bool ics_when_field_read(const struct request *request, const struct person *person,
	const char *text, int64_t *instant_r)
{
	const char *zone = ics_when_zone(request, person), *end;
	struct ics_zone_local near, local;
	struct tm tm = {0};
	int64_t wall;
	int side;

	end = strlen(text) == strlen("2027-03-01T14:45") ? strptime(text, WHEN_FIELD, &tm) : NULL;
	if (!end || *end)
		return false;
	wall = (int64_t)timegm(&tm) * INSTANT_SECOND;
	/* The offset of the day before, or of the day after, is that of the moment. */
	for (side = -1; side <= 1; side += 2) {
		if (!ics_zone_local(zone, wall + side * INSTANT_DAY, &near))
			return false;
		*instant_r = wall - near.offset_s * INSTANT_SECOND;
		if (ics_zone_local(zone, *instant_r, &local) && local.offset_s == near.offset_s)
			return true;
	}
	return false;
}

const char *ics_when_instant(const struct tmpl_set *templates, struct arena *arena,
	const struct request *request, const struct person *person, int64_t instant)
{
	struct ics_zone_local local;

	return ics_zone_local(ics_when_zone(request, person), instant, &local)
		       ? ics_when_local(templates, arena, person->locale, &local)
		       : NULL;
}

const char *ics_when_instant_at(const struct tmpl_set *templates, struct arena *arena,
	const char *locale, int64_t instant, int64_t offset_s)
{
	struct ics_zone_local local;

	/* Zones without letters are named by their offset. */
	if (!ics_zone_local("UTC", instant + offset_s * INSTANT_SECOND, &local))
		return NULL;
	local.offset_s = (int)offset_s;
	local.abbreviation[0] = '\0';
	return ics_when_local(templates, arena, locale, &local);
}
