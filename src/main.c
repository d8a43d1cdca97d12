/* The subcommand table. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
	{"rotate-keys", app_rotate_keys, "seal secrets under the newest key"},
	{"verify-audit", app_verify_audit, "check and export the audit trails"},
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

int main(int argc, char **argv)
{
	size_t i;

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
