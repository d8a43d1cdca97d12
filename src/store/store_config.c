#include "store_config.h"

#include "store_archive.h"
#include "store_private.h"

static mongoc_collection_t *store_config_collection(const struct store_session *session)
{
	return mongoc_client_get_collection(session->client, session->store->database, "config");
}

static enum err store_config_read(struct store *store, struct arena *arena, const bson_t *bson,
	struct config *config, struct err_info *info)
{
	bson_iter_t iter;
	enum err err;

	bson_iter_init(&iter, store_former_config(store, arena, bson));
	err = store_bson_read(store, arena, &config_model, &iter, CONFIG_ID, config, info);
	if (err == ERR_OK && config->rev < 1)
		err = err_set(info, ERR_UNREADABLE, "The configuration has no rev.");
	return err;
}

static enum err store_config_find(struct store *store, struct arena *arena, const bson_t *options,
	struct config **config_r, struct err_info *info)
{
	struct config *config = arena_alloc(arena, sizeof(*config));
	mongoc_collection_t *collection;
	struct store_session session;
	mongoc_cursor_t *cursor;
	const bson_t *bson;
	bson_error_t error;
	bson_t *filter;
	enum err err;

	err = store_session_begin(store, &session, info);
	if (err != ERR_OK)
		return err;
	collection = store_config_collection(&session);
	filter = BCON_NEW("_id", CONFIG_ID);
	cursor = store_find(collection, filter, options);
	if (mongoc_cursor_next(cursor, &bson))
		err = store_config_read(store, arena, bson, config, info);
	else if (mongoc_cursor_error(cursor, &error))
		err = store_error(&error, "load configuration", info);
	else
		config_init(arena, config);
	*config_r = config;
	mongoc_cursor_destroy(cursor);
	bson_destroy(filter);
	mongoc_collection_destroy(collection);
	return store_session_end(&session, err);
}

enum err store_config_load(
	struct store *store, struct arena *arena, struct config **config_r, struct err_info *info)
{
	bson_t *options = BCON_NEW("limit", BCON_INT64(1), "singleBatch", BCON_BOOL(true),
		"projection", "{", "events", BCON_INT32(0), "audit_seal", BCON_INT32(0), "}");
	enum err err = store_config_find(store, arena, options, config_r, info);

	if (err == ERR_OK)
		(*config_r)->rev = 0;
	bson_destroy(options);
	return err;
}

static const struct audit_head *store_config_before(const struct config *config)
{
	static const struct audit_head none;

	return config->archived ? config->archived : &none;
}

enum err store_config_load_whole(
	struct store *store, struct arena *arena, struct config **config_r, struct err_info *info)
{
	bson_t *options = BCON_NEW("limit", BCON_INT64(1), "singleBatch", BCON_BOOL(true));
	enum err err = store_config_find(store, arena, options, config_r, info);

	if (err == ERR_OK)
		audit_seal_loaded(arena, store_config_before(*config_r), &(*config_r)->events,
			&(*config_r)->audit_seal);
	bson_destroy(options);
	return err;
}

static enum err store_config_insert(
	mongoc_collection_t *collection, const bson_t *bson, struct err_info *info)
{
	bson_error_t error;

	if (mongoc_collection_insert_one(collection, bson, NULL, NULL, &error))
		return ERR_OK;
	return store_error(&error, "insert configuration", info);
}

static enum err store_config_replace(
	mongoc_collection_t *collection, int64_t rev, const bson_t *bson, struct err_info *info)
{
	bson_t *filter = BCON_NEW("_id", CONFIG_ID, "rev", BCON_INT64(rev));
	enum err err = ERR_OK;
	bson_error_t error;
	bson_t reply;

	if (!mongoc_collection_replace_one(collection, filter, bson, NULL, &reply, &error))
		err = store_error(&error, "replace configuration", info);
	else if (!store_matched(&reply))
		err = err_set(
			info, ERR_CONFLICT, "The configuration was changed at the same time.");
	bson_destroy(&reply);
	bson_destroy(filter);
	return err;
}

enum err store_config_save(
	struct store *store, struct arena *arena, struct config *config, struct err_info *info)
{
	const int64_t rev = config->rev;
	mongoc_collection_t *collection;
	struct store_session session;
	bson_t *bson;
	enum err err;

	err = store_archive(store, arena, config->id, config->audit_seal, &config->archived,
		&config->events, info);
	if (err == ERR_OK)
		err = store_session_begin(store, &session, info);
	if (err != ERR_OK)
		return err;
	collection = store_config_collection(&session);
	config->rev = rev + 1;
	audit_seal(
		arena, store_config_before(config), &config->events, rev == 0, &config->audit_seal);
	bson = bson_new();
	store_bson_write(store, arena, &config_model, config, CONFIG_ID, bson);
	err = rev == 0 ? store_config_insert(collection, bson, info)
		       : store_config_replace(collection, rev, bson, info);
	bson_destroy(bson);
	mongoc_collection_destroy(collection);
	return store_session_end(&session, err);
}
