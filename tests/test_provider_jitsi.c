#include <json-c/json.h>
#include <jwt.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdio.h>

#include "id.h"
#include "provider.h"
#include "provider_jitsi.h"
#include "unit.h"

static const char app_secret[] = "0123456789abcdef0123456789abcdef";
static const int64_t now = INT64_C(1900000000) * 1000;

/* Made for each run: a private RSA key in a file, its public half, and a key that is not RSA. */
static char rsa_path[UNIT_PATH_SIZE], ec_path[UNIT_PATH_SIZE];
static char *rsa_public;

static void make_key(EVP_PKEY *key, char path_r[UNIT_PATH_SIZE], char **public_r)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *pem;
	long len;

	PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL);
	len = BIO_get_mem_data(bio, &pem);
	unit_file(path_r, pem, (size_t)len);
	if (public_r) {
		BIO_reset(bio);
		PEM_write_bio_PUBKEY(bio, key);
		len = BIO_get_mem_data(bio, &pem);
		*public_r = strndup(pem, (size_t)len);
	}
	BIO_free(bio);
	EVP_PKEY_free(key);
}

struct jitsi_settings {
	const char *url, *app_id, *secret, *private_key_file, *key_id;
};

static char *setting(struct arena *arena, const char *value, const char *preset)
{
	return arena_strdup(arena, value ? value : preset);
}

static struct conf conf_of(struct arena *arena, const struct jitsi_settings *settings)
{
	return (struct conf){
		.jitsi_url = setting(arena, settings->url, "https://meet.example.com"),
		.jitsi_app_id = setting(arena, settings->app_id, ""),
		.jitsi_secret = setting(arena, settings->secret, ""),
		.jitsi_private_key_file = setting(arena, settings->private_key_file, ""),
		.jitsi_key_id = setting(arena, settings->key_id, ""),
	};
}

struct fixture {
	struct person client, lawyer;
	struct security security;
	struct meeting meeting;
	struct request request;
};

static void fixture_init(struct fixture *fixture, const char *provider_key)
{
	*fixture = (struct fixture){
		.client = {.id = "c-1",
			.name = "Cl\xc3\xa4re \"C\" O'Neil",
			.email = "c@example.com"},
		.lawyer = {.id = "l-1", .name = "Lex", .email = "l@example.com"},
		.meeting = {.provider_key = provider_key,
			.provider_url = "https://meet.example.com/room",
			.expires_at = now + 3600 * 1000 + 999},
	};
	fixture->meeting.security = &fixture->security;
	fixture->request.client = &fixture->client;
	fixture->request.lawyer = &fixture->lawyer;
	fixture->request.meeting = &fixture->meeting;
}

/* The URL that `create` gives. */
static const char *create(const struct conf *conf, struct arena *arena, const char *provider_key)
{
	struct meeting_link link = {0};
	struct err_info info = {0};
	struct fixture fixture;

	fixture_init(&fixture, provider_key);
	if (provider_jitsi.create(conf, arena, &fixture.request, &link, &info) != ERR_OK)
		return "";
	return link.url;
}

static void test_table(void)
{
	size_t i, j;

	CU_ASSERT_PTR_EQUAL(provider_find("jitsi"), &provider_jitsi);
	CU_ASSERT_PTR_NULL(provider_find("Jitsi"));
	CU_ASSERT_PTR_NULL(provider_find("jits"));
	CU_ASSERT_PTR_NULL(provider_find(""));
	for (i = 0; provider_table[i]; i++) {
		CU_ASSERT(provider_table[i]->name && provider_table[i]->title);
		CU_ASSERT_PTR_NOT_NULL(provider_table[i]->create);
		for (j = 0; j < i; j++)
			CU_ASSERT_STRING_NOT_EQUAL(
				provider_table[i]->name, provider_table[j]->name);
	}
}

static void test_rooms(void)
{
	enum { COUNT = 500 };
	struct arena *arena = arena_new();
	struct conf conf = conf_of(arena, &(struct jitsi_settings){0});
	const char *urls[COUNT], *room;
	char key[ID_SIZE];
	int i, j;

	for (i = 0; i < COUNT; i++) {
		id_random(key);
		urls[i] = create(&conf, arena, arena_strdup(arena, key));
		CU_ASSERT_EQUAL(strncmp(urls[i], "https://meet.example.com/", 25), 0);
		room = urls[i] + 25;
		CU_ASSERT_EQUAL(
			strspn(room, "abcdefghijklmnopqrstuvwxyz0123456789-"), strlen(room));
		for (j = 0; j < i; j++)
			CU_ASSERT_STRING_NOT_EQUAL(urls[i], urls[j]);
		/* Safe to repeat: the same key names the same room. */
		CU_ASSERT_STRING_EQUAL(urls[i], create(&conf, arena, key));
	}
	arena_free(&arena);
}

/* Each of the 128 bits of the key changes the room, in lower case too. */
static void test_room_has_128_bits(void)
{
	struct arena *arena = arena_new();
	struct conf conf = conf_of(arena, &(struct jitsi_settings){0});
	unsigned char bytes[ID_BYTES];
	const char *rooms[8 * ID_BYTES + 1];
	char key[ID_SIZE];
	int i, j;

	for (i = 0; i <= 8 * ID_BYTES; i++) {
		memset(bytes, 0x5a, sizeof(bytes));
		if (i < 8 * ID_BYTES)
			bytes[i / 8] = (unsigned char)(bytes[i / 8] ^ 1 << i % 8);
		id_encode(bytes, key);
		rooms[i] = create(&conf, arena, key);
		for (j = 0; j < i; j++)
			CU_ASSERT_NOT_EQUAL(strcasecmp(rooms[i], rooms[j]), 0);
	}
	arena_free(&arena);
}

static void test_urls(void)
{
	static const struct {
		const char *name;
		struct jitsi_settings settings;
		const char *url;
	} rows[] = {
		{"self-hosted", {.url = "https://meet.example.com"},
			"https://meet.example.com/meetlink-00000000000000000000000000000000"},
		{"with a port", {.url = "https://meet.example.com:8443"},
			"https://meet.example.com:8443/meetlink-00000000000000000000000000000000"},
		{"with a tenant", {.url = "https://meet.example.com/acme"},
			"https://meet.example.com/acme/meetlink-00000000000000000000000000000000"},
		{"with tokens", {.app_id = "my-app", .secret = app_secret},
			"https://meet.example.com/meetlink-00000000000000000000000000000000"},
		{"JaaS", {.url = "https://8x8.vc", .app_id = "vpaas-magic-cookie-1fc"},
			"https://8x8.vc/vpaas-magic-cookie-1fc/"
			"meetlink-00000000000000000000000000000000"},
	};
	struct arena *arena = arena_new();
	struct conf conf;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		conf = conf_of(arena, &rows[i].settings);
		UNIT_CHECK(strcmp(create(&conf, arena, "AAAAAAAAAAAAAAAAAAAAAA"), rows[i].url) == 0,
			rows[i].name);
	}
	arena_free(&arena);
}

/* A key that the database gives back broken must not lead anybody into a room of chance. */
static void test_broken_key(void)
{
	static const char *const keys[] = {"", "x", "AAAAAAAAAAAAAAAAAAAAAB",
		"AAAAAAAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAAAAAA", "AAAAAAAAAA/AAAAAAAAAAA"};
	struct arena *arena = arena_new();
	struct conf conf =
		conf_of(arena, &(struct jitsi_settings){.app_id = "a", .secret = app_secret});
	struct meeting_link link = {0};
	struct err_info info = {0};
	struct fixture fixture;
	const char *url = NULL;
	size_t i;

	for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		fixture_init(&fixture, keys[i]);
		UNIT_CHECK(provider_jitsi.create(&conf, arena, &fixture.request, &link, &info) ==
				   ERR_PERMANENT,
			keys[i]);
		UNIT_CHECK(provider_jitsi.personal_url(&conf, arena, &fixture.request, PARTY_LAWYER,
				   now, &url, &info) == ERR_PERMANENT,
			keys[i]);
	}
	CU_ASSERT(!link.url && !url);
	arena_free(&arena);
}

static void test_warnings(void)
{
	static const struct {
		const char *name;
		struct security security;
		struct jitsi_settings settings;
		const char *words[2]; /* how each warning begins */
	} rows[] = {
		{"nothing asked for", {0}, {0}, {NULL}},
		{"waiting room", {.waiting_room = true}, {0}, {"waiting_room:"}},
		{"waiting room, with tokens", {.waiting_room = true},
			{.app_id = "a", .secret = app_secret}, {NULL}},
		{"passcode", {.passcode_required = true}, {0}, {"passcode_required:"}},
		{"both", {.waiting_room = true, .passcode_required = true}, {0},
			{"waiting_room:", "passcode_required:"}},
	};
	struct arena *arena = arena_new();
	struct meeting_link link;
	struct err_info info = {0};
	struct fixture fixture;
	struct conf conf;
	size_t i, count;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		conf = conf_of(arena, &rows[i].settings);
		fixture_init(&fixture, "AAAAAAAAAAAAAAAAAAAAAA");
		fixture.security = rows[i].security;
		link = (struct meeting_link){0};
		UNIT_CHECK(provider_jitsi.create(&conf, arena, &fixture.request, &link, &info) ==
				   ERR_OK,
			rows[i].name);
		count = 0;
		MODEL_FOREACH (&link.warnings, struct warning, warning) {
			UNIT_CHECK(strcmp(warning->code, "setting_not_granted") == 0, rows[i].name);
			UNIT_CHECK(count < 2 && rows[i].words[count] &&
					   strncmp(warning->detail, rows[i].words[count],
						   strlen(rows[i].words[count])) == 0,
				rows[i].name);
			count++;
		}
		UNIT_CHECK(count == 2 || !rows[i].words[count], rows[i].name);
		UNIT_CHECK(!link.passcode && link.dial_in.count == 0, rows[i].name);
	}
	arena_free(&arena);
}

static void test_without_tokens(void)
{
	struct arena *arena = arena_new();
	struct conf conf = conf_of(arena, &(struct jitsi_settings){0});
	struct err_info info = {0};
	struct fixture fixture;
	const char *url;

	fixture_init(&fixture, "AAAAAAAAAAAAAAAAAAAAAA");
	CU_ASSERT_EQUAL(provider_jitsi.personal_url(
				&conf, arena, &fixture.request, PARTY_LAWYER, now, &url, &info),
		ERR_OK);
	CU_ASSERT_STRING_EQUAL(url, "https://meet.example.com/room");
	arena_free(&arena);
}

/* The claims of a token, checked by libjwt against the key; NULL when it does not hold. */
static jwt_t *verified(const char *url, const char *key, jwt_alg_t algorithm)
{
	const char *token = strstr(url, "?jwt=");
	jwt_t *jwt = NULL;

	if (!token || strncmp(url, "https://meet.example.com/room?jwt=", 34) != 0 ||
		jwt_decode(&jwt, token + 5, (const unsigned char *)key, (int)strlen(key)) != 0)
		return NULL;
	if (jwt_get_alg(jwt) != algorithm) {
		jwt_free(jwt);
		return NULL;
	}
	return jwt;
}

static const char *text_of(struct json_object *json, const char *name)
{
	struct json_object *value = json_object_object_get(json, name);

	return json_object_is_type(value, json_type_string) ? json_object_get_string(value) : "";
}

struct token_case {
	const char *name;
	struct jitsi_settings settings;
	jwt_alg_t algorithm;
	const char *iss, *sub, *kid; /* kid NULL: none */
};

static void check_token(const struct token_case *row, enum party party)
{
	const bool lawyer = party == PARTY_LAWYER;
	struct arena *arena = arena_new();
	struct conf conf = conf_of(arena, &row->settings);
	struct err_info info = {0};
	struct json_object *context, *user;
	struct fixture fixture;
	const char *url = "";
	const char *kid;
	char *text;
	jwt_t *jwt;

	fixture_init(&fixture, "AAAAAAAAAAAAAAAAAAAAAA");
	UNIT_CHECK(provider_jitsi.personal_url(
			   &conf, arena, &fixture.request, party, now, &url, &info) == ERR_OK,
		row->name);
	jwt = verified(
		url, row->algorithm == JWT_ALG_HS256 ? app_secret : rsa_public, row->algorithm);
	CU_ASSERT_PTR_NOT_NULL_FATAL(jwt);
	UNIT_CHECK(strcmp(jwt_get_header(jwt, "typ"), "JWT") == 0, row->name);
	kid = jwt_get_header(jwt, "kid");
	UNIT_CHECK(kid && row->kid ? strcmp(kid, row->kid) == 0 : !kid && !row->kid, row->name);
	UNIT_CHECK(strcmp(jwt_get_grant(jwt, "aud"), "jitsi") == 0, row->name);
	UNIT_CHECK(strcmp(jwt_get_grant(jwt, "iss"), row->iss) == 0, row->name);
	UNIT_CHECK(strcmp(jwt_get_grant(jwt, "sub"), row->sub) == 0, row->name);
	/* This room and no other: never `*`. */
	UNIT_CHECK(strcmp(jwt_get_grant(jwt, "room"),
			   "meetlink-00000000000000000000000000000000") == 0,
		row->name);
	UNIT_CHECK(jwt_get_grant_int(jwt, "nbf") == 1900000000 - 60, row->name);
	UNIT_CHECK(jwt_get_grant_int(jwt, "exp") == 1900000000 + 3600, row->name);

	text = jwt_get_grants_json(jwt, "context");
	context = json_tokener_parse(text);
	user = json_object_object_get(context, "user");
	UNIT_CHECK(strcmp(text_of(user, "id"), lawyer ? "l-1" : "c-1") == 0, row->name);
	UNIT_CHECK(strcmp(text_of(user, "name"), lawyer ? "Lex" : "Cl\xc3\xa4re \"C\" O'Neil") == 0,
		row->name);
	UNIT_CHECK(strcmp(text_of(user, "email"), lawyer ? "l@example.com" : "c@example.com") == 0,
		row->name);
	UNIT_CHECK(strcmp(text_of(user, "moderator"), lawyer ? "true" : "false") == 0, row->name);
	UNIT_CHECK(
		strcmp(text_of(user, "affiliation"), lawyer ? "owner" : "member") == 0, row->name);
	json_object_put(context);
	free(text);
	jwt_free(jwt);

	/* Another key does not verify it. */
	UNIT_CHECK(!verified(url, "another secret of some length...", JWT_ALG_HS256), row->name);
	arena_free(&arena);
}

static void test_tokens(void)
{
	const struct token_case rows[] = {
		{"HS256", {.app_id = "my-app", .secret = app_secret}, JWT_ALG_HS256, "my-app",
			"meet.example.com", NULL},
		{"HS256, host in capitals with a port",
			{.url = "https://Meet.Example.COM:8443",
				.app_id = "my-app",
				.secret = app_secret,
				.key_id = "k1"},
			JWT_ALG_HS256, "my-app", "meet.example.com", "k1"},
		/* lib-jitsi-meet doc/tokens.md: `sub` is the tenant for a room like /Acme/room. */
		{"HS256, with a tenant",
			{.url = "https://meet.example.com/Acme",
				.app_id = "my-app",
				.secret = app_secret},
			JWT_ALG_HS256, "my-app", "acme", NULL},
		{"RS256", {.app_id = "my-app", .private_key_file = rsa_path, .key_id = "k1"},
			JWT_ALG_RS256, "my-app", "meet.example.com", "k1"},
		{"JaaS",
			{.url = "https://8x8.vc",
				.app_id = "vpaas-magic-cookie-1fc",
				.private_key_file = rsa_path,
				.key_id = "4f"},
			JWT_ALG_RS256, "chat", "vpaas-magic-cookie-1fc",
			"vpaas-magic-cookie-1fc/4f"},
		{"JaaS, whole key id",
			{.url = "https://8x8.vc",
				.app_id = "vpaas-magic-cookie-1fc",
				.private_key_file = rsa_path,
				.key_id = "vpaas-magic-cookie-1fc/4f"},
			JWT_ALG_RS256, "chat", "vpaas-magic-cookie-1fc",
			"vpaas-magic-cookie-1fc/4f"},
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		check_token(&rows[i], PARTY_LAWYER);
		check_token(&rows[i], PARTY_CLIENT);
	}
}

static void test_check(void)
{
	const struct {
		const char *name;
		struct jitsi_settings settings;
		const char *words; /* the message; NULL: the settings can be used */
	} rows[] = {
		{"an open server", {0}, NULL},
		{"loopback", {.url = "http://127.0.0.1:8443"}, NULL},
		{"loopback by name", {.url = "http://localhost/tenant"}, NULL},
		{"HS256", {.app_id = "a", .secret = app_secret}, NULL},
		{"RS256", {.app_id = "a", .private_key_file = rsa_path}, NULL},
		{"JaaS",
			{.app_id = "vpaas-magic-cookie-1",
				.private_key_file = rsa_path,
				.key_id = "k"},
			NULL},
		{"empty URL", {.url = ""}, "jitsi.url must begin with https://"},
		{"no scheme", {.url = "meet.example.com"}, "jitsi.url must begin with https://"},
		{"plain http", {.url = "http://meet.example.com"},
			"jitsi.url must begin with https://"},
		{"a name that begins like loopback", {.url = "http://localhost.example.com"},
			"jitsi.url must begin with https://"},
		{"an address that begins like loopback", {.url = "http://127.0.0.100"},
			"jitsi.url must begin with https://"},
		{"a user called localhost", {.url = "http://localhost:x@meet.example.com"},
			"jitsi.url is a host"},
		{"other scheme", {.url = "javascript:alert(1)"},
			"jitsi.url must begin with https://"},
		{"only the scheme", {.url = "https://"}, "jitsi.url must not end in a slash."},
		{"slash at the end", {.url = "https://meet.example.com/"},
			"jitsi.url must not end in a slash."},
		{"query", {.url = "https://meet.example.com?a=b"}, "jitsi.url is a host"},
		{"fragment", {.url = "https://meet.example.com#a"}, "jitsi.url is a host"},
		{"space", {.url = "https://meet.example.com /a"}, "jitsi.url is a host"},
		{"quote", {.url = "https://meet.example.com/\"a"}, "jitsi.url is a host"},
		{"two keys", {.app_id = "a", .secret = "s", .private_key_file = rsa_path},
			"jitsi: set secret or private_key_file, not both."},
		{"secret without app_id", {.secret = "s"}, "jitsi: a key needs an app_id too."},
		{"key without app_id", {.private_key_file = rsa_path},
			"jitsi: a key needs an app_id too."},
		{"no such file", {.app_id = "a", .private_key_file = "/nonexistent/key.pem"},
			"jitsi.private_key_file: No such file or directory."},
		{"a folder", {.app_id = "a", .private_key_file = "/tmp"},
			"jitsi: the key cannot sign a token."},
		{"not a key", {.app_id = "a", .private_key_file = "/etc/passwd"},
			"jitsi: the key cannot sign a token."},
		{"not RSA", {.app_id = "a", .private_key_file = ec_path},
			"jitsi: the key cannot sign a token."},
		/* JaaS lets nobody in without a token of its own kind. */
		{"JaaS without a key", {.app_id = "vpaas-magic-cookie-1"},
			"jitsi: an app_id of JaaS needs a private_key_file and a key_id."},
		{"JaaS with a secret", {.app_id = "vpaas-magic-cookie-1", .secret = app_secret},
			"jitsi: an app_id of JaaS needs a private_key_file and a key_id."},
		{"JaaS without key_id",
			{.app_id = "vpaas-magic-cookie-1", .private_key_file = rsa_path},
			"jitsi: an app_id of JaaS needs a private_key_file and a key_id."},
	};
	struct arena *arena = arena_new();
	struct err_info info;
	struct conf conf;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		err_clear(&info);
		conf = conf_of(arena, &rows[i].settings);
		UNIT_CHECK(
			provider_jitsi.check(&conf, &info) == (rows[i].words ? ERR_CONFIG : ERR_OK),
			rows[i].name);
		UNIT_CHECK(strncmp(info.detail, rows[i].words ? rows[i].words : "",
				   rows[i].words ? strlen(rows[i].words) : 1) == 0,
			rows[i].name);
	}
	arena_free(&arena);
}

/* The key may go after the program has started; no URL without a token then. */
static void test_key_that_went(void)
{
	struct arena *arena = arena_new();
	struct conf conf = conf_of(arena, &(struct jitsi_settings){.app_id = "a",
						  .private_key_file = "/nonexistent/key.pem"});
	struct err_info info = {0};
	struct fixture fixture;
	const char *url = NULL;

	fixture_init(&fixture, "AAAAAAAAAAAAAAAAAAAAAA");
	CU_ASSERT_EQUAL(provider_jitsi.personal_url(
				&conf, arena, &fixture.request, PARTY_CLIENT, now, &url, &info),
		ERR_CONFIG);
	CU_ASSERT_PTR_NULL(url);
	arena_free(&arena);
}

static const struct unit_case cases[] = {
	{"the provider table", test_table},
	{"rooms are unique and safe to repeat", test_rooms},
	{"rooms have 128 bits", test_room_has_128_bits},
	{"forms of the URL", test_urls},
	{"a broken key", test_broken_key},
	{"warnings", test_warnings},
	{"no token without a key", test_without_tokens},
	{"tokens for each person", test_tokens},
	{"settings", test_check},
	{"a key that went away", test_key_that_went},
};

int main(void)
{
	int status;

	make_key(EVP_RSA_gen(2048), rsa_path, &rsa_public);
	make_key(EVP_EC_gen("P-256"), ec_path, NULL);
	status = unit_run("provider_jitsi", cases, sizeof(cases) / sizeof(cases[0]));
	unlink(rsa_path);
	unlink(ec_path);
	free(rsa_public);
	return status;
}
