#include "tmpl_private.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "utf8.h"

struct tmpl_run {
	const struct tmpl_set *set;
	const struct tmpl *root; /* its kind decides how values are escaped */
	struct buf *out;
	size_t steps;
};

/* The values that names are looked up in: the innermost first. */
struct tmpl_scope {
	const struct tmpl_scope *outer;
	struct json_object *value;
};

/* A template being rendered, and what its lines are indented by: the indentation of `indented`
 * (NULL: none), then its own. */
struct tmpl_frame {
	const struct tmpl_frame *indented;
	const struct tmpl *tmpl;
	const char *indent;
	size_t indent_len;
	int depth; /* of partials */
};

/* Only the first key of a dotted name is looked for in outer scopes. */
static struct json_object *tmpl_lookup(const struct tmpl_node *node, const struct tmpl_scope *scope)
{
	struct json_object *value = NULL;
	const char *key = node->keys;
	size_t i;

	if (!node->key_count)
		return scope->value;
	while (scope && !json_object_object_get_ex(scope->value, key, &value))
		scope = scope->outer;
	for (i = 1; i < node->key_count; i++) {
		key += strlen(key) + 1;
		value = json_object_object_get(value, key);
	}
	return value;
}

/* The fewest digits that read back as the same number: 1.21, not 1.2099999999999999. */
static void tmpl_format_double(double number, char *text_r, size_t size)
{
	int digits;

	for (digits = 15; digits <= 17; digits++) {
		snprintf(text_r, size, "%.*g", digits, number);
		if (strtod(text_r, NULL) == number)
			break;
	}
}

/* A value is on one line of a calendar, whatever the template does with it. */
static void tmpl_add_ical_raw(struct buf *out, const char *text)
{
	const char *end = text + strlen(text);
	size_t len;

	for (;; text += utf8_line_break(text)) {
		len = utf8_line(text, (size_t)(end - text));
		buf_add(out, text, len);
		text += len;
		if (text == end)
			return;
		buf_add_text(out, "\\n");
	}
}

static void tmpl_render_value(
	struct tmpl_run *run, const struct tmpl_node *node, struct json_object *value)
{
	enum tmpl_place place = TMPL_PLACE_TAG; /* numbers need nothing around them */
	const char *text;
	char number[32];
	size_t len;

	switch (json_object_get_type(value)) {
	case json_type_null:
	case json_type_object:
	case json_type_array:
		return;
	case json_type_double:
		tmpl_format_double(json_object_get_double(value), number, sizeof(number));
		text = number;
		len = strlen(number);
		break;
	case json_type_string:
		text = json_object_get_string(value);
		len = (size_t)json_object_get_string_len(value);
		place = node->place;
		break;
	default:
		text = json_object_get_string(value);
		len = strlen(text);
	}
	if (node->type == TMPL_NODE_RAW && run->root->kind == TMPL_ICAL)
		tmpl_add_ical_raw(run->out, text);
	else if (node->type == TMPL_NODE_RAW)
		buf_add(run->out, text, len);
	else
		tmpl_escape(run->out, run->root->kind, place, text, len);
}

static void tmpl_render_indent(struct tmpl_run *run, const struct tmpl_frame *frame)
{
	if (!frame)
		return;
	tmpl_render_indent(run, frame->indented);
	if (frame->indent)
		buf_add(run->out, frame->indent, frame->indent_len);
}

static void tmpl_render_text(
	struct tmpl_run *run, const struct tmpl_frame *frame, const struct tmpl_node *node)
{
	const char *line = node->text, *end = line + node->len, *next;

	if (node->starts_line)
		tmpl_render_indent(run, frame);
	while ((next = memchr(line, '\n', (size_t)(end - line))) && next + 1 < end) {
		buf_add(run->out, line, (size_t)(next + 1 - line));
		tmpl_render_indent(run, frame);
		line = next + 1;
	}
	buf_add(run->out, line, (size_t)(end - line));
}

static enum err tmpl_render_nodes(struct tmpl_run *run, const struct tmpl_frame *frame, size_t from,
	size_t to, const struct tmpl_scope *scope, struct err_info *info);

/* false, null, 0, "", an empty list and a name that is not there do not count as true. */
static bool tmpl_is_true(struct json_object *value)
{
	switch (json_object_get_type(value)) {
	case json_type_object:
		return true;
	case json_type_array:
		return json_object_array_length(value) > 0;
	default:
		return json_object_get_boolean(value);
	}
}

static enum err tmpl_render_section(struct tmpl_run *run, const struct tmpl_frame *frame,
	size_t index, const struct tmpl_scope *scope, struct err_info *info)
{
	const struct tmpl_node *node = &frame->tmpl->nodes[index];
	struct tmpl_scope inner = {scope, tmpl_lookup(node, scope)};
	struct json_object *list = inner.value;
	size_t i, count;
	enum err err;

	if (tmpl_is_true(list) == (node->type == TMPL_NODE_INVERTED))
		return ERR_OK;
	if (node->type == TMPL_NODE_INVERTED)
		return tmpl_render_nodes(run, frame, index + 1, node->end, scope, info);
	if (!json_object_is_type(list, json_type_array))
		return tmpl_render_nodes(run, frame, index + 1, node->end, &inner, info);
	count = json_object_array_length(list);
	for (i = 0; i < count; i++) {
		inner.value = json_object_array_get_idx(list, i);
		err = tmpl_render_nodes(run, frame, index + 1, node->end, &inner, info);
		if (err)
			return err;
	}
	return ERR_OK;
}

static enum err tmpl_render_partial(struct tmpl_run *run, const struct tmpl_frame *frame,
	const struct tmpl_node *node, const struct tmpl_scope *scope, struct err_info *info)
{
	struct tmpl_frame inner = {
		.indented = node->indent ? frame : NULL,
		.tmpl = tmpl_set_get(run->set, node->text, node->len),
		.indent = node->indent,
		.indent_len = node->indent_len,
		.depth = frame->depth + 1,
	};

	if (!inner.tmpl)
		return ERR_OK;
	if (inner.depth > TMPL_MAX_PARTIALS)
		return err_set(info, ERR_INTERNAL, "%s line %zu: partials nest deeper than %d.",
			frame->tmpl->name, tmpl_line(frame->tmpl, node->text), TMPL_MAX_PARTIALS);
	return tmpl_render_nodes(run, &inner, 0, inner.tmpl->count, scope, info);
}

static enum err tmpl_render_nodes(struct tmpl_run *run, const struct tmpl_frame *frame, size_t from,
	size_t to, const struct tmpl_scope *scope, struct err_info *info)
{
	const struct tmpl_node *node;
	enum err err = ERR_OK;
	size_t i;

	for (i = from; i < to && !err; i++) {
		node = &frame->tmpl->nodes[i];
		if (++run->steps > TMPL_MAX_STEPS)
			return err_set(info, ERR_INTERNAL,
				"%s line %zu: this is too much to render.", frame->tmpl->name,
				tmpl_line(frame->tmpl, node->text));
		switch (node->type) {
		case TMPL_NODE_TEXT:
			tmpl_render_text(run, frame, node);
			break;
		case TMPL_NODE_VALUE:
		case TMPL_NODE_RAW:
			tmpl_render_value(run, node, tmpl_lookup(node, scope));
			break;
		case TMPL_NODE_SECTION:
		case TMPL_NODE_INVERTED:
			err = tmpl_render_section(run, frame, i, scope, info);
			i = node->end - 1;
			break;
		case TMPL_NODE_PARTIAL:
			err = tmpl_render_partial(run, frame, node, scope, info);
			break;
		}
		if (run->out->overflow && !err)
			err = err_set(info, ERR_INTERNAL, "%s: the output passes %zu bytes.",
				run->root->name, run->out->ceiling);
	}
	return err;
}

enum err tmpl_render(const struct tmpl_set *set, const char *name, struct json_object *values,
	struct buf *out, struct err_info *info)
{
	struct tmpl_run run = {
		.set = set, .out = out, .root = tmpl_set_get(set, name, strlen(name))};
	struct tmpl_frame frame = {.tmpl = run.root};
	struct tmpl_scope scope = {NULL, values};
	size_t start = out->len;
	const char *text;
	enum err err;

	if (!run.root)
		return err_set(info, ERR_INTERNAL, "There is no template %s.", name);
	err = tmpl_render_nodes(&run, &frame, 0, run.root->count, &scope, info);
	text = out->bytes + start;
	if (!err && run.root->kind == TMPL_HEADER &&
		(strlen(text) != out->len - start || utf8_has_control(text, false)))
		err = err_set(info, ERR_INTERNAL, "%s: a control character in a header.", name);
	return err;
}
