#ifndef SERVICE_PRIVATE_H
#define SERVICE_PRIVATE_H
#include "provider.h"
#include "service.h"

/* A rule of core/ applied to a loaded request. *changed_r, true before, false: nothing is to be
 * saved. */
typedef enum err service_rule(const struct service *service, struct cause *cause,
	struct request *request, const void *input, const struct config *config, bool *changed_r,
	struct err_info *info);

struct service_action {
	const char *name; /* a key that was used for one action says nothing about another */
	service_rule *rule;
};

/*
 * Load -> rule -> guarded save, again from the start when somebody else was faster.
 * Answers from the request's stored answers when the key was used before.
 */
enum err service_change(const struct service *service, const struct service_call *call,
	const char *id, const struct service_action *action, const void *input,
	struct service_answer *answer_r, struct err_info *info);

/* What a call of a provider works with, for budget_ms at most; ERR_OVERLOADED when too many threads
 * are asking providers. To be given back. */
enum err service_provider_call(const struct service *service, const struct service_call *call,
	const struct config *config, const struct provider *provider, int64_t budget_ms,
	struct provider_call *call_r, struct err_info *info);
void service_provider_done(const struct service *service, struct provider_call *call);

/* The configuration as it is now. */
enum err service_config_load(const struct service *service, const struct service_call *call,
	struct config **config_r, struct err_info *info);

/* Whether a provider that somebody names can be used; a 422 at `/provider` otherwise. */
enum err service_check_provider(const struct service *service, const struct config *config,
	const char *name, struct err_info *info);

/* Waits a random time so that callers who collide do not collide again. */
void service_pause(void);

void service_cause_init(const struct service_call *call, enum source source, struct cause *cause_r);

/* What core/ cannot check, since it needs libraries: addresses, zones, locales, id alphabet. */
void service_check_draft(
	struct arena *arena, const struct request_draft *draft, struct err_info *info);
void service_check_zone(const char *timezone, const char *pointer, struct err_info *info);
#endif
