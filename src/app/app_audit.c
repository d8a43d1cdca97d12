/* `meetlink verify-audit`: whether the audit trails are what was once written. */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app.h"
#include "arena.h"
#include "store_audit.h"

struct audit_run {
	const char *config_path;
	const char *request_id;  /* NULL: every document */
	const char *export_path; /* NULL: no export; "-": standard output */
	FILE *export, *report;
	int64_t documents, events, broken;
};

static const char audit_help[] =
	"usage: meetlink verify-audit [--request ID] [--export FILE] [--config FILE]\n\n"
	"Checks the audit trail of every request and of the configuration: that each event is\n"
	"what was written, follows the one before it, and that the last one is the last that\n"
	"was written. A broken trail is one line: collection, document, index of the event,\n"
	"what is wrong. The exit status is 1 when there is one.\n\n"
	"  --request ID   only this request, or `config`\n"
	"  --export FILE  write the events to a file, one JSON object a line; - is standard\n"
	"                 output, and then what else is said goes to standard error\n";

static void audit_export(struct audit_run *run, const struct audit_trail *trail)
{
	struct arena *arena = arena_new();

	MODEL_FOREACH (&trail->events, struct audit_event, event) {
		fprintf(run->export, "%s\n",
			model_text(arena, &audit_event_model, event, MODEL_SHOWN));
	}
	arena_free(&arena);
}

static void audit_check_trail(
	struct audit_run *run, const char *collection, const struct audit_trail *trail)
{
	const char *flaw;
	long index;

	flaw = audit_flaw(trail, &index);
	run->documents++;
	run->events += (int64_t)trail->events.count;
	if (run->export)
		audit_export(run, trail);
	if (!flaw)
		return;
	run->broken++;
	fprintf(run->report, "%s %s %ld: %s\n", collection, trail->id, index, flaw);
}

static enum err audit_walk(
	struct audit_run *run, struct store *store, const char *collection, struct err_info *info)
{
	struct store_audit_page page = {.last_id = ""};
	struct arena *arena = arena_new(), *before;
	enum err err = ERR_OK;

	while (err == ERR_OK && page.last_id) {
		/* The page before holds the id that this one begins behind. */
		before = arena;
		arena = arena_new();
		err = store_audit_walk(
			store, arena, collection, page.last_id, run->request_id, &page, info);
		arena_free(&before);
		MODEL_FOREACH (&page.trails, struct audit_trail, trail) {
			audit_check_trail(run, collection, trail);
		}
		if (run->request_id)
			break;
	}
	arena_free(&arena);
	return err;
}

static enum err audit_walk_all(struct audit_run *run, struct store *store, struct err_info *info)
{
	enum err err = ERR_OK;
	int i;

	for (i = 0; err == ERR_OK && store_audit_names[i]; i++)
		err = audit_walk(run, store, store_audit_names[i], info);
	if (err == ERR_OK && run->request_id && run->documents == 0)
		err = err_set(info, ERR_NOT_FOUND, "There is no such request.");
	return err;
}

/* The trails say who did what, so the file is for its owner only. */
static enum err audit_open_export(struct audit_run *run, struct err_info *info)
{
	int fd;

	run->report = stdout;
	if (!run->export_path)
		return ERR_OK;
	if (strcmp(run->export_path, "-") == 0) {
		run->export = stdout;
		run->report = stderr;
		return ERR_OK;
	}
	fd = open(run->export_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_set(info, ERR_CONFIG, "%s: %m", run->export_path);
	run->export = fdopen(fd, "w");
	return ERR_OK;
}

static enum err audit_close_export(struct audit_run *run, enum err err, struct err_info *info)
{
	bool failed;

	if (!run->export)
		return err;
	failed = ferror(run->export) != 0;
	if (run->export == stdout ? fflush(stdout) != 0 : fclose(run->export) != 0)
		failed = true;
	if (err == ERR_OK && failed)
		return err_set(info, ERR_CONFIG, "%s: not all could be written.", run->export_path);
	return err;
}

static int audit_main(const struct conf *conf, struct audit_run *run)
{
	struct err_info info = {0};
	struct app app;
	enum err err;

	err = app_open(conf, 1, &app, &info);
	if (err != ERR_OK)
		return app_fail(&info);
	err = audit_open_export(run, &info);
	if (err == ERR_OK)
		err = audit_walk_all(run, app.store, &info);
	err = audit_close_export(run, err, &info);
	app_close(&app);
	if (err != ERR_OK)
		return app_fail(&info);
	fprintf(run->report, "%" PRId64 " documents, %" PRId64 " events, %" PRId64 " broken\n",
		run->documents, run->events, run->broken);
	return run->broken ? EXIT_FAILURE : EXIT_SUCCESS;
}

int app_verify_audit(int argc, char **argv)
{
	struct audit_run run = {0};
	const struct app_option options[] = {{"config", .value = &run.config_path},
		{"request", .value = &run.request_id}, {"export", .value = &run.export_path}};
	const int done = app_options(argc, argv, audit_help, options, 3, 0);
	struct conf *conf;
	int status;

	if (done)
		return done - 1;
	conf = app_conf(run.config_path);
	if (!conf)
		return EXIT_FAILURE;
	status = audit_main(conf, &run);
	conf_free(&conf);
	return status;
}
