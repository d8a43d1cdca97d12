#ifndef ATTENTION_H
#define ATTENTION_H
/* Why a request waits for a person: what a dashboard lists first, and why. */
#include "actor.h"
#include "request.h"

enum attention {
	ATTENTION_OPEN,        /* the lawyer has not answered */
	ATTENTION_FAILED,      /* no link could be made */
	ATTENTION_CANCELLED,   /* the meeting was, the request was not: a new link can be had */
	ATTENTION_NOT_UPDATED, /* the provider refused a change for good */
	ATTENTION_NOT_DELETED, /* an old link may still live at its provider */
	ATTENTION_NOT_TOLD,    /* a mail could not be delivered, or came back */
	ATTENTION_OVERLAPS,    /* another meeting takes the same time */
	ATTENTION_DECLINED,    /* the client has answered not to come */
	ATTENTION_PROPOSAL,    /* the client asks for another time */
	ATTENTION_PROPOSAL_DECLINED, /* and the lawyer has declined it */
	ATTENTION_COUNT
};

extern const char *const attention_names[]; /* NULL-terminated, indexed by enum attention */

/*
 * A set of 1u << ATTENTION_…; 0: nothing waits for that role. A request loaded for showing is
 * enough. What it says of a request follows from `status`, `meeting.status`, `meeting.warnings`,
 * `meeting.attendance`, `proposal`, `undeliverable` of the two people, `failed_at`, `starts_at` and
 * `ends_at` alone.
 */
unsigned request_attention(const struct request *request, enum role role, int64_t now);
#endif
