#include "store_config.h"

#include <pthread.h>
#include <stdatomic.h>

#include "store_archive.h"
#include "store_private.h"

static mongoc_collection_t *store_config_collection(const struct store_session *session)
{
	return mongoc_client_get_collection(session->client, session->store->database, "config");
}

static enum err store_config_read(struct store *store, struct arena *arena, const bson_t *bson,
	void *config_r, struct err_info *info)
{
	struct config *config = config_r;
	bson_iter_t iter;
	enum err err;

	bson_iter_init(&iter, store_former_config(store, arena, bson));
	err = store_bson_read(store, arena, &config_model, &iter, CONFIG_ID, config, info);
	if (err == ERR_OK && config->rev < 1)
		err = err_set(info, ERR_UNREADABLE, "The configuration has no rev.");
	return err;
}

/* What a find says of the one document; *found_r false: it is not there. */
typedef enum err store_config_take(struct store *store, struct arena *arena, const bson_t *bson,
	void *taken_r, struct err_info *info);

static enum err store_config_find(struct store *store, struct arena *arena,
	const bson_t *projection, store_config_take *take, void *taken_r, bool *found_r,
	struct err_info *info)
{
	bson_t filter = BSON_INITIALIZER;
	const struct store_search find = {
		.collection = "config", .filter = &filter, .projection = projection, .limit = 1};
	struct store_session session;
	struct store_rows rows;
	const bson_t *bson;
	enum err err;

	err = store_session_begin(store, &session, info);
	if (err != ERR_OK)
		return err;
	BSON_APPEND_UTF8(&filter, "_id", CONFIG_ID);
	err = store_rows_find(&session, &find, "load configuration", &rows, info);
	bson = err == ERR_OK ? store_rows_next(&rows) : NULL;
	*found_r = bson != NULL;
	if (bson)
		err = take(store, arena, bson, taken_r, info);
	store_rows_end(&rows);
	bson_destroy(&filter);
	return store_session_end(&session, err);
}

static enum err store_config_get(struct store *store, struct arena *arena, const bson_t *projection,
	struct config **config_r, struct err_info *info)
{
	bool found;
	enum err err;

	*config_r = arena_alloc(arena, sizeof(**config_r));
	err = store_config_find(
		store, arena, projection, store_config_read, *config_r, &found, info);
	if (err == ERR_OK && !found)
		config_init(arena, *config_r);
	return err;
}

/* For use: with its rev still. */
static enum err store_config_get_usable(
	struct store *store, struct arena *arena, struct config **config_r, struct err_info *info)
{
	bson_t *projection = BCON_NEW("events", BCON_INT32(0), "audit_seal", BCON_INT32(0));
	enum err err = store_config_get(store, arena, projection, config_r, info);

	bson_destroy(projection);
	return err;
}

enum err store_config_load(
	struct store *store, struct arena *arena, struct config **config_r, struct err_info *info)
{
	enum err err = store_config_get_usable(store, arena, config_r, info);

	if (err == ERR_OK)
		(*config_r)->rev = 0;
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
	enum err err = store_config_get(store, arena, NULL, config_r, info);

	if (err == ERR_OK)
		audit_seal_loaded(arena, store_config_before(*config_r), &(*config_r)->events,
			&(*config_r)->audit_seal);
	return err;
}

/* ---- what is kept ---- */

/* `updated_at` beside the rev: a database that was restored may come to the same number again. */
struct store_config_version {
	int64_t rev, updated_at; /* 0: nothing is stored */
};

struct store_config_kept {
	struct arena *arena;
	struct config *config;
	struct store_config_version version;
	atomic_int holders; /* the store, and each call that uses it */
};

static void store_config_release(void *handle)
{
	struct store_config_kept *kept = handle;
	struct arena *arena;

	if (!kept || atomic_fetch_sub(&kept->holders, 1) > 1)
		return;
	arena = kept->arena;
	arena_free(&arena);
}

void store_config_forget(struct store *store)
{
	store_config_release(store->config);
	store->config = NULL;
}

static enum err store_config_take_version(struct store *store, struct arena *arena,
	const bson_t *bson, void *version_r, struct err_info *info)
{
	struct store_config_version *version = version_r;
	bson_iter_t iter;

	(void)store;
	(void)arena;
	(void)info;
	if (bson_iter_init_find(&iter, bson, "rev"))
		version->rev = bson_iter_as_int64(&iter);
	if (bson_iter_init_find(&iter, bson, "updated_at") && BSON_ITER_HOLDS_DATE_TIME(&iter))
		version->updated_at = bson_iter_date_time(&iter);
	return ERR_OK;
}

static enum err store_config_find_version(
	struct store *store, struct store_config_version *version_r, struct err_info *info)
{
	bson_t *projection = BCON_NEW("rev", BCON_INT32(1), "updated_at", BCON_INT32(1));
	bool found;
	enum err err;

	*version_r = (struct store_config_version){0};
	err = store_config_find(
		store, NULL, projection, store_config_take_version, version_r, &found, info);
	bson_destroy(projection);
	return err;
}

/* What is kept, held once more, if it is of that version; NULL otherwise. */
static struct store_config_kept *store_config_hold(
	struct store *store, const struct store_config_version *version)
{
	struct store_config_kept *kept;

	pthread_mutex_lock(&store->config_lock);
	kept = store->config;
	if (kept && (kept->version.rev != version->rev ||
			    kept->version.updated_at != version->updated_at))
		kept = NULL;
	if (kept)
		atomic_fetch_add(&kept->holders, 1);
	pthread_mutex_unlock(&store->config_lock);
	return kept;
}

/* Reads it and keeps it in the place of what was; held for the caller too. */
static enum err store_config_keep(
	struct store *store, struct store_config_kept **kept_r, struct err_info *info)
{
	struct arena *arena = arena_new();
	struct store_config_kept *kept = arena_alloc(arena, sizeof(*kept)), *former;
	enum err err = store_config_get_usable(store, arena, &kept->config, info);

	if (err != ERR_OK) {
		arena_free(&arena);
		return err;
	}
	kept->arena = arena;
	kept->version = (struct store_config_version){kept->config->rev, kept->config->updated_at};
	kept->config->rev = 0;
	atomic_init(&kept->holders, 2);
	pthread_mutex_lock(&store->config_lock);
	former = store->config;
	store->config = kept;
	pthread_mutex_unlock(&store->config_lock);
	store_config_release(former);
	*kept_r = kept;
	return ERR_OK;
}

enum err store_config_current(struct store *store, struct arena *arena,
	const struct config **config_r, struct err_info *info)
{
	struct store_config_version version;
	struct store_config_kept *kept;
	enum err err;

	err = store_config_find_version(store, &version, info);
	if (err != ERR_OK)
		return err;
	kept = store_config_hold(store, &version);
	if (!kept)
		err = store_config_keep(store, &kept, info);
	if (err != ERR_OK)
		return err;
	arena_defer(arena, store_config_release, kept);
	*config_r = kept->config;
	return ERR_OK;
}

/* ---- changing it ---- */

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
