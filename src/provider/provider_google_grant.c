/* Who Google Meet acts as: the service account's key or a person's consent, and access tokens for
 * them (developers.google.com/identity/protocols/oauth2/service-account). */
#include <json-c/json.h>
#include <jwt.h>
#include <stdlib.h>
#include <string.h>

#include "instant.h"
#include "json.h"
#include "provider_google.h"
#include "provider_google_private.h"
#include "provider_http.h"
#include "utf8.h"

/* Constants, whatever the key file says: following its URLs would let whoever stores a credential
 * choose where this server connects to. */
static const char google_audience[] = "https://oauth2.googleapis.com/token";

/* All that is of use, and what there has to be. */
static const char *const google_scopes[] = {
	GOOGLE_EVENT_SCOPE " " GOOGLE_MEET_SCOPE, GOOGLE_EVENT_SCOPE};

#define GOOGLE_JSON_POINTER "/credentials/service_account_json"

enum {
	GOOGLE_MAX_JSON = 16 * 1024, /* a file with a 4096-bit key has 4 KiB */
	GOOGLE_MAX_TEXT = 2048,
	GOOGLE_MIN_SIGNATURE = 342, /* 256 bytes in base64url: an RSA signature is as long as its
				       key */
	GOOGLE_IAT_BEFORE_S = 10,   /* clocks differ */
	GOOGLE_EXP_AFTER_S = 3540,  /* more than 3600 is refused */
	GOOGLE_MAX_EXPIRES_S = 24 * 60 * 60,
	GOOGLE_EXPIRES_S = 600, /* when it does not say */
};

static const struct provider_rule google_grant_rules[] = {
	{0, "internal_failure", NULL, ERR_TEMPORARY, NULL},
	{0, "server_error", NULL, ERR_TEMPORARY, NULL},
	{0, "temporarily_unavailable", NULL, ERR_TEMPORARY, NULL},
	{408, NULL, NULL, ERR_TEMPORARY, NULL},
	{429, NULL, NULL, ERR_TEMPORARY, NULL},
	{500, NULL, NULL, ERR_TEMPORARY, NULL},
	{502, NULL, NULL, ERR_TEMPORARY, NULL},
	{503, NULL, NULL, ERR_TEMPORARY, NULL},
	{504, NULL, NULL, ERR_TEMPORARY, NULL},
	{0, "invalid_grant", "short-lived token", ERR_CREDENTIAL,
		"Google refuses the time of the sign-in: check the clock of this server."},
	{0, "invalid_grant", "signature", ERR_CREDENTIAL,
		"Google does not know the service account's key (any more): store a new one."},
	{0, "invalid_grant", "account not found", ERR_CREDENTIAL,
		"Google does not know the service account: store the key of one that exists."},
	{0, "invalid_grant", "valid email", ERR_CREDENTIAL,
		"Google does not know the user to act for: check the subject."},
	{0, "invalid_grant", "revoked", ERR_CREDENTIAL,
		"Google's consent has expired or was withdrawn: sign in to Google again and store "
		"the new refresh token."},
	{0, "invalid_scope", NULL, ERR_CREDENTIAL,
		"The service account may not act for the subject: grant it domain-wide delegation "
		"for calendar.events (this can take 24 hours)."},
	{0, "unauthorized_client", NULL, ERR_CREDENTIAL,
		"The service account may not act for the subject: grant it domain-wide delegation "
		"for calendar.events (this can take 24 hours)."},
	{0, "access_denied", NULL, ERR_CREDENTIAL, "Google denies access to this account."},
	{0, "admin_policy_enforced", NULL, ERR_CREDENTIAL,
		"The Google Workspace administrator does not allow this application."},
	{0, "invalid_client", NULL, ERR_CREDENTIAL,
		"Google does not accept the client id and secret."},
	{0, "deleted_client", NULL, ERR_CREDENTIAL, "The client was deleted at Google."},
	{0, "disabled_client", NULL, ERR_CREDENTIAL, "The client is disabled at Google."},
	{0, "org_internal", NULL, ERR_CREDENTIAL,
		"The client is for users of its own organisation only."},
	{400, NULL, NULL, ERR_CREDENTIAL, "Google does not accept the credentials."},
	{401, NULL, NULL, ERR_CREDENTIAL, "Google does not accept the credentials."},
	{403, NULL, NULL, ERR_CREDENTIAL, "Google does not accept the credentials."},
	/* Never ERR_GONE or ERR_PERMANENT: those would be about the meeting. */
	{0, NULL, NULL, ERR_UNAVAILABLE, "Google's sign-in gave an unexpected answer."},
	{0, NULL, NULL, ERR_OK, NULL},
};

/* What a key file has that is used here. */
struct google_key {
	const char *email, *id, *pem;
};

const char *provider_google_text(const struct config *config, const char *name)
{
	const char *text = config_text(config, GOOGLE_NAME, name);

	return text && text[0] ? text : NULL;
}

/* Signs claims (a JSON object) as RS256; NULL when the key cannot. In the arena. */
static const char *google_sign(
	struct arena *arena, const struct google_key *key, const char *claims)
{
	const char *signed_token = NULL;
	char *token = NULL;
	jwt_t *jwt = NULL;

	if (jwt_new(&jwt) != 0)
		goto out;
	if (jwt_add_grants_json(jwt, claims) != 0 || jwt_add_header(jwt, "kid", key->id) != 0 ||
		jwt_set_alg(jwt, JWT_ALG_RS256, (const unsigned char *)key->pem,
			(int)strlen(key->pem)) != 0)
		goto out;
	token = jwt_encode_str(jwt);
	signed_token = arena_strdup(arena, token);
out:
	free(token);
	jwt_free(jwt);
	return signed_token;
}

/* A text of the file; noted when it is missing. */
static const char *google_key_text(
	struct json_object *json, const char *name, enum err *err, struct err_info *info)
{
	struct json_object *value;
	const char *text = NULL;

	if (json_object_object_get_ex(json, name, &value) &&
		json_object_is_type(value, json_type_string))
		text = json_object_get_string(value);
	if (!text || !text[0] || utf8_has_control(text, true)) {
		*err = err_add_field(info, GOOGLE_JSON_POINTER,
			"It has no %s: store the whole file as Google gave it.", name);
		return "";
	}
	return text;
}

/* An encrypted key would make OpenSSL ask for its passphrase at a terminal. */
static bool google_is_plain_pem(const char *pem)
{
	pem += strspn(pem, " \t\r\n");
	return (strncmp(pem, "-----BEGIN PRIVATE KEY-----", 27) == 0 ||
		       strncmp(pem, "-----BEGIN RSA PRIVATE KEY-----", 31) == 0) &&
	       !strstr(pem, "ENCRYPTED");
}

/* Reads the key file and tries the key. Strings live in the arena. */
static enum err google_key_read(
	struct arena *arena, const char *text, struct google_key *key_r, struct err_info *info)
{
	const size_t len = strlen(text);
	struct json_object *json = NULL;
	const char *token;
	enum err err = ERR_OK;

	if (len > GOOGLE_MAX_JSON || json_parse(arena, text, len, &json, NULL) != ERR_OK ||
		!json_object_is_type(json, json_type_object))
		return err_add_field(info, GOOGLE_JSON_POINTER,
			"It is not the JSON file of a service account's key.");
	if (strcmp(google_key_text(json, "type", &err, info), "service_account") != 0)
		return err_add_field(info, GOOGLE_JSON_POINTER,
			"Its type is not service_account: make a JSON key for a service account.");
	key_r->email = google_key_text(json, "client_email", &err, info);
	key_r->id = google_key_text(json, "private_key_id", &err, info);
	key_r->pem = google_key_text(json, "private_key", &err, info);
	if (err != ERR_OK)
		return err;
	if (!strchr(key_r->email, '@'))
		return err_add_field(
			info, GOOGLE_JSON_POINTER, "Its client_email is not an e-mail address.");
	token = google_is_plain_pem(key_r->pem) ? google_sign(arena, key_r, "{}") : NULL;
	if (!token)
		return err_add_field(info, GOOGLE_JSON_POINTER,
			"Its private_key is not an RSA key in PEM form without passphrase.");
	if (strlen(strrchr(token, '.') + 1) < GOOGLE_MIN_SIGNATURE)
		return err_add_field(info, GOOGLE_JSON_POINTER,
			"Its private_key is shorter than 2048 bits: make a new key.");
	return ERR_OK;
}

/* Tokens, addresses and ids have visible ASCII characters only. */
static bool google_is_word(const char *text)
{
	const size_t len = strlen(text);
	size_t i;

	for (i = 0; i < len; i++)
		if (text[i] <= ' ' || text[i] > '~')
			return false;
	return len > 0 && len <= GOOGLE_MAX_TEXT;
}

/* What is wrong with a value that has one line, or NULL. */
static const char *google_fault(const struct provider_field *field, const char *text)
{
	if (!google_is_word(text))
		return "It holds a blank or a character that does not belong there, or is too "
		       "long.";
	if (strcmp(field->name, "subject") == 0 && !strchr(text, '@'))
		return "It is the e-mail address of the Google user to act for.";
	/* So it cannot be "..", which would be another path. */
	if (strcmp(field->name, "calendar_id") == 0 && strcmp(text, "primary") != 0 &&
		!strchr(text, '@'))
		return "It is \"primary\" or the calendar's address (with an @).";
	return NULL;
}

/* Which of the two ways to sign in has been begun, and what it still lacks. */
static enum err google_check_complete(
	struct arena *arena, const struct config *config, struct err_info *info)
{
	static const char *const ways[2][4] = {{"service_account_json", "subject", NULL},
		{"client_id", "client_secret", "refresh_token", NULL}};
	size_t way, i, given[2] = {0};
	enum err err = ERR_OK;

	for (way = 0; way < 2; way++)
		for (i = 0; ways[way][i]; i++)
			given[way] += provider_google_text(config, ways[way][i]) != NULL;
	if (given[0] && given[1])
		return err_add_field(info, "/credentials",
			"Store either service_account_json and subject, or client_id, "
			"client_secret and refresh_token: not parts of both.");
	if (!given[0] && !given[1])
		return err_add_field(info, GOOGLE_JSON_POINTER,
			"Store service_account_json and subject, or client_id, client_secret and "
			"refresh_token.");
	way = given[0] ? 0 : 1;
	for (i = 0; ways[way][i]; i++)
		if (!provider_google_text(config, ways[way][i]))
			err = err_add_field(info,
				arena_printf(arena, "/credentials/%s", ways[way][i]),
				"This is needed too, beside what is stored.");
	return err;
}

enum err provider_google_check(
	const struct conf *conf, const struct config *config, struct err_info *info)
{
	struct arena *arena = arena_new();
	enum err err = google_check_complete(arena, config, info);
	const struct provider_field *field;
	const char *text, *fault;
	struct google_key key;
	int64_t end;

	(void)conf;
	for (field = provider_google.fields; field->name; field++) {
		text = provider_google_text(config, field->name);
		fault = text && !field->multi_line ? google_fault(field, text) : NULL;
		if (fault)
			err = err_add_field(info,
				arena_printf(arena, "/%s/%s",
					field->secret ? "credentials" : "settings", field->name),
				"%s", fault);
	}
	if (!provider_end(config, &provider_google, &end))
		err = err_add_field(info, "/settings/" PROVIDER_END, "Must be a day: YYYY-MM-DD.");
	text = provider_google_text(config, "service_account_json");
	if (text && google_key_read(arena, text, &key, info) != ERR_OK)
		err = ERR_INVALID;
	arena_free(&arena);
	return err;
}

/* The form that shows who we are: NULL when the stored key cannot be used. What a consent covers
 * was decided when it was given. */
static const char *google_form(
	const struct provider_call *call, const char *refresh_token, const char *scope)
{
	const char *json = provider_google_text(call->config, "service_account_json");
	const int64_t iat = call->now / INSTANT_SECOND - GOOGLE_IAT_BEFORE_S;
	struct json_object *claims;
	const char *assertion;
	struct google_key key;

	if (!json) {
		if (!refresh_token)
			refresh_token = provider_google_text(call->config, "refresh_token");
		return rest_form(call->arena, "grant_type", "refresh_token", "refresh_token",
			refresh_token, "client_id", provider_google_text(call->config, "client_id"),
			"client_secret", provider_google_text(call->config, "client_secret"), NULL);
	}
	if (google_key_read(call->arena, json, &key, NULL) != ERR_OK)
		return NULL;
	claims = json_object_new_object();
	json_object_object_add(claims, "iss", json_object_new_string(key.email));
	json_object_object_add(claims, "sub",
		json_object_new_string(provider_google_text(call->config, "subject")));
	json_object_object_add(claims, "scope", json_object_new_string(scope));
	json_object_object_add(claims, "aud", json_object_new_string(google_audience));
	json_object_object_add(claims, "iat", json_object_new_int64(iat));
	json_object_object_add(claims, "exp", json_object_new_int64(iat + GOOGLE_EXP_AFTER_S));
	assertion = google_sign(call->arena, &key, json_object_to_json_string(claims));
	json_object_put(claims);
	return assertion ? rest_form(call->arena, "grant_type",
				   "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion",
				   assertion, NULL)
			 : NULL;
}

/* RFC 6749 section 5.1: `scope` may be left out where it is what was asked for. */
static enum err google_read_grant(const struct provider_call *call, struct json_object *json,
	const char *scope, struct provider_grant *grant_r, struct err_info *info)
{
	const char *granted = provider_json_text(call->arena, json, "scope");
	int64_t expires_in_s;

	*grant_r = (struct provider_grant){
		.access_token = provider_json_text(call->arena, json, "access_token"),
		.refresh_token = provider_json_text(call->arena, json, "refresh_token"),
		.expires_in_s = GOOGLE_EXPIRES_S,
	};
	if (!grant_r->access_token || !google_is_word(grant_r->access_token))
		return err_set(info, ERR_TEMPORARY,
			"Google Meet: The sign-in's answer holds no access token.");
	if (grant_r->refresh_token && !google_is_word(grant_r->refresh_token))
		grant_r->refresh_token = NULL;
	if (!granted)
		granted = scope;
	grant_r->scope =
		granted && strstr(granted, GOOGLE_MEET_SCOPE) ? google_scopes[0] : google_scopes[1];
	if (provider_json_int(json, "expires_in", &expires_in_s) && expires_in_s > 0)
		grant_r->expires_in_s =
			expires_in_s < GOOGLE_MAX_EXPIRES_S ? expires_in_s : GOOGLE_MAX_EXPIRES_S;
	return ERR_OK;
}

/* One question; reply_r is its answer, if there is one. */
static enum err google_sign_in(const struct provider_call *call, const char *refresh_token,
	const char *scope, struct provider_grant *grant_r, struct rest_reply *reply_r,
	struct err_info *info)
{
	struct rest_request request = {
		.method = REST_POST,
		.url = call->conf->google_token_url,
		.content_type = "application/x-www-form-urlencoded",
		.trace_id = call->trace_id,
		.timeout_ms = provider_time_left_ms(call),
	};
	struct err_info why;
	enum err err;

	*reply_r = (struct rest_reply){0};
	if (google_check_complete(call->arena, call->config, NULL) == ERR_OK)
		request.body = google_form(call, refresh_token, scope);
	if (!request.body)
		return err_set(info, ERR_CREDENTIAL,
			"Google Meet: The stored credentials are not complete or not valid.");
	if (request.timeout_ms <= 0)
		return err_set(info, ERR_TEMPORARY, "Google Meet: There was no time to sign in.");
	err = rest_call(call->rest, call->arena, &request, reply_r, &why);
	/* Asking for a token once more does no harm. */
	if (err != ERR_OK)
		return err_set(info, err == ERR_CONFIG ? ERR_UNAVAILABLE : ERR_TEMPORARY,
			"Google Meet: %s", why.detail);
	if (reply_r->status != 200)
		return provider_classify(call, REST_POST, reply_r, google_grant_rules, info);
	return google_read_grant(call, reply_r->json, scope, grant_r, info);
}

/* To a service account Google grants all the scopes it asks for, or nothing. */
static bool google_refuses_scopes(const struct rest_reply *reply)
{
	static const char *const codes[] = {
		"unauthorized_client", "invalid_scope", "access_denied", NULL};
	const char *code;
	size_t i;

	if (reply->status == 200 || !reply->json)
		return false;
	code = provider_google_member(reply->json, "error");
	for (i = 0; codes[i]; i++)
		if (strcmp(code, codes[i]) == 0)
			return true;
	return false;
}

enum err provider_google_grant(const struct provider_call *call, const char *refresh_token,
	struct provider_grant *grant_r, struct err_info *info)
{
	const bool account = provider_google_text(call->config, "service_account_json") != NULL;
	struct rest_reply reply;
	enum err err;

	err = google_sign_in(
		call, refresh_token, account ? google_scopes[0] : NULL, grant_r, &reply, info);
	if (!account || !google_refuses_scopes(&reply))
		return err;
	if (info)
		err_clear(info);
	return google_sign_in(call, NULL, google_scopes[1], grant_r, &reply, info);
}
