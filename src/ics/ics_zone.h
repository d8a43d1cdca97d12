#ifndef ICS_ZONE_H
#define ICS_ZONE_H
/*
 * IANA time zones from the system's tzdata. Thread-safe. A zone is read from disk when it is first
 * asked for and then kept, so a process sees new tzdata only after a restart.
 */
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

struct ics_zone_local {
	struct tm tm;          /* the wall clock there; tm_isdst, tm_gmtoff and tm_zone are set */
	int offset_s;          /* seconds east of UTC */
	char abbreviation[16]; /* "CET", or "+0330" where tzdata has no letters */
};

/* Whether `name` is a zone of the system's tzdata, spelled exactly ("Europe/Berlin", "UTC"). */
bool ics_zone_valid(const char *name);

/* The wall clock of an instant (ms) in a zone; false when the zone does not exist. */
bool ics_zone_local(const char *name, int64_t instant, struct ics_zone_local *local_r);

/* The version of the system's tzdata as it is now ("2026a"), or "unknown". */
enum { ICS_ZONE_VERSION_SIZE = 16 };
void ics_zone_version(char version_r[ICS_ZONE_VERSION_SIZE]);
#endif
