#ifndef SERVICE_FEED_H
#define SERVICE_FEED_H
/* Calendar feeds. Errors as service.h has them. */
#include "service.h"
#include "store_feed.h"

/* The caller's feed under a new address, in place of the one before; a repeat of the same call gets
 * the same address again. */
enum err service_feed_rotate(const struct service *service, const struct service_call *call,
	struct feed **feed_r, bool *replayed_r, struct err_info *info);

/* The caller has no feed any more. */
enum err service_feed_revoke(
	const struct service *service, const struct service_call *call, struct err_info *info);

/* The feed that a token opens, and its version, if need be compared with those that the caller has
 * (`etags`, may be NULL). ERR_NOT_FOUND for any other token. */
enum err service_feed_open(const struct service *service, const struct service_call *call,
	const char *token, const char *etags, const char *program, struct feed **feed_r,
	struct feed_version *version_r, struct err_info *info);

/* Gives the requests that it shows to `row`, as store_feed_read() does. */
enum err service_feed_read(const struct service *service, const struct feed *feed, int64_t now,
	store_feed_row *row, void *data, int64_t *left_out_r, struct err_info *info);
#endif
