#ifndef SERVICE_SUBSCRIBER_H
#define SERVICE_SUBSCRIBER_H
/*
 * Subscribers, whom an administrator registers, and what was delivered to them (API.md, "outgoing
 * webhooks"). Answers are JSON, in the call's arena. ERR_NOT_FOUND for one that nobody knows.
 */
#include "service.h"
#include "subscriber.h"

/* All of them, with their health. */
enum err service_subscriber_list(const struct service *service, const struct service_call *call,
	size_t limit, const char *after, const char **reply_r, struct err_info *info);

/* The answer holds the secret; a repeat of the call gets the same one (*replayed_r). Where the URL
 * leads is looked up, for SERVICE_REACH_MS at most: ERR_INVALID, ERR_KEY_REUSED, and those of
 * subscriber_register(). */
enum { SERVICE_REACH_MS = 3000 };
enum err service_subscriber_register(const struct service *service, const struct service_call *call,
	const struct subscriber_draft *draft, const char **reply_r, bool *replayed_r,
	struct err_info *info);

/* The same for a new secret. */
enum err service_subscriber_rotate(const struct service *service, const struct service_call *call,
	const char *id, const char **reply_r, bool *replayed_r, struct err_info *info);

enum err service_subscriber_remove(const struct service *service, const struct service_call *call,
	const char *id, struct err_info *info);

/* A page of the log, newest first, behind the delivery `after` (NULL: the newest), which was put
 * down at that time. */
struct service_delivery_page {
	int64_t before, limit;
	const char *after;
};
/* Items are struct delivery. A page may be short though next_r->after says that it goes on. */
enum err service_delivery_list(const struct service *service, const struct service_call *call,
	const char *webhook_id, const struct service_delivery_page *page, struct model_list *list_r,
	struct service_delivery_page *next_r, struct err_info *info);

/* It is sent again, once however often this call is repeated (*replayed_r). ERR_EFFECT_RUNNING,
 * ERR_GONE. */
enum err service_delivery_again(const struct service *service, const struct service_call *call,
	const char *webhook_id, const char *id, const char **reply_r, bool *replayed_r,
	struct err_info *info);
#endif
