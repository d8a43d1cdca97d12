#define _GNU_SOURCE /* asprintf, strcasestr */
#include <ctype.h>

#include "zoom_unit.h"

/* The passcode and the mark of KEY, as a first POST has them. */
static char passcode[16], mark[64];

static void learn(void)
{
	static const struct step steps[] = {{"POST ", 400, "{}", NULL}, {0}};
	struct json_object *json;
	struct bench bench;

	bench_init(&bench, "learn", steps);
	create(&bench, false);
	json = sent_json(&bench, 0);
	snprintf(passcode, sizeof(passcode), "%s",
		provider_json_text(bench.arena, json, "password"));
	snprintf(mark, sizeof(mark), "%s", provider_json_text(bench.arena, json, "agenda"));
	bench_fini(&bench);
}

/* Making. */

static void check_bool(struct json_object *json, const char *path, bool expected)
{
	bool on = !expected;

	UNIT_CHECK(provider_json_bool(json, path, &on) && on == expected, path);
}

static void check_text(
	struct bench *bench, struct json_object *json, const char *path, const char *expected)
{
	const char *text = provider_json_text(bench->arena, json, path);

	UNIT_CHECK(text && strcmp(text, expected) == 0, path);
}

static void test_create(void)
{
	static const struct step steps[] = {
		{CREATE, 201,
			MEETING("\"start_url\":\"https://zoom.us/s/1?zak=" SECRET "\","
				"\"settings\":{\"waiting_room\":true,\"join_before_host\":false,"
				"\"mute_upon_entry\":true,\"host_video\":false,"
				"\"meeting_authentication\":true,"
				"\"alternative_hosts\":\"C@D.example; a@b.example\","
				"\"global_dial_in_numbers\":[{\"number\":\"+49 69 7104 9922\","
				"\"country_name\":\"Germany\"},{\"number\":\"+1 "
				"2\\n3\"},{\"x\":1},7,"
				"{\"number\":\"+1 646 558 8656\"}]}"),
			NULL},
		{0}};
	struct json_object *json;
	struct bench bench;

	bench_init(&bench, "create", steps);
	set(&bench, "authentication", "signed_in");
	set(&bench, "alternative_hosts", "a@b.example;c@d.example");
	CU_ASSERT_EQUAL(create(&bench, false), ERR_OK);
	json = sent_json(&bench, 0);
	check_text(&bench, json, "topic", "Lease dispute");
	check_text(&bench, json, "type", "2");
	check_text(&bench, json, "start_time", "2027-03-02T14:00:00Z");
	check_text(&bench, json, "timezone", "Europe/Berlin");
	check_text(&bench, json, "duration", "60");
	check_text(&bench, json, "password", passcode);
	check_text(&bench, json, "settings.approval_type", "2");
	check_text(&bench, json, "settings.auto_recording", "none");
	check_text(&bench, json, "settings.audio", "both");
	check_text(&bench, json, "settings.alternative_hosts", "a@b.example;c@d.example");
	check_bool(json, "settings.waiting_room", true);
	check_bool(json, "settings.join_before_host", false);
	check_bool(json, "settings.mute_upon_entry", true);
	check_bool(json, "settings.host_video", false);
	check_bool(json, "settings.participant_video", false);
	check_bool(json, "settings.meeting_authentication", true);
	check_bool(json, "settings.use_pmi", false);
	check_bool(json, "settings.email_notification", false);
	check_bool(json, "settings.alternative_hosts_email_notification", false);

	CU_ASSERT_STRING_EQUAL(bench.link.url, "https://us05web.zoom.us/j/" NUMBER "?pwd=x.1");
	CU_ASSERT_STRING_EQUAL(bench.link.external_id, NUMBER);
	CU_ASSERT_STRING_EQUAL(bench.link.account, "account-1");
	CU_ASSERT_STRING_EQUAL(bench.link.passcode, "Pass12");
	CU_ASSERT_EQUAL(bench.link.warnings.count, 0);
	CU_ASSERT_EQUAL_FATAL(bench.link.dial_in.count, 2);
	CU_ASSERT_STRING_EQUAL(*MODEL_AT(&bench.link.dial_in, const char *, 0),
		"+49 69 7104 9922 (Germany), ID " NUMBER);
	CU_ASSERT_STRING_EQUAL(
		*MODEL_AT(&bench.link.dial_in, const char *, 1), "+1 646 558 8656, ID " NUMBER);
	bench_fini(&bench);
}

/* A telephone has digits only: it takes the passcode in that form or not at all. */
static void test_dial_in(void)
{
	static const struct {
		const char *name, *more, *text;
	} cases[] = {
		{"none", "", "+49 69 1, ID " NUMBER},
		{"digits", "\"pstn_password\":\"012345\",", "+49 69 1, ID " NUMBER ", PIN 012345"},
		{"a number", "\"pstn_password\":123456,", "+49 69 1, ID " NUMBER ", PIN 123456"},
		{"empty", "\"pstn_password\":\"\",", "+49 69 1, ID " NUMBER},
		{"no digits", "\"pstn_password\":\"12a\",", "+49 69 1, ID " NUMBER},
	};
	struct bench bench;
	char body[1024];
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct step steps[] = {{CREATE, 201, body, NULL}, {0}};

		snprintf(body, sizeof(body),
			MEETING("%s\"settings\":{\"waiting_room\":true,\"join_before_host\":false,"
				"\"mute_upon_entry\":true,\"host_video\":false,"
				"\"meeting_authentication\":false,"
				"\"global_dial_in_numbers\":[{\"number\":\"+49 69 1\"}]}"),
			cases[i].more);
		bench_init(&bench, cases[i].name, steps);
		UNIT_CHECK(create(&bench, false) == ERR_OK, cases[i].name);
		CU_ASSERT_EQUAL_FATAL(bench.link.dial_in.count, 1);
		UNIT_CHECK(
			strcmp(*MODEL_AT(&bench.link.dial_in, const char *, 0), cases[i].text) == 0,
			cases[i].name);
		bench_fini(&bench);
	}
}

static void test_limits(void)
{
	static const struct {
		const char *name, *letter;
		size_t topic; /* how often the letter fits */
	} cases[] = {
		{"ASCII", "a", 200},
		{"two bytes", "\xc3\xa9", 200},
		{"three bytes", "\xe2\x82\xac", 200},
		{"outside the BMP", "\xf0\x9f\x98\x80", 100},
	};
	static const struct step steps[] = {{CREATE, 201, MADE, NULL}, {0}};
	struct json_object *json;
	char text[16 * 1024 + 1];
	struct bench bench;
	size_t i, len;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		len = strlen(cases[i].letter);
		text[0] = '\0';
		while (strlen(text) < 4000 * len)
			strcat(text, cases[i].letter);
		bench_init(&bench, cases[i].name, steps);
		bench.request.title = bench.request.description = text;
		bench.request.ends_at = START + 30 * INSTANT_HOUR;
		UNIT_CHECK(create(&bench, false) == ERR_OK, cases[i].name);
		json = sent_json(&bench, 0);
		UNIT_CHECK(strlen(provider_json_text(bench.arena, json, "topic")) ==
				   cases[i].topic * len,
			cases[i].name);
		/* What the client wrote about the case stays here. */
		check_text(&bench, json, "agenda", mark);
		check_text(&bench, json, "duration", "1440");
		bench_fini(&bench);
	}
}

/* The same at every attempt, another for every meeting, and nothing that tells the key. */
static void test_passcode(void)
{
	enum { COUNT = 64 };
	static const struct step steps[] = {
		{CREATE, 400, "{}", NULL}, {CREATE, 400, "{}", NULL}, {0}};
	char seen[COUNT][16], key[ID_SIZE];
	unsigned char bytes[ID_BYTES] = {0};
	const char *code, *c;
	struct bench bench;
	bool upper, lower, digit;
	int i, j;

	for (i = 0; i < COUNT; i++) {
		bytes[0] = (unsigned char)i;
		id_encode(bytes, key);
		bench_init(&bench, key, steps);
		bench.meeting.provider_key = key;
		create(&bench, false);
		create(&bench, false);
		UNIT_CHECK(strcmp(sent_body(&bench, 0), sent_body(&bench, 1)) == 0, key);
		UNIT_CHECK(!strstr(sent_body(&bench, 0), key), key);
		code = provider_json_text(bench.arena, sent_json(&bench, 0), "password");
		upper = lower = digit = false;
		for (c = code; *c; c++) {
			upper |= isupper((unsigned char)*c) != 0;
			lower |= islower((unsigned char)*c) != 0;
			digit |= isdigit((unsigned char)*c) != 0;
			UNIT_CHECK(isalnum((unsigned char)*c), code);
		}
		UNIT_CHECK(strlen(code) == 10 && upper && lower && digit, code);
		snprintf(seen[i], sizeof(seen[i]), "%s", code);
		for (j = 0; j < i; j++)
			UNIT_CHECK(strcmp(seen[i], seen[j]) != 0, code);
		bench_fini(&bench);
	}

	bench_init(&bench, "without", steps);
	bench.security.passcode_required = false;
	create(&bench, false);
	CU_ASSERT_PTR_NULL(provider_json_text(bench.arena, sent_json(&bench, 0), "password"));
	bench.security.passcode_required = true;
	bench.meeting.passcode = "another provider's";
	create(&bench, false);
	CU_ASSERT_STRING_EQUAL(
		provider_json_text(bench.arena, sent_json(&bench, 1), "password"), passcode);
	bench_fini(&bench);
}

/* What was asked for, what the answer and then a GET say, and what is warned about. */
static void test_echo(void)
{
#define ECHO_SETTINGS(room, early)                                                                 \
	"\"settings\":{\"waiting_room\":" room ",\"join_before_host\":" early                      \
	",\"mute_upon_entry\":true,\"host_video\":false,\"meeting_authentication\":false}"
#define BARE(id, url, more) "{\"id\":" id ",\"join_url\":\"" url "\"" more "}"
#define LINK                "https://zoom.us/j/1"
	static const struct {
		const char *name, *made;
		int get_status;
		const char *get;
		enum err err;
		const char *warning; /* NULL: none */
		bool early;          /* join_before_host is asked for */
	} cases[] = {
		{"as asked", MADE, 0, NULL, ERR_OK, NULL, false},
		{"id as text", BARE("\"" NUMBER "\"", LINK, ",\"password\":\"p\"," SETTINGS), 0,
			NULL, ERR_OK, NULL, false},
		{"room not granted", MEETING(ECHO_SETTINGS("false", "false")), 0, NULL, ERR_OK,
			"waiting_room: Zoom did not switch on the waiting room.", false},
		{"early entry", MEETING(ECHO_SETTINGS("true", "true")), 0, NULL, ERR_OK,
			"join_before_host: Zoom switched on joining before the host", false},
		{"the room wins", MADE, 0, NULL, ERR_OK, "join_before_host: Zoom's waiting room",
			true},
		{"nothing said, then all", BARE(NUMBER, LINK, ""), 200, MADE, ERR_OK, NULL, false},
		{"nothing said, then less", BARE(NUMBER, LINK, ""), 200,
			MEETING(ECHO_SETTINGS("false", "false")), ERR_OK, "waiting_room: ", false},
		{"never said", BARE(NUMBER, LINK, ""), 200,
			BARE(NUMBER, LINK, ",\"password\":\"p\""), ERR_OK,
			"waiting_room: Zoom does not say", false},
		{"nothing said, then trouble", BARE(NUMBER, LINK, ""), 503, "", ERR_OK,
			"passcode_required: Zoom set no passcode.", false},
		{"no settings at all", BARE(NUMBER, LINK, ",\"settings\":[]"), 404,
			"{\"code\":3001}", ERR_OK, "mute_on_entry: ", false},
		{"link on asking", BARE(NUMBER, "", ""), 200, MADE, ERR_OK, NULL, false},
		{"no link", BARE(NUMBER, "", ""), 200, BARE(NUMBER, "", ""), ERR_OUTCOME_UNKNOWN,
			NULL, false},
		{"no link, then trouble", BARE(NUMBER, "", ""), 500, "", ERR_OUTCOME_UNKNOWN, NULL,
			false},
		{"plain http", BARE(NUMBER, "http://zoom.us/j/1", "," SETTINGS), 200,
			BARE(NUMBER, "http://zoom.us/j/1", ""), ERR_OUTCOME_UNKNOWN, NULL, false},
		{"script", BARE(NUMBER, "javascript:hostile", ""), 200,
			BARE(NUMBER, "https://x y", ""), ERR_OUTCOME_UNKNOWN, NULL, false},
		{"no id", "{" JOIN "," SETTINGS "}", 0, NULL, ERR_OUTCOME_UNKNOWN, NULL, false},
		{"odd id", BARE("\"1/../2\"", LINK, ""), 0, NULL, ERR_OUTCOME_UNKNOWN, NULL, false},
		{"negative id", BARE("-1", LINK, ""), 0, NULL, ERR_OUTCOME_UNKNOWN, NULL, false},
		{"huge id", BARE("\"12345678901234567890\"", LINK, ""), 0, NULL,
			ERR_OUTCOME_UNKNOWN, NULL, false},
		{"a list", "[" MADE "]", 0, NULL, ERR_OUTCOME_UNKNOWN, NULL, false},
		{"HTML", "<html>hostile</html>", 0, NULL, ERR_OUTCOME_UNKNOWN, NULL, false},
	};
	struct bench bench;
	enum err err;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct step steps[] = {{CREATE, 201, cases[i].made, NULL},
			{cases[i].get_status ? GET : NULL, cases[i].get_status, cases[i].get, NULL},
			{0}};

		bench_init(&bench, cases[i].name, steps);
		bench.security.join_before_host = cases[i].early;
		err = create(&bench, false);
		UNIT_CHECK(err == cases[i].err, cases[i].name);
		if (err == ERR_OK)
			UNIT_CHECK(strncmp(bench.link.url, "https://", 8) == 0, cases[i].name);
		UNIT_CHECK(cases[i].warning ? has_warning(&bench.link, cases[i].warning)
					    : bench.link.warnings.count == 0,
			cases[i].name);
		bench_fini(&bench);
	}
}

static void test_hosts(void)
{
	static const struct {
		const char *asked, *granted;
		bool ok;
	} cases[] = {
		{"a@b.example", "a@b.example", true},
		{"a@b.example;c@d.example", "c@d.example;a@b.example", true},
		{"a@b.example;c@d.example", "c@d.example", false},
		{"a@b.example", "xa@b.example", false},
		{"a@b.example", "a@b.example.org", false},
		{"a@b.example", "", false},
	};
	struct bench bench;
	char body[512];
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct step steps[] = {{CREATE, 201, body, NULL}, {0}};

		snprintf(body, sizeof(body),
			MEETING("\"settings\":{\"waiting_room\":true,\"join_before_host\":false,"
				"\"mute_upon_entry\":true,\"host_video\":false,"
				"\"meeting_authentication\":false,\"alternative_hosts\":\"%s\"}"),
			cases[i].granted);
		bench_init(&bench, cases[i].granted, steps);
		set(&bench, "alternative_hosts", cases[i].asked);
		UNIT_CHECK(create(&bench, false) == ERR_OK, cases[i].granted);
		UNIT_CHECK(has_warning(&bench.link, "alternative_hosts: ") == !cases[i].ok,
			cases[i].granted);
		bench_fini(&bench);
	}
}

/* Looking up what an earlier attempt may have made. */

/* The text with the mark for each @. */
static const char *page(const char *text)
{
	static char pages[4][2048];
	static int used;
	char *to = pages[used++ % 4], *const start = to;

	for (; *text; text++)
		if (*text == '@')
			to = stpcpy(to, mark);
		else
			*to++ = *text;
	*to = '\0';
	return start;
}

static void test_repeated(void)
{
	const char *marked = page("{\"meetings\":[" OTHER "," MARKED "],\"next_page_token\":\"\"}");
	const char *two = page("{\"meetings\":[" MARKED ",{\"id\":77,\"agenda\":\"@\"}]}");
	static const char busy[] = "{\"code\":429,\"message\":\"You have reached the maximum "
				   "per-second rate limit for this API. Try again later.\"}";
	static const char gone[] = "{\"code\":3001,\"message\":\"Meeting does not exist.\"}";
	static const char moved[] =
		"{\"id\":" NUMBER ",\"topic\":\"Lease dispute\",\"start_time\":"
		"\"2027-03-02T09:00:00Z\",\"duration\":60," JOIN "," SETTINGS "}";
	const struct {
		const char *name;
		struct step steps[6];
		enum err err;
	} cases[] = {
		{"none", {{LIST, 200, NONE, NULL}, {CREATE, 201, MADE, NULL}}, ERR_OK},
		{"no meetings", {{LIST, 200, "{\"meetings\":[]}", NULL}, {CREATE, 201, MADE, NULL}},
			ERR_OK},
		{"found", {{LIST, 200, marked, NULL}, {GET, 200, MADE, NULL}}, ERR_OK},
		{"found later",
			{{LIST " HTTP", 200, "{\"meetings\":[],\"next_page_token\":\"a&b=c\"}",
				 NULL},
				{LIST "&next_page_token=a%26b%3Dc HTTP", 200, marked, NULL},
				{GET, 200, MADE, NULL}},
			ERR_OK},
		{"moved meanwhile",
			{{LIST, 200, marked, NULL}, {GET, 200, moved, NULL}, {PATCH, 204, "", NULL},
				{GET, 200, MADE, NULL}},
			ERR_OK},
		{"listed but gone",
			{{LIST, 200, marked, NULL}, {GET, 404, gone, NULL},
				{CREATE, 201, MADE, NULL}},
			ERR_OK},
		{"two",
			{{LIST, 200, two, NULL}, {GET, 200, MADE, NULL},
				{"DELETE /v2/meetings/77?", 500, "", NULL}},
			ERR_OK},
		{"two, the first gone",
			{{LIST, 200, two, NULL}, {GET, 404, gone, NULL},
				{"GET /v2/meetings/77 ", 200, MADE, NULL}},
			ERR_OK},
		{"list busy", {{LIST, 429, busy, NULL}}, ERR_OUTCOME_UNKNOWN},
		{"list away", {{LIST, 502, "<html>", NULL}}, ERR_OUTCOME_UNKNOWN},
		{"list hangs up", {{LIST, 0, "", NULL}}, ERR_OUTCOME_UNKNOWN},
		{"no list", {{LIST, 200, "{}", NULL}}, ERR_OUTCOME_UNKNOWN},
		{"meetings are no list", {{LIST, 200, "{\"meetings\":{}}", NULL}},
			ERR_OUTCOME_UNKNOWN},
		{"odd id",
			{{LIST, 200, page("{\"meetings\":[{\"id\":\"../x\",\"agenda\":\"@\"}]}"),
				NULL}},
			ERR_OUTCOME_UNKNOWN},
		{"no such host", {{LIST, 404, "{\"code\":1001,\"message\":\"hostile\"}", NULL}},
			ERR_CREDENTIAL},
		{"GET away", {{LIST, 200, marked, NULL}, {GET, 503, "", NULL}},
			ERR_OUTCOME_UNKNOWN},
	};
	struct bench bench;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		bench_init(&bench, cases[i].name, cases[i].steps);
		UNIT_CHECK(create(&bench, true) == cases[i].err, cases[i].name);
		if (cases[i].err == ERR_OK)
			UNIT_CHECK(strcmp(bench.link.external_id, NUMBER) == 0, cases[i].name);
		else
			UNIT_CHECK(bench.info.err == cases[i].err, cases[i].name);
		bench_fini(&bench);
	}
}

static void test_endless_pages(void)
{
	struct step steps[21] = {{0}};
	struct bench bench;
	int i;

	for (i = 0; i < 20; i++)
		steps[i] = (struct step){
			LIST, 200, "{\"meetings\":[],\"next_page_token\":\"again\"}", NULL};
	bench_init(&bench, "endless", steps);
	CU_ASSERT_EQUAL(create(&bench, true), ERR_OUTCOME_UNKNOWN);
	bench_fini(&bench);
}

/* Which answer means what. */

enum operation { OP_CREATE, OP_UPDATE, OP_REMOVE, OP_READ, OP_HOST_URL };

static enum err operate(struct bench *bench, enum operation operation)
{
	struct provider_target target = {.provider_key = KEY,
		.external_id = bench->meeting.external_id,
		.account = bench->meeting.account};
	struct provider_state state = {0};
	const char *url;

	switch (operation) {
	case OP_CREATE:
		return create(bench, false);
	case OP_UPDATE:
		return provider_zoom.update(
			&bench->call, planned(bench), &bench->link, &bench->info);
	case OP_REMOVE:
		return provider_zoom.remove(&bench->call, &target, &bench->info);
	case OP_READ:
		return provider_zoom.read(&bench->call, planned(bench), &state, &bench->info);
	default:
		return provider_zoom.host_url(&bench->call, planned(bench), &url, &bench->info);
	}
}

static void test_errors(void)
{
	static const char *const lines[] = {CREATE, PATCH, DELETE, GET, GET};
	static const char daily[] =
		"{\"code\":429,\"message\":\"You have exceeded the daily rate "
		"limit (100) of Meeting Create/Update API requests permitted for "
		"this particular user. You may resume these requests at GMT "
		"00:00:00.\"}";
	static const char account[] =
		"{\"code\":429,\"message\":\"You have reached the maximum daily "
		"rate limit for this API.\"}";
	static const char second[] = "{\"code\":429,\"message\":\"You have reached the maximum "
				     "per-second rate limit for this API. Try again later.\"}";
	static const char lock[] = "{\"code\":429,\"message\":\"Too many concurrent requests. A "
				   "request to disassociate hostile\"}";
	static const struct {
		enum operation operation;
		int status;
		const char *body, *header;
		enum err err;
		int retry_after_s;
	} cases[] = {
		{OP_CREATE, 429, daily, NULL, ERR_UNAVAILABLE, 10 * 3600},
		{OP_CREATE, 429, account, NULL, ERR_UNAVAILABLE, 10 * 3600},
		{OP_CREATE, 429, daily, "Retry-After: 120", ERR_UNAVAILABLE, 120},
		{OP_UPDATE, 429, daily, NULL, ERR_UNAVAILABLE, 10 * 3600},
		{OP_CREATE, 429, second, NULL, ERR_TEMPORARY, 0},
		{OP_CREATE, 429, "{\"code\":4001,\"message\":\"slow\"}", NULL, ERR_TEMPORARY, 0},
		{OP_CREATE, 429, lock, NULL, ERR_TEMPORARY, 0},
		{OP_CREATE, 429, "<html>", "Retry-After: 7", ERR_TEMPORARY, 7},
		{OP_CREATE, 409, "{\"code\":409}", NULL, ERR_TEMPORARY, 0},
		{OP_CREATE, 500, "{\"code\":1}", NULL, ERR_OUTCOME_UNKNOWN, 0},
		{OP_CREATE, 502, "<html>hostile</html>", NULL, ERR_OUTCOME_UNKNOWN, 0},
		{OP_CREATE, 503, "<html>hostile</html>", NULL, ERR_OUTCOME_UNKNOWN, 0},
		{OP_CREATE, 0, "", NULL, ERR_OUTCOME_UNKNOWN, 0},
		{OP_CREATE, 302, "", "Location: http://127.0.0.1/", ERR_PERMANENT, 0},
		{OP_CREATE, 400, "{\"code\":300,\"message\":\"Validation Failed.\"}", NULL,
			ERR_PERMANENT, 0},
		{OP_CREATE, 400, "{\"code\":200,\"message\":\"No permission\"}", NULL,
			ERR_CREDENTIAL, 0},
		{OP_CREATE, 400, "{\"code\":1010}", NULL, ERR_CREDENTIAL, 0},
		{OP_CREATE, 400, "{\"code\":3000}", NULL, ERR_CREDENTIAL, 0},
		{OP_CREATE, 400, "{\"code\":\"3161\"}", NULL, ERR_CREDENTIAL, 0},
		{OP_CREATE, 403, "{\"code\":3001}", NULL, ERR_CREDENTIAL, 0},
		{OP_CREATE, 404, "{\"code\":1001}", NULL, ERR_CREDENTIAL, 0},
		{OP_CREATE, 404, "<html>", NULL, ERR_CREDENTIAL, 0},
		{OP_UPDATE, 404, "{\"code\":3001}", NULL, ERR_GONE, 0},
		{OP_UPDATE, 404, "{\"code\":1001}", NULL, ERR_CREDENTIAL, 0},
		{OP_UPDATE, 403, "{\"code\":3001}", NULL, ERR_CREDENTIAL, 0},
		{OP_UPDATE, 400, "{\"code\":3000}", NULL, ERR_PERMANENT, 0},
		{OP_UPDATE, 400, "{\"code\":3002}", NULL, ERR_TEMPORARY, 0},
		{OP_UPDATE, 400, "{\"code\":3007}", NULL, ERR_GONE, 0},
		{OP_UPDATE, 500, "<html>", NULL, ERR_TEMPORARY, 0},
		{OP_UPDATE, 0, "", NULL, ERR_TEMPORARY, 0},
		{OP_REMOVE, 204, "", NULL, ERR_OK, 0},
		{OP_REMOVE, 404, "{\"code\":3001}", NULL, ERR_OK, 0},
		{OP_REMOVE, 410, "", NULL, ERR_OK, 0},
		{OP_REMOVE, 400, "{\"code\":3007}", NULL, ERR_OK, 0},
		{OP_REMOVE, 400, "{\"code\":3018}", NULL, ERR_PERMANENT, 0},
		{OP_REMOVE, 403, "{\"code\":3001}", NULL, ERR_CREDENTIAL, 0},
		{OP_REMOVE, 502, "", NULL, ERR_TEMPORARY, 0},
		{OP_REMOVE, 0, "", NULL, ERR_TEMPORARY, 0},
		{OP_READ, 404, "{\"code\":3001}", NULL, ERR_GONE, 0},
		{OP_READ, 500, "{}", NULL, ERR_TEMPORARY, 0},
		{OP_READ, 200, "<html>", NULL, ERR_TEMPORARY, 0},
		{OP_HOST_URL, 404, "{\"code\":3001}", NULL, ERR_GONE, 0},
		{OP_HOST_URL, 200, "{\"start_url\":\"http://zoom.us/s/1\"}", NULL, ERR_PERMANENT,
			0},
		{OP_HOST_URL, 200, "{}", NULL, ERR_PERMANENT, 0},
	};
	struct bench bench;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct step steps[] = {{lines[cases[i].operation], cases[i].status,
						     cases[i].body, cases[i].header},
			{0}};
		char name[128];

		snprintf(name, sizeof(name), "%.12s %d %.80s", lines[cases[i].operation],
			cases[i].status, cases[i].body);
		bench_init(&bench, name, steps);
		bench.call.now++; /* amid a second: still not before midnight */
		bench.meeting.external_id = NUMBER;
		bench.meeting.account = "account-1";
		UNIT_CHECK(operate(&bench, cases[i].operation) == cases[i].err, name);
		if (cases[i].err != ERR_OK) {
			UNIT_CHECK(bench.info.err == cases[i].err, name);
			UNIT_CHECK(strncmp(bench.info.detail, "Zoom: ", 6) == 0, name);
			UNIT_CHECK(bench.info.retry_after_s == cases[i].retry_after_s, name);
		}
		bench_fini(&bench);
	}
}

/* Whose meeting is asked about: not ours to touch, or none yet. Zoom is not even asked. */
static void test_strangers(void)
{
	static const struct step silence[] = {{0}};
	struct bench bench;
	int operation;

	for (operation = OP_UPDATE; operation <= OP_HOST_URL; operation++) {
		bench_init(&bench, "another account", silence);
		bench.meeting.external_id = NUMBER;
		bench.meeting.account = "account-0";
		CU_ASSERT_EQUAL(operate(&bench, operation), ERR_UNAVAILABLE);
		bench_fini(&bench);
		if (operation == OP_REMOVE)
			continue;
		bench_init(&bench, "not made", silence);
		CU_ASSERT_EQUAL(operate(&bench, operation), ERR_GONE);
		bench_fini(&bench);
	}
	bench_init(&bench, "a user's app", silence);
	CU_ASSERT_STRING_EQUAL(provider_zoom.account(&bench.call), "account-1");
	set(&bench, "account_id", NULL);
	CU_ASSERT_STRING_EQUAL(provider_zoom.account(&bench.call), "client-1");
	bench_fini(&bench);
}

/* Changing, reading, deleting. */

static void test_update(void)
{
	static const struct step steps[] = {{PATCH, 204, "", NULL},
		{GET, 200, MEETING(ECHO_SETTINGS("false", "false")), NULL}, {0}};
	static const struct step away[] = {{PATCH, 204, "", NULL}, {GET, 503, "", NULL}, {0}};
	struct json_object *json;
	struct bench bench;

	bench_init(&bench, "update", steps);
	bench.meeting.external_id = NUMBER;
	bench.meeting.passcode = "Told-1";
	CU_ASSERT_EQUAL(operate(&bench, OP_UPDATE), ERR_OK);
	json = sent_json(&bench, 0);
	check_text(&bench, json, "topic", "Lease dispute");
	check_text(&bench, json, "start_time", "2027-03-02T14:00:00Z");
	check_text(&bench, json, "timezone", "Europe/Berlin");
	check_text(&bench, json, "duration", "60");
	check_text(&bench, json, "password", "Told-1");
	check_bool(json, "settings.waiting_room", true);
	CU_ASSERT_STRING_EQUAL(bench.link.external_id, NUMBER);
	CU_ASSERT_STRING_EQUAL(bench.link.passcode, "Pass12");
	CU_ASSERT(has_warning(&bench.link, "waiting_room: "));
	/* Which it is by now is what people are told. */
	CU_ASSERT(!has_warning(&bench.link, "passcode_required: "));
	bench_fini(&bench);

	bench_init(&bench, "not read back", away);
	bench.meeting.external_id = NUMBER;
	CU_ASSERT_EQUAL(operate(&bench, OP_UPDATE), ERR_TEMPORARY);
	bench_fini(&bench);
}

static void test_remove(void)
{
	const char *two = page("{\"meetings\":[" MARKED ",{\"id\":77,\"agenda\":\"x\\n@\"}]}");
	static const char going_on[] = "{\"code\":3002,\"message\":\"Meeting is in progress.\"}";
	static const char ended[] = "{\"code\":3007,\"message\":\"This meeting has ended.\"}";
	const struct {
		const char *name, *external_id;
		struct step steps[5];
		enum err err;
	} cases[] = {
		{"going on", NUMBER,
			{{DELETE, 400, going_on, NULL}, {END, 204, "", NULL},
				{DELETE, 204, "", NULL}},
			ERR_OK},
		{"just ended", NUMBER,
			{{DELETE, 400, going_on, NULL}, {END, 400, ended, NULL},
				{DELETE, 404, "{\"code\":3001}", NULL}},
			ERR_OK},
		{"still going on", NUMBER,
			{{DELETE, 400, going_on, NULL}, {END, 204, "", NULL},
				{DELETE, 400, going_on, NULL}},
			ERR_TEMPORARY},
		{"may not end it", NUMBER, {{DELETE, 400, going_on, NULL}, {END, 403, "{}", NULL}},
			ERR_CREDENTIAL},
		{"never learnt, none", NULL, {{LIST, 200, NONE, NULL}}, ERR_OK},
		{"never learnt, two", NULL,
			{{LIST, 200, two, NULL}, {DELETE, 204, "", NULL},
				{"DELETE /v2/meetings/77?", 404, "{\"code\":3001}", NULL}},
			ERR_OK},
		{"never learnt, one stays", NULL, {{LIST, 200, two, NULL}, {DELETE, 500, "", NULL}},
			ERR_TEMPORARY},
		{"never learnt, no list", NULL, {{LIST, 503, "", NULL}}, ERR_TEMPORARY},
		{"odd id", "1/../../users/me",
			{{"DELETE /v2/meetings/1%2F..%2F..%2Fusers%2Fme?", 204, "", NULL}}, ERR_OK},
	};
	struct bench bench;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		bench_init(&bench, cases[i].name, cases[i].steps);
		bench.meeting.external_id = cases[i].external_id;
		UNIT_CHECK(operate(&bench, OP_REMOVE) == cases[i].err, cases[i].name);
		bench_fini(&bench);
	}
}

static void test_read(void)
{
	static const struct {
		const char *name, *body;
		int64_t starts_at, ends_at;
		const char *drift; /* NULL: none */
		bool free;         /* no passcode is asked for */
	} cases[] = {
		{"as asked", MADE, START, START + INSTANT_HOUR, NULL, false},
		{"moved",
			"{\"password\":\"Pass12\",\"start_time\":\"2027-03-02T15:00:00Z\","
			"\"duration\":\"30\"," SETTINGS "}",
			START + INSTANT_HOUR, START + 90 * INSTANT_MINUTE, NULL, false},
		{"no duration", "{\"start_time\":\"2027-03-02T14:00:00Z\",\"password\":\"Pass12\"}",
			START, 0, NULL, false},
		{"mad duration",
			"{\"start_time\":\"2027-03-02T14:00:00Z\",\"password\":\"Pass12\","
			"\"duration\":9223372036854775807}",
			START, 0, NULL, false},
		{"no times", "{\"password\":\"Pass12\",\"start_time\":7}", 0, 0, NULL, false},
		{"room off", MEETING(ECHO_SETTINGS("false", "false")), START, START + INSTANT_HOUR,
			"waiting_room", false},
		{"other passcode", "{\"password\":\"x\"," TIMES "," SETTINGS "}", START,
			START + INSTANT_HOUR, "passcode_required", false},
		{"no passcode", "{\"password\":\"\"," TIMES "," SETTINGS "}", START,
			START + INSTANT_HOUR, "passcode_required", false},
		{"as drawn", MADE, START, START + INSTANT_HOUR, NULL, true},
		{"other than drawn", "{\"password\":\"x\"," TIMES "," SETTINGS "}", START,
			START + INSTANT_HOUR, "passcode_required", true},
		{"nothing drawn any more", "{\"password\":\"\"," TIMES "," SETTINGS "}", START,
			START + INSTANT_HOUR, NULL, true},
		{"other link",
			"{\"password\":\"Pass12\",\"join_url\":\"https://zoom.us/j/1?pwd=y\"," TIMES
			"," SETTINGS "}",
			START, START + INSTANT_HOUR, "join_url", false},
		{"no link to go by",
			"{\"password\":\"Pass12\",\"join_url\":\"http://zoom.us/j/1\"," TIMES
			"," SETTINGS "}",
			START, START + INSTANT_HOUR, NULL, false},
	};
	struct provider_state state;
	struct bench bench;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct step steps[] = {{GET, 200, cases[i].body, NULL}, {0}};

		bench_init(&bench, cases[i].name, steps);
		bench.meeting.external_id = NUMBER;
		bench.meeting.passcode = "Pass12";
		bench.meeting.provider_url = "https://us05web.zoom.us/j/" NUMBER "?pwd=x.1";
		bench.security.passcode_required = !cases[i].free;
		state = (struct provider_state){0};
		UNIT_CHECK(provider_zoom.read(&bench.call, planned(&bench), &state, &bench.info) ==
				   ERR_OK,
			cases[i].name);
		UNIT_CHECK(state.starts_at == cases[i].starts_at, cases[i].name);
		UNIT_CHECK(state.ends_at == cases[i].ends_at, cases[i].name);
		UNIT_CHECK(state.drift.count == (cases[i].drift != NULL), cases[i].name);
		if (state.drift.count == 1)
			UNIT_CHECK(strcmp(*MODEL_AT(&state.drift, const char *, 0),
					   cases[i].drift) == 0,
				cases[i].name);
		bench_fini(&bench);
	}
}

/* What was never granted is no drift, or it would be repaired for ever. */
static void test_read_warned(void)
{
	static const struct {
		const char *name, *setting, *warned;
		size_t drift;
	} cases[] = {
		{"as warned", "waiting_room", "Zoom did not switch on the waiting room.", 0},
		{"warned of another", "mute_on_entry", "Zoom did not switch on muting on entry.",
			1},
		{"warned of the contrary", "waiting_room",
			"Zoom switched on the waiting room, which was not asked for.", 1},
	};
	const struct step steps[] = {
		{GET, 200, MEETING(ECHO_SETTINGS("false", "false")), NULL}, {0}};
	struct provider_state state;
	struct bench bench;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		bench_init(&bench, cases[i].name, steps);
		bench.meeting.external_id = NUMBER;
		provider_warn(bench.arena, &bench.link, cases[i].setting, cases[i].warned);
		bench.meeting.warnings = bench.link.warnings;
		state = (struct provider_state){0};
		UNIT_CHECK(provider_zoom.read(&bench.call, planned(&bench), &state, &bench.info) ==
				   ERR_OK,
			cases[i].name);
		UNIT_CHECK(state.drift.count == cases[i].drift, cases[i].name);
		bench_fini(&bench);
	}
}

static void test_host_url(void)
{
	static const struct step steps[] = {
		{GET, 200, "{\"start_url\":\"https://zoom.us/s/1?zak=abc\"}", NULL}, {0}};
	const char *url = NULL;
	struct bench bench;

	bench_init(&bench, "host link", steps);
	bench.meeting.external_id = NUMBER;
	CU_ASSERT_EQUAL(
		provider_zoom.host_url(&bench.call, planned(&bench), &url, &bench.info), ERR_OK);
	CU_ASSERT_STRING_EQUAL(url, "https://zoom.us/s/1?zak=abc");
	bench_fini(&bench);
}

static void test_learn(void)
{
	learn();
	CU_ASSERT_EQUAL(strlen(passcode), 10);
	CU_ASSERT_EQUAL(strncmp(mark, "Ref: ", 5), 0);
}

static const struct unit_case cases[] = {
	{"learn", test_learn}, /* first: what the others compare with */
	{"create", test_create},
	{"telephone", test_dial_in},
	{"limits", test_limits},
	{"passcode", test_passcode},
	{"echo", test_echo},
	{"alternative hosts", test_hosts},
	{"repeated", test_repeated},
	{"endless pages", test_endless_pages},
	{"errors", test_errors},
	{"strangers", test_strangers},
	{"update", test_update},
	{"remove", test_remove},
	{"read", test_read},
	{"reading what was not granted", test_read_warned},
	{"host url", test_host_url},
};

UNIT_MAIN("provider_zoom_meeting", cases)
