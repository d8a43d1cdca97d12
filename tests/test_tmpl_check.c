#include <stdio.h>

#include "tmpl.h"
#include "unit.h"

static const char *const flat[] = {"a", "b", "ab", NULL};
static const char *const dotted[] = {
	"person.name", "person.first.name", "list.of.x", "by.other", "by.b", NULL};
static const char *const *const names[] = {flat, dotted, NULL};

static void check(bool passed, const char *name, const char *got)
{
	if (!passed)
		fprintf(stderr, "%s: got <%s>\n", name, got);
	UNIT_CHECK(passed, name);
}

/* The template "t" and, when the case has one, the partial "part"; `detail` NULL: nothing is
 * wrong. */
struct row {
	const char *name, *text, *part, *detail;
};

static void check_rows(const struct row *rows, size_t count)
{
	struct err_info info;
	struct tmpl_set *set;
	enum err err;
	size_t i;

	for (i = 0; i < count; i++) {
		set = tmpl_set_new();
		err_clear(&info);
		err = tmpl_set_add(set, "t", TMPL_TEXT, rows[i].text, &info);
		if (!err && rows[i].part)
			err = tmpl_set_add(set, "part", TMPL_TEXT, rows[i].part, &info);
		CU_ASSERT_EQUAL_FATAL(err, ERR_OK);
		err = tmpl_check_names(set, "t", names, &info);
		if (rows[i].detail)
			check(err == ERR_CONFIG && strcmp(info.detail, rows[i].detail) == 0,
				rows[i].name, info.detail);
		else
			check(err == ERR_OK, rows[i].name, info.detail);
		tmpl_set_free(&set);
	}
}

#define CHECK_ROWS(rows) check_rows(rows, sizeof(rows) / sizeof((rows)[0]))
#define NO(line, value)  "t line " #line ": there is no value named " value " here."

static void test_names(void)
{
	static const struct row rows[] = {
		{"nothing", "", NULL, NULL},
		{"text", "c {c} {{! c }}", NULL, NULL},
		{"every kind of tag", "{{a}}{{{a}}}{{&a}}{{#a}}{{/a}}{{^a}}{{/a}}", NULL, NULL},
		{"other delimiters", "{{=| |=}}|a||c|", NULL, NO(1, "c")},
		{"value", "a\n\n{{c}}", NULL, NO(3, "c")},
		{"raw", "{{{c}}}", NULL, NO(1, "c")},
		{"another raw", "{{& c}}", NULL, NO(1, "c")},
		{"section", "\n{{#c}}\n{{/c}}\n", NULL, NO(2, "c")},
		{"inverted", "{{^c}}{{/c}}", NULL, NO(1, "c")},
		{"in a section", "{{#a}}\n{{c}}{{/a}}", NULL, NO(2, "c")},
		{"in an inverted one", "{{^a}}\n{{c}}{{/a}}", NULL, NO(2, "c")},
		{"behind a section", "{{#a}}{{b}}{{/a}}{{c}}", NULL, NO(1, "c")},
		{"the first of two", "{{#c}}{{/c}}\n{{d}}", NULL, NO(1, "c")},
		{"what a name begins with", "{{ab}}{{a}}{{person.nam}}", NULL, NO(1, "person.nam")},
		{"what begins with a name", "{{person.names}}", NULL, NO(1, "person.names")},
		{"another case", "{{A}}", NULL, NO(1, "A")},
	};

	CHECK_ROWS(rows);
}

static void test_dotted_names(void)
{
	static const struct row rows[] = {
		{"dotted", "{{person.name}}{{#list.of.x}}{{/list.of.x}}", NULL, NULL},
		{"a part of one", "{{#person}}{{/person}}{{^list.of}}{{/list.of}}", NULL, NULL},
		{"a slip", "{{person.nmae}}", NULL, NO(1, "person.nmae")},
		{"only the last of it", "{{name}}", NULL, NO(1, "name")},
		{"more than there is", "{{a.b}}", NULL, NO(1, "a.b")},
		{"within its section", "{{#person}}{{name}}{{first.name}}{{/person}}", NULL, NULL},
		{"within two", "{{#list}}{{#of}}{{x}}{{/of}}{{of.x}}{{/list}}", NULL, NULL},
		{"within a dotted one", "{{#list.of}}{{x}}{{/list.of}}", NULL, NULL},
		{"an outer name",
			"{{#person}}{{a}}{{person.name}}{{#by}}{{other}}{{name}}{{/by}}"
			"{{/person}}",
			NULL, NULL},
		{"a section it is not in", "{{#person}}{{name}}{{other}}{{/person}}", NULL,
			NO(1, "other")},
		{"a section it is no more in", "{{#person}}{{/person}}{{name}}", NULL,
			NO(1, "name")},
		{"within an inverted one", "{{^person}}{{name}}{{/person}}", NULL, NO(1, "name")},
		/* test_tmpl: it renders as nothing. */
		{"the first key decides", "{{#person}}{{first.name}}{{first.b}}{{/person}}", NULL,
			NO(1, "first.b")},
		{"the value at hand", "{{.}}{{#a}}{{.}}{{#.}}{{.}}{{b}}{{/.}}{{/a}}", NULL, NULL},
		{"its names", "{{#person}}{{#.}}{{name}}{{/.}}{{/person}}", NULL, NULL},
		{"no other names", "{{#person}}{{#.}}{{x}}{{/.}}{{/person}}", NULL, NO(1, "x")},
	};

	CHECK_ROWS(rows);
}

static void test_partials(void)
{
	static const struct row rows[] = {
		{"partial", "{{>part}}{{>part}}", "{{a}}{{.}}", NULL},
		{"one that is not there", "{{>other}}", NULL, NULL},
		{"at fault", "{{a}}\n{{>part}}", "\n\n{{c}}",
			"part line 3: there is no value named c here."},
		{"sees the section it is in", "{{#person}}{{>part}}{{/person}}", "{{name}}", NULL},
		{"sees no more", "{{#person}}{{>part}}{{/person}}{{>part}}", "{{name}}",
			"part line 1: there is no value named name here."},
		{"within itself", "{{>part}}", "{{#person}}{{name}}{{>part}}{{/person}}", NULL},
		{"within itself, at fault", "{{>part}}", "{{>part}}\n{{c}}",
			"part line 2: there is no value named c here."},
		{"a template within itself", "{{#a}}{{>t}}{{/a}}{{c}}", NULL, NO(1, "c")},
		{"two within each other", "{{>part}}{{c}}", "{{>t}}{{a}}", NO(1, "c")},
	};

	CHECK_ROWS(rows);
}

/* 32 partials, one within another, are fine; as many that hold the next one twice have no end. */
static void test_partials_of_partials(void)
{
	struct tmpl_set *set = tmpl_set_new();
	char name[8], text[32];
	struct err_info info;
	int i;

	for (i = 0; i <= 40; i++) {
		snprintf(name, sizeof(name), "p%d", i);
		snprintf(
			text, sizeof(text), i < 33 ? "{{>p%d}}" : "{{>p%d}}{{>p%d}}", i + 1, i + 1);
		CU_ASSERT_EQUAL(tmpl_set_add(set, name, TMPL_TEXT, text, NULL), ERR_OK);
	}
	CU_ASSERT_EQUAL(tmpl_set_add(set, "p41", TMPL_TEXT, "{{a}}", NULL), ERR_OK);
	CU_ASSERT_EQUAL(tmpl_check_names(set, "p9", names, &info), ERR_OK);
	CU_ASSERT_EQUAL(tmpl_check_names(set, "p8", names, &info), ERR_CONFIG);
	CU_ASSERT_STRING_EQUAL(info.detail, "p40 line 1: partials nest deeper than 32.");
	tmpl_set_free(&set);

	set = tmpl_set_new();
	for (i = 0; i < 30; i++) {
		snprintf(name, sizeof(name), "p%d", i);
		snprintf(text, sizeof(text), "{{>p%d}}{{>p%d}}", i + 1, i + 1);
		CU_ASSERT_EQUAL(tmpl_set_add(set, name, TMPL_TEXT, text, NULL), ERR_OK);
	}
	CU_ASSERT_EQUAL(tmpl_set_add(set, "p30", TMPL_TEXT, "{{a}}", NULL), ERR_OK);
	CU_ASSERT_EQUAL(tmpl_check_names(set, "p0", names, &info), ERR_CONFIG);
	CU_ASSERT_PTR_NOT_NULL(strstr(info.detail, " line 1: this is too much to render."));
	tmpl_set_free(&set);
}

static void test_patterns(void)
{
	struct tmpl_set *set = tmpl_set_new();
	struct err_info info;

	CU_ASSERT_EQUAL(tmpl_set_add(set, "p/de/t.txt", TMPL_TEXT, "{{a}}", NULL), ERR_OK);
	CU_ASSERT_EQUAL(tmpl_set_add(set, "p/en/t.txt", TMPL_TEXT, "{{c}}", NULL), ERR_OK);
	CU_ASSERT_EQUAL(tmpl_set_add(set, "p/fr/t.txt", TMPL_TEXT, "{{a}}", NULL), ERR_OK);
	CU_ASSERT_EQUAL(tmpl_set_add(set, "p/en/x/t.txt", TMPL_TEXT, "{{d}}", NULL), ERR_OK);
	CU_ASSERT_EQUAL(tmpl_check_names(set, "p/*/t.txt", names, &info), ERR_CONFIG);
	CU_ASSERT_STRING_EQUAL(info.detail, "p/en/t.txt line 1: there is no value named c here.");
	CU_ASSERT_EQUAL(tmpl_check_names(set, "p/[df]*/t.txt", names, &info), ERR_OK);
	CU_ASSERT_EQUAL(tmpl_check_names(set, "p/t.txt", names, &info), ERR_CONFIG);
	CU_ASSERT_STRING_EQUAL(info.detail, "p/t.txt: there is no such template.");
	tmpl_set_free(&set);
}

static const struct unit_case cases[] = {
	{"names", test_names},
	{"dotted names", test_dotted_names},
	{"partials", test_partials},
	{"partials of partials", test_partials_of_partials},
	{"patterns", test_patterns},
};

UNIT_MAIN("tmpl_check", cases)
