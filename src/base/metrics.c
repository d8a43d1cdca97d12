#include "metrics.h"

#include <assert.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <sys/mman.h>

#include "buf.h"

enum { METRICS_LINE = 64 }; /* of a processor's cache, in bytes */

typedef _Atomic uint64_t metrics_cell;

const struct metrics_family metrics_families[METRIC_COUNT] = {
#define LABEL(...)
#define METRIC(id, type, written, words, a, b, c)                                                  \
	[METRIC_##id] = {.kind = METRICS_##type,                                                   \
		.name = written,                                                                   \
		.help = words,                                                                     \
		.labels = {METRICS_##a, METRICS_##b, METRICS_##c}},
#include "metrics_table.h"
#undef METRIC
#undef LABEL
};

const char *const metrics_label_names[METRICS_LABEL_COUNT] = {
#define LABEL(name, written) [METRICS_##name] = written,
#define METRIC(...)
#include "metrics_table.h"
#undef METRIC
#undef LABEL
};

const char *const metrics_kind_names[METRICS_KIND_COUNT] = {
	[METRICS_COUNTER] = "counter",
	[METRICS_GAUGE] = "gauge",
	[METRICS_HISTOGRAM] = "histogram",
};

/* Upper bounds of the buckets of all histograms; one more is for what takes longer. */
static const struct {
	int64_t us;
	const char *written;
} metrics_bounds[] = {
	{500, "0.0005"},
	{1000, "0.001"},
	{2500, "0.0025"},
	{5000, "0.005"},
	{10 * 1000, "0.01"},
	{25 * 1000, "0.025"},
	{50 * 1000, "0.05"},
	{100 * 1000, "0.1"},
	{250 * 1000, "0.25"},
	{500 * 1000, "0.5"},
	{1000 * 1000, "1"},
	{2500 * 1000, "2.5"},
	{5 * 1000 * 1000, "5"},
	{10 * 1000 * 1000, "10"},
	{30 * 1000 * 1000, "30"},
};

enum {
	METRICS_BOUNDS = sizeof(metrics_bounds) / sizeof(metrics_bounds[0]),
	METRICS_SUM = METRICS_BOUNDS + 1, /* of a histogram's cells that of the microseconds, */
	METRICS_HISTOGRAM_CELLS           /* behind those of the buckets */
};

/* Where a family is in a slot. */
struct metrics_place {
	size_t at, width; /* its first cell; the cells of one series */
	size_t sizes[METRICS_LABELS];
};

static const struct metrics_values *metrics_values;
static struct metrics_place metrics_places[METRIC_COUNT];
static size_t metrics_slots, metrics_stride; /* how many, and the cells of one */
static metrics_cell *metrics_memory, *metrics_own;

static size_t metrics_lay_out(void)
{
	const struct metrics_family *family;
	struct metrics_place *place;
	size_t at = 0, series;
	int metric, i;

	for (metric = 0; metric < METRIC_COUNT; metric++) {
		family = &metrics_families[metric];
		place = &metrics_places[metric];
		place->at = at;
		place->width = family->kind == METRICS_HISTOGRAM ? METRICS_HISTOGRAM_CELLS : 1;
		for (series = 1, i = 0; i < METRICS_LABELS; i++) {
			place->sizes[i] =
				family->labels[i] ? metrics_values[family->labels[i]].count : 1;
			series *= place->sizes[i];
		}
		at += series * place->width;
	}
	return at;
}

bool metrics_open(const struct metrics_values *values, size_t processes)
{
	const size_t line = METRICS_LINE / sizeof(metrics_cell);
	void *memory;

	metrics_values = values;
	metrics_slots = 1 + processes;
	metrics_stride = (metrics_lay_out() + line - 1) / line * line;
	memory = mmap(NULL, metrics_slots * metrics_stride * sizeof(metrics_cell),
		PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		return false;
	metrics_memory = metrics_own = memory;
	return true;
}

void metrics_close(void)
{
	if (metrics_memory)
		munmap(metrics_memory, metrics_slots * metrics_stride * sizeof(metrics_cell));
	metrics_memory = metrics_own = NULL;
}

void metrics_enter(size_t index)
{
	if (metrics_memory && metrics_slots > 1)
		metrics_own = metrics_memory + (1 + index % (metrics_slots - 1)) * metrics_stride;
}

/* The first cell of a series. */
static size_t metrics_index(enum metric metric, size_t a, size_t b, size_t c)
{
	const struct metrics_place *place = &metrics_places[metric];

	assert(a < place->sizes[0] && b < place->sizes[1] && c < place->sizes[2]);
	return place->at + ((a * place->sizes[1] + b) * place->sizes[2] + c) * place->width;
}

static void metrics_bump(size_t index, uint64_t by)
{
	atomic_fetch_add_explicit(&metrics_own[index], by, memory_order_relaxed);
}

void metrics_count(enum metric metric, size_t a, size_t b, size_t c)
{
	assert(metrics_families[metric].kind == METRICS_COUNTER);
	if (metrics_own)
		metrics_bump(metrics_index(metric, a, b, c), 1);
}

void metrics_add(enum metric metric, uint64_t count)
{
	assert(metrics_families[metric].kind == METRICS_COUNTER);
	if (metrics_own)
		metrics_bump(metrics_index(metric, 0, 0, 0), count);
}

void metrics_time(enum metric metric, int64_t us, size_t a, size_t b)
{
	size_t index, bucket;

	assert(metrics_families[metric].kind == METRICS_HISTOGRAM);
	if (!metrics_own)
		return;
	index = metrics_index(metric, a, b, 0);
	for (bucket = 0; bucket < METRICS_BOUNDS && us > metrics_bounds[bucket].us; bucket++)
		;
	metrics_bump(index + METRICS_SUM, us > 0 ? (uint64_t)us : 0);
	metrics_bump(index + bucket, 1);
}

/* A gauge is in the first slot, one more than its value: 0 is one that was never set. */
void metrics_set(enum metric metric, int64_t value, size_t a, size_t b)
{
	assert(metrics_families[metric].kind == METRICS_GAUGE && value >= 0);
	if (metrics_memory)
		atomic_store_explicit(&metrics_memory[metrics_index(metric, a, b, 0)],
			(uint64_t)value + 1, memory_order_relaxed);
}

/* Of all slots together. */
static uint64_t metrics_total(size_t index)
{
	uint64_t total = 0;
	size_t slot;

	for (slot = 0; slot < metrics_slots; slot++)
		total += atomic_load_explicit(
			&metrics_memory[slot * metrics_stride + index], memory_order_relaxed);
	return total;
}

int64_t metrics_get(enum metric metric)
{
	uint64_t stored;

	assert(metrics_families[metric].kind == METRICS_GAUGE);
	if (!metrics_memory)
		return 0;
	stored = metrics_total(metrics_index(metric, 0, 0, 0));
	return stored ? (int64_t)(stored - 1) : 0;
}

uint64_t metrics_sum(enum metric metric, uint64_t last)
{
	const struct metrics_place *place = &metrics_places[metric];
	const bool timed = metrics_families[metric].kind == METRICS_HISTOGRAM;
	size_t count = 1, values = 1, number;
	uint64_t sum = 0;
	int i;

	assert(metrics_families[metric].kind != METRICS_GAUGE);
	if (!metrics_memory)
		return 0;
	for (i = 0; i < METRICS_LABELS; i++) {
		count *= place->sizes[i];
		if (metrics_families[metric].labels[i])
			values = place->sizes[i];
	}
	assert(last == METRICS_ANY || values <= 64);
	for (number = 0; number < count; number++)
		if (last == METRICS_ANY || last >> number % values & 1)
			sum += metrics_total(
				place->at + number * place->width + (timed ? METRICS_SUM : 0));
	return sum;
}

/* ---- the text ---- */

/* One series under way. */
struct metrics_series {
	const struct metrics_family *family;
	size_t values[METRICS_LABELS];
	size_t index; /* its first cell */
};

static void metrics_write_value(struct buf *out, enum metrics_label label, size_t value)
{
	const struct metrics_values *values = &metrics_values[label];

	if (values->names)
		buf_add_text(out, values->names[value]);
	else
		values->write(out, value);
}

/* `{route="…",status="…"} `; `bound` is that of a bucket, or NULL. */
static void metrics_write_name(
	struct buf *out, const struct metrics_series *series, const char *suffix, const char *bound)
{
	const enum metrics_label *labels = series->family->labels;
	char before = '{';
	int i;

	buf_add_text(out, series->family->name);
	buf_add_text(out, suffix);
	for (i = 0; i < METRICS_LABELS && labels[i]; i++, before = ',') {
		buf_addf(out, "%c%s=\"", before, metrics_label_names[labels[i]]);
		metrics_write_value(out, labels[i], series->values[i]);
		buf_add_char(out, '"');
	}
	if (bound) {
		buf_addf(out, "%cle=\"%s\"", before, bound);
		before = ',';
	}
	buf_add_text(out, before == '{' ? " " : "} ");
}

static void metrics_write_histogram(struct buf *out, const struct metrics_series *series)
{
	const uint64_t us = metrics_total(series->index + METRICS_SUM);
	uint64_t count = 0;
	size_t bucket;

	for (bucket = 0; bucket <= METRICS_BOUNDS; bucket++) {
		count += metrics_total(series->index + bucket);
		metrics_write_name(out, series, "_bucket",
			bucket < METRICS_BOUNDS ? metrics_bounds[bucket].written : "+Inf");
		buf_addf(out, "%" PRIu64 "\n", count);
	}
	metrics_write_name(out, series, "_sum", NULL);
	buf_addf(out, "%" PRIu64 ".%06" PRIu64 "\n", us / 1000000, us % 1000000);
	metrics_write_name(out, series, "_count", NULL);
	buf_addf(out, "%" PRIu64 "\n", count);
}

static void metrics_write_series(struct buf *out, const struct metrics_series *series)
{
	if (series->family->kind == METRICS_HISTOGRAM) {
		metrics_write_histogram(out, series);
		return;
	}
	metrics_write_name(out, series, "", NULL);
	buf_addf(out, "%" PRIu64 "\n",
		metrics_total(series->index) - (series->family->kind == METRICS_GAUGE));
}

/* Whether something was counted or set, or it is a count that has no label to be missed under. */
static bool metrics_is_written(const struct metrics_series *series)
{
	const struct metrics_place *place = &metrics_places[series->family - metrics_families];
	size_t cell;

	if (series->family->kind == METRICS_COUNTER && !series->family->labels[0])
		return true;
	for (cell = 0; cell < place->width; cell++)
		if (metrics_total(series->index + cell))
			return true;
	return false;
}

/* The values of the labels of the series of that number. */
static void metrics_set_values(struct metrics_series *series, size_t number)
{
	const struct metrics_place *place = &metrics_places[series->family - metrics_families];
	int i;

	series->index = place->at + number * place->width;
	for (i = METRICS_LABELS; i-- > 0; number /= place->sizes[i])
		series->values[i] = number % place->sizes[i];
}

static void metrics_write_family(struct buf *out, enum metric metric)
{
	const size_t *sizes = metrics_places[metric].sizes;
	struct metrics_series series = {.family = &metrics_families[metric]};
	const size_t count = sizes[0] * sizes[1] * sizes[2];
	bool headed = false;
	size_t number;

	for (number = 0; number < count; number++) {
		metrics_set_values(&series, number);
		if (!metrics_is_written(&series))
			continue;
		if (!headed)
			buf_addf(out, "# HELP %s %s.\n# TYPE %s %s\n", series.family->name,
				series.family->help, series.family->name,
				metrics_kind_names[series.family->kind]);
		headed = true;
		metrics_write_series(out, &series);
	}
}

void metrics_write(struct buf *out)
{
	int metric;

	for (metric = 0; metrics_memory && metric < METRIC_COUNT; metric++)
		metrics_write_family(out, (enum metric)metric);
}
