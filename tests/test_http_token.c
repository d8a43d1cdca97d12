#include <stdio.h>
#include <stdlib.h>

#include "conf.h"
#include "http_token.h"
#include "unit.h"

static const char secret[] = "0123456789abcdef0123456789abcdef-and-more";
static const int64_t now = INT64_C(1900000000) * 1000;

#define HEADER   "{\"alg\":\"HS256\",\"typ\":\"JWT\"}"
#define PARTIES  "\"iss\":\"meetlink\",\"aud\":\"meetlink\""
#define TIMES    "\"iat\":1900000000,\"exp\":1900003600"
#define WHO      "\"sub\":\"c1\",\"role\":\"client\""
#define CLAIMS   "{" PARTIES "," TIMES "," WHO "}"
#define WITH(x)  "{" PARTIES "," TIMES "," WHO "," x "}"
#define TIMED(x) "{" PARTIES "," WHO "," x "}"
#define FROM(x)  "{" TIMES "," WHO "," x "}"
#define BY(x)    "{" PARTIES "," TIMES "," x "}"
#define S32      "0123456789abcdef0123456789abcdef"

/* The path of a data file. */
static const char *data(struct arena *arena, const char *name)
{
	return arena_printf(arena, "%s/tests/data/jwt/%s", getenv("srcdir"), name);
}

static char *data_read(struct arena *arena, const char *name)
{
	FILE *file = fopen(data(arena, name), "re");
	char *text = arena_alloc(arena, 4096);

	CU_ASSERT_PTR_NOT_NULL_FATAL(file);
	text[fread(text, 1, 4095, file)] = '\0';
	fclose(file);
	return text;
}

static enum err rules_load(struct arena *arena, const char *algorithm, const char *hmac_secret,
	const char *key_file, struct http_token_rules **rules_r)
{
	const struct conf conf = {
		.jwt_algorithm = arena_strdup(arena, algorithm),
		.jwt_secret = arena_strdup(arena, hmac_secret),
		.jwt_public_key_file = arena_strdup(arena, key_file),
		.jwt_issuer = arena_strdup(arena, "meetlink"),
		.jwt_audience = arena_strdup(arena, "meetlink"),
	};
	struct err_info info = {0};

	return http_token_rules_load(&conf, rules_r, &info);
}

static char *base64url(struct arena *arena, const void *bytes, size_t len)
{
	const int variant = sodium_base64_VARIANT_URLSAFE_NO_PADDING;
	const size_t size = sodium_base64_encoded_len(len, variant);

	return sodium_bin2base64(arena_alloc(arena, size), size, bytes, len, variant);
}

/* A token of any header and claims, signed by an HMAC-SHA256 that knows no libjwt. */
static char *sign(struct arena *arena, const char *header, const char *claims, const char *key)
{
	unsigned char mac[crypto_auth_hmacsha256_BYTES];
	crypto_auth_hmacsha256_state state;
	const char *text;

	text = arena_printf(arena, "%s.%s", base64url(arena, header, strlen(header)),
		base64url(arena, claims, strlen(claims)));
	crypto_auth_hmacsha256_init(&state, (const unsigned char *)key, strlen(key));
	crypto_auth_hmacsha256_update(&state, (const unsigned char *)text, strlen(text));
	crypto_auth_hmacsha256_final(&state, mac);
	return arena_printf(arena, "%s.%s", text, base64url(arena, mac, sizeof(mac)));
}

static enum err verify(const struct http_token_rules *rules, struct arena *arena, const char *token,
	struct actor *caller_r)
{
	struct err_info info = {0};
	enum err err = http_token_verify(
		rules, arena, arena_printf(arena, "Bearer %s", token), now, caller_r, &info);

	/* A refusal says why. */
	CU_ASSERT((err == ERR_OK) == (info.detail[0] == '\0'));
	return err;
}

static void test_signed_tokens(void)
{
	static const struct {
		const char *name, *header, *claims;
		bool accepted;
	} cases[] = {
		{"plain", HEADER, CLAIMS, true},
		{"no typ", "{\"alg\":\"HS256\"}", CLAIMS, true},
		{"typ in lower case", "{\"alg\":\"HS256\",\"typ\":\"jwt\"}", CLAIMS, true},
		{"kid and jku are not looked at",
			"{\"alg\":\"HS256\",\"kid\":\"../../etc/passwd\",\"jku\":\"http://x/\"}",
			CLAIMS, true},

		/* RFC 8725 section 3.1, 3.2: the algorithm */
		{"alg none", "{\"alg\":\"none\"}", CLAIMS, false},
		{"alg None", "{\"alg\":\"None\"}", CLAIMS, false},
		{"alg in lower case", "{\"alg\":\"hs256\"}", CLAIMS, false},
		{"alg of another strength", "{\"alg\":\"HS512\"}", CLAIMS, false},
		{"alg of another kind", "{\"alg\":\"RS256\"}", CLAIMS, false},
		{"alg missing", "{\"typ\":\"JWT\"}", CLAIMS, false},
		{"alg null", "{\"alg\":null}", CLAIMS, false},
		{"alg a list", "{\"alg\":[\"HS256\"]}", CLAIMS, false},
		{"alg with a NUL", "{\"alg\":\"HS256\\u0000\"}", CLAIMS, false},
		{"alg twice", "{\"alg\":\"none\",\"alg\":\"HS256\"}", CLAIMS, false},
		{"crit", "{\"alg\":\"HS256\",\"crit\":[\"b64\"],\"b64\":true}", CLAIMS, false},
		{"crit empty", "{\"alg\":\"HS256\",\"crit\":[]}", CLAIMS, false},
		{"crit null", "{\"alg\":\"HS256\",\"crit\":null}", CLAIMS, false},
		{"zip", "{\"alg\":\"HS256\",\"zip\":\"DEF\"}", CLAIMS, false},
		{"typ of another kind", "{\"alg\":\"HS256\",\"typ\":\"at+jwt\"}", CLAIMS, false},
		{"typ a number", "{\"alg\":\"HS256\",\"typ\":1}", CLAIMS, false},
		{"header a list", "[]", CLAIMS, false},
		{"header not JSON", "x", CLAIMS, false},
		{"header with bytes behind it", HEADER "x", CLAIMS, false},

		/* RFC 8725 section 3.8, 3.9: issuer and audience */
		{"no iss", HEADER, FROM("\"aud\":\"meetlink\""), false},
		{"other iss", HEADER, FROM("\"iss\":\"other\",\"aud\":\"meetlink\""), false},
		{"iss with more", HEADER, FROM("\"iss\":\"meetlink2\",\"aud\":\"meetlink\""),
			false},
		{"iss with a NUL", HEADER,
			FROM("\"iss\":\"meetlink\\u0000x\",\"aud\":\"meetlink\""), false},
		{"iss of another case", HEADER, FROM("\"iss\":\"Meetlink\",\"aud\":\"meetlink\""),
			false},
		{"iss a list", HEADER, FROM("\"iss\":[\"meetlink\"],\"aud\":\"meetlink\""), false},
		{"no aud", HEADER, FROM("\"iss\":\"meetlink\""), false},
		{"other aud", HEADER, FROM("\"iss\":\"meetlink\",\"aud\":\"other\""), false},
		{"one of several aud", HEADER,
			FROM("\"iss\":\"meetlink\",\"aud\":[\"other\",\"meetlink\"]"), true},
		{"none of several aud", HEADER,
			FROM("\"iss\":\"meetlink\",\"aud\":[\"other\",1,null]"), false},
		{"empty aud", HEADER, FROM("\"iss\":\"meetlink\",\"aud\":[]"), false},
		{"aud in a list in a list", HEADER,
			FROM("\"iss\":\"meetlink\",\"aud\":[[\"meetlink\"]]"), false},
		{"aud an object", HEADER, FROM("\"iss\":\"meetlink\",\"aud\":{\"meetlink\":1}"),
			false},

		/* Times */
		{"no exp", HEADER, TIMED("\"iat\":1900000000"), false},
		{"exp null", HEADER, TIMED("\"exp\":null"), false},
		{"exp a string", HEADER, TIMED("\"exp\":\"1900003600\""), false},
		{"exp negative", HEADER, TIMED("\"exp\":-1"), false},
		{"exp without end", HEADER, TIMED("\"exp\":1e300"), false},
		{"exp infinite", HEADER, TIMED("\"exp\":Infinity"), false},
		{"exp not a number", HEADER, TIMED("\"exp\":NaN"), false},
		{"exp now", HEADER, TIMED("\"exp\":1900000000"), false},
		{"exp just passed", HEADER, TIMED("\"exp\":1899999999"), false},
		{"exp in a second", HEADER, TIMED("\"exp\":1900000001"), true},
		{"exp with a fraction", HEADER, TIMED("\"exp\":1900000000.5"), true},
		{"nbf passed", HEADER, WITH("\"nbf\":1899999999"), true},
		{"nbf within skew", HEADER, WITH("\"nbf\":1900000060"), true},
		{"nbf beyond skew", HEADER, WITH("\"nbf\":1900000061"), false},
		{"nbf a string", HEADER, WITH("\"nbf\":\"0\""), false},
		{"iat within skew", HEADER, TIMED("\"exp\":1900003600,\"iat\":1900000060"), true},
		{"iat beyond skew", HEADER, TIMED("\"exp\":1900003600,\"iat\":1900000061"), false},
		{"no iat", HEADER, TIMED("\"exp\":1900003600"), true},

		/* The caller */
		{"no sub", HEADER, BY("\"role\":\"client\""), false},
		{"empty sub", HEADER, BY("\"sub\":\"\",\"role\":\"client\""), false},
		{"sub a number", HEADER, BY("\"sub\":1,\"role\":\"client\""), false},
		{"longest sub", HEADER, BY("\"sub\":\"" S32 S32 S32 S32 "\",\"role\":\"client\""),
			true},
		{"sub too long", HEADER, BY("\"sub\":\"" S32 S32 S32 S32 "x\",\"role\":\"client\""),
			false},
		{"sub with a line break", HEADER, BY("\"sub\":\"a\\nb\",\"role\":\"client\""),
			false},
		{"sub with a NUL", HEADER, BY("\"sub\":\"admin\\u0000\",\"role\":\"client\""),
			false},
		{"sub twice", HEADER, BY("\"sub\":\"a\",\"sub\":\"b\",\"role\":\"client\""), false},
		{"no role", HEADER, BY("\"sub\":\"a\""), false},
		{"role lawyer", HEADER, BY("\"sub\":\"a\",\"role\":\"lawyer\""), true},
		{"role admin", HEADER, BY("\"sub\":\"a\",\"role\":\"admin\""), true},
		{"role service", HEADER, BY("\"sub\":\"a\",\"role\":\"service\""), true},
		{"role system", HEADER, BY("\"sub\":\"a\",\"role\":\"system\""), false},
		{"role of another case", HEADER, BY("\"sub\":\"a\",\"role\":\"Admin\""), false},
		{"role with a NUL", HEADER, BY("\"sub\":\"a\",\"role\":\"admin\\u0000\""), false},
		{"role a list", HEADER, BY("\"sub\":\"a\",\"role\":[\"admin\"]"), false},
		{"sub an address", HEADER, BY("\"sub\":\"ada+x@b.example\",\"role\":\"client\""),
			true},
		{"sub a URL", HEADER, BY("\"sub\":\"https://a/b?c=d#e%20\",\"role\":\"client\""),
			true},
		{"sub a URN", HEADER, BY("\"sub\":\"urn:x:~!'()*\",\"role\":\"client\""), true},
		{"sub with a space", HEADER, BY("\"sub\":\"a b\",\"role\":\"client\""), false},
		{"sub not ASCII", HEADER, BY("\"sub\":\"zo\u00eb\",\"role\":\"client\""), false},
		{"sub dots", HEADER, BY("\"sub\":\"..\",\"role\":\"client\""), false},
		{"sub null", HEADER, BY("\"sub\":null,\"role\":\"client\""), false},
		{"name turned", HEADER, WITH("\"name\":\"a\u202eb\""), false},
		{"name with a byte order mark", HEADER, WITH("\"name\":\"\ufeffAda\""), false},
		{"name with a noncharacter", HEADER, WITH("\"name\":\"a\ufdd0\""), false},
		{"name in Hebrew", HEADER, WITH("\"name\":\"\u05d0\u200f \u05d1\""), true},
		{"email isolated", HEADER, WITH("\"email\":\"\u2066a@b.example\u2069\""), false},
		{"name null", HEADER, WITH("\"name\":null"), true},
		{"name empty", HEADER, WITH("\"name\":\"\""), false},
		{"name with a line break", HEADER, WITH("\"name\":\"a\\r\\nBcc: b\""), false},
		{"name a number", HEADER, WITH("\"name\":1"), false},
		{"email a list", HEADER, WITH("\"email\":[\"a@b\"]"), false},
		{"unknown claims", HEADER, WITH("\"scope\":\"x\",\"azp\":{\"a\":[1]}"), true},
		{"claims a list", HEADER, "[]", false},
		{"claims null", HEADER, "null", false},
		{"claims a string", HEADER, "\"" CLAIMS "\"", false},
		{"claims with bytes behind them", HEADER, CLAIMS "{}", false},
		{"nested token", HEADER, "eyJhbGciOiJub25lIn0.e30.", false},
	};
	struct arena *arena = arena_new();
	struct http_token_rules *rules;
	struct actor caller;
	size_t i;

	CU_ASSERT_EQUAL_FATAL(rules_load(arena, "HS256", secret, "", &rules), ERR_OK);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (verify(rules, arena, sign(arena, cases[i].header, cases[i].claims, secret),
			    &caller) != (cases[i].accepted ? ERR_OK : ERR_UNAUTHENTICATED))
			CU_FAIL(cases[i].name);
	http_token_rules_free(&rules);
	arena_free(&arena);
}

static void test_caller(void)
{
	struct arena *arena = arena_new();
	struct http_token_rules *rules;
	struct actor caller;

	CU_ASSERT_EQUAL_FATAL(rules_load(arena, "HS256", secret, "", &rules), ERR_OK);
	CU_ASSERT_EQUAL_FATAL(
		verify(rules, arena,
			sign(arena, HEADER,
				BY("\"sub\":\"auth0|1\",\"role\":\"admin\",\"name\":\"Zo\xc3\xab\","
				   "\"email\":\"z@example.org\""),
				secret),
			&caller),
		ERR_OK);
	CU_ASSERT_STRING_EQUAL(caller.id, "auth0|1");
	CU_ASSERT_EQUAL(caller.role, ROLE_ADMIN);
	CU_ASSERT_STRING_EQUAL(caller.name, "Zo\xc3\xab");
	CU_ASSERT_STRING_EQUAL(caller.email, "z@example.org");
	CU_ASSERT_EQUAL_FATAL(
		verify(rules, arena, sign(arena, HEADER, CLAIMS, secret), &caller), ERR_OK);
	CU_ASSERT_PTR_NULL(caller.name);
	CU_ASSERT_PTR_NULL(caller.email);
	http_token_rules_free(&rules);
	arena_free(&arena);
}

/* The Authorization header and the form of the token, each made from a good token. */
static void test_forms(void)
{
	struct arena *arena = arena_new();
	struct err_info info = {0};
	struct http_token_rules *rules;
	struct actor caller;
	const char *token, *head, *body, *mac;
	size_t i;

	CU_ASSERT_EQUAL_FATAL(rules_load(arena, "HS256", secret, "", &rules), ERR_OK);
	token = sign(arena, HEADER, CLAIMS, secret);
	head = arena_strndup(arena, token, strcspn(token, "."));
	body = arena_strndup(
		arena, token + strlen(head) + 1, strcspn(token + strlen(head) + 1, "."));
	mac = token + strlen(head) + strlen(body) + 2;
	{
		const struct {
			const char *name, *authorization;
			bool accepted;
		} cases[] = {
			{"plain", arena_printf(arena, "Bearer %s", token), true},
			{"scheme has no case", arena_printf(arena, "bEARER %s", token), true},
			{"none", NULL, false},
			{"empty", "", false},
			{"only the scheme", "Bearer", false},
			{"only the scheme and a space", "Bearer ", false},
			{"other scheme", arena_printf(arena, "Basic %s", token), false},
			{"no scheme", token, false},
			{"two spaces", arena_printf(arena, "Bearer  %s", token), false},
			{"tab", arena_printf(arena, "Bearer\t%s", token), false},
			{"space behind", arena_printf(arena, "Bearer %s ", token), false},
			{"two tokens", arena_printf(arena, "Bearer %s, Bearer %s", token, token),
				false},
			{"no signature", arena_printf(arena, "Bearer %s.%s.", head, body), false},
			{"two parts", arena_printf(arena, "Bearer %s.%s", head, body), false},
			{"four parts", arena_printf(arena, "Bearer %s.x", token), false},
			{"empty header", arena_printf(arena, "Bearer .%s.%s", body, mac), false},
			{"empty claims", arena_printf(arena, "Bearer %s..%s", head, mac), false},
			{"only dots", "Bearer ..", false},
			{"padding", arena_printf(arena, "Bearer %s=", token), false},
			{"padded claims", arena_printf(arena, "Bearer %s.%s=.%s", head, body, mac),
				false},
			{"plain base64", arena_printf(arena, "Bearer %s.%s+/.%s", head, body, mac),
				false},
			{"line break inside",
				arena_printf(arena, "Bearer %s.\n%s.%s", head, body, mac), false},
			{"signature cut",
				arena_strndup(arena, arena_printf(arena, "Bearer %s", token),
					strlen(token) + 6),
				false},
			{"signature of other claims",
				arena_printf(arena, "Bearer %s.%s.%s", head,
					base64url(arena, WITH("\"x\":1"), strlen(WITH("\"x\":1"))),
					mac),
				false},
			{"other secret",
				arena_printf(arena, "Bearer %s",
					sign(arena, HEADER, CLAIMS,
						"another-secret-of-some-length")),
				false},
		};

		for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
			if (http_token_verify(rules, arena, cases[i].authorization, now, &caller,
				    &info) != (cases[i].accepted ? ERR_OK : ERR_UNAUTHENTICATED))
				CU_FAIL(cases[i].name);
	}
	http_token_rules_free(&rules);
	arena_free(&arena);
}

/* A change of any one character of the token is noticed, stray bits of the last included. */
static void test_every_character_counts(void)
{
	struct arena *arena = arena_new();
	struct http_token_rules *rules;
	struct actor caller;
	char *token;
	size_t i;

	CU_ASSERT_EQUAL_FATAL(rules_load(arena, "HS256", secret, "", &rules), ERR_OK);
	token = sign(arena, HEADER, CLAIMS, secret);
	for (i = 0; token[i]; i++) {
		token[i] ^= 1;
		CU_ASSERT_EQUAL(verify(rules, arena, token, &caller), ERR_UNAUTHENTICATED);
		token[i] ^= 1;
	}
	CU_ASSERT_EQUAL(verify(rules, arena, token, &caller), ERR_OK);
	http_token_rules_free(&rules);
	arena_free(&arena);
}

/* What one key has signed is not taken for signed by another, however often it was seen. */
static void test_other_key(void)
{
	struct arena *arena = arena_new();
	struct http_token_rules *ours, *theirs;
	struct actor caller;
	const char *token = sign(arena, HEADER, CLAIMS, secret);

	CU_ASSERT_EQUAL_FATAL(rules_load(arena, "HS256", secret, "", &ours), ERR_OK);
	CU_ASSERT_EQUAL_FATAL(rules_load(arena, "HS256", S32, "", &theirs), ERR_OK);
	CU_ASSERT_EQUAL(verify(ours, arena, token, &caller), ERR_OK);
	CU_ASSERT_EQUAL(verify(theirs, arena, token, &caller), ERR_UNAUTHENTICATED);
	CU_ASSERT_EQUAL(verify(ours, arena, token, &caller), ERR_OK);
	http_token_rules_free(&ours);
	http_token_rules_free(&theirs);
	arena_free(&arena);
}

static void test_size(void)
{
	struct arena *arena = arena_new();
	struct http_token_rules *rules;
	struct actor caller;
	char filler[8192], *token;

	CU_ASSERT_EQUAL_FATAL(rules_load(arena, "HS256", secret, "", &rules), ERR_OK);
	memset(filler, 'x', sizeof(filler));
	filler[5900] = '\0';
	token = sign(arena, HEADER, arena_printf(arena, WITH("\"x\":\"%s\""), filler), secret);
	CU_ASSERT(strlen(token) > 8000 && strlen(token) <= 8192);
	CU_ASSERT_EQUAL(verify(rules, arena, token, &caller), ERR_OK);
	filler[5900] = 'x';
	filler[6100] = '\0';
	token = sign(arena, HEADER, arena_printf(arena, WITH("\"x\":\"%s\""), filler), secret);
	CU_ASSERT_EQUAL(verify(rules, arena, token, &caller), ERR_UNAUTHENTICATED);
	/* Nesting that would exhaust a parser's stack */
	memset(filler, '[', sizeof(filler));
	filler[5000] = '\0';
	token = sign(arena, HEADER, filler, secret);
	CU_ASSERT_EQUAL(verify(rules, arena, token, &caller), ERR_UNAUTHENTICATED);
	http_token_rules_free(&rules);
	arena_free(&arena);
}

static void test_public_keys(void)
{
	static const struct {
		const char *name, *algorithm, *key, *token;
		bool accepted;
	} cases[] = {
		{"RS256", "RS256", "rsa.pub.pem", "rs256.jwt", true},
		{"RS256 of a stranger", "RS256", "rsa.pub.pem", "rs256-stranger.jwt", false},
		{"RS384 where RS256 is pinned", "RS256", "rsa.pub.pem", "rs384.jwt", false},
		{"ES256 where RS256 is pinned", "RS256", "rsa.pub.pem", "es256.jwt", false},
		{"ES256", "ES256", "ec256.pub.pem", "es256.jwt", true},
		{"RS256 where ES256 is pinned", "ES256", "ec256.pub.pem", "rs256.jwt", false},
	};
	struct arena *arena = arena_new();
	struct http_token_rules *rules;
	struct actor caller;
	char *token;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		CU_ASSERT_EQUAL_FATAL(rules_load(arena, cases[i].algorithm, "",
					      data(arena, cases[i].key), &rules),
			ERR_OK);
		token = data_read(arena, cases[i].token);
		token[strcspn(token, "\n")] = '\0';
		if (verify(rules, arena, token, &caller) !=
			(cases[i].accepted ? ERR_OK : ERR_UNAUTHENTICATED))
			CU_FAIL(cases[i].name);
		if (cases[i].accepted)
			CU_ASSERT_STRING_EQUAL(caller.id, "lawyer-1");
		/* The public key used as a shared secret (RFC 8725 section 2.1) */
		CU_ASSERT_EQUAL(verify(rules, arena,
					sign(arena, HEADER, CLAIMS, data_read(arena, cases[i].key)),
					&caller),
			ERR_UNAUTHENTICATED);
		http_token_rules_free(&rules);
	}
	arena_free(&arena);
}

/* A signature of zeros, which an implementation that does not check the range accepts. */
static void test_zero_signature(void)
{
	struct arena *arena = arena_new();
	struct http_token_rules *rules;
	struct actor caller;
	char *token, *mac;

	CU_ASSERT_EQUAL_FATAL(
		rules_load(arena, "ES256", "", data(arena, "ec256.pub.pem"), &rules), ERR_OK);
	token = data_read(arena, "es256.jwt");
	token[strcspn(token, "\n")] = '\0';
	mac = strrchr(token, '.') + 1;
	CU_ASSERT_EQUAL(strlen(mac), 86);
	memset(mac, 'A', 86);
	CU_ASSERT_EQUAL(verify(rules, arena, token, &caller), ERR_UNAUTHENTICATED);
	http_token_rules_free(&rules);
	arena_free(&arena);
}

static void test_rules(void)
{
	static const struct {
		const char *name, *algorithm, *secret, *key;
		enum err err;
	} cases[] = {
		{"HS256", "HS256", S32, NULL, ERR_OK},
		{"HS256 with a short secret", "HS256", "0123456789abcdef0123456789abcde", NULL,
			ERR_CONFIG},
		{"HS256 without a secret", "HS256", "", NULL, ERR_CONFIG},
		{"RS256", "RS256", "", "rsa.pub.pem", ERR_OK},
		{"RS256 of 4096 bits", "RS256", "", "rsa4096.pub.pem", ERR_OK},
		{"RS256 of 1024 bits", "RS256", "", "rsa1024.pub.pem", ERR_CONFIG},
		{"RS256 with an EC key", "RS256", "", "ec256.pub.pem", ERR_CONFIG},
		{"RS256 without a file", "RS256", S32, "missing.pem", ERR_CONFIG},
		{"RS256 with something else", "RS256", S32, "README.md", ERR_CONFIG},
		{"RS256 with a folder", "RS256", S32, ".", ERR_CONFIG},
		{"ES256", "ES256", "", "ec256.pub.pem", ERR_OK},
		{"ES256 with P-384", "ES256", "", "ec384.pub.pem", ERR_CONFIG},
		{"ES256 with an RSA key", "ES256", "", "rsa.pub.pem", ERR_CONFIG},
		{"none", "none", S32, NULL, ERR_CONFIG},
		{"HS512", "HS512", S32 S32, NULL, ERR_CONFIG},
		{"lower case", "hs256", S32, NULL, ERR_CONFIG},
		{"empty", "", S32, NULL, ERR_CONFIG},
	};
	struct arena *arena = arena_new();
	struct http_token_rules *rules;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (rules_load(arena, cases[i].algorithm, cases[i].secret,
			    cases[i].key ? data(arena, cases[i].key) : "", &rules) != cases[i].err)
			CU_FAIL(cases[i].name);
		CU_ASSERT((rules != NULL) == (cases[i].err == ERR_OK));
		http_token_rules_free(&rules);
	}
	arena_free(&arena);
}

static void test_mint(void)
{
	static const struct {
		const char *name;
		struct actor actor;
		int64_t ttl_s;
		enum err err;
	} cases[] = {
		{"client", {.id = "c1", .role = ROLE_CLIENT}, 60, ERR_OK},
		{"with name and email",
			{.id = "l1",
				.role = ROLE_LAWYER,
				.name = "Ada",
				.email = "ada@example.org"},
			60, ERR_OK},
		{"system", {.id = "s", .role = ROLE_SYSTEM}, 60, ERR_INVALID},
		{"no id", {.role = ROLE_ADMIN}, 60, ERR_INVALID},
		{"id with a line break", {.id = "a\nb", .role = ROLE_ADMIN}, 60, ERR_INVALID},
		{"name not UTF-8", {.id = "a", .role = ROLE_ADMIN, .name = "\xff"}, 60,
			ERR_INVALID},
		{"no time to live", {.id = "a", .role = ROLE_ADMIN}, 0, ERR_INVALID},
		{"negative time to live", {.id = "a", .role = ROLE_ADMIN}, INT64_MIN / 2,
			ERR_INVALID},
		{"endless time to live", {.id = "a", .role = ROLE_ADMIN}, INT64_MAX, ERR_INVALID},
	};
	struct arena *arena = arena_new();
	struct http_token_rules *rules;
	struct err_info info = {0};
	struct actor caller;
	char *token = NULL;
	size_t i;

	CU_ASSERT_EQUAL_FATAL(rules_load(arena, "HS256", secret, "", &rules), ERR_OK);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (http_token_mint(rules, arena, &cases[i].actor, now, cases[i].ttl_s, &token,
			    &info) != cases[i].err)
			CU_FAIL(cases[i].name);
	CU_ASSERT_EQUAL(
		http_token_mint(rules, arena, &cases[1].actor, now, 60, &token, &info), ERR_OK);
	err_clear(&info);
	CU_ASSERT_EQUAL(verify(rules, arena, token, &caller), ERR_OK);
	CU_ASSERT_STRING_EQUAL(caller.name, "Ada");
	CU_ASSERT_EQUAL(http_token_verify(rules, arena, arena_printf(arena, "Bearer %s", token),
				now + 60 * 1000, &caller, &info),
		ERR_UNAUTHENTICATED);
	http_token_rules_free(&rules);

	CU_ASSERT_EQUAL_FATAL(
		rules_load(arena, "ES256", "", data(arena, "ec256.pub.pem"), &rules), ERR_OK);
	CU_ASSERT_EQUAL(
		http_token_mint(rules, arena, &cases[0].actor, now, 60, &token, &info), ERR_CONFIG);
	http_token_rules_free(&rules);
	arena_free(&arena);
}

static const struct unit_case cases[] = {
	{"signed tokens, good and bad", test_signed_tokens},
	{"the caller is read", test_caller},
	{"forms of the header and the token", test_forms},
	{"every character counts", test_every_character_counts},
	{"a signature belongs to its key", test_other_key},
	{"size and nesting", test_size},
	{"public keys", test_public_keys},
	{"a signature of zeros", test_zero_signature},
	{"what the configuration may say", test_rules},
	{"minting", test_mint},
};

UNIT_MAIN("http_token", cases)
