#ifndef AGENDA_H
#define AGENDA_H
/*
 * Where a request stands in people's lists. It is kept with the request and set anew by every
 * write, so that a dashboard is read by index, a range each.
 */
#include "request.h"

/* The shelves; a request that is on none is over, or its meeting was cancelled. */
#define AGENDA_OPEN     "open"
#define AGENDA_UPCOMING "upcoming" /* accepted, its meeting pending, ready or failed */

/* Beyond every instant that a request can have. */
#define AGENDA_ALWAYS INT64_C(253402300799000)

/* Sets `shelf`, `over_at`, `client_until`, `lawyer_until`, `admin_until` and `proposed_until` from
 * the rest of a whole request, `failed_at` included. */
void agenda_set(struct request *request);
#endif
