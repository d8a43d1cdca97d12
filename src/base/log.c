#include "log.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "utf8.h"

/* PIPE_BUF is 4096. A value is cut before the line is, so that a line always has its end. */
enum { LOG_LINE = 4096, LOG_MESSAGE = 1536, LOG_VALUE = 2048, LOG_REQUEST = 64 };

struct log_line {
	char bytes[LOG_LINE];
	size_t used;
};

static const char *log_role = "meetlink";
static enum log_level log_least = LOG_LEVEL_INFO;
static enum log_format log_form = LOG_FORMAT_LOGFMT;
static _Thread_local const char *log_request;

static const char *const log_names[] = {"debug", "info", "warning", "error", NULL};
static const char *const log_formats[] = {"logfmt", "json", NULL};

static bool log_find(const char *const *names, const char *name, int *index_r)
{
	for (*index_r = 0; names[*index_r]; ++*index_r)
		if (strcmp(names[*index_r], name) == 0)
			return true;
	return false;
}

bool log_level_parse(const char *name, enum log_level *level_r)
{
	int index;

	if (!log_find(log_names, name, &index))
		return false;
	*level_r = (enum log_level)index;
	return true;
}

bool log_format_parse(const char *name, enum log_format *format_r)
{
	int index;

	if (!log_find(log_formats, name, &index))
		return false;
	*format_r = (enum log_format)index;
	return true;
}

void log_init(const char *role, enum log_level least, enum log_format format)
{
	log_role = role;
	log_least = least;
	log_form = format;
}

void log_set_request(const char *request_id)
{
	log_request = request_id;
}

/* ---- a line ---- */

static void line_add(struct log_line *line, const char *bytes, size_t len)
{
	if (len >= LOG_LINE - line->used)
		return;
	memcpy(line->bytes + line->used, bytes, len);
	line->used += len;
}

static void line_add_text(struct log_line *line, const char *text)
{
	line_add(line, text, strlen(text));
}

/* How many bytes stand for themselves; no more than `most`. */
static size_t line_plain(const char *text, size_t most)
{
	size_t len;

	for (len = 0; len < most && text[len] >= ' ' && text[len] < 0x7f && text[len] != '"' &&
		      text[len] != '\\';
		len++)
		;
	return len;
}

/* A value is one line, and harmless to terminals, whatever a peer put into it. */
static void line_add_escaped(struct log_line *line, const char *text, size_t limit)
{
	const size_t until = line->used + limit;
	size_t left = strlen(text), len;
	uint32_t point;

	for (; left; text += len, left -= len) {
		len = line_plain(text, until - line->used);
		line_add(line, text, len);
		text += len;
		left -= len;
		len = left ? utf8_next(text, left, &point) : 0;
		if (!left || line->used + (len ? len : 1) + 1 > until)
			return;
		if (len == 0)
			line_add_text(line, "?");
		else if (point < 0x20 || (point >= 0x7f && point <= 0x9f) || utf8_forbidden(text))
			line_add_text(line, " ");
		else if (point == '"' || point == '\\')
			line_add(line, (const char[]){'\\', (char)point}, 2);
		else
			line_add(line, text, len);
		len = len ? len : 1;
	}
}

static void line_add_name(struct log_line *line, const char *name)
{
	const bool json = log_form == LOG_FORMAT_JSON;

	if (line->used > 1)
		line_add_text(line, json ? "," : " ");
	if (json)
		line_add_text(line, "\"");
	line_add_text(line, name);
	line_add_text(line, json ? "\":" : "=");
}

/* Whether it stands in logfmt without quotes. */
static bool line_is_word(const char *text)
{
	const char *c;

	for (c = text; *c > ' ' && *c < 0x7f && !strchr("=\"\\", *c); c++)
		;
	return *text && !*c;
}

static void line_add_value(struct log_line *line, const char *name, const char *text, size_t limit)
{
	const bool quoted = log_form == LOG_FORMAT_JSON || !line_is_word(text);

	line_add_name(line, name);
	if (quoted)
		line_add_text(line, "\"");
	line_add_escaped(line, text, limit);
	if (quoted)
		line_add_text(line, "\"");
}

static void line_add_number(struct log_line *line, const char *name, int64_t number)
{
	char digits[24];

	snprintf(digits, sizeof(digits), "%" PRId64, number);
	line_add_name(line, name);
	line_add_text(line, digits);
}

static void line_begin(struct log_line *line, enum log_level level)
{
	char at[64];
	struct timespec now;
	struct tm tm;
	size_t len;

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	len = strftime(at, sizeof(at), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(at + len, sizeof(at) - len, ".%03ldZ", now.tv_nsec / 1000000);
	line->used = 0;
	if (log_form == LOG_FORMAT_JSON)
		line_add_text(line, "{");
	line_add_value(line, "at", at, sizeof(at));
	line_add_value(line, "level", log_names[level], LOG_REQUEST);
	line_add_value(line, "role", log_role, LOG_REQUEST);
	line_add_number(line, "pid", getpid());
	if (log_request)
		line_add_value(line, "request_id", log_request, LOG_REQUEST);
}

static void line_write(struct log_line *line)
{
	line_add_text(line, log_form == LOG_FORMAT_JSON ? "}\n" : "\n");
	if (write(STDERR_FILENO, line->bytes, line->used) < 0)
		return;
}

void log_at(enum log_level level, const char *format, ...)
{
	char message[LOG_MESSAGE];
	va_list args;

	if (level < log_least)
		return;
	va_start(args, format);
	utf8_vformat(message, sizeof(message), format, args);
	va_end(args);
	log_fields(level, message, NULL, 0);
}

void log_fields(
	enum log_level level, const char *message, const struct log_field *fields, size_t count)
{
	struct log_line line;
	size_t i;

	if (level < log_least)
		return;
	line_begin(&line, level);
	line_add_value(&line, "msg", message, LOG_VALUE);
	for (i = 0; i < count; i++)
		if (fields[i].text)
			line_add_value(&line, fields[i].name, fields[i].text, LOG_VALUE / 4);
		else
			line_add_number(&line, fields[i].name, fields[i].number);
	line_write(&line);
}
