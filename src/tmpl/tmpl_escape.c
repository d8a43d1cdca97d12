#include "tmpl_private.h"
#include "utf8.h"

/*
 * Each of these says how many of the `left` bytes at `p` (at least 1) are replaced, and by what;
 * 0 when the first of them stays as it is.
 */
static size_t tmpl_escape_html(const char *p, size_t left, const char **by_r)
{
	(void)left;
	switch (*p) {
	case '&':
		*by_r = "&amp;";
		return 1;
	case '<':
		*by_r = "&lt;";
		return 1;
	case '>':
		*by_r = "&gt;";
		return 1;
	case '"':
		*by_r = "&quot;";
		return 1;
	case '\'':
		*by_r = "&#39;";
		return 1;
	default:
		return 0;
	}
}

/* RFC 5545 section 3.3.11. TAB is the only control character that TEXT may hold. */
static size_t tmpl_escape_ical(const char *p, size_t left, const char **by_r)
{
	(void)left;
	switch (*p) {
	case '\\':
		*by_r = "\\\\";
		return 1;
	case ';':
		*by_r = "\\;";
		return 1;
	case ',':
		*by_r = "\\,";
		return 1;
	default:
		*by_r = "";
		return (unsigned char)*p < 0x20 ? *p != '\t' : *p == 0x7f;
	}
}

/* The length of the control character (C0, DEL, C1) or line or paragraph separator at `p`. */
static size_t tmpl_control(const char *p, size_t left)
{
	const unsigned char *u = (const unsigned char *)p;

	if (u[0] < 0x20 || u[0] == 0x7f)
		return 1;
	if (left >= 2 && u[0] == 0xc2 && u[1] >= 0x80 && u[1] <= 0x9f)
		return 2;
	if (left >= 3 && u[0] == 0xe2 && u[1] == 0x80 && (u[2] == 0xa8 || u[2] == 0xa9))
		return 3;
	return 0;
}

/* A header is one line: whatever would break it, however long, becomes one space. */
static size_t tmpl_escape_header(const char *p, size_t left, const char **by_r)
{
	size_t step, len = 0;

	*by_r = " ";
	while (len < left && (step = tmpl_control(p + len, left - len)) > 0)
		len += step;
	return len;
}

/* Whether it stays as it is in every kind of template. */
static bool tmpl_is_inert(char c)
{
	return utf8_is_alnum(c) || c == ' ';
}

/* Escapes what is on one line, and drops what would turn the rest of it around. */
static void tmpl_escape_line(struct buf *out, enum tmpl_kind kind, const char *text, size_t len)
{
	static size_t (*const escapes[])(const char *, size_t, const char **) = {
		[TMPL_HTML] = tmpl_escape_html,
		[TMPL_HEADER] = tmpl_escape_header,
		[TMPL_ICAL] = tmpl_escape_ical,
	};
	size_t at = 0, kept = 0, replaced;
	const char *by;

	while (at < len) {
		if (tmpl_is_inert(text[at])) {
			at++;
			continue;
		}
		by = "";
		replaced = utf8_forbidden(text + at);
		if (!replaced && kind != TMPL_TEXT)
			replaced = escapes[kind](text + at, len - at, &by);
		if (replaced) {
			buf_add(out, text + kept, at - kept);
			buf_add_text(out, by);
			kept = at + replaced;
		}
		at += replaced ? replaced : 1;
	}
	buf_add(out, text + kept, len - kept);
}

/*
 * Unicode Standard Annex 9: what stands among other text is isolated from it, in HTML by an
 * element, else by FSI and PDI around each line that needs it, for an isolate ends with its line.
 */
void tmpl_escape(
	struct buf *out, enum tmpl_kind kind, enum tmpl_place place, const char *text, size_t len)
{
	static const char *const breaks[] = {[TMPL_TEXT] = "\n",
		[TMPL_HTML] = "<br>\n",
		[TMPL_HEADER] = " ",
		[TMPL_ICAL] = "\\n"};
	const bool element = kind == TMPL_HTML && place == TMPL_PLACE_ELEMENT;
	const bool marks = !element && (place == TMPL_PLACE_INLINE || place == TMPL_PLACE_ELEMENT);
	const bool flat = kind == TMPL_HTML && (marks || place == TMPL_PLACE_TAG);
	const char *end = text + len, *stop = text;
	bool isolated;

	if (element)
		buf_add_text(out, "<bdi>");
	for (;; text = stop += utf8_line_break(stop)) {
		stop = kind == TMPL_HEADER ? end : stop + utf8_line(stop, (size_t)(end - stop));
		isolated = marks && utf8_has_rtl(text, (size_t)(stop - text));
		if (isolated)
			buf_add_text(out, "\u2068");
		tmpl_escape_line(out, kind, text, (size_t)(stop - text));
		if (isolated)
			buf_add_text(out, "\u2069");
		if (stop == end)
			break;
		buf_add_text(out, place == TMPL_PLACE_FIELD ? "\n" : flat ? " " : breaks[kind]);
	}
	if (element)
		buf_add_text(out, "</bdi>");
}
