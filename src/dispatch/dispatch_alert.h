#ifndef DISPATCH_ALERT_H
#define DISPATCH_ALERT_H
/*
 * Tells the addresses of the policy's `alerts` what is out of order (core/incident.h): one thread
 * of each dispatcher looks at the breakers of its host and at what is owed for too long. The
 * incident is one document for all hosts, so each is told once.
 */
#include "dispatch.h"

struct dispatch_alerts;

/* ERR_CONFIG as of mail_transport_open(), ERR_INTERNAL when no thread can be started. */
enum err dispatch_alerts_start(
	const struct dispatch *dispatch, struct dispatch_alerts **alerts_r, struct err_info *info);
void dispatch_alerts_stop(struct dispatch_alerts **alerts);
#endif
