#include "core_unit.h"

static const struct audit_head none;

/* Created, accepted, requested, failed once, ready, one invitation sent, cancelled. */
static struct request *audit_request(struct arena *arena)
{
	struct request *request = core_in_state(arena, CORE_PENDING);

	core_settle_creation(arena, request, CORE_NOW + 1, ERR_TEMPORARY);
	core_settle_creation(arena, request, CORE_NOW + 2, ERR_OK);
	core_settle_mail(arena, request,
		core_effect(request, EFFECT_MAIL_MEETING_READY, PARTY_CLIENT), CORE_NOW + 3, ERR_OK,
		"");
	core_cancel(arena, request, CORE_NOW + 4);
	return request;
}

static long audit_first_broken(const struct request *request)
{
	return audit_verify(NULL, &request->events, request->id);
}

static struct audit_event *audit_at(const struct request *request, size_t index)
{
	return MODEL_AT(&request->events, struct audit_event, index);
}

static void test_audit_chain_is_whole_in_every_state(void)
{
	struct arena *arena = arena_new();
	int state;

	for (state = 0; state < CORE_STATES; state++)
		CU_ASSERT_EQUAL(audit_first_broken(core_in_state(arena, state)), -1);
	CU_ASSERT_EQUAL(audit_first_broken(audit_request(arena)), -1);
	arena_free(&arena);
}

static void audit_check_same(const char *a, const char *b)
{
	CU_ASSERT(a && b ? strcmp(a, b) == 0 : a == b);
}

static void test_audit_events_tell_the_story(void)
{
	static const struct {
		const char *action, *from, *to, *detail;
		const char *actor;
		enum role role;
		enum source source;
		int64_t after;
		bool meeting;
	} story[] = {
		{"request.created", NULL, "open", NULL, "client-1", ROLE_CLIENT, SOURCE_API, 0, 0},
		{"request.accepted", "open", "accepted", NULL, "lawyer-1", ROLE_LAWYER, SOURCE_API,
			0, 0},
		{"meeting.requested", NULL, "pending", "jitsi", "lawyer-1", ROLE_LAWYER, SOURCE_API,
			0, 1},
		{"provider.attempt_failed", NULL, NULL, "jitsi: temporary: The provider is away.",
			NULL, ROLE_SYSTEM, SOURCE_DISPATCHER, 1, 1},
		{"meeting.ready", "pending", "ready", "jitsi", NULL, ROLE_SYSTEM, SOURCE_DISPATCHER,
			2, 1},
		{"mail.sent", NULL, "client", "meeting_ready", NULL, ROLE_SYSTEM, SOURCE_DISPATCHER,
			3, 1},
		{"request.cancelled", "accepted", "cancelled", NULL, "client-1", ROLE_CLIENT,
			SOURCE_API, 4, 1},
		{"meeting.cancelled", "ready", "cancelled", NULL, "client-1", ROLE_CLIENT,
			SOURCE_API, 4, 1},
	};
	const size_t count = sizeof(story) / sizeof(story[0]);
	struct arena *arena = arena_new();
	const struct request *request = audit_request(arena);
	size_t i;

	CU_ASSERT_EQUAL_FATAL(request->events.count, count);
	for (i = 0; i < count; i++) {
		const struct audit_event *event = audit_at(request, i);

		CU_ASSERT_STRING_EQUAL(event->action, story[i].action);
		audit_check_same(event->from, story[i].from);
		audit_check_same(event->to, story[i].to);
		audit_check_same(event->detail, story[i].detail);
		audit_check_same(event->actor->id, story[i].actor);
		CU_ASSERT_EQUAL(event->actor->role, story[i].role);
		CU_ASSERT_EQUAL(event->source, (int)story[i].source);
		CU_ASSERT_EQUAL(event->at, CORE_NOW + story[i].after);
		CU_ASSERT_STRING_EQUAL(event->request_id, CORE_ID);
		audit_check_same(event->meeting_id, story[i].meeting ? request->meeting->id : NULL);
		audit_check_same(event->trace_id, story[i].source == SOURCE_API ? "trace-1" : NULL);
		CU_ASSERT_EQUAL(strlen(event->hash), 64);
	}
	arena_free(&arena);
}

/* Changes a stored field to another value of its type. */
static void audit_flip(struct arena *arena, const struct model_field *field, void *at)
{
	const char **text = at;
	int names = 0;

	switch (field->type) {
	case MODEL_STRING:
		*text = *text ? arena_printf(arena, "%s ", *text) : "x";
		break;
	case MODEL_INSTANT:
		*(int64_t *)at += 1;
		break;
	case MODEL_ENUM:
		while (field->names[names])
			names++;
		*(int *)at = (*(int *)at + 1) % names;
		break;
	default:
		CU_FAIL_FATAL("an event has a field of a type that this test does not know");
	}
}

static void audit_check_flips(const struct model *model, bool of_actor)
{
	const struct model_field *field;
	struct arena *arena = arena_new();
	struct request *request = audit_request(arena);
	size_t i;

	for (i = 0; i < request->events.count; i++)
		for (field = model->fields; field < model->fields + model->field_count; field++) {
			struct audit_event *event = audit_at(request, i);
			const struct audit_event event_before = *event;
			struct actor actor_before = *event->actor;

			if (field->type == MODEL_OBJECT)
				continue;
			audit_flip(arena, field,
				(of_actor ? (char *)event->actor : (char *)event) + field->offset);
			if (audit_first_broken(request) != (long)i)
				printf("event %zu: %s\n", i, field->name);
			CU_ASSERT_EQUAL(audit_first_broken(request), (long)i);
			*event = event_before;
			*event->actor = actor_before;
			CU_ASSERT_EQUAL(audit_first_broken(request), -1);
		}
	arena_free(&arena);
}

static void test_audit_any_flipped_field_is_found(void)
{
	audit_check_flips(&audit_event_model, false);
	audit_check_flips(&audit_actor_model, true);
}

static void test_audit_text_moved_between_fields_is_found(void)
{
	struct arena *arena = arena_new();
	struct request *request = audit_request(arena);
	struct audit_event *event = audit_at(request, 1);

	event->from = "ope";
	event->to = "naccepted";
	CU_ASSERT_EQUAL(audit_first_broken(request), 1);
	arena_free(&arena);
}

static void test_audit_absent_fields_are_found(void)
{
	static const size_t offsets[] = {offsetof(struct audit_event, id),
		offsetof(struct audit_event, actor), offsetof(struct audit_event, action),
		offsetof(struct audit_event, request_id), offsetof(struct audit_event, hash)};
	struct arena *arena = arena_new();
	size_t i;

	for (i = 0; i < sizeof(offsets) / sizeof(offsets[0]); i++) {
		struct request *request = audit_request(arena);

		*(void **)((char *)audit_at(request, 2) + offsets[i]) = NULL;
		CU_ASSERT_EQUAL(audit_first_broken(request), 2);
	}
	arena_free(&arena);
}

static void test_audit_order_matters(void)
{
	struct arena *arena = arena_new();
	struct request *request;
	struct audit_event swapped;
	size_t i, count = audit_request(arena)->events.count;

	for (i = 0; i + 1 < count; i++) {
		request = audit_request(arena);
		model_list_remove(&request->events, sizeof(swapped), i);
		CU_ASSERT_EQUAL(audit_first_broken(request), (long)i);
		request = audit_request(arena);
		swapped = *audit_at(request, i);
		*audit_at(request, i) = *audit_at(request, i + 1);
		*audit_at(request, i + 1) = swapped;
		CU_ASSERT_EQUAL(audit_first_broken(request), (long)i);
		request = audit_request(arena);
		swapped = *audit_at(request, i);
		*(struct audit_event *)model_list_add(arena, &request->events, sizeof(swapped)) =
			swapped;
		CU_ASSERT_EQUAL(audit_first_broken(request), (long)count);
	}
	arena_free(&arena);
}

static void test_audit_chain_of_another_request_is_found(void)
{
	struct arena *arena = arena_new();
	struct request *request = audit_request(arena), *other = audit_request(arena);

	other->id = "EBESExQVFhcYGRobHB0eHw";
	other->events = request->events;
	CU_ASSERT_EQUAL(audit_first_broken(other), 0);
	arena_free(&arena);
}

/* What people and servers wrote may hold a name or an address, and the chain is for ever. */
static void test_audit_repeats_nobody(void)
{
	static const char words[] = "<ada@client.test> is unknown to Bo";
	struct arena *arena = arena_new();
	const enum err errs[] = {ERR_TEMPORARY, ERR_PERMANENT};
	size_t i;

	for (i = 0; i < 2; i++) {
		struct request *request = core_open(arena);
		const struct request_response accept = {.message = words};
		const struct request_cancellation cancellation = {.reason = words};
		const struct effect_outcome outcome = {.err = errs[i], .detail = words};
		struct cause cause = core_system(arena, CORE_NOW);
		bool changed;

		core_respond(arena, request, CORE_NOW, &accept, &changed);
		provision_created(&cause, request, core_creation(request), &outcome, NULL);
		request->meeting->status = MEETING_PENDING;
		core_settle_creation(arena, request, CORE_NOW, ERR_OK);
		core_settle_mail(arena, request,
			core_effect(request, EFFECT_MAIL_MEETING_READY, PARTY_CLIENT), CORE_NOW,
			errs[i], words);
		CU_ASSERT_EQUAL(request_cancel(&cause, request, &cancellation, &(bool){true}, NULL),
			ERR_OK);
		MODEL_FOREACH (&request->events, struct audit_event, event) {
			CU_ASSERT_PTR_NULL(event->detail ? strstr(event->detail, words) : NULL);
		}
		CU_ASSERT_STRING_EQUAL(request->meeting->ended_reason, words);
	}
	arena_free(&arena);
}

/* A long trail takes what repeats itself once an hour, and everything else. */
static void test_audit_long_trails_grow_slowly(void)
{
	static const struct {
		const char *name, *action, *from, *to, *detail;
		int64_t after;
		bool added;
	} cases[] = {
		{"at once", "provider.attempt_failed", NULL, NULL, "zoom: temporary", 0, false},
		{"59 minutes later", "provider.attempt_failed", NULL, NULL, "zoom: temporary",
			INSTANT_HOUR - INSTANT_MINUTE, false},
		{"an hour later", "provider.attempt_failed", NULL, NULL, "zoom: temporary",
			INSTANT_HOUR, true},
		{"another detail", "provider.attempt_failed", NULL, NULL, "zoom: credential",
			INSTANT_HOUR, true},
		{"another action", "mail.retried", NULL, NULL, "zoom: temporary", INSTANT_HOUR,
			true},
		{"another status", "mail.retried", NULL, "client", "zoom: temporary", INSTANT_HOUR,
			true},
	};
	struct arena *arena = arena_new();
	struct request *request = audit_request(arena);
	struct cause cause = core_system(arena, CORE_END);
	size_t i;

	while (request->events.count < 1000)
		CU_ASSERT_TRUE(audit_add_bounded(
			&cause, request, "provider.attempt_failed", NULL, NULL, "zoom: temporary"));
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const size_t before = request->events.count;

		cause.now = CORE_END + cases[i].after;
		UNIT_CHECK(audit_add_bounded(&cause, request, cases[i].action, cases[i].from,
				   cases[i].to, cases[i].detail) == cases[i].added,
			cases[i].name);
		UNIT_CHECK(request->events.count == before + cases[i].added, cases[i].name);
	}
	cause.actor = (struct actor){.id = "somebody", .role = ROLE_LAWYER};
	CU_ASSERT_TRUE(audit_add_bounded(
		&cause, request, "mail.retried", NULL, "client", "zoom: temporary"));
	CU_ASSERT_EQUAL(audit_verify(NULL, &request->events, request->id), -1);
	arena_free(&arena);
}

static void test_audit_null_is_not_empty(void)
{
	static const size_t offsets[] = {offsetof(struct audit_event, from),
		offsetof(struct audit_event, to), offsetof(struct audit_event, detail),
		offsetof(struct audit_event, meeting_id), offsetof(struct audit_event, trace_id)};
	struct arena *arena = arena_new();
	struct request *request = audit_request(arena);
	size_t i, count = 0;

	for (i = 0; i < 5; i++)
		MODEL_FOREACH (&request->events, struct audit_event, event) {
			const char **text = (const char **)((char *)event + offsets[i]);

			if (*text)
				continue;
			*text = "";
			CU_ASSERT(audit_verify(NULL, &request->events, request->id) >= 0);
			*text = NULL;
			count++;
		}
	CU_ASSERT(count > 10);
	CU_ASSERT_EQUAL(audit_verify(NULL, &request->events, request->id), -1);
	arena_free(&arena);
}

static struct audit_trail audit_sealed(struct arena *arena)
{
	const struct request *request = audit_request(arena);
	struct audit_trail trail = {.id = request->id, .events = request->events};

	audit_seal(arena, &none, &trail.events, true, &trail.audit_seal);
	return trail;
}

static int64_t audit_last(const struct audit_trail *trail)
{
	return MODEL_AT(&trail->events, struct audit_event, trail->events.count - 1)->at;
}

static long audit_flaw_at(const struct audit_trail *trail)
{
	long index = -2;

	return audit_flaw(trail, &index) ? index : -1;
}

static void test_audit_seal_holds_the_end(void)
{
	struct arena *arena = arena_new();
	struct audit_trail trail = audit_sealed(arena);
	const long count = (long)trail.events.count;
	struct audit_event *last = MODEL_AT(&trail.events, struct audit_event, count - 1);
	const char *hash = last->hash;

	CU_ASSERT_EQUAL(audit_flaw_at(&trail), -1);
	CU_ASSERT_STRING_EQUAL(trail.audit_seal,
		arena_printf(arena, "%ld %s %lld", count, hash, (long long)audit_last(&trail)));
	trail.events.count--;
	CU_ASSERT_EQUAL(audit_flaw_at(&trail), count - 1);
	trail.events.count = 0;
	CU_ASSERT_EQUAL(audit_flaw_at(&trail), 0);
	trail.events.count = (size_t)count;
	trail.audit_seal = NULL;
	CU_ASSERT_EQUAL(audit_flaw_at(&trail), count);
	trail.audit_seal = arena_printf(arena, "%ld %064d", count, 0);
	CU_ASSERT_EQUAL(audit_flaw_at(&trail), count);
	trail.audit_seal = arena_printf(arena, "%ld%s", count, hash);
	CU_ASSERT_EQUAL(audit_flaw_at(&trail), count);
	arena_free(&arena);
}

static void test_audit_flaw_of_what_cannot_be_read(void)
{
	struct arena *arena = arena_new();
	struct audit_trail trail = audit_sealed(arena);
	const long count = (long)trail.events.count;

	trail.unreadable = "An event cannot be read.";
	CU_ASSERT_EQUAL(audit_flaw_at(&trail), count - 1);
	MODEL_AT(&trail.events, struct audit_event, 1)->action = NULL;
	CU_ASSERT_EQUAL(audit_flaw_at(&trail), 1);
	trail.events.count = 0;
	CU_ASSERT_EQUAL(audit_flaw_at(&trail), 0);
	arena_free(&arena);
}

/* What is added to a trail of which only the seal was read, and what of it is noticed. */
static void test_audit_goes_on_from_its_seal(void)
{
	static const struct {
		const char *name;
		size_t cut; /* events taken from the stored trail before */
		bool whole;
	} cases[] = {
		{"as sealed", 0, true}, {"the end was cut", 1, false}, {"more of it", 2, false}};
	struct arena *arena = arena_new();
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct audit_trail trail = audit_sealed(arena);
		struct model_list added = {0};
		struct audit_subject subject = {.events = &added, .request_id = trail.id};
		const int64_t last = audit_last(&trail);
		struct cause cause = core_system(arena, last - 1);
		long index;

		CU_ASSERT_TRUE(audit_head_read(arena, trail.audit_seal, &subject.before));
		CU_ASSERT_EQUAL(subject.before.count, (int64_t)trail.events.count);
		audit_append(&cause, &subject, "meeting.link_used", NULL, NULL, NULL);
		audit_append(&cause, &subject, "meeting.link_used", NULL, NULL, NULL);
		audit_seal_end(arena, &subject.before, &added, &trail.audit_seal);
		CU_ASSERT_EQUAL(MODEL_AT(&added, struct audit_event, 0)->at, last);
		trail.events.count -= cases[i].cut;
		MODEL_FOREACH (&added, struct audit_event, event) {
			*(struct audit_event *)model_list_add(
				arena, &trail.events, sizeof(*event)) = *event;
		}
		UNIT_CHECK(!audit_flaw(&trail, &index) == cases[i].whole, cases[i].name);
	}
	arena_free(&arena);
}

/* Who can write events but has no key may chain them rightly: they are not sealed by who comes
 * next. */
static void test_audit_what_was_loaded_beside_its_seal(void)
{
	struct arena *arena = arena_new();
	struct audit_trail trail = audit_sealed(arena);
	const struct audit_subject subject = {.events = &trail.events, .request_id = trail.id};
	struct cause cause = core_system(arena, CORE_NOW);
	const char *seal = trail.audit_seal;

	audit_seal_loaded(arena, &none, &trail.events, &trail.audit_seal);
	CU_ASSERT_PTR_EQUAL(trail.audit_seal, seal);
	audit_append(&cause, &subject, "meeting.link_used", NULL, NULL, NULL);
	CU_ASSERT_EQUAL(audit_verify(NULL, &trail.events, trail.id), -1);
	audit_seal_loaded(arena, &none, &trail.events, &trail.audit_seal);
	seal = trail.audit_seal;
	audit_append(&cause, &subject, "request.cancelled", NULL, NULL, NULL);
	audit_seal(arena, &none, &trail.events, false, &trail.audit_seal);
	CU_ASSERT_PTR_EQUAL(trail.audit_seal, seal);
	CU_ASSERT_EQUAL(audit_flaw_at(&trail), (long)trail.events.count);
	audit_seal_loaded(arena, &none, &trail.events, &trail.audit_seal);
	CU_ASSERT_PTR_EQUAL(trail.audit_seal, seal);
	trail.audit_seal = NULL;
	audit_seal_loaded(arena, &none, &trail.events, &trail.audit_seal);
	CU_ASSERT_PTR_NULL(trail.audit_seal);
	arena_free(&arena);
}

static void test_audit_heads_that_are_none(void)
{
	static const char *const seals[] = {NULL, "", "0 ", "x", "unfit: 3", "3", "3 short 5",
		"3 0123456789012345678901234567890123456789012345678901234567890123",
		"3 0123456789012345678901234567890123456789012345678901234567890123 0"};
	struct arena *arena = arena_new();
	struct audit_head head;
	size_t i;

	for (i = 0; i < sizeof(seals) / sizeof(seals[0]); i++)
		CU_ASSERT_FALSE(audit_head_read(arena, seals[i], &head));
	arena_free(&arena);
}

/* A seal follows its trail, and never one that is not what it was. */
static void test_audit_seal_is_renewed_for_a_whole_trail_only(void)
{
	struct arena *arena = arena_new();
	struct audit_trail trail;
	const char *before;
	int i;

	for (i = 0; i < 5; i++) {
		struct cause cause = core_system(arena, CORE_NOW);
		const struct audit_subject subject = {
			.events = &trail.events, .request_id = CORE_ID};

		trail = audit_sealed(arena);
		before = trail.audit_seal;
		if (i == 1)
			trail.events.count--;
		if (i == 2)
			trail.events.count = 0;
		if (i == 3)
			MODEL_AT(&trail.events, struct audit_event, trail.events.count - 1)->hash =
				"x";
		if (i == 4)
			trail.audit_seal = before = NULL;
		audit_append(&cause, &subject, "mail.sent", NULL, NULL, NULL);
		audit_seal(arena, &none, &trail.events, false, &trail.audit_seal);
		CU_ASSERT_EQUAL(audit_flaw_at(&trail) < 0, i == 0);
		CU_ASSERT_EQUAL(trail.audit_seal == before, i != 0);
	}
	/* Nothing has happened yet. */
	trail = (struct audit_trail){.id = CORE_ID};
	audit_seal(arena, &none, &trail.events, true, &trail.audit_seal);
	CU_ASSERT_EQUAL(audit_flaw_at(&trail), -1);
	CU_ASSERT_STRING_EQUAL(trail.audit_seal, "0 ");
	arena_free(&arena);
}

/* ---- archives ---- */

static void audit_grow(struct arena *arena, struct model_list *events,
	const struct audit_head *archived, size_t count)
{
	const struct audit_subject subject = {
		.events = events, .before = archived ? *archived : none, .request_id = CORE_ID};
	struct cause cause = core_system(arena, CORE_NOW);

	while (events->count < count)
		audit_append(&cause, &subject, "mail.sent", NULL, NULL, NULL);
}

static void audit_join(struct arena *arena, const struct model_list *from, struct model_list *to)
{
	MODEL_FOREACH (from, struct audit_event, event) {
		*(struct audit_event *)model_list_add(arena, to, sizeof(*event)) = *event;
	}
}

static void test_audit_archives_what_is_old(void)
{
	static const struct {
		size_t events;
		int parts;
	} cases[] = {{0, 0}, {AUDIT_KEPT, 0}, {AUDIT_KEPT + AUDIT_PART - 1, 0},
		{AUDIT_KEPT + AUDIT_PART, 1}, {AUDIT_KEPT + 2 * AUDIT_PART - 1, 1},
		{5000, (5000 - AUDIT_KEPT) / AUDIT_PART}};
	struct arena *arena = arena_new();
	struct audit_part part;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct model_list events = {0}, whole = {0};
		struct audit_head *archived = NULL;
		const char *seal = NULL;
		int parts = 0;

		audit_grow(arena, &events, NULL, cases[i].events);
		audit_seal(arena, &none, &events, true, &seal);
		for (; audit_archive(arena, CORE_ID, &archived, &events, &part); parts++) {
			CU_ASSERT_STRING_EQUAL(
				part.id, arena_printf(arena, CORE_ID "/%09d", parts * AUDIT_PART));
			CU_ASSERT_EQUAL(part.events.count, AUDIT_PART);
			CU_ASSERT_EQUAL(audit_verify(part.before, &part.events, CORE_ID), -1);
			audit_seal_loaded(arena, part.before ? part.before : &none, &part.events,
				&part.audit_seal);
			CU_ASSERT_TRUE(audit_seal_fits(part.audit_seal));
			audit_join(arena, &part.events, &whole);
		}
		CU_ASSERT_EQUAL(parts, cases[i].parts);
		CU_ASSERT_EQUAL(archived ? archived->count : 0, parts * AUDIT_PART);
		/* What stays follows from what has left, and the seal still fits both. */
		CU_ASSERT_EQUAL(audit_verify(archived, &events, CORE_ID), -1);
		audit_seal_loaded(arena, archived ? archived : &none, &events, &seal);
		CU_ASSERT_TRUE(audit_seal_fits(seal));
		audit_join(arena, &events, &whole);
		CU_ASSERT_EQUAL(whole.count, cases[i].events);
		CU_ASSERT_EQUAL(audit_verify(NULL, &whole, CORE_ID), -1);
	}
	arena_free(&arena);
}

/* It goes on in the same chain, and is sealed with what has left. */
static void test_audit_goes_on_behind_archives(void)
{
	struct arena *arena = arena_new();
	struct model_list events = {0};
	struct audit_head *archived = NULL, *first;
	struct audit_part part, again;
	const char *seal = NULL;

	audit_grow(arena, &events, NULL, AUDIT_KEPT + AUDIT_PART);
	audit_seal(arena, &none, &events, true, &seal);
	CU_ASSERT_TRUE(audit_archive(arena, CORE_ID, &archived, &events, &part));
	first = archived;
	audit_grow(arena, &events, archived, AUDIT_KEPT + 1);
	CU_ASSERT_EQUAL(audit_verify(archived, &events, CORE_ID), -1);
	audit_seal(arena, archived, &events, false, &seal);
	CU_ASSERT_EQUAL(strtol(seal, NULL, 10), AUDIT_KEPT + AUDIT_PART + 1);
	/* Without the archives it is another trail. */
	audit_seal_loaded(arena, &none, &events, &seal);
	CU_ASSERT_FALSE(audit_seal_fits(seal));
	/* The same archive, whoever takes it out. */
	audit_grow(arena, &events, archived, AUDIT_KEPT + AUDIT_PART);
	CU_ASSERT_TRUE(audit_archive(arena, CORE_ID, &archived, &events, &part));
	CU_ASSERT_PTR_EQUAL(part.before, first);
	CU_ASSERT_EQUAL(archived->count, 2 * AUDIT_PART);
	again = part;
	MODEL_AT(&again.events, struct audit_event, 7)->action = "mail.failed";
	CU_ASSERT_EQUAL(audit_verify(again.before, &again.events, CORE_ID), 7);
	arena_free(&arena);
}

static const struct unit_case cases[] = {
	{"chain is whole in every state", test_audit_chain_is_whole_in_every_state},
	{"events tell the story", test_audit_events_tell_the_story},
	{"any flipped field is found", test_audit_any_flipped_field_is_found},
	{"text moved between fields is found", test_audit_text_moved_between_fields_is_found},
	{"absent fields are found", test_audit_absent_fields_are_found},
	{"order matters", test_audit_order_matters},
	{"chain of another request is found", test_audit_chain_of_another_request_is_found},
	{"repeats nobody", test_audit_repeats_nobody},
	{"long trails grow slowly", test_audit_long_trails_grow_slowly},
	{"null is not empty", test_audit_null_is_not_empty},
	{"seal holds the end", test_audit_seal_holds_the_end},
	{"goes on from its seal", test_audit_goes_on_from_its_seal},
	{"what was loaded beside its seal", test_audit_what_was_loaded_beside_its_seal},
	{"heads that are none", test_audit_heads_that_are_none},
	{"flaw of what cannot be read", test_audit_flaw_of_what_cannot_be_read},
	{"archives what is old", test_audit_archives_what_is_old},
	{"goes on behind archives", test_audit_goes_on_behind_archives},
	{"seal is renewed for a whole trail only",
		test_audit_seal_is_renewed_for_a_whole_trail_only},
};

UNIT_MAIN("audit", cases)
