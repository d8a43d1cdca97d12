#ifndef SERVICE_AUDIT_H
#define SERVICE_AUDIT_H
/* The audit trails of everything, and erasing a person (API.md, "Audit events", "Operations"). */
#include "service.h"
#include "store_audit.h"

/* A page of a request's trail, in the order of its chain. */
struct service_trail {
	int64_t from, limit;      /* of the whole trail */
	int64_t total;            /* events of it */
	struct model_list events; /* struct audit_event */
};

enum err service_trail_get(const struct service *service, const struct service_call *call,
	const char *id, struct service_trail *trail, struct err_info *info);

/* What is found of a request's trail, its archives included: as `meetlink verify-audit` finds it.
 */
struct service_verdict {
	bool whole;
	int64_t events;     /* that can be read */
	const char *reason; /* where it is broken, and what is wrong; NULL: it is whole */
};

extern const struct model service_verdict_model;

/* Reads the trail from end to end. What cannot be read of it is part of the verdict; what cannot be
 * read of the request beside it is ERR_UNREADABLE. */
enum err service_trail_verify(const struct service *service, const struct service_call *call,
	const char *id, struct service_verdict *verdict_r, struct err_info *info);

/* A page of the events of all requests and of the configuration; `filter.now` is set here. */
enum err service_audit_list(const struct service *service, const struct service_call *call,
	struct store_audit_filter filter, struct model_list *list_r,
	struct store_audit_position *next_r, struct err_info *info);

/*
 * Erases a person in every request, each in one write, and says how many there are. That it is owed
 * is stored first, so what a call that broke off has not reached is done by a dispatcher. Safe to
 * repeat. ERR_UNREADABLE when some could not be, and then all others are, and these are tried
 * again.
 */
enum err service_person_erase(const struct service *service, const struct service_call *call,
	const char *person_id, int64_t *requests_r, struct err_info *info);
#endif
