#include "log.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "utf8.h"

static const char *log_role = "meetlink";
static enum log_level log_least = LOG_LEVEL_INFO;
static _Thread_local const char *log_request;

static const char *const log_names[] = {"debug", "info", "warning", "error"};

bool log_level_parse(const char *name, enum log_level *level_r)
{
	int i;

	for (i = LOG_LEVEL_DEBUG; i <= LOG_LEVEL_ERROR; i++) {
		if (strcmp(log_names[i], name) == 0) {
			*level_r = (enum log_level)i;
			return true;
		}
	}
	return false;
}

void log_init(const char *role, enum log_level least)
{
	log_role = role;
	log_least = least;
}

void log_set_request(const char *request_id)
{
	log_request = request_id;
}

void log_at(enum log_level level, const char *format, ...)
{
	char line[2048];
	char message[1536];
	struct timespec now;
	struct tm tm;
	unsigned char *c;
	size_t used, len;
	va_list args;
	int n;

	if (level < log_least)
		return;
	va_start(args, format);
	utf8_vformat(message, sizeof(message), format, args);
	va_end(args);
	/* A message is one line, and harmless to terminals, whatever a peer put into it. */
	for (c = (unsigned char *)message; *c; c++) {
		if (c[0] == 0xc2 && c[1] >= 0x80 && c[1] <= 0x9f)
			c[0] = c[1] = ' ';
		else if (*c < 0x20 || *c == 0x7f)
			*c = ' ';
		else if ((len = utf8_forbidden((const char *)c)) > 0)
			memset(c, ' ', len);
	}

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	used = strftime(line, sizeof(line), "%Y-%m-%dT%H:%M:%S", &tm);
	n = snprintf(line + used, sizeof(line) - used, ".%03ldZ level=%s role=%s pid=%d%s%s %s\n",
		now.tv_nsec / 1000000, log_names[level], log_role, (int)getpid(),
		log_request ? " request_id=" : "", log_request ? log_request : "", message);
	if (n < 0)
		return;
	used += (size_t)n;
	if (used > sizeof(line) - 1) {
		used = sizeof(line) - 1;
		line[used - 1] = '\n';
	}
	if (write(STDERR_FILENO, line, used) < 0)
		return;
}
