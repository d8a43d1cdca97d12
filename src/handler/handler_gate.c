/* GET /join/{token}: the door, with a small page for those it does not open to. */
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "handler_private.h"
#include "http_media.h"
#include "http_visitor.h"
#include "ics_when.h"
#include "log.h"

enum { GATE_MAX_PAGE = 64 * 1024 };

static const struct {
	const char *name; /* the template's section */
	int status;
} gate_pages[] = {
	[GATE_OPEN] = {"open", 200}, /* to programs; people are sent on */
	[GATE_EARLY] = {"early", 403},
	[GATE_PENDING] = {"pending", 403},
	[GATE_FAILED] = {"failed", 403},
	[GATE_OVER] = {"over", 410},
	[GATE_CANCELLED] = {"cancelled", 410},
	[GATE_REPLACED] = {"replaced", 410},
	[GATE_RENEWING] = {"renewing", 410},
};

enum { GATE_PAGES = sizeof(gate_pages) / sizeof(gate_pages[0]) };

/* Besides those and ics_when_names. */
static const char *const gate_names[] = {
	"opens_at", "meeting_title", "unknown", "unavailable", NULL};

enum err handler_check_templates(const struct tmpl_set *templates, struct err_info *info)
{
	const char *states[GATE_PAGES + 1] = {NULL};
	const char *const *const names[] = {states, gate_names, ics_when_names, NULL};
	size_t i;

	for (i = 0; i < GATE_PAGES; i++)
		states[i] = gate_pages[i].name;
	return ics_when_check(templates, "pages", "gate.html", names, info);
}

static bool gate_is_refused(const struct http_language *languages, size_t count, const char *locale)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (languages[i].weight == 0 && strcasecmp(languages[i].range, locale) == 0)
			return true;
	return false;
}

/* The language that visitors we do not know like best of those we have; NULL when any will do. */
static const char *gate_visitor_language(const struct http_exchange *exchange)
{
	const char *accept = http_variable(exchange, "HTTP_ACCEPT_LANGUAGE"), *locale;
	struct http_language languages[HTTP_MAX_LANGUAGES];
	size_t count = http_media_languages(exchange->arena, accept, languages), i;

	for (i = 0; i < count && languages[i].weight > 0; i++) {
		if (strcmp(languages[i].range, "*") == 0)
			break;
		locale = ics_when_locale_find(handler_context(exchange)->templates, exchange->arena,
			languages[i].range, "pages", "gate.html");
		if (locale && !gate_is_refused(languages, count, locale))
			return locale;
	}
	return NULL;
}

/* Nothing of the page may be kept, indexed, or told to the next site. */
static void gate_set_headers(struct http_exchange *exchange)
{
	http_set_header(exchange, "Cache-Control", "no-store");
	http_set_header(exchange, "Referrer-Policy", "no-referrer");
	http_set_header(exchange, "X-Robots-Tag", "noindex");
}

static enum err gate_reply_page(struct http_exchange *exchange, int status, const char *language,
	struct json_object *values, struct err_info *info)
{
	const struct tmpl_set *templates = handler_context(exchange)->templates;
	const char *locale =
		ics_when_locale(templates, exchange->arena, language, "pages", "gate.html");
	struct buf buf;
	enum err err;

	buf_init(&buf, GATE_MAX_PAGE);
	err = tmpl_render(templates, arena_printf(exchange->arena, "pages/%s/gate.html", locale),
		values, &buf, info);
	if (err == ERR_OK) {
		http_reply(exchange, status, "text/html; charset=utf-8",
			arena_strndup(exchange->arena, buf.bytes, buf.len), buf.len);
		http_set_header(exchange, "Content-Language", "%s", locale);
		http_set_header(exchange, "Content-Security-Policy",
			"default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; "
			"frame-ancestors 'none'");
		gate_set_headers(exchange);
	}
	buf_fini(&buf);
	return err;
}

static enum err gate_reply_state(
	struct http_exchange *exchange, const struct service_gate *gate, struct err_info *info)
{
	const struct tmpl_set *templates = handler_context(exchange)->templates;
	const struct person *person = gate->request->side[gate->party].person;
	struct json_object *values = json_object_new_object();
	const char *opens_at;
	enum err err;

	opens_at = ics_when_instant(templates, exchange->arena, gate->request, person,
		gate->request->meeting->opens_at);
	json_object_object_add(values, gate_pages[gate->state].name, json_object_new_boolean(true));
	json_object_object_add(
		values, "opens_at", opens_at ? json_object_new_string(opens_at) : NULL);
	json_object_object_add(
		values, "meeting_title", json_object_new_string(gate->request->title));
	err = ics_when_add(templates, exchange->arena, gate->request, person, values, info);
	if (err == ERR_OK)
		err = gate_reply_page(
			exchange, gate_pages[gate->state].status, person->locale, values, info);
	json_object_put(values);
	return err;
}

/* People come here from a mail: whatever goes wrong is a page too, not JSON. */
static enum err gate_reply_error(
	struct http_exchange *exchange, enum err failure, struct err_info *info)
{
	struct json_object *values = json_object_new_object();
	enum err err = failure;

	if (err_status(err) >= 500)
		log_at((enum log_level)err_log_level(err), "%s: %s", err_code(err), info->detail);
	json_object_object_add(values, err == ERR_NOT_FOUND ? "unknown" : "unavailable",
		json_object_new_boolean(true));
	if (gate_reply_page(exchange, err_status(err), gate_visitor_language(exchange), values,
		    info) == ERR_OK)
		err = ERR_OK;
	if (err_retryable(failure))
		http_set_header(exchange, "Retry-After", "%d",
			info->retry_after_s ? info->retry_after_s : 2);
	json_object_put(values);
	return err;
}

/* Nobody has come with a program that previews, scans or fetches ahead: it uses nothing, and the
 * provider's own link is not its to know. */
enum err handler_gate_enter(struct http_exchange *exchange, struct err_info *info)
{
	const struct service_call call = handler_call(exchange);
	const bool entering = http_visitor_is_person(exchange);
	struct service_gate gate;
	enum err err;

	err = service_gate_open(&handler_context(exchange)->service, &call, exchange->params[0],
		entering, &gate, info);
	if (err != ERR_OK)
		return gate_reply_error(exchange, err, info);
	if (gate.state != GATE_OPEN || !entering)
		return gate_reply_state(exchange, &gate, info);
	http_reply(exchange, 302, "text/plain", "", 0);
	http_set_header(exchange, "Location", "%s", gate.url);
	gate_set_headers(exchange);
	return ERR_OK;
}
