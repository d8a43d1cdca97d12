#include <errno.h>
#include <grp.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "http_server.h"

/* Whether a process accepts connections at the address. */
static bool server_answers(const struct sockaddr_un *address)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool refused;

	refused = connect(fd, (const struct sockaddr *)address, sizeof(*address)) < 0 &&
		  (errno == ECONNREFUSED || errno == ENOENT);
	close(fd);
	return !refused;
}

static enum err server_clear_path(const struct sockaddr_un *address, struct err_info *info)
{
	const char *path = address->sun_path;
	struct stat status;

	if (lstat(path, &status) < 0) {
		if (errno == ENOENT)
			return ERR_OK;
		return err_set(info, ERR_CONFIG, "Socket %s: %s.", path, strerror(errno));
	}
	if (!S_ISSOCK(status.st_mode))
		return err_set(info, ERR_CONFIG, "%s is there and is not a socket.", path);
	if (server_answers(address))
		return err_set(info, ERR_CONFIG, "Socket %s is in use.", path);
	if (unlink(path) < 0 && errno != ENOENT)
		return err_set(info, ERR_CONFIG, "Socket %s: %s.", path, strerror(errno));
	return ERR_OK;
}

static enum err server_bind(
	int fd, const struct sockaddr_un *address, const char *group, struct err_info *info)
{
	const char *path = address->sun_path;
	struct group *entry = NULL;

	if (*group && !(entry = getgrnam(group)))
		return err_set(info, ERR_CONFIG, "server.socket_group: no group %s.", group);
	/* Nobody can connect before listen(), so the mode is right in time. */
	if (bind(fd, (const struct sockaddr *)address, sizeof(*address)) < 0 ||
		chmod(path, 0660) < 0 || (entry && chown(path, (uid_t)-1, entry->gr_gid) < 0) ||
		listen(fd, SOMAXCONN) < 0)
		return err_set(info, ERR_CONFIG, "Socket %s: %s.", path, strerror(errno));
	return ERR_OK;
}

enum err http_server_listen(const char *path, const char *group, int *fd_r, struct err_info *info)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	enum err err;
	int fd;

	if (!*path || strlen(path) >= sizeof(address.sun_path))
		return err_set(info, ERR_CONFIG, "server.socket must have 1 to %zu characters.",
			sizeof(address.sun_path) - 1);
	strcpy(address.sun_path, path);
	err = server_clear_path(&address, info);
	if (err != ERR_OK)
		return err;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return err_set(info, ERR_CONFIG, "Socket %s: %s.", path, strerror(errno));
	err = server_bind(fd, &address, group, info);
	if (err != ERR_OK)
		close(fd);
	else
		*fd_r = fd;
	return err;
}
