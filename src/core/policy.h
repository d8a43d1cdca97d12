#ifndef POLICY_H
#define POLICY_H
/* How the marketplace wants its meetings (API.md, "Configuration"). */
#include <stdbool.h>
#include <stdint.h>

#include "model.h"

struct security {
	bool waiting_room, join_before_host, mute_on_entry, host_video, passcode_required;
};

/* How often what failed is tried again. */
struct policy_retry {
	int64_t first_s, max_s, give_up_s;
};

/* What links lead to: our gate, or the provider at once. */
enum join_links { JOIN_GATE, JOIN_DIRECT };

/* What the pages of people who follow a mailed link show: the meeting, or what may be done, too. */
enum page_links { PAGE_LINKS_VIEW, PAGE_LINKS_ACT };

/* Whether a lawyer is written to at an address that only a client has named. */
enum lawyer_addresses { LAWYER_ADDRESSES_TRUSTED, LAWYER_ADDRESSES_ANY };

/* Where the answer to a mail goes: to the other person, or to where the mail came from. */
#define REPLY_TO_OTHER_PARTY "other_party"
#define REPLY_TO_FROM        "from"

struct policy {
	const char *default_provider;
	struct model_list failover;          /* strings: providers, in order */
	int64_t inline_wait_ms;              /* how long accepting waits for the link */
	int64_t delay_notice_s;              /* people are told that it takes longer than this */
	int64_t opens_minutes_before;        /* the gate opens this long before the start */
	int64_t expires_minutes_after;       /* and closes this long after the end */
	int join_links;                      /* enum join_links */
	int page_links;                      /* enum page_links */
	int64_t change_until_minutes_before; /* clients cancel and propose until then; 0: always */
	bool show_dial_in;        /* else nobody is told the numbers that lead past the gate */
	const char *reply_to;     /* REPLY_TO_…, or an address */
	struct model_list alerts; /* strings: addresses that are told of incidents */
	struct security *security;
	struct model_list reminders_minutes_before; /* int64_t */
	int64_t max_generations;
	int64_t max_changes_per_hour; /* of one request, by people */
	int lawyer_addresses;         /* enum lawyer_addresses */
	struct policy_retry *retry;
};

/* The safe defaults of API.md: waiting room on, nobody before the host. */
extern const struct policy policy_default;

extern const struct model policy_model;
extern const struct model security_model;
#endif
