/* Who Teams acts as: settings, credentials, and access tokens for them
 * (learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow). */
#include <string.h>

#include "provider_http.h"
#include "provider_teams.h"
#include "provider_teams_private.h"

/* AADSTS numbers: learn.microsoft.com/entra/identity-platform/reference-error-codes. */
static const struct provider_rule teams_token_rules[] = {
	{.code = "7000215", .class = ERR_CREDENTIAL, .words = "The client_secret is wrong."},
	{.code = "7000222",
		.class = ERR_CREDENTIAL,
		.words = "The client_secret has expired; the app needs a new one."},
	{.code = "700016",
		.class = ERR_CREDENTIAL,
		.words = "The tenant does not know the app of this client_id."},
	{.code = "1002012",
		.class = ERR_CREDENTIAL,
		.words = "The app may not ask for tokens of Microsoft Graph."},
	{.code = "90002",
		.class = ERR_CREDENTIAL,
		.words = "There is no tenant of this tenant_id."},
	{.code = "temporarily_unavailable", .class = ERR_TEMPORARY},
	{.text = "temporarily_unavailable", .class = ERR_TEMPORARY},
	{.status = 400, .class = ERR_CREDENTIAL},
	{.status = 401, .class = ERR_CREDENTIAL},
	{.class = ERR_OK},
};

static enum err teams_need(
	const char *pointer, const char *value, const char *what, struct err_info *info)
{
	if (value && value[0])
		return ERR_OK;
	return err_add_field(info, pointer, "Is needed: %s.", what);
}

/* What is copied together with a blank, or with a character that is not seen, signs in nowhere. */
static bool teams_is_word(const char *text)
{
	for (; *text; text++)
		if (*text <= ' ' || *text > '~')
			return false;
	return true;
}

enum err provider_teams_check(
	const struct conf *conf, const struct config *config, struct err_info *info)
{
	static const struct {
		const char *name, *pointer, *what;
		bool word; /* visible ASCII only */
	} needed[] = {
		{"tenant_id", "/credentials/tenant_id", "the directory (tenant) ID", false},
		{"client_id", "/credentials/client_id", "the application (client) ID", true},
		{"client_secret", "/credentials/client_secret", "the value of a client secret",
			true},
		{"organizer", "/settings/organizer", "the user who hosts the meetings", false},
	};
	const char *text;
	enum err err = ERR_OK;
	int64_t end;
	size_t i;

	(void)conf;
	for (i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
		text = config_text(config, "teams", needed[i].name);
		if (teams_need(needed[i].pointer, text, needed[i].what, info) != ERR_OK)
			err = ERR_INVALID;
		else if (needed[i].word && !teams_is_word(text))
			err = err_add_field(info, needed[i].pointer,
				"Holds blanks or other characters that it cannot have.");
	}
	/* Both become a part of a URL's path, where dots have a meaning of their own. */
	text = config_text(config, "teams", "tenant_id");
	if (text && (text[0] == '.' || text[strspn(text, "abcdefghijklmnopqrstuvwxyz"
							 "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
							 "0123456789.-")]))
		err = err_add_field(info, "/credentials/tenant_id",
			"Must be an ID or a domain: letters, digits, dots and hyphens only.");
	text = config_text(config, "teams", "organizer");
	if (text && (text[0] == '.' || strpbrk(text, " \t\r\n/")))
		err = err_add_field(info, "/settings/organizer",
			"Must be the object ID of a user, or the address that the user signs in "
			"with.");
	if (!provider_end(config, &provider_teams, &end))
		err = err_add_field(info, "/settings/" PROVIDER_END, "Must be a day: YYYY-MM-DD.");
	return err;
}

static const char *teams_token_url(const struct provider_call *call)
{
	const char *url = call->conf->teams_token_url, *tenant = strstr(url, "{tenant}");

	if (!tenant)
		return url;
	return arena_printf(call->arena, "%.*s%s%s", (int)(tenant - url), url,
		rest_escape(call->arena, provider_text(call, "tenant_id")),
		tenant + strlen("{tenant}"));
}

/* Asks for a token. Nothing is made by that, hence REST_GET: what is not known is asked again. */
static enum err teams_ask_token(
	const struct provider_call *call, struct rest_reply *reply_r, struct err_info *info)
{
	const struct rest_request request = {
		.method = REST_POST,
		.url = teams_token_url(call),
		.content_type = "application/x-www-form-urlencoded",
		.body = rest_form(call->arena, "grant_type", "client_credentials", "client_id",
			provider_text(call, "client_id"), "client_secret",
			provider_text(call, "client_secret"), "scope",
			"https://graph.microsoft.com/.default", NULL),
		.trace_id = call->trace_id,
		.timeout_ms = provider_time_left_ms(call),
	};
	struct err_info why;
	enum err err;

	if (request.timeout_ms == 0)
		return err_set(
			info, ERR_TEMPORARY, "Microsoft Teams: There was no time left to ask it.");
	err = rest_call(call->rest, call->arena, &request, reply_r, &why);
	if (err != ERR_OK)
		return err_set(info, err == ERR_CONFIG ? ERR_UNAVAILABLE : ERR_TEMPORARY,
			"Microsoft Teams: %s", why.detail);
	err = provider_classify(call, REST_GET, reply_r, teams_token_rules, info);
	if (err == ERR_GONE || err == ERR_PERMANENT)
		err = err_set(info, ERR_UNAVAILABLE,
			"Microsoft Teams: Its token endpoint cannot be used (HTTP %d).",
			reply_r->status);
	return err;
}

enum err provider_teams_grant(const struct provider_call *call, const char *refresh_token,
	struct provider_grant *grant_r, struct err_info *info)
{
	struct rest_reply reply;
	enum err err;

	(void)refresh_token; /* there is none with client credentials */
	if (provider_teams_check(call->conf, call->config, NULL) != ERR_OK)
		return err_set(info, ERR_CREDENTIAL,
			"Microsoft Teams: Its settings or credentials are not complete.");
	err = teams_ask_token(call, &reply, info);
	if (err != ERR_OK)
		return err;
	*grant_r = (struct provider_grant){
		.access_token = provider_json_text(call->arena, reply.json, "access_token")};
	if (!grant_r->access_token || !grant_r->access_token[0] ||
		!provider_json_int(reply.json, "expires_in", &grant_r->expires_in_s) ||
		grant_r->expires_in_s <= 0)
		return err_set(info, ERR_TEMPORARY,
			"Microsoft Teams: Its answer has no access token that can be read.");
	return ERR_OK;
}
