#ifndef DISPATCH_DELIVERY_H
#define DISPATCH_DELIVERY_H
#include "delivery.h"
#include "dispatch.h"
#include "subscriber.h"

/* A delivery that is leased to us. */
struct delivery_work {
	const struct dispatch *dispatch;
	struct rest *rest;
	struct arena *arena;
	const struct subscriber *subscriber;
	struct delivery *delivery;
};

/* Sends it and writes down what came of it: for 15 s, and as long as the database takes. Never
 * fails: what cannot be written down is sent again by whoever leases it next. */
void dispatch_delivery_perform(const struct delivery_work *work);
#endif
