#include "fault.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const fault_places[FAULT_COUNT] = {
#define FAULT(name, place) [FAULT_##name] = place,
#include "fault_table.h"
#undef FAULT
};

static enum fault fault_armed = FAULT_COUNT;
static const char *fault_file;

int fault_init(void)
{
	const char *value = getenv("MEETLINK_FAULT");
	size_t len;
	int i;

	if (!value || !value[0])
		return 0;
	for (i = 0; i < FAULT_COUNT; i++) {
		len = strlen(fault_places[i]);
		if (strncmp(value, fault_places[i], len) == 0 && value[len] == ':') {
			fault_armed = (enum fault)i;
			fault_file = value + len + 1;
			return 0;
		}
	}
	return -1;
}

void fault_pass(enum fault fault)
{
	if (fault == fault_armed && unlink(fault_file) == 0)
		raise(SIGKILL);
}
