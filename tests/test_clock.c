#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <time.h>

#include "clock.h"
#include "unit.h"

static int64_t real_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Whether the clock is ahead of real time by `offset`; a minute is allowed for slow machines. */
static bool ahead_by(int64_t offset)
{
	const int64_t ahead = clock_now_ms() - real_ms();

	return ahead > offset - 60000 && ahead < offset + 60000;
}

static void test_real_time(void)
{
	const int64_t before = clock_monotonic_us();

	CU_ASSERT_EQUAL(clock_init(NULL), 0);
	CU_ASSERT_EQUAL(clock_init(""), 0);
	CU_ASSERT(ahead_by(0));
	CU_ASSERT(clock_monotonic_us() >= before);
}

static void test_refused(void)
{
	char path[UNIT_PATH_SIZE];

	errno = 0;
	CU_ASSERT_EQUAL(clock_init("/nonexistent/offset"), -1);
	CU_ASSERT_EQUAL(errno, ENOENT);
	CU_ASSERT_EQUAL(clock_init("/"), -1);
	/* Mapped all the same, a short file would kill the process at the first look at the time.
	 */
	unit_file(path, "", 0);
	CU_ASSERT_EQUAL(clock_init(path), -1);
	CU_ASSERT_EQUAL(errno, EINVAL);
	unlink(path);
	unit_file(path, "1234567", 7);
	CU_ASSERT_EQUAL(clock_init(path), -1);
	unlink(path);
	CU_ASSERT(ahead_by(0));
}

static void test_moved(void)
{
	static const int64_t offsets[] = {0, 3600000, -86400000, INT64_C(31536000000), 0};
	const int64_t before = clock_monotonic_us();
	char path[UNIT_PATH_SIZE];
	size_t i;
	int fd;

	unit_file(path, &offsets[0], sizeof(offsets[0]));
	CU_ASSERT_EQUAL(clock_init(path), 0);
	fd = open(path, O_WRONLY);
	CU_ASSERT_FATAL(fd >= 0);
	for (i = 0; i < sizeof(offsets) / sizeof(offsets[0]); i++) {
		CU_ASSERT_EQUAL(pwrite(fd, &offsets[i], 8, 0), 8);
		CU_ASSERT(ahead_by(offsets[i]));
		CU_ASSERT(clock_monotonic_us() - before < INT64_C(600000000));
	}
	close(fd);
	unlink(path);
}

static const struct unit_case cases[] = {
	{"real time", test_real_time},
	{"files that cannot be mapped", test_refused},
	{"moved, while it runs", test_moved},
};

UNIT_MAIN("clock", cases)
