#include "actor.h"

#include <stddef.h>

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
