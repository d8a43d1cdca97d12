/*
 * THE EFFECT KINDS. One row a kind feeds the stored names, the classes, the lanes, the times and
 * the documents; who performs it is in dispatch/dispatch_table.h, and a kind that nobody performs
 * does not compile.
 *
 * EFFECT(name, stored name, columns of struct effect_row)
 */
EFFECT(REQUEST_LAPSE, "request.lapse", .class = CLASS_LOCAL, .lane = LANE_ALONE,
	.without_meeting = true, .words = "The time asked for comes, and nobody has answered")
EFFECT(MEETING_NOTICE, "meeting.notice", .class = CLASS_LOCAL, .lane = LANE_ALONE,
	.ends_with_link = true,
	.words = "People are told that the link takes long, or that the meeting is near")
EFFECT(MEETING_CREATE, "meeting.create", EFFECT_CARRIES(creation), .class = CLASS_PROVIDER,
	.lane = LANE_PROVIDER, .wanted = effect_is_of_pending, .give_up = EFFECT_BY_POLICY,
	.until_end = true, .ends_with_link = true, .words = "The meeting is made at its provider")
EFFECT(MEETING_UPDATE, "meeting.update", .class = CLASS_PROVIDER, .lane = LANE_PROVIDER,
	.wanted = effect_is_of_ready, .give_up = INSTANT_DAY, .until_end = true,
	.ends_with_link = true, .words = "The provider is told title and times")
EFFECT(MEETING_DELETE, "meeting.delete", EFFECT_CARRIES(removal), .class = CLASS_PROVIDER,
	.lane = LANE_ALONE, .give_up = 7 * INSTANT_DAY,
	.words = "What is not used any more is deleted at its provider")
EFFECT(MEETING_EXPIRE, "meeting.expire", .class = CLASS_LOCAL, .lane = LANE_ALONE,
	.words = "The meeting is over and its links close")
EFFECT(MEETING_OVERLAPS, "meeting.overlaps", .class = CLASS_LOCAL, .lane = LANE_ALONE,
	.words = "Its lawyer's other meetings are looked at once more")
EFFECT(MEETING_VERIFY, "meeting.verify", .class = CLASS_WATCH, .lane = LANE_ALONE,
	.wanted = effect_is_of_ready, .until_end = true, .ends_with_link = true,
	.words = "The meeting is compared with what the provider has")
EFFECT(MAIL_MEETING_READY, "mail.meeting_ready", EFFECT_CARRIES(mail), .class = CLASS_MAIL,
	.lane = LANE_PERSON, .key = effect_recipient, .needs_link = true,
	.wanted = effect_is_latest, .give_up = 3 * INSTANT_DAY, .until_end = true,
	.calendar = CALENDAR_REQUEST, .tells = TELLS_MEETING | TELLS_ASKED,
	.words = "The invitation")
EFFECT(MAIL_MEETING_UPDATED, "mail.meeting_updated", EFFECT_CARRIES(mail), .class = CLASS_MAIL,
	.lane = LANE_PERSON, .key = effect_recipient, .needs_link = true,
	.wanted = effect_is_latest, .give_up = 3 * INSTANT_DAY, .until_end = true,
	.calendar = CALENDAR_REQUEST, .tells = TELLS_MEETING | TELLS_CHANGES,
	.words = "The news of another time or link")
EFFECT(MAIL_REQUEST_DECLINED, "mail.request_declined", EFFECT_CARRIES(mail), .class = CLASS_MAIL,
	.lane = LANE_PERSON, .key = effect_recipient, .without_meeting = true,
	.give_up = 3 * INSTANT_DAY, .words = "The news that the lawyer declined")
EFFECT(MAIL_REQUEST_LAPSED, "mail.request_lapsed", EFFECT_CARRIES(mail), .class = CLASS_MAIL,
	.lane = LANE_PERSON, .key = effect_recipient, .without_meeting = true,
	.give_up = 3 * INSTANT_DAY, .words = "The news that nobody answered in time")
EFFECT(MAIL_MEETING_CANCELLED, "mail.meeting_cancelled", EFFECT_CARRIES(mail), .class = CLASS_MAIL,
	.lane = LANE_PERSON, .key = effect_recipient, .give_up = 3 * INSTANT_DAY, .until_end = true,
	.after_end = INSTANT_DAY, .calendar = CALENDAR_CANCEL,
	.tells = TELLS_MEETING | TELLS_CHANGES | TELLS_CANCELLER, .words = "The cancellation")
EFFECT(MAIL_REQUEST_RECEIVED, "mail.request_received", EFFECT_CARRIES(mail), .class = CLASS_MAIL,
	.lane = LANE_PERSON, .key = effect_recipient, .without_meeting = true,
	.wanted = effect_is_of_open, .give_up = 3 * INSTANT_DAY, .notice = true, .to_claimed = true,
	.words = "The news of a request to the lawyer")
EFFECT(MAIL_REQUEST_CANCELLED, "mail.request_cancelled", EFFECT_CARRIES(mail), .class = CLASS_MAIL,
	.lane = LANE_PERSON, .key = effect_recipient, .without_meeting = true,
	.give_up = 3 * INSTANT_DAY, .tells = TELLS_CANCELLER, .to_claimed = true,
	.words = "The news that an unanswered request was withdrawn")
EFFECT(MAIL_MEETING_DELAYED, "mail.meeting_delayed", EFFECT_CARRIES(mail), .class = CLASS_MAIL,
	.lane = LANE_PERSON, .key = effect_recipient, .wanted = effect_is_of_pending,
	.notice = true, .words = "The news that the meeting is accepted, and that its link follows")
EFFECT(MAIL_MEETING_FAILED, "mail.meeting_failed", EFFECT_CARRIES(mail), .class = CLASS_MAIL,
	.lane = LANE_PERSON, .key = effect_recipient, .wanted = effect_is_of_failed,
	.give_up = 3 * INSTANT_DAY, .until_end = true, .notice = true, .tells = TELLS_FAILURE,
	.words = "The news to the lawyer that no link could be made")
EFFECT(MAIL_MEETING_REMINDER, "mail.meeting_reminder", EFFECT_CARRIES(mail), .class = CLASS_MAIL,
	.lane = LANE_PERSON, .key = effect_recipient, .needs_link = true,
	.wanted = effect_is_of_start, .until_start = true, .notice = true,
	.tells = TELLS_MEETING | TELLS_TIME_LEFT, .words = "The reminder")
EFFECT(MAIL_MEETING_MISSED, "mail.meeting_missed", EFFECT_CARRIES(mail), .class = CLASS_MAIL,
	.lane = LANE_PERSON, .key = effect_recipient, .wanted = effect_is_of_no_show,
	.give_up = 3 * INSTANT_DAY, .notice = true,
	.words = "The news to who did not come that the other one was there")
EFFECT(MAIL_MEETING_ANSWERED, "mail.meeting_answered", EFFECT_CARRIES(mail), .class = CLASS_MAIL,
	.lane = LANE_PERSON, .key = effect_recipient, .wanted = effect_is_answered,
	.give_up = 3 * INSTANT_DAY, .until_end = true, .notice = true,
	.tells = TELLS_MEETING | TELLS_ANSWER,
	.words = "The news of what the other person has answered")
EFFECT(MAIL_MEETING_PROPOSED, "mail.meeting_proposed", EFFECT_CARRIES(mail), .class = CLASS_MAIL,
	.lane = LANE_PERSON, .key = effect_recipient, .wanted = effect_is_proposed,
	.give_up = 3 * INSTANT_DAY, .until_end = true, .until_proposal_ends = true, .notice = true,
	.tells = TELLS_PROPOSAL,
	.words = "The news to the lawyer that the client asks for another time")
EFFECT(MAIL_PROPOSAL_DECLINED, "mail.proposal_declined", EFFECT_CARRIES(mail), .class = CLASS_MAIL,
	.lane = LANE_PERSON, .key = effect_recipient, .wanted = effect_is_declined_proposal,
	.give_up = 3 * INSTANT_DAY, .until_end = true, .notice = true, .tells = TELLS_PROPOSAL,
	.words = "The news to the client that the lawyer declined another time")
EFFECT(MAIL_LETTER, "mail.letter", EFFECT_CARRIES(mail), .class = CLASS_MAIL, .lane = LANE_PERSON,
	.key = effect_recipient, .without_meeting = true, .written = true,
	.give_up = 3 * INSTANT_DAY, .words = "What the other person has written")
EFFECT(WEBHOOK, "webhook", EFFECT_CARRIES(announcement), .class = CLASS_LOCAL, .lane = LANE_EVENTS,
	.without_meeting = true, .words = "What happened is put down for each subscriber")
