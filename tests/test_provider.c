#include "id.h"
#include "provider_unit.h"

static const struct provider provider_bare = {
	.name = "bare",
	.title = "Bare Meet",
	.local = true,
	.fields = fake_fields + 2,
	.check = fake_check,
	.create = fake_create,
};

static enum err scene_create(struct scene *scene, struct meeting_link *link_r)
{
	return provider_create(&scene->call, &scene->plan, false, link_r, &scene->info);
}

static void test_link(void)
{
	static char *endless;
	static const struct {
		const char *name, *url, *passcode;
		enum err err;
	} rows[] = {
		{"https", "https://meet.test/j/1?pwd=x#y", "12 34", ERR_OK},
		{"https, a raw @ in the path", "https://teams.test/l/19:m@thread.v2/0?c=%7b", NULL,
			ERR_OK},
		{"http to loopback", "http://127.0.0.1:8080/j", NULL, ERR_OK},
		{"none", NULL, NULL, ERR_OUTCOME_UNKNOWN},
		{"empty", "", NULL, ERR_OUTCOME_UNKNOWN},
		{"http", "http://meet.test/j", NULL, ERR_OUTCOME_UNKNOWN},
		{"http to what begins like loopback", "http://127.0.0.1.evil.test/j", NULL,
			ERR_OUTCOME_UNKNOWN},
		{"credentials", "https://user:pw@meet.test/j", NULL, ERR_OUTCOME_UNKNOWN},
		{"no host", "https:///j", NULL, ERR_OUTCOME_UNKNOWN},
		{"script", "javascript:alert(1)//https://meet.test", NULL, ERR_OUTCOME_UNKNOWN},
		{"an integration's name", "integrations:zoom", NULL, ERR_OUTCOME_UNKNOWN},
		{"a header of its own", "https://meet.test/\r\nSet-Cookie: a=b", NULL,
			ERR_OUTCOME_UNKNOWN},
		{"a quote", "https://meet.test/\"onclick=", NULL, ERR_OUTCOME_UNKNOWN},
		{"not ASCII", "https://meet.test/\xc3\xa4", NULL, ERR_OUTCOME_UNKNOWN},
		{"a passcode of two lines", "https://meet.test/", "1\r\n2", ERR_OUTCOME_UNKNOWN},
		{"a passcode without end", "https://meet.test/", "?", ERR_OUTCOME_UNKNOWN},
	};
	struct meeting_link link;
	struct scene scene;
	size_t i;

	endless = calloc(1, 4096);
	memset(endless, 'x', 4095);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		scene_begin(&scene);
		fake.url = rows[i].url;
		fake.passcode = rows[i].passcode;
		if (fake.passcode && fake.passcode[0] == '?')
			fake.passcode = endless;
		UNIT_CHECK(scene_create(&scene, &link) == rows[i].err, rows[i].name);
		UNIT_CHECK(rows[i].err != ERR_OK || strcmp(link.account, "host@law.test") == 0,
			rows[i].name);
		UNIT_CHECK(
			rows[i].err == ERR_OK || strcmp(scene.info.detail,
							 "Fake Meet: It gave no usable link.") == 0,
			rows[i].name);
		UNIT_CHECK(provider_update(&scene.call, &scene.plan, &link, NULL) ==
				   (rows[i].url ? rows[i].err : ERR_OK),
			rows[i].name);
		scene_end(&scene);
	}
	free(endless);
}

static void test_host_url(void)
{
	struct scene scene;
	const char *url = NULL;

	scene_begin(&scene);
	CU_ASSERT_EQUAL(provider_host_url(&scene.call, &scene.plan, &url, NULL), ERR_OK);
	CU_ASSERT_STRING_EQUAL(url, "https://meet.test/j/1?pwd=a.b");
	fake.url = "https://meet.test/\r\nX: y";
	CU_ASSERT_EQUAL(provider_host_url(&scene.call, &scene.plan, &url, NULL), ERR_UNAVAILABLE);
	scene_end(&scene);
}

static void test_missing_slots(void)
{
	struct provider_state state;
	struct meeting_link link;
	const char *url = NULL;
	struct scene scene;

	scene_begin(&scene);
	scene.call.provider = &provider_bare;
	scene.call.until_us = 0;
	scene.call.breakers = breaker_table_new();
	CU_ASSERT_EQUAL(scene_create(&scene, &link), ERR_OK);
	CU_ASSERT_PTR_NULL(link.account);
	CU_ASSERT_EQUAL(provider_update(&scene.call, &scene.plan, &link, NULL), ERR_OK);
	CU_ASSERT_PTR_NULL(link.url);
	CU_ASSERT_EQUAL(provider_remove(&scene.call, &(struct provider_target){0}, NULL), ERR_OK);
	CU_ASSERT_EQUAL(
		provider_read(&scene.call, &scene.plan, &state, &scene.info), ERR_NOT_FOUND);
	CU_ASSERT_EQUAL(provider_host_url(&scene.call, &scene.plan, &url, NULL), ERR_NOT_FOUND);
	CU_ASSERT_EQUAL(
		provider_personal_url(&scene.call, &scene.plan, PARTY_CLIENT, &url, &scene.info),
		ERR_OK);
	CU_ASSERT_STRING_EQUAL(url, "https://meet.test/stored");
	scene_end(&scene);
}

/* Every slot that asks the provider meets the same breaker. */
static enum err scene_each(struct scene *scene, int slot)
{
	const struct provider_target target = {.provider_key = "key"};
	struct provider_state state;
	struct meeting_link link;
	const char *url;

	switch (slot) {
	case 0:
		return scene_create(scene, &link);
	case 1:
		return provider_update(&scene->call, &scene->plan, &link, &scene->info);
	case 2:
		return provider_remove(&scene->call, &target, &scene->info);
	case 3:
		return provider_read(&scene->call, &scene->plan, &state, &scene->info);
	default:
		return provider_host_url(&scene->call, &scene->plan, &url, NULL);
	}
}

static void test_breaker(void)
{
	struct breaker_health health;
	struct scene scene;
	int i;

	scene_begin(&scene);
	scene.call.breakers = breaker_table_new();
	fake.err = ERR_TEMPORARY;
	fake.retry_after_s = 90;
	for (i = 0; i < BREAKER_FAILURES; i++)
		CU_ASSERT_EQUAL(scene_each(&scene, i), ERR_TEMPORARY);
	CU_ASSERT_EQUAL(fake.calls, BREAKER_FAILURES);
	for (i = 0; i < 5; i++)
		CU_ASSERT_EQUAL(scene_each(&scene, i), ERR_UNAVAILABLE);
	CU_ASSERT_EQUAL(fake.calls, BREAKER_FAILURES);
	CU_ASSERT(says(scene.info.detail, "Fake Meet: It "));
	/* From when the last call had ended. */
	CU_ASSERT(scene.info.retry_after_s > 60 &&
		  scene.info.retry_after_s <= 91 + (clock_now_ms() - scene.call.now) / 1000);
	breaker_read(
		scene.call.breakers, provider_credential_id(&scene.call), scene.call.now, &health);
	CU_ASSERT_EQUAL(health.last_error, ERR_TEMPORARY);
	CU_ASSERT_STRING_EQUAL(health.last_error_detail, "Fake Meet: It fails.");

	/* Other credentials are another matter. */
	config_set_text(
		scene.call.arena, &scene.config.credentials, "fake", "secret", "another one");
	fake.err = ERR_OK;
	CU_ASSERT_EQUAL(scene_each(&scene, 0), ERR_OK);

	/* And without a breaker everything is tried. */
	config_set_text(scene.call.arena, &scene.config.credentials, "fake", "secret", CANARY);
	CU_ASSERT_EQUAL(scene_each(&scene, 0), ERR_UNAVAILABLE);
	breaker_table_free(&scene.call.breakers);
	CU_ASSERT_EQUAL(scene_each(&scene, 0), ERR_OK);
	scene_end(&scene);
}

/* What cannot be made for now can still be read and deleted, and what was refused unasked leaves
 * the words that explain it. */
static void test_quota(void)
{
	struct breaker_health health;
	struct scene scene;
	int i;

	scene_begin(&scene);
	scene.call.breakers = breaker_table_new();
	fake.err = ERR_UNAVAILABLE;
	fake.retry_after_s = 90;
	for (i = 0; i < 3; i++)
		CU_ASSERT_EQUAL(scene_each(&scene, i % 2), ERR_UNAVAILABLE);
	CU_ASSERT_EQUAL(fake.calls, 1);
	breaker_read(
		scene.call.breakers, provider_credential_id(&scene.call), scene.call.now, &health);
	CU_ASSERT_EQUAL(health.state, BREAKER_CLOSED);
	CU_ASSERT_STRING_EQUAL(health.last_error_detail, "Fake Meet: It fails.");
	fake.err = ERR_OK;
	CU_ASSERT_EQUAL(scene_each(&scene, 2), ERR_OK);
	CU_ASSERT_EQUAL(scene_each(&scene, 3), ERR_OK);
	breaker_table_free(&scene.call.breakers);
	scene_end(&scene);
}

/* Reads that succeed say nothing about what is refused to whoever changes something. */
static void test_changes_that_fail_among_reads(void)
{
	struct breaker_health health;
	struct scene scene;
	int i;

	scene_begin(&scene);
	scene.call.breakers = breaker_table_new();
	fake.retry_after_s = 0;
	for (i = 0; i < BREAKER_FAILURES; i++) {
		fake.err = ERR_TEMPORARY;
		CU_ASSERT_EQUAL(scene_each(&scene, i % 2), ERR_TEMPORARY);
		fake.err = ERR_OK;
		CU_ASSERT_EQUAL(scene_each(&scene, 3), ERR_OK);
	}
	CU_ASSERT_EQUAL(fake.calls, 2 * BREAKER_FAILURES);
	CU_ASSERT_EQUAL(scene_each(&scene, 0), ERR_UNAVAILABLE);
	CU_ASSERT_EQUAL(scene_each(&scene, 1), ERR_UNAVAILABLE);
	CU_ASSERT_EQUAL(fake.calls, 2 * BREAKER_FAILURES);
	for (i = 2; i < 5; i++)
		CU_ASSERT_EQUAL(scene_each(&scene, i), ERR_OK);
	provider_health(&scene.call, &health);
	CU_ASSERT_EQUAL(health.state, BREAKER_OPEN);
	CU_ASSERT_EQUAL(health.last_error, ERR_TEMPORARY);
	CU_ASSERT_STRING_EQUAL(health.last_error_detail, "Fake Meet: It fails.");
	CU_ASSERT_NOT_EQUAL(health.last_ok_at, 0);
	scene.call.now += 2 * BREAKER_OPEN_MS; /* it opened when the last call had ended */
	CU_ASSERT_EQUAL(scene_each(&scene, 0), ERR_OK);
	CU_ASSERT_EQUAL(scene_each(&scene, 1), ERR_OK);
	provider_health(&scene.call, &health);
	CU_ASSERT_EQUAL(health.state, BREAKER_CLOSED);
	breaker_table_free(&scene.call.breakers);
	scene_end(&scene);
}

/* What the other breaker refuses was asked of nobody: nothing is noted of it. */
static void test_changes_that_were_not_asked(void)
{
	struct breaker_health before, after;
	const char *changes;
	struct scene scene;
	int i;

	scene_begin(&scene);
	scene.call.breakers = breaker_table_new();
	changes = provider_changes_id(&scene.call);
	fake.err = ERR_TEMPORARY;
	fake.retry_after_s = 0;
	CU_ASSERT_EQUAL(scene_each(&scene, 0), ERR_TEMPORARY);
	for (i = 1; i < BREAKER_FAILURES; i++)
		CU_ASSERT_EQUAL(scene_each(&scene, 3), ERR_TEMPORARY);
	breaker_read(scene.call.breakers, changes, scene.call.now, &before);
	scene.call.now += 1000;
	CU_ASSERT_EQUAL(scene_each(&scene, 0), ERR_UNAVAILABLE);
	CU_ASSERT_EQUAL(fake.calls, BREAKER_FAILURES);
	breaker_read(scene.call.breakers, changes, scene.call.now, &after);
	CU_ASSERT_EQUAL(after.failures, 1);
	CU_ASSERT_EQUAL(after.last_error, ERR_TEMPORARY);
	CU_ASSERT_EQUAL(after.last_error_at, before.last_error_at);
	CU_ASSERT_STRING_EQUAL(after.last_error_detail, "Fake Meet: It fails.");
	breaker_table_free(&scene.call.breakers);
	scene_end(&scene);
}

static void test_breaker_no_time(void)
{
	struct scene scene;
	int i;

	scene_begin(&scene);
	scene.call.breakers = breaker_table_new();
	scene.call.until_us = 0;
	for (i = 0; i < 2 * BREAKER_FAILURES; i++)
		CU_ASSERT_EQUAL(scene_each(&scene, i % 5), ERR_TEMPORARY);
	CU_ASSERT_EQUAL(fake.calls, 0);
	scene.call.until_us = clock_monotonic_us() + UNIT_PATIENCE_US;
	CU_ASSERT_EQUAL(scene_each(&scene, 0), ERR_OK);
	scene_end(&scene);
}

static void test_usable(void)
{
	struct scene scene;

	scene_begin(&scene);
	CU_ASSERT_EQUAL(
		provider_usable(NULL, &scene.config, &provider_fake, &scene.info), ERR_UNAVAILABLE);
	CU_ASSERT(says(scene.info.detail, "Fake Meet: "));
	CU_ASSERT_EQUAL(provider_complete(NULL, &scene.config, &provider_fake, NULL), ERR_OK);
	config_set_enabled(scene.call.arena, &scene.config, "fake", true);
	CU_ASSERT_EQUAL(provider_usable(NULL, &scene.config, &provider_fake, NULL), ERR_OK);
	config_set_text(scene.call.arena, &scene.config.credentials, "fake", "secret", NULL);
	err_clear(&scene.info);
	CU_ASSERT_EQUAL(
		provider_usable(NULL, &scene.config, &provider_fake, &scene.info), ERR_UNAVAILABLE);
	CU_ASSERT_EQUAL(scene.info.field_count, 0);
	scene_end(&scene);
}

/* Settings take no part in signing in: tokens stay when they change. */
static void test_credential_id(void)
{
	static const struct {
		const char *name, *host_user, *secret;
		size_t as; /* the row that has the same id: its own, or an earlier one */
	} rows[] = {
		{"as configured", "host@law.test", CANARY, 0},
		{"another secret", "host@law.test", CANARY "2", 1},
		{"another host", "other@law.test", CANARY, 0},
		{"no secret", "host@law.test", NULL, 3},
		{"no host", NULL, CANARY, 0},
		{"nothing", NULL, NULL, 3},
		{"the other way round", CANARY, "host@law.test", 6},
	};
	const char *ids[sizeof(rows) / sizeof(rows[0])];
	struct scene scene;
	size_t i, j;

	scene_begin(&scene);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		config_set_text(scene.call.arena, &scene.config.settings, "fake", "host_user",
			rows[i].host_user);
		config_set_text(scene.call.arena, &scene.config.credentials, "fake", "secret",
			rows[i].secret);
		ids[i] = provider_credential_id(&scene.call);
		UNIT_CHECK(strlen(ids[i]) == HASH_SIZE - 1, rows[i].name);
		UNIT_CHECK(strcmp(ids[i], provider_credential_id(&scene.call)) == 0, rows[i].name);
		for (j = 0; j < i; j++)
			UNIT_CHECK((strcmp(ids[i], ids[j]) == 0) == (rows[i].as == rows[j].as),
				rows[i].name);
	}
	scene.call.provider = &provider_bare;
	CU_ASSERT_STRING_NOT_EQUAL(provider_credential_id(&scene.call), ids[5]);
	scene_end(&scene);
}

static void test_warn(void)
{
	struct arena *arena = arena_new();
	struct meeting_link link = {0};

	provider_warn(arena, &link, "waiting_room", "It has none.");
	provider_warn(arena, &link, "host_video", "Not here.");
	CU_ASSERT_EQUAL_FATAL(link.warnings.count, 2);
	CU_ASSERT_STRING_EQUAL(
		MODEL_AT(&link.warnings, struct warning, 0)->code, "setting_not_granted");
	CU_ASSERT_STRING_EQUAL(
		MODEL_AT(&link.warnings, struct warning, 1)->detail, "host_video: Not here.");
	arena_free(&arena);
}

/* One warning for each setting, in whatever order its members were refused. */
static void test_left_out(void)
{
	static const struct provider_option zone = {"start.zone", NULL, "timezone", "In UTC.", NULL,
						    NULL},
					    other = {"end.zone", NULL, "timezone", "In UTC.", NULL,
						    NULL},
					    audio = {"audio", NULL, "audio", "As it is.", NULL,
						    NULL},
					    silent = {"room", NULL, NULL, NULL, NULL, NULL};
	const struct provider_option *refused[] = {
		&silent, &zone, &audio, &other, &silent, &audio, &zone};
	struct meeting_link link;
	struct scene scene;

	scene_begin(&scene);
	fake.left_out = (struct model_list){
		.items = refused, .count = sizeof(refused) / sizeof(refused[0])};
	CU_ASSERT_EQUAL(scene_create(&scene, &link), ERR_OK);
	CU_ASSERT_EQUAL_FATAL(link.warnings.count, 2);
	CU_ASSERT_STRING_EQUAL(
		MODEL_AT(&link.warnings, struct warning, 0)->detail, "timezone: In UTC.");
	CU_ASSERT_STRING_EQUAL(
		MODEL_AT(&link.warnings, struct warning, 1)->detail, "audio: As it is.");
	scene_end(&scene);
}

static void endpoints_set(struct conf *conf, const char *but, const char *url)
{
	const struct provider_endpoint *endpoint;
	size_t i;

	for (i = 0; provider_table[i]; i++)
		for (endpoint = provider_table[i]->endpoints; endpoint->name; endpoint++)
			*(const char **)((char *)conf + endpoint->offset) =
				but && strcmp(but, endpoint->name) == 0 ? url
									: "https://api.test/v1";
}

static void test_endpoints(void)
{
	static const char *const names[] = {"google.api_url", "google.meet_url", "google.token_url",
		"jitsi.url", "teams.api_url", "teams.token_url", "zoom.api_url", "zoom.token_url"};
	struct err_info info;
	struct conf conf;
	size_t i;

	endpoints_set(&conf, NULL, NULL);
	CU_ASSERT_EQUAL(provider_check_endpoints(&conf, &info), ERR_OK);
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		endpoints_set(&conf, names[i], "http://api.test/v1");
		UNIT_CHECK(provider_check_endpoints(&conf, &info) == ERR_CONFIG, names[i]);
		UNIT_CHECK(says(info.detail, names[i]), names[i]);
	}
}

static const struct unit_case cases[] = {
	{"a link must be fit for people", test_link},
	{"host links", test_host_url},
	{"missing slots", test_missing_slots},
	{"the breaker around every slot", test_breaker},
	{"a quota that is used up", test_quota},
	{"changes that fail among reads", test_changes_that_fail_among_reads},
	{"changes that were not asked", test_changes_that_were_not_asked},
	{"no time is no failure of the provider", test_breaker_no_time},
	{"usable", test_usable},
	{"the id of credentials", test_credential_id},
	{"warnings", test_warn},
	{"one warning for each setting", test_left_out},
	{"endpoints are secure", test_endpoints},
};

UNIT_MAIN("provider", cases)
