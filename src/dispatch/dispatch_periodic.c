#define _GNU_SOURCE /* pthread_cond_clockwait */
#include "dispatch_periodic.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "xalloc.h"

struct dispatch_periodic {
	dispatch_periodic_work *work;
	void *data;
	int pause_s;
	pthread_t thread;
	pthread_mutex_t mutex; /* of the change of `stopping` */
	pthread_cond_t stopped;
	atomic_bool stopping;
};

/* Until there may be something to do; false: it is to end. */
static bool periodic_wait(struct dispatch_periodic *periodic, bool at_once)
{
	struct timespec until;
	bool going_on;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += periodic->pause_s;
	pthread_mutex_lock(&periodic->mutex);
	while (!at_once && !periodic->stopping &&
		pthread_cond_clockwait(
			&periodic->stopped, &periodic->mutex, CLOCK_MONOTONIC, &until) == 0)
		continue;
	going_on = !periodic->stopping;
	pthread_mutex_unlock(&periodic->mutex);
	return going_on;
}

static void *periodic_run(void *data)
{
	struct dispatch_periodic *periodic = data;

	while (periodic_wait(periodic, periodic->work(periodic->data, &periodic->stopping)))
		continue;
	return NULL;
}

struct dispatch_periodic *dispatch_periodic_start(
	dispatch_periodic_work *work, void *data, int pause_s)
{
	struct dispatch_periodic *periodic = xcalloc(1, sizeof(*periodic));

	periodic->work = work;
	periodic->data = data;
	periodic->pause_s = pause_s;
	pthread_mutex_init(&periodic->mutex, NULL);
	pthread_cond_init(&periodic->stopped, NULL);
	if (pthread_create(&periodic->thread, NULL, periodic_run, periodic) != 0) {
		free(periodic);
		return NULL;
	}
	return periodic;
}

void dispatch_periodic_stop(struct dispatch_periodic **periodic)
{
	if (!*periodic)
		return;
	pthread_mutex_lock(&(*periodic)->mutex);
	(*periodic)->stopping = true;
	pthread_cond_signal(&(*periodic)->stopped);
	pthread_mutex_unlock(&(*periodic)->mutex);
	pthread_join((*periodic)->thread, NULL);
	free(*periodic);
	*periodic = NULL;
}
