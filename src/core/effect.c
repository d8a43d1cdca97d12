#include "effect.h"

#include <string.h>

#include "backoff.h"
#include "config.h"
#include "instant.h"
#include "proposal.h"

const char *const effect_kind_names[] = {
#define EFFECT(name, text, ...) [EFFECT_##name] = text,
#include "effect_table.h"
#undef EFFECT
	NULL,
};

const char *const effect_class_names[] = {
	[CLASS_LOCAL] = "local",
	[CLASS_PROVIDER] = "provider",
	[CLASS_WATCH] = "watch",
	[CLASS_MAIL] = "mail",
	NULL,
};

const char *const effect_state_names[] = {[EFFECT_DUE] = "due", [EFFECT_FAILED] = "failed", NULL};

/* ---- columns ---- */

static bool effect_is_of(
	const struct request *request, const struct effect *effect, enum meeting_status status)
{
	return request->meeting->status == (int)status &&
	       request->meeting->generation == effect->generation;
}

static bool effect_is_of_pending(const struct request *request, const struct effect *effect)
{
	return effect_is_of(request, effect, MEETING_PENDING);
}

static bool effect_is_of_ready(const struct request *request, const struct effect *effect)
{
	return effect_is_of(request, effect, MEETING_READY);
}

/* A mail that tells of the meeting as it is. */
static bool effect_is_latest(const struct request *request, const struct effect *effect)
{
	return request->meeting->status == MEETING_READY &&
	       request->meeting->sequence == effect->sequence;
}

static bool effect_is_of_failed(const struct request *request, const struct effect *effect)
{
	return effect_is_of(request, effect, MEETING_FAILED);
}

static bool effect_is_of_open(const struct request *request, const struct effect *effect)
{
	(void)effect;
	return request->status == REQUEST_OPEN;
}

/* A reminder of the meeting at its present time. */
static bool effect_is_of_start(const struct request *request, const struct effect *effect)
{
	return effect_is_of_ready(request, effect) &&
	       request->meeting->starts_at == effect->mail->starts_at;
}

/* That person did not come, as far as it is known now. */
static bool effect_is_of_no_show(const struct request *request, const struct effect *effect)
{
	enum party missing;

	return request->meeting->generation == effect->generation &&
	       meeting_missed_by(request->meeting, &missing) && (int)missing == effect->mail->party;
}

/* The other person has not answered anything else since, nor has the meeting moved. */
static bool effect_is_answered(const struct request *request, const struct effect *effect)
{
	const struct meeting *meeting = request->meeting;

	return request->status == REQUEST_ACCEPTED && meeting->status != MEETING_CANCELLED &&
	       strcmp(attendance_names[meeting->attendance->state[!effect->mail->party]],
		       effect->mail->attendance) == 0;
}

static bool effect_is_of_proposal(
	const struct request *request, const struct effect *effect, enum proposal_status status)
{
	return request->proposal && request->proposal->status == (int)status &&
	       request->proposal->starts_at == effect->mail->proposed_at;
}

static bool effect_is_proposed(const struct request *request, const struct effect *effect)
{
	return effect_is_of_proposal(request, effect, PROPOSAL_OPEN);
}

static bool effect_is_declined_proposal(const struct request *request, const struct effect *effect)
{
	return effect_is_of_proposal(request, effect, PROPOSAL_DECLINED);
}

static const char *effect_recipient(const struct effect *effect)
{
	return party_names[effect->mail->party];
}

#define EFFECT_CARRIES(member)                                                                     \
	.payload_at = offsetof(struct effect, member),                                             \
	.payload_size = sizeof(*((struct effect *)NULL)->member)

const struct effect_row effect_table[] = {
#define EFFECT(name, text, ...) [EFFECT_##name] = {__VA_ARGS__},
#include "effect_table.h"
#undef EFFECT
};

/* ---- models ---- */

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
	MODEL_FIELD(struct removal, member, MODEL_STRING, MODEL_STORED | (flags))

static const struct model_field removal_fields[] = {
	FIELD(provider, MODEL_REQUIRED),
	FIELD(provider_key, MODEL_SEALED),
	FIELD(external_id, MODEL_SEALED | MODEL_SPARSE),
	FIELD(account, MODEL_SEALED | MODEL_SPARSE),
};

static const struct model removal_model = MODEL(struct removal, "removal", removal_fields);

#undef FIELD
#define FIELD(type, member, ...)                                                                   \
	MODEL_FIELD(struct creation, member, type, MODEL_STORED | MODEL_SPARSE, __VA_ARGS__)

static const struct model_field creation_fields[] = {
	FIELD(MODEL_BOOL, begun),
	FIELD(MODEL_BOOL, repeated),
	FIELD(MODEL_INT, tries),
	FIELD(MODEL_STRINGS, tried),
	FIELD(MODEL_LIST, maybe_made, .of = &removal_model),
	FIELD(MODEL_BOOL, recoverable),
	FIELD(MODEL_INT, wait_s),
	FIELD(MODEL_STRING, why),
};

static const struct model creation_model = MODEL(struct creation, "creation", creation_fields);

#undef FIELD
#define FIELD(type, member, flags, ...)                                                            \
	MODEL_FIELD(struct mail, member, type, MODEL_STORED | (flags), __VA_ARGS__)

static const struct model_field mail_fields[] = {
	FIELD(MODEL_ENUM, party, MODEL_REQUIRED, .names = party_names),
	FIELD(MODEL_INSTANT, starts_at, MODEL_SPARSE),
	FIELD(MODEL_INSTANT, ends_at, MODEL_SPARSE),
	FIELD(MODEL_STRING, timezone, MODEL_SPARSE),
	FIELD(MODEL_STRING, provider, MODEL_SPARSE),
	FIELD(MODEL_STRING, facts, MODEL_SEALED | MODEL_SPARSE),
	FIELD(MODEL_STRING, attendance, MODEL_SPARSE),
	FIELD(MODEL_INSTANT, proposed_at, MODEL_SPARSE),
	FIELD(MODEL_INSTANT, proposed_until, MODEL_SPARSE),
	FIELD(MODEL_STRING, words, MODEL_SEALED | MODEL_SPARSE),
	FIELD(MODEL_STRING, letter, MODEL_SPARSE),
};

static const struct model mail_model = MODEL(struct mail, "mail", mail_fields);

#undef FIELD
#define FIELD(type, member)                                                                        \
	MODEL_FIELD(struct announced, member, type, MODEL_STORED | MODEL_REQUIRED)

static const struct model_field announced_fields[] = {
	FIELD(MODEL_STRING, id),
	FIELD(MODEL_STRING, type),
	FIELD(MODEL_INSTANT, at),
	FIELD(MODEL_INT, serial),
	FIELD(MODEL_STRINGS, to),
};

static const struct model announced_model = MODEL(struct announced, "announced", announced_fields);

#undef FIELD
#define FIELD(type, member, flags, ...)                                                            \
	MODEL_FIELD(struct announcement, member, type, MODEL_STORED | (flags), __VA_ARGS__)

static const struct model_field announcement_fields[] = {
	FIELD(MODEL_LIST, events, MODEL_REQUIRED, .of = &announced_model),
	FIELD(MODEL_STRING, view, MODEL_REQUIRED | MODEL_SEALED),
	FIELD(MODEL_STRING, previous, MODEL_SPARSE),
};

static const struct model announcement_model =
	MODEL(struct announcement, "announcement", announcement_fields);

#undef FIELD
#define FIELD(type, member, flags, ...)                                                            \
	MODEL_FIELD(struct effect, member, type, MODEL_STORED | (flags), __VA_ARGS__)

static const struct model_field effect_fields[] = {
	FIELD(MODEL_STRING, id, MODEL_REQUIRED),
	FIELD(MODEL_ENUM, kind, MODEL_REQUIRED, .names = effect_kind_names),
	FIELD(MODEL_ENUM, state, MODEL_REQUIRED, .names = effect_state_names),
	FIELD(MODEL_INT, generation, 0),
	FIELD(MODEL_INT, sequence, 0),
	FIELD(MODEL_INSTANT, created_at, 0),
	FIELD(MODEL_INSTANT, due, MODEL_REQUIRED),
	FIELD(MODEL_INSTANT, give_up_at, 0),
	FIELD(MODEL_INT, attempts, 0),
	FIELD(MODEL_STRING, lease, MODEL_SPARSE),
	FIELD(MODEL_STRING, trace_id, MODEL_SPARSE),
	FIELD(MODEL_OBJECT, last_error, MODEL_SPARSE, .of = &failure_model),
	FIELD(MODEL_OBJECT, creation, MODEL_SPARSE, .of = &creation_model),
	FIELD(MODEL_OBJECT, removal, MODEL_SPARSE, .of = &removal_model),
	FIELD(MODEL_OBJECT, mail, MODEL_SPARSE, .of = &mail_model),
	FIELD(MODEL_OBJECT, announcement, MODEL_SPARSE, .of = &announcement_model),
};

const struct model effect_model = MODEL(struct effect, "effect", effect_fields);

/* ---- */

const char *effect_mail_name(const struct effect *effect)
{
	return effect_kind_names[effect->kind] + strlen("mail.");
}

bool effect_is_whole(const struct request *request, const struct effect *effect)
{
	const struct effect_row *row = effect_row(effect);

	if (row->payload_size && !*(void *const *)((const char *)effect + row->payload_at))
		return false;
	if (effect->removal && !effect->removal->provider_key)
		return false;
	if ((effect->kind == EFFECT_MAIL_LETTER && !effect->mail->letter) ||
		(effect->kind == EFFECT_MAIL_MEETING_ANSWERED && !effect->mail->attendance))
		return false;
	return request->meeting || row->without_meeting;
}

int64_t effect_give_up_at(
	const struct cause *cause, const struct request *request, enum effect_kind kind)
{
	const struct effect_row *row = &effect_table[kind];
	const int64_t lasts = row->give_up == EFFECT_BY_POLICY
				      ? cause->config->policy->retry->give_up_s * INSTANT_SECOND
				      : row->give_up;
	int64_t end = row->until_end ? request->meeting->ends_at + row->after_end : 0;

	if (row->until_proposal_ends && request->proposal)
		end = proposal_until(request);
	if (!lasts || !end)
		return lasts ? cause->now + lasts : end;
	return instant_earlier(cause->now + lasts, end);
}

struct effect *effect_owe(struct cause *cause, struct request *request, enum effect_kind kind)
{
	struct effect *effect =
		model_list_add(cause->arena, &request->effects, sizeof(struct effect));
	const struct effect_row *row = &effect_table[kind];

	effect->id = cause_id(cause);
	effect->kind = kind;
	effect->created_at = cause->now;
	effect->trace_id = cause->trace_id;
	effect->due = cause->now;
	effect->give_up_at = effect_give_up_at(cause, request, kind);
	if (request->meeting) {
		effect->generation = request->meeting->generation;
		effect->sequence = request->meeting->sequence;
	}
	if (row->payload_size)
		*(void **)((char *)effect + row->payload_at) =
			arena_alloc(cause->arena, row->payload_size);
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
	const struct effect_row *row = effect_row(a);

	return row->lane == effect_row(b)->lane && row->lane != LANE_ALONE &&
	       (!row->key || strcmp(row->key(a), row->key(b)) == 0);
}

static bool effect_waits_for_link(const struct request *request, const struct effect *effect)
{
	return effect_row(effect)->needs_link &&
	       (request->meeting->status == MEETING_PENDING ||
		       request->meeting->status == MEETING_FAILED);
}

/* Whether that of a lane which was owed first is done first: not a mail that waits for its time,
 * if another is due before it, or may have left, and has the link that it needs. */
static bool effect_keeps_turn(
	const struct request *request, const struct effect *first, const struct effect *second)
{
	if (!first->mail || first->attempts > 0 || effect_waits_for_link(request, second))
		return true;
	return second->attempts == 0 && first->due <= second->due;
}

bool effect_is_head(const struct request *request, const struct effect *effect)
{
	if (effect->state == EFFECT_FAILED || effect_waits_for_link(request, effect))
		return false;
	MODEL_FOREACH (&request->effects, struct effect, other) {
		if (other == effect || other->state == EFFECT_FAILED ||
			!effect_same_lane(other, effect))
			continue;
		if (other < effect ? effect_keeps_turn(request, other, effect)
				   : !effect_keeps_turn(request, effect, other))
			return false;
	}
	return true;
}

bool effect_again(const struct cause *cause, struct request *request, struct effect *effect)
{
	MODEL_FOREACH (&request->effects, struct effect, other) {
		if (effect_same_lane(effect, other) && effect_is_running(other, cause->now))
			return false;
	}
	/* What comes after it is not begun any more by who has lost its lease. */
	MODEL_FOREACH (&request->effects, struct effect, other) {
		if (effect_same_lane(effect, other))
			other->lease = NULL;
	}
	effect->state = EFFECT_DUE;
	effect->lease = NULL;
	effect->due = cause->now;
	effect->give_up_at = effect_give_up_at(cause, request, (enum effect_kind)effect->kind);
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

const char *effect_queue_name(struct arena *arena, enum effect_class class, const char *provider)
{
	const char *name = effect_class_names[class];

	return class == CLASS_PROVIDER || class == CLASS_WATCH
		       ? arena_printf(arena, "%s_%s", name, provider)
		       : name;
}

const char *effect_queue(
	struct arena *arena, const struct request *request, const struct effect *effect)
{
	const char *provider = request->meeting ? request->meeting->provider : NULL;

	if (effect->removal)
		provider = effect->removal->provider;
	return effect_queue_name(arena, effect_row(effect)->class, provider);
}

static void effect_note_owed(
	struct arena *arena, struct model_list *owed, const char *queue, int64_t due)
{
	struct model_time *noted;

	MODEL_FOREACH (owed, struct model_time, time) {
		if (strcmp(time->name, queue) != 0)
			continue;
		time->at = instant_earlier(time->at, due);
		return;
	}
	noted = model_list_add(arena, owed, sizeof(*noted));
	*noted = (struct model_time){queue, due};
}

struct model_list effect_owed(struct arena *arena, const struct request *request)
{
	struct model_list owed = {0};

	MODEL_FOREACH (&request->effects, struct effect, effect) {
		if (effect_is_head(request, effect))
			effect_note_owed(
				arena, &owed, effect_queue(arena, request, effect), effect->due);
	}
	return owed;
}

int64_t effect_first_failed(const struct request *request)
{
	int64_t first = 0;

	MODEL_FOREACH (&request->effects, struct effect, effect) {
		if (effect->state == EFFECT_FAILED && effect->last_error &&
			(!first || effect->last_error->at < first))
			first = effect->last_error->at;
	}
	return first;
}

enum err effect_check_wanted(const struct request *request, const struct effect *effect,
	int64_t now, struct err_info *info)
{
	const struct effect_row *row = effect_row(effect);

	if (row->wanted && !row->wanted(request, effect))
		return err_set(info, ERR_PERMANENT, "The meeting has changed since.");
	if ((row->until_start && request->meeting->starts_at <= now) ||
		(row->until_proposal_ends && !proposal_is_open(request, now)))
		return err_set(info, ERR_PERMANENT, "It is too late.");
	/* What nobody could try in time, since everything was down, is tried once all the same. */
	if (row->until_end && effect->give_up_at && effect->give_up_at < now &&
		request->meeting->ends_at <= now)
		return err_set(info, ERR_PERMANENT, "It is too late.");
	return ERR_OK;
}

bool effect_claim_one(struct request *request, struct effect *effect, int64_t now,
	const char *lease, int64_t lease_ms)
{
	if (effect->due > now || !effect_is_head(request, effect))
		return false;
	effect->lease = lease;
	effect->attempts++;
	effect->due = now + lease_ms;
	if (effect->creation) {
		effect->creation->repeated = effect->creation->begun;
		effect->creation->begun = true;
	}
	return true;
}

void effect_give_back(struct effect *effect, int64_t now)
{
	effect->lease = NULL;
	effect->attempts--;
	effect->due = now;
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
	if (outcome->err == ERR_PERMANENT ||
		(effect->give_up_at && effect->due > effect->give_up_at))
		effect->state = EFFECT_FAILED;
}
