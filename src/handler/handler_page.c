/* GET and POST /m/{token}: what a person sees of a request, and does to it, by a link from a mail.
 * A GET shows the page or, with the name of an act as its query, the form of that act; a POST of
 * the form acts. */
#include "handler_page.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "handler_private.h"
#include "http_input.h"
#include "http_visitor.h"
#include "ics_when.h"
#include "proposal.h"
#include "utf8.h"

enum { PAGE_MAX_WORDS = 2000, PAGE_MIN_MINUTES = 5, PAGE_MAX_MINUTES = 1440 };

/* ---- acts ---- */

#define PAGE_INPUT(type, ...)                                                                      \
	static void *page_read_##type(struct arena *arena, const struct page_form *form, int what) \
	{                                                                                          \
		struct type *input = arena_alloc(arena, sizeof(*input));                           \
                                                                                                   \
		(void)form;                                                                        \
		(void)what;                                                                        \
		*input = (struct type){__VA_ARGS__};                                               \
		return input;                                                                      \
	}

PAGE_INPUT(request_cancellation, .reason = form->words)
PAGE_INPUT(proposal_draft, .starts_at = form->starts_at, .duration_minutes = form->duration_minutes,
	.message = form->words)
PAGE_INPUT(request_response, .decision = what, .starts_at = form->starts_at,
	.duration_minutes = form->duration_minutes, .message = form->words,
	.allow_overlap = form->overlap)
PAGE_INPUT(meeting_rescheduling, .starts_at = form->starts_at,
	.duration_minutes = form->duration_minutes, .reason = form->words,
	.allow_overlap = form->overlap)
PAGE_INPUT(meeting_regeneration, .reason = form->words, .allow_overlap = form->overlap)
PAGE_INPUT(
	proposal_response, .decision = what, .message = form->words, .allow_overlap = form->overlap)
PAGE_INPUT(meeting_verdict, .outcome = what)

const struct page_act handler_page_acts[] = {
	{"accept", COMMAND_RESPOND, page_read_request_response, DECISION_ACCEPT, true},
	{"decline", COMMAND_RESPOND, page_read_request_response, DECISION_DECLINE, false},
	{"cancel", COMMAND_CANCEL, page_read_request_cancellation, 0, false},
	{"move", COMMAND_RESCHEDULE, page_read_meeting_rescheduling, 0, true},
	{"renew", COMMAND_REGENERATE, page_read_meeting_regeneration, 0, false},
	{"propose", COMMAND_PROPOSE, page_read_proposal_draft, 0, true},
	{"withdraw", COMMAND_WITHDRAW_PROPOSAL, NULL, 0, false},
	{"take", COMMAND_DECIDE_PROPOSAL, page_read_proposal_response, DECISION_ACCEPT, false},
	{"refuse", COMMAND_DECIDE_PROPOSAL, page_read_proposal_response, DECISION_DECLINE, false},
	{"held", COMMAND_OUTCOME, page_read_meeting_verdict, 0, false},
	{"client_no_show", COMMAND_OUTCOME, page_read_meeting_verdict, 1, false},
	{"lawyer_no_show", COMMAND_OUTCOME, page_read_meeting_verdict, 2, false},
};

const size_t handler_page_act_count = sizeof(handler_page_acts) / sizeof(handler_page_acts[0]);

enum err handler_page_check_act(const struct page *page, const struct page_act *act)
{
	const enum role role = party_roles[page->opened.party];

	if (!(command_table[act->command].roles & ROLE_SET(role)))
		return ERR_FORBIDDEN;
	return command_check(act->command, role, page->opened.request, page->exchange->now, NULL);
}

bool handler_page_may(const struct page *page, const struct page_act *act)
{
	return page->opened.acts && page->person && handler_page_check_act(page, act) == ERR_OK;
}

/* The act that the query names, or NULL. */
static const struct page_act *page_act_of(const struct http_exchange *exchange)
{
	const char *query = http_variable(exchange, "QUERY_STRING");
	size_t i;

	for (i = 0; query && i < handler_page_act_count; i++)
		if (strcmp(handler_page_acts[i].name, query) == 0)
			return &handler_page_acts[i];
	return NULL;
}

/* ---- coming in ---- */

static enum err page_open(
	struct http_exchange *exchange, struct page *page_r, struct err_info *info)
{
	const struct service_call call = handler_call(exchange);
	const char *locale = handler_visitor_language(exchange, PAGE_FILE);
	enum err err;

	*page_r = (struct page){.exchange = exchange,
		.token = exchange->params[0],
		.person = http_visitor_is_person(exchange)};
	err = service_page_open(
		&handler_context(exchange)->service, &call, page_r->token, &page_r->opened, info);
	if (err != ERR_OK)
		return err;
	page_r->reader = *page_r->opened.request->side[page_r->opened.party].person;
	if (locale)
		page_r->reader.locale = locale;
	return ERR_OK;
}

enum err handler_page_get(struct http_exchange *exchange, struct err_info *info)
{
	struct page page;
	const enum err err = page_open(exchange, &page, info);

	return err == ERR_OK
		       ? handler_page_reply(&page, 200, page_act_of(exchange), NULL, NULL, info)
		       : err;
}

/* ---- what was typed ---- */

/* Browsers end lines of a form with CR LF (WHATWG HTML, "Constructing the entry list"). NULL when
 * there is nothing. */
static const char *page_words(struct arena *arena, const char *text)
{
	char *words = arena_strdup(arena, text), *in, *out = words;

	for (in = words; *in; in++)
		if (in[0] != '\r' || in[1] != '\n')
			*out++ = *in;
	*out = '\0';
	return utf8_is_blank(words) ? NULL : words;
}

static void page_take_field(
	struct arena *arena, struct page_form *form, const char *name, const char *value)
{
	if (strcmp(name, "form") == 0)
		form->token = value;
	else if (strcmp(name, "words") == 0)
		form->words = page_words(arena, value);
	else if (strcmp(name, "when") == 0)
		form->when = value;
	else if (strcmp(name, "minutes") == 0)
		form->minutes = value;
	else if (strcmp(name, "overlap") == 0)
		form->overlap = strcmp(value, "1") == 0;
}

/* application/x-www-form-urlencoded; ERR_MALFORMED for what no form of ours sends. */
static enum err page_read_form(
	const struct http_exchange *exchange, struct page_form *form_r, struct err_info *info)
{
	static const char type[] = "application/x-www-form-urlencoded";
	const char *given = http_variable(exchange, "CONTENT_TYPE");
	const char *body = exchange->body ? exchange->body : "";
	const char *name, *value;
	size_t len, name_len;

	*form_r = (struct page_form){.token = ""};
	if (!given || strncasecmp(given, type, strlen(type)) != 0 ||
		strlen(body) != exchange->body_len)
		return err_set(info, ERR_MALFORMED, "This is no form of this page.");
	for (; *body; body += len + (body[len] == '&')) {
		len = strcspn(body, "&");
		name_len = strcspn(body, "=&");
		name = http_percent_decode(exchange->arena, body, name_len, HTTP_DECODE_FORM);
		value = http_percent_decode(exchange->arena, body + name_len + (name_len < len),
			len - name_len - (name_len < len), HTTP_DECODE_FORM);
		if (!name || !value)
			return err_set(info, ERR_MALFORMED, "The form cannot be read.");
		page_take_field(exchange->arena, form_r, name, value);
	}
	return ERR_OK;
}

/* A field says less than an instant: one that was left as it was is the start to the second, and
 * the same of two hours of one name. */
static bool page_read_when(const struct page *page, const char *when, int64_t *starts_at_r)
{
	const struct request *request = page->opened.request;
	const char *shown =
		ics_when_field(page->exchange->arena, request, &page->reader, request->starts_at);

	*starts_at_r = request->starts_at;
	return (shown && strcmp(when, shown) == 0) ||
	       ics_when_field_read(request, &page->reader, when, starts_at_r);
}

/* What is wrong with what was typed, or NULL. */
static const char *page_check_form(
	const struct page *page, const struct page_act *act, struct page_form *form)
{
	size_t count = 0;
	char *end;

	if (form->words && (utf8_refusal(form->words, true) ||
				   !utf8_valid(form->words, strlen(form->words), &count) ||
				   count > PAGE_MAX_WORDS))
		return "words";
	if (!act->timed)
		return NULL;
	if (!form->when || !form->minutes || !page_read_when(page, form->when, &form->starts_at))
		return "time";
	form->duration_minutes = strtol(form->minutes, &end, 10);
	return *end || form->duration_minutes < PAGE_MIN_MINUTES ||
			       form->duration_minutes > PAGE_MAX_MINUTES
		       ? "time"
		       : NULL;
}

/* The template's section for what refused an act. */
static const char *page_wrong(enum err err)
{
	switch (err) {
	case ERR_INVALID:
		return "time";
	case ERR_TOO_LATE:
		return "late";
	case ERR_TOO_MANY_CHANGES:
		return "often";
	case ERR_OVERLAPS:
		return "overlaps";
	case ERR_FORBIDDEN:
	case ERR_LAWYER_UNCONFIRMED:
		return "elsewhere";
	default:
		return err_retryable(err) || err_status(err) >= 500 ? "busy" : "changed";
	}
}

/* Another site's page can have a browser post, but not say that it was ours. */
static bool page_is_own_form(const struct page *page, const struct page_form *form)
{
	const char *site = http_variable(page->exchange, "HTTP_SEC_FETCH_SITE");

	return (!site || strcmp(site, "same-origin") == 0 || strcmp(site, "none") == 0) &&
	       gate_form_valid(handler_context(page->exchange)->service.ring, page->token,
		       form->token, page->exchange->now);
}

static enum err page_act(const struct page *page, const struct page_act *act,
	const struct page_form *form, struct err_info *info)
{
	struct arena *arena = page->exchange->arena;
	struct service_call call = handler_call(page->exchange);

	if (handler_page_check_act(page, act) == ERR_FORBIDDEN)
		return err_set(info, ERR_FORBIDDEN, "This is the other person's to do.");
	/* Who clicks twice has done it once; one page has forms for several acts. */
	call.idempotency_key = arena_concat(arena, act->name, ".", form->token, NULL);
	return service_page_act(&handler_context(page->exchange)->service, &call, &page->opened,
		act->command, act->read ? act->read(arena, form, act->what) : NULL, info);
}

/* The page shows what has become of it (RFC 9110 section 15.4.4). */
static void page_reply_done(const struct page *page)
{
	http_reply(page->exchange, 303, "text/plain", "", 0);
	http_set_header(page->exchange, "Location", "%s/m/%s",
		handler_context(page->exchange)->service.conf->public_url, page->token);
	http_set_header(page->exchange, "Cache-Control", "no-store");
	http_set_header(page->exchange, "Referrer-Policy", "no-referrer");
}

/* What was refused is shown with the request as it is by now, if that can be read. */
static enum err page_reply_refused(const struct page *page, const struct page_act *act,
	const struct page_form *form, enum err refused, struct err_info *info)
{
	const int retry_after_s = info->retry_after_s;
	struct page now;
	enum err err;

	http_log_error(refused, info);
	err_clear(info);
	err = handler_page_reply(page_open(page->exchange, &now, info) == ERR_OK ? &now : page,
		err_status(refused), act, form, page_wrong(refused), info);
	if (err == ERR_OK)
		handler_set_retry_after(page->exchange, refused, retry_after_s);
	return err;
}

enum err handler_page_post(struct http_exchange *exchange, struct err_info *info)
{
	const struct page_act *act = page_act_of(exchange);
	struct page_form form;
	const char *wrong;
	struct page page;
	enum err err;

	err = page_open(exchange, &page, info);
	if (err == ERR_OK && !act)
		err = err_set(info, ERR_NOT_FOUND, "There is no such form on this page.");
	if (err == ERR_OK)
		err = page_read_form(exchange, &form, info);
	if (err != ERR_OK)
		return err;
	if (!page_is_own_form(&page, &form))
		return handler_page_reply(&page, 403, act, &form, "expired", info);
	wrong = page_check_form(&page, act, &form);
	if (wrong)
		return handler_page_reply(&page, 422, act, &form, wrong, info);
	err = page_act(&page, act, &form, info);
	if (err != ERR_OK)
		return page_reply_refused(&page, act, &form, err, info);
	page_reply_done(&page);
	return ERR_OK;
}
