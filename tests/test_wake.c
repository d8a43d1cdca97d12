#include <poll.h>
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit.h"
#include "wake.h"

enum { LONG_MS = 60 * 1000 };

/* Whether a wait would return at once because of a signal. */
static int waiting(int fd)
{
	struct pollfd pollfd = {.fd = fd, .events = POLLIN};

	return poll(&pollfd, 1, 0);
}

static void test_signal_ends_the_wait(void)
{
	int fd = wake_open();

	CU_ASSERT_FATAL(fd >= 0);
	wake_signal(fd);
	wake_signal(fd);
	CU_ASSERT_EQUAL(waiting(fd), 1);
	CU_ASSERT_TRUE(wake_wait(fd, -1, LONG_MS));
	CU_ASSERT_EQUAL(waiting(fd), 0);
	CU_ASSERT_FALSE(wake_wait(fd, -1, 0));
	close(fd);
}

static void test_the_other_ends_it_too(void)
{
	int fd = wake_open(), other = wake_open();

	wake_signal(other);
	CU_ASSERT_FALSE(wake_wait(fd, other, LONG_MS));
	CU_ASSERT_EQUAL(waiting(other), 0);
	wake_signal(fd);
	wake_signal(other);
	CU_ASSERT_TRUE(wake_wait(fd, other, LONG_MS));
	CU_ASSERT_EQUAL(waiting(fd) + waiting(other), 0);
	close(fd);
	close(other);
}

static void test_a_full_counter_still_wakes(void)
{
	const uint64_t nearly_full = UINT64_MAX - 1;
	int fd = wake_open();

	CU_ASSERT_EQUAL(write(fd, &nearly_full, sizeof(nearly_full)), sizeof(nearly_full));
	wake_signal(fd); /* must not block */
	CU_ASSERT_EQUAL(waiting(fd), 1);
	wake_wait(fd, -1, LONG_MS);
	CU_ASSERT_EQUAL(waiting(fd), 0);
	close(fd);
}

static void test_across_a_fork(void)
{
	int fd = wake_open(), status;
	pid_t child = fork();

	if (child == 0) {
		wake_signal(fd);
		_exit(0);
	}
	wake_wait(fd, -1, LONG_MS);
	CU_ASSERT_EQUAL(waiting(fd), 0);
	CU_ASSERT_EQUAL(waitpid(child, &status, 0), child);
	CU_ASSERT_EQUAL(status, 0);
	close(fd);
}

static const struct unit_case cases[] = {
	{"a signal ends the wait, and is taken by it", test_signal_ends_the_wait},
	{"so does the other, and it is told which", test_the_other_ends_it_too},
	{"a full counter neither blocks nor is lost", test_a_full_counter_still_wakes},
	{"a signal crosses a fork", test_across_a_fork},
};

UNIT_MAIN("wake", cases)
