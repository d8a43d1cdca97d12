#include "store_request.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "store_private.h"

static void store_release_bson(void *handle)
{
	bson_destroy(handle);
}

static bson_t *store_request_bson(struct store *store, struct arena *arena, struct request *request)
{
	bson_t *bson = bson_new();

	arena_defer(arena, store_release_bson, bson);
	request->due = effect_next_due(request);
	store_mark_meeting(store, arena, request->meeting);
	audit_seal(arena, &request->events, request->rev == 1, &request->audit_seal);
	store_bson_write(store, arena, &request_model, request, request->id, bson);
	return bson;
}

enum err store_request_insert(
	struct store *store, struct arena *arena, struct request *request, struct err_info *info)
{
	struct store_session session;
	bson_error_t error;
	bson_t *bson;
	enum err err;

	request->rev = 1;
	bson = store_request_bson(store, arena, request);
	err = store_session_begin(store, &session, info);
	if (err != ERR_OK)
		return err;
	if (!mongoc_collection_insert_one(session.requests, bson, NULL, NULL, &error))
		err = store_error(&error, "insert request", info);
	return store_session_end(&session, err);
}

enum err store_request_read(struct store *store, struct arena *arena, const bson_t *bson,
	enum store_depth depth, struct request **request_r, struct err_info *info)
{
	struct request *request = arena_alloc(arena, sizeof(*request));
	bson_iter_t iter;
	const char *id;
	enum err err;

	if (!bson_iter_init_find(&iter, bson, "_id") || !BSON_ITER_HOLDS_UTF8(&iter))
		return err_set(info, ERR_UNREADABLE, "A document has no id.");
	id = arena_strdup(arena, bson_iter_utf8(&iter, NULL));
	*request_r = request;
	bson_iter_init(&iter, bson);
	err = store_bson_read(store, arena, &request_model, &iter, id, request, info);
	/* What is loaded in part can never be saved. */
	if (depth == STORE_CURRENT)
		request->rev = 0;
	else if (err == ERR_OK && request->rev < 1)
		err = err_set(info, ERR_UNREADABLE, "Document %s: request.rev cannot be read.", id);
	return err;
}

/* Heavy fields at any depth of objects, by their path. */
static void store_exclude_heavy(bson_t *projection, const struct model *model, const char *path)
{
	const struct model_field *field;
	char name[128];

	for (field = model->fields; field < model->fields + model->field_count; field++) {
		snprintf(name, sizeof(name), "%s%s", path, field->name);
		if (field->flags & MODEL_HEAVY) {
			bson_append_int32(projection, name, -1, 0);
		} else if (field->type == MODEL_OBJECT) {
			snprintf(name, sizeof(name), "%s%s.", path, field->name);
			store_exclude_heavy(projection, field->of, name);
		}
	}
}

void store_append_projection(bson_t *options, enum store_depth depth)
{
	bson_t projection;

	if (depth == STORE_WHOLE)
		return;
	BSON_APPEND_DOCUMENT_BEGIN(options, "projection", &projection);
	store_exclude_heavy(&projection, &request_model, "");
	bson_append_document_end(options, &projection);
}

enum err store_request_load(struct store *store, struct arena *arena, const char *id,
	enum store_depth depth, struct request **request_r, struct err_info *info)
{
	bson_t filter = BSON_INITIALIZER, options = BSON_INITIALIZER;
	struct store_session session;
	mongoc_cursor_t *cursor;
	const bson_t *bson;
	bson_error_t error;
	enum err err;

	err = store_session_begin(store, &session, info);
	if (err != ERR_OK)
		return err;
	BSON_APPEND_UTF8(&filter, "_id", id);
	BSON_APPEND_INT64(&options, "limit", 1);
	BSON_APPEND_BOOL(&options, "singleBatch", true);
	store_append_projection(&options, depth);
	cursor = mongoc_collection_find_with_opts(session.requests, &filter, &options, NULL);
	if (mongoc_cursor_next(cursor, &bson))
		err = store_request_read(store, arena, bson, depth, request_r, info);
	else if (mongoc_cursor_error(cursor, &error))
		err = store_error(&error, "load request", info);
	else
		err = err_set(info, ERR_NOT_FOUND, "There is no such request.");
	mongoc_cursor_destroy(cursor);
	bson_destroy(&options);
	bson_destroy(&filter);
	return store_session_end(&session, err);
}

enum err store_request_replace(
	struct store *store, struct arena *arena, struct request *request, struct err_info *info)
{
	bson_t filter = BSON_INITIALIZER, reply;
	struct store_session session;
	bson_error_t error;
	bson_iter_t iter;
	bson_t *bson;
	enum err err;

	err = store_session_begin(store, &session, info);
	if (err != ERR_OK)
		return err;
	BSON_APPEND_UTF8(&filter, "_id", request->id);
	assert(request->rev > 0);
	BSON_APPEND_INT64(&filter, "rev", request->rev);
	request->rev++;
	bson = store_request_bson(store, arena, request);
	if (!mongoc_collection_replace_one(session.requests, &filter, bson, NULL, &reply, &error))
		err = store_error(&error, "replace request", info);
	else if (!bson_iter_init_find(&iter, &reply, "matchedCount") ||
		 bson_iter_as_int64(&iter) != 1)
		err = err_set(info, ERR_CONFLICT, "The request was changed at the same time.");
	bson_destroy(&reply);
	bson_destroy(&filter);
	return store_session_end(&session, err);
}

enum err store_request_due(struct store *store, struct arena *arena, int64_t now, int64_t limit,
	struct model_list *list_r, struct err_info *info)
{
	struct store_session session;
	mongoc_cursor_t *cursor;
	bson_t *filter, *options;
	struct store_due *item;
	const bson_t *bson;
	bson_error_t error;
	bson_iter_t id, due;
	enum err err;

	err = store_session_begin(store, &session, info);
	if (err != ERR_OK)
		return err;
	filter = BCON_NEW("due", "{", "$lte", BCON_DATE_TIME(now), "}");
	options = BCON_NEW("sort", "{", "due", BCON_INT32(1), "}", "limit", BCON_INT64(limit),
		"singleBatch", BCON_BOOL(true), "projection", "{", "due", BCON_INT32(1), "}");
	cursor = mongoc_collection_find_with_opts(session.requests, filter, options, NULL);
	while (mongoc_cursor_next(cursor, &bson)) {
		if (!bson_iter_init_find(&id, bson, "_id") || !BSON_ITER_HOLDS_UTF8(&id) ||
			!bson_iter_init_find(&due, bson, "due"))
			continue;
		item = model_list_add(arena, list_r, sizeof(*item));
		item->id = arena_strdup(arena, bson_iter_utf8(&id, NULL));
		item->due = bson_iter_date_time(&due);
	}
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
	update = BCON_NEW("$set", "{", "due", BCON_DATE_TIME(until), "}");
	if (!mongoc_collection_update_one(session.requests, filter, update, NULL, NULL, &error))
		err = store_error(&error, "postpone request", info);
	bson_destroy(update);
	bson_destroy(filter);
	return store_session_end(&session, err);
}
