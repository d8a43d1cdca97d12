/* The code's own tables as Markdown: docs/tables.md is what this prints. */
#include <stdio.h>

#include "app.h"
#include "http_router.h"
#include "transition.h"

static void tables_print_route(const struct http_route *route)
{
	const char *const *role;

	printf("| `%s` | `%s` |", http_method_name(route->method), route->pattern);
	for (role = role_names; *role && role - role_names < ROLE_SYSTEM; role++)
		printf(" %s |",
			!route->roles || route->roles & ROLE_SET(role - role_names) ? "yes" : "–");
	printf(" %s | %s |\n", route->roles ? "–" : "yes", route->summary);
}

static void tables_print_routes(void)
{
	size_t i;

	puts("## Who may call what\n\n"
	     "A role that may call a route sees only its own requests: a client and a lawyer "
	     "those\n"
	     "they are a party of, admin and service all. Another's request is 404 to them.\n\n"
	     "| Method | Path | client | lawyer | admin | service | no token | |\n"
	     "|---|---|---|---|---|---|---|---|");
	for (i = 0; i < app_route_count; i++)
		tables_print_route(&app_routes[i]);
}

static void tables_print_allowed(enum err err)
{
	printf(err == ERR_OK ? " yes |" : " `%s` |", err_code(err));
}

static void tables_print_heading(const char *const *statuses)
{
	const char *const *status;

	fputs("| |", stdout);
	for (status = statuses; *status; status++)
		printf(" %s |", *status);
	fputs("\n|---|", stdout);
	for (status = statuses; *status; status++)
		fputs("---|", stdout);
	putchar('\n');
}

static void tables_print_transitions(void)
{
	int command, status;

	puts("\n## What may be done to a request, by its status\n\n"
	     "`yes`, or the code of the 409 that refuses it.\n");
	tables_print_heading(request_status_names);
	for (command = 0; command_names[command]; command++) {
		printf("| %s |", command_names[command]);
		for (status = 0; request_status_names[status]; status++)
			tables_print_allowed(transition_of_request(command, status));
		putchar('\n');
	}
	puts("\n## And by the status of its meeting\n");
	tables_print_heading(meeting_status_names);
	for (command = COMMAND_CANCEL; command_names[command]; command++) {
		printf("| %s |", command_names[command]);
		for (status = 0; meeting_status_names[status]; status++)
			tables_print_allowed(transition_of_meeting(command, status));
		putchar('\n');
	}
}

void app_print_tables(void)
{
	puts("# Tables\n\n"
	     "Printed by `meetlink check tables` from THE ROUTE TABLE (`src/app/app_routes.c`) and "
	     "THE\n"
	     "TRANSITIONS (`src/core/transition_table.h`); a test holds this file to them.\n");
	tables_print_routes();
	tables_print_transitions();
}
