/* Mails with invented people, for whoever writes templates. */
#include <string.h>

#include "dispatch_private.h"
#include "incident.h"
#include "provider.h"

#define SAMPLE_START (INT64_C(1803909600) * INSTANT_SECOND) /* 2027-03-01T14:00:00Z */

#define SAMPLE_ID   "c2FtcGxlLXJlcXVlc3QtMQ"
#define SAMPLE_ZONE "Europe/Berlin"

/* The kind of a request's mail of that name, or EFFECT_KIND_COUNT. */
static int preview_kind(const char *name)
{
	struct effect mail = {0};

	for (; mail.kind < EFFECT_KIND_COUNT; mail.kind++)
		if (effect_row(&mail)->lane == LANE_PERSON && !effect_row(&mail)->written &&
			strcmp(effect_mail_name(&mail), name) == 0)
			break;
	return mail.kind;
}

/* Ready, moved, at another provider than the one that was asked for: all there is to say of one. */
static void preview_fill(struct arena *arena, const struct dispatch_sample *sample,
	struct request *request, struct meeting *meeting)
{
	static struct person client = {
		.id = "client", .name = "Clara Client", .email = "clara@example.org"};
	static struct person lawyer = {
		.id = "lawyer", .name = "Lena Lawyer", .email = "lena@example.org"};
	static struct actor by = {.id = "lawyer", .role = ROLE_LAWYER};
	static struct actor filer = {.id = "host", .role = ROLE_SERVICE};
	static struct failure failure = {
		.code = "provider_unavailable", .detail = "The account cannot make meetings now."};
	static struct asked asked = {SAMPLE_START - 2 * INSTANT_DAY, 45, SAMPLE_ZONE};
	struct audit_event *event;
	int party;

	*meeting = (struct meeting){
		.id = SAMPLE_ID,
		.attendance = meeting_unanswered(arena),
		.generation = 1,
		.status = MEETING_READY,
		.provider = sample->provider,
		.requested_provider = sample->provider,
		.passcode = "4711",
		.starts_at = SAMPLE_START,
		.ends_at = SAMPLE_START + INSTANT_HOUR,
		.timezone = SAMPLE_ZONE,
		.opens_at = SAMPLE_START - 15 * INSTANT_MINUTE,
		.last_error = &failure,
		.outcome = sample->party == PARTY_LAWYER ? "lawyer_no_show" : "client_no_show",
		.change_reason = "The hearing in court takes longer than planned.",
		.ended_reason = "I am ill, sorry.",
	};
	*(const char **)model_list_add(arena, &meeting->dial_in, sizeof(const char *)) =
		"+49 69 7104 9922, ID 812 3456 7890, PIN 123456";
	*request = (struct request){
		.id = SAMPLE_ID,
		.status = REQUEST_ACCEPTED,
		.title = "Tenancy question",
		.description = "My landlord keeps the deposit.\nThe lease ended in October.",
		.message = "Please have the lease at hand.",
		.asked = &asked,
		.starts_at = meeting->starts_at,
		.ends_at = meeting->ends_at,
		.duration_minutes = 60,
		.timezone = SAMPLE_ZONE,
		.meeting = meeting,
		.created_at = SAMPLE_START - 7 * INSTANT_DAY,
	};
	event = model_list_add(arena, &request->events, sizeof(*event));
	*event = (struct audit_event){.action = "request.created", .actor = &filer};
	event = model_list_add(arena, &request->events, sizeof(*event));
	*event = (struct audit_event){.action = "meeting.cancelled", .actor = &by};
	event = model_list_add(arena, &request->events, sizeof(*event));
	*event = (struct audit_event){.action = "request.cancelled", .actor = &by};
	for (party = PARTY_CLIENT; party <= PARTY_LAWYER; party++) {
		struct person *person = arena_alloc(arena, sizeof(*person));
		struct person_news *news = arena_alloc(arena, sizeof(*news));

		*person = party == PARTY_CLIENT ? client : lawyer;
		person->locale = sample->locale;
		*news = (struct person_news){
			.invited = true,
			.thread = "1.0",
			.starts_at = SAMPLE_START - 3 * INSTANT_DAY,
			.ends_at = SAMPLE_START - 3 * INSTANT_DAY + 45 * INSTANT_MINUTE,
			.generation = 0,
		};
		request->side[party] = (struct side){person, news};
	}
}

static enum err preview_request(const struct dispatch *dispatch, struct arena *arena,
	const struct dispatch_sample *sample, int kind, struct buf *out, struct err_info *info)
{
	struct mail mail = {
		.party = (int)sample->party,
		.attendance = attendance_names[ATTENDANCE_DECLINED],
		.proposed_at = SAMPLE_START + INSTANT_DAY,
		.proposed_until = SAMPLE_START + INSTANT_DAY + INSTANT_HOUR,
		.words = "I have to be in court.",
	};
	const struct effect effect = {.id = SAMPLE_ID,
		.kind = kind,
		.mail = &mail,
		.generation = 1,
		.created_at = SAMPLE_START - INSTANT_DAY};
	struct request request;
	struct meeting meeting;
	const struct dispatch_letter letter = {
		.request = &request, .effect = &effect, .now = SAMPLE_START - INSTANT_DAY};
	struct mail_message message;

	preview_fill(arena, sample, &request, &meeting);
	if (kind == EFFECT_MAIL_MEETING_CANCELLED)
		meeting.status = MEETING_CANCELLED;
	if (effect_row(&effect)->without_meeting)
		request.meeting = NULL;
	return dispatch_mail_compose(dispatch, arena, &letter, &message, out, info);
}

static const struct {
	const char *kind;
	enum incident_kind incident;
	const char *of; /* what comes before the provider's name; NULL: it is of none */
	const char *detail;
} preview_alerts[] = {
	{"provider_alert", INCIDENT_CREDENTIALS, "", "The token was refused: invalid_client."},
	{"credentials_alert", INCIDENT_EXPIRING, INCIDENT_EXPIRY_OF, "2027-03-31"},
	{"queue_alert", INCIDENT_AWAY, NULL, "Connection refused."},
};

static enum err preview_alert(const struct dispatch *dispatch, struct arena *arena,
	const struct dispatch_sample *sample, struct buf *out, struct err_info *info)
{
	const struct incident_mail mail = {
		.address = "operations@example.org", .owed_at = SAMPLE_START};
	struct incident incident = {.since = SAMPLE_START};
	struct mail_message message;
	size_t i;

	for (i = 0; i < sizeof(preview_alerts) / sizeof(preview_alerts[0]); i++) {
		const char *of = preview_alerts[i].of;

		if (strcmp(preview_alerts[i].kind, sample->kind) != 0)
			continue;
		incident.kind = preview_alerts[i].incident;
		incident.detail = preview_alerts[i].detail;
		incident.id = of ? arena_printf(arena, "%s%s", of, sample->provider)
				 : effect_class_names[CLASS_MAIL];
		return dispatch_alert_compose(
			dispatch, arena, &incident, &mail, sample->locale, &message, out, info);
	}
	return err_set(info, ERR_INVALID, "There is no mail \"%s\".", sample->kind);
}

enum err dispatch_preview(const struct dispatch *dispatch, const struct dispatch_sample *sample,
	struct buf *out, struct err_info *info)
{
	const int kind = preview_kind(sample->kind);
	struct arena *arena;
	enum err err;

	if (!provider_find(sample->provider))
		return err_set(info, ERR_INVALID, "There is no provider \"%s\".", sample->provider);
	arena = arena_new();
	err = kind < EFFECT_KIND_COUNT ? preview_request(dispatch, arena, sample, kind, out, info)
				       : preview_alert(dispatch, arena, sample, out, info);
	arena_free(&arena);
	return err;
}
