/* What a person's page says. */
#include <inttypes.h>
#include <json-c/json.h>
#include <string.h>

#include "calendar_link.h"
#include "handler_page.h"
#include "handler_private.h"
#include "ics_invite.h"
#include "ics_when.h"
#include "instant.h"
#include "proposal.h"
#include "provider.h"

/* How long a page stays as it is; its forms are good for an hour. */
enum {
	PAGE_AGAIN_S = 600,
	PAGE_AGAIN_NEAR_S = 60,
	PAGE_AGAIN_PENDING_S = 15,
};

enum page_state {
	PAGE_WAITING, /* nobody has answered yet */
	PAGE_DECLINED,
	PAGE_LAPSED,
	PAGE_CANCELLED,
	PAGE_OFF, /* the meeting is cancelled, the request is not */
	PAGE_OVER,
	PAGE_PENDING,
	PAGE_FAILED,
	PAGE_EARLY,
	PAGE_OPEN,
	PAGE_STATES
};

static const char *const page_names[] = {"state.waiting", "state.declined", "state.lapsed",
	"state.cancelled", "state.off", "state.over", "state.pending", "state.failed",
	"state.early", "state.open", "title", "description", "message", "other.name", "other.when",
	"is_client", "is_lawyer", "opens_at", "join_url", "provider_title", "passcode",
	"dial_in.numbers", "reason", "cancelled_by.recipient", "cancelled_by.other",
	"cancelled_by.administration", "calendar.file", "calendar.google", "calendar.outlook",
	"calendar.office365", "calendar.yahoo", "proposal.open", "proposal.declined",
	"proposal.when", "proposal.duration_minutes", "proposal.message", "proposal.answer",
	"may.accept", "may.decline", "may.cancel", "may.move", "may.renew", "may.propose",
	"may.withdraw", "may.take", "may.refuse", "may.held", "may.client_no_show",
	"may.lawyer_no_show", "noted.held", "noted.client_no_show", "noted.lawyer_no_show",
	"too_near", "form.token", "form.shown", "form.words", "form.when", "form.minutes",
	"form.zone", "form.accept", "form.decline", "form.cancel", "form.move", "form.renew",
	"form.propose", "form.withdraw", "form.take", "form.refuse", "form.held",
	"form.client_no_show", "form.lawyer_no_show", "wrong.expired", "wrong.time", "wrong.words",
	"wrong.late", "wrong.overlaps", "wrong.often", "wrong.elsewhere", "wrong.busy",
	"wrong.changed", "nonce", NULL};

enum err handler_page_check_templates(const struct tmpl_set *templates, struct err_info *info)
{
	static const char *const *const names[] = {
		page_names, ics_when_names, ics_when_left_names, NULL};

	return ics_when_check(templates, "pages", PAGE_FILE, names, info);
}

static enum page_state page_state_of_meeting(const struct request *request, int64_t now)
{
	const enum gate gate = gate_state(request, request->meeting->generation, now);

	if (gate == GATE_CANCELLED)
		return PAGE_OFF;
	/* Who talks for longer may still come back in. */
	if (gate == GATE_OPEN)
		return PAGE_OPEN;
	if (gate == GATE_OVER || now >= request->ends_at)
		return PAGE_OVER;
	if (gate == GATE_EARLY)
		return PAGE_EARLY;
	return gate == GATE_FAILED ? PAGE_FAILED : PAGE_PENDING;
}

static enum page_state page_state(const struct page *page)
{
	const struct request *request = page->opened.request;

	switch ((enum request_status)request->status) {
	case REQUEST_OPEN:
		return page->exchange->now < request->starts_at ? PAGE_WAITING : PAGE_LAPSED;
	case REQUEST_DECLINED:
		return PAGE_DECLINED;
	case REQUEST_LAPSED:
		return PAGE_LAPSED;
	case REQUEST_CANCELLED:
		return PAGE_CANCELLED;
	case REQUEST_COMPLETED:
		return PAGE_OVER;
	case REQUEST_ACCEPTED:
		break;
	}
	return page_state_of_meeting(request, page->exchange->now);
}

static struct json_object *page_add_object(struct json_object *values, const char *name)
{
	struct json_object *object = json_object_new_object();

	json_object_object_add(values, name, object);
	return object;
}

static const char *page_gate_url(const struct page *page, enum gate_purpose purpose)
{
	const struct service *service = &handler_context(page->exchange)->service;

	return gate_url(page->exchange->arena, service->ring, purpose, service->conf->public_url,
		page->opened.request, page->opened.party);
}

/* How to get in, for a person: as mails have it. A link of the provider's own is there whenever
 * there is one; the gate's, once the door is open. */
static void page_add_way_in(
	const struct page *page, enum page_state state, struct json_object *values)
{
	const struct request *request = page->opened.request;
	const struct meeting *meeting = request->meeting;
	const struct provider *provider = provider_find(meeting->provider);
	struct json_object *calendar = page_add_object(values, "calendar");
	const char *join_url = page_gate_url(page, GATE_JOIN);
	const struct calendar_links *links;

	handler_add_text(values, "provider_title", provider ? provider->title : meeting->provider);
	handler_add_text(calendar, "file", page_gate_url(page, GATE_CALENDAR));
	if (state != PAGE_EARLY && state != PAGE_OPEN)
		return;
	handler_add_text(values, "passcode", meeting->passcode);
	ics_invite_add_dial_in(meeting, values);
	if (state == PAGE_OPEN || meeting->direct_url)
		handler_add_text(values, "join_url", join_url);
	links = calendar_links(page->exchange->arena, request, page->opened.party, join_url);
	handler_add_text(calendar, "google", links->google);
	handler_add_text(calendar, "outlook", links->outlook);
	handler_add_text(calendar, "office365", links->office365);
	handler_add_text(calendar, "yahoo", links->yahoo);
}

static const char *page_instant(const struct page *page, int64_t instant)
{
	return ics_when_instant(handler_context(page->exchange)->templates, page->exchange->arena,
		page->opened.request, &page->reader, instant);
}

static void page_add_proposal(const struct page *page, struct json_object *values)
{
	const struct proposal *proposal = proposal_now(page->opened.request, page->exchange->now);
	struct json_object *object;

	if (!proposal)
		return;
	object = page_add_object(values, "proposal");
	handler_add_flag(object, "open", proposal->status == PROPOSAL_OPEN);
	handler_add_flag(object, "declined", proposal->status == PROPOSAL_DECLINED);
	handler_add_text(object, "when", page_instant(page, proposal->starts_at));
	json_object_object_add(
		object, "duration_minutes", json_object_new_int64(proposal->duration_minutes));
	handler_add_text(object, "message", proposal->message);
	handler_add_text(object, "answer", proposal->answer);
}

/* The start on the other person's wall clock, where that is another one. */
static void page_add_other(const struct page *page, struct json_object *values)
{
	const struct request *request = page->opened.request;
	const struct person *person = request->side[!page->opened.party].person;
	struct json_object *other = page_add_object(values, "other");
	struct person there = page->reader;
	const char *theirs, *ours;

	handler_add_text(other, "name", person->name);
	there.timezone = person->timezone;
	theirs = ics_when_field(page->exchange->arena, request, &there, request->starts_at);
	ours = ics_when_field(page->exchange->arena, request, &page->reader, request->starts_at);
	if (theirs && ours && strcmp(theirs, ours) != 0)
		handler_add_text(other, "when",
			ics_when_instant(handler_context(page->exchange)->templates,
				page->exchange->arena, request, &there, request->starts_at));
}

static void page_add_acts(const struct page *page, struct json_object *values)
{
	struct json_object *may = page_add_object(values, "may");
	const struct page_act *act;

	for (act = handler_page_acts; act < handler_page_acts + handler_page_act_count; act++) {
		handler_add_flag(may, act->name, handler_page_may(page, act));
		if (act->command == COMMAND_CANCEL)
			handler_add_flag(values, "too_near",
				handler_page_check_act(page, act) == ERR_TOO_LATE);
	}
}

/* Who tries again does so under the same key, so that what was done after all is done once. */
static void page_add_token(
	const struct page *page, const struct page_form *typed, struct json_object *form)
{
	const struct secret_ring *ring = handler_context(page->exchange)->service.ring;
	const int64_t now = page->exchange->now;
	char token[GATE_FORM_SIZE];

	if (typed && gate_form_valid(ring, page->token, typed->token, now)) {
		handler_add_text(form, "token", typed->token);
		return;
	}
	gate_form_token(ring, page->token, now, token);
	handler_add_text(form, "token", token);
}

/* Of what was typed, that; else what the meeting has. */
static void page_add_form(const struct page *page, const struct page_act *act,
	const struct page_form *typed, struct json_object *values)
{
	const struct request *request = page->opened.request;
	struct arena *arena = page->exchange->arena;
	struct json_object *form = page_add_object(values, "form");

	page_add_token(page, typed, form);
	if (!act)
		return;
	handler_add_flag(form, "shown", true);
	handler_add_flag(form, act->name, true);
	handler_add_text(form, "words", typed ? typed->words : NULL);
	handler_add_text(
		form, "zone", page->reader.timezone ? page->reader.timezone : request->timezone);
	handler_add_text(form, "when",
		typed && typed->when
			? typed->when
			: ics_when_field(arena, request, &page->reader, request->starts_at));
	handler_add_text(form, "minutes",
		typed && typed->minutes
			? typed->minutes
			: arena_printf(arena, "%" PRId64, request->duration_minutes));
}

static enum err page_values(const struct page *page, enum page_state state,
	struct json_object *values, struct err_info *info)
{
	static const char *const states[PAGE_STATES] = {"waiting", "declined", "lapsed",
		"cancelled", "off", "over", "pending", "failed", "early", "open"};
	const struct request *request = page->opened.request;
	const struct meeting *meeting = request->meeting;

	handler_add_flag(page_add_object(values, "state"), states[state], true);
	handler_add_flag(values, "is_client", page->opened.party == PARTY_CLIENT);
	handler_add_flag(values, "is_lawyer", page->opened.party == PARTY_LAWYER);
	handler_add_text(values, "title", request->title);
	handler_add_text(values, "description", request->description);
	handler_add_text(values, "message", request->message);
	page_add_other(page, values);
	page_add_proposal(page, values);
	page_add_acts(page, values);
	ics_invite_add_canceller(page->opened.canceller, page->opened.party, values);
	if (meeting && meeting->outcome && page->opened.party == PARTY_LAWYER)
		handler_add_flag(page_add_object(values, "noted"), meeting->outcome, true);
	if (meeting && (state == PAGE_CANCELLED || state == PAGE_OFF))
		handler_add_text(values, "reason", meeting->ended_reason);
	if (state == PAGE_EARLY)
		handler_add_text(values, "opens_at", page_instant(page, meeting->opens_at));
	if (page->person && state >= PAGE_PENDING)
		page_add_way_in(page, state, values);
	if ((state == PAGE_WAITING || state >= PAGE_PENDING) &&
		page->exchange->now < request->starts_at)
		ics_when_add_time_left(request->starts_at - page->exchange->now, values);
	return ics_when_add(handler_context(page->exchange)->templates, page->exchange->arena,
		request, &page->reader, values, info);
}

/* When the page looks again by itself; 0: never. */
static int64_t page_again_s(const struct page *page, enum page_state state)
{
	const struct request *request = page->opened.request;
	const int64_t left = request->starts_at - page->exchange->now;
	int64_t again = left < 2 * INSTANT_HOUR ? PAGE_AGAIN_NEAR_S : PAGE_AGAIN_S;

	if (state == PAGE_PENDING)
		return PAGE_AGAIN_PENDING_S;
	if (state == PAGE_EARLY)
		again = instant_earlier(again,
			(request->meeting->opens_at - page->exchange->now) / INSTANT_SECOND + 1);
	return state == PAGE_WAITING || state >= PAGE_FAILED ? again : 0;
}

enum err handler_page_reply(const struct page *page, int status, const struct page_act *act,
	const struct page_form *typed, const char *wrong, struct err_info *info)
{
	struct json_object *values = json_object_new_object();
	const enum page_state state = page_state(page);
	enum err err;

	if (act && !handler_page_may(page, act))
		act = NULL;
	if (wrong)
		handler_add_flag(page_add_object(values, "wrong"), wrong, true);
	page_add_form(page, act, typed, values);
	err = page_values(page, state, values, info);
	if (err == ERR_OK)
		err = handler_reply_page(
			page->exchange, status, PAGE_FILE, page->reader.locale, values, info);
	if (err == ERR_OK && !act && !wrong && page->person)
		handler_set_refresh(page->exchange, page->token, page_again_s(page, state));
	json_object_put(values);
	return err;
}
