/* What it costs to count something, and to note how long something took, in nanoseconds. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "clock.h"
#include "metrics.h"

enum { CALLS = 5000000, ROUTES = 60, CLASSES = 6 };

static double metrics_ns(int64_t from_us)
{
	return (double)(clock_monotonic_us() - from_us) * 1000 / CALLS;
}

int main(void)
{
	struct metrics_values values[METRICS_LABEL_COUNT];
	int64_t from_us;
	double count_ns;
	size_t i;

	for (i = 0; i < METRICS_LABEL_COUNT; i++)
		values[i] = (struct metrics_values){.count = i == METRICS_NONE ? 1 : ROUTES};
	if (!metrics_open(values, 4))
		return EXIT_FAILURE;
	metrics_enter(1);
	from_us = clock_monotonic_us();
	for (i = 0; i < CALLS; i++)
		metrics_count(METRIC_HTTP_REQUESTS, i % ROUTES, i % CLASSES, 0);
	count_ns = metrics_ns(from_us);
	from_us = clock_monotonic_us();
	for (i = 0; i < CALLS; i++)
		metrics_time(METRIC_HTTP_TIME, (int64_t)(i % 100000), i % ROUTES, 0);
	printf("%.1f %.1f\n", count_ns, metrics_ns(from_us));
	metrics_close();
	return EXIT_SUCCESS;
}
