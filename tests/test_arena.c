#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>

#include "arena.h"
#include "unit.h"

static void test_alloc(void)
{
	static const size_t sizes[] = {
		0, 1, 15, 16, 17, 4095, 4096, 4097, 16383, 16384, 16385, 100000};
	enum { COUNT = sizeof(sizes) / sizeof(sizes[0]), ROUNDS = 50 };
	struct arena *arena = arena_new();
	unsigned char *pieces[ROUNDS][COUNT];
	bool zeroed = true, aligned = true, intact = true;
	size_t i, j;
	int round;

	for (round = 0; round < ROUNDS; round++) {
		for (i = 0; i < COUNT; i++) {
			pieces[round][i] = arena_alloc(arena, sizes[i]);
			aligned &= (uintptr_t)pieces[round][i] % alignof(max_align_t) == 0;
			for (j = 0; j < sizes[i]; j++)
				zeroed &= pieces[round][i][j] == 0;
			memset(pieces[round][i], round + 1, sizes[i]);
		}
	}
	for (round = 0; round < ROUNDS; round++)
		for (i = 0; i < COUNT; i++)
			for (j = 0; j < sizes[i]; j++)
				intact &= pieces[round][i][j] == round + 1;
	CU_ASSERT(aligned);
	CU_ASSERT(zeroed);
	CU_ASSERT(intact);
	arena_free(&arena);
	CU_ASSERT_PTR_NULL(arena);
	arena_free(&arena);
}

static void test_text(void)
{
	struct arena *arena = arena_new();
	char original[] = "text", *copy, *large;

	CU_ASSERT_PTR_NULL(arena_strdup(arena, NULL));
	CU_ASSERT_STRING_EQUAL(arena_strdup(arena, ""), "");
	copy = arena_strdup(arena, original);
	original[0] = 'n';
	CU_ASSERT_STRING_EQUAL(copy, "text");
	CU_ASSERT_STRING_EQUAL(arena_strndup(arena, "text", 2), "te");
	CU_ASSERT_STRING_EQUAL(arena_strndup(arena, "text", 0), "");
	CU_ASSERT_STRING_EQUAL(arena_printf(arena, "%s-%d", "a", 7), "a-7");
	CU_ASSERT_STRING_EQUAL(arena_printf(arena, "%s", ""), "");
	large = arena_printf(arena, "%050000d", 1);
	CU_ASSERT_EQUAL(strlen(large), 50000);
	CU_ASSERT_EQUAL(large[49999], '1');
	arena_free(&arena);
}

static char released[16];

static void note_release(void *handle)
{
	strcat(released, handle);
}

static void test_defer(void)
{
	struct arena *arena = arena_new();

	released[0] = '\0';
	arena_defer(arena, note_release, arena_strdup(arena, "a"));
	arena_alloc(arena, 100000);
	/* The memory of the arena still stands when its handles are released. */
	arena_defer(arena, note_release, arena_strdup(arena, "b"));
	arena_defer(arena, note_release, arena_strdup(arena, "c"));
	CU_ASSERT_STRING_EQUAL(released, "");
	arena_free(&arena);
	CU_ASSERT_STRING_EQUAL(released, "cba");
}

static const struct unit_case cases[] = {
	{"pieces are zeroed, aligned and apart", test_alloc},
	{"text", test_text},
	{"handles are released in reverse order", test_defer},
};

UNIT_MAIN("arena", cases)
