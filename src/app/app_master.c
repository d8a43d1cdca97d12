/*
 * The process tree. The master only forks, waits and signals: MongoDB, curl and the templates are
 * opened by its children.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "app.h"
#include "app_openapi.h"
#include "clock.h"
#include "log.h"
#include "metrics.h"
#include "wake.h"
#include "xalloc.h"

enum {
	MASTER_TICK_MS = 200,
	MASTER_BACKOFF_FIRST_MS = 100,
	MASTER_BACKOFF_MAX_MS = 10 * 1000,
	MASTER_STABLE_MS = 10 * 1000, /* a child that lived this long starts again at once */
};

struct child {
	pid_t pid; /* 0: not running */
	bool dispatcher;
	int64_t started_ms, start_at_ms, backoff_ms;
};

/* One set of children under one configuration; a reload makes a new one and drains the old. */
struct generation {
	struct generation *older;
	struct conf *conf;
	struct child *children;
	size_t count;
	int64_t kill_at_ms; /* when draining: the end of patience; 0 = not draining */
};

struct master {
	const char *path;
	struct app_shared shared;
	sigset_t signals;
	struct generation *newest;
	bool ending;
};

static int64_t master_now_ms(void)
{
	return clock_monotonic_us() / 1000;
}

static struct generation *generation_new(struct conf *conf, struct generation *older)
{
	struct generation *generation = xcalloc(1, sizeof(*generation));
	size_t i;

	generation->older = older;
	generation->conf = conf;
	generation->count = (size_t)(conf->server_workers + conf->server_dispatchers);
	generation->children = xcalloc(generation->count, sizeof(struct child));
	for (i = 0; i < generation->count; i++)
		generation->children[i].dispatcher = i >= (size_t)conf->server_workers;
	return generation;
}

static void generation_free(struct generation *generation)
{
	conf_free(&generation->conf);
	free(generation->children);
	free(generation);
}

static bool generation_running(const struct generation *generation)
{
	size_t i;

	for (i = 0; i < generation->count; i++)
		if (generation->children[i].pid)
			return true;
	return false;
}

static void generation_signal(const struct generation *generation, int signal)
{
	size_t i;

	for (i = 0; i < generation->count; i++)
		if (generation->children[i].pid)
			kill(generation->children[i].pid, signal);
}

static void generation_drain(struct generation *generation)
{
	generation->kill_at_ms = master_now_ms() + generation->conf->server_drain_s * 1000;
	generation_signal(generation, SIGTERM);
}

static void master_log_init(const char *role, const struct conf *conf)
{
	enum log_format format = LOG_FORMAT_LOGFMT;
	enum log_level level = LOG_LEVEL_INFO;

	log_level_parse(conf->log_level, &level);
	log_format_parse(conf->log_format, &format);
	log_init(role, level, format);
}

static void master_start_child(
	const struct master *master, const struct conf *conf, struct child *child, pid_t master_pid)
{
	const char *role = app_role_names[child->dispatcher];
	int status;

	if (child->started_ms)
		metrics_count(METRIC_RESTARTS, child->dispatcher, 0, 0);
	child->started_ms = master_now_ms();
	child->pid = fork();
	if (child->pid < 0) {
		log_error("cannot fork: %s", strerror(errno));
		child->pid = 0;
		child->start_at_ms = child->started_ms + MASTER_BACKOFF_MAX_MS;
		return;
	}
	if (child->pid > 0)
		return;
	/* Orphans drain: if the master is killed, its children do not go on without it. */
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != master_pid)
		_exit(EXIT_FAILURE);
	prctl(PR_SET_NAME, child->dispatcher ? "meetlink-disp" : "meetlink-work");
	master_log_init(role, conf);
	metrics_enter((size_t)(child - master->newest->children));
	if (child->dispatcher) {
		close(master->shared.listen_fd);
		status = app_dispatcher_run(conf, &master->shared);
	} else {
		status = app_worker_run(conf, &master->shared);
	}
	exit(status);
}

static void master_start_due(const struct master *master)
{
	const int64_t now = master_now_ms();
	const pid_t self = getpid();
	struct child *child;

	if (master->ending)
		return;
	for (child = master->newest->children;
		child < master->newest->children + master->newest->count; child++)
		if (!child->pid && child->start_at_ms <= now)
			master_start_child(master, master->newest->conf, child, self);
}

static void master_note_death(struct child *child, int status)
{
	const int64_t now = master_now_ms();

	if (WIFSIGNALED(status))
		log_warning("%s %d was killed by signal %d", app_role_names[child->dispatcher],
			(int)child->pid, WTERMSIG(status));
	else
		log_info("%s %d ended with status %d", app_role_names[child->dispatcher],
			(int)child->pid, WEXITSTATUS(status));
	child->pid = 0;
	if (now - child->started_ms >= MASTER_STABLE_MS)
		child->backoff_ms = 0;
	child->start_at_ms = now + child->backoff_ms;
	child->backoff_ms = child->backoff_ms ? child->backoff_ms * 2 : MASTER_BACKOFF_FIRST_MS;
	if (child->backoff_ms > MASTER_BACKOFF_MAX_MS)
		child->backoff_ms = MASTER_BACKOFF_MAX_MS;
}

static void master_reap(struct master *master)
{
	struct generation *generation;
	int status;
	size_t i;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		for (generation = master->newest; generation; generation = generation->older)
			for (i = 0; i < generation->count; i++)
				if (generation->children[i].pid == pid)
					master_note_death(&generation->children[i], status);
}

/* Kills what has drained for too long, and forgets generations that are gone. */
static void master_bury(struct master *master)
{
	struct generation **link = &master->newest, *generation;

	while ((generation = *link) != NULL) {
		if (generation->kill_at_ms && master_now_ms() >= generation->kill_at_ms)
			generation_signal(generation, SIGKILL);
		if (generation != master->newest && !generation_running(generation)) {
			*link = generation->older;
			generation_free(generation);
		} else {
			link = &generation->older;
		}
	}
}

/* New children start and old ones drain; connections wait in the socket meanwhile. A configuration
 * that is not valid changes nothing. */
static void master_reload(struct master *master)
{
	struct err_info info = {0};
	struct conf *conf;
	enum err err = conf_load(master->path, &conf, &info);

	if (err == ERR_OK)
		err = app_check(conf, &info);
	metrics_count(METRIC_RELOADS, err, 0, 0);
	if (err != ERR_OK) {
		log_error("reload refused, the old configuration stays: %s", info.detail);
		conf_free(&conf);
		return;
	}
	master_log_init("master", conf);
	log_info("reload");
	master->newest = generation_new(conf, master->newest);
	master_start_due(master);
	generation_drain(master->newest->older);
}

static void master_end(struct master *master)
{
	struct generation *generation;

	if (master->ending)
		return;
	log_info("draining");
	master->ending = true;
	for (generation = master->newest; generation; generation = generation->older)
		generation_drain(generation);
}

static void master_loop(struct master *master)
{
	const struct timespec tick = {.tv_nsec = MASTER_TICK_MS * 1000000L};

	while (!master->ending || master->newest->older || generation_running(master->newest)) {
		master_start_due(master);
		switch (sigtimedwait(&master->signals, NULL, &tick)) {
		case SIGTERM:
		case SIGINT:
			master_end(master);
			break;
		case SIGHUP:
			if (!master->ending)
				master_reload(master);
			break;
		default:
			break;
		}
		master_reap(master);
		master_bury(master);
	}
}

enum err app_master_run(const char *path, struct conf **conf, struct err_info *info)
{
	struct master master = {.path = path, .shared = {.listen_fd = -1, .wake_fd = -1}};
	char *socket = xstrdup((*conf)->server_socket);
	struct arena *arena = arena_new();
	struct model_list schemas;
	enum err err;

	master_log_init("master", *conf);
	err = http_server_listen(
		socket, (*conf)->server_socket_group, &master.shared.listen_fd, info);
	if (err != ERR_OK)
		goto out;
	err = app_metrics_open(*conf, info);
	if (err != ERR_OK)
		goto out;
	master.shared.wake_fd = wake_open();
	master.shared.breakers = breaker_table_new();
	master.shared.domains = breaker_table_new();
	master.shared.openapi = app_openapi(arena, &schemas);
	master.shared.docs = app_docs_page(arena, &master.shared.docs_policy);
	if (master.shared.wake_fd < 0 || !master.shared.breakers || !master.shared.domains) {
		err = err_set(
			info, ERR_CONFIG, "No descriptors or memory left: %s.", strerror(errno));
		goto out;
	}
	/* Children inherit the blocked signals and wait for them in a thread of their own. */
	sigemptyset(&master.signals);
	sigaddset(&master.signals, SIGTERM);
	sigaddset(&master.signals, SIGINT);
	sigaddset(&master.signals, SIGHUP);
	sigaddset(&master.signals, SIGCHLD);
	sigprocmask(SIG_BLOCK, &master.signals, NULL);
	master.newest = generation_new(*conf, NULL);
	*conf = NULL;
	log_info("serving on %s", socket);
	master_loop(&master);
	generation_free(master.newest);
	unlink(socket);
	log_info("ended");
out:
	metrics_close();
	breaker_table_free(&master.shared.domains);
	breaker_table_free(&master.shared.breakers);
	if (master.shared.wake_fd >= 0)
		close(master.shared.wake_fd);
	if (master.shared.listen_fd >= 0)
		close(master.shared.listen_fd);
	arena_free(&arena);
	free(socket);
	return err;
}
