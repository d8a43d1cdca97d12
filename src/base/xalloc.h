#ifndef XALLOC_H
#define XALLOC_H
/* Allocation that ends the process when memory is gone: see DESIGN.md, no path handles it. */
#include <stddef.h>

void *xmalloc(size_t size);
void *xcalloc(size_t count, size_t size);
void *xrealloc(void *memory, size_t size);
char *xstrdup(const char *text); /* NULL stays NULL */
#endif
