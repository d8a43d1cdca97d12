#include "mail_transport.h"

#include <curl/curl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host.h"
#include "mail_address.h"
#include "mail_file.h"
#include "mail_message.h"
#include "xalloc.h"

#define MAIL_DIGITS  "0123456789"
#define MAIL_BETWEEN " <>\"" /* the words of an answer */

enum {
	MAIL_QUIT_S = 2,
	MAIL_GO_ON = 354, /* the message may follow */
	MAIL_ANSWER_SIZE = 400,
	MAIL_CODE_LEN = 3,
	MAIL_PATH_SIZE = MAIL_EMAIL_SIZE,
};

/* Less than RFC 5321 section 4.5.3.2 suggests: the server is the installation's own relay, and a
 * mail that was given up is tried again. */
const struct mail_timeouts mail_timeouts = {.login = 15, .answer = 15, .taken = 45, .total = 60};

struct mail_transport {
	struct mail_timeouts timeouts;
	long most_s;  /* of each phase before the message; 0: as the timeouts say */
	char *folder; /* NULL: SMTP */
	CURL *curl;   /* keeps the connection from one delivery to the next */
	CURLU *url;
	bool greets; /* the URL says by what name to greet */
	char failure[CURL_ERROR_SIZE];

	/* What the current delivery has heard and said: */
	const char *bytes;
	size_t left;
	char answer[MAIL_ANSWER_SIZE]; /* to our last command */
	size_t answer_len;
	int code;
	bool login, transaction, leaving; /* said AUTH, MAIL, QUIT */
};

static bool mail_greet_as(CURLU *url, const char *name)
{
	char path[MAIL_PATH_SIZE];

	snprintf(path, sizeof(path), "/%s", name);
	return curl_url_set(url, CURLUPART_PATH, path, CURLU_URLENCODE) == CURLUE_OK;
}

/* The name we greet with (RFC 5321 section 4.1.1.1) is the path of the URL, or else this host's
 * full name. Where it has none, each delivery greets with the sender's domain. */
static bool mail_greets(CURLU *url)
{
	char name[MAIL_PATH_SIZE - 1] = "", *path = NULL;
	bool greets = false;

	if (curl_url_get(url, CURLUPART_PATH, &path, 0) == CURLUE_OK)
		greets = strcmp(path, "/") != 0;
	curl_free(path);
	if (greets || gethostname(name, sizeof(name) - 1) != 0 || !strchr(name, '.'))
		return greets;
	return mail_greet_as(url, name);
}

static size_t mail_read(char *bytes, size_t size, size_t count, void *data)
{
	struct mail_transport *transport = data;
	size_t n = size * count < transport->left ? size * count : transport->left;

	memcpy(bytes, transport->bytes, n);
	transport->bytes += n;
	transport->left -= n;
	return n;
}

/* Verbs are given with what follows them, so that a line of base64 is not taken for one. */
static bool mail_is_verb(const char *line, size_t len, const char *verb)
{
	return len >= strlen(verb) && memcmp(line, verb, strlen(verb)) == 0;
}

static char mail_printable(char c)
{
	return c < ' ' || c > '~' ? ' ' : c;
}

/* A command goes out: what was answered before is of no interest any more. */
static void mail_said(struct mail_transport *transport, const char *line, size_t len)
{
	transport->answer_len = 0;
	transport->code = 0;
	if (mail_is_verb(line, len, "AUTH "))
		transport->login = true;
	if (mail_is_verb(line, len, "MAIL FROM:")) {
		transport->login = false;
		transport->transaction = true;
	}
}

/* A line of the answer comes in; of a refusal the last one has the code that counts. While we log
 * in only the codes are kept, because a server may repeat what we said. */
static void mail_heard(struct mail_transport *transport, const char *line, size_t len)
{
	char *answer = transport->answer;
	size_t i;

	transport->code = 0;
	for (i = 0; i < len && i < 3 && line[i] >= '0' && line[i] <= '9'; i++)
		transport->code = transport->code * 10 + line[i] - '0';
	if (transport->code < 400) {
		transport->answer_len = 0;
		return;
	}
	for (i = 0; transport->login && i < len && strchr(MAIL_DIGITS ".- ", line[i]); i++)
		;
	if (transport->login)
		len = i;
	if (transport->answer_len > 0 && transport->answer_len < MAIL_ANSWER_SIZE - 1)
		answer[transport->answer_len++] = ' ';
	for (i = 0; i < len && transport->answer_len < MAIL_ANSWER_SIZE - 1; i++)
		answer[transport->answer_len++] = mail_printable(line[i]);
	while (transport->answer_len > 0 && answer[transport->answer_len - 1] == ' ')
		transport->answer_len--;
	answer[transport->answer_len] = '\0';
}

void mail_transport_hurry(struct mail_transport *transport, long most_s)
{
	transport->most_s = most_s;
}

static long mail_at_most(const struct mail_transport *transport, long seconds)
{
	const long most_s = transport->most_s;

	return most_s > 0 && most_s < seconds ? most_s : seconds;
}

/* How long the server may take for its next answer. */
static void mail_be_patient(struct mail_transport *transport, long seconds)
{
	curl_easy_setopt(transport->curl, CURLOPT_SERVER_RESPONSE_TIMEOUT, seconds);
}

/* The dialogue, as libcurl reports it line by line. It ends with QUIT, whose answer would hide the
 * one that matters, and is not worth libcurl's two minutes of waiting. */
static int mail_dialogue(CURL *curl, curl_infotype type, char *line, size_t len, void *data)
{
	struct mail_transport *transport = data;

	(void)curl;
	if (type == CURLINFO_HEADER_OUT && mail_is_verb(line, len, "QUIT\r")) {
		transport->leaving = true;
		mail_be_patient(transport, MAIL_QUIT_S);
	}
	if (transport->leaving)
		return 0;
	if (type == CURLINFO_HEADER_OUT)
		mail_said(transport, line, len);
	else if (type == CURLINFO_HEADER_IN)
		mail_heard(transport, line, len);
	if (transport->code == MAIL_GO_ON)
		mail_be_patient(transport, transport->timeouts.taken);
	return 0;
}

/* A loopback server's certificate is seldom made for "localhost", and nobody listens there: TLS
 * only when its authority was named. */
static long mail_tls(bool loopback, const char *ca_file)
{
	if (!loopback)
		return CURLUSESSL_ALL;
	return ca_file && ca_file[0] != '\0' ? CURLUSESSL_TRY : CURLUSESSL_NONE;
}

static void mail_curl_init(struct mail_transport *transport, const char *ca_file, bool loopback)
{
	CURL *curl = transport->curl;

	curl_easy_setopt(curl, CURLOPT_CURLU, transport->url);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
	/* The environment's would void the loopback rule. */
	curl_easy_setopt(curl, CURLOPT_PROXY, "");
	curl_easy_setopt(curl, CURLOPT_USE_SSL, mail_tls(loopback, ca_file));
	curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	if (ca_file && ca_file[0] != '\0')
		curl_easy_setopt(curl, CURLOPT_CAINFO, ca_file);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	/* A name server that hangs is left behind when time is up, and not waited for. */
	curl_easy_setopt(curl, CURLOPT_QUICK_EXIT, 1L);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT, transport->timeouts.total);
	curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
	curl_easy_setopt(curl, CURLOPT_READFUNCTION, mail_read);
	curl_easy_setopt(curl, CURLOPT_READDATA, transport);
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, transport->failure);
	curl_easy_setopt(curl, CURLOPT_VERBOSE, 1L);
	curl_easy_setopt(curl, CURLOPT_DEBUGFUNCTION, mail_dialogue);
	curl_easy_setopt(curl, CURLOPT_DEBUGDATA, transport);
}

static enum err mail_url_read(const struct mail_transport_options *options, CURLU *url,
	bool *loopback_r, struct err_info *info)
{
	char *scheme = NULL, *host = NULL;
	enum err err = ERR_OK;

	if (curl_url_set(url, CURLUPART_URL, options->smtp_url, CURLU_NON_SUPPORT_SCHEME) !=
			CURLUE_OK ||
		curl_url_get(url, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK ||
		curl_url_get(url, CURLUPART_HOST, &host, 0) != CURLUE_OK ||
		(strcmp(scheme, "smtp") != 0 && strcmp(scheme, "smtps") != 0))
		err = err_set(
			info, ERR_CONFIG, "smtp.url is not smtp://host:port or smtps://host:port.");
	else if (options->ca_file && options->ca_file[0] != '\0' &&
		 access(options->ca_file, R_OK) != 0)
		err = err_set(info, ERR_CONFIG, "%s: cannot be read.", options->ca_file);
	else
		*loopback_r = host_is_loopback(host);
	curl_free(scheme);
	curl_free(host);
	return err;
}

enum err mail_transport_check(const struct mail_transport_options *options, struct err_info *info)
{
	CURLU *url = curl_url();
	bool loopback;
	enum err err = ERR_OK;

	if (options->smtp_url && options->smtp_url[0] != '\0')
		err = mail_url_read(options, url, &loopback, info);
	curl_url_cleanup(url);
	return err;
}

static enum err mail_smtp_open(struct mail_transport *transport,
	const struct mail_transport_options *options, struct err_info *info)
{
	bool loopback;
	enum err err;

	transport->url = curl_url();
	transport->curl = curl_easy_init();
	if (!transport->url || !transport->curl)
		return err_set(info, ERR_CONFIG, "libcurl does not start.");
	err = mail_url_read(options, transport->url, &loopback, info);
	if (err == ERR_OK) {
		transport->greets = mail_greets(transport->url);
		mail_curl_init(transport, options->ca_file, loopback);
	}
	return err;
}

enum err mail_transport_open(const struct mail_transport_options *options,
	struct mail_transport **transport_r, struct err_info *info)
{
	struct mail_transport *transport = xcalloc(1, sizeof(*transport));
	enum err err;

	transport->timeouts = options->timeouts ? *options->timeouts : mail_timeouts;
	if (options->smtp_url && options->smtp_url[0] != '\0') {
		err = mail_smtp_open(transport, options, info);
	} else {
		transport->folder = xstrdup(options->folder);
		err = mail_folder_make(options->folder, info);
	}
	if (err != ERR_OK)
		mail_transport_close(&transport);
	*transport_r = transport;
	return err;
}

void mail_transport_close(struct mail_transport **transport)
{
	curl_socket_t fd = CURL_SOCKET_BAD;

	if (!*transport)
		return;
	/* The server reads our QUIT, but libcurl does not wait for what it says to that. */
	if (curl_easy_getinfo((*transport)->curl, CURLINFO_ACTIVESOCKET, &fd) == CURLE_OK &&
		fd != CURL_SOCKET_BAD)
		shutdown(fd, SHUT_RD);
	curl_easy_cleanup((*transport)->curl);
	curl_url_cleanup((*transport)->url);
	free((*transport)->folder);
	free(*transport);
	*transport = NULL;
}

/* Puts "..." in the place of each word that has the mark in it. */
static void mail_hide(char *answer, const char *mark)
{
	char *word, *end;
	size_t dots;

	while ((word = strstr(answer, mark)) != NULL) {
		while (word > answer && !strchr(MAIL_BETWEEN, word[-1]))
			word--;
		end = word + strcspn(word, MAIL_BETWEEN);
		dots = end - word < 3 ? (size_t)(end - word) : 3;
		memmove(word + dots, end, strlen(end) + 1);
		memset(word, '.', dots);
		answer = word + dots;
	}
}

/* A server may quote the mail, and with it a link that is one person's alone, or an address. */
static void mail_hide_people(struct mail_transport *transport)
{
	char *words = transport->answer + MAIL_CODE_LEN;
	char *end = transport->answer + transport->answer_len;

	/* Of what was too long the last word may be half of one. */
	if (transport->answer_len == MAIL_ANSWER_SIZE - 1)
		while (end > words && !strchr(MAIL_BETWEEN, end[-1]))
			end--;
	*end = '\0';
	mail_hide(words, "://");
	mail_hide(words, "@");
}

/* What an unsuccessful dialogue means. What fails before MAIL is about the server and us, and so is
 * silence at any time; a refusal for want of a login (RFC 4954 section 6) is about us, too, and
 * none of it about the recipient. */
static enum err mail_verdict(
	struct mail_transport *transport, CURLcode result, struct err_info *info)
{
	const bool away = !transport->transaction || result == CURLE_OPERATION_TIMEDOUT;
	const int code = transport->code;
	const bool unknown = code == 530 || code == 534 || code == 535;
	char *p;

	for (p = transport->failure; *p; p++)
		*p = mail_printable(*p);
	if (code < 400)
		return err_set(info, away ? ERR_UNAVAILABLE : ERR_TEMPORARY,
			"The mail could not be handed over: %s",
			transport->failure[0] ? transport->failure : curl_easy_strerror(result));
	mail_hide_people(transport);
	if (transport->login || unknown)
		return err_set(info, code >= 500 ? ERR_CREDENTIAL : ERR_UNAVAILABLE,
			"The mail server refuses our login: %s", transport->answer);
	if (away)
		return err_set(
			info, ERR_UNAVAILABLE, "The mail server answered: %s", transport->answer);
	return err_set(info, code >= 500 && code < 600 ? ERR_PERMANENT : ERR_TEMPORARY,
		"The mail server answered: %s", transport->answer);
}

static enum err mail_smtp_deliver(struct mail_transport *transport, const char *from,
	const char *to, const char *bytes, size_t len, struct err_info *info)
{
	struct curl_slist *recipients = curl_slist_append(NULL, to);
	CURL *curl = transport->curl;
	CURLcode result;

	transport->bytes = bytes;
	transport->left = len;
	transport->failure[0] = '\0';
	transport->login = transport->transaction = transport->leaving = false;
	mail_said(transport, "", 0);
	if (!transport->greets)
		mail_greet_as(transport->url, strchr(from, '@') + 1);
	curl_easy_setopt(curl, CURLOPT_MAIL_FROM, from);
	curl_easy_setopt(curl, CURLOPT_MAIL_RCPT, recipients);
	curl_easy_setopt(curl, CURLOPT_INFILESIZE_LARGE, (curl_off_t)len);
	/* To libcurl a connection is what can be spoken over: greeting and login are part of it. */
	curl_easy_setopt(
		curl, CURLOPT_CONNECTTIMEOUT, mail_at_most(transport, transport->timeouts.login));
	mail_be_patient(transport, mail_at_most(transport, transport->timeouts.answer));
	result = curl_easy_perform(curl);
	curl_easy_setopt(curl, CURLOPT_MAIL_RCPT, NULL);
	curl_slist_free_all(recipients);
	return result == CURLE_OK ? ERR_OK : mail_verdict(transport, result, info);
}

enum err mail_transport_deliver(struct mail_transport *transport, const char *message_id,
	const char *from, const char *to, const char *bytes, size_t len, struct err_info *info)
{
	char sender[MAIL_EMAIL_SIZE], recipient[MAIL_EMAIL_SIZE];

	if (!mail_message_id_valid(message_id))
		return err_set(info, ERR_INVALID, "The message id is not valid.");
	if (!mail_email_to_ascii(from, sender) || !mail_email_to_ascii(to, recipient))
		return err_set(info, ERR_INVALID, "The sender or recipient is not an address.");
	if (transport->folder)
		return mail_file_write(transport->folder, message_id, bytes, len, info);
	return mail_smtp_deliver(transport, sender, recipient, bytes, len, info);
}
