#include "mail_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum err mail_folder_make(const char *folder, struct err_info *info)
{
	char path[PATH_MAX];
	struct stat st;
	char *slash;

	if (snprintf(path, sizeof(path), "%s", folder) >= (int)sizeof(path))
		return err_set(info, ERR_CONFIG, "The name of the mail folder is too long.");
	for (slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(path, 0700);
		*slash = '/';
	}
	if (mkdir(path, 0700) != 0 && errno != EEXIST)
		return err_set(info, ERR_CONFIG, "%s: %s.", folder, strerror(errno));
	if (stat(path, &st) != 0 || !S_ISDIR(st.st_mode))
		return err_set(info, ERR_CONFIG, "%s: is not a folder.", folder);
	return ERR_OK;
}

static bool mail_file_fill(int fd, const char *bytes, size_t len)
{
	ssize_t n;

	while (len > 0) {
		n = write(fd, bytes, len);
		if (n < 0 && errno != EINTR)
			return false;
		if (n > 0) {
			bytes += n;
			len -= (size_t)n;
		}
	}
	return fsync(fd) == 0;
}

/* The rename itself lives in the folder. */
static bool mail_folder_sync(const char *folder)
{
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool synced = fd >= 0 && fsync(fd) == 0;

	if (fd >= 0)
		close(fd);
	return synced;
}

enum err mail_file_write(const char *folder, const char *message_id, const char *bytes, size_t len,
	struct err_info *info)
{
	char path[PATH_MAX], part[PATH_MAX];
	enum err err = ERR_OK;
	int fd;

	snprintf(path, sizeof(path), "%s/%s.eml", folder, message_id);
	if (snprintf(part, sizeof(part), "%s/.%s.XXXXXX", folder, message_id) >= (int)sizeof(part))
		return err_set(info, ERR_TEMPORARY, "The name of the mail folder is too long.");
	fd = mkstemp(part);
	if (fd < 0)
		return err_set(info, ERR_TEMPORARY, "%s: %s.", folder, strerror(errno));
	if (!mail_file_fill(fd, bytes, len) || rename(part, path) != 0) {
		err = err_set(info, ERR_TEMPORARY, "%s: %s.", path, strerror(errno));
		unlink(part);
	} else if (!mail_folder_sync(folder)) {
		err = err_set(info, ERR_TEMPORARY, "%s: %s.", folder, strerror(errno));
	}
	close(fd);
	return err;
}
