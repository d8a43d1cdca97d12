/*
 * THE PERFORMERS: who performs which kind of core/effect_table.h. A kind that is missing here does
 * not compile.
 */
#define PERFORM_REQUEST_LAPSE          dispatch_lapse
#define PERFORM_MEETING_NOTICE         dispatch_notice
#define PERFORM_MEETING_CREATE         dispatch_creation
#define PERFORM_MEETING_UPDATE         dispatch_update
#define PERFORM_MEETING_DELETE         dispatch_deletion
#define PERFORM_MEETING_EXPIRE         dispatch_expiry
#define PERFORM_MEETING_OVERLAPS       dispatch_overlaps
#define PERFORM_MEETING_VERIFY         dispatch_verification
#define PERFORM_MAIL_MEETING_READY     dispatch_mail
#define PERFORM_MAIL_MEETING_UPDATED   dispatch_mail
#define PERFORM_MAIL_REQUEST_DECLINED  dispatch_mail
#define PERFORM_MAIL_REQUEST_LAPSED    dispatch_mail
#define PERFORM_MAIL_MEETING_CANCELLED dispatch_mail
#define PERFORM_MAIL_REQUEST_RECEIVED  dispatch_mail
#define PERFORM_MAIL_REQUEST_CANCELLED dispatch_mail
#define PERFORM_MAIL_MEETING_DELAYED   dispatch_mail
#define PERFORM_MAIL_MEETING_FAILED    dispatch_mail
#define PERFORM_MAIL_MEETING_REMINDER  dispatch_mail
#define PERFORM_MAIL_MEETING_MISSED    dispatch_mail
#define PERFORM_MAIL_MEETING_ANSWERED  dispatch_mail
#define PERFORM_MAIL_MEETING_PROPOSED  dispatch_mail
#define PERFORM_MAIL_PROPOSAL_DECLINED dispatch_mail
#define PERFORM_MAIL_LETTER            dispatch_letter
#define PERFORM_WEBHOOK                dispatch_announcement
