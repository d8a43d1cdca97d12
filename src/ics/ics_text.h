#ifndef ICS_TEXT_H
#define ICS_TEXT_H
/*
 * The forms in which values go into a calendar template, and the folding of what comes out.
 * Strings belong to the arena.
 */
#include <stdbool.h>
#include <stdint.h>

#include "arena.h"
#include "buf.h"
#include "err.h"

/* One line without control characters: a run of them becomes a space, the ends are trimmed; what
 * nobody may write (utf8_forbidden()) is dropped.
 * NULL for NULL and for what is blank. */
char *ics_text_line(struct arena *arena, const char *text);

/* The same with line breaks kept, each as one LF, whichever way it was written. */
char *ics_text_lines(struct arena *arena, const char *text);

/* The same of what a template of kind .ics made: TEXT, in which a line break is \n. */
char *ics_text_escaped(struct arena *arena, const char *text);

/* A quoted parameter value: RFC 5545 section 3.2. It can hold no ", and ^' of RFC 6868 is shown as
 * it is by most readers, so those become typographic. NULL when blank. */
char *ics_text_param(struct arena *arena, const char *text);

/* A mailto URI. Readers take the address as it stands, so no more is percent-encoded than would end
 * it or make it no URI (RFC 3986): not & / = and letters of other scripts, as RFC 6068 has it. */
char *ics_text_mailto(struct arena *arena, const char *email);

/* DATE-TIME in UTC, "20261201T090000Z", of an instant in ms. */
char *ics_text_time(struct arena *arena, int64_t instant);

/* Appends content lines (UTF-8), folded or not, with every line folded to at most 75 octets and
 * never inside a code point (RFC 5545 section 3.1). ERR_INTERNAL names a property that holds a
 * control character. */
enum err ics_text_fold(const char *lines, struct buf *out, struct err_info *info);
#endif
