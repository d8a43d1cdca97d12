#ifndef GOOGLE_UNIT_H
#define GOOGLE_UNIT_H
/* Google on a loopback port, as a script says, and a call to work with. */
#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>

#include "clock.h"
#include "instant.h"
#include "provider_google.h"
#include "provider_http.h"
#include "provider_token.h"
#include "unit.h"
#include "unit_listen.h"

/* The key of the tests, and the event id that its 16 bytes make. */
#define KEY      "AAECAwQFBgcICQoLDA0ODw"
#define EVENT_ID "000102030405060708090a0b0c0d0e0f"
#define LINK     "https://meet.google.com/abc-mnop-xyz"

static const int64_t now = INT64_C(1803909600000); /* 2027-03-01T14:00:00Z */

/* ---- Google, on a loopback port: says what the script says, and notes what it heard ---- */

enum { MAX_STEPS = 8, MAX_TEXT = 8192 };

struct step {
	int status;
	const char *body;
	int retry_after_s;
};

static struct google {
	int fd;
	int port;
	pthread_t thread;
	const struct step *steps;      /* for all but token requests; ends with status 0 */
	struct step token, token_then; /* the second, if it has a status, answers from then on */
	size_t heard;
	char line[MAX_STEPS][512]; /* method and target */
	char body[MAX_STEPS][MAX_TEXT];
	char bearer[MAX_STEPS][64];
	size_t tokens;
	char form[MAX_TEXT];
} google;

#define TOKEN_OK                                                                                   \
	{                                                                                          \
		200, "{\"access_token\":\"at-1\",\"expires_in\":3599,\"token_type\":\"Bearer\"}",  \
			0                                                                          \
	}

/* One request: its head and, behind it, its body; false at the end of the connection. */
static bool hear(int fd, char *text, size_t size, char **body_r)
{
	const char *length;
	size_t len = 0, wanted;
	ssize_t n;

	for (;;) {
		text[len] = '\0';
		*body_r = strstr(text, "\r\n\r\n");
		if (*body_r) {
			*body_r += 4;
			length = strstr(text, "Content-Length: ");
			wanted =
				(size_t)(*body_r - text) + (length ? (size_t)atoi(length + 16) : 0);
			if (len >= wanted)
				return true;
		}
		n = recv(fd, text + len, size - 1 - len, 0);
		if (n <= 0)
			return false;
		len += (size_t)n;
	}
}

static const struct step *answer_to(const char *head, const char *body)
{
	static const struct step nothing = {599, "not in the script", 0};
	const char *bearer = strstr(head, "Authorization: Bearer ");
	const size_t i = google.heard;

	if (strncmp(head, "POST /token ", 12) == 0) {
		if (google.tokens++ > 0 && google.token_then.status)
			google.token = google.token_then;
		snprintf(google.form, sizeof(google.form), "%s", body);
		return &google.token;
	}
	if (i == MAX_STEPS)
		return &nothing;
	google.heard++;
	snprintf(google.line[i], sizeof(google.line[i]), "%.*s",
		(int)(strstr(head, " HTTP") - head), head);
	snprintf(google.body[i], sizeof(google.body[i]), "%s", body);
	if (bearer)
		snprintf(google.bearer[i], sizeof(google.bearer[i]), "%.*s",
			(int)strcspn(bearer + 22, "\r"), bearer + 22);
	return google.steps && google.steps[i].status ? &google.steps[i] : &nothing;
}

static void serve_connection(int fd)
{
	static char text[4 * MAX_TEXT], reply[2 * MAX_TEXT];
	const struct step *step;
	char *body;
	int len;

	while (hear(fd, text, sizeof(text), &body)) {
		step = answer_to(text, body);
		len = snprintf(reply, sizeof(reply),
			"HTTP/1.1 %d X\r\nContent-Length: %zu\r\nRetry-After: %d\r\n\r\n%s",
			step->status, step->status == 204 ? 0 : strlen(step->body),
			step->retry_after_s, step->status == 204 ? "" : step->body);
		if (send(fd, reply, (size_t)len, MSG_NOSIGNAL) < 0)
			break;
	}
	close(fd);
}

static void *serve(void *context)
{
	int fd;

	(void)context;
	while ((fd = accept(google.fd, NULL, NULL)) >= 0)
		serve_connection(fd);
	return NULL;
}

static void google_start(void)
{
	google.fd = unit_listen(&google.port);
	pthread_create(&google.thread, NULL, serve, NULL);
}

static void google_stop(void)
{
	shutdown(google.fd, SHUT_RDWR);
	pthread_join(google.thread, NULL);
	close(google.fd);
}

/* ---- the product's side ---- */

static enum err load(void *data, struct arena *arena, const char *id,
	struct provider_token *token_r, struct err_info *info)
{
	(void)data;
	(void)arena;
	(void)id;
	(void)info;
	*token_r = (struct provider_token){0};
	return ERR_OK;
}

static enum err lease(void *data, const char *id, struct provider_token *token, int64_t at,
	int64_t until, struct err_info *info)
{
	(void)data;
	(void)id;
	(void)at;
	(void)until;
	(void)info;
	token->rev++;
	return ERR_OK;
}

static enum err save(void *data, struct arena *arena, const char *id, struct provider_token *token,
	struct err_info *info)
{
	(void)data;
	(void)arena;
	(void)id;
	(void)info;
	token->rev++;
	return ERR_OK;
}

static const struct provider_token_store store = {.load = load, .lease = lease, .save = save};

struct fixture {
	struct arena *arena;
	struct conf conf;
	struct config config;
	struct security security;
	struct meeting meeting;
	struct request request;
	struct provider_plan plan;
	struct provider_call call;
	struct err_info info;
	struct meeting_link link;
	char api[64], meet[64], token[64];
};

static void set(struct fixture *fixture, const char *name, const char *value)
{
	config_set_text(fixture->arena,
		strcmp(name, "calendar_id") == 0 ? &fixture->config.settings
						 : &fixture->config.credentials,
		"google_meet", name, value);
}

static void set_up(struct fixture *fixture, const struct step *steps)
{
	*fixture = (struct fixture){.arena = arena_new()};
	snprintf(fixture->api, sizeof(fixture->api), "http://127.0.0.1:%d/v3", google.port);
	snprintf(fixture->token, sizeof(fixture->token), "http://127.0.0.1:%d/token", google.port);
	fixture->conf.google_api_url = fixture->api;
	snprintf(fixture->meet, sizeof(fixture->meet), "http://127.0.0.1:%d/meet", google.port);
	fixture->conf.google_token_url = fixture->token;
	fixture->conf.google_meet_url = fixture->meet;
	set(fixture, "client_id", "client-1");
	set(fixture, "client_secret", "s3cret&+");
	set(fixture, "refresh_token", "1//refresh");
	fixture->meeting = (struct meeting){
		.id = "meeting-1",
		.provider_key = KEY,
		.starts_at = now + INSTANT_DAY,
		.ends_at = now + INSTANT_DAY + INSTANT_HOUR,
		.timezone = "Europe/Berlin",
		.security = &fixture->security,
	};
	fixture->security = *policy_default.security;
	fixture->request = (struct request){.id = "request-1",
		.title = "Lease \"dispute\" \xc3\xa4",
		.description = "He hit me.",
		.meeting = &fixture->meeting};
	fixture->call = (struct provider_call){
		.arena = fixture->arena,
		.conf = &fixture->conf,
		.config = &fixture->config,
		.provider = &provider_google,
		.rest = rest_new(),
		.tokens = &store,
		.now = now,
		.until_us = clock_monotonic_us() + UNIT_PATIENCE_US,
		.attempt_ms = UNIT_PATIENCE_MS,
	};
	google.steps = steps;
	google.heard = google.tokens = 0;
	google.token = (struct step)TOKEN_OK;
	google.token_then = (struct step){0};
	provider_token_forget();
}

/* As the request is by now. */
static inline const struct provider_plan *planned(struct fixture *fixture)
{
	fixture->plan = provider_plan(&fixture->request);
	return &fixture->plan;
}

static void tear_down(struct fixture *fixture)
{
	rest_free(&fixture->call.rest);
	arena_free(&fixture->arena);
}

/* A token for more than the calendar. */
#define TOKEN_MEET                                                                                 \
	{                                                                                          \
		200,                                                                               \
			"{\"access_token\":\"at-1\",\"expires_in\":3599,\"scope\":\""              \
			"https://www.googleapis.com/auth/meetings.space.settings "                 \
			"https://www.googleapis.com/auth/calendar.events\"}",                      \
			0                                                                          \
	}

#define OAUTH(code, text) "{\"error\":\"" code "\",\"error_description\":\"" text "\"}"

/* The cases, with Google running. */
static int google_run(const char *name, const struct unit_case *cases, size_t count)
{
	int status;

	google_start();
	status = unit_run(name, cases, count);
	google_stop();
	return status;
}
#endif
