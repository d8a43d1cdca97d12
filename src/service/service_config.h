#ifndef SERVICE_CONFIG_H
#define SERVICE_CONFIG_H
/*
 * The configuration that administrators change while the service runs (API.md, "Configuration").
 * It is loaded afresh for every call, so a change holds in every process at once.
 *
 * Errors of the changes: ERR_INVALID with pointers, and then nothing is stored;
 * ERR_PRECONDITION_FAILED; ERR_NOT_FOUND for a provider that nobody knows.
 */
#include "service.h"

struct json_object;
struct provider;

/* A representation, in the arena. What call->precondition is asked about is the version. */
struct service_config_answer {
	const char *reply;   /* JSON */
	const char *version; /* the part of it that changes only when somebody changes it */
};

/* The policy. `given` holds the members to change; lists are replaced whole. */
enum err service_config_policy_get(const struct service *service, const struct service_call *call,
	struct service_config_answer *answer_r, struct err_info *info);
enum err service_config_policy_put(const struct service *service, const struct service_call *call,
	struct json_object *given, struct service_config_answer *answer_r, struct err_info *info);

/* A page of the providers, `limit` of them behind the one named `after` (NULL: the first ones). */
enum err service_config_provider_list(const struct service *service,
	const struct service_call *call, size_t limit, const char *after,
	struct service_config_answer *answer_r, struct err_info *info);

/*
 * One provider. Its version is what is configured, without its health. What a GET shows is taken
 * back by a PUT: masked credentials are kept, and what cannot be set is not looked at. `given` may
 * be altered.
 */
enum err service_config_provider_get(const struct service *service, const struct service_call *call,
	const char *name, struct service_config_answer *answer_r, struct err_info *info);
enum err service_config_provider_put(const struct service *service, const struct service_call *call,
	const char *name, struct json_object *given, struct service_config_answer *answer_r,
	struct err_info *info);

/* What a PUT may change of a provider, and what a validation takes: for the description. */
const struct model *service_config_provider_input(
	struct arena *arena, const struct provider *provider, const char *flag);

enum err service_config_provider_delete(const struct service *service,
	const struct service_call *call, const char *name, struct err_info *info);

/* Asks the provider whether settings and credentials work: the stored ones, with `given` laid over
 * them. Stores nothing but, for as long as it may be there, what the
 * test meeting can be deleted with. Blocks for SERVICE_CONFIG_VALIDATE_MS at most. */
extern const struct model service_validation_model; /* of the answer */
enum { SERVICE_CONFIG_VALIDATE_MS = 25 * 1000 };
enum err service_config_provider_validate(const struct service *service,
	const struct service_call *call, const char *name, struct json_object *given,
	struct service_config_answer *answer_r, struct err_info *info);
#endif
