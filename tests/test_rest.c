#include <json-c/json.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/socket.h>

#include "clock.h"
#include "log.h"
#include "rest.h"
#include "unit.h"
#include "unit_listen.h"

enum { MAX_HEARD = 2 * 1024 * 1024, MAX_PARTS = 6, SHORT_MS = 300 };

#define OK_REPLY         "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
#define OK_REPLY_OF(len) "HTTP/1.1 200 OK\r\nContent-Length: " len "\r\n\r\n"

/* No name is looked up: one hangs, and all others do not exist. */
int getaddrinfo(const char *restrict name, const char *restrict service,
	const struct addrinfo *restrict hints, struct addrinfo **restrict found_r)
{
	(void)service;
	(void)hints;
	*found_r = NULL;
	if (strcmp(name, "slow.example") == 0)
		usleep(1500 * 1000);
	return EAI_NONAME;
}

#define SAYS(end, ...)                                                                             \
	{                                                                                          \
		.parts = {__VA_ARGS__}, .then = end                                                \
	}

enum then { KEEP, CLOSE, RESET, HANG, LEAVE };

/* What the server says to one request, part by part; the last is said `times` times. */
struct answer {
	const char *parts[MAX_PARTS];
	int times;
	enum then then;
};

/* An HTTP server on a loopback port. The requests, whatever connection they come by, get the
 * answers of the script in turn, and the last one for ever. */
struct server {
	const struct answer *script;
	size_t count;
	SSL_CTX *tls;
	pthread_t thread;
	int fd;
	atomic_int peer;
	int port;
	atomic_int connections, requests, said, hung_up;
	char heard[MAX_HEARD]; /* of the last request; read it when the call or the thread has ended
				*/
};

static bool hear(struct server *server, int fd)
{
	const char *length, *end = NULL;
	size_t len = 0, wanted = MAX_HEARD;
	ssize_t n;

	while (len < wanted && (n = recv(fd, server->heard + len, MAX_HEARD - 1 - len, 0)) > 0) {
		len += (size_t)n;
		server->heard[len] = '\0';
		end = strstr(server->heard, "\r\n\r\n");
		if (end) {
			length = strstr(server->heard, "Content-Length: ");
			wanted = (size_t)(end + 4 - server->heard) +
				 (length ? strtoul(length + 16, NULL, 10) : 0);
		}
	}
	return end != NULL;
}

static void say(int fd, const struct answer *answer)
{
	const char *part;
	int i, said;

	for (i = 0; i < MAX_PARTS && answer->parts[i]; i++) {
		part = answer->parts[i];
		usleep(i ? 5000 : 0);
		said = i + 1 < MAX_PARTS && answer->parts[i + 1] ? 1 : answer->times;
		do {
			if (send(fd, part, strlen(part), MSG_NOSIGNAL) < 0)
				return;
		} while (--said > 0);
	}
}

static void finish(const struct server *server, int fd, enum then then)
{
	struct linger linger = {.l_onoff = 1};
	char byte;

	if (then == HANG) {
		while (recv(fd, &byte, 1, 0) > 0)
			;
	} else if (then == RESET) {
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	} else if (then == LEAVE) {
		shutdown(server->fd, SHUT_RDWR);
	}
}

static void serve_tls(struct server *server, int fd)
{
	SSL *ssl = SSL_new(server->tls);
	sigset_t pipe;

	/* In this thread only: the client's must not need it. */
	sigemptyset(&pipe);
	sigaddset(&pipe, SIGPIPE);
	pthread_sigmask(SIG_BLOCK, &pipe, NULL);
	SSL_set_fd(ssl, fd);
	if (SSL_accept(ssl) == 1 && SSL_read(ssl, server->heard, sizeof(server->heard) - 1) > 0)
		server->requests++;
	SSL_free(ssl);
}

static void serve_plain(struct server *server, int fd)
{
	const struct answer *answer;
	size_t i;

	while (hear(server, fd)) {
		i = (size_t)server->requests++;
		answer = &server->script[i < server->count ? i : server->count - 1];
		say(fd, answer);
		server->said++;
		if (answer->then != KEEP) {
			finish(server, fd, answer->then);
			return;
		}
	}
}

static void *serve(void *context)
{
	struct server *server = context;
	const int on = 1;
	int fd;

	while ((fd = accept(server->fd, NULL, NULL)) >= 0) {
		server->connections++;
		server->peer = fd;
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		if (server->tls)
			serve_tls(server, fd);
		else if (server->script)
			serve_plain(server, fd);
		else
			finish(server, fd, HANG);
		server->peer = -1;
		close(fd);
		server->hung_up++;
	}
	return NULL;
}

/* Without a script it only listens. */
static void server_start(
	struct server *server, const struct answer *script, size_t count, SSL_CTX *tls)
{
	memset(server, 0, sizeof(*server));
	server->script = script;
	server->count = count;
	server->tls = tls;
	server->peer = -1;
	server->fd = unit_listen(&server->port);
	pthread_create(&server->thread, NULL, serve, server);
}

static void server_stop(struct server *server)
{
	const int peer = server->peer;

	shutdown(server->fd, SHUT_RDWR);
	if (peer >= 0)
		shutdown(peer, SHUT_RDWR);
	pthread_join(server->thread, NULL);
	close(server->fd);
}

/* A client with what its last call brought. */
struct client {
	struct rest *rest;
	struct arena *arena;
	struct rest_reply reply;
	struct err_info info;
};

static void client_start(struct client *client)
{
	memset(client, 0, sizeof(*client));
	client->rest = rest_new();
	client->arena = arena_new();
}

static void client_stop(struct client *client)
{
	rest_free(&client->rest);
	CU_ASSERT_PTR_NULL(client->rest);
	rest_free(&client->rest);
	arena_free(&client->arena);
}

static enum err send_request(struct client *client, const struct rest_request *request)
{
	err_clear(&client->info);
	return rest_call(client->rest, client->arena, request, &client->reply, &client->info);
}

static enum err call_url(
	struct client *client, enum rest_method method, const char *url, int64_t timeout_ms)
{
	struct rest_request request = {.method = method, .url = url, .timeout_ms = timeout_ms};

	return send_request(client, &request);
}

static enum err call(struct client *client, const struct server *server, enum rest_method method,
	int64_t timeout_ms)
{
	return call_url(client, method,
		arena_printf(
			client->arena, "http://127.0.0.1:%u/v2/things?key=s3cret", server->port),
		timeout_ms);
}

static int64_t now_ms(void)
{
	return clock_monotonic_us() / 1000;
}

#define HEAD(status, lines) "HTTP/1.1 " status "\r\n" lines "Content-Length: 0\r\n\r\n"
#define CHUNKED             "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

static const struct {
	const char *name;
	struct answer answer;
	int status;
	const char *body;
	bool json;
	int64_t retry_after_s;
} whole[] = {
	{"JSON", SAYS(KEEP, OK_REPLY_OF("7") "{\"a\":1}"), 200, "{\"a\":1}", true, 0},
	{"in pieces",
		SAYS(KEEP, "HTT", "P/1.1 201 Cre", "ated\r\nconTent-length: 7\r", "\n\r",
			"\n{\"a\"", ":1}"),
		201, "{\"a\":1}", true, 0},
	{"chunked",
		SAYS(KEEP, CHUNKED "3;x=y\r\n{\"a", "\r\n4\r\n",
			"\":1}\r\n0\r\nX-Trailer: 1\r\n\r\n"),
		200, "{\"a\":1}", true, 0},
	{"until the end", SAYS(CLOSE, "HTTP/1.1 200 OK\r\n\r\n{\"a\"", ":1}"), 200, "{\"a\":1}",
		true, 0},
	{"HTTP/1.0", SAYS(CLOSE, "HTTP/1.0 200\r\nContent-Length: 2\r\n\r\n{}"), 200, "{}", true,
		0},
	{"bare LF", SAYS(CLOSE, "HTTP/1.1 200 OK\nContent-Length: 2\n\n{}"), 200, "{}", true, 0},
	{"nothing", SAYS(KEEP, "HTTP/1.1 204 No Content\r\n\r\n"), 204, "", false, 0},
	{"HTML", SAYS(KEEP, "HTTP/1.1 502 Bad\r\nContent-Length: 6\r\n\r\n<html>"), 502, "<html>",
		false, 0},
	{"more behind the JSON", SAYS(KEEP, OK_REPLY_OF("8") "{\"a\":1}x"), 200, "{\"a\":1}x",
		false, 0},
	{"more behind the answer", SAYS(KEEP, OK_REPLY OK_REPLY_OF("7") "{\"a\":1}"), 200, "{}",
		true, 0},
	{"redirection", SAYS(KEEP, HEAD("302 Found", "Location: /other\r\n")), 302, "", false, 0},
	{"Digest is wanted",
		SAYS(KEEP, HEAD("401 No", "WWW-Authenticate: Digest realm=\"x\", nonce=\"y\"\r\n")),
		401, "", false, 0},
	{"expectation failed", SAYS(KEEP, HEAD("417 No", "")), 417, "", false, 0},
	{"strange status", SAYS(KEEP, HEAD("999 What", "")), 999, "", false, 0},
	{"said to be compressed",
		SAYS(KEEP, "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n"
			   "{}"),
		200, "{}", true, 0},
	{"Retry-After", SAYS(KEEP, HEAD("429 No", "Retry-After: 17\r\n")), 429, "", false, 17},
	{"retry-after", SAYS(KEEP, HEAD("429 No", "retry-after:17 \t\r\n")), 429, "", false, 17},
	{"RETRY-AFTER, ISO 8601",
		SAYS(KEEP, HEAD("429 No", "RETRY-AFTER:  9000-01-01T00:00:00Z\r\n")), 429, "",
		false, 86400},
	{"Retry-After, HTTP-date",
		SAYS(KEEP, HEAD("503 No", "Retry-After: Wed, 01 Jan 2200 00:00:00 GMT\r\n")), 503,
		"", false, 86400},
	{"Retry-After, too long",
		SAYS(KEEP,
			HEAD("429 No", "Retry-After: 00000000000000000000000000000000000000000000"
				       "00000000000000000000000017\r\n")),
		429, "", false, 0},
	{"Retry-After, empty", SAYS(KEEP, HEAD("429 No", "Retry-After:\r\n")), 429, "", false, 0},
	{"Retry-After too early",
		SAYS(KEEP, "HTTP/1.1 103 Hints\r\nRetry-After: 5\r\n\r\n", OK_REPLY), 200, "{}",
		true, 0},
};

#define BROKE "the connection broke."
#define LATE  "it did not answer in time."
#define LARGE "its answer is too large."

static const struct {
	const char *name;
	struct answer answer;
	const char *words;
} broken[] = {
	{"closed without a word", SAYS(CLOSE, NULL), BROKE},
	{"reset without a word", SAYS(RESET, NULL), BROKE},
	{"silence", SAYS(HANG, NULL), LATE},
	{"silence in the body", SAYS(HANG, OK_REPLY_OF("9") "{}"), LATE},
	{"closed in the status line", SAYS(CLOSE, "HTTP/1.1 20"), BROKE},
	{"closed in the head", SAYS(CLOSE, "HTTP/1.1 201 Created\r\nLocation: /x\r\n"), BROKE},
	{"closed in a header", SAYS(CLOSE, "HTTP/1.1 201 Created\r\nLocation: /x"), BROKE},
	{"only provisional", SAYS(CLOSE, "HTTP/1.1 100 Continue\r\n\r\n"), BROKE},
	{"closed in the second head",
		SAYS(CLOSE, "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n"), BROKE},
	{"closed in the body", SAYS(CLOSE, OK_REPLY_OF("9") "{}"), BROKE},
	{"reset in the body", SAYS(RESET, OK_REPLY_OF("9") "{}", ""), BROKE},
	{"closed in a chunk", SAYS(CLOSE, CHUNKED "9\r\n{}"), BROKE},
	{"closed before the last chunk", SAYS(CLOSE, CHUNKED "2\r\n{}\r\n"), BROKE},
	{"not a chunk", SAYS(CLOSE, CHUNKED "zz\r\n{}"), BROKE},
	{"not HTTP", SAYS(CLOSE, "220 mail.example ESMTP\r\n"), BROKE},
	{"another protocol", SAYS(CLOSE, "HTTP/1.1 101 Up\r\nUpgrade: x\r\n\r\n"), BROKE},
	{"no status", SAYS(CLOSE, HEAD("000 No", "")), BROKE},
	{"status of two digits", SAYS(CLOSE, HEAD("20 No", "")), BROKE},
	{"negative length", SAYS(CLOSE, OK_REPLY_OF("-5") "{}"), BROKE},
	{"head without end",
		{.parts = {"HTTP/1.1 200 OK\r\n", "X-Filler: 0123456789abcdef\r\n"},
			.then = HANG,
			.times = 10000},
		LARGE},
	{"provisional without end",
		{.parts = {"HTTP/1.1 102 Wait\r\n\r\n"}, .then = HANG, .times = 10000}, LARGE},
};

/* A call whose request gets this answer: over a new connection, or one kept from another call. */
static enum err answered(
	struct client *client, const struct answer *answer, bool kept, const char *name)
{
	const struct answer script[] = {SAYS(KEEP, OK_REPLY), *answer};
	const bool hangs = answer->then == HANG && !answer->times;
	struct server server;
	enum err err;

	server_start(&server, script + !kept, 1 + (size_t)kept, NULL);
	client_start(client);
	if (kept)
		UNIT_CHECK(call(client, &server, REST_GET, UNIT_PATIENCE_MS) == ERR_OK, name);
	err = call(client, &server, REST_POST, hangs ? SHORT_MS : UNIT_PATIENCE_MS);
	UNIT_CHECK(server.requests == 1 + kept, name);
	server_stop(&server);
	return err;
}

static void whole_answers(void)
{
	struct client client;
	const struct rest_reply *reply = &client.reply;
	size_t i;

	for (i = 0; i < 2 * sizeof(whole) / sizeof(whole[0]); i++) {
		const char *name = whole[i / 2].name, *body = whole[i / 2].body;

		UNIT_CHECK(answered(&client, &whole[i / 2].answer, i % 2, name) == ERR_OK, name);
		UNIT_CHECK(reply->status == whole[i / 2].status, name);
		UNIT_CHECK(reply->body && strcmp(reply->body, body) == 0, name);
		UNIT_CHECK(reply->body_len == strlen(body), name);
		UNIT_CHECK((reply->json != NULL) == whole[i / 2].json, name);
		UNIT_CHECK(reply->retry_after_s == whole[i / 2].retry_after_s, name);
		client_stop(&client);
	}
}

static void broken_answers(void)
{
	struct client client;
	const char *name, *words;
	size_t i;

	for (i = 0; i < 2 * sizeof(broken) / sizeof(broken[0]); i++) {
		name = broken[i / 2].name;
		UNIT_CHECK(answered(&client, &broken[i / 2].answer, i % 2, name) ==
				   ERR_OUTCOME_UNKNOWN,
			name);
		words = arena_printf(client.arena, "There is no whole answer from 127.0.0.1: %s",
			broken[i / 2].words);
		UNIT_CHECK(strcmp(client.info.detail, words) == 0, name);
		UNIT_CHECK(!client.reply.body, name);
		client_stop(&client);
	}
}

static void ceiling(void)
{
	static char exact[REST_MAX_REPLY + 128], larger[REST_MAX_REPLY + 128];
	const struct answer script[] = {SAYS(KEEP, exact), SAYS(KEEP, larger),
		SAYS(CLOSE, "HTTP/1.1 200 OK\r\n\r\n", larger), SAYS(KEEP, OK_REPLY)};
	struct client client;
	struct server server;
	int head;

	memset(exact, 'x', sizeof(exact) - 1);
	memset(larger, 'x', sizeof(larger) - 1);
	head = sprintf(exact, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", REST_MAX_REPLY);
	exact[head] = 'x';
	exact[head + REST_MAX_REPLY] = '\0';
	head = sprintf(larger, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", REST_MAX_REPLY + 1);
	larger[head] = 'x';
	larger[head + REST_MAX_REPLY + 1] = '\0';

	server_start(&server, script, 4, NULL);
	client_start(&client);
	CU_ASSERT_EQUAL(call(&client, &server, REST_POST, UNIT_PATIENCE_MS), ERR_OK);
	CU_ASSERT_EQUAL(client.reply.body_len, REST_MAX_REPLY);
	CU_ASSERT_PTR_NULL(client.reply.json);
	CU_ASSERT_EQUAL(call(&client, &server, REST_POST, UNIT_PATIENCE_MS), ERR_OUTCOME_UNKNOWN);
	CU_ASSERT_EQUAL(call(&client, &server, REST_POST, UNIT_PATIENCE_MS), ERR_OUTCOME_UNKNOWN);
	CU_ASSERT_PTR_NULL(client.reply.body);
	CU_ASSERT_EQUAL(call(&client, &server, REST_POST, UNIT_PATIENCE_MS), ERR_OK);
	client_stop(&client);
	server_stop(&server);
}

#define COMMON "Host: 127.0.0.1:%u\r\n%sUser-Agent: meetlink\r\nAccept: */*\r\n"

static void what_is_sent(void)
{
	static const char *const more[] = {"If-Match: \"1\"", "X-Key: v", NULL};
	static const struct {
		const char *name;
		struct rest_request request;
		const char *first, *authorization, *rest;
	} rows[] = {
		{"GET", {.method = REST_GET, .bearer = "t.1"}, "GET", "",
			"Authorization: Bearer t.1\r\n\r\n"},
		{"POST",
			{.method = REST_POST,
				.bearer = "t.1",
				.content_type = "application/json",
				.body = "{}",
				.headers = more},
			"POST", "",
			"Content-Type: application/json\r\nAuthorization: Bearer t.1\r\n"
			"If-Match: \"1\"\r\nX-Key: v\r\nContent-Length: 2\r\n\r\n{}"},
		{"POST of nothing", {.method = REST_POST}, "POST", "", "Content-Length: 0\r\n\r\n"},
		{"PUT of an empty body",
			{.method = REST_PUT, .content_type = "text/plain", .body = ""}, "PUT", "",
			"Content-Type: text/plain\r\nContent-Length: 0\r\n\r\n"},
		{"PATCH",
			{.method = REST_PATCH,
				.content_type = "text/plain",
				.body = "@/etc/passwd"},
			"PATCH", "",
			"Content-Type: text/plain\r\nContent-Length: 12\r\n\r\n@/etc/passwd"},
		{"DELETE", {.method = REST_DELETE, .user = "id", .password = "se:cret"}, "DELETE",
			"Authorization: Basic aWQ6c2U6Y3JldA==\r\n", "\r\n"},
	};
	static const struct answer script = SAYS(KEEP, OK_REPLY);
	struct rest_request request;
	struct client client;
	struct server server;
	char *expected;
	size_t i;

	client_start(&client);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		server_start(&server, &script, 1, NULL);
		request = rows[i].request;
		request.timeout_ms = UNIT_PATIENCE_MS;
		request.url = arena_printf(
			client.arena, "http://127.0.0.1:%u/a%%2Fb?c=d%%20e", server.port);
		UNIT_CHECK(send_request(&client, &request) == ERR_OK, rows[i].name);
		server_stop(&server);
		expected =
			arena_printf(client.arena, "%s /a%%2Fb?c=d%%20e HTTP/1.1\r\n" COMMON "%s",
				rows[i].first, server.port, rows[i].authorization, rows[i].rest);
		UNIT_CHECK(strcmp(server.heard, expected) == 0, rows[i].name);
	}
	client_stop(&client);
}

/* So large that libcurl would send "Expect: 100-continue" and wait. */
static void large_body(void)
{
	static const struct answer script = SAYS(KEEP, OK_REPLY);
	static char body[MAX_HEARD - 1024];
	struct rest_request request = {.method = REST_POST,
		.content_type = "text/plain",
		.body = body,
		.timeout_ms = UNIT_PATIENCE_MS};
	struct client client;
	struct server server;

	memset(body, 'x', sizeof(body) - 1);
	server_start(&server, &script, 1, NULL);
	client_start(&client);
	request.url = arena_printf(client.arena, "http://localhost:%u", server.port);
	CU_ASSERT_EQUAL(send_request(&client, &request), ERR_OK);
	client_stop(&client);
	server_stop(&server);
	CU_ASSERT_PTR_NULL(strstr(server.heard, "Expect"));
	CU_ASSERT_PTR_NOT_NULL(strstr(server.heard, body));
}

static void nothing_was_sent(void)
{
	static const struct answer greeting = SAYS(CLOSE, "220 mail.example ESMTP\r\n");
	struct client client;
	struct server server;
	int64_t start;

	client_start(&client);
	start = now_ms();
	CU_ASSERT_EQUAL(
		call_url(&client, REST_POST, "https://slow.example/", SHORT_MS), ERR_TEMPORARY);
	CU_ASSERT(now_ms() - start < 1000);
	CU_ASSERT_STRING_EQUAL(client.info.detail,
		"slow.example could not be reached: it did not answer in time.");
	CU_ASSERT_EQUAL(call_url(&client, REST_POST, "https://nowhere.example/?key=s3cret",
				UNIT_PATIENCE_MS),
		ERR_TEMPORARY);
	CU_ASSERT_STRING_EQUAL(
		client.info.detail, "nowhere.example could not be reached: its name is not known.");

	server_start(&server, NULL, 0, NULL);
	start = now_ms();
	CU_ASSERT_EQUAL(
		call_url(&client, REST_POST,
			arena_printf(client.arena, "https://127.0.0.1:%u", server.port), SHORT_MS),
		ERR_TEMPORARY); /* no word of TLS */
	CU_ASSERT(now_ms() - start < 5000);
	CU_ASSERT_EQUAL(call(&client, &server, REST_POST, 0), ERR_TEMPORARY);
	CU_ASSERT_EQUAL(call(&client, &server, REST_POST, -1), ERR_TEMPORARY);
	CU_ASSERT_EQUAL(server.connections, 1);
	server_stop(&server);
	CU_ASSERT_EQUAL(call(&client, &server, REST_POST, UNIT_PATIENCE_MS), ERR_TEMPORARY);
	CU_ASSERT_STRING_EQUAL(client.info.detail,
		"127.0.0.1 could not be reached: it does not accept connections.");

	server_start(&server, &greeting, 1, NULL);
	CU_ASSERT_EQUAL(
		call_url(&client, REST_POST,
			arena_printf(client.arena, "https://127.0.0.1:%u", server.port), SHORT_MS),
		ERR_TEMPORARY); /* not TLS */
	server_stop(&server);
	client_stop(&client);
}

/* A server whose certificate nobody signed but itself. */
static SSL_CTX *tls_context(void)
{
	SSL_CTX *tls = SSL_CTX_new(TLS_server_method());
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *certificate = X509_new();

	X509_gmtime_adj(X509_getm_notBefore(certificate), -60);
	X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
	X509_set_pubkey(certificate, key);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
		(const unsigned char *)"localhost", -1, -1, 0);
	X509_set_issuer_name(certificate, X509_get_subject_name(certificate));
	X509_sign(certificate, key, EVP_sha256());
	SSL_CTX_use_certificate(tls, certificate);
	SSL_CTX_use_PrivateKey(tls, key);
	X509_free(certificate);
	EVP_PKEY_free(key);
	return tls;
}

static void certificate_is_verified(void)
{
	SSL_CTX *tls = tls_context();
	struct client client;
	struct server server;

	server_start(&server, NULL, 0, tls);
	client_start(&client);
	CU_ASSERT_EQUAL(call_url(&client, REST_POST,
				arena_printf(client.arena, "https://localhost:%u/", server.port),
				UNIT_PATIENCE_MS),
		ERR_TEMPORARY);
	CU_ASSERT_STRING_EQUAL(client.info.detail,
		"localhost could not be reached: its certificate cannot be trusted.");
	client_stop(&client);
	server_stop(&server);
	CU_ASSERT_EQUAL(server.connections, 1);
	CU_ASSERT_EQUAL(server.requests, 0);
	SSL_CTX_free(tls);
}

/* The peer closes a kept connection: when that is seen, and while the next request is under way. */
static void closed_connections(void)
{
	static const struct answer script[] = {
		SAYS(KEEP, OK_REPLY),
		SAYS(CLOSE, OK_REPLY), /* closed while idle */
		SAYS(KEEP, OK_REPLY),
		SAYS(CLOSE, NULL),
		SAYS(KEEP, OK_REPLY), /* GET */
		SAYS(RESET, NULL),
		SAYS(KEEP, OK_REPLY), /* DELETE */
		SAYS(CLOSE, NULL),
		SAYS(KEEP, OK_REPLY), /* POST */
		SAYS(RESET, NULL),
		SAYS(KEEP, OK_REPLY), /* PATCH */
		SAYS(LEAVE, NULL),
	};
	struct client client;
	struct server server;

	server_start(&server, script, sizeof(script) / sizeof(script[0]), NULL);
	client_start(&client);
	CU_ASSERT_EQUAL(call(&client, &server, REST_POST, UNIT_PATIENCE_MS), ERR_OK);
	CU_ASSERT_EQUAL(call(&client, &server, REST_POST, UNIT_PATIENCE_MS), ERR_OK);
	CU_ASSERT_EQUAL(server.connections, 1);
	unit_wait(&server.hung_up, 1);
	CU_ASSERT_EQUAL(call(&client, &server, REST_POST, UNIT_PATIENCE_MS), ERR_OK);
	CU_ASSERT_EQUAL(server.connections, 2);

	/* The request may go out again. */
	CU_ASSERT_EQUAL(call(&client, &server, REST_GET, UNIT_PATIENCE_MS), ERR_OK);
	CU_ASSERT_EQUAL(server.requests, 5);
	CU_ASSERT_EQUAL(call(&client, &server, REST_DELETE, UNIT_PATIENCE_MS), ERR_OK);
	CU_ASSERT_EQUAL(server.requests, 7);

	/* It may not. */
	CU_ASSERT_EQUAL(call(&client, &server, REST_POST, UNIT_PATIENCE_MS), ERR_OUTCOME_UNKNOWN);
	CU_ASSERT_EQUAL(server.requests, 8);
	CU_ASSERT_EQUAL(call(&client, &server, REST_GET, UNIT_PATIENCE_MS), ERR_OK);
	CU_ASSERT_EQUAL(call(&client, &server, REST_PATCH, UNIT_PATIENCE_MS), ERR_OUTCOME_UNKNOWN);
	CU_ASSERT_EQUAL(server.requests, 10);

	/* When it goes out again and finds nobody, the first may have been heard. */
	CU_ASSERT_EQUAL(call(&client, &server, REST_GET, UNIT_PATIENCE_MS), ERR_OK);
	CU_ASSERT_EQUAL(call(&client, &server, REST_GET, UNIT_PATIENCE_MS), ERR_OUTCOME_UNKNOWN);
	CU_ASSERT_EQUAL(server.requests, 12);
	client_stop(&client);
	server_stop(&server);
}

/* The one that was used last, and no other. */
static void kept_connection(void)
{
	static const struct answer script = SAYS(KEEP, OK_REPLY);
	struct server server, other;
	struct client client;
	int i;

	server_start(&server, &script, 1, NULL);
	server_start(&other, &script, 1, NULL);
	client_start(&client);
	for (i = 0; i < 3; i++) {
		CU_ASSERT_EQUAL(call(&client, &server, REST_POST, UNIT_PATIENCE_MS), ERR_OK);
		usleep(5000); /* libcurl tells the last from the others by milliseconds */
		CU_ASSERT_EQUAL(call(&client, &other, REST_POST, UNIT_PATIENCE_MS), ERR_OK);
		CU_ASSERT_EQUAL(call(&client, &other, REST_POST, UNIT_PATIENCE_MS), ERR_OK);
		usleep(5000);
	}
	CU_ASSERT_EQUAL(server.connections, 3);
	CU_ASSERT_EQUAL(other.connections, 3);
	client_stop(&client);
	server_stop(&server);
	server_stop(&other);
}

/* What a peer says unasked must not become the answer to the next call, even when a call that
 * keeps no connection came between. */
static void unasked_answers(void)
{
	static const struct answer script[] = {
		SAYS(KEEP, OK_REPLY OK_REPLY_OF("1") "1"),
		SAYS(KEEP, OK_REPLY, OK_REPLY_OF("1") "2"),
		SAYS(KEEP, OK_REPLY, "HTTP/1.1 408 Idle\r\nContent-Length: 0\r\n\r\n"),
		SAYS(KEEP, OK_REPLY),
	};
	static const struct answer other_script = SAYS(CLOSE, "HTTP/1.0 200 OK\r\n\r\n{}");
	struct server server, other;
	struct client client;
	int i;

	server_start(&server, script, 4, NULL);
	server_start(&other, &other_script, 1, NULL);
	client_start(&client);
	for (i = 0; i < 8; i++) {
		CU_ASSERT_EQUAL(call(&client, &server, REST_POST, UNIT_PATIENCE_MS), ERR_OK);
		CU_ASSERT_EQUAL(client.reply.status, 200);
		CU_ASSERT_STRING_EQUAL(client.reply.body, "{}");
		unit_wait(&server.said, i + 1);
		if (i % 2)
			CU_ASSERT_EQUAL(call(&client, &other, REST_POST, UNIT_PATIENCE_MS), ERR_OK);
	}
	CU_ASSERT_EQUAL(server.requests, 8);
	client_stop(&client);
	server_stop(&server);
	server_stop(&other);
}

/* One call leaves nothing of itself to the next. */
static void calls_are_apart(void)
{
	static const struct answer script[] = {
		SAYS(KEEP, HEAD("429 No", "Retry-After: 5\r\nSet-Cookie: a=b; Path=/\r\n")),
		SAYS(KEEP, "HTTP/1.1 204 No Content\r\n\r\n")};
	struct rest_request request = {.method = REST_POST,
		.user = "id",
		.password = "s3cret",
		.content_type = "text/plain",
		.body = "words",
		.timeout_ms = UNIT_PATIENCE_MS};
	struct client client;
	struct server server;

	server_start(&server, script, 2, NULL);
	client_start(&client);
	request.url = arena_printf(client.arena, "http://127.0.0.1:%u/", server.port);
	CU_ASSERT_EQUAL(send_request(&client, &request), ERR_OK);
	CU_ASSERT_EQUAL(client.reply.retry_after_s, 5);
	CU_ASSERT_EQUAL(call(&client, &server, REST_GET, UNIT_PATIENCE_MS), ERR_OK);
	CU_ASSERT_EQUAL(client.reply.status, 204);
	CU_ASSERT_EQUAL(client.reply.retry_after_s, 0);
	CU_ASSERT_PTR_NULL(client.reply.json);
	CU_ASSERT_EQUAL(server.connections, 1);
	client_stop(&client);
	server_stop(&server);
	CU_ASSERT_PTR_NULL(strstr(server.heard, "Authorization"));
	CU_ASSERT_PTR_NULL(strstr(server.heard, "Cookie"));
	CU_ASSERT_PTR_NULL(strstr(server.heard, "Content-"));
}

static void environment(void)
{
	static const struct answer script = SAYS(KEEP, OK_REPLY);
	struct client client;
	struct server server;

	setenv("http_proxy", "http://127.0.0.1:1", 1);
	setenv("ALL_PROXY", "socks5h://127.0.0.1:1", 1);
	server_start(&server, &script, 1, NULL);
	client_start(&client);
	CU_ASSERT_EQUAL(call(&client, &server, REST_GET, UNIT_PATIENCE_MS), ERR_OK);
	client_stop(&client);
	server_stop(&server);
	unsetenv("http_proxy");
	unsetenv("ALL_PROXY");
}

static void *call_often(void *context)
{
	static const struct answer script = SAYS(KEEP, OK_REPLY);
	struct client client;
	struct server server;
	int i, *succeeded = context;

	server_start(&server, &script, 1, NULL);
	client_start(&client);
	for (i = 0; i < 100; i++)
		*succeeded += call(&client, &server, REST_POST, UNIT_PATIENCE_MS) == ERR_OK;
	client_stop(&client);
	server_stop(&server);
	return NULL;
}

static void several_at_once(void)
{
	int succeeded[4] = {0};
	pthread_t threads[4];
	size_t i;

	for (i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, call_often, &succeeded[i]);
	for (i = 0; i < 4; i++) {
		pthread_join(threads[i], NULL);
		CU_ASSERT_EQUAL(succeeded[i], 100);
	}
}

static void log_has_no_secrets(void)
{
	static const struct answer script = SAYS(KEEP, OK_REPLY);
	char path[UNIT_PATH_SIZE], logged[4096] = "";
	int stderr_before = dup(STDERR_FILENO);
	struct client client;
	struct server server;
	FILE *file;

	unit_file(path, "", 0);
	server_start(&server, &script, 1, NULL);
	client_start(&client);
	CU_ASSERT_PTR_NOT_NULL_FATAL(freopen(path, "w", stderr));
	log_init("test", LOG_LEVEL_DEBUG, LOG_FORMAT_LOGFMT);
	call(&client, &server, REST_GET, UNIT_PATIENCE_MS);
	log_init("test", LOG_LEVEL_INFO, LOG_FORMAT_LOGFMT);
	dup2(stderr_before, STDERR_FILENO);
	close(stderr_before);
	file = fopen(path, "r");
	CU_ASSERT_PTR_NOT_NULL_FATAL(file);
	CU_ASSERT(fread(logged, 1, sizeof(logged) - 1, file) > 0);
	fclose(file);
	unlink(path);
	CU_ASSERT_PTR_NOT_NULL(strstr(logged, "GET 127.0.0.1/v2/things: ok, status 200, "));
	CU_ASSERT_PTR_NULL(strstr(logged, "s3cret"));
	client_stop(&client);
	server_stop(&server);
}

static void refused_calls(void)
{
	static const char *const urls[] = {"", "x", "http://nowhere.example/",
		"http://127.0.0.1.evil.example/", "http://127.0.0.1@evil.example/",
		"http://evil.example#@127.0.0.1/", "https://user:pass@localhost/",
		"https://user@localhost/", "file:///etc/passwd", "ftp://127.0.0.1/",
		"gopher://127.0.0.1/", "//127.0.0.1/", "http:/127.0.0.1/", "http:///127.0.0.1/",
		"https://localhost/a b", "https://localhost/\r\nX: y", "https://local host/",
		"https://localhost/v2/..", "https://localhost/v2/../x", "https://localhost/./x",
		"https://localhost/v2/%2E./x", "https://localhost/%2e?x",
		"https://localhost:99999/"};
	static const char *const headers[] = {"X: y\r\nZ: z", NULL};
	struct rest_request injected[] = {
		{.bearer = "t\r\nX: y"},
		{.bearer = "t\nX: y"},
		{.content_type = "text/plain\rX: y", .body = ""},
		{.headers = headers},
	};
	struct client client;
	struct server server;
	size_t i;

	server_start(&server, NULL, 0, NULL);
	client_start(&client);
	for (i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
		UNIT_CHECK(call_url(&client, REST_GET, urls[i], SHORT_MS) == ERR_CONFIG, urls[i]);
		UNIT_CHECK(!strstr(client.info.detail, "pass"), urls[i]);
	}
	for (i = 0; i < sizeof(injected) / sizeof(injected[0]); i++) {
		injected[i].url = arena_printf(client.arena, "http://127.0.0.1:%u/", server.port);
		injected[i].timeout_ms = SHORT_MS;
		CU_ASSERT_EQUAL(send_request(&client, &injected[i]), ERR_CONFIG);
	}
	client_stop(&client);
	server_stop(&server);
	CU_ASSERT_EQUAL(server.connections, 0);
}

static const struct unit_case cases[] = {
	{"nothing was sent", nothing_was_sent},
	{"a certificate is verified", certificate_is_verified},
	{"whole answers", whole_answers},
	{"broken answers", broken_answers},
	{"an answer has a ceiling", ceiling},
	{"what is sent", what_is_sent},
	{"a large body", large_body},
	{"a kept connection that the peer closes", closed_connections},
	{"the connection that is kept", kept_connection},
	{"answers that nobody asked for", unasked_answers},
	{"one call leaves nothing to the next", calls_are_apart},
	{"the environment names no proxy", environment},
	{"several at once", several_at_once},
	{"the log has no secrets", log_has_no_secrets},
	{"calls that are refused", refused_calls},
};

UNIT_MAIN_IN_REAL_TIME("rest", cases)
