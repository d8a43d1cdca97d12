#ifndef BUF_H
#define BUF_H
/*
 * A growing byte buffer with a ceiling given at creation. Once an addition would pass the ceiling
 * nothing more is added and `overflow` stays set, so callers check once, at the end.
 * The bytes are always followed by a NUL that `len` does not count.
 */
#include <stdbool.h>
#include <stddef.h>

struct arena;

struct buf {
	char *bytes;
	size_t len, size, ceiling;
	bool overflow;
};

void buf_init(struct buf *buf, size_t ceiling);
void buf_fini(struct buf *buf);

/* What it holds, as a text in the arena; releases it. */
char *buf_keep(struct buf *buf, struct arena *arena);

void buf_add(struct buf *buf, const void *bytes, size_t len);
void buf_add_char(struct buf *buf, char c);
void buf_add_text(struct buf *buf, const char *text);
/* Takes away what was added since it had `len` bytes, and what was too much. */
void buf_cut(struct buf *buf, size_t len);
void buf_addf(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Room for so many bytes behind the last one: the caller writes there and adds to `len` what it
 * wrote, and puts a NUL behind it. NULL when that would pass the ceiling. */
char *buf_grow(struct buf *buf, size_t len);
static inline char *buf_room(struct buf *buf, size_t len)
{
	return !buf->overflow && len < buf->size - buf->len && len <= buf->ceiling - buf->len
		       ? buf->bytes + buf->len
		       : buf_grow(buf, len);
}
#endif
