#ifndef AUDIT_H
#define AUDIT_H
/*
 * The audit trail of a request: append-only, each event's hash over its own content and the hash
 * before it. Events name people by id and role only, and never hold a secret or a join link; what
 * people or servers wrote (reasons, a mail server's answer) may hold a name or an address, so it
 * stays in the fields that can be erased, and `detail` is our own words.
 */
#include <stdint.h>

#include "cause.h"
#include "model.h"

struct request;

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

/* What a trail is about. */
struct audit_subject {
	struct model_list *events;
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

/* The index of the first event that is of another request, or whose hash does not follow from its
 * content and its predecessor; -1 when the chain is whole. That its end is missing is not seen. */
long audit_verify(const struct model_list *events, const char *request_id);
#endif
