#ifndef WAKE_H
#define WAKE_H
/* An eventfd that is shared across forks: somebody here owes something, whoever waits may look. */

#include <stdbool.h>

/* -1 with errno when there are no descriptors left. */
int wake_open(void);

void wake_signal(int fd);

/* Until somebody signals one of the two (-1: there is no other) or `timeout_ms` is over; whether it
 * was the first. One waiter takes all signals. */
bool wake_wait(int fd, int other_fd, int timeout_ms);
#endif
