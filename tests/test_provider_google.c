#include <json-c/json.h>

#include "google_unit.h"
#include "json.h"

static struct json_object *parsed(struct fixture *fixture, const char *text)
{
	struct json_object *json = NULL;

	CU_ASSERT_EQUAL_FATAL(
		json_parse(fixture->arena, text, strlen(text), &json, &fixture->info), ERR_OK);
	return json;
}

/* Whether a body has that text at that path. */
static bool says(struct fixture *fixture, size_t i, const char *path, const char *text)
{
	const char *found =
		provider_json_text(fixture->arena, parsed(fixture, google.body[i]), path);

	return text ? found && strcmp(found, text) == 0 : !found;
}

/* ---- what Google says ---- */

#define WITH(status, etag, start, booking, rest)                                                   \
	"{\"kind\":\"calendar#event\",\"id\":\"" EVENT_ID "\",\"etag\":\"" etag                    \
	"\",\"status\":\"" status "\",\"start\":{\"dateTime\":\"" start                            \
	"\",\"timeZone\":\"Europe/Berlin\"},\"end\":{\"dateTime\":\"2027-03-02T15:00:00Z\"},"      \
	"\"extendedProperties\":{\"private\":{\"bookingId\":\"" booking                            \
	"\",\"meetlinkKey\":\"" KEY "\"}}" rest "}"
#define EVENT(rest) WITH("confirmed", "e1", "2027-03-02T15:00:00+01:00", "request-1", rest)
#define MAKING(code)                                                                               \
	",\"conferenceData\":{\"createRequest\":{\"requestId\":\"r\",\"status\":{\"statusCode\":"  \
	"\"" code "\"}}}"
#define ENTRIES(entries)                                                                           \
	",\"conferenceData\":{\"createRequest\":{\"status\":{\"statusCode\":\"success\"}},"        \
	"\"entryPoints\":[" entries "]}"
#define VIDEO     "{\"entryPointType\":\"video\",\"uri\":\"" LINK "\",\"label\":\"meet\"}"
#define READY     EVENT(ENTRIES(VIDEO))
#define PENDING   EVENT(MAKING("pending"))
#define FAILURE   EVENT(MAKING("failure"))
#define NO_LINK   EVENT("")
#define CANCELLED WITH("cancelled", "e2", "2027-03-02T14:00:00Z", "request-1", ENTRIES(VIDEO))
#define MOVED     WITH("confirmed", "e1", "2027-03-02T09:00:00Z", "request-1", ENTRIES(VIDEO))
#define FOREIGN   WITH("confirmed", "e1", "2027-03-02T14:00:00Z", "request-2", ENTRIES(VIDEO))

#define ERROR_OF(reason, message)                                                                  \
	"{\"error\":{\"errors\":[{\"domain\":\"global\",\"reason\":\"" reason                      \
	"\",\"message\":\"" message "\"}],\"code\":1,\"message\":\"" message "\"}}"
#define DUPLICATE ERROR_OF("duplicate", "The requested identifier already exists.")
#define NOT_FOUND ERROR_OF("notFound", "Not Found")
#define NO_MEET   ERROR_OF("invalid", "Invalid conference type value.")

#define EVENTS "/v3/calendars/primary/events"
#define WRITE  "?conferenceDataVersion=1&sendUpdates=none"
#define POST   "POST " EVENTS WRITE
#define GET    "GET " EVENTS "/" EVENT_ID
#define PATCH  "PATCH " EVENTS "/" EVENT_ID WRITE
#define DELETE "DELETE " EVENTS "/" EVENT_ID "?sendUpdates=none"

static void check_heard(const char *const *lines, const char *name)
{
	size_t i;

	for (i = 0; lines[i]; i++)
		UNIT_CHECK(i < google.heard && strcmp(google.line[i], lines[i]) == 0, name);
	UNIT_CHECK(google.heard == i, name);
}

static void test_create(void)
{
	static const struct {
		const char *name;
		bool repeated;
		enum err err;
		struct step steps[MAX_STEPS];
		const char *lines[MAX_STEPS];
		int64_t total_ms; /* 0: enough */
	} rows[] = {
		{"ready at once", false, ERR_OK, {{200, READY, 0}}, {POST}, 0},
		{"pending at first", false, ERR_OK, {{200, PENDING, 0}, {200, READY, 0}},
			{POST, GET}, 0},
		{"not yet visible", false, ERR_OK,
			{{200, PENDING, 0}, {404, NOT_FOUND, 0}, {200, READY, 0}}, {POST, GET, GET},
			0},
		{"pending for too long", false, ERR_STILL_PENDING,
			{{200, PENDING, 0}, {200, PENDING, 0}}, {POST, GET}, 1450},
		{"no answer while pending", false, ERR_OUTCOME_UNKNOWN,
			{{200, PENDING, 0}, {503, "<html>", 7}}, {POST, GET}, 0},
		{"rights lost while pending", false, ERR_OUTCOME_UNKNOWN,
			{{200, PENDING, 0}, {403, ERROR_OF("forbidden", ""), 0}}, {POST, GET}, 0},
		{"no time at all", false, ERR_TEMPORARY, {{200, READY, 0}}, {NULL}, -1},
		{"made by an earlier call", false, ERR_OK, {{409, DUPLICATE, 0}, {200, READY, 0}},
			{POST, GET}, 0},
		{"made by an earlier call, newer gateway", false, ERR_OK,
			{{409, "{\"error\":{\"code\":409,\"status\":\"ALREADY_EXISTS\"}}", 0},
				{200, READY, 0}},
			{POST, GET}, 0},
		{"made by an earlier call, pending", false, ERR_OK,
			{{409, DUPLICATE, 0}, {200, PENDING, 0}, {200, READY, 0}}, {POST, GET, GET},
			0},
		{"made, but not yet visible", false, ERR_OK,
			{{409, DUPLICATE, 0}, {404, NOT_FOUND, 0}, {200, READY, 0}},
			{POST, GET, GET}, 0},
		{"made, never visible", false, ERR_OUTCOME_UNKNOWN,
			{{409, DUPLICATE, 0}, {404, NOT_FOUND, 0}, {404, NOT_FOUND, 0}},
			{POST, GET, GET}, 1450},
		{"made, cannot be looked at", false, ERR_OUTCOME_UNKNOWN,
			{{409, DUPLICATE, 0}, {403, ERROR_OF("forbidden", ""), 0}}, {POST, GET}, 0},
		{"somebody else's", false, ERR_UNAVAILABLE,
			{{409, DUPLICATE, 0}, {200, FOREIGN, 0}}, {POST, GET}, 0},
		{"ours, deleted", false, ERR_OK,
			{{409, DUPLICATE, 0}, {200, CANCELLED, 0}, {200, READY, 0}},
			{POST, GET, PATCH}, 0},
		{"ours, deleted, pending again", false, ERR_OK,
			{{409, DUPLICATE, 0}, {200, CANCELLED, 0}, {200, PENDING, 0},
				{200, READY, 0}},
			{POST, GET, PATCH, GET}, 0},
		{"ours, deleted for good", false, ERR_UNAVAILABLE,
			{{409, DUPLICATE, 0}, {200, CANCELLED, 0}, {200, CANCELLED, 0},
				{410, "", 0}},
			{POST, GET, PATCH, DELETE}, 0},
		{"a conflict of another kind", false, ERR_TEMPORARY,
			{{409, ERROR_OF("conflict", ""), 0}}, {POST}, 0},

		{"repeated: there", true, ERR_OK, {{200, READY, 0}}, {GET}, 0},
		{"repeated: still pending", true, ERR_OK, {{200, PENDING, 0}, {200, READY, 0}},
			{GET, GET}, 0},
		{"repeated: not there", true, ERR_OK, {{404, NOT_FOUND, 0}, {200, READY, 0}},
			{GET, POST}, 0},
		{"repeated: moved in between", true, ERR_OK, {{200, MOVED, 0}, {200, READY, 0}},
			{GET, PATCH}, 0},
		{"repeated: moved in between, no answer", true, ERR_OUTCOME_UNKNOWN,
			{{200, MOVED, 0}, {500, "", 0}}, {GET, PATCH}, 0},
		{"repeated: no answer", true, ERR_TEMPORARY, {{503, "", 0}}, {GET}, 0},
		{"repeated: rights lost", true, ERR_CREDENTIAL, {{403, "", 0}}, {GET}, 0},

		{"failure, then ready", false, ERR_OK, {{200, FAILURE, 0}, {200, READY, 0}},
			{POST, PATCH}, 0},
		{"failure, then pending, then ready", false, ERR_OK,
			{{200, FAILURE, 0}, {200, PENDING, 0}, {200, READY, 0}}, {POST, PATCH, GET},
			0},
		{"failure twice", false, ERR_UNAVAILABLE,
			{{200, FAILURE, 0}, {200, FAILURE, 0}, {204, "", 0}}, {POST, PATCH, DELETE},
			0},
		{"failure twice, and it stays", false, ERR_OUTCOME_UNKNOWN,
			{{200, FAILURE, 0}, {200, FAILURE, 0}, {500, "", 0}}, {POST, PATCH, DELETE},
			0},
		{"no conference at all, twice", false, ERR_UNAVAILABLE,
			{{200, NO_LINK, 0}, {200, NO_LINK, 0}, {204, "", 0}}, {POST, PATCH, DELETE},
			0},
		{"failure, then refused", false, ERR_UNAVAILABLE,
			{{200, FAILURE, 0}, {400, NO_MEET, 0}, {204, "", 0}}, {POST, PATCH, DELETE},
			0},
		{"failure, then no answer", false, ERR_OUTCOME_UNKNOWN,
			{{200, FAILURE, 0}, {502, "<html>", 0}}, {POST, PATCH}, 0},
		{"links without https only", false, ERR_UNAVAILABLE,
			{{200,
				 EVENT(ENTRIES("{\"entryPointType\":\"video\",\"uri\":"
					       "\"http://meet.test/"
					       "a\"},{\"entryPointType\":\"video\",\"uri\":"
					       "7}") ",\"hangoutLink\":\"javascript:alert("
						     "1)\""),
				 0},
				{200,
					EVENT(ENTRIES("{\"entryPointType\":\"video\","
						      "\"uri\":\"https://a b\"}")),
					0},
				{204, "", 0}},
			{POST, PATCH, DELETE}, 0},

		{"cannot make Meet links", false, ERR_UNAVAILABLE, {{400, NO_MEET, 0}}, {POST}, 0},
		{"bad times", false, ERR_PERMANENT, {{400, ERROR_OF("timeRangeEmpty", ""), 0}},
			{POST}, 0},
		{"no such calendar", false, ERR_CREDENTIAL, {{404, NOT_FOUND, 0}}, {POST}, 0},
		{"broken", false, ERR_OUTCOME_UNKNOWN, {{500, ERROR_OF("backendError", ""), 0}},
			{POST}, 0},
		{"a gateway's page", false, ERR_OUTCOME_UNKNOWN, {{502, "<html>", 0}}, {POST}, 0},
		{"away, perhaps after it was done", false, ERR_OUTCOME_UNKNOWN, {{503, "", 0}},
			{POST}, 0},
		{"not an object", false, ERR_OUTCOME_UNKNOWN, {{200, "[]", 0}}, {POST}, 0},
		{"not an event", false, ERR_OUTCOME_UNKNOWN, {{200, "{\"id\":{}}", 0}}, {POST}, 0},
		{"not JSON", false, ERR_OUTCOME_UNKNOWN, {{200, "<html>", 0}}, {POST}, 0},
	};
	struct fixture fixture;
	size_t i;
	enum err err;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		set_up(&fixture, rows[i].steps);
		if (rows[i].total_ms)
			fixture.call.until_us = clock_monotonic_us() + rows[i].total_ms * 1000;
		err = provider_google.create(&fixture.call, planned(&fixture), rows[i].repeated,
			&fixture.link, &fixture.info);
		UNIT_CHECK(err == rows[i].err, rows[i].name);
		UNIT_CHECK(err == ERR_OK || fixture.info.err == err, rows[i].name);
		UNIT_CHECK(err == ERR_OK || strlen(fixture.info.detail) > 20, rows[i].name);
		UNIT_CHECK(err != ERR_OK || strcmp(fixture.link.url, LINK) == 0, rows[i].name);
		UNIT_CHECK(err != ERR_OK || strcmp(fixture.link.external_id, EVENT_ID) == 0,
			rows[i].name);
		check_heard(rows[i].lines, rows[i].name);
		tear_down(&fixture);
	}
}

static void test_insert_body(void)
{
	static const struct step steps[] = {{200, READY, 0}, {0}};
	struct json_object *body, *value;
	struct fixture fixture;

	set_up(&fixture, steps);
	CU_ASSERT_EQUAL(provider_google.create(&fixture.call, planned(&fixture), false,
				&fixture.link, &fixture.info),
		ERR_OK);
	CU_ASSERT_STRING_EQUAL(google.bearer[0], "at-1");
	CU_ASSERT(says(&fixture, 0, "id", EVENT_ID));
	CU_ASSERT(says(&fixture, 0, "summary", "Lease \"dispute\" \xc3\xa4"));
	CU_ASSERT(says(&fixture, 0, "start.dateTime", "2027-03-02T14:00:00Z"));
	CU_ASSERT(says(&fixture, 0, "start.timeZone", "Europe/Berlin"));
	CU_ASSERT(says(&fixture, 0, "end.dateTime", "2027-03-02T15:00:00Z"));
	CU_ASSERT(says(&fixture, 0, "visibility", "private"));
	CU_ASSERT(says(&fixture, 0, "extendedProperties.private.bookingId", "request-1"));
	CU_ASSERT(says(&fixture, 0, "extendedProperties.private.meetlinkKey", KEY));
	CU_ASSERT(says(&fixture, 0, "conferenceData.createRequest.requestId", EVENT_ID));
	CU_ASSERT(says(&fixture, 0, "conferenceData.createRequest.conferenceSolutionKey.type",
		"hangoutsMeet"));
	body = parsed(&fixture, google.body[0]);
	CU_ASSERT_FALSE(json_object_object_get_ex(body, "attendees", NULL));
	CU_ASSERT(json_object_object_get_ex(body, "guestsCanModify", &value));
	CU_ASSERT_FALSE(json_object_get_boolean(value));
	/* The case is nobody's business there. */
	CU_ASSERT_PTR_NULL(strstr(google.body[0], "hit me"));
	tear_down(&fixture);
}

/* Google ignores a requestId that it has seen: the same when a lost call is repeated, another for
 * another conference. */
static void test_conference_ids(void)
{
	static const struct step failed[] = {{200, FAILURE, 0}, {502, "", 0}, {0}};
	static const struct step deleted[] = {{200, CANCELLED, 0}, {200, READY, 0}, {0}};
	static const struct step *const scripts[] = {failed, failed, deleted};
	const char *ids[3];
	struct fixture fixture[3];
	size_t i;

	for (i = 0; i < 3; i++) {
		set_up(&fixture[i], scripts[i]);
		provider_google.create(
			&fixture[i].call, planned(&fixture[i]), true, &fixture[i].link, NULL);
		CU_ASSERT_EQUAL(google.heard, 2);
		CU_ASSERT(says(&fixture[i], 1, "id", NULL));
		CU_ASSERT(says(&fixture[i], 1, "status", "confirmed"));
		ids[i] = provider_json_text(fixture[i].arena, parsed(&fixture[i], google.body[1]),
			"conferenceData.createRequest.requestId");
		rest_free(&fixture[i].call.rest); /* the server talks to one at a time */
	}
	CU_ASSERT_STRING_NOT_EQUAL(ids[0], EVENT_ID);
	CU_ASSERT_STRING_EQUAL(ids[0], ids[1]);
	CU_ASSERT_STRING_NOT_EQUAL(ids[1], ids[2]);
	for (i = 0; i < 3; i++)
		tear_down(&fixture[i]);
}

static void test_links(void)
{
	static const struct {
		const char *name, *event;
		const char *url, *passcode, *dial_in; /* the last of the numbers */
		size_t count;
	} rows[] = {
		{"video", READY, LINK, NULL, NULL, 0},
		{"passcode",
			EVENT(ENTRIES("{\"entryPointType\":\"video\",\"uri\":\"" LINK
				      "\",\"passcode\":\"4711\"}")),
			LINK, "4711", NULL, 0},
		{"video wins over hangoutLink",
			EVENT(ENTRIES(VIDEO) ",\"hangoutLink\":\"https://meet.google.com/old\""),
			LINK, NULL, NULL, 0},
		{"hangoutLink", EVENT(",\"hangoutLink\":\"" LINK "\""), LINK, NULL, NULL, 0},
		{"hangoutLink for a video without https",
			EVENT(ENTRIES("{\"entryPointType\":\"video\",\"uri\":\"http://meet.test/"
				      "a\"}") ",\"hangoutLink\":\"" LINK "\""),
			LINK, NULL, NULL, 0},
		{"numbers",
			EVENT(ENTRIES(
				"7,null,[],{\"entryPointType\":\"more\",\"uri\":\"https://x\"},"
				"{\"entryPointType\":\"phone\",\"uri\":\"tel:+1-555-0100\","
				"\"pin\":\"12345\"}," VIDEO
				",{\"entryPointType\":\"phone\",\"uri\":\"tel:+49\","
				"\"label\":\"+49 30 555\"}")),
			LINK, NULL, "+49 30 555", 2},
		{"a number and its pin",
			EVENT(ENTRIES(VIDEO ",{\"entryPointType\":\"phone\",\"uri\":"
					    "\"tel:+1-555-0100\",\"pin\":\"12345\"}")),
			LINK, NULL, "+1-555-0100, PIN 12345", 1},
		{"texts that nobody should see",
			EVENT(ENTRIES("{\"entryPointType\":\"video\",\"uri\":\"" LINK
				      "\",\"passcode\":\"a\\nb\"},{\"entryPointType\":\"phone\","
				      "\"label\":\"+1\\r\\nBcc: x\"}")),
			LINK, NULL, NULL, 0},
	};
	struct step steps[2] = {{200, NULL, 0}, {0}};
	struct fixture fixture;
	const char **numbers;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		steps[0].body = rows[i].event;
		set_up(&fixture, steps);
		UNIT_CHECK(provider_google.create(&fixture.call, planned(&fixture), true,
				   &fixture.link, &fixture.info) == ERR_OK,
			rows[i].name);
		UNIT_CHECK(strcmp(fixture.link.url, rows[i].url) == 0, rows[i].name);
		UNIT_CHECK(rows[i].passcode ? strcmp(fixture.link.passcode, rows[i].passcode) == 0
					    : !fixture.link.passcode,
			rows[i].name);
		UNIT_CHECK(fixture.link.dial_in.count == rows[i].count, rows[i].name);
		numbers = fixture.link.dial_in.items;
		if (rows[i].dial_in && fixture.link.dial_in.count == rows[i].count)
			UNIT_CHECK(strcmp(numbers[rows[i].count - 1], rows[i].dial_in) == 0,
				rows[i].name);
		tear_down(&fixture);
	}
}

static void test_warnings(void)
{
	static const struct {
		const char *name;
		struct security asked;
		size_t count;
	} rows[] = {
		{"knocking is a waiting room", {.waiting_room = true}, 0},
		{"no waiting room", {.waiting_room = false}, 1},
		{"before the host", {.waiting_room = true, .join_before_host = true}, 1},
		{"before the host, no room", {.join_before_host = true}, 1},
		{"everything",
			{.waiting_room = true,
				.mute_on_entry = true,
				.host_video = true,
				.passcode_required = true},
			3},
	};
	static const struct step steps[] = {{200, READY, 0}, {0}};
	struct fixture fixture;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		set_up(&fixture, steps);
		fixture.security = rows[i].asked;
		provider_google.create(
			&fixture.call, planned(&fixture), false, &fixture.link, &fixture.info);
		UNIT_CHECK(fixture.link.warnings.count == rows[i].count, rows[i].name);
		tear_down(&fixture);
	}
}

static void test_other_slots(void)
{
	enum slot { UPDATE, REMOVE, READ };
	static const struct {
		const char *name;
		enum slot slot;
		enum err err;
		struct step steps[4];
		const char *lines[4];
	} rows[] = {
		{"update", UPDATE, ERR_OK, {{200, READY, 0}}, {PATCH}},
		{"update of what was deleted", UPDATE, ERR_GONE, {{200, CANCELLED, 0}}, {PATCH}},
		{"update of nothing", UPDATE, ERR_GONE, {{404, NOT_FOUND, 0}}, {PATCH}},
		{"update of what is gone", UPDATE, ERR_GONE, {{410, ERROR_OF("deleted", ""), 0}},
			{PATCH}},
		{"update, and the link was gone", UPDATE, ERR_OK,
			{{200, NO_LINK, 0}, {200, READY, 0}}, {PATCH, PATCH}},
		{"update, no answer", UPDATE, ERR_TEMPORARY, {{500, "", 0}}, {PATCH}},
		{"update, a strange conflict", UPDATE, ERR_TEMPORARY, {{409, DUPLICATE, 0}},
			{PATCH}},
		{"update, another event", UPDATE, ERR_TEMPORARY, {{200, "{\"id\":\"x\"}", 0}},
			{PATCH}},
		{"delete", REMOVE, ERR_OK, {{204, "", 0}}, {DELETE}},
		{"delete nothing", REMOVE, ERR_OK, {{404, NOT_FOUND, 0}}, {DELETE}},
		{"delete what is gone", REMOVE, ERR_OK, {{410, ERROR_OF("deleted", ""), 0}},
			{DELETE}},
		{"delete, no answer", REMOVE, ERR_TEMPORARY, {{500, "", 0}}, {DELETE}},
		{"delete, no rights", REMOVE, ERR_CREDENTIAL, {{403, ERROR_OF("forbidden", ""), 0}},
			{DELETE}},
		{"read", READ, ERR_OK, {{200, READY, 0}}, {GET}},
		{"read what was deleted", READ, ERR_GONE, {{200, CANCELLED, 0}}, {GET}},
		{"read nothing", READ, ERR_GONE, {{404, NOT_FOUND, 0}}, {GET}},
		{"read, busy", READ, ERR_TEMPORARY, {{429, "", 0}}, {GET}},
	};
	const struct provider_target target = {.provider_key = KEY};
	struct provider_state state;
	struct fixture fixture;
	enum err err = ERR_OK;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		set_up(&fixture, rows[i].steps);
		if (rows[i].slot == UPDATE)
			err = provider_google.update(
				&fixture.call, planned(&fixture), &fixture.link, &fixture.info);
		else if (rows[i].slot == REMOVE)
			err = provider_google.remove(&fixture.call, &target, &fixture.info);
		else
			err = provider_google.read(
				&fixture.call, planned(&fixture), &state, &fixture.info);
		UNIT_CHECK(err == rows[i].err, rows[i].name);
		UNIT_CHECK(err == ERR_OK || fixture.info.err == err, rows[i].name);
		check_heard(rows[i].lines, rows[i].name);
		tear_down(&fixture);
	}
}

/* Just made, and not seen at once; or deleted at Google, which is as good. */
static void test_delete_of_what_was_made(void)
{
	static const struct step unseen[] = {{404, NOT_FOUND, 0}, {204, "", 0}, {0}};
	static const struct step gone[] = {{410, ERROR_OF("deleted", ""), 0},
		{410, ERROR_OF("deleted", ""), 0}, {410, ERROR_OF("deleted", ""), 0}, {0}};
	const struct provider_target target = {.provider_key = KEY, .external_id = EVENT_ID};
	struct fixture fixture;

	set_up(&fixture, unseen);
	CU_ASSERT_EQUAL(provider_google.remove(&fixture.call, &target, &fixture.info), ERR_OK);
	CU_ASSERT_EQUAL(google.heard, 2);
	tear_down(&fixture);
	set_up(&fixture, gone);
	CU_ASSERT_EQUAL(provider_google.remove(&fixture.call, &target, &fixture.info), ERR_OK);
	CU_ASSERT_EQUAL(google.heard, 3);
	tear_down(&fixture);
}

static void test_update_body(void)
{
	static const struct step steps[] = {{200, READY, 0}, {0}};
	struct fixture fixture;

	set_up(&fixture, steps);
	fixture.meeting.external_id = EVENT_ID;
	fixture.meeting.provider_key = NULL;
	CU_ASSERT_EQUAL(provider_google.update(
				&fixture.call, planned(&fixture), &fixture.link, &fixture.info),
		ERR_OK);
	CU_ASSERT_STRING_EQUAL(google.body[0],
		"{ \"summary\": \"Lease \\\"dispute\\\" \xc3\xa4\", "
		"\"start\": { \"dateTime\": \"2027-03-02T14:00:00Z\", "
		"\"timeZone\": \"Europe\\/Berlin\" }, "
		"\"end\": { \"dateTime\": \"2027-03-02T15:00:00Z\", "
		"\"timeZone\": \"Europe\\/Berlin\" } }");
	tear_down(&fixture);
}

static void test_key_is_needed(void)
{
	static const char *const keys[] = {
		NULL, "", "AAECAwQFBgcICQoLDA0OD", "../../../etc/passwd.."};
	struct provider_target target = {0};
	struct fixture fixture;
	size_t i;

	for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		set_up(&fixture, NULL);
		fixture.meeting.provider_key = target.provider_key = keys[i];
		CU_ASSERT_EQUAL(provider_google.create(&fixture.call, planned(&fixture), false,
					&fixture.link, &fixture.info),
			ERR_PERMANENT);
		CU_ASSERT_EQUAL(provider_google.remove(&fixture.call, &target, &fixture.info),
			ERR_PERMANENT);
		CU_ASSERT_EQUAL(google.heard, 0);
		tear_down(&fixture);
	}
}

/* In another calendar it would not be found and so pass for deleted. */
static void test_account(void)
{
	static const struct step steps[] = {
		{204, "", 0}, {204, "", 0}, {404, NOT_FOUND, 0}, {404, NOT_FOUND, 0}, {0}};
	struct provider_target target = {.provider_key = KEY};
	struct provider_state state;
	struct fixture fixture;

	set_up(&fixture, steps);
	CU_ASSERT_STRING_EQUAL(provider_google.account(&fixture.call), "client-1/primary");
	target.account = "client-1/primary";
	CU_ASSERT_EQUAL(provider_google.remove(&fixture.call, &target, &fixture.info), ERR_OK);
	set(&fixture, "calendar_id", "a/b#c@group.calendar.google.com");
	CU_ASSERT_EQUAL(
		provider_google.remove(&fixture.call, &target, &fixture.info), ERR_PERMANENT);
	CU_ASSERT_EQUAL(google.heard, 1);
	target.account = NULL;
	CU_ASSERT_EQUAL(provider_google.remove(&fixture.call, &target, &fixture.info), ERR_OK);
	CU_ASSERT_STRING_EQUAL(google.line[1],
		"DELETE /v3/calendars/a%2Fb%23c%40group.calendar.google.com/events/" EVENT_ID
		"?sendUpdates=none");
	fixture.meeting.account = "client-1/primary";
	CU_ASSERT_EQUAL(provider_google.update(
				&fixture.call, planned(&fixture), &fixture.link, &fixture.info),
		ERR_PERMANENT);
	CU_ASSERT_EQUAL(
		provider_google.read(&fixture.call, planned(&fixture), &state, &fixture.info),
		ERR_PERMANENT);
	tear_down(&fixture);
}

static void test_state(void)
{
	static const struct {
		const char *name, *event, *url;
		int64_t starts_at, ends_at;
		size_t drift;
	} rows[] = {
		{"as it should be", READY, LINK, now + INSTANT_DAY,
			now + INSTANT_DAY + INSTANT_HOUR, 0},
		{"no link of ours yet", READY, NULL, now + INSTANT_DAY,
			now + INSTANT_DAY + INSTANT_HOUR, 0},
		{"another link", READY, "https://meet.google.com/other", now + INSTANT_DAY,
			now + INSTANT_DAY + INSTANT_HOUR, 1},
		{"no link", NO_LINK, LINK, now + INSTANT_DAY, now + INSTANT_DAY + INSTANT_HOUR, 1},
		{"being made", PENDING, LINK, now + INSTANT_DAY, now + INSTANT_DAY + INSTANT_HOUR,
			0},
		{"moved", MOVED, LINK, now + INSTANT_DAY - 5 * INSTANT_HOUR,
			now + INSTANT_DAY + INSTANT_HOUR, 0},
		{"offsets and fractions",
			"{\"id\":\"" EVENT_ID
			"\",\"start\":{\"dateTime\":\"2027-03-02T08:30:00.000-05:30\"},"
			"\"end\":{\"dateTime\":\"2027-03-02T15:00:00.5Z\"},\"hangoutLink\":\"" LINK
			"\"}",
			LINK, now + INSTANT_DAY, now + INSTANT_DAY + INSTANT_HOUR, 0},
		{"a whole day",
			"{\"id\":\"" EVENT_ID "\",\"start\":{\"date\":\"2027-03-02\"},\"end\":7,"
			"\"hangoutLink\":\"" LINK "\"}",
			LINK, 0, 0, 0},
		{"no times",
			"{\"id\":\"" EVENT_ID "\",\"start\":{\"dateTime\":\"2027-03-02T08:30:00\"},"
			"\"end\":{\"dateTime\":\"2027-03-02T08:30:00*01:00\"},\"hangoutLink\":"
			"\"" LINK "\"}",
			LINK, 0, 0, 0},
	};
	struct step steps[2] = {{200, NULL, 0}, {0}};
	struct provider_state state;
	struct fixture fixture;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		steps[0].body = rows[i].event;
		set_up(&fixture, steps);
		fixture.meeting.provider_url = rows[i].url;
		UNIT_CHECK(provider_google.read(&fixture.call, planned(&fixture), &state,
				   &fixture.info) == ERR_OK,
			rows[i].name);
		UNIT_CHECK(state.starts_at == rows[i].starts_at, rows[i].name);
		UNIT_CHECK(state.ends_at == rows[i].ends_at, rows[i].name);
		UNIT_CHECK(state.drift.count == rows[i].drift, rows[i].name);
		tear_down(&fixture);
	}
}

static void test_refusals(void)
{
	static const struct {
		const char *name;
		struct step step;
		enum err err;
		int retry_after_s;
	} rows[] = {
		{"rate of a user", {403, ERROR_OF("userRateLimitExceeded", ""), 0}, ERR_TEMPORARY,
			0},
		{"rate", {403, ERROR_OF("rateLimitExceeded", ""), 9}, ERR_TEMPORARY, 9},
		{"rate, newer gateway",
			{429, "{\"error\":{\"status\":\"RESOURCE_EXHAUSTED\"}}", 11}, ERR_TEMPORARY,
			11},
		{"quota", {403, ERROR_OF("quotaExceeded", ""), 0}, ERR_UNAVAILABLE, 3600},
		{"quota for longer", {403, ERROR_OF("quotaExceeded", ""), 7200}, ERR_UNAVAILABLE,
			7200},
		{"quota of the day", {403, ERROR_OF("dailyLimitExceeded", ""), 1}, ERR_UNAVAILABLE,
			3600},
		{"API not enabled", {403, ERROR_OF("accessNotConfigured", ""), 0}, ERR_CREDENTIAL,
			0},
		{"no delegation", {403, ERROR_OF("forbiddenForServiceAccounts", ""), 0},
			ERR_CREDENTIAL, 0},
		{"scope", {403, ERROR_OF("insufficientPermissions", ""), 0}, ERR_CREDENTIAL, 0},
		{"newer gateway", {403, "{\"error\":{\"status\":\"PERMISSION_DENIED\"}}", 0},
			ERR_CREDENTIAL, 0},
		{"reason wins over status",
			{403,
				"{\"error\":{\"status\":\"PERMISSION_DENIED\",\"errors\":[{"
				"\"reason\":"
				"\"rateLimitExceeded\"}]}}",
				0},
			ERR_TEMPORARY, 0},
		{"no cannot Meet, but for its message",
			{400, "{\"error\":{\"message\":\"Bad: Invalid conference type value.\"}}",
				0},
			ERR_UNAVAILABLE, 0},
		{"a bad request", {400, ERROR_OF("required", ""), 0}, ERR_PERMANENT, 0},
		{"errors of another shape", {403, "{\"error\":{\"errors\":[7]}}", 0},
			ERR_CREDENTIAL, 0},
		{"an error that is a list", {403, "{\"error\":[1,2]}", 0}, ERR_CREDENTIAL, 0},
		{"an answer that is a list", {403, "[{\"error\":1}]", 0}, ERR_CREDENTIAL, 0},
		{"no errors", {403, "{\"error\":{\"errors\":[]}}", 0}, ERR_CREDENTIAL, 0},
		{"a redirection", {302, "", 0}, ERR_PERMANENT, 0},
	};
	struct step steps[2] = {{0}};
	struct fixture fixture;
	enum err err;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		steps[0] = rows[i].step;
		set_up(&fixture, steps);
		err = provider_google.create(
			&fixture.call, planned(&fixture), false, &fixture.link, &fixture.info);
		UNIT_CHECK(err == rows[i].err && fixture.info.err == err, rows[i].name);
		UNIT_CHECK(fixture.info.retry_after_s == rows[i].retry_after_s, rows[i].name);
		UNIT_CHECK(strncmp(fixture.info.detail, "Google Meet: ", 13) == 0, rows[i].name);
		tear_down(&fixture);
	}
}

static void test_refused_token(void)
{
	static const struct step once[] = {
		{401, ERROR_OF("authError", ""), 0}, {200, READY, 0}, {0}};
	static const struct step twice[] = {{401, "", 0}, {401, "", 0}, {0}};
	struct fixture fixture;

	set_up(&fixture, once);
	google.token.body = "{\"access_token\":\"at-1\",\"expires_in\":3599}";
	provider_google.create(
		&fixture.call, planned(&fixture), false, &fixture.link, &fixture.info);
	/* Google gives the refused one again, so whoever wants one asks. */
	CU_ASSERT(google.tokens >= 2);
	tear_down(&fixture);
	set_up(&fixture, twice);
	CU_ASSERT_EQUAL(provider_google.create(&fixture.call, planned(&fixture), false,
				&fixture.link, &fixture.info),
		ERR_CREDENTIAL);
	CU_ASSERT_EQUAL(fixture.info.err, ERR_CREDENTIAL);
	tear_down(&fixture);
}

static void test_validate(void)
{
	static const struct {
		const char *name;
		struct step token, list;
		size_t count;
		bool ok; /* of the last check */
		const char *words;
	} rows[] = {
		{"fine", TOKEN_OK, {200, "{\"items\":[],\"accessRole\":\"owner\"}", 0}, 3, true,
			"grant the scope https://www.googleapis.com/auth/meetings.space.settings"},
		{"role not said", TOKEN_OK, {200, "{\"items\":[]}", 0}, 3, true, "own defaults"},
		{"with the scope for settings", TOKEN_MEET, {200, "{\"items\":[]}", 0}, 3, true,
			"is set for each meeting"},
		{"read only", TOKEN_OK, {200, "{\"items\":[],\"accessRole\":\"reader\"}", 0}, 2,
			false, "not write"},
		{"no calendar", TOKEN_OK, {404, NOT_FOUND, 0}, 2, false, "no such calendar"},
		{"no scope", TOKEN_OK, {403, ERROR_OF("insufficientPermissions", ""), 0}, 2, false,
			"consent"},
		{"no token", {400, OAUTH("invalid_grant", "Token has been expired or revoked."), 0},
			{0}, 1, false, "sign in to Google again"},
	};
	static const char *const names[] = {"token", "permissions", "meet_settings"};
	struct model_list checks;
	struct provider_check *last;
	struct step steps[2] = {{0}};
	struct fixture fixture;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		steps[0] = rows[i].list;
		set_up(&fixture, steps);
		google.token = rows[i].token;
		checks = (struct model_list){0};
		provider_google.validate(&fixture.call, &checks);
		UNIT_CHECK(checks.count == rows[i].count, rows[i].name);
		last = MODEL_AT(&checks, struct provider_check, checks.count - 1);
		UNIT_CHECK(strcmp(last->name, names[checks.count - 1]) == 0, rows[i].name);
		UNIT_CHECK(last->ok == rows[i].ok, rows[i].name);
		UNIT_CHECK(strstr(last->detail, rows[i].words) != NULL, rows[i].name);
		if (rows[i].count > 1)
			UNIT_CHECK(strcmp(google.line[0], "GET " EVENTS "?maxResults=1") == 0,
				rows[i].name);
		tear_down(&fixture);
	}
}

static const struct unit_case cases[] = {
	{"create", test_create},
	{"body of an insert", test_insert_body},
	{"ids of conferences", test_conference_ids},
	{"links", test_links},
	{"warnings", test_warnings},
	{"update, remove, read", test_other_slots},
	{"delete of what was made", test_delete_of_what_was_made},
	{"body of an update", test_update_body},
	{"no name, no call", test_key_is_needed},
	{"account and calendar", test_account},
	{"state", test_state},
	{"refusals of the API", test_refusals},
	{"a refused token", test_refused_token},
	{"validate", test_validate},
};

int main(void)
{
	return google_run("provider_google", cases, sizeof(cases) / sizeof(cases[0]));
}
