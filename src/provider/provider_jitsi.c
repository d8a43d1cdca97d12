#include "provider_jitsi.h"

#include <ctype.h>
#include <json-c/json.h>
#include <jwt.h>
#include <stdlib.h>
#include <string.h>

#include "id.h"
#include "instant.h"
#include "rest.h"

/* What an administrator has set; "" for what is not set. */
struct jitsi_settings {
	const char *base_url, *app_id, *secret, *private_key, *key_id;
};

static const char *jitsi_text(const struct config *config, const char *name)
{
	const char *text = config_text(config, "jitsi", name);

	return text ? text : "";
}

static struct jitsi_settings jitsi_settings(const struct conf *conf, const struct config *config)
{
	struct jitsi_settings settings = {
		.base_url = jitsi_text(config, "base_url"),
		.app_id = jitsi_text(config, "app_id"),
		.secret = jitsi_text(config, "secret"),
		.private_key = jitsi_text(config, "private_key"),
		.key_id = jitsi_text(config, "key_id"),
	};

	if (!settings.base_url[0])
		settings.base_url = conf->jitsi_url;
	return settings;
}

/* JaaS application ids; their rooms lie under the id and their tokens have other claims. */
static bool jitsi_is_jaas(const struct jitsi_settings *settings)
{
	return strncmp(settings->app_id, "vpaas-magic-cookie-", 19) == 0;
}

static bool jitsi_has_tokens(const struct jitsi_settings *settings)
{
	return settings->app_id[0] && (settings->secret[0] || settings->private_key[0]);
}

/* Signs the claims (a JSON object). The token is the caller's (free); NULL when the key cannot. */
static char *jitsi_sign(const struct jitsi_settings *settings, const char *kid, const char *claims)
{
	const bool shared = settings->secret[0];
	const char *key = shared ? settings->secret : settings->private_key;
	char *token = NULL;
	jwt_t *jwt = NULL;

	if (jwt_new(&jwt) == 0 && jwt_add_grants_json(jwt, claims) == 0 &&
		(!kid[0] || jwt_add_header(jwt, "kid", kid) == 0) &&
		jwt_set_alg(jwt, shared ? JWT_ALG_HS256 : JWT_ALG_RS256, (const unsigned char *)key,
			(int)strlen(key)) == 0)
		token = jwt_encode_str(jwt);
	jwt_free(jwt);
	return token;
}

static enum err jitsi_check_key(const struct jitsi_settings *settings, struct err_info *info)
{
	const bool keyed = settings->secret[0] || settings->private_key[0];
	char *token;

	if (settings->secret[0] && settings->private_key[0])
		return err_add_field(info, "/credentials/private_key",
			"Set either secret or private_key, not both.");
	if (keyed && !settings->app_id[0])
		return err_add_field(info, "/credentials/app_id", "A key needs its app_id too.");
	if (!keyed && settings->app_id[0] && !jitsi_is_jaas(settings))
		return err_add_field(info, "/credentials/app_id",
			"An app_id needs a secret or a private_key too.");
	if (!keyed)
		return ERR_OK;
	token = jitsi_sign(settings, "", "{}");
	if (!token)
		return err_add_field(info, "/credentials/private_key",
			"This key cannot sign: it must be an RSA private key in PEM form, without "
			"a passphrase.");
	free(token);
	return ERR_OK;
}

static enum err jitsi_check(
	const struct conf *conf, const struct config *config, struct err_info *info)
{
	const struct jitsi_settings settings = jitsi_settings(conf, config);
	enum err err = jitsi_check_key(&settings, info);

	if (!rest_url_valid(settings.base_url, 0))
		err = err_add_field(info, "/settings/base_url",
			"Must be https:// with a host and perhaps a path, such as "
			"https://meet.example.com, without a slash at the end "
			"(http:// only for loopback).");
	/* It becomes a part of the room's URL. */
	if (settings.app_id[strspn(settings.app_id, "abcdefghijklmnopqrstuvwxyz"
						    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")])
		err = err_add_field(info, "/credentials/app_id",
			"May have letters, digits, dots, hyphens and underscores only.");
	/* JaaS lets nobody in without a token of its own kind. */
	if (jitsi_is_jaas(&settings) && !settings.private_key[0])
		err = err_add_field(info, "/credentials/private_key",
			"An app_id of JaaS (8x8.vc) needs the private_key of its API key.");
	if (jitsi_is_jaas(&settings) && !settings.key_id[0])
		err = err_add_field(info, "/credentials/key_id",
			"An app_id of JaaS (8x8.vc) needs the key_id of its API key.");
	return err;
}

/* Jitsi lower-cases room names and strips punctuation: hex keeps all 128 bits. */
static enum err jitsi_room(struct arena *arena, const struct provider_plan *plan,
	const char **room_r, struct err_info *info)
{
	unsigned char bytes[ID_BYTES];
	char hex[2 * ID_BYTES + 1];

	if (!plan->provider_key || !id_decode(plan->provider_key, bytes))
		return err_set(info, ERR_PERMANENT, "The meeting's room has no valid name.");
	hex_encode(bytes, sizeof(bytes), hex);
	*room_r = arena_printf(arena, "meetlink-%s", hex);
	return ERR_OK;
}

/* A lobby or a password is switched on inside the room, never by its link. */
static void jitsi_warn(struct arena *arena, const struct jitsi_settings *settings,
	const struct security *security, struct meeting_link *link)
{
	if (security->waiting_room && !jitsi_has_tokens(settings))
		provider_warn(arena, link, "waiting_room",
			"Jitsi cannot promise a waiting room; the first to enter "
			"can switch the lobby on.");
	else if (!security->join_before_host && !jitsi_has_tokens(settings))
		provider_warn(arena, link, "join_before_host",
			"Without a waiting room Jitsi lets people in before the host.");
	if (security->mute_on_entry)
		provider_warn(arena, link, "mute_on_entry",
			"Jitsi leaves the microphone to each person.");
	if (security->host_video)
		provider_warn(arena, link, "host_video", "Jitsi leaves the camera to each person.");
	if (security->passcode_required)
		provider_warn(arena, link, "passcode_required",
			"Jitsi has no passcode in a link; the room's name "
			"cannot be guessed.");
}

/* The room's name says all there is: `repeated` is of no interest. */
static enum err jitsi_create(const struct provider_call *call, const struct provider_plan *plan,
	bool repeated, struct meeting_link *link_r, struct err_info *info)
{
	const struct jitsi_settings settings = jitsi_settings(call->conf, call->config);
	const char *room;
	enum err err = jitsi_room(call->arena, plan, &room, info);

	(void)repeated;
	if (err != ERR_OK)
		return err;
	link_r->url = jitsi_is_jaas(&settings)
			      ? arena_printf(call->arena, "%s/%s/%s", settings.base_url,
					settings.app_id, room)
			      : arena_printf(call->arena, "%s/%s", settings.base_url, room);
	jitsi_warn(call->arena, &settings, plan->security, link_r);
	return ERR_OK;
}

/* `sub` of a self-hosted server's tokens, in lower case: the tenant, when the base URL has one as
 * its path, or else the host without its port. */
static char *jitsi_subject(struct arena *arena, const char *url)
{
	const char *host = strstr(url, "://") + 3, *path = strchr(host, '/');
	char *subject, *c;

	subject = path ? arena_strdup(arena, path + 1)
		       : arena_strndup(arena, host, strcspn(host, ":"));
	for (c = subject; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	return subject;
}

static struct json_object *jitsi_user(const struct person *person, bool moderator)
{
	struct json_object *user = json_object_new_object();

	/* Strings only: numbers and null break the clients. */
	json_object_object_add(user, "id", json_object_new_string(person->id));
	json_object_object_add(user, "name", json_object_new_string(person->name));
	json_object_object_add(user, "email", json_object_new_string(person->email));
	json_object_object_add(
		user, "moderator", json_object_new_string(moderator ? "true" : "false"));
	json_object_object_add(
		user, "affiliation", json_object_new_string(moderator ? "owner" : "member"));
	return user;
}

static char *jitsi_claims(const struct provider_call *call, const struct jitsi_settings *settings,
	const struct provider_plan *plan, const char *room, enum party party)
{
	const bool jaas = jitsi_is_jaas(settings);
	struct json_object *claims = json_object_new_object();
	struct json_object *context = json_object_new_object();
	char *text;

	json_object_object_add(
		context, "user", jitsi_user(plan->people[party], party == PARTY_LAWYER));
	json_object_object_add(claims, "context", context);
	json_object_object_add(claims, "aud", json_object_new_string("jitsi"));
	json_object_object_add(
		claims, "iss", json_object_new_string(jaas ? "chat" : settings->app_id));
	json_object_object_add(claims, "sub",
		json_object_new_string(
			jaas ? settings->app_id : jitsi_subject(call->arena, settings->base_url)));
	json_object_object_add(claims, "room", json_object_new_string(room));
	json_object_object_add(claims, "nbf",
		json_object_new_int64((call->now - INSTANT_MINUTE) / INSTANT_SECOND));
	json_object_object_add(
		claims, "exp", json_object_new_int64(plan->expires_at / INSTANT_SECOND));
	text = arena_strdup(
		call->arena, json_object_to_json_string_ext(claims, JSON_C_TO_STRING_PLAIN));
	json_object_put(claims);
	return text;
}

/* A token is for the server whose key signs it: one that the room was made on before is no business
 * of it, and would learn who the person is. */
static bool jitsi_is_there(const struct jitsi_settings *settings, const char *url)
{
	const size_t len = strlen(settings->base_url);

	return strncmp(url, settings->base_url, len) == 0 && url[len] == '/';
}

static enum err jitsi_personal_url(const struct provider_call *call,
	const struct provider_plan *plan, enum party party, const char **url_r,
	struct err_info *info)
{
	const struct jitsi_settings settings = jitsi_settings(call->conf, call->config);
	const char *url = plan->url, *kid = settings.key_id, *room;
	char *token;
	enum err err;

	if (!jitsi_has_tokens(&settings) || !jitsi_is_there(&settings, url)) {
		*url_r = url;
		return ERR_OK;
	}
	err = jitsi_room(call->arena, plan, &room, info);
	if (err != ERR_OK)
		return err;
	if (jitsi_is_jaas(&settings) && !strchr(kid, '/'))
		kid = arena_printf(call->arena, "%s/%s", settings.app_id, kid);
	token = jitsi_sign(&settings, kid, jitsi_claims(call, &settings, plan, room, party));
	if (!token)
		return err_set(info, ERR_CREDENTIAL,
			"The key that is set for Jitsi cannot sign a person's link.");
	*url_r = arena_printf(call->arena, "%s?jwt=%s", url, token);
	free(token);
	return ERR_OK;
}

static const struct provider_field jitsi_fields[] = {
	{.name = "base_url", .help = "base of the rooms' links, such as https://meet.example.com"},
	{.name = "app_id",
		.secret = true,
		.help = "application id, when the server asks for tokens; that of JaaS begins "
			"with vpaas-magic-cookie-"},
	{.name = "secret", .secret = true, .help = "shared with the server (HS256)"},
	{.name = "private_key",
		.secret = true,
		.multi_line = true,
		.help = "instead of secret: RSA private key, PEM (RS256, JaaS)"},
	{.name = "key_id",
		.secret = true,
		.help = "which key of the server's, or of JaaS, that is"},
	{.name = NULL},
};

static const char *const jitsi_capabilities[] = {"personal_link", "update", NULL};

const struct provider provider_jitsi = {
	.name = "jitsi",
	.title = "Jitsi Meet",
	.local = true,
	.fields = jitsi_fields,
	.endpoints = {PROVIDER_ENDPOINT(jitsi, url)},
	.capabilities = jitsi_capabilities,
	.check = jitsi_check,
	.create = jitsi_create,
	.personal_url = jitsi_personal_url,
};
