/* The indexes, and what each is for. Every search of the program is served by one of them. */
#include <stdio.h>
#include <string.h>

#include "store_private.h"

enum { INDEX_MAX_FIELDS = 4 };

static const struct store_index {
	const char *collection, *name, *fields[INDEX_MAX_FIELDS + 1];
	bool sparse; /* holds only the documents that have the field */
} store_indexes[] = {
	/* Lists, by party or of all, in the order of the start. */
	{"requests", "client_start", {"client.id", "starts_at", "_id"}, false},
	{"requests", "lawyer_start", {"lawyer.id", "starts_at", "_id"}, false},
	{"requests", "start", {"starts_at", "_id"}, false},
	/* Dashboards (store_agenda.c). `over` finds, too, what the version before has stored. */
	{"requests", "client_shelf", {"client.id", "shelf", "over_at", "_id"}, false},
	{"requests", "client_meeting", {"client.id", "meeting.status", "over_at"}, false},
	{"requests", "client_over", {"client.id", "over_at", "_id"}, false},
	{"requests", "lawyer_shelf", {"lawyer.id", "shelf", "over_at", "_id"}, false},
	{"requests", "lawyer_meeting", {"lawyer.id", "meeting.status", "over_at"}, false},
	{"requests", "lawyer_over", {"lawyer.id", "over_at", "_id"}, false},
	{"requests", "lawyer_needed", {"lawyer.id", "lawyer_until", "_id"}, false},
	{"requests", "shelf", {"shelf", "over_at", "_id"}, false},
	{"requests", "meeting", {"meeting.status", "over_at"}, false},
	{"requests", "over", {"over_at", "_id"}, false},
	{"requests", "admin_needed", {"admin_until", "_id"}, false},
	/* What dispatchers look for, and what administrators do. */
	{"requests", "due", {"due"}, true},
	{"requests", "failed", {"failed_at"}, true},
	/* What a provider reports, by its own id. */
	{"requests", "external", {"meeting.external_mark"}, true},
	/* Audit events, by their time and by who caused them. */
	{"requests", "event", {"events.at"}, false},
	{"requests", "event_actor", {"events.actor.id", "events.at"}, false},
	{"archives", "event", {"events.at"}, false},
	{"archives", "event_actor", {"events.actor.id", "events.at"}, false},
	{"archives", "document_event", {"document_id", "events.at"}, false},
	/* Letters: those of a request that is erased, and what nobody owes any more. */
	{"letters", "request", {"request_id"}, false},
	{"letters", "expired", {"expire_at"}, false},
};

static enum err store_init_index(
	struct store_session *session, const struct store_index *index, struct err_info *info)
{
	bson_t command = BSON_INITIALIZER, indexes, one, keys;
	bson_error_t error;
	enum err err = ERR_OK;
	int i;

	BSON_APPEND_UTF8(&command, "createIndexes", index->collection);
	BSON_APPEND_ARRAY_BEGIN(&command, "indexes", &indexes);
	BSON_APPEND_DOCUMENT_BEGIN(&indexes, "0", &one);
	BSON_APPEND_UTF8(&one, "name", index->name);
	BSON_APPEND_DOCUMENT_BEGIN(&one, "key", &keys);
	for (i = 0; index->fields[i]; i++)
		BSON_APPEND_INT32(&keys, index->fields[i], 1);
	bson_append_document_end(&one, &keys);
	if (index->sparse)
		BSON_APPEND_BOOL(&one, "sparse", true);
	/* The database itself removes what has come to that time. */
	if (strcmp(index->fields[0], "expire_at") == 0)
		BSON_APPEND_INT32(&one, "expireAfterSeconds", 0);
	bson_append_document_end(&indexes, &one);
	bson_append_array_end(&command, &indexes);
	if (!mongoc_client_command_simple(
		    session->client, session->store->database, &command, NULL, NULL, &error))
		err = store_error(&error, "create an index", info);
	bson_destroy(&command);
	return err;
}

/* What is owed to one queue, where there is more than one search by `due` finds. */
static enum err store_init_queue(
	struct store_session *session, const char *queue, struct err_info *info)
{
	char name[128];

	snprintf(name, sizeof(name), "owed.%s", queue);
	return store_init_index(
		session, &(struct store_index){"requests", name, {name}, .sparse = true}, info);
}

/* What only the version before looked at. */
static void store_drop_former(struct store_session *session)
{
	bson_error_t error;

	/* Nothing is wrong where it is not there. */
	(void)mongoc_collection_drop_index(session->requests, "urgent_due", &error);
}

enum err store_init_indexes(struct store *store, const char *const *queues, struct err_info *info)
{
	struct store_session session;
	enum err err;
	size_t i;

	err = store_session_begin(store, &session, info);
	if (err != ERR_OK)
		return err;
	for (i = 0; err == ERR_OK && i < sizeof(store_indexes) / sizeof(store_indexes[0]); i++)
		err = store_init_index(&session, &store_indexes[i], info);
	for (; err == ERR_OK && *queues; queues++)
		err = store_init_queue(&session, *queues, info);
	if (err == ERR_OK)
		store_drop_former(&session);
	return store_session_end(&session, err);
}
