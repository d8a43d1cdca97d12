#ifndef ANNOUNCE_H
#define ANNOUNCE_H
/*
 * Announcements: what subscribers are told of a change. They are owed in the write that makes the
 * change, with the request as it is then: what is sent says what its event says, however late, and
 * whatever has changed since. The events of one change share one view.
 */
#include "cause.h"
#include "effect.h"

struct config;
struct request;

/* Whether anything has happened since the request was loaded that anybody may be told of: no
 * configuration is needed to see that nothing has. */
bool announce_has_news(const struct request *request);

/* Whether a subscriber wants to be told of any of it. */
bool announce_is_wanted(const struct config *config, const struct request *request);

/* Owes it. `view` is the request as the host application sees it, a JSON object; borrowed. Where a
 * request owes too many already, since nobody comes to put them down, the last of them takes up the
 * change, and shows the request as it is by then: no event is lost, and no document grows for ever.
 */
void announce_owe(struct arena *arena, const struct config *config, struct request *request,
	const char *view);

/* What is sent of one event, in the arena. */
const char *announce_body(struct arena *arena, const struct announcement *announcement,
	const struct announced *event);

/* It has been put down for the subscribers, or could not be: then it is tried again for ever. */
void announce_settled(struct cause *cause, struct request *request, struct effect *effect,
	const struct effect_outcome *outcome);
#endif
