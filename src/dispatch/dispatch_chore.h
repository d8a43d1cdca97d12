#ifndef DISPATCH_CHORE_H
#define DISPATCH_CHORE_H
/*
 * What is owed by no request (core/chore.h): claimed and done one after the other by one thread of
 * each dispatcher, beside those that perform effects. Leases divide the work among dispatchers.
 */
#include "dispatch.h"

struct dispatch_chores;

/* NULL when no thread can be started. */
struct dispatch_chores *dispatch_chores_start(const struct dispatch *dispatch);

/* Waits for the one that is being done, which may be left half done for the next dispatcher. */
void dispatch_chores_stop(struct dispatch_chores **chores);
#endif
