/*
 * What the version before stored. A policy had fewer fields: what is not there has its default.
 * The rest is about requests. It kept what an effect carries in the effect itself,
 * whatever its kind; each has an object of its own now. Its open requests owed nothing, and lapse
 * now. Such a document is read through here and has the new form with the next write; `meetlink
 * rotate-keys` writes all of them. What requests are found by, and were not, is not in such a
 * document either: `meetlink init-db` adds it.
 */
#include <string.h>

#include "config.h"
#include "id.h"
#include "log.h"
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

bool store_is_former(const bson_t *bson)
{
	bson_iter_t field, member;

	if (!bson_iter_init_find(&field, bson, "over_at"))
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

/* Asked of every configuration that is loaded, so it builds nothing. */
static bool former_lacks(const bson_iter_t *policy)
{
	const struct model_field *field;
	bson_iter_t own;

	for (field = policy_model.fields; field < policy_model.fields + policy_model.field_count;
		field++)
		if (!bson_iter_recurse(policy, &own) || !bson_iter_find(&own, field->name))
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
	bson_iter_t field, policy;
	bson_t *defaults, *read;

	if (!bson_iter_init_find(&policy, bson, "policy") || !BSON_ITER_HOLDS_DOCUMENT(&policy) ||
		!former_lacks(&policy))
		return bson;
	defaults = bson_new();
	arena_defer(arena, store_release_bson, defaults);
	read = bson_new();
	arena_defer(arena, store_release_bson, read);
	store_bson_write(store, arena, &policy_model, &policy_default, CONFIG_ID, defaults);
	bson_iter_init(&field, bson);
	while (bson_iter_next(&field)) {
		if (strcmp(bson_iter_key(&field), "policy") == 0)
			former_append_policy(&policy, defaults, read);
		else
			bson_append_iter(read, NULL, 0, &field);
	}
	return read;
}

void store_former_answer(struct arena *arena, struct request *request)
{
	if (request->meeting && !request->meeting->attendance)
		request->meeting->attendance = meeting_unanswered(arena);
	MODEL_FOREACH (&request->meetings, struct meeting, meeting) {
		if (!meeting->attendance)
			meeting->attendance = meeting_unanswered(arena);
	}
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

static const struct model_field former_found_fields[] = {
	MODEL_FIELD(struct request, due, MODEL_INSTANT, MODEL_STORED | MODEL_SPARSE),
	MODEL_FIELD(struct request, owed, MODEL_TIMES, MODEL_STORED | MODEL_SPARSE),
	MODEL_FIELD(struct request, owes, MODEL_STRINGS, MODEL_STORED),
	MODEL_FIELD(struct request, failed_at, MODEL_INSTANT, MODEL_STORED | MODEL_SPARSE),
	MODEL_FIELD(struct request, shelf, MODEL_STRING, MODEL_STORED | MODEL_SPARSE),
	MODEL_FIELD(struct request, over_at, MODEL_INSTANT, MODEL_STORED),
	MODEL_FIELD(struct request, lawyer_until, MODEL_INSTANT, MODEL_STORED | MODEL_SPARSE),
	MODEL_FIELD(struct request, admin_until, MODEL_INSTANT, MODEL_STORED | MODEL_SPARSE),
};

static const struct model former_found_model =
	MODEL(struct request, "request", former_found_fields);

/* Adds what a request is found by, unless somebody has written it meanwhile: then it has it. */
static enum err former_complete_one(
	struct store *store, struct arena *arena, const char *id, struct err_info *info)
{
	struct store_session session;
	bson_t *filter, *update, set;
	struct request *request;
	bson_error_t error;
	enum err err;

	err = store_request_load(store, arena, id, STORE_WHOLE, &request, info);
	if (err == ERR_OK)
		err = store_session_begin(store, &session, info);
	if (err != ERR_OK)
		return err;
	store_request_derive(arena, request);
	filter = BCON_NEW("_id", BCON_UTF8(id), "rev", BCON_INT64(request->rev));
	update = bson_new();
	BSON_APPEND_DOCUMENT_BEGIN(update, "$set", &set);
	store_bson_write(store, arena, &former_found_model, request, id, &set);
	bson_append_document_end(update, &set);
	if (!mongoc_collection_update_one(
		    store_requests(&session), filter, update, NULL, NULL, &error))
		err = store_error(&error, "complete a request", info);
	bson_destroy(update);
	bson_destroy(filter);
	return store_session_end(&session, err);
}

/* The ids behind `last`: strings. */
static enum err former_page(struct store *store, struct arena *arena, const char *last,
	struct model_list *list_r, struct err_info *info)
{
	bson_t *filter = BCON_NEW("over_at", BCON_NULL, "_id", "{", "$gt", BCON_UTF8(last), "}");
	bson_t *options = BCON_NEW("sort", "{", "_id", BCON_INT32(1), "}", "limit",
		BCON_INT64(FORMER_PAGE), "projection", "{", "_id", BCON_INT32(1), "}");
	const enum err err = store_request_ids(store, arena, filter, options,
		"look for requests of the version before", list_r, info);

	bson_destroy(options);
	bson_destroy(filter);
	return err;
}

enum err store_request_complete_former(struct store *store, struct err_info *info)
{
	struct arena *arena = arena_new(), *one;
	struct model_list ids = {0};
	const char *last = "";
	enum err err;

	do {
		ids = (struct model_list){0};
		err = former_page(store, arena, last, &ids, info);
		MODEL_FOREACH (&ids, const char *, id) {
			last = *id;
			one = arena_new();
			if (err == ERR_OK)
				err = former_complete_one(store, one, *id, info);
			arena_free(&one);
			/* Who cannot be read is in no list anyway. */
			if (err == ERR_UNREADABLE || err == ERR_NOT_FOUND) {
				log_error("request %s is left as it is: %s", *id, info->detail);
				err_clear(info);
				err = ERR_OK;
			}
		}
	} while (err == ERR_OK && ids.count);
	arena_free(&arena);
	return err;
}
