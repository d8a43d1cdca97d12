/*
 * What the version before stored. A policy had fewer fields: what is not there has its default.
 * The rest is about requests. It kept what an effect carries in the effect itself,
 * whatever its kind; each has an object of its own now. Its open requests owed nothing, and lapse
 * now. Such a document is read through here and has the new form with the next write; `meetlink
 * rotate-keys` writes all of them, and `meetlink init-db` has the open ones found when their time
 * comes.
 */
#include <stdio.h>
#include <string.h>

#include "config.h"
#include "id.h"
#include "store_private.h"

struct former_name {
	const char *former, *name;
};

/* What belonged to whom; what is in none of these is the effect's own. */
static const struct former_name former_creation[] = {{"begun", "begun"}, {"repeated", "repeated"},
	{"tries", "tries"}, {"tried", "tried"}, {"left", "maybe_made"}, {"hope", "recoverable"},
	{"wait_s", "wait_s"}, {NULL, NULL}};
static const struct former_name former_mail[] = {{"party", "party"}, {"starts_at", "starts_at"},
	{"ends_at", "ends_at"}, {"provider", "provider"}, {NULL, NULL}};
static const struct former_name former_removal[] = {{"target", "removal"}, {NULL, NULL}};

static const char *former_find(const struct former_name *names, const char *former)
{
	for (; names->former; names++)
		if (strcmp(names->former, former) == 0)
			return names->name;
	return NULL;
}

static bool former_effect_is(const bson_iter_t *effect)
{
	bson_iter_t field;

	return BSON_ITER_HOLDS_DOCUMENT(effect) && bson_iter_recurse(effect, &field) &&
	       bson_iter_find(&field, "party");
}

/* Moves the members that have a name there into an object. */
static void former_append_payload(
	const bson_iter_t *effect, const char *payload, const struct former_name *names, bson_t *to)
{
	bson_iter_t field;
	const char *name;
	bson_t object;

	bson_iter_recurse(effect, &field);
	bson_append_document_begin(to, payload, -1, &object);
	while (bson_iter_next(&field)) {
		name = former_find(names, bson_iter_key(&field));
		if (name)
			bson_append_iter(&object, name, -1, &field);
	}
	bson_append_document_end(to, &object);
}

static void former_append_effect(const bson_iter_t *effect, bson_t *to)
{
	const char *kind = "", *name;
	bson_iter_t field;

	bson_iter_recurse(effect, &field);
	while (bson_iter_next(&field)) {
		name = bson_iter_key(&field);
		if (strcmp(name, "kind") == 0 && BSON_ITER_HOLDS_UTF8(&field))
			kind = bson_iter_utf8(&field, NULL);
		if (former_find(former_removal, name))
			bson_append_iter(to, former_find(former_removal, name), -1, &field);
		else if (!former_find(former_creation, name) && !former_find(former_mail, name))
			bson_append_iter(to, name, -1, &field);
	}
	if (strcmp(kind, "meeting.create") == 0)
		former_append_payload(effect, "creation", former_creation, to);
	if (strncmp(kind, "mail.", strlen("mail.")) == 0)
		former_append_payload(effect, "mail", former_mail, to);
}

static void former_append_effects(const bson_iter_t *effects, bson_t *to)
{
	bson_t array, object;
	bson_iter_t effect;

	bson_iter_recurse(effects, &effect);
	bson_append_array_begin(to, "effects", -1, &array);
	while (bson_iter_next(&effect)) {
		if (!former_effect_is(&effect)) {
			bson_append_iter(&array, NULL, 0, &effect);
			continue;
		}
		bson_append_document_begin(&array, bson_iter_key(&effect), -1, &object);
		former_append_effect(&effect, &object);
		bson_append_document_end(&array, &object);
	}
	bson_append_array_end(to, &array);
}

static void former_append_news(const bson_iter_t *news, bson_t *to)
{
	bson_iter_t field;
	bson_t object;

	bson_iter_recurse(news, &field);
	bson_append_document_begin(to, bson_iter_key(news), -1, &object);
	while (bson_iter_next(&field))
		bson_append_iter(&object,
			strcmp(bson_iter_key(&field), "told") == 0 ? "invited"
								   : bson_iter_key(&field),
			-1, &field);
	bson_append_document_end(to, &object);
}

static bool former_is_news(const bson_iter_t *field)
{
	const char *key = bson_iter_key(field);

	return (strcmp(key, "client_news") == 0 || strcmp(key, "lawyer_news") == 0) &&
	       BSON_ITER_HOLDS_DOCUMENT(field);
}

/* Open, and found by no dispatcher. */
static bool former_is_open(const bson_t *bson)
{
	bson_iter_t status, due;

	return bson_iter_init_find(&status, bson, "status") && BSON_ITER_HOLDS_UTF8(&status) &&
	       strcmp(bson_iter_utf8(&status, NULL), request_status_names[REQUEST_OPEN]) == 0 &&
	       !bson_iter_init_find(&due, bson, "due");
}

bool store_is_former(const bson_t *bson)
{
	bson_iter_t field, member;

	if (former_is_open(bson))
		return true;
	bson_iter_init(&field, bson);
	while (bson_iter_next(&field)) {
		if (former_is_news(&field) && bson_iter_recurse(&field, &member) &&
			bson_iter_find(&member, "told"))
			return true;
		if (strcmp(bson_iter_key(&field), "effects") == 0 &&
			BSON_ITER_HOLDS_ARRAY(&field) && bson_iter_recurse(&field, &member))
			while (bson_iter_next(&member))
				if (former_effect_is(&member))
					return true;
	}
	return false;
}

const bson_t *store_former_read(struct arena *arena, const bson_t *bson)
{
	bson_iter_t field;
	bson_t *read;

	if (!store_is_former(bson))
		return bson;
	read = bson_new();
	arena_defer(arena, store_release_bson, read);
	bson_iter_init(&field, bson);
	while (bson_iter_next(&field)) {
		if (strcmp(bson_iter_key(&field), "effects") == 0 && BSON_ITER_HOLDS_ARRAY(&field))
			former_append_effects(&field, read);
		else if (former_is_news(&field))
			former_append_news(&field, read);
		else
			bson_append_iter(read, NULL, 0, &field);
	}
	return read;
}

static bool former_lacks(const bson_iter_t *policy, const bson_t *defaults)
{
	bson_iter_t field, own;

	bson_iter_init(&field, defaults);
	while (bson_iter_next(&field))
		if (!bson_iter_recurse(policy, &own) ||
			!bson_iter_find(&own, bson_iter_key(&field)))
			return true;
	return false;
}

static void former_append_policy(const bson_iter_t *policy, const bson_t *defaults, bson_t *to)
{
	bson_iter_t field, own;
	bson_t object;

	bson_append_document_begin(to, "policy", -1, &object);
	bson_iter_recurse(policy, &own);
	while (bson_iter_next(&own))
		bson_append_iter(&object, NULL, 0, &own);
	bson_iter_init(&field, defaults);
	while (bson_iter_next(&field)) {
		bson_iter_recurse(policy, &own);
		if (!bson_iter_find(&own, bson_iter_key(&field)))
			bson_append_iter(&object, NULL, 0, &field);
	}
	bson_append_document_end(to, &object);
}

const bson_t *store_former_config(struct store *store, struct arena *arena, const bson_t *bson)
{
	bson_t *defaults = bson_new(), *read = bson_new();
	bson_iter_t field, policy;

	arena_defer(arena, store_release_bson, defaults);
	arena_defer(arena, store_release_bson, read);
	store_bson_write(store, arena, &policy_model, &policy_default, CONFIG_ID, defaults);
	if (!bson_iter_init_find(&policy, bson, "policy") || !BSON_ITER_HOLDS_DOCUMENT(&policy) ||
		!former_lacks(&policy, defaults))
		return bson;
	bson_iter_init(&field, bson);
	while (bson_iter_next(&field)) {
		if (strcmp(bson_iter_key(&field), "policy") == 0)
			former_append_policy(&policy, defaults, read);
		else
			bson_append_iter(read, NULL, 0, &field);
	}
	return read;
}

void store_former_complete(struct arena *arena, struct request *request)
{
	char *id = arena_alloc(arena, ID_SIZE);
	struct effect *lapse;

	if (request->status != REQUEST_OPEN || meeting_effect(request, EFFECT_REQUEST_LAPSE))
		return;
	id_derive(id, NULL, 0, effect_kind_names[EFFECT_REQUEST_LAPSE], request->id, NULL);
	lapse = model_list_add(arena, &request->effects, sizeof(*lapse));
	*lapse = (struct effect){
		.id = id,
		.kind = EFFECT_REQUEST_LAPSE,
		.created_at = request->created_at,
		.due = request->starts_at,
	};
}

/* ---- what lies in the database ---- */

enum { FORMER_PAGE = 1000 };

/* A document's `due` is that of its effects, of which it has none: nobody changes it meanwhile, but
 * with a write that gives it one. */
static bool former_set_due(mongoc_collection_t *requests, const bson_t *bson, bson_error_t *error)
{
	bson_t *filter, *update;
	bson_iter_t id, start;
	bool done;

	if (!former_is_open(bson) || !bson_iter_init_find(&id, bson, "_id") ||
		!bson_iter_init_find(&start, bson, "starts_at") ||
		!BSON_ITER_HOLDS_DATE_TIME(&start))
		return true;
	filter = BCON_NEW("_id", BCON_UTF8(bson_iter_utf8(&id, NULL)), "due", "{", "$exists",
		BCON_BOOL(false), "}");
	update = BCON_NEW("$set", "{", "due", BCON_DATE_TIME(bson_iter_date_time(&start)), "}");
	done = mongoc_collection_update_one(requests, filter, update, NULL, NULL, error);
	bson_destroy(update);
	bson_destroy(filter);
	return done;
}

/* The page behind `last`, which then names the last of it; *rows_r: how many it had. */
static enum err former_due_page(
	struct store *store, char *last, size_t size, int *rows_r, struct err_info *info)
{
	struct store_session session;
	bson_t *filter, *options;
	mongoc_cursor_t *cursor;
	bool done = true;
	const bson_t *bson;
	bson_error_t error;
	bson_iter_t id;
	enum err err;

	err = store_session_begin(store, &session, info);
	if (err != ERR_OK)
		return err;
	filter = BCON_NEW("_id", "{", "$gt", BCON_UTF8(last), "}");
	options = BCON_NEW("sort", "{", "_id", BCON_INT32(1), "}", "limit", BCON_INT64(FORMER_PAGE),
		"projection", "{", "status", BCON_INT32(1), "due", BCON_INT32(1), "starts_at",
		BCON_INT32(1), "}");
	cursor = mongoc_collection_find_with_opts(session.requests, filter, options, NULL);
	for (*rows_r = 0; done && mongoc_cursor_next(cursor, &bson); (*rows_r)++) {
		if (bson_iter_init_find(&id, bson, "_id") && BSON_ITER_HOLDS_UTF8(&id))
			snprintf(last, size, "%s", bson_iter_utf8(&id, NULL));
		done = former_set_due(session.requests, bson, &error);
	}
	if (!done || mongoc_cursor_error(cursor, &error))
		err = store_error(&error, "look for open requests", info);
	mongoc_cursor_destroy(cursor);
	bson_destroy(options);
	bson_destroy(filter);
	return store_session_end(&session, err);
}

enum err store_request_due_former(struct store *store, struct err_info *info)
{
	char last[ID_SIZE] = "";
	enum err err;
	int rows;

	do
		err = former_due_page(store, last, sizeof(last), &rows, info);
	while (err == ERR_OK && rows == FORMER_PAGE);
	return err;
}
