/* The threads that perform what is in one queue. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "clock.h"
#include "dispatch_private.h"
#include "wake.h"
#include "xalloc.h"

/* How long nothing more is begun after something had to wait for a target that cannot be used: the
 * others would fare no better. What can be done elsewhere does not wait, and is done at full speed.
 */
enum { POOL_REST_US = 1000 * 1000 };

struct dispatch_waiting {
	struct dispatch_task task;
	struct dispatch_waiting *next;
};

struct dispatch_thread {
	pthread_t thread;
	struct dispatch_performer performer;
	struct dispatch_pool *pool;
};

struct dispatch_pool {
	pthread_mutex_t mutex;
	pthread_cond_t filled;
	struct dispatch_waiting *first, **last;
	size_t taken; /* tasks that wait or are performed */
	int64_t rests_until_us;
	bool closed, starved;
	int freed_fd;
	struct dispatch_thread *threads;
	size_t count, started;
};

void dispatch_pool_put(struct dispatch_pool *pool, const struct dispatch_task *task)
{
	struct dispatch_waiting *waiting = xcalloc(1, sizeof(*waiting));

	waiting->task = *task;
	pthread_mutex_lock(&pool->mutex);
	*pool->last = waiting;
	pool->last = &waiting->next;
	pool->taken++;
	pthread_cond_signal(&pool->filled);
	pthread_mutex_unlock(&pool->mutex);
}

static bool dispatch_pool_take(struct dispatch_pool *pool, struct dispatch_task *task_r)
{
	struct dispatch_waiting *waiting;

	pthread_mutex_lock(&pool->mutex);
	while (!pool->first && !pool->closed)
		pthread_cond_wait(&pool->filled, &pool->mutex);
	waiting = pool->first;
	if (waiting) {
		*task_r = waiting->task;
		pool->first = waiting->next;
		if (!pool->first)
			pool->last = &pool->first;
	}
	pthread_mutex_unlock(&pool->mutex);
	free(waiting);
	return waiting != NULL;
}

static void dispatch_pool_done(struct dispatch_pool *pool, bool rest)
{
	bool starved;

	pthread_mutex_lock(&pool->mutex);
	pool->taken--;
	if (rest)
		pool->rests_until_us = clock_monotonic_us() + POOL_REST_US;
	starved = pool->starved && pool->taken < pool->started;
	pthread_mutex_unlock(&pool->mutex);
	if (starved)
		wake_signal(pool->freed_fd);
}

size_t dispatch_pool_room(struct dispatch_pool *pool, size_t limit)
{
	size_t room;

	pthread_mutex_lock(&pool->mutex);
	if (clock_monotonic_us() < pool->rests_until_us)
		limit = 0;
	limit = limit < pool->started ? limit : pool->started;
	room = pool->taken < limit ? limit - pool->taken : 0;
	pool->starved = room == 0;
	pthread_mutex_unlock(&pool->mutex);
	return room;
}

static void *dispatch_thread_run(void *data)
{
	struct dispatch_thread *thread = data;
	struct dispatch_task task;

	while (dispatch_pool_take(thread->pool, &task)) {
		dispatch_pool_done(thread->pool, dispatch_perform(&thread->performer, &task));
	}
	return NULL;
}

enum err dispatch_mail_open(
	const struct dispatch *dispatch, struct mail_transport **transport_r, struct err_info *info)
{
	char folder[4096 + 8];
	const struct mail_transport_options options = {
		.smtp_url = dispatch->conf->smtp_url,
		.ca_file = dispatch->conf->smtp_ca_file,
		.folder = folder,
	};

	snprintf(folder, sizeof(folder), "%s/mail", dispatch->conf->state_dir);
	return mail_transport_open(&options, transport_r, info);
}

static enum err dispatch_thread_start(struct dispatch_thread *thread, struct dispatch_pool *pool,
	const struct dispatch *dispatch, enum effect_class class, struct err_info *info)
{
	enum err err = ERR_OK;

	thread->pool = pool;
	thread->performer.dispatch = dispatch;
	if (class == CLASS_PROVIDER || class == CLASS_WATCH)
		thread->performer.rest = rest_new();
	if (class == CLASS_MAIL)
		err = dispatch_mail_open(dispatch, &thread->performer.transport, info);
	if (err == ERR_OK &&
		pthread_create(&thread->thread, NULL, dispatch_thread_run, thread) != 0)
		err = err_set(info, ERR_INTERNAL, "A thread cannot be started.");
	return err;
}

enum err dispatch_pool_start(const struct dispatch *dispatch, enum effect_class class, int threads,
	int freed_fd, struct dispatch_pool **pool_r, struct err_info *info)
{
	struct dispatch_pool *pool = xcalloc(1, sizeof(*pool));
	enum err err = ERR_OK;

	*pool_r = pool;
	pool->last = &pool->first;
	pool->freed_fd = freed_fd;
	pool->count = (size_t)threads;
	pool->threads = xcalloc(pool->count, sizeof(*pool->threads));
	pthread_mutex_init(&pool->mutex, NULL);
	pthread_cond_init(&pool->filled, NULL);
	while (err == ERR_OK && pool->started < pool->count) {
		err = dispatch_thread_start(
			&pool->threads[pool->started], pool, dispatch, class, info);
		pool->started += err == ERR_OK;
	}
	return err;
}

void dispatch_pool_close(struct dispatch_pool *pool)
{
	pthread_mutex_lock(&pool->mutex);
	pool->closed = true;
	pthread_cond_broadcast(&pool->filled);
	pthread_mutex_unlock(&pool->mutex);
}

void dispatch_pool_free(struct dispatch_pool **pool)
{
	struct dispatch_thread *thread;
	size_t i;

	if (!*pool)
		return;
	for (i = 0; i < (*pool)->started; i++)
		pthread_join((*pool)->threads[i].thread, NULL);
	for (i = 0; i < (*pool)->count; i++) {
		thread = &(*pool)->threads[i];
		mail_transport_close(&thread->performer.transport);
		rest_free(&thread->performer.rest);
	}
	free((*pool)->threads);
	free(*pool);
	*pool = NULL;
}
