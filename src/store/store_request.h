#ifndef STORE_REQUEST_H
#define STORE_REQUEST_H
/* Request documents: one atomic write each, guarded by `rev`. Blocks as store.h says. */
#include "request.h"
#include "store.h"

/* Stores a new request with rev 1. ERR_CONFLICT when the id is taken. */
enum err store_request_insert(
	struct store *store, struct arena *arena, struct request *request, struct err_info *info);

enum store_depth {
	STORE_CURRENT, /* without events, effects and answers: for showing, never for saving */
	STORE_OWED,    /* the same with its effects */
	STORE_HISTORY, /* or with the ended meetings, as they are shown */
	/* What an entity tag goes by (fingerprint.h), whose request it is, whether it has a
	 * meeting, and updated_at: nothing else is set. */
	STORE_TAG,
	/* As STORE_CURRENT, with what a provider knows it by, and request->before in place of the
	 * events: for uses of links. Loaded whole where its seal does not say where the trail ends.
	 */
	STORE_END,
	STORE_WHOLE,
	STORE_DEPTHS,
};

/* ERR_NOT_FOUND when there is none; ERR_UNREADABLE names what cannot be read. */
enum err store_request_load(struct store *store, struct arena *arena, const char *id,
	enum store_depth depth, struct request **request_r, struct err_info *info);

/* The whole request whose meeting, as it is now, is ready at that provider under that id of the
 * provider's. ERR_NOT_FOUND. */
enum err store_request_by_external_id(struct store *store, struct arena *arena,
	const char *provider, const char *external_id, struct request **request_r,
	struct err_info *info);

/*
 * The guarded write: replaces the document if it still has request->rev, with rev + 1 and a fresh
 * `due`. ERR_CONFLICT when it has not: load again and decide again. After ERR_DATABASE_AWAY the
 * outcome is unknown.
 */
enum err store_request_replace(
	struct store *store, struct arena *arena, struct request *request, struct err_info *info);

/* The guarded write of what was loaded: of a request at STORE_END only its new events and the uses
 * of its links. */
enum err store_request_save(
	struct store *store, struct arena *arena, struct request *request, struct err_info *info);

/* A page of requests in the order of (starts_at, id). */
struct store_filter {
	const char *client_id, *lawyer_id;  /* NULL: anyone's */
	int status, meeting_status;         /* 1 + enum; 0 = any */
	int64_t starts_from, starts_before; /* [from, before); 0 = open */
	bool ascending;
	int64_t after_start;  /* cursor: continue behind this start and id */
	const char *after_id; /* NULL: from the beginning */
	int64_t limit, now;
	enum store_depth depth; /* STORE_CURRENT, or STORE_TAG: a list of tags */
};

/* Where a page ended. */
struct store_position {
	int64_t starts_at;
	const char *id; /* NULL: there is nothing behind it */
};

/* Items are struct request *. A page may be short though *next_r says that it goes on: a row that
 * cannot be read is logged and left out, and where both statuses are asked for no more than a few
 * hundred rows are looked at. */
enum err store_request_list(struct store *store, struct arena *arena,
	const struct store_filter *filter, struct model_list *list_r, struct store_position *next_r,
	struct err_info *info);

/* The ids of all requests that a person is a party of: strings, in no order. */
enum err store_request_of_person(struct store *store, struct arena *arena, const char *person_id,
	struct model_list *list_r, struct err_info *info);

/* The lists of a dashboard. */
enum store_agenda {
	STORE_NEEDS_CLIENT, /* what waits for the client, soonest over first */
	STORE_NEEDS_LAWYER, /* the same for the lawyer */
	STORE_NEEDS_ADMIN,  /* and for an administrator */
	STORE_OPEN,         /* open, soonest first */
	STORE_UPCOMING, /* accepted, and its meeting pending, ready or failed; soonest over first */
	STORE_PENDING,  /* those of them whose meeting is pending */
	STORE_FAILED,   /* and failed */
	STORE_PROPOSED, /* those of them with another time that is asked for */
	STORE_RECENT,   /* what is over, latest first */
};

/* How many rows were looked at, and how many of them are what. */
struct store_tally {
	int64_t rows, open, pending, failed, proposed;
	bool whole; /* there are no others */
};

/* The first whose->limit rows of a list, of a party's requests (or of all): struct request *, as of
 * store_request_list. `most` are looked at for the tally. */
enum err store_agenda_list(struct store *store, struct arena *arena,
	const struct store_filter *whose, enum store_agenda agenda, int64_t most,
	struct model_list *list_r, struct store_tally *tally_r, struct err_info *info);

/* How long it is; no more than `limit` are counted. */
enum err store_agenda_count(struct store *store, const struct store_filter *whose,
	enum store_agenda agenda, int64_t limit, int64_t *count_r, struct err_info *info);

/* Where to look for what is due, and how far: at most `limit` requests. */
struct store_due_search {
	const char *queue; /* of that queue (effect.h); NULL: whatever it is */
	int64_t from, now; /* due in [from, now], */
	int64_t skip;      /* but for so many of the first */
	int64_t limit;
};

struct store_due {
	const char *id;
	int64_t due;            /* the earliest of all it owes */
	struct model_list owed; /* struct model_time; empty: the version before stored it */
};

/* The earliest first. Items are struct store_due. */
enum err store_request_due(struct store *store, struct arena *arena,
	const struct store_due_search *search, struct model_list *list_r, struct err_info *info);

/* Adds what requests are found by since this version (agenda.h, and the `due` of open ones) to
 * those that the version before has stored. Running it again changes nothing. */
enum err store_request_complete_former(struct store *store, struct err_info *info);

/* Moves the `due` of a document that cannot be read or written here out of the way, unless somebody
 * has moved it since `now`. */
enum err store_request_postpone(
	struct store *store, const char *id, int64_t now, int64_t until, struct err_info *info);
#endif
