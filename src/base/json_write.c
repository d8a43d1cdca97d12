#define _GNU_SOURCE /* mempcpy */
#include "json_write.h"

#include <stdarg.h>
#include <string.h>

#include "instant.h"

enum { JSON_MAX_DIGITS = 20 };

/* What stands behind the backslash; 'u': the number of the character. */
static const char json_escapes[256] = {
	['\b'] = 'b',
	['\t'] = 't',
	['\n'] = 'n',
	['\f'] = 'f',
	['\r'] = 'r',
	['"'] = '"',
	['\\'] = '\\',
	[0x01] = 'u',
	[0x02] = 'u',
	[0x03] = 'u',
	[0x04] = 'u',
	[0x05] = 'u',
	[0x06] = 'u',
	[0x07] = 'u',
	[0x0b] = 'u',
	[0x0e] = 'u',
	[0x0f] = 'u',
	[0x10] = 'u',
	[0x11] = 'u',
	[0x12] = 'u',
	[0x13] = 'u',
	[0x14] = 'u',
	[0x15] = 'u',
	[0x16] = 'u',
	[0x17] = 'u',
	[0x18] = 'u',
	[0x19] = 'u',
	[0x1a] = 'u',
	[0x1b] = 'u',
	[0x1c] = 'u',
	[0x1d] = 'u',
	[0x1e] = 'u',
	[0x1f] = 'u',
};

/* Whether a comma comes next: this is neither the first nor the value of a name. */
static bool json_follows(const struct buf *out)
{
	const char last = out->len ? out->bytes[out->len - 1] : '[';

	return last != '{' && last != '[' && last != ':';
}

/* Room for so many bytes behind the comma, where one comes; NULL when there is none. */
static char *json_begin(struct buf *out, size_t len)
{
	const bool comma = json_follows(out);
	char *to = buf_room(out, len + comma);

	if (to && comma)
		*to++ = ',';
	return to;
}

/* What was written there ends here. */
static void json_end(struct buf *out, char *to)
{
	*to = '\0';
	out->len = (size_t)(to - out->bytes);
}

/* As it is. */
static void json_put(struct buf *out, const char *bytes, size_t len)
{
	char *to = json_begin(out, len);

	if (to)
		json_end(out, mempcpy(to, bytes, len));
}

/* In quotes: what needs no escape. */
static void json_quote(struct buf *out, const char *bytes, size_t len)
{
	char *to = json_begin(out, len + 2);

	if (!to)
		return;
	*to++ = '"';
	to = mempcpy(to, bytes, len);
	*to++ = '"';
	json_end(out, to);
}

static void json_escape(struct buf *out, unsigned char c)
{
	static const char digits[] = "0123456789abcdef";
	const char escaped[] = {'\\', json_escapes[c], '0', '0', digits[c >> 4], digits[c & 15]};

	buf_add(out, escaped, json_escapes[c] == 'u' ? sizeof(escaped) : 2);
}

/*
 * How many bytes need no escape, of `len`. Eight at a time: a byte that is below 0x20, or becomes 0
 * when the one that is looked for is taken away, borrows from its highest bit (H. Warren, "Hacker's
 * Delight", section 6-1). A byte behind one that does may seem to; which it is, is seen below.
 */
static size_t json_plain(const char *text, size_t len)
{
	const uint64_t ones = UINT64_C(0x0101010101010101), high = ones << 7;
	uint64_t word, quote, slash;
	size_t i;

	for (i = 0; i + sizeof(word) <= len; i += sizeof(word)) {
		memcpy(&word, text + i, sizeof(word));
		quote = word ^ ones * '"';
		slash = word ^ ones * '\\';
		if ((((word - ones * 0x20) & ~word) | ((quote - ones) & ~quote) |
			    ((slash - ones) & ~slash)) &
			high)
			break;
	}
	while (i < len && !json_escapes[(unsigned char)text[i]])
		i++;
	return i;
}

/* Goes on within a text, run by run of what stays as it is. */
static void json_continue(struct buf *out, const char *text)
{
	size_t len = strlen(text), run;

	for (;;) {
		run = json_plain(text, len);
		buf_add(out, text, run);
		if (run == len)
			return;
		json_escape(out, (unsigned char)text[run]);
		text += run + 1;
		len -= run + 1;
	}
}

void json_write_open(struct buf *out, char bracket)
{
	json_put(out, &bracket, 1);
}

void json_write_close(struct buf *out, char bracket)
{
	buf_add_char(out, bracket);
}

void json_write_name(struct buf *out, const char *name)
{
	const size_t len = strlen(name);
	char *to = json_begin(out, len + 3);

	if (!to)
		return;
	*to++ = '"';
	to = mempcpy(to, name, len);
	*to++ = '"';
	*to++ = ':';
	json_end(out, to);
}

void json_write_key(struct buf *out, const char *name)
{
	json_write_text(out, name);
	buf_add_char(out, ':');
}

void json_write_text(struct buf *out, const char *text)
{
	const size_t len = text ? strlen(text) : 0;

	if (!text) {
		json_put(out, "null", 4);
		return;
	}
	/* Most texts are one run. */
	if (json_plain(text, len) == len) {
		json_quote(out, text, len);
		return;
	}
	json_put(out, "\"", 1);
	json_continue(out, text);
	buf_add_char(out, '"');
}

void json_write_member(struct buf *out, const char *name, const char *text)
{
	json_write_name(out, name);
	json_write_text(out, text);
}

void json_write_joined(struct buf *out, ...)
{
	const char *part;
	va_list parts;

	json_put(out, "\"", 1);
	va_start(parts, out);
	while ((part = va_arg(parts, const char *)))
		json_continue(out, part);
	va_end(parts);
	buf_add_char(out, '"');
}

void json_write_int(struct buf *out, int64_t number)
{
	/* The magnitude of the least number is no int64_t. */
	uint64_t rest = number < 0 ? -(uint64_t)number : (uint64_t)number;
	char digits[JSON_MAX_DIGITS], *first = digits + sizeof(digits);

	do
		*--first = (char)('0' + rest % 10);
	while (rest /= 10);
	if (number < 0)
		*--first = '-';
	json_put(out, first, (size_t)(digits + sizeof(digits) - first));
}

void json_write_bool(struct buf *out, bool value)
{
	json_put(out, value ? "true" : "false", value ? 4 : 5);
}

void json_write_instant(struct buf *out, int64_t instant, bool with_ms)
{
	char text[INSTANT_TEXT_SIZE];

	if (!instant) {
		json_write_text(out, NULL);
		return;
	}
	instant_format(instant, with_ms, text);
	json_quote(out, text, strlen(text));
}
