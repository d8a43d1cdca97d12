#ifndef DELIVERY_H
#define DELIVERY_H
/*
 * Deliveries: one event for one subscriber, from when it is put down until it has been in the log
 * for a month. A document each, so that a subscriber who is dead keeps no request waiting and makes
 * none grow. Those of one request to one subscriber leave in the order of its trail.
 */
#include "effect.h"

/* How long one is tried, and how long it is kept. */
#define DELIVERY_TRIED INSTANT_DAY
#define DELIVERY_KEPT  (30 * INSTANT_DAY)

/* Who dies with one costs it that time. */
enum { DELIVERY_LEASE_MS = 60 * 1000 };

enum delivery_state { DELIVERY_DUE, DELIVERY_DELIVERED, DELIVERY_FAILED };

struct delivery {
	const char *id;
	int64_t rev;
	const char *webhook_id, *request_id;
	/* What leaves in the order of `serial`: those of a request; what a person sends again is
	 * alone. */
	const char *lane;
	int64_t serial;
	const char *event_id, *type;
	int state;         /* enum delivery_state */
	int64_t due;       /* 0: it is over */
	const char *lease; /* who sends it until `due`; NULL: nobody does */
	int64_t attempts;  /* begun */
	int64_t created_at, give_up_at, ended_at;
	int64_t status; /* of the last answer; 0: there was none */
	struct failure *last_error;
	const char *body;  /* sealed; NULL: it was erased */
	const char *asked; /* the call that had it sent again; or NULL */
	int64_t purge_at;  /* when the database removes it */
};

extern const char *const delivery_state_names[];
extern const struct model delivery_model;

/* That of an event to a subscriber; its id follows from the two. */
struct delivery delivery_begun(struct arena *arena, const char *request_id, const char *webhook_id,
	const struct announced *event, const char *body, int64_t now);

/* Whether somebody sends it now. */
bool delivery_is_running(const struct delivery *delivery, int64_t now);

/* Leases it. */
void delivery_claim(struct delivery *delivery, const char *lease, int64_t now);

/* What came of it: `status` is that of the answer, or 0. ERR_PERMANENT is final. `random` as for
 * backoff_delay_ms(). */
void delivery_settled(struct arena *arena, struct delivery *delivery,
	const struct effect_outcome *outcome, int64_t status, int64_t now, int64_t random);

/* A person wants it sent again; the same bytes under the same event id. `asked` names the call and
 * is borrowed. ERR_EFFECT_RUNNING, and ERR_GONE when what it said was erased. */
enum err delivery_again(
	struct delivery *delivery, const char *asked, int64_t now, struct err_info *info);
#endif
