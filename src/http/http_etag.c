#include <string.h>

#include "http_exchange.h"

char *http_etag(struct arena *arena, const char *bytes, size_t len)
{
	char hash[HASH_SIZE];

	hash_hex(bytes, len, hash);
	/* 128 bits tell representations of one resource apart. */
	return arena_printf(arena, "\"%.32s\"", hash);
}

/* The length of an opaque-tag with its quotes (RFC 9110 section 8.8.3), or 0. */
static size_t http_etag_span(const char *text)
{
	size_t i;

	if (text[0] != '"')
		return 0;
	for (i = 1; (unsigned char)text[i] >= 0x21 && text[i] != '"' && text[i] != 0x7f; i++)
		continue;
	return text[i] == '"' ? i + 1 : 0;
}

bool http_etag_listed(const char *value, const char *etag, bool weak)
{
	bool is_weak;
	size_t len;

	value += strspn(value, " \t");
	if (*value == '*')
		return value[1 + strspn(value + 1, " \t")] == '\0';
	for (;;) {
		value += strspn(value, " \t,");
		is_weak = strncmp(value, "W/", 2) == 0;
		value += is_weak ? 2 : 0;
		len = http_etag_span(value);
		if (len == 0)
			return false;
		if ((weak || !is_weak) && len == strlen(etag) && strncmp(value, etag, len) == 0)
			return true;
		value += len + strspn(value + len, " \t");
		if (*value != ',')
			return false;
	}
}
