/* What the templates of a mail are told. */
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "dispatch_private.h"
#include "gate.h"
#include "ics_invite.h"
#include "ics_when.h"
#include "ics_zone.h"
#include "instant.h"
#include "log.h"
#include "news.h"
#include "provider.h"
#include "told.h"

/* What values are made of. */
struct mail_values {
	const struct dispatch *dispatch;
	struct arena *arena;
	const struct request *request;
	enum party party; /* who reads it */
	const struct mail *owed;
	int64_t now;
};

static void mail_add_text(struct json_object *values, const char *name, const char *text)
{
	if (text && text[0])
		json_object_object_add(values, name, json_object_new_string(text));
}

static void mail_add_flag(struct json_object *values, const char *name, bool flag)
{
	json_object_object_add(values, name, json_object_new_boolean(flag));
}

static struct json_object *mail_recipient(const struct person *person, enum party party)
{
	struct json_object *recipient = json_object_new_object();

	mail_add_text(recipient, "name", person->name);
	mail_add_text(recipient, "email", person->email);
	mail_add_flag(recipient, "is_client", party == PARTY_CLIENT);
	mail_add_flag(recipient, "is_lawyer", party == PARTY_LAWYER);
	return recipient;
}

/* What people should know that was not asked for: another provider, above all. */
static void mail_add_warnings(const struct meeting *meeting, struct json_object *values)
{
	const struct provider *used = provider_find(meeting->provider);
	const struct provider *wanted = provider_find(meeting->requested_provider);

	if (!used || !wanted || used == wanted)
		return;
	mail_add_flag(values, "failover", true);
	mail_add_text(values, "requested_provider_title", wanted->title);
}

static const char *mail_provider_title(const struct meeting *meeting)
{
	const struct provider *provider = provider_find(meeting->provider);

	return provider ? provider->title : meeting->provider;
}

static void mail_add_meeting(const struct mail_values *mail, struct json_object *values)
{
	const struct dispatch *dispatch = mail->dispatch;
	const struct request *request = mail->request;
	const struct meeting *meeting = request->meeting;
	const int64_t opens = (meeting->starts_at - meeting->opens_at) / INSTANT_MINUTE;

	mail_add_text(values, "provider_title", mail_provider_title(meeting));
	mail_add_text(values, "passcode", meeting->passcode);
	ics_invite_add_dial_in(meeting, values);
	mail_add_text(values, "reason", meeting->ended_reason);
	mail_add_flag(values, "direct", meeting->direct_url != NULL);
	mail_add_text(values, "join_url",
		gate_url(mail->arena, dispatch->ring, GATE_JOIN, dispatch->conf->public_url,
			request, mail->party));
	mail_add_text(values, "calendar_url",
		gate_url(mail->arena, dispatch->ring, GATE_CALENDAR, dispatch->conf->public_url,
			request, mail->party));
	json_object_object_add(values, "opens_minutes_before", json_object_new_int64(opens));
	mail_add_flag(values, "opens_one_minute_before", opens == 1);
	mail_add_warnings(meeting, values);
}

/* What the person's clock was said to show, where the rules of its zone are others since. */
static const char *mail_clock_from(const struct mail_values *mail)
{
	const struct request *request = mail->request;
	const struct person *person = request->side[mail->party].person;
	const struct person_news *news = request->side[mail->party].news;
	const struct model_list offsets = ics_zone_offsets(
		mail->arena, told_zone(request, mail->party), request->starts_at, request->ends_at);

	return news_is_misread(request, mail->party, &offsets)
		       ? ics_when_instant_at(mail->dispatch->templates, mail->arena, person->locale,
				 news->starts_at, *MODEL_AT(&news->offsets, int64_t, 0))
		       : NULL;
}

/* What is not as this person was told before. */
static void mail_add_changes(const struct mail_values *mail, struct json_object *values)
{
	const struct news_changes changes = news_changes(mail->arena, mail->request, mail->party);
	const char *clock_from = mail_clock_from(mail);

	if (changes.moved)
		mail_add_text(values, "moved_from",
			ics_when_instant(mail->dispatch->templates, mail->arena, mail->request,
				mail->request->side[mail->party].person, changes.starts_at));
	mail_add_flag(values, "new_duration", changes.duration);
	if (changes.duration)
		json_object_object_add(
			values, "duration_from", json_object_new_int64(changes.duration_minutes));
	if (changes.zone)
		mail_add_text(values, "zone_from", changes.timezone);
	mail_add_flag(values, "new_link", changes.link);
	mail_add_flag(values, "new_provider", changes.provider);
	mail_add_flag(values, "new_passcode", changes.passcode);
	mail_add_text(values, "clock_from", clock_from);
	mail_add_flag(values, "new_details", changes.details && !clock_from);
	mail_add_text(values, "change_reason", changes.reason);
}

/* What was asked for, where that is not what takes place. */
static void mail_add_asked(const struct mail_values *mail, struct json_object *values)
{
	const struct request *request = mail->request;
	const struct person *person = request->side[mail->party].person;
	const struct asked *was = request->asked;
	struct request then = *request;
	struct json_object *asked;

	if (!was || (was->starts_at == request->starts_at &&
			    was->duration_minutes == request->duration_minutes))
		return;
	asked = json_object_new_object();
	then.timezone = was->timezone;
	json_object_object_add(values, "asked", asked);
	mail_add_text(asked, "when",
		ics_when_instant(
			mail->dispatch->templates, mail->arena, &then, person, was->starts_at));
	json_object_object_add(
		asked, "duration_minutes", json_object_new_int64(was->duration_minutes));
}

static void mail_add_canceller(const struct mail_values *mail, struct json_object *values)
{
	ics_invite_add_canceller(news_canceller(mail->request), mail->party, values);
}

static void mail_add_time_left(const struct mail_values *mail, struct json_object *values)
{
	ics_when_add_time_left(mail->request->starts_at - mail->now, values);
}

static void mail_add_failure(const struct mail_values *mail, struct json_object *values)
{
	const struct failure *failure = mail->request->meeting->last_error;

	mail_add_text(values, "failed_provider_title", mail_provider_title(mail->request->meeting));
	mail_add_text(values, "failure", failure ? failure->detail : NULL);
}

/* What the other person has answered. */
static void mail_add_answer(const struct mail_values *mail, struct json_object *values)
{
	const struct mail *owed = mail->owed;
	struct json_object *answer = json_object_new_object();
	enum attendance_state state;

	json_object_object_add(values, "answer", answer);
	for (state = ATTENDANCE_ACCEPTED; state <= ATTENDANCE_DECLINED; state++)
		mail_add_flag(answer, attendance_names[state],
			strcmp(owed->attendance, attendance_names[state]) == 0);
	mail_add_text(answer, "words", owed->words);
	if (!owed->proposed_at)
		return;
	mail_add_text(answer, "proposed",
		ics_when_instant(mail->dispatch->templates, mail->arena, mail->request,
			mail->request->side[mail->party].person, owed->proposed_at));
	json_object_object_add(answer, "proposed_minutes",
		json_object_new_int64((owed->proposed_until - owed->proposed_at) / INSTANT_MINUTE));
}

/* Another time that the client asks for, with the words of who asks, or declines. */
static void mail_add_proposal(const struct mail_values *mail, struct json_object *values)
{
	const struct mail *owed = mail->owed;
	struct json_object *proposal = json_object_new_object();

	json_object_object_add(values, "proposal", proposal);
	mail_add_text(proposal, "when",
		ics_when_instant(mail->dispatch->templates, mail->arena, mail->request,
			mail->request->side[mail->party].person, owed->proposed_at));
	json_object_object_add(proposal, "duration_minutes",
		json_object_new_int64((owed->proposed_until - owed->proposed_at) / INSTANT_MINUTE));
	mail_add_text(proposal, "words", owed->words);
}

/* The names of the values: those of every mail, and those of what a kind may tell. */
static const char *const mail_names[] = {"recipient.name", "recipient.email", "recipient.is_client",
	"recipient.is_lawyer", "other.name", "title", "description", "message", "product_name",
	"locale", "page_url", NULL};
static const char *const mail_meeting_names[] = {"provider_title", "passcode", "dial_in.numbers",
	"reason", "direct", "join_url", "calendar_url", "opens_minutes_before",
	"opens_one_minute_before", "failover", "requested_provider_title", NULL};
static const char *const mail_change_names[] = {"moved_from", "new_duration", "duration_from",
	"zone_from", "new_link", "new_provider", "new_passcode", "clock_from", "new_details",
	"change_reason", NULL};
static const char *const mail_asked_names[] = {"asked.when", "asked.duration_minutes", NULL};
static const char *const mail_cancellation_names[] = {
	"cancelled_by.recipient", "cancelled_by.other", "cancelled_by.administration", NULL};
static const char *const mail_failure_names[] = {"failed_provider_title", "failure", NULL};

static const char *const mail_answer_names[] = {"answer.accepted", "answer.tentative",
	"answer.declined", "answer.words", "answer.proposed", "answer.proposed_minutes", NULL};

static const char *const mail_proposal_names[] = {
	"proposal.when", "proposal.duration_minutes", "proposal.words", NULL};

/* By enum effect_tells. */
static const struct {
	enum effect_tells tells;
	const char *const *names;
	void (*add)(const struct mail_values *mail, struct json_object *values);
} mail_groups[] = {
	{TELLS_MEETING, mail_meeting_names, mail_add_meeting},
	{TELLS_ASKED, mail_asked_names, mail_add_asked},
	{TELLS_CHANGES, mail_change_names, mail_add_changes},
	{TELLS_CANCELLER, mail_cancellation_names, mail_add_canceller},
	{TELLS_TIME_LEFT, ics_when_left_names, mail_add_time_left},
	{TELLS_FAILURE, mail_failure_names, mail_add_failure},
	{TELLS_ANSWER, mail_answer_names, mail_add_answer},
	{TELLS_PROPOSAL, mail_proposal_names, mail_add_proposal},
};

enum { MAIL_GROUPS = sizeof(mail_groups) / sizeof(mail_groups[0]) };

/* The client's own words, and a link that acts, are kept from who is known by the client's word
 * alone. */
static bool mail_is_to_claimed(const struct request *request, const struct effect *effect)
{
	return effect_row(effect)->to_claimed && effect->mail->party == PARTY_LAWYER &&
	       request_lawyer_is_claimed(request);
}

/* Where the recipient sees and changes the request: in the marketplace, or by a link of their own.
 */
static const char *mail_page_url(
	const struct mail_values *mail, const struct effect *effect, const struct conf *conf)
{
	const char *url = conf_request_url(conf, mail->arena, mail->request->id);

	if (url || mail_is_to_claimed(mail->request, effect))
		return url;
	return gate_page_url(
		mail->arena, mail->dispatch->ring, conf->public_url, mail->request, mail->party);
}

enum err dispatch_mail_values(const struct dispatch *dispatch, struct arena *arena,
	const struct request *request, const struct effect *effect, const char *locale, int64_t now,
	struct json_object **values_r, struct err_info *info)
{
	const enum party party = (enum party)effect->mail->party;
	const struct person *person = request->side[party].person;
	const struct mail_values mail = {dispatch, arena, request, party, effect->mail, now};
	struct json_object *values = json_object_new_object(), *other;
	size_t i;

	arena_defer(arena, (void (*)(void *))(void (*)(void))json_object_put, values);
	json_object_object_add(values, "recipient", mail_recipient(person, party));
	other = json_object_new_object();
	mail_add_text(other, "name", request->side[!party].person->name);
	json_object_object_add(values, "other", other);
	mail_add_text(values, "title", request->title);
	if (!mail_is_to_claimed(request, effect))
		mail_add_text(values, "description", request->description);
	mail_add_text(values, "message", request->message);
	mail_add_text(values, "product_name", dispatch->mail_from.name);
	mail_add_text(values, "locale", locale);
	mail_add_text(values, "page_url", mail_page_url(&mail, effect, dispatch->conf));
	for (i = 0; i < MAIL_GROUPS; i++)
		if (effect_row(effect)->tells & mail_groups[i].tells)
			mail_groups[i].add(&mail, values);
	*values_r = values;
	return ics_when_add(dispatch->templates, arena, request, person, values, info);
}

static const char *const mail_suffixes[] = {"subject", "txt", "html"};

enum { MAIL_SUFFIXES = sizeof(mail_suffixes) / sizeof(mail_suffixes[0]) };

bool dispatch_mail_is_whole(
	const struct tmpl_set *templates, struct arena *arena, const char *locale, const char *kind)
{
	size_t i;

	for (i = 0; i < MAIL_SUFFIXES; i++)
		if (!tmpl_set_has(templates,
			    arena_printf(arena, "mail/%s/%s.%s", locale, kind, mail_suffixes[i])))
			return false;
	return true;
}

struct mail_pieces {
	const struct tmpl_set *templates;
	const char *kind;
};

/* It is no error, for the mail can be sent; but somebody meant to have it in that language. */
static void mail_warn_of_piece(void *data, const char *name)
{
	const struct mail_pieces *pieces = data;
	struct arena *arena = arena_new();
	const char *locale = name + strlen("mail/");

	locale = arena_strndup(arena, locale, strcspn(locale, "/"));
	if (!dispatch_mail_is_whole(pieces->templates, arena, locale, pieces->kind))
		log_warning("%s is not all of the mail: a wider language or English is sent in its "
			    "place",
			name);
	arena_free(&arena);
}

enum err dispatch_mail_check_kind(const struct tmpl_set *templates, const char *kind,
	const char *const *const *names, struct err_info *info)
{
	enum err err = ERR_OK;
	char file[128];
	size_t i;

	for (i = 0; i < MAIL_SUFFIXES && err == ERR_OK; i++) {
		snprintf(file, sizeof(file), "%s.%s", kind, mail_suffixes[i]);
		err = ics_when_check(templates, "mail", file, names, info);
	}
	snprintf(file, sizeof(file), "mail/*/%s.*", kind);
	if (err == ERR_OK)
		tmpl_set_match(templates, file, mail_warn_of_piece,
			&(struct mail_pieces){.templates = templates, .kind = kind});
	return err;
}

static enum err mail_check_effect(
	const struct tmpl_set *templates, const struct effect *mail, struct err_info *info)
{
	const char *const *names[MAIL_GROUPS + 3] = {mail_names, ics_when_names};
	size_t i, count = 2;

	for (i = 0; i < MAIL_GROUPS; i++)
		if (effect_row(mail)->tells & mail_groups[i].tells)
			names[count++] = mail_groups[i].names;
	return dispatch_mail_check_kind(templates, effect_mail_name(mail), names, info);
}

enum err dispatch_check_templates(const struct tmpl_set *templates, struct err_info *info)
{
	struct effect mail = {0};
	enum err err = ERR_OK;

	for (; mail.kind < EFFECT_KIND_COUNT && err == ERR_OK; mail.kind++)
		if (effect_row(&mail)->lane == LANE_PERSON && !effect_row(&mail)->written)
			err = mail_check_effect(templates, &mail, info);
	return err == ERR_OK ? dispatch_alert_check_templates(templates, info) : err;
}
