#ifndef ERR_H
#define ERR_H
/*
 * Errors. Functions that can fail return `enum err` and describe the failure in their last
 * parameter. The words in `detail` may be shown to users, so they never hold a secret.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "clean.h"

enum err {
#define ERR(name, code, status, retryable, level, title) ERR_##name,
#include "err_table.h"
#undef ERR
	ERR_COUNT
};

/* A set of errors. */
#define ERR_SET(name) (UINT64_C(1) << ERR_##name)
_Static_assert(ERR_COUNT <= 64, "a set of errors has 64 bits");

enum { ERR_MAX_FIELDS = 16 };

struct err_field {
	char pointer[128]; /* JSON pointer, RFC 6901 */
	char detail[192];
};

struct err_info {
	enum err err;
	char detail[512];
	char reason[CLEAN_SIZE]; /* what another server said: for administrators and the log */
	int retry_after_s;       /* 0 = not said */
	size_t field_count;
	struct err_field fields[ERR_MAX_FIELDS];
};

/* Describes a failure and returns `err`, so that `return err_set(...)` reads well. `info` may be
 * NULL. */
enum err err_set(struct err_info *info, enum err err, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Notes one invalid input field (at most ERR_MAX_FIELDS are kept); returns ERR_INVALID. */
enum err err_add_field(struct err_info *info, const char *pointer, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

void err_clear(struct err_info *info);

const char *err_code(enum err err);
const char *err_title(enum err err);
int err_status(enum err err);
bool err_retryable(enum err err);
int err_log_level(enum err err);
#endif
