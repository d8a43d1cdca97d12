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
#endif
