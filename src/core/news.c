#include "news.h"

#include <string.h>

#include "audit.h"
#include "erase.h"
#include "instant.h"

/* Mails: quick at first, since a meeting may be near, then hourly (PROVIDERS.md section 6). */
enum { NEWS_FIRST_S = 15, NEWS_MAX_S = 3600 };

#define FIELD(type, member)                                                                        \
	MODEL_FIELD(struct person_news, member, type, MODEL_STORED | MODEL_SPARSE)

static const struct model_field person_news_fields[] = {
	FIELD(MODEL_BOOL, invited),
	FIELD(MODEL_STRING, thread),
	FIELD(MODEL_INSTANT, starts_at),
	FIELD(MODEL_INSTANT, ends_at),
	FIELD(MODEL_INT, generation),
	FIELD(MODEL_STRING, provider),
};

const struct model person_news_model = MODEL(struct person_news, "person_news", person_news_fields);

static bool news_holds_invitation(const struct request *request, enum party party)
{
	const struct person_news *news = request->side[party].news;

	return news && news->invited;
}

static struct person_news *news_of(struct cause *cause, struct request *request, enum party party)
{
	struct person_news **news = &request->side[party].news;

	if (!*news)
		*news = arena_alloc(cause->arena, sizeof(**news));
	return *news;
}

/* Whether it is a mail to that person which does this to the calendar. */
static bool news_is(const struct effect *effect, enum effect_calendar calendar, enum party party)
{
	return effect->mail && effect->mail->party == (int)party &&
	       effect_row(effect)->calendar == calendar;
}

static void news_owe(
	struct cause *cause, struct request *request, enum effect_kind kind, enum party party)
{
	struct effect *effect;

	if (erase_is_done(request->side[party].person))
		return;
	effect = effect_owe(cause, request, kind);
	*effect->mail = (struct mail){
		.party = party,
		.starts_at = request->starts_at,
		.ends_at = request->ends_at,
		.provider = request->meeting ? request->meeting->provider : NULL,
	};
}

/* Whether its cancellation follows it. */
static bool news_is_revoked(const struct request *request, const struct effect *invitation)
{
	MODEL_FOREACH (&request->effects, struct effect, effect) {
		if (effect > invitation &&
			news_is(effect, CALENDAR_CANCEL, invitation->mail->party))
			return true;
	}
	return false;
}

const char *news_version(struct arena *arena, const struct effect *effect)
{
	return arena_printf(
		arena, "%lld.%lld", (long long)effect->generation, (long long)effect->sequence);
}

/* The person has, or may have, this invitation; the first one names the thread. */
static void news_note_invited(
	struct cause *cause, struct request *request, const struct effect *invitation)
{
	const struct mail *mail = invitation->mail;
	struct person_news *news = news_of(cause, request, mail->party);

	if (!news->thread)
		news->thread = news_version(cause->arena, invitation);
	if (news_is_revoked(request, invitation))
		return;
	news->invited = true;
	news->starts_at = mail->starts_at;
	news->ends_at = mail->ends_at;
	news->generation = invitation->generation;
	news->provider = mail->provider;
}

/*
 * Takes back the invitations of a person that are not leaving at this moment. Of a lost lease or a
 * failed attempt nobody knows whether the mail arrived: the person counts as invited then.
 */
static void news_withdraw_from(struct cause *cause, struct request *request, enum party party)
{
	size_t i;

	for (i = request->effects.count; i-- > 0;) {
		const struct effect *effect = MODEL_AT(&request->effects, struct effect, i);

		if (!news_is(effect, CALENDAR_REQUEST, party))
			continue;
		if (effect->attempts > 0)
			news_note_invited(cause, request, effect);
		if (!effect_is_running(effect, cause->now))
			effect_drop(request, effect);
	}
}

void news_withdraw(struct cause *cause, struct request *request)
{
	news_withdraw_from(cause, request, PARTY_CLIENT);
	news_withdraw_from(cause, request, PARTY_LAWYER);
}

/* There is a meeting again: a cancellation that has not begun to leave is no news, and the person
 * still has the invitation that it was to revoke. */
static void news_recall_cancellation(struct cause *cause, struct request *request, enum party party)
{
	size_t i;

	for (i = request->effects.count; i-- > 0;) {
		const struct effect *effect = MODEL_AT(&request->effects, struct effect, i);

		if (!news_is(effect, CALENDAR_CANCEL, party) || effect->attempts > 0)
			continue;
		effect_drop(request, effect);
		news_of(cause, request, party)->invited = true;
	}
}

/* An invitation, or the news of a change to who has one. */
static void news_invite(struct cause *cause, struct request *request, enum party party)
{
	news_recall_cancellation(cause, request, party);
	news_withdraw_from(cause, request, party);
	news_owe(cause, request,
		news_holds_invitation(request, party) ? EFFECT_MAIL_MEETING_UPDATED
						      : EFFECT_MAIL_MEETING_READY,
		party);
}

void news_owe_link(struct cause *cause, struct request *request)
{
	news_invite(cause, request, PARTY_CLIENT);
	news_invite(cause, request, PARTY_LAWYER);
}

/* Has an invitation, or one is on its way. Who is neither is invited when there is a link. */
static bool news_is_invited(const struct request *request, enum party party)
{
	MODEL_FOREACH (&request->effects, struct effect, effect) {
		if (news_is(effect, CALENDAR_REQUEST, party))
			return true;
	}
	return news_holds_invitation(request, party);
}

void news_owe_change(struct cause *cause, struct request *request)
{
	int party;

	for (party = PARTY_CLIENT; party <= PARTY_LAWYER; party++)
		if (news_is_invited(request, party))
			news_invite(cause, request, party);
}

void news_owe_cancellation(struct cause *cause, struct request *request)
{
	int party;

	for (party = PARTY_CLIENT; party <= PARTY_LAWYER; party++) {
		news_withdraw_from(cause, request, party);
		if (!news_holds_invitation(request, party))
			continue;
		news_of(cause, request, party)->invited = false;
		news_owe(cause, request, EFFECT_MAIL_MEETING_CANCELLED, party);
	}
}

void news_owe_refusal(struct cause *cause, struct request *request)
{
	news_owe(cause, request, EFFECT_MAIL_REQUEST_DECLINED, PARTY_CLIENT);
}

void news_owe_lapse(struct cause *cause, struct request *request)
{
	news_owe(cause, request, EFFECT_MAIL_REQUEST_LAPSED, PARTY_CLIENT);
	news_owe(cause, request, EFFECT_MAIL_REQUEST_LAPSED, PARTY_LAWYER);
}

/* An invitation that was leaving while its meeting was cancelled, or the link replaced. */
static bool news_is_stale(const struct request *request, const struct effect *effect)
{
	return effect_row(effect)->calendar == CALENDAR_REQUEST &&
	       (request->meeting->status == MEETING_CANCELLED ||
		       request->meeting->status == MEETING_EXPIRED ||
		       effect->sequence < request->meeting->sequence);
}

/* Whether an invitation went, or may have gone, to that person before this one. */
static bool news_was_invited(const struct request *request, const struct effect *except)
{
	MODEL_FOREACH (&request->effects, struct effect, effect) {
		if (effect != except && effect->attempts > 0 &&
			news_is(effect, CALENDAR_REQUEST, except->mail->party))
			return true;
	}
	return except->kind != EFFECT_MAIL_MEETING_READY;
}

/* Nothing of an invitation has ever left, so its cancellation need not either; and news of a change
 * become an invitation. */
static void news_take_back(
	struct cause *cause, struct request *request, const struct effect *invitation)
{
	const enum party party = (enum party)invitation->mail->party;
	struct person_news *news = news_of(cause, request, party);

	news->invited = false;
	if (news->thread && strcmp(news->thread, news_version(cause->arena, invitation)) == 0)
		news->thread = NULL;
	MODEL_FOREACH (&request->effects, struct effect, effect) {
		if (!effect->mail || effect->mail->party != (int)party || effect->attempts > 0)
			continue;
		if (effect->kind == EFFECT_MAIL_MEETING_UPDATED)
			effect->kind = EFFECT_MAIL_MEETING_READY;
		if (!news_is(effect, CALENDAR_CANCEL, party))
			continue;
		audit_add(cause, request, "mail.discarded", NULL, party_names[party],
			effect_mail_name(effect));
		effect_drop(request, effect);
		return;
	}
}

void news_settled(struct cause *cause, struct request *request, struct effect *effect,
	const struct effect_outcome *outcome)
{
	const enum party party = (enum party)effect->mail->party;
	const char *what = effect_mail_name(effect);
	const struct effect settled = *effect;
	bool never_left;

	if (outcome->err == ERR_OK || news_is_stale(request, effect)) {
		never_left = outcome->skipped && effect->attempts == 1 &&
			     !news_was_invited(request, effect);
		audit_add(cause, request, outcome->err == ERR_OK ? "mail.sent" : "mail.discarded",
			NULL, party_names[party], what);
		if (outcome->err == ERR_OK && news_is(effect, CALENDAR_REQUEST, party))
			news_note_invited(cause, request, effect);
		effect_drop(request, effect);
		if (never_left)
			news_take_back(cause, request, &settled);
		return;
	}
	effect_failed(cause, effect, outcome, NEWS_FIRST_S, NEWS_MAX_S);
	audit_add_bounded(cause, request,
		effect->state == EFFECT_FAILED ? "mail.failed" : "mail.retried", NULL,
		party_names[party],
		arena_printf(cause->arena, "%s: %s", what, err_code(outcome->err)));
}

struct news_changes news_changes(const struct request *request, enum party party)
{
	const struct person_news *news = request->side[party].news;
	const struct meeting *meeting = request->meeting;
	struct news_changes changes = {0};

	if (!news)
		return changes;
	changes.moved = news->starts_at != meeting->starts_at;
	changes.duration = news->ends_at - news->starts_at != meeting->ends_at - meeting->starts_at;
	changes.link = news->generation != meeting->generation;
	changes.provider = news->provider && strcmp(news->provider, meeting->provider) != 0;
	changes.details = !changes.moved && !changes.duration && !changes.link && !changes.provider;
	changes.starts_at = news->starts_at;
	/* The reason of the last move is that of nothing else. */
	if (changes.moved || changes.duration)
		changes.reason = meeting->change_reason;
	else if (changes.link && request->meetings.count)
		changes.reason =
			MODEL_AT(&request->meetings, struct meeting, request->meetings.count - 1)
				->ended_reason;
	return changes;
}

const struct actor *news_canceller(const struct request *request)
{
	MODEL_FOREACH (&request->events, struct audit_event, event) {
		/* Its own, not that of an earlier or later generation. */
		if (event->at >= request->meeting->ended_at &&
			strcmp(event->action, "meeting.cancelled") == 0)
			return event->actor;
	}
	return NULL;
}

const struct request *news_about(
	struct arena *arena, const struct request *request, const struct effect *effect)
{
	struct request *then;

	if (effect_row(effect)->calendar != CALENDAR_CANCEL)
		return request;
	MODEL_FOREACH (&request->meetings, struct meeting, meeting) {
		if (meeting->generation != effect->generation)
			continue;
		then = arena_alloc(arena, sizeof(*then));
		*then = *request;
		then->meeting = meeting;
		then->starts_at = meeting->starts_at;
		then->ends_at = meeting->ends_at;
		then->duration_minutes = (meeting->ends_at - meeting->starts_at) / INSTANT_MINUTE;
		then->timezone = meeting->timezone;
		return then;
	}
	return request;
}
