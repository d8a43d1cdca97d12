#ifndef ICS_BUSY_H
#define ICS_BUSY_H
/* Somebody's busy time as a calendar of one VFREEBUSY: RFC 5545 section 3.6.4, "to publish". It
 * says when, and nothing of what. */
#include <stdint.h>

#include "buf.h"
#include "err.h"

struct ics_period {
	int64_t from, to; /* ms */
};

struct ics_busy {
	const char *uid;
	int64_t dtstamp;
	int64_t from, to;                 /* what it covers */
	const struct ics_period *periods; /* in the order of their starts */
	size_t period_count;
};

/* Periods are cut at the ends of what it covers, and those that meet are one. Appends to `out`;
 * ERR_INTERNAL when that is full. */
enum err ics_busy_render(const struct ics_busy *busy, struct buf *out, struct err_info *info);
#endif
