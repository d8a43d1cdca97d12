#include <fnmatch.h>
#include <string.h>

#include "tmpl_private.h"

struct tmpl_check {
	const struct tmpl_set *set;
	const char *const *const *names;
	size_t steps;
};

/* What names are looked up in, the innermost first: the first `len` bytes of a name we know. */
struct tmpl_check_scope {
	const struct tmpl_check_scope *outer;
	const char *path;
	size_t len;
};

/* A template being walked, and those that it is a partial of. */
struct tmpl_check_frame {
	const struct tmpl_check_frame *outer;
	const struct tmpl *tmpl;
	int depth;
};

/* A name we know that is scope.key, or begins with it and a dot; NULL when there is none. */
static const char *tmpl_check_find(const struct tmpl_check *check,
	const struct tmpl_check_scope *scope, const char *key, size_t len)
{
	const char *const *const *list, *const *name;
	const char *rest;

	for (list = check->names; *list; list++)
		for (name = *list; *name; name++) {
			if (strncmp(*name, scope->path, scope->len) != 0)
				continue;
			rest = *name + scope->len;
			if (scope->len && *rest++ != '.')
				continue;
			if (strncmp(rest, key, len) == 0 && (!rest[len] || rest[len] == '.'))
				return *name;
		}
	return NULL;
}

/* As a rendering looks it up: what the first key is found in has to have the others. */
static bool tmpl_check_lookup(const struct tmpl_check *check, const struct tmpl_node *node,
	const struct tmpl_check_scope *scope, struct tmpl_check_scope *found_r)
{
	const struct tmpl_check_scope *in = scope;

	*found_r = *scope;
	if (!node->key_count)
		return true;
	while (in && !tmpl_check_find(check, in, node->text, strlen(node->keys)))
		in = in->outer;
	found_r->outer = scope;
	found_r->path = in ? tmpl_check_find(check, in, node->text, node->len) : NULL;
	found_r->len = in ? in->len + (in->len > 0) + node->len : 0;
	return found_r->path != NULL;
}

static enum err tmpl_check_nodes(struct tmpl_check *check, const struct tmpl_check_frame *frame,
	size_t from, size_t to, const struct tmpl_check_scope *scope, struct err_info *info);

/* One within itself is not walked again: it sees what it saw before. */
static enum err tmpl_check_partial(struct tmpl_check *check, const struct tmpl_check_frame *frame,
	const struct tmpl_node *node, const struct tmpl_check_scope *scope, struct err_info *info)
{
	const struct tmpl_check_frame inner = {.outer = frame,
		.tmpl = tmpl_set_get(check->set, node->text, node->len),
		.depth = frame->depth + 1};
	const struct tmpl_check_frame *open = frame;

	while (open && open->tmpl != inner.tmpl)
		open = open->outer;
	if (open || !inner.tmpl)
		return ERR_OK;
	if (inner.depth > TMPL_MAX_PARTIALS)
		return err_set(info, ERR_CONFIG, "%s line %zu: partials nest deeper than %d.",
			frame->tmpl->name, tmpl_line(frame->tmpl, node->text), TMPL_MAX_PARTIALS);
	return tmpl_check_nodes(check, &inner, 0, inner.tmpl->count, scope, info);
}

static enum err tmpl_check_nodes(struct tmpl_check *check, const struct tmpl_check_frame *frame,
	size_t from, size_t to, const struct tmpl_check_scope *scope, struct err_info *info)
{
	const struct tmpl *tmpl = frame->tmpl;
	const struct tmpl_node *node;
	struct tmpl_check_scope inner;
	enum err err = ERR_OK;
	size_t i;

	for (i = from; i < to && !err; i++) {
		node = &tmpl->nodes[i];
		if (++check->steps > TMPL_MAX_STEPS)
			return err_set(info, ERR_CONFIG, "%s line %zu: this is too much to render.",
				tmpl->name, tmpl_line(tmpl, node->text));
		if (node->type == TMPL_NODE_PARTIAL)
			err = tmpl_check_partial(check, frame, node, scope, info);
		if (node->type == TMPL_NODE_TEXT || node->type == TMPL_NODE_PARTIAL)
			continue;
		if (!tmpl_check_lookup(check, node, scope, &inner))
			return err_set(info, ERR_CONFIG,
				"%s line %zu: there is no value named %.*s here.", tmpl->name,
				tmpl_line(tmpl, node->text), (int)node->len, node->text);
		if (node->type == TMPL_NODE_SECTION) {
			err = tmpl_check_nodes(check, frame, i + 1, node->end, &inner, info);
			i = node->end - 1;
		}
	}
	return err;
}

enum err tmpl_check_names(const struct tmpl_set *set, const char *pattern,
	const char *const *const *names, struct err_info *info)
{
	const struct tmpl_check_scope scope = {.path = ""};
	struct tmpl_check check = {.set = set, .names = names};
	struct tmpl_check_frame frame = {0};
	enum err err = ERR_OK;
	bool found = false;

	for (frame.tmpl = set->first; frame.tmpl && !err; frame.tmpl = frame.tmpl->next) {
		if (fnmatch(pattern, frame.tmpl->name, FNM_PATHNAME) != 0)
			continue;
		found = true;
		check.steps = 0;
		err = tmpl_check_nodes(&check, &frame, 0, frame.tmpl->count, &scope, info);
	}
	return found ? err : err_set(info, ERR_CONFIG, "%s: there is no such template.", pattern);
}
