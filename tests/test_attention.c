#include "attention.h"

#include "core_unit.h"

#define OPEN        (1u << ATTENTION_OPEN)
#define FAILED      (1u << ATTENTION_FAILED)
#define CANCELLED   (1u << ATTENTION_CANCELLED)
#define NOT_UPDATED (1u << ATTENTION_NOT_UPDATED)
#define NOT_DELETED (1u << ATTENTION_NOT_DELETED)
#define NOT_TOLD    (1u << ATTENTION_NOT_TOLD)

enum { NONE = -1 };

static struct request *attention_request(struct arena *arena, enum request_status status,
	int meeting_status, const char *warning, bool failed)
{
	struct request *request =
		core_in_state(arena, meeting_status == NONE ? CORE_OPEN : CORE_READY);
	struct cause cause = core_system(arena, CORE_NOW);

	request->status = (int)status;
	request->failed_at = failed ? CORE_NOW : 0;
	if (meeting_status != NONE)
		request->meeting->status = meeting_status;
	if (warning)
		meeting_warn(&cause, request->meeting, warning, "It is so.");
	return request;
}

static void test_attention_says_why(void)
{
	static const struct {
		const char *name;
		enum request_status status;
		int meeting;
		const char *warning;
		bool failed;
		unsigned lawyer, admin, late; /* late: for the lawyer, once it is over */
	} rows[] = {
		{"open", REQUEST_OPEN, NONE, NULL, false, OPEN, 0, 0},
		{"declined", REQUEST_DECLINED, NONE, NULL, false, 0, 0, 0},
		{"declined, and not told", REQUEST_DECLINED, NONE, NULL, true, NOT_TOLD, NOT_TOLD,
			0},
		{"pending", REQUEST_ACCEPTED, MEETING_PENDING, NULL, false, 0, 0, 0},
		{"ready", REQUEST_ACCEPTED, MEETING_READY, NULL, false, 0, 0, 0},
		{"failed", REQUEST_ACCEPTED, MEETING_FAILED, NULL, true, FAILED, FAILED, 0},
		{"meeting cancelled", REQUEST_ACCEPTED, MEETING_CANCELLED, NULL, false, CANCELLED,
			0, 0},
		{"cancelled", REQUEST_CANCELLED, MEETING_CANCELLED, NULL, false, 0, 0, 0},
		{"completed", REQUEST_COMPLETED, MEETING_EXPIRED, NULL, false, 0, 0, 0},
		{"being updated", REQUEST_ACCEPTED, MEETING_READY, WARNING_NOT_UPDATED, false, 0, 0,
			0},
		{"not updated", REQUEST_ACCEPTED, MEETING_READY, WARNING_NOT_UPDATED, true,
			NOT_UPDATED, NOT_UPDATED, 0},
		{"being deleted", REQUEST_ACCEPTED, MEETING_READY, WARNING_ORPHAN, false, 0, 0, 0},
		{"not deleted", REQUEST_CANCELLED, MEETING_CANCELLED, WARNING_ORPHAN, true,
			NOT_DELETED, NOT_DELETED, NOT_DELETED},
		{"client not told", REQUEST_ACCEPTED, MEETING_READY, WARNING_CLIENT_NOT_TOLD, true,
			NOT_TOLD, NOT_TOLD, 0},
		{"lawyer not told", REQUEST_CANCELLED, MEETING_CANCELLED, WARNING_LAWYER_NOT_TOLD,
			true, NOT_TOLD, NOT_TOLD, 0},
		{"another warning", REQUEST_ACCEPTED, MEETING_READY, WARNING_FAILOVER, true, 0, 0,
			0},
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct arena *arena = arena_new();
		const struct request *request = attention_request(
			arena, rows[i].status, rows[i].meeting, rows[i].warning, rows[i].failed);

		UNIT_CHECK(request_attention(request, ROLE_LAWYER, CORE_NOW) == rows[i].lawyer,
			rows[i].name);
		UNIT_CHECK(request_attention(request, ROLE_ADMIN, CORE_NOW) == rows[i].admin,
			rows[i].name);
		UNIT_CHECK(request_attention(request, ROLE_LAWYER, CORE_END) == rows[i].late,
			rows[i].name);
		UNIT_CHECK(request_attention(request, ROLE_CLIENT, CORE_NOW) == 0, rows[i].name);
		arena_free(&arena);
	}
}

static void test_attention_of_an_open_request_ends_with_its_start(void)
{
	struct arena *arena = arena_new();
	const struct request *request = core_open(arena);

	CU_ASSERT_EQUAL(request_attention(request, ROLE_LAWYER, CORE_START - 1), OPEN);
	CU_ASSERT_EQUAL(request_attention(request, ROLE_LAWYER, CORE_START), 0);
	arena_free(&arena);
}

static void test_attention_has_a_word_for_each_reason(void)
{
	int reason;

	for (reason = 0; reason < ATTENTION_COUNT; reason++)
		CU_ASSERT_PTR_NOT_NULL_FATAL(attention_names[reason]);
	CU_ASSERT_PTR_NULL(attention_names[ATTENTION_COUNT]);
}

static const struct unit_case cases[] = {
	{"says why", test_attention_says_why},
	{"of an open request ends with its start",
		test_attention_of_an_open_request_ends_with_its_start},
	{"has a word for each reason", test_attention_has_a_word_for_each_reason},
};

UNIT_MAIN("attention", cases)
