#include "model.h"

#include <string.h>

void *model_list_add(struct arena *arena, struct model_list *list, size_t item_size)
{
	char *items = arena_alloc(arena, (list->count + 1) * item_size);

	if (list->count)
		memcpy(items, list->items, list->count * item_size);
	list->items = items;
	return items + list->count++ * item_size;
}

void model_list_remove(struct model_list *list, size_t item_size, size_t index)
{
	char *items = list->items;

	memmove(items + index * item_size, items + (index + 1) * item_size,
		(list->count - index - 1) * item_size);
	list->count--;
}

int model_enum_value(const char *const *names, const char *name)
{
	int i;

	for (i = 0; names[i]; i++)
		if (strcmp(names[i], name) == 0)
			return i;
	return -1;
}
