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

/* Made for each run: a private RSA key, its public half, and a key that is not RSA. */
static char *rsa_private, *rsa_public, *ec_private;

static char *pem_of(EVP_PKEY *key, bool private_half)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *bytes, *pem;
	long len;

	if (private_half)
		PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL);
	else
		PEM_write_bio_PUBKEY(bio, key);
	len = BIO_get_mem_data(bio, &bytes);
	pem = strndup(bytes, (size_t)len);
	BIO_free(bio);
	return pem;
}

struct jitsi_settings {
	const char *url, *app_id, *secret, *private_key, *key_id;
};

/* A call with these settings; what is NULL is not set. */
struct bench {
	struct arena *arena;
	struct conf conf;
	struct config config;
	struct provider_call call;
};

static void bench_set(
	struct bench *bench, struct model_list *map, const char *name, const char *value)
{
	if (value)
		config_set_text(bench->arena, map, "jitsi", name, value);
}

static void bench_init(struct bench *bench, const struct jitsi_settings *settings)
{
	static char preset[] = "https://meet.example.com";

	*bench = (struct bench){.arena = arena_new(), .conf = {.jitsi_url = preset}};
	bench_set(bench, &bench->config.settings, "base_url", settings->url);
	bench_set(bench, &bench->config.credentials, "app_id", settings->app_id);
	bench_set(bench, &bench->config.credentials, "secret", settings->secret);
	bench_set(bench, &bench->config.credentials, "private_key", settings->private_key);
	bench_set(bench, &bench->config.credentials, "key_id", settings->key_id);
	bench->call = (struct provider_call){
		.arena = bench->arena,
		.conf = &bench->conf,
		.config = &bench->config,
		.provider = &provider_jitsi,
		.now = now,
	};
}

static void bench_fini(struct bench *bench)
{
	arena_free(&bench->arena);
}

struct fixture {
	struct person client, lawyer;
	struct security security;
	struct meeting meeting;
	struct request request;
	struct provider_plan plan;
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
	fixture->request.side[PARTY_CLIENT].person = &fixture->client;
	fixture->request.side[PARTY_LAWYER].person = &fixture->lawyer;
	fixture->request.meeting = &fixture->meeting;
	fixture->plan = provider_plan(&fixture->request);
}

/* The URL that `create` gives. */
static const char *create(struct bench *bench, const char *provider_key)
{
	struct meeting_link link = {0};
	struct err_info info = {0};
	struct fixture fixture;

	fixture_init(&fixture, provider_key);
	if (provider_jitsi.create(&bench->call, &fixture.plan, false, &link, &info) != ERR_OK)
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
	struct bench bench;
	const char *urls[COUNT], *room;
	char key[ID_SIZE];
	int i, j;

	bench_init(&bench, &(struct jitsi_settings){0});
	for (i = 0; i < COUNT; i++) {
		id_random(key);
		urls[i] = create(&bench, arena_strdup(bench.arena, key));
		CU_ASSERT_EQUAL(strncmp(urls[i], "https://meet.example.com/", 25), 0);
		room = urls[i] + 25;
		CU_ASSERT_EQUAL(
			strspn(room, "abcdefghijklmnopqrstuvwxyz0123456789-"), strlen(room));
		for (j = 0; j < i; j++)
			CU_ASSERT_STRING_NOT_EQUAL(urls[i], urls[j]);
		/* Safe to repeat: the same key names the same room. */
		CU_ASSERT_STRING_EQUAL(urls[i], create(&bench, key));
	}
	bench_fini(&bench);
}

/* Each of the 128 bits of the key changes the room, in lower case too. */
static void test_room_has_128_bits(void)
{
	struct bench bench;
	unsigned char bytes[ID_BYTES];
	const char *rooms[8 * ID_BYTES + 1];
	char key[ID_SIZE];
	int i, j;

	bench_init(&bench, &(struct jitsi_settings){0});
	for (i = 0; i <= 8 * ID_BYTES; i++) {
		memset(bytes, 0x5a, sizeof(bytes));
		if (i < 8 * ID_BYTES)
			bytes[i / 8] = (unsigned char)(bytes[i / 8] ^ 1 << i % 8);
		id_encode(bytes, key);
		rooms[i] = create(&bench, key);
		for (j = 0; j < i; j++)
			CU_ASSERT_NOT_EQUAL(strcasecmp(rooms[i], rooms[j]), 0);
	}
	bench_fini(&bench);
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
	struct bench bench;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		bench_init(&bench, &rows[i].settings);
		UNIT_CHECK(strcmp(create(&bench, "AAAAAAAAAAAAAAAAAAAAAA"), rows[i].url) == 0,
			rows[i].name);
		bench_fini(&bench);
	}
}

/* A key that the database gives back broken must not lead anybody into a room of chance. */
static void test_broken_key(void)
{
	static const char *const keys[] = {"", "x", "AAAAAAAAAAAAAAAAAAAAAB",
		"AAAAAAAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAAAAAA", "AAAAAAAAAA/AAAAAAAAAAA"};
	struct bench bench;
	struct meeting_link link = {0};
	struct err_info info = {0};
	struct fixture fixture;
	const char *url = NULL;
	size_t i;

	bench_init(&bench, &(struct jitsi_settings){.app_id = "a", .secret = app_secret});
	for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		fixture_init(&fixture, keys[i]);
		UNIT_CHECK(provider_jitsi.create(&bench.call, &fixture.plan, false, &link, &info) ==
				   ERR_PERMANENT,
			keys[i]);
		UNIT_CHECK(provider_jitsi.personal_url(&bench.call, &fixture.plan, PARTY_LAWYER,
				   &url, &info) == ERR_PERMANENT,
			keys[i]);
	}
	CU_ASSERT(!link.url && !url);
	bench_fini(&bench);
}

static void test_warnings(void)
{
	static const struct {
		const char *name;
		struct security security;
		struct jitsi_settings settings;
		const char *words[5]; /* how each warning begins */
	} rows[] = {
		{"everybody may enter", {.join_before_host = true}, {0}, {NULL}},
		{"not before the host", {0}, {0}, {"join_before_host:"}},
		{"not before the host, with tokens", {0}, {.app_id = "a", .secret = app_secret},
			{NULL}},
		{"waiting room", {.waiting_room = true}, {0}, {"waiting_room:"}},
		{"waiting room, with tokens", {.waiting_room = true},
			{.app_id = "a", .secret = app_secret}, {NULL}},
		{"passcode", {.join_before_host = true, .passcode_required = true}, {0},
			{"passcode_required:"}},
		{"all",
			{.waiting_room = true,
				.mute_on_entry = true,
				.host_video = true,
				.passcode_required = true},
			{0},
			{"waiting_room:", "mute_on_entry:", "host_video:", "passcode_required:"}},
	};
	struct bench bench;
	struct meeting_link link;
	struct err_info info = {0};
	struct fixture fixture;
	size_t i, count;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		bench_init(&bench, &rows[i].settings);
		fixture_init(&fixture, "AAAAAAAAAAAAAAAAAAAAAA");
		fixture.security = rows[i].security;
		link = (struct meeting_link){0};
		UNIT_CHECK(provider_jitsi.create(&bench.call, &fixture.plan, false, &link, &info) ==
				   ERR_OK,
			rows[i].name);
		count = 0;
		MODEL_FOREACH (&link.warnings, struct warning, warning) {
			UNIT_CHECK(strcmp(warning->code, "setting_not_granted") == 0, rows[i].name);
			UNIT_CHECK(count < 4 && rows[i].words[count] &&
					   strncmp(warning->detail, rows[i].words[count],
						   strlen(rows[i].words[count])) == 0,
				rows[i].name);
			count++;
		}
		UNIT_CHECK(!rows[i].words[count], rows[i].name);
		UNIT_CHECK(!link.passcode && link.dial_in.count == 0, rows[i].name);
		bench_fini(&bench);
	}
}

static void test_without_tokens(void)
{
	static const struct {
		const char *name;
		struct jitsi_settings settings;
	} rows[] = {
		{"there are none", {0}},
		{"they are for another server by now",
			{.url = "https://other.example.com", .app_id = "a", .secret = app_secret}},
		{"or for one whose name begins alike",
			{.url = "https://meet.example.co", .app_id = "a", .secret = app_secret}},
	};
	struct bench bench;
	struct err_info info = {0};
	struct fixture fixture;
	const char *url;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		bench_init(&bench, &rows[i].settings);
		fixture_init(&fixture, "AAAAAAAAAAAAAAAAAAAAAA");
		UNIT_CHECK(provider_jitsi.personal_url(
				   &bench.call, &fixture.plan, PARTY_LAWYER, &url, &info) == ERR_OK,
			rows[i].name);
		UNIT_CHECK(strcmp(url, "https://meet.example.com/room") == 0, rows[i].name);
		bench_fini(&bench);
	}
}

/* The claims of a token, checked by libjwt against the key; NULL when it does not hold. */
static jwt_t *verified(const char *url, const char *key, jwt_alg_t algorithm)
{
	const char *token = strstr(url, "?jwt=");
	jwt_t *jwt = NULL;

	if (!token ||
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
	struct bench bench;
	struct err_info info = {0};
	struct json_object *context, *user;
	struct fixture fixture;
	const char *url = "", *room;
	const char *kid;
	char *text;
	jwt_t *jwt;

	bench_init(&bench, &row->settings);
	fixture_init(&fixture, "AAAAAAAAAAAAAAAAAAAAAA");
	fixture.plan.url = room = create(&bench, "AAAAAAAAAAAAAAAAAAAAAA");
	UNIT_CHECK(provider_jitsi.personal_url(&bench.call, &fixture.plan, party, &url, &info) ==
			   ERR_OK,
		row->name);
	UNIT_CHECK(strncmp(url, room, strlen(room)) == 0 && url[strlen(room)] == '?', row->name);
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
	bench_fini(&bench);
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
		{"RS256", {.app_id = "my-app", .private_key = rsa_private, .key_id = "k1"},
			JWT_ALG_RS256, "my-app", "meet.example.com", "k1"},
		{"JaaS",
			{.url = "https://8x8.vc",
				.app_id = "vpaas-magic-cookie-1fc",
				.private_key = rsa_private,
				.key_id = "4f"},
			JWT_ALG_RS256, "chat", "vpaas-magic-cookie-1fc",
			"vpaas-magic-cookie-1fc/4f"},
		{"JaaS, whole key id",
			{.url = "https://8x8.vc",
				.app_id = "vpaas-magic-cookie-1fc",
				.private_key = rsa_private,
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
		const char *pointers; /* of the fields at fault */
	} rows[] = {
		{"an open server", {0}, ""},
		{"empty is not set", {.url = "", .app_id = "", .secret = "", .private_key = ""},
			""},
		{"loopback", {.url = "http://127.0.0.1:8443"}, ""},
		{"loopback by name", {.url = "http://localhost/tenant"}, ""},
		{"HS256", {.app_id = "a", .secret = app_secret}, ""},
		{"RS256", {.app_id = "a", .private_key = rsa_private}, ""},
		{"JaaS",
			{.app_id = "vpaas-magic-cookie-1",
				.private_key = rsa_private,
				.key_id = "k"},
			""},
		{"no scheme", {.url = "meet.example.com"}, "/settings/base_url "},
		{"plain http", {.url = "http://meet.example.com"}, "/settings/base_url "},
		{"a name that begins like loopback", {.url = "http://localhost.example.com"},
			"/settings/base_url "},
		{"a user called localhost", {.url = "http://localhost:x@meet.example.com"},
			"/settings/base_url "},
		{"other scheme", {.url = "javascript:alert(1)"}, "/settings/base_url "},
		{"only the scheme", {.url = "https://"}, "/settings/base_url "},
		{"slash at the end", {.url = "https://meet.example.com/"}, "/settings/base_url "},
		{"query", {.url = "https://meet.example.com?a=b"}, "/settings/base_url "},
		{"fragment", {.url = "https://meet.example.com#a"}, "/settings/base_url "},
		{"space", {.url = "https://meet.example.com /a"}, "/settings/base_url "},
		{"quote", {.url = "https://meet.example.com/\"a"}, "/settings/base_url "},
		{"two keys", {.app_id = "a", .secret = "s", .private_key = rsa_private},
			"/credentials/private_key "},
		{"secret without app_id", {.secret = "s"}, "/credentials/app_id "},
		{"key without app_id", {.private_key = rsa_private}, "/credentials/app_id "},
		{"app_id without a key", {.app_id = "a"}, "/credentials/app_id "},
		{"app_id that is a path", {.app_id = "../a?b", .secret = app_secret},
			"/credentials/app_id "},
		{"not a key", {.app_id = "a", .private_key = "root:x:0:0"},
			"/credentials/private_key "},
		{"the public half", {.app_id = "a", .private_key = rsa_public},
			"/credentials/private_key "},
		{"not RSA", {.app_id = "a", .private_key = ec_private},
			"/credentials/private_key "},
		{"JaaS without a key", {.app_id = "vpaas-magic-cookie-1"},
			"/credentials/private_key /credentials/key_id "},
		{"JaaS with a secret",
			{.app_id = "vpaas-magic-cookie-1", .secret = app_secret, .key_id = "k"},
			"/credentials/private_key "},
		{"JaaS without key_id",
			{.app_id = "vpaas-magic-cookie-1", .private_key = rsa_private},
			"/credentials/key_id "},
		{"two things at once", {.url = "meet", .secret = "s"},
			"/credentials/app_id /settings/base_url "},
	};
	struct err_info info;
	struct bench bench;
	char pointers[512];
	enum err err;
	size_t i, j;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		err_clear(&info);
		bench_init(&bench, &rows[i].settings);
		err = provider_jitsi.check(&bench.conf, &bench.config, &info);
		UNIT_CHECK(err == (rows[i].pointers[0] ? ERR_INVALID : ERR_OK), rows[i].name);
		pointers[0] = '\0';
		for (j = 0; j < info.field_count; j++)
			strcat(strcat(pointers, info.fields[j].pointer), " ");
		UNIT_CHECK(strcmp(pointers, rows[i].pointers) == 0, rows[i].name);
		/* Nobody need want the words. */
		UNIT_CHECK(provider_jitsi.check(&bench.conf, &bench.config, NULL) == err,
			rows[i].name);
		bench_fini(&bench);
	}
}

/* The default comes from the configuration file, where nobody has looked at it. */
static void test_check_default(void)
{
	static char broken[] = "http://meet.example.com";
	struct err_info info = {0};
	struct bench bench;

	bench_init(&bench, &(struct jitsi_settings){0});
	bench.conf.jitsi_url = broken;
	CU_ASSERT_EQUAL(provider_jitsi.check(&bench.conf, &bench.config, &info), ERR_INVALID);
	CU_ASSERT_STRING_EQUAL(info.fields[0].pointer, "/settings/base_url");
	bench_fini(&bench);
}

/* A key that was stored and does not sign: no URL without a token then. */
static void test_broken_private_key(void)
{
	struct err_info info = {0};
	struct fixture fixture;
	const char *url = NULL;
	struct bench bench;

	bench_init(&bench, &(struct jitsi_settings){.app_id = "a", .private_key = ec_private});
	fixture_init(&fixture, "AAAAAAAAAAAAAAAAAAAAAA");
	CU_ASSERT_EQUAL(
		provider_jitsi.personal_url(&bench.call, &fixture.plan, PARTY_CLIENT, &url, &info),
		ERR_CREDENTIAL);
	CU_ASSERT_PTR_NULL(url);
	bench_fini(&bench);
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
	{"the default URL", test_check_default},
	{"a key that does not sign", test_broken_private_key},
};

int main(void)
{
	EVP_PKEY *rsa = EVP_RSA_gen(2048), *ec = EVP_EC_gen("P-256");
	int status;

	rsa_private = pem_of(rsa, true);
	rsa_public = pem_of(rsa, false);
	ec_private = pem_of(ec, true);
	status = unit_run("provider_jitsi", cases, sizeof(cases) / sizeof(cases[0]));
	EVP_PKEY_free(rsa);
	EVP_PKEY_free(ec);
	free(rsa_private);
	free(rsa_public);
	free(ec_private);
	return status;
}
