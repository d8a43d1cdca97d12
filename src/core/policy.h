#ifndef POLICY_H
#define POLICY_H
/* How the marketplace wants its meetings (API.md, "Configuration"). */
#include <stdbool.h>
#include <stdint.h>

#include "model.h"

struct security {
	bool waiting_room, join_before_host, mute_on_entry, host_video, passcode_required;
};

struct policy {
	const char *default_provider;
	int64_t opens_minutes_before;  /* the gate opens this long before the start */
	int64_t expires_minutes_after; /* and closes this long after the end */
	struct security security;
	int64_t retry_first_s, retry_max_s, retry_give_up_s;
};

/* The safe defaults of API.md: waiting room on, nobody before the host. */
extern const struct policy policy_default;

extern const struct model security_model;
#endif
