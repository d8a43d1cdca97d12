#include "token_file.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#include "provider_http.h"

enum { TOKEN_FILE_MAX = 1024 * 1024 };

/* The file is one JSON object {id: token}. It is this program's own, so what is wrong with it ends
 * the program. */
static void token_file_die(const char *what)
{
	perror(what);
	exit(2);
}

static struct json_object *token_file_enter(FILE *file)
{
	char *text = calloc(1, TOKEN_FILE_MAX);
	struct json_object *all;

	if (!text || flock(fileno(file), LOCK_EX) != 0)
		token_file_die("tokens");
	rewind(file);
	all = fread(text, 1, TOKEN_FILE_MAX - 1, file) ? json_tokener_parse(text)
						       : json_object_new_object();
	free(text);
	if (!all)
		token_file_die("tokens");
	return all;
}

static void token_file_leave(FILE *file, struct json_object *all, bool changed)
{
	rewind(file);
	if (changed && (ftruncate(fileno(file), 0) != 0 ||
			       fputs(json_object_to_json_string(all), file) == EOF))
		token_file_die("tokens");
	flock(fileno(file), LOCK_UN);
	json_object_put(all);
}

static struct json_object *token_file_find(struct json_object *all, const char *id)
{
	struct json_object *stored = NULL;

	json_object_object_get_ex(all, id, &stored);
	return stored;
}

static int64_t token_file_int(struct json_object *stored, const char *name)
{
	int64_t value = 0;

	provider_json_int(stored, name, &value);
	return value;
}

static enum err token_file_load(void *data, struct arena *arena, const char *id,
	struct provider_token *token_r, struct err_info *info)
{
	struct json_object *all = token_file_enter(data), *stored = token_file_find(all, id);

	(void)info;
	*token_r = (struct provider_token){
		.access_token = provider_json_text(arena, stored, "access_token"),
		.refresh_token = provider_json_text(arena, stored, "refresh_token"),
		.base_url = provider_json_text(arena, stored, "base_url"),
		.scope = provider_json_text(arena, stored, "scope"),
		.expires_at = token_file_int(stored, "expires_at"),
		.rev = token_file_int(stored, "rev"),
	};
	token_file_leave(data, all, false);
	return ERR_OK;
}

/* Replaces the stored token when it still has the rev. */
static bool token_file_put(
	struct json_object *all, const char *id, struct provider_token *token, int64_t lease_until)
{
	struct json_object *json;

	if (token_file_int(token_file_find(all, id), "rev") != token->rev)
		return false;
	token->rev++;
	json = json_object_new_object();
	if (token->access_token)
		json_object_object_add(
			json, "access_token", json_object_new_string(token->access_token));
	if (token->refresh_token)
		json_object_object_add(
			json, "refresh_token", json_object_new_string(token->refresh_token));
	if (token->base_url)
		json_object_object_add(json, "base_url", json_object_new_string(token->base_url));
	if (token->scope)
		json_object_object_add(json, "scope", json_object_new_string(token->scope));
	json_object_object_add(json, "expires_at", json_object_new_int64(token->expires_at));
	json_object_object_add(json, "lease_until", json_object_new_int64(lease_until));
	json_object_object_add(json, "rev", json_object_new_int64(token->rev));
	json_object_object_add(all, id, json);
	return true;
}

static enum err token_file_lease(void *data, const char *id, struct provider_token *token,
	int64_t now, int64_t until, struct err_info *info)
{
	struct json_object *all = token_file_enter(data);
	const bool mine = token_file_int(token_file_find(all, id), "lease_until") <= now &&
			  token_file_put(all, id, token, until);

	token_file_leave(data, all, mine);
	return mine ? ERR_OK : err_set(info, ERR_CONFLICT, "Somebody else refreshes the token.");
}

static enum err token_file_save(void *data, struct arena *arena, const char *id,
	struct provider_token *token, struct err_info *info)
{
	struct json_object *all = token_file_enter(data);
	const bool mine = token_file_put(all, id, token, 0);

	(void)arena;
	token_file_leave(data, all, mine);
	return mine ? ERR_OK : err_set(info, ERR_CONFLICT, "Somebody else was faster.");
}

bool token_file_open(const char *path, struct provider_token_store *store_r)
{
	FILE *file = path ? fopen(path, "a+e") : tmpfile();

	if (!file)
		return false;
	/* What another process wrote must not hide behind a buffer. */
	setvbuf(file, NULL, _IONBF, 0);
	*store_r = (struct provider_token_store){.data = file,
		.load = token_file_load,
		.lease = token_file_lease,
		.save = token_file_save};
	return true;
}

void token_file_close(struct provider_token_store *store)
{
	fclose(store->data);
	store->data = NULL;
}
