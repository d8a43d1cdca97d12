#ifndef NEWS_H
#define NEWS_H
/*
 * What the two people of a request are told by mail about their meeting. A person who holds an
 * invitation, or may hold one, is told of every change; one who does not is invited when there is a
 * link. What has not left yet is coalesced: two moves are one mail, cancelled and made again is the
 * news of a new link, and what came and went before a mail left is no mail at all.
 */
#include "cause.h"
#include "effect.h"
#include "request.h"

/* The meeting has its link: an invitation to who has none, and what changed to who has one. */
void news_owe_link(struct cause *cause, struct request *request);

/* Something changed: news to those who were invited, if it is something that they see (told.h).
 * SEQUENCE rises with it. */
void news_owe_change(struct cause *cause, struct request *request);

/* Whether that person was told other local times of the meeting, in the same zone, than its clock
 * will show by `offsets` (as of person_news): the rules of the zone have changed since. */
bool news_is_misread(
	const struct request *request, enum party party, const struct model_list *offsets);

/* The meeting is told again, as it is, to those of `to` who hold an invitation, but for those to
 * whom a mail that does so is on its way, or was given up. False: so it is with all. */
bool news_owe_again(struct cause *cause, struct request *request, const bool to[PARTY_COUNT]);

/* Whether a mail that tells the meeting as it is waits to leave to that person. */
bool news_is_on_its_way(const struct request *request, enum party party);

/* Before a change that the provider makes: what the version before told, and kept no note of. */
void news_remember(struct cause *cause, struct request *request);

/* Names and texts were erased, which is no news. */
void news_forget_people(struct cause *cause, struct request *request);

/* The meeting will not take place: nothing of it leaves any more, and those who were, or may have
 * been, invited are told so. */
void news_owe_cancellation(struct cause *cause, struct request *request);

/* The lawyer is told of a request that is not answered at once, also where only the client has
 * named the address. */
void news_owe_received(struct cause *cause, struct request *request);

/* An open request was cancelled: told to who did not do it and may know of it. */
void news_owe_withdrawal(struct cause *cause, struct request *request);

/* The link takes long: told to who has none yet. */
void news_owe_delay(struct cause *cause, struct request *request);

/* No link could be made: the lawyer has to act. */
void news_owe_failure(struct cause *cause, struct request *request);

/* The meeting is near: told to who holds an invitation, and is being told nothing else. */
void news_owe_reminder(struct cause *cause, struct request *request);

/* Who did not come is told so. */
void news_owe_missed(struct cause *cause, struct request *request);

/* The client is told that the lawyer declined. */
void news_owe_refusal(struct cause *cause, struct request *request);

/* That person is told that the request lapsed. */
void news_owe_lapse(struct cause *cause, struct request *request, enum party party);

/* That person is told what the other one has answered: attendance, another time and words of
 * `answer`. What is to be said of it and has not left yet is replaced, words stay. */
void news_owe_answer(
	struct cause *cause, struct request *request, enum party party, const struct mail *answer);

/* The lawyer is told that the client asks for another time; the client, that it was declined. */
void news_owe_proposal(struct cause *cause, struct request *request);
void news_owe_proposal_refusal(struct cause *cause, struct request *request);

/* That person gets a stored letter of the other one: at once, and beyond what else is mailed. */
void news_owe_letter(
	struct cause *cause, struct request *request, enum party party, const char *letter);

/* The link is no more, and another is being made: what has not left is withdrawn. */
void news_withdraw(struct cause *cause, struct request *request);

/* The status of request or meeting is another one: notices that are not so any more do not leave.
 */
void news_withdraw_notices(struct cause *cause, struct request *request);
/* A person has decided that a mail which was given up is not tried any more. */
void news_discard(struct cause *cause, struct request *request, const struct effect *effect);

/* Whether a mail to that person is leaving at this moment. */
bool news_is_leaving(const struct request *request, enum party party, int64_t now);

/* That person has another address, where nothing has arrived: what was given up is owed again, with
 * what is true now, and the other one is told as far as it shows the address. */
void news_readdress(struct cause *cause, struct request *request, enum party party);

/* What a mail outcome does to the request; `effect` was looked up by id and lease. */
void news_settled(struct cause *cause, struct request *request, struct effect *effect,
	const struct effect_outcome *outcome);

/* What is not as that person was told last. */
struct news_changes {
	bool moved, duration, zone, link, provider, passcode;
	bool details; /* something else: none of these */
	/* What was told. */
	int64_t starts_at, duration_minutes;
	const char *timezone;
	const char *reason; /* or NULL */
};
struct news_changes news_changes(
	struct arena *arena, const struct request *request, enum party party);

/* Who cancelled the request's meeting, or the request that has none; or NULL. */
const struct actor *news_canceller(const struct request *request);

/* The request as a mail is about it. A cancellation that could not leave is still about the meeting
 * that was cancelled, when another has been made since, perhaps for another time. */
const struct request *news_about(
	struct arena *arena, const struct request *request, const struct effect *effect);

/* "<generation>.<sequence>": which version of the meeting a mail tells of. In the arena. */
const char *news_version(struct arena *arena, const struct effect *effect);
#endif
