#include <dirent.h>
#include <netdb.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "mail_transport.h"
#include "unit.h"
#include "unit_listen.h"

#define MESSAGE "Subject: x\r\n\r\n.dot\r\n..two\r\nend\r\n"
#define STUFFED "Subject: x\r\n\r\n..dot\r\n...two\r\nend\r\n.\r\n"

enum { MAX_HEARD = 4096 };

enum { LONG = UNIT_PATIENCE_S };

static const struct mail_timeouts patient = {LONG, LONG, LONG, LONG};

static atomic_bool name_server_hangs, name_is_known;

/* No name is looked up: those that ask hang as long as the name server does, and do not exist. */
int getaddrinfo(const char *restrict name, const char *restrict service,
	const struct addrinfo *restrict hints, struct addrinfo **restrict found_r)
{
	(void)name;
	(void)service;
	(void)hints;
	*found_r = NULL;
	while (name_server_hangs)
		usleep(1000);
	name_is_known = true;
	return EAI_NONAME;
}

/* What the server says at each step instead of going along; "" hangs up, SILENCE says nothing. */
#define SILENCE "-"

struct script {
	const char *banner, *ehlo, *auth, *mail, *rcpt, *data, *dot;
	bool leave; /* hang up after one mail, as a server does with idle connections */
};

/* A mail server on a loopback port that follows a script. */
struct server {
	struct script script;
	pthread_t thread;
	int fd;
	int port;
	atomic_int connections, hung_up;
	char heard[MAX_HEARD]; /* read it when the thread has ended */
	size_t len;
};

static bool say(int fd, const char *scripted, const char *usual)
{
	const char *line = scripted ? scripted : usual;

	if (line[0] == '\0')
		return false;
	if (strcmp(line, SILENCE) == 0)
		return true;
	return send(fd, line, strlen(line), MSG_NOSIGNAL) == (ssize_t)strlen(line);
}

static bool answer(struct server *server, FILE *in, int fd, const char *line)
{
	const struct script *script = &server->script;
	char data[256];

	if (strncmp(line, "EHLO", 4) == 0)
		return say(fd, script->ehlo, "250-test\r\n250 SIZE 100000\r\n");
	if (strncmp(line, "AUTH", 4) == 0)
		return say(fd, script->auth, "235 2.7.0 ok\r\n");
	if (strncmp(line, "MAIL", 4) == 0)
		return say(fd, script->mail, "250 2.1.0 ok\r\n");
	if (strncmp(line, "RCPT", 4) == 0)
		return say(fd, script->rcpt, "250 2.1.5 ok\r\n");
	if (strncmp(line, "DATA", 4) != 0) {
		say(fd, NULL, "221 2.0.0 bye\r\n");
		return false;
	}
	if (!say(fd, script->data, "354 go on\r\n"))
		return false;
	while (!script->data && fgets(data, sizeof(data), in)) {
		server->len += (size_t)snprintf(
			server->heard + server->len, MAX_HEARD - server->len, "%s", data);
		if (strcmp(data, ".\r\n") == 0)
			return say(fd, script->dot, "250 2.0.0 queued\r\n") && !script->leave;
	}
	return script->data != NULL;
}

static void *serve(void *context)
{
	struct server *server = context;
	char line[512];
	bool open;
	FILE *in;
	int fd;

	while ((fd = accept(server->fd, NULL, NULL)) >= 0) {
		server->connections++;
		in = fdopen(fd, "r");
		open = say(fd, server->script.banner, "220 test\r\n");
		while (open && fgets(line, sizeof(line), in)) {
			server->len += (size_t)snprintf(
				server->heard + server->len, MAX_HEARD - server->len, "%s", line);
			open = answer(server, in, fd, line);
		}
		fclose(in);
		server->hung_up++;
	}
	return NULL;
}

static void server_start(struct server *server, const struct script *script)
{
	memset(server, 0, sizeof(*server));
	server->script = *script;
	server->fd = unit_listen(&server->port);
	pthread_create(&server->thread, NULL, serve, server);
}

static void server_stop(struct server *server)
{
	shutdown(server->fd, SHUT_RDWR);
	pthread_join(server->thread, NULL);
	close(server->fd);
}

static struct mail_transport *transport_to(
	const struct server *server, const char *host, const char *greeting)
{
	struct mail_transport_options options = {0};
	struct mail_transport *transport;
	struct err_info info;
	char url[128];

	snprintf(url, sizeof(url), "smtp://%s:%u/%s", host, server->port, greeting);
	options.smtp_url = url;
	options.timeouts = &patient;
	CU_ASSERT_EQUAL_FATAL(mail_transport_open(&options, &transport, &info), ERR_OK);
	return transport;
}

static enum err deliver(struct mail_transport *transport, struct err_info *info)
{
	err_clear(info);
	return mail_transport_deliver(transport, "m.1@mail.example", "me@mail.example",
		"you@Müller.example", MESSAGE, strlen(MESSAGE), info);
}

static void delivered(void)
{
	struct mail_transport *transport;
	struct server server;
	struct err_info info;

	server_start(&server, &(struct script){0});
	transport = transport_to(&server, "127.0.0.1", "host.example");
	CU_ASSERT_EQUAL(deliver(transport, &info), ERR_OK);
	CU_ASSERT_EQUAL(deliver(transport, &info), ERR_OK);
	mail_transport_close(&transport);
	CU_ASSERT_PTR_NULL(transport);
	server_stop(&server);
#define TRANSACTION                                                                                \
	"MAIL FROM:<me@mail.example> SIZE=32\r\nRCPT "                                             \
	"TO:<you@xn--mller-kva.example>\r\nDATA\r\n" STUFFED
	CU_ASSERT_STRING_EQUAL(
		server.heard, "EHLO host.example\r\n" TRANSACTION TRANSACTION "QUIT\r\n");
	CU_ASSERT_EQUAL(server.connections, 1);
}

struct refusal {
	const char *name;
	struct script script;
	enum err err;
	const char *detail;
};

#define LOGIN "250-test\r\n250 AUTH PLAIN\r\n"

static const struct refusal refusals[] = {
	{"421 for a banner", {.banner = "421 4.3.2 busy\r\n"}, ERR_UNAVAILABLE, "421 4.3.2 busy"},
	{"554 for a banner", {.banner = "554 go away\r\n"}, ERR_UNAVAILABLE, "554 go away"},
	{"no banner", {.banner = ""}, ERR_UNAVAILABLE, "could not be handed over"},
	{"hangs up on MAIL", {.mail = ""}, ERR_TEMPORARY, "could not be handed over"},
	{"421 to MAIL", {.mail = "421 4.4.2 bye\r\n"}, ERR_TEMPORARY, "421 4.4.2 bye"},
	{"530 to MAIL", {.mail = "530 5.7.0 log in\r\n"}, ERR_CREDENTIAL, "530 5.7.0 log in"},
	{"553 to MAIL", {.mail = "553 5.1.8 sender\r\n"}, ERR_PERMANENT, "553 5.1.8 sender"},
	{"450 to RCPT", {.rcpt = "450 4.2.0 greylisted\r\n"}, ERR_TEMPORARY,
		"450 4.2.0 greylisted"},
	{"550 to RCPT", {.rcpt = "550 5.1.1 unknown\r\n"}, ERR_PERMANENT, "550 5.1.1 unknown"},
	{"550 in lines", {.rcpt = "550-5.1.1 un\r\n550 5.1.1 known\r\n"}, ERR_PERMANENT,
		"550-5.1.1 un 550 5.1.1 known"},
	{"550 with controls", {.rcpt = "550 a\x1b[1m\xff\tb\r\n"}, ERR_PERMANENT, "550 a [1m  b"},
	{"452 to DATA", {.data = "452 4.3.1 disk\r\n"}, ERR_TEMPORARY, "452 4.3.1 disk"},
	{"451 to the dot", {.dot = "451 4.3.0 later\r\n"}, ERR_TEMPORARY,
		"answered: 451 4.3.0 later"},
	{"552 to the dot", {.dot = "552 5.3.4 big\r\n"}, ERR_PERMANENT, "answered: 552 5.3.4 big"},
	{"554 to the dot", {.dot = "554 5.7.1 spam\r\n"}, ERR_PERMANENT,
		"answered: 554 5.7.1 spam"},
	{"hangs up after the dot", {.dot = ""}, ERR_TEMPORARY, "could not be handed over"},
	{"550 with a link", {.rcpt = "550 see:https://x.example/join/AAAA?b for <more>\r\n"},
		ERR_PERMANENT, "answered: 550 ... for <more>"},
	{"550 with our address", {.rcpt = "550 5.1.1 <you@xn--mller-kva.example>: unknown\r\n"},
		ERR_PERMANENT, "answered: 550 5.1.1 <...>: unknown"},
	{"550 with addresses in lines",
		{.rcpt = "550-you@x.example... no\r\n550 RCPT=\"a.b+c@y\",d@z.example (d@z)\r\n"},
		ERR_PERMANENT, "answered: 550... no 550 RCPT=\"...\"... ..."},
	{"450 with an address at its ends", {.dot = "450 a@b <c@d\r\n"}, ERR_TEMPORARY,
		"answered: 450 ... <..."},
	{"550 with signs alone", {.rcpt = "550 @ <@> a@ @@ ://\r\n"}, ERR_PERMANENT,
		"answered: 550 . <.> .. .. ..."},
	{"550 and nothing but an address", {.rcpt = "550 @\r\n"}, ERR_PERMANENT, "answered: 550 ."},
	{"login refused with an address", {.ehlo = LOGIN, .auth = "535 5.7.8 a@b.example\r\n"},
		ERR_CREDENTIAL, "refuses our login: 535 5.7.8"},
	{"login refused", {.ehlo = LOGIN, .auth = "535 5.7.8 not s3cret\r\n"}, ERR_CREDENTIAL,
		"refuses our login: 535 5.7.8"},
	{"login put off", {.ehlo = LOGIN, .auth = "454 4.7.0 later\r\n"}, ERR_UNAVAILABLE,
		"refuses our login: 454 4.7.0"},
	{"login repeated", {.ehlo = LOGIN, .auth = "501 AHVzZXIAczNjcmV0\r\n"}, ERR_CREDENTIAL,
		"refuses our login: 501"},
};

static void refused(void)
{
	struct mail_transport *transport;
	struct server server;
	struct err_info info;
	enum err err;
	bool same;
	size_t i;

	for (i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		server_start(&server, &refusals[i].script);
		transport = transport_to(&server, "user:s3cret@127.0.0.1", "");
		err = deliver(transport, &info);
		mail_transport_close(&transport);
		server_stop(&server);
		same = err == refusals[i].err && strstr(info.detail, refusals[i].detail) &&
		       !strstr(info.detail, "s3cret") && !strstr(info.detail, "AHVzZXIA");
		if (!same)
			fprintf(stderr, "refused: %s: %s: %s\n", refusals[i].name, err_code(err),
				info.detail);
		CU_ASSERT(same);
	}
}

static void answer_has_a_ceiling(void)
{
	static char line[20000];
	struct mail_transport *transport;
	struct server server;
	struct err_info info;

	memset(line, 'x', sizeof(line) - 1);
	memcpy(line, "550 ", 4);
	memcpy(line + sizeof(line) - 3, "\r\n", 3);
	server_start(&server, &(struct script){.rcpt = line});
	transport = transport_to(&server, "127.0.0.1", "");
	CU_ASSERT_EQUAL(deliver(transport, &info), ERR_PERMANENT);
	CU_ASSERT(strlen(info.detail) < 450);
	mail_transport_close(&transport);
	server_stop(&server);
}

/* Wherever the ceiling falls, with or without the "@" before it. */
static void answer_is_cut_between_words(void)
{
	static const char address[] = "zoe.quasten@home.example";
	char line[600];
	struct mail_transport *transport;
	struct server server;
	struct err_info info;
	int before;

	for (before = 399 - 26; before <= 399; before++) {
		snprintf(line, sizeof(line), "550 %.*d <%s> gone\r\n", before - 6, 0, address);
		server_start(&server, &(struct script){.rcpt = line});
		transport = transport_to(&server, "127.0.0.1", "");
		CU_ASSERT_EQUAL(deliver(transport, &info), ERR_PERMANENT);
		UNIT_CHECK(
			!strstr(info.detail, "zoe") && !strstr(info.detail, "home"), info.detail);
		UNIT_CHECK(strstr(info.detail, "550 000") != NULL, info.detail);
		mail_transport_close(&transport);
		server_stop(&server);
	}
}

static void one_refusal_does_not_taint_the_next(void)
{
	struct mail_transport *transport;
	struct server server;
	struct err_info info;

	server_start(&server, &(struct script){.rcpt = "550 5.1.1 unknown\r\n"});
	transport = transport_to(&server, "127.0.0.1", "");
	CU_ASSERT_EQUAL(deliver(transport, &info), ERR_PERMANENT);
	server_stop(&server);
	CU_ASSERT_EQUAL(deliver(transport, &info), ERR_UNAVAILABLE); /* nobody listens now */
	CU_ASSERT_PTR_NULL(strstr(info.detail, "5.1.1"));            /* 550 may be of the port */
	mail_transport_close(&transport);
}

static void idle_connection_lost(void)
{
	struct mail_transport *transport;
	struct server server;
	struct err_info info;

	server_start(&server, &(struct script){.leave = true});
	transport = transport_to(&server, "127.0.0.1", "");
	CU_ASSERT_EQUAL(deliver(transport, &info), ERR_OK);
	unit_wait(&server.hung_up, 1);
	CU_ASSERT_EQUAL(deliver(transport, &info), ERR_OK);
	CU_ASSERT_EQUAL(server.connections, 2);
	mail_transport_close(&transport);
	server_stop(&server);
}

/* In each phase the server says nothing any more: it is given up in the time of that phase, which
 * the others would exceed. */
static void silence(void)
{
	static const struct mail_timeouts in_login = {1, LONG, LONG, LONG},
					  in_answer = {LONG, 1, LONG, LONG},
					  in_taken = {LONG, LONG, 1, LONG},
					  in_all = {LONG, LONG, LONG, 1};
	static const struct {
		const char *name;
		struct script script;
		const struct mail_timeouts *timeouts;
	} phases[] = {
		{"for a banner", {.banner = SILENCE}, &in_login},
		{"after garbage for one", {.banner = "\x16\x03\xff\r\n\r\n"}, &in_login},
		{"to EHLO", {.ehlo = SILENCE}, &in_login},
		{"to AUTH", {.ehlo = LOGIN, .auth = SILENCE}, &in_login},
		{"to MAIL", {.mail = SILENCE}, &in_answer},
		{"to RCPT", {.rcpt = SILENCE}, &in_answer},
		{"to DATA", {.data = SILENCE}, &in_answer},
		{"to the message", {.dot = SILENCE}, &in_taken},
		{"to the message, all in all", {.dot = SILENCE}, &in_all},
	};
	struct mail_transport_options options = {0};
	struct mail_transport *transport;
	struct server server;
	struct err_info info;
	char url[64];
	size_t i;

	for (i = 0; i < sizeof(phases) / sizeof(phases[0]); i++) {
		server_start(&server, &phases[i].script);
		snprintf(url, sizeof(url), "smtp://user:s3cret@127.0.0.1:%u", server.port);
		options = (struct mail_transport_options){
			.smtp_url = url, .timeouts = phases[i].timeouts};
		CU_ASSERT_EQUAL_FATAL(mail_transport_open(&options, &transport, &info), ERR_OK);
		UNIT_CHECK(deliver(transport, &info) == ERR_UNAVAILABLE, phases[i].name);
		UNIT_CHECK(strstr(info.detail, "could not be handed over") != NULL, info.detail);
		UNIT_CHECK(strstr(info.detail, "time") != NULL, info.detail);
		UNIT_CHECK(!strstr(info.detail, "s3cret"), phases[i].name);
		mail_transport_close(&transport);
		server_stop(&server);
	}
}

static void hurried(void)
{
	static const struct script scripts[] = {{.banner = SILENCE}, {.mail = SILENCE}};
	struct mail_transport *transport;
	struct server server;
	struct err_info info;
	time_t began;
	char url[64];
	size_t i;

	for (i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++) {
		const struct mail_transport_options options = {
			.smtp_url = url, .timeouts = &patient};

		server_start(&server, &scripts[i]);
		snprintf(url, sizeof(url), "smtp://127.0.0.1:%u", server.port);
		CU_ASSERT_EQUAL_FATAL(mail_transport_open(&options, &transport, &info), ERR_OK);
		mail_transport_hurry(transport, 1);
		began = time(NULL);
		CU_ASSERT_EQUAL(deliver(transport, &info), ERR_UNAVAILABLE);
		CU_ASSERT(time(NULL) - began < patient.login / 2);
		mail_transport_close(&transport);
		server_stop(&server);
	}
}

/* It is given up in the time of the connection, whatever the system's own resolver waits for. */
static void name_server_that_hangs(void)
{
	static const struct mail_timeouts timeouts = {1, LONG, LONG, LONG};
	const struct mail_transport_options options = {
		.smtp_url = "smtps://relay.example", .timeouts = &timeouts};
	struct mail_transport *transport;
	struct err_info info;

	name_server_hangs = true;
	CU_ASSERT_EQUAL_FATAL(mail_transport_open(&options, &transport, &info), ERR_OK);
	CU_ASSERT_EQUAL(deliver(transport, &info), ERR_UNAVAILABLE);
	UNIT_CHECK(strstr(info.detail, "Resolving timed out") != NULL, info.detail);
	CU_ASSERT_FALSE(name_is_known);
	mail_transport_close(&transport);
	CU_ASSERT_FALSE(name_is_known);
	name_server_hangs = false;
	while (!name_is_known)
		usleep(1000);
}

/* 0.0.0.0 leads to the same server, but is no loopback address. */
static void tls_is_demanded(void)
{
	struct mail_transport *transport;
	struct server server;
	struct err_info info;

	server_start(&server, &(struct script){0});
	transport = transport_to(&server, "user:s3cret@0.0.0.0", "host.example");
	CU_ASSERT_EQUAL(deliver(transport, &info), ERR_UNAVAILABLE);
	mail_transport_close(&transport);
	server_stop(&server);
	CU_ASSERT_STRING_EQUAL(server.heard, "EHLO host.example\r\n");
}

static void bad_input(void)
{
	static const struct {
		const char *name, *id, *from, *to;
	} cases[] = {
		{"slash", "../m@x", "a@b.example", "c@d.example"},
		{"dot in front", ".m@x", "a@b.example", "c@d.example"},
		{"CRLF in the recipient", "m@x", "a@b.example",
			"c@d.example>\r\nRCPT TO:<e@f.example"},
		{"two recipients", "m@x", "a@b.example", "c@d.example,e@f.example"},
		{"CRLF in the sender", "m@x", "a@b.example\r\nX", "c@d.example"},
		{"no sender", "m@x", "", "c@d.example"},
	};
	struct mail_transport *transport;
	struct server server;
	struct err_info info;
	size_t i;

	server_start(&server, &(struct script){0});
	transport = transport_to(&server, "127.0.0.1", "");
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		CU_ASSERT_EQUAL(mail_transport_deliver(transport, cases[i].id, cases[i].from,
					cases[i].to, MESSAGE, strlen(MESSAGE), &info),
			ERR_INVALID);
	mail_transport_close(&transport);
	server_stop(&server);
	CU_ASSERT_EQUAL(server.connections, 0);
}

static void bad_settings(void)
{
	static const struct mail_transport_options cases[] = {
		{.smtp_url = "http://user:s3cret@localhost"},
		{.smtp_url = "file:///etc/passwd"},
		{.smtp_url = "smtp://"},
		{.smtp_url = "localhost:25"},
		{.smtp_url = "smtp://user:s3cret@a b"},
		{.smtp_url = "smtp://localhost:99999"},
		{.smtp_url = "smtp://localhost", .ca_file = "/nowhere/ca.pem"},
		/* Files. */
		{.smtp_url = "", .folder = "/dev/null/mail"},
		{.folder = "/dev/null"},
		{.folder = ""},
	};
	struct mail_transport *transport;
	struct err_info info;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const bool files = !cases[i].smtp_url || cases[i].smtp_url[0] == '\0';

		CU_ASSERT_EQUAL(
			mail_transport_check(&cases[i], &info), files ? ERR_OK : ERR_CONFIG);
		CU_ASSERT_EQUAL(mail_transport_open(&cases[i], &transport, &info), ERR_CONFIG);
		CU_ASSERT_PTR_NULL(transport);
		CU_ASSERT_PTR_NULL(strstr(info.detail, "s3cret"));
	}
}

static size_t count_files(const char *folder)
{
	size_t count = 0;
	DIR *dir = opendir(folder);

	CU_ASSERT_FATAL(dir != NULL);
	while (readdir(dir))
		count++;
	closedir(dir);
	return count - 2; /* "." and ".." */
}

static void files(void)
{
	char root[] = "/tmp/test_mail_XXXXXX", folder[64], path[128], bytes[128] = "";
	struct mail_transport_options options = {.smtp_url = "", .folder = folder};
	struct mail_transport *transport;
	struct err_info info;
	struct stat st;
	FILE *file;

	CU_ASSERT_FATAL(mkdtemp(root) != NULL);
	snprintf(folder, sizeof(folder), "%s/state/mail", root);
	snprintf(path, sizeof(path), "%s/m.1@mail.example.eml", folder);
	CU_ASSERT_EQUAL_FATAL(mail_transport_open(&options, &transport, &info), ERR_OK);
	CU_ASSERT_EQUAL(mail_transport_deliver(transport, "m.1@mail.example", "a@b.example",
				"c@d.example", "old, and longer", 15, &info),
		ERR_OK);
	CU_ASSERT_EQUAL(deliver(transport, &info), ERR_OK);
	CU_ASSERT_EQUAL(count_files(folder), 1);
	CU_ASSERT(stat(path, &st) == 0 && (st.st_mode & 0777) == 0600);
	file = fopen(path, "r");
	CU_ASSERT_FATAL(file != NULL);
	CU_ASSERT_EQUAL(fread(bytes, 1, sizeof(bytes) - 1, file), strlen(MESSAGE));
	CU_ASSERT_STRING_EQUAL(bytes, MESSAGE);
	fclose(file);

	unlink(path);
	rmdir(folder);
	CU_ASSERT_EQUAL(deliver(transport, &info), ERR_TEMPORARY);
	mail_transport_close(&transport);
	snprintf(folder, sizeof(folder), "%s/state", root);
	rmdir(folder);
	CU_ASSERT(rmdir(root) == 0);
}

static const struct unit_case cases[] = {
	{"two mails over one connection", delivered},
	{"what a server's answer means", refused},
	{"a long answer is cut", answer_has_a_ceiling},
	{"a long answer leaves no half of an address", answer_is_cut_between_words},
	{"a refusal does not taint the next delivery", one_refusal_does_not_taint_the_next},
	{"a lost idle connection is replaced", idle_connection_lost},
	{"silence in each phase", silence},
	{"a server that is tried in a hurry", hurried},
	{"a name server that hangs", name_server_that_hangs},
	{"no plain text beyond the loopback", tls_is_demanded},
	{"addresses and ids that are refused", bad_input},
	{"settings that are refused", bad_settings},
	{"mails as files", files},
};

UNIT_MAIN("mail_transport", cases)
