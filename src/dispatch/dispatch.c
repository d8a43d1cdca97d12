/* One claimer, a bounded queue, and performers. */
#define _GNU_SOURCE /* pthread_cond_clockwait */
#include "dispatch.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "dispatch_chore.h"
#include "dispatch_private.h"
#include "wake.h"
#include "xalloc.h"

enum { DISPATCH_POLL_MS = 1000, DISPATCH_QUEUE = 1024 };

/* Tasks wait here between claim and performance. The claimer takes no more requests than there are
 * idle performers, so a lease is not spent on waiting. */
struct dispatch_queue {
	pthread_mutex_t mutex;
	pthread_cond_t filled, drained;
	struct dispatch_task tasks[DISPATCH_QUEUE];
	size_t first, count;
	size_t idle;
	bool closed;
};

static atomic_bool dispatch_stopping;

void dispatch_stop(void)
{
	atomic_store(&dispatch_stopping, true);
}

static void dispatch_queue_put(void *data, const struct dispatch_task *task)
{
	struct dispatch_queue *queue = data;

	pthread_mutex_lock(&queue->mutex);
	while (queue->count == DISPATCH_QUEUE)
		pthread_cond_wait(&queue->drained, &queue->mutex);
	queue->tasks[(queue->first + queue->count++) % DISPATCH_QUEUE] = *task;
	pthread_cond_signal(&queue->filled);
	pthread_mutex_unlock(&queue->mutex);
}

static bool dispatch_queue_take(struct dispatch_queue *queue, struct dispatch_task *task_r)
{
	bool taken = false;

	pthread_mutex_lock(&queue->mutex);
	queue->idle++;
	pthread_cond_signal(&queue->drained);
	while (queue->count == 0 && !queue->closed)
		pthread_cond_wait(&queue->filled, &queue->mutex);
	queue->idle--;
	if (queue->count > 0) {
		*task_r = queue->tasks[queue->first];
		queue->first = (queue->first + 1) % DISPATCH_QUEUE;
		queue->count--;
		taken = true;
	}
	pthread_mutex_unlock(&queue->mutex);
	return taken;
}

/* Waits for an idle performer and an empty queue; returns how many are idle, 0 when time is up. */
static size_t dispatch_queue_wait(struct dispatch_queue *queue)
{
	struct timespec until;
	size_t idle = 0;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec++;
	pthread_mutex_lock(&queue->mutex);
	while ((queue->count > 0 || queue->idle == 0) &&
		pthread_cond_clockwait(&queue->drained, &queue->mutex, CLOCK_MONOTONIC, &until) ==
			0)
		;
	if (queue->count == 0)
		idle = queue->idle;
	pthread_mutex_unlock(&queue->mutex);
	return idle;
}

static void dispatch_queue_close(struct dispatch_queue *queue)
{
	pthread_mutex_lock(&queue->mutex);
	queue->closed = true;
	pthread_cond_broadcast(&queue->filled);
	pthread_mutex_unlock(&queue->mutex);
}

struct dispatch_thread {
	pthread_t thread;
	struct dispatch_performer performer;
	struct dispatch_queue *queue;
};

static void *dispatch_thread_run(void *data)
{
	struct dispatch_thread *thread = data;
	struct dispatch_task task;

	while (dispatch_queue_take(thread->queue, &task))
		dispatch_perform(&thread->performer, &task);
	return NULL;
}

static void dispatch_loop(const struct dispatch *dispatch, struct dispatch_queue *queue)
{
	size_t idle;

	while (!atomic_load(&dispatch_stopping)) {
		idle = dispatch_queue_wait(queue);
		if (idle > 0 &&
			dispatch_claim(dispatch, (int64_t)idle, dispatch_queue_put, queue) == 0)
			/* Other hosts cannot wake us, so look now and then. */
			wake_wait(dispatch->wake_fd, DISPATCH_POLL_MS);
	}
}

enum err dispatch_run(const struct dispatch *dispatch, int threads, struct err_info *info)
{
	struct dispatch_thread *all = xcalloc((size_t)threads, sizeof(*all));
	struct dispatch_queue *queue = xcalloc(1, sizeof(*queue));
	struct dispatch_chores *chores;
	char folder[4096 + 8];
	struct mail_transport_options options = {
		.smtp_url = dispatch->conf->smtp_url,
		.ca_file = dispatch->conf->smtp_ca_file,
		.folder = folder,
	};
	enum err err = ERR_OK;
	int i, started = 0;

	snprintf(folder, sizeof(folder), "%s/mail", dispatch->conf->state_dir);
	pthread_mutex_init(&queue->mutex, NULL);
	pthread_cond_init(&queue->filled, NULL);
	pthread_cond_init(&queue->drained, NULL);
	for (i = 0; i < threads && err == ERR_OK; i++) {
		all[i].queue = queue;
		all[i].performer.dispatch = dispatch;
		all[i].performer.rest = rest_new();
		err = mail_transport_open(&options, &all[i].performer.transport, info);
		if (err == ERR_OK &&
			pthread_create(&all[i].thread, NULL, dispatch_thread_run, &all[i]) != 0)
			err = err_set(info, ERR_INTERNAL, "A thread cannot be started.");
		if (err == ERR_OK)
			started++;
	}
	chores = dispatch_chores_start(dispatch);
	if (err == ERR_OK && !chores)
		err = err_set(info, ERR_INTERNAL, "A thread cannot be started.");
	if (err == ERR_OK)
		dispatch_loop(dispatch, queue);
	dispatch_chores_stop(&chores);
	dispatch_queue_close(queue);
	for (i = 0; i < started; i++)
		pthread_join(all[i].thread, NULL);
	for (i = 0; i < threads; i++) {
		mail_transport_close(&all[i].performer.transport);
		rest_free(&all[i].performer.rest);
	}
	free(queue);
	free(all);
	return err;
}
