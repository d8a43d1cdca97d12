#ifndef DISPATCH_COURIER_H
#define DISPATCH_COURIER_H
/*
 * What subscribers are told leaves here: a thread for each, so that one who hangs keeps nobody else
 * waiting, and is asked by each dispatcher one thing at a time. A subscriber who is registered
 * meanwhile is met within seconds.
 */
#include "dispatch.h"

struct dispatch_couriers;

/* NULL when a thread cannot be started. */
struct dispatch_couriers *dispatch_couriers_start(const struct dispatch *dispatch);

/* Something has been put down for somebody. */
void dispatch_couriers_wake(struct dispatch_couriers *couriers);

/* Lets those that are at work finish. */
void dispatch_couriers_stop(struct dispatch_couriers **couriers);
#endif
