/* Who may enter a Meet conference, set through the Meet API after the event was made. */
#include <json-c/json.h>

#include "google_unit.h"
#include "json.h"

#define EVENT                                                                                      \
	"{\"id\":\"" EVENT_ID                                                                      \
	"\",\"status\":\"confirmed\",\"extendedProperties\":{\"private\":{\"bookingId\":"          \
	"\"request-1\",\"meetlinkKey\":\"" KEY "\"}},\"conferenceData\":{\"createRequest\":"       \
	"{\"status\":{\"statusCode\":\"success\"}},\"entryPoints\":[{\"entryPointType\":"          \
	"\"video\",\"uri\":\"" LINK "\"}]}}"
#define SPACE(config) "{\"name\":\"spaces/jQCFfuBOdN5z\",\"meetingUri\":\"" LINK "\"" config "}"
#define CONFIG(access, moderation, viewer)                                                         \
	SPACE(",\"config\":{\"accessType\":\"" access "\",\"moderation\":\"" moderation            \
	      "\",\"moderationRestrictions\":{\"chatRestriction\":\"NO_RESTRICTION\","             \
	      "\"reactionRestriction\":\"NO_RESTRICTION\",\"presentRestriction\":"                 \
	      "\"NO_RESTRICTION\",\"defaultJoinAsViewerType\":\"" viewer "\"}}")
#define RPC(code, status, text)                                                                    \
	{                                                                                          \
		code,                                                                              \
			"{\"error\":{\"code\":1,\"status\":\"" status "\",\"message\":\"" text     \
			"\"}}",                                                                    \
			0                                                                          \
	}
#define OK(config)                                                                                 \
	{                                                                                          \
		200, config, 0                                                                     \
	}

#define FIND  "GET /meet/v2/spaces/abc-mnop-xyz"
#define PATCH "PATCH /meet/v2/spaces/jQCFfuBOdN5z?updateMask="
#define RULES "config.moderationRestrictions."

static const struct security waits = {.waiting_room = true}, enters = {.join_before_host = true},
			     neither = {0};

#define DOOR  "waiting_room: Google Meet lets others than the host open the door."
#define OPEN  "waiting_room: everybody who has the link enters Google Meet without knocking."
#define KNOCK "join_before_host: Google Meet lets people from outside knock."
#define EARLY                                                                                      \
	"join_before_host: members of the Google organisation can enter before the host; others "  \
	"knock."
#define ANYBODY "join_before_host: everybody who has the link can enter before the host."
#define LATER   " it could not be set at Google yet, and is tried again."
#define DEFAULT " Google does not let it be set, so the account's own default holds."

struct row {
	const char *name;
	const struct security *security;
	struct step steps[4];   /* of the Meet API */
	const char *patches[3]; /* the masks, decoded */
	const char *warnings[3];
};

static void add_all(struct step *all, const struct step *steps)
{
	size_t i;

	all[0] = (struct step){200, EVENT, 0};
	for (i = 0; i < 4; i++)
		all[i + 1] = steps[i];
}

/* A mask as it was sent, with commas. */
static const char *mask_of(struct arena *arena, const char *line)
{
	char *text = arena_strdup(arena, strchr(line, '=') + 1), *comma;

	while ((comma = strstr(text, "%2C")) != NULL) {
		*comma = ',';
		memmove(comma + 1, comma + 3, strlen(comma + 3) + 1);
	}
	return text;
}

static void check_patches(struct fixture *fixture, const struct row *row)
{
	size_t i, patches = 0;

	for (i = 0; i < google.heard; i++) {
		if (strncmp(google.line[i], "PATCH /meet", 11) != 0)
			continue;
		UNIT_CHECK(strncmp(google.line[i], PATCH, strlen(PATCH)) == 0, row->name);
		UNIT_CHECK(patches < 3 && row->patches[patches] &&
				   strcmp(mask_of(fixture->arena, google.line[i]),
					   row->patches[patches]) == 0,
			row->name);
		patches++;
	}
	UNIT_CHECK(patches == 3 || !row->patches[patches], row->name);
}

static void check_warnings(const struct model_list *warnings, const struct row *row)
{
	size_t i = 0;

	MODEL_FOREACH (warnings, struct warning, warning) {
		UNIT_CHECK(
			i < 3 && row->warnings[i] && strcmp(warning->detail, row->warnings[i]) == 0,
			row->name);
		i++;
	}
	UNIT_CHECK(i == 3 || !row->warnings[i], row->name);
}

static const struct row rows[] = {
	{"as it is to be", &waits, {OK(CONFIG("TRUSTED", "ON", "OFF"))}, {NULL}, {NULL}},
	{"stricter than asked", &waits, {OK(CONFIG("RESTRICTED", "ON", "OFF"))}, {NULL}, {NULL}},
	{"open by default", &waits,
		{OK(CONFIG("OPEN", "ON", "OFF")), OK(CONFIG("TRUSTED", "ON", "OFF"))},
		{"config.accessType"}, {NULL}},
	{"no host by default", &waits,
		{OK(CONFIG("TRUSTED", "OFF", "OFF")), OK(CONFIG("TRUSTED", "ON", "OFF"))},
		{"config.moderation"}, {NULL}},
	{"everybody only watches by default", &waits,
		{OK(CONFIG("TRUSTED", "ON", "ON")), OK(CONFIG("TRUSTED", "ON", "OFF"))},
		{RULES "defaultJoinAsViewerType"}, {NULL}},
	{"little said", &waits, {OK(SPACE("")), OK(CONFIG("TRUSTED", "ON", "OFF"))},
		{"config.accessType,config.moderation," RULES "chatRestriction," RULES
		 "reactionRestriction," RULES "presentRestriction," RULES
		 "defaultJoinAsViewerType"},
		{NULL}},
	{"left as it was", &waits,
		{OK(CONFIG("OPEN", "OFF", "OFF")), OK(CONFIG("OPEN", "OFF", "OFF"))},
		{"config.accessType,config.moderation"}, {OPEN, DOOR}},
	{"an account without moderation", &waits,
		{OK(CONFIG("OPEN", "OFF", "OFF")), RPC(400, "INVALID_ARGUMENT", ""),
			OK(CONFIG("TRUSTED", "OFF", "OFF"))},
		{"config.accessType,config.moderation", "config.accessType"}, {DOOR}},
	{"nothing may be set", &waits,
		{OK(CONFIG("OPEN", "OFF", "OFF")), RPC(403, "PERMISSION_DENIED", ""),
			RPC(403, "PERMISSION_DENIED", "")},
		{"config.accessType,config.moderation", "config.accessType"}, {OPEN, DOOR}},
	{"not its owner", &waits,
		{OK(SPACE("")), RPC(403, "PERMISSION_DENIED", ""),
			RPC(403, "PERMISSION_DENIED", "")},
		{"config.accessType,config.moderation," RULES "chatRestriction," RULES
		 "reactionRestriction," RULES "presentRestriction," RULES "defaultJoinAsViewerType",
			"config.accessType"},
		{"waiting_room:" DEFAULT}},
	{"the API is not enabled", &waits,
		{RPC(403, "PERMISSION_DENIED",
			"Google Meet API has not been used in project 1 before")},
		{NULL}, {"waiting_room:" DEFAULT}},
	{"not visible yet", &waits, {RPC(404, "NOT_FOUND", "")}, {NULL}, {"waiting_room:" LATER}},
	{"too many", &waits, {{429, "", 30}}, {NULL}, {"waiting_room:" LATER}},
	{"ill", &waits, {{503, "<html>", 0}}, {NULL}, {"waiting_room:" LATER}},
	{"ill when it is to be set", &waits, {OK(CONFIG("OPEN", "ON", "OFF")), {500, "<html>", 0}},
		{"config.accessType"}, {OPEN, "waiting_room:" LATER}},
	{"no JSON", &waits, {OK("<html>")}, {NULL}, {"waiting_room:" LATER}},
	{"a name that is a path", &waits, {OK("{\"name\":\"spaces/../x\"}")}, {NULL},
		{"waiting_room:" LATER}},
	{"no name", &waits, {OK("{}")}, {NULL}, {"waiting_room:" LATER}},
	{"settings of another shape", &waits,
		{OK(SPACE(",\"config\":[7]")), OK(CONFIG("TRUSTED", "ON", "OFF"))},
		{"config.accessType,config.moderation," RULES "chatRestriction," RULES
		 "reactionRestriction," RULES "presentRestriction," RULES
		 "defaultJoinAsViewerType"},
		{NULL}},
	{"everybody at any time", &enters,
		{OK(CONFIG("TRUSTED", "OFF", "ON")), OK(CONFIG("OPEN", "OFF", "ON"))},
		{"config.accessType"}, {NULL}},
	{"everybody, already", &enters, {OK(CONFIG("OPEN", "OFF", "ON"))}, {NULL}, {NULL}},
	{"everybody, which the administrator forbids", &enters,
		{OK(CONFIG("TRUSTED", "OFF", "ON")), RPC(400, "INVALID_ARGUMENT", "")},
		{"config.accessType"}, {KNOCK}},
	{"nobody before the host", &neither,
		{OK(CONFIG("OPEN", "OFF", "ON")), OK(CONFIG("TRUSTED", "OFF", "ON"))},
		{"config.accessType"}, {EARLY}},
	{"nobody at all before the host", &neither, {OK(CONFIG("RESTRICTED", "OFF", "ON"))}, {NULL},
		{NULL}},
	{"anybody before the host", &neither,
		{OK(CONFIG("OPEN", "OFF", "ON")), OK(CONFIG("OPEN", "OFF", "ON"))},
		{"config.accessType"}, {ANYBODY}},
	{"ill, and no waiting room", &neither, {{503, "", 0}}, {NULL},
		{EARLY, "join_before_host:" LATER}},
};

enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

static enum err update(struct fixture *fixture)
{
	return provider_google.update(
		&fixture->call, planned(fixture), &fixture->link, &fixture->info);
}

/* Whatever the Meet API says, the meeting is there. */
static void test_set(void)
{
	struct step steps[MAX_STEPS];
	struct fixture fixture;
	size_t i, way;
	enum err err;

	for (i = 0; i < 2 * ROWS; i++) {
		const struct row *row = &rows[i / 2];

		way = i % 2;
		memset(steps, 0, sizeof(steps));
		add_all(steps, row->steps);
		set_up(&fixture, steps);
		google.token = (struct step)TOKEN_MEET;
		fixture.security = *row->security;
		err = way == 0 ? provider_google.create(&fixture.call, planned(&fixture), false,
					 &fixture.link, &fixture.info)
			       : update(&fixture);
		UNIT_CHECK(err == ERR_OK && strcmp(fixture.link.url, LINK) == 0, row->name);
		UNIT_CHECK(google.heard > 1 && strcmp(google.line[1], FIND) == 0, row->name);
		check_patches(&fixture, row);
		check_warnings(&fixture.link.warnings, row);
		tear_down(&fixture);
	}
}

/* A comparison asks for an update where that would say or set something new. */
static void test_compare(void)
{
	static const struct {
		const char *name;
		const struct security *security;
		struct step step;
		const char *warned[2];
		bool drift;
	} cases[] = {
		{"set", &waits, OK(CONFIG("TRUSTED", "ON", "OFF")), {NULL}, false},
		{"stricter", &waits, OK(CONFIG("RESTRICTED", "ON", "ON")), {NULL}, false},
		{"opened by hand", &waits, OK(CONFIG("OPEN", "ON", "OFF")), {NULL}, true},
		{"not set yet", &waits, OK(CONFIG("OPEN", "OFF", "OFF")), {"waiting_room:" LATER},
			true},
		{"refused, as people were told", &waits, OK(CONFIG("OPEN", "OFF", "OFF")),
			{OPEN, DOOR}, false},
		{"set by hand since", &waits, OK(CONFIG("TRUSTED", "ON", "OFF")), {OPEN}, true},
		{"ill", &waits, {503, "", 0}, {"waiting_room:" LATER}, false},
		{"refused", &waits, RPC(403, "PERMISSION_DENIED", ""), {NULL}, false},
		{"not its owner", &waits, OK(SPACE("")), {NULL}, false},
		{"made before the scope was granted", &neither, OK(CONFIG("OPEN", "OFF", "OFF")),
			{EARLY}, true},
		{"as it was told", &neither, OK(CONFIG("TRUSTED", "OFF", "OFF")), {EARLY}, false},
	};
	struct provider_state state;
	struct step steps[3] = {{200, EVENT, 0}};
	struct fixture fixture;
	size_t i, j;
	enum err err;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		steps[1] = cases[i].step;
		set_up(&fixture, steps);
		google.token = (struct step)TOKEN_MEET;
		fixture.security = *cases[i].security;
		fixture.meeting.provider_url = LINK;
		for (j = 0; j < 2 && cases[i].warned[j]; j++)
			*(struct warning *)model_list_add(
				fixture.arena, &fixture.meeting.warnings, sizeof(struct warning)) =
				(struct warning){"setting_not_granted", cases[i].warned[j]};
		/* Others' warnings are not Google's to compare. */
		*(struct warning *)model_list_add(fixture.arena, &fixture.meeting.warnings,
			sizeof(struct warning)) = (struct warning){"provider_failover", "why"};
		err = provider_google.read(&fixture.call, planned(&fixture), &state, &fixture.info);
		UNIT_CHECK(err == ERR_OK, cases[i].name);
		UNIT_CHECK((state.drift.count > 0) == cases[i].drift, cases[i].name);
		tear_down(&fixture);
	}
}

/* Without the scope nobody asks. */
static void test_without_scope(void)
{
	static const struct step steps[] = {{200, EVENT, 0}, {0}};
	struct fixture fixture;
	struct provider_state state;

	set_up(&fixture, steps);
	fixture.security = neither;
	CU_ASSERT_EQUAL(update(&fixture), ERR_OK);
	CU_ASSERT_EQUAL(google.heard, 1);
	CU_ASSERT_EQUAL(fixture.link.warnings.count, 1);
	google.heard = 0;
	fixture.meeting.provider_url = LINK;
	CU_ASSERT_EQUAL(
		provider_google.read(&fixture.call, planned(&fixture), &state, &fixture.info),
		ERR_OK);
	CU_ASSERT_EQUAL(google.heard, 1);
	CU_ASSERT_EQUAL(state.drift.count, 0);
	tear_down(&fixture);
}

static void test_body(void)
{
	static const struct step steps[] = {{200, EVENT, 0}, OK(CONFIG("OPEN", "OFF", "ON")),
		OK(CONFIG("TRUSTED", "ON", "OFF")), {0}};
	struct json_object *json = NULL;
	struct fixture fixture;

	set_up(&fixture, steps);
	google.token = (struct step)TOKEN_MEET;
	fixture.security = waits;
	CU_ASSERT_EQUAL(update(&fixture), ERR_OK);
	CU_ASSERT_EQUAL_FATAL(google.heard, 3);
	CU_ASSERT_STRING_EQUAL(google.bearer[2], "at-1");
	CU_ASSERT_EQUAL_FATAL(json_parse(fixture.arena, google.body[2], strlen(google.body[2]),
				      &json, &fixture.info),
		ERR_OK);
	CU_ASSERT_STRING_EQUAL(json_object_to_json_string_ext(json, JSON_C_TO_STRING_PLAIN),
		"{\"config\":{\"accessType\":\"TRUSTED\",\"moderation\":\"ON\","
		"\"moderationRestrictions\":{\"defaultJoinAsViewerType\":\"OFF\"}}}");
	tear_down(&fixture);
}

static const struct unit_case cases[] = {
	{"set and read back", test_set},
	{"compare", test_compare},
	{"without the scope", test_without_scope},
	{"body", test_body},
};

int main(void)
{
	return google_run("provider_google_meet", cases, sizeof(cases) / sizeof(cases[0]));
}
