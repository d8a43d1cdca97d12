#include "transition.h"

const char *const command_names[] = {
	[COMMAND_ACCEPT] = "accept",
	[COMMAND_DECLINE] = "decline",
	[COMMAND_CANCEL] = "cancel",
	[COMMAND_CANCEL_MEETING] = "cancel meeting",
	[COMMAND_REGENERATE] = "regenerate",
	[COMMAND_RESCHEDULE] = "reschedule",
	[COMMAND_RETRY] = "retry",
	[COMMAND_OUTCOME] = "outcome",
	NULL,
};

#define REQUEST_ROW(command, open, accepted, declined, cancelled, completed)                       \
	[COMMAND_##command] = {                                                                    \
		[REQUEST_OPEN] = ERR_##open,                                                       \
		[REQUEST_ACCEPTED] = ERR_##accepted,                                               \
		[REQUEST_DECLINED] = ERR_##declined,                                               \
		[REQUEST_CANCELLED] = ERR_##cancelled,                                             \
		[REQUEST_COMPLETED] = ERR_##completed,                                             \
	},
#define MEETING_ROW(...)
static const enum err transition_requests[COMMAND_COUNT][REQUEST_COMPLETED + 1] = {
#include "transition_table.h"
};
#undef REQUEST_ROW
#undef MEETING_ROW

#define REQUEST_ROW(...)
#define MEETING_ROW(command, pending, ready, failed, cancelled, expired, replaced)                 \
	[COMMAND_##command] = {                                                                    \
		[MEETING_PENDING] = ERR_##pending,                                                 \
		[MEETING_READY] = ERR_##ready,                                                     \
		[MEETING_FAILED] = ERR_##failed,                                                   \
		[MEETING_CANCELLED] = ERR_##cancelled,                                             \
		[MEETING_EXPIRED] = ERR_##expired,                                                 \
		[MEETING_REPLACED] = ERR_##replaced,                                               \
	},
static const enum err transition_meetings[COMMAND_COUNT][MEETING_REPLACED + 1] = {
#include "transition_table.h"
};
#undef REQUEST_ROW
#undef MEETING_ROW

enum err transition_of_request(enum command command, enum request_status status)
{
	return transition_requests[command][status];
}

enum err transition_of_meeting(enum command command, enum meeting_status status)
{
	return transition_meetings[command][status];
}

enum err transition_check(
	enum command command, const struct request *request, struct err_info *info)
{
	enum err err = transition_of_request(command, request->status);

	if (err != ERR_OK)
		return err_set(
			info, err, "The request is %s.", request_status_names[request->status]);
	if (request->meeting)
		err = transition_of_meeting(command, request->meeting->status);
	if (err == ERR_OK && request->events.count >= TRANSITION_MAX_EVENTS &&
		command != COMMAND_CANCEL && command != COMMAND_CANCEL_MEETING)
		return err_set(info, ERR_TOO_MANY_CHANGES,
			"So much has happened to this request that it can only be cancelled.");
	return err == ERR_OK ? err
			     : err_set(info, err, "The meeting is %s.",
				       meeting_status_names[request->meeting->status]);
}
