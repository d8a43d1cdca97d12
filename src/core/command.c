#include "command.h"

#include "config.h"
#include "proposal.h"

#define ON_REQUEST(open, accepted, declined, lapsed, cancelled, completed)                         \
	.on_request = {                                                                            \
		[REQUEST_OPEN] = ERR_##open,                                                       \
		[REQUEST_ACCEPTED] = ERR_##accepted,                                               \
		[REQUEST_DECLINED] = ERR_##declined,                                               \
		[REQUEST_LAPSED] = ERR_##lapsed,                                                   \
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
#define COMMAND(command, words, method, below, input, optional, callers, summary, ...)             \
	[COMMAND_##command] = {.name = (words),                                                    \
		.path = (below),                                                                   \
		.body = (input),                                                                   \
		.roles = (callers),                                                                \
		__VA_ARGS__},
#include "command_table.h"
#undef COMMAND
};

uint64_t command_refusals(enum command command)
{
	const struct command_row *row = &command_table[command];
	uint64_t set = row->refuses | ERR_SET(KEY_REUSED) | ERR_SET(BUSY);
	int i;

	for (i = 0; i < COMMAND_REQUEST_STATUSES; i++)
		set |= UINT64_C(1) << row->on_request[i];
	for (i = 0; i < COMMAND_MEETING_STATUSES; i++)
		set |= UINT64_C(1) << row->on_meeting[i];
	set |= row->after_start ? ERR_SET(NOT_STARTED) : ERR_SET(MEETING_OVER);
	if (row->closes)
		set |= ERR_SET(TOO_LATE);
	if (row->proposal == COMMAND_NONE_OPEN)
		set |= ERR_SET(ALREADY_PROPOSED);
	else if (row->proposal != COMMAND_WHATEVER)
		set |= ERR_SET(NO_PROPOSAL);
	if (!row->ends)
		set |= ERR_SET(TOO_MANY_CHANGES);
	return set & ~ERR_SET(OK);
}

bool command_given_up(const struct request *request)
{
	const struct meeting *meeting = request->meeting;

	if (!meeting || request->status != REQUEST_ACCEPTED)
		return request->failed_at != 0;
	if (meeting->status == MEETING_READY && meeting_warning(meeting, WARNING_NOT_UPDATED))
		return true;
	return request->failed_at != 0 && meeting->status != MEETING_FAILED;
}

/* By its status and that of its meeting, and by how much has happened to it. */
static enum err command_check_status(
	const struct command_row *row, const struct request *request, struct err_info *info)
{
	enum err err = row->on_request[request->status];

	if (row->mends && command_given_up(request))
		return ERR_OK;
	if (err == ERR_LAPSED)
		return err_set(info, err,
			"The time asked for passed before anybody answered: file a new request.");
	if (err != ERR_OK)
		return err_set(
			info, err, "The request is %s.", request_status_names[request->status]);
	if (request->meeting)
		err = row->on_meeting[request->meeting->status];
	if (err != ERR_OK)
		return err_set(info, err, "The meeting is %s.",
			meeting_status_names[request->meeting->status]);
	return ERR_OK;
}

static enum err command_check_proposal(const struct command_row *row, const struct request *request,
	int64_t now, struct err_info *info)
{
	const bool open = proposal_is_open(request, now);

	if (row->proposal == COMMAND_NONE_OPEN && open)
		return err_set(info, ERR_ALREADY_PROPOSED,
			"Another time has been asked for: take that back first.");
	if ((row->proposal == COMMAND_OPEN_PROPOSAL && !open) ||
		(row->proposal == COMMAND_ANY_PROPOSAL && !proposal_now(request, now)))
		return err_set(info, ERR_NO_PROPOSAL, "No other time is asked for.");
	return ERR_OK;
}

/* Who is bound to give notice has somebody to call; the others are who is called. */
static bool command_is_closed(
	const struct command_row *row, enum role role, const struct request *request, int64_t now)
{
	const struct meeting *meeting = request->meeting;

	return row->closes && role == ROLE_CLIENT && request->status == REQUEST_ACCEPTED &&
	       meeting->status != MEETING_CANCELLED && meeting->changes_until &&
	       now >= meeting->changes_until;
}

enum err command_check(enum command command, enum role role, const struct request *request,
	int64_t now, struct err_info *info)
{
	const struct command_row *row = &command_table[command];
	const enum err err = command_check_status(row, request, info);

	if (err != ERR_OK)
		return err;
	if (row->after_start && now < request->starts_at)
		return err_set(info, ERR_NOT_STARTED, "The meeting has not started yet.");
	if (!row->after_start && request->status == REQUEST_ACCEPTED && request->ends_at <= now &&
		!(row->mends && command_given_up(request)))
		return err_set(info, ERR_MEETING_OVER, "The time of the meeting has passed.");
	if (command_is_closed(row, role, request, now))
		return err_set(info, ERR_TOO_LATE,
			"This was possible until %lld minutes before the start: please call your "
			"lawyer.",
			(long long)((request->starts_at - request->meeting->changes_until) /
				    INSTANT_MINUTE));
	return command_check_proposal(row, request, now, info);
}

enum err command_count(struct cause *cause, const struct command_row *row, struct request *request,
	struct err_info *info)
{
	const int64_t hour_ago = cause->now - INSTANT_HOUR;
	const int64_t most = cause->config->policy->max_changes_per_hour;
	struct model_list *changes = &request->changes;

	if (row->ends)
		return ERR_OK;
	while (changes->count && *MODEL_AT(changes, int64_t, 0) <= hour_ago)
		model_list_remove(changes, sizeof(int64_t), 0);
	if ((int64_t)changes->count >= most) {
		if (info)
			info->retry_after_s =
				(int)((*MODEL_AT(changes, int64_t, changes->count - (size_t)most) -
					      hour_ago) /
					INSTANT_SECOND) +
				1;
		return err_set(info, ERR_TOO_MANY_CHANGES,
			"This request was changed %lld times within an hour; it may be cancelled.",
			(long long)changes->count);
	}
	*(int64_t *)model_list_add(cause->arena, changes, sizeof(int64_t)) = cause->now;
	return ERR_OK;
}
