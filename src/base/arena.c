#include "arena.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "xalloc.h"

enum { ARENA_BLOCK = 16 * 1024 };

struct arena_block {
	struct arena_block *next;
	size_t used, size;
	_Alignas(max_align_t) unsigned char bytes[];
};

struct arena_release {
	struct arena_release *next;
	void (*release)(void *handle);
	void *handle;
};

struct arena {
	struct arena_block *blocks;
	struct arena_release *releases;
};

static struct arena_block *arena_block_new(size_t size)
{
	struct arena_block *block = xmalloc(sizeof(*block) + size);

	block->next = NULL;
	block->used = 0;
	block->size = size;
	return block;
}

struct arena *arena_new(void)
{
	struct arena *arena = xmalloc(sizeof(*arena));

	arena->blocks = arena_block_new(ARENA_BLOCK);
	arena->releases = NULL;
	return arena;
}

void arena_free(struct arena **arena)
{
	struct arena_release *release;
	struct arena_block *block, *next;

	if (!*arena)
		return;
	for (release = (*arena)->releases; release; release = release->next)
		release->release(release->handle);
	for (block = (*arena)->blocks; block; block = next) {
		next = block->next;
		free(block);
	}
	free(*arena);
	*arena = NULL;
}

void *arena_alloc(struct arena *arena, size_t size)
{
	const size_t align = _Alignof(max_align_t);
	struct arena_block *block = arena->blocks;
	void *memory;

	if (size > SIZE_MAX / 2)
		abort();
	size = (size + align - 1) & ~(align - 1);
	if (block->size - block->used < size) {
		block = arena_block_new(size > ARENA_BLOCK / 4 ? size : ARENA_BLOCK);
		if (size > ARENA_BLOCK / 4) {
			/* A large piece gets a block of its own behind the current one. */
			block->next = arena->blocks->next;
			arena->blocks->next = block;
		} else {
			block->next = arena->blocks;
			arena->blocks = block;
		}
	}
	memory = block->bytes + block->used;
	block->used += size;
	return memset(memory, 0, size);
}

char *arena_strndup(struct arena *arena, const char *text, size_t len)
{
	char *copy = arena_alloc(arena, len + 1);

	return memcpy(copy, text, len);
}

char *arena_strdup(struct arena *arena, const char *text)
{
	return text ? arena_strndup(arena, text, strlen(text)) : NULL;
}

char *arena_concat(struct arena *arena, ...)
{
	va_list texts, again;
	const char *text;
	size_t len = 0;
	char *whole, *to;

	va_start(texts, arena);
	va_copy(again, texts);
	while ((text = va_arg(texts, const char *)))
		len += strlen(text);
	va_end(texts);
	to = whole = arena_alloc(arena, len + 1);
	while ((text = va_arg(again, const char *)))
		to = stpcpy(to, text);
	va_end(again);
	return whole;
}

char *arena_vprintf(struct arena *arena, const char *format, va_list args)
{
	va_list again;
	char *text;
	int len;

	va_copy(again, args);
	len = vsnprintf(NULL, 0, format, again);
	va_end(again);
	if (len < 0)
		abort();
	text = arena_alloc(arena, (size_t)len + 1);
	vsnprintf(text, (size_t)len + 1, format, args);
	return text;
}

char *arena_printf(struct arena *arena, const char *format, ...)
{
	va_list args;
	char *text;

	va_start(args, format);
	text = arena_vprintf(arena, format, args);
	va_end(args);
	return text;
}

void arena_defer(struct arena *arena, void (*release)(void *handle), void *handle)
{
	struct arena_release *entry = arena_alloc(arena, sizeof(*entry));

	entry->release = release;
	entry->handle = handle;
	entry->next = arena->releases;
	arena->releases = entry;
}
