#ifndef ICS_TZRULE_H
#define ICS_TZRULE_H
/*
 * The rule that goes on after a compiled zone's last transition: a POSIX TZ string with the
 * extension of RFC 9636 section 3.3.1 (hours from -167 to 167): "CET-1CEST,M3.5.0,M10.5.0/3".
 */
#include <stdbool.h>
#include <stdint.h>

enum {
	ICS_TZ_ABBREVIATION_SIZE = 16,
	ICS_TZ_MAX_OFFSET = 93599, /* 25:59:59, RFC 9636 section 3.2 */
};

/* What a wall clock shows: RFC 9636 calls it a local time type. */
struct ics_tztype {
	int offset_s; /* seconds east of UTC */
	bool dst;
	char abbreviation[ICS_TZ_ABBREVIATION_SIZE];
};

struct ics_tzchange {
	enum { ICS_TZ_JULIAN, ICS_TZ_ZERO_BASED, ICS_TZ_WEEKDAY } kind; /* Jn, n, Mm.w.d */
	int month, week, day;
	int time_s; /* after midnight, by the wall clock before the change */
};

struct ics_tzrule {
	struct ics_tztype standard, daylight;
	struct ics_tzchange to_daylight, to_standard;
	bool has_daylight;
};

bool ics_tzrule_parse(const char *text, struct ics_tzrule *rule_r);

/* What the rule says for a Unix time in seconds. Borrowed from the rule. */
const struct ics_tztype *ics_tzrule_at(const struct ics_tzrule *rule, int64_t at);
#endif
