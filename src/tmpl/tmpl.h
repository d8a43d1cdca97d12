#ifndef TMPL_H
#define TMPL_H
/*
 * Mustache templates from disk (mustache(5), specification 1.4: interpolation, sections, inverted,
 * comments, delimiters, partials; no lambdas, no inheritance).
 *
 * A set is loaded and parsed once, is then read only and may be rendered by many threads.
 * What `{{name}}` escapes to depends on the kind of the template that is rendered, not on the
 * partial it stands in: `.html` HTML, `.ics` iCalendar TEXT (RFC 5545 section 3.3.11), `.subject`
 * a one-line header, anything else plain text. `{{{name}}}` and `{{&name}}` are never escaped,
 * except that a header refuses control characters in any case, and that iCalendar has a line break
 * as \n.
 *
 * What is told to people is mostly what others wrote, in any script, so a value is also kept apart
 * from what stands around it (Unicode Standard Annex 9), and no template can forget to:
 *   in HTML text       <bdi>…</bdi>, with <br> for its line breaks
 *   in an HTML tag     nothing: it is an attribute
 *   anywhere else      U+2068…U+2069 where it holds something that is written from right to left
 * and what nobody may write (utf8_forbidden()) is dropped. A paragraph of its own has a direction
 * of its own and nothing around it: <p dir="auto">{{name}}</p>, in other kinds a line that holds
 * nothing else. Numbers and {{{name}}} stay as they are.
 *
 * Sections: false, null, 0, "", an empty list and a name that is not in the values are false.
 * Objects and lists have no text of their own: as {{name}} they render as nothing.
 */
#include <stdbool.h>

#include "buf.h"
#include "err.h"
#include "id.h"

struct json_object;
struct tmpl_set;

enum tmpl_kind { TMPL_TEXT, TMPL_HTML, TMPL_HEADER, TMPL_ICAL };

struct tmpl_set *tmpl_set_new(void);
void tmpl_set_free(struct tmpl_set **set);

/* Parses `text` (copied) under `name`. ERR_CONFIG names the template and line at fault: malformed
 * tags, sections that do not match or nest deeper than 64, text that is not UTF-8, a header of
 * more than one line, a name that the set has already. */
enum err tmpl_set_add(struct tmpl_set *set, const char *name, enum tmpl_kind kind, const char *text,
	struct err_info *info);

/* Adds every regular file below `root` under its path relative to it ("mail/en/ready.html").
 * Partials are named the same way: {{> mail/en/footer.html}}. Names that begin with a dot are
 * skipped (editors and mounts leave such files); a file over 256 KiB, one that cannot be read and
 * a partial that is not in the set are ERR_CONFIG. */
enum err tmpl_set_load(struct tmpl_set *set, const char *root, struct err_info *info);

/* A hash of all names and texts, whatever their order. */
void tmpl_set_digest(const struct tmpl_set *set, char digest_r[HASH_SIZE]);

bool tmpl_set_has(const struct tmpl_set *set, const char *name);

/* Calls `found` for each template whose name matches (fnmatch(3), a * for no /). */
void tmpl_set_match(const struct tmpl_set *set, const char *pattern,
	void (*found)(void *data, const char *name), void *data);

/* The name of a template as the set spells it, found whatever its case; NULL when there is none. */
const char *tmpl_set_find(const struct tmpl_set *set, const char *name);

/*
 * Whether every template whose name matches `pattern` (fnmatch(3), a * for no /), and every partial
 * of it, names only values that it can be given. `names` is a list of lists, all NULL-terminated,
 * of dotted names: "organizer.cn" makes {{#organizer}} known, and {{cn}} within it. ERR_CONFIG says
 * which tag does not; or that there is no such template, or too much of it to be rendered.
 */
enum err tmpl_check_names(const struct tmpl_set *set, const char *pattern,
	const char *const *const *names, struct err_info *info);

/* Renders with `values` (borrowed) appended to `out`, which holds a part after an error.
 * ERR_INTERNAL when there is no such template, when partials nest deeper than 32, when the output
 * passes the buffer's ceiling, when rendering takes over a million steps (nodes visited), or when
 * a header would hold a control character (an escaped one becomes a space).
 * A name that is not in the values renders as nothing, and so does a partial that is not in the
 * set. */
enum err tmpl_render(const struct tmpl_set *set, const char *name, struct json_object *values,
	struct buf *out, struct err_info *info);
#endif
