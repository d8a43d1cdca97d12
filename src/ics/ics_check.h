#ifndef ICS_CHECK_H
#define ICS_CHECK_H
/* Whether what a template made is the calendar object we meant: RFC 5545, 5546 section 3.2. */
#include <libical/ical.h>

#include "err.h"
#include "ics_event.h"

struct json_object;

/* ERR_INTERNAL says in words what is wrong with the parsed object. `values` are those that the
 * template was given: what the receiver acts on (UID, times, people, ...) must be theirs. */
enum err ics_check(icalcomponent *calendar, enum ics_method method, struct json_object *values,
	struct err_info *info);
#endif
