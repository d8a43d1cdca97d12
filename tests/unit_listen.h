#ifndef UNIT_LISTEN_H
#define UNIT_LISTEN_H
#include <arpa/inet.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* A socket that listens on a free loopback port. The caller closes it; shutdown() wakes accept().
 */
static inline int unit_listen(int *port_r)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(address);
	const int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&address, len) != 0 || listen(fd, 8) != 0 ||
		getsockname(fd, (struct sockaddr *)&address, &len) != 0)
		abort();
	*port_r = ntohs(address.sin_port);
	return fd;
}

/* Until the other side, in a thread of its own, has done a thing so often. */
static inline void unit_wait(const atomic_int *done, int times)
{
	while (*done < times)
		usleep(1000);
}
#endif
