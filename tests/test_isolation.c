/*
 * Every mail and page as it is shipped, with hostile text in the place of every value: none can be
 * written in which a name turns what is around it, or is markup.
 */
#define _GNU_SOURCE /* memmem */
#include <json-c/json.h>
#include <stdio.h>

#include "tmpl_private.h"
#include "unit_templates.h"
#include "utf8.h"

/* Markup, an override, a letter that is written from right to left, an isolate that never ends. */
#define ALEPH   "\u05d0"
#define HOSTILE "<b>\u202e" ALEPH "\u2067\ufeff"

static void give(struct json_object *values, const struct tmpl_node *node)
{
	const char *key = node->keys;
	struct json_object *inner;
	size_t i;

	for (i = 0; i + 1 < node->key_count; i++, key += strlen(key) + 1) {
		if (!json_object_object_get_ex(values, key, &inner)) {
			inner = json_object_new_object();
			json_object_object_add(values, key, inner);
		}
		values = inner;
	}
	if (!json_object_object_get_ex(values, key, &inner))
		json_object_object_add(values, key, json_object_new_string(HOSTILE));
}

static void give_all(const struct tmpl_set *set, bool sections, struct json_object *values)
{
	const struct tmpl *tmpl;
	size_t dots, i;

	/* Those with most dots first: what holds others is an object. */
	for (dots = 3; dots-- > 0;)
		for (tmpl = set->first; tmpl; tmpl = tmpl->next)
			for (i = 0; i < tmpl->count; i++) {
				const struct tmpl_node *node = &tmpl->nodes[i];

				if (node->key_count == dots + 1 &&
					(node->type == TMPL_NODE_VALUE ||
						(sections && node->type == TMPL_NODE_SECTION)))
					give(values, node);
			}
}

static bool ends_with(const char *text, const char *at, const char *end)
{
	const size_t len = strlen(end);

	return (size_t)(at - text) >= len && memcmp(at - len, end, len) == 0;
}

static bool is_isolated_html(const char *text, const char *aleph)
{
	const char *tag = aleph;

	if (ends_with(text, aleph, "<bdi>&lt;b&gt;"))
		return strncmp(aleph + strlen(ALEPH), "</bdi>", 6) == 0;
	if (ends_with(text, aleph, "\">&lt;b&gt;")) {
		while (*tag != '<')
			tag--;
		return strncmp(aleph + strlen(ALEPH), "</", 2) == 0 &&
		       memmem(tag, (size_t)(aleph - tag), " dir=\"auto\"", 11);
	}
	if (ends_with(text, aleph, "\u2068&lt;b&gt;"))
		return strncmp(aleph + strlen(ALEPH), "\u2069", 3) == 0;
	if (ends_with(text, aleph, "\">\n&lt;b&gt;"))
		return strncmp(aleph + strlen(ALEPH), "</textarea>", 11) == 0;
	while (tag > text && !strchr("<>", tag[-1]))
		tag--;
	return tag > text && tag[-1] == '<'; /* in an attribute */
}

static bool is_isolated_text(const char *text, const char *aleph)
{
	if (ends_with(text, aleph, "\u2068<b>"))
		return strncmp(aleph + strlen(ALEPH), "\u2069", 3) == 0;
	return (aleph == text + 3 || ends_with(text, aleph, "\n<b>")) &&
	       strchr("\n", aleph[strlen(ALEPH)]);
}

static void check(const struct tmpl *tmpl, const char *text)
{
	const char *at;

	for (at = text; (at = strstr(at, ALEPH)); at++)
		UNIT_CHECK(tmpl->kind == TMPL_HTML ? is_isolated_html(text, at)
						   : is_isolated_text(text, at),
			tmpl->name);
	for (at = text; *at; at++)
		UNIT_CHECK(!utf8_forbidden(at) || strncmp(at, "\u2068", 3) == 0 ||
				   strncmp(at, "\u2069", 3) == 0,
			tmpl->name);
	UNIT_CHECK(tmpl->kind != TMPL_HTML || !strstr(text, "<b>"), tmpl->name);
}

static void walk(bool sections)
{
	struct tmpl_set *set = unit_templates();
	struct json_object *values = json_object_new_object();
	const struct tmpl *tmpl;
	struct buf out;
	int count = 0;

	give_all(set, sections, values);
	for (tmpl = set->first; tmpl; tmpl = tmpl->next) {
		/* The event itself: test_ics_event.c. */
		if (strcmp(tmpl->name, "ics/event.ics") == 0 || strstr(tmpl->name, ".json"))
			continue;
		buf_init(&out, 256 * 1024);
		UNIT_CHECK(tmpl_render(set, tmpl->name, values, &out, NULL) == ERR_OK, tmpl->name);
		check(tmpl, out.bytes);
		count += strstr(out.bytes, ALEPH) != NULL;
		buf_fini(&out);
	}
	CU_ASSERT(count > 40);
	json_object_put(values);
	tmpl_set_free(&set);
}

static void test_with_everything(void)
{
	walk(true);
}

static void test_without_sections(void)
{
	walk(false);
}

/* So that there is one paragraph for all that people write, and it cannot be forgotten. */
static void test_no_styled_breaks(void)
{
	struct tmpl_set *set = unit_templates();
	const struct tmpl *tmpl;

	for (tmpl = set->first; tmpl; tmpl = tmpl->next)
		UNIT_CHECK(!strstr(tmpl->text, "pre-line") && !strstr(tmpl->text, "pre-wrap"),
			tmpl->name);
	tmpl_set_free(&set);
}

/* What was typed comes back as it was, in lines and without marks that a form would not take. */
static void test_field(void)
{
	static const char typed[] = "one\r\n" ALEPH "\n<two>";
	struct buf out;

	buf_init(&out, 1024);
	tmpl_escape(&out, TMPL_HTML, TMPL_PLACE_FIELD, typed, strlen(typed));
	CU_ASSERT_STRING_EQUAL(out.bytes, "one\n" ALEPH "\n&lt;two&gt;");
	buf_fini(&out);
}

static const struct unit_case cases[] = {
	{"what was typed", test_field},
	{"hostile text in every value", test_with_everything},
	{"and where sections are not shown", test_without_sections},
	{"line breaks are not left to styles", test_no_styled_breaks},
};

UNIT_MAIN("isolation", cases)
