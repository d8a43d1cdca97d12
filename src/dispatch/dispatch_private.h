#ifndef DISPATCH_PRIVATE_H
#define DISPATCH_PRIVATE_H
#include "config.h"
#include "dispatch.h"
#include "id.h"
#include "mail_transport.h"
#include "provision.h"
#include "store_request.h"

struct json_object;

enum { DISPATCH_LONGEST_MS = 65 * 1000 }; /* what performing one effect may take */

/* One performing thread. */
struct dispatch_performer {
	const struct dispatch *dispatch;
	struct mail_transport *transport; /* NULL in a worker: no mails */
	struct rest *rest;
	const struct effect_wait *wait; /* in a worker: who waits for it; NULL = nobody */
};

/* An effect leased to us. */
struct dispatch_task {
	char request_id[ID_SIZE], effect_id[ID_SIZE], lease[ID_SIZE];
	int64_t lease_until;
};

/* An effect that is being performed. */
struct dispatch_work {
	struct dispatch_performer *performer;
	struct arena *arena;
	struct request *request;
	const struct effect *effect;
	const struct config *config; /* NULL where it is not needed */
};

/* What came of it, beside the outcome. */
struct dispatch_result {
	struct meeting_link link;
	struct provision_state state;
};

/* Whether a kind wants the configuration. Where it is only of use, and cannot be read, the kind
 * goes on without: work->config and cause->config are NULL then. */
enum dispatch_config { CONFIG_NEEDED, CONFIG_OF_USE, CONFIG_UNUSED };

/* How a kind is performed. */
struct dispatch_effect {
	enum dispatch_config config;
	/* Performs it; safe to repeat. NULL: there is nothing to do but to settle it. Mails:
	 * ERR_INVALID and ERR_PERMANENT are final, any other error is tried again. */
	enum err (*perform)(const struct dispatch_work *work, struct dispatch_result *result_r,
		struct err_info *info);
	/* The rule of core/ for its outcome. */
	void (*settle)(struct cause *cause, struct request *request, struct effect *effect,
		const struct effect_outcome *outcome, const struct dispatch_result *result);
};

extern const struct dispatch_effect dispatch_lapse;
extern const struct dispatch_effect dispatch_mail;
extern const struct dispatch_effect dispatch_creation;
extern const struct dispatch_effect dispatch_update;
extern const struct dispatch_effect dispatch_deletion;
extern const struct dispatch_effect dispatch_verification;
extern const struct dispatch_effect dispatch_expiry;

/* The values of a mail's templates; released with the arena. */
enum err dispatch_mail_values(const struct dispatch *dispatch, struct arena *arena,
	const struct request *request, const struct effect *effect, const char *locale,
	struct json_object **values_r, struct err_info *info);

/* Load -> perform -> settle. Never fails: what cannot be settled is done again by whoever leases
 * it next. */
void dispatch_perform(struct dispatch_performer *performer, struct dispatch_task *task);

/* Leases what is due, at most `limit` requests; calls `give` for each effect. Returns how many
 * requests were claimed. */
size_t dispatch_claim(const struct dispatch *dispatch, int64_t limit,
	void (*give)(void *data, const struct dispatch_task *task), void *data);
#endif
