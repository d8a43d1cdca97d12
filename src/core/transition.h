#ifndef TRANSITION_H
#define TRANSITION_H
/* Which command is allowed in which status: THE TRANSITIONS as a function. */
#include "err.h"
#include "request.h"

enum command {
#define REQUEST_ROW(command, ...) COMMAND_##command,
#define MEETING_ROW(...)
#include "transition_table.h"
#undef REQUEST_ROW
#undef MEETING_ROW
	COMMAND_COUNT
};

extern const char *const command_names[]; /* NULL-terminated, indexed by enum command */

/* ERR_OK when the command is allowed to a request in that status; for one with a meeting, in the
 * meeting's status too. Otherwise the error that refuses it. */
enum err transition_of_request(enum command command, enum request_status status);
enum err transition_of_meeting(enum command command, enum meeting_status status);

/* What people may do to one request before only ending it is left: its trail must fit into one
 * document (16 MB), with room for what the providers and the gate still add. */
enum { TRANSITION_MAX_EVENTS = 5000 };

/* Both for a request as it is, with words. */
enum err transition_check(
	enum command command, const struct request *request, struct err_info *info);
#endif
