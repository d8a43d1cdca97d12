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
	FIELD(MODEL_BOOL, told),
	FIELD(MODEL_STRING, thread),
	FIELD(MODEL_INSTANT, starts_at),
	FIELD(MODEL_INSTANT, ends_at),
	FIELD(MODEL_INT, generation),
	FIELD(MODEL_STRING, provider),
};

const struct model person_news_model = MODEL(struct person_news, "person_news", person_news_fields);

const struct person_news *request_news(const struct request *request, enum party party)
{
	return party == PARTY_CLIENT ? request->client_news : request->lawyer_news;
}

static bool news_told(const struct request *request, enum party party)
{
	const struct person_news *news = request_news(request, party);

	return news && news->told;
}

static struct person_news *news_of(struct cause *cause, struct request *request, enum party party)
{
	struct person_news **news =
		party == PARTY_CLIENT ? &request->client_news : &request->lawyer_news;

	if (!*news)
		*news = arena_alloc(cause->arena, sizeof(**news));
	return *news;
}

static bool news_is_invitation(const struct effect *effect)
{
	return effect->kind == EFFECT_MAIL_MEETING_READY ||
	       effect->kind == EFFECT_MAIL_MEETING_UPDATED;
}

static void news_owe(
	struct cause *cause, struct request *request, enum effect_kind kind, enum party party)
{
	struct effect *mail;

	if (erase_is_done(request_person(request, party)))
		return;
	mail = effect_owe(cause, request, kind);
	mail->party = party;
	mail->give_up_at = cause->now + EFFECT_MAIL_GIVE_UP;
	mail->starts_at = request->starts_at;
	mail->ends_at = request->ends_at;
	if (request->meeting)
		mail->provider = request->meeting->provider;
	/* An invitation is of no use once the meeting is over. */
	if (news_is_invitation(mail))
		mail->give_up_at = instant_earlier(mail->give_up_at, request->meeting->ends_at);
}

/* Whether its cancellation follows it. */
static bool news_is_revoked(const struct request *request, const struct effect *mail)
{
	MODEL_FOREACH (&request->effects, struct effect, effect) {
		if (effect > mail && effect->kind == EFFECT_MAIL_MEETING_CANCELLED &&
			effect->party == mail->party)
			return true;
	}
	return false;
}

static const char *news_version(struct cause *cause, const struct effect *mail)
{
	return arena_printf(
		cause->arena, "%lld.%lld", (long long)mail->generation, (long long)mail->sequence);
}

/* The person has, or may have, this invitation; the first one names the thread. */
static void news_note_told(struct cause *cause, struct request *request, const struct effect *mail)
{
	struct person_news *news = news_of(cause, request, mail->party);

	if (!news->thread)
		news->thread = news_version(cause, mail);
	if (news_is_revoked(request, mail))
		return;
	news->told = true;
	news->starts_at = mail->starts_at;
	news->ends_at = mail->ends_at;
	news->generation = mail->generation;
	news->provider = mail->provider;
}

/*
 * Takes back the invitations of a person that are not leaving at this moment. Of a lost lease or a
 * failed attempt nobody knows whether the mail arrived: the person counts as told then.
 */
static void news_withdraw_from(struct cause *cause, struct request *request, enum party party)
{
	size_t i;

	for (i = request->effects.count; i-- > 0;) {
		const struct effect *effect = MODEL_AT(&request->effects, struct effect, i);

		if (!news_is_invitation(effect) || effect->party != (int)party)
			continue;
		if (effect->attempts > 0)
			news_note_told(cause, request, effect);
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

		if (effect->kind != EFFECT_MAIL_MEETING_CANCELLED || effect->party != (int)party ||
			effect->attempts > 0)
			continue;
		effect_drop(request, effect);
		news_of(cause, request, party)->told = true;
	}
}

/* An invitation, or the news of a change to who has one. */
static void news_invite(struct cause *cause, struct request *request, enum party party)
{
	news_recall_cancellation(cause, request, party);
	news_withdraw_from(cause, request, party);
	news_owe(cause, request,
		news_told(request, party) ? EFFECT_MAIL_MEETING_UPDATED : EFFECT_MAIL_MEETING_READY,
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
		if (news_is_invitation(effect) && effect->party == (int)party)
			return true;
	}
	return news_told(request, party);
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
	struct effect *mail;
	int party;

	for (party = PARTY_CLIENT; party <= PARTY_LAWYER; party++) {
		news_withdraw_from(cause, request, party);
		if (!news_told(request, party))
			continue;
		news_of(cause, request, party)->told = false;
		mail = effect_owe(cause, request, EFFECT_MAIL_MEETING_CANCELLED);
		mail->party = party;
		mail->give_up_at = instant_earlier(
			cause->now + EFFECT_MAIL_GIVE_UP, request->meeting->ends_at + INSTANT_DAY);
	}
}

void news_owe_refusal(struct cause *cause, struct request *request)
{
	news_owe(cause, request, EFFECT_MAIL_REQUEST_DECLINED, PARTY_CLIENT);
}

/* An invitation that was leaving while its meeting was cancelled, or the link replaced. */
static bool news_is_stale(const struct request *request, const struct effect *effect)
{
	return news_is_invitation(effect) && (request->meeting->status == MEETING_CANCELLED ||
						     request->meeting->status == MEETING_EXPIRED ||
						     effect->sequence < request->meeting->sequence);
}

/* Whether another invitation went, or may have gone, to that person. */
static bool news_was_told(const struct request *request, const struct effect *except)
{
	MODEL_FOREACH (&request->effects, struct effect, effect) {
		if (effect != except && news_is_invitation(effect) &&
			effect->party == except->party && effect->attempts > 0)
			return true;
	}
	return except->kind != EFFECT_MAIL_MEETING_READY;
}

/* Nothing of an invitation has ever left, so its cancellation need not either; and news of a change
 * become an invitation. */
static void news_take_back(struct cause *cause, struct request *request, const struct effect *mail)
{
	const enum party party = (enum party)mail->party;
	struct person_news *news = news_of(cause, request, party);

	news->told = false;
	if (news->thread && strcmp(news->thread, news_version(cause, mail)) == 0)
		news->thread = NULL;
	MODEL_FOREACH (&request->effects, struct effect, effect) {
		if (effect->party != (int)party || effect->attempts > 0)
			continue;
		if (effect->kind == EFFECT_MAIL_MEETING_UPDATED)
			effect->kind = EFFECT_MAIL_MEETING_READY;
		if (effect->kind != EFFECT_MAIL_MEETING_CANCELLED)
			continue;
		effect_drop(request, effect);
		audit_add(cause, request, "mail.discarded", NULL, party_names[party],
			"meeting_cancelled");
		return;
	}
}

void news_settled(struct cause *cause, struct request *request, struct effect *effect,
	const struct effect_outcome *outcome)
{
	const char *what = effect_kind_names[effect->kind] + strlen("mail.");
	const enum party party = (enum party)effect->party;
	const struct effect settled = *effect;
	bool never_left;

	if (outcome->err == ERR_OK || news_is_stale(request, effect)) {
		never_left = outcome->skipped && effect->attempts == 1 &&
			     !news_was_told(request, effect);
		audit_add(cause, request, outcome->err == ERR_OK ? "mail.sent" : "mail.discarded",
			NULL, party_names[party], what);
		if (outcome->err == ERR_OK && news_is_invitation(effect))
			news_note_told(cause, request, effect);
		effect_drop(request, effect);
		if (never_left)
			news_take_back(cause, request, &settled);
		return;
	}
	effect_failed(cause, effect, outcome, NEWS_FIRST_S, NEWS_MAX_S);
	audit_add_again(cause, request,
		effect->state == EFFECT_FAILED ? "mail.failed" : "mail.retried", NULL,
		party_names[party],
		arena_printf(cause->arena, "%s: %s", what, err_code(outcome->err)));
}
