#ifndef CALENDAR_LINK_H
#define CALENDAR_LINK_H
/*
 * Links that open the calendars of the web with a meeting filled in, for people who do not open
 * files.
 */
#include "actor.h"
#include "arena.h"
#include "model.h"

struct request;

/* What every service and browser takes. */
enum { CALENDAR_LINK_MAX = 2048 };

struct calendar_links {
	const char *google, *outlook, *office365, *yahoo;
};

extern const struct model calendar_links_model;

/* For one of the two people of a request that has a meeting, with that person's link. A title that
 * is too long is cut at a character, a link that is too long is left out. */
struct calendar_links *calendar_links(
	struct arena *arena, const struct request *request, enum party party, const char *join_url);
#endif
