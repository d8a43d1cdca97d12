#ifndef SERVICE_OUTBOX_H
#define SERVICE_OUTBOX_H
/* The outbox (API.md, "Operations"): what is owed, and what a person decides about what was given
 * up. Who may do so is for the caller to check. */
#include "outbox.h"
#include "service.h"

/* A page of it. */
struct service_outbox_query {
	const char *kind;   /* NULL: any */
	int state;          /* enum outbox_state; -1: any, what was given up first */
	const char *cursor; /* NULL: from the beginning */
	int64_t limit;
};

/* Requests that owe something of a kind, up to SERVICE_MAX_COUNT each. */
struct service_outbox_kind {
	int64_t owed, failed;
};

struct service_outbox_counts {
	int64_t due, waiting, failed; /* requests, each counted once; up to SERVICE_MAX_COUNT */
	struct service_outbox_kind kinds[EFFECT_KIND_COUNT];
	bool capped;                       /* one of them goes on */
	int64_t oldest_due, oldest_failed; /* instants; 0: there is none */
};

/* Items are struct outbox_item. A page may be short though *next_r says that it goes on.
 * ERR_INVALID for a cursor that is none of ours. */
enum err service_outbox_list(const struct service *service, const struct service_call *call,
	const struct service_outbox_query *query, struct model_list *list_r, const char **next_r,
	struct err_info *info);

enum err service_outbox_count(const struct service *service, const struct service_call *call,
	struct service_outbox_counts *counts_r, struct err_info *info);

/* What a person decides, by one of the rules of outbox.h; `input` is of the model `body`, where it
 * takes any. The answer is the request. */
enum err service_outbox_decide(const struct service *service, const struct service_call *call,
	enum source source, outbox_rule *rule, const struct model *body, const char *name,
	const char *id, void *input, struct service_answer *answer_r, struct err_info *info);
#endif
