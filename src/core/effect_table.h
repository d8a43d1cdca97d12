/*
 * THE EFFECT KINDS. One row feeds the stored names, the lanes and the dispatcher's table.
 * Effects of one lane run in order; lanes do not wait for each other.
 *
 * EFFECT(name, kind, lane, handler)  (handler: its row in dispatch/)
 */
EFFECT(MEETING_CREATE, "meeting.create", LANE_PROVIDER, dispatch_creation)
EFFECT(MEETING_UPDATE, "meeting.update", LANE_PROVIDER, dispatch_update)
EFFECT(MEETING_DELETE, "meeting.delete", LANE_ALONE, dispatch_deletion)
EFFECT(MEETING_EXPIRE, "meeting.expire", LANE_ALONE, dispatch_expiry)
EFFECT(MEETING_VERIFY, "meeting.verify", LANE_ALONE, dispatch_verification)
EFFECT(MAIL_MEETING_READY, "mail.meeting_ready", LANE_MAIL, dispatch_mail)
EFFECT(MAIL_MEETING_UPDATED, "mail.meeting_updated", LANE_MAIL, dispatch_mail)
EFFECT(MAIL_REQUEST_DECLINED, "mail.request_declined", LANE_MAIL, dispatch_mail)
EFFECT(MAIL_MEETING_CANCELLED, "mail.meeting_cancelled", LANE_MAIL, dispatch_mail)
