/* What is owed, and what an administrator decides about it. */
#include <string.h>

#include "handler_private.h"
#include "json_write.h"
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

static void outbox_write_count(struct buf *out, const char *name, int64_t count)
{
	json_write_name(out, name);
	json_write_int(out, count);
}

static void outbox_write_kinds(struct buf *out, const struct service_outbox_counts *counts)
{
	int kind;

	json_write_name(out, "kinds");
	json_write_open(out, '{');
	for (kind = 0; kind < EFFECT_KIND_COUNT; kind++) {
		if (!counts->kinds[kind].owed && !counts->kinds[kind].failed)
			continue;
		json_write_name(out, effect_kind_names[kind]);
		json_write_open(out, '{');
		outbox_write_count(out, "owed", counts->kinds[kind].owed);
		outbox_write_count(out, "failed", counts->kinds[kind].failed);
		json_write_close(out, '}');
	}
	json_write_close(out, '}');
}

static void outbox_write_counts(struct buf *out, const struct service_outbox_counts *counts)
{
	json_write_name(out, "counts");
	json_write_open(out, '{');
	outbox_write_count(out, "due", counts->due);
	outbox_write_count(out, "waiting", counts->waiting);
	outbox_write_count(out, "failed", counts->failed);
	outbox_write_kinds(out, counts);
	json_write_close(out, '}');
	json_write_name(out, "counts_capped");
	json_write_bool(out, counts->capped);
	json_write_name(out, "oldest_due_at");
	json_write_instant(out, counts->oldest_due, false);
	json_write_name(out, "oldest_failed_at");
	json_write_instant(out, counts->oldest_failed, false);
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
	struct model_list list = {0};
	struct buf *out;
	const char *next;
	enum err err;

	err = service_outbox_list(service, &call, &query, &list, &next, info);
	/* The first page says how many there are. */
	if (err == ERR_OK && !query.cursor)
		err = service_outbox_count(service, &call, &counts, info);
	if (err != ERR_OK)
		return err;
	out = http_reply_buf(exchange);
	json_write_open(out, '{');
	if (!query.cursor)
		outbox_write_counts(out, &counts);
	json_write_name(out, "items");
	json_write_open(out, '[');
	MODEL_FOREACH (&list, struct outbox_item, item) {
		model_write(&outbox_item_model, item, MODEL_SHOWN, out);
	}
	handler_end_page(out, next);
	return http_reply_json(exchange, 200, out, info);
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
