#ifndef LOG_H
#define LOG_H
/*
 * One line an event on standard error, in logfmt: time, level, process, request id, message.
 * Never pass a secret, a token or a full join link. Thread-safe; a line is one write().
 */
#include <stdbool.h>

enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARNING, LOG_LEVEL_ERROR };

/* "debug", "info", "warning" or "error"; false for anything else. */
bool log_level_parse(const char *name, enum log_level *level_r);

/* Names this process in every line (e.g. "worker"), and sets the least level that is written.
 * `role` is borrowed for the life of the process. */
void log_init(const char *role, enum log_level least);

/* Ties the lines of this thread to a request; NULL unties. Borrowed. */
void log_set_request(const char *request_id);

void log_at(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define log_debug(...)   log_at(LOG_LEVEL_DEBUG, __VA_ARGS__)
#define log_info(...)    log_at(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_warning(...) log_at(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_error(...)   log_at(LOG_LEVEL_ERROR, __VA_ARGS__)
#endif
