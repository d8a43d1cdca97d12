#ifndef MAIL_MESSAGE_H
#define MAIL_MESSAGE_H
/*
 * MIME composition (libetpan). The structure works in every client (RFC 6047 section 2.4, and what
 * Gmail, Outlook and Apple Mail ask for beyond it):
 *   multipart/mixed{ multipart/alternative{ text/plain, text/html, text/calendar; method= },
 *                    invite.ics }
 * and multipart/alternative{ text/plain, text/html } when there is no calendar.
 * The same message composes to the same bytes, so that a repeat after a crash is recognised.
 */
#include <stdbool.h>
#include <stdint.h>

#include "buf.h"
#include "err.h"
#include "mail_address.h"

struct mail_message {
	const char *message_id;  /* without the angle brackets */
	const char *trace_id;    /* the X-Request-Id of what it is sent for; NULL: none */
	const char *in_reply_to; /* same; NULL when it starts a thread */
	int64_t date;            /* ms */
	struct mail_address from, to;
	const char *sender; /* whom what cannot be delivered comes back to; NULL: `from` */
	struct mail_address reply_to; /* email NULL: none */
	const char *subject;          /* UTF-8, one line */
	const char *text, *html;      /* UTF-8 */
	const char *calendar;         /* iCalendar object; NULL: none */
	const char *calendar_method;  /* "REQUEST" or "CANCEL", as in the object */
};

/* Whether `id` is a message id of ours: `left@right` of [A-Za-z0-9._-], no dot in front, at most
 * 200 characters, so that it can name a file too. */
bool mail_message_id_valid(const char *id);

/* Appends the message with CRLF lines, none over 998 octets, headers RFC 2047 encoded. Blanks at
 * the end of a line of text or html are dropped.
 * ERR_INVALID when a header input holds a control character, is not UTF-8, or is not an address,
 * message id or method; when a body is not UTF-8. ERR_INTERNAL when `out` is too small. */
enum err mail_compose(const struct mail_message *message, struct buf *out, struct err_info *info);
#endif
