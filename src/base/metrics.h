#ifndef METRICS_H
#define METRICS_H
/*
 * What a host's processes have counted, in memory that they share: a slot for each, so that they
 * do not wait for each other, and one more for the master and for what is set and not counted. A
 * process that dies leaves its counts behind, and the next of its slot adds to them: no sum ever
 * falls while the master lives. Nothing here blocks; where no master has opened it (tools, tests
 * of modules) nothing is counted.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;

enum metrics_label {
	METRICS_NONE,
#define LABEL(name, written) METRICS_##name,
#define METRIC(...)
#include "metrics_table.h"
#undef METRIC
#undef LABEL
	METRICS_LABEL_COUNT
};

enum metric {
#define LABEL(...)
#define METRIC(name, ...) METRIC_##name,
#include "metrics_table.h"
#undef METRIC
#undef LABEL
	METRIC_COUNT
};

enum metrics_kind { METRICS_COUNTER, METRICS_GAUGE, METRICS_HISTOGRAM, METRICS_KIND_COUNT };
enum { METRICS_LABELS = 3 }; /* of a family, at most */

struct metrics_family {
	enum metrics_kind kind;
	const char *name, *help;
	enum metrics_label labels[METRICS_LABELS];
};

extern const struct metrics_family metrics_families[METRIC_COUNT];
extern const char *const metrics_label_names[METRICS_LABEL_COUNT];
extern const char *const metrics_kind_names[METRICS_KIND_COUNT];

/* What the values 0 … count - 1 of a label are called: `names`, or what `write` appends. Without
 * quotes, backslashes and line breaks. */
struct metrics_values {
	size_t count;
	const char *const *names;
	void (*write)(struct buf *out, size_t value);
};

/* For the master, before it forks: false with errno when there is no memory. `values`, of all
 * labels, is borrowed. `processes` is how many it keeps; if there are ever more, some share a slot.
 */
bool metrics_open(const struct metrics_values *values, size_t processes);
void metrics_close(void);

/* From now on this process counts in the slot of the index-th one of the master's. */
void metrics_enter(size_t index);

/* Count one, a duration, or set. `a`, `b` and `c` are the values of the family's labels, 0 where it
 * has none. */
void metrics_count(enum metric metric, size_t a, size_t b, size_t c);
void metrics_add(enum metric metric, uint64_t count);
void metrics_time(enum metric metric, int64_t us, size_t a, size_t b);
void metrics_set(enum metric metric, int64_t value, size_t a, size_t b);

/* What a gauge without labels was set to; 0 when it never was. */
int64_t metrics_get(enum metric metric);

/* Of all series together whose last label has a value in `last`, a set of bits: what they have
 * counted; of a histogram the microseconds. */
#define METRICS_ANY UINT64_MAX
uint64_t metrics_sum(enum metric metric, uint64_t last);

/* Appends all that was ever counted or set, in Prometheus's text format (version 0.0.4). What never
 * was is left out, unless it is all that its family has. */
void metrics_write(struct buf *out);
#endif
