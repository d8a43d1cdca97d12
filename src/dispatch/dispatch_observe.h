#ifndef DISPATCH_OBSERVE_H
#define DISPATCH_OBSERVE_H
/* What of /metrics no process counts by itself: what all requests owe, and the state of the
 * breakers. One thread looks at it whenever the metrics were asked for since it did so last. */
#include "dispatch.h"

struct dispatch_periodic;

/* NULL when no thread can be started. */
struct dispatch_periodic *dispatch_observe_start(const struct dispatch *dispatch);
#endif
