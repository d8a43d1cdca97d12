#define _GNU_SOURCE /* mempcpy, strchrnul */
#include "ics_text.h"

#include <string.h>

#include "instant.h"
#include "utf8.h"

enum { FOLD_OCTETS = 75 };

/* The length of the control character (C0, DEL, C1) or line or paragraph separator at `p`, or 0;
 * *breaks_r when it ends a line. */
static size_t text_control(const unsigned char *p, bool *breaks_r)
{
	*breaks_r = true;
	if (p[0] == '\r' && p[1] == '\n')
		return 2;
	if (p[0] == '\r' || p[0] == '\n')
		return 1;
	if (p[0] == 0xc2 && p[1] == 0x85)
		return 2;
	if (p[0] == 0xe2 && p[1] == 0x80 && (p[2] == 0xa8 || p[2] == 0xa9))
		return 3;
	*breaks_r = false;
	if ((p[0] && p[0] < 0x20) || p[0] == 0x7f)
		return 1;
	return p[0] == 0xc2 && p[1] >= 0x80 && p[1] <= 0x9f ? 2 : 0;
}

/* `raw`: of people, not of a template, where isolates are ours. */
static char *text_clean(struct arena *arena, const char *text, bool multi_line, bool raw)
{
	const char *end = text ? text + strlen(text) : NULL;
	char *clean, *out;
	bool breaks;
	size_t len;

	if (!text)
		return NULL;
	clean = out = arena_alloc(arena, (size_t)(end - text) + 1);
	for (; text < end; text += len) {
		len = utf8_plain(text, (size_t)(end - text));
		if (len) {
			out = mempcpy(out, text, len);
			continue;
		}
		len = raw ? utf8_forbidden(text) : 0;
		if (len)
			continue;
		len = text_control((const unsigned char *)text, &breaks);
		if (!len) {
			*out++ = *text;
			len = 1;
		} else if (multi_line && breaks) {
			*out++ = '\n';
		} else if (out > clean && out[-1] != ' ') {
			*out++ = ' ';
		}
	}
	while (out > clean && (out[-1] == ' ' || out[-1] == '\n'))
		*--out = '\0';
	clean += strspn(clean, " \n");
	return *clean ? clean : NULL;
}

char *ics_text_line(struct arena *arena, const char *text)
{
	return text_clean(arena, text, false, true);
}

char *ics_text_lines(struct arena *arena, const char *text)
{
	return text_clean(arena, text, true, true);
}

static bool text_is_special(char c)
{
	return c == '\\' || c == ';' || c == ',';
}

/* RFC 5545 section 3.3.11: a template that took three braces has escaped nothing. */
char *ics_text_escaped(struct arena *arena, const char *text)
{
	char *lines = text_clean(arena, text, true, false), *in, *out, *escaped;

	if (!lines)
		return NULL;
	escaped = out = arena_alloc(arena, 2 * strlen(lines) + 1);
	for (in = lines; *in; in++) {
		if (*in == '\n') {
			out = stpcpy(out, "\\n");
		} else if (*in == '\\' &&
			   (text_is_special(in[1]) || in[1] == 'n' || in[1] == 'N')) {
			*out++ = *in++;
			*out++ = *in == 'N' ? 'n' : *in;
		} else {
			if (text_is_special(*in))
				*out++ = '\\';
			*out++ = *in;
		}
	}
	return escaped;
}

/*
 * A backslash means nothing in a parameter, but libical and other readers take one as an escape,
 * one before the closing quote even as the end of all order; and libical 3.0.16 decodes ^^ without
 * encoding it again. So neither character is passed on: lookalikes are. Quotes are put around =
 * too, which need not be: ical4j 4.2.3 reads no calendar with one behind the =.
 */
char *ics_text_param(struct arena *arena, const char *text)
{
	const char *p = ics_text_line(arena, text);
	const char *quote;
	char *value, *out;
	bool open = false;

	if (!p)
		return NULL;
	quote = strpbrk(p, ":;,=") ? "\"" : "";
	value = out = arena_alloc(arena, strlen(p) * 3 + 3);
	out = stpcpy(out, quote);
	for (; *p; p++) {
		if (*p == '"')
			out = stpcpy(out, (open = !open) ? "\u201c" : "\u201d");
		else if (*p == '^')
			out = stpcpy(out, "\u02c6");
		else
			*out++ = *p == '\\' ? '/' : *p;
	}
	strcpy(out, quote);
	return value;
}

char *ics_text_mailto(struct arena *arena, const char *email)
{
	static const char encoded[] = " \"#%<>?[\\]^`{|}";
	static const char hex[] = "0123456789ABCDEF";
	char *uri = arena_alloc(arena, strlen("mailto:") + strlen(email) * 3 + 1);
	char *out = stpcpy(uri, "mailto:");
	const char *p;

	for (p = email; *p; p++) {
		if ((unsigned char)*p > ' ' && *p != 0x7f && !strchr(encoded, *p)) {
			*out++ = *p;
		} else {
			*out++ = '%';
			*out++ = hex[(unsigned char)*p >> 4];
			*out++ = hex[*p & 15];
		}
	}
	return uri;
}

char *ics_text_time(struct arena *arena, int64_t instant)
{
	char text[INSTANT_TEXT_SIZE];
	char *in, *out;

	instant_format(instant, false, text);
	for (in = out = text; *in; in++)
		if (*in != '-' && *in != ':')
			*out++ = *in;
	*out = '\0';
	return arena_strdup(arena, text);
}

/* Adds a part of a content line of which `column` octets stand on the last line already. */
static size_t text_fold(struct buf *out, size_t column, const char *text, size_t len)
{
	size_t room;

	while (len > FOLD_OCTETS - column) {
		room = FOLD_OCTETS - column;
		while (room && ((unsigned char)text[room] & 0xc0) == 0x80)
			room--;
		buf_add(out, text, room);
		buf_add_text(out, "\r\n ");
		text += room;
		len -= room;
		column = 1;
	}
	buf_add(out, text, len);
	return column + len;
}

/* Whether it begins as a content line does. */
static bool text_is_named(const char *line)
{
	const char *c = line;

	while (utf8_is_alnum(*c) || *c == '-')
		c++;
	return c > line && (*c == ':' || *c == ';');
}

static bool text_has_control(const char *text, const char *end)
{
	bool breaks;

	while ((text += utf8_plain(text, (size_t)(end - text))) < end)
		if (text_control((const unsigned char *)text++, &breaks))
			return true;
	return false;
}

/* Of a line at fault only its name is told: the rest may hold a join link. */
static enum err text_refuse(const char *words, const char *line, struct err_info *info)
{
	const size_t len = strcspn(line, ":;\r\n");

	return err_set(info, ERR_INTERNAL, "The calendar has %s %.*s.", words,
		(int)utf8_prefix(line, len < 64 ? len : 64), line);
}

static enum err text_add_lines(const char *lines, struct buf *out, struct err_info *info)
{
	const char *line, *end, *next;
	size_t column = 0;

	for (line = lines; *line; line = next) {
		end = strchrnul(line, '\n');
		next = *end ? end + 1 : end;
		if (end > line && end[-1] == '\r')
			end--;
		if (end == line)
			continue;
		if (text_has_control(line, end))
			return text_refuse("a control character in", line, info);
		if (column && *line == ' ') {
			line++; /* goes on with the line before */
		} else if (text_is_named(line)) {
			if (column)
				buf_add_text(out, "\r\n");
			column = 0;
		} else {
			return text_refuse("a line that begins with no name:", line, info);
		}
		column = text_fold(out, column, line, (size_t)(end - line));
	}
	if (column)
		buf_add_text(out, "\r\n");
	return ERR_OK;
}

enum err ics_text_fold(const char *lines, struct buf *out, struct err_info *info)
{
	const size_t before = out->len;
	enum err err = text_add_lines(lines, out, info);

	if (err == ERR_OK && out->overflow)
		err = err_set(info, ERR_INTERNAL, "The calendar is too large.");
	if (err != ERR_OK)
		buf_cut(out, before);
	return err;
}
