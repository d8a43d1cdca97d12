#include "ics_zone.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "instant.h"
#include "unit.h"

/* Expected values were computed with Python's zoneinfo. */
static const struct {
	const char *zone, *instant, *wall;
	int offset_s, dst;
	const char *abbreviation;
} walls[] = {
	/* either side of a gap and of an overlap */
	{"Europe/Berlin", "2026-03-29T00:59:59Z", "2026-03-29 01:59:59", 3600, 0, "CET"},
	{"Europe/Berlin", "2026-03-29T01:00:00Z", "2026-03-29 03:00:00", 7200, 1, "CEST"},
	{"Europe/Berlin", "2026-10-25T00:59:59Z", "2026-10-25 02:59:59", 7200, 1, "CEST"},
	{"Europe/Berlin", "2026-10-25T01:00:00Z", "2026-10-25 02:00:00", 3600, 0, "CET"},
	{"America/New_York", "2026-03-08T06:59:59Z", "2026-03-08 01:59:59", -18000, 0, "EST"},
	{"America/New_York", "2026-03-08T07:00:00Z", "2026-03-08 03:00:00", -14400, 1, "EDT"},
	{"America/New_York", "2026-11-01T05:59:59Z", "2026-11-01 01:59:59", -14400, 1, "EDT"},
	{"America/New_York", "2026-11-01T06:00:00Z", "2026-11-01 01:00:00", -18000, 0, "EST"},
	/* summer in January */
	{"Australia/Sydney", "2026-04-04T15:59:59Z", "2026-04-05 02:59:59", 39600, 1, "AEDT"},
	{"Australia/Sydney", "2026-04-04T16:00:00Z", "2026-04-05 02:00:00", 36000, 0, "AEST"},
	{"Australia/Sydney", "2026-10-03T15:59:59Z", "2026-10-04 01:59:59", 36000, 0, "AEST"},
	{"Australia/Sydney", "2026-10-03T16:00:00Z", "2026-10-04 03:00:00", 39600, 1, "AEDT"},
	/* not whole hours, and a summer of half an hour */
	{"Asia/Kolkata", "2026-06-01T00:00:00Z", "2026-06-01 05:30:00", 19800, 0, "IST"},
	{"Asia/Kathmandu", "2026-06-01T00:00:00Z", "2026-06-01 05:45:00", 20700, 0, "+0545"},
	{"Asia/Tehran", "2026-07-01T00:00:00Z", "2026-07-01 03:30:00", 12600, 0, "+0330"},
	{"America/St_Johns", "2026-03-08T05:29:59Z", "2026-03-08 01:59:59", -12600, 0, "NST"},
	{"America/St_Johns", "2026-03-08T05:30:00Z", "2026-03-08 03:00:00", -9000, 1, "NDT"},
	{"Australia/Lord_Howe", "2026-04-04T14:59:59Z", "2026-04-05 01:59:59", 39600, 1, "+11"},
	{"Australia/Lord_Howe", "2026-04-04T15:00:00Z", "2026-04-05 01:30:00", 37800, 0, "+1030"},
	{"Pacific/Chatham", "2026-01-01T00:00:00Z", "2026-01-01 13:45:00", 49500, 1, "+1345"},
	/* the far ends of the day */
	{"Pacific/Kiritimati", "2026-12-31T10:00:00Z", "2027-01-01 00:00:00", 50400, 0, "+14"},
	{"Pacific/Pago_Pago", "2026-01-01T10:59:59Z", "2025-12-31 23:59:59", -39600, 0, "SST"},
	/* rules that changed; libical 3.0.16 has Easter Island wrong from 2020 */
	{"America/Sao_Paulo", "2018-12-01T00:00:00Z", "2018-11-30 22:00:00", -7200, 1, "-02"},
	{"America/Sao_Paulo", "2024-12-01T00:00:00Z", "2024-11-30 21:00:00", -10800, 0, "-03"},
	{"Pacific/Easter", "2024-01-15T00:00:00Z", "2024-01-14 19:00:00", -18000, 1, "-05"},
	{"Pacific/Easter", "2024-07-15T00:00:00Z", "2024-07-14 18:00:00", -21600, 0, "-06"},
	{"America/Vancouver", "2025-12-15T00:00:00Z", "2025-12-14 16:00:00", -28800, 0, "PST"},
	/* after the last recorded transition, where the rule goes on */
	{"Europe/Berlin", "2037-10-25T01:00:00Z", "2037-10-25 02:00:00", 3600, 0, "CET"},
	{"Europe/Berlin", "2038-03-28T01:00:00Z", "2038-03-28 03:00:00", 7200, 1, "CEST"},
	{"Europe/Berlin", "2045-07-01T12:00:00Z", "2045-07-01 14:00:00", 7200, 1, "CEST"},
	{"Europe/Berlin", "2060-12-01T09:00:00Z", "2060-12-01 10:00:00", 3600, 0, "CET"},
	{"America/New_York", "2059-03-09T07:00:00Z", "2059-03-09 03:00:00", -14400, 1, "EDT"},
	{"Australia/Sydney", "2050-01-01T00:00:00Z", "2050-01-01 11:00:00", 39600, 1, "AEDT"},
	{"Australia/Sydney", "2050-07-01T00:00:00Z", "2050-07-01 10:00:00", 36000, 0, "AEST"},
	{"America/St_Johns", "2045-01-15T12:00:00Z", "2045-01-15 08:30:00", -12600, 0, "NST"},
	{"America/St_Johns", "2045-07-15T12:00:00Z", "2045-07-15 09:30:00", -9000, 1, "NDT"},
	{"Australia/Lord_Howe", "2045-09-30T15:29:59Z", "2045-10-01 01:59:59", 37800, 0, "+1030"},
	{"Australia/Lord_Howe", "2045-09-30T15:30:00Z", "2045-10-01 02:30:00", 39600, 1, "+11"},
	{"Pacific/Chatham", "2045-07-01T00:00:00Z", "2045-07-01 12:45:00", 45900, 0, "+1245"},
	{"Pacific/Chatham", "2045-12-01T00:00:00Z", "2045-12-01 13:45:00", 49500, 1, "+1345"},
	{"Asia/Kolkata", "2060-06-01T00:00:00Z", "2060-06-01 05:30:00", 19800, 0, "IST"},
	/* names with every kind of character, and no place at all */
	{"Etc/GMT+5", "2026-01-01T00:00:00Z", "2025-12-31 19:00:00", -18000, 0, "-05"},
	{"America/Argentina/ComodRivadavia", "2026-01-01T00:00:00Z", "2025-12-31 21:00:00", -10800,
		0, "-03"},
	{"America/Port-au-Prince", "2026-01-01T00:00:00Z", "2025-12-31 19:00:00", -18000, 0, "EST"},
	{"UTC", "1970-01-01T00:00:00Z", "1970-01-01 00:00:00", 0, 0, "UTC"},
	{"UTC", "2026-07-01T00:00:00Z", "2026-07-01 00:00:00", 0, 0, "UTC"},
};

static bool wall_holds(size_t i)
{
	struct ics_zone_local local;
	int64_t instant;
	char wall[32];

	if (!instant_parse(walls[i].instant, &instant) ||
		!ics_zone_local(walls[i].zone, instant, &local))
		return false;
	strftime(wall, sizeof(wall), "%Y-%m-%d %H:%M:%S", &local.tm);
	return strcmp(wall, walls[i].wall) == 0 && local.offset_s == walls[i].offset_s &&
	       local.tm.tm_isdst == walls[i].dst && local.tm.tm_gmtoff == walls[i].offset_s &&
	       strcmp(local.abbreviation, walls[i].abbreviation) == 0;
}

static void wall_clocks(void)
{
	size_t i;

	for (i = 0; i < sizeof(walls) / sizeof(walls[0]); i++) {
		if (!wall_holds(i))
			printf("\n    %s at %s ", walls[i].zone, walls[i].instant);
		CU_ASSERT(wall_holds(i));
	}
}

static void names_that_are_no_zones(void)
{
	static const char *const names[] = {"", " ", "utc", "Utc", "europe/berlin", "Europe/berlin",
		"EUROPE/BERLIN", "Europe/Berlin ", " Europe/Berlin", "Europe/Berlin\n",
		"Europe/Atlantis", "Europe", "Europe/", "/Europe/Berlin", "Europe//Berlin",
		"Europe/Berlin/", "Europe/./Berlin", "Europe/../Europe/Berlin", "../zoneinfo/UTC",
		"..", ".", "/", "/etc/passwd", "../../../etc/passwd",
		"America/../../../../etc/passwd", "zone.tab", "tzdata.zi", "posix/Europe/Berlin",
		"right/Europe/Berlin", "posixrules", "localtime", "Europe\\Berlin",
		"Europe%2FBerlin", "Europe/B\xc3\xa9rlin", "Europe/Berlin;x", "America/Argentina/",
		"W. Europe Standard Time", "GMT+1:00", "+01:00", "Z",
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"};
	struct ics_zone_local local;
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (ics_zone_valid(names[i]))
			printf("\n    `%s` ", names[i]);
		CU_ASSERT(!ics_zone_valid(names[i]));
		CU_ASSERT(!ics_zone_local(names[i], 0, &local));
	}
}

static void a_very_long_name(void)
{
	size_t size = 1 << 20;
	char *name = malloc(size);

	memset(name, 'A', size - 1);
	name[size - 1] = '\0';
	CU_ASSERT(!ics_zone_valid(name));
	free(name);
}

static void before_1970_and_within_a_second(void)
{
	struct ics_zone_local local;

	CU_ASSERT(ics_zone_local("UTC", -1, &local));
	CU_ASSERT(local.tm.tm_year == 69 && local.tm.tm_sec == 59);
	CU_ASSERT(ics_zone_local("UTC", 999, &local) && local.tm.tm_sec == 0);
	CU_ASSERT(ics_zone_local("UTC", 1000, &local) && local.tm.tm_sec == 1);
	CU_ASSERT(ics_zone_local("Europe/Berlin", -(int64_t)4000000000000, &local));
	CU_ASSERT(ics_zone_local("Europe/Berlin", INT64_MAX, &local));
	CU_ASSERT(ics_zone_local("Europe/Berlin", INT64_MIN, &local));
}

/* British Columbia keeps UTC-7 for good from November 2026, which tzdata says from 2026b on. */
static void vancouver_as_the_system_says(void)
{
	FILE *file = fopen("/usr/share/zoneinfo/tzdata.zi", "r");
	struct ics_zone_local local;
	char version[8] = "";
	int64_t instant;

	if (!file)
		return;
	if (fscanf(file, "# version %7s", version) == 1) {
		CU_ASSERT(instant_parse("2026-12-15T00:00:00Z", &instant));
		CU_ASSERT(ics_zone_local("America/Vancouver", instant, &local));
		CU_ASSERT_EQUAL(local.offset_s, strcmp(version, "2026b") < 0 ? -28800 : -25200);
	}
	fclose(file);
}

static atomic_int failures;

static void *ask_for_every_zone(void *start)
{
	size_t count = sizeof(walls) / sizeof(walls[0]), round, i;

	for (round = 0; round < 20; round++)
		for (i = 0; i < count; i++)
			if (!wall_holds((i + (size_t)(uintptr_t)start) % count) ||
				ics_zone_valid("Europe/Atlantis"))
				failures++;
	return NULL;
}

static void many_threads(void)
{
	pthread_t threads[8];
	size_t i;

	for (i = 0; i < 8; i++)
		pthread_create(&threads[i], NULL, ask_for_every_zone, (void *)(uintptr_t)(i * 5));
	for (i = 0; i < 8; i++)
		pthread_join(threads[i], NULL);
	CU_ASSERT_EQUAL(failures, 0);
}

/* A folder of its own, with one zone, which is another one later. */
static void put_zone(const char *folder, const char *like)
{
	char command[256];

	snprintf(command, sizeof(command),
		"cp -L /usr/share/zoneinfo/%s %s/new && mv %s/new %s/Town", like, folder, folder,
		folder);
	CU_ASSERT_EQUAL_FATAL(system(command), 0);
}

static int town_offset(void)
{
	struct ics_zone_local local;

	return ics_zone_local("Town", 0, &local) ? local.offset_s : -1;
}

static atomic_bool updated;

/* Until the update has been seen by this thread. */
static void *ask_for_town(void *data)
{
	int offset, left = 60 * 1000;

	(void)data;
	while ((offset = town_offset()) != 9 * 3600 && left > 0) {
		failures += offset != 3600;
		if (!atomic_load(&updated))
			continue;
		left--;
		usleep(1000);
	}
	failures += left == 0;
	return NULL;
}

static void an_update(void)
{
	char folder[] = "/tmp/meetlink-zones-XXXXXX", path[64], version[ICS_ZONE_VERSION_SIZE];
	pthread_t threads[4];
	FILE *file;
	size_t i;

	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(folder));
	setenv("TZDIR", folder, 1);
	failures = 0;
	put_zone(folder, "Europe/Berlin");
	ics_zone_version(version);
	CU_ASSERT_STRING_EQUAL(version, "unknown");
	CU_ASSERT_EQUAL(town_offset(), 3600);
	for (i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, ask_for_town, NULL);
	put_zone(folder, "Asia/Tokyo");
	atomic_store(&updated, true);
	for (i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	CU_ASSERT_EQUAL(failures, 0);
	snprintf(path, sizeof(path), "%s/tzdata.zi", folder);
	file = fopen(path, "w");
	fputs("# version 2026c-test\n# This zic input file is in the public domain.\n", file);
	fclose(file);
	ics_zone_version(version);
	CU_ASSERT_STRING_EQUAL(version, "2026c-test");
	unlink(path);
	/* What is gone, or is none, leaves the zone as it was. */
	snprintf(path, sizeof(path), "%s/Town", folder);
	file = fopen(path, "w");
	fputs("TZif", file);
	fclose(file);
	usleep(1100 * 1000);
	CU_ASSERT_EQUAL(town_offset(), 9 * 3600);
	unlink(path);
	rmdir(folder);
	unsetenv("TZDIR");
}

/* The threads come first, so that they meet zones that are not loaded yet. */
static const struct unit_case cases[] = {
	{"many threads", many_threads},
	{"wall clocks", wall_clocks},
	{"names that are no zones", names_that_are_no_zones},
	{"a very long name", a_very_long_name},
	{"before 1970 and within a second", before_1970_and_within_a_second},
	{"Vancouver as the system says", vancouver_as_the_system_says},
	{"an update", an_update},
};

UNIT_MAIN("ics_zone", cases)
