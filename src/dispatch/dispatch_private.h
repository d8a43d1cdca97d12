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
	struct mail_transport *transport; /* NULL: it is given no mails */
	struct rest *rest;                /* NULL: it may not use the network */
	const struct effect_wait *wait;   /* in a worker: who waits for it; NULL = nobody */
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
extern const struct dispatch_effect dispatch_letter;
extern const struct dispatch_effect dispatch_creation;
extern const struct dispatch_effect dispatch_update;
extern const struct dispatch_effect dispatch_deletion;
extern const struct dispatch_effect dispatch_verification;
extern const struct dispatch_effect dispatch_expiry;

/* The values of a mail's templates; released with the arena. */
enum err dispatch_mail_values(const struct dispatch *dispatch, struct arena *arena,
	const struct request *request, const struct effect *effect, const char *locale,
	struct json_object **values_r, struct err_info *info);

/* Hands a message over to the mail server; of `message` are used message_id and to.email. What the
 * server says about itself is noted for all mails. ERR_TEMPORARY, ERR_PERMANENT, ERR_INVALID. */
enum err dispatch_mail_deliver(const struct dispatch_work *work, const struct mail_message *message,
	const char *bytes, size_t len, struct err_info *info);

/* Load -> perform -> settle. Never fails: what cannot be settled is done again by whoever leases
 * it next. */
void dispatch_perform(struct dispatch_performer *performer, struct dispatch_task *task);

/* ---- queues, dispatch_queue.c ---- */

/* What is owed to one target: found by an index of its own, performed by threads of its own. A
 * provider has one credential at a time, so it is one target; the mail server is another. */
struct dispatch_queue {
	const char *name; /* effect_queue_name() */
	enum effect_class class;
	size_t pool; /* index of the queue whose threads perform it */
};

enum { DISPATCH_LOCAL_POOL = 0 };

/* struct dispatch_queue, in the arena. */
struct model_list dispatch_queues(struct arena *arena);

/* Whose threads perform what is in the queue of that name. */
size_t dispatch_queue_pool(const struct model_list *queues, const char *name);

/* How many those are where `threads` are configured; 0 for a queue without threads of its own. */
int dispatch_queue_threads(const struct model_list *queues, size_t pool, int threads);

/* ---- threads of a queue, dispatch_pool.c ---- */

struct dispatch_pool;

/* On failure, too, *pool_r has to be closed and freed. `freed_fd` is signalled when there is room
 * again for who found none. */
enum err dispatch_pool_start(const struct dispatch *dispatch, enum effect_class class, int threads,
	int freed_fd, struct dispatch_pool **pool_r, struct err_info *info);
void dispatch_pool_put(struct dispatch_pool *pool, const struct dispatch_task *task);

/* How many more tasks it can begin now, if no more than `limit` may be under way. */
size_t dispatch_pool_room(struct dispatch_pool *pool, size_t limit);

/* Close ends the threads when they have nothing left to do; free waits for that. */
void dispatch_pool_close(struct dispatch_pool *pool);
void dispatch_pool_free(struct dispatch_pool **pool);

/* How many mails may be under way: while the mail server does not answer, one at a time. */
size_t dispatch_mail_limit(const struct dispatch *dispatch);

/* ---- claim, dispatch_claim.c ---- */

/* How many more effects a pool may be given. Where it is not exact, all that one request owes it is
 * given at once. */
struct dispatch_room {
	size_t left;
	bool exact;
};

struct dispatch_claimer {
	const struct dispatch *dispatch;
	struct model_list queues;   /* struct dispatch_queue */
	struct dispatch_room *room; /* by pool */
	int64_t after;              /* where the search for all goes on; 0: it had found all */
	int64_t searched_us;        /* when it was made last */
	void (*give)(void *data, size_t pool, const struct dispatch_task *task);
	void *data;
};

/* Leases what is due and has room, which gets less; calls `give` for each effect. Returns how many
 * requests were claimed. */
size_t dispatch_claim(struct dispatch_claimer *claimer);
#endif
