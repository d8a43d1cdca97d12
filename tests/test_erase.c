#include "erase.h"

#include "core_unit.h"

#define NAME  "Zoe Quasten"
#define EMAIL "zoe.quasten@home.test"
#define WORDS "As agreed with Zoe Quasten <zoe.quasten@home.test>."

static const struct failure erase_failure = {.code = "permanent", .detail = WORDS};

static struct failure *erase_failure_new(struct arena *arena)
{
	struct failure *failure = arena_alloc(arena, sizeof(*failure));

	*failure = erase_failure;
	return failure;
}

/* The request in a state, with that name and address wherever they can be. */
static struct request *erase_request(struct arena *arena, enum core_state state, enum party party)
{
	struct request *request = core_in_state(arena, state);
	struct cause cause = core_system(arena, CORE_NOW);
	struct person **person = party == PARTY_CLIENT ? &request->side[PARTY_CLIENT].person
						       : &request->side[PARTY_LAWYER].person;
	struct person *copy = arena_alloc(arena, sizeof(*copy));

	*copy = **person;
	copy->name = NAME;
	copy->email = EMAIL;
	*person = copy;
	request->title = request->description = request->message = WORDS;
	if (request->meeting) {
		request->meeting->change_reason = request->meeting->ended_reason = WORDS;
		request->meeting->last_error = erase_failure_new(arena);
		*(struct meeting *)model_list_add(
			arena, &request->meetings, sizeof(struct meeting)) = *request->meeting;
		request->meeting->last_error = erase_failure_new(arena);
	}
	MODEL_FOREACH (&request->effects, struct effect, effect) {
		effect->last_error = erase_failure_new(arena);
	}
	request_answer_keep(&cause, request,
		&(struct request_answer){
			.key = "k", .input = "i", .reply = WORDS, .until = CORE_NOW + 1});
	return request;
}

static bool erase_traced(struct arena *arena, const struct request *request)
{
	const char *saved = core_saved(arena, request);

	return strstr(saved, "Zoe") || strstr(saved, "zoe.") || strstr(saved, "uasten");
}

static struct cause erase_cause(struct arena *arena)
{
	return core_cause(arena, CORE_NOW + 9, ROLE_ADMIN, "admin-1");
}

static void test_erase_leaves_no_trace_in_any_state(void)
{
	static const struct person *people[] = {&core_client, &core_lawyer};
	struct arena *arena = arena_new();
	int state, party;

	for (state = 0; state < CORE_STATES; state++)
		for (party = PARTY_CLIENT; party <= PARTY_LAWYER; party++) {
			struct request *request = erase_request(arena, state, party);
			const struct person *person = request->side[party].person;
			const struct person *other = request->side[!party].person;
			const char *kept = core_stored(arena, &audit_event_model,
				MODEL_AT(&request->events, struct audit_event, 0));
			struct cause cause = erase_cause(arena);
			const int status = request->status;

			CU_ASSERT(erase_traced(arena, request));
			CU_ASSERT_FALSE(erase_is_done(person));
			CU_ASSERT(erase_person(&cause, request, people[party]->id));
			CU_ASSERT_FALSE(erase_traced(arena, request));
			person = request->side[party].person;
			CU_ASSERT(erase_is_done(person));
			CU_ASSERT_STRING_EQUAL(person->id, people[party]->id);
			CU_ASSERT_STRING_EQUAL(person->name, "Erased person");
			CU_ASSERT_STRING_EQUAL(request->title, "Erased");
			CU_ASSERT_PTR_NULL(person->timezone);
			CU_ASSERT_PTR_NULL(person->locale);
			CU_ASSERT_FALSE(erase_is_done(other));
			CU_ASSERT_STRING_EQUAL(other->name, people[!party]->name);
			CU_ASSERT_PTR_NULL(request->side[party].news);
			CU_ASSERT_EQUAL(request->answers.count, 0);
			CU_ASSERT_EQUAL(request->status, status);
			CU_ASSERT_EQUAL(request->updated_at, CORE_NOW + 9);
			CU_ASSERT_EQUAL(audit_verify(NULL, &request->events, request->id), -1);
			CU_ASSERT_STRING_EQUAL(
				kept, core_stored(arena, &audit_event_model,
					      MODEL_AT(&request->events, struct audit_event, 0)));
		}
	arena_free(&arena);
}

static void test_erase_names_the_person_by_id_and_role(void)
{
	struct arena *arena = arena_new();
	struct request *request = erase_request(arena, CORE_READY, PARTY_LAWYER);
	struct cause cause = erase_cause(arena);
	const struct audit_event *event;

	CU_ASSERT(erase_person(&cause, request, core_lawyer.id));
	event = core_last_event(request);
	CU_ASSERT_STRING_EQUAL(event->action, "person.erased");
	CU_ASSERT_PTR_NULL(event->from);
	CU_ASSERT_STRING_EQUAL(event->to, "lawyer");
	CU_ASSERT_STRING_EQUAL(event->detail, "lawyer-1");
	CU_ASSERT_STRING_EQUAL(event->actor->id, "admin-1");
	arena_free(&arena);
}

static void test_erase_drops_that_persons_mails_only(void)
{
	struct arena *arena = arena_new();
	struct request *request = erase_request(arena, CORE_READY, PARTY_CLIENT);
	struct cause cause = erase_cause(arena);

	CU_ASSERT_PTR_NOT_NULL(core_effect(request, EFFECT_MAIL_MEETING_READY, PARTY_CLIENT));
	CU_ASSERT(erase_person(&cause, request, core_client.id));
	CU_ASSERT_PTR_NULL(core_effect(request, EFFECT_MAIL_MEETING_READY, PARTY_CLIENT));
	CU_ASSERT_PTR_NOT_NULL(core_effect(request, EFFECT_MAIL_MEETING_READY, PARTY_LAWYER));
	/* Effects that are no mails are nobody's, and PARTY_CLIENT is 0. */
	CU_ASSERT_PTR_NOT_NULL(core_effect(request, EFFECT_MEETING_EXPIRE, PARTY_CLIENT));
	CU_ASSERT_EQUAL(core_count_events(request, "mail.discarded"), 1);
	arena_free(&arena);
}

/* Owes the provider an update with the new title, whose settling is news to nobody. */
static void erase_at_zoom(struct arena *arena, struct request *request)
{
	const struct effect_outcome outcome = {.err = ERR_OK};
	const int64_t sequence = request->meeting->sequence;
	struct cause cause = erase_cause(arena);
	struct effect *update;

	CU_ASSERT(erase_person(&cause, request, core_client.id));
	if (request->meeting->status == MEETING_PENDING)
		provision_created(&cause, request, core_creation(request), &outcome, &core_link);
	CU_ASSERT_EQUAL_FATAL(core_count_effects(request, EFFECT_MEETING_UPDATE), 1);
	update = meeting_effect(request, EFFECT_MEETING_UPDATE);
	CU_ASSERT_EQUAL(update->due, CORE_NOW + 9);
	CU_ASSERT_EQUAL(effect_check_wanted(request, update, CORE_NOW + 9, NULL), ERR_OK);
	provision_updated(&cause, request, update, &outcome, &core_link);
	CU_ASSERT_EQUAL(core_count_effects(request, EFFECT_MEETING_UPDATE), 0);
	CU_ASSERT_EQUAL(core_count_effects(request, EFFECT_MAIL_MEETING_UPDATED), 0);
	CU_ASSERT_EQUAL(core_count_effects(request, EFFECT_MAIL_MEETING_READY), 1);
	CU_ASSERT_PTR_NOT_NULL(core_effect(request, EFFECT_MAIL_MEETING_READY, PARTY_LAWYER));
	CU_ASSERT_EQUAL(request->meeting->sequence, sequence);

	/* The title goes but once. */
	request->message = WORDS;
	CU_ASSERT(erase_person(&cause, request, core_client.id));
	CU_ASSERT(erase_person(&cause, request, core_lawyer.id));
	CU_ASSERT_EQUAL(core_count_effects(request, EFFECT_MEETING_UPDATE), 0);
}

static void test_erase_reaches_the_provider(void)
{
	struct arena *arena = arena_new();
	struct request *request = core_at_zoom(arena);
	struct cause cause;

	erase_at_zoom(arena, request);

	/* An update that was given up, and one that is under way with the old title. */
	request = core_at_zoom(arena);
	core_move(arena, request, CORE_NOW, CORE_START + INSTANT_HOUR);
	meeting_effect(request, EFFECT_MEETING_UPDATE)->state = EFFECT_FAILED;
	erase_at_zoom(arena, request);
	request = core_at_zoom(arena);
	core_move(arena, request, CORE_NOW, CORE_START + INSTANT_HOUR);
	core_claim(request, CORE_NOW, "theirs", EFFECT_LEASE_MS);
	cause = erase_cause(arena);
	CU_ASSERT(erase_person(&cause, request, core_client.id));
	CU_ASSERT_EQUAL(core_count_effects(request, EFFECT_MEETING_UPDATE), 2);
	arena_free(&arena);
}

/* It may be made with the old title after that has been erased here. */
static void test_erase_reaches_what_is_being_made(void)
{
	struct arena *arena = arena_new();
	struct request *request = core_in_state(arena, CORE_PENDING);

	core_claim(request, CORE_NOW, "ours", EFFECT_LEASE_MS);
	erase_at_zoom(arena, request);
	arena_free(&arena);
}

/* An update is for what lives, at a provider that can be told. */
static void test_erase_updates_nothing_else(void)
{
	struct arena *arena = arena_new();
	int state;

	for (state = 0; state < CORE_STATES; state++) {
		struct request *request = erase_request(arena, state, PARTY_CLIENT);
		struct cause cause = erase_cause(arena);

		CU_ASSERT(erase_person(&cause, request, core_client.id));
		UNIT_CHECK(core_count_effects(request, EFFECT_MEETING_UPDATE) == 0,
			request_status_names[request->status]);
	}
	for (state = 0; state < 2; state++) {
		struct request *request = core_at_zoom(arena);
		struct cause cause = erase_cause(arena);

		if (state == 0)
			core_cancel(arena, request, CORE_NOW);
		else
			cause.now = CORE_END;
		CU_ASSERT(erase_person(&cause, request, core_client.id));
		CU_ASSERT_EQUAL(core_count_effects(request, EFFECT_MEETING_UPDATE), 0);
	}
	arena_free(&arena);
}

static void test_erase_twice_is_once(void)
{
	struct arena *arena = arena_new();
	int state;

	for (state = 0; state < CORE_STATES; state++) {
		struct request *request = erase_request(arena, state, PARTY_CLIENT);
		struct cause cause = erase_cause(arena);
		const char *saved;

		CU_ASSERT(erase_person(&cause, request, core_client.id));
		saved = core_saved(arena, request);
		CU_ASSERT_FALSE(erase_person(&cause, request, core_client.id));
		CU_ASSERT_STRING_EQUAL(core_saved(arena, request), saved);
		/* What was written since goes the next time. */
		request->message = WORDS;
		CU_ASSERT(erase_person(&cause, request, core_client.id));
		CU_ASSERT_FALSE(erase_traced(arena, request));
		CU_ASSERT_EQUAL(core_count_events(request, "person.erased"), 2);
	}
	arena_free(&arena);
}

static void test_erase_somebody_else_changes_nothing(void)
{
	static const char *const ids[] = {"", "client-", "client-11", "CLIENT-1", "admin-1"};
	struct arena *arena = arena_new();
	struct request *request = erase_request(arena, CORE_READY, PARTY_CLIENT);
	const char *saved = core_saved(arena, request);
	struct cause cause = erase_cause(arena);
	size_t i;

	for (i = 0; i < sizeof(ids) / sizeof(ids[0]); i++)
		CU_ASSERT_FALSE(erase_person(&cause, request, ids[i]));
	CU_ASSERT_STRING_EQUAL(core_saved(arena, request), saved);
	arena_free(&arena);
}

static void test_erase_two_people_stay_two(void)
{
	struct arena *arena = arena_new();
	struct request *request = erase_request(arena, CORE_READY, PARTY_CLIENT);
	struct request *other = erase_request(arena, CORE_OPEN, PARTY_CLIENT);
	struct cause cause = erase_cause(arena);

	CU_ASSERT(erase_person(&cause, request, core_client.id));
	CU_ASSERT(erase_person(&cause, request, core_lawyer.id));
	CU_ASSERT(erase_person(&cause, other, core_client.id));
	CU_ASSERT_STRING_NOT_EQUAL(request->side[PARTY_CLIENT].person->email,
		request->side[PARTY_LAWYER].person->email);
	CU_ASSERT_STRING_EQUAL(
		request->side[PARTY_CLIENT].person->email, other->side[PARTY_CLIENT].person->email);
	arena_free(&arena);
}

/* Later changes owe mails to the other one only. */
static void test_erase_leaves_nobody_to_be_told(void)
{
	struct arena *arena = arena_new();
	struct request *request;
	struct cause cause;
	bool changed;
	int state;

	for (state = CORE_PENDING; state <= CORE_READY; state++) {
		request = erase_request(arena, state, PARTY_CLIENT);
		cause = erase_cause(arena);
		CU_ASSERT(erase_person(&cause, request, core_client.id));
		if (state == CORE_PENDING)
			core_settle_creation(arena, request, CORE_NOW, ERR_OK);
		core_settle_mail(arena, request,
			core_effect(request, EFFECT_MAIL_MEETING_READY, PARTY_LAWYER), CORE_NOW,
			ERR_OK, "");
		CU_ASSERT_EQUAL(core_cancel(arena, request, CORE_NOW), ERR_OK);
		CU_ASSERT_PTR_NOT_NULL(
			core_effect(request, EFFECT_MAIL_MEETING_CANCELLED, PARTY_LAWYER));
		MODEL_FOREACH (&request->effects, struct effect, effect) {
			CU_ASSERT(effect->kind == EFFECT_MEETING_DELETE ||
				  effect->mail->party == PARTY_LAWYER);
		}
	}
	request = erase_request(arena, CORE_OPEN, PARTY_CLIENT);
	cause = erase_cause(arena);
	CU_ASSERT(erase_person(&cause, request, core_client.id));
	CU_ASSERT_EQUAL(core_respond(arena, request, CORE_NOW, &core_decline, &changed), ERR_OK);
	CU_ASSERT_EQUAL(request->effects.count, 0);
	arena_free(&arena);
}

/* An order that is carried out twice finds what it has done, not what it would do. */
static void test_erase_was_done_since(void)
{
	struct arena *arena = arena_new();
	struct request *request = erase_request(arena, CORE_OPEN, PARTY_CLIENT);
	struct cause cause = erase_cause(arena);
	const char *id = core_client.id;

	CU_ASSERT_FALSE(erase_was_done(request, id, 0));
	CU_ASSERT(erase_person(&cause, request, id));
	CU_ASSERT(erase_was_done(request, id, cause.now));
	CU_ASSERT_FALSE(erase_was_done(request, id, cause.now + 1));
	CU_ASSERT_FALSE(erase_was_done(request, core_lawyer.id, cause.now));
	arena_free(&arena);
}

static void test_erase_is_done_for_our_own_address_only(void)
{
	static const struct {
		const char *email;
		bool done;
	} rows[] = {
		{"erased-AAECAwQFBgcICQoLDA0ODw@erased.invalid", true},
		{"@erased.invalid", false},
		{"ada@client.test", false},
		{"ada@erased.invalid.test", false},
		{"ada@not-erased.invalid", false},
		{"a@b", false},
		{"", false},
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct person person = {.email = rows[i].email};

		UNIT_CHECK(erase_is_done(&person) == rows[i].done, rows[i].email);
	}
}

static const struct unit_case cases[] = {
	{"leaves no trace in any state", test_erase_leaves_no_trace_in_any_state},
	{"names the person by id and role", test_erase_names_the_person_by_id_and_role},
	{"drops that person's mails only", test_erase_drops_that_persons_mails_only},
	{"reaches the provider", test_erase_reaches_the_provider},
	{"reaches what is being made", test_erase_reaches_what_is_being_made},
	{"updates nothing else", test_erase_updates_nothing_else},
	{"twice is once", test_erase_twice_is_once},
	{"somebody else changes nothing", test_erase_somebody_else_changes_nothing},
	{"two people stay two", test_erase_two_people_stay_two},
	{"leaves nobody to be told", test_erase_leaves_nobody_to_be_told},
	{"was done since", test_erase_was_done_since},
	{"is done for our own address only", test_erase_is_done_for_our_own_address_only},
};

UNIT_MAIN("erase", cases)
