#ifndef PROVIDER_GOOGLE_H
#define PROVIDER_GOOGLE_H
/*
 * Google Meet by way of a calendar event: the only kind of Meet link that has an idempotency key
 * and can be deleted again. The event's id is made of the provider_key, so an insert can be
 * repeated; it has no attendees, because the invitations are ours. Calendar API v3 (PROVIDERS.md
 * section 1).
 */
#include "provider.h"

extern const struct provider provider_google;
#endif
