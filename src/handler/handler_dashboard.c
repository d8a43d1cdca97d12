/* The dashboard. */
#include <json-c/json.h>

#include "attention.h"
#include "handler_private.h"
#include "instant.h"

/* Why it waits for the caller. */
static struct json_object *dashboard_reasons(
	const struct service_call *call, const struct request *request)
{
	const unsigned reasons = request_attention(request, call->caller.role, call->now);
	struct json_object *names = json_object_new_array();
	int i;

	for (i = 0; i < ATTENTION_COUNT; i++)
		if (reasons & 1u << i)
			json_object_array_add(names, json_object_new_string(attention_names[i]));
	return names;
}

static void dashboard_add_rows(const struct service *service, const struct service_call *call,
	const struct model_list *requests, const char *name, struct json_object *json)
{
	struct json_object *rows = json_object_new_array(), *row;

	json_object_object_add(json, name, rows);
	MODEL_FOREACH (requests, struct request *, request) {
		row = handler_request_json(service, call, *request);
		json_object_object_add(row, "reasons", dashboard_reasons(call, *request));
		json_object_array_add(rows, row);
	}
}

static void dashboard_add_counts(
	const struct service_dashboard *dashboard, struct json_object *json)
{
	const struct {
		const char *name;
		int64_t count;
	} rows[] = {
		{"open", dashboard->open}, {"upcoming", dashboard->upcoming_count},
		{"meetings_pending", dashboard->meetings_pending},
		{"meetings_failed", dashboard->meetings_failed},
		{"proposals", 0}, /* nobody can make one */
	};
	struct json_object *counts = json_object_new_object();
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		json_object_object_add(counts, rows[i].name, json_object_new_int64(rows[i].count));
	json_object_object_add(json, "counts", counts);
	json_object_object_add(
		json, "counts_capped", json_object_new_boolean(dashboard->counts_capped));
}

enum err handler_dashboard_get(struct http_exchange *exchange, struct err_info *info)
{
	const struct service *service = &handler_context(exchange)->service;
	const struct service_call call = handler_call(exchange);
	struct service_dashboard dashboard;
	char now[INSTANT_TEXT_SIZE];
	struct json_object *json;
	enum err err;

	err = service_dashboard_get(service, &call, &dashboard, info);
	if (err != ERR_OK)
		return err;
	json = json_object_new_object();
	instant_format(call.now, false, now);
	json_object_object_add(json, "role", json_object_new_string(role_names[call.caller.role]));
	json_object_object_add(json, "now", json_object_new_string(now));
	dashboard_add_counts(&dashboard, json);
	dashboard_add_rows(service, &call, &dashboard.needs_action, "needs_action", json);
	dashboard_add_rows(service, &call, &dashboard.upcoming, "upcoming", json);
	dashboard_add_rows(service, &call, &dashboard.waiting, "waiting", json);
	dashboard_add_rows(service, &call, &dashboard.recent, "recent", json);
	http_reply_json(exchange, 200, json);
	json_object_put(json);
	return ERR_OK;
}
