#include "store_request.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "agenda.h"
#include "clock.h"
#include "fingerprint.h"
#include "metrics.h"
#include "outbox.h"
#include "proposal.h"
#include "store_archive.h"
#include "store_private.h"

void store_release_bson(void *handle)
{
	bson_destroy(handle);
}

void store_request_derive(struct arena *arena, struct request *request)
{
	request->due = effect_next_due(request);
	request->owed = effect_owed(arena, request);
	request->owes = outbox_marks(arena, request);
	request->failed_at = effect_first_failed(request);
	agenda_set(request);
}

static bson_t *store_request_bson(struct store *store, struct arena *arena, struct request *request)
{
	bson_t *bson = bson_new();

	arena_defer(arena, store_release_bson, bson);
	store_request_derive(arena, request);
	store_mark_meeting(store, arena, request->meeting);
	request->fingerprint = fingerprint_of(arena, store->ring, request);
	audit_seal(
		arena, &request->before, &request->events, request->rev == 1, &request->audit_seal);
	store_bson_write(store, arena, &request_model, request, request->id, bson);
	return bson;
}

static void store_count_events(enum err err, size_t count)
{
	if (err == ERR_OK)
		metrics_add(METRIC_AUDIT_EVENTS, count);
}

/* How often its meeting has become ready since it was loaded. */
static size_t store_meetings_made(const struct request *request)
{
	size_t made = 0, i;

	for (i = request->was.events; i < request->events.count; i++)
		made += strcmp(MODEL_AT(&request->events, struct audit_event, i)->action,
				"meeting.ready") == 0;
	return made;
}

enum err store_request_insert(
	struct store *store, struct arena *arena, struct request *request, struct err_info *info)
{
	struct store_session session;
	bson_error_t error;
	bson_t *bson;
	enum err err;

	request->rev = 1;
	err = store_announce(store, arena, NULL, request, info);
	if (err != ERR_OK)
		return err;
	bson = store_request_bson(store, arena, request);
	err = store_session_begin(store, &session, info);
	if (err != ERR_OK)
		return err;
	if (!mongoc_collection_insert_one(store_requests(&session), bson, NULL, NULL, &error))
		err = store_error(&error, "insert request", info);
	store_count_events(err, request->events.count);
	request_remember(request);
	return store_session_end(&session, err);
}

static bool store_is_for_saving(enum store_depth depth)
{
	return depth == STORE_END || depth == STORE_WHOLE;
}

/* What rules take for granted, beside what is required of each field. */
static enum err store_check_whole(
	const struct request *request, enum store_depth depth, struct err_info *info)
{
	if (!request->meeting &&
		(request->status == REQUEST_ACCEPTED || request->status == REQUEST_COMPLETED))
		return err_set(
			info, ERR_UNREADABLE, "Document %s: it has no meeting.", request->id);
	if (request->meeting && store_is_for_saving(depth) && !request->meeting->provider_key)
		return err_set(info, ERR_UNREADABLE,
			"Document %s: meeting.provider_key is missing.", request->id);
	MODEL_FOREACH (&request->effects, struct effect, effect) {
		if (!effect_is_whole(request, effect))
			return err_set(info, ERR_UNREADABLE,
				"Document %s: the effect %s (%s) lacks what it is about.",
				request->id, effect->id, effect_kind_names[effect->kind]);
	}
	return ERR_OK;
}

/* What of a request STORE_TAG is. */
#define TAG(c_type, member, type, ...)                                                             \
	MODEL_FIELD(c_type, member, type, MODEL_STORED | MODEL_REQUIRED, __VA_ARGS__)
#define TAG_SIDE(field_name, party)                                                                \
	{                                                                                          \
		.name = #field_name, .type = MODEL_OBJECT, .flags = MODEL_STORED | MODEL_REQUIRED, \
		.of = &store_tag_person,                                                           \
		.offset = offsetof(struct request, side) + (party) * sizeof(struct side) +         \
			  offsetof(struct side, person)                                            \
	}

static const struct model_field store_tag_person_fields[] = {
	TAG(struct person, id, MODEL_STRING),
};
static const struct model store_tag_person =
	MODEL(struct person, "person", store_tag_person_fields);

static const struct model_field store_tag_meeting_fields[] = {
	TAG(struct meeting, opens_at, MODEL_INSTANT),
	TAG(struct meeting, expires_at, MODEL_INSTANT),
	MODEL_FIELD(struct meeting, changes_until, MODEL_INSTANT, MODEL_STORED),
};
static const struct model store_tag_meeting =
	MODEL(struct meeting, "meeting", store_tag_meeting_fields);

static const struct model_field store_tag_proposal_fields[] = {
	TAG(struct proposal, starts_at, MODEL_INSTANT),
};
static const struct model store_tag_proposal =
	MODEL(struct proposal, "proposal", store_tag_proposal_fields);

static const struct model_field store_tag_fields[] = {
	MODEL_FIELD(struct request, id, MODEL_STRING, MODEL_STORED | MODEL_KEY),
	TAG_SIDE(client, PARTY_CLIENT),
	TAG_SIDE(lawyer, PARTY_LAWYER),
	TAG(struct request, status, MODEL_ENUM, .names = request_status_names),
	TAG(struct request, starts_at, MODEL_INSTANT),
	TAG(struct request, ends_at, MODEL_INSTANT),
	MODEL_FIELD(struct request, meeting, MODEL_OBJECT, MODEL_STORED, .of = &store_tag_meeting),
	MODEL_FIELD(
		struct request, proposal, MODEL_OBJECT, MODEL_STORED, .of = &store_tag_proposal),
	MODEL_FIELD(struct request, updated_at, MODEL_INSTANT, MODEL_STORED),
	MODEL_FIELD(struct request, fingerprint, MODEL_STRING, MODEL_STORED),
};
static const struct model store_tag_model = MODEL(struct request, "request", store_tag_fields);

/* What a depth leaves out. */
static const struct store_omission store_depths[] = {
	[STORE_CURRENT] = {MODEL_HEAVY | MODEL_HISTORY | MODEL_INDEXED},
	[STORE_OWED] = {MODEL_HEAVY | MODEL_HISTORY, .but = &effect_model},
	[STORE_HISTORY] = {MODEL_HEAVY | MODEL_INDEXED},
	[STORE_TAG] = {0},
	[STORE_END] = {MODEL_HEAVY | MODEL_HISTORY, .but_texts = true},
	[STORE_WHOLE] = {0},
};

/* In full, for saving. */
static enum err store_complete(
	struct arena *arena, enum store_depth depth, struct request *request, struct err_info *info)
{
	if (request->rev < 1)
		return err_set(info, ERR_UNREADABLE, "Document %s: request.rev cannot be read.",
			request->id);
	if (depth == STORE_WHOLE)
		store_former_complete(arena, request);
	request_remember(request);
	if (depth == STORE_WHOLE)
		audit_seal_loaded(arena, &request->before, &request->events, &request->audit_seal);
	return ERR_OK;
}

enum err store_request_read(struct store *store, struct arena *arena, const bson_t *bson,
	enum store_depth depth, struct request **request_r, struct err_info *info)
{
	struct request *request = arena_alloc(arena, sizeof(*request));
	uint8_t *bytes = arena_alloc(arena, bson->len);
	struct store_reading reading = {
		.store = store, .arena = arena, .lasting = true, .omission = store_depths[depth]};
	bson_iter_t iter;
	bson_t kept;
	enum err err;

	memcpy(bytes, bson_get_data(bson), bson->len);
	bson_init_static(&kept, bytes, bson->len);
	if (!bson_iter_init_find(&iter, &kept, "_id") || !BSON_ITER_HOLDS_UTF8(&iter))
		return err_set(info, ERR_UNREADABLE, "A document has no id.");
	reading.id = bson_iter_utf8(&iter, NULL);
	*request_r = request;
	/* What is shown has the same form as in the version before, but for effects. */
	bson_iter_init(&iter, store_is_for_saving(depth) || depth == STORE_OWED
				      ? store_former_read(arena, &kept)
				      : &kept);
	err = store_bson_read_some(&reading, depth == STORE_TAG ? &store_tag_model : &request_model,
		&iter, request, info);
	if (err != ERR_OK || depth == STORE_TAG)
		return err;
	if (request->archived)
		request->before = *request->archived;
	store_former_answer(arena, request);
	if (store_is_for_saving(depth))
		err = store_complete(arena, depth, request, info);
	else
		request->rev = 0; /* What is loaded for showing can never be saved. */
	return err == ERR_OK ? store_check_whole(request, depth, info) : err;
}

/* What a depth loads. Objects come whole, and what is left out of them is not read: to cut them up
 * takes a database longer than to send them. */
static bson_t *store_project(const struct model *model, const struct store_omission *omission)
{
	bson_t *projection = bson_new();

	MODEL_FOREACH_FIELD (model, field) {
		if ((field->flags & MODEL_STORED) && !store_omits(omission, field))
			bson_append_int32(projection, store_field_key(field), -1, 1);
	}
	return projection;
}

void store_projections_init(struct store *store)
{
	int depth;

	for (depth = 0; depth < STORE_DEPTHS; depth++)
		if (depth != STORE_WHOLE)
			store->projections[depth] = store_project(
				depth == STORE_TAG ? &store_tag_model : &request_model,
				&store_depths[depth]);
}

void store_projections_fini(struct store *store)
{
	int depth;

	for (depth = 0; depth < STORE_DEPTHS; depth++)
		bson_destroy(store->projections[depth]);
}

const bson_t *store_projection(const struct store *store, enum store_depth depth)
{
	return store->projections[depth];
}

void store_append_projection(bson_t *options, const struct store *store, enum store_depth depth)
{
	if (store->projections[depth])
		BSON_APPEND_DOCUMENT(options, "projection", store->projections[depth]);
}

static enum err store_request_find(struct store *store, struct arena *arena, const char *id,
	enum store_depth depth, struct request **request_r, struct err_info *info)
{
	bson_t filter = BSON_INITIALIZER;
	const struct store_search find = {
		.collection = "requests",
		.filter = &filter,
		.projection = store_projection(store, depth),
		.limit = 1,
	};
	struct store_session session;
	struct store_rows rows;
	const bson_t *bson;
	enum err err;

	err = store_session_begin(store, &session, info);
	if (err != ERR_OK)
		return err;
	BSON_APPEND_UTF8(&filter, "_id", id);
	err = store_rows_find(&session, &find, "load request", &rows, info);
	if (err == ERR_OK && (bson = store_rows_next(&rows)))
		err = store_request_read(store, arena, bson, depth, request_r, info);
	else if (err == ERR_OK)
		err = err_set(info, ERR_NOT_FOUND, "There is no such request.");
	store_rows_end(&rows);
	bson_destroy(&filter);
	return store_session_end(&session, err);
}

/* How many events the document itself holds, when only the end of its trail was loaded. */
static int64_t store_events_kept(const struct request *request)
{
	return request->before.count - (request->archived ? request->archived->count : 0);
}

/* Whether the end is enough: its seal says where it is, and no archive is due. */
static bool store_has_end(struct arena *arena, struct request *request)
{
	return audit_head_read(arena, request->audit_seal, &request->before) &&
	       store_events_kept(request) < AUDIT_KEPT + 2 * AUDIT_PART;
}

enum err store_request_load(struct store *store, struct arena *arena, const char *id,
	enum store_depth depth, struct request **request_r, struct err_info *info)
{
	enum err err = store_request_find(store, arena, id, depth, request_r, info);

	if (err == ERR_OK && depth == STORE_END && !store_has_end(arena, *request_r))
		err = store_request_find(store, arena, id, STORE_WHOLE, request_r, info);
	return err;
}

/* Sends one guarded write, with a reply that says whether it found its document. */
static enum err store_guarded(struct store *store, const struct request *request,
	bool (*write)(mongoc_collection_t *, const bson_t *, const bson_t *, const bson_t *,
		bson_t *, bson_error_t *),
	const bson_t *content, struct err_info *info)
{
	bson_t *filter, reply;
	struct store_session session;
	bson_error_t error;
	enum err err;

	err = store_session_begin(store, &session, info);
	if (err != ERR_OK)
		return err;
	filter = BCON_NEW("_id", BCON_UTF8(request->id), "rev", BCON_INT64(request->rev - 1));
	if (!write(store_requests(&session), filter, content, NULL, &reply, &error))
		err = store_error(&error, "replace request", info);
	else if (!store_matched(&reply))
		err = err_set(info, ERR_CONFLICT, "The request was changed at the same time.");
	bson_destroy(&reply);
	bson_destroy(filter);
	return store_session_end(&session, err);
}

enum err store_request_replace(
	struct store *store, struct arena *arena, struct request *request, struct err_info *info)
{
	const size_t added = request->events.count - request->was.events,
		     made = store_meetings_made(request);
	enum err err;

	assert(request->rev > 0 && store_events_kept(request) == 0);
	err = store_archive(store, arena, request->id, request->audit_seal, &request->archived,
		&request->events, info);
	if (err != ERR_OK)
		return err;
	if (request->archived)
		request->before = *request->archived;
	request->rev++;
	request_answer_forget(request, clock_now_ms());
	err = store_guarded(store, request, mongoc_collection_replace_one,
		store_request_bson(store, arena, request), info);
	store_count_events(err, added);
	if (err == ERR_OK)
		metrics_add(METRIC_MEETINGS, made);
	request_remember(request);
	return err;
}

/* What a use of a link changes, beside the trail. */
static const struct model_field store_use_fields[] = {
	MODEL_FIELD(struct request, rev, MODEL_INT, MODEL_STORED),
	MODEL_FIELD(struct request, audit_seal, MODEL_STRING, MODEL_STORED | MODEL_SEALED),
};

static const struct model store_use_model = MODEL(struct request, "request", store_use_fields);

static void store_append_uses(
	struct store *store, struct arena *arena, const struct request *request, bson_t *set)
{
	const void *uses;
	bson_t child;

	MODEL_FOREACH_FIELD (&meeting_model, field) {
		if (field->of != &link_uses_model)
			continue;
		uses = *(void *const *)((const char *)request->meeting + field->offset);
		if (!uses)
			continue;
		bson_append_document_begin(
			set, arena_printf(arena, "meeting.%s", field->name), -1, &child);
		store_bson_write(store, arena, &link_uses_model, uses, request->id, &child);
		bson_append_document_end(set, &child);
	}
}

/* A use of a link is one event. */
static enum err store_request_append(
	struct store *store, struct arena *arena, struct request *request, struct err_info *info)
{
	bson_t *update = bson_new(), set, push, event;
	enum err err;

	arena_defer(arena, store_release_bson, update);
	assert(request->rev > 0 && request->events.count == 1);
	request->rev++;
	audit_seal_end(arena, &request->before, &request->events, &request->audit_seal);
	BSON_APPEND_DOCUMENT_BEGIN(update, "$set", &set);
	store_bson_write(store, arena, &store_use_model, request, request->id, &set);
	store_append_uses(store, arena, request, &set);
	bson_append_document_end(update, &set);
	BSON_APPEND_DOCUMENT_BEGIN(update, "$push", &push);
	BSON_APPEND_DOCUMENT_BEGIN(&push, "events", &event);
	store_bson_write(
		store, arena, &audit_event_model, request->events.items, request->id, &event);
	bson_append_document_end(&push, &event);
	bson_append_document_end(update, &push);
	err = store_guarded(store, request, mongoc_collection_update_one, update, info);
	store_count_events(err, 1);
	return err;
}

enum err store_request_save(
	struct store *store, struct arena *arena, struct request *request, struct err_info *info)
{
	return store_events_kept(request) ? store_request_append(store, arena, request, info)
					  : store_request_replace(store, arena, request, info);
}

static void store_read_due(struct arena *arena, const bson_t *bson, struct model_list *list)
{
	struct model_time *time;
	struct store_due *item;
	bson_iter_t id, due, owed;

	if (!bson_iter_init_find(&id, bson, "_id") || !BSON_ITER_HOLDS_UTF8(&id))
		return;
	item = model_list_add(arena, list, sizeof(*item));
	item->id = arena_strdup(arena, bson_iter_utf8(&id, NULL));
	if (bson_iter_init_find(&due, bson, "due"))
		item->due = bson_iter_date_time(&due);
	if (!bson_iter_init_find(&due, bson, "owed") || !BSON_ITER_HOLDS_DOCUMENT(&due) ||
		!bson_iter_recurse(&due, &owed))
		return;
	while (bson_iter_next(&owed)) {
		time = model_list_add(arena, &item->owed, sizeof(*time));
		time->name = arena_strdup(arena, bson_iter_key(&owed));
		time->at = bson_iter_date_time(&owed);
	}
}

enum err store_request_due(struct store *store, struct arena *arena,
	const struct store_due_search *search, struct model_list *list_r, struct err_info *info)
{
	const char *field = search->queue ? arena_printf(arena, "owed.%s", search->queue) : "due";
	struct store_session session;
	mongoc_cursor_t *cursor;
	bson_t *filter, *options;
	const bson_t *bson;
	bson_error_t error;
	enum err err;

	err = store_session_begin(store, &session, info);
	if (err != ERR_OK)
		return err;
	filter = BCON_NEW(field, "{", "$gte", BCON_DATE_TIME(search->from), "$lte",
		BCON_DATE_TIME(search->now), "}");
	options = BCON_NEW("sort", "{", field, BCON_INT32(1), "}", "skip", BCON_INT64(search->skip),
		"limit", BCON_INT64(search->limit), "singleBatch", BCON_BOOL(true), "projection",
		"{", "due", BCON_INT32(1), "owed", BCON_INT32(1), "}");
	cursor = store_find(store_requests(&session), filter, options);
	while (mongoc_cursor_next(cursor, &bson))
		store_read_due(arena, bson, list_r);
	if (mongoc_cursor_error(cursor, &error))
		err = store_error(&error, "find due requests", info);
	mongoc_cursor_destroy(cursor);
	bson_destroy(options);
	bson_destroy(filter);
	return store_session_end(&session, err);
}

enum err store_request_postpone(
	struct store *store, const char *id, int64_t now, int64_t until, struct err_info *info)
{
	struct store_session session;
	bson_t *filter, *update;
	bson_error_t error;
	enum err err;

	err = store_session_begin(store, &session, info);
	if (err != ERR_OK)
		return err;
	filter = BCON_NEW("_id", BCON_UTF8(id), "due", "{", "$lte", BCON_DATE_TIME(now), "}");
	update = BCON_NEW("$set", "{", "due", BCON_DATE_TIME(until), "}", "$unset", "{", "owed",
		BCON_BOOL(true), "}");
	if (!mongoc_collection_update_one(
		    store_requests(&session), filter, update, NULL, NULL, &error))
		err = store_error(&error, "postpone request", info);
	bson_destroy(update);
	bson_destroy(filter);
	return store_session_end(&session, err);
}
