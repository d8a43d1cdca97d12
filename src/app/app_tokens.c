/* The store as provider/ sees it, which does not see store/. */
#include "app.h"
#include "store_token.h"

static struct store_token app_token_to_store(const struct provider_token *token)
{
	return (struct store_token){
		.access_token = token->access_token,
		.refresh_token = token->refresh_token,
		.base_url = token->base_url,
		.scope = token->scope,
		.expires_at = token->expires_at,
		.rev = token->rev,
	};
}

static enum err app_token_load(void *data, struct arena *arena, const char *id,
	struct provider_token *token_r, struct err_info *info)
{
	struct store_token stored = {0};
	const enum err err = store_token_load(data, arena, id, &stored, info);

	*token_r = (struct provider_token){
		.access_token = stored.access_token,
		.refresh_token = stored.refresh_token,
		.base_url = stored.base_url,
		.scope = stored.scope,
		.expires_at = stored.expires_at,
		.rev = stored.rev,
	};
	return err;
}

static enum err app_token_lease(void *data, const char *id, struct provider_token *token,
	int64_t now, int64_t until, struct err_info *info)
{
	struct store_token stored = app_token_to_store(token);
	const enum err err = store_token_lease(data, id, &stored, now, until, info);

	token->rev = stored.rev;
	return err;
}

static enum err app_token_save(void *data, struct arena *arena, const char *id,
	struct provider_token *token, struct err_info *info)
{
	struct store_token stored = app_token_to_store(token);
	const enum err err = store_token_save(data, arena, id, &stored, info);

	token->rev = stored.rev;
	return err;
}

struct provider_token_store app_token_store(struct store *store)
{
	return (struct provider_token_store){
		.data = store,
		.load = app_token_load,
		.lease = app_token_lease,
		.save = app_token_save,
	};
}
