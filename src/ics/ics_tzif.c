#include "ics_tzif.h"

#include <stdlib.h>
#include <string.h>

#include "ics_tzrule.h"
#include "xalloc.h"

enum { TZIF_HEADER_SIZE = 44, TZIF_MAX_RULE = 128 };

struct tzif_header {
	uint64_t isutcnt, isstdcnt, leapcnt, timecnt, typecnt, charcnt;
};

struct ics_tzif {
	size_t transition_count;
	int64_t *transitions;           /* ascending */
	unsigned char *transition_type; /* index into types */
	struct ics_tztype *types;       /* the first applies before the first transition */
	struct ics_tzrule rule;         /* after the last transition */
	bool has_rule;
};

static uint64_t tzif_number(const unsigned char *p, int size)
{
	uint64_t value = 0;

	while (size--)
		value = value << 8 | *p++;
	return value;
}

/* RFC 9636 section 3.1. */
static bool tzif_header(const unsigned char *bytes, size_t len, struct tzif_header *header_r)
{
	if (len < TZIF_HEADER_SIZE || memcmp(bytes, "TZif", 4) != 0 || bytes[4] < '2')
		return false;
	header_r->isutcnt = tzif_number(bytes + 20, 4);
	header_r->isstdcnt = tzif_number(bytes + 24, 4);
	header_r->leapcnt = tzif_number(bytes + 28, 4);
	header_r->timecnt = tzif_number(bytes + 32, 4);
	header_r->typecnt = tzif_number(bytes + 36, 4);
	header_r->charcnt = tzif_number(bytes + 40, 4);
	return true;
}

static uint64_t tzif_block_size(const struct tzif_header *header, unsigned time_size)
{
	return header->timecnt * (time_size + 1) + header->typecnt * 6 + header->charcnt +
	       header->leapcnt * (time_size + 4) + header->isstdcnt + header->isutcnt;
}

/* The version 2 data block, section 3.2; `p` holds all of it. */
static bool tzif_block(
	const struct tzif_header *header, const unsigned char *p, struct ics_tzif *zone)
{
	const unsigned char *index = p + header->timecnt * 8;
	const unsigned char *types = index + header->timecnt;
	const char *names = (const char *)types + header->typecnt * 6;
	size_t i, name, name_len;

	zone->transition_count = header->timecnt;
	zone->transitions = xcalloc(header->timecnt + 1, sizeof(*zone->transitions));
	zone->transition_type = xcalloc(header->timecnt + 1, 1);
	zone->types = xcalloc(header->typecnt, sizeof(*zone->types));
	for (i = 0; i < header->timecnt; i++) {
		zone->transitions[i] = (int64_t)tzif_number(p + i * 8, 8);
		zone->transition_type[i] = index[i];
		if (index[i] >= header->typecnt ||
			(i && zone->transitions[i] <= zone->transitions[i - 1]))
			return false;
	}
	for (i = 0; i < header->typecnt; i++, types += 6) {
		name = types[5];
		if (name >= header->charcnt)
			return false;
		name_len = strnlen(names + name, header->charcnt - name);
		if (name_len == header->charcnt - name || name_len >= ICS_TZ_ABBREVIATION_SIZE)
			return false;
		zone->types[i].offset_s = (int32_t)tzif_number(types, 4);
		zone->types[i].dst = types[4] != 0;
		memcpy(zone->types[i].abbreviation, names + name, name_len);
		if (zone->types[i].offset_s < -ICS_TZ_MAX_OFFSET ||
			zone->types[i].offset_s > ICS_TZ_MAX_OFFSET)
			return false;
	}
	return true;
}

/* The footer, section 3.3: a POSIX rule between two newlines, empty where none is known. */
static bool tzif_footer(const unsigned char *p, size_t len, struct ics_tzif *zone)
{
	char rule[TZIF_MAX_RULE];
	const unsigned char *end;

	if (len < 2 || p[0] != '\n')
		return false;
	end = memchr(p + 1, '\n', len - 1);
	if (!end || end - (p + 1) >= TZIF_MAX_RULE)
		return false;
	memcpy(rule, p + 1, (size_t)(end - (p + 1)));
	rule[end - (p + 1)] = '\0';
	zone->has_rule = rule[0] != '\0';
	return !zone->has_rule || ics_tzrule_parse(rule, &zone->rule);
}

struct ics_tzif *ics_tzif_parse(const unsigned char *bytes, size_t len)
{
	struct ics_tzif *zone = NULL;
	struct tzif_header header;
	uint64_t skip, size;

	if (!tzif_header(bytes, len, &header))
		return NULL;
	skip = TZIF_HEADER_SIZE + tzif_block_size(&header, 4);
	if (skip > len || !tzif_header(bytes + skip, len - skip, &header))
		return NULL;
	skip += TZIF_HEADER_SIZE;
	size = tzif_block_size(&header, 8);
	if (size > len - skip || header.typecnt == 0 || header.leapcnt != 0)
		return NULL;
	zone = xcalloc(1, sizeof(*zone));
	if (!tzif_block(&header, bytes + skip, zone) ||
		!tzif_footer(bytes + skip + size, len - skip - size, zone))
		ics_tzif_free(&zone);
	return zone;
}

void ics_tzif_free(struct ics_tzif **zone)
{
	if (!*zone)
		return;
	free((*zone)->transitions);
	free((*zone)->transition_type);
	free((*zone)->types);
	free(*zone);
	*zone = NULL;
}

const struct ics_tztype *ics_tzif_at(const struct ics_tzif *zone, int64_t at)
{
	size_t low = 0, high = zone->transition_count, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (zone->transitions[middle] <= at)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == zone->transition_count && zone->has_rule)
		return ics_tzrule_at(&zone->rule, at);
	return &zone->types[low ? zone->transition_type[low - 1] : 0];
}
