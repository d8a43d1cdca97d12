#include "store_token.h"

#include <assert.h>

#include "store_private.h"

/* No lease is longer; what ends later was taken by a clock that was wrong, and binds nobody. */
enum { STORE_TOKEN_LEASE_MAX_MS = 60 * 1000 };

/* ---- load ---- */

/* NULL when it is not there. */
static const char *store_token_text(struct arena *arena, const bson_t *bson, const char *field)
{
	bson_iter_t iter;

	if (!bson_iter_init_find(&iter, bson, field) || !BSON_ITER_HOLDS_UTF8(&iter))
		return NULL;
	return arena_strdup(arena, bson_iter_utf8(&iter, NULL));
}

/* NULL when it is not there or cannot be opened. */
static const char *store_token_open(struct store *store, struct arena *arena, const bson_t *bson,
	const char *id, const char *field)
{
	const char *sealed = store_token_text(arena, bson, field);

	return sealed ? secret_open(store->ring, arena,
				arena_printf(arena, "tokens/%s/%s", id, field), sealed)
		      : NULL;
}

static enum err store_token_read(struct store *store, struct arena *arena, const bson_t *bson,
	const char *id, struct store_token *token_r, struct err_info *info)
{
	bson_iter_t iter;

	if (bson_iter_init_find(&iter, bson, "rev"))
		token_r->rev = bson_iter_as_int64(&iter);
	if (token_r->rev < 1)
		return err_set(info, ERR_UNREADABLE, "Token %s: rev cannot be read.", id);
	token_r->access_token = store_token_open(store, arena, bson, id, "access_token");
	token_r->refresh_token = store_token_open(store, arena, bson, id, "refresh_token");
	token_r->base_url = store_token_text(arena, bson, "base_url");
	token_r->scope = store_token_text(arena, bson, "scope");
	if (token_r->access_token && bson_iter_init_find(&iter, bson, "expires_at") &&
		BSON_ITER_HOLDS_DATE_TIME(&iter))
		token_r->expires_at = bson_iter_date_time(&iter);
	return ERR_OK;
}

enum err store_token_load(struct store *store, struct arena *arena, const char *id,
	struct store_token *token_r, struct err_info *info)
{
	const bson_t *bson;
	enum err err;

	*token_r = (struct store_token){0};
	err = store_document_load(store, arena, "tokens", id, &bson, info);
	return err == ERR_OK && bson ? store_token_read(store, arena, bson, id, token_r, info)
				     : err;
}

/* ---- lease and save ---- */

/* Nobody has stored anything yet; of two at once, one meets the other's document. */
static enum err store_token_insert(
	struct store_collection *tokens, const char *id, int64_t until, struct err_info *info)
{
	bson_t *bson = BCON_NEW(
		"_id", BCON_UTF8(id), "rev", BCON_INT64(1), "lease_until", BCON_DATE_TIME(until));
	bson_error_t error;
	enum err err = ERR_OK;

	if (!mongoc_collection_insert_one(tokens->collection, bson, NULL, NULL, &error))
		err = store_error(&error, "insert token", info);
	bson_destroy(bson);
	return err;
}

static enum err store_token_update(struct store_collection *tokens, const bson_t *filter,
	const bson_t *update, struct err_info *info)
{
	bson_error_t error;
	enum err err = ERR_OK;
	bson_t reply;

	if (!mongoc_collection_update_one(tokens->collection, filter, update, NULL, &reply, &error))
		err = store_error(&error, "update token", info);
	else if (!store_matched(&reply))
		err = err_set(info, ERR_CONFLICT, "The token was changed at the same time.");
	bson_destroy(&reply);
	return err;
}

enum err store_token_lease(struct store *store, const char *id, struct store_token *token,
	int64_t now, int64_t until, struct err_info *info)
{
	struct store_collection tokens;
	bson_t *filter, *update;
	enum err err;

	err = store_collection_begin(store, "tokens", &tokens, info);
	if (err != ERR_OK)
		return err;
	if (token->rev == 0) {
		err = store_token_insert(&tokens, id, until, info);
	} else {
		filter = BCON_NEW("_id", BCON_UTF8(id), "rev", BCON_INT64(token->rev), "$or", "[",
			"{", "lease_until", "{", "$lte", BCON_DATE_TIME(now), "}", "}", "{",
			"lease_until", "{", "$gt", BCON_DATE_TIME(now + STORE_TOKEN_LEASE_MAX_MS),
			"}", "}", "]");
		update = BCON_NEW("$set", "{", "lease_until", BCON_DATE_TIME(until), "}", "$inc",
			"{", "rev", BCON_INT64(1), "}");
		err = store_token_update(&tokens, filter, update, info);
		bson_destroy(update);
		bson_destroy(filter);
	}
	if (err == ERR_OK)
		token->rev++;
	return store_collection_end(&tokens, err);
}

/* What is NULL is stored as null. */
static void store_token_append(bson_t *bson, const char *field, const char *value)
{
	if (value)
		bson_append_utf8(bson, field, -1, value, -1);
	else
		bson_append_null(bson, field, -1);
}

static void store_token_seal(struct store *store, struct arena *arena, bson_t *bson, const char *id,
	const char *field, const char *value)
{
	store_token_append(bson, field,
		value ? secret_seal(store->ring, arena,
				arena_printf(arena, "tokens/%s/%s", id, field), value)
		      : NULL);
}

enum err store_token_save(struct store *store, struct arena *arena, const char *id,
	struct store_token *token, struct err_info *info)
{
	bson_t update = BSON_INITIALIZER, set, *filter;
	struct store_collection tokens;
	enum err err;

	assert(token->rev > 0); /* it was leased, or loaded */
	err = store_collection_begin(store, "tokens", &tokens, info);
	if (err != ERR_OK)
		return err;
	filter = BCON_NEW("_id", BCON_UTF8(id), "rev", BCON_INT64(token->rev));
	BSON_APPEND_DOCUMENT_BEGIN(&update, "$set", &set);
	store_token_seal(store, arena, &set, id, "access_token", token->access_token);
	store_token_seal(store, arena, &set, id, "refresh_token", token->refresh_token);
	store_token_append(&set, "base_url", token->base_url);
	store_token_append(&set, "scope", token->scope);
	BSON_APPEND_DATE_TIME(&set, "expires_at", token->expires_at);
	BSON_APPEND_DATE_TIME(&set, "lease_until", 0);
	BSON_APPEND_INT64(&set, "rev", token->rev + 1);
	bson_append_document_end(&update, &set);
	err = store_token_update(&tokens, filter, &update, info);
	if (err == ERR_OK)
		token->rev++;
	bson_destroy(&update);
	bson_destroy(filter);
	return store_collection_end(&tokens, err);
}
