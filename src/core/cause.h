#ifndef CAUSE_H
#define CAUSE_H
/*
 * What a change happens under: when, by whom, through which door, in which configuration. The rules
 * read no clock and draw no random numbers: both are given here, so a change is a pure function of
 * its inputs.
 */
#include <stdint.h>

#include "actor.h"
#include "arena.h"

enum source { SOURCE_API, SOURCE_DISPATCHER, SOURCE_PROVIDER, SOURCE_GATE, SOURCE_CLI };

extern const char *const source_names[]; /* NULL-terminated, indexed by enum source */

struct config;

enum { CAUSE_SEED_BYTES = 32, TRACE_ID_SIZE = 65 };

struct cause {
	struct arena *arena; /* everything the change creates lives here */
	int64_t now;         /* ms */
	struct actor actor;
	enum source source;
	const struct config *config; /* of the installation, as it is now; NULL where no rule
				      * looks: filing, uses of links, mails, expiry, erasure */
	const char *trace_id;        /* X-Request-Id, or NULL */
	unsigned char seed[CAUSE_SEED_BYTES]; /* random, from the caller */
	unsigned serial;                      /* ids drawn so far */
};

/* The next id of this change; lives in its arena. */
const char *cause_id(struct cause *cause);

/* A number in [0, bound] from the seed; 0 when bound is not positive. */
int64_t cause_jitter(struct cause *cause, int64_t bound);
#endif
