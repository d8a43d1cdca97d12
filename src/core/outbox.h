#ifndef OUTBOX_H
#define OUTBOX_H
/*
 * The outbox: what all requests owe, as a person sees and steers it. An item is named by its
 * request and its effect, so that it is found by a key.
 */
#include "effect.h"
#include "id.h"

struct request;

enum outbox_state {
	OUTBOX_DUE,     /* its time has come, or somebody is at it */
	OUTBOX_WAITING, /* for its time, or for what goes before it */
	OUTBOX_FAILED,  /* given up */
};

extern const char *const outbox_state_names[];

/* An effect as it is shown. */
struct outbox_item {
	const char *id, *request_id;
	int kind;  /* enum effect_kind */
	int state; /* enum outbox_state */
	int64_t due, created_at, give_up_at, attempts;
	const char *party, *email; /* of a mail: to whom; else NULL */
	const char *provider;      /* of a removal; else NULL */
	struct failure *last_error;
};

extern const struct model outbox_item_model;

struct outbox_item outbox_item(struct arena *arena, const struct request *request,
	const struct effect *effect, int64_t now);

/* The two ids in that of an item; false when it is none. */
bool outbox_id_read(const char *id, char request_id_r[ID_SIZE], char effect_id_r[ID_SIZE]);

/* What a request is found by: "owed" and "owed <kind>" of what is not given up, "failed" and
 * "failed <kind>" of what is. `kind` NULL: any. In the arena. */
const char *outbox_mark(struct arena *arena, bool failed, const char *kind);
struct model_list outbox_marks(struct arena *arena, const struct request *request);

/* POST /api/outbox/{id}/readdress */
struct outbox_readdressing {
	const char *email;
};
extern const struct model outbox_readdressing_model;

/*
 * What a person decides on one that was given up. ERR_NOT_FOUND when it is not owed any more,
 * ERR_NOT_FAILED when it was not given up, ERR_EFFECT_RUNNING while something that it would meet is
 * being done. All are audited.
 */
typedef enum err outbox_rule(struct cause *cause, struct request *request, const char *effect_id,
	const void *input, struct err_info *info);

outbox_rule outbox_retry;

/* Nobody tries it any more: what had to be done was done by hand, or has no point. */
outbox_rule outbox_discard;

/* struct outbox_readdressing: the person of a mail has another address, to which all goes that
 * could not be delivered. ERR_INVALID for the other one's address, and of what is no mail; ERR_GONE
 * when the person was erased. */
outbox_rule outbox_readdress;
#endif
