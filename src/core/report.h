#ifndef REPORT_H
#define REPORT_H
/*
 * What a provider reports of its own accord (webhooks), and what that does to a request. A report
 * may come late, twice, in any order, or be of something that is no more: it is a reason to look,
 * and never believed where anything depends on it.
 */
#include "instant.h"
#include "request.h"

/* How long a meeting knows at least what was reported of it: as long as a sender's signature may
 * be repeated to us. */
#define REPORT_KNOWN_FOR (10 * INSTANT_MINUTE)

enum report_kind {
	REPORT_OTHER, /* nothing that concerns us */
	REPORT_STARTED,
	REPORT_ENDED,
	REPORT_JOINED,
	REPORT_HOST_JOINED,
	REPORT_CHANGED, /* somebody changed or deleted the meeting at the provider, we for one */
};

struct report {
	enum report_kind kind;
	const char *provider;
	const char *external_id; /* of the meeting; NULL: of none */
	const char *digest;      /* the same whenever the same report comes again */
	int64_t at;              /* when it happened, by the provider's clock; 0: not said */
};

/*
 * Notes a report of the request's meeting. That it was held goes to the audit trail and to
 * held_from and held_until; that it was changed makes meeting.verify due: at once, or, when that
 * was so again and again within hours, after a growing pause. False when nothing is to be saved: it
 * came before, is of an ended meeting, or there were too many, ever or within REPORT_KNOWN_FOR. The
 * cause is SOURCE_PROVIDER.
 */
bool report_apply(struct cause *cause, struct request *request, const struct report *report);
#endif
