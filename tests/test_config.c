#include "config.h"

#include "unit.h"

static struct config *config_fresh(struct arena *arena)
{
	struct config *config = arena_alloc(arena, sizeof(*config));

	config_init(arena, config);
	return config;
}

static void config_add_text(struct arena *arena, struct model_list *list, const char *text)
{
	*(const char **)model_list_add(arena, list, sizeof(text)) = text;
}

static void test_config_starts_with_the_defaults(void)
{
	struct arena *arena = arena_new();
	struct config *config = config_fresh(arena), *other = config_fresh(arena);
	struct err_info info = {0};

	CU_ASSERT_EQUAL(config->rev, 0);
	CU_ASSERT_STRING_EQUAL(config->policy->default_provider, "jitsi");
	CU_ASSERT(config_enabled(config, "jitsi"));
	CU_ASSERT_FALSE(config_enabled(config, "zoom"));
	CU_ASSERT_EQUAL(config->policy->opens_minutes_before, 15);
	CU_ASSERT_EQUAL(config->policy->expires_minutes_after, 60);
	CU_ASSERT_EQUAL(config->policy->max_generations, 20);
	CU_ASSERT_EQUAL(config->policy->reminders_minutes_before.count, 2);
	CU_ASSERT_EQUAL(config_check_policy(config->policy, &info), ERR_OK);
	/* A copy: changing one changes neither another nor the defaults. */
	config->policy->security->waiting_room = false;
	config->policy->retry->first_s = 600;
	*MODEL_AT(&config->policy->reminders_minutes_before, int64_t, 0) = 7;
	CU_ASSERT(other->policy->security->waiting_room);
	CU_ASSERT_EQUAL(other->policy->retry->first_s, 5);
	CU_ASSERT_EQUAL(*MODEL_AT(&policy_default.reminders_minutes_before, int64_t, 0), 1440);
	arena_free(&arena);
}

static void test_config_enabling(void)
{
	struct arena *arena = arena_new();
	struct config *config = config_fresh(arena);

	config_set_enabled(arena, config, "zoom", true);
	config_set_enabled(arena, config, "teams", true);
	config_set_enabled(arena, config, "zoom", true);
	CU_ASSERT_EQUAL(config->enabled.count, 3);
	config_set_enabled(arena, config, "zoom", false);
	config_set_enabled(arena, config, "zoom", false);
	CU_ASSERT_EQUAL(config->enabled.count, 2);
	CU_ASSERT_FALSE(config_enabled(config, "zoom"));
	CU_ASSERT(config_enabled(config, "teams"));
	CU_ASSERT(config_enabled(config, "jitsi"));
	CU_ASSERT_FALSE(config_enabled(config, "team"));
	arena_free(&arena);
}

static void test_config_texts_belong_to_a_provider(void)
{
	static const struct {
		const char *provider, *name, *value;
	} cases[] = {
		{"zoom", "client_id", "Z"},
		{"zoom", "host_user", "me"},
		{"teams", "client_id", "T"},
		{"zoo", "m/client_id", NULL},
		{"zoom/client_id", "", NULL},
		{"zoom", "client", NULL},
		{"zoom", "client_id2", NULL},
		{"teams", "host_user", NULL},
		{"", "client_id", NULL},
	};
	struct arena *arena = arena_new();
	struct config *config = config_fresh(arena);
	const char *value;
	size_t i;

	config_set_text(arena, &config->credentials, "zoom", "client_id", "X");
	config_set_text(arena, &config->credentials, "teams", "client_id", "T");
	config_set_text(arena, &config->settings, "zoom", "host_user", "me");
	config_set_text(arena, &config->credentials, "zoom", "client_id", "Z");
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		value = config_text(config, cases[i].provider, cases[i].name);
		UNIT_CHECK(cases[i].value ? value && strcmp(value, cases[i].value) == 0 : !value,
			cases[i].name);
	}
	config_set_text(arena, &config->credentials, "zoom", "client_id", NULL);
	config_set_text(arena, &config->credentials, "zoom", "client_id", NULL);
	CU_ASSERT_PTR_NULL(config_text(config, "zoom", "client_id"));
	CU_ASSERT_STRING_EQUAL(config_text(config, "teams", "client_id"), "T");
	CU_ASSERT_EQUAL(config->credentials.count, 1);
	arena_free(&arena);
}

static void test_config_policy_rules(void)
{
	static const struct {
		const char *name;
		const char *failover[4];
		int64_t reminders[10]; /* up to the 0 */
		bool waiting_room, join_before_host;
		int64_t first_s, max_s;
		const char *pointers[3];
	} cases[] = {
		{"all well", {"zoom", "teams"}, {60, 30}, true, false, 5, 5, {NULL}},
		{"nothing at all", {NULL}, {0}, false, true, 1, 600, {NULL}},
		{"eight reminders", {NULL}, {8, 7, 6, 5, 4, 3, 2, 1}, true, false, 1, 2, {NULL}},
		{"nine reminders", {NULL}, {9, 8, 7, 6, 5, 4, 3, 2, 1}, true, false, 1, 2,
			{"/reminders_minutes_before"}},
		{"a reminder twice", {NULL}, {60, 30, 60}, true, false, 1, 2,
			{"/reminders_minutes_before/2"}},
		{"a reminder three times", {NULL}, {5, 5, 5}, true, false, 1, 2,
			{"/reminders_minutes_before/1", "/reminders_minutes_before/2"}},
		{"failover to the default", {"zoom", "jitsi"}, {0}, true, false, 1, 2,
			{"/failover/1"}},
		{"failover twice", {"zoom", "teams", "zoom"}, {0}, true, false, 1, 2,
			{"/failover/2"}},
		{"before the host into a waiting room", {NULL}, {0}, true, true, 1, 2,
			{"/security/join_before_host"}},
		{"first after last", {NULL}, {0}, true, false, 601, 600, {"/retry/first_s"}},
		{"all at once", {"jitsi"}, {5, 5}, true, false, 2, 1,
			{"/failover/0", "/reminders_minutes_before/1", "/retry/first_s"}},
	};
	size_t i, j;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct arena *arena = arena_new();
		struct policy *policy = config_fresh(arena)->policy;
		struct err_info info = {0};

		for (j = 0; cases[i].failover[j]; j++)
			config_add_text(arena, &policy->failover, cases[i].failover[j]);
		policy->reminders_minutes_before = (struct model_list){0};
		for (j = 0; cases[i].reminders[j]; j++)
			*(int64_t *)model_list_add(arena, &policy->reminders_minutes_before,
				sizeof(int64_t)) = cases[i].reminders[j];
		policy->security->waiting_room = cases[i].waiting_room;
		policy->security->join_before_host = cases[i].join_before_host;
		policy->retry->first_s = cases[i].first_s;
		policy->retry->max_s = cases[i].max_s;
		UNIT_CHECK(config_check_policy(policy, &info) ==
				   (cases[i].pointers[0] ? ERR_INVALID : ERR_OK),
			cases[i].name);
		for (j = 0; j < 3 && cases[i].pointers[j]; j++)
			UNIT_CHECK(j < info.field_count && strcmp(info.fields[j].pointer,
								   cases[i].pointers[j]) == 0,
				cases[i].name);
		UNIT_CHECK(info.field_count == j, cases[i].name);
		arena_free(&arena);
	}
}

static void test_config_reliance(void)
{
	struct arena *arena = arena_new();
	struct policy *policy = config_fresh(arena)->policy;

	config_add_text(arena, &policy->failover, "zoom");
	config_add_text(arena, &policy->failover, "teams");
	CU_ASSERT_STRING_EQUAL(config_reliance(policy, "jitsi"), "its default provider");
	CU_ASSERT_STRING_EQUAL(config_reliance(policy, "teams"), "a failover provider");
	CU_ASSERT_PTR_NULL(config_reliance(policy, "google_meet"));
	CU_ASSERT_PTR_NULL(config_reliance(policy, "zoo"));
	arena_free(&arena);
}

static void test_config_masks(void)
{
	static const struct {
		const char *name, *value, *shown;
	} cases[] = {
		{"empty", "", CONFIG_MASK},
		{"eleven", "abcdefghijk", CONFIG_MASK},
		{"twelve", "abcdefghijkl", CONFIG_MASK "ijkl"},
		{"eleven of two bytes",
			"\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4"
			"\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4",
			CONFIG_MASK},
		{"whole characters", "12345678\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80z",
			CONFIG_MASK "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80z"},
	};
	struct arena *arena = arena_new();
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		UNIT_CHECK(strcmp(config_masked(arena, cases[i].value, true), cases[i].shown) == 0,
			cases[i].name);
		UNIT_CHECK(strcmp(config_masked(arena, cases[i].value, false), CONFIG_MASK) == 0,
			cases[i].name);
		UNIT_CHECK(config_is_masked(cases[i].shown), cases[i].name);
		UNIT_CHECK(!config_is_masked(cases[i].value), cases[i].name);
	}
	CU_ASSERT_FALSE(config_is_masked("\xe2\x80\xa2\xe2\x80\xa2\xe2\x80\xa2"));
	arena_free(&arena);
}

static void test_config_changes_are_audited(void)
{
	struct arena *arena = arena_new();
	struct config *config = config_fresh(arena);
	struct cause cause = {.arena = arena,
		.now = 1234,
		.actor = {.id = "admin-1", .role = ROLE_ADMIN},
		.source = SOURCE_API,
		.trace_id = "trace-1"};
	const struct audit_event *event;

	config_note(&cause, config, "/policy/inline_wait_ms", "5000", "100");
	config_note(&cause, config, "/providers/zoom/credentials/client_secret", NULL, "set");
	CU_ASSERT_EQUAL(config->updated_at, 1234);
	CU_ASSERT_EQUAL_FATAL(config->events.count, 2);
	event = MODEL_AT(&config->events, struct audit_event, 0);
	CU_ASSERT_STRING_EQUAL(event->action, "config.changed");
	CU_ASSERT_STRING_EQUAL(event->from, "5000");
	CU_ASSERT_STRING_EQUAL(event->to, "100");
	CU_ASSERT_STRING_EQUAL(event->detail, "/policy/inline_wait_ms");
	CU_ASSERT_STRING_EQUAL(event->actor->id, "admin-1");
	CU_ASSERT_STRING_EQUAL(event->trace_id, "trace-1");
	CU_ASSERT_PTR_NULL(event->meeting_id);
	CU_ASSERT_EQUAL(audit_verify(NULL, &config->events, CONFIG_ID), -1);
	MODEL_AT(&config->events, struct audit_event, 0)->to = "101";
	CU_ASSERT_EQUAL(audit_verify(NULL, &config->events, CONFIG_ID), 0);
	arena_free(&arena);
}

static const struct unit_case cases[] = {
	{"starts with the defaults", test_config_starts_with_the_defaults},
	{"enabling", test_config_enabling},
	{"texts belong to a provider", test_config_texts_belong_to_a_provider},
	{"rules of the policy", test_config_policy_rules},
	{"who relies on a provider", test_config_reliance},
	{"masks", test_config_masks},
	{"changes are audited", test_config_changes_are_audited},
};

UNIT_MAIN("config", cases)
