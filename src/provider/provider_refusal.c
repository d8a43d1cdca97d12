#define _GNU_SOURCE /* strcasestr */
#include "provider_refusal.h"

#include <ctype.h>
#include <json-c/json.h>
#include <string.h>
#include <strings.h>

#include "json.h"

enum { REFUSAL_MAX_NAME = 128, REFUSAL_MAX_CODE = 64 };

void provider_refusal_read(const struct provider_call *call, const struct rest_reply *reply,
	struct provider_error *error_r)
{
	*error_r = (struct provider_error){.code = "", .text = ""};
	if (call->provider->read_error)
		call->provider->read_error(call->arena, reply, error_r);
}

/* ---- why ---- */

static bool refusal_is_code(const char *text)
{
	size_t len = 0;

	while (isalnum((unsigned char)text[len]) || (text[len] && strchr("_.-", text[len])))
		len++;
	return len > 0 && len <= REFUSAL_MAX_CODE && !text[len];
}

void provider_refusal_reason(
	struct arena *arena, const struct provider_error *error, char reason_r[CLEAN_SIZE])
{
	const bool coded = refusal_is_code(error->code);
	const char *text = arena_printf(arena, "%s%s%s", coded ? error->code : "",
		coded && error->text[0] ? ": " : "", error->text);
	size_t i;

	for (i = 0; i < error->refused_count; i++)
		text = arena_printf(
			arena, "%s %s: %s", text, error->refused[i].name, error->refused[i].text);
	clean_text(text, strlen(text), reason_r);
}

/* ---- what ---- */

/* Whether one of the two is the end of the other, from a dot on: "meeting.settings.audio",
 * "settings.audio" and "audio" are one. */
static bool refusal_is_same(const char *path, const char *name)
{
	const size_t path_len = strlen(path), name_len = strlen(name);
	const char *longer = path_len > name_len ? path : name;
	const char *shorter = path_len > name_len ? name : path;
	const char *tail = longer + strlen(longer) - strlen(shorter);

	return shorter[0] && strcasecmp(tail, shorter) == 0 && (tail == longer || tail[-1] == '.');
}

/* Adds the paths of all members of `json` that go by this name. */
static void refusal_find(struct arena *arena, struct json_object *json, const char *before,
	const char *name, struct model_list *paths)
{
	const char *path;

	json_object_object_foreach(json, key, value)
	{
		path = arena_printf(arena, "%s%s%s", before, before[0] ? "." : "", key);
		if (refusal_is_same(path, name))
			*(const char **)model_list_add(arena, paths, sizeof(path)) = path;
		if (json_object_is_type(value, json_type_object))
			refusal_find(arena, value, path, name, paths);
	}
}

/* "/settings/audio" is "settings.audio"; NULL for what is no name of a member. */
static const char *refusal_name(struct arena *arena, const char *text)
{
	char *name, *c;

	text += strspn(text, "/.#");
	if (!text[0] || strlen(text) > REFUSAL_MAX_NAME)
		return NULL;
	name = arena_strdup(arena, text);
	for (c = name; *c; c++)
		if (*c == '/')
			*c = '.';
		else if (!isalnum((unsigned char)*c) && !strchr("._-", *c))
			return NULL;
	return name;
}

/* Whether a text has these words, not as a part of others. */
static bool refusal_says(const char *text, const char *words)
{
	const size_t len = strlen(words);
	const char *at;

	for (at = text; (at = strcasestr(at, words)); at++)
		if ((at == text || !isalnum((unsigned char)at[-1])) &&
			!isalnum((unsigned char)at[len]))
			return true;
	return false;
}

static const char *refusal_words(const struct provider_option *option)
{
	const char *dot = strrchr(option->path, '.');

	return option->name ? option->name : dot ? dot + 1 : option->path;
}

/* The members of what was sent that the error names: by a field of its own, or else in its message.
 * False when it names something that was not sent. */
static bool refusal_paths(const struct provider_call *call, const struct provider_error *error,
	struct json_object *sent, struct model_list *paths)
{
	const struct provider_option *option;
	const char *name;
	size_t i, before;

	for (i = 0; i < error->refused_count; i++) {
		name = refusal_name(call->arena, error->refused[i].name);
		before = paths->count;
		if (name)
			refusal_find(call->arena, sent, "", name, paths);
		if (paths->count == before)
			return false;
	}
	for (option = call->provider->options; option && option->path && !error->refused_count;
		option++)
		if (refusal_says(error->text, refusal_words(option)))
			refusal_find(call->arena, sent, "", option->path, paths);
	return true;
}

static struct json_object *refusal_sent(const struct provider_call *call, const char *body)
{
	struct json_object *sent;

	if (!body || json_parse(call->arena, body, strlen(body), &sent, NULL) != ERR_OK ||
		!json_object_is_type(sent, json_type_object))
		return NULL;
	return sent;
}

const char *provider_refusal_member(
	const struct provider_call *call, const struct provider_error *error, const char *body)
{
	struct json_object *sent = refusal_sent(call, body);
	struct model_list paths = {0};

	if (sent)
		refusal_paths(call, error, sent, &paths);
	return paths.count ? *MODEL_AT(&paths, const char *, 0) : NULL;
}

/* ---- without it ---- */

/* The option that a path is, or is a part of. */
static const struct provider_option *refusal_option(
	const struct provider_call *call, const char *path)
{
	const struct provider_option *option;
	size_t len;

	for (option = call->provider->options; option && option->path; option++) {
		len = strlen(option->path);
		if (strncmp(path, option->path, len) == 0 && (!path[len] || path[len] == '.'))
			return option;
	}
	return NULL;
}

/* Puts what may be right in its place, if that was not tried, or else nothing. */
static void refusal_leave_out(struct arena *arena, struct json_object *sent, const char *path,
	const struct provider_option *option, bool makes)
{
	struct json_object *value = NULL;
	const char *dot;

	for (; (dot = strchr(path, '.')); path = dot + 1)
		if (!json_object_object_get_ex(
			    sent, arena_strndup(arena, path, (size_t)(dot - path)), &sent))
			return;
	if (!json_object_object_get_ex(sent, path, &value))
		return;
	if (option->instead && strcmp(json_object_get_string(value), option->instead) != 0) {
		json_object_object_add(sent, path, json_object_new_string(option->instead));
		return;
	}
	json_object_object_del(sent, path);
	if (option->flag && makes)
		json_object_object_add(sent, option->flag, json_object_new_boolean(true));
}

bool provider_refusal_yield(const struct provider_call *call, const struct rest_reply *reply,
	bool makes, const char **body)
{
	struct json_object *sent = refusal_sent(call, *body);
	struct model_list paths = {0};
	struct provider_error error;

	if (!sent || (reply->status != 400 && reply->status != 422))
		return false;
	provider_refusal_read(call, reply, &error);
	if (!refusal_paths(call, &error, sent, &paths) || paths.count == 0)
		return false;
	MODEL_FOREACH (&paths, const char *, path) {
		if (!refusal_option(call, *path))
			return false;
	}
	MODEL_FOREACH (&paths, const char *, path) {
		const struct provider_option *option = refusal_option(call, *path);

		refusal_leave_out(call->arena, sent, *path, option, makes);
		if (call->left_out)
			*(const struct provider_option **)model_list_add(
				call->arena, call->left_out, sizeof(option)) = option;
	}
	*body = arena_strdup(
		call->arena, json_object_to_json_string_ext(sent,
				     JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
	return true;
}
