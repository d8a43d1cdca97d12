/* The code's own tables as Markdown: docs/tables.md is what this prints. */
#include <stdio.h>

#include "app.h"
#include "command.h"
#include "http_router.h"
#include "metrics.h"

static void tables_print_route(const struct http_route *route)
{
	static const char *const classes[] = {[HTTP_CLASS_FIRST] = "first",
		[HTTP_CLASS_NEXT] = "next",
		[HTTP_CLASS_LAST] = "last",
		[HTTP_CLASS_NONE] = "at once",
		[HTTP_CLASS_PROBE] = "probe"};
	const char *const *role;

	printf("| `%s` | `%s` |", http_method_name(route->method), route->pattern);
	for (role = role_names; *role && role - role_names < ROLE_SYSTEM; role++)
		printf(" %s |",
			!route->roles || route->roles & ROLE_SET(role - role_names) ? "yes" : "–");
	printf(" %s | %s | %s |\n", route->roles ? "–" : "yes", classes[http_route_class(route)],
		route->summary);
}

static void tables_print_routes(void)
{
	size_t i;

	puts("## Who may call what\n\n"
	     "A role that may call a route sees only its own requests: a client and a lawyer "
	     "those\n"
	     "they are a party of, admin and service all. Another's request is 404 to them. When "
	     "threads are\n"
	     "short, what is in turn `first` is served before what is `next`, and that before "
	     "what is `last`.\n\n"
	     "| Method | Path | client | lawyer | admin | service | no token | in turn | |\n"
	     "|---|---|---|---|---|---|---|---|---|");
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

static void tables_print_commands(void)
{
	const struct command_row *row;
	int status;

	puts("\n## What may be done to a request, by its status\n\n"
	     "`yes`, or the code of the 409 that refuses it.\n");
	tables_print_heading(request_status_names);
	for (row = command_table; row < command_table + COMMAND_COUNT; row++) {
		printf("| %s |", row->name);
		for (status = 0; request_status_names[status]; status++)
			tables_print_allowed(row->on_request[status]);
		putchar('\n');
	}
	puts("\n## And by the status of its meeting\n");
	tables_print_heading(meeting_status_names);
	for (row = command_table + COMMAND_CANCEL; row < command_table + COMMAND_COUNT; row++) {
		printf("| %s |", row->name);
		for (status = 0; meeting_status_names[status]; status++)
			tables_print_allowed(row->on_meeting[status]);
		putchar('\n');
	}
}

static const char *tables_give_up(const struct effect_row *row)
{
	static char text[64];

	if (row->give_up == EFFECT_BY_POLICY)
		return "as the policy says";
	if (!row->give_up)
		return row->until_end ? "at the end" : "never";
	snprintf(text, sizeof(text), "after %d d", (int)(row->give_up / INSTANT_DAY));
	return text;
}

static void tables_print_effects(void)
{
	static const char *const lanes[] = {[LANE_ALONE] = "none",
		[LANE_PROVIDER] = "the provider",
		[LANE_PERSON] = "each person",
		[LANE_EVENTS] = "what happened"};
	const struct effect_row *row;

	puts("\n## What a request may owe\n\n"
	     "What is in one lane is done in order. Each class, and in `provider` and `watch` each "
	     "provider,\nhas threads of its own: what hangs keeps nobody else waiting.\n\n"
	     "| Kind | | class | lane | needs the link | given up |\n"
	     "|---|---|---|---|---|---|");
	for (row = effect_table; row < effect_table + EFFECT_KIND_COUNT; row++)
		printf("| `%s` | %s | %s | %s | %s | %s |\n", effect_kind_names[row - effect_table],
			row->words, effect_class_names[row->class], lanes[row->lane],
			row->needs_link ? "yes" : "–", tables_give_up(row));
}

static void tables_print_metrics(void)
{
	const struct metrics_family *family;
	int i;

	puts("\n## What is counted\n\n"
	     "`/metrics` sums up all processes of the host. What never happened has no line.\n\n"
	     "| Name | | labels | |\n"
	     "|---|---|---|---|");
	for (family = metrics_families; family < metrics_families + METRIC_COUNT; family++) {
		printf("| `%s` | %s |", family->name, metrics_kind_names[family->kind]);
		for (i = 0; i < METRICS_LABELS && family->labels[i]; i++)
			printf(" `%s`", metrics_label_names[family->labels[i]]);
		printf(" | %s |\n", family->help);
	}
}

void app_print_tables(void)
{
	puts("# Tables\n\n"
	     "Printed by `meetlink check tables` from THE ROUTE TABLE (`src/app/app_routes.c`), "
	     "THE\n"
	     "COMMANDS (`src/core/command_table.h`), THE EFFECT KINDS\n"
	     "(`src/core/effect_table.h`) and THE METRICS (`src/base/metrics_table.h`); a test "
	     "holds this\nfile to them.\n");
	tables_print_routes();
	tables_print_commands();
	tables_print_effects();
	tables_print_metrics();
}
