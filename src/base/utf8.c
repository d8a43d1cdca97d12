#include "utf8.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* Bytes of the code point at `p` (1 to 4), or 0 when it is not well formed. RFC 3629 section 4. */
static size_t utf8_point(const unsigned char *p, size_t left)
{
	size_t i, need;
	unsigned char low = 0x80, high = 0xbf;

	if (p[0] < 0x80)
		return 1;
	if (p[0] >= 0xc2 && p[0] <= 0xdf) {
		need = 2;
	} else if (p[0] >= 0xe0 && p[0] <= 0xef) {
		need = 3;
		if (p[0] == 0xe0)
			low = 0xa0;
		if (p[0] == 0xed)
			high = 0x9f;
	} else if (p[0] >= 0xf0 && p[0] <= 0xf4) {
		need = 4;
		if (p[0] == 0xf0)
			low = 0x90;
		if (p[0] == 0xf4)
			high = 0x8f;
	} else {
		return 0;
	}
	if (left < need || p[1] < low || p[1] > high)
		return 0;
	for (i = 2; i < need; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	return need;
}

size_t utf8_next(const char *bytes, size_t left, uint32_t *point_r)
{
	static const unsigned char first_bits[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
	const unsigned char *p = (const unsigned char *)bytes;
	const size_t size = left ? utf8_point(p, left) : 0;
	size_t i;

	*point_r = size ? p[0] & first_bits[size] : 0;
	for (i = 1; i < size; i++)
		*point_r = *point_r << 6 | (p[i] & 0x3f);
	return size;
}

/* Eight at a time: the highest bit of a byte is set, or is borrowed by a byte below 0x20, or
 * carried to by 0x7f. A byte beside one that does may seem to; which it is, is seen below. */
size_t utf8_plain(const char *bytes, size_t len)
{
	const uint64_t ones = UINT64_C(0x0101010101010101);
	uint64_t word;
	size_t i;

	for (i = 0; i + sizeof(word) <= len; i += sizeof(word)) {
		memcpy(&word, bytes + i, sizeof(word));
		if ((word | (word - ones * 0x20) | (word + ones)) & ones << 7)
			break;
	}
	while (i < len && bytes[i] >= ' ' && bytes[i] <= '~')
		i++;
	return i;
}

bool utf8_valid(const char *bytes, size_t len, size_t *count_r)
{
	const unsigned char *p = (const unsigned char *)bytes;
	size_t i, step, count = 0;

	for (i = 0; i < len; i += step) {
		step = utf8_plain(bytes + i, len - i);
		count += step ? step : 1;
		if (!step)
			step = utf8_point(p + i, len - i);
		if (!step)
			return false;
	}
	if (count_r)
		*count_r = count;
	return true;
}

bool utf8_has_control(const char *text, bool multi_line)
{
	const unsigned char *p;

	for (p = (const unsigned char *)text; *p; p++) {
		if (*p < 0x20) {
			if (!multi_line || (*p != '\n' && *p != '\r' && *p != '\t'))
				return true;
		} else if (*p == 0x7f || (p[0] == 0xc2 && p[1] >= 0x80 && p[1] <= 0x9f)) {
			return true;
		} else if (!multi_line && p[0] == 0xe2 && p[1] == 0x80 &&
			   (p[2] == 0xa8 || p[2] == 0xa9)) {
			return true;
		}
	}
	return false;
}

size_t utf8_forbidden(const char *text)
{
	uint32_t point;
	size_t len;
	bool found;

	/* None is below U+2000, and this is asked of every byte. */
	if ((unsigned char)*text < 0xe2)
		return 0;
	len = utf8_next(text, 4, &point);
	/* The last two of each plane among them. */
	found = (point >= 0x202a && point <= 0x202e) || (point >= 0x2066 && point <= 0x2069) ||
		point == 0xfeff || (point >= 0xfdd0 && point <= 0xfdef) ||
		(point & 0xfffe) == 0xfffe;

	return found ? len : 0;
}

const char *utf8_refusal(const char *text, bool multi_line)
{
	if (!utf8_valid(text, strlen(text), NULL))
		return "must be valid UTF-8";
	if (utf8_has_control(text, multi_line))
		return "must not contain control characters";
	for (; *text; text++)
		if (utf8_forbidden(text))
			return "must not contain characters that turn the direction of text, "
			       "U+FEFF or noncharacters";
	return NULL;
}

bool utf8_has_rtl(const char *text, size_t len)
{
	/* The blocks whose characters are right-to-left unless assigned otherwise (Unicode's
	 * DerivedBidiClass.txt), and U+200F. */
	static const uint32_t blocks[][2] = {{0x590, 0x8ff}, {0x200f, 0x200f}, {0xfb1d, 0xfdff},
		{0xfe70, 0xfeff}, {0x10800, 0x10fff}, {0x1e800, 0x1efff}};
	size_t at, step, i;
	uint32_t point;

	for (at = 0; at < len; at += step ? step : 1) {
		step = 1;
		if ((unsigned char)text[at] < 0xd6) /* U+0580 */
			continue;
		step = utf8_next(text + at, len - at, &point);
		for (i = 0; i < sizeof(blocks) / sizeof(blocks[0]); i++)
			if (point >= blocks[i][0] && point <= blocks[i][1])
				return true;
	}
	return false;
}

size_t utf8_line_break(const char *text)
{
	static const char *const breaks[] = {"\r\n", "\n", "\r", "\xc2\x85", "\u2028", "\u2029"};
	size_t i;

	/* This is asked of many bytes. */
	if (*text != '\n' && *text != '\r' && *text != '\xc2' && *text != '\xe2')
		return 0;
	for (i = 0; i < sizeof(breaks) / sizeof(breaks[0]); i++)
		if (strncmp(text, breaks[i], strlen(breaks[i])) == 0)
			return strlen(breaks[i]);
	return 0;
}

size_t utf8_line(const char *text, size_t len)
{
	size_t at, step;

	for (at = 0; at < len; at += step ? step : 1) {
		step = utf8_plain(text + at, len - at);
		if (!step && utf8_line_break(text + at))
			break;
	}
	return at;
}

bool utf8_is_blank(const char *text)
{
	/* Unicode White_Space, and the zero-width characters that people paste. */
	static const char *const blanks[] = {" ", "\t", "\n", "\r", "\u00a0", "\u00ad", "\u1680",
		"\u2000", "\u2001", "\u2002", "\u2003", "\u2004", "\u2005", "\u2006", "\u2007",
		"\u2008", "\u2009", "\u200a", "\u200b", "\u200c", "\u200d", "\u200e", "\u200f",
		"\u2028", "\u2029", "\u202f", "\u205f", "\u2060", "\u3000", "\ufeff"};
	size_t i;

	while (*text) {
		for (i = 0; i < sizeof(blanks) / sizeof(blanks[0]); i++)
			if (strncmp(text, blanks[i], strlen(blanks[i])) == 0)
				break;
		if (i == sizeof(blanks) / sizeof(blanks[0]))
			return false;
		text += strlen(blanks[i]);
	}
	return true;
}

static char utf8_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool utf8_same_but_case(const char *one, const char *other)
{
	for (; *one && utf8_lower(*one) == utf8_lower(*other); one++)
		other++;
	return *one == *other;
}

size_t utf8_prefix(const char *text, size_t limit)
{
	size_t len = strlen(text);

	if (len <= limit)
		return len;
	while (limit > 0 && ((unsigned char)text[limit] & 0xc0) == 0x80)
		limit--;
	return limit;
}

void utf8_vformat(char *text_r, size_t size, const char *format, va_list args)
{
	if (vsnprintf(text_r, size, format, args) >= (int)size)
		text_r[utf8_prefix(text_r, size - 4)] = '\0';
}
