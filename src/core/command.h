#ifndef COMMAND_H
#define COMMAND_H
/* What may be done to one request, by whom, and in which status: THE COMMANDS. */
#include "err.h"
#include "request.h"

enum command {
#define COMMAND(name, ...) COMMAND_##name,
#include "command_table.h"
#undef COMMAND
	COMMAND_COUNT
};

enum {
	COMMAND_REQUEST_STATUSES = REQUEST_COMPLETED + 1,
	COMMAND_MEETING_STATUSES = MEETING_REPLACED + 1
};

/* What of a proposal it needs. */
enum command_proposal {
	COMMAND_WHATEVER,
	COMMAND_NONE_OPEN,
	COMMAND_OPEN_PROPOSAL,
	COMMAND_ANY_PROPOSAL, /* declined, too */
};

struct command_row {
	const char *name;
	const char *path; /* below the request's: "/meeting/cancel" */
	const char *link; /* its name in a request's links */
	const struct model *body;
	unsigned roles;
	command_rule *rule;
	bool ends;   /* however often the request was changed, it may be ended */
	bool mends;  /* allowed, too, in any status in which something was given up */
	bool closes; /* to the client, shortly before the start (struct meeting) */
	enum command_proposal proposal;
	bool after_start; /* is for after the start of the meeting; the others for before its end */
	/* ERR_OK when it is allowed in that status, otherwise the error that refuses it. */
	enum err on_request[COMMAND_REQUEST_STATUSES], on_meeting[COMMAND_MEETING_STATUSES];
	uint64_t refuses; /* ERR_SET()s of its rule */
};

extern const struct command_row command_table[COMMAND_COUNT];

/* All errors by which it may be refused, the collisions of changes among them: ERR_SET()s. */
uint64_t command_refusals(enum command command);

/* Whether something was given up that may be tried again, beside the making of a meeting, which a
 * meeting that failed says itself. */
bool command_given_up(const struct request *request);

/*
 * Whether the command is allowed to the request as it is now; otherwise the error that refuses it,
 * in words: that of its status, ERR_MEETING_OVER once the time of the meeting has passed,
 * ERR_NOT_STARTED before it came, ERR_TOO_LATE to a client when it is near, ERR_ALREADY_PROPOSED,
 * ERR_NO_PROPOSAL. Whether the role may give the command at all is the route's to know.
 */
enum err command_check(enum command command, enum role role, const struct request *request,
	int64_t now, struct err_info *info);

/* Counts a change by people. ERR_TOO_MANY_CHANGES, with when to come again, when the policy's
 * max_changes_per_hour of the last hour are used up; what ends something is neither refused nor
 * counted. */
enum err command_count(struct cause *cause, const struct command_row *row, struct request *request,
	struct err_info *info);
#endif
