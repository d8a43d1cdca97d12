#include "ics_feed.h"

#include <json-c/json.h>
#include <string.h>

#include "ics_text.h"
#include "ics_when.h"
#include "utf8.h"

#define FEED_TEMPLATE "ics/feed.ics"
#define FEED_END      "END:VCALENDAR\r\n"

enum { FEED_CEILING = 64 * 1024 };

struct json_object *ics_feed_values(struct arena *arena, const char *name)
{
	struct json_object *values = json_object_new_object();
	const char *line = ics_text_line(arena, name);

	/* Only checked against. */
	json_object_object_add(values, "version", json_object_new_string("2.0"));
	if (line)
		json_object_object_add(values, "name", json_object_new_string(line));
	return values;
}

enum err ics_feed_render(const struct tmpl_set *templates, struct json_object *values,
	struct buf *out, struct err_info *info)
{
	struct buf rendered;
	enum err err;

	buf_init(&rendered, FEED_CEILING);
	err = tmpl_render(templates, FEED_TEMPLATE, values, &rendered, info);
	if (err == ERR_OK && !utf8_valid(rendered.bytes, rendered.len, NULL))
		err = err_set(info, ERR_INTERNAL, "The calendar is not UTF-8.");
	if (err == ERR_OK)
		err = ics_text_fold(rendered.bytes, out, info);
	buf_fini(&rendered);
	return err;
}

enum err ics_feed_begin(const struct tmpl_set *templates, const char *locale, struct buf *out,
	struct err_info *info)
{
	struct arena *arena = arena_new();
	struct json_object *values = NULL;
	const char *name;
	enum err err;

	err = ics_when_words(templates, arena, locale, "feed.txt", NULL, &name, info);
	if (err == ERR_OK) {
		values = ics_feed_values(arena, name);
		err = ics_feed_render(templates, values, out, info);
	}
	if (err == ERR_OK)
		buf_cut(out, out->len - strlen(FEED_END));
	json_object_put(values);
	arena_free(&arena);
	return err;
}

void ics_feed_end(struct buf *out)
{
	buf_add_text(out, FEED_END);
}

enum err ics_feed_check_template(const struct tmpl_set *templates, struct err_info *info)
{
	static const char *const feed_names[] = {"version", "name", NULL};
	static const char *const *const names[] = {feed_names, NULL};

	return tmpl_check_names(templates, FEED_TEMPLATE, names, info);
}
