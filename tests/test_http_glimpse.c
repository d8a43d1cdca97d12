#include "http_glimpse.h"

#include <stdbool.h>

#include "unit.h"

enum { BEGIN = 1, ABORT = 2, PARAMS = 4, STDIN = 5 };

static unsigned char bytes[256 * 1024];
static size_t used;

static void put(int type, int id, const void *content, size_t len, int padding)
{
	const unsigned char head[8] = {1, (unsigned char)type, (unsigned char)(id >> 8),
		(unsigned char)id, (unsigned char)(len >> 8), (unsigned char)len,
		(unsigned char)padding};

	memcpy(bytes + used, head, sizeof(head));
	used += sizeof(head);
	if (len)
		memcpy(bytes + used, content, len);
	used += len;
	memset(bytes + used, 0, (size_t)padding);
	used += (size_t)padding;
}

static const unsigned char begin[8] = {0, 1, 1};
static const char pairs[] = "\x0e\x04REQUEST_METHODPOST"
			    "\x0b\x80\x00\x00\x05REQUEST_URI/a?b="
			    "\x0b\x08REMOTE_ADDR10.0.0.1"
			    "\x12\x08HTTP_AUTHORIZATIONBearer x"
			    "\x05\x00OTHER";

static void put_request(int id, const char *body)
{
	put(BEGIN, id, begin, sizeof(begin), 0);
	put(PARAMS, id, pairs, sizeof(pairs) - 1, 5);
	put(PARAMS, id, NULL, 0, 0);
	if (*body)
		put(STDIN, id, body, strlen(body), 3);
	put(STDIN, id, NULL, 0, 0);
}

static bool is(const char *text, size_t len, const char *wanted)
{
	return text && len == strlen(wanted) && memcmp(text, wanted, len) == 0;
}

static void test_a_whole_request(void)
{
	struct http_glimpse glimpse;
	size_t len;

	used = 0;
	put_request(1, "hello");
	CU_ASSERT_EQUAL(http_glimpse(bytes, used, &glimpse), HTTP_ARRIVED);
	CU_ASSERT_TRUE(is(glimpse.method, glimpse.method_len, "POST"));
	CU_ASSERT_TRUE(is(glimpse.uri, glimpse.uri_len, "/a?b="));
	/* Anything less is not yet one. */
	for (len = 0; len < used; len++)
		CU_ASSERT_EQUAL(http_glimpse(bytes, len, &glimpse), HTTP_ARRIVES);
}

static void test_who_asks(void)
{
	static const struct {
		const char *name, *pairs;
		bool same_address, same_token;
	} others[] = {
		{"another address", "\x0b\x08REMOTE_ADDR10.0.0.2\x12\x08HTTP_AUTHORIZATIONBearer x",
			false, true},
		{"another token", "\x0b\x08REMOTE_ADDR10.0.0.1\x12\x08HTTP_AUTHORIZATIONBearer y",
			true, false},
		{"no token", "\x0b\x08REMOTE_ADDR10.0.0.1", true, false},
		{"nothing", "", false, false},
	};
	struct http_glimpse one, same, other;
	size_t i;

	used = 0;
	put_request(1, "");
	http_glimpse(bytes, used, &one);
	used = 0;
	put_request(7, "some body");
	http_glimpse(bytes, used, &same);
	CU_ASSERT_EQUAL(one.address, same.address);
	CU_ASSERT_EQUAL(one.token, same.token);
	for (i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		used = 0;
		put(BEGIN, 1, begin, sizeof(begin), 0);
		put(PARAMS, 1, others[i].pairs, strlen(others[i].pairs), 0);
		put(PARAMS, 1, NULL, 0, 0);
		put(STDIN, 1, NULL, 0, 0);
		UNIT_CHECK(http_glimpse(bytes, used, &other) == HTTP_ARRIVED, others[i].name);
		UNIT_CHECK(
			(other.address == one.address) == others[i].same_address, others[i].name);
		UNIT_CHECK((other.token == one.token) == others[i].same_token, others[i].name);
		UNIT_CHECK(!other.method && !other.uri, others[i].name);
	}
}

static void test_what_is_no_request(void)
{
	struct http_glimpse glimpse;

	CU_ASSERT_EQUAL(http_glimpse((const unsigned char *)"GET /", 5, &glimpse), HTTP_NO_REQUEST);
	CU_ASSERT_EQUAL(http_glimpse((const unsigned char *)"\0", 1, &glimpse), HTTP_NO_REQUEST);
	CU_ASSERT_EQUAL(http_glimpse(NULL, 0, &glimpse), HTTP_ARRIVES);
	/* Garbage behind a whole request is the next one's matter. */
	used = 0;
	put_request(1, "");
	bytes[used++] = 'x';
	CU_ASSERT_EQUAL(http_glimpse(bytes, used, &glimpse), HTTP_ARRIVED);
}

static void test_of_another_request(void)
{
	struct http_glimpse glimpse;

	used = 0;
	put(STDIN, 1, NULL, 0, 0);
	put(PARAMS, 2, pairs, sizeof(pairs) - 1, 0);
	put(BEGIN, 1, begin, sizeof(begin), 0);
	put(STDIN, 2, NULL, 0, 0);
	CU_ASSERT_EQUAL(http_glimpse(bytes, used, &glimpse), HTTP_ARRIVES);
	CU_ASSERT_PTR_NULL(glimpse.uri);
	put(STDIN, 1, NULL, 0, 0);
	CU_ASSERT_EQUAL(http_glimpse(bytes, used, &glimpse), HTTP_ARRIVED);
}

/* Lengths that lead out of the record, and any bytes at all: nothing outside is read. */
static void test_damaged_parameters(void)
{
	static const char *const damaged[] = {"\x0e", "\x0e\x04", "\x0e\x04REQUEST", "\xff",
		"\xff\xff\xff", "\xff\xff\xff\xff\xff\xff\xff\xff",
		"\x0b\xff\xff\xff\xffREQUEST_URI/", "\x0b\x05REQUEST_URI/a"};
	struct http_glimpse glimpse;
	unsigned char *exact;
	unsigned seed = 7;
	size_t i, len;
	int turn;

	for (i = 0; i < sizeof(damaged) / sizeof(damaged[0]); i++) {
		used = 0;
		put(BEGIN, 1, begin, sizeof(begin), 0);
		put(PARAMS, 1, damaged[i], strlen(damaged[i]), 0);
		put(PARAMS, 1, NULL, 0, 0);
		put(STDIN, 1, NULL, 0, 0);
		CU_ASSERT_EQUAL(http_glimpse(bytes, used, &glimpse), HTTP_ARRIVED);
		CU_ASSERT_PTR_NULL(glimpse.uri);
	}
	for (turn = 0; turn < 20000; turn++) {
		used = 0;
		put_request(1, "body");
		for (i = 0; i < 3; i++) {
			seed = seed * 1103515245u + 12345u;
			bytes[(seed >> 8) % used] = (unsigned char)(seed >> 24);
		}
		len = (seed >> 4) % (used + 1);
		exact = malloc(len + !len);
		memcpy(exact, bytes, len);
		http_glimpse(exact, len, &glimpse);
		free(exact);
	}
}

static const struct unit_case cases[] = {
	{"a whole request", test_a_whole_request},
	{"who asks", test_who_asks},
	{"what is no request", test_what_is_no_request},
	{"of another request", test_of_another_request},
	{"damaged parameters", test_damaged_parameters},
};

UNIT_MAIN("http_glimpse", cases)
