#include "effect.h"

#include <string.h>

#include "backoff.h"
#include "instant.h"
#include "request.h"

const char *const effect_kind_names[] = {
#define EFFECT(name, kind, lane, handler) [EFFECT_##name] = kind,
#include "effect_table.h"
#undef EFFECT
	NULL,
};

static const enum effect_lane effect_lanes[] = {
#define EFFECT(name, kind, lane, handler) [EFFECT_##name] = lane,
#include "effect_table.h"
#undef EFFECT
};

const char *const effect_state_names[] = {[EFFECT_DUE] = "due", [EFFECT_FAILED] = "failed", NULL};
const char *const party_names[] = {[PARTY_CLIENT] = "client", [PARTY_LAWYER] = "lawyer", NULL};

#define FIELD(type, member) MODEL_FIELD(struct failure, member, type, MODEL_STORED | MODEL_SHOWN)

static const struct model_field failure_fields[] = {
	FIELD(MODEL_STRING, code),
	FIELD(MODEL_STRING, detail),
	FIELD(MODEL_STRING, provider),
	FIELD(MODEL_INSTANT, at),
};

const struct model failure_model = MODEL(struct failure, "failure", failure_fields);

#undef FIELD
#define FIELD(member, flags)                                                                       \
	MODEL_FIELD(struct effect_target, member, MODEL_STRING, MODEL_STORED | (flags))

static const struct model_field target_fields[] = {
	FIELD(provider, MODEL_REQUIRED),
	FIELD(provider_key, MODEL_SEALED),
	FIELD(external_id, MODEL_SEALED | MODEL_SPARSE),
	FIELD(account, MODEL_SEALED | MODEL_SPARSE),
};

static const struct model target_model = MODEL(struct effect_target, "target", target_fields);

#undef FIELD
#define FIELD(type, member, flags, ...)                                                            \
	MODEL_FIELD(struct effect, member, type, MODEL_STORED | (flags), __VA_ARGS__)

static const struct model_field effect_fields[] = {
	FIELD(MODEL_STRING, id, MODEL_REQUIRED),
	FIELD(MODEL_ENUM, kind, MODEL_REQUIRED, .names = effect_kind_names),
	FIELD(MODEL_ENUM, state, MODEL_REQUIRED, .names = effect_state_names),
	FIELD(MODEL_ENUM, party, MODEL_REQUIRED, .names = party_names),
	FIELD(MODEL_INT, generation, 0),
	FIELD(MODEL_INT, sequence, 0),
	FIELD(MODEL_INSTANT, created_at, 0),
	FIELD(MODEL_INSTANT, due, MODEL_REQUIRED),
	FIELD(MODEL_INSTANT, give_up_at, 0),
	FIELD(MODEL_INT, attempts, 0),
	FIELD(MODEL_STRING, lease, MODEL_SPARSE),
	FIELD(MODEL_OBJECT, last_error, MODEL_SPARSE, .of = &failure_model),
	FIELD(MODEL_BOOL, begun, MODEL_SPARSE),
	FIELD(MODEL_BOOL, repeated, MODEL_SPARSE),
	FIELD(MODEL_INT, tries, MODEL_SPARSE),
	FIELD(MODEL_STRINGS, tried, MODEL_SPARSE),
	FIELD(MODEL_LIST, left, MODEL_SPARSE, .of = &target_model),
	FIELD(MODEL_BOOL, hope, MODEL_SPARSE),
	FIELD(MODEL_INT, wait_s, MODEL_SPARSE),
	FIELD(MODEL_INSTANT, starts_at, MODEL_SPARSE),
	FIELD(MODEL_INSTANT, ends_at, MODEL_SPARSE),
	FIELD(MODEL_STRING, provider, MODEL_SPARSE),
	FIELD(MODEL_OBJECT, target, MODEL_SPARSE, .of = &target_model),
};

const struct model effect_model = MODEL(struct effect, "effect", effect_fields);

struct effect *effect_owe(struct cause *cause, struct request *request, enum effect_kind kind)
{
	struct effect *effect =
		model_list_add(cause->arena, &request->effects, sizeof(struct effect));

	effect->id = cause_id(cause);
	effect->kind = kind;
	effect->created_at = cause->now;
	effect->due = cause->now;
	if (request->meeting) {
		effect->generation = request->meeting->generation;
		effect->sequence = request->meeting->sequence;
	}
	return effect;
}

struct effect *effect_find(struct request *request, const char *id)
{
	MODEL_FOREACH (&request->effects, struct effect, effect) {
		if (strcmp(effect->id, id) == 0)
			return effect;
	}
	return NULL;
}

void effect_drop(struct request *request, const struct effect *effect)
{
	model_list_remove(&request->effects, sizeof(struct effect),
		(size_t)(effect - MODEL_AT(&request->effects, struct effect, 0)));
}

bool effect_is_running(const struct effect *effect, int64_t now)
{
	return effect->lease && effect->due > now;
}

static bool effect_same_lane(const struct effect *a, const struct effect *b)
{
	const enum effect_lane lane = effect_lanes[a->kind];

	return lane == effect_lanes[b->kind] && lane != LANE_ALONE &&
	       (lane != LANE_MAIL || a->party == b->party);
}

/* A mail that carries the link waits while there is none. */
static bool effect_waits_for_link(const struct request *request, const struct effect *effect)
{
	return (effect->kind == EFFECT_MAIL_MEETING_READY ||
		       effect->kind == EFFECT_MAIL_MEETING_UPDATED) &&
	       (request->meeting->status == MEETING_PENDING ||
		       request->meeting->status == MEETING_FAILED);
}

/* Whether nothing before it in its lane is still to be done. Giving up on one frees the lane. */
static bool effect_is_head(const struct request *request, const struct effect *effect)
{
	if (effect->state == EFFECT_FAILED || effect_waits_for_link(request, effect))
		return false;
	MODEL_FOREACH (&request->effects, struct effect, before) {
		if (before == effect)
			return true;
		if (before->state != EFFECT_FAILED && effect_same_lane(before, effect))
			return false;
	}
	return true;
}

int64_t effect_next_due(const struct request *request)
{
	int64_t due = 0;

	MODEL_FOREACH (&request->effects, struct effect, effect) {
		if (effect_is_head(request, effect) && (!due || effect->due < due))
			due = effect->due;
	}
	return due;
}

bool effect_claim_one(struct request *request, struct effect *effect, int64_t now,
	const char *lease, int64_t lease_ms)
{
	if (effect->due > now || !effect_is_head(request, effect))
		return false;
	effect->lease = lease;
	effect->attempts++;
	effect->due = now + lease_ms;
	if (effect->kind == EFFECT_MEETING_CREATE) {
		effect->repeated = effect->begun;
		effect->begun = true;
	}
	return true;
}

size_t effect_claim(struct request *request, int64_t now, const char *lease, int64_t lease_ms)
{
	size_t count = 0;

	MODEL_FOREACH (&request->effects, struct effect, effect) {
		count += effect_claim_one(request, effect, now, lease, lease_ms);
	}
	return count;
}

void effect_note_failure(
	struct cause *cause, struct effect *effect, const struct effect_outcome *outcome)
{
	effect->lease = NULL;
	effect->last_error = arena_alloc(cause->arena, sizeof(struct failure));
	*effect->last_error = (struct failure){
		.code = err_code(outcome->err), .detail = outcome->detail, .at = cause->now};
}

void effect_failed(struct cause *cause, struct effect *effect, const struct effect_outcome *outcome,
	int64_t first_s, int64_t max_s)
{
	effect_note_failure(cause, effect, outcome);
	effect->due =
		cause->now + backoff_delay_ms(effect->attempts, first_s, max_s,
				     outcome->retry_after_s, cause_jitter(cause, BACKOFF_SPREAD));
	if (outcome->err == ERR_PERMANENT || effect->due > effect->give_up_at)
		effect->state = EFFECT_FAILED;
}
