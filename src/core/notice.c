#include "notice.h"

#include "config.h"
#include "meeting.h"
#include "news.h"

/* The first reminder of the policy's that is due after that. */
static int64_t notice_reminder(
	const struct policy *policy, const struct meeting *meeting, int64_t after)
{
	int64_t first = 0, at;

	MODEL_FOREACH (&policy->reminders_minutes_before, int64_t, minutes) {
		at = meeting->starts_at - *minutes * INSTANT_MINUTE;
		if (at > after && (!first || at < first))
			first = at;
	}
	return first;
}

/* When there is something to tell next, after that; 0: never. A meeting that was made later than
 * one of these times, or is moved past it, has missed it. */
static int64_t notice_next(const struct cause *cause, const struct meeting *meeting, int64_t after)
{
	const struct policy *policy = cause->config->policy;
	int64_t at;

	switch (meeting->status) {
	case MEETING_PENDING:
		at = meeting->created_at + policy->delay_notice_s * INSTANT_SECOND;
		return at > after ? at : 0;
	case MEETING_READY:
		return notice_reminder(policy, meeting, after);
	default:
		return 0;
	}
}

void notice_plan(struct cause *cause, struct request *request)
{
	struct effect *notice = meeting_effect(request, EFFECT_MEETING_NOTICE);
	const int64_t due = notice_next(cause, request->meeting, cause->now);

	if (notice)
		effect_drop(request, notice);
	if (due)
		effect_owe(cause, request, EFFECT_MEETING_NOTICE)->due = due;
}

void notice_settled(struct cause *cause, struct request *request, struct effect *effect)
{
	const struct meeting *meeting = request->meeting;
	/* By the policy of now, which may want other times than when this was owed. */
	const int64_t came = notice_next(cause, meeting, effect->created_at);

	effect_drop(request, effect);
	if (came && came <= cause->now && meeting->status == MEETING_PENDING)
		news_owe_delay(cause, request);
	else if (came && came <= cause->now && cause->now < meeting->starts_at)
		news_owe_reminder(cause, request);
	notice_plan(cause, request);
}
