#define _GNU_SOURCE /* memmem */
#include "tmpl_private.h"

#include <string.h>

#include "utf8.h"
#include "xalloc.h"

#define TMPL_SPACE " \t\r\n"

struct tmpl_slice {
	const char *at;
	size_t len;
};

struct tmpl_parser {
	struct tmpl *tmpl;
	struct arena *arena;
	const char *at, *end; /* what is not parsed yet */
	struct tmpl_slice open, close;
	size_t sections[TMPL_MAX_SECTIONS]; /* indices of those that are open, the outermost first
					     */
	size_t depth;
	struct tmpl_markup markup; /* of what is parsed */
};

struct tmpl_tag {
	const char *start, *end; /* with its delimiters */
	char sigil;              /* 0 for {{name}} */
	struct tmpl_slice body;  /* without sigil and the blanks around it */
};

size_t tmpl_line(const struct tmpl *tmpl, const char *at)
{
	const char *p;
	size_t line = 1;

	for (p = tmpl->text; p < at; p++)
		line += *p == '\n';
	return line;
}

static struct tmpl_node *tmpl_add_node(
	struct tmpl *tmpl, enum tmpl_node_type type, struct tmpl_slice text)
{
	struct tmpl_node *node;

	if (tmpl->count == tmpl->size) {
		tmpl->size = tmpl->size ? 2 * tmpl->size : 16;
		tmpl->nodes = xrealloc(tmpl->nodes, tmpl->size * sizeof(*tmpl->nodes));
	}
	node = &tmpl->nodes[tmpl->count++];
	*node = (struct tmpl_node){.type = type, .text = text.at, .len = text.len};
	return node;
}

static void tmpl_add_text(struct tmpl_parser *parser, const char *from, const char *to)
{
	struct tmpl_slice text = {from, (size_t)(to - from)};

	tmpl_add_node(parser->tmpl, TMPL_NODE_TEXT, text)->starts_line =
		from == parser->tmpl->text || from[-1] == '\n';
	tmpl_markup_read(&parser->markup, from, text.len);
}

static struct tmpl_slice tmpl_trim(const char *from, const char *to)
{
	while (from < to && strchr(TMPL_SPACE, *from))
		from++;
	while (from < to && strchr(TMPL_SPACE, to[-1]))
		to--;
	return (struct tmpl_slice){from, (size_t)(to - from)};
}

/* The closing delimiter that follows the character `before` ('\0' for any), or NULL. */
static const char *tmpl_find_close(const struct tmpl_parser *parser, const char *from, char before)
{
	const char *at = from;

	while ((at = memmem(at, (size_t)(parser->end - at), parser->close.at, parser->close.len))) {
		if (!before || (at > from && at[-1] == before))
			return at;
		at++;
	}
	return NULL;
}

/* Finds what `tag->start` begins. */
static enum err tmpl_read_tag(
	const struct tmpl_parser *parser, struct tmpl_tag *tag, struct err_info *info)
{
	const char *from = tag->start + parser->open.len, *close;
	char before = '\0';

	if (from < parser->end && strchr("#^/>&!={", *from))
		tag->sigil = *from++;
	if (tag->sigil == '=')
		before = '=';
	else if (tag->sigil == '{')
		before = '}';
	close = tmpl_find_close(parser, from, before);
	if (!close)
		return err_set(info, ERR_CONFIG, "%s line %zu: this tag is not closed.",
			parser->tmpl->name, tmpl_line(parser->tmpl, tag->start));
	tag->end = close + parser->close.len;
	tag->body = tmpl_trim(from, before ? close - 1 : close);
	return ERR_OK;
}

/*
 * Whether the tag has its lines for itself, so that they vanish with it (mustache(5),
 * "standalone"). Then *line_r is where its first line begins and *next_r where the line after its
 * last one does.
 */
static bool tmpl_is_alone(const struct tmpl_parser *parser, const struct tmpl_tag *tag,
	const char **line_r, const char **next_r)
{
	const char *line = tag->start, *next = tag->end;

	while (line > parser->tmpl->text && (line[-1] == ' ' || line[-1] == '\t'))
		line--;
	while (next < parser->end && (*next == ' ' || *next == '\t'))
		next++;
	if (parser->end - next >= 2 && next[0] == '\r' && next[1] == '\n')
		next++;
	*line_r = line;
	*next_r = next < parser->end ? next + 1 : next;
	return (line == parser->tmpl->text || line[-1] == '\n') &&
	       (next == parser->end || *next == '\n');
}

/* Names hold no blanks or braces (`{{{a}} {{{b}}}`). Those that begin like another tag are slips or
 * modules we do not have (`{{ #a}}`, `{{$block}}`, `{{<parent}}`). */
static bool tmpl_is_name(struct tmpl_slice name)
{
	size_t i;

	if (!name.len || strchr("#^/>&!={}$<", *name.at))
		return false;
	for (i = 0; i < name.len; i++)
		if (strchr(TMPL_SPACE "{}", name.at[i]))
			return false;
	return true;
}

/* a.b.c becomes a, b, c; false when one of them is empty. */
static bool tmpl_split_name(struct tmpl_node *node, struct arena *arena)
{
	char *keys, *dot;

	if (node->len == 1 && *node->text == '.')
		return true;
	if (*node->text == '.' || node->text[node->len - 1] == '.' ||
		memmem(node->text, node->len, "..", 2))
		return false;
	keys = arena_strndup(arena, node->text, node->len);
	node->keys = keys;
	for (node->key_count = 1; (dot = strchr(keys, '.')); node->key_count++) {
		*dot = '\0';
		keys = dot + 1;
	}
	return true;
}

static enum err tmpl_set_delimiters(
	struct tmpl_parser *parser, const struct tmpl_tag *tag, struct err_info *info)
{
	const char *at = tag->body.at, *end = at + tag->body.len;

	while (at < end && !strchr(TMPL_SPACE, *at))
		at++;
	parser->open = (struct tmpl_slice){tag->body.at, (size_t)(at - tag->body.at)};
	parser->close = tmpl_trim(at, end);
	for (at = parser->close.at; at < end && !strchr(TMPL_SPACE, *at); at++)
		continue;
	if (!parser->open.len || !parser->close.len || at < end ||
		memchr(tag->body.at, '=', tag->body.len))
		return err_set(info, ERR_CONFIG,
			"%s line %zu: delimiters are set as {{=<%% %%>=}}.", parser->tmpl->name,
			tmpl_line(parser->tmpl, tag->start));
	return ERR_OK;
}

static enum err tmpl_open_section(
	struct tmpl_parser *parser, const struct tmpl_tag *tag, struct err_info *info)
{
	if (parser->depth == TMPL_MAX_SECTIONS)
		return err_set(info, ERR_CONFIG, "%s line %zu: sections nest deeper than %d.",
			parser->tmpl->name, tmpl_line(parser->tmpl, tag->start), TMPL_MAX_SECTIONS);
	parser->sections[parser->depth++] = parser->tmpl->count - 1;
	return ERR_OK;
}

static enum err tmpl_close_section(
	struct tmpl_parser *parser, const struct tmpl_tag *tag, struct err_info *info)
{
	struct tmpl *tmpl = parser->tmpl;
	struct tmpl_node *section;

	if (!parser->depth)
		return err_set(info, ERR_CONFIG, "%s line %zu: {{/%.*s}} closes no section.",
			tmpl->name, tmpl_line(tmpl, tag->start), (int)tag->body.len, tag->body.at);
	section = &tmpl->nodes[parser->sections[--parser->depth]];
	if (section->len != tag->body.len || memcmp(section->text, tag->body.at, section->len) != 0)
		return err_set(info, ERR_CONFIG,
			"%s line %zu: {{/%.*s}} closes the section {{#%.*s}} of line %zu.",
			tmpl->name, tmpl_line(tmpl, tag->start), (int)tag->body.len, tag->body.at,
			(int)section->len, section->text, tmpl_line(tmpl, section->text));
	section->end = tmpl->count;
	return ERR_OK;
}

/* `indent` is what stands before a tag that is alone on its line, NULL for another tag. */
static enum err tmpl_add_tag(struct tmpl_parser *parser, const struct tmpl_tag *tag,
	struct tmpl_slice indent, struct err_info *info)
{
	struct tmpl *tmpl = parser->tmpl;
	struct tmpl_node *node;

	switch (tag->sigil) {
	case '!':
		return ERR_OK;
	case '=':
		return tmpl_set_delimiters(parser, tag, info);
	case '/':
		return tmpl_close_section(parser, tag, info);
	}
	if (!tmpl_is_name(tag->body))
		goto no_name;
	if (tag->sigil == '>') {
		node = tmpl_add_node(tmpl, TMPL_NODE_PARTIAL, tag->body);
		node->indent = indent.at;
		node->indent_len = indent.len;
		return ERR_OK;
	}
	node = tmpl_add_node(tmpl, TMPL_NODE_VALUE, tag->body);
	if (!tmpl_split_name(node, parser->arena))
		goto no_name;
	node->place = tmpl_place_find(tmpl, &parser->markup, tag->start, tag->end);
	if (tag->sigil == '&' || tag->sigil == '{')
		node->type = TMPL_NODE_RAW;
	if (tag->sigil != '#' && tag->sigil != '^')
		return ERR_OK;
	node->type = tag->sigil == '#' ? TMPL_NODE_SECTION : TMPL_NODE_INVERTED;
	return tmpl_open_section(parser, tag, info);
no_name:
	return err_set(info, ERR_CONFIG, "%s line %zu: \"%.*s\" is not a name.", tmpl->name,
		tmpl_line(tmpl, tag->start), (int)tag->body.len, tag->body.at);
}

static enum err tmpl_parse_tag(struct tmpl_parser *parser, const char *start, struct err_info *info)
{
	struct tmpl_slice indent = {NULL, 0};
	const char *line, *next;
	struct tmpl_tag tag = {.start = start};
	enum err err;

	err = tmpl_read_tag(parser, &tag, info);
	if (err)
		return err;
	if (tag.sigil && strchr("#^/>!=", tag.sigil) && tmpl_is_alone(parser, &tag, &line, &next)) {
		if (parser->at < line)
			tmpl_add_text(parser, parser->at, line);
		indent = (struct tmpl_slice){line, (size_t)(start - line)};
		parser->at = next;
	} else {
		if (parser->at < start)
			tmpl_add_text(parser, parser->at, start);
		/* The tag may begin a line: an empty text keeps the place for the indentation. */
		if (start == parser->tmpl->text || start[-1] == '\n')
			tmpl_add_text(parser, start, start);
		parser->at = tag.end;
	}
	return tmpl_add_tag(parser, &tag, indent, info);
}

static enum err tmpl_check_text(const struct tmpl *tmpl, struct err_info *info)
{
	const char *line, *next, *end = tmpl->text + tmpl->len;

	for (line = tmpl->text; line < end; line = next) {
		next = memchr(line, '\n', (size_t)(end - line));
		next = next ? next + 1 : end;
		if (!utf8_valid(line, (size_t)(next - line), NULL))
			return err_set(info, ERR_CONFIG, "%s line %zu: this is not UTF-8.",
				tmpl->name, tmpl_line(tmpl, line));
	}
	return ERR_OK;
}

/* So that a subject on two lines is seen when it is loaded, not when the first mail is due. */
static enum err tmpl_check_header(const struct tmpl *tmpl, struct err_info *info)
{
	const struct tmpl_node *node;
	const char *newline;
	size_t i;

	for (i = 0; i < tmpl->count; i++) {
		node = &tmpl->nodes[i];
		if (node->type != TMPL_NODE_TEXT)
			continue;
		newline = memchr(node->text, '\n', node->len);
		if (newline)
			return err_set(info, ERR_CONFIG, "%s line %zu: a header is a single line.",
				tmpl->name, tmpl_line(tmpl, newline));
	}
	return ERR_OK;
}

enum err tmpl_parse(struct tmpl *tmpl, struct arena *arena, struct err_info *info)
{
	struct tmpl_parser parser = {.tmpl = tmpl,
		.arena = arena,
		.at = tmpl->text,
		.end = tmpl->text + tmpl->len,
		.open = {"{{", 2},
		.close = {"}}", 2}};
	const struct tmpl_node *section;
	const char *start;
	enum err err;

	err = tmpl_check_text(tmpl, info);
	if (err)
		return err;
	while ((start = memmem(parser.at, (size_t)(parser.end - parser.at), parser.open.at,
			parser.open.len))) {
		err = tmpl_parse_tag(&parser, start, info);
		if (err)
			return err;
	}
	if (parser.at < parser.end)
		tmpl_add_text(&parser, parser.at, parser.end);
	if (parser.depth) {
		section = &tmpl->nodes[parser.sections[parser.depth - 1]];
		return err_set(info, ERR_CONFIG,
			"%s line %zu: the section {{#%.*s}} is not closed.", tmpl->name,
			tmpl_line(tmpl, section->text), (int)section->len, section->text);
	}
	return tmpl->kind == TMPL_HEADER ? tmpl_check_header(tmpl, info) : ERR_OK;
}
