#include "config.h"

#include <stdio.h>
#include <string.h>

#include "subscriber.h"

enum { CONFIG_POINTER_SIZE = 64, CONFIG_MAX_REMINDERS = 8, CONFIG_MASK_LEAST = 12 };

#define FIELD(type, member, flags, ...)                                                            \
	MODEL_FIELD(struct config, member, type, MODEL_STORED | (flags), __VA_ARGS__)

static const struct model_field config_fields[] = {
	FIELD(MODEL_STRING, id, MODEL_KEY),
	FIELD(MODEL_INT, rev, MODEL_REQUIRED),
	FIELD(MODEL_OBJECT, policy, MODEL_REQUIRED, .of = &policy_model),
	FIELD(MODEL_STRINGS, enabled, 0),
	FIELD(MODEL_MAP, settings, 0),
	FIELD(MODEL_MAP, credentials, MODEL_SEALED),
	FIELD(MODEL_LIST, subscribers, MODEL_SPARSE, .of = &subscriber_model),
	FIELD(MODEL_OBJECT, archived, MODEL_SPARSE, .of = &audit_head_model),
	FIELD(MODEL_LIST, events, MODEL_HEAVY, .of = &audit_event_model),
	FIELD(MODEL_STRING, audit_seal, MODEL_HEAVY | MODEL_SEALED),
	FIELD(MODEL_INSTANT, updated_at, 0),
};

const struct model config_model = MODEL(struct config, "config", config_fields);

static void config_copy_list(struct arena *arena, const struct model_list *from, size_t item_size,
	struct model_list *to_r)
{
	size_t i;

	*to_r = (struct model_list){0};
	for (i = 0; i < from->count; i++)
		memcpy(model_list_add(arena, to_r, item_size),
			(const char *)from->items + i * item_size, item_size);
}

void config_init(struct arena *arena, struct config *config_r)
{
	struct policy *policy = arena_alloc(arena, sizeof(*policy));

	*policy = policy_default;
	policy->security = arena_alloc(arena, sizeof(*policy->security));
	*policy->security = *policy_default.security;
	policy->retry = arena_alloc(arena, sizeof(*policy->retry));
	*policy->retry = *policy_default.retry;
	config_copy_list(arena, &policy_default.reminders_minutes_before, sizeof(int64_t),
		&policy->reminders_minutes_before);
	*config_r = (struct config){.id = CONFIG_ID, .policy = policy};
	config_set_enabled(arena, config_r, policy->default_provider, true);
}

bool config_enabled(const struct config *config, const char *provider)
{
	MODEL_FOREACH (&config->enabled, const char *, name) {
		if (strcmp(*name, provider) == 0)
			return true;
	}
	return false;
}

void config_set_enabled(struct arena *arena, struct config *config, const char *provider, bool on)
{
	if (on == config_enabled(config, provider))
		return;
	if (on) {
		*(const char **)model_list_add(arena, &config->enabled, sizeof(provider)) =
			provider;
		return;
	}
	MODEL_FOREACH (&config->enabled, const char *, name) {
		if (strcmp(*name, provider) == 0) {
			model_list_remove(&config->enabled, sizeof(*name),
				(size_t)(name - MODEL_AT(&config->enabled, const char *, 0)));
			return;
		}
	}
}

const char *config_reliance(const struct policy *policy, const char *provider)
{
	if (strcmp(policy->default_provider, provider) == 0)
		return "its default provider";
	MODEL_FOREACH (&policy->failover, const char *, name) {
		if (strcmp(*name, provider) == 0)
			return "a failover provider";
	}
	return NULL;
}

static void config_check_failover(const struct policy *policy, struct err_info *info)
{
	const struct model_list *list = &policy->failover;
	char pointer[CONFIG_POINTER_SIZE];
	const char *name;
	size_t i, j;

	for (i = 0; i < list->count; i++) {
		name = *MODEL_AT(list, const char *, i);
		snprintf(pointer, sizeof(pointer), "/failover/%zu", i);
		if (strcmp(name, policy->default_provider) == 0)
			err_add_field(info, pointer, "is the default provider already");
		for (j = 0; j < i && strcmp(*MODEL_AT(list, const char *, j), name) != 0; j++)
			continue;
		if (j < i)
			err_add_field(info, pointer, "is given twice");
	}
}

static void config_check_reminders(const struct policy *policy, struct err_info *info)
{
	const struct model_list *list = &policy->reminders_minutes_before;
	char pointer[CONFIG_POINTER_SIZE];
	size_t i, j;

	if (list->count > CONFIG_MAX_REMINDERS) {
		err_add_field(info, "/reminders_minutes_before", "must have 0 to %d items",
			CONFIG_MAX_REMINDERS);
		return;
	}
	for (i = 0; i < list->count; i++) {
		for (j = 0; j < i; j++)
			if (*MODEL_AT(list, int64_t, j) == *MODEL_AT(list, int64_t, i))
				break;
		if (j == i)
			continue;
		snprintf(pointer, sizeof(pointer), "/reminders_minutes_before/%zu", i);
		err_add_field(info, pointer, "is given twice");
	}
}

enum err config_check_policy(const struct policy *policy, struct err_info *info)
{
	const size_t before = info->field_count;

	config_check_failover(policy, info);
	config_check_reminders(policy, info);
	/* Zoom ignores join_before_host where there is a waiting room (PROVIDERS.md section 2.2).
	 */
	if (policy->security->waiting_room && policy->security->join_before_host)
		err_add_field(info, "/security/join_before_host",
			"means nothing with a waiting room: everybody waits there until the host "
			"comes; switch one of the two off");
	if (policy->retry->first_s > policy->retry->max_s)
		err_add_field(info, "/retry/first_s", "must not be more than max_s");
	return info->field_count > before ? ERR_INVALID : ERR_OK;
}

const char *config_masked(struct arena *arena, const char *value, bool tail)
{
	const char *end = value + strlen(value), *c;
	int count = 0, wanted = 4;

	for (c = value; *c; c++)
		count += (*c & 0xc0) != 0x80;
	if (!tail || count < CONFIG_MASK_LEAST)
		return CONFIG_MASK;
	while (wanted > 0)
		wanted -= (*--end & 0xc0) != 0x80;
	return arena_printf(arena, CONFIG_MASK "%s", end);
}

bool config_is_masked(const char *text)
{
	return strncmp(text, CONFIG_MASK, strlen(CONFIG_MASK)) == 0;
}

/* The value under "<provider>/<name>", or NULL. */
static const char *config_find(const struct model_list *map, const char *provider, const char *name)
{
	const size_t len = strlen(provider);

	MODEL_FOREACH (map, struct model_pair, pair) {
		if (strncmp(pair->name, provider, len) == 0 && pair->name[len] == '/' &&
			strcmp(pair->name + len + 1, name) == 0)
			return pair->value;
	}
	return NULL;
}

const char *config_text(const struct config *config, const char *provider, const char *name)
{
	const char *value = config_find(&config->credentials, provider, name);

	return value ? value : config_find(&config->settings, provider, name);
}

void config_set_text(struct arena *arena, struct model_list *map, const char *provider,
	const char *name, const char *value)
{
	model_map_set(arena, map, arena_printf(arena, "%s/%s", provider, name), value);
}

void config_note(struct cause *cause, struct config *config, const char *pointer, const char *from,
	const char *to)
{
	const struct audit_subject subject = {
		.events = &config->events,
		.before = config->archived ? *config->archived : (struct audit_head){0},
		.request_id = config->id,
	};

	config->updated_at = cause->now;
	audit_append(cause, &subject, "config.changed", from, to, pointer);
}
