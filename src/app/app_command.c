/* The subcommands, besides serve's process tree. */
#include <errno.h>
#include <getopt.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app.h"
#include "app_openapi.h"
#include "clock.h"
#include "dispatch.h"
#include "json.h"
#include "store_request.h"

enum { COMMAND_MAX_VALUES = 1024 * 1024 };

int app_fail(const struct err_info *info)
{
	size_t i;

	fprintf(stderr, "meetlink: %s\n", info->detail);
	for (i = 0; i < info->field_count; i++)
		fprintf(stderr, "  %s %s\n", info->fields[i].pointer, info->fields[i].detail);
	return EXIT_FAILURE;
}

struct conf *app_conf(const char *path)
{
	struct err_info info = {0};
	struct conf *conf;

	if (conf_load(path, &conf, &info) != ERR_OK)
		app_fail(&info);
	return conf;
}

enum { COMMAND_MAX_OPTIONS = 8 };

int app_usage(const char *help)
{
	fputs(help, stderr);
	return 2;
}

int app_options(int argc, char **argv, const char *help, const struct app_option *options,
	size_t count, int most)
{
	struct option longs[COMMAND_MAX_OPTIONS + 2] = {{"help", no_argument, NULL, 'h'}};
	int index, c;
	size_t i;

	for (i = 0; i < count; i++)
		longs[i + 1] = (struct option){options[i].name,
			options[i].value ? required_argument : no_argument, NULL, 'o'};
	while ((c = getopt_long(argc, argv, "h", longs, &index)) != -1) {
		if (c == 'h') {
			fputs(help, stdout);
			return 1 + EXIT_SUCCESS;
		}
		if (c != 'o')
			return 1 + app_usage(help);
		if (options[index - 1].value)
			*options[index - 1].value = optarg;
		else
			*options[index - 1].given = true;
	}
	return argc - optind > most ? 1 + app_usage(help) : 0;
}

int app_serve(int argc, char **argv)
{
	static const char help[] =
		"usage: meetlink serve [--config FILE]\n\n"
		"Runs the master, its workers and dispatchers in the foreground. SIGTERM drains "
		"and\n"
		"ends, SIGHUP reloads configuration and templates without failing a request.\n";
	const char *path = NULL;
	const struct app_option options[] = {{"config", .value = &path}};
	struct err_info info = {0};
	struct conf *conf;
	enum err err;
	int done;

	done = app_options(argc, argv, help, options, 1, 0);
	if (done)
		return done - 1;
	conf = app_conf(path);
	if (!conf)
		return EXIT_FAILURE;
	err = app_check(conf, &info);
	if (err == ERR_OK)
		err = app_master_run(path, &conf, &info);
	conf_free(&conf);
	return err == ERR_OK ? EXIT_SUCCESS : app_fail(&info);
}

/* Runs one operation against the configured database. */
static int command_with_store(
	const struct conf *conf, enum err (*run)(struct store *, struct err_info *))
{
	struct err_info info = {0};
	struct app app;
	enum err err;

	err = app_open(conf, 1, &app, &info);
	if (err != ERR_OK)
		return app_fail(&info);
	err = run(app.store, &info);
	app_close(&app);
	return err == ERR_OK ? EXIT_SUCCESS : app_fail(&info);
}

static void check_print_settings(void)
{
	conf_print_settings(stdout);
}

static void check_print_api(void)
{
	struct arena *arena = arena_new();

	fputs(app_docs(arena), stdout);
	arena_free(&arena);
}

static void check_print_openapi(void)
{
	struct arena *arena = arena_new();
	struct model_list schemas;

	puts(app_openapi(arena, &schemas));
	arena_free(&arena);
}

/* What the program says of itself; false when there is nothing of that name. */
static bool check_print(const char *name)
{
	static const struct {
		const char *name;
		void (*print)(void);
	} rows[] = {
		{"settings", check_print_settings},
		{"tables", app_print_tables},
		{"api", check_print_api},
		{"openapi", check_print_openapi},
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (strcmp(name, rows[i].name) == 0) {
			rows[i].print();
			return true;
		}
	return false;
}

int app_check_command(int argc, char **argv)
{
	static const char help[] =
		"usage: meetlink check [--config FILE] [settings | tables | api | openapi]\n"
		"       meetlink check [--config FILE] zones [--send]\n\n"
		"Checks configuration, keys, templates, providers and database, and says what is\n"
		"wrong. `meetlink check settings` prints every setting with its default instead,\n"
		"`meetlink check tables` who may call what, and what may be done in which "
		"status,\n"
		"`meetlink check api` and `meetlink check openapi` the API, for people and for\n"
		"programs.\n\n"
		"`meetlink check zones` lists, after an update of tzdata, who was told other "
		"local\n"
		"times of a meeting ahead than their clock will show, one a line: request, "
		"person,\n"
		"zone, the time as it was told and as it is, and whether a mail that says so is\n"
		"owed. With --send those mails are owed from then on.\n";
	const char *path = NULL;
	bool send = false, zones;
	const struct app_option options[] = {{"config", .value = &path}, {"send", .given = &send}};
	struct err_info info = {0};
	struct conf *conf;
	int status;

	status = app_options(argc, argv, help, options, 2, 1);
	if (status)
		return status - 1;
	zones = optind < argc && strcmp(argv[optind], "zones") == 0;
	if (send && !zones)
		return app_usage(help);
	if (optind < argc && !zones)
		return check_print(argv[optind]) ? EXIT_SUCCESS : app_usage(help);
	conf = app_conf(path);
	if (!conf)
		return EXIT_FAILURE;
	if (app_check(conf, &info) != ERR_OK) {
		status = app_fail(&info);
	} else if (zones) {
		status = app_check_zones(conf, send);
	} else {
		puts("configuration, keys, templates, providers: ok");
		status = command_with_store(conf, store_ping);
		if (status == EXIT_SUCCESS)
			puts("database: ok");
	}
	conf_free(&conf);
	return status;
}

static enum err init_db(struct store *store, struct err_info *info)
{
	struct arena *arena = arena_new();
	const enum err err = store_init_indexes(store, dispatch_queue_names(arena), info);

	arena_free(&arena);
	return err == ERR_OK ? store_request_complete_former(store, info) : err;
}

int app_init_db(int argc, char **argv)
{
	static const char help[] =
		"usage: meetlink init-db [--config FILE]\n\n"
		"Creates the indexes of the database, and adds to requests that the version\n"
		"before has stored what they are found by. Running it again changes nothing.\n";
	const char *path = NULL;
	const struct app_option options[] = {{"config", .value = &path}};
	struct conf *conf;
	int status;

	status = app_options(argc, argv, help, options, 1, 0);
	if (status)
		return status - 1;
	conf = app_conf(path);
	if (!conf)
		return EXIT_FAILURE;
	status = command_with_store(conf, init_db);
	conf_free(&conf);
	return status;
}

static enum err token_actor(const char *role, struct actor *actor, struct err_info *info)
{
	int value = role ? model_enum_value(role_names, role) : -1;

	if (!actor->id || value < 0 || value == ROLE_SYSTEM)
		return err_set(info, ERR_INVALID,
			"--sub and --role (client, lawyer, admin, service) are needed.");
	actor->role = (enum role)value;
	return ERR_OK;
}

int app_token(int argc, char **argv)
{
	static const char help[] =
		"usage: meetlink token --sub ID --role ROLE [--name NAME] [--email ADDRESS]\n"
		"                      [--ttl SECONDS] [--config FILE]\n\n"
		"Prints a bearer token signed with the HS256 secret. ROLE is client, lawyer, "
		"admin\n"
		"or service; a token lives for an hour unless --ttl says otherwise.\n";
	const char *path = NULL, *role = NULL, *ttl = "3600";
	struct actor actor = {0};
	const struct app_option options[] = {{"config", .value = &path},
		{"sub", .value = &actor.id}, {"role", .value = &role},
		{"name", .value = &actor.name}, {"email", .value = &actor.email},
		{"ttl", .value = &ttl}};
	struct http_token_rules *rules = NULL;
	struct err_info info = {0};
	struct arena *arena;
	struct conf *conf;
	char *token;
	enum err err;
	int done;

	done = app_options(argc, argv, help, options, 6, 0);
	if (done)
		return done - 1;
	conf = app_conf(path);
	if (!conf)
		return EXIT_FAILURE;
	arena = arena_new();
	err = token_actor(role, &actor, &info);
	if (err == ERR_OK)
		err = http_token_rules_load(conf, &rules, &info);
	if (err == ERR_OK)
		err = http_token_mint(rules, arena, &actor, clock_now_ms(), strtoll(ttl, NULL, 10),
			&token, &info);
	if (err == ERR_OK)
		puts(token);
	http_token_rules_free(&rules);
	arena_free(&arena);
	conf_free(&conf);
	return err == ERR_OK ? EXIT_SUCCESS : app_fail(&info);
}

static enum err render_values(
	struct arena *arena, const char *path, struct json_object **values_r, struct err_info *info)
{
	char *bytes = arena_alloc(arena, COMMAND_MAX_VALUES + 1);
	FILE *file = fopen(path, "re");
	size_t len;

	if (!file)
		return err_set(info, ERR_CONFIG, "%s: %s.", path, strerror(errno));
	len = fread(bytes, 1, COMMAND_MAX_VALUES, file);
	fclose(file);
	if (len == COMMAND_MAX_VALUES)
		return err_set(info, ERR_CONFIG, "%s: too large.", path);
	return json_parse(arena, bytes, len, values_r, info);
}

/* One template with the values of a file. */
static enum err render_template(struct arena *arena, const struct conf *conf, const char *name,
	const char *file, struct buf *out, struct err_info *info)
{
	struct tmpl_set *templates = tmpl_set_new();
	struct json_object *values;
	enum err err;

	if (!file)
		file = arena_printf(arena, "%s/sample.json", conf->templates_dir);
	err = render_values(arena, file, &values, info);
	if (err == ERR_OK)
		err = tmpl_set_load(templates, conf->templates_dir, info);
	if (err == ERR_OK)
		err = tmpl_render(templates, name, values, out, info);
	tmpl_set_free(&templates);
	return err;
}

/* A whole mail, as it would leave. */
static enum err render_mail(const struct conf *conf, const struct dispatch_sample *sample,
	struct buf *out, struct err_info *info)
{
	struct app app;
	enum err err = app_open(conf, 0, &app, info);

	if (err != ERR_OK)
		return err;
	err = dispatch_preview(&(struct dispatch){.conf = conf,
				       .ring = app.ring,
				       .templates = app.templates,
				       .mail_from = app.mail_from},
		sample, out, info);
	app_close(&app);
	return err;
}

int app_render(int argc, char **argv)
{
	static const char help[] =
		"usage: meetlink render TEMPLATE [--values FILE.json] [--config FILE]\n"
		"       meetlink render --mail KIND [--locale TAG] [--provider NAME] [--party "
		"PARTY]\n"
		"                       [--config FILE]\n\n"
		"Renders a template such as mail/en/meeting_ready.html to standard output, with "
		"the\n"
		"values of the file, or of sample.json in the folder of the templates; or a whole\n"
		"mail such as meeting_ready or queue_alert, with invented people, as it would "
		"leave:\n"
		"in English at jitsi to the client, unless the options say otherwise.\n";
	const char *path = NULL, *file = NULL, *party = party_names[PARTY_CLIENT];
	struct dispatch_sample sample = {.locale = "en", .provider = "jitsi"};
	const struct app_option options[] = {{"config", .value = &path}, {"values", .value = &file},
		{"mail", .value = &sample.kind}, {"locale", .value = &sample.locale},
		{"provider", .value = &sample.provider}, {"party", .value = &party}};
	struct err_info info = {0};
	struct arena *arena;
	struct conf *conf;
	struct buf out;
	enum err err;
	int done;

	done = app_options(argc, argv, help, options, 6, 1);
	if (done)
		return done - 1;
	if ((optind == argc) == !sample.kind || model_enum_value(party_names, party) < 0)
		return app_usage(help);
	sample.party = (enum party)model_enum_value(party_names, party);
	conf = app_conf(path);
	if (!conf)
		return EXIT_FAILURE;
	arena = arena_new();
	buf_init(&out, COMMAND_MAX_VALUES);
	err = sample.kind ? render_mail(conf, &sample, &out, &info)
			  : render_template(arena, conf, argv[optind], file, &out, &info);
	if (err == ERR_OK)
		fwrite(out.bytes, 1, out.len, stdout);
	buf_fini(&out);
	arena_free(&arena);
	conf_free(&conf);
	return err == ERR_OK ? EXIT_SUCCESS : app_fail(&info);
}

int app_version(int argc, char **argv)
{
	static const char help[] = "usage: meetlink version\n\nPrints the version.\n";
	const int done = app_options(argc, argv, help, NULL, 0, 0);

	if (done)
		return done - 1;
	puts("meetlink " APP_VERSION);
	return EXIT_SUCCESS;
}
