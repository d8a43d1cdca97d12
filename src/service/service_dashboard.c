/* What matters to a caller now. */
#include <stdlib.h>
#include <string.h>

#include "attention.h"
#include "proposal.h"
#include "service_private.h"

/* One caller's dashboard while it is read. */
struct dashboard_read {
	const struct service *service;
	const struct service_call *call;
	struct store_filter own;
	struct service_dashboard *dashboard;
	enum err err;
	struct err_info *info;
};

/* Returns whether the list is all there is. */
static bool dashboard_list(
	struct dashboard_read *read, enum store_agenda agenda, struct model_list *list_r)
{
	bool whole = false;

	if (read->err == ERR_OK)
		read->err = store_agenda_list(read->service->store, read->call->arena, &read->own,
			agenda, read->call->now, SERVICE_DASHBOARD_ROWS, list_r, &whole,
			read->info);
	return whole;
}

static int64_t dashboard_count(struct dashboard_read *read, enum store_agenda agenda)
{
	int64_t count = 0;

	if (read->err == ERR_OK)
		read->err = store_agenda_count(read->service->store, &read->own, agenda,
			read->call->now, SERVICE_MAX_COUNT + 1, &count, read->info);
	if (count <= SERVICE_MAX_COUNT)
		return count;
	read->dashboard->counts_capped = true;
	return SERVICE_MAX_COUNT;
}

static int64_t dashboard_rows_open(const struct model_list *rows)
{
	int64_t count = 0;

	MODEL_FOREACH (rows, struct request *, request) {
		count += (*request)->status == REQUEST_OPEN;
	}
	return count;
}

static int64_t dashboard_rows_with(const struct model_list *rows, enum meeting_status status)
{
	int64_t count = 0;

	MODEL_FOREACH (rows, struct request *, request) {
		count += (*request)->meeting && (*request)->meeting->status == (int)status;
	}
	return count;
}

static int64_t dashboard_rows_proposed(const struct model_list *rows, int64_t now)
{
	int64_t count = 0;

	MODEL_FOREACH (rows, struct request *, request) {
		count += proposal_is_open(*request, now);
	}
	return count;
}

/* A list that is whole says how many there are; the others are counted in the index. Returns
 * whether it is. */
static bool dashboard_read_upcoming(struct dashboard_read *read)
{
	struct service_dashboard *dashboard = read->dashboard;
	const struct model_list *rows = &dashboard->upcoming;
	const bool whole = dashboard_list(read, STORE_UPCOMING, &dashboard->upcoming);

	if (whole) {
		dashboard->upcoming_count = (int64_t)rows->count;
		dashboard->meetings_pending = dashboard_rows_with(rows, MEETING_PENDING);
		dashboard->meetings_failed = dashboard_rows_with(rows, MEETING_FAILED);
		dashboard->proposals = dashboard_rows_proposed(rows, read->call->now);
	} else {
		dashboard->upcoming_count = dashboard_count(read, STORE_UPCOMING);
		dashboard->meetings_pending = dashboard_count(read, STORE_PENDING);
		dashboard->meetings_failed = dashboard_count(read, STORE_FAILED);
		dashboard->proposals = dashboard_count(read, STORE_PROPOSED);
	}
	return whole;
}

/* As an index of it would have them. */
static int dashboard_by_proposal(const void *a, const void *b)
{
	const struct request *first = *(struct request *const *)a;
	const struct request *second = *(struct request *const *)b;
	const int64_t until = proposal_until(first), other = proposal_until(second);

	return until == other ? strcmp(first->id, second->id) : until < other ? -1 : 1;
}

/* All that waits for a client are answers to proposals, which end no later than the meeting: a
 * whole list of what is ahead has them. */
static void dashboard_read_needs_of_client(struct dashboard_read *read, bool is_whole)
{
	struct model_list *rows = &read->dashboard->needs_action;

	if (!is_whole) {
		dashboard_list(read, STORE_NEEDS_CLIENT, rows);
		return;
	}
	MODEL_FOREACH (&read->dashboard->upcoming, struct request *, request) {
		if (request_attention(*request, ROLE_CLIENT, read->call->now))
			*(struct request **)model_list_add(
				read->call->arena, rows, sizeof(*request)) = *request;
	}
	if (rows->count)
		qsort(rows->items, rows->count, sizeof(struct request *), dashboard_by_proposal);
}

/* What is open waits for the lawyer, and the client waits with it. */
static void dashboard_read_open(struct dashboard_read *read)
{
	const enum role role = read->call->caller.role;
	struct service_dashboard *dashboard = read->dashboard;
	struct model_list *rows =
		role == ROLE_CLIENT ? &dashboard->waiting : &dashboard->needs_action;
	const enum store_agenda agenda = role == ROLE_CLIENT   ? STORE_OPEN
					 : role == ROLE_LAWYER ? STORE_NEEDS_LAWYER
							       : STORE_NEEDS_ADMIN;
	const bool whole = dashboard_list(read, agenda, rows);

	dashboard->open = whole && role != ROLE_ADMIN ? dashboard_rows_open(rows)
						      : dashboard_count(read, STORE_OPEN);
}

enum err service_dashboard_get(const struct service *service, const struct service_call *call,
	struct service_dashboard *dashboard_r, struct err_info *info)
{
	struct dashboard_read read = {
		.service = service, .call = call, .dashboard = dashboard_r, .info = info};
	bool is_whole;

	*dashboard_r = (struct service_dashboard){0};
	service_filter_own(call, &read.own);
	dashboard_read_open(&read);
	is_whole = dashboard_read_upcoming(&read);
	if (call->caller.role == ROLE_CLIENT)
		dashboard_read_needs_of_client(&read, is_whole);
	dashboard_list(&read, STORE_RECENT, &dashboard_r->recent);
	return read.err;
}
