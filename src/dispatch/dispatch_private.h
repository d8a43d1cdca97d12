#ifndef DISPATCH_PRIVATE_H
#define DISPATCH_PRIVATE_H
#include "dispatch.h"
#include "id.h"
#include "mail_transport.h"
#include "store_request.h"

enum {
	DISPATCH_LEASE_MS = 90 * 1000,
	DISPATCH_LONGEST_MS = 65 * 1000, /* what performing one effect may take */
};

/* One performing thread. */
struct dispatch_performer {
	const struct dispatch *dispatch;
	struct mail_transport *transport;
};

/* An effect leased to us. */
struct dispatch_task {
	char request_id[ID_SIZE], effect_id[ID_SIZE], lease[ID_SIZE];
	int64_t lease_until;
};

/* THE EFFECT TABLE has one of these for each kind. */
struct dispatch_effect {
	/* Performs it; safe to repeat. What it made goes to link_r. ERR_PERMANENT and ERR_INVALID
	 * are final, any other error is tried again. */
	enum err (*perform)(struct dispatch_performer *performer, struct arena *arena,
		const struct request *request, const struct effect *effect,
		struct meeting_link *link_r, struct err_info *info);
	/* The rule of core/ for its outcome. */
	void (*settle)(const struct dispatch *dispatch, struct cause *cause,
		struct request *request, struct effect *effect,
		const struct effect_outcome *outcome, const struct meeting_link *link);
};

extern const struct dispatch_effect dispatch_mail;
extern const struct dispatch_effect dispatch_creation;

/* Load -> perform -> settle. Never fails: what cannot be settled is done again by whoever leases
 * it next. */
void dispatch_perform(struct dispatch_performer *performer, const struct dispatch_task *task);

/* Leases what is due, at most `limit` requests; calls `give` for each effect. Returns how many
 * requests were claimed. */
size_t dispatch_claim(const struct dispatch *dispatch, int64_t limit,
	void (*give)(void *data, const struct dispatch_task *task), void *data);
#endif
