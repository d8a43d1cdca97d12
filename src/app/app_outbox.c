/* `meetlink outbox`: what is owed, and what an operator decides about it. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app.h"
#include "arena.h"
#include "clock.h"
#include "handler.h"
#include "id.h"
#include "instant.h"
#include "service_outbox.h"
#include "wake.h"

enum { OUTBOX_PAGE = 100 };

static const char outbox_help[] =
	"usage: meetlink outbox list [--kind KIND] [--state STATE] [--config FILE]\n"
	"       meetlink outbox retry|discard [--config FILE] ID\n\n"
	"Lists what requests owe, one a line: its id, state, kind, how often it was tried,\n"
	"when it is due, and what went wrong last. What was given up comes first. STATE is\n"
	"due, waiting or failed.\n\n"
	"What was given up is tried again (`retry`), or never again (`discard`: it was done by\n"
	"hand, or has no point). Both are on record.\n";

struct outbox_run {
	const char *config_path, *kind, *state;
	struct service service;
	struct service_call call;
};

static void outbox_print(const struct outbox_item *item)
{
	char due[INSTANT_TEXT_SIZE];

	instant_format(item->due, false, due);
	printf("%s %s %s %lld %s %s\n", item->id, outbox_state_names[item->state],
		effect_kind_names[item->kind], (long long)item->attempts, due,
		item->last_error && item->last_error->detail ? item->last_error->detail : "-");
}

static enum err outbox_check_filter(
	const char *given, const char *const *names, const char *what, struct err_info *info)
{
	if (!given || model_enum_value(names, given) >= 0)
		return ERR_OK;
	return err_set(info, ERR_INVALID, "There is no %s %s.", what, given);
}

static enum err outbox_list(struct outbox_run *run, struct err_info *info)
{
	struct service_outbox_query query = {
		.kind = run->kind,
		.state = run->state ? model_enum_value(outbox_state_names, run->state) : -1,
		.limit = OUTBOX_PAGE,
	};
	struct arena *before;
	struct model_list list;
	enum err err;

	err = outbox_check_filter(run->kind, effect_kind_names, "kind", info);
	if (err == ERR_OK)
		err = outbox_check_filter(run->state, outbox_state_names, "state", info);
	do {
		if (err != ERR_OK)
			return err;
		/* The page before holds the cursor of this one. */
		before = run->call.arena;
		run->call.arena = arena_new();
		list = (struct model_list){0};
		err = service_outbox_list(
			&run->service, &run->call, &query, &list, &query.cursor, info);
		MODEL_FOREACH (&list, struct outbox_item, item) {
			outbox_print(item);
		}
		arena_free(&before);
	} while (query.cursor);
	return err;
}

static enum err outbox_decide(
	struct outbox_run *run, const char *verb, const char *id, struct err_info *info)
{
	outbox_rule *rule = strcmp(verb, "retry") == 0 ? outbox_retry : outbox_discard;
	struct service_answer answer;

	return service_outbox_decide(
		&run->service, &run->call, SOURCE_CLI, rule, NULL, verb, id, NULL, &answer, info);
}

static int outbox_main(
	const struct conf *conf, struct outbox_run *run, const char *verb, const char *id)
{
	char trace_id[ID_SIZE];
	struct err_info info = {0};
	struct app app;
	enum err err;

	err = app_open(conf, 1, &app, &info);
	if (err != ERR_OK)
		return app_fail(&info);
	id_random(trace_id);
	run->service = (struct service){.conf = conf,
		.ring = app.ring,
		.store = app.store,
		.wake_fd = wake_open(),
		.edition = ""};
	run->call = (struct service_call){
		.arena = arena_new(),
		.now = clock_now_ms(),
		.caller = {.role = ROLE_SYSTEM},
		.trace_id = trace_id,
		.body = "",
		.render = handler_render_request,
		.tag = handler_request_tag,
		.status = 200,
	};
	err = id ? outbox_decide(run, verb, id, &info) : outbox_list(run, &info);
	arena_free(&run->call.arena);
	close(run->service.wake_fd);
	app_close(&app);
	return err == ERR_OK ? EXIT_SUCCESS : app_fail(&info);
}

int app_outbox(int argc, char **argv)
{
	struct outbox_run run = {0};
	const struct app_option options[] = {{"config", .value = &run.config_path},
		{"kind", .value = &run.kind}, {"state", .value = &run.state}};
	char request_id[ID_SIZE], effect_id[ID_SIZE];
	/* One id in 64 begins with a dash, and is no option for that. */
	const bool by_id = outbox_id_read(argv[argc - 1], request_id, effect_id);
	const int done = app_options(argc - by_id, argv, outbox_help, options, 3, 2);
	const char *verb = optind < argc ? argv[optind] : "";
	const bool list = strcmp(verb, "list") == 0;
	struct conf *conf;
	int status;

	if (done)
		return done - 1;
	if ((!list && strcmp(verb, "retry") != 0 && strcmp(verb, "discard") != 0) ||
		argc - optind != (list ? 1 : 2) || (!list && (run.kind || run.state)))
		return app_usage(outbox_help);
	conf = app_conf(run.config_path);
	if (!conf)
		return EXIT_FAILURE;
	status = outbox_main(conf, &run, verb, list ? NULL : argv[optind + 1]);
	conf_free(&conf);
	return status;
}
