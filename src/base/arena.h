#ifndef ARENA_H
#define ARENA_H
/*
 * Memory of one request or one unit of work, freed at once. Foreign handles (json_object, bson_t,
 * CURL, icalcomponent) are pushed with their free function and undone in reverse order.
 * Not thread-safe: an arena belongs to one thread at a time. Out of memory ends the process
 * (the master forks another), so no function here returns NULL.
 */
#include <stdarg.h>
#include <stddef.h>

struct arena;

struct arena *arena_new(void);
void arena_free(struct arena **arena);

/* Zeroed memory, aligned for any type. */
void *arena_alloc(struct arena *arena, size_t size);
char *arena_strdup(struct arena *arena, const char *text); /* NULL stays NULL */
char *arena_strndup(struct arena *arena, const char *text, size_t len);
char *arena_concat(struct arena *arena, ...) __attribute__((sentinel)); /* texts, then NULL */
char *arena_vprintf(struct arena *arena, const char *format, va_list args)
	__attribute__((format(printf, 2, 0)));
char *arena_printf(struct arena *arena, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Calls release(handle) when the arena is freed. */
void arena_defer(struct arena *arena, void (*release)(void *handle), void *handle);
#endif
