#include "store.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "log.h"
#include "metrics.h"
#include "store_private.h"
#include "xalloc.h"

/* After the database was missed everybody is refused for so long before the next one tries it:
 * those who waited for a thread meanwhile have waited for one timeout, and are not given another.
 */
enum { STORE_REFUSE_US = 500 * 1000 };

static void store_log(mongoc_log_level_t level, const char *domain, const char *message, void *data)
{
	(void)data;
	if (level <= MONGOC_LOG_LEVEL_WARNING)
		log_warning("mongoc %s: %s", domain, message);
}

const char *const store_command_names[] = {
	"find", "count", "aggregate", "insert", "update", "delete", "getMore", "other", NULL};

static void store_note_answer(const char *command, int64_t us)
{
	size_t index = 0;

	while (store_command_names[index + 1] && strcmp(store_command_names[index], command) != 0)
		index++;
	metrics_time(METRIC_STORE_TIME, us, index, 0);
}

static void store_note_success(const mongoc_apm_command_succeeded_t *event)
{
	store_note_answer(mongoc_apm_command_succeeded_get_command_name(event),
		mongoc_apm_command_succeeded_get_duration(event));
}

static void store_note_failure(const mongoc_apm_command_failed_t *event)
{
	store_note_answer(mongoc_apm_command_failed_get_command_name(event),
		mongoc_apm_command_failed_get_duration(event));
}

static void store_have_noted(mongoc_client_pool_t *pool)
{
	mongoc_apm_callbacks_t *callbacks = mongoc_apm_callbacks_new();

	mongoc_apm_set_command_succeeded_cb(callbacks, store_note_success);
	mongoc_apm_set_command_failed_cb(callbacks, store_note_failure);
	mongoc_client_pool_set_apm_callbacks(pool, callbacks, NULL);
	mongoc_apm_callbacks_destroy(callbacks);
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
	store_projections_init(store);
	pthread_mutex_init(&store->config_lock, NULL);
	store->database = xstrdup(conf->mongodb_database);
	store->uri = uri;
	if (!store->pool) {
		store_close(&store);
		return err_set(info, ERR_CONFIG, "mongodb.uri: the driver refuses it.");
	}
	mongoc_client_pool_set_error_api(store->pool, MONGOC_ERROR_API_VERSION_2);
	mongoc_client_pool_set_appname(store->pool, "meetlink");
	store_have_noted(store->pool);
	*store_r = store;
	return ERR_OK;
}

void store_close(struct store **store)
{
	if (!*store)
		return;
	store_config_forget(*store);
	store_projections_fini(*store);
	if ((*store)->pool)
		mongoc_client_pool_destroy((*store)->pool);
	mongoc_uri_destroy((*store)->uri);
	free((*store)->database);
	free(*store);
	*store = NULL;
	mongoc_cleanup();
}

static enum err store_away(struct err_info *info)
{
	if (info)
		info->retry_after_s = STORE_RETRY_AFTER_S;
	return err_set(info, ERR_DATABASE_AWAY, "The database did not answer.");
}

/* A connection of the pool. There are as many as threads, so hardly anybody ever waits. */
static mongoc_client_t *store_client(struct store *store)
{
	mongoc_client_t *client = mongoc_client_pool_try_pop(store->pool);
	int64_t began_us;

	if (client)
		return client;
	began_us = clock_monotonic_us();
	client = mongoc_client_pool_pop(store->pool);
	metrics_time(METRIC_STORE_WAIT, clock_monotonic_us() - began_us, 0, 0);
	return client;
}

enum err store_session_begin(
	struct store *store, struct store_session *session_r, struct err_info *info)
{
	const int64_t away_us = atomic_load(&store->away_us);

	session_r->probe = away_us != 0;
	if (session_r->probe && clock_monotonic_us() - away_us < STORE_REFUSE_US)
		return store_away(info);
	if (session_r->probe && atomic_exchange(&store->probing, true))
		return store_away(info);
	session_r->store = store;
	session_r->client = store_client(store);
	session_r->requests = NULL;
	return ERR_OK;
}

mongoc_collection_t *store_requests(struct store_session *session)
{
	if (!session->requests)
		session->requests = mongoc_client_get_collection(
			session->client, session->store->database, "requests");
	return session->requests;
}

enum err store_session_end(struct store_session *session, enum err err)
{
	mongoc_collection_destroy(session->requests);
	mongoc_client_pool_push(session->store->pool, session->client);
	atomic_store(&session->store->away_us, err == ERR_DATABASE_AWAY ? clock_monotonic_us() : 0);
	if (session->probe)
		atomic_store(&session->store->probing, false);
	return err;
}

enum err store_collection_begin(struct store *store, const char *name,
	struct store_collection *collection_r, struct err_info *info)
{
	const enum err err = store_session_begin(store, &collection_r->session, info);

	if (err == ERR_OK)
		collection_r->collection = mongoc_client_get_collection(
			collection_r->session.client, store->database, name);
	return err;
}

enum err store_collection_end(struct store_collection *collection, enum err err)
{
	mongoc_collection_destroy(collection->collection);
	return store_session_end(&collection->session, err);
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

static enum err store_judge(const bson_error_t *error, const char *doing, struct err_info *info)
{
	if (error->domain == MONGOC_ERROR_SERVER && error->code == 11000)
		return err_set(info, ERR_CONFLICT, "A document with this id exists.");
	/* A write concern that was not met in time: stored or not, nobody knows. */
	if (error->domain == MONGOC_ERROR_SERVER_SELECTION ||
		error->domain == MONGOC_ERROR_STREAM ||
		error->domain == MONGOC_ERROR_WRITE_CONCERN || store_code_is_away(error->code)) {
		log_warning("%s: %s", doing, error->message);
		return store_away(info);
	}
	log_error("%s: %s (code %u)", doing, error->message, error->code);
	return err_set(info, ERR_INTERNAL, "The database refused: %s", error->message);
}

enum err store_error(const bson_error_t *error, const char *doing, struct err_info *info)
{
	const enum err err = store_judge(error, doing, info);

	metrics_count(METRIC_STORE_ERRORS, err, 0, 0);
	return err;
}

bool store_matched(const bson_t *reply)
{
	bson_iter_t iter;

	return bson_iter_init_find(&iter, reply, "matchedCount") && bson_iter_as_int64(&iter) == 1;
}

void store_set_view(struct store *store, store_view *view, void *data)
{
	store->view = view;
	store->view_data = data;
}

enum err store_ping(struct store *store, struct err_info *info)
{
	struct store_session session;
	bson_t command = BSON_INITIALIZER;
	bson_error_t error;
	enum err err;

	err = store_session_begin(store, &session, info);
	if (err != ERR_OK)
		return err;
	BSON_APPEND_INT32(&command, "ping", 1);
	if (!mongoc_client_command_simple(
		    session.client, store->database, &command, NULL, NULL, &error))
		err = store_error(&error, "ping", info);
	bson_destroy(&command);
	return store_session_end(&session, err);
}
