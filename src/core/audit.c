#include "audit.h"

#include <stdio.h>
#include <string.h>

#include "id.h"
#include "request.h"

static const struct model_field audit_actor_fields[] = {
	MODEL_FIELD(struct actor, id, MODEL_STRING, MODEL_STORED | MODEL_SHOWN | MODEL_SPARSE),
	MODEL_FIELD(struct actor, role, MODEL_ENUM, MODEL_STORED | MODEL_SHOWN | MODEL_REQUIRED,
		.names = role_names),
};

const struct model audit_actor_model = MODEL(struct actor, "actor", audit_actor_fields);

#define MUST (MODEL_STORED | MODEL_REQUIRED)
#define FIELD(type, member, flags, ...)                                                            \
	MODEL_FIELD(struct audit_event, member, type, MODEL_SHOWN | (flags), __VA_ARGS__)

static const struct model_field audit_event_fields[] = {
	FIELD(MODEL_STRING, id, MUST),
	FIELD(MODEL_INSTANT, at, MUST | MODEL_MS),
	FIELD(MODEL_OBJECT, actor, MUST, .of = &audit_actor_model),
	FIELD(MODEL_ENUM, source, MUST, .names = source_names),
	FIELD(MODEL_STRING, action, MUST),
	FIELD(MODEL_STRING, from, MODEL_STORED),
	FIELD(MODEL_STRING, to, MODEL_STORED),
	FIELD(MODEL_STRING, detail, MODEL_STORED),
	FIELD(MODEL_STRING, request_id, MUST),
	FIELD(MODEL_STRING, meeting_id, MODEL_STORED),
	FIELD(MODEL_STRING, trace_id, MODEL_STORED | MODEL_SPARSE),
	FIELD(MODEL_STRING, hash, MUST),
};

const struct model audit_event_model = MODEL(struct audit_event, "audit_event", audit_event_fields);

static const char *audit_text(const char *text)
{
	return text ? text : "";
}

static void audit_hash(const struct audit_event *event, const char *before, char hex_r[HASH_SIZE])
{
	char at[24];

	snprintf(at, sizeof(at), "%lld", (long long)event->at);
	hash_texts(hex_r, before, event->id, at, audit_text(event->actor->id),
		role_names[event->actor->role], source_names[event->source], event->action,
		audit_text(event->from), audit_text(event->to), audit_text(event->detail),
		event->request_id, audit_text(event->meeting_id), audit_text(event->trace_id),
		NULL);
}

void audit_append(struct cause *cause, const struct audit_subject *subject, const char *action,
	const char *from, const char *to, const char *detail)
{
	const char *before = "";
	struct audit_event *event;
	char *hash;

	if (subject->events->count)
		before = MODEL_AT(subject->events, struct audit_event, subject->events->count - 1)
				 ->hash;
	event = model_list_add(cause->arena, subject->events, sizeof(*event));
	*event = (struct audit_event){
		.id = cause_id(cause),
		.at = cause->now,
		.actor = arena_alloc(cause->arena, sizeof(struct actor)),
		.source = cause->source,
		.action = action,
		.from = from,
		.to = to,
		.detail = detail,
		.request_id = subject->request_id,
		.meeting_id = subject->meeting_id,
		.trace_id = cause->trace_id,
	};
	event->actor->id = cause->actor.id;
	event->actor->role = cause->actor.role;
	hash = arena_alloc(cause->arena, HASH_SIZE);
	audit_hash(event, before, hash);
	event->hash = hash;
}

void audit_add(struct cause *cause, struct request *request, const char *action, const char *from,
	const char *to, const char *detail)
{
	const struct audit_subject subject = {
		.events = &request->events,
		.request_id = request->id,
		.meeting_id = request->meeting ? request->meeting->id : NULL,
	};

	audit_append(cause, &subject, action, from, to, detail);
}

long audit_verify(const struct model_list *events, const char *request_id)
{
	const char *before = "";
	char hash[HASH_SIZE];
	long index = 0;

	MODEL_FOREACH (events, struct audit_event, event) {
		if (!event->hash || !event->id || !event->actor || !event->action ||
			!event->request_id)
			return index;
		audit_hash(event, before, hash);
		if (strcmp(hash, event->hash) != 0 || strcmp(event->request_id, request_id) != 0)
			return index;
		before = event->hash;
		index++;
	}
	return -1;
}
