#ifndef PROVIDER_TEAMS_H
#define PROVIDER_TEAMS_H
/*
 * Microsoft Teams through Microsoft Graph v1.0 (/users/{id}/onlineMeetings), as an application that
 * a tenant has let act for one organizer. The meetings are on nobody's calendar. createOrGet makes
 * creating idempotent by an externalId of ours, so what is not known to exist is asked for again.
 * learn.microsoft.com/graph/api/resources/onlinemeeting,
 * learn.microsoft.com/graph/cloud-communication-online-meeting-application-access-policy.
 */
#include "provider.h"

extern const struct provider provider_teams;
#endif
