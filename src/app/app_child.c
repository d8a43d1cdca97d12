/* The lives of a worker and of a dispatcher. */
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#include "app.h"
#include "dispatch.h"
#include "handler.h"
#include "log.h"
#include "rest_pool.h"

/* Waits for the signal to end, in a thread of its own, so that no handler has to be safe. */
static void *child_wait_for_end(void *data)
{
	void (*stop)(void) = *(void (**)(void))data;
	sigset_t ending;
	int signal;

	sigemptyset(&ending);
	sigaddset(&ending, SIGTERM);
	sigaddset(&ending, SIGINT);
	sigwait(&ending, &signal);
	stop();
	return NULL;
}

/* The signals are blocked since before the fork, in every thread of the child. */
static int child_start(const struct conf *conf, int threads, void (**stop)(void), struct app *app)
{
	struct err_info info = {0};
	pthread_t thread;

	if (app_open(conf, threads, app, &info) != ERR_OK) {
		log_error("cannot start: %s", info.detail);
		return EXIT_FAILURE;
	}
	if (pthread_create(&thread, NULL, child_wait_for_end, stop) != 0) {
		log_error("cannot start a thread");
		app_close(app);
		return EXIT_FAILURE;
	}
	pthread_detach(thread);
	/* Finds the database before anybody waits for it. Without one, all that needs none is
	 * served. */
	if (store_ping(app->store, &info) != ERR_OK)
		log_warning("begins without the database: %s", info.detail);
	return EXIT_SUCCESS;
}

static int child_end(struct app *app, enum err err, const struct err_info *info)
{
	app_close(app);
	if (err == ERR_OK)
		return EXIT_SUCCESS;
	log_error("ends: %s", info->detail);
	return EXIT_FAILURE;
}

static struct dispatch child_dispatch(const struct app *app, const struct app_shared *shared)
{
	return (struct dispatch){
		.conf = app->conf,
		.ring = app->ring,
		.templates = app->templates,
		.mail_from = app->mail_from,
		.store = app->store,
		.tokens = &app->token_store,
		.breakers = shared->breakers,
		.domains = shared->domains,
		.wake_fd = shared->wake_fd,
	};
}

static const char *app_calendar_version(const struct app *app)
{
	char templates[HASH_SIZE], *hash = arena_alloc(app->arena, HASH_SIZE);

	tmpl_set_digest(app->templates, templates);
	hash_texts(hash, APP_VERSION, templates, app->conf->public_url, app->mail_from.name,
		app->mail_from.email, NULL);
	return hash;
}

int app_worker_run(const struct conf *conf, const struct app_shared *shared)
{
	static void (*stop)(void) = http_server_stop;
	const int threads = (int)conf->server_threads;
	struct handler_context context;
	struct err_info info = {0};
	struct http_router router;
	struct dispatch dispatch;
	struct rest_pool *rests;
	struct arena *arena;
	struct app app;
	enum err err;

	/* One connection more: that of who answers probes. */
	if (child_start(conf, threads + 1, &stop, &app) != EXIT_SUCCESS)
		return EXIT_FAILURE;
	dispatch = child_dispatch(&app, shared);
	/* At most a quarter of the threads asks providers: the others go on reading. */
	rests = rest_pool_new((size_t)(threads + 3) / 4);
	arena = arena_new();
	context = (struct handler_context){
		.service =
			{
				.conf = conf,
				.edition = app_edition(&app),
				.ring = app.ring,
				.store = app.store,
				.wake_fd = shared->wake_fd,
				.queues = dispatch_queue_names(arena),
				.rests = rests,
				.tokens = &app.token_store,
				.breakers = shared->breakers,
				.perform = dispatch_inline,
				.performer = &dispatch,
			},
		.templates = app.templates,
		.organizer = app.mail_from,
		.calendar_version = app_calendar_version(&app),
		.openapi = shared->openapi,
		.docs = shared->docs,
		.docs_policy = shared->docs_policy,
	};
	router = (struct http_router){
		.routes = app_routes,
		.route_count = app_route_count,
		.tokens = app.tokens,
		.app = &context,
		.error_page = handler_error_page,
	};
	err = http_server_run(
		shared->listen_fd, threads, (int)conf->server_queue_ms, &router, &info);
	rest_pool_free(&rests);
	arena_free(&arena);
	return child_end(&app, err, &info);
}

int app_dispatcher_run(const struct conf *conf, const struct app_shared *shared)
{
	static void (*stop)(void) = dispatch_stop;
	const int threads = (int)conf->server_dispatcher_threads;
	struct err_info info = {0};
	struct dispatch dispatch;
	struct app app;
	enum err err;

	/* Four connections more: the claimer's, and those of who does chores, alerts and observes.
	 */
	if (child_start(conf, dispatch_thread_count(threads) + 4, &stop, &app) != EXIT_SUCCESS)
		return EXIT_FAILURE;
	dispatch = child_dispatch(&app, shared);
	err = dispatch_run(&dispatch, threads, &info);
	return child_end(&app, err, &info);
}
