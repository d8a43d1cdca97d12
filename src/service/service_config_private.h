#ifndef SERVICE_CONFIG_PRIVATE_H
#define SERVICE_CONFIG_PRIVATE_H
#include "provider.h"
#include "service_config.h"
#include "store_change.h"
#include "store_config.h"

/* Changes a freshly loaded configuration; *changed_r false: there is nothing to save. It may run
 * several times, each time on another copy. `call` has the arena of that copy. */
typedef enum err service_config_rule(const struct service *service, const struct service_call *call,
	struct cause *cause, struct config *config, const void *input, bool *changed_r,
	struct err_info *info);

/* store_config_change() with such a rule. */
enum err service_config_change(const struct service *service, const struct service_call *call,
	service_config_rule *rule, const void *input, struct config **config_r,
	struct err_info *info);

/* ERR_PRECONDITION_FAILED when the caller has another version in mind. */
enum err service_config_check_version(
	const struct service_call *call, const char *version, struct err_info *info);

/* ERR_NOT_FOUND when there is none of that name. */
enum err service_config_provider_find(
	const char *name, const struct provider **provider_r, struct err_info *info);

/* One provider as it is shown. */
struct service_config_answer provider_answer(const struct service *service,
	const struct service_call *call, const struct config *config,
	const struct provider *provider);

/* Without its health. */
const char *provider_version(const struct service *service, struct arena *arena,
	const struct config *config, const struct provider *provider);

/* One field of a provider in an input. */
struct provider_slot {
	bool given;
	const char *text; /* NULL: given as null, which removes it */
	int choice;       /* the text's index, where there are choices */
};

struct provider_input {
	const struct provider *provider;
	bool flag, flag_given;
	bool credential_comes;                        /* one with a text */
	struct provider_slot *settings, *credentials; /* as provider->fields; NULL: not given */
};

/* Reads {flag, "settings", "credentials"} strictly; `given` may be altered. ERR_INVALID. */
enum err provider_input_read(struct arena *arena, const struct provider *provider,
	struct json_object *given, const char *flag, struct provider_input *input_r,
	struct err_info *info);

/* Lays an input's settings and credentials over those of the configuration; masked credentials that
 * are what we would show are left as they are. `whole`: settings take the place of all there are.
 * `cause` audits every change; NULL: nothing is audited. ERR_INVALID. */
enum err provider_input_apply(const struct provider_input *input, struct arena *arena,
	struct cause *cause, struct config *config, bool whole, bool *changed_r,
	struct err_info *info);

/* Removes all settings and credentials of a provider; whether there were any. */
bool provider_remove_values(
	struct cause *cause, struct config *config, const struct provider *provider);
#endif
