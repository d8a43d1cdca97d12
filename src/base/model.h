#ifndef MODEL_H
#define MODEL_H
/*
 * A model field is described once, and that row serves BSON, JSON and template values.
 *
 * Fields of a struct are of these C types:
 *   MODEL_STRING   const char *           NULL is null
 *   MODEL_INT      int64_t
 *   MODEL_BOOL     bool
 *   MODEL_INSTANT  int64_t (ms)           0 is null
 *   MODEL_ENUM     int                    index into `names`
 *   MODEL_OBJECT   struct T *             NULL is null
 *   MODEL_LIST     struct model_list      of T, contiguous
 *   MODEL_STRINGS  struct model_list      of const char *
 *   MODEL_INTS     struct model_list      of int64_t; .min and .max are those of each number
 *   MODEL_MAP      struct model_list      of struct model_pair; a JSON object of strings
 *   MODEL_TIMES    struct model_list      of struct model_time; only stored
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arena.h"
#include "err.h"

struct buf;
struct json_object;

enum model_type {
	MODEL_STRING,
	MODEL_INT,
	MODEL_BOOL,
	MODEL_INSTANT,
	MODEL_ENUM,
	MODEL_OBJECT,
	MODEL_LIST,
	MODEL_STRINGS,
	MODEL_INTS,
	MODEL_MAP,
	MODEL_TIMES,
};

enum model_flag {
	MODEL_STORED = 1 << 0,    /* in the database */
	MODEL_SHOWN = 1 << 1,     /* in JSON answers and template values */
	MODEL_SEALED = 1 << 2,    /* encrypted at rest (strings, each of a list or a map) */
	MODEL_HEAVY = 1 << 3,     /* not loaded for showing */
	MODEL_MS = 1 << 4,        /* instants: milliseconds in JSON */
	MODEL_REQUIRED = 1 << 5,  /* input and stored: must be present and not null */
	MODEL_MULTILINE = 1 << 6, /* input: LF, CR and TAB are allowed */
	MODEL_SPARSE = 1 << 7,    /* left out when null, zero or empty, instead of written */
	MODEL_KEY = 1 << 8,       /* the document's key: `_id` in the database */
	MODEL_HISTORY = 1 << 12,  /* not loaded for showing, unless the past is asked for */
	MODEL_INDEXED = 1 << 13,  /* what the rest is found by: not loaded for showing */
	/* Input, to be checked by those who know them: */
	MODEL_ZONE = 1 << 9,      /* an IANA time zone */
	MODEL_PROVIDER = 1 << 10, /* a provider that can be used now */
	MODEL_EMAIL = 1 << 11,    /* one deliverable address */
	MODEL_ACTOR = 1 << 20,    /* the id of a person or program */
	MODEL_LOCALE = 1 << 21,   /* a language tag */
	MODEL_TOKEN = 1 << 22,    /* of what ids and links of ours are made */
};

struct model_list {
	void *items;
	size_t count;
};

struct model_pair {
	const char *name, *value;
};

struct model_time {
	const char *name;
	int64_t at; /* ms */
};

struct model;

struct model_field {
	const char *name;
	enum model_type type;
	size_t offset;
	unsigned flags;
	const struct model *of;   /* MODEL_OBJECT, MODEL_LIST */
	const char *const *names; /* MODEL_ENUM: NULL-terminated, index is the value */
	int64_t min, max;         /* input: code points, integer range, or items; both 0 = any */
	const char *example;      /* of a string, for the description */
};

struct model {
	const char *name;
	size_t size;
	const struct model_field *fields;
	size_t field_count;
	/* Of an answer that is written in parts: whose members come before its own. */
	const struct model *base;
};

/* Iteration over the fields of a struct model *, which may have none. */
#define MODEL_FOREACH_FIELD(model, field)                                                          \
	for (const struct model_field *field = (model)->fields;                                    \
		field && field < (model)->fields + (model)->field_count; field++)

/* A row: MODEL_FIELD(struct t, member, MODEL_STRING, MODEL_STORED, .min = 1, .max = 9). */
#define MODEL_FIELD(c_type, member, field_type, field_flags, ...)                                  \
	{                                                                                          \
		.name = #member, .type = (field_type), .offset = offsetof(c_type, member),         \
		.flags = (field_flags), __VA_ARGS__                                                \
	}

#define MODEL(c_type, model_name, field_array)                                                     \
	{                                                                                          \
		.name = (model_name), .size = sizeof(c_type), .fields = (field_array),             \
		.field_count = sizeof(field_array) / sizeof((field_array)[0])                      \
	}

/* The i-th item, and iteration over all. `list` is a struct model_list *. */
#define MODEL_AT(list, c_type, i) (&((c_type *)(list)->items)[i])
#define MODEL_FOREACH(list, c_type, item)                                                          \
	for (c_type *item = (c_type *)(list)->items;                                               \
		item && item < (c_type *)(list)->items + (list)->count; item++)

/* Appends a zeroed item and returns it. Earlier pointers into the list become stale. Lists grow by
 * this function only. */
void *model_list_add(struct arena *arena, struct model_list *list, size_t item_size);
void model_list_remove(struct model_list *list, size_t item_size, size_t index);

/* The value of a map under that name, or NULL; sets or, with NULL, removes it. Strings are
 * borrowed. */
const char *model_map_get(const struct model_list *map, const char *name);
void model_map_set(
	struct arena *arena, struct model_list *map, const char *name, const char *value);

/* The items of a list of strings or numbers, as a field of their own; a list without limits of its
 * own has at most MODEL_MAX_ITEMS of them. */
enum { MODEL_MAX_ITEMS = 200 };
struct model_field model_item_field(const struct model_field *field);
bool model_counts_items(const struct model_field *field); /* whether min and max are of the list */

/* The value of an enum's name, or -1. */
int model_enum_value(const char *const *names, const char *name);

/* Writes an object as JSON (json_write.h): the fields that have any of `flags`. The members alone
 * where others are to follow in the same object, or the whole as a text in the arena. */
void model_write(const struct model *model, const void *object, unsigned flags, struct buf *out);
void model_write_members(
	const struct model *model, const void *object, unsigned flags, struct buf *out);
char *model_text(
	struct arena *arena, const struct model *model, const void *object, unsigned flags);

/*
 * Fills `object` from untrusted JSON, strictly: unknown fields, wrong types, missing required
 * fields, lengths, ranges and characters that nobody may write (utf8_refusal) are all noted with
 * their JSON pointer.
 * Strings are copied into the arena. `base` is the pointer of the object itself ("" for a body).
 * ERR_INVALID when anything was noted; `object` is then not to be used.
 */
enum err model_from_json(const struct model *model, struct arena *arena, struct json_object *json,
	const char *base, void *object, struct err_info *info);
#endif
