#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>

#include "provider_unit.h"
#include "unit_listen.h"

/* A peer on loopback: answers one request a connection with the next of its replies. */

enum { PEER_REPLIES = 8, PEER_REQUEST = 4096 };

struct peer {
	int fd;
	pthread_t thread;
	char url[64];
	const char *replies[PEER_REPLIES + 1]; /* "" hangs up without an answer */
	char requests[PEER_REPLIES][PEER_REQUEST];
	int count;
};

static void peer_serve(struct peer *peer, int fd)
{
	char *request = peer->requests[peer->count];
	const char *reply = peer->replies[peer->count];
	const struct timeval patience = {.tv_sec = 2};
	size_t len = 0;
	ssize_t got = 1;

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	while (got > 0 && !strstr(request, "\r\n\r\n")) {
		got = read(fd, request + len, PEER_REQUEST - 1 - len);
		len += got > 0 ? (size_t)got : 0;
	}
	peer->count++;
	if (write(fd, reply, strlen(reply)) != (ssize_t)strlen(reply))
		abort();
	shutdown(fd, SHUT_WR);
	while (read(fd, (char[64]){0}, 64) > 0)
		;
	close(fd);
}

static void *peer_run(void *data)
{
	struct peer *peer = data;
	int fd;

	while (peer->replies[peer->count] && (fd = accept(peer->fd, NULL, NULL)) >= 0)
		peer_serve(peer, fd);
	return NULL;
}

static void peer_start(struct peer *peer)
{
	int port;

	peer->fd = unit_listen(&port);
	snprintf(peer->url, sizeof(peer->url), "http://127.0.0.1:%d", port);
	if (pthread_create(&peer->thread, NULL, peer_run, peer) != 0)
		abort();
}

static void peer_stop(struct peer *peer)
{
	shutdown(peer->fd, SHUT_RDWR);
	pthread_join(peer->thread, NULL);
	close(peer->fd);
}

/* Classification. */

static const struct provider_rule rules[] = {
	{.status = 200, .code = "trouble", .class = ERR_TEMPORARY},
	{.status = 429, .text = "Daily Rate", .class = ERR_UNAVAILABLE, .words = "Enough today."},
	{.status = 400, .code = "200", .class = ERR_CREDENTIAL, .words = "Needs a paid account."},
	{.code = "4700", .class = ERR_UNAUTHENTICATED, .words = "Lacks scopes."},
	{.status = 404, .code = "1001", .class = ERR_CREDENTIAL},
	{.status = 409, .class = ERR_TEMPORARY},
	{0},
};

static void test_rules(void)
{
	static const struct {
		const char *name;
		int status;
		const char *body;
		enum err err;
		const char *words;
	} rows[] = {
		{"status and code", 400, "{\"code\":\"200\",\"message\":\"" CANARY "\"}",
			ERR_CREDENTIAL, "Fake Meet: Needs a paid account. (HTTP 400, 200)"},
		{"the status must fit", 403, "{\"code\":\"200\"}", ERR_CREDENTIAL,
			"Fake Meet: It refuses our credentials or lacks the rights for this. "
			"(HTTP 403)"},
		{"the code must fit", 400, "{\"code\":\"2000\"}", ERR_PERMANENT,
			"Fake Meet: It refuses this. (HTTP 400)"},
		{"any status", 418, "{\"code\":\"4700\"}", ERR_CREDENTIAL,
			"Fake Meet: Lacks scopes. (HTTP 418, 4700)"},
		{"text, without regard to case", 429,
			"{\"message\":\"the dAILY rATE of " CANARY "\"}", ERR_UNAVAILABLE,
			"Fake Meet: Enough today. (HTTP 429)"},
		{"without that text", 429, "{\"message\":\"" CANARY "\"}", ERR_TEMPORARY,
			"Fake Meet: It cannot do this right now. (HTTP 429)"},
		{"words of the class", 404, "{\"code\":\"1001\"}", ERR_CREDENTIAL,
			"Fake Meet: It refuses our credentials or lacks the rights for this. "
			"(HTTP 404, 1001)"},
		{"a rule without JSON", 409, "<html>" CANARY "</html>", ERR_TEMPORARY,
			"Fake Meet: It cannot do this right now. (HTTP 409)"},
		{"a code in a 200", 200, "{\"code\":\"trouble\"}", ERR_TEMPORARY,
			"Fake Meet: It cannot do this right now. (HTTP 200, trouble)"},
		{"another code in a 200", 200, "{\"code\":\"" CANARY "\"}", ERR_OK, ""},
		{"a code that is not text", 400, "{\"code\":[\"" CANARY "\"]}", ERR_PERMANENT,
			"Fake Meet: It refuses this. (HTTP 400)"},
	};
	const struct provider_call call = {.arena = arena_new(), .provider = &provider_fake};
	struct arena *arena = call.arena;
	struct err_info info;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct rest_reply reply = {.status = rows[i].status,
			.body = rows[i].body,
			.json = json_tokener_parse(rows[i].body),
			.retry_after_s = 77};

		err_clear(&info);
		UNIT_CHECK(provider_classify(&call, REST_POST, &reply, rules, &info) == rows[i].err,
			rows[i].name);
		UNIT_CHECK(strcmp(info.detail, rows[i].words) == 0, rows[i].name);
		UNIT_CHECK(rows[i].err == ERR_OK ||
				   (info.err == rows[i].err && info.retry_after_s == 77),
			rows[i].name);
		UNIT_CHECK(provider_classify(&call, REST_POST, &reply, rules, NULL) == rows[i].err,
			rows[i].name);
		json_object_put(reply.json);
	}
	arena_free(&arena);
}

static void test_classes(void)
{
	static const enum rest_method methods[] = {
		REST_GET, REST_POST, REST_PUT, REST_PATCH, REST_DELETE};
	static const struct {
		int status;
		enum err err, post;
	} rows[] = {
		{200, ERR_OK, ERR_OK},
		{201, ERR_OK, ERR_OK},
		{204, ERR_OK, ERR_OK},
		{299, ERR_OK, ERR_OK},
		{301, ERR_PERMANENT, ERR_PERMANENT},
		{304, ERR_PERMANENT, ERR_PERMANENT},
		{400, ERR_PERMANENT, ERR_PERMANENT},
		{401, ERR_CREDENTIAL, ERR_CREDENTIAL},
		{403, ERR_CREDENTIAL, ERR_CREDENTIAL},
		{404, ERR_GONE, ERR_GONE},
		{408, ERR_TEMPORARY, ERR_TEMPORARY},
		{409, ERR_PERMANENT, ERR_PERMANENT},
		{410, ERR_GONE, ERR_GONE},
		{422, ERR_PERMANENT, ERR_PERMANENT},
		{429, ERR_TEMPORARY, ERR_TEMPORARY},
		{500, ERR_TEMPORARY, ERR_OUTCOME_UNKNOWN},
		{502, ERR_TEMPORARY, ERR_OUTCOME_UNKNOWN},
		{503, ERR_TEMPORARY, ERR_TEMPORARY},
		{504, ERR_TEMPORARY, ERR_OUTCOME_UNKNOWN},
		{599, ERR_TEMPORARY, ERR_OUTCOME_UNKNOWN},
		{600, ERR_PERMANENT, ERR_PERMANENT},
		{100, ERR_PERMANENT, ERR_PERMANENT},
	};
	const struct provider_call call = {.arena = arena_new(), .provider = &provider_fake};
	struct arena *arena = call.arena;
	char name[32];
	size_t i, m;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for (m = 0; m < sizeof(methods) / sizeof(methods[0]); m++) {
			const struct rest_reply reply = {.status = rows[i].status, .body = ""};

			snprintf(name, sizeof(name), "%d, method %zu", rows[i].status, m);
			UNIT_CHECK(provider_classify(&call, methods[m], &reply, NULL, NULL) ==
					   (methods[m] == REST_POST ? rows[i].post : rows[i].err),
				name);
		}
	}
	arena_free(&arena);
}

/* Sending. */

#define REPLY(status, headers, body)                                                               \
	"HTTP/1.1 " status " X\r\nConnection: close\r\n" headers "\r\n" body
#define DONE    REPLY("200", "", "{\"id\":1}")
#define REFUSED REPLY("401", "", "{\"message\":\"" CANARY "\"}")

static enum err scene_send(
	struct scene *scene, const char *api_url, enum rest_method method, bool json)
{
	struct rest_request request = {.method = method,
		.content_type = method == REST_POST ? "application/json" : NULL,
		.body = method == REST_POST ? "{}" : NULL};
	struct rest_reply reply;

	return provider_send(
		&scene->call, api_url, "/v2/x?y=1", &request, json, rules, &reply, &scene->info);
}

static void test_send(void)
{
	static const struct {
		const char *name;
		enum rest_method method;
		bool json;
		const char *replies[3]; /* as many as are asked for, in order */
		enum err err;
		int grants, retry_after_s;
		const char *words;
	} rows[] = {
		{"done", REST_POST, true, {DONE}, ERR_OK, 1, 0, NULL},
		{"done, nothing to read", REST_DELETE, false, {REPLY("204", "", "")}, ERR_OK, 1, 0,
			NULL},
		{"a token that has died", REST_POST, true, {REFUSED, DONE}, ERR_OK, 2, 0, NULL},
		{"no token is right", REST_POST, true, {REFUSED, REFUSED}, ERR_CREDENTIAL, 2, 0,
			"Fake Meet: It refuses our access token. (HTTP 401)"},
		{"scopes are missing, by a rule", REST_GET, true,
			{REPLY("400", "", "{\"code\":\"4700\"}"),
				REPLY("400", "", "{\"code\":\"4700\"}")},
			ERR_CREDENTIAL, 2, 0, "Fake Meet: Lacks scopes. (HTTP 400, 4700)"},
		{"refused, then away", REST_GET, true, {REFUSED, REPLY("503", "", CANARY)},
			ERR_TEMPORARY, 2, 0, "(HTTP 503)"},
		{"POST without an answer", REST_POST, true, {""}, ERR_OUTCOME_UNKNOWN, 1, 0,
			"Fake Meet: "},
		{"GET without an answer", REST_GET, true, {""}, ERR_TEMPORARY, 1, 0, "Fake Meet: "},
		{"DELETE without an answer", REST_DELETE, false, {""}, ERR_TEMPORARY, 1, 0, NULL},
		{"POST, HTML in a 200", REST_POST, true, {REPLY("200", "", "<p>" CANARY)},
			ERR_OUTCOME_UNKNOWN, 1, 0,
			"Fake Meet: Its answer cannot be read. (HTTP 200)"},
		{"GET, HTML in a 200", REST_GET, true, {REPLY("200", "", "<p>" CANARY)},
			ERR_TEMPORARY, 1, 0, "Its answer cannot be read."},
		{"JSON, but no object", REST_GET, true, {REPLY("200", "", "[\"" CANARY "\"]")},
			ERR_TEMPORARY, 1, 0, "Its answer cannot be read."},
		{"HTML in a 502", REST_POST, true, {REPLY("502", "", "<p>" CANARY)},
			ERR_OUTCOME_UNKNOWN, 1, 0, "(HTTP 502)"},
		{"come back later", REST_GET, true,
			{REPLY("429", "Retry-After: 33\r\n", "{\"message\":\"" CANARY "\"}")},
			ERR_TEMPORARY, 1, 33, "(HTTP 429)"},
		{"come back tomorrow", REST_GET, true,
			{REPLY("429", "Retry-After: 3600\r\n",
				"{\"message\":\"" CANARY " daily rate\"}")},
			ERR_UNAVAILABLE, 1, 3600, "Fake Meet: Enough today. (HTTP 429)"},
		{"redirected", REST_GET, true,
			{REPLY("302", "Location: http://127.0.0.1:1/" CANARY "\r\n", "")},
			ERR_PERMANENT, 1, 0, "(HTTP 302)"},
	};
	struct scene scene;
	struct peer peer;
	size_t i, sent;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		memset(&peer, 0, sizeof(peer));
		for (sent = 0; sent < 3 && rows[i].replies[sent]; sent++)
			peer.replies[sent] = rows[i].replies[sent];
		peer_start(&peer);
		scene_begin(&scene);
		scene.info.retry_after_s = 5; /* of an earlier call */
		UNIT_CHECK(
			scene_send(&scene, peer.url, rows[i].method, rows[i].json) == rows[i].err,
			rows[i].name);
		UNIT_CHECK(!says(scene.info.detail, CANARY), rows[i].name);
		UNIT_CHECK(!says(scene.info.detail, "token-"), rows[i].name);
		UNIT_CHECK(!rows[i].words || says(scene.info.detail, rows[i].words), rows[i].name);
		UNIT_CHECK(rows[i].err == ERR_OK ||
				   (scene.info.err == rows[i].err &&
					   scene.info.retry_after_s == rows[i].retry_after_s),
			rows[i].name);
		UNIT_CHECK(fake.grants == rows[i].grants, rows[i].name);
		peer_stop(&peer);
		UNIT_CHECK(peer.count == (int)sent, rows[i].name);
		UNIT_CHECK(says(peer.requests[0], " /v2/x?y=1 HTTP/1.1\r\n"), rows[i].name);
		UNIT_CHECK(
			says(peer.requests[0], "Authorization: Bearer token-1\r\n"), rows[i].name);
		UNIT_CHECK(sent == 1 || says(peer.requests[1], "Authorization: Bearer token-2\r\n"),
			rows[i].name);
		scene_end(&scene);
	}
}

static void test_send_base_url(void)
{
	struct peer peer = {.replies = {DONE}};
	struct scene scene;

	peer_start(&peer);
	scene_begin(&scene);
	fake.base_url = peer.url;
	CU_ASSERT_EQUAL(scene_send(&scene, "http://127.0.0.1:1", REST_GET, true), ERR_OK);
	peer_stop(&peer);
	CU_ASSERT_EQUAL(peer.count, 1);
	scene_end(&scene);
}

static void test_send_not_sent(void)
{
	struct scene scene;

	scene_begin(&scene);
	CU_ASSERT_EQUAL(scene_send(&scene, "http://127.0.0.1:1", REST_POST, true), ERR_TEMPORARY);
	CU_ASSERT(says(scene.info.detail, "Fake Meet: "));
	CU_ASSERT_EQUAL(
		scene_send(&scene, "http://api.test/" CANARY, REST_POST, true), ERR_UNAVAILABLE);
	CU_ASSERT_EQUAL(scene.info.err, ERR_UNAVAILABLE);
	CU_ASSERT(!says(scene.info.detail, CANARY));
	scene_end(&scene);
}

static void test_time(void)
{
	struct peer peer = {.replies = {NULL}}; /* its backlog takes the call, nobody answers */
	struct scene scene;
	int64_t began;

	peer_start(&peer);
	scene_begin(&scene);
	CU_ASSERT_EQUAL(provider_time_left_ms(&scene.call), scene.call.attempt_ms);
	CU_ASSERT_EQUAL(scene_send(&scene, "http://127.0.0.1:1", REST_GET, true), ERR_TEMPORARY);

	scene.call.attempt_ms = 500;
	began = clock_monotonic_us();
	CU_ASSERT_EQUAL(scene_send(&scene, peer.url, REST_POST, true), ERR_OUTCOME_UNKNOWN);

	scene.call.attempt_ms = UNIT_PATIENCE_MS;
	scene.call.until_us = clock_monotonic_us() + 100 * 1000;
	CU_ASSERT(provider_time_left_ms(&scene.call) <= 100);
	CU_ASSERT_EQUAL(scene_send(&scene, peer.url, REST_GET, true), ERR_TEMPORARY);
	CU_ASSERT(clock_monotonic_us() - began < UNIT_PATIENCE_US / 2);

	CU_ASSERT_EQUAL(provider_time_left_ms(&scene.call), 0);
	CU_ASSERT_EQUAL(scene_send(&scene, peer.url, REST_POST, true), ERR_TEMPORARY);
	CU_ASSERT(says(scene.info.detail, "Fake Meet: There was no time left"));
	peer_stop(&peer);
	scene_end(&scene);
}

/* JSON. */

static void test_json(void)
{
	static const struct {
		const char *path, *text;
		bool is_int, is_bool;
		int64_t value;
	} rows[] = {
		{"a.b.c", "deep", false, false, 0},
		{"a.b", NULL, false, false, 0},
		{"a.b.c.d", NULL, false, false, 0},
		{"a.missing.c", NULL, false, false, 0},
		{"", NULL, false, false, 0},
		{"id", "85746065432", true, false, INT64_C(85746065432)},
		{"negative", "-5", true, false, -5},
		{"as_text", "3599", true, false, 3599},
		{"blank", " 7", false, false, 0},
		{"plus", "+7", false, false, 0},
		{"huge", "99999999999999999999", false, false, 0},
		{"half", "1.5", false, false, 0},
		{"empty", "", false, false, 0},
		{"cut", NULL, false, false, 0},
		{"null", NULL, false, false, 0},
		{"yes", NULL, false, true, 1},
		{"list", NULL, false, false, 0},
	};
	struct json_object *json =
		json_tokener_parse("{\"a\":{\"b\":{\"c\":\"deep\"}},\"id\":85746065432,"
				   "\"negative\":-5,\"as_text\":\"3599\",\"blank\":\" 7\","
				   "\"plus\":\"+7\",\"huge\":\"99999999999999999999\","
				   "\"half\":1.5,\"empty\":\"\",\"cut\":\"a\\u0000b\","
				   "\"null\":null,\"yes\":true,\"list\":[1]}");
	struct arena *arena = arena_new();
	int64_t value;
	bool flag;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *path = rows[i].path, *text = provider_json_text(arena, json, path);

		UNIT_CHECK(rows[i].text ? text && strcmp(text, rows[i].text) == 0 : !text, path);
		UNIT_CHECK(provider_json_int(json, path, &value) == rows[i].is_int, path);
		UNIT_CHECK(!rows[i].is_int || value == rows[i].value, path);
		UNIT_CHECK(provider_json_bool(json, path, &flag) == rows[i].is_bool, path);
		UNIT_CHECK(!rows[i].is_bool || flag, path);
		UNIT_CHECK(!provider_json_text(arena, NULL, path), path);
	}
	json_object_put(json);
	arena_free(&arena);
}

static const struct unit_case cases[] = {
	{"rules decide first", test_rules},
	{"the class of every status and method", test_classes},
	{"sending", test_send},
	{"the base that came with the token", test_send_base_url},
	{"what cannot be sent", test_send_not_sent},
	{"time", test_time},
	{"members of JSON", test_json},
};

UNIT_MAIN("provider_http", cases)
