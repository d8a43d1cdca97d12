#include <string.h>

#include "provider.h"
#include "provider_jitsi.h"

const struct provider *const provider_table[] = {
	&provider_jitsi,
	NULL,
};

const struct provider *provider_find(const char *name)
{
	size_t i;

	for (i = 0; provider_table[i]; i++)
		if (strcmp(provider_table[i]->name, name) == 0)
			return provider_table[i];
	return NULL;
}
