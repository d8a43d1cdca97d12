#ifndef GATE_H
#define GATE_H
/*
 * The join gate: who holds which link, and what it opens at a given time.
 *
 * A token is base64url of request id, party, generation and a MAC under the master key: it is
 * derived, never stored, so a copy of the database opens no meeting, and a forged one is
 * recognised before the database is asked.
 */
#include <stdint.h>

#include "id.h"
#include "meeting.h"
#include "request.h"
#include "secret.h"

enum { GATE_TOKEN_SIZE = 51 };

/* What a token is for; one kind never passes for the other. */
enum gate_purpose { GATE_JOIN, GATE_CALENDAR, GATE_PAGE };

struct gate_pass {
	char request_id[ID_SIZE];
	enum party party;
	int64_t generation;
};

void gate_token(const struct secret_ring *ring, enum gate_purpose purpose, const char *request_id,
	enum party party, int64_t generation, char token_r[GATE_TOKEN_SIZE]);

/* False when the token was not made by this master key for this purpose. */
bool gate_token_read(const struct secret_ring *ring, enum gate_purpose purpose, const char *token,
	struct gate_pass *pass_r);

/* The whole link of a party to its current meeting: <public url>/join/<token>, or
 * <public url>/calendar/event/<token>.ics. NULL when there is no meeting. Where the policy wants
 * direct links, the join link is the provider's own. */
char *gate_url(struct arena *arena, const struct secret_ring *ring, enum gate_purpose purpose,
	const char *public_url, const struct request *request, enum party party);

/* A party's page of the request: <public url>/m/<token>, the same for every generation. NULL when
 * that person has been erased. */
char *gate_page_url(struct arena *arena, const struct secret_ring *ring, const char *public_url,
	const struct request *request, enum party party);

/*
 * What a form on such a page carries: its time and a MAC over that and the page's token. Good for
 * an hour, and for that page alone.
 */
enum { GATE_FORM_SIZE = 33 };
void gate_form_token(const struct secret_ring *ring, const char *page_token, int64_t now,
	char form_r[GATE_FORM_SIZE]);
bool gate_form_valid(
	const struct secret_ring *ring, const char *page_token, const char *form, int64_t now);

enum gate {
	GATE_OPEN,
	GATE_EARLY,
	GATE_PENDING, /* no link yet */
	GATE_FAILED,  /* creation was given up */
	GATE_OVER,
	GATE_CANCELLED,
	GATE_REPLACED, /* by a link that there is */
	GATE_RENEWING, /* by one that there is not yet */
};

extern const char *const gate_state_names[]; /* NULL-terminated */

/* The request must have had a meeting of that generation. */
enum gate gate_state(const struct request *request, int64_t generation, int64_t now);

/*
 * Records a use of a link of the present generation: that somebody was shown the way in, whereas
 * who came in is what the provider reports. Each is an event, up to 200 of a link; then
 * one a minute, and one an hour once the trail is long, so that nobody can grow the document
 * without bound. False when this use needs no record. Of the trail the end is enough.
 */
bool gate_use(struct cause *cause, struct request *request, enum link_use link);
#endif
