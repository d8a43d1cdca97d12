#ifndef FAULT_H
#define FAULT_H
/*
 * Sudden death at a named place, for the tests that show nothing is lost or doubled.
 * MEETLINK_FAULT=<place>:<file> arms one place: the first process to pass it while <file> exists
 * removes the file and kills itself with SIGKILL. Unset, a place costs one comparison.
 */
enum fault {
#define FAULT(name, place) FAULT_##name,
#include "fault_table.h"
#undef FAULT
	FAULT_COUNT
};

/* Reads MEETLINK_FAULT. 0, or -1 when it names no known place. */
int fault_init(void);

void fault_pass(enum fault fault);
#endif
