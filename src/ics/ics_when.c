#include "ics_when.h"

#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "ics_zone.h"
#include "instant.h"

enum { ICS_MAX_DATE = 256 };

const char *ics_when_locale(const struct tmpl_set *templates, struct arena *arena,
	const char *locale, const char *folder, const char *file)
{
	char name[256];
	size_t len;

	for (len = locale ? strlen(locale) : 0; len > 0 && len < 64;) {
		const char *candidate = arena_strndup(arena, locale, len);

		snprintf(name, sizeof(name), "%s/%s/%s", folder, candidate, file);
		if (tmpl_set_has(templates, name))
			return candidate;
		while (len > 0 && locale[--len] != '-')
			;
	}
	return "en";
}

static const char *ics_when_zone(const struct request *request, const struct person *person)
{
	return person->timezone ? person->timezone : request->timezone;
}

/* The names of days and months are in the template: it is told which ones to show. */
static const char *ics_when_date(const struct tmpl_set *templates, struct arena *arena,
	const char *locale, const struct tm *tm)
{
	struct json_object *values = json_object_new_object();
	const char *date = NULL;
	char name[128];
	struct buf buf;

	locale = ics_when_locale(templates, arena, locale, "text", "date.txt");
	snprintf(name, sizeof(name), "weekday_%d", tm->tm_wday);
	json_object_object_add(values, name, json_object_new_boolean(true));
	snprintf(name, sizeof(name), "month_%d", tm->tm_mon + 1);
	json_object_object_add(values, name, json_object_new_boolean(true));
	json_object_object_add(values, "day", json_object_new_int(tm->tm_mday));
	json_object_object_add(values, "year", json_object_new_int(tm->tm_year + 1900));
	snprintf(name, sizeof(name), "text/%s/date.txt", locale);
	buf_init(&buf, ICS_MAX_DATE);
	if (tmpl_render(templates, name, values, &buf, NULL) == ERR_OK)
		date = arena_strndup(arena, buf.bytes, strcspn(buf.bytes, "\n"));
	buf_fini(&buf);
	json_object_put(values);
	return date;
}

static void ics_when_add_text(struct json_object *values, const char *name, const char *text)
{
	json_object_object_add(values, name, json_object_new_string(text));
}

enum err ics_when_add(const struct tmpl_set *templates, struct arena *arena,
	const struct request *request, const struct person *person, struct json_object *values,
	struct err_info *info)
{
	const char *zone = ics_when_zone(request, person), *date;
	struct ics_zone_local start, end, utc;
	char text[64];

	if (!ics_zone_local(zone, request->starts_at, &start) ||
		!ics_zone_local(zone, request->ends_at, &end) ||
		!ics_zone_local("UTC", request->starts_at, &utc))
		return err_set(info, ERR_INTERNAL, "The zone %s is not known here.", zone);
	date = ics_when_date(templates, arena, person->locale, &start.tm);
	if (!date)
		return err_set(info, ERR_INTERNAL, "The date template cannot be rendered.");
	ics_when_add_text(values, "date", date);
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
	struct ics_zone_local local;
	const char *date;
	char time[16];

	if (!ics_zone_local(ics_when_zone(request, person), instant, &local))
		return NULL;
	date = ics_when_date(templates, arena, person->locale, &local.tm);
	if (!date)
		return NULL;
	strftime(time, sizeof(time), "%H:%M", &local.tm);
	return arena_printf(arena, "%s, %s (%s)", date, time, local.abbreviation);
}
