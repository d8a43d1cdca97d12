#ifndef CORE_UNIT_H
#define CORE_UNIT_H
/* People, times, keys, and a request in each of its states: for the tests of core/ and store/. */
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "config.h"
#include "instant.h"
#include "news.h"
#include "notice.h"
#include "provision.h"
#include "request.h"
#include "secret.h"
#include "unit.h"

#define CORE_NOW   INT64_C(1803909600000) /* 2027-03-01T14:00:00Z */
#define CORE_START (CORE_NOW + INSTANT_DAY)
#define CORE_END   (CORE_START + INSTANT_HOUR)
#define CORE_ID    "AAECAwQFBgcICQoLDA0ODw"

#define CORE_KEY_1 "k1:000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n"
#define CORE_KEY_2 "k2:ff0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1eff\n"

static struct person core_client = {
	.id = "client-1", .name = "Ada Client", .email = "ada@client.test", .locale = "de"};
static struct person core_lawyer = {.id = "lawyer-1",
	.name = "Bo Lawyer",
	.email = "bo@lawyer.test",
	.timezone = "America/Vancouver"};

static const struct request_response core_accept = {
	.decision = DECISION_ACCEPT, .message = "See you there."};
static const struct request_response core_decline = {
	.decision = DECISION_DECLINE, .message = "Not my field."};
static const struct request_cancellation core_cancellation = {.reason = "Settled out of court."};

static const struct request_cancellation core_meeting_cancellation = {.reason = "Another day."};
static const struct meeting_regeneration core_regeneration = {.reason = "It leaked."};

static const struct meeting_link core_link = {.url = "https://meet.test/room",
	.external_id = "ext-1",
	.account = "host@meet.test",
	.passcode = "4711"};

/* The defaults, with the first `failovers` of google and teams to go to. */
static inline struct policy core_policy(size_t failovers)
{
	static const char *names[] = {"google", "teams"};
	struct policy policy = policy_default;

	/* Most requests name zoom; nothing else is the last resort. */
	policy.default_provider = "zoom";
	policy.failover = (struct model_list){.items = names, .count = failovers};
	return policy;
}

/* What holds in the tests: the defaults, and every provider enabled. */
static const char *core_enabled[] = {"jitsi", "zoom", "google", "teams"};
static const struct config core_config = {
	.policy = (struct policy *)&policy_default, .enabled = {.items = core_enabled, .count = 4}};

static inline struct cause core_cause(
	struct arena *arena, int64_t now, enum role role, const char *id)
{
	static uint64_t drawn;
	struct cause cause = {
		.arena = arena,
		.now = now,
		.actor = {.id = id, .role = role},
		.source = SOURCE_API,
		.config = &core_config,
		.trace_id = "trace-1",
	};

	drawn++;
	memcpy(cause.seed, &drawn, sizeof(drawn));
	return cause;
}

/* The same under another policy. */
static inline void core_under(struct cause *cause, const struct policy *policy)
{
	struct config *config = arena_alloc(cause->arena, sizeof(*config));

	*config = core_config;
	config->policy = (struct policy *)policy;
	cause->config = config;
}

static inline struct cause core_system(struct arena *arena, int64_t now)
{
	struct cause cause = core_cause(arena, now, ROLE_SYSTEM, NULL);

	cause.source = SOURCE_DISPATCHER;
	cause.trace_id = NULL;
	return cause;
}

static inline struct cause core_as_lawyer(struct arena *arena, int64_t now)
{
	struct cause cause = core_cause(arena, now, ROLE_LAWYER, core_lawyer.id);

	cause.actor.email = core_lawyer.email;
	return cause;
}

static inline struct request_draft core_draft(void)
{
	return (struct request_draft){
		.title = "Lease dispute",
		.description = "First line.\nSecond line.",
		.person = {&core_client, &core_lawyer},
		.starts_at = CORE_START,
		.duration_minutes = 60,
		.timezone = "Europe/Berlin",
	};
}

static inline struct request *core_open(struct arena *arena)
{
	struct request *request = arena_alloc(arena, sizeof(*request));
	struct cause cause = core_cause(arena, CORE_NOW, ROLE_CLIENT, core_client.id);
	const struct request_draft draft = core_draft();

	CU_ASSERT_EQUAL_FATAL(request_open(&cause, &draft, CORE_ID, request, NULL), ERR_OK);
	return request;
}

static inline enum err core_respond(struct arena *arena, struct request *request, int64_t now,
	const struct request_response *response, bool *changed_r)
{
	struct cause cause = core_as_lawyer(arena, now);

	return request_respond(&cause, request, response, changed_r, NULL);
}

static inline void core_lapse(struct arena *arena, struct request *request, int64_t now)
{
	struct cause cause = core_system(arena, now);

	request_lapse(&cause, request, meeting_effect(request, EFFECT_REQUEST_LAPSE));
}

static inline enum err core_cancel(struct arena *arena, struct request *request, int64_t now)
{
	struct cause cause = core_cause(arena, now, ROLE_CLIENT, core_client.id);

	return request_cancel(&cause, request, &core_cancellation, &(bool){true}, NULL);
}

static inline enum err core_cancel_meeting(
	struct arena *arena, struct request *request, int64_t now)
{
	struct cause cause = core_as_lawyer(arena, now);

	return request_cancel_meeting(
		&cause, request, &core_meeting_cancellation, &(bool){true}, NULL);
}

static inline enum err core_regenerate(struct arena *arena, struct request *request, int64_t now)
{
	struct cause cause = core_as_lawyer(arena, now);

	return request_regenerate(&cause, request, &core_regeneration, &(bool){true}, NULL);
}

static inline enum err core_move(
	struct arena *arena, struct request *request, int64_t now, int64_t starts_at)
{
	const struct meeting_rescheduling rescheduling = {
		.starts_at = starts_at, .reason = "The court moved."};
	struct cause cause = core_as_lawyer(arena, now);
	bool changed;

	return request_reschedule(&cause, request, &rescheduling, &changed, NULL);
}

/* Whose mail it is; what is no mail counts as the client's. */
static inline enum party core_party(const struct effect *effect)
{
	return effect->mail ? (enum party)effect->mail->party : PARTY_CLIENT;
}

/* NULL when there is none. */
static inline struct effect *core_effect(
	const struct request *request, enum effect_kind kind, enum party party)
{
	MODEL_FOREACH (&request->effects, struct effect, effect) {
		if (effect->kind == (int)kind && core_party(effect) == party)
			return effect;
	}
	return NULL;
}

static inline struct effect *core_creation(const struct request *request)
{
	return core_effect(request, EFFECT_MEETING_CREATE, PARTY_CLIENT);
}

static inline size_t core_count_effects(const struct request *request, enum effect_kind kind)
{
	size_t count = 0;

	MODEL_FOREACH (&request->effects, struct effect, effect) {
		count += effect->kind == (int)kind;
	}
	return count;
}

static inline void core_settle_creation(
	struct arena *arena, struct request *request, int64_t now, enum err err)
{
	struct cause cause = core_system(arena, now);
	struct effect *creation = core_creation(request);
	const struct effect_outcome outcome = {
		.err = err, .detail = err == ERR_OK ? "" : "The provider is away."};
	const struct meeting_link link = {
		.url = err == ERR_OK ? "https://meet.test/room" : NULL, .passcode = "4711"};

	creation->attempts += !creation->lease; /* as if it had been leased */
	provision_created(&cause, request, creation, &outcome, &link);
}

static inline void core_settle_mail(struct arena *arena, struct request *request,
	struct effect *mail, int64_t now, enum err err, const char *detail)
{
	struct cause cause = core_system(arena, now);
	const struct effect_outcome outcome = {.err = err, .detail = detail};

	mail->attempts += !mail->lease; /* as if it had been leased */
	news_settled(&cause, request, mail, &outcome);
}

enum core_state {
	CORE_OPEN,
	CORE_PENDING,
	CORE_READY,
	CORE_FAILED,
	CORE_DECLINED,
	CORE_LAPSED,
	CORE_CANCELLED,
	CORE_CANCELLED_PENDING,
	CORE_CANCELLED_READY,
	CORE_COMPLETED,
	CORE_STATES,
};

static inline struct request *core_in_state(struct arena *arena, enum core_state state)
{
	struct request *request = core_open(arena);
	bool changed;

	if (state == CORE_DECLINED)
		core_respond(arena, request, CORE_NOW, &core_decline, &changed);
	else if (state == CORE_LAPSED)
		core_lapse(arena, request, CORE_START);
	else if (state != CORE_OPEN && state != CORE_CANCELLED)
		core_respond(arena, request, CORE_NOW, &core_accept, &changed);
	if (state == CORE_READY || state == CORE_CANCELLED_READY || state == CORE_COMPLETED)
		core_settle_creation(arena, request, CORE_NOW, ERR_OK);
	if (state == CORE_FAILED)
		core_settle_creation(arena, request, CORE_NOW, ERR_PERMANENT);
	if (state == CORE_CANCELLED || state == CORE_CANCELLED_PENDING ||
		state == CORE_CANCELLED_READY)
		core_cancel(arena, request, CORE_NOW);
	if (state == CORE_COMPLETED)
		request->status = REQUEST_COMPLETED;
	return request;
}

/* Everything of an object that would be saved, as text. */
static inline const char *core_stored(
	struct arena *arena, const struct model *model, const void *object)
{
	return model_text(arena, model, object, MODEL_STORED);
}

static inline const char *core_saved(struct arena *arena, const struct request *request)
{
	return core_stored(arena, &request_model, request);
}

/* Leases every effect that may run now; returns how many. */
static inline size_t core_claim(
	struct request *request, int64_t now, const char *lease, int64_t lease_ms)
{
	size_t count = 0;

	MODEL_FOREACH (&request->effects, struct effect, effect) {
		count += effect_claim_one(request, effect, now, lease, lease_ms);
	}
	return count;
}

/* Accepted with zoom, which has made it. */
static inline struct request *core_at_zoom(struct arena *arena)
{
	const struct request_response accept = {
		.decision = DECISION_ACCEPT, .provider = "zoom", .message = "See you there."};
	const struct effect_outcome outcome = {.err = ERR_OK};
	struct request *request = core_open(arena);
	struct cause cause = core_system(arena, CORE_NOW);
	bool changed;

	core_respond(arena, request, CORE_NOW, &accept, &changed);
	core_claim(request, CORE_NOW, "ours", EFFECT_LEASE_MS);
	provision_created(&cause, request, core_creation(request), &outcome, &core_link);
	return request;
}

/* The effects of a request owed, in order, as one letter each: Create, Update, Delete, Expire,
 * Verify, Overlaps, and Lapse, but not the notice that waits for its time; and of mails to the
 * client r(eady), u(pdated), d(eclined), l(apsed), c(ancelled), w(ithdrawn), (dela)y(ed),
 * (re)m(inder), n(o-show), a(nswered), (le)t(ter of the lawyer), (not at another time) x. */
static inline const char *core_owed(struct arena *arena, const struct request *request)
{
	static const char letters[EFFECT_KIND_COUNT] = {
		[EFFECT_REQUEST_LAPSE] = 'L',
		[EFFECT_MEETING_CREATE] = 'C',
		[EFFECT_MEETING_UPDATE] = 'U',
		[EFFECT_MEETING_DELETE] = 'D',
		[EFFECT_MEETING_EXPIRE] = 'E',
		[EFFECT_MEETING_VERIFY] = 'V',
		[EFFECT_MEETING_OVERLAPS] = 'O',
		[EFFECT_MAIL_MEETING_READY] = 'r',
		[EFFECT_MAIL_MEETING_UPDATED] = 'u',
		[EFFECT_MAIL_REQUEST_DECLINED] = 'd',
		[EFFECT_MAIL_REQUEST_LAPSED] = 'l',
		[EFFECT_MAIL_MEETING_CANCELLED] = 'c',
		[EFFECT_MAIL_REQUEST_CANCELLED] = 'w',
		[EFFECT_MAIL_MEETING_DELAYED] = 'y',
		[EFFECT_MAIL_MEETING_REMINDER] = 'm',
		[EFFECT_MAIL_MEETING_MISSED] = 'n',
		[EFFECT_MAIL_MEETING_ANSWERED] = 'a',
		[EFFECT_MAIL_LETTER] = 't',
		[EFFECT_MAIL_PROPOSAL_DECLINED] = 'x',
	};
	char *owed = arena_alloc(arena, request->effects.count + 1);
	size_t count = 0;

	MODEL_FOREACH (&request->effects, struct effect, effect) {
		if (core_party(effect) == PARTY_CLIENT && letters[effect->kind])
			owed[count++] = letters[effect->kind];
	}
	return owed;
}

static inline size_t core_count_events(const struct request *request, const char *action)
{
	size_t count = 0;

	MODEL_FOREACH (&request->events, struct audit_event, event) {
		count += strcmp(event->action, action) == 0;
	}
	return count;
}

static inline const struct audit_event *core_last_event(const struct request *request)
{
	return MODEL_AT(&request->events, struct audit_event, request->events.count - 1);
}

/* A key ring of the given lines. */
static inline struct secret_ring *core_ring(const char *lines)
{
	char path[] = "/tmp/meetlink-unit-XXXXXX";
	struct secret_ring *ring = NULL;
	const int fd = mkstemp(path);

	if (fd < 0 || write(fd, lines, strlen(lines)) != (ssize_t)strlen(lines))
		abort();
	close(fd);
	CU_ASSERT_EQUAL_FATAL(secret_ring_load(path, &ring, NULL), ERR_OK);
	unlink(path);
	return ring;
}
#endif
