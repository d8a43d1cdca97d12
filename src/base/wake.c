#include "wake.h"

#include <poll.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "log.h"

int wake_open(void)
{
	return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
}

void wake_signal(int fd)
{
	const uint64_t one = 1;

	if (write(fd, &one, sizeof(one)) != (ssize_t)sizeof(one))
		log_debug("the counter is full: everybody has been woken");
}

void wake_wait(int fd, int timeout_ms)
{
	struct pollfd pollfd = {.fd = fd, .events = POLLIN};
	uint64_t count;

	if (poll(&pollfd, 1, timeout_ms) > 0 &&
		read(fd, &count, sizeof(count)) != (ssize_t)sizeof(count))
		log_debug("another process took the signal");
}
