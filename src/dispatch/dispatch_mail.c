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
#include "ics_zone.h"
#include "metrics.h"
#include "news.h"
#include "reply.h"
#include "told.h"

/* How long the mail server is left alone after it did not answer, and how long it then has for each
 * phase up to the message: little at first, and twice as much each time, so that who is back soon
 * is noticed soon, and who is slow has its time in the end. */
enum { MAIL_PAUSE_S = 5, MAIL_TRY_S = 2, MAIL_MAX_DOUBLINGS = 4 };

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

enum err dispatch_mail_render_all(const struct dispatch *dispatch, struct arena *arena,
	const char *locale, const char *kind, struct json_object *values,
	struct mail_message *message, struct err_info *info)
{
	enum err err;

	err = mail_render(
		dispatch, arena, locale, kind, "subject", values, &message->subject, info);
	if (err == ERR_OK)
		err = mail_render(
			dispatch, arena, locale, kind, "txt", values, &message->text, info);
	if (err == ERR_OK)
		err = mail_render(
			dispatch, arena, locale, kind, "html", values, &message->html, info);
	return err;
}

const char *dispatch_mail_locale(
	const struct tmpl_set *templates, struct arena *arena, const char *locale, const char *kind)
{
	const char *found, *end;

	while ((found = ics_when_locale_find(templates, arena, locale, "mail",
			arena_printf(arena, "%s.txt", kind))) != NULL) {
		if (dispatch_mail_is_whole(templates, arena, found, kind))
			return found;
		end = strrchr(found, '-');
		locale = end ? arena_strndup(arena, found, (size_t)(end - found)) : NULL;
	}
	return "en";
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

const char *dispatch_own_address(const struct dispatch *dispatch, struct arena *arena,
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
	const char *own = dispatch_own_address(dispatch, arena, request, party);
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

/* Of a version of the meeting each kind is told once; a notice is told once at its time. */
static const char *mail_id_kind(struct arena *arena, const struct effect *effect)
{
	const char *kind = effect_mail_name(effect);

	return effect_row(effect)->notice
		       ? arena_printf(arena, "%s_%lld", kind,
				 (long long)(effect->created_at / INSTANT_SECOND))
		       : kind;
}

static enum err mail_message_make(const struct dispatch *dispatch, struct arena *arena,
	const struct dispatch_letter *letter, struct mail_message *message_r, struct err_info *info)
{
	const struct request *request = letter->request;
	const struct effect *effect = letter->effect;
	const char *kind = effect_mail_name(effect);
	const enum party party = (enum party)effect->mail->party;
	const struct person *person = request->side[party].person;
	const struct person_news *news = request->side[party].news;
	const char *own = dispatch_own_address(dispatch, arena, request, party);
	struct json_object *values;
	const char *locale;
	enum err err;

	locale = dispatch_mail_locale(dispatch->templates, arena, person->locale, kind);
	*message_r = (struct mail_message){
		.message_id = mail_message_id(dispatch, arena, request, mail_id_kind(arena, effect),
			party, news_version(arena, effect)),
		.date = effect->created_at,
		.from = dispatch->mail_from,
		.to = {.name = person->name, .email = person->email},
		.sender = own,
		.trace_id = effect->trace_id,
		.reply_to = mail_reply_to(letter->config, request->side[!party].person, own),
	};
	/* Whatever comes later belongs to the thread of the first invitation. */
	if (news && news->thread)
		message_r->in_reply_to = mail_message_id(
			dispatch, arena, request, "meeting_ready", party, news->thread);
	err = dispatch_mail_values(
		dispatch, arena, request, effect, locale, letter->now, &values, info);
	if (err == ERR_OK)
		err = dispatch_mail_render_all(
			dispatch, arena, locale, kind, values, message_r, info);
	if (err == ERR_OK && effect_row(effect)->calendar != CALENDAR_NONE)
		err = mail_calendar(dispatch, arena, request, effect, message_r, info);
	return err;
}

enum err dispatch_mail_compose(const struct dispatch *dispatch, struct arena *arena,
	const struct dispatch_letter *letter, struct mail_message *message_r, struct buf *out,
	struct err_info *info)
{
	const enum err err = mail_message_make(dispatch, arena, letter, message_r, info);

	return err == ERR_OK ? mail_compose(message_r, out, info) : err;
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
	case ERR_CREDENTIAL:
		return err;
	case ERR_INVALID: /* it was not asked */
		return ERR_INTERNAL;
	default:
		return ERR_OK;
	}
}

static long mail_doubled(long seconds, int64_t times)
{
	return seconds << (times < MAIL_MAX_DOUBLINGS ? times : MAIL_MAX_DOUBLINGS);
}

/* ---- domains that put us off ---- */

/* Where mail for a domain was put off again and again, the rest of it waits, and nobody else's
 * does. Only a domain that did so has a breaker: there are more domains than breakers. */
static enum err mail_enter_domain(const struct dispatch *dispatch, const char *key,
	struct breaker_health *health_r, struct err_info *info)
{
	breaker_read(dispatch->domains, key, clock_now_ms(), health_r);
	if (health_r->state == BREAKER_CLOSED ||
		breaker_enter(dispatch->domains, key, clock_now_ms(), info) == ERR_OK)
		return ERR_OK;
	return err_set(info, ERR_TEMPORARY,
		"The recipient's domain puts mail off, and is not tried again yet.");
}

static void mail_leave_domain(const struct dispatch *dispatch, const char *key,
	const struct breaker_health *health, enum err err, const char *detail)
{
	const enum err said = err == ERR_TEMPORARY ? ERR_TEMPORARY
			      : err == ERR_OK || err == ERR_PERMANENT
				      ? ERR_OK
				      : ERR_INTERNAL; /* nothing about the domain */

	if (said == ERR_TEMPORARY || health->last_error_at)
		breaker_leave(dispatch->domains, key, clock_now_ms(), said, 0, detail);
}

/* ---- delivery ---- */

/* That it may leave now was seen by whoever claimed it: here it is only noted who tries. A login
 * that was refused is not tried again at once: that would lock the account. */
static enum err mail_deliver(const struct dispatch *dispatch, struct mail_transport *transport,
	const struct mail_message *message, const struct buf *buf, struct err_info *info)
{
	struct breaker_health health;
	long pause_s;
	enum err err;

	breaker_read(dispatch->breakers, BREAKER_MAIL, clock_now_ms(), &health);
	pause_s = mail_doubled(1, health.failures);
	mail_transport_hurry(
		transport, health.failures ? mail_doubled(MAIL_TRY_S, health.failures - 1) : 0);
	breaker_enter(dispatch->breakers, BREAKER_MAIL, clock_now_ms(), NULL);
	err = mail_transport_deliver(transport, message->message_id,
		message->sender ? message->sender : dispatch->mail_from.email, message->to.email,
		buf->bytes, buf->len, info);
	breaker_leave(dispatch->breakers, BREAKER_MAIL, clock_now_ms(), mail_of_server(err),
		err == ERR_CREDENTIAL    ? 0
		: pause_s < MAIL_PAUSE_S ? pause_s
					 : MAIL_PAUSE_S,
		err == ERR_OK ? NULL : info->detail);
	return err;
}

enum err dispatch_mail_deliver(const struct dispatch *dispatch, struct mail_transport *transport,
	const struct mail_message *message, const struct buf *buf, struct err_info *info)
{
	const char *domain = strchr(message->to.email, '@');
	struct breaker_health health;
	enum err err;

	err = mail_enter_domain(dispatch, domain, &health, info);
	if (err != ERR_OK)
		return err;
	err = mail_deliver(dispatch, transport, message, buf, info);
	metrics_count(METRIC_MAILS, err, 0, 0);
	mail_leave_domain(dispatch, domain, &health, err, info->detail);
	return err == ERR_UNAVAILABLE || err == ERR_CREDENTIAL ? ERR_TEMPORARY : err;
}

static enum err mail_perform(
	const struct dispatch_work *work, struct dispatch_result *result_r, struct err_info *info)
{
	const struct dispatch *dispatch = work->performer->dispatch;
	const struct dispatch_letter letter = {
		.request = news_about(work->arena, work->request, work->effect),
		.effect = work->effect,
		.config = work->config,
		.now = clock_now_ms(),
	};
	struct mail_message message;
	struct buf buf;
	enum err err;

	if (effect_row(work->effect)->tells & TELLS_MEETING)
		result_r->offsets = ics_zone_offsets(work->arena,
			told_zone(letter.request, work->effect->mail->party),
			letter.request->starts_at, letter.request->ends_at);
	buf_init(&buf, MAIL_MAX_MESSAGE);
	err = dispatch_mail_compose(dispatch, work->arena, &letter, &message, &buf, info);
	if (err == ERR_OK)
		err = dispatch_mail_deliver(
			dispatch, work->performer->transport, &message, &buf, info);
	buf_fini(&buf);
	return err;
}

static void mail_settle(struct cause *cause, struct request *request, struct effect *effect,
	const struct effect_outcome *outcome, const struct dispatch_result *result)
{
	effect->mail->offsets = result->offsets;
	news_settled(cause, request, effect, outcome);
}

const struct dispatch_effect dispatch_mail = {
	.config = CONFIG_OF_USE, .perform = mail_perform, .settle = mail_settle};
