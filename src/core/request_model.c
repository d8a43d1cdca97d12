/* The fields of a request and of the bodies that change it. */
#include "proposal.h"

const char *const request_status_names[] = {
	[REQUEST_OPEN] = "open",
	[REQUEST_ACCEPTED] = "accepted",
	[REQUEST_DECLINED] = "declined",
	[REQUEST_LAPSED] = "lapsed",
	[REQUEST_CANCELLED] = "cancelled",
	[REQUEST_COMPLETED] = "completed",
	NULL,
};

const char *const decision_names[] = {
	[DECISION_ACCEPT] = "accept", [DECISION_DECLINE] = "decline", NULL};

#define BOTH  (MODEL_STORED | MODEL_SHOWN)
#define MUST  (BOTH | MODEL_REQUIRED)
#define HEAVY (MODEL_STORED | MODEL_HEAVY)

/* What it is found by. */
#define INDEXED (MODEL_STORED | MODEL_SPARSE | MODEL_INDEXED)

/* What a person may write into a field: length in characters, and whether it may have lines. */
#define TEXT(c_type, member, flags, least, most, ...)                                              \
	MODEL_FIELD(c_type, member, MODEL_STRING, flags, .min = least, .max = most, __VA_ARGS__)

#define PERSON(member, flags, ...) TEXT(struct person, member, BOTH | (flags), __VA_ARGS__)

static const struct model_field person_fields[] = {
	PERSON(id, MODEL_REQUIRED | MODEL_ACTOR, 1, 128),
	PERSON(name, MODEL_REQUIRED, 1, 200, .example = "Maria Ex"),
	PERSON(email, MODEL_REQUIRED | MODEL_EMAIL, 3, 254),
	PERSON(timezone, MODEL_ZONE, 1, 64),
	PERSON(locale, MODEL_LOCALE, 2, 35),
	MODEL_FIELD(struct person, undeliverable, MODEL_INSTANT, BOTH | MODEL_SPARSE),
};

const struct model person_model = MODEL(struct person, "person", person_fields);

/* What may be said of a person: all but what is found out, the last. */
static const struct model person_draft_model = {
	.name = "person_draft",
	.size = sizeof(struct person),
	.fields = person_fields,
	.field_count = sizeof(person_fields) / sizeof(person_fields[0]) - 1,
};

#define NOTE(type, member, ...)                                                                    \
	MODEL_FIELD(struct reply_note, member, type, MODEL_STORED | MODEL_REQUIRED, __VA_ARGS__)

static const struct model_field reply_note_fields[] = {
	NOTE(MODEL_STRING, digest),
	NOTE(MODEL_INSTANT, at),
	NOTE(MODEL_ENUM, party, .names = party_names),
};

static const struct model reply_note_model = MODEL(struct reply_note, "reply", reply_note_fields);

#define ANSWER(type, member, flags)                                                                \
	MODEL_FIELD(struct request_answer, member, type, MODEL_STORED | (flags))

static const struct model_field answer_fields[] = {
	ANSWER(MODEL_STRING, key, MODEL_REQUIRED),
	ANSWER(MODEL_STRING, input, MODEL_REQUIRED),
	ANSWER(MODEL_INT, status, 0),
	ANSWER(MODEL_STRING, reply, MODEL_SEALED | MODEL_SPARSE),
	ANSWER(MODEL_STRING, tag, MODEL_SPARSE),
	ANSWER(MODEL_INSTANT, until, MODEL_REQUIRED),
};

static const struct model answer_model = MODEL(struct request_answer, "answer", answer_fields);

#define ASKED(type, member) MODEL_FIELD(struct asked, member, type, MODEL_STORED | MODEL_REQUIRED)

static const struct model_field asked_fields[] = {
	ASKED(MODEL_INSTANT, starts_at),
	ASKED(MODEL_INT, duration_minutes),
	ASKED(MODEL_STRING, timezone),
};

static const struct model asked_model = MODEL(struct asked, "asked", asked_fields);

#define FIELD(type, member, flags, ...)                                                            \
	MODEL_FIELD(struct request, member, type, flags, __VA_ARGS__)

#define SIDE(field_name, party, member, field_flags, model)                                        \
	{                                                                                          \
		.name = #field_name, .type = MODEL_OBJECT, .flags = (field_flags), .of = (model),  \
		.offset = offsetof(struct request, side) + (party) * sizeof(struct side) +         \
			  offsetof(struct side, member)                                            \
	}

static const struct model_field request_fields[] = {
	FIELD(MODEL_STRING, id, BOTH | MODEL_KEY),
	FIELD(MODEL_INT, rev, MODEL_STORED | MODEL_REQUIRED),
	FIELD(MODEL_ENUM, status, MUST, .names = request_status_names),
	FIELD(MODEL_STRING, title, MUST),
	FIELD(MODEL_STRING, description, BOTH),
	SIDE(client, PARTY_CLIENT, person, MUST, &person_model),
	SIDE(lawyer, PARTY_LAWYER, person, MUST, &person_model),
	FIELD(MODEL_INSTANT, starts_at, MUST),
	FIELD(MODEL_INSTANT, ends_at, MUST),
	FIELD(MODEL_INT, duration_minutes, BOTH),
	FIELD(MODEL_STRING, timezone, MUST),
	FIELD(MODEL_OBJECT, asked, MODEL_STORED | MODEL_SPARSE, .of = &asked_model),
	FIELD(MODEL_STRING, message, BOTH),
	FIELD(MODEL_OBJECT, proposal, BOTH, .of = &proposal_model),
	FIELD(MODEL_STRING, decision, HEAVY | MODEL_SPARSE),
	FIELD(MODEL_OBJECT, meeting, BOTH, .of = &meeting_model),
	FIELD(MODEL_LIST, meetings, MODEL_STORED | MODEL_HISTORY | MODEL_SPARSE,
		.of = &meeting_model),
	SIDE(client_news, PARTY_CLIENT, news, HEAVY | MODEL_SPARSE, &person_news_model),
	SIDE(lawyer_news, PARTY_LAWYER, news, HEAVY | MODEL_SPARSE, &person_news_model),
	FIELD(MODEL_OBJECT, archived, MODEL_STORED | MODEL_SPARSE, .of = &audit_head_model),
	FIELD(MODEL_LIST, events, HEAVY, .of = &audit_event_model),
	FIELD(MODEL_STRING, audit_seal, HEAVY | MODEL_SEALED),
	FIELD(MODEL_LIST, effects, HEAVY, .of = &effect_model),
	FIELD(MODEL_LIST, answers, HEAVY, .of = &answer_model),
	FIELD(MODEL_LIST, replies, HEAVY | MODEL_SPARSE, .of = &reply_note_model),
	FIELD(MODEL_INTS, changes, HEAVY | MODEL_SPARSE),
	FIELD(MODEL_STRINGS, overlaps, HEAVY | MODEL_SPARSE),
	FIELD(MODEL_STRINGS, overlaps_allowed, HEAVY | MODEL_SPARSE),
	FIELD(MODEL_INSTANT, due, INDEXED),
	FIELD(MODEL_TIMES, owed, HEAVY | MODEL_SPARSE),
	FIELD(MODEL_STRINGS, owes, HEAVY),
	FIELD(MODEL_INSTANT, failed_at, MODEL_STORED | MODEL_SPARSE),
	FIELD(MODEL_STRING, shelf, INDEXED),
	FIELD(MODEL_INSTANT, over_at, INDEXED),
	FIELD(MODEL_INSTANT, client_until, INDEXED),
	FIELD(MODEL_INSTANT, lawyer_until, INDEXED),
	FIELD(MODEL_INSTANT, admin_until, INDEXED),
	FIELD(MODEL_INSTANT, proposed_until, INDEXED),
	FIELD(MODEL_STRING, fingerprint, MODEL_STORED | MODEL_SPARSE),
	FIELD(MODEL_INSTANT, created_at, BOTH),
	FIELD(MODEL_INSTANT, updated_at, BOTH),
};

const struct model request_model = MODEL(struct request, "request", request_fields);

#define DRAFT(member, flags, ...) TEXT(struct request_draft, member, flags, __VA_ARGS__)

#define DRAFT_PERSON(field_name, party)                                                            \
	{                                                                                          \
		.name = #field_name, .type = MODEL_OBJECT, .flags = MODEL_REQUIRED,                \
		.of = &person_draft_model,                                                         \
		.offset =                                                                          \
			offsetof(struct request_draft, person) + (party) * sizeof(struct person *) \
	}

static const struct model_field draft_fields[] = {
	DRAFT(title, MODEL_REQUIRED, 1, 200, .example = "Advice on a contract"),
	DRAFT(description, MODEL_MULTILINE, 0, 4000),
	DRAFT_PERSON(client, PARTY_CLIENT),
	DRAFT_PERSON(lawyer, PARTY_LAWYER),
	MODEL_FIELD(struct request_draft, starts_at, MODEL_INSTANT, MODEL_REQUIRED),
	MODEL_FIELD(struct request_draft, duration_minutes, MODEL_INT, MODEL_REQUIRED, .min = 5,
		.max = 1440),
	DRAFT(timezone, MODEL_ZONE, 1, 64),
};

const struct model request_draft_model = MODEL(struct request_draft, "request_draft", draft_fields);

#define RESPONSE(member, flags, min, max) TEXT(struct request_response, member, flags, min, max)

static const struct model_field response_fields[] = {
	MODEL_FIELD(struct request_response, decision, MODEL_ENUM, MODEL_REQUIRED,
		.names = decision_names),
	MODEL_FIELD(struct request_response, starts_at, MODEL_INSTANT, 0),
	MODEL_FIELD(struct request_response, duration_minutes, MODEL_INT, 0, .min = 5, .max = 1440),
	RESPONSE(timezone, MODEL_ZONE, 1, 64),
	RESPONSE(provider, MODEL_PROVIDER, 1, 32),
	RESPONSE(message, MODEL_MULTILINE, 0, 2000),
	RESPONSE(lawyer_email, MODEL_EMAIL, 3, 254),
	MODEL_FIELD(struct request_response, allow_overlap, MODEL_BOOL, 0),
};

const struct model request_response_model =
	MODEL(struct request_response, "request_response", response_fields);

static const struct model_field cancellation_fields[] = {
	TEXT(struct request_cancellation, reason, MODEL_MULTILINE, 0, 2000,
		.example = "The matter is settled."),
};

const struct model request_cancellation_model =
	MODEL(struct request_cancellation, "cancellation", cancellation_fields);

static const struct model_field regeneration_fields[] = {
	TEXT(struct meeting_regeneration, reason, MODEL_MULTILINE, 0, 2000),
	TEXT(struct meeting_regeneration, provider, MODEL_PROVIDER, 1, 32),
	MODEL_FIELD(struct meeting_regeneration, allow_overlap, MODEL_BOOL, 0),
};

const struct model meeting_regeneration_model =
	MODEL(struct meeting_regeneration, "regeneration", regeneration_fields);

static const struct model_field rescheduling_fields[] = {
	MODEL_FIELD(struct meeting_rescheduling, starts_at, MODEL_INSTANT, MODEL_REQUIRED),
	MODEL_FIELD(
		struct meeting_rescheduling, duration_minutes, MODEL_INT, 0, .min = 5, .max = 1440),
	TEXT(struct meeting_rescheduling, timezone, MODEL_ZONE, 1, 64),
	TEXT(struct meeting_rescheduling, reason, MODEL_MULTILINE, 0, 2000),
	MODEL_FIELD(struct meeting_rescheduling, allow_overlap, MODEL_BOOL, 0),
};

const struct model meeting_rescheduling_model =
	MODEL(struct meeting_rescheduling, "rescheduling", rescheduling_fields);

static const struct model_field verdict_fields[] = {
	MODEL_FIELD(struct meeting_verdict, outcome, MODEL_ENUM, MODEL_REQUIRED,
		.names = meeting_outcome_names),
};

const struct model meeting_verdict_model = MODEL(struct meeting_verdict, "verdict", verdict_fields);
