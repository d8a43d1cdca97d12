#ifndef AUDIT_H
#define AUDIT_H
/*
 * The audit trail of a document: append-only, each event's hash over its own content and the hash
 * before it, and a seal of the master key over where it ends. Events name people by id and role
 * only, and never hold a secret or a join link; what people or servers wrote (reasons, a mail
 * server's answer) may hold a name or an address, so it stays in the fields that can be erased, and
 * `detail` is our own words.
 */
#include <stdbool.h>
#include <stdint.h>

#include "cause.h"
#include "model.h"

struct request;

/* How many events make a trail long. A document keeps its latest AUDIT_KEPT at least; what is older
 * moves, AUDIT_PART at a time, into archives (struct audit_part), so no document grows for ever. */
enum { AUDIT_LONG = 1000, AUDIT_KEPT = 20, AUDIT_PART = 100 };

struct audit_event {
	const char *id;
	int64_t at;
	struct actor *actor;
	int source;            /* enum source */
	const char *action;    /* API.md, "Audit events" */
	const char *from, *to; /* status before and after, or NULL */
	const char *detail;    /* for people, or NULL */
	const char *request_id, *meeting_id;
	const char *trace_id; /* X-Request-Id of the call that caused it */
	const char *hash;
};

extern const struct model audit_event_model;
extern const struct model audit_actor_model;

/* What precedes the events at hand: all zero when they are the whole trail. */
struct audit_head {
	int64_t count, at;
	const char *hash; /* of the last of them */
};

extern const struct model audit_head_model;

/* What a trail is about. */
struct audit_subject {
	struct model_list *events;
	struct audit_head before;
	const char *request_id; /* or the id of another document that has a trail */
	const char *meeting_id; /* or NULL */
};

/* Appends an event to any trail; borrows its texts. */
void audit_append(struct cause *cause, const struct audit_subject *subject, const char *action,
	const char *from, const char *to, const char *detail);

/* Appends an event to that of a request. `action` is a literal; from, to and detail are borrowed by
 * the request. */
void audit_add(struct cause *cause, struct request *request, const char *action, const char *from,
	const char *to, const char *detail);

/* The same for what may happen any number of times. Once the trail is long, what repeats an event
 * of the hour before is left out, so that no peer or visitor can make it grow without bound:
 * false then. */
bool audit_add_bounded(struct cause *cause, struct request *request, const char *action,
	const char *from, const char *to, const char *detail);

/* The index of the first event that is of another request, or whose hash does not follow from its
 * content and its predecessor (`before`; NULL: there is none); -1 when the chain is whole. That its
 * end is missing, or that all of it was made anew, is for the seal to tell. */
long audit_verify(
	const struct audit_head *before, const struct model_list *events, const char *request_id);

/*
 * What is sealed of a trail: "<number of events> <hash of the last one> <its time in ms>". It is
 * stored as a sealed field, `audit_seal`, bound to the document like every such field: who can
 * write the database but has no key can neither cut a trail nor make it anew. The store renews it
 * with every save, of a document that is `fresh` or whose trail still holds what was sealed before:
 * a broken trail keeps its old seal, so that no later save hides what was done to it.
 */
void audit_seal(struct arena *arena, const struct audit_head *before,
	const struct model_list *events, bool fresh, const char **seal);

/* Notes in the seal of what was loaded that it is of another trail, or of a part of this one: what
 * is added now must not have that sealed. */
void audit_seal_loaded(struct arena *arena, const struct audit_head *before,
	const struct model_list *events, const char **seal);

/* Whether what was loaded with it is what was sealed. */
bool audit_seal_fits(const char *seal);

/*
 * The same for a trail of which only the end is at hand. What was sealed is where it ends: should
 * the stored trail be another, the events added here do not follow from it, and that is seen.
 */
void audit_seal_end(struct arena *arena, const struct audit_head *before,
	const struct model_list *events, const char **seal);

/* Reads a seal as what precedes the events to come; false when there is none, or it is of a version
 * that sealed no time. The hash is in the arena. */
bool audit_head_read(struct arena *arena, const char *seal, struct audit_head *head_r);

/*
 * An archive: the oldest events of a document, that have left it. Its id and content follow from
 * where it begins in the trail, so it is stored before the document lets go of them, and stored
 * again without harm; what a document still holds itself is not looked for in archives.
 */
struct audit_part {
	const char *id;            /* audit_part_id() */
	const char *document_id;   /* whose trail it is of */
	struct audit_head *before; /* what precedes it; NULL: nothing */
	struct model_list events;  /* struct audit_event: AUDIT_PART */
	const char *audit_seal;    /* as of a trail that ends with it */
};

extern const struct model audit_part_model;

/* The id of the archive that begins with the event of that index. */
const char *audit_part_id(struct arena *arena, const char *document_id, int64_t first);

/* Takes the oldest archive out of a trail that is long enough, whose head (*archived, NULL: there
 * is none yet) it moves; false when it is not. The events are shared with the trail. */
bool audit_archive(struct arena *arena, const char *document_id, struct audit_head **archived,
	struct model_list *events, struct audit_part *part_r);

/* A trail alone, of any document that has one. */
struct audit_trail {
	const char *id;              /* of the document */
	struct audit_head *archived; /* what has moved into archives */
	struct model_list events;    /* struct audit_event */
	const char *unreadable;      /* why the last of them could not be read; NULL: all could */
	const char *audit_seal;      /* NULL: there is none, or none that a key here opens */
};

/* Its events, and its seal: each is read alone, for the other may be unreadable. */
extern const struct model audit_trail_model, audit_seal_model;

/* Where a trail, with its archives in `events`, is broken: the index of the event, or the number of
 * events when it is their end. Returns what is wrong, in words; NULL when it is whole. */
const char *audit_flaw(const struct audit_trail *trail, long *index_r);
#endif
