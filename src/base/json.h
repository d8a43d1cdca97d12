#ifndef JSON_H
#define JSON_H
/* Strict JSON from outside (json-c). */
#include <stddef.h>

#include "arena.h"
#include "err.h"

struct json_object;

/* Parses exactly one JSON value (RFC 8259): no trailing bytes, valid UTF-8, no NUL, nesting of at
 * most 16, no duplicate keys. A NUL must follow the bytes. The value is released with the arena.
 * ERR_MALFORMED otherwise. */
enum err json_parse(struct arena *arena, const char *bytes, size_t len, struct json_object **json_r,
	struct err_info *info);
#endif
