#ifndef CLEAN_H
#define CLEAN_H
/* What another server said, as an administrator may read it. */
#include <stddef.h>

enum { CLEAN_MAX = 200 /* characters */, CLEAN_SIZE = 4 * CLEAN_MAX + 1 };

/*
 * Writes into text_r (CLEAN_SIZE bytes) what can be shown of `len` bytes that may be anything: one
 * line of valid UTF-8, at most CLEAN_MAX characters, without control and invisible characters,
 * bidi controls among them (UAX #9), and without the tags of XML and HTML. In the place of links,
 * addresses and whatever looks like a token, a passcode, a header with one or an assignment of one,
 * there is "[link]", "[address]" or "[token]": a server may quote what it was sent. Cleaning what
 * is clean changes nothing. Takes time for `len` bytes at most a few times.
 */
void clean_text(const char *bytes, size_t len, char text_r[CLEAN_SIZE]);
#endif
