#include "feed.h"

#include <stdio.h>

#include "core_unit.h"

#define NOON (1796126400 * INSTANT_SECOND) /* 2026-12-01T12:00:00Z */

static struct feed feed = {
	.id = "AAAAAAAAAAAAAAAAAAAAAA", .nonce = "AAAAAAAAAAAAAAAAAAAAAQ", .person_id = "c"};

static struct model_list changes_of(struct feed_change *changes, size_t count)
{
	return (struct model_list){.items = changes, .count = count};
}

static bool same(const char *one, const char *other)
{
	return one && other && strcmp(one, other) == 0;
}

/* Whether a version with this list is another one than with that. */
static bool differs(struct feed_change one, struct feed_change other, int64_t now)
{
	struct feed_change first[] = {{"b", 7, NOON}, one}, second[] = {{"b", 7, NOON}, other};
	const struct model_list a = changes_of(first, 2), b = changes_of(second, 2);
	struct arena *arena = arena_new();
	const bool is = !same(feed_version(arena, &feed, &a, "p", now).etag,
		feed_version(arena, &feed, &b, "p", now).etag);

	arena_free(&arena);
	return is;
}

static void test_version(void)
{
	struct feed_change changes[] = {{"b", 7, NOON}, {"a", 3, NOON - 1}};
	struct model_list list = changes_of(changes, 2), none = {0};
	struct feed other = feed;
	struct arena *arena = arena_new();
	const struct feed_version version = feed_version(arena, &feed, &list, "p", NOON);

	other.nonce = "AAAAAAAAAAAAAAAAAAAAAg";
	CU_ASSERT(same(version.etag, feed_version(arena, &feed, &list, "p", NOON + 1).etag));
	CU_ASSERT(!same(version.etag, feed_version(arena, &feed, &list, "q", NOON).etag));
	CU_ASSERT(!same(version.etag, feed_version(arena, &other, &list, "p", NOON).etag));
	CU_ASSERT(!same(version.etag, feed_version(arena, &feed, &none, "p", NOON).etag));
	CU_ASSERT_PTR_NOT_NULL(feed_version(arena, &feed, &none, "p", NOON).etag);
	arena_free(&arena);
}

/* What may still be stored under an earlier date is seen while it may; later only a change counts.
 */
static void test_late_changes(void)
{
	const int64_t early = NOON + FEED_SLACK, late = NOON + 2 * FEED_SLACK;
	const struct feed_change before = {"a", 3, NOON - 1000};

	CU_ASSERT(differs(before, (struct feed_change){"a", 4, NOON - 500}, early));
	CU_ASSERT(differs(before, (struct feed_change){"a", 4, NOON - 1000}, early));
	CU_ASSERT(differs(before, (struct feed_change){"c", 3, NOON - 1000}, early));
	CU_ASSERT(differs(before, (struct feed_change){"a", 4, NOON - 500}, late));
	CU_ASSERT(!differs(before, (struct feed_change){"a", 4, NOON - 1000}, late));
	CU_ASSERT(!differs((struct feed_change){"a", 3, NOON - FEED_SLACK},
		(struct feed_change){"c", 9, NOON - FEED_SLACK}, early));
}

static void test_dates(void)
{
	struct feed_change changes[] = {{"b", 7, NOON + 1}};
	const struct model_list list = changes_of(changes, 1);
	const int64_t settled = NOON + 1 + 2 * FEED_SLACK;
	struct arena *arena = arena_new();
	const char *etag = feed_version(arena, &feed, &list, "p", settled).etag;

	CU_ASSERT_EQUAL(feed_version(arena, &feed, &list, "p", settled - 1).last_modified, 0);
	CU_ASSERT_EQUAL(feed_version(arena, &feed, &list, "p", settled).last_modified,
		NOON + INSTANT_SECOND);
	CU_ASSERT(same(
		etag, feed_version(arena, &feed, &list, "p", NOON + INSTANT_DAY / 2 - 1).etag));
	CU_ASSERT(!same(etag, feed_version(arena, &feed, &list, "p", NOON + INSTANT_DAY / 2).etag));
	CU_ASSERT_EQUAL(feed_version(arena, &feed, &list, "p", NOON + INSTANT_DAY).last_modified,
		NOON + INSTANT_DAY / 2);
	arena_free(&arena);
}

/* More at once than a version goes by: it cannot be told until it is settled. */
static void test_many_changes(void)
{
	struct feed_change changes[FEED_CHANGES];
	const struct model_list list = changes_of(changes, FEED_CHANGES);
	struct arena *arena = arena_new();
	size_t i;

	for (i = 0; i < FEED_CHANGES; i++)
		changes[i] = (struct feed_change){"x", 1, NOON};
	CU_ASSERT_PTR_NULL(feed_version(arena, &feed, &list, "p", NOON).etag);
	CU_ASSERT_PTR_NOT_NULL(feed_version(arena, &feed, &list, "p", NOON + 2 * FEED_SLACK).etag);
	changes[FEED_CHANGES - 1].at = NOON - FEED_SLACK;
	CU_ASSERT_PTR_NOT_NULL(feed_version(arena, &feed, &list, "p", NOON).etag);
	arena_free(&arena);
}

static void test_how_far_back(void)
{
	struct feed_change changes[] = {{"b", 7, NOON}};
	const struct model_list list = changes_of(changes, 1), none = {0};
	static const char *const nothing[] = {
		"", "x", "*", "\"x\"", "\"-1-a\"", "\"0-a\"", "\"12", "W/"};
	struct arena *arena = arena_new();
	const char *etag = feed_version(arena, &feed, &list, "p", NOON).etag;
	struct feed known = feed;
	size_t i;

	CU_ASSERT_EQUAL(feed_changes_since(&feed, etag), NOON - FEED_SLACK);
	CU_ASSERT_EQUAL(feed_changes_since(&feed, arena_printf(arena, "W/%s, \"x\"", etag)),
		NOON - FEED_SLACK);
	for (i = 0; i < sizeof(nothing) / sizeof(nothing[0]); i++)
		CU_ASSERT_EQUAL(feed_changes_since(&feed, nothing[i]), 0);
	CU_ASSERT_EQUAL(feed_changes_since(&feed, NULL), 0);
	known.seen_at = NOON + 5;
	CU_ASSERT_EQUAL(feed_changes_since(&known, etag), NOON + 5 - FEED_SLACK);
	CU_ASSERT(feed_changes_suffice(&none, 0));
	CU_ASSERT(!feed_changes_suffice(&none, NOON));
	CU_ASSERT(feed_changes_suffice(&list, NOON - FEED_SLACK));
	CU_ASSERT(!feed_changes_suffice(&list, NOON - FEED_SLACK + 1));
	CU_ASSERT(!feed_note_seen(&known, &list));
	known.seen_at = NOON - INSTANT_DAY;
	CU_ASSERT(feed_note_seen(&known, &list));
	CU_ASSERT_EQUAL(known.seen_at, NOON);
	CU_ASSERT(!feed_note_seen(&known, &none));
	arena_free(&arena);
}

static void test_ids(void)
{
	char client[ID_SIZE], lawyer[ID_SIZE], other[ID_SIZE], again[ID_SIZE];

	feed_id(PARTY_CLIENT, "c", client);
	feed_id(PARTY_LAWYER, "c", lawyer);
	feed_id(PARTY_CLIENT, "d", other);
	feed_id(PARTY_CLIENT, "c", again);
	CU_ASSERT_STRING_EQUAL(client, again);
	CU_ASSERT_STRING_NOT_EQUAL(client, lawyer);
	CU_ASSERT_STRING_NOT_EQUAL(client, other);
}

static void test_what_it_shows(void)
{
	struct meeting meeting = {.status = MEETING_READY, .ended_at = NOON - 31 * INSTANT_DAY};
	struct request request = {.meeting = &meeting};
	int status;

	for (status = MEETING_PENDING; status <= MEETING_EXPIRED; status++) {
		meeting.status = status;
		CU_ASSERT_EQUAL(feed_shows(&request, NOON), status != MEETING_CANCELLED);
	}
	meeting.status = MEETING_CANCELLED;
	meeting.ended_at = NOON - 30 * INSTANT_DAY;
	CU_ASSERT(feed_shows(&request, NOON));
	CU_ASSERT(!feed_shows(&request, NOON + INSTANT_DAY));
	request.meeting = NULL;
	CU_ASSERT(!feed_shows(&request, NOON));
	CU_ASSERT_EQUAL(feed_starts_from(NOON), NOON - INSTANT_DAY / 2 - 90 * INSTANT_DAY);
	CU_ASSERT_EQUAL(feed_starts_from(NOON), feed_starts_from(NOON + INSTANT_DAY / 2 - 1));
}

static const struct unit_case cases[] = {
	{"version", test_version},
	{"late changes", test_late_changes},
	{"dates", test_dates},
	{"many changes", test_many_changes},
	{"how far back", test_how_far_back},
	{"ids", test_ids},
	{"what it shows", test_what_it_shows},
};

UNIT_MAIN("feed", cases)
