/* The dashboard. */
#include "attention.h"
#include "buf.h"
#include "handler_private.h"
#include "json_write.h"

/* Why it waits for the caller. */
static void dashboard_write_reasons(
	struct buf *out, const struct service_call *call, const struct request *request)
{
	const unsigned reasons = request_attention(request, call->caller.role, call->now);
	int i;

	json_write_name(out, "reasons");
	json_write_open(out, '[');
	for (i = 0; i < ATTENTION_COUNT; i++)
		if (reasons & 1u << i)
			json_write_text(out, attention_names[i]);
	json_write_close(out, ']');
}

static void dashboard_write_rows(struct buf *out, const struct service *service,
	const struct service_call *call, const char *name, const struct model_list *requests)
{
	json_write_name(out, name);
	json_write_open(out, '[');
	MODEL_FOREACH (requests, struct request *, request) {
		json_write_open(out, '{');
		handler_write_request_members(out, service, call, *request);
		dashboard_write_reasons(out, call, *request);
		json_write_close(out, '}');
	}
	json_write_close(out, ']');
}

static void dashboard_write_counts(struct buf *out, const struct service_dashboard *dashboard)
{
	const struct {
		const char *name;
		int64_t count;
	} rows[] = {
		{"open", dashboard->open},
		{"upcoming", dashboard->upcoming_count},
		{"meetings_pending", dashboard->meetings_pending},
		{"meetings_failed", dashboard->meetings_failed},
		{"proposals", dashboard->proposals},
	};
	size_t i;

	json_write_name(out, "counts");
	json_write_open(out, '{');
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		json_write_name(out, rows[i].name);
		json_write_int(out, rows[i].count);
	}
	json_write_close(out, '}');
	json_write_name(out, "counts_capped");
	json_write_bool(out, dashboard->counts_capped);
}

static void dashboard_tag_rows(struct buf *basis, const struct service *service,
	const struct service_call *call, const struct model_list *requests)
{
	MODEL_FOREACH (requests, struct request *, request) {
		handler_tag_add(basis, service, call, *request);
	}
	buf_add_char(basis, '\n');
}

/* It says what time it is, and so another thing with every second. */
static const char *dashboard_tag(const struct service *service, const struct service_call *call,
	const struct service_dashboard *dashboard)
{
	struct buf basis;

	handler_tag_begin(&basis, call, "dashboard");
	json_write_instant(&basis, call->now, false);
	json_write_open(&basis, '{');
	dashboard_write_counts(&basis, dashboard);
	dashboard_tag_rows(&basis, service, call, &dashboard->needs_action);
	dashboard_tag_rows(&basis, service, call, &dashboard->upcoming);
	dashboard_tag_rows(&basis, service, call, &dashboard->waiting);
	dashboard_tag_rows(&basis, service, call, &dashboard->recent);
	return handler_tag_end(&basis, service, call);
}

enum err handler_dashboard_get(struct http_exchange *exchange, struct err_info *info)
{
	const struct service *service = &handler_context(exchange)->service;
	const struct service_call call = handler_call(exchange);
	struct service_dashboard dashboard;
	struct buf *out;
	enum err err;

	err = service_dashboard_get(service, &call, &dashboard, info);
	if (err != ERR_OK)
		return err;
	http_set_header(exchange, "ETag", "%s", dashboard_tag(service, &call, &dashboard));
	out = http_reply_buf(exchange);
	json_write_open(out, '{');
	json_write_member(out, "role", role_names[call.caller.role]);
	json_write_name(out, "now");
	json_write_instant(out, call.now, false);
	dashboard_write_counts(out, &dashboard);
	dashboard_write_rows(out, service, &call, "needs_action", &dashboard.needs_action);
	dashboard_write_rows(out, service, &call, "upcoming", &dashboard.upcoming);
	dashboard_write_rows(out, service, &call, "waiting", &dashboard.waiting);
	dashboard_write_rows(out, service, &call, "recent", &dashboard.recent);
	json_write_close(out, '}');
	return http_reply_json(exchange, 200, out, info);
}
