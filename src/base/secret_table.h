/*
 * WHAT MACS ARE MADE FOR: each has a subkey of its own, derived from its word, which therefore
 * stays as it is.
 *
 * SECRET_PURPOSE(name, word of at most 8 characters)
 */
SECRET_PURPOSE(JOIN, "join")         /* links into the meeting */
SECRET_PURPOSE(CALENDAR, "calendar") /* links to a calendar file */
SECRET_PURPOSE(PAGE, "page")         /* links to the page of a meeting */
SECRET_PURPOSE(FORM, "form")         /* that a form is of our page */
SECRET_PURPOSE(FEED, "feed")         /* links to a calendar of all meetings */
SECRET_PURPOSE(REPLY, "reply")       /* the address that answers go to */
SECRET_PURPOSE(SHOWN, "shown")       /* the fingerprint of what was shown */
SECRET_PURPOSE(EXTERNAL, "external") /* what stands for a provider's id of a meeting */
SECRET_PURPOSE(REQUEST, "request")   /* ids of what was created under a key of idempotency */
SECRET_PURPOSE(WEBHOOK, "webhook")   /* the same of subscribers */
SECRET_PURPOSE(EDITION, "edition")   /* what hosts of one installation compare */
