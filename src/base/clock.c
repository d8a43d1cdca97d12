#include "clock.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const volatile int64_t *clock_offset;

int clock_init(const char *offset_file)
{
	void *map = MAP_FAILED;
	struct stat st;
	int fd;

	if (!offset_file || !offset_file[0])
		return 0;
	fd = open(offset_file, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	/* To read a mapping beyond the end of its file is SIGBUS. */
	if (fstat(fd, &st) == 0 && st.st_size < (off_t)sizeof(int64_t))
		errno = EINVAL;
	else
		map = mmap(NULL, sizeof(int64_t), PROT_READ, MAP_SHARED, fd, 0);
	close(fd);
	if (map == MAP_FAILED)
		return -1;
	clock_offset = map;
	return 0;
}

int64_t clock_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000 +
	       (clock_offset ? *clock_offset : 0);
}

int64_t clock_monotonic_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

void clock_sleep_ms(int64_t ms)
{
	const struct timespec pause = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

	nanosleep(&pause, NULL);
}
