/* What answers are that are no object of one model: pages, and what is written in parts. For the
 * description, and tests hold each answer against it. */
#include "attention.h"
#include "delivery.h"
#include "handler.h"
#include "outbox.h"
#include "policy.h"
#include "provider.h"
#include "provider_breaker.h"
#include "service_config.h"
#include "subscriber.h"

#define MUST (MODEL_SHOWN | MODEL_REQUIRED)
#define MAY  (MODEL_SHOWN | MODEL_SPARSE)

#define MEMBER(member, member_type, member_flags, ...)                                             \
	{                                                                                          \
		.name = (member), .type = (member_type), .flags = (member_flags), __VA_ARGS__      \
	}

/* `base_model`: whose members it has before its own; or NULL. */
#define MEMBERS(symbol, ...) static const struct model_field symbol##_fields[] = {__VA_ARGS__}
#define NAMED(symbol, model_name, base_model)                                                      \
	const struct model symbol = {.name = (model_name),                                         \
		.fields = symbol##_fields,                                                         \
		.field_count = sizeof(symbol##_fields) / sizeof(symbol##_fields[0]),               \
		.base = (base_model)}
#define PART(symbol, name, base, ...)                                                              \
	MEMBERS(symbol, __VA_ARGS__);                                                              \
	static NAMED(symbol, name, base)
#define ANSWER(symbol, name, base, ...)                                                            \
	MEMBERS(symbol, __VA_ARGS__);                                                              \
	NAMED(symbol, name, base)

#define ITEMS(model)                                                                               \
	MEMBER("items", MODEL_LIST, MUST, .of = (model)),                                          \
		MEMBER("next_cursor", MODEL_STRING, MODEL_SHOWN)

ANSWER(handler_request_answer, "request", &request_model, MEMBER("links", MODEL_MAP, MUST));
ANSWER(handler_request_page, "request_page", NULL, ITEMS(&handler_request_answer));
ANSWER(handler_meeting_page, "meeting_page", NULL, ITEMS(&meeting_model));
ANSWER(handler_audit_page, "audit_page", NULL, ITEMS(&audit_event_model));

PART(dashboard_row, "dashboard_row", &handler_request_answer,
	MEMBER("reasons", MODEL_STRINGS, MUST, .names = attention_names));
PART(dashboard_counts, "dashboard_counts", NULL, MEMBER("open", MODEL_INT, MUST),
	MEMBER("upcoming", MODEL_INT, MUST), MEMBER("meetings_pending", MODEL_INT, MUST),
	MEMBER("meetings_failed", MODEL_INT, MUST), MEMBER("proposals", MODEL_INT, MUST));
ANSWER(handler_dashboard_answer, "dashboard", NULL,
	MEMBER("role", MODEL_ENUM, MUST, .names = role_names), MEMBER("now", MODEL_INSTANT, MUST),
	MEMBER("counts", MODEL_OBJECT, MUST, .of = &dashboard_counts),
	MEMBER("counts_capped", MODEL_BOOL, MUST),
	MEMBER("needs_action", MODEL_LIST, MUST, .of = &dashboard_row),
	MEMBER("upcoming", MODEL_LIST, MUST, .of = &dashboard_row),
	MEMBER("waiting", MODEL_LIST, MUST, .of = &dashboard_row),
	MEMBER("recent", MODEL_LIST, MUST, .of = &dashboard_row));

PART(busy_time, "busy_time", NULL, MEMBER("starts_at", MODEL_INSTANT, MUST),
	MEMBER("ends_at", MODEL_INSTANT, MUST), MEMBER("request_id", MODEL_STRING, MUST));
ANSWER(handler_busy_answer, "busy", NULL, MEMBER("items", MODEL_LIST, MUST, .of = &busy_time));

ANSWER(handler_erasure_answer, "erasure", NULL, MEMBER("id", MODEL_STRING, MUST),
	MEMBER("requests", MODEL_INT, MUST));
ANSWER(handler_feed_answer, "feed", NULL, MEMBER("url", MODEL_STRING, MUST),
	MEMBER("webcal_url", MODEL_STRING, MUST));
ANSWER(handler_health_answer, "health", NULL, MEMBER("status", MODEL_STRING, MUST));
ANSWER(handler_ready_answer, "readiness", &handler_health_answer,
	MEMBER("tzdata", MODEL_STRING, MUST));
ANSWER(handler_host_answer, "host_link", NULL, MEMBER("url", MODEL_STRING, MUST));

PART(provider_fault, "provider_fault", NULL, MEMBER("code", MODEL_STRING, MUST),
	MEMBER("detail", MODEL_STRING, MUST), MEMBER("at", MODEL_INSTANT, MUST));
PART(provider_condition, "provider_health", NULL, MEMBER("state", MODEL_STRING, MUST),
	MEMBER("last_ok_at", MODEL_INSTANT, MODEL_SHOWN),
	MEMBER("last_error", MODEL_OBJECT, MODEL_SHOWN, .of = &provider_fault),
	MEMBER("breaker", MODEL_ENUM, MUST, .names = breaker_state_names));
PART(provider_field_shown, "provider_field", NULL, MEMBER("name", MODEL_STRING, MUST),
	MEMBER("secret", MODEL_BOOL, MUST), MEMBER("multi_line", MODEL_BOOL, MUST),
	MEMBER("choices", MODEL_STRINGS, MUST), MEMBER("help", MODEL_STRING, MUST));
ANSWER(handler_provider_answer, "provider", NULL, MEMBER("name", MODEL_STRING, MUST),
	MEMBER("title", MODEL_STRING, MUST), MEMBER("enabled", MODEL_BOOL, MUST),
	MEMBER("configured", MODEL_BOOL, MUST), MEMBER("settings", MODEL_MAP, MUST),
	MEMBER("credentials", MODEL_MAP, MUST),
	MEMBER("fields", MODEL_LIST, MUST, .of = &provider_field_shown),
	MEMBER("capabilities", MODEL_STRINGS, MUST),
	MEMBER("health", MODEL_OBJECT, MUST, .of = &provider_condition));
ANSWER(handler_provider_page, "provider_page", NULL, ITEMS(&handler_provider_answer));

PART(outbox_kind, "outbox_kind", NULL, MEMBER("owed", MODEL_INT, MUST),
	MEMBER("failed", MODEL_INT, MUST));
static const struct model_field outbox_kinds_fields[] = {
#define EFFECT(kind, text, ...) MEMBER(text, MODEL_OBJECT, MAY, .of = &outbox_kind),
#include "effect_table.h"
#undef EFFECT
};
static NAMED(outbox_kinds, "outbox_kinds", NULL);
PART(outbox_counts, "outbox_counts", NULL, MEMBER("due", MODEL_INT, MUST),
	MEMBER("waiting", MODEL_INT, MUST), MEMBER("failed", MODEL_INT, MUST),
	MEMBER("kinds", MODEL_OBJECT, MUST, .of = &outbox_kinds));
ANSWER(handler_outbox_page, "outbox_page", NULL,
	MEMBER("counts", MODEL_OBJECT, MAY, .of = &outbox_counts),
	MEMBER("counts_capped", MODEL_BOOL, MAY), MEMBER("oldest_due_at", MODEL_INSTANT, MAY),
	MEMBER("oldest_failed_at", MODEL_INSTANT, MAY), ITEMS(&outbox_item_model));

PART(webhook_health, "webhook_health", NULL, MEMBER("state", MODEL_STRING, MUST),
	MEMBER("last_ok_at", MODEL_INSTANT, MODEL_SHOWN),
	MEMBER("waiting_since", MODEL_INSTANT, MODEL_SHOWN),
	MEMBER("last_error", MODEL_OBJECT, MODEL_SHOWN, .of = &failure_model));
PART(webhook_listed, "webhook", &subscriber_model,
	MEMBER("health", MODEL_OBJECT, MUST, .of = &webhook_health));
ANSWER(handler_webhook_page, "webhook_page", NULL, ITEMS(&webhook_listed));
ANSWER(handler_webhook_answer, "webhook_with_secret", &subscriber_model,
	MEMBER("secret", MODEL_STRING, MODEL_SHOWN));
ANSWER(handler_delivery_page, "delivery_page", NULL, ITEMS(&delivery_model));

static const struct model *provider_input(
	struct arena *arena, size_t i, const char *flag, const char *what)
{
	const struct provider *provider = provider_table[i];
	struct model *model;

	if (!provider)
		return NULL;
	model = arena_alloc(arena, sizeof(*model));
	*model = *service_config_provider_input(arena, provider, flag);
	model->name = arena_printf(arena, "%s_%s", provider->name, what);
	return model;
}

const struct model *handler_provider_changes(struct arena *arena, size_t i)
{
	return provider_input(arena, i, "enabled", "change");
}

const struct model *handler_provider_validations(struct arena *arena, size_t i)
{
	return provider_input(arena, i, "deep", "validation");
}
