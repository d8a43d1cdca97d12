#include "store_archive.h"

#include <string.h>

#include "fault.h"
#include "store_private.h"

static mongoc_collection_t *store_archives(const struct store_session *session)
{
	return mongoc_client_get_collection(session->client, session->store->database, "archives");
}

enum err store_archive_save(struct store *store, struct arena *arena, const struct audit_part *part,
	struct err_info *info)
{
	mongoc_collection_t *collection;
	struct store_session session;
	bson_t *bson, *filter, *options;
	bson_error_t error;
	enum err err;

	err = store_session_begin(store, &session, info);
	if (err != ERR_OK)
		return err;
	collection = store_archives(&session);
	filter = BCON_NEW("_id", BCON_UTF8(part->id));
	options = BCON_NEW("upsert", BCON_BOOL(true));
	bson = bson_new();
	store_bson_write(store, arena, &audit_part_model, part, part->id, bson);
	if (!mongoc_collection_replace_one(collection, filter, bson, options, NULL, &error))
		err = store_error(&error, "archive audit events", info);
	bson_destroy(bson);
	bson_destroy(options);
	bson_destroy(filter);
	mongoc_collection_destroy(collection);
	return store_session_end(&session, err);
}

enum err store_archive(struct store *store, struct arena *arena, const char *document_id,
	const char *seal, struct audit_head **archived, struct model_list *events,
	struct err_info *info)
{
	struct audit_part part;
	enum err err = ERR_OK;

	while (err == ERR_OK && audit_seal_fits(seal) &&
		audit_archive(arena, document_id, archived, events, &part)) {
		err = store_archive_save(store, arena, &part, info);
		fault_pass(FAULT_ARCHIVE_AFTER_SAVE);
	}
	return err;
}

/* One as it was sealed. */
static enum err store_archive_read(struct store *store, struct arena *arena, const bson_t *bson,
	struct audit_part *part_r, struct err_info *info)
{
	const struct audit_head none = {0}, *before;
	bson_iter_t iter;
	const char *id;
	enum err err;

	if (!bson_iter_init_find(&iter, bson, "_id") || !BSON_ITER_HOLDS_UTF8(&iter))
		return err_set(info, ERR_UNREADABLE, "An archive has no id.");
	id = arena_strdup(arena, bson_iter_utf8(&iter, NULL));
	*part_r = (struct audit_part){0};
	bson_iter_init(&iter, bson);
	err = store_bson_read(store, arena, &audit_part_model, &iter, id, part_r, info);
	if (err != ERR_OK)
		return err;
	before = part_r->before ? part_r->before : &none;
	audit_seal_loaded(arena, before, &part_r->events, &part_r->audit_seal);
	if (!audit_seal_fits(part_r->audit_seal) ||
		strcmp(id, audit_part_id(arena, part_r->document_id, before->count)) != 0)
		return err_set(info, ERR_UNREADABLE, "Archive %s is not what was sealed.", id);
	return ERR_OK;
}

static enum err store_archive_find(struct store *store, struct arena *arena, bson_t *filter,
	enum err (*take)(void *data, const struct audit_part *part, struct err_info *info),
	void *data, struct err_info *info)
{
	mongoc_collection_t *collection;
	struct store_session session;
	struct audit_part part;
	mongoc_cursor_t *cursor;
	const bson_t *bson;
	bson_error_t error;
	bson_t *options;
	enum err err;

	err = store_session_begin(store, &session, info);
	if (err != ERR_OK)
		return err;
	collection = store_archives(&session);
	options = BCON_NEW("sort", "{", "_id", BCON_INT32(1), "}");
	cursor = store_find(collection, filter, options);
	while (err == ERR_OK && mongoc_cursor_next(cursor, &bson)) {
		err = store_archive_read(store, arena, bson, &part, info);
		if (err == ERR_OK)
			err = take(data, &part, info);
	}
	if (err == ERR_OK && mongoc_cursor_error(cursor, &error))
		err = store_error(&error, "read archives", info);
	mongoc_cursor_destroy(cursor);
	bson_destroy(options);
	mongoc_collection_destroy(collection);
	return store_session_end(&session, err);
}

static enum err store_archive_keep(void *data, const struct audit_part *part, struct err_info *info)
{
	(void)info;
	*(struct audit_part *)data = *part;
	return ERR_OK;
}

enum err store_archive_load(struct store *store, struct arena *arena, const char *part_id,
	struct audit_part *part_r, struct err_info *info)
{
	bson_t *filter = BCON_NEW("_id", BCON_UTF8(part_id));
	enum err err;

	*part_r = (struct audit_part){0};
	err = store_archive_find(store, arena, filter, store_archive_keep, part_r, info);
	bson_destroy(filter);
	if (err == ERR_OK && !part_r->id)
		return err_set(info, ERR_NOT_FOUND, "There is no such archive.");
	return err;
}

/* A stretch of a trail that is put together from its archives. */
struct archive_stretch {
	struct arena *arena;
	int64_t next, until; /* of the trail */
	struct model_list *list;
};

static enum err store_stretch_add(void *data, const struct audit_part *part, struct err_info *info)
{
	const int64_t first = part->before ? part->before->count : 0;
	struct archive_stretch *stretch = data;
	struct audit_event *event;

	if (stretch->next < first)
		return err_set(info, ERR_UNREADABLE, "Archive %s is missing.",
			audit_part_id(stretch->arena, part->document_id,
				stretch->next - stretch->next % AUDIT_PART));
	for (; stretch->next < stretch->until &&
		stretch->next < first + (int64_t)part->events.count;
		stretch->next++) {
		event = model_list_add(stretch->arena, stretch->list, sizeof(*event));
		*event = *MODEL_AT(
			&part->events, struct audit_event, (size_t)(stretch->next - first));
	}
	return ERR_OK;
}

enum err store_archive_events(struct store *store, struct arena *arena, const char *document_id,
	int64_t from, int64_t until, struct model_list *list_r, struct err_info *info)
{
	struct archive_stretch stretch = {arena, from, until, list_r};
	const char *first = audit_part_id(arena, document_id, from - from % AUDIT_PART);
	const char *end = audit_part_id(arena, document_id, until);
	bson_t *filter;
	enum err err;

	if (from >= until)
		return ERR_OK;
	filter = BCON_NEW("_id", "{", "$gte", BCON_UTF8(first), "$lt", BCON_UTF8(end), "}");
	err = store_archive_find(store, arena, filter, store_stretch_add, &stretch, info);
	bson_destroy(filter);
	if (err == ERR_OK && stretch.next < until)
		return err_set(info, ERR_UNREADABLE,
			"Archives of %s are missing from event %lld on.", document_id,
			(long long)stretch.next);
	return err;
}
