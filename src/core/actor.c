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
