/* Which searches the indexes serve. */
#include "store_query.h"
#include "unit.h"

static bool served(const char *collection, const char *filter, const char *options)
{
	bson_t *filtered = bson_new_from_json((const uint8_t *)filter, -1, NULL);
	bson_t *opted = options ? bson_new_from_json((const uint8_t *)options, -1, NULL) : NULL;
	bool is;

	CU_ASSERT_PTR_NOT_NULL_FATAL(filtered);
	is = store_is_served(collection, filtered, opted);
	bson_destroy(opted);
	bson_destroy(filtered);
	return is;
}

static void test_store_query_is_served(void)
{
	static const struct {
		const char *collection, *filter, *options;
		bool served;
	} rows[] = {
		{"requests", "{\"_id\": \"a\"}", NULL, true},
		{"requests", "{\"_id\": \"a\", \"rev\": 1}", NULL, true},
		{"requests", "{\"_id\": {\"$gt\": \"a\"}}", "{\"sort\": {\"_id\": 1}}", true},
		{"requests", "{\"_id\": {\"$gt\": \"a\"}}", "{\"sort\": {\"rev\": 1}}", false},
		{"requests", "{}", NULL, false},
		{"requests", "{}", "{\"sort\": {\"starts_at\": 1, \"_id\": 1}}", false},
		{"requests", "{\"title\": \"a\"}", NULL, false},
		{"requests", "{\"client.id\": \"a\"}", NULL, true},
		{"requests", "{\"client.id\": \"a\"}",
			"{\"sort\": {\"starts_at\": -1, \"_id\": -1}}", true},
		{"requests", "{\"client.id\": \"a\", \"starts_at\": {\"$gte\": 1, \"$lt\": 2}}",
			"{\"sort\": {\"starts_at\": -1, \"_id\": -1}}", true},
		{"requests", "{\"client.id\": \"a\", \"starts_at\": {\"$gte\": 1}}",
			"{\"sort\": {\"starts_at\": 1, \"_id\": -1}}", false},
		{"requests", "{\"client.id\": \"a\", \"starts_at\": {\"$gte\": 1}}",
			"{\"sort\": {\"_id\": 1}}", false},
		{"requests", "{\"client.id\": \"a\", \"starts_at\": 1, \"_id\": {\"$lt\": \"b\"}}",
			"{\"sort\": {\"_id\": -1}}", true},
		{"requests",
			"{\"client.id\": \"a\", \"starts_at\": {\"$gte\": 1}, "
			"\"_id\": {\"$lt\": \"b\"}}",
			NULL, false},
		{"requests", "{\"client.id\": {\"$in\": [\"a\", \"b\"]}}", NULL, false},
		{"requests", "{\"client.id\": {\"$ne\": \"a\"}}", NULL, false},
		{"requests", "{\"client.id\": {\"$regex\": \"^a\", \"$options\": \"\"}}", NULL,
			false},
		{"requests", "{\"$or\": [{\"client.id\": \"a\"}, {\"lawyer.id\": \"a\"}]}", NULL,
			false},
		{"requests", "{\"client.id\": \"a\", \"title\": \"b\"}", NULL, false},
		{"requests", "{\"client.id\": \"a\", \"lawyer.id\": \"b\"}", NULL, false},
		{"requests", "{\"lawyer.id\": \"a\", \"status\": \"open\"}",
			"{\"sort\": {\"starts_at\": 1, \"_id\": 1}}", true},
		{"requests",
			"{\"lawyer.id\": \"a\", \"status\": \"open\", "
			"\"meeting.status\": \"ready\"}",
			NULL, false},
		{"requests", "{\"lawyer.id\": \"a\", \"over_at\": {\"$gt\": 1}}",
			"{\"sort\": {\"over_at\": 1, \"_id\": 1}}", true},
		{"requests", "{\"over_at\": null, \"_id\": {\"$gt\": \"a\"}}",
			"{\"sort\": {\"_id\": 1}}", true},
		{"requests", "{\"due\": {\"$gt\": 1, \"$lte\": 2}}", "{\"sort\": {\"due\": 1}}",
			true},
		{"requests", "{\"owed.mail\": {\"$lte\": 2}}", "{\"sort\": {\"owed.mail\": 1}}",
			true},
		{"requests", "{\"owed.mail\": {\"$lte\": 2}}", "{\"sort\": {\"due\": 1}}", false},
		{"chores", "{\"due\": {\"$lte\": 2}}", "{\"sort\": {\"due\": 1}}", true},
		{"chores", "{\"client.id\": \"a\"}", NULL, false},
		{"tokens", "{\"due\": {\"$lte\": 2}}", NULL, false},
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		UNIT_CHECK(served(rows[i].collection, rows[i].filter, rows[i].options) ==
				   rows[i].served,
			rows[i].filter);
}

static const struct unit_case cases[] = {
	{"which searches are served", test_store_query_is_served},
};

UNIT_MAIN("store query", cases)
