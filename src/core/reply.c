#include "reply.h"

#include <string.h>

#include "erase.h"
#include "news.h"
#include "utf8.h"

enum {
	REPLY_MAC_BYTES = 10,
	REPLY_BODY = ID_BYTES + 1,
	REPLY_BYTES = REPLY_BODY + REPLY_MAC_BYTES,
	REPLY_HOURLY = 20, /* messages of one person that do something */
	/* Those of an hour, at least, are all known. */
	REPLY_KEPT = 2 * REPLY_HOURLY,
};

#define REPLY_PLACE "{}"

/* ---- addresses ---- */

bool reply_pattern_valid(const char *pattern)
{
	const char *place = strstr(pattern, REPLY_PLACE), *at = strrchr(pattern, '@');

	return place && at && place < at && !strstr(place + 1, REPLY_PLACE);
}

char *reply_address(struct arena *arena, const struct secret_ring *ring, const char *pattern,
	const char *request_id, enum party party)
{
	const char *place = strstr(pattern, REPLY_PLACE);
	unsigned char bytes[REPLY_BODY + SECRET_MAC_BYTES];
	char token[REPLY_TOKEN_LENGTH + 1];

	if (!place)
		return NULL;
	id_decode(request_id, bytes);
	bytes[ID_BYTES] = (unsigned char)party;
	secret_mac_oldest(ring, SECRET_REPLY, bytes, REPLY_BODY, bytes + REPLY_BODY);
	base32_encode(bytes, REPLY_BYTES, token);
	return arena_printf(arena, "%.*s%s%s", (int)(place - pattern), pattern, token,
		place + strlen(REPLY_PLACE));
}

static char reply_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* The end of `begins` (`len` bytes) in a text that begins with it, in any case; NULL: it does not.
 */
static const char *reply_behind(const char *text, const char *begins, size_t len)
{
	for (; len > 0; len--)
		if (reply_lower(*text++) != reply_lower(*begins++))
			return NULL;
	return text;
}

bool reply_address_read(const struct secret_ring *ring, const char *pattern, const char *address,
	struct reply_pass *pass_r)
{
	const char *place = strstr(pattern, REPLY_PLACE), *token;
	unsigned char bytes[REPLY_BYTES];

	token = place ? reply_behind(address, pattern, (size_t)(place - pattern)) : NULL;
	if (!token || strlen(token) < REPLY_TOKEN_LENGTH ||
		!utf8_same_but_case(token + REPLY_TOKEN_LENGTH, place + strlen(REPLY_PLACE)) ||
		!base32_decode(token, REPLY_TOKEN_LENGTH, bytes, sizeof(bytes)) ||
		bytes[ID_BYTES] >= PARTY_COUNT ||
		!secret_mac_begins(
			ring, SECRET_REPLY, bytes, REPLY_BODY, bytes + REPLY_BODY, REPLY_MAC_BYTES))
		return false;
	id_encode(bytes, pass_r->request_id);
	pass_r->party = (enum party)bytes[ID_BYTES];
	return true;
}

/* ---- what came before ---- */

bool reply_is_known(const struct request *request, const struct reply *reply)
{
	MODEL_FOREACH (&request->replies, struct reply_note, note) {
		if (strcmp(note->digest, reply->digest) == 0)
			return true;
	}
	return false;
}

enum err reply_check(const struct request *request, const struct reply *reply, int64_t now,
	struct err_info *info)
{
	int count = 0;

	if (erase_is_done(request->side[reply->party].person))
		return err_set(info, ERR_NOT_FOUND, "There is no such address.");
	if (reply->kind == REPLY_LETTER && erase_is_done(request->side[!reply->party].person))
		return err_set(info, ERR_FORBIDDEN, "Nobody can be written to any more.");
	MODEL_FOREACH (&request->replies, struct reply_note, note) {
		count += note->party == (int)reply->party && note->at > now - INSTANT_HOUR;
	}
	return count < REPLY_HOURLY
		       ? ERR_OK
		       : err_set(info, ERR_TOO_MANY_CHANGES, "Too many messages within an hour.");
}

static void reply_note(struct cause *cause, struct request *request, const struct reply *reply)
{
	struct model_list *replies = &request->replies;
	struct reply_note *note;

	if (replies->count >= REPLY_KEPT)
		model_list_remove(replies, sizeof(*note), 0);
	note = model_list_add(cause->arena, replies, sizeof(*note));
	*note = (struct reply_note){
		.digest = reply->digest, .at = cause->now, .party = (int)reply->party};
}

/* ---- what it does ---- */

/* The meeting is still ahead, or on. */
static bool reply_is_in_time(const struct cause *cause, const struct request *request)
{
	return request->status == REQUEST_ACCEPTED && cause->now < request->ends_at &&
	       (request->meeting->status == MEETING_READY ||
		       request->meeting->status == MEETING_PENDING ||
		       request->meeting->status == MEETING_FAILED);
}

/* The first version of the meeting that an answer of that person may be about: the one that was
 * told last, if it told of these times (RFC 5546 section 2.1.4). */
static int64_t reply_first_sequence(const struct request *request, enum party party)
{
	const struct person_news *news = request->side[party].news;
	const struct meeting *meeting = request->meeting;

	if (news && news->starts_at == meeting->starts_at && news->ends_at == meeting->ends_at)
		return news->sequence;
	return meeting->sequence;
}

/* Of this meeting, in its latest version, and said after what was heard before. An invitation that
 * was passed on may be answered by the other person of the request, who has an own. */
static bool reply_is_current(
	struct cause *cause, const struct request *request, const struct reply *reply)
{
	const char *other = request->side[!reply->party].person->email;

	return reply->uid && !reply->part && reply_is_in_time(cause, request) &&
	       strcmp(reply->uid, meeting_uid(cause->arena, request->meeting)) == 0 &&
	       reply->sequence >= reply_first_sequence(request, reply->party) &&
	       !(reply->attendee && utf8_same_but_case(reply->attendee, other)) &&
	       !(reply->stamped_at &&
		       reply->stamped_at < request->meeting->attendance->at[reply->party]);
}

static bool reply_answer(struct cause *cause, struct request *request, const struct reply *reply)
{
	struct attendance *attendance = request->meeting->attendance;
	const int before = attendance->state[reply->party];
	const int now = reply->attendance < 0 ? before : reply->attendance;
	struct mail told = {
		.attendance = attendance_names[now],
		.proposed_at = reply->proposed_at,
		.proposed_until = reply->proposed_until,
		.words = reply->words,
	};

	attendance->at[reply->party] =
		instant_earlier(reply->stamped_at ? reply->stamped_at : cause->now, cause->now);
	if (now == before && !reply->proposed_at && !reply->words)
		return true;
	attendance->state[reply->party] = now;
	request->updated_at = cause->now;
	if (now != before)
		audit_add(cause, request, "meeting.attendance", attendance_names[before],
			attendance_names[now], party_names[reply->party]);
	news_owe_answer(cause, request, (enum party) !reply->party, &told);
	return true;
}

static bool reply_bounce(struct cause *cause, struct request *request, const struct reply *reply)
{
	struct person *person = request->side[reply->party].person;

	if (person->undeliverable)
		return false;
	person->undeliverable = cause->now;
	request->updated_at = cause->now;
	cause->actor = (struct actor){.role = ROLE_SYSTEM};
	audit_add(cause, request, "mail.failed", NULL, party_names[reply->party],
		arena_printf(cause->arena, "came back: %s", reply->status));
	return true;
}

enum err reply_apply(struct cause *cause, struct request *request, const struct reply *reply,
	bool *changed_r, struct err_info *info)
{
	enum err err;

	*changed_r = false;
	if (reply_is_known(request, reply) ||
		(reply->kind == REPLY_ANSWER && !reply_is_current(cause, request, reply)))
		return ERR_OK;
	err = reply_check(request, reply, cause->now, info);
	if (err != ERR_OK)
		return err;
	switch (reply->kind) {
	case REPLY_ANSWER:
		*changed_r = reply_answer(cause, request, reply);
		break;
	case REPLY_BOUNCE:
		*changed_r = reply_bounce(cause, request, reply);
		break;
	case REPLY_LETTER:
		news_owe_letter(cause, request, (enum party) !reply->party, reply->letter);
		*changed_r = true;
		break;
	}
	if (*changed_r)
		reply_note(cause, request, reply);
	return ERR_OK;
}
