#include "subscriber.h"

#include <stdio.h>
#include <string.h>

#include "config.h"
#include "instant.h"

const char *const subscriber_events[] = {
	"request.created",
	"request.accepted",
	"request.declined",
	"request.lapsed",
	"request.cancelled",
	"request.completed",
	"meeting.requested",
	"meeting.ready",
	"meeting.failed",
	"meeting.rescheduled",
	"meeting.regenerated",
	"meeting.replaced",
	"meeting.cancelled",
	"meeting.expired",
	"meeting.joined",
	"meeting.started",
	"meeting.ended",
	"meeting.host_joined",
	"meeting.outcome",
	"meeting.attendance",
	"meeting.proposed",
	"meeting.proposal_withdrawn",
	"meeting.proposal_declined",
	"mail.failed",
	NULL,
};

static const struct model_field secret_fields[] = {
	MODEL_FIELD(struct subscriber_secret, secret, MODEL_STRING,
		MODEL_STORED | MODEL_SEALED | MODEL_REQUIRED),
	MODEL_FIELD(struct subscriber_secret, until, MODEL_INSTANT, MODEL_STORED | MODEL_REQUIRED),
};

static const struct model secret_model = MODEL(struct subscriber_secret, "secret", secret_fields);

#define FIELD(type, member, flags, ...)                                                            \
	MODEL_FIELD(struct subscriber, member, type, MODEL_STORED | (flags), __VA_ARGS__)

static const struct model_field subscriber_fields[] = {
	FIELD(MODEL_STRING, id, MODEL_SHOWN | MODEL_REQUIRED),
	FIELD(MODEL_STRING, url, MODEL_SHOWN | MODEL_REQUIRED),
	FIELD(MODEL_STRINGS, events, MODEL_SHOWN | MODEL_REQUIRED),
	FIELD(MODEL_STRING, secret, MODEL_SEALED | MODEL_REQUIRED),
	FIELD(MODEL_STRING, former_secret, MODEL_SEALED | MODEL_SPARSE),
	FIELD(MODEL_INSTANT, former_until, MODEL_SPARSE),
	FIELD(MODEL_LIST, older, MODEL_SPARSE, .of = &secret_model),
	FIELD(MODEL_STRING, asked, MODEL_SPARSE),
	FIELD(MODEL_INSTANT, created_at, MODEL_SHOWN),
	FIELD(MODEL_INSTANT, disabled_at, MODEL_SHOWN),
};

const struct model subscriber_model = MODEL(struct subscriber, "webhook", subscriber_fields);

static const struct model_field draft_fields[] = {
	MODEL_FIELD(struct subscriber_draft, url, MODEL_STRING, MODEL_REQUIRED, .min = 1,
		.max = 2048, .example = "https://example.org/meetings"),
	MODEL_FIELD(struct subscriber_draft, events, MODEL_STRINGS, MODEL_REQUIRED, .min = 1,
		.max = SUBSCRIBER_MOST_EVENTS, .example = "meeting.ready"),
};

const struct model subscriber_draft_model =
	MODEL(struct subscriber_draft, "webhook_draft", draft_fields);

/* Who comes to a meeting, by a name of its own. */
#define SUBSCRIBER_ATTENDANCE "attendance.*"

/* "meeting.*" is every type that begins with "meeting.". */
static bool subscriber_covers(const char *event, const char *type)
{
	const size_t len = strlen(event);

	if (strcmp(event, SUBSCRIBER_ATTENDANCE) == 0)
		return strcmp(type, "meeting.attendance") == 0;
	if (len > 2 && strcmp(event + len - 2, ".*") == 0)
		return strncmp(event, type, len - 1) == 0;
	return strcmp(event, type) == 0;
}

static bool subscriber_event_exists(const char *event)
{
	const char *const *type;

	for (type = subscriber_events; *type; type++)
		if (subscriber_covers(event, *type))
			return true;
	return false;
}

bool subscriber_wants(const struct subscriber *subscriber, const char *type)
{
	if (subscriber->disabled_at || !subscriber_event_exists(type))
		return false;
	MODEL_FOREACH (&subscriber->events, const char *, event) {
		if (subscriber_covers(*event, type))
			return true;
	}
	return false;
}

struct subscriber *subscriber_find(const struct config *config, const char *id)
{
	MODEL_FOREACH (&config->subscribers, struct subscriber, subscriber) {
		if (strcmp(subscriber->id, id) == 0)
			return subscriber;
	}
	return NULL;
}

const char *subscriber_shown_url(struct arena *arena, const struct subscriber *subscriber)
{
	return arena_strndup(arena, subscriber->url, strcspn(subscriber->url, "?"));
}

static void subscriber_note(struct cause *cause, struct config *config,
	const struct subscriber *subscriber, const char *member, const char *from, const char *to)
{
	config_note(cause, config,
		arena_printf(cause->arena, "/webhooks/%s%s", subscriber->id, member), from, to);
}

static enum err subscriber_check(const struct subscriber_draft *draft, struct err_info *info)
{
	const struct model_list *events = &draft->events;
	enum err err = ERR_OK;
	char pointer[32];
	size_t i, j;

	for (i = 0; i < events->count; i++) {
		const char *event = *MODEL_AT(events, const char *, i);

		for (j = 0; j < i && strcmp(*MODEL_AT(events, const char *, j), event) != 0; j++)
			continue;
		snprintf(pointer, sizeof(pointer), "/events/%zu", i);
		if (j < i)
			err = err_add_field(info, pointer, "is given twice");
		else if (!subscriber_event_exists(event))
			err = err_add_field(
				info, pointer, "is not an event that anybody is told of");
	}
	return err;
}

enum err subscriber_register(struct cause *cause, struct config *config,
	const struct subscriber_draft *draft, const char *id, const char *secret, const char *asked,
	struct err_info *info)
{
	struct subscriber *subscriber;
	const enum err err = subscriber_check(draft, info);

	if (err != ERR_OK)
		return err;
	if (config->subscribers.count >= SUBSCRIBER_MOST)
		return err_set(info, ERR_TOO_MANY_WEBHOOKS, "There are %d; remove one first.",
			SUBSCRIBER_MOST);
	subscriber = model_list_add(cause->arena, &config->subscribers, sizeof(*subscriber));
	*subscriber = (struct subscriber){
		.id = id,
		.url = draft->url,
		.events = draft->events,
		.secret = secret,
		.asked = asked,
		.created_at = cause->now,
	};
	subscriber_note(cause, config, subscriber, "", NULL,
		subscriber_shown_url(cause->arena, subscriber));
	return ERR_OK;
}

/* The secret before the present one goes on signing. */
static enum err subscriber_keep_former(
	struct cause *cause, struct subscriber *subscriber, struct err_info *info)
{
	struct model_list *older = &subscriber->older;
	size_t i;

	for (i = older->count; i-- > 0;)
		if (MODEL_AT(older, struct subscriber_secret, i)->until <= cause->now)
			model_list_remove(older, sizeof(struct subscriber_secret), i);
	if (!subscriber->former_secret || subscriber->former_until <= cause->now)
		return ERR_OK;
	if (older->count >= SUBSCRIBER_MOST_OLDER) {
		if (info)
			info->retry_after_s =
				(int)((MODEL_AT(older, struct subscriber_secret, 0)->until -
					      cause->now) /
					INSTANT_SECOND) +
				1;
		return err_set(info, ERR_TOO_MANY_CHANGES,
			"It has been given %d secrets within a day.", SUBSCRIBER_MOST_OLDER + 2);
	}
	*(struct subscriber_secret *)model_list_add(
		cause->arena, older, sizeof(struct subscriber_secret)) =
		(struct subscriber_secret){subscriber->former_secret, subscriber->former_until};
	return ERR_OK;
}

enum err subscriber_rotate(struct cause *cause, struct config *config,
	struct subscriber *subscriber, const char *secret, const char *asked, struct err_info *info)
{
	const enum err err = subscriber_keep_former(cause, subscriber, info);

	if (err != ERR_OK)
		return err;
	subscriber->former_secret = subscriber->secret;
	subscriber->former_until = cause->now + SUBSCRIBER_SECRETS_OVERLAP;
	subscriber->secret = secret;
	subscriber->asked = asked;
	subscriber_note(cause, config, subscriber, "/secret", "set", "replaced");
	if (!subscriber->disabled_at)
		return ERR_OK;
	subscriber->disabled_at = 0;
	subscriber_note(cause, config, subscriber, "/disabled", "true", "false");
	return ERR_OK;
}

void subscriber_disable(struct cause *cause, struct config *config, struct subscriber *subscriber)
{
	subscriber->disabled_at = cause->now;
	subscriber_note(cause, config, subscriber, "/disabled", "false", "true");
}

void subscriber_remove(
	struct cause *cause, struct config *config, const struct subscriber *subscriber)
{
	const struct subscriber *all = config->subscribers.items;

	subscriber_note(cause, config, subscriber, "",
		subscriber_shown_url(cause->arena, subscriber), NULL);
	model_list_remove(&config->subscribers, sizeof(*subscriber), (size_t)(subscriber - all));
}
