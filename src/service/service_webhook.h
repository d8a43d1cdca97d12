#ifndef SERVICE_WEBHOOK_H
#define SERVICE_WEBHOOK_H
/* What providers report of their own accord. */
#include "provider.h"
#include "service.h"

/*
 * A message for the provider's `webhook`, with whose errors; *reply_r is the JSON that it is
 * answered with. What is of none of our meetings is ERR_OK and changes nothing. The provider is
 * asked nothing here, so the answer is there in time; what it should send again is retryable.
 */
enum err service_webhook(const struct service *service, const struct service_call *call,
	const struct provider *provider, const struct provider_message *message,
	const char **reply_r, struct err_info *info);
#endif
