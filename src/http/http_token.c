#include "http_token.h"

#include <errno.h>
#include <json-c/json.h>
#include <jwt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "conf.h"
#include "id.h"
#include "json.h"
#include "utf8.h"
#include "xalloc.h"

enum {
	TOKEN_MAX_SIZE = 8 * 1024,
	TOKEN_MAX_KEY_FILE = 16 * 1024,
	TOKEN_MIN_SECRET = 32,
	TOKEN_MAX_SUB = 128,
	TOKEN_MAX_NAME = 200,
	TOKEN_MAX_EMAIL = 254,
	TOKEN_SKEW_S = 60,
	TOKEN_KNOWN = 256,
	TOKEN_KNOWN_TEXTS = 256,
	TOKEN_MAX_TTL_S = 10 * 365 * 24 * 3600,
};

struct http_token_rules {
	const char *algorithm_name;
	jwt_alg_t algorithm;
	char *key; /* the secret, or the PEM text of the public key */
	char *issuer, *audience;
};

/* The base64 of a PEM public key without its lines (RFC 7468), or NULL. */
static char *token_pem_body(struct arena *arena, const char *pem)
{
	static const char begin[] = "-----BEGIN PUBLIC KEY-----",
			  end[] = "-----END PUBLIC KEY-----";
	const char *from = strstr(pem, begin), *to = from ? strstr(from, end) : NULL;
	char *body;
	size_t used = 0;

	if (!to)
		return NULL;
	body = arena_alloc(arena, (size_t)(to - from));
	for (from += strlen(begin); from < to; from++)
		if (!strchr(" \t\r\n", *from))
			body[used++] = *from;
	return body;
}

/*
 * Whether a SubjectPublicKeyInfo (RFC 5280 section 4.1.2.7) is of the kind that the algorithm
 * needs, told by the DER bytes it begins with, in base64. RS256: rsaEncryption (RFC 3279), 2048
 * bits or more (RFC 7518 section 3.3). ES256: an uncompressed point of P-256 (RFC 5480).
 */
static bool token_key_fits(jwt_alg_t algorithm, const char *body)
{
	static const char rsa[] = "BgkqhkiG9w0BAQEFAAOC";
	static const char p256[] = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE";
	const size_t rsa_at = 8, rsa_2048_size = 388, p256_size = 124, len = strlen(body);

	if (algorithm == JWT_ALG_RS256)
		return len >= rsa_2048_size && strncmp(body, "MII", 3) == 0 &&
		       strncmp(body + rsa_at, rsa, strlen(rsa)) == 0;
	return len == p256_size && strncmp(body, p256, strlen(p256)) == 0;
}

static enum err token_key_load(
	struct http_token_rules *rules, const char *path, struct err_info *info)
{
	struct arena *arena = arena_new();
	FILE *file = fopen(path, "re");
	const char *body;
	enum err err = ERR_OK;
	size_t len;

	if (!file) {
		err = err_set(
			info, ERR_CONFIG, "jwt.public_key_file %s: %s.", path, strerror(errno));
		goto out;
	}
	rules->key = xcalloc(1, TOKEN_MAX_KEY_FILE + 1);
	len = fread(rules->key, 1, TOKEN_MAX_KEY_FILE, file);
	body = token_pem_body(arena, rules->key);
	if (len == TOKEN_MAX_KEY_FILE || !body || !token_key_fits(rules->algorithm, body))
		err = err_set(info, ERR_CONFIG,
			"jwt.public_key_file %s: %s needs a PEM public key (%s).", path,
			rules->algorithm_name,
			rules->algorithm == JWT_ALG_RS256 ? "RSA, 2048 bits or more" : "P-256");
out:
	if (file)
		fclose(file);
	arena_free(&arena);
	return err;
}

enum err http_token_rules_load(
	const struct conf *conf, struct http_token_rules **rules_r, struct err_info *info)
{
	static const struct {
		const char *name;
		jwt_alg_t algorithm;
	} known[] = {{"HS256", JWT_ALG_HS256}, {"RS256", JWT_ALG_RS256}, {"ES256", JWT_ALG_ES256}};
	struct http_token_rules *rules = xcalloc(1, sizeof(*rules));
	enum err err = ERR_OK;
	size_t i;

	rules->issuer = xstrdup(conf->jwt_issuer);
	rules->audience = xstrdup(conf->jwt_audience);
	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (strcmp(conf->jwt_algorithm, known[i].name) == 0) {
			rules->algorithm_name = known[i].name;
			rules->algorithm = known[i].algorithm;
		}
	}
	if (!rules->algorithm_name) {
		err = err_set(info, ERR_CONFIG, "jwt.algorithm must be HS256, RS256 or ES256.");
	} else if (!*rules->issuer || !*rules->audience) {
		err = err_set(info, ERR_CONFIG, "jwt.issuer and jwt.audience must not be empty.");
	} else if (rules->algorithm != JWT_ALG_HS256) {
		err = token_key_load(rules, conf->jwt_public_key_file, info);
	} else if (strlen(conf->jwt_secret) < TOKEN_MIN_SECRET) {
		err = err_set(info, ERR_CONFIG, "jwt.secret must have %d bytes or more.",
			TOKEN_MIN_SECRET);
	} else {
		rules->key = xstrdup(conf->jwt_secret);
	}
	if (err != ERR_OK)
		http_token_rules_free(&rules);
	*rules_r = rules;
	return err;
}

void http_token_rules_free(struct http_token_rules **rules)
{
	if (!*rules)
		return;
	free((*rules)->key);
	free((*rules)->issuer);
	free((*rules)->audience);
	free(*rules);
	*rules = NULL;
}

#define token_refuse(info, ...) err_set((info), ERR_UNAUTHENTICATED, __VA_ARGS__)

/* Strict base64url (RFC 7515 section 2): no padding, no stray bits at the end. NULL otherwise. */
static char *token_decode(struct arena *arena, const char *text, size_t len, size_t *len_r)
{
	char *bytes;

	*len_r = len * 3 / 4;
	bytes = arena_alloc(arena, *len_r + 1);
	return base64url_decode(arena_strndup(arena, text, len), bytes, *len_r) ? bytes : NULL;
}

/* One part of a token as a JSON object; NULL when it is none. */
static struct json_object *token_part(struct arena *arena, const char *text, size_t len)
{
	struct json_object *json;
	size_t bytes_len;
	const char *bytes = token_decode(arena, text, len, &bytes_len);

	if (!bytes || json_parse(arena, bytes, bytes_len, &json, NULL) != ERR_OK ||
		!json_object_is_type(json, json_type_object))
		return NULL;
	return json;
}

static bool token_text_is(struct json_object *json, const char *text)
{
	return json_object_is_type(json, json_type_string) &&
	       (size_t)json_object_get_string_len(json) == strlen(text) &&
	       strcmp(json_object_get_string(json), text) == 0;
}

/*
 * The header may only confirm what the configuration pins. `crit` names extensions that must be
 * understood (RFC 7515 section 4.1.11), and none is; `zip` would be an encryption's. Where the
 * header points for keys (jku, x5u, jwk, kid) is not looked at.
 */
static enum err token_check_header(
	const struct http_token_rules *rules, struct json_object *header, struct err_info *info)
{
	struct json_object *type;

	if (!token_text_is(json_object_object_get(header, "alg"), rules->algorithm_name))
		return token_refuse(info, "The token is signed with another algorithm.");
	if (json_object_object_get_ex(header, "crit", NULL) ||
		json_object_object_get_ex(header, "zip", NULL))
		return token_refuse(info, "The token needs an extension that is not known.");
	if (json_object_object_get_ex(header, "typ", &type) &&
		!(json_object_is_type(type, json_type_string) &&
			strcasecmp(json_object_get_string(type), "JWT") == 0))
		return token_refuse(info, "The token is of another type than JWT.");
	return ERR_OK;
}

/* libjwt 1.10 writes behind an allocation when a part is empty: callers have checked that. */
static enum err token_check_signature(
	const struct http_token_rules *rules, const char *token, struct err_info *info)
{
	jwt_t *jwt = NULL;

	if (jwt_decode(&jwt, token, (const unsigned char *)rules->key, (int)strlen(rules->key)))
		return token_refuse(info, "The token's signature is not valid.");
	jwt_free(jwt);
	return ERR_OK;
}

/* RFC 7519 section 4.1.3: one string, or several of which one is ours. */
static bool token_is_for(struct json_object *aud, const char *audience)
{
	size_t i;

	if (!json_object_is_type(aud, json_type_array))
		return token_text_is(aud, audience);
	for (i = 0; i < json_object_array_length(aud); i++)
		if (token_text_is(json_object_array_get_idx(aud, i), audience))
			return true;
	return false;
}

/* A NumericDate in seconds, which may have a fraction; false when it is not one. */
static bool token_time(struct json_object *claim, double *time_r)
{
	const double latest = 253402300799; /* the year 9999 */

	*time_r = json_object_get_double(claim);
	return (json_object_is_type(claim, json_type_int) ||
		       json_object_is_type(claim, json_type_double)) &&
	       *time_r >= 0 && *time_r <= latest;
}

/* When a token holds, in seconds. */
struct token_times {
	double from, until;
};

static enum err token_read_times(
	struct json_object *claims, struct token_times *times_r, struct err_info *info)
{
	static const char *const begins[] = {"nbf", "iat"};
	struct json_object *claim;
	double time;
	size_t i;

	*times_r = (struct token_times){0};
	if (!token_time(json_object_object_get(claims, "exp"), &times_r->until))
		return token_refuse(info, "The token does not say when it expires.");
	for (i = 0; i < sizeof(begins) / sizeof(begins[0]); i++) {
		if (!json_object_object_get_ex(claims, begins[i], &claim))
			continue;
		if (!token_time(claim, &time))
			return token_refuse(info, "The token is not valid yet.");
		if (time > times_r->from)
			times_r->from = time;
	}
	return ERR_OK;
}

static enum err token_check_times(
	const struct token_times *times, int64_t now, struct err_info *info)
{
	const double now_s = (double)now / 1000;

	if (times->until <= now_s)
		return token_refuse(info, "The token has expired.");
	if (times->from > now_s + TOKEN_SKEW_S)
		return token_refuse(info, "The token is not valid yet.");
	return ERR_OK;
}

/* A claim that may be absent: one line of 1 to `max` characters. */
static enum err token_line(struct arena *arena, struct json_object *claims, const char *name,
	size_t max, const char **line_r, struct err_info *info)
{
	struct json_object *claim = json_object_object_get(claims, name);
	const char *text = json_object_get_string(claim), *refusal;
	size_t count = 0;

	if (!claim)
		return ERR_OK;
	if (!json_object_is_type(claim, json_type_string) ||
		strlen(text) != (size_t)json_object_get_string_len(claim))
		return token_refuse(info, "The token's %s is not valid.", name);
	refusal = utf8_refusal(text, false);
	if (refusal)
		return token_refuse(info, "The token's %s %s.", name, refusal);
	utf8_valid(text, strlen(text), &count);
	if (count < 1 || count > max)
		return token_refuse(
			info, "The token's %s must have 1 to %zu characters.", name, max);
	*line_r = arena_strdup(arena, text);
	return ERR_OK;
}

static enum err token_read_caller(struct arena *arena, struct json_object *claims,
	struct actor *caller_r, struct err_info *info)
{
	struct actor caller = {0};
	enum role role;
	enum err err;

	err = token_line(arena, claims, "sub", TOKEN_MAX_SUB, &caller.id, info);
	if (err != ERR_OK)
		return err;
	if (!caller.id || !actor_id_valid(caller.id))
		return token_refuse(info,
			"The token's sub is missing, or not printable ASCII characters without "
			"spaces.");
	for (role = ROLE_CLIENT; role < ROLE_SYSTEM; role++)
		if (token_text_is(json_object_object_get(claims, "role"), role_names[role]))
			break;
	if (role == ROLE_SYSTEM)
		return token_refuse(info, "The token's role is missing or not known.");
	caller.role = role;
	err = token_line(arena, claims, "name", TOKEN_MAX_NAME, &caller.name, info);
	if (err == ERR_OK)
		err = token_line(arena, claims, "email", TOKEN_MAX_EMAIL, &caller.email, info);
	if (err == ERR_OK)
		*caller_r = caller;
	return err;
}

/* All that a token says, once its signature holds. Whether it does so now is another question. */
static enum err token_read(const struct http_token_rules *rules, struct arena *arena,
	const char *token, struct token_times *times_r, struct actor *caller_r,
	struct err_info *info)
{
	const size_t header_len = strcspn(token, ".");
	const char *payload = token + header_len + (token[header_len] == '.');
	const size_t payload_len = strcspn(payload, ".");
	const char *signature = payload + payload_len + (payload[payload_len] == '.');
	struct json_object *header, *claims;
	size_t len;
	enum err err;

	if (!header_len || !payload_len || !*signature ||
		!token_decode(arena, signature, strlen(signature), &len))
		return token_refuse(info, "The token is not a signed JWT.");
	header = token_part(arena, token, header_len);
	if (!header)
		return token_refuse(info, "The token's header cannot be read.");
	err = token_check_header(rules, header, info);
	if (err == ERR_OK)
		err = token_check_signature(rules, token, info);
	if (err != ERR_OK)
		return err;
	claims = token_part(arena, payload, payload_len);
	if (!claims)
		return token_refuse(info, "The token's claims cannot be read.");
	if (!token_text_is(json_object_object_get(claims, "iss"), rules->issuer))
		return token_refuse(info, "The token is from another issuer.");
	if (!token_is_for(json_object_object_get(claims, "aud"), rules->audience))
		return token_refuse(info, "The token is for another audience.");
	err = token_read_times(claims, times_r, info);
	if (err == ERR_OK)
		err = token_read_caller(arena, claims, caller_r, info);
	return err;
}

/*
 * What a thread has read of a token that it has seen to be valid: OpenSSL needs 0.3 ms to read a
 * public key, which libjwt asks of it each time. A token with longer texts is read each time.
 */
struct token_known {
	char hash[ID_SIZE]; /* of the token, and of the rules that it was read by */
	enum role role;
	struct token_times times;
	char texts[TOKEN_KNOWN_TEXTS]; /* id, name and address, each with a NUL; empty: none */
};

static struct token_known *token_slot(
	const struct http_token_rules *rules, const char *token, char hash_r[ID_SIZE])
{
	static _Thread_local struct token_known known[TOKEN_KNOWN];

	id_derive(hash_r, NULL, 0, rules->algorithm_name, rules->key, rules->issuer,
		rules->audience, token, NULL);
	return &known[((unsigned char)hash_r[0] * 64 + (unsigned char)hash_r[1]) % TOKEN_KNOWN];
}

static void token_remember(struct token_known *slot, const char *hash,
	const struct token_times *times, const struct actor *caller)
{
	const int len = snprintf(slot->texts, sizeof(slot->texts), "%s%c%s%c%s", caller->id, '\0',
		caller->name ? caller->name : "", '\0', caller->email ? caller->email : "");

	slot->hash[0] = '\0';
	if ((size_t)len >= sizeof(slot->texts))
		return;
	slot->role = caller->role;
	slot->times = *times;
	memcpy(slot->hash, hash, ID_SIZE);
}

static void token_recall(
	const struct token_known *slot, struct arena *arena, struct actor *caller_r)
{
	const char *name = slot->texts + strlen(slot->texts) + 1, *email = name + strlen(name) + 1;

	*caller_r = (struct actor){
		.role = slot->role,
		.id = arena_strdup(arena, slot->texts),
		.name = *name ? arena_strdup(arena, name) : NULL,
		.email = *email ? arena_strdup(arena, email) : NULL,
	};
}

static enum err token_verify(const struct http_token_rules *rules, struct arena *arena,
	const char *token, int64_t now, struct actor *caller_r, struct err_info *info)
{
	char hash[ID_SIZE];
	struct token_known *slot = token_slot(rules, token, hash);
	struct token_times times;
	struct actor caller;
	enum err err = ERR_OK;

	if (strcmp(slot->hash, hash) == 0) {
		times = slot->times;
		token_recall(slot, arena, &caller);
	} else {
		err = token_read(rules, arena, token, &times, &caller, info);
		if (err == ERR_OK)
			token_remember(slot, hash, &times, &caller);
	}
	if (err == ERR_OK)
		err = token_check_times(&times, now, info);
	if (err == ERR_OK)
		*caller_r = caller;
	return err;
}

enum err http_token_verify(const struct http_token_rules *rules, struct arena *arena,
	const char *authorization, int64_t now, struct actor *caller_r, struct err_info *info)
{
	static const char scheme[] = "Bearer ";

	if (!authorization)
		return token_refuse(info, "A bearer token is needed.");
	/* The name of a scheme has no case (RFC 9110 section 11.1). */
	if (strncasecmp(authorization, scheme, strlen(scheme)) != 0)
		return token_refuse(info, "The Authorization header must be: Bearer <token>.");
	if (strlen(authorization) - strlen(scheme) > TOKEN_MAX_SIZE)
		return token_refuse(info, "The token is too long.");
	return token_verify(rules, arena, authorization + strlen(scheme), now, caller_r, info);
}

enum err http_token_mint(const struct http_token_rules *rules, struct arena *arena,
	const struct actor *actor, int64_t now, int64_t ttl_s, char **token_r,
	struct err_info *info)
{
	const int64_t now_s = now / 1000;
	struct actor checked;
	struct err_info why;
	char *token;
	jwt_t *jwt;
	int failed;

	if (rules->algorithm != JWT_ALG_HS256)
		return err_set(info, ERR_CONFIG, "Tokens can only be made with HS256.");
	if (ttl_s > TOKEN_MAX_TTL_S)
		return err_set(info, ERR_INVALID, "A token may live for ten years at most.");
	if (jwt_new(&jwt) != 0)
		abort();
	failed = jwt_add_grant(jwt, "iss", rules->issuer);
	failed |= jwt_add_grant(jwt, "aud", rules->audience);
	failed |= jwt_add_grant(jwt, "sub", actor->id);
	failed |= jwt_add_grant(jwt, "role", role_names[actor->role]);
	failed |= actor->name && jwt_add_grant(jwt, "name", actor->name);
	failed |= actor->email && jwt_add_grant(jwt, "email", actor->email);
	failed |= jwt_add_grant_int(jwt, "iat", (long)now_s);
	failed |= jwt_add_grant_int(jwt, "exp", (long)(now_s + ttl_s));
	failed |= jwt_set_alg(
		jwt, rules->algorithm, (const unsigned char *)rules->key, (int)strlen(rules->key));
	token = failed ? NULL : jwt_encode_str(jwt);
	jwt_free(jwt);
	if (!token)
		return err_set(info, ERR_INVALID, "These claims cannot be put into a token.");
	*token_r = arena_strdup(arena, token);
	free(token);
	/* What would be refused is not handed out. */
	if (token_verify(rules, arena, *token_r, now, &checked, &why) != ERR_OK)
		return err_set(info, ERR_INVALID, "%s", why.detail);
	return ERR_OK;
}
