#include <string.h>

#include "provider.h"
#include "provider_google.h"
#include "provider_jitsi.h"
#include "provider_teams.h"
#include "provider_zoom.h"

const struct provider *const provider_table[] = {
	&provider_google,
	&provider_jitsi,
	&provider_teams,
	&provider_zoom,
	NULL,
};

size_t provider_index(const struct provider *provider)
{
	size_t i = 0;

	while (provider_table[i] && provider_table[i] != provider)
		i++;
	return i;
}

const struct provider *provider_find(const char *name)
{
	size_t i;

	for (i = 0; provider_table[i]; i++)
		if (strcmp(provider_table[i]->name, name) == 0)
			return provider_table[i];
	return NULL;
}
