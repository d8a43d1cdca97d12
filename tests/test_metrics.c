#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>

#include "buf.h"
#include "metrics.h"
#include "unit.h"

enum { PROCESSES = 2, THREADS = 8, EACH = 20000 };

static const char *const letters[] = {"a", "b"};

static void write_number(struct buf *out, size_t value)
{
	buf_addf(out, "n%zu", value);
}

static struct metrics_values values[METRICS_LABEL_COUNT];

static void open_metrics(void)
{
	int label;

	for (label = 0; label < METRICS_LABEL_COUNT; label++)
		values[label] = (struct metrics_values){2, .names = letters};
	values[METRICS_OUTCOME] = (struct metrics_values){3, .write = write_number};
	CU_ASSERT_FATAL(metrics_open(values, PROCESSES));
}

/* What /metrics says, until the next call. */
static const char *written(void)
{
	static struct buf out;

	buf_fini(&out);
	buf_init(&out, 1 << 20);
	metrics_write(&out);
	return out.bytes ? out.bytes : "";
}

/* The value behind a series as it is written; -1: there is none. */
static long long value_of(const char *series)
{
	const char *text = written(), *found;
	char line[256];

	snprintf(line, sizeof(line), "\n%s ", series);
	found = strstr(text, line);
	return found ? atoll(found + strlen(line)) : -1;
}

/* In a process of its own, in the slot of that place, which is killed when it is done. */
static void count_and_die(size_t place, int times)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		metrics_enter(place);
		while (times--)
			metrics_count(METRIC_LEASES_LOST, 0, 0, 0);
		raise(SIGKILL);
	}
	CU_ASSERT(pid > 0 && waitpid(pid, &status, 0) == pid && WIFSIGNALED(status));
}

static void test_nothing_without_a_master(void)
{
	metrics_count(METRIC_LEASES_LOST, 0, 0, 0);
	metrics_time(METRIC_STORE_WAIT, 1, 0, 0);
	metrics_set(METRIC_STARTED_AT, 1, 0, 0);
	metrics_enter(0);
	CU_ASSERT_EQUAL(metrics_get(METRIC_STARTED_AT), 0);
	CU_ASSERT_STRING_EQUAL(written(), "");
}

static void test_text(void)
{
	const char *text;

	open_metrics();
	metrics_count(METRIC_PROVIDER_CALLS, 1, 0, 2);
	metrics_count(METRIC_PROVIDER_CALLS, 1, 0, 2);
	metrics_count(METRIC_PROVIDER_CALLS, 0, 1, 0);
	metrics_set(METRIC_OWED, 0, 1, 0);
	metrics_set(METRIC_OWED, 7, 1, 1);
	metrics_set(METRIC_OWED, 5, 1, 1);
	text = written();
	CU_ASSERT_PTR_NOT_NULL(strstr(text,
		"# HELP meetlink_provider_calls_total What providers were asked to do.\n"
		"# TYPE meetlink_provider_calls_total counter\n"
		"meetlink_provider_calls_total{provider=\"a\",operation=\"b\",outcome=\"n0\"} 1\n"
		"meetlink_provider_calls_total{provider=\"b\",operation=\"a\",outcome=\"n2\"} 2\n"
		"# HELP "));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "# TYPE meetlink_effects_owed gauge\n"
					    "meetlink_effects_owed{kind=\"b\",state=\"a\"} 0\n"
					    "meetlink_effects_owed{kind=\"b\",state=\"b\"} 5\n"));
	/* What never was: a count that has no label is 0, all else is missing. */
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "\nmeetlink_leases_lost_total 0\n"));
	CU_ASSERT_PTR_NULL(strstr(text, "meetlink_mails_total"));
	CU_ASSERT_PTR_NULL(strstr(text, "meetlink_start_time_seconds"));
	CU_ASSERT_PTR_NULL(strstr(text, "meetlink_database_pool_wait_duration_seconds"));
	metrics_close();
}

static void test_histogram(void)
{
	static const struct {
		const char *le;
		long long count;
	} rows[] = {{"0.0005", 2}, {"0.001", 3}, {"0.0025", 3}, {"0.005", 3}, {"0.01", 3},
		{"0.025", 3}, {"0.05", 3}, {"0.1", 3}, {"0.25", 3}, {"0.5", 3}, {"1", 3},
		{"2.5", 4}, {"5", 4}, {"10", 4}, {"30", 4}, {"+Inf", 5}};
	static const int64_t taken_us[] = {0, 500, 501, 2500000, 31000000};
	char series[128];
	size_t i;

	open_metrics();
	for (i = 0; i < sizeof(taken_us) / sizeof(taken_us[0]); i++)
		metrics_time(METRIC_HTTP_TIME, taken_us[i], 1, 0);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(series, sizeof(series),
			"meetlink_http_request_duration_seconds_bucket{route=\"b\",le=\"%s\"}",
			rows[i].le);
		UNIT_CHECK(value_of(series) == rows[i].count, rows[i].le);
	}
	CU_ASSERT_EQUAL(value_of("meetlink_http_request_duration_seconds_count{route=\"b\"}"), 5);
	CU_ASSERT_PTR_NOT_NULL(strstr(written(),
		"\nmeetlink_http_request_duration_seconds_sum{route=\"b\"} 33.501001\n"));
	CU_ASSERT_PTR_NULL(strstr(written(), "route=\"a\""));
	metrics_close();
}

static void test_sums(void)
{
	CU_ASSERT_EQUAL(metrics_sum(METRIC_PROVIDER_CALLS, METRICS_ANY), 0);
	open_metrics();
	metrics_count(METRIC_PROVIDER_CALLS, 0, 0, 0);
	metrics_count(METRIC_PROVIDER_CALLS, 1, 0, 2);
	metrics_enter(1);
	metrics_count(METRIC_PROVIDER_CALLS, 1, 1, 2);
	metrics_count(METRIC_PROVIDER_CALLS, 1, 1, 1);
	metrics_count(METRIC_MAILS, 0, 0, 0);
	metrics_add(METRIC_LEASES_LOST, 5);
	metrics_time(METRIC_HTTP_TIME, 7, 0, 0);
	metrics_time(METRIC_HTTP_TIME, 31000000, 1, 0);
	CU_ASSERT_EQUAL(metrics_sum(METRIC_PROVIDER_CALLS, METRICS_ANY), 4);
	CU_ASSERT_EQUAL(metrics_sum(METRIC_PROVIDER_CALLS, 1 << 2), 2);
	CU_ASSERT_EQUAL(metrics_sum(METRIC_PROVIDER_CALLS, ~(UINT64_C(1) << 2)), 2);
	CU_ASSERT_EQUAL(metrics_sum(METRIC_MAILS, ~UINT64_C(1)), 0);
	CU_ASSERT_EQUAL(metrics_sum(METRIC_LEASES_LOST, METRICS_ANY), 5);
	CU_ASSERT_EQUAL(metrics_sum(METRIC_HTTP_TIME, METRICS_ANY), 31000007);
	metrics_close();
}

static void test_counts_outlive_processes(void)
{
	size_t place;

	open_metrics();
	metrics_count(METRIC_LEASES_LOST, 0, 0, 0);
	/* Twice as many as have slots of their own, one after the other. */
	for (place = 0; place < 2 * PROCESSES; place++) {
		count_and_die(place, 10);
		CU_ASSERT_EQUAL(
			value_of("meetlink_leases_lost_total"), 1 + 10 * ((long long)place + 1));
	}
	metrics_close();
}

static void test_gauges_are_of_the_host(void)
{
	pid_t pid;

	open_metrics();
	pid = fork();
	if (pid == 0) {
		metrics_enter(1);
		metrics_set(METRIC_OBSERVED_AT, 42, 0, 0);
		_exit(0);
	}
	waitpid(pid, NULL, 0);
	CU_ASSERT_EQUAL(metrics_get(METRIC_OBSERVED_AT), 42);
	metrics_enter(0);
	metrics_set(METRIC_OBSERVED_AT, 43, 0, 0);
	CU_ASSERT_EQUAL(metrics_get(METRIC_OBSERVED_AT), 43);
	CU_ASSERT_EQUAL(value_of("meetlink_observed_timestamp_seconds"), 43);
	metrics_close();
}

static void *count_much(void *unused)
{
	int i;

	(void)unused;
	for (i = 0; i < EACH; i++) {
		metrics_count(METRIC_RESTARTS, 1, 0, 0);
		metrics_time(METRIC_STORE_WAIT, 3, 0, 0);
	}
	return NULL;
}

static void test_threads(void)
{
	pthread_t threads[THREADS];
	int i;

	open_metrics();
	for (i = 0; i < THREADS; i++)
		CU_ASSERT_EQUAL_FATAL(pthread_create(&threads[i], NULL, count_much, NULL), 0);
	for (i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	CU_ASSERT_EQUAL(value_of("meetlink_process_restarts_total{role=\"b\"}"), THREADS * EACH);
	CU_ASSERT_EQUAL(
		value_of("meetlink_database_pool_wait_duration_seconds_count"), THREADS * EACH);
	CU_ASSERT_PTR_NOT_NULL(
		strstr(written(), "\nmeetlink_database_pool_wait_duration_seconds_sum 0.480000\n"));
	metrics_close();
}

static const struct unit_case cases[] = {
	{"nothing without a master", test_nothing_without_a_master},
	{"the text", test_text},
	{"a histogram", test_histogram},
	{"sums", test_sums},
	{"counts outlive processes", test_counts_outlive_processes},
	{"gauges are of the host", test_gauges_are_of_the_host},
	{"threads", test_threads},
};

UNIT_MAIN("metrics", cases)
