#ifndef ICS_INVITE_H
#define ICS_INVITE_H
/* The calendar event of a request's meeting, as one of its people gets it. */
#include "ics_event.h"
#include "id.h"
#include "request.h"

struct json_object;

struct ics_invite {
	const struct request *request; /* has a meeting; loaded whole */
	enum party party;              /* the reader */
	enum ics_method method;
	bool bare; /* the VEVENT alone, for a feed */
	int64_t dtstamp;
	int64_t sequence;
	const char *join_url; /* the reader's own link; NULL when there is none */
	const char *organizer_name, *organizer_email;
	bool answers_are_read; /* what is sent to the organizer's address is */
};

/* Appends the iCalendar object; errors as ics_event_render(). The same for the whole life of the
 * meeting: UID, CREATED, ORGANIZER and who attends; whether they have accepted is as it is now. */
enum err ics_invite_render(const struct tmpl_set *templates, const struct ics_invite *invite,
	struct buf *out, struct err_info *info);

/* Adds dial_in.numbers to the values of a template, if there are any: an object around the list,
 * for the words before it. */
void ics_invite_add_dial_in(const struct meeting *meeting, struct json_object *values);

/* Adds cancelled_by.recipient, .other and .administration: who cancelled, as that person sees it.
 * NULL, or the host application, which may have done it for anybody: nobody of them. */
void ics_invite_add_canceller(
	const struct actor *canceller, enum party reader, struct json_object *values);

/* Whether the templates of calendars and times name no value that they are not given. */
enum err ics_check_templates(const struct tmpl_set *templates, struct err_info *info);
#endif
