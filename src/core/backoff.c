#include "backoff.h"

int64_t backoff_delay_ms(
	int64_t attempts, int64_t first_s, int64_t max_s, int64_t retry_after_s, int64_t random)
{
	int64_t ceiling = first_s, delay;

	while (--attempts > 0 && ceiling < max_s)
		ceiling *= 2;
	if (ceiling > max_s)
		ceiling = max_s;
	delay = ceiling * 1000 * random / BACKOFF_SPREAD;
	if (delay < 100)
		delay = 100;
	return delay < retry_after_s * 1000 ? retry_after_s * 1000 : delay;
}
