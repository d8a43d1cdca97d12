#ifndef DISPATCH_PERIODIC_H
#define DISPATCH_PERIODIC_H
/* A thread that does one thing again and again, beside those that perform effects. */
#include <stdatomic.h>
#include <stdbool.h>

struct dispatch_periodic;

/* Calls `work` with `data` (borrowed) now and `pause_s` after it has returned, or at once when it
 * returned true: there may be more. What takes long looks at `stopping` between two steps, and
 * comes back when it is set. NULL when no thread can be started. */
typedef bool dispatch_periodic_work(void *data, const atomic_bool *stopping);
struct dispatch_periodic *dispatch_periodic_start(
	dispatch_periodic_work *work, void *data, int pause_s);

/* Waits for what is being done. */
void dispatch_periodic_stop(struct dispatch_periodic **periodic);
#endif
