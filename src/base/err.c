#include "err.h"

#include <stdarg.h>
#include <stdio.h>

#include "log.h"
#include "utf8.h"

static const struct {
	const char *code;
	int status;
	bool retryable;
	int level;
	const char *title;
} err_table[ERR_COUNT] = {
#define ERR(name, code, status, retryable, level, title)                                           \
	[ERR_##name] = {code, status, retryable, LOG_LEVEL_##level, title},
#include "err_table.h"
#undef ERR
};

enum err err_set(struct err_info *info, enum err err, const char *format, ...)
{
	va_list args;

	if (!info)
		return err;
	info->err = err;
	va_start(args, format);
	utf8_vformat(info->detail, sizeof(info->detail), format, args);
	va_end(args);
	return err;
}

enum err err_add_field(struct err_info *info, const char *pointer, const char *format, ...)
{
	struct err_field *field;
	va_list args;

	if (!info)
		return ERR_INVALID;
	if (info->err != ERR_INVALID)
		err_set(info, ERR_INVALID, "One or more fields are not valid.");
	if (info->field_count == ERR_MAX_FIELDS)
		return ERR_INVALID;
	field = &info->fields[info->field_count++];
	snprintf(field->pointer, sizeof(field->pointer), "%s", pointer);
	va_start(args, format);
	utf8_vformat(field->detail, sizeof(field->detail), format, args);
	va_end(args);
	return ERR_INVALID;
}

void err_clear(struct err_info *info)
{
	info->err = ERR_OK;
	info->detail[0] = info->reason[0] = '\0';
	info->retry_after_s = 0;
	info->field_count = 0;
}

const char *err_code(enum err err)
{
	return err_table[err].code;
}

const char *err_title(enum err err)
{
	return err_table[err].title;
}

int err_status(enum err err)
{
	return err_table[err].status;
}

bool err_retryable(enum err err)
{
	return err_table[err].retryable;
}

int err_log_level(enum err err)
{
	return err_table[err].level;
}
