#ifndef ICS_EVENT_H
#define ICS_EVENT_H
/*
 * One VEVENT: template (templates/ics/event.ics) -> escaped, folded bytes, in one pass. That the
 * template makes valid ones, whatever people write, was proven when it was loaded (ics_proof.h).
 * Rules: RFC 5545, 5546, 7986.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arena.h"
#include "buf.h"
#include "err.h"
#include "tmpl.h"

struct json_object;

enum ics_method {
	ICS_SNAPSHOT, /* no METHOD: a file to download */
	ICS_REQUEST,  /* iMIP invitation */
	ICS_CANCEL,   /* iMIP cancellation: STATUS:CANCELLED, no VALARM */
};

struct ics_attendee {
	const char *name; /* may be NULL */
	const char *email;
	bool accepted; /* PARTSTAT=ACCEPTED; else NEEDS-ACTION */
	bool asked;    /* RSVP=TRUE in an invitation: somebody reads the answer */
};

struct ics_event {
	enum ics_method method;
	bool bare; /* the VEVENT without the VCALENDAR around it, for a feed */
	const char *uid;
	int64_t sequence;
	int64_t dtstamp, created, last_modified; /* ms; 0: as dtstamp */
	int64_t starts_at, ends_at;              /* ms; written in UTC */
	const char *summary;
	const char *with;        /* whom the reader meets: the end of SUMMARY; may be NULL */
	const char *description; /* as a template of kind .ics made it, with lines; may be NULL */
	const char *join_url;    /* LOCATION and CONFERENCE; NULL when there is none */
	const char *join_label;  /* what the link is for, in the reader's words */
	const char *page_url;    /* URL; may be NULL */
	const char *organizer_name, *organizer_email;
	const struct ics_attendee *attendees; /* one at least */
	size_t attendee_count;
	bool cancelled; /* STATUS:CANCELLED in a snapshot */
	/* Of a cancelled event: why; may be NULL, may have lines. It has neither links nor alarm.
	 */
	const char *comment;
	int64_t alarm_minutes; /* before the start; 0 = no VALARM */
};

/*
 * Appends a valid iCalendar object with CRLF lines folded at 75 octets; the same event makes the
 * same bytes. Thread-safe; does not block.
 *
 * ERR_INTERNAL, with nothing appended, when there can be none: links that are not http or https, an
 * end that is not after the start, a cancelled ICS_REQUEST, nobody who invites or is invited, text
 * that is not UTF-8. Control characters in names and texts never leave their place: they become
 * spaces, or line breaks in the description and comment.
 */
enum err ics_event_render(const struct tmpl_set *templates, const struct ics_event *event,
	struct buf *out, struct err_info *info);

/* The values that the template is given, and two that are only checked against: version and
 * alarm_action. The caller frees with json_object_put. */
struct json_object *ics_event_values(struct arena *arena, const struct ics_event *event);

/* Whether the template names no value that it is not given. */
enum err ics_event_check_template(const struct tmpl_set *templates, struct err_info *info);
#endif
