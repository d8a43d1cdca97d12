#ifndef APP_H
#define APP_H
/*
 * Wiring: what a process needs, opened in the right order, and the process tree.
 */
#include "conf.h"
#include "http_server.h"
#include "mail_address.h"
#include "provider_breaker.h"
#include "provider_token.h"
#include "secret.h"
#include "store.h"
#include "tmpl.h"

struct service;

/* THE ROUTE TABLE. */
extern const struct http_route app_routes[];
extern const size_t app_route_count;

/* What a worker or dispatcher works with. Opened after the fork, read only afterwards. */
struct app {
	const struct conf *conf;
	struct arena *arena;
	struct secret_ring *ring;
	struct tmpl_set *templates;
	struct http_token_rules *tokens;
	struct mail_address mail_from;
	struct store *store;
	struct provider_token_store token_store;
	struct service *viewer; /* what requests are shown to subscribers with */
};

/* Opens all but the database, which is opened when `threads` is not 0. ERR_CONFIG says what is
 * wrong, in words for the operator. */
enum err app_open(const struct conf *conf, int threads, struct app *app_r, struct err_info *info);
void app_close(struct app *app);

/* What all representations of this process have in common: of the program and its settings. In the
 * app's arena. */
const char *app_edition(struct app *app);

/* Everything that can be known to be wrong before anything is started. */
enum err app_check(const struct conf *conf, struct err_info *info);

/* The master: opens the socket, keeps workers and dispatchers alive, until SIGTERM or SIGINT.
 * `path` is read again on SIGHUP; NULL when there is no file. Takes over *conf. */
enum err app_master_run(const char *path, struct conf **conf, struct err_info *info);

/* What all processes of a host share; made by the master before it forks. */
struct app_shared {
	int listen_fd, wake_fd;
	struct breaker_table *breakers;
	struct breaker_table *domains; /* of recipients, for dispatchers alone */
	const char *openapi, *docs;    /* what the API says of itself */
	const char *docs_policy;       /* what of that page browsers may use */
};

/* The memory that all count in (metrics.h), before the first fork. ERR_CONFIG. */
enum err app_metrics_open(const struct conf *conf, struct err_info *info);

/* Of a child, by whether it is a dispatcher. */
extern const char *const app_role_names[];

/* A child's life after the fork; returns its exit status. */
int app_worker_run(const struct conf *conf, const struct app_shared *shared);
int app_dispatcher_run(const struct conf *conf, const struct app_shared *shared);

/* The providers' access tokens, kept in the store, which must outlive it. */
struct provider_token_store app_token_store(struct store *store);

/* Subcommands: argv[0] is the subcommand's name. Return the exit status. */
typedef int app_command(int argc, char **argv);
app_command app_serve, app_check_command, app_init_db, app_token, app_render, app_receive,
	app_outbox, app_rotate_keys, app_verify_audit, app_version;

/* Prints who was told other local times than their clocks will show; `send`: and owes them a mail.
 * Returns the exit status. */
int app_check_zones(const struct conf *conf, bool send);

/* Writes docs/tables.md to standard output. */
void app_print_tables(void);

/* A long option of a subcommand: where its argument goes or, when it takes none, what it sets. */
struct app_option {
	const char *name;
	const char **value;
	bool *given;
};

/* 0 to go on, else 1 + the exit status. Arguments that are no options stay from `optind` on; there
 * may be `most` of them. */
int app_options(int argc, char **argv, const char *help, const struct app_option *options,
	size_t count, int most);

/* Writes the help to standard error; returns the exit status of a wrong call, 2. */
int app_usage(const char *help);

/* For subcommands: reads the configuration named by --config, or the built-in one; on failure says
 * why on standard error and returns NULL. */
struct conf *app_conf(const char *path);

/* Writes "meetlink: <detail>" to standard error and returns 1. */
int app_fail(const struct err_info *info);
#endif
