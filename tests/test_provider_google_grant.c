#include <json-c/json.h>
#include <jwt.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "google_unit.h"

static char *rsa_pem, *short_pem, *ec_pem, *locked_pem, *rsa_public;

static char *pem_of(EVP_PKEY *key, const EVP_CIPHER *cipher, bool public)
{
	char passphrase[] = "1234";
	BIO *bio = BIO_new(BIO_s_mem());
	char *bytes, *pem;
	long len;

	if (public)
		PEM_write_bio_PUBKEY(bio, key);
	else
		PEM_write_bio_PrivateKey(
			bio, key, cipher, NULL, 0, NULL, cipher ? passphrase : NULL);
	len = BIO_get_mem_data(bio, &bytes);
	pem = strndup(bytes, (size_t)len);
	BIO_free(bio);
	return pem;
}

static void make_keys(void)
{
	EVP_PKEY *rsa = EVP_RSA_gen(2048), *small = EVP_RSA_gen(1024), *ec = EVP_EC_gen("P-256");

	rsa_pem = pem_of(rsa, NULL, false);
	rsa_public = pem_of(rsa, NULL, true);
	locked_pem = pem_of(rsa, EVP_aes_128_cbc(), false);
	short_pem = pem_of(small, NULL, false);
	ec_pem = pem_of(ec, NULL, false);
	EVP_PKEY_free(rsa);
	EVP_PKEY_free(small);
	EVP_PKEY_free(ec);
}

/* A key file; `drop` leaves out a member. */
static const char *key_file(struct arena *arena, const char *pem, const char *drop)
{
	struct json_object *json = json_object_new_object();
	const char *text;

	json_object_object_add(json, "type", json_object_new_string("service_account"));
	json_object_object_add(json, "private_key_id", json_object_new_string("kid-1"));
	json_object_object_add(json, "private_key", json_object_new_string(pem));
	json_object_object_add(
		json, "client_email", json_object_new_string("bot@p.iam.gserviceaccount.com"));
	/* Not to be believed. */
	json_object_object_add(
		json, "token_uri", json_object_new_string("http://169.254.169.254/latest"));
	if (drop)
		json_object_object_del(json, drop);
	text = arena_strdup(arena, json_object_to_json_string(json));
	json_object_put(json);
	return text;
}

static const char *replaced(struct arena *arena, const char *text, const char *a, const char *b)
{
	const char *at = strstr(text, a);

	return arena_printf(arena, "%.*s%s%s", (int)(at - text), text, b, at + strlen(a));
}

struct setting {
	const char *name, *value;
};

static void test_check(void)
{
	struct arena *arena = arena_new();
	const char *good = key_file(arena, rsa_pem, NULL);
	char *huge = arena_alloc(arena, 64 * 1024);
	const struct {
		const char *name;
		struct setting settings[6];
		const char *pointer; /* NULL: fine */
		const char *words;
		size_t more; /* fields beside that one */
	} rows[] = {
		{"service account", {{"service_account_json", good}, {"subject", "a@b.test"}}, NULL,
			"", 0},
		{"consent", {{"client_id", "a"}, {"client_secret", "b"}, {"refresh_token", "1//c"}},
			NULL, "", 0},
		{"a calendar",
			{{"client_id", "a"}, {"client_secret", "b"}, {"refresh_token", "c"},
				{"calendar_id", "x#y@group.calendar.google.com"}},
			NULL, "", 0},
		{"empty is not given",
			{{"client_id", "a"}, {"client_secret", "b"}, {"refresh_token", "c"},
				{"subject", ""}, {"service_account_json", ""}, {"calendar_id", ""}},
			NULL, "", 0},
		{"nothing", {{NULL, NULL}}, "/credentials/service_account_json", "Store", 0},
		{"half a service account", {{"service_account_json", good}}, "/credentials/subject",
			"needed", 0},
		{"the other half", {{"subject", "a@b.test"}}, "/credentials/service_account_json",
			"needed", 0},
		{"a third of a consent", {{"client_id", "a"}}, "/credentials/client_secret",
			"needed", 1},
		{"a mixture",
			{{"service_account_json", good}, {"subject", "a@b.test"},
				{"client_id", "a"}},
			"/credentials", "either", 0},
		{"subject is no address", {{"service_account_json", good}, {"subject", "bo"}},
			"/credentials/subject", "e-mail", 0},
		{"subject with a line end",
			{{"service_account_json", good}, {"subject", "a@b.test\r\nx"}},
			"/credentials/subject", "blank", 0},
		{"a blank in a token",
			{{"client_id", "a"}, {"client_secret", "b"}, {"refresh_token", "c "}},
			"/credentials/refresh_token", "blank", 0},
		{"a long token",
			{{"client_id", "a"}, {"client_secret", huge}, {"refresh_token", "c"}},
			"/credentials/client_secret", "long", 0},
		{"a calendar that is a path",
			{{"client_id", "a"}, {"client_secret", "b"}, {"refresh_token", "c"},
				{"calendar_id", ".."}},
			"/settings/calendar_id", "primary", 0},
		{"not JSON", {{"service_account_json", "{"}, {"subject", "a@b.test"}},
			"/credentials/service_account_json", "not the JSON file", 0},
		{"a list", {{"service_account_json", "[]"}, {"subject", "a@b.test"}},
			"/credentials/service_account_json", "not the JSON file", 0},
		{"null", {{"service_account_json", "null"}, {"subject", "a@b.test"}},
			"/credentials/service_account_json", "not the JSON file", 0},
		{"more behind it",
			{{"service_account_json", arena_printf(arena, "%s{}", good)},
				{"subject", "a@b.test"}},
			"/credentials/service_account_json", "not the JSON file", 0},
		{"huge", {{"service_account_json", huge}, {"subject", "a@b.test"}},
			"/credentials/service_account_json", "not the JSON file", 0},
		{"a key of another kind",
			{{"service_account_json",
				 replaced(arena, good, "service_account", "authorized_user")},
				{"subject", "a@b.test"}},
			"/credentials/service_account_json", "type", 0},
		{"no private_key",
			{{"service_account_json", key_file(arena, rsa_pem, "private_key")},
				{"subject", "a@b.test"}},
			"/credentials/service_account_json", "private_key", 0},
		{"no private_key_id",
			{{"service_account_json", key_file(arena, rsa_pem, "private_key_id")},
				{"subject", "a@b.test"}},
			"/credentials/service_account_json", "private_key_id", 0},
		{"no client_email",
			{{"service_account_json", key_file(arena, rsa_pem, "client_email")},
				{"subject", "a@b.test"}},
			"/credentials/service_account_json", "client_email", 0},
		{"client_email is a number",
			{{"service_account_json",
				 replaced(arena, good, "\"bot@p.iam.gserviceaccount.com\"", "7")},
				{"subject", "a@b.test"}},
			"/credentials/service_account_json", "client_email", 0},
		{"client_email is no address",
			{{"service_account_json", replaced(arena, good, "bot@p", "bot")},
				{"subject", "a@b.test"}},
			"/credentials/service_account_json", "client_email", 0},
		{"a short key",
			{{"service_account_json", key_file(arena, short_pem, NULL)},
				{"subject", "a@b.test"}},
			"/credentials/service_account_json", "2048", 0},
		{"not RSA",
			{{"service_account_json", key_file(arena, ec_pem, NULL)},
				{"subject", "a@b.test"}},
			"/credentials/service_account_json", "RSA", 0},
		{"with a passphrase",
			{{"service_account_json", key_file(arena, locked_pem, NULL)},
				{"subject", "a@b.test"}},
			"/credentials/service_account_json", "passphrase", 0},
		{"only the public half",
			{{"service_account_json", key_file(arena, rsa_public, NULL)},
				{"subject", "a@b.test"}},
			"/credentials/service_account_json", "RSA", 0},
		{"a damaged key",
			{{"service_account_json",
				 key_file(arena, arena_strndup(arena, rsa_pem, 600), NULL)},
				{"subject", "a@b.test"}},
			"/credentials/service_account_json", "RSA", 0},
		{"two mistakes", {{"service_account_json", "{"}, {"subject", "bo"}},
			"/credentials/subject", "e-mail", 1},
	};
	struct fixture fixture;
	size_t i, j;
	enum err err;

	memset(huge, 'x', 64 * 1024 - 1);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		fixture = (struct fixture){.arena = arena};
		for (j = 0; j < 6 && rows[i].settings[j].name; j++)
			set(&fixture, rows[i].settings[j].name, rows[i].settings[j].value);
		err = provider_google.check(&fixture.conf, &fixture.config, &fixture.info);
		UNIT_CHECK(err == (rows[i].pointer ? ERR_INVALID : ERR_OK), rows[i].name);
		UNIT_CHECK(provider_google.check(&fixture.conf, &fixture.config, NULL) == err,
			rows[i].name);
		UNIT_CHECK(fixture.info.field_count == (rows[i].pointer ? 1 + rows[i].more : 0),
			rows[i].name);
		if (rows[i].pointer)
			UNIT_CHECK(strcmp(fixture.info.fields[0].pointer, rows[i].pointer) == 0,
				rows[i].name);
		UNIT_CHECK(
			strstr(fixture.info.fields[0].detail, rows[i].words) != NULL, rows[i].name);
	}
	arena_free(&arena);
}

#define EVENT_SCOPE "https://www.googleapis.com/auth/calendar.events"
#define MEET_SCOPE  "https://www.googleapis.com/auth/meetings.space.settings"

static void set_up_account(struct fixture *fixture)
{
	set_up(fixture, NULL);
	set(fixture, "client_id", NULL);
	set(fixture, "client_secret", NULL);
	set(fixture, "refresh_token", NULL);
	set(fixture, "subject", "boss@firm.test");
	set(fixture, "service_account_json", key_file(fixture->arena, rsa_pem, NULL));
}

/* Google refuses the whole sign-in of a service account for one scope too many. */
static void test_scopes(void)
{
	static const struct {
		const char *name;
		bool account;
		struct step first, then; /* `then` without status: the same again */
		size_t tokens;
		enum err err;
		const char *scope;
	} rows[] = {
		{"both", true, TOKEN_OK, {0}, 1, ERR_OK, EVENT_SCOPE " " MEET_SCOPE},
		{"one is not delegated", true, {401, OAUTH("unauthorized_client", ""), 0}, TOKEN_OK,
			2, ERR_OK, EVENT_SCOPE},
		{"one is not known", true, {400, OAUTH("invalid_scope", ""), 0}, TOKEN_OK, 2,
			ERR_OK, EVENT_SCOPE},
		{"one is denied", true, {403, OAUTH("access_denied", ""), 0}, TOKEN_OK, 2, ERR_OK,
			EVENT_SCOPE},
		{"none is delegated", true, {401, OAUTH("unauthorized_client", ""), 0}, {0}, 2,
			ERR_CREDENTIAL, NULL},
		{"the key is wrong", true,
			{400, OAUTH("invalid_grant", "Invalid JWT Signature."), 0}, {0}, 1,
			ERR_CREDENTIAL, NULL},
		{"Google is ill", true, {503, "", 0}, {0}, 1, ERR_TEMPORARY, NULL},
		{"it says less", true,
			{200, "{\"access_token\":\"a\",\"scope\":\"" EVENT_SCOPE "\"}", 0}, {0}, 1,
			ERR_OK, EVENT_SCOPE},
		{"a consent that says nothing", false, TOKEN_OK, {0}, 1, ERR_OK, EVENT_SCOPE},
		{"a consent for the calendar", false,
			{200, "{\"access_token\":\"a\",\"scope\":\"" EVENT_SCOPE "\"}", 0}, {0}, 1,
			ERR_OK, EVENT_SCOPE},
		{"a consent for both", false, TOKEN_MEET, {0}, 1, ERR_OK,
			EVENT_SCOPE " " MEET_SCOPE},
		{"a consent for an app that may not", false,
			{401, OAUTH("unauthorized_client", ""), 0}, {0}, 1, ERR_CREDENTIAL, NULL},
	};
	struct provider_grant grant;
	struct fixture fixture;
	enum err err;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (rows[i].account)
			set_up_account(&fixture);
		else
			set_up(&fixture, NULL);
		google.token = rows[i].first;
		google.token_then = rows[i].then;
		err = provider_google.grant(&fixture.call, NULL, &grant, &fixture.info);
		UNIT_CHECK(err == rows[i].err, rows[i].name);
		UNIT_CHECK(google.tokens == rows[i].tokens, rows[i].name);
		UNIT_CHECK(err != ERR_OK || strcmp(grant.scope, rows[i].scope) == 0, rows[i].name);
		tear_down(&fixture);
	}
}

static void test_assertion(void)
{
	struct provider_grant grant;
	struct fixture fixture;
	const char *at;
	jwt_t *jwt = NULL;

	set_up_account(&fixture);
	CU_ASSERT_EQUAL(provider_google.grant(&fixture.call, NULL, &grant, &fixture.info), ERR_OK);
	CU_ASSERT_STRING_EQUAL(grant.access_token, "at-1");
	CU_ASSERT_EQUAL(grant.expires_in_s, 3599);
	CU_ASSERT_PTR_NULL(grant.refresh_token);
	CU_ASSERT_STRING_EQUAL(provider_google.account(&fixture.call), "boss@firm.test/primary");
	at = "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=";
	CU_ASSERT_EQUAL_FATAL(strncmp(google.form, at, strlen(at)), 0);
	CU_ASSERT_EQUAL_FATAL(jwt_decode(&jwt, google.form + strlen(at),
				      (const unsigned char *)rsa_public, (int)strlen(rsa_public)),
		0);
	CU_ASSERT_EQUAL(jwt_get_alg(jwt), JWT_ALG_RS256);
	CU_ASSERT_STRING_EQUAL(jwt_get_header(jwt, "kid"), "kid-1");
	CU_ASSERT_STRING_EQUAL(jwt_get_grant(jwt, "iss"), "bot@p.iam.gserviceaccount.com");
	CU_ASSERT_STRING_EQUAL(jwt_get_grant(jwt, "sub"), "boss@firm.test");
	CU_ASSERT_STRING_EQUAL(jwt_get_grant(jwt, "aud"), "https://oauth2.googleapis.com/token");
	CU_ASSERT_STRING_EQUAL(jwt_get_grant(jwt, "scope"), EVENT_SCOPE " " MEET_SCOPE);
	CU_ASSERT_STRING_EQUAL(grant.scope, EVENT_SCOPE " " MEET_SCOPE);
	CU_ASSERT_EQUAL(jwt_get_grant_int(jwt, "iat"), now / 1000 - 10);
	CU_ASSERT_EQUAL(jwt_get_grant_int(jwt, "exp"), now / 1000 - 10 + 3540);
	jwt_free(jwt);
	tear_down(&fixture);
}

static void test_refresh(void)
{
	struct provider_grant grant;
	struct fixture fixture;

	set_up(&fixture, NULL);
	google.token.body =
		"{\"access_token\":\"at-2\",\"expires_in\":\"120\",\"refresh_token\":\"n\"}";
	CU_ASSERT_EQUAL(provider_google.grant(&fixture.call, NULL, &grant, &fixture.info), ERR_OK);
	CU_ASSERT_STRING_EQUAL(google.form,
		"grant_type=refresh_token&refresh_token=1%2F%2Frefresh&client_id=client-1&"
		"client_secret=s3cret%26%2B");
	CU_ASSERT_EQUAL(grant.expires_in_s, 120);
	CU_ASSERT_STRING_EQUAL(grant.refresh_token, "n");
	CU_ASSERT_EQUAL(
		provider_google.grant(&fixture.call, "newer", &grant, &fixture.info), ERR_OK);
	CU_ASSERT_PTR_NOT_NULL(strstr(google.form, "&refresh_token=newer&"));
	tear_down(&fixture);
}

static void test_grant_refusals(void)
{
	static const struct {
		const char *name;
		struct step step;
		enum err err;
		const char *words;
	} rows[] = {
		{"clock",
			{400,
				OAUTH("invalid_grant",
					"Invalid JWT: Token must be a short-lived token"),
				0},
			ERR_CREDENTIAL, "clock"},
		{"signature", {400, OAUTH("invalid_grant", "Invalid JWT Signature."), 0},
			ERR_CREDENTIAL, "key"},
		{"no account", {400, OAUTH("invalid_grant", "Invalid grant: account not found"), 0},
			ERR_CREDENTIAL, "service account"},
		{"no user", {400, OAUTH("invalid_grant", "Not a valid email or user ID."), 0},
			ERR_CREDENTIAL, "subject"},
		{"revoked", {400, OAUTH("invalid_grant", "Token has been expired or revoked."), 0},
			ERR_CREDENTIAL, "sign in to Google again"},
		{"grant of another kind", {400, OAUTH("invalid_grant", "Malformed auth code."), 0},
			ERR_CREDENTIAL, "credentials"},
		{"delegation", {401, OAUTH("unauthorized_client", "Client is unauthorized"), 0},
			ERR_CREDENTIAL, "delegation"},
		{"scope", {400, OAUTH("invalid_scope", ""), 0}, ERR_CREDENTIAL, "delegation"},
		{"client", {401, OAUTH("invalid_client", ""), 0}, ERR_CREDENTIAL, "client id"},
		{"deleted client", {401, OAUTH("deleted_client", ""), 0}, ERR_CREDENTIAL,
			"deleted"},
		{"401", {401, "", 0}, ERR_CREDENTIAL, "credentials"},
		{"400", {400, "{\"error\":7}", 0}, ERR_CREDENTIAL, "credentials"},
		{"internal", {400, OAUTH("internal_failure", ""), 0}, ERR_TEMPORARY, ""},
		{"server_error", {200 + 300, OAUTH("server_error", ""), 0}, ERR_TEMPORARY, ""},
		{"429", {429, "", 30}, ERR_TEMPORARY, ""},
		{"500", {500, "<html>", 0}, ERR_TEMPORARY, ""},
		{"502", {502, "<html>", 0}, ERR_TEMPORARY, ""},
		{"503", {503, "", 0}, ERR_TEMPORARY, ""},
		/* Not about a meeting, so it is not gone. */
		{"404", {404, "", 0}, ERR_UNAVAILABLE, "unexpected"},
		{"410", {410, "", 0}, ERR_UNAVAILABLE, "unexpected"},
		{"302", {302, "", 0}, ERR_UNAVAILABLE, "unexpected"},
		{"204", {204, "", 0}, ERR_UNAVAILABLE, "unexpected"},
		{"no token", {200, "{\"expires_in\":3600}", 0}, ERR_TEMPORARY, "no access token"},
		{"no JSON", {200, "<html>", 0}, ERR_TEMPORARY, "no access token"},
		{"a token with a line end",
			{200, "{\"access_token\":\"a\\r\\nX: y\",\"expires_in\":3600}", 0},
			ERR_TEMPORARY, "no access token"},
		{"an empty token", {200, "{\"access_token\":\"\",\"expires_in\":3600}", 0},
			ERR_TEMPORARY, "no access token"},
	};
	struct provider_grant grant;
	struct fixture fixture;
	enum err err;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		set_up(&fixture, NULL);
		google.token = rows[i].step;
		err = provider_google.grant(&fixture.call, NULL, &grant, &fixture.info);
		UNIT_CHECK(err == rows[i].err && fixture.info.err == err, rows[i].name);
		UNIT_CHECK(strncmp(fixture.info.detail, "Google Meet: ", 13) == 0, rows[i].name);
		UNIT_CHECK(strstr(fixture.info.detail, rows[i].words) != NULL, rows[i].name);
		UNIT_CHECK(fixture.info.retry_after_s == rows[i].step.retry_after_s, rows[i].name);
		tear_down(&fixture);
	}
}

static void test_grant_lifetimes(void)
{
	static const struct {
		const char *body;
		int64_t expires_in_s;
	} rows[] = {
		{"{\"access_token\":\"a\"}", 600},
		{"{\"access_token\":\"a\",\"expires_in\":0}", 600},
		{"{\"access_token\":\"a\",\"expires_in\":-1}", 600},
		{"{\"access_token\":\"a\",\"expires_in\":[]}", 600},
		{"{\"access_token\":\"a\",\"expires_in\":\"3600\"}", 3600},
		{"{\"access_token\":\"a\",\"expires_in\":9007199254740993}", 86400},
	};
	struct provider_grant grant;
	struct fixture fixture;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		set_up(&fixture, NULL);
		google.token.body = rows[i].body;
		UNIT_CHECK(provider_google.grant(&fixture.call, NULL, &grant, NULL) == ERR_OK,
			rows[i].body);
		UNIT_CHECK(grant.expires_in_s == rows[i].expires_in_s, rows[i].body);
		tear_down(&fixture);
	}
}

/* Somebody took a credential away, or nobody listens: said in words, and nothing is asked. */
static void test_grant_without_means(void)
{
	struct provider_grant grant;
	struct fixture fixture;

	set_up(&fixture, NULL);
	set(&fixture, "client_secret", NULL);
	CU_ASSERT_EQUAL(
		provider_google.grant(&fixture.call, NULL, &grant, &fixture.info), ERR_CREDENTIAL);
	CU_ASSERT_EQUAL(google.tokens, 0);
	set(&fixture, "client_secret", "b");
	fixture.conf.google_token_url = (char *)"http://127.0.0.1:1/token";
	CU_ASSERT_EQUAL(
		provider_google.grant(&fixture.call, NULL, &grant, &fixture.info), ERR_TEMPORARY);
	fixture.conf.google_token_url = (char *)"http://google.test/token";
	CU_ASSERT_EQUAL(
		provider_google.grant(&fixture.call, NULL, &grant, &fixture.info), ERR_UNAVAILABLE);
	fixture.call.until_us = 0;
	CU_ASSERT_EQUAL(
		provider_google.grant(&fixture.call, NULL, &grant, &fixture.info), ERR_TEMPORARY);
	tear_down(&fixture);
}

static const struct unit_case cases[] = {
	{"settings and credentials", test_check},
	{"the service account's grant", test_assertion},
	{"scopes", test_scopes},
	{"the consent's grant", test_refresh},
	{"refusals of the grant", test_grant_refusals},
	{"lifetimes of tokens", test_grant_lifetimes},
	{"no credentials, no peer, no time", test_grant_without_means},
};

int main(void)
{
	int status;

	make_keys();
	status = google_run("provider_google_grant", cases, sizeof(cases) / sizeof(cases[0]));
	free(rsa_pem);
	free(rsa_public);
	free(short_pem);
	free(ec_pem);
	free(locked_pem);
	return status;
}
