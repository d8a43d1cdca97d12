#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>

#include "tmpl.h"
#include "unit.h"

enum { CEILING = 1024 };

/* One template and, when the case has one, the partial "part" (of kind text). */
struct render_case {
	const char *name;
	enum tmpl_kind kind;
	const char *text, *part, *values, *expected;
};

struct error_case {
	const char *name;
	enum tmpl_kind kind;
	const char *text, *detail;
};

static void check(bool passed, const char *name, const char *got)
{
	if (!passed)
		fprintf(stderr, "%s: got <%s>\n", name, got);
	CU_assertImplementation(passed, __LINE__, name, __FILE__, "", CU_FALSE);
}

static enum err render(const struct render_case *row, struct buf *out, struct err_info *info)
{
	struct json_object *values = json_tokener_parse(row->values);
	struct tmpl_set *set = tmpl_set_new();
	enum err err;

	err = tmpl_set_add(set, "t", row->kind, row->text, info);
	if (!err && row->part)
		err = tmpl_set_add(set, "part", TMPL_TEXT, row->part, info);
	if (!err)
		err = tmpl_render(set, "t", values, out, info);
	tmpl_set_free(&set);
	json_object_put(values);
	return err;
}

static void check_renders(const struct render_case *rows, size_t count)
{
	struct err_info info = {0};
	struct buf out;
	size_t i;

	for (i = 0; i < count; i++) {
		buf_init(&out, CEILING);
		if (render(&rows[i], &out, &info))
			check(false, rows[i].name, info.detail);
		else
			check(strcmp(out.bytes, rows[i].expected) == 0, rows[i].name, out.bytes);
		buf_fini(&out);
	}
}

#define CHECK_RENDERS(rows) check_renders(rows, sizeof(rows) / sizeof((rows)[0]))

static void test_values(void)
{
	static const struct render_case rows[] = {
		{"nothing", 0, "", NULL, "{}", ""},
		{"nothing as a header", TMPL_HEADER, "", NULL, "{}", ""},
		{"nothing as a partial", 0, "a{{>part}}b", "", "{}", "ab"},
		{"no values at all", 0, "a{{b}}c", NULL, "null", "ac"},
		{"null", 0, "({{a}}{{{a}}}{{&a}})", NULL, "{\"a\":null}", "()"},
		{"true and false", 0, "{{a}} {{b}}", NULL, "{\"a\":true,\"b\":false}",
			"true false"},
		{"zero, negative, large", 0, "{{a}} {{b}} {{c}}", NULL,
			"{\"a\":0,\"b\":-7,\"c\":9223372036854775807}", "0 -7 9223372036854775807"},
		{"decimals", 0, "{{a}} {{b}} {{c}} {{d}}", NULL,
			"{\"a\":1.21,\"b\":1.1,\"c\":0.30000000000000004,\"d\":-2.5}",
			"1.21 1.1 0.30000000000000004 -2.5"},
		{"objects and lists have no text", 0, "({{a}}{{b}})", NULL,
			"{\"a\":{\"x\":1},\"b\":[1]}", "()"},
		{"a value is not a template", 0, "{{a}}", NULL, "{\"a\":\"{{b}}\",\"b\":1}",
			"{{b}}"},
		{"dotted: the first key decides", 0, "{{#a}}({{b.c}}){{/a}}", NULL,
			"{\"a\":{\"b\":{}},\"b\":{\"c\":1}}", "()"},
		{"dotted: through a text", 0, "({{a.b.c}})", NULL, "{\"a\":\"x\"}", "()"},
		{"dotted: never one key", 0, "({{a.b}})", NULL, "{\"a.b\":1}", "()"},
		{"null hides the outer value", 0, "{{#a}}({{b}}){{/a}}", NULL,
			"{\"a\":{\"b\":null},\"b\":1}", "()"},
		{"the value at hand, outermost", 0, "{{.}}", NULL, "\"x\"", "x"},
		{"non-ASCII", TMPL_HTML, "é{{a}}日", NULL, "{\"a\":\"ü\xf0\x9f\x98\x80\"}",
			"é<bdi>ü\xf0\x9f\x98\x80</bdi>日"},
		{"blanks in tags", 0, "{{ a }}{{{ a }}}{{& a }}{{\n a\n}}", NULL, "{\"a\":1}",
			"1111"},
		{"braces are text", 0, "} }} { {a} {{a}}}", NULL, "{\"a\":1}", "} }} { {a} 1}"},
		{"raw with other delimiters", TMPL_HTML, "{{=<% %>=}}<%a%> <%{a}%> <%&a%>", NULL,
			"{\"a\":\"&\"}", "<bdi>&amp;</bdi> & &"},
		{"delimiters and back", 0, "{{=| |=}}|a||={{ }}=|{{a}}", NULL, "{\"a\":1}", "11"},
	};

	CHECK_RENDERS(rows);
}

static void test_sections(void)
{
	static const struct render_case rows[] = {
		{"what is false", 0,
			"{{^a}}1{{/a}}{{^b}}2{{/b}}{{^c}}3{{/c}}{{^d}}4{{/d}}{{^e}}5{{/e}}", NULL,
			"{\"a\":null,\"b\":0,\"c\":\"\",\"d\":[],\"e\":false}", "12345"},
		{"what is true", 0, "{{#a}}1{{/a}}{{#b}}2{{/b}}{{#c}}3{{/c}}{{#d}}4{{/d}}", NULL,
			"{\"a\":{},\"b\":-1,\"c\":\"0\",\"d\":0.5}", "1234"},
		{"a text is its own value", 0, "{{#a}}{{.}} is {{a}}{{/a}}", NULL, "{\"a\":\"x\"}",
			"x is x"},
		{"outer names", 0, "{{#s}}{{a}}, {{b}}, {{c.d}}{{/s}}", NULL,
			"{\"a\":1,\"b\":2,\"s\":{\"b\":3},\"c\":{\"d\":4}}", "1, 3, 4"},
		{"lists in lists", 0, "{{#l}}({{#.}}{{.}}{{/.}}){{/l}}", NULL,
			"{\"l\":[[1,2],[],[\"a\"]]}", "(12)()(a)"},
		{"a list at the root", 0, "{{#.}}({{v}}){{/.}}", NULL, "[{\"v\":1},{\"v\":2}]",
			"(1)(2)"},
		{"items that are null", 0, "{{#l}}[{{.}}]{{/l}}", NULL, "{\"l\":[null,false,0]}",
			"[][false][0]"},
		{"dotted", 0, "{{#a.b}}{{c}}{{/a.b}}{{^a.x}}n{{/a.x}}", NULL,
			"{\"a\":{\"b\":{\"c\":1}}}", "1n"},
		{"two tags on a line are not alone", 0, "{{#a}}{{/a}}\nx", NULL, "{}", "\nx"},
		{"alone, CRLF and tabs", 0, "1\r\n\t{{#a}} \t\r\n2\r\n{{/a}}\r\n", NULL,
			"{\"a\":1}", "1\r\n2\r\n"},
		{"a lone CR ends no line", 0, "{{! c }}\rx", NULL, "{}", "\rx"},
	};

	CHECK_RENDERS(rows);
}

static void test_partials(void)
{
	static const struct render_case rows[] = {
		{"unknown", 0, "({{>none}})", NULL, "{}", "()"},
		{"values of the scope", 0, "{{#a}}{{>part}}{{/a}}", "{{b}}",
			"{\"a\":{\"b\":1},\"b\":2}", "1"},
		{"indented by its tag", 0, "a\n  {{>part}}\nb", "1\n\n2\n", "{}",
			"a\n  1\n  \n  2\nb"},
		{"a line that begins with a tag", 0, "  {{>part}}\n",
			"{{v}}{{v}}\n{{#v}}\nx\n{{/v}}\n", "{\"v\":\"1\\n2\"}",
			"  1\n21\n2\n  x\n"},
		{"lines of a repeated section", 0, "  {{>part}}\n", "{{#l}}\n- {{.}}\n{{/l}}\n",
			"{\"l\":[1,2]}", "  - 1\n  - 2\n"},
		{"indentation adds up", 0, " {{>part}}\n", "{{n.v}}\n{{#n}}\n\t{{>part}}\n{{/n}}\n",
			"{\"n\":{\"v\":1,\"n\":{\"v\":2,\"n\":null}}}", " 1\n \t2\n \t\t\n"},
		{"not alone: not indented", 0, "  x{{>part}}\n", "1\n2", "{}", "  x1\n2\n"},
		{"delimiters are its own", 0, "{{=| |=}}|>part||v|{{v}}", "{{v}}|v|", "{\"v\":1}",
			"1|v|1{{v}}"},
		{"escaped as what is rendered", TMPL_HTML, "{{>part}}", "{{v}}", "{\"v\":\"<\"}",
			"&lt;"},
	};

	CHECK_RENDERS(rows);
}

/* Aleph, RLO with PDF, what stands for nothing, and a line break. */
static void test_isolation(void)
{
#define MIXED "{\"v\":\"\u05d0<\u202eb\u202c\u2067\ufeff\uffff\\r\\nc\",\"n\":7,\"l\":\"Ada\"}"
#define ALEPH "\u05d0"
#define HTML(name, text, expected)                                                                 \
	{                                                                                          \
		name, TMPL_HTML, text, NULL, MIXED, expected                                       \
	}
	static const struct render_case rows[] = {
		HTML("HTML", "a {{v}}", "a <bdi>" ALEPH "&lt;b<br>\nc</bdi>"),
		HTML("HTML, raw", "{{{l}}}", "Ada"),
		HTML("Latin letters too", "{{l}}", "<bdi>Ada</bdi>"),
		HTML("numbers not", "{{n}}", "7"),
		HTML("attribute", "<a x='>' href=\"{{v}}\">{{l}}",
			"<a x='>' href=\"" ALEPH "&lt;b c\"><bdi>Ada</bdi>"),
		HTML("title", "<title>{{v}} {{l}}</title>{{l}}",
			"<title>\u2068" ALEPH "&lt;b\u2069 c Ada</title><bdi>Ada</bdi>"),
		HTML("comment", "<!-- it's -->{{l}}<!--[if mso]><b>{{l}}</b><![endif]-->",
			"<!-- it's --><bdi>Ada</bdi><!--[if "
			"mso]><b><bdi>Ada</bdi></b><![endif]-->"),
		HTML("paragraph", "<p class=\"x\" dir=\"auto\">{{v}}</p>",
			"<p class=\"x\" dir=\"auto\">" ALEPH "&lt;b<br>\nc</p>"),
		HTML("no paragraph of its own", "<p dir=\"auto\">{{l}}, {{l}}</p>{{l}}",
			"<p dir=\"auto\"><bdi>Ada</bdi>, <bdi>Ada</bdi></p><bdi>Ada</bdi>"),
		HTML("section in a paragraph", "<p dir=\"auto\">{{#v}}{{.}}{{/v}}</p>",
			"<p dir=\"auto\"><bdi>" ALEPH "&lt;b<br>\nc</bdi></p>"),
		{"text", TMPL_TEXT, "a {{v}}\n{{l}}", NULL, MIXED,
			"a \u2068" ALEPH "<b\u2069\nc\nAda"},
		{"text, indented", TMPL_TEXT, "  {{v}}\n", NULL, MIXED,
			"  \u2068" ALEPH "<b\u2069\nc\n"},
		{"text, alone", TMPL_TEXT, "a\n{{v}}\nb", NULL, MIXED, "a\n" ALEPH "<b\nc\nb"},
		{"header", TMPL_HEADER, "Re: {{v}}", NULL, MIXED, "Re: \u2068" ALEPH "<b c\u2069"},
		{"header, Latin", TMPL_HEADER, "Re: {{l}}", NULL, MIXED, "Re: Ada"},
		{"iCalendar", TMPL_ICAL, "X:{{v}}", NULL, MIXED, "X:\u2068" ALEPH "<b\u2069\\nc"},
	};

	CHECK_RENDERS(rows);
}

static void test_escaping(void)
{
#define VALUE "{\"v\":\"&<>\\\"' \\\\;,:\\tx\\r\\ny\\nz\\u007f\\u0001\"}"
	static const struct render_case rows[] = {
		{"text", TMPL_TEXT, "{{v}}", NULL, VALUE, "&<>\"' \\;,:\tx\ny\nz\x7f\x01"},
		{"HTML", TMPL_HTML, "{{v}}", NULL, VALUE,
			"<bdi>&amp;&lt;&gt;&quot;&#39; \\;,:\tx<br>\ny<br>\nz\x7f\x01</bdi>"},
		{"iCalendar", TMPL_ICAL, "{{v}}", NULL, VALUE, "&<>\"' \\\\\\;\\,:\tx\\ny\\nz"},
		{"iCalendar, lone CR and NUL", TMPL_ICAL, "{{v}}", NULL,
			"{\"v\":\"a\\rb\\u0000c\"}", "a\\nbc"},
		{"iCalendar, no injection", TMPL_ICAL, "SUMMARY:{{v}}\r\n", NULL,
			"{\"v\":\"x\\r\\nATTACH:y\"}", "SUMMARY:x\\nATTACH:y\r\n"},
		{"iCalendar, raw", TMPL_ICAL, "{{{v}}}{{&v}}", NULL, "{\"v\":\"a;b\"}", "a;ba;b"},
		{"header", TMPL_HEADER, "{{v}}", NULL, VALUE, "&<>\"' \\;,: x y z "},
		{"header, no injection", TMPL_HEADER, "Re: {{v}}\n", NULL,
			"{\"v\":\"x\\r\\nBcc: y\"}", "Re: x Bcc: y"},
		{"header, NEL and line separator", TMPL_HEADER, "{{v}}", NULL,
			"{\"v\":\"é\xc2\x85\xe2\x80\xa8ü\xe2\x80\x93\"}", "é ü\xe2\x80\x93"},
		{"header, raw", TMPL_HEADER, "{{{v}}}", NULL, "{\"v\":\"<é>\"}", "<é>"},
		{"header, comment lines", TMPL_HEADER, "{{! for\nyou }}\n{{v}}\r\n", NULL,
			"{\"v\":1}", "1"},
	};

	CHECK_RENDERS(rows);
}

static void test_malformed(void)
{
	static const struct error_case rows[] = {
		{"unclosed tag", 0, "a\n{{b", "t line 2: this tag is not closed."},
		{"nothing but an opening", 0, "{{", "t line 1: this tag is not closed."},
		{"unclosed sigil", 0, "{{#", "t line 1: this tag is not closed."},
		{"unclosed triple", 0, "{{{a}}", "t line 1: this tag is not closed."},
		{"unclosed triple before another", 0, "{{{a}}{{{b}}}",
			"t line 1: \"a}}{{{b\" is not a name."},
		{"unclosed comment", 0, "\n\n{{! a }", "t line 3: this tag is not closed."},
		{"unclosed delimiters", 0, "{{=<% %>}}", "t line 1: this tag is not closed."},
		{"unclosed section", 0, "{{#a}}\n{{#b}}\n{{/b}}",
			"t line 1: the section {{#a}} is not closed."},
		{"sections that cross", 0, "{{#a}}\n{{#b}}\n{{/a}}\n{{/b}}",
			"t line 3: {{/a}} closes the section {{#b}} of line 2."},
		{"a prefix does not close", 0, "{{#ab}}{{/a}}",
			"t line 1: {{/a}} closes the section {{#ab}} of line 1."},
		{"nothing to close", 0, "x\n{{/a}}", "t line 2: {{/a}} closes no section."},
		{"empty", 0, "{{}}", "t line 1: \"\" is not a name."},
		{"blank", 0, "{{#  }}", "t line 1: \"\" is not a name."},
		{"empty triple", 0, "{{{}}}", "t line 1: \"\" is not a name."},
		{"empty partial", 0, "{{>}}", "t line 1: \"\" is not a name."},
		{"two words", 0, "\n{{a b}}", "t line 2: \"a b\" is not a name."},
		{"blank before the sigil", 0, "{{ #a}}", "t line 1: \"#a\" is not a name."},
		{"inheritance", 0, "{{<a}}{{/a}}", "t line 1: \"<a\" is not a name."},
		{"block", 0, "{{$a}}{{/a}}", "t line 1: \"$a\" is not a name."},
		{"dots without names", 0, "{{a..b}}", "t line 1: \"a..b\" is not a name."},
		{"leading dot", 0, "{{.a}}", "t line 1: \".a\" is not a name."},
		{"trailing dot", 0, "{{#a.}}", "t line 1: \"a.\" is not a name."},
		{"one delimiter", 0, "{{=|=}}", "t line 1: delimiters are set as {{=<% %>=}}."},
		{"no delimiters", 0, "{{==}}", "t line 1: delimiters are set as {{=<% %>=}}."},
		{"three delimiters", 0, "{{=a b c=}}",
			"t line 1: delimiters are set as {{=<% %>=}}."},
		{"= as delimiter", 0, "{{== ==}}", "t line 1: delimiters are set as {{=<% %>=}}."},
		{"not UTF-8", 0, "a\nb\n\xff\n", "t line 3: this is not UTF-8."},
		{"cut UTF-8 at a line's end", 0, "a\xc3\nb", "t line 1: this is not UTF-8."},
		{"Latin-1 in a name", 0, "{{#\xe9}}", "t line 1: this is not UTF-8."},
		{"a header of two lines", TMPL_HEADER, "a{{b}}\nc\n",
			"t line 1: a header is a single line."},
	};
	struct err_info info = {0};
	struct tmpl_set *set;
	enum err err;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		set = tmpl_set_new();
		err = tmpl_set_add(set, "t", rows[i].kind, rows[i].text, &info);
		check(err == ERR_CONFIG && strcmp(info.detail, rows[i].detail) == 0 &&
				!tmpl_set_has(set, "t"),
			rows[i].name, info.detail);
		tmpl_set_free(&set);
	}
}

static void test_refused(void)
{
#define TEN(text) text text text text text text text text text text
	static const struct {
		struct render_case render;
		const char *detail;
	} rows[] = {
		{{"partials without end", 0, "{{>part}}", "x\n{{>part}}", "{}", NULL},
			"part line 2: partials nest deeper than 32."},
		{{"a template within itself", 0, "{{>t}}", NULL, "{}", NULL},
			"t line 1: partials nest deeper than 32."},
		{{"output over the ceiling", 0, "{{#l}}{{v}}{{/l}}", NULL,
			 "{\"l\":[" TEN("1,") TEN("1,") "1],\"v\":\"" TEN(TEN("x")) "\"}", NULL},
			"t: the output passes 1024 bytes."},
		{{"indentation over the ceiling", 0, TEN(" ") "{{>part}}", TEN(TEN("\n")), "{}",
			 NULL},
			"t: the output passes 1024 bytes."},
		{{"much work for no output", 0, TEN("{{#l}}") "{{v}}" TEN("{{/l}}"), NULL,
			 "{\"l\":[1,2,3,4,5,6,7,8,9]}", NULL},
			"t line 1: this is too much to render."},
		{{"line break in a header", TMPL_HEADER, "a {{{v}}}", NULL, "{\"v\":\"x\\ny\"}",
			 NULL},
			"t: a control character in a header."},
		{{"NUL in a header", TMPL_HEADER, "a {{&v}}", NULL, "{\"v\":\"x\\u0000y\"}", NULL},
			"t: a control character in a header."},
		{{"a partial's lines in a header", TMPL_HEADER, "a {{>part}}", "b\n", "{}", NULL},
			"t: a control character in a header."},
	};
	struct err_info info = {0};
	struct buf out;
	enum err err;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		buf_init(&out, CEILING);
		err = render(&rows[i].render, &out, &info);
		check(err == ERR_INTERNAL && strcmp(info.detail, rows[i].detail) == 0 &&
				out.len <= CEILING,
			rows[i].render.name, info.detail);
		buf_fini(&out);
	}
}

static void test_section_depth(void)
{
	struct tmpl_set *set = tmpl_set_new();
	struct err_info info = {0};
	struct buf text;
	int depth, i;

	for (depth = 64; depth <= 65; depth++) {
		buf_init(&text, CEILING);
		for (i = 0; i < depth; i++)
			buf_add_text(&text, "{{^a}}");
		for (i = 0; i < depth; i++)
			buf_add_text(&text, "{{/a}}");
		CU_ASSERT_EQUAL(
			tmpl_set_add(set, depth == 64 ? "64" : "65", TMPL_TEXT, text.bytes, &info),
			depth == 64 ? ERR_OK : ERR_CONFIG);
		buf_fini(&text);
	}
	CU_ASSERT_STRING_EQUAL(info.detail, "65 line 1: sections nest deeper than 64.");
	tmpl_set_free(&set);
}

/* 32 partials, one within another, are fine, and so is output that just meets the ceiling. */
static void test_partial_depth(void)
{
	struct json_object *values = json_object_new_object(), *outer;
	struct tmpl_set *set = tmpl_set_new();
	struct err_info info = {0};
	struct buf out;
	int depth;

	CU_ASSERT_EQUAL(tmpl_set_add(set, "p", TMPL_TEXT, "x{{#n}}{{>p}}{{/n}}", &info), ERR_OK);
	json_object_object_add(values, "n", NULL);
	for (depth = 1; depth <= 33; depth++) {
		outer = json_object_new_object();
		json_object_object_add(outer, "n", values);
		values = outer;
		buf_init(&out, 33);
		CU_ASSERT_EQUAL(tmpl_render(set, "p", values, &out, &info),
			depth <= 32 ? ERR_OK : ERR_INTERNAL);
		CU_ASSERT_EQUAL(out.len, (size_t)(depth <= 32 ? depth + 1 : 33));
		buf_fini(&out);
	}
	CU_ASSERT_STRING_EQUAL(info.detail, "p line 1: partials nest deeper than 32.");
	json_object_put(values);
	tmpl_set_free(&set);
}

static void test_set(void)
{
	struct err_info info = {0};
	struct tmpl_set *set = tmpl_set_new();
	struct json_object *values = json_object_new_object();
	struct buf out;

	buf_init(&out, CEILING);
	buf_add_text(&out, "before\n");
	CU_ASSERT_EQUAL(tmpl_set_add(set, "a", TMPL_TEXT, "1", &info), ERR_OK);
	CU_ASSERT_EQUAL(tmpl_set_add(set, "b", TMPL_HEADER, "2\n", &info), ERR_OK);
	CU_ASSERT(tmpl_set_has(set, "a") && tmpl_set_has(set, "b") && !tmpl_set_has(set, "ab"));
	CU_ASSERT(!tmpl_set_has(set, "A") && !tmpl_set_find(set, "AB"));
	CU_ASSERT_STRING_EQUAL(tmpl_set_find(set, "A"), "a");
	CU_ASSERT_EQUAL(tmpl_render(set, "b", values, &out, &info), ERR_OK);
	CU_ASSERT_EQUAL(tmpl_render(set, "a", values, &out, &info), ERR_OK);
	CU_ASSERT_STRING_EQUAL(out.bytes, "before\n21");
	CU_ASSERT_EQUAL(tmpl_render(set, "c", values, &out, &info), ERR_INTERNAL);
	CU_ASSERT_STRING_EQUAL(info.detail, "There is no template c.");
	CU_ASSERT_EQUAL(tmpl_set_add(set, "a", TMPL_TEXT, "2", &info), ERR_CONFIG);
	CU_ASSERT_STRING_EQUAL(info.detail, "a: there are two templates of this name.");
	buf_fini(&out);
	json_object_put(values);
	tmpl_set_free(&set);
	tmpl_set_free(&set);
	CU_ASSERT_PTR_NULL(set);
}

/* Whatever the pieces are put together to, the answer is an error of its own words or a
 * rendering within the ceiling. */
static void test_soup(void)
{
	static const char *const pieces[] = {"{{", "}}", "{{{", "}}}", "{{#a}}", "{{/a}}",
		"{{^b.c}}", "{{/b.c}}", "{{>t}}", "{{=| |=}}", "|={{ }}=|", "|a|", "{{!", "{{&",
		"=", " ", "\t", "\n", "\r\n", ".", "a", "{{.}}", "é", "\\", "|"};
	struct json_object *values = json_tokener_parse("{\"a\":[1,\"<\"],\"b\":{\"c\":{}}}");
	unsigned seed = 1, i, pieces_left, parsed = 0, rendered = 0;
	struct err_info info = {0};
	struct tmpl_set *set;
	struct buf text, out;
	enum err err;

	for (i = 0; i < 20000; i++) {
		set = tmpl_set_new();
		buf_init(&text, CEILING);
		buf_init(&out, CEILING);
		for (pieces_left = (unsigned)rand_r(&seed) % 12; pieces_left; pieces_left--)
			buf_add_text(&text, pieces[(size_t)rand_r(&seed) %
						    (sizeof(pieces) / sizeof(pieces[0]))]);
		err = tmpl_set_add(set, "t", (enum tmpl_kind)(i % 4), text.bytes, &info);
		if (err && (err != ERR_CONFIG || strncmp(info.detail, "t line ", 7) != 0))
			check(false, text.bytes, info.detail);
		if (!err) {
			parsed++;
			err = tmpl_render(set, "t", values, &out, &info);
			rendered += !err;
			if (err && err != ERR_INTERNAL)
				check(false, text.bytes, info.detail);
		}
		buf_fini(&out);
		buf_fini(&text);
		tmpl_set_free(&set);
	}
	CU_ASSERT(parsed > 1000 && parsed < 19000 && rendered > 1000 && rendered < parsed);
	json_object_put(values);
}

static const struct unit_case cases[] = {
	{"values", test_values},
	{"sections", test_sections},
	{"partials", test_partials},
	{"isolation", test_isolation},
	{"escaping by kind", test_escaping},
	{"malformed templates", test_malformed},
	{"refused renderings", test_refused},
	{"depth of sections", test_section_depth},
	{"depth of partials", test_partial_depth},
	{"a set", test_set},
	{"random pieces", test_soup},
};

UNIT_MAIN("tmpl", cases)
