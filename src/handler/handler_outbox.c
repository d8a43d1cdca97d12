/* What is owed, and what an administrator decides about it. */
#include <json-c/json.h>
#include <string.h>

#include "handler_private.h"
#include "instant.h"
#include "service_outbox.h"

static const char *const kind_filters[] = {
	"any",
#define EFFECT(name, text, ...) text,
#include "effect_table.h"
#undef EFFECT
	NULL,
};
static const char *const state_filters[] = {"any", "due", "waiting", "failed", NULL};

#define QUERY(type, member, ...)                                                                   \
	MODEL_FIELD(struct handler_outbox_query, member, type, 0, __VA_ARGS__)

static const struct model_field outbox_query_fields[] = {
	QUERY(MODEL_ENUM, kind, .names = kind_filters),
	QUERY(MODEL_ENUM, state, .names = state_filters),
	QUERY(MODEL_INT, limit, .min = 1, .max = 200),
	QUERY(MODEL_STRING, cursor, .min = 1, .max = 64),
};

const struct model handler_outbox_query_model =
	MODEL(struct handler_outbox_query, "query", outbox_query_fields);

static void outbox_add_instant(struct json_object *json, const char *name, int64_t at)
{
	char text[INSTANT_TEXT_SIZE];

	instant_format(at, false, text);
	json_object_object_add(json, name, at ? json_object_new_string(text) : NULL);
}

static void outbox_add_count(struct json_object *json, const char *name, int64_t count)
{
	json_object_object_add(json, name, json_object_new_int64(count));
}

static void outbox_add_counts(struct json_object *page, const struct service_outbox_counts *counts)
{
	struct json_object *json = json_object_new_object(), *kinds = json_object_new_object();
	struct json_object *one;
	int kind;

	outbox_add_count(json, "due", counts->due);
	outbox_add_count(json, "waiting", counts->waiting);
	outbox_add_count(json, "failed", counts->failed);
	for (kind = 0; kind < EFFECT_KIND_COUNT; kind++) {
		if (!counts->kinds[kind].owed && !counts->kinds[kind].failed)
			continue;
		one = json_object_new_object();
		outbox_add_count(one, "owed", counts->kinds[kind].owed);
		outbox_add_count(one, "failed", counts->kinds[kind].failed);
		json_object_object_add(kinds, effect_kind_names[kind], one);
	}
	json_object_object_add(json, "kinds", kinds);
	json_object_object_add(page, "counts", json);
	json_object_object_add(page, "counts_capped", json_object_new_boolean(counts->capped));
	outbox_add_instant(page, "oldest_due_at", counts->oldest_due);
	outbox_add_instant(page, "oldest_failed_at", counts->oldest_failed);
}

enum err handler_outbox_list(struct http_exchange *exchange, struct err_info *info)
{
	const struct service *service = &handler_context(exchange)->service;
	const struct handler_outbox_query *given = exchange->query;
	const struct service_call call = handler_call(exchange);
	const struct service_outbox_query query = {
		.kind = given->kind ? kind_filters[given->kind] : NULL,
		.state = given->state - 1,
		.cursor = given->cursor,
		.limit = given->limit ? given->limit : HANDLER_LIMIT,
	};
	struct service_outbox_counts counts;
	struct json_object *page, *items;
	struct model_list list = {0};
	const char *next;
	enum err err;

	err = service_outbox_list(service, &call, &query, &list, &next, info);
	/* The first page says how many there are. */
	if (err == ERR_OK && !query.cursor)
		err = service_outbox_count(service, &call, &counts, info);
	if (err != ERR_OK)
		return err;
	page = json_object_new_object();
	items = json_object_new_array();
	MODEL_FOREACH (&list, struct outbox_item, item) {
		json_object_array_add(items, model_to_json(&outbox_item_model, item, MODEL_SHOWN));
	}
	json_object_object_add(page, "items", items);
	json_object_object_add(page, "next_cursor", next ? json_object_new_string(next) : NULL);
	if (!query.cursor)
		outbox_add_counts(page, &counts);
	http_reply_json(exchange, 200, page);
	json_object_put(page);
	return ERR_OK;
}

static enum err outbox_reply(struct http_exchange *exchange, outbox_rule *rule,
	const struct model *body, const char *name, struct err_info *info)
{
	const struct service_call call = handler_call(exchange);
	struct service_answer answer;
	enum err err;

	err = service_outbox_decide(&handler_context(exchange)->service, &call, SOURCE_API, rule,
		body, name, exchange->params[0], exchange->input, &answer, info);
	return err == ERR_OK ? handler_reply_answer(exchange, &answer) : err;
}

enum err handler_outbox_retry(struct http_exchange *exchange, struct err_info *info)
{
	return outbox_reply(exchange, outbox_retry, NULL, "outbox/retry", info);
}

enum err handler_outbox_discard(struct http_exchange *exchange, struct err_info *info)
{
	return outbox_reply(exchange, outbox_discard, NULL, "outbox/discard", info);
}

enum err handler_outbox_readdress(struct http_exchange *exchange, struct err_info *info)
{
	return outbox_reply(
		exchange, outbox_readdress, &outbox_readdressing_model, "outbox/readdress", info);
}
