#define _GNU_SOURCE /* nftw */
#include <ftw.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tmpl.h"
#include "unit.h"

/* A folder of files for one loading; removed afterwards. */
static char folder[256];

static void folder_make(void)
{
	const char *tmp = getenv("TMPDIR");

	snprintf(folder, sizeof(folder), "%s/tmpl-XXXXXX", tmp ? tmp : "/tmp");
	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(folder));
}

/* Makes a file, or a folder when `bytes` is NULL. */
static void folder_add(const char *name, const char *bytes, size_t len)
{
	char path[512];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	if (!bytes) {
		CU_ASSERT_EQUAL_FATAL(mkdir(path, 0700), 0);
		return;
	}
	file = fopen(path, "w");
	CU_ASSERT_PTR_NOT_NULL_FATAL(file);
	CU_ASSERT_EQUAL(fwrite(bytes, 1, len, file), len);
	fclose(file);
}

static void folder_add_text(const char *name, const char *text)
{
	folder_add(name, text, strlen(text));
}

static int folder_remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void folder_remove(void)
{
	CU_ASSERT_EQUAL(nftw(folder, folder_remove_entry, 16, FTW_DEPTH | FTW_PHYS), 0);
}

static void check_loading_fails(const char *name, const char *detail)
{
	struct tmpl_set *set = tmpl_set_new();
	struct err_info info = {0};
	enum err err = tmpl_set_load(set, folder, &info);

	CU_assertImplementation(err == ERR_CONFIG && strstr(info.detail, detail) != NULL, __LINE__,
		name, __FILE__, "", CU_FALSE);
	tmpl_set_free(&set);
	folder_remove();
}

static void test_load(void)
{
	static const struct {
		const char *name, *expected;
	} rows[] = {
		{"mail/en/ready.html",
			"<p><bdi>&lt;&amp;,;&gt;</bdi></p>\n<hr><bdi>&lt;&amp;,;&gt;</bdi>\n"},
		{"mail/en/ready.txt", "<&,;>\n"},
		{"mail/en/ready.subject", "Re: <&,;>"},
		{"ics/ready.ics", "SUMMARY:<&\\,\\;>\n"},
		{"plain", "<&,;>"},
		{"empty.txt", ""},
		{"empty.subject", ""},
		{"linked.html", "<bdi>&lt;&amp;,;&gt;</bdi>"},
	};
	struct json_object *values = json_tokener_parse("{\"v\":\"<&,;>\"}");
	struct tmpl_set *set = tmpl_set_new();
	struct err_info info = {0};
	char path[512];
	struct buf out;
	size_t i;

	folder_make();
	folder_add("mail", NULL, 0);
	folder_add("mail/en", NULL, 0);
	folder_add("ics", NULL, 0);
	folder_add(".git", NULL, 0);
	folder_add_text("mail/en/ready.html", "<p>{{v}}</p>\n{{> mail/en/footer.html}}\n");
	folder_add_text("mail/en/footer.html", "<hr>{{v}}\n");
	folder_add_text("mail/en/ready.txt", "{{v}}\n");
	folder_add_text("mail/en/ready.subject", "Re: {{v}}\n");
	folder_add_text("ics/ready.ics", "SUMMARY:{{v}}\n");
	folder_add_text("mail/en/.ready.txt.swp", "\xff{{");
	folder_add_text(".git/config", "{{");
	folder_add_text("plain", "{{v}}");
	folder_add_text("empty.txt", "");
	folder_add_text("empty.subject", "\n");
	snprintf(path, sizeof(path), "%s/linked.html", folder);
	CU_ASSERT_EQUAL(symlink("plain", path), 0);
	snprintf(path, sizeof(path), "%s/pipe", folder);
	CU_ASSERT_EQUAL(mkfifo(path, 0600), 0);

	CU_ASSERT_EQUAL(tmpl_set_load(set, folder, &info), ERR_OK);
	folder_remove();
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		buf_init(&out, 1024);
		CU_ASSERT_EQUAL(tmpl_render(set, rows[i].name, values, &out, &info), ERR_OK);
		CU_ASSERT_STRING_EQUAL(out.bytes, rows[i].expected);
		buf_fini(&out);
	}
	CU_ASSERT(!tmpl_set_has(set, "pipe") && !tmpl_set_has(set, "mail/en"));
	CU_ASSERT(
		!tmpl_set_has(set, ".git/config") && !tmpl_set_has(set, "mail/en/.ready.txt.swp"));
	tmpl_set_free(&set);
	json_object_put(values);
}

static void test_load_errors(void)
{
	char path[512];

	folder_make();
	folder_add("mail", NULL, 0);
	folder_add_text("mail/bad.html", "a\nb{{#c}}\n");
	check_loading_fails("malformed", "mail/bad.html line 2: the section {{#c}} is not closed.");

	folder_make();
	folder_add_text("a.html", "x\n\n {{> b.html}}");
	check_loading_fails(
		"partial that is not there", "a.html line 3: there is no partial b.html.");

	folder_make();
	folder_add_text("latin.txt", "a\nb\n\xe9");
	check_loading_fails("not UTF-8", "latin.txt line 3: this is not UTF-8.");

	folder_make();
	folder_add("nul.txt", "a\0b", 3);
	check_loading_fails("NUL", "/nul.txt: this file has a NUL byte.");

	folder_make();
	snprintf(path, sizeof(path), "%s/loop", folder);
	CU_ASSERT_EQUAL(symlink(".", path), 0);
	check_loading_fails("folder within itself", "folders nest deeper than 8.");

	folder_make();
	snprintf(path, sizeof(path), "%s/dangling.txt", folder);
	CU_ASSERT_EQUAL(symlink("nowhere", path), 0);
	check_loading_fails("dangling link", "/dangling.txt: No such file or directory.");
}

static void test_load_sizes(void)
{
	static char large[256 * 1024 + 2];
	struct tmpl_set *set = tmpl_set_new();
	struct err_info info = {0};

	memset(large, 'x', sizeof(large) - 1);
	folder_make();
	folder_add("large.txt", large, 256 * 1024 + 1);
	check_loading_fails("too large", "/large.txt: a template has at most 262144 bytes.");

	folder_make();
	folder_add("large.txt", large, 256 * 1024);
	CU_ASSERT_EQUAL(tmpl_set_load(set, folder, &info), ERR_OK);
	CU_ASSERT(tmpl_set_has(set, "large.txt"));
	CU_ASSERT_EQUAL(tmpl_set_load(set, folder, &info), ERR_CONFIG);
	CU_ASSERT_STRING_EQUAL(info.detail, "large.txt: there are two templates of this name.");
	folder_remove();

	CU_ASSERT_EQUAL(tmpl_set_load(set, folder, &info), ERR_CONFIG);
	CU_ASSERT_PTR_NOT_NULL(strstr(info.detail, ": No such file or directory."));
	CU_ASSERT_EQUAL(tmpl_set_load(set, large, &info), ERR_CONFIG);
	tmpl_set_free(&set);
}

static const struct unit_case cases[] = {
	{"a tree of templates", test_load},
	{"what is wrong", test_load_errors},
	{"sizes", test_load_sizes},
};

UNIT_MAIN("tmpl_load", cases)
