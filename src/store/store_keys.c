#include "store_keys.h"

#include "store_archive.h"
#include "store_chore.h"
#include "store_config.h"
#include "store_delivery.h"
#include "store_letter.h"
#include "store_private.h"
#include "store_token.h"

enum { STORE_KEYS_PAGE = 50, STORE_KEYS_LEASE_MS = 10 * 1000 };

const char *const store_sealed_names[] = {
	[STORE_SEALED_CONFIG] = "config",
	[STORE_SEALED_REQUESTS] = "requests",
	[STORE_SEALED_ARCHIVES] = "archives",
	[STORE_SEALED_TOKENS] = "tokens",
	[STORE_SEALED_CHORES] = "chores",
	[STORE_SEALED_DELIVERIES] = "deliveries",
	[STORE_SEALED_LETTERS] = "letters",
	NULL,
};

static enum err store_reseal_config(struct store *store, struct arena *arena, const char *id,
	int64_t now, struct err_info *info)
{
	struct config *config;
	enum err err = store_config_load_whole(store, arena, &config, info);

	(void)id;
	(void)now;
	return err == ERR_OK ? store_config_save(store, arena, config, info) : err;
}

static enum err store_reseal_request(struct store *store, struct arena *arena, const char *id,
	int64_t now, struct err_info *info)
{
	struct request *request;
	enum err err = store_request_load(store, arena, id, STORE_WHOLE, &request, info);

	(void)now;
	return err == ERR_OK ? store_request_replace(store, arena, request, info) : err;
}

/* Nobody changes one. */
static enum err store_reseal_archive(struct store *store, struct arena *arena, const char *id,
	int64_t now, struct err_info *info)
{
	struct audit_part part;
	enum err err = store_archive_load(store, arena, id, &part, info);

	(void)now;
	return err == ERR_OK ? store_archive_save(store, arena, &part, info) : err;
}

/* Not thrown away: a refresh token that the provider has rotated is nowhere else. The lease keeps
 * out whoever would renew it meanwhile. */
static enum err store_reseal_token(struct store *store, struct arena *arena, const char *id,
	int64_t now, struct err_info *info)
{
	struct store_token token;
	enum err err = store_token_load(store, arena, id, &token, info);

	if (err != ERR_OK)
		return err;
	if (token.rev == 0)
		return err_set(info, ERR_NOT_FOUND, "There is no such token.");
	if (!token.access_token && !token.refresh_token)
		return err_set(info, ERR_UNREADABLE, "No key opens it.");
	err = store_token_lease(store, id, &token, now, now + STORE_KEYS_LEASE_MS, info);
	return err == ERR_OK ? store_token_save(store, arena, id, &token, info) : err;
}

static enum err store_reseal_chore(struct store *store, struct arena *arena, const char *id,
	int64_t now, struct err_info *info)
{
	struct chore *chore;
	enum err err = store_chore_load(store, arena, id, &chore, info);

	(void)now;
	return err == ERR_OK ? store_chore_save(store, arena, chore, info) : err;
}

static enum err store_reseal_delivery(struct store *store, struct arena *arena, const char *id,
	int64_t now, struct err_info *info)
{
	struct delivery *delivery;
	enum err err = store_delivery_load(store, arena, id, &delivery, info);

	(void)now;
	return err == ERR_OK ? store_delivery_save(store, arena, delivery, info) : err;
}

static enum err store_reseal_letter(struct store *store, struct arena *arena, const char *id,
	int64_t now, struct err_info *info)
{
	struct letter *letter;
	enum err err = store_letter_load(store, arena, id, &letter, info);

	(void)now;
	return err == ERR_OK ? store_letter_save(store, arena, letter, info) : err;
}

static const struct {
	const struct model *model; /* NULL: flat, and holds no text that people write */
	enum err (*reseal)(struct store *store, struct arena *arena, const char *id, int64_t now,
		struct err_info *info);
} store_sealed_table[] = {
	[STORE_SEALED_CONFIG] = {&config_model, store_reseal_config},
	[STORE_SEALED_REQUESTS] = {&request_model, store_reseal_request},
	[STORE_SEALED_ARCHIVES] = {&audit_part_model, store_reseal_archive},
	[STORE_SEALED_TOKENS] = {NULL, store_reseal_token},
	[STORE_SEALED_CHORES] = {&chore_model, store_reseal_chore},
	[STORE_SEALED_DELIVERIES] = {&delivery_model, store_reseal_delivery},
	[STORE_SEALED_LETTERS] = {&letter_model, store_reseal_letter},
};

enum err store_keys_reseal(struct store *store, struct arena *arena, enum store_sealed where,
	const char *id, int64_t now, struct err_info *info)
{
	return store_sealed_table[where].reseal(store, arena, id, now, info);
}

/* Every text that looks sealed. */
static bool store_flat_is_newest(struct store *store, bson_iter_t *iter)
{
	const char *text;

	while (bson_iter_next(iter)) {
		text = BSON_ITER_HOLDS_UTF8(iter) ? bson_iter_utf8(iter, NULL) : "";
		if (strncmp(text, "v1:", 3) == 0 && !secret_is_newest(store->ring, text))
			return false;
	}
	return true;
}

static void store_keys_add(struct store *store, struct arena *arena, enum store_sealed where,
	const bson_t *bson, struct store_keys_page *page)
{
	const struct model *model = store_sealed_table[where].model;
	bson_iter_t id, iter;
	bool newest;

	page->seen++;
	if (!bson_iter_init_find(&id, bson, "_id") || !BSON_ITER_HOLDS_UTF8(&id))
		return;
	page->last_id = arena_strdup(arena, bson_iter_utf8(&id, NULL));
	bson_iter_init(&iter, bson);
	newest = model ? store_bson_is_newest(store, model, &iter)
		       : store_flat_is_newest(store, &iter);
	if (!newest || (where == STORE_SEALED_REQUESTS && store_is_former(bson)))
		*(const char **)model_list_add(arena, &page->outdated, sizeof(page->last_id)) =
			page->last_id;
}

enum err store_keys_list(struct store *store, struct arena *arena, enum store_sealed where,
	const char *after_id, struct store_keys_page *page_r, struct err_info *info)
{
	mongoc_collection_t *collection;
	struct store_session session;
	bson_t *filter, *options;
	mongoc_cursor_t *cursor;
	const bson_t *bson;
	bson_error_t error;
	enum err err;

	*page_r = (struct store_keys_page){0};
	err = store_session_begin(store, &session, info);
	if (err != ERR_OK)
		return err;
	collection = mongoc_client_get_collection(
		session.client, store->database, store_sealed_names[where]);
	filter = BCON_NEW("_id", "{", "$gt", BCON_UTF8(after_id ? after_id : ""), "}");
	options = BCON_NEW("sort", "{", "_id", BCON_INT32(1), "}", "limit",
		BCON_INT64(STORE_KEYS_PAGE), "singleBatch", BCON_BOOL(true));
	cursor = store_find(collection, filter, options);
	while (mongoc_cursor_next(cursor, &bson))
		store_keys_add(store, arena, where, bson, page_r);
	if (mongoc_cursor_error(cursor, &error))
		err = store_error(&error, "look for sealed values", info);
	mongoc_cursor_destroy(cursor);
	bson_destroy(options);
	bson_destroy(filter);
	mongoc_collection_destroy(collection);
	return store_session_end(&session, err);
}
