#include "ics_invite.h"

#include <json-c/json.h>

#include "ics_feed.h"
#include "ics_when.h"

enum { ICS_ALARM_MINUTES = 15 };

static void invite_add_text(struct json_object *values, const char *name, const char *text)
{
	if (text && text[0])
		json_object_object_add(values, name, json_object_new_string(text));
}

void ics_invite_add_dial_in(const struct meeting *meeting, struct json_object *values)
{
	struct json_object *dial_in, *numbers;

	if (!meeting->dial_in.count)
		return;
	dial_in = json_object_new_object();
	numbers = json_object_new_array();
	MODEL_FOREACH (&meeting->dial_in, const char *, number) {
		json_object_array_add(numbers, json_object_new_string(*number));
	}
	json_object_object_add(dial_in, "numbers", numbers);
	json_object_object_add(values, "dial_in", dial_in);
}

void ics_invite_add_canceller(
	const struct actor *canceller, enum party reader, struct json_object *values)
{
	struct json_object *by = json_object_new_object();

	json_object_object_add(values, "cancelled_by", by);
	if (!canceller)
		return;
	json_object_object_add(
		by, "recipient", json_object_new_boolean(canceller->role == party_roles[reader]));
	json_object_object_add(
		by, "other", json_object_new_boolean(canceller->role == party_roles[!reader]));
	json_object_object_add(
		by, "administration", json_object_new_boolean(canceller->role == ROLE_ADMIN));
}

static const char *const invite_names[] = {
	"client", "lawyer", "passcode", "dial_in.numbers", "message", "description", NULL};

/* What the event says of the meeting, in the reader's words. What opens it is told with the link.
 */
static enum err invite_describe(const struct tmpl_set *templates, struct arena *arena,
	const struct ics_invite *invite, const char *join_url, const char **text_r,
	struct err_info *info)
{
	const struct request *request = invite->request;
	const struct meeting *meeting = request->meeting;
	struct json_object *values = json_object_new_object();
	enum err err;

	invite_add_text(values, "client", request->side[PARTY_CLIENT].person->name);
	invite_add_text(values, "lawyer", request->side[PARTY_LAWYER].person->name);
	invite_add_text(values, "message", request->message);
	invite_add_text(values, "description", request->description);
	if (join_url)
		invite_add_text(values, "passcode", meeting->passcode);
	if (join_url)
		ics_invite_add_dial_in(meeting, values);
	err = ics_when_text(templates, arena, request->side[invite->party].person->locale,
		"event.ics", values, text_r, info);
	json_object_put(values);
	return err;
}

/* Who has accepted is not asked again by every update; who has said anything else is. */
static struct ics_attendee invite_attendee(
	const struct request *request, enum party party, bool asked)
{
	const struct person *person = request->side[party].person;

	return (struct ics_attendee){
		.name = person->name,
		.email = person->email,
		.accepted = request->meeting->attendance->state[party] == ATTENDANCE_ACCEPTED,
		.asked = asked,
	};
}

enum err ics_invite_render(const struct tmpl_set *templates, const struct ics_invite *invite,
	struct buf *out, struct err_info *info)
{
	const struct request *request = invite->request;
	const struct meeting *meeting = request->meeting;
	const struct ics_attendee attendees[] = {
		invite_attendee(request, PARTY_CLIENT, invite->answers_are_read),
		invite_attendee(request, PARTY_LAWYER, false),
	};
	const bool cancelled = meeting->status == MEETING_CANCELLED || invite->method == ICS_CANCEL;
	struct arena *arena = arena_new();
	struct ics_event event = {
		.method = invite->method,
		.bare = invite->bare,
		.uid = meeting_uid(arena, meeting),
		.sequence = invite->sequence,
		.dtstamp = invite->dtstamp,
		/* Every generation is the same entry in the calendar (RFC 5545 section 3.8.7.1). */
		.created = request->created_at,
		.last_modified = invite->dtstamp,
		.starts_at = meeting->starts_at,
		.ends_at = meeting->ends_at,
		.summary = request->title,
		.with = request->side[!invite->party].person->name,
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

	err = ics_when_words(templates, arena, request->side[invite->party].person->locale,
		"join.txt", NULL, &event.join_label, info);
	if (err == ERR_OK)
		err = invite_describe(
			templates, arena, invite, event.join_url, &event.description, info);
	if (err == ERR_OK)
		err = ics_event_render(templates, &event, out, info);
	arena_free(&arena);
	return err;
}

enum err ics_check_templates(const struct tmpl_set *templates, struct err_info *info)
{
	static const char *const *const none[] = {NULL};
	static const char *const *const description[] = {invite_names, NULL};
	enum err err = ics_when_check_templates(templates, info);

	if (err == ERR_OK)
		err = ics_event_check_template(templates, info);
	if (err == ERR_OK)
		err = ics_feed_check_template(templates, info);
	if (err == ERR_OK)
		err = ics_when_check(templates, "text", "feed.txt", none, info);
	if (err == ERR_OK)
		err = ics_when_check(templates, "text", "join.txt", none, info);
	return err ? err : ics_when_check(templates, "text", "event.ics", description, info);
}
