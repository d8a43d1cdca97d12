#ifndef SERVICE_WEBHOOK_H
#define SERVICE_WEBHOOK_H
/* What providers report of their own accord. */
#include "provider_zoom_webhook.h"
#include "service.h"

/*
 * A message of Zoom, which says that it `is_json`; *reply_r is the JSON that it is answered with.
 * What is of none of our meetings is ERR_OK and changes nothing. ERR_UNAUTHENTICATED unless it is
 * signed with the configured webhook_secret, then ERR_UNSUPPORTED_MEDIA, ERR_MALFORMED. Nothing is
 * asked of Zoom here, so the answer is there in time; what it should send again is retryable.
 */
enum err service_webhook_zoom(const struct service *service, const struct service_call *call,
	const struct provider_zoom_message *message, bool is_json, const char **reply_r,
	struct err_info *info);
#endif
