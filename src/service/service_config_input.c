/* Settings and credentials from outside: read strictly, laid over those that are stored. */
#include <json-c/json.h>
#include <string.h>

#include "service_config_private.h"

/* Characters of a setting, of a credential in one line (refresh tokens are long), of a document. */
enum {
	PROVIDER_MAX_SETTING = 512,
	PROVIDER_MAX_CREDENTIAL = 4096,
	PROVIDER_MAX_DOCUMENT = 16 * 1024,
};

static size_t provider_field_count(const struct provider *provider)
{
	size_t count = 0;

	while (provider->fields[count].name)
		count++;
	return count;
}

/* The settings, or the credentials, as a model over an array of slots. */
static const struct model *provider_model(
	struct arena *arena, const struct provider *provider, bool secret)
{
	const size_t count = provider_field_count(provider);
	struct model_field *rows = arena_alloc(arena, (count + 1) * sizeof(*rows));
	struct model *model = arena_alloc(arena, sizeof(*model));
	const struct provider_field *field;
	size_t i;

	*model = (struct model){.name = arena_printf(arena, "%s_%s", provider->name,
					secret ? "credentials" : "settings"),
		.size = (count + 1) * sizeof(struct provider_slot),
		.fields = rows};
	for (i = 0; i < count; i++) {
		field = &provider->fields[i];
		if (field->secret != secret)
			continue;
		rows[model->field_count++] = (struct model_field){
			.name = field->name,
			.type = field->choices ? MODEL_ENUM : MODEL_STRING,
			.offset = i * sizeof(struct provider_slot) +
				  (field->choices ? offsetof(struct provider_slot, choice)
						  : offsetof(struct provider_slot, text)),
			.flags = field->multi_line ? MODEL_MULTILINE : 0,
			.names = field->choices,
			.min = 1,
			.max = field->multi_line ? PROVIDER_MAX_DOCUMENT
			       : secret          ? PROVIDER_MAX_CREDENTIAL
						 : PROVIDER_MAX_SETTING,
		};
	}
	return model;
}

/* The whole input, over a struct provider_input. */
const struct model *service_config_provider_input(
	struct arena *arena, const struct provider *provider, const char *flag)
{
	struct model_field *rows = arena_alloc(arena, 3 * sizeof(*rows));
	struct model *model = arena_alloc(arena, sizeof(*model));

	rows[0] = (struct model_field){
		.name = flag, .type = MODEL_BOOL, .offset = offsetof(struct provider_input, flag)};
	rows[1] = (struct model_field){.name = "settings",
		.type = MODEL_OBJECT,
		.offset = offsetof(struct provider_input, settings),
		.of = provider_model(arena, provider, false)};
	rows[2] = (struct model_field){.name = "credentials",
		.type = MODEL_OBJECT,
		.offset = offsetof(struct provider_input, credentials),
		.of = provider_model(arena, provider, true)};
	*model = (struct model){.name = provider->name,
		.size = sizeof(struct provider_input),
		.fields = rows,
		.field_count = 3};
	return model;
}

/* A credential that is a JSON document may come as one: it is kept as its text. */
static void provider_flatten(const struct provider *provider, struct json_object *given)
{
	struct json_object *credentials = json_object_object_get(given, "credentials"), *value;
	const struct provider_field *field;

	if (!json_object_is_type(credentials, json_type_object))
		return;
	for (field = provider->fields; field->name; field++) {
		value = json_object_object_get(credentials, field->name);
		if (field->multi_line && json_object_is_type(value, json_type_object))
			json_object_object_add(credentials, field->name,
				json_object_new_string(json_object_to_json_string_ext(value,
					JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE)));
	}
}

/* What the model does not tell: which fields were given at all. */
static void provider_mark(
	const struct provider *provider, struct json_object *given, struct provider_slot *slots)
{
	const struct provider_field *field;
	struct json_object *value;

	for (field = provider->fields; slots && field->name; field++, slots++) {
		slots->given = json_object_object_get_ex(given, field->name, &value);
		if (value && field->choices)
			slots->text = field->choices[slots->choice];
	}
}

enum err provider_input_read(struct arena *arena, const struct provider *provider,
	struct json_object *given, const char *flag, struct provider_input *input_r,
	struct err_info *info)
{
	size_t i;
	enum err err;

	*input_r = (struct provider_input){.provider = provider};
	if (json_object_is_type(given, json_type_object))
		provider_flatten(provider, given);
	err = model_from_json(service_config_provider_input(arena, provider, flag), arena, given,
		"", input_r, info);
	if (err != ERR_OK)
		return err;
	input_r->flag_given = json_object_object_get(given, flag) != NULL;
	provider_mark(provider, json_object_object_get(given, "settings"), input_r->settings);
	provider_mark(provider, json_object_object_get(given, "credentials"), input_r->credentials);
	for (i = 0; input_r->credentials && provider->fields[i].name; i++)
		input_r->credential_comes |= input_r->credentials[i].text != NULL;
	return ERR_OK;
}

/* Stores or, with NULL, removes one value; whether that is a change. */
static bool provider_set(struct arena *arena, struct cause *cause, struct config *config,
	const struct provider *provider, const struct provider_field *field, const char *text)
{
	const char *old = config_text(config, provider->name, field->name);
	const char *from = old, *to = text;

	if (old == text || (old && text && strcmp(old, text) == 0))
		return false;
	if (field->secret) {
		from = old ? "set" : NULL;
		to = !text ? NULL : old ? "replaced" : "set";
	}
	if (cause)
		config_note(cause, config,
			arena_printf(arena, "/providers/%s/%s/%s", provider->name,
				field->secret ? "credentials" : "settings", field->name),
			from, to);
	config_set_text(arena, field->secret ? &config->credentials : &config->settings,
		provider->name, field->name, text);
	return true;
}

/* Whether it is to be stored: a mask is none, but the one that we would show says "as it is". */
static bool provider_takes(struct arena *arena, const struct config *config,
	const struct provider *provider, const struct provider_field *field, const char *text,
	struct err_info *info)
{
	const char *old = config_text(config, provider->name, field->name);

	if (!text || !config_is_masked(text))
		return true;
	if (!old || strcmp(config_masked(arena, old, !field->multi_line), text) != 0)
		err_add_field(info, arena_printf(arena, "/credentials/%s", field->name),
			"is masked and not what is stored: send the credential itself, or leave it "
			"out");
	return false;
}

enum err provider_input_apply(const struct provider_input *input, struct arena *arena,
	struct cause *cause, struct config *config, bool whole, bool *changed_r,
	struct err_info *info)
{
	const struct provider *provider = input->provider;
	const struct provider_field *field;
	const struct provider_slot *slot;
	size_t i;

	for (i = 0; provider->fields[i].name; i++) {
		field = &provider->fields[i];
		slot = field->secret ? input->credentials : input->settings;
		if (!slot || (!slot[i].given && (field->secret || !whole)))
			continue;
		if (!field->secret ||
			provider_takes(arena, config, provider, field, slot[i].text, info))
			*changed_r |=
				provider_set(arena, cause, config, provider, field, slot[i].text);
	}
	return info->err;
}

bool provider_remove_values(
	struct cause *cause, struct config *config, const struct provider *provider)
{
	const struct provider_field *field;
	bool changed = false;

	for (field = provider->fields; field->name; field++)
		changed |= provider_set(cause->arena, cause, config, provider, field, NULL);
	return changed;
}
