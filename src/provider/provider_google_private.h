#ifndef PROVIDER_GOOGLE_PRIVATE_H
#define PROVIDER_GOOGLE_PRIVATE_H
/* What the files of provider_google share. */
#include "provider.h"

#define GOOGLE_NAME "google_meet"

/* What the calendar needs, and what the settings of a meeting need; the latter may be missing. */
#define GOOGLE_EVENT_SCOPE "https://www.googleapis.com/auth/calendar.events"
#define GOOGLE_MEET_SCOPE  "https://www.googleapis.com/auth/meetings.space.settings"

/* provider_google_grant.c: who it acts as. */

/* A credential or setting, or NULL when it is empty. */
const char *provider_google_text(const struct config *config, const char *name);

enum err provider_google_check(
	const struct conf *conf, const struct config *config, struct err_info *info);
enum err provider_google_grant(const struct provider_call *call, const char *refresh_token,
	struct provider_grant *grant_r, struct err_info *info);

/* provider_google_meet.c: who may enter a meeting that exists. */

/* Whether a token of that scope (or NULL) may set it. */
bool provider_google_is_meet_scope(const char *scope);

/* Sets at Google what the policy asks for, where it was granted, and adds to the link's warnings
 * what it does not have then. Never fails. */
void provider_google_secure(const struct provider_call *call, const struct provider_plan *plan,
	struct meeting_link *link);

/* Whether that is worth doing again: what Google has is not what the warnings say. */
bool provider_google_is_unsecured(
	const struct provider_call *call, const struct provider_plan *plan, const char *url);

/* provider_google_error.c: refusals. */

extern const struct provider_option provider_google_options[];
void provider_google_read_error(
	struct arena *arena, const struct rest_reply *reply, struct provider_error *error_r);

/* provider_google_event.c: the event; asks nobody. Results live in the arena. */

/* A text of a JSON object, borrowed; "" when there is none. */
const char *provider_google_member(struct json_object *json, const char *name);

/* Our name for the event of a provider_key. ERR_PERMANENT when it is not one. */
enum err provider_google_event_id(
	struct arena *arena, const char *provider_key, const char **id_r, struct err_info *info);

/* A body with what a reschedule changes. */
const char *provider_google_schedule(struct arena *arena, const struct provider_plan *plan);

/* A body with the whole event that asks for a conference under that requestId; `event_id` is NULL
 * unless it is new. */
const char *provider_google_whole(struct arena *arena, const struct provider_plan *plan,
	const char *event_id, const char *conference);

bool provider_google_is_ours(
	struct arena *arena, struct json_object *event, const struct provider_plan *plan);
bool provider_google_is_cancelled(struct json_object *event);

/* 0 for a time that it does not say. */
void provider_google_times(struct json_object *event, int64_t *starts_at_r, int64_t *ends_at_r);

enum google_conference { GOOGLE_READY, GOOGLE_PENDING, GOOGLE_NONE };

/* What has become of the conference. With GOOGLE_READY link_r has its way in: url, never without
 * https, passcode and dial_in. */
enum google_conference provider_google_conference(
	struct arena *arena, struct json_object *event, struct meeting_link *link_r);
#endif
