#include "calendar_link.h"

#include <string.h>

#include "instant.h"
#include "request.h"
#include "utf8.h"

enum {
	LINK_TITLE = 600, /* percent-encoded */
	LINK_ONCE = 1200, /* the person's link, where it stands once, */
	LINK_TWICE = 600  /* and where it stands in the notes too */
};

/*
 * None of them is documented by whose they are: these are the forms of
 * github.com/InteractionDesignFoundation/add-event-to-calendar-docs (services/google.md,
 * outlook-web.md, yahoo.md), which spatie/calendar-links and others make alike. All take times in
 * UTC.
 */
static const struct link_row {
	size_t offset;
	const char *base, *title, *start, *end, *notes, *place;
	bool extended; /* 2026-12-01T09:00:00Z; else 20261201T090000Z */
} link_table[] = {
	{offsetof(struct calendar_links, google),
		"https://calendar.google.com/calendar/render?action=TEMPLATE", "text",
		"&dates=", "%2F", "details", "location", false},
	{offsetof(struct calendar_links, outlook),
		"https://outlook.live.com/calendar/0/deeplink/compose"
		"?path=%2Fcalendar%2Faction%2Fcompose&rru=addevent",
		"subject", "&startdt=", "&enddt=", "body", "location", true},
	{offsetof(struct calendar_links, office365),
		"https://outlook.office.com/calendar/0/deeplink/compose"
		"?path=%2Fcalendar%2Faction%2Fcompose&rru=addevent",
		"subject", "&startdt=", "&enddt=", "body", "location", true},
	{offsetof(struct calendar_links, yahoo), "https://calendar.yahoo.com/?v=60", "title",
		"&st=", "&et=", "desc", "in_loc", false},
};

#define LINK(member) MODEL_FIELD(struct calendar_links, member, MODEL_STRING, MODEL_SHOWN)

static const struct model_field link_fields[] = {
	LINK(google),
	LINK(outlook),
	LINK(office365),
	LINK(yahoo),
};

const struct model calendar_links_model =
	MODEL(struct calendar_links, "calendar_links", link_fields);

static bool link_is_plain(char c)
{
	return utf8_is_alnum(c) || c == '-' || c == '.' || c == '_' || c == '~';
}

static char *link_put(char *out, const char *text, size_t len)
{
	static const char hex[] = "0123456789ABCDEF";
	size_t i;

	for (i = 0; i < len; i++) {
		if (link_is_plain(text[i])) {
			*out++ = text[i];
		} else {
			*out++ = '%';
			*out++ = hex[(unsigned char)text[i] >> 4];
			*out++ = hex[text[i] & 15];
		}
	}
	return out;
}

/* RFC 3986 section 2.1, of as many whole characters as fit into `room` bytes. */
static const char *link_encode(struct arena *arena, const char *text, size_t room)
{
	static const char more[] = "%E2%80%A6"; /* … */
	char *encoded = arena_alloc(arena, 3 * strlen(text) + sizeof(more)), *out = encoded;
	size_t len;

	for (; *text; text += len) {
		for (len = 1; ((unsigned char)text[len] & 0xc0) == 0x80; len++)
			continue;
		if ((size_t)(out - encoded) + 3 * len + (text[len] ? strlen(more) : 0) > room) {
			out = stpcpy(out, more);
			break;
		}
		out = link_put(out, text, len);
	}
	return encoded;
}

/* An instant in both forms: 20261201T090000Z, and 2026-12-01T09:00:00Z percent-encoded. */
struct link_time {
	char form[2][3 * INSTANT_TEXT_SIZE];
};

static void link_time_init(struct link_time *time, int64_t instant)
{
	char text[INSTANT_TEXT_SIZE], *in, *out = time->form[false];

	instant_format(instant, false, text);
	for (in = text; *in; in++)
		if (*in != '-' && *in != ':')
			*out++ = *in;
	*out = '\0';
	*link_put(time->form[true], text, strlen(text)) = '\0';
}

/* What all links of a meeting have. */
struct link_parts {
	struct link_time starts, ends;
	const char *title, *place;
};

static char *link_add(char *out, const char *name, const char *value)
{
	*out++ = '&';
	out = stpcpy(stpcpy(out, name), "=");
	return stpcpy(out, value);
}

static const char *link_make(
	struct arena *arena, const struct link_row *row, const struct link_parts *parts)
{
	const size_t len = strlen(parts->place);
	char link[CALENDAR_LINK_MAX + 1]; /* the bounds of its parts hold it below that */
	char *out = link_add(stpcpy(link, row->base), row->title, parts->title);

	out = stpcpy(stpcpy(out, row->start), parts->starts.form[row->extended]);
	out = stpcpy(stpcpy(out, row->end), parts->ends.form[row->extended]);
	if (len <= LINK_TWICE)
		out = link_add(out, row->notes, parts->place);
	if (len <= LINK_ONCE)
		out = link_add(out, row->place, parts->place);
	return arena_strndup(arena, link, (size_t)(out - link));
}

struct calendar_links *calendar_links(
	struct arena *arena, const struct request *request, enum party party, const char *join_url)
{
	struct calendar_links *links = arena_alloc(arena, sizeof(*links));
	const struct link_row *row;
	struct link_parts parts;
	size_t i;

	link_time_init(&parts.starts, request->meeting->starts_at);
	link_time_init(&parts.ends, request->meeting->ends_at);
	parts.title = link_encode(arena,
		arena_printf(
			arena, "%s \u2013 %s", request->title, request->side[!party].person->name),
		LINK_TITLE);
	parts.place = link_encode(arena, join_url, 3 * strlen(join_url) + 16);
	for (i = 0; i < sizeof(link_table) / sizeof(link_table[0]); i++) {
		row = &link_table[i];
		*(const char **)((char *)links + row->offset) = link_make(arena, row, &parts);
	}
	return links;
}
