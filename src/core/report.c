#include "report.h"

#include <string.h>

#include "audit.h"
#include "instant.h"

enum {
	REPORT_KEPT = 32,        /* of a meeting, of any age: senders come again for hours */
	REPORT_MAX_KEPT = 256,   /* of a meeting, within REPORT_KNOWN_FOR */
	REPORT_MAX_EVENTS = 200, /* of a meeting and kind: no sender grows a trail for ever */
	REPORT_LOOKS_AT_ONCE = 4,
	REPORT_MAX_DOUBLINGS = 8,
};

/* Within this time looks count together; the regular one comes as often. */
#define REPORT_LOOKS_WITHIN (6 * INSTANT_HOUR)

static const char *const report_actions[] = {
	[REPORT_STARTED] = "meeting.started",
	[REPORT_ENDED] = "meeting.ended",
	[REPORT_JOINED] = "meeting.joined",
	[REPORT_HOST_JOINED] = "meeting.host_joined",
};

static bool report_is_of(const struct meeting *meeting, const struct report *report)
{
	return meeting->external_id && strcmp(meeting->external_id, report->external_id) == 0 &&
	       strcmp(meeting->provider, report->provider) == 0;
}

static bool report_is_known(const struct meeting *meeting, const struct report *report)
{
	MODEL_FOREACH (&meeting->reports, struct meeting_report, kept) {
		if (strcmp(kept->digest, report->digest) == 0)
			return true;
	}
	return false;
}

/* The oldest kept ones go that are neither among the latest nor within REPORT_KNOWN_FOR. */
static void report_forget(const struct cause *cause, struct meeting *meeting)
{
	struct model_list *reports = &meeting->reports;

	while (reports->count >= REPORT_KEPT &&
		MODEL_AT(reports, struct meeting_report, 0)->at < cause->now - REPORT_KNOWN_FOR)
		model_list_remove(reports, sizeof(struct meeting_report), 0);
}

static void report_keep(struct cause *cause, struct meeting *meeting, const struct report *report)
{
	struct meeting_report *kept;

	kept = model_list_add(cause->arena, &meeting->reports, sizeof(*kept));
	*kept = (struct meeting_report){
		.digest = report->digest,
		.at = cause->now,
		.looked = report->kind == REPORT_CHANGED,
	};
}

/* How often one of its kind was noted. */
static int64_t *report_count(struct arena *arena, struct meeting *meeting, enum report_kind kind)
{
	while (meeting->reported.count <= (size_t)kind)
		*(int64_t *)model_list_add(arena, &meeting->reported, sizeof(int64_t)) = 0;
	return MODEL_AT(&meeting->reported, int64_t, kind);
}

/* When it happened: not before there was a meeting, and not after now, whatever clocks say. */
static int64_t report_time(
	const struct cause *cause, const struct meeting *meeting, const struct report *report)
{
	if (!report->at || report->at > cause->now)
		return cause->now;
	return report->at < meeting->created_at ? meeting->created_at : report->at;
}

static bool report_note(struct cause *cause, struct request *request, const struct report *report)
{
	const char *action = report_actions[report->kind];
	struct meeting *meeting = request->meeting;
	const int64_t at = report_time(cause, meeting, report);
	int64_t *count = report_count(cause->arena, meeting, report->kind);
	char text[INSTANT_TEXT_SIZE];

	if (*count >= REPORT_MAX_EVENTS)
		return false;
	++*count;
	if (report->kind == REPORT_STARTED && (!meeting->held_from || at < meeting->held_from))
		meeting->held_from = at;
	if (report->kind == REPORT_ENDED && at > meeting->held_until)
		meeting->held_until = at;
	instant_format(at, false, text);
	audit_add(cause, request, action, NULL, NULL,
		arena_printf(cause->arena, "%s: %s", meeting->provider, text));
	return true;
}

/*
 * Our own repairs are reported too. Should one not hold, looking, repairing and being told of it
 * would go round and use up what the provider allows: so every look doubles the pause.
 */
static int64_t report_pause(const struct cause *cause, const struct meeting *meeting)
{
	int looks = 0;

	MODEL_FOREACH (&meeting->reports, struct meeting_report, kept) {
		looks += kept->looked && kept->at > cause->now - REPORT_LOOKS_WITHIN;
	}
	if (looks < REPORT_LOOKS_AT_ONCE)
		return 0;
	looks -= REPORT_LOOKS_AT_ONCE;
	return INSTANT_MINUTE << (looks < REPORT_MAX_DOUBLINGS ? looks : REPORT_MAX_DOUBLINGS);
}

static bool report_look(struct cause *cause, struct request *request)
{
	const int64_t due = cause->now + report_pause(cause, request->meeting);
	struct effect *verify = meeting_effect(request, EFFECT_MEETING_VERIFY);

	if (cause->now >= request->meeting->ends_at)
		return false;
	/* One that is under way may have seen what was before: its lease is taken from it. */
	if (!verify || effect_is_running(verify, cause->now)) {
		meeting_owe_verification(cause, request);
		verify = meeting_effect(request, EFFECT_MEETING_VERIFY);
	}
	if (verify->due > due)
		verify->due = due;
	return true;
}

bool report_apply(struct cause *cause, struct request *request, const struct report *report)
{
	struct meeting *meeting = request->meeting;

	if (report->kind == REPORT_OTHER || meeting->status != MEETING_READY ||
		!report_is_of(meeting, report) || report_is_known(meeting, report))
		return false;
	/*
	 * When all that may be kept is, a new one counts as nothing. Were an older one forgotten
	 * for it, anybody who has that message could repeat it and have it count again; what is
	 * lost is made good by the regular comparison, and only who can sign can get us here.
	 */
	report_forget(cause, meeting);
	if (meeting->reports.count >= REPORT_MAX_KEPT)
		return false;
	if (report->kind == REPORT_CHANGED ? !report_look(cause, request)
					   : !report_note(cause, request, report))
		return false;
	report_keep(cause, meeting, report);
	return true;
}
