#ifndef ICS_REPLY_H
#define ICS_REPLY_H
/* What a calendar answers to an invitation (RFC 5546 sections 3.2.3 and 3.2.7), read by libical. */
#include <stdbool.h>
#include <stdint.h>

#include "arena.h"

struct ics_reply {
	const char *uid;
	int64_t sequence, stamped_at; /* ms; 0: it does not say */
	bool part;                    /* of one occurrence */
	const char *attendee;         /* address of who answers; NULL: it does not say */
	const char *partstat;         /* as "ACCEPTED"; NULL: it does not say */
	const char *words;            /* why; NULL: it does not say */
	int64_t starts_at, ends_at;   /* ms: of METHOD:COUNTER, the other time; 0: none */
};

/*
 * False when it is no METHOD:REPLY or COUNTER of one event. Of several attendees it is the one with
 * the address `email`. A time in a zone whose rules are not of the calendar's own making (one
 * change a year and direction) is none.
 */
bool ics_reply_read(
	struct arena *arena, const char *text, const char *email, struct ics_reply *reply_r);
#endif
