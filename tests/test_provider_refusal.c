#include "provider_refusal.h"

#include <json-c/json.h>

#include "unit.h"

/* What each provider is sent, as far as it matters here, and what it says of it. */

#define ZOOM                                                                                       \
	"{\"topic\":\"T\",\"start_time\":\"S\",\"timezone\":\"Europe/Kyiv\",\"password\":\"p\","   \
	"\"settings\":{\"waiting_room\":true,\"audio\":\"both\"}}"
#define GOOGLE                                                                                     \
	"{\"summary\":\"T\",\"start\":{\"dateTime\":\"S\",\"timeZone\":\"Europe/Kyiv\"},"          \
	"\"end\":{\"dateTime\":\"E\",\"timeZone\":\"Europe/Kyiv\"},\"visibility\":\"private\","    \
	"\"conferenceData\":{}}"
#define TEAMS                                                                                      \
	"{\"subject\":\"T\",\"startDateTime\":\"S\",\"lobbyBypassSettings\":{\"scope\":\"o\","     \
	"\"isDialInBypassEnabled\":false},\"allowedPresenters\":\"organizer\"}"
#define INVALID(field)                                                                             \
	"{\"code\":300,\"message\":\"Validation Failed.\",\"errors\":[{\"field\":\"" field         \
	"\",\"message\":\"No.\"}]}"
#define XML(field)                                                                                 \
	"<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?><result><code>300</code>"    \
	"<message>Validation Failed.</message><errors><field>" field                               \
	"</field><message>No.</message></errors></result>"
#define GOOGLE_SAYS(words)                                                                         \
	"{\"error\":{\"errors\":[{\"reason\":\"invalid\",\"message\":\"" words                     \
	"\"}],\"code\":400,\"message\":\"" words "\"}}"
#define GRAPH_SAYS(words) "{\"error\":{\"code\":\"BadRequest\",\"message\":\"" words "\"}}"

static const struct row {
	const char *name, *provider, *sent, *reply;
	int status;
	bool makes;
	const char *member;  /* that people are told of; NULL: none */
	const char *left;    /* what is sent then; NULL: it is refused for good */
	const char *reason;  /* what administrators are told; NULL: not looked at */
	const char *warning; /* setting of the first that is noted; NULL: none */
} rows[] = {
	{"a passcode", "zoom", "{\"topic\":\"T\",\"password\":\"p\"}", INVALID("password"), 400,
		true, "password", "{\"topic\":\"T\",\"default_password\":true}",
		"300: Validation Failed. password: No.", "passcode_required"},
	{"a passcode of a meeting that exists", "zoom", "{\"topic\":\"T\",\"password\":\"p\"}",
		INVALID("password"), 400, false, "password", "{\"topic\":\"T\"}", NULL,
		"passcode_required"},
	{"a passcode, as XML", "zoom", "{\"topic\":\"T\",\"password\":\"p\"}", XML("password"), 400,
		false, "password", "{\"topic\":\"T\"}", "300: Validation Failed. password: No.",
		"passcode_required"},
	{"a passcode, in words", "zoom", "{\"topic\":\"T\",\"password\":\"p\"}",
		"{\"code\":300,\"message\":\"The passcode must be numeric.\"}", 400, false,
		"password", "{\"topic\":\"T\"}", "300: The passcode must be numeric.",
		"passcode_required"},
	{"422", "zoom", "{\"topic\":\"T\",\"password\":\"p\"}", INVALID("password"), 422, false,
		"password", "{\"topic\":\"T\"}", NULL, "passcode_required"},
	{"another status", "zoom", "{\"topic\":\"T\",\"password\":\"p\"}", INVALID("password"), 403,
		false, "password", NULL, NULL, NULL},
	{"a zone", "zoom", "{\"timezone\":\"Europe/Kyiv\"}", INVALID("timezone"), 400, false,
		"timezone", "{\"timezone\":\"UTC\"}", NULL, "timezone"},
	{"UTC, too", "zoom", "{\"topic\":\"T\",\"timezone\":\"UTC\"}", INVALID("timezone"), 400,
		false, "timezone", "{\"topic\":\"T\"}", NULL, "timezone"},
	{"a setting", "zoom", "{\"settings\":{\"audio\":\"both\",\"use_pmi\":false}}",
		INVALID("settings.audio"), 400, true, "settings.audio",
		"{\"settings\":{\"use_pmi\":false}}", NULL, "audio"},
	{"a setting by its last name", "zoom", "{\"settings\":{\"audio\":\"both\"}}",
		INVALID("audio"), 400, true, "settings.audio", "{\"settings\":{}}", NULL, "audio"},
	{"a setting by a longer path", "zoom", "{\"settings\":{\"audio\":\"both\"}}",
		INVALID("/meeting/settings/audio"), 400, true, "settings.audio",
		"{\"settings\":{}}", NULL, "audio"},
	{"two at once", "zoom", ZOOM,
		"{\"code\":300,\"errors\":[{\"field\":\"password\"},{\"field\":\"waiting_room\"}]}",
		400, false, "password",
		"{\"topic\":\"T\",\"start_time\":\"S\",\"timezone\":\"Europe/Kyiv\","
		"\"settings\":{\"audio\":\"both\"}}",
		NULL, "passcode_required"},
	{"the time", "zoom", ZOOM, INVALID("start_time"), 400, true, "start_time", NULL, NULL,
		NULL},
	{"the topic", "zoom", ZOOM, INVALID("topic"), 400, true, "topic", NULL, NULL, NULL},
	{"all settings", "zoom", ZOOM, INVALID("settings"), 400, true, "settings", NULL, NULL,
		NULL},
	{"the time and a passcode", "zoom", ZOOM,
		"{\"code\":300,\"errors\":[{\"field\":\"password\"},{\"field\":\"start_time\"}]}",
		400, true, "password", NULL, NULL, NULL},
	{"what was not sent", "zoom", ZOOM, INVALID("recurrence"), 400, true, NULL, NULL,
		"300: Validation Failed. recurrence: No.", NULL},
	{"a secret for a field", "zoom", ZOOM, INVALID("pwd=abc Bearer x"), 400, true, NULL, NULL,
		"300: Validation Failed. [token] No.", NULL},
	{"no field", "zoom", ZOOM, "{\"code\":300,\"message\":\"Validation Failed.\"}", 400, true,
		NULL, NULL, "300: Validation Failed.", NULL},
	{"a part of another word", "zoom", ZOOM,
		"{\"code\":300,\"message\":\"No passcodes, audiobooks.\"}", 400, true, NULL, NULL,
		NULL, NULL},
	{"HTML", "zoom", ZOOM, "<html>password</html>", 400, true, NULL, NULL, "", NULL},
	{"nothing", "zoom", ZOOM, "", 400, true, NULL, NULL, "", NULL},
	{"XML that breaks off", "zoom", ZOOM, "<?xml version=\"1.0\"?><result><code>300</code>",
		400, true, NULL, NULL, "300", NULL},

	{"both zones", "google_meet", GOOGLE,
		GOOGLE_SAYS("Invalid time zone definition for start time."), 400, true,
		"start.timeZone",
		"{\"summary\":\"T\",\"start\":{\"dateTime\":\"S\",\"timeZone\":\"UTC\"},"
		"\"end\":{\"dateTime\":\"E\",\"timeZone\":\"UTC\"},\"visibility\":\"private\","
		"\"conferenceData\":{}}",
		"invalid: Invalid time zone definition for start time.", "timezone"},
	{"visibility", "google_meet", "{\"summary\":\"T\",\"visibility\":\"private\"}",
		"{\"error\":{\"code\":400,\"message\":\"Bad.\",\"status\":\"INVALID_ARGUMENT\","
		"\"details\":[{\"fieldViolations\":[{\"field\":\"event.visibility\","
		"\"description\":\"No.\"}]}]}}",
		400, true, "visibility", "{\"summary\":\"T\"}",
		"INVALID_ARGUMENT: Bad. event.visibility: No.", "visibility"},
	{"the conference", "google_meet", GOOGLE,
		"{\"error\":{\"details\":[{\"fieldViolations\":[{\"field\":\"conferenceData\"}]}]}"
		"}",
		400, true, "conferenceData", NULL, NULL, NULL},
	{"times", "google_meet", GOOGLE, GOOGLE_SAYS("The specified time range is empty."), 400,
		true, NULL, NULL, NULL, NULL},

	{"who presents", "teams", TEAMS,
		GRAPH_SAYS("The value of allowedPresenters is not allowed."), 400, false,
		"allowedPresenters",
		"{\"subject\":\"T\",\"startDateTime\":\"S\",\"lobbyBypassSettings\":{\"scope\":"
		"\"o\",\"isDialInBypassEnabled\":false}}",
		"BadRequest: The value of allowedPresenters is not allowed.", "presenters"},
	{"the lobby", "teams", TEAMS,
		"{\"error\":{\"code\":\"BadRequest\",\"message\":\"M\",\"details\":[{\"target\":"
		"\"lobbyBypassSettings/scope\",\"message\":\"No.\"}]}}",
		400, false, "lobbyBypassSettings.scope",
		"{\"subject\":\"T\",\"startDateTime\":\"S\",\"lobbyBypassSettings\":{"
		"\"isDialInBypassEnabled\":false},\"allowedPresenters\":\"organizer\"}",
		"BadRequest: M lobbyBypassSettings/scope: No.", NULL},
	{"the start", "teams", TEAMS,
		"{\"error\":{\"code\":\"BadRequest\",\"message\":\"M\",\"target\":"
		"\"startDateTime\"}}",
		400, false, "startDateTime", NULL, NULL, NULL},
	{"a token endpoint", "teams", NULL,
		"{\"error\":\"invalid_client\",\"error_description\":\"AADSTS7000215: Invalid "
		"client secret. Trace ID: 7bd4ad2b-0a5e-4d0b-9d5a-1a0b2c3d4e5f\","
		"\"error_codes\":[7000215]}",
		401, true, NULL, NULL,
		"7000215: invalid_client: AADSTS7000215: Invalid client secret. Trace ID: [token]",
		NULL},
};

static bool same(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

static void refuse(const struct row *row)
{
	struct model_list left_out = {0};
	struct provider_call call = {.arena = arena_new(),
		.provider = provider_find(row->provider),
		.left_out = &left_out};
	const struct rest_reply reply = {.status = row->status,
		.body = row->reply,
		.body_len = strlen(row->reply),
		.json = json_tokener_parse(row->reply)};
	const char *body = row->sent, *setting = NULL;
	struct arena *arena = call.arena;
	struct provider_error error;
	char reason[CLEAN_SIZE];
	bool yields;

	provider_refusal_read(&call, &reply, &error);
	provider_refusal_reason(arena, &error, reason);
	UNIT_CHECK(!row->reason || same(reason, row->reason), row->name);
	if (row->reason && !same(reason, row->reason))
		printf("\n%s: %s\n", row->name, reason);
	UNIT_CHECK(same(provider_refusal_member(&call, &error, body), row->member), row->name);
	yields = provider_refusal_yield(&call, &reply, row->makes, &body);
	UNIT_CHECK(yields == (row->left != NULL), row->name);
	UNIT_CHECK(same(body, row->left ? row->left : row->sent), row->name);
	if (left_out.count)
		setting =
			(*MODEL_AT(&left_out, const struct provider_option *, 0))->words
				? (*MODEL_AT(&left_out, const struct provider_option *, 0))->setting
				: NULL;
	UNIT_CHECK(same(setting, row->warning), row->name);
	json_object_put(reply.json);
	arena_free(&arena);
}

static void test_table(void)
{
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		refuse(&rows[i]);
}

/* Whatever is refused again and again, there comes an end, and what must be sent is sent. */
static void test_end(void)
{
	static const char *const needed[] = {"topic", "start_time"};
	static const char *const refused[] = {
		"timezone", "password", "waiting_room", "audio", "default_password", "topic"};
	struct provider_call call = {.arena = arena_new(), .provider = provider_find("zoom")};
	struct rest_reply reply = {.status = 400};
	struct arena *arena = call.arena;
	const char *body = ZOOM;
	size_t i, round, yields = 0;

	for (round = 0; round < 3; round++)
		for (i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
			reply.json = json_tokener_parse(arena_printf(arena,
				"{\"code\":300,\"errors\":[{\"field\":\"%s\"}]}", refused[i]));
			yields += provider_refusal_yield(&call, &reply, true, &body);
			json_object_put(reply.json);
		}
	/* A zone twice: UTC in its place comes first. */
	CU_ASSERT_EQUAL(yields, 6);
	for (i = 0; i < sizeof(needed) / sizeof(needed[0]); i++)
		CU_ASSERT_PTR_NOT_NULL(strstr(body, needed[i]));
	CU_ASSERT_STRING_EQUAL(body, "{\"topic\":\"T\",\"start_time\":\"S\",\"settings\":{}}");
	arena_free(&arena);
}

static const struct unit_case cases[] = {
	{"refusals of every provider", test_table},
	{"an end", test_end},
};

UNIT_MAIN("provider_refusal", cases)
