#ifndef MAIL_MESSAGE_H
#define MAIL_MESSAGE_H
/*
 * MIME composition (libetpan). The structure works in every client (PROVIDERS.md 5.3):
 *   multipart/mixed{ multipart/alternative{ text/plain, text/html, text/calendar; method= },
 *                    invite.ics }
 * and multipart/alternative{ text/plain, text/html } when there is no calendar.
 * The same message composes to the same bytes, so that a repeat after a crash is recognised.
 */
#include <stdbool.h>
#include <stdint.h>

#include "arena.h"
#include "buf.h"
#include "err.h"

struct mail_address {
	const char *name;  /* may be NULL; UTF-8 */
	const char *email; /* one addr-spec, ASCII local part */
};

struct mail_message {
	const char *message_id;              /* without the angle brackets */
	const char *in_reply_to;             /* same; NULL when it starts a thread */
	int64_t date;                        /* ms */
	struct mail_address from, to;
	struct mail_address reply_to;        /* email NULL: none */
	const char *subject;                 /* UTF-8, one line */
	const char *text, *html;             /* UTF-8 */
	const char *calendar;                /* iCalendar object; NULL: none */
	const char *calendar_method;         /* "REQUEST" or "CANCEL", as in the object */
};

/* Reads `Name <user@host>` or `user@host`; ERR_INVALID for anything else: several addresses,
 * control characters, a non-ASCII local part, a host without letters or digits. An
 * internationalised host becomes its A-label (libidn2). */
enum err mail_address_parse(
	struct arena *arena, const char *text, struct mail_address *address_r, struct err_info *info);

/* Whether `email` is one deliverable addr-spec by the same rules. */
bool mail_email_valid(const char *email);

/* Appends the message with CRLF lines, none over 998 octets, headers RFC 2047 encoded.
 * ERR_INVALID when a header input holds a control character. */
enum err mail_compose(const struct mail_message *message, struct buf *out, struct err_info *info);
#endif
