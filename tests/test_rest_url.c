#include "rest.h"
#include "unit.h"

/* Who may use a URL. */
enum {
	ENDPOINT = 1, /* interfaces of providers */
	PUBLIC = 2,   /* where people find us */
	LINK = 4,     /* to a provider's rooms */
	EVENT = 8,    /* in a calendar */

	ANYONE = ENDPOINT | PUBLIC | LINK | EVENT,
	PLAIN = PUBLIC | EVENT,
	LINKS = LINK | EVENT,
};

static const struct {
	unsigned use, allowed;
	const char *name;
} uses[] = {
	{ENDPOINT, 0, "endpoint"},
	{PUBLIC, REST_URL_HTTP, "public"},
	{LINK, REST_URL_LINK, "link"},
	{EVENT, REST_URL_LINK | REST_URL_HTTP, "event"},
};

struct row {
	const char *name, *url;
	unsigned valid;
};

static void check(const struct row *rows, size_t count)
{
	char name[256];
	size_t i, j;

	for (i = 0; i < count; i++)
		for (j = 0; j < sizeof(uses) / sizeof(uses[0]); j++) {
			snprintf(name, sizeof(name), "%s, %s", uses[j].name, rows[i].name);
			UNIT_CHECK(rest_url_valid(rows[i].url, uses[j].allowed) ==
					   !!(rows[i].valid & uses[j].use),
				name);
		}
}

#define CHECK(rows) check(rows, sizeof(rows) / sizeof((rows)[0]))

static void schemes_and_hosts(void)
{
	static const struct row rows[] = {
		{"an API", "https://api.zoom.us/v2", ANYONE},
		{"a longer path", "https://www.googleapis.com/calendar/v3", ANYONE},
		{"a host", "https://host", ANYONE},
		{"a port", "https://host:8443/a", ANYONE},
		{"a scheme in capitals", "HTTPS://host", ANYONE},
		{"IPv6", "https://[2001:db8::1]:8443", ANYONE},
		{"loopback by name", "http://localhost:8080", ANYONE},
		{"loopback", "http://127.0.0.1:8080/zoom", ANYONE},
		{"another loopback", "http://127.8.9.10", ANYONE},
		{"loopback in IPv6", "http://[::1]:80", ANYONE},
		{"loopback in IPv6 at length", "http://[0:0:0:0:0:0:0:1]", ANYONE},
		{"plain http", "http://host", PLAIN},
		{"plain http to an address", "http://10.0.0.1", PLAIN},
		{"what is just not loopback", "http://128.0.0.1", PLAIN},
		{"any host", "http://0.0.0.0", PLAIN},
		{"any host in IPv6", "http://[::]", PLAIN},
		{"plain http to IPv6", "http://[2001:db8::1]", PLAIN},
		{"IPv4 in IPv6", "http://[::ffff:10.0.0.1]", PLAIN},
		{"what begins like loopback", "http://127.0.0.1.evil.example", PLAIN},
		{"what begins like localhost", "http://localhost.evil.example", PLAIN},
		{"none", NULL, 0},
		{"empty", "", 0},
		{"a slash", "/", 0},
		{"no scheme", "host", 0},
		{"no scheme but slashes", "//example.com", 0},
		{"no host", "https://", 0},
		{"no host, plain", "http://", 0},
		{"no host but a path", "https:///host", 0},
		{"one slash", "https:/host", 0},
		{"no slash", "https:host", 0},
		{"ftp", "ftp://host", 0},
		{"a file", "file:///etc/passwd", 0},
		{"a script", "javascript:alert(1)", 0},
		{"a script that names one", "javascript:alert(1)//https://meet.test", 0},
		{"words", "integrations:zoom", 0},
		{"a port in letters", "https://host:port", 0},
		{"a port too large", "https://host:65536", 0},
	};

	CHECK(rows);
}

static void credentials(void)
{
	static const struct row rows[] = {
		{"a user", "https://user@host", 0},
		{"a user and a password", "https://user:password@host", 0},
		{"an empty user", "https://@host", 0},
		{"an empty user and password", "https://:@host", 0},
		{"loopback as the user", "http://127.0.0.1@evil.example", 0},
		{"a user before a backslash", "https://host\\@evil", 0},
		{"an @ in the path", "https://teams.test/l/19:m@thread.v2/0", ANYONE},
		{"an @ in the query", "https://host/l?a=b@c", LINKS},
	};

	CHECK(rows);
}

static void paths_and_queries(void)
{
	static const struct row rows[] = {
		{"a slash at the end", "https://host/", LINKS},
		{"a slash at the end of a path", "https://host/v2/", LINKS},
		{"a slash at the end, plain", "http://host/", EVENT},
		{"a query", "https://host?x", LINKS},
		{"an empty query", "https://host/v2?", LINKS},
		{"a fragment", "https://host/v2#x", LINKS},
		{"an empty fragment", "https://host/v2#", LINKS},
		{"loopback as the fragment", "http://evil.example#127.0.0.1", EVENT},
		{"all of them", "https://meet.example.com/join/abc?x=1&y=[2]#z", LINKS},
		{"marks", "https://example.com/a,b;c'(d)%20", ANYONE},
		{"dots in names", "https://host/a..b/.c/d.", ANYONE},
		{"dots at the end", "https://host/v2/..", 0},
		{"dots between", "https://host/../v2", 0},
		{"escaped dots", "https://host/%2e%2E/v2", 0},
	};

	CHECK(rows);
}

static void characters(void)
{
	static const char refused[] = "\"<>\\^`{|} \t\r\n\x01\x7f\x80\xc3";
	char url[] = "https://host/?/x", name[32];
	struct row row = {.name = name, .url = url};
	size_t i;

	for (i = 0; i < sizeof(refused); i++) {
		url[strlen("https://host/")] = refused[i];
		row.valid = refused[i] ? 0 : LINKS; /* the slash is then its end */
		snprintf(name, sizeof(name), "character 0x%02x", (unsigned char)refused[i]);
		check(&row, 1);
	}
}

static void blanks(void)
{
	static const struct row rows[] = {
		{"in the host", "https://ho st", 0},
		{"before it", " https://host", 0},
		{"behind it", "https://host ", 0},
		{"a newline behind it", "https://host\n", 0},
		{"a header of its own", "https://host/\r\nX:y", 0},
		{"letters that are not ASCII", "https://ex\xc3\xa4mple.com/", 0},
	};

	CHECK(rows);
}

static void length(void)
{
	char url[REST_MAX_URL + 2];

	memset(url, 'a', sizeof(url));
	memcpy(url, "https://host/", strlen("https://host/"));
	url[REST_MAX_URL + 1] = '\0';
	CU_ASSERT(!rest_url_valid(url, 0) && !rest_url_valid(url, REST_URL_LINK | REST_URL_HTTP));
	url[REST_MAX_URL] = '\0';
	CU_ASSERT(rest_url_valid(url, 0) && rest_url_valid(url, REST_URL_LINK));
}

static const struct unit_case cases[] = {
	{"schemes and hosts", schemes_and_hosts},
	{"credentials", credentials},
	{"paths and queries", paths_and_queries},
	{"characters", characters},
	{"blanks", blanks},
	{"length", length},
};

UNIT_MAIN("rest_url", cases)
