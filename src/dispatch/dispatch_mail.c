/* mail.*: values -> templates -> MIME -> delivery, to one person. */
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "audit.h"
#include "dispatch_private.h"
#include "gate.h"
#include "ics_invite.h"
#include "ics_when.h"
#include "news.h"
#include "provider.h"

enum { MAIL_MAX_TEXT = 256 * 1024, MAIL_MAX_MESSAGE = 1024 * 1024 };

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

static void mail_add_meeting(const struct dispatch *dispatch, struct arena *arena,
	const struct request *request, enum party party, struct json_object *values)
{
	const struct meeting *meeting = request->meeting;
	const struct provider *provider = provider_find(meeting->provider);

	mail_add_text(values, "provider_title", provider ? provider->title : meeting->provider);
	mail_add_text(values, "passcode", meeting->passcode);
	mail_add_text(values, "reason", meeting->ended_reason);
	mail_add_flag(values, "direct", meeting->direct_url != NULL);
	mail_add_text(values, "join_url",
		gate_url(arena, dispatch->ring, GATE_JOIN, dispatch->conf->public_url, request,
			party));
	mail_add_text(values, "calendar_url",
		gate_url(arena, dispatch->ring, GATE_CALENDAR, dispatch->conf->public_url, request,
			party));
	json_object_object_add(values, "opens_minutes_before",
		json_object_new_int64((meeting->starts_at - meeting->opens_at) / 60000));
}

/* What is not as this person was told before. */
static void mail_add_changes(const struct dispatch *dispatch, struct arena *arena,
	const struct request *request, enum party party, struct json_object *values)
{
	const struct person_news *news = request_news(request, party);
	const struct meeting *meeting = request->meeting;
	bool moved, longer, link, provider;

	if (!news)
		return;
	moved = news->starts_at != meeting->starts_at;
	longer = news->ends_at - news->starts_at != meeting->ends_at - meeting->starts_at;
	link = news->generation != meeting->generation;
	provider = news->provider && strcmp(news->provider, meeting->provider) != 0;
	if (moved)
		mail_add_text(values, "moved_from",
			ics_when_instant(dispatch->templates, arena, request,
				request_person(request, party), news->starts_at));
	mail_add_flag(values, "new_duration", longer);
	mail_add_flag(values, "new_link", link);
	mail_add_flag(values, "new_provider", provider);
	mail_add_flag(values, "new_details", !moved && !longer && !link && !provider);
	/* The reason of the last move is that of nothing else. */
	if (moved || longer)
		mail_add_text(values, "change_reason", meeting->change_reason);
	else if (link && request->meetings.count)
		mail_add_text(values, "change_reason",
			MODEL_AT(&request->meetings, struct meeting, request->meetings.count - 1)
				->ended_reason);
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

/* Who cancelled, as the recipient sees it. The host application may have done it for anybody. */
static void mail_add_canceller(
	const struct request *request, enum party party, struct json_object *values)
{
	const bool is_client = party == PARTY_CLIENT;
	struct json_object *by = json_object_new_object();
	const struct actor *actor = NULL;

	MODEL_FOREACH (&request->events, struct audit_event, event) {
		/* Its own, not that of an earlier or later generation. */
		if (!actor && event->at >= request->meeting->ended_at &&
			strcmp(event->action, "meeting.cancelled") == 0)
			actor = event->actor;
	}
	json_object_object_add(values, "cancelled_by", by);
	if (!actor)
		return;
	mail_add_flag(by, "recipient", actor->role == (is_client ? ROLE_CLIENT : ROLE_LAWYER));
	mail_add_flag(by, "other", actor->role == (is_client ? ROLE_LAWYER : ROLE_CLIENT));
	mail_add_flag(by, "administration", actor->role == ROLE_ADMIN);
}

/* The values of every mail template; released with the arena. */
static enum err mail_values(const struct dispatch *dispatch, struct arena *arena,
	const struct request *request, const struct effect *effect, const char *locale,
	struct json_object **values_r, struct err_info *info)
{
	const enum party party = (enum party)effect->party;
	const struct person *person = request_person(request, party);
	const struct person *other =
		request_person(request, party == PARTY_CLIENT ? PARTY_LAWYER : PARTY_CLIENT);
	struct json_object *values = json_object_new_object(), *named;

	arena_defer(arena, (void (*)(void *))(void (*)(void))json_object_put, values);
	json_object_object_add(values, "recipient", mail_recipient(person, party));
	named = json_object_new_object();
	mail_add_text(named, "name", other->name);
	json_object_object_add(values, "other", named);
	mail_add_text(values, "title", request->title);
	mail_add_text(values, "description", request->description);
	mail_add_text(values, "message", request->message);
	mail_add_text(values, "product_name", dispatch->mail_from.name);
	mail_add_text(values, "locale", locale);
	if (request->meeting) {
		mail_add_meeting(dispatch, arena, request, party, values);
		mail_add_warnings(request->meeting, values);
	}
	if (effect->kind == EFFECT_MAIL_MEETING_CANCELLED)
		mail_add_canceller(request, party, values);
	if (effect->kind == EFFECT_MAIL_MEETING_UPDATED)
		mail_add_changes(dispatch, arena, request, party, values);
	*values_r = values;
	return ics_when_add(dispatch->templates, arena, request, person, values, info);
}

static enum err mail_render(const struct dispatch *dispatch, struct arena *arena,
	const char *locale, const char *kind, const char *suffix, struct json_object *values,
	const char **text_r, struct err_info *info)
{
	const char *name = arena_printf(arena, "mail/%s/%s.%s", locale, kind, suffix);
	struct buf buf;
	enum err err;

	buf_init(&buf, MAIL_MAX_TEXT);
	err = tmpl_render(dispatch->templates, name, values, &buf, info);
	*text_r = arena_strndup(arena, buf.bytes, buf.len);
	buf_fini(&buf);
	return err;
}

/* Names the message for ever ("<generation>.<sequence>" is its version), so that a repeat after a
 * crash is recognised as the same one. */
static const char *mail_message_id(const struct dispatch *dispatch, struct arena *arena,
	const struct request *request, const char *kind, enum party party, const char *version)
{
	const char *domain = strchr(dispatch->mail_from.email, '@') + 1;

	return arena_printf(
		arena, "%s.%s.%s.%s@%s", request->id, version, kind, party_names[party], domain);
}

static enum err mail_calendar(const struct dispatch *dispatch, struct arena *arena,
	const struct request *request, const struct effect *effect, struct mail_message *message,
	struct err_info *info)
{
	const bool cancel = effect->kind == EFFECT_MAIL_MEETING_CANCELLED;
	const struct ics_invite invite = {
		.request = request,
		.party = (enum party)effect->party,
		.method = cancel ? ICS_CANCEL : ICS_REQUEST,
		.dtstamp = effect->created_at,
		.sequence = effect->sequence,
		.join_url = gate_url(arena, dispatch->ring, GATE_JOIN, dispatch->conf->public_url,
			request, (enum party)effect->party),
		.organizer_name = dispatch->mail_from.name,
		.organizer_email = dispatch->mail_from.email,
	};
	struct buf buf;
	enum err err;

	buf_init(&buf, MAIL_MAX_TEXT);
	err = ics_invite_render(dispatch->templates, &invite, &buf, info);
	message->calendar = arena_strndup(arena, buf.bytes, buf.len);
	message->calendar_method = cancel ? "CANCEL" : "REQUEST";
	buf_fini(&buf);
	return err;
}

static enum err mail_message_make(const struct dispatch *dispatch, struct arena *arena,
	const struct request *request, const struct effect *effect, struct mail_message *message_r,
	struct err_info *info)
{
	const char *kind = effect_kind_names[effect->kind] + strlen("mail.");
	const enum party party = (enum party)effect->party;
	const struct person *person = request_person(request, party);
	const struct person_news *news = request_news(request, party);
	struct json_object *values;
	const char *locale;
	enum err err;

	locale = ics_when_locale(dispatch->templates, arena, person->locale, "mail",
		arena_printf(arena, "%s.txt", kind));
	*message_r = (struct mail_message){
		.message_id = mail_message_id(dispatch, arena, request, kind, party,
			arena_printf(arena, "%lld.%lld", (long long)effect->generation,
				(long long)effect->sequence)),
		.date = effect->created_at,
		.from = dispatch->mail_from,
		.to = {.name = person->name, .email = person->email},
	};
	/* Whatever comes later belongs to the thread of the first invitation. */
	if (news && news->thread)
		message_r->in_reply_to = mail_message_id(
			dispatch, arena, request, "meeting_ready", party, news->thread);
	err = mail_values(dispatch, arena, request, effect, locale, &values, info);
	if (err == ERR_OK)
		err = mail_render(dispatch, arena, locale, kind, "subject", values,
			&message_r->subject, info);
	if (err == ERR_OK)
		err = mail_render(
			dispatch, arena, locale, kind, "txt", values, &message_r->text, info);
	if (err == ERR_OK)
		err = mail_render(
			dispatch, arena, locale, kind, "html", values, &message_r->html, info);
	if (err == ERR_OK && request->meeting)
		err = mail_calendar(dispatch, arena, request, effect, message_r, info);
	return err;
}

/* What the mail is about. A cancellation that could not leave is still about the meeting that was
 * cancelled, when another has been made since, perhaps for another time. */
static const struct request *mail_subject(
	struct arena *arena, const struct request *request, const struct effect *effect)
{
	struct request *subject;

	if (effect->kind != EFFECT_MAIL_MEETING_CANCELLED)
		return request;
	MODEL_FOREACH (&request->meetings, struct meeting, meeting) {
		if (meeting->generation != effect->generation)
			continue;
		subject = arena_alloc(arena, sizeof(*subject));
		*subject = *request;
		subject->meeting = meeting;
		subject->starts_at = meeting->starts_at;
		subject->ends_at = meeting->ends_at;
		subject->duration_minutes =
			(meeting->ends_at - meeting->starts_at) / INSTANT_MINUTE;
		subject->timezone = meeting->timezone;
		return subject;
	}
	return request;
}

static enum err mail_perform(
	const struct dispatch_work *work, struct dispatch_result *result_r, struct err_info *info)
{
	const struct dispatch *dispatch = work->performer->dispatch;
	struct mail_message message;
	struct buf buf;
	enum err err;

	(void)result_r;
	err = mail_message_make(dispatch, work->arena,
		mail_subject(work->arena, work->request, work->effect), work->effect, &message,
		info);
	if (err != ERR_OK)
		return err;
	buf_init(&buf, MAIL_MAX_MESSAGE);
	err = mail_compose(&message, &buf, info);
	if (err == ERR_OK)
		err = mail_transport_deliver(work->performer->transport, message.message_id,
			dispatch->mail_from.email, message.to.email, buf.bytes, buf.len, info);
	buf_fini(&buf);
	return err;
}

static void mail_settle(struct cause *cause, struct request *request, struct effect *effect,
	const struct effect_outcome *outcome, const struct dispatch_result *result,
	const struct config *config)
{
	(void)result;
	(void)config;
	news_settled(cause, request, effect, outcome);
}

const struct dispatch_effect dispatch_mail = {.perform = mail_perform, .settle = mail_settle};

/* The names in mail_values(): those of every mail, and the groups that a kind may have. */
static const char *const mail_names[] = {"recipient.name", "recipient.email", "recipient.is_client",
	"recipient.is_lawyer", "other.name", "title", "description", "message", "product_name",
	"locale", NULL};
static const char *const mail_meeting_names[] = {"provider_title", "passcode", "reason", "direct",
	"join_url", "calendar_url", "opens_minutes_before", "failover", "requested_provider_title",
	NULL};
static const char *const mail_change_names[] = {"moved_from", "new_duration", "new_link",
	"new_provider", "new_details", "change_reason", NULL};
static const char *const mail_cancellation_names[] = {
	"cancelled_by.recipient", "cancelled_by.other", "cancelled_by.administration", NULL};

enum { MAIL_MEETING = 1, MAIL_CHANGE = 2, MAIL_CANCELLATION = 4 };

static const struct {
	unsigned group;
	const char *const *names;
} mail_groups[] = {
	{MAIL_MEETING, mail_meeting_names},
	{MAIL_CHANGE, mail_change_names},
	{MAIL_CANCELLATION, mail_cancellation_names},
};

enum { MAIL_GROUPS = sizeof(mail_groups) / sizeof(mail_groups[0]) };

static enum err mail_check_kind(
	const struct tmpl_set *templates, const char *kind, unsigned groups, struct err_info *info)
{
	static const char *const suffixes[] = {"subject", "txt", "html"};
	const char *const *names[MAIL_GROUPS + 3] = {mail_names, ics_when_names};
	enum err err = ERR_OK;
	size_t i, count = 2;
	char file[128];

	for (i = 0; i < MAIL_GROUPS; i++)
		if (groups & mail_groups[i].group)
			names[count++] = mail_groups[i].names;
	for (i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]) && err == ERR_OK; i++) {
		snprintf(file, sizeof(file), "%s.%s", kind, suffixes[i]);
		err = ics_when_check(templates, "mail", file, names, info);
	}
	return err;
}

enum err dispatch_check_templates(const struct tmpl_set *templates, struct err_info *info)
{
	static const struct {
		const char *name;
		unsigned groups;
	} kinds[] = {
		{"meeting_ready", MAIL_MEETING},
		{"meeting_updated", MAIL_MEETING | MAIL_CHANGE},
		{"meeting_cancelled", MAIL_MEETING | MAIL_CANCELLATION},
		{"request_declined", 0},
	};
	enum err err = ERR_OK;
	size_t i;

	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]) && err == ERR_OK; i++)
		err = mail_check_kind(templates, kinds[i].name, kinds[i].groups, info);
	return err;
}
