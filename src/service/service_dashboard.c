/* What matters to a caller now. */
#include <stdlib.h>
#include <string.h>

#include "attention.h"
#include "proposal.h"
#include "service_private.h"

/* So many rows of a list tell, too, how many there are; to count more takes searches of its own. */
enum { DASHBOARD_TALLIED = 50 };

/* One caller's dashboard while it is read. */
struct dashboard_read {
	const struct service *service;
	const struct service_call *call;
	struct store_filter own;
	struct service_dashboard *dashboard;
	enum err err;
	struct err_info *info;
};

static struct store_tally dashboard_list(struct dashboard_read *read, enum store_agenda agenda,
	int64_t most, struct model_list *list_r)
{
	struct store_tally tally = {0};

	if (read->err == ERR_OK)
		read->err = store_agenda_list(read->service->store, read->call->arena, &read->own,
			agenda, most, list_r, &tally, read->info);
	return tally;
}

/* `tallied`, where the tally is of the whole list. */
static int64_t dashboard_count(struct dashboard_read *read, const struct store_tally *tally,
	int64_t tallied, enum store_agenda agenda)
{
	int64_t count = 0;

	if (tally->whole)
		return tallied;
	if (read->err == ERR_OK)
		read->err = store_agenda_count(read->service->store, &read->own, agenda,
			SERVICE_MAX_COUNT + 1, &count, read->info);
	if (count <= SERVICE_MAX_COUNT)
		return count;
	read->dashboard->counts_capped = true;
	return SERVICE_MAX_COUNT;
}

/* Returns whether all that is ahead is there. */
static bool dashboard_read_upcoming(struct dashboard_read *read)
{
	struct service_dashboard *dashboard = read->dashboard;
	const struct store_tally tally =
		dashboard_list(read, STORE_UPCOMING, DASHBOARD_TALLIED, &dashboard->upcoming);

	dashboard->upcoming_count = dashboard_count(read, &tally, tally.rows, STORE_UPCOMING);
	dashboard->meetings_pending = dashboard_count(read, &tally, tally.pending, STORE_PENDING);
	dashboard->meetings_failed = dashboard_count(read, &tally, tally.failed, STORE_FAILED);
	dashboard->proposals = dashboard_count(read, &tally, tally.proposed, STORE_PROPOSED);
	return tally.whole && tally.rows <= SERVICE_DASHBOARD_ROWS;
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
		dashboard_list(read, STORE_NEEDS_CLIENT, SERVICE_DASHBOARD_ROWS, rows);
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
	struct service_dashboard *dashboard = read->dashboard;
	struct store_tally tally = {0};

	switch (read->call->caller.role) {
	case ROLE_CLIENT:
		tally = dashboard_list(read, STORE_OPEN, DASHBOARD_TALLIED, &dashboard->waiting);
		break;
	case ROLE_LAWYER:
		tally = dashboard_list(
			read, STORE_NEEDS_LAWYER, DASHBOARD_TALLIED, &dashboard->needs_action);
		break;
	default:
		dashboard_list(
			read, STORE_NEEDS_ADMIN, SERVICE_DASHBOARD_ROWS, &dashboard->needs_action);
	}
	dashboard->open = dashboard_count(read, &tally, tally.open, STORE_OPEN);
}

enum err service_dashboard_get(const struct service *service, const struct service_call *call,
	struct service_dashboard *dashboard_r, struct err_info *info)
{
	struct dashboard_read read = {
		.service = service, .call = call, .dashboard = dashboard_r, .info = info};
	bool is_whole;

	*dashboard_r = (struct service_dashboard){0};
	service_filter_own(call, &read.own);
	read.own.now = call->now;
	read.own.limit = SERVICE_DASHBOARD_ROWS;
	dashboard_read_open(&read);
	is_whole = dashboard_read_upcoming(&read);
	if (call->caller.role == ROLE_CLIENT)
		dashboard_read_needs_of_client(&read, is_whole);
	dashboard_list(&read, STORE_RECENT, SERVICE_DASHBOARD_ROWS, &dashboard_r->recent);
	return read.err;
}
