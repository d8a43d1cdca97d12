#ifndef PROVIDER_ZOOM_H
#define PROVIDER_ZOOM_H
/*
 * Zoom meetings (developers.zoom.us, REST API v2), of one host: with a server-to-server app of the
 * account, or with a user's grant whose refresh token is replaced at every use.
 *
 * Zoom knows no idempotency key. So each meeting carries a mark of ours, and after a call whose
 * outcome is unknown the host's meetings are searched for it.
 */
#include "provider.h"

extern const struct provider provider_zoom;
#endif
