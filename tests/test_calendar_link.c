#include "calendar_link.h"

#include "core_unit.h"

static struct person client = {.id = "c", .name = "Ada Client", .email = "ada@client.test"};
static struct person lawyer = {.id = "l", .name = "Bo & Sons", .email = "bo@lawyer.test"};
static struct meeting meeting = {.starts_at = 1796115600000, .ends_at = 1796117400000};
static struct request request = {.title = "Lease, 100% + more?",
	.side = {{&client, NULL}, {&lawyer, NULL}},
	.meeting = &meeting};

#define TITLE "Lease%2C%20100%25%20%2B%20more%3F%20%E2%80%93%20Bo%20%26%20Sons"
#define PLACE "https%3A%2F%2Fmeet.test%2Fjoin%2Fx_-9"

static void test_forms(void)
{
	struct arena *arena = arena_new();
	const struct calendar_links *links =
		calendar_links(arena, &request, PARTY_CLIENT, "https://meet.test/join/x_-9");

	CU_ASSERT_STRING_EQUAL(links->google,
		"https://calendar.google.com/calendar/render?action=TEMPLATE&text=" TITLE
		"&dates=20261201T090000Z%2F20261201T093000Z&details=" PLACE "&location=" PLACE);
	CU_ASSERT_STRING_EQUAL(links->outlook,
		"https://outlook.live.com/calendar/0/deeplink/compose"
		"?path=%2Fcalendar%2Faction%2Fcompose&rru=addevent&subject=" TITLE
		"&startdt=2026-12-01T09%3A00%3A00Z&enddt=2026-12-01T09%3A30%3A00Z&body=" PLACE
		"&location=" PLACE);
	CU_ASSERT_STRING_EQUAL(links->office365,
		"https://outlook.office.com/calendar/0/deeplink/compose"
		"?path=%2Fcalendar%2Faction%2Fcompose&rru=addevent&subject=" TITLE
		"&startdt=2026-12-01T09%3A00%3A00Z&enddt=2026-12-01T09%3A30%3A00Z&body=" PLACE
		"&location=" PLACE);
	CU_ASSERT_STRING_EQUAL(links->yahoo,
		"https://calendar.yahoo.com/?v=60&title=" TITLE
		"&st=20261201T090000Z&et=20261201T093000Z&desc=" PLACE "&in_loc=" PLACE);
	arena_free(&arena);
}

/* Every length of everything: no link is longer than it may be, and none ends within a character.
 */
static void test_bounds(void)
{
	static const char *const fills[] = {"x", "%", "\u00fc", "\U0001f600"};
	const char *title = request.title;
	struct calendar_links *links;
	struct arena *arena;
	char text[1200], url[2100], *at;
	size_t f, n, i;

	for (f = 0; f < sizeof(fills) / sizeof(fills[0]); f++)
		for (n = 1; n <= 200; n += 3) {
			for (at = text, i = 0; i < n; i++)
				at = stpcpy(at, fills[f]);
			request.title = client.name = lawyer.name = text;
			snprintf(url, sizeof(url), "https://meet.test/%0*d", (int)(n * 10), 0);
			arena = arena_new();
			links = calendar_links(arena, &request, PARTY_LAWYER, url);
			for (i = 0; i < sizeof(*links) / sizeof(char *); i++) {
				const char *link = ((const char *const *)links)[i];

				CU_ASSERT(strlen(link) <= CALENDAR_LINK_MAX);
				CU_ASSERT_EQUAL(strspn(link, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
							     "abcdefghijklmnopqrstuvwxyz"
							     "0123456789-._~:/?&=%"),
					strlen(link));
				CU_ASSERT(n * 10 > 1100 || strstr(link, "meet.test"));
			}
			arena_free(&arena);
		}
	request.title = title;
	client.name = "Ada Client";
	lawyer.name = "Bo & Sons";
}

static const struct unit_case cases[] = {
	{"forms", test_forms},
	{"bounds", test_bounds},
};

UNIT_MAIN("calendar_link", cases)
