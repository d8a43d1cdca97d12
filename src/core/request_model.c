/* The fields of a request and of the bodies that change it. */
#include "request.h"

const char *const request_status_names[] = {
	[REQUEST_OPEN] = "open",
	[REQUEST_ACCEPTED] = "accepted",
	[REQUEST_DECLINED] = "declined",
	[REQUEST_CANCELLED] = "cancelled",
	[REQUEST_COMPLETED] = "completed",
	NULL,
};

static const char *const decision_names[] = {
	[DECISION_ACCEPT] = "accept", [DECISION_DECLINE] = "decline", NULL};

#define BOTH  (MODEL_STORED | MODEL_SHOWN)
#define MUST  (BOTH | MODEL_REQUIRED)
#define HEAVY (MODEL_STORED | MODEL_HEAVY)

/* What a person may write into a field: length in characters, and whether it may have lines. */
#define TEXT(c_type, member, flags, min, max)                                                      \
	{                                                                                          \
#member, MODEL_STRING, offsetof(c_type, member), flags, NULL, NULL, min, max       \
	}

#define PERSON(member, flags, min, max) TEXT(struct person, member, BOTH | (flags), min, max)

static const struct model_field person_fields[] = {
	PERSON(id, MODEL_REQUIRED, 1, 128),
	PERSON(name, MODEL_REQUIRED, 1, 200),
	PERSON(email, MODEL_REQUIRED, 3, 254),
	PERSON(timezone, 0, 1, 64),
	PERSON(locale, 0, 2, 35),
};

static const struct model person_model = MODEL(struct person, "person", person_fields);

#define ANSWER(type, member, flags)                                                                \
	{                                                                                          \
#member, type, offsetof(struct request_answer, member), MODEL_STORED | (flags),    \
			NULL, NULL, 0, 0                                                           \
	}

static const struct model_field answer_fields[] = {
	ANSWER(MODEL_STRING, key, MODEL_REQUIRED),
	ANSWER(MODEL_STRING, input, MODEL_REQUIRED),
	ANSWER(MODEL_INT, status, 0),
	ANSWER(MODEL_STRING, reply, MODEL_SEALED | MODEL_REQUIRED),
	ANSWER(MODEL_INSTANT, until, MODEL_REQUIRED),
};

static const struct model answer_model = MODEL(struct request_answer, "answer", answer_fields);

#define FIELD(type, member, flags, of, names)                                                      \
	{                                                                                          \
#member, type, offsetof(struct request, member), flags, of, names, 0, 0            \
	}

static const struct model_field request_fields[] = {
	FIELD(MODEL_STRING, id, BOTH | MODEL_KEY, NULL, NULL),
	FIELD(MODEL_INT, rev, MODEL_STORED | MODEL_REQUIRED, NULL, NULL),
	FIELD(MODEL_ENUM, status, MUST, NULL, request_status_names),
	FIELD(MODEL_STRING, title, MUST, NULL, NULL),
	FIELD(MODEL_STRING, description, BOTH, NULL, NULL),
	FIELD(MODEL_OBJECT, client, MUST, &person_model, NULL),
	FIELD(MODEL_OBJECT, lawyer, MUST, &person_model, NULL),
	FIELD(MODEL_INSTANT, starts_at, MUST, NULL, NULL),
	FIELD(MODEL_INSTANT, ends_at, MUST, NULL, NULL),
	FIELD(MODEL_INT, duration_minutes, BOTH, NULL, NULL),
	FIELD(MODEL_STRING, timezone, MUST, NULL, NULL),
	FIELD(MODEL_STRING, message, BOTH, NULL, NULL),
	FIELD(MODEL_STRING, decision, MODEL_STORED | MODEL_SPARSE, NULL, NULL),
	FIELD(MODEL_OBJECT, meeting, BOTH, &meeting_model, NULL),
	FIELD(MODEL_LIST, events, HEAVY, &audit_event_model, NULL),
	FIELD(MODEL_LIST, effects, HEAVY, &effect_model, NULL),
	FIELD(MODEL_LIST, answers, HEAVY, &answer_model, NULL),
	FIELD(MODEL_INSTANT, due, MODEL_STORED | MODEL_SPARSE, NULL, NULL),
	FIELD(MODEL_INSTANT, created_at, BOTH, NULL, NULL),
	FIELD(MODEL_INSTANT, updated_at, BOTH, NULL, NULL),
};

const struct model request_model = MODEL(struct request, "request", request_fields);

#define DRAFT(member, flags, min, max) TEXT(struct request_draft, member, flags, min, max)

static const struct model_field draft_fields[] = {
	DRAFT(title, MODEL_REQUIRED, 1, 200),
	DRAFT(description, MODEL_MULTILINE, 0, 4000),
	{"client", MODEL_OBJECT, offsetof(struct request_draft, client), MODEL_REQUIRED,
		&person_model, NULL, 0, 0},
	{"lawyer", MODEL_OBJECT, offsetof(struct request_draft, lawyer), MODEL_REQUIRED,
		&person_model, NULL, 0, 0},
	{"starts_at", MODEL_INSTANT, offsetof(struct request_draft, starts_at), MODEL_REQUIRED,
		NULL, NULL, 0, 0},
	{"duration_minutes", MODEL_INT, offsetof(struct request_draft, duration_minutes),
		MODEL_REQUIRED, NULL, NULL, 5, 1440},
	DRAFT(timezone, 0, 1, 64),
};

const struct model request_draft_model = MODEL(struct request_draft, "draft", draft_fields);

#define RESPONSE(member, flags, min, max) TEXT(struct request_response, member, flags, min, max)

static const struct model_field response_fields[] = {
	{"decision", MODEL_ENUM, offsetof(struct request_response, decision), MODEL_REQUIRED, NULL,
		decision_names, 0, 0},
	{"starts_at", MODEL_INSTANT, offsetof(struct request_response, starts_at), 0, NULL, NULL, 0,
		0},
	{"duration_minutes", MODEL_INT, offsetof(struct request_response, duration_minutes), 0,
		NULL, NULL, 5, 1440},
	RESPONSE(timezone, 0, 1, 64),
	RESPONSE(provider, 0, 1, 32),
	RESPONSE(message, MODEL_MULTILINE, 0, 2000),
};

const struct model request_response_model =
	MODEL(struct request_response, "response", response_fields);

static const struct model_field cancellation_fields[] = {
	TEXT(struct request_cancellation, reason, MODEL_MULTILINE, 0, 2000),
};

const struct model request_cancellation_model =
	MODEL(struct request_cancellation, "cancellation", cancellation_fields);
