#ifndef HTTP_LINK_H
#define HTTP_LINK_H
/* Links as mail and chat programs make them of text. */
#include "arena.h"

/*
 * The path without the punctuation that was glued to its end: of the sentence, or of what the link
 * was put in (RFC 3986 appendix C: <>, "", white space). The result is the path itself or in the
 * arena.
 */
const char *http_link_cut(struct arena *arena, const char *path);

/*
 * The path of a raw URI that cannot be decoded, up to its last letter, digit, `-`, `_` or `/`: mail
 * and chat programs glue what no path may hold, too (U+2066 to 2069, U+FEFF, half a character). In
 * the arena.
 */
const char *http_link_cut_raw(struct arena *arena, const char *uri);
#endif
