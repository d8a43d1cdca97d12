#include "store_incident.h"

#include "log.h"
#include "store_private.h"

/* More than there are targets. */
enum { INCIDENT_MOST = 64 };

/* ---- read ---- */

static void store_incident_add(
	struct store *store, struct arena *arena, const bson_t *bson, struct model_list *list)
{
	struct incident incident = {0};
	struct err_info info = {0};
	bson_iter_t iter;
	const char *id;

	if (!bson_iter_init_find(&iter, bson, "_id") || !BSON_ITER_HOLDS_UTF8(&iter))
		return;
	id = arena_strdup(arena, bson_iter_utf8(&iter, NULL));
	bson_iter_init(&iter, bson);
	if (store_bson_read(store, arena, &incident_model, &iter, id, &incident, &info) == ERR_OK)
		*(struct incident *)model_list_add(arena, list, sizeof(incident)) = incident;
	else
		log_error("incident %s cannot be read: %s", id, info.detail);
}

enum err store_incident_list(
	struct store *store, struct arena *arena, struct model_list *list_r, struct err_info *info)
{
	struct store_collection incidents;
	bson_t *filter, *options;
	mongoc_cursor_t *cursor;
	const bson_t *bson;
	bson_error_t error;
	enum err err = store_collection_begin(store, "incidents", &incidents, info);

	*list_r = (struct model_list){0};
	if (err != ERR_OK)
		return err;
	filter = BCON_NEW("_id", "{", "$gt", BCON_UTF8(""), "}");
	options = BCON_NEW("limit", BCON_INT64(INCIDENT_MOST), "singleBatch", BCON_BOOL(true));
	cursor = store_find(incidents.collection, filter, options);
	while (mongoc_cursor_next(cursor, &bson))
		store_incident_add(store, arena, bson, list_r);
	if (mongoc_cursor_error(cursor, &error))
		err = store_error(&error, "find incidents", info);
	mongoc_cursor_destroy(cursor);
	bson_destroy(options);
	bson_destroy(filter);
	return store_collection_end(&incidents, err);
}

/* ---- write ---- */

static enum err store_incident_insert(
	struct store_collection *incidents, const bson_t *bson, struct err_info *info)
{
	bson_error_t error;

	return mongoc_collection_insert_one(incidents->collection, bson, NULL, NULL, &error)
		       ? ERR_OK
		       : store_error(&error, "insert an incident", info);
}

static enum err store_incident_replace(struct store_collection *incidents, const bson_t *bson,
	const bson_t *filter, struct err_info *info)
{
	enum err err = ERR_OK;
	bson_error_t error;
	bson_t reply;

	if (!mongoc_collection_replace_one(
		    incidents->collection, filter, bson, NULL, &reply, &error))
		err = store_error(&error, "replace an incident", info);
	else if (!store_matched(&reply))
		err = err_set(info, ERR_CONFLICT, "The incident was changed at the same time.");
	bson_destroy(&reply);
	return err;
}

enum err store_incident_save(
	struct store *store, struct arena *arena, struct incident *incident, struct err_info *info)
{
	struct store_collection incidents;
	bson_t *filter, *bson;
	enum err err = store_collection_begin(store, "incidents", &incidents, info);

	if (err != ERR_OK)
		return err;
	filter = BCON_NEW("_id", BCON_UTF8(incident->id), "rev", BCON_INT64(incident->rev));
	incident->rev++;
	bson = bson_new();
	store_bson_write(store, arena, &incident_model, incident, incident->id, bson);
	err = incident->rev == 1 ? store_incident_insert(&incidents, bson, info)
				 : store_incident_replace(&incidents, bson, filter, info);
	bson_destroy(bson);
	bson_destroy(filter);
	return store_collection_end(&incidents, err);
}

enum err store_incident_remove(
	struct store *store, const struct incident *incident, struct err_info *info)
{
	struct store_collection incidents;
	bson_error_t error;
	bson_t *filter;
	enum err err = store_collection_begin(store, "incidents", &incidents, info);

	if (err != ERR_OK)
		return err;
	filter = BCON_NEW("_id", BCON_UTF8(incident->id), "rev", BCON_INT64(incident->rev));
	if (!mongoc_collection_delete_one(incidents.collection, filter, NULL, NULL, &error))
		err = store_error(&error, "remove an incident", info);
	bson_destroy(filter);
	return store_collection_end(&incidents, err);
}
