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
		{"fr", NULL},
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

static void test_spans(void)
{
	static const struct {
		const char *name, *locale, *zone;
		int64_t starts_at, minutes;
		const char *mail, *page;
	} cases[] = {
		{"an hour", "en", "Europe/Berlin", FRIDAY, 60,
			"Friday, 27 November 2026 00:05 to 01:05,",
			"Friday, 27 November 2026, 00:05–01:05 ("},
		{"an hour, in German", "DE", "Europe/Berlin", FRIDAY, 60,
			"Freitag, 27. November 2026 00:05 bis 01:05 Uhr,",
			"Freitag, 27. November 2026, 00:05–01:05 Uhr ("},
		{"24 hours", "en", "Europe/Berlin", FRIDAY, 1440,
			"Friday, 27 November 2026 00:05 to Saturday, 28 November 2026, 00:05,",
			"Friday, 27 November 2026, 00:05 – Saturday, 28 November 2026, 00:05 ("},
		{"24 hours, in German", "de", "Europe/Berlin", FRIDAY, 1440,
			"Freitag, 27. November 2026 00:05 Uhr bis Samstag, 28. November 2026, "
			"00:05 Uhr,",
			"Freitag, 27. November 2026, 00:05 Uhr – Samstag, 28. November 2026, "
			"00:05 Uhr ("},
		{"over midnight elsewhere only", "en", "UTC", FRIDAY, 60,
			"Thursday, 26 November 2026 23:05 to Friday, 27 November 2026, 00:05,",
			"Thursday, 26 November 2026, 23:05 – Friday, 27 November 2026, 00:05 ("},
		{"up to midnight", "en", "UTC", FRIDAY, 55,
			"Thursday, 26 November 2026 23:05 to Friday, 27 November 2026, 00:00,",
			"Thursday, 26 November 2026, 23:05 – Friday, 27 November 2026, 00:00 ("},
		{"over the year", "en", "UTC", 1798761300, 10, /* 2026-12-31T23:55:00Z */
			"Thursday, 31 December 2026 23:55 to Friday, 1 January 2027, 00:05,",
			"Thursday, 31 December 2026, 23:55 – Friday, 1 January 2027, 00:05 ("},
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
		UNIT_CHECK(strstr(page.bytes, cases[i].page) != NULL, cases[i].name);
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
	struct person person = {.locale = "en"};
	const int64_t instant = FRIDAY * INSTANT_SECOND;

	CU_ASSERT_STRING_EQUAL(ics_when_instant(templates, arena, &request, &person, instant),
		"Friday, 27 November 2026, 00:05 (CET)");
	person.locale = "de-CH";
	CU_ASSERT_STRING_EQUAL(ics_when_instant(templates, arena, &request, &person, instant),
		"Freitag, 27. November 2026, 00:05 Uhr (CET)");
	person.timezone = "Mars/Olympus";
	CU_ASSERT_PTR_NULL(ics_when_instant(templates, arena, &request, &person, instant));
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
	{"words that are not there", test_no_words},
};

UNIT_MAIN("ics_when", cases)
