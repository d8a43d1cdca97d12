#ifndef REPLY_H
#define REPLY_H
/*
 * What people answer to their mails. Each person's invitation names an organizer address of its own
 * (RFC 6047): its local part holds a token, and what is sent there is of that person and request.
 * What a message says was read elsewhere; here is what it does.
 *
 * The token is base32 of request id, party and a MAC under the master key: derived, never stored,
 * and the same through all updates, so that calendars know the organizer again. It is made under
 * the oldest key, which a new one in front does not change. An erased person has none any more.
 */
#include "cause.h"
#include "id.h"
#include "request.h"
#include "secret.h"

/* How many characters stand in the place of "{}": with what is around it they are 64 at most
 * (RFC 5321 section 4.5.3.1.1). */
enum { REPLY_TOKEN_LENGTH = 44 };

/* The address of a person, by a pattern as meetings+{}@example.org. NULL when that is "": nobody
 * reads answers. */
char *reply_address(struct arena *arena, const struct secret_ring *ring, const char *pattern,
	const char *request_id, enum party party);

/* Whether a pattern has its one place for the token, before the @. */
bool reply_pattern_valid(const char *pattern);

/* Whose address it is. */
struct reply_pass {
	char request_id[ID_SIZE];
	enum party party;
};

/* In any case of its letters; false when no key of the ring has made it. */
bool reply_address_read(const struct secret_ring *ring, const char *pattern, const char *address,
	struct reply_pass *pass_r);

enum reply_kind {
	REPLY_ANSWER, /* of a calendar: whether the person comes, or another time (RFC 5546) */
	REPLY_BOUNCE, /* mail to the person does not arrive (RFC 3464) */
	REPLY_LETTER, /* the person's own words, to the other one */
};

struct reply {
	enum reply_kind kind;
	enum party party;   /* whose address it came to */
	const char *digest; /* the same whenever the same message comes again */

	/* REPLY_ANSWER. What it is about, and of which version (UID, SEQUENCE, DTSTAMP); `part`: of
	 * one occurrence, though there are none. */
	const char *uid;
	int64_t sequence, stamped_at; /* 0: it does not say when */
	bool part;
	const char *attendee;                /* the address of who answers; NULL: it does not say */
	int attendance;                      /* enum attendance_state; -1: none of them */
	int64_t proposed_at, proposed_until; /* another time; 0: none */
	const char *words;                   /* why; NULL: not said */

	const char *status; /* REPLY_BOUNCE: as 5.1.1 (RFC 3463) */
	const char *letter; /* REPLY_LETTER: id of the stored one */
};

/* Whether the same message has done something before. */
bool reply_is_known(const struct request *request, const struct reply *reply);

/* Whether a message may do anything. ERR_NOT_FOUND: the person has been erased; ERR_FORBIDDEN: a
 * letter to one who has been; ERR_TOO_MANY_CHANGES: that person has sent too much within the hour.
 */
enum err reply_check(const struct request *request, const struct reply *reply, int64_t now,
	struct err_info *info);

/* What a message does; refused as by reply_check(). False in *changed_r when nothing: it came
 * before, it is about another version than the person was told last, or about nothing that is
 * ahead. The actor is the person. */
enum err reply_apply(struct cause *cause, struct request *request, const struct reply *reply,
	bool *changed_r, struct err_info *info);
#endif
