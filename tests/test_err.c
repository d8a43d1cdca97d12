#include "err.h"
#include "log.h"
#include "unit.h"
#include "utf8.h"

static void test_table(void)
{
	/* API.md, "Conventions"; 502 is a provider's refusal. */
	static const int statuses[] = {200, 400, 401, 403, 404, 405, 406, 409, 410, 412, 413, 415,
		422, 429, 500, 502, 503};
	const char *code, *title;
	bool known;
	size_t j;
	int i;

	for (i = 0; i < ERR_COUNT; i++) {
		code = err_code((enum err)i);
		title = err_title((enum err)i);
		CU_ASSERT_FATAL(code && title);
		UNIT_CHECK(
			*code && strspn(code, "abcdefghijklmnopqrstuvwxyz_") == strlen(code), code);
		UNIT_CHECK(title[0] >= 'A' && title[0] <= 'Z', code);
		UNIT_CHECK(title[strlen(title) - 1] != '.', code);
		UNIT_CHECK(utf8_valid(title, strlen(title), NULL), code);
		for (known = false, j = 0; j < sizeof(statuses) / sizeof(statuses[0]); j++)
			known |= err_status((enum err)i) == statuses[j];
		UNIT_CHECK(known, code);
		UNIT_CHECK(err_log_level((enum err)i) >= LOG_LEVEL_DEBUG &&
				   err_log_level((enum err)i) <= LOG_LEVEL_ERROR,
			code);
		/* What is a client's doing is no alarm; what is ours is. */
		if (err_status((enum err)i) >= 500)
			UNIT_CHECK(err_log_level((enum err)i) >= LOG_LEVEL_WARNING, code);
		else
			UNIT_CHECK(err_log_level((enum err)i) <= LOG_LEVEL_INFO, code);
		/* "Try again" is said by 409, 429 and 503 alone, and a 503 always says it. */
		if (err_retryable((enum err)i))
			UNIT_CHECK(err_status((enum err)i) == 409 ||
					   err_status((enum err)i) == 429 ||
					   err_status((enum err)i) == 503,
				code);
		UNIT_CHECK((err_status((enum err)i) != 503 && err_status((enum err)i) != 429) ||
				   err_retryable((enum err)i),
			code);
	}
	CU_ASSERT_EQUAL(ERR_OK, 0);
	CU_ASSERT_EQUAL(err_status(ERR_OK), 200);
}

static void test_codes_are_unique(void)
{
	int i, j;

	for (i = 0; i < ERR_COUNT; i++)
		for (j = 0; j < i; j++)
			UNIT_CHECK(strcmp(err_code((enum err)i), err_code((enum err)j)) != 0,
				err_code((enum err)i));
}

static void test_set(void)
{
	struct err_info info = {0};
	char text[1024];

	CU_ASSERT_EQUAL(err_set(&info, ERR_NOT_FOUND, "%s is gone.", "It"), ERR_NOT_FOUND);
	CU_ASSERT_EQUAL(info.err, ERR_NOT_FOUND);
	CU_ASSERT_STRING_EQUAL(info.detail, "It is gone.");
	CU_ASSERT_EQUAL(err_set(NULL, ERR_NOT_FOUND, "gone"), ERR_NOT_FOUND);

	/* What is cut stays UTF-8: details are stored, and shown as JSON. */
	memset(text, 'x', sizeof(text));
	strcpy(text + 506, "\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80");
	CU_ASSERT_EQUAL(err_set(&info, ERR_INTERNAL, "%s", text), ERR_INTERNAL);
	CU_ASSERT(utf8_valid(info.detail, strlen(info.detail), NULL));
	CU_ASSERT(strlen(info.detail) >= 506);
}

static void test_fields(void)
{
	struct err_info info = {0};
	char pointer[32];
	int i;

	err_set(&info, ERR_CONFLICT, "Something else.");
	for (i = 0; i < ERR_MAX_FIELDS + 5; i++) {
		snprintf(pointer, sizeof(pointer), "/%d", i);
		CU_ASSERT_EQUAL(err_add_field(&info, pointer, "is %d", i), ERR_INVALID);
	}
	CU_ASSERT_EQUAL(info.err, ERR_INVALID);
	CU_ASSERT_STRING_EQUAL(info.detail, "One or more fields are not valid.");
	CU_ASSERT_EQUAL(info.field_count, ERR_MAX_FIELDS);
	CU_ASSERT_STRING_EQUAL(info.fields[0].pointer, "/0");
	CU_ASSERT_STRING_EQUAL(info.fields[ERR_MAX_FIELDS - 1].pointer, "/15");
	CU_ASSERT_STRING_EQUAL(info.fields[ERR_MAX_FIELDS - 1].detail, "is 15");
	CU_ASSERT_EQUAL(err_add_field(NULL, "/a", "is not"), ERR_INVALID);

	info.retry_after_s = 7;
	err_clear(&info);
	CU_ASSERT(info.err == ERR_OK && info.field_count == 0 && info.retry_after_s == 0);
	CU_ASSERT_STRING_EQUAL(info.detail, "");
}

static const struct unit_case cases[] = {
	{"every row of the table", test_table},
	{"codes are unique", test_codes_are_unique},
	{"a failure and its words", test_set},
	{"fields, and how many are kept", test_fields},
};

UNIT_MAIN("err", cases)
