#ifndef CONFIG_H
#define CONFIG_H
/*
 * The configuration of the installation: policy, providers and their credentials. One document,
 * one guarded write, its own audit trail; the same idiom as a request.
 */
#include "audit.h"
#include "cause.h"
#include "err.h"
#include "model.h"
#include "policy.h"

#define CONFIG_ID "config"

struct config {
	const char *id;
	int64_t rev; /* of the stored document; 0 = not stored yet */
	struct policy *policy;
	struct model_list enabled;     /* strings: names of the enabled providers */
	struct model_list settings;    /* map: "<provider>/<name>" -> value */
	struct model_list credentials; /* map, sealed: "<provider>/<name>" -> value */
	struct model_list subscribers; /* struct subscriber */
	struct audit_head *archived;   /* what has moved into archives; NULL: nothing */
	struct model_list events;      /* struct audit_event; not loaded for use, only for change */
	const char *audit_seal;        /* audit.h; the store makes it */
	int64_t updated_at;
};

extern const struct model config_model;

/* What holds until an administrator says otherwise: policy_default, Jitsi enabled. */
void config_init(struct arena *arena, struct config *config_r);

bool config_enabled(const struct config *config, const char *provider);

/* How the policy relies on a provider, in words ("its default provider"); NULL when it does not. */
const char *config_reliance(const struct policy *policy, const char *provider);

/* What values of a policy must hold with each other. Adds the pointers of those that do not;
 * ERR_INVALID. That providers exist and work is for those who know them. */
enum err config_check_policy(const struct policy *policy, struct err_info *info);

/* How a credential is shown: "••••" and, when `tail` and it is long enough, its last four
 * characters. And whether a text was made so: never to be stored as a credential. */
#define CONFIG_MASK "••••"
const char *config_masked(struct arena *arena, const char *value, bool tail);
bool config_is_masked(const char *text);

/* A setting or credential of a provider, or NULL. */
const char *config_text(const struct config *config, const char *provider, const char *name);

/* Sets or, with NULL, removes one. The caller has audited it (config_note). */
void config_set_enabled(struct arena *arena, struct config *config, const char *provider, bool on);
void config_set_text(struct arena *arena, struct model_list *map, const char *provider,
	const char *name, const char *value);

/* Audits one changed value: `pointer` names it (/policy/inline_wait_ms, /providers/zoom/settings/
 * host_user); values of credentials are never passed, but NULL, "set" or "replaced". */
void config_note(struct cause *cause, struct config *config, const char *pointer, const char *from,
	const char *to);
#endif
