/* GET /join/{token}: the door, with a small page for those it does not open to; and the pages that
 * whoever follows a mailed link is shown for an error. */
#include <inttypes.h>
#include <json-c/json.h>
#include <string.h>
#include <strings.h>

#include "handler_private.h"
#include "http_media.h"
#include "http_visitor.h"
#include "ics_invite.h"
#include "ics_when.h"
#include "instant.h"

enum { GATE_AGAIN_S = 10, GATE_SPREAD_S = 8, GATE_RETRY_AFTER_S = 2 };

static const struct {
	const char *name; /* the template's section */
	int status;
	int64_t again_s; /* when the page loads itself again; 0: never */
} gate_pages[] = {
	[GATE_OPEN] = {"open", 200, 0},      /* to programs; people are sent on */
	[GATE_EARLY] = {"early", 403, 3600}, /* or earlier, when it opens */
	[GATE_PENDING] = {"pending", 403, 15},
	[GATE_FAILED] = {"failed", 403, 60},
	[GATE_OVER] = {"over", 410, 0},
	[GATE_CANCELLED] = {"cancelled", 410, 0},
	[GATE_REPLACED] = {"replaced", 410, 0},
	[GATE_RENEWING] = {"renewing", 410, 0},
};

enum { GATE_PAGES = sizeof(gate_pages) / sizeof(gate_pages[0]) };

/* Besides those and ics_when_names. */
static const char *const gate_names[] = {"opens_at", "meeting_title", "other.name",
	"cancelled_by.recipient", "cancelled_by.other", "cancelled_by.administration", "reason",
	"dial_in.numbers", "unknown", "refused", "unavailable", "nonce", NULL};

enum err handler_check_templates(const struct tmpl_set *templates, struct err_info *info)
{
	const char *states[GATE_PAGES + 1] = {NULL};
	const char *const *const names[] = {states, gate_names, ics_when_names, NULL};
	enum err err;
	size_t i;

	for (i = 0; i < GATE_PAGES; i++)
		states[i] = gate_pages[i].name;
	err = ics_when_check(templates, "pages", "gate.html", names, info);
	return err == ERR_OK ? handler_page_check_templates(templates, info) : err;
}

static bool gate_is_refused(const struct http_language *languages, size_t count, const char *locale)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (languages[i].weight == 0 && strcasecmp(languages[i].range, locale) == 0)
			return true;
	return false;
}

const char *handler_visitor_language(const struct http_exchange *exchange, const char *file)
{
	const char *accept = http_variable(exchange, "HTTP_ACCEPT_LANGUAGE"), *locale;
	struct http_language languages[HTTP_MAX_LANGUAGES];
	size_t count = http_media_languages(exchange->arena, accept, languages), i;

	for (i = 0; i < count && languages[i].weight > 0; i++) {
		if (strcmp(languages[i].range, "*") == 0)
			break;
		locale = ics_when_locale_find(handler_context(exchange)->templates, exchange->arena,
			languages[i].range, "pages", file);
		if (locale && !gate_is_refused(languages, count, locale))
			return languages[i].range;
	}
	return NULL;
}

void handler_add_flag(struct json_object *values, const char *name, bool flag)
{
	json_object_object_add(values, name, json_object_new_boolean(flag));
}

void handler_add_text(struct json_object *values, const char *name, const char *text)
{
	if (text)
		json_object_object_add(values, name, json_object_new_string(text));
}

/* Nothing of the page may be kept, indexed, or told to the next site. */
static void gate_set_headers(struct http_exchange *exchange)
{
	http_set_header(exchange, "Cache-Control", "no-store");
	http_set_header(exchange, "Referrer-Policy", "no-referrer");
	http_set_header(exchange, "X-Robots-Tag", "noindex");
}

enum err handler_reply_page(struct http_exchange *exchange, int status, const char *file,
	const char *language, struct json_object *values, struct err_info *info)
{
	const struct tmpl_set *templates = handler_context(exchange)->templates;
	const char *locale = ics_when_locale(templates, exchange->arena, language, "pages", file);
	struct buf *out = http_reply_buf(exchange);
	char nonce[ID_SIZE];
	enum err err;

	id_random(nonce);
	handler_add_text(values, "nonce", nonce);
	err = tmpl_render(templates, arena_printf(exchange->arena, "pages/%s/%s", locale, file),
		values, out, info);
	if (err != ERR_OK)
		return err;
	http_reply(exchange, status, "text/html; charset=utf-8", out->bytes, out->len);
	http_set_header(exchange, "Content-Language", "%s", locale);
	http_set_header(exchange, "Content-Security-Policy",
		"default-src 'none'; style-src 'nonce-%s'; form-action 'self'; "
		"base-uri 'none'; frame-ancestors 'none'",
		nonce);
	gate_set_headers(exchange);
	return ERR_OK;
}

void handler_set_refresh(struct http_exchange *exchange, const char *token, int64_t seconds)
{
	if (seconds > 0)
		http_set_header(exchange, "Refresh", "%" PRId64,
			seconds + (unsigned char)*token % GATE_SPREAD_S);
}

void handler_set_retry_after(struct http_exchange *exchange, enum err err, int seconds)
{
	if (err_retryable(err))
		http_set_header(
			exchange, "Retry-After", "%d", seconds ? seconds : GATE_RETRY_AFTER_S);
}

static int64_t gate_again_s(const struct http_exchange *exchange, const struct service_gate *gate)
{
	const int64_t most = gate_pages[gate->state].again_s;

	/* A second more, so that it is never the one before. */
	return gate->state == GATE_EARLY
		       ? instant_earlier(most, (gate->request->meeting->opens_at - exchange->now) /
							       INSTANT_SECOND +
						       1)
		       : most;
}

/* What the two people know of the meeting and of each other. A link that was replaced may have
 * been, because it had come into other hands. */
static void gate_add_known(const struct service_gate *gate, struct json_object *values)
{
	struct json_object *other = json_object_new_object();

	json_object_object_add(values, "other", other);
	if (!gate->current)
		return;
	handler_add_text(values, "meeting_title", gate->request->title);
	handler_add_text(other, "name", gate->request->side[!gate->party].person->name);
	if (gate->state != GATE_CANCELLED)
		return;
	handler_add_text(values, "reason", gate->request->meeting->ended_reason);
	ics_invite_add_canceller(gate->canceller, gate->party, values);
}

static enum err gate_reply_state(struct http_exchange *exchange, const struct service_gate *gate,
	bool person_waits, struct err_info *info)
{
	const struct tmpl_set *templates = handler_context(exchange)->templates;
	const struct person *person = gate->request->side[gate->party].person;
	struct json_object *values = json_object_new_object();
	const char *opens_at;
	enum err err;

	opens_at = ics_when_instant(templates, exchange->arena, gate->request, person,
		gate->request->meeting->opens_at);
	handler_add_flag(values, gate_pages[gate->state].name, true);
	handler_add_text(values, "opens_at", opens_at);
	gate_add_known(gate, values);
	/* Mails have them too, where the policy lets anybody know them. */
	if (person_waits && gate->state == GATE_EARLY)
		ics_invite_add_dial_in(gate->request->meeting, values);
	err = gate->current ? ics_when_add(templates, exchange->arena, gate->request, person,
				      values, info)
			    : ERR_OK;
	if (err == ERR_OK)
		err = handler_reply_page(exchange, gate_pages[gate->state].status, "gate.html",
			person->locale, values, info);
	if (err == ERR_OK)
		handler_set_refresh(exchange, gate->request->id, gate_again_s(exchange, gate));
	json_object_put(values);
	return err;
}

/* The section for an error. What the client did wrong is not mended by coming again. */
static const char *gate_error_name(enum err err)
{
	if (err_status(err) == 404)
		return "unknown";
	return err_status(err) < 500 && !err_retryable(err) ? "refused" : "unavailable";
}

/* People come here from a mail: whatever goes wrong is a page too, not JSON. */
enum err handler_error_page(struct http_exchange *exchange, struct err_info *info)
{
	struct json_object *values = json_object_new_object();
	const enum err err = info->err;
	struct err_info failure;
	enum err result;

	handler_add_flag(values, gate_error_name(err), true);
	result = handler_reply_page(exchange, err_status(err), "gate.html",
		handler_visitor_language(exchange, "gate.html"), values, &failure);
	json_object_put(values);
	if (result != ERR_OK || !err_retryable(err))
		return result;
	handler_set_retry_after(exchange, err, info->retry_after_s);
	handler_set_refresh(exchange, exchange->request_id, GATE_AGAIN_S);
	return ERR_OK;
}

/* Nobody has come with a program that previews, scans or fetches ahead, nor with a HEAD: they use
 * nothing, and the provider's own link is not theirs to know. */
enum err handler_gate_enter(struct http_exchange *exchange, struct err_info *info)
{
	const struct service_call call = handler_call(exchange);
	const bool person = http_visitor_is_person(exchange);
	const bool entering = person && exchange->method == HTTP_GET;
	struct service_gate gate;
	enum err err;

	err = service_gate_open(&handler_context(exchange)->service, &call, exchange->params[0],
		entering, &gate, info);
	if (err != ERR_OK)
		return err;
	if (gate.state != GATE_OPEN || !person)
		return gate_reply_state(exchange, &gate, person, info);
	http_reply(exchange, 302, "text/plain", "", 0);
	if (entering)
		http_set_header(exchange, "Location", "%s", gate.url);
	gate_set_headers(exchange);
	return ERR_OK;
}
