#include "provider_zoom.h"

#include <ctype.h>
#include <json-c/json.h>
#include <string.h>

#include "instant.h"
#include "provider_token.h"
#include "provider_zoom_private.h"
#include "provider_zoom_webhook.h"

enum { ZOOM_MAX_CREDENTIAL = 4096, ZOOM_MAX_HOSTS = 10 };

static const char *const zoom_authentications[] = {"none", "signed_in", NULL};

static const struct provider_field zoom_fields[] = {
	{.name = "account_id",
		.secret = true,
		.help = "Account ID of a server-to-server OAuth app; or else a refresh token"},
	{.name = "client_id", .secret = true, .help = "Client ID of the app"},
	{.name = "client_secret", .secret = true, .help = "Client secret of the app"},
	{.name = "refresh_token",
		.secret = true,
		.help = "Refresh token of a user who connected the app; or else an account ID"},
	{.name = "webhook_secret",
		.secret = true,
		.inbound = true,
		.help = "Secret token of the app's event subscriptions"},
	{.name = "host_user",
		.help = "Address or user ID of the host; with a refresh token its user, if empty"},
	{.name = "authentication",
		.choices = zoom_authentications,
		.help = "signed_in: only people who are signed in to Zoom may enter"},
	{.name = "alternative_hosts",
		.help = "Addresses of licensed users who may start the meeting, separated by ;"},
	{.name = NULL},
};

static const char *const zoom_capabilities[] = {"waiting_room", "join_before_host", "mute_on_entry",
	"host_video", "passcode", "authentication", "alternative_hosts", "update", "read",
	"host_link", "dial_in", NULL};

static const char *zoom_text(const struct config *config, const char *name)
{
	const char *value = config_text(config, provider_zoom.name, name);

	return value && value[0] ? value : NULL;
}

const char *provider_zoom_setting(const struct provider_call *call, const char *name)
{
	return zoom_text(call->config, name);
}

const char *provider_zoom_host(const struct provider_call *call)
{
	const char *host = provider_zoom_setting(call, "host_user");

	return rest_escape(call->arena, host ? host : "me");
}

bool provider_zoom_is_credential(const char *text)
{
	const char *c;

	for (c = text; *c; c++)
		if (*c <= ' ' || *c > '~')
			return false;
	return c - text <= ZOOM_MAX_CREDENTIAL;
}

/* Whether `len` bytes look like an address: that it is somebody's, only Zoom can tell. */
static bool zoom_is_address(const char *text, size_t len)
{
	static const char never[] = "\"(),:;<>@[\\]";
	const char *at = memchr(text, '@', len), *end = text + len, *c;

	if (!at || at == text || end - at < 2 || len > 254 || at[1] == '.' || end[-1] == '.')
		return false;
	for (c = text; c < end; c++)
		if (c != at && (*c == '\x7f' || (unsigned char)*c <= ' ' || strchr(never, *c)))
			return false;
	return true;
}

static bool zoom_is_user_id(const char *text)
{
	const char *c;

	for (c = text; isalnum((unsigned char)*c) || *c == '-' || *c == '_'; c++)
		;
	return !*c && c - text <= 64;
}

/* A colon would end the name in Basic authentication (RFC 7617 section 2). */
static bool zoom_is_client_id(const char *text)
{
	return provider_zoom_is_credential(text) && !strchr(text, ':');
}

static bool zoom_is_host(const char *text)
{
	return zoom_is_user_id(text) || zoom_is_address(text, strlen(text));
}

static bool zoom_is_authentication(const char *text)
{
	return model_enum_value(zoom_authentications, text) >= 0;
}

static bool zoom_is_host_list(const char *text)
{
	size_t len, count = 0;

	do {
		len = strcspn(text, ";");
		if (!zoom_is_address(text, len) || ++count > ZOOM_MAX_HOSTS)
			return false;
		text += len;
	} while (*text++);
	return true;
}

#define ZOOM_FORM(place, field, test, wrong)                                                       \
	{                                                                                          \
		.name = #field, .pointer = "/" #place "/" #field, .holds = (test),                 \
		.words = (wrong)                                                                   \
	}
#define ZOOM_CREDENTIAL(field, test)                                                               \
	ZOOM_FORM(credentials, field, test, "holds blanks or other characters that it cannot have")

/* What each value must look like, if it is there. */
static const struct {
	const char *name, *pointer;
	bool (*holds)(const char *text);
	const char *words;
} zoom_forms[] = {
	ZOOM_CREDENTIAL(account_id, provider_zoom_is_credential),
	ZOOM_CREDENTIAL(client_id, zoom_is_client_id),
	ZOOM_CREDENTIAL(client_secret, provider_zoom_is_credential),
	ZOOM_CREDENTIAL(refresh_token, provider_zoom_is_credential),
	ZOOM_CREDENTIAL(webhook_secret, provider_zoom_is_credential),
	ZOOM_FORM(settings, host_user, zoom_is_host, "is neither an address nor a user ID"),
	ZOOM_FORM(settings, authentication, zoom_is_authentication, "must be none or signed_in"),
	ZOOM_FORM(settings, alternative_hosts, zoom_is_host_list,
		"must be addresses with ; between them, 10 at most"),
};

static enum err zoom_check(
	const struct conf *conf, const struct config *config, struct err_info *info)
{
	const char *account = zoom_text(config, "account_id"),
		   *host = zoom_text(config, "host_user");
	const char *refresh_token = zoom_text(config, "refresh_token"), *value;
	enum err err = ERR_OK;
	size_t i;

	(void)conf;
	if (!zoom_text(config, "client_id"))
		err = err_add_field(info, "/credentials/client_id", "is needed");
	if (!zoom_text(config, "client_secret"))
		err = err_add_field(info, "/credentials/client_secret", "is needed");
	if (!account && !refresh_token)
		err = err_add_field(
			info, "/credentials/account_id", "is needed, or else a refresh_token");
	if (account && refresh_token)
		err = err_add_field(info, "/credentials/refresh_token",
			"does not go with an account_id: one of them says how to sign in");
	if (account && (!host || strcmp(host, "me") == 0))
		err = err_add_field(info, "/settings/host_user",
			"is needed: with an account_id there is no user who is \"me\"");
	for (i = 0; i < sizeof(zoom_forms) / sizeof(zoom_forms[0]); i++) {
		value = zoom_text(config, zoom_forms[i].name);
		if (value && !zoom_forms[i].holds(value))
			err = err_add_field(info, zoom_forms[i].pointer, "%s", zoom_forms[i].words);
	}
	return err;
}

const char *provider_zoom_account(const struct provider_call *call)
{
	const char *account = provider_zoom_setting(call, "account_id");

	return arena_strdup(
		call->arena, account ? account : provider_zoom_setting(call, "client_id"));
}

#define ZOOM_SCOPES  "The app lacks a permission (scope) that it needs."
#define ZOOM_NO_HOST "It does not know the host, or not in this account."

/* Codes mean different things under different statuses: developers.zoom.us, error definitions. */
#define ZOOM_RULES                                                                                 \
	{.status = 429,                                                                            \
		.text = "daily rate limit",                                                        \
		.class = ERR_UNAVAILABLE,                                                          \
		.words = "It lets a host change only so many meetings a day; that begins anew at " \
			 "00:00 UTC."},                                                            \
		{.status = 409,                                                                    \
			.class = ERR_TEMPORARY,                                                    \
			.words = "It is busy with something else for this host."},                 \
		{.status = 400,                                                                    \
			.code = "200",                                                             \
			.class = ERR_CREDENTIAL,                                                   \
			.words = "The account or its plan does not allow this."},                  \
		{.status = 400, .code = "1010", .class = ERR_CREDENTIAL, .words = ZOOM_NO_HOST},   \
		{.status = 400,                                                                    \
			.code = "3161",                                                            \
			.class = ERR_CREDENTIAL,                                                   \
			.words = "The host may not schedule meetings."},                           \
		{.status = 400,                                                                    \
			.code = "4700",                                                            \
			.class = ERR_UNAUTHENTICATED,                                              \
			.words = ZOOM_SCOPES},                                                     \
		{.code = "4711", .class = ERR_UNAUTHENTICATED, .words = ZOOM_SCOPES},              \
	{                                                                                          \
		.status = 404, .code = "1001", .class = ERR_CREDENTIAL, .words = ZOOM_NO_HOST      \
	}

const struct provider_rule provider_zoom_meeting_rules[] = {
	ZOOM_RULES,
	{.status = 400,
		.code = "3002",
		.class = ERR_TEMPORARY,
		.words = "The meeting is going on."},
	{.status = 400, .code = "3007", .class = ERR_GONE, .words = "The meeting has ended."},
	{.class = ERR_OK},
};

const struct provider_rule provider_zoom_host_rules[] = {
	ZOOM_RULES,
	{.status = 404, .class = ERR_CREDENTIAL, .words = ZOOM_NO_HOST},
	{.class = ERR_OK},
};

const struct provider_rule provider_zoom_create_rules[] = {
	ZOOM_RULES,
	{.status = 404, .class = ERR_CREDENTIAL, .words = ZOOM_NO_HOST},
	{.status = 400,
		.code = "3000",
		.class = ERR_CREDENTIAL,
		.words = "The host may not schedule this meeting."},
	/* A gateway that gives up does not know what became of it. */
	{.status = 503, .class = ERR_OUTCOME_UNKNOWN},
	{.class = ERR_OK},
};

enum err provider_zoom_send(const struct provider_call *call, enum rest_method method,
	const char *path, struct json_object *body, const struct provider_rule *rules,
	struct rest_reply *reply_r, struct err_info *info)
{
	struct rest_request request = {.method = method};
	enum err err;

	if (body) {
		request.content_type = "application/json";
		request.body = json_object_to_json_string_ext(
			body, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
	}
	*reply_r = (struct rest_reply){0};
	err = provider_send(call, call->conf->zoom_api_url, path, &request,
		method == REST_GET || method == REST_POST, rules, reply_r, info);
	/* The limit of a host is told without a Retry-After, and ends with the day in UTC. */
	if (err == ERR_UNAVAILABLE && reply_r->status == 429 && info && info->retry_after_s == 0)
		info->retry_after_s =
			(int)((INSTANT_DAY - call->now % INSTANT_DAY + INSTANT_SECOND - 1) /
				INSTANT_SECOND);
	return err;
}

static bool zoom_note(struct arena *arena, struct model_list *checks, const char *name,
	enum err err, const char *detail)
{
	struct provider_check *check = model_list_add(arena, checks, sizeof(*check));

	*check = (struct provider_check){
		.name = name, .ok = err == ERR_OK, .detail = arena_strdup(arena, detail)};
	return check->ok;
}

/* Users of the free plan have type 1: their meetings are cut off. Reading users is a permission
 * that nothing else needs, so lacking it is no fault. */
static bool zoom_validate_host(const struct provider_call *call, struct model_list *checks)
{
	const char *path = arena_printf(call->arena, "/users/%s", provider_zoom_host(call));
	struct rest_reply reply;
	struct err_info info = {0};
	int64_t type;
	enum err err = provider_zoom_send(
		call, REST_GET, path, NULL, provider_zoom_host_rules, &reply, &info);

	if (err == ERR_CREDENTIAL && strstr(info.detail, ZOOM_SCOPES))
		return zoom_note(call->arena, checks, "host", ERR_OK,
			"Not looked at: the app may not read users.");
	if (err == ERR_OK && provider_json_int(reply.json, "type", &type) && type == 1)
		return zoom_note(call->arena, checks, "host", ERR_OK,
			"The host has the free plan, which ends meetings after 40 minutes.");
	return zoom_note(call->arena, checks, "host", err,
		err == ERR_OK ? "The host is known." : provider_told(call->arena, &info));
}

/* Without the right to delete, meetings outlive their cancellation. A missing right is told even
 * for a meeting that cannot exist; only the right to make one cannot be seen this way. */
static const struct {
	enum rest_method method;
	const char *path, *words;
	bool has_body;
} zoom_probes[] = {
	{.method = REST_GET, .path = "/meetings/1", .words = "read"},
	{.method = REST_PATCH, .path = "/meetings/1", .words = "change", .has_body = true},
	{.method = REST_PUT, .path = "/meetings/1/status", .words = "end", .has_body = true},
	{.method = REST_DELETE, .path = "/meetings/1", .words = "delete"},
};

static void zoom_validate_permissions(const struct provider_call *call, struct model_list *checks)
{
	struct json_object *body = json_object_new_object();
	const char *words = "list";
	struct err_info info = {0};
	struct rest_reply reply;
	enum err err;
	size_t i;

	err = provider_zoom_send(call, REST_GET,
		arena_printf(call->arena, "/users/%s/meetings?type=upcoming&page_size=1",
			provider_zoom_host(call)),
		NULL, provider_zoom_host_rules, &reply, &info);
	for (i = 0; err == ERR_OK && i < sizeof(zoom_probes) / sizeof(zoom_probes[0]); i++) {
		words = zoom_probes[i].words;
		err = provider_zoom_send(call, zoom_probes[i].method, zoom_probes[i].path,
			zoom_probes[i].has_body ? body : NULL, provider_zoom_meeting_rules, &reply,
			&info);
		if (err == ERR_GONE || err == ERR_PERMANENT)
			err = ERR_OK;
	}
	zoom_note(call->arena, checks, "permissions", err,
		err == ERR_OK ? "Meetings can be listed, read, changed, ended and deleted."
			      : arena_printf(call->arena, "To %s meetings: %s", words,
					provider_told(call->arena, &info)));
	json_object_put(body);
}

static void zoom_validate(const struct provider_call *call, struct model_list *checks)
{
	struct provider_token token;
	struct err_info info = {0};
	enum err err = provider_token_get(call, &token, &info);

	if (zoom_note(call->arena, checks, "token", err,
		    err == ERR_OK ? "Zoom accepts the credentials."
				  : provider_told(call->arena, &info)) &&
		zoom_validate_host(call, checks))
		zoom_validate_permissions(call, checks);
}

const struct provider provider_zoom = {
	.name = "zoom",
	.title = "Zoom",
	.fields = zoom_fields,
	.endpoints = {PROVIDER_ENDPOINT(zoom, api_url), PROVIDER_ENDPOINT(zoom, token_url)},
	.capabilities = zoom_capabilities,
	.check = zoom_check,
	.account = provider_zoom_account,
	.grant = provider_zoom_grant,
	.read_error = provider_zoom_read_error,
	.options = provider_zoom_options,
	.create = provider_zoom_create,
	.update = provider_zoom_update,
	.remove = provider_zoom_remove,
	.read = provider_zoom_read,
	.host_url = provider_zoom_host_url,
	.webhook = provider_zoom_webhook,
	.webhook_headers = {[PROVIDER_ZOOM_SIGNATURE] = "HTTP_X_ZM_SIGNATURE",
		[PROVIDER_ZOOM_TIMESTAMP] = "HTTP_X_ZM_REQUEST_TIMESTAMP"},
	.validate = zoom_validate,
};
