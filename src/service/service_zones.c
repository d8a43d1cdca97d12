#include "service_zones.h"

#include "ics_zone.h"
#include "log.h"
#include "news.h"
#include "service_private.h"
#include "told.h"

enum { ZONES_PAGE = 200 };

static struct model_list zones_offsets(
	struct arena *arena, const struct request *request, enum party party)
{
	return ics_zone_offsets(
		arena, told_zone(request, party), request->starts_at, request->ends_at);
}

/* Which of the two were told other times than they read. */
static void zones_compare(
	struct arena *arena, const struct request *request, bool misread_r[PARTY_COUNT])
{
	struct model_list offsets;
	int party;

	for (party = PARTY_CLIENT; party <= PARTY_LAWYER; party++) {
		offsets = zones_offsets(arena, request, party);
		misread_r[party] = news_is_misread(request, party, &offsets);
	}
}

struct zones_sending {
	const struct service_call *call;
};

static enum err zones_owe(void *data, struct arena *arena, struct request *request, bool *changed_r,
	struct err_info *info)
{
	const struct zones_sending *sending = data;
	bool misread[PARTY_COUNT];
	struct cause cause;

	(void)info;
	zones_compare(arena, request, misread);
	service_cause_init(sending->call, arena, SOURCE_CLI, NULL, &cause);
	/* A link that is still to be made is told with the times as they are then. */
	*changed_r = request->meeting->status == MEETING_READY &&
		     news_owe_again(&cause, request, misread);
	return ERR_OK;
}

static void zones_report(struct arena *arena, const struct request *request, enum party party,
	struct service_zones *zones)
{
	const struct person_news *news = request->side[party].news;
	const struct model_list is = zones_offsets(arena, request, party);
	const int64_t *told = news->offsets.items, *read = is.items;
	const size_t at = told[0] == read[0];

	zones->count++;
	zones->found(zones->data, &(struct service_reading){
					  .request_id = request->id,
					  .zone = told_zone(request, party),
					  .party = party,
					  .instant = at ? request->ends_at : request->starts_at,
					  .told_s = told[at],
					  .read_s = read[at],
					  .on_its_way = news_is_on_its_way(request, party),
				  });
}

static enum err zones_look(const struct service *service, const struct service_call *call,
	const char *id, struct service_zones *zones, struct err_info *info)
{
	struct zones_sending sending = {.call = call};
	struct store_change change = service_change(service, id);
	bool misread[PARTY_COUNT];
	struct request *request;
	enum err err;
	int party;

	err = store_request_load(service->store, call->arena, id, STORE_WHOLE, &request, info);
	if (err != ERR_OK)
		return err;
	zones_compare(call->arena, request, misread);
	if (zones->send && (misread[PARTY_CLIENT] || misread[PARTY_LAWYER])) {
		change.loaded = request;
		change.rule = zones_owe;
		change.data = &sending;
		err = store_request_change(&change, call->arena, &request, info);
		if (err != ERR_OK)
			return err;
		zones_compare(call->arena, request, misread);
	}
	for (party = PARTY_CLIENT; party <= PARTY_LAWYER; party++) {
		const struct person_news *news = request->side[party].news;

		if (misread[party])
			zones_report(call->arena, request, party, zones);
		else if (news && news->invited && !news->offsets.count)
			zones->unknown++;
	}
	return ERR_OK;
}

/* One that cannot be read, or is gone by now, keeps nobody from the others. */
static enum err zones_go_on(enum err err, const char *id, struct err_info *info)
{
	if (err != ERR_UNREADABLE && err != ERR_NOT_FOUND && err != ERR_BUSY)
		return err;
	log_error("request %s is left out: %s", id, info->detail);
	err_clear(info);
	return ERR_OK;
}

static enum err zones_page(const struct service *service, const struct service_call *call,
	const struct store_filter *filter, struct service_zones *zones,
	struct store_position *next_r, struct err_info *info)
{
	struct model_list list = {0};
	enum err err;

	err = store_request_list(service->store, call->arena, filter, &list, next_r, info);
	MODEL_FOREACH (&list, struct request *, request) {
		if (err == ERR_OK)
			err = zones_go_on(zones_look(service, call, (*request)->id, zones, info),
				(*request)->id, info);
	}
	return err;
}

enum err service_zones_check(const struct service *service, const struct service_call *call,
	struct service_zones *zones, struct err_info *info)
{
	struct store_filter filter = {
		.status = 1 + REQUEST_ACCEPTED,
		.starts_from = call->now,
		.ascending = true,
		.limit = ZONES_PAGE,
		.now = call->now,
		.depth = STORE_TAG,
	};
	struct service_call page = *call;
	struct store_position next;
	struct arena *before = NULL;
	enum err err;

	do {
		/* The page before holds the cursor of this one. */
		page.arena = arena_new();
		err = zones_page(service, &page, &filter, zones, &next, info);
		filter.after_start = next.starts_at;
		filter.after_id = next.id;
		arena_free(&before);
		before = page.arena;
	} while (err == ERR_OK && filter.after_id);
	arena_free(&before);
	return err;
}
