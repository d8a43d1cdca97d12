#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "rest.h"
#include "unit.h"

static bool is_public(const char *text)
{
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
	struct sockaddr_in v4 = {.sin_family = AF_INET};

	if (inet_pton(AF_INET, text, &v4.sin_addr) == 1)
		return rest_address_is_public((const struct sockaddr *)&v4);
	if (inet_pton(AF_INET6, text, &v6.sin6_addr) != 1)
		abort();
	return rest_address_is_public((const struct sockaddr *)&v6);
}

static void what_is_public(void)
{
	static const char *const rows[] = {"1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0",
		"100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.0", "169.253.255.255",
		"169.255.0.0", "172.15.255.255", "172.32.0.0", "192.0.1.0", "192.167.255.255",
		"192.169.0.0", "198.17.255.255", "198.20.0.0", "223.255.255.255", "2606:4700::1111",
		"2001:4860:4860::8888", "2001:200::1", "2003::1", "3ffe:ffff::1", "::ffff:8.8.8.8",
		"64:ff9b::8.8.8.8"};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		UNIT_CHECK(is_public(rows[i]), rows[i]);
}

static void what_is_not(void)
{
	static const char *const rows[] = {"0.0.0.0", "0.1.2.3", "10.0.0.0", "10.255.255.255",
		"100.64.0.0", "100.127.255.255", "127.0.0.1", "127.255.255.255", "169.254.0.1",
		"169.254.169.254", "172.16.0.0", "172.31.255.255", "192.0.0.1", "192.0.2.1",
		"192.88.99.1", "192.168.0.0", "192.168.255.255", "198.18.0.0", "198.19.255.255",
		"198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1",
		"255.255.255.255", "::", "::1", "::127.0.0.1", "::8.8.8.8", "::ffff:127.0.0.1",
		"::ffff:10.0.0.1", "::ffff:169.254.169.254", "::ffff:0:8.8.8.8",
		"64:ff9b::127.0.0.1", "64:ff9b::192.168.1.1", "64:ff9b:1::8.8.8.8", "100::1",
		"2001::1", "2001:0:808:808::1", "2001:10::1", "2001:20::1", "2001:1ff::1",
		"2001:db8::1", "2002:7f00:1::1", "2002:808:808::1", "3fff::1", "4000::1", "5f00::1",
		"fc00::1", "fd12:3456::1", "fe80::1", "febf::1", "fec0::1", "ff02::1", "ff0e::1"};
	const struct sockaddr local = {.sa_family = AF_UNIX};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		UNIT_CHECK(!is_public(rows[i]), rows[i]);
	CU_ASSERT_FALSE(rest_address_is_public(&local));
}

static void what_is_listed(void)
{
	static const struct {
		const char *url, *list;
		bool listed;
	} rows[] = {
		{"https://hooks.test/a", "hooks.test", true},
		{"https://HOOKS.test/a", "other.test, hooks.TEST", true},
		{"http://hooks.test:8080/a", "hooks.test", true},
		{"http://hooks.test:8080/a", "hooks.test:8080", true},
		{"http://hooks.test/a", "hooks.test:80", true},
		{"https://hooks.test/a", "hooks.test:443", true},
		{"https://hooks.test/a", "hooks.test:80", false},
		{"https://hooks.test/a", "", false},
		{"https://hooks.test/a", "  ,", false},
		{"https://hooks.test.evil/a", "hooks.test", false},
		{"https://hooks.tes/a", "hooks.test", false},
		{"https://evil/hooks.test", "hooks.test", false},
		{"https://evil/?hooks.test", "hooks.test", false},
		{"https://hooks.test@evil/", "hooks.test", false},
		{"https://127.1/", "127.0.0.1", true},
		{"https://[::1]:9/", "[::1]", true},
		{"https://[::1]:9/", "[::1]:9", true},
		{"not a URL", "not a URL", false},
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		UNIT_CHECK(
			rest_url_listed(rows[i].url, rows[i].list) == rows[i].listed, rows[i].url);
}

static void where_a_name_leads(void)
{
	struct err_info info = {0};

	CU_ASSERT_EQUAL(rest_check_reach("https://8.8.8.8/", 2000, &info), ERR_OK);
	CU_ASSERT_EQUAL(rest_check_reach("https://[::ffff:1.1.1.1]/", 2000, &info), ERR_OK);
	CU_ASSERT_EQUAL(rest_check_reach("https://localhost/", 2000, &info), ERR_INVALID);
	CU_ASSERT_EQUAL(rest_check_reach("https://127.0.0.1/", 2000, &info), ERR_INVALID);
	CU_ASSERT_EQUAL(rest_check_reach("https://[::1]/", 2000, &info), ERR_INVALID);
	CU_ASSERT_EQUAL(
		rest_check_reach("https://no-such-host.invalid/", 2000, &info), ERR_TEMPORARY);
}

static const struct unit_case cases[] = {
	{"what is public", what_is_public},
	{"what is not", what_is_not},
	{"what is listed", what_is_listed},
	{"where a name leads", where_a_name_leads},
};

UNIT_MAIN("rest guard", cases)
