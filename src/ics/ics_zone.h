#ifndef ICS_ZONE_H
#define ICS_ZONE_H
/*
 * IANA time zones from the system's tzdata: of the folder TZDIR, where that is set (tzset(3)).
 * Thread-safe. A zone is read from disk when it is first asked for, and then kept as long as its
 * file stays the same: each in use is looked at once a second, so that an update of the system's
 * package holds without a restart.
 */
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "model.h"

struct ics_zone_local {
	struct tm tm;          /* the wall clock there; tm_isdst and tm_gmtoff are set */
	int offset_s;          /* seconds east of UTC */
	char abbreviation[16]; /* "CET", or "+0330" where tzdata has no letters */
};

/* Whether `name` is a zone of the system's tzdata, spelled exactly ("Europe/Berlin", "UTC"). */
bool ics_zone_valid(const char *name);

/* The wall clock of an instant (ms) in a zone; false when the zone does not exist. */
bool ics_zone_local(const char *name, int64_t instant, struct ics_zone_local *local_r);

/* How far, in seconds, the zone's clock is east of UTC at two instants: two int64_t, in the arena;
 * none when the zone does not exist. */
struct model_list ics_zone_offsets(
	struct arena *arena, const char *name, int64_t start, int64_t end);

enum { ICS_ZONE_VERSION_SIZE = 32 };

/* Which tzdata that is: "2026f"; "unknown" of a folder that does not say. */
void ics_zone_version(char version_r[ICS_ZONE_VERSION_SIZE]);
#endif
