#ifndef LOG_H
#define LOG_H
/*
 * One line an event on standard error, in logfmt or JSON: when, level, process, request id, message
 * and perhaps more fields. Never pass a secret, a token or a full join link. Thread-safe; a line is
 * one write(), short enough that a pipe keeps it whole.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARNING, LOG_LEVEL_ERROR };
enum log_format { LOG_FORMAT_LOGFMT, LOG_FORMAT_JSON };

/* "debug", "info", "warning" or "error"; "logfmt" or "json"; false for anything else. */
bool log_level_parse(const char *name, enum log_level *level_r);
bool log_format_parse(const char *name, enum log_format *format_r);

/* Names this process in every line (e.g. "worker"), and sets the least level that is written, and
 * how. `role` is borrowed for the life of the process. */
void log_init(const char *role, enum log_level least, enum log_format format);

/* Ties the lines of this thread to a request; NULL unties. Borrowed. */
void log_set_request(const char *request_id);

void log_at(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The same with fields behind the message, by which lines can be searched. */
struct log_field {
	const char *name; /* a literal */
	const char *text; /* NULL: it is a number */
	int64_t number;
};
void log_fields(
	enum log_level level, const char *message, const struct log_field *fields, size_t count);

#define log_debug(...)   log_at(LOG_LEVEL_DEBUG, __VA_ARGS__)
#define log_info(...)    log_at(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_warning(...) log_at(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_error(...)   log_at(LOG_LEVEL_ERROR, __VA_ARGS__)
#endif
