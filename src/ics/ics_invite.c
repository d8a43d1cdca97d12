#include "ics_invite.h"

#include <stdio.h>

#include "ics_when.h"

enum { ICS_ALARM_MINUTES = 15 };

enum err ics_invite_render(const struct tmpl_set *templates, const struct ics_invite *invite,
	struct buf *out, struct err_info *info)
{
	const struct request *request = invite->request;
	const struct meeting *meeting = request->meeting;
	const struct ics_attendee attendees[] = {
		{request->side[PARTY_CLIENT].person->name,
			request->side[PARTY_CLIENT].person->email},
		{request->side[PARTY_LAWYER].person->name,
			request->side[PARTY_LAWYER].person->email},
	};
	const bool cancelled = meeting->status == MEETING_CANCELLED || invite->method == ICS_CANCEL;
	char uid[ID_SIZE + sizeof("@meetlink")];
	struct arena *arena = arena_new();
	struct ics_event event = {
		.method = invite->method,
		.uid = uid,
		.sequence = invite->sequence,
		.dtstamp = invite->dtstamp,
		/* Every generation is the same entry in the calendar (RFC 5545 section 3.8.7.1). */
		.created = request->created_at,
		.last_modified = invite->dtstamp,
		.starts_at = meeting->starts_at,
		.ends_at = meeting->ends_at,
		.summary = request->title,
		.description = request->description,
		.comment = cancelled ? meeting->ended_reason : NULL,
		.join_url = cancelled ? NULL : invite->join_url,
		.page_url = cancelled ? NULL : invite->join_url,
		.organizer_name = invite->organizer_name,
		.organizer_email = invite->organizer_email,
		.attendees = attendees,
		.attendee_count = 2,
		.alarm_minutes = cancelled ? 0 : ICS_ALARM_MINUTES,
		.cancelled = cancelled,
	};
	enum err err;

	snprintf(uid, sizeof(uid), "%s@meetlink", meeting->id);
	err = ics_when_words(templates, arena, request->side[invite->party].person->locale,
		"join.txt", NULL, &event.join_label, info);
	if (err == ERR_OK)
		err = ics_event_render(templates, &event, out, info);
	arena_free(&arena);
	return err;
}

enum err ics_check_templates(const struct tmpl_set *templates, struct err_info *info)
{
	static const char *const *const none[] = {NULL};
	enum err err = ics_when_check_templates(templates, info);

	if (err == ERR_OK)
		err = ics_event_check_template(templates, info);
	return err ? err : ics_when_check(templates, "text", "join.txt", none, info);
}
