#ifndef DISPATCH_PRIVATE_H
#define DISPATCH_PRIVATE_H
#include "config.h"
#include "dispatch.h"
#include "id.h"
#include "mail_message.h"
#include "mail_transport.h"
#include "overlap.h"
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

/* What is leased to one thread: an effect, and what else of its request is under the same lease. */
struct dispatch_task {
	char request_id[ID_SIZE], effect_id[ID_SIZE], lease[ID_SIZE];
	char trace_id[TRACE_ID_SIZE]; /* of its effect, as long as it is performed */
	int64_t lease_until;
	struct request *request; /* as it was claimed; NULL: it is to be loaded */
	struct arena *arena;     /* which that is in, and which who performs it frees */
};

/* An effect that is being performed. */
struct dispatch_work {
	struct dispatch_performer *performer;
	struct arena *arena;
	struct request *request;
	const struct effect *effect;
	const struct config *config; /* NULL where it is not needed */
	bool waits;                  /* for a target that cannot be used for now */
};

/* What came of it, beside the outcome. */
struct dispatch_result {
	struct meeting_link link;
	struct provision_state state;
	struct model_list offsets; /* of a mail: ics_zone_offsets() */
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
	/* In place of both: what is done at once by who claims the request, due or not, and settled
	 * with the claim. It is never leased, takes a round trip, and is safe to repeat. */
	void (*at_claim)(const struct dispatch *dispatch, struct cause *cause,
		struct request *request, struct effect *effect);
};

const struct dispatch_effect *dispatch_effect_of(const struct effect *effect);

/* What happens under nobody's name. `config` may be NULL where no rule looks. */
void dispatch_cause_init(struct arena *arena, const struct config *config, struct cause *cause_r);

extern const struct dispatch_effect dispatch_lapse;
extern const struct dispatch_effect dispatch_notice;
extern const struct dispatch_effect dispatch_mail;
extern const struct dispatch_effect dispatch_letter;
extern const struct dispatch_effect dispatch_creation;
extern const struct dispatch_effect dispatch_update;
extern const struct dispatch_effect dispatch_deletion;
extern const struct dispatch_effect dispatch_verification;
extern const struct dispatch_effect dispatch_expiry;
extern const struct dispatch_effect dispatch_overlaps;
extern const struct dispatch_effect dispatch_announcement;

/* ---- mails, dispatch_mail.c ---- */

enum { MAIL_MAX_TEXT = 256 * 1024, MAIL_MAX_MESSAGE = 1024 * 1024 };

/* What a mail is made of. */
struct dispatch_letter {
	const struct request *request; /* as the mail is about it */
	const struct effect *effect;
	const struct config *config; /* NULL while it cannot be read */
	int64_t now;
};

/* Values, templates, MIME: the message in `out`, its addresses borrowed from the letter. */
enum err dispatch_mail_compose(const struct dispatch *dispatch, struct arena *arena,
	const struct dispatch_letter *letter, struct mail_message *message_r, struct buf *out,
	struct err_info *info);

/* Subject, text and page of a message from the templates of its kind. */
enum err dispatch_mail_render_all(const struct dispatch *dispatch, struct arena *arena,
	const char *locale, const char *kind, struct json_object *values,
	struct mail_message *message, struct err_info *info);

/* Whether the templates of a kind name no value but these, and are whole in English; says of what
 * language English is sent instead. */
enum err dispatch_mail_check_kind(const struct tmpl_set *templates, const char *kind,
	const char *const *const *names, struct err_info *info);

/* The same for alerts; and the message that an incident owes, in a language. */
struct incident;
struct incident_mail;
enum err dispatch_alert_check_templates(const struct tmpl_set *templates, struct err_info *info);
enum err dispatch_alert_compose(const struct dispatch *dispatch, struct arena *arena,
	const struct incident *incident, const struct incident_mail *mail, const char *locale,
	struct mail_message *message_r, struct buf *out, struct err_info *info);

/* The person's language, if it has all that makes up the mail; else the next wider one, and English
 * in the end. */
const char *dispatch_mail_locale(const struct tmpl_set *templates, struct arena *arena,
	const char *locale, const char *kind);

/* The person's own address for answers, and for what cannot be delivered, so that it is known whose
 * it is; NULL: there are none. */
const char *dispatch_own_address(const struct dispatch *dispatch, struct arena *arena,
	const struct request *request, enum party party);

/* Hands a message over, unless its domain puts us off; of `message` are used message_id, sender and
 * to.email. ERR_TEMPORARY: try again. ERR_INVALID and ERR_PERMANENT are final. */
enum err dispatch_mail_deliver(const struct dispatch *dispatch, struct mail_transport *transport,
	const struct mail_message *message, const struct buf *buf, struct err_info *info);

/* The values of a mail's templates; released with the arena. */
enum err dispatch_mail_values(const struct dispatch *dispatch, struct arena *arena,
	const struct request *request, const struct effect *effect, const char *locale, int64_t now,
	struct json_object **values_r, struct err_info *info);

/* Whether a language has subject, text and page of a kind. */
bool dispatch_mail_is_whole(const struct tmpl_set *templates, struct arena *arena,
	const char *locale, const char *kind);

/* Load -> perform -> settle. Never fails: what cannot be settled is done again by whoever leases
 * it next. Returns whether its target cannot be used for now, and it waits for that one. */
bool dispatch_perform(struct dispatch_performer *performer, struct dispatch_task *task);

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

/* The way to the mail server, or to the folder of mails. ERR_CONFIG. */
enum err dispatch_mail_open(const struct dispatch *dispatch, struct mail_transport **transport_r,
	struct err_info *info);

/* How many mails may be under way: while the mail server does not answer, one at a time. */
size_t dispatch_mail_limit(const struct dispatch *dispatch);

/* ---- claim, dispatch_claim.c ---- */

/* What a queue was found to be owed, and is not claimed yet: the earliest first. */
struct dispatch_backlog {
	struct arena *arena;     /* what is found is in it; NULL: nothing is */
	struct model_list found; /* struct store_due */
	bool full;               /* there may be more behind it */
	int64_t searched_us;     /* 0: it is to be searched again */
};

struct dispatch_claimer {
	const struct dispatch *dispatch;
	struct model_list queues;          /* struct dispatch_queue */
	struct dispatch_backlog *backlogs; /* of each queue */
	size_t *room;                      /* how many more tasks each pool can begin now */
	bool rush;                         /* more requests owe mails than there are threads for */
	int64_t after;       /* where the search for all goes on; 0: it had found all */
	int64_t passed;      /* how many it has found that are due at that very moment */
	int64_t searched_us; /* when it was made last */
	void (*give)(void *data, size_t pool, const struct dispatch_task *task);
	void *data;
};

/* Leases what is due and has room, which gets less; calls `give` for each effect. Returns how many
 * requests were claimed. */
size_t dispatch_claim(struct dispatch_claimer *claimer);

/* Somebody owes something new. */
void dispatch_claim_woken(struct dispatch_claimer *claimer);
#endif
