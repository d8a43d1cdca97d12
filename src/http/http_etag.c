#include <string.h>

#include "http_date.h"
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

/* Whether a list has one that begins so. */
static bool http_etag_find(const char *value, const char *begin, bool weak)
{
	const size_t begin_len = strlen(begin);
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
		if ((weak || !is_weak) && len >= begin_len && strncmp(value, begin, begin_len) == 0)
			return true;
		value += len + strspn(value + len, " \t");
		if (*value != ',')
			return false;
	}
}

/* A whole tag ends with a quote, and none is within another. */
bool http_etag_listed(const char *value, const char *etag, bool weak)
{
	return http_etag_find(value, etag, weak);
}

bool http_etag_part_listed(const char *value, const char *part)
{
	return http_etag_find(value, part, false);
}

bool http_is_conditional(const struct http_exchange *exchange)
{
	return http_variable(exchange, "HTTP_IF_NONE_MATCH") ||
	       http_variable(exchange, "HTTP_IF_MODIFIED_SINCE");
}

/* If-None-Match decides where it is sent; a date that cannot be read is not there (RFC 9110 section
 * 13.1.3). */
static bool http_is_known(const struct http_exchange *exchange)
{
	const char *tags = http_variable(exchange, "HTTP_IF_NONE_MATCH");
	const char *since = http_variable(exchange, "HTTP_IF_MODIFIED_SINCE");
	const char *modified = http_header_get(exchange, "Last-Modified");
	int64_t known, last;

	if (tags)
		return http_etag_listed(tags, http_header_get(exchange, "ETag"), true);
	return since && modified && http_date_parse(since, exchange->now, &known) &&
	       http_date_parse(modified, exchange->now, &last) && last <= known;
}

bool http_reply_known(struct http_exchange *exchange)
{
	const bool known = http_is_known(exchange);

	if (known)
		http_reply(exchange, 304, NULL, NULL, 0);
	return known;
}
