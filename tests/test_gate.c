#include "core_unit.h"
#include "gate.h"

enum { GATE_BITS_BYTES = 37, GATE_CAP = 200 };

#define GATE_OTHER_ID "EBESExQVFhcYGRobHB0eHw"

static void test_gate_token_round_trip(void)
{
	static const char *const ids[] = {
		CORE_ID, GATE_OTHER_ID, "AAAAAAAAAAAAAAAAAAAAAA", "_____________________w"};
	static const int64_t generations[] = {1, 2, 20, 255, 256, 65536, 0xffffffff};
	struct secret_ring *ring = core_ring(CORE_KEY_1);
	char token[GATE_TOKEN_SIZE], again[GATE_TOKEN_SIZE];
	struct gate_pass pass;
	size_t i, j;
	int party, purpose;

	for (i = 0; i < sizeof(ids) / sizeof(ids[0]); i++)
		for (j = 0; j < sizeof(generations) / sizeof(generations[0]); j++)
			for (party = PARTY_CLIENT; party <= PARTY_LAWYER; party++)
				for (purpose = GATE_JOIN; purpose <= GATE_PAGE; purpose++) {
					gate_token(ring, purpose, ids[i], party, generations[j],
						token);
					gate_token(ring, purpose, ids[i], party, generations[j],
						again);
					CU_ASSERT_STRING_EQUAL(token, again);
					CU_ASSERT_EQUAL(strlen(token), GATE_TOKEN_SIZE - 1);
					CU_ASSERT_TRUE(
						gate_token_read(ring, purpose, token, &pass));
					CU_ASSERT_STRING_EQUAL(pass.request_id, ids[i]);
					CU_ASSERT_EQUAL(pass.party, (enum party)party);
					CU_ASSERT_EQUAL(pass.generation, generations[j]);
					CU_ASSERT_FALSE(gate_token_read(
						ring, (purpose + 1) % 3, token, &pass));
					CU_ASSERT_FALSE(gate_token_read(
						ring, (purpose + 2) % 3, token, &pass));
				}
	secret_ring_free(&ring);
}

static void test_gate_every_flipped_bit_is_refused(void)
{
	struct secret_ring *ring = core_ring(CORE_KEY_1);
	unsigned char bytes[GATE_BITS_BYTES];
	char token[GATE_TOKEN_SIZE];
	struct gate_pass pass;
	size_t bit;
	int party;

	for (party = PARTY_CLIENT; party <= PARTY_LAWYER; party++) {
		gate_token(ring, GATE_JOIN, CORE_ID, party, 1, token);
		CU_ASSERT_TRUE_FATAL(base64url_decode(token, bytes, sizeof(bytes)));
		for (bit = 0; bit < 8 * sizeof(bytes); bit++) {
			bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
			base64url_encode(bytes, sizeof(bytes), token, sizeof(token));
			CU_ASSERT_FALSE(gate_token_read(ring, GATE_JOIN, token, &pass));
			bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
		}
		base64url_encode(bytes, sizeof(bytes), token, sizeof(token));
		CU_ASSERT_TRUE(gate_token_read(ring, GATE_JOIN, token, &pass));
	}
	secret_ring_free(&ring);
}

/* One token has one spelling: each character, replaced by any other byte, is refused. */
static void test_gate_every_other_spelling_is_refused(void)
{
	struct secret_ring *ring = core_ring(CORE_KEY_1);
	char token[GATE_TOKEN_SIZE], changed[GATE_TOKEN_SIZE];
	struct gate_pass pass;
	size_t i;
	int c;

	gate_token(ring, GATE_JOIN, CORE_ID, PARTY_CLIENT, 1, token);
	for (i = 0; token[i]; i++)
		for (c = 0; c < 256; c++) {
			memcpy(changed, token, sizeof(changed));
			changed[i] = (char)c;
			CU_ASSERT_EQUAL(gate_token_read(ring, GATE_JOIN, changed, &pass),
				changed[i] == token[i]);
		}
	secret_ring_free(&ring);
}

static void test_gate_malformed_tokens_are_refused(void)
{
	struct secret_ring *ring = core_ring(CORE_KEY_1);
	struct arena *arena = arena_new();
	char token[GATE_TOKEN_SIZE], longest[8192];
	struct gate_pass pass;
	size_t i;

	gate_token(ring, GATE_JOIN, CORE_ID, PARTY_CLIENT, 1, token);
	memset(longest, 'A', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	{
		const char *const tokens[] = {
			"",
			"A",
			"AAAA",
			"=",
			"../../etc/passwd",
			longest,
			arena_printf(arena, "%s=", token),
			arena_printf(arena, "%s==", token),
			arena_printf(arena, "%sA", token),
			arena_printf(arena, "%sAAAA", token),
			arena_printf(arena, "%s ", token),
			arena_printf(arena, " %s", token),
			arena_printf(arena, "%s\n", token),
			arena_printf(arena, "%s%s", token, token),
			arena_strndup(arena, token, sizeof(token) - 2),
			token + 1,
		};

		for (i = 0; i < sizeof(tokens) / sizeof(tokens[0]); i++)
			CU_ASSERT_FALSE(gate_token_read(ring, GATE_JOIN, tokens[i], &pass));
	}
	arena_free(&arena);
	secret_ring_free(&ring);
}

static void test_gate_knows_two_parties(void)
{
	struct secret_ring *ring = core_ring(CORE_KEY_1);
	char token[GATE_TOKEN_SIZE];
	struct gate_pass pass;
	int party;

	for (party = PARTY_LAWYER + 1; party < 256; party++) {
		gate_token(ring, GATE_JOIN, CORE_ID, (enum party)party, 1, token);
		CU_ASSERT_FALSE(gate_token_read(ring, GATE_JOIN, token, &pass));
	}
	secret_ring_free(&ring);
}

static void test_gate_keys_rotate(void)
{
	static const struct {
		const char *name, *made_with, *read_with;
		bool understood;
	} cases[] = {
		{"same key", CORE_KEY_1, CORE_KEY_1, true},
		{"another key", CORE_KEY_1, CORE_KEY_2, false},
		{"made before rotation", CORE_KEY_1, CORE_KEY_2 CORE_KEY_1, true},
		{"made after rotation", CORE_KEY_2 CORE_KEY_1, CORE_KEY_2 CORE_KEY_1, true},
		{"made after rotation, read where it has not come", CORE_KEY_2 CORE_KEY_1,
			CORE_KEY_1, false},
		{"old key thrown away", CORE_KEY_1, CORE_KEY_2, false},
	};
	char token[GATE_TOKEN_SIZE];
	struct secret_ring *ring;
	struct gate_pass pass;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ring = core_ring(cases[i].made_with);
		gate_token(ring, GATE_JOIN, CORE_ID, PARTY_LAWYER, 3, token);
		secret_ring_free(&ring);
		ring = core_ring(cases[i].read_with);
		CU_ASSERT_EQUAL(
			gate_token_read(ring, GATE_JOIN, token, &pass), cases[i].understood);
		secret_ring_free(&ring);
	}
}

static void test_gate_urls(void)
{
	struct secret_ring *ring = core_ring(CORE_KEY_1);
	struct arena *arena = arena_new();
	const struct request *request = core_in_state(arena, CORE_READY);
	char token[GATE_TOKEN_SIZE];

	gate_token(ring, GATE_JOIN, CORE_ID, PARTY_LAWYER, 1, token);
	CU_ASSERT_STRING_EQUAL(
		gate_url(arena, ring, GATE_JOIN, "https://m.test", request, PARTY_LAWYER),
		arena_printf(arena, "https://m.test/join/%s", token));
	gate_token(ring, GATE_CALENDAR, CORE_ID, PARTY_CLIENT, 1, token);
	CU_ASSERT_STRING_EQUAL(
		gate_url(arena, ring, GATE_CALENDAR, "https://m.test", request, PARTY_CLIENT),
		arena_printf(arena, "https://m.test/calendar/event/%s.ics", token));
	CU_ASSERT_PTR_NULL(gate_url(arena, ring, GATE_JOIN, "https://m.test",
		core_in_state(arena, CORE_OPEN), PARTY_CLIENT));
	arena_free(&arena);
	secret_ring_free(&ring);
}

static void test_gate_state_over_time(void)
{
	/* Default policy: opens 15 minutes before the start, expires 60 after the end. */
	static const int64_t times[] = {
		CORE_NOW,
		CORE_START - 15 * INSTANT_MINUTE - 1,
		CORE_START - 15 * INSTANT_MINUTE,
		CORE_START,
		CORE_END,
		CORE_END + 60 * INSTANT_MINUTE - 1,
		CORE_END + 60 * INSTANT_MINUTE,
		CORE_END + 400 * INSTANT_DAY,
	};
	static const char letters[] = {
		[GATE_OPEN] = 'o',
		[GATE_EARLY] = 'e',
		[GATE_PENDING] = 'p',
		[GATE_FAILED] = 'f',
		[GATE_OVER] = '-',
		[GATE_CANCELLED] = 'c',
		[GATE_REPLACED] = 'r',
		[GATE_RENEWING] = 'n',
	};
	static const struct {
		enum meeting_status status;
		/* At each of the times, to who has a link of it, and of another generation. */
		const char *gates, *others;
	} cases[] = {
		{MEETING_PENDING, "pppppp--", "nnnnnn--"},
		{MEETING_READY, "eeoooo--", "rrrrrr--"},
		{MEETING_FAILED, "ffffff--", "nnnnnn--"},
		{MEETING_CANCELLED, "cccccccc", "cccccccc"},
		{MEETING_EXPIRED, "--------", "--------"},
		{MEETING_REPLACED, "rrrrrrrr", "rrrrrrrr"},
	};
	struct arena *arena = arena_new();
	struct request *request = core_in_state(arena, CORE_READY);
	size_t i, j;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		for (j = 0; j < 8; j++) {
			request->meeting->status = cases[i].status;
			request->meeting->generation = 2;
			if (letters[gate_state(request, 2, times[j])] != cases[i].gates[j])
				printf("%s at time %zu\n", meeting_status_names[cases[i].status],
					j);
			CU_ASSERT_EQUAL(
				letters[gate_state(request, 2, times[j])], cases[i].gates[j]);
			CU_ASSERT_EQUAL(
				letters[gate_state(request, 1, times[j])], cases[i].others[j]);
			CU_ASSERT_EQUAL(
				letters[gate_state(request, 3, times[j])], cases[i].others[j]);
		}
	arena_free(&arena);
}

static bool gate_join(struct arena *arena, struct request *request, enum party party, int64_t at)
{
	struct cause cause = core_cause(arena, at, ROLE_SYSTEM, NULL);

	cause.source = SOURCE_GATE;
	return gate_use(&cause, request, (enum link_use)party);
}

static void test_gate_use_is_recorded(void)
{
	struct arena *arena = arena_new();
	struct request *request = core_in_state(arena, CORE_READY);
	const struct audit_event *event;

	CU_ASSERT_TRUE(gate_join(arena, request, PARTY_LAWYER, CORE_START));
	event = core_last_event(request);
	CU_ASSERT_STRING_EQUAL(event->action, "meeting.link_used");
	CU_ASSERT_STRING_EQUAL(event->actor->id, core_lawyer.id);
	CU_ASSERT_EQUAL(event->actor->role, ROLE_LAWYER);
	CU_ASSERT_EQUAL(event->source, SOURCE_GATE);
	CU_ASSERT_EQUAL(event->at, CORE_START);
	CU_ASSERT_EQUAL(audit_verify(NULL, &request->events, request->id), -1);
	arena_free(&arena);
}

static void test_gate_records_are_bounded(void)
{
	struct arena *arena = arena_new();
	struct request *request = core_in_state(arena, CORE_READY);
	const int64_t last = CORE_START + GATE_CAP - 1;
	int i;

	for (i = 0; i < GATE_CAP; i++)
		CU_ASSERT_TRUE(gate_join(arena, request, PARTY_CLIENT, CORE_START + i));
	CU_ASSERT_FALSE(gate_join(arena, request, PARTY_CLIENT, last));
	CU_ASSERT_FALSE(gate_join(arena, request, PARTY_CLIENT, last + INSTANT_MINUTE - 1));
	CU_ASSERT_TRUE(gate_join(arena, request, PARTY_LAWYER, last));
	CU_ASSERT_TRUE(gate_join(arena, request, PARTY_CLIENT, last + INSTANT_MINUTE));
	CU_ASSERT_FALSE(gate_join(arena, request, PARTY_CLIENT, last + 2 * INSTANT_MINUTE - 1));
	CU_ASSERT_TRUE(gate_join(arena, request, PARTY_CLIENT, last + 2 * INSTANT_MINUTE));
	CU_ASSERT_EQUAL(core_count_events(request, "meeting.link_used"), GATE_CAP + 3);
	/* A new link counts afresh. */
	request->meeting->created_at = last + 2 * INSTANT_MINUTE + 1;
	memset(request->meeting->uses, 0, sizeof(request->meeting->uses));
	CU_ASSERT_TRUE(gate_join(arena, request, PARTY_CLIENT, last + 2 * INSTANT_MINUTE + 1));
	CU_ASSERT_EQUAL(audit_verify(NULL, &request->events, request->id), -1);
	arena_free(&arena);
}

/* A form is good for an hour, for its page, and in no other spelling. */
static void test_gate_forms(void)
{
	struct secret_ring *ring = core_ring(CORE_KEY_1), *other = core_ring(CORE_KEY_2);
	char page[GATE_TOKEN_SIZE], elsewhere[GATE_TOKEN_SIZE], form[GATE_FORM_SIZE];
	size_t i;

	gate_token(ring, GATE_PAGE, CORE_ID, PARTY_CLIENT, 0, page);
	gate_token(ring, GATE_PAGE, CORE_ID, PARTY_LAWYER, 0, elsewhere);
	gate_form_token(ring, page, CORE_NOW, form);
	CU_ASSERT_EQUAL(strlen(form), GATE_FORM_SIZE - 1);
	CU_ASSERT_TRUE(gate_form_valid(ring, page, form, CORE_NOW));
	CU_ASSERT_TRUE(gate_form_valid(ring, page, form, CORE_NOW + INSTANT_HOUR - 1));
	CU_ASSERT_FALSE(gate_form_valid(ring, page, form, CORE_NOW + INSTANT_HOUR));
	/* Another host's clock may be behind, but not by much. */
	CU_ASSERT_TRUE(gate_form_valid(ring, page, form, CORE_NOW - INSTANT_MINUTE));
	CU_ASSERT_FALSE(gate_form_valid(ring, page, form, CORE_NOW - INSTANT_MINUTE - 1));
	CU_ASSERT_FALSE(gate_form_valid(ring, elsewhere, form, CORE_NOW));
	CU_ASSERT_FALSE(gate_form_valid(other, page, form, CORE_NOW));
	CU_ASSERT_FALSE(gate_form_valid(ring, page, "", CORE_NOW));
	CU_ASSERT_FALSE(gate_form_valid(ring, page, page, CORE_NOW));
	for (i = 0; form[i]; i++) {
		const char was = form[i];

		form[i] = was == 'A' ? 'B' : 'A';
		CU_ASSERT_FALSE(gate_form_valid(ring, page, form, CORE_NOW));
		form[i] = was;
	}
	secret_ring_free(&ring);
	secret_ring_free(&other);
}

static void test_gate_page_urls(void)
{
	struct secret_ring *ring = core_ring(CORE_KEY_1);
	struct arena *arena = arena_new();
	struct request *request = core_open(arena);
	struct person erased = *request->side[PARTY_CLIENT].person;
	const char *open, *ready;

	open = gate_page_url(arena, ring, "https://meet.test", request, PARTY_CLIENT);
	CU_ASSERT_EQUAL(strncmp(open, "https://meet.test/m/", 20), 0);
	request = core_in_state(arena, CORE_READY);
	core_regenerate(arena, request, CORE_NOW);
	ready = gate_page_url(arena, ring, "https://meet.test", request, PARTY_CLIENT);
	CU_ASSERT_STRING_EQUAL(open, ready);
	CU_ASSERT_STRING_NOT_EQUAL(
		ready, gate_page_url(arena, ring, "https://meet.test", request, PARTY_LAWYER));
	erased.email = "erased-x@erased.invalid";
	request->side[PARTY_CLIENT].person = &erased;
	CU_ASSERT_PTR_NULL(gate_page_url(arena, ring, "https://meet.test", request, PARTY_CLIENT));
	arena_free(&arena);
	secret_ring_free(&ring);
}

static const struct unit_case cases[] = {
	{"token round trip", test_gate_token_round_trip},
	{"every flipped bit is refused", test_gate_every_flipped_bit_is_refused},
	{"every other spelling is refused", test_gate_every_other_spelling_is_refused},
	{"malformed tokens are refused", test_gate_malformed_tokens_are_refused},
	{"knows two parties", test_gate_knows_two_parties},
	{"keys rotate", test_gate_keys_rotate},
	{"urls", test_gate_urls},
	{"state over time", test_gate_state_over_time},
	{"use is recorded", test_gate_use_is_recorded},
	{"records are bounded", test_gate_records_are_bounded},
	{"forms", test_gate_forms},
	{"page urls", test_gate_page_urls},
};

UNIT_MAIN("gate", cases)
