#ifndef FEED_H
#define FEED_H
/*
 * A person's calendar feed: the address under which a calendar program fetches all meetings, and
 * what it gets there.
 *
 * The token of the address is base64url of the feed's id and a MAC under the master key of the id
 * and a random nonce. The nonce is stored, the token is not: a copy of the database opens no feed.
 * Another nonce, or none, and the address is dead.
 */
#include "gate.h"
#include "id.h"
#include "request.h"
#include "secret.h"

enum { FEED_TOKEN_SIZE = 44 };

/* A document of its own, one for each person in each role. */
struct feed {
	const char *id; /* feed_id() */
	int party;      /* enum party: whose meetings, as client or as lawyer */
	const char *person_id;
	const char *nonce;
	const char *key; /* hash of the call that made it, to know its repeat */
	int64_t created_at;
	int64_t seen_at; /* of the person's changes one is known to be as late; 0: none is known */
};

extern const struct model feed_model;

void feed_id(enum party party, const char *person_id, char id_r[ID_SIZE]);

/* <public url>/calendar/feed/<token>.ics */
char *feed_url(struct arena *arena, const struct secret_ring *ring, const char *public_url,
	const struct feed *feed);

/* The feed that a token names: nobody's when it has not the form of one. */
void feed_token_read(const char *token, char id_r[ID_SIZE]);

/* Whether it is this feed's present token. Constant time. */
bool feed_token_opens(const struct secret_ring *ring, const char *token, const struct feed *feed);

/* From when on meetings are in it, by their start. Moves once a day, at midnight UTC. */
int64_t feed_starts_from(int64_t now);

/* Whether a request from then on is in it: it has a meeting, and not one that was cancelled more
 * than 30 days ago. */
bool feed_shows(const struct request *request, int64_t now);

/* How a request stood when it was last changed. */
struct feed_change {
	const char *id;
	int64_t rev, at; /* at: `updated_at` */
};

/* How many of them a version goes by. */
enum { FEED_CHANGES = 64 };

/* When a change may be dated, at most, before it is stored, or by a clock that is behind. */
#define FEED_SLACK (2 * INSTANT_MINUTE)

struct feed_version {
	const char *etag;      /* quoted; NULL: it cannot be told, so much is changing */
	int64_t last_modified; /* 0: a change of that time may still be stored */
};

/*
 * The version of what a feed holds now, from the person's latest changes (struct feed_change, the
 * latest first): those since FEED_SLACK before the latest are in it, so that one which is
 * stored late, or dated by another host's clock, is not missed. Once no such can come any more it
 * is another version, which only a change ends, and not what else is written of a request. It
 * changes too once a day, as the feed does, and with `program`: whatever else its content follows
 * from.
 */
struct feed_version feed_version(struct arena *arena, const struct feed *feed,
	const struct model_list *changes, const char *program, int64_t now);

/* From when on changes are looked for, to tell the present version and whether it is the one that
 * was given out as `etags` (a list, or NULL). 0: all. */
int64_t feed_changes_since(const struct feed *feed, const char *etags);

/* Whether changes from `since` on are all that a version needs. */
bool feed_changes_suffice(const struct model_list *changes, int64_t since);

/* Notes the latest change, once a day at the most; false: that need not be stored. */
bool feed_note_seen(struct feed *feed, const struct model_list *changes);
#endif
