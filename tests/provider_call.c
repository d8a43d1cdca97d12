/*
 * One provider slot against a simulator, without the rest of the stack, for the tests in Python:
 *
 *   provider_call PROVIDER create|update|remove|read|host_url|personal_url|validate|check
 *
 * reads one JSON object from standard input and prints one:
 *
 *   {"conf": {"zoom_api_url": …}, "settings": {…}, "credentials": {…},
 *    "request": {…, "client": {…}, "lawyer": {…}, "meeting": {…, "security": {…}}},
 *    "repeated": false, "party": "client", "attempt_ms": 2000, "total_ms": 5000,
 *    "tokens": path of a file that several processes share as their token store}
 *   {"err", "detail", "retry_after_s", "fields", and "link", "state", "url" or "checks"}
 *
 * The exit status is 0 whenever the slot was called, and 2 when the input is not usable.
 */
#include <ctype.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "json.h"
#include "log.h"
#include "provider.h"
#include "provider_http.h"
#include "provider_token.h"
#include "secret.h"
#include "token_file.h"

enum { INPUT_MAX = 1024 * 1024 };

struct session {
	struct provider_call call;
	struct config config;
	struct provider_plan plan;
	struct json_object *input, *output;
};

static void die(const char *why)
{
	fprintf(stderr, "provider_call: %s\n", why);
	exit(2);
}

static int64_t int_of(struct json_object *json, const char *name, int64_t preset)
{
	int64_t value;

	return provider_json_int(json, name, &value) ? value : preset;
}

static struct json_object *member(struct json_object *json, const char *name)
{
	struct json_object *value = NULL;

	json_object_object_get_ex(json, name, &value);
	return value;
}

/* The input. */

static struct json_object *read_input(struct arena *arena)
{
	char *text = arena_alloc(arena, INPUT_MAX);
	const size_t len = fread(text, 1, INPUT_MAX - 1, stdin);
	struct json_object *json;
	struct err_info info;

	if (json_parse(arena, text, len, &json, &info) != ERR_OK)
		die(info.detail);
	return json;
}

/* Through the environment, so that the product's own rules for settings hold. */
static struct conf *read_conf(struct arena *arena, struct json_object *json)
{
	struct conf *conf;
	struct err_info info;
	char *name, *c;

	if (json) {
		json_object_object_foreach(json, key, value)
		{
			name = arena_printf(arena, "MEETLINK_%s", key);
			for (c = name; *c; c++)
				*c = (char)toupper((unsigned char)*c);
			setenv(name, json_object_get_string(value), 1);
		}
	}
	if (conf_load(NULL, &conf, &info) != ERR_OK)
		die(info.detail);
	return conf;
}

static void read_map(
	struct arena *arena, struct json_object *json, const char *provider, struct model_list *map)
{
	if (json) {
		json_object_object_foreach(json, key, value)
		{
			config_set_text(arena, map, provider, key,
				arena_strdup(arena, json_object_get_string(value)));
		}
	}
}

static int64_t read_instant(struct arena *arena, struct json_object *json, const char *name)
{
	const char *text = provider_json_text(arena, json, name);
	int64_t instant = 0;

	if (text && !instant_parse(text, &instant))
		die("a time is not YYYY-MM-DDTHH:MM:SSZ");
	return instant;
}

static struct person *read_person(struct arena *arena, struct json_object *json)
{
	struct person *person = arena_alloc(arena, sizeof(*person));

	person->id = provider_json_text(arena, json, "id");
	person->name = provider_json_text(arena, json, "name");
	person->email = provider_json_text(arena, json, "email");
	person->timezone = provider_json_text(arena, json, "timezone");
	person->locale = provider_json_text(arena, json, "locale");
	return person;
}

static struct security *read_security(struct arena *arena, struct json_object *json)
{
	struct security *security = arena_alloc(arena, sizeof(*security));

	*security = *policy_default.security;
	provider_json_bool(json, "waiting_room", &security->waiting_room);
	provider_json_bool(json, "join_before_host", &security->join_before_host);
	provider_json_bool(json, "mute_on_entry", &security->mute_on_entry);
	provider_json_bool(json, "host_video", &security->host_video);
	provider_json_bool(json, "passcode_required", &security->passcode_required);
	return security;
}

/* As put_link() shows them. */
static void read_warnings(
	struct arena *arena, struct json_object *json, struct model_list *warnings)
{
	struct warning *warning;
	size_t i;

	for (i = 0; json && i < json_object_array_length(json); i++) {
		warning = model_list_add(arena, warnings, sizeof(*warning));
		warning->code =
			provider_json_text(arena, json_object_array_get_idx(json, i), "code");
		warning->detail =
			provider_json_text(arena, json_object_array_get_idx(json, i), "detail");
	}
}

static struct meeting *read_meeting(
	struct arena *arena, struct json_object *json, const struct request *request)
{
	struct meeting *meeting = arena_alloc(arena, sizeof(*meeting));

	meeting->id = provider_json_text(arena, json, "id");
	meeting->provider = provider_json_text(arena, json, "provider");
	meeting->provider_key = provider_json_text(arena, json, "provider_key");
	meeting->external_id = provider_json_text(arena, json, "external_id");
	meeting->account = provider_json_text(arena, json, "account");
	meeting->provider_url = provider_json_text(arena, json, "provider_url");
	meeting->passcode = provider_json_text(arena, json, "passcode");
	meeting->sequence = int_of(json, "sequence", 0);
	meeting->generation = int_of(json, "generation", 1);
	meeting->security = read_security(arena, member(json, "security"));
	read_warnings(arena, member(json, "warnings"), &meeting->warnings);
	meeting->starts_at = request->starts_at;
	meeting->ends_at = request->ends_at;
	meeting->timezone = request->timezone;
	meeting->opens_at =
		request->starts_at - policy_default.opens_minutes_before * INSTANT_MINUTE;
	meeting->expires_at =
		request->ends_at + policy_default.expires_minutes_after * INSTANT_MINUTE;
	return meeting;
}

static struct request *read_request(struct arena *arena, struct json_object *json)
{
	struct request *request = arena_alloc(arena, sizeof(*request));

	request->id = provider_json_text(arena, json, "id");
	request->status = REQUEST_ACCEPTED;
	request->title = provider_json_text(arena, json, "title");
	request->description = provider_json_text(arena, json, "description");
	request->starts_at = read_instant(arena, json, "starts_at");
	request->ends_at = read_instant(arena, json, "ends_at");
	request->duration_minutes = (request->ends_at - request->starts_at) / INSTANT_MINUTE;
	request->timezone = provider_json_text(arena, json, "timezone");
	request->side[PARTY_CLIENT].person = read_person(arena, member(json, "client"));
	request->side[PARTY_LAWYER].person = read_person(arena, member(json, "lawyer"));
	request->meeting = read_meeting(arena, member(json, "meeting"), request);
	return request;
}

/* The output. */

static void put_text(struct json_object *json, const char *name, const char *text)
{
	json_object_object_add(json, name, text ? json_object_new_string(text) : NULL);
}

static void put_int(struct json_object *json, const char *name, int64_t value)
{
	json_object_object_add(json, name, json_object_new_int64(value));
}

static void put_list(struct json_object *json, const char *name, const struct model_list *texts)
{
	struct json_object *list = json_object_new_array();

	MODEL_FOREACH (texts, const char *, text) {
		json_object_array_add(list, json_object_new_string(*text));
	}
	json_object_object_add(json, name, list);
}

static void put_link(struct json_object *output, const struct meeting_link *link)
{
	struct json_object *json = json_object_new_object(), *warnings = json_object_new_array();
	struct json_object *entry;

	put_text(json, "url", link->url);
	put_text(json, "external_id", link->external_id);
	put_text(json, "account", link->account);
	put_text(json, "passcode", link->passcode);
	put_list(json, "dial_in", &link->dial_in);
	MODEL_FOREACH (&link->warnings, struct warning, warning) {
		entry = json_object_new_object();
		put_text(entry, "code", warning->code);
		put_text(entry, "detail", warning->detail);
		json_object_array_add(warnings, entry);
	}
	json_object_object_add(json, "warnings", warnings);
	json_object_object_add(output, "link", json);
}

static void put_instant(struct json_object *json, const char *name, int64_t instant)
{
	char text[INSTANT_TEXT_SIZE];

	instant_format(instant, false, text);
	put_text(json, name, instant ? text : NULL);
}

static void put_state(struct json_object *output, const struct provider_state *state)
{
	struct json_object *json = json_object_new_object();

	put_instant(json, "starts_at", state->starts_at);
	put_instant(json, "ends_at", state->ends_at);
	put_list(json, "drift", &state->drift);
	json_object_object_add(output, "state", json);
}

static void put_checks(struct json_object *output, const struct model_list *checks)
{
	struct json_object *list = json_object_new_array(), *entry;

	MODEL_FOREACH (checks, struct provider_check, check) {
		entry = json_object_new_object();
		put_text(entry, "name", check->name);
		json_object_object_add(entry, "ok", json_object_new_boolean(check->ok));
		put_text(entry, "detail", check->detail);
		json_object_array_add(list, entry);
	}
	json_object_object_add(output, "checks", list);
}

static void put_error(struct json_object *output, enum err err, const struct err_info *info)
{
	struct json_object *fields = json_object_new_array(), *entry;
	size_t i;

	put_text(output, "err", err_code(err));
	put_text(output, "detail", err == ERR_OK ? NULL : info->detail);
	put_int(output, "retry_after_s", err == ERR_OK ? 0 : info->retry_after_s);
	for (i = 0; err != ERR_OK && i < info->field_count; i++) {
		entry = json_object_new_object();
		put_text(entry, "pointer", info->fields[i].pointer);
		put_text(entry, "detail", info->fields[i].detail);
		json_object_array_add(fields, entry);
	}
	json_object_object_add(output, "fields", fields);
}

/* The operations. */

static enum err do_create(struct session *session, struct err_info *info)
{
	struct meeting_link link = {0};
	bool repeated = false;
	enum err err;

	provider_json_bool(session->input, "repeated", &repeated);
	err = provider_create(&session->call, &session->plan, repeated, &link, info);
	if (err == ERR_OK)
		put_link(session->output, &link);
	return err;
}

static enum err do_update(struct session *session, struct err_info *info)
{
	struct meeting_link link = {0};
	const enum err err = provider_update(&session->call, &session->plan, &link, info);

	if (err == ERR_OK)
		put_link(session->output, &link);
	return err;
}

static enum err do_remove(struct session *session, struct err_info *info)
{
	const struct provider_target target = {
		.provider_key = session->plan.provider_key,
		.external_id = session->plan.external_id,
		.account = session->plan.account,
	};

	return provider_remove(&session->call, &target, info);
}

static enum err do_read(struct session *session, struct err_info *info)
{
	struct provider_state state = {0};
	const enum err err = provider_read(&session->call, &session->plan, &state, info);

	if (err == ERR_OK)
		put_state(session->output, &state);
	return err;
}

static enum err do_host_url(struct session *session, struct err_info *info)
{
	const char *url = NULL;
	const enum err err = provider_host_url(&session->call, &session->plan, &url, info);

	if (err == ERR_OK)
		put_text(session->output, "url", url);
	return err;
}

static enum err do_personal_url(struct session *session, struct err_info *info)
{
	const char *party = provider_json_text(session->call.arena, session->input, "party");
	const int value = party ? model_enum_value(party_names, party) : -1;
	const char *url = NULL;
	enum err err;

	if (value < 0)
		die("\"party\" must be client or lawyer");
	err = provider_personal_url(&session->call, &session->plan, (enum party)value, &url, info);
	if (err == ERR_OK)
		put_text(session->output, "url", url);
	return err;
}

static enum err do_validate(struct session *session, struct err_info *info)
{
	struct model_list checks = {0};

	(void)info;
	if (session->call.provider->validate)
		session->call.provider->validate(&session->call, &checks);
	put_checks(session->output, &checks);
	return ERR_OK;
}

static enum err do_check(struct session *session, struct err_info *info)
{
	return session->call.provider->check(session->call.conf, &session->config, info);
}

static const struct operation {
	const char *name;
	enum err (*run)(struct session *session, struct err_info *info);
} operations[] = {
	{"create", do_create},
	{"update", do_update},
	{"remove", do_remove},
	{"read", do_read},
	{"host_url", do_host_url},
	{"personal_url", do_personal_url},
	{"validate", do_validate},
	{"check", do_check},
	{NULL, NULL},
};

static void session_begin(
	struct session *session, const struct provider *provider, struct conf *conf)
{
	struct arena *arena = session->call.arena;
	struct json_object *input = session->input;

	config_init(arena, &session->config);
	config_set_enabled(arena, &session->config, provider->name, true);
	read_map(arena, member(input, "settings"), provider->name, &session->config.settings);
	read_map(arena, member(input, "credentials"), provider->name, &session->config.credentials);
	session->plan = provider_plan(read_request(arena, member(input, "request")));
	session->output = json_object_new_object();
	session->call.conf = conf;
	session->call.config = &session->config;
	session->call.provider = provider;
	session->call.now = clock_now_ms();
	session->call.until_us = clock_monotonic_us() + int_of(input, "total_ms", 5000) * 1000;
	session->call.attempt_ms = int_of(input, "attempt_ms", 2000);
}

int main(int argc, char **argv)
{
	const struct operation *operation = operations;
	const struct provider *provider = argc == 3 ? provider_find(argv[1]) : NULL;
	struct provider_token_store tokens;
	struct session session = {.call.tokens = &tokens};
	struct err_info info = {0};
	enum log_level level;
	struct conf *conf;

	while (provider && operation->name && strcmp(operation->name, argv[2]) != 0)
		operation++;
	if (!provider || !operation->name)
		die("give a provider and an operation");
	if (!secret_init())
		die("no random numbers");
	session.call.arena = arena_new();
	session.input = read_input(session.call.arena);
	conf = read_conf(session.call.arena, member(session.input, "conf"));
	if (!log_level_parse(conf->log_level, &level))
		die("this is no level of the log");
	log_init("provider_call", level, LOG_FORMAT_LOGFMT);
	if (clock_init(conf->clock_offset_file) != 0)
		die("cannot map the clock");
	if (!token_file_open(
		    provider_json_text(session.call.arena, session.input, "tokens"), &tokens))
		die("cannot open the tokens");
	session.call.rest = rest_new();
	session_begin(&session, provider, conf);

	put_error(session.output, operation->run(&session, &info), &info);
	puts(json_object_to_json_string(session.output));

	json_object_put(session.output);
	rest_free(&session.call.rest);
	provider_token_forget();
	token_file_close(&tokens);
	conf_free(&conf);
	arena_free(&session.call.arena);
	return 0;
}
