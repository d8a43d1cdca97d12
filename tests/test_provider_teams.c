#define _GNU_SOURCE /* strcasestr */
#include <json-c/json.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>

#include "clock.h"
#include "provider_http.h"
#include "provider_teams.h"
#include "provider_token.h"
#include "unit.h"
#include "unit_listen.h"

#define KEY       "AAECAwQFBgcICQoLDA0ODw"
#define TENANT    "8f1c-tenant.example"
#define ORGANIZER "host@example.com"
#define USER      "/v1.0/users/host%40example.com/onlineMeetings/"
#define ID        "MSo1*/+="
#define ID_PATH   USER "MSo1%2A%2F%2B%3D"
#define JOIN      "https://teams.microsoft.com/l/meetup-join/19%3ax/0?context=%7b%7d"

static const int64_t now = INT64_C(1900000000) * 1000;

/* Graph and the token endpoint: one scripted reply for each request, in order. */

enum { MAX_REPLIES = 6, MAX_REQUEST = 8192 };

struct reply {
	int status; /* 0: hangs up without an answer */
	const char *body;
};

struct server {
	int fd;
	pthread_t thread;
	char url[64];
	struct reply replies[MAX_REPLIES + 1];
	char requests[MAX_REPLIES][MAX_REQUEST];
	int count;
};

static bool request_is_whole(const char *request)
{
	const char *head = strstr(request, "\r\n\r\n"), *length;

	if (!head)
		return false;
	length = strcasestr(request, "\r\nContent-Length:");
	return !length || length > head || strlen(head + 4) >= strtoul(length + 17, NULL, 10);
}

static void serve(struct server *server, int fd)
{
	const struct reply *reply = &server->replies[server->count];
	char *request = server->requests[server->count++];
	size_t len = 0;
	ssize_t got = 1;

	while (got > 0 && !request_is_whole(request) && len < MAX_REQUEST - 1) {
		got = read(fd, request + len, MAX_REQUEST - 1 - len);
		len += got > 0 ? (size_t)got : 0;
	}
	if (reply->status)
		dprintf(fd,
			"HTTP/1.1 %d Said\r\nConnection: close\r\nContent-Length: %zu\r\n"
			"Retry-After: 9\r\nLocation: http://127.0.0.1:1/canary\r\n\r\n%s",
			reply->status, strlen(reply->body), reply->body);
	shutdown(fd, SHUT_WR);
	while (read(fd, (char[64]){0}, 64) > 0)
		;
	close(fd);
}

static void *serve_all(void *data)
{
	const struct timeval patience = {.tv_sec = 2};
	struct server *server = data;
	int fd;

	while (server->count < MAX_REPLIES && (fd = accept(server->fd, NULL, NULL)) >= 0) {
		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
		serve(server, fd);
	}
	return NULL;
}

static void server_start(struct server *server)
{
	int port;

	server->fd = unit_listen(&port);
	snprintf(server->url, sizeof(server->url), "http://127.0.0.1:%d", port);
	if (pthread_create(&server->thread, NULL, serve_all, server) != 0)
		abort();
}

/* Afterwards the requests belong to the test. */
static void server_stop(struct server *server)
{
	shutdown(server->fd, SHUT_RDWR);
	pthread_join(server->thread, NULL);
	close(server->fd);
}

/* A store of one token. */

static enum err store_load(void *data, struct arena *arena, const char *id,
	struct provider_token *token_r, struct err_info *info)
{
	(void)arena, (void)id, (void)info;
	*token_r = *(const struct provider_token *)data;
	return ERR_OK;
}

static enum err store_lease(void *data, const char *id, struct provider_token *token, int64_t at,
	int64_t until, struct err_info *info)
{
	(void)id, (void)at, (void)until, (void)info;
	token->rev = ++((struct provider_token *)data)->rev;
	return ERR_OK;
}

static enum err store_save(void *data, struct arena *arena, const char *id,
	struct provider_token *token, struct err_info *info)
{
	(void)arena, (void)id, (void)info;
	token->rev++;
	*(struct provider_token *)data = *token;
	return ERR_OK;
}

/* One call of the provider against the server, for one request. */
struct bench {
	struct arena *arena;
	struct server server;
	struct conf conf;
	struct config config;
	struct provider_token token;
	struct provider_token_store store;
	struct provider_call call;
	struct rest *rest;
	struct security security;
	struct meeting meeting;
	struct request request;
	struct provider_plan plan;
	struct err_info info;
	struct meeting_link link;
};

static void bench_set(struct bench *bench, const char *name, const char *value)
{
	const bool setting = strcmp(name, "organizer") == 0;

	config_set_text(bench->arena,
		setting ? &bench->config.settings : &bench->config.credentials, "teams", name,
		value);
}

static void bench_call(struct bench *bench)
{
	bench->conf.teams_api_url = arena_printf(bench->arena, "%s/v1.0", bench->server.url);
	bench->conf.teams_token_url =
		arena_printf(bench->arena, "%s/{tenant}/oauth2/v2.0/token", bench->server.url);
	bench->store = (struct provider_token_store){.data = &bench->token,
		.load = store_load,
		.lease = store_lease,
		.save = store_save};
	bench->rest = rest_new();
	bench->call = (struct provider_call){
		.arena = bench->arena,
		.conf = &bench->conf,
		.config = &bench->config,
		.provider = &provider_teams,
		.rest = bench->rest,
		.tokens = &bench->store,
		.now = now,
		.until_us = clock_monotonic_us() + UNIT_PATIENCE_US,
		.attempt_ms = UNIT_PATIENCE_MS,
	};
}

static void bench_start(struct bench *bench, const struct reply *replies)
{
	int i;

	*bench = (struct bench){.arena = arena_new(),
		.security = {.waiting_room = true},
		.token = {.access_token = "t0", .expires_at = now + INSTANT_HOUR, .rev = 1}};
	for (i = 0; i < MAX_REPLIES && replies[i].body; i++)
		bench->server.replies[i] = replies[i];
	bench_set(bench, "tenant_id", TENANT);
	bench_set(bench, "client_id", "app-1");
	bench_set(bench, "client_secret", "s&=cret");
	bench_set(bench, "organizer", ORGANIZER);
	bench->meeting = (struct meeting){.provider_key = KEY,
		.external_id = ID,
		.account = TENANT "/" ORGANIZER,
		.provider_url = JOIN,
		.security = &bench->security};
	bench->request = (struct request){.id = "r-1",
		.title = "Advice \"on\" a lease \xe2\x80\x93 1/2",
		.starts_at = now + INSTANT_DAY,
		.ends_at = now + INSTANT_DAY + INSTANT_HOUR,
		.meeting = &bench->meeting};
	provider_token_forget();
	server_start(&bench->server);
	bench_call(bench);
}

/* As the request is by now; its meeting has the same times. */
static const struct provider_plan *planned(struct bench *bench)
{
	bench->meeting.starts_at = bench->request.starts_at;
	bench->meeting.ends_at = bench->request.ends_at;
	bench->meeting.timezone = bench->request.timezone;
	bench->plan = provider_plan(&bench->request);
	return &bench->plan;
}

static enum err bench_create(struct bench *bench)
{
	const enum err err = provider_teams.create(
		&bench->call, planned(bench), false, &bench->link, &bench->info);

	server_stop(&bench->server);
	return err;
}

static enum err bench_update(struct bench *bench)
{
	const enum err err =
		provider_teams.update(&bench->call, planned(bench), &bench->link, &bench->info);

	server_stop(&bench->server);
	return err;
}

static enum err bench_remove(struct bench *bench, const struct provider_target *target)
{
	const enum err err = provider_teams.remove(&bench->call, target, &bench->info);

	server_stop(&bench->server);
	return err;
}

static void bench_fini(struct bench *bench)
{
	rest_free(&bench->rest);
	arena_free(&bench->arena);
}

static bool asked(const struct bench *bench, int i, const char *line)
{
	return i < bench->server.count &&
	       strncmp(bench->server.requests[i], line, strlen(line)) == 0 &&
	       bench->server.requests[i][strlen(line)] == ' ';
}

/* A member of a request's body as JSON text, "" when there is none. */
static const char *sent(struct bench *bench, int i, const char *path)
{
	const char *body = strstr(bench->server.requests[i], "\r\n\r\n");
	struct json_object *json = body ? json_tokener_parse(body + 4) : NULL, *value = NULL;
	const char *text = "";

	if (json_pointer_get(json, path, &value) == 0)
		text = arena_strdup(bench->arena,
			json_object_to_json_string_ext(
				value, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(json);
	return text;
}

/* The names of the warned settings, each with a blank behind it. */
static const char *warned(struct bench *bench)
{
	const char *names = "";

	MODEL_FOREACH (&bench->link.warnings, struct warning, warning)
		names = arena_printf(bench->arena, "%s%.*s ", names,
			(int)strcspn(warning->detail, ":"), warning->detail);
	return names;
}

#define MEETING(scope)                                                                             \
	"{\"id\":\"" ID "\",\"joinWebUrl\":\"" JOIN "\","                                          \
	"\"startDateTime\":\"2030-03-18T17:46:40Z\",\"endDateTime\":\"2030-03-18T18:46:40Z\","     \
	"\"joinMeetingIdSettings\":{\"isPasscodeRequired\":true,\"passcode\":\"pq7\"},"            \
	"\"audioConferencing\":{\"tollNumber\":\"+12525634478\",\"conferenceId\":\"2425999\"},"    \
	"\"lobbyBypassSettings\":{\"scope\":\"" scope "\"}}"
#define BARE(id, url) "{\"id\":" id ",\"joinWebUrl\":" url ",\"joinMeetingIdSettings\":null}"
#define FAULT(code)   "{\"error\":{\"code\":\"" code "\",\"message\":\"canary\"}}"

static void test_check(void)
{
	static const struct {
		const char *name, *setting, *value, *pointers;
	} rows[] = {
		{"complete", "organizer", ORGANIZER, ""},
		{"a tenant's id", "tenant_id", "6f9b1c2e-0000-4000-8000-000000000000", ""},
		{"no tenant", "tenant_id", NULL, "/credentials/tenant_id "},
		{"an empty tenant", "tenant_id", "", "/credentials/tenant_id "},
		{"a tenant that is a path", "tenant_id", "a/b", "/credentials/tenant_id "},
		{"a tenant that leaves its folder", "tenant_id", "..", "/credentials/tenant_id "},
		{"a tenant with a query", "tenant_id", "a?b", "/credentials/tenant_id "},
		{"no client_id", "client_id", NULL, "/credentials/client_id "},
		{"no secret", "client_secret", NULL, "/credentials/client_secret "},
		{"no organizer", "organizer", NULL, "/settings/organizer "},
		{"an organizer with a blank", "organizer", "Lex Luther", "/settings/organizer "},
		{"an organizer that leaves its folder", "organizer", "..", "/settings/organizer "},
	};
	struct bench bench;
	const char *pointers;
	size_t i, j;
	enum err err;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		bench_start(&bench, &(struct reply){0});
		bench_set(&bench, rows[i].setting, rows[i].value);
		err = provider_teams.check(&bench.conf, &bench.config, &bench.info);
		UNIT_CHECK(err == (rows[i].pointers[0] ? ERR_INVALID : ERR_OK), rows[i].name);
		UNIT_CHECK(provider_teams.check(&bench.conf, &bench.config, NULL) == err,
			rows[i].name);
		pointers = "";
		for (j = 0; j < bench.info.field_count; j++)
			pointers = arena_printf(
				bench.arena, "%s%s ", pointers, bench.info.fields[j].pointer);
		UNIT_CHECK(strcmp(pointers, rows[i].pointers) == 0, rows[i].name);
		server_stop(&bench.server);
		bench_fini(&bench);
	}
}

#define TOKEN_FAULT(error, number)                                                                 \
	"{\"error\":\"" error "\",\"error_description\":\"AADSTS" #number                          \
	": canary\",\"error_codes\":[" #number "]}"

static void test_grant(void)
{
	static const struct {
		const char *name;
		struct reply reply;
		enum err err;
		const char *words; /* part of what is said */
	} rows[] = {
		{"a token", {200, "{\"access_token\":\"t1\",\"expires_in\":3599}"}, ERR_OK, ""},
		{"as text", {200, "{\"access_token\":\"t1\",\"expires_in\":\"3599\"}"}, ERR_OK, ""},
		{"wrong secret", {401, TOKEN_FAULT("invalid_client", 7000215)}, ERR_CREDENTIAL,
			"client_secret is wrong"},
		{"expired secret", {401, TOKEN_FAULT("invalid_client", 7000222)}, ERR_CREDENTIAL,
			"expired"},
		{"unknown app", {400, TOKEN_FAULT("unauthorized_client", 700016)}, ERR_CREDENTIAL,
			"client_id"},
		{"bad scope", {400, TOKEN_FAULT("invalid_scope", 1002012)}, ERR_CREDENTIAL,
			"Microsoft Graph"},
		{"no such tenant", {400, TOKEN_FAULT("invalid_request", 90002)}, ERR_CREDENTIAL,
			"tenant_id"},
		{"any other refusal", {400, TOKEN_FAULT("invalid_request", 900144)}, ERR_CREDENTIAL,
			"HTTP 400"},
		{"no numbers", {401, "{\"error\":\"invalid_client\"}"}, ERR_CREDENTIAL, "HTTP 401"},
		{"numbers of another kind",
			{401, "{\"error\":\"invalid_client\",\"error_codes\":[\"x\"]}"},
			ERR_CREDENTIAL, "HTTP 401"},
		{"busy", {400, "{\"error\":\"temporarily_unavailable\",\"error_codes\":[1]}"},
			ERR_TEMPORARY, "HTTP 400"},
		{"too many", {429, "{}"}, ERR_TEMPORARY, "HTTP 429"},
		{"broken", {500, "<html>canary</html>"}, ERR_TEMPORARY, "HTTP 500"},
		{"gateway", {502, "<html>canary</html>"}, ERR_TEMPORARY, "HTTP 502"},
		{"hangs up", {0, ""}, ERR_TEMPORARY, ""},
		{"not there", {404, "canary"}, ERR_UNAVAILABLE, "HTTP 404"},
		{"elsewhere", {302, ""}, ERR_UNAVAILABLE, "HTTP 302"},
		{"not JSON", {200, "<html>canary</html>"}, ERR_TEMPORARY, "no access token"},
		{"no token", {200, "{\"expires_in\":3599}"}, ERR_TEMPORARY, "no access token"},
		{"an empty token", {200, "{\"access_token\":\"\",\"expires_in\":3599}"},
			ERR_TEMPORARY, "no access token"},
		{"a token that never lived", {200, "{\"access_token\":\"t1\",\"expires_in\":0}"},
			ERR_TEMPORARY, "no access token"},
		{"a list", {200, "[]"}, ERR_TEMPORARY, "no access token"},
	};
	struct provider_grant grant;
	struct bench bench;
	enum err err;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		bench_start(&bench, (struct reply[]){rows[i].reply, {0}});
		err = provider_teams.grant(&bench.call, NULL, &grant, &bench.info);
		server_stop(&bench.server);
		UNIT_CHECK(err == rows[i].err, rows[i].name);
		UNIT_CHECK(strstr(bench.info.detail, rows[i].words) != NULL, rows[i].name);
		UNIT_CHECK(!strstr(bench.info.detail, "canary"), rows[i].name);
		UNIT_CHECK(
			rows[i].reply.status < 400 || bench.info.retry_after_s == 9, rows[i].name);
		UNIT_CHECK(err != ERR_OK || (strcmp(grant.access_token, "t1") == 0 &&
						    grant.expires_in_s == 3599),
			rows[i].name);
		UNIT_CHECK(asked(&bench, 0, "POST /" TENANT "/oauth2/v2.0/token"), rows[i].name);
		UNIT_CHECK(strstr(bench.server.requests[0],
				   "\r\n\r\ngrant_type=client_credentials&client_id=app-1&"
				   "client_secret=s%26%3Dcret&"
				   "scope=https%3A%2F%2Fgraph.microsoft.com%2F.default") != NULL,
			rows[i].name);
		bench_fini(&bench);
	}
}

/* Credentials that were taken away while a deletion was owed. */
static void test_grant_unset(void)
{
	struct provider_grant grant;
	struct bench bench;

	bench_start(&bench, &(struct reply){0});
	bench_set(&bench, "client_secret", NULL);
	CU_ASSERT_EQUAL(
		provider_teams.grant(&bench.call, NULL, &grant, &bench.info), ERR_CREDENTIAL);
	bench_set(&bench, "tenant_id", NULL);
	CU_ASSERT_EQUAL(bench_remove(&bench,
				&(struct provider_target){.provider_key = KEY, .external_id = ID}),
		ERR_CREDENTIAL);
	CU_ASSERT_EQUAL(bench.server.count, 0);
	bench_fini(&bench);
}

static void test_create(void)
{
	static const int statuses[] = {201, 200};
	struct bench bench;
	size_t i;

	for (i = 0; i < 2; i++) {
		bench_start(&bench, (struct reply[]){{statuses[i], MEETING("organization")},
					    {200, MEETING("organizer")}, {0}});
		CU_ASSERT_EQUAL(bench_create(&bench), ERR_OK);
		CU_ASSERT_STRING_EQUAL(bench.link.url, JOIN);
		CU_ASSERT_STRING_EQUAL(bench.link.external_id, ID);
		CU_ASSERT_STRING_EQUAL(bench.link.passcode, "pq7");
		CU_ASSERT_EQUAL(bench.link.dial_in.count, 1);
		CU_ASSERT_STRING_EQUAL(*MODEL_AT(&bench.link.dial_in, const char *, 0),
			"+12525634478, conference ID 2425999");
		CU_ASSERT_STRING_EQUAL(warned(&bench), "");

		CU_ASSERT_EQUAL(bench.server.count, 2);
		CU_ASSERT(asked(&bench, 0, "POST " USER "createOrGet"));
		CU_ASSERT_PTR_NOT_NULL(
			strcasestr(bench.server.requests[0], "\r\nAuthorization: Bearer t0\r\n"));
		CU_ASSERT_PTR_NOT_NULL(strcasestr(
			bench.server.requests[0], "\r\nContent-Type: application/json\r\n"));
		CU_ASSERT_STRING_EQUAL(sent(&bench, 0, "/externalId"), "\"meetlink-" KEY "\"");
		CU_ASSERT(asked(&bench, 1, "PATCH " ID_PATH));
		CU_ASSERT_STRING_EQUAL(sent(&bench, 1, "/lobbyBypassSettings"),
			"{\"scope\":\"organizer\",\"isDialInBypassEnabled\":false}");
		CU_ASSERT_STRING_EQUAL(sent(&bench, 1, "/allowedPresenters"), "\"organizer\"");
		CU_ASSERT_STRING_EQUAL(sent(&bench, 1, "/externalId"), "");
		CU_ASSERT_STRING_EQUAL(
			sent(&bench, 0, "/startDateTime"), "\"2030-03-18T17:46:40Z\"");
		CU_ASSERT_STRING_EQUAL(
			sent(&bench, 1, "/startDateTime"), "\"2030-03-18T17:46:40Z\"");
		CU_ASSERT_STRING_EQUAL(sent(&bench, 1, "/endDateTime"), "\"2030-03-18T18:46:40Z\"");
		CU_ASSERT_STRING_EQUAL(sent(&bench, 1, "/subject"),
			"\"Advice \\\"on\\\" a lease \xe2\x80\x93 1/2\"");
		bench_fini(&bench);
	}
}

static void test_warnings(void)
{
	static const struct {
		const char *name;
		struct security security;
		const char *patched; /* what PATCH answers */
		const char *scope;   /* asked for */
		const char *warned;
	} rows[] = {
		{"granted", {.waiting_room = true}, MEETING("organizer"), "\"organizer\"", ""},
		{"not granted", {.waiting_room = true}, MEETING("organization"), "\"organizer\"",
			"waiting_room "},
		{"not said", {.waiting_room = true}, "{}", "\"organizer\"", "waiting_room "},
		{"of another kind", {.waiting_room = true},
			"{\"lobbyBypassSettings\":[\"organizer\"]}", "\"organizer\"",
			"waiting_room "},
		{"none wanted", {.join_before_host = true}, MEETING("everyone"), "\"everyone\"",
			""},
		{"none wanted, some kept", {.join_before_host = true}, MEETING("organization"),
			"\"everyone\"", "waiting_room "},
		{"none, yet not before the host", {0}, MEETING("everyone"), "\"everyone\"",
			"join_before_host "},
		{"one, yet before the host", {.waiting_room = true, .join_before_host = true},
			MEETING("organizer"), "\"organizer\"", "join_before_host "},
		{"all", {true, true, true, true, true}, MEETING("organizer"), "\"organizer\"",
			"join_before_host mute_on_entry host_video "},
	};
	struct bench bench;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		bench_start(&bench, (struct reply[]){{201, MEETING("organization")},
					    {200, rows[i].patched}, {0}});
		bench.security = rows[i].security;
		UNIT_CHECK(bench_create(&bench) == ERR_OK, rows[i].name);
		UNIT_CHECK(strcmp(warned(&bench), rows[i].warned) == 0, rows[i].name);
		UNIT_CHECK(
			strcmp(sent(&bench, 1, "/lobbyBypassSettings/scope"), rows[i].scope) == 0,
			rows[i].name);
		bench_fini(&bench);
	}
}

static void test_passcode(void)
{
	struct bench bench;

	bench_start(&bench, (struct reply[]){{201, BARE("\"m1\"", "\"" JOIN "\"")},
				    {200, MEETING("organizer")}, {0}});
	bench.security.passcode_required = true;
	CU_ASSERT_EQUAL(bench_create(&bench), ERR_OK);
	CU_ASSERT_PTR_NULL(bench.link.passcode);
	CU_ASSERT_EQUAL(bench.link.dial_in.count, 0);
	CU_ASSERT_STRING_EQUAL(warned(&bench), "passcode_required ");
	bench_fini(&bench);
}

static void test_create_fails(void)
{
	static const struct {
		const char *name;
		struct reply reply;
		enum err err;
	} rows[] = {
		{"400", {400, FAULT("BadRequest")}, ERR_PERMANENT},
		{"402", {402, FAULT("PaymentRequired")}, ERR_CREDENTIAL},
		{"403", {403, FAULT("Forbidden")}, ERR_CREDENTIAL},
		{"404", {404, FAULT("NotFound")}, ERR_CREDENTIAL},
		{"405", {405, FAULT("x")}, ERR_PERMANENT},
		{"409", {409, FAULT("Conflict")}, ERR_TEMPORARY},
		{"412", {412, FAULT("x")}, ERR_TEMPORARY},
		{"415", {415, FAULT("x")}, ERR_PERMANENT},
		{"422", {422, FAULT("x")}, ERR_PERMANENT},
		{"423", {423, FAULT("x")}, ERR_TEMPORARY},
		{"429", {429, FAULT("TooManyRequests")}, ERR_TEMPORARY},
		{"500", {500, FAULT("x")}, ERR_OUTCOME_UNKNOWN},
		{"502, HTML", {502, "<html>canary</html>"}, ERR_OUTCOME_UNKNOWN},
		{"503", {503, ""}, ERR_OUTCOME_UNKNOWN},
		{"504", {504, FAULT("x")}, ERR_OUTCOME_UNKNOWN},
		{"509", {509, FAULT("x")}, ERR_TEMPORARY},
		{"hangs up", {0, ""}, ERR_OUTCOME_UNKNOWN},
		{"error of another kind", {403, "{\"error\":[1]}"}, ERR_CREDENTIAL},
		{"201, HTML", {201, "<html>canary</html>"}, ERR_OUTCOME_UNKNOWN},
		{"201, a list", {201, "[]"}, ERR_OUTCOME_UNKNOWN},
		{"no id", {201, BARE("null", "\"" JOIN "\"")}, ERR_OUTCOME_UNKNOWN},
		{"an empty id", {201, BARE("\"\"", "\"" JOIN "\"")}, ERR_OUTCOME_UNKNOWN},
		{"an id that leaves", {201, BARE("\"..\"", "\"" JOIN "\"")}, ERR_OUTCOME_UNKNOWN},
		{"no link", {201, BARE("\"m1\"", "null")}, ERR_OUTCOME_UNKNOWN},
		{"plain http", {201, BARE("\"m1\"", "\"http://teams.microsoft.com/canary\"")},
			ERR_OUTCOME_UNKNOWN},
		{"a script", {201, BARE("\"m1\"", "\"javascript:canary\"")}, ERR_OUTCOME_UNKNOWN},
	};
	struct bench bench;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		bench_start(&bench, (struct reply[]){rows[i].reply, {0}});
		UNIT_CHECK(bench_create(&bench) == rows[i].err, rows[i].name);
		UNIT_CHECK(bench.info.err == rows[i].err, rows[i].name);
		UNIT_CHECK(bench.info.retry_after_s == 9 || rows[i].err != ERR_TEMPORARY,
			rows[i].name);
		UNIT_CHECK(
			bench.info.detail[0] && !strstr(bench.info.detail, "canary"), rows[i].name);
		UNIT_CHECK(!bench.link.url, rows[i].name);
		UNIT_CHECK(bench.server.count == 1, rows[i].name);
		bench_fini(&bench);
	}
}

/* What an earlier call has perhaps made is not said to be not there while nobody knows. */
static void test_repeat_fails(void)
{
	static const struct {
		const char *name;
		struct reply reply;
		enum err err;
	} rows[] = {
		{"busy", {429, ""}, ERR_OUTCOME_UNKNOWN},
		{"broken", {500, ""}, ERR_OUTCOME_UNKNOWN},
		{"no right", {403, FAULT("x")}, ERR_CREDENTIAL},
	};
	struct bench bench;
	enum err err;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		bench_start(&bench, (struct reply[]){rows[i].reply, {0}});
		err = provider_teams.create(
			&bench.call, planned(&bench), true, &bench.link, &bench.info);
		server_stop(&bench.server);
		UNIT_CHECK(err == rows[i].err, rows[i].name);
		UNIT_CHECK(err == bench.info.err && bench.info.retry_after_s == 9, rows[i].name);
		bench_fini(&bench);
	}
}

/* Once it is made it is neither lost nor made twice, whatever becomes of its settings. */
static void test_settings_fail(void)
{
	static const struct {
		const char *name;
		struct reply replies[3]; /* to PATCH */
		enum err err;
		int count; /* of requests */
		const char *warned;
	} rows[] = {
		{"a policy refuses the options", {{403, FAULT("x")}, {200, MEETING("everyone")}},
			ERR_OK, 3, "waiting_room "},
		{"a policy refuses all", {{403, FAULT("x")}, {403, FAULT("x")}}, ERR_OK, 3,
			"waiting_room "},
		{"not understood", {{400, FAULT("x")}, {400, FAULT("x")}}, ERR_OK, 3,
			"waiting_room "},
		{"busy", {{503, ""}}, ERR_OUTCOME_UNKNOWN, 2, ""},
		{"busy at the second", {{403, FAULT("x")}, {429, ""}}, ERR_OUTCOME_UNKNOWN, 3, ""},
		{"broken", {{500, ""}}, ERR_OUTCOME_UNKNOWN, 2, ""},
		{"hangs up", {{0, ""}}, ERR_OUTCOME_UNKNOWN, 2, ""},
		{"gone meanwhile", {{404, FAULT("NotFound")}}, ERR_OUTCOME_UNKNOWN, 2, ""},
	};
	struct bench bench;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		bench_start(&bench, (struct reply[]){{201, MEETING("organization")},
					    rows[i].replies[0], rows[i].replies[1], {0}});
		UNIT_CHECK(bench_create(&bench) == rows[i].err, rows[i].name);
		UNIT_CHECK(bench.server.count == rows[i].count, rows[i].name);
		UNIT_CHECK(strcmp(warned(&bench), rows[i].warned) == 0, rows[i].name);
		UNIT_CHECK(rows[i].count < 3 || !strstr(bench.server.requests[2], "lobby"),
			rows[i].name);
		bench_fini(&bench);
	}
}

/* Without a key of its own, one meeting would become that of two requests. */
static void test_broken_key(void)
{
	static const char *const keys[] = {NULL, "", "x", "AAECAwQFBgcICQoLDA0OD/"};
	struct bench bench;
	size_t i;

	for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		bench_start(&bench, &(struct reply){0});
		bench.meeting.provider_key = keys[i];
		CU_ASSERT_EQUAL(bench_create(&bench), ERR_PERMANENT);
		CU_ASSERT_EQUAL(bench.server.count, 0);
		bench_fini(&bench);
	}
}

static void test_refused_token(void)
{
	static const char granted[] = "{\"access_token\":\"t1\",\"expires_in\":3599}";
	struct bench bench;

	bench_start(
		&bench, (struct reply[]){{401, FAULT("InvalidAuthenticationToken")}, {200, granted},
				{201, MEETING("organizer")}, {200, MEETING("organizer")}, {0}});
	CU_ASSERT_EQUAL(bench_create(&bench), ERR_OK);
	CU_ASSERT_EQUAL(bench.server.count, 4);
	CU_ASSERT_PTR_NOT_NULL(strcasestr(bench.server.requests[2], "Bearer t1\r\n"));
	bench_fini(&bench);

	bench_start(&bench, (struct reply[]){{401, FAULT("InvalidAuthenticationToken")},
				    {200, granted}, {401, FAULT("x")}, {0}});
	CU_ASSERT_EQUAL(bench_create(&bench), ERR_CREDENTIAL);
	CU_ASSERT_EQUAL(bench.server.count, 3);
	bench_fini(&bench);
}

static void test_update(void)
{
	static const struct {
		const char *name;
		struct reply replies[2];
		enum err err;
		const char *warned;
	} rows[] = {
		{"done", {{200, MEETING("organizer")}}, ERR_OK, ""},
		{"done without the options", {{403, FAULT("x")}, {200, MEETING("everyone")}},
			ERR_OK, "waiting_room "},
		{"gone", {{404, FAULT("NotFound")}}, ERR_GONE, ""},
		{"long gone", {{410, FAULT("x")}}, ERR_GONE, ""},
		{"refused", {{400, FAULT("x")}, {400, FAULT("x")}}, ERR_PERMANENT, ""},
		{"no right", {{403, FAULT("x")}, {403, FAULT("x")}}, ERR_CREDENTIAL, ""},
		{"conflict", {{409, FAULT("x")}}, ERR_TEMPORARY, ""},
		{"locked", {{423, FAULT("x")}}, ERR_TEMPORARY, ""},
		{"broken", {{500, ""}}, ERR_TEMPORARY, ""},
		{"too slow", {{504, ""}}, ERR_TEMPORARY, ""},
		{"HTML", {{200, "<html></html>"}}, ERR_TEMPORARY, ""},
	};
	struct bench bench;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		bench_start(&bench, (struct reply[]){rows[i].replies[0], rows[i].replies[1], {0}});
		bench.request.starts_at += INSTANT_HOUR;
		bench.request.ends_at += INSTANT_HOUR;
		UNIT_CHECK(bench_update(&bench) == rows[i].err, rows[i].name);
		UNIT_CHECK(asked(&bench, 0, "PATCH " ID_PATH), rows[i].name);
		UNIT_CHECK(
			strcmp(sent(&bench, 0, "/startDateTime"), "\"2030-03-18T18:46:40Z\"") == 0,
			rows[i].name);
		UNIT_CHECK(strcmp(warned(&bench), rows[i].warned) == 0, rows[i].name);
		UNIT_CHECK((rows[i].err == ERR_OK) == (bench.link.url != NULL), rows[i].name);
		bench_fini(&bench);
	}
}

static void test_remove(void)
{
	static const struct {
		const char *name, *external_id, *account;
		struct reply replies[2];
		enum err err;
		const char *lines[2]; /* asked */
	} rows[] = {
		{"done", ID, TENANT "/" ORGANIZER, {{204, ""}}, ERR_OK, {"DELETE " ID_PATH}},
		{"by an earlier organizer", "m1", TENANT "/old one", {{204, ""}}, ERR_OK,
			{"DELETE /v1.0/users/old%20one/onlineMeetings/m1"}},
		{"no account kept", ID, NULL, {{204, ""}}, ERR_OK, {"DELETE " ID_PATH}},
		{"gone", ID, NULL, {{404, FAULT("NotFound")}}, ERR_OK, {"DELETE " ID_PATH}},
		{"long gone", ID, NULL, {{410, ""}}, ERR_OK, {"DELETE " ID_PATH}},
		{"no right", ID, NULL, {{403, FAULT("x")}}, ERR_CREDENTIAL, {"DELETE " ID_PATH}},
		{"busy", ID, NULL, {{429, ""}}, ERR_TEMPORARY, {"DELETE " ID_PATH}},
		{"broken", ID, NULL, {{500, ""}}, ERR_TEMPORARY, {"DELETE " ID_PATH}},
		{"hangs up", ID, NULL, {{0, ""}}, ERR_TEMPORARY, {"DELETE " ID_PATH}},
		{"of another tenant", ID, "other/" ORGANIZER, {{0, NULL}}, ERR_CREDENTIAL, {NULL}},
		{"of a longer tenant", ID, TENANT "x/" ORGANIZER, {{0, NULL}}, ERR_CREDENTIAL,
			{NULL}},
		{"by our key", NULL, NULL, {{201, MEETING("everyone")}, {204, ""}}, ERR_OK,
			{"POST " USER "createOrGet", "DELETE " ID_PATH}},
		{"by our key, not told", NULL, NULL, {{500, ""}}, ERR_OUTCOME_UNKNOWN,
			{"POST " USER "createOrGet"}},
	};
	struct bench bench;
	size_t i;
	int j;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		bench_start(&bench, (struct reply[]){rows[i].replies[0], rows[i].replies[1], {0}});
		UNIT_CHECK(bench_remove(&bench, &(struct provider_target){.provider_key = KEY,
							.external_id = rows[i].external_id,
							.account = rows[i].account}) == rows[i].err,
			rows[i].name);
		for (j = 0; j < 2 && rows[i].lines[j]; j++)
			UNIT_CHECK(asked(&bench, j, rows[i].lines[j]), rows[i].name);
		UNIT_CHECK(bench.server.count == j, rows[i].name);
		bench_fini(&bench);
	}
}

#define STATE(start, end, scope)                                                                   \
	"{\"startDateTime\":" start ",\"endDateTime\":" end                                        \
	",\"lobbyBypassSettings\":{\"scope\":\"" scope "\"}}"

static void test_read(void)
{
	static const struct {
		const char *name;
		struct reply reply;
		enum err err;
		int64_t starts_s, ends_s;
		size_t drift;
	} rows[] = {
		{"as made", {200, MEETING("organizer")}, ERR_OK, 1900086400, 1900090000, 0},
		{"as Graph writes it",
			{200, STATE("\"2030-03-18T17:46:40.1234567Z\"",
				      "\"2030-03-18T18:46:40+00:00\"", "organizer")},
			ERR_OK, 1900086400, 1900090000, 0},
		{"the lobby was opened", {200, MEETING("everyone")}, ERR_OK, 1900086400, 1900090000,
			1},
		{"a scope that is new to us", {200, MEETING("unknownFutureValue")}, ERR_OK,
			1900086400, 1900090000, 1},
		{"no times", {200, STATE("null", "\"\"", "organizer")}, ERR_OK, 0, 0, 0},
		{"times that Graph has at times",
			{200, STATE("\"0001-01-01T00:00:00Z\"", "\"2030-03-18T17:46:40\"",
				      "organizer")},
			ERR_OK, 0, 0, 0},
		{"times of another kind",
			{200, STATE("[]", "\"2030-03-18T17:46:40+01:00\"", "organizer")}, ERR_OK, 0,
			0, 0},
		{"gone", {404, FAULT("NotFound")}, ERR_GONE, 0, 0, 0},
		{"broken", {500, ""}, ERR_TEMPORARY, 0, 0, 0},
		{"HTML", {200, "<html></html>"}, ERR_TEMPORARY, 0, 0, 0},
	};
	struct provider_state state;
	struct bench bench;
	enum err err;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		bench_start(&bench, (struct reply[]){rows[i].reply, {0}});
		state = (struct provider_state){0};
		err = provider_teams.read(&bench.call, planned(&bench), &state, &bench.info);
		server_stop(&bench.server);
		UNIT_CHECK(err == rows[i].err, rows[i].name);
		UNIT_CHECK(asked(&bench, 0, "GET " ID_PATH), rows[i].name);
		UNIT_CHECK(state.starts_at == rows[i].starts_s * 1000, rows[i].name);
		UNIT_CHECK(state.ends_at == rows[i].ends_s * 1000, rows[i].name);
		UNIT_CHECK(state.drift.count == rows[i].drift, rows[i].name);
		bench_fini(&bench);
	}
}

/* What was never granted is no drift, or it would be repaired for ever. */
static void test_read_warned(void)
{
	struct provider_state state = {0};
	struct bench bench;

	bench_start(&bench, (struct reply[]){{200, MEETING("organization")}, {0}});
	provider_warn(bench.arena, &bench.link, "waiting_room", "Not granted.");
	bench.meeting.warnings = bench.link.warnings;
	CU_ASSERT_EQUAL(
		provider_teams.read(&bench.call, planned(&bench), &state, &bench.info), ERR_OK);
	server_stop(&bench.server);
	CU_ASSERT_EQUAL(state.drift.count, 0);
	bench_fini(&bench);
}

static void test_validate(void)
{
	static const struct {
		const char *name;
		bool signed_in; /* with a token that is there */
		struct reply reply;
		const char *checks; /* name and + or - */
		const char *words;  /* of the last one */
	} rows[] = {
		{"all is well", true, {404, FAULT("NotFound")}, "token+ permissions+ ", "may act"},
		{"no policy", true, {403, FAULT("Forbidden")}, "token+ permissions- ",
			"application access policy"},
		{"no organizer", true, {404, FAULT("ResourceNotFound")}, "token+ permissions- ",
			"organizer"},
		{"not told", true, {500, ""}, "token+ permissions- ", "HTTP 500"},
		{"wrong secret", false, {401, TOKEN_FAULT("invalid_client", 7000215)}, "token- ",
			"client_secret is wrong"},
	};
	const struct provider_check *last = NULL;
	struct model_list checks;
	struct bench bench;
	const char *names;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		bench_start(&bench, (struct reply[]){rows[i].reply, {0}});
		if (!rows[i].signed_in)
			bench.token = (struct provider_token){.rev = 1};
		checks = (struct model_list){0};
		provider_teams.validate(&bench.call, &checks);
		server_stop(&bench.server);
		names = "";
		MODEL_FOREACH (&checks, struct provider_check, check) {
			names = arena_printf(
				bench.arena, "%s%s%c ", names, check->name, check->ok ? '+' : '-');
			last = check;
		}
		UNIT_CHECK(strcmp(names, rows[i].checks) == 0, rows[i].name);
		UNIT_CHECK(last && strstr(last->detail, rows[i].words), rows[i].name);
		/* Nothing is made or changed by it. */
		UNIT_CHECK(!rows[i].signed_in || strncmp(bench.server.requests[0],
							 "GET " USER "MSpob3N0", 54) == 0,
			rows[i].name);
		bench_fini(&bench);
	}
}

static const struct unit_case cases[] = {
	{"settings", test_check},
	{"access tokens", test_grant},
	{"credentials that are not there", test_grant_unset},
	{"creating", test_create},
	{"what is not granted", test_warnings},
	{"no passcode", test_passcode},
	{"creating fails", test_create_fails},
	{"repeating fails", test_repeat_fails},
	{"settings fail", test_settings_fail},
	{"a broken key", test_broken_key},
	{"a refused token", test_refused_token},
	{"updating", test_update},
	{"removing", test_remove},
	{"reading", test_read},
	{"reading what was not granted", test_read_warned},
	{"validating", test_validate},
};

UNIT_MAIN("provider_teams", cases)
