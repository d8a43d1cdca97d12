#ifndef REST_POOL_H
#define REST_POOL_H
/*
 * A bounded number of clients for threads that now and then make a call: the bulkhead that keeps a
 * hanging provider from holding every thread of a worker. Thread-safe.
 */
#include <stddef.h>

#include "rest.h"

struct rest_pool;

struct rest_pool *rest_pool_new(size_t size);
void rest_pool_free(struct rest_pool **pool);

/* NULL when all are in use; never waits. */
struct rest *rest_pool_take(struct rest_pool *pool);
void rest_pool_give(struct rest_pool *pool, struct rest *rest);
#endif
