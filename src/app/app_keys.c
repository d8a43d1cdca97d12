/* `meetlink rotate-keys`: everything that is sealed, under the newest key. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "app.h"
#include "arena.h"
#include "clock.h"
#include "store_keys.h"

/* A document that somebody else changes meanwhile is tried again: for as long as a process may take
 * to renew an access token. */
enum { KEYS_TRIES = 200, KEYS_PAUSE_MS = 100 };

struct keys_run {
	struct store *store;
	bool check; /* only look */
	enum store_sealed where;
	int64_t seen, outdated, resealed, failed;
};

static const char keys_help[] =
	"usage: meetlink rotate-keys [--check] [--config FILE]\n\n"
	"Seals all that is sealed under an older key of the key file anew under the newest,\n"
	"which is the first: credentials, links, passcodes, access tokens. It may run while\n"
	"the service does, may be interrupted and may be repeated.\n\n"
	"Put the new key in front of the old ones and reload every host (SIGHUP) first: a\n"
	"process that does not know the new key cannot read what it seals.\n\n"
	"  --check  change nothing, say whether anything still needs an older key, or has the\n"
	"           form of the version before; the exit status is 1 if so\n\n"
	"An older key that nothing needs any more may be removed, but join and calendar links\n"
	"that were made while it was the newest work only as long as it is in the file, and\n"
	"an Idempotency-Key that created a request within the last 24 hours is not recognised\n"
	"once the last key of the file is another one.\n";

/* ERR_OK, too, for a document that has to stay as it is; then it is counted and named. */
static enum err keys_reseal(struct keys_run *run, const char *id, struct err_info *info)
{
	const struct timespec pause = {.tv_nsec = KEYS_PAUSE_MS * 1000000L};
	struct arena *arena;
	enum err err;
	int tries;

	for (tries = 0; tries < KEYS_TRIES; tries++) {
		err_clear(info);
		arena = arena_new();
		err = store_keys_reseal(run->store, arena, run->where, id, clock_now_ms(), info);
		arena_free(&arena);
		if (err != ERR_CONFLICT)
			break;
		nanosleep(&pause, NULL);
	}
	if (err == ERR_OK)
		run->resealed++;
	if (err == ERR_OK || err == ERR_NOT_FOUND)
		return ERR_OK;
	if (err != ERR_UNREADABLE && err != ERR_CONFLICT)
		return err;
	run->failed++;
	fprintf(stderr, "meetlink: %s %s: %s\n", store_sealed_names[run->where], id, info->detail);
	return ERR_OK;
}

static enum err keys_walk(struct keys_run *run, struct err_info *info)
{
	struct store_keys_page page = {.last_id = ""};
	struct arena *arena = arena_new(), *before;
	enum err err = ERR_OK;

	while (err == ERR_OK && page.last_id) {
		/* The page before holds the id that this one begins behind. */
		before = arena;
		arena = arena_new();
		err = store_keys_list(run->store, arena, run->where, page.last_id, &page, info);
		arena_free(&before);
		if (err != ERR_OK)
			break;
		run->seen += page.seen;
		run->outdated += (int64_t)page.outdated.count;
		if (run->check)
			continue;
		MODEL_FOREACH (&page.outdated, const char *, id) {
			if (err == ERR_OK)
				err = keys_reseal(run, *id, info);
		}
	}
	arena_free(&arena);
	return err;
}

/* *left_r: documents that still need an older key, or to be written anew. */
static enum err keys_run(struct store *store, bool check, int64_t *left_r, struct err_info *info)
{
	enum err err = ERR_OK;
	struct keys_run run;
	int where;

	*left_r = 0;
	for (where = 0; err == ERR_OK && store_sealed_names[where]; where++) {
		run = (struct keys_run){
			.store = store, .check = check, .where = (enum store_sealed)where};
		err = keys_walk(&run, info);
		printf("%s: %" PRId64 " seen, ", store_sealed_names[where], run.seen);
		if (check)
			printf("%" PRId64 " need an older key\n", run.outdated);
		else
			printf("%" PRId64 " sealed anew, %" PRId64 " not\n", run.resealed,
				run.failed);
		*left_r += check ? run.outdated : run.failed;
	}
	return err;
}

static int keys_main(const struct conf *conf, bool check)
{
	struct err_info info = {0};
	struct app app;
	int64_t left;
	enum err err;

	err = app_open(conf, 1, &app, &info);
	if (err != ERR_OK)
		return app_fail(&info);
	err = keys_run(app.store, check, &left, &info);
	app_close(&app);
	if (err != ERR_OK)
		return app_fail(&info);
	if (check && left == 0)
		puts("nothing needs any but the newest key");
	return left == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

int app_rotate_keys(int argc, char **argv)
{
	const char *path = NULL;
	bool check = false;
	const struct app_option options[] = {
		{"config", .value = &path}, {"check", .given = &check}};
	const int done = app_options(argc, argv, keys_help, options, 2, 0);
	struct conf *conf;
	int status;

	if (done)
		return done - 1;
	conf = app_conf(path);
	if (!conf)
		return EXIT_FAILURE;
	status = keys_main(conf, check);
	conf_free(&conf);
	return status;
}
