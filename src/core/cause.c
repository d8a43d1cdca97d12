#include "cause.h"

#include <stdio.h>
#include <string.h>

#include "id.h"

const char *const source_names[] = {
	[SOURCE_API] = "api",
	[SOURCE_DISPATCHER] = "dispatcher",
	[SOURCE_PROVIDER] = "provider",
	[SOURCE_GATE] = "gate",
	[SOURCE_CLI] = "cli",
	NULL,
};

const char *cause_id(struct cause *cause)
{
	char serial[16], *id = arena_alloc(cause->arena, ID_SIZE);

	snprintf(serial, sizeof(serial), "%u", cause->serial++);
	id_derive(id, cause->seed, sizeof(cause->seed), serial, NULL);
	return id;
}

int64_t cause_jitter(struct cause *cause, int64_t bound)
{
	unsigned char bytes[ID_BYTES];
	uint64_t number;

	if (bound <= 0 || !id_decode(cause_id(cause), bytes))
		return 0;
	memcpy(&number, bytes, sizeof(number));
	return (int64_t)(number % ((uint64_t)bound + 1));
}
