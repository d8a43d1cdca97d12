#ifndef PROVIDER_TEAMS_PRIVATE_H
#define PROVIDER_TEAMS_PRIVATE_H
/* Shared by the files of the Teams provider: provider_teams.c (meetings), provider_teams_grant.c
 * (settings, access tokens), provider_teams_error.c. */
#include "provider.h"

enum err provider_teams_check(
	const struct conf *conf, const struct config *config, struct err_info *info);

enum err provider_teams_grant(const struct provider_call *call, const char *refresh_token,
	struct provider_grant *grant_r, struct err_info *info);

extern const struct provider_option provider_teams_options[];
void provider_teams_read_error(
	struct arena *arena, const struct rest_reply *reply, struct provider_error *error_r);
#endif
