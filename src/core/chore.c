#include "chore.h"

#include "backoff.h"

enum { CHORE_FIRST_S = 30, CHORE_MAX_S = 60 * 60 };

/* As long as a deletion that a request owes. */
#define CHORE_GIVE_UP (7 * INSTANT_DAY)

const char *const chore_kind_names[] = {
	[CHORE_ERASE] = "erase", [CHORE_TEST_MEETING] = "test_meeting", NULL};

#define FIELD(type, member, flags, ...)                                                            \
	MODEL_FIELD(struct chore, member, type, MODEL_STORED | (flags), __VA_ARGS__)

static const struct model_field chore_fields[] = {
	FIELD(MODEL_STRING, id, MODEL_KEY),
	FIELD(MODEL_INT, rev, MODEL_REQUIRED),
	FIELD(MODEL_ENUM, kind, MODEL_REQUIRED, .names = chore_kind_names),
	FIELD(MODEL_INSTANT, created_at, MODEL_REQUIRED),
	FIELD(MODEL_INSTANT, due, MODEL_REQUIRED),
	FIELD(MODEL_INSTANT, give_up_at, 0),
	FIELD(MODEL_INT, attempts, 0),
	FIELD(MODEL_STRING, actor_id, 0),
	FIELD(MODEL_ENUM, actor_role, MODEL_REQUIRED, .names = role_names),
	FIELD(MODEL_STRING, trace_id, 0),
	FIELD(MODEL_STRING, person_id, MODEL_SPARSE),
	FIELD(MODEL_STRING, provider, MODEL_SPARSE),
	FIELD(MODEL_STRING, provider_key, MODEL_SPARSE | MODEL_SEALED),
	FIELD(MODEL_STRING, external_id, MODEL_SPARSE | MODEL_SEALED),
	FIELD(MODEL_STRING, account, MODEL_SPARSE | MODEL_SEALED),
	FIELD(MODEL_MAP, settings, MODEL_SPARSE),
	FIELD(MODEL_MAP, credentials, MODEL_SPARSE | MODEL_SEALED),
};

const struct model chore_model = MODEL(struct chore, "chore", chore_fields);

struct chore chore_begun(struct cause *cause, enum chore_kind kind)
{
	return (struct chore){
		.id = cause_id(cause),
		.kind = kind,
		.created_at = cause->now,
		.due = cause->now + CHORE_LEASE_MS,
		/* What was promised to a person is never given up. */
		.give_up_at = kind == CHORE_ERASE ? 0 : cause->now + CHORE_GIVE_UP,
		.actor_id = cause->actor.id,
		.actor_role = cause->actor.role,
		.trace_id = cause->trace_id,
	};
}

struct actor chore_actor(const struct chore *chore)
{
	return (struct actor){.id = chore->actor_id, .role = (enum role)chore->actor_role};
}

bool chore_put_off(struct chore *chore, int64_t now, int64_t random)
{
	if (chore->give_up_at && now >= chore->give_up_at)
		return false;
	chore->due = now + backoff_delay_ms(chore->attempts, CHORE_FIRST_S, CHORE_MAX_S, 0, random);
	return true;
}
