#ifndef PROVIDER_ZOOM_PRIVATE_H
#define PROVIDER_ZOOM_PRIVATE_H
/* Shared by the files of the Zoom provider: provider_zoom.c (settings, rules),
 * provider_zoom_error.c (refusals),
 * provider_zoom_token.c (the grant), provider_zoom_meeting.c (the calls), provider_zoom_body.c
 * (what is sent, and what comes back). */
#include "provider_http.h"

struct json_object;

/* A setting or credential; NULL when it is missing or empty. */
const char *provider_zoom_setting(const struct provider_call *call, const char *name);

/* The user whose meetings they are, ready for a path. */
const char *provider_zoom_host(const struct provider_call *call);

/* Visible ASCII of a sensible length: what ids, secrets and tokens are made of. */
bool provider_zoom_is_credential(const char *text);

enum err provider_zoom_grant(const struct provider_call *call, const char *refresh_token,
	struct provider_grant *grant_r, struct err_info *info);

const char *provider_zoom_account(const struct provider_call *call);

/* What errors mean where a meeting is named in the path, where its host is, and at creation. */
extern const struct provider_rule provider_zoom_meeting_rules[];
extern const struct provider_rule provider_zoom_host_rules[];
extern const struct provider_rule provider_zoom_create_rules[];

extern const struct provider_option provider_zoom_options[];
void provider_zoom_read_error(
	struct arena *arena, const struct rest_reply *reply, struct provider_error *error_r);

/* GET and POST want a JSON object back. `body` may be NULL. ERR_OUTCOME_UNKNOWN only of a POST. */
enum err provider_zoom_send(const struct provider_call *call, enum rest_method method,
	const char *path, struct json_object *body, const struct provider_rule *rules,
	struct rest_reply *reply_r, struct err_info *info);

enum err provider_zoom_create(const struct provider_call *call, const struct provider_plan *plan,
	bool repeated, struct meeting_link *link_r, struct err_info *info);
enum err provider_zoom_update(const struct provider_call *call, const struct provider_plan *plan,
	struct meeting_link *link_r, struct err_info *info);
enum err provider_zoom_remove(const struct provider_call *call,
	const struct provider_target *target, struct err_info *info);
enum err provider_zoom_read(const struct provider_call *call, const struct provider_plan *plan,
	struct provider_state *state_r, struct err_info *info);
enum err provider_zoom_host_url(const struct provider_call *call, const struct provider_plan *plan,
	const char **url_r, struct err_info *info);

/* The meeting as we want it, for POST and PATCH; released with the arena. */
struct json_object *provider_zoom_body(
	const struct provider_call *call, const struct provider_plan *plan);

/* The mark in the agenda that says whose meeting it is. */
const char *provider_zoom_mark(struct arena *arena, const char *provider_key);
bool provider_zoom_is_marked(struct json_object *meeting, const char *mark);

/* The meeting's number as text, and links that people can be sent to; NULL when it has none. */
const char *provider_zoom_id(struct arena *arena, struct json_object *meeting);
const char *provider_zoom_link(struct arena *arena, struct json_object *meeting, const char *name);

/* Times of a meeting; 0 where it does not say. */
void provider_zoom_times(
	struct arena *arena, struct json_object *meeting, int64_t *starts_at_r, int64_t *ends_at_r);

/* Whether title and times are those of the plan. */
bool provider_zoom_is_current(const struct provider_call *call, const struct provider_plan *plan,
	struct json_object *meeting);

/* A security setting that Zoom does not have as it was asked for. */
struct provider_zoom_gap {
	const char *setting, *detail;
	bool unsaid; /* the answer does not tell */
};

/* Adds to the list of struct provider_zoom_gap. */
void provider_zoom_compare(const struct provider_call *call, const struct provider_plan *plan,
	struct json_object *meeting, struct model_list *gaps);

/* Fills all but the warnings. */
void provider_zoom_fill(
	const struct provider_call *call, struct json_object *meeting, struct meeting_link *link_r);
#endif
