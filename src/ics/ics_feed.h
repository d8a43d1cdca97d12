#ifndef ICS_FEED_H
#define ICS_FEED_H
/*
 * The calendar around the events of a feed (templates/ics/feed.ics): what calendar programs show of
 * it, and how often they should come. It has no METHOD: RFC 7986 section 5.
 */
#include "arena.h"
#include "buf.h"
#include "err.h"
#include "tmpl.h"

struct json_object;

/* Appends all that comes before the events, in the reader's language (NULL: any), and all that
 * comes after them. */
enum err ics_feed_begin(const struct tmpl_set *templates, const char *locale, struct buf *out,
	struct err_info *info);
void ics_feed_end(struct buf *out);

/* The whole calendar without events, of what ics_feed_values() makes of its name; the caller frees
 * the values with json_object_put. */
struct json_object *ics_feed_values(struct arena *arena, const char *name);
enum err ics_feed_render(const struct tmpl_set *templates, struct json_object *values,
	struct buf *out, struct err_info *info);

/* Whether the template names no value that it is not given. */
enum err ics_feed_check_template(const struct tmpl_set *templates, struct err_info *info);
#endif
