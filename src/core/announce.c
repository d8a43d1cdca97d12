#include "announce.h"

#include <string.h>

#include "backoff.h"
#include "config.h"
#include "id.h"
#include "request.h"
#include "subscriber.h"

enum { ANNOUNCE_FIRST_S = 1, ANNOUNCE_MAX_S = 60 };

/* How many a request may owe, each with a view, while no dispatcher comes to put them down. */
enum { ANNOUNCE_MOST = 32 };

/* These say what they replaced. */
static const char *const announce_replacing[] = {
	"meeting.rescheduled", "meeting.regenerated", "meeting.replaced", NULL};

static bool announce_is_any(const char *const *types, const char *type)
{
	for (; *types; types++)
		if (strcmp(*types, type) == 0)
			return true;
	return false;
}

/* The first event since the request was loaded, and the one behind the last. */
static const struct audit_event *announce_begin(const struct request *request)
{
	return MODEL_AT(&request->events, struct audit_event, request->was.events);
}

static const struct audit_event *announce_end(const struct request *request)
{
	return MODEL_AT(&request->events, struct audit_event, request->events.count);
}

bool announce_has_news(const struct request *request)
{
	const struct audit_event *event;

	for (event = announce_begin(request); event < announce_end(request); event++)
		if (announce_is_any(subscriber_events, event->action))
			return true;
	return false;
}

bool announce_is_wanted(const struct config *config, const struct request *request)
{
	const struct audit_event *event;

	MODEL_FOREACH (&config->subscribers, struct subscriber, subscriber) {
		for (event = announce_begin(request); event < announce_end(request); event++)
			if (subscriber_wants(subscriber, event->action))
				return true;
	}
	return false;
}

/* What was before the change, if it had a meeting by then. */
static const char *announce_previous(struct arena *arena, const struct request *request)
{
	const struct request_before *was = &request->was;
	char starts_at[INSTANT_TEXT_SIZE], ends_at[INSTANT_TEXT_SIZE];

	if (!was->generation)
		return NULL;
	instant_format(was->starts_at, false, starts_at);
	instant_format(was->ends_at, false, ends_at);
	/* Names of zones and providers are of letters that JSON takes as they are. */
	return arena_printf(arena,
		"{\"starts_at\":\"%s\",\"ends_at\":\"%s\",\"timezone\":\"%s\","
		"\"meeting\":{\"id\":\"%s\",\"generation\":%lld,\"provider\":\"%s\"}}",
		starts_at, ends_at, was->timezone, request->meeting->id, (long long)was->generation,
		was->provider);
}

static void announce_add(struct arena *arena, const struct config *config,
	const struct request *request, const struct audit_event *event,
	struct announcement *announcement)
{
	struct announced *announced;
	struct model_list to = {0};

	MODEL_FOREACH (&config->subscribers, struct subscriber, subscriber) {
		if (subscriber_wants(subscriber, event->action))
			*(const char **)model_list_add(arena, &to, sizeof(const char *)) =
				subscriber->id;
	}
	if (!to.count)
		return;
	announced = model_list_add(arena, &announcement->events, sizeof(*announced));
	*announced = (struct announced){
		.id = event->id,
		.type = event->action,
		.at = event->at,
		.serial = request->before.count +
			  (event - MODEL_AT(&request->events, struct audit_event, 0)),
		.to = to,
	};
}

/* The last of those owed, if there are so many that it has to take up another change; or NULL. */
static struct announcement *announce_full(const struct request *request)
{
	struct effect *last = NULL;
	size_t owed = 0;

	MODEL_FOREACH (&request->effects, struct effect, effect) {
		if (!effect->announcement)
			continue;
		owed++;
		last = effect;
	}
	return owed >= ANNOUNCE_MOST && !last->lease ? last->announcement : NULL;
}

void announce_owe(
	struct arena *arena, const struct config *config, struct request *request, const char *view)
{
	struct announcement *full = announce_full(request);
	struct announcement *announcement = full ? full : arena_alloc(arena, sizeof(*announcement));
	const struct announced *first;
	const struct audit_event *event;
	char *id = arena_alloc(arena, ID_SIZE);

	announcement->view = view;
	for (event = announce_begin(request); event < announce_end(request); event++) {
		announce_add(arena, config, request, event, announcement);
		if (announce_is_any(announce_replacing, event->action))
			announcement->previous = announce_previous(arena, request);
	}
	if (full || !announcement->events.count)
		return;
	first = announcement->events.items;
	id_derive(id, NULL, 0, effect_kind_names[EFFECT_WEBHOOK], first->id, NULL);
	*(struct effect *)model_list_add(arena, &request->effects, sizeof(struct effect)) =
		(struct effect){
			.id = id,
			.kind = EFFECT_WEBHOOK,
			.created_at = first->at,
			.due = first->at,
			.announcement = announcement,
		};
}

const char *announce_body(
	struct arena *arena, const struct announcement *announcement, const struct announced *event)
{
	const bool replacing =
		announcement->previous && announce_is_any(announce_replacing, event->type);
	char at[INSTANT_TEXT_SIZE];

	instant_format(event->at, false, at);
	/* The view is an object that is not empty: what it is told of besides goes before its end.
	 */
	return arena_printf(arena,
		"{\"id\":\"%s\",\"type\":\"%s\",\"created_at\":\"%s\",\"data\":%.*s%s%s}}",
		event->id, event->type, at, (int)strlen(announcement->view) - 1, announcement->view,
		replacing ? ",\"previous\":" : "", replacing ? announcement->previous : "");
}

void announce_settled(struct cause *cause, struct request *request, struct effect *effect,
	const struct effect_outcome *outcome)
{
	if (outcome->err == ERR_OK) {
		effect_drop(request, effect);
		return;
	}
	effect_note_failure(cause, effect, outcome);
	effect->due = cause->now + backoff_delay_ms(effect->attempts, ANNOUNCE_FIRST_S,
					   ANNOUNCE_MAX_S, 0, cause_jitter(cause, BACKOFF_SPREAD));
}
