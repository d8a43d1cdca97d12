#include <pthread.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>

#include "clock.h"
#include "provider_token.h"
#include "unit.h"

enum { TEXT = 64, SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE, HANG_S = 120 };

/*
 * One stored document and one provider, in memory that forked processes share. A process remembers
 * tokens by provider and credentials; the store here gives every id the same document, so another
 * provider's name stands for another process.
 */
struct world {
	pthread_mutex_t mutex;
	char access[TEXT], refresh[TEXT], base_url[TEXT];
	int64_t expires_at, rev, lease_until;

	/* Trouble to come: how many calls of each fail. */
	int loads_away, saves_away;
	bool saves_lose_answer;  /* … though the save is done */
	bool replaced_meanwhile; /* somebody else stores a token before the next save */

	/* The provider. */
	enum err answer;
	int failures; /* how many grants answer so; -1: all */
	int64_t grant_ms, expires_in_s;
	bool rotates;
	char newest[TEXT]; /* refresh token that it gave last */

	int loads, leases, saves, grants, running, most_running;
	int old_refreshes; /* grants with a refresh token that is not the newest */
};

static struct world *world;

static void world_lock(void)
{
	pthread_mutex_lock(&world->mutex);
}

static enum err world_unlock(enum err err)
{
	pthread_mutex_unlock(&world->mutex);
	return err;
}

static void put(char to_r[TEXT], const char *text)
{
	snprintf(to_r, TEXT, "%s", text ? text : "");
}

static const char *get(struct arena *arena, const char *text)
{
	return text[0] ? arena_strdup(arena, text) : NULL;
}

static enum err fake_load(void *data, struct arena *arena, const char *id,
	struct provider_token *token_r, struct err_info *info)
{
	(void)data;
	(void)id;
	memset(token_r, 0xff, sizeof(*token_r)); /* what a failure leaves is not to be looked at */
	world_lock();
	world->loads++;
	if (world->loads_away > 0) {
		world->loads_away--;
		return world_unlock(err_set(info, ERR_DATABASE_AWAY, "away"));
	}
	*token_r = (struct provider_token){
		.access_token = get(arena, world->access),
		.refresh_token = get(arena, world->refresh),
		.base_url = get(arena, world->base_url),
		.expires_at = world->expires_at,
		.rev = world->rev,
	};
	return world_unlock(ERR_OK);
}

static enum err fake_lease(void *data, const char *id, struct provider_token *token, int64_t now,
	int64_t until, struct err_info *info)
{
	(void)data;
	(void)id;
	world_lock();
	if (token->rev != world->rev || world->lease_until > now)
		return world_unlock(err_set(info, ERR_CONFLICT, "leased"));
	world->leases++;
	world->lease_until = until;
	token->rev = ++world->rev;
	return world_unlock(ERR_OK);
}

static enum err fake_save(void *data, struct arena *arena, const char *id,
	struct provider_token *token, struct err_info *info)
{
	bool away;

	(void)data;
	(void)arena;
	(void)id;
	world_lock();
	if (world->replaced_meanwhile) {
		world->replaced_meanwhile = false;
		put(world->access, "theirs");
		world->expires_at = clock_now_ms() + HOUR;
		world->rev++;
	}
	away = world->saves_away > 0;
	if (away)
		world->saves_away--;
	if (away && !world->saves_lose_answer)
		return world_unlock(err_set(info, ERR_DATABASE_AWAY, "away"));
	if (token->rev != world->rev)
		return world_unlock(err_set(info, ERR_CONFLICT, "changed"));
	world->saves++;
	put(world->access, token->access_token);
	put(world->refresh, token->refresh_token);
	put(world->base_url, token->base_url);
	world->expires_at = token->expires_at;
	world->lease_until = 0;
	world->rev++;
	if (away)
		return world_unlock(err_set(info, ERR_DATABASE_AWAY, "away"));
	token->rev = world->rev;
	return world_unlock(ERR_OK);
}

static const struct provider_token_store store = {
	.load = fake_load, .lease = fake_lease, .save = fake_save};

static void pause_ms(int64_t ms)
{
	nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000}, NULL);
}

static enum err fake_grant(const struct provider_call *call, const char *refresh_token,
	struct provider_grant *grant_r, struct err_info *info)
{
	enum err err = ERR_OK;
	int number;

	world_lock();
	number = ++world->grants;
	if (++world->running > world->most_running)
		world->most_running = world->running;
	if (world->newest[0] && (!refresh_token || strcmp(refresh_token, world->newest) != 0))
		world->old_refreshes++;
	if (world->failures != 0) {
		world->failures -= world->failures > 0;
		err = err_set(info, world->answer, "as told");
	}
	world_unlock(ERR_OK);
	pause_ms(world->grant_ms);
	world_lock();
	world->running--;
	if (err == ERR_OK) {
		*grant_r = (struct provider_grant){
			.access_token = arena_printf(call->arena, "access-%d", number),
			.base_url = "https://api.test",
			.expires_in_s = world->expires_in_s,
		};
		if (world->rotates) {
			snprintf(world->newest, TEXT, "refresh-%d", number);
			grant_r->refresh_token = arena_strdup(call->arena, world->newest);
		}
	}
	return world_unlock(err);
}

static const struct provider_field no_fields[] = {{0}};
static const struct provider provider_a = {
	.name = "a", .title = "A", .fields = no_fields, .grant = fake_grant};
static const struct provider provider_b = {
	.name = "b", .title = "B", .fields = no_fields, .grant = fake_grant};

static void world_init(void)
{
	pthread_mutexattr_t attributes;

	if (!world)
		world = mmap(NULL, sizeof(*world), PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	memset(world, 0, sizeof(*world));
	pthread_mutexattr_init(&attributes);
	pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
	pthread_mutex_init(&world->mutex, &attributes);
	pthread_mutexattr_destroy(&attributes);
	world->expires_in_s = HOUR / SECOND;
	provider_token_forget();
}

static void world_stored(const char *access, int64_t left_ms)
{
	put(world->access, access);
	world->expires_at = clock_now_ms() + left_ms;
	world->rev = 10;
}

static const struct config config;

static struct provider_call call_of(
	struct arena *arena, const struct provider *provider, int64_t time_ms)
{
	return (struct provider_call){
		.arena = arena,
		.config = &config,
		.provider = provider,
		.tokens = &store,
		.now = clock_now_ms(),
		.until_us = clock_monotonic_us() + time_ms * 1000,
	};
}

/* One call of its own; the access token in access_r, or "". ERR_COUNT: what came back is not
 * sound (threads cannot assert). */
static enum err ask(const struct provider *provider, int64_t time_ms, char access_r[TEXT])
{
	struct arena *arena = arena_new();
	struct provider_call call = call_of(arena, provider, time_ms);
	struct provider_token token;
	struct err_info info;
	enum err err;

	err = provider_token_get(&call, &token, &info);
	put(access_r, err == ERR_OK ? token.access_token : "");
	if (info.err != err || token.refresh_token || (err == ERR_OK) != (info.detail[0] == '\0'))
		err = ERR_COUNT;
	arena_free(&arena);
	return err;
}

static void refuse(const struct provider *provider, const char *access)
{
	struct arena *arena = arena_new();
	struct provider_call call = call_of(arena, provider, UNIT_PATIENCE_MS);

	provider_token_refused(&call, access);
	arena_free(&arena);
}

/* ---- many at once ---- */

struct crowd_member {
	const struct provider *provider;
	const char *refused;
	enum err err;
	char access[TEXT];
};

static void *crowd_ask(void *argument)
{
	struct crowd_member *member = argument;

	if (member->refused)
		refuse(member->provider, member->refused);
	member->err = ask(member->provider, UNIT_PATIENCE_MS, member->access);
	return NULL;
}

enum { CROWD = 24 };

/* Half of them for each "process". */
static void crowd_run(
	struct crowd_member crowd[CROWD], const struct provider *other, const char *refused)
{
	pthread_t threads[CROWD];
	int i;

	for (i = 0; i < CROWD; i++) {
		crowd[i] = (struct crowd_member){
			.provider = i % 2 ? other : &provider_a, .refused = refused};
		pthread_create(&threads[i], NULL, crowd_ask, &crowd[i]);
	}
	for (i = 0; i < CROWD; i++)
		pthread_join(threads[i], NULL);
}

static int crowd_count(const struct crowd_member crowd[CROWD], enum err err, const char *access)
{
	int count = 0, i;

	for (i = 0; i < CROWD; i++)
		count += crowd[i].err == err && strcmp(crowd[i].access, access) == 0;
	return count;
}

static void test_one_expired_token_one_grant(void)
{
	static const struct {
		const char *name;
		const struct provider *other;
		int64_t grant_ms;
		int64_t expires_in_s;
		int64_t left_ms;
	} cases[] = {
		{"threads", &provider_a, 0, 3600, -1},
		{"threads, slow", &provider_a, 700, 3600, -1},
		{"processes", &provider_b, 0, 3600, -1},
		{"processes, slow", &provider_b, 700, 3600, -1},
		{"processes, short-lived", &provider_b, 300, 60, -1},
		{"nothing stored", &provider_b, 300, 3600, 0},
	};
	struct crowd_member crowd[CROWD];
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		world_init();
		world->rotates = true;
		world->grant_ms = cases[i].grant_ms;
		world->expires_in_s = cases[i].expires_in_s;
		if (cases[i].left_ms)
			world_stored("old", cases[i].left_ms);
		crowd_run(crowd, cases[i].other, NULL);
		UNIT_CHECK(world->grants == 1, cases[i].name);
		UNIT_CHECK(world->saves == 1, cases[i].name);
		UNIT_CHECK(crowd_count(crowd, ERR_OK, "access-1") == CROWD, cases[i].name);
	}
}

/* While one renews early, the others go on with what still holds. */
static void test_early_renewal_stops_nobody(void)
{
	struct crowd_member crowd[CROWD];

	world_init();
	world->grant_ms = 1500;
	world_stored("old", MINUTE);
	crowd_run(crowd, &provider_b, NULL);
	CU_ASSERT_EQUAL(world->grants, 1);
	/* The second thread of a process may wait until the first has seen what is stored. */
	CU_ASSERT(crowd_count(crowd, ERR_OK, "old") > 0);
	CU_ASSERT_EQUAL(
		crowd_count(crowd, ERR_OK, "old") + crowd_count(crowd, ERR_OK, "access-1"), CROWD);
}

static void test_forked_processes(void)
{
	enum { CHILDREN = 4 };
	struct crowd_member crowd[CROWD];
	pid_t children[CHILDREN];
	int status, i;

	world_init();
	world->rotates = true;
	world->grant_ms = 400;
	world_stored("old", -1);
	for (i = 0; i < CHILDREN; i++) {
		children[i] = fork();
		if (children[i] == 0) {
			alarm(HANG_S);
			crowd_run(crowd, &provider_a, NULL);
			_exit(crowd_count(crowd, ERR_OK, "access-1") == CROWD ? 0 : 1);
		}
	}
	for (i = 0; i < CHILDREN; i++) {
		CU_ASSERT_EQUAL(waitpid(children[i], &status, 0), children[i]);
		CU_ASSERT_EQUAL(status, 0);
	}
	CU_ASSERT_EQUAL(world->grants, 1);
}

static void test_memory_then_store_then_provider(void)
{
	static const struct {
		const char *name;
		int64_t left_ms;
		const char *access;
	} cases[] = {
		{"valid", HOUR, "old"},
		{"just early enough", PROVIDER_TOKEN_EARLY_MS + 5 * SECOND, "old"},
		{"soon over", PROVIDER_TOKEN_EARLY_MS, "access-1"},
		{"over", -1, "access-1"},
		{"over for years", -20 * INT64_C(365) * 24 * HOUR, "access-1"},
	};
	char access[TEXT];
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		world_init();
		world_stored("old", cases[i].left_ms);
		UNIT_CHECK(ask(&provider_a, UNIT_PATIENCE_MS, access) == ERR_OK, cases[i].name);
		UNIT_CHECK(strcmp(access, cases[i].access) == 0, cases[i].name);
		UNIT_CHECK(world->loads == 1, cases[i].name);
		ask(&provider_a, 0, access); /* takes no time, and asks nobody */
		UNIT_CHECK(strcmp(access, cases[i].access) == 0, cases[i].name);
		UNIT_CHECK(world->loads == 1, cases[i].name);
		provider_token_forget();
		ask(&provider_a, 0, access);
		UNIT_CHECK(strcmp(access, cases[i].access) == 0, cases[i].name);
		UNIT_CHECK(world->loads == 2, cases[i].name);
		UNIT_CHECK(world->grants == (strcmp(access, "old") != 0), cases[i].name);
	}
}

static void test_what_is_granted_is_stored(void)
{
	static const struct {
		const char *name;
		bool rotates;
		const char *before, *after;
		int64_t expires_in_s, left_s;
	} cases[] = {
		{"no refresh token", false, "", "", 3600, 3600},
		{"kept", false, "mine", "mine", 3600, 3600},
		{"rotated", true, "mine", "refresh-1", 3600, 3600},
		{"the first", true, "", "refresh-1", 3600, 3600},
		{"endless", false, "", "", INT64_MAX, 24 * 3600},
	};
	struct provider_token token;
	char access[TEXT];
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct arena *arena = arena_new();
		struct provider_call call = call_of(arena, &provider_a, UNIT_PATIENCE_MS);

		world_init();
		world->rotates = cases[i].rotates;
		world->expires_in_s = cases[i].expires_in_s;
		put(world->refresh, cases[i].before);
		UNIT_CHECK(provider_token_get(&call, &token, NULL) == ERR_OK, cases[i].name);
		UNIT_CHECK(strcmp(token.access_token, "access-1") == 0, cases[i].name);
		UNIT_CHECK(strcmp(token.base_url, "https://api.test") == 0, cases[i].name);
		UNIT_CHECK(token.rev == world->rev, cases[i].name);
		UNIT_CHECK(strcmp(world->access, "access-1") == 0, cases[i].name);
		UNIT_CHECK(strcmp(world->refresh, cases[i].after) == 0, cases[i].name);
		UNIT_CHECK(strcmp(world->base_url, "https://api.test") == 0, cases[i].name);
		UNIT_CHECK(world->lease_until == 0, cases[i].name);
		UNIT_CHECK(
			world->expires_at - call.now >= cases[i].left_s * SECOND &&
				world->expires_at - clock_now_ms() < (cases[i].left_s + 5) * SECOND,
			cases[i].name);
		arena_free(&arena);
	}
	/* Over before it began: whoever asked has it, nobody else. */
	world_init();
	world->expires_in_s = INT64_MIN;
	CU_ASSERT_EQUAL(ask(&provider_a, UNIT_PATIENCE_MS, access), ERR_OK);
	CU_ASSERT_EQUAL(ask(&provider_a, UNIT_PATIENCE_MS, access), ERR_OK);
	CU_ASSERT_STRING_EQUAL(access, "access-2");
}

/* ---- grants that fail ---- */

static void test_failures_have_a_class(void)
{
	static const struct {
		const char *name;
		enum err answer;
		const char *refresh;
		enum err err;
		int grants;
	} cases[] = {
		{"temporary", ERR_TEMPORARY, "", ERR_TEMPORARY, 1},
		{"unavailable", ERR_UNAVAILABLE, "", ERR_UNAVAILABLE, 1},
		{"credential", ERR_CREDENTIAL, "mine", ERR_CREDENTIAL, 1},
		{"unknown", ERR_OUTCOME_UNKNOWN, "", ERR_TEMPORARY, 1},
		{"unknown, and perhaps rotated", ERR_OUTCOME_UNKNOWN, "mine", ERR_TEMPORARY, 2},
		{"no such address", ERR_GONE, "", ERR_CREDENTIAL, 1},
		{"refused for good", ERR_PERMANENT, "", ERR_CREDENTIAL, 1},
		{"no https", ERR_CONFIG, "", ERR_CREDENTIAL, 1},
	};
	char access[TEXT];
	int grants;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		world_init();
		world->answer = cases[i].answer;
		world->failures = -1;
		world_stored("old", -1);
		put(world->refresh, cases[i].refresh);
		UNIT_CHECK(
			ask(&provider_a, UNIT_PATIENCE_MS, access) == cases[i].err, cases[i].name);
		UNIT_CHECK(world->grants == cases[i].grants, cases[i].name);
		/* The lease is over soon, and what was stored is as it was. */
		UNIT_CHECK(world->lease_until <= clock_now_ms() + SECOND, cases[i].name);
		UNIT_CHECK(strcmp(world->access, "old") == 0, cases[i].name);
		UNIT_CHECK(strcmp(world->refresh, cases[i].refresh) == 0, cases[i].name);
		/* A refusal is told to everybody in this process for a second; what may pass is
		 * asked for again as soon as the rules try again. */
		grants = cases[i].grants;
		if (cases[i].err == ERR_TEMPORARY) {
			grants *= 2;
			pause_ms(110);
		}
		UNIT_CHECK(
			ask(&provider_a, UNIT_PATIENCE_MS, access) == cases[i].err, cases[i].name);
		UNIT_CHECK(world->grants == grants, cases[i].name);
		/* A token that still holds serves. */
		provider_token_forget();
		world_stored("old", MINUTE);
		world->lease_until = 0;
		UNIT_CHECK(ask(&provider_a, UNIT_PATIENCE_MS, access) == ERR_OK, cases[i].name);
		UNIT_CHECK(strcmp(access, "old") == 0, cases[i].name);
		UNIT_CHECK(world->grants == grants + cases[i].grants, cases[i].name);
		if (cases[i].err == ERR_TEMPORARY)
			continue;
		UNIT_CHECK(ask(&provider_a, UNIT_PATIENCE_MS, access) == ERR_OK, cases[i].name);
		UNIT_CHECK(world->grants == grants + cases[i].grants, cases[i].name);
	}
}

static void test_a_lost_answer_is_asked_for_again(void)
{
	char access[TEXT];

	world_init();
	world->rotates = true;
	world->answer = ERR_OUTCOME_UNKNOWN;
	world->failures = 1;
	world_stored("old", -1);
	put(world->refresh, "mine");
	CU_ASSERT_EQUAL(ask(&provider_a, UNIT_PATIENCE_MS, access), ERR_OK);
	CU_ASSERT_STRING_EQUAL(access, "access-2");
	CU_ASSERT_STRING_EQUAL(world->refresh, "refresh-2");
}

static void test_a_refusal_is_for_all(void)
{
	const int64_t began_us = clock_monotonic_us();
	struct crowd_member crowd[CROWD];
	char access[TEXT];

	world_init();
	world->answer = ERR_CREDENTIAL;
	world->failures = -1;
	world->grant_ms = 200;
	world_stored("old", -1);
	crowd_run(crowd, &provider_b, NULL);
	/* The other process finds out itself, after a second. */
	CU_ASSERT_EQUAL(crowd_count(crowd, ERR_CREDENTIAL, ""), CROWD);
	CU_ASSERT_EQUAL(world->grants, 2);
	CU_ASSERT_EQUAL(world->most_running, 1);
	CU_ASSERT(clock_monotonic_us() - began_us >= 1000 * 1000);
	CU_ASSERT(clock_monotonic_us() - began_us < UNIT_PATIENCE_US / 2);

	world->failures = 0;
	pause_ms(1100);
	CU_ASSERT_EQUAL(ask(&provider_a, UNIT_PATIENCE_MS, access), ERR_OK);
	CU_ASSERT_STRING_EQUAL(access, "access-3");
}

/* ---- leases of others ---- */

static void test_a_holder_dies(void)
{
	struct crowd_member crowd[CROWD];
	char access[TEXT];
	int64_t until;

	world_init();
	world_stored("old", -1);
	until = world->lease_until = clock_now_ms() + 2 * SECOND;
	CU_ASSERT_EQUAL(ask(&provider_a, 300, access), ERR_TEMPORARY);
	CU_ASSERT_EQUAL(world->grants, 0);
	crowd_run(crowd, &provider_b, NULL);
	CU_ASSERT_EQUAL(world->grants, 1);
	CU_ASSERT_EQUAL(crowd_count(crowd, ERR_OK, "access-1"), CROWD);
	CU_ASSERT(clock_now_ms() >= until && clock_now_ms() < until + UNIT_PATIENCE_MS / 2);

	/* What still holds is used meanwhile. */
	world_init();
	world_stored("old", MINUTE);
	world->lease_until = clock_now_ms() + PROVIDER_TOKEN_LEASE_MS;
	crowd_run(crowd, &provider_b, NULL);
	CU_ASSERT_EQUAL(crowd_count(crowd, ERR_OK, "old"), CROWD);
	CU_ASSERT(clock_now_ms() < world->lease_until);
}

static void test_no_time(void)
{
	char access[TEXT];

	world_init();
	world_stored("old", -1);
	CU_ASSERT_EQUAL(ask(&provider_a, -5 * INT64_C(1000000000), access), ERR_TEMPORARY);
	CU_ASSERT_EQUAL(ask(&provider_a, 0, access), ERR_TEMPORARY);
	CU_ASSERT_EQUAL(world->leases, 0);
	/* That was nobody else's failure. */
	CU_ASSERT_EQUAL(ask(&provider_a, UNIT_PATIENCE_MS, access), ERR_OK);
}

static bool world_granting(void)
{
	bool granting;

	world_lock();
	granting = world->running > 0;
	world_unlock(ERR_OK);
	return granting;
}

static void *slow_ask(void *argument)
{
	ask(&provider_a, UNIT_PATIENCE_MS, argument);
	return NULL;
}

static void test_a_waiter_gives_up_in_time(void)
{
	char access[TEXT], slow[TEXT];
	pthread_t thread;

	world_init();
	world->grant_ms = 2 * SECOND;
	pthread_create(&thread, NULL, slow_ask, slow);
	while (!world_granting())
		pause_ms(1);
	CU_ASSERT_EQUAL(ask(&provider_a, 300, access), ERR_TEMPORARY);
	CU_ASSERT(world_granting());
	pthread_join(thread, NULL);
	CU_ASSERT_STRING_EQUAL(slow, "access-1");
}

/* ---- refused tokens ---- */

static void test_a_refused_token_is_renewed(void)
{
	struct crowd_member crowd[CROWD];
	char access[TEXT];

	world_init();
	world_stored("old", HOUR);
	ask(&provider_a, UNIT_PATIENCE_MS, access);
	refuse(&provider_a, "old");
	CU_ASSERT_EQUAL(world->expires_at, 0);
	CU_ASSERT_EQUAL(world->lease_until, 0);
	CU_ASSERT_EQUAL(ask(&provider_a, UNIT_PATIENCE_MS, access), ERR_OK);
	CU_ASSERT_STRING_EQUAL(access, "access-1");
	/* The same news again, late. */
	refuse(&provider_a, "old");
	CU_ASSERT_EQUAL(ask(&provider_a, UNIT_PATIENCE_MS, access), ERR_OK);
	CU_ASSERT_EQUAL(world->grants, 1);

	/* All at once, in two processes. */
	world_init();
	world->grant_ms = 200;
	world_stored("old", HOUR);
	crowd_run(crowd, &provider_b, "old");
	CU_ASSERT_EQUAL(world->grants, 1);
	CU_ASSERT_EQUAL(crowd_count(crowd, ERR_OK, "access-1"), CROWD);
}

static void test_a_refused_token_was_renewed_already(void)
{
	char access[TEXT];

	world_init();
	world_stored("old", HOUR);
	ask(&provider_a, UNIT_PATIENCE_MS, access);
	put(world->access, "theirs");
	world->rev++;
	refuse(&provider_a, "old");
	CU_ASSERT(world->expires_at > 0);
	CU_ASSERT_EQUAL(ask(&provider_a, UNIT_PATIENCE_MS, access), ERR_OK);
	CU_ASSERT_STRING_EQUAL(access, "theirs");
	CU_ASSERT_EQUAL(world->grants, 0);
}

static void test_a_refused_token_is_being_renewed(void)
{
	char access[TEXT];
	int64_t until;

	/* The lease stays with its holder, and the refused token is not used meanwhile. */
	world_init();
	world_stored("old", HOUR);
	ask(&provider_a, UNIT_PATIENCE_MS, access);
	until = world->lease_until = clock_now_ms() + PROVIDER_TOKEN_LEASE_MS;
	refuse(&provider_a, "old");
	CU_ASSERT_EQUAL(world->lease_until, until);
	CU_ASSERT_EQUAL(ask(&provider_a, 300, access), ERR_TEMPORARY);
	CU_ASSERT_EQUAL(world->grants, 0);
}

static void test_a_refused_token_cannot_be_marked(void)
{
	static const struct {
		const char *name;
		int loads_away, saves_away;
	} cases[] = {{"at load", 1, 0}, {"at save", 0, 1}};
	char access[TEXT];
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		world_init();
		world_stored("old", HOUR);
		ask(&provider_a, UNIT_PATIENCE_MS, access);
		world->loads_away = cases[i].loads_away;
		world->saves_away = cases[i].saves_away;
		refuse(&provider_a, "old");
		UNIT_CHECK(ask(&provider_a, UNIT_PATIENCE_MS, access) == ERR_OK, cases[i].name);
		UNIT_CHECK(strcmp(access, "access-1") == 0, cases[i].name);
	}
}

/* ---- a store in trouble ---- */

static void test_rotation_survives_failed_saves(void)
{
	static const struct {
		const char *name;
		int saves_away;
		bool lose_answer;
	} cases[] = {
		{"one", 1, false},
		{"three", 3, false},
		{"stored, but the answer is lost", 1, true},
	};
	char access[TEXT];
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		world_init();
		world->rotates = true;
		world->saves_away = cases[i].saves_away;
		world->saves_lose_answer = cases[i].lose_answer;
		world_stored("old", -1);
		put(world->refresh, "mine");
		UNIT_CHECK(ask(&provider_a, UNIT_PATIENCE_MS, access) == ERR_OK, cases[i].name);
		UNIT_CHECK(strcmp(access, "access-1") == 0, cases[i].name);
		UNIT_CHECK(strcmp(world->refresh, "refresh-1") == 0, cases[i].name);
		UNIT_CHECK(world->grants == 1 && world->saves == 1, cases[i].name);
	}
}

static void test_nothing_is_used_before_it_is_stored(void)
{
	char access[TEXT];

	world_init();
	world->rotates = true;
	world->saves_away = 1000;
	world_stored("old", -1);
	put(world->refresh, "mine");
	put(world->newest, "mine");
	CU_ASSERT_EQUAL(ask(&provider_a, UNIT_PATIENCE_MS, access), ERR_DATABASE_AWAY);
	CU_ASSERT_EQUAL(ask(&provider_a, UNIT_PATIENCE_MS, access), ERR_DATABASE_AWAY);
	CU_ASSERT_STRING_EQUAL(world->refresh, "mine");
	CU_ASSERT(world->lease_until > clock_now_ms() + 5 * SECOND);
	/* Another process does not spend the old refresh token while the lease lasts. */
	CU_ASSERT_EQUAL(ask(&provider_b, 300, access), ERR_TEMPORARY);
	pause_ms(1100);
	CU_ASSERT_EQUAL(ask(&provider_a, UNIT_PATIENCE_MS, access), ERR_DATABASE_AWAY);
	pause_ms(1100);
	world->saves_away = 0;
	CU_ASSERT_EQUAL(ask(&provider_a, UNIT_PATIENCE_MS, access), ERR_OK);
	CU_ASSERT_STRING_EQUAL(access, "access-1");
	CU_ASSERT_STRING_EQUAL(world->refresh, "refresh-1");
	CU_ASSERT_EQUAL(world->grants, 1);
	CU_ASSERT_EQUAL(ask(&provider_b, UNIT_PATIENCE_MS, access), ERR_OK);
	CU_ASSERT_STRING_EQUAL(access, "access-1");
	CU_ASSERT_EQUAL(world->old_refreshes, 0);
}

/* When it can be stored at last it is over, but its refresh token is still the newest; unless
 * another process was granted one since. */
static void test_stored_too_late(void)
{
	static const struct {
		const char *name;
		bool theirs;
		int saves;
	} cases[] = {{"ours", false, 2}, {"theirs", true, 1}};
	char access[TEXT];
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		world_init();
		world->rotates = true;
		world->saves_away = 5;
		world->expires_in_s = 1;
		world_stored("old", -1);
		put(world->refresh, "mine");
		put(world->newest, "mine");
		UNIT_CHECK(ask(&provider_a, UNIT_PATIENCE_MS, access) == ERR_DATABASE_AWAY,
			cases[i].name);
		if (cases[i].theirs) {
			world_stored("theirs", SECOND);
			put(world->refresh, "theirs");
			put(world->newest, "theirs");
			world->rev = 20;
			world->lease_until = 0;
		}
		pause_ms(1100);
		UNIT_CHECK(ask(&provider_a, UNIT_PATIENCE_MS, access) == ERR_OK, cases[i].name);
		UNIT_CHECK(strcmp(access, "access-2") == 0, cases[i].name);
		UNIT_CHECK(strcmp(world->refresh, "refresh-2") == 0, cases[i].name);
		UNIT_CHECK(world->old_refreshes == 0, cases[i].name);
		UNIT_CHECK(world->saves == cases[i].saves, cases[i].name);
	}
}

static void test_somebody_was_faster(void)
{
	char access[TEXT];

	world_init();
	world_stored("old", -1);
	world->replaced_meanwhile = true;
	CU_ASSERT_EQUAL(ask(&provider_a, UNIT_PATIENCE_MS, access), ERR_OK);
	CU_ASSERT_STRING_EQUAL(access, "theirs");
	CU_ASSERT_STRING_EQUAL(world->access, "theirs");
	CU_ASSERT_EQUAL(ask(&provider_a, 0, access), ERR_OK);
	CU_ASSERT_STRING_EQUAL(access, "theirs");
}

static void test_the_store_is_away(void)
{
	char access[TEXT];

	world_init();
	world_stored("old", HOUR);
	world->loads_away = 1;
	CU_ASSERT_EQUAL(ask(&provider_a, UNIT_PATIENCE_MS, access), ERR_DATABASE_AWAY);
	pause_ms(1100);
	CU_ASSERT_EQUAL(ask(&provider_a, UNIT_PATIENCE_MS, access), ERR_OK);
	/* What is remembered and still holds does without it. */
	world_init();
	world_stored("old", MINUTE);
	world->lease_until = clock_now_ms() + PROVIDER_TOKEN_LEASE_MS;
	CU_ASSERT_EQUAL(ask(&provider_a, UNIT_PATIENCE_MS, access), ERR_OK);
	world->loads_away = 1000;
	CU_ASSERT_EQUAL(ask(&provider_a, UNIT_PATIENCE_MS, access), ERR_OK);
	CU_ASSERT_STRING_EQUAL(access, "old");
}

/* ---- this process's memory ---- */

static void test_more_credentials_than_fit(void)
{
	enum { COUNT = 100 };
	struct provider provider = provider_a;
	char access[TEXT], name[TEXT];
	int i;

	world_init();
	world_stored("old", HOUR);
	for (i = 0; i < COUNT; i++) {
		snprintf(name, sizeof(name), "provider-%d", i);
		provider.name = name;
		CU_ASSERT_EQUAL(ask(&provider, UNIT_PATIENCE_MS, access), ERR_OK);
		CU_ASSERT_EQUAL(world->loads, i + 1);
	}
	CU_ASSERT_EQUAL(ask(&provider, UNIT_PATIENCE_MS, access), ERR_OK);
	CU_ASSERT_EQUAL(world->loads, COUNT);
}

static const struct unit_case cases[] = {
	{"one expired token, one grant", test_one_expired_token_one_grant},
	{"early renewal stops nobody", test_early_renewal_stops_nobody},
	{"forked processes", test_forked_processes},
	{"memory, then store, then provider", test_memory_then_store_then_provider},
	{"what is granted is stored", test_what_is_granted_is_stored},
	{"failures have a class", test_failures_have_a_class},
	{"a lost answer is asked for again", test_a_lost_answer_is_asked_for_again},
	{"a refusal is for all", test_a_refusal_is_for_all},
	{"a holder dies", test_a_holder_dies},
	{"no time", test_no_time},
	{"a waiter gives up in time", test_a_waiter_gives_up_in_time},
	{"a refused token is renewed", test_a_refused_token_is_renewed},
	{"a refused token was renewed already", test_a_refused_token_was_renewed_already},
	{"a refused token is being renewed", test_a_refused_token_is_being_renewed},
	{"a refused token cannot be marked", test_a_refused_token_cannot_be_marked},
	{"rotation survives failed saves", test_rotation_survives_failed_saves},
	{"nothing is used before it is stored", test_nothing_is_used_before_it_is_stored},
	{"stored too late", test_stored_too_late},
	{"somebody was faster", test_somebody_was_faster},
	{"the store is away", test_the_store_is_away},
	{"more credentials than fit", test_more_credentials_than_fit},
};

UNIT_MAIN_IN_REAL_TIME("provider token", cases)
