/* THE INDEXES, and what each is for. Every search of the program is served by one of them. */
#include <stdio.h>
#include <string.h>

#include "store_private.h"

/* What is owed to a queue has an index of its own, which is named like its field. */
#define STORE_OWED "owed."

enum { INDEX_MAX_FIELDS = 4, STORE_INDEX_MS = 6 * 3600 * 1000 };

static const struct store_index {
	const char *collection, *name, *fields[INDEX_MAX_FIELDS + 1];
	bool sparse; /* holds only the documents that have the field */
} store_indexes[] = {
	/* Lists, by party or of all, in the order of the start; a lawyer's meetings at a time. */
	{"requests", "client_start", {"client.id", "starts_at", "_id"}, false},
	{"requests", "client_status", {"client.id", "status", "starts_at", "_id"}, false},
	{"requests", "client_meeting_start", {"client.id", "meeting.status", "starts_at", "_id"},
		false},
	{"requests", "lawyer_start", {"lawyer.id", "starts_at", "_id"}, false},
	{"requests", "lawyer_status", {"lawyer.id", "status", "starts_at", "_id"}, false},
	{"requests", "lawyer_meeting_start", {"lawyer.id", "meeting.status", "starts_at", "_id"},
		false},
	{"requests", "start", {"starts_at", "_id"}, false},
	{"requests", "status", {"status", "starts_at", "_id"}, false},
	{"requests", "meeting_start", {"meeting.status", "starts_at", "_id"}, false},
	/* What has changed of a person's (store_feed.c). */
	{"requests", "client_changed", {"client.id", "updated_at", "_id"}, false},
	{"requests", "lawyer_changed", {"lawyer.id", "updated_at", "_id"}, false},
	/* Dashboards (store_agenda.c). `over` finds, too, what the version before has stored. */
	{"requests", "client_shelf", {"client.id", "shelf", "over_at", "_id"}, false},
	{"requests", "client_meeting", {"client.id", "meeting.status", "over_at"}, false},
	{"requests", "client_over", {"client.id", "over_at", "_id"}, false},
	{"requests", "client_needed", {"client.id", "client_until", "_id"}, false},
	{"requests", "client_proposed", {"client.id", "proposed_until"}, false},
	{"requests", "lawyer_shelf", {"lawyer.id", "shelf", "over_at", "_id"}, false},
	{"requests", "lawyer_meeting", {"lawyer.id", "meeting.status", "over_at"}, false},
	{"requests", "lawyer_over", {"lawyer.id", "over_at", "_id"}, false},
	{"requests", "lawyer_needed", {"lawyer.id", "lawyer_until", "_id"}, false},
	{"requests", "lawyer_proposed", {"lawyer.id", "proposed_until"}, false},
	{"requests", "shelf", {"shelf", "over_at", "_id"}, false},
	{"requests", "meeting", {"meeting.status", "over_at"}, false},
	{"requests", "over", {"over_at", "_id"}, false},
	{"requests", "admin_needed", {"admin_until", "_id"}, false},
	{"requests", "proposed", {"proposed_until"}, true},
	/* What dispatchers look for, and what administrators do. */
	{"requests", "due", {"due"}, true},
	{"chores", "due", {"due"}, false},
	{"requests", "failed", {"failed_at"}, true},
	/* The outbox, by kind and whether it was given up. */
	{"requests", "outbox_owed", {"owes", "due", "_id"}, false},
	{"requests", "outbox_failed", {"owes", "failed_at", "_id"}, false},
	/* What a provider reports, by its own id. */
	{"requests", "external", {"meeting.external_mark"}, true},
	/* Audit events, by their time and by who caused them. */
	{"requests", "event", {"events.at"}, false},
	{"requests", "event_actor", {"events.actor.id", "events.at"}, false},
	{"archives", "event", {"events.at"}, false},
	{"archives", "event_actor", {"events.actor.id", "events.at"}, false},
	{"archives", "document_event", {"document_id", "events.at"}, false},
	/* Deliveries to a subscriber: what is due, what is first in its lane, how the others ended,
	 * which waits for longest, and the log. */
	{"deliveries", "due", {"webhook_id", "due"}, false},
	{"deliveries", "lane", {"webhook_id", "lane", "state", "serial"}, false},
	{"deliveries", "ended", {"webhook_id", "state", "ended_at"}, false},
	{"deliveries", "waiting", {"webhook_id", "state", "created_at"}, false},
	{"deliveries", "log", {"webhook_id", "created_at", "_id"}, false},
	/* Those of a request, when somebody is erased. */
	{"deliveries", "request", {"request_id", "state"}, false},
	/* Letters of a request that is erased. */
	{"letters", "request", {"request_id"}, false},
};

/* By which the database removes documents once that instant has come. They serve no search. */
static const struct store_index store_expiries[] = {
	{"deliveries", "purge", {"purge_at"}, false},
	{"letters", "expired", {"expire_at"}, false},
};

/* ---- what they serve ---- */

enum store_condition { CONDITION_NONE, CONDITION_EQUAL, CONDITION_RANGE, CONDITION_OTHER };

static bool store_is_bound(const char *operator)
{
	static const char *const bounds[] = {"$gt", "$gte", "$lt", "$lte", NULL};

	return model_enum_value(bounds, operator) >= 0;
}

static enum store_condition store_condition_on(const bson_t *filter, const char *field)
{
	bson_iter_t iter, operator;

	if (!bson_iter_init_find(&iter, filter, field))
		return CONDITION_NONE;
	if (BSON_ITER_HOLDS_REGEX(&iter))
		return CONDITION_OTHER;
	if (!BSON_ITER_HOLDS_DOCUMENT(&iter))
		return CONDITION_EQUAL;
	bson_iter_recurse(&iter, &operator);
	while (bson_iter_next(&operator))
		if (!store_is_bound(bson_iter_key(&operator)))
			return CONDITION_OTHER;
	return CONDITION_RANGE;
}

/* Whether those fields are what is sorted by, all in one direction. */
static bool store_is_ordered(const char *const *fields, const bson_t *options)
{
	bson_iter_t iter, key;
	int64_t direction = 0;

	if (!options || !bson_iter_init_find(&iter, options, "sort"))
		return true;
	bson_iter_recurse(&iter, &key);
	for (; bson_iter_next(&key); fields++) {
		if (!*fields || strcmp(*fields, bson_iter_key(&key)) != 0 ||
			(direction && bson_iter_as_int64(&key) != direction))
			return false;
		direction = bson_iter_as_int64(&key);
	}
	return true;
}

static bool store_serves(const char *const *fields, const bson_t *filter, const bson_t *options)
{
	uint32_t used = 0, equal;
	bson_iter_t first;

	/* A filter has the order of its index: most of these are the wrong one. */
	if (!bson_iter_init(&first, filter) || !bson_iter_next(&first) ||
		strcmp(bson_iter_key(&first), fields[0]) != 0)
		return false;
	while (fields[used] && store_condition_on(filter, fields[used]) == CONDITION_EQUAL)
		used++;
	equal = used;
	if (fields[used] && store_condition_on(filter, fields[used]) == CONDITION_RANGE)
		used++;
	return used > 0 && used == bson_count_keys(filter) &&
	       store_is_ordered(fields + equal, options);
}

/* By an index that a collection has of itself, or that a queue has. */
static bool store_is_served_unnamed(const bson_t *filter, const bson_t *options)
{
	const char *fields[] = {"_id", NULL};
	bson_iter_t iter;

	if (store_condition_on(filter, "_id") == CONDITION_EQUAL)
		return true;
	if (bson_iter_init(&iter, filter) && bson_iter_next(&iter) &&
		strncmp(bson_iter_key(&iter), STORE_OWED, strlen(STORE_OWED)) == 0)
		fields[0] = bson_iter_key(&iter);
	return store_serves(fields, filter, options);
}

bool store_is_served(const char *collection, const bson_t *filter, const bson_t *options)
{
	size_t i;

	for (i = 0; i < sizeof(store_indexes) / sizeof(store_indexes[0]); i++)
		if (strcmp(store_indexes[i].collection, collection) == 0 &&
			store_serves(store_indexes[i].fields, filter, options))
			return true;
	return store_is_served_unnamed(filter, options);
}

/* ---- making them ---- */

static enum err store_init_index(struct store_session *session, const struct store_index *index,
	bool expires, struct err_info *info)
{
	bson_t *command, keys = BSON_INITIALIZER, options = BSON_INITIALIZER;
	bson_error_t error;
	enum err err = ERR_OK;
	int i;

	for (i = 0; index->fields[i]; i++)
		BSON_APPEND_INT32(&keys, index->fields[i], 1);
	BSON_APPEND_UTF8(&options, "name", index->name);
	BSON_APPEND_DOCUMENT(&options, "key", &keys);
	if (index->sparse)
		BSON_APPEND_BOOL(&options, "sparse", true);
	if (expires)
		BSON_APPEND_INT32(&options, "expireAfterSeconds", 0);
	command = BCON_NEW("createIndexes", BCON_UTF8(index->collection), "indexes", "[",
		BCON_DOCUMENT(&options), "]");
	if (!mongoc_client_command_simple(
		    session->client, session->store->database, command, NULL, NULL, &error))
		err = store_error(&error, "create an index", info);
	bson_destroy(command);
	bson_destroy(&options);
	bson_destroy(&keys);
	return err;
}

/* What is owed to one queue, where there is more than one search by `due` finds. */
static enum err store_init_queue(
	struct store_session *session, const char *queue, struct err_info *info)
{
	char name[128];

	snprintf(name, sizeof(name), STORE_OWED "%s", queue);
	return store_init_index(session,
		&(struct store_index){"requests", name, {name}, .sparse = true}, false, info);
}

/* What only the version before looked at. */
static void store_drop_former(struct store_session *session)
{
	bson_error_t error;

	/* Nothing is wrong where it is not there. */
	(void)mongoc_collection_drop_index(store_requests(session), "urgent_due", &error);
}

/* A connection of its own, with the patience that the indexes of a million requests take. */
static mongoc_client_t *store_index_client(const struct store *store)
{
	mongoc_uri_t *uri = mongoc_uri_copy(store->uri);
	mongoc_client_t *client;

	mongoc_uri_set_option_as_int32(uri, MONGOC_URI_SOCKETTIMEOUTMS, STORE_INDEX_MS);
	client = mongoc_client_new_from_uri(uri);
	mongoc_client_set_error_api(client, MONGOC_ERROR_API_VERSION_2);
	mongoc_uri_destroy(uri);
	return client;
}

enum err store_init_indexes(struct store *store, const char *const *queues, struct err_info *info)
{
	struct store_session session = {.store = store, .client = store_index_client(store)};
	enum err err = ERR_OK;
	size_t i;

	for (i = 0; err == ERR_OK && i < sizeof(store_indexes) / sizeof(store_indexes[0]); i++)
		err = store_init_index(&session, &store_indexes[i], false, info);
	for (i = 0; err == ERR_OK && i < sizeof(store_expiries) / sizeof(store_expiries[0]); i++)
		err = store_init_index(&session, &store_expiries[i], true, info);
	for (; err == ERR_OK && *queues; queues++)
		err = store_init_queue(&session, *queues, info);
	if (err == ERR_OK)
		store_drop_former(&session);
	mongoc_collection_destroy(session.requests);
	mongoc_client_destroy(session.client);
	return err;
}
