#ifndef TMPL_PRIVATE_H
#define TMPL_PRIVATE_H
/*
 * A parsed template: an array of nodes in the order of the text. A section's body is the nodes
 * between it and its `end`. Nodes point into the template's own copy of the text.
 */
#include <stdbool.h>
#include <stddef.h>

#include "arena.h"
#include "tmpl.h"

enum {
	TMPL_MAX_SECTIONS = 64,       /* one within another, in a template */
	TMPL_MAX_PARTIALS = 32,       /* one within another, in a rendering */
	TMPL_MAX_STEPS = 1000 * 1000, /* nodes visited by a rendering */
	TMPL_MAX_FILE = 256 * 1024,   /* bytes */
	TMPL_MAX_FOLDERS = 8,         /* one within another */
};

enum tmpl_node_type {
	TMPL_NODE_TEXT,
	TMPL_NODE_VALUE,
	TMPL_NODE_RAW,
	TMPL_NODE_SECTION,
	TMPL_NODE_INVERTED,
	TMPL_NODE_PARTIAL,
};

/* Where a value stands, which decides how it is kept apart from what is around it. */
enum tmpl_place {
	TMPL_PLACE_INLINE,    /* among other text */
	TMPL_PLACE_ELEMENT,   /* the same in HTML, where there are elements for it */
	TMPL_PLACE_PARAGRAPH, /* alone: its direction is its own */
	TMPL_PLACE_TAG,       /* in an HTML tag: an attribute */
	TMPL_PLACE_FIELD,     /* what a person typed, in <textarea>: as it was typed */
};

struct tmpl_node {
	enum tmpl_node_type type;
	const char *text; /* the text, or the name as it is written */
	size_t len;
	bool starts_line;   /* text: its first byte begins a line */
	const char *keys;   /* values, sections: key_count texts in a row, each ended by NUL */
	size_t key_count;   /* 0: the value at hand, `.` */
	const char *indent; /* partials alone on their line: what is before the tag; else NULL */
	size_t indent_len;
	enum tmpl_place place; /* values */
	size_t end;            /* sections: index of the first node behind the body */
};

struct tmpl {
	struct tmpl *next;
	const char *name;
	size_t name_len;
	enum tmpl_kind kind;
	const char *text;
	size_t len;
	struct tmpl_node *nodes; /* heap; NULL when it is empty */
	size_t count, size;
};

struct tmpl_set {
	struct arena *arena;
	struct tmpl *first;
};

/* Fills the nodes of a template whose name, kind and text are set. ERR_CONFIG. */
enum err tmpl_parse(struct tmpl *tmpl, struct arena *arena, struct err_info *info);

/* The number of the line that `at`, a place in the template's text, is on. */
size_t tmpl_line(const struct tmpl *tmpl, const char *at);

/* `name` need not end with a NUL. NULL when there is none. */
const struct tmpl *tmpl_set_get(const struct tmpl_set *set, const char *name, size_t len);

/* What of an HTML template has been read, to know where the next value stands. */
struct tmpl_markup {
	const char *tag; /* begins the tag that is open, or was last; NULL: none yet */
	bool in_tag;
	bool plain; /* within an element that holds characters alone, such as <title> */
	bool field; /* which is <textarea> */
	bool own;   /* right behind a tag with dir="auto" */
	char quote; /* around the attribute that is open, or '\0' */
};
void tmpl_markup_read(struct tmpl_markup *markup, const char *text, size_t len);

/* The place of a value whose tag is from `start` to `end`, within the template's text. */
enum tmpl_place tmpl_place_find(const struct tmpl *tmpl, const struct tmpl_markup *markup,
	const char *start, const char *end);

/* Appends a value's text as a template of this kind must hold it in this place. A NUL follows. */
void tmpl_escape(
	struct buf *out, enum tmpl_kind kind, enum tmpl_place place, const char *text, size_t len);
#endif
