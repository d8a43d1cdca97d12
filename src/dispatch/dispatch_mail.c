/* mail.*: values -> templates -> MIME -> delivery, to one person. */
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "dispatch_private.h"
#include "erase.h"
#include "gate.h"
#include "ics_invite.h"
#include "ics_when.h"
#include "news.h"
#include "reply.h"

enum { MAIL_PROBE_S = 5 }; /* how long it is left alone after it did not answer */

enum { MAIL_MAX_TEXT = 256 * 1024, MAIL_MAX_MESSAGE = 1024 * 1024 };

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

/* The person's own address for answers, or NULL. */
static const char *mail_own_address(const struct dispatch *dispatch, struct arena *arena,
	const struct request *request, enum party party)
{
	return reply_address(
		arena, dispatch->ring, dispatch->conf->mail_reply_address, request->id, party);
}

static enum err mail_calendar(const struct dispatch *dispatch, struct arena *arena,
	const struct request *request, const struct effect *effect, struct mail_message *message,
	struct err_info *info)
{
	const bool cancel = effect_row(effect)->calendar == CALENDAR_CANCEL;
	const enum party party = (enum party)effect->mail->party;
	const char *own = mail_own_address(dispatch, arena, request, party);
	const struct ics_invite invite = {
		.request = request,
		.party = party,
		.method = cancel ? ICS_CANCEL : ICS_REQUEST,
		.dtstamp = effect->created_at,
		.sequence = effect->sequence,
		.join_url = gate_url(arena, dispatch->ring, GATE_JOIN, dispatch->conf->public_url,
			request, party),
		.organizer_name = dispatch->mail_from.name,
		.organizer_email = own ? own : dispatch->mail_from.email,
		.answers_are_read = own != NULL,
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

/* Where an answer goes: to the other person, an address of the policy, or `own` (NULL: where the
 * mail came from); and so it is while the policy cannot be read, or when the other person has been
 * erased. */
static struct mail_address mail_reply_to(
	const struct config *config, const struct person *other, const char *own)
{
	const char *reply_to = config ? config->policy->reply_to : REPLY_TO_FROM;

	if (strcmp(reply_to, REPLY_TO_OTHER_PARTY) == 0 && !erase_is_done(other))
		return (struct mail_address){.name = other->name, .email = other->email};
	return (struct mail_address){.email = strchr(reply_to, '@') ? reply_to : own};
}

static enum err mail_message_make(const struct dispatch_work *work, const struct request *request,
	struct mail_message *message_r, struct err_info *info)
{
	const struct dispatch *dispatch = work->performer->dispatch;
	const struct effect *effect = work->effect;
	struct arena *arena = work->arena;
	const char *kind = effect_mail_name(effect);
	const enum party party = (enum party)effect->mail->party;
	const struct person *person = request->side[party].person;
	const struct person_news *news = request->side[party].news;
	struct json_object *values;
	const char *locale;
	enum err err;

	locale = ics_when_locale(dispatch->templates, arena, person->locale, "mail",
		arena_printf(arena, "%s.txt", kind));
	*message_r = (struct mail_message){
		.message_id = mail_message_id(
			dispatch, arena, request, kind, party, news_version(arena, effect)),
		.date = effect->created_at,
		.from = dispatch->mail_from,
		.to = {.name = person->name, .email = person->email},
		.reply_to = mail_reply_to(work->config, request->side[!party].person,
			mail_own_address(dispatch, arena, request, party)),
	};
	/* Whatever comes later belongs to the thread of the first invitation. */
	if (news && news->thread)
		message_r->in_reply_to = mail_message_id(
			dispatch, arena, request, "meeting_ready", party, news->thread);
	err = dispatch_mail_values(dispatch, arena, request, effect, locale, &values, info);
	if (err == ERR_OK)
		err = mail_render(dispatch, arena, locale, kind, "subject", values,
			&message_r->subject, info);
	if (err == ERR_OK)
		err = mail_render(
			dispatch, arena, locale, kind, "txt", values, &message_r->text, info);
	if (err == ERR_OK)
		err = mail_render(
			dispatch, arena, locale, kind, "html", values, &message_r->html, info);
	if (err == ERR_OK && effect_row(effect)->calendar != CALENDAR_NONE)
		err = mail_calendar(dispatch, arena, request, effect, message_r, info);
	return err;
}

size_t dispatch_mail_limit(const struct dispatch *dispatch)
{
	struct breaker_health health;

	breaker_read(dispatch->breakers, BREAKER_MAIL, clock_now_ms(), &health);
	switch (health.state) {
	case BREAKER_OPEN:
		return 0;
	case BREAKER_HALF_OPEN:
		return health.probing ? 0 : 1;
	case BREAKER_CLOSED:
		break;
	}
	return SIZE_MAX;
}

/* What the delivery of one mail says about the server: any answer to it is that of a living one. */
static enum err mail_of_server(enum err err)
{
	switch (err) {
	case ERR_UNAVAILABLE:
		return err;
	case ERR_INVALID: /* it was not asked */
		return ERR_INTERNAL;
	default:
		return ERR_OK;
	}
}

/* That it may leave now was seen by whoever claimed it: here it is only noted who tries. What
 * cannot be delivered comes back to the person's own address, so that it is known whose it is. */
enum err dispatch_mail_deliver(const struct dispatch_work *work, const struct mail_message *message,
	const char *bytes, size_t len, struct err_info *info)
{
	const struct dispatch *dispatch = work->performer->dispatch;
	const char *sender = mail_own_address(
		dispatch, work->arena, work->request, (enum party)work->effect->mail->party);
	enum err err;

	breaker_enter(dispatch->breakers, BREAKER_MAIL, clock_now_ms(), NULL);
	err = mail_transport_deliver(work->performer->transport, message->message_id,
		sender ? sender : dispatch->mail_from.email, message->to.email, bytes, len, info);
	breaker_leave(dispatch->breakers, BREAKER_MAIL, clock_now_ms(), mail_of_server(err),
		err == ERR_OK ? 0 : MAIL_PROBE_S, err == ERR_OK ? NULL : info->detail);
	return err == ERR_UNAVAILABLE ? ERR_TEMPORARY : err;
}

static enum err mail_perform(
	const struct dispatch_work *work, struct dispatch_result *result_r, struct err_info *info)
{
	struct mail_message message;
	struct buf buf;
	enum err err;

	(void)result_r;
	err = mail_message_make(
		work, news_about(work->arena, work->request, work->effect), &message, info);
	if (err != ERR_OK)
		return err;
	buf_init(&buf, MAIL_MAX_MESSAGE);
	err = mail_compose(&message, &buf, info);
	if (err == ERR_OK)
		err = dispatch_mail_deliver(work, &message, buf.bytes, buf.len, info);
	buf_fini(&buf);
	return err;
}

static void mail_settle(struct cause *cause, struct request *request, struct effect *effect,
	const struct effect_outcome *outcome, const struct dispatch_result *result)
{
	(void)result;
	news_settled(cause, request, effect, outcome);
}

const struct dispatch_effect dispatch_mail = {
	.config = CONFIG_OF_USE, .perform = mail_perform, .settle = mail_settle};
