/*
 * Holds the names that templates may hold against the values that they are given: both pass through
 * here, in place of the functions of src/tmpl and of those that would ask a database or a server.
 */
#include <fnmatch.h>
#include <json-c/json.h>

#include "core_unit.h"
#include "dispatch_private.h"
#include "handler_private.h"
#include "ics_feed.h"
#include "ics_invite.h"
#include "ics_when.h"
#include "incident.h"
#include "proposal.h"
#include "told.h"
#include "unit_templates.h"

/* Pattern -> declared name -> whether a template was given it. */
static struct json_object *declared;

enum err tmpl_check_names(const struct tmpl_set *set, const char *pattern,
	const char *const *const *names, struct err_info *info)
{
	struct json_object *known = json_object_new_object();
	const char *const *name;

	(void)set;
	(void)info;
	for (; *names; names++)
		for (name = *names; *name; name++) {
			UNIT_CHECK(!json_object_object_get(known, *name), *name);
			json_object_object_add(known, *name, json_object_new_boolean(false));
		}
	json_object_object_add(declared, pattern, known);
	return ERR_OK;
}

static void give(struct json_object *known, const char *name, struct json_object *value)
{
	char inner[128];
	size_t i;

	if (json_object_is_type(value, json_type_object)) {
		json_object_object_foreach(value, key, member)
		{
			snprintf(inner, sizeof(inner), "%s%s%s", name, *name ? "." : "", key);
			give(known, inner, member);
		}
	} else if (json_object_is_type(value, json_type_array)) {
		for (i = 0; i < json_object_array_length(value); i++)
			give(known, name, json_object_array_get_idx(value, i));
	} else if (*name) {
		UNIT_CHECK(json_object_object_get(known, name), name);
		json_object_object_add(known, name, json_object_new_boolean(true));
	}
}

enum err tmpl_render(const struct tmpl_set *set, const char *name, struct json_object *values,
	struct buf *out, struct err_info *info)
{
	bool checked = false;

	(void)info;
	CU_ASSERT(tmpl_set_has(set, name));
	json_object_object_foreach(declared, pattern, known)
	{
		if (fnmatch(pattern, name, FNM_PATHNAME) == 0) {
			checked = true;
			give(known, "", values);
		}
	}
	UNIT_CHECK(checked, name);
	buf_add_text(out, "x");
	return ERR_OK;
}

void mail_transport_hurry(struct mail_transport *transport, long most_s)
{
	(void)transport;
	(void)most_s;
}

enum err mail_transport_deliver(struct mail_transport *transport, const char *message_id,
	const char *from, const char *to, const char *bytes, size_t len, struct err_info *info)
{
	(void)transport;
	(void)message_id;
	(void)from;
	(void)to;
	(void)bytes;
	(void)len;
	(void)info;
	return ERR_OK;
}

static struct service_gate gate;

enum err service_gate_open(const struct service *service, const struct service_call *call,
	const char *token, bool entering, struct service_gate *gate_r, struct err_info *info)
{
	(void)service;
	(void)call;
	(void)token;
	(void)entering;
	(void)info;
	*gate_r = gate;
	return ERR_OK;
}

static struct service_page opened;

enum err service_page_open(const struct service *service, const struct service_call *call,
	const char *token, struct service_page *page_r, struct err_info *info)
{
	(void)service;
	(void)call;
	(void)token;
	(void)info;
	*page_r = opened;
	return ERR_OK;
}

static enum err refused;

enum err service_page_act(const struct service *service, const struct service_call *call,
	const struct service_page *page, enum command command, void *input, struct err_info *info)
{
	(void)service;
	(void)call;
	(void)page;
	(void)command;
	(void)input;
	return err_set(info, refused, "words");
}

const struct handler_context *handler_context(const struct http_exchange *exchange)
{
	return exchange->app;
}

struct service_call handler_call(const struct http_exchange *exchange)
{
	return (struct service_call){.arena = exchange->arena, .now = exchange->now};
}

#define START (1792843200 * INSTANT_SECOND) /* 2026-10-24T12:00:00Z */

/* A request that has all there is to say of one: over midnight and a clock change, moved, at
 * another provider than the one that was asked for. */
static struct person people[] = {{.id = "c", .name = "Ada Client", .email = "ada@client.test"},
	{.id = "l", .name = "Bo Lawyer", .email = "bo@lawyer.test"}};
static struct actor lawyer = {.id = "l", .role = ROLE_LAWYER};
static struct audit_event cancellations[] = {
	{.action = "meeting.cancelled", .at = CORE_NOW, .actor = &lawyer},
	{.action = "request.cancelled", .at = CORE_NOW, .actor = &lawyer}};
static struct failure failure = {.code = "temporary", .detail = "It is away."};
static struct person_news news = {.invited = true,
	.starts_at = START - INSTANT_DAY,
	.ends_at = START - INSTANT_HOUR,
	.generation = 1,
	.timezone = "Asia/Tokyo",
	.provider = "google_meet",
	.facts = "zone=0 passcode=0 "};
/* The other one has been told all that is so, but by a clock of other rules. */
static int64_t offsets[] = {0, 0};
static struct person_news misread = {.invited = true,
	.starts_at = START,
	.ends_at = START + INSTANT_DAY,
	.generation = 2,
	.timezone = "Europe/Berlin",
	.provider = "zoom",
	.offsets = {.items = offsets, .count = 2}};
static struct asked asked = {START - INSTANT_HOUR, 60, "Asia/Tokyo"};
static const char *numbers[] = {"+49 30 1234, PIN 7"};
static struct attendance attendance;
static struct meeting meeting = {
	.attendance = &attendance,
	.id = CORE_ID,
	.generation = 2,
	.status = MEETING_READY,
	.provider = "zoom",
	.requested_provider = "google_meet",
	.passcode = "4711",
	.dial_in = {.items = numbers, .count = 1},
	.starts_at = START,
	.ends_at = START + INSTANT_DAY,
	.opens_at = START - INSTANT_HOUR,
	.last_error = &failure,
	.change_reason = "The court moved.",
	.ended_reason = "Ill.",
	.ended_at = CORE_NOW,
};
static struct request request = {
	.id = CORE_ID,
	.title = "Lease",
	.description = "The deposit.",
	.asked = &asked,
	.message = "See you there.",
	.side = {{&people[PARTY_CLIENT], &news}, {&people[PARTY_LAWYER], &misread}},
	.starts_at = START,
	.ends_at = START + INSTANT_DAY,
	.duration_minutes = 24 * 60,
	.timezone = "Europe/Berlin",
	.meeting = &meeting,
	.events = {.items = cancellations, .count = 2},
	.created_at = CORE_NOW,
};

static void give_mail(const struct dispatch *dispatch, int kind, enum party party, int64_t now)
{
	struct arena *arena = arena_new();
	struct mail mail = {.party = (int)party,
		.attendance = "declined",
		.proposed_at = START,
		.proposed_until = START + INSTANT_HOUR,
		.words = "I am ill."};
	const struct effect effect = {.id = CORE_ID,
		.kind = kind,
		.mail = &mail,
		.generation = 2,
		.created_at = CORE_NOW};
	struct request without = request;
	const struct dispatch_letter letter = {
		.request = effect_row(&effect)->without_meeting ? &without : &request,
		.effect = &effect,
		.config = &core_config,
		.now = now};
	struct mail_message message;
	struct buf out;

	without.meeting = NULL;
	buf_init(&out, MAIL_MAX_MESSAGE);
	/* It fails as soon as the calendar has been asked for, which is "x". */
	dispatch_mail_compose(dispatch, arena, &letter, &message, &out, NULL);
	buf_fini(&out);
	arena_free(&arena);
}

static void give_alert(
	const struct dispatch *dispatch, const char *target, int kind, bool over, bool well)
{
	const struct incident incident = {
		.id = target, .kind = kind, .detail = "It is away.", .well_at = well ? START : 0};
	const struct incident_mail mail = {.address = "ops@meetings.test", .over = over};
	struct arena *arena = arena_new();
	struct mail_message message;
	struct buf out;

	buf_init(&out, MAIL_MAX_MESSAGE);
	CU_ASSERT_EQUAL(dispatch_alert_compose(
				dispatch, arena, &incident, &mail, "en", &message, &out, NULL),
		ERR_OK);
	buf_fini(&out);
	arena_free(&arena);
}

static void give_mails(const struct tmpl_set *templates)
{
	static const int64_t left[] = {3 * INSTANT_DAY, 5 * INSTANT_HOUR, 9 * INSTANT_MINUTE, 0};
	static const char *const targets[] = {"zoom", "mail", "local"};
	static char url[] = "https://meetings.test", request_url[] = "https://own.test/{id}/view";
	static char replies[] = "meetings+{}@meetings.test";
	const struct conf conf = {.public_url = url,
		.public_request_url = request_url,
		.mail_reply_address = replies};
	struct secret_ring *ring = core_ring(CORE_KEY_1);
	const struct dispatch dispatch = {.conf = &conf,
		.ring = ring,
		.templates = templates,
		.mail_from = {.name = "Meetings", .email = "meetings@meetings.test"}};
	size_t i;
	int kind;

	for (kind = 0; kind < EFFECT_KIND_COUNT; kind++)
		for (i = 0; i < 2 * sizeof(left) / sizeof(left[0]); i++)
			if (effect_table[kind].lane == LANE_PERSON && !effect_table[kind].written)
				give_mail(
					&dispatch, kind, (enum party)(i % 2), START - left[i / 2]);
	for (kind = INCIDENT_CREDENTIALS; kind <= INCIDENT_OVERDUE; kind++)
		for (i = 0; i < 3 * sizeof(targets) / sizeof(targets[0]); i++)
			give_alert(&dispatch, targets[i / 3], kind, i % 3, i % 3 == 2);
	for (i = 0; i < 2; i++)
		give_alert(&dispatch, INCIDENT_EXPIRY_OF "teams", INCIDENT_EXPIRING, i, i);
	secret_ring_free(&ring);
}

static void give_page(const struct tmpl_set *templates, enum gate state, const struct actor *actor)
{
	/* A program is shown a page in every state, and a person in all but one. */
	const char *const environment[] = {"REQUEST_METHOD=GET", "REQUEST_URI=/join/x",
		state == GATE_OPEN
			? "HTTP_USER_AGENT=curl"
			: "HTTP_USER_AGENT=Mozilla/5.0 (X11) Gecko/20100101 Firefox/128.0",
		NULL};
	struct handler_context context = {.templates = templates};
	struct arena *arena = arena_new();
	struct http_exchange exchange;
	struct err_info info = {0};

	gate = (struct service_gate){
		.state = state, .current = true, .request = &request, .canceller = actor};
	http_exchange_init(&exchange, arena, environment, CORE_NOW);
	exchange.app = &context;
	CU_ASSERT_EQUAL(handler_gate_enter(&exchange, &info), ERR_OK);
	CU_ASSERT_EQUAL(exchange.reply_len, 1);
	arena_free(&arena);
}

static void give_error_page(const struct tmpl_set *templates, enum err err)
{
	static const char *const environment[] = {
		"REQUEST_METHOD=GET", "REQUEST_URI=/join/x", NULL};
	struct handler_context context = {.templates = templates};
	struct arena *arena = arena_new();
	struct http_exchange exchange;
	struct err_info info = {.err = err};

	http_exchange_init(&exchange, arena, environment, CORE_NOW);
	exchange.app = &context;
	CU_ASSERT_EQUAL(handler_error_page(&exchange, &info), ERR_OK);
	CU_ASSERT_EQUAL(exchange.status, err_status(err));
	arena_free(&arena);
}

#define PAGE_TOKEN "token"

/* A person's page, or what becomes of a form on it. */
static void give_own_page(const struct tmpl_set *templates, const struct service_page *page,
	int64_t now, const char *query, const char *body)
{
	static char url[] = "https://meetings.test", nowhere[] = "";
	const struct conf conf = {.public_url = url, .public_request_url = nowhere};
	struct arena *arena = arena_new();
	const char *const environment[] = {body ? "REQUEST_METHOD=POST" : "REQUEST_METHOD=GET",
		"REQUEST_URI=/m/" PAGE_TOKEN, "CONTENT_TYPE=application/x-www-form-urlencoded",
		"HTTP_USER_AGENT=Mozilla/5.0 (X11) Gecko/20100101 Firefox/128.0",
		arena_concat(arena, "QUERY_STRING=", query, NULL), NULL};
	struct secret_ring *ring = core_ring(CORE_KEY_1);
	struct handler_context context = {
		.templates = templates, .service = {.ring = ring, .conf = &conf}};
	char form[GATE_FORM_SIZE];
	struct http_exchange exchange;
	struct err_info info = {0};

	opened = *page;
	http_exchange_init(&exchange, arena, environment, now);
	exchange.app = &context;
	exchange.params[0] = PAGE_TOKEN;
	gate_form_token(ring, PAGE_TOKEN, now, form);
	if (body) {
		exchange.body = arena_concat(arena, body, form, NULL);
		exchange.body_len = strlen(exchange.body);
	}
	CU_ASSERT_EQUAL((body ? handler_page_post : handler_page_get)(&exchange, &info), ERR_OK);
	CU_ASSERT_EQUAL(exchange.reply_len, 1);
	arena_free(&arena);
	secret_ring_free(&ring);
}

static void give_own_pages(const struct tmpl_set *templates)
{
	static const struct {
		int status, meeting_status; /* -1: it has none */
		enum party party;
		int64_t before; /* the start */
		const char *query;
		int proposal; /* -1: none */
	} rows[] = {
		{REQUEST_OPEN, -1, PARTY_CLIENT, 3 * INSTANT_DAY, "", -1},
		{REQUEST_OPEN, -1, PARTY_LAWYER, 3 * INSTANT_DAY, "accept", -1},
		{REQUEST_OPEN, -1, PARTY_LAWYER, 3 * INSTANT_DAY, "decline", -1},
		{REQUEST_DECLINED, -1, PARTY_CLIENT, 5 * INSTANT_HOUR, "", -1},
		{REQUEST_LAPSED, -1, PARTY_CLIENT, 0, "", -1},
		{REQUEST_CANCELLED, MEETING_CANCELLED, PARTY_CLIENT, INSTANT_HOUR, "", -1},
		{REQUEST_ACCEPTED, MEETING_CANCELLED, PARTY_LAWYER, INSTANT_HOUR, "renew", -1},
		{REQUEST_ACCEPTED, MEETING_PENDING, PARTY_CLIENT, 5 * INSTANT_HOUR, "cancel", -1},
		{REQUEST_ACCEPTED, MEETING_FAILED, PARTY_CLIENT, 5 * INSTANT_HOUR, "propose", -1},
		{REQUEST_ACCEPTED, MEETING_READY, PARTY_CLIENT, 5 * INSTANT_HOUR, "withdraw",
			PROPOSAL_OPEN},
		{REQUEST_ACCEPTED, MEETING_READY, PARTY_CLIENT, INSTANT_MINUTE, "",
			PROPOSAL_DECLINED},
		{REQUEST_ACCEPTED, MEETING_READY, PARTY_LAWYER, 9 * INSTANT_MINUTE, "take",
			PROPOSAL_OPEN},
		{REQUEST_ACCEPTED, MEETING_READY, PARTY_LAWYER, 9 * INSTANT_MINUTE, "refuse",
			PROPOSAL_OPEN},
		{REQUEST_ACCEPTED, MEETING_READY, PARTY_LAWYER, 9 * INSTANT_MINUTE, "move", -1},
		{REQUEST_ACCEPTED, MEETING_READY, PARTY_LAWYER, -INSTANT_HOUR, "held", -1},
		{REQUEST_ACCEPTED, MEETING_READY, PARTY_LAWYER, -INSTANT_HOUR, "client_no_show",
			-1},
		{REQUEST_ACCEPTED, MEETING_READY, PARTY_LAWYER, -INSTANT_HOUR, "lawyer_no_show",
			-1},
		{REQUEST_COMPLETED, MEETING_EXPIRED, PARTY_LAWYER, -2 * INSTANT_DAY, "", -1},
	};
	static const enum err errors[] = {ERR_INVALID, ERR_TOO_LATE, ERR_TOO_MANY_CHANGES,
		ERR_OVERLAPS, ERR_FORBIDDEN, ERR_BUSY, ERR_MEETING_OVER};
	struct person client = people[PARTY_CLIENT], bo = people[PARTY_LAWYER];
	struct meeting own = meeting;
	struct request shown = request;
	struct proposal proposal = {.starts_at = START + 2 * INSTANT_HOUR,
		.duration_minutes = 60,
		.message = "I am in court.",
		.answer = "I am away."};
	struct service_page page = {.request = &shown, .canceller = &lawyer, .acts = true};
	size_t i;

	bo.timezone = "Asia/Tokyo";
	shown.side[PARTY_CLIENT].person = &client;
	shown.side[PARTY_LAWYER].person = &bo;
	own.expires_at = START + 2 * INSTANT_DAY;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		page.party = rows[i].party;
		shown.status = rows[i].status;
		shown.meeting = rows[i].meeting_status < 0 ? NULL : &own;
		own.status = rows[i].meeting_status;
		/* Of the client, that is too late. */
		own.changes_until = rows[i].before == INSTANT_MINUTE ? CORE_NOW : 0;
		/* Noted already, as it would be by that form. */
		own.outcome = rows[i].before == -INSTANT_HOUR ? rows[i].query : NULL;
		proposal.status = rows[i].proposal;
		shown.proposal = rows[i].proposal < 0 ? NULL : &proposal;
		give_own_page(templates, &page, START - rows[i].before, "", NULL);
		give_own_page(templates, &page, START - rows[i].before, rows[i].query, NULL);
	}
	shown.status = REQUEST_ACCEPTED;
	own.status = MEETING_READY;
	page.party = PARTY_CLIENT;
	for (i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		refused = errors[i];
		give_own_page(
			templates, &page, START - INSTANT_DAY, "cancel", "words=I+am+ill.&form=");
	}
	give_own_page(templates, &page, START - INSTANT_DAY, "cancel", "form=x");
	give_own_page(templates, &page, START - INSTANT_DAY, "cancel", "words=%01&form=");
	give_own_page(templates, &page, START - INSTANT_DAY, "propose", "when=soon&form=");
}

/* Every day of the week, and every month. */
static void give_dates(const struct tmpl_set *templates)
{
	struct arena *arena = arena_new();
	int day;

	for (day = 0; day < 400; day += 5)
		CU_ASSERT_PTR_NOT_NULL(ics_when_instant(templates, arena, &request,
			request.side[PARTY_CLIENT].person, CORE_START + day * INSTANT_DAY));
	arena_free(&arena);
}

/* What comes out is no calendar: of that no template is asked here. */
static void give_feed(const struct tmpl_set *templates)
{
	struct buf out;

	buf_init(&out, 1024);
	CU_ASSERT_EQUAL(ics_feed_begin(templates, "de", &out, NULL), ERR_INTERNAL);
	buf_fini(&out);
}

/* What the values of an invitation say of the meeting, by the fact whose change is news (told.h);
 * TOLD_FACTS: it is the same for one person and meeting, whatever happens. A new value needs a row
 * here, and one that can change needs a fact. */
static const struct {
	const char *name;
	enum told_fact fact;
} facts[] = {
	{"recipient.name", TOLD_PEOPLE},
	{"recipient.email", TOLD_PEOPLE},
	{"recipient.is_client", TOLD_FACTS},
	{"recipient.is_lawyer", TOLD_FACTS},
	{"other.name", TOLD_PEOPLE},
	{"title", TOLD_TITLE},
	{"description", TOLD_DESCRIPTION},
	{"message", TOLD_MESSAGE},
	{"product_name", TOLD_FACTS},
	{"locale", TOLD_FACTS},
	{"page_url", TOLD_FACTS},
	{"provider_title", TOLD_PROVIDER},
	{"failover", TOLD_PROVIDER},
	{"requested_provider_title", TOLD_PROVIDER},
	{"passcode", TOLD_PASSCODE},
	{"dial_in.numbers", TOLD_DIAL_IN},
	{"reason", TOLD_FACTS}, /* of an end */
	{"direct", TOLD_LINK},
	{"join_url", TOLD_LINK},
	{"calendar_url", TOLD_LINK},
	{"opens_minutes_before", TOLD_OPENS},
	{"opens_one_minute_before", TOLD_OPENS},
	{"asked.when", TOLD_FACTS},
	{"asked.duration_minutes", TOLD_FACTS},
	{"date", TOLD_WHEN},
	{"end_date", TOLD_WHEN},
	{"start_time", TOLD_WHEN},
	{"end_time", TOLD_WHEN},
	{"zone", TOLD_ZONE},
	{"zone_abbreviation", TOLD_ZONE},
	{"end_zone_abbreviation", TOLD_ZONE},
	{"utc_start", TOLD_WHEN},
	{"duration_minutes", TOLD_WHEN},
};

static void check_facts(struct json_object *known)
{
	size_t i;

	json_object_object_foreach(known, name, given)
	{
		(void)given;
		for (i = 0; i < sizeof(facts) / sizeof(facts[0]); i++)
			if (strcmp(facts[i].name, name) == 0)
				break;
		if (i == sizeof(facts) / sizeof(facts[0]))
			fprintf(stderr, "is a change of %s news? see core/told.h\n", name);
		UNIT_CHECK(i < sizeof(facts) / sizeof(facts[0]), name);
	}
}

static void test_names(void)
{
	struct tmpl_set *templates = unit_templates();
	int state;

	declared = json_object_new_object();
	CU_ASSERT_EQUAL(ics_check_templates(templates, NULL), ERR_OK);
	CU_ASSERT_EQUAL(handler_check_templates(templates, NULL), ERR_OK);
	CU_ASSERT_EQUAL(dispatch_check_templates(templates, NULL), ERR_OK);
	give_dates(templates);
	give_mails(templates);
	for (state = GATE_OPEN; state <= GATE_RENEWING; state++)
		give_page(templates, (enum gate)state, &lawyer);
	give_own_pages(templates);
	give_error_page(templates, ERR_NOT_FOUND);
	give_error_page(templates, ERR_METHOD_NOT_ALLOWED);
	give_error_page(templates, ERR_UNAVAILABLE);
	give_feed(templates);
	check_facts(json_object_object_get(declared, "mail/en/meeting_ready.txt"));
	json_object_object_foreach(declared, pattern, known)
	{
		json_object_object_foreach(known, name, given)
		{
			if (!json_object_get_boolean(given))
				fprintf(stderr, "%s is never given %s\n", pattern, name);
			UNIT_CHECK(json_object_get_boolean(given), name);
		}
	}
	json_object_put(declared);
	tmpl_set_free(&templates);
}

static const struct unit_case cases[] = {
	{"declared is what is given", test_names},
};

UNIT_MAIN("template_names", cases)
