#ifndef ICS_WHEN_H
#define ICS_WHEN_H
/*
 * A meeting's time in a person's words: their zone by name, their language by template
 * (templates/text/<locale>/), for mails, pages and calendars.
 */
#include <stdbool.h>
#include <stdint.h>

#include "arena.h"
#include "err.h"
#include "request.h"
#include "tmpl.h"

struct json_object;

/* The locale whose template `<folder>/<locale>/<file>` suits a language tag: exact, then shorter
 * (RFC 4647 section 3.4), whatever the case (RFC 5646 section 2.1.1); as the folder is spelled, or
 * NULL. `locale` may be NULL. The result is in the arena. */
const char *ics_when_locale_find(const struct tmpl_set *templates, struct arena *arena,
	const char *locale, const char *folder, const char *file);

/* The same, with "en" where there is none. */
const char *ics_when_locale(const struct tmpl_set *templates, struct arena *arena,
	const char *locale, const char *folder, const char *file);

/* Whether `<folder>/<locale>/<file>` names no value but these (tmpl_check_names()) in every locale
 * that has it, and that "en" does. */
enum err ics_when_check(const struct tmpl_set *templates, const char *folder, const char *file,
	const char *const *const *names, struct err_info *info);

/* What `text/<locale>/<file>` makes of `values` (NULL: of none), and of that the first line.
 * ERR_INTERNAL when it cannot be rendered. The text is in the arena. */
enum err ics_when_text(const struct tmpl_set *templates, struct arena *arena, const char *locale,
	const char *file, struct json_object *values, const char **text_r, struct err_info *info);
enum err ics_when_words(const struct tmpl_set *templates, struct arena *arena, const char *locale,
	const char *file, struct json_object *values, const char **text_r, struct err_info *info);

/* What ics_when_add() adds; NULL-terminated. */
extern const char *const ics_when_names[];

/* Adds date, start_time, end_time, zone, zone_abbreviation, utc_start, duration_minutes, end_date
 * when the last day is not the first, and end_zone_abbreviation when the clocks change in between,
 * to `values`, in the person's zone, or the request's when the person has named none. */
enum err ics_when_add(const struct tmpl_set *templates, struct arena *arena,
	const struct request *request, const struct person *person, struct json_object *values,
	struct err_info *info);

/* An instant as "Monday, 1 March 2027, 14:45 (CET)" or ", 2:45 PM (UTC\u221203:00)" of that person;
 * NULL when it cannot be said. */
const char *ics_when_instant(const struct tmpl_set *templates, struct arena *arena,
	const struct request *request, const struct person *person, int64_t instant);

/* Adds in_days, in_hours, in_minutes or in_moments: how long it is until then, in the largest unit
 * that still says it well, so that every number is a plural. */
void ics_when_add_time_left(int64_t left, struct json_object *values);
extern const char *const ics_when_left_names[]; /* NULL-terminated */

/* An instant as the field of a form has it ("2027-03-01T14:45", on that person's wall clock), and
 * what was typed there: false when it is no time that this clock shows; of two, the first. */
const char *ics_when_field(struct arena *arena, const struct request *request,
	const struct person *person, int64_t instant);
bool ics_when_field_read(const struct request *request, const struct person *person,
	const char *text, int64_t *instant_r);

/* The same of a clock that is so many seconds east of UTC: ", 14:45 (UTC+01:00)". */
const char *ics_when_instant_at(const struct tmpl_set *templates, struct arena *arena,
	const char *locale, int64_t instant, int64_t offset_s);

/* Whether the templates of dates and instants name no value that they are not given. */
enum err ics_when_check_templates(const struct tmpl_set *templates, struct err_info *info);
#endif
