#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>

#include "provider_breaker.h"
#include "unit.h"

static const int64_t start = INT64_C(1900000000) * 1000;
static const int64_t year = INT64_C(365) * 24 * 3600 * 1000;

enum { SECOND = 1000, HANG_S = 60 };

static enum breaker_state state_at(struct breaker_table *table, const char *key, int64_t now)
{
	struct breaker_health health;

	breaker_read(table, key, now, &health);
	return health.state;
}

static bool is_probed(struct breaker_table *table, const char *key, int64_t now)
{
	struct breaker_health health;

	breaker_read(table, key, now, &health);
	return health.probing;
}

static void leave(
	struct breaker_table *table, const char *key, int64_t now, int count, enum err outcome)
{
	while (count-- > 0)
		breaker_leave(table, key, now, outcome, 0, "words");
}

static void open_it(struct breaker_table *table, const char *key, int64_t now)
{
	leave(table, key, now, BREAKER_FAILURES, ERR_TEMPORARY);
}

static void test_outcomes(void)
{
	static const struct {
		const char *name;
		enum err outcomes[8]; /* to ERR_COUNT */
		int64_t retry_after_s;
		int64_t closed_after_s; /* open until then; 0: stays closed */
	} cases[] = {
		{"one failure is none", {ERR_TEMPORARY, ERR_COUNT}, 0, 0},
		{"four are none",
			{ERR_TEMPORARY, ERR_TEMPORARY, ERR_OUTCOME_UNKNOWN, ERR_TEMPORARY,
				ERR_COUNT},
			0, 0},
		{"five",
			{ERR_TEMPORARY, ERR_TEMPORARY, ERR_OUTCOME_UNKNOWN, ERR_TEMPORARY,
				ERR_OUTCOME_UNKNOWN, ERR_COUNT},
			0, 60},
		{"not in a row: ok",
			{ERR_TEMPORARY, ERR_TEMPORARY, ERR_TEMPORARY, ERR_TEMPORARY, ERR_OK,
				ERR_TEMPORARY, ERR_COUNT},
			0, 0},
		{"not in a row: gone",
			{ERR_TEMPORARY, ERR_TEMPORARY, ERR_TEMPORARY, ERR_TEMPORARY, ERR_GONE,
				ERR_TEMPORARY, ERR_COUNT},
			0, 0},
		{"not in a row: permanent",
			{ERR_TEMPORARY, ERR_TEMPORARY, ERR_TEMPORARY, ERR_TEMPORARY, ERR_PERMANENT,
				ERR_TEMPORARY, ERR_COUNT},
			0, 0},
		{"our own trouble neither counts nor resets",
			{ERR_TEMPORARY, ERR_TEMPORARY, ERR_TEMPORARY, ERR_TEMPORARY,
				ERR_DATABASE_AWAY, ERR_UNAVAILABLE, ERR_TEMPORARY, ERR_COUNT},
			0, 60},
		{"our own trouble alone",
			{ERR_DATABASE_AWAY, ERR_DATABASE_AWAY, ERR_DATABASE_AWAY, ERR_DATABASE_AWAY,
				ERR_DATABASE_AWAY, ERR_DATABASE_AWAY, ERR_COUNT},
			0, 0},
		{"five, and a time",
			{ERR_TEMPORARY, ERR_TEMPORARY, ERR_TEMPORARY, ERR_TEMPORARY, ERR_TEMPORARY,
				ERR_COUNT},
			7, 7},
		{"a refused credential", {ERR_CREDENTIAL, ERR_COUNT}, 0, 60},
		{"unavailable", {ERR_UNAVAILABLE, ERR_COUNT}, 0, 0},
		{"unavailable until", {ERR_UNAVAILABLE, ERR_COUNT}, 3600, 3600},
		{"unavailable until after all time", {ERR_UNAVAILABLE, ERR_COUNT}, INT64_MAX,
			24 * 3600},
		{"unavailable until before all time", {ERR_UNAVAILABLE, ERR_COUNT}, INT64_MIN, 0},
		{"recovered", {ERR_CREDENTIAL, ERR_OK, ERR_COUNT}, 0, 0},
	};
	size_t i, j;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct breaker_table *table = breaker_table_new();
		const int64_t until = start + cases[i].closed_after_s * SECOND;
		struct err_info info = {0};

		for (j = 0; cases[i].outcomes[j] != ERR_COUNT; j++)
			breaker_leave(table, "k", start, cases[i].outcomes[j],
				cases[i].retry_after_s, NULL);
		if (cases[i].closed_after_s == 0) {
			UNIT_CHECK(
				breaker_enter(table, "k", start, &info) == ERR_OK, cases[i].name);
			UNIT_CHECK(state_at(table, "k", start) == BREAKER_CLOSED, cases[i].name);
		} else {
			UNIT_CHECK(breaker_enter(table, "k", start, &info) == ERR_UNAVAILABLE,
				cases[i].name);
			UNIT_CHECK(info.retry_after_s == cases[i].closed_after_s, cases[i].name);
			UNIT_CHECK(state_at(table, "k", until - 1) == BREAKER_OPEN, cases[i].name);
			UNIT_CHECK(breaker_enter(table, "k", until - 1, &info) == ERR_UNAVAILABLE &&
					   info.retry_after_s == 1,
				cases[i].name);
			UNIT_CHECK(state_at(table, "k", until) == BREAKER_HALF_OPEN, cases[i].name);
			UNIT_CHECK(breaker_enter(table, "k", until, NULL) == ERR_OK, cases[i].name);
		}
		UNIT_CHECK(breaker_enter(table, "another", start, NULL) == ERR_OK, cases[i].name);
		breaker_table_free(&table);
	}
}

/* What the one call that is let through brings. */
static void test_half_open(void)
{
	static const struct {
		const char *name;
		enum err outcome;
		int64_t retry_after_s;
		enum breaker_state state;
		enum err next;
	} cases[] = {
		{"ok", ERR_OK, 0, BREAKER_CLOSED, ERR_OK},
		{"gone", ERR_GONE, 0, BREAKER_CLOSED, ERR_OK},
		{"one failure opens again", ERR_TEMPORARY, 0, BREAKER_OPEN, ERR_UNAVAILABLE},
		{"unknown opens again", ERR_OUTCOME_UNKNOWN, 5, BREAKER_OPEN, ERR_UNAVAILABLE},
		{"credential", ERR_CREDENTIAL, 0, BREAKER_OPEN, ERR_UNAVAILABLE},
		{"unavailable until", ERR_UNAVAILABLE, 9, BREAKER_OPEN, ERR_UNAVAILABLE},
		{"unavailable: the next one tries", ERR_UNAVAILABLE, 0, BREAKER_HALF_OPEN, ERR_OK},
		{"nothing learnt: the next one tries", ERR_DATABASE_AWAY, 0, BREAKER_HALF_OPEN,
			ERR_OK},
	};
	const int64_t now = start + BREAKER_OPEN_MS;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct breaker_table *table = breaker_table_new();
		struct err_info info = {0};

		open_it(table, "k", start);
		UNIT_CHECK(!is_probed(table, "k", now), cases[i].name);
		UNIT_CHECK(breaker_enter(table, "k", now, NULL) == ERR_OK, cases[i].name);
		UNIT_CHECK(is_probed(table, "k", now), cases[i].name);
		UNIT_CHECK(breaker_enter(table, "k", now, &info) == ERR_UNAVAILABLE, cases[i].name);
		UNIT_CHECK(info.retry_after_s > 0, cases[i].name);
		UNIT_CHECK(state_at(table, "k", now) == BREAKER_HALF_OPEN, cases[i].name);
		breaker_leave(table, "k", now + SECOND, cases[i].outcome, cases[i].retry_after_s,
			"words");
		UNIT_CHECK(!is_probed(table, "k", now + SECOND), cases[i].name);
		UNIT_CHECK(state_at(table, "k", now + SECOND) == cases[i].state, cases[i].name);
		UNIT_CHECK(breaker_enter(table, "k", now + SECOND, NULL) == cases[i].next,
			cases[i].name);
		breaker_table_free(&table);
	}
}

static void test_the_clock_jumps(void)
{
	static const struct {
		const char *name;
		int64_t by;
		enum err enter;
	} cases[] = {
		{"stands still", 0, ERR_UNAVAILABLE},
		{"a caller that is late", -5 * SECOND, ERR_UNAVAILABLE},
		{"forward by years", 20 * INT64_C(365) * 24 * 3600 * 1000, ERR_OK},
		{"back by an hour", -3600 * SECOND, ERR_OK},
		{"back by years", -20 * INT64_C(365) * 24 * 3600 * 1000, ERR_OK},
	};
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct breaker_table *table = breaker_table_new();
		const int64_t now = start + cases[i].by;

		open_it(table, "k", start);
		UNIT_CHECK(breaker_enter(table, "k", now, NULL) == cases[i].enter, cases[i].name);
		/* And again while that one tries: it is given up after its time, or another jump.
		 */
		if (cases[i].enter == ERR_OK) {
			UNIT_CHECK(
				breaker_enter(table, "k", now, NULL) == ERR_UNAVAILABLE, "second");
			UNIT_CHECK(breaker_enter(table, "k", now - year, NULL) == ERR_OK, "third");
			breaker_leave(table, "k", now - year, ERR_TEMPORARY, 0, "words");
			UNIT_CHECK(state_at(table, "k", now - year) == BREAKER_OPEN, "fails");
			UNIT_CHECK(state_at(table, "k", now - year + BREAKER_OPEN_MS) ==
					   BREAKER_HALF_OPEN,
				"waits from now");
		}
		breaker_table_free(&table);
	}
}

static void test_health(void)
{
	struct breaker_table *table = breaker_table_new();
	struct breaker_health health;
	char words[2000];
	size_t len, i;

	breaker_read(NULL, "k", start, &health);
	CU_ASSERT_EQUAL(health.state, BREAKER_CLOSED);
	CU_ASSERT_EQUAL(breaker_enter(NULL, "k", start, NULL), ERR_OK);
	breaker_leave(NULL, "k", start, ERR_CREDENTIAL, 0, NULL);
	breaker_read(table, "k", start, &health);
	CU_ASSERT(health.last_ok_at == 0 && health.last_error_at == 0 && !health.last_error);
	breaker_leave(table, "k", start, ERR_OK, 0, "");
	breaker_leave(table, "k", start + 1, ERR_PERMANENT, 0, "No.");
	breaker_read(table, "k", start, &health);
	CU_ASSERT_EQUAL(health.last_ok_at, start);
	CU_ASSERT_EQUAL(health.last_error_at, start + 1);
	CU_ASSERT_EQUAL(health.last_error, ERR_PERMANENT);
	CU_ASSERT_STRING_EQUAL(health.last_error_detail, "No.");
	/* A meeting that is gone is no fault of the provider, nor is trouble of our own. */
	breaker_leave(table, "k", start + 2, ERR_GONE, 0, "Gone.");
	breaker_leave(table, "k", start + 3, ERR_DATABASE_AWAY, 0, "Away.");
	breaker_read(table, "k", start, &health);
	CU_ASSERT_EQUAL(health.last_ok_at, start + 2);
	CU_ASSERT_EQUAL(health.last_error_at, start + 1);
	CU_ASSERT_STRING_EQUAL(health.last_error_detail, "No.");
	/* Too long: cut, at a whole character wherever that is. */
	for (i = 0; i < 4; i++) {
		memset(words, 'x', i);
		for (len = i; len < sizeof(words) - 4; len += 3)
			memcpy(words + len, "\xe2\x82\xac", 3);
		words[len] = '\0';
		breaker_leave(table, "k", start, ERR_TEMPORARY, 0, words);
		breaker_read(table, "k", start, &health);
		len = strlen(health.last_error_detail);
		CU_ASSERT(len > sizeof(health.last_error_detail) - 6 && (len - i) % 3 == 0);
	}
	for (i = BREAKER_CLOSED; i <= BREAKER_HALF_OPEN; i++)
		CU_ASSERT_PTR_NOT_NULL(breaker_state_names[i]);
	breaker_table_free(&table);
	CU_ASSERT_PTR_NULL(table);
	breaker_table_free(&table);
}

/* Of those that were under way when it opened none counts: only who tries it then. */
static void test_failures_in_a_row(void)
{
	struct breaker_table *table = breaker_table_new();
	struct breaker_health health;
	int64_t now = start;
	int i;

	for (i = 0; i < 8; i++)
		breaker_leave(table, "k", now, ERR_UNAVAILABLE, 1, "words");
	breaker_read(table, "k", now, &health);
	CU_ASSERT_EQUAL(health.failures, 1);
	for (i = 2; i < 5; i++) {
		now += 2 * SECOND;
		CU_ASSERT_EQUAL(breaker_enter(table, "k", now, NULL), ERR_OK);
		breaker_leave(table, "k", now, ERR_UNAVAILABLE, 1, "words");
		breaker_read(table, "k", now, &health);
		CU_ASSERT_EQUAL(health.failures, i);
	}
	leave(table, "k", now, 1, ERR_OK);
	breaker_read(table, "k", now, &health);
	CU_ASSERT_EQUAL(health.failures, 0);
	breaker_table_free(&table);
}

static void test_slots_run_out(void)
{
	struct breaker_table *table = breaker_table_new();
	char key[200], long_key[300];
	int i;

	for (i = 0; i < BREAKER_SLOTS; i++) {
		snprintf(key, sizeof(key), "key-%d", i);
		open_it(table, key, start);
	}
	/* All are kept; 0 is used again, so 1 is the one to go. */
	CU_ASSERT_EQUAL(breaker_enter(table, "key-0", start, NULL), ERR_UNAVAILABLE);
	for (i = 1; i < BREAKER_SLOTS; i++) {
		snprintf(key, sizeof(key), "key-%d", i);
		CU_ASSERT_EQUAL(state_at(table, key, start), BREAKER_OPEN);
	}
	CU_ASSERT_EQUAL(breaker_enter(table, "one more", start, NULL), ERR_OK);
	CU_ASSERT_EQUAL(state_at(table, "key-0", start), BREAKER_OPEN);
	CU_ASSERT_EQUAL(state_at(table, "key-1", start), BREAKER_CLOSED);
	CU_ASSERT_EQUAL(state_at(table, "key-2", start), BREAKER_OPEN);
	/* Keys of any length, that differ only at their end. */
	memset(long_key, 'k', sizeof(long_key) - 1);
	long_key[sizeof(long_key) - 1] = '\0';
	open_it(table, long_key, start);
	CU_ASSERT_EQUAL(state_at(table, long_key, start), BREAKER_OPEN);
	long_key[sizeof(long_key) - 2] = 'l';
	CU_ASSERT_EQUAL(state_at(table, long_key, start), BREAKER_CLOSED);
	CU_ASSERT_EQUAL(breaker_enter(table, "", start, NULL), ERR_OK);
	breaker_table_free(&table);
}

/* ---- many at once ---- */

struct crowd {
	struct breaker_table *table;
	atomic_int admitted, refused;
	pthread_barrier_t barrier;
};

enum { CROWD = 24, ROUNDS = 200 };

static void *crowd_enter(void *argument)
{
	struct crowd *crowd = argument;
	int i;

	for (i = 1; i <= ROUNDS; i++) {
		pthread_barrier_wait(&crowd->barrier);
		if (breaker_enter(crowd->table, "k", start + i * INT64_C(60) * SECOND, NULL) ==
			ERR_OK) {
			crowd->admitted++;
			pthread_barrier_wait(&crowd->barrier);
			breaker_leave(crowd->table, "k", start + i * INT64_C(60) * SECOND,
				ERR_TEMPORARY, 0, "words");
		} else {
			crowd->refused++;
			pthread_barrier_wait(&crowd->barrier);
		}
	}
	return NULL;
}

static void test_exactly_one_is_let_through(void)
{
	struct crowd crowd = {.table = breaker_table_new()};
	pthread_t threads[CROWD];
	int i;

	open_it(crowd.table, "k", start);
	pthread_barrier_init(&crowd.barrier, NULL, CROWD);
	for (i = 0; i < CROWD; i++)
		pthread_create(&threads[i], NULL, crowd_enter, &crowd);
	for (i = 0; i < CROWD; i++)
		pthread_join(threads[i], NULL);
	CU_ASSERT_EQUAL(crowd.admitted, ROUNDS);
	CU_ASSERT_EQUAL(crowd.refused, (CROWD - 1) * ROUNDS);
	pthread_barrier_destroy(&crowd.barrier);
	breaker_table_free(&crowd.table);
}

/* Calls that were under way when it opened: their failures do not count as that of the one that was
 * let through, nor make room for another. */
static void *straggle(void *argument)
{
	struct crowd *crowd = argument;

	breaker_leave(crowd->table, "k", start + BREAKER_OPEN_MS, ERR_TEMPORARY, 0, "words");
	breaker_leave(crowd->table, "k", start + BREAKER_OPEN_MS, ERR_DATABASE_AWAY, 0, "words");
	if (breaker_enter(crowd->table, "k", start + BREAKER_OPEN_MS, NULL) == ERR_OK)
		crowd->admitted++;
	return NULL;
}

static void test_stragglers(void)
{
	struct crowd crowd = {.table = breaker_table_new()};
	pthread_t thread;

	open_it(crowd.table, "k", start);
	leave(crowd.table, "k", start + BREAKER_OPEN_MS - 1, BREAKER_FAILURES, ERR_TEMPORARY);
	CU_ASSERT_EQUAL(breaker_enter(crowd.table, "k", start + BREAKER_OPEN_MS, NULL), ERR_OK);
	pthread_create(&thread, NULL, straggle, &crowd);
	pthread_join(thread, NULL);
	CU_ASSERT_EQUAL(crowd.admitted, 0);
	CU_ASSERT_EQUAL(state_at(crowd.table, "k", start + BREAKER_OPEN_MS), BREAKER_HALF_OPEN);
	breaker_leave(crowd.table, "k", start + BREAKER_OPEN_MS, ERR_OK, 0, "");
	CU_ASSERT_EQUAL(state_at(crowd.table, "k", start + BREAKER_OPEN_MS), BREAKER_CLOSED);
	breaker_table_free(&crowd.table);
}

/* ---- processes ---- */

static void wait_for(pid_t child, int *status_r)
{
	CU_ASSERT_EQUAL_FATAL(waitpid(child, status_r, 0), child);
}

static void test_processes_share_it(void)
{
	struct breaker_table *table = breaker_table_new();
	int status, i;
	pid_t child;

	for (i = 0; i < BREAKER_FAILURES; i++) {
		CU_ASSERT_EQUAL(state_at(table, "k", start), BREAKER_CLOSED);
		child = fork();
		if (child == 0) {
			breaker_leave(table, "k", start, ERR_TEMPORARY, 0, "from a child");
			_exit(0);
		}
		wait_for(child, &status);
	}
	CU_ASSERT_EQUAL(breaker_enter(table, "k", start, NULL), ERR_UNAVAILABLE);
	breaker_table_free(&table);
}

static void test_the_one_let_through_dies(void)
{
	struct breaker_table *table = breaker_table_new();
	const int64_t now = start + BREAKER_OPEN_MS;
	int status;
	pid_t child;

	open_it(table, "k", start);
	child = fork();
	if (child == 0)
		_exit(breaker_enter(table, "k", now, NULL) == ERR_OK ? 0 : 1);
	wait_for(child, &status);
	CU_ASSERT_EQUAL(status, 0);
	CU_ASSERT_EQUAL(breaker_enter(table, "k", now + 59 * SECOND, NULL), ERR_UNAVAILABLE);
	CU_ASSERT_EQUAL(breaker_enter(table, "k", now + 60 * SECOND, NULL), ERR_OK);
	CU_ASSERT_EQUAL(breaker_enter(table, "k", now + 60 * SECOND, NULL), ERR_UNAVAILABLE);
	breaker_table_free(&table);
}

static void test_a_child_dies_with_the_lock(void)
{
	struct breaker_table *table = breaker_table_new();
	int status, i;
	pid_t child;

	open_it(table, "k", start);
	alarm(HANG_S);
	for (i = 0; i < 3; i++) {
		child = fork();
		if (child == 0) {
			/* The lock comes first in the table. */
			if (pthread_mutex_lock((pthread_mutex_t *)table) == EOWNERDEAD)
				pthread_mutex_consistent((pthread_mutex_t *)table);
			raise(SIGKILL);
		}
		wait_for(child, &status);
		CU_ASSERT(WIFSIGNALED(status));
		CU_ASSERT_EQUAL(breaker_enter(table, "k", start, NULL), ERR_UNAVAILABLE);
	}
	alarm(0);
	breaker_table_free(&table);
}

static void hammer(struct breaker_table *table, int seed)
{
	static const enum err outcomes[] = {ERR_TEMPORARY, ERR_OK, ERR_CREDENTIAL, ERR_UNAVAILABLE};
	char key[16];
	unsigned i;

	for (i = (unsigned)seed;; i++) {
		snprintf(key, sizeof(key), "key-%u", i % (BREAKER_SLOTS + 20));
		breaker_enter(table, key, start + i, NULL);
		breaker_leave(table, key, start + i, outcomes[i % 4], i % 3, "words of a child");
	}
}

/* Killed anywhere, in the middle of a slot too: the others go on and what they read is sound. */
static void test_children_die_anywhere(void)
{
	enum { KILLS = 150, AT_ONCE = 4 };
	struct breaker_table *table = breaker_table_new();
	struct breaker_health health;
	pid_t children[AT_ONCE];
	int status, i, slot;
	char key[16];

	alarm(HANG_S);
	for (i = 0; i < KILLS + AT_ONCE; i++) {
		slot = i % AT_ONCE;
		if (i >= AT_ONCE) {
			kill(children[slot], SIGKILL);
			wait_for(children[slot], &status);
		}
		if (i < KILLS) {
			children[slot] = fork();
			if (children[slot] == 0)
				hammer(table, i);
		}
		nanosleep(&(struct timespec){.tv_nsec = 1000 * 1000 + i * 1777}, NULL);
		snprintf(key, sizeof(key), "key-%d", i % (BREAKER_SLOTS + 20));
		breaker_read(table, key, start, &health);
		CU_ASSERT(health.state <= BREAKER_HALF_OPEN);
		CU_ASSERT(strlen(health.last_error_detail) < sizeof(health.last_error_detail));
	}
	alarm(0);
	open_it(table, "after all", start);
	CU_ASSERT_EQUAL(state_at(table, "after all", start), BREAKER_OPEN);
	breaker_table_free(&table);
}

static const struct unit_case cases[] = {
	{"outcomes", test_outcomes},
	{"half-open", test_half_open},
	{"the clock jumps", test_the_clock_jumps},
	{"health", test_health},
	{"failures in a row", test_failures_in_a_row},
	{"slots run out", test_slots_run_out},
	{"exactly one is let through", test_exactly_one_is_let_through},
	{"stragglers", test_stragglers},
	{"processes share it", test_processes_share_it},
	{"the one let through dies", test_the_one_let_through_dies},
	{"a child dies with the lock", test_a_child_dies_with_the_lock},
	{"children die anywhere", test_children_die_anywhere},
};

UNIT_MAIN("provider breaker", cases)
