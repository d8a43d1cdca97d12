#include "provider_jitsi.h"

#include <ctype.h>
#include <errno.h>
#include <json-c/json.h>
#include <jwt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "id.h"
#include "instant.h"

enum { JITSI_MAX_KEY = 16 * 1024 };

/* JaaS application ids; their rooms lie under the id and their tokens have other claims. */
static bool jitsi_is_jaas(const struct conf *conf)
{
	return strncmp(conf->jitsi_app_id, "vpaas-magic-cookie-", 19) == 0;
}

static bool jitsi_has_tokens(const struct conf *conf)
{
	return conf->jitsi_app_id[0] && (conf->jitsi_secret[0] || conf->jitsi_private_key_file[0]);
}

static enum err jitsi_read_key(
	const struct conf *conf, char key_r[JITSI_MAX_KEY], size_t *len_r, struct err_info *info)
{
	FILE *file;

	if (conf->jitsi_secret[0]) {
		*len_r = (size_t)snprintf(key_r, JITSI_MAX_KEY, "%s", conf->jitsi_secret);
		return ERR_OK;
	}
	file = fopen(conf->jitsi_private_key_file, "re");
	if (!file)
		return err_set(info, ERR_CONFIG, "jitsi.private_key_file: %s.", strerror(errno));
	*len_r = fread(key_r, 1, JITSI_MAX_KEY - 1, file);
	key_r[*len_r] = '\0';
	fclose(file);
	return ERR_OK;
}

/* Signs the claims (a JSON object). The token lives in the arena. */
static enum err jitsi_sign(const struct conf *conf, struct arena *arena, const char *claims,
	const char **token_r, struct err_info *info)
{
	const jwt_alg_t algorithm = conf->jitsi_secret[0] ? JWT_ALG_HS256 : JWT_ALG_RS256;
	char key[JITSI_MAX_KEY], *token = NULL;
	jwt_t *jwt = NULL;
	enum err err;
	size_t len = 0;

	err = jitsi_read_key(conf, key, &len, info);
	if (err != ERR_OK)
		return err;
	if (jwt_new(&jwt) != 0 || jwt_add_grants_json(jwt, claims) != 0 ||
		(conf->jitsi_key_id[0] &&
			jwt_add_header(jwt, "kid",
				jitsi_is_jaas(conf) && !strchr(conf->jitsi_key_id, '/')
					? arena_printf(arena, "%s/%s", conf->jitsi_app_id,
						  conf->jitsi_key_id)
					: conf->jitsi_key_id) != 0) ||
		jwt_set_alg(jwt, algorithm, (unsigned char *)key, (int)len) != 0 ||
		(token = jwt_encode_str(jwt)) == NULL)
		err = err_set(info, ERR_CONFIG, "jitsi: the key cannot sign a token.");
	else
		*token_r = arena_strdup(arena, token);
	if (token)
		free(token);
	jwt_free(jwt);
	explicit_bzero(key, sizeof(key));
	return err;
}

static enum err jitsi_check_url(const char *url, struct err_info *info)
{
	const bool loopback = (strncmp(url, "http://127.0.0.1", 16) == 0 ||
				      strncmp(url, "http://localhost", 16) == 0) &&
			      strchr(":/", url[16]);

	if (strncmp(url, "https://", 8) != 0 && !loopback)
		return err_set(info, ERR_CONFIG,
			"jitsi.url must begin with https:// (http:// only for loopback).");
	if (url[strlen(url) - 1] == '/')
		return err_set(info, ERR_CONFIG, "jitsi.url must not end in a slash.");
	if (url[strcspn(url, " ?#@\"<>\\")])
		return err_set(
			info, ERR_CONFIG, "jitsi.url is a host and perhaps a path, nothing else.");
	return ERR_OK;
}

static enum err jitsi_check(const struct conf *conf, struct err_info *info)
{
	struct arena *arena;
	const char *token;
	enum err err;

	err = jitsi_check_url(conf->jitsi_url, info);
	if (err != ERR_OK)
		return err;
	if (conf->jitsi_secret[0] && conf->jitsi_private_key_file[0])
		return err_set(
			info, ERR_CONFIG, "jitsi: set secret or private_key_file, not both.");
	if (!conf->jitsi_app_id[0] && (conf->jitsi_secret[0] || conf->jitsi_private_key_file[0]))
		return err_set(info, ERR_CONFIG, "jitsi: a key needs an app_id too.");
	if (jitsi_is_jaas(conf) && (!conf->jitsi_private_key_file[0] || !conf->jitsi_key_id[0]))
		return err_set(info, ERR_CONFIG,
			"jitsi: an app_id of JaaS needs a private_key_file and a key_id.");
	if (!jitsi_has_tokens(conf))
		return ERR_OK;
	arena = arena_new();
	err = jitsi_sign(conf, arena, "{}", &token, info);
	arena_free(&arena);
	return err;
}

/* Jitsi lower-cases room names and strips punctuation: hex keeps all 128 bits. */
static enum err jitsi_room(struct arena *arena, const struct meeting *meeting, const char **room_r,
	struct err_info *info)
{
	unsigned char bytes[ID_BYTES];
	char hex[2 * ID_BYTES + 1];

	if (!meeting->provider_key || !id_decode(meeting->provider_key, bytes))
		return err_set(info, ERR_PERMANENT, "The meeting's room has no valid name.");
	hex_encode(bytes, sizeof(bytes), hex);
	*room_r = arena_printf(arena, "meetlink-%s", hex);
	return ERR_OK;
}

static void jitsi_warn(struct arena *arena, struct meeting_link *link, const char *detail)
{
	struct warning *warning = model_list_add(arena, &link->warnings, sizeof(struct warning));

	warning->code = "setting_not_granted";
	warning->detail = detail;
}

static enum err jitsi_create(const struct conf *conf, struct arena *arena,
	const struct request *request, struct meeting_link *link_r, struct err_info *info)
{
	const struct security *security = request->meeting->security;
	const char *room;
	enum err err = jitsi_room(arena, request->meeting, &room, info);

	if (err != ERR_OK)
		return err;
	link_r->url = jitsi_is_jaas(conf) ? arena_printf(arena, "%s/%s/%s", conf->jitsi_url,
						    conf->jitsi_app_id, room)
					  : arena_printf(arena, "%s/%s", conf->jitsi_url, room);
	/* A lobby or a password is switched on inside the room, never by its link. */
	if (security->waiting_room && !jitsi_has_tokens(conf))
		jitsi_warn(arena, link_r,
			"waiting_room: Jitsi cannot promise a waiting room; the first to enter "
			"can switch the lobby on.");
	if (security->passcode_required)
		jitsi_warn(arena, link_r,
			"passcode_required: Jitsi has no passcode in a link; the room's name "
			"cannot "
			"be guessed.");
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

static char *jitsi_claims(const struct conf *conf, struct arena *arena,
	const struct request *request, const char *room, enum party party, int64_t now)
{
	const struct person *person = request_person(request, party);
	const bool jaas = jitsi_is_jaas(conf), lawyer = party == PARTY_LAWYER;
	struct json_object *claims = json_object_new_object();
	struct json_object *context = json_object_new_object();
	struct json_object *user = json_object_new_object();
	char *text;

	/* Strings only: numbers and null break the clients. */
	json_object_object_add(user, "id", json_object_new_string(person->id));
	json_object_object_add(user, "name", json_object_new_string(person->name));
	json_object_object_add(user, "email", json_object_new_string(person->email));
	json_object_object_add(
		user, "moderator", json_object_new_string(lawyer ? "true" : "false"));
	json_object_object_add(
		user, "affiliation", json_object_new_string(lawyer ? "owner" : "member"));
	json_object_object_add(context, "user", user);
	json_object_object_add(claims, "context", context);
	json_object_object_add(claims, "aud", json_object_new_string("jitsi"));
	json_object_object_add(
		claims, "iss", json_object_new_string(jaas ? "chat" : conf->jitsi_app_id));
	json_object_object_add(claims, "sub",
		json_object_new_string(
			jaas ? conf->jitsi_app_id : jitsi_subject(arena, conf->jitsi_url)));
	json_object_object_add(claims, "room", json_object_new_string(room));
	json_object_object_add(
		claims, "nbf", json_object_new_int64((now - INSTANT_MINUTE) / INSTANT_SECOND));
	json_object_object_add(claims, "exp",
		json_object_new_int64(request->meeting->expires_at / INSTANT_SECOND));
	text = arena_strdup(arena, json_object_to_json_string_ext(claims, JSON_C_TO_STRING_PLAIN));
	json_object_put(claims);
	return text;
}

static enum err jitsi_personal_url(const struct conf *conf, struct arena *arena,
	const struct request *request, enum party party, int64_t now, const char **url_r,
	struct err_info *info)
{
	const char *url = request->meeting->provider_url, *room, *token;
	enum err err;

	if (!jitsi_has_tokens(conf)) {
		*url_r = url;
		return ERR_OK;
	}
	err = jitsi_room(arena, request->meeting, &room, info);
	if (err == ERR_OK)
		err = jitsi_sign(conf, arena, jitsi_claims(conf, arena, request, room, party, now),
			&token, info);
	if (err == ERR_OK)
		*url_r = arena_printf(arena, "%s?jwt=%s", url, token);
	return err;
}

const struct provider provider_jitsi = {
	.name = "jitsi",
	.title = "Jitsi Meet",
	.local = true,
	.check = jitsi_check,
	.create = jitsi_create,
	.personal_url = jitsi_personal_url,
};
