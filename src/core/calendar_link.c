#include "calendar_link.h"

#include <ctype.h>
#include <stdio.h>
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

static bool link_is_plain(unsigned char c)
{
	return c < 0x80 && (isalnum(c) || strchr("-._~", c));
}

/* RFC 3986 section 2.1, of as many whole characters as fit into `room` bytes. */
static const char *link_encode(struct arena *arena, const char *text, size_t room)
{
	static const char more[] = "%E2%80%A6"; /* … */
	char *encoded = arena_alloc(arena, 3 * strlen(text) + sizeof(more)), *out = encoded;
	size_t len, i;

	for (; *text; text += len) {
		len = 1;
		while (((unsigned char)text[len] & 0xc0) == 0x80)
			len++;
		if ((size_t)(out - encoded) + 3 * len + (text[len] ? strlen(more) : 0) > room) {
			strcpy(out, more);
			break;
		}
		for (i = 0; i < len; i++) {
			if (link_is_plain((unsigned char)text[i]))
				*out++ = text[i];
			else
				out += sprintf(out, "%%%02X", (unsigned char)text[i]);
		}
	}
	return encoded;
}

static const char *link_time(struct arena *arena, int64_t instant, bool extended)
{
	char text[INSTANT_TEXT_SIZE], *in, *out;

	instant_format(instant, false, text);
	for (in = out = text; *in && !extended; in++)
		if (*in != '-' && *in != ':')
			*out++ = *in;
	if (!extended)
		*out = '\0';
	return link_encode(arena, text, sizeof(text) * 3);
}

static const char *link_make(struct arena *arena, const struct link_row *row,
	const struct meeting *meeting, const char *title, const char *place)
{
	const size_t len = strlen(place);
	const char *text = arena_printf(arena, "%s&%s=%s%s%s%s%s", row->base, row->title, title,
		row->start, link_time(arena, meeting->starts_at, row->extended), row->end,
		link_time(arena, meeting->ends_at, row->extended));

	if (len <= LINK_TWICE)
		text = arena_printf(arena, "%s&%s=%s", text, row->notes, place);
	if (len <= LINK_ONCE)
		text = arena_printf(arena, "%s&%s=%s", text, row->place, place);
	return text;
}

struct calendar_links *calendar_links(
	struct arena *arena, const struct request *request, enum party party, const char *join_url)
{
	struct calendar_links *links = arena_alloc(arena, sizeof(*links));
	const char *title = link_encode(arena,
		arena_printf(
			arena, "%s \u2013 %s", request->title, request->side[!party].person->name),
		LINK_TITLE);
	const char *place = link_encode(arena, join_url, 3 * strlen(join_url) + 16);
	const struct link_row *row;
	size_t i;

	for (i = 0; i < sizeof(link_table) / sizeof(link_table[0]); i++) {
		row = &link_table[i];
		*(const char **)((char *)links + row->offset) =
			link_make(arena, row, request->meeting, title, place);
	}
	return links;
}
