#include "policy.h"

const struct policy policy_default = {
	.default_provider = "jitsi",
	.opens_minutes_before = 15,
	.expires_minutes_after = 60,
	.security = {.waiting_room = true, .mute_on_entry = true, .passcode_required = true},
	.retry_first_s = 5,
	.retry_max_s = 600,
	.retry_give_up_s = 24 * 60 * 60,
};

#define FIELD(member) MODEL_FIELD(struct security, member, MODEL_BOOL, MODEL_STORED | MODEL_SHOWN)

static const struct model_field security_fields[] = {
	FIELD(waiting_room),
	FIELD(join_before_host),
	FIELD(mute_on_entry),
	FIELD(host_video),
	FIELD(passcode_required),
};

const struct model security_model = MODEL(struct security, "security", security_fields);
