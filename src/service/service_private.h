#ifndef SERVICE_PRIVATE_H
#define SERVICE_PRIVATE_H
#include "provider.h"
#include "service.h"
#include "store_change.h"

/* What a call of a provider works with, for budget_ms at most; ERR_OVERLOADED when too many threads
 * are asking providers. To be given back. */
enum err service_provider_call(const struct service *service, const struct service_call *call,
	const struct config *config, const struct provider *provider, int64_t budget_ms,
	struct provider_call *call_r, struct err_info *info);
void service_provider_done(const struct service *service, struct provider_call *call);

/* The configuration as it is now. */
enum err service_config_load(const struct service *service, const struct service_call *call,
	const struct config **config_r, struct err_info *info);

/* `config` may be NULL where no rule looks (cause.h). Lives in `arena`. */
void service_cause_init(const struct service_call *call, struct arena *arena, enum source source,
	const struct config *config, struct cause *cause_r);

/* ERR_NOT_FOUND: there is no such request, or the caller may not see it. */
enum err service_no_request(struct err_info *info);
enum err service_check_visible(
	const struct service_call *call, const struct request *request, struct err_info *info);

/* The key of the answer to an action on a request ("" for creation): a hash of the caller's
 * Idempotency-Key, or of the trace id. */
const char *service_answer_key(
	const struct service_call *call, const char *action, const char *request_id);

/* The answer that is kept under a key, given again. ERR_KEY_REUSED. */
enum err service_replay(const struct service *service, const struct service_call *call,
	const struct request_answer *stored, const struct request *request,
	struct service_answer *answer_r, struct err_info *info);

/* What follows from the change for who is shown it, and is else made when it is saved. */
void service_note_change(struct request *request);

/* Renders the answer and keeps it in the request, to be saved with the change. The request's
 * fingerprint is NULL where it is not that of before. */
void service_answer(const struct service *service, const struct service_call *call,
	struct cause *cause, struct request *request, const char *key,
	struct service_answer *answer_r);

/* A change of the request with that id, to be completed with rule and data. */
struct store_change service_change(const struct service *service, const char *id);

/*
 * What core/ cannot check, since it needs libraries: zones and addresses of any input, which are
 * kept in their canonical form; locales and ids
 * of a draft; and, once a rule has taken it, that a provider which it names, or which is
 * to replace a link, can be used.
 */
void service_check_fields(struct arena *arena, const struct model *model, void *input,
	const char *base, struct err_info *info);
void service_check_draft(struct arena *arena, struct request_draft *draft, struct err_info *info);
enum err service_check_named(const struct service *service, const struct config *config,
	const struct model *model, const void *input, struct err_info *info);
enum err service_check_provider(const struct service *service, const struct config *config,
	const char *name, const char *pointer, struct err_info *info);

/* Who cancelled is in the trail, which pages do not load: the request with it, if it still is
 * cancelled by then. Whoever is told that it is can do without, when the trail cannot be read. */
const struct actor *service_find_canceller(
	const struct service *service, struct arena *arena, const struct request **request);

/* Restricts a filter to what is the caller's: all, for admin and service. */
void service_filter_own(const struct service_call *call, struct store_filter *filter);
#endif
