#define _GNU_SOURCE /* memmem */
#include <string.h>

#include "tmpl_private.h"

#define PLACE_AUTO " dir=\"auto\""

/* Elements whose content is characters, whatever it looks like (HTML, "Raw text elements"). */
static bool markup_is_plain(const char *tag, size_t len)
{
	static const char *const names[] = {"<title", "<textarea", "<style", "<script"};
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (len > strlen(names[i]) && strncmp(tag, names[i], strlen(names[i])) == 0)
			return true;
	return false;
}

static void markup_read_tag(struct tmpl_markup *markup, const char *p)
{
	const size_t len = (size_t)(p + 1 - markup->tag);

	/* A comment may hold a lone quote. */
	if (markup->quote || markup->tag[1] == '!') {
		if (*p == markup->quote)
			markup->quote = '\0';
	} else if (*p == '"' || *p == '\'') {
		markup->quote = *p;
	}
	if (*p != '>' || markup->quote)
		return;
	markup->in_tag = false;
	markup->plain = markup_is_plain(markup->tag, len);
	markup->field = markup->plain && strncmp(markup->tag, "<textarea", 9) == 0;
	markup->own = memmem(markup->tag, len, PLACE_AUTO, strlen(PLACE_AUTO)) != NULL;
}

void tmpl_markup_read(struct tmpl_markup *markup, const char *text, size_t len)
{
	const char *p;

	for (p = text; p < text + len; p++) {
		if (markup->in_tag) {
			markup_read_tag(markup, p);
		} else if (*p == '<') {
			markup->in_tag = true;
			markup->tag = p;
		} else if (!strchr(" \t\r\n", *p)) {
			markup->own = false;
		}
	}
}

enum tmpl_place tmpl_place_find(const struct tmpl *tmpl, const struct tmpl_markup *markup,
	const char *start, const char *end)
{
	const char *stop = tmpl->text + tmpl->len;

	if (tmpl->kind != TMPL_HTML)
		return (start == tmpl->text || start[-1] == '\n') && (end == stop || *end == '\n')
			       ? TMPL_PLACE_PARAGRAPH
			       : TMPL_PLACE_INLINE;
	if (markup->in_tag)
		return TMPL_PLACE_TAG;
	if (markup->field)
		return TMPL_PLACE_FIELD;
	if (markup->plain)
		return TMPL_PLACE_INLINE;
	return markup->own && end < stop && *end == '<' ? TMPL_PLACE_PARAGRAPH : TMPL_PLACE_ELEMENT;
}
