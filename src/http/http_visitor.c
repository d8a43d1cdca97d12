#include "http_visitor.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

static const char *const visitor_programs[] = {
#define CHAT(word)
#define PROGRAM(word) word,
#include "http_program_table.h"
#undef PROGRAM
#undef CHAT
	NULL,
};
static const char *const visitor_chats[] = {
#define CHAT(word) word,
#define PROGRAM(word)
#include "http_program_table.h"
#undef PROGRAM
#undef CHAT
	NULL,
};
static const char *const visitor_mobile[] = {" mobile/", " mobile safari/", NULL};
/* Every browser names what draws its pages; libraries, tools and most scanners do not. */
static const char *const visitor_engines[] = {
	"applewebkit", "gecko", "khtml", "trident/", "msie ", "presto/", NULL};
static const char *const visitor_ahead[] = {"prefetch", "preview", "prerender", NULL};

static const char *visitor_lower(const struct http_exchange *exchange, const char *variable)
{
	const char *value = http_variable(exchange, variable);
	char *lower, *c;

	if (!value)
		return "";
	lower = arena_strdup(exchange->arena, value);
	for (c = lower; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	return lower;
}

static bool visitor_mentions(const char *text, const char *const *words)
{
	for (; *words; words++)
		if (strstr(text, *words))
			return true;
	return false;
}

/* "bot" or "bots" at the end of a word; Cubot makes telephones. */
static bool visitor_is_bot(const char *agent)
{
	const char *bot = agent, *end;

	while ((bot = strstr(bot, "bot"))) {
		end = bot + strlen("bot");
		end += *end == 's';
		if (!isalnum((unsigned char)*end) &&
			!(bot - agent >= 2 && strncmp(bot - 2, "cu", 2) == 0))
			return true;
		bot = end;
	}
	return false;
}

static bool visitor_is_program(const char *agent)
{
	return visitor_is_bot(agent) || visitor_mentions(agent, visitor_programs) ||
	       (visitor_mentions(agent, visitor_chats) && !visitor_mentions(agent, visitor_mobile));
}

/* Only a browser says of a page that somebody has asked for it (W3C Fetch Metadata, section 2.4);
 * those that hide what they are say it as well. */
static bool visitor_has_clicked(
	const struct http_exchange *exchange, const char *mode, const char *dest)
{
	const char *user = http_variable(exchange, "HTTP_SEC_FETCH_USER");

	return mode && dest && user && strcmp(user, "?1") == 0;
}

bool http_visitor_is_person(const struct http_exchange *exchange)
{
	static const char *const purposes[] = {
		"HTTP_SEC_PURPOSE", "HTTP_PURPOSE", "HTTP_X_PURPOSE", "HTTP_X_MOZ"};
	const char *mode = http_variable(exchange, "HTTP_SEC_FETCH_MODE");
	const char *dest = http_variable(exchange, "HTTP_SEC_FETCH_DEST");
	const char *agent = visitor_lower(exchange, "HTTP_USER_AGENT");
	size_t i;

	for (i = 0; i < sizeof(purposes) / sizeof(purposes[0]); i++)
		if (visitor_mentions(visitor_lower(exchange, purposes[i]), visitor_ahead))
			return false;
	if ((mode && strcasecmp(mode, "navigate") != 0) ||
		(dest && strcasecmp(dest, "document") != 0))
		return false;
	if (!*agent)
		return mode != NULL;
	return !visitor_is_program(agent) && (visitor_mentions(agent, visitor_engines) ||
						     visitor_has_clicked(exchange, mode, dest));
}
