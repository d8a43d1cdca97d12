#define _GNU_SOURCE /* memmem */
#include <stdio.h>
#include <sys/wait.h>

#include "id.h"
#include "store_private.h"
#include "store_token.h"
#include "unit.h"

#define NOW (INT64_C(1900000000) * 1000)

enum { LEASE_MS = 15 * 1000, DAY_MS = 24 * 3600 * 1000 };

static struct secret_ring *ring_new(void)
{
	static const char key[] =
		"k1:000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n";
	struct secret_ring *ring = NULL;
	char path[UNIT_PATH_SIZE];

	unit_file(path, key, strlen(key));
	if (secret_ring_load(path, &ring, NULL) != ERR_OK)
		abort();
	unlink(path);
	return ring;
}

/* A database of its own on the server of MEETLINK_MONGODB_URI, for all cases: the driver can be
 * started once in a process. */
static struct token_unit {
	struct arena *arena;
	struct secret_ring *ring;
	struct conf conf;
	struct store *store;
	const char *id; /* of the case's token */
} unit;

static void token_unit_open(const char *uri)
{
	char id[ID_SIZE];

	id_random(id);
	unit.arena = arena_new();
	unit.ring = ring_new();
	unit.conf.mongodb_uri = arena_strdup(unit.arena, uri);
	unit.conf.mongodb_database = arena_printf(unit.arena, "meetlink_test_%s", id);
	if (store_open(&unit.conf, unit.ring, 4, &unit.store, NULL) != ERR_OK)
		abort();
}

static void token_unit_close(void)
{
	store_close(&unit.store);
	secret_ring_free(&unit.ring);
	arena_free(&unit.arena);
}

static void token_unit_drop(void)
{
	struct store_session session;
	mongoc_database_t *database;

	store_session_begin(unit.store, &session, NULL);
	database = mongoc_client_get_database(session.client, unit.conf.mongodb_database);
	mongoc_database_drop(database, NULL);
	mongoc_database_destroy(database);
	store_session_end(&session, ERR_OK);
}

static bool same(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

static struct store_token load(const char *id)
{
	struct store_token token;

	memset(&token, 0xff, sizeof(token));
	CU_ASSERT_EQUAL(store_token_load(unit.store, unit.arena, id, &token, NULL), ERR_OK);
	return token;
}

static enum err lease(struct store_token *token, int64_t now)
{
	return store_token_lease(unit.store, unit.id, token, now, now + LEASE_MS, NULL);
}

static enum err save(struct store_token *token)
{
	return store_token_save(unit.store, unit.arena, unit.id, token, NULL);
}

/* The stored document; NULL when there is none. */
static const bson_t *stored(const char *id)
{
	struct store_session session;
	mongoc_collection_t *collection;
	bson_t *filter = BCON_NEW("_id", BCON_UTF8(id)), *copy = NULL;
	mongoc_cursor_t *cursor;
	const bson_t *bson;

	store_session_begin(unit.store, &session, NULL);
	collection =
		mongoc_client_get_collection(session.client, unit.conf.mongodb_database, "tokens");
	cursor = mongoc_collection_find_with_opts(collection, filter, NULL, NULL);
	if (mongoc_cursor_next(cursor, &bson)) {
		copy = bson_copy(bson);
		arena_defer(unit.arena, (void (*)(void *))bson_destroy, copy);
	}
	mongoc_cursor_destroy(cursor);
	mongoc_collection_destroy(collection);
	bson_destroy(filter);
	store_session_end(&session, ERR_OK);
	return copy;
}

/* Changes the stored document behind our back. */
static void tamper(const char *json)
{
	struct store_session session;
	mongoc_collection_t *collection;
	bson_t *filter = BCON_NEW("_id", BCON_UTF8(unit.id));
	bson_t *update = bson_new_from_json((const uint8_t *)json, -1, NULL);

	store_session_begin(unit.store, &session, NULL);
	collection =
		mongoc_client_get_collection(session.client, unit.conf.mongodb_database, "tokens");
	CU_ASSERT(mongoc_collection_update_one(collection, filter, update, NULL, NULL, NULL));
	mongoc_collection_destroy(collection);
	bson_destroy(update);
	bson_destroy(filter);
	store_session_end(&session, ERR_OK);
}

static void test_round_trip(void)
{
	static const struct {
		const char *name;
		struct store_token token;
	} cases[] = {
		{"full", {"opaque \xc3\xa4", "refresh", "https://api.test", "all", NOW, 0}},
		{"no refresh token", {"opaque", NULL, "https://api.test", NULL, NOW, 0}},
		{"only the access token", {"opaque", NULL, NULL, NULL, NOW, 0}},
		{"refused", {"opaque", "refresh", NULL, "all", 0, 0}},
		{"full again", {"opaque-2", "refresh-2", "https://api2.test", "less", NOW + 1, 0}},
	};
	struct store_token token, read;
	const bson_t *bson;
	int64_t rev = 0;
	size_t i;

	unit.id = "round-trip";
	read = load(unit.id);
	CU_ASSERT(!read.access_token && !read.refresh_token && !read.base_url);
	CU_ASSERT(read.expires_at == 0 && read.rev == 0);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		token = cases[i].token;
		token.rev = rev;
		UNIT_CHECK(lease(&token, NOW) == ERR_OK, cases[i].name);
		UNIT_CHECK(token.rev == rev + 1, cases[i].name);
		UNIT_CHECK(save(&token) == ERR_OK, cases[i].name);
		UNIT_CHECK(token.rev == rev + 2, cases[i].name);
		read = load(unit.id);
		UNIT_CHECK(same(read.access_token, token.access_token), cases[i].name);
		UNIT_CHECK(same(read.refresh_token, token.refresh_token), cases[i].name);
		UNIT_CHECK(same(read.base_url, token.base_url), cases[i].name);
		UNIT_CHECK(same(read.scope, token.scope), cases[i].name);
		UNIT_CHECK(read.expires_at == token.expires_at, cases[i].name);
		UNIT_CHECK(read.rev == token.rev, cases[i].name);
		bson = stored(unit.id);
		UNIT_CHECK(!memmem(bson_get_data(bson), bson->len, token.access_token,
				   strlen(token.access_token)),
			cases[i].name);
		rev = token.rev;
	}
	CU_ASSERT_EQUAL(load("another").rev, 0);
}

/* Two that read the same, and what each may still do. */
static void test_guards(void)
{
	struct store_token first = {0}, second = {0};

	unit.id = "guards";
	/* The very first lease: only one makes the document. */
	CU_ASSERT_EQUAL(lease(&first, NOW), ERR_OK);
	CU_ASSERT_EQUAL(lease(&second, NOW), ERR_CONFLICT);
	CU_ASSERT_EQUAL(second.rev, 0);
	/* What was leased and never saved is no token, but has a rev. */
	second = load(unit.id);
	CU_ASSERT(!second.access_token && second.expires_at == 0 && second.rev == 1);
	CU_ASSERT_EQUAL(lease(&second, NOW + LEASE_MS - 1), ERR_CONFLICT);
	CU_ASSERT_EQUAL(second.rev, 1);
	/* It is over. */
	CU_ASSERT_EQUAL(lease(&second, NOW + LEASE_MS), ERR_OK);
	first.access_token = "late";
	CU_ASSERT_EQUAL(save(&first), ERR_CONFLICT);
	CU_ASSERT_EQUAL(lease(&first, NOW + 10 * LEASE_MS), ERR_CONFLICT);
	second.access_token = "access";
	second.expires_at = NOW;
	CU_ASSERT_EQUAL(save(&second), ERR_OK);
	CU_ASSERT_STRING_EQUAL(load(unit.id).access_token, "access");
	/* Saving has ended the lease. */
	CU_ASSERT_EQUAL(lease(&second, NOW), ERR_OK);
	/* Its holder shortens it by giving its end as `now`. */
	CU_ASSERT_EQUAL(
		store_token_lease(unit.store, unit.id, &second, NOW + LEASE_MS, NOW + 1, NULL),
		ERR_OK);
	CU_ASSERT_EQUAL(lease(&second, NOW), ERR_CONFLICT);
	CU_ASSERT_EQUAL(lease(&second, NOW + 1), ERR_OK);
	CU_ASSERT_STRING_EQUAL(load(unit.id).access_token, "access");
	/* The clock was set back: a lease from the future binds nobody. */
	CU_ASSERT_EQUAL(lease(&second, NOW - LEASE_MS), ERR_CONFLICT);
	CU_ASSERT_EQUAL(lease(&second, NOW - DAY_MS), ERR_OK);
}

static void test_what_cannot_be_opened_is_none(void)
{
	static const struct {
		const char *name, *update;
		bool access, refresh;
		enum err err;
	} cases[] = {
		{"as it was", "{\"$set\":{\"x\":1}}", true, true, ERR_OK},
		{"access token damaged", "{\"$set\":{\"access_token\":\"v1:k1:AAAA\"}}", false,
			true, ERR_OK},
		{"of another type", "{\"$set\":{\"access_token\":7,\"refresh_token\":{}}}", false,
			false, ERR_OK},
		{"plain", "{\"$set\":{\"refresh_token\":\"refresh\"}}", true, false, ERR_OK},
		{"gone", "{\"$unset\":{\"refresh_token\":1,\"base_url\":1}}", true, false, ERR_OK},
		{"fields changed places", "{\"$rename\":{\"refresh_token\":\"access_token\"}}",
			false, false, ERR_OK},
		{"no rev", "{\"$unset\":{\"rev\":1}}", false, false, ERR_UNREADABLE},
		{"rev is a text", "{\"$set\":{\"rev\":\"x\"}}", false, false, ERR_UNREADABLE},
	};
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct store_token token = {0};

		unit.id = cases[i].name;
		lease(&token, NOW);
		token.access_token = "access";
		token.refresh_token = "refresh";
		token.expires_at = NOW;
		save(&token);
		tamper(cases[i].update);
		UNIT_CHECK(store_token_load(unit.store, unit.arena, unit.id, &token, NULL) ==
				   cases[i].err,
			cases[i].name);
		UNIT_CHECK(
			same(token.access_token, cases[i].access ? "access" : NULL), cases[i].name);
		UNIT_CHECK(same(token.refresh_token, cases[i].refresh ? "refresh" : NULL),
			cases[i].name);
		UNIT_CHECK(token.expires_at == (cases[i].access ? NOW : 0), cases[i].name);
		if (cases[i].err == ERR_OK) {
			UNIT_CHECK(token.rev == 2, cases[i].name);
			UNIT_CHECK(lease(&token, NOW) == ERR_OK, cases[i].name);
		}
	}
}

/* In a process of its own, as it is another database. */
static int away(void)
{
	struct store_token token = {.rev = 1, .access_token = "access"};
	bool right;

	token_unit_open("mongodb://127.0.0.1:1/");
	right = store_token_lease(unit.store, "id", &token, NOW, NOW + 1, NULL) ==
			ERR_DATABASE_AWAY &&
		store_token_save(unit.store, unit.arena, "id", &token, NULL) == ERR_DATABASE_AWAY &&
		token.rev == 1 &&
		store_token_load(unit.store, unit.arena, "id", &token, NULL) == ERR_DATABASE_AWAY &&
		!token.access_token && token.rev == 0;
	token_unit_close();
	return right ? 0 : 1;
}

static void test_the_database_is_away(void)
{
	pid_t child = fork();
	int status;

	if (child == 0)
		_exit(away());
	CU_ASSERT_EQUAL(waitpid(child, &status, 0), child);
	CU_ASSERT_EQUAL(status, 0);
}

static const struct unit_case without_server[] = {
	{"the database is away", test_the_database_is_away},
};

static const struct unit_case with_server[] = {
	{"round trip", test_round_trip},
	{"guards", test_guards},
	{"what cannot be opened is none", test_what_cannot_be_opened_is_none},
};

int main(void)
{
	const char *uri = getenv("MEETLINK_MONGODB_URI");
	int status;

	status = unit_run("store token without a server", without_server,
		sizeof(without_server) / sizeof(without_server[0]));
	if (!uri) {
		puts("the rest is skipped: MEETLINK_MONGODB_URI is not set");
		return status;
	}
	token_unit_open(uri);
	status |=
		unit_run("store token", with_server, sizeof(with_server) / sizeof(with_server[0]));
	token_unit_drop();
	token_unit_close();
	return status;
}
