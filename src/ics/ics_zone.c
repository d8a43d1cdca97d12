#include "ics_zone.h"

#include <ctype.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ics_tzif.h"
#include "xalloc.h"

#define ZONE_DIRECTORY "/usr/share/zoneinfo"

/* The longest name of tzdata has 32 characters; the largest compiled zone about 4 KiB. */
enum { ZONE_NAME_SIZE = 64, ZONE_FILE_CEILING = 65536 };

/* Every zone that was asked for. Entries are added at the head and never change or leave: there
 * are no more of them than files in the directory, as unknown names are not kept. */
struct zone_entry {
	struct zone_entry *next;
	struct ics_tzif *zone;
	char name[ZONE_NAME_SIZE];
};

static _Atomic(struct zone_entry *) zone_entries;
static pthread_mutex_t zone_load_mutex = PTHREAD_MUTEX_INITIALIZER;

/* Names of zones start with a capital letter, which the directory's other files do not (posix/,
 * right/, posixrules, localtime, zone.tab). No zone has a dot, so none leaves the directory.
 * "Factory" is what tzdata calls a clock that nobody has set. */
static bool zone_name_plausible(const char *name)
{
	const char *p;

	if (!isupper((unsigned char)name[0]) || strcmp(name, "Factory") == 0 ||
		strnlen(name, ZONE_NAME_SIZE) >= ZONE_NAME_SIZE)
		return false;
	for (p = name; *p; p++) {
		if (!isalnum((unsigned char)*p) && !strchr("/_+-", *p))
			return false;
		if (*p == '/' && (p[1] == '/' || p[1] == '\0'))
			return false;
	}
	return true;
}

static struct ics_tzif *zone_read(const char *name)
{
	char path[sizeof(ZONE_DIRECTORY) + ZONE_NAME_SIZE];
	struct ics_tzif *zone = NULL;
	unsigned char *bytes = NULL;
	size_t len = 0;
	ssize_t got;
	struct stat file;
	int fd;

	snprintf(path, sizeof(path), ZONE_DIRECTORY "/%s", name);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return NULL;
	if (fstat(fd, &file) != 0 || !S_ISREG(file.st_mode))
		goto out;
	bytes = xmalloc(ZONE_FILE_CEILING);
	while ((got = read(fd, bytes + len, ZONE_FILE_CEILING - len)) > 0)
		len += (size_t)got;
	if (got == 0)
		zone = ics_tzif_parse(bytes, len);
out:
	close(fd);
	free(bytes);
	return zone;
}

static const struct ics_tzif *zone_find(const char *name)
{
	struct zone_entry *entry;

	for (entry = atomic_load(&zone_entries); entry; entry = entry->next)
		if (strcmp(entry->name, name) == 0)
			return entry->zone;
	return NULL;
}

static const struct ics_tzif *zone_get(const char *name)
{
	const struct ics_tzif *found;
	struct zone_entry *entry;
	struct ics_tzif *zone;

	if (!zone_name_plausible(name))
		return NULL;
	found = zone_find(name);
	if (found)
		return found;
	zone = zone_read(name);
	if (!zone)
		return NULL;
	pthread_mutex_lock(&zone_load_mutex);
	found = zone_find(name);
	if (found) {
		ics_tzif_free(&zone); /* another thread was first */
	} else {
		entry = xcalloc(1, sizeof(*entry));
		entry->zone = zone;
		entry->next = atomic_load(&zone_entries);
		memcpy(entry->name, name, strlen(name));
		atomic_store(&zone_entries, entry);
		found = zone;
	}
	pthread_mutex_unlock(&zone_load_mutex);
	return found;
}

bool ics_zone_valid(const char *name)
{
	return zone_get(name) != NULL;
}

bool ics_zone_local(const char *name, int64_t instant, struct ics_zone_local *local_r)
{
	const struct ics_tzif *zone = zone_get(name);
	const struct ics_tztype *type;
	int64_t seconds = instant / 1000 - (instant % 1000 < 0);
	time_t wall;

	if (!zone)
		return false;
	type = ics_tzif_at(zone, seconds);
	wall = (time_t)(seconds + type->offset_s);
	*local_r = (struct ics_zone_local){.offset_s = type->offset_s};
	gmtime_r(&wall, &local_r->tm);
	local_r->tm.tm_isdst = type->dst;
	local_r->tm.tm_gmtoff = type->offset_s;
	local_r->tm.tm_zone = type->abbreviation;
	memcpy(local_r->abbreviation, type->abbreviation, sizeof(local_r->abbreviation));
	return true;
}

void ics_zone_version(char version_r[ICS_ZONE_VERSION_SIZE])
{
	FILE *file = fopen(ZONE_DIRECTORY "/tzdata.zi", "re");

	if (!file || fscanf(file, "# version %15[0-9A-Za-z]", version_r) != 1)
		strcpy(version_r, "unknown");
	if (file)
		fclose(file);
}
