#ifndef CLOCK_H
#define CLOCK_H
/*
 * The program's clock. Only code outside core/ reads it; core/ is given `now`.
 * For tests it can be moved: a file of 8 bytes (int64, milliseconds, native order) is mapped and
 * its value added to the real time, in every process at once.
 */
#include <stdint.h>

/* Maps the offset file; NULL or "" means real time. 0, or -1 with errno when it cannot. */
int clock_init(const char *offset_file);

int64_t clock_now_ms(void);       /* Unix time in milliseconds */
int64_t clock_monotonic_us(void); /* for measuring, never moved */

/* Sleeps, or less when a signal comes. */
void clock_sleep_ms(int64_t ms);
#endif
