#ifndef BACKOFF_H
#define BACKOFF_H
#include <stdint.h>

enum { BACKOFF_SPREAD = 1 << 20 };

/*
 * Full-jitter exponential backoff (PROVIDERS.md section 8): uniform in [0, min(max, first * 2^n)],
 * where n = attempts - 1 and `random` is uniform in [0, BACKOFF_SPREAD]; never under 100 ms, and
 * never under what the peer asked for in Retry-After. Seconds in, milliseconds out.
 */
int64_t backoff_delay_ms(
	int64_t attempts, int64_t first_s, int64_t max_s, int64_t retry_after_s, int64_t random);
#endif
