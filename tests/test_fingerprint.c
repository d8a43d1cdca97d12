#include "fingerprint.h"

#include "core_unit.h"
#include "proposal.h"

/* What callers are shown differs by it, and so must the fingerprint. */
static void change_title(struct request *request)
{
	request->title = "Another";
}

static void change_person(struct request *request)
{
	static struct person other;

	other = *request->side[PARTY_CLIENT].person;
	other.name = "Another";
	request->side[PARTY_CLIENT].person = &other;
}

static void change_meeting(struct request *request)
{
	request->meeting->status = MEETING_FAILED;
}

static void change_passcode(struct request *request)
{
	request->meeting->passcode = "0815";
}

static void change_direct_url(struct request *request)
{
	request->meeting->direct_url = "https://meet.test/another";
}

static void change_failed_at(struct request *request)
{
	request->failed_at = CORE_NOW;
}

static void change_proposal(struct request *request)
{
	static struct proposal proposal = {.starts_at = CORE_END, .duration_minutes = 60};

	request->proposal = &proposal;
}

/* And by this nothing that they are shown. */
static void change_rev(struct request *request)
{
	request->rev++;
}

static void change_effects(struct request *request)
{
	request->effects.count--;
	request->due = CORE_NOW;
}

static void change_events(struct request *request)
{
	request->events.count--;
}

static void change_provider_url(struct request *request)
{
	request->meeting->provider_url = "https://meet.test/another";
}

static void change_uses(struct request *request)
{
	static struct link_uses uses = {1, CORE_NOW};

	request->meeting->uses[LINK_CLIENT] = &uses;
}

static void test_what_moves_it(void)
{
	static const struct {
		const char *name;
		void (*change)(struct request *request);
		bool moves;
	} cases[] = {
		{"title", change_title, true},
		{"person", change_person, true},
		{"meeting", change_meeting, true},
		{"passcode", change_passcode, true},
		{"direct url", change_direct_url, true},
		{"something failed", change_failed_at, true},
		{"proposal", change_proposal, true},
		{"rev", change_rev, false},
		{"effects", change_effects, false},
		{"events", change_events, false},
		{"the provider's url", change_provider_url, false},
		{"uses of links", change_uses, false},
	};
	struct arena *arena = arena_new();
	struct secret_ring *ring = core_ring(CORE_KEY_1), *other = core_ring(CORE_KEY_2);
	const char *before, *after;
	struct request *request;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		request = core_in_state(arena, CORE_READY);
		before = fingerprint_of(arena, ring, request);
		CU_ASSERT_STRING_EQUAL(before, fingerprint_of(arena, ring, request));
		/* A passcode cannot be guessed by it without the key. */
		CU_ASSERT_STRING_NOT_EQUAL(before, fingerprint_of(arena, other, request));
		cases[i].change(request);
		after = fingerprint_of(arena, ring, request);
		UNIT_CHECK((strcmp(before, after) != 0) == cases[i].moves, cases[i].name);
	}
	secret_ring_free(&ring);
	secret_ring_free(&other);
	arena_free(&arena);
}

static void test_times_that_come(void)
{
	struct arena *arena = arena_new();
	struct request *request = core_in_state(arena, CORE_READY);
	struct proposal proposal = {.starts_at = CORE_START + INSTANT_MINUTE};
	const int64_t times[] = {request->meeting->opens_at, request->starts_at, request->ends_at,
		request->meeting->expires_at, proposal.starts_at, CORE_START - INSTANT_DAY / 2};
	size_t i;

	request->proposal = &proposal;
	request->meeting->changes_until = CORE_START - INSTANT_DAY / 2;
	for (i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		CU_ASSERT_NOT_EQUAL(fingerprint_phase(request, times[i] - 1),
			fingerprint_phase(request, times[i]));
		CU_ASSERT_EQUAL(fingerprint_phase(request, times[i]),
			fingerprint_phase(request, times[i] + 1));
	}
	request = core_in_state(arena, CORE_OPEN);
	CU_ASSERT_NOT_EQUAL(fingerprint_phase(request, request->starts_at - 1),
		fingerprint_phase(request, request->starts_at));
	arena_free(&arena);
}

static const struct unit_case cases[] = {
	{"what moves it", test_what_moves_it},
	{"times that come", test_times_that_come},
};

UNIT_MAIN("fingerprint", cases)
