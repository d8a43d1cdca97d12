#define _GNU_SOURCE /* asprintf, strcasestr */
#include "zoom_unit.h"

/* Settings and credentials. */

static void test_check(void)
{
	enum { MAX = 9 };
	static const struct {
		const char *name;
		const char *set[MAX]; /* name, value, … */
		const char *pointers; /* of what is wrong */
	} cases[] = {
		{"nothing", {0},
			"/credentials/client_id /credentials/client_secret "
			"/credentials/account_id"},
		{"a server's",
			{"account_id", "a", "client_id", "c", "client_secret", "s", "host_user",
				"a@b.example"},
			""},
		{"a user's", {"refresh_token", "r", "client_id", "c", "client_secret", "s"}, ""},
		{"a user's, named",
			{"refresh_token", "r", "client_id", "c", "client_secret", "s", "host_user",
				"KDcuGIm1QgePTO8WbOqwIQ"},
			""},
		{"both",
			{"account_id", "a", "refresh_token", "r", "client_id", "c", "host_user",
				"a@b.example"},
			"/credentials/client_secret /credentials/refresh_token"},
		{"no host", {"account_id", "a", "client_id", "c", "client_secret", "s"},
			"/settings/host_user"},
		{"me for a server",
			{"account_id", "a", "client_id", "c", "client_secret", "s", "host_user",
				"me"},
			"/settings/host_user"},
		{"empty is missing",
			{"account_id", "", "refresh_token", "r", "client_id", "c", "client_secret",
				"s"},
			""},
		{"colon", {"refresh_token", "r", "client_id", "c:d", "client_secret", "s:t"},
			"/credentials/client_id"},
		{"line break", {"refresh_token", "r\n", "client_id", "c", "client_secret", "s s"},
			"/credentials/client_secret /credentials/refresh_token"},
	};
	static const struct {
		const char *name, *value;
		bool ok;
	} values[] = {
		{"host_user", "a@b.example", true},
		{"host_user",
			"j\xc3\xb6rg@b\xc3\xbc"
			"cher.example",
			true},
		{"host_user", "a b@c.example", false},
		{"host_user", "a@b@c", false},
		{"host_user", "@b.example", false},
		{"host_user", "a@", false},
		{"host_user", "a@.example", false},
		{"host_user", "../users", false},
		{"host_user", "a;b", false},
		{"authentication", "none", true},
		{"authentication", "signed_in", true},
		{"authentication", "Signed_in", false},
		{"alternative_hosts", "a@b.example", true},
		{"alternative_hosts", "a@b.example;c@d.example", true},
		{"alternative_hosts", "a@b.example;", false},
		{"alternative_hosts", "a@b.example;;c@d.example", false},
		{"alternative_hosts", "a@b.example,c@d.example", false},
		{"alternative_hosts", "a@b;a@b;a@b;a@b;a@b;a@b;a@b;a@b;a@b;a@b;a@b", false},
		{"webhook_secret", "whatever", true},
		{"webhook_secret", "what ever", false},
	};
	struct arena *arena = arena_new();
	struct bench bench = {.arena = arena};
	struct err_info info;
	char pointers[256];
	size_t i, j;
	enum err err;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		config_init(arena, &bench.config);
		for (j = 0; j + 1 < MAX && cases[i].set[j]; j += 2)
			set(&bench, cases[i].set[j], cases[i].set[j + 1]);
		err_clear(&info);
		err = provider_zoom.check(NULL, &bench.config, &info);
		pointers[0] = '\0';
		for (j = 0; j < info.field_count; j++)
			sprintf(pointers + strlen(pointers), "%s%s", j ? " " : "",
				info.fields[j].pointer);
		UNIT_CHECK(strcmp(pointers, cases[i].pointers) == 0, cases[i].name);
		UNIT_CHECK(err == (pointers[0] ? ERR_INVALID : ERR_OK), cases[i].name);
	}
	for (i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		config_init(arena, &bench.config);
		set(&bench, "refresh_token", "r");
		set(&bench, "client_id", "c");
		set(&bench, "client_secret", "s");
		set(&bench, values[i].name, values[i].value);
		err_clear(&info);
		err = provider_zoom.check(NULL, &bench.config, &info);
		UNIT_CHECK(err == (values[i].ok ? ERR_OK : ERR_INVALID), values[i].value);
		UNIT_CHECK(info.field_count == !values[i].ok, values[i].value);
	}
	arena_free(&arena);
}

/* Tokens. */

#define GRANTED "{\"access_token\":\"t-1\",\"token_type\":\"bearer\",\"expires_in\":3599"

static enum err grant(struct bench *bench, const char *refresh, struct provider_grant *grant_r)
{
	return provider_zoom.grant(&bench->call, refresh, grant_r, &bench->info);
}

static void test_grant(void)
{
	static const struct step steps[] = {{TOKEN, 200, GRANTED "}", NULL},
		{TOKEN, 200, GRANTED ",\"refresh_token\":\"r-2\"}", NULL},
		{TOKEN, 200, "{\"access_token\":\"t-3\",\"expires_in\":\"1800\"}", NULL}, {0}};
	struct provider_grant got;
	struct bench bench;

	bench_init(&bench, "grant", steps);
	CU_ASSERT_EQUAL(grant(&bench, NULL, &got), ERR_OK);
	CU_ASSERT_STRING_EQUAL(got.access_token, "t-1");
	CU_ASSERT_PTR_NULL(got.refresh_token);
	CU_ASSERT_EQUAL(got.expires_in_s, 3599);
	CU_ASSERT_PTR_NOT_NULL(strstr(
		bench.peer.requests[0], "Authorization: Basic Y2xpZW50LTE6Y2FuYXJ5LTljMWU=\r\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(
		bench.peer.requests[0], "Content-Type: application/x-www-form-urlencoded\r\n"));
	CU_ASSERT_STRING_EQUAL(
		sent_body(&bench, 0), "grant_type=account_credentials&account_id=account-1");

	set(&bench, "account_id", NULL);
	set(&bench, "refresh_token", "r/1");
	CU_ASSERT_EQUAL(grant(&bench, NULL, &got), ERR_OK);
	CU_ASSERT_STRING_EQUAL(got.refresh_token, "r-2");
	CU_ASSERT_STRING_EQUAL(
		sent_body(&bench, 1), "grant_type=refresh_token&refresh_token=r%2F1");
	CU_ASSERT_EQUAL(grant(&bench, "r-2", &got), ERR_OK);
	CU_ASSERT_EQUAL(got.expires_in_s, 1800);
	CU_ASSERT_STRING_EQUAL(sent_body(&bench, 2), "grant_type=refresh_token&refresh_token=r-2");
	bench_fini(&bench);
}

static void test_grant_errors(void)
{
	static const struct {
		int status;
		const char *body;
		enum err err;
	} cases[] = {
		{400, "{\"reason\":\"hostile\",\"error\":\"invalid_client\"}", ERR_CREDENTIAL},
		{401, "{\"reason\":\"hostile\",\"error\":\"invalid_client\"}", ERR_CREDENTIAL},
		{400, "{\"reason\":\"Account does not exist\",\"error\":\"invalid_request\"}",
			ERR_CREDENTIAL},
		{400, "{\"error\":\"unsupported_grant_type\"}", ERR_CREDENTIAL},
		{401, "{\"reason\":\"Invalid Token!\",\"error\":\"invalid_grant\"}",
			ERR_CREDENTIAL},
		{400, "{\"code\":4702,\"message\":\"hostile\"}", ERR_CREDENTIAL},
		{401, "{\"code\":4741,\"message\":\"hostile\"}", ERR_CREDENTIAL},
		{403, "{\"code\":4738,\"message\":\"hostile\"}", ERR_CREDENTIAL},
		{404, "{\"code\":4717,\"message\":\"hostile\"}", ERR_CREDENTIAL},
		{429, "{\"code\":429}", ERR_TEMPORARY},
		{500, "{\"code\":1}", ERR_TEMPORARY},
		{503, "<html>hostile</html>", ERR_TEMPORARY},
		{400, "<html>hostile</html>", ERR_TEMPORARY},
		{403, "", ERR_TEMPORARY},
		{200, "<html>hostile</html>", ERR_TEMPORARY},
		{200, "{}", ERR_TEMPORARY},
		{200, "{\"access_token\":\"a b\"}", ERR_TEMPORARY},
		{200, "{\"access_token\":\"a\\r\\nX: y\"}", ERR_TEMPORARY},
		{0, "", ERR_OUTCOME_UNKNOWN},
	};
	struct provider_grant got;
	struct bench bench;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct step steps[] = {{TOKEN, cases[i].status, cases[i].body, NULL}, {0}};

		bench_init(&bench, cases[i].body, steps);
		UNIT_CHECK(grant(&bench, NULL, &got) == cases[i].err, cases[i].body);
		UNIT_CHECK(bench.info.err == cases[i].err, cases[i].body);
		UNIT_CHECK(strncmp(bench.info.detail, "Zoom: ", 6) == 0, cases[i].body);
		bench_fini(&bench);
	}
}

/* A token says where the API is: only Zoom's own hosts are believed. */
static void test_base_url(void)
{
	static const struct {
		const char *api_url, *base;
	} cases[] = {
		{"https://api.zoom.us", "https://api.zoom.us/v2"},
		{"https://api-eu.zoom.us", "https://api-eu.zoom.us/v2"},
		{"https://api-eu.zoom.us/v2", "https://api-eu.zoom.us/v2"},
		{"https://API.ZOOM.US", "https://API.ZOOM.US/v2"},
		{"https://zoom.us", "https://zoom.us/v2"},
		{"http://api.zoom.us", NULL},
		{"https://api.zoom.us.evil.example", NULL},
		{"https://evilzoom.us", NULL},
		{"https://.zoom.us", NULL},
		{"https://zoom.us@evil.example", NULL},
		{"https://evil.example/.zoom.us", NULL},
		{"https://evil.example#.zoom.us", NULL},
		{"https://evil.example\\\\.zoom.us", NULL},
		{"https://api.zoom.us:444", NULL},
		{"https://api.zoom.us/", NULL},
		{"https://api.zoom.us/v2?x=.zoom.us", NULL},
		{"https://", NULL},
		{"", NULL},
	};
	struct provider_grant got;
	struct bench bench;
	char body[256];
	size_t i;
	int ours;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		for (ours = 0; ours < 2; ours++) {
			const struct step steps[] = {{TOKEN, 200, body, NULL}, {0}};

			snprintf(body, sizeof(body), GRANTED ",\"api_url\":\"%s\"}",
				cases[i].api_url);
			bench_init(&bench, cases[i].api_url, steps);
			if (!ours)
				bench.conf.zoom_api_url =
					arena_strdup(bench.arena, "https://api.zoom.us/v2");
			UNIT_CHECK(grant(&bench, NULL, &got) == ERR_OK, cases[i].api_url);
			UNIT_CHECK(
				ours || !cases[i].base
					? !got.base_url
					: got.base_url && strcmp(got.base_url, cases[i].base) == 0,
				cases[i].api_url);
			bench_fini(&bench);
		}
}

static void test_renewal(void)
{
	static const char refused[] = "{\"code\":124,\"message\":\"Access token is expired.\"}";
	static const char scopes[] = "{\"code\":4711,\"message\":\"Invalid access token, does not "
				     "contain scopes:[meeting:write].\"}";
	static const struct step once[] = {{CREATE, 401, refused, NULL},
		{TOKEN, 200, GRANTED "}", NULL}, {CREATE, 201, MADE, NULL}, {0}};
	static const struct step twice[] = {{CREATE, 401, refused, NULL},
		{TOKEN, 200, GRANTED "}", NULL}, {CREATE, 401, refused, NULL}, {0}};
	static const struct step lacking[] = {{CREATE, 400, scopes, NULL},
		{TOKEN, 200, GRANTED "}", NULL}, {CREATE, 400, scopes, NULL}, {0}};
	static const struct step revoked[] = {{CREATE, 401, refused, NULL},
		{TOKEN, 400, "{\"error\":\"invalid_client\"}", NULL}, {0}};
	struct bench bench;

	bench_init(&bench, "renewed", once);
	CU_ASSERT_EQUAL(create(&bench, false), ERR_OK);
	CU_ASSERT_PTR_NOT_NULL(strstr(bench.peer.requests[0], "Authorization: Bearer token-0\r\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(bench.peer.requests[2], "Authorization: Bearer t-1\r\n"));
	bench_fini(&bench);

	bench_init(&bench, "refused again", twice);
	CU_ASSERT_EQUAL(create(&bench, false), ERR_CREDENTIAL);
	bench_fini(&bench);

	bench_init(&bench, "no scopes", lacking);
	CU_ASSERT_EQUAL(create(&bench, false), ERR_CREDENTIAL);
	CU_ASSERT_PTR_NOT_NULL(strstr(bench.info.detail, "scope"));
	bench_fini(&bench);

	bench_init(&bench, "revoked", revoked);
	CU_ASSERT_EQUAL(create(&bench, false), ERR_CREDENTIAL);
	bench_fini(&bench);
}

static void test_validate(void)
{
#define USER    "GET /v2/users/host%2B1%40lawyers.example HTTP/1.1\r\n"
#define FEW     "GET /v2/users/host%2B1%40lawyers.example/meetings?type=upcoming&page_size=1 "
#define NO_SUCH "{\"code\":3001,\"message\":\"Meeting does not exist: 1.\"}"
#define PROBES                                                                                     \
	{"GET /v2/meetings/1 ", 404, NO_SUCH, NULL},                                               \
		{"PATCH /v2/meetings/1 ", 404, NO_SUCH, NULL},                                     \
	{                                                                                          \
		"PUT /v2/meetings/1/status ", 400, "{\"code\":300}", NULL                          \
	}
#define PROBE "DELETE /v2/meetings/1 HTTP/1.1\r\n"
	static const char lacks[] = "{\"code\":4711,\"message\":\"hostile scopes\"}";
	static const struct {
		const char *name;
		struct step steps[9];
		const char *checks;
	} cases[] = {
		{"all well",
			{{USER, 200, "{\"type\":2}", NULL}, {FEW, 200, NONE, NULL}, PROBES,
				{PROBE, 404, NO_SUCH, NULL}},
			"+token +host +permissions"},
		{"unknown host", {{USER, 404, "{\"code\":1001}", NULL}}, "+token -host"},
		{"may not read users",
			{{USER, 400, lacks, NULL}, {TOKEN, 200, GRANTED "}", NULL},
				{USER, 400, lacks, NULL}, {FEW, 200, NONE, NULL}, PROBES,
				{PROBE, 404, NO_SUCH, NULL}},
			"+token +host +permissions"},
		{"may not list", {{USER, 200, "{\"type\":1}", NULL}, {FEW, 403, "{}", NULL}},
			"+token +host -permissions"},
		{"may not delete",
			{{USER, 200, "{}", NULL}, {FEW, 200, NONE, NULL}, PROBES,
				{PROBE, 400, lacks, NULL}, {TOKEN, 200, GRANTED "}", NULL},
				{PROBE, 400, lacks, NULL}},
			"+token +host -permissions"},
		{"away", {{USER, 503, "", NULL}}, "+token -host"},
		{"no token", {{TOKEN, 401, "{\"error\":\"invalid_client\"}", NULL}}, "-token"},
	};
	struct model_list checks;
	struct bench bench;
	char text[128];
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		bench_init(&bench, cases[i].name, cases[i].steps);
		if (cases[i].checks[0] == '-')
			stored = (struct provider_token){.rev = 0};
		checks = (struct model_list){0};
		provider_zoom.validate(&bench.call, &checks);
		text[0] = '\0';
		MODEL_FOREACH (&checks, struct provider_check, check) {
			sprintf(text + strlen(text), "%s%c%s", text[0] ? " " : "",
				check->ok ? '+' : '-', check->name);
			/* What Zoom says itself is marked as that. */
			UNIT_CHECK(check->detail[0] &&
					   (!strstr(check->detail, "hostile") ||
						   strstr(check->detail,
							   " It says: \"4711: hostile scopes\"")),
				cases[i].name);
		}
		UNIT_CHECK(strcmp(text, cases[i].checks) == 0, cases[i].name);
		bench_fini(&bench);
	}
}

static void test_table(void)
{
	CU_ASSERT_PTR_EQUAL(provider_find("zoom"), &provider_zoom);
}

static const struct unit_case cases[] = {
	{"table", test_table},
	{"check", test_check},
	{"grant", test_grant},
	{"grant errors", test_grant_errors},
	{"base url", test_base_url},
	{"renewal", test_renewal},
	{"validate", test_validate},
};

UNIT_MAIN("provider_zoom", cases)
