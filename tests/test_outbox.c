#include "outbox.h"

#include "core_unit.h"

/* The invitation of a party, given up. */
static struct effect *outbox_fail_mail(
	struct arena *arena, struct request *request, enum party party)
{
	struct effect *mail = core_effect(request, EFFECT_MAIL_MEETING_READY, party);

	core_settle_mail(arena, request, mail, CORE_NOW, ERR_PERMANENT, "550 no");
	return core_effect(request, EFFECT_MAIL_MEETING_READY, party);
}

static bool outbox_has_mark(struct arena *arena, const struct request *request, const char *mark)
{
	const struct model_list marks = outbox_marks(arena, request);

	MODEL_FOREACH (&marks, const char *, own) {
		if (strcmp(*own, mark) == 0)
			return true;
	}
	return false;
}

static void marks_say_what_is_owed(void)
{
	struct arena *arena = arena_new();
	struct request *request = core_at_zoom(arena);
	const struct effect *failed;

	CU_ASSERT_TRUE(outbox_has_mark(arena, request, "owed mail.meeting_ready"));
	CU_ASSERT_FALSE(outbox_has_mark(arena, request, "failed"));
	failed = outbox_fail_mail(arena, request, PARTY_CLIENT);
	CU_ASSERT_TRUE(outbox_has_mark(arena, request, "failed"));
	CU_ASSERT_TRUE(outbox_has_mark(arena, request, "failed mail.meeting_ready"));
	CU_ASSERT_TRUE(outbox_has_mark(arena, request, "owed mail.meeting_ready"));
	CU_ASSERT_EQUAL(outbox_item(arena, request, failed, CORE_NOW).state, OUTBOX_FAILED);
	MODEL_FOREACH (&request->effects, struct effect, effect) {
		const struct outbox_item item = outbox_item(arena, request, effect, CORE_NOW);

		if (effect->kind == EFFECT_MEETING_EXPIRE)
			CU_ASSERT_EQUAL(item.state, OUTBOX_WAITING);
		if (effect->mail)
			CU_ASSERT_STRING_EQUAL(
				item.email, request->side[effect->mail->party].person->email);
	}
	arena_free(&arena);
}

static void ids(void)
{
	char request_id[ID_SIZE], effect_id[ID_SIZE], both[2 * ID_SIZE];

	snprintf(both, sizeof(both), "%s%s", CORE_ID, "zzECAwQFBgcICQoLDA0ODw");
	CU_ASSERT_TRUE(outbox_id_read(both, request_id, effect_id));
	CU_ASSERT_STRING_EQUAL(request_id, CORE_ID);
	CU_ASSERT_STRING_EQUAL(effect_id, "zzECAwQFBgcICQoLDA0ODw");
	CU_ASSERT_FALSE(outbox_id_read(CORE_ID, request_id, effect_id));
	CU_ASSERT_FALSE(outbox_id_read("", request_id, effect_id));
	both[30] = '!';
	CU_ASSERT_FALSE(outbox_id_read(both, request_id, effect_id));
}

static void decisions(void)
{
	static outbox_rule *const rules[] = {outbox_retry, outbox_discard, outbox_readdress};
	static const char *const actions[] = {"mail.retried", "mail.discarded", "mail.retried"};
	const struct outbox_readdressing input = {.email = "new@client.test"};
	const struct audit_event *event;
	struct request *request;
	struct arena *arena;
	struct cause cause;
	const char *id;
	size_t i;

	for (i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		arena = arena_new();
		request = core_at_zoom(arena);
		cause = core_cause(arena, CORE_NOW, ROLE_ADMIN, "root");
		id = outbox_fail_mail(arena, request, PARTY_CLIENT)->id;
		CU_ASSERT_PTR_NOT_NULL(meeting_warning(request->meeting, WARNING_CLIENT_NOT_TOLD));
		CU_ASSERT_EQUAL(rules[i](&cause, request, "unknown", &input, NULL), ERR_NOT_FOUND);
		CU_ASSERT_EQUAL(
			rules[i](&cause, request,
				core_effect(request, EFFECT_MAIL_MEETING_READY, PARTY_LAWYER)->id,
				&input, NULL),
			ERR_NOT_FAILED);
		CU_ASSERT_EQUAL(rules[i](&cause, request, id, &input, NULL), ERR_OK);
		CU_ASSERT_EQUAL(effect_first_failed(request), 0);
		event = NULL;
		MODEL_FOREACH (&request->events, struct audit_event, one) {
			if (strcmp(one->action, actions[i]) == 0 && one->actor->role == ROLE_ADMIN)
				event = one;
		}
		CU_ASSERT_PTR_NOT_NULL_FATAL(event);
		CU_ASSERT_STRING_EQUAL(event->to, "client");
		CU_ASSERT_STRING_EQUAL(event->detail, "meeting_ready");
		CU_ASSERT_EQUAL(effect_find(request, id) != NULL, rules[i] == outbox_retry);
		CU_ASSERT_EQUAL(!meeting_warning(request->meeting, WARNING_CLIENT_NOT_TOLD),
			rules[i] != outbox_retry);
		arena_free(&arena);
	}
}

static void a_new_address(void)
{
	const struct outbox_readdressing other = {.email = "BO@lawyer.test"};
	const struct outbox_readdressing input = {.email = "new@client.test"};
	struct arena *arena = arena_new();
	struct request *request = core_at_zoom(arena);
	struct cause cause = core_cause(arena, CORE_NOW, ROLE_ADMIN, "root");
	const char *id = outbox_fail_mail(arena, request, PARTY_CLIENT)->id;
	const struct effect *invitation;

	CU_ASSERT_EQUAL(outbox_readdress(&cause, request, id, &other, NULL), ERR_INVALID);
	CU_ASSERT_EQUAL(outbox_readdress(&cause, request, id, &input, NULL), ERR_OK);
	CU_ASSERT_STRING_EQUAL(request->side[PARTY_CLIENT].person->email, "new@client.test");
	CU_ASSERT_STRING_EQUAL(core_client.email, "ada@client.test");
	invitation = core_effect(request, EFFECT_MAIL_MEETING_READY, PARTY_CLIENT);
	CU_ASSERT_PTR_NOT_NULL_FATAL(invitation);
	CU_ASSERT_EQUAL(invitation->state, EFFECT_DUE);
	CU_ASSERT_EQUAL(invitation->attempts, 0);
	CU_ASSERT_EQUAL(invitation->sequence, request->meeting->sequence);
	arena_free(&arena);
}

/* A link that was given up is retried like a person's own retry; what became of a cancelled one is
 * not begun again. */
static void a_creation(void)
{
	struct arena *arena = arena_new();
	struct request *request = core_in_state(arena, CORE_FAILED);
	struct cause cause = core_cause(arena, CORE_NOW, ROLE_ADMIN, "root");
	const struct effect *create = meeting_effect(request, EFFECT_MEETING_CREATE);

	CU_ASSERT_PTR_NOT_NULL_FATAL(create);
	CU_ASSERT_EQUAL(create->state, EFFECT_FAILED);
	CU_ASSERT_EQUAL(outbox_retry(&cause, request, create->id, NULL, NULL), ERR_OK);
	CU_ASSERT_EQUAL(request->meeting->status, MEETING_PENDING);
	CU_ASSERT_EQUAL(meeting_effect(request, EFFECT_MEETING_CREATE)->state, EFFECT_DUE);
	arena_free(&arena);
}

static const struct unit_case cases[] = {
	{"marks say what is owed", marks_say_what_is_owed},
	{"ids", ids},
	{"decisions", decisions},
	{"a new address", a_new_address},
	{"a creation", a_creation},
};

UNIT_MAIN("outbox", cases)
