#ifndef PROVIDER_ZOOM_WEBHOOK_H
#define PROVIDER_ZOOM_WEBHOOK_H
/*
 * Zoom's event subscriptions (developers.zoom.us, "Using webhooks"): whether a message is Zoom's,
 * and what it says. What the functions return lives in the arena.
 */
#include "provider.h"

/* The headers of a message; the time is in seconds. */
enum { PROVIDER_ZOOM_SIGNATURE, PROVIDER_ZOOM_TIMESTAMP };

enum err provider_zoom_webhook(const struct provider_call *call,
	const struct provider_message *message, struct provider_event *event_r,
	struct err_info *info);

/* Whether it was signed with the app's secret token, within a window around `now` (ms). Constant
 * time in the signature. */
bool provider_zoom_webhook_verify(struct arena *arena, const struct provider_message *message,
	const char *secret, int64_t now);

/* What a message says. */
struct provider_zoom_event {
	const char *challenge; /* endpoint.url_validation: to be answered; otherwise NULL */
	struct report report;
};

/* ERR_MALFORMED for what is not an event; one that does not concern us is REPORT_OTHER. */
enum err provider_zoom_webhook_read(struct arena *arena, const struct provider_message *message,
	struct provider_zoom_event *event_r, struct err_info *info);

/* The JSON that answers a challenge: it proves that we know the secret token. */
const char *provider_zoom_webhook_answer(
	struct arena *arena, const char *challenge, const char *secret);
#endif
