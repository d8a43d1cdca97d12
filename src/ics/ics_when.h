#ifndef ICS_WHEN_H
#define ICS_WHEN_H
/*
 * A meeting's time in a person's words: their zone by name, their language by template
 * (templates/text/<locale>/), for mails, pages and calendars.
 */
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

/* The same of a clock that is so many seconds east of UTC: ", 14:45 (UTC+01:00)". */
const char *ics_when_instant_at(const struct tmpl_set *templates, struct arena *arena,
	const char *locale, int64_t instant, int64_t offset_s);

/* Whether the templates of dates and instants name no value that they are not given. */
enum err ics_when_check_templates(const struct tmpl_set *templates, struct err_info *info);
#endif
