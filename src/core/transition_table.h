/*
 * THE TRANSITIONS: what may be done to a request and to its meeting in each status. OK is allowed;
 * anything else is the error that refuses it. Times and inputs are looked at afterwards.
 *
 * REQUEST_ROW(command, open, accepted, declined, cancelled, completed)
 * MEETING_ROW(command, pending, ready, failed, cancelled, expired, replaced)
 */
/* clang-format off */
REQUEST_ROW(ACCEPT,         OK,           ALREADY_DECIDED, ALREADY_DECIDED, ALREADY_DECIDED,   ALREADY_DECIDED)
REQUEST_ROW(DECLINE,        OK,           ALREADY_DECIDED, ALREADY_DECIDED, ALREADY_DECIDED,   ALREADY_DECIDED)
REQUEST_ROW(CANCEL,         OK,           OK,              ALREADY_DECIDED, ALREADY_CANCELLED, MEETING_OVER)
REQUEST_ROW(CANCEL_MEETING, NOT_ACCEPTED, OK,              NOT_ACCEPTED,    ALREADY_CANCELLED, MEETING_OVER)
REQUEST_ROW(REGENERATE,     NOT_ACCEPTED, OK,              NOT_ACCEPTED,    ALREADY_CANCELLED, MEETING_OVER)
REQUEST_ROW(RESCHEDULE,     NOT_ACCEPTED, OK,              NOT_ACCEPTED,    ALREADY_CANCELLED, MEETING_OVER)
REQUEST_ROW(RETRY,          NOT_ACCEPTED, OK,              NOT_ACCEPTED,    ALREADY_CANCELLED, MEETING_OVER)
REQUEST_ROW(OUTCOME,        NOT_ACCEPTED, OK,              NOT_ACCEPTED,    ALREADY_CANCELLED, OK)

MEETING_ROW(ACCEPT,         OK, OK,            OK, OK,            OK,           OK)
MEETING_ROW(DECLINE,        OK, OK,            OK, OK,            OK,           OK)
MEETING_ROW(CANCEL,         OK, OK,            OK, OK,            OK,           OK)
MEETING_ROW(CANCEL_MEETING, OK, OK,            OK, MEETING_ENDED, MEETING_OVER, MEETING_ENDED)
MEETING_ROW(REGENERATE,     OK, OK,            OK, OK,            MEETING_OVER, MEETING_ENDED)
MEETING_ROW(RESCHEDULE,     OK, OK,            OK, MEETING_ENDED, MEETING_OVER, MEETING_ENDED)
MEETING_ROW(RETRY,          OK, ALREADY_READY, OK, MEETING_ENDED, MEETING_OVER, MEETING_ENDED)
MEETING_ROW(OUTCOME,        OK, OK,            OK, MEETING_ENDED, OK,           MEETING_ENDED)
/* clang-format on */
