#ifndef UNIT_H
#define UNIT_H
/* A test program is a table of named cases, run by CUnit; the exit status says whether all held. */
#include <CUnit/Basic.h>
#include <CUnit/CUnit.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct unit_case {
	const char *name;
	void (*run)(void);
};

#define UNIT_MAIN(suite_name, cases)                                                               \
	int main(void)                                                                             \
	{                                                                                          \
		return unit_run(suite_name, cases, sizeof(cases) / sizeof((cases)[0]));            \
	}

/* The same for tests whose seconds are real ones: under valgrind there are not enough of them. */
#define UNIT_MAIN_IN_REAL_TIME(suite_name, cases)                                                  \
	int main(void)                                                                             \
	{                                                                                          \
		if (getenv("UNIT_UNDER_VALGRIND")) {                                               \
			puts("skipped: it measures time");                                         \
			return 77;                                                                 \
		}                                                                                  \
		return unit_run(suite_name, cases, sizeof(cases) / sizeof((cases)[0]));            \
	}

/* An assertion about one row of a table, reported by the row's name. */
#define UNIT_CHECK(holds, name)                                                                    \
	CU_assertImplementation(                                                                   \
		(holds) ? CU_TRUE : CU_FALSE, __LINE__, (name), __FILE__, "", CU_FALSE)

/* How long is waited where a test is not about time: on a busy machine, under valgrind, what takes
 * milliseconds takes seconds. */
enum {
	UNIT_PATIENCE_S = 600,
	UNIT_PATIENCE_MS = UNIT_PATIENCE_S * 1000,
	UNIT_PATIENCE_US = UNIT_PATIENCE_MS * 1000
};

enum { UNIT_PATH_SIZE = 64 };

/* A new file of these bytes, mode 0600; the test removes it. */
static inline void unit_file(char path_r[UNIT_PATH_SIZE], const void *bytes, size_t len)
{
	int fd;

	strcpy(path_r, "/tmp/meetlink-test-XXXXXX");
	fd = mkstemp(path_r);
	if (fd < 0 || write(fd, bytes, len) != (ssize_t)len)
		abort();
	close(fd);
}

static inline int unit_run(const char *name, const struct unit_case *cases, size_t count)
{
	CU_pSuite suite;
	unsigned failed;
	size_t i;

	if (sodium_init() < 0 || CU_initialize_registry() != CUE_SUCCESS)
		return 2;
	suite = CU_add_suite(name, NULL, NULL);
	for (i = 0; i < count; i++)
		CU_add_test(suite, cases[i].name, cases[i].run);
	CU_basic_set_mode(CU_BRM_NORMAL);
	CU_basic_run_tests();
	failed = CU_get_number_of_failures() + CU_get_number_of_tests_failed();
	CU_cleanup_registry();
	return failed ? 1 : 0;
}
#endif
