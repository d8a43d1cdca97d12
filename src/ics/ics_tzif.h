#ifndef ICS_TZIF_H
#define ICS_TZIF_H
/*
 * A compiled time zone (TZif version 2 and later, RFC 9636): its recorded transitions, and the
 * POSIX rule that goes on after the last of them. Read only once parsed; never blocks.
 *
 * libical reads these files too, but 3.0.16 gets the rule wrong: St John's is off by an hour or two
 * after 2037, a dozen zones are around their changes, Easter Island is from 2020, and with tzdata
 * in zic's slim format 56 names are wrong today. It also drops the abbreviations.
 */
#include <stddef.h>
#include <stdint.h>

#include "ics_tzrule.h"

struct ics_tzif;

/* NULL when the bytes are not a well-formed zone, or one that counts leap seconds. */
struct ics_tzif *ics_tzif_parse(const unsigned char *bytes, size_t len);
void ics_tzif_free(struct ics_tzif **zone);

/* What applies at a Unix time in seconds. Borrowed from the zone. */
const struct ics_tztype *ics_tzif_at(const struct ics_tzif *zone, int64_t at);
#endif
