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

/* The same of what a template of kind .ics made, as TEXT (RFC 5545 section 3.3.11): a line break is
 * \n, and what the template has left unescaped is escaped. */
char *ics_text_escaped(struct arena *arena, const char *text);

/* A parameter value, quoted where it has to be: RFC 5545 section 3.2. It can hold no ", and ^' of
 * RFC 6868 is shown as it is by most readers, so those become typographic. NULL when blank. */
char *ics_text_param(struct arena *arena, const char *text);

/* A mailto URI. Readers take the address as it stands, so no more is percent-encoded than would end
 * it or make it no URI (RFC 3986): not & / = and letters of other scripts, as RFC 6068 has it. */
char *ics_text_mailto(struct arena *arena, const char *email);

/* DATE-TIME in UTC, "20261201T090000Z", of an instant in ms. */
char *ics_text_time(struct arena *arena, int64_t instant);

/* Appends well-formed UTF-8 as content lines: each ends with CRLF and is folded to at most 75
 * octets, never inside a code point (RFC 5545 section 3.1). Lines may end with LF, be folded
 * already, and be empty, which is left out. ERR_INTERNAL, with nothing appended, for a control
 * character, a line that begins with no name, and a buffer that is too small; of such a line only
 * the name is told. */
enum err ics_text_fold(const char *lines, struct buf *out, struct err_info *info);
#endif
