#include "erase.h"

#include <string.h>

#include "audit.h"
#include "id.h"
#include "meeting.h"
#include "news.h"
#include "proposal.h"

/* Never anybody's: RFC 2606 section 2. */
#define ERASE_DOMAIN "@erased.invalid"
#define ERASE_NAME   "Erased person"
#define ERASE_TITLE  "Erased"

#define ERASE_ACTION "person.erased"

bool erase_is_done(const struct person *person)
{
	const size_t len = strlen(person->email), tail = strlen(ERASE_DOMAIN);

	return len > tail && strcmp(person->email + len - tail, ERASE_DOMAIN) == 0;
}

bool erase_was_done(const struct request *request, const char *person_id, int64_t since)
{
	MODEL_FOREACH (&request->events, struct audit_event, event) {
		if (event->at >= since && strcmp(event->action, ERASE_ACTION) == 0 &&
			event->detail && strcmp(event->detail, person_id) == 0)
			return true;
	}
	return false;
}

/* Puts `instead` (NULL: nothing) in the place of a text; whether that changes it. */
static bool erase_text(const char **text, const char *instead)
{
	const bool same = *text && instead ? strcmp(*text, instead) == 0 : *text == instead;

	*text = instead;
	return !same;
}

/* The address follows from the id alone, so that two erased people stay two. */
static bool erase_party(struct cause *cause, struct person **party)
{
	struct person *person = arena_alloc(cause->arena, sizeof(*person));
	char mark[ID_SIZE];
	bool changed;

	*person = **party;
	id_derive(mark, NULL, 0, "erased", person->id, NULL);
	changed = erase_text(
		&person->email, arena_printf(cause->arena, "erased-%s" ERASE_DOMAIN, mark));
	changed |= erase_text(&person->name, ERASE_NAME);
	changed |= erase_text(&person->timezone, NULL);
	changed |= erase_text(&person->locale, NULL);
	person->undeliverable = 0;
	*party = person;
	return changed;
}

/* What a server said may quote an address; the code stays. */
static bool erase_failure(struct failure *failure)
{
	return failure && erase_text(&failure->detail, NULL);
}

static bool erase_meeting(struct meeting *meeting)
{
	bool changed = erase_text(&meeting->change_reason, NULL);

	changed |= erase_text(&meeting->ended_reason, NULL);
	changed |= erase_failure(meeting->last_error);
	return changed;
}

/* What people wrote, and what servers said. */
static bool erase_texts(struct request *request)
{
	bool changed = erase_text(&request->title, ERASE_TITLE);

	changed |= erase_text(&request->description, NULL);
	changed |= erase_text(&request->message, NULL);
	if (request->proposal) {
		changed |= erase_text(&request->proposal->message, NULL);
		changed |= erase_text(&request->proposal->answer, NULL);
	}
	if (request->meeting)
		changed |= erase_meeting(request->meeting);
	MODEL_FOREACH (&request->meetings, struct meeting, meeting) {
		changed |= erase_meeting(meeting);
	}
	MODEL_FOREACH (&request->effects, struct effect, effect) {
		changed |= erase_failure(effect->last_error);
	}
	return changed;
}

/* The provider has the old title, or may have been given it by now: an update follows. */
static void erase_at_provider(struct cause *cause, struct request *request)
{
	const struct meeting *meeting = request->meeting;
	struct effect *create;

	if (!meeting || meeting->ends_at <= cause->now)
		return;
	if (meeting->status == MEETING_READY && meeting->external_id)
		meeting_owe_update(cause, request);
	/* Like one that has been moved since it was begun. */
	create = meeting_creation(request);
	if (create)
		create->sequence = meeting->sequence - 1;
}

/* Nothing leaves for that person any more, nor what that person has written. One that is leaving at
 * this moment may arrive. */
static bool erase_mails(struct cause *cause, struct request *request, enum party party)
{
	bool changed = false;
	size_t i;

	for (i = request->effects.count; i-- > 0;) {
		const struct effect *effect = MODEL_AT(&request->effects, struct effect, i);

		if (!effect->mail || (effect->mail->party != (int)party && !effect->mail->letter &&
					     !effect->mail->words))
			continue;
		audit_add(cause, request, "mail.discarded", NULL, party_names[effect->mail->party],
			effect_mail_name(effect));
		effect_drop(request, effect);
		changed = true;
	}
	return changed;
}

/* What subscribers have not been told yet shows the person as it was. */
static void erase_announcements(struct cause *cause, struct request *request)
{
	size_t i;

	for (i = request->effects.count; i-- > 0;) {
		const struct effect *effect = MODEL_AT(&request->effects, struct effect, i);

		if (!effect->announcement)
			continue;
		effect_drop(request, effect);
		audit_add(cause, request, "webhook.discarded", NULL, NULL, NULL);
	}
}

bool erase_person(struct cause *cause, struct request *request, const char *person_id)
{
	const enum party party = strcmp(request->side[PARTY_CLIENT].person->id, person_id) == 0
					 ? PARTY_CLIENT
					 : PARTY_LAWYER;
	struct side *side = &request->side[party];
	bool changed, retitled;

	if (strcmp(side->person->id, person_id) != 0)
		return false;
	changed = erase_party(cause, &side->person);
	retitled = strcmp(request->title, ERASE_TITLE) != 0;
	changed |= erase_texts(request);
	if (retitled)
		erase_at_provider(cause, request);
	changed |= erase_mails(cause, request, party);
	if (!changed)
		return false;
	erase_announcements(cause, request);
	side->news = NULL;
	news_forget_people(cause, request);
	request->answers = (struct model_list){0};
	request->updated_at = cause->now;
	audit_add(cause, request, ERASE_ACTION, NULL, party_names[party], side->person->id);
	return true;
}
