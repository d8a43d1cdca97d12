#include <json-c/json.h>
#include <string.h>

#include "log.h"
#include "provider_refusal.h"
#include "provider_zoom_private.h"

/* 300 is the largest page; a host has far fewer meetings ahead than all pages would hold. */
enum { ZOOM_MAX_PAGES = 20, ZOOM_PAGE_SIZE = 300 };

/* A meeting is known to one account only: any other is told that it does not exist. */
static enum err zoom_check_account(
	const struct provider_call *call, const char *account, struct err_info *info)
{
	if (!account || strcmp(account, provider_zoom_account(call)) == 0)
		return ERR_OK;
	return err_set(info, ERR_UNAVAILABLE,
		"%s: Another account made this meeting than the one that is set up now.",
		call->provider->title);
}

static const char *zoom_path(struct arena *arena, const char *id, const char *rest)
{
	return arena_printf(arena, "/meetings/%s%s", rest_escape(arena, id), rest);
}

static enum err zoom_get(const struct provider_call *call, const char *id,
	struct json_object **meeting_r, struct err_info *info)
{
	struct rest_reply reply;
	enum err err = provider_zoom_send(call, REST_GET, zoom_path(call->arena, id, ""), NULL,
		provider_zoom_meeting_rules, &reply, info);

	*meeting_r = err == ERR_OK ? reply.json : NULL;
	return err;
}

/* Zoom's number of the meeting, if it was made with these credentials. */
static enum err zoom_made_id(const struct provider_call *call, const struct provider_plan *plan,
	const char **id_r, struct err_info *info)
{
	*id_r = plan->external_id;
	if (!*id_r)
		return err_set(
			info, ERR_GONE, "%s: It has not made this meeting.", call->provider->title);
	return zoom_check_account(call, plan->account, info);
}

static enum err zoom_get_made(const struct provider_call *call, const struct provider_plan *plan,
	struct json_object **meeting_r, struct err_info *info)
{
	const char *id;
	enum err err = zoom_made_id(call, plan, &id, info);

	return err == ERR_OK ? zoom_get(call, id, meeting_r, info) : err;
}

/* Adds the ids of a page's meetings that carry the mark; false when it is not such a page. */
static bool zoom_search_page(
	struct arena *arena, struct json_object *page, const char *mark, struct model_list *ids)
{
	struct json_object *meetings, *meeting;
	size_t i, count;
	const char *id;

	if (!json_object_object_get_ex(page, "meetings", &meetings) ||
		!json_object_is_type(meetings, json_type_array))
		return false;
	count = json_object_array_length(meetings);
	for (i = 0; i < count; i++) {
		meeting = json_object_array_get_idx(meetings, i);
		if (!provider_zoom_is_marked(meeting, mark))
			continue;
		id = provider_zoom_id(arena, meeting);
		if (!id)
			return false;
		*(const char **)model_list_add(arena, ids, sizeof(id)) = id;
	}
	return true;
}

/* The ids of the host's meetings that carry the mark of this key. Not to have seen all of them is
 * an error: one that is overlooked would be made twice, or live on. */
static enum err zoom_find(const struct provider_call *call, const char *provider_key,
	struct model_list *ids, struct err_info *info)
{
	const char *mark = provider_zoom_mark(call->arena, provider_key), *next = "";
	struct rest_reply reply;
	enum err err;
	int pages;

	for (pages = 0; pages < ZOOM_MAX_PAGES; pages++) {
		err = provider_zoom_send(call, REST_GET,
			arena_printf(call->arena,
				"/users/%s/meetings?type=upcoming&page_size=%d%s%s",
				provider_zoom_host(call), ZOOM_PAGE_SIZE,
				next[0] ? "&next_page_token=" : "", rest_escape(call->arena, next)),
			NULL, provider_zoom_host_rules, &reply, info);
		if (err != ERR_OK)
			return err;
		if (!zoom_search_page(call->arena, reply.json, mark, ids))
			break;
		next = provider_json_text(call->arena, reply.json, "next_page_token");
		if (!next || !next[0])
			return ERR_OK;
	}
	return err_set(info, ERR_TEMPORARY, "%s: Its list of the host's meetings cannot be read.",
		call->provider->title);
}

static enum err zoom_delete_once(const struct provider_call *call, const char *id,
	const char **code_r, struct err_info *info)
{
	struct provider_error error;
	struct rest_reply reply;
	enum err err = provider_zoom_send(call, REST_DELETE,
		zoom_path(call->arena, id,
			"?schedule_for_reminder=false&cancel_meeting_reminder=false"),
		NULL, provider_zoom_meeting_rules, &reply, info);

	provider_refusal_read(call, &reply, &error);
	*code_r = error.code;
	return err == ERR_GONE ? ERR_OK : err;
}

/* A meeting that is going on (3002) has to be ended first. */
static enum err zoom_delete(const struct provider_call *call, const char *id, struct err_info *info)
{
	struct json_object *action;
	struct rest_reply reply;
	const char *code;
	enum err err = zoom_delete_once(call, id, &code, info);

	if (err == ERR_OK || strcmp(code, "3002") != 0)
		return err;
	action = json_object_new_object();
	json_object_object_add(action, "action", json_object_new_string("end"));
	err = provider_zoom_send(call, REST_PUT, zoom_path(call->arena, id, "/status"), action,
		provider_zoom_meeting_rules, &reply, info);
	json_object_put(action);
	if (err != ERR_OK && err != ERR_GONE)
		return err;
	return zoom_delete_once(call, id, &code, info);
}

static bool zoom_is_unsaid(const struct model_list *gaps)
{
	MODEL_FOREACH (gaps, struct provider_zoom_gap, gap) {
		if (gap->unsaid)
			return true;
	}
	return false;
}

/*
 * The link of a meeting that exists, with what was not granted as warnings. Zoom drops what it does
 * not support without a word and may leave it out of its answer: what the answer does not say is
 * asked for once. Without an answer to that, the link is still good.
 */
static enum err zoom_settle(const struct provider_call *call, const struct provider_plan *plan,
	struct json_object *meeting, struct meeting_link *link_r, struct err_info *info)
{
	const struct security *security = plan->security;
	struct provider_plan adopted = *plan;
	struct model_list gaps = {0};
	struct json_object *again;

	adopted.url = adopted.passcode = NULL; /* people are told what it has from now on */
	provider_zoom_fill(call, meeting, link_r);
	provider_zoom_compare(call, &adopted, meeting, &gaps);
	if (link_r->external_id && (!link_r->url || zoom_is_unsaid(&gaps)) &&
		zoom_get(call, link_r->external_id, &again, NULL) == ERR_OK &&
		provider_zoom_link(call->arena, again, "join_url")) {
		gaps = (struct model_list){0};
		provider_zoom_fill(call, again, link_r);
		provider_zoom_compare(call, &adopted, again, &gaps);
	}
	/* It was made, but cannot be used yet: it is to be found again, not made again. */
	if (!link_r->external_id || !link_r->url)
		return err_set(info, ERR_OUTCOME_UNKNOWN,
			"%s: It gave no secure link to the meeting.", call->provider->title);
	MODEL_FOREACH (&gaps, struct provider_zoom_gap, gap) {
		provider_warn(call->arena, link_r, gap->setting, gap->detail);
	}
	if (security->waiting_room && security->join_before_host)
		provider_warn(call->arena, link_r, "join_before_host",
			"Zoom's waiting room keeps everybody out until the host is there.");
	return ERR_OK;
}

/* Brings a meeting to the plan's title, times and settings, and reads it back. */
static enum err zoom_change(const struct provider_call *call, const struct provider_plan *plan,
	const char *id, struct json_object **meeting_r, struct err_info *info)
{
	struct rest_reply reply;
	enum err err = provider_zoom_send(call, REST_PATCH, zoom_path(call->arena, id, ""),
		provider_zoom_body(call, plan), provider_zoom_meeting_rules, &reply, info);

	return err == ERR_OK ? zoom_get(call, id, meeting_r, info) : err;
}

/* Takes the meeting that an earlier call made, and brings it to the plan; ERR_GONE when there is
 * none. Should there be more of them, nobody has ever seen their links. */
static enum err zoom_adopt(const struct provider_call *call, const struct provider_plan *plan,
	struct meeting_link *link_r, struct err_info *info)
{
	struct json_object *meeting;
	struct model_list ids = {0};
	enum err err = zoom_find(call, plan->provider_key, &ids, info), found = ERR_GONE;
	const char *id = NULL;
	size_t i;

	if (err != ERR_OK)
		return err;
	for (i = 0; i < ids.count && found == ERR_GONE; i++) {
		id = *MODEL_AT(&ids, const char *, i);
		found = zoom_get(call, id, &meeting, info);
	}
	if (found == ERR_OK && !provider_zoom_is_current(call, plan, meeting))
		found = zoom_change(call, plan, id, &meeting, info);
	if (found == ERR_OK)
		found = zoom_settle(call, plan, meeting, link_r, info);
	for (; i < ids.count && found == ERR_OK; i++)
		if (zoom_delete(call, *MODEL_AT(&ids, const char *, i), NULL) != ERR_OK)
			log_warning(
				"zoom: a second meeting of request %s lives on", plan->request_id);
	return found;
}

enum err provider_zoom_create(const struct provider_call *call, const struct provider_plan *plan,
	bool repeated, struct meeting_link *link_r, struct err_info *info)
{
	struct rest_reply reply;
	enum err err;

	if (repeated) {
		err = zoom_adopt(call, plan, link_r, info);
		/* Whether the earlier call made it is not known until the list has been read. */
		if (err == ERR_TEMPORARY) {
			err = ERR_OUTCOME_UNKNOWN;
			if (info)
				info->err = err;
		}
		if (err != ERR_GONE)
			return err;
	}
	err = provider_zoom_send(call, REST_POST,
		arena_printf(call->arena, "/users/%s/meetings", provider_zoom_host(call)),
		provider_zoom_body(call, plan), provider_zoom_create_rules, &reply, info);
	return err == ERR_OK ? zoom_settle(call, plan, reply.json, link_r, info) : err;
}

enum err provider_zoom_update(const struct provider_call *call, const struct provider_plan *plan,
	struct meeting_link *link_r, struct err_info *info)
{
	struct json_object *meeting;
	const char *id;
	enum err err = zoom_made_id(call, plan, &id, info);

	if (err == ERR_OK)
		err = zoom_change(call, plan, id, &meeting, info);
	return err == ERR_OK ? zoom_settle(call, plan, meeting, link_r, info) : err;
}

enum err provider_zoom_remove(const struct provider_call *call,
	const struct provider_target *target, struct err_info *info)
{
	struct model_list ids = {0};
	enum err err = zoom_check_account(call, target->account, info);

	if (err == ERR_OK && target->external_id)
		return zoom_delete(call, target->external_id, info);
	if (err == ERR_OK)
		err = zoom_find(call, target->provider_key, &ids, info);
	MODEL_FOREACH (&ids, const char *, id) {
		if (err == ERR_OK)
			err = zoom_delete(call, *id, info);
	}
	return err;
}

static bool zoom_was_warned(
	struct arena *arena, const struct provider_plan *plan, const struct provider_zoom_gap *gap)
{
	const char *detail = arena_printf(arena, "%s: %s", gap->setting, gap->detail);

	MODEL_FOREACH (&plan->warnings, struct warning, warning) {
		if (strcmp(warning->detail, detail) == 0)
			return true;
	}
	return false;
}

enum err provider_zoom_read(const struct provider_call *call, const struct provider_plan *plan,
	struct provider_state *state_r, struct err_info *info)
{
	struct json_object *meeting;
	struct model_list gaps = {0};
	enum err err = zoom_get_made(call, plan, &meeting, info);

	if (err != ERR_OK)
		return err;
	provider_zoom_times(call->arena, meeting, &state_r->starts_at, &state_r->ends_at);
	provider_zoom_compare(call, plan, meeting, &gaps);
	/* What Zoom never granted has not drifted, and is not to be asked for again and again. */
	MODEL_FOREACH (&gaps, struct provider_zoom_gap, gap) {
		if (!gap->unsaid && !zoom_was_warned(call->arena, plan, gap))
			*(const char **)model_list_add(
				call->arena, &state_r->drift, sizeof(gap->setting)) = gap->setting;
	}
	return ERR_OK;
}

enum err provider_zoom_host_url(const struct provider_call *call, const struct provider_plan *plan,
	const char **url_r, struct err_info *info)
{
	struct json_object *meeting;
	enum err err = zoom_get_made(call, plan, &meeting, info);

	if (err != ERR_OK)
		return err;
	*url_r = provider_zoom_link(call->arena, meeting, "start_url");
	if (!*url_r)
		return err_set(info, ERR_PERMANENT, "%s: It gave no secure link for the host.",
			call->provider->title);
	return ERR_OK;
}
