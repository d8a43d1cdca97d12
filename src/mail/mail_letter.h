#ifndef MAIL_LETTER_H
#define MAIL_LETTER_H
/* What a person has written, passed on to the other one: the body as it is, under a head of ours.
 */
#include "mail_message.h"
#include "mail_read.h"

/* What a letter may come to: attachments of 5 MB in base64, and as much again as text needs. */
enum { MAIL_LETTER_MAX = 8 * 1000 * 1000 };

/* The Message-ID of the letter with that id, from an address of ours. */
const char *mail_letter_message_id(struct arena *arena, const char *id, const char *from);

/* Appends it. Of `head` are used message_id, date, from, to, reply_to and subject; errors as of
 * mail_compose(). ERR_TOO_LARGE when it comes to more than MAIL_LETTER_MAX. */
enum err mail_letter_compose(const struct mail_message *head, const struct mail_read *read,
	struct buf *out, struct err_info *info);
#endif
