#ifndef MAIL_READ_H
#define MAIL_READ_H
/*
 * A message that came in (RFC 5322, MIME by libetpan): what there is of it that concerns us. Its
 * bytes are anybody's: what would take libetpan too deep, or too long, is refused before it looks.
 */
#include <stdbool.h>
#include <stddef.h>

#include "arena.h"
#include "err.h"
#include "model.h"

enum { MAIL_READ_MAX = 10 * 1000 * 1000 }; /* bytes of a message */

/* In each mail that we pass on: what comes back with it is in a loop. */
#define MAIL_HOP_HEADER "X-Meetlink-Hop"

enum mail_encoding { MAIL_PLAIN, MAIL_QUOTED_PRINTABLE, MAIL_BASE64 };

/* A text within the body, those of messages in the message among them. */
struct mail_text {
	size_t at, len; /* from body on, as it came */
	enum mail_encoding encoding;
};

struct mail_read {
	struct model_list fields; /* struct model_pair: of the message, unfolded, in order */
	struct model_list kept;   /* strings: the lines of those fields that say how to read the
				   * body, as they came */
	const char *body;         /* borrowed from the message */
	size_t body_len;
	struct model_list texts; /* struct mail_text: text/..., and calendars by another name */
	/* Decoded, UTF-8; NULL: there is none. */
	const char *calendar; /* text/calendar (RFC 5545) */
	const char *status;   /* message/delivery-status (RFC 3464 section 2) */
};

/* Reads `len` bytes, which are borrowed. ERR_TOO_LARGE; ERR_INVALID for what is no message, or is
 * nested too deep. */
enum err mail_read(struct arena *arena, const char *bytes, size_t len, struct mail_read *read_r,
	struct err_info *info);

/* The first field of that name, whatever its case; NULL: there is none. */
const char *mail_read_field(const struct mail_read *read, const char *name);

/* The same with RFC 2047 words decoded: one line of what anybody may write; never NULL. */
const char *mail_read_text(struct arena *arena, const struct mail_read *read, const char *name);

/* Whether a program wrote it: to be left unanswered (RFC 3834 section 2, and what Exchange, Gmail
 * and lists say instead). */
bool mail_read_is_automatic(const struct mail_read *read);

/* Of a report of delivery, the status (as 5.1.1) of an address that mail does not reach; NULL when
 * it says of none that it failed (RFC 3464 section 2.3.3). */
const char *mail_read_failure(struct arena *arena, const struct mail_read *read);
#endif
