#include "ics_text.h"

#include <stdio.h>
#include <stdlib.h>

#include "instant.h"
#include "unit.h"
#include "utf8.h"

static bool same(const char *is, const char *expected)
{
	if (is && expected && strcmp(is, expected) == 0)
		return true;
	if (is != expected)
		printf("\n    `%s`, not `%s` ", is ? is : "NULL", expected ? expected : "NULL");
	return is == expected;
}

static const struct {
	const char *text, *line, *lines, *param;
} values[] = {
	{NULL, NULL, NULL, NULL},
	{"", NULL, NULL, NULL},
	{" \t\r\n ", NULL, NULL, NULL},
	{"\x01\x02", NULL, NULL, NULL},
	{"Anna", "Anna", "Anna", "Anna"},
	{"  Anna B  ", "Anna B", "Anna B", "Anna B"},
	{"a\nb\r\nc\rd", "a b c d", "a\nb\nc\nd", "a b c d"},
	{"a\n\nb", "a b", "a\n\nb", "a b"},
	{"\n a \n", "a", "a", "a"},
	{"a\tb\x07\x1b"
	 "c\x7f"
	 "d",
		"a b c d", "a b c d", "a b c d"},
	{"a\xc2\x85"
	 "b\xe2\x80\xa8"
	 "c\xe2\x80\xa9"
	 "d\xc2\x9f"
	 "e",
		"a b c d e", "a\nb\nc\nd e", "a b c d e"},
	{"Doe, J; x: y", "Doe, J; x: y", "Doe, J; x: y", "\"Doe, J; x: y\""},
	{"=", "=", "=", "\"=\""},
	{"the \"Lion\"", "the \"Lion\"", "the \"Lion\"", "the \u201cLion\u201d"},
	{"\"", "\"", "\"", "\u201c"},
	{"a\u202eb\u2066c\ufeff\u2069", "abc", "abc", "abc"},
	{"\u202e", NULL, NULL, NULL},
	{"back\\", "back\\", "back\\", "back/"},
	{"a^nb^'c^^", "a^nb^'c^^", "a^nb^'c^^", "a\u02c6nb\u02c6'c\u02c6\u02c6"},
	{"M\u00fcller \u6f22\u5b57 \U0001f600", "M\u00fcller \u6f22\u5b57 \U0001f600",
		"M\u00fcller \u6f22\u5b57 \U0001f600", "M\u00fcller \u6f22\u5b57 \U0001f600"},
	{"\u00a0\u2026\u20ac", "\u00a0\u2026\u20ac", "\u00a0\u2026\u20ac", "\u00a0\u2026\u20ac"},
};

static void values_for_the_template(void)
{
	struct arena *arena = arena_new();
	size_t i;

	for (i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		CU_ASSERT(same(ics_text_line(arena, values[i].text), values[i].line));
		CU_ASSERT(same(ics_text_lines(arena, values[i].text), values[i].lines));
		CU_ASSERT(same(ics_text_param(arena, values[i].text), values[i].param));
	}
	arena_free(&arena);
}

/* What a template made stays on one line of the calendar. */
static void text_of_a_template(void)
{
	static const char *const texts[][2] = {
		{NULL, NULL},
		{" \n", NULL},
		{"a\\, b\nc\r\nd\\n\\ne\n", "a\\, b\\nc\\nd\\n\\ne"},
		/* what it has not escaped */
		{"a; b, c\\d\\Ne\\", "a\\; b\\, c\\\\d\\ne\\\\"},
		{"\\\\\\;;\\\n\\", "\\\\\\;\\;\\\\\\n\\\\"},
		{"a\u2068\u05d0\u2069", "a\u2068\u05d0\u2069"},
	};
	struct arena *arena = arena_new();
	size_t i;

	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		CU_ASSERT(same(ics_text_escaped(arena, texts[i][0]), texts[i][1]));
	arena_free(&arena);
}

static void mailto_uris(void)
{
	static const char *const uris[][2] = {
		{"anna@example.com", "mailto:anna@example.com"},
		{"o'brien+x_y.z-1@ex-ample.com", "mailto:o'brien+x_y.z-1@ex-ample.com"},
		{"a?b&c=d%e#f/g@example.com", "mailto:a%3Fb&c=d%25e%23f/g@example.com"},
		{"\"a b@c;\"@example.com", "mailto:%22a%20b@c;%22@example.com"},
		{"x\r\nATTENDEE:y@z", "mailto:x%0D%0AATTENDEE:y@z"},
		{"j\xc3\xb6rg@example.com", "mailto:j\xc3\xb6rg@example.com"},
		{"a\\@b", "mailto:a%5C@b"},
		{"nobody", "mailto:nobody"},
	};
	struct arena *arena = arena_new();
	size_t i;

	for (i = 0; i < sizeof(uris) / sizeof(uris[0]); i++)
		CU_ASSERT(same(ics_text_mailto(arena, uris[i][0]), uris[i][1]));
	arena_free(&arena);
}

static void times(void)
{
	static const char *const times[][2] = {
		{"1970-01-01T00:00:00Z", "19700101T000000Z"},
		{"2028-02-29T23:59:59Z", "20280229T235959Z"},
		{"9999-12-31T23:59:59Z", "99991231T235959Z"},
	};
	struct arena *arena = arena_new();
	int64_t instant;
	size_t i;

	for (i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		CU_ASSERT_FATAL(instant_parse(times[i][0], &instant));
		CU_ASSERT(same(ics_text_time(arena, instant), times[i][1]));
		CU_ASSERT(same(ics_text_time(arena, instant + 999), times[i][1]));
	}
	arena_free(&arena);
}

static void folds_are_undone_and_made_again(void)
{
	static const char *const folds[][2] = {
		{"", ""},
		{"A:b\r\n", "A:b\r\n"},
		{"A:\r\n b\r\n  c\r\nD:e\r\n", "A:b c\r\nD:e\r\n"},
		{"A:b\r\n \r\nC:d\r\n", "A:b\r\nC:d\r\n"},
		/* as a template has them */
		{"A:b\nC:d", "A:b\r\nC:d\r\n"},
		{"\n\nA:b\n\n  c\n\r\n\nD:e\n\n", "A:b c\r\nD:e\r\n"},
		{"SUMMARY:CONFERENCE;FEATURE=\"A,B\"\r\n",
			"SUMMARY:CONFERENCE;FEATURE=\"A,B\"\r\n"},
	};
	struct buf out;
	size_t i;

	for (i = 0; i < sizeof(folds) / sizeof(folds[0]); i++) {
		buf_init(&out, 1000);
		CU_ASSERT_EQUAL(ics_text_fold(folds[i][0], &out, NULL), ERR_OK);
		CU_ASSERT(same(out.bytes, folds[i][1]));
		buf_fini(&out);
	}
}

static void control_characters_are_refused(void)
{
	static const char *const lines[] = {"SUMMARY:a\x07\r\n", "SUMMARY:a\rb\r\n",
		"SUMMARY;X=1:a\tb\r\n", "SUMMARY:\xc2\x85\r\n", "SUMMARY:\xe2\x80\xa8\r\n"};
	struct err_info info;
	struct buf out;
	size_t i;

	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		buf_init(&out, 1000);
		err_clear(&info);
		CU_ASSERT_EQUAL(ics_text_fold(lines[i], &out, &info), ERR_INTERNAL);
		CU_ASSERT(same(info.detail, "The calendar has a control character in SUMMARY."));
		buf_fini(&out);
	}
}

static void lines_without_a_name_are_refused(void)
{
	static const char *const lines[][2] = {
		{"A:b\nno name\n", "no name"},
		{":x", ""},
		{" A:b", " A"},
		{"A:b\nSUMM\u00c4RY:x", "SUMM\u00c4RY"},
		{"SUMMARY :secret", "SUMMARY "},
		{"A:b\n\"x\":y", "\"x\""},
	};
	struct err_info info;
	char words[128];
	struct buf out;
	size_t i;

	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		buf_init(&out, 1000);
		buf_add_text(&out, "before");
		err_clear(&info);
		CU_ASSERT_EQUAL(ics_text_fold(lines[i][0], &out, &info), ERR_INTERNAL);
		snprintf(words, sizeof(words),
			"The calendar has a line that begins with no name: %s.", lines[i][1]);
		CU_ASSERT(same(info.detail, words));
		CU_ASSERT(same(out.bytes, "before"));
		buf_fini(&out);
	}
}

/* Every length around two folds, with characters of every width at every place. */
static void no_line_is_long_and_no_character_is_split(void)
{
	static const char *const characters[] = {"x", " ", "\u00fc", "\u6f22", "\U0001f600"};
	char line[400], unfolded[500], *at, *end;
	size_t c, shift, count, i;
	struct buf out;

	for (c = 0; c < sizeof(characters) / sizeof(characters[0]); c++) {
		for (shift = 0; shift < 4; shift++) {
			for (count = 0; count < 60; count++) {
				at = line + sprintf(line, "S:%.*s", (int)shift, "yyyy");
				for (i = 0; i < count + (c < 2 ? 110 : 0); i++)
					at = stpcpy(at, characters[c]);
				strcpy(at, "\r\n");
				buf_init(&out, 1000);
				CU_ASSERT_EQUAL(ics_text_fold(line, &out, NULL), ERR_OK);
				unfolded[0] = '\0';
				for (at = out.bytes; (end = strstr(at, "\r\n")); at = end + 2) {
					CU_ASSERT(end > at && end - at <= 75);
					CU_ASSERT(utf8_valid(at, (size_t)(end - at), NULL));
					CU_ASSERT(at == out.bytes || *at == ' ');
					strncat(unfolded, at + (at > out.bytes),
						(size_t)(end - at) - (at > out.bytes));
				}
				strcat(unfolded, "\r\n");
				CU_ASSERT(same(unfolded, line));
				buf_fini(&out);
			}
		}
	}
}

static const struct unit_case cases[] = {
	{"values for the template", values_for_the_template},
	{"the text that a template made", text_of_a_template},
	{"mailto URIs", mailto_uris},
	{"times", times},
	{"folds are undone and made again", folds_are_undone_and_made_again},
	{"control characters are refused", control_characters_are_refused},
	{"lines without a name are refused", lines_without_a_name_are_refused},
	{"no line is long and no character is split", no_line_is_long_and_no_character_is_split},
};

UNIT_MAIN("ics_text", cases)
