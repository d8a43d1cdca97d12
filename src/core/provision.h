#ifndef PROVISION_H
#define PROVISION_H
/*
 * What the outcome of a provider's call does to the request. Each is given an effect that was
 * looked up by id and lease; `link` and `state` are what the provider said when the outcome is
 * ERR_OK.
 */
#include "request.h"

/*
 * meeting.create. A provider that failed is tried once more at once; then the next of the policy's
 * failover, and after those the default one, loudly, each under a key of its own; when none is
 * left, later from the requested one on, as soon as one of them may be able to. What may have been
 * made and is not used is owed to be deleted once that is certain.
 */
void provision_created(struct cause *cause, struct request *request, struct effect *effect,
	const struct effect_outcome *outcome, const struct meeting_link *link);

/* meeting.update. A meeting that is gone is made anew. */
void provision_updated(struct cause *cause, struct request *request, struct effect *effect,
	const struct effect_outcome *outcome, const struct meeting_link *link);

/* meeting.delete. What cannot be deleted stays visible as an orphan. */
void provision_deleted(struct cause *cause, struct request *request, struct effect *effect,
	const struct effect_outcome *outcome);

/* meeting.verify: what the provider has is compared with what is ours, and repaired. */
struct provision_state {
	int64_t starts_at, ends_at; /* 0: it does not say */
	bool settings_differ;
};
void provision_verified(struct cause *cause, struct request *request, struct effect *effect,
	const struct effect_outcome *outcome, const struct provision_state *state);

/* meeting.expire. */
void provision_expired(struct cause *cause, struct request *request, struct effect *effect,
	const struct effect_outcome *outcome);

/* Somebody found that the provider has lost the meeting: it is compared now and not hours later,
 * which makes it anew. A comparison that is under way is left to find out: false. */
bool provision_lost(struct cause *cause, struct request *request);

/* The creation that waits, or was given up, begins again now; false when it is running. */
bool provision_retry(struct cause *cause, struct request *request);
#endif
