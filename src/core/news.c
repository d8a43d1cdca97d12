#include "news.h"

#include <string.h>

#include "audit.h"
#include "erase.h"
#include "instant.h"
#include "proposal.h"
#include "told.h"

/* Mails: quick at first, since a meeting may be near, then hourly (PROVIDERS.md section 6). */
enum { NEWS_FIRST_S = 15, NEWS_MAX_S = 3600 };

/* How many mails about one request a person gets within an hour. The last of them is kept for the
 * news that the meeting is off, so that nobody else's moving it about can delay that. */
enum { NEWS_MOST = 6, NEWS_MOST_BUT_ENDS = NEWS_MOST - 1 };

/* How long after news of a change the next may leave. */
#define NEWS_PAUSE INSTANT_MINUTE

/* Who answers a request within so long need not be told of it: many are accepted by a program. */
#define NEWS_RECEIVED_PAUSE (5 * INSTANT_SECOND)

#define FIELD(type, member, ...)                                                                   \
	MODEL_FIELD(struct person_news, member, type, MODEL_STORED | MODEL_SPARSE __VA_ARGS__)

static const struct model_field person_news_fields[] = {
	FIELD(MODEL_BOOL, invited),
	FIELD(MODEL_BOOL, uncertain),
	FIELD(MODEL_STRING, thread),
	FIELD(MODEL_INSTANT, starts_at),
	FIELD(MODEL_INSTANT, ends_at),
	FIELD(MODEL_INT, generation),
	FIELD(MODEL_INT, sequence),
	FIELD(MODEL_STRING, timezone),
	FIELD(MODEL_STRING, provider),
	FIELD(MODEL_STRING, facts, | MODEL_SEALED),
	FIELD(MODEL_INTS, offsets),
	FIELD(MODEL_INTS, mailed),
	FIELD(MODEL_INSTANT, changed_at),
};

const struct model person_news_model = MODEL(struct person_news, "person_news", person_news_fields);

/* That a person could not be told; `detail` NULL: they were. */
static void news_warn(
	struct cause *cause, struct request *request, enum party party, const char *detail)
{
	static const char *const codes[] = {
		[PARTY_CLIENT] = WARNING_CLIENT_NOT_TOLD, [PARTY_LAWYER] = WARNING_LAWYER_NOT_TOLD};

	if (request->meeting)
		meeting_warn(cause, request->meeting, codes[party], detail);
}

/* What could not be told is owed no more: unless there is more of it, nobody has to act. */
static void news_unwarn(struct cause *cause, struct request *request, enum party party)
{
	MODEL_FOREACH (&request->effects, struct effect, effect) {
		if (effect->mail && effect->mail->party == (int)party &&
			effect->state == EFFECT_FAILED)
			return;
	}
	news_warn(cause, request, party, NULL);
}

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

/* A mail has left. */
static void news_note_mailed(
	struct cause *cause, struct request *request, const struct effect *effect)
{
	struct person_news *news = news_of(cause, request, effect->mail->party);
	struct model_list *mailed = &news->mailed;

	if (effect->kind == EFFECT_MAIL_MEETING_UPDATED)
		news->changed_at = cause->now;
	if (mailed->count == NEWS_MOST)
		model_list_remove(mailed, sizeof(int64_t), 0);
	*(int64_t *)model_list_add(cause->arena, mailed, sizeof(int64_t)) = cause->now;
}

/* The doors of the earlier of the meeting that the person knows of and the one that is: what has
 * changed is to be known before anybody goes there. */
static int64_t news_needed_by(
	const struct cause *cause, const struct request *request, const struct person_news *news)
{
	const struct meeting *meeting = request->meeting;
	const int64_t early = meeting ? meeting->starts_at - meeting->opens_at : 0;
	int64_t start = request->starts_at;

	if (news->invited && news->starts_at > cause->now && news->starts_at < start)
		start = news->starts_at;
	return start - early;
}

/* When a mail may leave: at once, but that changes of a minute are told together, and that nobody
 * gets more than NEWS_MOST within an hour, unless the doors open before that hour is over. What has
 * not left by then is replaced by what is true then, so the last state always arrives. */
static int64_t news_due(const struct cause *cause, const struct request *request,
	const struct effect *effect, enum party party)
{
	const struct person_news *news = request->side[party].news;
	const size_t most =
		effect_row(effect)->calendar == CALENDAR_CANCEL ? NEWS_MOST : NEWS_MOST_BUT_ENDS;
	const struct model_list *mailed;
	int64_t due = cause->now, then;

	if (!news || !news->mailed.count)
		return due;
	mailed = &news->mailed;
	then = news->changed_at + NEWS_PAUSE;
	if (effect->kind == EFFECT_MAIL_MEETING_UPDATED && then > due)
		due = then;
	if (mailed->count < most)
		return due;
	then = instant_earlier(*MODEL_AT(mailed, int64_t, mailed->count - most) + INSTANT_HOUR,
		news_needed_by(cause, request, news));
	return then > due ? then : due;
}

/* A mail has left: what waits behind it is due by what counts now. */
static void news_defer(struct cause *cause, struct request *request, enum party party)
{
	int64_t due;

	MODEL_FOREACH (&request->effects, struct effect, effect) {
		if (!effect->mail || effect->mail->party != (int)party || effect->attempts > 0 ||
			effect->mail->letter)
			continue;
		due = news_due(cause, request, effect, party);
		if (due > effect->due)
			effect->due = due;
	}
}

/* NULL: that person has been erased. */
static struct effect *news_owe(
	struct cause *cause, struct request *request, enum effect_kind kind, enum party party)
{
	struct effect *effect;

	if (erase_is_done(request->side[party].person))
		return NULL;
	effect = effect_owe(cause, request, kind);
	effect->due = news_due(cause, request, effect, party);
	*effect->mail = (struct mail){
		.party = party,
		.starts_at = request->starts_at,
		.ends_at = request->ends_at,
		.timezone = told_zone(request, party),
	};
	if (effect_row(effect)->calendar == CALENDAR_NONE)
		return effect;
	effect->mail->provider = request->meeting->provider;
	effect->mail->facts = told_now(cause->arena, request, party);
	return effect;
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

/* The person has this invitation, or may have (`uncertain`); the first one names the thread. */
static void news_note_invited(struct cause *cause, struct request *request,
	const struct effect *invitation, bool uncertain)
{
	const struct mail *mail = invitation->mail;
	struct person_news *news = news_of(cause, request, mail->party);

	if (!news->thread)
		news->thread = news_version(cause->arena, invitation);
	if (news_is_revoked(request, invitation))
		return;
	*news = (struct person_news){
		.invited = true,
		.uncertain = uncertain,
		.thread = news->thread,
		.starts_at = mail->starts_at,
		.ends_at = mail->ends_at,
		.generation = invitation->generation,
		.sequence = invitation->sequence,
		.timezone = mail->timezone,
		.provider = mail->provider,
		.facts = mail->facts,
		.offsets = mail->offsets,
		.mailed = news->mailed,
		.changed_at = news->changed_at,
	};
}

/* A mail has arrived that tells the person, who is invited, the times again. */
static void news_note_offsets(struct request *request, const struct mail *mail)
{
	struct person_news *news = request->side[mail->party].news;

	if (news && news->starts_at == mail->starts_at && news->ends_at == mail->ends_at &&
		mail->offsets.count)
		news->offsets = mail->offsets;
}

static bool news_is_reminder(const struct effect *effect, enum party party)
{
	return effect->kind == EFFECT_MAIL_MEETING_REMINDER && effect->mail->party == (int)party;
}

/*
 * Takes back the invitations of a person, and what reminds of them, that are not leaving at this
 * moment. Of a lost lease or a failed attempt nobody knows whether the mail arrived: the person
 * counts as invited then.
 */
static void news_withdraw_from(struct cause *cause, struct request *request, enum party party)
{
	size_t i;

	for (i = request->effects.count; i-- > 0;) {
		const struct effect *effect = MODEL_AT(&request->effects, struct effect, i);

		if (news_is_reminder(effect, party) && !effect_is_running(effect, cause->now))
			effect_drop(request, effect);
		if (!news_is(effect, CALENDAR_REQUEST, party))
			continue;
		if (effect->attempts > 0)
			news_note_invited(cause, request, effect, true);
		if (!effect_is_running(effect, cause->now))
			effect_drop(request, effect);
	}
}

void news_withdraw_notices(struct cause *cause, struct request *request)
{
	enum party party;
	bool given_up;
	size_t i;

	for (i = request->effects.count; i-- > 0;) {
		const struct effect *effect = MODEL_AT(&request->effects, struct effect, i);
		const struct effect_row *row = effect_row(effect);

		if (!row->notice || row->wanted(request, effect) ||
			effect_is_running(effect, cause->now))
			continue;
		party = (enum party)effect->mail->party;
		/* It may have arrived: that person knows something. */
		if (effect->attempts > 0)
			news_of(cause, request, party);
		given_up = effect->state == EFFECT_FAILED;
		effect_drop(request, effect);
		if (given_up)
			news_unwarn(cause, request, party);
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

/* The last invitation that is on its way to that person, or was given up; or NULL. */
static const struct effect *news_last_mail(const struct request *request, enum party party)
{
	const struct effect *last = NULL;

	MODEL_FOREACH (&request->effects, struct effect, effect) {
		if (news_is(effect, CALENDAR_REQUEST, party))
			last = effect;
	}
	return last;
}

bool news_is_on_its_way(const struct request *request, enum party party)
{
	const struct effect *mail = news_last_mail(request, party);

	return mail && mail->state == EFFECT_DUE;
}

/* What of the meeting is not as that person was told: a set of 1u << TOLD_…. What the version
 * before stored says little of what was told. */
static unsigned news_differences(
	struct arena *arena, const struct request *request, enum party party)
{
	const struct person_news *news = request->side[party].news;
	const struct meeting *meeting = request->meeting;
	unsigned changes = told_changes(news->facts, told_now(arena, request, party));

	if (news->starts_at != meeting->starts_at || news->ends_at != meeting->ends_at)
		changes |= 1u << TOLD_WHEN;
	if (news->generation != meeting->generation)
		changes |= 1u << TOLD_LINK;
	if (news->provider && strcmp(news->provider, meeting->provider) != 0)
		changes |= 1u << TOLD_PROVIDER;
	return changes;
}

/* THE RULE: whether there is something to say to who has an invitation, or is about to get one.
 * What a mail says that is on its way, or else what the person was told, is not so any more. */
static bool news_is_outdated(struct arena *arena, const struct request *request, enum party party)
{
	const struct effect *mail = news_last_mail(request, party);

	if (mail)
		return mail->sequence != request->meeting->sequence ||
		       told_changes(mail->mail->facts, told_now(arena, request, party)) != 0;
	return news_holds_invitation(request, party) &&
	       (request->side[party].news->uncertain ||
		       news_differences(arena, request, party) != 0);
}

/* An invitation to who has none; to who has one, the news of what changed. What came and went
 * before anything left is none. */
static void news_tell(struct cause *cause, struct request *request, enum party party)
{
	const bool was_on_its_way = news_last_mail(request, party) != NULL;

	if ((was_on_its_way || news_holds_invitation(request, party)) &&
		!news_is_outdated(cause->arena, request, party))
		return;
	news_withdraw_from(cause, request, party);
	if (!news_holds_invitation(request, party))
		news_owe(cause, request, EFFECT_MAIL_MEETING_READY, party);
	else if (news_last_mail(request, party) || news_is_outdated(cause->arena, request, party))
		news_owe(cause, request, EFFECT_MAIL_MEETING_UPDATED, party);
}

/* A new version of the event: no mail tells another one under a SEQUENCE that was told before. */
static void news_raise_sequence(struct request *request)
{
	int64_t *sequence = &request->meeting->sequence;
	int party;

	for (party = PARTY_CLIENT; party <= PARTY_LAWYER; party++)
		if (request->side[party].news && request->side[party].news->sequence >= *sequence)
			*sequence = request->side[party].news->sequence + 1;
	MODEL_FOREACH (&request->effects, struct effect, effect) {
		if (effect_row(effect)->calendar != CALENDAR_NONE && effect->sequence >= *sequence)
			*sequence = effect->sequence + 1;
	}
}

static void news_tell_all(struct cause *cause, struct request *request, bool invite)
{
	int party;

	for (party = PARTY_CLIENT; party <= PARTY_LAWYER; party++)
		if (news_is_outdated(cause->arena, request, party)) {
			news_raise_sequence(request);
			request->updated_at = cause->now;
			break;
		}
	for (party = PARTY_CLIENT; party <= PARTY_LAWYER; party++)
		if (invite || news_last_mail(request, party) ||
			news_holds_invitation(request, party))
			news_tell(cause, request, party);
}

void news_owe_link(struct cause *cause, struct request *request)
{
	news_recall_cancellation(cause, request, PARTY_CLIENT);
	news_recall_cancellation(cause, request, PARTY_LAWYER);
	news_tell_all(cause, request, true);
}

void news_owe_change(struct cause *cause, struct request *request)
{
	news_tell_all(cause, request, false);
}

void news_remember(struct cause *cause, struct request *request)
{
	struct person_news *news;
	int party;

	for (party = PARTY_CLIENT; party <= PARTY_LAWYER; party++) {
		news = request->side[party].news;
		if (!news || news->facts || news_last_mail(request, party) ||
			news_differences(cause->arena, request, party))
			continue;
		news->facts = told_now(cause->arena, request, party);
		news->timezone = told_zone(request, party);
		news->sequence = request->meeting->sequence;
	}
}

bool news_is_misread(
	const struct request *request, enum party party, const struct model_list *offsets)
{
	const struct person_news *news = request->side[party].news;
	const struct meeting *meeting = request->meeting;

	return news_holds_invitation(request, party) && news->offsets.count == 2 &&
	       offsets->count == 2 && news->starts_at == meeting->starts_at &&
	       news->ends_at == meeting->ends_at && news->timezone &&
	       strcmp(news->timezone, told_zone(request, party)) == 0 &&
	       memcmp(news->offsets.items, offsets->items, 2 * sizeof(int64_t)) != 0;
}

bool news_owe_again(struct cause *cause, struct request *request, const bool to[PARTY_COUNT])
{
	bool any = false;
	int party;

	for (party = PARTY_CLIENT; party <= PARTY_LAWYER; party++) {
		if (!to[party] || !news_holds_invitation(request, party) ||
			news_last_mail(request, party))
			continue;
		request->side[party].news->uncertain = any = true;
		audit_add(cause, request, "mail.retried", NULL, party_names[party],
			"the rules of the time zone have changed");
	}
	if (any)
		news_owe_change(cause, request);
	return any;
}

void news_forget_people(struct cause *cause, struct request *request)
{
	int party;

	for (party = PARTY_CLIENT; party <= PARTY_LAWYER; party++)
		if (request->side[party].news)
			request->side[party].news->facts =
				told_without_people(cause->arena, request->side[party].news->facts);
	MODEL_FOREACH (&request->effects, struct effect, effect) {
		if (effect->mail)
			effect->mail->facts =
				told_without_people(cause->arena, effect->mail->facts);
	}
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

void news_owe_received(struct cause *cause, struct request *request)
{
	struct effect *owed = news_owe(cause, request, EFFECT_MAIL_REQUEST_RECEIVED, PARTY_LAWYER);

	if (owed)
		owed->due += NEWS_RECEIVED_PAUSE;
}

/* Whether that person may have been told of an open request: the client has filed it. */
static bool news_may_know(const struct request *request, enum party party)
{
	if (party == PARTY_CLIENT || request->side[party].news)
		return true;
	MODEL_FOREACH (&request->effects, struct effect, effect) {
		if (effect->kind == EFFECT_MAIL_REQUEST_RECEIVED && effect->attempts > 0)
			return true;
	}
	return false;
}

void news_owe_withdrawal(struct cause *cause, struct request *request)
{
	int party;

	for (party = PARTY_CLIENT; party <= PARTY_LAWYER; party++)
		if (cause->actor.role != party_roles[party] && news_may_know(request, party))
			news_owe(cause, request, EFFECT_MAIL_REQUEST_CANCELLED, party);
}

void news_owe_delay(struct cause *cause, struct request *request)
{
	int party;

	for (party = PARTY_CLIENT; party <= PARTY_LAWYER; party++)
		if (!news_holds_invitation(request, party))
			news_owe(cause, request, EFFECT_MAIL_MEETING_DELAYED, party);
}

void news_owe_failure(struct cause *cause, struct request *request)
{
	news_owe(cause, request, EFFECT_MAIL_MEETING_FAILED, PARTY_LAWYER);
}

void news_owe_reminder(struct cause *cause, struct request *request)
{
	int party;

	for (party = PARTY_CLIENT; party <= PARTY_LAWYER; party++) {
		if (news_holds_invitation(request, party) && !news_is_on_its_way(request, party))
			news_owe(cause, request, EFFECT_MAIL_MEETING_REMINDER, party);
	}
}

void news_owe_missed(struct cause *cause, struct request *request)
{
	enum party party;

	if (meeting_missed_by(request->meeting, &party))
		news_owe(cause, request, EFFECT_MAIL_MEETING_MISSED, party);
}

void news_owe_refusal(struct cause *cause, struct request *request)
{
	news_owe(cause, request, EFFECT_MAIL_REQUEST_DECLINED, PARTY_CLIENT);
}

void news_owe_lapse(struct cause *cause, struct request *request, enum party party)
{
	news_owe(cause, request, EFFECT_MAIL_REQUEST_LAPSED, party);
}

void news_owe_answer(
	struct cause *cause, struct request *request, enum party party, const struct mail *answer)
{
	struct effect *owed;
	size_t i;

	for (i = request->effects.count; i-- > 0;) {
		const struct effect *effect = MODEL_AT(&request->effects, struct effect, i);

		if (effect->kind == EFFECT_MAIL_MEETING_ANSWERED && effect->attempts == 0 &&
			effect->mail->party == (int)party && !effect->mail->words)
			effect_drop(request, effect);
	}
	owed = news_owe(cause, request, EFFECT_MAIL_MEETING_ANSWERED, party);
	if (!owed)
		return;
	owed->mail->attendance = answer->attendance;
	owed->mail->proposed_at = answer->proposed_at;
	owed->mail->proposed_until = answer->proposed_until;
	owed->mail->words = answer->words;
}

static void news_tell_proposal(struct cause *cause, struct request *request, enum effect_kind kind,
	enum party party, const char *words)
{
	const struct proposal *proposal = request->proposal;
	struct effect *owed = news_owe(cause, request, kind, party);

	if (!owed)
		return;
	owed->mail->proposed_at = proposal->starts_at;
	owed->mail->proposed_until =
		proposal->starts_at + proposal->duration_minutes * INSTANT_MINUTE;
	owed->mail->words = words;
}

void news_owe_proposal(struct cause *cause, struct request *request)
{
	news_tell_proposal(cause, request, EFFECT_MAIL_MEETING_PROPOSED, PARTY_LAWYER,
		request->proposal->message);
}

void news_owe_proposal_refusal(struct cause *cause, struct request *request)
{
	news_tell_proposal(cause, request, EFFECT_MAIL_PROPOSAL_DECLINED, PARTY_CLIENT,
		request->proposal->answer);
}

void news_owe_letter(
	struct cause *cause, struct request *request, enum party party, const char *letter)
{
	struct effect *owed = news_owe(cause, request, EFFECT_MAIL_LETTER, party);

	owed->mail->letter = letter;
	owed->due = cause->now;
}

/* An invitation that was leaving while its meeting was cancelled, or the link replaced; a notice
 * that is not so any more. */
static bool news_is_stale(const struct request *request, const struct effect *effect)
{
	if (effect_row(effect)->notice)
		return !effect_row(effect)->wanted(request, effect);
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

bool news_is_leaving(const struct request *request, enum party party, int64_t now)
{
	MODEL_FOREACH (&request->effects, struct effect, effect) {
		if (effect->mail && effect->mail->party == (int)party &&
			effect_is_running(effect, now))
			return true;
	}
	return false;
}

void news_discard(struct cause *cause, struct request *request, const struct effect *effect)
{
	const enum party party = (enum party)effect->mail->party;

	/* Nobody knows whether one of its attempts arrived. */
	if (news_is(effect, CALENDAR_REQUEST, party))
		news_note_invited(cause, request, effect, true);
	effect_drop(request, effect);
	news_unwarn(cause, request, party);
}

void news_readdress(struct cause *cause, struct request *request, enum party party)
{
	struct person_news *news = news_of(cause, request, party);
	size_t i;

	for (i = request->effects.count; i-- > 0;) {
		struct effect *effect = MODEL_AT(&request->effects, struct effect, i);

		if (!effect->mail || effect->mail->party != (int)party)
			continue;
		if (effect_row(effect)->calendar == CALENDAR_REQUEST)
			effect_drop(request, effect);
		else if (effect->state == EFFECT_FAILED)
			effect_again(cause, request, effect);
	}
	*news = (struct person_news){.mailed = news->mailed, .changed_at = news->changed_at};
	news_warn(cause, request, party, NULL);
	if (request->meeting && request->meeting->status == MEETING_READY &&
		request->status == REQUEST_ACCEPTED)
		news_tell_all(cause, request, true);
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

/* A cancellation that was given up is not tried again once a later invitation has arrived. */
static void news_drop_overtaken(
	struct cause *cause, struct request *request, const struct effect *arrived)
{
	const enum party party = (enum party)arrived->mail->party;
	size_t i;

	for (i = request->effects.count; i-- > 0;) {
		const struct effect *effect = MODEL_AT(&request->effects, struct effect, i);

		if (effect->state != EFFECT_FAILED || effect->sequence >= arrived->sequence ||
			!news_is(effect, CALENDAR_CANCEL, party))
			continue;
		audit_add(cause, request, "mail.discarded", NULL, party_names[party],
			effect_mail_name(effect));
		effect_drop(request, effect);
	}
}

void news_settled(struct cause *cause, struct request *request, struct effect *effect,
	const struct effect_outcome *outcome)
{
	const enum party party = (enum party)effect->mail->party;
	const char *what = effect_mail_name(effect);
	const struct effect settled = *effect;
	bool never_left;

	if (outcome->err == ERR_OK || news_is_stale(request, effect) ||
		(outcome->skipped && effect_row(effect)->notice)) {
		never_left = outcome->skipped && effect->attempts == 1 &&
			     !news_was_invited(request, effect);
		audit_add(cause, request, outcome->err == ERR_OK ? "mail.sent" : "mail.discarded",
			NULL, party_names[party], what);
		if (outcome->err == ERR_OK && news_is(effect, CALENDAR_REQUEST, party))
			news_note_invited(cause, request, effect, false);
		if (outcome->err == ERR_OK)
			news_note_offsets(request, effect->mail);
		if (outcome->err == ERR_OK)
			news_warn(cause, request, party, NULL);
		if (outcome->err == ERR_OK && !outcome->skipped && !settled.mail->letter)
			news_note_mailed(cause, request, &settled);
		effect_drop(request, effect);
		if (outcome->err != ERR_OK)
			news_unwarn(cause, request, party);
		news_defer(cause, request, party);
		if (outcome->err == ERR_OK && effect_row(&settled)->calendar != CALENDAR_NONE)
			news_drop_overtaken(cause, request, &settled);
		if (never_left)
			news_take_back(cause, request, &settled);
		return;
	}
	effect_failed(cause, effect, outcome, NEWS_FIRST_S, NEWS_MAX_S);
	if (effect->state == EFFECT_FAILED)
		news_warn(cause, request, party,
			arena_printf(cause->arena,
				"The %s could not be sent the mail \"%s\": tell them, and retry "
				"once "
				"their address can be reached.",
				party_names[party], what));
	audit_add_bounded(cause, request,
		effect->state == EFFECT_FAILED ? "mail.failed" : "mail.retried", NULL,
		party_names[party],
		arena_printf(cause->arena, "%s: %s", what, err_code(outcome->err)));
}

struct news_changes news_changes(
	struct arena *arena, const struct request *request, enum party party)
{
	const struct person_news *news = request->side[party].news;
	const struct meeting *meeting = request->meeting;
	struct news_changes changes = {0};
	unsigned facts;

	if (!news)
		return changes;
	facts = news_differences(arena, request, party);
	changes.starts_at = news->starts_at;
	changes.duration_minutes = (news->ends_at - news->starts_at) / INSTANT_MINUTE;
	changes.timezone = news->timezone;
	changes.moved = news->starts_at != meeting->starts_at;
	changes.duration = news->ends_at - news->starts_at != meeting->ends_at - meeting->starts_at;
	changes.zone = news->timezone && facts & 1u << TOLD_ZONE;
	changes.link = facts & 1u << TOLD_LINK;
	changes.provider = facts & 1u << TOLD_PROVIDER;
	changes.passcode = meeting->passcode && facts & 1u << TOLD_PASSCODE;
	changes.details = !changes.moved && !changes.duration && !changes.zone && !changes.link &&
			  !changes.provider && !changes.passcode;
	/* The reason of the last move is that of nothing else. */
	if (changes.moved || changes.duration || changes.zone)
		changes.reason = meeting->change_reason;
	else if (news->generation != meeting->generation && request->meetings.count)
		changes.reason =
			MODEL_AT(&request->meetings, struct meeting, request->meetings.count - 1)
				->ended_reason;
	return changes;
}

const struct actor *news_canceller(const struct request *request)
{
	const char *action = request->meeting ? "meeting.cancelled" : "request.cancelled";

	MODEL_FOREACH (&request->events, struct audit_event, event) {
		/* Its own, not that of an earlier or later generation. */
		if ((!request->meeting || event->at >= request->meeting->ended_at) &&
			strcmp(event->action, action) == 0)
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
