#ifndef PROVIDER_H
#define PROVIDER_H
/*
 * THE PROVIDER TABLE. A provider is one file of static functions and one exported const struct;
 * a NULL slot means "not supported". What is common to all (tokens, breaker, error classes) is
 * around the slots, in provider.c, provider_http.c, provider_token.c and provider_breaker.c.
 *
 * Errors of every slot that asks the provider, in words a lawyer understands, never with a secret
 * nor anything the provider wrote, which is in info->reason for administrators (provider_told):
 *   ERR_TEMPORARY        not done; try again (after info->retry_after_s, when it is set)
 *   ERR_OUTCOME_UNKNOWN  perhaps done: look it up before anything else
 *   ERR_STILL_PENDING    begun, and the provider works on it: look again
 *   ERR_UNAVAILABLE      not done, and not by this provider for now: another one may
 *   ERR_CREDENTIAL       not done, credential or rights are refused: a person must act; another may
 *   ERR_GONE             the provider does not have the meeting (any more)
 *   ERR_PERMANENT        not done, and never will be in this form
 */
#include <stdbool.h>
#include <stddef.h>

#include "conf.h"
#include "config.h"
#include "report.h"
#include "request.h"

struct rest;
struct provider;
struct provider_token_store;
struct breaker_table;
struct breaker_health;

/* One call of a provider: what it works with. Belongs to one thread. */
struct provider_call {
	struct arena *arena;
	const struct conf *conf;     /* where the providers' interfaces are */
	const struct config *config; /* settings and credentials */
	const struct provider *provider;
	struct rest *rest;                         /* NULL: no network may be used */
	const struct provider_token_store *tokens; /* shared by all processes and hosts */
	struct breaker_table *breakers;            /* shared by the host's processes; or NULL */
	int64_t now;                               /* ms */
	const char
		*trace_id;  /* X-Request-Id of what it is done for, which is sent along; or NULL */
	int64_t until_us;   /* clock_monotonic_us() when it has to be over */
	int64_t attempt_ms; /* what one HTTP call may take at most */
	/* NULL, or gains the options (const struct provider_option *) that were refused by name and
	 * left out. */
	struct model_list *left_out;
};

/* A setting or credential that a provider takes. Values are strings. */
struct provider_field {
	const char *name;
	bool secret;                /* a credential: sealed, write-only, masked */
	bool multi_line;            /* a PEM key, a JSON file */
	bool inbound;               /* for what it sends us: takes no part in signing in */
	const char *const *choices; /* NULL-terminated; NULL: any text */
	const char *help;
};

/* A setting of the configuration file that says where an interface is. */
struct provider_endpoint {
	const char *name;
	size_t offset; /* of its text in struct conf */
};

#define PROVIDER_ENDPOINT(section, key)                                                            \
	{                                                                                          \
		.name = #section "." #key, .offset = offsetof(struct conf, section##_##key)        \
	}

/* What a meeting at a provider is to be, and what there is of it. */
struct provider_plan {
	const char *request_id;
	const char *provider_key; /* our identity for it, stored before the first call */
	const char *title;
	int64_t starts_at, ends_at;
	const char *timezone;
	int64_t expires_at; /* nobody enters after that */
	const struct security *security;
	const struct person *people[2]; /* by enum party */

	/* As it was made; NULL before. The passcode is what people were told, perhaps by way of
	 * another provider. */
	const char *external_id, *account, *url, *passcode;
	struct model_list warnings; /* struct warning */
};

/* A meeting at a provider, when there is no meeting of ours any more. */
struct provider_target {
	const char *provider_key;
	const char *external_id; /* the provider's; NULL when we never learnt it */
	const char *account;     /* that made it */
};

/* What a provider says about a meeting now. */
struct provider_state {
	int64_t starts_at, ends_at; /* 0: it does not say */
	struct model_list drift;    /* strings: what is not as asked for, or as people were told */
};

/* One line of a validation: {"name", "ok", "detail"}. */
struct provider_check {
	const char *name;
	bool ok;
	const char *detail;
};

/* An answer of a token endpoint. Strings live in the call's arena. */
struct provider_grant {
	const char *access_token;
	const char *refresh_token; /* NULL: not rotated */
	const char *base_url;      /* where the API is for this account; NULL: as configured */
	const char *scope; /* what it is good for, by words; NULL: the provider does not say */
	int64_t expires_in_s;
};

/* A message that came from a provider, or says so. */
enum { PROVIDER_MAX_HEADERS = 2 };
struct provider_message {
	const char *headers[PROVIDER_MAX_HEADERS]; /* as in webhook_headers; NULL: not sent */
	const char *body;                          /* raw; NUL behind it */
	size_t body_len;
	bool is_json; /* by its own account */
};

/* What it says, and what it is answered with: JSON. */
struct provider_event {
	const char *reply;
	struct report report;
};

struct rest_reply;

/* What a provider says is wrong. People read none of it; administrators do, cleaned. */
enum { PROVIDER_MAX_REFUSED = 8 };
struct provider_error {
	const char *code; /* "" when the body names none */
	const char *text; /* "" likewise */
	size_t refused_count;
	struct provider_refused {
		const char *name; /* of a member of what was sent, as the provider spells it */
		const char *text; /* what it says of it; or "" */
	} refused[PROVIDER_MAX_REFUSED];
};

/* A member of what is sent that a meeting can do without: when the provider refuses it by name, the
 * same call is made again without it, and a warning says so. */
struct provider_option {
	const char *path;    /* "settings.audio" */
	const char *name;    /* that messages have for it; NULL: the last part of the path */
	const char *setting; /* and the words of the warning; NULL: */
	const char *words;   /* what is read back tells whether one is due */
	const char *instead; /* a value that is tried before it is left out */
	const char *flag;    /* set to true in its place where something new is made; or NULL */
};

struct provider {
	const char *name;  /* in the API: "jitsi" */
	const char *title; /* for people: "Jitsi Meet" */

	/* `create` needs no network: it is done inside the transition, accepted and ready at once.
	 */
	bool local;

	/* What it takes; ends with a row without name. */
	const struct provider_field *fields;

	/* Where it is asked; ends with a row without name. */
	struct provider_endpoint endpoints[4];

	/* Words for what it can do, for dashboards: "waiting_room", "passcode", "update",
	 * "host_link", "dial_in", …; NULL-terminated. */
	const char *const *capabilities;

	/* Whether settings and credentials are complete and well-formed; asks nobody. Adds fields
	 * with pointers like "/credentials/service_account_json". `config` is what would be stored.
	 */
	enum err (*check)(
		const struct conf *conf, const struct config *config, struct err_info *info);

	/* Who it acts as (an address, an account id): a meeting can be changed only by the one that
	 * made it. Never a secret. In the arena. */
	const char *(*account)(const struct provider_call *call);

	/* A new access token; stored and shared by provider_token.c. `refresh_token` is the newest
	 * rotated one, or NULL: take the configured one. */
	enum err (*grant)(const struct provider_call *call, const char *refresh_token,
		struct provider_grant *grant_r, struct err_info *info);

	/* Reads the error of a reply, into one that has none yet. */
	void (*read_error)(struct arena *arena, const struct rest_reply *reply,
		struct provider_error *error_r);

	/* What it may refuse by name without the meeting being lost; ends with a row without path.
	 * NULL: nothing. */
	const struct provider_option *options;

	/*
	 * Makes the meeting; safe to repeat, because everything it makes carries
	 * plan->provider_key. `repeated`: an earlier call may have made it, so it is
	 * looked up first where the provider has no idempotency of its own. Never returns an
	 * https-less link.
	 */
	enum err (*create)(const struct provider_call *call, const struct provider_plan *plan,
		bool repeated, struct meeting_link *link_r, struct err_info *info);

	/* Brings title and times of an existing meeting to those of the plan. Fills link_r with
	 * what may have changed (warnings, passcode, url). ERR_GONE: make it anew. */
	enum err (*update)(const struct provider_call *call, const struct provider_plan *plan,
		struct meeting_link *link_r, struct err_info *info);

	/* Deletes it; ERR_OK too when there is none. Without external_id it is looked up by our
	 * key. */
	enum err (*remove)(const struct provider_call *call, const struct provider_target *target,
		struct err_info *info);

	/* What the provider has now. ERR_GONE. */
	enum err (*read)(const struct provider_call *call, const struct provider_plan *plan,
		struct provider_state *state_r, struct err_info *info);

	/* A link that makes its holder the host, fetched now: never stored, mailed or logged. */
	enum err (*host_url)(const struct provider_call *call, const struct provider_plan *plan,
		const char **url_r, struct err_info *info);

	/* Where the gate sends one person; NULL slot: plan->url as it stands. Does not
	 * block. The result may hold a credential: never stored, never logged. */
	enum err (*personal_url)(const struct provider_call *call, const struct provider_plan *plan,
		enum party party, const char **url_r, struct err_info *info);

	/*
	 * Reads a message; asks nobody. NULL slot: it sends none. ERR_UNAUTHENTICATED unless only
	 * the provider can have written it, then ERR_UNSUPPORTED_MEDIA, then ERR_MALFORMED; what
	 * does not concern us is REPORT_OTHER. For longer than REPORT_KNOWN_FOR no message may be
	 * taken. The headers that it wants to see are named as CGI variables (RFC 3875 section
	 * 4.1.18).
	 */
	enum err (*webhook)(const struct provider_call *call,
		const struct provider_message *message, struct provider_event *event_r,
		struct err_info *info);
	const char *webhook_headers[PROVIDER_MAX_HEADERS];

	/* Adds to the list of struct provider_check: token, permissions. Stops at the first that
	 * fails. NULL slot: nothing to ask. */
	void (*validate)(const struct provider_call *call, struct model_list *checks);
};

extern const struct provider *const provider_table[]; /* NULL-terminated */

/* What providers are asked to do, as it is counted. */
enum provider_operation {
	PROVIDER_CREATE,
	PROVIDER_UPDATE,
	PROVIDER_REMOVE,
	PROVIDER_READ,
	PROVIDER_HOST_URL,
};
extern const char *const provider_operation_names[]; /* NULL-terminated */

/* Its place in the table. */
size_t provider_index(const struct provider *provider);

/* NULL when there is no provider of that name. */
const struct provider *provider_find(const char *name);

/* ERR_CONFIG when an endpoint of the table is not a secure URL. */
enum err provider_check_endpoints(const struct conf *conf, struct err_info *info);

/* The present meeting of a request; borrows from it. */
struct provider_plan provider_plan(const struct request *request);

/* A setting or credential of the call's provider, or NULL. */
const char *provider_text(const struct provider_call *call, const char *name);

/* The setting of those whose credentials end on a day that an administrator may know. */
#define PROVIDER_END "credentials_end_on"

/* That day as an instant; 0: it is not set. False: what is set is no day. */
bool provider_end(const struct config *config, const struct provider *provider, int64_t *end_r);

/* Whether its settings and credentials are complete; ERR_UNAVAILABLE says not. */
enum err provider_complete(const struct conf *conf, const struct config *config,
	const struct provider *provider, struct err_info *info);

/* Whether it is enabled, too: a provider that is not makes no meetings any more, but those it has
 * made are still moved and deleted. */
enum err provider_usable(const struct conf *conf, const struct config *config,
	const struct provider *provider, struct err_info *info);

/* Notes in a link that the provider does not grant a setting ("waiting_room"). */
void provider_warn(
	struct arena *arena, struct meeting_link *link, const char *setting, const char *detail);

/* A failure in words for administrators: with what the provider says itself. In the arena. */
const char *provider_told(struct arena *arena, const struct err_info *info);

/* The slots with the circuit breaker of (provider, credential) around them: what dispatch/ and
 * service/ call. ERR_UNAVAILABLE at once while the breaker is open, and for a link that is not
 * https or cannot be stored; ERR_TEMPORARY at once without time. link_r and state_r are zeroed
 * first, and link_r->account is set by `create`. A missing slot is ERR_OK for remove and update
 * (nothing to do there), ERR_NOT_FOUND for host_url and read. */
enum err provider_create(const struct provider_call *call, const struct provider_plan *plan,
	bool repeated, struct meeting_link *link_r, struct err_info *info);
enum err provider_update(const struct provider_call *call, const struct provider_plan *plan,
	struct meeting_link *link_r, struct err_info *info);
enum err provider_remove(const struct provider_call *call, const struct provider_target *target,
	struct err_info *info);
enum err provider_read(const struct provider_call *call, const struct provider_plan *plan,
	struct provider_state *state_r, struct err_info *info);
enum err provider_host_url(const struct provider_call *call, const struct provider_plan *plan,
	const char **url_r, struct err_info *info);
enum err provider_personal_url(const struct provider_call *call, const struct provider_plan *plan,
	enum party party, const char **url_r, struct err_info *info);

/* Identifies (provider, credentials) without revealing them: key of tokens and breakers. */
const char *provider_credential_id(const struct provider_call *call);

/* The same for the breaker of what creates and changes. */
const char *provider_changes_id(const struct provider_call *call);

/* How its breakers stand, as this host's processes have found it: that of all calls, or, where that
 * one is closed and it is not, that of what creates and changes. */
void provider_health(const struct provider_call *call, struct breaker_health *health_r);
#endif
