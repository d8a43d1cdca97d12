#include "actor.h"

#include <stddef.h>
#include <string.h>

enum { ACTOR_MAX_ID = 128 };

const char *const role_names[] = {
	[ROLE_CLIENT] = "client",
	[ROLE_LAWYER] = "lawyer",
	[ROLE_ADMIN] = "admin",
	[ROLE_SERVICE] = "service",
	[ROLE_SYSTEM] = "system",
	NULL,
};

const char *const party_names[] = {[PARTY_CLIENT] = "client", [PARTY_LAWYER] = "lawyer", NULL};

const enum role party_roles[] = {[PARTY_CLIENT] = ROLE_CLIENT, [PARTY_LAWYER] = ROLE_LAWYER};

bool actor_id_valid(const char *id)
{
	size_t len;

	for (len = 0; id[len] > ' ' && id[len] < 0x7f; len++)
		;
	return id[len] == '\0' && len >= 1 && len <= ACTOR_MAX_ID && strcmp(id, ".") != 0 &&
	       strcmp(id, "..") != 0;
}
