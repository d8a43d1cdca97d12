#include "overlap.h"

#include "attention.h"
#include "core_unit.h"

#define OTHER "BBECAwQFBgcICQoLDA0ODw"
#define HOUR  INSTANT_HOUR

static struct taken_meeting ready = {MEETING_READY}, cancelled = {MEETING_CANCELLED};

static struct model_list others(struct arena *arena, const struct taken *taken)
{
	struct model_list list = {0};

	*(struct taken *)model_list_add(arena, &list, sizeof(*taken)) = *taken;
	return list;
}

static struct model_list ids(struct arena *arena, const char *id)
{
	struct model_list list = {0};

	if (id)
		*(const char **)model_list_add(arena, &list, sizeof(id)) = id;
	return list;
}

static struct effect *look(const struct request *request)
{
	return meeting_effect(request, EFFECT_MEETING_OVERLAPS);
}

static const struct span none = {0, 0};

/* From CORE_START to CORE_END, an hour. */
static void test_overlap_what_meets(void)
{
	const struct {
		const char *name;
		struct taken other;
		bool meets;
	} rows[] = {
		{"the same time", {.id = OTHER, .starts_at = CORE_START, .ends_at = CORE_END},
			true},
		{"within", {.id = OTHER, .starts_at = CORE_START + 1, .ends_at = CORE_END - 1},
			true},
		{"all around",
			{.id = OTHER, .starts_at = CORE_START - HOUR, .ends_at = CORE_END + HOUR},
			true},
		{"its end",
			{.id = OTHER, .starts_at = CORE_START - HOUR, .ends_at = CORE_START + 1},
			true},
		{"its beginning",
			{.id = OTHER, .starts_at = CORE_END - 1, .ends_at = CORE_END + HOUR}, true},
		{"one after the other",
			{.id = OTHER, .starts_at = CORE_END, .ends_at = CORE_END + HOUR}, false},
		{"one before the other",
			{.id = OTHER, .starts_at = CORE_START - HOUR, .ends_at = CORE_START},
			false},
		{"itself", {.id = CORE_ID, .starts_at = CORE_START, .ends_at = CORE_END}, false},
		{"a cancelled one",
			{.id = OTHER,
				.starts_at = CORE_START,
				.ends_at = CORE_END,
				.meeting = &cancelled},
			false},
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct arena *arena = arena_new();
		struct request *request = core_in_state(arena, CORE_READY);
		struct cause cause = core_as_lawyer(arena, CORE_NOW);
		struct taken other = rows[i].other;
		struct model_list list;
		struct err_info info = {0};

		other.title = "A will";
		if (!other.meeting)
			other.meeting = &ready;
		list = others(arena, &other);
		UNIT_CHECK(overlap_check(&cause, request, &none, &list, false, &info) ==
				   (rows[i].meets ? ERR_OVERLAPS : ERR_OK),
			rows[i].name);
		UNIT_CHECK(!rows[i].meets || strstr(info.detail, "A will"), rows[i].name);
		UNIT_CHECK((look(request) == NULL) == rows[i].meets, rows[i].name);
		UNIT_CHECK(overlap_check(&cause, request, &none, &list, true, NULL) == ERR_OK,
			rows[i].name);
		UNIT_CHECK(overlap_lists(&request->overlaps_allowed, OTHER) == rows[i].meets,
			rows[i].name);
		arena_free(&arena);
	}
}

static void test_overlap_only_of_what_takes_time(void)
{
	static const struct {
		const char *name;
		enum core_state state;
		bool takes;
	} rows[] = {
		{"open", CORE_OPEN, false},
		{"pending", CORE_PENDING, true},
		{"ready", CORE_READY, true},
		{"failed", CORE_FAILED, true},
		{"declined", CORE_DECLINED, false},
		{"cancelled", CORE_CANCELLED_READY, false},
		{"completed", CORE_COMPLETED, false},
	};
	const struct taken other = {.id = OTHER,
		.title = "A will",
		.starts_at = CORE_START,
		.ends_at = CORE_END,
		.meeting = &ready};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct arena *arena = arena_new();
		struct request *request = core_in_state(arena, rows[i].state);
		struct cause cause = core_as_lawyer(arena, CORE_NOW);
		const struct model_list list = others(arena, &other);

		UNIT_CHECK(overlap_check(&cause, request, &none, &list, false, NULL) ==
				   (rows[i].takes ? ERR_OVERLAPS : ERR_OK),
			rows[i].name);
		UNIT_CHECK(!look(request), rows[i].name);
		arena_free(&arena);
	}
}

/* A change that takes no more time than before is not refused for what was so already. */
static void test_overlap_only_of_more_time(void)
{
	struct arena *arena = arena_new();
	struct request *request = core_in_state(arena, CORE_READY);
	struct cause cause = core_as_lawyer(arena, CORE_NOW);
	const struct taken other = {.id = OTHER,
		.title = "A will",
		.starts_at = CORE_START,
		.ends_at = CORE_END,
		.meeting = &ready};
	const struct model_list list = others(arena, &other);
	const struct span same = {CORE_START, CORE_END}, longer = {CORE_START, CORE_END + HOUR};
	const struct span shorter = {CORE_START, CORE_END - 1};

	CU_ASSERT_EQUAL(overlap_check(&cause, request, &same, &list, false, NULL), ERR_OK);
	CU_ASSERT_EQUAL(overlap_check(&cause, request, &longer, &list, false, NULL), ERR_OK);
	CU_ASSERT_PTR_NULL(look(request));
	CU_ASSERT_EQUAL(overlap_check(&cause, request, &shorter, &list, false, NULL), ERR_OVERLAPS);
	/* Somebody says that it overlaps this one: it looks again. */
	request->overlaps = ids(arena, OTHER);
	CU_ASSERT_EQUAL(overlap_check(&cause, request, &longer, &list, false, NULL), ERR_OK);
	CU_ASSERT_PTR_NOT_NULL(look(request));
	arena_free(&arena);
}

/* The look finds another, says so to the lawyer, and takes it back when it is gone. */
static void test_overlap_is_noted(void)
{
	struct arena *arena = arena_new();
	struct request *request = core_in_state(arena, CORE_READY);
	struct cause cause = core_system(arena, CORE_NOW);
	const struct taken other = {.id = OTHER,
		.title = "A will",
		.starts_at = CORE_START,
		.ends_at = CORE_END,
		.meeting = &ready};
	const struct model_list list = others(arena, &other);
	struct model_list found;

	overlap_owe(&cause, request, NULL, CORE_NOW + 2);
	overlap_owe(&cause, request, NULL, CORE_NOW + 1);
	overlap_owe(&cause, request, OTHER, CORE_NOW + 3);
	CU_ASSERT_PTR_NOT_NULL_FATAL(look(request));
	CU_ASSERT_EQUAL(look(request)->due, CORE_NOW + 1);
	CU_ASSERT_TRUE(overlap_lists(&request->overlaps, OTHER));
	found = overlap_find(arena, request, &list);
	overlap_note(&cause, request, &found);
	CU_ASSERT_PTR_NULL(look(request)); /* three looks were one */
	CU_ASSERT_TRUE(overlap_lists(&request->overlaps, OTHER));
	CU_ASSERT_PTR_NOT_NULL(meeting_warning(request->meeting, WARNING_OVERLAPS));
	CU_ASSERT_EQUAL(meeting_warnings_for(arena, request->meeting, ROLE_LAWYER).count, 1);
	CU_ASSERT_EQUAL(meeting_warnings_for(arena, request->meeting, ROLE_CLIENT).count, 0);
	CU_ASSERT_EQUAL(
		request_attention(request, ROLE_LAWYER, CORE_END - 1), 1u << ATTENTION_OVERLAPS);
	CU_ASSERT_EQUAL(request_attention(request, ROLE_LAWYER, CORE_END), 0);
	CU_ASSERT_EQUAL(request_attention(request, ROLE_ADMIN, CORE_NOW), 0);

	found = (struct model_list){0};
	overlap_note(&cause, request, &found);
	CU_ASSERT_EQUAL(request->overlaps.count, 0);
	CU_ASSERT_PTR_NULL(meeting_warning(request->meeting, WARNING_OVERLAPS));
	arena_free(&arena);
}

static void test_overlap_allowed_is_not_noted(void)
{
	struct arena *arena = arena_new();
	struct request *request = core_in_state(arena, CORE_READY);
	struct taken other = {.id = OTHER,
		.title = "A will",
		.starts_at = CORE_START,
		.ends_at = CORE_END,
		.meeting = &ready};
	struct model_list list = others(arena, &other);

	CU_ASSERT_EQUAL(overlap_find(arena, request, &list).count, 1);
	request->overlaps_allowed = ids(arena, OTHER);
	CU_ASSERT_EQUAL(overlap_find(arena, request, &list).count, 0);
	/* It was the other that was allowed. */
	request->overlaps_allowed = ids(arena, NULL);
	other.overlaps_allowed = ids(arena, CORE_ID);
	list = others(arena, &other);
	CU_ASSERT_EQUAL(overlap_find(arena, request, &list).count, 0);
	arena_free(&arena);
}

static const struct unit_case cases[] = {
	{"what meets", test_overlap_what_meets},
	{"only of what takes time", test_overlap_only_of_what_takes_time},
	{"only of more time", test_overlap_only_of_more_time},
	{"is noted", test_overlap_is_noted},
	{"allowed is not noted", test_overlap_allowed_is_not_noted},
};

UNIT_MAIN("overlap", cases)
