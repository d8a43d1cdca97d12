#include "ics_when.h"

#include <json-c/json.h>

#include "instant.h"
#include "unit_templates.h"

enum { FRIDAY = 1795734300 /* 2026-11-26T23:05:00Z, a Friday in Berlin */ };

static void test_locale(void)
{
	static const struct {
		const char *locale, *found; /* NULL: none */
	} cases[] = {
		{"de", "de"},
		{"DE", "de"},
		{"dE-aT-1996", "de"},
		{"en-GB", "en"},
		{"pt-br", "pt-BR"},
		{"PT-BR-x", "pt-BR"},
		{"pt", NULL},
		{"fr-CA", "fr"},
		{"it", NULL},
		{"d", NULL},
		{"deu", NULL},
		{"-de", NULL},
		{"", NULL},
		{NULL, NULL},
		{"../de", NULL},
		{"de-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
			NULL},
	};
	struct tmpl_set *templates = unit_templates();
	struct arena *arena = arena_new();
	const char *found, *locale;
	size_t i;

	tmpl_set_add(templates, "text/pt-BR/date.txt", TMPL_TEXT, "", NULL);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		found = ics_when_locale_find(templates, arena, cases[i].locale, "text", "date.txt");
		locale = ics_when_locale(templates, arena, cases[i].locale, "text", "date.txt");
		UNIT_CHECK(cases[i].found ? found && strcmp(found, cases[i].found) == 0 : !found,
			cases[i].locale);
		UNIT_CHECK(strcmp(locale, cases[i].found ? cases[i].found : "en") == 0,
			cases[i].locale);
	}
	arena_free(&arena);
	tmpl_set_free(&templates);
}

/* Every run of blanks and line breaks as one space, in place. */
static const char *spaced(char *text)
{
	char *in, *out = text;

	for (in = text; *in; in++)
		if (!strchr(" \n", *in))
			*out++ = *in;
		else if (out > text && out[-1] != ' ')
			*out++ = ' ';
	*out = '\0';
	return text;
}

/* Without the elements that keep values apart, in place. */
static const char *without_isolation(char *page)
{
	static const char *const tags[] = {"<bdi>", "</bdi>"};
	char *at;
	size_t i;

	for (i = 0; i < sizeof(tags) / sizeof(tags[0]); i++)
		while ((at = strstr(page, tags[i])))
			memmove(at, at + strlen(tags[i]), strlen(at + strlen(tags[i])) + 1);
	return page;
}

static void test_spans(void)
{
	static const struct {
		const char *name, *locale, *zone;
		int64_t starts_at, minutes;
		const char *mail, *page;
	} cases[] = {
		{"an hour", "en-GB", "Europe/Berlin", FRIDAY, 60,
			"Friday, 27 November 2026 00:05 to 01:05,",
			"Friday, 27 November 2026, 00:05–01:05 ("},
		{"an hour, in German", "DE", "Europe/Berlin", FRIDAY, 60,
			"Freitag, 27. November 2026 00:05 bis 01:05 Uhr,",
			"Freitag, 27. November 2026, 00:05–01:05 Uhr ("},
		{"24 hours", "en-GB", "Europe/Berlin", FRIDAY, 1440,
			"Friday, 27 November 2026 00:05 to Saturday, 28 November 2026, 00:05,",
			"Friday, 27 November 2026, 00:05 – Saturday, 28 November 2026, 00:05 ("},
		{"24 hours, in German", "de", "Europe/Berlin", FRIDAY, 1440,
			"Freitag, 27. November 2026 00:05 Uhr bis Samstag, 28. November 2026, "
			"00:05 Uhr,",
			"Freitag, 27. November 2026, 00:05 Uhr – Samstag, 28. November 2026, "
			"00:05 Uhr ("},
		{"over midnight elsewhere only", "en-GB", "UTC", FRIDAY, 60,
			"Thursday, 26 November 2026 23:05 to Friday, 27 November 2026, 00:05,",
			"Thursday, 26 November 2026, 23:05 – Friday, 27 November 2026, 00:05 ("},
		{"up to midnight", "en-GB", "UTC", FRIDAY, 55,
			"Thursday, 26 November 2026 23:05 to Friday, 27 November 2026, 00:00,",
			"Thursday, 26 November 2026, 23:05 – Friday, 27 November 2026, 00:00 ("},
		{"over the year", "en-GB", "UTC", 1798761300, 10, /* 2026-12-31T23:55:00Z */
			"Thursday, 31 December 2026 23:55 to Friday, 1 January 2027, 00:05,",
			"Thursday, 31 December 2026, 23:55 – Friday, 1 January 2027, 00:05 ("},
		{"an afternoon in New York", "en", "America/New_York", FRIDAY - 4 * 3600, 60,
			"Thursday, 26 November 2026 2:05 PM to 3:05 PM, America/New_York (EST)",
			"Thursday, 26 November 2026, 2:05 PM–3:05 PM ("},
		{"over noon", "en-US", "UTC", FRIDAY - 12 * 3600, 60,
			"Thursday, 26 November 2026 11:05 AM to 12:05 PM, UTC (UTC)",
			"Thursday, 26 November 2026, 11:05 AM–12:05 PM ("},
		{"over midnight by twelve hours", "en-IN", "UTC", FRIDAY, 60,
			"Thursday, 26 November 2026 11:05 PM to Friday, 27 November 2026, 12:05 "
			"AM,",
			"Thursday, 26 November 2026, 11:05 PM – Friday, 27 November 2026, 12:05 AM "
			"("},
		{"no letters", "en-GB", "America/Sao_Paulo", FRIDAY, 60,
			"20:05 to 21:05, America/Sao_Paulo (UTC\u221203:00)",
			"20:05–21:05 (America/Sao_Paulo)"},
		{"no letters, three quarters", "de", "Asia/Kathmandu", FRIDAY, 60,
			"04:50 bis 05:50 Uhr, Asia/Kathmandu (UTC+05:45)",
			"04:50–05:50 Uhr (Asia/Kathmandu)"},
		/* 2026-10-25T00:30:00Z: at 3:00 the clocks are put back to 2:00. */
		{"the hour that comes twice", "en-GB", "Europe/Berlin", 1792888200, 60,
			"02:30 (CEST) to 02:30 (CET), Europe/Berlin 2026-10-25 00:30 UTC",
			"02:30 (CEST) – 02:30 (CET) (Europe/Berlin)"},
		{"the hour that comes twice, in German", "de", "Europe/Berlin", 1792888200, 60,
			"02:30 (CEST) bis 02:30 Uhr (CET), Europe/Berlin 2026",
			"02:30 (CEST) – 02:30 Uhr (CET) (Europe/Berlin)"},
		{"a whole day of 25 hours", "en-GB", "Europe/Berlin", 1792879200, 1440,
			"Sunday, 25 October 2026 00:00 (CEST) to 23:00 (CET), Europe/Berlin 2026",
			"Sunday, 25 October 2026, 00:00 (CEST) – 23:00 (CET) (Europe/Berlin)"},
		{"over midnight and the clock change", "en", "America/New_York", 1793502000, 480,
			"Saturday, 31 October 2026 11:00 PM (EDT) to Sunday, 1 November 2026, "
			"6:00 AM (EST), America/New_York 2026",
			"11:00 PM (EDT) – Sunday, 1 November 2026, 6:00 AM (EST) (America/"},
		{"no letters on either side", "en-GB", "America/Santiago", 1775357100, 60,
			"23:45 (UTC\u221203:00) to 23:45 (UTC\u221204:00), America/Santiago 2026",
			"23:45 (UTC\u221203:00) – 23:45 (UTC\u221204:00) (America/Santiago)"},
	};
	struct tmpl_set *templates = unit_templates();
	struct arena *arena = arena_new();
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct person person = {.timezone = cases[i].zone, .locale = cases[i].locale};
		const struct request request = {
			.starts_at = cases[i].starts_at * INSTANT_SECOND,
			.ends_at = cases[i].starts_at * INSTANT_SECOND +
				   cases[i].minutes * INSTANT_MINUTE,
			.duration_minutes = cases[i].minutes,
		};
		const char *locale =
			ics_when_locale(templates, arena, cases[i].locale, "pages", "gate.html");
		struct json_object *values = json_object_new_object();
		struct buf mail, page;

		json_object_object_add(values, "meeting_title", json_object_new_string("Lease"));
		UNIT_CHECK(
			ics_when_add(templates, arena, &request, &person, values, NULL) == ERR_OK,
			cases[i].name);
		buf_init(&mail, 64 * 1024);
		buf_init(&page, 64 * 1024);
		tmpl_render(templates, arena_printf(arena, "mail/%s/request_declined.txt", locale),
			values, &mail, NULL);
		tmpl_render(templates, arena_printf(arena, "pages/%s/gate.html", locale), values,
			&page, NULL);
		UNIT_CHECK(strstr(spaced(mail.bytes), cases[i].mail) != NULL, cases[i].name);
		UNIT_CHECK(strstr(without_isolation(page.bytes), cases[i].page) != NULL,
			cases[i].name);
		buf_fini(&page);
		buf_fini(&mail);
		json_object_put(values);
	}
	arena_free(&arena);
	tmpl_set_free(&templates);
}

static void test_instant(void)
{
	struct tmpl_set *templates = unit_templates();
	struct arena *arena = arena_new();
	const struct request request = {.timezone = "Europe/Berlin"};
	struct person person = {.locale = "en-GB"};
	const int64_t instant = FRIDAY * INSTANT_SECOND;

	CU_ASSERT_STRING_EQUAL(ics_when_instant(templates, arena, &request, &person, instant),
		"Friday, 27 November 2026, 00:05 (CET)");
	person.locale = "de-CH";
	CU_ASSERT_STRING_EQUAL(ics_when_instant(templates, arena, &request, &person, instant),
		"Freitag, 27. November 2026, 00:05 Uhr (CET)");
	person.timezone = "Asia/Tehran";
	CU_ASSERT_STRING_EQUAL(ics_when_instant(templates, arena, &request, &person, instant),
		"Freitag, 27. November 2026, 02:35 Uhr (UTC+03:30)");
	person.timezone = "Mars/Olympus";
	CU_ASSERT_PTR_NULL(ics_when_instant(templates, arena, &request, &person, instant));
	arena_free(&arena);
	tmpl_set_free(&templates);
}

/* CLDR 46, short time formats. */
static void test_clock(void)
{
	static const struct {
		const char *locale;
		bool clock_12;
	} cases[] = {
		{"en", true},
		{"EN-us", true},
		{"en-US-posix", true},
		{"en-Latn-au", true},
		{"en-001", true},
		{"en-CA", true},
		{"en-u-ca-gregory", true},
		{"en-GB", false},
		{"en-IE", false},
		{"en-ZA", false},
		{"en-DE", false},
		{"en-150", false},
		{"en-GB-x-us", false},
		{"en-XX", false},
		{"enm", false},
		{"de", false},
		{"de-US", false},
		{"it", false},
		{"", false},
		{NULL, false},
	};
	struct tmpl_set *templates = unit_templates();
	struct arena *arena = arena_new();
	const struct request request = {.timezone = "UTC"};
	const char *said;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct person person = {.locale = cases[i].locale};

		said = ics_when_instant(
			templates, arena, &request, &person, FRIDAY * INSTANT_SECOND);
		UNIT_CHECK(said && (strstr(said, " 11:05 PM (UTC)") != NULL) == cases[i].clock_12,
			cases[i].locale);
		UNIT_CHECK(said && (strstr(said, " 23:05 ") != NULL) == !cases[i].clock_12,
			cases[i].locale);
	}
	arena_free(&arena);
	tmpl_set_free(&templates);
}

static void test_no_words(void)
{
	struct tmpl_set *templates = tmpl_set_new();
	struct arena *arena = arena_new();
	const char *text = NULL;

	CU_ASSERT_EQUAL(ics_when_words(templates, arena, "de", "join.txt", NULL, &text, NULL),
		ERR_INTERNAL);
	CU_ASSERT_PTR_NULL(text);
	tmpl_set_add(templates, "text/en/join.txt", TMPL_TEXT, "Come in\nor not\n", NULL);
	CU_ASSERT_EQUAL(
		ics_when_words(templates, arena, "de", "join.txt", NULL, &text, NULL), ERR_OK);
	CU_ASSERT_STRING_EQUAL(text, "Come in");
	arena_free(&arena);
	tmpl_set_free(&templates);
}

static const struct unit_case cases[] = {
	{"the locale of a tag", test_locale},
	{"spans of time", test_spans},
	{"an instant", test_instant},
	{"the clock of a locale", test_clock},
	{"words that are not there", test_no_words},
};

UNIT_MAIN("ics_when", cases)
