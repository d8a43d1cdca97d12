#include "buf.h"
#include "unit.h"

static void test_grows(void)
{
	struct buf buf;
	bool terminated = true, intact = true;
	size_t i;

	buf_init(&buf, 100000);
	CU_ASSERT_STRING_EQUAL(buf.bytes, "");
	for (i = 0; i < 100000; i++) {
		buf_add_char(&buf, (char)('a' + i % 26));
		terminated &= buf.bytes[buf.len] == '\0';
	}
	CU_ASSERT_EQUAL(buf.len, 100000);
	CU_ASSERT(!buf.overflow);
	CU_ASSERT(terminated);
	for (i = 0; i < 100000; i++)
		intact &= buf.bytes[i] == (char)('a' + i % 26);
	CU_ASSERT(intact);
	buf_fini(&buf);
	CU_ASSERT_PTR_NULL(buf.bytes);
}

static void test_adds(void)
{
	struct buf buf;

	buf_init(&buf, 64);
	buf_add_text(&buf, "one");
	buf_add_text(&buf, "");
	buf_add(&buf, "\0two", 4);
	buf_addf(&buf, "-%d-%s", 3, "four");
	CU_ASSERT_EQUAL(buf.len, 14);
	CU_ASSERT(memcmp(buf.bytes, "one\0two-3-four", 15) == 0);
	buf_fini(&buf);
}

static void test_ceiling(void)
{
	static const struct {
		const char *name;
		size_t ceiling, first, second;
		size_t len; /* afterwards */
		bool overflow;
	} cases[] = {
		{"below", 10, 4, 5, 9, false},
		{"full", 10, 4, 6, 10, false},
		{"one more", 10, 4, 7, 4, true},
		{"at once", 10, 11, 0, 0, true},
		{"nothing onto full", 10, 10, 0, 10, false},
		{"no room at all", 0, 0, 0, 0, false},
		{"one onto no room", 0, 1, 0, 0, true},
		{"the first size", 1000, 255, 0, 255, false},
		{"behind the first size", 1000, 256, 0, 256, false},
		{"two sizes at once", 1000, 255, 700, 955, false},
	};
	static const char bytes[1024] = "";
	struct buf buf;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		buf_init(&buf, cases[i].ceiling);
		buf_add(&buf, bytes, cases[i].first);
		buf_add(&buf, bytes, cases[i].second);
		UNIT_CHECK(buf.len == cases[i].len, cases[i].name);
		UNIT_CHECK(buf.overflow == cases[i].overflow, cases[i].name);
		UNIT_CHECK(buf.bytes[buf.len] == '\0', cases[i].name);
		buf_fini(&buf);
	}
}

/* Otherwise a text with a hole could pass for a whole one. */
static void test_overflow_stays(void)
{
	struct buf buf;

	buf_init(&buf, 4);
	buf_add_text(&buf, "abc");
	buf_add_text(&buf, "de");
	buf_add_text(&buf, "f");
	CU_ASSERT(buf.overflow);
	CU_ASSERT_STRING_EQUAL(buf.bytes, "abc");
	buf_fini(&buf);
}

static void test_format(void)
{
	struct buf buf;
	int width;

	/* 512 bytes are formatted on the stack. */
	for (width = 510; width <= 514; width++) {
		buf_init(&buf, 2000);
		buf_addf(&buf, "%0*d", width, 1);
		CU_ASSERT_EQUAL(buf.len, (size_t)width);
		CU_ASSERT_EQUAL(strlen(buf.bytes), (size_t)width);
		CU_ASSERT_EQUAL(buf.bytes[width - 1], '1');
		buf_fini(&buf);
	}
	buf_init(&buf, 600);
	buf_addf(&buf, "%0601d", 1);
	CU_ASSERT(buf.overflow && buf.len == 0);
	buf_fini(&buf);
}

static const struct unit_case cases[] = {
	{"grows and stays terminated", test_grows},
	{"bytes, text and formats", test_adds},
	{"the ceiling holds", test_ceiling},
	{"an overflow stays", test_overflow_stays},
	{"long formats", test_format},
};

UNIT_MAIN("buf", cases)
