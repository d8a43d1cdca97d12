#include "provider_zoom_webhook.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "id.h"
#include "instant.h"
#include "json.h"
#include "provider_zoom_private.h"
#include "secret.h"

enum {
	ZOOM_WINDOW_S = 300, /* how far a message's time may be from ours: Zoom names no limit */
	ZOOM_MAX_MESSAGE = 128 * 1024,
	ZOOM_MAX_CHALLENGE = 256,
	ZOOM_MAX_SECONDS_DIGITS = 11,
	ZOOM_MAX_ID_DIGITS = 19,
};

/* A message whose clock is ahead is good from that much before its time until as much after it. */
_Static_assert(
	REPORT_KNOWN_FOR >= 2 * ZOOM_WINDOW_S * INSTANT_SECOND, "what is repeated must be known");

#define ZOOM_SIGNATURE "v0="
#define ZOOM_DIGITS    "0123456789"

static const struct {
	const char *name;
	enum report_kind kind;
} zoom_events[] = {
	{"meeting.started", REPORT_STARTED},
	{"meeting.ended", REPORT_ENDED},
	{"meeting.participant_joined", REPORT_JOINED},
	{"meeting.deleted", REPORT_CHANGED},
	{"meeting.updated", REPORT_CHANGED},
};

static bool zoom_is_digits(const char *text, size_t most)
{
	const size_t len = strspn(text, ZOOM_DIGITS);

	return len > 0 && len <= most && !text[len];
}

static bool zoom_is_recent(const char *timestamp, int64_t now)
{
	int64_t age;

	if (!zoom_is_digits(timestamp, ZOOM_MAX_SECONDS_DIGITS))
		return false;
	age = now - strtoll(timestamp, NULL, 10) * INSTANT_SECOND;
	return llabs(age) <= ZOOM_WINDOW_S * INSTANT_SECOND;
}

bool provider_zoom_webhook_verify(struct arena *arena, const struct provider_message *message,
	const char *secret, int64_t now)
{
	char hex[SECRET_HMAC_SIZE];
	const char *signature = message->headers[PROVIDER_ZOOM_SIGNATURE];
	const char *timestamp = message->headers[PROVIDER_ZOOM_TIMESTAMP];
	bool verified = false;
	struct buf buf;

	if (!signature || !timestamp || !zoom_is_recent(timestamp, now))
		return false;
	buf_init(&buf, ZOOM_MAX_MESSAGE);
	buf_addf(&buf, "v0:%s:", timestamp);
	buf_add(&buf, message->body, message->body_len);
	if (!buf.overflow) {
		secret_hmac_sha256_hex(secret, buf.bytes, buf.len, hex);
		verified = secret_equal(signature, arena_printf(arena, ZOOM_SIGNATURE "%s", hex));
	}
	buf_fini(&buf);
	return verified;
}

/* A member as text, "" when there is none. */
static const char *zoom_text(struct arena *arena, struct json_object *json, const char *path)
{
	const char *text = provider_json_text(arena, json, path);

	return text ? text : "";
}

static enum report_kind zoom_kind(struct arena *arena, struct json_object *json, const char *name)
{
	const char *host = zoom_text(arena, json, "payload.object.host_id");
	size_t i;

	for (i = 0; i < sizeof(zoom_events) / sizeof(zoom_events[0]); i++) {
		if (strcmp(name, zoom_events[i].name) != 0)
			continue;
		/* Who is not signed in has no user id. */
		if (zoom_events[i].kind == REPORT_JOINED && *host &&
			(strcmp(host, zoom_text(arena, json,
					      "payload.object.participant.participant_user_id")) ==
					0 ||
				strcmp(host, zoom_text(arena, json,
						     "payload.object.participant.id")) == 0))
			return REPORT_HOST_JOINED;
		return zoom_events[i].kind;
	}
	return REPORT_OTHER;
}

/* What tells an event from all others; Zoom sends it again with the same members. */
static const char *zoom_digest(struct arena *arena, struct json_object *json, const char *name)
{
	char *digest = arena_alloc(arena, ID_SIZE);

	id_derive(digest, NULL, 0, name, zoom_text(arena, json, "event_ts"),
		zoom_text(arena, json, "payload.object.id"),
		zoom_text(arena, json, "payload.object.uuid"),
		zoom_text(arena, json, "payload.object.participant.participant_uuid"),
		zoom_text(arena, json, "payload.object.participant.user_id"), NULL);
	return digest;
}

/* Signing a text that holds a colon could be signing a message: no challenge looks like one. */
static bool zoom_is_challenge(const char *text)
{
	const size_t len = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
					"0123456789-_+/=.");

	return len > 0 && len <= ZOOM_MAX_CHALLENGE && !text[len];
}

enum err provider_zoom_webhook_read(struct arena *arena, const struct provider_message *message,
	struct provider_zoom_event *event_r, struct err_info *info)
{
	struct json_object *json;
	const char *name, *id;
	enum err err;

	*event_r = (struct provider_zoom_event){0};
	err = json_parse(arena, message->body, message->body_len, &json, info);
	if (err != ERR_OK)
		return err;
	name = provider_json_text(arena, json, "event");
	if (!name)
		return err_set(info, ERR_MALFORMED, "This is not an event.");
	if (strcmp(name, "endpoint.url_validation") == 0) {
		event_r->challenge = zoom_text(arena, json, "payload.plainToken");
		return zoom_is_challenge(event_r->challenge)
			       ? ERR_OK
			       : err_set(info, ERR_MALFORMED, "There is no plainToken in it.");
	}
	/* A string in some events, a number in others. */
	id = zoom_text(arena, json, "payload.object.id");
	if (!zoom_is_digits(id, ZOOM_MAX_ID_DIGITS))
		return ERR_OK;
	event_r->report.kind = zoom_kind(arena, json, name);
	event_r->report.external_id = id;
	event_r->report.digest = zoom_digest(arena, json, name);
	if (!provider_json_int(json, "event_ts", &event_r->report.at))
		event_r->report.at = 0;
	return ERR_OK;
}

const char *provider_zoom_webhook_answer(
	struct arena *arena, const char *challenge, const char *secret)
{
	char hex[SECRET_HMAC_SIZE];

	secret_hmac_sha256_hex(secret, challenge, strlen(challenge), hex);
	return arena_printf(
		arena, "{\"plainToken\":\"%s\",\"encryptedToken\":\"%s\"}", challenge, hex);
}

enum err provider_zoom_webhook(const struct provider_call *call,
	const struct provider_message *message, struct provider_event *event_r,
	struct err_info *info)
{
	/* The key of nobody would be everybody's: an empty one is none. */
	const char *secret = provider_zoom_setting(call, "webhook_secret");
	struct provider_zoom_event event;
	enum err err;

	if (!secret || !provider_zoom_webhook_verify(call->arena, message, secret, call->now))
		return err_set(
			info, ERR_UNAUTHENTICATED, "The signature is missing, wrong or too old.");
	if (!message->is_json)
		return err_set(info, ERR_UNSUPPORTED_MEDIA,
			"Content-Type must be application/json, and the body not encoded.");
	err = provider_zoom_webhook_read(call->arena, message, &event, info);
	if (err != ERR_OK)
		return err;
	event_r->reply =
		event.challenge ? provider_zoom_webhook_answer(call->arena, event.challenge, secret)
				: "{}";
	event_r->report = event.report;
	return ERR_OK;
}
