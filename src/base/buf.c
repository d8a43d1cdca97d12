#include "buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arena.h"
#include "xalloc.h"

void buf_init(struct buf *buf, size_t ceiling)
{
	*buf = (struct buf){.ceiling = ceiling, .size = 256};
	buf->bytes = xcalloc(1, buf->size);
}

void buf_fini(struct buf *buf)
{
	free(buf->bytes);
	*buf = (struct buf){0};
}

char *buf_keep(struct buf *buf, struct arena *arena)
{
	char *text = arena_strndup(arena, buf->bytes, buf->len);

	buf_fini(buf);
	return text;
}

char *buf_grow(struct buf *buf, size_t len)
{
	if (buf->overflow || len > buf->ceiling - buf->len) {
		buf->overflow = true;
		return NULL;
	}
	while (buf->size - buf->len < len + 1)
		buf->size *= 2;
	buf->bytes = xrealloc(buf->bytes, buf->size);
	return buf->bytes + buf->len;
}

void buf_add(struct buf *buf, const void *bytes, size_t len)
{
	char *to = buf_room(buf, len);

	if (!to)
		return;
	memcpy(to, bytes, len);
	buf->len += len;
	buf->bytes[buf->len] = '\0';
}

void buf_add_char(struct buf *buf, char c)
{
	buf_add(buf, &c, 1);
}

void buf_add_text(struct buf *buf, const char *text)
{
	buf_add(buf, text, strlen(text));
}

void buf_cut(struct buf *buf, size_t len)
{
	buf->len = len;
	buf->overflow = false;
	buf->bytes[len] = '\0';
}

void buf_addf(struct buf *buf, const char *format, ...)
{
	char small[512];
	va_list args, again;
	char *large;
	int len;

	va_start(args, format);
	va_copy(again, args);
	len = vsnprintf(small, sizeof(small), format, args);
	va_end(args);
	if (len < 0) {
		buf->overflow = true;
	} else if ((size_t)len < sizeof(small)) {
		buf_add(buf, small, (size_t)len);
	} else {
		large = xmalloc((size_t)len + 1);
		vsnprintf(large, (size_t)len + 1, format, again);
		buf_add(buf, large, (size_t)len);
		free(large);
	}
	va_end(again);
}
