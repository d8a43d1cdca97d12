#define _GNU_SOURCE /* strcasestr */
#include "provider_http.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "provider_refusal.h"
#include "provider_token.h"

/* How often what is refused by name is left out, of one call. */
enum { PROVIDER_YIELDS = 4 };

/* What a class is in words, when a provider's rule has none. */
static const char *const provider_words[ERR_COUNT] = {
	[ERR_UNAUTHENTICATED] = "It refuses our access token.",
	[ERR_TEMPORARY] = "It cannot do this right now.",
	[ERR_OUTCOME_UNKNOWN] = "It failed on the way, so perhaps it was done and perhaps not.",
	[ERR_UNAVAILABLE] = "It cannot be used for this at present.",
	[ERR_CREDENTIAL] = "It refuses our credentials or lacks the rights for this.",
	[ERR_GONE] = "It does not have this meeting, or no longer.",
	[ERR_PERMANENT] = "It refuses this.",
};

/* Only what makes something new may not simply be sent again. */
static enum err provider_unknown(enum rest_method method)
{
	return method == REST_POST ? ERR_OUTCOME_UNKNOWN : ERR_TEMPORARY;
}

static enum err provider_class_of(enum rest_method method, int status)
{
	switch (status) {
	case 401:
		return ERR_UNAUTHENTICATED;
	case 403:
		return ERR_CREDENTIAL;
	case 404:
	case 410:
		return ERR_GONE;
	case 408:
	case 429:
	case 503:
		return ERR_TEMPORARY;
	default:
		if (status >= 200 && status <= 299)
			return ERR_OK;
		return status >= 500 && status <= 599 ? provider_unknown(method) : ERR_PERMANENT;
	}
}

static const struct provider_rule *provider_rule_for(
	const struct provider_error *error, int status, const struct provider_rule *rules)
{
	const struct provider_rule *rule;

	for (rule = rules; rule && rule->class != ERR_OK; rule++)
		if ((rule->status == 0 || rule->status == status) &&
			(!rule->code || strcmp(rule->code, error->code) == 0) &&
			(!rule->text || strcasestr(error->text, rule->text)))
			return rule;
	return NULL;
}

/* In our own words: the status is a number, a code is shown as our table has it, and `member` is
 * one that we sent (NULL: none). */
static enum err provider_refuse(const struct provider_call *call, const struct rest_reply *reply,
	enum err class, const struct provider_rule *rule, const char *member, struct err_info *info)
{
	const char *words = rule && rule->words ? rule->words : provider_words[class];
	const char *code = rule && rule->code && rule->code[0] ? rule->code : NULL;

	err_set(info, class, "%s: %s (HTTP %d%s%s%s%s)", call->provider->title,
		words ? words : err_title(class), reply->status, code ? ", " : "", code ? code : "",
		member ? ", field " : "", member ? member : "");
	if (info)
		info->retry_after_s = (int)reply->retry_after_s;
	return class;
}

/* As provider_classify, but a refused token is still ERR_UNAUTHENTICATED. `body` is what was sent,
 * or NULL. */
static enum err provider_judge(const struct provider_call *call, enum rest_method method,
	const struct rest_reply *reply, const struct provider_rule *rules, const char *body,
	struct err_info *info)
{
	const struct provider_rule *rule;
	struct provider_error error;
	enum err class;

	provider_refusal_read(call, reply, &error);
	rule = provider_rule_for(&error, reply->status, rules);
	class = rule ? rule->class : provider_class_of(method, reply->status);
	if (class == ERR_OK || !info)
		return class;
	provider_refusal_reason(call->arena, &error, info->reason);
	return provider_refuse(call, reply, class, rule,
		reply->status == 400 || reply->status == 422
			? provider_refusal_member(call, &error, body)
			: NULL,
		info);
}

enum err provider_classify(const struct provider_call *call, enum rest_method method,
	const struct rest_reply *reply, const struct provider_rule *rules, struct err_info *info)
{
	enum err err = provider_judge(call, method, reply, rules, NULL, info);

	if (err != ERR_UNAUTHENTICATED)
		return err;
	if (info)
		info->err = ERR_CREDENTIAL;
	return ERR_CREDENTIAL;
}

int64_t provider_time_left_ms(const struct provider_call *call)
{
	const int64_t left = (call->until_us - clock_monotonic_us()) / 1000;

	if (left <= 0)
		return 0;
	return left < call->attempt_ms ? left : call->attempt_ms;
}

/* No answer came. What is wrong with the URL is wrong with the provider's configuration. */
static enum err provider_unanswered(const struct provider *provider, enum rest_method method,
	enum err err, const struct err_info *why, struct err_info *info)
{
	if (err == ERR_CONFIG)
		err = ERR_UNAVAILABLE;
	else if (err == ERR_OUTCOME_UNKNOWN)
		err = provider_unknown(method);
	return err_set(info, err, "%s: %s", provider->title, why->detail);
}

static enum err provider_send_once(const struct provider_call *call, struct rest_request *request,
	bool json, const struct provider_rule *rules, struct rest_reply *reply_r,
	struct err_info *info)
{
	const struct provider *provider = call->provider;
	struct err_info why;
	enum err err;

	if (info)
		err_clear(info);
	request->timeout_ms = provider_time_left_ms(call);
	request->trace_id = call->trace_id;
	if (request->timeout_ms == 0)
		return err_set(info, ERR_TEMPORARY, "%s: There was no time left to ask it.",
			provider->title);
	err = rest_call(call->rest, call->arena, request, reply_r, &why);
	if (err != ERR_OK)
		return provider_unanswered(provider, request->method, err, &why, info);
	err = provider_judge(call, request->method, reply_r, rules, request->body, info);
	if (err == ERR_OK && json && !json_object_is_type(reply_r->json, json_type_object))
		err = provider_refuse(call, reply_r, provider_unknown(request->method),
			&(struct provider_rule){.words = "Its answer cannot be read."}, NULL, info);
	return err;
}

/* A refusal by name is a call that did nothing, so it can be made again without what was refused.
 */
static enum err provider_send_yielding(const struct provider_call *call,
	struct rest_request *request, bool json, const struct provider_rule *rules,
	struct rest_reply *reply_r, struct err_info *info)
{
	enum err err;
	int yields = 0;

	do {
		err = provider_send_once(call, request, json, rules, reply_r, info);
	} while ((err == ERR_PERMANENT || err == ERR_CREDENTIAL) && yields++ < PROVIDER_YIELDS &&
		 provider_refusal_yield(
			 call, reply_r, request->method == REST_POST, &request->body));
	return err;
}

enum err provider_send(const struct provider_call *call, const char *api_url, const char *path,
	struct rest_request *request, bool json, const struct provider_rule *rules,
	struct rest_reply *reply_r, struct err_info *info)
{
	struct provider_token token;
	enum err err;
	int tries;

	for (tries = 0; tries < 2; tries++) {
		err = provider_token_get(call, &token, info);
		if (err != ERR_OK)
			return err;
		request->url = arena_printf(
			call->arena, "%s%s", token.base_url ? token.base_url : api_url, path);
		request->bearer = token.access_token;
		err = provider_send_yielding(call, request, json, rules, reply_r, info);
		if (err != ERR_UNAUTHENTICATED)
			return err;
		if (tries == 0)
			provider_token_refused(call, token.access_token);
	}
	/* Another token did not help: it is not the token that is wrong. */
	if (info)
		info->err = ERR_CREDENTIAL;
	return ERR_CREDENTIAL;
}

/* The member at a path, or NULL. */
static struct json_object *provider_json_at(struct json_object *json, const char *path)
{
	char name[64];
	size_t len;

	for (;; path += len + 1) {
		len = strcspn(path, ".");
		snprintf(name, sizeof(name), "%.*s", (int)len, path);
		if (!json_object_object_get_ex(json, name, &json))
			return NULL;
		if (!path[len])
			return json;
	}
}

/* Whether it is text without a NUL inside, which would cut it short. */
static bool provider_json_is_text(struct json_object *json)
{
	return json_object_is_type(json, json_type_string) &&
	       strlen(json_object_get_string(json)) == (size_t)json_object_get_string_len(json);
}

const char *provider_json_text(struct arena *arena, struct json_object *json, const char *path)
{
	json = provider_json_at(json, path);
	if (!provider_json_is_text(json) && !json_object_is_type(json, json_type_int) &&
		!json_object_is_type(json, json_type_double))
		return NULL;
	return arena_strdup(arena, json_object_get_string(json));
}

/* Some servers send numbers as text: `expires_in`, ids. */
bool provider_json_int(struct json_object *json, const char *path, int64_t *value_r)
{
	const char *text;
	char *end;

	json = provider_json_at(json, path);
	if (!json_object_is_type(json, json_type_int) && !provider_json_is_text(json))
		return false;
	text = json_object_get_string(json);
	if (text[strspn(text, "-0123456789")])
		return false;
	errno = 0;
	*value_r = strtoll(text, &end, 10);
	return end != text && !*end && errno == 0;
}

bool provider_json_bool(struct json_object *json, const char *path, bool *value_r)
{
	json = provider_json_at(json, path);
	if (!json_object_is_type(json, json_type_boolean))
		return false;
	*value_r = json_object_get_boolean(json);
	return true;
}
