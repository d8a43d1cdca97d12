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
	const unsigned char *p = (const unsigned char *)text;
	char *clean, *out;
	bool breaks;
	size_t len;

	if (!text)
		return NULL;
	clean = out = arena_alloc(arena, strlen(text) + 1);
	while (*p) {
		len = raw ? utf8_forbidden((const char *)p) : 0;
		if (len) {
			p += len;
			continue;
		}
		len = text_control(p, &breaks);
		if (!len)
			*out++ = (char)*p++;
		else if (multi_line && breaks)
			*out++ = '\n';
		else if (out > clean && out[-1] != ' ')
			*out++ = ' ';
		p += len;
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

char *ics_text_escaped(struct arena *arena, const char *text)
{
	char *lines = text_clean(arena, text, true, false), *out;
	struct buf buf;

	if (!lines)
		return NULL;
	buf_init(&buf, 2 * strlen(lines));
	for (; *lines; lines++)
		if (*lines == '\n')
			buf_add_text(&buf, "\\n");
		else
			buf_add_char(&buf, *lines);
	out = arena_strndup(arena, buf.bytes, buf.len);
	buf_fini(&buf);
	return out;
}

/*
 * A backslash means nothing in a parameter, but libical and other readers take one as an escape,
 * one before the closing quote even as the end of all order; and libical 3.0.16 decodes ^^ without
 * encoding it again. So neither character is passed on: lookalikes are.
 */
char *ics_text_param(struct arena *arena, const char *text)
{
	const char *p = ics_text_line(arena, text);
	char *quoted, *out;
	bool open = false;

	if (!p)
		return NULL;
	quoted = out = arena_alloc(arena, strlen(p) * 3 + 3);
	*out++ = '"';
	for (; *p; p++) {
		if (*p == '"')
			out = stpcpy(out, (open = !open) ? "\u201c" : "\u201d");
		else if (*p == '^')
			out = stpcpy(out, "\u02c6");
		else
			*out++ = *p == '\\' ? '/' : *p;
	}
	*out = '"';
	return quoted;
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

/* libical quotes any parameter that has a comma, but FEATURE holds a list, which may not be quoted
 * (RFC 7986 section 6.3). */
static void text_unquote_feature(char *line)
{
	static const char feature[] = ";FEATURE=\"";
	char *open, *close;

	if (strncmp(line, "CONFERENCE;", strlen("CONFERENCE;")) != 0)
		return;
	open = strstr(line, feature);
	close = open ? strchr(open + strlen(feature), '"') : NULL;
	if (!close)
		return;
	memmove(close, close + 1, strlen(close));
	open += strlen(feature) - 1;
	memmove(open, open + 1, strlen(open));
}

static void text_fold_line(const char *line, struct buf *out)
{
	size_t limit = FOLD_OCTETS, len;

	while (line[len = utf8_prefix(line, limit)]) {
		buf_add(out, line, len);
		buf_add_text(out, "\r\n ");
		line += len;
		limit = FOLD_OCTETS - 1;
	}
	buf_add_text(out, line);
	buf_add_text(out, "\r\n");
}

/* libical's own folds are undone first: 3.0.16 may put one inside a line's CRLF. */
enum err ics_text_fold(const char *lines, struct buf *out, struct err_info *info)
{
	enum err err = ERR_OK;
	struct buf plain;
	char *line, *end;

	buf_init(&plain, strlen(lines));
	for (; *lines; lines++) {
		if (strncmp(lines, "\r\n ", 3) == 0)
			lines += 2;
		else
			buf_add_char(&plain, *lines);
	}
	for (line = plain.bytes; (end = strstr(line, "\r\n")); line = end + 2) {
		*end = '\0';
		if (utf8_has_control(line, false)) {
			err = err_set(info, ERR_INTERNAL,
				"The calendar has a control character in %.*s.",
				(int)strcspn(line, ":;"), line);
			goto out;
		}
		text_unquote_feature(line);
		text_fold_line(line, out);
	}
out:
	buf_fini(&plain);
	return err;
}
