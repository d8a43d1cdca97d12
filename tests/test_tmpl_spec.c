/* The official cases of the Mustache specification: see data/mustache-spec/README.md. */
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>

#include "tmpl.h"
#include "unit.h"

static const char *text_of(struct json_object *test, const char *key)
{
	return json_object_get_string(json_object_object_get(test, key));
}

static enum err render(
	struct tmpl_set *set, struct json_object *test, struct buf *out, struct err_info *info)
{
	struct json_object *partials = json_object_object_get(test, "partials");
	enum err err = tmpl_set_add(set, "case", TMPL_HTML, text_of(test, "template"), info);

	if (partials) {
		json_object_object_foreach(partials, name, partial)
		{
			if (!err)
				err = tmpl_set_add(set, name, TMPL_HTML,
					json_object_get_string(partial), info);
		}
	}
	if (err)
		return err;
	return tmpl_render(set, "case", json_object_object_get(test, "data"), out, info);
}

/* The specification has values escaped, not kept apart. */
static void strip_isolation(char *text)
{
	static const char *const tags[] = {"<bdi>", "</bdi>"};
	char *at;
	size_t i;

	for (i = 0; i < sizeof(tags) / sizeof(tags[0]); i++)
		while ((at = strstr(text, tags[i])))
			memmove(at, at + strlen(tags[i]), strlen(at + strlen(tags[i])) + 1);
}

static void run_case(const char *module, struct json_object *test)
{
	struct tmpl_set *set = tmpl_set_new();
	struct err_info info = {0};
	struct buf out;
	char title[256];
	bool passed;

	buf_init(&out, 64 * 1024);
	passed = render(set, test, &out, &info) == ERR_OK;
	strip_isolation(out.bytes);
	passed = passed && strcmp(out.bytes, text_of(test, "expected")) == 0;
	snprintf(title, sizeof(title), "%s: %s", module, text_of(test, "name"));
	if (!passed)
		fprintf(stderr, "%s\n  expected <%s>\n  rendered <%s> %s\n", title,
			text_of(test, "expected"), out.bytes, info.detail);
	CU_assertImplementation(passed, __LINE__, title, __FILE__, "", CU_FALSE);
	buf_fini(&out);
	tmpl_set_free(&set);
}

static void run_module(const char *module, size_t expected)
{
	const char *srcdir = getenv("srcdir");
	struct json_object *spec, *tests;
	char path[1024];
	size_t i, count;

	snprintf(path, sizeof(path), "%s/tests/data/mustache-spec/%s.json", srcdir ? srcdir : ".",
		module);
	spec = json_object_from_file(path);
	CU_ASSERT_PTR_NOT_NULL_FATAL(spec);
	tests = json_object_object_get(spec, "tests");
	CU_ASSERT_FATAL(json_object_is_type(tests, json_type_array));
	count = json_object_array_length(tests);
	for (i = 0; i < count; i++)
		run_case(module, json_object_array_get_idx(tests, i));
	CU_ASSERT_EQUAL(count, expected);
	json_object_put(spec);
}

static void test_comments(void)
{
	run_module("comments", 11);
}

static void test_delimiters(void)
{
	run_module("delimiters", 14);
}

static void test_interpolation(void)
{
	run_module("interpolation", 30);
}

static void test_inverted(void)
{
	run_module("inverted", 21);
}

static void test_partials(void)
{
	run_module("partials", 11);
}

static void test_sections(void)
{
	run_module("sections", 25);
}

static const struct unit_case cases[] = {
	{"comments", test_comments},
	{"delimiters", test_delimiters},
	{"interpolation", test_interpolation},
	{"inverted sections", test_inverted},
	{"partials", test_partials},
	{"sections", test_sections},
};

UNIT_MAIN("tmpl_spec", cases)
