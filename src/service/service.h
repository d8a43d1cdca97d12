#ifndef SERVICE_H
#define SERVICE_H
/*
 * Use cases: load -> rule of core/ -> guarded save -> wake a dispatcher; one function each.
 * They know callers and idempotency, but neither HTTP messages nor BSON.
 */
#include "command.h"
#include "conf.h"
#include "gate.h"
#include "overlap.h"
#include "provider_breaker.h"
#include "provider_token.h"
#include "request.h"
#include "rest_pool.h"
#include "secret.h"
#include "store.h"
#include "store_request.h"

/* Performs, in the calling thread, the creation that wait->request owes and has leased. What is not
 * done in time stays owed. */
typedef void service_perform(void *performer, struct rest *rest, struct effect_wait *wait);

/* What the use cases work with; one per process, read only after start. */
struct service {
	const struct conf *conf;
	const char *edition; /* of the program and its settings: for entity tags */
	const struct secret_ring *ring;
	struct store *store;
	int wake_fd;               /* eventfd that dispatchers of this host wait on */
	const char *const *queues; /* of what is owed (core/effect.h), NULL-terminated */

	struct rest_pool *rests; /* the bulkhead: how many threads may ask providers at a time */
	const struct provider_token_store *tokens;
	struct breaker_table *breakers;
	service_perform *perform;
	void *performer;
};

struct service_call;

/* Renders the answer to a change, in the call's arena; it is stored with the change, so that a
 * repeat gets the very same bytes. */
typedef const char *service_render(const struct service *service, const struct service_call *call,
	const struct request *request);

/* The entity tag of what the caller is shown of a request, in the call's arena. */
typedef const char *service_tag(const struct service *service, const struct service_call *call,
	const struct request *request);

/* Whether it is what the caller means to change: its entity tag, or its version. */
typedef bool service_precondition(const struct service_call *call, const char *version);

/* One call of a use case. */
struct service_call {
	struct arena *arena;
	int64_t now;
	struct actor caller;
	const char *trace_id;        /* X-Request-Id */
	const char *idempotency_key; /* NULL: the trace id stands in, so that a proxy's repeat of
				      * the same request is recognised too */
	service_precondition *precondition; /* NULL: whatever it is */
	const char *if_match;               /* what that goes by */
	const char *body;
	size_t body_len;
	service_render *render;
	service_tag *tag;
	int status;         /* kept with the answer to a change */
	enum source source; /* the door that the caller came through */
};

struct service_answer {
	int status;
	const char *reply;
	const char *tag; /* of the reply; NULL: not known */
	const char *request_id;
	bool replayed; /* the stored answer to an Idempotency-Key */
};

/* The new request. The id follows from caller and key. ERR_INVALID, ERR_FORBIDDEN,
 * ERR_KEY_REUSED. */
enum err service_request_create(const struct service *service, const struct service_call *call,
	struct request_draft *draft, struct service_answer *answer_r, struct err_info *info);

/* A command (core/command_table.h) with an input of its body model. Errors of its rule;
 * ERR_NOT_FOUND also when the request is not the caller's. */
enum err service_command(const struct service *service, const struct service_call *call,
	enum command command, const char *id, void *input, struct service_answer *answer_r,
	struct err_info *info);

/* A link that makes the lawyer the host, fetched from the provider now; never log it. Unless
 * `entering` (a HEAD is not) the provider is not asked, nothing is recorded, and there is no link:
 * only what would be refused is. */
enum err service_meeting_host(const struct service *service, const struct service_call *call,
	const char *id, bool entering, const char **url_r, struct err_info *info);

/* Loads a request for somebody who may see it; ERR_NOT_FOUND otherwise. */
enum err service_request_get(const struct service *service, const struct service_call *call,
	const char *id, enum store_depth depth, struct request **request_r, struct err_info *info);

/* A page of the caller's own requests (of all, for admin and service). The filter's ids are set
 * here. Items are struct request *, for showing only. */
enum err service_request_list(const struct service *service, const struct service_call *call,
	struct store_filter filter, struct model_list *list_r, struct store_position *next_r,
	struct err_info *info);

/* The meetings of a lawyer, over or not, that take time within the span, in the order of their
 * starts: struct taken. For that lawyer and who may see everything; ERR_NOT_FOUND, and ERR_INVALID
 * for a span that is too long or holds too many. */
enum err service_busy(const struct service *service, const struct service_call *call,
	const char *lawyer_id, const struct span *span, struct model_list *list_r,
	struct err_info *info);

/* When a request of a lawyer's was changed last, whose busy time may be another since then; 0:
 * there is none. */
enum err service_busy_changed(const struct service *service, const struct service_call *call,
	const char *lawyer_id, int64_t *at_r, struct err_info *info);

/* What matters to the caller now. Items are struct request *, for showing only. */
struct service_dashboard {
	struct model_list needs_action, upcoming, waiting, recent;
	/* Of what is not over, each up to SERVICE_MAX_COUNT. */
	int64_t open, upcoming_count, meetings_pending, meetings_failed, proposals;
	bool counts_capped; /* one of them goes on */
};
enum { SERVICE_DASHBOARD_ROWS = 20, SERVICE_MAX_COUNT = 1000 };
enum err service_dashboard_get(const struct service *service, const struct service_call *call,
	struct service_dashboard *dashboard_r, struct err_info *info);

/* How long the oldest owed effect has waited, in ms; 0 when nothing is late. Mails do not count
 * while the mail server does not answer. Says, too, whether the database answers. */
enum err service_backlog(const struct service *service, const struct service_call *call,
	int64_t *age_ms_r, struct err_info *info);

/* The request that a mailed calendar link is for; *current_r: the link is of its present meeting.
 * ERR_NOT_FOUND for a token we did not make. */
enum err service_calendar_open(const struct service *service, const struct service_call *call,
	const char *token, struct request **request_r, enum party *party_r, bool *current_r,
	struct err_info *info);

/* What a join token opens now. */
struct service_gate {
	enum gate state;
	enum party party;
	bool current; /* the link is of the present generation: it may be told more */
	const struct request *request;
	const struct actor *canceller; /* GATE_CANCELLED, of a current link; or NULL */
	const char *url; /* GATE_OPEN: where to go, for this person only; never log it */
};

/* What a page token shows. */
struct service_page {
	enum party party;
	const struct request *request; /* for showing */
	const struct actor *canceller; /* of what was cancelled; or NULL */
	bool acts;                     /* by the policy, there are forms on the page */
};

/* ERR_NOT_FOUND for a token we did not make, and for one of a person who has been erased. Changes
 * nothing. */
enum err service_page_open(const struct service *service, const struct service_call *call,
	const char *token, struct service_page *page_r, struct err_info *info);

/* service_command() of the page's person, who came through the gate. ERR_FORBIDDEN when the policy
 * wants pages for looking only. */
enum err service_page_act(const struct service *service, const struct service_call *call,
	const struct service_page *page, enum command command, void *input, struct err_info *info);

/* ERR_NOT_FOUND for a token we did not make. Records the use when the gate is open and `entering`
 * (a program is not). */
enum err service_gate_open(const struct service *service, const struct service_call *call,
	const char *token, bool entering, struct service_gate *gate_r, struct err_info *info);
#endif
