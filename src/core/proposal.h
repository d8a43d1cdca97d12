#ifndef PROPOSAL_H
#define PROPOSAL_H
/*
 * Another time that the client asks for. There is one at a time. It ends when the meeting moves or
 * is cancelled, when the client takes it back, and by itself when its time, or that of the meeting,
 * has passed; what the lawyer declined stays to be seen until then.
 */
#include "request.h"

enum proposal_status { PROPOSAL_OPEN, PROPOSAL_DECLINED };

struct proposal {
	int status; /* enum proposal_status */
	int64_t starts_at, duration_minutes;
	const char *message; /* the client's; or NULL */
	const char *answer;  /* the lawyer's, of a declined one; or NULL */
	int64_t created_at, answered_at;
};

extern const char *const proposal_status_names[];
extern const struct model proposal_model;

/* POST /api/requests/{id}/meeting/propose */
struct proposal_draft {
	int64_t starts_at, duration_minutes; /* 0: as long as the meeting is */
	const char *message;
};
extern const struct model proposal_draft_model;

/* POST /api/requests/{id}/meeting/proposal */
struct proposal_response {
	int decision; /* enum decision */
	const char *message;
	bool allow_overlap; /* with accept */
};
extern const struct model proposal_response_model;

/* When it ends by itself; 0: there is none. */
int64_t proposal_until(const struct request *request);

/* The proposal as it is at that time; NULL: there is none, or it has ended. */
struct proposal *proposal_now(const struct request *request, int64_t now);

/* Whether the lawyer has to decide on one. */
bool proposal_is_open(const struct request *request, int64_t now);

/* struct proposal_draft: the lawyer is told. The same one again changes nothing. ERR_INVALID for a
 * start as of request_reschedule(), or for the time that the meeting has. */
command_rule proposal_make;

/* No input: the client takes it back, or has read that it was declined. */
command_rule proposal_withdraw;

/* struct proposal_response: accepting moves the meeting; of a declined one the client is told. */
command_rule proposal_respond;
#endif
