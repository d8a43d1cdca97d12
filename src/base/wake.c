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

	if (fd < 0)
		return;
	if (write(fd, &one, sizeof(one)) != (ssize_t)sizeof(one))
		log_debug("the counter is full: everybody has been woken");
}

bool wake_wait(int fd, int other_fd, int timeout_ms)
{
	struct pollfd fds[] = {{.fd = fd, .events = POLLIN}, {.fd = other_fd, .events = POLLIN}};
	uint64_t count;
	int i;

	if (poll(fds, 2, timeout_ms) <= 0)
		return false;
	for (i = 0; i < 2; i++)
		if (fds[i].revents &&
			read(fds[i].fd, &count, sizeof(count)) != (ssize_t)sizeof(count))
			log_debug("another process took the signal");
	return fds[0].revents != 0;
}
