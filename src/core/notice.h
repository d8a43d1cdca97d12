#ifndef NOTICE_H
#define NOTICE_H
/*
 * What people are told because time passes: that the link takes long, and that the meeting is near.
 * One effect of the meeting waits for the next of these times, however many there are.
 */
#include "request.h"

/* Owes the next notice that there is something to tell of, in place of the one that was owed; to be
 * called when the meeting has another status or time. */
void notice_plan(struct cause *cause, struct request *request);

/* meeting.notice: its time has come. Owes the mails, and the next one. */
void notice_settled(struct cause *cause, struct request *request, struct effect *effect);
#endif
