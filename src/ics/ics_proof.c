#include "ics_proof.h"

#include <json-c/json.h>
#include <libical/ical.h>

#include "ics_check.h"
#include "ics_event.h"
#include "ics_feed.h"
#include "instant.h"

enum { PROOF_CEILING = 256 * 1024, PROOF_WORDS = 3, PROOF_START = 1796115600 };

/* Plain words; and those that would end a value, a parameter, a line or a calendar. */
static const struct proof_words {
	const char *summary, *with, *description, *comment, *label, *organizer, *attendee;
	const char *join_url, *page_url, *email;
} proof_words[PROOF_WORDS] = {
	{"Advice", "Ada Client", "Client: Ada", "Ill", "Join", "Meetings", "Bo Lawyer",
		"https://meet.example/join/x", "https://meet.example/m/x", "ada@example.com"},
	{"a\"b; c: d, e\\ f^g='h{{i}}%0A\\", "\":mailto:x;y,z\\n", "a\\, b\nc: d\\;e\\\\\"\nf",
		"a;b,c:d\\\r\nRRULE:FREQ=DAILY\n\"", "a;b:c,d\"e\\", "a;b:c,d\"e^n\\",
		"a, \"b\"; c: d\\", "https://a.example/j,k;l?m=n&o=p:q%20'r#s,t;u",
		"https://a.example/m,k;l?m=n:q%20'r", "a/d'a=x;y,z:\"\\@example.com"},
	{"\\", "\"", "\\\\", "\n\\n;\\", "\"", "\\\"", ";", "http://[::1]:8080/join/A,;:?",
		"http://a/,", ";@x"},
};

/* What an event has of what it need not have. */
enum {
	PROOF_SUMMARY = 1 << 0,
	PROOF_WITH = 1 << 1,
	PROOF_DESCRIPTION = 1 << 2,
	PROOF_ORGANIZER = 1 << 3, /* a name of it */
	PROOF_PAGE = 1 << 4,      /* and, cancelled, a reason */
	PROOF_ALARM = 1 << 5,
	PROOF_JOIN = 1 << 6,
	PROOF_LABEL = 1 << 7,
	PROOF_SETS = 1 << 8,
	PROOF_CANCELLED_SETS = PROOF_ALARM
};

static const struct proof_kind {
	const char *words;
	enum ics_method method;
	bool cancelled;
} proof_kinds[] = {
	{"a file", ICS_SNAPSHOT, false},
	{"an invitation", ICS_REQUEST, false},
	{"a file of a cancelled meeting", ICS_SNAPSHOT, true},
	{"a cancellation", ICS_CANCEL, true},
};

struct proof {
	const struct tmpl_set *templates;
	struct json_object *known;
	struct buf out;
};

static const char *proof_if(unsigned has, unsigned what, const char *text)
{
	return has & what ? text : NULL;
}

static enum err proof_render(
	struct proof *proof, const struct ics_event *event, struct err_info *info)
{
	struct arena *arena = arena_new();
	struct json_object *values = ics_event_values(arena, event);
	enum err err;

	buf_cut(&proof->out, 0);
	err = ics_event_render(proof->templates, event, &proof->out, info);
	if (err == ERR_OK)
		err = ics_check(
			proof->out.bytes, (enum ics_form)event->method, values, proof->known, info);
	json_object_put(values);
	arena_free(&arena);
	return err;
}

/* The attendees are one of each kind: what a template makes of one is the same whoever else there
 * is. */
static enum err proof_event(struct proof *proof, const struct proof_kind *kind, unsigned has,
	const struct proof_words *words, struct err_info *info)
{
	const struct ics_attendee attendees[] = {
		{words->attendee, words->email, false, true},
		{NULL, "b@example.com", true, false},
		{words->with, "c@example.com", true, true},
		{NULL, words->email, false, false},
	};
	const struct ics_event event = {
		.method = kind->method,
		.uid = "aB-_9@meetlink",
		.sequence = (int64_t)has,
		.dtstamp = (PROOF_START - 7200) * INSTANT_SECOND,
		.created = (PROOF_START - 86400) * INSTANT_SECOND,
		.last_modified = (PROOF_START - 3600) * INSTANT_SECOND,
		.starts_at = PROOF_START * INSTANT_SECOND,
		.ends_at = (PROOF_START + 1800) * INSTANT_SECOND,
		.summary = proof_if(has, PROOF_SUMMARY, words->summary),
		.with = proof_if(has, PROOF_WITH, words->with),
		.description = proof_if(has, PROOF_DESCRIPTION, words->description),
		.comment = proof_if(has, PROOF_PAGE, words->comment),
		.join_url = proof_if(has, PROOF_JOIN, words->join_url),
		.join_label = proof_if(has, PROOF_LABEL, words->label),
		.page_url = proof_if(has, PROOF_PAGE, words->page_url),
		.organizer_name = proof_if(has, PROOF_ORGANIZER, words->organizer),
		.organizer_email = words->email,
		.attendees = attendees,
		.attendee_count = sizeof(attendees) / sizeof(attendees[0]),
		.alarm_minutes = has & PROOF_ALARM ? 15 : 0,
		.cancelled = kind->cancelled,
	};

	return proof_render(proof, &event, info);
}

static enum err proof_kind(
	struct proof *proof, const struct proof_kind *kind, struct err_info *info)
{
	const unsigned sets = kind->cancelled ? PROOF_CANCELLED_SETS : PROOF_SETS;
	enum err err = ERR_OK;
	unsigned has;
	size_t i;

	/* With everything first, for the words of an error. */
	for (has = sets; err == ERR_OK && has-- > 0;) {
		if ((has & PROOF_LABEL) && !(has & PROOF_JOIN))
			continue;
		for (i = 0; err == ERR_OK && i < PROOF_WORDS; i++)
			err = proof_event(proof, kind, has, &proof_words[i], info);
	}
	return err;
}

static enum err proof_feed(struct proof *proof, struct err_info *info)
{
	struct json_object *values;
	struct arena *arena;
	enum err err = ERR_OK;
	size_t i;

	for (i = 0; err == ERR_OK && i < PROOF_WORDS; i++) {
		arena = arena_new();
		values = ics_feed_values(arena, proof_words[i].summary);
		buf_cut(&proof->out, 0);
		err = ics_feed_render(proof->templates, values, &proof->out, info);
		if (err == ERR_OK)
			err = ics_check(
				proof->out.bytes, ICS_FORM_FEED, values, proof->known, info);
		json_object_put(values);
		arena_free(&arena);
	}
	return err;
}

static enum err proof_say(const char *what, const struct err_info *why, struct err_info *info)
{
	return err_set(info, ERR_CONFIG, "%s: %s", what, why->detail);
}

enum err ics_prove(const struct tmpl_set *templates, struct err_info *info)
{
	const size_t kinds = sizeof(proof_kinds) / sizeof(proof_kinds[0]);
	struct proof proof = {.templates = templates, .known = json_object_new_object()};
	enum err err = ERR_OK;
	struct err_info why;
	char what[64];
	size_t i;

	icalerror_set_errors_are_fatal(0);
	icalerror_set_error_state(ICAL_MALFORMEDDATA_ERROR, ICAL_ERROR_NONFATAL);
	err_clear(&why);
	buf_init(&proof.out, PROOF_CEILING);
	for (i = 0; err == ERR_OK && i < kinds; i++) {
		if (proof_kind(&proof, &proof_kinds[i], &why) == ERR_OK)
			continue;
		snprintf(what, sizeof(what), "ics/event.ics (%s)", proof_kinds[i].words);
		err = proof_say(what, &why, info);
	}
	if (err == ERR_OK && proof_feed(&proof, &why) != ERR_OK)
		err = proof_say("ics/feed.ics", &why, info);
	buf_fini(&proof.out);
	json_object_put(proof.known);
	return err;
}
