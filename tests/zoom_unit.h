#ifndef ZOOM_UNIT_H
#define ZOOM_UNIT_H
/* An installation with Zoom set up, a request whose meeting is to be made, and a peer on loopback
 * that answers by a script. The including file defines _GNU_SOURCE. */
#include <json-c/json.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>

#include "clock.h"
#include "id.h"
#include "instant.h"
#include "json.h"
#include "provider_http.h"
#include "provider_token.h"
#include "provider_zoom.h"
#include "unit.h"
#include "unit_listen.h"

#define NOW    INT64_C(1803909600000) /* 2027-03-01T14:00:00Z */
#define START  (NOW + INSTANT_DAY)
#define KEY    "AAECAwQFBgcICQoLDA0ODw"
#define NUMBER "85746065432" /* does not fit 32 bits */
#define SECRET "canary-9c1e"

/* A peer on loopback: it answers each request with the next step, whatever was asked. */

enum { PEER_STEPS = 32, PEER_REQUEST = 64 * 1024 };

struct step {
	const char *line; /* what the request must begin with */
	int status;       /* 0 hangs up without an answer */
	const char *body;
	const char *header; /* one more line, or NULL */
};

struct peer {
	int fd;
	pthread_t thread;
	char url[64];
	const struct step *steps; /* end with a row without line */
	char *requests[PEER_STEPS];
	int count;
};

static inline size_t peer_body_len(const char *request)
{
	const char *length = strcasestr(request, "\r\nContent-Length:");

	return length ? (size_t)strtoul(length + 17, NULL, 10) : 0;
}

static inline char *peer_read(int fd)
{
	char *request = calloc(1, PEER_REQUEST), *end;
	size_t len = 0;
	ssize_t got;

	for (;;) {
		end = strstr(request, "\r\n\r\n");
		if (end && (size_t)(request + len - end - 4) >= peer_body_len(request))
			return request;
		got = read(fd, request + len, PEER_REQUEST - 1 - len);
		if (got <= 0)
			return request;
		len += (size_t)got;
	}
}

static inline void peer_answer(int fd, const struct step *step)
{
	char *reply;
	int len;

	if (step->status == 0)
		return;
	len = asprintf(&reply,
		"HTTP/1.1 %d x\r\nContent-Length: %zu\r\nConnection: close\r\n%s%s\r\n%s",
		step->status, strlen(step->body), step->header ? step->header : "",
		step->header ? "\r\n" : "", step->body);
	if (len < 0 || write(fd, reply, (size_t)len) != len)
		abort();
	free(reply);
}

static inline void *peer_run(void *data)
{
	static const struct step unexpected = {.status = 500, .body = "{}"};
	const struct timeval patience = {.tv_sec = 5};
	struct peer *peer = data;
	const struct step *step = peer->steps;
	int fd;

	while ((fd = accept(peer->fd, NULL, NULL)) >= 0 && peer->count < PEER_STEPS) {
		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
		peer->requests[peer->count++] = peer_read(fd);
		peer_answer(fd, step->line ? step++ : &unexpected);
		close(fd);
	}
	return NULL;
}

static inline void peer_start(struct peer *peer, const struct step *steps)
{
	int port;

	*peer = (struct peer){.steps = steps, .fd = unit_listen(&port)};
	snprintf(peer->url, sizeof(peer->url), "http://127.0.0.1:%d", port);
	if (pthread_create(&peer->thread, NULL, peer_run, peer) != 0)
		abort();
}

static inline void peer_stop(struct peer *peer)
{
	shutdown(peer->fd, SHUT_RDWR);
	pthread_join(peer->thread, NULL);
	close(peer->fd);
}

/* A store that holds one token. */

static struct provider_token stored;

static inline enum err store_load(void *data, struct arena *arena, const char *id,
	struct provider_token *token_r, struct err_info *info)
{
	(void)data, (void)arena, (void)id, (void)info;
	*token_r = stored;
	return ERR_OK;
}

static inline enum err store_lease(void *data, const char *id, struct provider_token *token,
	int64_t now, int64_t until, struct err_info *info)
{
	(void)data, (void)id, (void)now, (void)until, (void)info;
	stored.rev = ++token->rev;
	return ERR_OK;
}

static inline enum err store_save(void *data, struct arena *arena, const char *id,
	struct provider_token *token, struct err_info *info)
{
	static struct arena *kept;

	(void)data, (void)arena, (void)id, (void)info;
	if (!kept)
		kept = arena_new();
	token->rev++;
	stored = *token;
	stored.access_token = arena_strdup(kept, token->access_token);
	stored.refresh_token = arena_strdup(kept, token->refresh_token);
	return ERR_OK;
}

static const struct provider_token_store store = {
	.load = store_load, .lease = store_lease, .save = store_save};

/* An installation with Zoom set up, a request whose meeting is to be made, and a peer. */

struct bench {
	struct peer peer;
	struct arena *arena;
	struct rest *rest;
	struct conf conf;
	struct config config;
	struct provider_call call;
	struct security security;
	struct meeting meeting;
	struct request request;
	struct provider_plan plan;
	struct meeting_link link;
	struct err_info info;
	const char *name; /* of the case */
	const struct step *steps;
};

static inline void set(struct bench *bench, const char *name, const char *value)
{
	const struct provider_field *field = provider_zoom.fields;

	while (strcmp(field->name, name) != 0)
		field++;
	config_set_text(bench->arena,
		field->secret ? &bench->config.credentials : &bench->config.settings, "zoom", name,
		value);
}

static inline void bench_init(struct bench *bench, const char *name, const struct step *steps)
{
	*bench = (struct bench){.name = name, .steps = steps, .arena = arena_new()};
	peer_start(&bench->peer, steps);
	bench->rest = rest_new();
	config_init(bench->arena, &bench->config);
	set(bench, "account_id", "account-1");
	set(bench, "client_id", "client-1");
	set(bench, "client_secret", SECRET);
	set(bench, "host_user", "host+1@lawyers.example");
	bench->conf.zoom_api_url = arena_printf(bench->arena, "%s/v2", bench->peer.url);
	bench->conf.zoom_token_url = arena_printf(bench->arena, "%s/oauth/token", bench->peer.url);
	bench->security = (struct security){
		.waiting_room = true, .mute_on_entry = true, .passcode_required = true};
	bench->meeting = (struct meeting){.provider_key = KEY, .security = &bench->security};
	bench->request = (struct request){
		.id = "request-1",
		.title = "Lease dispute",
		.description = "First line.\nSecond line.",
		.starts_at = START,
		.ends_at = START + INSTANT_HOUR,
		.timezone = "Europe/Berlin",
		.meeting = &bench->meeting,
	};
	bench->call = (struct provider_call){
		.arena = bench->arena,
		.conf = &bench->conf,
		.config = &bench->config,
		.provider = &provider_zoom,
		.rest = bench->rest,
		.tokens = &store,
		.now = NOW,
		.until_us = clock_monotonic_us() + UNIT_PATIENCE_US,
		.attempt_ms = UNIT_PATIENCE_MS,
	};
	stored = (struct provider_token){
		.access_token = "token-0", .expires_at = NOW + INSTANT_HOUR, .rev = 1};
	provider_token_forget();
}

/* Whether everything was asked that had to be, in this order, and nothing else. */
static inline void bench_fini(struct bench *bench)
{
	int i;

	peer_stop(&bench->peer);
	for (i = 0; bench->steps[i].line; i++)
		UNIT_CHECK(i < bench->peer.count &&
				   strncmp(bench->peer.requests[i], bench->steps[i].line,
					   strlen(bench->steps[i].line)) == 0,
			bench->name);
	UNIT_CHECK(bench->peer.count == i, bench->name);
	UNIT_CHECK(!strstr(bench->info.detail, SECRET) && !strstr(bench->info.detail, "hostile"),
		bench->name);
	for (i = 0; i < bench->peer.count; i++)
		free(bench->peer.requests[i]);
	provider_token_forget();
	rest_free(&bench->rest);
	arena_free(&bench->arena);
}

static inline const char *sent_body(const struct bench *bench, int i)
{
	return strstr(bench->peer.requests[i], "\r\n\r\n") + 4;
}

static inline struct json_object *sent_json(const struct bench *bench, int i)
{
	const char *body = sent_body(bench, i);
	struct json_object *json = NULL;

	CU_ASSERT_EQUAL_FATAL(json_parse(bench->arena, body, strlen(body), &json, NULL), ERR_OK);
	return json;
}

/* As the request is by now; its meeting has the same times. */
static inline const struct provider_plan *planned(struct bench *bench)
{
	bench->meeting.starts_at = bench->request.starts_at;
	bench->meeting.ends_at = bench->request.ends_at;
	bench->meeting.timezone = bench->request.timezone;
	bench->plan = provider_plan(&bench->request);
	return &bench->plan;
}

static inline enum err create(struct bench *bench, bool repeated)
{
	return provider_zoom.create(
		&bench->call, planned(bench), repeated, &bench->link, &bench->info);
}

static inline bool has_warning(const struct meeting_link *link, const char *text)
{
	MODEL_FOREACH (&link->warnings, struct warning, warning) {
		if (strstr(warning->detail, text))
			return true;
	}
	return false;
}

#define SETTINGS                                                                                   \
	"\"settings\":{\"waiting_room\":true,\"join_before_host\":false,\"mute_upon_entry\":true," \
	"\"host_video\":false,\"meeting_authentication\":false}"
#define JOIN  "\"join_url\":\"https://us05web.zoom.us/j/" NUMBER "?pwd=x.1\""
#define TIMES "\"start_time\":\"2027-03-02T14:00:00Z\",\"duration\":60"
#define MEETING(more)                                                                              \
	"{\"id\":" NUMBER ",\"topic\":\"Lease dispute\",\"password\":\"Pass12\"," TIMES "," JOIN   \
	"," more "}"
#define MADE MEETING(SETTINGS)

#define CREATE "POST /v2/users/host%2B1%40lawyers.example/meetings HTTP/1.1\r\n"
#define LIST   "GET /v2/users/host%2B1%40lawyers.example/meetings?type=upcoming&page_size=300"
#define GET    "GET /v2/meetings/" NUMBER " HTTP/1.1\r\n"
#define PATCH  "PATCH /v2/meetings/" NUMBER " HTTP/1.1\r\n"
#define DELETE "DELETE /v2/meetings/" NUMBER "?schedule_for_reminder=false"
#define END    "PUT /v2/meetings/" NUMBER "/status HTTP/1.1\r\n"
#define TOKEN  "POST /oauth/token HTTP/1.1\r\n"

#define OTHER  "{\"id\":1,\"agenda\":\"Ref: AAAAAAAAAAAAAAAAAAAAAA\"},{\"id\":2},null,3"
#define MARKED "{\"id\":" NUMBER ",\"agenda\":\"@\"}"
#define NONE   "{\"meetings\":[" OTHER "]}"
#endif
