#ifndef PROVIDER_UNIT_H
#define PROVIDER_UNIT_H
/* A provider that does what the test says, one stored token, and a call to work with. */
#include <json-c/json.h>

#include "clock.h"
#include "config.h"
#include "provider.h"
#include "provider_breaker.h"
#include "provider_http.h"
#include "provider_token.h"
#include "unit.h"

/* What must never be seen: a secret, or what a peer wrote. */
#define CANARY "canary-4f1d"

static struct fake {
	enum err err; /* of every slot */
	int retry_after_s;
	const char *url;
	const char *passcode;
	int calls, grants;
	const char *base_url;
	struct model_list left_out; /* const struct provider_option *: refused by name */
} fake;

static enum err fake_answer(struct err_info *info)
{
	fake.calls++;
	if (fake.err == ERR_OK)
		return ERR_OK;
	err_set(info, fake.err, "Fake Meet: It fails.");
	if (info)
		info->retry_after_s = fake.retry_after_s;
	return fake.err;
}

static enum err fake_check(
	const struct conf *conf, const struct config *config, struct err_info *info)
{
	(void)conf;
	return config_text(config, "fake", "secret")
		       ? ERR_OK
		       : err_add_field(info, "/credentials/secret", "Is needed.");
}

static const char *fake_account(const struct provider_call *call)
{
	return provider_text(call, "host_user");
}

static enum err fake_grant(const struct provider_call *call, const char *refresh_token,
	struct provider_grant *grant_r, struct err_info *info)
{
	(void)refresh_token;
	(void)info;
	fake.grants++;
	*grant_r = (struct provider_grant){
		.access_token = arena_printf(call->arena, "token-%d", fake.grants),
		.base_url = fake.base_url,
		.expires_in_s = 3600,
	};
	return ERR_OK;
}

static void fake_read_error(
	struct arena *arena, const struct rest_reply *reply, struct provider_error *error_r)
{
	struct json_object *member;

	(void)arena;
	if (json_object_object_get_ex(reply->json, "code", &member))
		error_r->code = json_object_get_string(member);
	if (json_object_object_get_ex(reply->json, "message", &member))
		error_r->text = json_object_get_string(member);
}

static enum err fake_create(const struct provider_call *call, const struct provider_plan *plan,
	bool repeated, struct meeting_link *link_r, struct err_info *info)
{
	(void)plan;
	(void)repeated;
	if (call->left_out)
		*call->left_out = fake.left_out;
	link_r->url = fake.url;
	link_r->passcode = fake.passcode;
	return fake_answer(info);
}

static enum err fake_update(const struct provider_call *call, const struct provider_plan *plan,
	struct meeting_link *link_r, struct err_info *info)
{
	return fake_create(call, plan, true, link_r, info);
}

static enum err fake_remove(const struct provider_call *call, const struct provider_target *target,
	struct err_info *info)
{
	(void)call;
	(void)target;
	return fake_answer(info);
}

static enum err fake_read(const struct provider_call *call, const struct provider_plan *plan,
	struct provider_state *state_r, struct err_info *info)
{
	(void)call;
	(void)plan;
	state_r->starts_at = 1;
	return fake_answer(info);
}

static enum err fake_host_url(const struct provider_call *call, const struct provider_plan *plan,
	const char **url_r, struct err_info *info)
{
	(void)call;
	(void)plan;
	*url_r = fake.url;
	return fake_answer(info);
}

static const struct provider_field fake_fields[] = {
	{.name = "host_user"},
	{.name = "secret", .secret = true},
	{.name = NULL},
};

static const struct provider provider_fake = {
	.name = "fake",
	.title = "Fake Meet",
	.fields = fake_fields,
	.check = fake_check,
	.account = fake_account,
	.grant = fake_grant,
	.read_error = fake_read_error,
	.create = fake_create,
	.update = fake_update,
	.remove = fake_remove,
	.read = fake_read,
	.host_url = fake_host_url,
};

/* One stored token, in memory. */

static struct provider_token stored;

static enum err stored_load(void *data, struct arena *arena, const char *id,
	struct provider_token *token_r, struct err_info *info)
{
	(void)data;
	(void)arena;
	(void)id;
	(void)info;
	*token_r = stored;
	return ERR_OK;
}

static enum err stored_lease(void *data, const char *id, struct provider_token *token, int64_t now,
	int64_t until, struct err_info *info)
{
	(void)data;
	(void)id;
	(void)now;
	(void)until;
	if (token->rev != stored.rev)
		return err_set(info, ERR_CONFLICT, "Changed.");
	token->rev = ++stored.rev;
	return ERR_OK;
}

static enum err stored_save(void *data, struct arena *arena, const char *id,
	struct provider_token *token, struct err_info *info)
{
	(void)data;
	(void)arena;
	(void)id;
	if (token->rev != stored.rev)
		return err_set(info, ERR_CONFLICT, "Changed.");
	token->rev++;
	stored = *token;
	return ERR_OK;
}

static const struct provider_token_store stored_tokens = {
	.load = stored_load, .lease = stored_lease, .save = stored_save};

/* What a call works with. */

struct scene {
	struct provider_call call;
	struct config config;
	struct meeting meeting;
	struct request request;
	struct provider_plan plan;
	struct err_info info;
};

static inline void scene_begin(struct scene *scene)
{
	struct arena *arena = arena_new();

	memset(scene, 0, sizeof(*scene));
	memset(&fake, 0, sizeof(fake));
	memset(&stored, 0, sizeof(stored));
	provider_token_forget();
	fake.url = "https://meet.test/j/1?pwd=a.b";
	config_init(arena, &scene->config);
	config_set_text(arena, &scene->config.credentials, "fake", "secret", CANARY);
	config_set_text(arena, &scene->config.settings, "fake", "host_user", "host@law.test");
	scene->meeting.provider_url = "https://meet.test/stored";
	scene->request = (struct request){.id = "request-1", .meeting = &scene->meeting};
	scene->plan = provider_plan(&scene->request);
	scene->call = (struct provider_call){
		.arena = arena,
		.config = &scene->config,
		.provider = &provider_fake,
		.rest = rest_new(),
		.tokens = &stored_tokens,
		.now = clock_now_ms(),
		.until_us = clock_monotonic_us() + UNIT_PATIENCE_US,
		.attempt_ms = UNIT_PATIENCE_MS / 2,
	};
}

static inline void scene_end(struct scene *scene)
{
	breaker_table_free(&scene->call.breakers);
	rest_free(&scene->call.rest);
	arena_free(&scene->call.arena);
}

static inline bool says(const char *text, const char *part)
{
	return strstr(text, part) != NULL;
}
#endif
