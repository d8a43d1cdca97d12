#ifndef DISPATCH_H
#define DISPATCH_H
/*
 * The dispatcher: claims effects that are due, performs them, settles their outcome. Any number of
 * dispatchers on any number of hosts may run against one database; leases divide the work.
 */
#include "buf.h"
#include "conf.h"
#include "mail_message.h"
#include "provider_breaker.h"
#include "provider_token.h"
#include "request.h"
#include "rest.h"
#include "secret.h"
#include "store.h"
#include "tmpl.h"

struct dispatch {
	const struct conf *conf;
	const struct secret_ring *ring;
	const struct tmpl_set *templates;
	struct mail_address mail_from;
	struct store *store;
	const struct provider_token_store *tokens;
	struct breaker_table *breakers;
	struct breaker_table *domains;      /* of recipients: those that put mail off; "@host" */
	int wake_fd;                        /* eventfd: somebody on this host owes something now */
	struct dispatch_couriers *couriers; /* dispatch_run() starts them */
};

/* Whether every mail has its templates, and they name no value that they are not given. */
enum err dispatch_check_templates(const struct tmpl_set *templates, struct err_info *info);

/* A mail with invented people: a kind ("meeting_ready", "queue_alert"), the language, and whose. */
struct dispatch_sample {
	const char *kind, *locale, *provider;
	enum party party;
};

/* Appends the whole message. ERR_INVALID: there is no such kind or provider. */
enum err dispatch_preview(const struct dispatch *dispatch, const struct dispatch_sample *sample,
	struct buf *out, struct err_info *info);

/* Runs performers, `threads` of each queue, until dispatch_stop() is called from another thread,
 * and then lets those that are at work finish. ERR_CONFIG when mail cannot be delivered as
 * configured.
 */
enum err dispatch_run(const struct dispatch *dispatch, int threads, struct err_info *info);
void dispatch_stop(void);

/* How many threads that makes, those for subscribers included. */
int dispatch_thread_count(int threads);

/* The queues by name (effect.h), NULL-terminated, in the arena: each is searched by an index. */
const char *const *dispatch_queue_names(struct arena *arena);

/*
 * Performs the creation that wait->request owes, in this thread and until wait->until_us, going
 * from provider to provider as the policy says. `dispatch` is a struct dispatch *; templates and
 * mail are not needed.
 */
void dispatch_inline(void *dispatch, struct rest *rest, struct effect_wait *wait);
#endif
