/* The subcommand table. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "app.h"

static const struct {
	const char *name;
	app_command *run;
	const char *summary;
} commands[] = {
	{"serve", app_serve, "run master, workers and dispatchers"},
	{"check", app_check_command, "check configuration, templates and database"},
	{"init-db", app_init_db, "create the indexes"},
	{"token", app_token, "print a bearer token"},
	{"render", app_render, "preview a template"},
	{"outbox", app_outbox, "show what is owed, and decide about it"},
	{"rotate-keys", app_rotate_keys, "seal secrets under the newest key"},
	{"verify-audit", app_verify_audit, "check and export the audit trails"},
	{"receive", app_receive, "take in one mail of somebody who answers"},
	{"version", app_version, "print the version"},
};

enum { COMMAND_COUNT = sizeof(commands) / sizeof(commands[0]) };

static void usage(FILE *out)
{
	size_t i;

	fputs("usage: meetlink COMMAND [OPTION]...\n\n", out);
	for (i = 0; i < COMMAND_COUNT; i++)
		fprintf(out, "  %-12s %s\n", commands[i].name, commands[i].summary);
	fputs("\n`meetlink COMMAND --help` says more.\n", out);
}

/*
 * Every process may hold keys: none leaves a core behind, and none but root may look into it
 * (PR_SET_DUMPABLE, proc(5): not even processes of the same user). Children inherit both.
 */
static void keep_to_ourselves(void)
{
	const struct rlimit none = {0, 0};
	char name[32];

	setrlimit(RLIMIT_CORE, &none);
#ifndef __SANITIZE_ADDRESS__ /* whose search for leaks traces its own process */
	prctl(PR_SET_DUMPABLE, 0);
#endif
	/* libmongoc's counters are a file in /dev/shm, made before main() and removed at exit: gone
	 * now, it stays behind no process that is killed. */
	snprintf(name, sizeof(name), "/mongoc-%u", (unsigned)getpid());
	shm_unlink(name);
}

int main(int argc, char **argv)
{
	size_t i;

	keep_to_ourselves();
	if (!secret_init()) {
		fputs("meetlink: no source of random numbers\n", stderr);
		return EXIT_FAILURE;
	}
	if (argc >= 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0)) {
		usage(stdout);
		return EXIT_SUCCESS;
	}
	for (i = 0; argc >= 2 && i < COMMAND_COUNT; i++)
		if (strcmp(argv[1], commands[i].name) == 0)
			return commands[i].run(argc - 1, argv + 1);
	usage(stderr);
	return 2;
}
