#ifndef MAIL_ADDRESS_H
#define MAIL_ADDRESS_H
/*
 * E-mail addresses: one addr-spec with an ASCII local part (RFC 5321 section 4.1.2 Dot-string, no
 * quoted form) and a host name, never an address literal. Thread-safe, nothing here blocks.
 */
#include <stdbool.h>

#include "arena.h"
#include "err.h"

enum { MAIL_EMAIL_SIZE = 255 }; /* RFC 5321 section 4.5.3.1.3: 254 octets, and the NUL */

struct mail_address {
	const char *name;  /* may be NULL; UTF-8 */
	const char *email; /* one addr-spec, ASCII local part */
};

/* Reads `Name <user@host>` or `user@host`; ERR_INVALID for anything else: several addresses,
 * control characters, a non-ASCII local part, a host without letters or digits or under .invalid. A
 * name with specials stands in double quotes. An internationalised host becomes its A-label
 * (libidn2). */
enum err mail_address_parse(struct arena *arena, const char *text, struct mail_address *address_r,
	struct err_info *info);

/* Whether `email` is one deliverable addr-spec by the same rules; its host may be a U-label. */
bool mail_email_valid(const char *email);

/* The form that goes into headers and envelopes: the host as lower-case A-labels. False when
 * `email` is not valid. */
bool mail_email_to_ascii(const char *email, char email_r[MAIL_EMAIL_SIZE]);
#endif
