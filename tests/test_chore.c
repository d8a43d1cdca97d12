#include "chore.h"

#include "backoff.h"
#include "unit.h"

static const int64_t now = INT64_C(1803909600000);

static struct cause begun_by(struct arena *arena)
{
	return (struct cause){.arena = arena,
		.now = now,
		.actor = {.id = "admin-1", .role = ROLE_ADMIN, .name = "Ada", .email = "a@b.test"},
		.trace_id = "trace"};
}

/* Names and addresses are not kept: an erasure would have to erase them. */
static void test_begun(void)
{
	struct arena *arena = arena_new();
	struct cause cause = begun_by(arena);
	struct chore chore = chore_begun(&cause, CHORE_ERASE), next;
	struct actor actor = chore_actor(&chore);

	next = chore_begun(&cause, CHORE_TEST_MEETING);
	CU_ASSERT_STRING_NOT_EQUAL(chore.id, next.id);
	CU_ASSERT_EQUAL(chore.created_at, now);
	CU_ASSERT_EQUAL(chore.due, now + CHORE_LEASE_MS);
	CU_ASSERT_EQUAL(chore.give_up_at, 0);
	CU_ASSERT_EQUAL(next.give_up_at, now + 7 * INSTANT_DAY);
	CU_ASSERT_STRING_EQUAL(chore.trace_id, "trace");
	CU_ASSERT_STRING_EQUAL(actor.id, "admin-1");
	CU_ASSERT(actor.role == ROLE_ADMIN && !actor.name && !actor.email);
	arena_free(&arena);
}

static void test_put_off(void)
{
	static const struct {
		const char *name;
		int64_t give_up_at, attempts, latest_s; /* 0: it is given up */
	} rows[] = {
		{"at first", now + 1, 1, 30},
		{"then", now + 1, 3, 120},
		{"at most", now + 1, 40, 3600},
		{"never given up", 0, 1000, 3600},
		{"given up", now, 1, 0},
		{"long given up", now - INSTANT_DAY, 1, 0},
	};
	struct chore chore;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		chore = (struct chore){
			.due = now, .give_up_at = rows[i].give_up_at, .attempts = rows[i].attempts};
		UNIT_CHECK(chore_put_off(&chore, now, BACKOFF_SPREAD) == (rows[i].latest_s > 0),
			rows[i].name);
		UNIT_CHECK(chore.due == now + rows[i].latest_s * 1000, rows[i].name);
	}
}

static const struct unit_case cases[] = {
	{"begun", test_begun},
	{"put off", test_put_off},
};

int main(void)
{
	return unit_run("chore", cases, sizeof(cases) / sizeof(cases[0]));
}
