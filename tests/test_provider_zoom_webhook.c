#include <json-c/json.h>

#include "instant.h"
#include "provider_zoom.h"
#include "provider_zoom_webhook.h"
#include "unit.h"

/* The vectors of a signed event and of a challenge, made with Python's hmac. */
#define SECRET "zoom_test_secret"
#define TS     "1700000000"
#define NOW    INT64_C(1700000000000)
#define BODY                                                                                       \
	"{\"event\":\"meeting.started\",\"event_ts\":1700000000123,\"payload\":{\"account_id\":"   \
	"\"acc1\",\"object\":{\"id\":\"85746065432\",\"uuid\":\"4444AAAiAAAAAiAiAiiAii==\"}}}"
#define SIGNATURE "v0=9c75899946c91c3c37981e37bdd17afca9f7db762146ba463805334572e1307d"
#define CHALLENGE "qgg8vlvZRS6UYooatFL8Aw"
#define PROOF     "40a58fc396b81cf5fa0ee7d3431e19801ad5c46f66d6891a405bdb809268503d"

static struct provider_message message_of(const char *body)
{
	return (struct provider_message){
		.headers = {[PROVIDER_ZOOM_SIGNATURE] = SIGNATURE, [PROVIDER_ZOOM_TIMESTAMP] = TS},
		.body = body,
		.body_len = strlen(body),
		.is_json = true};
}

static void test_verify(void)
{
	static const struct {
		const char *name, *signature, *timestamp, *body, *secret;
		int64_t now;
		bool verified;
	} cases[] = {
		{"the vector", SIGNATURE, TS, BODY, SECRET, NOW, true},
		{"300 s old", SIGNATURE, TS, BODY, SECRET, NOW + 300000, true},
		{"a moment more", SIGNATURE, TS, BODY, SECRET, NOW + 300001, false},
		{"300 s ahead", SIGNATURE, TS, BODY, SECRET, NOW - 300000, true},
		{"a moment more ahead", SIGNATURE, TS, BODY, SECRET, NOW - 300001, false},
		{"no signature", NULL, TS, BODY, SECRET, NOW, false},
		{"an empty one", "", TS, BODY, SECRET, NOW, false},
		{"the prefix alone", "v0=", TS, BODY, SECRET, NOW, false},
		{"without prefix", SIGNATURE + 3, TS, BODY, SECRET, NOW, false},
		{"another version",
			"v1=9c75899946c91c3c37981e37bdd17afca9f7db762146ba463805334572e"
			"1307d",
			TS, BODY, SECRET, NOW, false},
		{"capitals", "v0=9C75899946C91C3C37981E37BDD17AFCA9F7DB762146BA463805334572E1307D",
			TS, BODY, SECRET, NOW, false},
		{"one digit short",
			"v0=9c75899946c91c3c37981e37bdd17afca9f7db762146ba463805334572e1307", TS,
			BODY, SECRET, NOW, false},
		{"one digit long", SIGNATURE "0", TS, BODY, SECRET, NOW, false},
		{"another secret", SIGNATURE, TS, BODY, "zoom_test_secres", NOW, false},
		{"another body", SIGNATURE, TS, BODY " ", SECRET, NOW, false},
		{"no body", SIGNATURE, TS, "", SECRET, NOW, false},
		{"no timestamp", SIGNATURE, NULL, BODY, SECRET, NOW, false},
		{"an empty timestamp", SIGNATURE, "", BODY, SECRET, NOW, false},
		{"another time", SIGNATURE, "1700000001", BODY, SECRET, NOW, false},
		{"the same written otherwise", SIGNATURE, "01700000000", BODY, SECRET, NOW, false},
		{"a sign", SIGNATURE, "+1700000000", BODY, SECRET, NOW, false},
		{"a blank", SIGNATURE, " 1700000000", BODY, SECRET, NOW, false},
		{"no number", SIGNATURE, "now", BODY, SECRET, NOW, false},
		{"milliseconds", SIGNATURE, "1700000000000", BODY, SECRET, NOW, false},
		{"a huge number", SIGNATURE, "99999999999999999999999", BODY, SECRET, NOW, false},
		{"a borrowed colon", SIGNATURE, "1700000000:", BODY, SECRET, NOW, false},
	};
	struct arena *arena = arena_new();
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct provider_message message = message_of(cases[i].body);

		message.headers[PROVIDER_ZOOM_SIGNATURE] = cases[i].signature;
		message.headers[PROVIDER_ZOOM_TIMESTAMP] = cases[i].timestamp;
		UNIT_CHECK(provider_zoom_webhook_verify(arena, &message, cases[i].secret,
				   cases[i].now) == cases[i].verified,
			cases[i].name);
	}
	arena_free(&arena);
}

static void test_every_bit_counts(void)
{
	struct arena *arena = arena_new();
	char body[] = BODY, signature[] = SIGNATURE;
	struct provider_message message = message_of(body);
	size_t bit;

	message.headers[PROVIDER_ZOOM_SIGNATURE] = signature;
	for (bit = 0; bit < 8 * strlen(signature); bit++) {
		signature[bit / 8] = (char)(signature[bit / 8] ^ 1 << bit % 8);
		CU_ASSERT(!provider_zoom_webhook_verify(arena, &message, SECRET, NOW));
		signature[bit / 8] = (char)(signature[bit / 8] ^ 1 << bit % 8);
	}
	for (bit = 0; bit < 8 * strlen(BODY); bit++) {
		body[bit / 8] = (char)(body[bit / 8] ^ 1 << bit % 8);
		CU_ASSERT(!provider_zoom_webhook_verify(arena, &message, SECRET, NOW));
		body[bit / 8] = (char)(body[bit / 8] ^ 1 << bit % 8);
	}
	CU_ASSERT(provider_zoom_webhook_verify(arena, &message, SECRET, NOW));
	arena_free(&arena);
}

#define EVENT(name, object)                                                                        \
	"{\"event\":\"" name "\",\"event_ts\":1700000000123,\"payload\":{\"object\":{" object "}}" \
	"}"
#define JOINED(participant)                                                                        \
	EVENT("meeting.participant_joined", "\"id\":\"7\",\"uuid\":\"u\",\"host_id\":\"h1\","      \
					    "\"participant\":{" participant "}")

static void test_read(void)
{
	static const struct {
		const char *name, *body;
		enum report_kind kind;
		const char *external_id;
		int64_t at;
	} cases[] = {
		{"the vector", BODY, REPORT_STARTED, "85746065432", NOW + 123},
		{"ended", EVENT("meeting.ended", "\"id\":\"7\""), REPORT_ENDED, "7", NOW + 123},
		{"deleted, by number", EVENT("meeting.deleted", "\"id\":85746065432"),
			REPORT_CHANGED, "85746065432", NOW + 123},
		{"the largest number", EVENT("meeting.deleted", "\"id\":9223372036854775807"),
			REPORT_CHANGED, "9223372036854775807", NOW + 123},
		{"updated", EVENT("meeting.updated", "\"id\":\"7\""), REPORT_CHANGED, "7",
			NOW + 123},
		{"a guest joined", JOINED("\"user_id\":\"16778240\",\"email\":\"\""), REPORT_JOINED,
			"7", NOW + 123},
		{"the host joined", JOINED("\"participant_user_id\":\"h1\""), REPORT_HOST_JOINED,
			"7", NOW + 123},
		{"the host joined, in older words", JOINED("\"id\":\"h1\""), REPORT_HOST_JOINED,
			"7", NOW + 123},
		{"another user joined", JOINED("\"participant_user_id\":\"h2\",\"id\":\"\""),
			REPORT_JOINED, "7", NOW + 123},
		{"nobody is host of nothing",
			EVENT("meeting.participant_joined",
				"\"id\":\"7\",\"host_id\":\"\",\"participant\":{\"id\":\"\"}"),
			REPORT_JOINED, "7", NOW + 123},
		{"left", EVENT("meeting.participant_left", "\"id\":\"7\""), REPORT_OTHER, "7",
			NOW + 123},
		{"of another kind", EVENT("recording.completed", "\"id\":\"7\""), REPORT_OTHER, "7",
			NOW + 123},
		{"no time", "{\"event\":\"meeting.ended\",\"payload\":{\"object\":{\"id\":\"7\"}}}",
			REPORT_ENDED, "7", 0},
		{"a time in text",
			"{\"event\":\"meeting.ended\",\"event_ts\":\"1700000000123\","
			"\"payload\":{\"object\":{\"id\":\"7\"}}}",
			REPORT_ENDED, "7", NOW + 123},
		{"a mad time",
			"{\"event\":\"meeting.ended\",\"event_ts\":1e300,"
			"\"payload\":{\"object\":{\"id\":\"7\"}}}",
			REPORT_ENDED, "7", 0},
		{"no payload", "{\"event\":\"meeting.started\"}", REPORT_OTHER, NULL, 0},
		{"a payload of another form", "{\"event\":\"meeting.started\",\"payload\":[1]}",
			REPORT_OTHER, NULL, 0},
		{"no id", EVENT("meeting.started", "\"uuid\":\"u\""), REPORT_OTHER, NULL, 0},
		{"an empty id", EVENT("meeting.started", "\"id\":\"\""), REPORT_OTHER, NULL, 0},
		{"an id that is an object", EVENT("meeting.started", "\"id\":{\"$gt\":\"\"}"),
			REPORT_OTHER, NULL, 0},
		{"an id that is no number", EVENT("meeting.started", "\"id\":\"$where\""),
			REPORT_OTHER, NULL, 0},
		{"an id with a fraction", EVENT("meeting.started", "\"id\":7.5"), REPORT_OTHER,
			NULL, 0},
		{"an id below zero", EVENT("meeting.started", "\"id\":-7"), REPORT_OTHER, NULL, 0},
		{"an id of 20 digits", EVENT("meeting.started", "\"id\":\"12345678901234567890\""),
			REPORT_OTHER, NULL, 0},
	};
	struct arena *arena = arena_new();
	struct provider_zoom_event event;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct provider_message message = message_of(cases[i].body);
		struct err_info info = {0};

		UNIT_CHECK(provider_zoom_webhook_read(arena, &message, &event, &info) == ERR_OK,
			cases[i].name);
		UNIT_CHECK(event.challenge == NULL, cases[i].name);
		UNIT_CHECK(event.report.kind == cases[i].kind, cases[i].name);
		UNIT_CHECK((event.report.external_id == NULL) == (cases[i].external_id == NULL),
			cases[i].name);
		if (event.report.external_id && cases[i].external_id)
			UNIT_CHECK(strcmp(event.report.external_id, cases[i].external_id) == 0,
				cases[i].name);
		UNIT_CHECK(event.report.at == cases[i].at, cases[i].name);
	}
	arena_free(&arena);
}

static void test_what_is_no_event(void)
{
	static const struct {
		const char *name, *body;
	} cases[] = {
		{"nothing", ""},
		{"half of one", "{\"event\":\"meeting.started\",\"event_ts\":17000"},
		{"two of them", "{\"event\":\"a\"}{\"event\":\"b\"}"},
		{"a list", "[\"meeting.started\"]"},
		{"null", "null"},
		{"a text", "\"meeting.started\""},
		{"no name", "{\"payload\":{}}"},
		{"a name that is none", "{\"event\":{}}"},
		{"a name twice", "{\"event\":\"meeting.started\",\"event\":\"meeting.ended\"}"},
		{"deep", "{\"event\":\"a\",\"x\":[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]}"},
		{"no UTF-8", "{\"event\":\"meeting.started\",\"x\":\"\xff\"}"},
		{"a challenge without token", "{\"event\":\"endpoint.url_validation\"}"},
		{"with an empty one", "{\"event\":\"endpoint.url_validation\",\"payload\":"
				      "{\"plainToken\":\"\"}}"},
		{"with a message to be signed",
			"{\"event\":\"endpoint.url_validation\",\"payload\":"
			"{\"plainToken\":\"v0:1700000000:{}\"}}"},
		{"with a quote", "{\"event\":\"endpoint.url_validation\",\"payload\":"
				 "{\"plainToken\":\"a\\\"b\"}}"},
	};
	struct arena *arena = arena_new();
	struct provider_zoom_event event;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct provider_message message = message_of(cases[i].body);
		struct err_info info = {0};

		UNIT_CHECK(
			provider_zoom_webhook_read(arena, &message, &event, &info) == ERR_MALFORMED,
			cases[i].name);
		UNIT_CHECK(info.detail[0] != '\0', cases[i].name);
	}
	arena_free(&arena);
}

static const char *digest(struct arena *arena, const char *body)
{
	const struct provider_message message = message_of(body);
	struct provider_zoom_event event;

	CU_ASSERT_EQUAL_FATAL(provider_zoom_webhook_read(arena, &message, &event, NULL), ERR_OK);
	return event.report.digest;
}

static void test_what_tells_events_apart(void)
{
	static const char *const bodies[] = {
		BODY,
		EVENT("meeting.started", "\"id\":\"7\",\"uuid\":\"a\""),
		EVENT("meeting.ended", "\"id\":\"7\",\"uuid\":\"a\""),
		EVENT("meeting.started", "\"id\":\"7\",\"uuid\":\"b\""),
		EVENT("meeting.started", "\"id\":\"8\",\"uuid\":\"b\""),
		"{\"event\":\"meeting.started\",\"event_ts\":1700000000124,\"payload\":{\"object\":"
		"{\"id\":\"8\",\"uuid\":\"b\"}}}",
		JOINED("\"participant_uuid\":\"p\""),
		JOINED("\"participant_uuid\":\"q\""),
		JOINED("\"user_id\":\"p\""),
	};
	struct arena *arena = arena_new();
	size_t i, j;

	for (i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++)
		for (j = 0; j < sizeof(bodies) / sizeof(bodies[0]); j++)
			CU_ASSERT_EQUAL(
				strcmp(digest(arena, bodies[i]), digest(arena, bodies[j])) == 0,
				i == j);
	/* Written otherwise, it is the same. */
	CU_ASSERT_STRING_EQUAL(digest(arena, EVENT("meeting.deleted", "\"id\":7,\"uuid\":\"a\"")),
		digest(arena, EVENT("meeting.deleted", "\"uuid\" : \"a\", \"id\" : \"7\"")));
	arena_free(&arena);
}

static void test_challenge(void)
{
	const struct provider_message message =
		message_of("{\"payload\":{\"plainToken\":\"" CHALLENGE
			   "\"},\"event_ts\":1700000000123,\"event\":\"endpoint.url_validation\"}");
	struct arena *arena = arena_new();
	struct provider_zoom_event event;

	CU_ASSERT_EQUAL(provider_zoom_webhook_read(arena, &message, &event, NULL), ERR_OK);
	CU_ASSERT_PTR_NOT_NULL_FATAL(event.challenge);
	CU_ASSERT_STRING_EQUAL(event.challenge, CHALLENGE);
	CU_ASSERT_EQUAL(event.report.kind, REPORT_OTHER);
	CU_ASSERT_STRING_EQUAL(provider_zoom_webhook_answer(arena, event.challenge, SECRET),
		"{\"plainToken\":\"" CHALLENGE "\",\"encryptedToken\":\"" PROOF "\"}");
	arena_free(&arena);
}

static void test_what_is_checked_first(void)
{
	static const struct {
		const char *name, *secret, *timestamp, *body, *reply;
		bool is_json;
		enum err err;
	} cases[] = {
		{"an event", SECRET, TS, BODY, "{}", true, ERR_OK},
		{"nobody's key", NULL, TS, BODY, NULL, true, ERR_UNAUTHENTICATED},
		{"an empty key", "", TS, BODY, NULL, true, ERR_UNAUTHENTICATED},
		{"not signed, of another kind", SECRET, "1", BODY, NULL, false,
			ERR_UNAUTHENTICATED},
		{"not signed, and no event", SECRET, TS, "{", NULL, true, ERR_UNAUTHENTICATED},
		{"of another kind", SECRET, TS, BODY, NULL, false, ERR_UNSUPPORTED_MEDIA},
	};
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct provider_message message = message_of(cases[i].body);
		struct provider_event event = {0};
		struct err_info info = {0};
		struct arena *arena = arena_new();
		struct config config;
		const struct provider_call call = {
			.arena = arena, .config = &config, .provider = &provider_zoom, .now = NOW};

		message.headers[PROVIDER_ZOOM_TIMESTAMP] = cases[i].timestamp;
		message.is_json = cases[i].is_json;
		config_init(arena, &config);
		if (cases[i].secret)
			config_set_text(arena, &config.credentials, "zoom", "webhook_secret",
				cases[i].secret);
		UNIT_CHECK(provider_zoom.webhook(&call, &message, &event, &info) == cases[i].err,
			cases[i].name);
		UNIT_CHECK((event.reply != NULL) == (cases[i].reply != NULL), cases[i].name);
		if (event.reply && cases[i].reply)
			UNIT_CHECK(strcmp(event.reply, cases[i].reply) == 0, cases[i].name);
		UNIT_CHECK(event.report.kind == (cases[i].reply ? REPORT_STARTED : REPORT_OTHER),
			cases[i].name);
		arena_free(&arena);
	}
}

static const struct unit_case cases[] = {
	{"signatures", test_verify},
	{"every bit counts", test_every_bit_counts},
	{"events", test_read},
	{"what is no event", test_what_is_no_event},
	{"what tells events apart", test_what_tells_events_apart},
	{"a challenge", test_challenge},
	{"what is checked first", test_what_is_checked_first},
};

UNIT_MAIN("provider_zoom_webhook", cases)
