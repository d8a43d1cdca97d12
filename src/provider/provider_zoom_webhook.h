#ifndef PROVIDER_ZOOM_WEBHOOK_H
#define PROVIDER_ZOOM_WEBHOOK_H
/*
 * Zoom's event subscriptions (developers.zoom.us, "Using webhooks"): whether a message is Zoom's,
 * and what it says. Pure functions; what they return lives in the arena.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arena.h"
#include "err.h"
#include "report.h"

/* How far a message's time may be from ours; the window is our choice, Zoom names none. */
enum { PROVIDER_ZOOM_WEBHOOK_WINDOW_S = 300 };

/* A message as it came. */
struct provider_zoom_message {
	const char *signature; /* header x-zm-signature, or NULL */
	const char *timestamp; /* header x-zm-request-timestamp, in seconds, or NULL */
	const char *body;      /* raw; NUL behind it */
	size_t body_len;
};

/* Whether it was signed with the app's secret token, within the window around `now` (ms). Constant
 * time in the signature. */
bool provider_zoom_webhook_verify(struct arena *arena, const struct provider_zoom_message *message,
	const char *secret, int64_t now);

/* What a message says. */
struct provider_zoom_event {
	const char *challenge; /* endpoint.url_validation: to be answered; otherwise NULL */
	struct report report;
};

/* ERR_MALFORMED for what is not an event; one that does not concern us is REPORT_OTHER. */
enum err provider_zoom_webhook_read(struct arena *arena,
	const struct provider_zoom_message *message, struct provider_zoom_event *event_r,
	struct err_info *info);

/* The JSON that answers a challenge: it proves that we know the secret token. */
const char *provider_zoom_webhook_answer(
	struct arena *arena, const char *challenge, const char *secret);
#endif
