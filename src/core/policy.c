#include "policy.h"

static int64_t policy_reminders[] = {1440, 60};
static struct security policy_security = {
	.waiting_room = true, .mute_on_entry = true, .passcode_required = true};
static struct policy_retry policy_retry = {.first_s = 5, .max_s = 600, .give_up_s = 24 * 60 * 60};

const struct policy policy_default = {
	.default_provider = "jitsi",
	.inline_wait_ms = 5000,
	.delay_notice_s = 120,
	.opens_minutes_before = 15,
	.expires_minutes_after = 60,
	.join_links = JOIN_GATE,
	.page_links = PAGE_LINKS_ACT,
	.show_dial_in = true,
	.reply_to = REPLY_TO_OTHER_PARTY,
	.security = &policy_security,
	.reminders_minutes_before = {.items = policy_reminders, .count = 2},
	.max_generations = 20,
	.max_changes_per_hour = 30,
	.lawyer_addresses = LAWYER_ADDRESSES_TRUSTED,
	.retry = &policy_retry,
};

#define MUST (MODEL_STORED | MODEL_SHOWN | MODEL_REQUIRED)

#define FIELD(member) MODEL_FIELD(struct security, member, MODEL_BOOL, MUST)

static const struct model_field security_fields[] = {
	FIELD(waiting_room),
	FIELD(join_before_host),
	FIELD(mute_on_entry),
	FIELD(host_video),
	FIELD(passcode_required),
};

const struct model security_model = MODEL(struct security, "security", security_fields);

#undef FIELD
#define FIELD(member, least, most)                                                                 \
	MODEL_FIELD(struct policy_retry, member, MODEL_INT, MUST, .min = least, .max = most)

static const struct model_field retry_fields[] = {
	FIELD(first_s, 1, 600),
	FIELD(max_s, 1, 24 * 60 * 60),
	FIELD(give_up_s, 60, 30 * 24 * 60 * 60),
};

static const struct model retry_model = MODEL(struct policy_retry, "retry", retry_fields);

static const char *const join_links_names[] = {
	[JOIN_GATE] = "gate", [JOIN_DIRECT] = "direct", NULL};

static const char *const page_links_names[] = {
	[PAGE_LINKS_VIEW] = "view", [PAGE_LINKS_ACT] = "act", NULL};

static const char *const lawyer_addresses_names[] = {
	[LAWYER_ADDRESSES_TRUSTED] = "trusted", [LAWYER_ADDRESSES_ANY] = "any", NULL};

#undef FIELD
#define FIELD(type, member, ...) MODEL_FIELD(struct policy, member, type, MUST, __VA_ARGS__)
#define NAMED(type, member, what, ...)                                                             \
	MODEL_FIELD(struct policy, member, type, MUST | (what), __VA_ARGS__)

static const struct model_field policy_fields[] = {
	NAMED(MODEL_STRING, default_provider, MODEL_PROVIDER, .min = 1, .max = 32),
	NAMED(MODEL_STRINGS, failover, MODEL_PROVIDER, .min = 0, .max = 8),
	FIELD(MODEL_INT, inline_wait_ms, .min = 0, .max = 20000),
	FIELD(MODEL_INT, delay_notice_s, .min = 10, .max = 24 * 60 * 60),
	FIELD(MODEL_INT, opens_minutes_before, .min = 0, .max = 24 * 60),
	FIELD(MODEL_INT, expires_minutes_after, .min = 0, .max = 7 * 24 * 60),
	FIELD(MODEL_ENUM, join_links, .names = join_links_names),
	FIELD(MODEL_ENUM, page_links, .names = page_links_names),
	FIELD(MODEL_INT, change_until_minutes_before, .min = 0, .max = 14 * 24 * 60),
	FIELD(MODEL_BOOL, show_dial_in),
	FIELD(MODEL_STRING, reply_to, .min = 1, .max = 254),
	NAMED(MODEL_STRINGS, alerts, MODEL_EMAIL, .min = 0, .max = 8),
	FIELD(MODEL_OBJECT, security, .of = &security_model),
	FIELD(MODEL_INTS, reminders_minutes_before, .min = 5, .max = 14 * 24 * 60),
	FIELD(MODEL_INT, max_generations, .min = 1, .max = 100),
	FIELD(MODEL_INT, max_changes_per_hour, .min = 1, .max = 1000),
	FIELD(MODEL_ENUM, lawyer_addresses, .names = lawyer_addresses_names),
	FIELD(MODEL_OBJECT, retry, .of = &retry_model),
};

const struct model policy_model = MODEL(struct policy, "policy", policy_fields);
