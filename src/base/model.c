#include "model.h"

#include <string.h>

void *model_list_add(struct arena *arena, struct model_list *list, size_t item_size)
{
	const size_t count = list->count;
	char *items = list->items;

	/* Room doubles whenever the count reaches a power of two, so it need not be remembered. */
	if ((count & (count - 1)) == 0) {
		items = arena_alloc(arena, (count ? 2 * count : 1) * item_size);
		if (count)
			memcpy(items, list->items, count * item_size);
		list->items = items;
	}
	list->count++;
	return memset(items + count * item_size, 0, item_size);
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
		if (names[i][0] == name[0] && strcmp(names[i], name) == 0)
			return i;
	return -1;
}

const char *model_map_get(const struct model_list *map, const char *name)
{
	MODEL_FOREACH (map, struct model_pair, pair) {
		if (strcmp(pair->name, name) == 0)
			return pair->value;
	}
	return NULL;
}

void model_map_set(struct arena *arena, struct model_list *map, const char *name, const char *value)
{
	struct model_pair *added;

	MODEL_FOREACH (map, struct model_pair, pair) {
		if (strcmp(pair->name, name) != 0)
			continue;
		pair->value = value;
		if (!value)
			model_list_remove(map, sizeof(*pair),
				(size_t)(pair - MODEL_AT(map, struct model_pair, 0)));
		return;
	}
	if (!value)
		return;
	added = model_list_add(arena, map, sizeof(*added));
	*added = (struct model_pair){.name = name, .value = value};
}
