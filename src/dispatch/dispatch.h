#ifndef DISPATCH_H
#define DISPATCH_H
/*
 * The dispatcher: claims effects that are due, performs them, settles their outcome. Any number of
 * dispatchers on any number of hosts may run against one database; leases divide the work.
 */
#include "conf.h"
#include "mail_message.h"
#include "policy.h"
#include "request.h"
#include "secret.h"
#include "store.h"
#include "tmpl.h"

struct dispatch {
	const struct conf *conf;
	const struct secret_ring *ring;
	const struct policy *policy;
	const struct tmpl_set *templates;
	struct mail_address mail_from;
	struct store *store;
	int wake_fd; /* eventfd: somebody on this host owes something now */
};

/* Runs `threads` performers until dispatch_stop() is called from another thread, and then lets
 * those that are at work finish. ERR_CONFIG when mail cannot be delivered as configured. */
enum err dispatch_run(const struct dispatch *dispatch, int threads, struct err_info *info);
void dispatch_stop(void);
#endif
