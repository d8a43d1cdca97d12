#ifndef PROVIDER_JITSI_H
#define PROVIDER_JITSI_H
/*
 * Jitsi, self-hosted and JaaS (8x8.vc): a room exists as soon as somebody enters it, so creating is
 * naming it, by 128 random bits. With an application id and a key, each person gets a JWT at the
 * gate, moderator only for the lawyer. lib-jitsi-meet doc/tokens.md; developer.8x8.com/jaas.
 */
#include "provider.h"

extern const struct provider provider_jitsi;
#endif
