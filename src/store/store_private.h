#ifndef STORE_PRIVATE_H
#define STORE_PRIVATE_H
#include <mongoc/mongoc.h>
#include <pthread.h>
#include <stdatomic.h>

#include "config.h"
#include "model.h"
#include "store_query.h"
#include "store_request.h"

enum { STORE_REACHES = 4096 };

struct store {
	mongoc_client_pool_t *pool;
	mongoc_uri_t *uri;
	const struct secret_ring *ring;
	char *database;
	store_view *view;
	void *view_data;
	/* While the database does not answer, one session at a time finds out whether it does
	 * again, and the others are refused at once instead of waiting for the same timeout.
	 * `away_us` is when it was last missed (monotonic), 0 while it answers. */
	_Atomic int64_t away_us;
	atomic_bool probing;
	bson_t *projections[STORE_DEPTHS];
	pthread_mutex_t config_lock;
	struct store_config_kept *config; /* store_config.c; NULL: none yet */
	/* How far pages of requests reached (store_stretch.c): nothing but how wide it is to look
	 * the next time. */
	_Atomic uint64_t reaches[STORE_REACHES];
};

/* A connection of the pool, for one operation. */
struct store_session {
	struct store *store;
	mongoc_client_t *client;
	mongoc_collection_t *requests; /* store_requests() */
	bool probe;
};

/* ERR_DATABASE_AWAY when it is known not to answer; the session is then not to be ended. */
enum err store_session_begin(
	struct store *store, struct store_session *session_r, struct err_info *info);

/* Returns `err`, the outcome of the operation, and remembers whether the database answered. */
enum err store_session_end(struct store_session *session, enum err err);

/* The collection, made when it is first asked for: whoever sends a command does without. */
mongoc_collection_t *store_requests(struct store_session *session);

/* A session with another collection. */
struct store_collection {
	struct store_session session;
	mongoc_collection_t *collection;
};
enum err store_collection_begin(struct store *store, const char *name,
	struct store_collection *collection_r, struct err_info *info);
enum err store_collection_end(struct store_collection *collection, enum err err);

/* What a driver error means to us; `doing` goes to the log. */
enum err store_error(const bson_error_t *error, const char *doing, struct err_info *info);

/* Writes the stored fields of an object. `id` is the document's: sealed values are bound to it. */
void store_bson_write(struct store *store, struct arena *arena, const struct model *model,
	const void *object, const char *id, bson_t *bson);

/* Reads an object; fields that are not in the document stay zero. ERR_UNREADABLE names the field
 * that is not of its type, cannot be opened, or is required and missing. */
enum err store_bson_read(struct store *store, struct arena *arena, const struct model *model,
	bson_iter_t *iter, const char *id, void *object, struct err_info *info);

/* What is left out: fields with any of the flags, but for those that are kept all the same. */
struct store_omission {
	unsigned flags;
	bool but_texts;
	const struct model *but; /* what is of that model; or NULL */
};
bool store_omits(const struct store_omission *omission, const struct model_field *field);

/* The same for a part of it: what is left out stays as it is, whether the document has it or not,
 * and what is sealed of it is not opened. */
struct store_reading {
	struct store *store;
	struct arena *arena;
	const char *id; /* the document's */
	struct store_omission omission;
	bool lasting; /* what is read lives as long as the arena: texts are not copied */
};
enum err store_bson_read_some(const struct store_reading *reading, const struct model *model,
	bson_iter_t *iter, void *object, struct err_info *info);

/* Its name in a document. */
const char *store_field_key(const struct model_field *field);

/* Whether no sealed value of an object needs any but the newest key. Opens none. */
bool store_bson_is_newest(struct store *store, const struct model *model, bson_iter_t *iter);

/* Whether a guarded write found its document. */
bool store_matched(const bson_t *reply);

/* The ids of the requests that a filter finds: strings, appended in the order of the options.
 * `doing` goes to the log. */
enum err store_request_ids(struct store *store, struct arena *arena, const bson_t *filter,
	const bson_t *options, const char *doing, struct model_list *list_r, struct err_info *info);

/* Whether it is that text. */
bool store_text_is(const bson_iter_t *iter, const char *text);

/* The instant of a row under that name, or 0. */
int64_t store_instant_of(const bson_t *row, const char *field);

/* For arena_defer. */
void store_release_bson(void *handle);

/* The configuration with the defaults of what its policy lacks. Lives in the arena, or as long as
 * `bson`. */
const bson_t *store_former_config(struct store *store, struct arena *arena, const bson_t *bson);

/* Lets go of the configuration that is kept. */
void store_config_forget(struct store *store);

/* A document of the version before in the form of this one; any other as it is. */
const bson_t *store_former_read(struct arena *arena, const bson_t *bson);

/* What people have answered: nothing, of a request that the version before has stored. */
void store_former_answer(struct arena *arena, struct request *request);

/* What a whole request owes since this version, and owed nobody in the version before. */
void store_former_complete(struct arena *arena, struct request *request);

/* Whether it is in a form of the version before. */
bool store_is_former(const bson_t *bson);

/* A document of the collection as a request in the arena. */
enum err store_request_read(struct store *store, struct arena *arena, const bson_t *bson,
	enum store_depth depth, struct request **request_r, struct err_info *info);

/* Sets what a whole request is found by: what follows from the rest of it. */
void store_request_derive(struct arena *arena, struct request *request);

/* Owes what subscribers are to be told of the change that a request is about to be stored with.
 * `config` may be NULL: it is loaded if it is needed. */
enum err store_announce(struct store *store, struct arena *arena, const struct config *config,
	struct request *request, struct err_info *info);

/* Sets what a meeting can be found by, other than by who knows its id, before it is written. */
void store_mark_meeting(struct store *store, struct arena *arena, struct meeting *meeting);

/* Whose requests. */
void store_append_party(bson_t *bson, const struct store_filter *filter);

/* Adds a document to a list of struct request *; one that cannot be read is logged and left out. */
void store_add_row(struct store *store, struct arena *arena, const bson_t *bson,
	enum store_depth depth, struct model_list *list);

/* What a depth loads, for a find; NULL: all. Lives as long as the store. */
const bson_t *store_projection(const struct store *store, enum store_depth depth);

/* The same as a member of find's options. */
void store_append_projection(bson_t *options, const struct store *store, enum store_depth depth);

/* All of them, made and let go. */
void store_projections_init(struct store *store);
void store_projections_fini(struct store *store);
#endif
