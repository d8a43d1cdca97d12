#include "ics_when.h"

#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "ics_zone.h"
#include "instant.h"

enum { ICS_MAX_WORDS = 256 };

const char *const ics_when_names[] = {"date", "end_date", "start_time", "end_time", "zone",
	"zone_abbreviation", "utc_start", "duration_minutes", NULL};

static const char *const when_date_names[] = {"weekday_0", "weekday_1", "weekday_2", "weekday_3",
	"weekday_4", "weekday_5", "weekday_6", "month_1", "month_2", "month_3", "month_4",
	"month_5", "month_6", "month_7", "month_8", "month_9", "month_10", "month_11", "month_12",
	"day", "year", NULL};
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
	static const char *const *const instant[] = {when_instant_names, NULL};
	const enum err err = ics_when_check(templates, "text", "date.txt", date, info);

	return err ? err : ics_when_check(templates, "text", "instant.txt", instant, info);
}

enum err ics_when_words(const struct tmpl_set *templates, struct arena *arena, const char *locale,
	const char *file, struct json_object *values, const char **text_r, struct err_info *info)
{
	char name[128];
	struct buf buf;
	enum err err;

	snprintf(name, sizeof(name), "text/%s/%s",
		ics_when_locale(templates, arena, locale, "text", file), file);
	buf_init(&buf, ICS_MAX_WORDS);
	err = tmpl_render(templates, name, values, &buf, info);
	if (err == ERR_OK)
		*text_r = arena_strndup(arena, buf.bytes, strcspn(buf.bytes, "\n"));
	buf_fini(&buf);
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
	json_object_object_add(values, "year", json_object_new_int(tm->tm_year + 1900));
	err = ics_when_words(templates, arena, locale, "date.txt", values, date_r, info);
	json_object_put(values);
	return err;
}

enum err ics_when_add(const struct tmpl_set *templates, struct arena *arena,
	const struct request *request, const struct person *person, struct json_object *values,
	struct err_info *info)
{
	const char *zone = ics_when_zone(request, person), *date, *end_date = NULL;
	struct ics_zone_local start, end, utc;
	char text[64];
	enum err err;

	if (!ics_zone_local(zone, request->starts_at, &start) ||
		!ics_zone_local(zone, request->ends_at, &end) ||
		!ics_zone_local("UTC", request->starts_at, &utc))
		return err_set(info, ERR_INTERNAL, "The zone %s is not known here.", zone);
	err = ics_when_date(templates, arena, person->locale, &start.tm, &date, info);
	if (err == ERR_OK &&
		(start.tm.tm_yday != end.tm.tm_yday || start.tm.tm_year != end.tm.tm_year))
		err = ics_when_date(templates, arena, person->locale, &end.tm, &end_date, info);
	if (err != ERR_OK)
		return err;
	ics_when_add_text(values, "date", date);
	if (end_date)
		ics_when_add_text(values, "end_date", end_date);
	strftime(text, sizeof(text), "%H:%M", &start.tm);
	ics_when_add_text(values, "start_time", text);
	strftime(text, sizeof(text), "%H:%M", &end.tm);
	ics_when_add_text(values, "end_time", text);
	ics_when_add_text(values, "zone", zone);
	ics_when_add_text(values, "zone_abbreviation", start.abbreviation);
	strftime(text, sizeof(text), "%Y-%m-%d %H:%M UTC", &utc.tm);
	ics_when_add_text(values, "utc_start", text);
	json_object_object_add(
		values, "duration_minutes", json_object_new_int64(request->duration_minutes));
	return ERR_OK;
}

const char *ics_when_instant(const struct tmpl_set *templates, struct arena *arena,
	const struct request *request, const struct person *person, int64_t instant)
{
	const char *date, *words = NULL;
	struct ics_zone_local local;
	struct json_object *values;
	char time[16];

	if (!ics_zone_local(ics_when_zone(request, person), instant, &local) ||
		ics_when_date(templates, arena, person->locale, &local.tm, &date, NULL) != ERR_OK)
		return NULL;
	strftime(time, sizeof(time), "%H:%M", &local.tm);
	values = json_object_new_object();
	ics_when_add_text(values, "date", date);
	ics_when_add_text(values, "time", time);
	ics_when_add_text(values, "zone_abbreviation", local.abbreviation);
	if (ics_when_words(templates, arena, person->locale, "instant.txt", values, &words, NULL) !=
		ERR_OK)
		words = NULL;
	json_object_put(values);
	return words;
}
