#include "rest_pool.h"

#include <pthread.h>
#include <stdlib.h>

#include "xalloc.h"

struct rest_pool {
	pthread_mutex_t mutex;
	size_t idle;
	struct rest **clients; /* the idle ones first */
	size_t size;
};

struct rest_pool *rest_pool_new(size_t size)
{
	struct rest_pool *pool = xcalloc(1, sizeof(*pool));

	pthread_mutex_init(&pool->mutex, NULL);
	pool->clients = xcalloc(size, sizeof(struct rest *));
	for (pool->size = 0; pool->size < size; pool->size++)
		pool->clients[pool->size] = rest_new();
	pool->idle = size;
	return pool;
}

void rest_pool_free(struct rest_pool **pool)
{
	size_t i;

	if (!*pool)
		return;
	for (i = 0; i < (*pool)->idle; i++)
		rest_free(&(*pool)->clients[i]);
	pthread_mutex_destroy(&(*pool)->mutex);
	free((*pool)->clients);
	free(*pool);
	*pool = NULL;
}

struct rest *rest_pool_take(struct rest_pool *pool)
{
	struct rest *rest = NULL;

	pthread_mutex_lock(&pool->mutex);
	if (pool->idle > 0)
		rest = pool->clients[--pool->idle];
	pthread_mutex_unlock(&pool->mutex);
	return rest;
}

void rest_pool_give(struct rest_pool *pool, struct rest *rest)
{
	pthread_mutex_lock(&pool->mutex);
	pool->clients[pool->idle++] = rest;
	pthread_mutex_unlock(&pool->mutex);
}
