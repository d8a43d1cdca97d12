#include "app.h"

#include <string.h>

#include "arena.h"
#include "clock.h"
#include "dispatch.h"
#include "fault.h"
#include "handler.h"
#include "ics_invite.h"
#include "ics_proof.h"
#include "log.h"
#include "mail_transport.h"
#include "provider.h"
#include "reply.h"
#include "rest.h"
#include "utf8.h"

static enum err app_check_urls(const struct conf *conf, struct arena *arena, struct err_info *info)
{
	if (!rest_url_valid(conf->public_url, REST_URL_HTTP))
		return err_set(info, ERR_CONFIG,
			"public.url must be http(s)://host, without credentials, query, fragment "
			"or a slash at its end.");
	if (conf->public_request_url[0] &&
		!rest_url_valid(conf_request_url(conf, arena, "id"), REST_URL_LINK | REST_URL_HTTP))
		return err_set(info, ERR_CONFIG,
			"public.request_url must be an http(s) URL with " CONF_REQUEST_ID
			" for the request.");
	return ERR_OK;
}

/* A sample of what it makes says whether all of them are addresses. */
static enum err app_check_reply_address(const struct app *app, struct err_info *info)
{
	static const char any_id[] = "AAAAAAAAAAAAAAAAAAAAAA";
	const char *pattern = app->conf->mail_reply_address, *sample;
	char email[MAIL_EMAIL_SIZE];

	if (!pattern[0])
		return ERR_OK;
	if (reply_pattern_valid(pattern)) {
		sample = reply_address(app->arena, app->ring, pattern, any_id, PARTY_CLIENT);
		if (mail_email_to_ascii(sample, email) && utf8_same_but_case(sample, email))
			return ERR_OK;
	}
	return err_set(info, ERR_CONFIG,
		"mail.reply_address must be an address such as meetings+{}@example.org, with at "
		"most %d characters beside {} before the @.",
		64 - REPLY_TOKEN_LENGTH);
}

static enum err app_check_templates(const struct tmpl_set *templates, struct err_info *info)
{
	enum err err = ics_check_templates(templates, info);

	if (err == ERR_OK)
		err = ics_prove(templates, info);
	if (err == ERR_OK)
		err = handler_check_templates(templates, info);
	return err ? err : dispatch_check_templates(templates, info);
}

enum err app_open(const struct conf *conf, int threads, struct app *app_r, struct err_info *info)
{
	enum err err;

	*app_r = (struct app){.conf = conf, .arena = arena_new(), .templates = tmpl_set_new()};
	err = app_check_urls(conf, app_r->arena, info);
	if (err == ERR_OK)
		err = mail_address_parse(app_r->arena, conf->mail_from, &app_r->mail_from, info);
	if (err == ERR_OK && !app_r->mail_from.name)
		app_r->mail_from.name = app_r->mail_from.email;
	if (err == ERR_OK)
		err = secret_ring_load(conf->key_file, &app_r->ring, info);
	if (err == ERR_OK)
		err = app_check_reply_address(app_r, info);
	if (err == ERR_OK)
		err = tmpl_set_load(app_r->templates, conf->templates_dir, info);
	if (err == ERR_OK)
		err = app_check_templates(app_r->templates, info);
	if (err == ERR_OK)
		err = http_token_rules_load(conf, &app_r->tokens, info);
	if (err == ERR_OK)
		err = provider_check_endpoints(conf, info);
	if (err == ERR_OK && threads)
		err = store_open(conf, app_r->ring, threads, &app_r->store, info);
	if (err == ERR_OK && threads) {
		app_r->viewer = arena_alloc(app_r->arena, sizeof(*app_r->viewer));
		*app_r->viewer = (struct service){.conf = conf, .ring = app_r->ring};
		store_set_view(app_r->store, handler_view, app_r->viewer);
	}
	app_r->token_store = app_token_store(app_r->store);
	if (err != ERR_OK)
		app_close(app_r);
	return err;
}

void app_close(struct app *app)
{
	store_close(&app->store);
	http_token_rules_free(&app->tokens);
	tmpl_set_free(&app->templates);
	secret_ring_free(&app->ring);
	arena_free(&app->arena);
}

enum err app_check(const struct conf *conf, struct err_info *info)
{
	const struct mail_transport_options mail = {
		.smtp_url = conf->smtp_url, .ca_file = conf->smtp_ca_file};
	enum log_format format;
	enum log_level level;
	struct app app;
	enum err err;

	if (!log_level_parse(conf->log_level, &level))
		return err_set(
			info, ERR_CONFIG, "log.level must be debug, info, warning or error.");
	if (!log_format_parse(conf->log_format, &format))
		return err_set(info, ERR_CONFIG, "log.format must be logfmt or json.");
	if (fault_init() != 0)
		return err_set(info, ERR_CONFIG, "MEETLINK_FAULT names no fault point.");
	if (clock_init(conf->clock_offset_file) != 0)
		return err_set(info, ERR_CONFIG, "clock.offset_file cannot be mapped.");
	err = store_check_uri(conf->mongodb_uri, info);
	if (err == ERR_OK)
		err = mail_transport_check(&mail, info);
	if (err == ERR_OK)
		err = app_open(conf, 0, &app, info);
	if (err == ERR_OK)
		app_close(&app);
	return err;
}
