#ifndef SERVICE_PRIVATE_H
#define SERVICE_PRIVATE_H
#include "service.h"

/* A rule of core/ applied to a loaded request. *changed_r false: nothing is to be saved. */
typedef enum err service_rule(const struct service *service, struct cause *cause,
	struct request *request, const void *input, bool *changed_r, struct err_info *info);

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

void service_cause_init(const struct service_call *call, enum source source, struct cause *cause_r);

/* What core/ cannot check, since it needs libraries: addresses, zones, locales, id alphabet. */
void service_check_draft(
	struct arena *arena, const struct request_draft *draft, struct err_info *info);
void service_check_zone(const char *timezone, const char *pointer, struct err_info *info);
#endif
