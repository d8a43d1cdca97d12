#include "ics_tzif.h"

#include <stdio.h>
#include <stdlib.h>

#include "instant.h"
#include "unit.h"

enum { ZONE_MAX = 65536 };

/* Rules of tzdata and of RFC 9636 that are easy to get wrong; expected values by their text. */
static const struct {
	const char *rule, *instant;
	int offset_s;
	bool dst;
	const char *abbreviation;
} rules[] = {
	{"UTC0", "2026-01-01T00:00:00Z", 0, false, "UTC"},
	{"<+0545>-5:45", "2026-01-01T00:00:00Z", 20700, false, "+0545"},
	{"XXX-0:20:15", "2026-01-01T00:00:00Z", 1215, false, "XXX"},
	{"CET-1CEST,M3.5.0,M10.5.0/3", "2096-03-25T00:59:59Z", 3600, false, "CET"},
	{"CET-1CEST,M3.5.0,M10.5.0/3", "2096-03-25T01:00:00Z", 7200, true, "CEST"},
	{"NZST-12NZDT,M9.5.0,M4.1.0/3", "2026-12-31T23:59:59Z", 46800, true, "NZDT"},
	{"NZST-12NZDT,M9.5.0,M4.1.0/3", "2026-07-01T00:00:00Z", 43200, false, "NZST"},
	/* a negative summer: Ireland's law names winter the exception */
	{"IST-1GMT0,M10.5.0,M3.5.0/1", "2026-01-15T00:00:00Z", 0, true, "GMT"},
	{"IST-1GMT0,M10.5.0,M3.5.0/1", "2026-07-15T00:00:00Z", 3600, false, "IST"},
	/* changes on the day before and on days after the one named */
	{"<-02>2<-01>,M3.5.0/-1,M10.5.0/0", "2026-03-29T00:59:59Z", -7200, false, "-02"},
	{"<-02>2<-01>,M3.5.0/-1,M10.5.0/0", "2026-03-29T01:00:00Z", -3600, true, "-01"},
	{"EET-2EEST,M3.4.4/50,M10.4.4/50", "2026-03-27T23:59:59Z", 7200, false, "EET"},
	{"EET-2EEST,M3.4.4/50,M10.4.4/50", "2026-03-28T00:00:00Z", 10800, true, "EEST"},
	/* summer all year round */
	{"XXX3EDT4,0/0,J365/23", "2026-01-01T02:59:59Z", -14400, true, "EDT"},
	{"XXX3EDT4,0/0,J365/23", "2026-01-01T03:00:00Z", -14400, true, "EDT"},
	{"XXX3EDT4,0/0,J365/23", "2026-07-01T00:00:00Z", -14400, true, "EDT"},
	/* J60 is 1 March in every year, 59 is 29 February or 1 March */
	{"AAA0BBB,J60/0,J300", "2028-02-29T23:59:59Z", 0, false, "AAA"},
	{"AAA0BBB,J60/0,J300", "2028-03-01T00:00:00Z", 3600, true, "BBB"},
	{"AAA0BBB,J60/0,J300", "2027-03-01T00:00:00Z", 3600, true, "BBB"},
	{"AAA0BBB,59/0,300", "2028-02-29T00:00:00Z", 3600, true, "BBB"},
	{"AAA0BBB,59/0,300", "2027-02-28T23:59:59Z", 0, false, "AAA"},
	{"AAA0BBB,M12.5.0/0,M2.5.3/0", "2028-12-30T23:59:59Z", 0, false, "AAA"},
	{"AAA0BBB,M12.5.0/0,M2.5.3/0", "2028-12-31T00:00:00Z", 3600, true, "BBB"},
	{"AAA0BBB,M12.5.0/0,M2.5.3/0", "2028-02-22T22:59:59Z", 3600, true, "BBB"},
	{"AAA0BBB,M12.5.0/0,M2.5.3/0", "2028-02-22T23:00:00Z", 0, false, "AAA"},
};

static void rules_go_on(void)
{
	const struct ics_tztype *type;
	struct ics_tzrule rule;
	int64_t instant;
	bool same;
	size_t i;

	for (i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		CU_ASSERT_FATAL(ics_tzrule_parse(rules[i].rule, &rule));
		CU_ASSERT_FATAL(instant_parse(rules[i].instant, &instant));
		type = ics_tzrule_at(&rule, instant / INSTANT_SECOND);
		same = type->offset_s == rules[i].offset_s && type->dst == rules[i].dst &&
		       strcmp(type->abbreviation, rules[i].abbreviation) == 0;
		if (!same)
			printf("\n    %s at %s: %d %s ", rules[i].rule, rules[i].instant,
				type->offset_s, type->abbreviation);
		CU_ASSERT(same);
	}
}

static void rules_that_are_none(void)
{
	static const char *const bad[] = {"", "UTC", "0", "UT0", "UTC0 ", "UTC0x", "UTC25",
		"UTC0:60", "UTC0:00:60", "UTC99999999999999999999", "UTC-", "UTC+", "<UTC0", "<>0",
		"<UT>0", "CET-1CEST", "CET-1CEST,", "CET-1CEST,M3.5.0", "CET-1CEST,M3.5.0,",
		"CET-1CEST,M0.5.0,M10.5.0", "CET-1CEST,M13.5.0,M10.5.0", "CET-1CEST,M3.6.0,M10.5.0",
		"CET-1CEST,M3.0.0,M10.5.0", "CET-1CEST,M3.5.7,M10.5.0", "CET-1CEST,M3.5,M10.5.0",
		"CET-1CEST,J0,J1", "CET-1CEST,J366,J1", "CET-1CEST,366,1", "CET-1CEST,-1,1",
		"CET-1CEST,M3.5.0/168,M10.5.0", "CET-1CEST,M3.5.0/-168,M10.5.0",
		"CET-1CEST,M3.5.0,M10.5.0,", "ABCDEFGHIJKLMNOP0", "<ABCDEFGHIJKLMNOP>0"};
	struct ics_tzrule rule;
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (ics_tzrule_parse(bad[i], &rule))
			printf("\n    %s ", bad[i]);
		CU_ASSERT(!ics_tzrule_parse(bad[i], &rule));
	}
}

static size_t read_zone(const char *path, unsigned char *bytes)
{
	FILE *file = fopen(path, "rb");
	size_t len;

	if (!file)
		return 0;
	len = fread(bytes, 1, ZONE_MAX, file);
	fclose(file);
	return len;
}

/* Parses a copy of exactly `len` bytes, so that a sanitizer sees a read past them. */
static void parse_and_use(const unsigned char *bytes, size_t len)
{
	unsigned char *copy = malloc(len ? len : 1);
	struct ics_tzif *zone;
	int64_t at;

	memcpy(copy, bytes, len);
	zone = ics_tzif_parse(copy, len);
	free(copy);
	for (at = -5000000000; zone && at < 5000000000; at += 99999999)
		CU_ASSERT_FATAL(strlen(ics_tzif_at(zone, at)->abbreviation) < 16);
	ics_tzif_free(&zone);
}

static void cut_and_damaged_files(void)
{
	unsigned char *bytes = malloc(ZONE_MAX);
	size_t len = read_zone("/usr/share/zoneinfo/America/New_York", bytes), i;
	struct ics_tzif *zone;
	unsigned char kept;
	int bit;

	CU_ASSERT_FATAL(len > 100);
	for (i = 0; i < len; i++) {
		zone = ics_tzif_parse(bytes, i);
		CU_ASSERT(!zone);
		ics_tzif_free(&zone);
		parse_and_use(bytes, i);
	}
	for (i = 0; i < len; i++) {
		kept = bytes[i];
		for (bit = 0; bit < 8; bit++) {
			bytes[i] = kept ^ (unsigned char)(1 << bit);
			parse_and_use(bytes, len);
		}
		bytes[i] = 0xff;
		parse_and_use(bytes, len);
		bytes[i] = kept;
	}
	free(bytes);
}

static void not_a_zone(void)
{
	unsigned char bytes[256] = "TZif";

	CU_ASSERT_PTR_NULL(ics_tzif_parse((const unsigned char *)"", 0));
	CU_ASSERT_PTR_NULL(ics_tzif_parse(bytes, sizeof(bytes)));
	bytes[4] = '2';
	CU_ASSERT_PTR_NULL(ics_tzif_parse(bytes, sizeof(bytes)));
	memset(bytes + 20, 0xff, 24);
	CU_ASSERT_PTR_NULL(ics_tzif_parse(bytes, sizeof(bytes)));
}

/* One type, no transitions, and the rule `footer`, with `leaps` leap seconds. */
static size_t tiny_zone(unsigned char *bytes, const char *footer, unsigned char leaps)
{
	unsigned char *p = bytes;
	int header;

	memset(bytes, 0, 256);
	for (header = 0; header < 2; header++, p += 44)
		memcpy(p, "TZif2", 5);
	bytes[44 + 31] = leaps;
	bytes[44 + 39] = 1;
	bytes[44 + 43] = 4;
	memcpy(p + 6, "ABC", 4);
	p += 10 + 12 * leaps;
	return (size_t)(p - bytes) + (size_t)sprintf((char *)p, "%s", footer);
}

static void footers(void)
{
	static const struct {
		const char *footer;
		unsigned char leaps;
		const char *abbreviation; /* NULL: refused */
	} zones[] = {
		{"\n\n", 0, "ABC"},
		{"\nXYZ0\n", 0, "XYZ"},
		{"\nXYZ0", 0, NULL},
		{"XYZ0\n", 0, NULL},
		{"\nXYZ\n", 0, NULL},
		{"", 0, NULL},
		{"\n", 0, NULL},
		{"\n\n", 1, NULL},
	};
	unsigned char bytes[256];
	struct ics_tzif *zone;
	size_t i;

	for (i = 0; i < sizeof(zones) / sizeof(zones[0]); i++) {
		zone = ics_tzif_parse(bytes, tiny_zone(bytes, zones[i].footer, zones[i].leaps));
		CU_ASSERT_EQUAL_FATAL(zone != NULL, zones[i].abbreviation != NULL);
		if (zone)
			CU_ASSERT_STRING_EQUAL(
				ics_tzif_at(zone, 0)->abbreviation, zones[i].abbreviation);
		ics_tzif_free(&zone);
	}
}

static const struct unit_case cases[] = {
	{"rules go on", rules_go_on},
	{"rules that are none", rules_that_are_none},
	{"footers", footers},
	{"not a zone", not_a_zone},
	{"cut and damaged files", cut_and_damaged_files},
};

UNIT_MAIN("ics_tzif", cases)
