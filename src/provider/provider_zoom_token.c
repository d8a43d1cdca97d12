#include <string.h>
#include <strings.h>

#include "provider_zoom_private.h"

/* What a token lives at most, and when its answer does not say. */
enum { ZOOM_TOKEN_S = 3600 };

/* Where the API is unless the operator says otherwise (conf_table.h): only then may the `api_url`
 * of a token lead elsewhere. */
#define ZOOM_API_URL "https://api.zoom.us/v2"

/* Whatever is said in JSON with 400, 401, 403 or 404, the numbers 4700 to 4741 among it, says that
 * the app, its secret or its user will not do. */
static const struct provider_rule zoom_token_rules[] = {
	{.code = "", .class = ERR_TEMPORARY, .words = "Its sign-in service does not answer."},
	{.code = "invalid_client",
		.class = ERR_CREDENTIAL,
		.words = "It refuses the client ID or the client secret."},
	{.code = "invalid_grant",
		.class = ERR_CREDENTIAL,
		.words = "It no longer lets us act for the user: connect the account again."},
	{.code = "invalid_request",
		.class = ERR_CREDENTIAL,
		.words =
			"It does not know the account, or the app may not sign in to it this way."},
	{.code = "unsupported_grant_type",
		.class = ERR_CREDENTIAL,
		.words = "The app is not of the kind that signs in this way."},
	{.status = 400, .class = ERR_CREDENTIAL},
	{.status = 401, .class = ERR_CREDENTIAL},
	{.status = 404, .class = ERR_CREDENTIAL},
	{.class = ERR_OK},
};

/* `https://<host>[/v2]` of a token's `api_url` as the API's base; NULL unless the host is Zoom's.
 */
static const char *zoom_base_url(struct arena *arena, const char *api_url)
{
	static const char domain[] = ".zoom.us";
	const char *host;
	size_t len;

	if (!rest_url_valid(api_url, 0))
		return NULL;
	host = strstr(api_url, "://") + 3;
	len = strcspn(host, "/");
	if (host[len] && strcmp(host + len, "/v2") != 0)
		return NULL;
	if (!(len == strlen(domain) - 1 && strncasecmp(host, domain + 1, len) == 0) &&
		!(len > strlen(domain) && host[0] != '.' &&
			strncasecmp(host + len - strlen(domain), domain, strlen(domain)) == 0))
		return NULL;
	return arena_printf(arena, "https://%.*s/v2", (int)len, host);
}

static enum err zoom_read_grant(const struct provider_call *call, struct json_object *json,
	struct provider_grant *grant_r, struct err_info *info)
{
	struct arena *arena = call->arena;

	grant_r->access_token = provider_json_text(arena, json, "access_token");
	grant_r->refresh_token = provider_json_text(arena, json, "refresh_token");
	if (!grant_r->access_token || !provider_zoom_is_credential(grant_r->access_token) ||
		(grant_r->refresh_token && !provider_zoom_is_credential(grant_r->refresh_token)))
		return err_set(info, ERR_TEMPORARY, "%s: Its sign-in service gave no usable token.",
			call->provider->title);
	if (!provider_json_int(json, "expires_in", &grant_r->expires_in_s) ||
		grant_r->expires_in_s <= 0 || grant_r->expires_in_s > ZOOM_TOKEN_S)
		grant_r->expires_in_s = ZOOM_TOKEN_S;
	if (strcmp(call->conf->zoom_api_url, ZOOM_API_URL) == 0)
		grant_r->base_url =
			zoom_base_url(arena, provider_json_text(arena, json, "api_url"));
	return ERR_OK;
}

enum err provider_zoom_grant(const struct provider_call *call, const char *refresh_token,
	struct provider_grant *grant_r, struct err_info *info)
{
	const char *account = provider_zoom_setting(call, "account_id");
	const char *user =
		refresh_token ? refresh_token : provider_zoom_setting(call, "refresh_token");
	const struct rest_request request = {
		.method = REST_POST,
		.url = call->conf->zoom_token_url,
		.user = provider_zoom_setting(call, "client_id"),
		.password = provider_zoom_setting(call, "client_secret"),
		.content_type = "application/x-www-form-urlencoded",
		.body = account ? rest_form(call->arena, "grant_type", "account_credentials",
					  "account_id", account, NULL)
				: rest_form(call->arena, "grant_type", "refresh_token",
					  "refresh_token", user, NULL),
		.trace_id = call->trace_id,
		.timeout_ms = provider_time_left_ms(call),
	};
	struct rest_reply reply;
	struct err_info why;
	enum err err;

	*grant_r = (struct provider_grant){0};
	if (request.timeout_ms == 0)
		return err_set(info, ERR_TEMPORARY, "%s: There was no time left to ask it.",
			call->provider->title);
	/* A token that was made and never arrived harms nobody; a rotated refresh token is missed.
	 */
	err = rest_call(call->rest, call->arena, &request, &reply, &why);
	if (err != ERR_OK)
		return err_set(info, err == ERR_CONFIG ? ERR_UNAVAILABLE : err, "%s: %s",
			call->provider->title, why.detail);
	if (reply.status >= 200 && reply.status <= 299)
		return zoom_read_grant(call, reply.json, grant_r, info);
	return provider_classify(call, REST_GET, &reply, zoom_token_rules, info);
}
