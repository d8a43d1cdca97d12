#ifndef SERVICE_ZONES_H
#define SERVICE_ZONES_H
/* Meetings ahead of which people were told other local times than their clocks will show, because
 * the rules of a zone have changed since. */
#include "service.h"

/* What one person was told, and reads now. */
struct service_reading {
	const char *request_id, *zone;
	enum party party;
	/* The start; or the end, where the start is read as before. How far the clock is east of
	 * UTC then, in seconds, as it was told, and as it is. */
	int64_t instant, told_s, read_s;
	bool on_its_way; /* a mail that says so */
};

struct service_zones {
	bool send; /* mails are owed to those people, where the meeting is ready */
	void (*found)(void *data, const struct service_reading *reading);
	void *data;
	/* How many people were found, and of how many it is not known what they were told: the
	 * version before kept no note of it. */
	int64_t count, unknown;
};

/* Looks at every accepted request that has not begun: who waits for another link holds the
 * invitation of before. Mails are owed where there is a link. What cannot be read is logged. */
enum err service_zones_check(const struct service *service, const struct service_call *call,
	struct service_zones *zones, struct err_info *info);
#endif
