#ifndef PROVIDER_HTTP_H
#define PROVIDER_HTTP_H
/* Calls of a provider's interface, and its THE ERROR CLASSES: which answer means what. */
#include "provider.h"
#include "rest.h"

/* One row of a provider's table; the first that matches decides. */
struct provider_rule {
	int status;        /* 0 = any */
	const char *code;  /* as read_error says; NULL = any */
	const char *text;  /* contained in its text, without regard to case; NULL = any */
	enum err class;    /* of provider.h, or ERR_UNAUTHENTICATED: a new token and once more */
	const char *words; /* a sentence about the provider, for people; NULL: that of the class */
};

/*
 * Sends with the shared access token and classifies the answer by `rules` (or NULL), which end with
 * a row without class (ERR_OK); after them, whatever the provider: 2xx OK; 401 ERR_UNAUTHENTICATED;
 * 408, 429, 503 ERR_TEMPORARY; other 5xx ERR_OUTCOME_UNKNOWN for REST_POST, ERR_TEMPORARY for the
 * rest; 404 and 410 ERR_GONE; 403 ERR_CREDENTIAL; anything else ERR_PERMANENT. A 2xx without the
 * JSON that `json` says is wanted is ERR_OUTCOME_UNKNOWN (POST) or ERR_TEMPORARY.
 * ERR_UNAUTHENTICATED is repeated once with a new token and becomes ERR_CREDENTIAL then.
 * request->url, bearer and timeout_ms are set here. `path` follows the API's base: `api_url`, or
 * the one that came with the token. Without an answer it is as rest_call() says, but only POST is
 * ERR_OUTCOME_UNKNOWN: the rest may be sent again, ERR_TEMPORARY. Without time nothing is sent.
 * The words begin with the provider's title and end with the status, the code as the rule has it
 * and the member of ours that is refused; info->reason is what the provider said;
 * info->retry_after_s is what the reply asked for, or 0. What is refused by name and a meeting can
 * do without (provider->options) is left out, and the call made again, a few times at most.
 */
enum err provider_send(const struct provider_call *call, const char *api_url, const char *path,
	struct rest_request *request, bool json, const struct provider_rule *rules,
	struct rest_reply *reply_r, struct err_info *info);

/* The same classification for a reply that came without our token (token endpoints), so that
 * ERR_UNAUTHENTICATED is ERR_CREDENTIAL at once. */
enum err provider_classify(const struct provider_call *call, enum rest_method method,
	const struct rest_reply *reply, const struct provider_rule *rules, struct err_info *info);

/* What is left for one HTTP call, in ms; 0 when time is up. */
int64_t provider_time_left_ms(const struct provider_call *call);

/* A string or number member of a JSON object as text in the arena; NULL when it is neither. Path
 * members are separated by dots: "conferenceData.createRequest.status.statusCode". */
const char *provider_json_text(struct arena *arena, struct json_object *json, const char *path);
/* An integer, as a number or as text. */
bool provider_json_int(struct json_object *json, const char *path, int64_t *value_r);
bool provider_json_bool(struct json_object *json, const char *path, bool *value_r);
#endif
