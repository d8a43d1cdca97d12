#include "audit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "id.h"
#include "instant.h"
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

static const struct model_field audit_head_fields[] = {
	MODEL_FIELD(struct audit_head, count, MODEL_INT, MUST),
	MODEL_FIELD(struct audit_head, at, MODEL_INSTANT, MUST),
	MODEL_FIELD(struct audit_head, hash, MODEL_STRING, MUST),
};

const struct model audit_head_model = MODEL(struct audit_head, "audit_head", audit_head_fields);

#define PART(type, member, flags, ...)                                                             \
	MODEL_FIELD(struct audit_part, member, type, MODEL_STORED | (flags), __VA_ARGS__)

static const struct model_field audit_part_fields[] = {
	PART(MODEL_STRING, id, MODEL_KEY),
	PART(MODEL_STRING, document_id, MODEL_REQUIRED),
	PART(MODEL_OBJECT, before, MODEL_SPARSE, .of = &audit_head_model),
	PART(MODEL_LIST, events, MODEL_REQUIRED, .of = &audit_event_model),
	PART(MODEL_STRING, audit_seal, MODEL_REQUIRED | MODEL_SEALED),
};

const struct model audit_part_model = MODEL(struct audit_part, "audit_part", audit_part_fields);

static const struct model_field audit_trail_fields[] = {
	MODEL_FIELD(struct audit_trail, id, MODEL_STRING, MODEL_STORED | MODEL_KEY),
	MODEL_FIELD(struct audit_trail, archived, MODEL_OBJECT, MODEL_STORED | MODEL_SPARSE,
		.of = &audit_head_model),
	MODEL_FIELD(struct audit_trail, events, MODEL_LIST, MODEL_STORED, .of = &audit_event_model),
};

const struct model audit_trail_model = MODEL(struct audit_trail, "audit_trail", audit_trail_fields);

static const struct model_field audit_seal_fields[] = {
	MODEL_FIELD(struct audit_trail, audit_seal, MODEL_STRING, MODEL_STORED | MODEL_SEALED),
};

const struct model audit_seal_model = MODEL(struct audit_trail, "audit_trail", audit_seal_fields);

/* A text that may be null, which is not the same as an empty one. */
#define AUDIT_TEXT(text) (text) ? "+" : "-", (text) ? (text) : ""

static void audit_hash(const struct audit_event *event, const char *before, char hex_r[HASH_SIZE])
{
	char at[24];

	snprintf(at, sizeof(at), "%lld", (long long)event->at);
	hash_texts(hex_r, before, event->id, at, AUDIT_TEXT(event->actor->id),
		role_names[event->actor->role], source_names[event->source], event->action,
		AUDIT_TEXT(event->from), AUDIT_TEXT(event->to), AUDIT_TEXT(event->detail),
		event->request_id, AUDIT_TEXT(event->meeting_id), AUDIT_TEXT(event->trace_id),
		NULL);
}

/* The hash of the last of the first `count` events at hand, or of what precedes them; "" of none.
 */
static const char *audit_hash_at(
	const struct audit_head *before, const struct model_list *events, size_t count)
{
	if (count)
		return MODEL_AT(events, struct audit_event, count - 1)->hash;
	return before->count ? before->hash : "";
}

static int64_t audit_last_at(const struct audit_head *before, const struct model_list *events)
{
	if (events->count)
		return MODEL_AT(events, struct audit_event, events->count - 1)->at;
	return before->at;
}

void audit_append(struct cause *cause, const struct audit_subject *subject, const char *action,
	const char *from, const char *to, const char *detail)
{
	const int64_t last_at = audit_last_at(&subject->before, subject->events);
	const char *before =
		audit_hash_at(&subject->before, subject->events, subject->events->count);
	struct audit_event *event;
	char *hash;

	event = model_list_add(cause->arena, subject->events, sizeof(*event));
	*event = (struct audit_event){
		.id = cause_id(cause),
		/* Who began earlier may come later: time does not go back in a trail. */
		.at = cause->now > last_at ? cause->now : last_at,
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
		.before = request->before,
		.request_id = request->id,
		.meeting_id = request->meeting ? request->meeting->id : NULL,
	};

	audit_append(cause, &subject, action, from, to, detail);
}

static bool audit_same(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

bool audit_add_bounded(struct cause *cause, struct request *request, const char *action,
	const char *from, const char *to, const char *detail)
{
	const struct model_list *events = &request->events;
	const struct audit_event *event;
	size_t i;

	for (i = request->before.count + (int64_t)events->count >= AUDIT_LONG ? events->count : 0;
		i-- > 0;) {
		event = MODEL_AT(events, struct audit_event, i);
		if (event->at <= cause->now - INSTANT_HOUR)
			break;
		if (strcmp(event->action, action) == 0 && audit_same(event->from, from) &&
			audit_same(event->to, to) && audit_same(event->detail, detail) &&
			audit_same(event->actor->id, cause->actor.id))
			return false;
	}
	audit_add(cause, request, action, from, to, detail);
	return true;
}

long audit_verify(
	const struct audit_head *head, const struct model_list *events, const char *request_id)
{
	const char *before = head && head->count ? head->hash : "";
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

/* Whether the trail holds what was sealed, and perhaps more. */
static bool audit_extends(
	const struct audit_head *before, const struct model_list *events, const char *seal)
{
	int64_t count;
	const char *last;
	char *hash;

	if (!seal)
		return false;
	count = strtoll(seal, &hash, 10) - before->count;
	if (count < 0 || count > (int64_t)events->count || *hash++ != ' ')
		return false;
	last = audit_hash_at(before, events, (size_t)count);
	return strncmp(hash, last, strlen(last)) == 0 && strchr(" ", hash[strlen(last)]);
}

void audit_seal(struct arena *arena, const struct audit_head *before,
	const struct model_list *events, bool fresh, const char **seal)
{
	if (fresh || audit_extends(before, events, *seal))
		audit_seal_end(arena, before, events, seal);
}

static const char audit_unfit[] = "unfit: ";

bool audit_seal_fits(const char *seal)
{
	return seal && strncmp(seal, audit_unfit, strlen(audit_unfit)) != 0;
}

void audit_seal_loaded(struct arena *arena, const struct audit_head *before,
	const struct model_list *events, const char **seal)
{
	if (!audit_seal_fits(*seal) ||
		(audit_extends(before, events, *seal) &&
			strtoll(*seal, NULL, 10) == before->count + (int64_t)events->count))
		return;
	*seal = arena_printf(arena, "%s%s", audit_unfit, *seal);
}

void audit_seal_end(struct arena *arena, const struct audit_head *before,
	const struct model_list *events, const char **seal)
{
	const long long count = (long long)before->count + (long long)events->count;

	*seal = count ? arena_printf(arena, "%lld %s %lld", count,
				audit_hash_at(before, events, events->count),
				(long long)audit_last_at(before, events))
		      : "0 ";
}

bool audit_head_read(struct arena *arena, const char *seal, struct audit_head *head_r)
{
	char *hash, *at;

	if (!seal)
		return false;
	head_r->count = strtoll(seal, &hash, 10);
	if (head_r->count <= 0 || *hash++ != ' ' || strcspn(hash, " ") != HASH_SIZE - 1)
		return false;
	at = hash + HASH_SIZE - 1;
	head_r->hash = arena_strndup(arena, hash, HASH_SIZE - 1);
	head_r->at = strtoll(at, NULL, 10);
	return head_r->at > 0;
}

const char *audit_part_id(struct arena *arena, const char *document_id, int64_t first)
{
	return arena_printf(arena, "%s/%09lld", document_id, (long long)first);
}

bool audit_archive(struct arena *arena, const char *document_id, struct audit_head **archived,
	struct model_list *events, struct audit_part *part_r)
{
	struct audit_head *before = *archived, *head;
	struct audit_event *items = events->items;

	if (events->count < AUDIT_KEPT + AUDIT_PART)
		return false;
	*part_r = (struct audit_part){
		.id = audit_part_id(arena, document_id, before ? before->count : 0),
		.document_id = document_id,
		.before = before,
	};
	MODEL_FOREACH (events, struct audit_event, event) {
		if (part_r->events.count == AUDIT_PART)
			break;
		*(struct audit_event *)model_list_add(arena, &part_r->events, sizeof(*event)) =
			*event;
	}
	head = arena_alloc(arena, sizeof(*head));
	*head = (struct audit_head){
		.count = (before ? before->count : 0) + AUDIT_PART,
		.at = items[AUDIT_PART - 1].at,
		.hash = items[AUDIT_PART - 1].hash,
	};
	audit_seal_end(arena, head, &(struct model_list){0}, &part_r->audit_seal);
	events->count -= AUDIT_PART;
	memmove(items, items + AUDIT_PART, events->count * sizeof(*items));
	*archived = head;
	return true;
}

const char *audit_flaw(const struct audit_trail *trail, long *index_r)
{
	static const struct audit_head none;
	const long count = (long)trail->events.count,
		   index = audit_verify(&none, &trail->events, trail->id);

	if (trail->unreadable) {
		*index_r = index >= 0 ? index : count > 0 ? count - 1 : 0;
		return trail->unreadable;
	}
	*index_r = index >= 0 ? index : count;
	if (index >= 0)
		return "does not follow from its content and the event before it";
	if (!trail->audit_seal)
		return "the trail has no seal that a key of the key file opens";
	if (strtol(trail->audit_seal, NULL, 10) != count)
		return "the trail was sealed with another number of events";
	if (!audit_extends(&none, &trail->events, trail->audit_seal))
		return "the trail was sealed with another last event";
	return NULL;
}
