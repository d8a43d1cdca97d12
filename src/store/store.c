#include "store.h"

#include <stdlib.h>

#include "log.h"
#include "store_private.h"
#include "xalloc.h"

static void store_log(mongoc_log_level_t level, const char *domain, const char *message, void *data)
{
	(void)data;
	if (level <= MONGOC_LOG_LEVEL_WARNING)
		log_warning("mongoc %s: %s", domain, message);
}

static mongoc_uri_t *store_uri(const char *text, struct err_info *info)
{
	bson_error_t error;
	mongoc_uri_t *uri = mongoc_uri_new_with_error(text, &error);

	if (!uri)
		err_set(info, ERR_CONFIG, "mongodb.uri: %s.", error.message);
	return uri;
}

enum err store_check_uri(const char *text, struct err_info *info)
{
	mongoc_uri_t *uri = store_uri(text, info);

	if (!uri)
		return ERR_CONFIG;
	mongoc_uri_destroy(uri);
	return ERR_OK;
}

static void store_uri_preset(mongoc_uri_t *uri, const char *option, int32_t value)
{
	if (!mongoc_uri_has_option(uri, option))
		mongoc_uri_set_option_as_int32(uri, option, value);
}

enum err store_open(const struct conf *conf, const struct secret_ring *ring, int threads,
	struct store **store_r, struct err_info *info)
{
	struct store *store;
	mongoc_uri_t *uri;

	mongoc_init();
	mongoc_log_set_handler(store_log, NULL);
	uri = store_uri(conf->mongodb_uri, info);
	if (!uri)
		return ERR_CONFIG;
	store_uri_preset(uri, MONGOC_URI_SERVERSELECTIONTIMEOUTMS, STORE_SELECT_MS);
	store_uri_preset(uri, MONGOC_URI_CONNECTTIMEOUTMS, STORE_SELECT_MS);
	store_uri_preset(uri, MONGOC_URI_SOCKETTIMEOUTMS, STORE_TIMEOUT_MS);
	store_uri_preset(uri, MONGOC_URI_MAXPOOLSIZE, threads);
	/* The driver's own repeats would double every timeout; callers load and decide again. */
	mongoc_uri_set_option_as_bool(uri, MONGOC_URI_RETRYREADS, false);
	mongoc_uri_set_option_as_bool(uri, MONGOC_URI_RETRYWRITES, false);

	store = xcalloc(1, sizeof(*store));
	store->pool = mongoc_client_pool_new(uri);
	store->ring = ring;
	store->database = xstrdup(conf->mongodb_database);
	mongoc_uri_destroy(uri);
	if (!store->pool) {
		store_close(&store);
		return err_set(info, ERR_CONFIG, "mongodb.uri: the driver refuses it.");
	}
	mongoc_client_pool_set_error_api(store->pool, MONGOC_ERROR_API_VERSION_2);
	mongoc_client_pool_set_appname(store->pool, "meetlink");
	*store_r = store;
	return ERR_OK;
}

void store_close(struct store **store)
{
	if (!*store)
		return;
	if ((*store)->pool)
		mongoc_client_pool_destroy((*store)->pool);
	free((*store)->database);
	free(*store);
	*store = NULL;
	mongoc_cleanup();
}

void store_session_begin(struct store *store, struct store_session *session_r)
{
	session_r->store = store;
	session_r->client = mongoc_client_pool_pop(store->pool);
	session_r->requests =
		mongoc_client_get_collection(session_r->client, store->database, "requests");
}

void store_session_end(struct store_session *session)
{
	mongoc_collection_destroy(session->requests);
	mongoc_client_pool_push(session->store->pool, session->client);
}

/* Codes of a server that is not, or no longer, able to serve: the driver's "node is recovering"
 * and "not writable primary" classes (Server Discovery and Monitoring specification). */
static bool store_code_is_away(uint32_t code)
{
	static const uint32_t codes[] = {
		91, 189, 10058, 10107, 11600, 11602, 13435, 13436, 50, 6, 7, 89, 9001};
	size_t i;

	for (i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if (codes[i] == code)
			return true;
	return false;
}

enum err store_error(const bson_error_t *error, const char *doing, struct err_info *info)
{
	if (error->domain == MONGOC_ERROR_SERVER && error->code == 11000)
		return err_set(info, ERR_CONFLICT, "A document with this id exists.");
	if (error->domain == MONGOC_ERROR_SERVER_SELECTION ||
		error->domain == MONGOC_ERROR_STREAM || store_code_is_away(error->code)) {
		log_warning("%s: %s", doing, error->message);
		if (info)
			info->retry_after_s = 2;
		return err_set(info, ERR_DATABASE_AWAY, "The database did not answer.");
	}
	log_error("%s: %s (code %u)", doing, error->message, error->code);
	return err_set(info, ERR_INTERNAL, "The database refused: %s", error->message);
}

enum err store_ping(struct store *store, struct err_info *info)
{
	struct store_session session;
	bson_t command = BSON_INITIALIZER;
	bson_error_t error;
	bool ok;

	BSON_APPEND_INT32(&command, "ping", 1);
	store_session_begin(store, &session);
	ok = mongoc_client_command_simple(
		session.client, store->database, &command, NULL, NULL, &error);
	store_session_end(&session);
	bson_destroy(&command);
	return ok ? ERR_OK : store_error(&error, "ping", info);
}

enum err store_init_indexes(struct store *store, struct err_info *info)
{
	struct store_session session;
	bson_error_t error;
	bson_t *command;
	bool ok;

	/* Lists are read by party (or by all) in the order of the start; the dispatcher by `due`,
	 * which only documents with owed effects have. */
	command = BCON_NEW("createIndexes", "requests", "indexes", "[", "{", "name", "client_start",
		"key", "{", "client.id", BCON_INT32(1), "starts_at", BCON_INT32(-1), "_id",
		BCON_INT32(-1), "}", "}", "{", "name", "lawyer_start", "key", "{", "lawyer.id",
		BCON_INT32(1), "starts_at", BCON_INT32(-1), "_id", BCON_INT32(-1), "}", "}", "{",
		"name", "start", "key", "{", "starts_at", BCON_INT32(-1), "_id", BCON_INT32(-1),
		"}", "}", "{", "name", "due", "key", "{", "due", BCON_INT32(1), "}", "sparse",
		BCON_BOOL(true), "}", "]");
	store_session_begin(store, &session);
	ok = mongoc_client_command_simple(
		session.client, store->database, command, NULL, NULL, &error);
	store_session_end(&session);
	bson_destroy(command);
	return ok ? ERR_OK : store_error(&error, "create indexes", info);
}
