#include "command.h"

#define ON_REQUEST(open, accepted, declined, cancelled, completed)                                 \
	.on_request = {                                                                            \
		[REQUEST_OPEN] = ERR_##open,                                                       \
		[REQUEST_ACCEPTED] = ERR_##accepted,                                               \
		[REQUEST_DECLINED] = ERR_##declined,                                               \
		[REQUEST_CANCELLED] = ERR_##cancelled,                                             \
		[REQUEST_COMPLETED] = ERR_##completed,                                             \
	}

#define ON_MEETING(pending, ready, failed, cancelled, expired, replaced)                           \
	.on_meeting = {                                                                            \
		[MEETING_PENDING] = ERR_##pending,                                                 \
		[MEETING_READY] = ERR_##ready,                                                     \
		[MEETING_FAILED] = ERR_##failed,                                                   \
		[MEETING_CANCELLED] = ERR_##cancelled,                                             \
		[MEETING_EXPIRED] = ERR_##expired,                                                 \
		[MEETING_REPLACED] = ERR_##replaced,                                               \
	}

const struct command_row command_table[] = {
#define COMMAND(command, words, below, input, optional, callers, summary, ...)                     \
	[COMMAND_##command] = {.name = (words),                                                    \
		.path = (below),                                                                   \
		.body = (input),                                                                   \
		.roles = (callers),                                                                \
		__VA_ARGS__},
#include "command_table.h"
#undef COMMAND
};

/* By its status and that of its meeting, and by how much has happened to it. */
static enum err command_check_status(
	const struct command_row *row, const struct request *request, struct err_info *info)
{
	enum err err = row->on_request[request->status];

	if (err != ERR_OK)
		return err_set(
			info, err, "The request is %s.", request_status_names[request->status]);
	if (request->meeting)
		err = row->on_meeting[request->meeting->status];
	if (err != ERR_OK)
		return err_set(info, err, "The meeting is %s.",
			meeting_status_names[request->meeting->status]);
	if (request->events.count >= COMMAND_MAX_EVENTS && !row->ends)
		return err_set(info, ERR_TOO_MANY_CHANGES,
			"So much has happened to this request that it can only be cancelled.");
	return ERR_OK;
}

enum err command_check(
	enum command command, const struct request *request, int64_t now, struct err_info *info)
{
	const struct command_row *row = &command_table[command];
	const enum err err = command_check_status(row, request, info);

	if (err != ERR_OK)
		return err;
	if (row->after_start && now < request->starts_at)
		return err_set(info, ERR_NOT_STARTED, "The meeting has not started yet.");
	if (!row->after_start && request->status == REQUEST_ACCEPTED && request->ends_at <= now)
		return err_set(info, ERR_MEETING_OVER, "The time of the meeting has passed.");
	return ERR_OK;
}
