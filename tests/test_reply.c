#include "core_unit.h"
#include "erase.h"
#include "reply.h"

#define PATTERN "meetings+{}@example.org"

static struct reply answer_of(struct arena *arena, const struct request *request, enum party party,
	enum attendance_state state)
{
	static int serial;

	return (struct reply){
		.kind = REPLY_ANSWER,
		.party = party,
		.digest = arena_printf(arena, "digest-%d", serial++),
		.uid = meeting_uid(arena, request->meeting),
		.sequence = request->meeting->sequence,
		.attendance = state,
	};
}

static bool applied(struct arena *arena, struct request *request, const struct reply *reply)
{
	struct cause cause = core_cause(arena, CORE_NOW, ROLE_CLIENT, core_client.id);
	bool changed;

	CU_ASSERT_EQUAL(reply_apply(&cause, request, reply, &changed, NULL), ERR_OK);
	return changed;
}

/* A meeting that is ready, of people whom a test may change. */
static struct request *ready(struct arena *arena)
{
	struct request *request = core_in_state(arena, CORE_READY);
	int party;

	for (party = PARTY_CLIENT; party < PARTY_COUNT; party++) {
		struct person *person = arena_alloc(arena, sizeof(*person));

		*person = *request->side[party].person;
		request->side[party].person = person;
	}
	return request;
}

static void test_addresses(void)
{
	struct secret_ring *ring = core_ring(CORE_KEY_1);
	struct secret_ring *both = core_ring(CORE_KEY_2 CORE_KEY_1);
	struct secret_ring *other = core_ring(CORE_KEY_2);
	struct arena *arena = arena_new();
	struct reply_pass pass;
	char *address, *upper, *p;
	int party;

	for (party = PARTY_CLIENT; party < PARTY_COUNT; party++) {
		address = reply_address(arena, ring, PATTERN, CORE_ID, (enum party)party);
		CU_ASSERT(strchr(address, '@') - address <= 64);
		/* A new key in front changes no address: calendars know it. */
		CU_ASSERT_STRING_EQUAL(
			address, reply_address(arena, both, PATTERN, CORE_ID, (enum party)party));
		CU_ASSERT(reply_address_read(both, PATTERN, address, &pass));
		CU_ASSERT_STRING_EQUAL(pass.request_id, CORE_ID);
		CU_ASSERT_EQUAL(pass.party, party);
		CU_ASSERT(!reply_address_read(other, PATTERN, address, &pass));
		CU_ASSERT(!reply_address_read(ring, "m+{}@example.org", address, &pass));
		CU_ASSERT(!reply_address_read(ring, "meetings+{}@example.net", address, &pass));
		upper = arena_strdup(arena, address);
		for (p = upper; *p; p++)
			*p = *p >= 'a' && *p <= 'z' ? (char)(*p - 'a' + 'A') : *p;
		CU_ASSERT(reply_address_read(ring, PATTERN, upper, &pass));
		for (p = upper; *p; p++) {
			const char was = *p;

			*p = was == 'B' ? 'C' : 'B';
			UNIT_CHECK(!reply_address_read(ring, PATTERN, upper, &pass), p);
			*p = '\0';
			UNIT_CHECK(!reply_address_read(ring, PATTERN, upper, &pass), "cut");
			*p = was;
		}
	}
	CU_ASSERT_PTR_NULL(reply_address(arena, ring, "", CORE_ID, PARTY_CLIENT));
	CU_ASSERT(!reply_address_read(ring, "", "a@b", &pass));
	secret_ring_free(&ring);
	secret_ring_free(&both);
	secret_ring_free(&other);
	arena_free(&arena);
}

static void test_patterns(void)
{
	static const struct {
		const char *pattern;
		bool valid;
	} rows[] = {
		{PATTERN, true},
		{"{}@example.org", true},
		{"a{}b@example.org", true},
		{"", false},
		{"meetings@example.org", false},
		{"meetings@{}.example.org", false},
		{"{}{}@example.org", false},
		{"{}@{}.org", false},
		{"{}", false},
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		UNIT_CHECK(reply_pattern_valid(rows[i].pattern) == rows[i].valid, rows[i].pattern);
}

static void test_answers(void)
{
	struct arena *arena = arena_new();
	struct request *request = ready(arena);
	const int *attendance = request->meeting->attendance->state;
	struct reply reply = answer_of(arena, request, PARTY_CLIENT, ATTENDANCE_DECLINED);
	const struct effect *mail;

	CU_ASSERT_EQUAL(attendance[PARTY_CLIENT], ATTENDANCE_UNKNOWN);
	CU_ASSERT_EQUAL(attendance[PARTY_LAWYER], ATTENDANCE_ACCEPTED);
	CU_ASSERT(applied(arena, request, &reply));
	CU_ASSERT_EQUAL(attendance[PARTY_CLIENT], ATTENDANCE_DECLINED);
	CU_ASSERT_STRING_EQUAL(core_last_event(request)->action, "meeting.attendance");
	mail = core_effect(request, EFFECT_MAIL_MEETING_ANSWERED, PARTY_LAWYER);
	CU_ASSERT_STRING_EQUAL_FATAL(mail->mail->attendance, "declined");
	CU_ASSERT(!applied(arena, request, &reply)); /* the same message */
	/* Another one of the same has nothing to tell. */
	reply = answer_of(arena, request, PARTY_CLIENT, ATTENDANCE_DECLINED);
	CU_ASSERT(applied(arena, request, &reply));
	CU_ASSERT_EQUAL(core_count_events(request, "meeting.attendance"), 1);
	/* What has not left is replaced. */
	reply = answer_of(arena, request, PARTY_CLIENT, ATTENDANCE_ACCEPTED);
	CU_ASSERT(applied(arena, request, &reply));
	CU_ASSERT_EQUAL(core_count_effects(request, EFFECT_MAIL_MEETING_ANSWERED), 1);
	mail = core_effect(request, EFFECT_MAIL_MEETING_ANSWERED, PARTY_LAWYER);
	CU_ASSERT_STRING_EQUAL(mail->mail->attendance, "accepted");
	CU_ASSERT_EQUAL(effect_check_wanted(request, mail, CORE_NOW, NULL), ERR_OK);
	/* A move asks anew, and what was to be told is so no more. */
	core_move(arena, request, CORE_NOW, CORE_START + INSTANT_DAY);
	CU_ASSERT_EQUAL(request->meeting->attendance->state[PARTY_CLIENT], ATTENDANCE_UNKNOWN);
	mail = core_effect(request, EFFECT_MAIL_MEETING_ANSWERED, PARTY_LAWYER);
	CU_ASSERT_EQUAL(effect_check_wanted(request, mail, CORE_NOW, NULL), ERR_PERMANENT);
	arena_free(&arena);
}

/* What an answer is about, and whether it counts. */
static void test_versions(void)
{
	static const struct {
		const char *name;
		int64_t told, now; /* SEQUENCE: that the person knows, and the meeting's */
		bool moved;        /* since */
		int64_t answers;
		bool counts;
	} rows[] = {
		{"the one that was told", 2, 2, false, 2, true},
		{"an older one", 2, 2, false, 1, false},
		{"a later one: it was downloaded", 2, 3, false, 3, true},
		{"the one that was told, while others were told of more", 2, 3, false, 2, true},
		{"one before the move", 2, 3, true, 2, false},
		{"the move, before it was told", 2, 3, true, 3, true},
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct arena *arena = arena_new();
		struct request *request = ready(arena);
		struct meeting *meeting = request->meeting;
		struct person_news news = {.invited = true,
			.starts_at = meeting->starts_at - (rows[i].moved ? INSTANT_HOUR : 0),
			.ends_at = meeting->ends_at,
			.sequence = rows[i].told};
		struct reply reply = answer_of(arena, request, PARTY_CLIENT, ATTENDANCE_ACCEPTED);

		meeting->sequence = rows[i].now;
		reply.sequence = rows[i].answers;
		request->side[PARTY_CLIENT].news = &news;
		UNIT_CHECK(applied(arena, request, &reply) == rows[i].counts, rows[i].name);
		arena_free(&arena);
	}
}

static void test_no_answers(void)
{
	struct arena *arena = arena_new();
	struct request *request = ready(arena);
	const struct reply answer = answer_of(arena, request, PARTY_CLIENT, ATTENDANCE_DECLINED);
	struct reply reply = answer;

	reply.uid = "another@meetlink";
	CU_ASSERT(!applied(arena, request, &reply));
	reply = answer;
	reply.uid = NULL;
	CU_ASSERT(!applied(arena, request, &reply));
	reply = answer;
	reply.part = true;
	CU_ASSERT(!applied(arena, request, &reply));
	reply = answer;
	reply.attendee = "BO@lawyer.test"; /* who has passed on nothing to himself */
	CU_ASSERT(!applied(arena, request, &reply));
	reply = answer;
	reply.attendance = -1;
	CU_ASSERT(applied(arena, request, &reply));
	CU_ASSERT_EQUAL(core_count_effects(request, EFFECT_MAIL_MEETING_ANSWERED), 0);
	core_cancel(arena, request, CORE_NOW);
	reply = answer_of(arena, request, PARTY_CLIENT, ATTENDANCE_DECLINED);
	CU_ASSERT(!applied(arena, request, &reply));
	arena_free(&arena);
}

static void test_order(void)
{
	struct arena *arena = arena_new();
	struct request *request = ready(arena);
	struct reply reply = answer_of(arena, request, PARTY_CLIENT, ATTENDANCE_DECLINED);

	reply.stamped_at = CORE_NOW - INSTANT_MINUTE;
	CU_ASSERT(applied(arena, request, &reply));
	reply = answer_of(arena, request, PARTY_CLIENT, ATTENDANCE_ACCEPTED);
	reply.stamped_at = CORE_NOW - INSTANT_HOUR;
	CU_ASSERT(!applied(arena, request, &reply));
	/* A clock that is fast locks nobody out. */
	reply = answer_of(arena, request, PARTY_CLIENT, ATTENDANCE_TENTATIVE);
	reply.stamped_at = CORE_NOW + 365 * INSTANT_DAY;
	CU_ASSERT(applied(arena, request, &reply));
	reply = answer_of(arena, request, PARTY_CLIENT, ATTENDANCE_ACCEPTED);
	reply.stamped_at = CORE_NOW;
	CU_ASSERT(applied(arena, request, &reply));
	arena_free(&arena);
}

static void test_letters(void)
{
	struct arena *arena = arena_new();
	struct request *request = ready(arena);
	struct cause cause = core_cause(arena, CORE_NOW, ROLE_CLIENT, core_client.id);
	struct reply reply = {.kind = REPLY_LETTER, .party = PARTY_CLIENT, .letter = CORE_ID};
	struct effect *effect;
	bool changed;
	int i;

	for (i = 0; i < 20; i++) {
		reply.digest = arena_printf(arena, "letter-%d", i);
		CU_ASSERT(applied(arena, request, &reply));
	}
	CU_ASSERT_EQUAL(core_count_effects(request, EFFECT_MAIL_LETTER), 20);
	reply.digest = "one more";
	CU_ASSERT_EQUAL(reply_apply(&cause, request, &reply, &changed, NULL), ERR_TOO_MANY_CHANGES);
	reply.party = PARTY_LAWYER; /* who has written nothing yet */
	CU_ASSERT(applied(arena, request, &reply));
	/* They are no news: five mails an hour do not hold them up, nor they other mails. */
	effect = core_effect(request, EFFECT_MAIL_LETTER, PARTY_CLIENT);
	core_settle_mail(arena, request, effect, CORE_NOW, ERR_OK, "");
	CU_ASSERT(!request->side[PARTY_CLIENT].news ||
		  request->side[PARTY_CLIENT].news->mailed.count == 0);
	cause.now += INSTANT_HOUR;
	reply.party = PARTY_CLIENT;
	reply.digest = "an hour later";
	CU_ASSERT_EQUAL(reply_apply(&cause, request, &reply, &changed, NULL), ERR_OK);
	CU_ASSERT(request->replies.count <= 40);
	arena_free(&arena);
}

static void test_bounces(void)
{
	struct arena *arena = arena_new();
	struct request *request = ready(arena);
	struct reply reply = {
		.kind = REPLY_BOUNCE, .party = PARTY_CLIENT, .digest = "bounce", .status = "5.1.1"};

	CU_ASSERT(applied(arena, request, &reply));
	CU_ASSERT_EQUAL(request->side[PARTY_CLIENT].person->undeliverable, CORE_NOW);
	CU_ASSERT_STRING_EQUAL(core_last_event(request)->detail, "came back: 5.1.1");
	CU_ASSERT_EQUAL(core_last_event(request)->actor->role, ROLE_SYSTEM);
	reply.digest = "another";
	CU_ASSERT(!applied(arena, request, &reply));
	arena_free(&arena);
}

static void test_erased(void)
{
	struct arena *arena = arena_new();
	struct request *request = ready(arena);
	struct cause cause = core_cause(arena, CORE_NOW, ROLE_CLIENT, core_client.id);
	struct reply reply = answer_of(arena, request, PARTY_CLIENT, ATTENDANCE_DECLINED);
	bool changed;

	reply.words = "I am ill.";
	CU_ASSERT(applied(arena, request, &reply));
	reply = (struct reply){
		.kind = REPLY_LETTER, .party = PARTY_CLIENT, .digest = "letter", .letter = CORE_ID};
	CU_ASSERT(applied(arena, request, &reply));
	CU_ASSERT(erase_person(&cause, request, core_client.id));
	CU_ASSERT_EQUAL(core_count_effects(request, EFFECT_MAIL_MEETING_ANSWERED), 0);
	CU_ASSERT_EQUAL(core_count_effects(request, EFFECT_MAIL_LETTER), 0);
	reply.digest = "another";
	CU_ASSERT_EQUAL(reply_apply(&cause, request, &reply, &changed, NULL), ERR_NOT_FOUND);
	reply.party = PARTY_LAWYER;
	CU_ASSERT_EQUAL(reply_apply(&cause, request, &reply, &changed, NULL), ERR_FORBIDDEN);
	arena_free(&arena);
}

static const struct unit_case cases[] = {
	{"addresses", test_addresses},
	{"patterns", test_patterns},
	{"answers", test_answers},
	{"versions", test_versions},
	{"no answers", test_no_answers},
	{"order", test_order},
	{"letters", test_letters},
	{"bounces", test_bounces},
	{"erased", test_erased},
};

UNIT_MAIN("reply", cases)
