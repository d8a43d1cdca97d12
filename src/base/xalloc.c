#include "xalloc.h"

#include <stdlib.h>
#include <string.h>

#include "log.h"

static void *xalloc_check(void *memory)
{
	if (!memory) {
		log_error("out of memory");
		abort();
	}
	return memory;
}

void *xmalloc(size_t size)
{
	return xalloc_check(malloc(size ? size : 1));
}

void *xcalloc(size_t count, size_t size)
{
	return xalloc_check(calloc(count ? count : 1, size ? size : 1));
}

void *xrealloc(void *memory, size_t size)
{
	return xalloc_check(realloc(memory, size ? size : 1));
}

char *xstrdup(const char *text)
{
	return text ? xalloc_check(strdup(text)) : NULL;
}
