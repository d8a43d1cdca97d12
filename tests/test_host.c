#include "host.h"
#include "unit.h"

static void test_loopback(void)
{
	static const struct {
		const char *host;
		bool loopback;
	} cases[] = {
		{"localhost", true},
		{"LocalHost", true},
		{"127.0.0.1", true},
		{"127.255.255.254", true},
		{"[::1]", true},
		{"[0:0:0:0:0:0:0:1]", true},

		{"", false},
		{"[", false},
		{"[]", false},
		{"::1", false},
		{"[::1", false},
		{"[::1]x", false},
		{"[::2]", false},
		{"[::ffff:127.0.0.1]", false},
		{"[::1%lo]", false},
		{"[0000:0000:0000:0000:0000:0000:0000:0000:0000:0001]", false},
		{"128.0.0.1", false},
		{"127.1", false},
		{"0.0.0.0", false},
		{"localhost.example", false},
		{"127.0.0.1.example", false},
	};
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		UNIT_CHECK(host_is_loopback(cases[i].host) == cases[i].loopback, cases[i].host);
}

static const struct unit_case cases[] = {{"this machine itself", test_loopback}};

UNIT_MAIN("host", cases)
