#include "http_link.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

/* As decoded. Nothing that a token of ours may end with. */
static const char *const link_glue[] = {".", ",", ";", ":", "!", "?", "\"", "'", ")", "]", "}", ">",
	"*", " ", "\xc2\xa0", /* no-break space */
	"\xc2\xab",           /* « */
	"\xc2\xbb",           /* » */
	"\xe2\x80\x8b",       /* zero width space */
	"\xe2\x80\x98",       /* ‘ */
	"\xe2\x80\x99",       /* ’ */
	"\xe2\x80\x9c",       /* “ */
	"\xe2\x80\x9d",       /* ” */
	"\xe2\x80\xa6",       /* … */
	"\xe2\x80\xba",       /* › */
	"\xe3\x80\x82",       /* 。 */
	"\xef\xbc\x89",       /* ） */
	NULL};

/* The length of the glue at the end, or 0. */
static size_t link_glue_len(const char *path, size_t len)
{
	const char *const *glue;
	size_t glue_len;

	for (glue = link_glue; *glue; glue++) {
		glue_len = strlen(*glue);
		if (glue_len <= len && memcmp(path + len - glue_len, *glue, glue_len) == 0)
			return glue_len;
	}
	return 0;
}

const char *http_link_cut(struct arena *arena, const char *path)
{
	const size_t whole = strlen(path);
	size_t len = whole, glue_len;

	while ((glue_len = link_glue_len(path, len)))
		len -= glue_len;
	return len == whole ? path : arena_strndup(arena, path, len);
}

static bool link_is_plain(char c)
{
	return isalnum((unsigned char)c) || c == '-' || c == '_' || c == '/';
}

static bool link_is_escape(const char *text)
{
	return *text == '%' && isxdigit((unsigned char)text[1]) && isxdigit((unsigned char)text[2]);
}

const char *http_link_cut_raw(struct arena *arena, const char *uri)
{
	size_t len = strcspn(uri, "?");

	while (len > 0) {
		if (len >= 3 && link_is_escape(uri + len - 3))
			len -= 3;
		else if (link_is_plain(uri[len - 1]))
			break;
		else
			len--;
	}
	return arena_strndup(arena, uri, len);
}
