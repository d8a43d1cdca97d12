/*
 * THE COMMANDS: what may be done to one request. A row feeds the route, the check whether it is
 * allowed, the links that a caller is shown, and the documents.
 *
 * COMMAND(name, words, HTTP method, path below the request's, body, whether the body may be left
 *         out, roles, summary, columns of struct command_row)
 *
 * .refuses are the errors of its rule beside those of the statuses.
 *
 * ON_REQUEST(open, accepted, declined, lapsed, cancelled, completed) and ON_MEETING(pending, ready,
 * failed, cancelled, expired, replaced) say for each status whether it is OK, or the error that
 * refuses it.
 */
/* clang-format off */
COMMAND(RESPOND, "respond", POST, "/respond", &request_response_model, false,
	FOR_LAWYER | FOR_ADMIN | FOR_SERVICE, "Accept or decline",
	.rule = request_respond, .link = "respond",
	.refuses = ERR_SET(OVERLAPS) | ERR_SET(STARTS_IN_PAST) | ERR_SET(LAWYER_UNCONFIRMED),
	ON_REQUEST(OK, ALREADY_DECIDED, ALREADY_DECIDED, LAPSED, ALREADY_DECIDED, ALREADY_DECIDED),
	ON_MEETING(OK, OK, OK, OK, OK, OK))
COMMAND(CANCEL, "cancel", POST, "/cancel", &request_cancellation_model, true,
	FOR_ALL, "Cancel request and meeting",
	.rule = request_cancel, .link = "cancel", .ends = true, .closes = true,
	ON_REQUEST(OK, OK, ALREADY_DECIDED, LAPSED, ALREADY_CANCELLED, MEETING_OVER),
	ON_MEETING(OK, OK, OK, OK, OK, OK))
COMMAND(CANCEL_MEETING, "cancel meeting", POST, "/meeting/cancel", &request_cancellation_model, true,
	FOR_CLIENT | FOR_LAWYER | FOR_ADMIN, "Cancel the meeting alone",
	.rule = request_cancel_meeting, .link = "cancel_meeting", .ends = true, .closes = true,
	ON_REQUEST(NOT_ACCEPTED, OK, NOT_ACCEPTED, LAPSED, ALREADY_CANCELLED, MEETING_OVER),
	ON_MEETING(OK, OK, OK, MEETING_ENDED, MEETING_OVER, MEETING_ENDED))
COMMAND(REGENERATE, "regenerate", POST, "/meeting/regenerate", &meeting_regeneration_model, true,
	FOR_LAWYER | FOR_ADMIN, "Replace the link",
	.rule = request_regenerate, .link = "regenerate",
	.refuses = ERR_SET(OVERLAPS) | ERR_SET(STILL_PENDING) | ERR_SET(TOO_MANY_GENERATIONS),
	ON_REQUEST(NOT_ACCEPTED, OK, NOT_ACCEPTED, LAPSED, ALREADY_CANCELLED, MEETING_OVER),
	ON_MEETING(OK, OK, OK, OK, MEETING_OVER, MEETING_ENDED))
COMMAND(RESCHEDULE, "reschedule", POST, "/meeting/reschedule", &meeting_rescheduling_model, false,
	FOR_LAWYER | FOR_ADMIN, "Move the meeting",
	.rule = request_reschedule, .link = "reschedule", .refuses = ERR_SET(OVERLAPS),
	ON_REQUEST(NOT_ACCEPTED, OK, NOT_ACCEPTED, LAPSED, ALREADY_CANCELLED, MEETING_OVER),
	ON_MEETING(OK, OK, OK, MEETING_ENDED, MEETING_OVER, MEETING_ENDED))
COMMAND(RETRY, "retry", POST, "/meeting/retry", NULL, true,
	FOR_LAWYER | FOR_ADMIN, "Try again now what was given up",
	.rule = request_retry, .link = "retry", .mends = true, .refuses = ERR_SET(OVERLAPS),
	ON_REQUEST(NOT_ACCEPTED, OK, NOT_ACCEPTED, LAPSED, ALREADY_CANCELLED, MEETING_OVER),
	ON_MEETING(OK, ALREADY_READY, OK, MEETING_ENDED, MEETING_OVER, MEETING_ENDED))
COMMAND(OUTCOME, "outcome", POST, "/meeting/outcome", &meeting_verdict_model, false,
	FOR_LAWYER | FOR_ADMIN, "Note how it went",
	.rule = request_note_outcome, .link = "outcome", .after_start = true,
	ON_REQUEST(NOT_ACCEPTED, OK, NOT_ACCEPTED, LAPSED, ALREADY_CANCELLED, OK),
	ON_MEETING(OK, OK, OK, MEETING_ENDED, OK, MEETING_ENDED))
COMMAND(PROPOSE, "propose", POST, "/meeting/propose", &proposal_draft_model, false,
	FOR_CLIENT, "Ask for another time",
	.rule = proposal_make, .link = "propose", .closes = true, .proposal = COMMAND_NONE_OPEN,
	ON_REQUEST(NOT_ACCEPTED, OK, NOT_ACCEPTED, LAPSED, ALREADY_CANCELLED, MEETING_OVER),
	ON_MEETING(OK, OK, OK, MEETING_ENDED, MEETING_OVER, MEETING_ENDED))
COMMAND(WITHDRAW_PROPOSAL, "withdraw proposal", DELETE, "/meeting/propose", NULL, true,
	FOR_CLIENT, "Take back what was asked for",
	.rule = proposal_withdraw, .link = "withdraw_proposal", .proposal = COMMAND_ANY_PROPOSAL,
	ON_REQUEST(NOT_ACCEPTED, OK, NOT_ACCEPTED, LAPSED, ALREADY_CANCELLED, MEETING_OVER),
	ON_MEETING(OK, OK, OK, MEETING_ENDED, MEETING_OVER, MEETING_ENDED))
COMMAND(DECIDE_PROPOSAL, "decide proposal", POST, "/meeting/proposal", &proposal_response_model, false,
	FOR_LAWYER | FOR_ADMIN, "Move the meeting as asked for, or decline",
	.rule = proposal_respond, .link = "proposal", .proposal = COMMAND_OPEN_PROPOSAL,
	.refuses = ERR_SET(OVERLAPS),
	ON_REQUEST(NOT_ACCEPTED, OK, NOT_ACCEPTED, LAPSED, ALREADY_CANCELLED, MEETING_OVER),
	ON_MEETING(OK, OK, OK, MEETING_ENDED, MEETING_OVER, MEETING_ENDED))
/* clang-format on */
