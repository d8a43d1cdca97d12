#ifndef DISPATCH_DELIVERY_H
#define DISPATCH_DELIVERY_H
/*
 * What subscribers are told leaves here: a thread for each, so that one who hangs keeps nobody else
 * waiting, and is asked by each dispatcher one thing at a time. A subscriber who is registered
 * meanwhile is met within a second.
 */
#include "dispatch.h"

struct dispatch_deliveries;

/* NULL when a thread cannot be started. */
struct dispatch_deliveries *dispatch_deliveries_start(const struct dispatch *dispatch);

/* Something has been put down for somebody. */
void dispatch_deliveries_wake(struct dispatch_deliveries *deliveries);

/* Lets those that are at work finish. */
void dispatch_deliveries_stop(struct dispatch_deliveries **deliveries);
#endif
