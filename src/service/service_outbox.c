#include "service_outbox.h"

#include <stdio.h>
#include <string.h>

#include "service_private.h"
#include "store_outbox.h"

/* ---- seen ---- */

/* What is listed in turn. */
enum outbox_part { PART_FAILED, PART_OWED, PART_COUNT };

/* Where a page ended: in which part, at which request, how many of whose items were shown. */
struct outbox_position {
	enum outbox_part part;
	int64_t at;
	const char *id; /* NULL: at the beginning of the part */
	size_t shown;
};

/* A page under way. */
struct outbox_page {
	const struct service_call *call;
	const struct service_outbox_query *query;
	struct model_list *list;
	struct outbox_position position, next; /* next.part PART_COUNT: there is nothing more */
};

static const char *outbox_cursor(struct arena *arena, const struct outbox_position *position)
{
	return arena_printf(arena, "%d.%lld.%zu.%s", (int)position->part, (long long)position->at,
		position->shown, position->id ? position->id : "");
}

static bool outbox_cursor_read(
	struct arena *arena, const char *text, struct outbox_position *position_r)
{
	char id[ID_SIZE] = "";
	long long at;
	size_t shown;
	int part;

	if (sscanf(text, "%1d.%18lld.%4zu.%22[A-Za-z0-9_-]", &part, &at, &shown, id) < 3 ||
		part >= PART_COUNT)
		return false;
	*position_r = (struct outbox_position){
		(enum outbox_part)part, at, id[0] ? arena_strdup(arena, id) : NULL, shown};
	return strcmp(outbox_cursor(arena, position_r), text) == 0;
}

static bool outbox_part_is_wanted(const struct service_outbox_query *query, enum outbox_part part)
{
	return query->state < 0 || (query->state == OUTBOX_FAILED) == (part == PART_FAILED);
}

static bool outbox_item_is_wanted(const struct outbox_page *page, const struct outbox_item *item)
{
	const struct service_outbox_query *query = page->query;

	if (query->kind && strcmp(effect_kind_names[item->kind], query->kind) != 0)
		return false;
	if (query->state >= 0)
		return item->state == query->state;
	return (item->state == OUTBOX_FAILED) == (page->position.part == PART_FAILED);
}

/* Adds what is wanted of a request; false when the page is full before its end. */
static bool outbox_add_request(struct outbox_page *page, const struct request *request)
{
	const int64_t at = page->position.part == PART_FAILED ? request->failed_at : request->due;
	const bool again = page->position.id && strcmp(page->position.id, request->id) == 0;
	size_t met = 0;

	MODEL_FOREACH (&request->effects, struct effect, effect) {
		const struct outbox_item item =
			outbox_item(page->call->arena, request, effect, page->call->now);

		if (!outbox_item_is_wanted(page, &item) ||
			met++ < (again ? page->position.shown : 0))
			continue;
		if ((int64_t)page->list->count == page->query->limit) {
			page->next = (struct outbox_position){
				page->position.part, at, request->id, met - 1};
			return false;
		}
		*(struct outbox_item *)model_list_add(page->call->arena, page->list, sizeof(item)) =
			item;
	}
	page->next = (struct outbox_position){page->position.part, at, request->id, met};
	return true;
}

/* Lists of the part that page->position is in; *full_r: there may be more of it. */
static enum err outbox_list_part(const struct service *service, struct outbox_page *page,
	bool *full_r, struct err_info *info)
{
	const struct outbox_position *position = &page->position;
	const struct store_outbox_search search = {
		.failed = position->part == PART_FAILED,
		.kind = page->query->kind,
		.until = page->query->state == OUTBOX_DUE ? page->call->now : 0,
		.at = position->at,
		.from_id = position->id,
		/* One more, as what was shown of the first may be all of it. */
		.limit = page->query->limit + 1,
	};
	struct model_list found = {0};
	struct store_outbox_seen seen;
	enum err err;

	err = store_outbox_list(service->store, page->call->arena, &search, &found, &seen, info);
	*full_r = err == ERR_OK && seen.count == search.limit;
	MODEL_FOREACH (&found, struct request *, request) {
		if (!outbox_add_request(page, *request)) {
			*full_r = true;
			return err;
		}
	}
	/* One that cannot be read hides nothing of what is behind it. */
	if (*full_r && !(page->next.id && strcmp(page->next.id, seen.id) == 0))
		page->next = (struct outbox_position){position->part, seen.at, seen.id, 0};
	return err;
}

enum err service_outbox_list(const struct service *service, const struct service_call *call,
	const struct service_outbox_query *query, struct model_list *list_r, const char **next_r,
	struct err_info *info)
{
	struct outbox_page page = {.call = call, .query = query, .list = list_r};
	bool full = false;
	enum err err = ERR_OK;

	if (query->cursor && !outbox_cursor_read(call->arena, query->cursor, &page.position))
		return err_add_field(info, "/cursor", "is not a cursor of this service");
	while (err == ERR_OK && !full && page.position.part < PART_COUNT) {
		if (outbox_part_is_wanted(query, page.position.part))
			err = outbox_list_part(service, &page, &full, info);
		if (!full)
			page.position = (struct outbox_position){.part = page.position.part + 1};
	}
	*next_r = full ? outbox_cursor(call->arena, &page.next) : NULL;
	return err;
}

/* ---- counted ---- */

struct outbox_count {
	const struct service *service;
	const struct service_call *call;
	struct service_outbox_counts *counts;
	enum err err;
	struct err_info *info;
};

static int64_t outbox_count(struct outbox_count *work, struct store_outbox_search search)
{
	int64_t count = 0;

	search.limit = SERVICE_MAX_COUNT + 1;
	if (work->err == ERR_OK)
		work->err = store_outbox_count(
			work->service->store, work->call->arena, &search, &count, work->info);
	if (count <= SERVICE_MAX_COUNT)
		return count;
	work->counts->capped = true;
	return SERVICE_MAX_COUNT;
}

/* When the first of them came to be so. */
static int64_t outbox_oldest(struct outbox_count *work, bool failed)
{
	const struct store_outbox_search search = {
		.failed = failed, .until = failed ? 0 : work->call->now, .limit = 1};
	struct model_list found = {0};
	struct store_outbox_seen seen = {0};

	if (work->err == ERR_OK)
		work->err = store_outbox_list(work->service->store, work->call->arena, &search,
			&found, &seen, work->info);
	/* One that cannot be read is owed all the same. */
	return work->err == ERR_OK && seen.count ? seen.at : 0;
}

enum err service_outbox_count(const struct service *service, const struct service_call *call,
	struct service_outbox_counts *counts_r, struct err_info *info)
{
	struct outbox_count work = {
		.service = service, .call = call, .counts = counts_r, .info = info};
	int kind;

	*counts_r = (struct service_outbox_counts){0};
	counts_r->due = outbox_count(&work, (struct store_outbox_search){.until = call->now});
	counts_r->waiting = outbox_count(&work, (struct store_outbox_search){.after = call->now});
	counts_r->failed = outbox_count(&work, (struct store_outbox_search){.failed = true});
	for (kind = 0; kind < EFFECT_KIND_COUNT; kind++) {
		const char *name = effect_kind_names[kind];

		counts_r->kinds[kind].owed =
			outbox_count(&work, (struct store_outbox_search){.kind = name});
		counts_r->kinds[kind].failed = outbox_count(
			&work, (struct store_outbox_search){.kind = name, .failed = true});
	}
	counts_r->oldest_due = outbox_oldest(&work, false);
	counts_r->oldest_failed = outbox_oldest(&work, true);
	return work.err;
}

/* ---- decided ---- */

struct outbox_decision {
	const struct service *service;
	const struct service_call *call;
	enum source source;
	outbox_rule *rule;
	const char *key; /* of the answer */
	const char *effect_id;
	const void *input;
	const struct config *config;
	struct service_answer *answer_r;
};

static enum err outbox_decide(void *data, struct arena *arena, struct request *request,
	bool *changed_r, struct err_info *info)
{
	const struct outbox_decision *decision = data;
	const struct request_answer *stored;
	struct service_call call = *decision->call;
	struct cause cause;
	enum err err;

	call.arena = arena;
	stored = request_answer_find(request, decision->key, call.now);
	if (stored) {
		*changed_r = false;
		return service_replay(
			decision->service, &call, stored, request, decision->answer_r, info);
	}
	service_cause_init(&call, arena, decision->source, decision->config, &cause);
	err = decision->rule(&cause, request, decision->effect_id, decision->input, info);
	if (err != ERR_OK)
		return err;
	service_note_change(request);
	service_answer(
		decision->service, &call, &cause, request, decision->key, decision->answer_r);
	return ERR_OK;
}

static enum err outbox_unknown(struct err_info *info)
{
	return err_set(info, ERR_NOT_FOUND, "It is not owed, or not any more.");
}

enum err service_outbox_decide(const struct service *service, const struct service_call *call,
	enum source source, outbox_rule *rule, const struct model *body, const char *name,
	const char *id, void *input, struct service_answer *answer_r, struct err_info *info)
{
	char *request_id = arena_alloc(call->arena, ID_SIZE);
	char *effect_id = arena_alloc(call->arena, ID_SIZE);
	struct outbox_decision decision = {
		.service = service,
		.call = call,
		.source = source,
		.rule = rule,
		.key = service_answer_key(call, name, id),
		.effect_id = effect_id,
		.input = input,
		.answer_r = answer_r,
	};
	struct store_change change = service_change(service, request_id);
	const struct config *config;
	enum err err;

	if (!outbox_id_read(id, request_id, effect_id))
		return outbox_unknown(info);
	if (body)
		service_check_fields(call->arena, body, input, "", info);
	if (info->err != ERR_OK)
		return info->err;
	err = service_config_load(service, call, &config, info);
	if (err != ERR_OK)
		return err;
	decision.config = change.config = config;
	change.rule = outbox_decide;
	change.data = &decision;
	err = store_request_change(&change, call->arena, NULL, info);
	return err == ERR_NOT_FOUND ? outbox_unknown(info) : err;
}
