#define _GNU_SOURCE /* strcasestr */
#include "clean.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "utf8.h"

enum {
	CLEAN_FLAT = 4096,  /* of what is looked at, after all that cannot be seen is gone */
	CLEAN_TAG = 1024,   /* what is longer is no tag */
	CLEAN_OPAQUE = 20,  /* characters of a run with a digit that is no word */
	CLEAN_LONGEST = 40, /* of a word */
	CLEAN_PASSCODE = 8, /* of three kinds of characters */
};

#define CLEAN_CDATA "<![CDATA["

/* ---- what can be seen ---- */

struct clean_range {
	uint32_t first, last;
};

static bool clean_in(const struct clean_range *ranges, size_t count, uint32_t point)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (point >= ranges[i].first && point <= ranges[i].last)
			return true;
	return false;
}

#define CLEAN_IN(ranges, point) clean_in(ranges, sizeof(ranges) / sizeof((ranges)[0]), point)

/* Unicode White_Space, and controls. */
static bool clean_is_blank(uint32_t point)
{
	static const struct clean_range blanks[] = {{0, 0x20}, {0x7f, 0xa0}, {0x1680, 0x1680},
		{0x2000, 0x200a}, {0x2028, 0x2029}, {0x202f, 0x202f}, {0x205f, 0x205f},
		{0x3000, 0x3000}};

	return CLEAN_IN(blanks, point);
}

/* Format characters (Cf), variation selectors, private use and noncharacters. */
static bool clean_is_invisible(uint32_t point)
{
	static const struct clean_range ranges[] = {{0xad, 0xad}, {0x34f, 0x34f}, {0x61c, 0x61c},
		{0x180b, 0x180e}, {0x200b, 0x200f}, {0x202a, 0x202e}, {0x2060, 0x206f},
		{0xe000, 0xf8ff}, {0xfdd0, 0xfdef}, {0xfe00, 0xfe0f}, {0xfeff, 0xfeff},
		{0xfff0, 0xfffb}, {0xe0000, 0x10ffff}};

	return CLEAN_IN(ranges, point) || (point & 0xfffe) == 0xfffe;
}

/* The length of the tag that begins here; 0 when none does. */
static size_t clean_tag(const char *text, size_t left)
{
	const char *end;

	if (left < 3 || text[0] != '<' ||
		!(isalpha((unsigned char)text[1]) || strchr("/!?", text[1])))
		return 0;
	if (left >= strlen(CLEAN_CDATA) && memcmp(text, CLEAN_CDATA, strlen(CLEAN_CDATA)) == 0)
		return strlen(CLEAN_CDATA);
	end = memchr(text, '>', left < CLEAN_TAG ? left : CLEAN_TAG);
	return end ? (size_t)(end - text) + 1 : 0;
}

/* What can be seen, with one blank between words; says how long it is. Where there is more than
 * fits, the last word is whole or gone, unless there is but one. */
static size_t clean_flatten(const char *bytes, size_t len, char flat_r[CLEAN_FLAT])
{
	size_t i = 0, step, count = 0;
	uint32_t point;

	while (i < len) {
		step = clean_tag(bytes + i, len - i);
		if (step)
			point = ' ';
		else if (!(step = utf8_next(bytes + i, len - i, &point)))
			step = 1, point = ' ';
		if (count + step > CLEAN_FLAT - 1)
			break;
		if (clean_is_blank(point) || point == '<' || point == '>') {
			if (count && flat_r[count - 1] != ' ')
				flat_r[count++] = ' ';
		} else if (!clean_is_invisible(point)) {
			memcpy(flat_r + count, bytes + i, step);
			count += step;
		}
		i += step;
	}
	for (step = count; i < len && step && flat_r[step - 1] != ' ';)
		step--;
	return step ? step : count;
}

/* ---- what may be told ---- */

static bool clean_has(const char *word, const char *part)
{
	return strcasestr(word, part) != NULL;
}

static bool clean_is_link(const char *word)
{
	static const char *const schemes[] = {
		"www.", "mailto:", "tel:", "sip:", "data:", "javascript:", "zoommtg:", "msteams:"};
	const char *slash = strchr(word, '/'), *dot = strchr(word, '.');
	size_t i;

	for (i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++)
		if (strncasecmp(word, schemes[i], strlen(schemes[i])) == 0)
			return true;
	return clean_has(word, "://") || clean_has(word, "%3a%2f") || (slash && dot && dot < slash);
}

static bool clean_is_address(const char *word)
{
	return strchr(word, '@') || clean_has(word, "%40") || strstr(word, "\uff20");
}

/* A run of characters that tokens are made of, and what it is made of. */
struct clean_run {
	size_t len;
	bool upper, lower, digit;
};

static struct clean_run clean_run(const char *text, const char *more)
{
	struct clean_run run = {0};
	unsigned char c;

	for (; (c = (unsigned char)text[run.len]) && (isalnum(c) || strchr(more, c)); run.len++) {
		run.upper |= isupper(c) != 0;
		run.lower |= islower(c) != 0;
		run.digit |= isdigit(c) != 0;
	}
	return run;
}

static bool clean_is_token(const char *word)
{
	struct clean_run run;
	const char *c;

	for (c = word; *c; c += run.len + (run.len == 0)) {
		run = clean_run(c, "-_+/~.%*=");
		if ((run.len >= CLEAN_OPAQUE && run.digit) || run.len > CLEAN_LONGEST ||
			(run.len > CLEAN_PASSCODE && strncmp(c, "eyJ", 3) == 0))
			return true;
	}
	for (c = word; *c; c += run.len + (run.len == 0)) {
		run = clean_run(c, "-_*");
		if (run.len >= CLEAN_PASSCODE && run.upper && run.lower && run.digit)
			return true;
	}
	return false;
}

/* Whether the next word is a credential, whatever it looks like. */
static bool clean_announces(const char *word)
{
	static const char *const words[] = {"bearer", "basic", "authorization"};
	size_t i, len = strcspn(word, ":");

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strlen(words[i]) == len && strncasecmp(word, words[i], len) == 0)
			return true;
	return word[0] && word[strlen(word) - 1] == '=';
}

/* ---- what is written ---- */

struct clean_out {
	char *text;
	size_t len, count;  /* bytes, characters */
	size_t before_last; /* bytes before the last character that may be written */
	bool full, blank;   /* nothing more fits; there is one before what comes next */
	bool secret;        /* what comes next is one */
	const char *placed; /* in the place of what came last */
};

static void clean_put(struct clean_out *out, const char *text, size_t len)
{
	size_t i, step;
	uint32_t point;

	if (out->blank) {
		out->blank = false;
		clean_put(out, " ", 1);
	}
	for (i = 0; i < len && !out->full; i += step) {
		step = utf8_next(text + i, len - i, &point);
		if (out->count == CLEAN_MAX) {
			memcpy(out->text + out->before_last, "…", strlen("…"));
			out->len = out->before_last + strlen("…");
			out->full = true;
			break;
		}
		out->before_last = out->len;
		memcpy(out->text + out->len, text + i, step);
		out->len += step;
		out->count++;
	}
}

/* Once for all that follows one another. */
static void clean_place(struct clean_out *out, const char *instead)
{
	if (out->placed == instead)
		out->blank = false;
	else
		clean_put(out, instead, strlen(instead));
	out->placed = instead;
}

static void clean_word(struct clean_out *out, const char *word)
{
	static const char link[] = "[link]", address[] = "[address]", token[] = "[token]";
	const bool secret = out->secret;

	out->secret = clean_announces(word);
	if (secret)
		clean_place(out, token);
	else if (clean_is_address(word))
		clean_place(out, address);
	else if (clean_is_link(word))
		clean_place(out, link);
	else if (out->secret || strchr(word, '=') || clean_is_token(word))
		clean_place(out, token);
	else {
		clean_put(out, word, strlen(word));
		out->placed = NULL;
	}
}

void clean_text(const char *bytes, size_t len, char text_r[CLEAN_SIZE])
{
	static const char between[] = " \"'`()[]{},;|\\";
	struct clean_out out = {.text = text_r};
	char flat[CLEAN_FLAT], word[CLEAN_FLAT];
	const size_t end = clean_flatten(bytes, len, flat);
	size_t i, size;

	flat[end] = '\0';
	for (i = 0; i < end; i += size ? size : 1) {
		size = strcspn(flat + i, between);
		memcpy(word, flat + i, size);
		word[size] = '\0';
		if (size)
			clean_word(&out, word);
		else if (flat[i] != ' ')
			clean_put(&out, flat + i, 1);
		else
			out.blank = out.len > 0;
	}
	text_r[out.len] = '\0';
}
