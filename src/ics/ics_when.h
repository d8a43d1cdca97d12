#ifndef ICS_WHEN_H
#define ICS_WHEN_H
/*
 * A meeting's time in a person's words: their zone by name, their language by template
 * (templates/text/<locale>/date.txt), for mails and pages.
 */
#include <stdint.h>

#include "arena.h"
#include "err.h"
#include "request.h"
#include "tmpl.h"

struct json_object;

/* The locale whose template `<folder>/<locale>/<file>` suits a person: exact, then shorter, then
 * "en". `locale` may be NULL. The result is in the arena. */
const char *ics_when_locale(const struct tmpl_set *templates, struct arena *arena,
	const char *locale, const char *folder, const char *file);

/* Adds date, start_time, end_time, zone, zone_abbreviation, utc_start and duration_minutes to
 * `values`, in the person's zone, or the request's when the person has named none. */
enum err ics_when_add(const struct tmpl_set *templates, struct arena *arena,
	const struct request *request, const struct person *person, struct json_object *values,
	struct err_info *info);

/* An instant as "Monday, 1 March 2027, 14:45 (CET)" of that person; NULL when it cannot be said. */
const char *ics_when_instant(const struct tmpl_set *templates, struct arena *arena,
	const struct request *request, const struct person *person, int64_t instant);
#endif
