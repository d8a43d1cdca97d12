#ifndef JSON_WRITE_H
#define JSON_WRITE_H
/*
 * JSON written straight into a buffer: what goes out is never a tree. Members and items are put one
 * after the other, and the comma between two follows from the byte before, so there is no state but
 * the buffer:
 *
 *	json_write_open(out, '{');
 *	json_write_name(out, "items");
 *	json_write_open(out, '[');
 *	json_write_text(out, "one");
 *	json_write_int(out, 2);
 *	json_write_close(out, ']');
 *	json_write_close(out, '}');            {"items":["one",2]}
 *
 * No white space. Texts are UTF-8 and stay so; what RFC 8259 section 7 wants escaped is, in its
 * short form where there is one. An object of a model: model_write() (model.h).
 */
#include <stdint.h>

#include "buf.h"

void json_write_open(struct buf *out, char bracket);
void json_write_close(struct buf *out, char bracket);
void json_write_name(struct buf *out, const char *name); /* of ours: nothing is escaped */
void json_write_key(struct buf *out, const char *name);  /* any */

void json_write_text(struct buf *out, const char *text); /* NULL: null */
void json_write_int(struct buf *out, int64_t number);
void json_write_bool(struct buf *out, bool value);
void json_write_instant(struct buf *out, int64_t instant, bool with_ms); /* 0: null */

/* A name and a text. */
void json_write_member(struct buf *out, const char *name, const char *text);

/* One text of several parts; the list ends with NULL. */
void json_write_joined(struct buf *out, ...) __attribute__((sentinel));
#endif
