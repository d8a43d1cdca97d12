/* `meetlink receive`: one message of somebody who answers, from standard input. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include "app.h"
#include "clock.h"
#include "fault.h"
#include "log.h"
#include "mail_read.h"
#include "reply.h"
#include "service_receive.h"

static const char receive_help[] =
	"usage: meetlink receive [--config FILE] [RECIPIENT]\n\n"
	"Reads one message from standard input, sent to an address as mail.reply_address says,\n"
	"and does what it asks for: notes a calendar's answer or an address that mail does not\n"
	"reach, passes a person's words on to the other one. RECIPIENT is the address of the\n"
	"envelope; without it the variable ORIGINAL_RECIPIENT, and then the message itself says\n"
	"it. For a pipe of Postfix or Sieve; docs/operations.md says how.\n\n"
	"The exit status is one of sysexits.h: 0 when the message is done with, 75 when it is to\n"
	"come again (the database is away), 65 when it cannot be read or passed on, 67 when there\n"
	"is no such address, 69 when mail.reply_address is not set, 77 when nobody can be written\n"
	"to any more. What is wrong is said on standard error.\n";

/* As a mail server tells it on (RFC 3463). */
static const struct {
	enum err err;
	int status;
	const char *code;
} receive_refusals[] = {
	{ERR_NOT_FOUND, EX_NOUSER, "5.1.1"},
	{ERR_INVALID, EX_DATAERR, "5.6.0"},
	{ERR_TOO_LARGE, EX_DATAERR, "5.3.4"},
	{ERR_FORBIDDEN, EX_NOPERM, "5.7.1"},
};

/* Whatever is wrong with us is mended one day: the message waits for that. */
static int receive_fail(enum err err, const struct err_info *info)
{
	size_t i;

	for (i = 0; i < sizeof(receive_refusals) / sizeof(receive_refusals[0]); i++)
		if (receive_refusals[i].err == err) {
			fprintf(stderr, "%s %s\n", receive_refusals[i].code, info->detail);
			return receive_refusals[i].status;
		}
	fprintf(stderr, "4.3.0 %s\n", info->detail);
	return EX_TEMPFAIL;
}

/* All of it: who refuses without reading on leaves a mail server with a broken pipe. What is too
 * long is counted, not kept. */
static enum err receive_input(
	struct arena *arena, char **bytes_r, size_t *len_r, struct err_info *info)
{
	char *bytes = arena_alloc(arena, MAIL_READ_MAX + 1), rest[4096];
	size_t len = 0;
	ssize_t n;

	*bytes_r = bytes;
	do {
		n = len <= MAIL_READ_MAX ? read(STDIN_FILENO, bytes + len, MAIL_READ_MAX + 1 - len)
					 : read(STDIN_FILENO, rest, sizeof(rest));
		if (n < 0 && errno != EINTR)
			return err_set(info, ERR_TEMPORARY, "Standard input: %m.");
		len += n > 0 ? (size_t)n : 0;
	} while (n != 0);
	*len_r = len;
	return len ? ERR_OK : err_set(info, ERR_INVALID, "There is no message.");
}

static enum err receive_message(const struct app *app, const char *recipient, struct err_info *info)
{
	const struct service service = {
		.conf = app->conf, .ring = app->ring, .store = app->store, .wake_fd = -1};
	const struct service_call call = {.arena = app->arena, .now = clock_now_ms()};
	struct service_mail mail = {.recipient = recipient, .from = app->mail_from};
	const char *did;
	char *bytes = NULL;
	enum err err;

	err = receive_input(app->arena, &bytes, &mail.len, info);
	if (err != ERR_OK)
		return err;
	mail.bytes = bytes;
	err = service_receive(&service, &call, &mail, &did, info);
	if (err == ERR_OK)
		log_info("received %s", did);
	return err;
}

static int receive_main(const struct conf *conf, const char *recipient)
{
	struct err_info info = {0};
	struct app app;
	enum err err;

	if (!conf->mail_reply_address[0]) {
		fputs("5.3.5 mail.reply_address is not set: nobody reads answers here.\n", stderr);
		return EX_UNAVAILABLE;
	}
	if (fault_init() != 0 || clock_init(conf->clock_offset_file) != 0) {
		err_set(&info, ERR_CONFIG, "clock.offset_file or MEETLINK_FAULT is not usable.");
		return receive_fail(ERR_CONFIG, &info);
	}
	err = app_open(conf, 1, &app, &info);
	if (err != ERR_OK)
		return receive_fail(ERR_CONFIG, &info);
	err = receive_message(&app, recipient, &info);
	app_close(&app);
	return err == ERR_OK ? EX_OK : receive_fail(err, &info);
}

int app_receive(int argc, char **argv)
{
	const char *path = NULL, *recipient;
	const struct app_option options[] = {{"config", .value = &path}};
	const int done = app_options(argc, argv, receive_help, options, 1, 1);
	struct conf *conf;
	int status;

	if (done)
		return done == 1 ? EX_OK : EX_USAGE;
	recipient = optind < argc ? argv[optind] : getenv("ORIGINAL_RECIPIENT");
	conf = app_conf(path);
	if (!conf)
		return EX_TEMPFAIL;
	status = receive_main(conf, recipient);
	conf_free(&conf);
	return status;
}
