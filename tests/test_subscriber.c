#include "subscriber.h"

#include "announce.h"
#include "core_unit.h"
#include "delivery.h"

static struct config *subscriber_config(struct arena *arena)
{
	struct config *config = arena_alloc(arena, sizeof(*config));

	*config = core_config;
	config->id = CONFIG_ID;
	return config;
}

static struct subscriber *subscriber_add(
	struct arena *arena, struct config *config, const char *id, const char *event)
{
	struct cause cause = core_cause(arena, CORE_NOW, ROLE_ADMIN, "root");
	struct subscriber_draft draft = {.url = "https://a.test/hook?key=secret"};

	*(const char **)model_list_add(arena, &draft.events, sizeof(event)) = event;
	CU_ASSERT_EQUAL_FATAL(
		subscriber_register(&cause, config, &draft, id, "whsec_1", "call-1", NULL), ERR_OK);
	return subscriber_find(config, id);
}

/* ---- who is told what ---- */

static void what_is_wanted(void)
{
	static const struct {
		const char *event, *type;
		bool wanted;
	} rows[] = {
		{"meeting.ready", "meeting.ready", true},
		{"meeting.*", "meeting.ready", true},
		{"meeting.*", "request.created", false},
		{"meeting.ready", "meeting.failed", false},
		{"attendance.*", "meeting.attendance", true},
		{"attendance.*", "meeting.ready", false},
		{"meeting.*", "meeting.attendance", true},
		{"mail.*", "mail.failed", true},
		{"mail.*", "mail.sent", false},
		{"meeting.*", "meeting.link_used", false},
		{"meeting.*", "meetings.ready", false},
	};
	struct arena *arena = arena_new();
	struct subscriber *subscriber;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		subscriber = subscriber_add(
			arena, subscriber_config(arena), "subscriber-1", rows[i].event);
		UNIT_CHECK(
			subscriber_wants(subscriber, rows[i].type) == rows[i].wanted, rows[i].type);
		subscriber->disabled_at = CORE_NOW;
		UNIT_CHECK(!subscriber_wants(subscriber, rows[i].type), rows[i].type);
	}
	arena_free(&arena);
}

static void life_of_one(void)
{
	struct arena *arena = arena_new();
	struct config *config = subscriber_config(arena);
	struct cause cause = core_cause(arena, CORE_NOW + 1, ROLE_ADMIN, "root");
	struct subscriber *subscriber = subscriber_add(arena, config, "s-1", "meeting.*");

	subscriber_disable(&cause, config, subscriber);
	CU_ASSERT_EQUAL(
		subscriber_rotate(&cause, config, subscriber, "whsec_2", "call-2", NULL), ERR_OK);
	CU_ASSERT_STRING_EQUAL(subscriber->secret, "whsec_2");
	CU_ASSERT_STRING_EQUAL(subscriber->former_secret, "whsec_1");
	CU_ASSERT_EQUAL(subscriber->former_until, cause.now + INSTANT_DAY);
	CU_ASSERT_EQUAL(subscriber->disabled_at, 0);
	subscriber_remove(&cause, config, subscriber);
	CU_ASSERT_PTR_NULL(subscriber_find(config, "s-1"));
	CU_ASSERT_EQUAL(config->events.count, 5);
	MODEL_FOREACH (&config->events, struct audit_event, event) {
		CU_ASSERT_STRING_EQUAL(event->action, "config.changed");
		CU_ASSERT_EQUAL(strncmp(event->detail, "/webhooks/s-1", 13), 0);
		CU_ASSERT(!event->from || !strstr(event->from, "secret="));
		CU_ASSERT(
			!event->to || (!strstr(event->to, "key=") && !strstr(event->to, "whsec")));
	}
	arena_free(&arena);
}

/* Whichever of them a receiver knows: none stops before its day is over. */
static void secrets_of_a_day(void)
{
	static const char *const secrets[] = {"whsec_2", "whsec_3", "whsec_4", "whsec_5"};
	struct arena *arena = arena_new();
	struct config *config = subscriber_config(arena);
	struct cause cause = core_cause(arena, CORE_NOW, ROLE_ADMIN, "root");
	struct subscriber *subscriber = subscriber_add(arena, config, "s-1", "meeting.*");
	const struct subscriber_secret *older;
	struct err_info info = {0};
	size_t i;

	for (i = 0; i < 4; i++, cause.now += INSTANT_HOUR)
		CU_ASSERT_EQUAL(
			subscriber_rotate(&cause, config, subscriber, secrets[i], "call", NULL),
			ERR_OK);
	CU_ASSERT_STRING_EQUAL(subscriber->former_secret, "whsec_4");
	CU_ASSERT_EQUAL_FATAL(subscriber->older.count, 3);
	older = subscriber->older.items;
	CU_ASSERT_STRING_EQUAL(older[0].secret, "whsec_1");
	CU_ASSERT_EQUAL(older[0].until, CORE_NOW + INSTANT_DAY);
	CU_ASSERT_STRING_EQUAL(older[2].secret, "whsec_3");
	CU_ASSERT_EQUAL(subscriber_rotate(&cause, config, subscriber, "whsec_6", "call", &info),
		ERR_TOO_MANY_CHANGES);
	CU_ASSERT_EQUAL(info.retry_after_s, 20 * 3600 + 1);
	CU_ASSERT_STRING_EQUAL(subscriber->secret, "whsec_5");
	cause.now = CORE_NOW + INSTANT_DAY + INSTANT_HOUR;
	CU_ASSERT_EQUAL(
		subscriber_rotate(&cause, config, subscriber, "whsec_6", "call", NULL), ERR_OK);
	CU_ASSERT_EQUAL_FATAL(subscriber->older.count, 2);
	older = subscriber->older.items;
	CU_ASSERT_STRING_EQUAL(older[0].secret, "whsec_3");
	CU_ASSERT_STRING_EQUAL(older[1].secret, "whsec_4");
	cause.now += 2 * INSTANT_DAY;
	CU_ASSERT_EQUAL(
		subscriber_rotate(&cause, config, subscriber, "whsec_7", "call", NULL), ERR_OK);
	CU_ASSERT_EQUAL(subscriber->older.count, 0);
	arena_free(&arena);
}

static void no_more_than_ten(void)
{
	struct arena *arena = arena_new();
	struct config *config = subscriber_config(arena);
	struct cause cause = core_cause(arena, CORE_NOW, ROLE_ADMIN, "root");
	const char *event = "meeting.*";
	const struct subscriber_draft draft = {"https://a.test", {&event, 1}};
	int i;

	for (i = 0; i < SUBSCRIBER_MOST; i++)
		subscriber_add(arena, config, arena_printf(arena, "s-%d", i), event);
	CU_ASSERT_EQUAL(subscriber_register(&cause, config, &draft, "s-x", "s", "c", NULL),
		ERR_TOO_MANY_WEBHOOKS);
	arena_free(&arena);
}

/* ---- what is owed for it ---- */

static struct effect *announced(
	struct arena *arena, const struct config *config, struct request *request, const char *view)
{
	CU_ASSERT_TRUE(announce_has_news(request));
	if (!announce_is_wanted(config, request))
		return NULL;
	announce_owe(arena, config, request, view);
	return meeting_effect(request, EFFECT_WEBHOOK);
}

static void events_of_one_change(void)
{
	struct arena *arena = arena_new();
	struct config *config = subscriber_config(arena);
	struct request *request = core_in_state(arena, CORE_OPEN);
	const struct announcement *announcement;
	const struct announced *first, *second;
	struct effect *effect;
	const size_t before = request->events.count;
	bool changed = true;

	subscriber_add(arena, config, "s-1", "request.accepted");
	subscriber_add(arena, config, "s-2", "meeting.*");
	subscriber_add(arena, config, "s-3", "request.declined");
	request_remember(request);
	CU_ASSERT_FALSE(announce_has_news(request));
	CU_ASSERT_EQUAL(core_respond(arena, request, CORE_NOW, &core_accept, &changed), ERR_OK);
	effect = announced(arena, config, request, "{\"status\":\"accepted\"}");
	CU_ASSERT_PTR_NOT_NULL_FATAL(effect);
	announcement = effect->announcement;
	CU_ASSERT_EQUAL_FATAL(announcement->events.count, 2);
	first = MODEL_AT(&announcement->events, struct announced, 0);
	second = MODEL_AT(&announcement->events, struct announced, 1);
	CU_ASSERT_STRING_EQUAL(first->type, "request.accepted");
	CU_ASSERT_STRING_EQUAL(*MODEL_AT(&first->to, const char *, 0), "s-1");
	CU_ASSERT_STRING_EQUAL(second->type, "meeting.requested");
	CU_ASSERT_STRING_EQUAL(*MODEL_AT(&second->to, const char *, 0), "s-2");
	CU_ASSERT_EQUAL(first->serial, (int64_t)before);
	CU_ASSERT_EQUAL(second->serial, (int64_t)before + 1);
	CU_ASSERT_STRING_EQUAL(announce_body(arena, announcement, first),
		arena_printf(arena,
			"{\"id\":\"%s\",\"type\":\"request.accepted\","
			"\"created_at\":\"2027-03-01T14:00:00Z\",\"data\":{\"status\":\"accepted\"}"
			"}",
			first->id));
	CU_ASSERT_TRUE(effect_is_whole(request, effect));
	arena_free(&arena);
}

static void what_was_before_a_move(void)
{
	const struct meeting_rescheduling move = {
		.starts_at = CORE_START + INSTANT_DAY, .duration_minutes = 30};
	struct arena *arena = arena_new();
	struct config *config = subscriber_config(arena);
	struct request *request = core_at_zoom(arena);
	struct cause cause = core_cause(arena, CORE_NOW, ROLE_LAWYER, core_lawyer.id);
	const struct announcement *announcement;
	bool changed = true;
	const char *body;

	subscriber_add(arena, config, "s-1", "meeting.*");
	request_remember(request);
	CU_ASSERT_EQUAL(request_reschedule(&cause, request, &move, &changed, NULL), ERR_OK);
	announcement = announced(arena, config, request, "{\"a\":1}")->announcement;
	body = announce_body(
		arena, announcement, MODEL_AT(&announcement->events, struct announced, 0));
	CU_ASSERT_PTR_NOT_NULL(strstr(
		body, "\"data\":{\"a\":1,\"previous\":{\"starts_at\":\"2027-03-02T14:00:00Z\","));
	CU_ASSERT_PTR_NOT_NULL(strstr(body, "\"generation\":1,\"provider\":\"zoom\"}}}}"));
	arena_free(&arena);
}

/* Nobody comes to put them down: no event is lost, and the views do not pile up. */
static void more_than_can_be_kept(void)
{
	struct arena *arena = arena_new();
	struct config *config = subscriber_config(arena);
	struct request *request = core_in_state(arena, CORE_OPEN);
	struct cause cause = core_cause(arena, CORE_NOW, ROLE_ADMIN, "root");
	size_t events = 0;
	int i;

	subscriber_add(arena, config, "s-1", "meeting.*");
	for (i = 0; i < 100; i++) {
		request_remember(request);
		audit_add(&cause, request, "meeting.outcome", NULL, NULL, NULL);
		announce_owe(arena, config, request, arena_printf(arena, "{\"n\":%d}", i));
	}
	CU_ASSERT_EQUAL(core_count_effects(request, EFFECT_WEBHOOK), 32);
	MODEL_FOREACH (&request->effects, struct effect, effect) {
		if (effect->announcement)
			events += effect->announcement->events.count;
	}
	CU_ASSERT_EQUAL(events, 100);
	arena_free(&arena);
}

static void nobody_wants_it(void)
{
	struct arena *arena = arena_new();
	struct config *config = subscriber_config(arena);
	struct request *request = core_in_state(arena, CORE_OPEN);
	const size_t owed = request->effects.count;

	request->was = (struct request_before){0};
	CU_ASSERT_FALSE(announce_is_wanted(config, request));
	subscriber_add(arena, config, "s-1", "meeting.*");
	CU_ASSERT_FALSE(announce_is_wanted(config, request));
	announce_owe(arena, config, request, "{\"a\":1}");
	CU_ASSERT_EQUAL(request->effects.count, owed);
	arena_free(&arena);
}

/* ---- deliveries ---- */

static struct delivery delivery_new(struct arena *arena)
{
	const struct announced event = {.id = "e-1", .type = "meeting.ready", .serial = 3};

	return delivery_begun(arena, CORE_ID, "s-1", &event, "{}", CORE_NOW);
}

static void delivery_name(void)
{
	struct arena *arena = arena_new();
	const struct announced other = {.id = "e-2"};
	const struct delivery one = delivery_new(arena), same = delivery_new(arena);

	CU_ASSERT_STRING_EQUAL(one.id, same.id);
	CU_ASSERT_STRING_NOT_EQUAL(
		one.id, delivery_begun(arena, CORE_ID, "s-1", &other, "{}", CORE_NOW).id);
	CU_ASSERT_EQUAL(one.purge_at, CORE_NOW + 30 * INSTANT_DAY);
	arena_free(&arena);
}

static void delivery_outcomes(void)
{
	static const struct {
		const char *name;
		enum err err;
		int64_t after, retry_after_s;
		enum delivery_state state;
	} rows[] = {
		{"arrived", ERR_OK, 0, 0, DELIVERY_DELIVERED},
		{"arrived late", ERR_OK, 2 * INSTANT_DAY, 0, DELIVERY_DELIVERED},
		{"not now", ERR_TEMPORARY, 0, 0, DELIVERY_DUE},
		{"perhaps", ERR_OUTCOME_UNKNOWN, 0, 0, DELIVERY_DUE},
		{"elsewhere", ERR_FORBIDDEN, 0, 0, DELIVERY_DUE},
		{"never", ERR_PERMANENT, 0, 0, DELIVERY_FAILED},
		{"a day later", ERR_TEMPORARY, INSTANT_DAY, 0, DELIVERY_FAILED},
		{"asked for too much", ERR_TEMPORARY, 0, 2 * 24 * 3600, DELIVERY_DUE},
	};
	struct arena *arena = arena_new();
	struct delivery delivery;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct effect_outcome outcome = {.err = rows[i].err,
			.detail = "words",
			.retry_after_s = rows[i].retry_after_s};
		const int64_t now = CORE_NOW + rows[i].after;

		delivery = delivery_new(arena);
		delivery_claim(&delivery, "lease", now);
		CU_ASSERT_TRUE(delivery_is_running(&delivery, now));
		CU_ASSERT_FALSE(delivery_is_running(&delivery, now + DELIVERY_LEASE_MS));
		delivery_settled(arena, &delivery, &outcome, 200, now, 0);
		UNIT_CHECK(delivery.state == (int)rows[i].state, rows[i].name);
		UNIT_CHECK((delivery.due > now) == (rows[i].state == DELIVERY_DUE), rows[i].name);
		UNIT_CHECK((delivery.ended_at == now) == (rows[i].state != DELIVERY_DUE),
			rows[i].name);
		UNIT_CHECK(!delivery.last_error == (rows[i].err == ERR_OK), rows[i].name);
		UNIT_CHECK(!delivery.lease && delivery.attempts == 1, rows[i].name);
		UNIT_CHECK(delivery.due <= delivery.give_up_at, rows[i].name);
	}
	arena_free(&arena);
}

static void delivery_once_more(void)
{
	const struct effect_outcome arrived = {.err = ERR_OK};
	struct arena *arena = arena_new();
	struct delivery delivery = delivery_new(arena);

	delivery_claim(&delivery, "lease", CORE_NOW);
	CU_ASSERT_EQUAL(delivery_again(&delivery, "call-1", CORE_NOW, NULL), ERR_EFFECT_RUNNING);
	delivery_settled(arena, &delivery, &arrived, 200, CORE_NOW, 0);
	CU_ASSERT_EQUAL(delivery_again(&delivery, "call-1", CORE_END, NULL), ERR_OK);
	CU_ASSERT_EQUAL(delivery.state, DELIVERY_DUE);
	CU_ASSERT_STRING_EQUAL(delivery.lane, delivery.id);
	CU_ASSERT_EQUAL(delivery.give_up_at, CORE_END + INSTANT_DAY);
	delivery.body = NULL;
	CU_ASSERT_EQUAL(delivery_again(&delivery, "call-1", CORE_END, NULL), ERR_GONE);
	arena_free(&arena);
}

static const struct unit_case cases[] = {
	{"what is wanted", what_is_wanted},
	{"the life of one", life_of_one},
	{"the secrets of a day", secrets_of_a_day},
	{"no more than ten", no_more_than_ten},
	{"the events of one change", events_of_one_change},
	{"what was before a move", what_was_before_a_move},
	{"more than can be kept", more_than_can_be_kept},
	{"nobody wants it", nobody_wants_it},
	{"a delivery's name", delivery_name},
	{"what comes of a delivery", delivery_outcomes},
	{"a delivery once more", delivery_once_more},
};

UNIT_MAIN("subscriber", cases)
