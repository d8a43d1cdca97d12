#include <signal.h>
#include <sys/wait.h>

#include "fault.h"
#include "unit.h"

/* How a child ends that arms `value` and passes `fault`: 0 it lives, 1 it does not know the place,
 * SIGKILL it died. */
static int pass_in_child(const char *value, enum fault fault)
{
	pid_t child = fork();
	int status;

	CU_ASSERT_FATAL(child >= 0);
	if (child == 0) {
		setenv("MEETLINK_FAULT", value, 1);
		if (fault_init() != 0)
			_exit(1);
		fault_pass(fault);
		_exit(0);
	}
	CU_ASSERT_EQUAL_FATAL(waitpid(child, &status, 0), child);
	return WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
}

static void test_every_place(void)
{
	static const struct {
		enum fault fault;
		const char *place;
	} places[] = {
#define FAULT(name, place) {FAULT_##name, place},
#include "fault_table.h"
#undef FAULT
	};
	char path[UNIT_PATH_SIZE], value[128];
	size_t i;

	for (i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		unit_file(path, "", 0);
		snprintf(value, sizeof(value), "%s:%s", places[i].place, path);
		UNIT_CHECK(pass_in_child(value, (places[i].fault + 1) % FAULT_COUNT) == 0,
			places[i].place);
		UNIT_CHECK(access(path, F_OK) == 0, places[i].place);
		UNIT_CHECK(pass_in_child(value, places[i].fault) == SIGKILL, places[i].place);
		UNIT_CHECK(access(path, F_OK) != 0, places[i].place);
		/* The file is the only one's death warrant: the next to pass lives. */
		UNIT_CHECK(pass_in_child(value, places[i].fault) == 0, places[i].place);
	}
}

static void test_values(void)
{
	static const struct {
		const char *name, *value;
		int end;
	} cases[] = {
		{"empty", "", 0},
		{"unknown place", "create.never:/tmp/x", 1},
		{"no file", "create.before_save", 1},
		{"part of a place", "create:/tmp/x", 1},
		{"longer than a place", "create.before_saves:/tmp/x", 1},
		{"a file that is not there", "create.before_save:/nonexistent/x", 0},
		{"an empty file name", "create.before_save:", 0},
	};
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		UNIT_CHECK(pass_in_child(cases[i].value, FAULT_CREATE_BEFORE_SAVE) == cases[i].end,
			cases[i].name);
	unsetenv("MEETLINK_FAULT");
	CU_ASSERT_EQUAL(fault_init(), 0);
	fault_pass(FAULT_CREATE_BEFORE_SAVE);
}

static const struct unit_case cases[] = {
	{"every place kills once", test_every_place},
	{"values of MEETLINK_FAULT", test_values},
};

UNIT_MAIN("fault", cases)
