#ifndef ICS_CHECK_H
#define ICS_CHECK_H
/*
 * Whether lines that a template made are the calendar object we meant (RFC 5545, 5546 section 3.2),
 * and each of them what libical reads in it.
 */
#include "err.h"
#include "ics_event.h"

struct json_object;

/* What a calendar may be: one event by its method, or the head of a feed, which has none. */
enum ics_form {
	ICS_FORM_SNAPSHOT = ICS_SNAPSHOT,
	ICS_FORM_REQUEST = ICS_REQUEST,
	ICS_FORM_CANCEL = ICS_CANCEL,
	ICS_FORM_FEED,
};

/*
 * ERR_INTERNAL says in words what is wrong with a calendar, which is folded as ics_text_fold() does
 * it. `values` are those that the template was given: what the receiver acts on (UID, times,
 * people, ...) must be theirs. `known` holds the lines that libical has been shown already, and
 * gets those that it is shown now: after an error it is of no more use.
 */
enum err ics_check(const char *calendar, enum ics_form form, struct json_object *values,
	struct json_object *known, struct err_info *info);
#endif
