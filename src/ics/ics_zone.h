#ifndef ICS_ZONE_H
#define ICS_ZONE_H
/* IANA time zones (libical over the system's tzdata). Thread-safe; does not block. */
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

struct ics_zone_local {
	struct tm tm;             /* the wall clock there; tm_isdst is set */
	int offset_s;             /* seconds east of UTC */
	char abbreviation[16];    /* "CET", or "+0330" where tzdata has no letters */
};

/* Whether `name` is a zone of the system's tzdata, spelled exactly ("Europe/Berlin", "UTC"). */
bool ics_zone_valid(const char *name);

/* The wall clock of an instant (ms) in a zone; false when the zone does not exist. */
bool ics_zone_local(const char *name, int64_t instant, struct ics_zone_local *local_r);
#endif
