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

#include "clock.h"
#include "ics_tzif.h"
#include "xalloc.h"

#define ZONE_DIRECTORY "/usr/share/zoneinfo"

/* The longest name of tzdata has 32 characters; the largest compiled zone about 4 KiB. */
enum { ZONE_NAME_SIZE = 64, ZONE_PATH_SIZE = 1024, ZONE_FILE_CEILING = 65536 };

/* How long what was seen of a file is taken for what it is. */
enum { ZONE_LOOK_US = 1000 * 1000 };

/* A file as it was read. One that takes its place has another inode or time. */
struct zone_file {
	dev_t device;
	ino_t inode;
	off_t size;
	struct timespec changed;
};

/* Every zone that was asked for. Entries are added at the head and never leave: there are no more
 * of them than files in the directory, as unknown names are not kept. */
struct zone_entry {
	struct zone_entry *next;
	char name[ZONE_NAME_SIZE];
	_Atomic int64_t looked_us; /* clock_monotonic_us() of the last look at the file */
	struct zone_file file;     /* under zone_load_mutex */
	struct ics_tzif *zone;     /* under zone_lock */
};

static _Atomic(struct zone_entry *) zone_entries;
static pthread_mutex_t zone_load_mutex = PTHREAD_MUTEX_INITIALIZER;

/* Who reads a zone holds it for that; who replaces one waits until nobody does. */
static pthread_rwlock_t zone_lock = PTHREAD_RWLOCK_INITIALIZER;

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

/* False when the path is too long to be one. */
static bool zone_path(const char *name, char path_r[ZONE_PATH_SIZE])
{
	const char *directory = getenv("TZDIR");
	int len;

	if (!directory || !directory[0])
		directory = ZONE_DIRECTORY;
	len = snprintf(path_r, ZONE_PATH_SIZE, "%s/%s", directory, name);
	return len > 0 && len < ZONE_PATH_SIZE;
}

static struct zone_file zone_file_of(const struct stat *st)
{
	return (struct zone_file){st->st_dev, st->st_ino, st->st_size, st->st_mtim};
}

static bool zone_file_is(const struct zone_file *file, const struct stat *st)
{
	return file->device == st->st_dev && file->inode == st->st_ino &&
	       file->size == st->st_size && file->changed.tv_sec == st->st_mtim.tv_sec &&
	       file->changed.tv_nsec == st->st_mtim.tv_nsec;
}

static struct ics_tzif *zone_read(const char *name, struct zone_file *file_r)
{
	struct ics_tzif *zone = NULL;
	unsigned char *bytes = NULL;
	char path[ZONE_PATH_SIZE];
	size_t len = 0;
	ssize_t got;
	struct stat st;
	int fd;

	if (!zone_path(name, path))
		return NULL;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return NULL;
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
		goto out;
	*file_r = zone_file_of(&st);
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

static struct zone_entry *zone_find(const char *name)
{
	struct zone_entry *entry;

	for (entry = atomic_load(&zone_entries); entry; entry = entry->next)
		if (strcmp(entry->name, name) == 0)
			return entry;
	return NULL;
}

/* Takes up what has taken the place of its file. While there is none, or none that can be read, the
 * zone stays as it was. */
static void zone_renew(struct zone_entry *entry)
{
	struct ics_tzif *zone = NULL, *former;
	char path[ZONE_PATH_SIZE];
	struct zone_file file;
	struct stat st;

	pthread_mutex_lock(&zone_load_mutex);
	if (zone_path(entry->name, path) && stat(path, &st) == 0 &&
		!zone_file_is(&entry->file, &st))
		zone = zone_read(entry->name, &file);
	if (zone) {
		entry->file = file;
		pthread_rwlock_wrlock(&zone_lock);
		former = entry->zone;
		entry->zone = zone;
		pthread_rwlock_unlock(&zone_lock);
		ics_tzif_free(&former);
	}
	pthread_mutex_unlock(&zone_load_mutex);
}

/* Whether it is time for another look, which is the caller's then. */
static bool zone_look_is_due(_Atomic int64_t *looked_us)
{
	const int64_t now = clock_monotonic_us();
	int64_t looked = atomic_load(looked_us);

	return now - looked >= ZONE_LOOK_US &&
	       atomic_compare_exchange_strong(looked_us, &looked, now);
}

static struct zone_entry *zone_load(const char *name)
{
	struct zone_entry *entry;
	struct zone_file file;
	struct ics_tzif *zone = zone_read(name, &file);

	if (!zone)
		return NULL;
	pthread_mutex_lock(&zone_load_mutex);
	entry = zone_find(name);
	if (entry) {
		ics_tzif_free(&zone); /* another thread was first */
	} else {
		entry = xcalloc(1, sizeof(*entry));
		entry->zone = zone;
		entry->file = file;
		entry->looked_us = clock_monotonic_us();
		entry->next = atomic_load(&zone_entries);
		memcpy(entry->name, name, strlen(name));
		atomic_store(&zone_entries, entry);
	}
	pthread_mutex_unlock(&zone_load_mutex);
	return entry;
}

static struct zone_entry *zone_get(const char *name)
{
	struct zone_entry *entry;

	if (!zone_name_plausible(name))
		return NULL;
	entry = zone_find(name);
	if (!entry)
		return zone_load(name);
	if (zone_look_is_due(&entry->looked_us))
		zone_renew(entry);
	return entry;
}

bool ics_zone_valid(const char *name)
{
	return zone_get(name) != NULL;
}

bool ics_zone_local(const char *name, int64_t instant, struct ics_zone_local *local_r)
{
	struct zone_entry *entry = zone_get(name);
	int64_t seconds = instant / 1000 - (instant % 1000 < 0);
	struct ics_tztype type;
	time_t wall;

	if (!entry)
		return false;
	pthread_rwlock_rdlock(&zone_lock);
	type = *ics_tzif_at(entry->zone, seconds);
	pthread_rwlock_unlock(&zone_lock);
	wall = (time_t)(seconds + type.offset_s);
	*local_r = (struct ics_zone_local){.offset_s = type.offset_s};
	gmtime_r(&wall, &local_r->tm);
	local_r->tm.tm_isdst = type.dst;
	local_r->tm.tm_gmtoff = type.offset_s;
	local_r->tm.tm_zone = NULL; /* whoever copies it keeps no pointer */
	memcpy(local_r->abbreviation, type.abbreviation, sizeof(local_r->abbreviation));
	return true;
}

struct model_list ics_zone_offsets(
	struct arena *arena, const char *name, int64_t start, int64_t end)
{
	struct ics_zone_local at_start, at_end;
	struct model_list offsets = {0};

	if (!ics_zone_local(name, start, &at_start) || !ics_zone_local(name, end, &at_end))
		return offsets;
	*(int64_t *)model_list_add(arena, &offsets, sizeof(int64_t)) = at_start.offset_s;
	*(int64_t *)model_list_add(arena, &offsets, sizeof(int64_t)) = at_end.offset_s;
	return offsets;
}

/* The first line of tzdata.zi, the source from which distributions compile the folder. */
void ics_zone_version(char version_r[ICS_ZONE_VERSION_SIZE])
{
	char path[ZONE_PATH_SIZE];
	FILE *file = zone_path("tzdata.zi", path) ? fopen(path, "re") : NULL;

	if (!file || fscanf(file, "# version %31[0-9A-Za-z.-]", version_r) != 1)
		snprintf(version_r, ICS_ZONE_VERSION_SIZE, "unknown");
	if (file)
		fclose(file);
}
